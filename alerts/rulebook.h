/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule files of a fleet as one book of groups: files, and texts of our own (built-in packs, rules made of `slo:`). A book never changes; when files
 * change a new one is read, which shares with the one before what is the same, and takes from it what is broken now.
 *
 * Threads: a book and those that share with it belong to one thread at a time. */
#ifndef PITWALL_ALERTS_RULEBOOK_H
#define PITWALL_ALERTS_RULEBOOK_H

#include "base/diagnostics.h"
#include "base/err.h"
#include "rules/rule_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A rule file that is not on the disk. */
struct rulebook_text {
	const char *name; /* "pitwall:nodes.yml", say */
	const char *text;
	size_t      len;
};

struct rulebook_options {
	const char *const          *paths; /* absolute */
	size_t                      n_paths;
	const struct rulebook_text *texts; /* a group of one is left out where a later text or a file has one of the same name: so a site replaces it */
	size_t                      n_texts;
	const char *const          *disabled; /* names of alerts that the texts have and that are not wanted */
	size_t                      n_disabled;
};

struct rulebook;
struct rulebook_file; /* what the groups of one file are made of */

struct rulebook_group {
	const char              *source; /* FILE;GROUP, as Prometheus names it */
	const struct rule_group *group;
	struct rulebook_file    *file;   /* all this lives as long as it */
};

/* Mistakes go to `d` (may be NULL) with their places. Of a file that has some or cannot be read, what `before` (may be NULL) has of it goes on; with
 * none there it is left out. So only ERR_MEMORY fails. Blocks on the files. */
enum err rulebook_read(const struct rulebook_options *o, const struct rulebook *before, struct diagnostics *d, struct rulebook **out, struct why *why);
void     rulebook_free(struct rulebook *b); /* NULL is fine */

size_t                       rulebook_count(const struct rulebook *b);
const struct rulebook_group *rulebook_at(const struct rulebook *b, size_t i);

struct rulebook_file *rulebook_file_ref(struct rulebook_file *f);
void                  rulebook_file_unref(struct rulebook_file *f); /* NULL is fine */

/* Whether two rules are one and the same for whoever reads the file: as Prometheus compares groups. */
bool rules_are_equal(const struct rule *a, const struct rule *b);
/* Whether a rule takes up the state of another after a change: same kind, name and labels, as Prometheus has it. */
bool rule_continues(const struct rule *a, const struct rule *before);
/* All of the group. */
bool rule_groups_are_equal(const struct rule_group *a, const struct rule_group *b);

#endif
