/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/deploys_text.h"

#include <assert.h>
#include <string.h>

#include "tui/alerts_text.h"
#include "tui/glyph.h"

static const struct {
	uint32_t  glyph;
	enum role role;
} looks[] = {
	[DEPLOYMENT_PLANNED] = { 'i', ROLE_SECOND },       [DEPLOYMENT_WAITING] = { 'i', ROLE_INFO },
	[DEPLOYMENT_RUNNING] = { GLYPH_PLAY, ROLE_INFO },  [DEPLOYMENT_PAUSED] = { GLYPH_UP, ROLE_WARN },
	[DEPLOYMENT_STOPPED] = { GLYPH_SQUARE, ROLE_CRIT }, [DEPLOYMENT_INTERRUPTED] = { GLYPH_SQUARE, ROLE_CRIT },
	[DEPLOYMENT_UNDOING] = { GLYPH_PLAY, ROLE_WARN },  [DEPLOYMENT_DONE] = { GLYPH_DOT, ROLE_OK },
	[DEPLOYMENT_UNDONE] = { GLYPH_DOT, ROLE_SECOND },  [DEPLOYMENT_ABANDONED] = { GLYPH_DOWN, ROLE_DOWN },
	[DEPLOYMENT_REFUSED] = { '-', ROLE_FAINT },        [DEPLOYMENT_EXPIRED] = { '-', ROLE_FAINT },
};
static_assert(sizeof looks / sizeof looks[0] == DEPLOYMENT_STATE_COUNT, "a row for every state");

uint32_t deploy_glyph(enum deployment_state s)
{
	return looks[s].glyph;
}

enum role deploy_role(enum deployment_state s)
{
	return looks[s].role;
}

enum err deploy_name(const struct deployment_row *r, struct buf *to)
{
	const char *of = r->target[0] != '\0' ? r->target : r->scope;
	buf_printf(to, "%.20s of %.100s", r->kind, of);
	return strcmp(of, r->model) == 0 || r->model[0] == '\0' ? to->err : buf_printf(to, " (%.100s)", r->model);
}

const struct deploy_item *deploys_unfinished(const struct deploys_view *v)
{
	for (size_t i = 0; v != NULL && i < v->n; i++)
		if (deployment_is_unfinished(v->items[i].at.last.state))
			return &v->items[i];
	return NULL;
}

static const struct deploy_item *first_in(const struct deploys_view *v, enum deployment_state s)
{
	for (size_t i = 0; v != NULL && i < v->n; i++)
		if (v->items[i].at.last.state == s)
			return &v->items[i];
	return NULL;
}

const struct deploy_item *deploys_holder(const struct deploys_view *v, const char *model)
{
	for (size_t i = 0; v != NULL && i < v->n; i++) {
		enum deployment_state s = v->items[i].at.last.state;
		if ((deployment_is_active(s) || s == DEPLOYMENT_WAITING) && strcmp(v->items[i].at.row.model, model) == 0)
			return &v->items[i];
	}
	return NULL;
}

const struct deploy_item *deploys_find(const struct deploys_view *v, int64_t id)
{
	for (size_t i = 0; v != NULL && i < v->n; i++)
		if (v->items[i].at.row.id == id)
			return &v->items[i];
	return NULL;
}

const struct deploy_detail *deploy_detail_of(const struct view *v, int64_t id)
{
	return v->deploy != NULL && v->deploy->id == id && id != 0 ? v->deploy : NULL;
}

static void say_going(const struct deploy_item *d, struct buf *to)
{
	const struct deployment_at *at = &d->at;
	deploy_name(&at->row, to);
	if (at->last.state == DEPLOYMENT_UNDOING)
		buf_puts(to, ": puts back what was touched");
	else if (d->wave > 0 && d->n_waves > 0)
		buf_printf(to, ": wave %zu of %zu", d->wave, d->n_waves);
	if (at->n_steps > 0)
		buf_printf(to, ", %zu steps done", at->n_done);
	if (at->n_failed > 0)
		buf_printf(to, ", %zu failed", at->n_failed);
}

static void say_unfinished(const struct deploy_item *d, const struct view *v, struct buf *to)
{
	char age[ALERTS_TEXT];
	buf_puts(to, "unfinished: ");
	deploy_name(&d->at.row, to);
	buf_printf(to, ", %s %s ago", deployment_state_name(d->at.last.state), since_text(d->at.last.at_ms, v->t_ms, age));
	if (d->at.last.text[0] != '\0')
		buf_printf(to, ": %.200s", d->at.last.text);
}

bool deploys_banner(const struct view *v, struct buf *to, enum role *role)
{
	static const enum deployment_state going[] = { DEPLOYMENT_RUNNING, DEPLOYMENT_UNDOING, DEPLOYMENT_WAITING };
	const struct deploy_item *d = deploys_unfinished(v->deploys);
	if (d != NULL) {
		say_unfinished(d, v, to);
		*role = deploy_role(d->at.last.state);
		return true;
	}
	for (size_t i = 0; i < sizeof going / sizeof going[0] && d == NULL; i++)
		d = first_in(v->deploys, going[i]);
	if (d == NULL)
		return false;
	say_going(d, to);
	if (d->at.last.state == DEPLOYMENT_WAITING)
		buf_puts(to, " waits for a second person");
	*role = deploy_role(d->at.last.state);
	return true;
}
