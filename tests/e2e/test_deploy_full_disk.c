/* SPDX-License-Identifier: Apache-2.0
 *
 * Rollbacks over real SSH while the store's disk is full: a small one of the test's own, in a mount namespace of its own (and, where the account is not root's, a user namespace). What can't be
 * journaled first is not sent, it is said, and the run goes on when there is room again. Requests have another disk, since with a full one nobody could ask. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slurp.h"
#include "tests/e2e/deploy_nodes.h"

enum { DEADLINE_MS = 60 * 1000, POLL_MS = 20, LOG_MAX = 1 << 20, POLLS = 8 /* of a node: the recorder goes on meanwhile */ };

static struct why why;
static bool has_namespace;

struct stage {
	struct deploy_nodes   nodes;
	struct deploy_post    post;
	struct deploy_planned plan;
	char                  disk[96], requests[128], ballast[128], log[96];
	int                   own_stderr;
};

/* ---- a disk of our own ---- */

static bool write_line(const char *path, const char *line)
{
	FILE *f = fopen(path, "w");
	bool ok = f != NULL && fputs(line, f) >= 0;
	return f != NULL && fclose(f) == 0 && ok;
}

/* This account is itself in the namespace too. */
static bool keep_id(const char *path, unsigned id)
{
	char line[64];
	snprintf(line, sizeof line, "%u %u 1", id, id);
	return write_line(path, line);
}

/* While the process has one thread. */
static bool enter_namespace(void)
{
	unsigned uid = getuid(), gid = getgid();
	if (unshare(CLONE_NEWNS) != 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_line("/proc/self/setgroups", "deny") || !keep_id("/proc/self/uid_map", uid) || !keep_id("/proc/self/gid_map", gid)))
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void mount_disk(const char *path, const char *options)
{
	assert_int_equal(mkdir(path, 0700), 0);
	if (mount("tmpfs", path, "tmpfs", 0, options) != 0)
		fail_msg("cannot mount '%s': %s", path, strerror(errno));
}

/* To the last byte. */
static void fill(struct stage *s)
{
	static const char zeros[4096];
	int fd = open(s->ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof zeros) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void make_room(struct stage *s) { assert_int_equal(unlink(s->ballast), 0); }

static bool has_said(struct stage *s, const char *what)
{
	struct buf text;
	buf_init(&text, LOG_MAX);
	assert_ok(slurp(s->log, LOG_MAX - 1, &text, NULL, &why));
	bool has = strstr(buf_text(&text), what) != NULL;
	buf_release(&text);
	return has;
}

/* What the recorder has written by then may have left room: it is filled again. */
static void fill_until_said(struct stage *s)
{
	for (int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS; !has_said(s, "no space left on the disk"); poll(NULL, 0, POLL_MS)) {
		fill(s);
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("the recorder says nothing of a full disk");
	}
}

/* ---- nodes ---- */

/* Not on the stack: where a test fails, its threads still run. What the recorder says goes to a file. */
static struct stage *make(void)
{
	struct stage *s = has_namespace ? calloc(1, sizeof *s) : NULL;
	if (s == NULL) {
		print_message("# no mount namespace of our own\n");
		skip();
	}
	if (!deploy_nodes_make(&s->nodes, "      waves: [ 1, 100% ]\n      max_unavailable: 100%\n")) {
		free(s);
		skip();
	}
	snprintf(s->disk, sizeof s->disk, "%s/disk", s->nodes.folder);
	snprintf(s->requests, sizeof s->requests, "%s/s.db-requests", s->disk);
	snprintf(s->ballast, sizeof s->ballast, "%s/ballast", s->disk);
	snprintf(s->log, sizeof s->log, "%s/log", s->nodes.folder);
	mount_disk(s->disk, "size=16m,mode=700");
	mount_disk(s->requests, "size=1m,mode=700");
	s->own_stderr = dup(2);
	int fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && dup2(fd, 2) == 2);
	close(fd);
	deploy_post_start(&s->post, &s->nodes, "disk/s", DEPLOY_NODES);
	s->post.who = "kim";
	assert_ok(deploy_post_plan(&s->post, "rollback", "model:chat", "v11", &s->plan, &why));
	return s;
}

static void drop(struct stage *s)
{
	deploy_post_stop(&s->post);
	assert_int_equal(dup2(s->own_stderr, 2), 2);
	close(s->own_stderr);
	assert_int_equal(umount(s->requests), 0);
	assert_int_equal(umount(s->disk), 0);
	deploy_nodes_remove(&s->nodes);
	free(s);
}

