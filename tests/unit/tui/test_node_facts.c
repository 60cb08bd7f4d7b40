/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's machine and services, from what a target said to what the panes show: through the parser, the store, the profiles that come with pitwall
 * and the engine of details. A machine that is asked over a shell and the same one behind node_exporter must look the same. */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "collectors/exposition.h"
#include "rules/detail.h"
#include "store/reader.h"
#include "store/store.h"
#include "tui/fleet_state.h"
#include "tui/node_facts.h"

enum { FRAMES = 8, FRAME_MS = 10000, PAGE_MAX = 1 << 20, UNITS = 1000 };
static const int64_t T0 = INT64_C(1790000000000);
#define LAST_MS (T0 + (FRAMES - 1) * FRAME_MS)
#define G       (1024.0 * 1024 * 1024)

static struct why why;

#define assert_near(got, want)                                                                     \
	do {                                                                                       \
		double got_ = (got), want_ = (want);                                               \
		if (!(fabs(got_ - want_) <= 1e-6 * fabs(want_) + 1e-9))                            \
			fail_msg("%s is %g, not %g", #got, got_, want_);                           \
	} while (0)

/* ---- a node with as many targets as a test wants ---- */

struct stage {
	struct store_folder   at;
	struct test_clock     clock;
	struct store         *store;
	struct reader        *reader;
	struct profiles      *profiles;
	struct detail_engine *engine;
	struct fleet_state   *state;
	struct arena          arena;
};

static void stage_open(struct stage *s)
{
	const char *const none[] = { "/nonexistent" };
	*s = (struct stage){ .store = NULL };
	store_folder_make(&s->at, "facts");
	test_clock_init(&s->clock, T0);
	const struct store_options o = { .path = s->at.path, .clock = &s->clock.clock };
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(profiles_load(none, 1, NULL, &s->profiles, &why));
	assert_ok(detail_engine_new(s->profiles, &s->engine, &why));
	assert_ok(fleet_state_new(&s->state, &why));
	arena_init(&s->arena);
}

static void stage_close(struct stage *s)
{
	arena_release(&s->arena);
	fleet_state_free(s->state);
	detail_engine_free(s->engine);
	profiles_free(s->profiles);
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->at);
}

/* Lines of a page; one that ends in " +N" grows by N from each answer to the next. */
static void write_page(struct buf *to, const char *page, int answer)
{
	buf_clear(to);
	while (*page != '\0') {
		const char *end = strchr(page, '\n'), *plus = NULL;
		for (const char *p = page; p + 2 < end; p++)
			plus = p[0] == ' ' && p[1] == '+' && p[2] >= '0' && p[2] <= '9' ? p : plus;
		const char *blank = plus != NULL ? plus - 1 : end;
		while (plus != NULL && *blank != ' ')
			blank--;
		buf_put(to, page, (size_t)(blank - page));
		if (plus != NULL)
			buf_printf(to, " %.9f", strtod(blank, NULL) + answer * strtod(plus + 2, NULL));
		buf_putc(to, '\n');
		page = end + 1;
	}
	assert_int_equal(to->err, ERR_OK);
}

static void answer(struct stage *s, const char *profile, const char *page)
{
	struct exposition_pool *pool = NULL;
	struct exposition *e = NULL;
	struct labels *labels = labels_of("instance", "m", "node", "m", "profile", profile, "job", profile, NULL);
	struct buf text;
	int64_t target;
	buf_init(&text, PAGE_MAX);
	assert_ok(exposition_pool_new(&pool));
	assert_ok(exposition_new(pool, &e));
	assert_ok(store_target(s->store, labels, profile, &target, &why));
	for (int i = 0; i < FRAMES; i++) {
		struct scrape scrape;
		const struct layout *layout = NULL;
		write_page(&text, page, i);
		assert_ok(exposition_parse(e, buf_text(&text), text.len, EXPOSITION_TEXT, &scrape, &why));
		assert_ok(store_layout(s->store, exposition_layout_series(scrape.layout), scrape.n, &layout, &why));
		assert_ok(store_append(s->store, target, STREAM_SCRAPE, T0 + i * FRAME_MS, layout, scrape.values, &why));
	}
	labels_unref(labels);
	exposition_free(e);
	exposition_pool_free(pool);
	buf_release(&text);
}

