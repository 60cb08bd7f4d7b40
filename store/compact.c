/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compact.h"

#include <errno.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "store/fold.h"
#include "store/fs.h"
#include "store/lease.h"
#include "store/retain.h"

enum { PAGES_AT_ONCE = 1024, TRACKS_AT_ONCE = 64, FRAMES_AT_ONCE = 4096 };

struct compacting {
	const struct clock *clock;
	struct db           db;
	struct lease        lease;
	struct ledger       ledger;
	struct fold         fold;
	struct rollup_maker rollups;
	struct retain       retain;
	size_t              track; /* whose rollups are made */
	bool                has_lease, more;
};

/* Of the file with its log, where there is one: what was recorded last stands only there. */
static enum err store_size(const char *path, int64_t *out, struct why *why)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return errno == ENOENT ? why_set(why, ERR_NOT_FOUND, "there is no store '%s'", path) : why_errno(why, errno, "cannot look at '%s'", path);
	int64_t log = fs_side_size(path, "-wal");
	*out = (int64_t)st.st_size + (log > 0 ? log : 0);
	return ERR_OK;
}

static enum err take_lease(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	enum err e = lease_take(&c->db, &c->lease, clock_wall_ms(c->clock), why);
	return e == ERR_OK ? ledger_mend(&c->db, why) : e;
}

static enum err give_lease(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	return lease_give(&c->db, &c->lease, why);
}

static enum err still_mine(struct compacting *c, struct why *why)
{
	enum err e = lease_check(&c->db, &c->lease, why); /* I6 */
	return e == ERR_OK ? lease_renew(&c->db, &c->lease, clock_wall_ms(c->clock), why) : e;
}

static enum err slice(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	enum err e = still_mine(c, why);
	return e == ERR_OK ? retain_slice(&c->retain, clock_wall_ms(c->clock), &c->more, why) : e;
}

static enum err renew(void *ctx, struct why *why)
{
	return still_mine(ctx, why);
}

static enum err empty_log(struct compacting *c, struct why *why)
{
	int rc = sqlite3_wal_checkpoint_v2(c->db.handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return rc == SQLITE_OK || rc == SQLITE_BUSY ? ERR_OK : db_error(&c->db, why); /* busy: somebody reads; the next recorder does it */
}

/* A damaged frame keeps its own track from being folded, and no other. */
static enum err fold_slice(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	enum err e = still_mine(c, why);
	int64_t target;
	int stream;
	c->more = false;
	for (int i = 0; i < TRACKS_AT_ONCE && e == ERR_OK && ledger_due(&c->ledger, &target, &stream); i++) {
		bool did = false;
		struct why told;
		e = fold_track(&c->fold, target, stream, &did, &told);
		if (e == ERR_CORRUPT || e == ERR_FORMAT)
			e = ERR_OK;
		else if (e != ERR_OK)
			why_set(why, e, "%s", told.text);
		if (did)
			ledger_is_due(&c->ledger, target, stream);
		c->more = true;
	}
	return e;
}

static enum err sweep_slice(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	enum err e = still_mine(c, why);
	return e == ERR_OK ? fold_sweep(&c->fold, INT64_MAX, FRAMES_AT_ONCE, &c->more, why) : e;
}

/* All rows of some tracks: those for which there are blocks enough. */
static enum err rollup_slice(void *ctx, struct why *why)
{
	struct compacting *c = ctx;
	enum err e = still_mine(c, why);
	bool did = false;
	for (int i = 0; i < TRACKS_AT_ONCE && e == ERR_OK && c->track < c->ledger.n_tracks; i++) {
		e = rollup_make(&c->rollups, (int64_t)(c->track / STREAM_COUNT), (int)(c->track % STREAM_COUNT), false, &did, why);
		c->track += !did;
	}
	c->more = c->track < c->ledger.n_tracks;
	return e;
}

/* What can be a block becomes one, and its frames go from the table, wherever they stand. */
static enum err fold_all(struct compacting *c, struct why *why)
{
	static enum err (*const parts[])(void *ctx, struct why *why) = { fold_slice, rollup_slice, sweep_slice };
	enum err e = ERR_OK;
	for (size_t i = 0; i < c->ledger.n_tracks; i++)
		if (c->ledger.tracks[i].newest > 0)
			ledger_is_due(&c->ledger, (int64_t)(i / STREAM_COUNT), (int)(i % STREAM_COUNT));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && e == ERR_OK; i++)
		do {
			e = db_transact(&c->db, true, parts[i], c, why);
			fold_settle(&c->fold, e == ERR_OK);
			if (e == ERR_OK)
				e = empty_log(c, why);
		} while (e == ERR_OK && c->more);
	return e;
}

