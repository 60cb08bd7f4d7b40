/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables, and every SQL statement of pitwall. Times are wall milliseconds since 1970 UTC (*_ms). Version 2:
 *
 * target    An endpoint that is or was polled. `labels`: labels_encode. Written by the recorder when it first hears of it; never goes.
 * presence  A target was polled at `url` in [from_ms, until_ms); INT64_MAX while it is. Written by the recorder; never goes.
 * layout    An ordered list of series. `body`: see codec.h. Written before the first frame that uses it; never changes.
 * layout_metric  The metric names of each layout, so that a query for one metric finds the layouts that have it.
 * layout_use     Which layouts each track (a stream of a target) ever used.
 * frame     One target at one instant. `id` rises in the order of writing, so rows are appended only. `prev`: the id of the frame
 *           before in the same track (0: the first). `hop`: 0 a delta on `prev`, 1 a key frame (readable alone), 2 a key frame that
 *           stands in frame_hop. `layout` NULL: everything is stale from here on; such a row is never a delta and has an empty body.
 *           Rows go by age (the oldest first), so that a chain of `prev` may end at a row that is gone.
 * track     The newest frame of each stream of each target: where a chain of `prev` starts.
 * event     What happened. target 0: about none. Goes by age.
 * meta      Facts about the fleet: the value of `key` from `from_ms` on.
 * lease     Who records. One row at the most. `token`: drawn at random by the holder; `place`: boot and process namespace;
 *           `started`: when the process `pid` began, in clock ticks since boot.
 * rewind    (since version 2) The clock was set back: frames with an id up to `last_frame` and an at_ms of `from_ms` or later are set aside,
 *           since these times were recorded once more. The chains leave them out. Never goes.
 *
 * Why chains instead of an index over (target, stream, time): each group commit would touch a page of such an index for every target, and
 * write 4 KB for a row of 200 bytes. A chain costs nothing to write; frame_hop, a partial index over every 64th frame, is how a reader
 * gets into the middle of one.
 *
 * Invariants, by which asserts and tests name them:
 *   I1  frame.prev < frame.id, and prev is of the same track with a lesser at_ms
 *   I2  frame.layout is NULL or in `layout`, and (layout, target, stream) is in layout_use
 *   I3  a delta has the layout of its prev
 *   I4  track.newest is the last frame of its track
 *   I5  one presence at the most of a target is open
 *   I6  frames are written only in transactions that found the writer's token in `lease` */
#ifndef PITWALL_STORE_SCHEMA_H
#define PITWALL_STORE_SCHEMA_H

enum { SCHEMA_APPLICATION_ID = 0x70697477 /* "pitw" */, SCHEMA_VERSION = 2 };

enum { HOP_DELTA, HOP_KEY, HOP_INDEXED };

/* The step from version `from` to from + 1; NULL when there is none. */
const char *schema_step(int from);

