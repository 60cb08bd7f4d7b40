/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/option.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/suggest.h"
#include "config/keys.h"

enum { OPTIONS_MAX = 64, WORDS_MAX = 256, COMMANDS_MAX = 64, WORD_MAX = 4096, FILLED_MAX = 64 * 1024, COMMON_MAX = 32 };

struct reading {
	struct arena       *arena;
	const char         *file;
	struct diagnostics *diagnostics;
	size_t              n_wrong;
};

static void wrong(struct reading *r, const struct yaml_node *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void wrong(struct reading *r, const struct yaml_node *at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	diagnostics_vadd(r->diagnostics, DIAGNOSTIC_ERROR, r->file, at->line, at->col, format, args);
	va_end(args);
	r->n_wrong++;
}

/* ---- one value ---- */

static bool is_text(struct reading *r, const struct yaml_node *at, const char *name)
{
	if (at->kind == YAML_SCALAR && !yaml_is_null(at) && at->len <= WORD_MAX)
		return true;
	wrong(r, at, at->kind == YAML_SCALAR && at->len > WORD_MAX ? "'%s' is too long" : "'%s' must be a text", name);
	return false;
}

/* "a|b|c" */
static bool is_among(const char *range, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = range; *at != '\0';) {
		size_t len = strcspn(at, "|");
		if (len == n && memcmp(at, word, n) == 0)
			return true;
		at += len + (at[len] == '|');
	}
	return false;
}

/* "1..65535" */
static bool read_integer(const char *text, const char *range, int64_t *out)
{
	int64_t min = INT64_MIN, max = INT64_MAX;
	const char *dots = strstr(range, "..");
	char low[NUMBER_TEXT] = "";
	if (dots != NULL) {
		assert((size_t)(dots - range) < sizeof low);
		memcpy(low, range, (size_t)(dots - range));
		if (parse_i64(low, INT64_MIN, INT64_MAX, &min) != ERR_OK || parse_i64(dots + 2, INT64_MIN, INT64_MAX, &max) != ERR_OK)
			assert(!"the option's range");
	}
	return parse_i64(text, min, max, out) == ERR_OK;
}

/* Of a scalar; false: it is not of that kind. */
static bool read_scalar(const struct option *o, const char *text, struct setting *to)
{
	switch (o->kind) {
	case OPTION_CHOICE:
		return is_among(o->range, text);
	case OPTION_INTEGER:
		return read_integer(text, o->range, &to->number);
	case OPTION_BOOL:
		to->number = strcmp(text, "true") == 0;
		return to->number != 0 || strcmp(text, "false") == 0;
	case OPTION_DURATION:
		return parse_duration(text, strlen(text), &to->number) == ERR_OK && to->number > 0;
	case OPTION_TEXT:
	case OPTION_WORDS:
	case OPTION_COMMANDS:
	case OPTION_MAP:
	case OPTION_TREE:
		break;
	}
	return true;
}

static const char *kind_words(const struct option *o)
{
	static const char *const words[] = { "a text", "one of ", "a whole number ", "true or false", "a duration such as 2m", "a list of words",
		                             "a list of commands, each a list of words", "a mapping of texts", "" };
	return words[o->kind];
}

/* ---- lists ---- */

static struct words read_words(struct reading *r, const struct yaml_node *at, const char *name)
{
	struct words out = { NULL, 0 };
	if (at->kind == YAML_SCALAR) {
		const char **one = arena_zeroed(r->arena, 1, sizeof *one);
		if (is_text(r, at, name) && one != NULL) {
			one[0] = arena_text(r->arena, at->text);
			out = (struct words){ one, 1 };
		}
		return out;
	}
	if (at->kind != YAML_LIST || at->n == 0 || at->n > WORDS_MAX) {
		wrong(r, at, "'%s' must be a list of words, one at least and %d at most", name, WORDS_MAX);
		return out;
	}
	const char **items = arena_zeroed(r->arena, at->n, sizeof *items);
	for (size_t i = 0; i < at->n && items != NULL; i++)
		items[i] = is_text(r, at->items[i], name) ? arena_text(r->arena, at->items[i]->text) : "";
	return (struct words){ items, items != NULL ? at->n : 0 };
}

