/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine says of a run's lock (deploy/lock.h): whatever it is, the state is one of those that there are, and the sentence can be shown. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "deploy/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lock_seen seen;
	char *text = fuzz_text(data, size);
	const struct answer a = { .err = ERR_OK, .why = "", .was_sent = true, .text = text, .n = size };
	lock_read(&a, &seen);
	bool is_anothers = seen.state == LOCK_HELD || seen.state == LOCK_STALE;
	HOLDS(seen.state <= LOCK_CANNOT);
	HOLDS(memchr(seen.text, '\0', sizeof seen.text) != NULL && memchr(seen.key, '\0', sizeof seen.key) != NULL);
	HOLDS(is_anothers == (seen.key[0] != '\0') && (!is_anothers || seen.text[0] != '\0'));
	HOLDS(text_is_utf8(seen.text, strlen(seen.text)) && text_is_utf8(seen.key, strlen(seen.key)));
	for (const char *c = seen.text; *c != '\0'; c++)
		HOLDS((unsigned char)*c >= 0x20);
	free(text);
	return 0;
}
