/* SPDX-License-Identifier: Apache-2.0
 *
 * Two walks: over the uses of layouts, which says what series there are of whom, and over rows, which says what they take. Memory is that of the tables,
 * which have ceilings, and of the layouts that the reader keeps. */
#include "store/usage_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/room.h"

enum {
	BLOCK_WORTH = 8, /* reading a block's head takes about as long as so many frames */
	METRICS_MAX = 100000, LABELS_MAX = 400000, VALUES_MAX = 2000000, TARGETS_MAX = 100000,
	SERIES_MAX = 400000,       /* different ones of one target */
	READ_MAX = 20000000,       /* series of layouts that are looked at, in all */
	METRICS_KEPT = 2000000,    /* series of which the metric's number is kept */
};

struct counting {
	struct reader *r;
	struct usage  *u;
	struct tally   metrics, labels, values, targets;
	struct tally   series;   /* of the target that is being counted */
	int64_t        target;   /* that one */
	size_t         cap_metrics, cap_labels, cap_targets;
	uint64_t       n_read;
	struct id_map  numbers;  /* layout -> number of each series' metric */
	size_t         n_numbers;
};

/* The place of a metric, or UINT32_MAX where there are too many. */
static enum err metric_of(struct counting *c, const struct labels *series, uint32_t *out, struct why *why)
{
	const char *name = labels_metric(series);
	bool is_new;
	*out = UINT32_MAX;
	if (!tally_get(&c->metrics, hash64(name, strlen(name), 1), (uint32_t)c->u->n_metrics, out, &is_new) || !is_new)
		return ERR_OK;
	if (!room_for(&c->u->metrics, &c->cap_metrics, c->u->n_metrics + 1, 64, sizeof *c->u->metrics))
		return why_memory(why);
	c->u->metrics[c->u->n_metrics++] = (struct usage_metric){ .name = arena_text(c->u->arena, name) };
	return arena_failed(c->u->arena) ? why_memory(why) : ERR_OK;
}

static enum err target_of(struct counting *c, int64_t id, struct usage_target **out, struct why *why)
{
	uint32_t at;
	bool     is_new;
	*out = NULL;
	if (!tally_get(&c->targets, (uint64_t)id, (uint32_t)c->u->n_targets, &at, &is_new))
		return ERR_OK;
	if (is_new) {
		if (!room_for(&c->u->targets, &c->cap_targets, c->u->n_targets + 1, 64, sizeof *c->u->targets))
			return why_memory(why);
		struct usage_target *t = &c->u->targets[c->u->n_targets++];
		*t = (struct usage_target){ .id = id };
		enum err e = reader_target_labels(c->r, id, &t->labels, why);
		if (e != ERR_OK)
			return e;
	}
	*out = &c->u->targets[at];
	return ERR_OK;
}

/* ---- series ---- */

static enum err count_label(struct counting *c, uint32_t metric, const struct label *l, struct why *why)
{
	uint64_t key = hash64(l->name, l->name_len, (uint64_t)metric + 2);
	uint32_t at;
	bool     is_new;
	if (!tally_get(&c->labels, key, (uint32_t)c->u->n_labels, &at, &is_new))
		return ERR_OK;
	if (is_new) {
		if (!room_for(&c->u->labels, &c->cap_labels, c->u->n_labels + 1, 64, sizeof *c->u->labels))
			return why_memory(why);
		c->u->labels[c->u->n_labels++] = (struct usage_label){ .metric = c->u->metrics[metric].name, .label = arena_text(c->u->arena, l->name) };
		if (arena_failed(c->u->arena))
			return why_memory(why);
	}
	uint32_t ignored;
	if (tally_get(&c->values, hash64(l->value, l->value_len, key), 0, &ignored, &is_new) && is_new)
		c->u->labels[at].values++;
	return ERR_OK;
}

static enum err count_series(struct counting *c, const struct labels *series, struct usage_target *t, struct why *why)
{
	uint32_t metric, ignored;
	bool     is_new;
	if (!tally_get(&c->series, labels_hash(series), 0, &ignored, &is_new) || !is_new)
		return ERR_OK;
	enum err e = metric_of(c, series, &metric, why);
	t->series++;
	c->u->series++;
	if (e != ERR_OK || metric == UINT32_MAX)
		return e;
	c->u->metrics[metric].series++;
	for (size_t i = 0; i < labels_count(series) && e == ERR_OK; i++) {
		const struct label *l = labels_at(series, i);
		if (strcmp(l->name, LABEL_NAME) != 0)
			e = count_label(c, metric, l, why);
	}
	return e;
}

static enum err count_use(void *ctx, int64_t target, enum stream stream, int64_t layout, struct why *why)
{
	struct counting *c = ctx;
	const struct layout *l;
	struct usage_target *t;
	enum err e = target_of(c, target, &t, why);
	if (e != ERR_OK || t == NULL)
		return e;
	if (c->target != target)
		tally_clear(&c->series);
	c->target = target;
	t->lists += stream == STREAM_SCRAPE;
	if (c->n_read > READ_MAX) {
		c->u->is_cut = true;
		return ERR_OK;
	}
	e = reader_layout(c->r, layout, &l, why);
	if (e != ERR_OK)
		return e;
	c->n_read += l->n;
	if (stream == STREAM_SCRAPE && t->lists == 1)
		t->current = l->n;
	for (size_t i = 0; i < l->n && e == ERR_OK; i++)
		e = count_series(c, l->series[i], t, why);
	return e;
}

/* ---- bytes ---- */

