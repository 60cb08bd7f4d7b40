/* SPDX-License-Identifier: Apache-2.0 */
#include "query/eval.h"

#include <string.h>

#include "base/hash.h"

struct signature {
	uint64_t    hash;
	const char *key; /* in the arena */
	size_t      len;
	size_t      number; /* + 1; 0: an empty slot */
};

struct signatures {
	struct signature *slots;
	size_t            n, mask;
	char             *key;
	size_t            key_cap;
};

enum err signatures_new(struct eval *ev, size_t expected, struct signatures **out)
{
	size_t slots = 16;
	while (slots < expected * 2)
		slots *= 2;
	void *s, *table;
	enum err e = eval_alloc(ev, 1, sizeof(struct signatures), &s);
	if (e == ERR_OK)
		e = eval_alloc(ev, slots, sizeof(struct signature), &table);
	if (e != ERR_OK)
		return e;
	*out = s;
	**out = (struct signatures){ .slots = table, .mask = slots - 1 };
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

/* The labels that count, as bytes that are the same exactly when the labels are: each text with its length before it. */
static enum err make_key(struct eval *ev, struct signatures *s, const struct labels *l, const struct names *names, bool is_on, bool keeps_name,
                         size_t *len)
{
	size_t need = 0, at = 0;
	for (size_t i = 0; i < labels_count(l); i++)
		need += labels_at(l, i)->name_len + labels_at(l, i)->value_len + 2 * sizeof(uint32_t);
	if (need > s->key_cap) {
		void *key;
		enum err e = eval_alloc(ev, need * 2, 1, &key);
		if (e != ERR_OK)
			return e;
		s->key = key;
		s->key_cap = need * 2;
	}
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *p = labels_at(l, i);
		if (!is_part(p, names, is_on, keeps_name))
			continue;
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
	void *table;
	enum err e = eval_alloc(ev, slots, sizeof(struct signature), &table);
	if (e != ERR_OK)
		return e;
	struct signature *to = table;
	for (size_t i = 0; i <= s->mask; i++) {
		if (s->slots[i].number == 0)
			continue;
		size_t at = s->slots[i].hash & (slots - 1);
		while (to[at].number != 0)
			at = (at + 1) & (slots - 1);
		to[at] = s->slots[i];
	}
	s->slots = to;
	s->mask = slots - 1;
	return ERR_OK;
}

enum err signatures_add(struct eval *ev, struct signatures *s, const struct labels *l, const struct names *names, bool is_on, bool keeps_name,
                        size_t *out)
{
	size_t len;
	enum err e = make_key(ev, s, l, names, is_on, keeps_name, &len);
	if (e == ERR_OK && s->n * 2 > s->mask)
		e = grow(ev, s);
	if (e != ERR_OK)
		return e;
	uint64_t hash = hash64(len > 0 ? s->key : "", len, (uintptr_t)s);
	size_t at = hash & s->mask;
	for (; s->slots[at].number != 0; at = (at + 1) & s->mask)
		if (s->slots[at].hash == hash && s->slots[at].len == len && (len == 0 || memcmp(s->slots[at].key, s->key, len) == 0)) {
			*out = s->slots[at].number - 1;
			return ERR_OK;
		}
	void *key;
	e = eval_alloc(ev, len > 0 ? len : 1, 1, &key);
	if (e != ERR_OK)
		return e;
	if (len > 0)
		memcpy(key, s->key, len);
	*out = s->n++;
	s->slots[at] = (struct signature){ hash, key, len, s->n };
	return ERR_OK;
}
