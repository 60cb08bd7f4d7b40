/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/json_place.h"

#include <string.h>

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
	while (at < end && (unsigned char)text[at] <= 0x20)
		at++;
	return at;
}

/* From its quote to behind the other one. */
static size_t skip_string(const char *text, size_t at, size_t end)
{
	for (at++; at < end && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < end ? at + 1 : end;
}

static size_t skip_nested(const char *text, size_t at, size_t end)
{
	size_t depth = 0;
	while (at < end) {
		char c = text[at];
		if (c == '"') {
			at = skip_string(text, at, end);
			continue;
		}
		at++;
		depth += c == '{' || c == '[';
		if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return at;
}

static size_t skip_value(const char *text, size_t at, size_t end)
{
	if (at < end && text[at] == '"')
		return skip_string(text, at, end);
	if (at < end && (text[at] == '{' || text[at] == '['))
		return skip_nested(text, at, end);
	while (at < end && (unsigned char)text[at] > 0x20 && strchr(",]}", text[at]) == NULL)
		at++;
	return at;
}

bool json_place_whole(const char *text, size_t n, struct json_place *out)
{
	size_t at = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a mark that cJSON passes over */
	at = skip_blanks(text, at, n);
	*out = (struct json_place){ at, skip_value(text, at, n) - at };
	return out->n > 0;
}

/* Behind the name of a member and its colon; `end`: there is none. */
static size_t skip_name(const char *text, size_t at, size_t end)
{
	if (at >= end || text[at] != '"')
		return end;
	at = skip_blanks(text, skip_string(text, at, end), end);
	return at < end && text[at] == ':' ? skip_blanks(text, at + 1, end) : end;
}

bool json_place_next(const char *text, struct json_walk *w, struct json_place *out)
{
	size_t at = w->at, end = w->in.at + w->in.n;
	if (w->in.n < 2 || (text[w->in.at] != '{' && text[w->in.at] != '['))
		return false;
	if (at == 0) {
		at = skip_blanks(text, w->in.at + 1, end);
	} else {
		at = skip_blanks(text, at, end);
		if (at >= end || text[at] != ',')
			return false;
		at = skip_blanks(text, at + 1, end);
	}
	if (text[w->in.at] == '{')
		at = skip_name(text, at, end);
	size_t behind = skip_value(text, at, end);
	if (behind == at)
		return false;
	*out = (struct json_place){ at, behind - at };
	w->at = behind;
	return true;
}
