/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers systemd and release-symlink against a real systemd: the user's manager, run by the test in a mount namespace of its own with a /run of its own,
 * on this machine and over a real sshd. Skipped where namespaces are not allowed. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/deploy/driver_bench.h"

static const char manager[] = "/lib/systemd/systemd";
static struct hands_bench hands;
static struct sshd *server;
static char folder[64], runtime[96];
static const char *absent; /* why nothing can be tried */
static pid_t systemd;
static struct why why;

/* ---- the manager ---- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void write_unit(const char *name, const char *service)
{
	char path[256], text[2048];
	snprintf(path, sizeof path, "%s/systemd/user/%s", folder, name);
	snprintf(text, sizeof text, "[Unit]\nDescription=test\nStartLimitIntervalSec=0\n[Service]\n%s", service);
	write_file(path, text);
}

static bool has_own_run(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0;
}

static pid_t start_manager(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int null = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	setsid();
	execl(manager, manager, "--user", (char *)NULL);
	_exit(127);
}

static bool is_up(const void *what)
{
	char path[160];
	snprintf(path, sizeof path, "%s/systemd/private", (const char *)what);
	return access(path, F_OK) == 0;
}

static void make_folders(void)
{
	char path[160];
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	assert_int_equal(mkdir("/run/systemd/system", 0755), 0);
	assert_int_equal(mkdir("/run/sshd", 0755), 0);
	assert_int_equal(mkdir("/run/user", 0755), 0);
	snprintf(runtime, sizeof runtime, "/run/user/%lu", (unsigned long)getuid());
	assert_int_equal(mkdir(runtime, 0700), 0);
	snprintf(path, sizeof path, "%s/systemd", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof path, "%s/systemd/user", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	setenv("XDG_CONFIG_HOME", folder, 1);
}

/* What the units write to. */
static void write_units(void)
{
	write_unit("good.service", "ExecStart=/bin/sleep 1000\n");
	write_unit("missing.service", "Type=simple\nExecStart=/nowhere/at/all\n");
	write_unit("loop.service", "Type=simple\nExecStart=/bin/sh -c 'exit 3'\nRestart=always\nRestartSec=200ms\n");
	write_unit("ends.service", "Type=simple\nExecStart=/bin/true\n");
	write_unit("slow.service", "Type=notify\nNotifyAccess=all\nTimeoutStartSec=60\nExecStart=/bin/sh -c 'sleep 2; systemd-notify --ready; exec sleep 1000'\n");
	char service[512];
	snprintf(service, sizeof service, "Type=notify\nNotifyAccess=all\nTimeoutStartSec=60\nExecStart=/bin/sh -c 'until [ -e %s/go ]; do sleep 0.1; done; systemd-notify --ready; exec sleep 1000'\n", folder);
	write_unit("held.service", service);
	snprintf(service, sizeof service, "ExecStart=/bin/sleep 1000\nWorkingDirectory=%s/root/current\n", folder);
	write_unit("released.service", service);
}

static int set_up(void **state)
{
	(void)state;
	if (access(manager, X_OK) != 0)
		absent = "no systemd is installed";
	else if (!has_own_run())
		absent = "this account may not make a mount namespace";
	if (absent != NULL)
		return 0;
	snprintf(folder, sizeof folder, "/tmp/pitwall-systemd-XXXXXX");
	assert_non_null(mkdtemp(folder));
	make_folders();
	write_units();
	systemd = start_manager();
	if (sshd_is_there() && sshd_start(&(const struct sshd_options){ .user_key = NULL }, &server, &why) != ERR_OK)
		server = NULL;
	hands_bench_init(&hands, server);
	loop_turn_until(hands.loop, is_up, runtime, "the manager");
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };
	char said[64];
	(void)state;
	if (absent != NULL)
		return 0;
	hands_bench_release(&hands);
	sshd_stop(server);
	kill(systemd, SIGTERM); /* and with it all that it runs */
	waitpid(systemd, NULL, 0);
	sshd_run(argv, said, sizeof said);
	return 0;
}

static void need_systemd(void)
{
	if (absent == NULL)
		return;
	print_message("# %s\n", absent);
	skip();
}

static int n_ways(void) { return server != NULL && sshd_has_shell(server) ? 2 : 1; }

static void run(const struct unit *u, const char *const *argv, struct heard *h)
{
	struct ask a = { .kind = ASK_RUN, .argv = argv };
	while (argv[a.n_argv] != NULL)
		a.n_argv++;
	hands_bench_ask(&hands, u, &a, h);
}

/* ---- restarts ---- */

static void begin(struct driver_bench *b, int w, const char *driver, const char *options)
{
	driver_bench_init(b, driver_find(driver), options);
	if (b->err != ERR_OK)
		fail_msg("%s", b->why.text);
	b->unit = w == 0 ? hands_bench_here() : hands_bench_there(&hands);
	if (driver_bench_look_live(b, &hands) != LOOK_DONE)
		fail_msg("%s", b->why.text);
}

