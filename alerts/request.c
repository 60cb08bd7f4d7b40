/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/request.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */
#define EXACT_MAX   INT64_C(9007199254740992) /* 2^53: what JSON keeps exactly */

static const struct {
	const char *name;
	enum deed   deed;
} kinds[] = {
	[REQUEST_ACK]       = { "ack", DEED_ACK },
	[REQUEST_UNACK]     = { "unack", DEED_UNACK },
	[REQUEST_SILENCE]   = { "silence", DEED_SILENCE },
	[REQUEST_UNSILENCE] = { "unsilence", DEED_UNSILENCE },
	[REQUEST_NOTE]      = { "note", DEED_NOTE },
	[REQUEST_HERE]      = { "here", DEED_HERE },
	[REQUEST_PLAN]      = { "plan", DEED_PLAN },
	[REQUEST_CONFIRM]   = { "confirm", DEED_CONFIRM },
	[REQUEST_CONTROL]   = { "control", DEED_CONTROL },
};
_Static_assert(sizeof kinds / sizeof kinds[0] == REQUEST_KIND_COUNT, "a row for every kind");

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

const char *request_kind_name(enum request_kind k) { return kinds[k].name; }
bool        request_is_deploy(enum request_kind k) { return k == REQUEST_PLAN || k == REQUEST_CONFIRM || k == REQUEST_CONTROL; }

/* To accept what a gate found is more than to handle a run. */
enum deed request_deed(const struct request *r)
{
	return r->kind == REQUEST_CONTROL && r->verb != NULL && strcmp(r->verb, "pass") == 0 ? DEED_PASS : kinds[r->kind].deed;
}

/* ---- ids ---- */

/* RFC 9562, version 7: 48 bits of milliseconds, then random ones. */
enum err request_new_id(int64_t now_ms, char to[REQUEST_ID], struct why *why)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t b[16];
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return why_set(why, ERR_IO, "the system gives no random bytes");
	for (size_t i = 0; i < 6; i++)
		b[i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
	b[6] = (uint8_t)(0x70 | (b[6] & 0x0f));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
	char *p = to;
	for (size_t i = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[b[i] >> 4];
		*p++ = digits[b[i] & 15];
	}
	*p = '\0';
	return ERR_OK;
}

bool request_is_id(const char *text)
{
	for (size_t i = 0; i < REQUEST_ID - 1; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (text[i] == '\0' || (is_dash ? text[i] != '-' : strchr("0123456789abcdef", text[i]) == NULL))
			return false;
	}
	return text[REQUEST_ID - 1] == '\0';
}

/* ---- what is right ---- */

static const char *or_empty(const char *text) { return text != NULL ? text : ""; }

