/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alerts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "base/varint.h"
#include "store/reader_private.h"

/* What one call is about; the body of each takes its part. */
struct call {
	struct reader *r;
	int64_t        at_ms, after_ms, id;
	const char    *text;
	size_t         limit;
	enum notification_state state;
	union {
		enum err (*alert)(void *ctx, const struct alert_row *a);
		enum err (*transition)(void *ctx, const struct transition_row *t);
		enum err (*ack)(void *ctx, const struct ack_row *a);
		enum err (*silence)(void *ctx, const struct silence_row *s);
		enum err (*external)(void *ctx, const struct external_row *e);
		enum err (*alertmanager)(void *ctx, const struct alertmanager_row *a);
		enum err (*request)(void *ctx, const struct request_row *q);
		enum err (*notification)(void *ctx, const struct notification_row *n);
		enum err (*console)(void *ctx, const struct console_row *c);
	} fn;
	struct alert_ids *ids;
	void *ctx;
};

/* Walks the rows of a statement, whose parameters are bound. A store from before there were alerts has none. */
static enum err walk(struct call *c, sqlite3_stmt *s, enum err (*row)(struct call *c, sqlite3_stmt *s, struct why *why), struct why *why)
{
	enum err e;
	while ((e = db_step(&c->r->db, s, why)) == ERR_OK) {
		e = row(c, s, why);
		if (e == ERR_OK)
			e = reader_check(c->r, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static int64_t not_after(int64_t t_ms, int64_t at_ms) { return t_ms <= at_ms ? t_ms : 0; }

static int number_below(sqlite3_stmt *s, int column, int count, int otherwise)
{
	int64_t n = sqlite3_column_int64(s, column);
	return n >= 0 && n < count ? (int)n : otherwise;
}

static double number_of(sqlite3_stmt *s, int column)
{
	return sqlite3_column_type(s, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(s, column);
}

static enum err labels_of_column(struct call *c, sqlite3_stmt *s, int column, struct labels **out, struct why *why)
{
	(void)c;
	return labels_decode(sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column), NULL, out, why);
}

/* ---- alerts ---- */

/* Columns of ALERT_COLUMNS and of ALERT_AS_OF behind them. */
enum { COL_WORDS = 18, COL_FLAP, COL_INHIBIT, COL_INHIBITED_BY };

static void fill_alert(const struct call *c, sqlite3_stmt *s, struct alert_row *a)
{
	a->id = sqlite3_column_int64(s, 0);
	a->rule = db_text(s, 1);
	a->source = db_text(s, 2);
	a->expr = db_text(s, 3);
	a->group_key = db_text(s, 4);
	a->severity = (enum severity)number_below(s, 8, SEVERITY_COUNT, SEVERITY_INFO);
	a->value = number_of(s, 9);
	a->active_ms = sqlite3_column_int64(s, 10);
	a->fired_ms = not_after(sqlite3_column_int64(s, 11), c->at_ms);
	a->keep_since_ms = not_after(sqlite3_column_int64(s, 12), c->at_ms);
	a->resolved_ms = not_after(sqlite3_column_int64(s, 13), c->at_ms);
	a->states = (uint32_t)sqlite3_column_int64(s, 14);
	a->is_flapping = sqlite3_column_int(s, COL_FLAP) == TRANSITION_FLAPPING;
	a->flap_percent = sqlite3_column_double(s, 16);
	a->inhibited_by = sqlite3_column_int(s, COL_INHIBIT) == TRANSITION_INHIBITED ? sqlite3_column_int64(s, COL_INHIBITED_BY) : 0;
}

static enum err alert_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	struct alert_row a = { 0 };
	struct labels *sets[3] = { NULL, NULL, NULL };
	enum err e = ERR_OK;
	if (c->text != NULL && strcasestr(db_text(s, COL_WORDS), c->text) == NULL)
		return ERR_OK;
	for (int i = 0; i < 3 && e == ERR_OK; i++)
		e = labels_of_column(c, s, 5 + i, &sets[i], why);
	if (e == ERR_OK) {
		a.labels = sets[0];
		a.result = sets[1];
		a.annotations = sets[2];
		fill_alert(c, s, &a);
		e = c->fn.alert(c->ctx, &a);
	}
	for (int i = 0; i < 3; i++)
		labels_unref(sets[i]);
	if (e == ERR_OK && c->limit > 0 && --c->limit == 0)
		return ERR_NOT_FOUND; /* ends the walk */
	return e;
}

static enum err alerts_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, c->id != 0 ? STMT_ALERT : STMT_ALERTS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->at_ms);
	if (c->id != 0)
		sqlite3_bind_int64(s, 3, c->id);
	else
		sqlite3_bind_int64(s, 2, c->after_ms);
	return walk(c, s, alert_row, why);
}

