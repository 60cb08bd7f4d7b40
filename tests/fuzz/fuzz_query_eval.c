/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluation of any expression over a few series, under a low ceiling: it ends, and its result can be written. */
#include "tests/fuzz/fuzz.h"

#include "base/stale.h"
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
		memory_source_release(&m);
	}
	query_free(q);
	free(text);
	return 0;
}
