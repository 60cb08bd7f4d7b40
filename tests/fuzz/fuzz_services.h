/* SPDX-License-Identifier: Apache-2.0
 *
 * A source's parser on hostile sections. The input is a flag byte and then sections, parted by form feeds, which one machine says one after
 * the other. What must hold whatever it says: the page parses, sentences are safe to show, what is said back to the script is within its
 * alphabet. */
#ifndef PITWALL_TESTS_FUZZ_SERVICES_H
#define PITWALL_TESTS_FUZZ_SERVICES_H

#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "collectors/exposition.h"
#include "collectors/source.h"

static void fuzz_check_page(const struct findings *out)
{
	struct exposition_pool *pool;
	struct exposition      *e;
	struct scrape s;
	struct why    why;
	HOLDS(exposition_pool_new(&pool) == ERR_OK && exposition_new(pool, &e) == ERR_OK);
	HOLDS(exposition_parse_strict(e, buf_text(&out->page), out->page.len, EXPOSITION_TEXT, &s, &why) == ERR_OK);
	exposition_free(e);
	exposition_pool_free(pool);
	HOLDS(out->n_events <= FINDINGS_EVENTS_MAX);
	for (size_t i = 0; i < out->n_events; i++)
		HOLDS(out->events[i].kind != NULL && strnlen(out->events[i].text, FINDING_TEXT) < FINDING_TEXT && out->events[i].text[0] != '\0');
}

static void fuzz_check_words(const struct source *source, const void *memory, const struct why *why)
{
	struct buf argument;
	buf_init(&argument, 4096);
	if (source->ask != NULL)
		source->ask(memory, &argument);
	HOLDS(argument.err == ERR_OK && argument.len <= 512);
	HOLDS(strspn(buf_text(&argument), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=;:.,/@+-") == argument.len);
	buf_release(&argument);
	for (const char *p = why->text; *p != '\0'; p++)
		HOLDS((unsigned char)*p >= ' ' && *p != '\177');
}

static inline void fuzz_services(const struct source *source, const struct source_settings *settings, const uint8_t *data, size_t size)
{
	static const int statuses[] = { 0, 0, 1, 124, 127 };
	struct findings out;
	char *text = fuzz_text(data, size);
	char *p = size > 0 ? text + 1 : text, *end = text + size;
	void *memory = calloc(1, source->memory_size > 0 ? source->memory_size : 1);
	int64_t now_ms = 1700000600000;
	findings_init(&out);
	for (size_t asked = 0; asked < 8; asked++) {
		char *stop = memchr(p, '\f', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		char behind = *stop;
		*stop = '\0';
		struct why why = { "" };
		struct section in = { .text = p, .n = (size_t)(stop - p), .status = statuses[(size > 0 ? data[0] : 0) % 5],
		                      .is_cut = size > 0 && (data[0] & 0x80) != 0, .asked_ms = now_ms, .answered_ms = now_ms + 50 };
		findings_clear(&out);
		enum err e = source->parse(&in, settings, memory, &out, &why);
		HOLDS(e == ERR_OK || e == ERR_NOT_FOUND || why.text[0] != '\0');
		fuzz_check_page(&out);
		fuzz_check_words(source, memory, &why);
		now_ms += 10000;
		*stop = behind;
		if (stop == end)
			break;
		p = stop + 1;
	}
	if (source->forget != NULL)
		source->forget(memory);
	free(memory);
	findings_release(&out);
	free(text);
}

#endif
