/* SPDX-License-Identifier: Apache-2.0
 *
 * Words as real shells read them back. */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "collectors/shell_quote.h"

static const char *const shells[][3] = { { "/bin/dash", "dash", NULL }, { "/bin/busybox", "sh", NULL }, { "/bin/bash", "bash", NULL } };

static const struct {
	const char *label;
	const char *words[4];
	size_t      n;
} rows[] = {
	{ "plain", { "ls", "-l" }, 2 },
	{ "empty words", { "", "a", "" }, 3 },
	{ "quotes", { "it's", "''", "\"a\"", "'" }, 4 },
	{ "expansions", { "$HOME", "`id`", "$(id)", "${x}" }, 4 },
	{ "patterns", { "*", "?", "[a-z]*", "~root" }, 4 },
	{ "operators", { "; id", "| id", "& id", "> /nowhere/x" }, 4 },
	{ "reserved words", { "if", "!", "{", "a=b" }, 4 },
	{ "comments, blanks", { "# a", " a  b ", "\t", "\\" }, 4 },
	{ "newlines", { "a\nb", "\n", "'\n'", "a\n" }, 4 },
	{ "controls", { "\001\033[31m\177", "a\rb", "\b", "\f\v" }, 4 },
	{ "invalid UTF-8", { "\377\376", "\303", "a\200b", "\355\240\200" }, 4 },
	{ "characters", { "caf\303\251", "\346\227\245\346\234\254", "\342\200\256abc", "-n" }, 4 },
};

/* What `shell -c COMMAND` prints. */
static size_t run(const char *const shell[3], const char *command, char *to, size_t size)
{
	int out[2];
	size_t n = 0;
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(shell[0], shell[1], "-c", command, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	for (ssize_t got; (got = read(out[0], to + n, size - n)) > 0;)
		n += (size_t)got;
	close(out[0]);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return n;
}

static void check_row(size_t row, const char *const shell[3])
{
	char       got[4096], want[4096];
	size_t     n = 0;
	struct buf command;
	struct why why = { "" };
	buf_init(&command, SHELL_TEXT_MAX);
	buf_puts(&command, "printf '%s\\0' ");
	assert_row(rows[row].label, shell_quote(&command, rows[row].words, rows[row].n, &why) == ERR_OK);
	for (size_t i = 0; i < rows[row].n; i++) {
		memcpy(want + n, rows[row].words[i], strlen(rows[row].words[i]) + 1);
		n += strlen(rows[row].words[i]) + 1;
	}
	assert_row(rows[row].label, run(shell, buf_text(&command), got, sizeof got) == n && memcmp(got, want, n) == 0);
	buf_release(&command);
}

static void shells_read_them_back(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof shells / sizeof shells[0]; s++) {
		if (access(shells[s][0], X_OK) != 0) {
			print_message("# skipped: no %s\n", shells[s][0]);
			continue;
		}
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			check_row(i, shells[s]);
	}
}

/* Every byte but NUL, alone and beside a quote. */
static void every_byte(void **state)
{
	char       word[3 * 255 + 1], got[1024];
	struct buf command;
	size_t     n = 0;
	(void)state;
	for (int c = 1; c < 256; c++) {
		word[n++] = (char)c;
		word[n++] = '\'';
		word[n++] = (char)c;
	}
	word[n] = '\0';
	const char *words[] = { word };
	buf_init(&command, SHELL_TEXT_MAX);
	buf_puts(&command, "printf %s ");
	assert_int_equal(shell_quote(&command, words, 1, NULL), ERR_OK);
	for (size_t s = 0; s < sizeof shells / sizeof shells[0]; s++)
		if (access(shells[s][0], X_OK) == 0)
			assert_row(shells[s][0], run(shells[s], buf_text(&command), got, sizeof got) == n && memcmp(got, word, n) == 0);
	buf_release(&command);
}

static void refusals(void **state)
{
	static char  big[SHELL_TEXT_MAX];
	static const char *many[SHELL_WORDS_MAX + 1];
	struct buf to;
	struct why why = { "" };
	(void)state;
	memset(big, '\'', sizeof big - 1);
	for (size_t i = 0; i < SHELL_WORDS_MAX + 1; i++)
		many[i] = "a";
	const char *const huge[] = { big };
	buf_init(&to, 1 << 20);
	buf_puts(&to, "as it was");
	assert_int_equal(shell_quote(&to, many, 0, &why), ERR_USAGE);
	assert_int_equal(shell_quote(&to, many, SHELL_WORDS_MAX + 1, &why), ERR_LIMIT);
	assert_int_equal(shell_quote(&to, huge, 1, &why), ERR_LIMIT);
	assert_string_equal(why.text, "a command is longer than a shell takes");
	assert_int_equal(shell_quote_word(&to, "a\0b", 3, &why), ERR_FORMAT);
	assert_string_equal(why.text, "a word of a command holds a NUL byte");
	assert_string_equal(buf_text(&to), "as it was");
	assert_int_equal(shell_quote(&to, many, SHELL_WORDS_MAX, &why), ERR_OK);
	buf_release(&to);
	buf_init(&to, 4);
	assert_int_equal(shell_quote(&to, many, 2, &why), ERR_LIMIT);
	assert_int_equal(to.len, 0);
	buf_release(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shells_read_them_back), cmocka_unit_test(every_byte), cmocka_unit_test(refusals) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
