/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a row, and the whole as JSON. */
#include "alerts/changed_private.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"

enum { TEXT_MAX = 4096, VALUE_COLUMNS = 8, WITH_SHOWN = 6 };

static const char *const scope_words[CHANGED_SCOPES] = { "same node", "same group", "same model", "the fleet" };

const char *changed_take(struct arena *a, struct buf *text)
{
	const char *copy = text->err == ERR_MEMORY ? NULL : arena_text(a, buf_text(text));
	buf_release(text);
	return copy;
}

/* ---- parts of sentences ---- */

/* "13x", "+45%", "-67%"; of ratios and temperatures the difference, since twice as hot is no way to put it. */
static void put_factor(struct buf *to, enum signal_unit unit, double before, double after)
{
	double by = after - before;
	if (unit == UNIT_RATIO)
		buf_printf(to, " (%+.*f points)", fabs(by) < 0.1 ? 1 : 0, by * 100);
	else if (unit == UNIT_CELSIUS)
		buf_printf(to, " (%+.0f degrees)", by);
	else if (before > 0 && after >= 2 * before && after / before < 1e6)
		buf_printf(to, " (%.*fx)", after / before < 9.95 ? 1 : 0, after / before);
	else if (before > 0 && after >= 0 && after < 2 * before)
		buf_printf(to, " (%+.0f%%)", by / before * 100);
}

/* "40s before the alert", "the alert". */
static void put_when(struct buf *to, const struct changed_input *in, int64_t at_ms)
{
	char age[DURATION_TEXT];
	int64_t before = in->onset_ms - at_ms;
	if (before >= 1000 || before <= -1000)
		buf_printf(to, "%s %s %s", format_age(before > 0 ? before : -before, age), before > 0 ? "before" : "after", in->onset);
	else
		buf_puts(to, in->onset);
}

/* Where else it is so. */
static void put_counts(struct buf *to, const struct changed_row *r)
{
	static const char *const words[CHANGED_FLEET] = { "", "of its group", "of its model elsewhere" };
	for (int scope = (int)r->scope + 1; scope < CHANGED_FLEET; scope++)
		if (r->count[scope].moved > 0)
			buf_printf(to, ", also on %u of %u others %s", r->count[scope].moved, r->count[scope].all, words[scope]);
}

static void put_where(struct buf *to, const struct changed_row *r)
{
	if (r->scope >= CHANGED_FLEET) {
		buf_puts(to, scope_words[CHANGED_FLEET]);
		return;
	}
	const struct changed_count *c = &r->count[r->scope];
	buf_puts(to, scope_words[r->scope]);
	if (r->scope == CHANGED_NODE && r->what == CHANGED_SIGNAL && c->all > 1)
		buf_printf(to, " (%u of %u)", c->moved, c->all);
	else if (r->scope != CHANGED_NODE && r->node[0] != '\0')
		buf_printf(to, ": %u of %u others, such as %s", c->moved, c->all, r->node);
	put_counts(to, r);
}

static void put_with(struct buf *to, const struct changed_row *r)
{
	for (size_t i = 0; i < r->n_with && i < WITH_SHOWN; i++)
		buf_printf(to, "%s%s", i == 0 ? "; with it " : ", ", r->with[i]);
	if (r->n_with > WITH_SHOWN)
		buf_printf(to, " and %zu more", r->n_with - WITH_SHOWN);
}

/* ---- sentences ---- */

/* The mean of a count is a whole number where it all but is one. */
static const char *value_text(enum signal_unit unit, double v, char to[UNIT_TEXT_SIZE])
{
	return unit_format(unit, unit == UNIT_COUNT ? round(v * 10) / 10 : v, VALUE_COLUMNS, to);
}

static void put_signal(struct buf *to, const struct changed_input *in, const struct changed_draft *d)
{
	char before[UNIT_TEXT_SIZE], after[UNIT_TEXT_SIZE];
	const struct changed_row *r = &d->row;
	buf_printf(to, "%s ", r->label);
	if (d->is_gone) {
		buf_puts(to, "is not told any more");
	} else {
		buf_printf(to, "%s -> %s", value_text(r->unit, r->before, before), value_text(r->unit, r->after, after));
		put_factor(to, r->unit, r->before, r->after);
	}
	buf_puts(to, ", since ");
	put_when(to, in, r->moved_ms);
	buf_puts(to, ", ");
	put_where(to, r);
	put_with(to, r);
}

static void put_event(struct buf *to, const struct changed_input *in, const struct changed_draft *d)
{
	int64_t by = d->row.moved_ms - in->onset_ms;
	buf_printf(to, "%s: %s, %s", d->row.label, d->event_text, by > -1000 && by < 1000 ? "with " : "");
	put_when(to, in, d->row.moved_ms);
	buf_puts(to, ", ");
	put_where(to, &d->row);
}

static void put_label(struct buf *to, const struct changed_draft *d)
{
	const char *value = strchr(d->row.label, '=');
	bool is_version = value != NULL && strncmp(d->row.label, "version=", 8) == 0;
	buf_printf(to, "%u of %u bad nodes %s %s; %u of %u good ones", d->bad.moved, d->bad.all, is_version ? "run version" : "have",
	           is_version ? value + 1 : d->row.label, d->good.moved, d->good.all);
	put_with(to, &d->row);
}

