/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/secret_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 8, NAME_MAX_ = 128, COMMAND_WORDS = 64 };

static bool is_text(const struct yaml_node *at) { return at != NULL && at->kind == YAML_SCALAR && !yaml_is_null(at) && at->text[0] != '\0'; }

/* A token of HTTP (RFC 9110, 5.6.2). */
static bool is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
	size_t n = strlen(text);
	return n > 0 && n <= NAME_MAX_ && strspn(text, allowed) == n;
}

/* The words are lent, as a command has them. */
static enum err take_command(const struct yaml_node *list, const char *words[COMMAND_WORDS + 1], struct secret_source *out, struct why *why)
{
	if (list->kind != YAML_LIST || list->n == 0 || list->n > COMMAND_WORDS)
		return why_set(why, ERR_FORMAT, "'command' must be a list of 1 to %d words", COMMAND_WORDS);
	for (size_t i = 0; i < list->n; i++) {
		if (!is_text(list->items[i]))
			return why_set(why, ERR_FORMAT, "'command' must be a list of words");
		words[i] = list->items[i]->text;
	}
	words[list->n] = NULL;
	*out = (struct secret_source){ .kind = SECRET_COMMAND, .name = words[0], .argv = words };
	return ERR_OK;
}

static enum err take_source(const struct yaml_node *at, const char *words[COMMAND_WORDS + 1], struct secret_source *out, struct why *why)
{
	if (at->kind != YAML_MAP || at->n != 1)
		return why_set(why, ERR_FORMAT, "a value must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }");
	const struct yaml_node *value = at->items[0];
	const char *key = at->keys[0]->text;
	if (strcmp(key, "command") == 0)
		return take_command(value, words, out, why);
	bool is_file = strcmp(key, "file") == 0;
	if ((!is_file && strcmp(key, "env") != 0) || !is_text(value))
		return why_set(why, ERR_FORMAT, "'%.40s' is none of env, file and command, or holds no text", key);
	if (is_file && value->text[0] != '/')
		return why_set(why, ERR_FORMAT, "'file' must be an absolute path");
	*out = (struct secret_source){ .kind = is_file ? SECRET_FILE : SECRET_ENV, .name = value->text };
	return ERR_OK;
}

enum err secret_headers_check(const struct yaml_node *tree, struct why *why)
{
	const char *words[COMMAND_WORDS + 1];
	struct secret_source source;
	enum err e = ERR_OK;
	if (tree == NULL)
		return ERR_OK;
	if (tree->kind != YAML_MAP || tree->n > HEADERS_MAX)
		return why_set(why, ERR_FORMAT, "'" SECRET_HEADERS "' must be at most %d names of headers with the places of their values", HEADERS_MAX);
	for (size_t i = 0; i < tree->n && e == ERR_OK; i++) {
		e = is_name(tree->keys[i]->text) ? take_source(tree->items[i], words, &source, why) : why_set(why, ERR_FORMAT, "it is no name of a header");
		if (e != ERR_OK)
			why_prefix(why, e, "'" SECRET_HEADERS "': '%.60s'", tree->keys[i]->text);
	}
	return e;
}

static const struct yaml_node *tree_of(const struct settings *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (strcmp(s->options[i].name, SECRET_HEADERS) == 0)
			return s->values[i].node;
	return NULL;
}

bool secret_headers_are_given(const struct settings *s)
{
	return tree_of(s) != NULL;
}

static enum err read_one(const char *name, const struct yaml_node *at, struct login *to, struct why *why)
{
	const char *words[COMMAND_WORDS + 1];
	struct secret_source source;
	struct secret secret = { 0 };
	enum err e = take_source(at, words, &source, why);
	e = e == ERR_OK ? secret_read(&source, 0, &secret, why) : e;
	if (e != ERR_OK)
		return why_prefix(why, e, "'%.60s'", name);
	size_t size = strlen(name) + 2 + secret.len + 1;
	char *line = malloc(size);
	if (line != NULL) {
		snprintf(line, size, "%s: %s", name, secret.text);
		to->headers[to->n_headers++] = line;
	}
	secret_release(&secret);
	return line != NULL ? ERR_OK : why_memory(why);
}

enum err secret_headers_read(const struct settings *s, struct login *to, struct why *why)
{
	const struct yaml_node *tree = tree_of(s);
	enum err e = secret_headers_check(tree, why);
	for (size_t i = 0; tree != NULL && i < tree->n && e == ERR_OK; i++) {
		if (to->n_headers == LOGIN_HEADERS_MAX)
			return why_set(why, ERR_LIMIT, "too many headers");
		e = read_one(tree->keys[i]->text, tree->items[i], to, why);
	}
	return e;
}
