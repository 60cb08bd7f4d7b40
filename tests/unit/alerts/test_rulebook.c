/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files as one book: what is shared from one reading to the next, and what goes on when a file breaks. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "alerts/rulebook.h"

static struct why why;

struct files {
	char folder[64], a[96], b[96];
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void make_files(struct files *f)
{
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-book-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->a, sizeof f->a, "%s/a.yml", f->folder);
	snprintf(f->b, sizeof f->b, "%s/b.yml", f->folder);
}

static void remove_files(const struct files *f)
{
	unlink(f->a);
	unlink(f->b);
	rmdir(f->folder);
}

#define ONE   "groups: [{name: one, rules: [{alert: A, expr: x > 1, for: 5m}]}]\n"
#define OTHER "groups: [{name: one, rules: [{alert: A, expr: x > 2, for: 5m}]}]\n"
#define TWO   "groups: [{name: two, rules: [{record: y, expr: sum(x)}]}, {name: three, rules: []}]\n"
#define BUILT_IN "groups: [{name: built in, rules: [{alert: A, expr: x > 1, for: 5m}]}]\n"
#define BOTH "groups: [{name: one, rules: [{alert: A, expr: x > 3}]}, {name: two, rules: [{record: z, expr: min(x)}]}]\n"
#define BROKEN "groups: [{name: one, rules: [{alert: A, expr: 'x >'}]}]\n"
#define BROKEN_TEMPLATE "groups: [{name: one, rules: [{alert: A, expr: x, annotations: {summary: '{{ $labels.'}}]}]\n"

static struct rulebook *read_book(const struct rulebook_options *o, const struct rulebook *before, struct diagnostics *d)
{
	struct rulebook *b = NULL;
	assert_ok(rulebook_read(o, before, d, &b, &why));
	return b;
}

static void what_is_broken_goes_on_as_it_was(void **state)
{
	(void)state;
	struct files f;
	struct diagnostics d;
	make_files(&f);
	const char *const paths[] = { f.a, f.b };
	static const struct rulebook_text texts[] = { { "pitwall:x.yml", TWO, sizeof TWO - 1 } };
	const struct rulebook_options o = { .paths = paths, .n_paths = 2, .texts = texts, .n_texts = 1 };
	write_file(f.a, ONE);
	write_file(f.b, BROKEN);
	diagnostics_init(&d);
	struct rulebook *first = read_book(&o, NULL, &d);
	assert_int_equal(rulebook_count(first), 3); /* what never was good is not there */
	assert_string_equal(rulebook_at(first, 0)->source, "pitwall:x.yml;two");
	char want[128];
	snprintf(want, sizeof want, "%s;one", f.a);
	assert_string_equal(rulebook_at(first, 2)->source, want);
	assert_int_equal(d.n_errors, 1);
	assert_string_equal(d.items[0].file, f.b);
	assert_int_equal(d.items[0].line, 1);

	static const char *const broken[] = { BROKEN, BROKEN_TEMPLATE, "groups: 3\n", NULL };
	struct rulebook *now = first;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		if (broken[i] != NULL)
			write_file(f.a, broken[i]);
		else
			unlink(f.a);
		diagnostics_release(&d);
		diagnostics_init(&d);
		struct rulebook *next = read_book(&o, now, &d);
		assert_int_equal(d.n_errors, 2);
		assert_int_equal(rulebook_count(next), 3);
		assert_ptr_equal(rulebook_at(next, 2)->group, rulebook_at(now, 2)->group);
		rulebook_free(now);
		now = next;
	}
	write_file(f.a, OTHER);
	struct rulebook *next = read_book(&o, now, NULL);
	assert_ptr_not_equal(rulebook_at(next, 2)->group, rulebook_at(now, 2)->group);
	assert_ptr_equal(rulebook_at(next, 0)->group, rulebook_at(now, 0)->group);
	assert_string_equal(rulebook_at(next, 2)->group->rules[0].expr, "x > 2");
	struct rulebook_file *kept = rulebook_file_ref(rulebook_at(now, 2)->file);
	const struct rule_group *group = rulebook_at(now, 2)->group;
	rulebook_free(now);
	rulebook_free(next);
	assert_string_equal(group->rules[0].expr, "x > 1"); /* whoever runs a group keeps its file */
	rulebook_file_unref(kept);
	diagnostics_release(&d);
	remove_files(&f);
}

