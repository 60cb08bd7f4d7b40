/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver release-symlink on real folders of this machine. */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "deploy/release.h"
#include "tests/unit/deploy/driver_bench.h"

static struct hands_bench hands;
static struct driver_bench bench;
static char root[128];

static const char *in_root(const char *name)
{
	static char paths[8][512];
	static int n;
	char *path = paths[n++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", root, name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static const char *read_file(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

static void make_release(const char *name, const char *revision)
{
	char path[256];
	snprintf(path, sizeof path, "releases/%s", name);
	assert_int_equal(mkdir(in_root(path), 0755), 0);
	snprintf(path, sizeof path, "releases/%s/REVISION", name);
	write_file(in_root(path), revision);
	snprintf(path, sizeof path, "releases/%s/model.bin", name);
	write_file(in_root(path), name);
}

static void link_current(const char *name)
{
	char to[128];
	unlink(in_root("current"));
	snprintf(to, sizeof to, "releases/%s", name);
	assert_int_equal(symlink(to, in_root("current")), 0);
}

static const char *current(void)
{
	static char to[256];
	ssize_t n = readlink(in_root("current"), to, sizeof to - 1);
	to[n > 0 ? n : 0] = '\0';
	return to;
}

static bool is_there(const char *name) { return access(in_root(name), F_OK) == 0; }

/* v1, v2, v9 and v10 with v9 current, which was v2 before; v1 was touched last, and v10 never was current. */
static int set_up(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/pitwall-release-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(mkdir(in_root("releases"), 0755), 0);
	make_release("v9", "9a\n");
	make_release("v10", "10a\n");
	make_release("v2", "2a\n");
	make_release("v1", "1a\n");
	link_current("v9");
	write_file(in_root("revisions.log"), "Branch main (at 1a) deployed as release v1 by ann\nBranch main (at 2a) deployed as release v2 by bob\n"
	                                     "Branch main (at 9a) deployed as release v9 by ann\nnonsense\n");
	hands_bench_init(&hands, NULL);
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = { "rm", "-rf", root, NULL };
	char said[64];
	(void)state;
	hands_bench_release(&hands);
	sshd_run(argv, said, sizeof said);
	return 0;
}

static void begin(const char *more)
{
	char options[1024];
	snprintf(options, sizeof options, "root: %s\nrestart: [ [ sh, -c, 'echo \"$1\" >>\"$2/restarted\"', sh, '{version}', %s ] ]\n%s", root, root, more);
	driver_bench_init(&bench, driver_find("release-symlink"), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
}

static void look(void)
{
	if (driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void plan(enum deploy_kind kind, const char *to)
{
	if (driver_bench_plan(&bench, kind, to) != ERR_OK)
		fail_msg("%s", bench.why.text);
}

static void take_all(const struct steps *steps)
{
	struct verdict v;
	if (!driver_bench_take_all(&bench, &hands, steps, &v))
		fail_msg("%s", v.text);
}

/* ---- what is there ---- */

static void test_releases_are_ordered_by_name(void **state)
{
	static const char *const want[] = { "v10", "v9", "v2", "v1" };
	(void)state;
	assert_int_equal(mkdir(in_root("releases/.hidden"), 0755), 0);
	assert_int_equal(mkdir(in_root("releases/a b; reboot"), 0755), 0);
	assert_int_equal(mkdir(in_root("releases/-rf"), 0755), 0);
	begin("complete: [ model.bin ]\nconfig: [ model.bin ]\n");
	look();
	const struct found *f = &bench.look.found;
	assert_int_equal(f->n_versions, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(f->versions[i].id, want[i]);
	assert_string_equal(found_running(f)->id, "v9");
	assert_string_equal(f->versions[1].tag, "9a");
	assert_string_equal(f->versions[1].by, "ann");
	assert_int_equal(strlen(f->versions[1].config_hash), 12);
	assert_true(f->versions[1].is_present);
	assert_non_null(strstr(f->versions[0].cause, "never current")); /* v10: not the previous one, though it is the newest */
	assert_string_equal(f->versions[2].cause, "");
	driver_bench_release(&bench);
}

static void test_what_the_look_warns_of(void **state)
{
	(void)state;
	begin("complete: [ model.bin ]\n");
	assert_int_equal(unlink(in_root("releases/v2/model.bin")), 0);
	assert_int_equal(unlink(in_root("current")), 0);
	assert_int_equal(mkdir(in_root(".ops-lock"), 0755), 0);
	write_file(in_root(".ops-lock/owner"), "run-0 ann, since yesterday\n");
	look();
	assert_false(found_by_id(&bench.look.found, "v2")->is_present);
	assert_true(driver_bench_warns(&bench, WARNING_SERIOUS, "no link to a release"));
	assert_true(driver_bench_warns(&bench, WARNING_FORBIDS, "run-0 ann, since yesterday"));
	assert_null(found_running(&bench.look.found));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2"), ERR_UNSUPPORTED);
	assert_non_null(strstr(bench.why.text, "lacks files"));
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v3"), ERR_UNSUPPORTED);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "../../etc"), ERR_UNSUPPORTED);
	driver_bench_release(&bench);
	begin("");
	assert_int_equal(rename(in_root("releases"), in_root("other")), 0);
	look();
	assert_true(driver_bench_warns(&bench, WARNING_FORBIDS, "no folder 'releases'"));
	driver_bench_release(&bench);
}

/* ---- there and back ---- */

static void test_there_and_back(void **state)
{
	(void)state;
	begin("complete: [ model.bin ]\n");
	look();
	plan(DEPLOY_ROLLBACK, "v2");
	take_all(&bench.forward);
	assert_string_equal(current(), "releases/v2");
	assert_string_equal(read_file(in_root("restarted")), "v2\n");
	assert_non_null(strstr(read_file(in_root("revisions.log")), "pitwall rolled back to release v2 (run-1-here)\n"));
	assert_false(is_there(".ops-lock"));
	assert_true(is_there("releases/v9") && is_there("releases/v10") && is_there("releases/v1")); /* a rollback removes nothing */
	take_all(&bench.back);
	assert_string_equal(current(), "releases/v9");
	assert_string_equal(read_file(in_root("restarted")), "v2\nv9\n");
	assert_false(is_there(".ops-lock"));
	driver_bench_release(&bench);
}

/* Each step may be taken again, and the way back leads back from each place. */
static void test_from_each_step_the_way_back_leads_back(void **state)
{
	(void)state;
	begin("");
	look();
	plan(DEPLOY_REDEPLOY, "v10");
	for (size_t n = 0; n <= bench.forward.n; n++) {
		struct verdict v;
		for (size_t i = 0; i < n; i++)
			for (int again = 0; again < 2; again++) {
				driver_bench_take(&bench, &hands, &bench.forward.items[i], &v);
				assert_int_equal(v.kind, VERDICT_DONE);
			}
		take_all(&bench.back);
		take_all(&bench.back);
		assert_string_equal(current(), "releases/v9");
		assert_false(is_there(".ops-lock"));
	}
	driver_bench_release(&bench);
}

static void test_old_releases_go_but_never_what_is_or_was_current(void **state)
{
	(void)state;
	begin("keep: 1\n");
	link_current("v2"); /* so that v2 is what was */
	look();
	plan(DEPLOY_REDEPLOY, "v9");
	const struct step *s = driver_bench_step(&bench.forward, "remove old releases");
	assert_ptr_equal(s, &bench.forward.items[bench.forward.n - 1]); /* only after all else */
	assert_non_null(strstr(driver_bench_words(&bench, &s->ask), " v1"));
	take_all(&bench.forward);
	assert_true(is_there("releases/v10") && is_there("releases/v9") && is_there("releases/v2") && !is_there("releases/v1"));
	plan(DEPLOY_ROLLBACK, "v2");
	for (size_t i = 0; i < bench.forward.n; i++)
		assert_null(strstr(bench.forward.items[i].title, "remove"));
	driver_bench_release(&bench);
}

/* Whoever made another one current after the plan was made is not overruled, and its release is not removed. */
static void test_somebody_else_switched(void **state)
{
	struct verdict v;
	(void)state;
	begin("keep: 1\n");
	look();
	plan(DEPLOY_REDEPLOY, "v10");
	link_current("v1");
	driver_bench_take(&bench, &hands, driver_bench_step(&bench.forward, "switch"), &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "somebody switched it meanwhile: current is v1"));
	driver_bench_take(&bench, &hands, driver_bench_step(&bench.forward, "remove"), &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	assert_true(is_there("releases/v1"));
	driver_bench_release(&bench);
}

static void test_a_lock_keeps_others_away(void **state)
{
	struct verdict v;
	(void)state;
	begin("");
	look();
	plan(DEPLOY_REDEPLOY, "v10");
	const struct step *lock = driver_bench_step(&bench.forward, "lock"), *unlock = driver_bench_step(&bench.forward, "unlock");
	driver_bench_take(&bench, &hands, lock, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	write_file(in_root(".ops-lock/owner"), "run-2 another run\n");
	driver_bench_take(&bench, &hands, lock, &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "run-2 another run"));
	driver_bench_take(&bench, &hands, unlock, &v); /* not ours */
	assert_true(is_there(".ops-lock"));
	driver_bench_release(&bench);
}

static void test_a_release_that_is_damaged(void **state)
{
	struct verdict v;
	(void)state;
	begin("complete: [ model.bin ]\nmanifest: SHA256SUMS\n");
	write_file(in_root("releases/v10/SHA256SUMS"), "0000000000000000000000000000000000000000000000000000000000000000  model.bin\n");
	look();
	plan(DEPLOY_REDEPLOY, "v10");
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_non_null(strstr(v.text, "model.bin: FAILED"));
	driver_bench_release(&bench);
}

/* The link is there at each instant. */
static void test_there_is_no_moment_without_current(void **state)
{
	const char *file = in_root("missing"), *stop = in_root("stop");
	const char *script = "while ! test -e \"$2\"; do test -e \"$1/current/REVISION\" || : >\"$1/missing\"; done";
	struct ask watch;
	struct heard h;
	struct unit here = hands_bench_here();
	struct verdict v;
	(void)state;
	begin("");
	look();
	ask_run(&bench.arena, &watch, "sh", "-c", script, "sh", root, stop, NULL);
	hands_bench_begin(&hands, &hands_bench_deploy, &here, &watch, &h);
	plan(DEPLOY_REDEPLOY, "v10");
	const struct step *there = driver_bench_step(&bench.forward, "switch"), *back = driver_bench_step(&bench.back, "switch");
	for (int i = 0; i < 20; i++) {
		driver_bench_take(&bench, &hands, i % 2 == 0 ? there : back, &v);
		assert_int_equal(v.kind, VERDICT_DONE);
	}
	write_file(stop, "");
	hands_bench_await(&hands, &h, "the watcher");
	assert_int_equal(h.answer.status, 0);
	assert_int_not_equal(access(file, F_OK), 0);
	heard_release(&h);
	driver_bench_release(&bench);
}

/* ---- options and hostile answers ---- */

static void test_options(void **state)
{
	static const struct {
		const char *label, *options, *says;
	} rows[] = {
		{ "nothing restarts it", "root: /srv\n", "give one of 'unit' and 'restart'" },
		{ "two do", "root: /srv\nunit: a.service\nrestart: [ [ x ] ]\n", "give one of 'unit' and 'restart'" },
		{ "no whole path", "root: srv\nunit: a.service\n", "whole path" },
		{ "an unknown name", "root: /srv\nrestart: [ [ x, '{versoin}' ] ]\n", "{versoin" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find("release-symlink"), rows[i].options);
		assert_row(rows[i].label, bench.err == ERR_FORMAT && strstr(bench.why.text, rows[i].says) != NULL);
		driver_bench_release(&bench);
	}
}

static void test_what_a_machine_may_say(void **state)
{
	static const char said[] = "current /x/releases/v2/\nrelease v2\nrelease v2\nrelease ../x\nrelease .y\nrelease -z\nrelease a\x1b[31m\nrelease\nrevision r\nhash xyz\n"
	                           "missing -1\ntime 99999999999999999999\nfree x\nlog deployed as release v2 by \x1b[31mred\nlog release\nprocess ../..\nnonsense\n";
	struct arena a;
	struct releases r;
	(void)state;
	arena_init(&a);
	release_read(&a, said, strlen(said), &r);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.current, "v2");
	assert_string_equal(r.process, "");
	assert_string_equal(r.items[0].hash, "");
	assert_string_equal(r.items[0].by, "");
	assert_int_equal(r.free_kb, -1);
	release_read(&a, "release 20261123145243\n", 23, &r);
	assert_true(r.items[0].at_ms == INT64_C(1795445563000));
	arena_release(&a);
}

static void test_more_than_are_kept(void **state)
{
	struct arena a;
	struct releases r;
	char *text = malloc(300 * 16);
	size_t n = 0;
	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, 16, "release v%d\n", i * 7 % 300);
	arena_init(&a);
	release_read(&a, text, n, &r);
	assert_int_equal(r.n, RELEASES_MAX);
	assert_true(r.has_more);
	assert_string_equal(r.items[0].name, "v299");
	assert_string_equal(r.items[99].name, "v200");
	arena_release(&a);
	free(text);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(test_releases_are_ordered_by_name),
		WITH(test_what_the_look_warns_of),
		WITH(test_there_and_back),
		WITH(test_from_each_step_the_way_back_leads_back),
		WITH(test_old_releases_go_but_never_what_is_or_was_current),
		WITH(test_somebody_else_switched),
		WITH(test_a_lock_keeps_others_away),
		WITH(test_a_release_that_is_damaged),
		WITH(test_there_is_no_moment_without_current),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_what_a_machine_may_say),
		cmocka_unit_test(test_more_than_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
