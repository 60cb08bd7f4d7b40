/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/incident.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sim/random.h"

/* Triton has no series for the temperature of a GPU: there, heat would be felt but not seen. */
enum { ANY = (1 << SERVER_KINDS) - 1, LLM = 1 << SERVER_VLLM, SHOWS_HEAT = ANY & ~(1 << SERVER_TRITON) };
/* TensorFlow Serving and TorchServe only tell of requests that are done: one that hangs looks like one that nobody asks. */
enum { SHOWS_QUEUE = 1 << SERVER_VLLM | 1 << SERVER_TRITON };

static const struct incident incidents[INCIDENT_COUNT] = {
	{ .name = "bad-deploy", .summary = "a new version on half a group: slower, more errors, somewhat less accurate",
	  .kinds = ANY, .share = 0.5, .duration_s = 180, .ramp_s = 1, .service_x = 1.55, .error_ratio = 0.06, .accuracy = -0.05,
	  .cooling_x = 1, .context_x = 1, .new_version = true },
	{ .name = "gpu-throttle", .summary = "cooling fails: hot GPUs lower their clocks, power falls, latency rises",
	  .kinds = SHOWS_HEAT, .share = 0.25, .duration_s = 180, .ramp_s = 10, .service_x = 1, .cooling_x = 2.6, .context_x = 1 },
	{ .name = "node-down", .summary = "a machine is gone: connections are refused, its group carries the load",
	  .kinds = ANY, .share = 0.01, .duration_s = 150, .service_x = 1, .cooling_x = 1, .context_x = 1, .down = DOWN_NODE },
	{ .name = "kv-thrash", .summary = "long prompts fill the KV cache: preemptions, a queue, late first tokens",
	  .kinds = LLM, .share = 0.4, .duration_s = 150, .ramp_s = 15, .service_x = 1, .cooling_x = 1, .context_x = 2.6 },
	{ .name = "accuracy-drop", .summary = "answers get worse while every other signal stays as it was",
	  .kinds = ANY, .share = 0.6, .duration_s = 180, .ramp_s = 12, .service_x = 1, .accuracy = -0.14, .cooling_x = 1, .context_x = 1 },
	{ .name = "flapping-node", .summary = "a server crashes and comes back every 40 seconds",
	  .kinds = ANY, .share = 0.01, .duration_s = 200, .service_x = 1, .cooling_x = 1, .context_x = 1,
	  .down = DOWN_SERVER, .period_s = 40, .down_s = 16 },
	{ .name = "hung-engine", .summary = "an engine takes requests and finishes none, its GPUs busy for nothing",
	  .kinds = SHOWS_QUEUE, .share = 0.01, .duration_s = 210, .service_x = 1, .cooling_x = 1, .context_x = 1, .hangs = true },
	{ .name = "gpu-fault", .summary = "a GPU meets memory errors that ECC cannot put right, and reports an Xid",
	  .kinds = SHOWS_HEAT, .share = 0.01, .duration_s = 150, .service_x = 1, .cooling_x = 1, .context_x = 1, .gpu_fault = true },
	{ .name = "label-explosion", .summary = "a server begins to count requests by user: 200,000 more series",
	  .kinds = ANY, .share = 0.01, .duration_s = 240, .ramp_s = 10, .service_x = 1, .cooling_x = 1, .context_x = 1, .users = 200000 },
	{ .name = "label-churn", .summary = "a server has other label values each second: 500 series that never come back",
	  .kinds = ANY, .share = 0.01, .duration_s = 240, .service_x = 1, .cooling_x = 1, .context_x = 1, .users = 500, .new_users = true },
};

const struct incident *incident_at(size_t i)
{
	assert(i < INCIDENT_COUNT);
	return &incidents[i];
}

const struct incident *incident_find(const char *name)
{
	for (size_t i = 0; i < INCIDENT_COUNT; i++)
		if (strcmp(incidents[i].name, name) == 0)
			return &incidents[i];
	return NULL;
}

void schedule_demo(struct schedule *s, uint64_t seed)
{
	/* The first trouble comes when the console has a minute of history; the next one while it still lasts. */
	enum { FIRST_S = 25, GAP_S = 70 };
	*s = (struct schedule){ .seed = seed, .n = INCIDENT_DEMO };
	for (size_t i = 0; i < INCIDENT_DEMO; i++)
		s->entries[i] = (struct scheduled){ &incidents[i], FIRST_S + GAP_S * (double)i, GAP_S * (double)INCIDENT_DEMO, false };
}

static enum err unknown_incident(const char *name, struct why *why)
{
	char names[INCIDENT_COUNT * 20] = "";
	for (size_t i = 0, n = 0; i < INCIDENT_COUNT && n < sizeof names; i++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i == 0 ? "" : i + 1 < INCIDENT_COUNT ? ", " : " and ", incidents[i].name);
	return why_set(why, ERR_NOT_FOUND, "no incident is called '%s'; there are %s", name, names);
}

