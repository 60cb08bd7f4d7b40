/* SPDX-License-Identifier: Apache-2.0
 *
 * Ties roster, schedule, model, pages and server together. A request brings its node up to date and prints the page; the lock is for
 * sim_truth(), which may come from another thread. */
#include "sim/sim.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/control.h"
#include "sim/exporter.h"
#include "sim/random.h"
#include "sim/server.h"

/* One port's page: its numbers at the last whole tick and at the next. */
struct outlet {
	const struct exporter *exporter;
	const struct page     *page;
	double                *before, *after;
	double                 created_s; /* Unix time */
};

enum { OUTLET_SERVER, OUTLET_GPU, OUTLETS };
enum { LOAD_S = 4, VERSION_MAX = 64 };
#define DEPLOYMENT_PATH "/pitwall/deployment"

struct sim_node {
	struct model_node model;
	struct outlet     outlets[OUTLETS]; /* OUTLET_GPU may have no exporter */
	size_t            endpoints[OUTLETS];
};

struct endpoint_of {
	size_t node;
	int    outlet;
};

struct sim {
	const struct clock *clock;
	int64_t             start_us, start_wall_ms;
	int                 first_port;
	struct roster       roster;
	struct schedule     schedule;
	struct page       **pages; /* group * OUTLETS + outlet */
	struct sim_node    *nodes;
	struct deployment  *deployments; /* of each node */
	struct control     *controls;    /* likewise */
	struct endpoint_of *endpoints;
	size_t              n_endpoints;
	pthread_mutex_t     lock;
	struct server      *server;
};

double sim_seconds(const struct sim *s) { return (double)(clock_mono_us(s->clock) - s->start_us) / 1e6; }
size_t sim_count(const struct sim *s) { return s->roster.n_nodes; }

static const struct group_spec *spec_of(const struct sim *s, size_t node) { return s->roster.groups[s->roster.nodes[node].group].spec; }

/* ---- time ---- */

static void fill_outlet(struct outlet *o, const struct group_spec *spec, const struct observation *now, double dt)
{
	struct tick t = { .page = o->page, .spec = spec, .now = now, .dt = dt, .created_s = o->created_s };
	o->exporter->fill(&t, o->after);
}

static void step_outlet(const struct sim *s, struct sim_node *n, int which, const struct group_spec *spec)
{
	struct outlet *o = &n->outlets[which];
	size_t         bytes = page_values(o->page) * sizeof *o->after;
	bool           is_server = which == OUTLET_SERVER;
	memcpy(o->before, o->after, bytes);
	if (n->model.now.down == DOWN_NODE || (is_server && n->model.now.down == DOWN_SERVER))
		return;
	if (is_server && n->model.restarted) {
		memset(o->after, 0, bytes);
		o->created_s = (double)s->start_wall_ms / 1000 + (double)n->model.tick * MODEL_TICK_S;
	}
	fill_outlet(o, spec, &n->model.now, MODEL_TICK_S);
	if (is_server && n->model.restarted)
		memcpy(o->before, o->after, bytes); /* there is no way between two lives */
}

/* Brings a node to the tick that ends after t; returns how far t is on the way there, 0 to 1. */
static double advance(struct sim *s, size_t node, double t_s)
{
	struct sim_node *n = &s->nodes[node];
	int64_t          whole = (int64_t)floor(t_s / MODEL_TICK_S);
	while (n->model.tick < whole + 1) {
		model_step(&n->model);
		for (int i = 0; i < OUTLETS; i++)
			if (n->outlets[i].exporter != NULL)
				step_outlet(s, n, i, spec_of(s, node));
	}
	double part = t_s / MODEL_TICK_S - (double)(n->model.tick - 1);
	return part < 0 ? 0 : part > 1 ? 1 : part;
}

static struct page_texts texts_of(const struct sim *s, size_t node)
{
	const struct group_spec *spec = spec_of(s, node);
	return (struct page_texts){
		.model = spec->model,
		.version = s->nodes[node].model.now.new_version ? spec->next_version : spec->version,
		.node = &s->roster.nodes[node],
		.spec = spec,
	};
}

/* ---- answers ---- */

static bool path_is(const char *pattern, const char *path, const struct page_texts *t)
{
	char       text[256];
	struct buf b;
	bool       same;
	if (strchr(pattern, '%') == NULL)
		return strcmp(pattern, path) == 0;
	buf_init(&b, sizeof text);
	same = page_expand(pattern, t, 0, &b) == ERR_OK && strcmp(buf_text(&b), path) == 0;
	buf_release(&b);
	return same;
}

