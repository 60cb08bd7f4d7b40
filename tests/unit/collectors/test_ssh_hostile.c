/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers that are none, or mean harm: whatever they say before anybody is logged in is bounded in time and bytes, told in words, and costs
 * the others nothing. Directly, and again from behind a real jump host. */
#include "tests/unit/unit.h"

#include <signal.h>

#include "base/clock.h"
#include "tests/unit/collectors/ssh_bench.h"
#include "tests/unit/collectors/ssh_liar.h"

enum { TAKEN_MOST = 24 * 1024 * 1024, SOON_MS = 30 * 1000 };

#define BANNER { LIAR_TEXT, "SSH-2.0-liar\r\n", 0, 0 }
#define END    { LIAR_END, NULL, 0, 0 }
#define WAIT   { LIAR_WAIT, NULL, 0, 0 }
#define KEXINIT { LIAR_KEXINIT, NULL, 0, 0 }
#define TEXT(text) { LIAR_TEXT, text, sizeof(text) - 1, 0 }
#define PACKET(type, text) { LIAR_PACKET, text, sizeof(text) - 1, type }
#define FLOOD(text) { LIAR_FLOOD, text, sizeof(text) - 1, 0 }
#define DRIP(text) { LIAR_DRIP, text, sizeof(text) - 1, 0 }
#define RANDOM { LIAR_RANDOM, NULL, 100 * 1000, 0 }

/* A whole packet of one byte of payload, its type. */
#define TINY(type) "\0\0\0\x0c\x0a" type "\0\0\0\0\0\0\0\0\0\0"

