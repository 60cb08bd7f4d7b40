/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/widget_bar.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "tui/alerts_data.h"
#include "tui/glyph.h"

static const struct {
	const char *name;
	enum role   role;
	uint32_t    glyph;
} severities[] = {
	[SEVERITY_OK]   = { "ok",   ROLE_OK,   GLYPH_DOT },
	[SEVERITY_INFO] = { "info", ROLE_INFO, 'i' },
	[SEVERITY_WARN] = { "warn", ROLE_WARN, GLYPH_UP },
	[SEVERITY_CRIT] = { "crit", ROLE_CRIT, GLYPH_SQUARE },
	[SEVERITY_DOWN] = { "down", ROLE_DOWN, GLYPH_DOWN },
};
static_assert(sizeof severities / sizeof severities[0] == SEVERITY_COUNT, "a row for every severity");

uint32_t severity_glyph(enum severity s) { return severities[s].glyph; }
enum role severity_role(enum severity s) { return severities[s].role; }
const char *severity_name(enum severity s) { return severities[s].name; }

/* ---- the status bar ---- */

/* How the view time stands to the clock, for the right end: "live 1s", "stale 14s", "paused 2026-11-23 13:44:10"; a
 * narrow one has no room for the date. */
static enum role freshness(const struct view *v, bool is_narrow, char *to, size_t room)
{
	char time[TIME_TEXT], age[DURATION_TEXT];
	if (v->mode == VIEW_LIVE) {
		int64_t old = v->last_ms == 0 ? -1 : v->now_ms - v->last_ms;
		int64_t interval = v->fleet != NULL && v->fleet->interval_ms > 0 ? v->fleet->interval_ms : 10000;
		bool is_stale_view = old > 3 * interval && old > 3000;
		if (old < 0)
			snprintf(to, room, "no data yet");
		else
			snprintf(to, room, "%s %s", is_stale_view ? "stale" : "live", old < 1000 ? "0s" : format_age(old / 1000 * 1000, age));
		return is_stale_view ? ROLE_STALE : ROLE_BAR;
	}
	format_time(v->t_ms / 1000 * 1000, time);
	int date = is_narrow ? 0 : 10;
	if (v->mode == VIEW_PLAYING)
		snprintf(to, room, "%sx%g %.*s %.8s", is_narrow ? "" : "REPLAY ", v->speed, date, time, time + 11);
	else
		snprintf(to, room, "%s %.*s %.8s", is_narrow ? "||" : v->is_file ? "REPLAY" : "paused", date, time, time + 11);
	return ROLE_REPLAY;
}

static int draw_count(struct canvas *c, int row, int col, enum severity s, int n, bool has_words)
{
	enum role role = n > 0 ? severity_role(s) : ROLE_BAR;
	canvas_put_char(c, row, col, role, severity_glyph(s));
	int used = 1 + canvas_printf(c, row, col + 1, role, "%d", n);
	if (has_words || s == SEVERITY_OK)
		used += canvas_printf(c, row, col + used, ROLE_BAR, " %s", severity_name(s));
	return used + 1;
}

static int draw_counts(struct canvas *c, int row, int col, int end, const struct fleet_view *f)
{
	static const enum severity order[] = { SEVERITY_CRIT, SEVERITY_WARN, SEVERITY_DOWN, SEVERITY_OK };
	for (size_t i = 0; i < sizeof order / sizeof order[0] && col + 7 < end; i++)
		col += draw_count(c, row, col, order[i], f->n_by_severity[order[i]], canvas_region(c).cols >= 100);
	if (f->n_unknown > 0 && col + 7 < end)
		col += canvas_printf(c, row, col, ROLE_UNKNOWN, "?%d", f->n_unknown) + 1;
	return col;
}

/* What fires, and how much of it nobody has taken on. */
static int draw_alerts(struct canvas *c, int row, int col, int end, const struct alerts_view *a)
{
	char unowned[32] = "";
	if (a == NULL || a->n_crit + a->n_warn == 0)
		return col;
	if (a->n_unowned > 0)
		snprintf(unowned, sizeof unowned, " %zu unowned", a->n_unowned);
	int from = col + 1;
	if (from + 16 > end)
		return col;
	col = from + canvas_put(c, row, from, ROLE_BAR, "alerts ");
	if (a->n_crit > 0) {
		canvas_put_char(c, row, col, ROLE_CRIT, GLYPH_SQUARE);
		col += 1 + canvas_printf(c, row, col + 1, ROLE_CRIT, "%zu ", a->n_crit);
	}
	if (a->n_warn > 0 && col + 6 < end) {
		canvas_put_char(c, row, col, ROLE_WARN, GLYPH_UP);
		col += 1 + canvas_printf(c, row, col + 1, ROLE_WARN, "%zu ", a->n_warn);
	}
	if (col + (int)strlen(unowned) < end)
		col += canvas_put(c, row, col - 1, ROLE_BAR, unowned);
	return col + 1;
}

/* Who else sits before a console, by name where there is room, else how many. */
static int draw_others(struct canvas *c, int row, int col, int end, const struct view *v)
{
	struct buf names;
	size_t n = 0;
	buf_init(&names, 200);
	for (size_t i = 0; v->alerts != NULL && i < v->alerts->n_consoles; i++) {
		const struct console_row *other = &v->alerts->consoles[i];
		if (v->person.console == NULL || strcmp(other->id, v->person.console) != 0)
			buf_printf(&names, "%s%.30s", n++ > 0 ? ", " : "", other->actor.who);
	}
	int width = text_width(buf_text(&names), names.len);
	if (n > 0 && names.err == ERR_OK && end - col > width + 12)
		col += 1 + canvas_printf(c, row, col + 1, ROLE_BAR, "%zu other%s: %s", n, n == 1 ? "" : "s", buf_text(&names)) + 1;
	else if (n > 0 && end - col > 5)
		col += 1 + canvas_printf(c, row, col + 1, ROLE_BAR, "+%zu", n) + 1;
	buf_release(&names);
	return col;
}

