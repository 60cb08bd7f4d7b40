/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose the processes are that a GPU's tool tells of: a piece of script that looks them up in /proc, and the reading of what it prints:
 * "uid PID UID" a process, "user UID NAME" a user. */
#ifndef PITWALL_COLLECTORS_SOURCE_USERS_H
#define PITWALL_COLLECTORS_SOURCE_USERS_H

#include "collectors/slice.h"

/* For the lines of $pids; uses $uids, $uid, $key, $rest, $pid, $entry. Users are looked up once each, with a time limit: some are known
 * to a server far away. A process of another container is not in this /proc, and has no user then. */
#define USERS_SCRIPT                                                                                                        \
	"uids=$(printf '%s\\n' \"$pids\" | sort -u | head -n 128 | while read -r pid; do\n"                                   \
	"	[ -r \"/proc/$pid/status\" ] || continue\n"                                                                       \
	"	while read -r key uid rest; do\n"                                                                               \
	"		[ \"$key\" != Uid: ] || echo \"uid $pid $uid\"\n"                                                             \
	"	done <\"/proc/$pid/status\"\n"                                                                                  \
	"done)\n"                                                                                                          \
	"printf '@users\\n%s\\n' \"$uids\"\n"                                                                               \
	"printf '%s\\n' \"$uids\" | sed -n 's/.* //p' | sort -u | head -n 16 | while read -r uid; do\n"                      \
	"	entry=$(bounded getent passwd \"$uid\" 2>/dev/null </dev/null) || entry=$(grep \"^[^:]*:[^:]*:$uid:\" /etc/passwd)\n" \
	"	[ -z \"$entry\" ] || echo \"user $uid ${entry%%:*}\"\n"                                                           \
	"done\n"

enum { USER_TEXT = 40 };

/* The name of a process' user, else the number, else "". Returns `to`. */
const char *users_find(struct slice users, struct slice pid, char to[USER_TEXT]);

#endif
