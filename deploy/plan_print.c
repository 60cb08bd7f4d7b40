/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan for a person at three in the morning: what, what is wrong with it, what differs, where, the very words that are sent, what is looked at
 * afterwards, the way back, and what confirms it. */
#include "deploy/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "deploy/plan_private.h"
#include "deploy/plan_print.h"
#include "deploy/print_lines.h"

enum { COUNTED = 3 /* more names than that are counted for the reader */ };

static const char *label_of(const struct plan_version *v)
{
	return v->version.name[0] != '\0' ? v->version.name : v->version.id;
}

/* The version that is left: the one that runs, or the newest of those. */
static const struct plan_version *left_version(const struct deploy_plan *p)
{
	if (p->from != NULL)
		return p->from;
	for (size_t i = 0; i < p->n_versions; i++)
		if (p->versions[i].n_units > 0)
			return &p->versions[i];
	return NULL;
}

/* ---- what ---- */

static void put_now(const struct deploy_plan *p, struct buf *to)
{
	char time[TIME_TEXT], age[DURATION_TEXT];
	bool is_first = true;
	for (size_t i = 0; i < p->n_versions; i++) {
		const struct plan_version *v = &p->versions[i];
		if (v->n_units == 0)
			continue;
		const char *label = is_first ? "now" : "";
		is_first = false;
		if (v->version.since_ms != 0 && v->version.since_ms <= p->made_ms)
			row_printf(to, label, "%s on %zu of %zu since %s, for %s", label_of(v), v->n_units, p->n_units, format_time(v->version.since_ms, time),
			           format_age(p->made_ms - v->version.since_ms, age));
		else
			row_printf(to, label, "%s on %zu of %zu", label_of(v), v->n_units, p->n_units);
	}
	if (is_first)
		row_printf(to, "now", "not known");
}

static void put_what(const struct deploy_plan *p, struct buf *to)
{
	line_printf(to, 0, 2, "%s of %s", p->kind == DEPLOY_ROLLBACK ? "Rollback" : "Redeploy", p->model);
	row_printf(to, "scope", "%s, by driver %s%s%s", p->scope, p->driver, p->target[0] != '\0' && strcmp(p->target, p->scope) != 0 ? ", asked for as " : "",
	           p->target[0] != '\0' && strcmp(p->target, p->scope) != 0 ? p->target : "");
	put_now(p, to);
	if (p->to != NULL)
		row_printf(to, "then", "%s, %s here%s%s", label_of(p->to), p->to->health == HEALTH_UNKNOWN ? "not known to be good" : health_name(p->to->health),
		           p->to->evidence[0] != '\0' ? ": " : "", p->to->evidence);
	else
		row_printf(to, "then", p->kind == DEPLOY_ROLLBACK ? "no version" : "the same, started anew");
	if (p->reason[0] != '\0')
		row_printf(to, "why", "%s", p->reason);
	if (p->alert != 0)
		row_printf(to, "alert", "%lld", (long long)p->alert);
}

static void put_warnings(const struct deploy_plan *p, struct buf *to)
{
	static const char *const marks[WARNING_LEVEL_COUNT] = { "note", "care", "SERIOUS", "FORBIDDEN" };
	if (p->n_warnings == 0)
		return;
	line_printf(to, 0, 0, "Warnings");
	for (size_t i = 0; i < p->n_warnings; i++)
		row_printf(to, marks[p->warnings[i].level], "%s", p->warnings[i].text);
}

/* ---- what differs ---- */

static bool put_difference_of(struct buf *to, const char *label, const char *from, const char *into)
{
	if (strcmp(from, into) == 0)
		return false;
	row_printf(to, label, "%s -> %s", from[0] != '\0' ? from : "not known", into[0] != '\0' ? into : "not known");
	return true;
}

static void put_difference(const struct deploy_plan *p, struct buf *to)
{
	const struct plan_version *from = left_version(p), *into = p->to;
	if (from == NULL || into == NULL)
		return;
	const struct version *a = &from->version, *b = &into->version;
	line_printf(to, 0, 0, "Difference");
	bool differs = put_difference_of(to, "image", a->image, b->image);
	differs |= put_difference_of(to, "tag", a->tag, b->tag);
	differs |= put_difference_of(to, "model", a->model_version, b->model_version);
	differs |= put_difference_of(to, "config", a->config_hash, b->config_hash);
	bool is_known = a->image[0] != '\0' || a->tag[0] != '\0' || a->model_version[0] != '\0' || a->config_hash[0] != '\0';
	if (!differs)
		line_printf(to, 2, 4, is_known ? "the same image, tag, model version and configuration"
		                               : "not known: neither says its image, tag, model version or configuration");
}

