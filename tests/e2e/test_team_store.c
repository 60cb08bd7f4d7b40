/* SPDX-License-Identifier: Apache-2.0
 *
 * A store for a team, set up by the real program: members read it while it is recorded, when its recorder has ended and when it was killed; they can
 * ask, and not change anything; outsiders can do neither. And what `doctor --store` says when something is no longer as it was set up. Only root can
 * become other users and give files away, so the rest is skipped for others. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/clock.h"
#include "store/alerts.h"
#include "tests/unit/collectors/sshd.h"

enum { MEMBER_UID = 54321, OUTSIDER_UID = 54322, OUTSIDER_GID = 54398, SAID_MAX = 64 * 1024 };

static const char account[] = "daemon"; /* a user and a group that every system has */

static struct {
	char  top[64], folder[80], store[112], requests[128], said[SAID_MAX];
	uid_t uid;
	gid_t gid;
} t;
static struct why why;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	snprintf(t.top, sizeof t.top, "/tmp/pitwall-team-XXXXXX");
	if (mkdtemp(t.top) == NULL || chmod(t.top, 0755) != 0)
		return -1;
	snprintf(t.folder, sizeof t.folder, "%s/team", t.top);
	snprintf(t.store, sizeof t.store, "%s/pitwall.db", t.folder);
	snprintf(t.requests, sizeof t.requests, "%s/pitwall.db-requests", t.folder);
	setenv("HOME", t.top, 1);
	setenv("XDG_CONFIG_HOME", t.top, 1);
	unsetenv("PITWALL_CONFIG");
	unsetenv("PITWALL_STORE");
	const struct passwd *u = getpwnam(account);
	t.uid = u != NULL ? u->pw_uid : 0;
	const struct group *g = getgrnam(account);
	t.gid = g != NULL ? g->gr_gid : 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(t.top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void must_be_root(void)
{
	if (geteuid() == 0 && t.uid != 0 && t.gid != 0)
		return;
	print_message("# only root can become other users, and '%s' has to be one\n", account);
	skip();
}

/* ---- the program ---- */

static int setup_with(const char *group, const char *more)
{
	char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	const char *const argv[] = { path, "store", "setup", "--group", group, "--user", account, "--dir", t.folder, more, NULL };
	return sshd_run(argv, t.said, sizeof t.said);
}

static int doctor(void)
{
	char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	const char *const argv[] = { path, "doctor", "--store", t.store, NULL };
	return sshd_run(argv, t.said, sizeof t.said);
}

static void says(const char *what)
{
	if (strstr(t.said, what) == NULL)
		fail_msg("no '%s' in: %s", what, t.said);
}

static void set_up_team(void)
{
	must_be_root();
	if (setup_with(account, NULL) != 0)
		fail_msg("%s", t.said);
}

static void look(const char *path, mode_t mode)
{
	struct stat st;
	if (stat(path, &st) != 0)
		fail_msg("'%s' is not there", path);
	if ((st.st_mode & 07777) != mode || st.st_gid != t.gid || st.st_uid != t.uid)
		fail_msg("'%s' is %04o of %u:%u", path, (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid, (unsigned)st.st_gid);
}

/* ---- other users ---- */

static void become(uid_t uid, gid_t gid)
{
	if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		_exit(100);
	umask(0027);
}

static int ended(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

static int as_user(uid_t uid, gid_t gid, int (*fn)(void))
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		become(uid, gid);
		_exit(fn());
	}
	return ended(child);
}

/* The recorder: writes a note, tells that it did, and waits for the end: of its input, or of itself. */
static int record(int ready, int go)
{
	struct store *s = NULL;
	struct spool *requests = NULL;
	char byte = 'r';
	if (store_open(&(struct store_options){ .path = t.store, .clock = clock_system() }, &s, &why) != ERR_OK || spool_open(t.store, &requests, &why) != ERR_OK)
		return 1;
	const struct event e = { .wall_ms = clock_wall_ms(clock_system()), .kind = "note", .node = "", .text = "it was recorded" };
	if (store_append_event(s, &e, &why) != ERR_OK || store_flush(s, &why) != ERR_OK || write(ready, &byte, 1) != 1)
		return 2;
	if (read(go, &byte, 1) < 0)
		return 3;
	spool_close(requests);
	store_close(s);
	return 0;
}

struct recorder {
	pid_t pid;
	int   go;
};

static struct recorder start_recorder(void)
{
	int ready[2], go[2];
	char byte;
	assert_true(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ready[0]);
		close(go[1]);
		become(t.uid, t.gid);
		_exit(record(ready[1], go[0]));
	}
	close(ready[1]);
	close(go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return (struct recorder){ pid, go[1] };
}

static void end_recorder(struct recorder r)
{
	close(r.go);
	assert_int_equal(ended(r.pid), 0);
}

static void kill_recorder(struct recorder r)
{
	kill(r.pid, SIGKILL);
	ended(r.pid);
	close(r.go);
}

static enum err see_event(void *ctx, const struct event *e)
{
	*(size_t *)ctx += strcmp(e->text, "it was recorded") == 0;
	return ERR_OK;
}

/* How many times it was recorded. */
static int count(void)
{
	struct reader *r = NULL;
	size_t n = 0;
	if (reader_open(t.store, READER_OWN, &r, &why) != ERR_OK)
		return 90;
	enum err e = reader_events(r, NULL, "note", 0, INT64_MAX / 2, 100, see_event, &n, &why);
	reader_close(r);
	return e == ERR_OK ? (int)n : 91;
}

static int ask(void)
{
	static const char *const keys[] = { "{alertname=\"NodeDown\"}" };
	const struct spool_way way = { .store = t.store };
	struct request q = { .kind = REQUEST_ACK, .asked_ms = 1, .keys = keys, .n_keys = 1 };
	if (request_new_id(1, q.id, &why) != ERR_OK)
		return 90;
	return spool_put(&way, &q, &why) == ERR_OK ? 0 : 1;
}

/* Nothing of the store can be written, taken away or replaced. */
static int tamper(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[160], other[160];
	struct store *s = NULL;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s%s", t.store, ends[i]);
		snprintf(other, sizeof other, "%s/mine", t.folder);
		if (open(path, O_RDWR | O_CLOEXEC) >= 0 || unlink(path) == 0 || rename(path, other) == 0 || chmod(path, 0666) == 0)
			return 1;
	}
	if (open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || rmdir(t.requests) == 0)
		return 2;
	return store_open(&(struct store_options){ .path = t.store, .clock = clock_system() }, &s, &why) == ERR_OK ? 3 : 0;
}

