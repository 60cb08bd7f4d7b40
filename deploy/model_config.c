/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/model_config.h"

#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/text.h"

enum { DEPTH_MAX = 16, NODES_MAX = 8000, NAME_MAX_LEN = 1000, NUMBER_LEN = 24, EDITS_MAX = 4 };

/* A field: its name, and a scalar's text or a message's fields. An item of a list is a field of its own. */
struct text_node {
	const char             *name;
	const char             *text;               /* a scalar's, quotes and escapes undone; NULL: a message */
	size_t                  value, value_end;   /* where the value stands, brackets and quotes with it */
	struct text_node       *first, *next;
};

struct reader {
	struct arena *arena;
	const char   *text;
	size_t        n, at;
	size_t        n_nodes;
	struct why   *why;
	enum err      err;
};

static bool fail(struct reader *r, enum err e, const char *what)
{
	size_t line = 1;
	for (size_t i = 0; i < r->at && i < r->n; i++)
		line += r->text[i] == '\n';
	if (r->err == ERR_OK)
		r->err = why_set(r->why, e, "models.config, line %zu: %s", line, what);
	return false;
}

static char peek(const struct reader *r) { return r->at < r->n ? r->text[r->at] : '\0'; }

static void skip(struct reader *r)
{
	while (r->at < r->n) {
		char c = r->text[r->at];
		if (c == '#')
			while (r->at < r->n && r->text[r->at] != '\n')
				r->at++;
		else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f')
			r->at++;
		else
			break;
	}
}

/* What was read of something goes into the arena: it is never longer than its source. */
static const char *keep(struct reader *r, const struct buf *b)
{
	const char *copy = b->err == ERR_OK ? arena_text(r->arena, buf_text(b)) : NULL;
	if (copy == NULL)
		fail(r, ERR_MEMORY, "out of memory");
	return copy;
}

/* ---- scalars ---- */

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '.'; }

static bool read_digits(struct reader *r, int base, size_t most, unsigned *out)
{
	size_t n = 0;
	*out = 0;
	for (; n < most; n++, r->at++) {
		char c = peek(r);
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
		if (digit >= base)
			break;
		*out = *out * (unsigned)base + (unsigned)digit;
	}
	return n > 0;
}

