/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources: ECMA-48; xterm's control sequences ("Functions using CSI", "Mouse Tracking", "PC-Style Function Keys"); the Linux console and
 * rxvt for their own forms of the function keys. */
#include "tui/key_sequence.h"

#include <string.h>

enum { ESC = 0x1b, PARAMETERS_MAX = 8, PARAMETER_TOP = 99999 };

struct csi {
	char prefix; /* '?', '<', '=', '>' or 0 */
	char middle; /* an intermediate byte, or 0 */
	char final;
	int  n;
	int  parameters[PARAMETERS_MAX]; /* 0 where left out */
	bool has_sub; /* ':' parts were there: kitty's, which we never ask for */
};

static void csi_parse(const uint8_t *s, size_t n, struct csi *c)
{
	memset(c, 0, sizeof *c);
	size_t i = 2;
	if (i < n && s[i] >= '<' && s[i] <= '?')
		c->prefix = (char)s[i++];
	c->n = i < n && s[i] >= '0' && s[i] <= ';' ? 1 : 0;
	for (; i < n && s[i] >= '0' && s[i] <= ';'; i++) {
		int *p = &c->parameters[c->n - 1];
		if (s[i] == ';') {
			if (c->n < PARAMETERS_MAX)
				c->n++;
		} else if (s[i] == ':') {
			c->has_sub = true;
		} else if (*p < PARAMETER_TOP) {
			*p = *p * 10 + (s[i] - '0');
		}
	}
	for (; i + 1 < n; i++)
		c->middle = (char)s[i];
	c->final = (char)s[n - 1];
}

/* xterm's modifier parameter: 1 + shift 1, alt 2, control 4, meta 8. */
static unsigned modifiers(int parameter)
{
	unsigned m = parameter > 1 ? (unsigned)(parameter - 1) : 0;
	return (m & 1 ? MOD_SHIFT : 0) | (m & 2 || m & 8 ? MOD_ALT : 0) | (m & 4 ? MOD_CTRL : 0);
}

static bool give_key(struct input_event *out, uint32_t code, unsigned mods)
{
	if (code == 0)
		return false;
	if (code == KEY_TAB && mods == MOD_SHIFT) {
		code = KEY_BACK_TAB;
		mods = 0;
	}
	*out = (struct input_event){ .kind = INPUT_KEY, .key = { code, mods } };
	return true;
}

static bool give_report(struct input_event *out, enum report r, int64_t number, int64_t number2)
{
	*out = (struct input_event){ .kind = INPUT_REPORT, .report = r, .number = number, .number2 = number2 };
	return true;
}

static uint32_t letter_key(char c)
{
	switch (c) {
	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'F': return KEY_END;
	case 'H': return KEY_HOME;
	case 'M': return KEY_ENTER; /* of the keypad, ESC O M only */
	case 'P': return KEY_F1;
	case 'Q': return KEY_F2;
	case 'R': return KEY_F3;
	case 'S': return KEY_F4;
	case 'Z': return KEY_BACK_TAB;
	default:  return 0;
	}
}

/* ESC [ number ~ */
static uint32_t number_key(int number)
{
	static const struct { uint8_t number; uint32_t key; } keys[] = {
		{ 1, KEY_HOME },  { 2, KEY_INSERT }, { 3, KEY_DELETE }, { 4, KEY_END }, { 5, KEY_PAGE_UP }, { 6, KEY_PAGE_DOWN },
		{ 7, KEY_HOME },  { 8, KEY_END },    { 11, KEY_F1 },    { 12, KEY_F2 }, { 13, KEY_F3 },     { 14, KEY_F4 },
		{ 15, KEY_F5 },   { 17, KEY_F6 },    { 18, KEY_F7 },    { 19, KEY_F8 }, { 20, KEY_F9 },     { 21, KEY_F10 },
		{ 23, KEY_F11 },  { 24, KEY_F12 },
	};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].number == number)
			return keys[i].key;
	return 0;
}

