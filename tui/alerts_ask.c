/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/silence.h"
#include "base/matcher_set.h"
#include "tui/alerts_data.h"
#include "tui/alerts_detail.h"
#include "tui/alerts_dialog.h"
#include "tui/alerts_text.h"
#include "tui/deploys_ask.h"
#include "tui/screens.h"
#include "tui/widget_bar.h"

enum { ABOUT_MAX = 1500, ABOUT_GROUPS = 4, MATCHERS_MAX = 4000 };

/* Why nothing can be asked for; "": it can. */
static const char *refusal(const struct view *v)
{
	if (v->person.who == NULL)
		return "nothing can be asked for from here";
	return v->person.refusal != NULL ? v->person.refusal : "";
}

static bool is_of_use(enum command c, const struct alert_group_item *g)
{
	if (g->source[0] != '\0')
		return c != COMMAND_ACK && c != COMMAND_UNACK;
	return c == COMMAND_ACK ? g->phase != PHASE_RESOLVED : c == COMMAND_UNACK ? g->ack != NULL : true;
}

static size_t count_of_use(enum command c, const struct alerts_subject *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += is_of_use(c, s->groups[i]);
	return n;
}

bool alerts_offers(enum command c, const struct view *v, const struct alerts_subject *s)
{
	return refusal(v)[0] == '\0' && count_of_use(c, s) > 0;
}

/* "HighErrors ranker  12 nodes (crit, firing for 4m12s)", a line each; the rest is counted. */
static void say_about(enum command c, const struct view *v, const struct alerts_subject *s, struct buf *to)
{
	char nodes[ALERTS_TEXT], state[ALERTS_TEXT];
	size_t n = 0, all = count_of_use(c, s);
	for (size_t i = 0; i < s->n && n < ABOUT_GROUPS; i++) {
		const struct alert_group_item *g = s->groups[i];
		if (!is_of_use(c, g))
			continue;
		alerts_nodes_text(g, nodes);
		buf_printf(to, "%s%.100s%s%.60s%s%.60s (%s, %s)", n++ > 0 ? "\n" : "", g->rule, g->model[0] != '\0' ? " " : "", g->model,
		           nodes[0] != '\0' ? " " : "", nodes, severity_name(g->severity), alerts_state_text(g, v->t_ms, state));
		if (c == COMMAND_ACK && g->ack != NULL)
			buf_printf(to, ", in place of %.60s", g->ack->actor.who);
	}
	if (all > n)
		buf_printf(to, "\nand %zu more", all - n);
}

/* ---- acknowledge, and back ---- */

static enum next ask_keys(enum command c, const struct view *v, const struct alerts_subject *s, struct requests *out)
{
	size_t n = 0, all = count_of_use(c, s);
	char title[ALERTS_TEXT];
	struct buf about;
	const char **keys = calloc(all + 1, sizeof *keys);
	buf_init(&about, ABOUT_MAX);
	for (size_t i = 0; keys != NULL && i < s->n; i++)
		if (is_of_use(c, s->groups[i]))
			keys[n++] = s->groups[i]->key;
	say_about(c, v, s, &about);
	snprintf(title, sizeof title, "%s %zu alert%s", c == COMMAND_ACK ? "acknowledge" : "take back the acknowledgement of", all, all == 1 ? "" : "s");
	const struct alerts_dialog_options o = { .kind = c == COMMAND_ACK ? REQUEST_ACK : REQUEST_UNACK, .title = title,
		                                 .keys_text = c == COMMAND_ACK ? "Enter acknowledge   Tab next   Esc leave it" : "Enter take back   Esc leave it",
		                                 .about = buf_text(&about), .keys = keys, .n_keys = n };
	if (keys != NULL)
		out->push = alerts_dialog_new(&o, v);
	if (out->push == NULL)
		out->message = "out of memory";
	buf_release(&about);
	free(keys);
	return NEXT_REDRAW;
}

/* ---- silence ---- */

static bool is_common(const struct alerts_subject *s, const struct label *l)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->groups[i]->n; k++)
			if (strcmp(labels_get(s->groups[i]->alerts[k].row.labels, l->name), l->value) != 0)
				return false;
	return true;
}

