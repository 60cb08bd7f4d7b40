/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor --store: whether the store, alone or shared by a group, is as it should be, and what to do where it is not. */
#include "app/team_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "app/asking.h"
#include "app/cli.h"
#include "app/doctor_host.h"
#include "app/paths.h"
#include "base/account.h"
#include "base/clock.h"
#include "base/num.h"
#include "config/roles.h"
#include "store/fs.h"
#include "store/reader.h"
#include "store/verify.h"

enum { LATE_MS = 60 * 1000 }; /* a request that waits longer while somebody records */

struct look {
	const char *store;
	struct stat folder, file;
	bool        is_there, is_team, is_recorded, is_deep;
	int         problems;
	char        group[ACCOUNT_NAME], owner[ACCOUNT_NAME];
};

#define good(what, ...)   doctor_say(true, (what), __VA_ARGS__)
#define bad(l, what, ...) ((l)->problems++, doctor_say(false, (what), __VA_ARGS__))

/* ---- folder and files ---- */

static void name_group(gid_t gid, char to[ACCOUNT_NAME])
{
	const struct group *g = getgrgid(gid); /* one thread runs here */
	if (g != NULL && account_is_name(g->gr_name))
		snprintf(to, ACCOUNT_NAME, "%s", g->gr_name);
	else
		snprintf(to, ACCOUNT_NAME, "%lu", (unsigned long)gid);
}

static bool look_at_folder(struct look *l)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(l->store, '/');
	struct why why;
	snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : slash == l->store ? 1 : (int)(slash - l->store), slash == NULL ? "." : l->store);
	if (stat(folder, &l->folder) != 0 && errno == ENOENT) {
		good("folder", "'%s' is not there yet: 'pitwall record' makes it, for you alone; 'pitwall store setup' one for a group", folder);
		return false;
	}
	if (stat(folder, &l->folder) != 0) {
		bad(l, "folder", "'%s': %s", folder, strerrordesc_np(errno));
		return false;
	}
	l->is_team = (l->folder.st_mode & S_ISGID) != 0 && (l->folder.st_mode & S_IXGRP) != 0;
	name_group(l->folder.st_gid, l->group);
	account_name(l->folder.st_uid, l->owner);
	mode_t mode = l->folder.st_mode & 07777;
	good("folder", "'%s', mode %04o, of %s:%s%s", folder, (unsigned)mode, l->owner, l->group, l->is_team ? ", a team's" : "");
	if ((mode & S_IWOTH) != 0)
		bad(l, "folder", "everybody may put files there: chmod o-w '%s'", folder);
	if ((mode & S_IWGRP) != 0)
		bad(l, "folder", "its group may change what was recorded; for members that can ask and not change: pitwall store setup --group %s --dir '%s'", l->group,
		    folder);
	if (fs_check(l->store, NULL, &why) != ERR_OK)
		bad(l, "folder", "%s", why.text);
	return true;
}

static void look_at_file(struct look *l, const char *end, const char *what)
{
	char path[PATH_BYTES + 8];
	struct stat st;
	snprintf(path, sizeof path, "%s%s", l->store, end);
	if (lstat(path, &st) != 0)
		return;
	if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
		return;
	mode_t mode = st.st_mode & 07777;
	char owner[ACCOUNT_NAME], group[ACCOUNT_NAME];
	account_name(st.st_uid, owner);
	name_group(st.st_gid, group);
	good(what, "mode %04o, of %s:%s", (unsigned)mode, owner, group);
	if ((mode & S_IWOTH) != 0)
		bad(l, what, "everybody may change it: chmod o-w '%s'", path);
	if ((mode & S_IROTH) != 0)
		bad(l, what, "everybody may read it: chmod o-r '%s'", path);
	if (l->is_team && (mode & S_IRGRP) == 0)
		bad(l, what, "members of %s cannot read it: chmod g+r '%s', and record with umask 0027", l->group, path);
	if (l->is_team && (mode & S_IWGRP) != 0)
		bad(l, what, "members of %s may change it: chmod g-w '%s'", l->group, path);
	if (l->is_team && st.st_gid != l->folder.st_gid)
		bad(l, what, "it belongs to another group than its folder: chgrp %s '%s'", l->group, path);
	if (st.st_uid != l->folder.st_uid)
		bad(l, what, "it belongs to another user than its folder: chown %s '%s'", l->owner, path);
}

