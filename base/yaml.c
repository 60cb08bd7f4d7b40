/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree is built from libyaml's events with a stack of open lists and mappings. Nodes are in one arena; an alias is a pointer to the
 * node that was anchored, so that a tree's memory is bounded by the text, and what a walk over it can cost by the weight of its root. */
#include "base/yaml.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/slurp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml {
	struct arena            arena;
	char                   *file;
	struct diagnostics     *diagnostics;
	const struct yaml_node *root;
};

/* A list or mapping whose end has not come yet. A mapping's keys and values alternate in `nodes`. */
struct open_node {
	struct yaml_node       *node;
	size_t                  anchor; /* its place in anchors + 1; 0: none */
	const struct yaml_node **nodes;
	size_t                  n, cap;
};

struct anchor {
	const char             *name; /* in the arena */
	const struct yaml_node *node; /* NULL while it is open */
};

struct build {
	struct yaml     *y;
	yaml_parser_t    parser;
	yaml_event_t     event;
	struct open_node open[YAML_DEPTH_MAX];
	size_t           depth;
	struct anchor   *anchors;
	size_t           n_anchors, cap_anchors;
	size_t           n_nodes;
	size_t           n_documents;
};

static enum err fail(struct build *b, enum err e, const yaml_mark_t *at, const char *text)
{
	diagnostics_add(b->y->diagnostics, DIAGNOSTIC_ERROR, b->y->file, (int)at->line + 1, (int)at->column + 1, "%s", text);
	return e;
}

static enum err fail_memory(struct build *b)
{
	if (b->y->diagnostics != NULL)
		b->y->diagnostics->err = ERR_MEMORY;
	return ERR_MEMORY;
}

/* ---- nodes ---- */

static struct yaml_node *new_node(struct build *b, enum yaml_kind kind)
{
	struct yaml_node *node = arena_zeroed(&b->y->arena, 1, sizeof *node);
	if (node != NULL) {
		node->kind = kind;
		node->line = (int)b->event.start_mark.line + 1;
		node->col = (int)b->event.start_mark.column + 1;
		node->weight = 1;
		node->text = "";
	}
	return node;
}

static bool has_room(void **items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	size_t more = *cap == 0 ? 8 : *cap * 2;
	void *grown = realloc(*items, more * size);
	if (grown == NULL)
		return false;
	*items = grown;
	*cap = more;
	return true;
}

/* Remembers an anchor's name; its node is known once it is whole. Writes its place + 1, or 0 for a node without one. */
static enum err note_anchor(struct build *b, const yaml_char_t *name, size_t *place)
{
	*place = 0;
	if (name == NULL)
		return ERR_OK;
	void *items = b->anchors;
	if (!has_room(&items, b->n_anchors, &b->cap_anchors, sizeof *b->anchors))
		return fail_memory(b);
	b->anchors = items;
	char *copy = arena_text(&b->y->arena, (const char *)name);
	if (copy == NULL)
		return fail_memory(b);
	b->anchors[b->n_anchors] = (struct anchor){ .name = copy };
	*place = ++b->n_anchors;
	return ERR_OK;
}

/* A whole node goes into the innermost open one, or is the root. */
static enum err add_node(struct build *b, const struct yaml_node *node, size_t anchor)
{
	if (anchor > 0)
		b->anchors[anchor - 1].node = node;
	if (b->depth == 0) {
		b->y->root = node;
		return ERR_OK;
	}
	struct open_node *in = &b->open[b->depth - 1];
	if (in->node->kind == YAML_MAP && in->n % 2 == 0 && node->kind != YAML_SCALAR) {
		yaml_error(b->y, node, "a key must be a single word, not a list or mapping");
		return ERR_FORMAT;
	}
	void *items = in->nodes;
	if (!has_room(&items, in->n, &in->cap, sizeof *in->nodes))
		return fail_memory(b);
	in->nodes = items;
	in->nodes[in->n++] = node;
	in->node->weight += node->weight;
	if (in->node->weight > YAML_NODES_MAX)
		return fail(b, ERR_LIMIT, &b->event.start_mark, "too many nodes, counting those behind aliases (a million at the most)");
	return ERR_OK;
}

