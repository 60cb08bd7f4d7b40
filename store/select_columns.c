/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples of a track whose frames in the window are all of one layout, as they nearly always are: a column for each series, and one list of times for all. What
 * select.c would gather of it is the same. */
#include "store/select_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "base/stale.h"

enum { PIECES_FIRST = 64 };

/* The first step of the window. */
static size_t first_in_window(const struct select_call *c)
{
	size_t i = 0;
	while (i < c->steps.n && c->steps.items[i].at_ms <= c->after_ms)
		i++;
	return i;
}

bool columns_suffice(const struct select_call *c)
{
	const struct picks *p = c->picks;
	size_t first = first_in_window(c), rows = c->steps.n - first;
	if (c->n_picks != 1 || p->n == 0 || p->n != c->n_all - c->first || rows == 0 || rows > (c->max_samples - c->samples) / p->n)
		return false;
	for (size_t i = 0; i < c->steps.n; i++) {
		const struct step *s = &c->steps.items[i];
		if ((s->layout != 0 && s->layout != p->layout) || (i > first && s->at_ms <= s[-1].at_ms))
			return false;
	}
	return true;
}

/* Of each pick a row before the window, which says whether the series was there, and those in the window. */
struct columns {
	double *v; /* [picks][rows] */
	size_t  rows;
};

static void fill_row(const struct columns *to, size_t n, size_t row, double v)
{
	for (size_t k = 0; k < n; k++)
		to->v[k * to->rows + row] = v;
}

/* How many steps from `i` on are rows of the block one behind the other that were read. */
static size_t run_in_block(const struct select_call *c, size_t i)
{
	const struct open_block *b = c->block;
	size_t n = 1;
	for (; i + n < c->steps.n && c->block_row + n < c->block_end; n++) {
		const struct step *s = &c->steps.items[i + n];
		if (s->block != b->id || s->layout == 0 || b->head.id[c->block_row + n] != s->id)
			break;
	}
	return n;
}

/* Copies what select_enter_step gave for step i, to `row`. Returns of how many steps that was all. */
static size_t copy_rows(struct select_call *c, const struct columns *to, size_t i, size_t row)
{
	const struct picks *p = c->picks;
	if (c->block == NULL) {
		for (size_t k = 0; k < p->n; k++)
			to->v[k * to->rows + row] = c->cursor.state.v[p->items[k].position];
		return 1;
	}
	size_t n = run_in_block(c, i);
	for (size_t k = 0; k < p->n; k++)
		memcpy(&to->v[k * to->rows + row], c->block->columns[p->items[k].position] + (c->block_row - c->block->first), n * sizeof *to->v);
	c->block_row += n - 1;
	return n;
}

static enum err read_columns(struct select_call *c, int stream, size_t first, const struct columns *to, struct why *why)
{
	const struct picks *p = c->picks;
	if (first == 0)
		fill_row(to, p->n, 0, stale_mark());
	for (size_t i = 0, n = 1; i < c->steps.n; i += n) {
		const struct step *s = &c->steps.items[i];
		enum err e = reader_check(c->r, why);
		if (e == ERR_OK && s->layout != 0)
			e = select_enter_step(c, s, stream, p, why);
		if (e != ERR_OK)
			return e;
		n = 1;
		if (i + 1 >= first && s->layout == 0)
			fill_row(to, p->n, i + 1 - first, stale_mark());
		else if (i + 1 >= first)
			n = copy_rows(c, to, i, i + 1 - first);
	}
	return ERR_OK;
}

static bool has_mark(const double *v, size_t n)
{
	bool any = false;
	for (size_t i = 0; i < n; i++)
		any |= is_stale(v[i]);
	return any;
}

/* A mark where the series was there before, and nothing where it was not. */
static enum err copy_marked(struct series *to, const int64_t *times, const double *column, size_t rows, struct why *why)
{
	bool is_live = !is_stale(column[0]);
	to->t_ms = malloc(rows * sizeof *to->t_ms);
	to->v = malloc(rows * sizeof *to->v);
	if (to->t_ms == NULL || to->v == NULL)
		return why_memory(why);
	for (size_t i = 1; i < rows; i++) {
		bool was_live = is_live;
		is_live = !is_stale(column[i]);
		if (!is_live && !was_live)
			continue;
		to->t_ms[to->n] = times[i - 1];
		to->v[to->n++] = column[i];
	}
	return ERR_OK;
}

static enum err add_piece(struct select_call *c, size_t size, void **out, struct why *why)
{
	void *piece = room_for(&c->pieces, &c->cap_pieces, c->n_pieces + 1, PIECES_FIRST, sizeof *c->pieces) ? malloc(size) : NULL;
	if (piece == NULL)
		return why_memory(why);
	c->pieces[c->n_pieces++] = *out = piece;
	return ERR_OK;
}

enum err columns_take(struct select_call *c, int stream, struct why *why)
{
	const struct picks *p = c->picks;
	size_t first = first_in_window(c), rows = c->steps.n - first + 1;
	void *piece = NULL;
	enum err e = add_piece(c, (rows - 1) * sizeof(int64_t) + p->n * rows * sizeof(double), &piece, why);
	if (e != ERR_OK)
		return e;
	int64_t *times = piece;
	struct columns columns = { (double *)(void *)(times + rows - 1), rows };
	for (size_t i = first; i < c->steps.n; i++)
		times[i - first] = c->steps.items[i].at_ms;
	e = read_columns(c, stream, first, &columns, why);
	for (size_t k = 0; k < p->n && e == ERR_OK; k++) {
		struct series *s = &c->all[p->items[k].series].out;
		double *column = columns.v + k * rows;
		if (has_mark(column + 1, rows - 1)) {
			e = copy_marked(s, times, column, rows, why);
		} else {
			s->t_ms = times;
			s->v = column + 1;
			s->n = rows - 1;
			s->in_block = s->is_lent = true;
		}
		c->samples += s->n;
	}
	return e;
}
