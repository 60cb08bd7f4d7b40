/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/role.h"

#include <assert.h>

static const struct {
	const char *name;
	char        letter;
} roles[ROLE_COUNT] = {
#define X(id, name, letter) { name, letter },
	ROLE_LIST(X)
#undef X
};

const char *role_name(enum role r)
{
	assert(r < ROLE_COUNT);
	return roles[r].name;
}

char role_letter(enum role r)
{
	assert(r < ROLE_COUNT);
	return roles[r].letter;
}
