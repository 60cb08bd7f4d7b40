/* SPDX-License-Identifier: Apache-2.0
 *
 * The committed documentation says of the drivers what their records say. UPDATE_GOLDEN=1 writes them into it. */
#include "tests/unit/unit.h"

#include "base/slurp.h"
#include "deploy/describe.h"
#include "deploy/driver.h"

enum { DOCUMENT_MAX = 1 << 21 };

static void check_document(const char *name, const char *begin, const char *end, enum err (*print)(struct buf *to))
{
	const char *source = getenv("srcdir");
	char path[4096];
	struct buf have, table, want;
	struct why why = { "" };
	buf_init(&have, DOCUMENT_MAX);
	buf_init(&table, DOCUMENT_MAX);
	buf_init(&want, DOCUMENT_MAX);
	snprintf(path, sizeof path, "%s/%s", source != NULL ? source : "..", name);
	if (slurp(path, DOCUMENT_MAX - 1, &have, NULL, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_int_equal(print(&table), ERR_OK);
	const char *from = strstr(buf_text(&have), begin), *to = from != NULL ? strstr(from, end) : NULL;
	if (to == NULL)
		fail_msg("'%s' has no place for the drivers", path);
	buf_put(&want, have.data, (size_t)(from - have.data) + strlen(begin));
	buf_puts(&want, buf_text(&table));
	buf_puts(&want, to);
	if (getenv("UPDATE_GOLDEN") != NULL) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(want.data, 1, want.len, f), want.len);
		assert_int_equal(fclose(f), 0);
	} else {
		assert_string_equal(buf_text(&have), buf_text(&want));
	}
	buf_release(&have);
	buf_release(&table);
	buf_release(&want);
}

static void test_markdown(void **state)
{
	(void)state;
	check_document("docs/deploying.md", "<!-- drivers -->\n", "<!-- end of drivers -->", drivers_print_markdown);
}

static void test_roff(void **state)
{
	(void)state;
	check_document("man/pitwall-fleet.5", ".\\\" drivers\n", ".\\\" end of drivers", drivers_print_roff);
}

/* What a record has to say, whichever it is. */
static void test_records(void **state)
{
	const struct driver *d;
	(void)state;
	for (size_t i = 0; (d = driver_at(i)) != NULL; i++) {
		assert_row(d->name, driver_find(d->name) == d);
		assert_row(d->name, d->summary != NULL && d->summary[0] != '\0' && d->look != NULL && d->plan != NULL && d->judge != NULL);
		for (size_t k = 0; k < d->n_options; k++) {
			const struct option *o = &d->options[k];
			assert_row(o->name, o->range != NULL && o->standard != NULL && o->sentence[strlen(o->sentence) - 1] == '.');
		}
	}
	assert_null(driver_find("no such driver"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records), cmocka_unit_test(test_markdown), cmocka_unit_test(test_roff) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