static const struct node_view *look(struct stage *s)
{
	struct node_view *v = NULL;
	assert_ok(store_flush(s->store, &why));
	if (s->reader == NULL)
		assert_ok(reader_open(s->at.path, READER_OWN, &s->reader, &why));
	assert_ok(fleet_state_move(s->state, s->reader, LAST_MS + 500, &why));
	assert_ok(fleet_state_node(s->state, s->reader, s->engine, "m", NULL, &s->arena, &v, &why));
	return v;
}

/* ---- the same machine told of in two ways ---- */

#define FS(device, type, mount, size, free, avail, ro)                                                                      \
	"node_filesystem_size_bytes{device=\"" device "\",fstype=\"" type "\",mountpoint=\"" mount "\"} " size "\n"      \
	"node_filesystem_free_bytes{device=\"" device "\",fstype=\"" type "\",mountpoint=\"" mount "\"} " free "\n"      \
	"node_filesystem_avail_bytes{device=\"" device "\",fstype=\"" type "\",mountpoint=\"" mount "\"} " avail "\n"    \
	"node_filesystem_readonly{device=\"" device "\",fstype=\"" type "\",mountpoint=\"" mount "\"} " ro "\n"
#define DISK(device, busy, reads, read_time)                                         \
	"node_disk_io_time_seconds_total{device=\"" device "\"} 100 +" busy "\n"      \
	"node_disk_read_bytes_total{device=\"" device "\"} 5000 +20480\n"             \
	"node_disk_written_bytes_total{device=\"" device "\"} 9000 +0\n"              \
	"node_disk_reads_completed_total{device=\"" device "\"} 7 +" reads "\n"       \
	"node_disk_writes_completed_total{device=\"" device "\"} 7 +0\n"              \
	"node_disk_read_time_seconds_total{device=\"" device "\"} 1 +" read_time "\n" \
	"node_disk_write_time_seconds_total{device=\"" device "\"} 1 +0\n"
#define NETWORK(device, errors)                                                    \
	"node_network_receive_bytes_total{device=\"" device "\"} 1000 +10000\n"     \
	"node_network_transmit_bytes_total{device=\"" device "\"} 1000 +20000\n"    \
	"node_network_receive_errs_total{device=\"" device "\"} 3 +" errors "\n"    \
	"node_network_transmit_errs_total{device=\"" device "\"} 0 +0\n"
#define COMMON                                                                                                              \
	"node_load1 1.5\nnode_load5 2.5\nnode_load15 3.5\n"                                                              \
	"node_pressure_cpu_waiting_seconds_total 10 +1\nnode_pressure_memory_waiting_seconds_total 10 +0\n"              \
	"node_pressure_io_waiting_seconds_total 10 +3\n"                                                                 \
	"node_memory_MemTotal_bytes 8589934592\nnode_memory_MemAvailable_bytes 2147483648\n"                             \
	"node_memory_SwapTotal_bytes 1073741824\nnode_memory_SwapFree_bytes 536870912\n"                                 \
	"node_boot_time_seconds 1789990000\nnode_vmstat_oom_kill 7\n"                                                    \
	FS("/dev/sda1", "ext4", "/", "1000", "500", "400", "0") FS("/dev/sdb", "xfs", "/data", "1000", "50", "50", "0")  \
	DISK("sda", "1", "10", "0.05") DISK("sdb", "0", "0", "0") NETWORK("eth0", "0") NETWORK("ib0", "20")              \
	"node_systemd_unit_state{name=\"a.service\",state=\"active\",type=\"simple\"} 1\n"                               \
	"node_systemd_unit_state{name=\"a.service\",state=\"failed\",type=\"simple\"} 0\n"                               \
	"node_systemd_unit_state{name=\"b.service\",state=\"active\",type=\"simple\"} 0\n"                               \
	"node_systemd_unit_state{name=\"b.service\",state=\"failed\",type=\"simple\"} 1\n"                               \
	"node_systemd_unit_start_time_seconds{name=\"a.service\"} 1789995000\n"                                          \
	"node_systemd_service_restart_total{name=\"b.service\"} 4\n"
