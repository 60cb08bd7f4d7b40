/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_gpus.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "collectors/xid.h"
#include "tui/fleet_state_private.h"
#include "tui/gpu_key.h"

enum { GPUS_MAX = 128, PROCESSES_MAX = 512, TELLERS_MAX = 64, TEXTS_MAX = 512 };

/* What is told as a whole, by one target. */
enum whole { WHOLE_THROTTLE, WHOLE_XID, WHOLE_MIG, WHOLE_PROCESSES, WHOLES };

struct teller {
	const struct target_state *state;
	const struct details      *details; /* NULL: none */
	const char                *profile;
	size_t                     n_details;
	bool                       is_late;
};

/* A row while it is made. */
struct gpu {
	struct gpu_row       row;
	const char          *bus_id;
	uint64_t             sources;       /* tellers, a bit each */
	const struct teller *of[WHOLES];    /* who tells it; NULL: nobody yet */
	bool                 is_faulty, is_mig, has_health;
	size_t               n_instances;
	struct buf           troubles[SEVERITY_COUNT];
};

struct gather {
	const struct fleet_state *s;
	struct arena             *a;
	struct node_view         *v;
	struct teller             tellers[TELLERS_MAX];
	size_t                    n_tellers;
	struct gpu               *gpus;
	size_t                    n;
};

/* ---- who tells ---- */

static bool is_gpu_detail(enum detail_id id)
{
	return strncmp(detail_info(id)->metric, "detail:gpu_", 11) == 0;
}

static int by_trust(const void *a, const void *b)
{
	const struct teller *x = a, *y = b;
	if (x->is_late != y->is_late)
		return x->is_late ? 1 : -1;
	if (x->n_details != y->n_details)
		return x->n_details > y->n_details ? -1 : 1;
	return (x->state->id > y->state->id) - (x->state->id < y->state->id);
}

static void find_tellers(struct gather *g)
{
	for (size_t k = 0; k < g->s->n_targets && g->n_tellers < TELLERS_MAX; k++) {
		const struct target_state *t = &g->s->targets[k];
		if (!target_is_of_node(t, g->v->node) || !target_is_fresh(g->s, t))
			continue;
		struct teller *to = &g->tellers[g->n_tellers++];
		*to = (struct teller){ .state = t, .profile = "", .is_late = target_is_late(g->s, t) };
		for (size_t i = 0; i < g->v->n_targets; i++) {
			if (g->v->targets[i].id != t->id)
				continue;
			to->details = g->v->targets[i].details;
			to->profile = g->v->targets[i].profile;
		}
		for (enum detail_id id = 0; id < DETAIL_COUNT && to->details != NULL; id++)
			to->n_details += is_gpu_detail(id) ? to->details->of[id].n : 0;
	}
	if (g->n_tellers > 0)
		qsort(g->tellers, g->n_tellers, sizeof g->tellers[0], by_trust);
}

/* ---- GPUs ---- */

static bool is_one_target(const struct gather *g, const struct gpu *gpu, const struct teller *t)
{
	return (gpu->sources & UINT64_C(1) << (t - g->tellers)) != 0;
}

static struct gpu *find(struct gather *g, const struct teller *t, struct gpu_key key)
{
	for (size_t i = 0; i < g->n && !gpu_key_is_empty(key); i++) {
		struct gpu *gpu = &g->gpus[i];
		if (gpu_key_same((struct gpu_key){ gpu->row.gpu, gpu->row.uuid }, key, is_one_target(g, gpu, t)))
			return gpu;
	}
	return NULL;
}

/* Found, or made where there is room. What it did not say of itself before is learned. */
static struct gpu *gpu_of(struct gather *g, const struct teller *t, struct gpu_key key)
{
	struct gpu *gpu = find(g, t, key);
	if (gpu_key_is_empty(key) || (gpu == NULL && g->n == GPUS_MAX)) {
		g->v->has_more_gpus |= !gpu_key_is_empty(key);
		return NULL;
	}
	if (gpu == NULL) {
		const double none = (double)NAN;
		gpu = &g->gpus[g->n++];
		gpu->row = (struct gpu_row){ .gpu = "", .uuid = "", .name = "", .source = "", .xids = "", .state = "", .util = none, .memory = none,
			.temperature = none, .power = none, .memory_used_bytes = none, .memory_total_bytes = none, .memory_temperature = none,
			.power_limit_watts = none, .clock_hertz = none, .clock_max_hertz = none, .ecc_corrected = none, .ecc_uncorrected = none,
			.pcie_generation = none, .pcie_generation_max = none, .pcie_width = none, .pcie_width_max = none, .nvlinks_active = none,
			.nvlinks_inactive = none, .nvlink_errors = none };
		gpu->bus_id = "";
		for (size_t i = 0; i < SEVERITY_COUNT; i++)
			buf_init(&gpu->troubles[i], TEXTS_MAX);
	}
	if (gpu->row.uuid[0] == '\0' && key.uuid[0] != '\0')
		gpu->row.uuid = arena_text(g->a, key.uuid);
	/* A server may call it by its uuid: the index is the better name. */
	if (key.gpu[0] != '\0' && (gpu->row.gpu[0] == '\0' || (strlen(gpu->row.gpu) > 8 && strlen(key.gpu) <= 8)))
		gpu->row.gpu = arena_text(g->a, key.gpu);
	gpu->sources |= UINT64_C(1) << (t - g->tellers);
	return gpu;
}

