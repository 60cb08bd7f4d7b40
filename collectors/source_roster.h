/* SPDX-License-Identifier: Apache-2.0
 *
 * The GPUs of a machine, as a tool that counts them (0, 1, ...) has told of them: what is remembered of each, and what is said when one of
 * them is missing. */
#ifndef PITWALL_COLLECTORS_SOURCE_ROSTER_H
#define PITWALL_COLLECTORS_SOURCE_ROSTER_H

#include "collectors/findings.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROSTER_MAX = 64, ROSTER_TEXT = 96 };

struct roster_gpu {
	char id[8];                /* the index, as the tool counts */
	char uuid[ROSTER_TEXT];    /* "", as in all of these: not said */
	char name[ROSTER_TEXT], bus_id[32], serial[ROSTER_TEXT], driver[32];
	bool is_seen, is_gone;
};

/* Zeroed at the start. */
struct roster {
	struct roster_gpu gpus[ROSTER_MAX];
	size_t            n;
	bool              has_names; /* names and uuids were asked for since the number of GPUs last grew */
	unsigned          n_late;    /* askings in a row whose tool did not end in time */
};

/* Another asking: none is seen yet. */
void roster_begin(struct roster *r);
/* The GPU of that index (0 to 999, whole), one more where it is new; NULL: no such index, or too many. */
struct roster_gpu *roster_of(struct roster *r, double id);
/* `status`: what an asking's tool, of which nothing could be read, ended with. True where it has not ended in time more than once in a row: the
 * driver hangs, and none of the GPUs can be worked with. */
bool roster_is_mute(struct roster *r, int status);
/* An event for each that is missing since this asking, and for each that is back. */
void roster_tell(struct roster *r, struct findings *out);

#endif
