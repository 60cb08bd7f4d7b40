/* SPDX-License-Identifier: Apache-2.0
 *
 * Waves: sizes one after another as the fleet file has them, the last again and again until no unit is left. */
#include "deploy/planner_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A share is rounded up, but 0.1 of 30 is 3. */
static size_t wave_size(const struct fleet_wave *w, size_t n_units)
{
	double n = w->is_share ? ceil(w->n * (double)n_units - 1e-9) : w->n;
	if (!(n >= 1))
		return 1;
	return n < (double)n_units ? (size_t)n : n_units;
}

/* Of all units of the scope, rounded down: never more are away than was said. */
size_t planner_at_once(const struct planner *p)
{
	const struct fleet_wave *w = &p->in->deploy->max_unavailable;
	double n = w->is_share ? floor(w->n * (double)p->n + 1e-9) : w->n;
	if (!(n >= 1))
		return 1;
	return n < PLAN_UNITS_MAX ? (size_t)n : PLAN_UNITS_MAX;
}

static int by_wave(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->unit->wave != y->unit->wave)
		return x->unit->wave < y->unit->wave ? -1 : 1;
	return strcmp(x->in->unit.name, y->in->unit.name);
}

/* The first that serves and is well, by the signals and by the driver: what it says afterwards can be compared with what it said before. */
static struct plan_unit *canary(const struct planner *p)
{
	struct plan_unit *best = NULL;
	int most = -1;
	for (size_t i = 0; i < p->n; i++) {
		const struct candidate *c = &p->all[i];
		int points = 2 * c->in->is_up + c->unit->found.is_ready;
		if (!plan_unit_acts(c->unit) || points <= most)
			continue;
		best = c->unit;
		most = points;
	}
	return best;
}

static size_t count_acting(const struct planner *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += plan_unit_acts(p->all[i].unit);
	return n;
}

/* What stands in deploy->waves, and for none a canary and a quarter at a time. */
static const struct fleet_wave *wave_at(const struct planner *p, size_t i)
{
	static const struct fleet_wave otherwise[] = { { false, 1 }, { true, 0.25 } };
	const struct fleet_deploy *d = p->in->deploy;
	const struct fleet_wave *waves = d->n_waves > 0 ? d->waves : otherwise;
	size_t n = d->n_waves > 0 ? d->n_waves : sizeof otherwise / sizeof otherwise[0];
	return &waves[i < n ? i : n - 1];
}

void planner_waves(struct planner *p)
{
	struct deploy_plan *plan = p->plan;
	size_t n = count_acting(p), left = 0;
	struct plan_unit *first = canary(p);
	if (first != NULL) {
		left = plan->is_whole ? n : wave_size(wave_at(p, 0), n);
		first->wave = 0;
		left--;
		plan->n_waves = 1;
	}
	for (size_t i = 0; i < p->n; i++) {
		struct plan_unit *u = p->all[i].unit;
		if (!plan_unit_acts(u) || u == first)
			continue;
		if (left == 0)
			left = wave_size(wave_at(p, plan->n_waves++), n);
		u->wave = plan->n_waves - 1;
		left--;
	}
	for (size_t i = 0; i < p->n; i++)
		if (!plan_unit_acts(p->all[i].unit))
			p->all[i].unit->wave = plan->n_waves;
	qsort(p->all, p->n, sizeof *p->all, by_wave);
	plan->at_once = plan->is_whole ? 1 : planner_at_once(p);
}
