/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs that the fleet file names: units through the journal, files from where the last asking ended. A position is the journal's cursor, or a file's
 * inode and offset; the script is told it as TAGj... or TAGf..., the tag being made of the log's name, so that an edited fleet file does not mix
 * them up. Every line of a log comes with a '|' before it: what a log says is never taken for what the script says. */
#include "collectors/source_services.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "collectors/log_burst.h"
#include "collectors/log_pattern.h"
#include "collectors/shell_quote.h"

enum { LOGS_MAX = 8, TELL_MS = 600000, POSITION_TEXT = 61, LINES_MAX = 800 }; /* 8 positions with tags fit into what `ask` may say */

/* ---- the script ---- */

static const char script_hinted[] =
	"(\n"
	"export LC_ALL=C SYSTEMD_COLORS=0\n"
	"set -f\n"
	"positions=,$1\n"
	"where() { case $positions in *,\"$1\"[fj]*) at=${positions#*,\"$1\"}; at=${at%%,*} ;; *) at= ;; esac; }\n"
	"hinted() {\n";
/* The newest lines of 500 bytes; how many stood before them is said. */
static const char script_lines[] =
	" | cut -c1-500 | awk -v max=%d '{ l[NR %% max] = $0 } END {\n"
	"	for (i = NR > max ? NR - max + 1 : 1; i <= NR; i++) print \"|\" l[i %% max]\n"
	"	if (NR > max) print \"== more \" (NR - max) }'\n"
	"}\n";
/* bytes FILE OFFSET COUNT: dd seeks everywhere, tail -c +N reads all that is before in busybox.
 * piece FILE OFFSET SIZE: at most 2 MiB, up to the last end of a line (a line of over 4 KiB is not waited for); sets `end`. */
static const char script_files[] =
	"bytes() {\n"
	"	bounded dd if=\"$1\" bs=65536 skip=$(($2 / 65536)) count=$((($3 + $2 % 65536) / 65536 + 1)) 2>/dev/null |\n"
	"		tail -c +$(($2 % 65536 + 1)) | head -c \"$3\"\n"
	"}\n"
	"piece() {\n"
	"	back=$(($3 > 4096 ? 4096 : $3))\n"
	"	part=$({ bytes \"$1\" $(($3 - back)) $back; echo x; } | tail -n 1 | wc -c)\n"
	"	part=$((part - 2))\n"
	"	[ $part -lt 4096 ] || part=0\n"
	"	from=$2 end=$(($3 - part))\n"
	"	[ $end -ge $from ] || end=$from\n"
	"	if [ $((end - from)) -gt 2097152 ]; then\n"
	"		echo \"== skipped $((end - from - 2097152))\"\n"
	"		from=$((end - 2097152))\n"
	"	fi\n"
	"	[ $end -eq $from ] || bytes \"$1\" $from $((end - from)) | hinted\n"
	"}\n"
	"measure() {\n" /* sets inode and size */
	"	set -- $(ls -lniL -- \"$1\" 2>/dev/null)\n"
	"	inode=$1 size=$6\n"
	"	case $inode,$size in *[!0-9,]* | ,* | *,) return 1 ;; esac\n"
	"}\n"
	"file() {\n"
	"	echo \"== log $1\"\n"
	"	where \"$1\"\n"
	"	[ -e \"$2\" ] || { echo '== error it is not there'; return; }\n"
	"	[ -f \"$2\" ] || { echo '== error it is no plain file'; return; }\n"
	"	[ -r \"$2\" ] || { echo '== error this user may not read it'; return; }\n"
	"	old=${at#f} old=${old%%.*} begin=${at##*.}\n"
	"	measure \"$2\" || { echo '== error its size is not known'; return; }\n"
	"	if [ -z \"$at\" ]; then\n"
	"		echo '== first'\n"
	"		begin=$((size > 65536 ? size - 65536 : 0))\n"
	"	elif [ \"$old\" != \"$inode\" ]; then\n"
	"		measure \"$2.1\" && [ \"$inode\" = \"$old\" ] && [ -r \"$2.1\" ] && [ \"$size\" -gt \"$begin\" ] && piece \"$2.1\" \"$begin\" \"$size\"\n"
	"		measure \"$2\" || { echo '== error its size is not known'; return; }\n"
	"		begin=0\n"
	"	elif [ \"$begin\" -gt \"$size\" ]; then\n"
	"		begin=0\n"
	"	fi\n"
	"	piece \"$2\" \"$begin\" \"$size\"\n"
	"	echo \"== at f$inode.$end\"\n"
	"}\n";
