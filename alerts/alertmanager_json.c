/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/alertmanager_json.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <string.h>

#include "alerts/fingerprint.h"
#include "alerts/notify_message.h"
#include "base/clock.h"
#include "base/json.h"

enum { VALUES_MAX = 2000000, DEPTH_MAX = 16, TEXT_MAX = 64 * 1024, BY_MAX = 1000, TIME_LEN = 40 };

static const struct json_limits limits = { .bytes = AM_ANSWER_MAX, .depth = DEPTH_MAX, .values = VALUES_MAX };

/* ---- pieces ---- */

/* RFC 3339 alone: parse_time knows more. */
static enum err get_time(const cJSON *o, const char *key, int64_t *out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, key, TIME_LEN, &text, why);
	if (e != ERR_OK)
		return e;
	if (strlen(text) < 20 || !isdigit((unsigned char)text[0]) || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
	    parse_time(text, 0, out, NULL) != ERR_OK)
		return why_set(why, ERR_FORMAT, "'%s' is no time", key);
	return ERR_OK;
}

static enum err get_text(const cJSON *o, const char *key, struct arena *a, const char **out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, key, TEXT_MAX, &text, why);
	if (e != ERR_OK)
		return e;
	*out = arena_text(a, text);
	return *out != NULL ? ERR_OK : why_memory(why);
}

static enum err get_word(const cJSON *o, const char *key, const char *const *words, size_t n, int *out, struct why *why)
{
	const char *text;
	enum err e = json_get_string(o, key, 32, &text, why);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = (int)i;
			return ERR_OK;
		}
	}
	return e != ERR_OK ? e : why_set(why, ERR_FORMAT, "'%s' is none that is known", key);
}

/* The texts of a list, in the arena. */
static enum err get_texts(const cJSON *o, const char *key, struct arena *a, const char *const **out, size_t *n, struct why *why)
{
	const cJSON *list;
	enum err e = json_get_array(o, key, BY_MAX, &list, why);
	if (e != ERR_OK)
		return e;
	const char **texts = arena_zeroed(a, (size_t)cJSON_GetArraySize(list) + 1, sizeof *texts);
	size_t k = 0;
	if (texts == NULL)
		return why_memory(why);
	for (const cJSON *one = list->child; one != NULL; one = one->next) {
		if (!cJSON_IsString(one) || strlen(one->valuestring) > TEXT_MAX)
			return why_set(why, ERR_FORMAT, "'%s' holds what is no text", key);
		if ((texts[k++] = arena_text(a, one->valuestring)) == NULL)
			return why_memory(why);
	}
	*out = texts;
	*n = k;
	return ERR_OK;
}

/* The array that the whole answer is. */
static enum err parse_list(const char *json, size_t n, int max, cJSON **out, struct why *why)
{
	enum err e = json_parse(json, n, &limits, out, why);
	if (e != ERR_OK)
		return e;
	if (cJSON_IsArray(*out) && cJSON_GetArraySize(*out) <= max)
		return ERR_OK;
	e = cJSON_IsArray(*out) ? why_set(why, ERR_LIMIT, "more than %d items", max) : why_set(why, ERR_FORMAT, "the answer is no list");
	cJSON_Delete(*out);
	return e;
}

/* ---- alerts ---- */

static enum err get_status(const cJSON *o, struct am_alert *a, struct arena *arena, struct why *why)
{
	static const char *const words[] = { [AM_ACTIVE] = "active", [AM_SUPPRESSED] = "suppressed", [AM_UNPROCESSED] = "unprocessed" };
	const cJSON *status;
	int state = 0;
	enum err e = json_get_object(o, "status", &status, why);
	if (e == ERR_OK)
		e = get_word(status, "state", words, sizeof words / sizeof *words, &state, why);
	if (e == ERR_OK)
		e = get_texts(status, "silencedBy", arena, &a->silenced_by, &a->n_silenced_by, why);
	if (e == ERR_OK)
		e = get_texts(status, "inhibitedBy", arena, &a->inhibited_by, &a->n_inhibited_by, why);
	a->state = (enum am_state)state;
	return e;
}

/* The names of a list of receivers. */
static enum err get_receivers(const cJSON *o, struct am_alert *a, struct arena *arena, struct why *why)
{
	const cJSON *list;
	enum err e = json_get_array(o, "receivers", BY_MAX, &list, why);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	const char **names = e == ERR_OK ? arena_zeroed(arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *names) : NULL;
	if (e == ERR_OK && names == NULL)
		return why_memory(why);
	for (const cJSON *one = e == ERR_OK ? list->child : NULL; one != NULL && e == ERR_OK; one = one->next)
		e = get_text(one, "name", arena, &names[a->n_receivers++], why);
	a->receivers = names;
	return e;
}

