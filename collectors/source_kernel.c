/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's log since the last asking: from the journal, else from dmesg. Only lines with a hint of the table's in them are sent
 * (log_pattern.h). The first asking reads what there is of this boot: all of it is counted, and what is younger than TELL_MS is told. */
#include "collectors/source_services.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "collectors/log_burst.h"
#include "collectors/log_pattern.h"
#include "collectors/xid.h"

enum { TELL_MS = 600000, XIDS_MAX = 32, BUS_TEXT = 24, POSITION_TEXT = 200, CGROUP_TEXT = 160 };

/* What a pipe may carry: the newest 900 lines of 1000 bytes stay below SECTION_MAX, and the cursor, which comes last, is among them.
 * A journalctl that has no rights ends well and says so in words, which pass the filter too. */
static const char script_filter[] =
	"(\n"
	"filter() {\n";
static const char script_rest[] =
	" | cut -c1-1000 | tail -n 900\n"
	"}\n"
	"export LC_ALL=C SYSTEMD_COLORS=0\n"
	"boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)\n"
	"echo \"== now $(date +%s)\"\n"
	"echo \"== boot ${boot:-none} $(sed -n 's/^btime //p' /proc/stat 2>/dev/null)\"\n"
	"why=\n"
	"case $1 in j,*) since=--after-cursor=${1#j,} ;; *) since=--lines=10000 ;; esac\n"
	"case $1 in d,*) has_journal= ;; *) has_journal=$(command -v journalctl) ;; esac\n" /* one that was too slow is not asked each time */
	"if [ -n \"$has_journal\" ]; then\n"
	"	said=$(bounded journalctl -k --no-pager -o short-unix --show-cursor \"$since\" 2>&1 | filter)\n"
	"	case $said in\n"
	"	*'not seeing messages'* | *'insufficient permissions'* | *'No journal files'*) why=rights ;;\n"
	"	*'-- cursor: '* | *'-- No entries'*) printf '== journal\\n%s\\n' \"$said\"; exit 0 ;;\n"
	"	*) why=other; [ -z \"$said\" ] || printf '== journal says %s\\n' \"$(printf '%s\\n' \"$said\" | tail -n 1)\" ;;\n"
	"	esac\n"
	"fi\n"
	"command -v dmesg >/dev/null 2>&1 || { [ -z \"$why\" ] || echo \"== no $why\"; [ -n \"$why\" ] || exit 127; exit 1; }\n"
	"last=0\n"
	"case $1 in d,\"${boot:-none}\",*) last=${1##*,} ;; esac\n"
	"echo '== dmesg'\n"
	"bounded dmesg 2>&1 | awk -v last=\"$last\" '\n"
	"	/^\\[ *[0-9]+\\.[0-9]+\\]/ { t = $0; sub(/^\\[ */, \"\", t); sub(/\\].*/, \"\", t); if (t + 0 > last + 0) { print; newest = t } next }\n"
	"	/^dmesg: / { print }\n"
	"	END { if (newest != \"\") print \"-- last: \" newest }' | filter\n"
	"exit 0\n"
	")\n";

static enum err kernel_script(const struct source_settings *s, struct buf *to, struct why *why)
{
	static const char *const more[] = { "-- cursor: ", "-- No entries", "-- last: ", "not seeing messages", "insufficient permissions",
	                                    "No journal files", "Unknown output format", "Failed to ", "dmesg: ", NULL };
	(void)s;
	buf_puts(to, script_filter);
	log_pattern_filter(SCOPE_KERNEL, more, to);
	buf_puts(to, script_rest);
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "%s", err_text(to->err));
}

/* ---- memory ---- */

struct xid_seen {
	char     bus[BUS_TEXT];
	int      code;
	uint64_t lines;
	int64_t  last_ms; /* of the clock here, when the last of them was written; 0: not known */
};

