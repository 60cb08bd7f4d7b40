/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/source_host.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collectors/source_host_private.h"
#include "collectors/slice.h"

/* One grep reads all files, says which a line is from, and leaves out what is long and not wanted: interrupts, and a line a processor (unless that is
 * the only way to count them). A file that is not there or cannot be read costs its own facts. */
static const char script[] =
	"lines='cpu |ctxt |btime |processes |procs_|some |full |oom_kill |pg(maj)?fault |pgpg|pswp| *[0-9]| *[^ ]+:[ 0-9]'\n"
	"test -r /sys/devices/system/cpu/online || lines=\"$lines|cpu[0-9]\"\n"
	"test -r /proc/stat || return 127\n"
	"cd /proc\n"
	"grep -HsE \"^($lines)\" stat uptime loadavg meminfo vmstat diskstats net/dev pressure/cpu pressure/memory pressure/io pressure/irq \\\n"
	"	sys/fs/file-nr /sys/devices/system/cpu/online\n"
	"test $? -lt 126\n"; /* grep's own 1 and 2 are for lines and files that are not there */

/* Linux counts the time of processors in hundredths of a second for all programs (USER_HZ), whatever its own clock. */
enum { TICKS_PER_SECOND = 100, MODES = 8, PROCESSORS_MAX = 65536 };

static const char *const modes[MODES] = { "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal" };

void host_put(struct host *h, const char *metric, double value)
{
	findings_put(h->out, metric, value, NULL);
}

size_t host_numbers(struct slice line, double *to, size_t max)
{
	struct slice word;
	size_t n = 0;
	while (n < max && slice_word(&line, &word) && slice_number(word, &to[n]))
		n++;
	return n;
}

/* "cpu  301854 612 111922 ...", columns as of `modes`, fewer in old kernels; guest time, which comes after, is in user already. */
static void on_cpu(struct host *h, struct slice line)
{
	h->n_ticks = host_numbers(line, h->ticks, MODES);
}

static void on_stat(struct host *h, struct slice line)
{
	static const struct {
		const char *key, *metric;
	} rows[] = {
		{ "ctxt", "node_context_switches_total" },   { "btime", "node_boot_time_seconds" },       { "processes", "node_forks_total" },
		{ "procs_running", "node_procs_running" },   { "procs_blocked", "node_procs_blocked" },
	};
	struct slice key;
	double value;
	if (!slice_word(&line, &key))
		return;
	if (slice_is(key, "cpu")) {
		on_cpu(h, line);
		return;
	}
	if (slice_begins(key, "cpu"))
		h->processors_seen++;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (slice_is(key, rows[i].key) && host_numbers(line, &value, 1) == 1) {
			host_put(h, rows[i].metric, value);
			if (strcmp(rows[i].key, "btime") == 0)
				h->boot_seconds = value;
		}
}

/* "0-63,65": which processors are on line. */
static void on_online(struct host *h, struct slice line)
{
	struct slice range, first;
	double count = 0, from, to;
	while (line.n > 0) {
		if (!slice_until(&line, ",", &range)) {
			range = line;
			line.n = 0;
		}
		bool is_one = !slice_until(&range, "-", &first);
		if (!slice_number(is_one ? range : first, &from) || !slice_number(range, &to) || !(from >= 0 && to >= from && to < PROCESSORS_MAX))
			return;
		count += to - from + 1;
	}
	h->processors = count;
}

static void on_uptime(struct host *h, struct slice line)
{
	host_numbers(line, &h->up_seconds, 1);
}

static void on_loadavg(struct host *h, struct slice line)
{
	double load[3];
	if (host_numbers(line, load, 3) != 3)
		return;
	host_put(h, "node_load1", load[0]);
	host_put(h, "node_load5", load[1]);
	host_put(h, "node_load15", load[2]);
}

/* Of /proc/meminfo what people look at; pages of a size are counted, all else is in KiB. */
static void on_meminfo(struct host *h, struct slice line)
{
	static const struct {
		const char *key, *metric;
	} rows[] = {
		{ "MemTotal", "node_memory_MemTotal_bytes" },
		{ "MemFree", "node_memory_MemFree_bytes" },
		{ "MemAvailable", "node_memory_MemAvailable_bytes" },
		{ "Buffers", "node_memory_Buffers_bytes" },
		{ "Cached", "node_memory_Cached_bytes" },
		{ "SwapCached", "node_memory_SwapCached_bytes" },
		{ "Active", "node_memory_Active_bytes" },
		{ "Inactive", "node_memory_Inactive_bytes" },
		{ "Mlocked", "node_memory_Mlocked_bytes" },
		{ "SwapTotal", "node_memory_SwapTotal_bytes" },
		{ "SwapFree", "node_memory_SwapFree_bytes" },
		{ "Dirty", "node_memory_Dirty_bytes" },
		{ "Writeback", "node_memory_Writeback_bytes" },
		{ "AnonPages", "node_memory_AnonPages_bytes" },
		{ "Mapped", "node_memory_Mapped_bytes" },
		{ "Shmem", "node_memory_Shmem_bytes" },
		{ "Slab", "node_memory_Slab_bytes" },
		{ "SReclaimable", "node_memory_SReclaimable_bytes" },
		{ "SUnreclaim", "node_memory_SUnreclaim_bytes" },
		{ "PageTables", "node_memory_PageTables_bytes" },
		{ "CommitLimit", "node_memory_CommitLimit_bytes" },
		{ "Committed_AS", "node_memory_Committed_AS_bytes" },
		{ "HardwareCorrupted", "node_memory_HardwareCorrupted_bytes" },
		{ "AnonHugePages", "node_memory_AnonHugePages_bytes" },
		{ "HugePages_Total", "node_memory_HugePages_Total" },
		{ "HugePages_Free", "node_memory_HugePages_Free" },
		{ "Hugepagesize", "node_memory_Hugepagesize_bytes" },
	};
	struct slice key, unit;
	double value;
	if (!slice_until(&line, ":", &key))
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice number;
		if (!slice_is(key, rows[i].key) || !slice_word(&line, &number) || !slice_number(number, &value))
			continue;
		bool is_kib = slice_word(&line, &unit) && slice_is(unit, "kB");
		host_put(h, rows[i].metric, is_kib ? value * 1024 : value);
		return;
	}
}

