/* SPDX-License-Identifier: Apache-2.0 */
#include "app/alerts_print.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "tui/alerts_text.h"

enum { ID_WIDTH = 6, STATE_WIDTH = 8, SEVERITY_WIDTH = 4, SINCE_WIDTH = 8, OWNER_MAX = 16, ALERT_MAX = 32, MODEL_MAX = 20, NODE_MAX = 32, TIME_WIDTH = 20,
       SUMMARY_MAX = 80 };

static const char *severity_of(enum severity s)
{
	static const char *const words[SEVERITY_COUNT] = { "ok", "info", "warn", "crit", "down" };
	return words[s];
}

static const char *phase_name(enum alert_phase p)
{
	static const char *const names[] = { [PHASE_FIRING] = "firing", [PHASE_PENDING] = "pending", [PHASE_RESOLVED] = "resolved" };
	return names[p];
}

/* What is for information alone (a dead man's switch always fires) wants nobody, here as on the screens. */
static bool wants_someone(const struct alert_group_item *g, const struct alert_item *a)
{
	return a->phase == PHASE_FIRING && a->row.severity >= SEVERITY_WARN && g->source[0] == '\0' && g->ack == NULL && a->ack == NULL && !a->is_silenced &&
	       !a->is_inhibited;
}

/* Who has it, or why nobody need. */
static const char *owner_of(const struct alert_group_item *g, const struct alert_item *a)
{
	if (a->is_inhibited)
		return "inhibited";
	if (a->is_silenced)
		return "silenced";
	if (g->ack != NULL)
		return g->ack->actor.who;
	if (a->ack != NULL)
		return a->ack->actor.who;
	return wants_someone(g, a) ? "nobody" : "--";
}

static int64_t since_of(const struct alert_item *a)
{
	return a->phase == PHASE_RESOLVED ? a->row.resolved_ms : a->phase == PHASE_FIRING ? a->row.fired_ms : a->row.active_ms;
}

bool alerts_want_someone(const struct alerts_view *v)
{
	for (size_t i = 0; i < v->n_groups; i++)
		for (size_t k = 0; k < v->groups[i].n; k++)
			if (wants_someone(&v->groups[i], &v->groups[i].alerts[k]))
				return true;
	return false;
}

/* ---- table ---- */

struct widths {
	int owner, alert, model, node;
	int source; /* 0: all are ours, and the column is not there */
};

static struct widths measure(const struct alerts_view *v)
{
	struct widths w = { 5, 5, 5, 4, 0 };
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct alert_group_item *g = &v->groups[i];
		if (g->source[0] != '\0')
			w.source = cells_wider(w.source > 0 ? w.source : 7, g->source, OWNER_MAX);
		for (size_t k = 0; k < g->n; k++) {
			w.owner = cells_wider(w.owner, owner_of(g, &g->alerts[k]), OWNER_MAX);
			w.alert = cells_wider(w.alert, g->alerts[k].row.rule, ALERT_MAX);
			w.model = cells_wider(w.model, labels_get(g->alerts[k].row.labels, "model"), MODEL_MAX);
			w.node = cells_wider(w.node, g->alerts[k].node, NODE_MAX);
		}
	}
	return w;
}

static void put_totals(const struct alerts_view *v, struct buf *to)
{
	size_t n[3] = { 0, 0, 0 }, nobodys = 0, external = 0;
	char at[TIME_TEXT];
	for (size_t i = 0; i < v->n_groups; i++) {
		if (v->groups[i].source[0] != '\0') {
			external += v->groups[i].n;
			continue;
		}
		for (size_t k = 0; k < v->groups[i].n; k++) {
			n[v->groups[i].alerts[k].phase]++;
			nobodys += wants_someone(&v->groups[i], &v->groups[i].alerts[k]);
		}
	}
	buf_printf(to, "%zu firing (%zu that nobody has), %zu pending, %zu resolved", n[PHASE_FIRING], nobodys, n[PHASE_PENDING], n[PHASE_RESOLVED]);
	if (external > 0)
		buf_printf(to, ", %zu of Alertmanagers' own", external);
	buf_printf(to, "  as of %s\n", format_time(v->t_ms / 1000 * 1000, at));
}

/* One of an Alertmanager's own has no number here. */
static void put_id(struct buf *to, int64_t id)
{
	char text[24] = "-";
	if (id > 0)
		snprintf(text, sizeof text, "%lld", (long long)id);
	cells_put_right(to, text, ID_WIDTH);
}

