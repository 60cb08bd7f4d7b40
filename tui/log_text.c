/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/log_text.h"

#include <string.h>

#include "base/text.h"
#include "store/store.h"
#include "tui/widget_bar.h"

enum { GUTTER = 2, WORDS_SEEN = 400 }; /* bytes at the beginning of a line in which words tell how bad it is */

/* ---- how bad a line is ---- */

uint64_t log_line_known(struct log_pattern_cache *c, struct log_line l)
{
	struct slice line = { l.text, l.n < LOG_LINE_MAX ? l.n : LOG_LINE_MAX };
	return l.is_note ? 0 : log_pattern_match(c, SCOPE_LOG | SCOPE_KERNEL, line);
}

static bool is_word_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* As a word of its own. */
static bool has_word(const char *text, size_t n, const char *word)
{
	size_t n_word = strlen(word);
	for (const char *p = text; (p = memmem(p, n - (size_t)(p - text), word, n_word)) != NULL; p++)
		if ((p == text || !is_word_char(p[-1])) && (p + n_word == text + n || !is_word_char(p[n_word])))
			return true;
	return false;
}

/* glog's and klog's "E1127 06:12:33.123456". */
static bool begins_as_glog(const char *text, size_t n, char letter)
{
	if (n < 6 || text[0] != letter || text[5] != ' ')
		return false;
	for (int i = 1; i <= 4; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

enum role log_line_role(struct log_line l, uint64_t known)
{
	static const char *const bad[] = { "ERROR", "CRITICAL", "FATAL", "PANIC", "Traceback", "level=error", "level=fatal", "\"level\":\"error\"",
		                           "error:", "Error:", "panic:" };
	static const char *const doubtful[] = { "WARN", "WARNING", "level=warn", "level=warning", "\"level\":\"warn\"", "warning:", "Warning:" };
	size_t n = l.n < WORDS_SEEN ? l.n : WORDS_SEEN;
	bool is_bad = begins_as_glog(l.text, n, 'E') || begins_as_glog(l.text, n, 'F'), is_doubtful = begins_as_glog(l.text, n, 'W');
	if (l.is_note)
		return ROLE_SECOND;
	for (size_t i = 0; i < n_log_patterns; i++) {
		is_bad |= (known >> i & 1) != 0 && log_patterns[i].severity == FINDING_CRITICAL;
		is_doubtful |= (known >> i & 1) != 0 && log_patterns[i].severity == FINDING_WARN;
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad && !is_bad; i++)
		is_bad = has_word(l.text, n, bad[i]);
	for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful && !is_bad && !is_doubtful; i++)
		is_doubtful = has_word(l.text, n, doubtful[i]);
	return is_bad ? ROLE_CRIT : is_doubtful ? ROLE_WARN : ROLE_TEXT;
}

/* ---- which lines are seen ---- */

static bool is_shown(const struct log_search *s, bool only, uint64_t number)
{
	return !only || !log_search_is_on(s) || log_search_has(s, number);
}

bool log_step(const struct log_ring *r, const struct log_search *s, bool only, int direction, uint64_t *number)
{
	uint64_t first = log_ring_first(r), past = log_ring_past(r), at = *number;
	for (;;) {
		if (direction > 0 ? at + 1 >= past : at <= first)
			return false;
		at = direction > 0 ? at + 1 : at - 1;
		if (is_shown(s, only, at)) {
			*number = at;
			return true;
		}
	}
}

/* Where the piece of a line ends that fits into `cols` columns. */
static size_t piece_end(const char *text, size_t n, size_t from, int cols)
{
	const char *p = text + from, *end = text + n;
	struct glyph g;
	size_t to = from;
	int used = 0;
	while (text_next(&p, end, &g)) {
		used += g.width;
		if (used > cols && to > from)
			return to;
		to = (size_t)(p - text);
	}
	return n;
}

static int height(struct log_line l, bool wraps, int cols)
{
	int rows = 0;
	size_t at = 0;
	if (!wraps || l.n < (size_t)cols)
		return 1;
	do {
		at = piece_end(l.text, l.n, at, cols);
		rows++;
	} while (at < l.n);
	return rows;
}

static int text_cols(int cols)
{
	return cols > GUTTER + 1 ? cols - GUTTER : 1;
}

/* The nearest line that is shown; false: there is none at all. */
static bool nearest(const struct log_ring *r, const struct log_search *s, bool only, uint64_t *number)
{
	uint64_t first = log_ring_first(r), past = log_ring_past(r);
	if (first == past)
		return false;
	*number = *number < first ? first : *number >= past ? past - 1 : *number;
	return is_shown(s, only, *number) || log_step(r, s, only, -1, number) || log_step(r, s, only, 1, number);
}

static void turn_round(struct log_seen *seen)
{
	for (size_t i = 0; i < seen->n / 2; i++) {
		uint64_t kept = seen->numbers[i];
		seen->numbers[i] = seen->numbers[seen->n - 1 - i];
		seen->numbers[seen->n - 1 - i] = kept;
	}
}

void log_lay_out(const struct log_ring *r, const struct log_search *s, struct log_place *p, int rows, int cols, struct log_seen *out)
{
	int used = 0;
	out->n = 0;
	out->hidden = 0;
	if (!nearest(r, s, p->only, &p->bottom) || !nearest(r, s, p->only, &p->cursor))
		return;
	uint64_t at = p->bottom;
	do {
		out->numbers[out->n++] = at;
		used += height(log_ring_at(r, at), p->wraps, text_cols(cols));
	} while (used < rows && out->n < LOG_SEEN_MAX && log_step(r, s, p->only, -1, &at));
	turn_round(out);
	out->hidden = used > rows ? used - rows : 0;
	while (used < rows && out->n < LOG_SEEN_MAX && log_step(r, s, p->only, 1, &p->bottom)) {
		out->numbers[out->n++] = p->bottom;
		used += height(log_ring_at(r, p->bottom), p->wraps, text_cols(cols));
	}
}

void log_show_cursor(const struct log_ring *r, const struct log_search *s, struct log_place *p, int rows, int cols)
{
	struct log_seen seen;
	if (p->bottom < p->cursor)
		p->bottom = p->cursor;
	log_lay_out(r, s, p, rows, cols, &seen);
	if (seen.n == 0)
		return;
	size_t top = seen.hidden > 0 && seen.n > 1 ? 1 : 0;
	if (p->cursor >= seen.numbers[top])
		return;
	p->bottom = p->cursor;
	int used = height(log_ring_at(r, p->cursor), p->wraps, text_cols(cols));
	for (uint64_t at = p->cursor; log_step(r, s, p->only, 1, &at); p->bottom = at) {
		used += height(log_ring_at(r, at), p->wraps, text_cols(cols));
		if (used > rows)
			return;
	}
}

/* ---- drawing ---- */

struct drawing {
	const struct log_search *search;
	struct log_line          line;
	enum role                role;
	int                      cols;
};

/* The bytes from..to of the line in one row, and the matches in them. */
static void draw_piece(const struct drawing *d, struct canvas *c, int row, size_t from, size_t to)
{
	size_t at, len;
	const char *text = d->line.text;
	canvas_enter(c, (struct rect){ row, GUTTER, 1, d->cols });
	int used = canvas_put_n(c, 0, 0, d->role, text + from, to - from);
	if (d->line.is_cut && to == d->line.n)
		canvas_put(c, 0, used < d->cols ? used : d->cols - 1, ROLE_FAINT, "…");
	for (size_t next = 0; log_search_find(d->search, text, d->line.n, next, &at, &len) && at < to; next = at + len) {
		size_t a = at > from ? at : from, b = at + len < to ? at + len : to;
		if (a >= b)
			continue;
		struct rect r = { 0, text_width(text + from, a - from), 1, text_width(text + a, b - a) };
		canvas_set_role(c, r, ROLE_MATCH);
		canvas_add_flags(c, r, CELL_UNDERLINE);
	}
	canvas_leave(c);
}

static int draw_line(const struct drawing *d, const struct log_place *p, struct canvas *c, int row, int rows)
{
	const struct log_line *l = &d->line;
	if (!p->wraps) {
		size_t from = p->left > 0 ? piece_end(l->text, l->n, 0, p->left) : 0;
		draw_piece(d, c, row, from, piece_end(l->text, l->n, from, d->cols));
		return row + 1;
	}
	size_t at = 0;
	do {
		size_t end = piece_end(l->text, l->n, at, d->cols);
		if (row >= 0 && row < rows)
			draw_piece(d, c, row, at, end);
		at = end;
		row++;
	} while (at < l->n);
	return row;
}

void log_draw(const struct log_ring *r, const struct log_search *s, const struct log_place *p, bool has_cursor, struct log_pattern_cache *cache,
              struct canvas *into)
{
	struct rect all = canvas_region(into);
	struct log_place place = *p;
	struct log_seen seen;
	log_lay_out(r, s, &place, all.rows, all.cols, &seen);
	int row = -seen.hidden;
	for (size_t i = 0; i < seen.n && row < all.rows; i++) {
		struct drawing d = { .search = s, .line = log_ring_at(r, seen.numbers[i]), .cols = text_cols(all.cols) };
		d.role = log_line_role(d.line, log_line_known(cache, d.line));
		int next = draw_line(&d, &place, into, row, all.rows), top = row > 0 ? row : 0;
		if (d.role == ROLE_CRIT || d.role == ROLE_WARN)
			canvas_put_char(into, top, 0, d.role, severity_glyph(d.role == ROLE_CRIT ? SEVERITY_CRIT : SEVERITY_WARN));
		if (has_cursor && seen.numbers[i] == place.cursor)
			canvas_set_ground(into, (struct rect){ top, 0, next - top, all.cols }, ROLE_SELECTED);
		row = next;
	}
}
