/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/alertmanager_seen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BY_TEXT_MAX = 4096, NAME_TEXT = 200, URL_MAX = 4096 };

/* Rows by the hash of their labels. Each is shared by the list before and the list after a change. */
struct seen_row {
	struct external_row row;  /* labels referenced; the name is the list's */
	uint64_t            hash;
	unsigned            refs;
	char                text[]; /* silenced_by, inhibited_by, receivers, url */
};

struct list {
	struct seen_row **items;
	size_t            n;
};

struct am_seen {
	char       *name;
	struct list now;
};

static void drop_labels(const struct labels *l)
{
	labels_unref((struct labels *)(uintptr_t)l); /* kept as const, but a reference of our own */
}

static void row_unref(struct seen_row *r)
{
	if (--r->refs > 0)
		return;
	drop_labels(r->row.labels);
	drop_labels(r->row.annotations);
	free(r);
}

static struct seen_row *row_new(const struct external_row *from)
{
	const char *const texts[] = { from->silenced_by, from->inhibited_by, from->receivers, from->url };
	size_t size = 0;
	for (size_t i = 0; i < 4; i++)
		size += strlen(texts[i]) + 1;
	struct seen_row *r = calloc(1, sizeof *r + size);
	if (r == NULL)
		return NULL;
	const char **const places[] = { &r->row.silenced_by, &r->row.inhibited_by, &r->row.receivers, &r->row.url };
	char *at = r->text;
	r->row = *from;
	for (size_t i = 0; i < 4; i++) {
		size_t n = strlen(texts[i]) + 1;
		*places[i] = memcpy(at, texts[i], n);
		at += n;
	}
	r->row.labels = labels_ref(from->labels);
	r->row.annotations = labels_ref(from->annotations);
	r->hash = labels_hash(from->labels);
	r->refs = 1;
	return r;
}

static void list_release(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		row_unref(l->items[i]);
	free(l->items);
	*l = (struct list){ 0 };
}

static int by_hash(const void *a, const void *b)
{
	const struct seen_row *const *x = a, *const *y = b;
	return ((*x)->hash > (*y)->hash) - ((*x)->hash < (*y)->hash);
}

static void list_sort(struct list *l)
{
	if (l->n > 1)
		qsort(l->items, l->n, sizeof *l->items, by_hash);
}

/* NULL: it was not there. */
static struct seen_row *find(const struct list *l, const struct labels *labels)
{
	uint64_t hash = labels_hash(labels);
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (l->items[middle]->hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < l->n && l->items[low]->hash == hash; low++)
		if (labels_equal(l->items[low]->row.labels, labels))
			return l->items[low];
	return NULL;
}

/* ---- what an alert says, as a row ---- */

struct taking {
	struct am_seen         *s;
	const struct am_alert  *alerts;
	size_t                  n;
	const struct am_alert **by_fingerprint; /* of all, in order */
	int64_t                 now_ms, *last_id;
	struct changes         *changes;
	struct list             next;
	size_t                  bytes;
	struct buf              silenced_by, inhibited_by, receivers, probe;
};

static int compare_fingerprints(const void *a, const void *b)
{
	const struct am_alert *const *x = a, *const *y = b;
	return ((*x)->fingerprint > (*y)->fingerprint) - ((*x)->fingerprint < (*y)->fingerprint);
}

/* An alert there by its fingerprint: "NodeDown of gpu-a-01"; else the fingerprint. */
static void put_inhibitor(struct taking *t, const char *hex, struct buf *to)
{
	struct am_alert wanted = { .fingerprint = strtoull(hex, NULL, 16) };
	const struct am_alert *key = &wanted;
	const struct am_alert *const *hit = t->n > 0 ? bsearch(&key, t->by_fingerprint, t->n, sizeof key, compare_fingerprints) : NULL;
	if (hit == NULL) {
		buf_printf(to, "%.20s", hex);
		return;
	}
	const char *node = labels_get((*hit)->labels, "node");
	node = node[0] != '\0' ? node : labels_get((*hit)->labels, "instance");
	buf_printf(to, "%.*s%s%.*s", NAME_TEXT, labels_get((*hit)->labels, "alertname"), node[0] != '\0' ? " of " : "", NAME_TEXT, node);
}

