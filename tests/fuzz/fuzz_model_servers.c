/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers triton, torchserve, tfserving, vllm and ray, and what they are answered. The first byte chooses the driver; the rest are answers with NULs between them, whose
 * first byte is a status. The last one is the version to go to, too. And each answer is a models.config: whatever is edited in it, other models stay as they are; and
 * JSON whose values have places. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/yaml.h"
#include "deploy/driver.h"
#include "deploy/json_place.h"
#include "deploy/model_config.h"

enum { ANSWERS_MAX = 16, NOW_MS = 1764000000 };

static const struct {
	const char *driver, *options;
} kinds[] = {
	{ "triton", "repository: /models\nunload_first: true\n" },
	{ "torchserve", "archive: '{model}-{version}.mar'\nkeep_workers: false\n" },
	{ "tfserving", "config_file: /etc/models.config\nlabel: stable\n" },
	{ "vllm", "{ lora: polite, lora_path: '/adapters/{version}' }" },
	{ "vllm", "restart: { driver: command, current: [ cur ], list: [ ls ], apply: [ [ go, to, '{version}' ] ] }\n" },
	{ "tfserving", "config_file: /etc/models.config\n" },
	{ "ray", "{ url: 'http://10.0.0.1:8265', version_at: /deployments/D/user_config/version }" },
	{ "ray", "{ url: 'http://10.0.0.1:8265', version_at: /runtime_env/working_dir, value: 's3://b/{version}.zip' }" },
};

struct parts {
	struct answer items[ANSWERS_MAX];
	size_t        n;
};

static void split(char *text, size_t size, struct parts *p)
{
	for (char *at = text, *end = text + size; at < end && p->n < ANSWERS_MAX;) {
		static const enum err errors[] = { ERR_NETWORK, ERR_TIMEOUT, ERR_DENIED };
		size_t len = strlen(at);
		int status = len > 0 ? (unsigned char)*at : 0;
		const char *body = len > 0 ? at + 1 : at;
		p->items[p->n++] = (struct answer){ .err = status >= 253 ? errors[status - 253] : ERR_OK, .why = "a reason", .was_sent = status % 2 == 0,
			                                .status = status == '0' ? 0 : status + 100, .text = body, .n = strlen(body), .is_cut = status == 77 };
		at += len + 1;
	}
}

static void check_found(const struct found *f)
{
	HOLDS(f->n_versions <= FOUND_VERSIONS_MAX && f->n_warnings <= FOUND_WARNINGS_MAX && f->before != NULL);
	for (size_t i = 0; i < f->n_versions; i++) {
		const struct version *v = &f->versions[i];
		HOLDS(v->id != NULL && v->id[0] != '\0' && v->name != NULL && v->model_version != NULL && v->cause != NULL && v->data != NULL);
		for (const char *c = v->id; *c != '\0'; c++)
			HOLDS((unsigned char)*c >= 0x20);
	}
}

/* Nothing leaves its place: the host and the first segments are ours, a body is JSON, a file the one that was named. */
static void check_ask(const struct ask *a)
{
	struct why why;
	struct cJSON *o = ask_to_json(a), *body = NULL;
	struct arena arena;
	struct ask back;
	arena_init(&arena);
	HOLDS(ask_from_json(&arena, o, &back, &why) == ERR_OK);
	cJSON_Delete(o);
	arena_release(&arena);
	if (a->kind == ASK_RUN)
		HOLDS(a->n_argv > 0 && a->argv[0][0] != '\0' && a->argv[0][0] != '-');
	if (a->kind == ASK_PUT)
		HOLDS(strcmp(a->path, "/etc/models.config") == 0 && a->body != NULL);
	if (a->kind == ASK_HTTP)
		HOLDS((strncmp(a->url, "http://10.0.0.1:", 16) == 0 || strncmp(a->url, "http://127.0.0.1:8081/", 22) == 0) && strpbrk(a->url, " \r\n\"'<>#{}") == NULL &&
		      strstr(a->url, "/../") == NULL && strcmp(a->method, "DELETE") != 0);
	if (a->kind == ASK_HTTP && a->body != NULL) {
		HOLDS(json_parse(a->body, strlen(a->body), NULL, &body, &why) == ERR_OK && cJSON_IsObject(body));
		cJSON_Delete(body);
	}
}

static void judge_all(const struct look *l, const struct steps *steps, const struct parts *p)
{
	const struct driver *d = driver_find(l->deploy->driver);
	for (size_t i = 0; i < steps->n; i++) {
		struct arena arena;
		int at = 0;
		arena_init(&arena);
		for (size_t k = 0; k < p->n * 2; k++) {
			struct verdict v = { .kind = VERDICT_DONE };
			const struct judging j = { .deploy = l->deploy, .settings = l->settings, .unit = l->unit, .step = &steps->items[i], .answer = &p->items[k / 2],
				                       .is_probe = k % 2 == 1, .began_ms = NOW_MS, .now_ms = NOW_MS + (int64_t)k * 60000, .arena = &arena, .at = &at };
			d->judge(&j, &v);
			HOLDS(v.kind <= VERDICT_FAILED && memchr(v.text, '\0', sizeof v.text) != NULL);
			HOLDS(p->items[k / 2].err == ERR_OK || v.kind != VERDICT_DONE); /* no answer is never success */
			if (v.kind == VERDICT_AGAIN && v.next.kind != ASK_NONE)
				check_ask(&v.next);
		}
		arena_release(&arena);
	}
}

