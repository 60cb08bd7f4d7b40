/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver's options: read by their table, mistakes with their places; templates. */
#include "tests/unit/unit.h"

#include "deploy/option.h"

static struct why why;

static const struct option table[] = {
	{ "unit", OPTION_TEXT, true, "", "", "The unit." },
	{ "verb", OPTION_CHOICE, false, "restart|reload", "restart", "What is done." },
	{ "keep", OPTION_INTEGER, false, "1..99", "5", "How many." },
	{ "sudo", OPTION_BOOL, false, "", "true", "Whether." },
	{ "wait", OPTION_DURATION, false, "", "2m", "How long." },
	{ "argv", OPTION_WORDS, false, "", "", "Words." },
	{ "checks", OPTION_COMMANDS, false, "", "", "Commands." },
	{ "headers", OPTION_MAP, false, "", "", "Texts." },
};
enum { N_TABLE = sizeof table / sizeof table[0] };

struct reading {
	struct arena       arena;
	struct yaml       *yaml;
	struct diagnostics diagnostics;
	struct settings    settings;
	enum err           err;
};

static void read_text(struct reading *r, const char *text)
{
	*r = (struct reading){ 0 };
	arena_init(&r->arena);
	diagnostics_init(&r->diagnostics);
	assert_ok(yaml_parse(text, strlen(text), "f.yml", &r->diagnostics, &r->yaml));
	const struct fleet_deploy d = { .name = "chat", .driver = "systemd", .options = yaml_root(r->yaml), .line = 1, .col = 1 };
	r->err = settings_read(&r->arena, table, N_TABLE, &d, "f.yml", &r->diagnostics, &r->settings, &why);
}

static void drop(struct reading *r)
{
	yaml_discard(r->yaml);
	diagnostics_release(&r->diagnostics);
	arena_release(&r->arena);
}

static void test_values(void **state)
{
	struct reading r;
	(void)state;
	read_text(&r, "unit: a.service\nverb: reload\nkeep: 7\nsudo: false\nwait: 30s\nargv: [ a, \"b c\" ]\nchecks: [ [ x, y ], [ z ] ]\nheaders: { A: \"1\" }\n");
	assert_int_equal(r.err, ERR_OK);
	assert_string_equal(setting_text(&r.settings, "unit"), "a.service");
	assert_string_equal(setting_text(&r.settings, "verb"), "reload");
	assert_int_equal(setting_number(&r.settings, "keep"), 7);
	assert_false(setting_bool(&r.settings, "sudo"));
	assert_int_equal(setting_number(&r.settings, "wait"), 30000);
	assert_string_equal(setting(&r.settings, "argv")->words.items[1], "b c");
	assert_int_equal(setting(&r.settings, "checks")->n_commands, 2);
	assert_string_equal(setting(&r.settings, "checks")->commands[1].items[0], "z");
	assert_string_equal(setting(&r.settings, "headers")->words.items[1], "1");
	drop(&r);
	read_text(&r, "unit: a\nchecks: [ x, y ]\n");
	assert_int_equal(r.err, ERR_OK);
	assert_int_equal(setting(&r.settings, "checks")->n_commands, 1);
	assert_int_equal(setting(&r.settings, "checks")->commands[0].n, 2);
	assert_string_equal(setting_text(&r.settings, "verb"), "restart");
	assert_int_equal(setting_number(&r.settings, "wait"), 120000);
	assert_true(setting_bool(&r.settings, "sudo"));
	assert_false(setting(&r.settings, "sudo")->is_given);
	drop(&r);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "verb: reload\n", "f.yml:1:1: driver 'systemd' needs 'unit': The unit.\n" },
		{ "unit: a\nverb: stop\n", "f.yml:2:7: 'verb' must be one of restart|reload, not 'stop'\n" },
		{ "unit: a\nkeep: 100\n", "f.yml:2:7: 'keep' must be a whole number 1..99, not '100'\n" },
		{ "unit: a\nsudo: perhaps\n", "f.yml:2:7: 'sudo' must be true or false, not 'perhaps'\n" },
		{ "unit: a\nwait: 0s\n", "f.yml:2:7: 'wait' must be a duration such as 2m, not '0s'\n" },
		{ "unit: a\nargv: []\n", "f.yml:2:7: 'argv' must be a list of words, one at least and 256 at most\n" },
		{ "unit: a\nchecks: x\n", "f.yml:2:9: 'checks' must be a list of commands, each a list of words\n" },
		{ "unit: a\nheaders: [ a ]\n", "f.yml:2:10: 'headers' must be a mapping of texts\n" },
		{ "unit: [ a ]\n", "f.yml:1:7: 'unit' must be a text\n" },
		{ "unit: a\nwavs: 3\n", "f.yml:2:1: driver 'systemd' has no option 'wavs'; did you mean 'waves'?\n" },
		{ "unit: a\nkep: 3\n", "f.yml:2:1: driver 'systemd' has no option 'kep'; did you mean 'keep'?\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct reading r;
		struct buf text;
		read_text(&r, rows[i].in);
		buf_init(&text, 4096);
		assert_ok(diagnostics_print(&r.diagnostics, &text));
		assert_int_equal(r.err, ERR_FORMAT);
		assert_string_equal(buf_text(&text), rows[i].want);
		buf_release(&text);
		drop(&r);
	}
}

static void test_templates(void **state)
{
	static const char *const values[] = { "model", "chat", "version", "{node}", "node", "a b", NULL };
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{model}:{version}@{node}", "chat:{node}@a b" },
		{ "{{model}", "{model}" },
		{ "{other}", NULL },
		{ "{model", NULL },
		{ "{}", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena;
		const char *out = "";
		arena_init(&arena);
		enum err e = template_fill(&arena, rows[i].in, values, &out, &why);
		if (rows[i].want == NULL)
			assert_int_equal(e, ERR_FORMAT);
		else
			assert_string_equal(out, rows[i].want);
		arena_release(&arena);
	}
}

static void test_documentation(void **state)
{
	struct buf text;
	(void)state;
	buf_init(&text, 4096);
	assert_ok(options_print_markdown(table, 3, &text));
	assert_string_equal(buf_text(&text), "| option | value | default | |\n|---|---|---|---|\n| `unit` | text | must be given | The unit. |\n"
	                                     "| `verb` | restart, reload | restart | What is done. |\n| `keep` | whole number 1..99 | 5 | How many. |\n");
	buf_clear(&text);
	assert_ok(options_print_roff(&table[1], 1, &text));
	assert_string_equal(buf_text(&text), ".TP\n.BR verb \" (restart, reload; default restart)\"\nWhat is done.\n");
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_documentation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
