/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of who did what. The hash of a row is SHA-256 over: the hash of the row before (32 zero bytes for the first), then the row's fields in
 * the order id, at_ms, who, account, origin, action, subject, detail; numbers as eight bytes, the least first, texts as their length in eight such
 * bytes and their bytes in UTF-8. So a row that is changed, removed or put in breaks the chain at its place, unless all that follow are made anew:
 * who wants to know even that notes the last hash elsewhere now and then. */
#include "store/changes.h"

#include <string.h>

#include <openssl/evp.h>
#include <sqlite3.h>

#include "store/reader_private.h"

static bool add_number(EVP_MD_CTX *c, uint64_t v)
{
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	return EVP_DigestUpdate(c, bytes, sizeof bytes) == 1;
}

static bool add_text(EVP_MD_CTX *c, const char *text)
{
	size_t n = strlen(text);
	return add_number(c, n) && EVP_DigestUpdate(c, text, n) == 1;
}

enum err audit_hash(const struct audit_row *r, const uint8_t before[32], uint8_t out[32], struct why *why)
{
	const char *texts[] = { r->actor.who, r->actor.account, r->actor.origin, r->action, r->subject, r->detail };
	unsigned n = 0;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(c, before, 32) == 1 &&
	          add_number(c, (uint64_t)r->id) && add_number(c, (uint64_t)r->at_ms);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && ok; i++)
		ok = add_text(c, texts[i]);
	ok = ok && EVP_DigestFinal_ex(c, out, &n) == 1 && n == 32;
	EVP_MD_CTX_free(c);
	return ok ? ERR_OK : why_memory(why);
}

/* ---- reading ---- */

struct walk {
	struct reader *r;
	int64_t        after_id;
	enum err     (*fn)(void *ctx, const struct audit_row *a);
	void          *ctx;
};

static enum err walk_body(void *ctx, struct why *why)
{
	const struct walk *w = ctx;
	if (w->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&w->r->db, STMT_AUDIT);
	if (s == NULL)
		return db_error(&w->r->db, why);
	sqlite3_bind_int64(s, 1, w->after_id);
	enum err e;
	while ((e = db_step(&w->r->db, s, why)) == ERR_OK) {
		struct audit_row a = {
			.id = sqlite3_column_int64(s, 0), .at_ms = sqlite3_column_int64(s, 1), .actor = { db_text(s, 2), db_text(s, 3), db_text(s, 4) },
			.action = db_text(s, 5), .subject = db_text(s, 6), .detail = db_text(s, 7),
		};
		if (sqlite3_column_bytes(s, 8) == sizeof a.hash)
			memcpy(a.hash, sqlite3_column_blob(s, 8), sizeof a.hash);
		e = w->fn(w->ctx, &a);
		if (e == ERR_OK)
			e = reader_check(w->r, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err reader_audit(struct reader *r, int64_t after_id, enum err (*fn)(void *ctx, const struct audit_row *a), void *ctx, struct why *why)
{
	struct walk w = { r, after_id, fn, ctx };
	return reader_call(r, walk_body, &w, why);
}

struct verify {
	struct reader *r;
	struct db   *db;
	uint8_t      hash[32];
	int64_t      n;
	struct why  *why;
};

static enum err verify_row(void *ctx, const struct audit_row *a)
{
	struct verify *v = ctx;
	uint8_t hash[32];
	if (a->id != v->n + 1)
		return why_set(v->why, ERR_CORRUPT, "the audit chain of '%s' is broken: row %lld is missing", v->db->path, (long long)v->n + 1);
	enum err e = audit_hash(a, v->hash, hash, v->why);
	if (e == ERR_OK && memcmp(hash, a->hash, sizeof hash) != 0)
		e = why_set(v->why, ERR_CORRUPT, "the audit chain of '%s' is broken at row %lld: it was changed, or the one before it was", v->db->path,
		            (long long)a->id);
	if (e != ERR_OK)
		return e;
	memcpy(v->hash, hash, sizeof hash);
	v->n++;
	return ERR_OK;
}

/* In one transaction, so that rows and head are of the same moment. */
static enum err verify_head(void *ctx, struct why *why)
{
	struct verify *v = ctx;
	if (v->db->version < SCHEMA_ALERTS)
		return ERR_OK;
	struct walk w = { v->r, v->n, verify_row, v };
	enum err e = walk_body(&w, why);
	sqlite3_stmt *s = e == ERR_OK ? db_statement(v->db, STMT_AUDIT_HEAD) : NULL;
	if (s == NULL)
		return e == ERR_OK ? db_error(v->db, why) : e;
	e = db_step(v->db, s, why);
	int64_t last = e == ERR_OK ? sqlite3_column_int64(s, 0) : 0;
	bool same = last == v->n && (last == 0 || (sqlite3_column_bytes(s, 1) == 32 && memcmp(sqlite3_column_blob(s, 1), v->hash, 32) == 0));
	sqlite3_reset(s);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return same ? ERR_OK : why_set(why, ERR_CORRUPT, "the audit chain of '%s' is broken at its end: %lld rows were written, %lld are there", v->db->path,
	                               (long long)last, (long long)v->n);
}

enum err reader_audit_verify(struct reader *r, int64_t *n, struct why *why)
{
	struct verify v = { .r = r, .db = &r->db, .why = why };
	enum err e = reader_call(r, verify_head, &v, why);
	*n = v.n;
	return e;
}
