/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, lines and blocks. A mistake does not end the reading: all of a file's are shown together, as ssh does. */
#include "collectors/ssh_config_private.h"

#include "base/suggest.h"
#include "collectors/ssh_pattern.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum err read_file(struct ssh_reading *r, const char *path, struct ssh_place *at);

void ssh_mistake(struct ssh_reading *r, const struct ssh_place *at, const char *format, ...)
{
	struct why text;
	va_list args;
	va_start(args, format);
	why_vset(&text, ERR_FORMAT, format, args);
	va_end(args);
	diagnostics_add(r->found, DIAGNOSTIC_ERROR, at->file, at->line, 0, "%s", text.text);
}

static void host_line(struct ssh_reading *r, struct ssh_place *at, const struct ssh_word_list *words)
{
	at->is_active = false;
	for (size_t i = 0; i < words->n; i++) {
		const char *pattern = words->items[i].text;
		if (*pattern == '\0') {
			ssh_mistake(r, at, "an empty pattern for Host");
			return;
		}
		if (at->is_never)
			return;
		bool excludes = *pattern == '!';
		if (!ssh_pattern_match(pattern + excludes, r->host))
			continue;
		at->is_active = !excludes;
		if (excludes)
			return;
	}
}

static enum err match_line(struct ssh_reading *r, struct ssh_place *at, char *text, const struct ssh_word_list *words)
{
	bool applies = false;
	enum err e = ERR_OK;
	if (!ssh_match_line(r, at, &text, &applies, &e))
		return e;
	at->is_active = applies && !at->is_never;
	if (text != NULL && *text != '\0' && words->n > 0)
		ssh_mistake(r, at, "Match: nothing may follow '%s'", words->items[0].text);
	return ERR_OK;
}

/* ---- Include ---- */

struct including {
	struct ssh_reading     *r;
	const struct ssh_place *at;
};

static enum err include_one(const char *path, void *arg)
{
	const struct including *in = arg;
	struct ssh_place inner = {
		.depth = in->at->depth + 1,
		.is_user = in->at->is_user,
		.is_never = in->at->is_never || !in->at->is_active,
		.is_active = in->at->is_active,
	};
	enum err e = read_file(in->r, path, &inner);
	if (e != ERR_NOT_FOUND)
		return e;
	diagnostics_add(in->r->found, DIAGNOSTIC_WARNING, in->at->file, in->at->line, 0, "Include: '%s' leads nowhere", path);
	return ERR_OK;
}

/* The pattern as glob takes it: from the root. */
static enum err include_word(struct ssh_reading *r, const struct ssh_place *at, const char *word)
{
	struct buf path;
	struct why why = { "" };
	enum err e = ERR_OK;
	buf_init(&path, SSH_VALUE_MAX);
	if (*word == '~' && !at->is_user)
		ssh_mistake(r, at, "Include: '%s' begins with '~', which a file of the system may not", word);
	else if (*word == '~')
		e = ssh_expand(r, NULL, SSH_EXPAND_TILDE, "", word, &path, &why);
	else if (*word == '/')
		buf_puts(&path, word);
	else
		buf_printf(&path, "%s/%s", at->is_user ? r->machine->home : "/etc", at->is_user ? ".ssh/" : "ssh/");
	if (*word != '~' && *word != '/')
		buf_puts(&path, word);
	if (e == ERR_OK && path.err == ERR_OK && path.len > 0) {
		struct including in = { .r = r, .at = at };
		e = r->machine->list(r->machine->arg, buf_text(&path), include_one, &in, r->why);
	} else if (e != ERR_OK && e != ERR_MEMORY) {
		ssh_mistake(r, at, "Include: %s", why.text);
		e = ERR_OK;
	}
	e = e == ERR_OK && path.err != ERR_OK ? why_set(r->why, path.err, "%s", err_text(path.err)) : e;
	buf_release(&path);
	return e;
}

