/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/tui/sample_view.h"

#include <math.h>

#include "alerts/rule_health.h"
#include "base/arena.h"
#include "tui/alerts_data.h"
#include "tui/alerts_detail.h"
#include "tui/command.h"

enum { GROUP = 16, STEP_MS = 15000, N_EVENTS = 40, N_GPUS = 4, N_TARGETS = 3, SERIES_MOST = 64, N_SERVICES = 1000 };

struct sample {
	struct view        view;
	struct arena       arena;
	struct fleet_view  fleet;
	struct node_view   node;
	struct host_view   host;
	struct events_view events;
	struct charts_view charts;
	struct series_set  sets[CHARTS_MAX];
	struct alerts_view *alerts;
	struct alerts_detail detail;
	struct silence_sight silence;
	struct changed      changed;
	struct changed_sight changed_sight;
	struct rule_lines  rules;
	uint64_t           state;
	unsigned           flags;
};

static const char *const hostile[] = {
	"\033[2J\033[31mred\033[0m",  "漢字漢字漢字漢字漢字漢字漢字漢字",
	"👩‍👩‍👧‍👦🏴‍☠️🇩🇪 team", ("\xe2\x80\xae" "gnp.exe"),
	"line\none\ttwo\r\n",           "a\"b\\c{d=~\".*\"}",        "\xff\xfe\x80 broken \xc3",      "e\xcc\x81\xcc\x82\xcc\x83\xcc\x84 marks",
	"",                             "%s%n%d",
};
enum { N_HOSTILE = sizeof hostile / sizeof hostile[0] };

static double next(struct sample *s)
{
	s->state = s->state * 6364136223846793005u + 1442695040888963407u;
	return (double)(s->state >> 40) / (double)(1 << 24);
}

static const char *text(struct sample *s, size_t i, const char *tame)
{
	static const size_t long_one = 500;
	if (!(s->flags & SAMPLE_HOSTILE))
		return arena_text(&s->arena, tame);
	if (i % (N_HOSTILE + 1) < N_HOSTILE)
		return arena_text(&s->arena, hostile[i % (N_HOSTILE + 1)]);
	char *name = arena_zeroed(&s->arena, 1, long_one + 1);
	assert_non_null(name);
	memset(name, 'x', long_one);
	return name;
}

/* ---- the fleet ---- */

static double usual(struct sample *s, enum signal_id id)
{
	double r = next(s);
	switch ((int)id) {
	case SIGNAL_UP: return 1;
	case SIGNAL_REQUESTS: return 80 + 60 * r;
	case SIGNAL_ERRORS: return 0.002 * r;
	case SIGNAL_LATENCY_P50: return 0.040 + 0.02 * r;
	case SIGNAL_LATENCY_P95: return 0.110 + 0.03 * r;
	case SIGNAL_LATENCY_P99: return 0.160 + 0.08 * r;
	case SIGNAL_QUEUE: return floor(6 * r);
	case SIGNAL_TOKENS: return 1800 + 900 * r;
	case SIGNAL_TTFT_P95: return 0.21 + 0.1 * r;
	case SIGNAL_KV_CACHE: return 0.3 + 0.5 * r;
	case SIGNAL_GPU_UTIL: return 0.1 + 0.85 * r;
	case SIGNAL_GPU_MEMORY: return 0.6 + 0.3 * r;
	case SIGNAL_GPU_TEMP: return 55 + 20 * r;
	case SIGNAL_GPU_POWER: return 250 + 120 * r;
	case SIGNAL_ACCURACY: return 0.94 + 0.04 * r;
	case SIGNAL_VERSION: return 1;
	default: return (double)NAN;
	}
}

static double of_machine(struct sample *s, enum signal_id id)
{
	double r = next(s);
	return id == SIGNAL_UP ? 1 : id == SIGNAL_CPU ? 0.2 + 0.5 * r : id == SIGNAL_MEMORY ? 0.3 + 0.3 * r : (double)NAN;
}

static void fill_values(struct sample *s, struct node_row *n)
{
	for (int id = 0; id < SIGNAL_COUNT; id++) {
		/* Signals that are there for alerts are on no screen. */
		double v = id > SIGNAL_MEMORY ? (double)NAN
		           : s->flags & SAMPLE_MACHINES ? of_machine(s, (enum signal_id)id) : usual(s, (enum signal_id)id);
		v = s->flags & SAMPLE_NO_VALUES ? (double)NAN : v;
		n->value[id] = v;
		if (isnan(v) || id == SIGNAL_UP || id == SIGNAL_VERSION)
			continue;
		float *h = arena_zeroed(&s->arena, HISTORY_POINTS, sizeof *h);
		assert_non_null(h);
		for (int i = 0; i < HISTORY_POINTS; i++)
			h[i] = i < 4 ? NAN : (float)(v * (0.8 + 0.4 * next(s)));
		h[HISTORY_POINTS - 1] = (float)v;
		n->history[id] = h;
	}
}

static void make_sick(struct node_row *n, enum severity severity, enum signal_id cause, double v, const char *reason)
{
	n->severity = severity;
	n->cause = cause;
	n->reason = reason;
	n->value[cause] = v;
	float *h;
	memcpy(&h, &n->history[cause], sizeof h); /* the view lends it as const */
	for (int i = HISTORY_POINTS - 12; h != NULL && i < HISTORY_POINTS; i++)
		h[i] = (float)v;
}

static void make_down(struct node_row *n)
{
	for (int id = 0; id < SIGNAL_COUNT; id++)
		n->value[id] = (double)NAN;
	n->value[SIGNAL_UP] = 0;
	n->n_targets_up = 0;
	n->severity = SEVERITY_DOWN;
	n->cause = SIGNAL_UP;
	n->reason = "no target answers";
}