static const char machine_page[] = COMMON
	"node_time_seconds 1790000070\npitwall_clock_offset_seconds 0.25\nmachine_cpu_cores 4\n"
	"pitwall_machine_info{os=\"Debian GNU/Linux 12 (bookworm)\",kernel=\"6.1.0\",hostname=\"m\",user=\"u\",arch=\"x\"} 1\n";
static const char exporter_page[] = COMMON
	"node_time_seconds 1790000000.25 +10\n"
	"node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1\nnode_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 1\n"
	"node_cpu_seconds_total{cpu=\"2\",mode=\"idle\"} 1\nnode_cpu_seconds_total{cpu=\"3\",mode=\"idle\"} 1\n"
	"node_os_info{pretty_name=\"Debian GNU/Linux 12 (bookworm)\",id=\"debian\"} 1\n"
	"node_uname_info{release=\"6.1.0\",sysname=\"Linux\",nodename=\"m\"} 1\n"
	/* what an exporter tells of and nobody wants to see */
	FS("tmpfs", "tmpfs", "/run/user/0", "10", "1", "1", "0") FS("/dev/sda1", "ext4", "/var/lib/kubelet/pods/x/volume", "1000", "500", "400", "0")
	FS("overlay", "overlay", "/var/lib/docker/overlay2/x/merged", "1000", "1", "1", "0")
	DISK("sda1", "9", "1", "1") DISK("loop0", "9", "1", "1") DISK("nvme0n1p2", "9", "1", "1") NETWORK("lo", "0") NETWORK("veth12ab", "0")
	"node_systemd_unit_state{name=\"idle.service\",state=\"inactive\",type=\"oneshot\"} 1\n"
	"node_systemd_unit_state{name=\"dev-sda.device\",state=\"active\",type=\"\"} 1\n"
	"node_systemd_unit_start_time_seconds{name=\"idle.service\"} 0\n";

static void check_host(const struct host_view *h)
{
	assert_non_null(h);
	assert_string_equal(h->os, "Debian GNU/Linux 12 (bookworm)");
	assert_string_equal(h->kernel, "6.1.0");
	assert_near(h->processors, 4);
	assert_near(h->load_1m, 1.5);
	assert_near(h->load_5m, 2.5);
	assert_near(h->load_15m, 3.5);
	assert_near(h->pressure_cpu, 0.1);
	assert_near(h->pressure_memory, 0);
	assert_near(h->pressure_io, 0.3);
	assert_near(h->memory_size, 8 * G);
	assert_near(h->memory_available, 2 * G);
	assert_near(h->swap_size, G);
	assert_near(h->swap_free, G / 2);
	assert_near(floor(h->up_seconds), 10070);
	assert_near(h->clock_ahead, 0.25);
	assert_near(h->oom_kills, 7);
	assert_true(isnan(h->oom_kills_recent));
}

static void check_parts(const struct host_view *h)
{
	assert_int_equal(h->n_filesystems, 2);
	assert_string_equal(h->filesystems[0].mount, "/data"); /* the fullest */
	assert_near(h->filesystems[0].used, 0.95);
	assert_near(h->filesystems[1].used, 500 / 900.0); /* of what root does not keep for itself */
	assert_near(h->filesystems[1].available, 400);
	assert_near(h->filesystems[1].size, 1000);
	assert_near(h->filesystems[1].read_only, 0);
	assert_int_equal(h->n_disks, 2);
	assert_string_equal(h->disks[0].device, "sda");
	assert_near(h->disks[0].busy, 0.1);
	assert_near(h->disks[0].read, 2048);
	assert_near(h->disks[0].written, 0);
	assert_near(h->disks[0].wait, 0.005);
	assert_true(isnan(h->disks[1].wait)); /* it did nothing */
	assert_int_equal(h->n_networks, 2);
	assert_string_equal(h->networks[0].device, "eth0");
	assert_near(h->networks[0].received, 1000);
	assert_near(h->networks[0].sent, 2000);
	assert_near(h->networks[0].errors, 0);
	assert_near(h->networks[1].errors, 2);
}

