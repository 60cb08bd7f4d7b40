/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/theme.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/asset.h"
#include "base/num.h"
#include "tui/canvas.h"

enum { FILE_MAX = 64 << 10, PATH_ROOM = 4096 };

struct word {
	const char *text;
	size_t      n;
};

struct reading {
	struct theme theme;
	const char  *name;
	struct buf  *mistakes;
	int          line;
	bool         has_mistake;
	bool         seen[ROLE_COUNT];
};

static bool is_word(struct word w, const char *text)
{
	return strlen(text) == w.n && memcmp(w.text, text, w.n) == 0;
}

static bool begins(struct word w, const char *text)
{
	return w.n >= strlen(text) && memcmp(w.text, text, strlen(text)) == 0;
}

static void mistake(struct reading *r, const char *what, struct word about, const char *advice)
{
	r->has_mistake = true;
	buf_printf(r->mistakes, "%s:%d: %s '%.*s'%s\n", r->name, r->line, what, (int)(about.n > 64 ? 64 : about.n), about.text, advice);
}

/* ---- colours ---- */

static const uint8_t cube[6] = { 0, 95, 135, 175, 215, 255 };

static int distance(uint32_t a, uint32_t b)
{
	int sum = 0;
	for (int shift = 0; shift <= 16; shift += 8) {
		int d = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);
		sum += d * d;
	}
	return sum;
}

/* What xterm shows for colour 16 to 255. */
static uint32_t indexed_rgb(unsigned i)
{
	if (i >= 232)
		return (8 + (i - 232) * 10) * 0x010101u;
	i -= 16;
	return (uint32_t)cube[i / 36] << 16 | (uint32_t)cube[i / 6 % 6] << 8 | cube[i % 6];
}

static uint32_t nearest_index(uint32_t rgb)
{
	unsigned best = 16;
	for (unsigned i = 17; i < 256; i++)
		if (distance(rgb, indexed_rgb(i)) < distance(rgb, indexed_rgb(best)))
			best = i;
	return best;
}

static bool parse_hex(struct word w, uint32_t *out)
{
	uint32_t v = 0;
	if (w.n != 7 || w.text[0] != '#')
		return false;
	for (size_t i = 1; i < 7; i++) {
		char c = w.text[i];
		uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
		if (digit > 15)
			return false;
		v = v << 4 | digit;
	}
	*out = v;
	return true;
}

static bool parse_index(struct word w, unsigned top, uint32_t *out)
{
	char digits[8];
	int64_t v;
	if (w.n == 0 || w.n >= sizeof digits)
		return false;
	memcpy(digits, w.text, w.n);
	digits[w.n] = '\0';
	if (parse_i64(digits, 0, (int64_t)top, &v) != ERR_OK)
		return false;
	*out = COLOUR_INDEX | (uint32_t)v;
	return true;
}

/* One of the four parts of a colour, for `depth`. */
static bool parse_part(struct word w, enum colour_depth depth, uint32_t *out)
{
	static const unsigned tops[DEPTH_COUNT] = { [DEPTH_8] = 7, [DEPTH_16] = 15, [DEPTH_256] = 255, [DEPTH_TRUE] = 255 };
	if (is_word(w, "-")) {
		*out = COLOUR_DEFAULT;
		return true;
	}
	if (depth == DEPTH_TRUE && parse_hex(w, out)) {
		*out |= COLOUR_RGB;
		return true;
	}
	return parse_index(w, tops[depth], out);
}