static void answer_route(const struct route *r, const struct page_texts *t, struct reply *to)
{
	to->status = r->status;
	to->type = r->type;
	page_expand(r->body, t, 0, to->body);
}

/* What a server says of its users, where somebody has put their names into a label. */
static void say_users(const struct sim *s, size_t node, struct buf *to)
{
	struct effects e;
	double         t_s = sim_seconds(s);
	schedule_effects(&s->schedule, &s->roster, node, t_s, &e);
	if (e.users == 0)
		return;
	size_t first = e.new_users ? (size_t)t_s * e.users : 0;
	buf_puts(to, "# HELP http_requests_by_user_total Requests, by the user who sent them.\n# TYPE http_requests_by_user_total counter\n");
	for (size_t i = first; i < first + e.users; i++)
		buf_printf(to, "http_requests_by_user_total{user=\"u-%07zu\"} %zu\n", i, 1 + i % 7 + (size_t)t_s / 10);
}

static void answer_metrics(struct outlet *o, double part, const struct page_texts *t, struct reply *to)
{
	to->status = 200;
	to->type = o->exporter->metrics_type;
	page_render(o->page, o->before, o->after, part, t, to->body);
}

/* ---- redeploying ---- */

static void say(struct reply *to, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct reply *to, int status, const char *format, ...)
{
	va_list args;
	to->status = status;
	to->type = "application/json";
	va_start(args, format);
	buf_vprintf(to->body, format, args);
	va_end(args);
}

/* Which of the group's two versions a body like {"version":"2026.11.4"} asks for. */
static enum deployed wanted(const struct group_spec *spec, const char *body)
{
	enum deployed d = DEPLOYED_NOTHING;
	cJSON *json = NULL;
	const char *version = "";
	if (json_parse(body, strlen(body), NULL, &json, NULL) == ERR_OK && json_get_string(json, "version", VERSION_MAX, &version, NULL) == ERR_OK)
		d = strcmp(version, spec->version) == 0 ? DEPLOYED_OLD : strcmp(version, spec->next_version) == 0 ? DEPLOYED_NEXT : DEPLOYED_NOTHING;
	cJSON_Delete(json);
	return d;
}

/* What somebody deploys stays, whatever the schedule brings; it takes a while to load, and the server does not answer meanwhile. The same version again is a restart. */
static void answer_deployment(struct sim *s, size_t node, const char *method, const char *body, const struct page_texts *t, struct reply *to)
{
	const struct group_spec *spec = spec_of(s, node);
	if (strcmp(method, "POST") != 0 && sim_seconds(s) < s->deployments[node].until_s) { /* it is about to close its doors, and knows it */
		say(to, 503, "{\"error\":\"restarting\"}\n");
		return;
	}
	if (strcmp(method, "POST") != 0) {
		say(to, 200, "{\"running\":\"%s\",\"versions\":[\"%s\",\"%s\"]}\n", t->version, spec->next_version, spec->version);
		return;
	}
	enum deployed d = wanted(spec, body);
	if (d == DEPLOYED_NOTHING) {
		say(to, 400, "{\"error\":\"no such version of %s\"}\n", spec->model);
		return;
	}
	s->deployments[node] = (struct deployment){ d, sim_seconds(s) + LOAD_S };
	control_forget(&s->controls[node]);
	say(to, 202, "{\"version\":\"%s\"}\n", d == DEPLOYED_OLD ? spec->version : spec->next_version);
}

static bool answer_control(struct sim *s, size_t node, const struct request *r, struct reply *to)
{
	const struct control_call call = { .spec = spec_of(s, node), .request = r, .now_s = sim_seconds(s), .load_s = LOAD_S, .runs_next = s->nodes[node].model.now.new_version,
		                               .deployment = &s->deployments[node] };
	return control_answer(&s->controls[node], &call, to);
}