static enum err remove_old(struct compacting *c, int64_t *removed, struct why *why)
{
	enum err e = ERR_OK;
	do {
		int64_t before = c->retain.stage == RETAIN_IDLE ? 0 : c->retain.removed;
		e = db_transact(&c->db, true, slice, c, why);
		ledger_settle(&c->ledger, e == ERR_OK);
		*removed += e == ERR_OK ? c->retain.removed - before : 0;
		if (e == ERR_OK)
			e = empty_log(c, why);
	} while (e == ERR_OK && c->more);
	return e;
}

static enum err give_back_pages(struct compacting *c, struct why *why)
{
	int64_t used, unused = 0, before;
	enum err e = retain_used(&c->db, &used, &unused, why);
	do {
		before = unused;
		if (e == ERR_OK && unused > 0)
			e = retain_shrink(&c->db, PAGES_AT_ONCE, why);
		if (e == ERR_OK)
			e = empty_log(c, why);
		if (e == ERR_OK)
			e = db_transact(&c->db, true, renew, c, why);
		if (e == ERR_OK)
			e = retain_used(&c->db, &used, &unused, why);
	} while (e == ERR_OK && unused > 0 && unused < before);
	return e == ERR_OK ? empty_log(c, why) : e;
}

static enum err compact(struct compacting *c, const struct store_keep *keep, int64_t *removed, struct why *why)
{
	enum err e = db_transact(&c->db, true, take_lease, c, why);
	c->has_lease = e == ERR_OK;
	if (e == ERR_OK)
		e = ledger_init(&c->ledger, &c->db, why);
	if (e != ERR_OK)
		return e;
	retain_init(&c->retain, &c->ledger);
	c->retain.keep = *keep;
	fold_init(&c->fold, &c->db);
	rollup_maker_init(&c->rollups, &c->db);
	c->retain.rollups = &c->rollups;
	e = remove_old(c, removed, why);
	if (e == ERR_OK)
		e = fold_all(c, why);
	return e == ERR_OK ? give_back_pages(c, why) : e;
}

enum err store_compact(const char *path, const struct store_keep *keep, const struct clock *clock, struct compact_result *out, struct why *why)
{
	struct compacting c = { .clock = clock };
	struct compact_result r = { 0 };
	enum err e = store_size(path, &r.bytes_before, why);
	if (e == ERR_OK)
		e = fs_check(path, NULL, why);
	if (e == ERR_OK)
		e = db_open(&c.db, path, DB_WRITE, why);
	if (e == ERR_OK)
		e = db_prepare(&c.db, why);
	if (e == ERR_OK)
		e = compact(&c, keep, &r.rows_removed, why);
	if (c.has_lease)
		db_transact(&c.db, true, give_lease, &c, NULL);
	if (e == ERR_OK)
		e = empty_log(&c, why);
	r.is_full = c.retain.is_stuck;
	retain_release(&c.retain);
	fold_release(&c.fold);
	rollup_maker_release(&c.rollups);
	ledger_release(&c.ledger);
	db_close(&c.db);
	if (e == ERR_OK)
		e = store_size(path, &r.bytes_after, why);
	if (e == ERR_OK)
		*out = r;
	return e;
}
