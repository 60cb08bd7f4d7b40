/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/source_roster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void roster_begin(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->gpus[i].is_seen = false;
}

struct roster_gpu *roster_of(struct roster *r, double id)
{
	char text[sizeof r->gpus[0].id];
	if (!(id >= 0 && id < 1000) || id != floor(id))
		return NULL;
	snprintf(text, sizeof text, "%.0f", id);
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->gpus[i].id, text) == 0)
			return &r->gpus[i];
	if (r->n == ROSTER_MAX)
		return NULL;
	struct roster_gpu *g = &r->gpus[r->n++];
	*g = (struct roster_gpu){ .is_seen = false };
	memcpy(g->id, text, sizeof text);
	r->has_names = false;
	return g;
}

bool roster_is_mute(struct roster *r, int status)
{
	enum { NO_TIME = 124, KILLED = 137, LATE_MAX = 1 };
	r->n_late = status == NO_TIME || status == KILLED ? r->n_late + 1 : 0;
	return r->n_late > LATE_MAX;
}

void roster_tell(struct roster *r, struct findings *out)
{
	size_t n_seen = 0;
	for (size_t i = 0; i < r->n; i++)
		n_seen += r->gpus[i].is_seen;
	for (size_t i = 0; i < r->n; i++) {
		struct roster_gpu *g = &r->gpus[i];
		if (!g->is_seen && !g->is_gone)
			findings_event(out, 0, FINDING_CRITICAL, "gpu", "GPU %s (%s) is gone: its tool tells of %zu GPU%s, and there were %zu",
				g->id, g->bus_id[0] != '\0' ? g->bus_id : g->name, n_seen, n_seen == 1 ? "" : "s", r->n);
		else if (g->is_seen && g->is_gone)
			findings_event(out, 0, FINDING_INFO, "gpu", "GPU %s is there again", g->id);
		g->is_gone = !g->is_seen;
	}
}
