/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/ssh_bench.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "tests/unit/collectors/loop_turn.h"

enum { LOG_MAX = 4 * 1024 * 1024 };

/* ---- commands ---- */

static void on_output(void *ctx, const char *bytes, size_t n)
{
	struct run *r = ctx;
	size_t room = sizeof r->output - 1 - r->n;
	r->n_all += n;
	n = n < room ? n : room;
	memcpy(r->output + r->n, bytes, n);
	r->n += n;
	r->output[r->n] = '\0';
}

static void on_ended(void *ctx, enum reach result, const char *text)
{
	struct run *r = ctx;
	assert_false(r->has_ended);
	r->has_ended = true;
	r->result = result;
	snprintf(r->text, sizeof r->text, "%s", text);
}

static const struct command_events events = { on_output, on_ended };

static bool run_has_ended(const void *what) { return ((const struct run *)what)->has_ended; }
static bool has_output(const void *what) { return ((const struct run *)what)->n > 0; }
static bool bench_is_closed(const void *what) { return ((const struct bench *)what)->is_closed; }

struct command *bench_begin(struct transport *t, const char *line, struct run *r)
{
	struct command *c = NULL;
	struct why why = { "" };
	memset(r, 0, sizeof *r);
	assert_int_equal(transport_run(t, line, &events, r, &c, &why), ERR_OK);
	assert_false(r->has_ended);
	return c;
}

void bench_await_end(struct bench *b, const struct run *r, const char *label) { loop_turn_until(b->loop, run_has_ended, r, label); }
void bench_await_output(struct bench *b, const struct run *r, const char *label) { loop_turn_until(b->loop, has_output, r, label); }

void bench_run(struct bench *b, struct transport *t, const char *line, struct run *r)
{
	bench_begin(t, line, r);
	bench_await_end(b, r, line);
}

void bench_run_until_ok(struct bench *b, struct transport *t, const char *line, struct run *r)
{
	int64_t until = clock_mono_ms(clock_system()) + BENCH_DEADLINE_MS;
	do
		bench_run(b, t, line, r);
	while (r->result != REACH_OK && clock_mono_ms(clock_system()) < until);
	run_expect(r, line, REACH_OK, "");
}

void run_expect(const struct run *r, const char *label, enum reach want, const char *says)
{
	if (!r->has_ended || r->result != want || strstr(r->text, says) == NULL)
		fail_msg("%s: %s: '%s' instead of %s: '%s'", label, r->has_ended ? reach_name(r->result) : "goes on", r->text, reach_name(want), says);
}

/* ---- files ---- */

void bench_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

int bench_count_log(const struct sshd *s, const char *text)
{
	char *log = malloc(LOG_MAX);
	int n = 0;
	assert_non_null(log);
	sshd_log(s, log, LOG_MAX);
	for (const char *at = log; (at = strstr(at, text)) != NULL; at += strlen(text))
		n++;
	free(log);
	return n;
}

/* ---- the bench ---- */

static void on_progress(void *ctx, const struct ssh_progress *p)
{
	static const char *const names[] = { "config", "name", "connect", "handshake", "key", "login", "openssh" };
	struct bench *b = ctx;
	size_t n = strlen(b->steps);
	snprintf(b->steps + n, sizeof b->steps - n, "%s:%s ", names[p->step], reach_name(p->result));
}

static void write_files(struct bench *b, const struct bench_options *o)
{
	char *text = malloc(BENCH_TEXT);
	struct sshd *s = o->server;
	const char *ed25519 = sshd_host_key(s, "ed25519");
	assert_non_null(text);
	snprintf(b->config, sizeof b->config, "%s/config", sshd_folder(s));
	snprintf(b->known, sizeof b->known, "%s/known", sshd_folder(s));
	snprintf(text, BENCH_TEXT, "[127.0.0.1]:%d,m* %s\n", sshd_port(s), ed25519 != NULL ? ed25519 : "");
	bench_write(b->known, o->known != NULL ? o->known : text);
	int n = snprintf(text, BENCH_TEXT,
	                 "%sHost *\n HostName 127.0.0.1\n Port %d\n User %s\n UserKnownHostsFile %s\n GlobalKnownHostsFile none\n"
	                 " StrictHostKeyChecking yes\n",
	                 o->more != NULL ? o->more : "", sshd_port(s), sshd_user(s), b->known);
	assert_in_range(n, 1, BENCH_TEXT - 1024);
	if (!o->has_no_key)
		snprintf(text + n, BENCH_TEXT - (size_t)n, " IdentityFile %s\n IdentitiesOnly yes\n IdentityAgent none\n", sshd_user_key(s));
	bench_write(b->config, text);
	free(text);
}

void bench_init_with(struct bench *b, const struct bench_options *o)
{
	struct why why = { "" };
	memset(b, 0, sizeof *b);
	b->server = o->server;
	write_files(b, o);
	assert_int_equal(loop_new(&b->loop, &why), ERR_OK);
	const struct ssh_options ssh = { .loop = b->loop, .clock = clock_system(), .config_file = b->config, .control_dir = o->control_dir,
		                             .back_off_ms = 20, .progress = on_progress, .ctx = b };
	assert_int_equal(ssh_new(&ssh, &b->ssh, &why), ERR_OK);
}

void bench_init(struct bench *b, struct sshd *s, const char *known, const char *more)
{
	bench_init_with(b, &(const struct bench_options){ .server = s, .known = known, .more = more });
}

static void on_closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

void bench_release(struct bench *b)
{
	ssh_close(b->ssh, on_closed, b);
	loop_turn_until(b->loop, bench_is_closed, b, "closing");
	loop_free(b->loop);
}

struct transport *bench_node(struct bench *b, const char *destination, enum ssh_mode mode)
{
	const struct ssh_machine_options o = { .destination = destination, .mode = mode };
	struct transport *t = NULL;
	struct why why = { "" };
	assert_int_equal(ssh_transport_new(b->ssh, &o, &t, &why), ERR_OK);
	return t;
}

static void on_dropped(void *ctx) { *(bool *)ctx = true; }
static bool is_dropped(const void *what) { return *(const bool *)what; }

void bench_drop(struct bench *b, struct transport *t)
{
	bool has_gone = false;
	transport_close(t, on_dropped, &has_gone);
	loop_turn_until(b->loop, is_dropped, &has_gone, "closing a transport");
}
