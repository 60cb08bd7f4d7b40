/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/log_burst.h"
#include "collectors/log_pattern.h"
#include "tests/unit/collectors/source_bench.h"

static struct slice said(const char *text)
{
	return slice_of(text);
}

/* The ids of what a line matches, in order, with blanks between. */
static const char *matched(struct log_pattern_cache *c, int scope, struct slice line)
{
	static char ids[512];
	uint64_t found = log_pattern_match(c, scope, line);
	ids[0] = '\0';
	for (size_t i = 0; i < n_log_patterns; i++)
		if (found >> i & 1)
			snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%s", ids[0] != '\0' ? " " : "", log_patterns[i].id);
	return ids;
}

static void the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_log_patterns; i++) {
		const struct log_pattern *p = &log_patterns[i];
		struct regex *r = NULL;
		struct why why = { "" };
		assert_row(p->id, p->hints[0] != NULL && p->hints[LOG_HINTS_MAX - 1] == NULL);
		assert_row(p->id, log_pattern_find(p->id) == i); /* no id twice */
		for (size_t h = 0; p->hints[h] != NULL; h++)
			assert_row(p->hints[h], strlen(p->hints[h]) >= 5 && strchr(p->hints[h], '\'') == NULL);
		if (p->expression != NULL)
			assert_row(p->id, regex_new(p->expression, &r, &why) == ERR_OK);
		regex_free(r);
	}
}

static const struct { const char *line; int scope; const char *ids, *key; } rows[] = {
	{ "CUDA out of memory. Tried to allocate 786.00 MiB. GPU 3 has", SCOPE_LOG, "cuda-oom", "3" },
	{ "CUDA out of memory", SCOPE_LOG, "cuda-oom", "" },
	{ "CUDA error: out of memory", SCOPE_LOG, "cuda-oom-other", "" },
	{ "CUDA error: an illegal memory access was encountered", SCOPE_LOG, "cuda-fault", "" },
	{ "CUBLAS_STATUS_SUCCESS", SCOPE_LOG, "", NULL },
	{ "cuBLAS: CUBLAS_STATUS_ALLOC_FAILED", SCOPE_LOG, "cuda-fault", "CUBLAS" },
	{ "node1:12:34 [0] NCCL INFO Channel 00", SCOPE_LOG, "", NULL },
	{ "node1:12:34 [0] transport.cc:1 NCCL WARN Connect to 10.0.0.2 failed", SCOPE_LOG, "nccl-error", "" },
	{ "OSError: [Errno 98] Address already in use", SCOPE_LOG, "port-in-use", "" },
	{ "write failed: No space left on device", SCOPE_LOG, "disk-full", "" },
	{ "127.0.0.1 - \"POST /v1/completions HTTP/1.1\" 503 Service Unavailable", SCOPE_LOG, "http-5xx", "" },
	{ "127.0.0.1 - \"POST /v1/completions HTTP/1.1\" 200 OK", SCOPE_LOG, "", NULL },
	{ "127.0.0.1 - \"GET /x HTTP/1.1\" 5000", SCOPE_LOG, "", NULL },
	{ "error_code: OK errors=0 --log_errors", SCOPE_LOG, "", NULL },
	{ "E0101 1 model.cc:1] failed to load 'ranker' version 3: Invalid argument", SCOPE_LOG, "triton-load", "ranker" },
	{ "pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0", SCOPE_KERNEL, "aer-corrected", "0000:00:1c.0" },
	{ "nvme 0000:81:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer", SCOPE_KERNEL, "aer-fatal", "0000:81:00.0" },
	{ "mce: [Hardware Error]: Machine check events logged", SCOPE_KERNEL, "hardware-corrected", "" },
	{ "mce: [Hardware Error]: CPU 7: Machine Check: 0 Bank 4: b200000000070005", SCOPE_KERNEL, "hardware", "" },
	{ "EDAC MC0: 1 CE memory read error on CPU_SrcID#0", SCOPE_KERNEL, "edac-ce", "MC0" },
	{ "EDAC MC1: 1 UE memory read error", SCOPE_KERNEL, "edac-ue", "MC1" },
	{ "ixgbe 0000:01:00.0 eth0: NIC Link is Down", SCOPE_KERNEL, "nic-down", "eth0" },
	{ "mlx5_core 0000:12:00.0 eth2: Link down", SCOPE_KERNEL, "nic-down", "eth2" },
	{ "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready", SCOPE_KERNEL, "", NULL },
	{ "EXT4-fs error (device sda1): ext4_find_entry:1455", SCOPE_KERNEL, "fs-error", "" },
	{ "I/O error, dev nvme0n1, sector 2048 op 0x0", SCOPE_KERNEL, "io-error", "nvme0n1" },
	{ "CPU2: Core temperature above threshold, cpu clock throttled (total events = 1)", SCOPE_KERNEL, "thermal", "" },
	{ "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress", SCOPE_KERNEL, "sxid", "0000:c1:00.0" },
	{ "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", SCOPE_KERNEL, "sxid-fatal sxid", "0000:c1:00.0" },
	{ "nvidia-nvlink: Nvlink Core is being initialized, major device number 236", SCOPE_KERNEL, "", NULL },
	{ "python3[123]: segfault at 7f00 ip 00007f in libnccl.so.2.19[7f00+1]", SCOPE_KERNEL, "nccl-segv segfault", "" },
	{ "vllm[99]: segfault at 0 ip 0 sp 0 error 4 in libc.so.6", SCOPE_KERNEL, "segfault", "vllm" },
	{ "amdgpu 0000:03:00.0: amdgpu: GPU reset begin!", SCOPE_KERNEL, "amdgpu", "0000:03:00.0" },
};

