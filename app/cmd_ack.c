/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall ack, pitwall unack: somebody is at it, or is no longer. */
#include "app/commands.h"

#include <stdlib.h>

#include "app/asking.h"
#include "base/clock.h"
#include "tui/alerts_detail.h"

/* The keys of those among the groups that can be acknowledged, or that somebody has. The first that cannot fails it. */
static enum err keys_of(const struct alert_group_item *const *groups, size_t n, enum request_kind kind, const char **keys, struct why *why)
{
	for (size_t i = 0; i < n; i++) {
		if (kind == REQUEST_ACK && groups[i]->n_firing == 0)
			return why_set(why, ERR_NOT_FOUND, "none of %.300s fires now: there is nothing to acknowledge", groups[i]->key);
		if (kind == REQUEST_UNACK && groups[i]->ack == NULL)
			return why_set(why, ERR_NOT_FOUND, "nobody has acknowledged %.300s", groups[i]->key);
		keys[i] = groups[i]->key;
	}
	return ERR_OK;
}

static enum err prepare(const struct cli *c, struct asker *a, enum request_kind kind, struct alerts_view **v, const char ***keys, size_t *n, struct why *why)
{
	const struct alert_group_item **groups = NULL;
	enum err e = alerts_read(a->reader, a->now_ms, v, why);
	if (e == ERR_OK)
		e = groups_named(*v, c->arguments, c->n_arguments, &groups, n, why);
	if (e == ERR_OK && (*keys = calloc(*n + 1, sizeof **keys)) == NULL)
		e = why_memory(why);
	if (e == ERR_OK)
		e = keys_of(groups, *n, kind, *keys, why);
	free(groups);
	return e;
}

static int ask(const struct cli *c, enum request_kind kind)
{
	struct asker a;
	struct alerts_view *v = NULL;
	const char **keys = NULL;
	size_t n = 0;
	struct why why = { "" };
	int64_t until_ms = 0;
	enum err e = asker_init(&a, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	if (cli_value(c, "until") != NULL)
		e = parse_time_to_come(cli_value(c, "until"), a.now_ms, &until_ms, &why);
	if (e == ERR_OK)
		e = prepare(c, &a, kind, &v, &keys, &n, &why);
	struct request r = { .kind = kind, .keys = keys, .n_keys = n, .until_ms = until_ms, .comment = cli_value(c, "comment") };
	int code = e == ERR_OK ? asker_ask(&a, &r) : cli_fail(e, &why);
	free(keys);
	alerts_view_free(v);
	asker_release(&a);
	return code;
}

static int run_ack(const struct cli *c) { return ask(c, REQUEST_ACK); }
static int run_unack(const struct cli *c) { return ask(c, REQUEST_UNACK); }

static const struct cli_option ack_options[] = {
	{ "comment", "TEXT", "what you are about to do" },
	{ "until", "TIME", "until then: '2h', '18:30', a date; else until the alerts are resolved" },
	ASKING_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct cli_option unack_options[] = { ASKING_OPTIONS, { NULL, NULL, NULL } };

#define WHICH                                                                                                                               \
	"An ALERT is the number of one (pitwall alerts), whose whole group is meant, the name of an alert, the key of a group, or matchers such as node=gpu-a-01."

const struct cli_command command_ack = {
	.name          = "ack",
	.arguments     = "ALERT...",
	.min_arguments = 1,
	.max_arguments = -1,
	.summary       = "acknowledge alerts that fire: you are at it",
	.details       = WHICH " An acknowledgement hides nothing. It ends when its alerts are resolved, and is void when they get worse, when further nodes "
	                       "join, or when its time is over." ASKING_DETAILS,
	.options       = ack_options,
	.takes_common  = true,
	.run           = run_ack,
};

const struct cli_command command_unack = {
	.name          = "unack",
	.arguments     = "ALERT...",
	.min_arguments = 1,
	.max_arguments = -1,
	.summary       = "take acknowledgements back",
	.details       = WHICH ASKING_DETAILS,
	.options       = unack_options,
	.takes_common  = true,
	.run           = run_unack,
};
