/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/asset.h"
#include "base/buf.h"

/* Every file that is built in is, to the byte, the one in the source tree. */
static enum err compare_with_file(void *ctx, const char *name, const char *text, size_t len)
{
	size_t *n = ctx;
	const char *srcdir = getenv("PITWALL_SRCDIR");
	struct buf path;
	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s", srcdir != NULL ? srcdir : ".", name);
	FILE *file = fopen(buf_text(&path), "r");
	assert_row(name, file != NULL);
	for (size_t i = 0; i < len; i++)
		assert_row(name, fgetc(file) == (unsigned char)text[i]);
	assert_row(name, fgetc(file) == EOF);
	assert_row(name, text[len] == '\0');
	fclose(file);
	buf_release(&path);

	const char *found;
	size_t found_len;
	assert_row(name, asset_find(name, &found, &found_len) == ERR_OK && found == text && found_len == len);
	(*n)++;
	return ERR_OK;
}

static void built_in_files_are_those_of_the_tree(void **state)
{
	(void)state;
	size_t all = 0, some = 0, none = 0;
	assert_int_equal(asset_list("", compare_with_file, &all), ERR_OK);
	assert_int_equal(asset_list("tests/", compare_with_file, &none), ERR_OK);
	assert_int_equal(none, 0);
	assert_int_equal(asset_list("themes/", compare_with_file, &some), ERR_OK);
	assert_int_equal(asset_list("profiles/", compare_with_file, &some), ERR_OK);
	assert_int_equal(asset_list("packs/", compare_with_file, &some), ERR_OK);
	assert_int_equal(some, all);
}

static enum err stop(void *ctx, const char *name, const char *text, size_t len)
{
	(void)name, (void)text, (void)len;
	++*(size_t *)ctx;
	return ERR_CANCELLED;
}

static void the_walk_ends_when_it_is_told_to(void **state)
{
	(void)state;
	size_t n = 0;
	enum err want = asset_table[0].name != NULL ? ERR_CANCELLED : ERR_OK;
	assert_int_equal(asset_list("", stop, &n), want);
	assert_int_equal(n, want == ERR_CANCELLED);
}

static void names_are_in_order_and_unknown_ones_not_found(void **state)
{
	(void)state;
	const char *text = NULL;
	size_t len = 42;
	for (const struct asset *a = asset_table; a->name != NULL && a[1].name != NULL; a++)
		assert_row(a->name, strcmp(a->name, a[1].name) < 0);
	assert_int_equal(asset_find("themes/none", &text, &len), ERR_NOT_FOUND);
	assert_null(text);
	assert_int_equal(len, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_files_are_those_of_the_tree),
		cmocka_unit_test(the_walk_ends_when_it_is_told_to),
		cmocka_unit_test(names_are_in_order_and_unknown_ones_not_found),
	};
	return cmocka_run_group_tests_name("asset", tests, NULL, NULL);
}
