/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts printed once: as of a moment, and what was in a range of time. */
#ifndef PITWALL_APP_ALERTS_PRINT_H
#define PITWALL_APP_ALERTS_PRINT_H

#include "app/cells.h"
#include "base/buf.h"
#include "base/err.h"
#include "tui/alerts_data.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends all groups and their alerts; docs/output.md has the fields. A table has a line for each alert. */
enum err alerts_print(const struct alerts_view *v, enum cells_format format, struct buf *to);

/* Whether one fires that nobody has acknowledged and nothing hides. */
bool alerts_want_someone(const struct alerts_view *v);

struct alert_history {
	int64_t                 after_ms, until_ms;
	const struct alert_row *rows; /* newest first */
	size_t                  n;
	bool                    is_cut; /* there are more */
};
enum err alert_history_print(const struct alert_history *h, enum cells_format format, struct buf *to);

/* {"who":...,"account":...,"origin":...} */
void alerts_put_actor(struct buf *to, const struct actor *a);

#endif