static void put_list(struct buf *to, const char *const *texts, size_t n, const char *between)
{
	buf_clear(to);
	for (size_t i = 0; i < n && to->len + strlen(texts[i]) + 2 < BY_TEXT_MAX; i++)
		buf_printf(to, "%s%s", i > 0 ? between : "", texts[i]);
}

static void fill_row(struct taking *t, const struct am_alert *a, bool is_ours, struct external_row *r)
{
	put_list(&t->silenced_by, a->silenced_by, a->n_silenced_by, " ");
	put_list(&t->receivers, a->receivers, a->n_receivers, ", ");
	buf_clear(&t->inhibited_by);
	for (size_t i = 0; i < a->n_inhibited_by && t->inhibited_by.len + 2 * NAME_TEXT + 8 < BY_TEXT_MAX; i++) {
		buf_puts(&t->inhibited_by, i > 0 ? ", " : "");
		put_inhibitor(t, a->inhibited_by[i], &t->inhibited_by);
	}
	*r = (struct external_row){
		.remote = t->s->name, .labels = a->labels, .annotations = a->annotations, .starts_ms = a->starts_ms, .from_ms = t->now_ms, .until_ms = INT64_MAX,
		.state = (enum external_state)a->state, .is_ours = is_ours, .silenced_by = buf_text(&t->silenced_by),
		.inhibited_by = buf_text(&t->inhibited_by), .receivers = buf_text(&t->receivers),
		.url = strlen(a->generator_url) < URL_MAX ? a->generator_url : "",
	};
}
_Static_assert((int)AM_ACTIVE == (int)EXTERNAL_ACTIVE && (int)AM_SUPPRESSED == (int)EXTERNAL_SUPPRESSED && (int)AM_UNPROCESSED == (int)EXTERNAL_UNPROCESSED,
               "the same states");

static bool is_same_state(const struct external_row *a, const struct external_row *b)
{
	return a->state == b->state && a->is_ours == b->is_ours && strcmp(a->silenced_by, b->silenced_by) == 0 && strcmp(a->inhibited_by, b->inhibited_by) == 0 &&
	       strcmp(a->receivers, b->receivers) == 0;
}

static bool is_same(const struct external_row *a, const struct external_row *b)
{
	return is_same_state(a, b) && labels_equal(a->annotations, b->annotations) && a->starts_ms == b->starts_ms && strcmp(a->url, b->url) == 0;
}

/* ---- what changed ---- */

static void end_row(struct taking *t, const struct seen_row *r)
{
	struct external_row over = r->row;
	over.remote = t->s->name;
	over.until_ms = t->now_ms > over.from_ms ? t->now_ms : over.from_ms;
	changes_external(t->changes, &over);
}

/* What is as it was is shared with the list before. */
static enum err take_row(struct taking *t, struct external_row *r)
{
	struct seen_row *old = find(&t->s->now, r->labels), *made;
	if (old != NULL && is_same(&old->row, r)) {
		old->refs++;
		made = old;
	} else {
		bool goes_on = old != NULL && is_same_state(&old->row, r);
		if (old != NULL && !goes_on)
			end_row(t, old);
		r->id = goes_on ? old->row.id : ++*t->last_id;
		r->from_ms = goes_on ? old->row.from_ms : t->now_ms;
		made = row_new(r);
		if (made == NULL)
			return ERR_MEMORY;
		changes_external(t->changes, r);
	}
	t->next.items[t->next.n++] = made;
	return ERR_OK;
}

/* Whether there is room for it. */
static bool fits(struct taking *t, const struct am_alert *a)
{
	buf_clear(&t->probe);
	bool is_small = labels_print(a->labels, &t->probe) == ERR_OK && labels_print(a->annotations, &t->probe) == ERR_OK;
	if (!is_small || t->next.n >= AM_SEEN_MAX || t->bytes + t->probe.len > AM_SEEN_BYTES_MAX)
		return false;
	t->bytes += t->probe.len;
	return true;
}

static int by_labels(const void *a, const void *b)
{
	const struct am_alert *const *x = a, *const *y = b;
	return labels_compare((*x)->labels, (*y)->labels);
}

