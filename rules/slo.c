/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/slo.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/yaml.h"

enum { TEXT_MAX = 4 * 1024 * 1024, STEP_S = 30, SLOW_STEP_S = 120 };

/* Which windows an alert looks at. `budget` is the share of the budget that burns in the long one before it fires. */
static const struct burn {
	const char *longer, *shorter, *severity, *duration; /* duration: in words */
	double      hours, budget;
	bool        is_slow; /* its long window stands in the group that is evaluated seldom */
} burns[] = {
	{ "1h", "5m", "critical", "hour", 1, 0.02, false },
	{ "6h", "30m", "critical", "six hours", 6, 0.05, true },
	{ "3d", "6h", "warning", "three days", 72, 0.10, true },
};
enum { BURNS = sizeof burns / sizeof burns[0] };

/* Errors or latency: what is counted, of what. */
struct objective {
	const char *alert, *bad, *all; /* the alert's name; slo:BAD:..., slo:ALL:... */
	const char *what, *advice;
	double      share;
};

static const char alert_errors[] = "ErrorBudgetBurn", alert_slow[] = "LatencyBudgetBurn";

bool slo_has_alert(const char *name)
{
	return strcmp(name, alert_errors) == 0 || strcmp(name, alert_slow) == 0;
}

struct writing {
	const struct fleet_slo *slo;
	struct buf             *to;
	struct buf              select; /* matchers of the models, in braces; empty: all */
};

/* Within double quotes of YAML and of PromQL. */
static void put_quoted(const char *text, struct buf *to)
{
	buf_putc(to, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(to, '\\');
		buf_putc(to, *text);
	}
	buf_putc(to, '"');
}

static void put_matchers(const struct fleet_slo *slos, size_t n, const struct fleet_slo *one, struct buf *to)
{
	bool is_first = true;
	if (one->model[0] != '\0') {
		buf_puts(to, "{model=");
		put_quoted(one->model, to);
		buf_putc(to, '}');
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (slos[i].model[0] == '\0')
			continue;
		buf_puts(to, is_first ? "{model!=" : ",model!=");
		put_quoted(slos[i].model, to);
		is_first = false;
	}
	if (!is_first)
		buf_putc(to, '}');
}

static const char *selected(const struct writing *w)
{
	return buf_text(&w->select);
}

static void put_group(const struct writing *w, const char *name, int step_s)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	buf_puts(&text, name);
	if (w->slo->model[0] != '\0')
		buf_printf(&text, " %s", w->slo->model);
	buf_puts(w->to, "  - name: ");
	put_quoted(buf_text(&text), w->to);
	buf_printf(w->to, "\n    interval: %ds\n    rules:\n", step_s);
	if (text.err != ERR_OK)
		w->to->err = text.err;
	buf_release(&text);
}

/* ---- what is recorded ---- */

static void put_requests(const struct writing *w)
{
	const char *s = selected(w);
	buf_printf(w->to, "      - record: slo:requests:rate\n        expr: |\n          sum by (model) (signal:requests:rate%s)\n", s);
	if (w->slo->availability <= 0)
		return;
	buf_printf(w->to, "      - record: slo:errors:rate\n        expr: |\n          sum by (model) (signal:errors:ratio%s * signal:requests:rate%s)\n"
	                  "          or 0 * (slo:requests:rate%s == 0)\n", s, s, s);
}

/* Requests that went to nodes whose times are known, and of these to nodes that were slow then. */
static void put_times(const struct writing *w)
{
	char number[NUMBER_TEXT];
	struct buf times;
	const char *s = selected(w), *q = w->slo->latency_quantile;
	if (w->slo->latency_objective <= 0)
		return;
	buf_init(&times, TEXT_MAX);
	if (strcmp(q, "mean") == 0)
		buf_printf(&times, "signal:latency_seconds:mean%s", s);
	else
		buf_printf(&times, "(signal:latency_seconds:%s%s or signal:latency_seconds:mean%s)", q, s, s);
	buf_printf(w->to, "      - record: slo:timed:rate\n        expr: |\n          sum by (model) (signal:requests:rate%s and %s)\n", s, buf_text(&times));
	buf_printf(w->to, "      - record: slo:slow:rate\n        expr: |\n          sum by (model) (signal:requests:rate%s * (%s > bool %s))\n", s, buf_text(&times),
	           format_f64(w->slo->latency_seconds, number));
	if (times.err != ERR_OK)
		w->to->err = times.err;
	buf_release(&times);
}

