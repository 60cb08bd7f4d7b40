/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans as JSON. What is empty, zero or false is left out. Versions are pointed at by their place in "versions", from 1; a unit's found versions
 * are not written, what its driver needs to come back is.
 *
 *     {"plan":1,"kind":"rollback","key":"...",...,"gate":{...},"from":1,"to":2,
 *      "versions":[{"id":"v14",...}],"warnings":[{"level":"care","text":"..."}],
 *      "units":[{"name":"gpu-a-01",...,"wave":0,"forward":[STEP,...],"back":[STEP,...]}]}
 *
 * The same plan is the same bytes: its hash is what people confirm. */
#include "deploy/plan.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <openssl/evp.h>

#include "base/json.h"
#include "base/text.h"
#include "deploy/plan_private.h"

const char *const plan_kind_names[DEPLOY_KIND_COUNT] = { "redeploy", "rollback" };
const char *const plan_health_names[HEALTH_COUNT] = { "unknown", "good", "bad" };
const char *const plan_warning_names[WARNING_LEVEL_COUNT] = { "note", "care", "serious", "forbids" };
const char *const plan_phase_names[PHASE_COUNT] = { "drain", "change", "ready", "enter" };
const char *const plan_confirm_names[CONFIRM_COUNT] = { "key", "name" };
const char *const plan_failure_names[2] = { "stop", "undo" };
_Static_assert(GATE_STOP == 0 && GATE_UNDO == 1, "plan_failure_names");

const struct plan_gate_number plan_gate_numbers[PLAN_GATE_NUMBERS] = {
	{ "latency_ratio", offsetof(struct fleet_gate, latency_ratio), false },
	{ "error_add",     offsetof(struct fleet_gate, error_add),     false },
	{ "quality_drop",  offsetof(struct fleet_gate, quality_drop),  false },
	{ "memory_ratio",  offsetof(struct fleet_gate, memory_ratio),  false },
	{ "min_requests",  offsetof(struct fleet_gate, min_requests),  true },
	{ "soak",          offsetof(struct fleet_gate, soak_ms),       true },
	{ "window",        offsetof(struct fleet_gate, window_ms),     true },
	{ "ready",         offsetof(struct fleet_gate, ready_ms),      true },
};

const char *health_name(enum health h) { return plan_health_names[h]; }
const char *plan_kind_name(enum deploy_kind k) { return plan_kind_names[k]; }
const char *plan_warning_name(enum warning_level l) { return plan_warning_names[l]; }

size_t plan_n_down(const struct deploy_plan *p)
{
	size_t n = p->n_down;
	for (size_t i = 0; i < p->n_units; i++)
		n += p->units[i].is_down;
	return n;
}

bool plan_unit_acts(const struct plan_unit *u) { return !u->is_same && u->skipped[0] == '\0'; }

bool plan_is_forbidden(const struct deploy_plan *p, const char **why)
{
	for (size_t i = 0; i < p->n_warnings; i++)
		if (p->warnings[i].level == WARNING_FORBIDS) {
			*why = p->warnings[i].text;
			return true;
		}
	return false;
}

void plan_hash(const char *text, size_t n, char to[PLAN_HASH])
{
	unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };
	unsigned size = 0;
	if (EVP_Digest(text, n, hash, &size, EVP_sha256(), NULL) != 1)
		memset(hash, 0, sizeof hash); /* no memory: no text has this one, so that nothing is confirmed by it */
	for (size_t i = 0; i < (PLAN_HASH - 1) / 2; i++)
		snprintf(to + 2 * i, 3, "%02x", hash[i]);
}

/* ---- writing ---- */

static void next(struct buf *to)
{
	char last = to->len > 0 ? to->data[to->len - 1] : '{';
	if (last != '{' && last != '[')
		buf_putc(to, ',');
}

static void put_key(struct buf *to, const char *key)
{
	next(to);
	buf_printf(to, "\"%s\":", key);
}

static void put_text(struct buf *to, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	put_key(to, key);
	json_put_string(to, text, strlen(text));
}

static void put_number(struct buf *to, const char *key, int64_t n)
{
	if (n == 0)
		return;
	put_key(to, key);
	buf_printf(to, "%lld", (long long)n);
}

static void put_flag(struct buf *to, const char *key, bool is)
{
	if (!is)
		return;
	put_key(to, key);
	buf_puts(to, "true");
}

static enum err put_ask(struct buf *to, const char *key, const struct ask *a)
{
	if (a->kind == ASK_NONE)
		return ERR_OK;
	put_key(to, key);
	struct cJSON *o = ask_to_json(a);
	enum err e = json_put_tree(to, o);
	cJSON_Delete(o);
	return e;
}

