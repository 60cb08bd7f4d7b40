/* SPDX-License-Identifier: Apache-2.0
 *
 * The logs of one node, as its machine has them now: first a list of what can be followed, then the live tail of one. The newest line is at the
 * bottom until the reader moves up; then the text stands still, and the rule says how much came below. */
#include "tui/screens.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "tui/log_search.h"
#include "tui/log_text.h"
#include "tui/view.h"
#include "tui/widget_table.h"

enum { NODE_BYTES = 512, NOTE_BYTES = 1024, MOVE_COLS = 20, LEFT_MAX = 8 * 1024 };

/* What drawing finds out. */
struct seen {
	struct log_pattern_cache patterns;
	struct table_state       table;
	struct log_seen          lines;
	int                      rows, cols;
};

struct log_screen {
	struct screen     screen;
	char              node[NODE_BYTES], key[LOG_KEY_MAX]; /* key "": the list */
	unsigned          again;
	bool              has_chosen;    /* somebody, or it was the only one: a list of one is chosen from once */
	char              filter[LOG_SEARCH_TEXT]; /* of the list */
	size_t           *shown;         /* rows of the list that pass: LOG_LIST_MAX */
	size_t            n_shown;
	struct log_search search;
	struct log_place  place;
	bool              is_paused;     /* the newest line is not followed */
	struct seen      *seen;
	char              said[NOTE_BYTES];
};

static bool is_list(const struct log_screen *s)
{
	return s->key[0] == '\0';
}

/* What there is of this node; NULL where nothing came yet. */
static const struct log_view *log_of(const struct log_screen *s, const struct view *v)
{
	return v->log != NULL && strcmp(v->log->node, s->node) == 0 ? v->log : NULL;
}

/* The lines of the log that was chosen; NULL: none yet. */
static const struct log_ring *ring_of(const struct log_screen *s, const struct view *v)
{
	const struct log_view *l = log_of(s, v);
	bool is_it = l != NULL && l->trouble[0] == '\0' && !is_list(s) && l->status.key != NULL && strcmp(l->status.key, s->key) == 0;
	return is_it ? l->status.ring : NULL;
}

static const struct log_list *list_of(const struct log_screen *s, const struct view *v)
{
	const struct log_view *l = log_of(s, v);
	return l != NULL && l->trouble[0] == '\0' ? l->status.list : NULL;
}

/* ---- what came ---- */

static bool has_text(const char *text, const char *word)
{
	struct log_search s = { .text = "" };
	size_t at, len;
	snprintf(s.text, sizeof s.text, "%s", word);
	return log_search_find(&s, text, strlen(text), 0, &at, &len);
}

static void filter_list(struct log_screen *s, const struct log_list *l)
{
	s->n_shown = 0;
	for (size_t i = 0; l != NULL && i < l->n; i++)
		if (s->filter[0] == '\0' || has_text(l->items[i].key, s->filter) || has_text(l->items[i].note, s->filter))
			s->shown[s->n_shown++] = i;
}

static void choose(struct log_screen *s, const char *key)
{
	snprintf(s->key, sizeof s->key, "%s", key);
	s->has_chosen = true;
	s->is_paused = false;
	s->place.left = 0;
}

static void update(struct screen *screen, const struct view *view)
{
	struct log_screen *s = (struct log_screen *)screen;
	const struct log_view *log = log_of(s, view);
	const struct log_list *l = list_of(s, view);
	const struct log_ring *r = ring_of(s, view);
	filter_list(s, l);
	if (l != NULL && log != NULL && !s->has_chosen && log->status.state == LOG_LISTED && l->n == 1)
		choose(s, l->items[0].key);
	log_search_update(&s->search, r);
	if (r == NULL)
		return;
	s->is_paused &= log_ring_first(r) < log_ring_past(r);
	if (s->is_paused)
		log_lay_out(r, &s->search, &s->place, s->seen->rows, s->seen->cols, &s->seen->lines);
	else if (log_ring_past(r) > 0)
		s->place.bottom = s->place.cursor = log_ring_past(r) - 1;
}

