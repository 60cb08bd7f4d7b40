/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fleet_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/widget_heat.h"

/* Tiles and their distance, the largest first. From three columns on the value stands in the tile. */
static const struct {
	int tile, pitch;
} sizes[] = { { 9, 10 }, { 7, 8 }, { 5, 6 }, { 2, 3 }, { 1, 2 }, { 1, 1 } };

enum { N_SIZES = sizeof sizes / sizeof sizes[0], LABEL_MIN = 8, LABEL_WIDE = 15, LABEL_MAX = 16, VALUE_TILE_MIN = 5, PANELS_MAX = 6, PANEL_COLS_MIN = 32 };

void map_release(struct map *m)
{
	free(m->places);
	free(m->groups);
	*m = (struct map){ 0 };
}

static const char *group_of(const struct fleet_rows *nodes, size_t i)
{
	return nodes->items[i].node->group;
}

static enum err make_room(struct map *m, size_t n)
{
	if (n <= m->cap)
		return ERR_OK;
	struct map_place *places = realloc(m->places, n * sizeof *places);
	if (places != NULL)
		m->places = places;
	struct map_group *groups = realloc(m->groups, n * sizeof *groups);
	if (groups != NULL)
		m->groups = groups;
	if (places == NULL || groups == NULL)
		return ERR_MEMORY;
	m->cap = n;
	return ERR_OK;
}

static void find_groups(struct map *m, const struct fleet_rows *nodes)
{
	m->n_groups = 0;
	m->label = LABEL_MIN;
	for (size_t i = 0; i < nodes->n; i++) {
		if (i == 0 || strcmp(group_of(nodes, i), group_of(nodes, i - 1)) != 0) {
			const char *name = group_of(nodes, i);
			int width = text_width(name, strlen(name));
			m->groups[m->n_groups++] = (struct map_group){ .name = name, .first = i };
			if (width > m->label)
				m->label = width > LABEL_MAX ? LABEL_MAX : width;
		}
		m->groups[m->n_groups - 1].n++;
	}
}

/* The names may take what a row of tiles does not: what is usual then stands beside the count. */
static int label_with_slack(int cols, int label, int pitch, int per_row)
{
	int slack = cols - label - 1 - per_row * pitch;
	return label >= LABEL_WIDE || slack <= 0 ? label : label + slack < LABEL_WIDE ? label + slack : LABEL_WIDE;
}

static int tiles_a_row(int cols, int label, int pitch)
{
	int n = (cols - label - 1) / pitch;
	return n < 1 ? 1 : n;
}

/* A group takes two rows where there is room, one for its name and one for how many it has. */
static int group_rows(const struct map_group *g, int per_row, bool counts)
{
	int need = ((int)g->n + per_row - 1) / per_row;
	return counts && need < 2 ? 2 : need;
}

/* A way to lay the map: so many panels side by side, tiles of that size. */
struct lay {
	size_t size;
	int    panels;
	bool   counts;
};

static int panel_cols(int cols, const struct lay *l)
{
	return cols / l->panels;
}

/* Places the groups one below the other, and on in the next panel where `rows` are full; what does not fit goes on
 * below in the last. */
static void place_all(struct map *m, const struct lay *l, int label, int rows, int cols)
{
	int per_row = tiles_a_row(panel_cols(cols, l), label, sizes[l->size].pitch), row = 0, panel = 0;
	m->label = label_with_slack(panel_cols(cols, l), label, sizes[l->size].pitch, per_row);
	m->tile = sizes[l->size].tile;
	m->pitch = sizes[l->size].pitch;
	m->rows = 0;
	for (size_t g = 0; g < m->n_groups; g++) {
		struct map_group *group = &m->groups[g];
		group->rows = group_rows(group, per_row, l->counts);
		if (row > 0 && row + group->rows > rows && panel + 1 < l->panels) {
			panel++;
			row = 0;
		}
		group->row = row;
		group->col = panel * panel_cols(cols, l);
		for (size_t i = 0; i < group->n; i++)
			m->places[group->first + i] =
				(struct map_place){ row + (int)i / per_row, group->col + m->label + 1 + (int)i % per_row * m->pitch };
		row += group->rows;
		m->rows = row > m->rows ? row : m->rows;
	}
}

/* All nodes in one run, without the names of groups: the last resort that shows them all at once. */
static void place_run(struct map *m, int cols)
{
	int per_row = cols < 1 ? 1 : cols;
	m->tile = m->pitch = 1;
	m->label = 0;
	m->n_groups = 0;
	for (size_t i = 0; i < m->n; i++)
		m->places[i] = (struct map_place){ (int)i / per_row, (int)i % per_row };
	m->rows = ((int)m->n + per_row - 1) / per_row;
}

enum err map_fill(struct map *m, const struct fleet_rows *nodes, int rows, int cols)
{
	if (make_room(m, nodes->n) != ERR_OK) {
		m->n = m->n_groups = 0;
		return ERR_MEMORY;
	}
	m->n = nodes->n;
	find_groups(m, nodes);
	int label = m->label > cols / 3 ? cols / 3 : m->label;
	/* First the counts go, then the groups stand side by side, then the tiles shrink. */
	for (size_t s = 0; s < N_SIZES; s++) {
		for (int panels = 1; panels <= PANELS_MAX; panels++) {
			for (int counts = panels == 1; counts >= 0; counts--) {
				struct lay l = { s, panels, counts != 0 };
				if (panels > 1 && panel_cols(cols, &l) < PANEL_COLS_MIN)
					continue;
				place_all(m, &l, label, rows, cols);
				if (m->rows <= rows)
					return ERR_OK;
			}
		}
	}
	if (cols > 0 && ((int)m->n + cols - 1) / cols <= rows) {
		place_run(m, cols);
		return ERR_OK;
	}
	place_all(m, &(struct lay){ N_SIZES - 1, 1, false }, label, rows, cols);
	return ERR_OK;
}