/* What all of them have in common, as people write matchers. */
static enum err put_matchers(const struct alerts_subject *s, struct buf *to)
{
	struct matcher_set m;
	enum err e = ERR_OK;
	const struct labels *first = s->groups[0]->alerts[0].row.labels;
	matcher_set_init(&m);
	for (size_t i = 0; i < labels_count(first) && e == ERR_OK; i++)
		if (is_common(s, labels_at(first, i)))
			e = matcher_set_add(&m, MATCH_EQUAL, labels_at(first, i)->name, labels_at(first, i)->value, NULL);
	if (e == ERR_OK && m.n > 0)
		e = matcher_set_print(&m, to);
	matcher_set_release(&m);
	return e;
}

static enum next ask_silence(const struct view *v, const struct alerts_subject *s, struct requests *out)
{
	struct buf printed, matchers; /* without the braces, which are of use to programs */
	buf_init(&printed, MATCHERS_MAX);
	buf_init(&matchers, MATCHERS_MAX);
	if (put_matchers(s, &printed) == ERR_OK && printed.len > 2)
		buf_put(&matchers, printed.data + 1, printed.len - 2);
	const struct alerts_dialog_options o = { .kind = REQUEST_SILENCE, .title = "silence", .keys_text = "Enter silence   Tab next   Esc leave it",
		                                 .about = "", .matchers = buf_text(&matchers) };
	out->push = alerts_dialog_new(&o, v);
	if (out->push == NULL)
		out->message = "out of memory";
	buf_release(&printed);
	buf_release(&matchers);
	return NEXT_REDRAW;
}

/* ---- silences that there are ---- */

enum err silence_matchers_text(const struct silence_row *s, struct buf *to)
{
	struct matcher_set m;
	struct buf printed; /* with braces, which are of use to programs */
	matcher_set_init(&m);
	buf_init(&printed, 1024 * 1024);
	enum err e = matcher_set_parse_json(&m, s->matchers, strlen(s->matchers), NULL);
	if (e == ERR_OK)
		e = matcher_set_print(&m, &printed);
	if (e == ERR_OK && printed.len > 2)
		e = buf_printf(to, "%.*s", (int)(printed.len - 2), printed.data + 1);
	buf_release(&printed);
	matcher_set_release(&m);
	return e;
}

static bool can_end(const struct view *v, const struct silence_row *s)
{
	return s != NULL && silence_state(s, v->now_ms) != SILENCE_EXPIRED;
}

bool unsilence_offers(const struct view *v, const struct silence_row *s)
{
	return refusal(v)[0] == '\0' && can_end(v, s);
}

static void say_silence(const struct view *v, const struct silence_row *s, struct buf *to)
{
	char until[ALERTS_TEXT];
	struct buf matchers;
	buf_init(&matchers, MATCHERS_MAX);
	silence_matchers_text(s, &matchers);
	buf_printf(to, "%.600s\nby %.60s until %s", buf_text(&matchers), s->actor.who[0] != '\0' ? s->actor.who : "somebody",
	           moment_text(s->until_ms, v->now_ms, until));
	if (s->comment[0] != '\0')
		buf_printf(to, ": %.300s", s->comment);
	if (s->remote[0] != '\0')
		buf_printf(to, "\nit is expired in Alertmanager '%.60s' too", s->remote);
	buf_release(&matchers);
}

enum next unsilence_command(const struct view *v, const struct silence_row *s, struct requests *out)
{
	struct buf about;
	if (refusal(v)[0] != '\0' || !can_end(v, s)) {
		out->message = refusal(v)[0] != '\0' ? refusal(v) : s == NULL ? "no silence is selected" : "this silence is over already";
		return NEXT_REDRAW;
	}
	buf_init(&about, ABOUT_MAX);
	say_silence(v, s, &about);
	const struct alerts_dialog_options o = { .kind = REQUEST_UNSILENCE, .title = "end a silence", .keys_text = "Enter end it   Esc leave it",
		                                 .about = buf_text(&about), .silence = s->id };
	out->push = alerts_dialog_new(&o, v);
	if (out->push == NULL)
		out->message = "out of memory";
	buf_release(&about);
	return NEXT_REDRAW;
}

