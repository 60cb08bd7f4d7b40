/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/notify_told.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static size_t bucket_of(size_t receiver, const char *key)
{
	return hash64(key, strlen(key), receiver) % TOLD_BUCKETS;
}

struct told *told_find(const struct told_table *t, size_t receiver, const char *key)
{
	struct told *one = t->buckets[bucket_of(receiver, key)];
	while (one != NULL && (one->receiver != receiver || strcmp(one->key, key) != 0))
		one = one->next;
	return one;
}

struct told *told_get(struct told_table *t, size_t receiver, const char *key, const struct labels *group_labels)
{
	struct told *one = told_find(t, receiver, key);
	if (one != NULL)
		return one;
	one = calloc(1, sizeof *one);
	if (one == NULL || (one->key = strdup(key)) == NULL) {
		free(one);
		return NULL;
	}
	struct told **bucket = &t->buckets[bucket_of(receiver, key)];
	one->receiver = receiver;
	one->group_labels = labels_ref(group_labels);
	one->next = *bucket;
	*bucket = one;
	t->n++;
	return one;
}

void told_alerts_free(struct told_alert *alerts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels_unref(alerts[i].labels);
	free(alerts);
}

static void told_free(struct told *one)
{
	told_alerts_free(one->alerts, one->n);
	labels_unref(one->group_labels);
	free(one->key);
	free(one);
}

void told_remove(struct told_table *t, struct told *one)
{
	struct told **at = &t->buckets[bucket_of(one->receiver, one->key)];
	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	t->n--;
	told_free(one);
}

void told_table_release(struct told_table *t)
{
	for (size_t i = 0; i < TOLD_BUCKETS; i++) {
		while (t->buckets[i] != NULL) {
			struct told *one = t->buckets[i];
			t->buckets[i] = one->next;
			told_free(one);
		}
	}
	t->n = 0;
}

static int by_fingerprint(const void *a, const void *b)
{
	const struct told_alert *x = a, *y = b;
	return (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint);
}

void told_replace(struct told *one, struct told_alert *alerts, size_t n)
{
	told_alerts_free(one->alerts, one->n);
	if (n > 1)
		qsort(alerts, n, sizeof *alerts, by_fingerprint);
	one->alerts = alerts;
	one->n = n;
}
