/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON behind its ceilings, and text written as JSON: any bytes become one string that reads back. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits limits = { .bytes = 1 << 20, .depth = 32, .values = 10000 };
	struct buf quoted;
	cJSON *tree = NULL, *back = NULL;
	int64_t i;
	const char *s;
	if (json_parse((const char *)data, size, &limits, &tree, NULL) == ERR_OK) {
		json_get_i64(tree, "a", INT64_MIN, INT64_MAX, &i, NULL);
		json_get_string(tree, "a", 100, &s, NULL);
		cJSON_Delete(tree);
	}
	if (memchr(data, '\0', size) == NULL) {
		buf_init(&quoted, 64 << 20);
		HOLDS(json_put_string(&quoted, (const char *)data, size) == ERR_OK);
		HOLDS(json_parse(quoted.data, quoted.len, NULL, &back, NULL) == ERR_OK);
		HOLDS(cJSON_IsString(back));
		cJSON_Delete(back);
		buf_release(&quoted);
	}
	return 0;
}
