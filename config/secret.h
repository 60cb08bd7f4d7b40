/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets: never written in a configuration, always fetched where they are used, from the environment, a file or a command. A fetched
 * one lies in memory of its own that is locked (where the system allows), left out of core dumps and forked children, and wiped when
 * released. No function here logs or prints a secret's text. */
#ifndef PITWALL_CONFIG_SECRET_H
#define PITWALL_CONFIG_SECRET_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum secret_kind { SECRET_NONE, SECRET_ENV, SECRET_FILE, SECRET_COMMAND };

/* Where a secret comes from. Texts are lent for as long as the source lives. */
struct secret_source {
	enum secret_kind   kind;
	const char        *name; /* SECRET_ENV: the variable; SECRET_FILE: the path; SECRET_COMMAND: argv[0] */
	const char *const *argv; /* SECRET_COMMAND: the words, NULL-terminated; run without a shell, looked up in PATH */
};

enum {
	SECRET_MAX        = 16 * 1024, /* bytes of one secret */
	SECRET_TIMEOUT_MS = 10000,     /* for a command, unless told otherwise */
};

struct secret {
	char  *text; /* NUL-terminated; holds no NUL, CR or LF */
	size_t len;
	size_t mapped;
};

/* Fetches the secret: one trailing line end is cut off. ERR_NOT_FOUND: the variable is unset, the file or command is not there;
 * ERR_FORMAT: empty, or more than one line; ERR_LIMIT: too long; ERR_TIMEOUT: the command took longer than `timeout_ms` (0:
 * SECRET_TIMEOUT_MS) and was killed; ERR_IO: it failed. The sentence never quotes the secret or what the command wrote. May block:
 * call it from a worker, never from an event loop's thread. */
enum err secret_read(const struct secret_source *from, int64_t timeout_ms, struct secret *out, struct why *why);

/* One of a text that is in memory already (the caller wipes that), with the same bounds. ERR_FORMAT: empty, or with a line end or NUL in it; ERR_LIMIT, ERR_MEMORY. */
enum err secret_of(const char *text, size_t n, struct secret *out, struct why *why);

/* Wipes it and gives the memory back; safe on a zeroed or released one. */
void secret_release(struct secret *s);

/* A file that others than its owner and group can read: ERR_DENIED and a sentence that says how to mend it. ERR_OK for all other sources,
 * and for a file that is not there (yet). Only looks at the file's mode. */
enum err secret_check(const struct secret_source *from, struct why *why);

#endif