static void lines_match(void **state)
{
	(void)state;
	struct log_pattern_cache c = { { NULL } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice line = said(rows[i].line);
		const char *ids = matched(&c, rows[i].scope, line);
		char first[64], key[LOG_KEY];
		if (strcmp(ids, rows[i].ids) != 0)
			fail_msg("%s: matches '%s'", rows[i].line, ids);
		if (rows[i].key == NULL)
			continue;
		struct slice all = said(ids);
		slice_copy(said_until(&all, ' '), first, sizeof first);
		log_pattern_key(&c, log_pattern_find(first), line, key);
		if (strcmp(key, rows[i].key) != 0)
			fail_msg("%s: the key is '%s'", rows[i].line, key);
	}
	log_pattern_release(&c);
}

/* What captures of real servers and machines match: how many lines there are of each. */
static const struct { const char *file; int scope; const char *id; size_t lines; } captures[] = {
	{ "logs/app_error_lines.log", SCOPE_LOG, "cuda-oom", 3 },
	{ "logs/app_error_lines.log", SCOPE_LOG, "nccl-timeout", 2 },
	{ "logs/app_error_lines.log", SCOPE_LOG, "vllm-dead", 1 },
	{ "logs/app_error_lines.log", SCOPE_LOG, "tfs-load", 4 },
	{ "logs/app_error_lines.log", SCOPE_LOG, "tfs-config", 1 },
	{ "gpu/nvidia/kernel/gpud_kmsg-peermem.log", SCOPE_KERNEL, "peermem", 7 },
	{ "gpu/nvidia/kernel/gpud_dmesg-nccl-segfault.log", SCOPE_KERNEL, "nccl-segv", 2 },
	{ "logs/npd_docker_hung.log", SCOPE_KERNEL, "hung", 1 },
	{ "logs/npd_readonly_filesystem.log", SCOPE_KERNEL, "fs-error", 1 },
	{ "logs/npd_null_pointer.log", SCOPE_KERNEL, "oops", 2 },
	{ "logs/gpud_kmsg.1.log", SCOPE_KERNEL, "nic-down", 0 },
};

static void captures_match(void **state)
{
	(void)state;
	struct log_pattern_cache c = { { NULL } };
	for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++) {
		struct buf text = source_bench_sample(captures[i].file);
		struct slice rest = { text.data, text.len }, line;
		char clean[LOG_LINE_MAX];
		size_t n = 0, at = log_pattern_find(captures[i].id);
		while (slice_line(&rest, &line))
			n += log_pattern_match(&c, captures[i].scope, log_line_clean(line, clean)) >> at & 1;
		if (n != captures[i].lines)
			fail_msg("%s: %zu lines match %s, not %zu", captures[i].file, n, captures[i].id, captures[i].lines);
		buf_release(&text);
	}
	log_pattern_release(&c);
}

