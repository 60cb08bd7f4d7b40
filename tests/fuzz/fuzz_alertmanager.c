/* SPDX-License-Identifier: Apache-2.0
 *
 * What an Alertmanager answers, and the bodies of notifications: whatever the bytes are, they are read or refused; what was read can be written, and
 * what was written is read back. */
#include "tests/fuzz/fuzz.h"

#include "alerts/alertmanager_json.h"
#include "alerts/notify_message.h"

static void check_silences(const struct am_silences *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct am_silence *one = &s->items[i];
		struct am_silence_put put = { .id = one->id, .matchers = &one->matchers, .created_by = one->created_by, .comment = one->comment };
		struct buf b;
		HOLDS(am_is_id(one->id) && strlen(am_ack_comment(one)) <= strlen(one->comment));
		buf_init(&b, 64 << 20);
		HOLDS(am_put_silence(&b, &put) == ERR_OK);
		buf_release(&b);
	}
}

static void check_message(const struct notify_message *m)
{
	struct notify_message *back;
	struct buf b;
	buf_init(&b, NOTIFY_BODY_MAX);
	if (notify_message_print(m, &b) == ERR_OK) {
		HOLDS(notify_message_parse(buf_text(&b), b.len, &back, NULL) == ERR_OK);
		HOLDS(back->n == m->n && back->n_known == m->n_known && back->told_ms == m->told_ms);
		notify_message_free(back);
	}
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), id[AM_ID_MAX + 1];
	struct am_alerts a;
	struct am_silences s;
	struct notify_message *m;
	if (am_alerts_parse(text, size, &a, NULL) == ERR_OK) {
		for (size_t i = 0; i < a.n; i++)
			HOLDS(a.items[i].labels != NULL && a.items[i].annotations != NULL && a.items[i].generator_url != NULL);
		am_alerts_release(&a);
	}
	if (am_silences_parse(text, size, &s, NULL) == ERR_OK) {
		check_silences(&s);
		am_silences_release(&s);
	}
	if (am_silence_parse(text, size, &s, NULL) == ERR_OK) {
		check_silences(&s);
		am_silences_release(&s);
	}
	if (am_silence_id_parse(text, size, id, NULL) == ERR_OK)
		HOLDS(am_is_id(id));
	if (notify_message_parse(text, size, &m, NULL) == ERR_OK) {
		check_message(m);
		notify_message_free(m);
	}
	free(text);
	return 0;
}
