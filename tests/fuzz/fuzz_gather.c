/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes in any pieces as what a machine says, over the real sources: no crash, no more than the ceilings, and the page that comes of it
 * is always one that the exposition parser reads. In the input, 0xFE stands for the nonce, which nobody can guess; the first byte says how
 * large the pieces are. Two gathers, so that what was remembered meets what comes. */
#include "tests/fuzz/fuzz.h"

#include "collectors/exposition.h"
#include "collectors/gather.h"

enum { NONCE_LEN = 16 };

static struct buf with_nonce(const uint8_t *data, size_t size, const struct buf *request)
{
	struct buf b;
	size_t     line = request->len - 1;
	while (line > 0 && request->data[line - 1] != '\n')
		line--;
	buf_init(&b, GATHER_OUTPUT_MAX + (1 << 20));
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0xfe)
			buf_put(&b, request->data + line, NONCE_LEN);
		else
			buf_putc(&b, (char)data[i]);
	}
	return b;
}

static enum gather_state feed(struct gather *g, const struct buf *b, size_t piece, struct why *why)
{
	enum gather_state state = GATHER_MORE;
	for (size_t at = 0; at < b->len && state == GATHER_MORE; at += piece) {
		size_t n = b->len - at < piece ? b->len - at : piece;
		char  *exact = malloc(n);
		if (exact == NULL)
			abort();
		memcpy(exact, b->data + at, n);
		state = gather_feed(g, exact, n, why);
		free(exact);
	}
	return state;
}

static void check_page(struct gather *g)
{
	struct exposition_pool *pool;
	struct exposition      *e;
	struct scrape           s;
	struct why              why = { "" };
	const struct findings  *f = gather_findings(g);
	HOLDS(f->page.err == ERR_OK && f->page.len <= FINDINGS_PAGE_MAX && f->n_events <= FINDINGS_EVENTS_MAX);
	HOLDS(strncmp(buf_text(&f->page), "pitwall_machine_info", 20) == 0);
	if (exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &e) != ERR_OK)
		abort();
	if (exposition_parse_strict(e, buf_text(&f->page), f->page.len, EXPOSITION_TEXT, &s, &why) != ERR_OK) {
		fprintf(stderr, "%s\n", why.text);
		HOLDS(false);
	}
	exposition_free(e);
	exposition_pool_free(pool);
	for (size_t i = 0; i < gather_source_count(g); i++) {
		struct gather_source source = gather_source_at(g, i);
		bool is_explained = source.reason[0] != '\0';
		HOLDS(is_explained == (source.state == GATHER_SOURCE_FAILED || source.state == GATHER_SOURCE_ABSENT));
		for (const char *p = source.reason; *p != '\0'; p++)
			HOLDS((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_clock     clock;
	struct gather        *g;
	struct why            why = { "" };
	if (size == 0)
		return 0;
	test_clock_init(&clock, INT64_C(1712345678000));
	struct gather_options o = { .clock = &clock.clock };
	if (gather_new(&o, &g, &why) != ERR_OK)
		abort();
	for (int round = 0; round < 2; round++) {
		struct buf request;
		buf_init(&request, GATHER_REQUEST_MAX);
		HOLDS(gather_request(g, &request, &why) == ERR_OK);
		test_clock_advance(&clock, 20);
		struct buf b = with_nonce(data + 1, size - 1, &request);
		enum gather_state state = feed(g, &b, (size_t)data[0] + 1, &why);
		buf_release(&b);
		buf_release(&request);
		check_page(g);
		if (state != GATHER_DONE) {
			HOLDS(state == GATHER_MORE || why.text[0] != '\0');
			gather_closed(g, &why);
			gather_reset(g);
		}
		test_clock_advance(&clock, 40000);
	}
	gather_free(g);
	return 0;
}
