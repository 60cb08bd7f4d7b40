/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/exposition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 16 << 20 };

static enum err read_all(FILE *f, const char *path, struct buf *to, struct why *why)
{
	for (;;) {
		size_t room = 65536;
		char  *at = buf_room(to, to->max - to->len < room ? to->max - to->len : room);
		if (at == NULL)
			return why_memory(why);
		if (to->len == to->max)
			return why_set(why, ERR_LIMIT, "'%s' has more than %d MiB", path, FILE_MAX_BYTES >> 20);
		size_t n = fread(at, 1, to->max - to->len < room ? to->max - to->len : room, f);
		to->len += n;
		if (n == 0)
			return ferror(f) ? why_errno(why, errno, "cannot read '%s'", path) : ERR_OK;
	}
}

static enum err slurp(const char *path, struct buf *to, struct why *why)
{
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", to, why);
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return why_errno(why, errno, "cannot open '%s'", path);
	enum err e = read_all(f, path, to, why);
	fclose(f);
	return e;
}

/* "line 12: x" becomes "FILE:12: x". */
static enum err with_file(struct why *why, enum err e, const char *path)
{
	struct why said = *why;
	const char *text = said.text;
	if (strncmp(text, "line ", 5) == 0)
		return why_set(why, e, "%s:%s", path, text + 5);
	return why_set(why, e, "%s: %s", path, text);
}

static enum err parse_all(const struct buf *body, enum exposition_format format, struct scrape *s, struct exposition_pool **pool,
                          struct exposition **e, struct why *why)
{
	if (exposition_pool_new(pool) != ERR_OK || exposition_new(*pool, e) != ERR_OK)
		return why_memory(why);
	return exposition_parse_strict(*e, buf_text(body), body->len, format, s, why);
}

enum err exposition_check_file(const char *path, enum exposition_guess guess, struct buf *report, struct why *why)
{
	struct buf body;
	buf_init(&body, FILE_MAX_BYTES + 1);
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape           s;
	struct why              said = { "" };
	enum err err = slurp(path, &body, why);
	if (err != ERR_OK)
		goto out;
	enum exposition_format format = guess == EXPOSITION_GUESS_OPENMETRICS ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
	if (guess == EXPOSITION_GUESS_BY_BODY)
		format = exposition_format_of(NULL, buf_text(&body), body.len);
	err = parse_all(&body, format, &s, &pool, &e, &said);
	if (err != ERR_OK) {
		with_file(&said, err, strcmp(path, "-") == 0 ? "standard input" : path);
		why_set(why, err, "%s", said.text);
		goto out;
	}
	buf_printf(report, "%s: %zu series in %zu families, %s", path, s.n, s.n_families,
	           format == EXPOSITION_OPENMETRICS ? "OpenMetrics 1.0" : "Prometheus text 0.0.4");
	if (s.duplicates > 0)
		buf_printf(report, "; %zu lines repeat a series (the last counts)", s.duplicates);
	err = report->err;
	if (err != ERR_OK)
		why_set(why, err, "%s", err_text(err));
out:
	exposition_free(e);
	exposition_pool_free(pool);
	buf_release(&body);
	return err;
}
