/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests in their folder, left by people who mean well and by others who do not. Where the test runs as root it becomes other users as well. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/clock.h"

enum { SOME_UID = 54321, OTHER_UID = 54322, TEAM_GID = 54399, OUTSIDE_GID = 54398 };

static char folder[64], store[80], requests[96];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	/* Thousands of files are made: in memory where that is possible. */
	snprintf(folder, sizeof folder, "%s/pitwall-spool-XXXXXX", access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(store, sizeof store, "%s/s.db", folder);
	snprintf(requests, sizeof requests, "%s/s.db-requests", folder);
	int fd = open(store, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	return fd >= 0 ? close(fd) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_requests(const char *name)
{
	static char path[400];
	snprintf(path, sizeof path, "%s/%s", requests, name);
	return path;
}

static bool is_there(const char *name)
{
	struct stat st;
	return lstat(in_requests(name), &st) == 0;
}

/* ---- whoever asks ---- */

static const char *const some_key[] = { "{alertname=\"NodeDown\"}" };

static enum err ask(const char *comment, char id[REQUEST_ID], struct why *why)
{
	const struct spool_way way = { .store = store };
	struct request r = { .kind = REQUEST_ACK, .asked_ms = 1795000000000, .who = "alice", .keys = some_key, .n_keys = 1, .comment = comment };
	enum err e = request_new_id(r.asked_ms, r.id, why);
	memcpy(id, r.id, REQUEST_ID);
	return e == ERR_OK ? spool_put(&way, &r, why) : e;
}

/* ---- the recorder ---- */

struct got {
	size_t   n;
	char     ids[SPOOL_ROUND_MAX][REQUEST_ID];
	char     id[REQUEST_ID], comment[64]; /* of the last one */
	uint32_t uid;
	enum err err;
	char     text[512], first[64];
	size_t   n_of[2]; /* of SOME_UID and OTHER_UID */
	size_t   n_told;
	char     told[600];
	enum err answer;
};

static enum err take(void *ctx, const struct spool_item *item)
{
	struct got *g = ctx;
	assert_true((item->request != NULL) == (item->err == ERR_OK));
	assert_true(item->err == ERR_OK || item->text[0] != '\0');
	memcpy(g->ids[g->n++], item->id, REQUEST_ID);
	g->uid = item->uid;
	g->err = item->err;
	g->n_of[0] += item->uid == SOME_UID;
	g->n_of[1] += item->uid == OTHER_UID;
	snprintf(g->id, sizeof g->id, "%s", item->id);
	snprintf(g->text, sizeof g->text, "%s", item->text);
	snprintf(g->comment, sizeof g->comment, "%s", item->request != NULL ? item->request->comment : "");
	if (g->n == 1)
		memcpy(g->first, g->comment, sizeof g->first);
	return g->answer;
}

static void hear(void *ctx, const char *sentence)
{
	struct got *g = ctx;
	g->n_told++;
	snprintf(g->told, sizeof g->told, "%s", sentence);
}

static enum err go_round(struct spool *s, struct got *g, struct why *why)
{
	enum err answer = g->answer;
	*g = (struct got){ .answer = answer };
	const struct spool_calls calls = { .request = take, .told = hear, .ctx = g };
	return spool_round(s, &calls, why);
}

static struct spool *open_spool(void)
{
	struct spool *s = NULL;
	struct why why;
	assert_ok(spool_open(store, &s, &why));
	return s;
}

static void test_to_and_fro(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char first[REQUEST_ID], second[REQUEST_ID];
	(void)state;
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 0);
	assert_ok(ask("one", first, &why));
	assert_ok(ask("two", second, &why));
	assert_true(spool_is_waiting(store, first));
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 2);
	assert_int_equal(g.uid, geteuid());
	assert_string_equal(g.first, strcmp(first, second) < 0 ? "one" : "two"); /* in the order of their names */
	assert_ok(go_round(s, &g, &why)); /* once */
	assert_int_equal(g.n, 0);
	spool_again(s, first);
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_string_equal(g.id, first);
	assert_ok(spool_remove(s, first, &why));
	assert_ok(spool_remove(s, first, &why)); /* gone already */
	assert_false(spool_is_waiting(store, first));
	spool_close(s);
	s = open_spool(); /* a recorder that was killed before it removed the second one */
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_string_equal(g.id, second);
	assert_string_equal(g.comment, "two");
	assert_ok(spool_remove(s, second, &why));
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n + g.n_told, 0);
	spool_close(s);
	assert_false(spool_is_waiting(store, "../../etc/passwd"));
}

