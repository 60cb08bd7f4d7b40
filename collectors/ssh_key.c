/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_key.h"

#include <libssh2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"

/* What a key's fields are, in order:
 *   k  32 bytes            c  the curve's name       q  an uncompressed point of `point` bytes
 *   s  any string          m  a positive number      n  the modulus of RSA
 * A certificate has a nonce before them, and what it says of its holder behind them. */
struct type {
	const char *name, *plain, *fields;
	const char *curve;
	size_t      point;
};

#define CERT "-cert-v01@openssh.com"
static const struct type types[] = {
	{ "ssh-ed25519",                "ssh-ed25519",         "k",    NULL,       0 },
	{ "ecdsa-sha2-nistp256",        "ecdsa-sha2-nistp256", "cq",   "nistp256", 65 },
	{ "ecdsa-sha2-nistp384",        "ecdsa-sha2-nistp384", "cq",   "nistp384", 97 },
	{ "ecdsa-sha2-nistp521",        "ecdsa-sha2-nistp521", "cq",   "nistp521", 133 },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com", "ks", NULL,  0 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "cqs", "nistp256", 65 },
	{ "ssh-rsa",                    "ssh-rsa",             "mn",   NULL,       0 },
	{ "ssh-dss",                    "ssh-dss",             "mmmm", NULL,       0 },
	{ "ssh-ed25519" CERT,           "ssh-ed25519",         "k",    NULL,       0 },
	{ "ecdsa-sha2-nistp256" CERT,   "ecdsa-sha2-nistp256", "cq",   "nistp256", 65 },
	{ "ecdsa-sha2-nistp384" CERT,   "ecdsa-sha2-nistp384", "cq",   "nistp384", 97 },
	{ "ecdsa-sha2-nistp521" CERT,   "ecdsa-sha2-nistp521", "cq",   "nistp521", 133 },
	{ "sk-ssh-ed25519" CERT,        "sk-ssh-ed25519@openssh.com", "ks", NULL,  0 },
	{ "sk-ecdsa-sha2-nistp256" CERT, "sk-ecdsa-sha2-nistp256@openssh.com", "cqs", "nistp256", 65 },
	{ "ssh-rsa" CERT,               "ssh-rsa",             "mn",   NULL,       0 },
	{ "ssh-dss" CERT,               "ssh-dss",             "mmmm", NULL,       0 },
};
enum { N_TYPES = sizeof types / sizeof types[0], RSA_BITS_MIN = 1024, RSA_BITS_MAX = 16384 };

/* RSA keys have one type and a signature algorithm a hash (RFC 8332). */
static const struct { const char *name, *type; } algorithms[] = {
	{ "rsa-sha2-256",      "ssh-rsa" },
	{ "rsa-sha2-512",      "ssh-rsa" },
	{ "rsa-sha2-256" CERT, "ssh-rsa" CERT },
	{ "rsa-sha2-512" CERT, "ssh-rsa" CERT },
};

static bool is_name(const char *name, const void *text, size_t n)
{
	return strlen(name) == n && memcmp(name, text, n) == 0;
}

static const struct type *find_type(const void *name, size_t n)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		if (is_name(types[i].name, name, n))
			return &types[i];
	}
	return NULL;
}

const char *key_type(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
		if (is_name(algorithms[i].name, name, n))
			return algorithms[i].type;
	}
	const struct type *t = find_type(name, n);
	return t != NULL ? t->name : NULL;
}

