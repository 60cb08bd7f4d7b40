/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/rule_test.h"

#include <float.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alerts/group.h"
#include "base/num.h"
#include "base/yaml.h"
#include "query/memory_source.h"
#include "query/series_text.h"
#include "rules/rule_file.h"

enum {
	INTERVAL_DEFAULT_MS = 60 * 1000, FILES_MAX = 256, SAID_MAX = 16 * 1024, STEPS_MAX = 1000000
};
static const int64_t time_max_ms = (int64_t)10 * 365 * 24 * 3600 * 1000;

/* ---- the file ---- */

struct loaded {
	struct yaml      *tree;
	struct rule_file *rules;
};

struct ordered_group {
	const struct rule_group *group;
	size_t                   order, at;
};

struct suite {
	struct yaml             *tree;
	struct diagnostics      *d;
	struct loaded            files[FILES_MAX];
	size_t                   n_files;
	struct ordered_group    *groups;
	size_t                   n_groups;
	int64_t                  interval_ms; /* of evaluations */
	struct rule_test_counts *counts;
};

/* One item of `tests`. */
struct test {
	struct suite            *suite;
	const struct yaml_node  *node, *alerts, *expressions;
	int64_t                  interval_ms; /* of the series' values */
	struct labels           *external;
	const char              *external_url;
	struct memory_source     source;
	struct alert_group     **groups;
};

static enum err load_file(struct suite *s, const struct yaml_node *at, const char *path, struct why *why)
{
	if (s->n_files == FILES_MAX) {
		yaml_error(s->tree, at, "more than %d rule files", FILES_MAX);
		return ERR_OK;
	}
	struct loaded *f = &s->files[s->n_files++];
	enum err e = yaml_read(path, s->d, &f->tree);
	if (e == ERR_OK)
		e = rule_file_read(f->tree, false, &f->rules, why);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK && s->d->n_errors == 0)
		yaml_error(s->tree, at, "cannot read '%s'", path);
	return ERR_OK;
}

/* Relative to the folder of the test file. */
static enum err load_pattern(struct suite *s, const struct yaml_node *at, const char *pattern, struct why *why)
{
	const char *file = yaml_file(s->tree), *slash = strrchr(file, '/');
	struct buf path;
	glob_t found;
	buf_init(&path, 16 * 1024);
	if (pattern[0] != '/' && slash != NULL)
		buf_put(&path, file, (size_t)(slash + 1 - file));
	buf_puts(&path, pattern);
	int how = glob(buf_text(&path), 0, NULL, &found);
	enum err e = path.err != ERR_OK || how == GLOB_NOSPACE ? why_memory(why) : ERR_OK;
	if (e == ERR_OK && how != 0)
		yaml_error(s->tree, at, "there is no file '%s'", buf_text(&path));
	for (size_t i = 0; how == 0 && e == ERR_OK && i < found.gl_pathc; i++)
		e = load_file(s, at, found.gl_pathv[i], why);
	if (how == 0)
		globfree(&found);
	buf_release(&path);
	return e;
}

