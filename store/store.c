/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/log.h"
#include "store/alerts.h"
#include "store/changes.h"
#include "store/clock_watch.h"
#include "store/fold.h"
#include "store/fs.h"
#include "store/layout_table.h"
#include "store/ledger.h"
#include "store/span.h"
#include "store/writer.h"

enum { LABELS_BYTES_MAX = 4 << 20 };
/* A frame of a scrape that began this long ago may still come; more than so many hours of what is stored are never set aside. */
enum { SCRAPE_MS_MAX = 60 * 1000, REWIND_HOURS_MAX = 24, HOUR_MS = 3600 * 1000 };


struct known_target {
	int64_t        id;
	struct labels *labels;
	char          *url;
	bool           is_open;     /* polled now, as far as this recorder said */
	bool           was_open;    /* when the store was opened */
	int64_t        last_ms[STREAM_COUNT];
};

struct store {
	struct writer       *writer;
	const struct clock  *clock;
	struct log          *log;
	struct clock_watch   watch;
	int64_t              opened_ms;
	bool                 was_set_back;
	struct known_target *targets; /* by id, which are 1..n */
	size_t               n_targets, targets_cap;
	size_t              *target_slots; /* by hash of labels; 0: empty, else index + 1 */
	size_t               n_target_slots;
	struct layout_table  layouts;
	int64_t              last_layout;
};

/* ---- tables by hash ---- */

/* Doubles the slots when more than half are taken. `hash_of` gives the hash of item i. */
static bool slots_grow(size_t **slots, size_t *n_slots, size_t items, uint64_t (*hash_of)(const struct store *s, size_t i),
                       const struct store *s)
{
	if ((items + 1) * 2 <= *n_slots)
		return true;
	size_t n = *n_slots == 0 ? 64 : *n_slots * 2;
	size_t *more = calloc(n, sizeof *more);
	if (more == NULL)
		return false;
	for (size_t i = 0; i < items; i++) {
		size_t at = hash_of(s, i) & (n - 1);
		while (more[at] != 0)
			at = (at + 1) & (n - 1);
		more[at] = i + 1;
	}
	free(*slots);
	*slots = more;
	*n_slots = n;
	return true;
}

static uint64_t target_hash(const struct store *s, size_t i) { return labels_hash(s->targets[i].labels); }

static void *grown(void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *moved = realloc(items, more * size);
	if (moved != NULL)
		*cap = more;
	return moved;
}

/* Takes the reference and the text over, also on failure. */
static enum err add_target(struct store *s, int64_t id, struct labels *labels, char *url, struct why *why)
{
	struct known_target *more = grown(s->targets, s->n_targets, &s->targets_cap, sizeof *more);
	if (more != NULL)
		s->targets = more;
	if (url == NULL || more == NULL || !slots_grow(&s->target_slots, &s->n_target_slots, s->n_targets, target_hash, s)) {
		labels_unref(labels);
		free(url);
		return why_memory(why);
	}
	struct known_target *t = &s->targets[s->n_targets];
	*t = (struct known_target){ .id = id, .labels = labels, .url = url };
	for (int i = 0; i < STREAM_COUNT; i++)
		t->last_ms[i] = INT64_MIN;
	size_t at = labels_hash(labels) & (s->n_target_slots - 1);
	while (s->target_slots[at] != 0)
		at = (at + 1) & (s->n_target_slots - 1);
	s->target_slots[at] = ++s->n_targets;
	return ERR_OK;
}

static struct known_target *find_target(const struct store *s, const struct labels *labels)
{
	if (s->n_target_slots == 0)
		return NULL;
	for (size_t at = labels_hash(labels) & (s->n_target_slots - 1); s->target_slots[at] != 0; at = (at + 1) & (s->n_target_slots - 1))
		if (labels_equal(s->targets[s->target_slots[at] - 1].labels, labels))
			return &s->targets[s->target_slots[at] - 1];
	return NULL;
}

