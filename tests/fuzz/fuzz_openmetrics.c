/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict parser for OpenMetrics 1.0 over any bytes, each time in a fresh state: no crash, and what it says is whole. */
#include "tests/fuzz/fuzz.h"

#include "collectors/exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exposition_pool *pool;
	struct exposition      *e;
	struct scrape           s = { 0 };
	struct why              why = { "" };
	if (exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &e) != ERR_OK)
		return 0;
	if (exposition_parse_strict(e, (const char *)data, size, EXPOSITION_OPENMETRICS, &s, &why) == ERR_OK) {
		HOLDS(s.n == exposition_layout_size(s.layout) && s.samples == s.n + s.duplicates);
	} else {
		/* fit for a terminal: foreign bytes are escaped */
		HOLDS(strncmp(why.text, "line ", 5) == 0);
		for (const char *p = why.text; *p != '\0'; p++)
			HOLDS((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	}
	exposition_free(e);
	exposition_pool_free(pool);
	return 0;
}
