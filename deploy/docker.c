/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "deploy/commands.h"

enum { ASK_MS = 30 * 1000, TREE_MAX = 1024 * 1024, MESSAGE_MAX = 4096 };

/* ---- names ---- */

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* moby: names.RestrictedNameChars */
bool docker_is_name(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= DOCKER_NAME_MAX && strchr(letters, name[0]) != NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

bool docker_is_id(const char *id) { return strlen(id) == DOCKER_ID && strspn(id, "0123456789abcdef") == DOCKER_ID; }

bool docker_is_image_id(const char *id) { return strncmp(id, "sha256:", 7) == 0 && docker_is_id(id + 7); }

/* Behind each mark stands a letter, a digit or an underscore: nothing that could be an option or a way up. */
bool docker_is_ref(const char *ref)
{
	size_t n = strlen(ref);
	for (const char *c = strpbrk(ref, "/:@"); c != NULL; c = strpbrk(c + 1, "/:@"))
		if (c[1] != '_' && (c[1] == '\0' || strchr(letters, c[1]) == NULL))
			return false;
	return n > 0 && n <= DOCKER_REF_MAX && strchr(letters, ref[0]) != NULL &&
	       strspn(ref, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/:@") == n;
}

/* A colon behind the last slash parts the tag: one before it is a port. */
void docker_split(struct arena *a, const char *ref, const char **repo, const char **tag)
{
	size_t n = strcspn(ref, "@");
	char *text = arena_text(a, ref);
	*repo = *tag = "";
	if (text == NULL)
		return;
	text[n] = '\0';
	char *slash = strrchr(text, '/'), *colon = strchr(slash != NULL ? slash : text, ':');
	if (colon != NULL) {
		*colon = '\0';
		*tag = colon + 1;
	}
	*repo = text;
}

/* ---- requests ---- */

const char *docker_encode(struct arena *a, const char *text)
{
	const char *path = ask_url(a, "", text, NULL); /* "/..." */
	return path[0] == '/' ? path + 1 : "";
}

void docker_ask(struct arena *a, const struct docker_call *c, struct ask *to)
{
	const char *base = c->api > 0 ? arena_printf(a, "http://localhost/v1.%d", c->api) : "http://localhost", *url = base;
	for (size_t i = 0; i < sizeof c->segments / sizeof c->segments[0] && c->segments[i] != NULL; i++)
		url = ask_url(a, url, c->segments[i], NULL);
	if (c->query != NULL && c->query[0] != '\0')
		url = arena_printf(a, "%s?%s", url, c->query);
	ask_http(a, to, c->method, url, c->body);
	to->socket = arena_text(a, c->socket);
	to->timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : ASK_MS;
}

const char *docker_tree_text(struct arena *a, const struct cJSON *tree)
{
	struct buf text;
	buf_init(&text, TREE_MAX);
	if (tree == NULL || json_put_tree(&text, tree) != ERR_OK)
		a->failed = true;
	const char *copy = a->failed ? NULL : arena_text(a, buf_text(&text));
	buf_release(&text);
	return copy != NULL ? copy : "";
}

/* ---- answers ---- */

struct cJSON *docker_json(const struct answer *a)
{
	struct cJSON *o = NULL;
	struct why why;
	return !a->is_cut && a->text != NULL && json_parse(a->text, a->n, NULL, &o, &why) == ERR_OK ? o : NULL;
}

void docker_message(const struct answer *a, char *to, size_t size)
{
	struct cJSON *o = docker_json(a);
	const char *text = "";
	struct why why;
	if (o == NULL) /* some paths of old engines answer with text; what is JSON without a message may hold a configuration */
		text = a->text != NULL ? a->text : "";
	else if (json_get_string(o, "message", MESSAGE_MAX, &text, &why) != ERR_OK)
		text = "";
	first_line(text, to, size);
	if (to[0] == '\0')
		snprintf(to, size, "status %d", a->status);
	cJSON_Delete(o);
}
