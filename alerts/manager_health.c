/* SPDX-License-Identifier: Apache-2.0
 *
 * How the rules are: what is told when one begins or ceases to fail, and the series that alerts/rule_health.h reads. */
#include "alerts/manager_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule_health.h"

enum { DATA_MAX = 8192 };

void manager_tell_health(struct running_group *g, size_t rule, const struct rule_health *h)
{
	const char *name = g->of.group->rules[rule].name;
	char text[900];
	struct buf data;
	if (g->told[rule] == h->err)
		return;
	g->told[rule] = h->err;
	g->m->health_ms = 0;
	if (h->err != ERR_OK)
		snprintf(text, sizeof text, "rule '%.200s' of %.300s fails, what it watches is not watched: %s", name, g->of.source, h->text);
	else
		snprintf(text, sizeof text, "rule '%.200s' of %.300s is evaluated again", name, g->of.source);
	buf_init(&data, DATA_MAX);
	rule_event_data(g->of.source, name, (int)rule + 1, h->text, &data);
	changes_event(g->m->changes, &(struct event){ .wall_ms = h->at_ms, .severity = h->err != ERR_OK ? SEVERITY_WARN : SEVERITY_OK, .kind = "rule",
	                                              .node = "", .text = text, .data = data.err == ERR_OK ? buf_text(&data) : "" });
	buf_release(&data);
}

/* ---- series ---- */

static enum err name_facts(const struct running_group *g, size_t rule, struct labels **facts, struct why *why)
{
	const struct rule *r = &g->of.group->rules[rule];
	char line[16], number[24];
	snprintf(line, sizeof line, "%d", r->line);
	snprintf(number, sizeof number, "%zu", rule + 1);
	const char *texts[][2] = { { LABEL_NAME, "" },  { "source", g->of.source }, { "rule", r->name }, { "kind", r->kind == RULE_ALERT ? "alert" : "record" },
		                   { "line", line }, { "number", number } };
	enum { N = sizeof texts / sizeof texts[0] };
	for (int f = 0; f < RULE_FACTS; f++) {
		struct label pairs[N];
		texts[0][1] = rule_fact_metric((enum rule_fact)f);
		for (size_t i = 0; i < N; i++)
			pairs[i] = (struct label){ texts[i][0], texts[i][1], (uint32_t)strlen(texts[i][0]), (uint32_t)strlen(texts[i][1]) };
		enum err e = labels_new(pairs, N, &facts[f], why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err manager_name_health(struct running_group *g, struct why *why)
{
	size_t n = g->of.group->n_rules;
	g->facts = calloc(n * RULE_FACTS + 1, sizeof(struct labels *));
	enum err e = g->facts == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = name_facts(g, i, &g->facts[i * RULE_FACTS], why);
	return e;
}

void manager_free_health(struct running_group *g)
{
	for (size_t i = 0; g->facts != NULL && i < g->of.group->n_rules * RULE_FACTS; i++)
		labels_unref(g->facts[i]);
	free(g->facts);
}

static double firing(const struct alert_life *life)
{
	double n = 0;
	for (size_t i = 0; i < alert_life_count(life); i++)
		n += alert_life_at(life, i)->state == ALERT_FIRING;
	return n;
}

static enum err put_rule(struct running_group *g, size_t rule)
{
	struct alert_manager *m = g->m;
	const struct rule_health *h = alert_group_health(g->group, rule);
	const struct alert_life *life = alert_group_life(g->group, rule);
	const double values[RULE_FACTS] = { [RULE_EVALUATED] = (double)h->at_ms / 1000, [RULE_DURATION] = (double)h->took_us / 1e6,
		                            [RULE_RESULTS] = (double)h->n_results, [RULE_FIRING] = life != NULL ? firing(life) : 0,
		                            [RULE_FAILING] = h->err != ERR_OK };
	for (int f = 0; f < RULE_FACTS; f++) {
		if (f == RULE_FIRING && life == NULL)
			continue;
		enum err e = rules_frame_put(&m->health, &m->versions, g->facts[rule * RULE_FACTS + (size_t)f], values[f]);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err manager_write_health(struct alert_manager *m, int64_t now_ms, struct why *why)
{
	size_t n = 0;
	bool is_waiting = false;
	m->has_health = now_ms >= m->health_ms || now_ms < m->health_ms - RULE_HEALTH_MS;
	if (!m->has_health)
		return ERR_OK;
	enum err e = rules_frame_begin(&m->health, &m->versions);
	for (size_t i = 0; i < m->n_groups; i++)
		for (size_t k = 0; k < m->groups[i]->of.group->n_rules && e == ERR_OK && n < RULE_HEALTH_RULES_MAX; k++, n++) {
			e = put_rule(m->groups[i], k);
			is_waiting |= alert_group_health(m->groups[i]->group, k)->at_ms == 0;
		}
	if (e != ERR_OK) {
		m->has_health = false;
		return why_memory(why);
	}
	m->health_ms = now_ms + (is_waiting ? RULE_HEALTH_FIRST_MS : RULE_HEALTH_MS);
	m->health_frame = (struct alert_frame){ .source = RULE_HEALTH_SOURCE, .at_ms = now_ms, .series = m->health.series, .values = m->health.values,
		                                .n = m->health.n, .n_live = m->health.n_live, .version = m->health.version };
	return ERR_OK;
}