static enum err load_files(struct suite *s, struct why *why)
{
	const struct yaml_node *list = yaml_get(yaml_root(s->tree), "rule_files");
	if (list == NULL || yaml_is_null(list) || !yaml_is_list(s->tree, list, "rule_files"))
		return ERR_OK;
	for (size_t i = 0; i < list->n; i++) {
		const char *pattern;
		enum err e = yaml_text(s->tree, list->items[i], "rule_files", &pattern) ? load_pattern(s, list->items[i], pattern, why) : ERR_OK;
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* As promtool has it: a group that is not named comes with the first. */
static size_t order_of(const struct suite *s, const char *name)
{
	const struct yaml_node *order = yaml_get(yaml_root(s->tree), "group_eval_order");
	const char *text;
	for (size_t i = 0; order != NULL && i < order->n; i++)
		if (yaml_text(s->tree, order->items[i], "group_eval_order", &text) && strcmp(text, name) == 0)
			return i;
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct ordered_group *x = a, *y = b;
	return x->order != y->order ? (x->order > y->order) - (x->order < y->order) : (x->at > y->at) - (x->at < y->at);
}

static enum err order_groups(struct suite *s, struct why *why)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_files; i++)
		n += s->files[i].rules != NULL ? s->files[i].rules->n_groups : 0;
	s->groups = calloc(n + 1, sizeof *s->groups);
	if (s->groups == NULL)
		return why_memory(why);
	for (size_t i = 0; i < s->n_files; i++)
		for (size_t k = 0; s->files[i].rules != NULL && k < s->files[i].rules->n_groups; k++, s->n_groups++)
			s->groups[s->n_groups] = (struct ordered_group){ &s->files[i].rules->groups[k], order_of(s, s->files[i].rules->groups[k].name), s->n_groups };
	qsort(s->groups, s->n_groups, sizeof *s->groups, by_order);
	return ERR_OK;
}

static bool is_list_or_none(const struct suite *s, const struct yaml_node *map, const char *key, const struct yaml_node **out)
{
	*out = yaml_get(map, key);
	if (*out != NULL && yaml_is_null(*out))
		*out = NULL;
	return *out == NULL || yaml_is_list(s->tree, *out, key);
}

static void check_keys(const struct suite *s, const struct yaml_node *map, const char *const *known, size_t n)
{
	if (yaml_is_map(s->tree, map, "an item"))
		yaml_check_keys(s->tree, map, known, n);
}

/* What can be told to be wrong before anything runs. */
static void check_test(const struct suite *s, const struct yaml_node *test)
{
	static const char *const keys[] = { "name", "interval", "input_series", "alert_rule_test", "promql_expr_test", "external_labels", "external_url" };
	static const char *const series_keys[] = { "series", "values" };
	static const char *const alert_keys[] = { "eval_time", "alertname", "exp_alerts" };
	static const char *const expr_keys[] = { "eval_time", "expr", "exp_samples" };
	const struct yaml_node *series, *alerts, *expressions;
	check_keys(s, test, keys, sizeof keys / sizeof *keys);
	if (!is_list_or_none(s, test, "input_series", &series) || !is_list_or_none(s, test, "alert_rule_test", &alerts) ||
	    !is_list_or_none(s, test, "promql_expr_test", &expressions))
		return;
	for (size_t i = 0; series != NULL && i < series->n; i++)
		check_keys(s, series->items[i], series_keys, 2);
	for (size_t i = 0; alerts != NULL && i < alerts->n; i++)
		check_keys(s, alerts->items[i], alert_keys, 3);
	for (size_t i = 0; expressions != NULL && i < expressions->n; i++)
		check_keys(s, expressions->items[i], expr_keys, 3);
}

static void check_suite(struct suite *s)
{
	static const char *const keys[] = { "rule_files", "evaluation_interval", "group_eval_order", "tests" };
	const struct yaml_node *root = yaml_root(s->tree), *tests, *order;
	s->interval_ms = INTERVAL_DEFAULT_MS;
	if (!yaml_is_map(s->tree, root, "a file of rule tests"))
		return;
	yaml_check_keys(s->tree, root, keys, sizeof keys / sizeof *keys);
	if (yaml_get(root, "evaluation_interval") != NULL)
		yaml_duration(s->tree, yaml_get(root, "evaluation_interval"), "evaluation_interval", 1, time_max_ms, &s->interval_ms);
	is_list_or_none(s, root, "group_eval_order", &order);
	if (is_list_or_none(s, root, "tests", &tests) && tests != NULL)
		for (size_t i = 0; i < tests->n; i++)
			check_test(s, tests->items[i]);
}

/* ---- the series ---- */

struct loading {
	struct test   *test;
	struct labels *labels;
	int64_t        t_ms;
};

