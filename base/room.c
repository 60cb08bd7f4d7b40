/* SPDX-License-Identifier: Apache-2.0 */
#include "base/room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool room_for(void *list, size_t *cap, size_t n, size_t least, size_t size)
{
	if (n <= *cap)
		return true;
	size_t bigger = *cap == 0 ? least : *cap * 2;
	void  *old, *moved;
	while (bigger < n)
		bigger *= 2;
	if (bigger > SIZE_MAX / size)
		return false;
	memcpy(&old, list, sizeof old);
	moved = realloc(old, bigger * size);
	if (moved == NULL)
		return false;
	memcpy(list, &moved, sizeof moved);
	*cap = bigger;
	return true;
}