enum err reader_alerts(struct reader *r, int64_t at_ms, int64_t resolved_ms, int64_t id, enum err (*fn)(void *ctx, const struct alert_row *a), void *ctx,
                       struct why *why)
{
	struct call c = { .r = r, .at_ms = at_ms, .after_ms = at_ms - resolved_ms, .id = id, .fn.alert = fn, .ctx = ctx };
	return reader_call(r, alerts_body, &c, why);
}

static enum err history_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS || c->limit == 0)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_ALERT_HISTORY);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->at_ms);
	sqlite3_bind_int64(s, 2, c->after_ms);
	return walk(c, s, alert_row, why);
}

enum err reader_alert_history(struct reader *r, int64_t after_ms, int64_t until_ms, const char *text, size_t limit,
                              enum err (*fn)(void *ctx, const struct alert_row *a), void *ctx, struct why *why)
{
	struct call c = { .r = r, .at_ms = until_ms, .after_ms = after_ms, .text = text, .limit = limit, .fn.alert = fn, .ctx = ctx };
	return reader_call(r, history_body, &c, why);
}

/* ---- transitions ---- */

static enum err transition_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	struct transition_row t = {
		.alert = sqlite3_column_int64(s, 0), .at_ms = sqlite3_column_int64(s, 1), .value = number_of(s, 3), .other = sqlite3_column_int64(s, 4),
		.what = (enum transition)number_below(s, 2, TRANSITION_COUNT, TRANSITION_COUNT),
	};
	return t.what < TRANSITION_COUNT ? c->fn.transition(c->ctx, &t) : ERR_OK;
}

static enum err transitions_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, c->id != 0 ? STMT_TRANSITIONS_OF : STMT_TRANSITIONS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->after_ms);
	sqlite3_bind_int64(s, 2, c->at_ms);
	if (c->id != 0)
		sqlite3_bind_int64(s, 3, c->id);
	return walk(c, s, transition_row, why);
}

enum err reader_transitions(struct reader *r, int64_t alert, int64_t after_ms, int64_t until_ms,
                            enum err (*fn)(void *ctx, const struct transition_row *t), void *ctx, struct why *why)
{
	struct call c = { .r = r, .id = alert, .at_ms = until_ms, .after_ms = after_ms, .fn.transition = fn, .ctx = ctx };
	return reader_call(r, transitions_body, &c, why);
}

/* ---- what people did ---- */

static enum err decode_ids(struct call *c, sqlite3_stmt *s, int column, int64_t **out, size_t *n, struct why *why)
{
	const uint8_t *p = sqlite3_column_blob(s, column);
	size_t size = (size_t)sqlite3_column_bytes(s, column);
	const uint8_t *end = p != NULL ? p + size : NULL;
	int64_t last = 0, *ids = calloc(size + 1, sizeof *ids);
	if (ids == NULL)
		return why_memory(why);
	*n = 0;
	while (p < end) {
		uint64_t step;
		size_t used = varint_get(p, end, &step);
		if (used == 0) {
			free(ids);
			return db_corrupt(&c->r->db, "an acknowledgement's alerts cannot be read", why);
		}
		last = (int64_t)((uint64_t)last + (uint64_t)unzigzag(step));
		ids[(*n)++] = last;
		p += used;
	}
	*out = ids;
	return ERR_OK;
}

