/* SPDX-License-Identifier: Apache-2.0 */
#include "base/labels.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/varint.h"

/* One block of memory: this, the pairs, then "name NUL value NUL" for each pair, in order. The hash is over that text. Or this and two other
 * sets, of which the set consists: `struct joined`. */
struct labels {
	atomic_uint refs;
	uint32_t    n;
	uint64_t    hash;
	uint32_t    text_len;
	uint32_t    one_at; /* joined: where the pair of `one` stands; else IS_WHOLE */
};
struct joined {
	struct labels  head;
	struct labels *one, *rest; /* referenced, whole */
};
#define IS_WHOLE UINT32_MAX

static bool is_joined(const struct labels *l)
{
	return l->one_at != IS_WHOLE;
}

static const struct joined *joined_of(const struct labels *l)
{
	return (const struct joined *)(const void *)l;
}

/* Of a whole set. */
static const struct label *pairs_of(const struct labels *l)
{
	return (const struct label *)(const void *)(l + 1);
}

static inline const struct label *pair_at(const struct labels *l, size_t i)
{
	if (!is_joined(l))
		return &pairs_of(l)[i];
	const struct joined *j = joined_of(l);
	return i == l->one_at ? pairs_of(j->one) : &pairs_of(j->rest)[i < l->one_at ? i : i - 1];
}

static int bytes_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	if (order != 0)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

static int by_name(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	return bytes_compare(x->name, x->name_len, y->name, y->name_len);
}

/* Sets of labels are small and often sorted already. */
static void sort_pairs(struct label *pairs, size_t n)
{
	if (n > 24) {
		qsort(pairs, n, sizeof *pairs, by_name);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct label moved = pairs[i];
		size_t at = i;
		for (; at > 0 && by_name(&pairs[at - 1], &moved) > 0; at--)
			pairs[at] = pairs[at - 1];
		pairs[at] = moved;
	}
}

/* From sorted pairs without empty ones and without doubles. */
static enum err make(const struct label *pairs, size_t n, struct labels **out, struct why *why)
{
	size_t text_len = 0;
	for (size_t i = 0; i < n; i++)
		text_len += (size_t)pairs[i].name_len + pairs[i].value_len + 2;
	if (n > LABELS_COUNT_MAX)
		return why_set(why, ERR_LIMIT, "more than %d labels", LABELS_COUNT_MAX);
	if (text_len > LABELS_TEXT_MAX)
		return why_set(why, ERR_LIMIT, "labels of more than %d bytes", LABELS_TEXT_MAX);
	struct labels *l = malloc(sizeof *l + n * sizeof *pairs + text_len + 1);
	if (l == NULL)
		return why_memory(why);
	struct label *made = (struct label *)(void *)(l + 1);
	char *text = (char *)&made[n], *to = text;
	for (size_t i = 0; i < n; i++) {
		made[i] = (struct label){ .name_len = pairs[i].name_len, .value_len = pairs[i].value_len };
		made[i].name = memcpy(to, pairs[i].name, pairs[i].name_len);
		to[pairs[i].name_len] = '\0';
		to += pairs[i].name_len + 1;
		made[i].value = memcpy(to, pairs[i].value, pairs[i].value_len);
		to[pairs[i].value_len] = '\0';
		to += pairs[i].value_len + 1;
	}
	atomic_init(&l->refs, 1);
	l->n = (uint32_t)n;
	l->text_len = (uint32_t)text_len;
	l->one_at = IS_WHOLE;
	l->hash = hash64(text, text_len, 0);
	*out = l;
	return ERR_OK;
}

/* Sorts and checks `pairs` in place, drops empty ones, and makes the set. */
static enum err make_from_unsorted(struct label *pairs, size_t n, struct labels **out, struct why *why)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].name_len == 0)
			return why_set(why, ERR_FORMAT, "a label without a name");
		if (memchr(pairs[i].name, '\0', pairs[i].name_len) != NULL)
			return why_set(why, ERR_FORMAT, "a label name with a NUL byte in it");
		if (pairs[i].value_len > 0)
			pairs[kept++] = pairs[i];
	}
	sort_pairs(pairs, kept);
	for (size_t i = 1; i < kept; i++)
		if (by_name(&pairs[i - 1], &pairs[i]) == 0)
			return why_set(why, ERR_EXISTS, "label '%.*s' is there twice",
			               (int)(pairs[i].name_len < 100 ? pairs[i].name_len : 100), pairs[i].name);
	return make(pairs, kept, out, why);
}

