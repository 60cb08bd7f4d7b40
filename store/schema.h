/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables, and every SQL statement of pitwall. Times are wall milliseconds since 1970 UTC (*_ms). Version 7:
 *
 * target    An endpoint that is or was polled. `labels`: labels_encode. Written by the recorder when it first hears of it; never goes.
 * presence  A target was polled at `url` in [from_ms, until_ms); INT64_MAX while it is. Written by the recorder; never goes.
 * layout    An ordered list of series. `body`: see codec.h. Written before the first frame that uses it; never changes. Goes when no frame, block or rollup
 *           has it any more (retain_layouts.h), but for the one with the highest id: ids go on from it.
 * layout_metric  The metric names of each layout, so that a query for one metric finds the layouts that have it.
 * layout_use     Which layouts each track (a stream of a target) used; goes likewise.
 * frame     One target at one instant. `id` rises in the order of writing, so rows are appended only. `prev`: the id of the frame
 *           before in the same track (0: the first). `hop`: 0 a delta on `prev`, 1 a key frame (readable alone), 2 a key frame that
 *           stands in frame_hop. `layout` NULL: everything is stale from here on; such a row is never a delta and has an empty body.
 *           Rows go by age (retain.h), so that a chain of `prev` may end at a row that is gone; the one behind it can be read alone.
 * track     The newest frame of each stream of each target: where a chain of `prev` starts.
 * event     What happened. target 0: about none. Goes by age.
 * meta      Facts about the fleet: the value of `key` from `from_ms` on.
 * lease     Who records. One row at the most. `token`: drawn at random by the holder; `place`: boot and process namespace;
 *           `started`: when the process `pid` began, in clock ticks since boot.
 * rewind    (since version 2) The clock was set back: frames with an id up to `last_frame` and an at_ms of `from_ms` or later are set aside,
 *           since these times were recorded once more. The chains leave them out. Never goes.
 *
 * Since version 3, all written by the recorder, each transaction whole (see alerts.h, which says what the columns mean):
 *
 * alert     One alert from when its condition became true until it was over. `value` NULL: not a number. `words`: what a search looks in.
 *           `is_flapping`, `inhibited_by` are as of now; as of another time alert_transition tells.
 * alert_transition  What became of an alert, and when. Rows are appended only.
 * acknowledgement   Of a group of alerts. `alerts`: the ids as varints, each the difference to the one before (zigzag).
 * silence   By its UUID.
 * audit     Who did what. Appended only, without gaps, each row with a hash over itself and the one before; never goes. See audit.c.
 * audit_head  One row: id and hash of the last row of audit, so that rows that were cut off at the end are missed.
 * request   What became of a person's request, by its id. Goes after a day.
 * notification  The queue of what is to be sent, and what was.
 * console   Who sits before a console, or sat.
 * Rows of these that are over go by age (changes_prune), but for audit. The newest alert, acknowledgement and notification stay: ids go on from them.
 *
 * Of redeploys and rollbacks, likewise (since version 4; see deployments.h):
 *
 * deployment  One run, as it was planned, with its plan; the plan stands last, so that lists don't read it. Never changes but for being put again whole.
 * deployment_change  What became of a run as a whole, and when. Rows are appended only.
 * deployment_step  A step of a unit, or a look at a gate (`unit` ''): written before it is taken, and again when it has ended. `ordinal`: which of the
 *           unit's steps in the plan. `progress` NULL: not known.
 * deployment_lease  Who carries a run out, and when that was last so.
 *
 * Since version 4, likewise:
 *
 * silence.ended_who  Which person ended it here; '' where it was over by itself or at its Alertmanager.
 * external_alert     An alert as an Alertmanager had it, from `from_ms` until `until_ms` (INT64_MAX: it has it so). When what it says changes, the row
 *           ends and another begins, but for annotations, which are as of the last look.
 * alertmanager       Whether one answers, from `from_ms` on.
 * Rows of the last two that were over go by age as well; of external_alert the newest stays, and of each Alertmanager what still holds.
 *
 * Since version 5, written by the recorder when frames have become old enough (see fold.h):
 *
 * block     What frames of one track and one layout were, those after which everything is stale among them. `head` and `body`: see block.h; the body is all
 *           groups, one behind the other. `id`: of its last frame, `first_frame` of its first one, `prev`: of the frame before that. A frame that is
 *           in a block may still stand in `frame`: it is then what the block says it is, and the block is what counts, since the key frame that it
 *           is a delta on may be gone. The frame behind a block can be read alone. Frames that were set aside are not folded.
 *
 * Since version 6 bodies of frames that are no key frames have a form that older programs can't read (codec_delta.h).
 *
 * Since version 7 there is no index of frames by time, of which each commit wrote the end and what stands above it:
 *
 * span      Of frames with neighbouring ids, those behind the span before up to `id`: their least and greatest time. Written by the recorder with the commit that
 *           brings them to some thousand. Frames behind the last span are in none yet: who lists frames by time looks at them all. Of a frame that is gone
 *           a span may tell still; one whose frames are all gone goes, but for the last, and the ids are the next one's.
 *
 * And track is written now and then: it says how it was with the last span that has is_mark, and of each track that has frames behind that, the last of these is
 * the newest. All tracks have a row there with their first frame. A recorder that ends leaves none behind; one that opens a store after a crash puts them right.
 *
 * Since version 6, written by the recorder when a track has some more blocks (see rollup_make.h); rows go by age, later than samples do:
 *
 * rollup    What blocks (level 0) or rows of the level before (1) held, of the frames from `first_frame` to `last_frame` of a track that were not set aside,
 *           in a few numbers a window. `head` and `body`: see rollup.h. `layout`: of its series; 0: everything is stale from `first_ms` on, and there is
 *           no body; ROLLUP_DAMAGED: what is there could not be read, or was too much; ROLLUP_NOTHING: all of it was set aside. When the clock is set
 *           back, rows that reach behind that time go, and are made again.
 *
 * Why chains instead of an index over (target, stream, time): each group commit would touch a page of such an index for every target, and
 * write 4 KB for a row of 200 bytes. A chain costs nothing to write; frame_hop, a partial index over every 64th frame, is how a reader
 * gets into the middle of one.
 *
 * Invariants, by which asserts and tests name them:
 *   I1  frame.prev < frame.id, and prev is of the same track with a lesser at_ms
 *   I2  frame.layout is NULL or in `layout`, and (layout, target, stream) is in layout_use
 *   I3  a delta has the layout of its prev
 *   I4  track.newest is the last frame of its track up to the last span with is_mark; no frame behind that is set aside
 *   I5  one presence at the most of a target is open
 *   I6  anything is written only in transactions that found the writer's token in `lease`
 *   I7  an alert's times rise: active_ms <= fired_ms <= resolved_ms, where they are not 0
 *   I8  audit.id counts from 1 without a gap, and audit.hash is what audit.c says
 *   I9  a frame with an id up to that of the last span has an at_ms that is in its span */
