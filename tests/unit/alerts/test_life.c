/* SPDX-License-Identifier: Apache-2.0
 *
 * An alert's life, step by step: which results there are at each evaluation, a minute apart, and what the alerts are then. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "alerts/life.h"
#include "base/diagnostics.h"
#include "base/yaml.h"

enum { MINUTE = 60 * 1000, START = 1000 * MINUTE, LOG = 4096 };

struct stage {
	struct diagnostics   d;
	struct yaml         *tree;
	struct rule_file    *file;
	struct alert_life   *life;
	char                 log[LOG]; /* of changes */
};

static const char letters[] = "IPF";

static void on_change(void *ctx, const struct alert *a, enum alert_state before, int64_t at_ms)
{
	struct stage *s = ctx;
	size_t n = strlen(s->log);
	snprintf(s->log + n, sizeof s->log - n, "%lld%s:%c%c%s ", (long long)((at_ms - START) / MINUTE), labels_get(a->labels, "x"), letters[before],
	         letters[a->state], a->is_flapping ? "~" : "");
}

static enum err begin(struct stage *s, const char *rule, size_t limit, struct why *why)
{
	char text[2048];
	memset(s, 0, sizeof *s);
	snprintf(text, sizeof text, "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: m\n%s", rule);
	diagnostics_init(&s->d);
	assert_int_equal(yaml_parse(text, strlen(text), "rules.yml", &s->d, &s->tree), ERR_OK);
	assert_int_equal(rule_file_read(s->tree, false, &s->file, why), ERR_OK);
	const struct alert_life_options o = { .rule = &s->file->groups[0].rules[0], .limit = limit, .changed = on_change, .ctx = s };
	return alert_life_new(&o, &s->life, why);
}

static void end(struct stage *s)
{
	alert_life_free(s->life);
	rule_file_free(s->file);
	yaml_discard(s->tree);
	diagnostics_release(&s->d);
}

/* A result with a series x=LETTER for each letter of `which`, with the value 10, 11, ... ('-' is none). */
static enum err step(struct stage *s, int minute, const char *which, size_t n, struct why *why)
{
	struct series series[32];
	int64_t t_ms = START + minute * MINUTE;
	double values[32];
	size_t made = 0;
	for (size_t i = 0; i < n; i++) {
		if (which[i] == '-')
			continue;
		char x[2] = { which[i], '\0' };
		values[made] = 10 + minute;
		series[made] = (struct series){ .labels = labels_of("__name__", "m", "x", x, NULL), .n = 1, .t_ms = &t_ms, .v = &values[made] };
		made++;
	}
	const struct series_set set = { .items = series, .n = made };
	enum err e = alert_life_step(s->life, t_ms, &set, why);
	for (size_t i = 0; i < made; i++)
		labels_unref(series[i].labels);
	return e;
}

static char state_of(const struct stage *s, const char *x)
{
	for (size_t i = 0; i < alert_life_count(s->life); i++)
		if (strcmp(labels_get(alert_life_at(s->life, i)->labels, "x"), x) == 0)
			return letters[alert_life_at(s->life, i)->state];
	return '.';
}

