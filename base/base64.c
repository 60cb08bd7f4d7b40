/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum err base64_encode(struct buf *to, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)from[i] << 16;
		v |= i + 1 < n ? (uint32_t)from[i + 1] << 8 : 0;
		v |= i + 2 < n ? (uint32_t)from[i + 2] : 0;
		buf_putc(to, digits[v >> 18]);
		buf_putc(to, digits[v >> 12 & 63]);
		buf_putc(to, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_putc(to, i + 2 < n ? digits[v & 63] : '=');
	}
	return to->err;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

enum err base64_decode(struct buf *to, const char *text, size_t n)
{
	size_t   start = to->len, n_digits = 0, n_pads = 0;
	uint32_t bits = 0; /* the last digits' */
	for (size_t i = 0; i < n; i++) {
		if (is_space(text[i]))
			continue;
		int v = value_of(text[i]);
		if (text[i] == '=' && n_pads < 2)
			n_pads++;
		else if (v < 0 || n_pads > 0)
			goto malformed;
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		n_digits++;
		if (n_digits % 4 != 1)
			buf_putc(to, (char)(unsigned char)(bits >> (4 - n_digits % 4) % 4 * 2));
	}
	/* Two digits hold a byte and four bits more, three hold two and two more. */
	size_t rest = n_digits % 4;
	if (rest == 1 || (rest == 0 ? n_pads != 0 : n_pads != 4 - rest))
		goto malformed;
	if ((rest == 2 && (bits & 15) != 0) || (rest == 3 && (bits & 3) != 0))
		goto malformed;
	return to->err;
malformed:
	if (to->len > start) {
		to->len = start;
		to->data[start] = '\0';
	}
	return ERR_FORMAT;
}
