/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder itself, and leaving a request in it. Who only may put something there can't list it, and so can't open it to have its names written to the disk: the
 * file is then synced once more under its new name, which takes the name with it on the file systems that have a journal. */
#include "alerts/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0640 }; /* the recorder reads by group where it is another user */

/* ---- the folder ---- */

enum err spool_path(const char *store, struct buf *to, struct why *why)
{
	char real[PATH_MAX];
	buf_puts(to, realpath(store, real) != NULL ? real : store);
	buf_puts(to, "-requests");
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "the path '%.200s...' is too long", store);
}

/* What the folder is to be like, by the one that the store is in. */
struct shape {
	mode_t mode;
	gid_t  group;
	uid_t  owner; /* of the store's folder */
	bool   is_open; /* the group may do everything */
};

static enum err shape_of(const char *path, struct shape *out, struct why *why)
{
	char parent[PATH_MAX];
	struct stat st;
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
	if (n >= sizeof parent)
		return why_set(why, ERR_LIMIT, "the path '%.200s...' is too long", path);
	memcpy(parent, slash == NULL ? "." : path, n);
	parent[n] = '\0';
	if (stat(parent, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", parent);
	*out = (struct shape){ .mode = 0700, .group = st.st_gid, .owner = st.st_uid };
	if ((st.st_mode & S_IWGRP) != 0) {
		out->mode = 02770;
		out->is_open = true;
	} else if ((st.st_mode & S_ISGID) != 0 && (st.st_mode & S_IXGRP) != 0) {
		out->mode = 03730;
	}
	return ERR_OK;
}

static enum err set_shape(int fd, const char *path, const struct stat *st, const struct shape *shape, struct why *why)
{
	bool is_shared = shape->mode != 0700;
	bool is_right = (st->st_mode & 07777) == shape->mode && (!is_shared || st->st_gid == shape->group);
	if (st->st_uid != geteuid() || is_right)
		return ERR_OK;
	if (is_shared && st->st_gid != shape->group && fchown(fd, (uid_t)-1, shape->group) != 0)
		return why_errno(why, errno, "cannot give '%s' to the group of its folder", path);
	if (fchmod(fd, shape->mode) != 0)
		return why_errno(why, errno, "cannot set the mode of '%s'", path);
	return ERR_OK;
}

static enum err check_folder(int fd, const char *path, const struct shape *shape, struct why *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", path);
	if (st.st_uid != geteuid() && st.st_uid != 0 && st.st_uid != shape->owner && !shape->is_open)
		return why_set(why, ERR_DENIED, "'%s' belongs to another user (uid %lu): remove it", path, (unsigned long)st.st_uid);
	return set_shape(fd, path, &st, shape, why);
}

static enum err open_folder(const char *path, int flags, int *fd, struct why *why)
{
	*fd = open(path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0)
		return ERR_OK;
	if (errno == ENOTDIR || errno == ELOOP)
		return why_set(why, ERR_UNSUPPORTED, "'%s' is no folder: remove it", path);
	return why_errno(why, errno, "cannot open the folder of requests '%s'", path);
}

enum err spool_folder_make(const char *store, int *folder, struct why *why)
{
	struct buf path;
	struct shape shape;
	int fd = -1;
	buf_init(&path, PATH_MAX);
	enum err e = spool_path(store, &path, why);
	if (e == ERR_OK)
		e = shape_of(buf_text(&path), &shape, why);
	if (e == ERR_OK && mkdir(buf_text(&path), 0700) != 0 && errno != EEXIST)
		e = why_errno(why, errno, "cannot make the folder of requests '%s'", buf_text(&path));
	if (e == ERR_OK)
		e = open_folder(buf_text(&path), O_RDONLY, &fd, why);
	if (e == ERR_OK)
		e = check_folder(fd, buf_text(&path), &shape, why);
	buf_release(&path);
	if (e == ERR_OK)
		*folder = fd;
	else if (fd >= 0)
		close(fd);
	return e;
}

/* ---- leaving one ---- */

static enum err refuse(const char *store, struct why *why)
{
	return why_set(why, ERR_DENIED, "you may not ask for anything here: the folder of requests beside '%s' is open to its owner and the store's group alone",
	               store);
}

/* Open so that files can be made in it by their names; it need not be readable. */
static enum err enter(const char *store, int *fd, struct why *why)
{
	struct buf path;
	struct stat st;
	buf_init(&path, PATH_MAX);
	enum err e = spool_path(store, &path, why);
	if (e == ERR_OK)
		e = open_folder(buf_text(&path), O_PATH, fd, why);
	buf_release(&path);
	if (e == ERR_DENIED)
		return refuse(store, why);
	if (e != ERR_NOT_FOUND)
		return e;
	if (stat(store, &st) != 0)
		return why_errno(why, errno, "there is no store '%s'", store);
	if (st.st_uid == geteuid()) /* ours: whoever records it next finds the folder */
		return spool_folder_make(store, fd, why);
	return why_set(why, ERR_NOT_FOUND, "'%s' takes no requests: its recorder has to be started (again), or is of an older version", store);
}

static enum err write_all(int fd, const char *text, size_t n, struct why *why)
{
	while (n > 0) {
		ssize_t done = write(fd, text, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return why_errno(why, errno, "cannot write the request");
		text += done;
		n -= (size_t)done;
	}
	return ERR_OK;
}

static enum err sync_names(int folder, int file, struct why *why)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done = fsync(fd >= 0 ? fd : file) == 0;
	enum err e = is_done ? ERR_OK : why_errno(why, errno, "cannot keep the request");
	if (fd >= 0)
		close(fd);
	return e;
}

static enum err leave(int folder, const char *store, const struct request *r, const struct buf *text, struct why *why)
{
	char fresh[REQUEST_ID + 1 + sizeof SPOOL_NEW], name[REQUEST_ID + sizeof SPOOL_SUFFIX];
	snprintf(fresh, sizeof fresh, ".%s%s", r->id, SPOOL_NEW);
	snprintf(name, sizeof name, "%s%s", r->id, SPOOL_SUFFIX);
	int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return errno == EACCES ? refuse(store, why) : why_errno(why, errno, "cannot leave a request");
	enum err e = fchmod(fd, FILE_MODE) == 0 ? ERR_OK : why_errno(why, errno, "cannot let the recorder read the request"); /* whatever the umask is */
	if (e == ERR_OK)
		e = write_all(fd, text->data, text->len, why);
	if (e == ERR_OK && fsync(fd) != 0)
		e = why_errno(why, errno, "cannot keep the request");
	if (e == ERR_OK && renameat(folder, fresh, folder, name) != 0)
		e = why_errno(why, errno, "cannot leave a request");
	if (e != ERR_OK)
		unlinkat(folder, fresh, 0);
	else
		e = sync_names(folder, fd, why);
	close(fd);
	return e;
}

enum err spool_put(const struct spool_way *w, const struct request *r, struct why *why)
{
	struct buf text;
	int folder = -1;
	if (w->refusal != NULL)
		return why_set(why, ERR_READ_ONLY, "nothing can be asked for: %s", w->refusal);
	buf_init(&text, 2 * REQUEST_BYTES_MAX);
	enum err e = request_write(r, &text, why);
	if (e == ERR_OK)
		e = enter(w->store, &folder, why);
	if (e == ERR_OK)
		e = leave(folder, w->store, r, &text, why);
	if (folder >= 0)
		close(folder);
	buf_release(&text);
	return e;
}

bool spool_is_waiting(const char *store, const char *id)
{
	struct buf path;
	struct stat st;
	buf_init(&path, PATH_MAX);
	bool is_there = request_is_id(id) && spool_path(store, &path, NULL) == ERR_OK;
	if (is_there) {
		buf_printf(&path, "/%s%s", id, SPOOL_SUFFIX);
		is_there = path.err == ERR_OK && lstat(buf_text(&path), &st) == 0;
	}
	buf_release(&path);
	return is_there;
}