static void a_group_of_a_site_replaces_a_built_in_one(void **state)
{
	(void)state;
	struct files f;
	make_files(&f);
	const char *const paths[] = { f.a, f.b };
	static const struct rulebook_text texts[] = { { "pitwall:x", BOTH, sizeof BOTH - 1 }, { "pitwall:y", TWO, sizeof TWO - 1 } };
	const struct rulebook_options o = { .paths = paths, .n_paths = 2, .texts = texts, .n_texts = 2 };
	static const char *const want[] = { "pitwall:y;two", "pitwall:y;three", ";one", ";one" };
	write_file(f.a, OTHER);
	write_file(f.b, ONE); /* files do not replace each other */
	struct rulebook *b = read_book(&o, NULL, NULL);
	assert_int_equal(rulebook_count(b), sizeof want / sizeof *want);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_row(want[i], strstr(rulebook_at(b, i)->source, want[i]) != NULL);
	rulebook_free(b);
	remove_files(&f);
}

static void what_is_disabled_is_left_out(void **state)
{
	(void)state;
	struct files f;
	make_files(&f);
	write_file(f.a, ONE);
	const char *const paths[] = { f.a };
	static const char *const disabled[] = { "A" };
	static const struct rulebook_text texts[] = { { "pitwall:x.yml", BUILT_IN, sizeof BUILT_IN - 1 } };
	struct rulebook_options o = { .paths = paths, .n_paths = 1, .texts = texts, .n_texts = 1 };
	struct rulebook *with = read_book(&o, NULL, NULL);
	o.disabled = disabled;
	o.n_disabled = 1;
	struct rulebook *without = read_book(&o, with, NULL);
	assert_int_equal(rulebook_at(with, 0)->group->n_rules, 1);
	assert_int_equal(rulebook_at(without, 0)->group->n_rules, 0);
	assert_int_equal(rulebook_at(without, 1)->group->n_rules, 1); /* a file's own are not built in */
	assert_ptr_equal(rulebook_at(without, 1)->group, rulebook_at(with, 1)->group);
	rulebook_free(with);
	rulebook_free(without);
	remove_files(&f);
}

static void what_continues_and_what_is_the_same(void **state)
{
	static const struct {
		const char *label, *rule;
		bool        continues, is_equal;
	} rows[] = {
		{ "the same", "alert: A, expr: x > 1, for: 5m, labels: {s: a}, annotations: {t: b}", true, true },
		{ "another expression", "alert: A, expr: x > 2, for: 5m, labels: {s: a}, annotations: {t: b}", true, false },
		{ "another for", "alert: A, expr: x > 1, for: 6m, labels: {s: a}, annotations: {t: b}", true, false },
		{ "keeps firing", "alert: A, expr: x > 1, for: 5m, keep_firing_for: 1m, labels: {s: a}, annotations: {t: b}", true, false },
		{ "another annotation", "alert: A, expr: x > 1, for: 5m, labels: {s: a}, annotations: {t: c}", true, false },
		{ "another label", "alert: A, expr: x > 1, for: 5m, labels: {s: b}, annotations: {t: b}", false, false },
		{ "another name", "alert: B, expr: x > 1, for: 5m, labels: {s: a}, annotations: {t: b}", false, false },
		{ "another kind", "record: A, expr: x > 1, labels: {s: a}", false, false },
	};
	(void)state;
	struct rulebook *books[sizeof rows / sizeof rows[0]];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[300];
		snprintf(text, sizeof text, "groups: [{name: g, rules: [{%s}]}]", rows[i].rule);
		const struct rulebook_text t = { "x", text, strlen(text) };
		const struct rulebook_options o = { .texts = &t, .n_texts = 1 };
		books[i] = read_book(&o, NULL, NULL);
		const struct rule_group *a = rulebook_at(books[0], 0)->group, *b = rulebook_at(books[i], 0)->group;
		assert_row(rows[i].label, rule_continues(&b->rules[0], &a->rules[0]) == rows[i].continues);
		assert_row(rows[i].label, rule_groups_are_equal(a, b) == rows[i].is_equal);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		rulebook_free(books[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_goes_on_as_it_was),
		cmocka_unit_test(a_group_of_a_site_replaces_a_built_in_one),
		cmocka_unit_test(what_is_disabled_is_left_out),
		cmocka_unit_test(what_continues_and_what_is_the_same),
	};
	return cmocka_run_group_tests_name("rulebook", tests, NULL, NULL);
}