/* Who records, where there is room for it. */
static void draw_recorder(struct canvas *c, int row, int col, int end, const struct view *v)
{
	enum { LEAST = 30, GAP = 2 };
	if (v->is_file || v->recorder == NULL || v->recorder[0] == '\0' || end - col < LEAST)
		return;
	char text[128];
	snprintf(text, sizeof text, "recorded by %s", v->recorder);
	canvas_put_width(c, row, col + GAP, end - col - 2 * GAP, -1, ROLE_BAR, text);
}

void status_bar_draw(struct canvas *c, int row, const char *screen_name, const struct view *view)
{
	int cols = canvas_region(c).cols, col = 0;
	char fresh[64], clock[TIME_TEXT], right[128];
	enum role role = freshness(view, cols < 50, fresh, sizeof fresh);
	enum role ground = role == ROLE_REPLAY ? ROLE_REPLAY : ROLE_BAR;
	struct rect all = { row, 0, 1, cols };
	canvas_fill(c, all, ground, ' ');
	canvas_set_ground(c, all, ground);
	format_time(view->now_ms / 1000 * 1000, clock);
	snprintf(right, sizeof right, "%s  %.9s", fresh, clock + 11);
	int right_cols = (int)strlen(right), right_col = cols - right_cols - 1;
	if (right_col < 10) { /* too narrow for both: the state matters more than the clock */
		right_cols = (int)strlen(fresh);
		right_col = cols - right_cols - 1;
		snprintf(right, sizeof right, "%s", fresh);
	}
	canvas_put(c, row, 1, ROLE_BAR_NAME, screen_name);
	struct rect name = { row, 0, 1, 2 + text_width(screen_name, strlen(screen_name)) };
	canvas_set_ground(c, name, ROLE_BAR_NAME);
	canvas_add_flags(c, name, CELL_BOLD);
	col = name.cols + 1;
	if (view->fleet != NULL && view->fleet->name != NULL) {
		const char *fleet = view->fleet->name;
		int width = text_width(fleet, strlen(fleet));
		if (col + width + 2 < right_col) {
			canvas_put(c, row, col, ground, fleet);
			canvas_add_flags(c, (struct rect){ row, col, 1, width }, CELL_BOLD);
			col += width + 2;
		}
		col = draw_counts(c, row, col, right_col, view->fleet);
		col = draw_alerts(c, row, col, right_col, view->alerts);
		col = draw_others(c, row, col, right_col, view);
		draw_recorder(c, row, col, right_col, view);
	}
	canvas_put(c, row, right_col, ground, right);
	if (role == ROLE_STALE) {
		struct rect mark = { row, right_col, 1, (int)strlen(fresh) };
		canvas_set_role(c, mark, ROLE_STALE);
		canvas_set_ground(c, mark, ROLE_STALE);
	} else if (ground == ROLE_REPLAY) {
		canvas_set_role(c, (struct rect){ row, name.cols, 1, cols - name.cols }, ROLE_REPLAY);
	}
}

/* ---- the key bar ---- */

static int key_columns(const struct keymap *keys, const struct command_info *i, unsigned context, struct buf *key)
{
	buf_clear(key);
	keymap_keys_of(keys, i->id, context, 1, key);
	return key->len == 0 ? 0 : text_width(buf_text(key), key->len) + text_width(i->label, strlen(i->label)) + 3;
}

static int draw_key(struct canvas *c, int row, int col, const char *key, const char *label)
{
	int used = canvas_put(c, row, col, ROLE_KEY, key) + 1;
	return used + canvas_put(c, row, col + used, ROLE_BAR, label) + 2;
}

/* The command that is next by rank; those of one rank in the table's order. NULL: there is none any more. */
static const struct command_info *next_by_rank(const struct command_info *after, unsigned context)
{
	size_t n;
	const struct command_info *table = command_table(&n), *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct command_info *c = &table[i];
		if (!(c->contexts & context) || c->label[0] == '\0' || c->id == COMMAND_HELP)
			continue;
		if (after != NULL && (c->rank < after->rank || (c->rank == after->rank && c <= after)))
			continue;
		if (best == NULL || c->rank < best->rank)
			best = c;
	}
	return best;
}

void key_bar_draw(struct canvas *c, int row, const struct keymap *keys, unsigned context)
{
	key_bar_draw_some(c, row, keys, context, NULL);
}

void key_bar_draw_some(struct canvas *c, int row, const struct keymap *keys, unsigned context, const bool *useless)
{
	struct rect all = { row, 0, 1, canvas_region(c).cols };
	const struct command_info *help = command_info(COMMAND_HELP);
	struct buf key;
	buf_init(&key, 256);
	canvas_fill(c, all, ROLE_BAR, ' ');
	canvas_set_ground(c, all, ROLE_BAR);
	/* Help is kept room for: it is the key that leads to all others. */
	int col = 1, room = all.cols - 1 - (help->contexts & context ? key_columns(keys, help, context, &key) : 0);
	for (const struct command_info *i = NULL; (i = next_by_rank(i, context)) != NULL;) {
		int width = key_columns(keys, i, context, &key);
		if (width == 0 || col + width > room || (useless != NULL && useless[i->id]))
			continue;
		col += draw_key(c, row, col, buf_text(&key), i->label);
	}
	if (help->contexts & context && key_columns(keys, help, context, &key) > 0)
		draw_key(c, row, col, buf_text(&key), help->label);
	canvas_set_ground(c, all, ROLE_BAR);
	buf_release(&key);
}
