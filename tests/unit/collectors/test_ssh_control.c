/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collectors/ssh_control.h"
#include "tests/unit/collectors/sshd.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/pitwall-control-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void where_sockets_lie(void **state)
{
	static const char too_long[] = "/run/user/1000/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char own[64];
	snprintf(own, sizeof own, "/tmp/pitwall-%lu", (unsigned long)geteuid());
	const struct {
		const char *label, *runtime, *want;
	} rows[] = {
		{ "of the session", "/run/user/1000", "/run/user/1000/pitwall" },
		{ "not set", NULL, own },
		{ "empty", "", own },
		{ "relative", "run", own },
		{ "a blank in it", "/run/my user", own },
		{ "what ssh would expand", "/run/%h", own },
		{ "what a shell would", "/run/$(id)", own },
		{ "too long for a socket", too_long, own },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf dir;
		struct why why;
		char path[CONTROL_PATH];
		buf_init(&dir, 4096);
		if (rows[i].runtime != NULL)
			setenv("XDG_RUNTIME_DIR", rows[i].runtime, 1);
		else
			unsetenv("XDG_RUNTIME_DIR");
		assert_int_equal(ssh_control_dir(&dir, &why), ERR_OK);
		assert_string_equal(buf_text(&dir), rows[i].want);
		assert_row(rows[i].label, ssh_control_path(buf_text(&dir), "gpu-a-1", NULL, 0, path));
		assert_row(rows[i].label, strlen(path) == dir.len + 1 + CONTROL_NAME);
		buf_release(&dir);
	}
}

static void a_folder_is_ours_alone_or_none(void **state)
{
	char made[128], open_to_all[128], linked[128], file[128];
	struct stat st;
	struct why why;
	(void)state;
	snprintf(made, sizeof made, "%s/made", folder);
	assert_int_equal(ssh_control_make(made, &why), ERR_OK);
	assert_int_equal(ssh_control_make(made, &why), ERR_OK);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(open_to_all, sizeof open_to_all, "%s/open", folder);
	assert_int_equal(mkdir(open_to_all, 0700), 0);
	assert_int_equal(chmod(open_to_all, 0755), 0);
	assert_int_equal(ssh_control_make(open_to_all, &why), ERR_DENIED);
	snprintf(linked, sizeof linked, "%s/linked", folder);
	assert_int_equal(symlink(made, linked), 0);
	assert_int_equal(ssh_control_make(linked, &why), ERR_DENIED);
	snprintf(file, sizeof file, "%s/file", folder);
	fclose(fopen(file, "w"));
	assert_int_equal(ssh_control_make(file, &why), ERR_DENIED);
	snprintf(file, sizeof file, "%s/no/such", folder);
	assert_int_equal(ssh_control_make(file, &why), ERR_NOT_FOUND);
}

