/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder's side of the folder; spool_put.c has the other. A round reads names (going on where the last one ended, so that no number of names of one
 * user hides those of the others), looks at each without opening it, removes what can be no request, and gives the rest in the order of their names. What is
 * opened is looked at again through the descriptor: a name may lead elsewhere by then. */
#include "alerts/spool_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	USERS_MAX = 256,     /* counted one by one; the others share a count */
	LOOK_MOST_MS = 1000, /* the folder is listed this often though nothing is heard of it: a lease ends, a half becomes old */
};

struct spool {
	int     folder; /* open */
	int     heard;  /* inotify: what comes into the folder; -1: it is listed each time */
	DIR    *names;  /* where the last round ended */
	bool    is_behind; /* that one left something to the next one */
	int64_t looked_ms; /* monotonic: when it began; 0: none was */
	bool    has_told_stuck, has_met_stuck; /* of things that can't be removed, once each time that they appear */
	size_t  n_given;
	char    given[SPOOL_ROUND_MAX][REQUEST_ID]; /* ids that the caller has and has not removed */
};

/* -1 where a user has no more of them, or no /proc: the folder is listed instead. */
static int hear(int folder)
{
	char path[32];
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
	if (fd >= 0 && inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum err spool_open(const char *store, struct spool **out, struct why *why)
{
	struct spool *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	enum err e = spool_folder_make(store, &s->folder, why);
	int again = e == ERR_OK ? fcntl(s->folder, F_DUPFD_CLOEXEC, 0) : -1;
	s->names = again >= 0 ? fdopendir(again) : NULL;
	if (e == ERR_OK && s->names == NULL) {
		e = why_errno(why, errno, "cannot list the folder of requests beside '%s'", store);
		if (again >= 0)
			close(again);
		close(s->folder);
	}
	if (e == ERR_OK) {
		s->heard = hear(s->folder);
		*out = s;
	} else {
		free(s);
	}
	return e;
}

void spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->heard >= 0)
		close(s->heard);
	closedir(s->names);
	close(s->folder);
	free(s);
}

bool spool_has_news(struct spool *s)
{
	char events[4096];
	if (s->heard < 0 || s->is_behind || s->looked_ms == 0 || clock_mono_ms(clock_system()) - s->looked_ms >= LOOK_MOST_MS)
		return true;
	return read(s->heard, events, sizeof events) > 0; /* what is left is heard the next time: one round too many */
}

/* ---- a round ---- */

struct candidate {
	char id[REQUEST_ID];
};

struct tally {
	uint32_t uid;
	size_t   n_files, n_given;
	bool     is_told;
};

struct round {
	struct spool             *s;
	const struct spool_calls *calls;
	struct candidate         *items;
	size_t                    n;
	struct tally              users[USERS_MAX + 1];
	size_t                    n_users;
	size_t                    n_told, n_untold;
	int64_t                   now_ms;
	struct why               *why;
};

static void tell(struct round *r, const char *name, const char *text)
{
	struct buf line;
	if (r->calls->told == NULL)
		return;
	if (r->n_told >= SPOOL_TOLD_MAX) {
		r->n_untold++;
		return;
	}
	r->n_told++;
	buf_init(&line, 4096);
	buf_putc(&line, '\'');
	text_escape(&line, name, strlen(name) < 80 ? strlen(name) : 80);
	buf_printf(&line, "' among the requests %s", text);
	if (line.err == ERR_OK)
		r->calls->told(r->calls->ctx, buf_text(&line));
	buf_release(&line);
}

static struct tally *tally_of(struct round *r, uint32_t uid)
{
	for (size_t i = 0; i < r->n_users; i++)
		if (r->users[i].uid == uid)
			return &r->users[i];
	if (r->n_users == USERS_MAX)
		return &r->users[USERS_MAX];
	r->users[r->n_users] = (struct tally){ .uid = uid };
	return &r->users[r->n_users++];
}

/* Removes what can be no request, and says so. A folder with something in it stays: only its owner can empty it. */
static void drop(struct round *r, const char *name, unsigned char type, const char *text)
{
	if (unlinkat(r->s->folder, name, type == DT_DIR ? AT_REMOVEDIR : 0) == 0) {
		tell(r, name, text);
		return;
	}
	if (errno == ENOENT)
		return;
	r->s->has_met_stuck = true;
	if (!r->s->has_told_stuck)
		tell(r, name, type == DT_DIR ? "is a folder, which cannot be removed: its owner has to" : "cannot be removed");
	r->s->has_told_stuck = true;
}

