/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_text.h"

#include <stdio.h>
#include <string.h>

#include "alerts/ack.h"
#include "alerts/silence.h"
#include "base/clock.h"
#include "base/num.h"
#include "tui/widget_bar.h"

enum { DAY_MS = 24 * 3600 * 1000 };

const char *alerts_nodes_text(const struct alert_group_item *g, char to[ALERTS_TEXT])
{
	if (g->n_nodes > 1)
		snprintf(to, ALERTS_TEXT, "%zu nodes", g->n_nodes);
	else
		snprintf(to, ALERTS_TEXT, "%.200s", g->node);
	return to;
}

bool alerts_is_void(const struct alert_group_item *g)
{
	return g->lost != NULL && g->lost->end != ACK_REMOVED && g->lost->end != ACK_REPLACED;
}

const char *alerts_owner_text(const struct alert_group_item *g, char to[ALERTS_TEXT])
{
	if (g->is_hidden)
		return g->n_silenced > 0 ? "silenced" : "inhibited";
	if (g->phase == PHASE_RESOLVED)
		return "resolved";
	if (g->ack != NULL)
		snprintf(to, ALERTS_TEXT, "%.200s", g->ack->actor.who);
	else if (g->phase == PHASE_PENDING)
		return "pending";
	else if (g->source[0] != '\0')
		snprintf(to, ALERTS_TEXT, "in %.200s", g->source);
	else if (alerts_is_void(g))
		snprintf(to, ALERTS_TEXT, "was %.200s", g->lost->actor.who);
	else
		return g->unowned_ms != 0 ? "nobody" : "-";
	return to;
}

bool alerts_stands_out(const struct alert_group_item *g, const struct view *v)
{
	return g->unowned_ms != 0 && v->unowned_after_ms > 0 && v->t_ms - g->unowned_ms >= v->unowned_after_ms;
}

enum role alerts_role(const struct alert_group_item *g)
{
	if (g->phase == PHASE_RESOLVED || g->is_hidden)
		return ROLE_FAINT;
	return g->phase == PHASE_PENDING ? ROLE_SECOND : severity_role(g->severity);
}

const char *since_text(int64_t from_ms, int64_t t_ms, char to[ALERTS_TEXT])
{
	char age[DURATION_TEXT];
	if (from_ms == 0)
		return "";
	int64_t old = t_ms > from_ms ? (t_ms - from_ms) / 1000 * 1000 : 0;
	snprintf(to, ALERTS_TEXT, "%s", old == 0 ? "0s" : format_age(old, age));
	return to;
}

const char *alerts_state_text(const struct alert_group_item *g, int64_t t_ms, char to[ALERTS_TEXT])
{
	char age[ALERTS_TEXT];
	since_text(g->since_ms, t_ms, age);
	if (g->phase == PHASE_RESOLVED)
		snprintf(to, ALERTS_TEXT, "resolved %.100s ago", age);
	else
		snprintf(to, ALERTS_TEXT, "%s for %.100s", g->phase == PHASE_FIRING ? "firing" : "pending", age);
	return to;
}

const char *actor_text(const struct actor *a, char to[ALERTS_TEXT])
{
	bool has_account = a->account[0] != '\0' && strcmp(a->account, a->who) != 0;
	snprintf(to, ALERTS_TEXT, "%.80s%s%.60s%s%s%.60s", a->who[0] != '\0' ? a->who : "somebody", has_account ? " (" : "", has_account ? a->account : "",
	         has_account ? ")" : "", a->origin[0] != '\0' ? " from " : "", a->origin);
	return to;
}

const char *moment_text(int64_t at_ms, int64_t t_ms, char to[ALERTS_TEXT])
{
	char time[TIME_TEXT];
	format_time(at_ms / 1000 * 1000, time);
	if (strlen(time) < 20)
		snprintf(to, ALERTS_TEXT, "%s", time);
	else if (at_ms / DAY_MS != t_ms / DAY_MS)
		snprintf(to, ALERTS_TEXT, "%.5s %.8sZ", time + 5, time + 11);
	else
		snprintf(to, ALERTS_TEXT, "%.8sZ", time + 11);
	return to;
}

