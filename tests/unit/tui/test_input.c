/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tui/input.h"

static const char *describe(const struct input_event *e, char to[64])
{
	char name[KEY_TEXT];
	switch (e->kind) {
	case INPUT_KEY: snprintf(to, 64, "%s", key_print(e->key, name)); break;
	case INPUT_PASTE: snprintf(to, 64, "paste(%.*s)", (int)e->text_len, e->text); break;
	case INPUT_MOUSE:
		snprintf(to, 64, "mouse(%d,%d,%d%s%s)", e->row, e->col, e->button, e->is_release ? " up" : "", e->is_drag ? " drag" : "");
		break;
	case INPUT_FOCUS: snprintf(to, 64, "focus(%d)", (int)e->number); break;
	case INPUT_REPORT: snprintf(to, 64, "report(%d %lx %ld)", (int)e->report, (long)e->number, (long)e->number2); break;
	}
	return to;
}

static void decode(const char *bytes, size_t n, size_t piece, char *to, size_t room)
{
	struct input in;
	struct input_event e;
	char one[64];
	input_init(&in);
	to[0] = '\0';
	for (size_t at = 0; at < n; at += piece) {
		const uint8_t *p = (const uint8_t *)bytes + at, *end = (const uint8_t *)bytes + (at + piece < n ? at + piece : n);
		while (input_next(&in, &p, end, &e)) {
			strncat(to, to[0] == '\0' ? "" : " ", room - strlen(to) - 1);
			strncat(to, describe(&e, one), room - strlen(to) - 1);
		}
	}
	while (input_flush(&in, &e)) {
		strncat(to, to[0] == '\0' ? "" : " ", room - strlen(to) - 1);
		strncat(to, describe(&e, one), room - strlen(to) - 1);
	}
	assert_false(input_is_waiting(&in));
	input_release(&in);
}

static void test_sequences(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "letters",              "jK1",                          "j K 1" },
		{ "controls",             "\001\t\r\177\b",               "C-a Tab Enter Backspace Backspace" },
		{ "UTF-8",                "\xc3\xa9\xe6\xbc\xa2",         "\xc3\xa9 \xe6\xbc\xa2" },
		{ "broken UTF-8",         "\xc3x\xff\x80z",               "x z" },
		{ "overlong UTF-8",       "\xe0\x80\xafz",                "z" },
		{ "C1 as UTF-8",          "\xc2\x9bz",                    "z" },
		{ "cursor keys",          "\033[A\033OB\033[1;5C\033[1;2D", "Up Down C-Right S-Left" },
		{ "tilde keys",           "\033[5~\033[6;3~\033[3~\033[24~", "PgUp M-PgDn Delete F12" },
		{ "rxvt and linux keys",  "\033[7~\033[8~\033[[A\033[[E", "Home End F1 F5" },
		{ "F3 with a modifier",   "\033[1;2R",                    "S-F3" },
		{ "back tab",             "\033[Z",                       "BackTab" },
		{ "alt",                  "\033x\033\xc3\xa9",            "M-x M-\xc3\xa9" },
		{ "escape alone",         "\033",                         "Esc" },
		{ "two escapes",          "\033\033",                     "Esc Esc" },
		{ "escape, then a key",   "\033\033[A",                   "Esc Up" },
		{ "alt and [",            "\033[",                        "M-[" },
		{ "paste",                "\033[200~a\033[2Jb\rc\033[201~j", "paste(a[2Jb\nc) j" },
		{ "mouse",                "\033[<0;10;20M\033[<64;1;1M\033[<0;10;20m\033[<32;2;3M",
		  "mouse(19,9,0) mouse(0,0,3) mouse(19,9,0 up) mouse(2,1,0 drag)" },
		{ "mouse without button", "\033[<35;2;3M",                "" },
		{ "cursor report",        "\033[2;4R",                    "report(0 2 4)" },
		{ "attributes",           "\033[?64;1;2c",                "report(1 40 0)" },
		{ "mode report",          "\033[?2026;2$y",               "report(2 7ea 2)" },
		{ "background, ST",       "\033]11;rgb:1010/2020/ffff\033\\", "report(3 1020ff 0)" },
		{ "background, BEL",      "\033]11;rgb:0/8/f\007",        "report(3 88ff 0)" },
		{ "a background that is none", "\033]11;rgb:zz/8/f\007j", "report(4 0 0) j" },
		{ "device control",       "\033P1$r0m\033\\j",            "report(4 0 0) j" },
		{ "focus",                "\033[I\033[O",                 "focus(1) focus(0)" },
		{ "string cut by ESC",    "\033]52;c;xyz\033[Aj",         "Up j" },
		{ "cancelled",            "\033[12\030j",                 "j" },
		{ "kitty's keys",         "\033[97;5uj",                  "report(4 0 0) j" },
	};
	char got[512];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t piece = 1; piece < 8; piece++) {
			decode(rows[i].in, strlen(rows[i].in), piece, got, sizeof got);
			if (strcmp(got, rows[i].want) != 0)
				fail_msg("%s, in pieces of %zu: want |%s|, have |%s|", rows[i].label, piece, rows[i].want, got);
		}
	}
}

