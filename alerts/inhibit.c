/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule by rule: those that match the source side go into a hash table by their values of `equal`, and those that match the target side look there. Of
 * sources with the same values two are kept: the best, and the best that does not match the target side too, for targets that match both. */
#include "alerts/inhibit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/grouping.h"
#include "base/hash.h"

/* Sources with the same values: numbers of rows and 1, 0 for none. A slot with first 0 is free. */
struct slot {
	uint32_t first, one_sided;
};

struct inhibition {
	const struct inhibit_rule *rule;
	const struct alert_row    *rows;
	size_t                     n;
	bool                      *is_source; /* of the present rule, by row */
	uint32_t                  *sources;   /* their numbers */
	size_t                     n_sources;
	struct slot               *slots;     /* room for twice all rows; half full at the most */
	size_t                     n_slots;   /* in use: a power of two */
};

static uint64_t hash_of(const struct inhibit_rule *r, const struct labels *l)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < r->n_equal; i++) {
		const struct label *found = labels_find(l, r->equal[i]);
		hash = hash64(found != NULL ? found->value : "", found != NULL ? found->value_len : 0, hash);
	}
	return hash;
}

static bool agree(const struct inhibit_rule *r, const struct labels *a, const struct labels *b)
{
	for (size_t i = 0; i < r->n_equal; i++) {
		const struct label *x = labels_find(a, r->equal[i]), *y = labels_find(b, r->equal[i]);
		if (x == NULL || y == NULL) {
			if (x != y)
				return false; /* no label is stored with an empty value */
		} else if (x->value_len != y->value_len || memcmp(x->value, y->value, x->value_len) != 0) {
			return false;
		}
	}
	return true;
}

/* The slot of sources that agree with `l`, or the free one where it would be. */
static struct slot *find_slot(const struct inhibition *x, const struct labels *l)
{
	size_t at = hash_of(x->rule, l) & (x->n_slots - 1);
	while (x->slots[at].first != 0 && !agree(x->rule, x->rows[x->slots[at].first - 1].labels, l))
		at = (at + 1) & (x->n_slots - 1);
	return &x->slots[at];
}

/* The one that fires longer; of two that began together the one that came first into the store. */
static void keep_better(const struct alert_row *rows, uint32_t *kept, uint32_t row)
{
	const struct alert_row *a = &rows[row], *b = *kept != 0 ? &rows[*kept - 1] : NULL;
	if (b == NULL || a->fired_ms < b->fired_ms || (a->fired_ms == b->fired_ms && a->id < b->id))
		*kept = row + 1;
}

static void find_sources(struct inhibition *x)
{
	x->n_sources = 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct alert_row *r = &x->rows[i];
		x->is_source[i] = alert_row_state(r) == ALERT_ROW_FIRING && matcher_set_matches(&x->rule->source, r->labels);
		if (x->is_source[i])
			x->sources[x->n_sources++] = (uint32_t)i;
	}
	x->n_slots = 2;
	while (x->n_slots < x->n_sources * 2)
		x->n_slots *= 2;
	memset(x->slots, 0, x->n_slots * sizeof *x->slots);
	for (size_t i = 0; i < x->n_sources; i++) {
		uint32_t row = x->sources[i];
		const struct labels *l = x->rows[row].labels;
		struct slot *s = find_slot(x, l);
		keep_better(x->rows, &s->first, row);
		if (!matcher_set_matches(&x->rule->target, l))
			keep_better(x->rows, &s->one_sided, row);
	}
}

static int64_t inhibiting(const struct inhibition *x, size_t row)
{
	const struct alert_row *r = &x->rows[row];
	enum alert_row_state state = alert_row_state(r);
	if ((state != ALERT_ROW_FIRING && state != ALERT_ROW_PENDING) || !matcher_set_matches(&x->rule->target, r->labels))
		return 0;
	bool is_two_sided = state == ALERT_ROW_FIRING ? x->is_source[row] : matcher_set_matches(&x->rule->source, r->labels);
	const struct slot *s = find_slot(x, r->labels);
	uint32_t source = is_two_sided ? s->one_sided : s->first;
	return source != 0 ? x->rows[source - 1].id : 0;
}

enum err alerts_inhibit(const struct inhibit_rule *rules, size_t n_rules, const struct alert_row *rows, size_t n, int64_t *by, struct why *why)
{
	struct inhibition x = { .rows = rows, .n = n };
	size_t n_slots = 2;
	enum err e = ERR_OK;
	while (n_slots < n * 2)
		n_slots *= 2;
	x.is_source = calloc(n + 1, sizeof *x.is_source);
	x.sources = calloc(n + 1, sizeof *x.sources);
	x.slots = calloc(n_slots, sizeof *x.slots);
	if (x.is_source == NULL || x.sources == NULL || x.slots == NULL) {
		e = why_memory(why);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		by[i] = 0;
	for (size_t i = 0; i < n_rules; i++) {
		x.rule = &rules[i];
		find_sources(&x);
		for (size_t row = 0; row < n && x.n_sources > 0; row++) {
			if (by[row] == 0)
				by[row] = inhibiting(&x, row);
		}
	}
out:
	free(x.is_source);
	free(x.sources);
	free(x.slots);
	return e;
}
