/* SPDX-License-Identifier: Apache-2.0
 *
 * Any words (parted by NUL bytes in the input) come back from what shell_quote makes of them, read by the rules of POSIX' shell for single
 * quotes and backslashes; and no byte of theirs stands outside of quotes. That real shells agree with this reader is
 * tests/unit/collectors/test_shell_quote. */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>

#include "collectors/shell_quote.h"

/* One word at *p, which must be equal to `want`. */
static void read_word(const char **p, const char *want)
{
	size_t n = strlen(want), at = 0;
	while (**p != '\0' && **p != ' ') {
		if (**p == '\'') {
			for ((*p)++; **p != '\''; (*p)++) {
				HOLDS(**p != '\0' && at < n && want[at] == **p);
				at++;
			}
			(*p)++;
		} else {
			HOLDS((*p)[0] == '\\' && (*p)[1] == '\'' && at < n && want[at] == '\'');
			at++;
			*p += 2;
		}
	}
	HOLDS(at == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *words[SHELL_WORDS_MAX + 1];
	char      *text = fuzz_text(data, size);
	struct buf to;
	size_t     n = 0;
	for (const char *p = text, *end = text + size; p <= end && n <= SHELL_WORDS_MAX; p += strlen(p) + 1)
		words[n++] = p;
	buf_init(&to, SHELL_TEXT_MAX);
	enum err e = shell_quote(&to, words, n, NULL);
	HOLDS(e == ERR_OK || (e == ERR_LIMIT && to.len == 0));
	const char *p = buf_text(&to);
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		HOLDS(i == 0 || *p++ == ' ');
		HOLDS(*p == '\'');
		read_word(&p, words[i]);
	}
	HOLDS(*p == '\0');
	buf_clear(&to);
	bool has_nul = memchr(text, '\0', size) != NULL;
	e = shell_quote_word(&to, text, size, NULL);
	HOLDS(has_nul ? e == ERR_FORMAT && to.len == 0 : e == ERR_OK || e == ERR_LIMIT);
	buf_release(&to);
	free(text);
	return 0;
}