/* A ratio over a window of sums; `from` and `of` are what is added up. */
static void put_ratio(const struct writing *w, const struct objective *o, const char *window, const char *suffix)
{
	buf_printf(w->to, "      - record: slo:%s:ratio%s\n        expr: |\n          sum_over_time(slo:%s:%s%s[%s])\n"
	                  "          / (sum_over_time(slo:%s:%s%s[%s]) > 0)\n", o->bad, window, o->bad, suffix, selected(w), window, o->all, suffix,
	           selected(w), window);
}

static void put_count(const struct writing *w, const char *window, const char *suffix, int step_s)
{
	buf_printf(w->to, "      - record: slo:requests:count%s\n        expr: |\n          %d * sum_over_time(slo:requests:%s%s[%s])\n", window, step_s, suffix,
	           selected(w), window);
}

/* Since when there is something of a model, as far as the group's longest window reaches: what a young store has would else stand for all of a window, and a few bad
 * seconds in its first minute would be as good as a bad hour. */
static void put_since(const struct writing *w, const char *suffix, const char *window)
{
	buf_printf(w->to, "      - record: slo:requests:since%s\n        expr: |\n          last_over_time(slo:requests:since%s%s[%s])\n"
	                  "          or slo:requests:rate%s * 0 + time()\n", suffix, suffix, selected(w), window, selected(w));
}

static void put_mean(const struct writing *w, const char *what)
{
	buf_printf(w->to, "      - record: slo:%s:rate2m\n        expr: |\n          avg_over_time(slo:%s:rate%s[2m])\n", what, what, selected(w));
}

/* ---- alerts ---- */

static void put_alert(const struct writing *w, const struct objective *o, const struct burn *b)
{
	char age[DURATION_TEXT], limit[NUMBER_TEXT];
	double times = b->budget * (double)w->slo->window_ms / 3600e3 / b->hours, share = times * (1 - o->share);
	if (share >= 1)
		return;
	/* As people write it: 0.0144, not 0.014400000000000014. */
	format_f64((double)(int64_t)(share * 1e9 + 0.5) / 1e9, limit);
	buf_printf(w->to, "      - alert: %s\n        expr: |\n          slo:%s:ratio%s%s > %s\n          and slo:%s:ratio%s%s > %s\n"
	                  "          and slo:%s:ratio%s%s * clamp_max((time() - slo:requests:since%s%s) / %d, 1) > %s\n"
	                  "          and slo:requests:count%s%s >= %lld\n        labels: { severity: %s, window: %s }\n        annotations:\n",
	           o->alert, o->bad, b->longer, selected(w), limit, o->bad, b->shorter, selected(w), limit, o->bad, b->longer, selected(w),
	           b->is_slow ? "_slow" : "", selected(w), (int)(b->hours * 3600), limit, b->longer, selected(w), (long long)w->slo->requests_min,
	           b->severity, b->longer);
	buf_printf(w->to, "          summary: \"{{ $labels.model }} burns its error budget: {{ $value | humanizePercentage }} of the requests %s (%s)\"\n", o->what,
	           b->longer);
	buf_printf(w->to, "          description: \"Over the last %s {{ $value | humanizePercentage }} of the requests to {{ $labels.model }} %s, and too many still do "
	                  "(%s). At the limit of this alert the budget is used up within %s.\"\n", b->duration, o->what, b->shorter,
	           format_age((int64_t)((double)w->slo->window_ms / times), age));
	buf_printf(w->to, "          runbook: |\n%s", o->advice);
}

static void put_slow_alerts(const struct writing *w, const struct objective *o)
{
	for (size_t i = 0; i < BURNS; i++)
		if (burns[i].is_slow)
			put_alert(w, o, &burns[i]);
}

/* ---- an item ---- */

