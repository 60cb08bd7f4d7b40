/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors are values. A function that can fail for an outside reason (network, file, user, memory) returns `enum err` and puts one
 * sentence for a person into the caller's `struct why`: lower case, no full stop, the subject in quotes ("cannot open 'x.db': disk
 * full"). Results are written only on success. Broken promises of our own are assert(), not errors. */
#ifndef PITWALL_BASE_ERR_H
#define PITWALL_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* name, what it means in a word or two (used where no sentence is at hand) */
#define ERR_LIST(X)                               \
	X(OK,          "no error")                    \
	X(MEMORY,      "out of memory")               \
	X(IO,          "input or output failed")      \
	X(FORMAT,      "malformed input")             \
	X(RANGE,       "value out of range")          \
	X(LIMIT,       "a limit was reached")         \
	X(NOT_FOUND,   "not found")                   \
	X(EXISTS,      "exists already")              \
	X(DENIED,      "permission denied")           \
	X(LATER,       "busy, try again")             \
	X(TIMEOUT,     "timed out")                   \
	X(CANCELLED,   "cancelled")                   \
	X(UNSUPPORTED, "not supported")               \
	X(USAGE,       "wrong usage")                 \
	X(NETWORK,     "network error")               \
	X(TLS,         "TLS error")                   \
	X(CORRUPT,     "data is damaged")             \
	X(FULL,        "no space left")               \
	X(READ_ONLY,   "read-only")

enum err {
#define X(name, text) ERR_##name,
	ERR_LIST(X)
#undef X
	ERR_COUNT
};

/* The sentence that goes with an error. Plain storage of the caller's; no release. A longer sentence is cut and ends in "...". */
struct why {
	char text[512];
};

/* What `e` means in a word or two; never NULL. */
const char *err_text(enum err e);

/* Writes the sentence and returns `e`, so that a failing line reads `return why_set(why, ERR_IO, "cannot ...")`. `why` may be NULL. */
enum err why_set(struct why *why, enum err e, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum err why_vset(struct why *why, enum err e, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* As why_set, with what errno value `error_number` means put behind ": ". ENOSPC and EDQUOT become ERR_FULL, EACCES and EPERM
 * ERR_DENIED, ENOENT ERR_NOT_FOUND, EEXIST ERR_EXISTS, EROFS ERR_READ_ONLY, ENOMEM ERR_MEMORY, all else ERR_IO. */
enum err why_errno(struct why *why, int error_number, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " before the sentence that is there; returns `e`. */
enum err why_prefix(struct why *why, enum err e, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "out of memory", and ERR_MEMORY. */
enum err why_memory(struct why *why);

#endif
