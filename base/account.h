/* SPDX-License-Identifier: Apache-2.0
 *
 * A user account of this machine: its name and its groups, as the system's name service has them.
 *
 * Threads: any. A call may block for as long as the name service takes (a directory over the network): not on a loop. */
#ifndef PITWALL_BASE_ACCOUNT_H
#define PITWALL_BASE_ACCOUNT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACCOUNT_NAME = 65, ACCOUNT_GROUPS_MAX = 1024 }; /* bytes of a name with its NUL; groups beyond that are not looked at */

struct account {
	uint32_t uid;
	char     name[ACCOUNT_NAME]; /* the number where it has no name, or one that is longer, or not fit to be shown */
	char   **groups;             /* names; owned */
	size_t   n_groups;
};

/* Whether `text` can be the name of an account or a group: 1 to 64 bytes, no blanks, no control bytes, none of ,:/'"; not beginning with - or @. */
bool account_is_name(const char *text);

/* The name of an account as in struct account; never fails. */
const char *account_name(uint32_t uid, char to[ACCOUNT_NAME]);

/* An account that the name service does not know has its number for a name and no groups. ERR_MEMORY. */
enum err account_find(uint32_t uid, struct account *out, struct why *why);
void     account_release(struct account *a); /* safe on a zeroed one */

#endif