static enum err include_line(struct ssh_reading *r, const struct ssh_place *at, const struct ssh_word_list *words)
{
	struct ssh_word_list kept = { 0 }; /* the lines of those files use the scratch memory too */
	if (!ssh_words_copy(r->arena, words, &kept))
		return why_memory(r->why);
	for (size_t i = 0; i < kept.n; i++) {
		if (*kept.items[i].text == '\0') {
			ssh_mistake(r, at, "an empty name for Include");
			return ERR_OK;
		}
		enum err e = include_word(r, at, kept.items[i].text);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- lines ---- */

static void unknown_keyword(struct ssh_reading *r, const struct ssh_place *at, const char *name)
{
	const struct ssh_slot *ignored = ssh_slot_of(r, "IgnoreUnknown");
	if (ignored->is_set && ssh_pattern_list_match(ignored->written, name, true) == SSH_PATTERN_YES)
		return;
	const char *names[256];
	size_t n = 0;
	for (; n < n_ssh_keywords && n < sizeof names / sizeof *names; n++)
		names[n] = ssh_keywords[n].name;
	const char *near = suggest(name, names, n);
	if (near != NULL)
		ssh_mistake(r, at, "unknown keyword '%s'; did you mean %s?", name, near);
	else
		ssh_mistake(r, at, "unknown keyword '%s'", name);
}

static enum err refuse_line(struct ssh_reading *r, const struct ssh_place *at, const struct ssh_word_list *words)
{
	if (words->n != 1 || *words->items[0].text == '\0')
		ssh_mistake(r, at, "RefuseConnection takes one value, the reason");
	else if (at->is_active)
		return why_set(r->why, ERR_DENIED, "%s:%d: RefuseConnection: %s", at->file, at->line, words->items[0].text);
	return ERR_OK;
}

static enum err keyword_line(struct ssh_reading *r, struct ssh_place *at, const char *name, char *text)
{
	struct ssh_word_list words = { 0 };
	const struct ssh_keyword *k = ssh_keyword_find(name);
	if (!ssh_split(r, at, text, &words)) {
		if (!arena_failed(&r->scratch))
			ssh_mistake(r, at, "a quote is not closed");
		return ERR_OK;
	}
	if (k == NULL) {
		unknown_keyword(r, at, name);
		return ERR_OK;
	}
	if (k->kind == SSH_VALUE_HOST)
		host_line(r, at, &words);
	else if (k->kind == SSH_VALUE_MATCH)
		return match_line(r, at, text, &words);
	else if (k->kind == SSH_VALUE_INCLUDE)
		return include_line(r, at, &words);
	else if (k->kind == SSH_VALUE_REFUSE)
		return refuse_line(r, at, &words);
	else
		(void)ssh_take_value(r, at, k, &words, text);
	return ERR_OK;
}

static enum err read_line(struct ssh_reading *r, struct ssh_place *at, char *line)
{
	for (size_t n = strlen(line); n > 1 && strchr(" \t\r\n\f", line[n - 1]) != NULL; n--)
		line[n - 1] = '\0';
	bool has_text = line[strspn(line, " \t\r")] != '\0';
	char *rest = line;
	char *name = ssh_next_token(&rest);
	if (name != NULL && *name == '\0')
		name = ssh_next_token(&rest);
	if (name == NULL && has_text)
		diagnostics_add(r->found, DIAGNOSTIC_WARNING, at->file, at->line, 0, "a quote is not closed, so that OpenSSH passes over the line");
	if (name == NULL || *name == '\0' || *name == '#')
		return ERR_OK;
	if (rest != NULL)
		rest += strspn(rest, " \t\r\n");
	if (rest == NULL || *rest == '\0') {
		ssh_mistake(r, at, "'%s' lacks a value", name);
		return ERR_OK;
	}
	return keyword_line(r, at, name, rest);
}

static enum err read_text(struct ssh_reading *r, struct ssh_place *at, char *text)
{
	size_t n_errors = r->found->n_errors;
	enum err e = ERR_OK;
	while (text != NULL && *text != '\0' && e == ERR_OK) {
		char *end = strchr(text, '\n');
		if (end != NULL)
			*end++ = '\0';
		at->line++;
		e = read_line(r, at, text);
		text = end;
		if (arena_failed(r->arena) || arena_failed(&r->scratch))
			return why_memory(r->why);
		arena_reset(&r->scratch);
	}
	if (e == ERR_OK && r->found->err != ERR_OK)
		return why_memory(r->why);
	return e == ERR_OK && r->found->n_errors > n_errors ? ERR_FORMAT : e;
}

static enum err read_file(struct ssh_reading *r, const char *path, struct ssh_place *at)
{
	struct buf text;
	if (at->depth > SSH_DEPTH_MAX)
		return why_set(r->why, ERR_LIMIT, "'%s' would be included %d deep; %d is the most", path, at->depth, SSH_DEPTH_MAX);
	if (++r->n_files > SSH_FILES_MAX)
		return why_set(r->why, ERR_LIMIT, "more than %d files are included, '%s' is one too many", SSH_FILES_MAX, path);
	at->file = arena_text(r->arena, path);
	if (at->file == NULL)
		return why_memory(r->why);
	buf_init(&text, SSH_FILE_MAX + 1);
	enum err e = r->machine->read(r->machine->arg, path, &text, r->why);
	r->n_bytes += text.len;
	if (e == ERR_OK && text.err != ERR_OK)
		e = why_set(r->why, text.err, "'%s': %s", path, err_text(text.err));
	if (e == ERR_OK && r->n_bytes > SSH_TEXT_MAX)
		e = why_set(r->why, ERR_LIMIT, "more than %d bytes of ssh configuration, '%s' is too much", SSH_TEXT_MAX, path);
	if (e == ERR_OK && text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
		ssh_mistake(r, at, "this is no text file: it holds a NUL byte");
		e = ERR_FORMAT;
	}
	if (e == ERR_OK && text.len > 0)
		e = read_text(r, at, text.data);
	buf_release(&text);
	return e;
}

enum err ssh_read_file(struct ssh_reading *r, const char *path, bool is_user)
{
	struct ssh_place at = { .is_user = is_user, .is_active = true };
	return read_file(r, path, &at);
}