static void set(double *to, double v)
{
	if (isnan(*to) && isfinite(v))
		*to = v;
}

static void take_signals(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->state->n; i++) {
		enum signal_id id = (enum signal_id)t->state->signals[i];
		if (!signal_is_of_gpu(id) || isnan(t->state->values[i]))
			continue;
		struct gpu *gpu = gpu_of(g, t, gpu_key_of(layout_series(t->state->layout, i)));
		if (gpu == NULL)
			continue;
		struct gpu_row *row = &gpu->row;
		set(id == SIGNAL_GPU_UTIL ? &row->util : id == SIGNAL_GPU_MEMORY ? &row->memory : id == SIGNAL_GPU_TEMP ? &row->temperature : &row->power,
		    t->state->values[i]);
	}
}

/* ---- details ---- */

static const struct {
	enum detail_id id;
	size_t         offset; /* of a double in the row */
} facts[] = {
	{ DETAIL_GPU_MEMORY_USED, offsetof(struct gpu_row, memory_used_bytes) },
	{ DETAIL_GPU_MEMORY_TOTAL, offsetof(struct gpu_row, memory_total_bytes) },
	{ DETAIL_GPU_POWER_LIMIT, offsetof(struct gpu_row, power_limit_watts) },
	{ DETAIL_GPU_CLOCK_SM, offsetof(struct gpu_row, clock_hertz) },
	{ DETAIL_GPU_CLOCK_SM_MAX, offsetof(struct gpu_row, clock_max_hertz) },
	{ DETAIL_GPU_TEMP_MEMORY, offsetof(struct gpu_row, memory_temperature) },
	{ DETAIL_GPU_ECC_CORRECTED, offsetof(struct gpu_row, ecc_corrected) },
	{ DETAIL_GPU_ECC_UNCORRECTED, offsetof(struct gpu_row, ecc_uncorrected) },
	{ DETAIL_GPU_PCIE_GEN, offsetof(struct gpu_row, pcie_generation) },
	{ DETAIL_GPU_PCIE_GEN_MAX, offsetof(struct gpu_row, pcie_generation_max) },
	{ DETAIL_GPU_PCIE_WIDTH, offsetof(struct gpu_row, pcie_width) },
	{ DETAIL_GPU_PCIE_WIDTH_MAX, offsetof(struct gpu_row, pcie_width_max) },
	{ DETAIL_GPU_NVLINK_ACTIVE, offsetof(struct gpu_row, nvlinks_active) },
	{ DETAIL_GPU_NVLINK_INACTIVE, offsetof(struct gpu_row, nvlinks_inactive) },
	{ DETAIL_GPU_NVLINK_ERRORS, offsetof(struct gpu_row, nvlink_errors) },
};

static struct gpu_key key_of(enum detail_id id, const struct detail_row *row)
{
	return (struct gpu_key){ .gpu = detail_label(id, row, "gpu"), .uuid = detail_label(id, row, "uuid") };
}

static void take_info(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_INFO].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_INFO].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_INFO, row));
		if (gpu == NULL)
			continue;
		const char *name = detail_label(DETAIL_GPU_INFO, row, "name"), *bus = detail_label(DETAIL_GPU_INFO, row, "pci_bus_id");
		const char *source = detail_label(DETAIL_GPU_INFO, row, "source");
		gpu->row.name = gpu->row.name[0] == '\0' ? name : gpu->row.name;
		gpu->bus_id = gpu->bus_id[0] == '\0' ? bus : gpu->bus_id;
		if (source[0] != '\0' && strstr(gpu->row.source, source) == NULL) {
			char text[TEXTS_MAX];
			snprintf(text, sizeof text, "%s%s%s", gpu->row.source, gpu->row.source[0] == '\0' ? "" : " + ", source);
			gpu->row.source = arena_text(g->a, text);
		}
	}
}