/* ---- where ---- */

/* The names of those that `wanted` wants, in one text. */
static size_t put_names(const struct deploy_plan *p, bool (*wanted)(const struct plan_unit *u, const void *ctx), const void *ctx, struct buf *to)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_units; i++) {
		if (!wanted(&p->units[i], ctx))
			continue;
		buf_printf(to, "%s%s", n++ > 0 ? ", " : "", p->units[i].unit.name);
	}
	return n;
}

static bool is_of_wave(const struct plan_unit *u, const void *wave) { return plan_unit_acts(u) && u->wave == *(const size_t *)wave; }
static bool runs_it(const struct plan_unit *u, const void *ctx)
{
	(void)ctx;
	return u->is_same;
}
static bool is_left_out_for(const struct plan_unit *u, const void *why) { return u->skipped[0] != '\0' && strcmp(u->skipped, why) == 0; }

static void put_left_out(const struct deploy_plan *p, struct buf *to)
{
	struct buf names;
	buf_init(&names, PLAN_BYTES_MAX);
	for (size_t i = 0; i < p->n_units; i++) {
		const char *why = p->units[i].skipped;
		bool is_first = why[0] != '\0';
		for (size_t k = 0; k < i && is_first; k++)
			is_first = strcmp(p->units[k].skipped, why) != 0;
		if (!is_first)
			continue;
		buf_clear(&names);
		put_names(p, is_left_out_for, why, &names);
		line_carry(to, &names);
		row_printf(to, "left out", "%s: %s", buf_text(&names), why);
	}
	buf_release(&names);
}

static bool is_not_locked(const struct plan_unit *u, const void *ctx)
{
	(void)ctx;
	return plan_unit_acts(u) && u->no_lock != NULL && u->no_lock[0] != '\0';
}

/* What keeps those away who have another store. */
static void put_lock(const struct deploy_plan *p, struct buf *to)
{
	struct buf names;
	if (p->n_waves == 0)
		return;
	if (p->lock == NULL || p->lock[0] == '\0') {
		if (p->no_lock != NULL && p->no_lock[0] != '\0')
			row_printf(to, "lock", "none, so that a run of another store (another jump host) is not kept away: %s", p->no_lock);
		return;
	}
	if (p->is_whole) {
		row_printf(to, "lock", "%s, taken before anything else and given back when all is over: it tells other stores who acts", p->lock);
		return;
	}
	row_printf(to, "lock", "%s, made on each of them first and removed when all is over: it tells other stores who acts", p->lock);
	buf_init(&names, PLAN_BYTES_MAX);
	if (put_names(p, is_not_locked, NULL, &names) > 0)
		row_printf(to, "", "but not on %s", buf_text(&names));
	line_carry(to, &names);
	buf_release(&names);
}

static void put_waves(const struct deploy_plan *p, struct buf *to)
{
	struct buf names;
	buf_init(&names, PLAN_BYTES_MAX);
	if (p->n_waves == 0)
		line_printf(to, 0, 0, "Waves: none, nothing is done");
	else
		line_printf(to, 0, 0, "Waves: %zu, at most %zu changed at once", p->n_waves, p->at_once);
	for (size_t w = 0; w < p->n_waves; w++) {
		char label[32];
		buf_clear(&names);
		size_t n = put_names(p, is_of_wave, &w, &names);
		snprintf(label, sizeof label, "wave %zu", w + 1);
		if (n > COUNTED)
			buf_printf(&names, " (%zu)", n);
		line_carry(to, &names);
		row_printf(to, label, "%s", buf_text(&names));
	}
	buf_clear(&names);
	if (put_names(p, runs_it, NULL, &names) > 0)
		row_printf(to, "no change", "%s: there already", buf_text(&names));
	line_carry(to, &names);
	buf_release(&names);
	put_left_out(p, to);
	put_lock(p, to);
}

/* ---- afterwards ---- */

