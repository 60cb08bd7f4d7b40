/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/prompt.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void prompt_init(struct prompt *p)
{
	memset(p, 0, sizeof *p);
	buf_init(&p->line, PROMPT_LINE_MAX);
}

void prompt_release(struct prompt *p)
{
	for (size_t i = 0; i < p->n_history; i++)
		free(p->history[i]);
	buf_release(&p->line);
	memset(p, 0, sizeof *p);
}

const char *prompt_text(const struct prompt *p)
{
	return buf_text(&p->line);
}

static void find_completions(struct prompt *p)
{
	p->n_completions = p->completer == NULL ? 0 : p->completer(p->context, prompt_text(p), p->completions, COMPLETIONS_MAX);
	p->chosen = p->n_completions;
}

static void set_line(struct prompt *p, const char *text)
{
	buf_clear(&p->line);
	buf_puts(&p->line, text);
	p->line.err = ERR_OK; /* what there was no room for is missing, and typing goes on */
	p->cursor = p->line.len;
}

void prompt_open(struct prompt *p, char sign, const char *text, prompt_completer *completer, const void *context)
{
	p->sign = sign;
	p->completer = completer;
	p->context = context;
	p->at_history = p->n_history;
	p->scroll = 0;
	set_line(p, text);
	find_completions(p);
}

static void remember(struct prompt *p)
{
	const char *line = prompt_text(p);
	if (p->sign != ':' || line[0] == '\0' || (p->n_history > 0 && strcmp(p->history[p->n_history - 1], line) == 0))
		return;
	char *copy = strdup(line);
	if (copy == NULL)
		return; /* a line less to go back to */
	if (p->n_history == PROMPT_HISTORY) {
		free(p->history[0]);
		memmove(p->history, p->history + 1, (PROMPT_HISTORY - 1) * sizeof p->history[0]);
		p->n_history--;
	}
	p->history[p->n_history++] = copy;
}

void prompt_close(struct prompt *p)
{
	remember(p);
	p->sign = 0;
	p->n_completions = 0;
}

/* ---- editing ---- */

/* Where the glyph that ends at `at` begins: glyphs are known only from the left. */
static size_t glyph_before(const struct prompt *p, size_t at)
{
	const char *text = prompt_text(p), *q = text, *end = text + p->line.len;
	struct glyph g;
	size_t before = 0;
	while ((size_t)(q - text) < at) {
		before = (size_t)(q - text);
		if (!text_next(&q, end, &g))
			break;
	}
	return before;
}

static size_t glyph_after(const struct prompt *p, size_t at)
{
	const char *text = prompt_text(p), *q = text + at;
	struct glyph g;
	text_next(&q, text + p->line.len, &g);
	return (size_t)(q - text);
}

static size_t word_before(const struct prompt *p, size_t at)
{
	const char *text = prompt_text(p);
	while (at > 0 && text[at - 1] == ' ')
		at--;
	while (at > 0 && text[at - 1] != ' ')
		at--;
	return at;
}

static enum prompt_result cut(struct prompt *p, size_t from, size_t to)
{
	if (from == to)
		return PROMPT_SAME;
	memmove(p->line.data + from, p->line.data + to, p->line.len - to + 1);
	p->line.len -= to - from;
	p->cursor = from;
	find_completions(p);
	return PROMPT_CHANGED;
}

static enum prompt_result insert(struct prompt *p, const char *text, size_t n)
{
	if (n == 0 || n > PROMPT_LINE_MAX - p->line.len || buf_room(&p->line, n) == NULL) {
		p->line.err = ERR_OK;
		return PROMPT_SAME;
	}
	memmove(p->line.data + p->cursor + n, p->line.data + p->cursor, p->line.len - p->cursor);
	memcpy(p->line.data + p->cursor, text, n);
	p->line.len += n;
	p->line.data[p->line.len] = '\0';
	p->cursor += n;
	find_completions(p);
	return PROMPT_CHANGED;
}

