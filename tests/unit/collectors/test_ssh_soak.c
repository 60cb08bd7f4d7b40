/* SPDX-License-Identifier: Apache-2.0
 *
 * Connecting, failing and being cut, over and over again: what it took is given back. `make check` does it some 200 times, `make soak` 10,000 times
 * (PITWALL_SOAK), best without sanitizers, which keep what is freed. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/ssh_bench.h"

enum { LANES = 6, SHORT = 200, WARM = 60, HEAP_MORE = 512 * 1024, RSS_MORE = 8 * 1024 * 1024, CUT_EVERY = 50 };

static const struct kind {
	const char *name, *lines; /* of ssh_config */
	enum reach  want;
	bool        is_given_up;  /* by us, wherever it is */
} kinds[] = {
	{ "good", "", REACH_OK, false },
	{ "given-up", "", REACH_OK, true },
	{ "refused", " Port 1\n", REACH_REFUSED, false },
	{ "unauthorized", " User nobody-of-this-name\n", REACH_AUTH, false },
	{ "unknown", " UserKnownHostsFile none\n", REACH_KEY_UNKNOWN, false },
	{ "jumping", " ProxyJump jump\n HostKeyAlias m1\n", REACH_OK, false },
	{ "jumping-nowhere", " ProxyJump jump\n Port 1\n", REACH_JUMP, false },
	{ "unresolved", " HostName no-such-host.invalid\n", REACH_DNS, false },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct held {
	size_t descriptors, children, heap, rss;
};

/* One after the other, each lane. */
struct lane {
	struct transport *t;
	struct command   *c;
	struct run        run;
	const struct kind *kind;
	int64_t           until_ms;
	bool              has_gone;
};

static size_t count_files(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static size_t count_children(void)
{
	char path[64], said[4096];
	size_t n = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t len = fread(said, 1, sizeof said, f);
	fclose(f);
	for (size_t i = 0; i < len; i++)
		n += said[i] == ' ';
	return n;
}

static size_t resident(void)
{
	unsigned long total = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &total, &rss), 2);
	fclose(f);
	return rss * (size_t)sysconf(_SC_PAGESIZE);
}

static struct held look(void)
{
	return (struct held){ .descriptors = count_files("/proc/self/fd"), .children = count_children(), .heap = mallinfo2().uordblks, .rss = resident() };
}

/* ---- lanes ---- */

static void begin(struct bench *b, struct lane *l, int lane, uint64_t n)
{
	char name[64];
	l->kind = &kinds[n % KINDS];
	snprintf(name, sizeof name, "%s-%d", l->kind->name, lane);
	l->has_gone = false;
	l->t = bench_node(b, name, SSH_MODE_LIBSSH2);
	l->c = bench_begin(l->t, "echo in; cat", &l->run);
	l->until_ms = clock_mono_ms(clock_system()) + (int64_t)(n * 7919 % 60); /* when it is given up, spread over all that happens */
	if (!l->kind->is_given_up)
		command_write(l->c, "", 0);
}

static void on_gone(void *ctx) { ((struct lane *)ctx)->has_gone = true; }

static void leave(struct lane *l)
{
	if (!l->run.has_ended)
		command_close(l->c);
	transport_close(l->t, on_gone, l);
	l->t = NULL;
}

/* Is this one over? What was to be seen of it is looked at. `has_cut`: the server may have cut it. */
static bool is_over(struct lane *l, bool has_cut)
{
	if (l->t == NULL)
		return l->has_gone;
	bool is_good = l->kind->want == REACH_OK;
	if (!l->run.has_ended && !(is_good && !l->kind->is_given_up && l->run.n > 0) &&
	    !(l->kind->is_given_up && clock_mono_ms(clock_system()) >= l->until_ms))
		return false;
	bool is_cut = has_cut && (l->run.result == REACH_CLOSED || l->run.result == REACH_JUMP);
	if (l->run.has_ended && !is_cut)
		run_expect(&l->run, l->kind->name, l->kind->want, "");
	leave(l);
	return false;
}