static bool is_given(const struct spool *s, const char *id)
{
	for (size_t i = 0; i < s->n_given; i++)
		if (strcmp(s->given[i], id) == 0)
			return true;
	return false;
}

static bool is_temporary(const char *name)
{
	char id[REQUEST_ID];
	size_t n = strlen(name);
	if (n != 1 + REQUEST_ID - 1 + sizeof SPOOL_NEW - 1 || name[0] != '.' || strcmp(name + REQUEST_ID, SPOOL_NEW) != 0)
		return false;
	memcpy(id, name + 1, REQUEST_ID - 1);
	id[REQUEST_ID - 1] = '\0';
	return request_is_id(id);
}

/* A writer that died leaves its half; one with a time to come was made to stay. */
static void look_at_temporary(struct round *r, const char *name, const struct stat *st)
{
	int64_t age_ms = r->now_ms - (int64_t)st->st_mtim.tv_sec * 1000;
	if (age_ms > SPOOL_UNFINISHED_MS || age_ms < -SPOOL_UNFINISHED_MS)
		drop(r, name, DT_REG, "was never finished and is removed");
}

static const char *what_is_wrong(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is no file and is removed";
	if (st->st_nlink != 1)
		return "has another name elsewhere and is removed: whose request it is cannot be told";
	return st->st_size > REQUEST_BYTES_MAX ? "is too large for a request and is removed" : NULL;
}

/* True: there are too many of this user. */
static bool is_too_many(struct round *r, const char *name, uint32_t uid)
{
	struct tally *t = tally_of(r, uid);
	if (++t->n_files <= SPOOL_USER_MAX)
		return false;
	if (unlinkat(r->s->folder, name, 0) == 0 && !t->is_told) {
		char text[160];
		snprintf(text, sizeof text, "and others are removed: uid %lu has left more than %d", (unsigned long)uid, SPOOL_USER_MAX);
		t->is_told = true;
		tell(r, name, text);
	}
	return true;
}

static bool is_of_a_request(const char *name, char id[REQUEST_ID])
{
	if (strlen(name) != REQUEST_ID - 1 + sizeof SPOOL_SUFFIX - 1 || strcmp(name + REQUEST_ID - 1, SPOOL_SUFFIX) != 0)
		return false;
	memcpy(id, name, REQUEST_ID - 1);
	id[REQUEST_ID - 1] = '\0';
	return request_is_id(id);
}

