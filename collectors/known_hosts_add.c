/* SPDX-License-Identifier: Apache-2.0
 *
 * Adding a key. Where the file really lies is found out first (people link it into a folder of settings); from there on the folder is held
 * open and the file is opened in it without following anything. Other programs replace the file (ssh-keygen -R): the lock is good only if
 * the name still leads to what was locked. */
#include "collectors/known_hosts_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"

enum { LOCK_MS = 2000, LOCK_LOOK_MS = 20, REPLACED_MAX = 8, TEXT_MAX = 64 * 1024 };

struct target {
	const char *shown;          /* as the caller calls it */
	char        path[PATH_MAX]; /* without links */
	const char *base;           /* its last part */
	int         folder;         /* open, or -1 */
	int         fd;             /* open and locked, or -1 */
};

/* ---- where it lies ---- */

/* The folder of `file`, made when only its last part is missing. */
static enum err make_folder(const char *file, char folder[PATH_MAX], struct why *why)
{
	const char *slash = strrchr(file, '/');
	size_t      n = slash == NULL ? 1 : slash == file ? 1 : (size_t)(slash - file);
	if (n >= PATH_MAX || file[0] == '\0' || (slash != NULL && slash[1] == '\0'))
		return why_set(why, ERR_USAGE, "'%s' is no name of a file", file);
	memcpy(folder, slash == NULL ? "." : file, n);
	folder[n] = '\0';
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return why_errno(why, errno, "cannot make folder '%s'", folder);
	return ERR_OK;
}

static enum err resolve(struct target *t, struct why *why)
{
	char     folder[PATH_MAX], real[PATH_MAX];
	enum err e = make_folder(t->shown, folder, why);
	if (e != ERR_OK)
		return e;
	if (realpath(t->shown, t->path) == NULL) {
		if (errno != ENOENT)
			return why_errno(why, errno, "cannot look at '%s'", t->shown);
		const char *slash = strrchr(t->shown, '/');
		const char *base = slash != NULL ? slash + 1 : t->shown;
		if (realpath(folder, real) == NULL)
			return why_errno(why, errno, "cannot look at '%s'", folder);
		size_t n = strlen(real), n_base = strlen(base);
		if (n + 1 + n_base >= sizeof t->path)
			return why_set(why, ERR_LIMIT, "the name '%s' is too long", t->shown);
		memcpy(t->path, real, n);
		t->path[n] = '/';
		memcpy(t->path + n + 1, base, n_base + 1);
	}
	t->base = strrchr(t->path, '/') + 1;
	return ERR_OK;
}

static bool is_of_ours(const struct stat *st) { return st->st_uid == 0 || st->st_uid == geteuid(); }

static enum err refuse(const struct target *t, const char *place, struct why *why)
{
	return why_set(why, ERR_DENIED, "'%s' is not written to: '%s' belongs to another user or can be written by all (chmod o-w)", t->shown, place);
}

/* Nobody else may put another folder in the place of one of these: those that all can write must be sticky, as /tmp is. */
static enum err check_above(const struct target *t, struct why *why)
{
	char        folder[PATH_MAX];
	struct stat st;
	enum err    e = ERR_OK;
	memcpy(folder, t->path, sizeof folder);
	char *slash = strrchr(folder, '/');
	*slash = '\0'; /* the file's own folder is looked at when it is open */
	while (e == ERR_OK && (slash = strrchr(folder, '/')) != NULL) {
		slash[slash == folder] = '\0';
		if (stat(folder, &st) != 0)
			e = why_errno(why, errno, "cannot look at '%s'", folder);
		else if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
			e = refuse(t, folder, why);
		*slash = '\0';
	}
	return e;
}

static enum err open_folder(struct target *t, struct why *why)
{
	char        folder[PATH_MAX];
	struct stat st;
	size_t      n = (size_t)(t->base - t->path) - 1;
	memcpy(folder, t->path, n);
	folder[n] = '\0';
	const char *name = n > 0 ? folder : "/";
	t->folder = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->folder < 0 || fstat(t->folder, &st) != 0)
		return why_errno(why, errno, "cannot open folder '%s'", name);
	return (st.st_mode & S_IWOTH) != 0 || !is_of_ours(&st) ? refuse(t, name, why) : ERR_OK;
}

/* ---- the file ---- */

