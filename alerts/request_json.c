/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests as the files of the spool have them: one JSON object. */
#include "alerts/request.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

#define IN(kind) (1u << REQUEST_##kind)
#define IN_ALL   ((1u << REQUEST_KIND_COUNT) - 1)

static const struct {
	const char *name;
	unsigned    kinds;
} members[] = {
	{ "version", IN_ALL },
	{ "id", IN_ALL },
	{ "kind", IN_ALL },
	{ "asked", IN_ALL },
	{ "who", IN_ALL },
	{ "origin", IN_ALL },
	{ "comment", IN(ACK) | IN(SILENCE) | IN(NOTE) | IN(PLAN) | IN(CONTROL) },
	{ "keys", IN(ACK) | IN(UNACK) },
	{ "from", IN(SILENCE) },
	{ "until", IN(ACK) | IN(SILENCE) },
	{ "matchers", IN(SILENCE) },
	{ "silence", IN(SILENCE) | IN(UNSILENCE) },
	{ "alert", IN(NOTE) | IN(PLAN) },
	{ "node", IN(NOTE) },
	{ "at", IN(NOTE) },
	{ "console", IN(HERE) },
	{ "view", IN(HERE) },
	{ "gone", IN(HERE) },
	{ "verb", IN(PLAN) | IN(CONTROL) },
	{ "target", IN(PLAN) },
	{ "to", IN(PLAN) },
	{ "deployment", IN(CONFIRM) | IN(CONTROL) },
	{ "hash", IN(CONFIRM) },
	{ "name", IN(CONFIRM) },
};
enum { N_MEMBERS = sizeof members / sizeof members[0] };

/* ---- writing ---- */

static bool has(const struct request *r, const char *member)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (strcmp(members[i].name, member) == 0)
			return (members[i].kinds & (1u << r->kind)) != 0;
	return false;
}

static void put_text(const struct request *r, struct buf *to, const char *member, const char *text)
{
	if (text == NULL || text[0] == '\0' || !has(r, member))
		return;
	buf_printf(to, ",\"%s\":", member);
	json_put_string(to, text, strlen(text));
}

static void put_number(const struct request *r, struct buf *to, const char *member, int64_t value)
{
	if (value != 0 && has(r, member))
		buf_printf(to, ",\"%s\":%lld", member, (long long)value);
}

static void put_keys(const struct request *r, struct buf *to)
{
	if (!has(r, "keys"))
		return;
	for (size_t i = 0; i < r->n_keys; i++) {
		buf_puts(to, i == 0 ? ",\"keys\":[" : ",");
		json_put_string(to, r->keys[i], strlen(r->keys[i]));
	}
	buf_putc(to, ']');
}

enum err request_write(const struct request *r, struct buf *to, struct why *why)
{
	enum err e = request_check(r, why);
	if (e != ERR_OK)
		return e;
	size_t before = to->len;
	buf_printf(to, "{\"version\":1,\"id\":\"%s\",\"kind\":\"%s\",\"asked\":%lld", r->id, request_kind_name(r->kind), (long long)r->asked_ms);
	put_text(r, to, "who", r->who);
	put_text(r, to, "origin", r->origin);
	put_keys(r, to);
	put_text(r, to, "comment", r->comment);
	put_number(r, to, "from", r->from_ms);
	put_number(r, to, "until", r->until_ms);
	if (has(r, "matchers"))
		buf_printf(to, ",\"matchers\":%s", r->matchers); /* JSON already, and checked */
	put_text(r, to, "silence", r->silence);
	put_number(r, to, "alert", r->alert);
	put_text(r, to, "node", r->node);
	put_number(r, to, "at", r->at_ms);
	put_text(r, to, "console", r->console);
	put_text(r, to, "view", r->view);
	if (has(r, "gone") && r->is_gone)
		buf_puts(to, ",\"gone\":true");
	put_text(r, to, "verb", r->verb);
	put_text(r, to, "target", r->target);
	put_text(r, to, "to", r->to);
	put_number(r, to, "deployment", r->deployment);
	put_text(r, to, "hash", r->hash);
	put_text(r, to, "name", r->name);
	buf_puts(to, "}\n");
	if (to->err != ERR_OK)
		return to->err == ERR_MEMORY ? why_memory(why) : why_set(why, to->err, "the request is too large");
	if (to->len - before > REQUEST_BYTES_MAX)
		return why_set(why, ERR_LIMIT, "the request is larger than %d bytes: ask for less at once", REQUEST_BYTES_MAX);
	return ERR_OK;
}

