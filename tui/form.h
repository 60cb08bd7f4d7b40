/* SPDX-License-Identifier: Apache-2.0
 *
 * A dialog with several fields: lines that say something, texts that are typed, choices. Tab and the arrows go from field to field, Left
 * and Right choose, Enter is the answer to all of it and Esc none. It decides nothing: its owner asks what became of a key. */
#ifndef PITWALL_TUI_FORM_H
#define PITWALL_TUI_FORM_H

#include "tui/canvas.h"
#include "tui/input.h"

#include <stdbool.h>
#include <stddef.h>

enum { FORM_FIELDS_MAX = 16, FORM_SAYS_MAX = 2000 };

struct form;

/* Texts are copied here and below. NULL: out of memory. */
struct form *form_new(const char *title, const char *keys);
void         form_free(struct form *f); /* NULL is fine */

/* These add a field and return its number. A form that ran out of memory tells so in form_failed; FORM_FIELDS_MAX is a promise of the caller's. */
size_t form_add_says(struct form *f, const char *label);                        /* nothing is said at first */
size_t form_add_text(struct form *f, const char *label, const char *text);
size_t form_add_choice(struct form *f, const char *label, const char *const *choices, size_t n); /* choices are lent; the first is chosen */
bool   form_failed(const struct form *f);

/* What a line says; "" takes no row. Several rows where it is long. */
void form_say(struct form *f, size_t field, enum role role, const char *text);
/* A field that is hidden is passed over. */
void form_show(struct form *f, size_t field, bool is_shown);
void form_focus(struct form *f, size_t field);

const char *form_text(const struct form *f, size_t field);   /* lent until the next key */
size_t      form_choice(const struct form *f, size_t field);

enum form_result { FORM_SAME, FORM_CHANGED, FORM_DONE, FORM_CANCELLED };
enum form_result form_key(struct form *f, struct key k);
enum form_result form_paste(struct form *f, const char *text, size_t n);

/* In the middle of the present region; where the height does not suffice, around the field that has the focus. */
void form_draw(struct form *f, struct canvas *c);

#endif