static void test_round_ends(void **state)
{
	struct spool *s = open_spool();
	struct got g = { .answer = ERR_FULL };
	struct why why = { "" };
	char id[REQUEST_ID];
	(void)state;
	assert_ok(ask("a", id, &why));
	assert_ok(ask("b", id, &why));
	assert_int_equal(go_round(s, &g, &why), ERR_FULL);
	assert_int_equal(g.n, 1);
	g.answer = ERR_OK;
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 2); /* that one again, and the other */
	spool_close(s);
}

static void test_gate(void **state)
{
	const struct spool_way replay = { .store = store, .refusal = "this is a replay" };
	const struct spool_way nowhere = { .store = "/tmp/pitwall-no-such-folder/s.db" };
	struct request r = { .kind = REQUEST_UNACK, .keys = some_key, .n_keys = 1 };
	struct why why = { "" };
	(void)state;
	assert_ok(request_new_id(1, r.id, &why));
	assert_int_equal(spool_put(&replay, &r, &why), ERR_READ_ONLY);
	assert_string_equal(why.text, "nothing can be asked for: this is a replay");
	assert_false(spool_is_waiting(store, r.id));
	assert_int_equal(spool_put(&nowhere, &r, &why), ERR_NOT_FOUND);
	r.n_keys = 0;
	const struct spool_way way = { .store = store };
	assert_int_equal(spool_put(&way, &r, &why), ERR_FORMAT);
	assert_string_equal(why.text, "no alert is named");
}

/* Where nobody has recorded yet with requests in mind, the owner of the store makes the folder. Links lead to the same one. */
static void test_finds_the_folder(void **state)
{
	char id[REQUEST_ID], link_path[80], kept[80];
	struct why why = { "" };
	struct got g = { 0 };
	(void)state;
	snprintf(link_path, sizeof link_path, "%s/link.db", folder);
	assert_int_equal(symlink("s.db", link_path), 0);
	memcpy(kept, store, sizeof kept);
	memcpy(store, link_path, sizeof store);
	assert_ok(ask("through a link", id, &why));
	memcpy(store, kept, sizeof store);
	struct spool *s = open_spool();
	assert_ok(go_round(s, &g, &why));
	assert_string_equal(g.comment, "through a link");
	spool_close(s);
}

/* ---- the folder ---- */

/* Rounds, until nothing calls for another one: on a machine that stands still for a second between two lines, the time alone does. */
static void go_rounds(struct spool *s, struct got *g)
{
	struct why why = { "" };
	int n = 0;
	do {
		assert_true(n++ < 100);
		assert_ok(go_round(s, g, &why));
	} while (spool_has_news(s));
}

static void test_news(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char id[REQUEST_ID];
	(void)state;
	assert_true(spool_has_news(s)); /* what was asked before */
	go_rounds(s, &g);
	assert_ok(ask("one", id, &why));
	assert_true(spool_has_news(s));
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	go_rounds(s, &g);
	spool_again(s, id);
	assert_true(spool_has_news(s));
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_ok(spool_remove(s, id, &why));
	go_rounds(s, &g);
	assert_int_equal(mkdir(in_requests("junk"), 0777), 0); /* whatever comes is looked at, and removed */
	assert_true(spool_has_news(s));
	g.answer = ERR_FULL;
	assert_ok(ask("two", id, &why));
	assert_int_equal(go_round(s, &g, &why), ERR_FULL);
	assert_true(spool_has_news(s)); /* it was not taken */
	spool_close(s);
}

/* A request is seen a second later at most where nothing is heard of the folder: what one who owns the lease of a file holds up, for one. */
static void test_news_comes_with_time(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	(void)state;
	go_rounds(s, &g);
	int64_t until = clock_mono_ms(clock_system()) + 60 * 1000;
	while (!spool_has_news(s) && clock_mono_ms(clock_system()) < until)
		poll(NULL, 0, 1);
	assert_true(spool_has_news(s));
	spool_close(s);
}

