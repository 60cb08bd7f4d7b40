/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "collectors/slice.h"

enum { NOTE_MAX = 200 };

/* ---- the list ---- */

static int rank(const struct log_choice *c)
{
	static const int ranks[] = { [LOG_FILE] = 1, [LOG_UNIT] = 2, [LOG_CONTAINER] = 3, [LOG_KERNEL] = 4, [LOG_JOURNAL] = 5 };
	return c->is_wished ? 0 : ranks[c->kind];
}

static enum err add(struct log_list *l, const struct log_choice *what, const char *prefix)
{
	char key[LOG_KEY_MAX];
	snprintf(key, sizeof key, "%s%s%s", prefix, what->name[0] != '\0' ? ":" : "", what->name);
	if (l->n == LOG_LIST_MAX || log_list_find(l, key) != NULL)
		return ERR_OK;
	struct log_choice c = *what;
	c.key = arena_text(&l->arena, key);
	c.name = arena_text(&l->arena, what->name);
	c.tool = arena_text(&l->arena, what->tool);
	c.note = arena_text(&l->arena, what->note);
	if (arena_failed(&l->arena))
		return ERR_MEMORY;
	size_t at = l->n;
	while (at > 0 && rank(&l->items[at - 1]) > rank(&c))
		at--;
	memmove(&l->items[at + 1], &l->items[at], (l->n - at) * sizeof c);
	l->items[at] = c;
	l->n++;
	return ERR_OK;
}

const struct log_choice *log_list_find(const struct log_list *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i].key, key) == 0)
			return &l->items[i];
	return NULL;
}

/* As systemd takes them: one without a suffix is a service. */
static enum err wish_unit(struct log_list *l, const char *unit)
{
	char name[LOG_NAME_MAX];
	if (snprintf(name, sizeof name, "%s%s", unit, strchr(unit, '.') != NULL ? "" : ".service") >= (int)sizeof name)
		return ERR_OK;
	return add(l, &(struct log_choice){ .kind = LOG_UNIT, .name = name, .tool = "", .note = "", .is_wished = true }, "unit");
}

static enum err wish_log(struct log_list *l, const char *log)
{
	if (log[0] != '/')
		return wish_unit(l, log);
	if (strlen(log) >= LOG_NAME_MAX)
		return ERR_OK;
	return add(l, &(struct log_choice){ .kind = LOG_FILE, .name = log, .tool = "", .note = "", .is_wished = true }, "file");
}

enum err log_list_init(struct log_list *l, const struct log_wishes *w)
{
	enum err e = ERR_OK;
	l->n = l->n_line = 0;
	l->is_line_cut = false;
	arena_init(&l->arena);
	for (size_t i = 0; i < w->n_logs && e == ERR_OK; i++)
		e = wish_log(l, w->logs[i]);
	for (size_t i = 0; i < w->n_units && e == ERR_OK; i++)
		e = wish_unit(l, w->units[i]);
	if (e != ERR_OK)
		log_list_release(l);
	return e;
}

void log_list_release(struct log_list *l)
{
	arena_release(&l->arena);
	l->n = 0;
}

/* ---- a line of the script's ---- */

/* What systemd and the engines let a name be made of; none begins with what a tool might take for an option. */
static bool is_name(struct slice s, const char *signs)
{
	if (s.n == 0 || s.n >= 256 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_alnum && (c == '\0' || strchr(signs, c) == NULL))
			return false;
	}
	return true;
}

static struct slice word(struct slice *from)
{
	struct slice out = { "", 0 };
	*from = slice_trim(*from);
	slice_take(from, ' ', &out);
	return out;
}

static enum err note(struct log_list *l, const char *key, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->items[i].key, key) == 0)
			l->items[i].note = arena_text(&l->arena, text);
	return arena_failed(&l->arena) ? ERR_MEMORY : ERR_OK;
}

static bool is_unit(struct slice s)
{
	return is_name(s, ":-_.\\@") && memchr(s.p, '.', s.n) != NULL;
}