static void names_tell_machines_apart(void **state)
{
	static const struct {
		const char *destination, *user;
		int         port;
	} rows[] = { { "gpu-a-1", "", 0 }, { "gpu-a-2", "", 0 }, { "gpu-a-1", "ops", 0 }, { "gpu-a-1", "", 22 }, { "gpu-a-1|ops|22", "", 0 } };
	enum { N = sizeof rows / sizeof rows[0] };
	char paths[N + 1][CONTROL_PATH], again[CONTROL_PATH];
	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_true(ssh_control_path("/run/x", rows[i].destination, rows[i].user, rows[i].port, paths[i]));
	assert_true(ssh_control_jump_path("/run/x", "gpu-a-1||0", paths[N]));
	for (size_t i = 0; i <= N; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(paths[i], paths[k]);
	assert_true(ssh_control_path("/run/x", "gpu-a-1", NULL, 0, again));
	assert_string_equal(again, paths[0]); /* no user is no user */
	assert_false(ssh_control_path("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "gpu-a-1", NULL, 0, again));
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void only_a_socket_of_ours_counts(void **state)
{
	char dir[80], path[CONTROL_PATH], other[CONTROL_PATH];
	struct why why;
	(void)state;
	snprintf(dir, sizeof dir, "%s/s", folder);
	assert_int_equal(ssh_control_make(dir, &why), ERR_OK);
	assert_true(ssh_control_path(dir, "gpu-a-1", NULL, 0, path));
	assert_false(ssh_control_is_there(path));
	int fd = listen_at(path);
	assert_true(ssh_control_is_there(path));
	assert_int_equal(chmod(dir, 0770), 0); /* others could put another one there */
	assert_false(ssh_control_is_there(path));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_true(ssh_control_path(dir, "gpu-a-2", NULL, 0, other));
	assert_int_equal(symlink(path, other), 0);
	assert_false(ssh_control_is_there(other));
	unlink(path);
	close(fd);
	fclose(fopen(path, "w"));
	assert_false(ssh_control_is_there(path));
	ssh_control_exit(path); /* and nothing is run for it */
}

/* What helps depends on what failed, where, and whether there is an agent. */
static void how_a_person_logs_in(void **state)
{
	char config[128], key[128], agent[108], said[1024];
	(void)state;
	if (!sshd_is_there()) {
		print_message("there is no ssh-keygen here\n");
		skip();
	}
	snprintf(config, sizeof config, "%s/config", folder);
	snprintf(key, sizeof key, "%s/locked", folder);
	snprintf(agent, sizeof agent, "%s/agent", folder);
	const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key, NULL };
	assert_int_equal(sshd_run(argv, said, sizeof said), 0);
	FILE *f = fopen(config, "w");
	assert_non_null(f);
	fprintf(f, "Host inner\n ProxyJump jumper@outer:2222\nHost *\n HostName 127.0.0.1\n IdentityFile %s\n IdentityAgent %s\n", key, agent);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(config, 0600), 0);
	const struct {
		const char *label, *destination;
		enum reach  failure;
		bool        is_on_the_way, has_agent;
		bool        is_key, is_jump;
		const char *want, *user;
		int         port;
	} rows[] = {
		{ "refused", "gpu-a-1", REACH_AUTH, false, true, false, false, "gpu-a-1", "", 0 },
		{ "locked", "gpu-a-1", REACH_PASSPHRASE, false, true, true, false, "gpu-a-1", "", 0 },
		{ "locked, without an agent", "gpu-a-1", REACH_PASSPHRASE, false, false, false, false, "gpu-a-1", "", 0 },
		{ "on the way", "inner", REACH_AUTH, true, true, false, true, "outer", "jumper", 2222 },
		{ "locked on the way", "inner", REACH_PASSPHRASE, true, true, true, true, "outer", "jumper", 2222 },
		{ "behind the way", "inner", REACH_AUTH, false, true, false, false, "inner", "", 0 },
		{ "on a way that is none any more", "gpu-a-1", REACH_AUTH, true, true, false, false, "gpu-a-1", "", 0 },
		{ "for no reason", "gpu-a-1", REACH_OK, false, true, false, false, "gpu-a-1", "", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ssh_login_plan plan;
		struct why why = { "" };
		char path[CONTROL_PATH];
		int fd = rows[i].has_agent ? listen_at(agent) : -1;
		enum err e = ssh_login_plan("/run/x", rows[i].destination, NULL, 0, config, rows[i].failure, rows[i].is_on_the_way, &plan, &why);
		if (e != ERR_OK)
			fail_msg("%s: %s", rows[i].label, why.text);
		assert_row(rows[i].label, plan.is_key == rows[i].is_key && plan.is_jump == rows[i].is_jump && plan.port == rows[i].port);
		assert_string_equal(plan.destination, rows[i].want);
		assert_string_equal(plan.user, rows[i].user);
		assert_string_equal(plan.file, rows[i].is_key ? key : "");
		assert_true(ssh_control_path("/run/x", rows[i].destination, NULL, 0, path));
		assert_row(rows[i].label, (strcmp(path, plan.path) == 0) == !rows[i].is_jump);
		if (fd >= 0) {
			close(fd);
			unlink(agent);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_sockets_lie),
		cmocka_unit_test(a_folder_is_ours_alone_or_none),
		cmocka_unit_test(names_tell_machines_apart),
		cmocka_unit_test(only_a_socket_of_ours_counts),
		cmocka_unit_test(how_a_person_logs_in),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
