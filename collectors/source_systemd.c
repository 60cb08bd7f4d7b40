/* SPDX-License-Identifier: Apache-2.0
 *
 * Units of systemd, with the names of node_exporter's systemd collector. Times are read from the monotonic properties and the time of boot, since
 * the printed ones are in the machine's time zone and their numeric form (--timestamp=unix) is newer than many machines. */
#include "collectors/source_services.h"

#include <stdio.h>

#include "base/hash.h"
#include "collectors/said.h"
#include "collectors/shell_quote.h"

enum { UNITS_MAX = 64, UNIT_NAME = 256, WORD = 48, MISSING_MAX = 8 };

/* What is remembered of a unit. Its name is kept as a hash: a machine that makes two alike spoils its own events only. */
struct unit_seen {
	uint64_t id;
	int64_t  restarts, started_us;
	bool     is_failed, is_active;
};

struct systemd_memory {
	struct unit_seen units[UNITS_MAX];
	size_t n;
	bool   is_primed; /* a whole answer was read: a unit that is new now was not failed before */
};

/* ---- the script ---- */

const char *const inference_units[] = {
	"vllm*", "triton*", "tfserving*", "tensorflow*", "torchserve*", "tgi*", "text-generation*", "sglang*", "ollama*", "llama*", "onnx*",
	"nvidia-*", "dcgm*", "docker", "containerd", "kubelet", NULL,
};

/* One listing gives the counts and the names of failed units; `show` with patterns takes those that are loaded. */
static const char script_head[] =
	"(\n"
	"command -v systemctl >/dev/null 2>&1 || exit 127\n"
	"export LC_ALL=C SYSTEMD_COLORS=0 SYSTEMD_PAGER=\n"
	"set -f\n"
	"state=$(bounded systemctl is-system-running 2>&1)\n"
	"case $state in offline | *'not been booted'*) exit 127 ;; esac\n"
	"echo \"== system $state\"\n"
	"echo \"== boot $(sed -n 's/^btime //p' /proc/stat 2>/dev/null)\"\n"
	"listed=$(bounded systemctl list-units --all --plain --no-legend --no-pager 2>/dev/null | awk '{\n"
	"	u = $2 ~ /^(loaded|not-found|masked|error|bad-setting|merged|stub)$/ ? 1 : 2\n"
	"	n[$(u + 2)]++\n"
	"	if ($(u + 2) == \"failed\" && failed++ < 32) print \"failed \" $u\n"
	"} END { for (s in n) print \"== units \" s \" \" n[s] }')\n"
	"printf '%s\\n' \"$listed\" | grep '^== '\n"
	"failed=$(printf '%s\\n' \"$listed\" | sed -n 's/^failed //p')\n"
	"properties=Id,Type,LoadState,ActiveState,SubState,Result,NRestarts,ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic\n"
	"properties=$properties,ExecMainStartTimestampMonotonic,ExecMainCode,ExecMainStatus,ExecMainPID,MemoryCurrent,CPUUsageNSec,TasksCurrent\n";

/* Units of the user's own manager, where there is one. */
static const char script_user[] =
	"XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}\n"
	"export XDG_RUNTIME_DIR\n"
	"[ -S \"$XDG_RUNTIME_DIR/systemd/private\" ] || exit 0\n"
	"echo '== user'\n";

static enum err put_units(const struct source_settings *s, struct buf *to, struct why *why)
{
	if (s->n_units > 0)
		return shell_quote(to, s->units, s->n_units, why);
	for (size_t i = 0; inference_units[i] != NULL; i++)
		buf_printf(to, "%s'%s.service'", i > 0 ? " " : "", inference_units[i]);
	return to->err;
}

static enum err systemd_script(const struct source_settings *s, struct buf *to, struct why *why)
{
	static const char show[] = "systemctl --no-pager -p \"$properties\"";
	buf_puts(to, script_head);
	buf_printf(to, "bounded %s show -- ", show);
	enum err e = put_units(s, to, why);
	if (e != ERR_OK)
		return e;
	buf_puts(to, " $failed 2>&1\n");
	buf_puts(to, script_user);
	buf_printf(to, "bounded %s --user show -- ", show);
	e = put_units(s, to, why);
	if (e != ERR_OK)
		return e;
	buf_puts(to, " 2>/dev/null\nexit 0\n)\n");
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "%s", err_text(to->err));
}

/* ---- one unit ---- */

struct unit {
	char    id[UNIT_NAME], type[WORD], load[WORD], active[WORD], sub[WORD], result[WORD];
	int64_t restarts, active_us, change_us, started_us, code, status, pid, memory, cpu_ns, tasks; /* -1: not said */
};

