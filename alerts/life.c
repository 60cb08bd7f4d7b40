/* SPDX-License-Identifier: Apache-2.0
 *
 * Two indexes lead to an alert: by its labels, which say whether it is the same one, and by the labels of the result that it came from. By the
 * second a step finds what it knows already without expanding any template, unless a template of a label looks at the value. */
#include "alerts/life.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/labels_index.h"

enum { OUTAGE_TOLERATED_MS = 3600 * 1000, LABEL_VALUE_MAX = 64 * 1024 };

struct slot {
	struct alert alert;
	uint64_t     round;    /* the last one in which it was true */
	bool         is_fresh; /* made in this round, which may yet fail */
};

struct hit {
	size_t slot;
	double value;
	const struct labels *source;
};

struct alert_life {
	struct alert_life_options o;
	struct template         **labels, **annotations; /* of the rule's, in their order */
	bool                      looks_at_value;        /* a template of a label does more than to look at labels */
	struct slot             **slots;
	size_t                    n, cap;
	struct labels_index       by_labels, by_source;
	struct hit               *hits;
	size_t                    hits_cap;
	uint64_t                  round;
};

/* ---- slots ---- */

static const struct labels *labels_of_slot(const void *owner, size_t number)
{
	return ((const struct alert_life *)owner)->slots[number]->alert.labels;
}

static const struct labels *source_of_slot(const void *owner, size_t number)
{
	return ((const struct alert_life *)owner)->slots[number]->alert.source;
}

static void slot_free(struct slot *s)
{
	labels_unref(s->alert.labels);
	labels_unref(s->alert.source);
	free(s);
}

static enum err grow(struct alert_life *l)
{
	size_t cap = l->cap != 0 ? l->cap * 2 : 8;
	struct slot **slots = realloc(l->slots, cap * sizeof *slots);
	if (slots == NULL)
		return ERR_MEMORY;
	l->slots = slots;
	l->cap = cap;
	return ERR_OK;
}

/* Room in both indexes for one more. */
static enum err make_room(struct alert_life *l)
{
	enum err e = l->n == l->cap ? grow(l) : ERR_OK;
	if (e == ERR_OK)
		e = labels_index_room(&l->by_labels, l->n, l->n + 1);
	return e == ERR_OK ? labels_index_room(&l->by_source, l->n, l->n + 1) : e;
}

static enum err add_slot(struct alert_life *l, const struct labels *labels, const struct labels *source, struct slot **out)
{
	struct slot *s = calloc(1, sizeof *s);
	if (s == NULL || make_room(l) != ERR_OK) {
		free(s);
		return ERR_MEMORY;
	}
	s->alert.labels = labels_ref(labels);
	s->alert.source = labels_ref(source);
	l->slots[l->n++] = s;
	labels_index_put(&l->by_labels, l->n - 1);
	labels_index_put(&l->by_source, l->n - 1);
	*out = s;
	return ERR_OK;
}

/* Takes out those for which `is_out` holds. The indexes never grow by it, so it cannot fail. */
static void sweep(struct alert_life *l, bool (*is_out)(const struct slot *s, int64_t at_ms), int64_t at_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (is_out(l->slots[i], at_ms))
			slot_free(l->slots[i]);
		else
			l->slots[kept++] = l->slots[i];
	}
	if (kept == l->n)
		return;
	l->n = kept;
	labels_index_fill(&l->by_labels, kept);
	labels_index_fill(&l->by_source, kept);
}

static bool is_fresh(const struct slot *s, int64_t at_ms)
{
	(void)at_ms;
	return s->is_fresh;
}

static bool is_over(const struct slot *s, int64_t at_ms)
{
	const struct alert *a = &s->alert;
	return a->state == ALERT_INACTIVE && (a->resolved_ms == 0 || at_ms - a->resolved_ms > ALERT_RESOLVED_KEPT_MS);
}

/* ---- labels and annotations ---- */

