/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/terminfo.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <term.h>

/* ---- descriptions that are built in, for hosts whose database is bare ---- */

#define ECMA_48 \
	.cup = "\033[%i%p1%d;%p2%dH", .clear = "\033[H\033[2J", .el = "\033[K", .cr = "\r", .cud1 = "\n", .cub1 = "\b", \
	.cuf = "\033[%p1%dC", .sgr0 = "\033[m", .bold = "\033[1m", .rev = "\033[7m", .smul = "\033[4m", .rmul = "\033[24m", \
	.smkx = "\033[?1h\033=", .rmkx = "\033[?1l\033>"
#define COLOURS_8 .op = "\033[39;49m", .setaf = "\033[3%p1%dm", .setab = "\033[4%p1%dm"
#define COLOURS_256 \
	.op = "\033[39;49m", \
	.setaf = "\033[%?%p1%{8}%<%t3%p1%d%e%p1%{16}%<%t9%p1%{8}%-%d%e38;5;%p1%d%;m", \
	.setab = "\033[%?%p1%{8}%<%t4%p1%d%e%p1%{16}%<%t10%p1%{8}%-%d%e48;5;%p1%d%;m"
#define CURSOR .civis = "\033[?25l", .cnorm = "\033[?25h"

/* Source: the entries of ncurses 6.4, less what pitwall does not use. */
static const struct terminfo built_in[] = {
	{ .name = "xterm-256color", .colours = 256, .has_bce = true, ECMA_48, COLOURS_256, CURSOR, .ech = "\033[%p1%dX",
	  .hpa = "\033[%i%p1%dG", .vpa = "\033[%i%p1%dd", .smcup = "\033[?1049h\033[22;0;0t", .rmcup = "\033[?1049l\033[23;0;0t" },
	{ .name = "screen-256color", .colours = 256, ECMA_48, COLOURS_256, CURSOR, .hpa = "\033[%i%p1%dG", .vpa = "\033[%i%p1%dd",
	  .smcup = "\033[?1049h", .rmcup = "\033[?1049l" },
	{ .name = "xterm", .colours = 8, .has_bce = true, ECMA_48, COLOURS_8, CURSOR, .ech = "\033[%p1%dX", .hpa = "\033[%i%p1%dG",
	  .vpa = "\033[%i%p1%dd", .smcup = "\033[?1049h", .rmcup = "\033[?1049l" },
	{ .name = "linux", .colours = 8, .has_bce = true, ECMA_48, COLOURS_8, CURSOR, .ech = "\033[%p1%dX", .hpa = "\033[%i%p1%dG",
	  .vpa = "\033[%i%p1%dd" },
	{ .name = "vt100", ECMA_48 },
};

/* Which description stands in for names that a database of an older day lacks. The first that fits counts. */
static const struct {
	const char *pattern, *instead;
} substitutes[] = {
	{ "tmux*", "screen-256color" },  { "screen*", "screen-256color" }, { "linux*", "linux" },         { "xterm", "xterm" },
	{ "*-256color", "xterm-256color" }, { "*-direct", "xterm-256color" }, { "xterm*", "xterm-256color" }, { "kitty*", "xterm-256color" },
	{ "*kitty", "xterm-256color" },  { "alacritty*", "xterm-256color" }, { "foot*", "xterm-256color" }, { "*ghostty", "xterm-256color" },
	{ "wezterm*", "xterm-256color" }, { "contour*", "xterm-256color" }, { "rio*", "xterm-256color" }, { "st", "xterm-256color" },
	{ "st-*", "xterm-256color" },    { "vte*", "xterm-256color" },     { "gnome*", "xterm-256color" }, { "konsole*", "xterm-256color" },
	{ "iterm*", "xterm-256color" },  { "putty*", "xterm-256color" },   { "mintty*", "xterm-256color" }, { "*", "vt100" },
};

const char *terminfo_substitute(const char *term)
{
	for (size_t i = 0; i < sizeof substitutes / sizeof substitutes[0]; i++)
		if (fnmatch(substitutes[i].pattern, term, 0) == 0)
			return substitutes[i].instead;
	return "vt100";
}

static bool load_built_in(const char *name, struct terminfo *out)
{
	for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
		if (strcmp(built_in[i].name, name) == 0) {
			*out = built_in[i];
			return true;
		}
	}
	return false;
}

/* ---- the database ---- */