static enum err put_step(struct buf *to, const struct step *s)
{
	next(to);
	buf_puts(to, "{");
	put_text(to, "phase", plan_phase_names[s->phase]);
	put_text(to, "title", s->title);
	enum err e = put_ask(to, "ask", &s->ask);
	put_number(to, "tag", s->tag);
	put_text(to, "note", s->note);
	put_flag(to, "changes", s->changes);
	put_flag(to, "repeatable", s->is_repeatable);
	e = e == ERR_OK ? put_ask(to, "probe", &s->probe) : e;
	e = e == ERR_OK ? put_ask(to, "shown", &s->shown) : e;
	put_number(to, "poll", s->poll_ms);
	put_number(to, "deadline", s->deadline_ms);
	buf_puts(to, "}");
	return e;
}

static enum err put_steps(struct buf *to, const char *key, const struct steps *s)
{
	enum err e = ERR_OK;
	if (s->n == 0)
		return ERR_OK;
	put_key(to, key);
	buf_puts(to, "[");
	for (size_t i = 0; i < s->n && e == ERR_OK; i++)
		e = put_step(to, &s->items[i]);
	buf_puts(to, "]");
	return e;
}

static enum err put_unit(struct buf *to, const struct plan_unit *u)
{
	next(to);
	buf_puts(to, "{");
	put_text(to, "name", u->unit.name);
	put_text(to, "node", u->unit.node);
	put_text(to, "model", u->unit.model);
	put_text(to, "group", u->unit.group);
	put_text(to, "url", u->unit.url);
	put_text(to, "destination", u->unit.destination);
	put_text(to, "user", u->unit.user);
	put_number(to, "port", u->unit.port);
	put_flag(to, "local", u->unit.is_local);
	put_text(to, "from", u->from);
	put_flag(to, "same", u->is_same);
	put_text(to, "skipped", u->skipped);
	put_flag(to, "down", u->is_down);
	put_number(to, "wave", (int64_t)u->wave);
	put_text(to, "key", u->key);
	put_text(to, "no_lock", u->no_lock);
	put_text(to, "takes_lock", u->takes_lock);
	put_text(to, "before", u->found.before);
	put_flag(to, "is_ready", u->found.is_ready);
	enum err e = put_steps(to, "forward", &u->forward);
	e = e == ERR_OK ? put_steps(to, "back", &u->back) : e;
	buf_puts(to, "}");
	return e;
}

static void put_version(struct buf *to, const struct plan_version *p)
{
	const struct version *v = &p->version;
	next(to);
	buf_puts(to, "{");
	put_text(to, "id", v->id);
	put_text(to, "name", v->name);
	put_text(to, "image", v->image);
	put_text(to, "tag", v->tag);
	put_text(to, "model_version", v->model_version);
	put_text(to, "config_hash", v->config_hash);
	put_text(to, "by", v->by);
	put_text(to, "cause", v->cause);
	put_number(to, "since", v->since_ms);
	put_flag(to, "running", v->is_running);
	put_flag(to, "present", v->is_present);
	put_text(to, "data", v->data);
	put_text(to, "health", p->health != HEALTH_UNKNOWN ? plan_health_names[p->health] : "");
	put_text(to, "label", p->label);
	put_text(to, "evidence", p->evidence);
	put_number(to, "units", (int64_t)p->n_units);
	buf_puts(to, "}");
}

static void put_gate(struct buf *to, const struct fleet_gate *g)
{
	put_key(to, "gate");
	buf_puts(to, "{");
	for (size_t i = 0; i < PLAN_GATE_NUMBERS; i++) {
		const struct plan_gate_number *n = &plan_gate_numbers[i];
		if (n->is_integer) {
			int64_t v;
			memcpy(&v, (const char *)g + n->offset, sizeof v);
			put_number(to, n->key, v);
		} else {
			double v;
			memcpy(&v, (const char *)g + n->offset, sizeof v);
			put_key(to, n->key);
			json_put_f64(to, v);
		}
	}
	buf_puts(to, "}");
}