static void read_commands(struct reading *r, const struct yaml_node *at, const char *name, struct setting *to)
{
	if (at->kind != YAML_LIST || at->n == 0 || at->n > COMMANDS_MAX) {
		wrong(r, at, "'%s' must be a list of commands, each a list of words", name);
		return;
	}
	bool is_one = at->items[0]->kind == YAML_SCALAR; /* one command may stand without the outer list */
	size_t n = is_one ? 1 : at->n;
	struct words *items = arena_zeroed(r->arena, n, sizeof *items);
	for (size_t i = 0; i < n && items != NULL; i++)
		items[i] = read_words(r, is_one ? at : at->items[i], name);
	to->commands = items;
	to->n_commands = items != NULL ? n : 0;
}

static void read_map(struct reading *r, const struct yaml_node *at, const char *name, struct setting *to)
{
	if (at->kind != YAML_MAP || at->n > WORDS_MAX) {
		wrong(r, at, "'%s' must be a mapping of texts", name);
		return;
	}
	const char **items = arena_zeroed(r->arena, at->n * 2 + 1, sizeof *items);
	for (size_t i = 0; i < at->n && items != NULL; i++) {
		items[i * 2] = arena_text(r->arena, at->keys[i]->text);
		items[i * 2 + 1] = is_text(r, at->items[i], at->keys[i]->text) ? arena_text(r->arena, at->items[i]->text) : "";
	}
	to->words = (struct words){ items, items != NULL ? at->n * 2 : 0 };
}

static void read_value(struct reading *r, const struct option *o, const struct yaml_node *at, struct setting *to)
{
	to->is_given = true;
	to->node = at;
	switch (o->kind) {
	case OPTION_WORDS:
		to->words = read_words(r, at, o->name);
		break;
	case OPTION_COMMANDS:
		read_commands(r, at, o->name, to);
		break;
	case OPTION_MAP:
		read_map(r, at, o->name, to);
		break;
	case OPTION_TREE:
		break;
	case OPTION_TEXT:
	case OPTION_CHOICE:
	case OPTION_INTEGER:
	case OPTION_BOOL:
	case OPTION_DURATION:
		if (!is_text(r, at, o->name))
			break;
		to->text = arena_text(r->arena, at->text);
		if (!read_scalar(o, at->text, to))
			wrong(r, at, "'%s' must be %s%s, not '%s'", o->name, kind_words(o),
			      o->kind == OPTION_CHOICE || o->kind == OPTION_INTEGER ? o->range : "", at->text);
		break;
	}
}

/* ---- all of them ---- */

static void set_standard(const struct option *o, struct setting *to)
{
	to->text = o->standard;
	if (o->standard[0] != '\0' && !read_scalar(o, o->standard, to))
		assert(!"the option's default");
}

/* The keys that all drivers share, which may have been meant too. */
static size_t common_keys(const char **to, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < fleet_keys_count && n < max; i++)
		if ((fleet_keys[i].where & (1u << KEYS_DEPLOY)) != 0)
			to[n++] = fleet_keys[i].name;
	return n;
}

static void check_known(struct reading *r, const struct option *options, size_t n, const struct fleet_deploy *d)
{
	for (size_t k = 0; k < d->options->n; k++) {
		const struct yaml_node *key = d->options->keys[k];
		const char *names[OPTIONS_MAX + COMMON_MAX];
		size_t i = 0;
		while (i < n && strcmp(options[i].name, key->text) != 0)
			i++;
		if (i < n)
			continue;
		for (i = 0; i < n; i++)
			names[i] = options[i].name;
		const char *near = suggest(key->text, names, n + common_keys(names + n, COMMON_MAX));
		if (near != NULL)
			wrong(r, key, "driver '%s' has no option '%s'; did you mean '%s'?", d->driver, key->text, near);
		else
			wrong(r, key, "driver '%s' has no option '%s'", d->driver, key->text);
	}
}

