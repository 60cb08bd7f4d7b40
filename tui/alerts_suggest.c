/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be why alerts began: a change of version of their model shortly before. The latest change counts; that it came on several nodes is one. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tui/alerts_detail.h"

#include <cjson/cJSON.h>

enum { EVENTS_LOOKED_AT = 2000, DATA_MAX = 8192, NAME_MAX_BYTES = 1024 };

struct looking {
	const char                *model;
	int64_t                    onset_ms;
	struct arena              *a;
	struct version_suggestion *found; /* NULL: nothing yet */
};

/* *from and *to are lent by the tree, which is the caller's. NULL: it is no change of that model's version. */
static struct cJSON *change_of(const struct event *e, const char *model, const char **from, const char **to)
{
	const struct json_limits limits = { .bytes = DATA_MAX, .depth = 4, .values = 100 };
	struct cJSON *tree = NULL;
	const char *name = "";
	if (e->data[0] == '\0' || json_parse(e->data, strlen(e->data), &limits, &tree, NULL) != ERR_OK)
		return NULL;
	if (json_get_string(tree, "model", NAME_MAX_BYTES, &name, NULL) == ERR_OK && strcmp(name, model) == 0 &&
	    json_get_string(tree, "from", NAME_MAX_BYTES, from, NULL) == ERR_OK && json_get_string(tree, "to", NAME_MAX_BYTES, to, NULL) == ERR_OK &&
	    (*to)[0] != '\0' && strcmp(*from, *to) != 0)
		return tree;
	cJSON_Delete(tree);
	return NULL;
}

/* Events come newest first: the first change is the latest, and what brings the same version elsewhere belongs to it. */
static enum err see(void *ctx, const struct event *e)
{
	struct looking *l = ctx;
	const char *from = "", *to = "";
	struct cJSON *tree = change_of(e, l->model, &from, &to);
	if (tree == NULL)
		return ERR_OK;
	struct version_suggestion *s = l->found;
	if (s == NULL) {
		s = l->found = arena_zeroed(l->a, 1, sizeof *s);
		if (s != NULL)
			*s = (struct version_suggestion){ .model = arena_text(l->a, l->model), .from = arena_text(l->a, from), .to = arena_text(l->a, to) };
	}
	if (s != NULL && strcmp(s->to, to) == 0) {
		s->n_nodes++;
		s->at_ms = e->wall_ms;
		s->before_ms = l->onset_ms - e->wall_ms;
		if (s->from[0] == '\0')
			s->from = arena_text(l->a, from);
	}
	cJSON_Delete(tree);
	return arena_failed(l->a) ? ERR_MEMORY : ERR_OK;
}

enum err version_suggestion_read(struct reader *r, const char *model, int64_t onset_ms, struct arena *a, struct version_suggestion **out, struct why *why)
{
	struct looking l = { .model = model, .onset_ms = onset_ms, .a = a };
	enum err e = model[0] == '\0' ? ERR_OK
	             : reader_events(r, NULL, "version", onset_ms - SUGGESTION_BEFORE_MS, onset_ms, EVENTS_LOOKED_AT, see, &l, why);
	if (e == ERR_OK)
		*out = l.found;
	return e;
}
