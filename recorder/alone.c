/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/alone.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "recorder/deploying.h"

enum { NAMES_MAX = 600, TEXT_MAX = 1000 };

enum alone_state alone_decide(enum fleet_hangup choice, enum departure_kind kind, size_t n_acting)
{
	if (kind == DEPARTURE_INTERRUPT || (kind == DEPARTURE_LOST && choice == FLEET_HANGUP_INTERRUPT))
		return ALONE_OVER;
	return choice == FLEET_HANGUP_RECORD || n_acting > 0 ? ALONE_GOES_ON : ALONE_OVER;
}

static const char *whose(const struct departure *d)
{
	return d->actor.who[0] != '\0' ? d->actor.who : d->actor.account;
}

/* "kim's console has lost its terminal: it goes on in the background until this has ended: rollback of chat to v41" */
static void say_departure(const struct alone *a, const struct departure *d, const char *names, char *to, size_t room)
{
	static const char *const deeds[] = { [DEPARTURE_LOST] = "has lost its terminal", [DEPARTURE_LET_GO] = "was let go of", [DEPARTURE_INTERRUPT] = "is left" };
	const char *then = a->state == ALONE_OVER ? "it ends, which interrupts" : a->is_for_good ? "it goes on recording in the background" : "it goes on in the background until this has ended";
	snprintf(to, room, "%.100s's console %s: %s%s%s", whose(d), deeds[d->kind], then, names[0] != '\0' ? ": " : "", names);
}

static void put_event(const struct alone *a, struct changes *c, enum severity severity, const char *text)
{
	changes_event(c, &(struct event){ .wall_ms = clock_wall_ms(a->clock), .severity = severity, .kind = "recorder", .node = "", .text = text });
	log_info(a->log, "recorder", "%s", text);
}

static void commit(const struct alone *a, struct changes *c)
{
	struct why why = { "" };
	if (store_commit(a->store, c, NULL, &why) != ERR_OK)
		log_error(a->log, "recorder", "cannot note that nobody is beside the recorder any more: %s", why.text);
}

static void tell_departure(const struct alone *a, const struct departure *d, const char *names, size_t n_acting)
{
	static const char *const actions[] = { [DEPARTURE_LOST] = "hangup", [DEPARTURE_LET_GO] = "detach", [DEPARTURE_INTERRUPT] = "interrupt" };
	char text[TEXT_MAX];
	struct changes *c;
	if (changes_new(&c, NULL) != ERR_OK)
		return;
	say_departure(a, d, names, text, sizeof text);
	put_event(a, c, a->state == ALONE_OVER ? SEVERITY_WARN : SEVERITY_INFO, text);
	if (n_acting > 0)
		deploying_audit_acting(a->deploying, c, &d->actor, actions[d->kind], text);
	else
		changes_audit(c, &(struct audit_row){ .at_ms = clock_wall_ms(a->clock), .actor = d->actor, .action = actions[d->kind], .subject = "recording", .detail = "" });
	commit(a, c);
}

void alone_begin(struct alone *a, const struct departure *d, enum fleet_hangup choice)
{
	struct buf names;
	if (a->state != ALONE_NOT)
		return;
	buf_init(&names, NAMES_MAX); /* of very many at once the last are missing */
	size_t n = a->deploying != NULL ? deploying_acting(a->deploying, &names) : 0;
	a->state = alone_decide(choice, d->kind, n);
	a->is_for_good = choice == FLEET_HANGUP_RECORD;
	if (n > 0 || a->state == ALONE_GOES_ON)
		tell_departure(a, d, buf_text(&names), n);
	buf_release(&names);
}

void alone_step(struct alone *a)
{
	struct changes *c;
	if (a->state != ALONE_GOES_ON || a->is_for_good || (a->deploying != NULL && deploying_acting(a->deploying, NULL) > 0))
		return;
	a->state = ALONE_OVER;
	if (changes_new(&c, NULL) != ERR_OK)
		return;
	put_event(a, c, SEVERITY_INFO, "the console in the background has nothing to wait for any more: it ends");
	commit(a, c);
}
