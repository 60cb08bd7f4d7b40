/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/yaml.h"

/* What diagnostics_print says about `text`; the caller frees. */
static char *mistakes(const char *text, size_t n, enum err *e)
{
	struct diagnostics d;
	struct yaml *y = NULL;
	struct buf out;
	diagnostics_init(&d);
	buf_init(&out, 1 << 20);
	*e = yaml_parse(text, n, "f", &d, &y);
	assert_true((*e == ERR_OK) == (y != NULL));
	diagnostics_sort(&d);
	assert_int_equal(diagnostics_print(&d, &out), ERR_OK);
	buf_puts(&out, "");
	char *said = strdup(buf_text(&out));
	yaml_discard(y);
	buf_release(&out);
	diagnostics_release(&d);
	return said;
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *in;
		enum err    want;
		const char *said;
	} rows[] = {
		{ "nothing", "", ERR_OK, "" },
		{ "a mapping", "a: 1\nb: [x, {y: z}]\n", ERR_OK, "" },
		{ "json", "{\"a\":\t[1, \"\\/x\"]}", ERR_OK, "" },
		{ "a key twice", "a: 1\nb: 2\na: 3\n", ERR_OK, "f:3:1: key 'a' is here twice (first in line 1)\n" },
		{ "a key three times", "a: 1\na: 2\na: 3\n", ERR_OK,
		  "f:2:1: key 'a' is here twice (first in line 1)\nf:3:1: key 'a' is here twice (first in line 1)\n" },
		{ "an open list", "a: [1, 2\nb: 3\n", ERR_FORMAT,
		  "f:2:2: did not find expected ',' or ']' while parsing a flow sequence that began in line 1\n" },
		{ "a tab", "a:\n\tb: 1\n", ERR_FORMAT, "f:2:1: found character that cannot start any token while scanning for the next token\n" },
		{ "a list as a key", "[a]: 1\n", ERR_FORMAT, "f:1:1: a key must be a single word, not a list or mapping\n" },
		{ "two documents", "a: 1\n---\nb: 2\n", ERR_FORMAT, "f:2:1: more than one YAML document in a file\n" },
		{ "an unknown alias", "a: *b\n", ERR_FORMAT, "f:1:4: an alias of an anchor that is not there before it\n" },
		{ "an alias in itself", "a: &x [ *x ]\n", ERR_FORMAT, "f:1:9: an alias stands inside of its own anchor\n" },
		{ "a NUL", "a: \"x\\0y\"\n", ERR_FORMAT, "f:1:4: a text holds a NUL byte\n" },
		{ "merging a word", "a:\n  <<: 5\n", ERR_FORMAT, "f:2:7: '<<' merges a mapping or a list of mappings\n" },
		{ "no UTF-8", "a: 1\nb: \xff\n", ERR_FORMAT, "f:2:4: invalid leading UTF-8 octet\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err e;
		char *said = mistakes(rows[i].in, strlen(rows[i].in), &e);
		if (strcmp(said, rows[i].said) != 0)
			print_error("%s: said %s", rows[i].label, said);
		assert_row(rows[i].label, e == rows[i].want);
		assert_row(rows[i].label, strcmp(said, rows[i].said) == 0);
		free(said);
	}
}

static void test_places(void **state)
{
	static const char text[] = "a: 1\n\xc3\xa4\xc3\xb6: 'x'\nlist:\n  - p\n  - [q, r]\n";
	struct yaml *y;
	(void)state;
	assert_int_equal(yaml_parse(text, sizeof text - 1, "f", NULL, &y), ERR_OK);
	const struct yaml_node *root = yaml_root(y);
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 3);
	const struct yaml_node *quoted = yaml_get(root, "\xc3\xa4\xc3\xb6");
	assert_int_equal(quoted->line, 2);
	assert_int_equal(quoted->col, 5); /* characters, not bytes */
	assert_false(quoted->is_plain);
	assert_true(yaml_get(root, "a")->is_plain);
	const struct yaml_node *list = yaml_get(root, "list");
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[1]->items[1]->line, 5);
	assert_int_equal(list->items[1]->items[1]->col, 9);
	assert_string_equal(list->items[1]->items[1]->text, "r");
	assert_null(yaml_get(root, "nowhere"));
	assert_null(yaml_get(list, "a"));
	assert_int_equal(yaml_get_key(root, "list")->line, 3);
	yaml_discard(y);
}