static void take_facts(struct gather *g, const struct teller *t)
{
	for (size_t f = 0; f < sizeof facts / sizeof facts[0]; f++) {
		enum detail_id id = facts[f].id;
		for (size_t i = 0; i < t->details->of[id].n; i++) {
			struct gpu *gpu = gpu_of(g, t, key_of(id, &t->details->of[id].rows[i]));
			if (gpu != NULL)
				set((double *)(void *)((char *)&gpu->row + facts[f].offset), t->details->of[id].rows[i].value);
		}
	}
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_FAULT].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_FAULT].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_FAULT, row));
		if (gpu == NULL)
			continue;
		gpu->is_faulty |= row->value > 0;
		gpu->has_health = true;
	}
}

/* Whether the target is the one that tells this of the GPU. */
static bool tells_whole(struct gpu *gpu, enum whole what, const struct teller *t)
{
	if (gpu->of[what] == NULL)
		gpu->of[what] = t;
	return gpu->of[what] == t;
}

/* ---- what is wrong ---- */

static void add_trouble(struct gpu *gpu, enum severity severity, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_trouble(struct gpu *gpu, enum severity severity, const char *format, ...)
{
	char    text[TEXTS_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct buf *to = &gpu->troubles[severity];
	if (to->len + strlen(text) + 2 < TEXTS_MAX) /* what comes after so much is not read */
		buf_printf(to, "%s%s", to->len > 0 ? ", " : "", text);
	if (severity > gpu->row.severity)
		gpu->row.severity = severity;
}

static enum severity severity_of(const char *word)
{
	return strcmp(word, "critical") == 0 ? SEVERITY_CRIT : strcmp(word, "warn") == 0 ? SEVERITY_WARN : SEVERITY_INFO;
}

static void take_throttle(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_THROTTLE].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_THROTTLE].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_THROTTLE, row));
		if (gpu == NULL || !tells_whole(gpu, WHOLE_THROTTLE, t))
			continue;
		gpu->has_health = true;
		if (row->value > 0)
			add_trouble(gpu, severity_of(detail_label(DETAIL_GPU_THROTTLE, row, "severity")), "%s", detail_label(DETAIL_GPU_THROTTLE, row, "reason"));
	}
}

/* The kernel's log names the bus id alone. */
static struct gpu *gpu_of_xid(struct gather *g, const struct teller *t, const struct detail_row *row)
{
	struct gpu_key key = key_of(DETAIL_GPU_XID, row);
	const char *bus = detail_label(DETAIL_GPU_XID, row, "pci_bus_id");
	if (!gpu_key_is_empty(key))
		return gpu_of(g, t, key);
	for (size_t i = 0; i < g->n && bus[0] != '\0'; i++)
		if (g->gpus[i].bus_id[0] != '\0' && xid_same_bus(g->gpus[i].bus_id, bus))
			return &g->gpus[i];
	return NULL;
}

static enum severity xid_severity(const struct xid_info *info)
{
	return info == NULL || info->severity == FINDING_WARN ? SEVERITY_WARN : info->severity == FINDING_CRITICAL ? SEVERITY_CRIT : SEVERITY_INFO;
}

static void take_xids(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_XID].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_XID].rows[i];
		struct gpu *gpu = gpu_of_xid(g, t, row);
		int64_t code = 0;
		if (gpu == NULL || !(row->value > 0) || parse_i64(detail_label(DETAIL_GPU_XID, row, "xid"), 1, 99999, &code) != ERR_OK ||
		    !tells_whole(gpu, WHOLE_XID, t))
			continue;
		const struct xid_info *info = xid_info((int)code);
		char text[96], times[32] = "";
		snprintf(text, sizeof text, "%.64s%s%lld", gpu->row.xids, gpu->row.xids[0] == '\0' ? "" : " ", (long long)code);
		gpu->row.xids = arena_text(g->a, text);
		gpu->row.xid_severity = xid_severity(info) > gpu->row.xid_severity ? xid_severity(info) : gpu->row.xid_severity;
		if (row->value > 1 && row->value < 1e9 && detail_label(DETAIL_GPU_XID, row, "count")[0] == '\0')
			snprintf(times, sizeof times, " (%.0f times)", row->value);
		add_trouble(gpu, xid_severity(info), "Xid %lld%s%s%s", (long long)code, info == NULL ? "" : ": ", info == NULL ? "" : info->meaning, times);
	}
}

