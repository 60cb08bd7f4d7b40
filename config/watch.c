/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fleet was read from, and whether it is still the same. A file's stamp is what stat says; a glob's is a hash of what it finds. */
#include "config/fleet_build.h"

#include "base/hash.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){
		.exists = true,
		.device = (uint64_t)st->st_dev,
		.inode = (uint64_t)st->st_ino,
		.size = (int64_t)st->st_size,
		.seconds = (int64_t)st->st_mtim.tv_sec,
		.nanoseconds = (int64_t)st->st_mtim.tv_nsec,
	};
}

static struct stamp stamp_now(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? stamp_of(&st) : (struct stamp){ 0 };
}

static bool stamps_equal(const struct stamp *a, const struct stamp *b)
{
	return a->exists == b->exists && a->device == b->device && a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
	       a->nanoseconds == b->nanoseconds;
}

bool is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

static uint64_t hash_paths(const glob_t *found)
{
	uint64_t h = 0;
	for (size_t i = 0; i < found->gl_pathc; i++)
		h = hash64(found->gl_pathv[i], strlen(found->gl_pathv[i]), h + 1);
	return h;
}

static uint64_t glob_now(const char *pattern)
{
	glob_t found;
	int failed = glob(pattern, 0, NULL, &found);
	uint64_t h = failed == 0 ? hash_paths(&found) : 0;
	if (failed == 0)
		globfree(&found);
	return h;
}

static enum err add_glob(struct fleet_files *files, const char *pattern, uint64_t found)
{
	if (files->n_globs == files->cap_globs) {
		size_t cap = files->cap_globs == 0 ? 8 : files->cap_globs * 2;
		struct kept_glob *globs = realloc(files->globs, cap * sizeof *globs);
		if (globs == NULL)
			return ERR_MEMORY;
		files->globs = globs;
		files->cap_globs = cap;
	}
	char *copy = strdup(pattern);
	if (copy == NULL)
		return ERR_MEMORY;
	files->globs[files->n_globs++] = (struct kept_glob){ .pattern = copy, .found = found };
	return ERR_OK;
}

enum err files_glob(struct fleet_files *files, const char *pattern, enum err (*each)(const char *path, void *arg), void *arg,
                    size_t *n_found)
{
	glob_t found = { 0 };
	int failed = glob(pattern, 0, NULL, &found);
	enum err e = failed == GLOB_NOSPACE ? ERR_MEMORY : add_glob(files, pattern, failed == 0 ? hash_paths(&found) : 0);
	*n_found = failed == 0 ? found.gl_pathc : 0;
	for (size_t i = 0; e == ERR_OK && i < *n_found; i++)
		e = each(found.gl_pathv[i], arg);
	if (failed == 0)
		globfree(&found);
	return e;
}

enum err files_add(struct fleet_files *files, const char *path, struct kept_file **out)
{
	if (files->n_files == files->cap_files) {
		size_t cap = files->cap_files == 0 ? 8 : files->cap_files * 2;
		struct kept_file *grown = realloc(files->files, cap * sizeof *grown);
		if (grown == NULL)
			return ERR_MEMORY;
		files->files = grown;
		files->cap_files = cap;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return ERR_MEMORY;
	struct kept_file *file = &files->files[files->n_files++];
	*file = (struct kept_file){ .path = copy, .stamp = stamp_now(path) };
	buf_init(&file->good, YAML_BYTES_MAX + 64 * 1024);
	*out = file;
	return ERR_OK;
}

const struct kept_file *files_find(const struct fleet_files *files, const char *path)
{
	for (size_t i = 0; i < files->n_files; i++) {
		if (strcmp(files->files[i].path, path) == 0)
			return &files->files[i];
	}
	return NULL;
}

bool files_have_changed(const struct fleet_files *files)
{
	for (size_t i = 0; i < files->n_files; i++) {
		struct stamp now = stamp_now(files->files[i].path);
		if (!stamps_equal(&now, &files->files[i].stamp))
			return true;
	}
	for (size_t i = 0; i < files->n_globs; i++) {
		if (glob_now(files->globs[i].pattern) != files->globs[i].found)
			return true;
	}
	return false;
}

/* Not by device and inode, which a copy of the same files does not have. */
uint64_t fleet_stamp(const struct fleet *f)
{
	const struct fleet_files *files = f->files;
	uint64_t h = hash64(buf_text(&files->text), files->text.len, 1);
	for (size_t i = 0; i < files->n_files; i++) {
		const struct kept_file *file = &files->files[i];
		const int64_t facts[] = { file->stamp.exists, file->stamp.size, file->stamp.seconds, file->stamp.nanoseconds };
		h = hash64(file->path, strlen(file->path), h + 1);
		h = hash64(facts, sizeof facts, h + 1);
	}
	for (size_t i = 0; i < files->n_globs; i++) {
		h = hash64(files->globs[i].pattern, strlen(files->globs[i].pattern), h + 1);
		h = hash64(&files->globs[i].found, sizeof files->globs[i].found, h + 1);
	}
	return h;
}

void files_free(struct fleet_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->n_files; i++) {
		free(files->files[i].path);
		buf_release(&files->files[i].good);
	}
	for (size_t i = 0; i < files->n_globs; i++)
		free(files->globs[i].pattern);
	free(files->files);
	free(files->globs);
	free(files->name);
	buf_release(&files->text);
	arena_release(&files->arena);
	free(files);
}
