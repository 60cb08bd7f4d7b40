/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers systemd, release-symlink, command and http, and what they are answered. The first byte chooses the driver; the rest are answers with NULs between
 * them, whose first byte is a status. The last one is the version to go to, too: whatever it is, it stays in its word, segment or string. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/yaml.h"
#include "deploy/driver.h"
#include "deploy/release.h"

enum { ANSWERS_MAX = 16, NOW_MS = 1764000000 };

static const struct {
	const char *driver, *options;
} kinds[] = {
	{ "systemd", "unit: '{model}.service'\nversion_command: [ ranker, --version ]\ndrain: [ [ lb, drain, '{node}' ] ]\nready: /health\n" },
	{ "release-symlink", "root: /srv/{model}\nunit: a.service\ncomplete: [ model.bin ]\nmanifest: SUMS\nkeep: 2\n" },
	{ "command", "current: [ cur ]\nlist: [ ls ]\napply: [ [ go, to, '{version}', 'from={previous}' ] ]\n" },
	{ "http", "current: { url: '{url}/c', version: v }\nlist: { url: '{url}/l', versions: a.b, id: n }\n"
	          "apply: { method: POST, url: '{url}/x/{version}/y', body: '\"{version}\"', check: { v: '{version}' } }\n" },
};

struct parts {
	struct answer items[ANSWERS_MAX];
	size_t        n;
};

static void split(char *text, size_t size, struct parts *p)
{
	for (char *at = text, *end = text + size; at < end && p->n < ANSWERS_MAX;) {
		size_t len = strlen(at);
		int status = len > 0 ? (unsigned char)*at : 0;
		static const enum err errors[] = { ERR_OK, ERR_NETWORK, ERR_TIMEOUT, ERR_DENIED };
		const char *body = len > 0 ? at + 1 : at;
		p->items[p->n++] = (struct answer){ .err = status >= 250 ? errors[status - 250 < 4 ? status - 250 : 0] : ERR_OK, .why = "a reason", .was_sent = status % 2 == 0,
			                                .status = status < 100 ? status : status + 100, .text = body, .n = strlen(body), .is_cut = status == 77 };
		at += len + 1;
	}
}

static void check_texts(const struct found *f)
{
	HOLDS(f->n_versions <= FOUND_VERSIONS_MAX && f->n_warnings <= FOUND_WARNINGS_MAX);
	for (size_t i = 0; i < f->n_versions; i++) {
		const struct version *v = &f->versions[i];
		HOLDS(v->id != NULL && v->name != NULL && v->image != NULL && v->tag != NULL && v->model_version != NULL && v->config_hash != NULL && v->by != NULL &&
		      v->cause != NULL && v->data != NULL);
		for (const char *c = v->id; *c != '\0'; c++)
			HOLDS((unsigned char)*c >= 0x20);
	}
}

/* Where the version may stand, and that nothing else of the ask depends on it. */
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
		HOLDS(a->n_argv > 0 && a->argv[0][0] != '\0' && a->argv[0][0] != '-' && strchr(a->argv[0], '=') == NULL);
	if (a->kind == ASK_RUN && strcmp(a->argv[0], "go") == 0)
		HOLDS(a->n_argv == 4 && strcmp(a->argv[1], "to") == 0 && a->argv[2][0] != '-' && strncmp(a->argv[3], "from=", 5) == 0);
	if (a->kind == ASK_HTTP)
		HOLDS(strncmp(a->url, "http://127.0.0.1:1/", 19) == 0 && strchr(a->url, '?') == NULL && strchr(a->url, '#') == NULL && strpbrk(a->url, " \r\n") == NULL);
	if (a->kind == ASK_HTTP && a->body != NULL) {
		HOLDS(json_parse(a->body, strlen(a->body), NULL, &body, &why) == ERR_OK && cJSON_IsString(body));
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
				                       .is_probe = k % 2 == 1, .began_ms = NOW_MS, .now_ms = NOW_MS + (int64_t)k * 1000, .arena = &arena, .at = &at };
			d->judge(&j, &v);
			HOLDS(v.kind <= VERDICT_FAILED && memchr(v.text, '\0', sizeof v.text) != NULL);
			HOLDS(p->items[k / 2].err == ERR_OK || v.kind != VERDICT_DONE); /* no answer is never success */
		}
		arena_release(&arena);
	}
}

static void plan_to(struct look *l, const char *id, enum deploy_kind kind, const struct parts *p)
{
	static struct steps forward, back;
	const struct driver *d = driver_find(l->deploy->driver);
	struct why why;
	const struct version made = { id, id, "", "", "", "", "", "", 0, false, false, "" };
	const struct version *there = found_by_id(&l->found, id);
	forward.n = back.n = 0;
	struct planning plan = { .deploy = l->deploy, .settings = l->settings, .unit = l->unit, .found = &l->found, .kind = kind, .to = there != NULL ? there : &made,
		                     .key = "run-1", .now_ms = NOW_MS, .arena = l->arena, .forward = &forward, .back = &back };
	if (d->plan(&plan, &why) != ERR_OK)
		return;
	HOLDS(strcmp(d->name, "release-symlink") != 0 || release_is_name(id));
	const struct steps *both[] = { &forward, &back };
	for (size_t w = 0; w < 2; w++) {
		for (size_t i = 0; i < both[w]->n; i++) {
			check_ask(&both[w]->items[i].ask);
			if (both[w]->items[i].probe.kind != ASK_NONE)
				check_ask(&both[w]->items[i].probe);
		}
		judge_all(l, both[w], p);
	}
}

static void drive(const struct driver *d, const struct fleet_deploy *deploy, const struct settings *settings, struct arena *arena, const struct parts *p)
{
	const struct unit unit = { .name = "n", .node = "n", .model = "m", .group = "", .url = "http://127.0.0.1:1", .destination = "", .user = "", .is_local = true };
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
	check_texts(&l->found);
	if (l->found.n_versions > 0)
		plan_to(l, l->found.versions[0].id, DEPLOY_REDEPLOY, p);
	if (p->n > 0)
		plan_to(l, p->items[p->n - 1].text, DEPLOY_ROLLBACK, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts parts = { .n = 0 };
	struct arena arena;
	struct diagnostics diagnostics;
	struct yaml *yaml = NULL;
	struct settings settings;
	struct why why;
	if (size == 0)
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
	yaml_discard(yaml);
	diagnostics_release(&diagnostics);
	arena_release(&arena);
	free(text);
	return 0;
}
