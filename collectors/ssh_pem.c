/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_pem.h"

#include <string.h>

#include "base/base64.h"
#include "collectors/ssh_blob.h"

enum { DER_MAX = 256, LINE = 48 }; /* LINE: bytes that become 64 characters */

static const struct curve {
	const char   *type, *name;
	size_t        secret, point, oid_len;
	unsigned char oid[10]; /* RFC 5480, 2.1.1.1, with its tag and length */
} curves[] = {
	{ "ecdsa-sha2-nistp256", "nistp256", 32, 65, 10, { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 } },
	{ "ecdsa-sha2-nistp384", "nistp384", 48, 97, 7, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 } },
	{ "ecdsa-sha2-nistp521", "nistp521", 66, 133, 7, { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 } },
};

struct part {
	const unsigned char *at;
	size_t               n;
};

static bool is_text(struct part p, const char *text)
{
	return p.n == strlen(text) && memcmp(p.at, text, p.n) == 0;
}

static const struct curve *find_curve(struct part type, struct part name)
{
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
		if (is_text(type, curves[i].type) && is_text(name, curves[i].name))
			return &curves[i];
	return NULL;
}

/* "openssh-key-v1\0", cipher, kdf, kdf options, number of keys, public key, private part; that is two equal numbers, type, curve, point, secret. */
static const struct curve *take_apart(const unsigned char *raw, size_t n, struct part *point, struct part *secret)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct part head[3], blob, body, type, name;
	size_t at = sizeof magic, in = 8; /* behind the two numbers */
	bool ok = n > sizeof magic && memcmp(raw, magic, sizeof magic) == 0;
	for (size_t i = 0; ok && i < 3; i++)
		ok = ssh_blob_next(raw, n, &at, &head[i].at, &head[i].n);
	ok = ok && is_text(head[0], "none") && n - at > 4;
	at += 4;
	ok = ok && ssh_blob_next(raw, n, &at, &blob.at, &blob.n) && ssh_blob_next(raw, n, &at, &body.at, &body.n) && body.n > in;
	ok = ok && ssh_blob_next(body.at, body.n, &in, &type.at, &type.n) && ssh_blob_next(body.at, body.n, &in, &name.at, &name.n) &&
	     ssh_blob_next(body.at, body.n, &in, &point->at, &point->n) && ssh_blob_next(body.at, body.n, &in, &secret->at, &secret->n);
	const struct curve *c = ok ? find_curve(type, name) : NULL;
	while (c != NULL && secret->n > 0 && secret->at[0] == 0)
		*secret = (struct part){ secret->at + 1, secret->n - 1 };
	return c != NULL && point->n == c->point && secret->n > 0 && secret->n <= c->secret ? c : NULL;
}

static size_t head_size(size_t n) { return n < 128 ? 2 : 3; }

static size_t put_head(unsigned char *to, unsigned char tag, size_t n)
{
	to[0] = tag;
	to[1] = n < 128 ? (unsigned char)n : 0x81;
	to[2] = (unsigned char)n; /* all lengths here are below 256 */
	return head_size(n);
}

/* ECPrivateKey ::= SEQUENCE { 1, the secret, [0] the curve, [1] the point as a BIT STRING } */
static size_t encode(const struct curve *c, struct part point, struct part secret, unsigned char to[DER_MAX])
{
	size_t bits = 1 + c->point, tagged = head_size(bits) + bits, n = 0;
	size_t whole = 3 + head_size(c->secret) + c->secret + 2 + c->oid_len + head_size(tagged) + tagged;
	n += put_head(to, 0x30, whole);
	memcpy(to + n, (const unsigned char[]){ 0x02, 0x01, 0x01 }, 3);
	n += 3;
	n += put_head(to + n, 0x04, c->secret);
	memset(to + n, 0, c->secret - secret.n);
	memcpy(to + n + c->secret - secret.n, secret.at, secret.n);
	n += c->secret;
	n += put_head(to + n, 0xa0, c->oid_len);
	memcpy(to + n, c->oid, c->oid_len);
	n += c->oid_len;
	n += put_head(to + n, 0xa1, tagged);
	n += put_head(to + n, 0x03, bits);
	to[n++] = 0;
	memcpy(to + n, point.at, point.n);
	return n + point.n;
}

bool ssh_pem_ecdsa(const unsigned char *raw, size_t n, struct buf *to)
{
	unsigned char der[DER_MAX];
	struct part point = { NULL, 0 }, secret = { NULL, 0 };
	const struct curve *c = take_apart(raw, n, &point, &secret);
	size_t before = to->len;
	if (c == NULL)
		return false;
	size_t len = encode(c, point, secret, der);
	buf_puts(to, "-----BEGIN EC PRIVATE KEY-----\n");
	for (size_t at = 0; at < len; at += LINE) {
		base64_encode(to, der + at, len - at < LINE ? len - at : LINE);
		buf_putc(to, '\n');
	}
	buf_puts(to, "-----END EC PRIVATE KEY-----\n");
	explicit_bzero(der, sizeof der);
	if (to->err != ERR_OK)
		to->len = before;
	return to->err == ERR_OK;
}