static size_t objectives_of(const struct fleet_slo *slo, struct objective to[2])
{
	static const char errors_advice[] =
		"            1. Which nodes fail? Sort the fleet by errors (`o`). One node: drain it. One version: roll back.\n"
		"            2. All nodes: `l` on one of them tells what fails; look for out of memory, a missing file, a dependency that is down.\n"
		"            3. Overload: queue and latency are up as well. Shed load at the gateway, then add nodes.\n";
	static const char slow_advice[] =
		"            1. Which nodes are slow? Sort the fleet by p99 (`o`). One node: compare it with a neighbour, drain it.\n"
		"            2. All nodes: more requests, longer prompts, a full KV cache? Shed load, then add nodes.\n"
		"            3. Since when (`c`)? `e` shows what happened then: a version, throttling, a node that is down.\n";
	size_t n = 0;
	if (slo->availability > 0)
		to[n++] = (struct objective){ alert_errors, "errors", "requests", "failed", errors_advice, slo->availability };
	if (slo->latency_objective > 0)
		to[n++] = (struct objective){ alert_slow, "slow", "timed", "went to slow nodes", slow_advice, slo->latency_objective };
	return n;
}

static void put_item(const struct writing *w)
{
	struct objective o[2];
	size_t n = objectives_of(w->slo, o);
	put_group(w, "pitwall-slo", STEP_S);
	put_requests(w);
	put_since(w, "", "1h");
	put_times(w);
	put_count(w, "1h", "rate", STEP_S);
	for (size_t i = 0; i < n; i++) {
		put_ratio(w, &o[i], "5m", "rate");
		put_ratio(w, &o[i], "30m", "rate");
		put_ratio(w, &o[i], "1h", "rate");
		put_alert(w, &o[i], &burns[0]);
	}
	put_group(w, "pitwall-slo-slow", SLOW_STEP_S);
	put_since(w, "_slow", "3d");
	put_mean(w, "requests");
	if (w->slo->availability > 0)
		put_mean(w, "errors");
	if (w->slo->latency_objective > 0) {
		put_mean(w, "timed");
		put_mean(w, "slow");
	}
	put_count(w, "6h", "rate2m", SLOW_STEP_S);
	put_count(w, "3d", "rate2m", SLOW_STEP_S);
	for (size_t i = 0; i < n; i++) {
		put_ratio(w, &o[i], "6h", "rate2m");
		put_ratio(w, &o[i], "3d", "rate2m");
		put_slow_alerts(w, &o[i]);
	}
}

enum err slo_print(const struct fleet_slo *slos, size_t n, struct buf *to)
{
	buf_puts(to, n > 0 ? "groups:\n" : "groups: []\n");
	for (size_t i = 0; i < n && to->err == ERR_OK; i++) {
		struct writing w = { .slo = &slos[i], .to = to };
		buf_init(&w.select, TEXT_MAX);
		put_matchers(slos, n, &slos[i], &w.select);
		if (w.select.err == ERR_OK)
			put_item(&w);
		else
			to->err = w.select.err;
		buf_release(&w.select);
	}
	return to->err;
}

/* ---- parsed ---- */

struct slo_rules {
	struct yaml      *tree;
	struct rule_file *file;
};

enum err slo_rules_new(const struct fleet_slo *slos, size_t n, struct slo_rules **out, struct why *why)
{
	struct buf text;
	struct slo_rules *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	buf_init(&text, TEXT_MAX);
	enum err e = slo_print(slos, n, &text);
	if (e != ERR_OK)
		why_set(why, e, "the objectives make too long a rule file");
	if (e == ERR_OK)
		e = yaml_parse(text.data, text.len, SLO_SOURCE, NULL, &s->tree);
	if (e == ERR_OK)
		e = rule_file_read(s->tree, false, &s->file, why);
	buf_release(&text);
	if (e != ERR_OK) {
		slo_rules_free(s);
		return e == ERR_MEMORY ? why_memory(why) : e;
	}
	*out = s;
	return ERR_OK;
}

const struct rule_file *slo_rules_file(const struct slo_rules *s)
{
	return s->file;
}

void slo_rules_free(struct slo_rules *s)
{
	if (s == NULL)
		return;
	rule_file_free(s->file);
	yaml_discard(s->tree);
	free(s);
}
