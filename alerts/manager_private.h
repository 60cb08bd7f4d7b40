/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the manager share. */
#ifndef PITWALL_ALERTS_MANAGER_PRIVATE_H
#define PITWALL_ALERTS_MANAGER_PRIVATE_H

#include "alerts/ack.h"
#include "alerts/manager.h"
#include "alerts/rules_frame.h"
#include "alerts/silence.h"

/* Texts of one record in one block. */
struct texts {
	char *block;
};
/* Copies n texts (NULL: "") into a block; places[i] is where the copy of texts[i] is. */
enum err texts_copy(struct texts *t, const char *const *texts, const char **const *places, size_t n);

/* Gives back a reference that is kept as const. */
static inline void labels_drop(const struct labels *l)
{
	if (l == NULL)
		return;
	struct labels *own = labels_ref(l);
	labels_unref(own);
	labels_unref(own);
}

/* A group that is evaluated. */
struct running_group {
	struct alert_manager        *m;
	struct rulebook_file        *file; /* referenced */
	struct rulebook_group        of;   /* of that file */
	struct alert_group          *group;
	struct rules_frame           frame;
	int64_t                      interval_ms;
	int64_t                      last_ms;  /* of the last evaluation, or of the one before it was there */
	int64_t                     *good_ms;  /* [rules]: of the last evaluation that did not fail; 0: none */
	enum err                    *told;     /* [rules]: what was told of its health */
	struct labels               *failing_series;
	struct labels              **facts;    /* [rules * RULE_FACTS], see rule_health.h */
	bool                         is_kept;  /* while a book is loaded */
	bool                         is_shifted; /* lives have times that an outage moved; the rows have them from the next evaluation on */
};

/* What belongs to a row of the same number. */
struct extra {
	struct rulebook_file *file;  /* referenced where the texts of the row are its; else NULL */
	struct texts          texts; /* the key, and where there is no file the others too */
	bool                  is_changed; /* since it was written */
};

struct ack_extra {
	struct texts texts;
	int64_t     *alerts; /* owned */
};

struct alert_manager {
	struct alert_manager_options o;
	char                        *store_path, *external_url;
	struct reader               *reader;
	struct recent               *recent;
	struct query_source          source;
	struct rulebook             *book;
	const struct fleet_alerting *alerting;
	struct running_group       **groups;
	size_t                       n_groups;
	bool                         is_restored, has_selectors;
	bool                         has_told_beyond; /* that not all series that rules look at are in memory */
	bool                         has_told_long;   /* or not all of their windows */
	struct alert_ids             ids;      /* the highest that were given */
	uint64_t                     versions;
	struct alert_row            *rows;     /* by id */
	struct extra                *extras;
	size_t                       n_rows, cap_rows;
	struct ack_row              *acks;     /* that hold, and those that ended since the recorder began and still say when */
	struct ack_extra            *ack_extras;
	struct ack_book             *ack_book;
	size_t                       n_acks, cap_acks;
	struct silence_row          *silences;
	struct texts                *silence_texts;
	size_t                       n_silences, cap_silences;
	struct silences              prepared; /* of the same, in the same order, where is_prepared */
	bool                         is_prepared;
	struct silence_owner         owner;
	struct changes              *changes;  /* for the next round */
	enum err                     failed;   /* in a callback that cannot tell */
	bool                         has_moved; /* alerts came, went or changed in this round */
	int64_t                      judged_ms; /* when inhibition and acknowledgements were last looked at */
	int64_t                      round_us;
	struct rules_frame           health;    /* how the rules are */
	struct alert_frame           health_frame;
	int64_t                      health_ms; /* when it is to be written again; 0: now */
	bool                         has_health; /* it was, this round */
	/* What was given last. */
	struct alert_frame *frames;    /* [n_groups] */
	size_t              n_frames;
	char              **gone, **gone_next; /* of the last round, and for the next one */
	size_t              n_gone, n_gone_next;
	struct alert_groups now;
	bool                has_now;
	bool               *now_silenced;
	const struct ack_row **now_acks;
	int64_t            *now_unacked;
};

/* ---- manager_rows.c ---- */

struct alert_row *manager_row(struct alert_manager *m, int64_t id); /* NULL: it is not known (any more) */
struct extra     *manager_extra(struct alert_manager *m, const struct alert_row *r);
/* An alert changed, see alerts/life.h. */
void manager_changed(struct running_group *g, const struct rule *r, const struct alert *a, enum alert_state before, int64_t at_ms);
/* As alert_group_options has it. */
int64_t manager_number(struct alert_manager *m);
/* A row of the store, as of a rule that is there (or NULL). */
enum err manager_add_stored(struct alert_manager *m, const struct alert_row *r, struct running_group *g, const struct rule *rule, struct why *why);
/* Its rule is no more. */
void manager_end_row(struct alert_manager *m, struct alert_row *r, int64_t at_ms);
/* After an evaluation: firing alerts that go on firing though they are true no more say since when, and those that were restored since when they are true. */
void manager_note_times(struct alert_manager *m, struct running_group *g);
/* Labels that groups are made of may be others now. */
enum err manager_regroup(struct alert_manager *m, struct why *why);
/* Who inhibits whom now. */
enum err manager_inhibit(struct alert_manager *m, int64_t now_ms, struct why *why);
/* Writes what changed, forgets what is long over. */
void manager_write_rows(struct alert_manager *m);
void manager_forget_rows(struct alert_manager *m, int64_t now_ms);
void manager_free_rows(struct alert_manager *m);

/* ---- manager.c, for manager_load.c ---- */

enum err manager_group_new(struct alert_manager *m, const struct rulebook_group *of, int64_t interval_ms, int64_t now_ms, struct running_group **out,
                           struct why *why);
void     manager_group_free(struct running_group *g);
/* Tells what is to be held in memory which series all rules look at. */
enum err manager_select_all(struct alert_manager *m, struct why *why);

/* ---- manager_restore.c ---- */

enum err manager_restore(struct alert_manager *m, int64_t now_ms, struct why *why);

/* ---- manager_health.c ---- */

/* Tells, where a rule began or ceased to fail. */
void     manager_tell_health(struct running_group *g, size_t rule, const struct rule_health *h);
enum err manager_name_health(struct running_group *g, struct why *why);
void     manager_free_health(struct running_group *g);
/* Where it is time for it. */
enum err manager_write_health(struct alert_manager *m, int64_t now_ms, struct why *why);

/* ---- manager_people.c ---- */

enum err manager_add_ack(struct alert_manager *m, const struct ack_row *a, struct why *why);
/* Makes the record's texts its own again after some were set. */
enum err manager_own_ack(struct ack_row *a, struct ack_extra *x);
struct silence_row *manager_find_silence(struct alert_manager *m, const char *id); /* NULL: none */
enum err manager_judge_acks(struct alert_manager *m, int64_t now_ms, struct why *why);
void     manager_free_acks(struct alert_manager *m);
void     manager_free_silences(struct alert_manager *m);
void     manager_forget_silences(struct alert_manager *m, int64_t now_ms);
/* The groups of the present rows, made once until something changes. */
enum err manager_groups(struct alert_manager *m, const struct alert_groups **out, struct why *why);
void     manager_forget_groups(struct alert_manager *m);

#endif
