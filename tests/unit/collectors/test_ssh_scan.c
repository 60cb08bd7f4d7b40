/* SPDX-License-Identifier: Apache-2.0
 *
 * Which key a real sshd shows: nobody logs in there, and what is written down afterwards makes it known. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "collectors/ssh_scan.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/sshd.h"

static struct sshd *server;

struct scanned {
	bool                   is_done;
	struct ssh_scan_result result;
};

static char config[256], known[256];

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void set_up_files(const char *known_text, const char *more)
{
	char text[2048];
	snprintf(config, sizeof config, "%s/config", sshd_folder(server));
	snprintf(known, sizeof known, "%s/known", sshd_folder(server));
	write_text(known, known_text);
	snprintf(text, sizeof text,
	         "%sHost *\n HostName 127.0.0.1\n Port %d\n User %s\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n"
	         " GlobalKnownHostsFile none\n IdentityAgent none\n HashKnownHosts no\n",
	         more, sshd_port(server), sshd_user(server), sshd_user_key(server), known);
	write_text(config, text);
}

static void on_done(void *ctx, const struct ssh_scan_result *r)
{
	struct scanned *s = ctx;
	assert_false(s->is_done);
	s->is_done = true;
	s->result = *r;
}

static bool is_done(const void *what) { return ((const struct scanned *)what)->is_done; }

static struct ssh_scan *begin(struct loop *loop, const char *destination, struct scanned *to)
{
	const struct ssh_scan_options o = { .loop = loop, .clock = clock_system(), .destination = destination, .config_file = config, .done = on_done,
		                            .ctx = to };
	struct ssh_scan *s = NULL;
	struct why why = { "" };
	memset(to, 0, sizeof *to);
	assert_int_equal(ssh_scan_new(&o, &s, &why), ERR_OK);
	return s;
}

static void scan(const char *destination, struct scanned *to)
{
	struct loop *loop = NULL;
	struct why why = { "" };
	assert_int_equal(loop_new(&loop, &why), ERR_OK);
	begin(loop, destination, to);
	loop_turn_until(loop, is_done, to, destination);
	loop_free(loop);
}

static int count_logins(void)
{
	char log[65536];
	int n = 0;
	sshd_log(server, log, sizeof log);
	for (const char *at = log; (at = strstr(at, "Accepted publickey")) != NULL; at++)
		n++;
	return n;
}

static void tells_what_is_shown(void **state)
{
	static const char other[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9kYtQkF0m5q2o2o3m1R2m8kq6l7mT0xv8b5QyY3d1n";
	char wrong[300], right[300], revoked[300], named[64];
	const int port = sshd_port(server);
	(void)state;
	snprintf(right, sizeof right, "[127.0.0.1]:%d %s\n", port, sshd_host_key(server, "ed25519"));
	snprintf(wrong, sizeof wrong, "[127.0.0.1]:%d %s\n", port, other);
	snprintf(revoked, sizeof revoked, "@revoked * %s\n", sshd_host_key(server, "ed25519"));
	snprintf(named, sizeof named, "[127.0.0.1]:%d", port);
	const struct {
		const char *label, *known, *config;
		enum reach  want;
		const char *name;
	} rows[] = {
		{ "unknown", "", "", REACH_KEY_UNKNOWN, named },
		{ "known under another name", "", "Host *\n HostKeyAlias rack-7\n", REACH_KEY_UNKNOWN, "rack-7" },
		{ "known", right, "", REACH_OK, named },
		{ "changed", wrong, "", REACH_KEY_CHANGED, named },
		{ "revoked", revoked, "", REACH_KEY_REVOKED, named },
		{ "nothing listens", "", "Host *\n Port 1\n", REACH_REFUSED, "" },
		{ "a way of its own", "", "Host *\n ProxyCommand nc %h %p\n", REACH_CONFIG, "" },
	};
	int before = count_logins();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scanned s;
		set_up_files(rows[i].known, rows[i].config);
		scan("gpu-a-1", &s);
		if (s.result.result != rows[i].want)
			fail_msg("%s: %s: %s", rows[i].label, reach_name(s.result.result), s.result.text);
		assert_string_equal(s.result.name, rows[i].name);
		assert_row(rows[i].label, (s.result.n > 0) == (rows[i].name[0] != '\0'));
		if (s.result.n > 0) {
			assert_string_equal(s.result.type, "ssh-ed25519");
			assert_string_equal(s.result.destination, "gpu-a-1");
			assert_string_equal(s.result.file, known);
			assert_row(rows[i].label, strncmp(s.result.fingerprint, "SHA256:", 7) == 0 && !s.result.is_jump);
		}
	}
	assert_int_equal(count_logins(), before);
}

static void what_was_shown_can_be_kept(void **state)
{
	static const bool hashed[] = { false, true };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scanned s;
		struct why why = { "" };
		set_up_files("", hashed[i] ? "Host *\n HashKnownHosts yes\n" : "");
		scan("gpu-a-1", &s);
		assert_int_equal(s.result.result, REACH_KEY_UNKNOWN);
		assert_int_equal(s.result.hash_it, hashed[i]);
		assert_int_equal(ssh_scan_keep(&s.result, &why), ERR_OK);
		scan("gpu-a-1", &s);
		assert_int_equal(s.result.result, REACH_OK);
	}
}

/* The jump host is asked about first; once it is known, it is logged in to, and the one behind it is looked at. */
static void hosts_on_the_way_come_first(void **state)
{
	static const char more[] = "Host inner\n ProxyJump outer\n HostKeyAlias inner\nHost outer\n HostKeyAlias outer\n";
	struct scanned s;
	struct why why = { "" };
	(void)state;
	set_up_files("", more);
	int before = count_logins();
	scan("inner", &s);
	assert_int_equal(s.result.result, REACH_KEY_UNKNOWN);
	assert_true(s.result.is_jump);
	assert_string_equal(s.result.name, "outer");
	assert_int_equal(ssh_scan_keep(&s.result, &why), ERR_OK);
	assert_int_equal(count_logins(), before);
	scan("inner", &s);
	assert_int_equal(s.result.result, REACH_KEY_UNKNOWN);
	assert_false(s.result.is_jump);
	assert_string_equal(s.result.name, "inner");
	assert_int_equal(count_logins(), before + 1);
}

static void may_be_stopped_at_any_time(void **state)
{
	(void)state;
	set_up_files("", "");
	for (int turns = 0; turns < 12; turns++) {
		struct scanned s;
		struct loop *loop = NULL;
		struct why why = { "" };
		assert_int_equal(loop_new(&loop, &why), ERR_OK);
		struct ssh_scan *scan = begin(loop, "gpu-a-1", &s);
		for (int i = 0; i < turns && !s.is_done; i++) {
			loop_stop(loop);
			loop_run(loop);
		}
		if (!s.is_done)
			ssh_scan_stop(scan);
		loop_turn_until(loop, is_done, &s, "the end");
		loop_free(loop);
	}
}

static int set_up(void **state)
{
	const struct sshd_options o = { .user_key = NULL };
	struct why why = { "" };
	(void)state;
	enum err e = sshd_start(&o, &server, &why);
	if (e != ERR_OK)
		print_error("%s\n", why.text);
	return e == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_is_shown),
		cmocka_unit_test(what_was_shown_can_be_kept),
		cmocka_unit_test(hosts_on_the_way_come_first),
		cmocka_unit_test(may_be_stopped_at_any_time),
	};
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