#ifndef PITWALL_STORE_SCHEMA_H
#define PITWALL_STORE_SCHEMA_H

enum { SCHEMA_APPLICATION_ID = 0x70697477 /* "pitw" */, SCHEMA_VERSION = 7, SCHEMA_ALERTS = 3 /* since which version there are alerts */,
       SCHEMA_DEPLOYMENTS = 4 /* and deployments */, SCHEMA_EXTERNAL = 4 /* and those of Alertmanagers */,
       SCHEMA_BLOCKS = 5 /* and blocks */, SCHEMA_TIMES = 6 /* and frame_time is of all streams together */, SCHEMA_ROLLUPS = 6 /* and rollups */,
       SCHEMA_SPANS = 7 /* and spans, and no frame_time */ };

enum { HOP_DELTA, HOP_KEY, HOP_INDEXED };
/* Instead of a rollup's layout. */
enum { ROLLUP_DAMAGED = -1, ROLLUP_NOTHING = -2 };

/* The step from version `from` to from + 1; NULL when there is none. */
const char *schema_step(int from);

#define ALERT_COLUMNS "a.id, a.rule, a.source, a.expr, a.group_key, a.labels, a.result, a.annotations, a.severity, a.value, a.active_ms, a.fired_ms," \
	" a.keep_since_ms, a.resolved_ms, a.states, a.is_flapping, a.flap_percent, a.inhibited_by, a.words"
/* The newest row of alert_transition of one of two kinds as of ?1. */
#define AS_OF(column, kinds) "(SELECT " column " FROM alert_transition t WHERE t.alert = a.id AND t.at_ms <= ?1 AND t.what IN (" kinds ")" \
	" ORDER BY t.at_ms DESC, t.id DESC LIMIT 1)"
#define ALERT_AS_OF AS_OF("what", "4, 5") ", " AS_OF("what", "6, 7") ", " AS_OF("other", "6, 7")
#define ACK_COLUMNS "id, group_key, at_ms, until_ms, who, account, origin, comment, severity, alerts, ended_ms, reason, ended_who, ended_account," \
	" ended_origin"
#define SILENCE_COLUMNS "id, matchers, from_ms, until_ms, who, account, origin, comment, created_ms, ended_ms, remote, remote_id"
#define SILENCE_IN_WINDOW " FROM silence WHERE created_ms <= ?2 AND until_ms > ?1 AND (ended_ms = 0 OR ended_ms > ?1) ORDER BY from_ms, id"
#define EXTERNAL_COLUMNS "id, remote, labels, annotations, starts_ms, from_ms, until_ms, state, is_ours, silenced_by, inhibited_by, receivers, url"
#define NOTIFICATION_COLUMNS "id, receiver, group_key, body, created_ms, due_ms, done_ms, tries, state, error"
/* The first ?2 alerts that were over before ?1, but for the newest alert; and the groups of all others. */
#define ALERTS_OVER "SELECT id FROM alert WHERE resolved_ms > 0 AND resolved_ms < ?1 AND id < (SELECT max(id) FROM alert) ORDER BY resolved_ms, id LIMIT ?2"
#define GROUPS_KEPT "SELECT group_key FROM alert WHERE resolved_ms = 0 OR resolved_ms >= ?1"

