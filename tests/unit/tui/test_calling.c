/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tui/calling.h"

static void test_bytes(void **state)
{
	static const struct {
		const char          *label;
		enum fleet_attention how;
		const char          *term;
		bool                 is_in_tmux;
		const char          *text, *want;
	} rows[] = {
		{ "bell", FLEET_ATTENTION_BELL, "xterm", false, "x", "\a" },
		{ "off", FLEET_ATTENTION_OFF, "xterm", false, "x", "" },
		{ "OSC 9", FLEET_ATTENTION_OSC, "xterm", false, "x", "\033]9;pitwall: x\a\a" },
		{ "no TERM", FLEET_ATTENTION_OSC, NULL, false, "x", "\033]9;pitwall: x\a\a" },
		{ "OSC 777", FLEET_ATTENTION_OSC, "rxvt-unicode-256color", false, "x; y", "\033]777;notify;pitwall;x, y\a\a" },
		{ "foot", FLEET_ATTENTION_OSC, "foot", false, "x", "\033]777;notify;pitwall;x\a\a" },
		{ "in tmux", FLEET_ATTENTION_OSC, "tmux-256color", true, "x", "\033Ptmux;\033\033]9;pitwall: x\a\033\\\a" },
		{ "it cannot end the sequence", FLEET_ATTENTION_OSC, "xterm", false, "x\a\033]0;gotcha\033\\\xc2\x9b",
		  "\033]9;pitwall: x\xe2\x90\x87\xe2\x90\x9b]0,gotcha\xe2\x90\x9b\\\xef\xbf\xbd\a\a" },
		{ "lines", FLEET_ATTENTION_OSC, "xterm", false, "a\nb", "\033]9;pitwall: a\xe2\x90\x8a" "b\a\a" },
		{ "long", FLEET_ATTENTION_OSC, "xterm", false,
		  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
		  "\033]9;pitwall: 01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "\xe2\x80\xa6\a\a" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b;
		buf_init(&b, 4096);
		assert_row(rows[i].label, calling_put(&b, rows[i].how, rows[i].term, rows[i].is_in_tmux, rows[i].text) == ERR_OK);
		assert_row(rows[i].label, strcmp(buf_text(&b), rows[i].want) == 0);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bytes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
