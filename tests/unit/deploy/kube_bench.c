/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

#include "deploy/ask.h"

enum { TURNS_MAX = 60, LOOK_MAX = 40 };

void kube_bench_begin(struct kube_bench *b, const char *options)
{
	struct why why = { "" };
	*b = (struct kube_bench){ .world = kube_world_new(), .driver = driver_find("kubernetes") };
	arena_init(&b->arena);
	diagnostics_init(&b->diagnostics);
	assert_non_null(b->driver);
	assert_ok(yaml_parse(options, strlen(options), "fleet.yml", &b->diagnostics, &b->yaml));
	b->deploy = (struct fleet_deploy){
		.name = "chat", .model = "chat", .group = "", .driver = "kubernetes", .options = yaml_root(b->yaml), .line = 1, .col = 1
	};
	assert_ok(settings_read(&b->arena, b->driver->options, b->driver->n_options, &b->deploy, "fleet.yml", &b->diagnostics, &b->settings,
	                        &why));
	assert_ok(b->driver->check(&b->deploy, &b->settings, &why));
	b->unit = (struct unit){ .name = "chat", .node = "", .model = "chat", .group = "", .url = "", .destination = "", .user = "" };
}

void kube_bench_end(struct kube_bench *b)
{
	kube_world_free(b->world);
	arena_release(&b->arena);
	yaml_discard(b->yaml);
	diagnostics_release(&b->diagnostics);
	free(b->text);
}

/* ---- hands ---- */

static const char *header(const struct ask *ask, const char *name)
{
	for (size_t i = 0; i < ask->n_headers; i++)
		if (strcmp(ask->headers[i].name, name) == 0)
			return ask->headers[i].value;
	return "";
}

static void carry(struct kube_bench *b, const struct ask *ask, struct answer *out)
{
	static const char scheme[] = "kubernetes://";
	struct kube_reply r;
	struct why why = { "" };
	struct ask read = { 0 };
	if (b->carry != NULL) {
		b->carry(b->ctx, ask, out);
		return;
	}
	/* As the journal has it, and back: what a step says must survive that. */
	struct cJSON *json = ask_to_json(ask);
	assert_ok(ask_from_json(&b->arena, json, &read, &why));
	cJSON_Delete(json);
	assert_int_equal(read.kind, ASK_HTTP);
	assert_memory_equal(read.url, scheme, sizeof scheme - 1);
	const char *target = strchr(read.url + sizeof scheme - 1, '/');
	assert_non_null(target);
	kube_world_handle(b->world, read.method, target, header(&read, "Content-Type"), "", read.body != NULL ? read.body : "", &r);
	free(b->text);
	b->text = r.text;
	*out = (struct answer){ .err = r.is_silent ? ERR_TIMEOUT : ERR_OK,
		                .why = r.is_silent ? "no answer in time" : "",
		                .was_sent = true,
		                .status = r.is_silent ? 0 : r.status,
		                .text = r.is_silent ? "" : r.text,
		                .n = r.is_silent ? 0 : strlen(r.text),
		                .retry_after_ms = r.retry_after * 1000,
		                .date_ms = r.date_ms };
}

void kube_bench_ask(struct kube_bench *b, const struct ask *ask, struct answer *out) { carry(b, ask, out); }

/* ---- looking and planning ---- */

bool kube_bench_look(struct kube_bench *b, struct why *why)
{
	struct answer answer;
	b->look = (struct look){
		.deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .now_ms = (int64_t)BENCH_NOW_S * 1000, .arena = &b->arena
	};
	for (int i = 0; i < LOOK_MAX; i++) {
		switch (b->driver->look(&b->look, why)) {
		case LOOK_ASK:
			carry(b, &b->look.next, &answer);
			b->look.last = &answer;
			break;
		case LOOK_WAIT:
			assert_true(b->look.wait_ms > 0);
			b->waited_ms += b->look.wait_ms;
			break;
		case LOOK_DONE:
			return true;
		case LOOK_FAILED:
			return false;
		}
	}
	fail_msg("the look has no end");
	return false;
}

