/* SPDX-License-Identifier: Apache-2.0
 *
 * What `pitwall check FILE...` does: finds out what kind of file each is and reports every mistake in it. Kinds that belong to floors
 * above (rule files' expressions, themes) are checked by hooks that the caller brings. */
#ifndef PITWALL_CONFIG_CHECK_H
#define PITWALL_CONFIG_CHECK_H

#include "base/diagnostics.h"
#include "base/err.h"
#include "base/yaml.h"
#include "config/profile.h"

#include <stddef.h>

enum check_kind {
	CHECK_FLEET,   /* a mapping with fleet, defaults, groups of targets, ... */
	CHECK_TARGETS, /* a list: a target file as Prometheus reads it */
	CHECK_PROFILE, /* a mapping with profile */
	CHECK_RULES,   /* a mapping with groups whose items have rules */
	CHECK_COUNT
};

struct fleet;

/* Called with the parsed file once this floor is done with it; reports to `d`. */
struct check_hooks {
	void (*rules)(const struct yaml *tree, struct diagnostics *d, void *arg); /* CHECK_RULES and CHECK_PROFILE; may be NULL */
	void (*fleet)(const struct fleet *f, const char *path, struct diagnostics *d, void *arg); /* CHECK_FLEET, where it is good; may be NULL */
	void *arg;
};

/* Which kind a parsed file is. */
enum check_kind check_kind_of(const struct yaml *tree);
const char     *check_kind_name(enum check_kind kind);

/* Checks one file; `*kind` (may be NULL) is set where the file could be read. What is wrong goes to `d`; ERR_OK says that the check
 * was made, not that the file is good (see d->n_errors). A fleet file's rule files are given to the hook too. `p` as in fleet_read.
 * May block. */
enum err check_file(const char *path, const struct profiles *p, const struct check_hooks *hooks, struct diagnostics *d,
                    enum check_kind *kind, struct why *why);

#endif
