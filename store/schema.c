/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <stddef.h>

static const char version_1[] =
	"CREATE TABLE target(id INTEGER PRIMARY KEY, labels BLOB NOT NULL) STRICT;"
	"CREATE TABLE presence(target INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, url TEXT NOT NULL,"
	" PRIMARY KEY(target, from_ms)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE layout(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE layout_metric(metric TEXT NOT NULL, layout INTEGER NOT NULL, PRIMARY KEY(metric, layout)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE layout_use(layout INTEGER NOT NULL, stream INTEGER NOT NULL, target INTEGER NOT NULL,"
	" PRIMARY KEY(layout, stream, target)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE frame(id INTEGER PRIMARY KEY, target INTEGER NOT NULL, stream INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" prev INTEGER NOT NULL, hop INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL) STRICT;"
	"CREATE INDEX frame_time ON frame(stream, at_ms, target);"
	"CREATE INDEX frame_hop ON frame(target, stream, at_ms, prev) WHERE hop = 2;"
	"CREATE TABLE track(stream INTEGER NOT NULL, target INTEGER NOT NULL, newest INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" PRIMARY KEY(stream, target)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, target INTEGER NOT NULL, severity INTEGER NOT NULL,"
	" kind TEXT NOT NULL, node TEXT NOT NULL, text TEXT NOT NULL, data TEXT NOT NULL) STRICT;"
	"CREATE INDEX event_time ON event(at_ms);"
	"CREATE INDEX event_node ON event(node, at_ms);"
	"CREATE TABLE meta(key TEXT NOT NULL, from_ms INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY(key, from_ms))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE lease(id INTEGER PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, place TEXT NOT NULL, started INTEGER NOT NULL,"
	" token BLOB NOT NULL, since_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;"
	"PRAGMA application_id = 1885959287;"
	"PRAGMA user_version = 1;";
_Static_assert(SCHEMA_APPLICATION_ID == 1885959287, "the number in version_1");

static const char version_2[] =
	"CREATE TABLE rewind(id INTEGER PRIMARY KEY, last_frame INTEGER NOT NULL, from_ms INTEGER NOT NULL) STRICT;"
	"PRAGMA user_version = 2;";

static const char version_3[] =
	"CREATE TABLE alert(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, source TEXT NOT NULL, expr TEXT NOT NULL, group_key TEXT NOT NULL,"
	" labels BLOB NOT NULL, result BLOB NOT NULL, annotations BLOB NOT NULL, severity INTEGER NOT NULL, value REAL, active_ms INTEGER NOT NULL,"
	" fired_ms INTEGER NOT NULL, keep_since_ms INTEGER NOT NULL, resolved_ms INTEGER NOT NULL, states INTEGER NOT NULL,"
	" is_flapping INTEGER NOT NULL, flap_percent REAL NOT NULL, inhibited_by INTEGER NOT NULL, words TEXT NOT NULL) STRICT;"
	"CREATE INDEX alert_end ON alert(resolved_ms);"
	"CREATE INDEX alert_fired ON alert(fired_ms) WHERE fired_ms > 0;"
	"CREATE TABLE alert_transition(id INTEGER PRIMARY KEY, alert INTEGER NOT NULL, at_ms INTEGER NOT NULL, what INTEGER NOT NULL, value REAL,"
	" other INTEGER NOT NULL) STRICT;"
	"CREATE INDEX transition_alert ON alert_transition(alert, at_ms);"
	"CREATE INDEX transition_time ON alert_transition(at_ms);"
	"CREATE TABLE acknowledgement(id INTEGER PRIMARY KEY, group_key TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
	" who TEXT NOT NULL, account TEXT NOT NULL, origin TEXT NOT NULL, comment TEXT NOT NULL, severity INTEGER NOT NULL, alerts BLOB NOT NULL,"
	" ended_ms INTEGER NOT NULL, reason INTEGER NOT NULL, ended_who TEXT NOT NULL, ended_account TEXT NOT NULL, ended_origin TEXT NOT NULL) STRICT;"
	"CREATE INDEX acknowledgement_end ON acknowledgement(ended_ms);"
	"CREATE TABLE silence(id TEXT NOT NULL PRIMARY KEY, matchers TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
	" who TEXT NOT NULL, account TEXT NOT NULL, origin TEXT NOT NULL, comment TEXT NOT NULL, created_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL, remote TEXT NOT NULL, remote_id TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, account TEXT NOT NULL, origin TEXT NOT NULL,"
	" action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE audit_head(id INTEGER PRIMARY KEY, last INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE request(id TEXT NOT NULL PRIMARY KEY, at_ms INTEGER NOT NULL, err INTEGER NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE notification(id INTEGER PRIMARY KEY, receiver TEXT NOT NULL, group_key TEXT NOT NULL, body TEXT NOT NULL,"
	" created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, done_ms INTEGER NOT NULL, tries INTEGER NOT NULL, state INTEGER NOT NULL,"
	" error TEXT NOT NULL) STRICT;"
	"CREATE INDEX notification_waiting ON notification(state) WHERE state = 0;"
	"CREATE TABLE console(id TEXT NOT NULL PRIMARY KEY, who TEXT NOT NULL, account TEXT NOT NULL, origin TEXT NOT NULL,"
	" since_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, gone_ms INTEGER NOT NULL, view TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"PRAGMA user_version = 3;";

