/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/deploy_progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names of units in order, to find them by. */
struct named {
	const char *name;
	size_t      unit;
};

struct making {
	const struct deploy_plan     *plan;
	const struct deployment_step *steps;
	size_t                        n_steps;
	struct named                 *names;
	int64_t                      *began_ms; /* of each unit; 0: not begun */
	int64_t                       spent_ms; /* by the units that are done */
	size_t                        n_spent;
	struct deploy_progress       *to;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static size_t find_unit(const struct making *m, const char *name)
{
	const struct named key = { name, 0 };
	const struct named *hit = m->plan->n_units == 0 ? NULL : bsearch(&key, m->names, m->plan->n_units, sizeof *m->names, by_name);
	return hit != NULL ? hit->unit : SIZE_MAX;
}

static void take_gate(struct making *m, const struct deployment_step *s)
{
	if (s->wave >= m->plan->n_waves)
		return;
	struct wave_progress *w = &m->to->waves[s->wave];
	w->gate_step = s;
	w->gate = s->state == STEP_GATE_PASSED || s->state == STEP_DONE || s->state == STEP_SKIPPED ? WAVE_GATE_PASSED
	          : s->state == STEP_BEGUN                                                          ? WAVE_GATE_LOOKING
	                                                                                            : WAVE_GATE_FAILED;
}

static void end_unit(struct making *m, size_t unit, const struct deployment_step *s)
{
	if (m->began_ms[unit] != 0 && s->ended_ms >= m->began_ms[unit]) {
		m->spent_ms += s->ended_ms - m->began_ms[unit];
		m->n_spent++;
	}
}

static void take_step(struct making *m, const struct deployment_step *s)
{
	size_t at = find_unit(m, s->unit);
	if (at == SIZE_MAX)
		return;
	struct unit_progress *u = &m->to->units[at];
	bool is_back = s->direction == STEP_BACK, is_over = s->state == STEP_DONE || s->state == STEP_SKIPPED;
	u->n_steps = is_back ? m->plan->units[at].back.n : m->plan->units[at].forward.n;
	u->n_done = s->index + is_over;
	u->step = s;
	double within = is_over || s->state != STEP_BEGUN || !isfinite(s->progress) ? 0 : fmin(fmax(s->progress, 0), 1);
	u->progress = u->n_steps == 0 ? 0 : fmin(1, ((double)u->n_done + within) / (double)u->n_steps);
	if (m->began_ms[at] == 0)
		m->began_ms[at] = s->began_ms;
	if (s->state == STEP_FAILED)
		u->state = UNIT_FAILED;
	else if (!is_over || s->index + 1 < u->n_steps)
		u->state = is_back ? UNIT_UNDOING : UNIT_GOING;
	else
		u->state = is_back ? UNIT_UNDONE : UNIT_DONE;
	if (u->state == UNIT_DONE)
		end_unit(m, at, s);
}

static void count(struct making *m)
{
	for (size_t i = 0; i < m->plan->n_units; i++) {
		const struct plan_unit *pu = &m->plan->units[i];
		struct unit_progress *u = &m->to->units[i];
		if (!plan_unit_acts(pu) && u->state == UNIT_WAITS)
			u->state = UNIT_LEFT_OUT;
		if (u->state == UNIT_LEFT_OUT || pu->wave >= m->plan->n_waves)
			continue;
		struct wave_progress *w = &m->to->waves[pu->wave];
		bool is_done = u->state == UNIT_DONE, is_failed = u->state == UNIT_FAILED;
		w->n++;
		w->n_done += is_done;
		w->n_failed += is_failed;
		w->n_going += u->state == UNIT_GOING || u->state == UNIT_UNDOING;
		w->n_left += !is_done && !is_failed && u->state != UNIT_UNDONE;
		m->to->n++;
		m->to->n_done += is_done;
		m->to->n_failed += is_failed;
	}
}

/* A wave begins when the one before is over, whatever its gate found. */
static void find_over(struct making *m)
{
	size_t begun = 0;
	for (size_t i = 0; i < m->n_steps; i++)
		if (m->steps[i].direction == STEP_FORWARD && m->steps[i].wave > begun && m->steps[i].wave < m->plan->n_waves)
			begun = m->steps[i].wave;
	for (size_t i = 0; i < m->plan->n_waves; i++) {
		struct wave_progress *w = &m->to->waves[i];
		w->is_over = i < begun || w->gate == WAVE_GATE_PASSED;
		if (w->is_over && w->gate == WAVE_GATE_FAILED)
			w->gate = WAVE_GATE_ACCEPTED;
	}
}

/* By how long the units took that are done; where none is, by how long the last such run took in all. */
static int64_t unit_ms(const struct making *m)
{
	if (m->n_spent > 0)
		return m->spent_ms / (int64_t)m->n_spent;
	int64_t soaks = (int64_t)m->plan->n_waves * m->plan->gate.soak_ms, rounds = 0;
	size_t at_once = m->plan->at_once > 0 ? m->plan->at_once : 1;
	for (size_t i = 0; i < m->plan->n_waves; i++)
		rounds += (int64_t)((m->to->waves[i].n + at_once - 1) / at_once);
	return m->plan->took_ms > soaks && rounds > 0 ? (m->plan->took_ms - soaks) / rounds : -1;
}

static void guess(struct making *m, int64_t t_ms)
{
	int64_t one = unit_ms(m);
	size_t at_once = m->plan->at_once > 0 ? m->plan->at_once : 1;
	for (size_t i = 0; i < m->plan->n_waves; i++) {
		struct wave_progress *w = &m->to->waves[i];
		w->left_ms = -1;
		if (w->is_over || w->gate == WAVE_GATE_FAILED)
			continue;
		int64_t soak = m->plan->gate.soak_ms, rounds = (int64_t)((w->n_left + at_once - 1) / at_once);
		if (w->gate == WAVE_GATE_LOOKING && w->gate_step != NULL)
			soak -= t_ms - w->gate_step->began_ms;
		soak = soak < 0 ? 0 : soak;
		if (rounds == 0 || one >= 0)
			w->left_ms = rounds * (one > 0 ? one : 0) + soak;
	}
}

enum err deploy_progress_make(struct arena *a, const struct deploy_plan *plan, const struct deployment_step *steps, size_t n_steps, int64_t t_ms,
                              struct deploy_progress *out)
{
	struct making m = { .plan = plan, .steps = steps, .n_steps = n_steps, .to = out };
	*out = (struct deploy_progress){ .units = arena_zeroed(a, plan->n_units + 1, sizeof *out->units),
		                         .waves = arena_zeroed(a, plan->n_waves + 1, sizeof *out->waves) };
	m.names = arena_zeroed(a, plan->n_units + 1, sizeof *m.names);
	m.began_ms = arena_zeroed(a, plan->n_units + 1, sizeof *m.began_ms);
	if (arena_failed(a))
		return ERR_MEMORY;
	for (size_t i = 0; i < plan->n_units; i++) {
		m.names[i] = (struct named){ plan->units[i].unit.name, i };
		out->units[i].n_steps = plan->units[i].forward.n;
	}
	qsort(m.names, plan->n_units, sizeof *m.names, by_name);
	for (size_t i = 0; i < n_steps; i++) {
		if (steps[i].unit[0] == '\0')
			take_gate(&m, &steps[i]);
		else
			take_step(&m, &steps[i]);
	}
	count(&m);
	find_over(&m);
	guess(&m, t_ms);
	while (out->wave < plan->n_waves && out->waves[out->wave].is_over)
		out->wave++;
	return ERR_OK;
}

size_t plan_wave_units(const struct deploy_plan *plan, size_t wave, size_t *n)
{
	size_t first = 0;
	while (first < plan->n_units && plan->units[first].wave < wave)
		first++;
	*n = 0;
	while (first + *n < plan->n_units && plan->units[first + *n].wave == wave)
		++*n;
	return first;
}