#define STATEMENT_LIST(X)                                                                                                                \
	X(BEGIN_READ,     "BEGIN")                                                                                                       \
	X(BEGIN_WRITE,    "BEGIN IMMEDIATE")                                                                                             \
	X(COMMIT,         "COMMIT")                                                                                                      \
	X(ROLLBACK,       "ROLLBACK")                                                                                                    \
	X(VERSION,        "PRAGMA user_version")                                                                                         \
	X(APPLICATION,    "PRAGMA application_id")                                                                                       \
	X(DATA_VERSION,   "PRAGMA data_version")                                                                                         \
	X(QUICK_CHECK,    "PRAGMA quick_check(1)")                                                                                       \
	X(SCHEMA,         "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")                                               \
	X(TARGET_ADD,     "INSERT INTO target(id, labels) VALUES(?1, ?2)")                                                               \
	X(TARGETS,        "SELECT t.id, t.labels, p.url, p.until_ms FROM target t LEFT JOIN presence p ON p.target = t.id"               \
	                  " AND p.from_ms = (SELECT max(from_ms) FROM presence WHERE target = t.id) ORDER BY t.id")                      \
	X(TARGETS_AT,     "SELECT target, url, from_ms, until_ms FROM presence WHERE from_ms <= ?1 AND until_ms > ?1 ORDER BY target")   \
	X(TARGET_LABELS,  "SELECT labels FROM target WHERE id = ?1")                                                                     \
	X(TARGET_IDS,     "SELECT id FROM target ORDER BY id")                                                                           \
	X(PRESENCES,      "SELECT target, url, from_ms, until_ms FROM presence WHERE from_ms <= ?2 AND until_ms > ?1"                    \
	                  " ORDER BY target, from_ms")                                                                                   \
	X(PRESENCE_ADD,   "INSERT OR REPLACE INTO presence(target, from_ms, until_ms, url) VALUES(?1, ?2, ?3, ?4)")                      \
	X(PRESENCE_END,   "UPDATE presence SET until_ms = max(?2, from_ms) WHERE target = ?1 AND until_ms = 9223372036854775807")        \
	X(PRESENCE_REWIND, "UPDATE OR REPLACE presence SET from_ms = ?1 WHERE until_ms = 9223372036854775807 AND from_ms > ?1")         \
	X(PRESENCE_CUT,   "UPDATE presence SET until_ms = max(from_ms, ?1) WHERE until_ms > ?1 AND until_ms < 9223372036854775807")     \
	X(LAYOUT_ADD,     "INSERT INTO layout(id, size, body) VALUES(?1, ?2, ?3)")                                                      \
	X(LAYOUT_METRIC,  "INSERT OR IGNORE INTO layout_metric(metric, layout) VALUES(?1, ?2)")                                          \
	X(LAYOUT_USE,     "INSERT OR IGNORE INTO layout_use(layout, stream, target) VALUES(?1, ?2, ?3)")                                 \
	X(LAYOUT,         "SELECT size, body FROM layout WHERE id = ?1")                                                                 \
	X(LAYOUT_LAST,    "SELECT coalesce(max(id), 0) FROM layout")                                                                     \
	X(USES,           "SELECT layout, target, stream FROM layout_use")                                                               \
	X(USES_OF_METRIC, "SELECT u.layout, u.target, u.stream FROM layout_metric m JOIN layout_use u ON u.layout = m.layout"            \
	                  " WHERE m.metric = ?1")                                                                                        \
	X(FRAME_ADD,      "INSERT INTO frame(id, target, stream, at_ms, prev, hop, layout, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") \
	X(FRAME_LAST,     "SELECT coalesce(max(id), 0) FROM frame")                                                                      \
	X(FRAME,          "SELECT target, stream, at_ms, prev, hop, layout, body FROM frame WHERE id = ?1")                              \
	X(FRAME_HOP,      "SELECT prev, id, at_ms FROM frame WHERE hop = 2 AND target = ?1 AND stream = ?2 AND at_ms > ?3 ORDER BY at_ms") \
	X(FRAMES,         "SELECT id, at_ms, target FROM frame WHERE stream = ?1 AND at_ms > ?2 AND at_ms <= ?3 ORDER BY at_ms, target") \
	X(FRAMES_DOWN,    "SELECT id, at_ms, target FROM frame WHERE stream = ?1 AND at_ms > ?2 AND at_ms <= ?3"                         \
	                  " ORDER BY at_ms DESC, target DESC")                                                                           \
	X(FRAMES_SINCE,   "SELECT id, target, stream, at_ms, prev, layout FROM frame WHERE id > ?1 ORDER BY id LIMIT ?2")                \
	X(FRAME_FIRST_MS, "SELECT min(at_ms) FROM frame WHERE stream = ?1")                                                              \
	X(FRAME_LAST_MS,  "SELECT max(at_ms) FROM track WHERE stream = ?1 AND newest > 0")                                              \
	X(FRAME_NEXT_MS,  "SELECT min(at_ms) FROM frame WHERE stream = ?1 AND at_ms >= ?2")                                             \
	X(TRACKS,         "SELECT t.target, t.stream, t.newest, t.at_ms, f.layout FROM track t LEFT JOIN frame f ON f.id = t.newest")    \
	X(TRACK,          "SELECT newest FROM track WHERE target = ?1 AND stream = ?2")                                                  \
	X(TRACK_SET,      "INSERT INTO track(stream, target, newest, at_ms) VALUES(?1, ?2, ?3, ?4)"                                      \
	                  " ON CONFLICT(stream, target) DO UPDATE SET newest = ?3, at_ms = ?4")                                          \
	X(TRACKS_SINCE,   "SELECT count(*) FROM track WHERE stream = ?1 AND at_ms > ?2")                                                 \
	X(EVENT_ADD,      "INSERT INTO event(at_ms, target, severity, kind, node, text, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")       \
	X(EVENTS,         "SELECT id, at_ms, target, severity, kind, node, text, data FROM event WHERE at_ms > ?1 AND at_ms <= ?2"       \
	                  " AND (?4 IS NULL OR kind = ?4) ORDER BY at_ms DESC, id DESC LIMIT ?5")                                        \
	X(EVENTS_OF_NODE, "SELECT id, at_ms, target, severity, kind, node, text, data FROM event WHERE at_ms > ?1 AND at_ms <= ?2"       \
	                  " AND node = ?3 AND (?4 IS NULL OR kind = ?4) ORDER BY at_ms DESC, id DESC LIMIT ?5")                          \
	X(EVENT_REWIND,   "UPDATE event SET at_ms = ?1 WHERE at_ms > ?1")                                                               \
	X(EVENT_FIRST_MS, "SELECT min(at_ms) FROM event")                                                                               \
	X(EVENT_LAST_MS,  "SELECT max(at_ms) FROM event")                                                                                \
	X(META,           "SELECT value FROM meta WHERE key = ?1 AND from_ms <= ?2 ORDER BY from_ms DESC LIMIT 1")                       \
	X(META_ADD,       "INSERT OR REPLACE INTO meta(key, from_ms, value) VALUES(?1, ?2, ?3)")                                         \
	X(META_REWIND,    "INSERT OR REPLACE INTO meta(key, from_ms, value) SELECT key, ?1, value FROM meta AS m WHERE from_ms > ?1"    \
	                  " AND from_ms = (SELECT max(from_ms) FROM meta WHERE key = m.key)")                                           \
	X(META_FORGET,    "DELETE FROM meta WHERE from_ms > ?1")                                                                        \
	X(REWINDS,        "SELECT last_frame, from_ms FROM rewind")                                                                     \
	X(REWIND_ADD,     "INSERT INTO rewind(last_frame, from_ms) VALUES(?1, ?2)")                                                     \
	X(METAS,          "SELECT key, from_ms, value FROM meta WHERE from_ms <= ?1 ORDER BY key, from_ms")                             \
	X(LEASE,          "SELECT host, pid, place, started, token, since_ms, expires_ms FROM lease WHERE id = 1")                       \
	X(LEASE_TAKE,     "INSERT OR REPLACE INTO lease(id, host, pid, place, started, token, since_ms, expires_ms)"                     \
	                  " VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                                      \
	X(LEASE_RENEW,    "UPDATE lease SET expires_ms = ?2 WHERE id = 1 AND token = ?1")                                                \
	X(LEASE_MINE,     "SELECT 1 FROM lease WHERE id = 1 AND token = ?1")                                                             \
	X(LEASE_GIVE,     "DELETE FROM lease WHERE id = 1 AND token = ?1")

enum statement {
#define X(name, sql) STMT_##name,
	STATEMENT_LIST(X)
#undef X
	STMT_COUNT
};

const char *statement_sql(enum statement s);

#endif
