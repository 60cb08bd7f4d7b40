/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/source_services.h"
#include "tests/unit/collectors/source_bench.h"

#define CURSOR "s=e991dd5775894620914f2f7126aae6c1;i=372a;b=0dc874d3fbd44bdbb6fbcfaa27481492;m=24ea327;t=573f280a663fd;x=9ceeb77ef4331563"
#define HEAD "== now 1700000600\n== boot 11111111-2222-3333-4444-555555555555 1699990000\n"
#define JOURNAL HEAD "== journal\n"
#define AT(s, text) "1700000" s ".123456 node1 kernel: " text "\n"
#define XID "NVRM: Xid (PCI:0000:38:00): "

static enum err parse(struct source_bench *b, const char *text)
{
	return source_bench_parse(b, text, strlen(text), 0, false);
}

static void open_bench(struct source_bench *b)
{
	assert_true(source_bench_open(b, &kernel_source, false));
}

static const struct { const char *label, *text, *event, *line; size_t n_events; } rows[] = {
	{ "xid", JOURNAL AT("500", XID "79, pid=4711, name=python3, GPU has fallen off the bus."),
	  "Xid 79 on GPU 0000:38:00, process 'python3' (pid 4711): ",
	  "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"79\"} 1", 2 },
	{ "xid, when", JOURNAL AT("500", XID "79, pid=4711, name=python3, GPU has fallen off the bus."), "Xid 79",
	  "nvidia_xid_last_timestamp_seconds{pci_bus_id=\"0000:38:00\",xid=\"79\"} 1700000500", 2 },
	{ "xid, a clock that is years behind", "== now 1600000600\n== boot 11111111-2222-3333-4444-555555555555 1599990000\n== journal\n"
	  "1600000500.123456 node1 kernel: " XID "79, pid=4711, name=python3, GPU has fallen off the bus.\n", "Xid 79",
	  "nvidia_xid_last_timestamp_seconds{pci_bus_id=\"0000:38:00\",xid=\"79\"} 1700000500", 2 },
	{ "xid, many lines", JOURNAL AT("500", XID "13, pid='<unknown>', name=<unknown>, a") AT("500", XID "13, b") AT("502", XID "13, c")
	  AT("502", XID "43, pid=9, name=x, Ch 8"), "(3 lines)", "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"13\"} 3", 2 },
	{ "xid, older than ten minutes", JOURNAL "1699990000.000000 node1 kernel: " XID "31, pid=1, name=x, y\n", NULL,
	  "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"31\"} 1", 0 },
	{ "unknown xid", JOURNAL AT("500", XID "998, pid=1, name=x, what happened"), "what happened",
	  "pitwall_log_matches_total{log=\"kernel\",pattern=\"xid\"} 1", 1 },
	{ "killed in a group", JOURNAL AT("500", "python3 invoked oom-killer: gfp_mask=0x0, order=0")
	  AT("500",
	     "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/s,task_memcg=/system.slice/vllm.service,task=a,pid=7,uid=0")
	  AT("500",
	     "Memory cgroup out of memory: Killed process 7 (a (b) c) total-vm:1460016kB, anon-rss:1048576kB, file-rss:4kB, shmem-rss:0kB, UID:0"),
	  "the kernel killed 'a (b) c' (pid 7, 1.0 GiB resident) of /system.slice/vllm.service: its group reached its memory limit",
	  "pitwall_log_matches_total{log=\"kernel\",pattern=\"oom-kill\"} 1", 1 },
	{ "killed for the machine", JOURNAL AT("500",
	                                       "Out of memory: Killed process 8 (x) total-vm:1kB, anon-rss:524288kB, file-rss:0kB, shmem-rss:0kB"),
	  "the kernel killed 'x' (pid 8, 0.5 GiB resident): the machine has no memory left", NULL, 1 },
	{ "killed, in two lines", JOURNAL AT("500", "Task in /docker/abc killed as a result of limit of /docker/abc")
	  AT("500", "Memory cgroup out of memory: Kill process 9 (y) score 996 or sacrifice child")
	  AT("500", "Killed process 9 (y) total-vm:9kB, anon-rss:1048576kB, file-rss:0kB"),
	  "the kernel killed 'y' (pid 9, 1.0 GiB resident) of /docker/abc: its group", NULL, 1 },
	{ "corrected PCIe errors", JOURNAL AT("500", "pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0"),
	  "PCIe corrects errors: pcieport 0000:00:1c.0", "pitwall_log_matches_total{log=\"kernel\",pattern=\"aer-corrected\"} 1", 1 },
	{ "two links", JOURNAL AT("500", "ixgbe 0000:01:00.0 eth0: NIC Link is Down") AT("501", "ixgbe 0000:01:00.1 eth1: NIC Link is Down"),
	  "eth1", NULL, 2 },
	{ "dmesg", HEAD "== dmesg\n[10500.000001] EXT4-fs error (device sda1): x\n-- last: 10500.000001\n", "a file system has errors", NULL, 1 },
	{ "dmesg, old", HEAD "== dmesg\n[    5.000001] EXT4-fs error (device sda1): x\n", NULL,
	  "pitwall_log_matches_total{log=\"kernel\",pattern=\"fs-error\"} 1", 0 },
	{ "nothing", JOURNAL "-- No entries --\n", NULL, "pitwall_log_matches_total{log=\"kernel\",pattern=\"xid\"} 0", 0 },
	{ "odd times", JOURNAL "99999999999999999999.1 x kernel: " XID "31, a\n-1.000000 x\n.\n[\n[ ]\n1700000500.1 x\n", NULL,
	  "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"31\"} 1", 0 },
	{ "odd victims", JOURNAL AT("500", "Killed process ") AT("500", "Killed process x (y)") AT("500",
	                                                                                           "Killed process 99999999999999999999 (y)")
	  AT("500", "Kill process 3 (") AT("500", "Killed process 3 )("), NULL, NULL, 0 },
};

