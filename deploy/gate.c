/* SPDX-License-Identifier: Apache-2.0
 *
 * What is compared is the median of the samples in the last two thirds of the soak (a model that was just loaded is slow at first) with the same nodes' window before the run, and with nodes
 * of the same scope that are not touched yet, at the same time. Time itself is a change, and a canary may be unlike others: so a signal fails only if it is worse than both, where both are
 * there. (Google SRE workbook, "Canarying Releases"; what Kayenta calls no data fails here too.) */
#include "deploy/gate.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stale.h"
#include "rules/signal.h"
#include "store/alerts.h"

enum { SAMPLES_MAX = 2000000, UP_SAMPLES = 3, FRESH_MS = 60 * 1000, NAMES_SHOWN = 3, LATE_MS = 15 * 1000 };

/* ---- samples ---- */

struct samples {
	double *v;
	size_t  n, cap;
	bool    failed;
};

static void add(struct samples *s, double v)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : s->cap * 2;
		double *more = realloc(s->v, cap * sizeof *more);
		if (more == NULL) {
			s->failed = true;
			return;
		}
		s->v = more;
		s->cap = cap;
	}
	s->v[s->n++] = v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(struct samples *s)
{
	if (s->n == 0)
		return (double)NAN;
	qsort(s->v, s->n, sizeof *s->v, by_value);
	return s->n % 2 != 0 ? s->v[s->n / 2] : (s->v[s->n / 2 - 1] + s->v[s->n / 2]) / 2;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static const char *node_of(const struct labels *l)
{
	const char *node = labels_get(l, "node");
	return node[0] != '\0' ? node : labels_get(l, "instance");
}

/* A series that says its model is of that one; what has none (a machine's GPUs) counts for all. */
static bool is_of_model(const struct labels *l, const char *model)
{
	const char *said = labels_get(l, "model");
	return said[0] == '\0' || model[0] == '\0' || strcmp(said, model) == 0;
}

struct gate_sight {
	struct reader              *r;
	const struct gate_question *q;
	struct gate_report         *out;
};

static enum err select_signal(struct gate_sight *l, enum signal_id id, int64_t after_ms, int64_t until_ms, struct series_set *out, struct why *why)
{
	struct matcher m;
	enum err e = matcher_init(&m, MATCH_EQUAL, LABEL_NAME, signal_info(id)->metric, why);
	if (e != ERR_OK)
		return e;
	e = reader_select(l->r, &m, 1, after_ms, until_ms, SAMPLES_MAX, out, why);
	matcher_release(&m);
	return e;
}

/* Over all samples of these nodes; NAN: there is none. */
static enum err middle(struct gate_sight *l, enum signal_id id, const char *const *nodes, size_t n, int64_t after_ms, int64_t until_ms, double *out, struct why *why)
{
	struct series_set set = { 0 };
	struct samples s = { 0 };
	*out = (double)NAN;
	if (n == 0 || until_ms <= after_ms)
		return ERR_OK;
	enum err e = select_signal(l, id, after_ms, until_ms, &set, why);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		const struct series *one = &set.items[i];
		if (!is_among(node_of(one->labels), nodes, n) || !is_of_model(one->labels, l->q->model))
			continue;
		for (size_t k = 0; k < one->n; k++)
			if (!isnan(one->v[k]))
				add(&s, one->v[k]);
	}
	if (e == ERR_OK && s.failed)
		e = why_memory(why);
	if (e == ERR_OK)
		*out = median(&s);
	free(s.v);
	series_set_release(&set);
	return e;
}

/* ---- findings ---- */

static struct gate_finding *find(struct gate_sight *l, const char *what, enum gate_verdict v, const char *format, ...) __attribute__((format(printf, 4, 5)));
static struct gate_finding *find(struct gate_sight *l, const char *what, enum gate_verdict v, const char *format, ...)
{
	va_list args;
	assert(l->out->n_findings < GATE_FINDINGS_MAX); /* one a kind */
	struct gate_finding *f = &l->out->findings[l->out->n_findings++];
	*f = (struct gate_finding){ .what = what, .verdict = v, .changed = (double)NAN, .before = (double)NAN, .untouched = (double)NAN, .limit = (double)NAN };
	va_start(args, format);
	vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	return f;
}

static int64_t settled_ms(const struct gate_question *q)
{
	return q->since_ms + q->gate->soak_ms / 3;
}

static bool is_soaked(const struct gate_question *q)
{
	return q->now_ms - q->since_ms >= q->gate->soak_ms;
}

/* How one signal is compared. */
struct comparison {
	const char    *what;
	enum signal_id id;
	bool           is_ratio; /* limit times the baseline, else so much beside it */
	double         sign;     /* +1: more is worse; -1: less is */
	double         limit;
	bool           is_needed; /* nothing said is no data; else it is left out where it was not said before either */
};

