/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/sha1.h"

static const char *hex(const char *bytes, size_t n)
{
	static char text[2 * SHA1_BYTES + 1];
	uint8_t digest[SHA1_BYTES];
	sha1(bytes, n, digest);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

/* FIPS 180-2's examples, and lengths around the ends of blocks as sha1sum(1) has them. */
static void test_digests(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "nothing", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "one block", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
		{ "55 bytes", "1234567890123456789012345678901234567890123456789012345", "827a683fdfdbef225a2421078b7789b134c7eafa" },
		{ "64 bytes", "1234567890123456789012345678901234567890123456789012345678901234", "c71490fc24aa3d19e11282da77032dd9cdb33103" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_row(rows[i].label, strcmp(hex(rows[i].in, strlen(rows[i].in)), rows[i].want) == 0);
}

static void test_a_million(void **state)
{
	char *text = malloc(1000000);
	(void)state;
	assert_non_null(text);
	memset(text, 'a', 1000000);
	assert_string_equal(hex(text, 1000000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_digests), cmocka_unit_test(test_a_million) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
