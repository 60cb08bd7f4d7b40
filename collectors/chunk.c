/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Labels of fewer bytes are not worth a place of their own. */
enum { TAIL_LEAST = 64, COUNTS_LEAST = 1024, COUNTS_A_PIECE = 4 };

enum err chunks_init(struct chunks *c)
{
	*c = (struct chunks){ .buckets = calloc(CHUNK_BUCKETS, sizeof(struct chunk *)), .heads = calloc(CHUNK_BUCKETS, sizeof *c->heads) };
	if (c->buckets != NULL && c->heads != NULL)
		return ERR_OK;
	chunks_release(c);
	return ERR_MEMORY;
}

void chunks_release(struct chunks *c)
{
	free(c->buckets);
	free(c->heads);
	*c = (struct chunks){ 0 };
}

void chunk_tails_release(struct chunk_tails *t)
{
	free(t->counts);
	*t = (struct chunk_tails){ 0 };
}

/* ---- pieces of a body ---- */

/* Where piece i begins in the body, and where it ends. */
static size_t piece_begin(const struct draft *d, size_t i)
{
	return i > 0 ? (size_t)d->lines[i - 1].value_at + d->lines[i - 1].value_len : 0;
}

static size_t piece_end(const struct draft *d, size_t i, size_t len)
{
	return i < d->n_lines ? d->lines[i].value_at : len;
}

/* Some pieces, CHUNK_PIECES at the most. */
struct cut {
	const char *at[CHUNK_PIECES];
	uint32_t    len[CHUNK_PIECES];
	size_t      n, text_len;
	uint64_t    hash;
};

/* A piece between two sample lines is a line feed, the series' text and a blank: then the text's hash is known, mostly, and stands for it. */
static uint64_t piece_hash(const char *p, size_t n, uint64_t seed, const struct draft_line *line)
{
	if (n < 2 || p[0] != '\n' || p[n - 1] != ' ')
		return ~hash64(p, n, seed);
	if (line != NULL && line->text_len == n - 2)
		return line->text_hash;
	return hash64(p + 1, n - 2, seed);
}

static void cut_begin(struct cut *c, uint64_t seed)
{
	c->n = c->text_len = 0;
	c->hash = seed;
}

/* `line` is the one that the piece stands before, where its text may be known. */
static void cut_add(struct cut *c, const char *p, size_t n, uint64_t seed, const struct draft_line *line)
{
	c->at[c->n] = p;
	c->len[c->n++] = (uint32_t)n;
	c->text_len += n;
	uint64_t mixed = (c->hash ^ (c->hash >> 29) ^ piece_hash(p, n, seed, line)) * UINT64_C(0x9e3779b97f4a7c15);
	c->hash = mixed ^ mixed >> 32;
}

static void cut_at(struct cut *c, const struct draft *d, size_t first, const char *body, size_t len)
{
	size_t left = d->n_lines + 1 - first, n = left < CHUNK_PIECES ? left : CHUNK_PIECES;
	cut_begin(c, d->seed);
	for (size_t i = first; i < first + n; i++) {
		size_t begin = piece_begin(d, i);
		cut_add(c, body + begin, piece_end(d, i, len) - begin, d->seed, i < d->n_lines ? &d->lines[i] : NULL);
	}
}

/* How much of a piece stands before its labels: up to the first brace of its last line. The whole piece, where what is behind it is short. */
static size_t head_len(const char *p, size_t n)
{
	if (n < TAIL_LEAST)
		return n;
	const char *lf = memrchr(p, '\n', n), *line = lf != NULL ? lf : p;
	const char *brace = memchr(line, '{', (size_t)(p + n - line));
	return brace != NULL && (size_t)(p + n - brace) >= TAIL_LEAST ? (size_t)(brace - p) : n;
}

/* False: most of its pieces have no labels to speak of. */
static bool cut_heads(struct cut *heads, const struct cut *c, uint64_t seed)
{
	size_t n_tails = 0, len[CHUNK_PIECES];
	for (size_t i = 0; i < c->n; i++) {
		len[i] = head_len(c->at[i], c->len[i]);
		n_tails += len[i] < c->len[i];
	}
	if (2 * n_tails < c->n)
		return false;
	cut_begin(heads, seed);
	for (size_t i = 0; i < c->n; i++)
		cut_add(heads, c->at[i], len[i], seed, NULL);
	return true;
}

/* ---- whole ones ---- */

static bool is_same_whole(const struct chunk *k, const struct cut *c)
{
	const char *text = chunk_text(k);
	if (memcmp(chunk_lengths(k), c->len, c->n * sizeof c->len[0]) != 0)
		return false;
	for (size_t i = 0; i < c->n; text += c->len[i], i++)
		if (memcmp(text, c->at[i], c->len[i]) != 0)
			return false;
	return true;
}

static struct chunk *insert(struct chunks *all, struct chunk *k, const struct cut *c, bool is_joined)
{
	struct chunk **bucket = &all->buckets[c->hash % CHUNK_BUCKETS];
	*k = (struct chunk){ .next = *bucket, .hash = c->hash, .refs = 1, .text_len = (uint32_t)c->text_len, .n = (uint16_t)c->n, .is_joined = is_joined };
	*bucket = k;
	return k;
}

static struct chunk *make_whole(struct chunks *all, const struct cut *c)
{
	struct chunk *k = malloc(sizeof *k + c->n * sizeof c->len[0] + c->text_len + CHUNK_SLACK);
	if (k == NULL)
		return NULL;
	uint32_t *lengths = (uint32_t *)(void *)(k + 1);
	char     *to = (char *)(lengths + c->n);
	memcpy(lengths, c->len, c->n * sizeof c->len[0]);
	for (size_t i = 0; i < c->n; to += c->len[i], i++)
		memcpy(to, c->at[i], c->len[i]);
	memset(to, 0, CHUNK_SLACK);
	return insert(all, k, c, false);
}