static void check_units(const struct node_view *v)
{
	assert_int_equal(v->n_services, 2);
	assert_string_equal(v->services[0].name, "b.service");
	assert_string_equal(v->services[0].kind, "unit");
	assert_string_equal(v->services[0].state, "failed");
	assert_int_equal(v->services[0].severity, SEVERITY_CRIT);
	assert_near(v->services[0].restarts, 4);
	assert_int_equal(v->services[0].started_ms, 0);
	assert_string_equal(v->services[1].name, "a.service");
	assert_int_equal(v->services[1].severity, SEVERITY_OK);
	assert_int_equal(v->services[1].started_ms, INT64_C(1789995000000));
	assert_true(isnan(v->services[1].memory));
}

static void a_shell_and_an_exporter_say_the_same(void **state)
{
	static const struct {
		const char *profile, *page;
	} rows[] = { { "machine", machine_page }, { "node", exporter_page } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		stage_open(&s);
		answer(&s, rows[i].profile, rows[i].page);
		const struct node_view *v = look(&s);
		check_host(v->host);
		check_parts(v->host);
		check_units(v);
		stage_close(&s);
	}
}

/* Where both tell of a machine nothing is there twice; the first is believed. */
static void two_targets_are_one_machine(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s);
	answer(&s, "machine", machine_page);
	answer(&s, "node", exporter_page);
	answer(&s, "generic", "some_metric 1\n");
	const struct node_view *v = look(&s);
	assert_int_equal(v->n_targets, 3);
	check_host(v->host);
	check_parts(v->host);
	check_units(v);
	stage_close(&s);
}

static void a_server_that_says_nothing_of_its_machine(void **state)
{
	struct stage s;
	(void)state;
	stage_open(&s);
	answer(&s, "generic", "some_metric 1\n");
	const struct node_view *v = look(&s);
	assert_null(v->host);
	assert_int_equal(v->n_services, 0);
	stage_close(&s);
}

/* ---- containers ---- */

#define CONTAINER(name, state, rest) "container_state{name=\"" name "\",state=\"" state "\"} 1\n" rest

static void services_are_worst_first(void **state)
{
	static const char page[] = "pitwall_machine_info{os=\"\",kernel=\"k\"} 1\n"
		CONTAINER("ok", "running", "container_health{name=\"ok\",health=\"healthy\"} 1\ncontainer_health{name=\"ok\",health=\"unhealthy\"} 0\n"
		          "container_info{name=\"ok\",id=\"1\",image=\"redis:7\"} 1\ncontainer_start_time_seconds{name=\"ok\"} 1789999999.5\n"
		          "container_oom_killed{name=\"ok\"} 0\ncontainer_restarts_total{name=\"ok\"} 0\n")
		CONTAINER("done", "exited", "container_exit_code{name=\"done\"} 0\n")
		CONTAINER("killed", "exited", "container_exit_code{name=\"killed\"} 137\ncontainer_oom_killed{name=\"killed\"} 1\n")
		CONTAINER("lost-a-child", "running", "container_oom_killed{name=\"lost-a-child\"} 1\n")
		CONTAINER("sick", "running", "container_health{name=\"sick\",health=\"unhealthy\"} 1\n")
		CONTAINER("again", "restarting", "container_exit_code{name=\"nobody\"} 1\n")
		CONTAINER("odd", "levitating", "")
		"node_systemd_unit_state{name=\"ok\",state=\"activating\",type=\"\",manager=\"user\"} 1\n"
		"pitwall_systemd_unit_memory_bytes{name=\"ok\",manager=\"user\"} 4096\n";
	static const struct {
		const char   *name, *kind, *state;
		enum severity severity;
	} want[] = {
		{ "killed", "container", "exited", SEVERITY_CRIT },       { "again", "container", "restarting", SEVERITY_WARN },
		{ "lost-a-child", "container", "running", SEVERITY_WARN }, { "ok", "user unit", "activating", SEVERITY_WARN },
		{ "sick", "container", "running", SEVERITY_WARN },        { "odd", "container", "levitating", SEVERITY_INFO },
		{ "done", "container", "exited", SEVERITY_OK },           { "ok", "container", "running", SEVERITY_OK },
	};
	enum { N = sizeof want / sizeof want[0] };
	struct stage s;
	(void)state;
	stage_open(&s);
	answer(&s, "machine", page);
	const struct node_view *v = look(&s);
	assert_int_equal(v->n_services, N);
	for (size_t i = 0; i < N; i++) {
		assert_row(want[i].name, strcmp(v->services[i].name, want[i].name) == 0 && strcmp(v->services[i].kind, want[i].kind) == 0);
		assert_row(want[i].name, strcmp(v->services[i].state, want[i].state) == 0 && v->services[i].severity == want[i].severity);
	}
	assert_near(v->services[0].exit_code, 137);
	assert_true(v->services[0].is_oom_killed);
	assert_near(v->services[3].memory, 4096);
	assert_string_equal(v->services[7].health, "healthy");
	assert_string_equal(v->services[7].image, "redis:7");
	assert_int_equal(v->services[7].started_ms, INT64_C(1789999999500));
	stage_close(&s);
}

