/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/said.h"

#include "base/num.h"
#include "base/text.h"

struct slice said_until(struct slice *s, char c)
{
	struct slice out = { s->p, 0 };
	slice_take(s, c, &out);
	return out;
}

const char *said_safe(struct slice s, char to[SAID_SAFE])
{
	struct buf safe;
	buf_init(&safe, SAID_SAFE - 1);
	if (s.n > 0 && text_cut(&safe, s.p, s.n < SAID_SAFE ? s.n : SAID_SAFE, 200) != ERR_OK)
		buf_clear(&safe);
	slice_copy(slice_of(buf_text(&safe)), to, SAID_SAFE);
	buf_release(&safe);
	return to;
}

int64_t said_number(struct slice s, int64_t none)
{
	char    text[24];
	int64_t v;
	if (s.n == 0 || s.n >= sizeof text)
		return none;
	return parse_i64(slice_copy(s, text, sizeof text), INT64_MIN, INT64_MAX, &v) == ERR_OK ? v : none;
}