enum err labels_new(const struct label *pairs, size_t n, struct labels **out, struct why *why)
{
	if (n > LABELS_COUNT_MAX)
		return why_set(why, ERR_LIMIT, "more than %d labels", LABELS_COUNT_MAX);
	struct label few[32], *copy = few;
	if (n > sizeof few / sizeof few[0]) {
		copy = malloc(n * sizeof *copy);
		if (copy == NULL)
			return why_memory(why);
	}
	if (n > 0)
		memcpy(copy, pairs, n * sizeof *copy);
	enum err e = make_from_unsorted(copy, n, out, why);
	if (copy != few)
		free(copy);
	return e;
}

struct labels *labels_of(const char *first_name, ...)
{
	struct label pairs[64];
	size_t n = 0;
	va_list args;
	va_start(args, first_name);
	for (const char *name = first_name; name != NULL; name = va_arg(args, const char *)) {
		const char *value = va_arg(args, const char *);
		assert(value != NULL && n < sizeof pairs / sizeof pairs[0]);
		pairs[n++] = (struct label){ name, value, (uint32_t)strlen(name), (uint32_t)strlen(value) };
	}
	va_end(args);
	struct labels *l = NULL;
	enum err e = make_from_unsorted(pairs, n, &l, NULL);
	if (e != ERR_OK)
		abort(); /* also where assert is compiled out: there is nothing to return */
	return l;
}

struct labels *labels_ref(const struct labels *l)
{
	/* The count is not part of the value that "const" protects. */
	struct labels *counted = (struct labels *)(uintptr_t)l;
	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

bool labels_is_shared(const struct labels *l)
{
	return atomic_load_explicit(&((struct labels *)(uintptr_t)l)->refs, memory_order_acquire) > 1;
}

void labels_unref(struct labels *l)
{
	if (l == NULL)
		return;
	unsigned before = atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before != 1)
		return;
	if (is_joined(l)) {
		labels_unref(joined_of(l)->one);
		labels_unref(joined_of(l)->rest);
	}
	free(l);
}

struct labels *labels_join(const struct labels *whole, const struct labels *one, const struct labels *rest)
{
	size_t at = 0;
	assert(one->n == 1 && whole->n == rest->n + 1 && whole->text_len == one->text_len + rest->text_len && !is_joined(one) && !is_joined(rest));
	while (at < rest->n && by_name(&pairs_of(rest)[at], pairs_of(one)) < 0)
		at++;
	struct joined *j = malloc(sizeof *j);
	if (j == NULL)
		return NULL;
	*j = (struct joined){ .head = { .n = whole->n, .hash = whole->hash, .text_len = whole->text_len, .one_at = (uint32_t)at },
		              .one = labels_ref(one), .rest = labels_ref(rest) };
	atomic_init(&j->head.refs, 1);
	return &j->head;
}

size_t labels_count(const struct labels *l)
{
	return l->n;
}

const struct label *labels_at(const struct labels *l, size_t i)
{
	assert(i < l->n);
	return pair_at(l, i);
}

uint64_t labels_hash(const struct labels *l)
{
	return l->hash;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
	if (a == b)
		return true;
	if (a->hash != b->hash || a->n != b->n || a->text_len != b->text_len)
		return false;
	if (is_joined(a) || is_joined(b))
		return labels_compare(a, b) == 0;
	/* Values may hold NUL bytes, so the same text could be cut differently: the lengths count too. */
	const struct label *x = pairs_of(a), *y = pairs_of(b);
	for (size_t i = 0; i < a->n; i++)
		if (x[i].name_len != y[i].name_len || x[i].value_len != y[i].value_len)
			return false;
	return memcmp(&x[a->n], &y[b->n], a->text_len) == 0;
}