/* A short cursor: sequence number and time are what journald looks for. Lines are the next ones behind a cursor, else the last ones. */
static const char script_units[] =
	"unit() {\n"
	"	echo \"== log $1\"\n"
	"	where \"$1\"\n"
	"	command -v journalctl >/dev/null 2>&1 || { echo '== error there is no journalctl'; return; }\n"
	"	if [ -z \"$at\" ]; then\n"
	"		echo '== first'\n"
	"		set -- \"$1\" \"$2\" --lines=400\n"
	"	else\n"
	"		at=${at#j} rest=${at#*.}\n"
	"		set -- \"$1\" \"$2\" --lines=20000 \"--after-cursor=s=${at%%.*};i=${rest%%.*};t=${rest#*.}\"\n"
	"	fi\n"
	"	name=$2\n"
	"	shift 2\n"
	"	bounded journalctl --no-pager -o short-unix --show-cursor \"$@\" -u \"$name\" 2>&1 | hinted\n"
	"}\n"
	"echo \"== now $(date +%s)\"\n";

struct tags {
	unsigned char of[LOGS_MAX];
};

static size_t logs_of(const struct source_settings *s)
{
	return s->n_logs < LOGS_MAX ? s->n_logs : LOGS_MAX;
}

static uint64_t id_of(const char *log)
{
	return hash64(log, strlen(log), 0);
}

/* A byte a log, no two alike. */
static struct tags tags_of(const struct source_settings *s)
{
	struct tags t = { { 0 } };
	for (size_t i = 0; i < logs_of(s); i++) {
		t.of[i] = (unsigned char)id_of(s->logs[i]);
		for (size_t k = 0; k < i; k++) {
			if (t.of[k] != t.of[i])
				continue;
			t.of[i]++;
			k = (size_t)-1; /* look at all of them again */
		}
	}
	return t;
}

static enum err log_script(const struct source_settings *s, struct buf *to, struct why *why)
{
	static const char *const more[] = { "-- cursor: ", "Hint: You are", "No journal files", "insufficient permissions",
	                                    "Unknown output format", "Failed to seek", NULL };
	struct tags tags = tags_of(s);
	if (s->n_logs == 0)
		return ERR_OK;
	buf_puts(to, script_hinted);
	log_pattern_filter(SCOPE_LOG, more, to);
	buf_printf(to, script_lines, (int)(LINES_MAX / logs_of(s)));
	buf_puts(to, script_files);
	buf_puts(to, script_units);
	for (size_t i = 0; i < logs_of(s); i++) {
		buf_printf(to, "%s %02x ", s->logs[i][0] == '/' ? "file" : "unit", tags.of[i]);
		enum err e = shell_quote(to, &s->logs[i], 1, why);
		if (e != ERR_OK)
			return e;
		buf_putc(to, '\n');
	}
	buf_puts(to, "exit 0\n)\n");
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "%s", err_text(to->err));
}

/* ---- memory ---- */

struct log_seen {
	uint64_t id; /* of its name; 0: none */
	unsigned char tag;
	char     position[POSITION_TEXT]; /* "fINODE.OFFSET" or "jSEQUENCE.NUMBER.TIME"; "" before the first answer */
	bool     was_read;
	uint64_t counts[LOG_PATTERNS_MAX];
	uint64_t skipped_bytes, skipped_lines;
};

struct log_memory {
	struct log_seen logs[LOGS_MAX];
	struct bursts_memory     told;
	struct log_pattern_cache cache;
};

static void log_forget(void *memory)
{
	struct log_memory *m = memory;
	log_pattern_release(&m->cache);
}

static void log_ask(const void *memory, struct buf *argument)
{
	const struct log_memory *m = memory;
	const char *separator = "";
	for (size_t i = 0; i < LOGS_MAX; i++) {
		if (m->logs[i].position[0] == '\0')
			continue;
		buf_printf(argument, "%s%02x%s", separator, m->logs[i].tag, m->logs[i].position);
		separator = ",";
	}
}