static bool follows(const struct screen *screen, struct log_need *out)
{
	const struct log_screen *s = (const struct log_screen *)screen;
	*out = (struct log_need){ .node = s->node, .key = s->key, .again = s->again };
	return true;
}

/* For its targets' URLs, which may tell the way. */
static void needs(const struct screen *screen, const struct view *view, struct needs *out)
{
	(void)view;
	out->node = ((const struct log_screen *)screen)->node;
}

/* ---- in words ---- */

static void state_words(const struct log_view *l, char *to, size_t size)
{
	const struct log_status *s = &l->status;
	char age[DURATION_TEXT];
	const char *advice = s->reach < REACH_COUNT && s->reach != REACH_OK ? reach_advice(s->reach) : "";
	switch (s->state) {
	case LOG_CONNECTING: snprintf(to, size, "asking %s", l->way); break;
	case LOG_LISTING: snprintf(to, size, "reading the list"); break;
	case LOG_LISTED: snprintf(to, size, "%s", l->way); break;
	case LOG_FOLLOWING: snprintf(to, size, "following on %s, %.*f lines/s", l->way, s->rate > 0 && s->rate < 10 ? 1 : 0, s->rate); break;
	case LOG_WAITING:
		snprintf(to, size, "%s: %s; again in %s", reach_words(s->reach), s->text, format_age((s->retry_ms + 999) / 1000 * 1000, age));
		break;
	case LOG_ENDED:
		if (s->reach == REACH_OK)
			snprintf(to, size, "%s", s->text);
		else
			snprintf(to, size, "%s: %s%s%s", reach_words(s->reach), s->text, advice[0] != '\0' ? "; " : "", advice);
		break;
	}
}

/* How bad the state is. */
static enum role state_role(const struct log_view *l)
{
	return l->status.state == LOG_ENDED && l->status.reach != REACH_OK ? ROLE_CRIT : l->status.state >= LOG_WAITING ? ROLE_WARN : ROLE_SECOND;
}

/* At the right of the rule: where in the text one is, and what was found. */
static void text_words(const struct log_screen *s, const struct log_ring *r, char *to, size_t size)
{
	char below[LOG_COUNT_TEXT], found[LOG_COUNT_TEXT], skipped[LOG_COUNT_TEXT];
	int n = 0;
	to[0] = '\0';
	if (s->search.text[0] != '\0')
		n = snprintf(to, size, "/%.40s %s%s%s  ", s->search.text, s->search.mistake.text[0] != '\0' ? "?" : log_count_text(s->search.n, found),
		             s->search.mistake.text[0] != '\0' ? "" : s->search.n == 1 ? " line" : " lines", s->place.only ? " only" : "");
	if (r == NULL || n < 0 || (size_t)n >= size)
		return;
	if (log_ring_skipped(r) > 0)
		n += snprintf(to + n, size - (size_t)n, "%s skipped  ", log_count_text(log_ring_skipped(r), skipped));
	if ((size_t)n >= size)
		return;
	uint64_t past = log_ring_past(r);
	if (s->is_paused)
		snprintf(to + n, size - (size_t)n, "paused, %s new below", log_count_text(past > s->place.bottom ? past - 1 - s->place.bottom : 0, below));
	else
		snprintf(to + n, size - (size_t)n, "%s lines", log_count_text(past - log_ring_first(r), below));
}

/* The last row: what the chosen line tells of, what is wrong, or how it goes. */
static void draw_foot(const struct log_screen *s, const struct view *v, const struct log_ring *r, struct canvas *c, int row)
{
	const struct log_view *l = log_of(s, v);
	char text[NOTE_BYTES] = "waiting for the console";
	enum role role = ROLE_SECOND;
	uint64_t known = 0;
	if (l != NULL && l->trouble[0] != '\0') {
		snprintf(text, sizeof text, "%s", l->trouble);
		role = ROLE_CRIT;
	} else if (l != NULL) {
		state_words(l, text, sizeof text);
		role = state_role(l);
	}
	if (s->search.mistake.text[0] != '\0') {
		snprintf(text, sizeof text, "%s", s->search.mistake.text);
		role = ROLE_WARN;
	} else if (r != NULL && s->is_paused && s->place.cursor >= log_ring_first(r) && s->place.cursor < log_ring_past(r)) {
		struct log_line line = log_ring_at(r, s->place.cursor);
		known = log_line_known(&s->seen->patterns, line);
		for (size_t i = 0; i < n_log_patterns && known != 0; i++) {
			if ((known >> i & 1) == 0)
				continue;
			snprintf(text, sizeof text, "%s", log_patterns[i].meaning);
			role = log_line_role(line, known);
			break;
		}
	}
	canvas_put_width(c, row, 1, canvas_region(c).cols - 2, -1, role, text);
}