static void judge(struct sample *s, size_t i, struct node_row *n)
{
	if (s->flags & SAMPLE_ALL_DOWN || (i % 97 == 30 && !(s->flags & SAMPLE_ALL_WELL)))
		make_down(n);
	if (s->flags & (SAMPLE_ALL_DOWN | SAMPLE_ALL_WELL))
		return;
	if (i % 61 == 6)
		make_sick(n, SEVERITY_CRIT, SIGNAL_ERRORS, 0.071, "errors 7.1% > 5%");
	else if (i % 83 == 17)
		make_sick(n, SEVERITY_CRIT, SIGNAL_LATENCY_P99, 1.42, "p99 1.4s, median of the model 190ms");
	else if (i % 41 == 11)
		make_sick(n, SEVERITY_WARN, SIGNAL_GPU_TEMP, 86, "gpu temp 86°C > 84°C");
	else if (i % 29 == 3)
		make_sick(n, SEVERITY_WARN, SIGNAL_KV_CACHE, 0.94, "kv cache 94% > 90%");
	else if (i % 200 == 199)
		*n = (struct node_row){ .node = n->node, .group = n->group, .model = "", .profile = "", .version = "", .cause = SIGNAL_COUNT,
		                        .reason = "not polled yet", .n_targets = 1 };
}

static void add_node(struct sample *s, size_t i)
{
	static const char *const models[] = { "ranker", "chat-70b", "embed", "search" };
	static const char *const versions[] = { "12.4", "2026-11-02", "3", "7.1.0" };
	static const char *const profiles[] = { "triton", "vllm", "tensorflow-serving", "torchserve" };
	struct node_row *n = &s->fleet.nodes[i];
	size_t group = i / GROUP;
	char name[64], group_name[64];
	snprintf(name, sizeof name, "gpu-%c%.0zu-%02zu", (char)('a' + group % 26), group / 26, i % GROUP + 1);
	snprintf(group_name, sizeof group_name, "%s-%s%.0zu", models[group % 4], group % 2 == 0 ? "eu" : "us", group / 4);
	*n = (struct node_row){
		.node = text(s, i, name), .group = text(s, i / 3, group_name), .model = text(s, i + 1, models[group % 4]),
		.version = text(s, i + 2, versions[group % 4]), .profile = text(s, i + 3, profiles[group % 4]), .n_versions = i % 37 == 5 ? 2 : 1,
		.cause = SIGNAL_COUNT, .reason = "", .seen_ms = s->view.t_ms - 2000, .n_targets = 2, .n_targets_up = 2,
	};
	fill_values(s, n);
	judge(s, i, n);
	if (s->flags & SAMPLE_HOSTILE)
		n->reason = text(s, i + 5, "");
	if (n->seen_ms == 0) {
		for (int id = 0; id < SIGNAL_COUNT; id++)
			n->value[id] = (double)NAN;
		s->fleet.n_unknown++;
	} else {
		s->fleet.n_by_severity[n->severity]++;
	}
}

static struct model_row *model_of(struct sample *s, const struct node_row *n)
{
	for (size_t i = 0; i < s->fleet.n_models; i++)
		if (strcmp(s->fleet.models[i].model, n->model) == 0)
			return &s->fleet.models[i];
	struct model_row *m = &s->fleet.models[s->fleet.n_models++];
	*m = (struct model_row){ .model = n->model, .version = n->version, .n_versions = 1 };
	for (int id = 0; id < SIGNAL_COUNT; id++) {
		m->value[id] = (double)NAN;
		m->history[id] = n->history[id];
	}
	return m;
}

/* Models have the value of the largest of their nodes, whatever the signal: good enough to look at. */
static void fill_models(struct sample *s)
{
	for (int id = 0; id < SIGNAL_COUNT; id++)
		s->fleet.total[id] = (double)NAN;
	for (size_t i = 0; i < s->fleet.n_nodes; i++) {
		const struct node_row *n = &s->fleet.nodes[i];
		struct model_row *m = model_of(s, n);
		m->n_nodes++;
		m->n_by_severity[n->severity]++;
		if (n->severity > m->severity)
			m->severity = n->severity;
		for (int id = 0; id < SIGNAL_COUNT; id++) {
			m->value[id] = fmax(m->value[id], n->value[id]);
			s->fleet.total[id] = fmax(s->fleet.total[id], n->value[id]);
		}
	}
}

/* Seconds before the view time. Some fall into one column, and some are of other nodes. */
static void fill_marks(struct sample *s, struct marks_view *to)
{
	static const struct {
		int            before_s;
		enum mark_kind kind;
		enum severity  severity;
		const char    *node, *model, *text;
	} what[] = {
		{ 800, MARK_NOTE, SEVERITY_INFO, "", "", "kim: switched the load balancer" },
		{ 612, MARK_DEPLOY, SEVERITY_INFO, "gpu-a-07", "ranker", "gpu-a-07 deployment 7 began" },
		{ 560, MARK_VERSION, SEVERITY_INFO, "gpu-a-07", "ranker", "gpu-a-07 ranker now serves version 12.4 (before: 12.3)" },
		{ 559, MARK_RESTART, SEVERITY_INFO, "gpu-a-07", "ranker", "gpu-a-07 the server process was restarted" },
		{ 420, MARK_ALERT, SEVERITY_CRIT, "gpu-a-07", "ranker", "p99_high gpu-a-07" },
		{ 419, MARK_ALERT, SEVERITY_WARN, "gpu-a-07", "ranker", "queue_grows gpu-a-07" },
		{ 418, MARK_ALERT, SEVERITY_WARN, "gpu-a-08", "ranker", "queue_grows gpu-a-08" },
		{ 300, MARK_ACK, SEVERITY_CRIT, "gpu-a-07", "ranker", "kim: the new version is slow, rolling back" },
		{ 60, MARK_RESOLVED, SEVERITY_WARN, "gpu-a-07", "ranker", "queue_grows gpu-a-07 after 5m59s" },
		{ 2, MARK_ALERT, SEVERITY_WARN, "", "ranker", "slo_burns ranker" },
	};
	enum { N = sizeof what / sizeof what[0] };
	if (!(s->flags & SAMPLE_MARKS))
		return;
	to->items = arena_zeroed(&s->arena, N, sizeof *to->items);
	assert_non_null(to->items);
	for (size_t i = 0; i < N; i++)
		to->items[to->n++] = (struct mark){ s->view.t_ms - (int64_t)what[i].before_s * 1000, what[i].kind, what[i].severity,
			                            what[i].node[0] != '\0' ? text(s, i, what[i].node) : "", what[i].model, text(s, i + 1, what[i].text) };
}

