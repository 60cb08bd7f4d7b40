/* SPDX-License-Identifier: Apache-2.0
 *
 * What an engine's answers to the steps mean. A step that is answered otherwise than by its success looks whether what it wants is so
 * already, before it fails. */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/note.h"

enum { AT_FIRST, AT_SENT, AT_CHECKED }; /* of steps that ask more than once */
enum { CREATE_MS = 2 * 60 * 1000, SAID = 160, ANSWER_LINE = 8192, PULL_TAIL = 64 * 1024 };

static const char *note(const struct judging *j, const char *key) { return note_text(j->arena, j->step->note, key); }

static int api_of(const struct judging *j)
{
	int64_t api = 0;
	return parse_i64(note(j, "api"), 1, 999, &api) == ERR_OK ? (int)api : DOCKER_API;
}

static void ask_next(const struct judging *j, struct verdict *v, int at, const struct docker_call *call, const char *saying)
{
	struct docker_call c = *call;
	c.api = api_of(j);
	c.socket = note(j, "socket");
	verdict_again(v, -1, "%s", saying);
	docker_ask(j->arena, &c, &v->next);
	*j->at = at;
}

static void fail(const struct judging *j, struct verdict *v, const char *what)
{
	char said[SAID];
	docker_message(j->answer, said, sizeof said);
	verdict_failed(v, "%s: %s", what, said);
}

static bool is_good(const struct answer *a) { return a->status >= 200 && a->status <= 299; }

/* False: it is none, and v says so. */
static bool container_of(const struct judging *j, struct verdict *v, struct docker_container *out)
{
	struct cJSON *o = j->answer->status == 200 ? docker_json(j->answer) : NULL;
	bool ok = o != NULL && docker_read(j->arena, o, out);
	cJSON_Delete(o);
	if (!ok && j->answer->status == 200)
		verdict_failed(v, "the engine tells of the container in a form that is not known");
	else if (!ok)
		fail(j, v, j->answer->status == 404 ? "the container is gone" : "the engine does not tell of the container");
	return ok;
}

/* ---- pulling ---- */

/* The answer is a line of JSON for each piece of progress; its status was said before any of it, so that an error stands in a line, the
 * last but for blank ones. */
static bool pull_failed(const struct answer *a, char *said, size_t size)
{
	const char *end = a->text + a->n, *text = a->n > PULL_TAIL ? end - PULL_TAIL : a->text;
	bool failed = false;
	while (text < end && !failed) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)), *error = "";
		size_t n = (size_t)((stop != NULL ? stop : end) - text);
		struct cJSON *o = NULL;
		struct why why;
		failed = json_parse(text, n, NULL, &o, &why) == ERR_OK && json_get_string(o, "error", ANSWER_LINE, &error, &why) == ERR_OK;
		if (failed)
			first_line(error, said, size);
		cJSON_Delete(o);
		text += stop != NULL ? n + 1 : n;
	}
	return failed;
}

static void judge_pull(const struct judging *j, struct verdict *v)
{
	char said[SAID];
	if (!is_good(j->answer))
		fail(j, v, "the image can't be fetched");
	else if (pull_failed(j->answer, said, sizeof said))
		verdict_failed(v, "the image can't be fetched: %s", said);
	else if (j->answer->is_cut)
		verdict_again(v, 0, "it is fetched still: it told more of its progress than is kept");
	else
		verdict_done(v, "the image was fetched");
}

static void judge_pulled(const struct judging *j, struct verdict *v)
{
	if (j->answer->status == 200)
		verdict_done(v, "the image is there");
	else
		fail(j, v, "the image is not there");
}

/* ---- creating ---- */

