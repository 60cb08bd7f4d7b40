/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fleet_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *severity_word(enum severity s)
{
	static const char *const words[SEVERITY_COUNT] = { "ok", "info", "warn", "CRIT", "DOWN" };
	return words[s];
}

const char *fleet_row_name(const struct fleet_row *r)
{
	return r->node != NULL ? r->node->node : r->model->model[0] != '\0' ? r->model->model : "(no model)";
}

const char *fleet_row_model(const struct fleet_row *r)
{
	return r->node != NULL ? r->node->model : r->model->model;
}

const char *fleet_row_version(const struct fleet_row *r)
{
	return r->node != NULL ? r->node->version : r->model->version;
}

const char *fleet_row_reason(const struct fleet_row *r)
{
	return r->node != NULL ? r->node->reason : "";
}

double fleet_row_value(const struct fleet_row *r, enum signal_id id)
{
	return r->node != NULL ? r->node->value[id] : r->model->value[id];
}

const float *fleet_row_history(const struct fleet_row *r, enum signal_id id)
{
	return r->node != NULL ? r->node->history[id] : r->model->history[id];
}

enum severity fleet_row_severity(const struct fleet_row *r)
{
	return r->node != NULL ? r->node->severity : r->model->severity;
}

bool fleet_row_is_known(const struct fleet_row *r)
{
	return r->node == NULL || r->node->seen_ms != 0;
}

void fleet_rows_release(struct fleet_rows *r)
{
	free(r->items);
	*r = (struct fleet_rows){ 0 };
}

/* ---- the filter ---- */

static bool contains(const char *text, const char *word, size_t n)
{
	for (; *text != '\0'; text++)
		if (strncasecmp(text, word, n) == 0)
			return true;
	return false;
}

static bool word_matches(const struct fleet_row *r, const char *word, size_t n)
{
	if (contains(fleet_row_name(r), word, n) || contains(fleet_row_model(r), word, n) || contains(fleet_row_version(r), word, n) ||
	    contains(severity_word(fleet_row_severity(r)), word, n))
		return true;
	return r->node != NULL && (contains(r->node->group, word, n) || contains(r->node->profile, word, n));
}

static bool passes(const struct fleet_row *r, const char *filter)
{
	for (size_t n; *filter != '\0'; filter += n) {
		filter += strspn(filter, " ");
		n = strcspn(filter, " ");
		if (n > 0 && !word_matches(r, filter, n))
			return false;
	}
	return true;
}

/* ---- the order ---- */

struct order {
	int  sort;
	bool turned;
};

static int compare_numbers(double x, double y, bool small_first)
{
	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	int order = (x > y) - (x < y);
	return small_first ? order : -order;
}

/* As the order goes when it is not turned: the worst, or the largest, first; names as in the alphabet. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct fleet_row *x = a, *y = b;
	const struct order *o = ctx;
	int order = 0;
	if (o->sort < SIGNAL_COUNT) {
		bool small_first = (signal_info((enum signal_id)o->sort)->worse == WORSE_LOW) != o->turned;
		order = compare_numbers(fleet_row_value(x, (enum signal_id)o->sort), fleet_row_value(y, (enum signal_id)o->sort), small_first);
	} else {
		if (o->sort == FLEET_BY_STATE)
			order = (int)fleet_row_severity(y) - (int)fleet_row_severity(x);
		else if (o->sort == FLEET_BY_NAME)
			order = strcmp(fleet_row_name(x), fleet_row_name(y));
		else if (o->sort == FLEET_BY_MODEL)
			order = strcmp(fleet_row_model(x), fleet_row_model(y));
		else
			order = strcmp(fleet_row_version(x), fleet_row_version(y));
		if (o->turned)
			order = -order;
	}
	if (order != 0)
		return order;
	return x->node != NULL ? (x->node > y->node) - (x->node < y->node) : (x->model > y->model) - (x->model < y->model);
}

enum err fleet_rows_fill(struct fleet_rows *r, const struct fleet_view *v, bool by_model, const char *filter, int sort, bool turned)
{
	r->n = 0;
	if (v == NULL)
		return ERR_OK;
	size_t all = by_model ? v->n_models : v->n_nodes;
	if (all > r->cap) {
		struct fleet_row *items = realloc(r->items, all * sizeof *items);
		if (items == NULL)
			return ERR_MEMORY;
		r->items = items;
		r->cap = all;
	}
	for (size_t i = 0; i < all; i++) {
		struct fleet_row row = { .node = by_model ? NULL : &v->nodes[i], .model = by_model ? &v->models[i] : NULL };
		if (passes(&row, filter))
			r->items[r->n++] = row;
	}
	struct order o = { sort, turned };
	if (r->n > 1)
		qsort_r(r->items, r->n, sizeof r->items[0], compare, &o);
	return ERR_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct fleet_row *x = a, *y = b;
	return x->node != NULL ? (x->node > y->node) - (x->node < y->node) : (x->model > y->model) - (x->model < y->model);
}

void fleet_rows_in_fleet_order(struct fleet_rows *r)
{
	if (r->n > 1)
		qsort(r->items, r->n, sizeof r->items[0], by_place);
}

size_t fleet_rows_worst(const struct fleet_rows *r)
{
	size_t worst = 0;
	for (size_t i = 1; i < r->n; i++)
		if (fleet_row_severity(&r->items[i]) > fleet_row_severity(&r->items[worst]))
			worst = i;
	return worst;
}
