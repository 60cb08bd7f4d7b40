/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall audit: who did what, and whether that record is as it was written. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/alerts_print.h"
#include "app/asking.h"
#include "app/paths.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "store/alerts.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024, WHO_WIDTH = 16, ORIGIN_WIDTH = 16, ACTION_WIDTH = 10, SUBJECT_WIDTH = 60, TIME_WIDTH = 20 };

struct printing {
	struct buf       *to;
	enum cells_format format;
	int64_t           since_ms;
	size_t            n;
};

static void put_line(struct buf *to, const struct audit_row *a)
{
	char text[TIME_TEXT];
	char id[24];
	snprintf(id, sizeof id, "%lld", (long long)a->id);
	cells_put_right(to, id, 6);
	cells_put(to, format_time(a->at_ms / 1000 * 1000, text), TIME_WIDTH);
	cells_put(to, a->actor.who, WHO_WIDTH);
	cells_put(to, a->actor.account, WHO_WIDTH);
	cells_put(to, a->actor.origin, ORIGIN_WIDTH);
	cells_put(to, a->action, ACTION_WIDTH);
	cells_put(to, a->subject, SUBJECT_WIDTH);
	cells_end(to);
}

static void put_hash(struct buf *to, const struct audit_row *a)
{
	for (size_t i = 0; i < sizeof a->hash; i++)
		buf_printf(to, "%02x", a->hash[i]);
}

static void put_object(struct buf *to, const struct audit_row *a, bool is_first)
{
	buf_puts(to, is_first ? "\n" : ",\n");
	buf_printf(to, "{\"id\":%lld,", (long long)a->id);
	cells_put_time_member(to, "at", a->at_ms);
	buf_puts(to, "\"by\":");
	alerts_put_actor(to, &a->actor);
	buf_putc(to, ',');
	cells_put_member(to, "action", a->action);
	cells_put_member(to, "subject", a->subject);
	cells_put_member(to, "detail", a->detail);
	buf_puts(to, "\"hash\":\"");
	put_hash(to, a);
	buf_puts(to, "\"}");
}

static void put_csv_line(struct buf *to, const struct audit_row *a)
{
	buf_printf(to, "%lld,", (long long)a->id);
	cells_put_csv_time(to, a->at_ms);
	cells_put_csv(to, a->actor.who);
	cells_put_csv(to, a->actor.account);
	cells_put_csv(to, a->actor.origin);
	cells_put_csv(to, a->action);
	cells_put_csv(to, a->subject);
	cells_put_csv(to, a->detail);
	cells_end_csv(to);
}

static enum err print_row(void *ctx, const struct audit_row *a)
{
	struct printing *p = ctx;
	if (a->at_ms < p->since_ms)
		return ERR_OK;
	if (p->format == CELLS_JSON)
		put_object(p->to, a, p->n == 0);
	else if (p->format == CELLS_CSV)
		put_csv_line(p->to, a);
	else
		put_line(p->to, a);
	p->n++;
	return p->to->err;
}

static void put_head(struct buf *to, enum cells_format format)
{
	if (format == CELLS_JSON) {
		buf_puts(to, "{\"rows\":[");
	} else if (format == CELLS_CSV) {
		buf_puts(to, "id,at,who,account,origin,action,subject,detail\r\n");
	} else {
		cells_put_right(to, "ID", 6);
		cells_put(to, "AT", TIME_WIDTH);
		cells_put(to, "WHO", WHO_WIDTH);
		cells_put(to, "ACCOUNT", WHO_WIDTH);
		cells_put(to, "FROM", ORIGIN_WIDTH);
		cells_put(to, "DID", ACTION_WIDTH);
		buf_puts(to, "TO\n");
	}
}

static enum err list(const struct cli *c, struct reader *r, struct buf *out, struct why *why)
{
	struct printing p = { .to = out };
	enum err e = cells_format_of(cli_value(c, "format"), &p.format, why);
	if (e == ERR_OK)
		e = cli_time(c, "since", &p.since_ms, why);
	if (e != ERR_OK)
		return e;
	put_head(out, p.format);
	e = reader_audit(r, 0, print_row, &p, why);
	if (e == ERR_OK && p.format == CELLS_JSON)
		buf_puts(out, "\n]}\n");
	if (out->err != ERR_OK)
		return why_set(why, out->err, "there are too many rows to print: ask for fewer with --since");
	return e;
}

/* ERR_CORRUPT is an answer: it is not as it was written. */
static enum err verify(const struct cli *c, struct reader *r, struct buf *out, bool *is_good, struct why *why)
{
	struct why broken = { "" };
	int64_t n = 0;
	enum cells_format format = CELLS_TABLE;
	enum err e = cells_format_of(cli_value(c, "format"), &format, why);
	if (e == ERR_OK && format == CELLS_CSV)
		e = why_set(why, ERR_USAGE, "there are the formats table and json");
	if (e != ERR_OK)
		return e;
	e = reader_audit_verify(r, &n, &broken);
	if (e != ERR_OK && e != ERR_CORRUPT)
		return why_set(why, e, "%s", broken.text);
	*is_good = e == ERR_OK;
	if (format == CELLS_JSON) {
		buf_printf(out, "{\"good\":%s,\"rows\":%lld,\"text\":", *is_good ? "true" : "false", (long long)n);
		json_put_string(out, broken.text, strlen(broken.text));
		buf_puts(out, "}\n");
	} else if (*is_good) {
		buf_printf(out, "all %lld rows are as they were written\n", (long long)n);
	} else {
		buf_printf(out, "%s (%lld rows before are as they were written)\n", broken.text, (long long)n);
	}
	return ERR_OK;
}

static enum err audit(const struct cli *c, struct buf *out, bool *is_good, struct why *why)
{
	struct buf path;
	struct reader *r = NULL;
	const char *verb = c->arguments[0];
	bool is_list = strcmp(verb, "list") == 0;
	if (!is_list && strcmp(verb, "verify") != 0)
		return why_set(why, ERR_USAGE, "'pitwall audit' knows list and verify, not '%s'", verb);
	buf_init(&path, PATH_BYTES);
	enum err e = store_of(c, &path, why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&path), READER_OWN, &r, why);
	if (e == ERR_OK)
		e = is_list ? list(c, r, out, why) : verify(c, r, out, is_good, why);
	reader_close(r);
	buf_release(&path);
	return e;
}

static int run(const struct cli *c)
{
	struct buf out;
	struct why why = { "" };
	bool is_good = true;
	buf_init(&out, OUTPUT_MAX);
	enum err e = audit(c, &out, &is_good, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e != ERR_OK ? cli_fail(e, &why) : is_good ? EXIT_YES : EXIT_NO;
}

static const struct cli_option options[] = {
	{ "since", "TIME", "of list: from then on" },
	{ "format", "FORMAT", "table, json or csv" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_audit = {
	.name          = "audit",
	.arguments     = "list|verify",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "list what people did, or verify that the list is as it was written",
	.details       = "Every row carries a hash of the row before and of itself: one that was changed, removed or put in breaks the chain there. 'verify' says where, and "
	                 "exits 1. It cannot tell that rows at the end were removed: keep the last hash ('list --format json') elsewhere for that.",
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
