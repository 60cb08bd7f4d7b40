/* SPDX-License-Identifier: Apache-2.0 */
#include "store/changes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/arena.h"
#include "base/varint.h"
#include "store/deployments.h"

enum { VALUES_MAX = 19, LABELS_BYTES_MAX = 4 << 20, REQUEST_KEPT_MS = 24 * 3600 * 1000 };

enum value_kind { VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };
struct value {
	enum value_kind kind;
	int64_t         i;
	double          real;
	const void     *bytes; /* of a text or blob */
	size_t          n;
};

enum change_kind { CHANGE_STATEMENT, CHANGE_AUDIT, CHANGE_EVENT };
struct change {
	struct change   *next;
	enum change_kind kind;
	enum statement   statement;
	size_t           n_values;
	struct value    *values;
	struct audit_row audit;
	struct event     event;
};

struct changes {
	struct arena    arena;
	struct change  *first, **last;
	size_t          n_bytes;
	enum err        err;
};

enum err changes_new(struct changes **out, struct why *why)
{
	struct changes *c = calloc(1, sizeof *c);
	if (c == NULL)
		return why_memory(why);
	arena_init(&c->arena);
	c->last = &c->first;
	*out = c;
	return ERR_OK;
}

void changes_free(struct changes *c)
{
	if (c == NULL)
		return;
	arena_release(&c->arena);
	free(c);
}

bool   changes_is_empty(const struct changes *c) { return c->first == NULL; }
size_t changes_bytes(const struct changes *c) { return sizeof *c + c->n_bytes; }

enum err changes_check(const struct changes *c, struct why *why)
{
	if (arena_failed(&c->arena))
		return why_memory(why);
	return c->err == ERR_OK ? ERR_OK : why_set(why, c->err, "a label set of an alert: %s", err_text(c->err));
}

/* ---- collecting ---- */

static const void *keep(struct changes *c, const void *bytes, size_t n)
{
	char *to = arena_zeroed(&c->arena, n + 1, 1);
	if (to != NULL && n > 0)
		memcpy(to, bytes, n);
	c->n_bytes += n + 1;
	return to;
}