/* ---- tests ---- */

static void test_setup(void **state)
{
	struct stat st;
	(void)state;
	must_be_root();
	assert_int_equal(setup_with(account, "--dry-run"), 0);
	says("install -d -m 2750 -o daemon -g daemon '");
	says("install -d -m 3730 -o daemon -g daemon '");
	assert_int_equal(stat(t.folder, &st), -1); /* nothing was done */
	set_up_team();
	look(t.folder, 02750);
	look(t.requests, 03730);
	assert_int_equal(doctor(), 0);
	says("a team's");
	end_recorder(start_recorder());
	look(t.store, 0640);
	look(t.requests, 03730);
	assert_int_equal(chmod(t.store, 0600), 0);
	assert_int_equal(chown(t.store, 0, 0), 0);
	assert_int_equal(chmod(t.folder, 0755), 0);
	assert_int_equal(setup_with(account, NULL), 0); /* again: it is mended */
	says("chown daemon:daemon '");
	look(t.folder, 02750);
	look(t.store, 0640);
}

static void test_setup_mistakes(void **state)
{
	char link_path[160];
	(void)state;
	assert_int_equal(setup_with("no-such-group", NULL), 2);
	says("groupadd no-such-group");
	assert_int_equal(setup_with(account, "more"), 2);
	set_up_team();
	assert_int_equal(symlink("/etc/passwd", t.store), 0); /* what a hostile recorder may have left */
	assert_int_equal(setup_with(account, NULL), 2);
	assert_int_equal(unlink(t.store), 0);
	snprintf(link_path, sizeof link_path, "%s/other", t.top);
	int fd = open(link_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
	assert_int_equal(link(link_path, t.store), 0);
	assert_int_equal(setup_with(account, NULL), 2);
	says("another name elsewhere");
}

static void test_members_read(void **state)
{
	(void)state;
	set_up_team();
	struct recorder r = start_recorder();
	look(t.store, 0640);
	assert_int_equal(as_user(MEMBER_UID, t.gid, count), 1); /* while it is recorded */
	assert_int_equal(as_user(OUTSIDER_UID, OUTSIDER_GID, count), 90);
	assert_int_equal(as_user(MEMBER_UID, t.gid, tamper), 0);
	end_recorder(r);
	assert_int_equal(as_user(MEMBER_UID, t.gid, count), 1); /* the log is gone, and members may make none */
	r = start_recorder();
	kill_recorder(r);
	assert_int_equal(as_user(MEMBER_UID, t.gid, count), 2); /* the log is left, and nobody has written its index anew */
	assert_int_equal(as_user(MEMBER_UID, t.gid, tamper), 0);
}

static enum err take(void *ctx, const struct spool_item *item)
{
	*(uint32_t *)ctx = item->request != NULL ? item->uid : 0;
	return ERR_OK;
}

/* As the recorder, who is not root. */
static int read_request(void)
{
	struct spool *s = NULL;
	uint32_t uid = 0;
	const struct spool_calls calls = { .request = take, .ctx = &uid };
	if (spool_open(t.store, &s, &why) != ERR_OK || spool_round(s, &calls, &why) != ERR_OK)
		return 90;
	spool_close(s);
	return uid == MEMBER_UID ? 0 : 1;
}

static void test_members_ask(void **state)
{
	(void)state;
	set_up_team();
	end_recorder(start_recorder());
	assert_int_equal(as_user(MEMBER_UID, t.gid, ask), 0);
	assert_int_equal(as_user(OUTSIDER_UID, OUTSIDER_GID, ask), 1);
	assert_int_equal(as_user(t.uid, t.gid, read_request), 0);
	doctor();
	says("1 wait, the oldest for");
}

static void test_doctor(void **state)
{
	static const struct { const char *label; mode_t folder, store, requests; bool is_moved; const char *says; } rows[] = {
		{ "others may write", 02777, 0640, 03730, false, "everybody may put files there: chmod o-w" },
		{ "the group may write", 02770, 0640, 02770, false, "its group may change what was recorded" },
		{ "members cannot read", 02750, 0600, 03730, false, "cannot read it: chmod g+r" },
		{ "members may write", 02750, 0660, 03730, false, "may change it: chmod g-w" },
		{ "everybody may read", 02750, 0644, 03730, false, "everybody may read it: chmod o-r" },
		{ "members may list", 02750, 0640, 03770, false, "the mode should be 3730" },
		{ "members may remove", 02750, 0640, 02730, false, "the mode should be 3730" },
		{ "another owner", 02750, 0640, 03730, true, "it belongs to another user than its folder" },
	};
	(void)state;
	set_up_team();
	end_recorder(start_recorder());
	assert_int_equal(doctor(), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(chown(t.store, rows[i].is_moved ? 0 : t.uid, t.gid), 0);
		assert_true(chmod(t.folder, rows[i].folder) == 0 && chmod(t.store, rows[i].store) == 0 && chmod(t.requests, rows[i].requests) == 0);
		assert_row(rows[i].label, doctor() == 1);
		says(rows[i].says);
	}
	assert_int_equal(setup_with(account, NULL), 0);
	assert_int_equal(doctor(), 0);
	assert_int_equal(rmdir(t.requests), 0);
	assert_int_equal(doctor(), 1);
	says("nothing can be asked for until a recorder was started");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = { TEST(test_setup), TEST(test_setup_mistakes), TEST(test_members_read), TEST(test_members_ask), TEST(test_doctor) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