#define TEXT(key, field)   { key, offsetof(struct unit, field), sizeof ((struct unit *)NULL)->field }
#define NUMBER(key, field) { key, offsetof(struct unit, field), 0 }
static const struct {
	const char *key;
	size_t      at, size; /* size 0: a number */
} properties[] = {
	TEXT("Id", id), TEXT("Type", type), TEXT("LoadState", load), TEXT("ActiveState", active), TEXT("SubState", sub), TEXT("Result", result),
	NUMBER("NRestarts", restarts), NUMBER("ActiveEnterTimestampMonotonic", active_us), NUMBER("StateChangeTimestampMonotonic", change_us),
	NUMBER("ExecMainStartTimestampMonotonic", started_us), NUMBER("ExecMainCode", code), NUMBER("ExecMainStatus", status),
	NUMBER("ExecMainPID", pid), NUMBER("MemoryCurrent", memory), NUMBER("CPUUsageNSec", cpu_ns), NUMBER("TasksCurrent", tasks),
};

static void unit_clear(struct unit *u)
{
	memset(u, 0, sizeof *u);
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
		if (properties[i].size == 0)
			*(int64_t *)(void *)((char *)u + properties[i].at) = -1;
}

static void unit_take(struct unit *u, struct slice line)
{
	struct slice key = said_until(&line, '=');
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
		if (!slice_is(key, properties[i].key))
			continue;
		char *at = (char *)u + properties[i].at;
		if (properties[i].size > 0)
			slice_copy(line, at, properties[i].size);
		else
			*(int64_t *)(void *)at = said_number(line, -1); /* "[not set]", and 2^64-1 for the same */
		return;
	}
}

/* ---- the answer ---- */

struct reading {
	struct systemd_memory *memory;
	struct findings       *out;
	int64_t  boot_s; /* 0: not said */
	bool     is_user, has_system;
	uint64_t seen[2 * UNITS_MAX]; /* a failed unit may be named twice */
	size_t   n_seen;
	char     missing[MISSING_MAX][UNIT_NAME]; /* "" for one that the user's manager has */
	char     trouble[SAID_SAFE];
};

static int64_t wall_of(const struct reading *r, int64_t monotonic_us)
{
	bool is_known = r->boot_s > 0 && monotonic_us > 0 && monotonic_us < INT64_MAX / 4;
	return is_known ? r->boot_s * 1000 + monotonic_us / 1000 : 0;
}

static void put_samples(const struct reading *r, const struct unit *u)
{
	static const char *const states[] = { "active", "activating", "deactivating", "failed", "inactive" };
	const char *manager = r->is_user ? "user" : NULL; /* NULL: the label is left out, as node_exporter has it */
	const char *const named[] = { "name", u->id, "manager", manager, NULL };
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		const char *const labels[] = { "name", u->id, "state", states[i], "type", u->type, "manager", manager, NULL };
		findings_put(r->out, "node_systemd_unit_state", strcmp(u->active, states[i]) == 0, labels);
	}
	if (u->restarts >= 0)
		findings_put(r->out, "node_systemd_service_restart_total", (double)u->restarts, named);
	if (wall_of(r, u->active_us) > 0)
		findings_put(r->out, "node_systemd_unit_start_time_seconds", (double)wall_of(r, u->active_us) / 1000, named);
	if (u->tasks >= 0)
		findings_put(r->out, "node_systemd_unit_tasks_current", (double)u->tasks, named);
	if (u->memory >= 0)
		findings_put(r->out, "pitwall_systemd_unit_memory_bytes", (double)u->memory, named);
	if (u->cpu_ns >= 0)
		findings_put(r->out, "pitwall_systemd_unit_cpu_seconds_total", (double)u->cpu_ns / 1e9, named);
}

/* How its main process ended: " (exit status 3)", or nothing. CLD_ codes: 1 exited, 2 killed, 3 dumped core. */
static const char *ended(const struct unit *u, char to[64])
{
	to[0] = '\0';
	if (u->code == 1 && u->status > 0)
		snprintf(to, 64, " (exit status %lld%s)", (long long)u->status, u->status == 203 ? ": its program cannot be run" : "");
	else if (u->code == 2 || u->code == 3)
		snprintf(to, 64, " (signal %lld%s)", (long long)u->status, u->code == 3 ? ", core dumped" : "");
	return to;
}

static void tell(const struct reading *r, const struct unit *u, const struct unit_seen *before, const struct unit_seen *now)
{
	char how[64];
	int64_t changed_ms = wall_of(r, u->change_us);
	if (now->restarts > before->restarts && before->restarts >= 0) {
		bool is_up = now->is_active || u->result[0] == '\0'; /* what Result says is of this run then */
		findings_event(r->out, changed_ms, FINDING_WARN, "unit", "unit '%s' was restarted by systemd%s%s%s%s, %lld times so far", u->id,
		               is_up ? "" : " after '", is_up ? "" : u->result, is_up ? "" : "'", is_up ? "" : ended(u, how), (long long)now->restarts);
	}
	if (now->is_failed && !before->is_failed)
		findings_event(r->out, changed_ms, FINDING_CRITICAL, "unit", "unit '%s' failed: %s%s", u->id,
		               u->result[0] != '\0' ? u->result : "no reason given", ended(u, how));
	else if (now->is_active && !before->is_active && before->id != 0)
		findings_event(r->out, changed_ms, FINDING_INFO, "unit", "unit '%s' is active again", u->id);
	else if (now->is_active && before->is_active && now->restarts <= before->restarts && before->started_us > 0 &&
	         now->started_us > before->started_us)
		findings_event(r->out, wall_of(r, u->started_us), FINDING_INFO, "unit", "unit '%s' was started again by someone", u->id);
}

