/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/base64.h"
#include "collectors/ssh_key.h"
#include "tests/unit/collectors/sample_keys.h"

#include <libssh2.h>

static struct buf blob;

static int make_room(void **state)
{
	(void)state;
	buf_init(&blob, 2 * KEY_BLOB_MAX);
	return buf_room(&blob, 2 * KEY_BLOB_MAX) != NULL ? 0 : -1;
}

static int give_room(void **state)
{
	(void)state;
	buf_release(&blob);
	return 0;
}

static void decode(const char *text)
{
	buf_clear(&blob);
	assert_int_equal(base64_decode(&blob, text, strlen(text)), ERR_OK);
}

/* The blob in memory of its own size, so that reading past its end is seen. */
static enum err read_exactly(const void *bytes, size_t n, const char *claimed, struct why *why)
{
	struct key k = { .type = NULL };
	void      *exact = malloc(n > 0 ? n : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, n);
	enum err e = key_read(exact, n, claimed, &k, why);
	assert_true((k.type != NULL) == (e == ERR_OK)); /* written only on success */
	free(exact);
	return e;
}

static const struct { const char *label, *base64, *type, *plain, *print; } samples[] = {
	{ "ed25519", ED_A_BASE64, "ssh-ed25519", "ssh-ed25519", ED_A_PRINT },
	{ "ecdsa 256", EC_BASE64, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", EC_PRINT },
	{ "ecdsa 521", EC521_BASE64, "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", EC521_PRINT },
	{ "rsa", RSA_BASE64, "ssh-rsa", "ssh-rsa", RSA_PRINT },
	{ "dss", DSS_BASE64, "ssh-dss", "ssh-dss", DSS_PRINT },
	{ "certificate", EC_CERT_BASE64, "ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256", NULL },
};

static void reads_whole_keys_and_no_part_of_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		const char *label = samples[i].label;
		struct key  k;
		char        print[KEY_FINGERPRINT];
		decode(samples[i].base64);
		assert_row(label, key_read(blob.data, blob.len, samples[i].type, &k, NULL) == ERR_OK);
		assert_row(label, strcmp(k.type, samples[i].type) == 0 && strcmp(k.plain_type, samples[i].plain) == 0);
		assert_row(label, key_is_certificate(&k) == (samples[i].print == NULL));
		if (samples[i].print != NULL)
			assert_row(label, strcmp(key_fingerprint(blob.data, blob.len, print), samples[i].print) == 0);
		for (size_t n = 0; n < blob.len; n++)
			assert_row(label, read_exactly(blob.data, n, NULL, NULL) != ERR_OK);
		buf_putc(&blob, '\0');
		assert_row(label, read_exactly(blob.data, blob.len, NULL, NULL) == ERR_FORMAT);
	}
}