struct sample *sample_new(size_t n_nodes, unsigned flags)
{
	struct sample *s = calloc(1, sizeof *s);
	assert_non_null(s);
	arena_init(&s->arena);
	int64_t t = (int64_t)SAMPLE_T_S * 1000;
	s->flags = flags;
	s->state = 42;
	s->view = (struct view){ .mode = VIEW_LIVE, .t_ms = t, .now_ms = t, .speed = 1, .first_ms = t - 3600000, .last_ms = t - 1000,
	                         .recorder = "this console", .trouble = "", .fleet = &s->fleet, .signal = SIGNAL_LATENCY_P99 };
	s->fleet = (struct fleet_view){ .t_ms = t, .history_step_ms = STEP_MS, .name = text(s, 0, "shop-search"), .n_nodes = n_nodes,
	                                .interval_ms = 10000 };
	s->fleet.nodes = arena_zeroed(&s->arena, n_nodes + 1, sizeof *s->fleet.nodes);
	s->fleet.models = arena_zeroed(&s->arena, n_nodes + 1, sizeof *s->fleet.models);
	assert_non_null(s->fleet.nodes);
	assert_non_null(s->fleet.models);
	for (size_t i = 0; i < n_nodes; i++)
		add_node(s, i);
	fill_models(s);
	fill_marks(s, &s->fleet.marks);
	return s;
}

struct view *sample_view(struct sample *s)
{
	return &s->view;
}

static void release_charts(struct sample *s)
{
	for (size_t i = 0; i < CHARTS_MAX; i++) {
		for (size_t k = 0; k < s->sets[i].n; k++) {
			labels_unref(s->sets[i].items[k].labels);
			free(s->sets[i].items[k].t_ms);
			free(s->sets[i].items[k].v);
		}
		free(s->sets[i].items);
		s->sets[i] = (struct series_set){ 0 };
	}
}

static void release_alerts(struct sample *s)
{
	alerts_view_free(s->alerts);
	s->alerts = NULL;
	for (size_t i = 0; i < s->detail.n_episodes; i++)
		alert_row_release(&s->detail.episodes[i]);
	s->detail.n_episodes = 0;
}

void sample_free(struct sample *s)
{
	release_charts(s);
	release_alerts(s);
	arena_release(&s->arena);
	free(s);
}

/* ---- rules ---- */

static void fill_rules(struct sample *s)
{
	static const struct rule_line some[] = {
		{ "/etc/pitwall/rules/site.yml;site", "TokensLow", "alert", "many-to-many matching: both sides have several series with {model=\"chat\"}", 12, 1,
		  7000, 0.0004, 0, 0, true },
		{ "/etc/pitwall/rules/site.yml;site", "site:tokens:rate5m", "record", "", 20, 2, 7000, 0.0021, 14, (double)NAN, false },
		{ "pitwall:gpus;pitwall-gpus", "GpuHot", "alert", "", 20, 2, 3000, 0.0125, 2, 1, false },
		{ "pitwall:gpus;pitwall-gpus", "GpuXid", "alert", "", 53, 5, 3000, 1.25, 0, 0, false },
		{ "pitwall:watching;pitwall-watching", "Watchdog", "alert", "", 40, 4, 0, 0, 0, 0, false },
	};
	enum { N = sizeof some / sizeof some[0] };
	s->rules = (struct rule_lines){ .t_ms = s->view.t_ms, .at_ms = s->view.t_ms - 20000 };
	s->rules.items = arena_zeroed(&s->arena, 40, sizeof *s->rules.items);
	assert_non_null(s->rules.items);
	for (size_t i = 0; i < ((s->flags & SAMPLE_ALL_WELL) != 0 ? 1 : 40); i++) {
		struct rule_line *l = &s->rules.items[s->rules.n++];
		*l = some[i < N ? i : N - 2];
		l->rule = text(s, i, l->rule);
		l->error = text(s, i + 1, l->error);
		l->number += i < N ? 0 : (int)i;
		l->evaluated_ms = l->evaluated_ms > 0 ? s->rules.at_ms - l->evaluated_ms : 0;
		s->rules.n_failing += l->fails;
	}
	s->view.rules = &s->rules;
}

/* ---- details ---- */

static void fill_events(struct sample *s, const char *node)
{
	static const struct {
		enum severity severity;
		const char   *kind, *text;
	} what[] = {
		{ SEVERITY_CRIT, "scrape", "'http://gpu-a-07:8002/metrics' timed out after 5s" },
		{ SEVERITY_OK, "scrape", "'http://gpu-a-07:8002/metrics' answers again" },
		{ SEVERITY_INFO, "version", "model 'ranker' went from 12.3 to 12.4" },
		{ SEVERITY_WARN, "restart", "the server was restarted (process start time moved on)" },
		{ SEVERITY_INFO, "recorder", "recording began" },
	};
	enum { N = sizeof what / sizeof what[0] };
	s->events = (struct events_view){ .t_ms = s->view.t_ms };
	s->events.rows = arena_zeroed(&s->arena, N_EVENTS, sizeof *s->events.rows);
	assert_non_null(s->events.rows);
	for (size_t i = 0; i < N_EVENTS; i++) {
		char name[32];
		snprintf(name, sizeof name, "gpu-a-%02zu", i % 16 + 1);
		s->events.rows[s->events.n++] = (struct event_row){
			.id = (int64_t)(N_EVENTS - i), .wall_ms = s->view.t_ms - (int64_t)(i * i) * 61000 - 4000, .severity = what[i % N].severity,
			.kind = text(s, i + 4, what[i % N].kind), .node = node != NULL ? node : text(s, i, name), .text = text(s, i + 2, what[i % N].text),
		};
	}
	s->view.events = &s->events;
}