static enum err get_alert(const cJSON *o, struct am_alert *a, struct arena *arena, struct why *why)
{
	a->generator_url = "";
	enum err e = json_get_labels(o, "labels", &a->labels, why);
	if (e == ERR_OK)
		e = json_get_labels(o, "annotations", &a->annotations, why);
	if (e == ERR_OK)
		e = get_time(o, "startsAt", &a->starts_ms, why);
	if (e == ERR_OK)
		e = get_time(o, "endsAt", &a->ends_ms, why);
	if (e == ERR_OK)
		e = get_status(o, a, arena, why);
	if (e == ERR_OK)
		e = get_receivers(o, a, arena, why);
	if (e == ERR_OK && cJSON_HasObjectItem(o, "generatorURL"))
		e = get_text(o, "generatorURL", arena, &a->generator_url, why);
	if (e == ERR_OK)
		a->fingerprint = alert_fingerprint(a->labels);
	return e;
}

void am_alerts_release(struct am_alerts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		labels_unref(a->items[i].labels);
		labels_unref(a->items[i].annotations);
	}
	arena_release(&a->arena);
	*a = (struct am_alerts){ 0 };
}

enum err am_alerts_parse(const char *json, size_t n, struct am_alerts *out, struct why *why)
{
	struct am_alerts a = { 0 };
	cJSON *list = NULL;
	enum err e = parse_list(json, n, AM_ALERTS_MAX, &list, why);
	if (e != ERR_OK)
		return e;
	arena_init(&a.arena);
	a.items = arena_zeroed(&a.arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *a.items);
	e = a.items != NULL ? ERR_OK : why_memory(why);
	for (const cJSON *one = list->child; one != NULL && e == ERR_OK; one = one->next) {
		e = get_alert(one, &a.items[a.n++], &a.arena, why);
		if (e != ERR_OK && e != ERR_MEMORY)
			why_prefix(why, e, "alert %zu", a.n);
	}
	cJSON_Delete(list);
	if (e == ERR_OK)
		*out = a;
	else
		am_alerts_release(&a);
	return e;
}

/* ---- silences ---- */

bool am_is_id(const char *id)
{
	size_t n = strlen(id);
	return n > 0 && n <= AM_ID_MAX && strspn(id, "0123456789abcdefABCDEF-") == n;
}

static enum err get_id(const cJSON *o, const char *key, const char **out, struct why *why)
{
	enum err e = json_get_string(o, key, AM_ID_MAX, out, why);
	if (e == ERR_OK && !am_is_id(*out))
		e = why_set(why, ERR_FORMAT, "'%s' is no id", key);
	return e;
}

/* ERR_UNSUPPORTED: it is one, but its matchers are none of ours. */
static enum err get_silence(const cJSON *o, struct am_silence *s, struct arena *a, struct why *why)
{
	static const char *const words[] = { [AM_SILENCE_ACTIVE] = "active", [AM_SILENCE_PENDING] = "pending", [AM_SILENCE_EXPIRED] = "expired" };
	const cJSON *status, *matchers = NULL;
	const char *id = NULL;
	int state = 0;
	enum err e = get_id(o, "id", &id, why);
	if (e == ERR_OK)
		e = json_get_object(o, "status", &status, why);
	if (e == ERR_OK)
		e = get_word(status, "state", words, sizeof words / sizeof *words, &state, why);
	if (e == ERR_OK)
		e = get_time(o, "startsAt", &s->starts_ms, why);
	if (e == ERR_OK)
		e = get_time(o, "endsAt", &s->ends_ms, why);
	if (e == ERR_OK)
		e = get_time(o, "updatedAt", &s->updated_ms, why);
	if (e == ERR_OK)
		e = get_text(o, "createdBy", a, &s->created_by, why);
	if (e == ERR_OK)
		e = get_text(o, "comment", a, &s->comment, why);
	if (e == ERR_OK)
		e = json_get_array(o, "matchers", AM_SILENCES_MAX, &matchers, why);
	if (e != ERR_OK)
		return e;
	s->state = (enum am_silence_state)state;
	s->id = arena_text(a, id);
	if (s->id == NULL)
		return why_memory(why);
	e = matcher_set_from_tree(&s->matchers, matchers, why);
	return e == ERR_OK || e == ERR_MEMORY ? e : ERR_UNSUPPORTED;
}

void am_silences_release(struct am_silences *s)
{
	for (size_t i = 0; i < s->n; i++)
		matcher_set_release(&s->items[i].matchers);
	arena_release(&s->arena);
	*s = (struct am_silences){ 0 };
}

