/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/form.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/frame.h"
#include "tui/paragraph.h"
#include "tui/prompt.h"

enum { WIDTH_MOST = 76, LABEL_COLS = 9, LABEL_NARROW = 0, NARROW = 40, TITLE_MAX = 256, LABEL_MAX = 32 };

enum form_kind { FORM_SAYS, FORM_TEXT, FORM_CHOICE };

struct form_field {
	enum form_kind     kind;
	char               label[LABEL_MAX];
	bool               is_shown;
	enum role          role;     /* of what is said */
	struct buf         says;
	struct prompt      prompt;
	const char *const *choices;
	size_t             n_choices, chosen;
};

struct form {
	struct buf        title, keys;
	struct form_field fields[FORM_FIELDS_MAX];
	size_t            n, focus;
	bool              has_failed;
};

struct form *form_new(const char *title, const char *keys)
{
	struct form *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	buf_init(&f->title, TITLE_MAX);
	buf_init(&f->keys, TITLE_MAX);
	buf_puts(&f->title, title);
	buf_puts(&f->keys, keys);
	f->has_failed = f->title.err == ERR_MEMORY || f->keys.err == ERR_MEMORY;
	f->focus = SIZE_MAX;
	return f;
}

void form_free(struct form *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		buf_release(&f->fields[i].says);
		prompt_release(&f->fields[i].prompt);
	}
	buf_release(&f->title);
	buf_release(&f->keys);
	free(f);
}

/* ---- fields ---- */

static bool can_focus(const struct form_field *d)
{
	return d->is_shown && d->kind != FORM_SAYS;
}

static struct form_field *add(struct form *f, enum form_kind kind, const char *label)
{
	assert(f->n < FORM_FIELDS_MAX);
	struct form_field *d = &f->fields[f->n++];
	d->kind = kind;
	d->is_shown = true;
	strncpy(d->label, label, LABEL_MAX - 1);
	buf_init(&d->says, FORM_SAYS_MAX);
	prompt_init(&d->prompt);
	if (f->focus == SIZE_MAX && can_focus(d))
		f->focus = f->n - 1;
	return d;
}

size_t form_add_says(struct form *f, const char *label)
{
	add(f, FORM_SAYS, label);
	return f->n - 1;
}

size_t form_add_text(struct form *f, const char *label, const char *text)
{
	struct form_field *d = add(f, FORM_TEXT, label);
	prompt_open(&d->prompt, '>', text, NULL, NULL);
	f->has_failed |= strlen(prompt_text(&d->prompt)) != strlen(text) && strlen(text) <= PROMPT_LINE_MAX;
	return f->n - 1;
}

size_t form_add_choice(struct form *f, const char *label, const char *const *choices, size_t n)
{
	struct form_field *d = add(f, FORM_CHOICE, label);
	d->choices = choices;
	d->n_choices = n;
	return f->n - 1;
}

bool form_failed(const struct form *f)
{
	return f->has_failed;
}

void form_say(struct form *f, size_t field, enum role role, const char *text)
{
	struct form_field *d = &f->fields[field];
	buf_clear(&d->says);
	buf_puts(&d->says, text);
	d->role = role;
}

void form_show(struct form *f, size_t field, bool is_shown)
{
	f->fields[field].is_shown = is_shown;
}

void form_focus(struct form *f, size_t field)
{
	f->focus = field;
}

const char *form_text(const struct form *f, size_t field)
{
	return prompt_text(&f->fields[field].prompt);
}

size_t form_choice(const struct form *f, size_t field)
{
	return f->fields[field].chosen;
}

/* ---- keys ---- */

static void go(struct form *f, bool is_on)
{
	for (size_t i = 1; i <= f->n && f->focus != SIZE_MAX; i++) {
		size_t at = (f->focus + (is_on ? i : f->n - i)) % f->n;
		if (can_focus(&f->fields[at])) {
			f->focus = at;
			return;
		}
	}
}

static enum form_result choose(struct form_field *d, struct key k)
{
	bool is_on = k.code == KEY_RIGHT || k.code == ' ' || k.code == 'l', is_back = k.code == KEY_LEFT || k.code == 'h';
	if (d->n_choices == 0 || (!is_on && !is_back))
		return FORM_SAME;
	d->chosen = (d->chosen + (is_on ? 1 : d->n_choices - 1)) % d->n_choices;
	return FORM_CHANGED;
}