static enum err ack_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	int64_t *ids = NULL;
	size_t n = 0;
	enum err e = decode_ids(c, s, 9, &ids, &n, why);
	if (e != ERR_OK)
		return e;
	struct ack_row a = {
		.id = sqlite3_column_int64(s, 0), .group_key = db_text(s, 1), .at_ms = sqlite3_column_int64(s, 2),
		.until_ms = sqlite3_column_int64(s, 3), .actor = { db_text(s, 4), db_text(s, 5), db_text(s, 6) }, .comment = db_text(s, 7),
		.severity = (enum severity)number_below(s, 8, SEVERITY_COUNT, SEVERITY_INFO), .alerts = ids, .n_alerts = n,
		.ended_ms = not_after(sqlite3_column_int64(s, 10), c->at_ms), .ended_by = { "", "", "" },
	};
	if (a.ended_ms != 0) {
		a.end = (enum ack_end)number_below(s, 11, ACK_END_COUNT, ACK_REMOVED);
		a.ended_by = (struct actor){ db_text(s, 12), db_text(s, 13), db_text(s, 14) };
	}
	e = c->fn.ack(c->ctx, &a);
	free(ids);
	return e;
}

static enum err silence_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	struct silence_row row = {
		.id = db_text(s, 0), .matchers = db_text(s, 1), .from_ms = sqlite3_column_int64(s, 2), .until_ms = sqlite3_column_int64(s, 3),
		.actor = { db_text(s, 4), db_text(s, 5), db_text(s, 6) }, .comment = db_text(s, 7), .created_ms = sqlite3_column_int64(s, 8),
		.ended_ms = not_after(sqlite3_column_int64(s, 9), c->at_ms), .remote = db_text(s, 10), .remote_id = db_text(s, 11),
		.ended_who = "",
	};
	if (row.ended_ms != 0)
		row.ended_who = db_text(s, 12);
	return c->fn.silence(c->ctx, &row);
}

/* Rows of a window: ?1 after, ?2 until. Tables that are there since that version of the store. */
static enum err window_body(struct call *c, int since, enum statement which, enum err (*row)(struct call *c, sqlite3_stmt *s, struct why *why),
                            struct why *why)
{
	if (c->r->db.version < since)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, which);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->after_ms);
	sqlite3_bind_int64(s, 2, c->at_ms);
	return walk(c, s, row, why);
}

static enum err acks_body(void *ctx, struct why *why) { return window_body(ctx, SCHEMA_ALERTS, STMT_ACKS, ack_row, why); }

static enum err silences_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	return window_body(c, SCHEMA_ALERTS, c->r->db.version < SCHEMA_EXTERNAL ? STMT_SILENCES_3 : STMT_SILENCES, silence_row, why);
}

static enum err remote_silences_body(void *ctx, struct why *why)
{
	return window_body(ctx, SCHEMA_EXTERNAL, STMT_SILENCES_REMOTE, silence_row, why);
}

enum err reader_acks(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct ack_row *a), void *ctx, struct why *why)
{
	struct call c = { .r = r, .after_ms = after_ms, .at_ms = until_ms, .fn.ack = fn, .ctx = ctx };
	return reader_call(r, acks_body, &c, why);
}

enum err reader_silences(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct silence_row *s), void *ctx,
                         struct why *why)
{
	struct call c = { .r = r, .after_ms = after_ms, .at_ms = until_ms, .fn.silence = fn, .ctx = ctx };
	return reader_call(r, silences_body, &c, why);
}

