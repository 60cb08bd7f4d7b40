/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/hands_bench.h"

#include <sys/stat.h>

#include "tests/unit/collectors/loop_turn.h"

const struct fleet_deploy hands_bench_deploy = { .name = "chat", .model = "chat", .group = "", .driver = "command" };

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void write_config(struct hands_bench *b)
{
	char known[512], text[4096];
	snprintf(b->config, sizeof b->config, "%s/hands_config", sshd_folder(b->server));
	snprintf(known, sizeof known, "%s/hands_known", sshd_folder(b->server));
	snprintf(text, sizeof text, "[127.0.0.1]:%d,m* %s\n", sshd_port(b->server), sshd_host_key(b->server, "ed25519"));
	write_file(known, text);
	snprintf(text, sizeof text,
	         "Host *\n HostName 127.0.0.1\n Port %d\n User %s\n UserKnownHostsFile %s\n GlobalKnownHostsFile none\n StrictHostKeyChecking yes\n"
	         " IdentityFile %s\n IdentitiesOnly yes\n IdentityAgent none\n",
	         sshd_port(b->server), sshd_user(b->server), known, sshd_user_key(b->server));
	write_file(b->config, text);
}

void hands_bench_init(struct hands_bench *b, struct sshd *server)
{
	struct why why = { "" };
	*b = (struct hands_bench){ .server = server };
	if (server != NULL)
		write_config(b);
	assert_ok(loop_new(&b->loop, &why));
	const struct hands_options o = { .loop = b->loop, .clock = clock_system(), .version = "test", .ssh_config = server != NULL ? b->config : NULL };
	assert_ok(hands_new(&o, &b->hands, &why));
}

static void on_closed(void *ctx) { *(bool *)ctx = true; }
static bool is_true(const void *what) { return *(const bool *)what; }

void hands_bench_release(struct hands_bench *b)
{
	hands_close(b->hands, on_closed, &b->is_closed);
	loop_turn_until(b->loop, is_true, &b->is_closed, "closing");
	loop_free(b->loop);
}

struct unit hands_bench_here(void)
{
	return (struct unit){ .name = "here", .node = "here", .model = "chat", .group = "", .url = "", .destination = "", .user = "", .is_local = true };
}

struct unit hands_bench_there(const struct hands_bench *b)
{
	(void)b;
	return (struct unit){ .name = "m1", .node = "m1", .model = "chat", .group = "", .url = "", .destination = "m1", .user = "" };
}

static void on_answer(void *ctx, const struct answer *a)
{
	struct heard *h = ctx;
	h->n++;
	free(h->text);
	h->text = malloc(a->n + 1);
	assert_non_null(h->text);
	memcpy(h->text, a->text, a->n);
	h->text[a->n] = '\0';
	snprintf(h->why, sizeof h->why, "%s", a->why);
	h->answer = *a;
	h->answer.text = h->text;
	h->answer.why = h->why;
}

struct errand *hands_bench_begin(struct hands_bench *b, const struct fleet_deploy *d, const struct unit *u, const struct ask *a, struct heard *h)
{
	struct errand *e = NULL;
	struct why why = { "" };
	*h = (struct heard){ 0 };
	assert_ok(hands_ask(b->hands, d, b->settings, u, a, on_answer, h, &e, &why));
	assert_int_equal(h->n, 0);
	return e;
}

static bool has_heard(const void *what) { return ((const struct heard *)what)->n > 0; }

void hands_bench_await(struct hands_bench *b, struct heard *h, const char *label) { loop_turn_until(b->loop, has_heard, h, label); }

void hands_bench_ask(struct hands_bench *b, const struct unit *u, const struct ask *a, struct heard *h)
{
	hands_bench_begin(b, &hands_bench_deploy, u, a, h);
	hands_bench_await(b, h, "an answer");
}

void heard_release(struct heard *h)
{
	free(h->text);
	*h = (struct heard){ 0 };
}
