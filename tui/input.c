/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/input.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tui/key_sequence.h"

enum { ESC = 0x1b, DEL = 0x7f };
static const char paste_begin[] = "\x1b[200~", paste_end[] = "\x1b[201~";

void input_init(struct input *in)
{
	memset(in, 0, sizeof *in);
	buf_init(&in->paste, PASTE_MAX);
}

void input_release(struct input *in)
{
	buf_release(&in->paste);
}

static bool give_key(struct input_event *out, uint32_t code, unsigned mods)
{
	*out = (struct input_event){ .kind = INPUT_KEY, .key = { code, mods } };
	return true;
}

/* ---- characters ---- */

/* Keys of one byte. C-i and C-m can't be told from Tab and Enter, C-h is what many terminals send for Backspace. */
static bool byte_key(uint8_t c, unsigned mods, struct input_event *out)
{
	if (c == '\r' || c == '\n')
		return give_key(out, KEY_ENTER, mods);
	if (c == '\t')
		return give_key(out, KEY_TAB, mods);
	if (c == DEL || c == 0x08)
		return give_key(out, KEY_BACKSPACE, mods);
	if (c == 0)
		return give_key(out, ' ', mods | MOD_CTRL);
	if (c < 0x1b)
		return give_key(out, (uint32_t)(c + 'a' - 1), mods | MOD_CTRL);
	if (c == ESC)
		return give_key(out, KEY_ESCAPE, mods);
	if (c < 0x20)
		return give_key(out, (uint32_t)(c + '@'), mods | MOD_CTRL);
	return give_key(out, c, mods);
}