/* "#rrggbb/N/N/N" into one colour a depth. */
static bool parse_colour(struct word w, uint32_t colours[DEPTH_COUNT])
{
	const char *end = w.text + w.n;
	int depth = DEPTH_TRUE;
	uint32_t parsed[DEPTH_COUNT] = { COLOUR_DEFAULT };
	for (const char *p = w.text; p <= end; depth--) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		const char *stop = slash == NULL ? end : slash;
		if (depth < DEPTH_8 || !parse_part((struct word){ p, (size_t)(stop - p) }, (enum colour_depth)depth, &parsed[depth]))
			return false;
		p = stop + 1;
	}
	if (depth == DEPTH_256 && parsed[DEPTH_TRUE] & COLOUR_RGB)
		parsed[DEPTH_256] = COLOUR_INDEX | nearest_index(parsed[DEPTH_TRUE] & 0xffffff);
	else if (depth == DEPTH_256)
		parsed[DEPTH_256] = parsed[DEPTH_TRUE];
	memcpy(colours, parsed, sizeof parsed);
	return true;
}

/* ---- lines ---- */

static int find_role(struct word w)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		if (is_word(w, role_name((enum role)i)))
			return i;
	return -1;
}

static int attribute(struct word w)
{
	return is_word(w, "bold") ? CELL_BOLD : is_word(w, "underline") ? CELL_UNDERLINE : is_word(w, "reverse") ? CELL_REVERSE : -1;
}

static bool next_word(struct word *rest, struct word *out)
{
	size_t i = 0;
	while (i < rest->n && (rest->text[i] == ' ' || rest->text[i] == '\t' || rest->text[i] == '\r'))
		i++;
	size_t from = i;
	while (i < rest->n && rest->text[i] != ' ' && rest->text[i] != '\t' && rest->text[i] != '\r')
		i++;
	*out = (struct word){ rest->text + from, i - from };
	*rest = (struct word){ rest->text + i, rest->n - i };
	return out->n > 0 && !(out->n == 1 && out->text[0] == '#') && !begins(*out, "# ");
}

/* The words behind a role's name. */
static void read_style(struct reading *r, int role, struct word rest)
{
	uint32_t fg[DEPTH_COUNT] = { 0 }, bg[DEPTH_COUNT] = { 0 };
	unsigned on = 0, mono = 0;
	bool has_mono = false;
	struct word w;
	while (next_word(&rest, &w)) {
		struct word value = { w.text + 3, w.n - 3 }, after = { w.text + 5, w.n - 5 };
		if (begins(w, "fg=") || begins(w, "bg=")) {
			if (!parse_colour(value, w.text[0] == 'f' ? fg : bg))
				mistake(r, "cannot read colour", value, "; write #rrggbb/N/N/N for true colour, 256, 16 and 8");
		} else if (begins(w, "mono:") && (is_word(after, "plain") || attribute(after) >= 0)) {
			has_mono = true;
			mono |= is_word(after, "plain") ? 0 : (unsigned)attribute(after);
		} else if (attribute(w) >= 0) {
			on |= (unsigned)attribute(w);
		} else {
			mistake(r, "there is no attribute", w, "; known are fg=, bg=, bold, underline, reverse, mono:...");
		}
	}
	for (int depth = DEPTH_MONO; depth < DEPTH_COUNT; depth++)
		r->theme.styles[depth][role] = (struct style){ fg[depth], bg[depth], (uint8_t)(depth == DEPTH_MONO && has_mono ? mono : on) };
}

static void read_head(struct reading *r, struct word key, struct word rest)
{
	struct word value;
	bool has_value = next_word(&rest, &value);
	if (is_word(key, "name")) {
		if (has_value && value.n < THEME_NAME)
			snprintf(r->theme.name, sizeof r->theme.name, "%.*s", (int)value.n, value.text);
		else
			mistake(r, "cannot use name", value, "; a theme's name is one word of up to 31 letters");
	} else if (is_word(value, "dark") || is_word(value, "light") || is_word(value, "any")) {
		r->theme.background = is_word(value, "dark") ? BACKGROUND_DARK : is_word(value, "light") ? BACKGROUND_LIGHT : BACKGROUND_ANY;
	} else {
		mistake(r, "there is no background", value, "; it is dark, light or any");
	}
}