static const struct row {
	const char      *label;
	struct liar_step steps[6];
	enum reach       want;
	const char      *says;
} rows[] = {
	{ "closes at once", { END }, REACH_CLOSED, "closed the connection" },
	{ "closes after its banner", { BANNER, END }, REACH_CLOSED, "closed the connection" },
	{ "closes within its banner", { TEXT("SSH-2."), END }, REACH_CLOSED, "closed the connection" },
	{ "closes after its offer", { BANNER, KEXINIT, END }, REACH_CLOSED, "closed the connection" },
	{ "says nothing", { WAIT }, REACH_HUNG, "does not log in in time" },
	{ "says nothing after its banner", { BANNER, WAIT }, REACH_HUNG, "does not log in in time" },
	{ "says nothing after its offer", { BANNER, KEXINIT, WAIT }, REACH_HUNG, "does not log in in time" },
	{ "lines without end", { FLOOD("Welcome to this machine.\r\n") }, REACH_TOO_LARGE, "before anybody is logged in" },
	{ "a line without end", { FLOOD("la") }, REACH_TOO_LARGE, "before anybody is logged in" },
	{ "a banner, byte by byte", { DRIP("SSH-2.0-") }, REACH_HUNG, "does not log in in time" },
	{ "lines, byte by byte", { DRIP("hello\r\n") }, REACH_HUNG, "does not log in in time" },
	{ "packets, byte by byte", { BANNER, DRIP(TINY("\x02")) }, REACH_HUNG, "does not log in in time" },
	{ "a web server", { TEXT("HTTP/1.1 400 Bad Request\r\n\r\n"), END }, REACH_PROTOCOL, "banner" },
	{ "a NUL in its banner", { TEXT("SSH-2.0-a\0b\r\n"), WAIT }, REACH_PROTOCOL, "banner" },
	{ "a TLS server", { TEXT("\x15\x03\x01\x00\x02\x02\x46"), END }, REACH_PROTOCOL, "banner" },
	{ "random bytes", { RANDOM, WAIT }, REACH_PROTOCOL, "" },
	{ "random bytes after its banner", { BANNER, RANDOM, WAIT }, REACH_PROTOCOL, "" },
	{ "random bytes after its offer", { BANNER, KEXINIT, RANDOM, WAIT }, REACH_PROTOCOL, "" },
	{ "a packet of 2 GiB", { BANNER, TEXT("\x7f\xff\xff\xff\x05\x14"), WAIT }, REACH_PROTOCOL, "" },
	{ "a packet of -1 bytes", { BANNER, TEXT("\xff\xff\xff\xff\x05\x14"), WAIT }, REACH_PROTOCOL, "" },
	{ "a packet of 0 bytes", { BANNER, TEXT("\0\0\0\0\0\0\0\0"), WAIT }, REACH_PROTOCOL, "" },
	{ "more padding than packet", { BANNER, TEXT("\0\0\0\x0c\xff\x14\0\0\0\0\0\0\0\0\0\0"), WAIT }, REACH_PROTOCOL, "" },
	{ "an offer without a body", { BANNER, PACKET(20, ""), WAIT }, REACH_PROTOCOL, "" },
	{ "an offer of nothing", { BANNER, PACKET(20, "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	                           WAIT }, REACH_PROTOCOL, "" },
	{ "an offer that is longer than it is", { BANNER, PACKET(20, "0123456789abcdef\xff\xff\xff\xf0" "abc"), WAIT }, REACH_PROTOCOL, "" },
	{ "a short answer to our key", { BANNER, KEXINIT, PACKET(31, "abc"), WAIT }, REACH_PROTOCOL, "" },
	{ "an answer longer than it is", { BANNER, KEXINIT, PACKET(31, "\xff\xff\xff\xff" "abcdefgh"), WAIT }, REACH_PROTOCOL, "" },
	{ "an answer of empty parts", { BANNER, KEXINIT, PACKET(31, "\0\0\0\0\0\0\0\0\0\0\0\0"), WAIT }, REACH_PROTOCOL, "" },
	{ "new keys before their time", { BANNER, KEXINIT, PACKET(21, ""), WAIT }, REACH_HUNG, "" },
	{ "logged in before their time", { BANNER, PACKET(52, ""), KEXINIT, PACKET(52, ""), WAIT }, REACH_HUNG, "" },
	{ "packets to be ignored, without end", { BANNER, FLOOD(TINY("\x02")) }, REACH_TOO_LARGE, "before anybody is logged in" },
	{ "packets of no known type, without end", { BANNER, FLOOD(TINY("\xc8")) }, REACH_TOO_LARGE, "before anybody is logged in" },
	{ "a farewell", { BANNER, PACKET(1, "\0\0\0\x02\0\0\0\x0dgo\x1b[31maway\r\n\0\0\0\0"), WAIT }, REACH_CLOSED, "ended the connection: go" },
	{ "a farewell longer than it is", { BANNER, PACKET(1, "\0\0\0\x0b\xff\xff\xff\xff" "a"), WAIT }, REACH_CLOSED, "ended the connection: reason 11" },
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static struct sshd *server;

struct played {
	struct liar      *liar;
	struct transport *t;
	struct run        run;
};

static void check(const struct row *row, const struct played *p)
{
	run_expect(&p->run, row->label, row->want, row->says);
	for (const char *c = p->run.text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			fail_msg("%s: a control byte in '%s'", row->label, p->run.text);
	if (liar_sent(p->liar) > TAKEN_MOST)
		fail_msg("%s: %llu bytes were taken", row->label, (unsigned long long)liar_sent(p->liar));
	assert_int_equal(p->run.n, 0);
}

/* All at once: one costs the others nothing. The ports of the servers are known only when they listen, so that the configuration comes after. */
static void play_all(const char *jump)
{
	static struct played played[N_ROWS];
	struct bench b;
	struct run r;
	char *more = malloc(BENCH_TEXT);
	int n = snprintf(more, BENCH_TEXT, "Host jump real\n ProxyJump none\n ConnectTimeout 30\n");
	bench_init(&b, server, NULL, "");
	for (size_t i = 0; i < N_ROWS; i++) {
		played[i].liar = liar_new(b.loop, rows[i].steps);
		n += snprintf(more + n, BENCH_TEXT - (size_t)n, "Host h%zu\n Port %d\n", i, liar_port(played[i].liar));
	}
	n += snprintf(more + n, BENCH_TEXT - (size_t)n,
	              "Host *\n HostName 127.0.0.1\n User %s\n IdentityFile %s\n UserKnownHostsFile %s\n GlobalKnownHostsFile none\n IdentityAgent none\n"
	              " Port %d\n ConnectTimeout 2\n ProxyJump %s\n",
	              sshd_user(server), sshd_user_key(server), b.known, sshd_port(server), jump);
	assert_in_range(n, 1, BENCH_TEXT - 1);
	bench_write(b.config, more);
	free(more);
	struct transport *real = bench_node(&b, "real", SSH_MODE_LIBSSH2);
	bench_run(&b, real, "echo in", &r); /* so that its host is there already */
	run_expect(&r, "the real one", REACH_OK, "");
	int64_t begun = clock_mono_ms(clock_system());
	for (size_t i = 0; i < N_ROWS; i++) {
		char name[16];
		snprintf(name, sizeof name, "h%zu", i);
		played[i].t = bench_node(&b, name, SSH_MODE_LIBSSH2);
		bench_begin(played[i].t, "echo in", &played[i].run);
	}
	for (size_t i = 0; i < N_ROWS; i++) {
		bench_await_end(&b, &played[i].run, rows[i].label);
		check(&rows[i], &played[i]);
	}
	assert_in_range(clock_mono_ms(clock_system()) - begun, 0, SOON_MS);
	bench_run(&b, real, "echo still", &r);
	assert_string_equal(r.output, "still\n");
	assert_int_equal(ssh_stats(b.ssh).sessions, 1);
	for (size_t i = 0; i < N_ROWS; i++)
		bench_drop(&b, played[i].t);
	bench_drop(&b, real);
	for (size_t i = 0; i < N_ROWS; i++)
		liar_free(played[i].liar);
	bench_release(&b);
}

static void withstands_them(void **state)
{
	(void)state;
	play_all("none");
}

static void withstands_them_behind_a_jump_host(void **state)
{
	(void)state;
	play_all("jump");
}

static int set_up(void **state)
{
	struct why why = { "" };
	(void)state;
	return sshd_start(&(const struct sshd_options){ .host_keys = NULL }, &server, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(withstands_them), cmocka_unit_test(withstands_them_behind_a_jump_host) };
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
