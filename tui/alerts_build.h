/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of making a view of alerts share. Private to alerts_data.c and alerts_external.c. */
#ifndef PITWALL_TUI_ALERTS_BUILD_H
#define PITWALL_TUI_ALERTS_BUILD_H

#include "alerts/grouping.h"
#include "alerts/silence.h"
#include "tui/alerts_data.h"

/* An array that grows; its rows are the view's in the end. */
struct rows {
	void  *items;
	size_t n, cap, size;
};

struct alerts_build {
	struct alerts_view *view;
	enum err            err;
	struct rows         alerts, acks, silences, all_silences, consoles, externals, alertmanagers;
	struct silences     ready;     /* the same silences, to be asked */
	struct alert_groups groups;
};

enum err alerts_build_fail(struct alerts_build *b); /* ERR_MEMORY, which sticks */
void    *alerts_build_next(struct alerts_build *b, struct rows *r); /* room for one more row, which the caller counts; NULL: it has failed */

/* The alerts of Alertmanagers' own become items beside ours, and ours learn what is said of them. Before there are groups. */
enum err alerts_take_externals(struct alerts_build *b);
/* Which silences of Alertmanagers are acknowledgements of our alerts and of theirs. */
void     alerts_find_remote_acks(struct alerts_build *b);
/* Whose a group is of which all that fires is acknowledged in an Alertmanager, and nobody has it here. */
enum err alerts_own_remotely(struct alerts_build *b, struct alert_group_item *g);
/* Gives back what an array of externals refers to. */
void     alerts_release_externals(struct external_row *rows, size_t n);

#endif