static void create(const struct judging *j, struct verdict *v)
{
	struct cJSON *inspect = j->answer->status == 200 ? docker_json(j->answer) : NULL, *of_image = NULL, *body = NULL;
	const char *own = note(j, "of_image");
	struct why why = { "" };
	struct docker_container old;
	if (!container_of(j, v, &old)) {
		cJSON_Delete(inspect);
		return;
	}
	json_parse(own, strlen(own), NULL, &of_image, &why);
	const struct docker_birth b = { .api = api_of(j),
		                        .key = note(j, "key"),
		                        .image = note(j, "image"),
		                        .known_as = note(j, "known_as"),
		                        .image_id = note(j, "want"),
		                        .of_image = of_image };
	enum err e = strcmp(old.id, note(j, "id")) == 0 ? ERR_OK : why_set(&why, ERR_FORMAT, "another container was told of");
	if (e == ERR_OK && !docker_is_bounded(inspect))
		e = why_set(&why, ERR_LIMIT, "the engine tells too much of the container");
	if (e == ERR_OK && of_image == NULL)
		e = why_set(&why, ERR_FORMAT, "what the old image brought along can't be read");
	e = e == ERR_OK ? docker_create_body(inspect, &b, &body, &why) : e;
	if (e == ERR_OK) {
		const struct docker_call c = { .method = "POST",
			                       .segments = { "containers", "create" },
			                       .query = arena_printf(j->arena, "name=%s", note(j, "name")),
			                       .body = docker_tree_text(j->arena, body),
			                       .timeout_ms = CREATE_MS };
		ask_next(j, v, AT_SENT, &c, "creating");
	} else {
		verdict_failed(v, "%s", why.text);
	}
	cJSON_Delete(inspect);
	cJSON_Delete(of_image);
	cJSON_Delete(body);
}

static void check_created(const struct judging *j, struct verdict *v)
{
	struct docker_container new;
	if (!container_of(j, v, &new))
		return;
	const char *want = note(j, "want");
	if (strcmp(new.run, note(j, "key")) != 0)
		verdict_failed(v, "the name %s is taken by a container that this run did not make", note(j, "name"));
	else if (want[0] != '\0' && strcmp(new.image, want) != 0)
		verdict_failed(v, "%.80s means another image by now (%.19s) than when this was planned (%.19s)", note(j, "image"), new.image, want);
	else
		verdict_done(v, "created %.12s", new.id);
}

/* A name that is taken may be ours, of a request whose answer was lost. */
static void judge_create(const struct judging *j, struct verdict *v)
{
	const struct docker_call c = { .method = "GET", .segments = { "containers", note(j, "name"), "json" } };
	if (*j->at == AT_FIRST)
		create(j, v);
	else if (*j->at == AT_CHECKED)
		check_created(j, v);
	else if (j->answer->status == 201 || j->answer->status == 409)
		ask_next(j, v, AT_CHECKED, &c, "looking at what was created");
	else
		fail(j, v, "it can't be created");
}

/* ---- networks ---- */

static void judge_connect(const struct judging *j, struct verdict *v)
{
	const struct docker_call c = { .method = "GET", .segments = { "containers", note(j, "id"), "json" } };
	if (*j->at == AT_FIRST && is_good(j->answer)) {
		verdict_done(v, "connected");
	} else if (*j->at == AT_FIRST && j->answer->status != 404) {
		ask_next(j, v, AT_CHECKED, &c, "looking whether it is connected already");
	} else {
		struct cJSON *o = docker_json(j->answer);
		const struct cJSON *networks = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(o, "NetworkSettings"), "Networks");
		bool is_there = *j->at == AT_CHECKED && cJSON_IsObject(networks) &&
		                cJSON_GetObjectItemCaseSensitive(networks, note(j, "name")) != NULL;
		cJSON_Delete(o);
		if (is_there)
			verdict_done(v, "it is connected");
		else
			fail(j, v, "it can't be connected to the network");
	}
}

/* ---- small changes ---- */

static void judge_stop(const struct judging *j, struct verdict *v)
{
	if (is_good(j->answer) || j->answer->status == 304)
		verdict_done(v, j->answer->status == 304 ? "it was stopped already" : "stopped");
	else
		fail(j, v, "it can't be stopped");
}

static void judge_start(const struct judging *j, struct verdict *v)
{
	if (is_good(j->answer) || j->answer->status == 304)
		verdict_done(v, j->answer->status == 304 ? "it runs already" : "started");
	else
		fail(j, v, "it can't be started");
}

static void judge_policy(const struct judging *j, struct verdict *v)
{
	if (is_good(j->answer))
		verdict_done(v, "%s", j->step->title);
	else
		fail(j, v, "its restart policy can't be changed");
}

static void judge_remove(const struct judging *j, struct verdict *v)
{
	if (is_good(j->answer) || j->answer->status == 404)
		verdict_done(v, "removed");
	else if (j->answer->status == 409)
		verdict_done(v, "it runs, or is being removed: left as it is");
	else
		fail(j, v, "it can't be removed");
}

