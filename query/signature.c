/* SPDX-License-Identifier: Apache-2.0 */
#include "query/eval.h"

#include <string.h>

#include "base/hash.h"

struct signature {
	uint64_t    hash;
	const char *key; /* in the arena */
	size_t      len;
};
/* Slots are small, so that many of them stay in the processor's cache. */
struct slot {
	uint32_t hash;   /* its upper half */
	uint32_t number; /* + 1; 0: an empty slot */
};

struct signatures {
	struct signature *items; /* by number; room for half as many as there are slots */
	struct slot      *slots;
	size_t            n, mask;
	size_t            last; /* that was given out; of `n` more than 0 */
	char             *key;
	size_t            key_cap;
};

enum err signatures_new(struct eval *ev, size_t expected, struct signatures **out)
{
	size_t slots = 16;
	while (slots < expected * 2)
		slots *= 2;
	void *s, *table, *items;
	enum err e = eval_alloc(ev, 1, sizeof(struct signatures), &s);
	if (e == ERR_OK)
		e = eval_alloc(ev, slots, sizeof(struct slot), &table);
	if (e == ERR_OK)
		e = eval_alloc(ev, slots / 2 + 1, sizeof(struct signature), &items);
	if (e != ERR_OK)
		return e;
	*out = s;
	**out = (struct signatures){ .items = items, .slots = table, .mask = slots - 1 };
	return ERR_OK;
}

size_t signatures_count(const struct signatures *s)
{
	return s->n;
}

bool names_have(const struct names *names, const char *name, size_t n)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->items[i].n == n && memcmp(names->items[i].s, name, n) == 0)
			return true;
	return false;
}

static bool is_part(const struct label *l, const struct names *names, bool is_on, bool keeps_name)
{
	if (is_on)
		return names_have(names, l->name, l->name_len);
	if (!keeps_name && l->name_len == strlen(LABEL_NAME) && memcmp(l->name, LABEL_NAME, l->name_len) == 0)
		return false;
	return !names_have(names, l->name, l->name_len);
}

/* Room for a key of `need` bytes, of which the first `used` are kept. */
static enum err key_room(struct eval *ev, struct signatures *s, size_t used, size_t need)
{
	void *key;
	if (need <= s->key_cap)
		return ERR_OK;
	enum err e = eval_alloc(ev, need * 2, 1, &key);
	if (e != ERR_OK)
		return e;
	if (used > 0)
		memcpy(key, s->key, used);
	s->key = key;
	s->key_cap = need * 2;
	return ERR_OK;
}

/* The labels that count, as bytes that are the same exactly when the labels are: each text with its length before it. */
static enum err make_key(struct eval *ev, struct signatures *s, const struct labels *l, const struct names *names, bool is_on, bool keeps_name,
                         size_t *len)
{
	size_t at = 0, n = labels_count(l);
	for (size_t i = 0; i < n; i++) {
		const struct label *p = labels_at(l, i);
		if (!is_part(p, names, is_on, keeps_name))
			continue;
		enum err e = key_room(ev, s, at, at + p->name_len + p->value_len + 2 * sizeof(uint32_t));
		if (e != ERR_OK)
			return e;
		memcpy(s->key + at, &p->name_len, sizeof p->name_len);
		memcpy(s->key + at + sizeof p->name_len, p->name, p->name_len);
		at += sizeof p->name_len + p->name_len;
		memcpy(s->key + at, &p->value_len, sizeof p->value_len);
		memcpy(s->key + at + sizeof p->value_len, p->value, p->value_len);
		at += sizeof p->value_len + p->value_len;
	}
	*len = at;
	return ERR_OK;
}

static enum err grow(struct eval *ev, struct signatures *s)
{
	size_t slots = (s->mask + 1) * 2;
	void *table, *items;
	enum err e = eval_alloc(ev, slots, sizeof(struct slot), &table);
	if (e == ERR_OK)
		e = eval_alloc(ev, slots / 2 + 1, sizeof(struct signature), &items);
	if (e != ERR_OK)
		return e;
	struct slot *to = table;
	for (size_t i = 0; i < s->n; i++) {
		size_t at = s->items[i].hash & (slots - 1);
		while (to[at].number != 0)
			at = (at + 1) & (slots - 1);
		to[at] = (struct slot){ (uint32_t)(s->items[i].hash >> 32), (uint32_t)i + 1 };
	}
	s->items = memcpy(items, s->items, s->n * sizeof *s->items);
	s->slots = to;
	s->mask = slots - 1;
	return ERR_OK;
}

static bool is_key(const struct signature *is, const char *key, size_t len)
{
	return is->len == len && (len == 0 || memcmp(is->key, key, len) == 0);
}

static bool is_signature(const struct signatures *s, struct slot slot, uint64_t hash, size_t len)
{
	if (slot.hash != (uint32_t)(hash >> 32))
		return false;
	const struct signature *is = &s->items[slot.number - 1];
	return is->hash == hash && is_key(is, s->key, len);
}

enum err signatures_add(struct eval *ev, struct signatures *s, const struct labels *l, const struct names *names, bool is_on, bool keeps_name,
                        size_t *out)
{
	size_t len;
	enum err e = make_key(ev, s, l, names, is_on, keeps_name, &len);
	if (e == ERR_OK && s->n > 0 && is_key(&s->items[s->last], s->key, len)) { /* as rows beside each other often are */
		*out = s->last;
		return ERR_OK;
	}
	if (e == ERR_OK && s->n * 2 > s->mask)
		e = grow(ev, s);
	if (e != ERR_OK)
		return e;
	uint64_t hash = hash64(len > 0 ? s->key : "", len, (uintptr_t)s);
	size_t at = hash & s->mask;
	for (; s->slots[at].number != 0; at = (at + 1) & s->mask)
		if (is_signature(s, s->slots[at], hash, len)) {
			*out = s->last = s->slots[at].number - 1;
			return ERR_OK;
		}
	void *key;
	e = eval_alloc(ev, len > 0 ? len : 1, 1, &key);
	if (e != ERR_OK)
		return e;
	if (len > 0)
		memcpy(key, s->key, len);
	s->items[s->n] = (struct signature){ hash, key, len };
	*out = s->last = s->n++;
	s->slots[at] = (struct slot){ (uint32_t)(hash >> 32), (uint32_t)s->n };
	return ERR_OK;
}