/* ---- what it holds ---- */

static void on_problem(void *ctx, const char *text)
{
	bad((struct look *)ctx, "content", "%s", text);
}

static void look_into(struct look *l, struct reader *r)
{
	const struct verify_options o = { .is_deep = l->is_deep, .problem = on_problem, .ctx = l };
	struct verify_counts n;
	struct why why = { "" };
	enum err e = store_verify(r, &o, &n, &why);
	if (e != ERR_OK && n.problems == 0)
		bad(l, "content", "%s", why.text);
	if (n.problems > VERIFY_TOLD_MAX)
		bad(l, "content", "%lld more problems like these", (long long)n.problems - VERIFY_TOLD_MAX);
	if (e != ERR_OK || n.problems > 0)
		good("content", "what can be read of it can be copied: pitwall export --store '%s' --output FILE", l->store);
	else if (l->is_deep)
		good("content", "every page, %lld frames and %lld blocks with %lld samples, %lld rollups, %lld rows of the audit: good",
		     (long long)n.frames, (long long)n.blocks, (long long)n.samples, (long long)n.rollups, (long long)n.audit_rows);
	else
		good("content", "%lld layouts, the newest frames of %lld tracks, %lld rows of the audit: good; --deep looks at all", (long long)n.layouts,
		     (long long)n.tracks, (long long)n.audit_rows);
}

static void look_at_store(struct look *l)
{
	struct reader *r = NULL;
	struct why why = { "" };
	l->is_there = stat(l->store, &l->file) == 0;
	if (!l->is_there) {
		good("store", "'%s' is not there yet: 'pitwall record' makes it", l->store);
		return;
	}
	look_at_file(l, "", "store");
	look_at_file(l, "-wal", "log");
	look_at_file(l, "-shm", "log's index");
	enum err e = reader_open(l->store, READER_OWN, &r, &why);
	struct lease_info lease;
	if (e != ERR_OK) {
		bad(l, "reading", "%s", why.text);
	} else if (reader_lease(r, clock_wall_ms(clock_system()), &lease, &why) == ERR_OK) {
		char since[TIME_TEXT];
		l->is_recorded = true;
		good("recorder", "process %lld on %s, since %s", (long long)lease.pid, lease.host, format_time(lease.since_ms / 1000 * 1000, since));
	} else {
		good("recorder", "none: what is asked is kept until one runs");
	}
	if (r != NULL)
		look_into(l, r);
	reader_close(r);
}

/* ---- requests ---- */

/* How long the oldest request waits; only whoever may list them knows. */
static void look_at_waiting(struct look *l, const char *path)
{
	DIR *d = opendir(path);
	struct stat st;
	size_t n = 0;
	int64_t oldest = INT64_MAX;
	char age[DURATION_TEXT];
	if (d == NULL)
		return;
	for (const struct dirent *entry; n < SPOOL_NAMES_MAX && (entry = readdir(d)) != NULL;) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		n++;
		oldest = st.st_mtim.tv_sec < oldest ? st.st_mtim.tv_sec : oldest;
	}
	closedir(d);
	if (n == 0)
		return;
	int64_t waits_ms = ((int64_t)time(NULL) - oldest) * 1000;
	if (l->is_recorded && waits_ms > LATE_MS)
		bad(l, "requests", "%zu wait, the oldest for %s, though somebody records: see the recorder's log", n, format_age(waits_ms, age));
	else
		good("requests", "%zu wait, the oldest for %s", n, format_age(waits_ms, age));
}