static void put_line(const struct alerts_view *v, const struct alert_group_item *g, const struct alert_item *a, const struct widths *w, struct buf *to)
{
	char age[DURATION_TEXT];
	put_id(to, a->row.id);
	cells_put(to, phase_name(a->phase), STATE_WIDTH);
	cells_put(to, severity_of(a->row.severity), SEVERITY_WIDTH);
	cells_put_right(to, format_age(v->t_ms - since_of(a), age), SINCE_WIDTH);
	if (w->source > 0)
		cells_put(to, g->source[0] != '\0' ? g->source : "pitwall", w->source);
	cells_put(to, owner_of(g, a), w->owner);
	cells_put(to, a->row.rule, w->alert);
	cells_put(to, labels_get(a->row.labels, "model"), w->model);
	cells_put(to, a->node, w->node);
	cells_put(to, alerts_summary(a->row.annotations), SUMMARY_MAX);
	cells_end(to);
}

static void put_trouble(const struct alerts_view *v, struct buf *to)
{
	struct buf text;
	buf_init(&text, 4096);
	alerts_trouble_sentence(&text, v);
	if (text.len > 0) {
		text_safe(to, buf_text(&text), text.len);
		buf_putc(to, '\n');
	}
	buf_release(&text);
}

static enum err print_table(const struct alerts_view *v, struct buf *to)
{
	struct widths w = measure(v);
	put_totals(v, to);
	if (v->n_groups == 0) {
		put_trouble(v, to);
		return to->err;
	}
	cells_put_right(to, "ID", ID_WIDTH);
	cells_put(to, "STATE", STATE_WIDTH);
	cells_put(to, "SEV", SEVERITY_WIDTH);
	cells_put_right(to, "SINCE", SINCE_WIDTH);
	if (w.source > 0)
		cells_put(to, "FROM", w.source);
	cells_put(to, "OWNER", w.owner);
	cells_put(to, "ALERT", w.alert);
	cells_put(to, "MODEL", w.model);
	cells_put(to, "NODE", w.node);
	buf_puts(to, "SUMMARY\n");
	for (size_t i = 0; i < v->n_groups; i++)
		for (size_t k = 0; k < v->groups[i].n; k++)
			put_line(v, &v->groups[i], &v->groups[i].alerts[k], &w, to);
	if (v->n_more > 0)
		buf_printf(to, "and %zu more\n", v->n_more);
	put_trouble(v, to);
	return to->err;
}

/* ---- JSON ---- */

static void put_labels(struct buf *to, const char *key, const struct labels *l)
{
	buf_printf(to, "\"%s\":{", key);
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *pair = labels_at(l, i);
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, pair->name, pair->name_len);
		buf_putc(to, ':');
		json_put_string(to, pair->value, pair->value_len);
	}
	buf_puts(to, "},");
}

void alerts_put_actor(struct buf *to, const struct actor *a)
{
	buf_putc(to, '{');
	cells_put_member(to, "who", a->who);
	cells_put_member(to, "account", a->account);
	buf_puts(to, "\"origin\":");
	json_put_string(to, a->origin, strlen(a->origin));
	buf_putc(to, '}');
}

static void put_alert_members(struct buf *to, const struct alert_row *r, const char *state)
{
	buf_printf(to, r->id > 0 ? "{\"id\":%lld," : "{\"id\":null,", (long long)r->id);
	cells_put_member(to, "alertname", r->rule);
	cells_put_member(to, "state", state);
	cells_put_member(to, "severity", severity_of(r->severity));
	cells_put_time_member(to, "active_at", r->active_ms);
	cells_put_time_member(to, "fired_at", r->fired_ms);
	cells_put_time_member(to, "resolved_at", r->resolved_ms);
	buf_puts(to, "\"value\":");
	json_put_f64(to, r->value);
	buf_putc(to, ',');
	put_labels(to, "labels", r->labels);
	put_labels(to, "annotations", r->annotations);
	buf_printf(to, "\"flapping\":%s,", r->is_flapping ? "true" : "false");
	cells_put_member(to, "expr", r->expr);
	cells_put_member(to, "source", r->source);
}