/* ---- drawing ---- */

struct list_drawing {
	const struct log_screen *screen;
	const struct log_list   *list;
};

static void list_cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	static const char *const kinds[] = { [LOG_UNIT] = "unit", [LOG_FILE] = "file", [LOG_CONTAINER] = "container", [LOG_KERNEL] = "kernel",
		                             [LOG_JOURNAL] = "journal" };
	const struct list_drawing *d = context;
	const struct log_choice *choice = &d->list->items[d->screen->shown[row]];
	if (column == 0) {
		out->text = choice->kind == LOG_CONTAINER ? choice->tool : kinds[choice->kind];
		out->role = ROLE_SECOND;
	} else if (column == 1) {
		out->text = choice->name[0] != '\0' ? choice->name : choice->kind == LOG_KERNEL ? "the kernel" : "everything";
		out->role = choice->is_wished ? ROLE_TITLE : ROLE_TEXT;
	} else {
		out->text = choice->note;
		out->role = ROLE_SECOND;
	}
}

static void draw_list(const struct log_screen *s, const struct view *v, struct canvas *c)
{
	static const struct table_column columns[] = { { "kind", 7, 9, -1, 2 }, { "log", 20, 90, -1, 0 }, { "", 10, 200, -1, 1 } };
	const struct log_list *l = list_of(s, v);
	struct rect all = canvas_region(c);
	struct table_state *t = &s->seen->table;
	const struct list_drawing d = { s, l };
	if (l == NULL || s->n_shown == 0) {
		const char *text = l == NULL ? "" : s->filter[0] != '\0' ? "nothing matches the filter" : "nothing to follow is known yet";
		canvas_put_width(c, all.rows / 2, 0, all.cols, 0, ROLE_SECOND, text);
		return;
	}
	t->is_unsorted = true;
	table_clamp(t, s->n_shown, all.rows - 1);
	table_draw(c, columns, sizeof columns / sizeof *columns, t, &(struct table_source){ .context = &d, .rows = s->n_shown, .cell = list_cell });
}

/* Where room is short the node's name stands in the last row alone, and of a file the last part of its name. */
static const char *short_title(const struct log_screen *s, const char *title, int room)
{
	const char *slash = strrchr(s->key, '/');
	if ((int)strlen(title) <= room)
		return title;
	return (int)strlen(s->key) <= room || slash == NULL ? s->key : slash + 1;
}

static void draw(const struct screen *screen, const struct view *view, struct canvas *c)
{
	const struct log_screen *s = (const struct log_screen *)screen;
	const struct log_ring *r = ring_of(s, view);
	struct rect all = canvas_region(c);
	char title[2 * NODE_BYTES + LOG_KEY_MAX + 32], note[NOTE_BYTES] = "";
	int head = all.rows >= 3, foot = all.rows >= 4;
	snprintf(title, sizeof title, "%s%s%s", is_list(s) ? "logs of " : s->node, is_list(s) ? s->node : ": ", s->key);
	if (!is_list(s))
		text_words(s, r, note, sizeof note);
	else if (s->filter[0] != '\0')
		snprintf(note, sizeof note, "/%.40s  %zu", s->filter, s->n_shown);
	if (head > 0)
		canvas_rule(c, 0, is_list(s) ? title : short_title(s, title, all.cols - (int)strlen(note) - 8), note);
	if (foot > 0)
		draw_foot(s, view, r, c, all.rows - 1);
	struct rect body = { head, 0, all.rows - head - foot, all.cols };
	s->seen->rows = body.rows;
	s->seen->cols = body.cols;
	canvas_enter(c, body);
	if (is_list(s))
		draw_list(s, view, c);
	else if (r != NULL)
		log_draw(r, &s->search, &s->place, s->is_paused, &s->seen->patterns, c);
	canvas_leave(c);
}

