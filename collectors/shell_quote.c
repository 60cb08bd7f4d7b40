/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/shell_quote.h"

#include <string.h>

/* Within single quotes nothing is special but the quote itself, which must be left, written with a backslash, and entered again. */
static void put_quoted(struct buf *to, const char *word, size_t n)
{
	const char *end = word + n;
	buf_putc(to, '\'');
	while (word < end) {
		const char *quote = memchr(word, '\'', (size_t)(end - word));
		const char *stop = quote != NULL ? quote : end;
		buf_put(to, word, (size_t)(stop - word));
		if (quote != NULL)
			buf_puts(to, "'\\''");
		word = quote != NULL ? quote + 1 : end;
	}
	buf_putc(to, '\'');
}

/* Takes back what was appended since `begin` if that failed or is too long. */
static enum err settle(struct buf *to, size_t begin, struct why *why)
{
	enum err e = to->err;
	if (e == ERR_OK && to->len - begin <= SHELL_TEXT_MAX)
		return ERR_OK;
	if (to->data != NULL) {
		to->len = begin;
		to->data[begin] = '\0';
	}
	if (e == ERR_MEMORY)
		return why_memory(why);
	return why_set(why, ERR_LIMIT, "a command is longer than a shell takes");
}

enum err shell_quote_word(struct buf *to, const char *word, size_t n, struct why *why)
{
	size_t begin = to->len;
	if (n > 0 && memchr(word, '\0', n) != NULL)
		return why_set(why, ERR_FORMAT, "a word of a command holds a NUL byte");
	put_quoted(to, word, n);
	return settle(to, begin, why);
}

enum err shell_quote(struct buf *to, const char *const *argv, size_t n, struct why *why)
{
	size_t begin = to->len;
	if (n == 0)
		return why_set(why, ERR_USAGE, "a command has no words");
	if (n > SHELL_WORDS_MAX)
		return why_set(why, ERR_LIMIT, "a command has more than %d words", SHELL_WORDS_MAX);
	for (size_t i = 0; i < n && to->len - begin <= SHELL_TEXT_MAX; i++) {
		if (i > 0)
			buf_putc(to, ' ');
		put_quoted(to, argv[i], strlen(argv[i]));
	}
	return settle(to, begin, why);
}
