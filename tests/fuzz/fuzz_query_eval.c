/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation of any expression over a few series, under a low ceiling: it ends, and its result can be written; beside itself in a batch
 * it gives the same. */
#include "tests/fuzz/fuzz.h"

#include "base/stale.h"
#include "query/batch.h"
#include "query/format.h"
#include "query/memory_source.h"
#include "query/query.h"

static void fill(struct memory_source *m)
{
	static const char *const names[] = { "a", "b_total", "h_bucket" };
	static const char *const values[] = { "1", "+Inf", "x" };
	memory_source_init(m);
	for (int i = 0; i < 9; i++) {
		struct labels *l = labels_of(LABEL_NAME, names[i / 3], i >= 6 ? "le" : "l", values[i % 3], NULL);
		for (int t = 0; t < 20; t++)
			HOLDS(memory_source_add(m, l, t * 15000, t == 13 && i == 1 ? stale_mark() : (double)((t * (i + 3)) % 17)) == ERR_OK);
		labels_unref(l);
	}
}

static void put_answer(const struct query *q, const struct memory_source *m, const struct query_options *o, struct buf *to)
{
	struct query_result r = { 0 };
	struct why why = { "" };
	if (query_instant(q, &m->source, 250000, o, &r, &why) == ERR_OK)
		HOLDS(format_table(&r, to) == ERR_OK);
	else
		buf_puts(to, why.text);
	query_result_release(&r);
}

static void check_batch(const char *text, const struct query *alone, const struct memory_source *m, const struct query_options *o)
{
	struct query *both[2] = { NULL, NULL };
	struct query_batch *b = NULL;
	struct buf want;
	buf_init(&want, 1 << 24);
	put_answer(alone, m, o, &want);
	for (int i = 0; i < 2; i++)
		HOLDS(query_parse(text, &both[i], NULL, NULL) == ERR_OK);
	HOLDS(query_batch_new(both, 2, NULL, NULL, &b, NULL) == ERR_OK);
	const struct query_options in_batch = { .max_samples = o->max_samples, .batch = b };
	for (int i = 0; i < 6; i++) { /* three rounds */
		struct buf got;
		buf_init(&got, 1 << 24);
		if (i % 2 == 0)
			query_batch_begin(b, NULL);
		put_answer(both[i % 2], m, &in_batch, &got);
		HOLDS(strcmp(buf_text(&got), buf_text(&want)) == 0);
		if (i % 2 == 1)
			query_batch_end(b);
		buf_release(&got);
	}
	query_batch_free(b);
	query_free(both[0]);
	query_free(both[1]);
	buf_release(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct query *q = NULL;
	struct why why;
	if (size < 4096 && query_parse(text, &q, NULL, &why) == ERR_OK) {
		struct memory_source m;
		struct query_options o = { .max_samples = 20000 };
		fill(&m);
		for (int i = 0; i < 2; i++) {
			struct query_result r = { 0 };
			struct buf b;
			buf_init(&b, 1 << 24);
			enum err e = i == 0 ? query_instant(q, &m.source, 250000, &o, &r, &why)
			                    : query_range(q, &m.source, 0, 300000, 20000, &o, &r, &why);
			HOLDS(e != ERR_OK || format_json(&r, &b) == ERR_OK);
			query_result_release(&r);
			buf_release(&b);
		}
		check_batch(text, q, &m, &o);
		memory_source_release(&m);
	}
	query_free(q);
	free(text);
	return 0;
}
