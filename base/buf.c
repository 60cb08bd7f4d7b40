/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	assert(max < SIZE_MAX / 2);
	*b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = ERR_OK;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->err != ERR_OK)
		return NULL;
	if (n > b->max - b->len) {
		b->err = ERR_LIMIT;
		return NULL;
	}
	size_t need = b->len + n + 1;
	if (need > b->cap) {
		size_t cap = b->cap == 0 ? 64 : b->cap * 2;
		if (cap < need)
			cap = need;
		char *data = realloc(b->data, cap);
		if (data == NULL) {
			b->err = ERR_MEMORY;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

enum err buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_room(b, n);
	if (to == NULL)
		return b->err;
	if (n > 0)
		memcpy(to, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
	return ERR_OK;
}

enum err buf_puts(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

enum err buf_putc(struct buf *b, char c)
{
	return buf_put(b, &c, 1);
}

enum err buf_fill(struct buf *b, char c, size_t n)
{
	char *to = buf_room(b, n);
	if (to == NULL)
		return b->err;
	memset(to, c, n);
	b->len += n;
	b->data[b->len] = '\0';
	return ERR_OK;
}

enum err buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	if (n < 0) {
		if (b->err == ERR_OK)
			b->err = ERR_FORMAT;
	} else if (buf_room(b, (size_t)n) != NULL) {
		vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return b->err;
}

enum err buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	enum err e = buf_vprintf(b, format, args);
	va_end(args);
	return e;
}

const char *buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
	if (buf_room(b, 0) == NULL)
		return NULL;
	b->data[b->len] = '\0';
	char *data = b->data;
	*b = (struct buf){ .max = b->max };
	return data;
}
