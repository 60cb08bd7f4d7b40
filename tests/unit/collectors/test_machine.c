/* SPDX-License-Identifier: Apache-2.0
 *
 * Machines asked over a shell: this one, and others through a real sshd. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/machine.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/sshd.h"

enum { MACHINES = 12 };

struct bench {
	struct loop              *loop;
	struct machine_collector *c;
	char                      folder[64], config[128];
	bool                      is_closed;
};

/* What became of the gathers of one machine. */
struct seen {
	int         n_good, n_bad;
	enum reach  result;
	char        text[512];
	double      load;     /* node_load1; -1: not there */
	bool        has_info; /* pitwall_machine_info came first */
	bool        has_same_layout;
	const struct exposition_layout *layout;
};

static void on_scrape(void *ctx, const struct machine_scrape *s)
{
	struct seen *seen = ctx;
	seen->result = s->result;
	snprintf(seen->text, sizeof seen->text, "%s", s->text);
	if (s->scrape == NULL) {
		seen->n_bad++;
		return;
	}
	struct labels *const *series = exposition_layout_series(s->scrape->layout);
	seen->n_good++;
	seen->load = -1;
	seen->has_info = s->scrape->n > 0 && strcmp(labels_metric(series[0]), "pitwall_machine_info") == 0;
	seen->has_same_layout = seen->layout == s->scrape->layout;
	seen->layout = s->scrape->layout;
	for (size_t i = 0; i < s->scrape->n; i++)
		if (strcmp(labels_metric(series[i]), "node_load1") == 0)
			seen->load = s->scrape->values[i];
}