/* Each label set once. */
static enum err take_all(struct taking *t, const bool *is_ours, size_t *n_left_out)
{
	const struct am_alert **sorted = calloc(t->n + 1, sizeof *sorted);
	enum err e = sorted != NULL ? ERR_OK : ERR_MEMORY;
	for (size_t i = 0; i < t->n && e == ERR_OK; i++)
		sorted[i] = &t->alerts[i];
	if (e == ERR_OK && t->n > 1)
		qsort(sorted, t->n, sizeof *sorted, by_labels);
	for (size_t i = 0; i < t->n && e == ERR_OK; i++) {
		const struct am_alert *a = sorted[i];
		struct external_row r;
		if (i > 0 && labels_equal(sorted[i - 1]->labels, a->labels))
			continue;
		if (!fits(t, a)) {
			++*n_left_out;
			continue;
		}
		fill_row(t, a, is_ours[a - t->alerts], &r);
		e = take_row(t, &r);
	}
	free(sorted);
	return e;
}

static void end_missing(struct taking *t)
{
	list_sort(&t->next);
	for (size_t i = 0; i < t->s->now.n; i++)
		if (find(&t->next, t->s->now.items[i]->row.labels) == NULL)
			end_row(t, t->s->now.items[i]);
}

static enum err begin(struct taking *t)
{
	t->by_fingerprint = calloc(t->n + 1, sizeof *t->by_fingerprint);
	t->next.items = calloc((t->n < AM_SEEN_MAX ? t->n : AM_SEEN_MAX) + 1, sizeof *t->next.items);
	if (t->by_fingerprint == NULL || t->next.items == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < t->n; i++)
		t->by_fingerprint[i] = &t->alerts[i];
	if (t->n > 1)
		qsort(t->by_fingerprint, t->n, sizeof *t->by_fingerprint, compare_fingerprints);
	return ERR_OK;
}

enum err am_seen_take(struct am_seen *s, const struct am_alert *alerts, size_t n, const bool *is_ours, int64_t now_ms, int64_t *last_id,
                      struct changes *changes, size_t *n_left_out, struct why *why)
{
	struct taking t = { .s = s, .alerts = alerts, .n = n, .now_ms = now_ms, .last_id = last_id, .changes = changes };
	buf_init(&t.silenced_by, BY_TEXT_MAX);
	buf_init(&t.inhibited_by, BY_TEXT_MAX);
	buf_init(&t.receivers, BY_TEXT_MAX);
	buf_init(&t.probe, AM_SEEN_ALERT_MAX);
	*n_left_out = 0;
	enum err e = begin(&t);
	if (e == ERR_OK)
		e = take_all(&t, is_ours, n_left_out);
	if (e == ERR_OK) {
		end_missing(&t);
		list_release(&s->now);
		s->now = t.next;
	} else {
		list_release(&t.next);
	}
	free(t.by_fingerprint);
	buf_release(&t.silenced_by);
	buf_release(&t.inhibited_by);
	buf_release(&t.receivers);
	buf_release(&t.probe);
	return e == ERR_OK ? ERR_OK : why_memory(why);
}

/* ---- life ---- */

enum err am_seen_restore(struct am_seen *s, const struct external_row *r, struct why *why)
{
	struct seen_row **items = realloc(s->now.items, (s->now.n + 1) * sizeof *items);
	if (items == NULL)
		return why_memory(why);
	s->now.items = items;
	struct seen_row *made = row_new(r);
	if (made == NULL)
		return why_memory(why);
	made->row.remote = s->name;
	size_t at = s->now.n++;
	for (; at > 0 && items[at - 1]->hash > made->hash; at--)
		items[at] = items[at - 1];
	items[at] = made;
	return ERR_OK;
}

enum err am_seen_new(const char *name, struct am_seen **out, struct why *why)
{
	struct am_seen *s = calloc(1, sizeof *s);
	if (s == NULL || (s->name = strdup(name)) == NULL) {
		free(s);
		return why_memory(why);
	}
	*out = s;
	return ERR_OK;
}

void am_seen_free(struct am_seen *s)
{
	if (s == NULL)
		return;
	list_release(&s->now);
	free(s->name);
	free(s);
}

const char *am_seen_name(const struct am_seen *s) { return s->name; }