/* "NAME LOAD ACTIVE SUB DESCRIPTION", with a sign of systemctl's before it where something is wrong. */
static enum err unit_line(struct log_list *l, struct slice line)
{
	char name[256], text[NOTE_MAX], key[LOG_KEY_MAX];
	struct slice unit = word(&line);
	if (!is_unit(unit))
		unit = word(&line);
	if (!is_unit(unit))
		return ERR_OK;
	word(&line);
	struct slice active = word(&line), sub = word(&line);
	line = slice_trim(line);
	slice_copy(unit, name, sizeof name);
	snprintf(text, sizeof text, "%.*s %.*s%s%.*s", (int)(active.n % 64), active.p, (int)(sub.n % 64), sub.p, line.n > 0 ? ", " : "",
	         (int)(line.n < 100 ? line.n : 100), line.p);
	snprintf(key, sizeof key, "unit:%s", name);
	if (log_list_find(l, key) != NULL)
		return note(l, key, text);
	return add(l, &(struct log_choice){ .kind = LOG_UNIT, .name = name, .tool = "", .note = text }, "unit");
}

static enum err container_line(struct log_list *l, struct slice line)
{
	char name[256], text[NOTE_MAX], tool[16];
	struct slice said = word(&line), of = { "", 0 }, status = { "", 0 };
	if (!slice_is(said, "docker") && !slice_is(said, "podman"))
		return ERR_OK;
	slice_copy(said, tool, sizeof tool);
	line = slice_trim(line);
	slice_take(&line, '|', &of);
	slice_take(&line, '|', &status);
	if (!is_name(of, "-_."))
		return ERR_OK;
	slice_copy(of, name, sizeof name);
	snprintf(text, sizeof text, "%.*s, %.*s", (int)(status.n < 90 ? status.n : 90), status.p, (int)(line.n < 90 ? line.n : 90), line.p);
	return add(l, &(struct log_choice){ .kind = LOG_CONTAINER, .name = name, .tool = tool, .note = text }, tool);
}

static enum err file_line(struct log_list *l, struct slice line)
{
	char number[16], text[NOTE_MAX];
	int64_t wanted, at = 0;
	slice_copy(word(&line), number, sizeof number);
	if (parse_i64(number, 0, LOG_LIST_MAX, &wanted) != ERR_OK)
		return ERR_OK;
	slice_copy(slice_trim(line), text, sizeof text);
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].kind == LOG_FILE && l->items[i].is_wished && at++ == wanted)
			return note(l, l->items[i].key, text);
	return ERR_OK;
}

static enum err kernel_line(struct log_list *l, struct slice line)
{
	struct slice tool = word(&line);
	if (!slice_is(tool, "journalctl") && !slice_is(tool, "dmesg"))
		return ERR_OK;
	const char *name = slice_is(tool, "dmesg") ? "dmesg" : "journalctl";
	return add(l, &(struct log_choice){ .kind = LOG_KERNEL, .name = "", .tool = name, .note = "the kernel's log" }, "kernel");
}

static enum err journal_line(struct log_list *l, struct slice line)
{
	(void)line;
	return add(l, &(struct log_choice){ .kind = LOG_JOURNAL, .name = "", .tool = "", .note = "all that the journal has" }, "journal");
}

static enum err take(struct log_list *l, struct slice line)
{
	static const struct {
		const char *word;
		enum err  (*take)(struct log_list *l, struct slice rest);
	} kinds[] = {
		{ "unit", unit_line }, { "container", container_line }, { "file", file_line }, { "kernel", kernel_line }, { "journal", journal_line },
	};
	struct slice first = word(&line);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(first, kinds[i].word))
			return kinds[i].take(l, line);
	return ERR_OK;
}

enum err log_list_feed(struct log_list *l, const char *bytes, size_t n)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		if (bytes[i] != '\n' && l->n_line < LOG_LIST_LINE) {
			l->line[l->n_line++] = bytes[i];
		} else if (bytes[i] != '\n') {
			l->is_line_cut = true;
		} else {
			if (!l->is_line_cut)
				e = take(l, (struct slice){ l->line, l->n_line });
			l->n_line = 0;
			l->is_line_cut = false;
		}
	}
	return e;
}