static void test_states(void **state)
{
	static const struct {
		const char *label, *rule;
		const char *steps;  /* a word an evaluation: what is true */
		const char *states; /* of a: I P F, '.' not there */
		const char *log;
	} rows[] = {
		{ "without for it fires at once", "", "a a - -", "FFII", "0a:IF 2a:FI " },
		{ "for", "        for: 2m\n", "a a a a -", "PPFFI", "0a:IP 2a:PF 4a:FI " },
		{ "a gap while pending begins anew", "        for: 2m\n", "a a - a a a", "PP.PPF", "0a:IP 2a:PI 3a:IP 5a:PF " },
		{ "keep_firing_for", "        keep_firing_for: 2m\n", "a - - - a", "FFFIF", "0a:IF 3a:FI 4a:IF " },
		{ "keep_firing_for, back in time", "        keep_firing_for: 2m\n", "a - - a - - -", "FFFFFFI", "0a:IF 6a:FI " },
		{ "pending is not kept", "        for: 2m\n        keep_firing_for: 5m\n", "a - a", "P.P", "0a:IP 1a:PI 2a:IP " },
		{ "again after it was resolved", "        for: 1m\n", "a a - a a", "PFIPF", "0a:IP 1a:PF 2a:FI 3a:IP 4a:PF " },
		{ "each for itself", "        for: 1m\n", "a ab b -", "PFII", "0a:IP 1a:PF 1b:IP 2a:FI 2b:PF 3b:FI " },
		{ "forgotten after a quarter of an hour", "", "a - - - - - - - - - - - - - - - - -", "FIIIIIIIIIIIIIIII.", "0a:IF 1a:FI " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stage s;
		struct why why = { "" };
		int minute = 0;
		assert_row(rows[i].label, begin(&s, rows[i].rule, 0, &why) == ERR_OK);
		for (const char *p = rows[i].steps; *p != '\0'; minute++) {
			size_t n = strcspn(p, " ");
			assert_row(rows[i].label, step(&s, minute, p, n, &why) == ERR_OK);
			if (state_of(&s, "a") != rows[i].states[minute])
				print_message("%s: minute %d is %c\n", rows[i].label, minute, state_of(&s, "a"));
			assert_row(rows[i].label, state_of(&s, "a") == rows[i].states[minute]);
			p += n + strspn(p + n, " ");
		}
		assert_string_equal(s.log, rows[i].log);
		end(&s);
	}
}

static const struct alert *only(const struct stage *s)
{
	assert_int_equal(alert_life_count(s->life), 1);
	return alert_life_at(s->life, 0);
}

static void test_texts(void **state)
{
	struct stage s;
	struct why why = { "" };
	struct labels *annotations = NULL;
	(void)state;
	assert_int_equal(begin(&s, "        labels: { severity: page, who: '{{ $labels.x }}!', gone: '' }\n"
	                           "        annotations: { summary: '{{ $labels.x }} at {{ $value }}', bad: '{{ first (query \"x\") }}' }\n",
	                       0, &why),
	                 ERR_OK);
	assert_int_equal(step(&s, 0, "a", 1, &why), ERR_OK);
	assert_int_equal(step(&s, 1, "a", 1, &why), ERR_OK);
	struct labels *want = labels_of("alertname", "A", "severity", "page", "who", "a!", "x", "a", NULL);
	assert_true(labels_equal(only(&s)->labels, want));
	labels_unref(want);
	assert_int_equal(alert_life_annotations(s.life, only(&s), &annotations, &why), ERR_OK);
	assert_string_equal(labels_get(annotations, "summary"), "a at 11");
	assert_string_equal(labels_get(annotations, "bad"), "<error expanding template: 'query' cannot be used here>");
	labels_unref(annotations);
	assert_true(only(&s)->active_ms == START && only(&s)->fired_ms == START && only(&s)->true_ms == START + MINUTE);
	end(&s);
	assert_int_equal(begin(&s, "        annotations: { summary: '{{ nosuch }}' }\n", 0, &why), ERR_FORMAT);
	assert_string_equal(why.text, "annotation 'summary': there is no function 'nosuch'");
	end(&s);
}

/* A label that follows the value makes another alert with each value, as it does in Prometheus. */
static void test_label_of_value(void **state)
{
	struct stage s;
	struct why why = { "" };
	(void)state;
	assert_int_equal(begin(&s, "        labels: { v: '{{ $value }}' }\n", 0, &why), ERR_OK);
	assert_int_equal(step(&s, 0, "a", 1, &why), ERR_OK);
	assert_int_equal(step(&s, 1, "a", 1, &why), ERR_OK);
	assert_int_equal(alert_life_count(s.life), 2);
	assert_string_equal(s.log, "0a:IF 1a:FI 1a:IF ");
	end(&s);
}

static void test_refusals(void **state)
{
	struct stage s;
	struct why why = { "" };
	(void)state;
	assert_int_equal(begin(&s, "        labels: { x: same }\n", 0, &why), ERR_OK);
	assert_int_equal(step(&s, 0, "a", 1, &why), ERR_OK);
	assert_int_equal(step(&s, 1, "ab", 2, &why), ERR_EXISTS);
	assert_string_equal(why.text, "two results of 'A' have the same labels once the rule's are laid over them");
	assert_int_equal(step(&s, 2, "b", 1, &why), ERR_OK); /* the same alert, from another series */
	assert_string_equal(s.log, "0same:IF ");
	assert_int_equal(only(&s)->state, ALERT_FIRING);
	end(&s);
	assert_int_equal(begin(&s, "", 2, &why), ERR_OK);
	assert_int_equal(step(&s, 0, "ab", 2, &why), ERR_OK);
	assert_int_equal(step(&s, 1, "abc", 3, &why), ERR_LIMIT);
	assert_int_equal(alert_life_count(s.life), 0);
	assert_string_equal(why.text, "'A' has 3 alerts, and the limit of its group is 2");
	end(&s);
}

static void test_flapping(void **state)
{
	struct stage s;
	struct why why = { "" };
	int minute = 0;
	(void)state;
	assert_int_equal(begin(&s, "", 0, &why), ERR_OK);
	for (; minute < 4; minute++)
		assert_int_equal(step(&s, minute, minute % 2 == 0 ? "a" : "-", 1, &why), ERR_OK);
	assert_false(only(&s)->is_flapping);
	assert_true(only(&s)->flap_percent > FLAP_LOW_PERCENT && only(&s)->flap_percent < FLAP_HIGH_PERCENT);
	for (; minute < 6; minute++)
		assert_int_equal(step(&s, minute, minute % 2 == 0 ? "a" : "-", 1, &why), ERR_OK);
	assert_true(only(&s)->is_flapping);
	assert_non_null(strstr(s.log, "5a:FI~ "));
	for (; minute < 6 + FLAP_STATES; minute++)
		assert_int_equal(step(&s, minute, "a", 1, &why), ERR_OK);
	assert_false(only(&s)->is_flapping);
	end(&s);
}

static void test_restore(void **state)
{
	struct stage s;
	struct why why = { "" };
	struct labels *labels = labels_of("alertname", "A", "x", "a", NULL), *source = labels_of("__name__", "m", "x", "a", NULL);
	const struct alert pending = { .labels = labels, .source = source, .state = ALERT_PENDING, .active_ms = START - 10 * MINUTE };
	const struct alert firing = { .labels = labels, .source = source, .state = ALERT_FIRING, .active_ms = START - 10 * MINUTE, .fired_ms = START - 8 * MINUTE };
	(void)state;
	/* Seven of its ten minutes were over when we went down for three. */
	assert_int_equal(begin(&s, "        for: 10m\n", 0, &why), ERR_OK);
	assert_int_equal(alert_life_restore(s.life, &pending, START - 3 * MINUTE, START, &why), ERR_OK);
	for (int minute = 0; minute < 4; minute++)
		assert_int_equal(step(&s, minute, "a", 1, &why), ERR_OK);
	assert_string_equal(s.log, "3a:PF ");
	end(&s);
	/* What fired is not told again, and is resolved where it is over. */
	assert_int_equal(begin(&s, "        for: 10m\n", 0, &why), ERR_OK);
	assert_int_equal(alert_life_restore(s.life, &firing, START - 3 * MINUTE, START, &why), ERR_OK);
	assert_int_equal(alert_life_restore(s.life, &firing, START - 3 * MINUTE, START, &why), ERR_EXISTS);
	assert_int_equal(step(&s, 0, "a", 1, &why), ERR_OK);
	assert_int_equal(step(&s, 1, "-", 1, &why), ERR_OK);
	assert_string_equal(s.log, "1a:FI ");
	end(&s);
	/* Nobody looked for too long. */
	assert_int_equal(begin(&s, "        for: 10m\n", 0, &why), ERR_OK);
	assert_int_equal(alert_life_restore(s.life, &pending, START - 61 * MINUTE, START, &why), ERR_OK);
	assert_int_equal(alert_life_count(s.life), 0);
	end(&s);
	labels_unref(labels);
	labels_unref(source);
}

/* Thousands, coming and going: what the indexes say is what there is. */
static void test_many(void **state)
{
	enum { MANY = 3000 };
	struct stage s;
	struct why why = { "" };
	static struct series series[MANY];
	static double value = 1;
	(void)state;
	assert_int_equal(begin(&s, "        labels: { a: b }\n", 0, &why), ERR_OK);
	for (int round = 0; round < 6; round++) {
		size_t n = 0;
		int64_t t_ms = START + (int64_t)round * 10 * MINUTE;
		for (int i = 0; i < MANY; i++) {
			char name[16];
			if (i % 3 == round % 3)
				continue;
			snprintf(name, sizeof name, "%d", i);
			series[n++] = (struct series){ .labels = labels_of("x", name, NULL), .n = 1, .t_ms = &t_ms, .v = &value };
		}
		const struct series_set set = { .items = series, .n = n };
		s.log[0] = '\0';
		assert_int_equal(alert_life_step(s.life, t_ms, &set, &why), ERR_OK);
		size_t firing = 0;
		for (size_t i = 0; i < alert_life_count(s.life); i++)
			firing += alert_life_at(s.life, i)->state == ALERT_FIRING;
		assert_int_equal(firing, n);
		for (size_t i = 0; i < n; i++)
			labels_unref(series[i].labels);
	}
	assert_int_equal(alert_life_count(s.life), MANY);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),   cmocka_unit_test(test_texts),   cmocka_unit_test(test_label_of_value), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_flapping), cmocka_unit_test(test_restore), cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
