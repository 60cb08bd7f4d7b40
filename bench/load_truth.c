/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load_truth.h"

#include <stdlib.h>
#include <string.h>

struct asked {
	int64_t *us; /* since the window began, rising */
	size_t   n, cap;
};

struct truth {
	int64_t      interval_us, begin_us;
	size_t       nodes;
	bool         is_cut;
	struct asked asked[];
};

struct truth *truth_new(size_t nodes, int64_t interval_us)
{
	struct truth *t = calloc(1, sizeof *t + nodes * sizeof t->asked[0]);
	if (t == NULL)
		return NULL;
	t->nodes = nodes;
	t->interval_us = interval_us;
	return t;
}

void truth_free(struct truth *t)
{
	for (size_t i = 0; t != NULL && i < t->nodes; i++)
		free(t->asked[i].us);
	free(t);
}

void truth_begin(struct truth *t, int64_t now_us)
{
	t->begin_us = now_us;
	t->is_cut = false;
	for (size_t i = 0; i < t->nodes; i++)
		t->asked[i].n = 0;
}

void truth_asked(struct truth *t, size_t node, int64_t now_us)
{
	struct asked *a = &t->asked[node];
	if (a->n == a->cap) {
		size_t   cap = a->cap == 0 ? 64 : a->cap * 2;
		int64_t *us = cap > TRUTH_ASKED_MAX ? NULL : realloc(a->us, cap * sizeof *us);
		if (us == NULL) {
			t->is_cut = true;
			return;
		}
		a->us = us;
		a->cap = cap;
	}
	a->us[a->n++] = now_us - t->begin_us;
}

/* The node's place: 0 to interval - 1. Each time is compared with the first one's place, by whole intervals to the nearest; the earliest is it. */
static int64_t place_of(const struct asked *a, int64_t interval)
{
	int64_t earliest = 0;
	for (size_t i = 1; i < a->n; i++) {
		int64_t off = (a->us[i] - a->us[0]) % interval;
		off = off > interval / 2 ? off - interval : off;
		earliest = off < earliest ? off : earliest;
	}
	return (a->us[0] + earliest + interval) % interval;
}

/* Adds how late each first scrape of an interval was, in microseconds, to `late`, which has room for them. */
static void judge(const struct asked *a, int64_t interval, int64_t window, struct truth_report *out, double *late, size_t *n_late)
{
	int64_t place = a->n > 0 ? place_of(a, interval) : 0, expected = window > place ? (window - place) / interval : 0, before = -2;
	int64_t seen = 0;
	for (size_t i = 0; i < a->n; i++) {
		int64_t since = a->us[i] - place, slot = since < 0 ? -1 : since / interval;
		if (slot == before) {
			out->extra++;
			continue;
		}
		before = slot;
		late[(*n_late)++] = (double)(since - slot * interval);
		seen += slot >= 0 && slot < expected;
	}
	out->asked += a->n;
	out->expected += (uint64_t)expected;
	out->missed += (uint64_t)(expected - seen);
}

static int ascending(const void *a, const void *b)
{
	double x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

bool truth_report(const struct truth *t, int64_t now_us, struct truth_report *out)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < t->nodes; i++)
		total += t->asked[i].n;
	double *late = malloc((total + 1) * sizeof *late);
	if (late == NULL)
		return false;
	*out = (struct truth_report){ .is_cut = t->is_cut };
	for (size_t i = 0; i < t->nodes; i++)
		judge(&t->asked[i], t->interval_us, now_us - t->begin_us, out, late, &n);
	qsort(late, n, sizeof *late, ascending);
	if (n > 0) {
		out->late_p50_ms = late[n / 2] / 1000;
		out->late_p99_ms = late[n - 1 - n / 100] / 1000;
		out->late_max_ms = late[n - 1] / 1000;
	}
	free(late);
	return true;
}
