/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/alertmanager_mirror.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/fingerprint.h"
#include "alerts/notify_kind.h"

enum { COMMENT_MAX = 8192, COMMENT_CHARS = 1000, LEAST_MS = 1000 };

/* An alert that is to be silenced. */
struct wanted {
	uint64_t             fingerprint;
	const struct labels *labels;
	const struct am_ack *ack;
	bool                 is_there;
};

/* A silence of ours that holds or will. */
struct ours {
	uint64_t                 fingerprint; /* of the labels that its matchers are */
	const struct am_silence *silence;
};

struct mirror {
	int64_t     now_ms, duration_ms;
	const char *name;
	enum err  (*fn)(void *ctx, const struct am_mirror_step *s);
	void       *ctx;
	struct why *why;
};

#define MARK "[pitwall "

bool am_is_mirrored(const struct am_silence *s, const char *name)
{
	size_t n = strlen(s->comment), n_name = strlen(name), n_mark = sizeof MARK - 1 + n_name + 1;
	if (!am_silence_is_ack(s) || n < n_mark)
		return false;
	const char *at = s->comment + n - n_mark;
	return memcmp(at, MARK, sizeof MARK - 1) == 0 && memcmp(at + sizeof MARK - 1, name, n_name) == 0 && at[n_mark - 1] == ']';
}

/* ---- both sides, in the order of their fingerprints ---- */

static int by_fingerprint(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	return (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint);
}

static int ours_by_fingerprint(const void *a, const void *b)
{
	const struct ours *x = a, *y = b;
	if (x->fingerprint != y->fingerprint)
		return x->fingerprint < y->fingerprint ? -1 : 1;
	return x->silence->ends_ms > y->silence->ends_ms ? -1 : x->silence->ends_ms < y->silence->ends_ms; /* the longest first */
}

static enum err list_wanted(const struct am_ack *acks, size_t n_acks, struct wanted **out, size_t *n)
{
	size_t all = 0, k = 0;
	for (size_t i = 0; i < n_acks; i++)
		all += acks[i].n;
	struct wanted *w = calloc(all + 1, sizeof *w);
	if (w == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < n_acks; i++)
		for (size_t j = 0; j < acks[i].n; j++)
			w[k++] = (struct wanted){ .fingerprint = alert_fingerprint(acks[i].alerts[j]), .labels = acks[i].alerts[j], .ack = &acks[i] };
	if (all > 1)
		qsort(w, all, sizeof *w, by_fingerprint);
	*n = 0;
	for (size_t i = 0; i < all; i++)
		if (*n == 0 || w[*n - 1].fingerprint != w[i].fingerprint)
			w[(*n)++] = w[i];
	*out = w;
	return ERR_OK;
}

/* The fingerprint of the labels that the matchers ask for; false where they ask for something else. */
static enum err fingerprint_of(const struct matcher_set *s, uint64_t *out, bool *is_plain)
{
	struct labels_builder b;
	struct labels *l = NULL;
	*is_plain = true;
	labels_builder_init(&b);
	for (size_t i = 0; i < s->n; i++) {
		*is_plain = *is_plain && s->items[i].kind == MATCH_EQUAL;
		labels_builder_set(&b, s->items[i].name, s->items[i].value);
	}
	enum err e = *is_plain ? labels_builder_build(&b, &l, NULL) : ERR_OK;
	labels_builder_release(&b);
	if (l != NULL)
		*out = alert_fingerprint(l);
	labels_unref(l);
	if (e != ERR_OK && e != ERR_MEMORY) { /* nothing that could be a label set */
		*is_plain = false;
		e = ERR_OK;
	}
	return e;
}

static enum err list_ours(const struct am_silences *s, const char *name, struct ours **out, size_t *n)
{
	struct ours *o = calloc(s->n + 1, sizeof *o);
	enum err e = o != NULL ? ERR_OK : ERR_MEMORY;
	*n = 0;
	for (size_t i = 0; i < s->n && e == ERR_OK; i++) {
		bool is_plain = false;
		uint64_t fingerprint = 0;
		if (s->items[i].state == AM_SILENCE_EXPIRED || !am_is_mirrored(&s->items[i], name))
			continue;
		e = fingerprint_of(&s->items[i].matchers, &fingerprint, &is_plain);
		o[(*n)++] = (struct ours){ is_plain ? fingerprint : 0, &s->items[i] };
	}
	if (e == ERR_OK && *n > 1)
		qsort(o, *n, sizeof *o, ours_by_fingerprint);
	if (e == ERR_OK)
		*out = o;
	else
		free(o);
	return e;
}

