/* SPDX-License-Identifier: Apache-2.0 */
#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/text.h"

enum { ENTRY_MAX = 1024 * 1024, ENTRY_FIRST = 4096 }; /* bytes of one entry of the user or group database */

bool account_is_name(const char *text)
{
	size_t n = strlen(text);
	if (n == 0 || n >= ACCOUNT_NAME || text[0] == '-' || text[0] == '@' || !text_is_utf8(text, n))
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr(",:/'\"", *p) != NULL)
			return false;
	return true;
}

/* An entry of the database, in memory that grows until it fits. The memory is the caller's; NULL: there is none. */
static char *user_entry(uint32_t uid, struct passwd *entry)
{
	struct passwd *found = NULL;
	for (size_t n = ENTRY_FIRST; n <= ENTRY_MAX; n *= 4) {
		char *room = malloc(n);
		int failed = room != NULL ? getpwuid_r((uid_t)uid, entry, room, n, &found) : ENOMEM;
		if (failed == 0 && found != NULL)
			return room;
		free(room);
		if (failed != ERANGE)
			break;
	}
	return NULL;
}

static char *group_name(gid_t gid)
{
	struct group entry, *found = NULL;
	char *name = NULL;
	for (size_t n = ENTRY_FIRST; n <= ENTRY_MAX; n *= 4) {
		char *room = malloc(n);
		int failed = room != NULL ? getgrgid_r(gid, &entry, room, n, &found) : ENOMEM;
		if (failed == 0 && found != NULL && account_is_name(entry.gr_name))
			name = strdup(entry.gr_name);
		free(room);
		if (failed != ERANGE)
			break;
	}
	return name;
}

static void set_name(char to[ACCOUNT_NAME], uint32_t uid, const char *name)
{
	if (name != NULL && account_is_name(name))
		memcpy(to, name, strlen(name) + 1);
	else
		snprintf(to, ACCOUNT_NAME, "%lu", (unsigned long)uid);
}

const char *account_name(uint32_t uid, char to[ACCOUNT_NAME])
{
	struct passwd entry;
	char *room = user_entry(uid, &entry);
	set_name(to, uid, room != NULL ? entry.pw_name : NULL);
	free(room);
	return to;
}

/* The names of the groups of `user`, who has `first` for a group in any case. */
static enum err find_groups(struct account *a, const char *user, gid_t first, struct why *why)
{
	int n = ACCOUNT_GROUPS_MAX;
	gid_t *ids = calloc(ACCOUNT_GROUPS_MAX, sizeof *ids);
	a->groups = calloc(ACCOUNT_GROUPS_MAX, sizeof *a->groups);
	if (ids == NULL || a->groups == NULL) {
		free(ids);
		return why_memory(why);
	}
	if (getgrouplist(user, first, ids, &n) < 0)
		n = n < ACCOUNT_GROUPS_MAX ? n : ACCOUNT_GROUPS_MAX; /* as many as fit are there */
	for (int i = 0; i < n; i++) {
		char *name = group_name(ids[i]);
		if (name != NULL)
			a->groups[a->n_groups++] = name;
	}
	free(ids);
	return ERR_OK;
}

enum err account_find(uint32_t uid, struct account *out, struct why *why)
{
	struct passwd entry;
	struct account a = { .uid = uid };
	enum err e = ERR_OK;
	char *room = user_entry(uid, &entry);
	set_name(a.name, uid, room != NULL ? entry.pw_name : NULL);
	if (room != NULL)
		e = find_groups(&a, entry.pw_name, entry.pw_gid, why);
	free(room);
	if (e == ERR_OK)
		*out = a;
	else
		account_release(&a);
	return e;
}

void account_release(struct account *a)
{
	for (size_t i = 0; i < a->n_groups; i++)
		free(a->groups[i]);
	free(a->groups);
	a->groups = NULL;
	a->n_groups = 0;
}