static enum next list_silences(const struct alerts_subject *s, struct requests *out)
{
	const char *id = NULL;
	for (size_t i = 0; i < s->n && id == NULL; i++)
		for (size_t k = 0; k < s->groups[i]->n && id == NULL; k++) {
			const struct alert_item *a = &s->groups[i]->alerts[k];
			id = a->silence != NULL ? a->silence->id : a->ack != NULL ? a->ack->id : NULL;
		}
	out->push = silences_screen_new(id);
	if (out->push == NULL)
		out->message = "out of memory";
	return NEXT_REDRAW;
}

/* ---- notes ---- */

static enum next ask_note(const struct view *v, const char *about, int64_t alert, const char *node, struct requests *out)
{
	char text[ALERTS_TEXT], moment[ALERTS_TEXT];
	bool is_past = v->mode != VIEW_LIVE;
	snprintf(text, sizeof text, "%.150s%s%s%s", about, about[0] != '\0' && is_past ? ", " : "", is_past ? "at " : about[0] == '\0' ? "this time" : "",
	         is_past ? moment_text(v->t_ms, v->now_ms, moment) : "");
	const struct alerts_dialog_options o = { .kind = REQUEST_NOTE, .title = "note", .keys_text = "Enter write it down   Tab next   Esc leave it",
		                                 .about = text, .alert = alert, .node = node, .at_ms = is_past ? v->t_ms : 0 };
	out->push = alerts_dialog_new(&o, v);
	if (out->push == NULL)
		out->message = "out of memory";
	return NEXT_REDRAW;
}

enum next note_command(const struct view *v, const char *node, struct requests *out)
{
	if (refusal(v)[0] != '\0') {
		out->message = refusal(v);
		return NEXT_REDRAW;
	}
	return ask_note(v, node != NULL ? node : "", 0, node, out);
}

static enum next ask_alert_note(const struct view *v, const struct alerts_subject *s, struct requests *out)
{
	char about[ALERTS_TEXT], nodes[ALERTS_TEXT];
	if (s->n == 0)
		return note_command(v, NULL, out);
	const struct alert_group_item *g = s->groups[0];
	if (s->n > 1) {
		out->message = "a note is about one alert: take the tags off first";
		return NEXT_REDRAW;
	}
	snprintf(about, sizeof about, "%.100s %.60s", g->rule, alerts_nodes_text(g, nodes));
	return ask_note(v, about, g->source[0] == '\0' ? g->alerts[0].row.id : 0, g->node, out);
}

/* ---- redeploy, roll back ---- */

enum next alerts_deploy(enum command c, const struct view *v, const struct alert_group_item *g, const struct version_suggestion *s, struct requests *out)
{
	struct buf reason;
	buf_init(&reason, REQUEST_TEXT_MAX);
	buf_printf(&reason, "%.200s%s%.600s", g->rule, g->summary[0] != '\0' ? ": " : "", g->summary);
	const struct deploy_wish w = { .target = g->model[0] != '\0' ? g->model : g->node, .reason = buf_text(&reason), .alert = g->source[0] == '\0' ? g->alerts[0].row.id : 0,
		                       .version = s != NULL && c == COMMAND_ROLLBACK ? s->from : "" };
	enum next n = deploy_command(c, v, &w, out);
	buf_release(&reason);
	return n;
}

/* ---- all ---- */

enum next alerts_command(enum command c, const struct view *v, const struct alerts_subject *s, struct requests *out)
{
	if (c == COMMAND_VIEW_SILENCES)
		return list_silences(s, out);
	if (c != COMMAND_ACK && c != COMMAND_UNACK && c != COMMAND_SILENCE && c != COMMAND_NOTE)
		return NEXT_IGNORED;
	if (refusal(v)[0] != '\0') {
		out->message = refusal(v);
		return NEXT_REDRAW;
	}
	if (c == COMMAND_NOTE)
		return ask_alert_note(v, s, out);
	if (count_of_use(c, s) == 0) {
		out->message = s->n == 0             ? "no alert is selected"
		               : s->groups[0]->source[0] != '\0' ? "this is an alert of an Alertmanager's own: it is not acknowledged here"
		               : c == COMMAND_UNACK ? "nobody has acknowledged this"
		                                    : "this is over: there is nothing to take on";
		return NEXT_REDRAW;
	}
	return c == COMMAND_SILENCE ? ask_silence(v, s, out) : ask_keys(c, v, s, out);
}
