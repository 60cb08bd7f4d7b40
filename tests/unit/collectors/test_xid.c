/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of the kernel's log, as the tools print them, and what the codes mean. */
#include "tests/unit/unit.h"

#include "collectors/xid.h"

static const struct {
	const char *label, *line;
	bool        is_found;
	struct xid  want;
} rows[] = {
	{ "dmesg -T", "[Sun Feb 23 16:24:18 2025] NVRM: Xid (PCI:0000:9b:00): 119, pid=4711, name=python3, Timeout after 6s (0x2081 0x4).", true,
	  { .code = 119, .bus_id = "0000:9b:00", .pid = 4711, .name = "python3", .rest = "Timeout after 6s (0x2081 0x4)." } },
	{ "dmesg", "[12345.678901] NVRM: Xid (PCI:0000:9B:00): 43, pid=12, name=pt_main_thread, Ch 00000008", true,
	  { .code = 43, .bus_id = "0000:9b:00", .pid = 12, .name = "pt_main_thread", .rest = "Ch 00000008" } },
	{ "dmesg --decode",
	  "kern  :warn  : 2025-01-21T04:41:44,283302+00:00 NVRM: Xid (PCI:0000:38:00): 13, pid='<unknown>', name=<unknown>, G", true,
	  { .code = 13, .bus_id = "0000:38:00", .rest = "G" } },
	{ "journalctl -k", "Feb 23 16:24:18 gpu-a-07 kernel: NVRM: Xid (PCI:0000:9b:00.0): 31, pid=7, name=a b, Ch 1, intr 2", true,
	  { .code = 31, .bus_id = "0000:9b:00.0", .pid = 7, .name = "a b", .rest = "Ch 1, intr 2" } },
	{ "/dev/kmsg", "4,3973,227996636,-;NVRM: Xid (PCI:00000000:9b:00): 79, GPU has fallen off the bus.", true,
	  { .code = 79, .bus_id = "00000000:9b:00", .rest = "GPU has fallen off the bus." } },
	{ "of old, without PCI", "NVRM: Xid (0000:9b:00): 48, An uncorrectable double bit error", true,
	  { .code = 48, .bus_id = "0000:9b:00", .rest = "An uncorrectable double bit error" } },
	{ "a pid alone", "NVRM: Xid (PCI:0000:9b:00): 62, pid=1234, 1fde 2b3c", true,
	  { .code = 62, .bus_id = "0000:9b:00", .pid = 1234, .rest = "1fde 2b3c" } },
	{ "a code alone", "NVRM: Xid (PCI:0000:9b:00): 62", true, { .code = 62, .bus_id = "0000:9b:00" } },
	{ "NVLink 5", "NVRM: Xid (PCI:0000:9b:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6 0x0)", true,
	  { .code = 149, .bus_id = "0000:9b:00", .rest = "NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6 0x0)" } },
	{ "a switch", "[1.0] nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress", true,
	  { .code = 12028, .is_switch = true, .bus_id = "0000:c1:00.0", .rest = "Non-fatal, Link 32 egress" } },
	{ "a switch that stops", "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", true,
	  { .code = 20034, .is_switch = true, .is_fatal = true, .bus_id = "0000:c1:00.0", .rest = "Fatal, Link 30 LTSSM Fault Up" } },
	{ "a carriage return", "NVRM: Xid (PCI:0000:9b:00): 79, gone\r\nNVRM: more", true,
	  { .code = 79, .bus_id = "0000:9b:00", .rest = "gone" } },
	{ "a name with an Xid in it", "NVRM: Xid (PCI:0000:9b:00): 31, pid=5, name=NVRM: Xid (PCI:0000:01:00): 79, x", true,
	  { .code = 31, .bus_id = "0000:9b:00", .pid = 5, .name = "NVRM: Xid (PCI:0000:01:00): 79", .rest = "x" } },
	{ "a pid too long", "NVRM: Xid (PCI:0000:9b:00): 31, pid=99999999999999, name=x, y", true,
	  { .code = 31, .bus_id = "0000:9b:00", .name = "x", .rest = "y" } },
	{ "another's word", "app[77]: Xid (PCI:0000:9b:00): 79, said a program", false, { .code = 0 } },
	{ "no code", "NVRM: Xid (PCI:0000:9b:00): , x", false, { .code = 0 } },
	{ "code 0", "NVRM: Xid (PCI:0000:9b:00): 0, x", false, { .code = 0 } },
	{ "a code too long", "NVRM: Xid (PCI:0000:9b:00): 99999999, x", false, { .code = 0 } },
	{ "not a code", "NVRM: Xid (PCI:0000:9b:00): 79x", false, { .code = 0 } },
	{ "no bus id", "NVRM: Xid (PCI:9b): 79, x", false, { .code = 0 } },
	{ "a bus id too long", "NVRM: Xid (PCI:000000000000000000000:9b:00): 79, x", false, { .code = 0 } },
	{ "a bus id with a dot too many", "NVRM: Xid (PCI:.000:9b:00): 79, x", false, { .code = 0 } },
	{ "cut", "NVRM: Xid (PCI:0000:9b:00", false, { .code = 0 } },
	{ "the GPU's other lines", "NVRM: GPU at PCI:0000:9b:00: GPU-509665ad", false, { .code = 0 } },
	{ "nothing", "", false, { .code = 0 } },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct xid        got = { .code = -1 };
		const struct xid *want = &rows[i].want;
		assert_row(rows[i].label, xid_parse(rows[i].line, strlen(rows[i].line), &got) == rows[i].is_found);
		if (!rows[i].is_found) {
			assert_row(rows[i].label, got.code == -1);
			continue;
		}
		assert_row(rows[i].label, got.code == want->code && got.pid == want->pid);
		assert_row(rows[i].label, got.is_switch == want->is_switch && got.is_fatal == want->is_fatal);
		assert_string_equal(got.bus_id, want->bus_id);
		assert_string_equal(got.name, want->name);
		assert_string_equal(got.rest, want->rest);
	}
}