static void plan_to(struct look *l, const char *id, enum deploy_kind kind, const struct parts *p)
{
	static struct steps forward, back;
	struct why why;
	const struct version made = { id, id, "", "", "", "", "", "", 0, false, false, "" };
	const struct version *there = found_by_id(&l->found, id);
	forward = back = (struct steps){ NULL, 0 };
	struct planning plan = { .deploy = l->deploy, .settings = l->settings, .unit = l->unit, .found = &l->found, .kind = kind, .to = there != NULL ? there : &made,
		                     .key = "run-1", .now_ms = NOW_MS, .arena = l->arena, .forward = &forward, .back = &back };
	if (driver_find(l->deploy->driver)->plan(&plan, &why) != ERR_OK)
		return;
	const struct steps *both[] = { &forward, &back };
	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < both[w]->n; i++) {
			check_ask(&both[w]->items[i].ask);
			if (both[w]->items[i].shown.kind != ASK_NONE)
				check_ask(&both[w]->items[i].shown);
		}
		judge_all(l, both[w], p);
	}
}

static void drive(const struct driver *d, const struct fleet_deploy *deploy, const struct settings *settings, struct arena *arena, const struct parts *p)
{
	const struct unit unit = { .name = "n", .node = "n", .model = "m", .group = "", .url = "http://10.0.0.1:1", .destination = "", .user = "", .is_local = true };
	struct look *l = arena_zeroed(arena, 1, sizeof *l);
	struct why why;
	HOLDS(l != NULL);
	*l = (struct look){ .deploy = deploy, .settings = settings, .unit = &unit, .now_ms = NOW_MS, .arena = arena };
	enum look_turn turn = d->look(l, &why);
	for (size_t i = 0; i < p->n && turn == LOOK_ASK; i++) {
		check_ask(&l->next);
		l->last = &p->items[i];
		turn = d->look(l, &why);
	}
	if (turn != LOOK_DONE)
		return;
	check_found(&l->found);
	if (l->found.n_versions > 0)
		plan_to(l, l->found.versions[0].id, DEPLOY_REDEPLOY, p);
	plan_to(l, p->items[p->n - 1].text, DEPLOY_ROLLBACK, p);
}

/* An edit of one model leaves what is said of the others. */
static void edit(const struct answer *text)
{
	struct model_configs was, now;
	struct arena arena;
	struct why why;
	const char *made;
	const int64_t versions[] = { 7, 8 };
	arena_init(&arena);
	if (model_config_read(&arena, text->text, text->n, &was, &why) == ERR_OK && was.n > 0 &&
	    model_config_edit(&arena, text->text, text->n, &was.items[0], versions, 2, "stable", 7, &made, &why) == ERR_OK) {
		HOLDS(model_config_read(&arena, made, strlen(made), &now, &why) == ERR_OK && now.n == was.n);
		HOLDS(now.items[0].n_versions == 2 && model_config_label(&now.items[0], "stable") == 7);
		for (size_t i = 1; i < was.n; i++)
			HOLDS(strcmp(now.items[i].name, was.items[i].name) == 0 && now.items[i].policy == was.items[i].policy && now.items[i].n_versions == was.items[i].n_versions &&
			      now.items[i].n_labels == was.items[i].n_labels);
	}
	arena_release(&arena);
}

/* Places are found for the very values that cJSON read, and each is one value. */
static void walk_places(const struct answer *text)
{
	struct cJSON *o = NULL, *one = NULL;
	struct json_place place;
	if (json_parse(text->text, text->n, NULL, &o, NULL) != ERR_OK)
		return;
	HOLDS(json_place_whole(text->text, text->n, &place));
	struct json_walk w = { .in = place };
	for (const struct cJSON *c = o->child; c != NULL; c = c->next) {
		HOLDS(json_place_next(text->text, &w, &place) && place.at + place.n <= text->n);
		HOLDS(json_parse(text->text + place.at, place.n, NULL, &one, NULL) == ERR_OK && (one->type & 0xff) == (c->type & 0xff));
		cJSON_Delete(one);
	}
	HOLDS(!json_place_next(text->text, &w, &place));
	cJSON_Delete(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts parts = { .n = 0 };
	struct arena arena;
	struct diagnostics diagnostics;
	struct yaml *yaml = NULL;
	struct settings settings;
	struct why why;
	if (size < 2)
		return 0;
	size_t k = data[0] % (sizeof kinds / sizeof kinds[0]);
	const struct driver *d = driver_find(kinds[k].driver);
	char *text = fuzz_text(data + 1, size - 1);
	split(text, size - 1, &parts);
	arena_init(&arena);
	diagnostics_init(&diagnostics);
	HOLDS(yaml_parse(kinds[k].options, strlen(kinds[k].options), "f", &diagnostics, &yaml) == ERR_OK);
	const struct fleet_deploy deploy = { .name = "m", .model = "m", .group = "", .driver = d->name, .options = yaml_root(yaml) };
	HOLDS(settings_read(&arena, d->options, d->n_options, &deploy, "f", &diagnostics, &settings, &why) == ERR_OK && d->check(&deploy, &settings, &why) == ERR_OK);
	drive(d, &deploy, &settings, &arena, &parts);
	for (size_t i = 0; i < parts.n; i++)
		edit(&parts.items[i]);
	for (size_t i = 0; i < parts.n; i++)
		walk_places(&parts.items[i]);
	yaml_discard(yaml);
	diagnostics_release(&diagnostics);
	arena_release(&arena);
	free(text);
	return 0;
}