static enum err load_value(void *ctx, bool is_there, double v)
{
	struct loading *l = ctx;
	enum err e = is_there ? memory_source_add(&l->test->source, l->labels, l->t_ms, v) : ERR_OK;
	l->t_ms += l->test->interval_ms;
	return e;
}

static enum err load_one(struct test *t, const struct yaml_node *item, struct why *why)
{
	const struct suite *s = t->suite;
	const char *series, *values;
	struct loading l = { .test = t };
	struct why reason = { "" };
	if (!yaml_text(s->tree, yaml_get(item, "series") != NULL ? yaml_get(item, "series") : item, "series", &series) ||
	    !yaml_text(s->tree, yaml_get(item, "values") != NULL ? yaml_get(item, "values") : item, "values", &values))
		return ERR_OK;
	enum err e = series_text_labels(series, &l.labels, &reason);
	if (e == ERR_OK)
		e = series_text_values(values, load_value, &l, &reason);
	labels_unref(l.labels);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK)
		yaml_error(s->tree, item, "%s", reason.text);
	return ERR_OK;
}

static enum err load_series(struct test *t, struct why *why)
{
	const struct yaml_node *list;
	enum err e = ERR_OK;
	if (!is_list_or_none(t->suite, t->node, "input_series", &list) || list == NULL)
		return ERR_OK;
	for (size_t i = 0; i < list->n && e == ERR_OK; i++)
		e = load_one(t, list->items[i], why);
	return e;
}

/* ---- what is expected ---- */

/* Labels or annotations: a mapping of texts; `alertname` NULL: none. */
static enum err read_labels(const struct suite *s, const struct yaml_node *map, const char *what, const char *alertname, struct labels **out,
                            struct why *why)
{
	struct labels_builder b;
	labels_builder_init(&b);
	if (map != NULL && !yaml_is_null(map) && yaml_is_map(s->tree, map, what)) {
		for (size_t i = 0; i < map->n; i++) {
			const char *value = "";
			if (yaml_is_null(map->items[i]) || yaml_text(s->tree, map->items[i], what, &value))
				labels_builder_set(&b, map->keys[i]->text, value);
		}
	}
	if (alertname != NULL)
		labels_builder_set(&b, "alertname", alertname);
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

/* An alert, or a sample: what it is called, and its annotations or its value. */
struct item {
	struct labels *labels, *annotations;
	double         value;
	bool           is_matched;
};

struct items {
	struct item *list;
	size_t       n, cap;
};

static void items_release(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		labels_unref(l->list[i].labels);
		labels_unref(l->list[i].annotations);
	}
	free(l->list);
}

static struct item *items_add(struct items *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 8;
		struct item *list = realloc(l->list, cap * sizeof *list);
		if (list == NULL)
			return NULL;
		l->list = list;
		l->cap = cap;
	}
	l->list[l->n] = (struct item){ .labels = NULL };
	return &l->list[l->n++];
}

static bool same_item(const struct item *a, const struct item *b)
{
	if (!labels_equal(a->labels, b->labels) || (a->annotations == NULL) != (b->annotations == NULL))
		return false;
	if (a->annotations != NULL)
		return labels_equal(a->annotations, b->annotations);
	return !(a->value < b->value || a->value > b->value) && isnan(a->value) == isnan(b->value);
}

static void print_item(const struct item *i, struct buf *to)
{
	char number[NUMBER_TEXT];
	labels_print(i->labels, to);
	if (i->annotations == NULL) {
		buf_printf(to, " %s", format_f64(i->value, number));
	} else if (labels_count(i->annotations) > 0) {
		buf_puts(to, " with ");
		labels_print(i->annotations, to);
	}
}

static size_t print_unmatched(const struct items *l, const char *before, struct buf *to)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (l->list[i].is_matched)
			continue;
		buf_puts(to, n++ > 0 ? ", " : before);
		print_item(&l->list[i], to);
	}
	return n;
}