/* Characters that do not belong into a line for people: controls, and such as turn the writing direction or end the line. */
static bool is_odd(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static enum err check_text(const char *what, const char *text, size_t max, struct why *why)
{
	const char *p = or_empty(text), *end = p + strlen(p);
	if ((size_t)(end - p) > max)
		return why_set(why, ERR_RANGE, "%s is longer than %zu bytes", what, max);
	while (p < end) {
		bool is_bad;
		uint32_t c = text_decode(&p, end, &is_bad);
		if (is_bad)
			return why_set(why, ERR_FORMAT, "%s is not UTF-8", what);
		if (is_odd(c))
			return why_set(why, ERR_FORMAT, "%s holds a control character (U+%04X)", what, (unsigned)c);
	}
	return ERR_OK;
}

static enum err check_bytes(const char *what, const char *text, size_t max, struct why *why)
{
	size_t n = strlen(or_empty(text));
	if (n > max)
		return why_set(why, ERR_RANGE, "%s is longer than %zu bytes", what, max);
	return n == 0 || text_is_utf8(text, n) ? ERR_OK : why_set(why, ERR_FORMAT, "%s is not UTF-8", what);
}

static enum err check_time(const char *what, int64_t ms, struct why *why)
{
	return ms >= 0 && ms <= TIME_MAX_MS ? ERR_OK : why_set(why, ERR_RANGE, "%s is no time", what);
}

static enum err check_keys(const struct request *r, struct why *why)
{
	if (r->n_keys == 0)
		return why_set(why, ERR_FORMAT, "no alert is named");
	if (r->n_keys > REQUEST_KEYS_MAX)
		return why_set(why, ERR_LIMIT, "more than %d alerts at once", REQUEST_KEYS_MAX);
	enum err e = ERR_OK;
	for (size_t i = 0; i < r->n_keys && e == ERR_OK; i++)
		e = r->keys[i][0] != '\0' ? check_bytes("the key of an alert", r->keys[i], REQUEST_KEY_MAX, why)
		                          : why_set(why, ERR_FORMAT, "the key of an alert is empty");
	return e;
}

static enum err check_matcher(const cJSON *m, struct why *why)
{
	static const char *const flags[] = { "isRegex", "isEqual" };
	const char *text;
	bool flag;
	if (!cJSON_IsObject(m))
		return why_set(why, ERR_FORMAT, "a matcher is not an object");
	enum err e = json_get_string(m, "name", REQUEST_MATCHER_MAX, &text, why);
	if (e == ERR_OK && text[0] == '\0')
		e = why_set(why, ERR_FORMAT, "a matcher without a name");
	if (e == ERR_OK)
		e = json_get_string(m, "value", REQUEST_MATCHER_MAX, &text, why);
	for (size_t i = 0; i < 2 && e == ERR_OK; i++)
		e = json_get_bool(m, flags[i], &flag, why);
	if (e == ERR_OK && cJSON_GetArraySize(m) != 4)
		e = why_set(why, ERR_FORMAT, "a matcher has more than name, value, isRegex and isEqual");
	return e == ERR_NOT_FOUND ? ERR_FORMAT : e;
}

static enum err check_matcher_list(const cJSON *list, struct why *why)
{
	int n = cJSON_GetArraySize(list);
	if (!cJSON_IsArray(list) || n == 0)
		return why_set(why, ERR_FORMAT, "a silence needs at least one matcher");
	if (n > REQUEST_MATCHERS_MAX)
		return why_set(why, ERR_LIMIT, "more than %d matchers", REQUEST_MATCHERS_MAX);
	enum err e = ERR_OK;
	for (const cJSON *m = list->child; m != NULL && e == ERR_OK; m = m->next)
		e = check_matcher(m, why);
	return e;
}

static enum err check_matchers(const char *text, struct why *why)
{
	static const struct json_limits limits = { .bytes = REQUEST_BYTES_MAX, .depth = 2, .values = REQUEST_MATCHERS_MAX * 8 };
	cJSON *tree = NULL;
	if (text == NULL || text[0] == '\0')
		return why_set(why, ERR_FORMAT, "a silence needs at least one matcher");
	enum err e = json_parse(text, strlen(text), &limits, &tree, why);
	if (e == ERR_OK)
		e = check_matcher_list(tree, why);
	cJSON_Delete(tree);
	return e;
}

static bool is_silence_id(const char *text)
{
	size_t n = strlen(text);
	return n > 0 && n <= REQUEST_NAME_MAX && text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")] == '\0';
}

static enum err check_silence(const struct request *r, struct why *why)
{
	const char *other = or_empty(r->silence);
	enum err e = check_time("the beginning of the silence", r->from_ms, why);
	if (e == ERR_OK)
		e = check_time("the end of the silence", r->until_ms, why);
	if (e == ERR_OK && r->until_ms <= (r->from_ms != 0 ? r->from_ms : r->asked_ms))
		e = why_set(why, ERR_RANGE, "the silence ends before it begins");
	if (e == ERR_OK && other[0] != '\0' && !is_silence_id(other))
		e = why_set(why, ERR_FORMAT, "'%.80s' is no id of a silence", other);
	return e == ERR_OK ? check_matchers(r->matchers, why) : e;
}

static enum err check_note(const struct request *r, struct why *why)
{
	enum err e = check_bytes("the name of the node", r->node, REQUEST_NODE_MAX, why);
	if (e == ERR_OK)
		e = check_time("the time of the note", r->at_ms, why);
	if (e == ERR_OK && (r->alert < 0 || r->alert > EXACT_MAX))
		e = why_set(why, ERR_RANGE, "there is no alert of that number");
	if (e == ERR_OK && or_empty(r->comment)[0] == '\0')
		e = why_set(why, ERR_FORMAT, "the note is empty");
	return e;
}

static enum err check_here(const struct request *r, struct why *why)
{
	if (!request_is_id(or_empty(r->console)))
		return why_set(why, ERR_FORMAT, "the console has no id");
	return check_text("what is shown", r->view, REQUEST_VIEW_MAX, why);
}

static bool is_verb(const char *text)
{
	size_t n = strlen(text);
	return n > 0 && n <= REQUEST_VERB_MAX && text[strspn(text, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static enum err check_plan(const struct request *r, struct why *why)
{
	const char *verb = or_empty(r->verb);
	if (strcmp(verb, "redeploy") != 0 && strcmp(verb, "rollback") != 0)
		return why_set(why, ERR_FORMAT, "what is planned is a redeploy or a rollback, not '%.40s'", verb);
	if (or_empty(r->target)[0] == '\0')
		return why_set(why, ERR_FORMAT, "nothing is named that is to be deployed");
	enum err e = check_text("the target", r->target, REQUEST_NODE_MAX, why);
	if (e == ERR_OK)
		e = check_text("the version", r->to, REQUEST_VERSION_MAX, why);
	if (e == ERR_OK && (r->alert < 0 || r->alert > EXACT_MAX))
		e = why_set(why, ERR_RANGE, "there is no alert of that number");
	return e;
}

static enum err check_deployment(const struct request *r, struct why *why)
{
	return r->deployment > 0 && r->deployment <= EXACT_MAX ? ERR_OK : why_set(why, ERR_RANGE, "there is no deployment of that number");
}

static enum err check_confirm(const struct request *r, struct why *why)
{
	const char *hash = or_empty(r->hash);
	enum err e = check_deployment(r, why);
	if (e == ERR_OK && (strlen(hash) != REQUEST_HASH || strspn(hash, "0123456789abcdef") != REQUEST_HASH))
		e = why_set(why, ERR_FORMAT, "the plan that is confirmed is not named by its hash");
	return e == ERR_OK ? check_text("what was typed", r->name, REQUEST_NODE_MAX, why) : e;
}

static enum err check_control(const struct request *r, struct why *why)
{
	enum err e = check_deployment(r, why);
	if (e == ERR_OK && !is_verb(or_empty(r->verb)))
		e = why_set(why, ERR_FORMAT, "it is not said what is to be done with the deployment");
	return e;
}

static enum err check_kind(const struct request *r, struct why *why)
{
	switch (r->kind) {
	case REQUEST_ACK: {
		enum err e = check_keys(r, why);
		return e == ERR_OK ? check_time("the end of the acknowledgement", r->until_ms, why) : e;
	}
	case REQUEST_UNACK: return check_keys(r, why);
	case REQUEST_SILENCE: return check_silence(r, why);
	case REQUEST_UNSILENCE:
		return is_silence_id(or_empty(r->silence)) ? ERR_OK : why_set(why, ERR_FORMAT, "'%.80s' is no id of a silence", or_empty(r->silence));
	case REQUEST_NOTE: return check_note(r, why);
	case REQUEST_HERE: return check_here(r, why);
	case REQUEST_PLAN: return check_plan(r, why);
	case REQUEST_CONFIRM: return check_confirm(r, why);
	case REQUEST_CONTROL: return check_control(r, why);
	case REQUEST_KIND_COUNT: break;
	}
	return why_set(why, ERR_FORMAT, "nothing that can be asked for");
}

enum err request_check(const struct request *r, struct why *why)
{
	if (!request_is_id(r->id))
		return why_set(why, ERR_FORMAT, "the request has no id");
	enum err e = check_time("the time of the request", r->asked_ms, why);
	if (e == ERR_OK)
		e = check_text("the name", r->who, REQUEST_NAME_MAX, why);
	if (e == ERR_OK)
		e = check_text("the origin", r->origin, REQUEST_NAME_MAX, why);
	if (e == ERR_OK)
		e = check_text(r->kind == REQUEST_NOTE ? "the note" : "the comment", r->comment, REQUEST_TEXT_MAX, why);
	return e == ERR_OK ? check_kind(r, why) : e;
}

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

/* "" where it is not there. The limits proper are request_check's. */
static const char *read_text(struct reading *r, const char *member)
{
	const char *text = "";
	if (r->err != ERR_OK)
		return "";
	enum err e = json_get_string(r->tree, member, REQUEST_BYTES_MAX, &text, r->why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		fail(r, e);
	const char *copy = e == ERR_OK ? arena_text(&r->arena, text) : "";
	return copy != NULL ? copy : "";
}

static int64_t read_number(struct reading *r, const char *member)
{
	int64_t value = 0;
	if (r->err != ERR_OK)
		return 0;
	enum err e = json_get_i64(r->tree, member, 0, EXACT_MAX, &value, r->why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		fail(r, e);
	return value;
}

static bool read_flag(struct reading *r, const char *member)
{
	bool value = false;
	if (r->err != ERR_OK)
		return false;
	enum err e = json_get_bool(r->tree, member, &value, r->why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		fail(r, e);
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
		if (strcmp(kinds[i].name, kind) == 0) {
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
	if (json_get_i64(r->tree, "version", 1, EXACT_MAX, &version, r->why) != ERR_OK || version != 1) {
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