struct kernel_memory {
	char     position[POSITION_TEXT]; /* what `ask` says; "" before the first whole answer */
	bool     was_read;
	int64_t  read_ms;                 /* the machine's clock at the last reading; 0: not said */
	uint64_t counts[LOG_PATTERNS_MAX];
	struct xid_seen xids[XIDS_MAX];
	size_t   n_xids;
	struct bursts_memory     told;
	struct log_pattern_cache cache;
};

static void kernel_forget(void *memory)
{
	struct kernel_memory *m = memory;
	log_pattern_release(&m->cache);
}

static void kernel_ask(const void *memory, struct buf *argument)
{
	const struct kernel_memory *m = memory;
	buf_puts(argument, m->position);
}

/* ---- reading ---- */

struct reading {
	struct kernel_memory *memory;
	struct findings      *out;
	struct bursts bursts;
	int64_t now_ms, boot_s, answered_ms;
	int64_t after_ms;     /* what was written before is not told */
	bool    is_repeated;  /* and was counted: another log than the last time says it again */
	char    boot[48], last[64];
	bool    is_journal, is_dmesg;
	int64_t line_ms; /* when the line was written; 0: not known */
	struct slice text;
	struct slice refusal;
	char    cgroup[CGROUP_TEXT]; /* of the killing that is under way */
	bool    is_cgroup_limit;
};

static bool is_told(const struct reading *r)
{
	return r->line_ms > 0 ? r->line_ms >= r->after_ms : r->after_ms == 0;
}

static struct burst *add(struct reading *r, uint64_t key, enum finding_severity severity, const char *kind)
{
	return burst_add(&r->bursts, key, r->line_ms > 0 ? r->line_ms : r->answered_ms, r->line_ms, severity, kind);
}

/* "1700000000.123456 host kernel: text" or "[12345.678901] text". */
static void read_time(struct reading *r, struct slice line)
{
	struct slice rest = line;
	r->line_ms = 0;
	r->text = line;
	bool is_dmesg = slice_skip(&rest, "[");
	while (rest.n > 0 && rest.p[0] == ' ')
		slice_skip(&rest, " ");
	struct slice whole = said_until(&rest, '.');
	struct slice micros = said_until(&rest, is_dmesg ? ']' : ' ');
	int64_t s = said_number(whole, -1), us = said_number(micros, -1);
	if (s < 0 || s > INT32_MAX * INT64_C(16) || us < 0 || us > 999999 || micros.n != 6)
		return;
	r->line_ms = s * 1000 + us / 1000;
	if (is_dmesg)
		r->line_ms = r->boot_s > 0 ? r->line_ms + r->boot_s * 1000 : 0;
	else
		said_until(&rest, ' '); /* the host */
	slice_skip(&rest, "kernel: ");
	slice_skip(&rest, " ");
	r->text = rest;
}

/* ---- Xid ---- */

/* When the line was written, by the clock here: the machine's own may be wrong. What has no time is new, but for the first reading. */
static int64_t written_ms(const struct reading *r)
{
	if (r->line_ms > 0 && r->now_ms > 0)
		return r->answered_ms - (r->now_ms > r->line_ms ? r->now_ms - r->line_ms : 0);
	return r->memory->was_read ? r->answered_ms : 0;
}

static void count_xid(struct kernel_memory *m, const struct xid *x, int64_t written_ms)
{
	size_t i = 0;
	while (i < m->n_xids && (m->xids[i].code != x->code || strcmp(m->xids[i].bus, x->bus_id) != 0))
		i++;
	if (i == XIDS_MAX)
		return;
	if (i == m->n_xids) {
		slice_copy(slice_of(x->bus_id), m->xids[i].bus, BUS_TEXT);
		m->xids[i].code = x->code;
		m->n_xids++;
	}
	m->xids[i].lines++;
	if (written_ms > m->xids[i].last_ms)
		m->xids[i].last_ms = written_ms;
}

