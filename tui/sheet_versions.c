/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet_versions.h"

#include <stdio.h>

#include "tui/alerts_text.h"

enum { SHOWS_MARK, SHOWS_NAME, SHOWS_HEALTH, SHOWS_SINCE, SHOWS_WHERE, SHOWS_EVIDENCE, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_MARK] = { "", 4, 4, -1, 0 },       [SHOWS_NAME] = { "version", 10, 30, -1, 0 }, [SHOWS_HEALTH] = { "here", 7, 7, -1, 1 },
	[SHOWS_SINCE] = { "came", 15, 15, -1, 3 }, [SHOWS_WHERE] = { "runs on", 7, 7, 1, 2 },   [SHOWS_EVIDENCE] = { "evidence", 20, 300, -1, 1 },
};

struct drawing {
	const struct deploy_plan *p;
	const struct view        *v;
	char                     *text; /* ALERTS_TEXT */
};

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	static const enum role roles[HEALTH_COUNT] = { [HEALTH_UNKNOWN] = ROLE_SECOND, [HEALTH_GOOD] = ROLE_OK, [HEALTH_BAD] = ROLE_CRIT };
	const struct drawing *d = context;
	const struct plan_version *v = &d->p->versions[row];
	out->role = ROLE_SECOND;
	switch (column) {
	case SHOWS_MARK: out->text = v == d->p->to ? "then" : v == d->p->from ? "now" : ""; out->role = ROLE_TITLE; break;
	case SHOWS_NAME: out->text = v->version.name[0] != '\0' ? v->version.name : v->version.id; out->role = ROLE_TEXT; break;
	case SHOWS_HEALTH: out->text = health_name(v->health); out->role = roles[v->health < HEALTH_COUNT ? v->health : 0]; break;
	case SHOWS_SINCE: out->text = v->version.since_ms > 0 ? moment_text(v->version.since_ms, d->v->t_ms, d->text) : "?"; break;
	case SHOWS_WHERE:
		if (v->n_units > 0)
			snprintf(d->text, ALERTS_TEXT, "%zu", v->n_units);
		else
			snprintf(d->text, ALERTS_TEXT, "%s", v->version.is_present ? "-" : "not there");
		out->text = d->text;
		break;
	default: out->text = v->evidence; out->role = ROLE_TEXT; break;
	}
}

void sheet_versions_draw(const struct deploy_plan *p, const struct view *v, struct table_state *t, struct canvas *c)
{
	char text[ALERTS_TEXT] = "";
	const struct drawing d = { p, v, text };
	const struct table_source source = { .context = &d, .rows = p->n_versions, .cell = cell };
	struct rect all = canvas_region(c);
	canvas_rule(c, 0, "go to which version?", "Enter makes a plan for it");
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	table_clamp(t, p->n_versions, all.rows - 2);
	table_draw(c, columns, N_COLUMNS, t, &source);
	canvas_leave(c);
}