static void test_merge(void **state)
{
	static const char text[] = "base: &b { x: 1, y: 2 }\nmore: &m { y: 5, z: 6 }\n"
	                           "one: { <<: *b, y: 3 }\ntwo: { <<: [ *b, *m ], w: 0 }\n";
	struct diagnostics d;
	struct yaml *y;
	(void)state;
	diagnostics_init(&d);
	assert_int_equal(yaml_parse(text, sizeof text - 1, "f", &d, &y), ERR_OK);
	const struct yaml_node *one = yaml_get(yaml_root(y), "one"), *two = yaml_get(yaml_root(y), "two");
	assert_string_equal(yaml_get(one, "x")->text, "1");
	assert_string_equal(yaml_get(one, "y")->text, "3");
	assert_int_equal(one->n, 2);
	assert_string_equal(yaml_get(two, "y")->text, "2");
	assert_string_equal(yaml_get(two, "z")->text, "6");
	assert_int_equal(two->n, 4);
	assert_int_equal(d.n, 0);
	yaml_discard(y);
	diagnostics_release(&d);
}

/* Invariant: no text of few bytes makes a tree that is long to walk. */
static void test_ceilings(void **state)
{
	struct buf b;
	enum err e;
	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 30; i++) {
		buf_printf(&b, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_printf(&b, "%s*a%d", k > 0 ? "," : "", i - 1);
		buf_puts(&b, "]\n");
	}
	char *said = mistakes(b.data, b.len, &e);
	assert_int_equal(e, ERR_LIMIT);
	assert_non_null(strstr(said, "too many nodes"));
	free(said);
	buf_clear(&b);
	buf_fill(&b, '[', YAML_DEPTH_MAX + 1);
	said = mistakes(b.data, b.len, &e);
	assert_int_equal(e, ERR_LIMIT);
	assert_non_null(strstr(said, "nested too deep"));
	free(said);
	buf_clear(&b);
	buf_fill(&b, '[', YAML_DEPTH_MAX);
	buf_fill(&b, ']', YAML_DEPTH_MAX);
	said = mistakes(b.data, b.len, &e);
	assert_int_equal(e, ERR_OK);
	free(said);
	buf_release(&b);
	char *big = malloc(YAML_BYTES_MAX + 1);
	memset(big, ' ', YAML_BYTES_MAX + 1);
	said = mistakes(big, YAML_BYTES_MAX + 1, &e);
	assert_int_equal(e, ERR_LIMIT);
	assert_string_equal(said, "f: too large (more than 8 MiB)\n");
	free(said);
	free(big);
}