static void lines_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct source_bench b;
		open_bench(&b);
		enum err e = parse(&b, rows[i].text);
		if (e != ERR_OK || b.out.n_events != rows[i].n_events || (rows[i].event != NULL && !source_bench_told(&b, rows[i].event)) ||
		    (rows[i].line != NULL && !source_bench_has(&b, rows[i].line))) {
			source_bench_print(&b);
			fail_msg("%s", rows[i].label);
		}
		source_bench_close(&b);
	}
}

static const struct { const char *label, *text; int status; const char *why; } refusals[] = {
	{ "no rights", HEAD "== no rights\n", 1, "this user may not read the kernel's log, and there is no dmesg: add it to the group" },
	{ "no rights for dmesg", HEAD "== dmesg\ndmesg: read kernel buffer failed: Operation not permitted\n", 0,
	  "this user may not read the kernel's log: add it to the group 'systemd-journal' or 'adm', or set kernel.dmesg_restrict to 0" },
	{ "too late", HEAD, 124, "the kernel's log was not told in time" },
	{ "words", HEAD "== no other\nsh: \033[1m?\n", 1, "the kernel's log cannot be read: " },
};

static void refusals_say_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct source_bench b;
		open_bench(&b);
		enum err e = source_bench_parse(&b, refusals[i].text, strlen(refusals[i].text), refusals[i].status, false);
		if (e != ERR_FORMAT || strstr(b.why.text, refusals[i].why) == NULL) {
			source_bench_print(&b);
			fail_msg("%s", refusals[i].label);
		}
		source_bench_close(&b);
	}
	struct source_bench b;
	open_bench(&b);
	assert_int_equal(source_bench_parse(&b, "", 0, 127, false), ERR_NOT_FOUND);
	source_bench_close(&b);
}

/* Captures without a readable time in front: told from the second asking on, since the first does not know how old they are. */
static const struct { const char *file, *event, *line; size_t n_events; } captures[] = {
	{ "gpu/nvidia/kernel/gpud_dmesg-xid119.log", "Xid 119 on GPU 0000:9b:00", NULL, 1 },
	{ "gpu/nvidia/kernel/gpud_dmesg-xid13-43-and-oom.log", "Xid 13 on GPU 0000:38:00",
	  "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"43\"} 1", 0 },
	{ "gpu/nvidia/kernel/gpud_dmesg-nccl-segfault.log", "a process crashed inside NCCL", NULL, 1 },
	{ "logs/cadvisor_oom_1.log", "of /mem2: its group reached its memory limit", NULL, 1 },
	{ "logs/cadvisor_oom_2.log", "the kernel killed 'badsysprogram' (pid 1532, 1.5 GiB resident): the machine has no memory left", NULL, 1 },
	{ "logs/cadvisor_oom_4.log", "of /docker/6c6fcab8562fd3150854986b78552c732f234fd405b624207b8843528a145e70: its group", NULL, 1 },
	{ "logs/npd_oom_kill.log", "the kernel killed '", NULL, 1 },
};

static void captures_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++) {
		struct source_bench b;
		struct buf text = source_bench_sample(captures[i].file), section;
		open_bench(&b);
		buf_init(&section, SECTION_MAX);
		buf_printf(&section, JOURNAL "%s", text.data);
		assert_row(captures[i].file, parse(&b, JOURNAL "-- cursor: " CURSOR "\n") == ERR_OK);
		enum err e = parse(&b, section.data);
		if (e != ERR_OK || !source_bench_told(&b, captures[i].event) || (captures[i].line != NULL && !source_bench_has(&b, captures[i].line)) ||
		    (captures[i].n_events > 0 && b.out.n_events != captures[i].n_events)) {
			source_bench_print(&b);
			fail_msg("%s", captures[i].file);
		}
		buf_release(&text);
		buf_release(&section);
		source_bench_close(&b);
	}
}

/* ---- the script ---- */