/* Its polls show that the recorder is not stuck. */
static void await_polls(struct stage *s)
{
	unsigned long count = page_server_count(s->nodes.server[3]);
	for (int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS; page_server_count(s->nodes.server[3]) < count + POLLS; poll(NULL, 0, POLL_MS))
		if (clock_mono_ms(clock_system()) > until)
			fail_msg("nothing is polled any more");
}

static void assert_each_changed_once(struct stage *s)
{
	for (size_t i = 0; i < DEPLOY_NODES; i++) {
		assert_true(deploy_node_runs(&s->nodes, i, "v11"));
		assert_false(deploy_node_is_drained(&s->nodes, i));
		assert_int_equal(deploy_node_count(&s->nodes, i, "apply"), 1);
	}
	for (int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS; deploy_nodes_are_locked(&s->nodes); poll(NULL, 0, POLL_MS)) /* given back behind the last row */
		assert_true(clock_mono_ms(clock_system()) < until);
}

static enum err see_event(void *ctx, const struct event *e)
{
	bool *has = ctx;
	*has |= strstr(e->text, "the store could not be written for") != NULL && strstr(e->text, "no space left") != NULL;
	return ERR_OK;
}

/* What the charts and lists have of it afterwards. */
static void await_event(struct stage *s)
{
	bool has = false;
	for (int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS; !has; poll(NULL, 0, POLL_MS)) {
		assert_ok(reader_events(s->post.reader, NULL, "recorder", 0, INT64_MAX - 1, 100, see_event, &has, &why));
		assert_true(clock_mono_ms(clock_system()) < until);
	}
}

/* ---- tests ---- */

/* It can't be written that it begins: no step is sent, no lock is taken, and the confirmation is good once there is room. */
static void test_full_before_it_begins(void **state)
{
	struct stage *s = make();
	(void)state;
	fill_until_said(s);
	deploy_post_confirm_soon(&s->post, &s->plan);
	await_polls(s);
	assert_int_equal(deploy_post_state(&s->post, s->plan.id), DEPLOYMENT_PLANNED);
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	assert_false(deploy_nodes_are_locked(&s->nodes));
	make_room(s);
	deploy_post_await_state(&s->post, s->plan.id, DEPLOYMENT_DONE);
	assert_each_changed_once(s);
	await_event(s);
	drop(s);
}

/* Held in a step of the first node while the disk fills up: that step ends, and nothing is sent behind it. */
static struct stage *fill_in_the_middle(void)
{
	struct stage *s = make();
	deploy_node_holds(&s->nodes, 0, "apply", true);
	assert_ok(deploy_post_confirm(&s->post, &s->plan, &why));
	deploy_node_await(&s->nodes, 0, "apply", 1);
	fill_until_said(s);
	deploy_node_holds(&s->nodes, 0, "apply", false);
	await_polls(s);
	assert_true(deploy_node_runs(&s->nodes, 0, "v11"));
	assert_int_equal(deploy_node_count(&s->nodes, 0, "ready") + deploy_node_count(&s->nodes, 0, "undrain"), 0);
	assert_int_equal(deploy_post_last(&s->post, s->plan.id, "n1").state, STEP_BEGUN);
	for (size_t i = 1; i < DEPLOY_NODES; i++)
		assert_true(deploy_node_is_untouched(&s->nodes, i));
	return s;
}

static void test_full_in_the_middle(void **state)
{
	struct stage *s = fill_in_the_middle();
	(void)state;
	make_room(s);
	deploy_post_await_state(&s->post, s->plan.id, DEPLOYMENT_DONE);
	assert_each_changed_once(s);
	drop(s);
}

/* And the recorder is killed before there is room: the next one finds the step as begun, and a person lets it go on. */
static void test_full_and_killed(void **state)
{
	struct stage *s = fill_in_the_middle();
	(void)state;
	deploy_post_restart(&s->post);
	make_room(s);
	deploy_post_await_state(&s->post, s->plan.id, DEPLOYMENT_INTERRUPTED);
	assert_ok(deploy_post_control(&s->post, s->plan.id, "resume", &why));
	deploy_post_await_state(&s->post, s->plan.id, DEPLOYMENT_DONE);
	assert_each_changed_once(s);
	drop(s);
}

int main(void)
{
	has_namespace = enter_namespace();
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_full_before_it_begins), cmocka_unit_test(test_full_in_the_middle), cmocka_unit_test(test_full_and_killed) };
	return cmocka_run_group_tests_name("deploy, with a full disk", tests, NULL, NULL);
}