/* How a restart of the unit ends. */
static void restart(int w, const char *unit, struct verdict *v, const char *label)
{
	struct driver_bench b;
	char options[128];
	snprintf(options, sizeof options, "unit: %s\nuser: true\nstable: 1s\n", unit);
	begin(&b, w, "systemd", options);
	assert_row(label, driver_bench_plan(&b, DEPLOY_REDEPLOY, "as installed") == ERR_OK);
	driver_bench_take_all(&b, &hands, &b.forward, v);
	driver_bench_release(&b);
}

static void test_what_becomes_of_a_restart(void **state)
{
	static const struct {
		const char       *unit;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "good.service", VERDICT_DONE, "up, with the same process" },
		{ "good.service", VERDICT_DONE, "up, with the same process" }, /* which runs by now */
		{ "missing.service", VERDICT_FAILED, "status 203: its program is missing" },
		{ "loop.service", VERDICT_FAILED, "again and again" },
		{ "ends.service", VERDICT_FAILED, "does not run" },
		{ "slow.service", VERDICT_DONE, "up, with the same process" },
	};
	(void)state;
	need_systemd();
	for (int w = 0; w < n_ways(); w++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct verdict v;
			restart(w, rows[i].unit, &v, rows[i].unit);
			if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
				fail_msg("%s: %d '%s'", rows[i].unit, v.kind, v.text);
		}
}

/* The traps themselves, as systemd has them: what the driver may not rely on. */
static void test_the_traps_are_there(void **state)
{
	struct unit here;
	struct heard h;
	(void)state;
	need_systemd();
	here = hands_bench_here();
	run(&here, (const char *const[]){ "systemctl", "--user", "restart", "--", "missing.service", NULL }, &h);
	assert_int_equal(h.answer.status, 0);
	heard_release(&h);
	run(&here, (const char *const[]){ "systemctl", "--user", "restart", "--", "../x", NULL }, &h);
	assert_non_null(strstr(h.text, "escaped as"));
	heard_release(&h);
	run(&here, (const char *const[]){ "systemctl", "--user", "show", "--", "nosuch.service", NULL }, &h);
	assert_int_equal(h.answer.status, 0);
	assert_non_null(strstr(h.text, "LoadState=not-found"));
	heard_release(&h);
}

static void test_a_unit_that_is_not_there(void **state)
{
	struct driver_bench b;
	(void)state;
	need_systemd();
	begin(&b, 0, "systemd", "unit: nosuch.service\nuser: true\n");
	assert_true(driver_bench_warns(&b, WARNING_FORBIDS, "knows no unit 'nosuch.service'"));
	driver_bench_release(&b);
}

static void test_sudo_that_is_not_there_or_refuses(void **state)
{
	struct driver_bench b;
	struct verdict v;
	char path[256];
	(void)state;
	need_systemd();
	snprintf(path, sizeof path, "%s/sudo", folder);
	write_file(path, "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
	assert_int_equal(chmod(path, 0755), 0);
	const char *before = getenv("PATH");
	char *kept = strdup(before != NULL ? before : "");
	snprintf(path, sizeof path, "%s:%s", folder, kept);
	setenv("PATH", path, 1);
	driver_bench_init(&b, driver_find("systemd"), "unit: good.service\n");
	const struct answer shown = answered(0, "LoadState=loaded\nActiveState=active\nSubState=running\nInvocationID=x\n"); /* there is no manager of the system here */
	assert_int_equal(driver_bench_look_all(&b, &shown, 1), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&b, DEPLOY_REDEPLOY, "as installed"), ERR_OK);
	driver_bench_take(&b, &hands, &b.forward.items[0], &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "sudo refuses"));
	driver_bench_release(&b);
	setenv("PATH", kept, 1);
	free(kept);
}

/* ---- interruptions ---- */

static bool is_another(const void *what)
{
	const char *before = what;
	struct driver_bench b;
	begin(&b, 0, "systemd", "unit: held.service\nuser: true\n");
	bool is_new = strstr(b.look.found.before, before) == NULL && b.look.found.is_ready;
	driver_bench_release(&b);
	return is_new;
}

/* A connection that was cut is tried anew after a while. */
static bool is_back(const void *ignored)
{
	struct heard h;
	(void)ignored;
	const struct unit there = hands_bench_there(&hands);
	run(&there, (const char *const[]){ "true", NULL }, &h);
	bool is_ok = h.answer.err == ERR_OK;
	heard_release(&h);
	return is_ok;
}