/* Without a descriptor for hearing of the folder, each round is worth while. */
static void test_news_unheard(void **state)
{
	struct rlimit before, few;
	struct spool *s = NULL;
	struct got g = { 0 };
	struct why why = { "" };
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	for (few.rlim_cur = 3; s == NULL && few.rlim_cur < 100; few.rlim_cur++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		spool_open(store, &s, &why);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(s);
	for (int i = 0; i < 3; i++) {
		assert_ok(go_round(s, &g, &why));
		assert_true(spool_has_news(s));
	}
	spool_close(s);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_modes(void **state)
{
	static const struct { const char *label; mode_t parent, before, want; } rows[] = {
		{ "private", 0700, 0, 0700 },
		{ "others may look", 0755, 0, 0700 },
		{ "a team's", 02750, 0, 03730 },
		{ "a team's, which others may pass", 02755, 0, 03730 },
		{ "setgid, but the group may not enter", 02700, 0, 0700 },
		{ "the group may write the store", 0770, 0, 02770 },
		{ "made narrower", 0700, 0777, 0700 },
		{ "made a team's", 02750, 0700, 03730 },
		{ "lost its sticky bit", 02750, 02730, 03730 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spool *s;
		rmdir(requests);
		assert_int_equal(chmod(folder, rows[i].parent), 0);
		if (rows[i].before != 0)
			assert_row(rows[i].label, mkdir(requests, 0700) == 0 && chmod(requests, rows[i].before) == 0);
		mode_t mask = umask(i % 2 == 0 ? 0 : 077);
		s = open_spool();
		umask(mask);
		assert_row(rows[i].label, mode_of(requests) == rows[i].want);
		spool_close(s);
	}
	assert_int_equal(chmod(folder, 0700), 0);
}

static void test_wrong_place(void **state)
{
	struct spool *s = NULL;
	struct why why = { "" };
	char elsewhere[100];
	(void)state;
	rmdir(requests);
	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
	assert_int_equal(mkdir(elsewhere, 0700), 0);
	assert_int_equal(symlink(elsewhere, requests), 0);
	assert_int_equal(spool_open(store, &s, &why), ERR_UNSUPPORTED);
	assert_int_equal(unlink(requests), 0);
	int fd = open(requests, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
	assert_int_equal(spool_open(store, &s, &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "is no folder"));
	assert_int_equal(unlink(requests), 0);
	assert_null(s);
}

/* ---- what does not belong there ---- */

#define ID   "0193a5c2-f0e1-7abc-8def-0123456789ab"
#define FILE_NAME ID ".json"
#define ACK_OF(id) "{\"version\":1,\"id\":\"" id "\",\"kind\":\"ack\",\"keys\":[\"{}\"]}"

static void put_file(const char *name, const char *text)
{
	int fd = open(in_requests(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void make_link(const char *name)
{
	char target[100];
	snprintf(target, sizeof target, "%s/elsewhere.json", folder);
	int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_true(fd >= 0 && write(fd, ACK_OF(ID), sizeof ACK_OF(ID) - 1) > 0 && close(fd) == 0);
	assert_int_equal(symlink(target, in_requests(name)), 0);
}

static void make_hard_link(const char *name)
{
	char target[100];
	snprintf(target, sizeof target, "%s/linked.json", folder);
	put_file(name, ACK_OF(ID));
	assert_int_equal(link(in_requests(name), target), 0);
}

static void make_pipe(const char *name) { assert_int_equal(mkfifo(in_requests(name), 0666), 0); }

static void make_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", in_requests(name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void make_folder(const char *name) { assert_int_equal(mkdir(in_requests(name), 0777), 0); }

static void make_huge(const char *name)
{
	put_file(name, "{");
	assert_int_equal(truncate(in_requests(name), (off_t)1 << 40), 0); /* holes: it takes no room */
}

static void make_request(const char *name) { put_file(name, ACK_OF(ID)); }
static void make_empty(const char *name) { put_file(name, ""); }
static void make_other(const char *name) { put_file(name, ACK_OF("1193a5c2-f0e1-7abc-8def-0123456789ab")); }
static void make_garbage(const char *name) { put_file(name, "\x7f""ELF\001\002"); }

static void set_time(const char *name, int64_t seconds_ago)
{
	const struct timespec now[2] = { { .tv_sec = time(NULL) - seconds_ago }, { .tv_sec = time(NULL) - seconds_ago } };
	put_file(name, "{");
	assert_int_equal(utimensat(AT_FDCWD, in_requests(name), now, 0), 0);
}

static void make_old(const char *name) { set_time(name, 2 * 3600); }
static void make_early(const char *name) { set_time(name, -2 * 3600); }
static void make_fresh(const char *name) { set_time(name, 5); }

static void test_hostile(void **state)
{
	static const struct {
		const char *label, *name;
		void      (*make)(const char *name);
		bool        is_given, stays;
		enum err    err;
		const char *says; /* in what is told, or in the item's text */
	} rows[] = {
		{ "a request", FILE_NAME, make_request, true, true, ERR_OK, "" },
		{ "a link to a request", FILE_NAME, make_link, false, false, ERR_OK, "is no file and is removed" },
		{ "a request with two names", FILE_NAME, make_hard_link, false, false, ERR_OK, "another name" },
		{ "a pipe", FILE_NAME, make_pipe, false, false, ERR_OK, "is no file" },
		{ "a pipe of another name", "x", make_pipe, false, false, ERR_OK, "is no file" },
		{ "a socket", FILE_NAME, make_socket, false, false, ERR_OK, "is no file" },
		{ "a folder", FILE_NAME, make_folder, false, false, ERR_OK, "is a folder and is removed" },
		{ "a folder of another name", "x", make_folder, false, false, ERR_OK, "is a folder and is removed" },
		{ "a terabyte", FILE_NAME, make_huge, false, false, ERR_OK, "too large" },
		{ "a terabyte of another name", "x", make_huge, false, false, ERR_OK, "too large" },
		{ "nothing in it", FILE_NAME, make_empty, true, true, ERR_FORMAT, "nothing there" },
		{ "no JSON in it", FILE_NAME, make_garbage, true, true, ERR_FORMAT, "JSON" },
		{ "one that was moved", FILE_NAME, make_other, true, true, ERR_DENIED, "moved or linked" },
		{ "another name", "README", make_request, false, false, ERR_OK, "'README' among the requests is no request and is removed" },
		{ "a name that moves the cursor", "\033[2J\n\xff", make_request, false, false, ERR_OK, "'\\u{1b}[2J\\u{a}\\xff' among the requests is no request" },
		{ "an id alone", ID, make_request, false, false, ERR_OK, "is no request" },
		{ "another suffix", ID ".jsonx", make_request, false, false, ERR_OK, "is no request" },
		{ "a name in capitals", "0193A5C2-f0e1-7abc-8def-0123456789ab.json", make_request, false, false, ERR_OK, "is no request" },
		{ "one being written", "." ID ".new", make_fresh, false, true, ERR_OK, "" },
		{ "one that was never finished", "." ID ".new", make_old, false, false, ERR_OK, "was never finished" },
		{ "one from the time to come", "." ID ".new", make_early, false, false, ERR_OK, "was never finished" },
		{ "a hidden file", ".x", make_fresh, false, false, ERR_OK, "is no request" },
		{ "a hidden pipe", "." ID ".new", make_pipe, false, false, ERR_OK, "is no file" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spool *s = open_spool();
		struct got g = { 0 };
		struct why why = { "" };
		rows[i].make(rows[i].name);
		assert_ok(go_round(s, &g, &why));
		assert_row(rows[i].label, g.n == rows[i].is_given);
		assert_row(rows[i].label, g.err == rows[i].err);
		assert_row(rows[i].label, is_there(rows[i].name) == rows[i].stays);
		const char *said = rows[i].is_given ? g.text : g.told;
		if (strstr(said, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].label, said);
		assert_row(rows[i].label, (g.n_told > 0) == (!rows[i].is_given && !rows[i].stays));
		spool_close(s);
		assert_int_equal(tear_down(NULL), 0); /* a folder of its own for the next */
		assert_int_equal(set_up(NULL), 0);
	}
}

/* A folder that only its owner can empty is told of once, and keeps nobody from being heard. */
static void test_stuck(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char id[REQUEST_ID];
	(void)state;
	make_folder("stuck");
	make_folder("stuck/in it");
	assert_ok(ask("heard", id, &why));
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.n_told, 1);
	assert_non_null(strstr(g.told, "cannot be removed: its owner has to"));
	for (int i = 0; i < 3; i++) {
		assert_ok(go_round(s, &g, &why));
		assert_int_equal(g.n_told, 0);
	}
	assert_int_equal(rmdir(in_requests("stuck/in it")), 0);
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n_told, 1);
	assert_false(is_there("stuck"));
	spool_close(s);
}

/* More things that are none than a round looks at: a request among them is given when all names were seen, and not every one of them is told of. */
static void test_flood(void **state)
{
	enum { N = SPOOL_NAMES_MAX + 500 };
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char id[REQUEST_ID], name[32];
	size_t given = 0, rounds = 0;
	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof name, "junk-%d", i);
		assert_int_equal(symlink("/dev/zero", in_requests(name)), 0);
		if (i == N / 2)
			assert_ok(ask("heard", id, &why));
	}
	for (; rounds < 2 + N / SPOOL_NAMES_MAX; rounds++) {
		assert_ok(go_round(s, &g, &why));
		given += g.n;
		assert_true(g.n_told <= SPOOL_TOLD_MAX + 1);
		assert_true(rounds > 0 || spool_has_news(s)); /* not all of them were seen */
	}
	assert_int_equal(given, 1);
	assert_ok(spool_remove(s, id, &why));
	spool_close(s);
	assert_int_equal(rmdir(requests), 0); /* nothing is left */
}

/* More than one user may have there: what is more is removed, and the rest comes in turns. */
static void test_many_of_one(void **state)
{
	enum { N = SPOOL_USER_MAX + 50 };
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char name[64], text[200];
	size_t given = 0;
	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof text, "{\"version\":1,\"id\":\"0193a5c2-f0e1-7abc-8def-%012d\",\"kind\":\"ack\",\"keys\":[\"{}\"]}", i);
		snprintf(name, sizeof name, "0193a5c2-f0e1-7abc-8def-%012d.json", i);
		put_file(name, text);
	}
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, SPOOL_USER_ROUND_MAX);
	assert_true(spool_has_news(s));
	assert_int_equal(g.n_told, 1);
	assert_non_null(strstr(g.told, "has left more than"));
	for (given = g.n; g.n > 0; given += g.n) { /* done at once, each round's */
		for (size_t i = 0; i < g.n; i++)
			assert_ok(spool_remove(s, g.ids[i], &why));
		assert_ok(go_round(s, &g, &why));
	}
	assert_int_equal(given, SPOOL_USER_MAX);
	spool_close(s);
}

/* An owner's lease would let whoever opens the file wait for it. */
static void test_lease(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	(void)state;
	make_request(FILE_NAME);
	int fd = open(in_requests(FILE_NAME), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
		close(fd);
		spool_close(s);
		print_message("# this file system knows no leases\n");
		skip();
	}
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n + g.n_told, 0);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	spool_close(s);
}

