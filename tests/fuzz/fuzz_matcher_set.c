/* SPDX-License-Identifier: Apache-2.0
 *
 * Matchers as people type them and as Alertmanager sends them: what was read is the same after it was printed, or sent, and read again; a mistake adds
 * nothing and is told. */
#include "tests/fuzz/fuzz.h"

#include "base/matcher_set.h"

static void check_set(const struct matcher_set *s)
{
	struct matcher_set again;
	struct buf text;
	struct why why = { "" };
	matcher_set_init(&again);
	buf_init(&text, 64 << 20);
	HOLDS(s->n <= MATCHER_SET_MAX);
	HOLDS(matcher_set_print(s, &text) == ERR_OK);
	HOLDS(matcher_set_parse(&again, buf_text(&text), &why) == ERR_OK && matcher_set_equal(s, &again));
	matcher_set_release(&again);
	buf_clear(&text);
	HOLDS(matcher_set_put_json(s, &text) == ERR_OK);
	HOLDS(matcher_set_parse_json(&again, text.data, text.len, &why) == ERR_OK && matcher_set_equal(s, &again));
	matcher_set_release(&again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct matcher_set s;
	struct why why = { "" };
	matcher_set_init(&s);
	if (matcher_set_parse(&s, text, &why) == ERR_OK)
		check_set(&s);
	else
		HOLDS(s.n == 0 && why.text[0] != '\0');
	matcher_set_release(&s);
	why.text[0] = '\0';
	if (matcher_set_parse_json(&s, text, size, &why) == ERR_OK)
		check_set(&s);
	else
		HOLDS(s.n == 0 && why.text[0] != '\0');
	matcher_set_release(&s);
	free(text);
	return 0;
}
