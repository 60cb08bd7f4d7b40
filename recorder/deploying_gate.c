/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate of a run: every few seconds of its soak a worker reads the signals and judges. */
#include "recorder/deploying_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a look needs, of its own: the run may end while a worker looks. */
struct gate_job {
	struct acting       *acting; /* NULL: it is gone */
	struct deploying    *deploying;
	struct arena         arena;
	struct fleet_gate    gate;
	struct gate_question question;
	struct gate_report   report;
	enum err             err;
	struct why           why;
};

void acting_gate_begin(struct acting *a, const struct todo *t, int64_t now_ms)
{
	acting_gate_leave(a); /* what a worker finds of the soak before is of no use */
	a->gate.seq = a->gate.last_seq = t->seq;
	a->gate.wave = t->wave;
	a->gate.since_ms = t->since_ms;
	a->gate.began_ms = now_ms;
	a->gate.next_ms = 0;
	a->gate.report = (struct gate_report){ .verdict = GATE_WAIT };
	a->gate.told[0] = '\0';
}

static void gate_work(void *ctx)
{
	struct gate_job *job = ctx;
	struct reader *r = NULL;
	job->err = reader_open(job->deploying->store_path, READER_OWN, &r, &job->why);
	if (job->err == ERR_OK)
		job->err = gate_look(r, &job->question, &job->report, &job->why);
	reader_close(r);
}

static void job_free(struct gate_job *job)
{
	arena_release(&job->arena);
	free(job);
}

/* Until the next look: the last one is at the end of the soak, and not up to a whole pause after it; what is late then is soon there. */
static int64_t pause_ms(const struct acting *a)
{
	int64_t left_ms = a->gate.since_ms + a->plan->gate.soak_ms - clock_wall_ms(a->deploying->o.clock);
	return left_ms <= 0 ? DEPLOYING_GATE_LATE_MS : left_ms < DEPLOYING_GATE_MS ? left_ms : DEPLOYING_GATE_MS;
}

/* That it could not be looked at is no verdict: it is looked at again. */
static void gate_done(void *ctx, bool is_cancelled)
{
	struct gate_job *job = ctx;
	struct deploying *d = job->deploying;
	struct acting *a = job->acting;
	(void)is_cancelled;
	if (a != NULL) {
		a->gate.job = NULL;
		a->gate.is_looking = false;
		a->gate.next_ms = clock_mono_ms(d->o.clock) + pause_ms(a);
		if (job->err == ERR_OK && a->gate.seq != 0) {
			a->gate.report = job->report;
		} else if (job->err != ERR_OK) {
			a->gate.report = (struct gate_report){ .verdict = GATE_WAIT, .n_findings = 1 };
			snprintf(a->gate.report.findings[0].text, sizeof a->gate.report.findings[0].text, "cannot read the signals: %.150s", job->why.text);
			a->gate.report.findings[0].what = "signals";
		}
	}
	job_free(job);
	deploying_wake(d);
	deploying_part_closed(d);
}

/* Those of the wave that were changed, which a person may have left some out of, and those of later waves. */
static void fill_nodes(struct acting *a, struct gate_job *job)
{
	const struct deploy_plan *p = a->plan;
	size_t n = p->is_whole ? a->scope->n_nodes : p->n_units;
	const char **changed = arena_zeroed(&job->arena, n + 1, sizeof *changed), **untouched = arena_zeroed(&job->arena, n + 1, sizeof *untouched);
	struct gate_question *q = &job->question;
	if (changed == NULL || untouched == NULL)
		return;
	if (p->is_whole) /* one unit, all nodes of the model behind it */
		for (size_t i = 0; i < a->scope->n_nodes; i++)
			changed[q->n_changed++] = arena_text(&job->arena, a->scope->nodes[i]);
	else
		for (size_t i = 0; i < p->n_units; i++) {
			const struct plan_unit *u = &p->units[i];
			if (u->is_same || u->skipped[0] != '\0')
				continue;
			if (u->wave == a->gate.wave && run_was_changed(a->run, i))
				changed[q->n_changed++] = arena_text(&job->arena, u->unit.node);
			else if (u->wave > a->gate.wave)
				untouched[q->n_untouched++] = arena_text(&job->arena, u->unit.node);
		}
	q->changed = changed;
	q->untouched = untouched;
}

static struct gate_job *job_new(struct acting *a)
{
	struct gate_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return NULL;
	arena_init(&job->arena);
	job->acting = a;
	job->deploying = a->deploying;
	job->gate = a->plan->gate;
	job->question = (struct gate_question){ .gate = &job->gate, .model = arena_text(&job->arena, a->plan->model),
		                                .version = arena_text(&job->arena, a->plan->to != NULL ? a->plan->to->label : ""), .began_ms = a->began_ms, .since_ms = a->gate.since_ms,
		                                .now_ms = clock_wall_ms(a->deploying->o.clock) };
	fill_nodes(a, job);
	if (!arena_failed(&job->arena))
		return job;
	job_free(job);
	return NULL;
}

void acting_gate_step(struct acting *a)
{
	struct deploying *d = a->deploying;
	if (a->gate.seq == 0 || a->gate.is_looking || a->gate.report.verdict != GATE_WAIT || clock_mono_ms(d->o.clock) < a->gate.next_ms)
		return;
	struct gate_job *job = job_new(a);
	if (job == NULL)
		return;
	d->n_open++;
	if (loop_work_new(d->o.loop, gate_work, gate_done, job, NULL, NULL) != ERR_OK) {
		d->n_open--;
		job_free(job);
		return;
	}
	a->gate.job = job;
	a->gate.is_looking = true;
}

void acting_gate_leave(struct acting *a)
{
	if (a->gate.job != NULL)
		a->gate.job->acting = NULL;
	a->gate.job = NULL;
	a->gate.is_looking = false;
}
