/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of algorithms, as Ciphers and its kin write them. Source: ssh_config(5), Ciphers. */
#include "collectors/ssh_config.h"
#include "collectors/ssh_pattern.h"

#include <string.h>

static bool holds(const char *list, size_t n_list, const char *name, size_t n)
{
	const char *end = list + n_list;
	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		size_t length = (size_t)((comma != NULL ? comma : end) - list);
		if (length == n && memcmp(list, name, n) == 0)
			return true;
		list += length + 1;
	}
	return false;
}

/* Appends a name where it is not there yet. */
static void put_name(struct buf *to, const char *name, size_t n)
{
	if (n == 0 || holds(buf_text(to), to->len, name, n))
		return;
	if (to->len > 0)
		buf_putc(to, ',');
	buf_put(to, name, n);
}

static const char *next_name(const char **list, size_t *n)
{
	const char *name = *list;
	*n = strcspn(name, ",");
	*list = name + *n + (name[*n] == ',');
	return name;
}

/* Appends the names of `known` that the pattern takes. */
static void put_matching(struct buf *to, const char *pattern, size_t n_pattern, const char *known)
{
	struct buf name;
	size_t n;
	buf_init(&name, 1024);
	while (*known != '\0') {
		const char *one = next_name(&known, &n);
		buf_clear(&name);
		buf_put(&name, one, n);
		if (name.err == ERR_OK && ssh_pattern_match_n(pattern, n_pattern, buf_text(&name), false))
			put_name(to, one, n);
	}
	buf_release(&name);
}

static void put_all(struct buf *to, const char *patterns, const char *known)
{
	size_t n;
	while (*patterns != '\0') {
		const char *pattern = next_name(&patterns, &n);
		put_matching(to, pattern, n, known);
	}
}

/* Appends the names that no pattern takes away. */
static void put_remaining(struct buf *to, const char *names, const char *removed)
{
	struct buf name;
	size_t n;
	buf_init(&name, 1024);
	while (*names != '\0') {
		const char *one = next_name(&names, &n);
		buf_clear(&name);
		buf_put(&name, one, n);
		if (ssh_pattern_list_match(removed, buf_text(&name), false) != SSH_PATTERN_YES)
			put_name(to, one, n);
	}
	buf_release(&name);
}

enum err ssh_algorithms_choose(const char *written, const char *defaults, const char *known, struct buf *to, struct why *why)
{
	struct buf list;
	buf_init(&list, to->max);
	if (written == NULL || *written == '\0') {
		buf_puts(&list, defaults);
	} else if (*written == '-') {
		put_remaining(&list, defaults, written + 1);
	} else {
		if (*written == '+')
			put_all(&list, defaults, known);
		put_all(&list, written + (*written == '+' || *written == '^'), known);
		if (*written == '^')
			put_all(&list, defaults, known);
	}
	enum err e = list.err;
	if (e != ERR_OK)
		why_set(why, e, "%s", err_text(e));
	else if (list.len == 0)
		e = why_set(why, ERR_UNSUPPORTED, "of the algorithms '%s' none is supported here", written != NULL ? written : "");
	else if ((e = buf_puts(to, buf_text(&list))) != ERR_OK)
		why_set(why, e, "%s", err_text(e));
	buf_release(&list);
	return e;
}