static bool read_escape(struct reader *r, struct buf *to)
{
	static const char letters[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	char c = peek(r);
	const char *plain = c != '\0' ? strchr(letters, c) : NULL;
	unsigned value = 0;
	if (plain != NULL) {
		buf_putc(to, bytes[plain - letters]);
		r->at++;
		return true;
	}
	if (c == '\\' || c == '\'' || c == '"' || c == '?') {
		buf_putc(to, c);
		r->at++;
		return true;
	}
	if (c == 'x' || c == 'X')
		r->at++;
	if (!read_digits(r, c == 'x' || c == 'X' ? 16 : 8, c == 'x' || c == 'X' ? 2 : 3, &value) || value == 0 || value > 255)
		return fail(r, ERR_UNSUPPORTED, "an escape in a text that is not understood");
	buf_putc(to, (char)value);
	return true;
}

/* Texts that follow each other are one. */
static bool read_strings(struct reader *r, struct buf *to, size_t *end)
{
	while (peek(r) == '"' || peek(r) == '\'') {
		char quote = peek(r);
		for (r->at++; peek(r) != quote;) {
			if (r->at >= r->n || peek(r) == '\n' || peek(r) == '\0')
				return fail(r, ERR_FORMAT, "a text does not end on its line");
			if (peek(r) == '\\') {
				r->at++;
				if (!read_escape(r, to))
					return false;
			} else {
				buf_putc(to, r->text[r->at++]);
			}
		}
		*end = ++r->at;
		skip(r);
	}
	return true;
}

static bool read_scalar(struct reader *r, struct text_node *out)
{
	struct buf text;
	bool is_good = true;
	buf_init(&text, MODEL_CONFIG_BYTES);
	out->value = r->at;
	if (peek(r) == '"' || peek(r) == '\'') {
		is_good = read_strings(r, &text, &out->value_end);
	} else {
		while (is_word(peek(r)))
			buf_putc(&text, r->text[r->at++]);
		out->value_end = r->at;
		is_good = text.len > 0 || fail(r, ERR_FORMAT, "a value is missing");
	}
	out->text = is_good ? keep(r, &text) : NULL;
	buf_release(&text);
	return out->text != NULL;
}

/* ---- fields ---- */

static struct text_node *read_fields(struct reader *r, char end, int depth);

static struct text_node *new_node(struct reader *r, const char *name)
{
	struct text_node *node = ++r->n_nodes <= NODES_MAX ? arena_zeroed(r->arena, 1, sizeof *node) : NULL;
	if (node == NULL)
		fail(r, r->n_nodes > NODES_MAX ? ERR_LIMIT : ERR_MEMORY, "too much in it");
	else
		node->name = name;
	return node;
}

static bool read_value(struct reader *r, struct text_node *out, bool needs_colon, int depth)
{
	char open = peek(r);
	if (open != '{' && open != '<')
		return needs_colon ? fail(r, ERR_FORMAT, "':' or '{' is missing behind a name") : read_scalar(r, out);
	if (depth == DEPTH_MAX)
		return fail(r, ERR_LIMIT, "too deep");
	out->value = r->at++;
	out->first = read_fields(r, open == '{' ? '}' : '>', depth + 1);
	out->value_end = r->at;
	return r->err == ERR_OK;
}

/* "[a, b]": a node for each. Returns where the next goes. */
static struct text_node **read_list(struct reader *r, const char *name, struct text_node **to, int depth)
{
	r->at++;
	skip(r);
	while (r->err == ERR_OK && peek(r) != ']') {
		struct text_node *node = new_node(r, name);
		if (node == NULL || !read_value(r, node, false, depth))
			return to;
		*to = node;
		to = &node->next;
		skip(r);
		if (peek(r) == ',') {
			r->at++;
			skip(r);
		} else if (peek(r) != ']') {
			fail(r, ERR_FORMAT, "',' or ']' is missing in a list");
		}
	}
	r->at += r->err == ERR_OK;
	return to;
}

static const char *read_name(struct reader *r)
{
	struct buf name;
	const char *copy = NULL;
	buf_init(&name, NAME_MAX_LEN);
	if (peek(r) == '[') { /* an extension or the type of an Any: kept, not understood */
		while (r->at < r->n && peek(r) != ']' && peek(r) != '\n' && peek(r) != '\0')
			buf_putc(&name, r->text[r->at++]);
		if (peek(r) == ']')
			r->at++;
		else
			buf_clear(&name);
	} else {
		while (is_word(peek(r)) && name.err == ERR_OK)
			buf_putc(&name, r->text[r->at++]);
	}
	if (name.len == 0 || name.err != ERR_OK)
		fail(r, ERR_FORMAT, "the name of a field is missing, or too long");
	else
		copy = keep(r, &name);
	buf_release(&name);
	return copy;
}

/* Until `end` ('\0': of the text), which is read too. */
static struct text_node *read_fields(struct reader *r, char end, int depth)
{
	struct text_node *first = NULL, **to = &first;
	for (skip(r); r->err == ERR_OK && (end == '\0' ? r->at < r->n : peek(r) != end); skip(r)) {
		const char *name = read_name(r);
		if (name == NULL)
			return first;
		skip(r);
		bool has_colon = peek(r) == ':';
		r->at += has_colon;
		skip(r);
		if (peek(r) == '[') {
			to = read_list(r, name, to, depth);
		} else {
			struct text_node *node = new_node(r, name);
			if (node == NULL || !read_value(r, node, !has_colon, depth))
				return first;
			*to = node;
			to = &node->next;
		}
		skip(r);
		if (peek(r) == ',' || peek(r) == ';')
			r->at++;
	}
	r->at += r->err == ERR_OK && end != '\0';
	return first;
}

/* ---- models ---- */

static const struct text_node *child(const struct text_node *of, const char *name)
{
	for (const struct text_node *c = of != NULL ? of->first : NULL; c != NULL; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static size_t count(const struct text_node *of, const char *name)
{
	size_t n = 0;
	for (const struct text_node *c = of->first; c != NULL; c = c->next)
		n += strcmp(c->name, name) == 0;
	return n;
}

static const char *text_of(const struct text_node *of, const char *name)
{
	const struct text_node *c = child(of, name);
	return c != NULL && c->text != NULL ? c->text : "";
}

static bool number_of(const struct text_node *node, int64_t *out) { return node != NULL && node->text != NULL && parse_i64(node->text, 0, INT64_MAX, out) == ERR_OK; }

static bool take_versions(struct model_config *m, const struct text_node *specific)
{
	for (const struct text_node *c = specific->first; c != NULL; c = c->next) {
		if (strcmp(c->name, "versions") != 0)
			continue;
		if (m->n_versions == MODEL_CONFIG_VERSIONS || !number_of(c, &m->versions[m->n_versions]))
			return false;
		m->n_versions++;
	}
	return true;
}

static bool take_labels(struct model_config *m, const struct text_node *config)
{
	for (const struct text_node *c = config->first; c != NULL; c = c->next) {
		if (strcmp(c->name, "version_labels") != 0)
			continue;
		if (m->n_labels == MODEL_CONFIG_LABELS || c->text != NULL || count(c, "key") != 1 || count(c, "value") != 1 || !number_of(child(c, "value"), &m->labels[m->n_labels].version))
			return false;
		m->labels[m->n_labels++].key = text_of(c, "key");
	}
	return true;
}

static bool take_model(struct model_config *m, const struct text_node *config)
{
	const struct text_node *policy = child(config, "model_version_policy"), *specific = child(policy, "specific");
	*m = (struct model_config){ .name = text_of(config, "name"), .base_path = text_of(config, "base_path"), .node = config };
	if (config->text != NULL || count(config, "model_version_policy") > 1 || count(config, "name") > 1 || (policy != NULL && policy->text != NULL))
		return false;
	m->policy = specific != NULL ? POLICY_SPECIFIC : child(policy, "all") != NULL ? POLICY_ALL : POLICY_LATEST;
	return (specific == NULL || take_versions(m, specific)) && take_labels(m, config);
}

enum err model_config_read(struct arena *a, const char *text, size_t n, struct model_configs *out, struct why *why)
{
	struct reader r = { .arena = a, .text = text, .n = n, .why = why };
	struct model_configs all = { .items = NULL };
	if (n > MODEL_CONFIG_BYTES)
		return why_set(why, ERR_LIMIT, "models.config is longer than %d bytes", MODEL_CONFIG_BYTES);
	if (!text_is_utf8(text, n) || memchr(text, '\0', n) != NULL)
		return why_set(why, ERR_FORMAT, "models.config is not UTF-8");
	const struct text_node top = { .name = "", .first = read_fields(&r, '\0', 0) }, *list = child(&top, "model_config_list");
	if (r.err != ERR_OK)
		return r.err;
	if (list == NULL || list->text != NULL || count(&top, "model_config_list") != 1)
		return why_set(why, ERR_FORMAT, "models.config has no one model_config_list");
	size_t most = count(list, "config");
	if (most > MODEL_CONFIG_MODELS)
		return why_set(why, ERR_LIMIT, "models.config has more than %d models", MODEL_CONFIG_MODELS);
	all.items = arena_zeroed(a, most + 1, sizeof *all.items);
	if (all.items == NULL)
		return why_memory(why);
	for (const struct text_node *c = list->first; c != NULL; c = c->next)
		if (strcmp(c->name, "config") == 0 && !take_model(&all.items[all.n++], c))
			return why_set(why, ERR_FORMAT, "models.config: the versions or labels of model '%.100s' are not understood", all.items[all.n - 1].name);
	*out = all;
	return ERR_OK;
}

const struct model_config *model_config_find(const struct model_configs *c, const char *name, bool *is_twice)
{
	const struct model_config *found = NULL;
	*is_twice = false;
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->items[i].name, name) == 0) {
			*is_twice = found != NULL;
			if (found != NULL)
				return NULL;
			found = &c->items[i];
		}
	return found;
}

int64_t model_config_label(const struct model_config *m, const char *key)
{
	for (size_t i = 0; i < m->n_labels; i++)
		if (strcmp(m->labels[i].key, key) == 0)
			return m->labels[i].version;
	return 0;
}

bool model_config_is_label(const char *label)
{
	size_t n = strlen(label);
	return n > 0 && n <= NAME_MAX_LEN && strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

/* ---- editing ---- */

/* Bytes [from, to) become `text`. */
struct edit {
	size_t      from, to;
	const char *text;
};
struct edits {
	struct edit items[EDITS_MAX];
	size_t      n;
};

static bool has_same_versions(const struct model_config *m, const int64_t *versions, size_t n)
{
	if (m->policy != POLICY_SPECIFIC || m->n_versions != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_there = false;
		for (size_t k = 0; k < n; k++)
			is_there = is_there || m->versions[k] == versions[i];
		if (!is_there)
			return false;
	}
	return true;
}

static const char *policy_text(struct arena *a, bool has_name, const int64_t *versions, size_t n)
{
	struct buf b;
	buf_init(&b, 64 * (MODEL_CONFIG_VERSIONS + 2));
	buf_puts(&b, has_name ? " model_version_policy { specific {" : "{ specific {");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, " versions: %lld", (long long)versions[i]);
	buf_puts(&b, has_name ? " } } " : " } }");
	const char *copy = b.err == ERR_OK ? arena_text(a, buf_text(&b)) : NULL;
	buf_release(&b);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

static const char *label_text(struct arena *a, const char *label, int64_t version)
{
	struct buf b;
	buf_init(&b, NAME_MAX_LEN + 100);
	if (label[0] != '\0')
		buf_printf(&b, " version_labels { key: '%s' value: %lld } ", label, (long long)version);
	else
		buf_printf(&b, "%lld", (long long)version);
	const char *copy = b.err == ERR_OK ? arena_text(a, buf_text(&b)) : NULL;
	buf_release(&b);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

/* In the order of their places: a field that is new goes before the closing bracket of the model. */
static void add_edit(struct edits *e, size_t from, size_t to, const char *text)
{
	size_t at = e->n++;
	for (; at > 0 && e->items[at - 1].from > from; at--)
		e->items[at] = e->items[at - 1];
	e->items[at] = (struct edit){ from, to, text };
}

static void edit_versions(struct arena *a, const struct model_config *m, const int64_t *versions, size_t n, struct edits *e)
{
	const struct text_node *policy = child(m->node, "model_version_policy");
	size_t end = m->node->value_end - 1;
	if (has_same_versions(m, versions, n))
		return;
	if (policy != NULL)
		add_edit(e, policy->value, policy->value_end, policy_text(a, false, versions, n));
	else
		add_edit(e, end, end, policy_text(a, true, versions, n));
}

static void edit_label(struct arena *a, const struct model_config *m, const char *label, int64_t version, struct edits *e)
{
	size_t end = m->node->value_end - 1;
	if (label[0] == '\0' || model_config_label(m, label) == version)
		return;
	for (const struct text_node *c = m->node->first; c != NULL; c = c->next) {
		const struct text_node *value = child(c, "value"); /* take_labels has seen that a label has one */
		if (value == NULL || strcmp(c->name, "version_labels") != 0 || strcmp(text_of(c, "key"), label) != 0)
			continue;
		add_edit(e, value->value, value->value_end, label_text(a, "", version));
		return;
	}
	add_edit(e, end, end, label_text(a, label, version));
}

static const char *apply(struct arena *a, const char *text, size_t n, const struct edits *e)
{
	struct buf b;
	size_t at = 0;
	buf_init(&b, 2 * MODEL_CONFIG_BYTES);
	for (size_t i = 0; i < e->n; i++) {
		buf_put(&b, text + at, e->items[i].from - at);
		buf_puts(&b, e->items[i].text);
		at = e->items[i].to;
	}
	buf_put(&b, text + at, n - at);
	const char *copy = b.err == ERR_OK ? arena_text(a, buf_text(&b)) : NULL;
	buf_release(&b);
	return copy;
}

/* The new text says what was meant, and of other models what it said before. */
static bool is_as_meant(const struct model_configs *now, const struct model_config *m, const int64_t *versions, size_t n, const char *label, int64_t labelled)
{
	bool is_twice;
	const struct model_config *it = model_config_find(now, m->name, &is_twice);
	if (it == NULL || !has_same_versions(it, versions, n) || strcmp(it->base_path, m->base_path) != 0)
		return false;
	for (size_t i = 0; i < m->n_labels; i++)
		if (strcmp(m->labels[i].key, label) != 0 && model_config_label(it, m->labels[i].key) != model_config_label(m, m->labels[i].key))
			return false;
	return label[0] == '\0' || model_config_label(it, label) == labelled;
}

enum err model_config_edit(struct arena *a, const char *text, size_t n, const struct model_config *m, const int64_t *versions, size_t n_versions, const char *label,
                           int64_t labelled, const char **out, struct why *why)
{
	struct edits edits = { .n = 0 };
	struct model_configs now;
	if (n_versions == 0 || n_versions > MODEL_CONFIG_VERSIONS || (label[0] != '\0' && !model_config_is_label(label)))
		return why_set(why, ERR_UNSUPPORTED, "'%.60s' with %zu versions can't be written into models.config", label, n_versions);
	edit_versions(a, m, versions, n_versions, &edits);
	edit_label(a, m, label, labelled, &edits);
	const char *made = apply(a, text, n, &edits);
	if (made == NULL || arena_failed(a))
		return why_memory(why);
	enum err e = model_config_read(a, made, strlen(made), &now, why);
	if (e == ERR_OK && !is_as_meant(&now, m, versions, n_versions, label, labelled))
		e = why_set(why, ERR_UNSUPPORTED, "models.config can't be changed safely: what was written for '%.100s' does not read back as meant", m->name);
	if (e == ERR_OK)
		*out = made;
	return e;
}
