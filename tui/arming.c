/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/arming.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char alone[] = "other keys came with it: it was not taken";

static void go(struct arming *a, enum arming_phase phase)
{
	a->phase = phase;
	a->is_timed = false;
	a->n_fast = 0;
	if (phase != ARMING_TYPING && phase != ARMING_HELD)
		a->typed[0] = '\0';
}

static void begin(struct arming *a, const char *says)
{
	a->says = says;
	go(a, a->subject != 0 ? ARMING_RAW : ARMING_NOTHING);
}

void arming_about(struct arming *a, uint64_t subject, const char *name)
{
	bool is_same = a->says != NULL && subject == a->subject && a->by_name == (name != NULL) && (name == NULL || strcmp(name, a->name) == 0);
	if (is_same)
		return;
	a->subject = subject;
	a->by_name = name != NULL;
	snprintf(a->name, sizeof a->name, "%s", name != NULL ? name : "");
	begin(a, "");
}

int arming_shown(struct arming *a, bool is_uncovered)
{
	if (is_uncovered && a->phase != ARMING_NOTHING)
		begin(a, "");
	if (a->is_timed || (a->phase != ARMING_RAW && a->phase != ARMING_HELD))
		return 0;
	a->is_timed = true;
	return a->phase == ARMING_RAW ? ARMING_MS : ARMING_HOLD_MS;
}

bool arming_settled(struct arming *a, bool was_quiet)
{
	if (!a->is_timed)
		return false;
	a->is_timed = false;
	if (a->phase == ARMING_RAW && was_quiet) {
		a->says = "";
		go(a, ARMING_ARMED);
	} else if (a->phase == ARMING_HELD && was_quiet) {
		a->subject = 0;
		begin(a, "");
		return true;
	} else if (a->phase == ARMING_HELD) {
		begin(a, alone);
	}
	return false;
}

/* ---- keys ---- */

static bool press_yes(struct arming *a, int64_t quiet_ms)
{
	if (a->phase == ARMING_RAW) { /* typed ahead, or leant on: not before it is let go of */
		begin(a, "not yet: look at it first");
		return true;
	}
	if (quiet_ms < ARMING_HOLD_MS) {
		begin(a, alone);
		return true;
	}
	a->says = "";
	go(a, a->by_name ? ARMING_TYPING : ARMING_HELD);
	return true;
}

static void drop_last(char *typed)
{
	size_t n = strlen(typed);
	while (n > 0) {
		bool begins = ((unsigned char)typed[--n] & 0xc0) != 0x80;
		typed[n] = '\0';
		if (begins)
			return;
	}
}

static void put(struct arming *a, uint32_t character, int64_t quiet_ms)
{
	char text[TEXT_UTF8_MAX];
	size_t n = text_encode(character, text), len = strlen(a->typed);
	a->n_fast = quiet_ms < ARMING_BURST_MS ? a->n_fast + 1 : 0;
	if (a->n_fast >= ARMING_BURST) {
		begin(a, "that was not typed: the name is to be typed by hand");
		return;
	}
	if (len + n > ARMING_NAME_MAX)
		return;
	memcpy(a->typed + len, text, n);
	a->typed[len + n] = '\0';
}

static void accept(struct arming *a, int64_t quiet_ms)
{
	if (quiet_ms < ARMING_HOLD_MS) {
		begin(a, alone);
	} else if (strcmp(a->typed, a->name) != 0) {
		a->says = "that is not its name";
	} else {
		a->says = "";
		go(a, ARMING_HELD);
	}
}

/* All characters are its own, lest a letter of the name be a command. */
static bool type(struct arming *a, struct key k, int64_t quiet_ms)
{
	if (k.code == KEY_ENTER && k.mods == 0) {
		accept(a, quiet_ms);
		return true;
	}
	if (k.code == KEY_ESCAPE || (k.code == 'c' && k.mods == MOD_CTRL)) {
		begin(a, "");
		return true;
	}
	a->says = "";
	if (k.code == KEY_BACKSPACE)
		drop_last(a->typed);
	else if (k.code == 'u' && k.mods == MOD_CTRL)
		a->typed[0] = '\0';
	else if (k.code < KEY_FIRST && k.mods == 0)
		put(a, k.code, quiet_ms);
	return true;
}

bool arming_key(struct arming *a, struct key k, int64_t quiet_ms)
{
	bool is_yes = k.code == 'y' && k.mods == 0;
	switch (a->phase) {
	case ARMING_NOTHING: return false;
	case ARMING_RAW:
	case ARMING_ARMED: return is_yes ? press_yes(a, quiet_ms) : false;
	case ARMING_TYPING: return type(a, k, quiet_ms);
	case ARMING_HELD: begin(a, alone); return true;
	}
	return false;
}

void arming_paste(struct arming *a)
{
	if (a->phase != ARMING_NOTHING)
		begin(a, "pasted text says nothing here: type it");
}