static void test_getters(void **state)
{
	static const char text[] = "t: word\nq: '5'\ni: 5\nbig: 70000\nf: 0.5\ny: yes\ntrue: true\nd: 1m30s\nn: ~\nl: []\nm: {}\n";
	struct diagnostics d;
	struct yaml *y;
	struct buf out;
	const char *s = NULL;
	int64_t i = -1, ms = -1;
	double f = -1;
	bool b = false;
	(void)state;
	diagnostics_init(&d);
	buf_init(&out, 1 << 16);
	assert_int_equal(yaml_parse(text, sizeof text - 1, "f", &d, &y), ERR_OK);
	const struct yaml_node *r = yaml_root(y);
	assert_true(yaml_text(y, yaml_get(r, "t"), "t", &s) && strcmp(s, "word") == 0);
	assert_true(yaml_i64(y, yaml_get(r, "i"), "i", 1, 9, &i) && i == 5);
	assert_true(yaml_f64(y, yaml_get(r, "f"), "f", 0, 1, &f) && f > 0.49 && f < 0.51);
	assert_true(yaml_bool(y, yaml_get(r, "true"), "true", &b) && b);
	assert_true(yaml_duration(y, yaml_get(r, "d"), "d", 0, 100000, &ms) && ms == 90000);
	assert_true(yaml_is_null(yaml_get(r, "n")));
	assert_true(yaml_is_null(NULL));
	assert_false(yaml_is_null(yaml_get(r, "q")));
	assert_int_equal(d.n, 0);
	assert_false(yaml_i64(y, yaml_get(r, "q"), "q", 1, 9, &i));
	assert_false(yaml_i64(y, yaml_get(r, "big"), "big", 1, 65535, &i));
	assert_false(yaml_f64(y, yaml_get(r, "t"), "t", 0, 1, &f));
	assert_false(yaml_bool(y, yaml_get(r, "y"), "y", &b));
	assert_false(yaml_duration(y, yaml_get(r, "d"), "d", 0, 1000, &ms));
	assert_false(yaml_text(y, yaml_get(r, "n"), "n", &s));
	assert_false(yaml_is_map(y, yaml_get(r, "l"), "l"));
	assert_false(yaml_is_list(y, yaml_get(r, "m"), "m"));
	assert_int_equal(i, 5);
	assert_int_equal(ms, 90000);
	diagnostics_sort(&d);
	diagnostics_print(&d, &out);
	assert_string_equal(buf_text(&out), "f:1:4: 't' must be a number from 0 to 1, not 'word'\n"
	                                    "f:2:4: 'q' must be a whole number from 1 to 9, not '5'\n"
	                                    "f:4:6: 'big' must be a whole number from 1 to 65535, not '70000'\n"
	                                    "f:6:4: 'y' must be true or false, not 'yes'\n"
	                                    "f:8:4: 'd' must be a duration from 0s to 1s, as in 30s or 1m30s, not '1m30s'\n"
	                                    "f:9:4: 'n' must be a text, but nothing is there\n"
	                                    "f:10:4: 'l' must be a mapping, not a list\n"
	                                    "f:11:4: 'm' must be a list, not a mapping\n");
	buf_release(&out);
	yaml_discard(y);
	diagnostics_release(&d);
}

static void test_keys(void **state)
{
	static const char *const known[] = { "interval", "timeout" };
	static const char text[] = "intervall: 1\nTimeout: 2\nzzz: 3\ninterval: 4\n";
	struct diagnostics d;
	struct yaml *y;
	(void)state;
	diagnostics_init(&d);
	assert_int_equal(yaml_parse(text, sizeof text - 1, "f", &d, &y), ERR_OK);
	assert_false(yaml_check_keys(y, yaml_root(y), known, 2));
	assert_int_equal(d.n, 3);
	assert_string_equal(d.items[0].text, "unknown key 'intervall'; did you mean 'interval'?");
	assert_string_equal(d.items[1].text, "unknown key 'Timeout'; did you mean 'timeout'?");
	assert_string_equal(d.items[2].text, "unknown key 'zzz'");
	yaml_discard(y);
	diagnostics_release(&d);
}

/* A sentence that quotes too much is cut, not lost. */
static void test_long_key(void **state)
{
	struct diagnostics d;
	struct yaml *y = NULL;
	struct buf b;
	(void)state;
	diagnostics_init(&d);
	buf_init(&b, 100000);
	for (int i = 0; i < 2; i++) {
		buf_puts(&b, "? ");
		buf_fill(&b, 'k', 9000);
		buf_puts(&b, "\n: 1\n");
	}
	assert_int_equal(yaml_parse(buf_text(&b), b.len, "f", &d, &y), ERR_OK);
	assert_int_equal(d.n_errors, 1);
	assert_int_equal(strncmp(d.items[0].text, "key 'kkk", 8), 0);
	assert_string_equal(d.items[0].text + strlen(d.items[0].text) - 4, "k...");
	buf_release(&b);
	yaml_discard(y);
	diagnostics_release(&d);
}

static void test_read(void **state)
{
	struct diagnostics d;
	struct yaml *y = NULL;
	(void)state;
	diagnostics_init(&d);
	assert_int_equal(yaml_read("/nowhere/at/all.yml", &d, &y), ERR_NOT_FOUND);
	assert_int_equal(yaml_read("/dev/null", &d, &y), ERR_UNSUPPORTED);
	assert_null(y);
	assert_int_equal(d.n_errors, 2);
	diagnostics_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_places), cmocka_unit_test(test_merge), cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_getters),  cmocka_unit_test(test_keys),   cmocka_unit_test(test_read),
		cmocka_unit_test(test_long_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
