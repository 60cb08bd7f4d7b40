/* SPDX-License-Identifier: Apache-2.0
 *
 * A log beside a file is part of it, and reading it takes a third file that SQLite makes there. That is fine where the files are our own, and
 * costs nothing, however large the store is. With files of others it is not: the folder may not be writable, or a name beside the file a
 * link to somewhere else. Those are copied first. */
#include "store/stranger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/fs.h"

enum { PATH_BYTES = 16384, COPY_BYTES = 1 << 20, TRIES_MAX = 8, WAL_HEAD = 32 };
#define ROOM_LEFT (INT64_C(64) << 20) /* what a copy leaves free for others */
#define OPEN_LIMIT_MS (120 * 1000)    /* a quick_check reads all of a file */
#define CALL_LIMIT_MS (30 * 1000)

static bool name_of(char to[PATH_BYTES], const char *folder, const char *name)
{
	return (size_t)snprintf(to, PATH_BYTES, "%s%s", folder, name) < PATH_BYTES;
}

/* A regular file of this user, not a link. */
static bool is_ours(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

/* A missing -shm is made there: nobody else may be able to put a link in its place. */
static bool all_is_ours(const char *path)
{
	char side[PATH_BYTES];
	struct stat st;
	if (!is_ours(path) || !name_of(side, path, "-wal") || !is_ours(side) || !name_of(side, path, "-shm"))
		return false;
	if (lstat(side, &st) == 0)
		return S_ISREG(st.st_mode);
	name_of(side, path, "");
	char *slash = strrchr(side, '/');
	if (slash != NULL)
		slash[slash == side] = '\0';
	return stat(slash != NULL ? side : ".", &st) == 0 && st.st_uid == geteuid() && (st.st_mode & S_IWOTH) == 0;
}

/* ---- copying ---- */

/* The two files, open, and what they looked like when a copy of them began. */
struct original {
	const char *path;
	int         main, wal;
	struct stat st;
	char        head[WAL_HEAD];
};

static enum err open_part(const char *path, int *fd, struct stat *st, struct why *why)
{
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0)
		return errno == ELOOP ? why_set(why, ERR_DENIED, "'%s' is a link: name the file itself", path)
		                      : why_errno(why, errno, "cannot open '%s'", path);
	if (fstat(*fd, st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", path);
	return S_ISREG(st->st_mode) ? ERR_OK : why_set(why, ERR_CORRUPT, "'%s' is not a regular file", path);
}

static enum err open_original(struct original *o, const char *path, struct why *why)
{
	char side[PATH_BYTES];
	struct stat st;
	*o = (struct original){ .path = path, .main = -1, .wal = -1 };
	/* The file itself may be named through a link; what SQLite finds beside it stands beside the file that the link leads to. */
	char *real = realpath(path, NULL);
	if (real == NULL)
		return why_errno(why, errno, "cannot open '%s'", path);
	enum err e = name_of(side, real, "-wal") ? open_part(real, &o->main, &o->st, why)
	                                         : why_set(why, ERR_LIMIT, "'%.100s...' is too long a name", path);
	if (e == ERR_OK)
		e = open_part(side, &o->wal, &st, why);
	free(real);
	return e;
}

static void close_original(struct original *o)
{
	if (o->main >= 0)
		close(o->main);
	if (o->wal >= 0)
		close(o->wal);
}

static enum err copy_part(int from, const char *path, struct why *why)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	char *room = malloc(COPY_BYTES);
	ssize_t n = -1;
	enum err e = ERR_OK;
	if (to < 0)
		e = why_errno(why, errno, "cannot create '%s'", path);
	else if (room == NULL)
		e = why_memory(why);
	for (off_t at = 0; e == ERR_OK && (n = pread(from, room, COPY_BYTES, at)) > 0; at += n)
		for (ssize_t done = 0, m; done < n && e == ERR_OK; done += m) {
			m = write(to, room + done, (size_t)(n - done));
			if (m < 0)
				e = why_errno(why, errno, "cannot write '%s'", path);
		}
	if (e == ERR_OK && n < 0)
		e = why_errno(why, errno, "cannot read what is to be copied to '%s'", path);
	free(room);
	if (to >= 0)
		close(to);
	return e;
}

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

/* Whether the copy is one moment of the store. Somebody may be writing:
 *   1. commits only append to the log: a copy of it that ends in the middle of one ends, for SQLite, with the commit before
 *   2. a checkpoint writes to the main file: its time of change moves
 *   3. a log that begins anew gets another head (the salts in it), and does so only once all of it stands in the main file */
static bool is_one_moment(const struct original *o)
{
	struct stat now;
	char head[WAL_HEAD] = { 0 };
	return fstat(o->main, &now) == 0 && now.st_size == o->st.st_size && same_time(now.st_mtim, o->st.st_mtim) &&
	       same_time(now.st_ctim, o->st.st_ctim) && pread(o->wal, head, sizeof head, 0) >= 0 && memcmp(head, o->head, sizeof head) == 0;
}

static enum err check_room(const struct original *o, const char *folder, struct why *why)
{
	struct statvfs fs;
	struct stat wal;
	if (fstat(o->wal, &wal) != 0 || statvfs(folder, &fs) != 0)
		return why_errno(why, errno, "cannot look at '%s'", folder);
	int64_t needed = (int64_t)o->st.st_size + (int64_t)wal.st_size;
	if (needed < 0 || (uint64_t)needed + ROOM_LEFT > (uint64_t)fs.f_bavail * fs.f_frsize)
		return why_set(why, ERR_FULL, "'%s' has a log beside it and must be copied to be read, but '%s' has no room for %lld MiB: set TMPDIR to"
		               " a folder that has", o->path, folder, (long long)(needed >> 20) + 1);
	return ERR_OK;
}

/* Both files into `folder`, as x.db and its log. */
static enum err copy_original(struct original *o, const char *folder, const char *copy, struct why *why)
{
	char side[PATH_BYTES];
	if (!name_of(side, copy, "-wal"))
		return why_set(why, ERR_LIMIT, "'%.100s...' is too long a name", folder);
	for (int i = 0; i < TRIES_MAX; i++) {
		memset(o->head, 0, sizeof o->head);
		if (fstat(o->main, &o->st) != 0 || pread(o->wal, o->head, sizeof o->head, 0) < 0)
			return why_errno(why, errno, "cannot read '%s'", o->path);
		enum err e = check_room(o, folder, why);
		if (e == ERR_OK)
			e = copy_part(o->main, copy, why);
		if (e == ERR_OK)
			e = copy_part(o->wal, side, why);
		if (e != ERR_OK || is_one_moment(o))
			return e;
	}
	return why_set(why, ERR_LATER, "'%s' changes faster than it can be copied: make a bundle of it with pitwall export, as a user who may write to it",
	               o->path);
}

static void remove_folder(const char *folder, const char *copy)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[PATH_BYTES];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (name_of(name, copy, suffixes[i]))
			unlink(name);
	rmdir(folder);
}

