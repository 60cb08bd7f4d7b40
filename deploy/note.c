/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/note.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

enum { NOTE_MAX = 64 * 1024 };

const char *note_make(struct arena *a, ...)
{
	struct buf to;
	va_list args;
	bool is_first = true;
	buf_init(&to, NOTE_MAX);
	buf_putc(&to, '{');
	va_start(args, a);
	for (const char *key; (key = va_arg(args, const char *)) != NULL; is_first = false) {
		const char *value = va_arg(args, const char *);
		buf_puts(&to, is_first ? "" : ",");
		json_put_string(&to, key, strlen(key));
		buf_putc(&to, ':');
		json_put_string(&to, value, strlen(value));
	}
	va_end(args);
	buf_putc(&to, '}');
	const char *copy = to.err == ERR_OK ? arena_text(a, buf_text(&to)) : NULL;
	buf_release(&to);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

const char *note_text(struct arena *a, const char *note, const char *key)
{
	struct cJSON *o = NULL;
	const char *text = NULL;
	struct why why;
	if (note == NULL || note[0] == '\0' || json_parse(note, strlen(note), NULL, &o, &why) != ERR_OK)
		return "";
	if (json_get_string(o, key, NOTE_MAX, &text, &why) != ERR_OK)
		text = "";
	const char *copy = arena_text(a, text);
	cJSON_Delete(o);
	return copy != NULL ? copy : "";
}
