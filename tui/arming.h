/* SPDX-License-Identifier: Apache-2.0
 *
 * A deliberate yes: the part of a sheet that tells a key that was meant for what is on the screen from one that was typed ahead, pasted, or leant on. Pure: it
 * is told when its screen has been shown and when time has passed (struct screen_kind, `shown` and `settled`), and what keys come.
 *
 *     RAW -> (the frame is out) -> 500 ms in which nothing is typed -> ARMED -> y -> HELD -> 80 ms in which nothing else is typed -> yes
 *                                                                    \-> y -> TYPING the name, Enter -> HELD
 *
 * Whatever it is about changing, or its screen being covered, begins it anew. */
#ifndef PITWALL_TUI_ARMING_H
#define PITWALL_TUI_ARMING_H

#include "tui/input.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	ARMING_MS = 500,     /* on the screen, unchanged, nothing typed */
	ARMING_HOLD_MS = 80, /* a key by itself: so long nothing before it, and nothing after it */
	ARMING_BURST = 4,    /* so many characters without a moment between them were not typed */
	ARMING_BURST_MS = 5,
	ARMING_NAME_MAX = 255,
};

enum arming_phase { ARMING_NOTHING /* there is nothing to say yes to */, ARMING_RAW, ARMING_ARMED, ARMING_TYPING, ARMING_HELD };

struct arming {
	enum arming_phase phase;
	uint64_t          subject;   /* what it is about; 0: nothing */
	bool              is_timed;  /* the time of this phase runs */
	bool              by_name;
	char              name[ARMING_NAME_MAX + 1], typed[ARMING_NAME_MAX + 1];
	int               n_fast;    /* characters without a moment between them */
	const char       *says;      /* what was wrong with the last key; "" nothing. Never NULL once arming_about was called */
};

/* What a yes would mean: another `subject` begins anew; 0: there is nothing to say yes to. `name` NULL: `y` suffices, else it has to be typed. */
void arming_about(struct arming *a, uint64_t subject, const char *name);

/* The screen has been painted with it as it is. After how many ms arming_settled is to be called; 0: it need not. `is_uncovered`: something else was
 * shown before. */
int arming_shown(struct arming *a, bool is_uncovered);

/* That time has passed; `was_quiet`: nothing was typed in it. True: yes was said, once. */
bool arming_settled(struct arming *a, bool was_quiet);

/* A key, and how long before it none had come. False: it is none of its keys. */
bool arming_key(struct arming *a, struct key k, int64_t quiet_ms);
/* Something was pasted. */
void arming_paste(struct arming *a);

#endif