static const char version_4[] =
	"ALTER TABLE silence ADD COLUMN ended_who TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE external_alert(id INTEGER PRIMARY KEY, remote TEXT NOT NULL, labels BLOB NOT NULL, annotations BLOB NOT NULL,"
	" starts_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, state INTEGER NOT NULL, is_ours INTEGER NOT NULL,"
	" silenced_by TEXT NOT NULL, inhibited_by TEXT NOT NULL, receivers TEXT NOT NULL, url TEXT NOT NULL) STRICT;"
	"CREATE INDEX external_until ON external_alert(until_ms);"
	"CREATE TABLE alertmanager(name TEXT NOT NULL, from_ms INTEGER NOT NULL, state INTEGER NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY(name, from_ms)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE deployment(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, model TEXT NOT NULL, driver TEXT NOT NULL,"
	" target TEXT NOT NULL, from_version TEXT NOT NULL, to_version TEXT NOT NULL, hash TEXT NOT NULL, request TEXT NOT NULL, who TEXT NOT NULL,"
	" account TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, alert INTEGER NOT NULL, planned_ms INTEGER NOT NULL,"
	" plan TEXT NOT NULL) STRICT;"
	"CREATE INDEX deployment_time ON deployment(planned_ms);"
	"CREATE INDEX deployment_request ON deployment(request);"
	"CREATE TABLE deployment_change(id INTEGER PRIMARY KEY, deployment INTEGER NOT NULL, at_ms INTEGER NOT NULL, state INTEGER NOT NULL,"
	" who TEXT NOT NULL, account TEXT NOT NULL, origin TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
	"CREATE INDEX deployment_change_time ON deployment_change(deployment, at_ms);"
	"CREATE TABLE deployment_step(deployment INTEGER NOT NULL, seq INTEGER NOT NULL, wave INTEGER NOT NULL, unit TEXT NOT NULL,"
	" direction INTEGER NOT NULL, ordinal INTEGER NOT NULL, title TEXT NOT NULL, key TEXT NOT NULL, began_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL, state INTEGER NOT NULL, text TEXT NOT NULL, progress REAL, PRIMARY KEY(deployment, seq)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE deployment_lease(deployment INTEGER PRIMARY KEY, holder TEXT NOT NULL, beat_ms INTEGER NOT NULL) STRICT;"
	"PRAGMA user_version = 4;";

static const char version_5[] =
	"CREATE TABLE block(id INTEGER PRIMARY KEY, target INTEGER NOT NULL, stream INTEGER NOT NULL, first_frame INTEGER NOT NULL,"
	" first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, prev INTEGER NOT NULL, layout INTEGER NOT NULL, head BLOB NOT NULL,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE INDEX block_track ON block(target, stream, first_frame);"
	"CREATE INDEX block_start ON block(target, stream, first_ms, last_ms, first_frame, prev);"
	"CREATE INDEX block_first ON block(stream, first_ms);"
	"CREATE INDEX block_last ON block(stream, last_ms);"
	"PRAGMA user_version = 5;";

static const char version_6[] =
	"DROP INDEX frame_time;"
	"CREATE INDEX frame_time ON frame(at_ms, stream, target);"
	"CREATE TABLE rollup(id INTEGER PRIMARY KEY, target INTEGER NOT NULL, stream INTEGER NOT NULL, level INTEGER NOT NULL,"
	" first_frame INTEGER NOT NULL, last_frame INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, layout INTEGER NOT NULL,"
	" head BLOB NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE INDEX rollup_track ON rollup(target, stream, level, first_frame, last_frame, first_ms, last_ms, layout);"
	"CREATE INDEX rollup_last ON rollup(level, last_ms);"
	"PRAGMA user_version = 6;";

/* Frames that are there get spans of a thousand ids each; gaps between frames are stepped over. */
static const char version_7[] =
	"DROP INDEX frame_time;"
	"CREATE TABLE span(id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, is_mark INTEGER NOT NULL) STRICT;"
	"INSERT INTO span(id, first_ms, last_ms, is_mark) WITH RECURSIVE run(low) AS (SELECT min(id) FROM frame UNION ALL"
	" SELECT (SELECT min(id) FROM frame WHERE id >= run.low + 1024) FROM run WHERE run.low IS NOT NULL)"
	" SELECT (SELECT max(id) FROM frame WHERE id < run.low + 1024),"
	" (SELECT min(+at_ms) FROM frame WHERE id >= run.low AND id < run.low + 1024),"
	" (SELECT max(+at_ms) FROM frame WHERE id >= run.low AND id < run.low + 1024), 1 FROM run WHERE run.low IS NOT NULL;"
	"ALTER TABLE track RENAME TO old_track;"
	"CREATE TABLE track(target INTEGER NOT NULL, stream INTEGER NOT NULL, newest INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" PRIMARY KEY(target, stream)) STRICT, WITHOUT ROWID;"
	"INSERT INTO track(target, stream, newest, at_ms) SELECT target, stream, newest, at_ms FROM old_track ORDER BY target, stream;"
	"DROP TABLE old_track;"
	"PRAGMA user_version = 7;";

static const char *const steps[] = { version_1, version_2, version_3, version_4, version_5, version_6, version_7 };
_Static_assert(sizeof steps / sizeof steps[0] == SCHEMA_VERSION, "a step for every version");

const char *schema_step(int from)
{
	return from >= 0 && from < SCHEMA_VERSION ? steps[from] : NULL;
}

const char *statement_sql(enum statement s)
{
	static const char *const texts[] = {
#define X(name, sql) sql,
		STATEMENT_LIST(X)
#undef X
	};
	return texts[s];
}