static void holds_a_key_to_what_it_was_said_to_be(void **state)
{
	static const struct { const char *label, *base64, *claimed; enum err want; } rows[] = {
		{ "itself", ED_A_BASE64, "ssh-ed25519", ERR_OK },
		{ "nothing claimed", ED_A_BASE64, NULL, ERR_OK },
		{ "another type", ED_A_BASE64, "ecdsa-sha2-nistp256", ERR_FORMAT },
		{ "another curve", EC521_BASE64, "ecdsa-sha2-nistp256", ERR_FORMAT },
		{ "RSA by its new algorithm", RSA_BASE64, "rsa-sha2-512", ERR_OK },
		{ "RSA by its type", RSA_BASE64, "ssh-rsa", ERR_OK },
		{ "a certificate for a key", EC_CERT_BASE64, "ecdsa-sha2-nistp256", ERR_FORMAT },
		{ "a key for a certificate", EC_BASE64, "ecdsa-sha2-nistp256-cert-v01@openssh.com", ERR_FORMAT },
		{ "an unknown type", ED_A_BASE64, "ssh-ed448", ERR_FORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		decode(rows[i].base64);
		assert_row(rows[i].label, read_exactly(blob.data, blob.len, rows[i].claimed, NULL) == rows[i].want);
	}
}

#define S4(n) "\0\0\0" n
static void refuses_malformed_blobs(void **state)
{
#define ROW(text) text, sizeof text - 1
	static const struct { const char *label, *bytes; size_t n; enum err want; } rows[] = {
		{ "empty", ROW(""), ERR_FORMAT },
		{ "half a length", ROW("\0\0\0"), ERR_FORMAT },
		{ "a huge length", ROW("\xff\xff\xff\xffssh-ed25519"), ERR_FORMAT },
		{ "an unknown type", ROW(S4("\x09") "ssh-ed448" S4("\x01") "x"), ERR_UNSUPPORTED },
		{ "a NUL in the type", ROW(S4("\x0c") "ssh-ed25519\0" S4("\x01") "x"), ERR_UNSUPPORTED },
		{ "a short key", ROW(S4("\x0b") "ssh-ed25519" S4("\x1f") "0123456789012345678901234567890"), ERR_FORMAT },
		{ "a long key", ROW(S4("\x0b") "ssh-ed25519" S4("\x21") "012345678901234567890123456789012"), ERR_FORMAT },
		{ "the right length", ROW(S4("\x0b") "ssh-ed25519" S4("\x20") "01234567890123456789012345678901"), ERR_OK },
		{ "RSA that is too short", ROW(S4("\x07") "ssh-rsa" S4("\x03") "\1\0\1" S4("\x08") "12345678"), ERR_FORMAT },
		{ "RSA with a negative exponent", ROW(S4("\x07") "ssh-rsa" S4("\x01") "\x81" S4("\x08") "12345678"), ERR_FORMAT },
		{ "DSS of zeros", ROW(S4("\x07") "ssh-dss" S4("\x01") "\0" S4("\0") S4("\0") S4("\0")), ERR_FORMAT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].label, read_exactly(rows[i].bytes, rows[i].n, NULL, NULL) == rows[i].want);
	buf_clear(&blob);
	buf_fill(&blob, 'x', KEY_BLOB_MAX + 1);
	assert_int_equal(read_exactly(blob.data, blob.len, NULL, NULL), ERR_LIMIT);
	decode(EC_BASE64);
	blob.data[4 + 19 + 4 + 7] = '7'; /* nistp257 */
	assert_int_equal(read_exactly(blob.data, blob.len, NULL, NULL), ERR_FORMAT);
	decode(EC_BASE64);
	blob.data[4 + 19 + 4 + 8 + 4] = 2; /* a compressed point */
	assert_int_equal(read_exactly(blob.data, blob.len, NULL, NULL), ERR_FORMAT);
}

static void tells_pairs_from_keys(void **state)
{
	struct buf certificate, other;
	struct key a, b, c;
	(void)state;
	buf_init(&certificate, 1024);
	buf_init(&other, 1024);
	decode(EC_BASE64);
	base64_decode(&certificate, EC_CERT_BASE64, strlen(EC_CERT_BASE64));
	base64_decode(&other, ED_A_BASE64, strlen(ED_A_BASE64));
	assert_int_equal(key_read(blob.data, blob.len, NULL, &a, NULL), ERR_OK);
	assert_int_equal(key_read(certificate.data, certificate.len, NULL, &b, NULL), ERR_OK);
	assert_int_equal(key_read(other.data, other.len, NULL, &c, NULL), ERR_OK);
	assert_true(key_is_same_pair(&a, &b));
	assert_false(key_is_same(&a, &b));
	assert_false(key_is_same_pair(&a, &c));
	assert_true(b.n_authority == c.n_blob && memcmp(b.authority, c.blob, c.n_blob) == 0);
	buf_release(&certificate);
	buf_release(&other);
}

static void names_of_types(void **state)
{
	(void)state;
	assert_string_equal(key_type("rsa-sha2-256", 12), "ssh-rsa");
	assert_string_equal(key_type("ssh-ed25519 AAAA", 11), "ssh-ed25519");
	assert_null(key_type("ssh-ed25519", 10));
	assert_null(key_type("", 0));
	assert_string_equal(key_type_of_libssh2(LIBSSH2_HOSTKEY_TYPE_ED25519), "ssh-ed25519");
	assert_string_equal(key_type_of_libssh2(LIBSSH2_HOSTKEY_TYPE_ECDSA_521), "ecdsa-sha2-nistp521");
	assert_null(key_type_of_libssh2(LIBSSH2_HOSTKEY_TYPE_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whole_keys_and_no_part_of_one),
		cmocka_unit_test(holds_a_key_to_what_it_was_said_to_be),
		cmocka_unit_test(refuses_malformed_blobs),
		cmocka_unit_test(tells_pairs_from_keys),
		cmocka_unit_test(names_of_types),
	};
	return cmocka_run_group_tests(tests, make_room, give_room);
}
