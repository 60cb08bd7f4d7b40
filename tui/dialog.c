/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/dialog.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/request.h"
#include "base/text.h"
#include "tui/frame.h"

enum { WORD_MAX = 255 };

struct dialog {
	struct screen   screen;
	struct requests on_yes, on_other;
	char            other_key;   /* '\0': there is no other answer */
	struct buf      title, text, keys;
	struct buf      word, typed; /* of one that is typed into; `typed` may be so long and no longer */
	bool            is_wrong;    /* what was typed is not the word */
};

static int widest_line(const char *text, int *lines)
{
	int widest = 0;
	for (*lines = 0; *text != '\0'; (*lines)++) {
		size_t n = strcspn(text, "\n");
		int width = text_width(text, n);
		widest = width > widest ? width : widest;
		text += n + (text[n] == '\n');
	}
	return widest;
}

/* In the last row, also where the text above it has no room: its end is what matters, since that is where one types. */
static void draw_typed(const struct dialog *d, struct canvas *c)
{
	struct rect all = canvas_region(c);
	const char *text = buf_text(&d->typed), *end = text + d->typed.len;
	struct glyph g;
	int row = all.rows - 1, room = all.cols - 3;
	canvas_fill(c, (struct rect){ row, 0, 1, all.cols }, ROLE_TEXT, ' ');
	while (text < end && text_width(text, (size_t)(end - text)) > room && text_next(&text, end, &g))
		continue;
	int col = canvas_put(c, row, 0, ROLE_SECOND, "> ");
	col += canvas_put_n(c, row, col, d->is_wrong ? ROLE_CRIT : ROLE_TITLE, text, (size_t)(end - text));
	canvas_add_flags(c, (struct rect){ row, col, 1, 1 }, CELL_UNDERLINE);
	if (d->is_wrong)
		canvas_printf(c, row, col + 2, ROLE_CRIT, "that is not %s", buf_text(&d->word));
}

static void dialog_draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	const struct dialog *d = (const struct dialog *)s;
	struct rect all = canvas_region(c);
	const char *text = buf_text(&d->text);
	int lines, width = widest_line(text, &lines);
	int keys = text_width(buf_text(&d->keys), d->keys.len), title = text_width(buf_text(&d->title), d->title.len);
	(void)view;
	width = (width > keys ? width : keys) > title ? (width > keys ? width : keys) : title;
	bool is_typed = d->word.len > 0;
	struct rect r = { 0, 0, lines + 2 + is_typed, width + 6 };
	r.rows = r.rows > all.rows ? all.rows : r.rows;
	r.cols = r.cols > all.cols ? all.cols : r.cols;
	r.row = (all.rows - r.rows) / 2;
	r.col = (all.cols - r.cols) / 2;
	frame_draw(c, r, buf_text(&d->title), buf_text(&d->keys));
	canvas_enter(c, (struct rect){ r.row + 1, r.col + 3, r.rows - 2, r.cols - 6 });
	for (int row = 0; *text != '\0'; row++) {
		size_t n = strcspn(text, "\n");
		canvas_put_n(c, row, 0, ROLE_TEXT, text, n);
		text += n + (text[n] == '\n');
	}
	if (is_typed)
		draw_typed(d, c);
	canvas_leave(c);
}

/* What is owned passes. */
static void give(struct requests *from, struct requests *out)
{
	*out = *from;
	from->ask = NULL;
	from->push = NULL;
}

static enum next dialog_key(struct screen *s, struct key k, struct requests *out)
{
	struct dialog *d = (struct dialog *)s;
	if (d->other_key == '\0' || k.mods != 0 || k.code != (uint32_t)d->other_key)
		return NEXT_IGNORED;
	give(&d->on_other, out);
	return NEXT_CLOSE;
}

static enum next dialog_command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	struct dialog *d = (struct dialog *)s;
	(void)view;
	(void)argument;
	if (c == COMMAND_ENTER) {
		give(&d->on_yes, out);
		return NEXT_CLOSE;
	}
	return c == COMMAND_BACK || c == COMMAND_QUIT ? NEXT_CLOSE : NEXT_STAY;
}

/* ---- one that is typed into ---- */

static void drop_last(struct buf *typed)
{
	while (typed->len > 0) {
		bool begins = ((unsigned char)typed->data[--typed->len] & 0xc0) != 0x80;
		typed->data[typed->len] = '\0';
		if (begins)
			return;
	}
}

