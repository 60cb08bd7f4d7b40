/* SPDX-License-Identifier: Apache-2.0
 *
 * What an evaluation holds: its ceiling, its tables, the labels it made, and what it has to say besides the result. */
#include "query/eval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err eval_charge(struct eval *ev, size_t samples)
{
	if (ev->cancelled != NULL && *ev->cancelled)
		return why_set(ev->why, ERR_CANCELLED, "the query was cancelled");
	if (samples > ev->max_samples - ev->samples)
		return why_set(ev->why, ERR_LIMIT, "query processing would load too many samples into memory in query execution (more than %zu)",
		               ev->max_samples);
	ev->samples += samples;
	return ERR_OK;
}

enum err eval_alloc(struct eval *ev, size_t n, size_t size, void **out)
{
	void *at = arena_zeroed(&ev->arena, n > 0 ? n : 1, size);
	if (at == NULL)
		return why_memory(ev->why);
	*out = at;
	return ERR_OK;
}

enum err eval_cells(struct eval *ev, const struct grid *g, double **out)
{
	enum err e = eval_charge(ev, g->n);
	if (e != ERR_OK)
		return e;
	double *cells = arena_unset(&ev->arena, g->n > 0 ? g->n : 1, sizeof *cells);
	if (cells == NULL)
		return why_memory(ev->why);
	*out = cells;
	for (size_t i = 0; i < g->n; i++)
		(*out)[i] = stale_mark();
	return ERR_OK;
}

enum err eval_keep_labels(struct eval *ev, struct labels *l)
{
	if (ev->n_made == ev->cap_made) {
		size_t cap = ev->cap_made == 0 ? 16 : ev->cap_made * 2;
		struct labels **made = realloc(ev->made, cap * sizeof *made);
		if (made == NULL) {
			labels_unref(l);
			return why_memory(ev->why);
		}
		ev->made = made;
		ev->cap_made = cap;
	}
	ev->made[ev->n_made++] = l;
	return ERR_OK;
}

enum err eval_labels_from(struct eval *ev, struct labels_builder *b, const struct labels **out)
{
	struct labels *l = NULL;
	enum err e = labels_builder_build(b, &l, ev->why);
	if (e == ERR_OK)
		e = eval_keep_labels(ev, l);
	if (e == ERR_OK)
		*out = l;
	return e;
}

enum err eval_pairs(struct eval *ev, size_t n, struct label few[FEW_PAIRS], struct label **out)
{
	void *mem = few;
	enum err e = n > FEW_PAIRS ? eval_alloc(ev, n, sizeof few[0], &mem) : ERR_OK;
	if (e == ERR_OK)
		*out = mem;
	return e;
}

enum err eval_labels_of(struct eval *ev, const struct label *pairs, size_t n, const struct labels **out)
{
	struct labels *l = NULL;
	enum err e = labels_new(pairs, n, &l, ev->why);
	if (e == ERR_OK)
		e = eval_keep_labels(ev, l);
	if (e == ERR_OK)
		*out = l;
	return e;
}

enum err table_add_row(struct eval *ev, struct table *t, const struct labels *labels, bool drop_name, double *v)
{
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 8 : t->cap * 2;
		void *rows = NULL;
		enum err e = eval_alloc(ev, cap, sizeof(struct row), &rows);
		if (e != ERR_OK)
			return e;
		if (t->n > 0)
			memcpy(rows, t->rows, t->n * sizeof(struct row));
		t->rows = rows;
		t->cap = cap;
	}
	t->rows[t->n++] = (struct row){ labels, v, drop_name };
	return ERR_OK;
}

static bool rows_same(const struct row *a, const struct row *b)
{
	return a->drop_name == b->drop_name && labels_equal(a->labels, b->labels);
}

/* Adds what `from` has to `to`: a copy of the cells the first time, since they may be shared. False where both have a sample. */
static bool row_absorb(const struct grid *g, struct row *to, const struct row *from)
{
	for (size_t i = 0; i < g->n; i++) {
		if (is_absent(from->v[i]))
			continue;
		if (!is_absent(to->v[i]))
			return false;
		to->v[i] = from->v[i];
	}
	return true;
}

