/* SPDX-License-Identifier: Apache-2.0 */
#include "store/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/alerts.h"
#include "store/changes.h"
#include "store/deployments.h"
#include "store/export_rollups.h"
#include "store/ledger.h"
#include "store/reader_private.h"

/* What a look at the first moment may reach back for: Prometheus' look-back, and a rate's window of as much again. */
enum { LOOK_BACK_MS = 10 * 60 * 1000, PATH_BYTES = 16384 };

static const char bundle_key[] = "bundle"; /* in `meta` */

struct copying {
	struct reader *from;
	struct db      to;
	struct ledger  ledger;
	int64_t        from_ms, until_ms;
	struct id_map  layouts; /* those written already */
	enum stream    stream;
	struct why     why;     /* of a callback */
	struct changes *changes; /* what there is of alerts, or of a deployment */
	int64_t       *ids;     /* of alerts, or of deployments */
	size_t         n_ids, cap_ids;
};

static enum err copy_targets(struct copying *c, struct why *why)
{
	sqlite3_stmt *s = db_statement(&c->from->db, STMT_TARGET_IDS);
	if (s == NULL)
		return db_error(&c->from->db, why);
	enum err e;
	/* All of them, with their numbers: a store's ids have no gaps, and a target is small. */
	while ((e = db_step(&c->from->db, s, why)) == ERR_OK) {
		int64_t id = sqlite3_column_int64(s, 0);
		const struct labels *labels;
		struct buf body;
		buf_init(&body, 4 << 20);
		e = reader_target_labels(c->from, id, &labels, why);
		if (e == ERR_OK)
			e = labels_encode(labels, &body);
		if (e == ERR_OK)
			e = ledger_target(&c->ledger, id, body.data, body.len, why);
		buf_release(&body);
		if (e != ERR_OK)
			break;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err copy_presences(struct copying *c, struct why *why)
{
	sqlite3_stmt *s = db_statement(&c->from->db, STMT_PRESENCES);
	if (s == NULL)
		return db_error(&c->from->db, why);
	sqlite3_bind_int64(s, 1, c->from_ms - LOOK_BACK_MS);
	sqlite3_bind_int64(s, 2, c->until_ms);
	enum err e;
	while ((e = db_step(&c->from->db, s, why)) == ERR_OK) {
		e = ledger_present(&c->ledger, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3), db_text(s, 1),
		                   why);
		if (e != ERR_OK)
			break;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err copy_metas(struct copying *c, struct why *why)
{
	sqlite3_stmt *s = db_statement(&c->from->db, STMT_METAS);
	if (s == NULL)
		return db_error(&c->from->db, why);
	sqlite3_bind_int64(s, 1, c->until_ms);
	enum err e;
	while ((e = db_step(&c->from->db, s, why)) == ERR_OK) {
		e = ledger_meta(&c->ledger, db_text(s, 0), sqlite3_column_int64(s, 1), db_text(s, 2), why);
		if (e != ERR_OK)
			break;
	}
	/* So that it is known for one: nothing is to be asked of it. */
	return e == ERR_NOT_FOUND ? ledger_meta(&c->ledger, bundle_key, c->until_ms, "1", why) : e;
}

enum err reader_is_bundle(struct reader *r, int64_t now_ms, bool *out, struct why *why)
{
	struct buf value;
	buf_init(&value, 100);
	enum err e = reader_meta(r, bundle_key, now_ms, &value, why);
	*out = e == ERR_OK && value.len > 0;
	buf_release(&value);
	return e;
}

static enum err copy_layout(void *ctx, const struct layout *l, struct why *why)
{
	struct copying *c = ctx;
	if (id_map_get(&c->layouts, l->id) != NULL)
		return ERR_OK;
	enum err e = id_map_put(&c->layouts, l->id, c, why);
	return e == ERR_OK ? ledger_layout(&c->ledger, l, why) : e;
}

static enum err copy_frame(void *ctx, const struct frame *f)
{
	struct copying *c = ctx;
	enum err e = f->layout != NULL ? copy_layout(c, f->layout, &c->why) : ERR_OK;
	return e != ERR_OK ? e : ledger_frame(&c->ledger, f->target, c->stream, f->wall_ms, f->layout, f->values, &c->why);
}

static enum err copy_event(void *ctx, const struct event *e)
{
	struct copying *c = ctx;
	return ledger_event(&c->ledger, e, &c->why);
}

/* ---- alerts, as they were at the end ---- */

static enum err note_id(struct copying *c, int64_t id)
{
	if (c->n_ids == c->cap_ids) {
		size_t cap = c->cap_ids == 0 ? 64 : c->cap_ids * 2;
		int64_t *more = realloc(c->ids, cap * sizeof *more);
		if (more == NULL)
			return why_memory(&c->why);
		c->ids = more;
		c->cap_ids = cap;
	}
	c->ids[c->n_ids++] = id;
	return ERR_OK;
}

static enum err copy_alert(void *ctx, const struct alert_row *a)
{
	struct copying *c = ctx;
	changes_alert(c->changes, a);
	return note_id(c, a->id);
}

static enum err copy_transition(void *ctx, const struct transition_row *t)
{
	changes_transition(((struct copying *)ctx)->changes, t);
	return ERR_OK;
}

static enum err copy_ack(void *ctx, const struct ack_row *a)
{
	changes_ack(((struct copying *)ctx)->changes, a);
	return ERR_OK;
}

static enum err copy_silence(void *ctx, const struct silence_row *s)
{
	changes_silence(((struct copying *)ctx)->changes, s);
	return ERR_OK;
}

static enum err copy_external(void *ctx, const struct external_row *e)
{
	changes_external(((struct copying *)ctx)->changes, e);
	return ERR_OK;
}

static enum err copy_alertmanager(void *ctx, const struct alertmanager_row *a)
{
	changes_alertmanager(((struct copying *)ctx)->changes, a);
	return ERR_OK;
}

/* The audit stays where it is: a piece of a chain proves nothing. */
static enum err copy_alerts(struct copying *c, struct why *why)
{
	enum err e = changes_new(&c->changes, why);
	if (e == ERR_OK)
		e = reader_alerts(c->from, c->until_ms, c->until_ms - c->from_ms, 0, copy_alert, c, why);
	for (size_t i = 0; i < c->n_ids && e == ERR_OK; i++)
		e = reader_transitions(c->from, c->ids[i], INT64_MIN, c->until_ms, copy_transition, c, why);
	if (e == ERR_OK)
		e = reader_acks(c->from, c->from_ms, c->until_ms, copy_ack, c, why);
	if (e == ERR_OK)
		e = reader_silences(c->from, c->from_ms, c->until_ms, copy_silence, c, why);
	if (e == ERR_OK)
		e = reader_externals(c->from, c->from_ms, c->until_ms, copy_external, c, why);
	if (e == ERR_OK)
		e = reader_alertmanagers(c->from, c->from_ms, c->until_ms, copy_alertmanager, c, why);
	if (e == ERR_OK)
		e = changes_check(c->changes, why);
	if (e == ERR_OK)
		e = changes_write(c->changes, &c->ledger, why);
	changes_free(c->changes);
	c->changes = NULL;
	return e;
}

/* ---- deployments that ran in the range, as they were at the end ---- */

static enum err note_deployment(void *ctx, const struct deployment_at *d)
{
	return note_id(ctx, d->row.id);
}

static enum err copy_deployment_row(void *ctx, const struct deployment_at *d)
{
	changes_deployment(((struct copying *)ctx)->changes, &d->row);
	return ERR_OK;
}

static enum err copy_deployment_change(void *ctx, const struct deployment_change *c)
{
	changes_deployment_change(((struct copying *)ctx)->changes, c);
	return ERR_OK;
}

static enum err copy_deployment_step(void *ctx, const struct deployment_step *s)
{
	changes_deployment_step(((struct copying *)ctx)->changes, s);
	return ERR_OK;
}

/* One at a time: plans are large. Who carries it out stays where it is: nobody does in a bundle. */
static enum err copy_deployment(struct copying *c, int64_t id, struct why *why)
{
	enum err e = changes_new(&c->changes, why);
	if (e == ERR_OK)
		e = reader_deployment(c->from, id, c->until_ms, copy_deployment_row, c, why);
	if (e == ERR_OK)
		e = reader_deployment_changes(c->from, id, c->until_ms, copy_deployment_change, c, why);
	if (e == ERR_OK)
		e = reader_deployment_steps(c->from, id, c->until_ms, copy_deployment_step, c, why);
	if (e == ERR_OK)
		e = changes_check(c->changes, why);
	if (e == ERR_OK)
		e = changes_write(c->changes, &c->ledger, why);
	changes_free(c->changes);
	c->changes = NULL;
	return e;
}

static enum err copy_deployments(struct copying *c, struct why *why)
{
	c->n_ids = 0;
	enum err e = reader_deployments(c->from, c->from_ms - 1, c->until_ms, SIZE_MAX, note_deployment, c, why);
	for (size_t i = 0; i < c->n_ids && e == ERR_OK; i++)
		e = copy_deployment(c, c->ids[i], why);
	return e;
}

/* Callbacks leave their sentence in c->why; everything else in `why`. */
static enum err told(const struct copying *c, enum err e, struct why *why)
{
	return e != ERR_OK && c->why.text[0] != '\0' ? why_set(why, e, "%s", c->why.text) : e;
}

static enum err copy_all(void *ctx, struct why *why)
{
	struct copying *c = ctx;
	enum err e = ERR_OK;
	for (int stream = 0; stream < STREAM_COUNT && e == ERR_OK; stream++) {
		c->stream = (enum stream)stream;
		e = told(c, reader_frames(c->from, c->stream, 0, c->from_ms - LOOK_BACK_MS - 1, c->until_ms, false, copy_frame, c, why), why);
	}
	const struct rollup_export rollups = { c->from, &c->ledger, c->from_ms - LOOK_BACK_MS, c->until_ms, copy_layout, c };
	if (e == ERR_OK)
		e = export_rollups(&rollups, why);
	if (e == ERR_OK)
		e = told(c, reader_events(c->from, NULL, NULL, c->from_ms - 1, c->until_ms, SIZE_MAX, copy_event, c, why), why);
	if (e == ERR_OK)
		e = copy_targets(c, why);
	if (e == ERR_OK)
		e = copy_presences(c, why);
	if (e == ERR_OK)
		e = copy_metas(c, why);
	if (e == ERR_OK)
		e = told(c, copy_alerts(c, why), why);
	if (e == ERR_OK)
		e = told(c, copy_deployments(c, why), why);
	return e == ERR_OK ? ledger_save(&c->ledger, why) : e;
}

static enum err write_copy(struct copying *c, const char *path, struct why *why)
{
	enum err e = db_open(&c->to, path, DB_WRITE, why);
	if (e == ERR_OK)
		e = db_migrate(&c->to, 0, why);
	if (e == ERR_OK)
		e = ledger_init(&c->ledger, &c->to, why);
	if (e == ERR_OK) {
		e = db_transact(&c->to, true, copy_all, c, why);
		ledger_settle(&c->ledger, e == ERR_OK);
	}
	ledger_release(&c->ledger);
	db_close(&c->to);
	return e;
}

static enum err sync_folder(const char *path, struct why *why)
{
	char *folder = strdup(path);
	if (folder == NULL)
		return why_memory(why);
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	enum err e = fd < 0 || fsync(fd) != 0 ? why_errno(why, errno, "cannot write the folder of '%s'", path) : ERR_OK;
	if (fd >= 0)
		close(fd);
	return e;
}

/* A new name beside the target's, that is nobody's yet. */
static enum err temporary(const char *path, char to[PATH_BYTES], struct why *why)
{
	if (access(path, F_OK) == 0)
		return why_set(why, ERR_EXISTS, "'%s' is there already: choose another name", path);
	if ((size_t)snprintf(to, PATH_BYTES, "%s.XXXXXX", path) >= PATH_BYTES)
		return why_set(why, ERR_LIMIT, "'%.100s...' is too long a name", path);
	int fd = mkstemp(to);
	if (fd < 0)
		return why_errno(why, errno, "cannot write beside '%s'", path);
	close(fd);
	return ERR_OK;
}

enum err store_export(const char *from_path, const char *to_path, int64_t from_ms, int64_t to_ms, struct why *why)
{
	char name[PATH_BYTES];
	struct copying c = { .from_ms = from_ms, .until_ms = to_ms };
	if (to_ms < from_ms)
		return why_set(why, ERR_RANGE, "the end of the time range is before its start");
	enum err e = reader_open(from_path, READER_OWN, &c.from, why);
	if (e != ERR_OK)
		return e;
	e = temporary(to_path, name, why);
	if (e == ERR_OK) {
		e = write_copy(&c, name, why);
		/* link, not rename: it fails where somebody made the file meanwhile. SQLite has synced what it committed. */
		if (e == ERR_OK && link(name, to_path) != 0)
			e = errno == EEXIST ? why_set(why, ERR_EXISTS, "'%s' is there already: choose another name", to_path)
			                    : why_errno(why, errno, "cannot create '%s'", to_path);
		unlink(name);
		if (e == ERR_OK)
			e = sync_folder(to_path, why);
	}
	id_map_release(&c.layouts);
	free(c.ids);
	reader_close(c.from);
	return e;
}
