/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_rows.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tui/alerts_text.h"

enum { WORD_MAX = 128, WORDS_MAX = 8 };

void alerts_rows_release(struct alerts_rows *r)
{
	free(r->items);
	*r = (struct alerts_rows){ 0 };
}

/* ---- the filter ---- */

struct words {
	char   text[WORDS_MAX][WORD_MAX];
	size_t n;
};

static void split(const char *filter, struct words *w)
{
	w->n = 0;
	for (size_t n; *filter != '\0' && w->n < WORDS_MAX; filter += n) {
		filter += strspn(filter, " ");
		n = strcspn(filter, " ");
		if (n == 0)
			continue;
		size_t take = n < WORD_MAX - 1 ? n : WORD_MAX - 1;
		for (size_t i = 0; i < take; i++)
			w->text[w->n][i] = (char)tolower((unsigned char)filter[i]);
		w->text[w->n++][take] = '\0';
	}
}

static bool passes(const struct alert_group_item *g, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strstr(g->find, w->text[i]) == NULL)
			return false;
	return true;
}

/* ---- the order ---- */

struct order {
	enum alerts_sort sort;
	bool             turned;
};

static int compare_by(const struct alert_group_item *x, const struct alert_group_item *y, enum alerts_sort sort)
{
	char a[ALERTS_TEXT], b[ALERTS_TEXT];
	switch (sort) {
	case ALERTS_BY_STATE:
	case ALERTS_SORTS: return 0;
	case ALERTS_BY_SINCE: return (x->since_ms < y->since_ms) - (x->since_ms > y->since_ms);
	case ALERTS_BY_OWNER: return strcmp(alerts_owner_text(x, a), alerts_owner_text(y, b));
	case ALERTS_BY_RULE: return strcmp(x->rule, y->rule);
	case ALERTS_BY_MODEL: return strcmp(x->model, y->model);
	case ALERTS_BY_NODE: return x->n_nodes != y->n_nodes ? (x->n_nodes < y->n_nodes) - (x->n_nodes > y->n_nodes) : strcmp(x->node, y->node);
	}
	return 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct alert_group_item *const *px = a, *const *py = b, *x = *px, *y = *py;
	const struct order *o = ctx;
	if (x->is_hidden != y->is_hidden)
		return x->is_hidden ? 1 : -1;
	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	int order = o->sort == ALERTS_BY_STATE ? (x > y) - (x < y) : compare_by(x, y, o->sort);
	if (order != 0)
		return o->turned ? -order : order;
	return (x > y) - (x < y);
}

/* ---- the list ---- */

static enum err make_room(struct alerts_rows *r, size_t n)
{
	if (n <= r->cap)
		return ERR_OK;
	const struct alert_group_item **items = realloc(r->items, n * sizeof *items);
	if (items == NULL)
		return ERR_MEMORY;
	r->items = items;
	r->cap = n;
	return ERR_OK;
}

enum err alerts_rows_fill(struct alerts_rows *r, const struct alerts_view *v, const char *filter, enum alerts_sort sort, bool turned,
                          bool is_unfolded)
{
	struct words words;
	r->n = r->n_shown = r->n_hidden = 0;
	if (v == NULL)
		return ERR_OK;
	if (make_room(r, v->n_groups + 1) != ERR_OK)
		return ERR_MEMORY;
	split(filter, &words);
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct alert_group_item *g = &v->groups[i];
		if (!passes(g, &words))
			continue;
		if (g->is_hidden && r->n_hidden++ == 0)
			r->items[r->n++] = NULL;
		r->n_shown += !g->is_hidden;
		if (!g->is_hidden || is_unfolded)
			r->items[r->n++] = g;
	}
	struct order o = { sort, turned };
	if (sort == ALERTS_BY_STATE && !turned)
		return ERR_OK;
	if (r->n_shown > 1)
		qsort_r(r->items, r->n_shown, sizeof r->items[0], compare, &o);
	if (is_unfolded && r->n_hidden > 1)
		qsort_r(r->items + r->n_shown + 1, r->n_hidden, sizeof r->items[0], compare, &o);
	return ERR_OK;
}

size_t alerts_rows_find(const struct alerts_rows *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->items[i] != NULL && strcmp(r->items[i]->key, key) == 0)
			return i;
	return SIZE_MAX;
}

/* ---- tags ---- */

/* Where the key stands, or belongs. */
static size_t place(const struct alerts_tags *t, const char *key, bool *is_there)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(t->keys[middle], key);
		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*is_there = false;
	return low;
}

bool alerts_tags_has(const struct alerts_tags *t, const char *key)
{
	bool is_there;
	place(t, key, &is_there);
	return is_there;
}

static void drop(struct alerts_tags *t, size_t at)
{
	free(t->keys[at]);
	memmove(t->keys + at, t->keys + at + 1, (t->n - at - 1) * sizeof t->keys[0]);
	t->n--;
}

enum err alerts_tags_turn(struct alerts_tags *t, const char *key)
{
	bool is_there;
	size_t at = place(t, key, &is_there);
	if (is_there) {
		drop(t, at);
		return ERR_OK;
	}
	if (t->n == ALERTS_TAGS_MAX)
		return ERR_LIMIT;
	if (t->keys == NULL && (t->keys = calloc(ALERTS_TAGS_MAX, sizeof *t->keys)) == NULL)
		return ERR_MEMORY;
	char *copy = strdup(key);
	if (copy == NULL)
		return ERR_MEMORY;
	memmove(t->keys + at + 1, t->keys + at, (t->n - at) * sizeof t->keys[0]);
	t->keys[at] = copy;
	t->n++;
	return ERR_OK;
}

void alerts_tags_keep(struct alerts_tags *t, const struct alerts_view *v)
{
	bool is_seen[ALERTS_TAGS_MAX] = { false };
	if (t->n == 0 || v == NULL)
		return;
	for (size_t i = 0; i < v->n_groups; i++) {
		bool is_there;
		size_t at = place(t, v->groups[i].key, &is_there);
		if (is_there)
			is_seen[at] = true;
	}
	for (size_t i = t->n; i > 0; i--)
		if (!is_seen[i - 1])
			drop(t, i - 1);
}

void alerts_tags_clear(struct alerts_tags *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->keys[i]);
	free(t->keys);
	*t = (struct alerts_tags){ 0 };
}
