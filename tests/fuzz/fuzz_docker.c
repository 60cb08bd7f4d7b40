/* SPDX-License-Identifier: Apache-2.0
 *
 * The drivers `docker` and `compose` with a hostile engine. The input is a byte that chooses the driver, then answers, parted by form
 * feeds, each with a byte that chooses its status: those of a look first, then those to every step of every plan that was made of it. What
 * must hold whatever it says: looks and steps come to an end, all that is asked goes to the socket meant, names stay in their segments and
 * words, bodies are JSON. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/diagnostics.h"
#include "base/json.h"
#include "base/yaml.h"
#include "deploy/driver.h"

enum { TURNS_MAX = 16, STEP_TURNS_MAX = 16 };

struct stream {
	char *at, *end;
};

static const struct driver *driver;
static const int statuses[] = { 200, 200, 200, 200, 201, 204, 304, 400, 403, 404, 409, 500, 503, 200, 302, 0 };

static bool next(struct stream *s, struct answer *out)
{
	if (s->at >= s->end)
		return false;
	int status = statuses[(unsigned char)*s->at % 16];
	char *from = s->at + 1, *stop = from < s->end ? memchr(from, '\f', (size_t)(s->end - from)) : NULL;
	stop = stop != NULL ? stop : s->end;
	if (stop < s->end)
		*stop = '\0';
	from = from > stop ? stop : from;
	*out = (struct answer){ .err = status == 0 ? ERR_NETWORK : ERR_OK,
		                .why = "cut short",
		                .was_sent = true,
		                .status = status,
		                .text = status == 0 ? "" : from,
		                .n = status == 0 ? 0 : (size_t)(stop - from) };
	s->at = stop + 1;
	return true;
}

static void check_words(const struct ask *a)
{
	HOLDS(a->n_argv > 8 && strcmp(a->argv[0], "env") == 0 && strncmp(a->argv[1], "TAG=", 4) == 0 && strcmp(a->argv[2], "docker") == 0);
	HOLDS(strcmp(a->argv[a->n_argv - 1], "chat") == 0);
	for (size_t i = 0; i < a->n_argv; i++)
		HOLDS(strpbrk(a->argv[i], " \t\r\n'\"$`") == NULL);
}

/* "http://localhost/..." of a path that we know: no name opens a segment, a query or a fragment. */
static void check_ask(const struct ask *a)
{
	static const char base[] = "http://localhost/", plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/";
	struct cJSON *body = NULL;
	if (a->kind == ASK_RUN) {
		check_words(a);
		return;
	}
	HOLDS(a->kind == ASK_HTTP && a->socket != NULL && strcmp(a->socket, "/run/d.sock") == 0);
	HOLDS(strncmp(a->url, base, sizeof base - 1) == 0);
	const char *path = a->url + sizeof base - 1, *query = strchr(path, '?');
	size_t n = query != NULL ? (size_t)(query - path) : strlen(path), slashes = 0;
	HOLDS(strspn(path, plain) >= n);
	for (size_t i = 0; i < n; i++)
		slashes += path[i] == '/';
	HOLDS(slashes <= 3 && strstr(path, "/../") == NULL);
	HOLDS(query == NULL || strspn(query + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%=&") == strlen(query + 1));
	HOLDS(a->body == NULL || strcmp(a->method, "POST") == 0);
	HOLDS(a->body == NULL || json_parse(a->body, strlen(a->body), NULL, &body, NULL) == ERR_OK);
	cJSON_Delete(body);
}

static void check_step(const struct planning *p, const struct step *s, struct stream answers)
{
	struct answer answer;
	struct verdict v = { .kind = VERDICT_AGAIN };
	int at = 0;
	check_ask(&s->ask);
	HOLDS(s->is_repeatable && strlen(s->title) > 0);
	for (int i = 0; i < STEP_TURNS_MAX && next(&answers, &answer); i++) {
		const struct judging j = { .deploy = p->deploy,
			                   .settings = p->settings,
			                   .unit = p->unit,
			                   .step = s,
			                   .answer = &answer,
			                   .now_ms = i * 4000,
			                   .arena = p->arena,
			                   .at = &at };
		driver->judge(&j, &v);
		HOLDS(strnlen(v.text, sizeof v.text) < sizeof v.text);
		if (v.kind != VERDICT_AGAIN)
			break;
		if (v.next.kind != ASK_NONE)
			check_ask(&v.next);
	}
}

static void check_plans(const struct look *l, const struct stream *answers)
{
	static struct steps forward, back;
	struct why why;
	forward.items = back.items = NULL;
	for (size_t i = 0; i < l->found.n_versions && i < 4; i++) {
		struct planning p = { .deploy = l->deploy,
			              .settings = l->settings,
			              .unit = l->unit,
			              .found = &l->found,
			              .kind = i % 2 == 0 ? DEPLOY_ROLLBACK : DEPLOY_REDEPLOY,
			              .to = &l->found.versions[i],
			              .key = "run-1",
			              .now_ms = 1795446000000,
			              .arena = l->arena,
			              .forward = &forward,
			              .back = &back };
		forward.n = back.n = 0;
		if (driver->plan(&p, &why) != ERR_OK)
			continue;
		HOLDS(forward.n > 0 && forward.n <= STEPS_MAX);
		for (size_t k = 0; k < forward.n; k++)
			check_step(&p, &forward.items[k], *answers);
		for (size_t k = 0; k < back.n; k++)
			check_step(&p, &back.items[k], *answers);
	}
}

static void look(struct look *l, struct stream *answers)
{
	struct answer answer;
	struct why why = { "" };
	for (int i = 0; i < TURNS_MAX; i++) {
		enum look_turn turn = driver->look(l, &why);
		if (turn == LOOK_ASK)
			check_ask(&l->next);
		HOLDS(turn != LOOK_WAIT);
		HOLDS(turn != LOOK_FAILED || why.text[0] != '\0');
		if (turn == LOOK_DONE)
			check_plans(l, answers);
		if (turn == LOOK_DONE || turn == LOOK_FAILED || !next(answers, &answer))
			return;
		l->last = &answer;
	}
	HOLDS(false && "a look ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const drivers[] = { "docker", "docker", "compose", "compose" };
	static const char *const options[] = {
		"container: infer-vllm-1\nsocket: /run/d.sock\npull: always\n",
		"labels: { com.docker.compose.service: vllm }\nsocket: /run/d.sock\n",
		"service: vllm\nsocket: /run/d.sock\n",
		"service: chat\nvia: cli\ndirectory: /srv\nvariable: TAG\nsocket: /run/d.sock\n",
	};
	struct arena arena;
	struct yaml *yaml;
	struct diagnostics d;
	struct settings settings;
	struct why why;
	if (size < 2)
		return 0;
	size_t which = data[0] % 4;
	arena_init(&arena);
	diagnostics_init(&d);
	HOLDS(yaml_parse(options[which], strlen(options[which]), "f", &d, &yaml) == ERR_OK);
	driver = driver_find(drivers[which]);
	const struct fleet_deploy deploy = { .name = "chat", .model = "chat", .group = "", .driver = driver->name, .options = yaml_root(yaml) };
	const struct unit unit = {
		.name = "chat", .node = "gpu-a-01", .model = "chat", .group = "", .url = "", .destination = "", .user = "", .is_local = true
	};
	HOLDS(settings_read(&arena, driver->options, driver->n_options, &deploy, "f", &d, &settings, &why) == ERR_OK);
	char *text = fuzz_text(data + 1, size - 1);
	struct stream answers = { text, text + size - 1 };
	struct look *l = arena_zeroed(&arena, 1, sizeof *l);
	HOLDS(l != NULL);
	*l = (struct look){ .deploy = &deploy, .settings = &settings, .unit = &unit, .now_ms = 1795446000000, .arena = &arena };
	look(l, &answers);
	free(text);
	arena_release(&arena);
	yaml_discard(yaml);
	diagnostics_release(&d);
	return 0;
}