/* What is too long ends visibly, and a NUL does not hide what comes behind it. */
static void test_long(void **state)
{
	(void)state;
	char       line[2000];
	struct xid x;
	int        n = snprintf(line, sizeof line, "NVRM: Xid (PCI:0000:9b:00): 31, pid=5, name=%0100d, %0999d", 0, 0);
	line[n - 990] = '\0';
	assert_true(xid_parse(line, (size_t)n, &x));
	assert_int_equal(strlen(x.name), sizeof x.name - 1);
	assert_string_equal(x.name + sizeof x.name - 4, "...");
	assert_int_equal(strlen(x.rest), sizeof x.rest - 1);
	assert_string_equal(x.rest + sizeof x.rest - 4, "...");
}

static void test_meanings(void **state)
{
	(void)state;
	static const struct {
		const char           *label;
		int                   code;
		enum finding_severity severity;
		const char           *in_meaning, *in_advice;
	} wanted[] = {
		{ "a program's fault", 13, FINDING_WARN, "exception", "program first" },
		{ "a page fault", 31, FINDING_WARN, "page fault", "program first" },
		{ "after another", 45, FINDING_WARN, "earlier", "before it" },
		{ "two bits", 48, FINDING_CRITICAL, "ECC", "reset" },
		{ "remapped", 63, FINDING_WARN, "row", "next empty" },
		{ "remapping failed", 64, FINDING_CRITICAL, "could not", "replaced" },
		{ "off the bus", 79, FINDING_CRITICAL, "PCIe", "reboot" },
		{ "contained", 94, FINDING_WARN, "kept to", "restart" },
		{ "uncontained", 95, FINDING_CRITICAL, "could not be kept", "reset" },
		{ "GSP", 119, FINDING_CRITICAL, "GSP", "reset" },
		{ "NVLink 5", 149, FINDING_CRITICAL, "NVLink", "both ends" },
		{ "says what to do", 154, FINDING_CRITICAL, "recovery", "what the line says" },
		{ "a test", 106, FINDING_INFO, "test", "nothing" },
	};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const struct xid_info *info = xid_info(wanted[i].code);
		assert_non_null(info);
		assert_row(wanted[i].label, info->severity == wanted[i].severity);
		assert_row(wanted[i].label, strstr(info->meaning, wanted[i].in_meaning) != NULL);
		assert_row(wanted[i].label, strstr(info->advice, wanted[i].in_advice) != NULL);
	}
	assert_null(xid_info(0));
	assert_null(xid_info(-1));
	assert_null(xid_info(100000));
}