static enum err on_scalar(struct build *b)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR);
	size_t anchor;
	enum err e = note_anchor(b, b->event.data.scalar.anchor, &anchor);
	if (e != ERR_OK)
		return e;
	size_t len = b->event.data.scalar.length;
	char *text = arena_zeroed(&b->y->arena, len + 1, 1);
	if (node == NULL || text == NULL)
		return fail_memory(b);
	memcpy(text, b->event.data.scalar.value, len);
	if (memchr(text, '\0', len) != NULL)
		return fail(b, ERR_FORMAT, &b->event.start_mark, "a text holds a NUL byte");
	node->text = text;
	node->len = len;
	node->is_plain = b->event.data.scalar.plain_implicit && b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return add_node(b, node, anchor);
}

static enum err on_alias(struct build *b)
{
	const char *name = (const char *)b->event.data.alias.anchor;
	for (size_t i = b->n_anchors; i > 0; i--) {
		if (strcmp(b->anchors[i - 1].name, name) != 0)
			continue;
		if (b->anchors[i - 1].node == NULL)
			return fail(b, ERR_FORMAT, &b->event.start_mark, "an alias stands inside of its own anchor");
		return add_node(b, b->anchors[i - 1].node, 0);
	}
	return fail(b, ERR_FORMAT, &b->event.start_mark, "an alias of an anchor that is not there before it");
}

static enum err on_start(struct build *b, enum yaml_kind kind, const yaml_char_t *anchor)
{
	if (b->depth == YAML_DEPTH_MAX)
		return fail(b, ERR_LIMIT, &b->event.start_mark, "lists and mappings are nested too deep (64 at the most)");
	struct open_node in = { .node = new_node(b, kind) };
	enum err e = note_anchor(b, anchor, &in.anchor);
	if (e != ERR_OK)
		return e;
	if (in.node == NULL)
		return fail_memory(b);
	b->open[b->depth++] = in;
	return ERR_OK;
}

/* ---- mappings: merging and repeated keys ---- */

struct pair {
	const struct yaml_node *key, *value;
	size_t                  order;
	bool                    is_merged; /* came through "<<": gives way silently */
	const struct yaml_node *first;     /* where the same key stands before it; NULL: nowhere */
};

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = strcmp(x->key->text, y->key->text);
	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->order > y->order) - (x->order < y->order);
}

static bool is_merge_key(const struct yaml_node *key)
{
	return key->is_plain && strcmp(key->text, "<<") == 0;
}

/* How many pairs merging `value` adds; SIZE_MAX: it is neither a mapping nor a list of them. */
static size_t merged_count(const struct yaml_node *value)
{
	if (value->kind == YAML_MAP)
		return value->n;
	size_t n = 0;
	for (size_t i = 0; i < value->n; i++) {
		if (value->items[i]->kind != YAML_MAP)
			return SIZE_MAX;
		n += value->items[i]->n;
	}
	return value->kind == YAML_LIST ? n : SIZE_MAX;
}

static void merge_map(struct pair *pairs, size_t *n, const struct yaml_node *map)
{
	for (size_t i = 0; i < map->n; i++, (*n)++)
		pairs[*n] = (struct pair){ .key = map->keys[i], .value = map->items[i], .order = *n, .is_merged = true };
}

/* Own pairs first, then what "<<" brings: the first of a key wins. */
static enum err collect_pairs(struct build *b, const struct open_node *in, struct pair **out, size_t *n_out)
{
	size_t room = in->n / 2 + 1, n = 0;
	for (size_t i = 0; i < in->n; i += 2) {
		if (!is_merge_key(in->nodes[i]))
			continue;
		size_t more = merged_count(in->nodes[i + 1]);
		if (more == SIZE_MAX) {
			yaml_error(b->y, in->nodes[i + 1], "'<<' merges a mapping or a list of mappings");
			return ERR_FORMAT;
		}
		room += more;
	}
	struct pair *pairs = calloc(room, sizeof *pairs);
	if (pairs == NULL)
		return fail_memory(b);
	for (size_t i = 0; i < in->n; i += 2) {
		if (!is_merge_key(in->nodes[i])) {
			pairs[n] = (struct pair){ .key = in->nodes[i], .value = in->nodes[i + 1], .order = n };
			n++;
		}
	}
	for (size_t i = 0; i < in->n; i += 2) {
		const struct yaml_node *value = in->nodes[i + 1];
		if (!is_merge_key(in->nodes[i]))
			continue;
		if (value->kind == YAML_MAP)
			merge_map(pairs, &n, value);
		for (size_t j = 0; value->kind == YAML_LIST && j < value->n; j++)
			merge_map(pairs, &n, value->items[j]);
	}
	*out = pairs;
	*n_out = n;
	return ERR_OK;
}

