/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts as of the view time: what fires, the worst first, then what is pending, then what was over lately; what is silenced or inhibited is
 * folded away at the end. The selection and the tags stay with their groups. */
#include "tui/screens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/alerts_ask.h"
#include "tui/alerts_table.h"
#include "tui/alerts_text.h"
#include "tui/view.h"
#include "tui/widget_bar.h"

enum { FILTER_BYTES = 128, ROWS_FOR_SELECTED = 15, SELECTED_ROWS = 5, TEXT_MAX = 4096 };

struct alerts_screen {
	struct screen       screen;
	char                filter[FILTER_BYTES];
	struct alerts_rows  rows;
	struct alerts_tags  tags;
	char               *selected; /* key; NULL: the first, whichever that is */
	enum alerts_sort    sort;
	bool                turned, is_unfolded;
	struct table_state *table;
	struct {
		int rows, cols; /* of the table's, as it was last drawn */
	} *drawn;
};

static const struct alert_group_item *at_cursor(const struct alerts_screen *s)
{
	return s->table->selected < s->rows.n ? s->rows.items[s->table->selected] : NULL;
}

static void remember(struct alerts_screen *s)
{
	const struct alert_group_item *g = at_cursor(s);
	free(s->selected);
	s->selected = g != NULL && s->table->selected > 0 ? strdup(g->key) : NULL;
}

static void update(struct screen *screen, const struct view *view)
{
	struct alerts_screen *s = (struct alerts_screen *)screen;
	alerts_tags_keep(&s->tags, view->alerts);
	alerts_rows_fill(&s->rows, view->alerts, s->filter, s->sort, s->turned, s->is_unfolded);
	size_t at = s->selected == NULL ? SIZE_MAX : alerts_rows_find(&s->rows, s->selected);
	if (at != SIZE_MAX)
		s->table->selected = at;
	else if (s->selected == NULL && at_cursor(s) != NULL)
		s->table->selected = 0;
	if (s->table->selected >= s->rows.n)
		s->table->selected = s->rows.n > 0 ? s->rows.n - 1 : 0;
}

/* ---- drawing ---- */

static void draw_line(struct canvas *c, int row, enum role role, const struct buf *text)
{
	canvas_put_width(c, row, 1, canvas_region(c).cols - 2, -1, role, buf_text(text));
}

static void nodes_line(const struct alert_group_item *g, struct buf *to)
{
	for (size_t i = 0; i < g->n && to->len < TEXT_MAX / 2; i++)
		if (g->alerts[i].phase == g->phase && g->alerts[i].node[0] != '\0')
			buf_printf(to, "%s%.100s", to->len > 0 ? "  " : "", g->alerts[i].node);
}

static void draw_selected(const struct alert_group_item *g, const struct view *view, struct canvas *c)
{
	struct buf text;
	char title[ALERTS_TEXT], state[ALERTS_TEXT];
	buf_init(&text, TEXT_MAX);
	snprintf(title, sizeof title, "%.120s%s%.80s", g->rule, g->model[0] != '\0' ? " " : "", g->model);
	canvas_rule(c, 0, title, alerts_state_text(g, view->t_ms, state));
	buf_puts(&text, g->summary[0] != '\0' ? g->summary : "no summary: the rule has no such annotation");
	draw_line(c, 1, g->summary[0] != '\0' ? ROLE_TEXT : ROLE_FAINT, &text);
	buf_clear(&text);
	enum role role = alerts_owner_sentence(g, view, &text);
	draw_line(c, 2, role, &text);
	buf_clear(&text);
	nodes_line(g, &text);
	draw_line(c, 3, ROLE_SECOND, &text);
	buf_clear(&text);
	labels_print(g->alerts[0].row.labels, &text);
	draw_line(c, 4, ROLE_FAINT, &text);
	buf_release(&text);
}