static void look_at(struct round *r, const struct dirent *entry)
{
	const char *name = entry->d_name;
	char id[REQUEST_ID];
	struct stat st;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	bool is_request = is_of_a_request(name, id);
	if (is_request && is_given(r->s, id))
		return;
	if (entry->d_type == DT_DIR) { /* not even looked at: something may be mounted on it */
		drop(r, name, DT_DIR, "is a folder and is removed");
		return;
	}
	if (fstatat(r->s->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	unsigned char type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	const char *wrong = what_is_wrong(&st);
	if (wrong == NULL && !is_request && !is_temporary(name))
		wrong = "is no request and is removed";
	if (wrong != NULL)
		drop(r, name, type, wrong);
	else if (is_too_many(r, name, st.st_uid))
		return;
	else if (!is_request)
		look_at_temporary(r, name, &st);
	else
		memcpy(r->items[r->n++].id, id, REQUEST_ID);
}

static enum err read_names(struct round *r)
{
	for (size_t i = 0; i < SPOOL_NAMES_MAX; i++) {
		errno = 0;
		const struct dirent *entry = readdir(r->s->names);
		if (entry == NULL && errno != 0)
			return why_errno(r->why, errno, "cannot list the requests");
		if (entry == NULL) { /* all seen: begin anew the next time */
			rewinddir(r->s->names);
			r->s->has_told_stuck = r->s->has_told_stuck && r->s->has_met_stuck;
			r->s->has_met_stuck = false;
			return ERR_OK;
		}
		look_at(r, entry);
	}
	r->s->is_behind = true;
	return ERR_OK;
}

/* ---- reading one ---- */

static enum err read_bytes(int fd, struct buf *to, struct why *why)
{
	while (to->len <= REQUEST_BYTES_MAX) {
		char *room = buf_room(to, 4096);
		if (room == NULL)
			return why_memory(why);
		ssize_t n = read(fd, room, 4096);
		if (n < 0 && errno != EINTR)
			return why_errno(why, errno, "the request cannot be read");
		if (n == 0)
			return ERR_OK;
		to->len += n > 0 ? (size_t)n : 0;
	}
	return why_set(why, ERR_LIMIT, "the request is larger than %d bytes", REQUEST_BYTES_MAX);
}

/* Gives it to the caller, unless its user had enough this time. */
static enum err give(struct round *r, const char *id, uint32_t uid, int fd)
{
	struct tally *t = tally_of(r, uid);
	struct request *request = NULL;
	struct why why = { "" };
	struct buf text;
	if (t->n_given == SPOOL_USER_ROUND_MAX) {
		r->s->is_behind = true;
		return ERR_OK;
	}
	buf_init(&text, REQUEST_BYTES_MAX + 8192);
	enum err e = read_bytes(fd, &text, &why);
	if (e == ERR_OK)
		e = request_read(buf_text(&text), text.len, id, &request, &why);
	buf_release(&text);
	if (e == ERR_MEMORY)
		return why_set(r->why, e, "%s", why.text);
	const struct spool_item item = { .id = id, .uid = uid, .request = request, .err = e, .text = why.text };
	e = r->calls->request(r->calls->ctx, &item);
	request_free(request);
	if (e != ERR_OK)
		return e;
	t->n_given++;
	assert(r->s->n_given < SPOOL_ROUND_MAX);
	memcpy(r->s->given[r->s->n_given++], id, REQUEST_ID);
	return ERR_OK;
}

static enum err open_and_give(struct round *r, const char *id)
{
	char name[REQUEST_ID + sizeof SPOOL_SUFFIX];
	struct stat st;
	enum err e = ERR_OK;
	snprintf(name, sizeof name, "%s%s", id, SPOOL_SUFFIX);
	int fd = openat(r->s->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == EWOULDBLOCK)) /* gone; or its owner holds a lease on it: the next time */
		return ERR_OK;
	if (fd < 0) {
		drop(r, name, DT_REG, "cannot be read and is removed");
		return ERR_OK;
	}
	const char *wrong = fstat(fd, &st) == 0 ? what_is_wrong(&st) : "cannot be looked at and is removed";
	if (wrong != NULL)
		drop(r, name, S_ISDIR(st.st_mode) ? DT_DIR : DT_REG, wrong);
	else
		e = give(r, id, st.st_uid, fd);
	close(fd);
	return e;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->id, ((const struct candidate *)b)->id);
}

static int64_t wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t); /* as the file system has it */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum err spool_round(struct spool *s, const struct spool_calls *calls, struct why *why)
{
	struct round *r = calloc(1, sizeof *r);
	struct candidate *items = malloc(SPOOL_NAMES_MAX * sizeof *items); /* not zeroed: most rounds find nothing */
	enum err e = r != NULL && items != NULL ? ERR_OK : why_memory(why);
	if (e == ERR_OK) {
		*r = (struct round){ .s = s, .calls = calls, .items = items, .now_ms = wall_ms(), .why = why };
		s->looked_ms = clock_mono_ms(clock_system());
		s->is_behind = false;
		e = read_names(r);
	}
	if (e == ERR_OK && r->n > 1)
		qsort(items, r->n, sizeof *items, by_name);
	for (size_t i = 0; e == ERR_OK && i < r->n && s->n_given < SPOOL_ROUND_MAX; i++)
		e = open_and_give(r, items[i].id);
	s->is_behind |= e != ERR_OK || s->n_given == SPOOL_ROUND_MAX;
	if (r != NULL && r->n_untold > 0 && calls->told != NULL) {
		char text[100];
		snprintf(text, sizeof text, "%zu more files that are no requests", r->n_untold);
		calls->told(calls->ctx, text);
	}
	free(items);
	free(r);
	return e;
}

/* ---- done ---- */

void spool_again(struct spool *s, const char *id)
{
	for (size_t i = 0; i < s->n_given; i++) {
		if (strcmp(s->given[i], id) == 0) {
			memmove(s->given[i], s->given[--s->n_given], REQUEST_ID);
			s->is_behind = true;
			return;
		}
	}
}

enum err spool_remove(struct spool *s, const char *id, struct why *why)
{
	char name[REQUEST_ID + sizeof SPOOL_SUFFIX];
	assert(request_is_id(id));
	snprintf(name, sizeof name, "%s%s", id, SPOOL_SUFFIX);
	if (unlinkat(s->folder, name, 0) != 0 && errno != ENOENT)
		return why_errno(why, errno, "the request '%s' is done and cannot be removed", id);
	spool_again(s, id); /* a file of that name would be another one */
	return ERR_OK;
}
