/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: opening it safely, its prepared statements, its errors in our words, and transactions that cannot be left open. */
#ifndef PITWALL_STORE_DB_H
#define PITWALL_STORE_DB_H

#include "base/clock.h"
#include "base/err.h"
#include "store/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

struct db {
	struct sqlite3      *handle;
	char                *path;  /* owned; for messages */
	struct sqlite3_stmt *statements[STMT_COUNT];
	int                  version; /* once it was looked at */
	bool                 in_transaction;
	int64_t              call_limit_ms, deadline_ms; /* 0: none; the own clock */
};

enum db_mode {
	DB_WRITE,     /* read and write, made when missing */
	DB_READ,      /* a store that others may be writing to */
	DB_IMMUTABLE, /* a file that nobody writes to: nothing is made beside it */
};

/* Opens and hardens; looks at no table yet. */
enum err db_open(struct db *db, const char *path, enum db_mode mode, struct why *why);
void     db_close(struct db *db); /* safe on a zeroed one */

/* Whether it is a store, and of a version that we know: *version is 0 for an empty file. */
enum err db_identify(struct db *db, int *version, struct why *why);
/* Whether it is a store that can be read as it is, of any version that there ever was. */
enum err db_check_version(struct db *db, struct why *why);
/* Brings an empty or older store to SCHEMA_VERSION, one transaction a step. */
enum err db_migrate(struct db *db, int version, struct why *why);
/* Makes a file that was opened with DB_WRITE a store that can be recorded into: migrated, with its log, each commit synced. */
enum err db_prepare(struct db *db, struct why *why);
/* For a stranger's file: ceilings, an authorizer that lets nothing but reading pass, quick_check, and a schema that is ours word by word, all of it
 * within `limit_ms`. */
enum err db_distrust(struct db *db, int64_t limit_ms, struct why *why);

/* From now on a transaction may take this long, and then ends with ERR_TIMEOUT. `db` may not move after this. */
void db_limit_calls(struct db *db, int64_t limit_ms);
/* Messages name it so from now on. Closes it on failure. */
enum err db_rename(struct db *db, const char *path, struct why *why);

/* Calls fn in a transaction; commits when it gives ERR_OK, else undoes all. Not nested. */
enum err db_transact(struct db *db, bool write, enum err (*fn)(void *ctx, struct why *why), void *ctx, struct why *why);

/* The statement, prepared and without bindings; NULL on failure (db_error tells). */
struct sqlite3_stmt *db_statement(struct db *db, enum statement s);
/* Steps: ERR_OK a row, ERR_NOT_FOUND no more (the statement is reset then, and after errors). */
enum err db_step(struct db *db, struct sqlite3_stmt *s, struct why *why);
/* Steps one that yields no rows and resets it. */
enum err db_run(struct db *db, struct sqlite3_stmt *s, struct why *why);
/* The first column of a statement's one row. ERR_NOT_FOUND: it has none. */
enum err db_number(struct db *db, enum statement s, int64_t *out, struct why *why);
/* What the connection met last, as our error and a sentence. */
enum err db_error(struct db *db, struct why *why);
enum err db_corrupt(struct db *db, const char *what, struct why *why);

/* A text column, "" where it is NULL or holds a NUL byte (never written by us). Lent until the next step. */
const char *db_text(struct sqlite3_stmt *s, int column);

#endif
