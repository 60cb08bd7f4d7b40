/* SPDX-License-Identifier: Apache-2.0
 *
 * Theme files and key files: what they give, and every mistake with its line. */
#include "tests/unit/unit.h"

#include "tui/canvas.h"
#include "tui/keymap.h"
#include "tui/theme.h"

static void test_built_in_themes(void **state)
{
	static const char *const names[] = { "dark", "light", "colour-blind", "mono" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct theme t;
		struct why why = { "" };
		if (theme_load(names[i], NULL, &t, &why) != ERR_OK)
			fail_msg("%s", why.text);
		assert_string_equal(t.name, names[i]);
		for (int role = 0; role < ROLE_COUNT; role++)
			assert_row(names[i], t.styles[DEPTH_MONO][role].fg == COLOUR_DEFAULT && t.styles[DEPTH_MONO][role].bg == COLOUR_DEFAULT);
		assert_row(names[i], (t.styles[DEPTH_MONO][ROLE_SELECTED].attributes & CELL_REVERSE) != 0);
		/* Whatever the depth, a critical tile is not an ordinary one. */
		for (int depth = 0; depth < DEPTH_COUNT; depth++) {
			const struct style *crit = &t.styles[depth][ROLE_TILE_CRIT], *hot = &t.styles[depth][ROLE_HEAT_7];
			assert_row(names[i], crit->bg != hot->bg || crit->attributes != hot->attributes);
		}
	}
}

static void test_unknown_theme(void **state)
{
	struct theme t;
	struct why why;
	(void)state;
	assert_int_equal(theme_load("no-such", "/nonexistent", &t, &why), ERR_NOT_FOUND);
	assert_string_equal(why.text, "there is no theme 'no-such'; there are: colour-blind dark light mono");
	assert_int_equal(theme_load("../dark", NULL, &t, &why), ERR_NOT_FOUND);
}

static void test_theme_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "role",      "# x\nnosuch fg=#ffffff\n",       "t:2: there is no role 'nosuch'; `pitwall doctor` lists them\n" },
		{ "colour",    "warn fg=#fff\n",                 "t:1: cannot read colour '#fff'; write #rrggbb/N/N/N for true colour, 256, 16 and 8\n" },
		{ "range",     "warn fg=#ffffff/256\n",
		  "t:1: cannot read colour '#ffffff/256'; write #rrggbb/N/N/N for true colour, 256, 16 and 8\n" },
		{ "attribute", "warn blink\n",
		  "t:1: there is no attribute 'blink'; known are fg=, bg=, bold, underline, reverse, mono:...\n" },
		{ "twice",     "warn bold\nwarn bold\n",         "t:2: twice in one file: role 'warn'\n" },
		{ "two",       "background blue\nx\n",
		  "t:1: there is no background 'blue'; it is dark, light or any\nt:2: there is no role 'x'; `pitwall doctor` lists them\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct theme t;
		struct buf mistakes;
		buf_init(&mistakes, 4096);
		assert_row(rows[i].label, theme_parse("t", rows[i].text, strlen(rows[i].text), &t, &mistakes) == ERR_FORMAT);
		assert_string_equal(buf_text(&mistakes), rows[i].want);
		buf_release(&mistakes);
	}
}