static void mark_repeated(struct pair *pairs, size_t n)
{
	qsort(pairs, n, sizeof *pairs, by_key);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(pairs[i].key->text, pairs[first].key->text) == 0)
			pairs[i].first = pairs[first].key;
		else
			first = i;
	}
	qsort(pairs, n, sizeof *pairs, by_order);
}

static enum err close_map(struct build *b, struct open_node *in)
{
	struct pair *pairs;
	size_t n;
	enum err e = collect_pairs(b, in, &pairs, &n);
	if (e != ERR_OK)
		return e;
	mark_repeated(pairs, n);
	struct yaml_node *node = in->node;
	node->keys = arena_zeroed(&b->y->arena, n + 1, sizeof *node->keys);
	node->items = arena_zeroed(&b->y->arena, n + 1, sizeof *node->items);
	if (node->keys == NULL || node->items == NULL) {
		free(pairs);
		return fail_memory(b);
	}
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].first == NULL) {
			node->keys[node->n] = pairs[i].key;
			node->items[node->n++] = pairs[i].value;
		} else if (!pairs[i].is_merged) {
			yaml_error(b->y, pairs[i].key, "key '%s' is here twice (first in line %d)", pairs[i].key->text, pairs[i].first->line);
		}
	}
	free(pairs);
	return ERR_OK;
}

static enum err on_end(struct build *b)
{
	assert(b->depth > 0);
	struct open_node *in = &b->open[b->depth - 1];
	if (in->node->kind == YAML_MAP) {
		enum err e = close_map(b, in);
		if (e != ERR_OK)
			return e;
	} else {
		in->node->items = arena_zeroed(&b->y->arena, in->n + 1, sizeof *in->node->items);
		if (in->node->items == NULL)
			return fail_memory(b);
		if (in->n > 0)
			memcpy(in->node->items, in->nodes, in->n * sizeof *in->nodes);
		in->node->n = in->n;
	}
	struct yaml_node *node = in->node;
	size_t anchor = in->anchor;
	free(in->nodes);
	b->depth--;
	return add_node(b, node, anchor);
}

/* ---- events ---- */

static enum err on_document(struct build *b)
{
	if (b->n_documents++ > 0)
		return fail(b, ERR_FORMAT, &b->event.start_mark, "more than one YAML document in a file");
	return ERR_OK;
}

static enum err on_event(struct build *b)
{
	bool is_node = b->event.type == YAML_SCALAR_EVENT || b->event.type == YAML_ALIAS_EVENT ||
	               b->event.type == YAML_SEQUENCE_START_EVENT || b->event.type == YAML_MAPPING_START_EVENT;
	if (is_node && ++b->n_nodes > YAML_NODES_MAX)
		return fail(b, ERR_LIMIT, &b->event.start_mark, "too many nodes (a million at the most)");
	switch (b->event.type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b);
	case YAML_SCALAR_EVENT:
		return on_scalar(b);
	case YAML_ALIAS_EVENT:
		return on_alias(b);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, YAML_LIST, b->event.data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, YAML_MAP, b->event.data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return ERR_OK;
}

/* libyaml's reader knows only the offset of a byte that is no UTF-8. */
static void place_of(const char *text, size_t n, size_t offset, yaml_mark_t *mark)
{
	*mark = (yaml_mark_t){ 0 };
	for (size_t i = 0; i < n && i < offset; i++) {
		if (text[i] == '\n') {
			mark->line++;
			mark->column = 0;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			mark->column++;
		}
	}
}