static void answer(void *context, size_t endpoint, const struct request *request, struct reply *to)
{
	struct sim     *s = context;
	const char     *method = request->method, *path = request->path, *body = request->body;
	size_t          node = s->endpoints[endpoint].node;
	struct outlet  *o = &s->nodes[node].outlets[s->endpoints[endpoint].outlet];
	bool            is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	const struct route *other = NULL;

	pthread_mutex_lock(&s->lock);
	double            part = advance(s, node, sim_seconds(s));
	struct page_texts t = texts_of(s, node);
	if (is_get && strcmp(path, o->exporter->metrics_path) == 0) {
		answer_metrics(o, part, &t, to);
		if (s->endpoints[endpoint].outlet == OUTLET_SERVER)
			say_users(s, node, to->body);
		goto out;
	}
	if (s->endpoints[endpoint].outlet == OUTLET_SERVER && strcmp(path, DEPLOYMENT_PATH) == 0 && (is_get || strcmp(method, "POST") == 0)) {
		answer_deployment(s, node, method, body, &t, to);
		goto out;
	}
	if (s->endpoints[endpoint].outlet == OUTLET_SERVER && answer_control(s, node, request, to))
		goto out;
	for (size_t i = 0; i < o->exporter->n_routes; i++) {
		const struct route *r = &o->exporter->routes[i];
		if (!path_is(r->path, path, &t))
			continue;
		if (strcmp(is_get ? "GET" : method, r->method) == 0) {
			answer_route(r, &t, to);
			goto out;
		}
		other = r;
	}
	answer_route(&o->exporter->not_found, &t, to);
	if (other != NULL || (!is_get && strcmp(path, o->exporter->metrics_path) == 0)) {
		to->status = 405;
		to->allow = other != NULL ? other->method : "GET, HEAD";
		buf_clear(to->body);
	}
out:
	pthread_mutex_unlock(&s->lock);
}

static bool outlet_is_open(const struct sim *s, size_t node, int outlet)
{
	struct effects e;
	schedule_effects(&s->schedule, &s->roster, node, sim_seconds(s), &e);
	return outlet == OUTLET_SERVER ? e.down == DOWN_NOT : e.down != DOWN_NODE;
}

static bool is_open(void *context, size_t endpoint)
{
	const struct sim *s = context;
	return outlet_is_open(s, s->endpoints[endpoint].node, s->endpoints[endpoint].outlet);
}

/* ---- making one ---- */

/* Counters begin as those of a server that has run for a while (10 minutes to an hour). */
static enum err init_outlet(struct sim *s, size_t node, int which, const struct exporter *x, struct why *why)
{
	struct sim_node *n = &s->nodes[node];
	struct outlet   *o = &n->outlets[which];
	double           uptime_s = 600 + floor(3000 * random_unit(s->roster.seed, 0x0b7, node));
	*o = (struct outlet){ .exporter = x, .page = s->pages[s->roster.nodes[node].group * OUTLETS + (size_t)which] };
	size_t count = page_values(o->page);
	o->before = calloc(count * 2, sizeof *o->before);
	if (o->before == NULL)
		return why_memory(why);
	o->after = o->before + count;
	o->created_s = (double)s->start_wall_ms / 1000 - uptime_s;
	fill_outlet(o, spec_of(s, node), &n->model.now, uptime_s);
	memcpy(o->before, o->after, count * sizeof *o->before);
	n->endpoints[which] = s->n_endpoints;
	s->endpoints[s->n_endpoints++] = (struct endpoint_of){ node, which };
	return ERR_OK;
}

static enum err make_page(const struct exporter *x, int gpus, struct page **out, struct why *why)
{
	return page_new(x->families, x->n_families, &x->dialect, x->n_scalars, gpus, out, why);
}

