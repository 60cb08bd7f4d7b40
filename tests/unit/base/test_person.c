/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/person.h"

static const char *fake_name(void *ctx, uint32_t uid, char to[ACCOUNT_NAME])
{
	static const struct { uint32_t uid; const char *name; } users[] = { { 0, "root" }, { 7, "pitwall" }, { 1000, "alice" }, { 1001, "bob" } };
	(void)ctx;
	snprintf(to, ACCOUNT_NAME, "%u", (unsigned)uid);
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
		if (users[i].uid == uid)
			snprintf(to, ACCOUNT_NAME, "%s", users[i].name);
	return to;
}

#define NONE PERSON_NO_UID
#define SSH_A "192.0.2.7 51000 10.0.0.1 22"
#define SSH_B "2001:db8::5 51000 2001:db8::1 22"

static void test_person(void **state)
{
	static const struct {
		const char           *label;
		uint32_t              uid, login_uid;
		const char           *sudo_user, *sudo_uid, *connection;
		struct person_process above[4];
		size_t                n_above;
		const char           *account, *login, *origin;
		enum person_proof     proof;
	} rows[] = {
		{ "a login on the machine", 1000, NONE, NULL, NULL, NULL, { { 1000, NULL }, { 0, NULL } }, 2, "alice", "alice", "", PERSON_BY_ACCOUNT },
		{ "a login over SSH", 1000, NONE, NULL, NULL, SSH_A, { { 1000, SSH_A }, { 1000, NULL }, { 0, NULL } }, 3, "alice", "alice", "192.0.2.7",
		  PERSON_BY_ACCOUNT },
		{ "over IPv6", 1000, NONE, NULL, NULL, SSH_B, { { 0, NULL } }, 0, "alice", "alice", "2001:db8::5", PERSON_BY_ACCOUNT },
		{ "a zone is left out", 1000, NONE, NULL, NULL, "fe80::1%eth0 1 fe80::2%eth0 22", { { 0, NULL } }, 0, "alice", "alice", "fe80::1",
		  PERSON_BY_ACCOUNT },
		{ "the kernel remembers through sudo", 0, 1000, "bob", "1001", NULL, { { 1001, NULL }, { 0, NULL } }, 2, "root", "alice", "",
		  PERSON_BY_LOGIN_UID },
		{ "the processes above tell of sudo", 0, NONE, "bob", "1001", NULL, { { 0, NULL }, { 1000, SSH_A }, { 1000, NULL }, { 0, NULL } }, 4, "root",
		  "alice", "192.0.2.7", PERSON_BY_PROCESS },
		{ "su after sudo: who logged in", 7, NONE, NULL, NULL, NULL, { { 7, NULL }, { 0, NULL }, { 1001, NULL }, { 1000, NULL } }, 4, "pitwall", "alice",
		  "", PERSON_BY_PROCESS },
		{ "sudo in a terminal kept by root", 0, NONE, "alice", "1000", NULL, { { 0, NULL } }, 1, "root", "alice", "", PERSON_BY_SUDO },
		{ "SUDO_USER without the number is no claim", 0, NONE, "alice", NULL, NULL, { { 0, NULL } }, 1, "root", "root", "", PERSON_BY_ACCOUNT },
		{ "SUDO_USER with another's number", 0, NONE, "alice", "1001", NULL, { { 0, NULL } }, 1, "root", "root", "", PERSON_BY_ACCOUNT },
		{ "SUDO_UID that is none", 0, NONE, "alice", "1000x", NULL, { { 0, NULL } }, 1, "root", "root", "", PERSON_BY_ACCOUNT },
		{ "SUDO_UID past the range", 0, NONE, "alice", "4294967296", NULL, { { 0, NULL } }, 1, "root", "root", "", PERSON_BY_ACCOUNT },
		{ "a service", 7, NONE, NULL, NULL, NULL, { { 0, NULL } }, 1, "pitwall", "pitwall", "", PERSON_BY_ACCOUNT },
		{ "an account without a name", 4711, NONE, NULL, NULL, NULL, { { 0, NULL } }, 0, "4711", "4711", "", PERSON_BY_ACCOUNT },
		{ "the nearest origin counts", 0, NONE, NULL, NULL, NULL, { { 0, "192.0.2.8 1 2 3" }, { 1000, SSH_A } }, 2, "root", "alice", "192.0.2.8",
		  PERSON_BY_PROCESS },
		{ "an origin that is no address", 1000, NONE, NULL, NULL, "\033]0;x\007 1 2 3", { { 1000, SSH_A } }, 1, "alice", "alice", "192.0.2.7",
		  PERSON_BY_ACCOUNT },
		{ "a name is no address", 1000, NONE, NULL, NULL, "host.example 1 2 3", { { 0, NULL } }, 0, "alice", "alice", "", PERSON_BY_ACCOUNT },
		{ "an empty one", 1000, NONE, NULL, NULL, "", { { 0, NULL } }, 0, "alice", "alice", "", PERSON_BY_ACCOUNT },
		{ "a long one", 1000, NONE, NULL, NULL, "11111111111111111111111111111111111111111111111111111111111111111111", { { 0, NULL } }, 0, "alice",
		  "alice", "", PERSON_BY_ACCOUNT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct person_facts f = { .uid = rows[i].uid, .login_uid = rows[i].login_uid, .sudo_user = rows[i].sudo_user,
			                        .sudo_uid = rows[i].sudo_uid, .ssh_connection = rows[i].connection, .above = rows[i].above,
			                        .n_above = rows[i].n_above, .name_of = fake_name };
		struct person p;
		person_of(&f, &p);
		assert_row(rows[i].label, strcmp(p.account, rows[i].account) == 0);
		assert_row(rows[i].label, strcmp(p.login, rows[i].login) == 0);
		assert_row(rows[i].label, strcmp(p.origin, rows[i].origin) == 0);
		assert_row(rows[i].label, p.proof == rows[i].proof);
	}
}

static void test_variable(void **state)
{
	static const char environment[] = "PATH=/bin\0XSSH_CONNECTION=no\0SSH_CONNECTION=1.2.3.4 5\0EMPTY=\0CUT=of";
	static const struct { const char *name, *want; } rows[] = {
		{ "SSH_CONNECTION", "1.2.3.4 5" }, { "PATH", "/bin" }, { "EMPTY", "" }, { "SSH", NULL }, { "CUT", NULL }, { "NOT_THERE", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = person_variable(environment, sizeof environment - 1, rows[i].name);
		assert_row(rows[i].name, rows[i].want == NULL ? got == NULL : got != NULL && strcmp(got, rows[i].want) == 0);
	}
	assert_null(person_variable("", 0, "A"));
}

static void test_names(void **state)
{
	static const struct { const char *text; bool is_name; } rows[] = {
		{ "alice", true }, { "CORP\\alice", true }, { "alice@corp.example", true }, { "user$", true }, { "j\xc3\xbcrgen", true }, { "", false },
		{ "-rf", false }, { "@group", false }, { "a b", false }, { "a\nb", false }, { "a\033[b", false }, { "a:b", false }, { "a,b", false },
		{ "a/b", false }, { "\xff", false },
		{ "1234567890123456789012345678901234567890123456789012345678901234", true },
		{ "12345678901234567890123456789012345678901234567890123456789012345", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].text, account_is_name(rows[i].text) == rows[i].is_name);
}

/* What the system says of the account that runs the test is what a shell would say. */
static void test_this_account(void **state)
{
	struct account a;
	struct why why;
	const struct passwd *me = getpwuid(geteuid());
	(void)state;
	assert_ok(account_find(geteuid(), &a, &why));
	if (me == NULL)
		fail_msg("this account has no name");
	else
		assert_string_equal(a.name, me->pw_name);
	const struct group *first = me != NULL ? getgrgid(me->pw_gid) : NULL;
	bool is_in = first == NULL;
	for (size_t i = 0; i < a.n_groups && first != NULL; i++)
		is_in = is_in || strcmp(a.groups[i], first->gr_name) == 0;
	assert_true(is_in);
	account_release(&a);
	assert_ok(account_find(4000000007u, &a, &why));
	assert_string_equal(a.name, "4000000007");
	assert_int_equal(a.n_groups, 0);
	account_release(&a);
}

/* A process below one that has SSH_CONNECTION and lacks it itself finds it there: as after sudo. */
static void test_here(void **state)
{
	int status;
	(void)state;
	setenv("SSH_CONNECTION", "192.0.2.99 1 192.0.2.1 22", 1);
	char self[] = "/proc/self/exe";
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* a new program, so that the variable is in the environment it began with */
		execl(self, self, "--above", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	unsetenv("SSH_CONNECTION");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int below(void)
{
	struct person p;
	char name[ACCOUNT_NAME];
	unsetenv("SSH_CONNECTION");
	person_here(&p);
	return strcmp(p.origin, "192.0.2.99") != 0 ? 1 : strcmp(p.account, account_name(geteuid(), name)) != 0 ? 2 : p.login[0] == '\0' ? 3 : 0;
}

/* Began with the variable; the one below it does not have it. */
static int above(void)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(below());
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 10;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_person),       cmocka_unit_test(test_variable), cmocka_unit_test(test_names),
		cmocka_unit_test(test_this_account), cmocka_unit_test(test_here),
	};
	return argc == 2 && strcmp(argv[1], "--above") == 0 ? above() : cmocka_run_group_tests(tests, NULL, NULL);
}