static void take_xid(struct reading *r)
{
	struct xid x;
	if (!xid_parse(r->text.p, r->text.n, &x) || x.is_switch) /* a switch's is in the table */
		return;
	count_xid(r->memory, &x, written_ms(r));
	if (!is_told(r))
		return;
	const struct xid_info *info = xid_info(x.code);
	uint64_t key = hash64(x.bus_id, strlen(x.bus_id), 0x100 + (uint64_t)x.code);
	struct burst *u = add(r, key, info != NULL ? info->severity : FINDING_WARN, "xid");
	if (u == NULL || u->text[0] != '\0')
		return;
	char process[112] = "";
	if (x.pid > 0)
		snprintf(process, sizeof process, ", process '%s' (pid %" PRId64 ")", x.name[0] != '\0' ? x.name : "?", x.pid);
	if (info != NULL)
		snprintf(u->text, sizeof u->text, "Xid %d on GPU %s%s: %s; %s", x.code, x.bus_id, process, info->meaning, info->advice);
	else
		snprintf(u->text, sizeof u->text, "Xid %d on GPU %s%s: %s", x.code, x.bus_id, process, x.rest);
}

/* ---- killed for want of memory ---- */

/* What stands behind `key`. */
static struct slice behind(struct slice line, const char *key)
{
	struct slice before;
	return slice_until(&line, key, &before) ? line : (struct slice){ NULL, 0 };
}

static int64_t kilobytes(struct slice line, const char *key)
{
	struct slice rest = behind(line, key);
	int64_t kb = said_number(said_until(&rest, 'k'), 0);
	return kb > 0 && kb < INT64_C(1) << 40 ? kb : 0;
}

static struct slice field(struct slice line, const char *key)
{
	struct slice rest = behind(line, key);
	return said_until(&rest, ',');
}

/* What is said before the killing: "oom-kill:constraint=CONSTRAINT_MEMCG,...,task_memcg=/x,task=..."; before Linux 4.19 "Task in /x killed as a result
 * of limit of /y". */
static void note_oom(struct reading *r)
{
	struct slice rest = r->text, group = { 0 };
	if (slice_has(rest, "invoked oom-killer")) {
		r->cgroup[0] = '\0';
		r->is_cgroup_limit = false;
	} else if (slice_has(rest, "oom-kill:constraint=")) {
		r->is_cgroup_limit = slice_is(field(rest, "oom-kill:constraint="), "CONSTRAINT_MEMCG");
		group = field(rest, "task_memcg=");
	} else if (slice_skip(&rest, "Task in ")) {
		r->is_cgroup_limit = true;
		group = said_until(&rest, ' ');
	}
	if (group.n > 0)
		slice_copy(group, r->cgroup, sizeof r->cgroup);
}

/* "Killed process 123 (a (b) c) total-vm:...", "Kill process 123 (name) score 9 or ...", "Killed process 123, UID 48, (httpd)". */
static bool read_victim(struct slice text, int64_t *pid, struct slice *name)
{
	struct slice rest = behind(text, "Killed process "), before;
	if (rest.p == NULL)
		rest = behind(text, "Kill process ");
	size_t digits = 0;
	while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
		digits++;
	*pid = said_number((struct slice){ rest.p, digits }, -1);
	if (*pid < 0 || !slice_until(&rest, "(", &before))
		return false;
	/* A name may hold brackets: what follows it is known. */
	const char *last = rest.n > 0 ? memrchr(rest.p, ')', rest.n) : NULL;
	struct slice tail = rest;
	if (slice_until(&tail, ") total-vm:", name) || slice_until(&tail, ") score ", name))
		return true;
	if (last != NULL)
		*name = (struct slice){ rest.p, (size_t)(last - rest.p) };
	return last != NULL;
}