/* Puts what is remembered in the order of the settings; what they do not name any more is forgotten. */
static void arrange(struct log_memory *m, const struct source_settings *s)
{
	struct tags tags = tags_of(s);
	struct log_seen before[LOGS_MAX];
	memcpy(before, m->logs, sizeof before);
	memset(m->logs, 0, sizeof m->logs);
	for (size_t i = 0; i < logs_of(s); i++) {
		m->logs[i].id = id_of(s->logs[i]);
		for (size_t k = 0; k < LOGS_MAX; k++)
			if (before[k].id == m->logs[i].id)
				m->logs[i] = before[k];
		m->logs[i].tag = tags.of[i];
	}
}

/* ---- the answer ---- */

struct reading {
	struct log_memory *memory;
	const struct source_settings *settings;
	struct findings   *out;
	struct bursts bursts;
	int64_t  now_ms, answered_ms;
	struct log_seen *log; /* NULL: none yet, or not one of ours */
	const char *name;
	bool     is_first;
	struct slice failed; /* the first log that failed, and why */
	const char *failed_name;
};

static void fail(struct reading *r, struct slice why)
{
	r->log->was_read = false;
	if (r->failed_name == NULL) {
		r->failed_name = r->name;
		r->failed = why;
	}
}

static void choose_log(struct reading *r, struct slice tag)
{
	char text[3];
	r->log = NULL;
	r->name = NULL;
	r->is_first = false;
	for (size_t i = 0; i < logs_of(r->settings); i++) {
		snprintf(text, sizeof text, "%02x", r->memory->logs[i].tag);
		if (slice_is(tag, text)) {
			r->log = &r->memory->logs[i];
			r->name = r->settings->logs[i];
			r->log->was_read = true;
		}
	}
}

/* "f" and two numbers with a dot between them. */
static bool is_file_position(struct slice s)
{
	bool has_f = slice_skip(&s, "f");
	struct slice inode = said_until(&s, '.');
	return has_f && said_number(inode, -1) >= 0 && said_number(s, -1) >= 0;
}

static void mark(struct reading *r, struct slice line)
{
	if (slice_skip(&line, "now ")) {
		int64_t s = said_number(line, 0);
		r->now_ms = s > 0 && s < INT32_MAX * INT64_C(16) ? s * 1000 : 0;
	} else if (slice_skip(&line, "log ")) {
		choose_log(r, line);
	} else if (r->log == NULL) {
		return;
	} else if (slice_is(line, "first")) {
		r->is_first = true;
	} else if (slice_skip(&line, "error ")) {
		fail(r, line);
	} else if (slice_skip(&line, "skipped ")) {
		int64_t n = said_number(line, 0);
		r->log->skipped_bytes += n > 0 ? (uint64_t)n : 0;
	} else if (slice_skip(&line, "more ")) {
		int64_t n = said_number(line, 0);
		r->log->skipped_lines += n > 0 ? (uint64_t)n : 0;
	} else if (slice_skip(&line, "at ") && is_file_position(line)) {
		slice_copy(line, r->log->position, sizeof r->log->position);
	}
}

static bool is_hex(struct slice s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return s.n > 0 && s.n <= max;
}

/* "s=...;i=...;b=...;m=...;t=...;x=...": three of them are kept. Source: systemd's journal export, sd_journal_get_cursor. */
static void take_cursor(struct reading *r, struct slice cursor)
{
	struct slice s = { 0 }, i = { 0 }, t = { 0 };
	while (cursor.n > 0) {
		struct slice part = said_until(&cursor, ';'), key = said_until(&part, '=');
		if (slice_is(key, "s"))
			s = part;
		else if (slice_is(key, "i"))
			i = part;
		else if (slice_is(key, "t"))
			t = part;
	}
	if (is_hex(s, 32) && is_hex(i, 11) && is_hex(t, 14))
		snprintf(r->log->position, sizeof r->log->position, "j%.*s.%.*s.%.*s", (int)s.n, s.p, (int)i.n, i.p, (int)t.n, t.p);
}

/* The time at the front of a journal's line, which is taken off with the host; 0 for a file's line. */
static int64_t take_time(struct slice *line)
{
	struct slice rest = *line, whole = said_until(&rest, '.'), micros = said_until(&rest, ' ');
	int64_t s = said_number(whole, -1), us = micros.n == 6 ? said_number(micros, -1) : -1;
	if (s < 0 || s > INT32_MAX * INT64_C(16) || us < 0)
		return 0;
	said_until(&rest, ' ');
	*line = rest;
	return s * 1000 + us / 1000;
}