/* ---- moving in the text ---- */

static enum next say(struct log_screen *s, struct requests *out, const char *text)
{
	snprintf(s->said, sizeof s->said, "%s", text);
	out->message = s->said;
	return NEXT_REDRAW;
}

static void follow_newest(struct log_screen *s, const struct log_ring *r)
{
	s->is_paused = false;
	s->place.bottom = s->place.cursor = log_ring_past(r) > 0 ? log_ring_past(r) - 1 : 0;
}

/* At the end of the text it is followed again. */
static enum next move(struct log_screen *s, const struct log_ring *r, int direction, int steps)
{
	bool has_moved = true;
	if (log_ring_first(r) == log_ring_past(r) || (direction > 0 && !s->is_paused))
		return NEXT_STAY;
	for (int i = 0; i < steps && has_moved; i++)
		has_moved = log_step(r, &s->search, s->place.only, direction, &s->place.cursor);
	if (!has_moved && direction > 0) {
		follow_newest(s, r);
		return NEXT_REDRAW;
	}
	s->is_paused = true;
	log_show_cursor(r, &s->search, &s->place, s->seen->rows, s->seen->cols);
	return NEXT_REDRAW;
}

static enum next go_to_match(struct log_screen *s, const struct log_ring *r, int direction, struct requests *out)
{
	if (!log_search_is_on(&s->search))
		return say(s, out, "nothing is looked for: / takes a text, or behind another / an expression");
	uint64_t at = s->place.cursor;
	log_search_update(&s->search, r);
	if (s->search.n == 0)
		return say(s, out, "no line matches");
	bool is_here = !s->is_paused && direction < 0 && log_search_has(&s->search, at); /* the newest one, of those that are followed */
	if (!is_here && !log_step(r, &s->search, true, direction, &at)) {
		at = direction > 0 ? log_ring_first(r) : log_ring_past(r) - 1;
		if (!log_search_has(&s->search, at))
			log_step(r, &s->search, true, direction, &at);
		say(s, out, direction > 0 ? "on from the oldest line" : "on from the newest line");
	}
	s->is_paused = true;
	s->place.cursor = at;
	log_show_cursor(r, &s->search, &s->place, s->seen->rows, s->seen->cols);
	return NEXT_REDRAW;
}

static enum next move_sideways(struct log_screen *s, int by)
{
	int left = s->place.wraps ? 0 : s->place.left + by;
	s->place.left = left < 0 ? 0 : left > LEFT_MAX ? LEFT_MAX : left;
	return NEXT_REDRAW;
}

static enum next toggle_only(struct log_screen *s, struct requests *out)
{
	if (!s->place.only && !log_search_is_on(&s->search))
		return say(s, out, "nothing is looked for: / takes a text, or behind another / an expression");
	s->place.only = !s->place.only;
	return NEXT_REDRAW;
}

static enum next text_command(struct log_screen *s, const struct log_ring *r, enum command c, struct requests *out)
{
	int page = s->seen->rows > 2 ? s->seen->rows - 1 : 1;
	switch ((int)c) {
	case COMMAND_UP: return move(s, r, -1, 1);
	case COMMAND_DOWN: return move(s, r, 1, 1);
	case COMMAND_PAGE_UP: return move(s, r, -1, page);
	case COMMAND_PAGE_DOWN: return move(s, r, 1, page);
	case COMMAND_FIRST: return move(s, r, -1, LOG_RING_LINES);
	case COMMAND_LAST: follow_newest(s, r); return NEXT_REDRAW;
	case COMMAND_LEFT: return move_sideways(s, -MOVE_COLS);
	case COMMAND_RIGHT: return move_sideways(s, MOVE_COLS);
	case COMMAND_MATCH_NEXT: return go_to_match(s, r, 1, out);
	case COMMAND_MATCH_BACK: return go_to_match(s, r, -1, out);
	case COMMAND_ONLY: return toggle_only(s, out);
	case COMMAND_WRAP:
		s->place.wraps = !s->place.wraps;
		s->place.left = 0;
		return NEXT_REDRAW;
	default: return NEXT_IGNORED;
	}
}

