/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "store/reader.h"

enum { BUSY_MS = 2000, PATH_BYTES_MAX = 16384, PROGRESS_STEPS = 10000 };

enum { STRANGER_BYTES_MAX = 66 << 20 }; /* the largest blob: a layout */

static enum err from_sqlite(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK: return ERR_OK;
	case SQLITE_NOMEM: return ERR_MEMORY;
	case SQLITE_FULL: return ERR_FULL;
	case SQLITE_READONLY: return ERR_READ_ONLY;
	case SQLITE_PERM:
	case SQLITE_AUTH: return ERR_DENIED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return ERR_LATER;
	case SQLITE_INTERRUPT: return ERR_CANCELLED;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: return ERR_CORRUPT;
	case SQLITE_TOOBIG: return ERR_LIMIT;
	default: return ERR_IO;
	}
}

/* The own clock even where a test owns the time that is stored. */
static int64_t own_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int is_late(void *ctx) /* as SQLite asks it, too */
{
	const struct db *db = ctx;
	return db->deadline_ms != 0 && own_ms() > db->deadline_ms;
}

static enum err fail(struct db *db, int rc, struct why *why)
{
	enum err e = from_sqlite(rc);
	int sys = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
	if ((e == ERR_IO || e == ERR_FULL) && (sys == ENOSPC || sys == EDQUOT))
		e = ERR_FULL;
	const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	if (e == ERR_FULL)
		text = "no space left on the disk";
	else if ((rc & 0xff) == SQLITE_NOTADB)
		return why_set(why, e, "'%s' is not a store: not an SQLite file", db->path);
	else if ((rc & 0xff) == SQLITE_CORRUPT)
		return why_set(why, e, "store '%s' is damaged (%s): restore a copy, or move it away to begin anew", db->path, text);
	else if (e == ERR_CANCELLED && is_late(db))
		return why_set(why, ERR_TIMEOUT, "reading '%s' takes too long: it may be damaged", db->path);
	else if (e == ERR_CANCELLED)
		text = "interrupted";
	return why_set(why, e, "store '%s': %s", db->path, text);
}

enum err db_error(struct db *db, struct why *why)
{
	int rc = sqlite3_extended_errcode(db->handle);
	return rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE ? why_memory(why) : fail(db, rc, why);
}

enum err db_corrupt(struct db *db, const char *what, struct why *why)
{
	return why_set(why, ERR_CORRUPT, "store '%s' is damaged: %s", db->path, what);
}

/* ---- opening ---- */

static enum err exec(struct db *db, const char *sql, struct why *why)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? ERR_OK : fail(db, sqlite3_extended_errcode(db->handle), why);
}

/* file:PATH?immutable=1 with everything but plain bytes escaped. */
static enum err immutable_uri(const char *path, struct buf *to)
{
	buf_puts(to, "file:");
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("/._-", *p) != NULL)
			buf_putc(to, (char)*p);
		else
			buf_printf(to, "%%%02X", *p);
	}
	return buf_puts(to, "?immutable=1");
}

/* SQLite would make the file readable for all; -wal and -shm take the mode of the file. A folder that its group may write is shared on purpose. */
static enum err create_file(const char *path, struct why *why)
{
	char *folder = strdup(path);
	if (folder == NULL)
		return why_memory(why);
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	struct stat st;
	mode_t mode = stat(slash != NULL ? folder : ".", &st) == 0 && (st.st_mode & S_IWGRP) != 0 ? 0660 : 0640;
	free(folder);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return errno == EEXIST ? ERR_OK : why_errno(why, errno, "cannot create '%s'", path);
	close(fd);
	return ERR_OK;
}

/* A reader goes through frames once and in order: what it has read it does not want again, and the system caches the file anyway. Secrets never come into a
 * store, so what is removed is overwritten only where that costs no write. */
static const char pragmas_write[] = "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;"
                                     " PRAGMA secure_delete = FAST;";
static const char pragmas_read[] = "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512;";

static enum err harden(struct db *db, enum db_mode mode, struct why *why)
{
	static const struct { int option, value; } switches[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
		sqlite3_db_config(db->handle, switches[i].option, switches[i].value, (int *)NULL);
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db->handle, SQLITE_LIMIT_WORKER_THREADS, 0);
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	return exec(db, mode == DB_WRITE ? pragmas_write : pragmas_read, why);
}