static void read_line(struct reading *r, struct word line)
{
	struct word first;
	if (!next_word(&line, &first) || first.text[0] == '#')
		return;
	int role = find_role(first);
	if (is_word(first, "name") || is_word(first, "background")) {
		read_head(r, first, line);
	} else if (role < 0) {
		mistake(r, "there is no role", first, "; `pitwall doctor` lists them");
	} else if (r->seen[role]) {
		mistake(r, "twice in one file: role", first, "");
	} else {
		r->seen[role] = true;
		read_style(r, role, line);
	}
}

enum err theme_parse(const char *name, const char *text, size_t n, struct theme *out, struct buf *mistakes)
{
	struct reading r = { .name = name, .mistakes = mistakes };
	const char *end = text + n;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl == NULL ? end : nl) - text);
		r.line++;
		read_line(&r, (struct word){ text, len });
		text += len + 1;
	}
	if (r.has_mistake)
		return mistakes->err == ERR_MEMORY ? ERR_MEMORY : ERR_FORMAT;
	*out = r.theme;
	return ERR_OK;
}

/* ---- finding ---- */

static enum err add_name(void *context, const char *name, const char *text, size_t len)
{
	struct buf *to = context;
	const char *base = strrchr(name, '/');
	(void)text;
	(void)len;
	base = base == NULL ? name : base + 1;
	return buf_printf(to, "%s%.*s", to->len > 0 ? " " : "", (int)strcspn(base, "."), base);
}

void theme_names(struct buf *to)
{
	asset_list("themes/", add_name, to);
}

static enum err parse_whole(const char *path, const char *text, size_t n, struct theme *out, struct why *why)
{
	struct buf mistakes;
	buf_init(&mistakes, 16 << 10);
	enum err e = theme_parse(path, text, n, out, &mistakes);
	if (e == ERR_MEMORY) {
		why_memory(why);
	} else if (e != ERR_OK) {
		const char *first = buf_text(&mistakes);
		why_set(why, e, "%.*s", (int)strcspn(first, "\n"), first);
	}
	buf_release(&mistakes);
	return e;
}

/* ERR_NOT_FOUND when there is no such file: the built-in one counts then. */
static enum err load_file(const char *path, struct theme *out, struct why *why)
{
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return why_errno(why, errno, "cannot open '%s'", path);
	struct buf text;
	buf_init(&text, FILE_MAX);
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0 && text.err == ERR_OK)
		buf_put(&text, piece, n);
	enum err e = text.err;
	if (ferror(f))
		e = why_set(why, ERR_IO, "cannot read '%s'", path);
	else if (e == ERR_MEMORY)
		why_memory(why);
	else if (e != ERR_OK)
		why_set(why, e, "'%s' is too large for a theme", path);
	else
		e = parse_whole(path, buf_text(&text), text.len, out, why);
	fclose(f);
	buf_release(&text);
	return e;
}

enum err theme_load(const char *name, const char *config_dir, struct theme *out, struct why *why)
{
	char path[PATH_ROOM];
	if (name[0] == '\0' || strlen(name) >= THEME_NAME || strchr(name, '/') != NULL || name[0] == '.')
		return why_set(why, ERR_NOT_FOUND, "'%.40s' is no theme's name", name);
	if (config_dir != NULL) {
		int n = snprintf(path, sizeof path, "%s/themes/%s.theme", config_dir, name);
		if (n > 0 && n < PATH_ROOM) {
			enum err e = load_file(path, out, why);
			if (e != ERR_NOT_FOUND)
				return e;
		}
	}
	const char *text;
	size_t len;
	snprintf(path, sizeof path, "themes/%s.theme", name);
	if (asset_find(path, &text, &len) == ERR_OK)
		return parse_whole(path, text, len, out, why);
	struct buf names;
	buf_init(&names, 1024);
	theme_names(&names);
	enum err e = names.err == ERR_MEMORY ? why_memory(why)
	                                     : why_set(why, ERR_NOT_FOUND, "there is no theme '%s'; there are: %s", name, buf_text(&names));
	buf_release(&names);
	return e;
}
