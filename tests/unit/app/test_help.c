/* SPDX-License-Identifier: Apache-2.0
 *
 * Help and the man page tell of everything that the tables hold. */
#include "tests/unit/unit.h"

#include "app/cli.h"
#include "base/buf.h"
#include "tui/command.h"

enum { TEXT_MAX = 1024 * 1024, WORD_MAX = 256 };

/* The text as one line with single blanks, without roff's escapes for dashes: lines may be broken anywhere. */
static void flatten(struct buf *text)
{
	size_t to = 0;
	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];
		if (c == '\\' && text->data[i + 1] == '-')
			continue;
		if (c == '\n')
			c = ' ';
		if (c != ' ' || (to > 0 && text->data[to - 1] != ' '))
			text->data[to++] = c;
	}
	text->data[to] = '\0';
	text->len = to;
}

static void must_hold(const struct buf *text, const char *where, const char *what)
{
	if (strstr(text->data, what) == NULL)
		fail_msg("%s: no '%s'", where, what);
}

static void option_text(const struct cli_option *o, char to[WORD_MAX])
{
	snprintf(to, WORD_MAX, "--%s", o->name);
}

static void test_help_has_every_option(void **state)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf help;
		char word[WORD_MAX];
		buf_init(&help, TEXT_MAX);
		assert_int_equal(cli_print_help(all[i], &help), ERR_OK);
		flatten(&help);
		must_hold(&help, all[i]->name, all[i]->summary);
		must_hold(&help, all[i]->name, all[i]->arguments);
		for (const struct cli_option *o = all[i]->options; o != NULL && o->name != NULL; o++) {
			option_text(o, word);
			must_hold(&help, all[i]->name, word);
			must_hold(&help, all[i]->name, o->sentence);
		}
		for (const struct cli_option *o = cli_common_options; o->name != NULL && all[i]->takes_common; o++) {
			option_text(o, word);
			must_hold(&help, all[i]->name, word);
		}
		buf_release(&help);
	}
}

static void test_overview_has_every_command(void **state)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	struct buf help;
	(void)state;
	buf_init(&help, TEXT_MAX);
	assert_int_equal(cli_print_help(all[0], &help), ERR_OK);
	flatten(&help);
	const char *commands = strstr(help.data, "Commands:");
	assert_non_null(commands);
	for (size_t i = 1; i < n; i++) {
		char row[WORD_MAX];
		snprintf(row, sizeof row, " %s %s", all[i]->name, all[i]->summary);
		if (strstr(commands, row) == NULL)
			fail_msg("the overview has no '%s'", row);
	}
	buf_release(&help);
}

static void test_help_fits_its_width(void **state)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf help;
		buf_init(&help, TEXT_MAX);
		assert_int_equal(cli_print_help(all[i], &help), ERR_OK);
		for (const char *line = help.data; *line != '\0'; line += strcspn(line, "\n") + 1)
			if (strcspn(line, "\n") > 80)
				fail_msg("%s: a line of %zu columns: %.60s", all[i]->name, strcspn(line, "\n"), line);
		buf_release(&help);
	}
}

static void test_man_page_has_everything(void **state)
{
	size_t n;
	const struct cli_command *const *all = cli_commands(&n);
	struct buf man;
	char word[WORD_MAX];
	(void)state;
	buf_init(&man, TEXT_MAX);
	assert_int_equal(cli_print_man(&man), ERR_OK);
	flatten(&man);
	for (size_t i = 0; i < n; i++) {
		snprintf(word, sizeof word, ".SS \"pitwall%s%s ", all[i]->name[0] != '\0' ? " " : "", all[i]->name);
		must_hold(&man, "the man page", word);
		must_hold(&man, "the man page", all[i]->details);
		for (const struct cli_option *o = all[i]->options; o != NULL && o->name != NULL; o++) {
			option_text(o, word);
			must_hold(&man, "the man page", word);
			must_hold(&man, "the man page", o->sentence);
		}
	}
	for (const struct cli_option *o = cli_common_options; o->name != NULL; o++) {
		option_text(o, word);
		must_hold(&man, "the man page", word);
	}
	const struct command_info *keys = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		snprintf(word, sizeof word, "\\fI:%s\\fR %s", keys[i].name, keys[i].sentence);
		must_hold(&man, "the man page", word);
	}
	buf_release(&man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_has_every_option),
		cmocka_unit_test(test_overview_has_every_command),
		cmocka_unit_test(test_help_fits_its_width),
		cmocka_unit_test(test_man_page_has_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
