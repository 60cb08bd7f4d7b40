/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall store setup: a store for a team. It says what it does as the commands that would do the same, and with --dry-run does no more than that. What is there
 * is opened without following links and changed through its descriptor, so that nobody who may write there can put another file in its place. */
#include "app/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/paths.h"
#include "app/team_store.h"
#include "base/buf.h"
#include "collectors/shell_quote.h"
#include "store/fs.h"

static const char standard_folder[] = "/var/lib/pitwall", standard_user[] = "pitwall", store_name[] = "pitwall.db";

struct setup {
	const char *folder, *user, *group;
	uid_t       uid;
	gid_t       gid;
	bool        is_dry;
};

/* ---- who ---- */

static enum err find_ids(struct setup *s, struct why *why)
{
	const struct group *g = getgrnam(s->group); /* one thread runs here */
	if (g == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no group '%s': make it with 'groupadd %s', and put its members into it with 'usermod -aG %s NAME'", s->group,
		               s->group, s->group);
	s->gid = g->gr_gid;
	const struct passwd *u = getpwnam(s->user);
	if (u == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no user '%s': make it with 'useradd --system --gid %s --home-dir %s --shell /usr/sbin/nologin %s'", s->user,
		               s->group, s->folder, s->user);
	s->uid = u->pw_uid;
	if (!s->is_dry && geteuid() != 0)
		return why_set(why, ERR_DENIED, "only root can give files to the user '%s': run it with sudo, or look with --dry-run", s->user);
	return ERR_OK;
}

/* ---- one thing ---- */

/* A path as a shell reads it back. */
static void say_path(const char *path)
{
	struct buf word;
	buf_init(&word, 4 * PATH_BYTES);
	if (shell_quote_word(&word, path, strlen(path), NULL) == ERR_OK)
		fputs(buf_text(&word), stdout);
	buf_release(&word);
}

/* Owner first: a change of owner takes set-id bits away. */
static enum err give(int fd, const struct setup *s, mode_t mode, const char *path, struct why *why)
{
	if (fchown(fd, s->uid, s->gid) != 0)
		return why_errno(why, errno, "cannot give '%s' to '%s'", path, s->user);
	return fchmod(fd, mode) == 0 ? ERR_OK : why_errno(why, errno, "cannot set the mode of '%s'", path);
}

static enum err make_folder(const struct setup *s, mode_t mode, const char *path, struct why *why)
{
	printf("install -d -m %04o -o %s -g %s ", (unsigned)mode, s->user, s->group);
	say_path(path);
	putchar('\n');
	if (s->is_dry)
		return ERR_OK;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return why_errno(why, errno, "cannot make the folder '%s'", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return why_errno(why, errno, "cannot open the folder '%s'", path);
	enum err e = give(fd, s, mode, path, why);
	close(fd);
	return e;
}

static enum err check_file(int fd, const char *path, struct why *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return why_errno(why, errno, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return why_set(why, ERR_DENIED, "'%s' is no plain file, or has another name elsewhere: it is left as it is; move it away", path);
	return ERR_OK;
}

/* A file that is there already. */
static enum err mend_file(const struct setup *s, const char *path, struct why *why)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : why_errno(why, errno, "cannot open '%s'", path);
	enum err e = check_file(fd, path, why);
	if (e == ERR_OK) {
		printf("chown %s:%s ", s->user, s->group);
		say_path(path);
		printf(" && chmod %04o ", (unsigned)TEAM_FILE_MODE);
		say_path(path);
		putchar('\n');
	}
	if (e == ERR_OK && !s->is_dry)
		e = give(fd, s, TEAM_FILE_MODE, path, why);
	close(fd);
	return e;
}

/* ---- all of it ---- */

static enum err mend_files(const struct setup *s, const char *store, struct why *why)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct buf path;
	enum err e = ERR_OK;
	buf_init(&path, PATH_BYTES);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0] && e == ERR_OK; i++) {
		buf_clear(&path);
		buf_puts(&path, store);
		buf_puts(&path, ends[i]);
		e = mend_file(s, buf_text(&path), why);
	}
	buf_release(&path);
	return e;
}

static void say_how(const char *comment, const char *command, const char *store)
{
	printf("# %s: pitwall %s--store ", comment, command);
	say_path(store);
	putchar('\n');
}

static void say_how_to_go_on(const char *store)
{
	say_how("to record, as that user and with umask 0027", "record ", store);
	say_how("to look and ask, as a member of the group (who logs in anew once in it)", "", store);
	say_how("to see whether all is well", "doctor ", store);
}

static enum err make(const struct setup *s, struct why *why)
{
	struct buf store, requests;
	buf_init(&store, PATH_BYTES);
	buf_init(&requests, PATH_BYTES);
	buf_printf(&store, "%s/%s", s->folder, store_name);
	buf_printf(&requests, "%s/%s-requests", s->folder, store_name);
	enum err e = store.err == ERR_OK && requests.err == ERR_OK ? ERR_OK : why_set(why, ERR_LIMIT, "the path '%.200s...' is too long", s->folder);
	if (e == ERR_OK)
		e = make_folder(s, TEAM_FOLDER_MODE, s->folder, why);
	if (e == ERR_OK && !s->is_dry)
		e = fs_check(buf_text(&store), NULL, why);
	if (e == ERR_OK)
		e = make_folder(s, TEAM_REQUESTS_MODE, buf_text(&requests), why);
	if (e == ERR_OK)
		e = mend_files(s, buf_text(&store), why);
	if (e == ERR_OK)
		say_how_to_go_on(buf_text(&store));
	buf_release(&store);
	buf_release(&requests);
	return e;
}

static const char *value_or(const struct cli *c, const char *option, const char *otherwise)
{
	const char *value = cli_value(c, option);
	return value != NULL ? value : otherwise;
}

static int run(const struct cli *c)
{
	struct why why = { "" };
	struct setup s = { .folder = value_or(c, "dir", standard_folder), .user = value_or(c, "user", standard_user), .group = cli_value(c, "group"),
		           .is_dry = cli_has(c, "dry-run") };
	enum err e = ERR_OK;
	if (strcmp(c->arguments[0], "setup") != 0)
		e = why_set(&why, ERR_USAGE, "'pitwall store' knows setup, not '%s'", c->arguments[0]);
	else if (s.group == NULL)
		e = why_set(&why, ERR_USAGE, "say whose store it is to be: --group GROUP");
	else if (s.folder[0] != '/')
		e = why_set(&why, ERR_USAGE, "--dir wants a whole path, one that begins with /");
	if (e == ERR_OK)
		e = find_ids(&s, &why);
	if (e == ERR_OK)
		e = make(&s, &why);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	{ "group", "GROUP", "the Unix group whose members share it" },
	{ "dir", "FOLDER", "where it is to be; else /var/lib/pitwall" },
	{ "user", "USER", "who records; else pitwall" },
	{ "dry-run", NULL, "only print what would be done" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_store = {
	.name          = "store",
	.arguments     = "setup",
	.min_arguments = 1,
	.max_arguments = 1,
	.summary       = "set a store up that a Unix group shares",
	.details       = "Makes the folder, and in it the one that requests go through, with the owners and modes that let one user record and the members read and ask, and not "
	                 "change what was recorded. Run once, as root; again it mends what is no longer so. Users and groups are not made; it says how to. 'pitwall doctor --store' checks it.",
	.options       = options,
	.run           = run,
};
