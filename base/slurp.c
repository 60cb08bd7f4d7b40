/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 32 * 1024 };

static enum err read_all(int fd, const char *path, size_t max, struct buf *to, struct why *why)
{
	size_t start = to->len;
	for (;;) {
		char *room = buf_room(to, PIECE);
		if (room == NULL)
			return to->err == ERR_MEMORY ? why_memory(why) : why_set(why, ERR_LIMIT, "'%s' is too large", path);
		ssize_t n = read(fd, room, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_errno(why, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		to->len += (size_t)n;
		if (to->len - start > max)
			return why_set(why, ERR_LIMIT, "'%s' is too large (more than %zu bytes)", path, max);
	}
	to->data[to->len] = '\0';
	return ERR_OK;
}

enum err slurp(const char *path, size_t max, struct buf *to, struct stat *st, struct why *why)
{
	struct stat seen;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return why_errno(why, errno, "cannot open '%s'", path);
	enum err e;
	if (fstat(fd, &seen) != 0)
		e = why_errno(why, errno, "cannot look at '%s'", path);
	else if (!S_ISREG(seen.st_mode))
		e = why_set(why, ERR_UNSUPPORTED, "'%s' is not a regular file", path);
	else
		e = read_all(fd, path, max, to, why);
	close(fd);
	if (e == ERR_OK && st != NULL)
		*st = seen;
	return e;
}