/* A journal that shows what is behind the cursor, and writes down how it was asked. */
static const char journalctl[] =
	"echo \"$*\" >\"$here/asked\"\n"
	"case \"$*\" in\n"
	"*--after-cursor=*) cat \"$here/second\" ;;\n"
	"*) cat \"$here/first\" ;;\n"
	"esac\n"
	"echo '-- cursor: " CURSOR "'\n";

static void put(const struct source_bench *b, const char *name, const char *text)
{
	source_bench_file(b, name, "w", text, strlen(text));
}

static void ask_journal(bool is_busybox)
{
	struct source_bench b;
	char asked[512] = "";
	if (!source_bench_open(&b, &kernel_source, is_busybox))
		skip();
	assert_int_equal(source_bench_ask(&b), ERR_NOT_FOUND);
	source_bench_tool(&b, "journalctl", journalctl);
	put(&b, "first", "-- Journal begins at Mon --\n" "1.000000 n kernel: hello\n" "1.000000 n kernel: " XID "31, a\n");
	put(&b, "second", "1.000000 n kernel: hello\n4000000000.000000 n kernel: EXT4-fs error (device sda1): x\n");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	assert_null(strstr(buf_text(&b.said), "hello")); /* not even sent */
	assert_true(source_bench_has(&b, "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"31\"} 1"));
	assert_int_equal(b.out.n_events, 0);
	if (source_bench_ask(&b) != ERR_OK || !source_bench_told(&b, "EXT4-fs") ||
	    !source_bench_has(&b, "nvidia_xid_errors_total{pci_bus_id=\"0000:38:00\",xid=\"31\"} 1")) {
		source_bench_print(&b);
		fail_msg("the second asking is wrong");
	}
	FILE *f = fopen(source_bench_path(&b, "asked"), "r");
	assert_non_null(fgets(asked, sizeof asked, f));
	fclose(f);
	assert_string_equal(asked, "-k --no-pager -o short-unix --show-cursor --after-cursor=" CURSOR "\n");
	source_bench_close(&b);
}

static void ask_dmesg(bool is_busybox)
{
	struct source_bench b;
	if (!source_bench_open(&b, &kernel_source, is_busybox))
		skip();
	source_bench_tool(&b, "journalctl",
	                  "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2\necho '-- No entries --'");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "'systemd-journal'"));
	source_bench_tool(&b, "dmesg", "cat \"$here/ring\"");
	put(&b, "ring", "[    1.000000] hello\n[    2.000000] EXT4-fs error (device sda1): x\n");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	assert_true(source_bench_has(&b, "pitwall_log_matches_total{log=\"kernel\",pattern=\"fs-error\"} 1"));
	put(&b, "ring", "[    1.000000] hello\n[    2.000000] EXT4-fs error (device sda1): x\n[    3.000000] EXT4-fs error (device sda2): y\n");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	assert_true(source_bench_has(&b, "pitwall_log_matches_total{log=\"kernel\",pattern=\"fs-error\"} 2"));
	assert_true(source_bench_told(&b, "(device sda2)"));
	source_bench_tool(&b, "dmesg", "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "kernel.dmesg_restrict"));
	source_bench_close(&b);
}

/* What one log said is not counted, nor told, when the other says it again. */
static void logs_are_not_mixed(void **state)
{
	(void)state;
	struct source_bench b;
	static const char count[] = "pitwall_log_matches_total{log=\"kernel\",pattern=\"fs-error\"} ";
	char line[256];
	open_bench(&b);
	assert_int_equal(parse(&b, JOURNAL AT("500", "EXT4-fs error (device sda1): x") "-- cursor: " CURSOR "\n"), ERR_OK);
	assert_int_equal(b.out.n_events, 1);
	static const char dmesg[] = HEAD "== dmesg\n[10500.000001] EXT4-fs error (device sda1): x\n[10900.000001] EXT4-fs error (device sda1): y\n"
	                            "-- last: 10900.000001\n";
	assert_int_equal(parse(&b, dmesg), ERR_OK);
	snprintf(line, sizeof line, "%s2", count);
	assert_true(source_bench_has(&b, line));
	assert_true(source_bench_told(&b, "y"));
	assert_int_equal(parse(&b, JOURNAL AT("500", "EXT4-fs error (device sda1): x") "-- cursor: " CURSOR "\n"), ERR_OK);
	assert_true(source_bench_has(&b, line));
	assert_int_equal(b.out.n_events, 0);
	source_bench_close(&b);
}

static void dash_journal(void **state) { (void)state; ask_journal(false); }
static void busybox_journal(void **state) { (void)state; ask_journal(true); }
static void dash_dmesg(void **state) { (void)state; ask_dmesg(false); }
static void busybox_dmesg(void **state) { (void)state; ask_dmesg(true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read), cmocka_unit_test(refusals_say_what_to_do), cmocka_unit_test(captures_are_read),
		cmocka_unit_test(logs_are_not_mixed),
		cmocka_unit_test(dash_journal), cmocka_unit_test(busybox_journal), cmocka_unit_test(dash_dmesg), cmocka_unit_test(busybox_dmesg),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