/* Numbers that say that something is wrong. A link that idles runs slower on purpose. */
static void judge(struct gpu *gpu)
{
	const struct gpu_row *r = &gpu->row;
	if (gpu->is_faulty)
		add_trouble(gpu, SEVERITY_CRIT, "lost, or wants a reset");
	if (r->ecc_uncorrected > 0)
		add_trouble(gpu, SEVERITY_CRIT, "%.0f ECC errors not corrected", r->ecc_uncorrected);
	if (r->pcie_width > 0 && r->pcie_width < r->pcie_width_max)
		add_trouble(gpu, SEVERITY_WARN, "PCIe x%.0f of x%.0f", r->pcie_width, r->pcie_width_max);
	if (r->pcie_generation > 0 && r->pcie_generation < r->pcie_generation_max && r->util > 0.1)
		add_trouble(gpu, SEVERITY_WARN, "PCIe gen %.0f of %.0f", r->pcie_generation, r->pcie_generation_max);
	if (r->nvlink_errors > 0)
		add_trouble(gpu, SEVERITY_WARN, "%.0f NVLink errors", r->nvlink_errors);
	if (gpu->n_instances > 0)
		add_trouble(gpu, SEVERITY_INFO, "MIG, %zu instance%s", gpu->n_instances, gpu->n_instances == 1 ? "" : "s");
	else if (gpu->is_mig)
		add_trouble(gpu, SEVERITY_INFO, "MIG");
}

static void write_state(struct gather *g, struct gpu *gpu)
{
	char text[SEVERITY_COUNT * (TEXTS_MAX + 2) + 1];
	int n = 0;
	text[0] = '\0';
	for (size_t s = SEVERITY_COUNT; s-- > 0;) {
		if (gpu->troubles[s].len > 0)
			n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", n > 0 ? ", " : "", buf_text(&gpu->troubles[s]));
		g->a->failed |= gpu->troubles[s].err == ERR_MEMORY;
	}
	gpu->row.state = n > 0 ? arena_text(g->a, text) : gpu->has_health ? "ok" : "";
}

static void name_source(struct gather *g, struct gpu *gpu)
{
	for (size_t i = 0; i < g->n_tellers && gpu->row.source[0] == '\0'; i++)
		if ((gpu->sources & UINT64_C(1) << i) != 0)
			gpu->row.source = g->tellers[i].profile;
}

/* ---- processes and instances ---- */

static struct gpu_process_row *add_process(struct gather *g, const struct gpu *gpu)
{
	if (g->v->n_processes == PROCESSES_MAX)
		return NULL;
	struct gpu_process_row *p = &g->v->processes[g->v->n_processes++];
	*p = (struct gpu_process_row){ .gpu = (size_t)(gpu - g->gpus), .pid = "", .user = "", .process = "", .memory_bytes = (double)NAN };
	return p;
}

/* The value of the row of another detail that has the same labels; NaN where there is none. Rows of both are in one order as a rule. */
static double beside(const struct details *d, enum detail_id id, const struct detail_row *row, size_t hint)
{
	for (size_t k = 0; k < d->of[id].n; k++) {
		const struct detail_row *other = &d->of[id].rows[(hint + k) % d->of[id].n];
		bool is_same = true;
		for (size_t i = 0; detail_info(id)->labels[i] != NULL && is_same; i++)
			is_same = strcmp(other->labels[i], row->labels[i]) == 0;
		if (is_same)
			return other->value;
	}
	return (double)NAN;
}

static void take_instances(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_MIG].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_MIG].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_MIG, row));
		if (gpu != NULL)
			gpu->is_mig |= row->value > 0;
	}
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_MIG_USED].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_MIG_USED].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_MIG_USED, row));
		struct gpu_process_row *p = gpu == NULL || !tells_whole(gpu, WHOLE_MIG, t) ? NULL : add_process(g, gpu);
		if (p == NULL)
			continue;
		char text[2 * DETAIL_TEXT_MAX], size[UNIT_TEXT_SIZE];
		double total = beside(t->details, DETAIL_GPU_MIG_TOTAL, row, i);
		gpu->n_instances++;
		snprintf(text, sizeof text, "instance %.24s %.64s, %s", detail_label(DETAIL_GPU_MIG_USED, row, "instance"),
		         detail_label(DETAIL_GPU_MIG_USED, row, "profile"), unit_format(UNIT_BYTES, total, 5, size));
		p->user = "MIG";
		p->process = arena_text(g->a, text);
		p->memory_bytes = row->value;
	}
}