static uint64_t go_round(struct bench *b, uint64_t n, uint64_t n_wanted)
{
	static struct lane lanes[LANES];
	int n_busy = 0;
	uint64_t n_cuts = 0;
	int64_t heard_ms = clock_mono_ms(clock_system());
	memset(lanes, 0, sizeof lanes);
	for (int i = 0; i < LANES; i++, n_busy++)
		begin(b, &lanes[i], i, n++);
	while (n_busy > 0) {
		for (int i = 0; i < LANES; i++) {
			if (lanes[i].kind == NULL || !is_over(&lanes[i], true))
				continue;
			heard_ms = clock_mono_ms(clock_system());
			if (n < n_wanted)
				begin(b, &lanes[i], i, n++);
			else
				lanes[i].kind = NULL, n_busy--;
		}
		if (n / CUT_EVERY > n_cuts) {
			n_cuts = n / CUT_EVERY;
			sshd_cut(b->server);
		}
		for (int i = 0; i < LANES && clock_mono_ms(clock_system()) - heard_ms > BENCH_DEADLINE_MS; i++)
			if (lanes[i].kind != NULL)
				fail_msg("%s does not end, after %llu: %s %s", lanes[i].kind->name, (unsigned long long)n,
				         lanes[i].t == NULL ? "was closed" : "was begun", b->steps + (strlen(b->steps) > 120 ? strlen(b->steps) - 120 : 0));
		loop_turn_once(b->loop);
	}
	return n;
}

/* ---- */

/* Each lane has keys of its own, which makes its sessions its own too. */
static size_t put_config(char *to, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < KINDS; i++)
		for (int lane = 0; lane < LANES; lane++)
			n += (size_t)snprintf(to + n, size - n, "Host %s-%d\n IdentityFile /none/%d\n%s", kinds[i].name, lane, lane, kinds[i].lines);
	return n;
}

static void gives_back_what_it_took(void **state)
{
	static const char *const config[] = { "MaxStartups 1000", "MaxSessions 100", NULL };
	struct sshd *s = NULL;
	struct why why = { "" };
	struct bench b;
	char more[BENCH_TEXT / 2];
	int64_t wanted = SHORT;
	const char *asked = getenv("PITWALL_SOAK");
	(void)state;
	if (asked != NULL)
		assert_int_equal(parse_i64(asked, 1, 10000000, &wanted), ERR_OK);
	assert_int_equal(sshd_start(&(const struct sshd_options){ .config = config }, &s, &why), ERR_OK);
	put_config(more, sizeof more);
	bench_init(&b, s, NULL, more);
	go_round(&b, 0, WARM); /* threads, tables and caches of libraries come once */
	struct held before = look();
	int64_t begun_ms = clock_mono_ms(clock_system());
	go_round(&b, 0, (uint64_t)wanted);
	struct ssh_stats stats = ssh_stats(b.ssh);
	struct held after = look();
	double seconds = (double)(clock_mono_ms(clock_system()) - begun_ms) / 1000;
	print_message("%lld in %.1f s: %llu sessions came up, %llu ended or failed; descriptors %zu, then %zu; heap %zu KiB, then %zu KiB; resident %zu KiB, "
	              "then %zu KiB\n", (long long)wanted, seconds, (unsigned long long)stats.connected, (unsigned long long)stats.failed,
	              before.descriptors, after.descriptors, before.heap / 1024, after.heap / 1024, before.rss / 1024, after.rss / 1024);
	assert_int_equal(stats.sessions, 0);
	assert_int_equal(after.children, before.children);
	assert_int_equal(after.descriptors, before.descriptors);
#ifndef __SANITIZE_ADDRESS__
	assert_in_range(after.heap, 0, before.heap + HEAP_MORE);
	assert_in_range(after.rss, 0, before.rss + RSS_MORE);
#endif
	bench_release(&b);
	sshd_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(gives_back_what_it_took) };
	signal(SIGPIPE, SIG_IGN);
	if (!sshd_is_there()) {
		puts("1..0 # SKIP there is no sshd, ssh or ssh-keygen here");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