/* As Prometheus does: what went wrong is the text. */
static enum err expand(const struct template *t, const struct template_data *d, struct buf *to, struct why *why)
{
	struct why reason = { "" };
	buf_clear(to);
	enum err e = template_expand(t, d, to, &reason);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK)
		buf_printf(to, "<error expanding template: %s>", reason.text);
	return to->err == ERR_OK ? ERR_OK : why_memory(why);
}

static struct template_data data_of(const struct alert_life *l, const struct labels *source, double value, int64_t at_ms)
{
	return (struct template_data){ .labels = source, .value = value, .external = l->o.external, .external_url = l->o.external_url, .at_ms = at_ms,
		                           .query = l->o.query, .ctx = l->o.ctx };
}

static enum err labels_of_alert(const struct alert_life *l, const struct labels *source, double value, int64_t at_ms, struct labels **out, struct why *why)
{
	const struct rule *r = l->o.rule;
	const struct template_data d = data_of(l, source, value, at_ms);
	struct labels_builder b;
	struct buf text;
	enum err e = ERR_OK;
	labels_builder_init(&b);
	labels_builder_from(&b, source);
	labels_builder_remove(&b, LABEL_NAME);
	buf_init(&text, LABEL_VALUE_MAX);
	for (size_t i = 0; i < r->n_labels && e == ERR_OK; i++) {
		e = expand(l->labels[i], &d, &text, why);
		labels_builder_set_n(&b, r->labels[i].name, r->labels[i].name_len, buf_text(&text), text.len);
	}
	labels_builder_set(&b, "alertname", r->name);
	if (e == ERR_OK)
		e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	buf_release(&text);
	return e;
}

enum err alert_life_annotations(const struct alert_life *l, const struct alert *a, struct labels **out, struct why *why)
{
	const struct rule *r = l->o.rule;
	const struct template_data d = data_of(l, a->source, a->value, a->true_ms);
	struct labels_builder b;
	struct buf text;
	enum err e = ERR_OK;
	labels_builder_init(&b);
	buf_init(&text, LABEL_VALUE_MAX);
	for (size_t i = 0; i < r->n_annotations && e == ERR_OK; i++) {
		e = expand(l->annotations[i], &d, &text, why);
		labels_builder_set_n(&b, r->annotations[i].name, r->annotations[i].name_len, buf_text(&text), text.len);
	}
	if (e == ERR_OK)
		e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	buf_release(&text);
	return e;
}

/* ---- flapping ---- */

static void judge_flapping(struct alert *a)
{
	double sum = 0;
	for (int i = 0; i < FLAP_STATES - 1; i++) { /* 0 is the newest change */
		bool has_changed = ((a->states >> i ^ a->states >> (i + 1)) & 1) != 0;
		if (has_changed)
			sum += 1.25 - 0.5 * i / (FLAP_STATES - 2);
	}
	a->flap_percent = 100 * sum / (FLAP_STATES - 1);
	if (a->flap_percent >= FLAP_HIGH_PERCENT)
		a->is_flapping = true;
	else if (a->flap_percent <= FLAP_LOW_PERCENT)
		a->is_flapping = false;
}

/* ---- a step ---- */

static enum err find_hit(struct alert_life *l, int64_t at_ms, const struct series *s, struct hit *hit, struct why *why)
{
	struct labels *labels = NULL;
	struct slot *slot = NULL;
	*hit = (struct hit){ .value = s->n > 0 ? s->v[s->n - 1] : 0, .source = s->labels };
	if (l->looks_at_value || !labels_index_find(&l->by_source, s->labels, &hit->slot)) {
		enum err e = labels_of_alert(l, s->labels, hit->value, at_ms, &labels, why);
		if (e != ERR_OK)
			return e;
		if (!labels_index_find(&l->by_labels, labels, &hit->slot)) {
			e = add_slot(l, labels, s->labels, &slot);
			if (e == ERR_OK)
				slot->is_fresh = true;
			hit->slot = l->n - 1;
		}
		labels_unref(labels);
		if (e != ERR_OK)
			return why_memory(why);
	}
	slot = l->slots[hit->slot];
	if (slot->round == l->round)
		return why_set(why, ERR_EXISTS, "two results of '%s' have the same labels once the rule's are laid over them", l->o.rule->name);
	slot->round = l->round;
	return ERR_OK;
}