/* What an Alertmanager says of it. */
static void put_there(struct buf *to, const struct external_row *r)
{
	static const char *const states[EXTERNAL_STATE_COUNT] = { "active", "suppressed", "unprocessed" };
	buf_puts(to, ",\"alertmanager\":{");
	cells_put_member(to, "name", r->remote);
	cells_put_member(to, "state", states[r->state]);
	cells_put_member(to, "silenced_by", r->silenced_by);
	cells_put_member(to, "inhibited_by", r->inhibited_by);
	cells_put_member(to, "receivers", r->receivers);
	buf_puts(to, "\"url\":");
	json_put_string(to, r->url, strlen(r->url));
	buf_putc(to, '}');
}

static void put_alert(struct buf *to, const struct alert_item *a)
{
	put_alert_members(to, &a->row, phase_name(a->phase));
	buf_printf(to, a->row.inhibited_by != 0 ? "\"inhibited_by\":%lld," : "\"inhibited_by\":null,", (long long)a->row.inhibited_by);
	buf_puts(to, "\"silenced_by\":");
	if (a->silence != NULL)
		json_put_string(to, a->silence->id, strlen(a->silence->id));
	else
		buf_puts(to, "null");
	if (a->there != NULL)
		put_there(to, a->there);
	buf_putc(to, '}');
}

static void put_ack(struct buf *to, const struct ack_row *a)
{
	buf_puts(to, "\"acknowledgement\":");
	if (a == NULL) {
		buf_puts(to, "null,");
		return;
	}
	buf_putc(to, '{');
	cells_put_time_member(to, "at", a->at_ms);
	cells_put_time_member(to, "until", a->until_ms);
	cells_put_member(to, "comment", a->comment);
	buf_puts(to, "\"by\":");
	alerts_put_actor(to, &a->actor);
	buf_puts(to, "},");
}

static void put_group(struct buf *to, const struct alert_group_item *g)
{
	buf_putc(to, '{');
	cells_put_member(to, "key", g->key);
	cells_put_member(to, "alertname", g->rule);
	cells_put_member(to, "model", g->model);
	cells_put_member(to, "from", g->source);
	cells_put_member(to, "state", phase_name(g->phase));
	cells_put_member(to, "severity", severity_of(g->severity));
	cells_put_time_member(to, "since", g->since_ms);
	cells_put_member(to, "summary", g->summary);
	buf_printf(to, "\"firing\":%zu,\"pending\":%zu,\"resolved\":%zu,\"hidden\":%s,", g->n_firing, g->n_pending, g->n_resolved, g->is_hidden ? "true" : "false");
	put_ack(to, g->ack);
	cells_put_time_member(to, "unowned_since", g->unowned_ms);
	buf_puts(to, "\"alerts\":[");
	for (size_t i = 0; i < g->n; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_alert(to, &g->alerts[i]);
	}
	buf_puts(to, "]}");
}

static enum err print_json(const struct alerts_view *v, struct buf *to)
{
	buf_putc(to, '{');
	cells_put_time_member(to, "time", v->t_ms);
	buf_puts(to, "\"groups\":[");
	for (size_t i = 0; i < v->n_groups; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_group(to, &v->groups[i]);
	}
	buf_printf(to, "\n],\"more\":%zu,\"alertmanagers\":[", v->n_more);
	for (size_t i = 0; i < v->n_alertmanagers; i++) {
		const struct alertmanager_row *a = &v->alertmanagers[i];
		buf_puts(to, i > 0 ? ",{" : "{");
		cells_put_member(to, "name", a->name);
		cells_put_time_member(to, "since", a->from_ms);
		buf_printf(to, "\"answers\":%s,\"text\":", a->state == ALERTMANAGER_ANSWERS ? "true" : "false");
		json_put_string(to, a->text, strlen(a->text));
		buf_putc(to, '}');
	}
	return buf_puts(to, "]}\n");
}

/* ---- CSV ---- */

static void put_csv_alert(struct buf *to, const struct alert_row *r, const char *state, const char *owner, const char *source)
{
	char value[NUMBER_TEXT];
	buf_printf(to, r->id > 0 ? "%lld," : ",", (long long)r->id);
	cells_put_csv(to, state);
	cells_put_csv(to, severity_of(r->severity));
	cells_put_csv_time(to, r->active_ms);
	cells_put_csv_time(to, r->fired_ms);
	cells_put_csv_time(to, r->resolved_ms);
	cells_put_csv(to, owner);
	cells_put_csv(to, r->rule);
	cells_put_csv(to, labels_get(r->labels, "model"));
	cells_put_csv(to, alerts_node(r->labels));
	buf_printf(to, "%s,", format_f64(r->value, value));
	cells_put_csv(to, alerts_summary(r->annotations));
	cells_put_csv(to, r->group_key);
	cells_put_csv(to, source);
	cells_end_csv(to);
}

