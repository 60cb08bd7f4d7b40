/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_burst.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Lines may stand out of order, and clocks are set back. */
static bool is_close(int64_t last_ms, int64_t at_ms)
{
	return at_ms > last_ms - BURST_WINDOW_MS && at_ms < last_ms + BURST_WINDOW_MS;
}

struct burst *burst_add(struct bursts *b, uint64_t key, int64_t at_ms, int64_t wall_ms, enum finding_severity severity, const char *kind)
{
	for (size_t i = b->n; i-- > 0;) {
		struct burst *u = &b->items[i];
		if (u->key != key || !is_close(u->last_ms, at_ms))
			continue;
		u->lines++;
		u->last_ms = at_ms > u->last_ms ? at_ms : u->last_ms;
		return u;
	}
	if (b->n == BURSTS_MAX) {
		b->n_more++;
		return NULL;
	}
	struct burst *u = &b->items[b->n++];
	memset(u, 0, sizeof *u);
	u->key = key;
	u->first_ms = u->last_ms = at_ms;
	u->wall_ms = wall_ms;
	u->lines = 1;
	u->severity = severity;
	u->kind = kind;
	return u;
}

/* The place of a key: its own, else a free one, else that of the oldest. */
static size_t place_of(const struct bursts_memory *m, uint64_t key)
{
	size_t oldest = 0;
	for (size_t i = 0; i < BURSTS_RECENT; i++) {
		if (m->recent[i].key == key)
			return i;
		if (m->recent[i].last_ms < m->recent[oldest].last_ms)
			oldest = i;
	}
	return oldest;
}

static void tell(const struct burst *u, size_t folded, struct findings *out)
{
	char lines[96] = "";
	if (folded > 0)
		snprintf(lines, sizeof lines, " (%zu lines, and %zu before them that were not told)", u->lines, folded);
	else if (u->lines > 1)
		snprintf(lines, sizeof lines, " (%zu lines)", u->lines);
	/* The number of lines must survive the cut of a long text. */
	size_t room = FINDING_TEXT - 1 - strlen(lines);
	bool is_long = strlen(u->text) > room;
	findings_event(out, u->wall_ms, u->severity, u->kind, "%.*s%s%s", (int)(is_long ? room - 3 : room), u->text, is_long ? "..." : "", lines);
}

void bursts_tell(const struct bursts *b, struct bursts_memory *m, struct findings *out)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct burst *u = &b->items[i];
		size_t at = place_of(m, u->key);
		if (m->recent[at].key == u->key && is_close(m->recent[at].last_ms, u->first_ms)) {
			m->recent[at].folded += u->lines;
			continue;
		}
		tell(u, m->recent[at].key == u->key ? m->recent[at].folded : 0, out);
		m->recent[at].key = u->key;
		m->recent[at].last_ms = u->last_ms;
		m->recent[at].folded = 0;
	}
	out->n_more_events += b->n_more;
}
