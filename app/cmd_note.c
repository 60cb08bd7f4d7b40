/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall note: a line for those who come later, on an alert, a node or a time. */
#include "app/commands.h"

#include <stdlib.h>
#include <string.h>

#include "app/asking.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/suggest.h"
#include "store/alerts.h"

enum { NAMES_MAX = 10000 };

/* ---- what it is about ---- */

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	*(bool *)ctx = a->id != 0;
	return ERR_OK;
}

static enum err find_alert(const struct asker *a, int64_t id, int64_t at_ms, struct why *why)
{
	bool is_there = false;
	enum err e = reader_alerts(a->reader, at_ms, 0, id, see_alert, &is_there, why);
	return e == ERR_OK && !is_there ? why_set(why, ERR_NOT_FOUND, "there is no alert number %lld", (long long)id) : e;
}

struct nodes {
	const char *wanted;
	const char *names[NAMES_MAX]; /* lent by the reader */
	size_t      n;
	bool        is_there;
};

static enum err see_target(void *ctx, const struct target_info *t)
{
	struct nodes *s = ctx;
	const char *name = labels_get(t->labels, "node");
	s->is_there = s->is_there || strcmp(name, s->wanted) == 0;
	if (s->n < NAMES_MAX)
		s->names[s->n++] = name;
	return ERR_OK;
}

static enum err find_node(const struct asker *a, const char *name, int64_t at_ms, struct why *why)
{
	struct nodes *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->wanted = name;
	enum err e = reader_targets(a->reader, at_ms, see_target, s, why);
	const char *near = e == ERR_OK && !s->is_there ? suggest(name, s->names, s->n) : NULL;
	if (near != NULL)
		e = why_set(why, ERR_NOT_FOUND, "there is no node '%s'; did you mean '%s'?", name, near);
	else if (e == ERR_OK && !s->is_there)
		e = why_set(why, ERR_NOT_FOUND, "there is no node '%s'", name);
	free(s);
	return e;
}

static enum err read_subject(const struct asker *a, const char *word, int64_t at_ms, struct request *r, struct why *why)
{
	if (parse_i64(word, 1, INT64_MAX, &r->alert) == ERR_OK)
		return find_alert(a, r->alert, at_ms, why);
	r->node = word;
	return find_node(a, word, at_ms, why);
}

static int run(const struct cli *c)
{
	struct asker a;
	struct why why = { "" };
	struct request r = { .kind = REQUEST_NOTE, .comment = c->arguments[c->n_arguments - 1] };
	enum err e = asker_init(&a, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	e = cli_time(c, "at", &r.at_ms, &why);
	if (e == ERR_OK && r.at_ms > a.now_ms)
		e = why_set(&why, ERR_USAGE, "--at is a time to come: a note is about something that was");
	if (e == ERR_OK && c->n_arguments == 2)
		e = read_subject(&a, c->arguments[0], r.at_ms != 0 ? r.at_ms : a.now_ms, &r, &why);
	int code = e == ERR_OK ? asker_ask(&a, &r) : cli_fail(e, &why);
	asker_release(&a);
	return code;
}

static const struct cli_option options[] = {
	{ "at", "TIME", "the time that it is about: '10m ago', '2026-11-23 03:12'; else now" },
	ASKING_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct cli_command command_note = {
	.name          = "note",
	.arguments     = "[ALERT|NODE] TEXT",
	.min_arguments = 1,
	.max_arguments = 2,
	.summary       = "write a note on an alert, a node or a time",
	.details       = "An ALERT is the number of one (pitwall alerts). Notes stand among the events, and on the time axis of every chart." ASKING_DETAILS,
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