static enum err find_hits(struct alert_life *l, int64_t at_ms, const struct series_set *result, struct why *why)
{
	if (result->n > l->hits_cap) {
		struct hit *hits = realloc(l->hits, result->n * sizeof *hits);
		if (hits == NULL)
			return why_memory(why);
		l->hits = hits;
		l->hits_cap = result->n;
	}
	for (size_t i = 0; i < result->n; i++) {
		enum err e = find_hit(l, at_ms, &result->items[i], &l->hits[i], why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static void take_hit(struct alert_life *l, int64_t at_ms, const struct hit *hit, bool *has_moved)
{
	struct alert *a = &l->slots[hit->slot]->alert;
	if (!labels_equal(a->source, hit->source)) {
		labels_unref(a->source);
		a->source = labels_ref(hit->source);
		*has_moved = true;
	}
	a->value = hit->value;
	a->true_ms = at_ms;
	a->keep_since_ms = 0;
	l->slots[hit->slot]->is_fresh = false;
	if (a->state != ALERT_INACTIVE)
		return;
	a->id = l->o.number != NULL ? l->o.number(l->o.ctx) : 0;
	a->active_ms = at_ms;
	a->fired_ms = a->resolved_ms = 0;
}

static bool keeps_firing(const struct alert_life *l, struct alert *a, int64_t at_ms)
{
	if (a->state != ALERT_FIRING || l->o.rule->keep_firing_ms <= 0)
		return false;
	if (a->keep_since_ms == 0)
		a->keep_since_ms = at_ms;
	return at_ms - a->keep_since_ms < l->o.rule->keep_firing_ms;
}

/* What an alert is now; `resolved_ms` stays 0 for one that never fired, so that it is forgotten. */
static void move_on(const struct alert_life *l, struct slot *s, int64_t at_ms)
{
	struct alert *a = &s->alert;
	if (s->round == l->round) {
		if (a->state == ALERT_INACTIVE)
			a->state = ALERT_PENDING;
		if (a->state == ALERT_PENDING && at_ms - a->active_ms >= l->o.rule->for_ms) {
			a->state = ALERT_FIRING;
			a->fired_ms = at_ms;
		}
	} else if (a->state != ALERT_INACTIVE && !keeps_firing(l, a, at_ms)) {
		if (a->state == ALERT_FIRING)
			a->resolved_ms = at_ms;
		a->state = ALERT_INACTIVE;
	}
}

static void tell(const struct alert_life *l, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	if (l->o.changed != NULL)
		l->o.changed(l->o.ctx, a, before, at_ms);
}

/* A pending one passes through its state even where it fires at once. */
static void step_slot(const struct alert_life *l, struct slot *s, int64_t at_ms)
{
	struct alert *a = &s->alert;
	enum alert_state before = a->state;
	bool was_flapping = a->is_flapping;
	move_on(l, s, at_ms);
	a->states = (a->states << 1 | (a->state == ALERT_FIRING)) & ((1U << FLAP_STATES) - 1);
	judge_flapping(a);
	if (a->state != before || a->is_flapping != was_flapping)
		tell(l, a, before, at_ms);
}

static size_t count_active(const struct alert_life *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += l->slots[i]->alert.state != ALERT_INACTIVE;
	return n;
}

/* As Prometheus does: the group's limit is not for showing some of them. */
static enum err drop_all(struct alert_life *l, int64_t at_ms, size_t n, struct why *why)
{
	for (size_t i = 0; i < l->n; i++) {
		struct alert *a = &l->slots[i]->alert;
		enum alert_state before = a->state;
		a->state = ALERT_INACTIVE;
		a->resolved_ms = 0;
		if (before != ALERT_INACTIVE)
			tell(l, a, before, at_ms);
	}
	sweep(l, is_over, at_ms);
	return why_set(why, ERR_LIMIT, "'%s' has %zu alerts, and the limit of its group is %zu", l->o.rule->name, n, l->o.limit);
}

enum err alert_life_step(struct alert_life *l, int64_t at_ms, const struct series_set *result, struct why *why)
{
	bool has_moved = false;
	l->round++;
	enum err e = find_hits(l, at_ms, result, why);
	if (e != ERR_OK) {
		sweep(l, is_fresh, at_ms);
		return e;
	}
	for (size_t i = 0; i < result->n; i++)
		take_hit(l, at_ms, &l->hits[i], &has_moved);
	if (has_moved)
		labels_index_fill(&l->by_source, l->n);
	for (size_t i = 0; i < l->n; i++)
		step_slot(l, l->slots[i], at_ms);
	sweep(l, is_over, at_ms);
	size_t n = l->o.limit > 0 ? count_active(l) : 0;
	return n > l->o.limit ? drop_all(l, at_ms, n, why) : ERR_OK;
}

enum err alert_life_restore(struct alert_life *l, const struct alert *a, int64_t down_ms, int64_t now_ms, struct why *why)
{
	struct slot *s = NULL;
	size_t at;
	if (labels_index_find(&l->by_labels, a->labels, &at))
		return why_set(why, ERR_EXISTS, "an alert of '%s' is there already", l->o.rule->name);
	int64_t outage = now_ms > down_ms ? now_ms - down_ms : 0;
	if (a->state == ALERT_PENDING && outage > OUTAGE_TOLERATED_MS)
		return ERR_OK;
	if (add_slot(l, a->labels, a->source, &s) != ERR_OK)
		return why_memory(why);
	struct labels *labels = s->alert.labels, *source = s->alert.source;
	s->alert = *a;
	s->alert.labels = labels;
	s->alert.source = source;
	if (a->state == ALERT_PENDING)
		s->alert.active_ms += outage;
	if (a->keep_since_ms != 0)
		s->alert.keep_since_ms += outage;
	return ERR_OK;
}

size_t alert_life_count(const struct alert_life *l)
{
	return l->n;
}

const struct alert *alert_life_at(const struct alert_life *l, size_t i)
{
	assert(i < l->n);
	return &l->slots[i]->alert;
}

/* ---- life ---- */

static void free_templates(struct template **t, size_t n)
{
	for (size_t i = 0; t != NULL && i < n; i++)
		template_free(t[i]);
	free(t);
}

static enum err parse_templates(const char *what, const struct label *texts, size_t n, struct template ***out, struct why *why)
{
	struct why reason = { "" };
	*out = calloc(n + 1, sizeof **out);
	if (*out == NULL)
		return why_memory(why);
	for (size_t i = 0; i < n; i++) {
		enum err e = template_parse(texts[i].value, &(*out)[i], &reason);
		if (e != ERR_OK)
			return e == ERR_MEMORY ? why_memory(why) : why_set(why, e, "%s '%.100s': %s", what, texts[i].name, reason.text);
	}
	return ERR_OK;
}

enum err alert_life_new(const struct alert_life_options *o, struct alert_life **out, struct why *why)
{
	const struct rule *r = o->rule;
	struct alert_life *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	l->o = *o;
	labels_index_init(&l->by_labels, labels_of_slot, l);
	labels_index_init(&l->by_source, source_of_slot, l);
	enum err e = parse_templates("label", r->labels, r->n_labels, &l->labels, why);
	if (e == ERR_OK)
		e = parse_templates("annotation", r->annotations, r->n_annotations, &l->annotations, why);
	if (e != ERR_OK) {
		alert_life_free(l);
		return e;
	}
	for (size_t i = 0; i < r->n_labels; i++)
		l->looks_at_value |= !template_is_of_labels(l->labels[i]);
	*out = l;
	return ERR_OK;
}

void alert_life_free(struct alert_life *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		slot_free(l->slots[i]);
	free(l->slots);
	labels_index_release(&l->by_labels);
	labels_index_release(&l->by_source);
	free(l->hits);
	free_templates(l->labels, l->o.rule->n_labels);
	free_templates(l->annotations, l->o.rule->n_annotations);
	free(l);
}