/* As multisets. */
static void compare(const struct test *t, const struct yaml_node *at, struct items *want, struct items *got, const char *what, int64_t at_ms)
{
	struct buf said;
	char when[DURATION_TEXT];
	for (size_t i = 0; i < want->n; i++) {
		for (size_t k = 0; k < got->n && !want->list[i].is_matched; k++) {
			if (!got->list[k].is_matched && same_item(&want->list[i], &got->list[k]))
				want->list[i].is_matched = got->list[k].is_matched = true;
		}
	}
	buf_init(&said, SAID_MAX);
	size_t n = print_unmatched(want, "; expected and not there: ", &said);
	n += print_unmatched(got, "; there and not expected: ", &said);
	if (n > 0)
		yaml_error(t->suite->tree, at, "%s at %s%s", what, format_duration(at_ms, when), buf_text(&said));
	buf_release(&said);
	if (n > 0)
		t->suite->counts->failed++;
	else
		t->suite->counts->passed++;
}

static bool time_of(const struct suite *s, const struct yaml_node *item, int64_t *out)
{
	const struct yaml_node *node = yaml_get(item, "eval_time");
	*out = 0;
	return node == NULL || yaml_duration(s->tree, node, "eval_time", 0, time_max_ms, out);
}

/* ---- alerts ---- */

