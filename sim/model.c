/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/model.h"

#include <math.h>

#include "sim/random.h"

/* Streams of random numbers, one for each use. */
enum stream { STREAM_LOAD = 1, STREAM_ACCURACY, STREAM_POWER, STREAM_CHARACTER, STREAMS };

static const double inlet_celsius = 29;
static const double throttle_celsius = 86; /* where clocks begin to fall */
static const double patience_s = 45;       /* callers give up after waiting so long */

static double clamp(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

/* v goes towards target with time constant tau_s. */
static double follow(double v, double target, double tau_s) { return target + (v - target) * exp(-MODEL_TICK_S / tau_s); }

static const struct group_spec *spec_of(const struct model_node *n) { return n->roster->groups[n->roster->nodes[n->index].group].spec; }

static double noise(const struct model_node *n, enum stream s)
{
	return random_normal(n->roster->seed, (uint64_t)n->index * STREAMS + (uint64_t)s, (uint64_t)n->tick);
}

/* A trait of the node, in [-1, 1): some machines stand in a warmer rack. */
static double character(const struct model_node *n)
{
	return 2 * random_unit(n->roster->seed, STREAM_CHARACTER, n->index) - 1;
}

double lognormal_median(double mean, double sigma) { return mean / exp(sigma * sigma / 2); }

double lognormal_quantile(double mean, double sigma, double p)
{
	/* Quantiles of the standard normal; only those that servers print. */
	double z = p >= 0.999 ? 3.090232 : p >= 0.99 ? 2.326348 : p >= 0.95 ? 1.644854 : p >= 0.9 ? 1.281552 : 0;
	return lognormal_median(mean, sigma) * exp(sigma * z);
}

/* The day (the sim begins in mid-morning), a wave of a quarter of an hour, and a restless minute. */
static double demand(const struct model_node *n, double t_s)
{
	double day = sin(2 * M_PI * (t_s / 86400 + 0.12)), quarter = sin(2 * M_PI * t_s / 900 + (double)n->roster->nodes[n->index].group);
	double node = sin(2 * M_PI * t_s / 83 + 7 * character(n));
	return 0.92 + 0.10 * day + 0.06 * quarter + 0.03 * node + 0.05 * character(n);
}

/* Seconds that one request holds a slot. Token makers decode slower the more requests share a step. */
static void time_service(const struct group_spec *g, const struct effects *e, double busy, double clock, struct observation *o)
{
	double slow = e->service_x / clock;
	o->prompt_tokens = g->prompt_tokens * e->context_x;
	o->output_tokens = g->output_tokens;
	if (g->kind != SERVER_VLLM) {
		o->service_s = g->service_s * slow;
		return;
	}
	o->prefill_s = g->service_s * slow * e->context_x * (1 + 0.5 * busy);
	o->gap_s = g->gap_s * slow * (1 + 0.45 * busy);
	o->service_s = o->prefill_s + o->gap_s * g->output_tokens;
}

/* Requests that may run at once. When their contexts do not fit the KV cache, fewer do, and thrown-back work is done twice. */
static double usable_slots(const struct group_spec *g, const struct effects *e, double wanted, struct observation *o)
{
	if (g->kind != SERVER_VLLM)
		return g->slots;
	double each = g->prompt_tokens * e->context_x + g->output_tokens / 2, fits = g->kv_tokens / each;
	double over = clamp(wanted / fits - 1, 0, 1);
	o->preemptions = over * 1.6;
	o->kv_ratio = clamp(fmin(wanted, g->slots) / fits, 0, 0.998 - 0.006 * (1 - over));
	return fmin(g->slots, fits) * (1 - 0.22 * over);
}

/* The queue of one tick: mean waiting by Sakasegawa's approximation of M/G/c while there is capacity to spare ("An approximation formula
 * Lq = a b^p / (1 - p)", 1977), a fluid backlog when there is not. */
static void run_queue(struct model_node *n, double slots, double arrivals, struct observation *o)
{
	double capacity = slots / o->service_s;
	double rho = arrivals / capacity, safe = clamp(rho, 0, 0.97);
	double variation = (1 + exp(o->sigma * o->sigma) - 1) / 2;
	double smooth = safe > 0 ? variation * pow(safe, sqrt(2 * (slots + 1)) - 1) / (slots * (1 - safe)) * o->service_s : 0;

	double offered = arrivals * MODEL_TICK_S + n->backlog, done = o->hangs ? 0 : fmin(offered, capacity * MODEL_TICK_S);
	double left = offered - done, most = capacity * patience_s;
	o->aborted = left > most ? (left - most) / MODEL_TICK_S : 0;
	n->backlog = fmin(left, most);
	o->utilisation = rho;
	o->completed = done / MODEL_TICK_S;
	o->running = o->hangs ? slots : fmin(slots, o->completed * o->service_s);
	o->wait_s = smooth + n->backlog / capacity;
	o->waiting = n->backlog + arrivals * smooth;
}

/* Busy chips draw power, power heats, heat lowers the clock. */
static void run_gpus(struct model_node *n, const struct effects *e, const struct observation *before, struct observation *o)
{
	const struct group_spec *g = spec_of(n);
	double occupied = clamp(o->running / g->slots, 0, 1);
	double util = o->completed > 0 ? clamp(0.18 + 0.85 * pow(occupied, 0.75), 0, 1) : 0; /* nothing is completed while it is down */
	if ((o->utilisation > 1 && util > 0) || o->hangs)
		util = fmax(util, 0.97);
	double clock = clamp(1 - (before->gpu_celsius - throttle_celsius) / 11, 0.45, 1);
	double pull = g->gpu->idle_w + (g->gpu->limit_w - g->gpu->idle_w) * 0.78 * pow(util, 0.8) * clock * clock;
	double resistance = g->gpu->kelvin_per_watt * (1 + 0.06 * character(n)) * e->cooling_x;

	o->gpu_util = clamp(follow(before->gpu_util, util, 2.5), 0, 1);
	o->gpu_watts = clamp(follow(before->gpu_watts, pull * (1 + 0.012 * noise(n, STREAM_POWER)), 2), g->gpu->idle_w * 0.9,
	                     g->gpu->limit_w);
	o->gpu_celsius = follow(before->gpu_celsius, inlet_celsius + o->gpu_watts * resistance, 14);
	o->clock_ratio = clock;
	o->gpu_memory = o->down == DOWN_NODE ? before->gpu_memory : o->down == DOWN_SERVER ? 0.004 : g->weights_ratio + 0.05 * occupied;
}

static void run_quality(struct model_node *n, const struct effects *e, const struct observation *before, struct observation *o)
{
	const struct group_spec *g = spec_of(n);
	n->accuracy_noise = 0.9 * n->accuracy_noise + 0.0012 * noise(n, STREAM_ACCURACY);
	double target = clamp(g->accuracy + 0.004 * character(n) + e->accuracy, 0, 1);
	double level = before->accuracy > 0 ? follow(before->accuracy, target, 6) : target;
	o->accuracy = clamp(level + 0.3 * n->accuracy_noise, 0, 1);
}

static void run_server(struct model_node *n, const struct effects *e, const struct observation *before, struct observation *o)
{
	const struct group_spec *g = spec_of(n);
	struct effects           usual = { .service_x = 1, .context_x = 1 };
	struct observation       calm = { 0 };
	double                   clock = before->clock_ratio > 0 ? before->clock_ratio : 1;

	time_service(g, &usual, g->load, 1, &calm);
	o->arrivals = g->load * g->slots / calm.service_s * demand(n, (double)n->tick * MODEL_TICK_S) * (1 + n->load_noise) * e->load_x;
	o->sigma = g->sigma;
	time_service(g, e, clamp(before->running / g->slots, 0, 1), clock, o);
	double wanted = o->arrivals * o->service_s + n->backlog;
	run_queue(n, usable_slots(g, e, wanted, o), o->arrivals, o);
	o->sigma += 0.28 * clamp((o->utilisation - 0.7) / 0.3, 0, 1);
	double ratio = 0.0006 + e->error_ratio;
	o->failed = o->completed * ratio;
	o->completed -= o->failed;
	o->cpu_util = 0.07 + 0.22 * clamp(o->utilisation, 0, 1.2);
	o->memory_ratio = 0.31 + 0.06 * clamp(o->utilisation, 0, 1.2);
}

void model_step(struct model_node *n)
{
	struct observation before = n->now, o = { 0 };
	struct effects     e;

	n->tick++;
	schedule_effects(n->schedule, n->roster, n->index, (double)n->tick * MODEL_TICK_S, &e);
	n->load_noise = 0.85 * n->load_noise + 0.022 * noise(n, STREAM_LOAD);
	o.down = e.down;
	o.new_version = e.new_version;
	o.incident = e.incident;
	o.hangs = e.hangs && e.down == DOWN_NOT;
	o.gpu_fault = e.gpu_fault;
	bool is_freed = before.hangs && !o.hangs; /* by starting it anew */
	n->restarted = (before.down != DOWN_NOT && e.down == DOWN_NOT) || before.new_version != e.new_version || is_freed;
	if (e.down != DOWN_NOT || is_freed)
		n->backlog = 0;
	if (e.down == DOWN_NOT)
		run_server(n, &e, &before, &o);
	run_gpus(n, &e, &before, &o);
	run_quality(n, &e, &before, &o);
	n->now = o;
}

void model_init(struct model_node *n, const struct roster *f, const struct schedule *s, size_t index)
{
	enum { SETTLE_TICKS = 60 }; /* four time constants of the slowest part, the heat */
	*n = (struct model_node){ .roster = f, .schedule = s, .index = index, .tick = -SETTLE_TICKS };
	n->now.gpu_celsius = inlet_celsius + 25;
	while (n->tick < 0)
		model_step(n);
	n->restarted = false;
}
