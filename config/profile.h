/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: what a server kind is, where it listens, how it is recognised, and (in the same file) the recording and alerting rules that
 * turn its series into signals. A profile file is a Prometheus rule file with one mapping more:
 *
 *     profile:
 *       name: vllm                         # [a-z][a-z0-9_-]*, as in the fleet file's `profile:`
 *       summary: vLLM, OpenAI-compatible LLM server
 *       match:
 *         metrics: [ "vllm:" ]             # prefixes of metric names; a scrape with one of them is of this kind; "" is any
 *         rank: 10                         # the highest wins where several match (-1000 to 1000, default 0)
 *       port: 8000
 *       path: /metrics                     # default /metrics
 *       scheme: http                       # default http
 *       window: 1m                         # over which its rates are taken, default 1m
 *     groups: [ ... ]                      # as in Prometheus; read by rules/
 *
 * Built-in ones are in the program. Files in the user's folders take the place of built-in ones of the same name. */
#ifndef PITWALL_CONFIG_PROFILE_H
#define PITWALL_CONFIG_PROFILE_H

#include "base/diagnostics.h"
#include "base/err.h"
#include "base/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_head {
	const char        *name, *summary;
	const char *const *metrics; /* prefixes */
	size_t             n_metrics;
	int                rank;
	int                port;    /* 0: none, the fleet file has to say it */
	const char        *path, *scheme;
	int64_t            window_ms;
};

struct profile {
	struct profile_head head;
	const char         *file;       /* its path, or "profiles/NAME.yml (built in)"; for diagnostics */
	bool                is_builtin;
	const struct yaml  *tree;       /* the whole file; rules/ reads `groups` from it */
};

struct profiles; /* opaque: all profiles, by name */

/* Loads the built-in ones and those *.yml files in `folders` (an earlier folder wins; one that is not there is none). A broken file is
 * reported in `d` and left out; a broken one that would replace a built-in leaves the built-in. NULL `folders`: profile_folders' own.
 * `d` must live as long as *out. Fails only for want of memory. Reads files: may block. */
enum err profiles_load(const char *const *folders, size_t n_folders, struct diagnostics *d, struct profiles **out, struct why *why);
void     profiles_free(struct profiles *p); /* NULL is fine */

size_t                profiles_count(const struct profiles *p);
const struct profile *profiles_at(const struct profiles *p, size_t i); /* in byte order of their names */
const struct profile *profiles_find(const struct profiles *p, const char *name); /* NULL: none */
const char           *profiles_suggest(const struct profiles *p, const char *name); /* the nearest name, or NULL */

/* Which kind a scrape is: show it the metric names (any order, repetitions allowed), then ask. */
struct profile_guess {
	const struct profiles *profiles;
	const struct profile  *best;
	size_t                 best_prefix; /* length of the prefix that matched */
};
void                  profile_guess_init(struct profile_guess *g, const struct profiles *p);
void                  profile_guess_add(struct profile_guess *g, const char *metric, size_t len);
const struct profile *profile_guess_result(const struct profile_guess *g); /* NULL: none matches */

/* Reads one profile file's head from its tree (which must live as long as the head); reports mistakes to the tree's diagnostics.
 * False: unusable. The lists of `out` are taken from `a`. For `pitwall check` and tests. */
struct arena;
bool profile_head_read(const struct yaml *tree, struct arena *a, struct profile_head *out);

#endif