static enum err expected_alerts(const struct test *t, const struct yaml_node *item, const char *name, struct items *out, struct why *why)
{
	const struct yaml_node *list;
	const struct suite *s = t->suite;
	if (!is_list_or_none(s, item, "exp_alerts", &list) || list == NULL)
		return ERR_OK;
	for (size_t i = 0; i < list->n; i++) {
		struct item *a = items_add(out);
		if (a == NULL)
			return why_memory(why);
		enum err e = read_labels(s, yaml_get(list->items[i], "exp_labels"), "exp_labels", name, &a->labels, why);
		if (e == ERR_OK)
			e = read_labels(s, yaml_get(list->items[i], "exp_annotations"), "exp_annotations", NULL, &a->annotations, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err firing_of(struct alert_life *life, struct items *out, struct why *why)
{
	for (size_t i = 0; i < alert_life_count(life); i++) {
		const struct alert *a = alert_life_at(life, i);
		if (a->state != ALERT_FIRING)
			continue;
		struct item *item = items_add(out);
		if (item == NULL)
			return why_memory(why);
		item->labels = labels_ref(a->labels);
		enum err e = alert_life_annotations(life, a, &item->annotations, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Of all groups: the same name may stand in several. */
static enum err firing_alerts(const struct test *t, const char *name, struct items *out, struct why *why)
{
	for (size_t g = 0; g < t->suite->n_groups; g++) {
		const struct rule_group *group = t->suite->groups[g].group;
		for (size_t r = 0; r < group->n_rules; r++) {
			if (group->rules[r].kind != RULE_ALERT || strcmp(group->rules[r].name, name) != 0)
				continue;
			enum err e = firing_of(alert_group_life(t->groups[g], r), out, why);
			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

static enum err check_alert(const struct test *t, const struct yaml_node *item, int64_t at_ms, struct why *why)
{
	struct items want = { .n = 0 }, got = { .n = 0 };
	const char *name;
	char what[300];
	const struct yaml_node *node = yaml_get(item, "alertname");
	if (node == NULL || !yaml_text(t->suite->tree, node, "alertname", &name)) {
		yaml_error(t->suite->tree, item, "'alertname' is missing");
		t->suite->counts->failed++;
		return ERR_OK;
	}
	enum err e = expected_alerts(t, item, name, &want, why);
	if (e == ERR_OK)
		e = firing_alerts(t, name, &got, why);
	snprintf(what, sizeof what, "alert '%.200s'", name);
	if (e == ERR_OK)
		compare(t, item, &want, &got, what, at_ms);
	items_release(&want);
	items_release(&got);
	return e;
}

/* Those whose time is in [from, until). */
static enum err check_alerts(const struct test *t, int64_t from_ms, int64_t until_ms, struct why *why)
{
	for (size_t i = 0; t->alerts != NULL && i < t->alerts->n; i++) {
		int64_t at_ms;
		if (!time_of(t->suite, t->alerts->items[i], &at_ms) || at_ms < from_ms || at_ms >= until_ms)
			continue;
		enum err e = check_alert(t, t->alerts->items[i], at_ms, why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- expressions ---- */

/* As YAML writes numbers; NaN is NaN here, which promtool finds different from itself. */
static bool read_value(const char *text, double *out)
{
	bool is_negative = text[0] == '-';
	const char *plain = text + (is_negative || text[0] == '+');
	plain += *plain == '.' && strlen(plain) == 4 && (plain[1] < '0' || plain[1] > '9'); /* ".inf", ".nan" */
	if (strcasecmp(plain, "inf") == 0 || strcasecmp(plain, "nan") == 0) {
		double v = strcasecmp(plain, "nan") == 0 ? (double)NAN : (double)INFINITY;
		*out = is_negative ? -v : v;
		return true;
	}
	return parse_f64(text + (text[0] == '+'), -DBL_MAX, DBL_MAX, out) == ERR_OK;
}

static enum err expected_sample(const struct suite *s, const struct yaml_node *item, struct item *out, struct why *why)
{
	const struct yaml_node *labels = yaml_get(item, "labels"), *value = yaml_get(item, "value");
	struct why reason = { "" };
	const char *text = "", *number = "0";
	if ((labels != NULL && !yaml_is_null(labels) && !yaml_text(s->tree, labels, "labels", &text)) ||
	    (value != NULL && !yaml_text(s->tree, value, "value", &number)))
		return ERR_FORMAT;
	enum err e = series_text_labels(text, &out->labels, &reason);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK)
		yaml_error(s->tree, item, "%s", reason.text);
	else if (!read_value(number, &out->value))
		yaml_error(s->tree, item, "'value' is no number: '%.100s'", number);
	else
		return ERR_OK;
	return ERR_FORMAT;
}

/* ERR_FORMAT: it was told what is wrong. */
static enum err expected_samples(const struct test *t, const struct yaml_node *item, struct items *out, struct why *why)
{
	const struct yaml_node *list;
	enum err e = ERR_OK;
	if (!is_list_or_none(t->suite, item, "exp_samples", &list))
		return ERR_FORMAT;
	for (size_t i = 0; list != NULL && i < list->n && e == ERR_OK; i++) {
		struct item *sample = items_add(out);
		e = sample == NULL ? why_memory(why) : expected_sample(t->suite, list->items[i], sample, why);
	}
	return e;
}

static enum err evaluate(const struct test *t, const char *text, int64_t at_ms, struct items *out, struct why *why)
{
	struct query *q = NULL;
	struct query_result r;
	enum err e = query_parse(text, &q, NULL, why);
	if (e == ERR_OK)
		e = query_instant(q, &t->source.source, at_ms, NULL, &r, why);
	query_free(q);
	if (e != ERR_OK)
		return e;
	if (r.type != VALUE_VECTOR && r.type != VALUE_SCALAR)
		e = why_set(why, ERR_FORMAT, "the expression gives neither a vector nor a number");
	size_t n = e != ERR_OK ? 0 : r.type == VALUE_SCALAR ? 1 : r.series.n;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		struct item *s = items_add(out);
		if (s == NULL) {
			e = why_memory(why);
		} else if (r.type == VALUE_SCALAR) {
			s->value = r.scalar;
			e = labels_new(NULL, 0, &s->labels, why);
		} else {
			s->value = r.series.items[i].v[0];
			s->labels = labels_ref(r.series.items[i].labels);
		}
	}
	query_result_release(&r);
	return e;
}

static enum err check_expression(const struct test *t, const struct yaml_node *item, struct why *why)
{
	struct items want = { .n = 0 }, got = { .n = 0 };
	struct why reason = { "" };
	const char *text;
	char what[300];
	int64_t at_ms;
	const struct yaml_node *node = yaml_get(item, "expr");
	if (node == NULL)
		yaml_error(t->suite->tree, item, "'expr' is missing");
	if (node == NULL || !yaml_text(t->suite->tree, node, "expr", &text) || !time_of(t->suite, item, &at_ms)) {
		t->suite->counts->failed++;
		return ERR_OK;
	}
	enum err e = expected_samples(t, item, &want, &reason);
	bool is_told = e == ERR_FORMAT;
	if (e == ERR_OK)
		e = evaluate(t, text, at_ms, &got, &reason);
	snprintf(what, sizeof what, "'%.200s'", text);
	if (e == ERR_OK)
		compare(t, item, &want, &got, what, at_ms);
	else
		t->suite->counts->failed++;
	if (e != ERR_OK && e != ERR_MEMORY && !is_told)
		yaml_error(t->suite->tree, node, "%s", reason.text);
	items_release(&want);
	items_release(&got);
	return e == ERR_MEMORY ? why_memory(why) : ERR_OK;
}

/* ---- a test ---- */

static enum err put(void *ctx, const struct labels *l, int64_t t_ms, double v)
{
	return memory_source_add(&((struct test *)ctx)->source, l, t_ms, v);
}

static enum err make_groups(struct test *t, struct why *why)
{
	t->groups = calloc(t->suite->n_groups + 1, sizeof(struct alert_group *));
	if (t->groups == NULL)
		return why_memory(why);
	for (size_t i = 0; i < t->suite->n_groups; i++) {
		const struct alert_group_options o = { .group = t->suite->groups[i].group, .source = &t->source.source, .external = t->external,
			                                   .external_url = t->external_url, .put = put, .ctx = t };
		enum err e = alert_group_new(&o, &t->groups[i], why);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* A rule that fails fails the test, as with promtool. */
static bool has_failed(const struct test *t, size_t g, int64_t at_ms)
{
	const struct rule_group *group = t->suite->groups[g].group;
	char when[DURATION_TEXT];
	bool failed = false;
	for (size_t r = 0; r < group->n_rules; r++) {
		const struct rule_health *h = alert_group_health(t->groups[g], r);
		if (h->err == ERR_OK)
			continue;
		yaml_error(t->suite->tree, t->node, "rule '%s' at %s: %s", group->rules[r].name, format_duration(at_ms, when), h->text);
		failed = true;
	}
	return failed;
}

static void end_of(const struct suite *s, const struct yaml_node *list, int64_t *max_ms)
{
	int64_t at_ms;
	for (size_t i = 0; list != NULL && i < list->n; i++)
		if (time_of(s, list->items[i], &at_ms) && at_ms > *max_ms)
			*max_ms = at_ms;
}

static enum err run_steps(struct test *t, struct why *why)
{
	int64_t last_ms = 0, interval_ms = t->suite->interval_ms;
	end_of(t->suite, t->alerts, &last_ms);
	end_of(t->suite, t->expressions, &last_ms);
	if (last_ms / interval_ms > STEPS_MAX) {
		yaml_error(t->suite->tree, t->node, "more than %d evaluations up to the last 'eval_time'", STEPS_MAX);
		t->suite->counts->failed++;
		return ERR_OK;
	}
	for (int64_t at_ms = 0; at_ms <= last_ms; at_ms += interval_ms) {
		bool failed = false;
		for (size_t g = 0; g < t->suite->n_groups; g++) {
			enum err e = alert_group_step(t->groups[g], at_ms, why);
			if (e != ERR_OK)
				return e;
			failed |= has_failed(t, g, at_ms);
		}
		if (failed) {
			t->suite->counts->failed++;
			return ERR_OK;
		}
		enum err e = check_alerts(t, at_ms, at_ms + interval_ms, why);
		if (e != ERR_OK)
			return e;
	}
	enum err e = ERR_OK;
	for (size_t i = 0; t->expressions != NULL && i < t->expressions->n && e == ERR_OK; i++)
		e = check_expression(t, t->expressions->items[i], why);
	return e;
}

static enum err read_test(struct test *t, struct why *why)
{
	const struct yaml *tree = t->suite->tree;
	const struct yaml_node *interval = yaml_get(t->node, "interval"), *url = yaml_get(t->node, "external_url");
	t->interval_ms = t->suite->interval_ms;
	if (interval != NULL)
		yaml_duration(tree, interval, "interval", 1, time_max_ms, &t->interval_ms);
	if (url != NULL)
		yaml_text(tree, url, "external_url", &t->external_url);
	is_list_or_none(t->suite, t->node, "alert_rule_test", &t->alerts);
	is_list_or_none(t->suite, t->node, "promql_expr_test", &t->expressions);
	enum err e = read_labels(t->suite, yaml_get(t->node, "external_labels"), "external_labels", NULL, &t->external, why);
	if (e == ERR_OK)
		e = load_series(t, why);
	return e == ERR_OK ? make_groups(t, why) : e;
}

static enum err run_test(struct suite *s, const struct yaml_node *node, struct why *why)
{
	struct test t = { .suite = s, .node = node };
	size_t before = s->d->n_errors;
	struct why reason = { "" };
	memory_source_init(&t.source);
	enum err e = read_test(&t, &reason);
	if (e == ERR_FORMAT) {
		yaml_error(s->tree, node, "%s", reason.text);
		e = ERR_OK;
	}
	if (e == ERR_OK && s->d->n_errors == before)
		e = run_steps(&t, why);
	else if (e == ERR_OK)
		s->counts->failed++;
	for (size_t i = 0; t.groups != NULL && i < s->n_groups; i++)
		alert_group_free(t.groups[i]);
	free(t.groups);
	labels_unref(t.external);
	memory_source_release(&t.source);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

/* ---- the whole ---- */

static enum err run_suite(struct suite *s, struct why *why)
{
	check_suite(s);
	enum err e = load_files(s, why);
	if (e == ERR_OK && s->d->n_errors > 0)
		return why_set(why, ERR_FORMAT, "'%s' cannot be run", yaml_file(s->tree));
	if (e == ERR_OK)
		e = order_groups(s, why);
	const struct yaml_node *tests = yaml_get(yaml_root(s->tree), "tests");
	for (size_t i = 0; e == ERR_OK && tests != NULL && i < tests->n; i++)
		e = run_test(s, tests->items[i], why);
	return e;
}

enum err rule_test_run(const char *path, struct diagnostics *d, struct rule_test_counts *out, struct why *why)
{
	struct suite *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	struct diagnostics mine;
	diagnostics_init(&mine);
	s->d = &mine;
	s->counts = out;
	*out = (struct rule_test_counts){ .passed = 0 };
	enum err e = yaml_read(path, s->d, &s->tree);
	if (e == ERR_OK)
		e = run_suite(s, why);
	else if (mine.n_errors > 0)
		e = why_set(why, e, "'%s' cannot be run", path);
	else
		why_set(why, e, "cannot read '%s'", path);
	for (size_t i = 0; i < mine.n; i++)
		diagnostics_add(d, mine.items[i].severity, mine.items[i].file, mine.items[i].line, mine.items[i].col, "%s", mine.items[i].text);
	diagnostics_release(&mine);
	for (size_t i = 0; i < s->n_files; i++) {
		rule_file_free(s->files[i].rules);
		yaml_discard(s->files[i].tree);
	}
	yaml_discard(s->tree);
	free(s->groups);
	free(s);
	return e;
}
