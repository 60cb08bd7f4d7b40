/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lease.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/num.h"

enum { PLACE_SIZE = 128, HOST_SIZE = 256, STAT_SIZE = 1024 };

static bool read_small(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, to, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	to[n] = '\0';
	return true;
}

/* This boot and this process namespace: within it a process id and its start time name one process for ever. "" where it is not known. */
static void place_here(char to[PLACE_SIZE])
{
	char boot[64], space[32];
	to[0] = '\0';
	if (!read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
		return;
	boot[strcspn(boot, "\n")] = '\0';
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
	if (n <= 0)
		return;
	space[n] = '\0';
	snprintf(to, PLACE_SIZE, "%s %s", boot, space);
}

/* Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold anything, so count from its last ')'. 0: no such process, or it has
 * ended and only waits to be reaped; -1: unknown. */
static int64_t process_start(int64_t pid)
{
	char path[64], stat[STAT_SIZE];
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	if (access("/proc/self/stat", R_OK) != 0)
		return -1;
	if (!read_small(path, stat, sizeof stat))
		return access(path, F_OK) != 0 ? 0 : -1;
	char *p = strrchr(stat, ')');
	if (p == NULL || p[1] != ' ')
		return -1;
	if (p[2] == 'Z' || p[2] == 'X')
		return 0;
	for (int field = 2; field < 22 && p != NULL; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL)
		return -1;
	p++;
	p[strcspn(p, " \n")] = '\0';
	int64_t start;
	return parse_i64(p, 0, INT64_MAX, &start) == ERR_OK ? start : -1;
}

/* Whether the holder is a process of this machine that has surely ended. */
static bool holder_is_gone(const char *place, int64_t pid, int64_t started)
{
	char here[PLACE_SIZE];
	place_here(here);
	if (here[0] == '\0' || strcmp(here, place) != 0 || started <= 0)
		return false;
	int64_t now = process_start(pid);
	return now >= 0 && now != started;
}

/* A lease that ends later than any lease taken now could was written by a clock that has been set back since: its holder, if it lives, writes
 * a believable one within LEASE_RENEW_MS, and loses nothing but the lease if we come first. */
static bool runs(int64_t expires_ms, int64_t now_ms)
{
	return expires_ms > now_ms && expires_ms <= now_ms + 2 * LEASE_MS;
}

static enum err refuse_if_held(struct db *db, int64_t now_ms, int64_t *lost_ms, struct why *why)
{
	sqlite3_stmt *s = db_statement(db, STMT_LEASE);
	enum err e = s == NULL ? db_error(db, why) : db_step(db, s, why);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	int64_t pid = sqlite3_column_int64(s, 1), since_ms = sqlite3_column_int64(s, 5);
	*lost_ms = sqlite3_column_int64(s, 6) - LEASE_MS;
	if (runs(sqlite3_column_int64(s, 6), now_ms) && !holder_is_gone(db_text(s, 2), pid, sqlite3_column_int64(s, 3))) {
		char since[TIME_TEXT];
		e = why_set(why, ERR_LATER, "store '%s' is being recorded by process %lld on '%.100s' since %s", db->path, (long long)pid,
		            db_text(s, 0), format_time(since_ms, since));
	}
	sqlite3_reset(s);
	return e;
}

enum err lease_take(struct db *db, struct lease *l, int64_t now_ms, struct why *why)
{
	int64_t lost_ms = 0;
	enum err e = refuse_if_held(db, now_ms, &lost_ms, why);
	if (e != ERR_OK)
		return e;
	struct lease mine = { .since_ms = now_ms, .lost_ms = lost_ms };
	if (getrandom(mine.token, sizeof mine.token, 0) != (ssize_t)sizeof mine.token)
		return why_set(why, ERR_IO, "no random numbers from the system");
	char host[HOST_SIZE] = "", place[PLACE_SIZE];
	gethostname(host, sizeof host - 1);
	place_here(place);
	int64_t started = process_start(getpid());
	sqlite3_stmt *s = db_statement(db, STMT_LEASE_TAKE);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_text(s, 1, host, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, getpid());
	sqlite3_bind_text(s, 3, place, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 4, started > 0 ? started : 0);
	sqlite3_bind_blob(s, 5, mine.token, sizeof mine.token, SQLITE_STATIC);
	sqlite3_bind_int64(s, 6, now_ms);
	sqlite3_bind_int64(s, 7, now_ms + LEASE_MS);
	e = db_run(db, s, why);
	if (e == ERR_OK)
		*l = mine;
	return e;
}

static enum err with_token(struct db *db, enum statement which, const struct lease *l, int64_t expires_ms, struct sqlite3_stmt **out,
                           struct why *why)
{
	sqlite3_stmt *s = db_statement(db, which);
	if (s == NULL)
		return db_error(db, why);
	sqlite3_bind_blob(s, 1, l->token, sizeof l->token, SQLITE_STATIC);
	if (which == STMT_LEASE_RENEW)
		sqlite3_bind_int64(s, 2, expires_ms);
	*out = s;
	return ERR_OK;
}

enum err lease_check(struct db *db, const struct lease *l, struct why *why)
{
	sqlite3_stmt *s = NULL;
	enum err e = with_token(db, STMT_LEASE_MINE, l, 0, &s, why);
	if (e == ERR_OK)
		e = db_step(db, s, why);
	if (e == ERR_NOT_FOUND)
		return why_set(why, ERR_LATER, "another recorder took store '%s' over", db->path);
	if (e == ERR_OK)
		sqlite3_reset(s);
	return e;
}

enum err lease_renew(struct db *db, const struct lease *l, int64_t now_ms, struct why *why)
{
	sqlite3_stmt *s = NULL;
	enum err e = with_token(db, STMT_LEASE_RENEW, l, now_ms + LEASE_MS, &s, why);
	return e == ERR_OK ? db_run(db, s, why) : e;
}

enum err lease_give(struct db *db, const struct lease *l, struct why *why)
{
	sqlite3_stmt *s = NULL;
	enum err e = with_token(db, STMT_LEASE_GIVE, l, 0, &s, why);
	return e == ERR_OK ? db_run(db, s, why) : e;
}
