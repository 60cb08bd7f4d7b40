/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/command.h"

#include <assert.h>
#include <string.h>

static const struct command_info table[] = {
#define X(id, name, keys, contexts, label, rank, sentence) { COMMAND_##id, name, keys, contexts, rank, label, sentence },
	COMMAND_LIST(X)
#undef X
};
enum { TABLE_ROWS = sizeof table / sizeof table[0] };
static_assert(TABLE_ROWS == COMMAND_COUNT - 1, "a row for every command but COMMAND_NONE");

const struct command_info *command_table(size_t *n)
{
	*n = TABLE_ROWS;
	return table;
}

const struct command_info *command_info(enum command c)
{
	assert(c < COMMAND_COUNT);
	return c == COMMAND_NONE ? NULL : &table[c - 1];
}

enum command command_by_name(const char *name, size_t n)
{
	for (size_t i = 0; i < TABLE_ROWS; i++)
		if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
			return table[i].id;
	return COMMAND_NONE;
}