#define DEPLOYMENT_COLUMNS "d.id, d.kind, d.scope, d.model, d.driver, d.target, d.from_version, d.to_version, d.hash, d.request, d.who, d.account," \
	" d.origin, d.reason, d.alert, d.planned_ms"
/* Its last change as of ?2, when it began, who carries it out. */
#define DEPLOYMENT_AS_OF "c.id, c.at_ms, c.state, c.who, c.account, c.origin, c.text, (SELECT min(at_ms) FROM deployment_change" \
	" WHERE deployment = d.id AND at_ms <= ?2 AND state = 2), l.holder, l.beat_ms FROM deployment d LEFT JOIN deployment_change c ON c.id =" \
	" (SELECT id FROM deployment_change WHERE deployment = d.id AND at_ms <= ?2 ORDER BY at_ms DESC, id DESC LIMIT 1)" \
	" LEFT JOIN deployment_lease l ON l.deployment = d.id"

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
	X(TARGET_OF_LABELS, "SELECT id FROM target WHERE labels = ?1 ORDER BY id LIMIT 1")                                               \
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
	X(LAYOUT_USE_DELETE, "DELETE FROM layout_use WHERE layout = ?1 AND stream = ?2 AND target = ?3")                                 \
	X(LAYOUT_UNUSED,  "SELECT id, body FROM layout l WHERE id > ?1 AND id < (SELECT max(id) FROM layout) AND NOT EXISTS"             \
	                  " (SELECT 1 FROM layout_use u WHERE u.layout = l.id) ORDER BY id LIMIT 1")                                     \
	X(LAYOUT_METRIC_DELETE, "DELETE FROM layout_metric WHERE metric = ?1 AND layout = ?2")                                           \
	X(LAYOUT_DELETE,  "DELETE FROM layout WHERE id = ?1")                                                                            \
	X(BLOCK_LAYOUTS,  "SELECT first_frame, layout FROM block WHERE target = ?1 AND stream = ?2 AND first_frame > ?3 ORDER BY first_frame") \
	X(FRAMES_ASIDE,   "SELECT coalesce((SELECT min(id) FROM frame) <= (SELECT max(last_frame) FROM rewind), 0)")                     \
	X(LAYOUT_LAST,    "SELECT coalesce(max(id), 0) FROM layout")                                                                     \
	X(USES,           "SELECT layout, target, stream FROM layout_use")                                                               \
	X(USES_OF_METRIC, "SELECT u.layout, u.target, u.stream FROM layout_metric m JOIN layout_use u ON u.layout = m.layout"            \
	                  " WHERE m.metric = ?1")                                                                                        \
	X(FRAME_ADD,      "INSERT INTO frame(id, target, stream, at_ms, prev, hop, layout, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") \
	X(FRAME_LAST,     "SELECT max((SELECT coalesce(max(id), 0) FROM frame), (SELECT coalesce(max(newest), 0) FROM track),"                  \
	                  " (SELECT coalesce(max(last_frame), 0) FROM rewind))")                                                                \
	X(FRAME_TAKE,     "DELETE FROM frame WHERE id = ?1 RETURNING prev, target, stream")                                              \
	X(FRAME_TAKE_ASIDE, "DELETE FROM frame WHERE id IN (SELECT f.id FROM span s CROSS JOIN rewind w CROSS JOIN frame f"                     \
	                  " ON f.id > (SELECT coalesce(max(id), 0) FROM span WHERE id < s.id) AND f.id <= min(s.id, w.last_frame)"              \
	                  " WHERE s.first_ms <= ?1 AND s.last_ms >= w.from_ms AND f.at_ms <= ?1 AND f.at_ms >= w.from_ms LIMIT ?2)")            \
	X(SPANS,          "SELECT id, first_ms, last_ms FROM span ORDER BY id")                                                                 \
	X(SPAN_ADD,       "INSERT INTO span(id, first_ms, last_ms, is_mark) VALUES(?1, ?2, ?3, ?4)")                                                         \
	X(SPAN_MARK,      "UPDATE span SET is_mark = 1 WHERE id = (SELECT max(id) FROM span) AND is_mark = 0")                                  \
	X(SPAN_MARKED,    "SELECT coalesce((SELECT id FROM span WHERE is_mark = 1 ORDER BY id DESC LIMIT 1), 0)")                               \
	X(HEADS_AFTER,    "SELECT id, target, stream, at_ms FROM frame WHERE id > ?1 ORDER BY id")                                              \
	X(TRACKS_MEND,    "INSERT INTO track(target, stream, newest, at_ms) SELECT target, stream, max(id), at_ms FROM frame"                   \
	                  " WHERE id > coalesce((SELECT max(id) FROM span WHERE is_mark = 1), 0) GROUP BY target, stream"                       \
	                  " ON CONFLICT(target, stream) DO UPDATE SET newest = excluded.newest, at_ms = excluded.at_ms WHERE excluded.newest > newest")\
	X(SPAN_OPEN,      "SELECT count(*), coalesce(min(at_ms), 9223372036854775807), coalesce(max(at_ms), -9223372036854775807) FROM frame"   \
	                  " WHERE id > (SELECT coalesce(max(id), 0) FROM span)")                                                                \
	X(SPAN_FIRST_MS,  "SELECT min(at_ms) FROM frame WHERE id > ?1 AND id <= ?2 AND at_ms >= ?3 AND (?4 < 0 OR stream = ?4)")                \
	X(SPAN_FRAMES,    "SELECT id, at_ms FROM frame WHERE id > ?1 AND id <= ?2 AND at_ms > ?3 ORDER BY id")                                  \
	X(SPAN_FRAMES_DOWN, "SELECT id, at_ms, target FROM frame WHERE id > ?1 AND id <= ?2 AND stream = ?3 AND at_ms > ?4 AND at_ms <= ?5"     \
	                  " ORDER BY id DESC")                                                                                                  \
	X(SPANS_TIDY,     "DELETE FROM span WHERE id > ?1 AND id <= ?2 AND id < (SELECT max(id) FROM span WHERE is_mark = 1) AND NOT EXISTS (SELECT 1 FROM frame f"\
	                  " WHERE f.id > (SELECT coalesce(max(p.id), 0) FROM span p WHERE p.id < span.id) AND f.id <= span.id)")                \
	X(FRAME_HOPS_UNTIL, "SELECT prev, id, at_ms FROM frame WHERE hop = 2 AND target = ?1 AND stream = ?2 AND at_ms <= ?3 ORDER BY at_ms") \
	X(TRACK_AFTER,    "SELECT target, stream, newest, at_ms FROM track WHERE (target, stream) > (?1, ?2) ORDER BY target, stream LIMIT 1")  \
	X(FRAMES_AFTER,   "SELECT id, target, stream, at_ms, prev, hop, layout, body FROM frame WHERE id > ?1 ORDER BY id LIMIT ?2")      \
	X(LAYOUTS_AFTER,  "SELECT id FROM layout WHERE id > ?1 ORDER BY id LIMIT ?2")                                                    \
	X(TRACKS_AFTER,   "SELECT t.target, t.stream, t.newest FROM track t WHERE (t.target, t.stream) > (?1, ?2)"                       \
	                  " AND EXISTS (SELECT 1 FROM frame f WHERE f.id = t.newest) ORDER BY t.target, t.stream LIMIT ?3")               \
	X(BLOCK_COUNT,    "SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0) FROM block")                                      \
	X(BLOCK_RUN,      "SELECT id, target, stream, first_ms, layout, head, length(body) FROM block WHERE id >= ?1 ORDER BY id LIMIT ?2") \
	X(BLOCK_OLDEST,   "SELECT id, last_ms FROM block WHERE target = ?1 AND stream = ?2 ORDER BY first_ms LIMIT 1")                      \
	X(BLOCK_DELETE,   "DELETE FROM block WHERE id = ?1")                                                                             \
	X(BLOCKS_AFTER,   "SELECT id, target, stream FROM block WHERE id > ?1 ORDER BY id LIMIT ?2")                                     \
	X(EVENT_PRUNE,    "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at_ms < ?1 AND id < (SELECT max(id) FROM event)"    \
	                  " ORDER BY at_ms LIMIT ?2)")                                                                                   \
	X(PAGE_SIZE,      "PRAGMA page_size")                                                                                            \
	X(PAGE_COUNT,     "PRAGMA page_count")                                                                                           \
	X(FRAME,          "SELECT target, stream, at_ms, prev, hop, layout, body FROM frame WHERE id = ?1")                              \
	X(FRAMES_OF_IDS,  "SELECT id, target, stream, at_ms, prev, hop, layout, body FROM frame WHERE id >= ?1 AND id < ?2"      \
	                  " AND ?3 >> stream & 1 ORDER BY id")                                                                          \
	X(TRACK_COUNT,    "SELECT count(*) FROM track")                                                                                 \
	X(FRAME_HOP,      "SELECT prev, id, at_ms FROM frame WHERE hop = 2 AND target = ?1 AND stream = ?2 AND at_ms > ?3 ORDER BY at_ms") \
	X(FRAMES_6,       "SELECT id, at_ms, target FROM frame WHERE stream = ?1 AND at_ms > ?2 AND at_ms <= ?3 ORDER BY at_ms")         \
	X(FRAMES_DOWN_6,  "SELECT id, at_ms, target FROM frame WHERE stream = ?1 AND at_ms > ?2 AND at_ms <= ?3"                         \
	                  " ORDER BY at_ms DESC")                                                                                        \
	X(FRAMES_SINCE,   "SELECT id, target, stream, at_ms, prev, layout FROM frame WHERE id > ?1 ORDER BY id LIMIT ?2")                \
	X(FRAME_BOUNDS,   "SELECT coalesce((SELECT min(id) FROM frame), 0), coalesce((SELECT max(id) FROM frame), -1), (SELECT count(*) FROM frame)") \
	X(FRAME_RUN,      "SELECT id, target, stream, hop, layout, body FROM frame WHERE id >= ?1 ORDER BY id LIMIT ?2")                     \
	X(USES_BY_TARGET, "SELECT target, stream, layout FROM layout_use ORDER BY target, stream, layout DESC")                          \
	X(LAYOUT_TOTAL,   "SELECT count(*), total(length(body)) FROM layout")                                                            \
	X(FREE_PAGES,     "PRAGMA freelist_count")                                                                                       \
	X(FRAME_DELETE,   "DELETE FROM frame WHERE id = ?1")                                                                            \
	X(FRAMES_UP,      "SELECT id, target, stream FROM frame WHERE id > ?1 ORDER BY id LIMIT ?2")                                    \
	X(BLOCK_ADD,      "INSERT INTO block(id, target, stream, first_frame, first_ms, last_ms, prev, layout, head, body)"             \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                                           \
	X(BLOCK_OF,       "SELECT id, first_frame, first_ms, last_ms, prev, layout, head FROM block WHERE target = ?1 AND stream = ?2"  \
	                  " AND first_frame <= ?3 ORDER BY first_frame DESC LIMIT 1")                                                   \
	X(BLOCK_NEWEST,   "SELECT id FROM block WHERE target = ?1 AND stream = ?2 ORDER BY first_frame DESC LIMIT 1")                   \
	X(BLOCK_IDS_DOWN, "SELECT id FROM block WHERE target = ?1 AND stream = ?2 AND first_frame <= ?3 ORDER BY first_frame DESC")     \
	X(BLOCKS_DOWN,    "SELECT id, first_frame, first_ms, last_ms FROM block WHERE target = ?1 AND stream = ?2 AND first_ms <= ?3"   \
	                  " ORDER BY first_ms DESC")                                                                                    \
	X(BLOCK_HOP,      "SELECT prev, first_frame, first_ms FROM block WHERE target = ?1 AND stream = ?2 AND first_ms > ?3"           \
	                  " ORDER BY first_ms")                                                                                         \
	X(ROLLUP_ADD,     "INSERT INTO rollup(target, stream, level, first_frame, last_frame, first_ms, last_ms, layout, head, body)"     \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                                           \
	X(ROLLUP_NEWEST,  "SELECT last_frame FROM rollup WHERE target = ?1 AND stream = ?2 AND level = ?3 ORDER BY first_frame DESC LIMIT 1") \
	X(ROLLUP_BLOCKS,  "SELECT first_frame, id, first_ms, last_ms, layout, head, body FROM block WHERE target = ?1 AND stream = ?2"  \
	                  " AND first_frame > ?3 ORDER BY first_frame LIMIT ?4")                                                        \
	X(ROLLUP_ROWS,    "SELECT first_frame, last_frame, first_ms, last_ms, layout, head, body FROM rollup WHERE target = ?1"         \
	                  " AND stream = ?2 AND level = 0 AND first_frame > ?3 ORDER BY first_frame LIMIT ?4")                          \
	X(ROLLUPS_DOWN,   "SELECT id, first_frame, last_frame, first_ms, last_ms, layout FROM rollup WHERE target = ?1 AND stream = ?2" \
	                  " AND level = ?3 AND first_ms <= ?4 ORDER BY first_frame DESC")                                               \
	X(ROLLUP_LAYOUTS, "SELECT first_frame, layout FROM rollup WHERE target = ?1 AND stream = ?2 AND level = ?4 AND first_frame > ?3"  \
	                  " ORDER BY first_frame")                                                                                      \
	X(ROLLUP_PARTS,   "SELECT head, body FROM rollup WHERE id = ?1")                                                                \
	X(ROLLUPS_AFTER,  "SELECT id, target, stream, level, first_frame, layout, head, body FROM rollup WHERE id > ?1 ORDER BY id LIMIT ?2") \
	X(ROLLUP_TOTAL,   "SELECT count(*), total(length(head) + length(body)) FROM rollup WHERE level = ?1") \
	X(ROLLUP_FIRST_MS, "SELECT min(first_ms) FROM (SELECT first_ms FROM rollup WHERE level = ?1 ORDER BY last_ms LIMIT 1)")             \
	X(ROLLUP_LAST_MS, "SELECT max(last_ms) FROM rollup WHERE level = ?1")                                                           \
	X(ROLLUPS_ALONE,  "SELECT target, stream, level, first_frame, last_frame, first_ms, last_ms, layout, head, body FROM rollup AS r"  \
	                  " WHERE level IN (0, 1) AND last_ms >= ?1 AND first_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM block AS b"        \
	                  " WHERE b.target = r.target AND b.stream = r.stream AND b.first_frame = r.first_frame)")                      \
	X(ROLLUP_REWIND,  "DELETE FROM rollup WHERE level IN (0, 1) AND last_ms >= ?1")                                                 \
	X(ROLLUP_PRUNE,   "DELETE FROM rollup WHERE id IN (SELECT id FROM rollup WHERE level = ?3 AND last_ms < ?1 ORDER BY last_ms LIMIT ?2)") \
	X(BLOCK_HIGHEST,  "SELECT coalesce(max(id), 0) FROM block")                                                                     \
	X(BLOCK_FIRST_MS, "SELECT min(first_ms) FROM block WHERE stream = ?1")                                                          \
	X(BLOCK_LAST_MS,  "SELECT max(last_ms) FROM block WHERE stream = ?1")                                                           \
	X(BLOCK_NEXT_MS,  "SELECT min(first_ms) FROM block WHERE stream = ?1 AND first_ms >= ?2")                                       \
	X(BLOCKS_OVER,    "SELECT id, target FROM block WHERE stream = ?1 AND last_ms >= ?2 AND first_ms < ?2")                         \
	X(TRACKS_OF,      "SELECT target, newest, at_ms FROM track WHERE stream = ?1 ORDER BY target")                                              \
	X(TRACK_KEYS,     "SELECT target, stream FROM track")                                                                           \
	X(FRAME_FIRST_MS_6, "SELECT min(at_ms) FROM frame")                                                                                \
	X(FRAME_FIRST_MS_5, "SELECT min(at_ms) FROM frame WHERE stream = ?1")                                                            \
	X(FRAME_LAST_MS,  "SELECT max(at_ms) FROM track WHERE stream = ?1 AND newest > 0")                                              \
	X(TRACKS,         "SELECT t.target, t.stream, t.newest, t.at_ms, f.layout FROM track t LEFT JOIN frame f ON f.id = t.newest")    \
	X(TRACK,          "SELECT newest FROM track WHERE target = ?1 AND stream = ?2")                                                  \
	X(TRACK_SET,      "INSERT INTO track(target, stream, newest, at_ms) VALUES(?1, ?2, ?3, ?4)"                                      \
	                  " ON CONFLICT(target, stream) DO UPDATE SET newest = ?3, at_ms = ?4")                                          \
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
	X(ALERT_PUT,      "INSERT OR REPLACE INTO alert(id, rule, source, expr, group_key, labels, result, annotations, severity, value, active_ms,"       \
	                  " fired_ms, keep_since_ms, resolved_ms, states, is_flapping, flap_percent, inhibited_by, words)"                \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)")                \
	X(ALERTS,         "SELECT " ALERT_COLUMNS ", " ALERT_AS_OF " FROM alert a WHERE a.active_ms <= ?1 AND (a.resolved_ms = 0"          \
	                  " OR a.resolved_ms > ?1 OR (a.resolved_ms > ?2 AND a.fired_ms > 0))")                                           \
	X(ALERT,          "SELECT " ALERT_COLUMNS ", " ALERT_AS_OF " FROM alert a WHERE a.id = ?3 AND a.active_ms <= ?1")                 \
	X(ALERT_HISTORY,  "SELECT " ALERT_COLUMNS ", " ALERT_AS_OF " FROM alert a WHERE a.fired_ms > 0 AND a.fired_ms <= ?1"              \
	                  " AND (a.resolved_ms = 0 OR a.resolved_ms > ?2) ORDER BY a.fired_ms DESC, a.id DESC")                           \
	X(ALERT_REWIND,   "UPDATE alert SET active_ms = min(active_ms, ?1), fired_ms = min(fired_ms, ?1), resolved_ms = min(resolved_ms, ?1)," \
	                  " keep_since_ms = min(keep_since_ms, ?1) WHERE max(active_ms, fired_ms, resolved_ms, keep_since_ms) > ?1")      \
	X(TRANSITION_ADD, "INSERT INTO alert_transition(alert, at_ms, what, value, other) VALUES(?1, ?2, ?3, ?4, ?5)")                    \
	X(TRANSITIONS,    "SELECT alert, at_ms, what, value, other FROM alert_transition WHERE at_ms > ?1 AND at_ms <= ?2"                \
	                  " ORDER BY at_ms, id")                                                                                          \
	X(TRANSITIONS_OF, "SELECT alert, at_ms, what, value, other FROM alert_transition WHERE alert = ?3 AND at_ms > ?1 AND at_ms <= ?2" \
	                  " ORDER BY at_ms, id")                                                                                          \
	X(TRANSITION_REWIND, "UPDATE alert_transition SET at_ms = ?1 WHERE at_ms > ?1")                                                   \
	X(ACK_PUT,        "INSERT OR REPLACE INTO acknowledgement(" ACK_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12," \
	                  " ?13, ?14, ?15)")                                                                                              \
	X(ACKS,           "SELECT " ACK_COLUMNS " FROM acknowledgement WHERE at_ms <= ?2 AND (ended_ms = 0 OR ended_ms > ?1) ORDER BY at_ms, id") \
	X(ACK_REWIND,     "UPDATE acknowledgement SET at_ms = min(at_ms, ?1), ended_ms = min(ended_ms, ?1) WHERE max(at_ms, ended_ms) > ?1") \
	X(SILENCE_PUT,    "INSERT OR REPLACE INTO silence(" SILENCE_COLUMNS ", ended_who)"                                              \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")                                            \
	X(SILENCES,       "SELECT " SILENCE_COLUMNS ", ended_who" SILENCE_IN_WINDOW)                                                    \
	X(SILENCES_3,     "SELECT " SILENCE_COLUMNS ", ''" SILENCE_IN_WINDOW)                                                           \
	X(SILENCES_REMOTE, "SELECT " SILENCE_COLUMNS ", ended_who FROM silence WHERE remote <> '' AND until_ms > ?1"                    \
	                  " AND created_ms <= ?2 ORDER BY from_ms, id")                                                                 \
	X(EXTERNAL_PUT,   "INSERT OR REPLACE INTO external_alert(" EXTERNAL_COLUMNS ")"                                                 \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")                                            \
	X(EXTERNALS,      "SELECT " EXTERNAL_COLUMNS " FROM external_alert WHERE from_ms <= ?2 AND until_ms > ?1 ORDER BY id")          \
	X(EXTERNAL_LAST,  "SELECT coalesce(max(id), 0) FROM external_alert")                                                            \
	X(EXTERNAL_REWIND, "UPDATE external_alert SET from_ms = min(from_ms, ?1), until_ms = CASE until_ms"                             \
	                  " WHEN 9223372036854775807 THEN until_ms ELSE min(until_ms, ?1) END"                                          \
	                  " WHERE from_ms > ?1 OR (until_ms > ?1 AND until_ms < 9223372036854775807)")                                  \
	X(ALERTMANAGER_PUT, "INSERT OR REPLACE INTO alertmanager(name, from_ms, state, text) VALUES(?1, ?2, ?3, ?4)")                   \
	X(ALERTMANAGERS,  "SELECT name, from_ms, state, text FROM alertmanager a WHERE from_ms <= ?2 AND from_ms >="                    \
	                  " coalesce((SELECT max(from_ms) FROM alertmanager b WHERE b.name = a.name AND b.from_ms <= ?1), 0)"           \
	                  " ORDER BY name, from_ms")                                                                                    \
	X(ALERTMANAGER_REWIND, "INSERT OR REPLACE INTO alertmanager(name, from_ms, state, text) SELECT name, ?1, state, text"           \
	                  " FROM alertmanager AS m WHERE from_ms > ?1"                                                                  \
	                  " AND from_ms = (SELECT max(from_ms) FROM alertmanager WHERE name = m.name)")                                 \
	X(ALERTMANAGER_FORGET, "DELETE FROM alertmanager WHERE from_ms > ?1")                                                           \
	X(AUDIT_ADD,      "INSERT INTO audit(id, at_ms, who, account, origin, action, subject, detail, hash)"                             \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                                                  \
	X(AUDIT,          "SELECT id, at_ms, who, account, origin, action, subject, detail, hash FROM audit WHERE id > ?1 ORDER BY id")    \
	X(AUDIT_HEAD,     "SELECT last, hash FROM audit_head WHERE id = 1")                                                               \
	X(AUDIT_HEAD_SET, "INSERT OR REPLACE INTO audit_head(id, last, hash) VALUES(1, ?1, ?2)")                                          \
	X(REQUEST_ADD,    "INSERT OR IGNORE INTO request(id, at_ms, err, text) VALUES(?1, ?2, ?3, ?4)")                                   \
	X(REQUEST,        "SELECT id, at_ms, err, text FROM request WHERE id = ?1")                                                       \
	X(REQUEST_FORGET, "DELETE FROM request WHERE at_ms < ?1")                                                                         \
	X(NOTIFICATION_PUT, "INSERT OR REPLACE INTO notification(" NOTIFICATION_COLUMNS ")"                                               \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                                                             \
	X(NOTIFICATIONS,  "SELECT " NOTIFICATION_COLUMNS " FROM notification WHERE ?1 IS NULL OR state = ?1 ORDER BY id")                 \
	X(CONSOLE_PUT,    "INSERT OR REPLACE INTO console(id, who, account, origin, since_ms, seen_ms, gone_ms, view)"                    \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                                                      \
	X(CONSOLES,       "SELECT id, who, account, origin, since_ms, seen_ms, gone_ms, view FROM console WHERE since_ms <= ?1 AND seen_ms > ?2" \
	                  " AND (gone_ms = 0 OR gone_ms > ?1) ORDER BY since_ms, id")                                                     \
	X(TRANSITION_PRUNE, "DELETE FROM alert_transition WHERE id IN (SELECT t.id FROM (" ALERTS_OVER ") a JOIN alert_transition t"       \
	                  " ON t.alert = a.id ORDER BY t.alert, t.at_ms LIMIT ?3)")                                                       \
	X(ALERT_PRUNE,    "DELETE FROM alert WHERE id IN (SELECT a.id FROM (" ALERTS_OVER ") a WHERE NOT EXISTS"                          \
	                  " (SELECT 1 FROM alert_transition t WHERE t.alert = a.id))")                                                    \
	X(ACK_PRUNE,      "DELETE FROM acknowledgement WHERE id IN (SELECT id FROM acknowledgement WHERE ended_ms > 0 AND ended_ms < ?1"   \
	                  " AND id < (SELECT max(id) FROM acknowledgement) AND group_key NOT IN (" GROUPS_KEPT ") ORDER BY ended_ms LIMIT ?2)") \
	X(SILENCE_PRUNE,  "DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE until_ms < ?1"                                  \
	                  " OR (ended_ms > 0 AND ended_ms < ?1 AND remote = '') LIMIT ?2)")                                               \
	X(EXTERNAL_PRUNE, "DELETE FROM external_alert WHERE id IN (SELECT id FROM external_alert WHERE until_ms < ?1"                    \
	                  " AND id < (SELECT max(id) FROM external_alert) ORDER BY until_ms LIMIT ?2)")                                   \
	X(ALERTMANAGER_PRUNE, "DELETE FROM alertmanager WHERE (name, from_ms) IN (SELECT name, from_ms FROM alertmanager a"              \
	                  " WHERE from_ms < ?1 AND EXISTS (SELECT 1 FROM alertmanager b WHERE b.name = a.name AND b.from_ms > a.from_ms"  \
	                  " AND b.from_ms <= ?1) ORDER BY from_ms LIMIT ?2)")                                                             \
	X(NOTIFICATION_PRUNE, "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE state <> 0"                         \
	                  " AND max(created_ms, done_ms) < ?1 AND id < (SELECT max(id) FROM notification)"                                \
	                  " AND id NOT IN (SELECT max(id) FROM notification WHERE group_key IN (" GROUPS_KEPT ") GROUP BY receiver, group_key)" \
	                  " ORDER BY id LIMIT ?2)")                                                                                       \
	X(REQUEST_PRUNE,  "DELETE FROM request WHERE id IN (SELECT id FROM request WHERE at_ms < ?1 LIMIT ?2)")                           \
	X(CONSOLE_PRUNE,  "DELETE FROM console WHERE id IN (SELECT id FROM console WHERE seen_ms < ?1 LIMIT ?2)")                         \
	X(ALERT_IDS,      "SELECT (SELECT coalesce(max(id), 0) FROM alert), (SELECT coalesce(max(id), 0) FROM acknowledgement),"           \
	                  " (SELECT coalesce(max(id), 0) FROM notification)")                                                             \
	X(DEPLOYMENT_PUT, "INSERT OR REPLACE INTO deployment(id, kind, scope, model, driver, target, from_version, to_version, hash, request," \
	                  " who, account, origin, reason, alert, planned_ms, plan)"                                                     \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)")                        \
	X(DEPLOYMENTS,    "SELECT " DEPLOYMENT_COLUMNS ", '', " DEPLOYMENT_AS_OF " WHERE d.planned_ms <= ?2 AND (d.planned_ms > ?1"     \
	                  " OR coalesce((SELECT state FROM deployment_change WHERE deployment = d.id AND at_ms <= ?1"                   \
	                  " ORDER BY at_ms DESC, id DESC LIMIT 1), 0) < 7) ORDER BY d.planned_ms DESC, d.id DESC LIMIT ?3")             \
	X(DEPLOYMENT,     "SELECT " DEPLOYMENT_COLUMNS ", d.plan, " DEPLOYMENT_AS_OF " WHERE d.id = ?1 AND d.planned_ms <= ?2")         \
	X(DEPLOYMENT_OF_REQUEST, "SELECT max(id) FROM deployment WHERE request = ?1")                                                   \
	X(DEPLOYMENT_LAST, "SELECT coalesce(max(id), 0) FROM deployment")                                                               \
	X(DEPLOYMENT_REWIND, "UPDATE deployment SET planned_ms = ?1 WHERE planned_ms > ?1")                                             \
	X(DEPLOYMENT_CHANGE_ADD, "INSERT INTO deployment_change(deployment, at_ms, state, who, account, origin, text)"                  \
	                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                                        \
	X(DEPLOYMENT_CHANGES, "SELECT id, deployment, at_ms, state, who, account, origin, text FROM deployment_change"                  \
	                  " WHERE deployment = ?1 AND at_ms <= ?2 ORDER BY at_ms, id")                                                  \
	X(DEPLOYMENT_CHANGE_REWIND, "UPDATE deployment_change SET at_ms = ?1 WHERE at_ms > ?1")                                         \
	X(DEPLOYMENT_STEP_PUT, "INSERT OR REPLACE INTO deployment_step(deployment, seq, wave, unit, direction, ordinal, title, key, began_ms," \
	                  " ended_ms, state, text, progress) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")           \
	X(DEPLOYMENT_STEPS, "SELECT deployment, seq, wave, unit, direction, ordinal, title, key, began_ms, ended_ms, state, text, progress" \
	                  " FROM deployment_step WHERE deployment = ?1 AND began_ms <= ?2 ORDER BY seq")                                \
	X(DEPLOYMENT_COUNTS, "SELECT count(*), count(CASE WHEN ended_ms > 0 AND ended_ms <= ?2 AND state IN (1, 3) THEN 1 END),"        \
	                  " count(CASE WHEN ended_ms > 0 AND ended_ms <= ?2 AND state = 2 THEN 1 END) FROM deployment_step"             \
	                  " WHERE deployment = ?1 AND direction = 0 AND unit <> '' AND began_ms <= ?2")                                 \
	X(DEPLOYMENT_STEP_REWIND, "UPDATE deployment_step SET began_ms = min(began_ms, ?1), ended_ms = min(ended_ms, ?1)"               \
	                  " WHERE began_ms > ?1 OR ended_ms > ?1")                                                                      \
	X(DEPLOYMENT_LEASE_PUT, "INSERT OR REPLACE INTO deployment_lease(deployment, holder, beat_ms) VALUES(?1, ?2, ?3)")              \
	X(DEPLOYMENT_LEASE_REWIND, "UPDATE deployment_lease SET beat_ms = ?1 WHERE beat_ms > ?1")                                       \
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
