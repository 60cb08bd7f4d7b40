/* SPDX-License-Identifier: Apache-2.0
 *
 * libssh2 keeps every packet that it has no use for yet, and some that it will never have any use for: a server could fill all memory with
 * them. So each session has a ceiling, at which libssh2 is told that there is no memory, and gives up. And it loses some of what it has (the host's
 * key, whenever keys are exchanged anew): what is left of a session goes with it. */
#include "collectors/ssh_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In front of each of libssh2's blocks. */
struct ssh_block {
	struct ssh_block *prev, *next;
	size_t            n;
	max_align_t       bytes[];
};

static struct ssh_block *block_of(void *bytes)
{
	return bytes != NULL ? (struct ssh_block *)(void *)((char *)bytes - offsetof(struct ssh_block, bytes)) : NULL;
}

static void unlink_block(struct ssh_session *s, const struct ssh_block *b)
{
	*(b->prev != NULL ? &b->prev->next : &s->heap) = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	s->heap_bytes -= b->n;
}

static void link_block(struct ssh_session *s, struct ssh_block *b)
{
	b->prev = NULL;
	b->next = s->heap;
	if (s->heap != NULL)
		s->heap->prev = b;
	s->heap = b;
	s->heap_bytes += b->n;
}

void *ssh_heap_realloc(void *old, size_t n, void **abstract)
{
	struct ssh_session *s = *abstract;
	struct ssh_block *b = block_of(old);
	size_t had = b != NULL ? b->n : 0;
	if (n > SSH_HEAP_MAX || s->heap_bytes - had > SSH_HEAP_MAX - n)
		return NULL;
	if (b != NULL)
		unlink_block(s, b);
	struct ssh_block *made = realloc(b, sizeof *made + n);
	if (made == NULL) {
		if (b != NULL)
			link_block(s, b);
		return NULL;
	}
	made->n = n;
	link_block(s, made);
	return made->bytes;
}

void *ssh_heap_alloc(size_t n, void **abstract)
{
	return ssh_heap_realloc(NULL, n, abstract);
}

void ssh_heap_free(void *old, void **abstract)
{
	struct ssh_block *b = block_of(old);
	if (b == NULL)
		return;
	unlink_block(*abstract, b);
	free(b);
}

void ssh_heap_drop(struct ssh_session *s)
{
	while (s->heap != NULL) {
		struct ssh_block *b = s->heap;
		unlink_block(s, b);
		free(b);
	}
}
