/* SPDX-License-Identifier: Apache-2.0
 *
 * PromQL: what parses prints to a text that parses to the same print. */
#include "tests/fuzz/fuzz.h"

#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct query *q = NULL, *again = NULL;
	struct query_position where;
	struct why why;
	if (query_parse(text, &q, &where, &why) != ERR_OK) {
		HOLDS(q == NULL && where.offset + where.length <= strlen(text) && where.line >= 1 && where.column >= 1);
		free(text);
		return 0;
	}
	struct buf one, two;
	buf_init(&one, 1 << 22);
	buf_init(&two, 1 << 22);
	HOLDS(query_print(q, &one) == ERR_OK);
	enum err e = query_parse(buf_text(&one), &again, NULL, &why);
	HOLDS(e == ERR_OK || e == ERR_LIMIT); /* the print may be longer than what may be parsed */
	if (e == ERR_OK) {
		HOLDS(query_print(again, &two) == ERR_OK);
		HOLDS(strcmp(buf_text(&one), buf_text(&two)) == 0);
		HOLDS(query_type(q) == query_type(again));
	}
	buf_release(&one);
	buf_release(&two);
	query_free(q);
	query_free(again);
	free(text);
	return 0;
}