/* ---- hostile machines ---- */

static void a_thousand_units_and_control_bytes(void **state)
{
	struct stage s;
	struct buf page;
	(void)state;
	stage_open(&s);
	buf_init(&page, PAGE_MAX);
	for (int i = 0; i < UNITS + 100; i++)
		buf_printf(&page, "container_state{name=\"u\033[2J%04d\001\",state=\"%s\"} 1\ncontainer_exit_code{name=\"u\033[2J%04d\001\"} %s\n"
		                  "node_filesystem_size_bytes{device=\"d\",fstype=\"x\",mountpoint=\"/%d\033\"} %s\n", i, i == 900 ? "dead" : "running", i,
		           i % 3 == 0 ? "NaN" : i % 3 == 1 ? "-Inf" : "-1e300", i, i % 2 == 0 ? "+Inf" : "NaN");
	buf_puts(&page, "container_state{name=\"twice\",state=\"running\"} 1\ncontainer_state{name=\"twice\",state=\"dead\"} 1\n"
	                "container_start_time_seconds{name=\"twice\"} 1e300\nnode_load1 NaN\nnode_boot_time_seconds -Inf\nnode_time_seconds 1e300\n");
	answer(&s, "machine", buf_text(&page));
	const struct node_view *v = look(&s);
	assert_true(v->n_services >= UNITS && v->n_services <= UNITS + 101);
	assert_string_equal(v->services[0].state, "dead");
	assert_true(v->host->n_filesystems > 0 && v->host->n_filesystems <= 256);
	assert_true(isnan(v->host->load_1m));
	for (size_t i = 0; i < v->n_services; i++) {
		assert_int_equal(v->services[i].started_ms, 0);
		assert_true(i == 0 || v->services[i].severity <= v->services[i - 1].severity);
	}
	buf_release(&page);
	stage_close(&s);
}

/* Kills of the last hour are told by the kernel's log; older ones and other events do not count. */
static void kills_of_the_last_hour_are_events(void **state)
{
	struct details d = { .t_ms = LAST_MS };
	struct target_row target = { .details = &d };
	struct event_row events[] = {
		{ .wall_ms = LAST_MS - 1000, .kind = "oom_kill" }, { .wall_ms = LAST_MS - 2000, .kind = "unit" },
		{ .wall_ms = LAST_MS - 3599999, .kind = "oom_kill" }, { .wall_ms = LAST_MS - 3600001, .kind = "oom_kill" },
	};
	struct detail_row kills = { .labels = { "" }, .value = 12 };
	struct node_view v = { .t_ms = LAST_MS, .targets = &target, .n_targets = 1, .events = { LAST_MS, events, 4 } };
	struct arena a;
	(void)state;
	d.of[DETAIL_HOST_OOM_KILLS].rows = &kills;
	d.of[DETAIL_HOST_OOM_KILLS].n = 1;
	arena_init(&a);
	assert_int_equal(node_facts_fill(&v, &a), ERR_OK);
	assert_near(v.host->oom_kills, 12);
	assert_near(v.host->oom_kills_recent, 2);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_and_an_exporter_say_the_same), cmocka_unit_test(two_targets_are_one_machine),
		cmocka_unit_test(a_server_that_says_nothing_of_its_machine), cmocka_unit_test(services_are_worst_first),
		cmocka_unit_test(a_thousand_units_and_control_bytes), cmocka_unit_test(kills_of_the_last_hour_are_events),
	};
	return cmocka_run_group_tests_name("node_facts", tests, NULL, NULL);
}