enum form_result form_key(struct form *f, struct key k)
{
	struct form_field *d = f->focus != SIZE_MAX ? &f->fields[f->focus] : NULL;
	if (k.code == KEY_ESCAPE || (k.code == 'c' && k.mods == MOD_CTRL))
		return FORM_CANCELLED;
	if (k.code == KEY_ENTER && k.mods == 0)
		return FORM_DONE;
	if (k.mods == 0 && (k.code == KEY_TAB || k.code == KEY_DOWN || k.code == KEY_BACK_TAB || k.code == KEY_UP)) {
		go(f, k.code == KEY_TAB || k.code == KEY_DOWN);
		return FORM_CHANGED;
	}
	if (d == NULL)
		return FORM_SAME;
	if (d->kind == FORM_CHOICE)
		return choose(d, k);
	if (k.code == KEY_BACKSPACE && prompt_text(&d->prompt)[0] == '\0')
		return FORM_SAME; /* which the prompt takes for leaving it */
	switch (prompt_key(&d->prompt, k)) {
	case PROMPT_CANCELLED: return FORM_CANCELLED;
	case PROMPT_ACCEPTED: return FORM_DONE;
	case PROMPT_CHANGED:
	case PROMPT_SAME: return FORM_CHANGED;
	case PROMPT_IGNORED: break;
	}
	return FORM_SAME;
}

enum form_result form_paste(struct form *f, const char *text, size_t n)
{
	struct form_field *d = f->focus != SIZE_MAX ? &f->fields[f->focus] : NULL;
	if (d == NULL || d->kind != FORM_TEXT)
		return FORM_SAME;
	return prompt_paste(&d->prompt, text, n) == PROMPT_CHANGED ? FORM_CHANGED : FORM_SAME;
}

/* ---- drawing ---- */

static void draw_choices(const struct form_field *d, bool is_focused, struct canvas *c, int row, int col)
{
	for (size_t i = 0; i < d->n_choices; i++) {
		bool is_chosen = i == d->chosen;
		int from = col;
		col += canvas_put(c, row, col, ROLE_SECOND, is_chosen ? "[" : " ");
		col += canvas_put(c, row, col, is_chosen ? ROLE_TITLE : ROLE_SECOND, d->choices[i]);
		col += canvas_put(c, row, col, ROLE_SECOND, is_chosen ? "]" : " ");
		if (is_chosen && is_focused)
			canvas_set_ground(c, (struct rect){ row, from, 1, col - from }, ROLE_SELECTED);
	}
}

/* The cursor is shown as a cell that is underlined: the terminal's own belongs to the prompt at the bottom. */
static void draw_typed(struct form_field *d, bool is_focused, struct canvas *c, int row, int col, int cols)
{
	int at_row, at_col;
	if (!is_focused) {
		canvas_put_width(c, row, col + 1, cols - col - 1, -1, ROLE_TEXT, prompt_text(&d->prompt));
		return;
	}
	canvas_enter(c, (struct rect){ row, col, 1, cols - col });
	prompt_draw(&d->prompt, c, &at_row, &at_col);
	canvas_add_flags(c, (struct rect){ at_row, at_col, 1, 1 }, CELL_UNDERLINE);
	canvas_leave(c);
}

/* Returns the rows that it takes; drawn where they are in the region. */
static int draw_field(struct form *f, size_t i, struct canvas *c, int row, int cols)
{
	struct form_field *d = &f->fields[i];
	bool is_focused = i == f->focus;
	int label = cols >= NARROW ? LABEL_COLS : LABEL_NARROW, col = label > 0 ? label + 2 : 0;
	if (!d->is_shown || (d->kind == FORM_SAYS && d->says.len == 0))
		return 0;
	if (label > 0)
		canvas_put_width(c, row, 0, label, 1, is_focused ? ROLE_TITLE : ROLE_SECOND, d->label);
	if (d->kind == FORM_SAYS)
		return paragraph_draw(c, row, col, cols - col, d->role, buf_text(&d->says));
	if (d->kind == FORM_CHOICE)
		draw_choices(d, is_focused, c, row, col > 0 ? col - 1 : 0);
	else
		draw_typed(d, is_focused, c, row, col > 0 ? col - 1 : 0, cols);
	return 1;
}

/* The rows of all fields, and where the focused one begins. */
static int measure(struct form *f, struct canvas *c, int cols, int *focus)
{
	int rows = 0;
	*focus = 0;
	canvas_enter(c, (struct rect){ 0, 0, 0, 0 });
	for (size_t i = 0; i < f->n; i++) {
		if (i == f->focus)
			*focus = rows;
		rows += draw_field(f, i, c, 0, cols);
	}
	canvas_leave(c);
	return rows;
}

void form_draw(struct form *f, struct canvas *c)
{
	struct rect all = canvas_region(c);
	int cols = all.cols < WIDTH_MOST ? all.cols : WIDTH_MOST, focus, inner = cols - 6;
	int rows = measure(f, c, inner, &focus);
	struct rect r = { 0, (all.cols - cols) / 2, rows + 2, cols };
	r.rows = r.rows > all.rows ? all.rows : r.rows;
	r.row = (all.rows - r.rows) / 2;
	frame_draw(c, r, buf_text(&f->title), buf_text(&f->keys));
	int seen = r.rows - 2, top = focus >= seen ? focus - seen + 1 : 0;
	canvas_enter(c, (struct rect){ r.row + 1, r.col + 3, seen, inner });
	for (size_t i = 0, row = 0; i < f->n; i++)
		row += (size_t)draw_field(f, i, c, (int)row - top, inner);
	canvas_leave(c);
}