enum err reader_remote_silences(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct silence_row *s), void *ctx, struct why *why)
{
	struct call c = { .r = r, .after_ms = at_ms, .at_ms = at_ms, .fn.silence = fn, .ctx = ctx };
	return reader_call(r, remote_silences_body, &c, why);
}

/* ---- what Alertmanagers have ---- */

static enum err external_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	struct labels *labels = NULL, *annotations = NULL;
	enum err e = labels_of_column(c, s, 2, &labels, why);
	if (e == ERR_OK)
		e = labels_of_column(c, s, 3, &annotations, why);
	if (e == ERR_OK) {
		int64_t until_ms = sqlite3_column_int64(s, 6);
		const struct external_row row = {
			.id = sqlite3_column_int64(s, 0), .remote = db_text(s, 1), .labels = labels, .annotations = annotations,
			.starts_ms = sqlite3_column_int64(s, 4), .from_ms = sqlite3_column_int64(s, 5), .until_ms = until_ms <= c->at_ms ? until_ms : INT64_MAX,
			.state = (enum external_state)number_below(s, 7, EXTERNAL_STATE_COUNT, EXTERNAL_UNPROCESSED), .is_ours = sqlite3_column_int(s, 8) != 0,
			.silenced_by = db_text(s, 9), .inhibited_by = db_text(s, 10), .receivers = db_text(s, 11), .url = db_text(s, 12),
		};
		e = c->fn.external(c->ctx, &row);
	}
	labels_unref(labels);
	labels_unref(annotations);
	return e;
}

static enum err alertmanager_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	const struct alertmanager_row row = {
		.name = db_text(s, 0), .from_ms = sqlite3_column_int64(s, 1), .text = db_text(s, 3),
		.state = (enum alertmanager_state)number_below(s, 2, ALERTMANAGER_STATE_COUNT, ALERTMANAGER_GONE),
	};
	return c->fn.alertmanager(c->ctx, &row);
}

static enum err externals_body(void *ctx, struct why *why) { return window_body(ctx, SCHEMA_EXTERNAL, STMT_EXTERNALS, external_row, why); }
static enum err alertmanagers_body(void *ctx, struct why *why) { return window_body(ctx, SCHEMA_EXTERNAL, STMT_ALERTMANAGERS, alertmanager_row, why); }

enum err reader_externals(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct external_row *e), void *ctx,
                          struct why *why)
{
	struct call c = { .r = r, .after_ms = after_ms, .at_ms = until_ms, .fn.external = fn, .ctx = ctx };
	return reader_call(r, externals_body, &c, why);
}

enum err reader_alertmanagers(struct reader *r, int64_t after_ms, int64_t until_ms, enum err (*fn)(void *ctx, const struct alertmanager_row *a),
                              void *ctx, struct why *why)
{
	struct call c = { .r = r, .after_ms = after_ms, .at_ms = until_ms, .fn.alertmanager = fn, .ctx = ctx };
	return reader_call(r, alertmanagers_body, &c, why);
}

/* ---- requests, notifications, consoles ---- */

static enum err request_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	sqlite3_stmt *s = c->r->db.version >= SCHEMA_ALERTS ? db_statement(&c->r->db, STMT_REQUEST) : NULL;
	if (s == NULL)
		return c->r->db.version >= SCHEMA_ALERTS ? db_error(&c->r->db, why) : ERR_NOT_FOUND;
	sqlite3_bind_text(s, 1, c->text, -1, SQLITE_STATIC);
	enum err e = db_step(&c->r->db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? why_set(why, e, "request '%s' was not handled yet", c->text) : e;
	struct request_row q = { .id = db_text(s, 0), .at_ms = sqlite3_column_int64(s, 1), .text = db_text(s, 3),
	                         .err = (enum err)number_below(s, 2, ERR_COUNT, ERR_IO) };
	e = c->fn.request(c->ctx, &q);
	sqlite3_reset(s);
	return e;
}

