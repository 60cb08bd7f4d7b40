/* SPDX-License-Identifier: Apache-2.0 */
#include "app/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *env_text(const char *name)
{
	const char *v = getenv(name);
	return v != NULL && v[0] != '\0' ? v : NULL;
}

/* The home folder: $HOME, else what the user database says. */
static enum err put_home(struct buf *to, struct why *why)
{
	const char *home = env_text("HOME");
	if (home != NULL)
		return buf_puts(to, home);
	struct passwd entry, *found = NULL;
	char room[4096];
	if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) != 0 || found == NULL)
		return why_set(why, ERR_NOT_FOUND, "cannot tell where to keep the store: set HOME, or say --store FILE");
	return buf_puts(to, found->pw_dir);
}

enum err path_store(const char *given, struct buf *to, struct why *why)
{
	const char *path = given != NULL ? given : env_text("PITWALL_STORE");
	const char *state = env_text("XDG_STATE_HOME");
	enum err e = ERR_OK;
	if (path != NULL) {
		buf_puts(to, path);
	} else if (state != NULL) {
		buf_printf(to, "%s/pitwall/pitwall.db", state);
	} else {
		e = put_home(to, why);
		if (e == ERR_OK)
			buf_puts(to, "/.local/state/pitwall/pitwall.db");
	}
	if (e == ERR_OK && to->err != ERR_OK)
		e = why_set(why, to->err, "the path of the store is too long");
	return e;
}

enum err path_config_dir(struct buf *to, struct why *why)
{
	const char *config = env_text("XDG_CONFIG_HOME");
	enum err e = ERR_OK;
	if (config != NULL)
		buf_puts(to, config);
	else if ((e = put_home(to, why)) == ERR_OK)
		buf_puts(to, "/.config");
	buf_puts(to, "/pitwall");
	return e == ERR_OK && to->err != ERR_OK ? why_set(why, to->err, "the path of the settings is too long") : e;
}

enum err path_make_parents(const char *path, struct why *why)
{
	struct buf at;
	buf_init(&at, PATH_BYTES);
	enum err e = ERR_OK;
	for (const char *p = path; e == ERR_OK && *p != '\0'; p++) {
		if (*p == '/' && p != path && mkdir(buf_text(&at), 0700) != 0 && errno != EEXIST)
			e = why_errno(why, errno, "cannot make the folder '%s'", buf_text(&at));
		buf_putc(&at, *p);
	}
	if (e == ERR_OK && at.err != ERR_OK)
		e = why_set(why, at.err, "the path '%s' is too long", path);
	buf_release(&at);
	return e;
}

enum err path_scratch(struct buf *to, struct why *why)
{
	const char *under = env_text("XDG_RUNTIME_DIR");
	if (under == NULL || access(under, W_OK) != 0)
		under = env_text("TMPDIR");
	buf_printf(to, "%s/pitwall-XXXXXX", under != NULL ? under : "/tmp");
	if (to->err != ERR_OK)
		return why_set(why, to->err, "the path of a folder for temporary files is too long");
	if (mkdtemp(to->data) == NULL)
		return why_errno(why, errno, "cannot make a folder '%s'", buf_text(to));
	return ERR_OK;
}

void path_scratch_remove(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return;
	DIR *d = fdopendir(folder);
	if (d == NULL) {
		close(folder);
		return;
	}
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(path);
}