/* Whatever is wrong with a rename: where the name is as wanted by now, it is done. */
static void judge_rename(const struct judging *j, struct verdict *v)
{
	struct docker_container c;
	const struct docker_call look = { .method = "GET", .segments = { "containers", note(j, "id"), "json" } };
	if (*j->at == AT_FIRST && is_good(j->answer)) {
		verdict_done(v, "renamed");
		return;
	}
	if (*j->at == AT_FIRST) {
		ask_next(j, v, AT_CHECKED, &look, "looking what it is called");
		return;
	}
	if (!container_of(j, v, &c))
		return;
	bool is_ours = j->step->tag == TAG_DOCKER_RENAME_NEW ? strcmp(c.run, note(j, "key")) == 0 : strcmp(c.id, note(j, "id")) == 0;
	if (is_ours && strcmp(c.name, note(j, "name")) == 0)
		verdict_done(v, "it is called %s already", c.name);
	else if (is_ours)
		verdict_failed(v, "it can't be renamed: it is called %s, and the name %s is taken", c.name, note(j, "name"));
	else
		verdict_failed(v, "it can't be renamed: the name %s is taken by a container that this run did not make, %.12s",
		               note(j, "name"), c.id);
}

/* ---- waiting ---- */

static void judge_health(const struct docker_container *c, struct verdict *v)
{
	char said[SAID / 2];
	first_line(c->health_said, said, sizeof said);
	if (strcmp(c->health, "healthy") == 0)
		verdict_done(v, "healthy");
	else if (strcmp(c->health, "starting") == 0)
		verdict_again(v, 0, "it runs; the healthcheck has not passed yet%s%s", said[0] != '\0' ? ": " : "", said);
	else /* it may load for longer than its start period says */
		verdict_again(v, 0, "it runs, and is %.20s so far%s%s",
		              strcmp(c->health, "unhealthy") == 0 ? "unhealthy" : "in no known state", said[0] != '\0' ? ": " : "", said);
}

static void say_ended(const struct docker_container *c, struct verdict *v)
{
	char said[SAID];
	first_line(c->error, said, sizeof said);
	verdict_failed(v, "it does not stay up: %.20s, exit status %lld%s%s%s", c->status, (long long)c->exit_code,
	               c->was_killed ? ", killed for want of memory" : "", said[0] != '\0' ? ": " : "", said);
}

/* A process that is another than at the first look has ended in between. */
static void judge_wait(const struct judging *j, struct verdict *v)
{
	struct docker_container c;
	const char *key = note(j, "key"), *image = note(j, "image");
	int64_t stable_ms = setting_number(j->settings, "stable"), ran_ms = j->now_ms - j->began_ms;
	if (j->answer->status >= 500) {
		verdict_again(v, 0, "the engine answers with status %d", j->answer->status);
		return;
	}
	if (!container_of(j, v, &c))
		return;
	bool is_another = *j->at != 0 && c.pid != 0 && c.pid != *j->at;
	*j->at = c.pid != 0 ? (int)c.pid : *j->at;
	if (key[0] != '\0' && strcmp(c.run, key) != 0)
		verdict_failed(v, "another container has taken the name: %.12s, which this run did not make", c.id);
	else if (image[0] != '\0' && strcmp(c.image, image) != 0)
		verdict_failed(v, "it runs another image (%.19s) than was meant (%.19s)", c.image, image);
	else if (strcmp(c.status, "paused") == 0)
		verdict_again(v, 0, "it is paused");
	else if (!c.is_running || strcmp(c.status, "running") != 0)
		say_ended(&c, v);
	else if (is_another || (key[0] != '\0' && c.restarts > 0))
		verdict_failed(v, "it does not stay up: its process ended and was started again");
	else if (c.health[0] != '\0')
		judge_health(&c, v);
	else if (ran_ms >= stable_ms)
		verdict_done(v, "it has run for a while");
	else
		verdict_again(v, 0, "it runs");
}

/* ---- what this run made, wherever it stands ---- */

/* The one with our label. False: none, or not one alone, and v says what that means. */
static bool find_ours(const struct judging *j, struct verdict *v, const char **id, const char **name)
{
	struct cJSON *list = j->answer->status == 200 ? docker_json(j->answer) : NULL;
	const struct cJSON *one;
	const char *key = note(j, "key");
	int n = 0;
	*id = *name = "";
	cJSON_ArrayForEach(one, list)
	{
		const struct cJSON *at = cJSON_GetObjectItemCaseSensitive(one, "Id"), *names = cJSON_GetObjectItemCaseSensitive(one, "Names");
		if (strcmp(docker_label(cJSON_GetObjectItemCaseSensitive(one, "Labels"), DOCKER_RUN), key) != 0 ||
		    !cJSON_IsString(at) || !docker_is_id(at->valuestring))
			continue;
		if (++n > 1)
			break;
		*id = arena_printf(j->arena, "%s", at->valuestring);
		if (cJSON_IsArray(names) && cJSON_IsString(names->child) && names->child->valuestring[0] == '/')
			*name = arena_printf(j->arena, "%.*s", DOCKER_NAME_MAX, names->child->valuestring + 1);
	}
	bool is_list = cJSON_IsArray(list);
	cJSON_Delete(list);
	if (!is_list)
		fail(j, v, "the engine does not tell its containers");
	else if (n == 0)
		verdict_done(v, "this run made none");
	else if (n > 1)
		verdict_failed(v, "more than one container has the label of this run");
	return is_list && n == 1;
}

