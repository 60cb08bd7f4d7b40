/* SPDX-License-Identifier: Apache-2.0
 *
 * The committed documentation says what the table of keys says. UPDATE_GOLDEN=1 writes the table into it. */
#include "tests/unit/unit.h"

#include "base/slurp.h"
#include "config/keys.h"

static void check_document(const char *name, const char *begin, const char *end, enum err (*print)(struct buf *to))
{
	const char *source = getenv("srcdir");
	char path[4096];
	struct buf have, table, want;
	struct why why = { "" };
	buf_init(&have, 1 << 20);
	buf_init(&table, 1 << 20);
	buf_init(&want, 1 << 20);
	snprintf(path, sizeof path, "%s/%s", source != NULL ? source : "..", name);
	if (slurp(path, 1 << 19, &have, NULL, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_int_equal(print(&table), ERR_OK);
	const char *from = strstr(buf_text(&have), begin), *to = from != NULL ? strstr(from, end) : NULL;
	if (to == NULL)
		fail_msg("'%s' has no place for the table of keys", path);
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
	check_document("docs/fleet-file.md", "<!-- keys -->\n", "<!-- end of keys -->", keys_print_markdown);
}

static void test_roff(void **state)
{
	(void)state;
	check_document("man/pitwall-fleet.5", ".\\\" keys\n", ".\\\" end of keys", keys_print_roff);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < fleet_keys_count; i++) {
		const struct key *k = &fleet_keys[i];
		assert_row(k->name, k->where != 0 && k->where < 1u << KEYS_COUNT);
		assert_row(k->name, k->kind[0] != '\0' && k->sentence[strlen(k->sentence) - 1] == '.');
		for (size_t j = 0; j < i; j++) /* no key twice in one place */
			assert_row(k->name, strcmp(k->name, fleet_keys[j].name) != 0 || (k->where & fleet_keys[j].where) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_markdown), cmocka_unit_test(test_roff) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