static bool is_same_type(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

const char *key_type_of_libssh2(int type)
{
	switch (type) {
	case LIBSSH2_HOSTKEY_TYPE_RSA:       return "ssh-rsa";
	case LIBSSH2_HOSTKEY_TYPE_DSS:       return "ssh-dss";
	case LIBSSH2_HOSTKEY_TYPE_ECDSA_256: return "ecdsa-sha2-nistp256";
	case LIBSSH2_HOSTKEY_TYPE_ECDSA_384: return "ecdsa-sha2-nistp384";
	case LIBSSH2_HOSTKEY_TYPE_ECDSA_521: return "ecdsa-sha2-nistp521";
	case LIBSSH2_HOSTKEY_TYPE_ED25519:   return "ssh-ed25519";
	default:                             return NULL;
	}
}

/* ---- reading ---- */

struct bytes {
	const unsigned char *at;
	size_t               n;
};

static bool skip(struct bytes *from, size_t n)
{
	if (from->n < n)
		return false;
	from->at += n;
	from->n -= n;
	return true;
}

/* A length of four bytes, and as many bytes. */
static bool take_string(struct bytes *from, struct bytes *out)
{
	if (from->n < 4)
		return false;
	size_t n = (size_t)from->at[0] << 24 | (size_t)from->at[1] << 16 | (size_t)from->at[2] << 8 | from->at[3];
	if (n > from->n - 4)
		return false;
	*out = (struct bytes){ from->at + 4, n };
	return skip(from, 4 + n);
}

/* A positive number of RFC 4251's mpint, its leading zeros passed over; 0 bits: it is none. */
static size_t bits_of(struct bytes number)
{
	if (number.n == 0 || number.at[0] >= 0x80)
		return 0;
	while (number.n > 0 && number.at[0] == 0)
		skip(&number, 1);
	if (number.n == 0)
		return 0;
	size_t bits = number.n * 8;
	for (unsigned first = number.at[0]; first < 0x80; first <<= 1)
		bits--;
	return bits;
}

static bool is_field(const struct type *t, char kind, struct bytes field)
{
	size_t bits;
	switch (kind) {
	case 'k': return field.n == 32;
	case 'c': return is_name(t->curve, field.at, field.n);
	case 'q': return field.n == t->point && field.at[0] == 4;
	case 's': return true;
	case 'm': return bits_of(field) > 0 && bits_of(field) <= RSA_BITS_MAX;
	default:
		bits = bits_of(field);
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	}
}

static bool take_fields(const struct type *t, struct bytes *rest, struct key *k)
{
	k->fields = rest->at;
	for (const char *kind = t->fields; *kind != '\0'; kind++) {
		struct bytes field;
		if (!take_string(rest, &field) || !is_field(t, *kind, field))
			return false;
	}
	k->n_fields = (size_t)(rest->at - k->fields);
	return true;
}

/* Behind the fields: serial and kind, id and principals, a time from and to, options, extensions, a reserve, the authority's key, its
 * signature. */
static bool take_holder(struct bytes *rest, struct key *k)
{
	struct bytes s, authority;
	bool ok = skip(rest, 8 + 4) && take_string(rest, &s) && take_string(rest, &s) && skip(rest, 8 + 8) && take_string(rest, &s) &&
		take_string(rest, &s) && take_string(rest, &s) && take_string(rest, &authority) && take_string(rest, &s);
	if (ok) {
		k->authority = authority.at;
		k->n_authority = authority.n;
	}
	return ok;
}

static enum err read_blob(const void *blob, size_t n, struct key *out, struct why *why)
{
	struct bytes rest = { blob, n }, name, nonce;
	if (n > KEY_BLOB_MAX)
		return why_set(why, ERR_LIMIT, "the key is longer than %d bytes", KEY_BLOB_MAX);
	if (!take_string(&rest, &name))
		return why_set(why, ERR_FORMAT, "the key is malformed");
	const struct type *t = find_type(name.at, name.n);
	if (t == NULL)
		return why_set(why, ERR_UNSUPPORTED, "the key is of a type that is not known here");
	bool is_certificate = strcmp(t->name, t->plain) != 0;
	struct key k = { .type = t->name, .plain_type = t->plain, .blob = blob, .n_blob = n };
	if ((is_certificate && !take_string(&rest, &nonce)) || !take_fields(t, &rest, &k) || (is_certificate && !take_holder(&rest, &k)) ||
	    rest.n != 0)
		return why_set(why, ERR_FORMAT, "the %s key is malformed", t->name);
	*out = k;
	return ERR_OK;
}

enum err key_read(const void *blob, size_t n, const char *claimed, struct key *out, struct why *why)
{
	struct key k, authority;
	enum err e = read_blob(blob, n, &k, why);
	if (e != ERR_OK)
		return e;
	if (claimed != NULL && !is_same_type(key_type(claimed, strlen(claimed)), k.type))
		return why_set(why, ERR_FORMAT, "the key is said to be %s, but is %s", claimed, k.type);
	if (key_is_certificate(&k)) {
		if (read_blob(k.authority, k.n_authority, &authority, NULL) != ERR_OK || key_is_certificate(&authority))
			return why_set(why, ERR_FORMAT, "the %s key has a malformed authority", k.type);
	}
	*out = k;
	return ERR_OK;
}

bool key_is_same_pair(const struct key *a, const struct key *b)
{
	return is_same_type(a->plain_type, b->plain_type) && a->n_fields == b->n_fields && memcmp(a->fields, b->fields, a->n_fields) == 0;
}

bool key_is_same(const struct key *a, const struct key *b)
{
	return a->n_blob == b->n_blob && memcmp(a->blob, b->blob, a->n_blob) == 0;
}

const char *key_fingerprint(const void *blob, size_t n, char to[KEY_FINGERPRINT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned      n_digest = 0;
	struct buf    text;
	buf_init(&text, KEY_FINGERPRINT);
	bool ok = EVP_Digest(blob, n, digest, &n_digest, EVP_sha256(), NULL) == 1 && base64_encode(&text, digest, n_digest) == ERR_OK;
	snprintf(to, KEY_FINGERPRINT, "SHA256:%.*s", ok ? (int)(text.len - 1) : 1, ok ? buf_text(&text) : "?"); /* but the '=' */
	buf_release(&text);
	return to;
}
