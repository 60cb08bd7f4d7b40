/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view.h"

#include <string.h>

const struct node_row *view_node(const struct view *v, const char *node)
{
	for (size_t i = 0; v->fleet != NULL && i < v->fleet->n_nodes; i++)
		if (strcmp(v->fleet->nodes[i].node, node) == 0)
			return &v->fleet->nodes[i];
	return NULL;
}