/* The log is made beside the store. */
static enum err check_folder(const char *path, struct why *why)
{
	char *folder = strdup(path);
	if (folder == NULL)
		return why_memory(why);
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	bool may = access(slash != NULL ? folder : ".", W_OK | X_OK) == 0;
	free(folder);
	return may ? ERR_OK : why_set(why, ERR_READ_ONLY, "cannot record into '%s': its folder is read-only for this user, and the log is made there", path);
}

static enum err check_path(const char *path, enum db_mode mode, struct why *why)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return mode == DB_WRITE && errno == ENOENT ? create_file(path, why) : why_errno(why, errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return why_set(why, ERR_CORRUPT, "'%s' is not a store: not a regular file", path);
	if (access(path, R_OK) != 0)
		return why_errno(why, errno, "cannot read '%s'", path);
	if (mode == DB_WRITE && access(path, W_OK) != 0)
		return why_set(why, ERR_READ_ONLY, "cannot write '%s': it is read-only for this user", path);
	return mode == DB_WRITE ? check_folder(path, why) : ERR_OK;
}

/* Without a count of what it has allocated SQLite allocates without a lock. It refuses where it was used before, which does no harm. */
static void configure(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

enum err db_open(struct db *db, const char *path, enum db_mode mode, struct why *why)
{
	static pthread_once_t is_configured = PTHREAD_ONCE_INIT;
	pthread_once(&is_configured, configure);
	*db = (struct db){ 0 };
	struct buf uri;
	buf_init(&uri, PATH_BYTES_MAX);
	enum err e = check_path(path, mode, why);
	if (e != ERR_OK)
		goto out;
	db->path = strdup(path);
	if (db->path == NULL || (mode == DB_IMMUTABLE && immutable_uri(path, &uri) != ERR_OK)) {
		e = why_memory(why);
		goto out;
	}
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	            (mode == DB_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | (mode == DB_IMMUTABLE ? SQLITE_OPEN_URI : 0);
	int rc = sqlite3_open_v2(mode == DB_IMMUTABLE ? buf_text(&uri) : path, &db->handle, flags, NULL);
	if (rc != SQLITE_OK) {
		e = fail(db, rc, why);
		goto out;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	e = harden(db, mode, why);
	if (e == ERR_OK && mode != DB_WRITE)
		e = exec(db, "PRAGMA query_only = ON;", why);
out:
	buf_release(&uri);
	if (e != ERR_OK)
		db_close(db);
	return e;
}

void db_close(struct db *db)
{
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->handle);
	free(db->path);
	*db = (struct db){ 0 };
}

enum err db_number(struct db *db, enum statement which, int64_t *out, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, which);
	enum err e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	*out = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return ERR_OK;
}

enum err db_identify(struct db *db, int *version, struct why *why)
{
	int64_t application, user, tables = 0;
	enum err e = db_number(db, STMT_APPLICATION, &application, why);
	if (e == ERR_OK)
		e = db_number(db, STMT_VERSION, &user, why);
	if (e != ERR_OK)
		return e;
	if (application == 0 && user == 0) {
		sqlite3_stmt *s = db_statement(db, STMT_SCHEMA);
		e = s == NULL ? db_error(db, why) : db_step(db, s, why);
		tables = e == ERR_OK;
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		sqlite3_reset(s);
	}
	if ((application != SCHEMA_APPLICATION_ID && application != 0) || tables > 0 || user < 0)
		return why_set(why, ERR_CORRUPT, "'%s' is not a store: an SQLite file of another program", db->path);
	if (user > SCHEMA_VERSION)
		return why_set(why, ERR_UNSUPPORTED, "'%s' was made by a newer pitwall (version %lld, this one knows %d): use that one",
		               db->path, (long long)user, SCHEMA_VERSION);
	*version = db->version = (int)user;
	return ERR_OK;
}

enum err db_check_version(struct db *db, struct why *why)
{
	int version;
	enum err e = db_identify(db, &version, why);
	if (e == ERR_OK && version == 0)
		e = why_set(why, ERR_CORRUPT, "'%s' is not a store: it is empty", db->path);
	return e;
}

struct migration {
	struct db *db;
	int        from;
};

static enum err migrate_step(void *ctx, struct why *why)
{
	struct migration *m = ctx;
	int version;
	enum err e = db_identify(m->db, &version, why); /* another process may have been quicker */
	return e != ERR_OK || version != m->from ? e : exec(m->db, schema_step(m->from), why);
}

enum err db_migrate(struct db *db, int version, struct why *why)
{
	enum err e = ERR_OK;
	if (version == 0) /* before the first table: both stand in the head of the file */
		e = exec(db, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;", why);
	for (struct migration m = { db, version }; m.from < SCHEMA_VERSION && e == ERR_OK; m.from++)
		e = db_transact(db, true, migrate_step, &m, why);
	if (e == ERR_OK)
		db->version = SCHEMA_VERSION;
	return e;
}

/* A group that may enter the store's folder and not write there can make neither the log nor its index. Both stay when the recorder ends, the log
 * empty: who reads then goes on when one records again. */
static void keep_log(struct db *db)
{
	struct stat st;
	int keep = 1;
	char *folder = strdup(db->path);
	if (folder == NULL)
		return; /* it can be read without, as it is then */
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	if (stat(slash != NULL ? folder : ".", &st) == 0 && (st.st_mode & (S_ISGID | S_IXGRP | S_IWGRP)) == (S_ISGID | S_IXGRP))
		sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep);
	free(folder);
}

enum err db_prepare(struct db *db, struct why *why)
{
	int version;
	enum err e = db_identify(db, &version, why);
	if (e == ERR_OK)
		e = db_migrate(db, version, why);
	if (e != ERR_OK)
		return e;
	if (sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;"
	                 "PRAGMA wal_autocheckpoint = 0;", NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, why);
	keep_log(db);
	return ERR_OK;
}

/* ---- strangers ---- */

static int authorize(void *ctx, int action, const char *a, const char *b, const char *database, const char *trigger)
{
	(void)ctx;
	(void)database;
	if (trigger != NULL)
		return SQLITE_DENY;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_TRANSACTION: return SQLITE_OK;
	case SQLITE_FUNCTION:
		return b != NULL && (strcmp(b, "min") == 0 || strcmp(b, "max") == 0 || strcmp(b, "count") == 0 || strcmp(b, "coalesce") == 0)
		               ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_PRAGMA:
		return a != NULL && (strcmp(a, "data_version") == 0 || strcmp(a, "quick_check") == 0 || strcmp(a, "user_version") == 0 ||
		                     strcmp(a, "application_id") == 0) ? SQLITE_OK : SQLITE_DENY;
	default: return SQLITE_DENY;
	}
}

