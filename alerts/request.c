/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/request.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"
#include "base/text.h"

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */

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
	if (e == ERR_OK && (r->alert < 0 || r->alert > REQUEST_NUMBER_MAX))
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
	enum err e = check_text("the target", r->target, REQUEST_TARGET_MAX, why);
	if (e == ERR_OK)
		e = check_text("the version", r->to, REQUEST_VERSION_MAX, why);
	if (e == ERR_OK && (r->alert < 0 || r->alert > REQUEST_NUMBER_MAX))
		e = why_set(why, ERR_RANGE, "there is no alert of that number");
	return e;
}

static enum err check_deployment(const struct request *r, struct why *why)
{
	return r->deployment > 0 && r->deployment <= REQUEST_NUMBER_MAX ? ERR_OK : why_set(why, ERR_RANGE, "there is no deployment of that number");
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
