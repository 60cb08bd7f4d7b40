/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/keymap.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned    bit;
} contexts[] = {
	{ "fleet", CONTEXT_FLEET },   { "node", CONTEXT_NODE }, { "chart", CONTEXT_CHART },
	{ "events", CONTEXT_EVENTS }, { "help", CONTEXT_HELP }, { "dialog", CONTEXT_DIALOG },
	{ "logs", CONTEXT_LOGS },     { "alerts", CONTEXT_ALERTS }, { "alert", CONTEXT_ALERT },
	{ "deployments", CONTEXT_DEPLOYS }, { "deployment", CONTEXT_RUN }, { "sheet", CONTEXT_SHEET },
	{ "rules", CONTEXT_RULES },
	{ "silences", CONTEXT_SILENCES },
};

static bool add(struct keymap *m, struct key k, unsigned where, enum command c)
{
	if (m->n == KEYMAP_MAX)
		return false;
	m->bindings[m->n++] = (struct key_binding){ k, where, c };
	return true;
}

/* Takes the key out of these contexts. */
static void clear(struct keymap *m, struct key k, unsigned where)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (key_equal(m->bindings[i].key, k))
			m->bindings[i].contexts &= ~where;
		if (m->bindings[i].contexts != 0)
			m->bindings[kept++] = m->bindings[i];
	}
	m->n = kept;
}

/* Of these contexts, those in which the key does something that is offered in no fewer places than `c` is: there `c` takes it. */
static unsigned left_to(const struct keymap *m, struct key k, const struct command_info *c)
{
	unsigned free = c->contexts;
	for (size_t i = 0; i < m->n; i++)
		if (key_equal(m->bindings[i].key, k) &&
		    __builtin_popcount(command_info(m->bindings[i].command)->contexts) <= __builtin_popcount(c->contexts))
			free &= ~m->bindings[i].contexts;
	return free;
}

/* What one view alone knows goes before what several do. */
void keymap_init(struct keymap *m)
{
	size_t n;
	const struct command_info *table = command_table(&n);
	m->n = 0;
	for (size_t i = 0; i < n; i++) {
		for (const char *p = table[i].keys; *p != '\0';) {
			size_t len = strcspn(p, " ");
			struct key k;
			bool is_key = key_parse(p, len, &k);
			unsigned where = is_key ? left_to(m, k, &table[i]) : 0;
			assert(is_key);
			if (where != 0) {
				clear(m, k, where);
				add(m, k, where, table[i].id);
			}
			p += len + strspn(p + len, " ");
		}
	}
}

enum command keymap_find(const struct keymap *m, struct key k, unsigned context)
{
	for (size_t i = 0; i < m->n; i++)
		if (key_equal(m->bindings[i].key, k) && m->bindings[i].contexts & context)
			return m->bindings[i].command;
	return COMMAND_NONE;
}

void keymap_keys_of(const struct keymap *m, enum command c, unsigned context, int limit, struct buf *to)
{
	int found = 0;
	for (size_t i = 0; i < m->n && (limit <= 0 || found < limit); i++) {
		char name[KEY_TEXT];
		if (m->bindings[i].command != c || !(m->bindings[i].contexts & context))
			continue;
		buf_printf(to, "%s%s", found > 0 ? " " : "", key_print(m->bindings[i].key, name));
		found++;
	}
}

/* ---- key files ---- */

struct word {
	const char *text;
	size_t      n;
};

/* The words of a line, up to a comment; at most 4. */
static int split(const char *line, size_t n, struct word words[4])
{
	int found = 0;
	size_t i = 0;
	while (i < n) {
		while (i < n && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
			i++;
		if (i == n || (line[i] == '#' && (found == 0 || found >= 3)))
			break;
		size_t from = i;
		while (i < n && line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			i++;
		if (found < 4)
			words[found] = (struct word){ line + from, i - from };
		found++;
	}
	return found;
}

static bool is_word(struct word w, const char *text)
{
	return strlen(text) == w.n && memcmp(w.text, text, w.n) == 0;
}

/* "x" or "x:chart"; *where is left alone when no context is named. */
static bool parse_key_and_context(struct word w, struct key *k, unsigned *where)
{
	for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
		size_t len = strlen(contexts[i].name);
		if (w.n > len + 1 && w.text[w.n - len - 1] == ':' && memcmp(w.text + w.n - len, contexts[i].name, len) == 0) {
			*where = contexts[i].bit;
			w.n -= len + 1;
			break;
		}
	}
	return key_parse(w.text, w.n, k);
}

struct reading {
	struct keymap *m;
	struct keymap  seen;              /* what this file has mapped so far */
	int            lines[KEYMAP_MAX]; /* and on which line */
	struct buf    *mistakes;
	const char    *name;
	int            line;
	bool           has_mistake;
};

static void mistake(struct reading *r, const char *what, struct word about, const char *advice)
{
	r->has_mistake = true;
	buf_printf(r->mistakes, "%s:%d: %s '%.*s'%s\n", r->name, r->line, what, (int)(about.n > 64 ? 64 : about.n), about.text, advice);
}

/* 0: not yet. */
static int line_of_first_map(const struct reading *r, struct key k, unsigned where)
{
	for (size_t i = 0; i < r->seen.n; i++)
		if (key_equal(r->seen.bindings[i].key, k) && r->seen.bindings[i].contexts & where)
			return r->lines[i];
	return 0;
}

static void read_map(struct reading *r, struct word key, struct word command)
{
	enum command c = command_by_name(command.text, command.n);
	struct key k;
	if (c == COMMAND_NONE) {
		mistake(r, "there is no command", command, "; see `?` in the console for their names");
		return;
	}
	unsigned where = command_info(c)->contexts;
	if (!parse_key_and_context(key, &k, &where)) {
		mistake(r, "there is no key", key, "; keys look like x, C-x, M-x, Up, F1, Space");
		return;
	}
	int before = line_of_first_map(r, k, where);
	if (before > 0) {
		r->has_mistake = true;
		buf_printf(r->mistakes, "%s:%d: key '%.*s' is mapped on line %d already\n", r->name, r->line, (int)key.n, key.text, before);
		return;
	}
	clear(r->m, k, where);
	if (!add(r->m, k, where, c) || !add(&r->seen, k, where, c)) {
		mistake(r, "too many keys: no room for", key, "");
		return;
	}
	r->lines[r->seen.n - 1] = r->line;
}

static void read_line(struct reading *r, const char *line, size_t n)
{
	struct word words[4];
	int found = split(line, n, words);
	struct key k;
	unsigned where = CONTEXT_ALL | CONTEXT_DIALOG;
	if (found == 0)
		return;
	if (is_word(words[0], "map") && found == 3) {
		read_map(r, words[1], words[2]);
	} else if (is_word(words[0], "unmap") && found == 2) {
		if (parse_key_and_context(words[1], &k, &where))
			clear(r->m, k, where);
		else
			mistake(r, "there is no key", words[1], "; keys look like x, C-x, M-x, Up, F1, Space");
	} else {
		mistake(r, "cannot read", (struct word){ line, n }, "; write `map KEY COMMAND` or `unmap KEY`");
	}
}

enum err keymap_read(struct keymap *m, const char *name, const char *text, size_t n, struct buf *mistakes)
{
	struct reading r = { .m = m, .mistakes = mistakes, .name = name };
	const char *end = text + n;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl == NULL ? end : nl) - text);
		r.line++;
		read_line(&r, text, len);
		text += len + 1;
	}
	return !r.has_mistake ? ERR_OK : mistakes->err == ERR_MEMORY ? ERR_MEMORY : ERR_FORMAT;
}
