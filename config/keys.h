/* SPDX-License-Identifier: Apache-2.0
 *
 * Every key of the fleet file, once: the reader takes the known keys from here, and the documentation is printed from here. */
#ifndef PITWALL_CONFIG_KEYS_H
#define PITWALL_CONFIG_KEYS_H

#include "base/buf.h"
#include "base/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* id, the mapping's name in the documentation, a sentence about it */
#define KEYS_LIST(X)                                                                                                            \
	X(TOP,      "the file",            "The file is one mapping.")                                                          \
	X(DEFAULTS, "defaults",            "What holds for every group that does not say otherwise.")                           \
	X(GROUP,    "an item of groups",   "Nodes that belong together: a pool, a region, a service.")                          \
	X(NODE,     "an item of nodes",    "A name with bracket ranges, or a mapping where nodes differ from their group.")     \
	X(TARGET,   "an item of targets",  "A URL, or a mapping where a target differs from its group.")                        \
	X(ENDPOINT, "an item of endpoints", "A profile's name, or a mapping: one of several things that every node serves.")    \
	X(AUTH,     "auth",                "How to prove who we are; `none` where an outer one shall not hold.")                \
	X(BASIC,    "basic",               "User and password as in HTTP basic authentication.")                                \
	X(SECRET,   "a secret",            "Exactly one of the three. A secret itself never stands in the file.")               \
	X(TLS,      "tls",                 "How https is spoken. It takes the place of an outer one as a whole.")               \
	X(SSH,      "ssh",                 "How the machine itself is asked; `yes` where ssh_config says all, `no` where an outer one shall not hold.") \
	X(EXEC,     "an item of exec",     "A command of your own whose output becomes samples.")                              \
	X(ALERTS,   "alerts",              "How alerts are evaluated, shown and acknowledged.")                                 \
	X(INHIBIT,  "an item of inhibit_rules", "As in Alertmanager's own file: while an alert of the source side fires, those of the target side are not told of.") \
	X(RECEIVER, "an item of receivers", "Someone who is told of alerts: exactly one of webhook, command, email and pagerduty.") \
	X(WEBHOOK,  "webhook",             "Told by a POST of Alertmanager's webhook JSON.")                                    \
	X(EMAIL,    "email",               "Told by a message over SMTP.")                                                      \
	X(PAGERDUTY, "pagerduty",          "Told by PagerDuty's Events API v2.")                                                \
	X(ALERTMANAGER, "an item of alertmanagers", "An Alertmanager, spoken to by its API v2.")                                \
	X(MODEL,    "an item of models",   "Facts about a model that screens show.")                                            \
	X(DEPLOY,   "deploy",              "How it is redeployed and rolled back; `none` in a group that its model's shall not hold for. All other keys are options of the driver: docs/deploying.md has them.") \
	X(GATE,     "gate",                "What has to hold after each wave, compared with before and with what is not touched yet. No data is never good.") \
	X(AUTO_ROLLBACK, "auto_rollback",  "When a rollback begins without anybody's confirmation: an alert began soon after the version changed.") \
	X(SLO,      "an item of slo",      "What the users of a model are promised; alerts tell how fast the promise is used up.")  \
	X(LATENCY,  "latency",             "How quick a model has to be.")                                                      \
	X(KEEP,     "keep",                "How long the store keeps what it has, finest first.")                       \
	X(ROLES,    "roles",               "Who may do what, by the account that asks. A Unix group is written \"@group\".")

enum keys {
#define X(id, name, sentence) KEYS_##id,
	KEYS_LIST(X)
#undef X
	KEYS_COUNT
};

struct key {
	unsigned    where; /* bits 1 << enum keys */
	const char *name, *kind, *standard, *sentence;
};

extern const struct key fleet_keys[];
extern const size_t     fleet_keys_count;

/* Reports the keys of `map` that do not belong into such a mapping, with what was probably meant. */
bool keys_check(const struct yaml *y, const struct yaml_node *map, enum keys where);

/* The whole table as Markdown sections, and as roff for a man page. */
enum err keys_print_markdown(struct buf *to);
enum err keys_print_roff(struct buf *to);

#endif