enum err table_merge(struct eval *ev, const struct grid *g, struct table *t, const char *sentence)
{
	if (t->n < 2)
		return ERR_OK;
	size_t slots = 16, kept = 0;
	while (slots < t->n * 2)
		slots *= 2;
	void *mem = NULL;
	enum err e = eval_alloc(ev, slots, sizeof(uint32_t), &mem);
	if (e != ERR_OK)
		return e;
	uint32_t *index = mem; /* row + 1 */
	for (size_t i = 0; i < t->n; i++) {
		size_t at = labels_hash(t->rows[i].labels) & (slots - 1);
		while (index[at] != 0 && !rows_same(&t->rows[index[at] - 1], &t->rows[i]))
			at = (at + 1) & (slots - 1);
		if (index[at] == 0) {
			t->rows[kept] = t->rows[i];
			index[at] = (uint32_t)++kept;
			continue;
		}
		struct row *to = &t->rows[index[at] - 1];
		double *v;
		e = eval_cells(ev, g, &v);
		if (e != ERR_OK)
			return e;
		to->v = memcpy(v, to->v, g->n * sizeof *v);
		if (!row_absorb(g, to, &t->rows[i]))
			return why_set(ev->why, ERR_FORMAT, "%s", sentence);
	}
	t->n = kept;
	return ERR_OK;
}

enum err table_drop_names(struct eval *ev, const struct grid *g, struct table *t)
{
	bool any = false;
	struct labels_builder b;
	labels_builder_init(&b);
	enum err e = ERR_OK;
	for (size_t i = 0; i < t->n && e == ERR_OK; i++) {
		struct row *r = &t->rows[i];
		if (r->drop_name && labels_find(r->labels, LABEL_NAME) != NULL) {
			struct label few[64];
			size_t n = 0;
			bool fits = labels_count(r->labels) <= sizeof few / sizeof few[0];
			struct labels *made = NULL;
			for (size_t k = 0; fits && k < labels_count(r->labels); k++)
				if (strcmp(labels_at(r->labels, k)->name, LABEL_NAME) != 0)
					few[n++] = *labels_at(r->labels, k);
			if (fits) {
				e = labels_new(few, n, &made, ev->why);
				if (e == ERR_OK)
					e = eval_keep_labels(ev, made);
				if (e == ERR_OK)
					r->labels = made;
			} else {
				labels_builder_from(&b, r->labels);
				labels_builder_remove(&b, LABEL_NAME);
				e = eval_labels_from(ev, &b, &r->labels);
			}
			any = true;
		}
		r->drop_name = false;
	}
	labels_builder_release(&b);
	(void)any;
	return e == ERR_OK ? table_merge(ev, g, t, SAME_LABELSET) : e;
}

/* ---- annotations ---- */

static void __attribute__((format(printf, 5, 0)))
add_note(struct eval *ev, struct note_list *list, const struct node *where, const char *kind, const char *format, va_list args)
{
	char sentence[512], text[640];
	int line = 1, column = 1;
	if (ev->batch != NULL)
		return;
	for (size_t i = 0; i < where->offset; i++) {
		column = ev->query->text[i] == '\n' ? 1 : column + 1;
		line += ev->query->text[i] == '\n';
	}
	int cut = vsnprintf(sentence, sizeof sentence, format, args);
	snprintf(text, sizeof text, "PromQL %s: %s%s (%d:%d)", kind, sentence, cut >= (int)sizeof sentence ? "..." : "", line, column);
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->texts[i], text) == 0)
			return;
	if (list->n == NOTES_MAX)
		return;
	list->texts[list->n] = strdup(text);
	if (list->texts[list->n] != NULL)
		list->n++;
	else
		list->is_incomplete = true;
}

void note_warning(struct eval *ev, const struct node *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_note(ev, &ev->warnings, where, "warning", format, args);
	va_end(args);
}

void note_info(struct eval *ev, const struct node *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_note(ev, &ev->infos, where, "info", format, args);
	va_end(args);
}
