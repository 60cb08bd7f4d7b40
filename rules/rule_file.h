/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files as Prometheus has them: groups of recording and alerting rules. All mistakes of a file are reported with their places in
 * one go. What is made of them here is not evaluated here.
 * Source: the Prometheus documentation, "Recording rules" and "Alerting rules". */
#ifndef PITWALL_RULES_RULE_FILE_H
#define PITWALL_RULES_RULE_FILE_H

#include "base/err.h"
#include "base/labels.h"
#include "base/yaml.h"
#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_kind { RULE_RECORD, RULE_ALERT };

struct rule {
	enum rule_kind kind;
	const char    *name;      /* the metric that it records, or the alert's name */
	const char    *expr;      /* as written */
	struct query  *query;
	struct label  *labels;    /* to be laid over the results; an empty value removes a label */
	size_t         n_labels;
	struct label  *annotations; /* of an alert; templates as written */
	size_t         n_annotations;
	int64_t        for_ms, keep_firing_ms; /* of an alert */
	int            line, col; /* of the rule in its file */
};

struct rule_group {
	const char  *name;
	int64_t      interval_ms; /* 0: not said */
	int64_t      offset_ms;   /* query_offset */
	size_t       limit;       /* the most series a rule may give; 0: any number */
	struct rule *rules;
	size_t       n_rules;
};

struct rule_file {
	struct rule_group *groups;
	size_t             n_groups;
	size_t             n_records, n_alerts;
};

enum { RULE_FILE_RULES_MAX = 10000 };

/* Reads `groups` of a parsed file; mistakes go to the tree's diagnostics. The tree must live as long as the result, which borrows its
 * texts. `is_profile`: a file with a `profile:` head, whose rules are evaluated after each scrape of one target (so that interval,
 * offset and limit have no use there and are refused, and signal:up is not its to record). ERR_FORMAT: there were mistakes; nothing is
 * made. */
enum err rule_file_read(const struct yaml *tree, bool is_profile, struct rule_file **out, struct why *why);
void     rule_file_free(struct rule_file *f); /* NULL is fine */

#endif
