/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers, and the connections that are kept to them. Curl walks all of a connection cache after each transfer, and asks the kernel about
 * every connection in it once a second: with a thousand kept ones in a multi handle's own cache that costs more than the scrapes do. So
 * each server has a cache of its own, a curl share, of which a transfer sees only the connections that could be its own. */
#include "collectors/http_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct peer {
	struct peer *next; /* in its bucket */
	size_t       refs;
	CURLSH      *share;
	char         name[];
};

static struct peer **bucket_of(struct http_collector *c, const char *name)
{
	return &c->peers[hash64(name, strlen(name), 0) % HTTP_PEER_BUCKETS];
}

static struct peer *peer_new(const char *name)
{
	size_t       n = strlen(name) + 1;
	struct peer *p = malloc(sizeof *p + n);
	if (p == NULL)
		return NULL;
	*p = (struct peer){ .refs = 1, .share = curl_share_init() };
	memcpy(p->name, name, n);
	if (p->share == NULL || curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK) {
		curl_share_cleanup(p->share);
		free(p);
		return NULL;
	}
	return p;
}

struct peer *peer_ref(struct http_collector *c, const char *name)
{
	struct peer **bucket = bucket_of(c, name);
	for (struct peer *p = *bucket; p != NULL; p = p->next) {
		if (strcmp(p->name, name) != 0)
			continue;
		p->refs++;
		return p;
	}
	struct peer *p = peer_new(name);
	if (p == NULL)
		return NULL;
	p->next = *bucket;
	*bucket = p;
	return p;
}

void peer_unref(struct http_collector *c, struct peer *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	struct peer **at = bucket_of(c, p->name);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	CURLSHcode code = curl_share_cleanup(p->share); /* closes its connections */
	assert(code == CURLSHE_OK);
	(void)code;
	free(p);
}

CURLSH *peer_share(const struct peer *p) { return p->share; }
