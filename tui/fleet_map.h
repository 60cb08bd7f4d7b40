/* SPDX-License-Identifier: Apache-2.0
 *
 * The heat map of the fleet screen: where each node's tile stands, and which is next to which. Pure: sizes in, places out. */
#ifndef PITWALL_TUI_FLEET_MAP_H
#define PITWALL_TUI_FLEET_MAP_H

#include "base/err.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/fleet_rows.h"
#include "tui/heat_scale.h"

#include <stdint.h>

enum { MAP_NONE = -1 };

struct map_place {
	int row, col; /* of the tile, in rows of the whole map */
};

struct map_group {
	const char *name; /* lent by the rows */
	size_t      first, n;
	int         row, col, rows;
};

struct map {
	struct map_place *places; /* one for each row of the list, which must stand in the fleet's order */
	struct map_group *groups;
	size_t            n, n_groups, cap;
	int               tile, pitch; /* columns of a tile, and from one to the next */
	int               label;       /* columns of the names on the left */
	int               rows;        /* of the whole map */
};
void map_release(struct map *m);

/* Places the nodes for a region of that size: the largest tiles with which all groups fit; where not even the smallest do, the map is
 * higher than the region and is scrolled. */
enum err map_fill(struct map *m, const struct fleet_rows *nodes, int rows, int cols);

/* The tile that a move leads to from tile `at`; `at` itself where there is none. */
size_t map_move(const struct map *m, size_t at, enum command c);

/* The tile at a place of the map; SIZE_MAX: none. */
size_t map_at(const struct map *m, int row, int col);

/* Draws into the present region from row `top` of the map on; `scale` is that of the same nodes; `selected` SIZE_MAX: none. A group whose
 * nodes have the same usual value says it where it has a row left for that. */
void map_draw(const struct map *m, struct canvas *c, const struct fleet_rows *nodes, const struct heat_scale *scale, size_t selected,
              bool (*is_tagged)(const void *ctx, const char *node), const void *ctx, int top);

#endif
