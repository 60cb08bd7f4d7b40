/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask about redeploys and rollbacks, as requests: a plan, a confirmation of it, a word to one that runs. */
#ifndef PITWALL_TUI_DEPLOYS_ASK_H
#define PITWALL_TUI_DEPLOYS_ASK_H

#include "alerts/request.h"
#include "base/err.h"
#include "deploy/driver.h"
#include "deploy/run.h"
#include "tui/screen.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stdint.h>

/* What a plan is wanted for. Texts are lent, never NULL. */
struct deploy_wish {
	enum deploy_kind kind;
	const char      *target;  /* a model's, group's or node's name */
	const char      *version; /* its id; "": the planner chooses */
	const char      *reason;
	int64_t          alert;   /* 0: none */
};

/* Who asks, as struct request has it, and when. */
struct asker {
	const char *who, *origin;
	int64_t     now_ms;
};
struct asker asker_of(const struct view *v);

/* The request, the caller's to free or hand over. `name`: what was typed, "" where a key sufficed; text: why, "" not said. */
enum err deploy_ask_plan(const struct asker *a, const struct deploy_wish *w, struct request **out, struct why *why);
enum err deploy_ask_confirm(const struct asker *a, int64_t deployment, const char *hash, const char *name, struct request **out, struct why *why);
enum err deploy_ask_control(const struct asker *a, int64_t deployment, enum control c, const char *text, struct request **out, struct why *why);

/* Why nothing can be asked for from here, or now; "": it can. */
const char *deploy_refusal(const struct view *v);

/* COMMAND_ROLLBACK and COMMAND_REDEPLOY about that (w->kind is set by the command): a sheet to push and the request for its plan, or a sentence why not.
 * NEXT_IGNORED: another command. */
enum next deploy_command(enum command c, const struct view *v, const struct deploy_wish *w, struct requests *out);

/* What is unfinished when a console begins, or is found to be interrupted later, is said once, and its screen offered: a dialog, or NULL. Zeroed is a fine
 * start. */
struct deploys_offered {
	bool    has_looked;
	int64_t id;
};
struct screen *deploys_offer(struct deploys_offered *o, const struct view *v);

#endif