enum prompt_result prompt_paste(struct prompt *p, const char *text, size_t n)
{
	struct buf flat;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	buf_init(&flat, PROMPT_LINE_MAX);
	for (size_t i = 0; i < n && flat.err == ERR_OK; i++)
		buf_putc(&flat, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
	enum prompt_result result = flat.err == ERR_OK ? insert(p, buf_text(&flat), flat.len) : PROMPT_SAME;
	buf_release(&flat);
	return result;
}

static enum prompt_result go_history(struct prompt *p, bool is_back)
{
	if (p->sign != ':' || (is_back ? p->at_history == 0 : p->at_history >= p->n_history))
		return PROMPT_SAME;
	p->at_history += is_back ? (size_t)-1 : 1;
	set_line(p, p->at_history == p->n_history ? "" : p->history[p->at_history]);
	find_completions(p);
	return PROMPT_CHANGED;
}

/* Tab goes round the completions; the list stays that of what was typed. */
static enum prompt_result choose(struct prompt *p, bool is_back)
{
	if (p->n_completions == 0)
		return PROMPT_SAME;
	size_t n = p->n_completions;
	p->chosen = is_back ? (p->chosen == 0 || p->chosen >= n ? n - 1 : p->chosen - 1) : p->chosen + 1 >= n ? 0 : p->chosen + 1;
	set_line(p, p->completions[p->chosen].text);
	return PROMPT_CHANGED;
}

static enum prompt_result control_key(struct prompt *p, uint32_t letter)
{
	switch (letter) {
	case 'a': p->cursor = 0; return PROMPT_SAME;
	case 'e': p->cursor = p->line.len; return PROMPT_SAME;
	case 'b': p->cursor = glyph_before(p, p->cursor); return PROMPT_SAME;
	case 'f': p->cursor = glyph_after(p, p->cursor); return PROMPT_SAME;
	case 'u': return cut(p, 0, p->cursor);
	case 'k': return cut(p, p->cursor, p->line.len);
	case 'w': return cut(p, word_before(p, p->cursor), p->cursor);
	case 'd': return cut(p, p->cursor, glyph_after(p, p->cursor));
	case 'p': return go_history(p, true);
	case 'n': return go_history(p, false);
	case 'c': case 'g': return PROMPT_CANCELLED;
	default: return PROMPT_IGNORED;
	}
}

static enum prompt_result named_key(struct prompt *p, uint32_t code)
{
	switch (code) {
	case KEY_ENTER: return PROMPT_ACCEPTED;
	case KEY_ESCAPE: return PROMPT_CANCELLED;
	case KEY_BACKSPACE: return p->line.len == 0 ? PROMPT_CANCELLED : cut(p, glyph_before(p, p->cursor), p->cursor);
	case KEY_DELETE: return cut(p, p->cursor, glyph_after(p, p->cursor));
	case KEY_LEFT: p->cursor = glyph_before(p, p->cursor); return PROMPT_SAME;
	case KEY_RIGHT: p->cursor = glyph_after(p, p->cursor); return PROMPT_SAME;
	case KEY_HOME: p->cursor = 0; return PROMPT_SAME;
	case KEY_END: p->cursor = p->line.len; return PROMPT_SAME;
	case KEY_UP: return go_history(p, true);
	case KEY_DOWN: return go_history(p, false);
	case KEY_TAB: return choose(p, false);
	case KEY_BACK_TAB: return choose(p, true);
	default: return PROMPT_IGNORED;
	}
}

enum prompt_result prompt_key(struct prompt *p, struct key k)
{
	char bytes[TEXT_UTF8_MAX];
	if (k.code > KEY_FIRST)
		return k.mods == 0 ? named_key(p, k.code) : PROMPT_IGNORED;
	if (k.mods == MOD_CTRL)
		return control_key(p, k.code);
	return k.mods == 0 ? insert(p, bytes, text_encode(k.code, bytes)) : PROMPT_IGNORED;
}

/* ---- drawing ---- */

static void draw_completions(const struct prompt *p, struct canvas *c, int rows, int cols)
{
	size_t seen = (size_t)rows < p->n_completions ? (size_t)rows : p->n_completions;
	size_t top = p->chosen < p->n_completions && p->chosen >= seen ? p->chosen - seen + 1 : 0;
	int names = 0;
	for (size_t i = 0; i < seen; i++) {
		int width = text_width(p->completions[top + i].text, strlen(p->completions[top + i].text));
		names = width > names ? width : names;
	}
	for (size_t i = 0; i < seen; i++) {
		int row = rows - (int)seen + (int)i;
		struct rect line = { row, 0, 1, cols };
		canvas_fill(c, line, ROLE_BAR, ' ');
		canvas_set_ground(c, line, top + i == p->chosen ? ROLE_SELECTED : ROLE_BAR);
		canvas_put(c, row, 1, ROLE_KEY, p->completions[top + i].text);
		canvas_put(c, row, names + 3, ROLE_BAR, p->completions[top + i].sentence);
	}
}

void prompt_draw(struct prompt *p, struct canvas *c, int *row, int *col)
{
	struct rect all = canvas_region(c);
	int last = all.rows - 1;
	draw_completions(p, c, last, all.cols);
	canvas_fill(c, (struct rect){ last, 0, 1, all.cols }, ROLE_INPUT, ' ');
	canvas_set_ground(c, (struct rect){ last, 0, 1, all.cols }, ROLE_TEXT);
	int before = text_width(prompt_text(p), p->cursor), room = all.cols - 3; /* sign, cursor behind the end, a column to spare */
	if (before - p->scroll > room)
		p->scroll = before - room;
	if (before < p->scroll)
		p->scroll = before;
	canvas_enter(c, (struct rect){ last, 1, 1, all.cols - 1 });
	canvas_put(c, 0, -p->scroll, ROLE_INPUT, prompt_text(p));
	canvas_leave(c);
	canvas_put_char(c, last, 0, ROLE_KEY, (uint32_t)(unsigned char)p->sign);
	canvas_set_ground(c, (struct rect){ last, 0, 1, 1 }, ROLE_TEXT);
	*row = last;
	*col = 1 + before - p->scroll;
}
