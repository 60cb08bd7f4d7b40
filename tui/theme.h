/* SPDX-License-Identifier: Apache-2.0
 *
 * Themes: what each role looks like, for five depths of colour. A theme is a text file, those that come with pitwall too:
 *
 *     # comment
 *     name dark
 *     background dark                     the background it is made for: dark, light or any
 *     ROLE fg=#rrggbb/N/N/N bg=.../.../.../... bold underline reverse mono:bold mono:reverse mono:underline mono:plain
 *
 * A colour is written for true colour, 256, 16 and 8 colours, parted by '/', each '-' for the terminal's own; the later ones may be left
 * out: then 256 is the nearest of the cube, and 16 and 8 are '-'. Attributes with "mono:" are those without colour, instead of the
 * others. Roles that a file leaves out look like plain text. */
#ifndef PITWALL_TUI_THEME_H
#define PITWALL_TUI_THEME_H

#include "base/buf.h"
#include "base/err.h"
#include "tui/role.h"

#include <stddef.h>
#include <stdint.h>

enum colour_depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_TRUE, DEPTH_COUNT };
enum background { BACKGROUND_ANY, BACKGROUND_DARK, BACKGROUND_LIGHT };

/* A colour: COLOUR_DEFAULT, COLOUR_INDEX + 0..255, or COLOUR_RGB + 0xRRGGBB. */
enum { COLOUR_DEFAULT = 0, COLOUR_INDEX = 1 << 24, COLOUR_RGB = 2 << 24 };

struct style {
	uint32_t fg, bg;
	uint8_t  attributes; /* CELL_BOLD, CELL_REVERSE, CELL_UNDERLINE */
};

enum { THEME_NAME = 32 };
struct theme {
	char            name[THEME_NAME];
	enum background background;
	struct style    styles[DEPTH_COUNT][ROLE_COUNT];
};

/* Reads a theme file's text; `name` stands in the sentences. Every mistake is appended to `mistakes` as one line "NAME:LINE: ...".
 * ERR_FORMAT when there was any (ERR_MEMORY: and not all could be told); `out` is written only when there was none. */
enum err theme_parse(const char *name, const char *text, size_t n, struct theme *out, struct buf *mistakes);

/* The theme of that name: $XDG_CONFIG_HOME/pitwall/themes/NAME.theme (`config_dir` is that folder's "pitwall"; NULL: not looked at), else
 * one of those that are built in. ERR_NOT_FOUND names those that there are. */
enum err theme_load(const char *name, const char *config_dir, struct theme *out, struct why *why);

/* The names of the built-in ones, parted by blanks; appended. */
void theme_names(struct buf *to);

#endif