/* ---- other users ---- */

static void must_be_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("# only root can become other users\n");
	skip();
}

/* Runs fn as that user; returns what it returned. */
static int as_user(uid_t uid, gid_t gid, int (*fn)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
			_exit(100);
		umask(077);
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

static void make_team(void)
{
	assert_int_equal(chown(folder, 0, TEAM_GID), 0);
	assert_int_equal(chmod(folder, 02750), 0);
	assert_int_equal(chown(store, 0, TEAM_GID), 0);
}

static int ask_some(void)
{
	char id[REQUEST_ID];
	struct why why;
	return ask("mine", id, &why) == ERR_OK ? 0 : 1;
}

/* Neither seen, nor read by guessing, nor changed, nor taken away, nor put in another's place. */
static int tamper(void)
{
	struct stat st;
	char fresh[160], linked[160];
	snprintf(fresh, sizeof fresh, "%s/mine", requests);
	snprintf(linked, sizeof linked, "%s/1193a5c2-f0e1-7abc-8def-0123456789ab.json", requests);
	if (open(requests, O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 || stat(in_requests(FILE_NAME), &st) != 0)
		return 1;
	if (unlink(in_requests(FILE_NAME)) == 0 || open(in_requests(FILE_NAME), O_WRONLY | O_CLOEXEC) >= 0 || chmod(in_requests(FILE_NAME), 0666) == 0)
		return 2;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0 || rename(fresh, in_requests(FILE_NAME)) == 0 || rename(in_requests(FILE_NAME), linked) == 0)
		return 3;
	return unlink(fresh) == 0 ? 0 : 4;
}

static int link_others(void)
{
	char linked[160];
	snprintf(linked, sizeof linked, "%s/1193a5c2-f0e1-7abc-8def-0123456789ab.json", requests);
	return link(in_requests(FILE_NAME), linked) == 0 ? 0 : errno == EPERM ? 77 : 1; /* 77: the system does not let anybody */
}

static int open_as_other(void)
{
	struct spool *s = NULL;
	struct why why;
	return spool_open(store, &s, &why) == ERR_DENIED ? 0 : 1;
}

static void test_team(void **state)
{
	struct got g = { 0 };
	struct why why = { "" };
	struct stat st;
	char name[REQUEST_ID + 8];
	(void)state;
	must_be_root();
	make_team();
	struct spool *s = open_spool();
	assert_int_equal(stat(requests, &st), 0);
	assert_int_equal(st.st_gid, TEAM_GID);
	assert_int_equal(as_user(SOME_UID, TEAM_GID, ask_some), 0);
	assert_int_equal(as_user(OTHER_UID, OUTSIDE_GID, ask_some), 1); /* not in the group */
	assert_int_equal(as_user(SOME_UID, TEAM_GID, open_as_other), 0);
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.uid, SOME_UID);
	assert_int_equal(g.n_told, 0);
	snprintf(name, sizeof name, "%s.json", g.id);
	assert_int_equal(stat(in_requests(name), &st), 0);
	assert_int_equal(st.st_gid, TEAM_GID); /* so that a recorder that is not root can read it, whatever the umask was */
	assert_int_equal(st.st_mode & 0777, 0640);
	make_request(FILE_NAME);
	assert_int_equal(as_user(SOME_UID, TEAM_GID, tamper), 0);
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.uid, 0);
	spool_close(s);
}