static void put_gate(const struct deploy_plan *p, struct buf *to)
{
	const struct fleet_gate *g = &p->gate;
	char ready[DURATION_TEXT], soak[DURATION_TEXT], window[DURATION_TEXT];
	line_printf(to, 0, 0, "Gate after each wave");
	line_printf(to, 2, 4, "each one that was changed serves%s%s within %s", p->to != NULL ? " version " : "", p->to != NULL ? label_of(p->to) : "",
	            format_age(g->ready_ms, ready));
	line_printf(to, 2, 4, "then for %s, compared with the %s before the run and with those not touched yet:", format_age(g->soak_ms, soak),
	            format_age(g->window_ms, window));
	if (g->latency_ratio > 0)
		line_printf(to, 4, 6, "latency p99 at most %g times as long", g->latency_ratio);
	if (g->error_add > 0)
		line_printf(to, 4, 6, "error ratio at most %g %% points higher", 100 * g->error_add);
	if (g->quality_drop > 0)
		line_printf(to, 4, 6, "quality at most %g %% points lower", 100 * g->quality_drop);
	if (g->memory_ratio > 0)
		line_printf(to, 4, 6, "GPU memory at most %g times as much", g->memory_ratio);
	line_printf(to, 4, 6, "fewer than %lld requests are no data, and no data is never success", (long long)g->min_requests);
	line_printf(to, 2, 4, p->on_failure == GATE_UNDO ? "where it does not hold, all that was touched is undone"
	                                                 : "where it does not hold, the run stops and a person decides");
}

static void put_confirmation(const struct deploy_plan *p, struct buf *to)
{
	const char *why;
	char took[DURATION_TEXT];
	line_printf(to, 0, 0, "To confirm");
	if (plan_is_forbidden(p, &why))
		line_printf(to, 2, 4, "it can't be: %s", why);
	else if (p->confirm == CONFIRM_NAME)
		line_printf(to, 2, 4, "type the name: %s", p->name);
	else
		line_printf(to, 2, 4, "y");
	if (p->takes_two)
		line_printf(to, 2, 4, "and a second person, from a console of their own");
	buf_putc(to, '\n');
	if (p->took_ms > 0)
		line_printf(to, 0, 0, "The last such run took %s", format_age(p->took_ms, took));
	else
		line_printf(to, 0, 0, "How long it takes is not known: no such run is on record");
}

static void put_version(const struct deploy_plan *p, const struct plan_version *v, struct buf *to)
{
	struct buf text;
	char time[TIME_TEXT];
	buf_init(&text, PLAN_DATA_MAX);
	buf_printf(&text, "%s", v->health == HEALTH_UNKNOWN ? "not known" : health_name(v->health));
	if (v->evidence[0] != '\0')
		buf_printf(&text, ": %s", v->evidence);
	if (v->n_units > 0)
		buf_printf(&text, "; runs on %zu", v->n_units);
	if (v == p->to)
		buf_puts(&text, "; the one to go to");
	if (!v->version.is_present && v->n_units == 0)
		buf_puts(&text, "; not on every node");
	if (v->version.since_ms != 0)
		buf_printf(&text, "; since %s", format_time(v->version.since_ms, time));
	if (v->version.by[0] != '\0')
		buf_printf(&text, "; by %s", v->version.by);
	if (v->version.cause[0] != '\0')
		buf_printf(&text, ": %s", v->version.cause);
	row_printf(to, label_of(v), "%s", buf_text(&text));
	if (strcmp(label_of(v), v->version.id) != 0)
		row_printf(to, "", "id %s", v->version.id);
	line_carry(to, &text);
	buf_release(&text);
}

static void put_versions(const struct deploy_plan *p, struct buf *to)
{
	if (p->n_versions == 0)
		return;
	line_printf(to, 0, 0, "Versions, newest first");
	for (size_t i = 0; i < p->n_versions; i++)
		put_version(p, &p->versions[i], to);
}

enum err plan_print(const struct deploy_plan *p, struct buf *to)
{
	static void (*const parts[])(const struct deploy_plan *p, struct buf *to) = {
		put_what, put_warnings, put_difference, put_waves, plan_print_steps, put_gate, plan_print_undo, put_confirmation, put_versions,
		plan_print_locks, /* last: it is long, and the same each time */
	};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t before = to->len;
		if (i > 0)
			buf_putc(to, '\n');
		parts[i](p, to);
		if (to->len == before + 1 && i > 0) /* the part had nothing to say */
			to->data[to->len = before] = '\0';
	}
	return to->err;
}