static void on_vmstat(struct host *h, struct slice line)
{
	static const char *const keys[] = { "oom_kill", "pgfault", "pgmajfault", "pgpgin", "pgpgout", "pswpin", "pswpout" };
	struct slice key;
	double value;
	char   metric[64];
	if (!slice_word(&line, &key) || host_numbers(line, &value, 1) != 1)
		return;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (slice_is(key, keys[i])) {
			snprintf(metric, sizeof metric, "node_vmstat_%s", keys[i]);
			host_put(h, metric, value);
		}
}

static void on_file_nr(struct host *h, struct slice line)
{
	double n[3]; /* in use, always 0, the most */
	if (host_numbers(line, n, 3) != 3)
		return;
	host_put(h, "node_filefd_allocated", n[0]);
	host_put(h, "node_filefd_maximum", n[2]);
}

/* "some avg10=0.18 ... total=159886802": the averages say less than the rate of the total, which is in microseconds. */
static void on_pressure(struct host *h, struct slice line, const char *some, const char *full)
{
	struct slice kind, word, name;
	double total;
	if (!slice_word(&line, &kind))
		return;
	const char *metric = slice_is(kind, "some") ? some : slice_is(kind, "full") ? full : NULL;
	while (slice_word(&line, &word))
		if (metric != NULL && slice_until(&word, "=", &name) && slice_is(name, "total") && slice_number(word, &total))
			host_put(h, metric, total / 1e6);
}

/* "Full" of the processors as a whole is not defined, and a line of zeros. */
static void on_pressure_cpu(struct host *h, struct slice line)
{
	on_pressure(h, line, "node_pressure_cpu_waiting_seconds_total", NULL);
}

static void on_pressure_memory(struct host *h, struct slice line)
{
	on_pressure(h, line, "node_pressure_memory_waiting_seconds_total", "node_pressure_memory_stalled_seconds_total");
}

static void on_pressure_io(struct host *h, struct slice line)
{
	on_pressure(h, line, "node_pressure_io_waiting_seconds_total", "node_pressure_io_stalled_seconds_total");
}

static void on_pressure_irq(struct host *h, struct slice line)
{
	on_pressure(h, line, NULL, "node_pressure_irq_stalled_seconds_total");
}

static const struct {
	const char *file;
	void      (*on_line)(struct host *h, struct slice line);
} files[] = {
	{ "stat", on_stat },
	{ "uptime", on_uptime },
	{ "loadavg", on_loadavg },
	{ "meminfo", on_meminfo },
	{ "vmstat", on_vmstat },
	{ "diskstats", host_on_disk },
	{ "net/dev", host_on_network },
	{ "pressure/cpu", on_pressure_cpu },
	{ "pressure/memory", on_pressure_memory },
	{ "pressure/io", on_pressure_io },
	{ "pressure/irq", on_pressure_irq },
	{ "sys/fs/file-nr", on_file_nr },
	{ "/sys/devices/system/cpu/online", on_online },
};

static void put_processors(struct host *h)
{
	double count = h->processors > 0 ? h->processors : h->processors_seen;
	if (count < 1)
		return;
	host_put(h, "machine_cpu_cores", count);
	for (size_t i = 0; i < h->n_ticks; i++) {
		const char *labels[] = { "cpu", "all", "mode", modes[i], NULL };
		findings_put(h->out, "node_cpu_seconds_total", h->ticks[i] / TICKS_PER_SECOND / count, labels);
	}
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct slice rest = { in->text, in->n }, line, file;
	struct host h = { .out = out, .up_seconds = NAN, .boot_seconds = NAN };
	(void)s;
	(void)memory;
	if (in->status == 127)
		return why_set(why, ERR_NOT_FOUND, "the machine has no /proc/stat, or no grep");
	while (slice_line(&rest, &line)) {
		if (!slice_until(&line, ":", &file))
			continue;
		for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
			if (slice_is(file, files[i].file))
				files[i].on_line(&h, line);
	}
	put_processors(&h);
	host_put(&h, "node_time_seconds", h.boot_seconds + h.up_seconds); /* the kernel's own, to a second */
	if (h.n_ticks < 4)
		return why_set(why, ERR_FORMAT, "/proc/stat has no line of processors");
	if (h.processors < 1 && h.processors_seen < 1)
		return why_set(why, ERR_FORMAT, "the machine does not say how many processors it has");
	return ERR_OK;
}

const struct source host_source = {
	.name = "host",
	.summary = "processors, memory, load, pressure, disks and networks, from /proc",
	.script = script,
	.absent_ms = 3600000,
	.parse = parse,
};
