/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one group of alerts besides what all screens see, and what a silence would hide: read by the feed's worker when a screen needs it;
 * immutable then. */
#ifndef PITWALL_TUI_ALERTS_DETAIL_H
#define PITWALL_TUI_ALERTS_DETAIL_H

#include "alerts/changed.h"
#include "base/arena.h"
#include "base/err.h"
#include "store/alerts.h"
#include "store/reader.h"
#include "tui/alerts_data.h"
#include "tui/view.h"

#include <stddef.h>
#include <stdint.h>

enum {
	DETAIL_BACK_DAYS = 30,  /* earlier episodes, acknowledgements and notes */
	DETAIL_EPISODES = 300, DETAIL_TRANSITIONS = 1000, DETAIL_ACKS = 200, DETAIL_NOTES = 200,
	DETAIL_MEMBERS = 20,    /* whose transitions are told */
};

/* A change of the version of the group's model that came so shortly before its alerts that it may be why. */
enum { SUGGESTION_BEFORE_MS = 30 * 60 * 1000 };
struct version_suggestion {
	const char *model, *from, *to; /* from "": not known */
	size_t      n_nodes;           /* on which it came */
	int64_t     at_ms, before_ms;  /* the first of them; before_ms: so long before the first alert became true */
};

struct alerts_detail {
	const char            *key;
	int64_t                t_ms;
	struct alert_row      *episodes;    /* of the group: those that have not fired, then those that fire or fired, newest first */
	size_t                 n_episodes;
	struct transition_row *transitions; /* of the newest episodes, oldest first by alert */
	size_t                 n_transitions;
	struct ack_row        *acks;        /* oldest first */
	size_t                 n_acks;
	struct event_row      *notes;       /* about one of its alerts; newest first */
	size_t                 n_notes;
	struct version_suggestion *suggestion; /* NULL: none */
	struct arena           arena;
};
void alerts_detail_free(struct alerts_detail *d); /* NULL is fine */

/* An answer for matchers as they were typed. */
struct silence_sight {
	const char  *text;
	enum err     err;          /* ERR_OK, or `why` says what is wrong with them */
	const char  *why;
	size_t       n_now;        /* alerts that fire or are pending and would be hidden */
	size_t       n_groups_now; /* their groups */
	size_t       n_day;        /* alerts that fired in the last day and would have been hidden */
	struct arena arena;
};
void silence_sight_free(struct silence_sight *s); /* NULL is fine */

/* What changed when an alert began. */
struct changed_sight {
	int64_t               alert;
	int64_t               until_ms; /* what came later was not looked at */
	enum err              err;      /* ERR_OK, or `why` says why nothing can be told */
	const char           *why;
	const struct changed *changed;  /* NULL where nothing can be told */
	struct arena          arena;
};
void changed_sight_free(struct changed_sight *s); /* NULL is fine */

/* As of T. *is_same: it would be as good as the same as an answer about before_alert (0: there is none) that looked until before_until_ms,
 * and none is made. */
enum err changed_sight_read(struct reader *r, int64_t alert, int64_t t_ms, const atomic_bool *cancelled, int64_t before_alert,
                            int64_t before_until_ms, struct changed_sight **out, bool *is_same, struct why *why);

/* All there is to see at T. */
enum err alerts_read(struct reader *r, int64_t t_ms, struct alerts_view **out, struct why *why);
/* `now` is the view as of T here and below. */
enum err alerts_detail_read(struct reader *r, const char *key, const struct alerts_view *now, int64_t t_ms, struct alerts_detail **out,
                            struct why *why);
/* The latest change of version of that model in the SUGGESTION_BEFORE_MS until onset_ms, into the arena; *out NULL: there was none. */
enum err version_suggestion_read(struct reader *r, const char *model, int64_t onset_ms, struct arena *a, struct version_suggestion **out, struct why *why);

/* A mistake in the matchers is an answer, not a failure. */
enum err silence_sight_read(struct reader *r, const char *text, const struct alerts_view *now, int64_t t_ms, struct silence_sight **out,
                            struct why *why);

#endif