static enum err lock(const struct target *t, struct why *why)
{
	int64_t deadline_ms = clock_mono_ms(clock_system()) + LOCK_MS;
	while (flock(t->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return why_errno(why, errno, "cannot lock '%s'", t->shown);
		if (clock_mono_ms(clock_system()) >= deadline_ms)
			return why_set(why, ERR_TIMEOUT, "'%s' is locked by another program", t->shown);
		(void)poll(NULL, 0, LOCK_LOOK_MS);
	}
	return ERR_OK;
}

/* ERR_LATER: while we waited for the lock, another file took its place. */
static enum err open_locked(struct target *t, struct why *why)
{
	struct stat st, named;
	t->fd = openat(t->folder, t->base, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return why_errno(why, errno, "cannot open '%s' for writing", t->shown);
	if (fstat(t->fd, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", t->shown);
	if (!S_ISREG(st.st_mode))
		return why_set(why, ERR_UNSUPPORTED, "'%s' is not a regular file", t->shown);
	if ((st.st_mode & S_IWOTH) != 0 || !is_of_ours(&st))
		return refuse(t, t->path, why);
	enum err e = lock(t, why);
	if (e != ERR_OK)
		return e;
	bool is_there = fstatat(t->folder, t->base, &named, AT_SYMLINK_NOFOLLOW) == 0;
	if (is_there && named.st_dev == st.st_dev && named.st_ino == st.st_ino)
		return ERR_OK;
	close(t->fd);
	t->fd = -1;
	return why_set(why, ERR_LATER, "'%s' is being replaced all the time", t->shown);
}

static enum err target_open(struct target *t, struct why *why)
{
	enum err e = resolve(t, why);
	if (e == ERR_OK)
		e = check_above(t, why);
	if (e == ERR_OK)
		e = open_folder(t, why);
	if (e != ERR_OK)
		return e;
	for (int i = 0; i < REPLACED_MAX; i++) {
		e = open_locked(t, why);
		if (e != ERR_LATER)
			break;
	}
	return e;
}

static void target_close(struct target *t)
{
	if (t->fd >= 0)
		close(t->fd); /* and the lock goes with it */
	if (t->folder >= 0)
		close(t->folder);
}

/* ---- the line ---- */

static enum err write_hashed(const char *name, struct buf *to, struct why *why)
{
	unsigned char salt[KNOWN_HASH], hash[KNOWN_HASH];
	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		return why_errno(why, errno, "cannot get random bytes");
	EVP_MD_CTX *sha1 = known_hosts_sha1();
	enum err    e = sha1 != NULL ? known_hosts_hash(sha1, salt, name, hash) : ERR_MEMORY;
	EVP_MD_CTX_free(sha1);
	if (e != ERR_OK)
		return why_memory(why);
	buf_puts(to, "|1|");
	base64_encode(to, salt, sizeof salt);
	buf_putc(to, '|');
	return base64_encode(to, hash, sizeof hash) == ERR_OK ? ERR_OK : why_memory(why);
}

static enum err write_name(const char *name, bool hash_it, struct buf *to, struct why *why)
{
	char     low[KNOWN_NAME];
	enum err e = known_hosts_lower(name, low, why);
	if (e != ERR_OK)
		return e;
	/* "[host]:port" has brackets of its own; nothing else that means something in a file may be in a name */
	for (const char *c = low; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("@?*#|'\"\\,!", *c) != NULL)
			return why_set(why, ERR_USAGE, "the name of a host can't hold such characters");
	}
	if (hash_it)
		return write_hashed(low, to, why);
	return buf_puts(to, low) == ERR_OK ? ERR_OK : why_memory(why);
}

/* All or nothing: what a full disk left of the line is taken off again. */
static enum err append(const struct target *t, const struct buf *line, struct why *why)
{
	struct stat st;
	char        last = '\n';
	const char *text = line->data + 1; /* a line end stands before it for files that lack theirs */
	size_t      n = line->len - 1;
	if (fstat(t->fd, &st) != 0 || (st.st_size > 0 && pread(t->fd, &last, 1, st.st_size - 1) != 1))
		return why_errno(why, errno, "cannot read '%s'", t->shown);
	if (last != '\n') {
		text--;
		n++;
	}
	ssize_t written = write(t->fd, text, n);
	if (written == (ssize_t)n && fsync(t->fd) == 0)
		return ERR_OK;
	int error_number = written >= 0 && written != (ssize_t)n ? ENOSPC : errno;
	if (written > 0 && ftruncate(t->fd, st.st_size) != 0)
		return why_errno(why, error_number, "a part of a line may stand at the end of '%s'", t->shown);
	return why_errno(why, error_number, "cannot write to '%s'", t->shown);
}

static enum err add_locked(const struct target *t, const char *name, const struct key *k, const struct buf *line, struct why *why)
{
	enum host_key_verdict known;
	enum err              e = known_hosts_in_file(t->path, name, k, &known, why);
	if (e != ERR_OK)
		return e;
	if (known == HOST_KEY_REVOKED)
		return why_set(why, ERR_DENIED, "'%s' marks this key as revoked", t->shown);
	return known == HOST_KEY_OK ? ERR_OK : append(t, line, why);
}

enum err known_hosts_add(const char *file, const char *name, const void *blob, size_t n, bool hash_it, struct why *why)
{
	struct target t = { .shown = file, .folder = -1, .fd = -1 };
	struct buf    line;
	struct key    k;
	enum err      e = key_read(blob, n, NULL, &k, why);
	if (e != ERR_OK)
		return e;
	if (key_is_certificate(&k))
		return why_set(why, ERR_UNSUPPORTED, "a certificate does not go into '%s'", file);
	buf_init(&line, TEXT_MAX);
	buf_putc(&line, '\n');
	e = write_name(name, hash_it, &line, why);
	buf_printf(&line, " %s ", k.type);
	base64_encode(&line, blob, n);
	buf_putc(&line, '\n');
	if (e == ERR_OK && line.err != ERR_OK)
		e = why_set(why, line.err, "cannot make a line for '%s': %s", file, err_text(line.err));
	if (e == ERR_OK)
		e = target_open(&t, why);
	if (e == ERR_OK)
		e = add_locked(&t, name, &k, &line, why);
	target_close(&t);
	buf_release(&line);
	return e;
}
