/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine says to the hands, whole and byte by byte, and what its curl says. */
#include "tests/fuzz/fuzz.h"

#include "deploy/remote.h"

static const char mark[] = "0123456789abcdef0123456789abcdef";

enum { TEXT_LIMIT = 512 };

static void feed(struct remote_reader *r, const char *text, size_t n, size_t piece)
{
	remote_reader_init(r, mark, TEXT_LIMIT);
	for (size_t at = 0; at < n && r->state != REMOTE_ENDED && r->state != REMOTE_BROKEN;) {
		size_t len = n - at < piece ? n - at : piece, taken = 0;
		enum remote_state before = r->state;
		remote_feed(r, text + at, len, &taken);
		HOLDS(taken <= len && (taken == len || r->state != before));
		at += taken;
	}
	HOLDS(r->text.len <= TEXT_LIMIT + REMOTE_LINE && r->status >= 0 && r->status <= 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct remote_reader whole, bytes;
	struct answer answer;
	struct why why = { "" };
	feed(&whole, text, size, size);
	feed(&bytes, text, size, 1);
	HOLDS(whole.state == bytes.state && whole.status == bytes.status && whole.is_cut == bytes.is_cut);
	HOLDS(whole.state != REMOTE_ENDED ||
	      (whole.text.len <= TEXT_LIMIT && whole.text.len == bytes.text.len && memcmp(buf_text(&whole.text), buf_text(&bytes.text), whole.text.len) == 0));
	if (whole.state == REMOTE_ENDED) {
		remote_http_answer(&whole.text, whole.status, whole.is_cut, &answer, &why);
		HOLDS(answer.text != NULL && answer.why != NULL && strlen(answer.text) <= answer.n && answer.n <= TEXT_LIMIT);
		HOLDS(answer.err != ERR_OK || (answer.status >= 200 && answer.status <= 999 && (whole.status == 0 || whole.is_cut)));
		HOLDS(answer.retry_after_ms >= 0);
	}
	remote_reader_release(&whole);
	remote_reader_release(&bytes);
	free(text);
	return 0;
}
