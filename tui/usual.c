/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/usual.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The key is a hash: should two models ever have the same, they share a scale and nothing worse. */
struct usual_model {
	uint64_t key;
	double   value;
};

static const double HELD = 1.1;
enum { EVERY = 4 }; /* of a history's points do for a median, and take a third of the time */

/* ---- the median, in one pass ---- */

/* The upper bits of a positive float are a logarithm that is linear within each octave: eight bins an octave, in order. */
enum { BIN_SHIFT = 20, BINS = 0x7f800000 >> BIN_SHIFT };

struct histogram {
	uint32_t count[BINS];
	double   sum[BINS];
	uint32_t n, first, last; /* the bins between are those that may be used */
};

static void add(struct histogram *h, double v, bool zeros)
{
	uint32_t bits;
	if (!(v >= 0 && v <= (double)FLT_MAX) || (!zeros && v <= 0))
		return;
	float narrow = v > 0 ? (float)v : 0; /* no minus zero */
	memcpy(&bits, &narrow, sizeof bits);
	uint32_t bin = bits >> BIN_SHIFT;
	h->first = h->n == 0 || bin < h->first ? bin : h->first;
	h->last = h->n == 0 || bin > h->last ? bin : h->last;
	h->count[bin]++;
	h->sum[bin] += v;
	h->n++;
}

/* The mean of the bin in which the median lies: not farther from it than the bin is wide, an eighth of it at the most. */
static double median(const struct histogram *h)
{
	uint32_t below = 0;
	if (h->n == 0)
		return (double)NAN;
	for (uint32_t bin = h->first;; bin++) {
		below += h->count[bin];
		if (below > (h->n - 1) / 2)
			return h->sum[bin] / h->count[bin];
	}
}

static void clear(struct histogram *h)
{
	if (h->n > 0) {
		memset(h->count + h->first, 0, (h->last - h->first + 1) * sizeof h->count[0]);
		memset(h->sum + h->first, 0, (h->last - h->first + 1) * sizeof h->sum[0]);
	}
	h->n = 0;
}

/* ---- model by model ---- */

struct member {
	uint64_t               key;
	const struct node_row *node;
};

const char *usual_name(const struct node_row *n)
{
	return n->model[0] != '\0' ? n->model : n->profile;
}

static uint64_t key_of(const struct node_row *n)
{
	const char *name = usual_name(n);
	return hash64(name, strlen(name), n->model[0] != '\0');
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static const struct usual_model *find(const struct usual *u, uint64_t key)
{
	return u->n == 0 ? NULL : bsearch(&key, u->models, u->n, sizeof u->models[0], by_key);
}

static void add_node(struct histogram *h, const struct node_row *n, enum signal_id signal, bool zeros)
{
	const float *history = n->history[signal];
	for (size_t i = EVERY - 1; history != NULL && i < HISTORY_POINTS; i += EVERY)
		add(h, (double)history[i], zeros);
	add(h, n->value[signal], zeros);
}

static double hold(const struct usual *u, uint64_t key, double now)
{
	const struct usual_model *before = find(u, key);
	return before != NULL && now < before->value * HELD && now > before->value / HELD ? before->value : now;
}

static size_t fill(const struct usual *u, const struct member *members, size_t n, struct histogram *h, struct usual_model *to)
{
	bool counts = signal_info(u->signal)->unit == UNIT_COUNT;
	size_t found = 0;
	for (size_t from = 0, at; from < n; from = at) {
		for (at = from; at < n && members[at].key == members[from].key; at++)
			add_node(h, members[at].node, u->signal, counts);
		double v = median(h);
		clear(h);
		if (counts && v < 1)
			v = 1;
		if (!isnan(v))
			to[found++] = (struct usual_model){ members[from].key, hold(u, members[from].key, v) };
	}
	return found;
}

enum err usual_update(struct usual *u, enum signal_id signal, const struct fleet_view *v)
{
	size_t n = v == NULL ? 0 : v->n_nodes;
	if (signal != u->signal)
		u->n = 0;
	u->signal = signal;
	struct member *members = malloc((n + 1) * sizeof *members);
	struct usual_model *models = malloc((n + 1) * sizeof *models);
	struct histogram *h = calloc(1, sizeof *h);
	enum err e = members == NULL || models == NULL || h == NULL ? ERR_MEMORY : ERR_OK;
	size_t found = 0;
	if (e == ERR_OK) {
		for (size_t i = 0; i < n; i++)
			members[i] = (struct member){ key_of(&v->nodes[i]), &v->nodes[i] };
		qsort(members, n, sizeof *members, by_key);
		found = fill(u, members, n, h, models);
	}
	free(members);
	free(h);
	if (e != ERR_OK) {
		free(models);
		models = NULL;
	}
	free(u->models);
	u->models = models;
	u->n = found;
	return e;
}

double usual_of(const struct usual *u, const struct node_row *n)
{
	const struct usual_model *m = find(u, key_of(n));
	return m == NULL ? (double)NAN : m->value;
}

void usual_release(struct usual *u)
{
	free(u->models);
	*u = (struct usual){ 0 };
}