static enum next accept(struct dialog *d, struct requests *out)
{
	d->is_wrong = strcmp(buf_text(&d->typed), buf_text(&d->word)) != 0;
	if (d->is_wrong)
		return NEXT_REDRAW;
	give(&d->on_yes, out);
	return NEXT_CLOSE;
}

/* All characters are its own: none of them may be a command, lest a `q` in a name close it. */
static enum next typed_key(struct screen *s, struct key k, struct requests *out)
{
	struct dialog *d = (struct dialog *)s;
	char text[TEXT_UTF8_MAX];
	if (k.code == KEY_ENTER && k.mods == 0)
		return accept(d, out);
	if (k.code == KEY_ESCAPE || (k.code == 'c' && k.mods == MOD_CTRL))
		return NEXT_CLOSE;
	d->is_wrong = false;
	if (k.code == KEY_BACKSPACE) {
		drop_last(&d->typed);
	} else if (k.code == 'u' && k.mods == MOD_CTRL) {
		buf_clear(&d->typed);
	} else if (k.code < KEY_FIRST && k.mods == 0) {
		size_t n = text_encode(k.code, text);
		if (d->typed.len + n <= WORD_MAX)
			buf_put(&d->typed, text, n);
	}
	return NEXT_REDRAW;
}

/* Whatever is no key of its own: a command by the mouse's wheel, say. */
static enum next typed_command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	(void)s;
	(void)view;
	(void)argument;
	(void)out;
	return c == COMMAND_BACK || c == COMMAND_QUIT ? NEXT_CLOSE : NEXT_STAY;
}

static bool typed_offers(const struct screen *s, const struct view *view, enum command c)
{
	(void)s;
	(void)view;
	return c == COMMAND_BACK;
}

static void drop(struct requests *r)
{
	request_free(r->ask);
	if (r->push != NULL)
		r->push->kind->free(r->push);
}

static void dialog_free(struct screen *s)
{
	struct dialog *d = (struct dialog *)s;
	buf_release(&d->title);
	buf_release(&d->text);
	buf_release(&d->keys);
	buf_release(&d->word);
	buf_release(&d->typed);
	drop(&d->on_yes);
	drop(&d->on_other);
	free(d);
}

static const struct screen_kind dialog_kind = {
	.name = "QUESTION", .context = CONTEXT_DIALOG, .is_dialog = true,
	.draw = dialog_draw, .key = dialog_key, .command = dialog_command, .free = dialog_free,
};

static const struct screen_kind typed_kind = {
	.name = "QUESTION", .context = CONTEXT_DIALOG, .is_dialog = true,
	.draw = dialog_draw, .key = typed_key, .command = typed_command, .offers = typed_offers, .free = dialog_free,
};

static struct dialog *make(const struct screen_kind *kind, const char *title, const char *text, const char *word, const char *yes, const char *no,
                           const struct requests *on_yes)
{
	struct dialog *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->screen.kind = kind;
	buf_init(&d->title, 256);
	buf_init(&d->text, 4096);
	buf_init(&d->keys, 256);
	buf_init(&d->word, WORD_MAX);
	buf_init(&d->typed, WORD_MAX);
	buf_puts(&d->title, title);
	buf_puts(&d->text, text);
	buf_puts(&d->word, word);
	buf_printf(&d->keys, "Enter %s   Esc %s", yes, no);
	if (d->title.err == ERR_MEMORY || d->text.err == ERR_MEMORY || d->keys.err == ERR_MEMORY || d->word.err != ERR_OK) {
		dialog_free(&d->screen);
		return NULL;
	}
	d->on_yes = *on_yes;
	return d;
}

struct screen *dialog_new(const char *title, const char *text, const char *yes, const char *no, const struct requests *on_yes)
{
	struct dialog *d = make(&dialog_kind, title, text, "", yes, no, on_yes);
	return d != NULL ? &d->screen : NULL;
}

struct screen *dialog_choice_new(const char *title, const char *text, const char *yes, char other_key, const char *other, const char *no, const struct requests *on_yes,
                                 const struct requests *on_other)
{
	char answers[200];
	snprintf(answers, sizeof answers, "%s   %c %s", yes, other_key, other);
	struct dialog *d = make(&dialog_kind, title, text, "", answers, no, on_yes);
	if (d == NULL)
		return NULL;
	d->other_key = other_key;
	d->on_other = *on_other;
	return &d->screen;
}

struct screen *dialog_typed_new(const char *title, const char *text, const char *word, const char *yes, const char *no,
                                const struct requests *on_yes)
{
	assert(word[0] != '\0');
	struct dialog *d = make(&typed_kind, title, text, word, yes, no, on_yes);
	return d != NULL ? &d->screen : NULL;
}
