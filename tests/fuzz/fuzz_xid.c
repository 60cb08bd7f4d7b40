/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a kernel's log: what is found is bounded text and a code, and says the same when only the part from its prefix on is read. */
#include "tests/fuzz/fuzz.h"

#include "collectors/xid.h"

static void check(const struct xid *x)
{
	HOLDS(x->code > 0 && x->code < 1000000 && x->pid >= 0);
	HOLDS(memchr(x->bus_id, '\0', sizeof x->bus_id) != NULL && strlen(x->bus_id) >= 8);
	HOLDS(memchr(x->name, '\0', sizeof x->name) != NULL && memchr(x->rest, '\0', sizeof x->rest) != NULL);
	HOLDS(strchr(x->rest, '\n') == NULL && strchr(x->name, ',') == NULL);
	HOLDS(xid_same_bus(x->bus_id, x->bus_id));
	const struct xid_info *info = xid_info(x->code);
	HOLDS(info == NULL || (info->code == x->code && info->meaning[0] != '\0' && info->advice[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size == 0 ? 1 : size); /* without a NUL behind it */
	if (bytes == NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	for (size_t at = 0; at < size;) {
		const char *feed = memchr(bytes + at, '\n', size - at);
		size_t      n = feed == NULL ? size - at : (size_t)(feed - bytes) - at;
		struct xid  x;
		if (xid_parse(bytes + at, n, &x))
			check(&x);
		at += n + 1;
	}
	free(bytes);
	return 0;
}
