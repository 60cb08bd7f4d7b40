/* SPDX-License-Identifier: Apache-2.0
 *
 * What an Alertmanager answers, and the bodies of notifications: whatever the bytes are, they are read or refused; what was read can be written, and
 * what was written is read back. What comes of it for the store is bounded, and a second look at the same changes nothing. */
#include "tests/fuzz/fuzz.h"

#include "alerts/alertmanager_json.h"
#include "alerts/alertmanager_seen.h"
#include "alerts/alertmanager_sync.h"
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

/* What would be written and asked for, then as if it had been written. */
static void check_sync(const struct am_silences *there)
{
	struct am_sync_options o = { .name = "am", .fleet = "shop", .there = there, .is_settled = true, .now_ms = 1000 };
	struct am_sync first, second;
	HOLDS(am_sync_plan(&o, &first, NULL) == ERR_OK);
	HOLDS(first.n + first.n_left_out <= there->n);
	struct silence_row *rows = calloc(first.n + 1, sizeof *rows);
	HOLDS(rows != NULL);
	for (size_t i = 0; i < first.n; i++) {
		HOLDS(first.steps[i].act == AM_SYNC_WRITE && strcmp(first.steps[i].row.remote, "am") == 0);
		rows[o.n_rows++] = first.steps[i].row;
	}
	o.rows = rows;
	HOLDS(am_sync_plan(&o, &second, NULL) == ERR_OK);
	for (size_t i = 0; i < second.n; i++)
		HOLDS(second.steps[i].act != AM_SYNC_CREATE);
	am_sync_release(&second);
	am_sync_release(&first);
	free(rows);
}

static void check_seen(const struct am_alerts *a)
{
	struct am_seen *seen;
	struct changes *c;
	bool *is_ours = calloc(a->n + 1, sizeof *is_ours);
	int64_t last = 0;
	size_t left_out;
	HOLDS(is_ours != NULL && am_seen_new("am", &seen, NULL) == ERR_OK);
	HOLDS(changes_new(&c, NULL) == ERR_OK);
	HOLDS(am_seen_take(seen, a->items, a->n, is_ours, 1000, &last, c, &left_out, NULL) == ERR_OK);
	HOLDS((size_t)last + left_out <= a->n);
	changes_free(c);
	HOLDS(changes_new(&c, NULL) == ERR_OK);
	HOLDS(am_seen_take(seen, a->items, a->n, is_ours, 2000, &last, c, &left_out, NULL) == ERR_OK && changes_is_empty(c));
	changes_free(c);
	am_seen_free(seen);
	free(is_ours);
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
		check_seen(&a);
		am_alerts_release(&a);
	}
	if (am_silences_parse(text, size, &s, NULL) == ERR_OK) {
		check_silences(&s);
		check_sync(&s);
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