enum err schedule_add(struct schedule *s, const char *text, struct why *why)
{
	char        name[32];
	const char *at = strchr(text, '@');
	size_t      n = at != NULL ? (size_t)(at - text) : strlen(text);
	double      start_s = 0;
	if (s->n == SCHEDULE_MAX)
		return why_set(why, ERR_LIMIT, "more than %d incidents", SCHEDULE_MAX);
	if (n >= sizeof name)
		return unknown_incident(text, why);
	memcpy(name, text, n);
	name[n] = '\0';
	const struct incident *incident = incident_find(name);
	if (incident == NULL)
		return unknown_incident(name, why);
	if (at != NULL && parse_f64(at + 1, 0, 1e6, &start_s) != ERR_OK)
		return why_set(why, ERR_USAGE, "'%s' does not begin at a number of seconds; write '%s@30'", text, name);
	s->entries[s->n++] = (struct scheduled){ incident, start_s, 0, incident->new_version };
	return ERR_OK;
}

/* One incident of the schedule at a time: when it began, and whom it hits. */
struct strike {
	double since_s;
	size_t group, first, count; /* nodes first, first + 1 ... of the group, going round */
};

/* Walks from a random group to the first that the incident can hit. */
static bool choose_group(const struct scheduled *e, const struct roster *f, uint64_t dice, size_t *out)
{
	for (size_t k = 0; k < f->n_groups; k++) {
		size_t g = (size_t)((dice + k) % f->n_groups);
		if ((e->incident->kinds >> f->groups[g].spec->kind & 1) != 0) {
			*out = g;
			return true;
		}
	}
	return false;
}

static bool strike_at(const struct schedule *s, size_t entry, const struct roster *f, double t_s, struct strike *out)
{
	const struct scheduled *e = &s->entries[entry];
	double                  since = t_s - e->start_s, round = 0;
	if (since < 0)
		return false;
	if (e->repeat_s > 0) {
		round = floor(since / e->repeat_s);
		since -= round * e->repeat_s;
	}
	if (e->incident->duration_s > 0 && since >= e->incident->duration_s && !e->stays)
		return false;
	uint64_t dice = random_bits(s->seed, UINT64_C(0x1c1de27) + entry, (uint64_t)round);
	if (!choose_group(e, f, dice & 0xffffff, &out->group))
		return false;
	const struct roster_group *g = &f->groups[out->group];
	size_t                    count = (size_t)ceil(e->incident->share * (double)g->count - 1e-9);
	out->since_s = since;
	out->count = count > 0 ? count : 1;
	out->first = (size_t)((dice >> 24) % g->count);
	return true;
}

static bool is_down_now(const struct incident *i, double since_s)
{
	if (i->down == DOWN_NOT)
		return false;
	return i->period_s <= 0 || fmod(since_s, i->period_s) < i->down_s;
}

static void apply(const struct incident *i, double since_s, struct effects *to)
{
	double strength = i->ramp_s > 0 ? fmin(1, since_s / i->ramp_s) : 1;
	to->incident = i;
	to->service_x *= 1 + (i->service_x - 1) * strength;
	to->error_ratio += i->error_ratio * strength;
	to->accuracy += i->accuracy * strength;
	to->cooling_x *= 1 + (i->cooling_x - 1) * strength;
	to->context_x *= 1 + (i->context_x - 1) * strength;
	to->new_version |= i->new_version;
	to->hangs |= i->hangs;
	to->gpu_fault |= i->gpu_fault;
	to->new_users |= i->new_users;
	to->users += (size_t)((double)i->users * strength);
	if (is_down_now(i, since_s) && i->down > to->down)
		to->down = i->down;
}

/* The next version is as bad when it is deployed by hand. */
static void apply_deployment(const struct deployment *d, double t_s, struct effects *to)
{
	if (d->version == DEPLOYED_NEXT && t_s >= d->until_s)
		for (size_t i = 0; i < INCIDENT_COUNT; i++)
			if (incidents[i].new_version)
				apply(&incidents[i], t_s - d->until_s, to);
	if (t_s < d->until_s && to->down < DOWN_SERVER)
		to->down = DOWN_SERVER;
}

void schedule_effects(const struct schedule *s, const struct roster *f, size_t node, double t_s, struct effects *out)
{
	const struct deployment    nothing = { DEPLOYED_NOTHING, 0 }, *deployed = s->deployments != NULL ? &s->deployments[node] : &nothing;
	const struct roster_node  *n = &f->nodes[node];
	const struct roster_group *g = &f->groups[n->group];
	double                    serving = (double)g->count;

	*out = (struct effects){ .load_x = 1, .service_x = 1, .cooling_x = 1, .context_x = 1 };
	for (size_t i = 0; i < s->n; i++) {
		struct strike strike;
		if (!strike_at(s, i, f, t_s, &strike) || strike.group != n->group)
			continue;
		size_t rank = (n->rank + g->count - strike.first) % g->count;
		if (rank < strike.count && !(s->entries[i].incident->new_version && deployed->version != DEPLOYED_NOTHING))
			apply(s->entries[i].incident, strike.since_s, out);
		if (is_down_now(s->entries[i].incident, strike.since_s))
			serving -= (double)strike.count;
	}
	apply_deployment(deployed, t_s, out);
	/* The balancer sends the share of nodes that are gone to the others, and sheds what would more than half again their load. */
	out->load_x = fmin(1.5, (double)g->count / fmax(1, serving));
}
