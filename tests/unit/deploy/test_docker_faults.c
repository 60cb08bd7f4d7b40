/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers docker and compose while memory runs out: a look, a plan and the request that creates are whole or none. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "tests/unit/deploy/driver_bench.h"
#include "tests/unit/faults.h"

#define EIGHT(x) x x x x x x x x
#define HEX(x)   EIGHT(EIGHT(x))
#define IMAGE    "sha256:" HEX("1")
#define OTHER    "sha256:" HEX("2")
#define LABELS   "\"com.docker.compose.service\":\"chat\",\"com.docker.compose.oneoff\":\"False\",\"io.pitwall.run\":\"k1\""

static const char inspect[] = "{\"Id\":\"" HEX(
	"a") "\",\"Name\":\"/chat\",\"Image\":\"" IMAGE
	     "\",\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":7,\"StartedAt\":\"2026-11-23T14:47:42Z\"},"
	     "\"Config\":{\"Image\":\"reg.example/chat:v1\",\"Env\":[\"B=1\",\"A=2\"],\"Labels\":{" LABELS "}},"
	     "\"HostConfig\":{\"NetworkMode\":\"front\",\"RestartPolicy\":{\"Name\":\"always\"},\"Links\":[\"/db:/chat/db\"]},"
	     "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX(
		     "f") "\",\"Destination\":\"/scratch\"}],"
			  "\"NetworkSettings\":{\"Networks\":{\"front\":{\"Aliases\":[\"llm\"]},\"back\":{\"Aliases\":[\"llm\"]}}}}";

static const char *const answers[] = {
	"{\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.24\"}",
	"[{\"Id\":\"" HEX("a") "\",\"Names\":[\"/chat\"],\"ImageID\":\"" IMAGE "\",\"State\":\"running\",\"Labels\":{" LABELS "}},"
			       "{\"Id\":\"" HEX("c") "\",\"Names\":[\"/chat-before-k1\"],\"ImageID\":\"" OTHER "\",\"State\":\"exited\"}]",
	inspect,
	"{\"Id\":\"" IMAGE "\",\"RepoTags\":[\"reg.example/chat:v1\"],\"Config\":{\"Env\":[\"B=1\"]}}",
	"[{\"Id\":\"" IMAGE "\",\"RepoTags\":[\"reg.example/chat:v1\"]},{\"Id\":\"" OTHER
	"\",\"RepoTags\":[\"reg.example/chat:v2\"],\"RepoDigests\":[\"reg.example/chat@sha256:" HEX("d") "\"]}]",
};

struct try {
	const char *driver, *options;
	struct buf  want;
};

static void print(const struct driver_bench *b, const char *body, struct buf *to)
{
	for (size_t i = 0; i < b->look.found.n_versions; i++)
		buf_printf(to, "%s %s %s\n", b->look.found.versions[i].name, b->look.found.versions[i].image,
		           b->look.found.versions[i].config_hash);
	buf_printf(to, "%s\n%s\n", b->look.found.before, body);
	for (size_t i = 0; i < b->forward.n + b->back.n; i++) {
		const struct step *s = i < b->forward.n ? &b->forward.items[i] : &b->back.items[i - b->forward.n];
		buf_printf(to, "%s %s\n", s->title, s->note);
		ask_print(&s->ask, 1 << 16, to);
	}
}

static enum err look(struct driver_bench *b)
{
	enum look_turn turn = driver_bench_look(b, NULL);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0] && turn == LOOK_ASK; i++) {
		const struct answer a = answered(200, answers[i]);
		turn = driver_bench_look(b, &a);
	}
	return turn == LOOK_DONE ? ERR_OK : ERR_MEMORY;
}

static enum err plan(struct driver_bench *b)
{
	b->planning = (struct planning){ .deploy = &b->deploy,
		                         .settings = &b->settings,
		                         .unit = &b->unit,
		                         .found = &b->look.found,
		                         .kind = DEPLOY_REDEPLOY,
		                         .to = found_by_id(&b->look.found, OTHER),
		                         .key = "run-1",
		                         .now_ms = 1,
		                         .arena = &b->arena,
		                         .forward = &b->forward,
		                         .back = &b->back };
	return b->driver->plan(&b->planning, &b->why);
}

/* The request that creates; a command's step has none. */
static enum err create(struct driver_bench *b, const char **body)
{
	const struct answer a = answered(200, inspect);
	struct verdict v;
	int at = 0;
	*body = "";
	if (b->forward.items[0].ask.kind != ASK_HTTP)
		return ERR_OK;
	driver_bench_judge(b, &b->forward.items[0], &a, false, 0, &at, &v);
	if (arena_failed(&b->arena) || v.kind != VERDICT_AGAIN)
		return ERR_MEMORY;
	*body = v.next.body;
	return ERR_OK;
}

static enum err all_of_it(void *ctx, struct why *sentence)
{
	struct try *t = ctx;
	static struct driver_bench b;
	const char *body = "";
	struct buf got;
	fault_pause();
	driver_bench_init(&b, driver_find(t->driver), t->options);
	fault_resume();
	b.why.text[0] = '\0';
	enum err e = look(&b);
	e = e == ERR_OK ? plan(&b) : e;
	if (e == ERR_OK && (e = create(&b, &body)) != ERR_OK)
		why_memory(&b.why);
	fault_end();
	*sentence = b.why;
	if (e != ERR_OK && b.why.text[0] == '\0')
		fail_msg("%s: fails without a sentence", fault_label());
	if (e == ERR_OK) {
		buf_init(&got, 1 << 20);
		print(&b, body, &got);
		if (t->want.len == 0)
			buf_puts(&t->want, buf_text(&got));
		fault_same(buf_text(&got), buf_text(&t->want));
		buf_release(&got);
	}
	driver_bench_release(&b);
	return e;
}

static void test_all_of_it(void **state)
{
	static const struct {
		const char *driver, *options;
	} rows[] = {
		{ "docker", "container: chat\n" },
		{ "docker", "labels: { com.docker.compose.service: chat }\nkeep: 1\n" },
		{ "compose", "service: chat\n" },
		{ "compose", "service: chat\nvia: cli\ndirectory: /srv\nvariable: TAG\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct try t = { .driver = rows[i].driver, .options = rows[i].options };
		struct why why;
		buf_init(&t.want, 1 << 20);
		fault_pause();
		assert_int_equal(all_of_it(&t, &why), ERR_OK);
		fault_resume();
		fault_loop(rows[i].options, ERR_OK, all_of_it, &t);
		buf_release(&t.want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_of_it) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