/* One that is well, one held down, one in trouble, one of which little is told. */
static void fill_gpu(struct sample *s, size_t i, struct gpu_row *g)
{
	static const struct {
		enum severity severity, xid_severity;
		const char   *state, *xids;
		double        clock_mhz, corrected, uncorrected, width, nvlink_errors;
	} rows[N_GPUS] = {
		{ SEVERITY_OK, SEVERITY_OK, "ok", "", 1980, 0, 0, 16, 0 },
		{ SEVERITY_WARN, SEVERITY_OK, "thermal (driver), PCIe x8 of x16, power cap", "", 1245, 3, 0, 8, 0 },
		{ SEVERITY_CRIT, SEVERITY_CRIT, "Xid 79: the GPU has fallen off the bus (3 times), 2 ECC errors not corrected, 42 NVLink errors", "79 94", 345, 120, 2, 16, 42 },
		{ SEVERITY_OK, SEVERITY_OK, "", "", (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN },
	};
	bool is_little = i == 3;
	const double none = (double)NAN;
	g->uuid = "GPU-0";
	g->source = text(s, i + 2, i == 0 ? "nvidia-smi + dcgm" : "nvidia-smi");
	g->severity = rows[i].severity;
	g->xid_severity = rows[i].xid_severity;
	g->state = text(s, i + 3, rows[i].state);
	g->xids = text(s, i + 4, rows[i].xids);
	g->memory_total_bytes = is_little ? none : 85520809984.0;
	g->memory_used_bytes = is_little ? none : g->memory * g->memory_total_bytes;
	g->power_limit_watts = is_little ? none : 700;
	g->memory_temperature = is_little ? none : 66 + (double)i;
	g->clock_hertz = rows[i].clock_mhz * 1e6;
	g->clock_max_hertz = is_little ? none : 1.98e9;
	g->ecc_corrected = rows[i].corrected;
	g->ecc_uncorrected = rows[i].uncorrected;
	g->pcie_generation = g->pcie_generation_max = is_little ? none : 5;
	g->pcie_width = rows[i].width;
	g->pcie_width_max = is_little ? none : 16;
	g->nvlinks_active = is_little ? none : 18;
	g->nvlinks_inactive = is_little ? none : 0;
	g->nvlink_errors = rows[i].nvlink_errors;
}

static void fill_processes(struct sample *s)
{
	static const struct {
		size_t      gpu;
		const char *pid, *user, *process;
		double      gib;
	} rows[] = {
		{ 0, "21198", "triton", "/opt/tritonserver/bin/tritonserver", 61.5 },
		{ 1, "21204", "triton", "/opt/tritonserver/bin/tritonserver", 60.25 },
		{ 1, "40411", "ada", "python3 notebook.py --model ranker --seed 7", 9.5 },
		{ 2, "", "MIG", "instance 0 3g.40gb, 39.6G", 12 },
	};
	enum { N = sizeof rows / sizeof rows[0] };
	s->node.processes = arena_zeroed(&s->arena, N, sizeof *s->node.processes);
	assert_non_null(s->node.processes);
	for (size_t i = 0; i < N; i++)
		s->node.processes[s->node.n_processes++] = (struct gpu_process_row){ .gpu = rows[i].gpu, .pid = text(s, i, rows[i].pid),
			.user = text(s, i + 1, rows[i].user), .process = text(s, i + 2, rows[i].process), .memory_bytes = rows[i].gib * 1073741824 };
}

static void fill_host(struct sample *s)
{
	static const double G = 1024.0 * 1024 * 1024;
	static const struct filesystem_row filesystems[] = {
		{ "/var/lib/models", 3500 * 1024.0 * 1024 * 1024, 62 * 1024.0 * 1024 * 1024, 0.982, 0 },
		{ "/", 80 * 1024.0 * 1024 * 1024, 31 * 1024.0 * 1024 * 1024, 0.59, 0 },
		{ "/boot/efi", 511 * 1024.0 * 1024, 505 * 1024.0 * 1024, 0.012, 1 },
	};
	static const struct disk_row disks[] = { { "nvme0n1", 0.37, 412e6, 3.1e6, 0.00042 }, { "sda", 0.01, 0, 120e3, 0.0071 } };
	static const struct network_row networks[] = { { "eth0", 118e6, 1.2e9, 0 }, { "ib0", 3.4e9, 2.9e9, 2.5 } };
	bool has_values = !(s->flags & SAMPLE_NO_VALUES);
	double nan = (double)NAN;
	s->host = (struct host_view){
		.os = text(s, 1, "Debian GNU/Linux 12 (bookworm)"), .kernel = text(s, 2, "6.1.0-18-amd64"), .processors = has_values ? 64 : nan,
		.load_1m = 21.4, .load_5m = 19.02, .load_15m = has_values ? 7.5 : nan, .pressure_cpu = 0.031, .pressure_memory = has_values ? 0 : nan,
		.pressure_io = has_values ? 0.127 : nan, .memory_size = has_values ? 504 * G : nan, .memory_available = 290 * G,
		.swap_size = has_values ? 8 * G : nan, .swap_free = 7.2 * G, .up_seconds = has_values ? 41 * 86400.0 + 3 * 3600 + 170 : nan,
		.clock_ahead = has_values ? -0.0124 : nan, .oom_kills = 7, .oom_kills_recent = has_values ? 2 : nan,
	};
	if (s->flags & SAMPLE_ALL_DOWN)
		return;
	s->host.n_filesystems = sizeof filesystems / sizeof filesystems[0];
	s->host.n_disks = s->host.n_networks = 2;
	s->host.filesystems = arena_zeroed(&s->arena, s->host.n_filesystems, sizeof filesystems[0]);
	s->host.disks = arena_zeroed(&s->arena, s->host.n_disks, sizeof disks[0]);
	s->host.networks = arena_zeroed(&s->arena, s->host.n_networks, sizeof networks[0]);
	assert_non_null(s->host.filesystems);
	assert_non_null(s->host.disks);
	assert_non_null(s->host.networks);
	memcpy(s->host.filesystems, filesystems, sizeof filesystems);
	memcpy(s->host.disks, disks, sizeof disks);
	memcpy(s->host.networks, networks, sizeof networks);
	for (size_t i = 0; i < 2 && s->flags & SAMPLE_HOSTILE; i++) {
		s->host.filesystems[i] = (struct filesystem_row){ text(s, i, ""), (double)INFINITY, nan, i == 0 ? (double)INFINITY : -1e300, 0 };
		s->host.disks[i] = (struct disk_row){ text(s, i + 3, ""), 1e300, -1, nan, (double)INFINITY };
		s->host.networks[i] = (struct network_row){ text(s, i + 5, ""), nan, -(double)INFINITY, 1e300 };
	}
	if (s->flags & SAMPLE_HOSTILE)
		s->host.up_seconds = 1e300, s->host.clock_ahead = -(double)INFINITY, s->host.memory_available = -1e300;
}

/* Hostile machines have as many as they like; states that nobody has heard of are among them. */
static void fill_services(struct sample *s)
{
	static const struct service_row some[] = {
		{ "triton-ranker.service", "unit", "failed", "", "", SEVERITY_CRIT, 12, (double)NAN, (double)NAN, 0, false },
		{ "ranker-tokenizer", "container", "exited", "", "registry.example/tokenizer:2026-11-02", SEVERITY_CRIT, 3, (double)NAN, 137, 0, true },
		{ "dcgm-exporter", "container", "running", "unhealthy", "nvcr.io/nvidia/k8s/dcgm-exporter:4.2.3", SEVERITY_WARN, 0, (double)NAN, (double)NAN, 0, false },
		{ "model-sync.service", "user unit", "activating", "", "", SEVERITY_WARN, 0, 21e6, (double)NAN, 0, false },
		{ "containerd.service", "unit", "active", "", "", SEVERITY_OK, 0, 81e6, (double)NAN, 0, false },
		{ "docker.service", "unit", "active", "", "", SEVERITY_OK, 0, 143e6, (double)NAN, 0, false },
		{ "nvidia-persistenced.service", "unit", "active", "", "", SEVERITY_OK, 0, 1.2e6, (double)NAN, 0, false },
		{ "redis", "container", "running", "healthy", "redis:7.4", SEVERITY_OK, 0, (double)NAN, (double)NAN, 0, false },
	};
	size_t n = s->flags & SAMPLE_HOSTILE ? N_SERVICES : sizeof some / sizeof some[0];
	s->node.services = arena_zeroed(&s->arena, n, sizeof some[0]);
	assert_non_null(s->node.services);
	s->node.n_services = n;
	for (size_t i = 0; i < n; i++) {
		struct service_row *to = &s->node.services[i];
		*to = some[i % (sizeof some / sizeof some[0])];
		to->started_ms = i % 3 == 1 ? 0 : s->view.t_ms - (int64_t)(i * i * i + 1) * 73000;
		if (!(s->flags & SAMPLE_HOSTILE))
			continue;
		*to = (struct service_row){ text(s, i, ""), text(s, i + 1, ""), text(s, i + 2, ""), text(s, i + 3, ""), text(s, i + 4, ""), to->severity,
			                    i % 2 == 0 ? 1e300 : -1, i % 2 == 0 ? (double)INFINITY : -1e300, 1e300, i % 2 == 0 ? INT64_MAX : 1, i % 2 == 0 };
	}
}

static void fill_node(struct sample *s, const char *node)
{
	s->node = (struct node_view){ .t_ms = s->view.t_ms, .node = arena_text(&s->arena, node), .n_targets = N_TARGETS,
	                              .n_gpus = N_GPUS, .n_served = 2 };
	s->node.targets = arena_zeroed(&s->arena, N_TARGETS, sizeof *s->node.targets);
	s->node.gpus = arena_zeroed(&s->arena, N_GPUS, sizeof *s->node.gpus);
	s->node.served = arena_zeroed(&s->arena, 2, sizeof *s->node.served);
	assert_non_null(s->node.targets);
	assert_non_null(s->node.gpus);
	assert_non_null(s->node.served);
	static const char *const jobs[N_TARGETS] = { "triton", "dcgm", "node" };
	for (size_t i = 0; i < N_TARGETS; i++)
		s->node.targets[i] = (struct target_row){
			.id = (int64_t)i + 1, .job = text(s, i, jobs[i]), .url = text(s, i + 1, "http://gpu-a-07.example:8002/metrics"), .profile = jobs[i],
			.is_up = i != 1, .was_polled = true, .last_ms = s->view.t_ms - 1000 * (int64_t)(i + 1), .scrape_seconds = 0.012 * (double)(i + 1),
			.samples = i == 1 ? (double)NAN : 512, .error = i == 1 ? text(s, i + 4, "connection refused") : "", .error_ms = i == 1 ? 1 : 0,
		};
	for (size_t i = 0; i < N_GPUS; i++) {
		char id[24];
		snprintf(id, sizeof id, "%zu", i);
		s->node.gpus[i] = (struct gpu_row){ .gpu = text(s, i, id), .name = text(s, i + 1, "NVIDIA H100 80GB HBM3"), .util = next(s),
			.memory = 0.7 + 0.3 * next(s), .temperature = 60 + 28 * next(s), .power = i == 3 ? (double)NAN : 300 + 300 * next(s) };
		fill_gpu(s, i, &s->node.gpus[i]);
	}
	fill_processes(s);
	s->node.served[0] = (struct served_row){ text(s, 0, "ranker"), text(s, 1, "12.4") };
	s->node.served[1] = (struct served_row){ text(s, 2, "ranker"), text(s, 3, "12.3") };
	fill_events(s, s->node.node);
	s->node.events = s->events;
	fill_host(s);
	fill_services(s);
	s->node.host = &s->host;
	if (s->flags & SAMPLE_MACHINES)
		s->node.n_targets = 1, s->node.n_gpus = s->node.n_served = s->node.n_processes = 0;
	s->view.node = &s->node;
}

/* ---- alerts ---- */

struct some_alerts {
	const char   *rule, *severity, *model;
	int           first_node, n_nodes;
	int64_t       active_s, fired_s, resolved_s; /* so long ago; 0: not */
	double        value, flap_percent;
	const char   *expr, *summary, *runbook;
};

static const struct some_alerts some_alerts[] = {
	{ "ErrorRatioHigh", "critical", "ranker", 1, 12, 310, 252, 0, 0.0712, 0, "signal:errors:ratio > 0.05", "7.1% of the requests of ranker fail",
	  "1. look whether a deploy just went out (view 5)\n2. roll back with R on the node\n3. else drain the node and call the model's team" },
	{ "NodeDown", "page", "chat-70b", 3, 1, 190, 125, 0, 0, 0, "signal:up == 0", "gpu-b-03 does not answer", "see whether its neighbours answer" },
	{ "KvCacheSaturated", "warning", "chat-70b", 4, 2, 2400, 1080, 0, 0.972, 0, "signal:kv_cache:ratio > 0.95", "the KV cache of 2 nodes is full", "" },
	{ "GpuThermalThrottle", "warning", "embed", 9, 1, 700, 540, 0, 91, 43, "signal:gpu_temperature_celsius > 84", "gpu-b-09 is too hot", "" },
	{ "QueueGrowing", "ticket", "search", 5, 1, 1500, 1300, 0, 42, 0, "deriv(signal:queue:depth[10m]) > 0.1 and signal:queue:depth > 20",
	  "the queue of gpu-b-05 grows", "" },
	{ "DeadMansSwitch", "none", "", 0, 0, 86400, 86400, 0, 1, 0, "vector(1)", "always fires, so that its absence is seen", "" },
	{ "LatencyHigh", "warning", "ranker", 2, 3, 45, 0, 0, 0.61, 0, "signal:latency_seconds:p99 > 0.5", "p99 above 0.5s", "" },
	{ "DiskFull", "warning", "", 7, 1, 5000, 4000, 260, 0.97, 0, "signal:disk_used:ratio > 0.95", "/var/lib/models is full", "" },
	{ "HostUnreachable", "critical", "chat-70b", 3, 4, 180, 180, 0, 0, 0, "signal:ssh_up == 0", "4 nodes are not reached over SSH", "" },
	{ "CertificateExpires", "warning", "", 1, 2, 9000, 9000, 0, 3.2, 0, "signal:certificate_days < 7", "the certificate runs out in 3 days", "" },
};
enum { N_SOME = sizeof some_alerts / sizeof some_alerts[0] };

static const struct actor alice = { "alice", "alice", "10.0.0.5" }, bob = { "bob", "svc-ops", "" };

static int64_t ago(const struct sample *s, int64_t seconds)
{
	return seconds == 0 ? 0 : s->view.t_ms - seconds * 1000;
}

/* The labels of the one that is charted are those of the first series of a chart. */
static void add_alert(struct sample *s, struct alerts_build *b, size_t k, int node, int64_t id)
{
	const struct some_alerts *a = &some_alerts[k];
	char name[32], chart_name[32], key[256];
	snprintf(name, sizeof name, "gpu-b-%02d", node);
	snprintf(chart_name, sizeof chart_name, "gpu-a-%02d", node);
	snprintf(key, sizeof key, "{alertname=\"%s\",model=\"%s\"}", a->rule, a->model);
	const char *node_name = text(s, (size_t)node, a->n_nodes > 0 ? name : "");
	struct labels *labels = labels_of("alertname", text(s, k, a->rule), "model", a->model, "node", node_name, "severity", a->severity, NULL);
	struct labels *result = labels_of("node", chart_name, NULL);
	struct labels *notes = labels_of("summary", text(s, k + 4, a->summary), "runbook", text(s, k + 5, a->runbook), NULL);
	const struct alert_row row = {
		.id = id, .rule = text(s, k, a->rule), .source = "rules/serving.yml;serving", .expr = a->expr, .group_key = key, .labels = labels,
		.result = result, .annotations = notes, .value = a->value + (double)(id % 7) / 1000,
		.severity = a->severity[0] == 'c' || a->severity[0] == 'p' ? SEVERITY_CRIT : a->severity[0] == 'n' ? SEVERITY_INFO : SEVERITY_WARN,
		.active_ms = ago(s, a->active_s), .fired_ms = ago(s, a->fired_s), .resolved_ms = ago(s, a->resolved_s),
		.is_flapping = a->flap_percent > 0, .flap_percent = a->flap_percent, .inhibited_by = k == 8 ? 101 : 0,
	};
	assert_int_equal(alerts_build_alert(b, &row), ERR_OK);
	if (s->detail.key != NULL && strcmp(s->detail.key, key) == 0)
		s->detail.episodes[s->detail.n_episodes++] = alert_row_copy(&s->arena, &row);
	labels_unref(labels);
	labels_unref(result);
	labels_unref(notes);
}

static void add_people(struct sample *s, struct alerts_build *b)
{
	static const int64_t ids[] = { 201, 202 };
	const struct ack_row acks[] = {
		{ .id = 1, .group_key = "{alertname=\"KvCacheSaturated\",model=\"chat-70b\"}", .at_ms = ago(s, 600), .until_ms = s->view.t_ms + 3000000,
		  .actor = alice, .comment = text(s, 3, "more nodes are on their way, OPS-4411"), .severity = SEVERITY_WARN, .alerts = ids, .n_alerts = 2, .ended_by = { "", "", "" } },
		{ .id = 2, .group_key = "{alertname=\"ErrorRatioHigh\",model=\"ranker\"}", .at_ms = ago(s, 240), .actor = bob, .comment = "looking",
		  .severity = SEVERITY_WARN, .ended_ms = ago(s, 100), .end = ACK_JOINED, .ended_by = { "", "", "" } },
	};
	const struct silence_row silence = { .id = "6f1c", .matchers = "[{\"name\":\"alertname\",\"value\":\"CertificateExpires\",\"isRegex\":false,\"isEqual\":true}]",
		                             .from_ms = ago(s, 3600), .until_ms = s->view.t_ms + 7200000, .actor = alice, .comment = text(s, 2, "renewed tomorrow"),
		                             .created_ms = ago(s, 3600), .remote = "", .remote_id = "" };
	const struct console_row consoles[] = {
		{ .id = "me", .actor = alice, .since_ms = ago(s, 500), .seen_ms = ago(s, 5), .view = "FLEET" },
		{ .id = "other", .actor = bob, .since_ms = ago(s, 400), .seen_ms = ago(s, 3), .view = "ALERTS" },
	};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(alerts_build_ack(b, &acks[i]), ERR_OK);
		assert_int_equal(alerts_build_console(b, &consoles[i]), ERR_OK);
	}
	assert_int_equal(alerts_build_silence(b, &silence), ERR_OK);
	s->detail.acks = arena_zeroed(&s->arena, 1, sizeof *s->detail.acks);
	assert_non_null(s->detail.acks);
	s->detail.acks[0] = ack_row_copy(&s->arena, &acks[1]);
	s->detail.n_acks = 1;
}