/* What a joined one consists of. */
static struct chunk *get_part(struct chunks *all, const struct cut *c)
{
	for (struct chunk *k = all->buckets[c->hash % CHUNK_BUCKETS]; k != NULL; k = k->next) {
		if (k->hash != c->hash || k->n != c->n || k->text_len != c->text_len || k->is_joined || !is_same_whole(k, c))
			continue;
		k->refs++;
		return k;
	}
	return make_whole(all, c);
}

/* ---- joined ones ---- */

static bool is_same_joined(const struct chunk *k, const struct cut *c)
{
	struct chunk *const *part = chunk_parts(k);
	const char          *head = chunk_text(part[0]);
	for (size_t i = 0; i < c->n; i++) {
		size_t              n = chunk_lengths(part[0])[i];
		const struct chunk *tail = part[1 + i];
		if (n + (tail != NULL ? tail->text_len : 0) != c->len[i] || memcmp(head, c->at[i], n) != 0)
			return false;
		if (tail != NULL && memcmp(chunk_text(tail), c->at[i] + n, tail->text_len) != 0)
			return false;
		head += n;
	}
	return true;
}

static void unref_parts(struct chunks *all, const struct chunk *k)
{
	for (size_t i = 0; i <= k->n; i++)
		chunk_unref(all, chunk_parts(k)[i]);
}

static struct chunk *make_joined(struct chunks *all, const struct cut *c, const struct cut *heads, uint64_t seed)
{
	struct chunk *k = malloc(sizeof *k + (c->n + 1) * sizeof(struct chunk *));
	if (k == NULL)
		return NULL;
	struct chunk **part = (struct chunk **)(void *)(k + 1);
	bool           has_all = (part[0] = get_part(all, heads)) != NULL;
	for (size_t i = 0; i < c->n; i++) {
		struct cut tail;
		size_t     n = heads->len[i];
		part[1 + i] = NULL;
		if (n == c->len[i] || !has_all)
			continue;
		cut_begin(&tail, seed);
		cut_add(&tail, c->at[i] + n, c->len[i] - n, seed, NULL);
		has_all = (part[1 + i] = get_part(all, &tail)) != NULL;
	}
	k->n = (uint16_t)c->n;
	if (has_all)
		return insert(all, k, c, true);
	unref_parts(all, k);
	free(k);
	return NULL;
}

/* ---- which of the two ---- */

static uint64_t tail_hash(const char *p, size_t n, size_t head, uint64_t seed)
{
	return hash64(p + head, n - head, seed);
}

static bool count_tails(struct chunk_tails *t, const struct draft *d, const char *body, size_t len)
{
	if (t->counts != NULL)
		return true;
	size_t size = COUNTS_LEAST;
	while (size < COUNTS_A_PIECE * (d->n_lines + 1))
		size *= 2;
	t->counts = calloc(size, 1);
	t->size = size;
	for (size_t i = 0; t->counts != NULL && i <= d->n_lines; i++) {
		size_t begin = piece_begin(d, i), n = piece_end(d, i, len) - begin, head = head_len(body + begin, n);
		if (head == n)
			continue;
		uint8_t *count = &t->counts[tail_hash(body + begin, n, head, d->seed) & (size - 1)];
		*count = *count < 2 ? *count + 1 : 2;
	}
	return t->counts != NULL;
}

/* Were these heads seen before, with other labels then? */
static bool note_heads(struct chunks *all, uint64_t hash)
{
	uint32_t mark = (uint32_t)(hash >> 32) | 1, *at = &all->heads[hash % CHUNK_BUCKETS];
	bool     was_seen = *at == mark;
	*at = mark;
	return was_seen;
}

/* Labels of which half or more stand in the body again are worth being kept apart, where another body has the same heads. */
static bool is_worth_joining(struct chunks *all, const struct cut *c, const struct cut *heads, const struct draft *d, struct chunk_tails *tails,
                             const char *body, size_t len)
{
	size_t n_again = 0, n_tails = 0;
	if (!note_heads(all, heads->hash) || !count_tails(tails, d, body, len))
		return false;
	for (size_t i = 0; i < c->n; i++) {
		if (heads->len[i] == c->len[i])
			continue;
		n_tails++;
		n_again += tails->counts[tail_hash(c->at[i], c->len[i], heads->len[i], d->seed) & (tails->size - 1)] > 1;
	}
	return 2 * n_again >= n_tails;
}

struct chunk *chunk_get(struct chunks *all, const struct draft *d, struct chunk_tails *tails, size_t first, const char *body, size_t len)
{
	struct cut c, heads;
	cut_at(&c, d, first, body, len);
	for (struct chunk *k = all->buckets[c.hash % CHUNK_BUCKETS]; k != NULL; k = k->next) {
		if (k->hash != c.hash || k->n != c.n || k->text_len != c.text_len || !(k->is_joined ? is_same_joined(k, &c) : is_same_whole(k, &c)))
			continue;
		k->refs++;
		return k;
	}
	if (!cut_heads(&heads, &c, d->seed))
		return make_whole(all, &c);
	return is_worth_joining(all, &c, &heads, d, tails, body, len) ? make_joined(all, &c, &heads, d->seed) : make_whole(all, &c);
}

void chunk_unref(struct chunks *all, struct chunk *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	struct chunk **at = &all->buckets[k->hash % CHUNK_BUCKETS];
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (k->is_joined)
		unref_parts(all, k);
	free(k);
}
