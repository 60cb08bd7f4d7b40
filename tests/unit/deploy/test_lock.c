/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock's scripts, run by hands on this machine, and what is read of their answers. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deploy/lock.h"
#include "tests/unit/deploy/hands_bench.h"

enum { RACERS = 24, OLD_S = LOCK_STALE_MS / 1000 + 60 };

static struct hands_bench hands;
static struct arena arena;
static char folder[64];
static const char *path;

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(name);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/pitwall-lock-XXXXXX");
	assert_non_null(mkdtemp(folder));
	arena_init(&arena);
	hands_bench_init(&hands, NULL);
	path = lock_path(&arena, folder, "chat/7b");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hands_bench_release(&hands);
	arena_release(&arena);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct lock_seen send(const struct ask *a)
{
	const struct unit here = hands_bench_here();
	struct lock_seen seen;
	struct heard h;
	hands_bench_ask(&hands, &here, a, &h);
	lock_read(&h.answer, &seen);
	heard_release(&h);
	return seen;
}

static const struct lock_holder kim = { "key-1", "kim", "jump1", "rollback of chat to v11" }, lee = { "key-2", "lee", "jump2", "redeploy of chat" };

static struct lock_seen take(const struct lock_holder *h, const char *takes)
{
	struct ask a;
	lock_ask_take(&arena, path, h, takes, &a);
	return send(&a);
}

static struct lock_seen look(void)
{
	struct ask a;
	lock_ask_look(&arena, path, &a);
	return send(&a);
}

static void give_back(const char *key)
{
	struct ask a;
	struct heard h;
	const struct unit here = hands_bench_here();
	lock_ask_free(&arena, path, key, &a);
	hands_bench_ask(&hands, &here, &a, &h);
	assert_int_equal(h.answer.err, ERR_OK);
	assert_int_equal(h.answer.status, 0);
	heard_release(&h);
}

