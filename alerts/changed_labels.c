/* SPDX-License-Identifier: Apache-2.0
 *
 * What the nodes in trouble have in common: for each value of each label, how many of them have it and how many of the others. */
#include "alerts/changed_private.h"

#include <math.h>
#include <string.h>

/* A label says something when it is had by half as many more of those in trouble, and chance does as well in fewer than one of twenty. */
static const double LIFT_LEAST = 0.5, CHANCE_MOST = 0.05;
static const double VERSION_WEIGHT = 0.95, LABEL_WEIGHT = 0.6;

static const char *value_of(const struct changed_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_labels; i++)
		if (strcmp(n->labels[i].name, name) == 0)
			return n->labels[i].value;
	return "";
}

static double log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* How often chance alone gives at least `hits` of the `bad` nodes a label that `have` of `all` have: the tail of the hypergeometric distribution, which
 * is Fisher's exact test on one side. */
static double chance_of(size_t hits, size_t bad, size_t have, size_t all)
{
	double sum = 0;
	for (size_t k = hits; k <= bad && k <= have; k++)
		if (have - k <= all - bad)
			sum += exp(log_choose((double)bad, (double)k) + log_choose((double)(all - bad), (double)(have - k)) - log_choose((double)all, (double)have));
	return sum < 1 ? sum : 1;
}

struct tallied {
	struct changed_count bad, good;
};

static struct tallied tally(const struct changed_input *in, const bool *is_bad, const char *name, const char *value)
{
	struct tallied t = { { 0, 0 }, { 0, 0 } };
	for (size_t i = 0; i < in->n_nodes; i++) {
		struct changed_count *c = is_bad[i] ? &t.bad : &t.good;
		c->all++;
		c->moved += strcmp(value_of(&in->nodes[i], name), value) == 0;
	}
	return t;
}

/* Whether no two nodes have the same value: a name of each node's own says nothing. */
static bool is_name(const struct changed_input *in, const char *name)
{
	for (size_t i = 0; i < in->n_nodes; i++)
		for (size_t k = i + 1; k < in->n_nodes; k++)
			if (value_of(&in->nodes[i], name)[0] != '\0' && strcmp(value_of(&in->nodes[i], name), value_of(&in->nodes[k], name)) == 0)
				return false;
	return true;
}

/* Whether a node in trouble before this one has the same. */
static bool is_seen(const struct changed_input *in, const bool *is_bad, size_t node, const struct label *l)
{
	for (size_t i = 0; i < node; i++)
		if (is_bad[i] && strcmp(value_of(&in->nodes[i], l->name), l->value) == 0)
			return true;
	return false;
}

static enum err consider(const struct changed_input *in, const bool *is_bad, const struct label *l, struct arena *a, struct changed_drafts *d)
{
	struct tallied t = tally(in, is_bad, l->name, l->value);
	if (t.bad.all == 0 || t.good.all == 0 || t.bad.moved == 0)
		return ERR_OK;
	double lift = (double)t.bad.moved / (double)t.bad.all - (double)t.good.moved / (double)t.good.all;
	double chance = chance_of(t.bad.moved, t.bad.all, t.bad.moved + t.good.moved, t.bad.all + t.good.all);
	if (lift < LIFT_LEAST || chance >= CHANCE_MOST || is_name(in, l->name))
		return ERR_OK;
	struct buf text;
	buf_init(&text, 4096);
	buf_printf(&text, "%s=%s", l->name, l->value);
	const char *label = changed_take(a, &text);
	if (label == NULL)
		return ERR_MEMORY;
	struct changed_draft *row = changed_draft_add(d);
	if (row == NULL)
		return ERR_OK;
	bool is_version = strcmp(l->name, "version") == 0;
	row->row.what = CHANGED_LABEL;
	row->row.scope = CHANGED_GROUP;
	row->row.label = label;
	row->row.parts = (struct changed_parts){ lift, 1 - chance / CHANCE_MOST, 1, 1, is_version ? VERSION_WEIGHT : LABEL_WEIGHT };
	row->bad = t.bad;
	row->good = t.good;
	row->kind_word = is_version ? "deployment" : "in common";
	return ERR_OK;
}

enum err changed_add_labels(const struct changed_input *in, const bool *is_bad, struct arena *a, struct changed_drafts *d)
{
	for (size_t i = 0; i < in->n_nodes; i++) {
		for (size_t k = 0; is_bad[i] && k < in->nodes[i].n_labels; k++) {
			const struct label *l = &in->nodes[i].labels[k];
			if (!is_seen(in, is_bad, i, l) && consider(in, is_bad, l, a, d) != ERR_OK)
				return ERR_MEMORY;
		}
	}
	return ERR_OK;
}