const struct version *kube_bench_version(const struct kube_bench *b, const char *tag)
{
	const struct found *f = &b->look.found;
	for (size_t i = 0; i < f->n_versions; i++)
		if (strcmp(f->versions[i].tag, tag) == 0 || strcmp(f->versions[i].name, tag) == 0 || strcmp(f->versions[i].id, tag) == 0)
			return &f->versions[i];
	return NULL;
}

enum err kube_bench_plan(struct kube_bench *b, enum deploy_kind kind, const char *version, struct why *why)
{
	const struct version *to = version != NULL ? kube_bench_version(b, version) : found_running(&b->look.found);
	b->forward.n = b->back.n = 0;
	assert_non_null(to);
	b->planning = (struct planning){ .deploy = &b->deploy,
		                         .settings = &b->settings,
		                         .unit = &b->unit,
		                         .found = &b->look.found,
		                         .kind = kind,
		                         .to = to,
		                         .key = "run-1",
		                         .now_ms = (int64_t)BENCH_NOW_S * 1000 + 7,
		                         .arena = &b->arena,
		                         .forward = &b->forward,
		                         .back = &b->back };
	enum err e = b->driver->plan(&b->planning, why);
	assert_false(arena_failed(&b->arena));
	return e;
}

/* ---- steps ---- */

enum verdict_kind kube_bench_step(struct kube_bench *b, const struct step *s, int turns)
{
	struct answer answer;
	struct ask next = s->ask;
	int at = 0;
	void *memory = NULL;
	int64_t now_ms = (int64_t)BENCH_NOW_S * 1000;
	for (int i = 0; i < (turns > 0 ? turns : TURNS_MAX); i++) {
		carry(b, &next, &answer);
		const struct judging j = { .deploy = &b->deploy,
			                   .settings = &b->settings,
			                   .unit = &b->unit,
			                   .step = s,
			                   .answer = &answer,
			                   .began_ms = now_ms,
			                   .now_ms = now_ms + i,
			                   .arena = &b->arena,
			                   .at = &at,
			                   .memory = &memory };
		b->last = (struct verdict){ 0 };
		b->driver->judge(&j, &b->last);
		assert_true(b->last.text[0] != '\0');
		if (b->last.kind != VERDICT_AGAIN)
			return b->last.kind;
		b->waited_ms += b->last.wait_ms > 0 ? b->last.wait_ms : 0;
		if (b->last.next.kind != ASK_NONE)
			next = b->last.next; /* else the same */
	}
	return VERDICT_AGAIN;
}

enum verdict_kind kube_bench_probe(struct kube_bench *b, const struct step *s)
{
	struct answer answer;
	int at = 0;
	carry(b, &s->probe, &answer);
	const struct judging j = { .deploy = &b->deploy,
		                   .settings = &b->settings,
		                   .unit = &b->unit,
		                   .step = s,
		                   .answer = &answer,
		                   .is_probe = true,
		                   .arena = &b->arena,
		                   .at = &at };
	b->last = (struct verdict){ 0 };
	b->driver->judge(&j, &b->last);
	return b->last.kind;
}

size_t kube_bench_run(struct kube_bench *b, const struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		if (kube_bench_step(b, &steps->items[i], 0) != VERDICT_DONE)
			return i;
	return steps->n;
}

bool kube_bench_warns(const struct kube_bench *b, enum warning_level level, const char *part)
{
	for (size_t i = 0; i < b->look.found.n_warnings; i++)
		if (b->look.found.warnings[i].level == level && strstr(b->look.found.warnings[i].text, part) != NULL)
			return true;
	for (size_t i = 0; i < b->planning.n_warnings; i++)
		if (b->planning.warnings[i].level == level && strstr(b->planning.warnings[i].text, part) != NULL)
			return true;
	return false;
}
