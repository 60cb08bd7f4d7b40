/* SPDX-License-Identifier: Apache-2.0
 *
 * Room in a list that grows by doubling. Thread-safe as far as the list is. */
#ifndef PITWALL_BASE_ROOM_H
#define PITWALL_BASE_ROOM_H

#include <stdbool.h>
#include <stddef.h>

/* Makes room for `n` items of `size` bytes in all. `list` is the address of the pointer to the first (of any type; NULL with *cap 0 at first), which may move;
 * `least` is how many there is room for after the first time. False: out of memory, and nothing has changed. The caller frees the list with free(). */
bool room_for(void *list, size_t *cap, size_t n, size_t least, size_t size);

#endif