static bool has_three(const void *what) { return ((const struct seen *)what)->n_good >= 3; }
static bool has_one(const void *what) { return ((const struct seen *)what)->n_good >= 1; }
static bool has_ended(const void *what) { return ((const struct seen *)what)->n_good + ((const struct seen *)what)->n_bad >= 1; }
static bool has_failed(const void *what) { return ((const struct seen *)what)->n_bad >= 1; }
static bool bench_is_closed(const void *what) { return ((const struct bench *)what)->is_closed; }
static void on_closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* `sources` NULL: all. */
static void bench_init_with(struct bench *b, struct sshd *s, const struct source *const *sources_wanted, size_t n_sources_wanted)
{
	struct why why = { "" };
	char text[4096], known[512];
	memset(b, 0, sizeof *b);
	snprintf(b->folder, sizeof b->folder, "/tmp/pitwall-machine-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->config, sizeof b->config, "%s/config", b->folder);
	if (s != NULL) {
		snprintf(known, sizeof known, "%s/known", b->folder);
		snprintf(text, sizeof text, "[127.0.0.1]:%d,m* %s\n", sshd_port(s), sshd_host_key(s, "ed25519"));
		write_text(known, text);
		int n = 0;
		for (int i = 0; i < MACHINES; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "Host m%d\n HostKeyAlias m%d\n ProxyJump jump\n", i, i);
		snprintf(text + n, sizeof text - (size_t)n,
		         "Host *\n HostName 127.0.0.1\n Port %d\n User %s\n IdentityFile %s\n UserKnownHostsFile %s\n IdentityAgent none\n", sshd_port(s),
		         sshd_user(s), sshd_user_key(s), known);
		write_text(b->config, text);
	}
	assert_int_equal(loop_new(&b->loop, &why), ERR_OK);
	const struct machine_collector_options o = { .loop = b->loop, .clock = clock_system(), .ssh_config = s != NULL ? b->config : NULL,
		                                       .sources = sources_wanted, .n_sources = n_sources_wanted };
	assert_int_equal(machine_collector_new(&o, &b->c, &why), ERR_OK);
}

static void bench_init(struct bench *b, struct sshd *s)
{
	bench_init_with(b, s, NULL, 0);
}

static void bench_release(struct bench *b)
{
	char path[160];
	machine_collector_close(b->c, on_closed, b);
	loop_turn_until(b->loop, bench_is_closed, b, "closing");
	loop_free(b->loop);
	unlink(b->config);
	snprintf(path, sizeof path, "%s/known", b->folder);
	unlink(path);
	rmdir(b->folder);
}

static struct machine *watch(struct bench *b, const char *destination, int64_t timeout_ms, struct seen *seen)
{
	struct machine *m = NULL;
	struct why why = { "" };
	const struct machine_options o = { .name = destination != NULL ? destination : "local:", .destination = destination,
		                               .mode = SSH_MODE_LIBSSH2, .interval_ms = 300, .timeout_ms = timeout_ms, .connect_timeout_ms = 30000,
		                               .done = on_scrape, .ctx = seen };
	memset(seen, 0, sizeof *seen);
	assert_int_equal(machine_add(b->c, &o, true, &m, &why), ERR_OK);
	return m;
}

static void asks_this_machine(void **state)
{
	struct bench b;
	struct seen seen;
	(void)state;
	bench_init(&b, NULL);
	watch(&b, NULL, 20000, &seen);
	loop_turn_until(b.loop, has_three, &seen, "three gathers of this machine");
	assert_true(seen.has_info);
	assert_true(seen.load >= 0);
	assert_int_equal(seen.n_bad, 0);
	assert_int_equal(machine_stats(b.c).shells, 1);
	bench_release(&b);
}

/* One session a machine and one more for the jump host, one shell each, however many gathers. */
static void asks_machines_behind_a_jump_host(void **state)
{
	struct sshd *s = NULL;
	struct why why = { "" };
	struct bench b;
	static struct seen seen[MACHINES];
	(void)state;
	if (!sshd_is_there())
		skip();
	assert_int_equal(sshd_start(&(const struct sshd_options){ .host_keys = NULL }, &s, &why), ERR_OK);
	bench_init(&b, s);
	for (int i = 0; i < MACHINES; i++) {
		char name[16];
		snprintf(name, sizeof name, "m%d", i);
		watch(&b, name, 20000, &seen[i]);
	}
	for (int i = 0; i < MACHINES; i++)
		loop_turn_until(b.loop, has_three, &seen[i], "three gathers of a machine");
	for (int i = 0; i < MACHINES; i++) {
		if (seen[i].n_bad > 0 || !seen[i].has_info || seen[i].load < 0)
			fail_msg("machine %d: %d bad, %s", i, seen[i].n_bad, seen[i].text);
	}
	assert_int_equal(machine_ssh_stats(b.c).sessions, MACHINES + 1);
	assert_int_equal(machine_stats(b.c).shells, MACHINES);
	sshd_cut(s); /* all of it comes back by itself */
	for (int i = 0; i < MACHINES; i++)
		seen[i].n_good = 0;
	for (int i = 0; i < MACHINES; i++)
		loop_turn_until(b.loop, has_three, &seen[i], "three gathers after the connections were cut");
	bench_release(&b);
	sshd_stop(s);
}

static void tells_of_machines_that_do_not_do_as_asked(void **state)
{
	static const struct {
		const char *label, *authorized;
		int64_t     timeout_ms; /* short only where it is what ends the row */
		enum reach  want;
		const char *says;
	} rows[] = {
		{ "no shell", "command=\"echo This account is for backups.\"", 30000, REACH_EXEC, "This account is for backups." },
		{ "a shell that hangs", "command=\"sleep 120\"", 1500, REACH_HUNG, "no answer within" },
		{ "an endless output", "command=\"yes\"", 30000, REACH_TOO_LARGE, "" },
	};
	(void)state;
	if (!sshd_is_there())
		skip();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct sshd_options o = { .authorized = rows[i].authorized };
		struct sshd *s = NULL;
		struct why why = { "" };
		struct bench b;
		struct seen seen;
		struct machine *m = NULL;
		assert_int_equal(sshd_start(&o, &s, &why), ERR_OK);
		bench_init(&b, s);
		const struct machine_options mo = { .name = "x", .destination = "x", .mode = SSH_MODE_LIBSSH2, .interval_ms = 60000,
		                                    .timeout_ms = rows[i].timeout_ms,
			                                .connect_timeout_ms = rows[i].timeout_ms, .done = on_scrape, .ctx = &seen };
		memset(&seen, 0, sizeof seen);
		assert_int_equal(machine_add(b.c, &mo, true, &m, &why), ERR_OK);
		loop_turn_until(b.loop, has_failed, &seen, rows[i].label);
		if (seen.result != rows[i].want || strstr(seen.text, rows[i].says) == NULL)
			fail_msg("%s: %s: %s", rows[i].label, reach_name(seen.result), seen.text);
		machine_remove(m);
		bench_release(&b);
		sshd_stop(s);
	}
}