static enum err on_parser_error(struct build *b, const char *text, size_t n)
{
	const yaml_parser_t *p = &b->parser;
	const char *problem = p->problem != NULL ? p->problem : "malformed YAML";
	if (p->error == YAML_MEMORY_ERROR)
		return fail_memory(b);
	if (p->error == YAML_READER_ERROR) {
		yaml_mark_t at;
		place_of(text, n, p->problem_offset, &at);
		return fail(b, ERR_FORMAT, &at, problem);
	}
	struct buf sentence;
	buf_init(&sentence, 1024);
	buf_puts(&sentence, problem);
	if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
		buf_printf(&sentence, " %s that began in line %zu", p->context, p->context_mark.line + 1);
	else if (p->context != NULL)
		buf_printf(&sentence, " %s", p->context);
	enum err e = sentence.err == ERR_MEMORY ? fail_memory(b) : fail(b, ERR_FORMAT, &p->problem_mark, buf_text(&sentence));
	buf_release(&sentence);
	return e;
}

static enum err build_tree(struct build *b, const char *text, size_t n)
{
	enum err e = ERR_OK;
	if (!yaml_parser_initialize(&b->parser))
		return fail_memory(b);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, n);
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	for (bool is_over = false; e == ERR_OK && !is_over;) {
		if (!yaml_parser_parse(&b->parser, &b->event)) {
			e = on_parser_error(b, text, n);
			break;
		}
		e = on_event(b);
		is_over = b->event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&b->event);
	}
	while (b->depth > 0)
		free(b->open[--b->depth].nodes);
	free(b->anchors);
	yaml_parser_delete(&b->parser);
	if (e == ERR_OK && b->y->root == NULL) { /* nothing in the file */
		struct yaml_node *node = new_node(b, YAML_SCALAR);
		if (node != NULL)
			*node = (struct yaml_node){ .kind = YAML_SCALAR, .is_plain = true, .line = 1, .col = 1, .text = "", .weight = 1 };
		b->y->root = node;
	}
	return e == ERR_OK && arena_failed(&b->y->arena) ? fail_memory(b) : e;
}

enum err yaml_parse(const char *text, size_t n, const char *file, struct diagnostics *d, struct yaml **out)
{
	struct yaml *y = calloc(1, sizeof *y);
	struct build *b = calloc(1, sizeof *b);
	enum err e = ERR_MEMORY;
	if (y == NULL || b == NULL)
		goto out;
	arena_init(&y->arena);
	y->diagnostics = d;
	y->file = strdup(file);
	if (y->file == NULL)
		goto out;
	b->y = y;
	if (n > YAML_BYTES_MAX) {
		diagnostics_add(d, DIAGNOSTIC_ERROR, file, 0, 0, "too large (more than 8 MiB)");
		e = ERR_LIMIT;
		goto out;
	}
	e = build_tree(b, text, n);
	if (e != ERR_OK)
		goto out;
	*out = y;
	y = NULL;
out:
	if (e == ERR_MEMORY && d != NULL)
		d->err = ERR_MEMORY;
	yaml_discard(y);
	free(b);
	return e;
}

enum err yaml_read(const char *path, struct diagnostics *d, struct yaml **out)
{
	struct buf text;
	struct why why;
	buf_init(&text, YAML_BYTES_MAX + 64 * 1024);
	enum err e = slurp(path, YAML_BYTES_MAX, &text, NULL, &why);
	if (e == ERR_OK)
		e = yaml_parse(buf_text(&text), text.len, path, d, out);
	else
		diagnostics_add(d, DIAGNOSTIC_ERROR, path, 0, 0, "%s", why.text);
	buf_release(&text);
	return e;
}

void yaml_discard(struct yaml *y)
{
	if (y == NULL)
		return;
	arena_release(&y->arena);
	free(y->file);
	free(y);
}

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return y->root;
}

const char *yaml_file(const struct yaml *y)
{
	return y->file;
}

struct diagnostics *yaml_diagnostics(const struct yaml *y)
{
	return y->diagnostics;
}