static const char *keep_text(struct changes *c, const char *text)
{
	return keep(c, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static struct change *add(struct changes *c, enum change_kind kind)
{
	struct change *one = arena_zeroed(&c->arena, 1, sizeof *one);
	if (one == NULL)
		return NULL;
	one->kind = kind;
	*c->last = one;
	c->last = &one->next;
	c->n_bytes += sizeof *one;
	return one;
}

static struct value of_int(int64_t i) { return (struct value){ .kind = VALUE_INT, .i = i }; }
static struct value of_real(double v) { return (struct value){ .kind = VALUE_REAL, .real = v }; }
static struct value of_text(struct changes *c, const char *text)
{
	return (struct value){ .kind = VALUE_TEXT, .n = text != NULL ? strlen(text) : 0, .bytes = keep_text(c, text) };
}

static struct value of_labels(struct changes *c, const struct labels *l)
{
	struct buf body;
	struct value v = { .kind = VALUE_BLOB };
	buf_init(&body, LABELS_BYTES_MAX);
	enum err e = labels_encode(l, &body);
	if (e == ERR_OK)
		v = (struct value){ .kind = VALUE_BLOB, .n = body.len, .bytes = keep(c, body.data, body.len) };
	else if (c->err == ERR_OK)
		c->err = e;
	buf_release(&body);
	return v;
}

/* What a search looks in. */
static struct value of_words(struct changes *c, const struct alert_row *r)
{
	struct buf text;
	buf_init(&text, LABELS_BYTES_MAX);
	buf_puts(&text, r->rule);
	buf_putc(&text, ' ');
	labels_print(r->labels, &text);
	for (size_t i = 0; i < labels_count(r->annotations); i++) {
		buf_putc(&text, '\n');
		buf_puts(&text, labels_at(r->annotations, i)->value);
	}
	struct value v = of_text(c, buf_text(&text)); /* where it is cut, a search finds less */
	buf_release(&text);
	return v;
}

static struct value of_ids(struct changes *c, const int64_t *ids, size_t n)
{
	struct value v = { .kind = VALUE_BLOB };
	uint8_t *to = arena_zeroed(&c->arena, n + 1, VARINT_MAX);
	if (to == NULL)
		return v;
	v.bytes = to;
	for (size_t i = 0; i < n; i++)
		v.n += varint_put(to + v.n, zigzag(ids[i] - (i > 0 ? ids[i - 1] : 0)));
	c->n_bytes += (n + 1) * VARINT_MAX;
	return v;
}

static void statement(struct changes *c, enum statement which, const struct value *values, size_t n)
{
	struct change *one = add(c, CHANGE_STATEMENT);
	struct value *copy = arena_zeroed(&c->arena, n, sizeof *copy);
	if (one == NULL || copy == NULL)
		return;
	memcpy(copy, values, n * sizeof *values);
	c->n_bytes += n * sizeof *copy;
	one->statement = which;
	one->values = copy;
	one->n_values = n;
}

#define STATEMENT(c, which, values) statement(c, which, values, sizeof(values) / sizeof(values)[0])

void changes_alert(struct changes *c, const struct alert_row *r)
{
	const struct value values[] = {
		of_int(r->id), of_text(c, r->rule), of_text(c, r->source), of_text(c, r->expr), of_text(c, r->group_key), of_labels(c, r->labels),
		of_labels(c, r->result), of_labels(c, r->annotations), of_int(r->severity), of_real(r->value), of_int(r->active_ms),
		of_int(r->fired_ms), of_int(r->keep_since_ms), of_int(r->resolved_ms), of_int(r->states), of_int(r->is_flapping),
		of_real(r->flap_percent), of_int(r->inhibited_by), of_words(c, r),
	};
	STATEMENT(c, STMT_ALERT_PUT, values);
}

void changes_transition(struct changes *c, const struct transition_row *r)
{
	const struct value values[] = { of_int(r->alert), of_int(r->at_ms), of_int(r->what), of_real(r->value), of_int(r->other) };
	STATEMENT(c, STMT_TRANSITION_ADD, values);
}

void changes_ack(struct changes *c, const struct ack_row *r)
{
	const struct value values[] = {
		of_int(r->id), of_text(c, r->group_key), of_int(r->at_ms), of_int(r->until_ms), of_text(c, r->actor.who), of_text(c, r->actor.account),
		of_text(c, r->actor.origin), of_text(c, r->comment), of_int(r->severity), of_ids(c, r->alerts, r->n_alerts), of_int(r->ended_ms),
		of_int(r->end), of_text(c, r->ended_by.who), of_text(c, r->ended_by.account), of_text(c, r->ended_by.origin),
	};
	STATEMENT(c, STMT_ACK_PUT, values);
}

void changes_silence(struct changes *c, const struct silence_row *r)
{
	const struct value values[] = {
		of_text(c, r->id), of_text(c, r->matchers), of_int(r->from_ms), of_int(r->until_ms), of_text(c, r->actor.who),
		of_text(c, r->actor.account), of_text(c, r->actor.origin), of_text(c, r->comment), of_int(r->created_ms), of_int(r->ended_ms),
		of_text(c, r->remote), of_text(c, r->remote_id), of_text(c, r->ended_who),
	};
	STATEMENT(c, STMT_SILENCE_PUT, values);
}

void changes_external(struct changes *c, const struct external_row *r)
{
	const struct value values[] = {
		of_int(r->id), of_text(c, r->remote), of_labels(c, r->labels), of_labels(c, r->annotations), of_int(r->starts_ms), of_int(r->from_ms),
		of_int(r->until_ms), of_int(r->state), of_int(r->is_ours), of_text(c, r->silenced_by), of_text(c, r->inhibited_by), of_text(c, r->receivers),
		of_text(c, r->url),
	};
	STATEMENT(c, STMT_EXTERNAL_PUT, values);
}

void changes_alertmanager(struct changes *c, const struct alertmanager_row *r)
{
	const struct value values[] = { of_text(c, r->name), of_int(r->from_ms), of_int(r->state), of_text(c, r->text) };
	STATEMENT(c, STMT_ALERTMANAGER_PUT, values);
}

void changes_audit(struct changes *c, const struct audit_row *r)
{
	struct change *one = add(c, CHANGE_AUDIT);
	if (one == NULL)
		return;
	one->audit = (struct audit_row){
		.at_ms = r->at_ms,
		.actor = { keep_text(c, r->actor.who), keep_text(c, r->actor.account), keep_text(c, r->actor.origin) },
		.action = keep_text(c, r->action), .subject = keep_text(c, r->subject), .detail = keep_text(c, r->detail),
	};
}

void changes_request(struct changes *c, const struct request_row *r)
{
	const struct value values[] = { of_text(c, r->id), of_int(r->at_ms), of_int(r->err), of_text(c, r->text) };
	const struct value old[] = { of_int(r->at_ms - REQUEST_KEPT_MS) };
	STATEMENT(c, STMT_REQUEST_FORGET, old);
	STATEMENT(c, STMT_REQUEST_ADD, values);
}

void changes_notification(struct changes *c, const struct notification_row *r)
{
	const struct value values[] = {
		of_int(r->id), of_text(c, r->receiver), of_text(c, r->group_key), of_text(c, r->body), of_int(r->created_ms), of_int(r->due_ms),
		of_int(r->done_ms), of_int(r->tries), of_int(r->state), of_text(c, r->error),
	};
	STATEMENT(c, STMT_NOTIFICATION_PUT, values);
}

void changes_console(struct changes *c, const struct console_row *r)
{
	const struct value values[] = {
		of_text(c, r->id), of_text(c, r->actor.who), of_text(c, r->actor.account), of_text(c, r->actor.origin), of_int(r->since_ms),
		of_int(r->seen_ms), of_int(r->gone_ms), of_text(c, r->view),
	};
	STATEMENT(c, STMT_CONSOLE_PUT, values);
}

void changes_deployment(struct changes *c, const struct deployment_row *r)
{
	const struct value values[] = {
		of_int(r->id), of_text(c, r->kind), of_text(c, r->scope), of_text(c, r->model), of_text(c, r->driver), of_text(c, r->target),
		of_text(c, r->from), of_text(c, r->to), of_text(c, r->hash), of_text(c, r->request), of_text(c, r->actor.who),
		of_text(c, r->actor.account), of_text(c, r->actor.origin), of_text(c, r->reason), of_int(r->alert), of_int(r->planned_ms),
		of_text(c, r->plan),
	};
	STATEMENT(c, STMT_DEPLOYMENT_PUT, values);
}

void changes_deployment_change(struct changes *c, const struct deployment_change *r)
{
	const struct value values[] = {
		of_int(r->deployment), of_int(r->at_ms), of_int(r->state), of_text(c, r->actor.who), of_text(c, r->actor.account),
		of_text(c, r->actor.origin), of_text(c, r->text),
	};
	STATEMENT(c, STMT_DEPLOYMENT_CHANGE_ADD, values);
}

void changes_deployment_step(struct changes *c, const struct deployment_step *r)
{
	const struct value values[] = {
		of_int(r->deployment), of_int(r->seq), of_int((int64_t)r->wave), of_text(c, r->unit), of_int(r->direction), of_int((int64_t)r->index),
		of_text(c, r->title), of_text(c, r->key), of_int(r->began_ms), of_int(r->ended_ms), of_int(r->state), of_text(c, r->text),
		of_real(r->progress),
	};
	STATEMENT(c, STMT_DEPLOYMENT_STEP_PUT, values);
}

void changes_deployment_lease(struct changes *c, const struct deployment_lease *r)
{
	const struct value values[] = { of_int(r->deployment), of_text(c, r->holder), of_int(r->beat_ms) };
	STATEMENT(c, STMT_DEPLOYMENT_LEASE_PUT, values);
}

void changes_event(struct changes *c, const struct event *e)
{
	struct change *one = add(c, CHANGE_EVENT);
	if (one == NULL)
		return;
	one->event = *e;
	one->event.kind = keep_text(c, e->kind);
	one->event.node = keep_text(c, e->node);
	one->event.text = keep_text(c, e->text);
	one->event.data = keep_text(c, e->data);
}

void changes_prune(struct changes *c, int64_t before_ms)
{
	static const enum statement all[] = { STMT_TRANSITION_PRUNE, STMT_ALERT_PRUNE, STMT_ACK_PRUNE, STMT_SILENCE_PRUNE, STMT_NOTIFICATION_PRUNE,
	                                      STMT_REQUEST_PRUNE, STMT_CONSOLE_PRUNE, STMT_EXTERNAL_PRUNE, STMT_ALERTMANAGER_PRUNE };
	const struct value values[] = { of_int(before_ms), of_int(CHANGES_PRUNED), of_int(CHANGES_PRUNED * 10) };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		statement(c, all[i], values, all[i] == STMT_TRANSITION_PRUNE ? 3 : 2);
}

/* ---- carrying out ---- */

/* What is no number is NULL: SQLite would make it so, and knows no other. */
static void bind(sqlite3_stmt *s, int at, const struct value *v)
{
	switch (v->kind) {
	case VALUE_INT: sqlite3_bind_int64(s, at, v->i); break;
	case VALUE_REAL: sqlite3_bind_double(s, at, v->real); break;
	case VALUE_TEXT: sqlite3_bind_text(s, at, v->bytes, (int)v->n, SQLITE_STATIC); break;
	case VALUE_BLOB: sqlite3_bind_blob(s, at, v->n > 0 ? v->bytes : "", (int)v->n, SQLITE_STATIC); break;
	}
}

static enum err run(const struct change *one, struct db *db, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, one->statement);
	if (s == NULL)
		return db_error(db, why);
	for (size_t i = 0; i < one->n_values; i++)
		bind(s, (int)i + 1, &one->values[i]);
	return db_run(db, s, why);
}

static enum err write_audit(const struct audit_row *r, struct db *db, struct why *why)
{
	uint8_t before[32] = { 0 }, hash[32];
	int64_t id = 1;
	sqlite3_stmt *s = db_statement(db, STMT_AUDIT_HEAD);
	if (s == NULL)
		return db_error(db, why);
	enum err e = db_step(db, s, why);
	if (e == ERR_OK) {
		id = sqlite3_column_int64(s, 0) + 1;
		if (sqlite3_column_bytes(s, 1) == sizeof before)
			memcpy(before, sqlite3_column_blob(s, 1), sizeof before);
		sqlite3_reset(s);
	} else if (e != ERR_NOT_FOUND) {
		return e;
	}
	struct audit_row row = *r;
	row.id = id;
	e = audit_hash(&row, before, hash, why);
	s = e == ERR_OK ? db_statement(db, STMT_AUDIT_ADD) : NULL;
	if (s == NULL)
		return e == ERR_OK ? db_error(db, why) : e;
	const char *texts[] = { r->actor.who, r->actor.account, r->actor.origin, r->action, r->subject, r->detail };
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_int64(s, 2, r->at_ms);
	for (int i = 0; i < 6; i++)
		sqlite3_bind_text(s, i + 3, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_blob(s, 9, hash, sizeof hash, SQLITE_STATIC);
	e = db_run(db, s, why);
	s = e == ERR_OK ? db_statement(db, STMT_AUDIT_HEAD_SET) : NULL;
	if (s == NULL)
		return e == ERR_OK ? db_error(db, why) : e;
	sqlite3_bind_int64(s, 1, id);
	sqlite3_bind_blob(s, 2, hash, sizeof hash, SQLITE_STATIC);
	return db_run(db, s, why);
}

/* A request whose file was still there after a crash, though it had been handled. */
static enum err was_handled(const struct changes *c, struct db *db, bool *was, struct why *why)
{
	*was = false;
	for (const struct change *one = c->first; one != NULL && !*was; one = one->next) {
		if (one->kind != CHANGE_STATEMENT || one->statement != STMT_REQUEST_ADD)
			continue;
		sqlite3_stmt *s = db_statement(db, STMT_REQUEST);
		if (s == NULL)
			return db_error(db, why);
		bind(s, 1, &one->values[0]);
		enum err e = db_step(db, s, why);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		*was = e == ERR_OK;
		sqlite3_reset(s);
	}
	return ERR_OK;
}

enum err changes_write(const struct changes *c, struct ledger *g, struct why *why)
{
	bool was = false;
	enum err e = was_handled(c, g->db, &was, why);
	for (const struct change *one = was ? NULL : c->first; one != NULL && e == ERR_OK; one = one->next)
		switch (one->kind) {
		case CHANGE_STATEMENT: e = run(one, g->db, why); break;
		case CHANGE_AUDIT: e = write_audit(&one->audit, g->db, why); break;
		case CHANGE_EVENT: e = ledger_event(g, &one->event, why); break;
		}
	return e;
}