enum err settings_read(struct arena *a, const struct option *options, size_t n, const struct fleet_deploy *d, const char *file, struct diagnostics *diagnostics,
                       struct settings *out, struct why *why)
{
	struct reading r = { .arena = a, .file = file, .diagnostics = diagnostics };
	assert(n <= OPTIONS_MAX);
	struct settings s = { .options = options, .n = n, .values = arena_zeroed(a, n + 1, sizeof *s.values) };
	if (s.values == NULL)
		return why_memory(why);
	check_known(&r, options, n, d);
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *at = yaml_get(d->options, options[i].name);
		set_standard(&options[i], &s.values[i]);
		if (at != NULL && !yaml_is_null(at))
			read_value(&r, &options[i], at, &s.values[i]);
		else if (options[i].is_required) {
			diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, file, d->line, d->col, "driver '%s' needs '%s': %s", d->driver, options[i].name, options[i].sentence);
			r.n_wrong++;
		}
	}
	if (arena_failed(a))
		return why_memory(why);
	if (r.n_wrong > 0)
		return why_set(why, ERR_FORMAT, "the deploy section of '%s' has %zu mistake%s", d->name, r.n_wrong, r.n_wrong == 1 ? "" : "s");
	*out = s;
	return ERR_OK;
}

const struct setting *setting(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->options[i].name, name) == 0)
			return &s->values[i];
	assert(!"an option of the driver's table");
	abort();
}

const char *setting_text(const struct settings *s, const char *name)
{
	const char *text = setting(s, name)->text;
	return text != NULL ? text : "";
}

int64_t setting_number(const struct settings *s, const char *name)
{
	return setting(s, name)->number;
}

bool setting_bool(const struct settings *s, const char *name)
{
	return setting(s, name)->number != 0;
}

/* ---- templates ---- */

static const char *value_of(const char *const *names_values, const char *name, size_t n)
{
	for (; names_values[0] != NULL; names_values += 2)
		if (strlen(names_values[0]) == n && memcmp(names_values[0], name, n) == 0)
			return names_values[1];
	return NULL;
}

enum err template_fill(struct arena *a, const char *text, const char *const *names_values, const char **out, struct why *why)
{
	struct buf to;
	enum err e = ERR_OK;
	buf_init(&to, FILLED_MAX);
	for (const char *at = text; *at != '\0' && e == ERR_OK;) {
		size_t plain = strcspn(at, "{");
		buf_put(&to, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		if (at[1] == '{') {
			buf_putc(&to, '{');
			at += 2;
			continue;
		}
		size_t n = strcspn(++at, "}");
		const char *value = at[n] == '}' ? value_of(names_values, at, n) : NULL;
		if (value == NULL)
			e = why_set(why, ERR_FORMAT, "'%.200s' has '{%.*s' in it, which stands for nothing here; a brace itself is written '{{'", text, (int)(n > 40 ? 40 : n), at);
		else
			buf_puts(&to, value);
		at += n + (at[n] == '}');
	}
	if (e == ERR_OK && to.err != ERR_OK)
		e = why_set(why, ERR_LIMIT, "'%.200s' becomes too long", text);
	if (e == ERR_OK && (*out = arena_text(a, buf_text(&to))) == NULL)
		e = why_memory(why);
	buf_release(&to);
	return e;
}

/* ---- documentation ---- */

static const char *kind_name(const struct option *o)
{
	static const char *const names[] = { "text", "", "whole number ", "true or false", "duration", "list of words", "list of commands", "mapping of texts", "mapping" };
	return names[o->kind];
}

static void put_range(const struct option *o, struct buf *to)
{
	buf_puts(to, kind_name(o));
	for (const char *c = o->kind == OPTION_CHOICE || o->kind == OPTION_INTEGER ? o->range : ""; *c != '\0'; c++)
		if (*c == '|')
			buf_puts(to, ", ");
		else
			buf_putc(to, *c);
}

enum err options_print_markdown(const struct option *options, size_t n, struct buf *to)
{
	buf_puts(to, "| option | value | default | |\n|---|---|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(to, "| `%s` | ", options[i].name);
		put_range(&options[i], to);
		buf_printf(to, " | %s | %s |\n", options[i].is_required ? "must be given" : options[i].standard, options[i].sentence);
	}
	return to->err;
}

enum err options_print_roff(const struct option *options, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(to, ".TP\n.BR %s \" (", options[i].name);
		put_range(&options[i], to);
		if (options[i].is_required)
			buf_puts(to, "; must be given");
		else if (options[i].standard[0] != '\0')
			buf_printf(to, "; default %s", options[i].standard);
		buf_printf(to, ")\"\n%s\n", options[i].sentence);
	}
	return to->err;
}