static void put_reasons(struct buf *to, const struct changed_draft *d)
{
	const struct changed_parts *p = &d->row.parts;
	buf_printf(to, "%.2f = effect %.2f x sure %.2f x timing %.2f x near %.2f x kind %.2f (%s)", d->row.score, p->effect, p->sure, p->timing, p->near,
	           p->kind, d->kind_word);
}

enum err changed_word(const struct changed_input *in, struct arena *a, struct changed_draft *d)
{
	struct buf text, reasons;
	buf_init(&text, TEXT_MAX);
	buf_init(&reasons, TEXT_MAX);
	if (d->row.what == CHANGED_SIGNAL)
		put_signal(&text, in, d);
	else if (d->row.what == CHANGED_EVENT)
		put_event(&text, in, d);
	else
		put_label(&text, d);
	put_reasons(&reasons, d);
	d->row.text = changed_take(a, &text);
	d->row.reasons = changed_take(a, &reasons);
	d->row.label = arena_text(a, d->row.label);
	return d->row.text == NULL || d->row.reasons == NULL || d->row.label == NULL ? ERR_MEMORY : ERR_OK;
}

/* ---- JSON ---- */

static void put_text(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, "\"%s\":", key);
	json_put_string(to, text, strlen(text));
	buf_putc(to, ',');
}

static void put_time(struct buf *to, const char *key, int64_t at_ms)
{
	char text[TIME_TEXT];
	buf_printf(to, at_ms != 0 ? "\"%s\":\"%s\"," : "\"%s\":null%s,", key, at_ms != 0 ? format_time(at_ms, text) : "");
}

static void put_number(struct buf *to, const char *key, double v)
{
	buf_printf(to, "\"%s\":", key);
	json_put_f64(to, v);
	buf_putc(to, ',');
}

static void put_row(struct buf *to, const struct changed_row *r)
{
	static const char *const whats[] = { [CHANGED_SIGNAL] = "signal", [CHANGED_EVENT] = "event", [CHANGED_LABEL] = "label" };
	static const char *const scopes[CHANGED_SCOPES] = { "node", "group", "model", "fleet" };
	buf_putc(to, '{');
	put_number(to, "score", r->score);
	put_text(to, "what", whats[r->what]);
	put_text(to, "scope", scopes[r->scope]);
	put_text(to, "label", r->label);
	put_text(to, "signal", r->what == CHANGED_SIGNAL ? signal_info(r->signal)->metric : "");
	put_text(to, "node", r->node);
	put_number(to, "before", r->before);
	put_number(to, "after", r->after);
	put_time(to, "since", r->moved_ms);
	buf_puts(to, "\"parts\":{");
	put_number(to, "effect", r->parts.effect);
	put_number(to, "sure", r->parts.sure);
	put_number(to, "timing", r->parts.timing);
	put_number(to, "near", r->parts.near);
	buf_puts(to, "\"kind\":");
	json_put_f64(to, r->parts.kind);
	buf_puts(to, "},\"counts\":{");
	for (int scope = 0; scope < CHANGED_FLEET; scope++)
		buf_printf(to, "%s\"%s\":{\"moved\":%u,\"of\":%u}", scope > 0 ? "," : "", scopes[scope], r->count[scope].moved, r->count[scope].all);
	buf_puts(to, "},\"with\":[");
	for (size_t i = 0; i < r->n_with; i++) {
		buf_puts(to, i > 0 ? "," : "");
		json_put_string(to, r->with[i], strlen(r->with[i]));
	}
	buf_puts(to, "],");
	put_text(to, "text", r->text);
	buf_puts(to, "\"reasons\":");
	json_put_string(to, r->reasons, strlen(r->reasons));
	buf_putc(to, '}');
}

static void put_event_row(struct buf *to, const struct changed_event *e)
{
	static const char *const severities[SEVERITY_COUNT] = { "ok", "info", "warn", "crit", "down" };
	buf_putc(to, '{');
	put_time(to, "time", e->wall_ms);
	put_text(to, "node", e->name);
	put_text(to, "severity", severities[e->severity]);
	put_text(to, "kind", e->kind);
	buf_puts(to, "\"text\":");
	json_put_string(to, e->text, strlen(e->text));
	buf_putc(to, '}');
}

enum err changed_json(const struct changed *c, struct buf *to)
{
	buf_putc(to, '{');
	put_time(to, "onset", c->onset_ms);
	put_time(to, "until", c->until_ms);
	buf_printf(to, "\"clear\":%s,", c->is_clear ? "true" : "false");
	put_text(to, "note", c->note);
	buf_printf(to, "\"nodes\":%zu,\"series\":%zu,\"cut\":%s,\"causes\":[", c->n_nodes, c->n_series, c->is_cut ? "true" : "false");
	for (size_t i = 0; i < c->n; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_row(to, &c->rows[i]);
	}
	buf_puts(to, "\n],\"events\":[");
	for (size_t i = 0; i < c->n_events; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_event_row(to, &c->events[i]);
	}
	return buf_puts(to, "\n]}\n");
}