static void add_external(struct sample *s, struct alerts_build *b, int64_t id, const struct labels *labels, const char *summary, struct external_row r)
{
	struct labels *notes = labels_of("summary", text(s, (size_t)id, summary), NULL);
	r.id = id;
	r.remote = "am";
	r.labels = labels;
	r.annotations = notes;
	r.from_ms = ago(s, 60);
	r.until_ms = INT64_MAX;
	r.receivers = "page, mail";
	r.url = "http://prometheus.example/graph";
	assert_int_equal(alerts_build_external(b, &r), ERR_OK);
	labels_unref(notes);
}

static void add_externals(struct sample *s, struct alerts_build *b)
{
	struct labels *ours = labels_of("alertname", text(s, 4, "QueueGrowing"), "model", "search", "node", text(s, 5, "gpu-b-05"), "severity", "ticket", NULL);
	struct labels *down = labels_of("alertname", text(s, 1, "PaymentsDown"), "severity", "critical", "instance", "pay-1:9090", NULL);
	struct labels *late = labels_of("alertname", text(s, 2, "BackupLate"), "severity", "warning", NULL);
	struct labels *slow = labels_of("alertname", text(s, 3, "SearchSlow"), "severity", "warning", "node", "web-7", NULL);
	add_external(s, b, 1, ours, "the queue of gpu-b-05 grows", (struct external_row){ .starts_ms = ago(s, 1300), .is_ours = true, .state = EXTERNAL_SUPPRESSED,
	             .silenced_by = "a-1", .inhibited_by = "" });
	add_external(s, b, 2, down, "nobody can pay", (struct external_row){ .starts_ms = ago(s, 200), .silenced_by = "", .inhibited_by = "" });
	add_external(s, b, 3, late, "the backup of last night is not there", (struct external_row){ .starts_ms = ago(s, 9000), .state = EXTERNAL_SUPPRESSED,
	             .silenced_by = "b-2", .inhibited_by = "" });
	add_external(s, b, 4, slow, "search takes 3s", (struct external_row){ .starts_ms = ago(s, 900), .state = EXTERNAL_SUPPRESSED, .silenced_by = "",
	             .inhibited_by = "PaymentsDown of pay-1:9090" });
	labels_unref(ours);
	labels_unref(down);
	labels_unref(late);
	labels_unref(slow);
	const struct alertmanager_row managers[] = { { "am", ago(s, 5000), ALERTMANAGER_ANSWERS, "" }, { "bm", ago(s, 252), ALERTMANAGER_SILENT, "connection refused" } };
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(alerts_build_alertmanager(b, &managers[i]), ERR_OK);
}