static enum err private_folder(char to[PATH_BYTES], struct why *why)
{
	const char *base = getenv("TMPDIR");
	if (base == NULL || base[0] != '/')
		base = "/tmp";
	if (!name_of(to, base, "/pitwall-XXXXXX"))
		return why_set(why, ERR_LIMIT, "'%.100s...' is too long a name", base);
	return mkdtemp(to) != NULL ? ERR_OK : why_errno(why, errno, "cannot make a folder in '%s'", base); /* mode 0700 */
}

/* ---- opening ---- */

static enum err open_checked(struct db *db, const char *path, enum db_mode mode, struct why *why)
{
	enum err e = db_open(db, path, mode, why);
	if (e != ERR_OK)
		return e;
	e = db_check_version(db, why);
	if (e == ERR_OK)
		e = db_distrust(db, OPEN_LIMIT_MS, why);
	db_limit_calls(db, CALL_LIMIT_MS);
	if (e != ERR_OK)
		db_close(db);
	return e;
}

static enum err open_copy(struct db *db, const char *path, struct why *why)
{
	char folder[PATH_BYTES], copy[PATH_BYTES];
	struct original o;
	enum err e = open_original(&o, path, why);
	if (e == ERR_OK)
		e = private_folder(folder, why);
	if (e == ERR_OK) {
		e = name_of(copy, folder, "/x.db") ? copy_original(&o, folder, copy, why) : why_set(why, ERR_LIMIT, "'%.100s...' is too long", folder);
		if (e == ERR_OK)
			e = open_checked(db, copy, DB_READ, why);
		/* The checks have read it, so SQLite holds all three files open and needs no name any more: a crash leaves nothing behind. */
		remove_folder(folder, copy);
	}
	close_original(&o);
	return e == ERR_OK ? db_rename(db, path, why) : e;
}

enum err stranger_open(struct db *db, const char *path, struct why *why)
{
	if (fs_side_size(path, "-journal") > 0)
		return why_set(why, ERR_UNSUPPORTED, "'%s' has a rollback journal beside it: it was not closed, and only its owner can repair it", path);
	if (fs_side_size(path, "-wal") <= 0)
		return open_checked(db, path, DB_IMMUTABLE, why);
	if (all_is_ours(path)) {
		enum err e = open_checked(db, path, DB_READ, why);
		if (e != ERR_READ_ONLY && e != ERR_DENIED && e != ERR_IO) /* a file system that takes no -shm: a copy it is */
			return e;
	}
	return open_copy(db, path, why);
}