/* ---- reading ---- */

struct reading {
	struct request request; /* first: request_free is given its address */
	struct arena   arena;
	const cJSON   *tree;
	struct why    *why;
	enum err       err;     /* the first mistake */
};

static void fail(struct reading *r, enum err e)
{
	if (r->err == ERR_OK)
		r->err = e;
}

/* What may be missing is no mistake, and leaves no sentence. */
static void settle(struct reading *r, enum err e)
{
	if (e == ERR_NOT_FOUND && r->why != NULL)
		r->why->text[0] = '\0';
	else if (e != ERR_OK)
		fail(r, e);
}

/* "" where it is not there. The limits proper are request_check's. */
static const char *read_text(struct reading *r, const char *member)
{
	const char *text = "";
	if (r->err != ERR_OK)
		return "";
	enum err e = json_get_string(r->tree, member, REQUEST_BYTES_MAX, &text, r->why);
	settle(r, e);
	const char *copy = e == ERR_OK ? arena_text(&r->arena, text) : "";
	return copy != NULL ? copy : "";
}

static int64_t read_number(struct reading *r, const char *member)
{
	int64_t value = 0;
	if (r->err != ERR_OK)
		return 0;
	enum err e = json_get_i64(r->tree, member, 0, REQUEST_NUMBER_MAX, &value, r->why);
	settle(r, e);
	return value;
}

static bool read_flag(struct reading *r, const char *member)
{
	bool value = false;
	if (r->err != ERR_OK)
		return false;
	enum err e = json_get_bool(r->tree, member, &value, r->why);
	settle(r, e);
	return value;
}

static void read_keys(struct reading *r)
{
	const cJSON *list = NULL;
	if (r->err != ERR_OK)
		return;
	enum err e = json_get_array(r->tree, "keys", REQUEST_KEYS_MAX, &list, r->why);
	if (e == ERR_NOT_FOUND)
		return;
	if (e != ERR_OK) {
		fail(r, e);
		return;
	}
	const char **keys = arena_zeroed(&r->arena, (size_t)cJSON_GetArraySize(list), sizeof *keys);
	for (const cJSON *item = list->child; item != NULL && keys != NULL; item = item->next) {
		if (!cJSON_IsString(item)) {
			fail(r, why_set(r->why, ERR_FORMAT, "the key of an alert is not a string"));
			return;
		}
		keys[r->request.n_keys++] = arena_text(&r->arena, item->valuestring);
	}
	r->request.keys = keys;
}

static void read_matchers(struct reading *r)
{
	const cJSON *list = NULL;
	struct buf text;
	if (r->err != ERR_OK)
		return;
	enum err e = json_get_array(r->tree, "matchers", REQUEST_MATCHERS_MAX, &list, r->why);
	if (e != ERR_OK) {
		if (e != ERR_NOT_FOUND)
			fail(r, e);
		return;
	}
	buf_init(&text, 8 * REQUEST_BYTES_MAX);
	e = json_put_tree(&text, list);
	if (e == ERR_OK)
		r->request.matchers = arena_text(&r->arena, buf_text(&text));
	else
		fail(r, why_set(r->why, e, "the matchers can't be kept"));
	buf_release(&text);
}

static void read_kind(struct reading *r)
{
	const char *kind = read_text(r, "kind");
	if (r->err != ERR_OK)
		return;
	for (size_t i = 0; i < REQUEST_KIND_COUNT; i++) {
		if (strcmp(request_kind_name((enum request_kind)i), kind) == 0) {
			r->request.kind = (enum request_kind)i;
			return;
		}
	}
	fail(r, why_set(r->why, ERR_FORMAT, "'%.40s' is nothing that can be asked for", kind));
}