static void take_oom(struct reading *r)
{
	int64_t pid;
	struct slice name;
	char who[64], size[64] = "";
	note_oom(r);
	if (!read_victim(r->text, &pid, &name) || !is_told(r))
		return;
	int64_t kb = kilobytes(r->text, "anon-rss:") + kilobytes(r->text, "file-rss:") + kilobytes(r->text, "shmem-rss:");
	uint64_t key = hash64(name.p, name.n, 0x10000 + (uint64_t)pid);
	struct burst *u = add(r, key, FINDING_CRITICAL, "oom_kill");
	if (u == NULL)
		return;
	u->lines = 1; /* the same killing in two lines */
	if (u->text[0] != '\0' && kb == 0)
		return;
	if (kb > 0)
		snprintf(size, sizeof size, ", %.1f GiB resident", (double)kb / 1048576);
	bool is_limit = r->is_cgroup_limit || slice_has(r->text, "emory cgroup out of memory");
	snprintf(u->text, sizeof u->text, "the kernel killed '%s' (pid %" PRId64 "%s)%s%s: %s", slice_copy(name, who, sizeof who), pid, size,
	         r->cgroup[0] != '\0' ? " of " : "", r->cgroup,
	         is_limit ? "its group reached its memory limit" : "the machine has no memory left");
	if (kb > 0) {
		r->cgroup[0] = '\0';
		r->is_cgroup_limit = false;
	}
}

/* ---- all else ---- */

static void take_pattern(struct reading *r, size_t i)
{
	const struct log_pattern *p = &log_patterns[i];
	char key[LOG_KEY];
	if (p->is_quiet || !is_told(r))
		return;
	log_pattern_key(&r->memory->cache, i, r->text, key);
	struct burst *u = add(r, hash64(key, strlen(key), 0x20000 + i), p->severity, "kernel");
	if (u != NULL && u->text[0] == '\0')
		snprintf(u->text, sizeof u->text, "%s: %.*s", p->meaning, (int)r->text.n, r->text.p);
}

static void take_line(struct reading *r, struct slice line)
{
	char clean[LOG_LINE_MAX];
	read_time(r, log_line_clean(line, clean));
	if (r->is_repeated && !is_told(r))
		return;
	uint64_t found = log_pattern_match(&r->memory->cache, SCOPE_KERNEL, r->text);
	bool is_told_of = false;
	take_xid(r);
	take_oom(r);
	for (size_t i = 0; i < n_log_patterns; i++) {
		if ((found >> i & 1) == 0)
			continue;
		r->memory->counts[i]++;
		if (!is_told_of)
			take_pattern(r, i);
		is_told_of = true;
	}
}

static void mark(struct reading *r, struct slice line)
{
	if (slice_skip(&line, "now ")) {
		int64_t s = said_number(line, 0);
		r->now_ms = s > 0 && s < INT32_MAX * INT64_C(16) ? s * 1000 : 0;
		if (!r->memory->was_read)
			r->after_ms = r->now_ms > TELL_MS ? r->now_ms - TELL_MS : 1;
	} else if (slice_skip(&line, "boot ")) {
		slice_copy(said_until(&line, ' '), r->boot, sizeof r->boot);
		int64_t s = said_number(line, 0);
		r->boot_s = s > 0 && s < INT32_MAX * INT64_C(16) ? s : 0;
	} else if (slice_is(line, "journal") || slice_is(line, "dmesg")) {
		r->is_journal = line.p[0] == 'j';
		r->is_dmesg = !r->is_journal;
		r->is_repeated = r->memory->was_read && r->memory->position[0] != line.p[0];
		if (r->is_repeated)
			r->after_ms = r->memory->read_ms;
	} else if (slice_skip(&line, "journal says ") || slice_skip(&line, "no ")) {
		r->refusal = line;
	}
}

/* What may be said back to the script: only what `ask` allows, and no more than fits. */
static bool is_argument(struct slice s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=;:.,/@+-";
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(allowed, s.p[i]) == NULL)
			return false;
	return s.n > 0 && s.n < POSITION_TEXT - 64;
}

