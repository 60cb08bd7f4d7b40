/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rules_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

enum { RULE_MAX = 40, KIND_WIDTH = 6, STATE_WIDTH = 7, AGE_WIDTH = 8, TOOK_WIDTH = 8, COUNT_WIDTH = 7, GROUP_MAX = 28, PLACE_MAX = 40, PLACE_BYTES = 4096 };

static const char *state_of(const struct rule_line *l)
{
	return l->evaluated_ms == 0 ? "waiting" : l->fails ? "fails" : "ok";
}

/* The line's place, in the buffer, which is emptied before. */
static const char *place(const struct rule_line *l, bool is_short, struct buf *to)
{
	buf_clear(to);
	rule_line_place(l, is_short, to);
	return buf_text(to);
}

/* ---- table ---- */

struct widths {
	int rule, group, place;
};

static struct widths measure(const struct rule_lines *l, struct buf *scratch)
{
	struct widths w = { 4, 5, 5 };
	for (size_t i = 0; i < l->n; i++) {
		w.rule = cells_wider(w.rule, l->items[i].rule, RULE_MAX);
		w.group = cells_wider(w.group, rule_line_group(&l->items[i]), GROUP_MAX);
		w.place = cells_wider(w.place, place(&l->items[i], true, scratch), PLACE_MAX);
	}
	return w;
}

static void put_took(double seconds, struct buf *to)
{
	char text[32];
	snprintf(text, sizeof text, seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1000 : seconds);
	cells_put_right(to, text, TOOK_WIDTH);
}

static void put_count(double n, struct buf *to)
{
	char text[NUMBER_TEXT];
	cells_put_right(to, isnan(n) ? "--" : format_f64(n, text), COUNT_WIDTH);
}

static void put_line(const struct rule_lines *l, const struct rule_line *r, const struct widths *w, struct buf *scratch, struct buf *to)
{
	char age[DURATION_TEXT];
	cells_put(to, r->rule, w->rule);
	cells_put(to, r->kind, KIND_WIDTH);
	cells_put(to, state_of(r), STATE_WIDTH);
	cells_put_right(to, r->evaluated_ms > 0 ? format_age(l->at_ms > r->evaluated_ms ? l->at_ms - r->evaluated_ms : 0, age) : "--", AGE_WIDTH);
	put_took(r->duration_s, to);
	put_count(r->results, to);
	put_count(r->firing, to);
	cells_put(to, rule_line_group(r), w->group);
	cells_put(to, place(r, true, scratch), w->place);
	text_safe(to, r->error, strlen(r->error));
	cells_end(to);
}

static void print_table(const struct rule_lines *l, struct buf *scratch, struct buf *to)
{
	struct widths w = measure(l, scratch);
	char at[TIME_TEXT];
	if (l->at_ms == 0) {
		buf_printf(to, "nobody evaluated rules as of %s\n", format_time(l->t_ms / 1000 * 1000, at));
		return;
	}
	buf_printf(to, "%zu rules, %zu of them fail  as of %s\n", l->n, l->n_failing, format_time(l->at_ms / 1000 * 1000, at));
	cells_put(to, "RULE", w.rule);
	cells_put(to, "KIND", KIND_WIDTH);
	cells_put(to, "STATE", STATE_WIDTH);
	cells_put_right(to, "AGO", AGE_WIDTH);
	cells_put_right(to, "TOOK", TOOK_WIDTH);
	cells_put_right(to, "RESULTS", COUNT_WIDTH);
	cells_put_right(to, "FIRING", COUNT_WIDTH);
	cells_put(to, "GROUP", w.group);
	cells_put(to, "WHERE", w.place);
	buf_puts(to, "ERROR\n");
	for (size_t i = 0; i < l->n; i++)
		put_line(l, &l->items[i], &w, scratch, to);
}

/* ---- for machines ---- */

static void put_number_member(struct buf *to, const char *key, double v)
{
	buf_printf(to, "\"%s\":", key);
	json_put_f64(to, v);
	buf_putc(to, ',');
}

static void put_rule(const struct rule_line *r, struct buf *to)
{
	const char *end = strrchr(r->source, ';');
	buf_putc(to, '{');
	cells_put_member(to, "rule", r->rule);
	cells_put_member(to, "kind", r->kind);
	cells_put_member(to, "state", state_of(r));
	cells_put_member(to, "error", r->error);
	cells_put_time_member(to, "evaluated_at", r->evaluated_ms);
	put_number_member(to, "duration_seconds", r->duration_s);
	put_number_member(to, "results", r->results);
	put_number_member(to, "firing", r->firing);
	cells_put_member(to, "group", rule_line_group(r));
	buf_puts(to, "\"file\":");
	json_put_string(to, r->source, end != NULL ? (size_t)(end - r->source) : strlen(r->source));
	buf_printf(to, ",\"line\":%d}", r->line);
}

static void print_json(const struct rule_lines *l, struct buf *to)
{
	buf_putc(to, '{');
	cells_put_time_member(to, "time", l->at_ms);
	buf_printf(to, "\"failing\":%zu,\"rules\":[", l->n_failing);
	for (size_t i = 0; i < l->n; i++) {
		buf_puts(to, i > 0 ? ",\n" : "\n");
		put_rule(&l->items[i], to);
	}
	buf_puts(to, "\n]}\n");
}

static void put_csv_number(double v, struct buf *to)
{
	char text[NUMBER_TEXT];
	buf_printf(to, "%s,", isnan(v) ? "" : format_f64(v, text));
}

static void print_csv(const struct rule_lines *l, struct buf *scratch, struct buf *to)
{
	buf_puts(to, "rule,kind,state,evaluated_at,duration_seconds,results,firing,group,place,error\r\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct rule_line *r = &l->items[i];
		cells_put_csv(to, r->rule);
		cells_put_csv(to, r->kind);
		cells_put_csv(to, state_of(r));
		cells_put_csv_time(to, r->evaluated_ms);
		put_csv_number(r->duration_s, to);
		put_csv_number(r->results, to);
		put_csv_number(r->firing, to);
		cells_put_csv(to, rule_line_group(r));
		cells_put_csv(to, place(r, false, scratch));
		cells_put_csv(to, r->error);
		cells_end_csv(to);
	}
}

enum err rules_print(const struct rule_lines *l, enum cells_format format, struct buf *to)
{
	struct buf scratch;
	buf_init(&scratch, PLACE_BYTES);
	switch (format) {
	case CELLS_TABLE: print_table(l, &scratch, to); break;
	case CELLS_JSON: print_json(l, to); break;
	case CELLS_CSV: print_csv(l, &scratch, to); break;
	}
	buf_release(&scratch);
	return to->err;
}