/* ---- steps ---- */

static enum err put_comment(const struct mirror *m, const struct am_ack *a, struct buf *to)
{
	buf_printf(to, "%s ", AM_ACK_PREFIX);
	notify_put_chars(to, a->comment, strlen(a->comment), COMMENT_CHARS);
	if (a->comment[0] != '\0')
		buf_putc(to, ' ');
	return buf_printf(to, "%s%s]", MARK, m->name);
}

static enum err expire(const struct mirror *m, const struct am_silence *s)
{
	struct am_mirror_step step = { .act = AM_MIRROR_EXPIRE, .id = s->id };
	return m->fn(m->ctx, &step);
}

/* The silence for one alert is made, or lasts on. `have` NULL: there is none. */
static enum err hold(const struct mirror *m, const struct wanted *w, const struct am_silence *have)
{
	struct matcher_set matchers;
	struct buf comment;
	const char *who = w->ack->who[0] != '\0' ? w->ack->who : "pitwall";
	int64_t ends_ms = m->now_ms + m->duration_ms;
	if (w->ack->until_ms > 0 && w->ack->until_ms < ends_ms)
		ends_ms = w->ack->until_ms;
	if (ends_ms < m->now_ms + LEAST_MS) /* it runs out, and so does the silence */
		return ERR_OK;
	matcher_set_init(&matchers);
	buf_init(&comment, COMMENT_MAX);
	enum err e = put_comment(m, w->ack, &comment);
	bool is_same = have != NULL && strcmp(have->created_by, who) == 0 && strcmp(have->comment, buf_text(&comment)) == 0;
	/* Renewed where half is over, and a second's difference is none: the end may be the acknowledgement's own. */
	bool lasts = have != NULL && (have->ends_ms - m->now_ms >= m->duration_ms / 2 || have->ends_ms + LEAST_MS > ends_ms);
	for (size_t i = 0; i < labels_count(w->labels) && e == ERR_OK && !(is_same && lasts); i++)
		e = matcher_set_add(&matchers, MATCH_EQUAL, labels_at(w->labels, i)->name, labels_at(w->labels, i)->value, m->why);
	if (e == ERR_OK && !(is_same && lasts)) {
		struct am_mirror_step step = { .act = have != NULL ? AM_MIRROR_RENEW : AM_MIRROR_CREATE,
			                       .put = { .id = have != NULL ? have->id : "", .matchers = &matchers, .starts_ms = have != NULL ? have->starts_ms : m->now_ms,
			                                .ends_ms = ends_ms, .created_by = who, .comment = buf_text(&comment) } };
		e = m->fn(m->ctx, &step);
	}
	matcher_set_release(&matchers);
	buf_release(&comment);
	return e;
}

static enum err walk(const struct mirror *m, struct wanted *w, size_t n, const struct ours *o, size_t n_ours)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < n_ours && e == ERR_OK; i++) {
		struct wanted key = { .fingerprint = o[i].fingerprint };
		struct wanted *found = n > 0 && o[i].fingerprint != 0 ? bsearch(&key, w, n, sizeof *w, by_fingerprint) : NULL;
		bool is_first = i == 0 || o[i - 1].fingerprint != o[i].fingerprint;
		if (found == NULL || !is_first) {
			e = expire(m, o[i].silence);
			continue;
		}
		found->is_there = true;
		e = hold(m, found, o[i].silence);
	}
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		if (!w[i].is_there)
			e = hold(m, &w[i], NULL);
	return e;
}

enum err am_mirror_plan(const struct am_ack *acks, size_t n_acks, const struct am_silences *silences, int64_t now_ms, int64_t duration_ms, const char *name,
                        enum err (*fn)(void *ctx, const struct am_mirror_step *s), void *ctx, struct why *why)
{
	struct mirror m = { now_ms, duration_ms, name, fn, ctx, why };
	struct wanted *w = NULL;
	struct ours *o = NULL;
	size_t n = 0, n_ours = 0;
	enum err e = list_wanted(acks, n_acks, &w, &n);
	if (e == ERR_OK)
		e = list_ours(silences, name, &o, &n_ours);
	if (e == ERR_OK)
		e = walk(&m, w, n, o, n_ours);
	free(w);
	free(o);
	return e == ERR_MEMORY ? why_memory(why) : e;
}
