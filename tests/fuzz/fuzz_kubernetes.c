/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` on a hostile cluster. The input is a byte that chooses the kind of workload, then answers, parted by form feeds,
 * each with a byte that chooses its status: those of a look first, then those to every step of every plan that was made of it; and all of them to each
 * conversation about the lock. What must hold whatever it says: looks, steps and conversations come to an end, what is told of a holder is safe to show, all that is asked goes to the cluster meant, names stay in their segments, and
 * bodies are JSON of our own shape. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/diagnostics.h"
#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"
#include "deploy/lock.h"

enum { TURNS_MAX = 64, STEP_TURNS_MAX = 300 };

struct stream {
	char *at, *end;
};

static const int statuses[] = { 200, 200, 200, 201, 401, 403, 404, 409, 410, 422, 429, 500, 503, 200, 302, 0 };

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
		                .n = status == 0 ? 0 : (size_t)(stop - from),
		                .retry_after_ms = status == 429 ? 1000 : 0 };
	s->at = stop + 1;
	return true;
}

static void check_body(const char *body)
{
	static const char *const known[] = { "apiVersion", "kind", "metadata", "spec", "status", "preconditions" };
	struct cJSON *o = NULL;
	const struct cJSON *one;
	HOLDS(json_parse(body, strlen(body), NULL, &o, NULL) == ERR_OK);
	cJSON_ArrayForEach(one, o) {
		bool is_known = cJSON_IsArray(o);
		for (size_t i = 0; i < sizeof known / sizeof known[0] && !is_known; i++)
			is_known = strcmp(one->string, known[i]) == 0;
		HOLDS(is_known);
	}
	cJSON_Delete(o);
}

/* "kubernetes://prod/..." of a path that we know: no name opens a segment, a query or a fragment. */
static void check_ask(const struct ask *a)
{
	static const char *const roots[] = { "kubernetes://prod/api/v1/namespaces/serving/pods", "kubernetes://prod/apis/" };
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/";
	HOLDS(a->kind == ASK_HTTP && a->socket == NULL && !a->is_on_machine);
	HOLDS(strncmp(a->url, roots[0], strlen(roots[0])) == 0 || strncmp(a->url, roots[1], strlen(roots[1])) == 0);
	const char *path = a->url + strlen("kubernetes://prod"), *query = strchr(path, '?');
	size_t n = query != NULL ? (size_t)(query - path) : strlen(path), slashes = 0;
	HOLDS(strspn(path, plain) == n);
	for (size_t i = 0; i < n; i++)
		slashes += path[i] == '/';
	HOLDS(slashes <= 8);
	HOLDS(query == NULL ||
	      strspn(query + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%=&") == strlen(query + 1));
	for (size_t i = 0; i < a->n_headers; i++)
		HOLDS(strpbrk(a->headers[i].value, "\r\n") == NULL);
	HOLDS((a->body == NULL) == (strcmp(a->method, "GET") == 0));
	if (a->body != NULL)
		check_body(a->body);
}

static void check_step(const struct planning *p, const struct step *s, struct stream answers)
{
	struct answer answer;
	struct verdict v = { .kind = VERDICT_AGAIN };
	int at = 0;
	check_ask(&s->ask);
	if (s->shown.kind != ASK_NONE)
		check_ask(&s->shown);
	for (int is_probe = 0; is_probe <= (s->probe.kind != ASK_NONE); is_probe++) {
		struct stream mine = answers;
		void *memory = NULL;
		at = 0;
		for (int i = 0; i < STEP_TURNS_MAX && next(&mine, &answer); i++) {
			const struct judging j = { .deploy = p->deploy,
				                   .settings = p->settings,
				                   .unit = p->unit,
				                   .step = s,
				                   .answer = &answer,
				                   .is_probe = is_probe,
				                   .arena = p->arena,
				                   .at = &at,
				                   .memory = &memory };
			driver_find("kubernetes")->judge(&j, &v);
			HOLDS(strnlen(v.text, sizeof v.text) < sizeof v.text && v.text[0] != '\0');
			if (v.kind != VERDICT_AGAIN)
				break;
			if (v.next.kind != ASK_NONE)
				check_ask(&v.next);
		}
	}
}

static void check_plans(const struct look *l, const struct unit *unit, const struct stream *answers)
{
	static struct steps forward, back;
	struct why why;
	for (size_t i = 0; i < l->found.n_versions && i < 4; i++) {
		struct planning p = { .deploy = l->deploy,
			              .settings = l->settings,
			              .unit = unit,
			              .found = &l->found,
			              .kind = i % 2 == 0 ? DEPLOY_ROLLBACK : DEPLOY_REDEPLOY,
			              .to = &l->found.versions[i],
			              .key = "run-1",
			              .now_ms = 1795446000000,
			              .arena = l->arena,
			              .forward = &forward,
			              .back = &back };
		forward = back = (struct steps){ .items = NULL };
		if (driver_find("kubernetes")->plan(&p, &why) != ERR_OK)
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
		enum look_turn turn = driver_find("kubernetes")->look(l, &why);
		if (turn == LOOK_ASK)
			check_ask(&l->next);
		HOLDS(turn != LOOK_WAIT || (l->wait_ms > 0 && l->wait_ms <= 60000));
		HOLDS(turn != LOOK_FAILED || why.text[0] != '\0');
		if (turn == LOOK_DONE)
			check_plans(l, l->unit, answers);
		if (turn == LOOK_DONE || turn == LOOK_FAILED || (turn == LOOK_ASK && !next(answers, &answer)))
			return;
		l->last = &answer;
	}
	HOLDS(false && "a look ends");
}

static void check_lock(const struct look *l, struct stream answers, enum lock_wish wish)
{
	struct answer answer;
	struct locking k = { .driver = driver_find("kubernetes"), .settings = l->settings, .unit = l->unit, .wish = wish, .path = "", .takes = wish == LOCK_TAKES ? "x" : "",
		             .now_ms = l->now_ms, .arena = l->arena, .holder = { "run-1", "kim", "jump1", "rollback" } };
	for (int i = 0; i < TURNS_MAX; i++) {
		enum look_turn t = lock_turn(&k);
		HOLDS(t != LOOK_FAILED && (t != LOOK_WAIT || (k.wait_ms > 0 && k.wait_ms <= 60000)));
		if (t == LOOK_ASK)
			check_ask(&k.next);
		if (t == LOOK_DONE) {
			struct buf safe;
			buf_init(&safe, 4 * LOCK_TEXT);
			HOLDS(text_safe(&safe, k.seen.text, strnlen(k.seen.text, sizeof k.seen.text)) == ERR_OK && strcmp(buf_text(&safe), k.seen.text) == 0);
			HOLDS(k.seen.key[0] != '\0' || (k.seen.state != LOCK_HELD && k.seen.state != LOCK_STALE));
			buf_release(&safe);
			return;
		}
		if (t == LOOK_ASK && !next(&answers, &answer))
			return;
		k.last = t == LOOK_ASK ? &answer : NULL;
	}
	HOLDS(false && "a conversation ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = { "deployment", "statefulset", "daemonset", "rollout", "inferenceservice" };
	char options[160];
	struct arena arena;
	struct yaml *yaml;
	struct diagnostics d;
	struct settings settings;
	struct why why;
	if (size < 2)
		return 0;
	snprintf(options, sizeof options, "name: llama-8b\nnamespace: serving\ncontext: prod\nkind: %s\n", kinds[data[0] % 5]);
	arena_init(&arena);
	diagnostics_init(&d);
	HOLDS(yaml_parse(options, strlen(options), "f", &d, &yaml) == ERR_OK);
	const struct driver *driver = driver_find("kubernetes");
	const struct fleet_deploy deploy = {
		.name = "chat", .model = "chat", .group = "", .driver = "kubernetes", .options = yaml_root(yaml)
	};
	const struct unit unit = { .name = "chat", .node = "", .model = "chat", .group = "", .url = "", .destination = "", .user = "" };
	HOLDS(settings_read(&arena, driver->options, driver->n_options, &deploy, "f", &d, &settings, &why) == ERR_OK);
	char *text = fuzz_text(data + 1, size - 1), *again = fuzz_text(data + 1, size - 1);
	struct stream answers = { text, text + size - 1 };
	struct look *l = arena_zeroed(&arena, 1, sizeof *l);
	HOLDS(l != NULL);
	*l = (struct look){ .deploy = &deploy, .settings = &settings, .unit = &unit, .now_ms = 1795446000000, .arena = &arena };
	for (int wish = LOCK_LOOKS; wish <= LOCK_GIVES_BACK; wish++) {
		memcpy(again, data + 1, size - 1); /* what was read is parted */
		check_lock(l, (struct stream){ again, again + size - 1 }, (enum lock_wish)wish);
	}
	look(l, &answers);
	free(again);
	free(text);
	arena_release(&arena);
	yaml_discard(yaml);
	diagnostics_release(&d);
	return 0;
}