/* ---- commands ---- */

static enum next list_command(struct log_screen *s, const struct log_list *l, enum command c)
{
	struct table_state *t = &s->seen->table;
	if (table_command(t, c, s->n_shown, s->seen->rows - 1))
		return NEXT_REDRAW;
	if (c != COMMAND_ENTER)
		return NEXT_IGNORED;
	if (t->selected >= s->n_shown || s->shown[t->selected] >= l->n)
		return NEXT_STAY;
	choose(s, l->items[s->shown[t->selected]].key);
	return NEXT_REDRAW;
}

/* One step: what is looked for goes, then the text, then the screen. */
static enum next back(struct log_screen *s, const struct view *view)
{
	const struct log_list *l = list_of(s, view);
	if (is_list(s) && s->filter[0] != '\0') {
		s->filter[0] = '\0';
	} else if (!is_list(s) && s->search.text[0] != '\0') {
		log_search_set(&s->search, "");
		s->place.only = false;
	} else if (!is_list(s) && l != NULL && l->n > 1) {
		s->key[0] = '\0';
	} else {
		return NEXT_IGNORED;
	}
	update(&s->screen, view);
	return NEXT_REDRAW;
}

static enum next command(struct screen *screen, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct log_screen *s = (struct log_screen *)screen;
	const struct log_list *l = list_of(s, view);
	const struct log_ring *r = ring_of(s, view);
	(void)argument;
	if (c == COMMAND_BACK)
		return back(s, view);
	if (c == COMMAND_AGAIN) {
		s->again++;
		return NEXT_REDRAW;
	}
	if (is_list(s))
		return l != NULL ? list_command(s, l, c) : NEXT_IGNORED;
	return r != NULL ? text_command(s, r, c, out) : NEXT_IGNORED;
}

static bool offers(const struct screen *screen, const struct view *view, enum command c)
{
	const struct log_screen *s = (const struct log_screen *)screen;
	(void)view;
	if (c == COMMAND_ENTER)
		return is_list(s);
	if (c == COMMAND_MATCH_NEXT || c == COMMAND_ONLY)
		return !is_list(s) && s->search.text[0] != '\0';
	return c != COMMAND_WRAP || !is_list(s);
}

static void filter(struct screen *screen, const char *text)
{
	struct log_screen *s = (struct log_screen *)screen;
	if (is_list(s)) {
		snprintf(s->filter, sizeof s->filter, "%s", text);
		return;
	}
	log_search_set(&s->search, text);
	s->place.only &= log_search_is_on(&s->search);
}

static const char *filtered(const struct screen *screen)
{
	const struct log_screen *s = (const struct log_screen *)screen;
	return is_list(s) ? s->filter : s->search.text;
}

/* ---- life ---- */

static void release(struct screen *screen)
{
	struct log_screen *s = (struct log_screen *)screen;
	log_search_release(&s->search);
	if (s->seen != NULL)
		log_pattern_release(&s->seen->patterns);
	free(s->seen);
	free(s->shown);
	free(s);
}

static const struct screen_kind kind = {
	.name = "LOGS", .context = CONTEXT_LOGS, .draw = draw, .command = command, .offers = offers, .update = update, .needs = needs,
	.follows = follows, .filter = filter, .filtered = filtered, .free = release,
};

struct screen *log_screen_new(const char *node)
{
	struct log_screen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->screen.kind = &kind;
	snprintf(s->node, sizeof s->node, "%s", node);
	s->seen = calloc(1, sizeof *s->seen);
	s->shown = calloc(LOG_LIST_MAX, sizeof *s->shown);
	if (s->seen == NULL || s->shown == NULL) {
		release(&s->screen);
		return NULL;
	}
	return &s->screen;
}