static struct known_target *target_by_id(const struct store *s, int64_t id)
{
	return id >= 1 && (uint64_t)id <= s->n_targets ? &s->targets[id - 1] : NULL;
}

/* ---- opening ---- */

static enum err load_targets(struct store *s, struct db *db, struct why *why)
{
	sqlite3_stmt *q = db_statement(db, STMT_TARGETS);
	if (q == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, q, why)) == ERR_OK) {
		struct labels *labels;
		if (sqlite3_column_int64(q, 0) != (int64_t)s->n_targets + 1) {
			e = db_corrupt(db, "target ids have gaps", why);
			break;
		}
		e = labels_decode(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1), NULL, &labels, why);
		if (e == ERR_OK)
			e = add_target(s, sqlite3_column_int64(q, 0), labels, strdup(db_text(q, 2)), why);
		if (e != ERR_OK)
			break;
		s->targets[s->n_targets - 1].is_open = s->targets[s->n_targets - 1].was_open = sqlite3_column_int64(q, 3) == INT64_MAX;
	}
	sqlite3_reset(q);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err load_layout(struct store *s, struct db *db, int64_t id, struct why *why)
{
	struct labels **series;
	size_t n;
	sqlite3_stmt *q = db_statement(db, STMT_LAYOUT);
	if (q == NULL)
		return db_error(db, why);
	sqlite3_bind_int64(q, 1, id);
	enum err e = db_step(db, q, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = layout_decode(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1), &series, &n, why);
	sqlite3_reset(q);
	struct layout *l = e == ERR_OK ? layout_take(id, series, n) : NULL;
	if (e == ERR_OK)
		e = layout_table_add(&s->layouts, l, why);
	if (e == ERR_OK)
		layout_table_idle(&s->layouts, l, 0);
	return e;
}

/* The layouts in use now: the next frames will very likely have them. Older ones are not looked for; should one come back, it is stored a second
 * time, which costs a few kilobytes and never a wait. */
static enum err load_tracks(struct store *s, struct db *db, struct why *why)
{
	sqlite3_stmt *q = db_statement(db, STMT_TRACKS);
	if (q == NULL)
		return db_error(db, why);
	enum err e;
	while ((e = db_step(db, q, why)) == ERR_OK) {
		struct known_target *t = target_by_id(s, sqlite3_column_int64(q, 0));
		int stream = sqlite3_column_int(q, 1);
		if (t != NULL && stream >= 0 && stream < STREAM_COUNT)
			t->last_ms[stream] = sqlite3_column_int64(q, 3);
		int64_t layout = sqlite3_column_int64(q, 4);
		if (layout != 0 && !layout_table_has(&s->layouts, layout))
			e = load_layout(s, db, layout, why);
		if (e != ERR_OK)
			break;
	}
	sqlite3_reset(q);
	if (e != ERR_NOT_FOUND)
		return e;
	q = db_statement(db, STMT_LAYOUT_LAST);
	e = q == NULL ? db_error(db, why) : db_step(db, q, why);
	if (e != ERR_OK)
		return e;
	s->last_layout = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return ERR_OK;
}

static int64_t newest_ms(const struct store *s)
{
	int64_t newest = INT64_MIN;
	for (size_t i = 0; i < s->n_targets; i++)
		for (int stream = 0; stream < STREAM_COUNT; stream++)
			if (s->targets[i].last_ms[stream] > newest)
				newest = s->targets[i].last_ms[stream];
	return newest;
}

/* The first moment from `from_ms` on at which a block begins, where that is before *at_ms. */
static enum err next_block(struct db *db, int64_t from_ms, int64_t *at_ms, struct why *why)
{
	sqlite3_stmt *q = db_statement(db, STMT_BLOCK_NEXT_MS);
	if (q == NULL)
		return db_error(db, why);
	sqlite3_bind_int(q, 1, STREAM_REPORT);
	sqlite3_bind_int64(q, 2, from_ms);
	enum err e = db_step(db, q, why);
	if (e == ERR_OK && sqlite3_column_type(q, 0) == SQLITE_INTEGER && sqlite3_column_int64(q, 0) < *at_ms)
		*at_ms = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return e;
}

