/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that the fleet file gives, as words with {names} in them, and how a server says that it serves: what several drivers let one set. A value is put
 * into its word and stays in it; one that would be read as an option, because its word begins with it and it with a '-', is refused. */
#ifndef PITWALL_DEPLOY_COMMANDS_H
#define PITWALL_DEPLOY_COMMANDS_H

#include "deploy/driver.h"

#include <stddef.h>
#include <stdint.h>

/* Step tags, behind those of systemd.h. */
enum { TAG_COMMAND = 20, TAG_COMMAND_READY, TAG_HTTP_READY, TAG_COMMANDS_LAST };

#define DRAIN_OPTIONS                                                                                                                             \
	{ "drain", OPTION_COMMANDS, false, "", "", "Commands on the machine that take it out of service before it is changed; they must bear being run twice." }, \
	{ "undrain", OPTION_COMMANDS, false, "", "", "Commands that put it back, after it serves again." }

#define READY_OPTIONS                                                                                                                             \
	{ "ready", OPTION_TEXT, false, "", "", "A URL, or a path of the target (`/health/ready`), that answers 200 to 299 when it serves; of a loopback address the machine itself asks it." }

enum { COMMAND_VALUES = 16 };
/* model, group, node, version, previous; ended by NULL. `version` and `previous` may be NULL: then they are no names. */
void command_values(const struct unit *u, const char *version, const char *previous, const char *values[COMMAND_VALUES]);

/* ERR_FORMAT: an unknown {name}; ERR_UNSUPPORTED: a value that its command would read as an option. */
enum err command_fill(struct arena *a, const struct words *words, const char *const *values, struct ask *to, struct why *why);
/* Whether it could be filled in: for a driver's check. Does nothing where the option is not given. */
enum err commands_check(const struct settings *s, const char *option, bool has_version, struct why *why);

/* A step for each command of the option. They are taken again after an interruption. */
enum err commands_add(struct planning *p, struct steps *to, enum phase phase, const char *option, const char *const *values, struct why *why);
/* A wait until `ready` says so; nothing where it is not set. */
enum err ready_add(struct planning *p, struct steps *to, int64_t ready_ms, struct why *why);
/* Its host is localhost, 127.* or ::1. */
bool     url_is_loopback(const char *url);
/* How long a unit may take to serve. */
int64_t  ready_ms_of(const struct fleet_deploy *d);

bool commands_judge(const struct judging *j, struct verdict *v); /* as systemd_judge */

/* A version that is there, by its id; NULL: it is among those found already, has none, or there are too many. */
struct version *look_version(struct look *l, const char *id);
/* Whether the last answer came and `is_good` (its status says so); false: `why` says which option's question failed, and what was said. */
bool            look_succeeded(const struct look *l, const char *option, bool is_good, struct why *why);
/* The end of a look whose `memory` is the running version's id, or NULL. Plans find it under "current" of what was before. */
enum look_turn  look_finish(struct look *l);

/* The first line of what was said, made safe, in at most `size` - 1 bytes. */
void first_line(const char *text, char *to, size_t size);
/* A version as a command or a file told it: its first line without blanks around it; "" where that is none: empty, too long, not UTF-8, with control bytes. */
const char *version_text(struct arena *a, const char *text, size_t n);

#endif
