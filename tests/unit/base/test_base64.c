/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/base64.h"

/* The test vectors of RFC 4648, section 10, and bytes that need both special digits. */
static const struct { const char *label, *bytes; size_t n; const char *text; } pairs[] = {
	{ "nothing", "", 0, "" },
	{ "one byte", "f", 1, "Zg==" },
	{ "two bytes", "fo", 2, "Zm8=" },
	{ "three bytes", "foo", 3, "Zm9v" },
	{ "four bytes", "foob", 4, "Zm9vYg==" },
	{ "five bytes", "fooba", 5, "Zm9vYmE=" },
	{ "six bytes", "foobar", 6, "Zm9vYmFy" },
	{ "special digits", "\xfb\xff\xbf\x00", 4, "+/+/AA==" },
};

static void encodes_and_decodes(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		buf_clear(&b);
		assert_row(pairs[i].label, base64_encode(&b, pairs[i].bytes, pairs[i].n) == ERR_OK);
		assert_row(pairs[i].label, strcmp(buf_text(&b), pairs[i].text) == 0);
		buf_clear(&b);
		assert_row(pairs[i].label, base64_decode(&b, pairs[i].text, strlen(pairs[i].text)) == ERR_OK);
		assert_row(pairs[i].label, b.len == pairs[i].n && memcmp(buf_text(&b), pairs[i].bytes, b.len) == 0);
	}
	buf_release(&b);
}

static void refuses_what_has_no_one_meaning(void **state)
{
	static const struct { const char *label, *text; enum err want; } rows[] = {
		{ "white space", " Zm\t9v\r\n", ERR_OK },
		{ "no padding", "Zg", ERR_FORMAT },
		{ "half a padding", "Zg=", ERR_FORMAT },
		{ "too much padding", "Zg===", ERR_FORMAT },
		{ "padding after a whole group", "Zm9v=", ERR_FORMAT },
		{ "padding alone", "==", ERR_FORMAT },
		{ "one digit", "Z", ERR_FORMAT },
		{ "one digit and padding", "Zm9vZ===", ERR_FORMAT },
		{ "behind the padding", "Zg==Zg==", ERR_FORMAT },
		{ "bits under one pad", "Zm9=", ERR_FORMAT },
		{ "bits under two pads", "Zh==", ERR_FORMAT },
		{ "a foreign character", "Zm9*", ERR_FORMAT },
		{ "the alphabet of URLs", "-_-_", ERR_FORMAT },
		{ "a byte above 127", "Zm9\xe4", ERR_FORMAT },
	};
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&b);
		buf_puts(&b, "x");
		assert_row(rows[i].label, base64_decode(&b, rows[i].text, strlen(rows[i].text)) == rows[i].want);
		assert_row(rows[i].label, strcmp(buf_text(&b), rows[i].want == ERR_OK ? "xfoo" : "x") == 0);
	}
	assert_int_equal(base64_decode(&b, "AA\0A", 4), ERR_FORMAT);
	buf_release(&b);
	buf_init(&b, 2);
	assert_int_equal(base64_decode(&b, "Zm9v", 4), ERR_LIMIT);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_and_decodes),
		cmocka_unit_test(refuses_what_has_no_one_meaning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
