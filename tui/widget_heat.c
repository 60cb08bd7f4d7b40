/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/widget_heat.h"

#include <math.h>

#include "tui/glyph.h"

uint8_t heat_step(double fraction, uint8_t before)
{
	if (isnan(fraction))
		return HEAT_NONE;
	double place = fraction * HEAT_STEPS;
	if (before < HEAT_STEPS && place > before - 0.25 && place < before + 1.25)
		return before;
	return place <= 0 ? 0 : place >= HEAT_STEPS ? HEAT_STEPS - 1 : (uint8_t)place;
}

struct tile {
	enum role role, ground;
	uint32_t  glyph; /* ' ': nothing */
};

static struct tile tile_of(enum severity severity, uint8_t step, bool is_mono)
{
	enum role heat = step < HEAT_STEPS ? (enum role)(ROLE_HEAT_0 + step) : ROLE_TEXT;
	uint32_t plain = step < HEAT_STEPS ? is_mono ? (uint32_t)('0' + step) : ' ' : GLYPH_DOT;
	enum role quiet = step < HEAT_STEPS ? heat : ROLE_FAINT;
	switch (severity) {
	case SEVERITY_CRIT:
		return (struct tile){ ROLE_TILE_CRIT, ROLE_TILE_CRIT, 'X' };
	case SEVERITY_WARN:
		return step < HEAT_STEPS ? (struct tile){ heat, heat, GLYPH_UP } : (struct tile){ ROLE_WARN, ROLE_TEXT, GLYPH_UP };
	case SEVERITY_DOWN:
		return (struct tile){ ROLE_TILE_DOWN, ROLE_TILE_DOWN, GLYPH_DOWN };
	case SEVERITY_OK:
	case SEVERITY_INFO:
	case SEVERITY_COUNT:
		break;
	}
	return (struct tile){ quiet, heat, plain };
}

void tile_draw(struct canvas *c, int row, int col, int cols, enum severity severity, uint8_t step, const char *text)
{
	struct tile t = tile_of(severity, step, canvas_is_mono(c));
	struct rect r = { row, col, 1, cols };
	canvas_fill(c, r, t.role, ' ');
	canvas_set_ground(c, r, t.ground);
	if (cols >= 3 && text != NULL && severity != SEVERITY_DOWN) {
		bool marked = severity >= SEVERITY_WARN && cols > 4; /* the mark stands before the value where there is room for both */
		canvas_put_width(c, row, col + (marked ? 1 : 0), cols - (marked ? 1 : 0), 1, t.role, text);
		if (marked)
			canvas_put_char(c, row, col, t.role, t.glyph);
	} else {
		canvas_put_char(c, row, col + cols / 2, t.role, t.glyph);
	}
	canvas_set_ground(c, r, t.ground);
}

int heat_scale_draw(struct canvas *c, int row, int col)
{
	for (int i = 0; i < HEAT_STEPS; i++)
		tile_draw(c, row, col + i, 1, SEVERITY_OK, (uint8_t)i, NULL);
	return HEAT_STEPS;
}
