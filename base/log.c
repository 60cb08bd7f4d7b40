/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

struct log {
	pthread_mutex_t     lock; /* guards all that follows it */
	int                 fd;
	uint64_t            lost; /* lines that could not be written */
	char               *path, *old_path;
	int64_t             max_bytes;
	enum log_level      least;
	const struct clock *clock;
};

/* O_NONBLOCK: opening a pipe that nobody reads must not wait. It means nothing for a regular file. */
static enum err open_file(const char *path, int *out, struct why *why)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return why_errno(why, errno, "cannot open log '%s'", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, ERR_USAGE, "cannot log to '%s': not a regular file", path);
	}
	*out = fd;
	return ERR_OK;
}

enum err log_open(const char *path, enum log_level least, int64_t max_bytes, const struct clock *clock, struct log **out, struct why *why)
{
	struct log *l = calloc(1, sizeof *l);
	if (l == NULL)
		return why_memory(why);
	l->least = least;
	l->max_bytes = max_bytes > 0 ? max_bytes : 8 << 20;
	l->clock = clock;
	l->path = strdup(path);
	enum err e = ERR_OK;
	if (l->path == NULL || asprintf(&l->old_path, "%s.1", path) < 0) {
		l->old_path = NULL;
		e = why_memory(why);
	}
	if (e == ERR_OK)
		e = open_file(path, &l->fd, why);
	if (e != ERR_OK) {
		free(l->path);
		free(l->old_path);
		free(l);
		return e;
	}
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return ERR_OK;
}

void log_close(struct log *l)
{
	if (l == NULL)
		return;
	close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l->path);
	free(l->old_path);
	free(l);
}

/* Begins a new file when this one has grown too large, or follows another process that has done so. On any failure it goes on with
 * the file it has. */
static void rotate(struct log *l)
{
	struct stat open_one, named;
	int fd;
	if (fstat(l->fd, &open_one) != 0)
		return;
	bool is_ours = lstat(l->path, &named) == 0 && named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
	if (is_ours && open_one.st_size < l->max_bytes)
		return;
	if (is_ours && rename(l->path, l->old_path) != 0)
		return;
	if (open_file(l->path, &fd, NULL) == ERR_OK) {
		close(l->fd);
		l->fd = fd;
	}
}

/* One write() a line: with O_APPEND, lines of several processes do not mix. */
static bool write_line(struct log *l, const char *line, size_t n)
{
	ssize_t written;
	do
		written = write(l->fd, line, n);
	while (written < 0 && errno == EINTR);
	return written == (ssize_t)n;
}

static void begin_line(struct log *l, struct buf *line, enum log_level level, const char *part)
{
	static const char *const names[] = { "debug", "info ", "warn ", "error" };
	char time[TIME_TEXT];
	int64_t now = clock_wall_ms(l->clock);
	format_time(now, time);
	/* Milliseconds always, so that the columns stand. */
	time[strcspn(time, ".Z")] = '\0';
	buf_printf(line, "%s.%03dZ %s %s: ", time, (int)(((now % 1000) + 1000) % 1000), names[level], part);
}

static void write_lost(struct log *l)
{
	struct buf line;
	buf_init(&line, 500);
	begin_line(l, &line, LEVEL_WARN, "log");
	buf_printf(&line, "%llu lines could not be written before this\n", (unsigned long long)l->lost);
	if (line.err == ERR_OK && write_line(l, line.data, line.len))
		l->lost = 0;
	buf_release(&line);
}

void log_put(struct log *l, enum log_level level, const char *part, const char *format, ...)
{
	if (l == NULL || level < l->least)
		return;
	char text[LOG_LINE_MAX];
	struct buf line;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_init(&line, (size_t)4 * LOG_LINE_MAX); /* a control byte becomes three bytes */
	begin_line(l, &line, level, part);
	if (n > 0)
		text_safe(&line, text, strlen(text));
	if (n >= LOG_LINE_MAX)
		buf_puts(&line, "\xe2\x80\xa6");
	buf_putc(&line, '\n');
	pthread_mutex_lock(&l->lock);
	rotate(l);
	if (l->lost > 0)
		write_lost(l);
	if (line.err != ERR_OK || !write_line(l, line.data, line.len))
		l->lost++;
	pthread_mutex_unlock(&l->lock);
	buf_release(&line);
}