static void write_in(const char *name, const char *text)
{
	char file[256];
	snprintf(file, sizeof file, "%s/%s", path, name);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* It was heard of last so long ago, by this machine's clock. */
static void set_age(int seconds)
{
	char text[32];
	snprintf(text, sizeof text, "%lld\n", (long long)time(NULL) - seconds);
	write_in("beat", text);
}

static void expect(const char *label, struct lock_seen seen, enum lock_state state, const char *says)
{
	if (seen.state != state || (says != NULL && strstr(seen.text, says) == NULL))
		fail_msg("%s: state %d, '%s'; wanted %d, '%s'", label, (int)seen.state, seen.text, (int)state, says != NULL ? says : "");
}

static void test_life(void **state)
{
	(void)state;
	expect("nobody has it", look(), LOCK_FREE, NULL);
	expect("it is taken", take(&kim, ""), LOCK_TAKEN, NULL);
	expect("again", take(&kim, ""), LOCK_KEPT, NULL);
	expect("another one is told", take(&lee, ""), LOCK_HELD, "kim on jump1 holds the lock: rollback of chat to v11, since ");
	expect("who looks is told", look(), LOCK_HELD, "kim on jump1");
	expect("a fresh one is not taken over", take(&lee, "key-1"), LOCK_HELD, "kim");
	give_back("key-2");
	expect("it is not another's to give back", look(), LOCK_HELD, "kim");
	give_back("key-1");
	give_back("key-1");
	expect("it is free again", look(), LOCK_FREE, NULL);
}

static void test_stale(void **state)
{
	(void)state;
	take(&kim, "");
	set_age(OLD_S);
	expect("stale", look(), LOCK_STALE, "not heard of for 4m");
	expect("it is not taken by the way", take(&lee, ""), LOCK_STALE, "kim on jump1");
	expect("nor where another was meant", take(&lee, "key-3"), LOCK_STALE, "kim on jump1");
	assert_string_equal(look().key, "key-1");
	expect("but where that one was", take(&lee, "key-1"), LOCK_TAKEN, NULL);
	expect("who lost it is told", take(&kim, ""), LOCK_HELD, "lee on jump2");
	give_back("key-1");
	expect("and takes nothing away", look(), LOCK_HELD, "lee");
	set_age(-OLD_S);
	expect("a clock that was set back", look(), LOCK_STALE, "lee");
	expect("its owner comes back", take(&lee, ""), LOCK_KEPT, NULL);
	expect("and is heard", look(), LOCK_HELD, "lee");
	give_back("key-2");
}

/* Killed between the folder and the name in it. */
static void test_nameless(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	expect("just now", take(&kim, ""), LOCK_HELD, "somebody holds the lock");
	const struct timespec old[2] = { { .tv_sec = time(NULL) - OLD_S }, { .tv_sec = time(NULL) - OLD_S } };
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	struct lock_seen seen = take(&kim, "");
	expect("long ago", seen, LOCK_STALE, "somebody");
	assert_string_equal(seen.key, "-");
	expect("by choice", take(&kim, "-"), LOCK_TAKEN, NULL);
	give_back("key-1");
}

static void test_cannot(void **state)
{
	const char *good = path;
	char other[128];
	(void)state;
	path = lock_path(&arena, "/nowhere/at/all", "chat");
	expect("no folder", look(), LOCK_CANNOT, "the folder /nowhere/at/all is not there");
	expect("no folder", take(&kim, ""), LOCK_CANNOT, "/nowhere/at/all");
	path = lock_path(&arena, "/proc", "chat");
	expect("it cannot be made", take(&kim, ""), LOCK_CANNOT, "/proc");
	path = good;
	snprintf(other, sizeof other, "%s/target", folder);
	assert_int_equal(mkdir(other, 0755), 0);
	assert_int_equal(symlink(other, path), 0);
	expect("a link lies in the way", take(&kim, ""), LOCK_CANNOT, "is no folder");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	expect("one to nowhere", take(&kim, ""), LOCK_CANNOT, "is no folder");
	expect("one to nowhere", look(), LOCK_CANNOT, "is no folder");
	assert_int_equal(unlink(path) + rmdir(other), 0);
}

/* What others wrote there is text, and what we write too. */
static void test_hostile(void **state)
{
	static const struct lock_holder odd = { "key-9", "k'im $(touch x)", "`id`\nsecond line", "\"quoted\" \\ \033[2J v1" };
	(void)state;
	expect("odd names", take(&odd, ""), LOCK_TAKEN, NULL);
	struct lock_seen seen = look();
	expect("are told", seen, LOCK_HELD, "k'im $(touch x) on `id`");
	for (const char *c = seen.text; *c != '\0'; c++)
		assert_true((unsigned char)*c >= 0x20);
	write_in("owner", "lock taken\nlock free\n\033[31m\nx\n99999999999999999999\n");
	write_in("beat", "nonsense\n");
	seen = look();
	expect("a broken file", seen, LOCK_HELD, "lock free");
	assert_string_equal(seen.key, "lock taken");
	write_in("beat", "08\n"); /* no octal number */
	expect("zeros", look(), LOCK_HELD, NULL);
	write_in("beat", "8\n");
	expect("an old one", look(), LOCK_STALE, NULL);
	write_in("owner", "key-9\n");
	give_back("key-9");
}

/* All at the same instant; of those that get it there is one. */
static size_t race(const char *takes)
{
	static struct heard heard[RACERS];
	static int number;
	const struct unit here = hands_bench_here();
	size_t n = 0;
	number++;
	for (size_t i = 0; i < RACERS; i++) {
		struct ask a;
		const struct lock_holder h = { arena_printf(&arena, "racer-%d-%zu", number, i), "r", "h", "w" };
		lock_ask_take(&arena, path, &h, takes, &a);
		hands_bench_begin(&hands, &hands_bench_deploy, &here, &a, &heard[i]);
	}
	for (size_t i = 0; i < RACERS; i++) {
		struct lock_seen seen;
		hands_bench_await(&hands, &heard[i], "the lock");
		lock_read(&heard[i].answer, &seen);
		n += seen.state == LOCK_TAKEN;
		if (seen.state == LOCK_TAKEN)
			continue;
		if (seen.state != LOCK_HELD && seen.state != LOCK_STALE)
			fail_msg("racer %zu: %d '%s'", i, (int)seen.state, seen.text);
	}
	for (size_t i = 0; i < RACERS; i++)
		heard_release(&heard[i]);
	return n;
}

static void test_race(void **state)
{
	(void)state;
	assert_int_equal(race(""), 1);
	for (int i = 0; i < 3; i++) { /* and likewise for one that is stale */
		struct lock_seen seen;
		set_age(OLD_S);
		seen = look();
		assert_int_equal(seen.state, LOCK_STALE);
		assert_int_equal(race(seen.key), 1);
	}
	char taking[256];
	snprintf(taking, sizeof taking, "%s.taking", path);
	assert_int_not_equal(access(taking, F_OK), 0);
	give_back(look().key);
	expect("it is free", look(), LOCK_FREE, NULL);
}

/* Who takes a stale one over was killed on the way: the next but one can. */
static void test_taking_is_left(void **state)
{
	char taking[256];
	const struct timespec old[2] = { { .tv_sec = time(NULL) - 120 }, { .tv_sec = time(NULL) - 120 } };
	(void)state;
	take(&kim, "");
	set_age(OLD_S);
	snprintf(taking, sizeof taking, "%s.taking", path);
	assert_int_equal(mkdir(taking, 0755), 0);
	expect("just now", take(&lee, "key-1"), LOCK_STALE, "somebody else takes it over just now");
	assert_int_equal(utimensat(AT_FDCWD, taking, old, 0), 0);
	expect("long ago", take(&lee, "key-1"), LOCK_STALE, "just now");
	expect("then", take(&lee, "key-1"), LOCK_TAKEN, NULL);
	give_back("key-2");
}

static void test_read(void **state)
{
	static const struct {
		const char     *label, *text;
		int             status;
		enum lock_state state;
		const char     *says;
	} rows[] = {
		{ "nothing", "", 0, LOCK_UNKNOWN, "ended with status 0" },
		{ "no sh", "sh: not found\n", 127, LOCK_UNKNOWN, "status 127: sh: not found" },
		{ "noise before it", "Welcome!\nlock free\n", 0, LOCK_FREE, "" },
		{ "a state that is none", "lock mine\n", 0, LOCK_UNKNOWN, "" },
		{ "held by nobody", "lock held\n", 0, LOCK_HELD, "somebody holds the lock" },
		{ "odd numbers", "since -5\nage 1e9\nlock stale\n", 0, LOCK_STALE, "not heard of for 0ms" },
	};
	struct lock_seen seen;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = { .err = ERR_OK, .why = "", .status = rows[i].status, .text = rows[i].text, .n = strlen(rows[i].text) };
		lock_read(&a, &seen);
		expect(rows[i].label, seen, rows[i].state, rows[i].says);
	}
	const struct answer none = { .err = ERR_NETWORK, .why = "no route", .text = "" };
	lock_read(&none, &seen);
	expect("no answer", seen, LOCK_UNKNOWN, "no route");
}

static void test_path(void **state)
{
	(void)state;
	assert_non_null(strstr(path, "/.pitwall-lock-chat-7b-"));
	assert_string_not_equal(lock_path(&arena, folder, "chat-7b"), path);
	assert_string_equal(lock_path(&arena, folder, "chat/7b"), path);
	assert_null(strstr(lock_path(&arena, "/tmp", "../../etc/$(x)"), ".."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),    cmocka_unit_test(test_stale), cmocka_unit_test(test_nameless),       cmocka_unit_test(test_cannot),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_race),  cmocka_unit_test(test_taking_is_left), cmocka_unit_test(test_read),
		cmocka_unit_test(test_path),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