static void test_colours(void **state)
{
	static const char text[] = "warn fg=#ffd75f bg=-/17/2/1 bold mono:reverse\n";
	struct theme t;
	struct buf mistakes;
	(void)state;
	buf_init(&mistakes, 4096);
	assert_int_equal(theme_parse("t", text, sizeof text - 1, &t, &mistakes), ERR_OK);
	assert_int_equal(t.styles[DEPTH_TRUE][ROLE_WARN].fg, COLOUR_RGB | 0xffd75f);
	assert_int_equal(t.styles[DEPTH_256][ROLE_WARN].fg, COLOUR_INDEX | 221); /* the nearest of the cube */
	assert_int_equal(t.styles[DEPTH_16][ROLE_WARN].fg, COLOUR_DEFAULT);
	assert_int_equal(t.styles[DEPTH_TRUE][ROLE_WARN].bg, COLOUR_DEFAULT);
	assert_int_equal(t.styles[DEPTH_256][ROLE_WARN].bg, COLOUR_INDEX | 17);
	assert_int_equal(t.styles[DEPTH_8][ROLE_WARN].bg, COLOUR_INDEX | 1);
	assert_int_equal(t.styles[DEPTH_MONO][ROLE_WARN].attributes, CELL_REVERSE);
	assert_int_equal(t.styles[DEPTH_8][ROLE_WARN].attributes, CELL_BOLD);
	buf_release(&mistakes);
}

/* The table's promise: in each context a key is the command's that has it, or another's that is offered in fewer places; and every key can
 * be printed and read. */
static void test_default_keys(void **state)
{
	static struct keymap m;
	size_t n;
	(void)state;
	keymap_init(&m);
	const struct command_info *table = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		for (const char *p = table[i].keys; *p != '\0';) {
			size_t len = strcspn(p, " ");
			struct key k;
			assert_row(table[i].name, key_parse(p, len, &k));
			for (unsigned bit = 1; bit <= CONTEXT_DIALOG; bit <<= 1)
				if (table[i].contexts & bit) {
					const struct command_info *found = command_info(keymap_find(&m, k, bit));
					assert_row(table[i].name, found != NULL && (found->id == table[i].id || __builtin_popcount(found->contexts) <
					                                                                        __builtin_popcount(table[i].contexts)));
				}
			p += len + strspn(p + len, " ");
		}
	}
}

static void test_key_files(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "fine",        "# mine\nmap C-n down\nmap x:chart zoom-in # x\nunmap C-z\n", "" },
		{ "no command",  "map x nosuch\n",  "k:1: there is no command 'nosuch'; see `?` in the console for their names\n" },
		{ "no key",      "\nmap Foo down\n", "k:2: there is no key 'Foo'; keys look like x, C-x, M-x, Up, F1, Space\n" },
		{ "conflict",    "map x down\nmap x up\n", "k:2: key 'x' is mapped on line 1 already\n" },
		{ "no conflict", "map x:chart down\nmap x:node up\n", "" },
		{ "not a line",  "bind x down\n",   "k:1: cannot read 'bind x down'; write `map KEY COMMAND` or `unmap KEY`\n" },
	};
	static struct keymap m;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf mistakes;
		buf_init(&mistakes, 4096);
		keymap_init(&m);
		enum err e = keymap_read(&m, "k", rows[i].text, strlen(rows[i].text), &mistakes);
		assert_row(rows[i].label, (e == ERR_OK) == (rows[i].want[0] == '\0'));
		assert_string_equal(buf_text(&mistakes), rows[i].want);
		buf_release(&mistakes);
	}
	keymap_init(&m);
	struct buf mistakes;
	buf_init(&mistakes, 64);
	keymap_read(&m, "k", "map x:chart zoom-in\nmap j up\nunmap C-z\n", 40, &mistakes);
	assert_int_equal(keymap_find(&m, (struct key){ 'x', 0 }, CONTEXT_CHART), COMMAND_ZOOM_IN);
	assert_int_equal(keymap_find(&m, (struct key){ 'x', 0 }, CONTEXT_FLEET), COMMAND_NONE);
	assert_int_equal(keymap_find(&m, (struct key){ 'j', 0 }, CONTEXT_FLEET), COMMAND_UP);
	assert_int_equal(keymap_find(&m, (struct key){ 'z', MOD_CTRL }, CONTEXT_FLEET), COMMAND_NONE);
	buf_release(&mistakes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in_themes), cmocka_unit_test(test_unknown_theme), cmocka_unit_test(test_theme_mistakes),
		cmocka_unit_test(test_colours),         cmocka_unit_test(test_default_keys),  cmocka_unit_test(test_key_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
