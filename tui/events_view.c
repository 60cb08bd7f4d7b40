/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/fleet_state.h"

struct work {
	struct arena       *a;
	struct events_view *v;
	size_t              limit;
};

static enum err see_event(void *ctx, const struct event *ev)
{
	struct work *w = ctx;
	if (w->v->n == w->limit)
		return ERR_OK;
	w->v->rows[w->v->n++] = (struct event_row){
		.id = ev->id, .wall_ms = ev->wall_ms, .severity = ev->severity, .kind = arena_text(w->a, ev->kind),
		.node = arena_text(w->a, ev->node), .text = arena_text(w->a, ev->text),
	};
	return arena_failed(w->a) ? ERR_MEMORY : ERR_OK;
}

enum err events_read(struct reader *r, const char *node, const char *kind, int64_t t_ms, size_t limit, struct arena *a,
                     struct events_view *out, struct why *why)
{
	struct events_view v = { .t_ms = t_ms, .rows = arena_zeroed(a, limit, sizeof *v.rows) };
	struct work w = { a, &v, limit };
	if (v.rows == NULL)
		return ERR_MEMORY;
	enum err e = reader_events(r, node, kind, 0, t_ms, limit, see_event, &w, why);
	if (e == ERR_OK)
		*out = v;
	return e;
}