static const char csv_head[] = "id,state,severity,active_at,fired_at,resolved_at,owner,alertname,model,node,value,summary,group,from\r\n";

static enum err print_csv(const struct alerts_view *v, struct buf *to)
{
	buf_puts(to, csv_head);
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct alert_group_item *g = &v->groups[i];
		for (size_t k = 0; k < g->n; k++)
			put_csv_alert(to, &g->alerts[k].row, phase_name(g->alerts[k].phase), owner_of(g, &g->alerts[k]), g->source);
	}
	return to->err;
}

enum err alerts_print(const struct alerts_view *v, enum cells_format format, struct buf *to)
{
	switch (format) {
	case CELLS_JSON: return print_json(v, to);
	case CELLS_CSV: return print_csv(v, to);
	case CELLS_TABLE: break;
	}
	return print_table(v, to);
}

/* ---- history ---- */

static const char *state_of(const struct alert_row *r)
{
	return r->resolved_ms != 0 ? "resolved" : r->fired_ms != 0 ? "firing" : "pending";
}

static void put_history_line(struct buf *to, const struct alert_row *r, int64_t until_ms, const struct widths *w)
{
	char text[TIME_TEXT], age[DURATION_TEXT];
	int64_t end_ms = r->resolved_ms != 0 ? r->resolved_ms : until_ms;
	put_id(to, r->id);
	cells_put(to, format_time(r->fired_ms / 1000 * 1000, text), TIME_WIDTH);
	cells_put_right(to, format_age(end_ms - r->fired_ms, age), SINCE_WIDTH);
	cells_put(to, state_of(r), STATE_WIDTH);
	cells_put(to, severity_of(r->severity), SEVERITY_WIDTH);
	cells_put(to, r->rule, w->alert);
	cells_put(to, labels_get(r->labels, "model"), w->model);
	cells_put(to, alerts_node(r->labels), w->node);
	cells_put(to, alerts_summary(r->annotations), SUMMARY_MAX);
	cells_end(to);
}

static enum err print_history_table(const struct alert_history *h, struct buf *to)
{
	struct widths w = { 5, 5, 5, 4, 0 };
	for (size_t i = 0; i < h->n; i++) {
		w.alert = cells_wider(w.alert, h->rows[i].rule, ALERT_MAX);
		w.model = cells_wider(w.model, labels_get(h->rows[i].labels, "model"), MODEL_MAX);
		w.node = cells_wider(w.node, alerts_node(h->rows[i].labels), NODE_MAX);
	}
	cells_put_right(to, "ID", ID_WIDTH);
	cells_put(to, "FIRED", TIME_WIDTH);
	cells_put_right(to, "FOR", SINCE_WIDTH);
	cells_put(to, "STATE", STATE_WIDTH);
	cells_put(to, "SEV", SEVERITY_WIDTH);
	cells_put(to, "ALERT", w.alert);
	cells_put(to, "MODEL", w.model);
	cells_put(to, "NODE", w.node);
	buf_puts(to, "SUMMARY\n");
	for (size_t i = 0; i < h->n; i++)
		put_history_line(to, &h->rows[i], h->until_ms, &w);
	if (h->is_cut)
		buf_printf(to, "and older ones: ask for more with --limit, or for others with --since and --at\n");
	return to->err;
}

static enum err print_history_json(const struct alert_history *h, struct buf *to)
{
	buf_putc(to, '{');
	cells_put_time_member(to, "from", h->after_ms);
	cells_put_time_member(to, "to", h->until_ms);
	buf_puts(to, "\"alerts\":[");
	for (size_t i = 0; i < h->n; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_alert_members(to, &h->rows[i], state_of(&h->rows[i]));
		buf_puts(to, "\"group\":");
		json_put_string(to, h->rows[i].group_key, strlen(h->rows[i].group_key));
		buf_putc(to, '}');
	}
	return buf_printf(to, "\n],\"cut\":%s}\n", h->is_cut ? "true" : "false");
}

enum err alert_history_print(const struct alert_history *h, enum cells_format format, struct buf *to)
{
	if (format == CELLS_TABLE)
		return print_history_table(h, to);
	if (format == CELLS_JSON)
		return print_history_json(h, to);
	buf_puts(to, csv_head);
	for (size_t i = 0; i < h->n; i++)
		put_csv_alert(to, &h->rows[i], state_of(&h->rows[i]), "", "");
	return to->err;
}