static void put_head(struct buf *to, const struct deploy_plan *p)
{
	put_number(to, "plan", PLAN_FORMAT);
	put_text(to, "kind", plan_kind_names[p->kind]);
	put_text(to, "key", p->key);
	put_text(to, "scope", p->scope);
	put_text(to, "model", p->model);
	put_text(to, "driver", p->driver);
	put_text(to, "target", p->target);
	put_flag(to, "whole", p->is_whole);
	put_number(to, "waves", (int64_t)p->n_waves);
	put_number(to, "at_once", (int64_t)p->at_once);
	put_number(to, "down", (int64_t)p->n_down);
	put_gate(to, &p->gate);
	put_text(to, "on_failure", plan_failure_names[p->on_failure]);
	put_text(to, "confirm", plan_confirm_names[p->confirm]);
	put_text(to, "name", p->name);
	put_flag(to, "takes_two", p->takes_two);
	put_text(to, "lock", p->lock);
	put_text(to, "no_lock", p->no_lock);
	put_text(to, "reason", p->reason);
	if (p->fleet != NULL && p->fleet[0] != '\0')
		put_text(to, "fleet", p->fleet);
	put_number(to, "alert", p->alert);
	put_number(to, "made", p->made_ms);
	put_number(to, "took", p->took_ms);
}

static void put_actions(struct buf *to, const struct deploy_plan *p)
{
	if (p->n_actions == 0)
		return;
	put_key(to, "actions");
	buf_puts(to, "[");
	for (size_t i = 0; i < p->n_actions; i++) {
		next(to);
		buf_puts(to, "{");
		put_text(to, "word", p->actions[i].word);
		put_number(to, "most", p->actions[i].most);
		put_text(to, "sentence", p->actions[i].sentence);
		buf_puts(to, "}");
	}
	buf_puts(to, "]");
}

static void put_versions(struct buf *to, const struct deploy_plan *p)
{
	put_number(to, "from", p->from != NULL ? p->from - p->versions + 1 : 0); /* counted from 1: 0 is none */
	put_number(to, "to", p->to != NULL ? p->to - p->versions + 1 : 0);
	put_key(to, "versions");
	buf_puts(to, "[");
	for (size_t i = 0; i < p->n_versions; i++)
		put_version(to, &p->versions[i]);
	buf_puts(to, "]");
	put_actions(to, p);
	put_key(to, "warnings");
	buf_puts(to, "[");
	for (size_t i = 0; i < p->n_warnings; i++) {
		next(to);
		buf_puts(to, "{");
		put_text(to, "level", plan_warning_names[p->warnings[i].level]);
		put_text(to, "text", p->warnings[i].text);
		buf_puts(to, "}");
	}
	buf_puts(to, "]");
}

const char *plan_from(const struct deploy_plan *p, char to[PLAN_FROM])
{
	size_t n = 0;
	to[0] = '\0';
	for (size_t i = 0; i < p->n_versions; i++) {
		const struct plan_version *v = &p->versions[i];
		if (p->from != NULL ? v != p->from : v->n_units == 0)
			continue;
		const char *name = v->version.name[0] != '\0' ? v->version.name : v->version.id;
		int more = snprintf(to + n, PLAN_FROM - n, "%s%s", n > 0 ? ", " : "", name);
		if (more < 0 || (size_t)more >= PLAN_FROM - n) { /* whole names, and at least the first of them */
			if (n + 4 < PLAN_FROM)
				snprintf(to + n, PLAN_FROM - n, n > 0 ? ", ..." : "%.190s...", name);
			break;
		}
		n += (size_t)more;
	}
	return to;
}

/* As a reader of JSON will count them: each comma and bracket outside of texts. */
static size_t count_values(const char *text, size_t n)
{
	size_t values = 1;
	bool in_text = false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"')
			in_text = !in_text;
		else if (in_text && text[i] == '\\')
			i++;
		else if (!in_text && (text[i] == ',' || text[i] == '[' || text[i] == '{'))
			values++;
	}
	return values;
}

enum err plan_write(const struct deploy_plan *p, struct buf *to)
{
	size_t at = to->len;
	enum err e = ERR_OK;
	if (p->n_units > PLAN_UNITS_MAX || p->n_versions > PLAN_VERSIONS_MAX || p->n_warnings > PLAN_WARNINGS_MAX || p->n_actions > PLAN_ACTIONS_MAX)
		return ERR_LIMIT;
	buf_puts(to, "{");
	put_head(to, p);
	put_versions(to, p);
	put_key(to, "units");
	buf_puts(to, "[");
	for (size_t i = 0; i < p->n_units && e == ERR_OK; i++)
		e = put_unit(to, &p->units[i]);
	buf_puts(to, "]}");
	if (e != ERR_OK || to->err != ERR_OK)
		return e != ERR_OK ? e : to->err;
	if (to->len - at > PLAN_BYTES_MAX || count_values(to->data + at, to->len - at) > PLAN_VALUES_MAX)
		return ERR_LIMIT;
	return text_is_utf8(to->data + at, to->len - at) ? ERR_OK : ERR_FORMAT;
}