/* Of Alertmanagers, and such as are not there any more or not yet. */
static void add_silences(struct sample *s, struct alerts_build *b)
{
	const struct silence_row rows[] = {
		{ .id = "a-1", .remote_id = "a-1", .remote = "am", .from_ms = ago(s, 300), .until_ms = s->view.t_ms + 600000, .actor = { "karl", "", "" },
		  .comment = "ACK! I am looking at it", .matchers = "[{\"name\":\"alertname\",\"value\":\"QueueGrowing\",\"isRegex\":false,\"isEqual\":true}]" },
		{ .id = "b-2", .remote_id = "b-2", .remote = "am", .from_ms = ago(s, 7000), .until_ms = s->view.t_ms + 3600000, .actor = { "dora", "", "" },
		  .comment = "the tape robot is in repair", .matchers = "[{\"name\":\"alertname\",\"value\":\"Backup.*\",\"isRegex\":true,\"isEqual\":true}]" },
		{ .id = "0193a1b2-0000-7000-8000-000000000001", .remote_id = "", .remote = "bm", .from_ms = ago(s, 20), .until_ms = s->view.t_ms + 1800000, .actor = alice,
		  .comment = text(s, 4, "deploy"), .matchers = "[{\"name\":\"node\",\"value\":\"gpu-z\",\"isRegex\":false,\"isEqual\":true}]" },
		{ .id = "d-4", .remote_id = "", .remote = "", .from_ms = s->view.t_ms + 600000, .until_ms = s->view.t_ms + 9000000, .actor = bob,
		  .comment = "maintenance", .matchers = "[{\"name\":\"zone\",\"value\":\"b\",\"isRegex\":false,\"isEqual\":true}]" },
		{ .id = "e-5", .remote_id = "", .remote = "", .from_ms = ago(s, 9000), .until_ms = s->view.t_ms + 9000000, .ended_ms = ago(s, 120), .ended_who = "alice",
		  .actor = bob, .comment = "", .matchers = "[{\"name\":\"node\",\"value\":\"gpu-b-0.\",\"isRegex\":true,\"isEqual\":true}]" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(alerts_build_silence(b, &rows[i]), ERR_OK);
}

static void begin_detail(struct sample *s, const char *key)
{
	s->detail = (struct alerts_detail){ .key = key != NULL ? arena_text(&s->arena, key) : NULL, .t_ms = s->view.t_ms };
	s->detail.episodes = arena_zeroed(&s->arena, 64, sizeof *s->detail.episodes);
	s->detail.transitions = arena_zeroed(&s->arena, 64, sizeof *s->detail.transitions);
	s->detail.notes = arena_zeroed(&s->arena, 1, sizeof *s->detail.notes);
	assert_false(arena_failed(&s->arena));
}

static void end_detail(struct sample *s)
{
	for (size_t i = 0; i < s->detail.n_episodes && i < 4; i++) {
		const struct alert_row *a = &s->detail.episodes[i];
		s->detail.transitions[s->detail.n_transitions++] = (struct transition_row){ .alert = a->id, .at_ms = a->active_ms, .what = TRANSITION_PENDING, .value = a->value };
		if (a->fired_ms != 0)
			s->detail.transitions[s->detail.n_transitions++] =
				(struct transition_row){ .alert = a->id, .at_ms = a->fired_ms, .what = TRANSITION_FIRING, .value = a->value };
	}
	s->detail.notes[0] = (struct event_row){ .id = 1, .wall_ms = ago(s, 60), .severity = SEVERITY_INFO, .kind = "note", .node = "",
	                                         .text = text(s, 1, "12.4 went out to half of the nodes by mistake") };
	s->detail.n_notes = 1;
	s->view.alerts_detail = s->detail.key != NULL ? &s->detail : NULL;
}

static void fill_changed(struct sample *s, int64_t alert)
{
	const struct changed_row rows[] = {
		{ .what = CHANGED_EVENT, .label = "deploy", .node = "", .moved_ms = ago(s, 330), .score = 0.83,
		  .text = text(s, 1, "deployment: 12.4 to 6 of 12 nodes, 20s before the alert"), .reasons = "0.83 = effect 1 x sure 1 x timing 1 x near 0.83 x kind 1 (deployment)" },
		{ .what = CHANGED_SIGNAL, .signal = SIGNAL_QUEUE, .label = "queue", .node = text(s, 2, "gpu-b-01"), .moved_ms = ago(s, 350), .score = 0.62,
		  .text = "queue 3 -> 41 (13x), since 40s before the alert, same node", .reasons = "0.62 = effect 0.91 x sure 0.98 x timing 1 x near 1 x kind 0.7 (saturation)" },
		{ .what = CHANGED_LABEL, .label = "zone=a", .node = "", .score = 0.11, .text = "8 of 12 nodes in trouble are in zone a", .reasons = "0.11 = ..." },
	};
	s->changed = (struct changed){ .onset_ms = ago(s, 310), .until_ms = s->view.t_ms, .n = 3, .is_clear = true, .note = "" };
	s->changed.rows = arena_zeroed(&s->arena, 3, sizeof rows[0]);
	assert_non_null(s->changed.rows);
	memcpy(s->changed.rows, rows, sizeof rows);
	s->changed_sight = (struct changed_sight){ .alert = alert, .until_ms = s->view.t_ms, .why = "", .changed = &s->changed };
	s->view.changed = alert != 0 ? &s->changed_sight : NULL;
}

static void fill_alerts(struct sample *s, const struct needs *needs)
{
	struct alerts_build *b = NULL;
	struct why why;
	int64_t id = 0;
	release_alerts(s);
	begin_detail(s, needs->alerts_key);
	assert_int_equal(alerts_build_new(s->view.t_ms, &b, &why), ERR_OK);
	for (size_t k = 0; k < N_SOME && !(s->flags & SAMPLE_ALL_WELL); k++) {
		id = 100 * (int64_t)k;
		for (int i = 0; i < (some_alerts[k].n_nodes > 0 ? some_alerts[k].n_nodes : 1); i++)
			add_alert(s, b, k, some_alerts[k].first_node + i, ++id);
	}
	if (!(s->flags & SAMPLE_ALL_WELL))
		add_people(s, b);
	if (s->flags & SAMPLE_EXTERNAL) {
		add_silences(s, b);
		add_externals(s, b);
	}
	assert_int_equal(alerts_build_end(b, &s->alerts, &why), ERR_OK);
	alerts_build_free(b);
	end_detail(s);
	s->view.alerts = s->alerts;
	s->view.unowned_after_ms = 240000;
	s->view.person = (struct view_person){ .who = "alice", .account = "alice", .origin = "10.0.0.5", .console = "me", .refusal = "" };
	s->silence = (struct silence_sight){ .text = needs->silence != NULL ? arena_text(&s->arena, needs->silence) : "", .why = "", .n_now = 12,
	                                     .n_groups_now = 1, .n_day = 41 };
	s->view.silence = &s->silence;
	fill_changed(s, needs->changed);
}

/* ---- charts ---- */

static void fill_series(struct sample *s, struct series *to, const struct chart_view *v, size_t i)
{
	char name[32];
	snprintf(name, sizeof name, "gpu-a-%02zu", i + 1);
	size_t points = (size_t)((v->end_ms - v->start_ms) / v->step_ms) + 1;
	to->labels = labels_of("node", text(s, i, name), "series", name, NULL);
	if (!(s->flags & SAMPLE_HOSTILE)) {
		labels_unref(to->labels);
		to->labels = labels_of("node", name, NULL);
	}
	to->t_ms = calloc(points, sizeof *to->t_ms);
	to->v = calloc(points, sizeof *to->v);
	assert_non_null(to->t_ms);
	assert_non_null(to->v);
	for (size_t k = 0; k < points; k++) {
		double phase = (double)k / (double)points;
		if (i == 1 && phase > 0.4 && phase < 0.5)
			continue; /* a hole */
		to->t_ms[to->n] = v->start_ms + (int64_t)k * v->step_ms;
		to->v[to->n++] = 0.05 * (double)(i + 1) * (1 + 0.3 * sin(phase * 9)) + (i == 0 && phase > 0.7 ? 0.15 : 0) + 0.01 * next(s);
	}
}

static void answer_chart(struct sample *s, const struct chart_need *need, size_t k, size_t n_series, const char *mistake)
{
	struct chart_view *v = &s->charts.items[k];
	int64_t step = need->span_ms / need->points;
	step = step < 1000 ? 1000 : (step + 999) / 1000 * 1000;
	v->expression = arena_text(&s->arena, need->expression);
	v->step_ms = step;
	v->end_ms = (s->view.t_ms - need->offset_ms) / step * step;
	v->start_ms = v->end_ms - (need->span_ms + step - 1) / step * step;
	v->err = mistake != NULL ? ERR_FORMAT : ERR_OK;
	v->why = mistake != NULL ? mistake : "";
	v->series = mistake != NULL ? NULL : &s->sets[k];
	if (mistake != NULL || n_series == 0)
		return;
	s->sets[k].items = calloc(n_series, sizeof *s->sets[k].items);
	assert_non_null(s->sets[k].items);
	s->sets[k].n = n_series;
	for (size_t i = 0; i < n_series; i++)
		fill_series(s, &s->sets[k].items[i], v, i);
}

void sample_answer(struct sample *s, struct screen *screen, size_t n_series, const char *mistake)
{
	struct needs *needs = calloc(1, sizeof *needs);
	assert_non_null(needs);
	assert_true(n_series <= SERIES_MOST);
	if (screen->kind->needs != NULL)
		screen->kind->needs(screen, &s->view, needs);
	s->view.charts = NULL;
	release_charts(s);
	if (needs->node != NULL)
		fill_node(s, needs->node);
	if (needs->events)
		fill_events(s, needs->events_node);
	if (needs->rules)
		fill_rules(s);
	if (needs->alerts_key != NULL || needs->silence != NULL || (screen->kind->context & (CONTEXT_ALERTS | CONTEXT_SILENCES)) != 0)
		fill_alerts(s, needs);
	if (needs->n_charts > 0) {
		s->charts = (struct charts_view){ .items = arena_zeroed(&s->arena, needs->n_charts, sizeof *s->charts.items), .n = needs->n_charts };
		assert_non_null(s->charts.items);
		for (size_t i = 0; i < needs->n_charts; i++)
			answer_chart(s, &needs->charts[i], i, n_series, mistake);
		fill_marks(s, &s->charts.marks);
		s->view.charts = &s->charts;
	}
	free(needs);
	if (screen->kind->update != NULL)
		screen->kind->update(screen, &s->view);
}