static bool same_text(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
	return strcmp(db_text(a, column), db_text(b, column)) == 0;
}

/* Both lists, row by row. */
static enum err compare_schemas(struct db *db, struct db *ours, struct why *why)
{
	sqlite3_stmt *a = db_statement(db, STMT_SCHEMA), *b = db_statement(ours, STMT_SCHEMA);
	if (a == NULL)
		return db_error(db, why);
	if (b == NULL)
		return db_error(ours, why);
	enum err e, f;
	do {
		e = db_step(db, a, why);
		f = db_step(ours, b, why);
	} while (e == ERR_OK && f == ERR_OK && same_text(a, b, 0) && same_text(a, b, 1) && same_text(a, b, 2));
	sqlite3_reset(a);
	sqlite3_reset(b);
	if (e == ERR_NOT_FOUND && f == ERR_NOT_FOUND)
		return ERR_OK;
	return e != ERR_OK && e != ERR_NOT_FOUND ? e : db_corrupt(db, "its tables are not those of a store", why);
}

static enum err check_schema(struct db *db, struct why *why)
{
	struct db ours = { .path = strdup("the schema") };
	enum err e = ERR_OK;
	if (ours.path == NULL || sqlite3_open(":memory:", &ours.handle) != SQLITE_OK)
		e = why_memory(why);
	for (int v = 0; v < db->version && e == ERR_OK; v++)
		e = exec(&ours, schema_step(v), why);
	if (e == ERR_OK)
		e = compare_schemas(db, &ours, why);
	db_close(&ours);
	return e;
}