static void lines_are_cleaned(void **state)
{
	(void)state;
	static const struct { const char *label, *in, *out; } lines[] = {
		{ "colour", "\033[1;36m(EngineCore pid=1)\033[0m dead", "(EngineCore pid=1) dead" },
		{ "title", "a\033]0;evil\ab", "ab" },
		{ "title that does not end", "a\033]0;evil", "a" },
		{ "lone escape", "a\033", "a" },
		{ "controls", "a\001\177\tb\r", "a b" },
		{ "other bytes", "a\377b\303", "a?b?" },
		{ "UTF-8 stays", "caf\303\251", "caf\303\251" },
	};
	char to[LOG_LINE_MAX];
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_row(lines[i].label, slice_is(log_line_clean(said(lines[i].in), to), lines[i].out));
}

/* Lines of one key at these seconds, one section each where a '|' stands between. */
static void bursts_fold(void **state)
{
	(void)state;
	static const struct { const char *label; int64_t at_s[6]; size_t cut; const char *events[4]; } cases[] = {
		{ "one line",           { 10 },                 0, { "x" } },
		{ "many at once",       { 10, 10, 11, 12 },     0, { "x (4 lines)" } },
		{ "far apart",          { 10, 200 },            0, { "x", "x" } },
		{ "out of order",       { 12, 10 },             0, { "x (2 lines)" } },
		{ "next section, soon", { 10, 20 },             1, { "x" } },
		{ "and then later",     { 10, 20, 300 },        1, { "x", "x (1 lines, and 1 before them that were not told)" } },
		{ "clock set back",     { 100000, 10 },         1, { "x", "x" } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bursts_memory m = { 0 };
		struct bursts b = { .n = 0 };
		struct findings out;
		size_t want = 0;
		findings_init(&out);
		for (size_t k = 0; k < 6 && cases[i].at_s[k] != 0; k++) {
			if (k > 0 && k == cases[i].cut) {
				bursts_tell(&b, &m, &out);
				b.n = 0;
			}
			struct burst *u = burst_add(&b, 7, cases[i].at_s[k] * 1000, 0, FINDING_WARN, "log");
			assert_row(cases[i].label, u != NULL);
			snprintf(u->text, sizeof u->text, "x");
		}
		bursts_tell(&b, &m, &out);
		for (; want < 4 && cases[i].events[want] != NULL; want++)
			if (want >= out.n_events || strcmp(out.events[want].text, cases[i].events[want]) != 0)
				fail_msg("%s: event %zu is '%s'", cases[i].label, want, want < out.n_events ? out.events[want].text : "missing");
		assert_row(cases[i].label, out.n_events == want);
		findings_release(&out);
	}
}

static void bursts_are_bounded(void **state)
{
	(void)state;
	struct bursts_memory m = { 0 };
	struct bursts b = { .n = 0 };
	struct findings out;
	findings_init(&out);
	for (uint64_t i = 0; i < 100; i++) {
		struct burst *u = burst_add(&b, i + 1, 1000, 1000, FINDING_WARN, "log");
		if (u != NULL)
			memset(u->text, 'y', sizeof u->text - 1);
		if (u != NULL)
			burst_add(&b, i + 1, 1000, 1000, FINDING_WARN, "log");
	}
	bursts_tell(&b, &m, &out);
	assert_int_equal(out.n_events, BURSTS_MAX);
	assert_int_equal(out.n_more_events, 100 - BURSTS_MAX);
	assert_non_null(strstr(out.events[0].text, "yyy... (2 lines)"));
	findings_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds), cmocka_unit_test(lines_match), cmocka_unit_test(captures_match),
		cmocka_unit_test(lines_are_cleaned), cmocka_unit_test(bursts_fold), cmocka_unit_test(bursts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