/* The tile of a map row that is nearest to a column; SIZE_MAX when the row has none. */
static size_t nearest(const struct map *m, int row, int col)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < m->n; i++) {
		if (m->places[i].row != row)
			continue;
		if (best == SIZE_MAX || abs(m->places[i].col - col) < abs(m->places[best].col - col))
			best = i;
	}
	return best;
}

static size_t vertical(const struct map *m, size_t at, int by)
{
	int direction = by < 0 ? -1 : 1;
	size_t found = SIZE_MAX;
	for (int row = m->places[at].row + by; found == SIZE_MAX && row >= 0 && row < m->rows; row += direction)
		found = nearest(m, row, m->places[at].col);
	return found == SIZE_MAX ? at : found;
}

size_t map_move(const struct map *m, size_t at, enum command c)
{
	if (at >= m->n)
		return m->n > 0 ? 0 : at;
	if (c == COMMAND_LEFT)
		return at > 0 ? at - 1 : at;
	if (c == COMMAND_RIGHT)
		return at + 1 < m->n ? at + 1 : at;
	if (c == COMMAND_UP)
		return vertical(m, at, -1);
	if (c == COMMAND_DOWN)
		return vertical(m, at, 1);
	if (c == COMMAND_PAGE_UP)
		return vertical(m, at, -8);
	if (c == COMMAND_PAGE_DOWN)
		return vertical(m, at, 8);
	if (c == COMMAND_FIRST)
		return 0;
	if (c == COMMAND_LAST)
		return m->n - 1;
	return at;
}

size_t map_at(const struct map *m, int row, int col)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->places[i].row == row && col >= m->places[i].col && col < m->places[i].col + m->tile)
			return i;
	return SIZE_MAX;
}

/* NaN unless it is the same for all nodes of the group that have one. */
static double usual_of_group(const struct map_group *g, const struct heat_scale *scale)
{
	double usual = (double)NAN;
	for (size_t i = g->first; i < g->first + g->n && i < scale->n; i++) {
		double v = scale->nodes[i].usual;
		if (isnan(v))
			continue;
		if (!isnan(usual) && (v > usual || v < usual))
			return (double)NAN;
		usual = v;
	}
	return usual;
}

/* Below the name how many nodes there are, and what is usual for them: "16 nodes ~164ms" in a row, or two of them. */
static void draw_group(const struct map *m, const struct map_group *g, const struct heat_scale *scale, struct canvas *c, int top)
{
	char text[64], value[UNIT_TEXT_SIZE];
	double usual = g->rows > 1 ? usual_of_group(g, scale) : (double)NAN;
	canvas_put_width(c, g->row - top, g->col, m->label, -1, ROLE_TITLE, g->name);
	if (g->rows < 2)
		return;
	int n = snprintf(text, sizeof text, g->n == 1 ? "%zu node" : "%zu nodes", g->n), row = g->row + 1 - top;
	if (isnan(usual)) {
		canvas_put_width(c, row, g->col, m->label, -1, ROLE_SECOND, text);
		return;
	}
	unit_format(signal_info(scale->signal)->unit, usual, 6, value);
	int width = text_width(value, strlen(value));
	if (n + 2 + width <= m->label)
		snprintf(text + n, sizeof text - (size_t)n, " ~%s", value);
	canvas_put_width(c, row, g->col, m->label, -1, ROLE_SECOND, text);
	if (n + 2 + width <= m->label || g->rows < 3)
		return;
	snprintf(text, sizeof text, "%s%s", (int)strlen("usual ") + width <= m->label ? "usual " : "~", value);
	canvas_put_width(c, row + 1, g->col, m->label, -1, ROLE_SECOND, text);
}

void map_draw(const struct map *m, struct canvas *c, const struct fleet_rows *nodes, const struct heat_scale *scale, size_t selected,
              bool (*is_tagged)(const void *ctx, const char *node), const void *ctx, int top)
{
	int rows = canvas_region(c).rows;
	enum signal_unit unit = signal_info(scale->signal)->unit;
	for (size_t g = 0; g < m->n_groups; g++)
		if (m->groups[g].row + m->groups[g].rows > top && m->groups[g].row < top + rows)
			draw_group(m, &m->groups[g], scale, c, top);
	for (size_t i = 0; i < m->n && i < nodes->n && i < scale->n; i++) {
		int row = m->places[i].row - top, col = m->places[i].col;
		if (row < 0 || row >= rows)
			continue;
		const struct node_row *n = nodes->items[i].node;
		char value[UNIT_TEXT_SIZE];
		const char *text = m->tile >= VALUE_TILE_MIN ? unit_format(unit, n->value[scale->signal], m->tile - 1, value) : NULL;
		tile_draw(c, row, col, m->tile, n->severity, scale->nodes[i].step, text);
		struct rect tile = { row, col, 1, m->tile };
		if (is_tagged(ctx, n->node))
			canvas_add_flags(c, tile, CELL_UNDERLINE);
		if (i == selected)
			canvas_add_flags(c, tile, CELL_REVERSE | CELL_BOLD);
	}
}