static bool is_worse(const struct comparison *c, double changed, double base)
{
	if (isnan(base))
		return false;
	if (c->is_ratio)
		return base > 0 ? changed > base * c->limit : false;
	return (changed - base) * c->sign > c->limit;
}

static void print_finding(const struct comparison *c, struct gate_finding *f)
{
	char changed[UNIT_TEXT_SIZE], before[UNIT_TEXT_SIZE], untouched[UNIT_TEXT_SIZE], limit[UNIT_TEXT_SIZE + 8];
	enum signal_unit u = signal_info(c->id)->unit;
	unit_format(u, f->changed, 8, changed);
	unit_format(u, f->before, 8, before);
	unit_format(u, f->untouched, 8, untouched);
	if (c->is_ratio) {
		snprintf(limit, sizeof limit, "x%.2f", c->limit);
	} else {
		char text[UNIT_TEXT_SIZE];
		snprintf(limit, sizeof limit, "%c%s", c->sign > 0 ? '+' : '-', unit_format(u, c->limit, 8, text));
	}
	int n = snprintf(f->text, sizeof f->text, "%s %s", c->what, changed);
	if (!isnan(f->before))
		n += snprintf(f->text + n, sizeof f->text - (size_t)n, ", before %s", before);
	if (!isnan(f->untouched))
		n += snprintf(f->text + n, sizeof f->text - (size_t)n, ", others %s", untouched);
	snprintf(f->text + n, sizeof f->text - (size_t)n, ", limit %s", limit);
}

static enum err compare(struct gate_sight *l, const struct comparison *c, struct why *why)
{
	const struct gate_question *q = l->q;
	double changed, before, untouched;
	if (c->limit <= 0)
		return ERR_OK;
	enum err e = middle(l, c->id, q->changed, q->n_changed, settled_ms(q), q->now_ms, &changed, why);
	if (e == ERR_OK)
		e = middle(l, c->id, q->changed, q->n_changed, q->began_ms - q->gate->window_ms, q->began_ms, &before, why);
	if (e == ERR_OK)
		e = middle(l, c->id, q->untouched, q->n_untouched, settled_ms(q), q->now_ms, &untouched, why);
	if (e != ERR_OK)
		return e;
	if (isnan(changed)) {
		bool was_there = !isnan(before) || !isnan(untouched);
		if (was_there || c->is_needed)
			find(l, c->what, is_soaked(q) ? GATE_NO_DATA : GATE_WAIT, "%s: nothing is said of it%s", c->what, was_there ? ", it was before" : "");
		return ERR_OK;
	}
	struct gate_finding *f = find(l, c->what, GATE_PASSED, "%s", "");
	f->changed = changed;
	f->before = before;
	f->untouched = untouched;
	f->limit = c->limit;
	if (isnan(before) && isnan(untouched))
		f->verdict = c->is_needed ? GATE_NO_DATA : GATE_PASSED;
	else if ((isnan(before) || is_worse(c, changed, before)) && (isnan(untouched) || is_worse(c, changed, untouched)))
		f->verdict = GATE_NOT;
	print_finding(c, f);
	return ERR_OK;
}

/* ---- up ---- */

struct names {
	char   text[120];
	size_t n;
};

static void name(struct names *to, const char *node)
{
	size_t at = strlen(to->text);
	if (to->n++ < NAMES_SHOWN)
		snprintf(to->text + at, sizeof to->text - at, "%s%.30s", at > 0 ? ", " : "", node);
}

/* What is to be polled anew may come a little after a soak that is shorter than the pauses between polls: what a node said before the soak is no word about how it is now. */
static enum gate_verdict verdict_of_unseen(const struct gate_question *q)
{
	return q->now_ms < q->since_ms + q->gate->soak_ms + LATE_MS ? GATE_WAIT : GATE_NOT;
}

enum sight { SIGHT_GOOD, SIGHT_BAD, SIGHT_NONE /* not polled since the soak began */ };

/* The newest sample of a node's series is fresh, and the last ones of the soak all say 1. */
static enum sight sight_of_up(const struct series_set *set, const char *node, const struct gate_question *q)
{
	enum sight seen = SIGHT_BAD;
	for (size_t i = 0; i < set->n; i++) {
		const struct series *s = &set->items[i];
		if (strcmp(node_of(s->labels), node) != 0)
			continue;
		if (s->n == 0 || q->now_ms - s->t_ms[s->n - 1] > FRESH_MS)
			return SIGHT_BAD;
		if (s->t_ms[s->n - 1] < q->since_ms)
			return SIGHT_NONE;
		for (size_t k = s->n > UP_SAMPLES ? s->n - UP_SAMPLES : 0; k < s->n; k++)
			if (s->t_ms[k] >= q->since_ms && !(s->v[k] > 0)) /* 0, stale, not a number */
				return SIGHT_BAD;
		seen = SIGHT_GOOD;
	}
	return seen;
}

