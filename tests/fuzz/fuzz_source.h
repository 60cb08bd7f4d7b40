/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections of a source: whatever one says, what is found is a page that the strict parser takes, and what is asked next is as it should be.
 * The first byte of the input is the exit status; "%%%\n" ends a section, and one machine is asked for all of them. */
#ifndef PITWALL_TESTS_FUZZ_SOURCE_H
#define PITWALL_TESTS_FUZZ_SOURCE_H

#include "tests/fuzz/fuzz.h"

#include "collectors/exposition.h"
#include "collectors/source.h"

static inline void fuzz_section(const struct source *source, void *memory, struct exposition *e, char *text, size_t n, int status,
	int64_t now_ms)
{
	static struct findings found;
	struct source_settings none = { .n_units = 0 };
	struct section         in = { .text = text, .n = n, .status = status, .asked_ms = now_ms, .answered_ms = now_ms + 100 };
	struct scrape          s;
	struct why             why = { "" };
	struct buf             asked;
	findings_init(&found);
	enum err got = source->parse(&in, &none, memory, &found, &why);
	HOLDS(got == ERR_OK || why.text[0] != '\0');
	HOLDS(found.page.err == ERR_OK || found.page.err == ERR_LIMIT);
	HOLDS(found.n_events <= FINDINGS_EVENTS_MAX);
	got = exposition_parse(e, found.page.data == NULL ? "" : found.page.data, found.page.len, EXPOSITION_TEXT, &s, &why);
	if (got != ERR_OK && got != ERR_LIMIT)
		fprintf(stderr, "%s: %s\n", why.text, found.page.data);
	HOLDS(got == ERR_OK || got == ERR_LIMIT);
	buf_init(&asked, 512);
	if (source->ask != NULL)
		source->ask(memory, &asked);
	HOLDS(asked.err == ERR_OK);
	for (size_t i = 0; i < asked.len; i++)
		HOLDS(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=;:.,/@+-", asked.data[i]) != NULL);
	buf_release(&asked);
	findings_release(&found);
}

static inline int fuzz_source(const struct source *source, const uint8_t *data, size_t size)
{
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	int64_t                 now_ms = INT64_C(1790000000000);
	if (size < 1)
		return 0;
	/* '0' stands for status 0, so that a corpus can be written by hand. */
	int   status = data[0] == '0' ? 0 : data[0];
	char *text = fuzz_text(data + 1, size - 1);
	void *memory = calloc(1, source->memory_size == 0 ? 1 : source->memory_size);
	HOLDS(memory != NULL && exposition_pool_new(&pool) == ERR_OK && exposition_new(pool, &e) == ERR_OK);
	for (char *p = text, *end = text + size - 1, *next = NULL; p != NULL; p = next, now_ms += 30000) {
		char *mark = memmem(p, (size_t)(end - p), "%%%\n", 4);
		next = mark == NULL ? NULL : mark + 4;
		size_t n = (size_t)((mark == NULL ? end : mark) - p);
		char  *section = fuzz_text((const uint8_t *)p, n); /* its own memory: reading past its end is seen */
		fuzz_section(source, memory, e, section, n, status, now_ms);
		free(section);
	}
	if (source->forget != NULL)
		source->forget(memory);
	free(memory);
	free(text);
	exposition_free(e);
	exposition_pool_free(pool);
	return 0;
}

#endif
