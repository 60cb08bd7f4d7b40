/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share that ask the recorder for something: who asks, of which store, and waiting for what becomes of it. The request goes through
 * the folder beside the store (alerts/spool.h); the answer stands in the store. */
#ifndef PITWALL_APP_ASKING_H
#define PITWALL_APP_ASKING_H

#include "alerts/request.h"
#include "app/cells.h"
#include "app/cli.h"
#include "app/context.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/person.h"
#include "store/reader.h"
#include "tui/alerts_data.h"

#include <stdbool.h>
#include <stdint.h>

/* As context_init and context_fleet, but that there need be no fleet file (then x->fleet is NULL), and that a broken one is only told of where it is not
 * needed for finding the store. On failure nothing is left. */
enum err context_of(struct context *x, const struct cli *c, struct why *why);

/* The store that a command is about: --store, $PITWALL_STORE, `store:` of the fleet file where there is one, the usual place. ERR_FORMAT: the fleet
 * file has mistakes, which have been printed. */
enum err store_of(const struct cli *c, struct buf *to, struct why *why);

/* A time as parse_time has it; *out is left as it is where the option is not given. ERR_USAGE. */
enum err cli_time(const struct cli *c, const char *option, int64_t *out, struct why *why);
/* A time to come: a duration from now ("2h", "+2h"), a time of day (the next one), or as parse_time has it. ERR_USAGE: it is past, or none. */
enum err parse_time_to_come(const char *text, int64_t now_ms, int64_t *out, struct why *why);

struct asker {
	struct context    context; /* context.store is the store */
	struct person     person;
	const char       *who;     /* lent by the command line or by `person` */
	struct reader    *reader;
	bool              is_bundle; /* an export that nobody records: nothing can be asked of it */
	int64_t           now_ms, wait_ms;
	enum cells_format format;  /* of the answer: table (a sentence) or JSON */
};

/* Options of all commands that ask, for their tables. */
#define ASKING_OPTIONS                                                                                                                      \
	{ "as", "NAME", "who you are, on an account that several people use" },                                                            \
	{ "wait", "DURATION", "how long to wait for the recorder; else 5s" },                                                              \
	{ "format", "FORMAT", "how the answer is printed: table (a sentence) or json" },                                                   \
	{ "read-only", NULL, "ask for nothing: the command is refused" }

#define ASKING_DETAILS                                                                                                                      \
	" The recorder of the store does it and answers: exits 0 when it is done, 2 when it was refused. Where no recorder runs the request is kept, and done " \
	"when one does: exits 1 then."

/* Opens the store for reading, and finds out who asks. ERR_READ_ONLY: --read-only; ERR_USAGE: the account is a shared one, and --as is not given. On
 * failure nothing is left. */
enum err asker_init(struct asker *a, const struct cli *c, struct why *why);
void     asker_release(struct asker *a);

/* Asks for what `r` says (id, time, who and origin are filled in), waits, and prints what became of it. Returns the exit code. */
int asker_ask(const struct asker *a, struct request *r);

/* The two halves of asker_ask, for who prints something else. */
enum asker_outcome { ASKER_DONE, ASKER_REFUSED, ASKER_KEPT /* nobody records */, ASKER_WAITING /* the recorder takes its time */ };
struct asker_answer {
	enum asker_outcome outcome;
	enum err           err;  /* of ASKER_REFUSED */
	char               text[2000];
};
enum err asker_put(const struct asker *a, struct request *r, struct why *why);
enum err asker_wait(const struct asker *a, const char *id, struct asker_answer *out, struct why *why);
bool     asker_is_recorded(const struct asker *a); /* whether somebody records the store now */

/* The groups of alerts that a person's words name: the number of an alert, an alert's name, the key of a group, or matchers, of which any alert of the group that
 * is not over holds. ERR_NOT_FOUND: a word names none, with what was perhaps meant. *out is freed by the caller; no group is there twice. */
enum err groups_named(const struct alerts_view *v, char *const *words, int n_words, const struct alert_group_item ***out, size_t *n, struct why *why);

#endif
