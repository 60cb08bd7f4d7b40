/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of another user: what is read is whole, within its limits, and written again says the same. */
#include "tests/fuzz/fuzz.h"

#include "alerts/request.h"

static const char id[] = "0193a5c2-f0e1-7abc-8def-0123456789ab";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request *r = NULL, *again = NULL;
	struct buf first, second;
	if (request_read((const char *)data, size, id, &r, NULL) != ERR_OK)
		return 0;
	HOLDS(request_check(r, NULL) == ERR_OK);
	HOLDS(strcmp(r->id, id) == 0 && r->kind < REQUEST_KIND_COUNT && r->n_keys <= REQUEST_KEYS_MAX);
	buf_init(&first, 4 * REQUEST_BYTES_MAX);
	buf_init(&second, 4 * REQUEST_BYTES_MAX);
	if (request_write(r, &first, NULL) == ERR_OK) { /* escapes may make it larger than what was read */
		HOLDS(request_read(buf_text(&first), first.len, id, &again, NULL) == ERR_OK);
		HOLDS(request_write(again, &second, NULL) == ERR_OK);
		HOLDS(strcmp(buf_text(&first), buf_text(&second)) == 0);
		request_free(again);
	}
	buf_release(&first);
	buf_release(&second);
	request_free(r);
	return 0;
}