static void check_members(struct reading *r)
{
	unsigned seen = 0;
	for (const cJSON *item = r->tree->child; item != NULL && r->err == ERR_OK; item = item->next) {
		size_t i = 0;
		while (i < N_MEMBERS && strcmp(members[i].name, item->string) != 0)
			i++;
		if (i == N_MEMBERS || (members[i].kinds & (1u << r->request.kind)) == 0)
			fail(r, why_set(r->why, ERR_FORMAT, "'%.40s' does not belong to a request of kind %s", item->string, request_kind_name(r->request.kind)));
		else if ((seen & (1u << i)) != 0)
			fail(r, why_set(r->why, ERR_FORMAT, "'%s' is there twice", members[i].name));
		else
			seen |= 1u << i;
	}
}

static void read_head(struct reading *r, const char *id)
{
	int64_t version = 0;
	if (!cJSON_IsObject(r->tree)) {
		fail(r, why_set(r->why, ERR_FORMAT, "no request: not a JSON object"));
		return;
	}
	if (json_get_i64(r->tree, "version", 1, REQUEST_NUMBER_MAX, &version, r->why) != ERR_OK || version != 1) {
		fail(r, why_set(r->why, ERR_UNSUPPORTED, "a request of another version of pitwall: this recorder understands version 1"));
		return;
	}
	read_kind(r);
	check_members(r);
	const char *own = read_text(r, "id");
	if (r->err == ERR_OK && strcmp(own, id) != 0)
		fail(r, why_set(r->why, ERR_DENIED, "the request was made under another name: it was moved or linked"));
}

static void read_all(struct reading *r, const char *id)
{
	struct request *q = &r->request;
	read_head(r, id);
	memcpy(q->id, id, REQUEST_ID);
	q->asked_ms = read_number(r, "asked");
	q->who = read_text(r, "who");
	q->origin = read_text(r, "origin");
	q->comment = read_text(r, "comment");
	read_keys(r);
	q->from_ms = read_number(r, "from");
	q->until_ms = read_number(r, "until");
	q->matchers = "";
	read_matchers(r);
	q->silence = read_text(r, "silence");
	q->alert = read_number(r, "alert");
	q->node = read_text(r, "node");
	q->at_ms = read_number(r, "at");
	q->console = read_text(r, "console");
	q->view = read_text(r, "view");
	q->is_gone = read_flag(r, "gone");
	q->verb = read_text(r, "verb");
	q->target = read_text(r, "target");
	q->to = read_text(r, "to");
	q->deployment = read_number(r, "deployment");
	q->hash = read_text(r, "hash");
	q->name = read_text(r, "name");
	if (r->err == ERR_OK && arena_failed(&r->arena))
		fail(r, why_memory(r->why));
	if (r->err == ERR_OK)
		fail(r, request_check(q, r->why));
}

enum err request_read(const char *text, size_t n, const char *id, struct request **out, struct why *why)
{
	static const struct json_limits limits = { .bytes = REQUEST_BYTES_MAX, .depth = 3, .values = 2 * REQUEST_KEYS_MAX };
	cJSON *tree = NULL;
	if (!request_is_id(id))
		return why_set(why, ERR_FORMAT, "'%.80s' is no name of a request", id);
	enum err e = json_parse(text, n, &limits, &tree, why);
	if (e != ERR_OK)
		return e;
	struct reading *r = calloc(1, sizeof *r);
	if (r == NULL) {
		cJSON_Delete(tree);
		return why_memory(why);
	}
	arena_init(&r->arena);
	r->tree = tree;
	r->why = why;
	read_all(r, id);
	cJSON_Delete(tree);
	r->tree = NULL;
	r->why = NULL;
	if (r->err != ERR_OK) {
		e = r->err;
		request_free(&r->request);
		return e;
	}
	*out = &r->request;
	return ERR_OK;
}

void request_free(struct request *r)
{
	if (r == NULL)
		return;
	struct reading *whole = (struct reading *)r;
	arena_release(&whole->arena);
	free(whole);
}

enum err request_copy(const struct request *r, struct request **out, struct why *why)
{
	struct buf text;
	buf_init(&text, 2 * REQUEST_BYTES_MAX);
	enum err e = request_write(r, &text, why);
	if (e == ERR_OK)
		e = request_read(buf_text(&text), text.len, r->id, out, why);
	buf_release(&text);
	return e;
}
