/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_services.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "tui/widget_bar.h"

enum { TEXT_BYTES = 800, VALUE_COLS = 6 };
enum { STATE, NAME, KIND, STARTED, MEMORY, MORE, COLUMNS };

struct drawing {
	const struct node_view *node;
	const struct view      *view;
	char                   *text;
};

size_t services_wrong(const struct node_view *node)
{
	size_t n = 0;
	for (size_t i = 0; i < node->n_services; i++)
		n += node->services[i].severity >= SEVERITY_WARN;
	return n;
}

static void draw_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct service_row *s = &((const struct drawing *)context)->node->services[row];
	enum role role = s->state[0] == '\0' ? ROLE_UNKNOWN : severity_role(s->severity);
	canvas_put_char(c, 0, 0, role, s->state[0] == '\0' ? '?' : severity_glyph(s->severity));
	canvas_put_width(c, 0, 2, cols - 2, -1, role, s->state[0] == '\0' ? "n/a" : s->state);
}

/* Most units are services; their kind need not be said again. */
static const char *put_name(const struct drawing *d, const struct service_row *s)
{
	static const char usual[] = ".service";
	size_t n = strlen(s->name), m = sizeof usual - 1;
	bool is_usual = n > m && strcmp(s->name + n - m, usual) == 0;
	snprintf(d->text, TEXT_BYTES, "%.*s", (int)(is_usual && n < TEXT_BYTES ? n - m : TEXT_BYTES - 1), s->name);
	return d->text;
}

static const char *put_started(const struct drawing *d, const struct service_row *s)
{
	char age[DURATION_TEXT];
	int64_t old = d->view->t_ms - s->started_ms;
	snprintf(d->text, TEXT_BYTES, "%s", s->started_ms <= 0 ? "--" : format_age(old > 0 ? old / 1000 * 1000 : 0, age));
	return d->text;
}

/* Why it ended, how it feels, how often it came back, then what it was made from. A container that was killed by a signal ends with 128 and
 * the signal's number. */
static const char *put_more(const struct drawing *d, const struct service_row *s)
{
	char code[48] = "", restarts[48] = "", number[UNIT_TEXT_SIZE];
	if (s->exit_code > 128 && s->exit_code < 193)
		snprintf(code, sizeof code, "exit %.0f, signal %.0f", s->exit_code, s->exit_code - 128);
	else if (s->exit_code >= 0 && s->exit_code < 256)
		snprintf(code, sizeof code, "exit %.0f", s->exit_code);
	if (s->restarts > 0)
		snprintf(restarts, sizeof restarts, "%s restart%s", unit_format(UNIT_COUNT, s->restarts, VALUE_COLS, number), s->restarts > 1 ? "s" : "");
	const char *const parts[] = { s->is_oom_killed ? "killed, out of memory" : "", code, s->health, restarts, s->image };
	size_t used = 0;
	d->text[0] = '\0';
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (parts[i][0] == '\0')
			continue;
		int n = snprintf(d->text + used, TEXT_BYTES - used, "%s%.150s", used > 0 ? "  " : "", parts[i]);
		used += n > 0 ? (size_t)n : 0;
	}
	return d->text;
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct service_row *s = &d->node->services[row];
	char number[UNIT_TEXT_SIZE];
	out->role = ROLE_SECOND;
	switch (column) {
	case STATE: out->draw = draw_state; break;
	case NAME: out->text = put_name(d, s); out->role = ROLE_TEXT; break;
	case KIND: out->text = s->kind; break;
	case STARTED: out->text = put_started(d, s); break;
	case MEMORY:
		out->role = isnan(s->memory) ? ROLE_FAINT : ROLE_TEXT;
		snprintf(d->text, TEXT_BYTES, "%s", unit_format(UNIT_BYTES, s->memory, VALUE_COLS, number));
		out->text = d->text;
		break;
	default:
		out->text = put_more(d, s);
		out->role = s->severity >= SEVERITY_WARN ? severity_role(s->severity) : ROLE_SECOND;
		break;
	}
}

static bool has_more(const struct service_row *s)
{
	return s->is_oom_killed || s->restarts > 0 || !isnan(s->exit_code) || s->health[0] != '\0' || s->image[0] != '\0';
}

void services_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused, struct canvas *c)
{
	static const struct table_column columns[COLUMNS] = {
		[STATE] = { "state", 12, 14, -1, 0 },  [NAME] = { "name", 18, 40, -1, 0 },    [KIND] = { "kind", 9, 9, -1, 4 },
		[STARTED] = { "started", 7, 7, 1, 2 }, [MEMORY] = { "memory", 6, 6, 1, 3 }, [MORE] = { "", 16, 100, -1, 1 },
	};
	char text[TEXT_BYTES] = "";
	const struct drawing d = { node, view, text };
	const struct table_source source = { .context = &d, .rows = node->n_services, .cell = cell };
	size_t n = COLUMNS - 1;
	for (size_t i = 0; i < node->n_services; i++)
		n = has_more(&node->services[i]) ? COLUMNS : n;
	table_clamp(state, node->n_services, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	table_draw(c, columns, n, &shown, &source);
}
