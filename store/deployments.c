/* SPDX-License-Identifier: Apache-2.0 */
#include "store/deployments.h"

#include <math.h>

#include <sqlite3.h>

#include "store/reader_private.h"

/* The statements have these as numbers. */
_Static_assert(DEPLOYMENT_RUNNING == 2 && DEPLOYMENT_DONE == 7, "DEPLOYMENT_AS_OF, STMT_DEPLOYMENTS");
_Static_assert(STEP_DONE == 1 && STEP_FAILED == 2 && STEP_SKIPPED == 3 && STEP_FORWARD == 0, "STMT_DEPLOYMENT_COUNTS");

const char *deployment_state_name(enum deployment_state s)
{
	static const char *const names[] = {
#define X(name, text) text,
		DEPLOYMENT_LIST(X)
#undef X
	};
	return names[s];
}

bool deployment_is_over(enum deployment_state s) { return s >= DEPLOYMENT_DONE; }
bool deployment_is_active(enum deployment_state s) { return s >= DEPLOYMENT_RUNNING && s < DEPLOYMENT_DONE; }

const char *step_state_name(enum step_state s)
{
	static const char *const names[] = { "begun", "done", "failed", "skipped", "passed", "failed" };
	_Static_assert(sizeof names / sizeof names[0] == STEP_STATE_COUNT, "a name for every state");
	return names[s];
}

/* What one call is about; the body of each takes its part. */
struct call {
	struct reader *r;
	int64_t        at_ms, after_ms, id;
	size_t         limit;
	const char    *request;
	union {
		enum err (*deployment)(void *ctx, const struct deployment_at *d);
		enum err (*change)(void *ctx, const struct deployment_change *c);
		enum err (*step)(void *ctx, const struct deployment_step *s);
	} fn;
	void   *ctx;
	int64_t n;
};

/* A store from before there were deployments has none. */
static bool has_none(const struct call *c) { return c->r->db.version < SCHEMA_DEPLOYMENTS; }

static int64_t not_after(int64_t t_ms, int64_t at_ms) { return t_ms <= at_ms ? t_ms : 0; }

static int number_below(sqlite3_stmt *s, int column, int count, int otherwise)
{
	int64_t n = sqlite3_column_int64(s, column);
	return n >= 0 && n < count ? (int)n : otherwise;
}

static size_t count_of(sqlite3_stmt *s, int column)
{
	int64_t n = sqlite3_column_int64(s, column);
	return n > 0 ? (size_t)n : 0;
}

/* Walks the rows of a statement, whose parameters are bound. */
static enum err walk(struct call *c, sqlite3_stmt *s, enum err (*row)(struct call *c, sqlite3_stmt *s, struct why *why), struct why *why)
{
	enum err e;
	while ((e = db_step(&c->r->db, s, why)) == ERR_OK) {
		c->n++;
		e = row(c, s, why);
		if (e == ERR_OK)
			e = reader_check(c->r, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- deployments ---- */

/* Columns of DEPLOYMENT_COLUMNS, the plan, and DEPLOYMENT_AS_OF. */
enum { COL_PLAN = 16, COL_CHANGE, COL_AT_MS, COL_STATE, COL_WHO, COL_ACCOUNT, COL_ORIGIN, COL_TEXT, COL_BEGAN_MS, COL_HOLDER, COL_BEAT_MS };

static enum err count_steps(struct call *c, struct deployment_at *d, struct why *why)
{
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_DEPLOYMENT_COUNTS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, d->row.id);
	sqlite3_bind_int64(s, 2, c->at_ms);
	enum err e = db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e;
	d->n_steps = count_of(s, 0);
	d->n_done = count_of(s, 1);
	d->n_failed = count_of(s, 2);
	d->n_begun = d->n_steps - d->n_done - d->n_failed;
	sqlite3_reset(s);
	return ERR_OK;
}

static enum err deployment_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	struct deployment_at d = {
		.row = {
			.id = sqlite3_column_int64(s, 0), .kind = db_text(s, 1), .scope = db_text(s, 2), .model = db_text(s, 3), .driver = db_text(s, 4),
			.target = db_text(s, 5), .from = db_text(s, 6), .to = db_text(s, 7), .hash = db_text(s, 8), .request = db_text(s, 9),
			.actor = { db_text(s, 10), db_text(s, 11), db_text(s, 12) }, .reason = db_text(s, 13), .alert = sqlite3_column_int64(s, 14),
			.planned_ms = sqlite3_column_int64(s, 15), .plan = db_text(s, COL_PLAN),
		},
		.last = {
			.id = sqlite3_column_int64(s, COL_CHANGE), .at_ms = sqlite3_column_int64(s, COL_AT_MS),
			.state = (enum deployment_state)number_below(s, COL_STATE, DEPLOYMENT_STATE_COUNT, DEPLOYMENT_ABANDONED),
			.actor = { db_text(s, COL_WHO), db_text(s, COL_ACCOUNT), db_text(s, COL_ORIGIN) }, .text = db_text(s, COL_TEXT),
		},
		.began_ms = sqlite3_column_int64(s, COL_BEGAN_MS),
		.lease = { .holder = db_text(s, COL_HOLDER), .beat_ms = sqlite3_column_int64(s, COL_BEAT_MS) },
	};
	d.last.deployment = d.lease.deployment = d.row.id;
	if (d.last.id == 0) /* it stands there, and nothing became of it */
		d.last.at_ms = d.row.planned_ms;
	if (deployment_is_over(d.last.state))
		d.ended_ms = d.last.at_ms;
	enum err e = count_steps(c, &d, why);
	return e == ERR_OK ? c->fn.deployment(c->ctx, &d) : e;
}

static enum err deployments_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (has_none(c))
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_DEPLOYMENTS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->after_ms);
	sqlite3_bind_int64(s, 2, c->at_ms);
	sqlite3_bind_int64(s, 3, c->limit < INT64_MAX ? (int64_t)c->limit : INT64_MAX);
	return walk(c, s, deployment_row, why);
}

