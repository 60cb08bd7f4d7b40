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
	X(MODEL,    "an item of models",   "Facts about a model that screens show.")                                            \
	X(SLO,      "an item of slo",      "What the users of a model are promised; alerts tell how fast the promise is used up.")  \
	X(LATENCY,  "latency",             "How quick a model has to be.")                                                      \
	X(KEEP,     "keep",                "How long the store keeps what it has, finest first.")

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
