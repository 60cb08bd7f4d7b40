/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall redeploy, pitwall rollback: planned by the recorder, shown here, confirmed by a person, run by the recorder. */
#include "app/commands.h"

#include <stdio.h>

#include "app/asking.h"
#include "app/deploy_confirm.h"
#include "base/num.h"
#include "store/deployments.h"

enum { PLAN_WAIT_MS = 120 * 1000 }; /* nodes are asked, some of them slow */

static enum err read_alert(const struct cli *c, struct request *r, struct why *why)
{
	const char *text = cli_value(c, "alert");
	if (text != NULL && parse_i64(text, 1, INT64_MAX, &r->alert) != ERR_OK)
		return why_set(why, ERR_USAGE, "--alert wants the number of an alert, not '%s'", text);
	return ERR_OK;
}

/* The id of what was planned. */
static enum err plan(struct asker *a, struct request *r, int64_t *id, struct why *why)
{
	struct asker_answer answer;
	enum err e = asker_put(a, r, why);
	if (e == ERR_OK)
		e = asker_wait(a, r->id, &answer, why);
	if (e != ERR_OK)
		return e;
	if (answer.outcome == ASKER_REFUSED) /* ERR_LATER: another one acts */
		return why_set(why, answer.err == ERR_LATER ? ERR_DENIED : answer.err, "%.500s", answer.text);
	if (answer.outcome != ASKER_DONE)
		return why_set(why, ERR_LATER, "%s",
		               answer.outcome == ASKER_KEPT ? "the recorder ended while it planned; nothing was done"
		                                            : "the nodes are still being asked; 'pitwall deployments' has the plan when it is made");
	return reader_deployment_of_request(a->reader, r->id, id, why);
}

static int ask(const struct cli *c, const char *verb)
{
	struct asker a;
	struct why why = { "" };
	struct request r = { .kind = REQUEST_PLAN, .verb = verb, .target = c->arguments[0], .to = cli_value(c, "to"), .comment = cli_value(c, "reason") };
	int64_t id = 0;
	enum err e = asker_init(&a, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	int64_t wait_ms = a.wait_ms;
	if (cli_value(c, "wait") == NULL)
		a.wait_ms = PLAN_WAIT_MS;
	e = read_alert(c, &r, &why);
	if (e == ERR_OK)
		e = deploy_need_recorder(&a, &why);
	if (e == ERR_OK)
		e = plan(&a, &r, &id, &why);
	a.wait_ms = wait_ms;
	int code = e == ERR_OK ? deploy_confirm(c, &a, id, cli_has(c, "dry-run")) : deploy_fail(e, &why);
	asker_release(&a);
	return code;
}

static int run_redeploy(const struct cli *c) { return ask(c, "redeploy"); }
static int run_rollback(const struct cli *c) { return ask(c, "rollback"); }

#define DEPLOY_OPTIONS                                                                                                                      \
	{ "to", "VERSION", "the version to go to; else the one that is offered" },                                                         \
	{ "reason", "TEXT", "why, for the audit" },                                                                                        \
	{ "alert", "ID", "because of this alert (its number)" },                                                                           \
	{ "dry-run", NULL, "show what would be done, and do nothing" },                                                                    \
	CONFIRM_OPTIONS,                                                                                                                   \
	ASKING_OPTIONS

static const struct cli_option redeploy_options[] = { DEPLOY_OPTIONS, { NULL, NULL, NULL } };
static const struct cli_option rollback_options[] = { DEPLOY_OPTIONS, { NULL, NULL, NULL } };

#define HOW                                                                                                                                 \
	" TARGET is a model, a group or a node of the fleet file; model:NAME, group:NAME, node:NAME where it could be several. The recorder asks the nodes, plans and runs: the "   \
	"plan is shown first, with every command and request word for word, and nothing is changed before it is confirmed. Then the run is followed; Ctrl-C detaches, and it goes "   \
	"on. Exits 0 when it is done (or shown, or detached), 1 when it was not, stopped or was undone, or nobody records, 2 when it was refused. docs/deploying.md tells the rest."

const struct cli_command command_redeploy = {
	.name          = "redeploy",
	.arguments     = "TARGET",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "restart a model, or bring it to a version, in waves with a health gate between them",
	.details       = "Without --to the version that runs is brought anew. Some drivers do other things to it by --to: kubernetes pause, resume, scale=N, promote, retry, abort, traffic=PERCENT." HOW,
	.options       = redeploy_options,
	.takes_common  = true,
	.run           = run_redeploy,
};

const struct cli_command command_rollback = {
	.name          = "rollback",
	.arguments     = "TARGET",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "bring a model back to a version that was healthy here",
	.details       = "Without --to it is the last version that was healthy here by what the store has seen, which need not be the one before." HOW,
	.options       = rollback_options,
	.takes_common  = true,
	.run           = run_rollback,
};