int labels_compare(const struct labels *a, const struct labels *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		const struct label *x = pair_at(a, i), *y = pair_at(b, i);
		int order = by_name(x, y);
		if (order == 0)
			order = bytes_compare(x->value, x->value_len, y->value, y->value_len);
		if (order != 0)
			return order;
	}
	return (a->n > b->n) - (a->n < b->n);
}

const struct label *labels_find(const struct labels *l, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < l->n; i++) {
		const struct label *p = pair_at(l, i);
		if (p->name_len == len && memcmp(p->name, name, len) == 0)
			return p;
	}
	return NULL;
}

const char *labels_get(const struct labels *l, const char *name)
{
	const struct label *found = labels_find(l, name);
	return found != NULL ? found->value : "";
}

const char *labels_metric(const struct labels *l)
{
	return labels_get(l, LABEL_NAME);
}

/* ---- builder ---- */

void labels_builder_init(struct labels_builder *b)
{
	*b = (struct labels_builder){ 0 };
	buf_init(&b->text, 2 * LABELS_TEXT_MAX);
}

void labels_builder_release(struct labels_builder *b)
{
	buf_release(&b->text);
	free(b->pairs);
	labels_builder_init(b);
}

void labels_builder_from(struct labels_builder *b, const struct labels *l)
{
	buf_clear(&b->text);
	b->n = 0;
	b->err = ERR_OK;
	for (size_t i = 0; l != NULL && i < l->n; i++) {
		const struct label *p = pair_at(l, i);
		labels_builder_set_n(b, p->name, p->name_len, p->value, p->value_len);
	}
}

static size_t builder_find(const struct labels_builder *b, const char *name, size_t name_len)
{
	size_t i = 0;
	while (i < b->n && (b->pairs[i].name_len != name_len || memcmp(b->text.data + b->pairs[i].name_at, name, name_len) != 0))
		i++;
	return i;
}

static void builder_remove_at(struct labels_builder *b, size_t i)
{
	b->n--;
	memmove(&b->pairs[i], &b->pairs[i + 1], (b->n - i) * sizeof b->pairs[0]);
}

static bool builder_grow(struct labels_builder *b)
{
	if (b->n < b->cap)
		return true;
	size_t cap = b->cap == 0 ? 16 : b->cap * 2;
	struct label_span *pairs = b->n < LABELS_COUNT_MAX ? realloc(b->pairs, cap * sizeof *pairs) : NULL;
	if (pairs == NULL) {
		b->err = b->n < LABELS_COUNT_MAX ? ERR_MEMORY : ERR_LIMIT;
		return false;
	}
	b->pairs = pairs;
	b->cap = cap;
	return true;
}

void labels_builder_set_n(struct labels_builder *b, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (b->err != ERR_OK)
		return;
	size_t i = builder_find(b, name, name_len);
	if (value_len == 0) {
		if (i < b->n)
			builder_remove_at(b, i);
		return;
	}
	size_t name_at = b->text.len;
	if (i < b->n)
		name_at = b->pairs[i].name_at;
	else if (!builder_grow(b) || (b->err = buf_put(&b->text, name, name_len)) != ERR_OK)
		return;
	size_t value_at = b->text.len;
	b->err = buf_put(&b->text, value, value_len);
	if (b->err != ERR_OK)
		return;
	b->pairs[i] = (struct label_span){ (uint32_t)name_at, (uint32_t)name_len, (uint32_t)value_at, (uint32_t)value_len };
	if (i == b->n)
		b->n++;
}

void labels_builder_set(struct labels_builder *b, const char *name, const char *value)
{
	labels_builder_set_n(b, name, strlen(name), value, strlen(value));
}

void labels_builder_remove(struct labels_builder *b, const char *name)
{
	labels_builder_set_n(b, name, strlen(name), "", 0);
}

