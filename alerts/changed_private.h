/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of alerts/changed.h share: nobody else includes this. */
#ifndef PITWALL_ALERTS_CHANGED_PRIVATE_H
#define PITWALL_ALERTS_CHANGED_PRIVATE_H

#include "alerts/changed.h"
#include "alerts/shift.h"

/* A row on its way, with what its words and its place need. */
struct changed_draft {
	struct changed_row           row;
	const struct changed_series *series;    /* of a signal: the one that stands for all */
	const char                  *kind_word; /* "saturation", "deployment" ... */
	const char                  *event_text;
	struct changed_count         bad, good; /* of a label: how many of those in trouble have it, and of the others */
	bool                         is_gone;
};

struct changed_drafts {
	struct changed_draft *items; /* in the arena, room for `cap` */
	size_t                n, cap;
};

/* The next one, zeroed; NULL when there is no room. */
struct changed_draft *changed_draft_add(struct changed_drafts *d);

/* 1 from before the onset until just after it, fading on both sides. */
double changed_timing(int64_t onset_ms, int64_t at_ms);
/* Nearness of what is at that scope, where so many of so many have it. */
double changed_near(enum changed_scope scope, struct changed_count c);

/* Of its node; what is of none is of the model or the fleet. */
enum changed_scope changed_scope_of(const struct changed_input *in, const struct changed_event *e);

/* Adds a row for each kind of event (changed_events.c), and for each label that those in trouble share (changed_labels.c); is_bad[i]: node i is in
 * trouble. */
void     changed_add_events(const struct changed_input *in, struct changed_drafts *d);
enum err changed_add_labels(const struct changed_input *in, const bool *is_bad, struct arena *a, struct changed_drafts *d);

/* Copies the text and releases the buffer. What is longer than the buffer may be is cut; NULL: out of memory. */
const char *changed_take(struct arena *a, struct buf *text);

/* The words of a row (changed_text.c). */
enum err changed_word(const struct changed_input *in, struct arena *a, struct changed_draft *d);

#endif