static void look_at_requests(struct look *l)
{
	struct buf path;
	struct stat st;
	char owner[ACCOUNT_NAME], group[ACCOUNT_NAME];
	buf_init(&path, PATH_BYTES);
	if (spool_path(l->store, &path, NULL) != ERR_OK)
		goto out;
	const char *folder = buf_text(&path);
	if (lstat(folder, &st) != 0) {
		if (l->is_there)
			bad(l, "requests", "'%s' is not there: nothing can be asked for until a recorder was started (again)", folder);
		goto out;
	}
	mode_t mode = st.st_mode & 07777, want = (l->folder.st_mode & S_IWGRP) != 0 ? 02770 : l->is_team ? TEAM_REQUESTS_MODE : 0700;
	account_name(st.st_uid, owner);
	name_group(st.st_gid, group);
	good("requests", "'%s', mode %04o, of %s:%s", folder, (unsigned)mode, owner, group);
	if (!S_ISDIR(st.st_mode))
		bad(l, "requests", "'%s' is no folder: remove it", folder);
	else if (mode != want)
		bad(l, "requests", "the mode should be %04o: chmod %04o '%s'", (unsigned)want, (unsigned)want, folder);
	if (l->is_team && st.st_gid != l->folder.st_gid)
		bad(l, "requests", "it belongs to another group than the store: chgrp %s '%s'", l->group, folder);
	if (st.st_uid != l->folder.st_uid)
		bad(l, "requests", "it belongs to another user than the store: chown %s '%s'", l->owner, folder);
	look_at_waiting(l, folder);
out:
	buf_release(&path);
}

/* ---- people ---- */

static bool is_in_group(const struct account *a, const char *group)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (strcmp(a->groups[i], group) == 0)
			return true;
	return false;
}

/* The recorder reads what members leave by the group. */
static void look_at_owner(struct look *l)
{
	struct account owner;
	if (!l->is_team || l->folder.st_uid == 0 || account_find(l->folder.st_uid, &owner, NULL) != ERR_OK)
		return;
	if (!is_in_group(&owner, l->group))
		bad(l, "owner", "%s is not in the group %s, and cannot read what its members ask: usermod -aG %s %s", owner.name, l->group, l->group, owner.name);
	account_release(&owner);
}

static void look_at_you(struct look *l, const struct roles *roles)
{
	struct account me;
	struct person person;
	struct why why;
	person_here(&person);
	if (account_find(geteuid(), &me, NULL) != ERR_OK)
		return;
	bool is_owner = me.uid == l->folder.st_uid;
	good("you", "%s%s%s%s%s, %s", person.login, strcmp(person.login, person.account) != 0 ? " as " : "",
	     strcmp(person.login, person.account) != 0 ? person.account : "", person.origin[0] != '\0' ? " from " : "", person.origin,
	     rank_name(roles_rank(roles, &me, (uint32_t)l->folder.st_uid)));
	if (roles_is_shared(roles, person.login))
		good("", "several people use this account: --as NAME says who");
	if (l->is_team && !is_owner && me.uid != 0 && !is_in_group(&me, l->group))
		bad(l, "you", "not in the group %s: you can neither read nor ask; root can add you with: usermod -aG %s %s", l->group, l->group, me.name);
	else if (roles_check(roles, &me, (uint32_t)l->folder.st_uid, DEED_ACK, &why) != ERR_OK)
		good("", "%s", why.text);
	account_release(&me);
}

int doctor_store(const struct cli *c)
{
	struct context x;
	struct why why = { "" };
	struct look l = { .is_deep = cli_has(c, "deep") };
	enum err e = context_of(&x, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	l.store = buf_text(&x.store);
	printf("store '%s'\n", l.store);
	if (look_at_folder(&l)) {
		look_at_store(&l);
		look_at_requests(&l);
		look_at_owner(&l);
		look_at_you(&l, x.fleet != NULL ? x.fleet->roles : NULL);
	}
	context_release(&x);
	printf(l.problems == 0 ? "nothing stands in the way\n" : "%d of these stand in the way (marked !)\n", l.problems);
	return l.problems == 0 ? EXIT_YES : EXIT_NO;
}