/* Copies a capability without its $<delays>. One that does not fit is one that the terminal lacks. */
static void copy_cap(const char *name, char to[CAP_MAX])
{
	const char *from = tigetstr(name);
	size_t n = 0;
	to[0] = '\0';
	if (from == NULL || from == (const char *)-1)
		return;
	while (*from != '\0' && n + 1 < CAP_MAX) {
		const char *end = from[0] == '$' && from[1] == '<' ? strchr(from, '>') : NULL;
		if (end != NULL) {
			from = end + 1;
			continue;
		}
		to[n++] = *from++;
	}
	to[*from == '\0' ? n : 0] = '\0';
}

static bool load_database(const char *name, struct terminfo *out)
{
	int result;
	if (setupterm(name, 1, &result) != OK)
		return false;
	memset(out, 0, sizeof *out);
	snprintf(out->name, sizeof out->name, "%s", name);
	int colours = tigetnum("colors");
	out->colours = colours < 0 ? 0 : colours;
	out->has_bce = tigetflag("bce") > 0;
	const char *tc = tigetstr("Tc");
	out->has_rgb = tigetflag("RGB") > 0 || tigetnum("RGB") > 0 || tigetflag("Tc") > 0 || (tc != NULL && tc != (const char *)-1);
#define X(field, cap) copy_cap(cap, out->field);
	CAP_LIST(X)
#undef X
	del_curterm(set_curterm(NULL));
	return true;
}

/* ---- what follows from the strings ---- */

size_t terminfo_put(const char *cap, int a, int b, char *to, size_t room)
{
	if (cap[0] == '\0')
		return 0;
	const char *text = tparm(cap, (long)a, (long)b, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
	size_t n = text == NULL ? 0 : strlen(text);
	if (n > room)
		return 0;
	memcpy(to, text, n);
	return n;
}

static bool gives(const char *cap, int a, int b, const char *want)
{
	char text[CAP_MAX];
	size_t n = terminfo_put(cap, a, b, text, sizeof text);
	return n == strlen(want) && memcmp(text, want, n) == 0;
}

static void look_at_shapes(struct terminfo *t)
{
	bool has_ansi_colour = t->colours < 8 || (gives(t->setaf, 1, 0, "\033[31m") && gives(t->setab, 4, 0, "\033[44m"));
	bool has_ansi_attributes = (t->bold[0] == '\0' || gives(t->bold, 0, 0, "\033[1m")) &&
				   (t->rev[0] == '\0' || gives(t->rev, 0, 0, "\033[7m")) &&
				   (t->smul[0] == '\0' || gives(t->smul, 0, 0, "\033[4m"));
	t->is_ansi = has_ansi_colour && has_ansi_attributes && strstr(t->sgr0, "\033[") != NULL;
	t->has_ansi_motion = gives(t->cup, 4, 6, "\033[5;7H") && (t->cuf[0] == '\0' || gives(t->cuf, 3, 0, "\033[3C"));
	t->can_turn_off = t->is_ansi && t->colours >= 8 && strcmp(t->op, "\033[39;49m") == 0 && strcmp(t->rmul, "\033[24m") == 0;
	if (!gives(t->ech, 5, 0, "\033[5X"))
		t->ech[0] = '\0';
	if (strstr(t->rep, "%p1%c\033[%p2%{1}%-%db") == NULL)
		t->rep[0] = '\0';
	if (!t->is_ansi)
		t->colours = 0;
}

enum err terminfo_load(const char *term, struct terminfo *out, struct why *why)
{
	static const char advice[] = "`pitwall status` prints the fleet as plain text";
	struct terminfo t;
	if (term == NULL || term[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "TERM is not set, so the terminal's abilities are not known; %s", advice);
	if (strlen(term) >= sizeof t.name || strchr(term, '/') != NULL)
		return why_set(why, ERR_UNSUPPORTED, "TERM is no terminal's name; %s", advice);
	if (strcmp(term, "dumb") == 0 || strcmp(term, "unknown") == 0)
		return why_set(why, ERR_UNSUPPORTED, "terminal '%s' cannot show a screen; %s", term, advice);
	bool is_substitute = false;
	if (!load_database(term, &t)) {
		const char *instead = terminfo_substitute(term);
		is_substitute = strcmp(instead, term) != 0;
		if (!load_database(instead, &t) && !load_built_in(instead, &t))
			return why_set(why, ERR_UNSUPPORTED, "nothing is known of terminal '%s'; %s", term, advice);
	}
	t.is_substitute = is_substitute;
	if (t.cup[0] == '\0' || t.clear[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "terminal '%s' cannot move its cursor; %s", term, advice);
	look_at_shapes(&t);
	*out = t;
	return ERR_OK;
}