static void draw_head(const struct alerts_screen *s, const struct view *view, struct canvas *c)
{
	char note[FILTER_BYTES + 160], tags[32] = "";
	const struct alerts_view *v = view->alerts;
	if (s->tags.n > 0)
		snprintf(tags, sizeof tags, "%zu tagged  ", s->tags.n);
	if (v == NULL)
		note[0] = '\0';
	else if (s->filter[0] != '\0')
		snprintf(note, sizeof note, "%s/%s  %zu of %zu", tags, s->filter, s->rows.n_shown + s->rows.n_hidden, v->n_groups);
	else if (v->n_more > 0)
		snprintf(note, sizeof note, "%s%zu alerts more than can be shown", tags, v->n_more);
	else
		snprintf(note, sizeof note, v->n_external > 0 ? "%s%zu crit, %zu warn, %zu unowned, %zu external" : "%s%zu crit, %zu warn, %zu unowned", tags, v->n_crit,
		         v->n_warn, v->n_unowned, v->n_external);
	canvas_rule(c, 0, "alerts", note[0] != '\0' ? note : NULL);
}

static const char *why_empty(const struct alerts_screen *s, const struct view *view)
{
	if (view->alerts == NULL)
		return "reading the store";
	return s->filter[0] != '\0' ? "nothing matches the filter" : "nothing fires, nothing is pending";
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct alerts_screen *s = (const struct alerts_screen *)screen;
	struct rect all = canvas_region(c);
	const struct alert_group_item *g = at_cursor(s);
	int head = all.rows >= 4 ? 1 : 0, foot = all.rows >= ROWS_FOR_SELECTED && s->rows.n > 0 ? SELECTED_ROWS : 0;
	if (head > 0)
		draw_head(s, view, c);
	s->drawn->rows = all.rows - head - foot - 1;
	s->drawn->cols = all.cols;
	if (s->rows.n == 0) {
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, why_empty(s, view));
		return;
	}
	canvas_enter(c, (struct rect){ head, 0, all.rows - head - foot, all.cols });
	const struct alerts_table t = { view, &s->rows, &s->tags, s->sort, s->turned, s->is_unfolded };
	alerts_table_draw(&t, s->table, c);
	canvas_leave(c);
	if (foot == 0 || g == NULL)
		return;
	canvas_enter(c, (struct rect){ all.rows - foot, 0, foot, all.cols });
	draw_selected(g, view, c);
	canvas_leave(c);
}

/* ---- commands ---- */

static enum next fold(struct alerts_screen *s, const struct view *view)
{
	s->is_unfolded = !s->is_unfolded;
	update(&s->screen, view);
	return NEXT_REDRAW;
}

static enum next tag(struct alerts_screen *s, struct requests *out)
{
	const struct alert_group_item *g = at_cursor(s);
	if (g == NULL)
		return NEXT_STAY;
	enum err e = alerts_tags_turn(&s->tags, g->key);
	if (e != ERR_OK)
		out->message = e == ERR_LIMIT ? "no more than 500 can be tagged at once" : "out of memory";
	table_command(s->table, COMMAND_DOWN, s->rows.n, s->drawn->rows);
	remember(s);
	return NEXT_REDRAW;
}

/* All that are listed; with some tagged already, no tag stays. */
static enum next tag_all(struct alerts_screen *s, struct requests *out)
{
	bool had_tags = s->tags.n > 0;
	alerts_tags_clear(&s->tags);
	for (size_t i = 0; !had_tags && i < s->rows.n; i++) {
		if (s->rows.items[i] == NULL || s->rows.items[i]->phase == PHASE_RESOLVED)
			continue;
		enum err e = alerts_tags_turn(&s->tags, s->rows.items[i]->key);
		if (e != ERR_OK) {
			out->message = e == ERR_LIMIT ? "the first 500 are tagged; no more can be at once" : "out of memory";
			break;
		}
	}
	return NEXT_REDRAW;
}

static enum next sort(struct alerts_screen *s, const struct view *view, int by)
{
	s->sort = (enum alerts_sort)(((int)s->sort + by + ALERTS_SORTS) % ALERTS_SORTS);
	s->turned = false;
	update(&s->screen, view);
	return NEXT_REDRAW;
}

