/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule pack: rule files for inference fleets that come with pitwall (packs/NAME.yml, built in; docs/alerts.md). They are Prometheus rule files on
 * signals alone. How a site replaces
 * groups of them and leaves out alerts: alerts/rulebook.h.
 *
 * Threads: none; a pack belongs to one thread at a time. */
#ifndef PITWALL_RULES_PACK_H
#define PITWALL_RULES_PACK_H

#include "base/diagnostics.h"
#include "base/err.h"
#include "rules/rule_file.h"

#include <stdbool.h>
#include <stddef.h>

struct pack;

struct pack_file {
	const char       *name;   /* "nodes", of packs/nodes.yml */
	const char       *source; /* "pitwall:nodes", as store/alerts.h calls a file of ours */
	struct rule_file *rules;
};

/* Parses all of them. `d` (lent for the pack's life, may be NULL) gets their mistakes: those of a broken build, which then fails with ERR_FORMAT. */
enum err pack_load(struct diagnostics *d, struct pack **out, struct why *why);
void     pack_free(struct pack *p); /* NULL is fine */

size_t                  pack_count(const struct pack *p);
const struct pack_file *pack_at(const struct pack *p, size_t i); /* in byte order of their names */

/* Is there an alert of that name? For telling a site that it leaves out what is not there. */
bool pack_has_alert(const struct pack *p, const char *alert);

#endif