static void judge_ours(const struct judging *j, struct verdict *v)
{
	static const struct {
		int         tag;
		const char *verb, *done, *failed;
	} verbs[] = {
		{ TAG_DOCKER_STOP_OURS, "stop", "stopped", "what this run made can't be stopped" },
		{ TAG_DOCKER_POLICY_OURS, "update", "it stays down", "the restart policy of what this run made can't be changed" },
		{ TAG_DOCKER_ASIDE, "rename", "renamed", "what this run made can't be renamed" },
	};
	const char *id, *name, *body = note(j, "body");
	int64_t seconds = 0;
	size_t i = 0;
	while (i < 2 && verbs[i].tag != j->step->tag)
		i++;
	if (*j->at != AT_FIRST) {
		if (is_good(j->answer) || j->answer->status == 304 || j->answer->status == 404)
			verdict_done(v, "%s", verbs[i].done);
		else
			fail(j, v, verbs[i].failed);
		return;
	}
	if (!find_ours(j, v, &id, &name))
		return;
	if (j->step->tag == TAG_DOCKER_ASIDE && strcmp(name, note(j, "name")) == 0) {
		verdict_done(v, "it is called %s already", name);
		return;
	}
	if (parse_i64(note(j, "seconds"), 0, DOCKER_STOP_MAX_S, &seconds) != ERR_OK)
		seconds = DOCKER_STOP_MAX_S;
	const struct docker_call c = { .method = "POST",
		                       .segments = { "containers", id, verbs[i].verb },
		                       .query = note(j, "query"),
		                       .body = body[0] != '\0' ? body : NULL,
		                       .timeout_ms = seconds * 1000 + 60 * 1000 };
	ask_next(j, v, AT_SENT, &c, j->step->title);
}

/* ---- all ---- */

bool docker_judge(const struct judging *j, struct verdict *v)
{
	static void (*const judges[])(const struct judging *, struct verdict *) = {
		[TAG_DOCKER_PULL - TAG_DOCKER_PULL] = judge_pull,
		[TAG_DOCKER_PULLED - TAG_DOCKER_PULL] = judge_pulled,
		[TAG_DOCKER_CREATE - TAG_DOCKER_PULL] = judge_create,
		[TAG_DOCKER_CONNECT - TAG_DOCKER_PULL] = judge_connect,
		[TAG_DOCKER_STOP - TAG_DOCKER_PULL] = judge_stop,
		[TAG_DOCKER_POLICY - TAG_DOCKER_PULL] = judge_policy,
		[TAG_DOCKER_RENAME_OLD - TAG_DOCKER_PULL] = judge_rename,
		[TAG_DOCKER_RENAME_NEW - TAG_DOCKER_PULL] = judge_rename,
		[TAG_DOCKER_START - TAG_DOCKER_PULL] = judge_start,
		[TAG_DOCKER_WAIT - TAG_DOCKER_PULL] = judge_wait,
		[TAG_DOCKER_REMOVE - TAG_DOCKER_PULL] = judge_remove,
		[TAG_DOCKER_STOP_OURS - TAG_DOCKER_PULL] = judge_ours,
		[TAG_DOCKER_POLICY_OURS - TAG_DOCKER_PULL] = judge_ours,
		[TAG_DOCKER_ASIDE - TAG_DOCKER_PULL] = judge_ours,
	};
	_Static_assert(sizeof judges / sizeof judges[0] == TAG_DOCKER_LAST - TAG_DOCKER_PULL, "a judge for every step");
	if (j->step->tag < TAG_DOCKER_PULL || j->step->tag >= TAG_DOCKER_LAST)
		return false;
	if (verdict_of_silence(j, v))
		return true;
	if (j->answer == NULL)
		verdict_failed(v, "a request without an answer");
	else
		judges[j->step->tag - TAG_DOCKER_PULL](j, v);
	return true;
}
