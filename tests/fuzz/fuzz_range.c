/* SPDX-License-Identifier: Apache-2.0
 *
 * Bracket ranges: as many names as were counted, none too long. */
#include "tests/fuzz/fuzz.h"

#include "config/range.h"

#include <stdlib.h>
#include <string.h>

static enum err count_name(const char *name, void *arg)
{
	size_t *n = arg;
	if (name[0] == '\0' || strlen(name) > RANGE_NAME_BYTES)
		abort();
	++*n;
	return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pattern = malloc(size + 1);
	size_t counted = 0, made = 0, at = 0;
	struct why why;
	if (pattern == NULL)
		return 0;
	memcpy(pattern, data, size);
	pattern[size] = '\0';
	enum err e = range_count(pattern, &counted, &at, &why);
	if (e != ERR_OK && at > strlen(pattern))
		abort();
	if (range_expand(pattern, count_name, &made, NULL, NULL) != e || made != counted)
		abort();
	free(pattern);
	return 0;
}
