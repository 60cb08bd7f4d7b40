/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_tables.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "tui/signal_look.h"
#include "tui/widget_bar.h"

enum { TEXT_BYTES = 64, VALUE_COLS = 6 };

struct drawing {
	const struct node_view *node;
	const struct view      *view;
	char                   *text;
};

void node_table_draw(const struct table_column *columns, size_t n, const struct table_source *source, struct table_state *state,
                     bool is_focused, struct canvas *c)
{
	table_clamp(state, source->rows, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	table_draw(c, columns, n, &shown, source);
}

/* ---- targets ---- */

enum { TARGET_STATE, TARGET_JOB, TARGET_AGE, TARGET_TOOK, TARGET_SAMPLES, TARGET_URL, TARGET_ERROR };

static const struct table_column target_columns[] = {
	[TARGET_STATE] = { "state", 6, 6, -1, 0 },    [TARGET_JOB] = { "job", 6, 12, -1, 3 },       [TARGET_AGE] = { "age", 6, 7, 1, 4 },
	[TARGET_TOOK] = { "took", 6, 6, 1, 5 },       [TARGET_SAMPLES] = { "samples", 7, 7, 1, 6 }, [TARGET_URL] = { "url", 16, 60, -1, 7 },
	[TARGET_ERROR] = { "last error", 20, 120, -1, 1 },
};

static enum severity target_severity(const struct target_row *t)
{
	return !t->was_polled || t->is_up ? SEVERITY_OK : SEVERITY_DOWN;
}

static void draw_target_state(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct target_row *t = &((const struct drawing *)context)->node->targets[row];
	enum severity s = target_severity(t);
	enum role role = t->was_polled ? severity_role(s) : ROLE_UNKNOWN;
	(void)cols;
	canvas_put_char(c, 0, 0, role, t->was_polled ? severity_glyph(s) : '?');
	canvas_put(c, 0, 2, role, !t->was_polled ? "n/a" : t->is_up ? "up" : "DOWN");
}

static void target_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct target_row *t = &d->node->targets[row];
	char age[DURATION_TEXT];
	int64_t old = d->view->t_ms - t->last_ms;
	out->role = ROLE_SECOND;
	switch (column) {
	case TARGET_STATE: out->draw = draw_target_state; break;
	case TARGET_JOB: out->text = t->job[0] != '\0' ? t->job : t->profile; out->role = ROLE_TEXT; break;
	case TARGET_AGE:
		snprintf(d->text, TEXT_BYTES, "%s", t->last_ms == 0 ? "--" : format_age(old > 0 ? old / 1000 * 1000 : 0, age));
		out->text = d->text;
		break;
	case TARGET_TOOK: out->text = unit_format(UNIT_SECONDS, t->scrape_seconds, VALUE_COLS, d->text); out->role = ROLE_TEXT; break;
	case TARGET_SAMPLES: out->text = unit_format(UNIT_COUNT, t->samples, VALUE_COLS, d->text); out->role = ROLE_TEXT; break;
	case TARGET_URL: out->text = t->url; break;
	default: out->text = t->error; out->role = t->is_up ? ROLE_SECOND : ROLE_WARN; break;
	}
}

void targets_table_draw(const struct node_view *node, const struct view *view, struct table_state *state, bool is_focused,
                        struct canvas *c)
{
	char text[TEXT_BYTES] = "";
	const struct drawing d = { node, view, text };
	const struct table_source source = { .context = &d, .rows = node->n_targets, .cell = target_cell };
	struct table_column columns[sizeof target_columns / sizeof target_columns[0]];
	size_t n = sizeof columns / sizeof columns[0];
	bool has_error = false;
	memcpy(columns, target_columns, sizeof columns);
	for (size_t i = 0; i < node->n_targets; i++)
		has_error |= node->targets[i].error[0] != '\0';
	node_table_draw(columns, has_error ? n : n - 1, &source, state, is_focused, c);
}