/* A restart that is waited for, over a connection that is cut: it goes on in systemd, and the probe tells that it was begun. */
static void test_a_session_that_is_killed_does_not_cancel_the_job(void **state)
{
	struct driver_bench b;
	struct verdict v;
	struct heard h;
	char before[256], go[256];
	(void)state;
	need_systemd();
	if (n_ways() < 2) {
		print_message("# no sshd here, or nobody who could log in\n");
		skip();
	}
	snprintf(go, sizeof go, "%s/go", folder);
	write_file(go, "");
	restart(1, "held.service", &v, "held.service");
	begin(&b, 1, "systemd", "unit: held.service\nuser: true\nstable: 1s\n");
	assert_int_equal(driver_bench_plan(&b, DEPLOY_REDEPLOY, "as installed"), ERR_OK);
	snprintf(before, sizeof before, "%s", b.look.found.before);
	assert_int_equal(unlink(go), 0); /* the start ends when the test lets it */
	const char *const words[] = { "systemctl", "--user", "restart", "--", "held.service" };
	const struct ask a = { .kind = ASK_RUN, .argv = words, .n_argv = 5 };
	hands_bench_begin(&hands, &hands_bench_deploy, &b.unit, &a, &h);
	int at = 0;
	struct unit here = hands_bench_here();
	for (v.kind = VERDICT_AGAIN; v.kind == VERDICT_AGAIN;) { /* until it is under way */
		struct heard shown;
		hands_bench_ask(&hands, &here, &b.forward.items[0].probe, &shown);
		driver_bench_judge(&b, &b.forward.items[0], &shown.answer, true, 0, &at, &v);
		heard_release(&shown);
	}
	assert_int_equal(v.kind, VERDICT_DONE);
	sshd_cut(server);
	hands_bench_await(&hands, &h, "the cut");
	assert_int_equal(h.answer.err, ERR_NETWORK);
	assert_true(h.answer.was_sent);
	heard_release(&h);
	write_file(go, "");
	loop_turn_until(hands.loop, is_another, before, "the restart goes on");
	loop_turn_until(hands.loop, is_back, NULL, "the machine is reached again");
	driver_bench_release(&b);
}

/* ---- releases ---- */

static void make_releases(void)
{
	static const char *const made[] = { "root", "root/releases", "root/releases/v1", "root/releases/v2" };
	char path[256];
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, made[i]);
		if (mkdir(path, 0755) != 0)
			assert_int_equal(errno, EEXIST);
	}
	snprintf(path, sizeof path, "%s/root/current", folder);
	unlink(path);
	assert_int_equal(symlink("releases/v1", path), 0);
}

static void test_a_switch_without_a_restart_changes_nothing(void **state)
{
	struct driver_bench b;
	struct verdict v;
	char options[256], path[256];
	(void)state;
	need_systemd();
	make_releases();
	snprintf(options, sizeof options, "root: %s/root\nunit: released.service\nuser: true\nstable: 1s\n", folder);
	restart(0, "released.service", &v, "released.service");
	assert_int_equal(v.kind, VERDICT_DONE);
	snprintf(path, sizeof path, "%s/root/current", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("releases/v2", path), 0);
	for (int w = 0; w < n_ways(); w++) {
		begin(&b, w, "release-symlink", options);
		assert_string_equal(found_running(&b.look.found)->id, "v1");
		assert_true(driver_bench_warns(&b, WARNING_CARE, "still runs release v1, though current is v2"));
		driver_bench_release(&b);
	}
}

static void test_releases_there_and_back(void **state)
{
	struct driver_bench b;
	struct verdict v;
	char options[256];
	(void)state;
	need_systemd();
	snprintf(options, sizeof options, "root: %s/root\nunit: released.service\nuser: true\nstable: 1s\n", folder);
	for (int w = 0; w < n_ways(); w++) {
		make_releases();
		restart(w, "released.service", &v, "released.service");
		assert_int_equal(v.kind, VERDICT_DONE);
		begin(&b, w, "release-symlink", options);
		assert_string_equal(found_running(&b.look.found)->id, "v1");
		assert_int_equal(driver_bench_plan(&b, DEPLOY_REDEPLOY, "v2"), ERR_OK);
		if (!driver_bench_take_all(&b, &hands, &b.forward, &v))
			fail_msg("%s", v.text);
		assert_int_equal(driver_bench_look_live(&b, &hands), LOOK_DONE);
		assert_string_equal(found_running(&b.look.found)->id, "v2");
		if (!driver_bench_take_all(&b, &hands, &b.back, &v))
			fail_msg("%s", v.text);
		assert_int_equal(driver_bench_look_live(&b, &hands), LOOK_DONE);
		assert_string_equal(found_running(&b.look.found)->id, "v1");
		driver_bench_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_becomes_of_a_restart),
		cmocka_unit_test(test_the_traps_are_there),
		cmocka_unit_test(test_a_unit_that_is_not_there),
		cmocka_unit_test(test_sudo_that_is_not_there_or_refuses),
		cmocka_unit_test(test_a_session_that_is_killed_does_not_cancel_the_job),
		cmocka_unit_test(test_a_switch_without_a_restart_changes_nothing),
		cmocka_unit_test(test_releases_there_and_back),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