/* What is tagged, else what is selected. */
static void subject(const struct alerts_screen *s, const struct view *view, const struct alert_group_item *groups[ALERTS_TAGS_MAX],
                    struct alerts_subject *to)
{
	const struct alert_group_item *g = at_cursor(s);
	*to = (struct alerts_subject){ .groups = groups };
	for (size_t i = 0; s->tags.n > 0 && view->alerts != NULL && i < view->alerts->n_groups && to->n < ALERTS_TAGS_MAX; i++)
		if (alerts_tags_has(&s->tags, view->alerts->groups[i].key))
			groups[to->n++] = &view->alerts->groups[i];
	if (s->tags.n == 0 && g != NULL)
		groups[to->n++] = g;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct alerts_screen *s = (struct alerts_screen *)screen;
	const struct alert_group_item *g = at_cursor(s), *groups[ALERTS_TAGS_MAX];
	struct alerts_subject about;
	(void)argument;
	if (table_command(s->table, c, s->rows.n, s->drawn->rows)) {
		remember(s);
		return NEXT_REDRAW;
	}
	switch ((int)c) {
	case COMMAND_ENTER:
		if (g == NULL)
			return s->rows.n > 0 ? fold(s, view) : NEXT_STAY;
		out->push = alert_screen_new(g->key);
		return NEXT_REDRAW;
	case COMMAND_FOLD: return fold(s, view);
	case COMMAND_TAG: return tag(s, out);
	case COMMAND_TAG_ALL: return tag_all(s, out);
	case COMMAND_SORT: return sort(s, view, 1);
	case COMMAND_SORT_BACK: return sort(s, view, -1);
	case COMMAND_SORT_TURN: s->turned = !s->turned; update(screen, view); return NEXT_REDRAW;
	case COMMAND_VIEW_ALERTS: return NEXT_STAY;
	case COMMAND_ROLLBACK:
	case COMMAND_REDEPLOY: return g != NULL ? alerts_deploy(c, view, g, NULL, out) : NEXT_STAY;
	case COMMAND_VIEW_RULES: out->push = rules_screen_new(); return NEXT_REDRAW;
	case COMMAND_BACK:
		if (s->filter[0] == '\0' && s->tags.n == 0)
			return NEXT_IGNORED;
		if (s->filter[0] == '\0')
			alerts_tags_clear(&s->tags);
		s->filter[0] = '\0';
		update(screen, view);
		return NEXT_REDRAW;
	default: break;
	}
	subject(s, view, groups, &about);
	return alerts_command(c, view, &about, out);
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct alerts_screen *s = (const struct alerts_screen *)screen;
	const struct alert_group_item *groups[ALERTS_TAGS_MAX];
	struct alerts_subject about;
	if (c == COMMAND_FOLD)
		return s->rows.n_hidden > 0;
	if (c == COMMAND_VIEW_ALERTS)
		return false;
	if (c != COMMAND_ACK && c != COMMAND_UNACK && c != COMMAND_SILENCE && c != COMMAND_NOTE)
		return true;
	subject(s, view, groups, &about);
	return alerts_offers(c, view, &about);
}

static enum next mouse(struct screen *screen, const struct view *view, int row, int col, int button, struct requests *out)
{
	struct alerts_screen *s = (struct alerts_screen *)screen;
	size_t hit = row <= s->drawn->rows + 1 ? table_row_at(s->table, s->rows.n, row - 1) : SIZE_MAX;
	enum alerts_sort by = row == 1 ? alerts_table_sort_at(s->drawn->cols, col) : ALERTS_SORTS;
	if (button == 0 && by != ALERTS_SORTS)
		return sort(s, view, (int)by - (int)s->sort);
	if (button != 0 || hit == SIZE_MAX)
		return NEXT_IGNORED;
	if (hit == s->table->selected)
		return command(screen, view, COMMAND_ENTER, "", out);
	s->table->selected = hit;
	remember(s);
	return NEXT_REDRAW;
}

static void filter(struct screen *screen, const char *text)
{
	struct alerts_screen *s = (struct alerts_screen *)screen;
	snprintf(s->filter, sizeof s->filter, "%s", text);
}

static const char *filtered(const struct screen *screen)
{
	return ((const struct alerts_screen *)screen)->filter;
}

static void release(struct screen *screen)
{
	struct alerts_screen *s = (struct alerts_screen *)screen;
	alerts_rows_release(&s->rows);
	alerts_tags_clear(&s->tags);
	free(s->selected);
	free(s->table);
	free(s->drawn);
	free(s);
}

static const struct screen_kind kind = {
	.name = "ALERTS", .context = CONTEXT_ALERTS, .draw = draw, .command = command, .offers = offers, .mouse = mouse, .update = update,
	.filter = filter, .filtered = filtered, .free = release,
};

struct screen *alerts_screen_new(void)
{
	struct alerts_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	s->table = calloc(1, sizeof *s->table);
	s->drawn = calloc(1, sizeof *s->drawn);
	if (s->table == NULL || s->drawn == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}