static enum err distrust(struct db *db, struct why *why)
{
	static const struct { int id, value; } limits[] = {
		{ SQLITE_LIMIT_LENGTH, STRANGER_BYTES_MAX }, { SQLITE_LIMIT_SQL_LENGTH, 100000 }, { SQLITE_LIMIT_COLUMN, 100 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 20 }, { SQLITE_LIMIT_COMPOUND_SELECT, 3 }, { SQLITE_LIMIT_VDBE_OP, 25000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 8 }, { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50 }, { SQLITE_LIMIT_VARIABLE_NUMBER, 10 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		sqlite3_limit(db->handle, limits[i].id, limits[i].value);
	sqlite3_set_authorizer(db->handle, authorize, NULL);
	enum err e = check_schema(db, why);
	if (e != ERR_OK)
		return e;
	sqlite3_stmt *s = db_statement(db, STMT_QUICK_CHECK);
	e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e;
	bool good = strcmp(db_text(s, 0), "ok") == 0;
	sqlite3_reset(s);
	return good ? ERR_OK : db_corrupt(db, "SQLite's quick_check found faults", why);
}

void db_limit_calls(struct db *db, int64_t limit_ms)
{
	db->call_limit_ms = limit_ms;
	sqlite3_progress_handler(db->handle, PROGRESS_STEPS, is_late, db);
}

enum err db_distrust(struct db *db, int64_t limit_ms, struct why *why)
{
	db_limit_calls(db, limit_ms);
	db->deadline_ms = own_ms() + limit_ms;
	enum err e = distrust(db, why);
	db->deadline_ms = 0;
	return e;
}

enum err db_rename(struct db *db, const char *path, struct why *why)
{
	char *copy = strdup(path);
	if (copy == NULL) {
		db_close(db);
		return why_memory(why);
	}
	free(db->path);
	db->path = copy;
	return ERR_OK;
}

/* ---- statements and transactions ---- */

sqlite3_stmt *db_statement(struct db *db, enum statement which)
{
	sqlite3_stmt **s = &db->statements[which];
	if (*s == NULL) {
		if (sqlite3_prepare_v3(db->handle, statement_sql(which), -1, SQLITE_PREPARE_PERSISTENT, s, NULL) != SQLITE_OK)
			return NULL;
	} else {
		sqlite3_reset(*s);
		sqlite3_clear_bindings(*s);
	}
	return *s;
}

enum err db_step(struct db *db, sqlite3_stmt *s, struct why *why)
{
	int rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		return ERR_OK;
	enum err e = rc == SQLITE_DONE ? ERR_NOT_FOUND : fail(db, sqlite3_extended_errcode(db->handle), why);
	sqlite3_reset(s);
	return e;
}

enum err db_run(struct db *db, sqlite3_stmt *s, struct why *why)
{
	enum err e = db_step(db, s, why);
	sqlite3_reset(s);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err run_simple(struct db *db, enum statement which, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, which);
	return s == NULL ? db_error(db, why) : db_run(db, s, why);
}

enum err db_transact(struct db *db, bool write, enum err (*fn)(void *ctx, struct why *why), void *ctx, struct why *why)
{
	assert(!db->in_transaction);
	if (db->call_limit_ms > 0)
		db->deadline_ms = own_ms() + db->call_limit_ms;
	enum err e = run_simple(db, write ? STMT_BEGIN_WRITE : STMT_BEGIN_READ, why);
	if (e != ERR_OK)
		return e;
	db->in_transaction = true;
	e = fn(ctx, why);
	for (int i = 0; i < STMT_COUNT; i++) /* one left in the middle would hold the snapshot beyond COMMIT, and keep checkpoints waiting */
		sqlite3_reset(db->statements[i]);
	if (e == ERR_OK)
		e = run_simple(db, STMT_COMMIT, why);
	/* A failed COMMIT may leave it open, or SQLite may have undone it by itself after an I/O error: only it knows. */
	if (!sqlite3_get_autocommit(db->handle)) {
		run_simple(db, STMT_ROLLBACK, NULL);
		if (!sqlite3_get_autocommit(db->handle)) /* preparing it failed for want of memory: without a statement then */
			sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	}
	db->in_transaction = false;
	db->deadline_ms = 0;
	return e;
}

const char *db_text(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);
	if (text == NULL || strlen(text) != (size_t)sqlite3_column_bytes(s, column))
		return "";
	return text;
}

const char *store_library_version(void)
{
	return sqlite3_libversion();
}
