/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSH has two ways to cut a line into words: keywords and the criteria of Match are cut one way, values the other. They differ in
 * quotes, backslashes and '='. */
#include "collectors/ssh_config_private.h"

#include <string.h>

#define BLANKS " \t\r\n"

char *ssh_next_token(char **rest)
{
	char *token = *rest;
	if (token == NULL)
		return NULL;
	char *end = strpbrk(token, BLANKS "\"=");
	*rest = end;
	if (end == NULL)
		return token;
	if (*end == '"') { /* the opening quote goes, wherever it stands; up to the closing one all belongs to the token */
		memmove(end, end + 1, strlen(end));
		*rest = strchr(end, '"');
		if (*rest == NULL)
			return NULL;
		*(*rest)++ = '\0';
		*rest += strspn(*rest, BLANKS);
		return token;
	}
	bool was_equals = *end == '=';
	*end++ = '\0';
	end += strspn(end, BLANKS);
	if (*end == '=' && !was_equals) {
		end++;
		end += strspn(end, BLANKS);
	}
	*rest = end;
	return token;
}

bool ssh_words_add(struct arena *a, struct ssh_word_list *list, const char *text, const char *file, int line)
{
	if (list->n == list->cap) {
		size_t cap = list->cap == 0 ? 4 : list->cap * 2;
		struct ssh_word *items = arena_zeroed(a, cap, sizeof *items);
		if (items == NULL)
			return false;
		for (size_t i = 0; i < list->n; i++)
			items[i] = list->items[i];
		list->items = items;
		list->cap = cap;
	}
	list->items[list->n++] = (struct ssh_word){ .text = text, .file = file, .line = line };
	return true;
}

const char *ssh_words_join(struct arena *a, const struct ssh_word_list *list)
{
	size_t size = 1;
	for (size_t i = 0; i < list->n; i++)
		size += strlen(list->items[i].text) + 1;
	char *text = arena_zeroed(a, size, 1);
	if (text == NULL)
		return NULL;
	char *to = text;
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->items[i].text);
		if (i > 0)
			*to++ = ' ';
		memcpy(to, list->items[i].text, n);
		to += n;
	}
	return text;
}

static bool is_escaped(const char *at, char quote)
{
	return at[0] == '\\' && (at[1] == '\'' || at[1] == '"' || at[1] == '\\' || (quote == '\0' && at[1] == ' '));
}

/* Copies the word at *at to *to, without its quotes and backslashes, and moves both behind it. False: a quote is not closed. */
static bool copy_word(const char **at, char **to)
{
	char quote = '\0';
	const char *p = *at;
	for (; *p != '\0' && (quote != '\0' || (*p != ' ' && *p != '\t')); p++) {
		if (is_escaped(p, quote))
			*(*to)++ = *++p;
		else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
		else if (quote != '\0' && *p == quote)
			quote = '\0';
		else
			*(*to)++ = *p;
	}
	*(*to)++ = '\0';
	*at = p;
	return quote == '\0';
}

bool ssh_split(struct ssh_reading *r, const struct ssh_place *at, const char *text, struct ssh_word_list *out)
{
	/* A word is no longer than its text; its NUL takes the place of the blank or quote behind it, but for the last one. */
	char *to = arena_zeroed(&r->scratch, strlen(text) + 2, 1);
	if (to == NULL)
		return false;
	for (;;) {
		text += strspn(text, " \t");
		if (*text == '\0' || *text == '#')
			return true;
		const char *word = to;
		if (!copy_word(&text, &to) || !ssh_words_add(&r->scratch, out, word, at->file, at->line))
			return false;
	}
}

bool ssh_words_copy(struct arena *a, const struct ssh_word_list *from, struct ssh_word_list *to)
{
	for (size_t i = 0; i < from->n; i++) {
		const char *text = arena_text(a, from->items[i].text);
		if (text == NULL || !ssh_words_add(a, to, text, from->items[i].file, from->items[i].line))
			return false;
	}
	return true;
}