enum err labels_builder_build(struct labels_builder *b, struct labels **out, struct why *why)
{
	if (b->err != ERR_OK)
		return why_set(why, b->err, "cannot make a label set: %s", err_text(b->err));
	struct label few[32], *pairs = few;
	if (b->n > sizeof few / sizeof few[0]) {
		pairs = malloc(b->n * sizeof *pairs);
		if (pairs == NULL)
			return why_memory(why);
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct label_span *s = &b->pairs[i];
		pairs[i] = (struct label){ b->text.data + s->name_at, b->text.data + s->value_at, s->name_len, s->value_len };
	}
	enum err e = make_from_unsorted(pairs, b->n, out, why);
	if (pairs != few)
		free(pairs);
	return e;
}

/* ---- target labels ---- */

static int by_name_length(const void *a, const void *b)
{
	const struct label *const *x = a, *const *y = b;
	if ((*x)->name_len != (*y)->name_len)
		return (*x)->name_len < (*y)->name_len ? -1 : 1;
	return by_name(*x, *y);
}

/* Keeps `l` under the first free of exported_NAME, exported_exported_NAME, ... */
static void export_label(struct labels_builder *b, const struct label *l)
{
	struct buf name;
	buf_init(&name, LABELS_TEXT_MAX);
	buf_put(&name, l->name, l->name_len);
	do {
		struct buf longer;
		buf_init(&longer, LABELS_TEXT_MAX);
		buf_puts(&longer, "exported_");
		if (buf_put(&longer, name.data, name.len) != ERR_OK)
			b->err = longer.err;
		buf_release(&name);
		name = longer;
	} while (b->err == ERR_OK && builder_find(b, name.data, name.len) < b->n);
	if (b->err == ERR_OK)
		labels_builder_set_n(b, name.data, name.len, l->value, l->value_len);
	buf_release(&name);
}

bool label_is_own(const char *name)
{
	return strncmp(name, LABEL_PREFIX_OWN, sizeof LABEL_PREFIX_OWN - 1) == 0;
}

/* Both one after the other by name, where no name is in both. *done: none is, and they fit. */
static enum err lay_over(const struct labels *series, const struct labels *target, struct labels **out, bool *done, struct why *why)
{
	enum { FEW = 64 };
	struct label pairs[FEW];
	size_t n = 0, i = 0, k = 0;
	*done = false;
	if ((size_t)series->n + target->n > FEW)
		return ERR_OK;
	while (i < series->n || k < target->n) {
		const struct label *t = k < target->n ? pair_at(target, k) : NULL;
		if (t != NULL && label_is_own(t->name)) {
			k++;
			continue;
		}
		int order = t == NULL ? -1 : i == series->n ? 1 : by_name(pair_at(series, i), t);
		if (order == 0)
			return ERR_OK;
		pairs[n++] = order < 0 ? *pair_at(series, i++) : *pair_at(target, k++);
	}
	*done = true;
	return make(pairs, n, out, why);
}

enum err labels_with_target(const struct labels *series, const struct labels *target, struct labels **out, struct why *why)
{
	bool done;
	enum err simple = lay_over(series, target, out, &done, why);
	if (simple != ERR_OK || done)
		return simple;
	struct labels_builder b;
	labels_builder_init(&b);
	labels_builder_from(&b, series);
	const struct label **clashes = calloc((size_t)target->n + 1, sizeof *clashes);
	enum err e = ERR_OK;
	size_t n = 0;
	if (clashes == NULL) {
		e = why_memory(why);
		goto out;
	}
	for (size_t i = 0; i < target->n; i++) {
		const struct label *t = pair_at(target, i);
		if (label_is_own(t->name))
			continue;
		const struct label *clash = labels_find(series, t->name);
		if (clash != NULL)
			clashes[n++] = clash;
		labels_builder_set_n(&b, t->name, t->name_len, t->value, t->value_len);
	}
	/* Shorter names first, as Prometheus does: "a" takes "exported_a" before "exported_a" itself has to move on. */
	qsort(clashes, n, sizeof *clashes, by_name_length);
	for (size_t i = 0; i < n; i++)
		export_label(&b, clashes[i]);
	e = labels_builder_build(&b, out, why);
out:
	free(clashes);
	labels_builder_release(&b);
	return e;
}