/* Of all nodes that were changed. */
static void find_seen(struct gate_sight *l, const char *what, const struct names *bad, const struct names *unseen, const char *bad_words, const char *good_words)
{
	const struct gate_question *q = l->q;
	if (bad->n > 0)
		find(l, what, is_soaked(q) ? GATE_NOT : GATE_WAIT, "%s: %zu of %zu %s: %s%s", what, bad->n, q->n_changed, bad_words, bad->text, bad->n > NAMES_SHOWN ? ", ..." : "");
	else if (unseen->n > 0)
		find(l, what, verdict_of_unseen(q), "%s: %zu of %zu not polled since: %s%s", what, unseen->n, q->n_changed, unseen->text, unseen->n > NAMES_SHOWN ? ", ..." : "");
	else
		find(l, what, GATE_PASSED, "%s: all %zu %s", what, q->n_changed, good_words);
}

static enum err look_up(struct gate_sight *l, struct why *why)
{
	const struct gate_question *q = l->q;
	struct series_set set = { 0 };
	struct names down = { 0 }, unseen = { 0 };
	enum err e = select_signal(l, SIGNAL_UP, q->since_ms - FRESH_MS, q->now_ms, &set, why);
	for (size_t i = 0; i < q->n_changed && e == ERR_OK; i++) {
		enum sight s = sight_of_up(&set, q->changed[i], q);
		if (s != SIGHT_GOOD)
			name(s == SIGHT_BAD ? &down : &unseen, q->changed[i]);
	}
	series_set_release(&set);
	if (e == ERR_OK)
		find_seen(l, "up", &down, &unseen, "not", "answer");
	return e;
}

/* ---- version ---- */

/* What a node's series say now: only that version. */
static enum sight sight_of_version(const struct series_set *set, const char *node, const struct gate_question *q)
{
	enum sight seen = SIGHT_BAD;
	for (size_t i = 0; i < set->n; i++) {
		const struct series *s = &set->items[i];
		if (strcmp(node_of(s->labels), node) != 0 || s->n == 0 || isnan(s->v[s->n - 1]))
			continue;
		const char *said = signal_label(s->labels, "model");
		if (said[0] != '\0' && q->model[0] != '\0' && strcmp(said, q->model) != 0 && strcmp(labels_get(s->labels, "model"), q->model) != 0)
			continue;
		if (s->t_ms[s->n - 1] < q->since_ms)
			return SIGHT_NONE;
		if (strcmp(signal_label(s->labels, "version"), q->version) != 0)
			return SIGHT_BAD;
		seen = SIGHT_GOOD;
	}
	return seen;
}

static enum err look_version(struct gate_sight *l, struct why *why)
{
	const struct gate_question *q = l->q;
	struct series_set set = { 0 };
	struct names other = { 0 }, unseen = { 0 };
	char bad[64], good[64];
	if (q->version[0] == '\0')
		return ERR_OK;
	enum err e = select_signal(l, SIGNAL_VERSION, q->now_ms - FRESH_MS, q->now_ms, &set, why);
	for (size_t i = 0; i < q->n_changed && e == ERR_OK; i++) {
		enum sight s = sight_of_version(&set, q->changed[i], q);
		if (s != SIGHT_GOOD)
			name(s == SIGHT_BAD ? &other : &unseen, q->changed[i]);
	}
	series_set_release(&set);
	snprintf(bad, sizeof bad, "do not serve %.40s", q->version);
	snprintf(good, sizeof good, "serve %.50s", q->version);
	if (e == ERR_OK)
		find_seen(l, "version", &other, &unseen, bad, good);
	return e;
}

/* ---- requests ---- */

static enum err look_requests(struct gate_sight *l, struct why *why)
{
	const struct gate_question *q = l->q;
	struct series_set set = { 0 };
	double sum = 0;
	if (q->gate->min_requests <= 0)
		return ERR_OK;
	enum err e = select_signal(l, SIGNAL_REQUESTS, q->since_ms, q->now_ms, &set, why);
	for (size_t i = 0; i < set.n && e == ERR_OK; i++) {
		const struct series *s = &set.items[i];
		double rate = 0, n = 0;
		if (!is_among(node_of(s->labels), q->changed, q->n_changed) || !is_of_model(s->labels, q->model))
			continue;
		for (size_t k = 0; k < s->n; k++)
			if (!isnan(s->v[k])) {
				rate += s->v[k];
				n++;
			}
		sum += n > 0 ? rate / n * (double)(q->now_ms - q->since_ms) / 1000 : 0;
	}
	series_set_release(&set);
	if (e != ERR_OK)
		return e;
	bool is_enough = sum >= (double)q->gate->min_requests;
	find(l, "requests", is_enough ? GATE_PASSED : is_soaked(q) ? GATE_NO_DATA : GATE_WAIT, "requests: %.0f, %lld are wanted", floor(sum),
	     (long long)q->gate->min_requests);
	return ERR_OK;
}

