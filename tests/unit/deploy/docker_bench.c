/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/docker_bench.h"

struct driver_bench bench;

const char *inspect_of(const char *id, const char *name, const char *image, const char *state, const char *config, const char *host,
                       const char *rest)
{
	return arena_printf(
		&bench.arena,
		"{\"Id\":\"%s\",\"Name\":\"/%s\",\"Image\":\"%s\",\"RestartCount\":0,\"State\":{%s},\"Config\":{%s},\"HostConfig\":{%s}%s}",
		id, name, image, state, config, host, rest);
}

const char *old_with(const char *config, const char *host, const char *rest)
{
	return inspect_of(OLD, "chat", IMAGE_1, RUNNING, config, host, rest);
}

const char *new_with(const char *name, const char *image, const char *state, const char *label)
{
	return inspect_of(NEW, name, image, state,
	                  arena_printf(&bench.arena, "\"Image\":\"reg.example/chat:v2\",\"Labels\":{\"io.pitwall.run\":\"%s\"}", label),
	                  HOST, "");
}

void open_with(const char *driver, const char *options)
{
	driver_bench_init(&bench, driver_find(driver), options);
	if (bench.err != ERR_OK)
		fail_msg("%s: %s", options, bench.why.text);
}

enum look_turn look_at(const char *version, const char *list, const char *inspect, const char *image, const char *images)
{
	const struct answer answers[] = { answered(200, version), answered(200, list), answered(200, inspect),
		                          image != NULL ? answered(200, image) : answered(404, "{\"message\":\"No such image\"}"),
		                          answered(200, images) };
	return driver_bench_look_all(&bench, answers, sizeof answers / sizeof answers[0]);
}

void open_planned(const char *options, const char *version, const char *config, const char *host, const char *rest)
{
	open_with("docker", options);
	if (look_at(version, LIST, old_with(config, host, rest), IMAGE, IMAGES) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	if (driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_2) != ERR_OK)
		fail_msg("%s", bench.why.text);
}

int close_bench(void **state)
{
	(void)state;
	driver_bench_release(&bench);
	return 0;
}

void judge_all(const struct step *s, const struct answer *answers, size_t n, int64_t after_ms, struct verdict *v)
{
	int at = 0;
	*v = (struct verdict){ .kind = VERDICT_AGAIN };
	for (size_t i = 0; i < n && v->kind == VERDICT_AGAIN; i++)
		driver_bench_judge(&bench, s, &answers[i], false, after_ms, &at, v);
}

const char *titles_of(const struct steps *s)
{
	const char *text = "";
	for (size_t i = 0; i < s->n; i++)
		text = arena_printf(&bench.arena, "%s%.*s|", text, (int)strcspn(s->items[i].title, ",:"), s->items[i].title);
	return text;
}

void assert_hides(const char *text)
{
	if (text != NULL && (strstr(text, "hunter2") != NULL || strstr(text, "sesame") != NULL))
		fail_msg("a secret is in '%s'", text);
}