static void take_processes(struct gather *g, const struct teller *t)
{
	for (size_t i = 0; i < t->details->of[DETAIL_GPU_PROCESS].n; i++) {
		const struct detail_row *row = &t->details->of[DETAIL_GPU_PROCESS].rows[i];
		struct gpu *gpu = gpu_of(g, t, key_of(DETAIL_GPU_PROCESS, row));
		struct gpu_process_row *p = gpu == NULL || !tells_whole(gpu, WHOLE_PROCESSES, t) ? NULL : add_process(g, gpu);
		if (p == NULL)
			continue;
		p->pid = detail_label(DETAIL_GPU_PROCESS, row, "pid");
		p->user = detail_label(DETAIL_GPU_PROCESS, row, "user");
		p->process = detail_label(DETAIL_GPU_PROCESS, row, "process");
		p->memory_bytes = beside(t->details, DETAIL_GPU_PROCESS_MEMORY, row, i);
	}
}

/* ---- all of it ---- */

/* Numbers before other names; so the order of a machine's tool. */
static int by_index(const void *a, const void *b)
{
	const struct gpu_row *x = &((const struct gpu *)a)->row, *y = &((const struct gpu *)b)->row;
	int64_t i = INT64_MAX, k = INT64_MAX;
	parse_i64(x->gpu, 0, INT64_MAX - 1, &i);
	parse_i64(y->gpu, 0, INT64_MAX - 1, &k);
	if (i != k)
		return i < k ? -1 : 1;
	int order = strcmp(x->gpu, y->gpu);
	return order != 0 ? order : strcmp(x->uuid, y->uuid);
}

static int by_gpu_and_size(const void *a, const void *b)
{
	const struct gpu_process_row *x = a, *y = b;
	bool has_x = !isnan(x->memory_bytes), has_y = !isnan(y->memory_bytes);
	if (x->gpu != y->gpu)
		return x->gpu < y->gpu ? -1 : 1;
	if (has_x != has_y)
		return has_x ? -1 : 1;
	if (has_x && (x->memory_bytes > y->memory_bytes || x->memory_bytes < y->memory_bytes))
		return x->memory_bytes > y->memory_bytes ? -1 : 1;
	return strcmp(x->pid, y->pid);
}

static enum err make_rows(struct gather *g)
{
	g->v->gpus = arena_zeroed(g->a, g->n + 1, sizeof *g->v->gpus);
	if (g->v->gpus == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < g->n; i++) {
		struct gpu *gpu = &g->gpus[i];
		judge(gpu);
		write_state(g, gpu);
		name_source(g, gpu);
		g->v->gpus[g->v->n_gpus++] = gpu->row;
	}
	if (g->v->n_processes > 0)
		qsort(g->v->processes, g->v->n_processes, sizeof *g->v->processes, by_gpu_and_size);
	return arena_failed(g->a) ? ERR_MEMORY : ERR_OK;
}

enum err node_gpus_fill(const struct fleet_state *s, struct arena *a, struct node_view *v)
{
	struct gather *g = arena_zeroed(a, 1, sizeof *g);
	if (g == NULL)
		return ERR_MEMORY;
	*g = (struct gather){ .s = s, .a = a, .v = v };
	g->gpus = arena_zeroed(a, GPUS_MAX, sizeof *g->gpus);
	v->processes = arena_zeroed(a, PROCESSES_MAX, sizeof *v->processes);
	if (g->gpus == NULL || v->processes == NULL)
		return ERR_MEMORY;
	find_tellers(g);
	for (size_t i = 0; i < g->n_tellers; i++) {
		take_signals(g, &g->tellers[i]);
		if (g->tellers[i].details == NULL)
			continue;
		take_info(g, &g->tellers[i]);
		take_facts(g, &g->tellers[i]);
	}
	/* From here on a GPU's place is its row. */
	if (g->n > 0)
		qsort(g->gpus, g->n, sizeof *g->gpus, by_index);
	for (size_t i = 0; i < g->n_tellers; i++) {
		if (g->tellers[i].details == NULL)
			continue;
		take_throttle(g, &g->tellers[i]);
		take_xids(g, &g->tellers[i]);
		take_instances(g, &g->tellers[i]);
		take_processes(g, &g->tellers[i]);
	}
	enum err e = make_rows(g);
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < SEVERITY_COUNT; k++)
			buf_release(&g->gpus[i].troubles[k]);
	return e;
}