/* ---- text and bytes ---- */

static bool is_plain(const char *text, size_t n, bool may_have_colon)
{
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && may_have_colon);
		if (!is_letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return n > 0;
}

enum err labels_print_value(const char *text, size_t n, struct buf *to)
{
	buf_putc(to, '"');
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			buf_puts(to, "\\n");
		else if (text[i] == '"' || text[i] == '\\')
			buf_printf(to, "\\%c", text[i]);
		else
			buf_putc(to, text[i]);
	}
	return buf_putc(to, '"');
}

enum err labels_print_name(const char *name, size_t n, struct buf *to)
{
	return is_plain(name, n, false) ? buf_put(to, name, n) : labels_print_value(name, n, to);
}

enum err labels_print(const struct labels *l, struct buf *to)
{
	const struct label *metric = labels_find(l, LABEL_NAME);
	bool is_in_front = metric != NULL && is_plain(metric->value, metric->value_len, true);
	if (is_in_front)
		buf_put(to, metric->value, metric->value_len);
	if (is_in_front && l->n == 1)
		return to->err;
	const char *separator = "";
	buf_putc(to, '{');
	if (metric != NULL && !is_in_front) {
		labels_print_value(metric->value, metric->value_len, to);
		separator = ",";
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct label *p = pair_at(l, i);
		if (p == metric)
			continue;
		buf_puts(to, separator);
		separator = ",";
		labels_print_name(p->name, p->name_len, to);
		buf_putc(to, '=');
		labels_print_value(p->value, p->value_len, to);
	}
	return buf_putc(to, '}');
}

static void put_varint(struct buf *to, uint64_t v)
{
	uint8_t bytes[VARINT_MAX];
	buf_put(to, bytes, varint_put(bytes, v));
}

enum err labels_encode(const struct labels *l, struct buf *to)
{
	put_varint(to, l->n);
	for (size_t i = 0; i < l->n; i++) {
		const struct label *p = pair_at(l, i);
		put_varint(to, p->name_len);
		buf_put(to, p->name, p->name_len);
		put_varint(to, p->value_len);
		buf_put(to, p->value, p->value_len);
	}
	return to->err;
}

/* Reads one length and that many bytes, of which there must be one at least. */
static bool get_text(const uint8_t **p, const uint8_t *end, const char **text, uint32_t *len)
{
	uint64_t n;
	size_t used = varint_get(*p, end, &n);
	if (used == 0 || n == 0 || n > LABELS_TEXT_MAX || n > (size_t)(end - *p) - used)
		return false;
	*text = (const char *)*p + used;
	*len = (uint32_t)n;
	*p += used + n;
	return true;
}

enum err labels_decode(const void *bytes, size_t n, size_t *used, struct labels **out, struct why *why)
{
	const uint8_t *p = bytes, *end = p + n;
	uint64_t count;
	size_t head = varint_get(p, end, &count);
	if (head == 0 || count > LABELS_COUNT_MAX || count > n / 4)
		return why_set(why, ERR_CORRUPT, "a stored label set has no valid count");
	p += head;
	struct label few[32], *pairs = few;
	if (count > sizeof few / sizeof few[0]) {
		pairs = malloc(count * sizeof *pairs);
		if (pairs == NULL)
			return why_memory(why);
	}
	enum err e = ERR_OK;
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		struct label *l = &pairs[i];
		if (!get_text(&p, end, &l->name, &l->name_len) || !get_text(&p, end, &l->value, &l->value_len))
			e = why_set(why, ERR_CORRUPT, "a stored label set is cut short");
		else if (memchr(l->name, '\0', l->name_len) != NULL || (i > 0 && by_name(l - 1, l) >= 0))
			e = why_set(why, ERR_CORRUPT, "a stored label set is out of order");
	}
	if (e == ERR_OK)
		e = make(pairs, count, out, why);
	if (e == ERR_OK && used != NULL)
		*used = (size_t)(p - (const uint8_t *)bytes);
	if (pairs != few)
		free(pairs);
	return e;
}