/* The length that the first byte of a UTF-8 character promises; 0: it can't begin one. */
static size_t utf8_length(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* The character that `n` bytes spell, 0 when they spell none that may be a key. */
static uint32_t utf8_value(const uint8_t *b, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = b[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (b[i] & 0x3fu);
	bool is_bad = c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c < 0xa0;
	return is_bad ? 0 : c;
}

/* ---- paste ---- */

static void paste_put(struct input *in, uint8_t c)
{
	if (in->is_paste_cut || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == DEL)
		return;
	if (buf_putc(&in->paste, c == '\r' ? '\n' : (char)c) != ERR_OK)
		in->is_paste_cut = true;
}

static bool paste_byte(struct input *in, uint8_t c, struct input_event *out)
{
	if (c == (uint8_t)paste_end[in->paste_end]) {
		if (++in->paste_end < sizeof paste_end - 1)
			return false;
		in->is_pasting = false;
		*out = (struct input_event){ .kind = INPUT_PASTE, .text = buf_text(&in->paste), .text_len = in->paste.len };
		return true;
	}
	/* What looked like the end was text: without its ESC, which paste_put drops anyway. */
	for (size_t i = 0; i < in->paste_end; i++)
		paste_put(in, (uint8_t)paste_end[i]);
	in->paste_end = c == ESC ? 1 : 0;
	if (in->paste_end == 0)
		paste_put(in, c);
	return false;
}

static void paste_start(struct input *in)
{
	buf_clear(&in->paste);
	in->is_pasting = true;
	in->is_paste_cut = false;
	in->paste_end = 0;
}

/* ---- sequences ---- */

enum shape { SHAPE_OPEN, SHAPE_WHOLE, SHAPE_BROKEN };

/* CSI: parameters 30-3F, intermediates 20-2F, one final byte 40-7E (ECMA-48, 5.4). */
static enum shape csi_shape(const uint8_t *s, size_t n)
{
	/* The Linux console sends ESC [ [ A for F1. */
	if (n >= 3 && s[2] == '[')
		return n >= 4 ? SHAPE_WHOLE : SHAPE_OPEN;
	uint8_t c = s[n - 1];
	if (n < 3 || (c >= 0x20 && c <= 0x3f))
		return SHAPE_OPEN;
	return c >= 0x40 && c <= 0x7e ? SHAPE_WHOLE : SHAPE_BROKEN;
}

/* OSC, DCS, APC, PM and SOS: a string up to BEL (OSC) or ESC \. */
static enum shape string_shape(const uint8_t *s, size_t n)
{
	if (s[n - 1] == 0x07 && s[1] == ']')
		return SHAPE_WHOLE;
	if (n >= 4 && s[n - 2] == ESC)
		return s[n - 1] == '\\' ? SHAPE_WHOLE : SHAPE_BROKEN;
	return s[n - 1] == 0x18 || s[n - 1] == 0x1a ? SHAPE_BROKEN : SHAPE_OPEN;
}

static bool begins_string(uint8_t c)
{
	return c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X';
}

static enum shape shape_of(const uint8_t *s, size_t n)
{
	if (n == 1) {
		size_t need = utf8_length(s[0]);
		return s[0] == ESC || need > 1 ? SHAPE_OPEN : need == 1 ? SHAPE_WHOLE : SHAPE_BROKEN;
	}
	if (s[0] != ESC) {
		if ((s[n - 1] & 0xc0) != 0x80)
			return SHAPE_BROKEN;
		return n == utf8_length(s[0]) ? SHAPE_WHOLE : SHAPE_OPEN;
	}
	if (s[1] == '[')
		return csi_shape(s, n);
	if (begins_string(s[1]))
		return n == 2 ? SHAPE_OPEN : string_shape(s, n);
	if (s[1] == 'O')
		return n == 2 || (s[n - 1] >= '0' && s[n - 1] <= '9' && n < 4) ? SHAPE_OPEN : SHAPE_WHOLE;
	if (s[1] == ESC)
		return SHAPE_BROKEN; /* two ESC: the first stood alone */
	size_t need = utf8_length(s[1]); /* Alt and a character */
	if (need == 0 || (n > 2 && (s[n - 1] & 0xc0) != 0x80))
		return SHAPE_BROKEN;
	return n - 1 == need ? SHAPE_WHOLE : SHAPE_OPEN;
}

/* The event of a whole sequence; false when it is one that says nothing. */
static bool decode(struct input *in, struct input_event *out)
{
	const uint8_t *s = in->pending;
	size_t n = in->n;
	if (n == 1)
		return byte_key(s[0], 0, out);
	if (s[0] != ESC || (s[1] != '[' && s[1] != 'O' && !begins_string(s[1]))) {
		unsigned mods = s[0] == ESC ? MOD_ALT : 0;
		const uint8_t *from = s[0] == ESC ? s + 1 : s;
		size_t len = n - (size_t)(from - s);
		if (len == 1)
			return byte_key(*from, mods, out);
		uint32_t c = utf8_value(from, len);
		return c != 0 && give_key(out, c, mods);
	}
	if (n == sizeof paste_begin - 1 && memcmp(s, paste_begin, n) == 0) {
		paste_start(in);
		return false;
	}
	return sequence_decode(s, n, out);
}

/* While an overlong or broken string is swallowed: true when `c` is its last byte. */
static bool swallow(struct input *in, uint8_t c)
{
	if (c == 0x18 || c == 0x1a)
		return true;
	if (in->string_kind == '[')
		return c >= 0x40 && c <= 0x7e;
	bool is_end = (c == 0x07 && in->string_kind == ']') || (in->string_esc && c == '\\');
	in->string_esc = c == ESC;
	return is_end;
}

/* A sequence that went wrong with its last byte, which may begin something new. An ESC before it stood alone. */
static bool give_up(struct input *in, struct input_event *out, bool *again)
{
	const uint8_t *s = in->pending;
	uint8_t last = s[in->n - 1];
	size_t n = in->n;
	bool had_more = n > 1;
	in->n = 0;
	*again = had_more && last != 0x18 && last != 0x1a;
	if (n >= 2 && s[0] == ESC && s[1] == ESC)
		return give_key(out, KEY_ESCAPE, 0);
	if (n > 3 && begins_string(s[1]) && s[n - 2] == ESC) {
		/* ESC within a string that is not its end: a new sequence begins there. */
		in->pending[0] = ESC;
		in->n = 1;
	}
	return false;
}

bool input_next(struct input *in, const uint8_t **p, const uint8_t *end, struct input_event *out)
{
	while (*p < end) {
		uint8_t c = **p;
		if (in->is_pasting) {
			(*p)++;
			if (paste_byte(in, c, out))
				return true;
			continue;
		}
		if (in->is_swallowing) {
			(*p)++;
			in->is_swallowing = !swallow(in, c);
			continue;
		}
		(*p)++;
		in->pending[in->n++] = c;
		enum shape shape = shape_of(in->pending, in->n);
		if (shape == SHAPE_WHOLE) {
			bool has_event = decode(in, out);
			in->n = 0;
			if (has_event)
				return true;
		} else if (shape == SHAPE_BROKEN) {
			bool again;
			bool has_event = give_up(in, out, &again);
			if (again)
				(*p)--;
			if (has_event)
				return true;
		} else if (in->n == SEQUENCE_MAX) {
			in->is_swallowing = true;
			in->string_kind = in->pending[1];
			in->string_esc = c == ESC;
			in->n = 0;
		}
	}
	return false;
}

bool input_is_waiting(const struct input *in)
{
	return in->n > 0 || (in->is_pasting && in->paste_end > 0) || in->is_swallowing;
}

bool input_is_cut(const struct input *in)
{
	return in->is_swallowing || in->n > 2 || (in->n > 0 && in->pending[0] != ESC);
}

bool input_flush(struct input *in, struct input_event *out)
{
	const uint8_t *s = in->pending;
	size_t n = in->n;
	in->n = 0;
	in->is_swallowing = false;
	if (n == 1 && s[0] == ESC)
		return give_key(out, KEY_ESCAPE, 0);
	if (n == 2 && s[0] == ESC && s[1] >= 0x20 && s[1] < DEL)
		return give_key(out, s[1], MOD_ALT); /* M-[ , M-O and M-] begin like sequences */
	return false; /* half a character, half a sequence: nobody pressed that */
}