/* A second name for a request of somebody else's: while both are there, neither is done; left alone it is one that was moved. */
static void test_link_to_others(void **state)
{
	struct got g = { 0 };
	struct why why = { "" };
	(void)state;
	must_be_root();
	make_team();
	struct spool *s = open_spool();
	make_request(FILE_NAME);
	assert_int_equal(chmod(in_requests(FILE_NAME), 0666), 0); /* else no modern system lets them */
	int got = as_user(OTHER_UID, TEAM_GID, link_others);
	if (got == 77) {
		spool_close(s);
		print_message("# nobody can link to others' files here\n");
		skip();
	}
	assert_int_equal(got, 0);
	assert_int_equal(unlink(in_requests(FILE_NAME)), 0); /* as if it had been done and removed */
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n, 1);
	assert_int_equal(g.err, ERR_DENIED);
	spool_close(s);
}

/* One user's hundreds do not keep another's one waiting. */
static void test_fair(void **state)
{
	struct spool *s = open_spool();
	struct got g = { 0 };
	struct why why = { "" };
	char name[64], text[200];
	(void)state;
	must_be_root();
	for (int i = 0; i <= 200; i++) {
		snprintf(text, sizeof text, "{\"version\":1,\"id\":\"0193a5c2-f0e1-7abc-8def-%012d\",\"kind\":\"ack\",\"keys\":[\"{}\"]}", i);
		snprintf(name, sizeof name, "0193a5c2-f0e1-7abc-8def-%012d.json", i);
		put_file(name, text);
		assert_int_equal(chown(in_requests(name), i < 200 ? SOME_UID : OTHER_UID, TEAM_GID), 0);
	}
	assert_ok(go_round(s, &g, &why));
	assert_int_equal(g.n_of[0], SPOOL_USER_ROUND_MAX);
	assert_int_equal(g.n_of[1], 1);
	spool_close(s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_to_and_fro), TEST(test_round_ends), TEST(test_news), TEST(test_news_comes_with_time), TEST(test_news_unheard), TEST(test_gate),        TEST(test_finds_the_folder), TEST(test_modes),
		TEST(test_wrong_place), TEST(test_hostile),   TEST(test_stuck),       TEST(test_flood),            TEST(test_many_of_one),
		TEST(test_lease),      TEST(test_team),       TEST(test_link_to_others), TEST(test_fair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