static void test_same_bus(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool        is_same;
	} pairs[] = {
		{ "00000000:00:09.0", "0000:00:09", true },    { "0000:9b:00", "00000000:9B:00.0", true },
		{ "0000:9b:00", "0001:9b:00", false },         { "0001:9b:00", "00000001:9B:00.0", true },
		{ "0000:9b:00", "0000:9c:00", false },         { "", "", false },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		assert_row(pairs[i].a, xid_same_bus(pairs[i].a, pairs[i].b) == pairs[i].is_same);
}

/* Every code of the vendor's catalog has a row of ours. */
static void test_catalog(void **state)
{
	(void)state;
	const char *shared = getenv("PITWALL_SHARED");
	char        path[1024], line[1024];
	size_t      n = 0;
	snprintf(path, sizeof path, "%s/samples/gpu/nvidia/kernel/xid_catalog.tsv", shared == NULL ? "/nonexistent" : shared);
	FILE *in = fopen(path, "r");
	if (in == NULL) {
		print_message("# skipped: no catalog at '%s' (set PITWALL_SHARED)\n", path);
		skip();
	}
	while (fgets(line, sizeof line, in) != NULL) {
		long code = strtol(line, NULL, 10);
		if (code <= 0)
			continue;
		const struct xid_info *info = xid_info((int)code);
		assert_row(line, info != NULL && info->code == code);
		/* What the catalog has no use for any more is no alarm; what it wants a reset or a reboot for is one. */
		if (strstr(line, "\tUnused\t") != NULL)
			assert_row(line, info->severity == FINDING_INFO);
		if (strstr(line, "\tRESET_GPU\tCONTACT_SUPPORT") != NULL || strstr(line, "\tRESTART_BM\t") != NULL)
			assert_row(line, info->severity == FINDING_CRITICAL);
		n++;
	}
	fclose(in);
	assert_true(n > 160);
}

static void test_real_logs(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		int         code;
		size_t      n;
	} logs[] = { { "gpud_dmesg-xid119.log", 119, 5 }, { "gpud_dmesg-xid13-43-and-oom.log", 13, 16 },
	             { "gpud_dmesg-xid13-43-and-oom.log", 43, 1 },
		{ "gpud_kmsg-peermem.log", 0, 0 }, { "gpud_dmesg-nccl-segfault.log", 0, 0 } };
	const char *shared = getenv("PITWALL_SHARED");
	char        path[1024], line[4096];
	for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
		size_t n = 0, others = 0;
		snprintf(path, sizeof path, "%s/samples/gpu/nvidia/kernel/%s", shared == NULL ? "/nonexistent" : shared, logs[i].file);
		FILE *in = fopen(path, "r");
		if (in == NULL) {
			print_message("# skipped: no log at '%s' (set PITWALL_SHARED)\n", path);
			skip();
		}
		while (fgets(line, sizeof line, in) != NULL) {
			struct xid x;
			bool       is_xid = xid_parse(line, strlen(line), &x);
			n += is_xid && x.code == logs[i].code;
			others += is_xid && logs[i].code == 0;
		}
		fclose(in);
		if (n != logs[i].n)
			fail_msg("%s: %zu of Xid %d", logs[i].file, n, logs[i].code);
		assert_int_equal(others, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),    cmocka_unit_test(test_long),    cmocka_unit_test(test_meanings),
		cmocka_unit_test(test_same_bus), cmocka_unit_test(test_catalog), cmocka_unit_test(test_real_logs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