/* ---- what hangs ---- */

static enum err parse_number(const struct section *in, const struct source_settings *settings, void *memory, struct findings *out,
                             struct why *why)
{
	(void)settings, (void)memory;
	if (in->status != 0 || in->n == 0)
		return why_set(why, ERR_FORMAT, "it says nothing");
	findings_put(out, "node_load1", strtod(in->text, NULL), (const char *[]){ NULL });
	return ERR_OK;
}

static enum err parse_nothing(const struct section *in, const struct source_settings *settings, void *memory, struct findings *out,
                              struct why *why)
{
	(void)in, (void)settings, (void)memory, (void)out, (void)why;
	return ERR_OK;
}

/* What a section is given stands in its shell's limit_s. */
static void gives_a_section_what_the_timeout_allows(void **state)
{
	static const struct { const char *label; int64_t timeout_ms; double limit_s; } rows[] = {
		{ "the usual timeout", 5000, 5 }, { "a part of a second is not counted", 3900, 3 },
		{ "never less than 2 s", 1000, 2 }, { "never more than 5 s", 60000, 5 },
	};
	static const struct source limit = { .name = "limit", .summary = "what a section may take", .script = "echo $limit_s\n",
	                                     .parse = parse_number };
	static const struct source *const only[] = { &limit };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench b;
		struct seen seen;
		bench_init_with(&b, NULL, only, 1);
		watch(&b, NULL, rows[i].timeout_ms, &seen);
		loop_turn_until(b.loop, has_one, &seen, rows[i].label);
		if (seen.load < rows[i].limit_s || seen.load > rows[i].limit_s)
			fail_msg("%s: %g s", rows[i].label, seen.load);
		bench_release(&b);
	}
}

/* A tool that heeds no SIGTERM: what comes after it answers all the same, and the machine counts as one that does. */
static void a_tool_that_hangs_costs_only_its_own(void **state)
{
	static const struct source hangs = { .name = "hangs", .summary = "never ends", .script = "trap '' TERM; sleep 30\n",
	                                     .parse = parse_nothing };
	static const struct source after = { .name = "after", .summary = "answers", .script = "echo 7\n", .parse = parse_number };
	static const struct source *const both[] = { &hangs, &after };
	struct bench b;
	struct seen seen;
	(void)state;
	bench_init_with(&b, NULL, both, 2);
	watch(&b, NULL, 2000, &seen);
	loop_turn_until(b.loop, has_ended, &seen, "a gather in which a tool hangs");
	if (seen.n_good == 0)
		fail_msg("%s: %s", reach_name(seen.result), seen.text);
	assert_true(seen.load > 6 && seen.load < 8);
	bench_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_this_machine),
		cmocka_unit_test(asks_machines_behind_a_jump_host),
		cmocka_unit_test(tells_of_machines_that_do_not_do_as_asked),
		cmocka_unit_test(gives_a_section_what_the_timeout_allows),
		cmocka_unit_test(a_tool_that_hangs_costs_only_its_own),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