enum err ack_sentence(struct buf *to, const struct ack_row *a, int64_t t_ms)
{
	char text[ALERTS_TEXT], more[ALERTS_TEXT];
	buf_printf(to, "acknowledged %s ago by %s", since_text(a->at_ms, t_ms, more), actor_text(&a->actor, text));
	if (!ack_is_held(a, t_ms) && a->ended_ms != 0) {
		buf_printf(to, "; over for %s: %s", since_text(a->ended_ms, t_ms, text), ack_end_text(a->end));
		if (a->ended_by.who[0] != '\0')
			buf_printf(to, " by %.80s", a->ended_by.who);
	} else if (a->until_ms != 0) {
		buf_printf(to, " until %s", moment_text(a->until_ms, t_ms, text));
	}
	if (a->comment[0] != '\0')
		buf_printf(to, ": %s", a->comment);
	return to->err;
}

enum role alerts_owner_sentence(const struct alert_group_item *g, const struct view *v, struct buf *to)
{
	char text[ALERTS_TEXT];
	const struct alert_item *first = &g->alerts[0];
	if (g->ack != NULL || g->lost != NULL) {
		ack_sentence(to, g->ack != NULL ? g->ack : g->lost, v->t_ms);
		return g->ack != NULL ? ROLE_TEXT : alerts_is_void(g) ? ROLE_WARN : ROLE_SECOND;
	}
	if (g->n_silenced > 0 && first->silence != NULL) {
		buf_printf(to, "silenced by %s", actor_text(&first->silence->actor, text));
		buf_printf(to, " until %s: %s", moment_text(first->silence->until_ms, v->t_ms, text), first->silence->comment);
	} else if (g->n_inhibited > 0) {
		buf_printf(to, "inhibited: it follows from %s", first->inhibitor[0] != '\0' ? first->inhibitor : "another alert");
	} else if (g->source[0] != '\0') {
		alerts_there_sentence(to, first, v->alerts);
	} else if (g->unowned_ms != 0) {
		buf_printf(to, "nobody has taken it on for %s", since_text(g->unowned_ms, v->t_ms, text));
		return alerts_stands_out(g, v) ? ROLE_CRIT : ROLE_SECOND;
	}
	return ROLE_SECOND;
}

static void put_silences(struct buf *to, const struct external_row *r, const struct alerts_view *v)
{
	const char *id = r->silenced_by;
	char until[ALERTS_TEXT];
	for (size_t n; *id != '\0' && to->len < 1000; id += n) {
		id += strspn(id, " ");
		n = strcspn(id, " ");
		const struct silence_row *s = n > 0 ? alerts_silence(v, r->remote, id, n) : NULL;
		if (s != NULL)
			buf_printf(to, "; %s by %.80s until %s: %.200s", silence_is_ack(s) ? "taken on" : "silenced", s->actor.who, moment_text(s->until_ms, v->t_ms, until),
			           silence_is_ack(s) ? alerts_remote_ack_comment(s) : s->comment);
		else if (n > 0)
			buf_printf(to, "; silenced by %.*s", (int)(n < 40 ? n : 40), id);
	}
}

enum err alerts_there_sentence(struct buf *to, const struct alert_item *a, const struct alerts_view *v)
{
	static const char *const words[EXTERNAL_STATE_COUNT] = { "active", "suppressed", "not looked at yet" };
	const struct external_row *r = a->there;
	buf_printf(to, "%s: %s", r->remote, words[r->state]);
	put_silences(to, r, v);
	if (r->inhibited_by[0] != '\0')
		buf_printf(to, "; inhibited by %.300s", r->inhibited_by);
	if (r->receivers[0] != '\0')
		buf_printf(to, "; told to %.300s", r->receivers);
	return to->err;
}

enum err alerts_trouble_sentence(struct buf *to, const struct alerts_view *v)
{
	char since[ALERTS_TEXT];
	for (size_t i = 0; v != NULL && i < v->n_alertmanagers; i++) {
		const struct alertmanager_row *a = &v->alertmanagers[i];
		if (a->state == ALERTMANAGER_SILENT)
			return buf_printf(to, "Alertmanager '%.60s' has not answered since %s: %.200s", a->name, moment_text(a->from_ms, v->t_ms, since), a->text);
	}
	return to->err;
}