static void tell(struct reading *r, size_t i, struct slice line, int64_t wall_ms)
{
	const struct log_pattern *p = &log_patterns[i];
	char key[LOG_KEY];
	/* How old the end of a file is cannot be told at the first asking. */
	if (p->is_quiet || (r->is_first && (wall_ms == 0 || wall_ms < r->now_ms - TELL_MS)))
		return;
	log_pattern_key(&r->memory->cache, i, line, key);
	uint64_t id = hash64(key, strlen(key), r->log->id + i);
	struct burst *u = burst_add(&r->bursts, id, wall_ms > 0 ? wall_ms : r->answered_ms, wall_ms, p->severity, "log");
	if (u != NULL && u->text[0] == '\0')
		snprintf(u->text, sizeof u->text, "%.80s: %s: %.*s", r->name, p->meaning, (int)line.n, line.p);
}

static void take_line(struct reading *r, struct slice line)
{
	char clean[LOG_LINE_MAX];
	bool is_unit = r->name[0] != '/';
	if (is_unit && slice_skip(&line, "-- cursor: ")) {
		take_cursor(r, line);
		return;
	}
	/* journalctl's own words: a line of the journal begins with its time. */
	if (is_unit && line.n > 0 && (line.p[0] < '0' || line.p[0] > '9') && line.p[0] != ' ') {
		if (slice_has(line, "Hint: You are") || slice_has(line, "insufficient permissions"))
			line = slice_of("this user may not read the journal: add it to the group 'systemd-journal' or 'adm'");
		else if (slice_has(line, "No journal files"))
			line = slice_of("there is no journal on this machine");
		fail(r, line);
		r->log->position[0] = '\0'; /* a cursor that it does not take */
		return;
	}
	int64_t wall_ms = is_unit ? take_time(&line) : 0;
	line = log_line_clean(line, clean);
	uint64_t found = log_pattern_match(&r->memory->cache, SCOPE_LOG, line);
	bool is_told = false;
	for (size_t i = 0; i < n_log_patterns; i++) {
		if ((found >> i & 1) == 0)
			continue;
		r->log->counts[i]++;
		if (!is_told)
			tell(r, i, line, wall_ms);
		is_told = true;
	}
}

static void put_samples(const struct reading *r)
{
	for (size_t i = 0; i < logs_of(r->settings); i++) {
		const struct log_seen *l = &r->memory->logs[i];
		const char *const named[] = { "log", r->settings->logs[i], NULL };
		if (!l->was_read)
			continue;
		log_pattern_samples(SCOPE_LOG, r->settings->logs[i], l->counts, r->out);
		findings_put(r->out, "pitwall_log_skipped_bytes_total", (double)l->skipped_bytes, named);
		findings_put(r->out, "pitwall_log_skipped_lines_total", (double)l->skipped_lines, named);
	}
}

static enum err log_parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct reading r = { .memory = memory, .settings = s, .out = out, .answered_ms = in->answered_ms };
	struct slice rest = said_of(in), line;
	if (s->n_logs == 0)
		return ERR_NOT_FOUND;
	arrange(memory, s);
	while (slice_line(&rest, &line)) {
		if (slice_skip(&line, "== "))
			mark(&r, line);
		else if (r.log != NULL && slice_skip(&line, "|"))
			take_line(&r, line);
	}
	bursts_tell(&r.bursts, &r.memory->told, out);
	put_samples(&r);
	if (r.failed_name != NULL)
		return why_set(why, ERR_FORMAT, "log '%.80s': %s", r.failed_name, SAFE(r.failed));
	if (r.name == NULL)
		return why_set(why, ERR_FORMAT, "the logs cannot be read: %s", SAFE(said_of(in)));
	if (s->n_logs > LOGS_MAX)
		return why_set(why, ERR_LIMIT, "only the first %d of %zu logs are read", (int)LOGS_MAX, s->n_logs);
	return ERR_OK;
}

const struct source log_source = {
	.name = "logs",
	.summary = "matches of known patterns in the logs that the fleet file names",
	.write_script = log_script,
	.memory_size = sizeof(struct log_memory),
	.forget = log_forget,
	.ask = log_ask,
	.parse = log_parse,
};