static enum err take_silences(const cJSON *first, size_t room, struct am_silences *out, struct why *why)
{
	struct am_silences s = { 0 };
	enum err e = ERR_OK;
	size_t number = 0;
	arena_init(&s.arena);
	s.items = arena_zeroed(&s.arena, room + 1, sizeof *s.items);
	if (s.items == NULL)
		return why_memory(why);
	for (const cJSON *one = first; one != NULL && e == ERR_OK && number < room; one = one->next) {
		struct am_silence *at = &s.items[s.n];
		number++;
		matcher_set_init(&at->matchers);
		e = get_silence(one, at, &s.arena, why);
		if (e == ERR_OK) {
			s.n++;
			continue;
		}
		matcher_set_release(&at->matchers);
		*at = (struct am_silence){ 0 };
		if (e == ERR_UNSUPPORTED) {
			s.n_odd++;
			e = ERR_OK;
		} else if (e != ERR_MEMORY) {
			why_prefix(why, e, "silence %zu", number);
		}
	}
	if (e == ERR_OK)
		*out = s;
	else
		am_silences_release(&s);
	return e;
}

enum err am_silences_parse(const char *json, size_t n, struct am_silences *out, struct why *why)
{
	cJSON *list = NULL;
	enum err e = parse_list(json, n, AM_SILENCES_MAX, &list, why);
	if (e != ERR_OK)
		return e;
	e = take_silences(list->child, (size_t)cJSON_GetArraySize(list), out, why);
	cJSON_Delete(list);
	return e;
}

enum err am_silence_parse(const char *json, size_t n, struct am_silences *out, struct why *why)
{
	cJSON *tree = NULL;
	enum err e = json_parse(json, n, &limits, &tree, why);
	if (e != ERR_OK)
		return e;
	e = take_silences(tree, 1, out, why);
	cJSON_Delete(tree);
	if (e == ERR_OK && out->n == 0) {
		am_silences_release(out);
		e = why_set(why, ERR_UNSUPPORTED, "the silence has matchers that cannot be read here");
	}
	return e;
}

enum err am_silence_id_parse(const char *json, size_t n, char id[AM_ID_MAX + 1], struct why *why)
{
	cJSON *tree = NULL;
	const char *text;
	enum err e = json_parse(json, n, &limits, &tree, why);
	if (e != ERR_OK)
		return e;
	e = get_id(tree, "silenceID", &text, why);
	if (e == ERR_OK)
		memcpy(id, text, strlen(text) + 1);
	cJSON_Delete(tree);
	return e;
}

bool am_silence_is_ack(const struct am_silence *s)
{
	return strncmp(s->comment, AM_ACK_PREFIX, sizeof AM_ACK_PREFIX - 1) == 0;
}

const char *am_ack_comment(const struct am_silence *s)
{
	const char *text = s->comment + (am_silence_is_ack(s) ? sizeof AM_ACK_PREFIX - 1 : 0);
	while (*text == ' ')
		text++;
	return text;
}

/* ---- what it is told ---- */

enum err am_put_alerts(struct buf *to, const struct am_push *alerts, size_t n, const char *generator_url)
{
	char time[TIME_TEXT];
	buf_putc(to, '[');
	for (size_t i = 0; i < n; i++) {
		buf_puts(to, i > 0 ? ",{\"labels\":" : "{\"labels\":");
		notify_put_labels(to, alerts[i].labels);
		buf_puts(to, ",\"annotations\":");
		notify_put_labels(to, alerts[i].annotations);
		buf_printf(to, ",\"startsAt\":\"%s\"", format_time(alerts[i].starts_ms, time));
		buf_printf(to, ",\"endsAt\":\"%s\"", format_time(alerts[i].ends_ms, time));
		if (generator_url[0] != '\0') {
			buf_puts(to, ",\"generatorURL\":");
			json_put_string(to, generator_url, strlen(generator_url));
		}
		buf_putc(to, '}');
	}
	return buf_putc(to, ']');
}

static void put_text(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, ",\"%s\":", key);
	json_put_string(to, text, strlen(text));
}

enum err am_put_silence(struct buf *to, const struct am_silence_put *s)
{
	char time[TIME_TEXT];
	buf_puts(to, "{\"matchers\":");
	matcher_set_put_json(s->matchers, to);
	put_text(to, "startsAt", format_time(s->starts_ms, time));
	put_text(to, "endsAt", format_time(s->ends_ms, time));
	put_text(to, "createdBy", s->created_by);
	put_text(to, "comment", s->comment);
	if (s->id[0] != '\0')
		put_text(to, "id", s->id);
	return buf_putc(to, '}');
}
