/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/source_users.h"

#include <string.h>

/* The first line "KIND KEY REST": REST. Empty: there is none. */
static struct slice find_line(struct slice users, const char *kind, struct slice key)
{
	struct slice line, field;
	while (slice_line(&users, &line))
		if (slice_skip(&line, kind) && slice_take(&line, ' ', &field) && field.n == key.n && memcmp(field.p, key.p, key.n) == 0)
			return line;
	return (struct slice){ .n = 0 };
}

const char *users_find(struct slice users, struct slice pid, char to[USER_TEXT])
{
	struct slice uid = { .n = 0 }, name = { .n = 0 };
	if (pid.n > 0)
		uid = find_line(users, "uid ", pid);
	if (uid.n > 0)
		name = find_line(users, "user ", uid);
	return slice_copy(name.n > 0 ? name : uid, to, USER_TEXT);
}
