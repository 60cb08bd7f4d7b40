/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *err_text(enum err e)
{
	static const char *const texts[] = {
#define X(name, text) text,
		ERR_LIST(X)
#undef X
	};
	_Static_assert(sizeof texts / sizeof texts[0] == ERR_COUNT, "a text for every error");
	return (unsigned)e < ERR_COUNT ? texts[e] : "unknown error";
}

/* A cut must be seen: the last three bytes become "...", and no half of a UTF-8 sequence stays before them. */
static void mark_cut(char *text, size_t size)
{
	size_t at = size - 4;
	while (at > 0 && ((unsigned char)text[at] & 0xc0u) == 0x80u)
		at--;
	memcpy(text + at, "...", 4);
}

enum err why_vset(struct why *why, enum err e, const char *format, va_list args)
{
	if (why == NULL)
		return e;
	int n = vsnprintf(why->text, sizeof why->text, format, args);
	if (n < 0)
		why->text[0] = '\0';
	else if ((size_t)n >= sizeof why->text)
		mark_cut(why->text, sizeof why->text);
	return e;
}

enum err why_set(struct why *why, enum err e, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	why_vset(why, e, format, args);
	va_end(args);
	return e;
}

static enum err err_from_errno(int error_number)
{
	switch (error_number) {
	case ENOSPC:
	case EDQUOT: return ERR_FULL;
	case EACCES:
	case EPERM: return ERR_DENIED;
	case ENOENT: return ERR_NOT_FOUND;
	case EEXIST: return ERR_EXISTS;
	case EROFS: return ERR_READ_ONLY;
	case ENOMEM: return ERR_MEMORY;
	default: return ERR_IO;
	}
}

static const char *errno_text(int error_number)
{
	const char *text = strerrordesc_np(error_number);
	return text != NULL ? text : "unknown error";
}

enum err why_errno(struct why *why, int error_number, const char *format, ...)
{
	enum err e = err_from_errno(error_number);
	if (why == NULL)
		return e;
	struct why subject;
	va_list args;
	va_start(args, format);
	why_vset(&subject, e, format, args);
	va_end(args);
	return why_set(why, e, "%s: %s", subject.text, errno_text(error_number));
}

enum err why_prefix(struct why *why, enum err e, const char *format, ...)
{
	if (why == NULL)
		return e;
	struct why before, context;
	memcpy(&before, why, sizeof before);
	va_list args;
	va_start(args, format);
	why_vset(&context, e, format, args);
	va_end(args);
	return why_set(why, e, "%s: %s", context.text, before.text);
}

enum err why_memory(struct why *why)
{
	return why_set(why, ERR_MEMORY, "out of memory");
}
