/* SPDX-License-Identifier: Apache-2.0
 *
 * Which groups of alerts a person means. */
#include "app/asking.h"

#include <stdlib.h>
#include <string.h>

#include "base/matcher_set.h"
#include "base/num.h"
#include "base/suggest.h"

struct naming {
	const struct alerts_view       *v;
	const struct alert_group_item **groups; /* of view->n_groups */
	size_t                          n;
};

static void add(struct naming *s, const struct alert_group_item *g)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->groups[i] == g)
			return;
	s->groups[s->n++] = g;
}

static enum err unknown_name(const struct naming *s, const char *word, struct why *why)
{
	const char **names = calloc(s->v->n_groups + 1, sizeof *names);
	if (names == NULL)
		return why_memory(why);
	for (size_t i = 0; i < s->v->n_groups; i++)
		names[i] = s->v->groups[i].source[0] == '\0' ? s->v->groups[i].rule : "";
	bool is_external = false;
	for (size_t i = 0; i < s->v->n_groups; i++)
		is_external |= s->v->groups[i].source[0] != '\0' && strcmp(s->v->groups[i].rule, word) == 0;
	const char *near = suggest(word, names, s->v->n_groups);
	free(names);
	if (is_external)
		return why_set(why, ERR_NOT_FOUND, "'%s' is an alert of an Alertmanager's own, which is not handled here", word);
	if (near != NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no alert '%s' now; did you mean '%s'?", word, near);
	return why_set(why, ERR_NOT_FOUND, "there is no alert '%s' now; 'pitwall alerts' has those that there are", word);
}

static enum err by_number(struct naming *s, const char *word, int64_t id, struct why *why)
{
	const struct alert_item *a = alerts_alert(s->v, id);
	const struct alert_group_item *g = a != NULL ? alerts_group(s->v, a->row.group_key) : NULL;
	if (g == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no alert number %s now; 'pitwall alerts' has those that there are", word);
	add(s, g);
	return ERR_OK;
}

static bool any_matches(const struct alert_group_item *g, const struct matcher_set *m)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->alerts[i].phase != PHASE_RESOLVED && matcher_set_matches(m, g->alerts[i].row.labels))
			return true;
	return false;
}

static enum err by_matchers(struct naming *s, const char *word, struct why *why)
{
	struct matcher_set m;
	size_t before = s->n;
	bool is_met = false;
	matcher_set_init(&m);
	enum err e = matcher_set_parse(&m, word, why);
	if (e != ERR_OK) {
		matcher_set_release(&m);
		return why_prefix(why, ERR_USAGE, "'%.200s'", word);
	}
	for (size_t i = 0; i < s->v->n_groups; i++) {
		if (s->v->groups[i].source[0] == '\0' && any_matches(&s->v->groups[i], &m)) {
			add(s, &s->v->groups[i]);
			is_met = true;
		}
	}
	matcher_set_release(&m);
	return is_met || s->n > before ? ERR_OK : why_set(why, ERR_NOT_FOUND, "no alert that fires or is pending matches '%.200s'", word);
}

static enum err by_name(struct naming *s, const char *word, struct why *why)
{
	bool is_met = false;
	for (size_t i = 0; i < s->v->n_groups; i++) {
		if (s->v->groups[i].source[0] == '\0' && strcmp(s->v->groups[i].rule, word) == 0) {
			add(s, &s->v->groups[i]);
			is_met = true;
		}
	}
	return is_met ? ERR_OK : unknown_name(s, word, why);
}

static enum err by_word(struct naming *s, const char *word, struct why *why)
{
	int64_t id;
	const struct alert_group_item *g = alerts_group(s->v, word);
	if (g != NULL && g->source[0] == '\0') {
		add(s, g);
		return ERR_OK;
	}
	if (parse_i64(word, 1, INT64_MAX, &id) == ERR_OK)
		return by_number(s, word, id, why);
	return strpbrk(word, "{=!~") != NULL ? by_matchers(s, word, why) : by_name(s, word, why);
}

enum err groups_named(const struct alerts_view *v, char *const *words, int n_words, const struct alert_group_item ***out, size_t *n, struct why *why)
{
	struct naming s = { .v = v, .groups = calloc(v->n_groups + 1, sizeof *s.groups) };
	enum err e = s.groups != NULL ? ERR_OK : why_memory(why);
	for (int i = 0; i < n_words && e == ERR_OK; i++)
		e = by_word(&s, words[i], why);
	if (e != ERR_OK) {
		free(s.groups);
		return e;
	}
	*out = s.groups;
	*n = s.n;
	return ERR_OK;
}
