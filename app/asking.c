/* SPDX-License-Identifier: Apache-2.0 */
#include "app/asking.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/spool.h"
#include "app/paths.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "config/roles.h"
#include "store/alerts.h"
#include "store/export.h"

enum { WAIT_MS = 5000, WAIT_MAX_MS = 3600 * 1000, LOOK_MS = 20 };
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* ---- times ---- */

enum err cli_time(const struct cli *c, const char *option, int64_t *out, struct why *why)
{
	const char *text = cli_value(c, option);
	if (text == NULL)
		return ERR_OK;
	enum err e = parse_time(text, clock_wall_ms(clock_system()), out, why);
	return e == ERR_OK ? e : why_prefix(why, ERR_USAGE, "--%s", option);
}

static bool is_time_of_day(const char *text)
{
	return text[strspn(text, "0123456789:")] == '\0' && strchr(text, ':') != NULL;
}

enum err parse_time_to_come(const char *text, int64_t now_ms, int64_t *out, struct why *why)
{
	const char *duration = text[0] == '+' ? text + 1 : text;
	int64_t ms;
	if (parse_duration(duration, strlen(duration), &ms) == ERR_OK && ms > 0 && ms < INT64_C(3660) * DAY_MS) {
		*out = now_ms + ms;
		return ERR_OK;
	}
	enum err e = parse_time(text, now_ms, &ms, why);
	if (e != ERR_OK)
		return why_set(why, ERR_USAGE, "'%s' is no time to come: a duration (2h), a time of day (18:30, in UTC) or a date ('2026-11-23 18:30')", text);
	if (ms <= now_ms && is_time_of_day(text))
		ms += DAY_MS;
	if (ms <= now_ms)
		return why_set(why, ERR_USAGE, "'%s' is past", text);
	*out = ms;
	return ERR_OK;
}

/* ---- where and who ---- */

enum err context_of(struct context *x, const struct cli *c, struct why *why)
{
	char *path = NULL;
	const char *env = getenv("PITWALL_STORE");
	bool is_given = cli_value(c, "store") != NULL || (env != NULL && env[0] != '\0');
	enum err e = context_init(x, c, why);
	if (e != ERR_OK)
		return e;
	e = fleet_find(cli_value(c, "config"), &path, why);
	free(path);
	if (e == ERR_OK)
		e = context_fleet(x, c, why);
	else if (e == ERR_NOT_FOUND && cli_value(c, "config") == NULL && getenv("PITWALL_CONFIG") == NULL)
		e = ERR_OK;
	if (e == ERR_OK || (is_given && e == ERR_FORMAT))
		return ERR_OK;
	context_release(x);
	return e;
}

enum err store_of(const struct cli *c, struct buf *to, struct why *why)
{
	struct context x;
	const char *env = getenv("PITWALL_STORE");
	if (cli_value(c, "store") != NULL || (env != NULL && env[0] != '\0'))
		return path_store(cli_value(c, "store"), to, why);
	enum err e = context_of(&x, c, why);
	if (e != ERR_OK)
		return e;
	buf_puts(to, buf_text(&x.store));
	context_release(&x);
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "the path of the store is too long");
}

static enum err find_person(struct asker *a, const struct cli *c, struct why *why)
{
	const struct roles *roles = a->context.fleet != NULL ? a->context.fleet->roles : NULL;
	const char *as = cli_value(c, "as");
	person_here(&a->person);
	a->who = a->person.login;
	if (as != NULL && as[0] == '\0')
		return why_set(why, ERR_USAGE, "--as wants a name");
	if (as != NULL)
		a->who = as;
	else if (roles_is_shared(roles, a->person.login))
		return why_set(why, ERR_USAGE, "several people use the account '%s': say who you are with --as NAME", a->person.login);
	return ERR_OK;
}

static enum err read_options(struct asker *a, const struct cli *c, struct why *why)
{
	const char *wait = cli_value(c, "wait");
	if (cli_has(c, "read-only"))
		return why_set(why, ERR_READ_ONLY, "'pitwall %s' asks the recorder for something, and --read-only was given", c->command->name);
	enum err e = cells_format_of(cli_value(c, "format"), &a->format, why);
	if (e == ERR_OK && a->format == CELLS_CSV)
		e = why_set(why, ERR_USAGE, "there are the formats table and json");
	if (e == ERR_OK && wait != NULL && (parse_duration(wait, strlen(wait), &a->wait_ms) != ERR_OK || a->wait_ms > WAIT_MAX_MS))
		e = why_set(why, ERR_USAGE, "--wait wants a duration of at most 1h, not '%s'", wait);
	return e;
}

static enum err find_bundle(struct asker *a, struct why *why)
{
	struct lease_info lease;
	enum err e = reader_is_bundle(a->reader, a->now_ms, &a->is_bundle, why);
	a->is_bundle = a->is_bundle && reader_lease(a->reader, a->now_ms, &lease, NULL) != ERR_OK;
	return e;
}

