/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of keys, as they stand in key files and in the help. */
#include "tui/input.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {
#define X(id, name) name,
	KEY_LIST(X)
#undef X
};

static bool same(const char *name, size_t n, const char *other)
{
	return strlen(other) == n && memcmp(name, other, n) == 0;
}

/* A key without modifiers. */
static bool parse_plain(const char *name, size_t n, uint32_t *code)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (same(name, n, names[i])) {
			*code = (uint32_t)(KEY_FIRST + 1 + i);
			return true;
		}
	}
	if (same(name, n, "Space")) {
		*code = ' ';
		return true;
	}
	const char *end = name + n;
	struct glyph g, more;
	if (n == 0 || !text_next(&name, end, &g) || text_next(&name, end, &more) || g.text[1] != 0 || g.text[0] == 0xfffd)
		return false;
	*code = g.text[0];
	return g.text[0] > ' ';
}

bool key_parse(const char *name, size_t n, struct key *out)
{
	struct key k = { 0, 0 };
	while (n > 2 && name[1] == '-') {
		unsigned mod = name[0] == 'C' ? MOD_CTRL : name[0] == 'M' ? MOD_ALT : name[0] == 'S' ? MOD_SHIFT : 0;
		if (mod == 0 || k.mods & mod)
			return false;
		k.mods |= mod;
		name += 2;
		n -= 2;
	}
	if (!parse_plain(name, n, &k.code))
		return false;
	if (k.code == KEY_TAB && k.mods == MOD_SHIFT)
		k = (struct key){ KEY_BACK_TAB, 0 };
	if (k.code < KEY_FIRST && k.mods & MOD_SHIFT)
		return false; /* a shifted character is another character */
	if (k.code < KEY_FIRST && k.mods & MOD_CTRL && k.code >= 'A' && k.code <= 'Z')
		k.code += 'a' - 'A';
	*out = k;
	return true;
}

const char *key_print(struct key k, char to[KEY_TEXT])
{
	char plain[8] = "";
	const char *name = plain;
	if (k.code > KEY_FIRST && k.code < KEY_END_OF_LIST)
		name = names[k.code - KEY_FIRST - 1];
	else if (k.code == ' ')
		name = "Space";
	else if (k.code < KEY_FIRST)
		plain[text_encode(k.code, plain)] = '\0';
	snprintf(to, KEY_TEXT, "%s%s%s%s", k.mods & MOD_CTRL ? "C-" : "", k.mods & MOD_ALT ? "M-" : "", k.mods & MOD_SHIFT ? "S-" : "", name);
	return to;
}
