/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/ssh_memory.h"

#include "collectors/ssh_pattern.h"

#include <string.h>

static enum err read_file(void *arg, const char *path, struct buf *to, struct why *why)
{
	const struct ssh_memory *m = arg;
	for (const struct ssh_memory_file *f = m->files; f->path != NULL; f++) {
		if (strcmp(f->path, path) != 0)
			continue;
		return f->text != NULL ? buf_puts(to, f->text) : why_set(why, ERR_DENIED, "others may write to '%s'", path);
	}
	return why_set(why, ERR_NOT_FOUND, "there is no '%s'", path);
}

static enum err list_files(void *arg, const char *pattern, enum err (*each)(const char *path, void *each_arg), void *each_arg,
                           struct why *why)
{
	const struct ssh_memory *m = arg;
	enum err e = ERR_OK;
	(void)why;
	for (const struct ssh_memory_file *f = m->files; f->path != NULL && e == ERR_OK; f++) {
		if (ssh_pattern_match(pattern, f->path))
			e = each(f->path, each_arg);
	}
	return e;
}

static enum err run(void *arg, const char *command, bool *succeeded, struct why *why)
{
	struct ssh_memory *m = arg;
	if (strcmp(command, "hang") == 0)
		return why_set(why, ERR_TIMEOUT, "'hang' took longer than 10 s and was stopped");
	buf_printf(&m->commands, "%s\n", command);
	*succeeded = strncmp(command, "true", 4) == 0;
	return ERR_OK;
}

static enum err home_of(void *arg, const char *user, struct buf *to, struct why *why)
{
	(void)arg;
	return strcmp(user, "ann") == 0 ? buf_puts(to, "/home/ann/") : why_set(why, ERR_NOT_FOUND, "there is no user '%s'", user);
}

static const char *environment(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "SSH_AUTH_SOCK") == 0)
		return "/run/agent";
	if (strcmp(name, "KEYS") == 0)
		return "/keys";
	return strcmp(name, "HOME") == 0 ? "/home/op" : NULL;
}

void ssh_memory_init(struct ssh_memory *m, const struct ssh_memory_file *files)
{
	*m = (struct ssh_memory){
		.files = files,
		.machine = { .user = "op", .home = "/home/op", .uid = 1000, .name = "console.example", .read = read_file, .list = list_files,
			.run = run, .home_of = home_of, .environment = environment, .arg = m },
	};
	buf_init(&m->commands, 1 << 20);
}

void ssh_memory_release(struct ssh_memory *m)
{
	buf_release(&m->commands);
}