enum err asker_init(struct asker *a, const struct cli *c, struct why *why)
{
	*a = (struct asker){ .now_ms = clock_wall_ms(clock_system()), .wait_ms = WAIT_MS };
	enum err e = read_options(a, c, why);
	if (e == ERR_OK)
		e = context_of(&a->context, c, why);
	if (e != ERR_OK)
		return e;
	e = find_person(a, c, why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&a->context.store), READER_OWN, &a->reader, why);
	if (e == ERR_OK)
		e = find_bundle(a, why);
	if (e != ERR_OK)
		asker_release(a);
	return e;
}

void asker_release(struct asker *a)
{
	reader_close(a->reader);
	context_release(&a->context);
	a->reader = NULL;
}

/* ---- waiting ---- */

static enum err take_answer(void *ctx, const struct request_row *q)
{
	struct asker_answer *a = ctx;
	a->outcome = q->err == ERR_OK ? ASKER_DONE : ASKER_REFUSED;
	a->err = q->err;
	snprintf(a->text, sizeof a->text, "%s", q->text);
	return ERR_OK;
}

bool asker_is_recorded(const struct asker *a)
{
	struct lease_info lease;
	return reader_lease(a->reader, clock_wall_ms(clock_system()), &lease, NULL) == ERR_OK;
}

/* Looks whenever the store has changed. */
static enum err wait_for_answer(const struct asker *a, const char *id, struct asker_answer *out, struct why *why)
{
	int64_t deadline_ms = clock_mono_ms(clock_system()) + a->wait_ms;
	uint64_t seen = 0, revision = 0;
	for (bool is_first = true;; is_first = false) {
		enum err e = reader_revision(a->reader, &revision, why);
		if (e == ERR_OK && (is_first || revision != seen)) {
			e = reader_request(a->reader, id, take_answer, out, why);
			if (e == ERR_OK)
				return ERR_OK;
		}
		if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_LATER)
			return e;
		seen = revision;
		if (!asker_is_recorded(a)) {
			out->outcome = ASKER_KEPT;
			return ERR_OK;
		}
		if (clock_mono_ms(clock_system()) >= deadline_ms) {
			out->outcome = ASKER_WAITING;
			return ERR_OK;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
}

static void explain(const struct asker *a, struct asker_answer *n)
{
	if (n->outcome == ASKER_KEPT)
		snprintf(n->text, sizeof n->text, "nobody records '%s' now: the request is kept, and done when a recorder runs", buf_text(&a->context.store));
	else if (n->outcome == ASKER_WAITING)
		snprintf(n->text, sizeof n->text, "the recorder has not answered yet: the request is kept, and done when it comes to it");
	else if (n->text[0] == '\0')
		snprintf(n->text, sizeof n->text, "%s", n->err == ERR_OK ? "done" : err_text(n->err));
}

static void print_answer(const struct asker *a, const char *id, const struct asker_answer *n)
{
	static const char *const words[] = { "done", "refused", "kept", "waiting" };
	struct buf out;
	buf_init(&out, 64 * 1024);
	if (a->format == CELLS_JSON) {
		buf_putc(&out, '{');
		cells_put_member(&out, "id", id);
		cells_put_member(&out, "state", words[n->outcome]);
		buf_puts(&out, "\"text\":");
		json_put_string(&out, n->text, strlen(n->text));
		buf_puts(&out, "}\n");
	} else {
		if (n->outcome != ASKER_DONE)
			buf_puts(&out, "pitwall: ");
		text_safe(&out, n->text, strlen(n->text));
		buf_putc(&out, '\n');
	}
	fputs(buf_text(&out), n->outcome == ASKER_DONE || a->format == CELLS_JSON ? stdout : stderr);
	buf_release(&out);
}

enum err asker_put(const struct asker *a, struct request *r, struct why *why)
{
	const struct spool_way way = { .store = buf_text(&a->context.store),
		                       .refusal = a->is_bundle ? "this is a part of a store, made by export; nobody records it" : NULL };
	r->asked_ms = a->now_ms;
	r->who = a->who;
	r->origin = a->person.origin;
	enum err e = request_new_id(a->now_ms, r->id, why);
	return e == ERR_OK ? spool_put(&way, r, why) : e;
}

enum err asker_wait(const struct asker *a, const char *id, struct asker_answer *out, struct why *why)
{
	*out = (struct asker_answer){ .err = ERR_OK };
	enum err e = wait_for_answer(a, id, out, why);
	if (e == ERR_OK)
		explain(a, out);
	return e;
}

int asker_ask(const struct asker *a, struct request *r)
{
	struct asker_answer answer;
	struct why why = { "" };
	enum err e = asker_put(a, r, &why);
	if (e == ERR_OK)
		e = asker_wait(a, r->id, &answer, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	print_answer(a, r->id, &answer);
	return answer.outcome == ASKER_DONE ? EXIT_YES : answer.outcome == ASKER_REFUSED ? EXIT_USAGE : EXIT_NO;
}