static bool take_position(struct reading *r, struct slice line)
{
	bool is_cursor = slice_skip(&line, "-- cursor: ");
	if (!is_cursor && !slice_skip(&line, "-- last: "))
		return slice_skip(&line, "-- ");
	if (!is_argument(line))
		return true;
	char text[POSITION_TEXT - 63];
	slice_copy(line, text, sizeof text);
	if (is_cursor)
		snprintf(r->memory->position, POSITION_TEXT, "j,%s", text);
	else if (is_argument(slice_of(r->boot)))
		snprintf(r->memory->position, POSITION_TEXT, "d,%s,%.40s", r->boot, text);
	return true;
}

static void put_samples(const struct reading *r)
{
	const struct kernel_memory *m = r->memory;
	log_pattern_samples(SCOPE_KERNEL, "kernel", m->counts, r->out);
	for (size_t i = 0; i < m->n_xids; i++) {
		char code[16];
		snprintf(code, sizeof code, "%d", m->xids[i].code);
		findings_put(r->out, "nvidia_xid_errors_total", (double)m->xids[i].lines,
		             (const char *[]){ "pci_bus_id", m->xids[i].bus, "xid", code, NULL });
	}
	for (size_t i = 0; i < m->n_xids; i++) {
		char code[16];
		snprintf(code, sizeof code, "%d", m->xids[i].code);
		if (m->xids[i].last_ms > 0)
			findings_put(r->out, "nvidia_xid_last_timestamp_seconds", (double)(m->xids[i].last_ms / 1000),
			             (const char *[]){ "pci_bus_id", m->xids[i].bus, "xid", code, NULL });
	}
}

static enum err verdict(const struct reading *r, const struct section *in, struct why *why)
{
	static const char advice[] = "add it to the group 'systemd-journal' or 'adm', or set kernel.dmesg_restrict to 0";
	struct slice all = said_of(in);
	if (r->is_dmesg && slice_has(all, "dmesg: ") && (slice_has(all, "not permitted") || slice_has(all, "ermission denied")))
		return why_set(why, ERR_FORMAT, "this user may not read the kernel's log: %s", advice);
	if (r->is_journal || r->is_dmesg)
		return ERR_OK;
	if (slice_is(r->refusal, "rights"))
		return why_set(why, ERR_FORMAT, "this user may not read the kernel's log, and there is no dmesg: %s", advice);
	if (in->status == 124)
		return why_set(why, ERR_FORMAT, "the kernel's log was not told in time");
	return why_set(why, ERR_FORMAT, "the kernel's log cannot be read: %s", SAFE(r->refusal.n > 0 ? r->refusal : all));
}

static enum err kernel_parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	(void)s;
	if (in->status == 127)
		return ERR_NOT_FOUND;
	struct reading r = { .memory = memory, .out = out, .answered_ms = in->answered_ms };
	struct slice rest = said_of(in), line;
	while (slice_line(&rest, &line)) {
		if (slice_skip(&line, "== "))
			mark(&r, line);
		else if ((r.is_journal || r.is_dmesg) && !take_position(&r, line))
			take_line(&r, line);
	}
	enum err e = verdict(&r, in, why);
	if (e != ERR_OK && r.is_dmesg)
		r.memory->position[0] = '\0'; /* the journal may be readable by now */
	if (e != ERR_OK)
		return e;
	bursts_tell(&r.bursts, &r.memory->told, out);
	put_samples(&r);
	r.memory->was_read = true;
	r.memory->read_ms = r.now_ms;
	return ERR_OK;
}

const struct source kernel_source = {
	.name = "kernel",
	.summary = "the kernel's log: Xid errors, killed processes, hardware, links, file systems",
	.write_script = kernel_script,
	.absent_ms = 600000,
	.memory_size = sizeof(struct kernel_memory),
	.forget = kernel_forget,
	.ask = kernel_ask,
	.parse = kernel_parse,
};
