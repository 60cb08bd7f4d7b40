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

const char *view_model(const struct view *v, char *const *nodes, size_t n)
{
	const char *model = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct node_row *row = view_node(v, nodes[i]);
		if (row == NULL || row->model[0] == '\0' || (model != NULL && strcmp(model, row->model) != 0))
			return NULL;
		model = row->model;
	}
	return model;
}