/* SGR mouse: ESC [ < button ; column ; row M or m. */
static bool mouse(const struct csi *c, struct input_event *out)
{
	int b = c->parameters[0];
	if (c->n != 3 || c->parameters[1] < 1 || c->parameters[2] < 1 || b >= 128 || (b & 64 && (b & 3) > 1))
		return false;
	if (!(b & 64) && (b & 3) == 3)
		return false; /* motion with no button */
	*out = (struct input_event){ .kind = INPUT_MOUSE, .row = c->parameters[2] - 1, .col = c->parameters[1] - 1 };
	out->button = b & 64 ? MOUSE_WHEEL_UP + (b & 3) : b & 3;
	out->is_release = c->final == 'm';
	out->is_drag = (b & 32) != 0;
	return true;
}

static bool csi_report(const struct csi *c, struct input_event *out)
{
	if (c->prefix == '?' && c->final == 'c')
		return give_report(out, REPORT_ATTRIBUTES, c->parameters[0], 0);
	if (c->prefix == '?' && c->middle == '$' && c->final == 'y' && c->n == 2)
		return give_report(out, REPORT_MODE, c->parameters[0], c->parameters[1]);
	return give_report(out, REPORT_OTHER, 0, 0);
}

static bool csi_decode(const uint8_t *s, size_t n, struct input_event *out)
{
	struct csi c;
	if (s[2] == '[') /* the Linux console: ESC [ [ A to E are F1 to F5 */
		return n == 4 && s[3] >= 'A' && s[3] <= 'E' && give_key(out, KEY_F1 + (uint32_t)(s[3] - 'A'), 0);
	csi_parse(s, n, &c);
	if (c.prefix == '<' && (c.final == 'M' || c.final == 'm'))
		return mouse(&c, out);
	if (c.prefix != 0 || c.middle != 0)
		return csi_report(&c, out);
	if (c.has_sub)
		return give_report(out, REPORT_OTHER, 0, 0);
	/* ESC [ row ; column R is the answer to CPR; F3 with modifiers has the same shape with a 1 for the row. terminal.c asks in the
	 * second row. */
	if (c.final == 'R' && c.n == 2 && c.parameters[0] != 1)
		return give_report(out, REPORT_CURSOR, c.parameters[0], c.parameters[1]);
	if (c.final == '~')
		return give_key(out, number_key(c.parameters[0]), modifiers(c.n >= 2 ? c.parameters[1] : 0));
	if (c.final == 'I' || c.final == 'O') {
		*out = (struct input_event){ .kind = INPUT_FOCUS, .number = c.final == 'I' };
		return c.n == 0;
	}
	if (c.final == 'M' || c.n > 2 || (c.n >= 1 && c.parameters[0] > 1))
		return give_report(out, REPORT_OTHER, 0, 0);
	return give_key(out, letter_key(c.final), modifiers(c.n == 2 ? c.parameters[1] : 0));
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "rgb:RRRR/GGGG/BBBB" with one to four digits each (XParseColor); -1 when it is anything else. */
static int64_t parse_rgb(const uint8_t *s, size_t n)
{
	int64_t colour = 0;
	size_t i = 4;
	if (n < 9 || memcmp(s, "rgb:", 4) != 0)
		return -1;
	for (int part = 0; part < 3; part++) {
		int64_t value = 0, top = 0;
		int digits = 0;
		for (; i < n && hex_digit(s[i]) >= 0 && digits < 5; i++, digits++) {
			value = value * 16 + hex_digit(s[i]);
			top = top * 16 + 15;
		}
		if (digits == 0 || digits > 4 || (part < 2 ? i >= n || s[i] != '/' : i != n))
			return -1;
		i++;
		colour = colour << 8 | (value * 255 / top);
	}
	return colour;
}

static bool string_decode(const uint8_t *s, size_t n, struct input_event *out)
{
	size_t end = n - (s[n - 1] == 0x07 ? 1 : 2);
	if (s[1] == ']' && end > 5 && memcmp(s + 2, "11;", 3) == 0) {
		int64_t colour = parse_rgb(s + 5, end - 5);
		if (colour >= 0)
			return give_report(out, REPORT_BACKGROUND, colour, 0);
	}
	return give_report(out, REPORT_OTHER, 0, 0);
}

bool sequence_decode(const uint8_t *s, size_t n, struct input_event *out)
{
	if (s[1] == '[')
		return csi_decode(s, n, out);
	if (s[1] != 'O')
		return string_decode(s, n, out);
	unsigned mods = n == 4 ? modifiers(s[2] - '0') : 0;
	return n >= 3 && s[n - 1] != 'Z' && give_key(out, letter_key((char)s[n - 1]), mods);
}