/* ---- alerts ---- */

struct firing {
	const struct gate_question *q;
	struct names                names;
};

/* A critical alert that began with the run, on what was changed or on the model as a whole. One that was pending already began for another reason, often the one for which
 * the run was begun. */
static enum err see_alert(void *ctx, const struct alert_row *a)
{
	struct firing *f = ctx;
	const char *node = node_of(a->labels);
	if (a->severity < SEVERITY_CRIT || a->fired_ms == 0 || a->active_ms < f->q->began_ms || a->resolved_ms != 0 || !is_of_model(a->labels, f->q->model))
		return ERR_OK;
	if (node[0] != '\0' ? is_among(node, f->q->changed, f->q->n_changed) : labels_get(a->labels, "model")[0] != '\0')
		name(&f->names, a->rule);
	return ERR_OK;
}

static enum err look_alerts(struct gate_sight *l, struct why *why)
{
	struct firing f = { .q = l->q };
	enum err e = reader_alerts(l->r, l->q->now_ms, 0, 0, see_alert, &f, why);
	if (e == ERR_OK && f.names.n > 0)
		find(l, "alerts", GATE_NOT, "alerts: critical since the run began: %s%s", f.names.text, f.names.n > NAMES_SHOWN ? ", ..." : "");
	return e;
}

/* ---- the verdict ---- */

/* What decides: a failure before what is missing, that before what may still come. */
static void decide(struct gate_sight *l)
{
	static const enum gate_verdict order[] = { GATE_NOT, GATE_NO_DATA, GATE_WAIT };
	struct gate_report *g = l->out;
	for (size_t o = 0; o < sizeof order / sizeof order[0]; o++)
		for (size_t i = 0; i < g->n_findings; i++) {
			const struct gate_finding *f = &g->findings[i];
			bool is_early = !is_soaked(l->q) && strcmp(f->what, "alerts") != 0; /* the others may still get better */
			if (f->verdict != order[o] || is_early)
				continue;
			g->verdict = order[o];
			snprintf(g->text, sizeof g->text, "%s", f->text);
			return;
		}
	int64_t left_ms = l->q->since_ms + l->q->gate->soak_ms - l->q->now_ms;
	g->verdict = is_soaked(l->q) ? GATE_PASSED : GATE_WAIT;
	if (g->verdict == GATE_PASSED)
		snprintf(g->text, sizeof g->text, "all is as it was before, or better");
	else
		snprintf(g->text, sizeof g->text, "soaks for %lld s more", (long long)((left_ms + 999) / 1000));
}

enum err gate_look(struct reader *r, const struct gate_question *q, struct gate_report *out, struct why *why)
{
	const struct comparison comparisons[] = {
		{ "p99", SIGNAL_LATENCY_P99, true, 1, q->gate->latency_ratio, true },
		{ "errors", SIGNAL_ERRORS, false, 1, q->gate->error_add, true },
		{ "quality", SIGNAL_ACCURACY, false, -1, q->gate->quality_drop, false },
		{ "GPU memory", SIGNAL_GPU_MEMORY, true, 1, q->gate->memory_ratio, false },
	};
	struct gate_sight l = { .r = r, .q = q, .out = out };
	*out = (struct gate_report){ .verdict = GATE_WAIT };
	enum err e = look_up(&l, why);
	if (e == ERR_OK)
		e = look_version(&l, why);
	if (e == ERR_OK)
		e = look_requests(&l, why);
	for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0] && e == ERR_OK; i++)
		e = compare(&l, &comparisons[i], why);
	if (e == ERR_OK)
		e = look_alerts(&l, why);
	if (e == ERR_OK)
		decide(&l);
	return e;
}

enum err gate_print(const struct gate_report *g, struct buf *to)
{
	static const char *const words[] = { [GATE_WAIT] = "wait", [GATE_PASSED] = "ok", [GATE_NOT] = "FAIL", [GATE_NO_DATA] = "no data" };
	for (size_t i = 0; i < g->n_findings; i++)
		buf_printf(to, "%s  %s\n", words[g->findings[i].verdict], g->findings[i].text);
	buf_printf(to, "%s\n", g->text);
	return to->err;
}