/* The same in blocks that began before from_ms. */
static enum err next_inside_blocks(struct db *db, int64_t from_ms, int64_t *at_ms, struct why *why)
{
	sqlite3_stmt *q = db_statement(db, STMT_BLOCKS_OVER);
	if (q == NULL)
		return db_error(db, why);
	sqlite3_bind_int(q, 1, STREAM_REPORT);
	sqlite3_bind_int64(q, 2, from_ms);
	enum err e;
	while ((e = db_step(db, q, why)) == ERR_OK) {
		struct block_head head;
		int64_t prev;
		e = fold_head(db, sqlite3_column_int64(q, 1), STREAM_REPORT, sqlite3_column_int64(q, 0), &head, &prev, why);
		if (e != ERR_OK)
			break;
		for (size_t k = head.n_rows; k-- > 0 && head.at_ms[k] >= from_ms;)
			*at_ms = head.at_ms[k] < *at_ms ? head.at_ms[k] : *at_ms;
		block_head_release(&head);
	}
	sqlite3_reset(q);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* In how many hours from `from_ms` on something was recorded; more than `most` are not counted. */
static enum err hours_recorded(struct db *db, int64_t from_ms, int most, int *hours, struct why *why)
{
	for (*hours = 0; *hours <= most; ++*hours) {
		int64_t at_ms = INT64_MAX;
		enum err e = spans_first_ms(db, STREAM_REPORT, from_ms, &at_ms, why);
		if (e == ERR_OK)
			e = next_block(db, from_ms, &at_ms, why);
		if (e == ERR_OK)
			e = next_inside_blocks(db, from_ms, &at_ms, why);
		if (e != ERR_OK || at_ms == INT64_MAX)
			return e;
		from_ms = at_ms + HOUR_MS;
	}
	return ERR_OK;
}

/* A store whose newest frame is later than now: the clock was wrong then, or is wrong now. A machine without a battery begins in 1970 until it has
 * asked for the time: nothing that matters may be set aside for that. */
static enum err check_clock(struct store *s, struct db *db, struct why *why)
{
	char now[TIME_TEXT], last[TIME_TEXT];
	int hours;
	int64_t newest = newest_ms(s);
	if (newest <= s->opened_ms + CLOCK_JUMP_MS)
		return ERR_OK;
	enum err e = hours_recorded(db, s->opened_ms, REWIND_HOURS_MAX, &hours, why);
	if (e != ERR_OK || hours <= REWIND_HOURS_MAX)
		return e;
	return why_set(why, ERR_RANGE, "the clock says %s, but store '%s' holds more than %d hours of later frames, up to %s: set the clock, or choose another store",
	               format_time(s->opened_ms, now), db->path, REWIND_HOURS_MAX, format_time(newest, last));
}

struct opening {
	struct store *store;
	struct db    *db;
	struct lease  lease;
};

static enum err load(void *ctx, struct why *why)
{
	struct opening *o = ctx;
	enum err e = lease_take(o->db, &o->lease, clock_wall_ms(o->store->clock), why);
	if (e == ERR_OK)
		e = ledger_mend(o->db, why);
	if (e == ERR_OK)
		e = load_targets(o->store, o->db, why);
	if (e == ERR_OK)
		e = load_tracks(o->store, o->db, why);
	return e == ERR_OK ? check_clock(o->store, o->db, why) : e;
}

static void store_free(struct store *s)
{
	for (size_t i = 0; i < s->n_targets; i++) {
		labels_unref(s->targets[i].labels);
		free(s->targets[i].url);
	}
	layout_table_release(&s->layouts);
	free(s->targets);
	free(s->target_slots);
	free(s);
}

/* The recorder before us may have been killed: what it polled and we don't poll ends here. What we poll too is opened again in the same
 * group commit, since targets are named right after opening. */
static enum err end_presences(struct store *s, struct why *why)
{
	for (size_t i = 0; i < s->n_targets; i++) {
		enum err e = s->targets[i].is_open ? store_target_gone(s, s->targets[i].id, why) : ERR_OK;
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- the clock ---- */

static enum err tell_clock(struct store *s, int64_t at_ms, enum severity severity, const char *text, struct why *why)
{
	log_warn(s->log, "store", "%s", text);
	return store_append_event(s, &(struct event){ .wall_ms = at_ms, .severity = severity, .kind = "clock", .text = text }, why);
}

/* What is recorded from `to_ms` on replaces what stood there. */
static enum err rewind_to(struct store *s, int64_t to_ms, int64_t from_ms, struct why *why)
{
	char text[256], to[TIME_TEXT], from[TIME_TEXT];
	struct item *i = item_new(ITEM_REWIND, 0);
	if (i == NULL)
		return why_memory(why);
	i->from_ms = to_ms;
	enum err e = writer_put(s->writer, i, why);
	if (e != ERR_OK)
		return e;
	for (size_t t = 0; t < s->n_targets; t++)
		for (int stream = 0; stream < STREAM_COUNT; stream++)
			if (s->targets[t].last_ms[stream] >= to_ms)
				s->targets[t].last_ms[stream] = to_ms - 1;
	s->was_set_back = true;
	snprintf(text, sizeof text, "the clock was set back from %s to %s: what was recorded of that time before is set aside",
	         format_time(from_ms, from), format_time(to_ms, to));
	return tell_clock(s, to_ms, SEVERITY_WARN, text, why);
}

/* Looks at the clock before a frame of `frame_ms` is taken. */
static enum err watch_clock(struct store *s, int64_t frame_ms, struct why *why)
{
	char text[256], to[TIME_TEXT], from[TIME_TEXT];
	int64_t now, by = clock_watch_look(&s->watch, &now);
	if (by > 0) {
		snprintf(text, sizeof text, "the clock jumped ahead from %s to %s: it was set, or the machine slept", format_time(now - by, from),
		         format_time(now, to));
		return tell_clock(s, now, SEVERITY_INFO, text, why);
	}
	if (by < 0 && now >= s->opened_ms - (int64_t)REWIND_HOURS_MAX * HOUR_MS) {
		bool is_of_now = frame_ms <= now && frame_ms > now - SCRAPE_MS_MAX;
		return rewind_to(s, is_of_now ? frame_ms : now, now - by, why);
	}
	if (by < 0)
		log_error(s->log, "store", "the clock was set back from %s to %s: nothing is recorded until it is right, or the recorder is started anew",
		          format_time(now - by, from), format_time(now, to));
	if (s->was_set_back && frame_ms > now + CLOCK_JUMP_MS)
		return why_set(why, ERR_RANGE, "a frame from before the clock was set back came too late");
	return ERR_OK;
}

static enum err tell_start(struct store *s, const struct lease *l, struct why *why)
{
	char text[128], lost[TIME_TEXT];
	snprintf(text, sizeof text, "recording began");
	if (l->lost_ms > 0)
		snprintf(text, sizeof text, "recording began; the recorder before was lost at about %s", format_time(l->lost_ms, lost));
	log_info(s->log, "store", "%s", text);
	return store_append_event(s, &(struct event){ .wall_ms = s->opened_ms, .severity = SEVERITY_INFO, .kind = "recorder", .text = text }, why);
}

enum err store_open(const struct store_options *o, struct store **out, struct why *why)
{
	struct db db = { 0 };
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->clock = o->clock;
	s->log = o->log;
	s->opened_ms = clock_wall_ms(o->clock);
	clock_watch_init(&s->watch, o->clock);
	struct opening opening = { .store = s, .db = &db };
	enum err e = fs_check(o->path, o->fs_type, why);
	if (e == ERR_OK)
		e = db_open(&db, o->path, DB_WRITE, why);
	if (e == ERR_OK)
		e = db_prepare(&db, why);
	if (e == ERR_OK)
		e = db_transact(&db, true, load, &opening, why);
	if (e == ERR_OK)
		e = writer_start(&db, &opening.lease, o, &s->writer, why);
	for (size_t i = 0; i < s->layouts.n && e == ERR_OK; i++)
		e = writer_hold_layout(s->writer, s->layouts.items[i]->id, why);
	if (e == ERR_OK && newest_ms(s) > s->opened_ms + CLOCK_JUMP_MS)
		e = rewind_to(s, s->opened_ms, newest_ms(s), why);
	if (e == ERR_OK)
		e = end_presences(s, why);
	if (e == ERR_OK)
		e = tell_start(s, &opening.lease, why);
	if (e != ERR_OK) {
		if (s->writer != NULL)
			writer_stop(s->writer);
		db_close(&db);
		store_free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	log_info(s->log, "store", "recording ends");
	/* Where this does not go in any more, the next recorder tells that this one was lost. */
	store_append_event(s, &(struct event){ .wall_ms = clock_wall_ms(s->clock), .severity = SEVERITY_INFO, .kind = "recorder",
	                                       .text = "recording ended" }, NULL);
	writer_stop(s->writer);
	store_free(s);
}

enum err store_flush(struct store *s, struct why *why) { return writer_flush(s->writer, why); }
void     store_set_keep(struct store *s, const struct store_keep *keep) { writer_set_keep(s->writer, keep); }
void     store_health(struct store *s, struct store_health *out) { writer_health(s->writer, out); }

/* ---- what goes in ---- */

/* Copies a text behind an item. */
static const char *put_text(char **at, const char *text)
{
	size_t n = strlen(text) + 1;
	char *to = memcpy(*at, text, n);
	*at += n;
	return to;
}

enum err store_set_meta(struct store *s, const char *key, const char *value, struct why *why)
{
	struct item *i = item_new(ITEM_META, strlen(key) + strlen(value) + 2);
	if (i == NULL)
		return why_memory(why);
	char *at = (char *)(i + 1);
	i->key = put_text(&at, key);
	i->text = put_text(&at, value);
	i->from_ms = clock_wall_ms(s->clock);
	return writer_put(s->writer, i, why);
}

static enum err put_presence(struct store *s, int64_t id, const char *url, struct why *why)
{
	struct item *i = item_new(ITEM_PRESENT, strlen(url) + 1);
	if (i == NULL)
		return why_memory(why);
	char *at = (char *)(i + 1);
	i->text = put_text(&at, url);
	i->target = id;
	i->from_ms = clock_wall_ms(s->clock);
	i->until_ms = INT64_MAX;
	return writer_put(s->writer, i, why);
}

static enum err put_target(struct store *s, int64_t id, const struct labels *labels, struct why *why)
{
	struct buf body;
	buf_init(&body, LABELS_BYTES_MAX);
	enum err e = labels_encode(labels, &body);
	struct item *i = e == ERR_OK ? item_new(ITEM_TARGET, body.len + 1) : NULL;
	if (i == NULL) {
		buf_release(&body);
		return e == ERR_OK ? why_memory(why) : why_set(why, e, "a target's labels: %s", err_text(e));
	}
	i->target = id;
	i->bytes = memcpy(i + 1, body.data, body.len);
	i->n_bytes = body.len;
	buf_release(&body);
	return writer_put(s->writer, i, why);
}

static enum err new_target(struct store *s, const struct labels *labels, const char *url, struct why *why)
{
	int64_t id = (int64_t)s->n_targets + 1;
	if (id > LEDGER_TARGETS_MAX)
		return why_set(why, ERR_LIMIT, "more than %d targets in one store", LEDGER_TARGETS_MAX);
	enum err e = add_target(s, id, labels_ref(labels), strdup(url), why);
	if (e != ERR_OK)
		return e;
	e = put_target(s, id, labels, why);
	if (e != ERR_OK) { /* as if it had never been named: it is the last one, so its slot ends every probe */
		struct known_target *t = &s->targets[--s->n_targets];
		for (size_t i = 0; i < s->n_target_slots; i++)
			if (s->target_slots[i] == s->n_targets + 1)
				s->target_slots[i] = 0;
		labels_unref(t->labels);
		free(t->url);
	}
	return e;
}

enum err store_target(struct store *s, const struct labels *labels, const char *url, int64_t *id, struct why *why)
{
	struct known_target *t = find_target(s, labels);
	enum err e = ERR_OK;
	if (t == NULL) {
		e = new_target(s, labels, url, why);
		if (e != ERR_OK)
			return e;
		t = &s->targets[s->n_targets - 1];
	}
	bool same_url = strcmp(t->url, url) == 0;
	if (!t->is_open || !same_url) {
		char *copy = strdup(url);
		if (copy == NULL)
			return why_memory(why);
		if (t->is_open)
			e = store_target_gone(s, t->id, why);
		if (e == ERR_OK)
			e = put_presence(s, t->id, url, why);
		if (e != ERR_OK) {
			free(copy);
			return e;
		}
		free(t->url);
		t->url = copy;
		t->is_open = true;
	}
	*id = t->id;
	return ERR_OK;
}

enum err store_target_gone(struct store *s, int64_t target, struct why *why)
{
	struct known_target *t = target_by_id(s, target);
	if (t == NULL)
		return why_set(why, ERR_NOT_FOUND, "no target %lld", (long long)target);
	struct item *i = item_new(ITEM_GONE, 0);
	if (i == NULL)
		return why_memory(why);
	i->target = target;
	i->until_ms = clock_wall_ms(s->clock);
	enum err e = writer_put(s->writer, i, why);
	if (e == ERR_OK)
		t->is_open = false;
	return e;
}

void store_polled_before(struct store *s, void (*fn)(void *ctx, int64_t id, const struct labels *labels), void *ctx)
{
	for (size_t i = 0, n = s->n_targets; i < n; i++) {
		struct labels *labels = s->targets[i].was_open ? labels_ref(s->targets[i].labels) : NULL;
		if (labels != NULL)
			fn(ctx, (int64_t)i + 1, labels);
		labels_unref(labels);
	}
}

enum err store_layout(struct store *s, struct labels *const *series, size_t n, const struct layout **out, struct why *why)
{
	if (n > LAYOUT_SERIES_MAX)
		return why_set(why, ERR_LIMIT, "more than %d series from one target", LAYOUT_SERIES_MAX);
	uint64_t hash = layout_hash(series, n);
	struct layout *l = layout_table_take(&s->layouts, series, n, hash);
	if (l == NULL) {
		struct item *i = item_new(ITEM_LAYOUT, 0);
		l = i != NULL ? layout_new(s->last_layout + 1, series, n, hash) : NULL;
		enum err e = i == NULL ? why_memory(why) : layout_table_add(&s->layouts, l, why);
		if (e != ERR_OK) {
			free(i);
			return e;
		}
		i->layout = l;
		e = writer_hold_layout(s->writer, l->id, why);
		if (e == ERR_OK)
			e = writer_put(s->writer, i, why);
		else
			free(i);
		if (e != ERR_OK) {
			writer_drop_layout(s->writer, l->id);
			layout_table_remove(&s->layouts, l);
			return e;
		}
		s->last_layout++;
	} else if (l->is_read) {
		layout_adopt(l, series);
	}
	l->users++;
	*out = l;
	return ERR_OK;
}

void store_layout_drop(struct store *s, const struct layout *dropped)
{
	if (dropped == NULL)
		return;
	struct layout *l = (struct layout *)(uintptr_t)dropped; /* given out as const, but the store's own */
	assert(l->users > 0);
	if (--l->users > 0)
		return;
	layout_table_idle(&s->layouts, l, writer_count(s->writer));
	while (s->layouts.idle_series > LAYOUT_IDLE_SERIES && writer_has_committed(s->writer, s->layouts.idle_first->idle_count)) {
		writer_drop_layout(s->writer, s->layouts.idle_first->id);
		layout_table_remove(&s->layouts, s->layouts.idle_first);
	}
}

static enum err append(struct store *s, int64_t target, enum stream stream, int64_t wall_ms, const struct layout *l, const double *values,
                       struct why *why)
{
	struct known_target *t = target_by_id(s, target);
	if (t == NULL)
		return why_set(why, ERR_NOT_FOUND, "no target %lld", (long long)target);
	enum err e = watch_clock(s, wall_ms, why);
	if (e != ERR_OK)
		return e;
	if (wall_ms <= t->last_ms[stream])
		return why_set(why, ERR_RANGE, "a frame of '%s' is not later than the one before", t->url);
	size_t bytes = l != NULL ? l->n * sizeof *values : 0;
	struct item *i = item_new(ITEM_FRAME, bytes);
	if (i == NULL)
		return why_memory(why);
	i->target = target;
	i->stream = stream;
	i->from_ms = wall_ms;
	i->layout = l;
	i->bytes = i + 1;
	if (bytes > 0)
		memcpy(i + 1, values, bytes);
	e = writer_put(s->writer, i, why);
	if (e == ERR_OK)
		t->last_ms[stream] = wall_ms;
	return e;
}

enum err store_append(struct store *s, int64_t target, enum stream stream, int64_t wall_ms, const struct layout *l, const double *values,
                      struct why *why)
{
	assert(l != NULL);
	return append(s, target, stream, wall_ms, l, values, why);
}

enum err store_append_stale(struct store *s, int64_t target, enum stream stream, int64_t wall_ms, struct why *why)
{
	return append(s, target, stream, wall_ms, NULL, NULL, why);
}

enum err store_append_event(struct store *s, const struct event *e, struct why *why)
{
	const char *kind = e->kind != NULL ? e->kind : "", *node = e->node != NULL ? e->node : "";
	const char *text = e->text != NULL ? e->text : "", *data = e->data != NULL ? e->data : "";
	struct item *i = item_new(ITEM_EVENT, strlen(kind) + strlen(node) + strlen(text) + strlen(data) + 4);
	if (i == NULL)
		return why_memory(why);
	char *at = (char *)(i + 1);
	i->event = *e;
	i->event.kind = put_text(&at, kind);
	i->event.node = put_text(&at, node);
	i->event.text = put_text(&at, text);
	i->event.data = put_text(&at, data);
	return writer_put(s->writer, i, why);
}

enum err store_commit(struct store *s, struct changes *c, uint64_t *ticket, struct why *why)
{
	enum err e = changes_check(c, why);
	struct item *i = e == ERR_OK ? item_new(ITEM_CHANGES, 0) : NULL;
	if (i == NULL) {
		changes_free(c);
		return e == ERR_OK ? why_memory(why) : e;
	}
	i->changes = c;
	i->size += changes_bytes(c);
	e = writer_put(s->writer, i, why);
	if (e == ERR_OK && ticket != NULL)
		*ticket = writer_count(s->writer);
	return e;
}

void store_on_commit(struct store *s, void (*fn)(void *ctx), void *ctx) { writer_on_commit(s->writer, fn, ctx); }

bool store_is_committed(struct store *s, uint64_t ticket) { return writer_has_committed(s->writer, ticket); }