static void remember(const struct reading *r, const struct unit *u, uint64_t id)
{
	struct systemd_memory *m = r->memory;
	struct unit_seen now = {
		.id = id, .restarts = u->restarts, .started_us = u->started_us,
		.is_failed = strcmp(u->active, "failed") == 0, .is_active = strcmp(u->active, "active") == 0,
	};
	size_t i = 0;
	while (i < m->n && m->units[i].id != id)
		i++;
	struct unit_seen before = i < m->n ? m->units[i] : (struct unit_seen){ .restarts = -1 };
	if (i < m->n || m->is_primed)
		tell(r, u, &before, &now);
	if (i < UNITS_MAX)
		m->units[i] = now;
	if (i == m->n && i < UNITS_MAX)
		m->n++;
}

/* A unit that the system's manager does not know may be one of the user's. */
static void note_missing(struct reading *r, const struct unit *u, bool is_missing)
{
	for (size_t i = 0; i < MISSING_MAX; i++) {
		if (!is_missing && strcmp(r->missing[i], u->id) == 0)
			r->missing[i][0] = '\0';
		if (is_missing && !r->is_user && r->missing[i][0] == '\0') {
			memcpy(r->missing[i], u->id, UNIT_NAME);
			return;
		}
	}
}

static void unit_end(struct reading *r, const struct unit *u)
{
	if (u->id[0] == '\0')
		return;
	uint64_t id = hash64(u->id, strlen(u->id), r->is_user);
	for (size_t i = 0; i < r->n_seen; i++)
		if (r->seen[i] == id)
			return;
	if (r->n_seen == sizeof r->seen / sizeof r->seen[0])
		return;
	r->seen[r->n_seen++] = id;
	bool is_missing = strcmp(u->load, "not-found") == 0;
	note_missing(r, u, is_missing);
	if (is_missing)
		return;
	put_samples(r, u);
	remember(r, u, id);
}

static void mark(struct reading *r, struct slice line)
{
	if (slice_skip(&line, "system ")) {
		r->has_system = !slice_has(line, " ");
		if (r->has_system)
			findings_put(r->out, "node_systemd_system_running", slice_is(line, "running"), NULL);
		else
			said_safe(line, r->trouble);
	} else if (slice_skip(&line, "boot ")) {
		r->boot_s = said_number(line, 0);
		if (r->boot_s < 0 || r->boot_s > INT32_MAX * INT64_C(100))
			r->boot_s = 0;
	} else if (slice_skip(&line, "units ")) {
		char state[WORD];
		slice_copy(said_until(&line, ' '), state, sizeof state);
		int64_t n = said_number(line, -1);
		if (n >= 0 && state[0] != '\0')
			findings_put(r->out, "node_systemd_units", (double)n, (const char *[]){ "state", state, NULL });
	} else if (slice_is(line, "user")) {
		r->is_user = true;
	}
}

static enum err verdict(const struct reading *r, const struct section *in, struct why *why)
{
	if (r->trouble[0] != '\0')
		return why_set(why, ERR_FORMAT, "systemd does not answer: %s", r->trouble);
	if (in->status == 124)
		return why_set(why, ERR_FORMAT, "systemctl did not answer in time");
	if (!r->has_system)
		return why_set(why, ERR_FORMAT, "systemctl said '%s'", SAFE(said_of(in)));
	for (size_t i = 0; i < MISSING_MAX; i++)
		if (r->missing[i][0] != '\0')
			return why_set(why, ERR_FORMAT, "there is no unit '%s' on this machine",
			               SAFE(slice_of(r->missing[i])));
	if (in->is_cut)
		return why_set(why, ERR_FORMAT, "systemctl said more than is read: name fewer units");
	return ERR_OK;
}

static enum err systemd_parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	(void)s;
	if (in->status == 127)
		return ERR_NOT_FOUND;
	struct reading r = { .memory = memory, .out = out };
	struct slice rest = said_of(in), line;
	struct unit u;
	unit_clear(&u);
	while (slice_line(&rest, &line)) {
		bool is_mark = slice_skip(&line, "== ");
		if (is_mark || line.n == 0) {
			unit_end(&r, &u);
			unit_clear(&u);
		}
		if (is_mark)
			mark(&r, line);
		else
			unit_take(&u, line);
	}
	if (!in->is_cut)
		unit_end(&r, &u);
	enum err e = verdict(&r, in, why);
	if (r.has_system && !in->is_cut && in->status == 0)
		r.memory->is_primed = true;
	return e;
}

const struct source systemd_source = {
	.name = "systemd",
	.summary = "units of systemd: state, restarts, failed ones",
	.write_script = systemd_script,
	.every_ms = 15000,
	.absent_ms = 600000,
	.memory_size = sizeof(struct systemd_memory),
	.parse = systemd_parse,
};