static enum err make_pages(struct sim *s, struct why *why)
{
	for (size_t g = 0; g < s->roster.n_groups; g++) {
		const struct group_spec *spec = s->roster.groups[g].spec;
		enum err err = make_page(exporter_for(spec->kind), spec->gpus, &s->pages[g * OUTLETS + OUTLET_SERVER], why);
		if (err == ERR_OK && exporter_needs_dcgm(spec->kind))
			err = make_page(&exporter_dcgm, spec->gpus, &s->pages[g * OUTLETS + OUTLET_GPU], why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err make_nodes(struct sim *s, struct why *why)
{
	for (size_t i = 0; i < s->roster.n_nodes; i++) {
		enum server_kind kind = spec_of(s, i)->kind;
		model_init(&s->nodes[i].model, &s->roster, &s->schedule, i);
		enum err err = init_outlet(s, i, OUTLET_SERVER, exporter_for(kind), why);
		if (err == ERR_OK && exporter_needs_dcgm(kind))
			err = init_outlet(s, i, OUTLET_GPU, &exporter_dcgm, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err make_schedule(const struct sim_options *o, struct schedule *out, struct why *why)
{
	if (o->n_incidents == 0) {
		schedule_demo(out, o->seed);
		return ERR_OK;
	}
	*out = (struct schedule){ .seed = o->seed };
	if (o->n_incidents == 1 && strcmp(o->incidents[0], "none") == 0)
		return ERR_OK;
	for (size_t i = 0; i < o->n_incidents; i++) {
		enum err err = schedule_add(out, o->incidents[i], why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err sim_new(const struct sim_options *o, struct sim **out, struct why *why)
{
	int nodes = o->nodes != 0 ? o->nodes : SIM_NODES_DEMO;
	if (nodes < SIM_NODES_MIN || nodes > SIM_NODES_MAX)
		return why_set(why, ERR_USAGE, "%d nodes cannot be simulated; from %d to %d can", nodes, SIM_NODES_MIN, SIM_NODES_MAX);
	if (o->first_port < 0 || o->first_port > 65535 - 2 * nodes)
		return why_set(why, ERR_USAGE, "port %d leaves no room for %d nodes; take one below %d", o->first_port, nodes,
		               65536 - 2 * nodes);
	struct schedule schedule;
	enum err        err = make_schedule(o, &schedule, why);
	if (err != ERR_OK)
		return err;
	struct sim *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->clock = o->clock != NULL ? o->clock : clock_system();
	s->start_us = clock_mono_us(s->clock);
	s->start_wall_ms = clock_wall_ms(s->clock);
	s->first_port = o->first_port;
	s->schedule = schedule;
	pthread_mutex_init(&s->lock, NULL);
	err = roster_init(&s->roster, (size_t)nodes, o->seed, why);
	if (err == ERR_OK) {
		s->pages = calloc(s->roster.n_groups * OUTLETS, sizeof(struct page *));
		s->nodes = calloc((size_t)nodes, sizeof *s->nodes);
		s->endpoints = calloc((size_t)nodes * OUTLETS, sizeof *s->endpoints);
		s->deployments = calloc((size_t)nodes, sizeof *s->deployments);
		s->controls = calloc((size_t)nodes, sizeof *s->controls);
		s->schedule.deployments = s->deployments;
		err = s->pages != NULL && s->nodes != NULL && s->endpoints != NULL && s->deployments != NULL && s->controls != NULL ? make_pages(s, why) : why_memory(why);
	}
	if (err == ERR_OK)
		err = make_nodes(s, why);
	if (err != ERR_OK) {
		sim_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	sim_stop(s);
	for (size_t i = 0; s->nodes != NULL && i < s->roster.n_nodes; i++)
		for (int k = 0; k < OUTLETS; k++)
			free(s->nodes[i].outlets[k].before);
	for (size_t i = 0; s->pages != NULL && i < s->roster.n_groups * OUTLETS; i++)
		page_free(s->pages[i]);
	free(s->pages);
	free(s->nodes);
	free(s->endpoints);
	free(s->deployments);
	for (size_t i = 0; s->controls != NULL && i < s->roster.n_nodes; i++)
		control_release(&s->controls[i]);
	free(s->controls);
	roster_release(&s->roster);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

enum err sim_start(struct sim *s, struct why *why)
{
	struct server_handler handler = { .context = s, .answer = answer, .is_open = is_open };
	enum err              err = server_new(s->n_endpoints, s->first_port, &handler, &s->server, why);
	if (err != ERR_OK)
		return err;
	err = server_start(s->server, why);
	if (err != ERR_OK)
		sim_stop(s);
	return err;
}

void sim_stop(struct sim *s)
{
	server_free(s->server);
	s->server = NULL;
}

/* ---- what it says of itself ---- */

static int port_of(const struct sim *s, size_t node, int outlet)
{
	if (s->server == NULL || s->nodes[node].outlets[outlet].exporter == NULL)
		return 0;
	return server_port(s->server, s->nodes[node].endpoints[outlet]);
}

void sim_truth(struct sim *s, size_t i, struct sim_truth *out)
{
	const struct group_spec *spec = spec_of(s, i);
	pthread_mutex_lock(&s->lock);
	advance(s, i, sim_seconds(s));
	struct observation o = s->nodes[i].model.now;
	pthread_mutex_unlock(&s->lock);
	bool   makes_tokens = spec->kind == SERVER_VLLM;
	double all = o.completed + o.failed, latency = o.wait_s + o.service_s;
	*out = (struct sim_truth){
		.name = s->roster.nodes[i].name, .group = spec->name, .profile = exporter_for(spec->kind)->profile, .model = spec->model,
		.version = o.new_version ? spec->next_version : spec->version, .port = port_of(s, i, OUTLET_SERVER),
		.gpu_port = port_of(s, i, OUTLET_GPU), .is_up = o.down == DOWN_NOT, .is_gpu_up = o.down != DOWN_NODE,
		.incident = o.incident != NULL ? o.incident->name : NULL, .requests_rate = all,
		.errors_ratio = all > 0 ? o.failed / all : (double)NAN, .latency_s = latency,
		.latency_p99_s = lognormal_quantile(latency, o.sigma, 0.99), .queue = o.waiting, .running = o.running,
		.tokens_rate = makes_tokens ? o.completed * o.output_tokens : (double)NAN,
		.ttft_s = makes_tokens ? o.wait_s + o.prefill_s : (double)NAN, .kv_ratio = makes_tokens ? o.kv_ratio : (double)NAN,
		.preemptions_rate = makes_tokens ? o.preemptions : (double)NAN, .gpu_util_ratio = o.gpu_util,
		.gpu_memory_ratio = o.gpu_memory, .gpu_temperature_celsius = o.gpu_celsius, .gpu_power_watts = o.gpu_watts * spec->gpus,
		.accuracy_ratio = o.accuracy,
	};
}

enum err sim_page(struct sim *s, size_t i, bool is_gpu, struct buf *to)
{
	int            which = is_gpu ? OUTLET_GPU : OUTLET_SERVER;
	struct outlet *o = &s->nodes[i].outlets[which];
	if (o->exporter == NULL)
		return ERR_NOT_FOUND;
	if (!outlet_is_open(s, i, which))
		return ERR_NETWORK;
	buf_clear(to);
	pthread_mutex_lock(&s->lock);
	double            part = advance(s, i, sim_seconds(s));
	struct page_texts t = texts_of(s, i);
	enum err          e = page_render(o->page, o->before, o->after, part, &t, to);
	if (e == ERR_OK && !is_gpu)
		say_users(s, i, to);
	pthread_mutex_unlock(&s->lock);
	return e;
}

static void print_node(const struct sim *s, size_t node, struct buf *to)
{
	buf_printf(to, "      - { name: %s, address: 127.0.0.1, endpoints: [", s->roster.nodes[node].name);
	for (int i = 0; i < OUTLETS; i++) {
		const struct exporter *x = s->nodes[node].outlets[i].exporter;
		if (x != NULL)
			buf_printf(to, "%s { profile: %s, port: %d, path: %s }", i > 0 ? "," : "", x->profile, port_of(s, node, i),
			           x->metrics_path);
	}
	buf_puts(to, " ] }\n");
}

static void print_deploy(struct buf *to)
{
	static const char *const lines[] = {
		"    deploy:\n      driver: http\n",
		"      current: { url: \"{url}" DEPLOYMENT_PATH "\", version: running }\n",
		"      list: { url: \"{url}" DEPLOYMENT_PATH "\", versions: versions }\n",
		"      apply: { method: POST, url: \"{url}" DEPLOYMENT_PATH "\", body: '{{\"version\":\"{version}\"}', repeatable: true }\n",
		"      check_ready: { url: \"{url}" DEPLOYMENT_PATH "\", check: { running: \"{version}\" } }\n",
		"      window: 2m\n      soak: 20s\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		buf_puts(to, lines[i]);
}

enum err sim_fleet_yaml(const struct sim *s, struct buf *to)
{
	buf_puts(to, "# The simulated fleet. Its servers run as long as the program that printed this.\nfleet: demo\n"
	             "defaults: { interval: 5s, timeout: 3s }\ngroups:\n");
	for (size_t g = 0; g < s->roster.n_groups; g++) {
		const struct roster_group *group = &s->roster.groups[g];
		buf_printf(to, "  - name: %s\n    model: %s\n    labels: { region: %s }\n    nodes:\n", group->spec->name,
		           group->spec->model, group->spec->region);
		for (size_t i = group->first; i < group->first + group->count; i++)
			print_node(s, i, to);
		print_deploy(to);
	}
	return to->err;
}

enum err sim_incident_help(struct buf *to)
{
	for (size_t i = 0; i < INCIDENT_COUNT; i++)
		buf_printf(to, "%-14s %s\n", incident_at(i)->name, incident_at(i)->summary);
	return to->err;
}