static void test_overlong(void **state)
{
	char bytes[2000], got[64];
	(void)state;
	memset(bytes, '1', sizeof bytes);
	bytes[0] = 033;
	bytes[1] = '[';
	bytes[1500] = 'A';
	bytes[1501] = 'j';
	decode(bytes, 1502, 7, got, sizeof got);
	assert_string_equal(got, "j");
	bytes[1] = ']';
	bytes[1500] = 7;
	decode(bytes, 1502, 1502, got, sizeof got);
	assert_string_equal(got, "j");
}

/* What may wait longer than a lone Esc: that of which a person could not have pressed the beginning. */
static void test_cut(void **state)
{
	static const struct {
		const char *label, *in;
		bool        is_waiting, is_cut;
	} rows[] = {
		{ "nothing",              "j",         false, false },
		{ "a lone escape",        "\033",      true,  false },
		{ "alt and [",            "\033[",     true,  false },
		{ "alt and ]",            "\033]",     true,  false },
		{ "a sequence",           "\033[?",    true,  true },
		{ "an answer",            "\033]11;r", true,  true },
		{ "half a character",     "\xe6\xbc",  true,  true },
		{ "a whole answer",       "\033]11;rgb:0/0/0\007", false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const uint8_t *at = (const uint8_t *)rows[i].in, *end = at + strlen(rows[i].in);
		struct input in;
		struct input_event e;
		input_init(&in);
		while (input_next(&in, &at, end, &e))
			;
		assert_row(rows[i].label, input_is_waiting(&in) == rows[i].is_waiting);
		assert_row(rows[i].label, input_is_cut(&in) == rows[i].is_cut);
		while (input_flush(&in, &e))
			;
		assert_row(rows[i].label, !input_is_cut(&in));
		input_release(&in);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *in, *want; /* NULL: no key */
	} rows[] = {
		{ "Up", "Up" },   { "C-b", "C-b" }, { "C-B", "C-b" },  { "M-x", "M-x" }, { "C-M-Up", "C-M-Up" }, { "M-C-Up", "C-M-Up" },
		{ "F12", "F12" }, { "Space", "Space" }, { "-", "-" }, { "C--", "C--" }, { "\xc3\xa9", "\xc3\xa9" }, { "S-Tab", "BackTab" },
		{ "S-x", NULL },  { "", NULL }, { "xy", NULL }, { "C-", NULL }, { "Q-x", NULL }, { "F13", NULL }, { "C-C-x", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct key k;
		char name[KEY_TEXT];
		bool is_key = key_parse(rows[i].in, strlen(rows[i].in), &k);
		assert_row(rows[i].in, is_key == (rows[i].want != NULL));
		if (is_key)
			assert_string_equal(key_print(k, name), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_overlong),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