/* Which metric each series of a layout has. */
static enum err numbers_of(struct counting *c, const struct layout *l, const uint32_t **out, struct why *why)
{
	uint32_t *known = id_map_get(&c->numbers, l->id);
	if (known == NULL) {
		known = malloc((l->n + 1) * sizeof *known);
		if (known == NULL)
			return why_memory(why);
		enum err e = ERR_OK;
		for (size_t i = 0; i < l->n && e == ERR_OK; i++)
			e = metric_of(c, l->series[i], &known[i], why);
		if (e == ERR_OK)
			e = id_map_put(&c->numbers, l->id, known, why);
		if (e != ERR_OK) {
			free(known);
			return e;
		}
		c->n_numbers += l->n;
	}
	*out = known;
	return ERR_OK;
}

static void forget_numbers(struct counting *c)
{
	for (size_t i = 0; i < c->numbers.cap; i++)
		free(c->numbers.slots[i].at);
	id_map_release(&c->numbers);
	c->n_numbers = 0;
}

static enum err add_piece(void *ctx, const struct usage_piece *p, struct why *why)
{
	struct counting *c = ctx;
	struct usage_target *t;
	const uint32_t *numbers = NULL;
	double   own = 0;
	enum err e = target_of(c, p->target, &t, why);
	if (e != ERR_OK)
		return e;
	c->u->row_bytes += (double)p->bytes * p->weight;
	c->u->samples += (double)p->samples * p->weight;
	if (t != NULL) {
		t->bytes += (double)p->bytes * p->weight;
		t->samples += (double)p->samples * p->weight;
	}
	if (p->layout == NULL || p->layout->n == 0)
		return ERR_OK;
	if (c->n_numbers > METRICS_KEPT)
		forget_numbers(c);
	e = numbers_of(c, p->layout, &numbers, why);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < p->layout->n; i++)
		own += p->series_bytes[i];
	double shared = ((double)p->bytes - own) / (double)p->layout->n, samples = (double)p->samples / (double)p->layout->n;
	for (size_t i = 0; i < p->layout->n; i++) {
		if (numbers[i] == UINT32_MAX)
			continue;
		struct usage_metric *m = &c->u->metrics[numbers[i]];
		m->bytes += (p->series_bytes[i] + shared) * p->weight;
		m->samples += samples * p->weight;
	}
	return ERR_OK;
}

/* ---- together ---- */

static int by_bytes(double a, double b, const char *x, const char *y)
{
	return a > b ? -1 : a < b ? 1 : strcmp(x, y);
}

static int compare_metrics(const void *a, const void *b)
{
	const struct usage_metric *x = a, *y = b;
	return by_bytes(x->bytes, y->bytes, x->name, y->name);
}

static int compare_labels(const void *a, const void *b)
{
	const struct usage_label *x = a, *y = b;
	int by_metric = strcmp(x->metric, y->metric);
	return x->values != y->values ? (x->values < y->values ? 1 : -1) : by_metric != 0 ? by_metric : strcmp(x->label, y->label);
}

static int compare_targets(const void *a, const void *b)
{
	const struct usage_target *x = a, *y = b;
	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes ? 1 : (x->id > y->id) - (x->id < y->id);
}

static void put_in_order(struct counting *c)
{
	struct usage *u = c->u;
	if (u->n_metrics > 0)
		qsort(u->metrics, u->n_metrics, sizeof *u->metrics, compare_metrics);
	if (u->n_labels > 0)
		qsort(u->labels, u->n_labels, sizeof *u->labels, compare_labels);
	if (u->n_targets > 0)
		qsort(u->targets, u->n_targets, sizeof *u->targets, compare_targets);
	u->is_cut = u->is_cut || c->metrics.is_full || c->labels.is_full || c->values.is_full || c->targets.is_full || c->series.is_full;
}

static enum err count_all(struct counting *c, size_t rows, struct why *why)
{
	struct usage_walk walk = { .r = c->r, .rows_max = rows > 0 ? rows : USAGE_ROWS, .fn = add_piece, .ctx = c };
	enum err e = usage_file(c->r, c->u, why);
	if (e == ERR_OK)
		e = usage_walk_uses(c->r, count_use, c, &c->u->is_cut, why);
	if (e == ERR_OK)
		e = usage_walk_frames(&walk, why);
	c->u->rows = walk.rows;
	walk.rows = 0;
	walk.rows_max /= BLOCK_WORTH;
	if (e == ERR_OK)
		e = usage_walk_blocks(&walk, why);
	c->u->blocks = walk.rows;
	c->u->rows_read = walk.rows_read;
	return e;
}

enum err reader_usage(struct reader *r, size_t rows, struct usage **out, struct why *why)
{
	struct counting c = { .r = r, .metrics.most = METRICS_MAX, .labels.most = LABELS_MAX, .values.most = VALUES_MAX,
		              .targets.most = TARGETS_MAX, .series.most = SERIES_MAX };
	c.u = calloc(1, sizeof *c.u);
	if (c.u == NULL || (c.u->arena = malloc(sizeof *c.u->arena)) == NULL) {
		free(c.u);
		return why_memory(why);
	}
	arena_init(c.u->arena);
	enum err e = count_all(&c, rows, why);
	if (e == ERR_OK)
		put_in_order(&c);
	tally_release(&c.metrics);
	tally_release(&c.labels);
	tally_release(&c.values);
	tally_release(&c.targets);
	tally_release(&c.series);
	forget_numbers(&c);
	if (e == ERR_OK)
		*out = c.u;
	else
		usage_free(c.u);
	return e;
}

void usage_free(struct usage *u)
{
	if (u == NULL)
		return;
	arena_release(u->arena);
	free(u->arena);
	free(u->metrics);
	free(u->labels);
	free(u->targets);
	free(u);
}
