/* SPDX-License-Identifier: Apache-2.0
 *
 * libssh2 keeps every packet that it has no use for yet, and some that it will never have any use for: a server could fill all memory with
 * them. So each session has a ceiling, at which libssh2 is told that there is no memory, and gives up.
 *
 * The size of a block stands in front of it, in as much room as keeps the block aligned for anything. */
#include "collectors/ssh_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FRONT = sizeof(max_align_t) };

void *ssh_heap_realloc(void *old, size_t n, void **abstract)
{
	struct ssh_session *s = *abstract;
	char *front = old != NULL ? (char *)old - FRONT : NULL;
	size_t had = 0;
	if (front != NULL)
		memcpy(&had, front, sizeof had);
	if (n > SSH_HEAP_MAX || s->heap_bytes - had > SSH_HEAP_MAX - n)
		return NULL;
	char *made = realloc(front, FRONT + n);
	if (made == NULL)
		return NULL;
	memcpy(made, &n, sizeof n);
	s->heap_bytes += n - had;
	return made + FRONT;
}

void *ssh_heap_alloc(size_t n, void **abstract)
{
	return ssh_heap_realloc(NULL, n, abstract);
}

void ssh_heap_free(void *old, void **abstract)
{
	struct ssh_session *s = *abstract;
	size_t had = 0;
	if (old == NULL)
		return;
	memcpy(&had, (char *)old - FRONT, sizeof had);
	s->heap_bytes -= had;
	free((char *)old - FRONT);
}
