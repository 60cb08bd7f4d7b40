/* SPDX-License-Identifier: Apache-2.0
 *
 * The input decoder over any bytes: what it says does not depend on how the bytes were cut into reads, no event carries a control
 * character, and it never holds more than it may. */
#include "tests/fuzz/fuzz.h"

#include "tui/input.h"

#include <stdlib.h>
#include <string.h>

struct trace {
	uint64_t sum;
	size_t   events;
};

static void note(struct trace *t, const struct input_event *e)
{
	char name[KEY_TEXT];
	t->events++;
	t->sum = t->sum * 1099511628211u + (uint64_t)e->kind * 7 + e->key.code * 31 + e->key.mods + (uint64_t)e->row * 3 + (uint64_t)e->col * 5 +
		 (uint64_t)e->number + (uint64_t)e->number2 * 11 + e->text_len;
	if (e->kind == INPUT_KEY) {
		struct key again;
		HOLDS(e->key.code >= 0x20 && e->key.code < KEY_END_OF_LIST && !(e->key.code >= 0x7f && e->key.code < 0xa0));
		key_print(e->key, name);
		HOLDS(strlen(name) < KEY_TEXT);
		if (e->key.code >= KEY_FIRST)
			HOLDS(key_parse(name, strlen(name), &again) && key_equal(again, e->key));
	}
	if (e->kind == INPUT_PASTE)
		for (size_t i = 0; i < e->text_len; i++)
			HOLDS((unsigned char)e->text[i] >= 0x20 || e->text[i] == '\n' || e->text[i] == '\t');
	if (e->kind == INPUT_MOUSE)
		HOLDS(e->row >= 0 && e->col >= 0 && e->button >= MOUSE_LEFT && e->button <= MOUSE_WHEEL_DOWN);
}

static struct trace run(const uint8_t *data, size_t size, size_t piece)
{
	struct trace t = { 0, 0 };
	struct input in;
	struct input_event e;
	input_init(&in);
	for (size_t at = 0; at < size; at += piece) {
		const uint8_t *p = data + at, *end = data + (at + piece < size ? at + piece : size);
		while (input_next(&in, &p, end, &e))
			note(&t, &e);
		HOLDS(p == end && in.n < SEQUENCE_MAX && in.paste.len <= PASTE_MAX);
	}
	while (input_flush(&in, &e))
		note(&t, &e);
	input_release(&in);
	HOLDS(t.events <= size);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace whole = run(data, size, size == 0 ? 1 : size), bytes = run(data, size, 1), threes = run(data, size, 3);
	HOLDS(whole.events == bytes.events && whole.sum == bytes.sum);
	HOLDS(whole.events == threes.events && whole.sum == threes.sum);
	return 0;
}
