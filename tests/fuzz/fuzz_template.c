/* SPDX-License-Identifier: Apache-2.0
 *
 * Any template is refused with a sentence or expands within its bounds, with labels and values as a server might send them; one that fails
 * leaves what was there before. */
#include "tests/fuzz/fuzz.h"

#include "rules/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char            *text = fuzz_text(data, size);
	struct template *t = NULL;
	struct why       why = { "" };
	struct buf       out;
	struct labels   *labels = labels_of("node", "a\x1b[31m\xff", "quote", "\"{{ $value }}\"", NULL);
	const struct template_data d = { .labels = labels, .value = -1234.5678, .external = labels, .external_url = "http://[::1]:9090/p?q", .at_ms = 1 };
	buf_init(&out, TEMPLATE_OUTPUT_MAX + 1);
	buf_putc(&out, '=');
	enum err e = template_parse(text, &t, &why);
	HOLDS((e == ERR_OK) == (t != NULL));
	if (e == ERR_OK)
		e = template_expand(t, &d, &out, &why);
	HOLDS(e == ERR_OK || (why.text[0] != '\0' && out.len == 1));
	HOLDS(buf_text(&out)[0] == '=');
	template_free(t);
	labels_unref(labels);
	buf_release(&out);
	free(text);
	return 0;
}
