/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet_places.h"

#include <stdio.h>
#include <string.h>

#include "tui/alerts_text.h"

enum { SHOWS_NAME, SHOWS_NODES, SHOWS_STATE, SHOWS_RUNS, N_COLUMNS };

static const struct table_column columns[N_COLUMNS] = {
	[SHOWS_NAME] = { "place", 12, 48, -1, 0 }, [SHOWS_NODES] = { "nodes", 5, 5, 1, 1 }, [SHOWS_STATE] = { "in trouble", 10, 10, 1, 2 },
	[SHOWS_RUNS] = { "runs", 8, 60, -1, 1 },
};

void sheet_places_init(struct sheet_places *p)
{
	*p = (struct sheet_places){ .at = { .is_unsorted = true } };
	arena_init(&p->arena);
}

void sheet_places_release(struct sheet_places *p)
{
	arena_release(&p->arena);
	p->n = 0;
}

void sheet_places_take(struct sheet_places *p, const struct deploy_detail *d)
{
	const char *said = d != NULL && d->id == 0 && d->err == ERR_USAGE ? d->why : "";
	if (strncmp(p->sentence, said, sizeof p->sentence - 1) == 0)
		return;
	snprintf(p->sentence, sizeof p->sentence, "%s", said);
	arena_reset(&p->arena);
	p->n = scope_choices(p->sentence, &p->arena, p->items);
	p->at = (struct table_state){ .is_unsorted = true };
}

const char *sheet_places_selected(const struct sheet_places *p)
{
	return p->at.selected < p->n ? p->items[p->at.selected] : NULL;
}

/* ---- what the console knows of each ---- */

struct drawing {
	const struct sheet_places *p;
	const struct view         *v;
	char                      *text; /* ALERTS_TEXT */
};

/* A scope goes by the name of its group or of its model, and so do the other words. */
static bool is_of_named(const struct node_row *n, const char *name)
{
	return strcmp(n->group, name) == 0 || strcmp(n->model, name) == 0;
}

/* "a,b@SCOPE": one of these nodes, where it serves that. */
static bool is_on(const struct node_row *n, const char *names, const char *scope)
{
	size_t len = strlen(n->node);
	for (const char *at = names; at < scope; at += strcspn(at, ",@") + 1)
		if (strncmp(at, n->node, len) == 0 && (at[len] == ',' || at[len] == '@'))
			return is_of_named(n, scope + 1);
	return false;
}

static bool is_of(const struct node_row *n, const char *place)
{
	const char *name = strchr(place, ':');
	name = name != NULL ? name + 1 : place;
	const char *scope = strchr(name, '@');
	if (scope != NULL)
		return strncmp(place, "node:", 5) == 0 ? is_on(n, name, scope) : is_of_named(n, scope + 1);
	if (strncmp(place, "model:", 6) == 0)
		return strcmp(n->model, name) == 0;
	return strcmp(n->group, name) == 0 || (strncmp(place, "group:", 6) != 0 && strcmp(n->model, name) == 0);
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const char *place = d->p->items[row], *version = NULL;
	size_t n = 0, n_bad = 0;
	bool is_mixed = false;
	for (size_t i = 0; d->v->fleet != NULL && i < d->v->fleet->n_nodes; i++) {
		const struct node_row *r = &d->v->fleet->nodes[i];
		if (!is_of(r, place))
			continue;
		n++;
		n_bad += r->severity >= SEVERITY_WARN;
		is_mixed |= version != NULL && strcmp(version, r->version) != 0;
		version = version != NULL ? version : r->version;
	}
	out->text = d->text;
	out->role = ROLE_SECOND;
	switch (column) {
	case SHOWS_NAME: out->text = place; out->role = ROLE_TEXT; break;
	case SHOWS_NODES: snprintf(d->text, ALERTS_TEXT, n > 0 ? "%zu" : "?", n); break;
	case SHOWS_STATE:
		snprintf(d->text, ALERTS_TEXT, "%zu", n_bad);
		out->role = n_bad > 0 ? ROLE_WARN : ROLE_SECOND;
		break;
	default: out->text = version == NULL ? "" : is_mixed ? "several versions" : version; break;
	}
}

void sheet_places_draw(const struct sheet_places *p, const char *target, const struct view *v, struct canvas *c)
{
	char text[ALERTS_TEXT] = "", title[ALERTS_TEXT];
	const struct drawing d = { p, v, text };
	const struct table_source source = { .context = &d, .rows = p->n, .cell = cell };
	struct rect all = canvas_region(c);
	struct table_state at = p->at; /* drawing scrolls a copy */
	snprintf(title, sizeof title, "%.60s is several: which of them?", target);
	canvas_rule(c, 0, title, "Enter plans it");
	if (all.rows < 3)
		return;
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	table_clamp(&at, p->n, all.rows - 2);
	table_draw(c, columns, N_COLUMNS, &at, &source);
	canvas_leave(c);
}