enum err reader_request(struct reader *r, const char *id, enum err (*fn)(void *ctx, const struct request_row *q), void *ctx, struct why *why)
{
	struct call c = { .r = r, .text = id, .fn.request = fn, .ctx = ctx };
	return reader_call(r, request_body, &c, why);
}

static enum err notification_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	struct notification_row n = {
		.id = sqlite3_column_int64(s, 0), .receiver = db_text(s, 1), .group_key = db_text(s, 2), .body = db_text(s, 3),
		.created_ms = sqlite3_column_int64(s, 4), .due_ms = sqlite3_column_int64(s, 5), .done_ms = sqlite3_column_int64(s, 6),
		.tries = sqlite3_column_int64(s, 7), .error = db_text(s, 9),
		.state = (enum notification_state)number_below(s, 8, NOTIFICATION_STATE_COUNT, NOTIFICATION_GIVEN_UP),
	};
	return c->fn.notification(c->ctx, &n);
}

static enum err notifications_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_NOTIFICATIONS);
	if (s == NULL)
		return db_error(&c->r->db, why);
	if (c->state != NOTIFICATION_STATE_COUNT)
		sqlite3_bind_int(s, 1, (int)c->state);
	return walk(c, s, notification_row, why);
}

enum err reader_notifications(struct reader *r, enum notification_state state, enum err (*fn)(void *ctx, const struct notification_row *n), void *ctx,
                              struct why *why)
{
	struct call c = { .r = r, .state = state, .fn.notification = fn, .ctx = ctx };
	return reader_call(r, notifications_body, &c, why);
}

static enum err console_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	struct console_row row = {
		.id = db_text(s, 0), .actor = { db_text(s, 1), db_text(s, 2), db_text(s, 3) }, .since_ms = sqlite3_column_int64(s, 4),
		.seen_ms = sqlite3_column_int64(s, 5), .gone_ms = not_after(sqlite3_column_int64(s, 6), c->at_ms), .view = db_text(s, 7),
	};
	return c->fn.console(c->ctx, &row);
}

static enum err consoles_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_CONSOLES);
	if (s == NULL)
		return db_error(&c->r->db, why);
	sqlite3_bind_int64(s, 1, c->at_ms);
	sqlite3_bind_int64(s, 2, c->at_ms - CONSOLE_SEEN_MS);
	return walk(c, s, console_row, why);
}

enum err reader_consoles(struct reader *r, int64_t at_ms, enum err (*fn)(void *ctx, const struct console_row *c), void *ctx, struct why *why)
{
	struct call c = { .r = r, .at_ms = at_ms, .fn.console = fn, .ctx = ctx };
	return reader_call(r, consoles_body, &c, why);
}

static enum err ids_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	*c->ids = (struct alert_ids){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2), 0 };
	return ERR_OK;
}

static enum err external_id_row(struct call *c, sqlite3_stmt *s, struct why *why)
{
	(void)why;
	c->ids->external = sqlite3_column_int64(s, 0);
	return ERR_OK;
}

static enum err ids_body(void *ctx, struct why *why)
{
	struct call *c = ctx;
	if (c->r->db.version < SCHEMA_ALERTS)
		return ERR_OK;
	sqlite3_stmt *s = db_statement(&c->r->db, STMT_ALERT_IDS);
	enum err e = s == NULL ? db_error(&c->r->db, why) : walk(c, s, ids_row, why);
	if (e != ERR_OK || c->r->db.version < SCHEMA_EXTERNAL)
		return e;
	s = db_statement(&c->r->db, STMT_EXTERNAL_LAST);
	return s == NULL ? db_error(&c->r->db, why) : walk(c, s, external_id_row, why);
}

enum err reader_alert_ids(struct reader *r, struct alert_ids *out, struct why *why)
{
	struct alert_ids ids = { 0, 0, 0, 0 };
	struct call c = { .r = r, .ids = &ids };
	enum err e = reader_call(r, ids_body, &c, why);
	if (e == ERR_OK)
		*out = ids;
	return e;
}