enum err reader_deployments(struct reader *r, int64_t after_ms, int64_t at_ms, size_t limit, enum err (*fn)(void *ctx, const struct deployment_at *d), void *ctx,
                            struct why *why)
{
	struct call c = { .r = r, .after_ms = after_ms, .at_ms = at_ms, .limit = limit, .fn.deployment = fn, .ctx = ctx };
	return reader_call(r, deployments_body, &c, why);
}

/* Rows of one deployment until T: ?1 which, ?2 T. */
static enum err rows_of(struct call *c, enum statement which, enum err (*row)(struct call *c, sqlite3_stmt *s, struct why *why), struct why *why)
{
	if (has_none(c))
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, which);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->id);
	sqlite3_bind_int64(s, 2, c->at_ms);
	return walk(c, s, row, why);
}

static enum err deployment_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	enum err e = rows_of(c, STMT_DEPLOYMENT, deployment_row, why);
	return e == ERR_OK && c->n == 0 ? why_set(why, ERR_NOT_FOUND, "there is no deployment %lld", (long long)c->id) : e;
}

enum err reader_deployment(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_at *d), void *ctx, struct why *why)
{
	struct call c = { .r = r, .id = id, .at_ms = at_ms, .fn.deployment = fn, .ctx = ctx };
	return reader_call(r, deployment_body, &c, why);
}

/* ---- which there are ---- */

static enum err request_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = has_none(c) ? NULL : db_statement(&c->r->db, STMT_DEPLOYMENT_OF_REQUEST);
	if (s == NULL && !has_none(c))
		return db_error(&c->r->db, why);
	if (s != NULL && c->request[0] != '\0') {
		sqlite3_bind_text(s, 1, c->request, -1, SQLITE_STATIC);
		enum err e = db_step(&c->r->db, s, why);
		if (e != ERR_OK)
			return e;
		c->n = sqlite3_column_int64(s, 0);
		sqlite3_reset(s);
	}
	return c->n != 0 ? ERR_OK : why_set(why, ERR_NOT_FOUND, "nothing was planned for request '%s' yet", c->request);
}

enum err reader_deployment_of_request(struct reader *r, const char *request, int64_t *id, struct why *why)
{
	struct call c = { .r = r, .request = request };
	enum err e = reader_call(r, request_body, &c, why);
	if (e == ERR_OK)
		*id = c.n;
	return e;
}

static enum err last_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (has_none(c))
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_DEPLOYMENT_LAST);
	enum err e = s == NULL ? db_error(&c->r->db, why) : db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e;
	c->n = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

enum err reader_deployment_id(struct reader *r, int64_t *out, struct why *why)
{
	struct call c = { .r = r };
	enum err e = reader_call(r, last_body, &c, why);
	if (e == ERR_OK)
		*out = c.n;
	return e;
}

/* ---- what became of one ---- */

static enum err change_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	struct deployment_change row = {
		.id = sqlite3_column_int64(s, 0), .deployment = sqlite3_column_int64(s, 1), .at_ms = sqlite3_column_int64(s, 2),
		.state = (enum deployment_state)number_below(s, 3, DEPLOYMENT_STATE_COUNT, DEPLOYMENT_ABANDONED),
		.actor = { db_text(s, 4), db_text(s, 5), db_text(s, 6) }, .text = db_text(s, 7),
	};
	return c->fn.change(c->ctx, &row);
}

static enum err changes_body(void *ctx, struct why *why) { return rows_of(ctx, STMT_DEPLOYMENT_CHANGES, change_row, why); }

enum err reader_deployment_changes(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_change *c), void *ctx, struct why *why)
{
	struct call c = { .r = r, .id = id, .at_ms = at_ms, .fn.change = fn, .ctx = ctx };
	return reader_call(r, changes_body, &c, why);
}

/* How far a step is, is known of now alone: one that has ended since was at an unknown place. */
static enum err step_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	int64_t ended_ms = sqlite3_column_int64(s, 9);
	struct deployment_step row = {
		.deployment = sqlite3_column_int64(s, 0), .seq = sqlite3_column_int64(s, 1), .wave = count_of(s, 2), .unit = db_text(s, 3),
		.direction = (enum step_direction)number_below(s, 4, STEP_BACK + 1, STEP_FORWARD), .index = count_of(s, 5), .title = db_text(s, 6),
		.key = db_text(s, 7), .began_ms = sqlite3_column_int64(s, 8), .ended_ms = not_after(ended_ms, c->at_ms), .text = "", .progress = NAN,
	};
	if (row.ended_ms != 0 || ended_ms == 0) {
		row.state = (enum step_state)number_below(s, 10, STEP_STATE_COUNT, STEP_FAILED);
		row.text = db_text(s, 11);
	}
	if (ended_ms == 0 && sqlite3_column_type(s, 12) != SQLITE_NULL)
		row.progress = sqlite3_column_double(s, 12);
	return c->fn.step(c->ctx, &row);
}

static enum err steps_body(void *ctx, struct why *why) { return rows_of(ctx, STMT_DEPLOYMENT_STEPS, step_row, why); }

enum err reader_deployment_steps(struct reader *r, int64_t id, int64_t at_ms, enum err (*fn)(void *ctx, const struct deployment_step *s), void *ctx, struct why *why)
{
	struct call c = { .r = r, .id = id, .at_ms = at_ms, .fn.step = fn, .ctx = ctx };
	return reader_call(r, steps_body, &c, why);
}
