/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/deploys_ask.h"

#include <string.h>

#include "tui/alerts_text.h"
#include "tui/deploys_data.h"
#include "tui/deploys_text.h"
#include "tui/dialog.h"
#include "tui/screens.h"
#include "tui/sheet.h"

struct asker asker_of(const struct view *v)
{
	return (struct asker){ v->person.who != NULL ? v->person.who : "", v->person.origin != NULL ? v->person.origin : "", v->now_ms };
}

/* A copy that is whole, checked, and its own. */
static enum err finish(const struct asker *a, struct request *r, struct request **out, struct why *why)
{
	r->who = a->who;
	r->origin = a->origin;
	r->asked_ms = a->now_ms;
	if (a->who[0] == '\0')
		return why_set(why, ERR_FORMAT, "who are you? several people use this account");
	enum err e = request_new_id(a->now_ms, r->id, why);
	return e == ERR_OK ? request_copy(r, out, why) : e;
}

enum err deploy_ask_plan(const struct asker *a, const struct deploy_wish *w, struct request **out, struct why *why)
{
	struct request r = { .kind = REQUEST_PLAN, .verb = w->kind == DEPLOY_ROLLBACK ? "rollback" : "redeploy", .target = w->target, .to = w->version,
		             .comment = w->reason, .alert = w->alert };
	return finish(a, &r, out, why);
}

enum err deploy_ask_confirm(const struct asker *a, int64_t deployment, const char *hash, const char *name, struct request **out, struct why *why)
{
	struct request r = { .kind = REQUEST_CONFIRM, .deployment = deployment, .hash = hash, .name = name };
	return finish(a, &r, out, why);
}

enum err deploy_ask_control(const struct asker *a, int64_t deployment, enum control c, const char *text, struct request **out, struct why *why)
{
	static const char *const verbs[CONTROL_COUNT] = {
#define X(name, text) [CONTROL_##name] = text,
		CONTROL_LIST(X)
#undef X
	};
	struct request r = { .kind = REQUEST_CONTROL, .deployment = deployment, .verb = verbs[c], .comment = text };
	return finish(a, &r, out, why);
}

const char *deploy_refusal(const struct view *v)
{
	if (v->is_file)
		return "this is a replay: nothing can be done about it";
	if (v->person.who == NULL)
		return "nothing can be asked for from here";
	if (v->person.refusal != NULL && v->person.refusal[0] != '\0')
		return v->person.refusal;
	return v->mode != VIEW_LIVE ? "this is the past: L goes back to now" : "";
}

enum next deploy_command(enum command c, const struct view *v, const struct deploy_wish *w, struct requests *out)
{
	struct deploy_wish wish = *w;
	const struct asker a = asker_of(v);
	struct request *r = NULL;
	struct why why = { "" };
	if (c != COMMAND_ROLLBACK && c != COMMAND_REDEPLOY)
		return NEXT_IGNORED;
	wish.kind = c == COMMAND_ROLLBACK ? DEPLOY_ROLLBACK : DEPLOY_REDEPLOY;
	if (deploy_refusal(v)[0] != '\0' || w->target[0] == '\0') {
		out->message = w->target[0] == '\0' ? "this is of no model and no node" : deploy_refusal(v);
		return NEXT_REDRAW;
	}
	if (!v->person.must_ask && deploy_ask_plan(&a, &wish, &r, &why) != ERR_OK) {
		out->message = "this cannot be asked for: its name is too long or cannot be written, or memory is short";
		return NEXT_REDRAW;
	}
	out->push = sheet_screen_new(&wish, r != NULL ? r->id : NULL, v);
	if (out->push == NULL) {
		request_free(r);
		out->message = "out of memory";
		return NEXT_REDRAW;
	}
	out->ask = r;
	return NEXT_REDRAW;
}

/* ---- what was left ---- */

static struct screen *offer(const struct deploy_item *d, const struct view *v)
{
	struct requests yes = { .push = run_screen_new(d->at.row.id) };
	struct screen *s = NULL;
	struct buf text;
	char age[ALERTS_TEXT];
	buf_init(&text, 2000);
	if (yes.push != NULL) {
		deploy_name(&d->at.row, &text);
		buf_printf(&text, ", %s -> %s\n%s %s ago%s%.300s", d->at.row.from, d->at.row.to, deployment_state_name(d->at.last.state),
		           since_text(d->at.last.at_ms, v->t_ms, age), d->at.last.text[0] != '\0' ? ": " : "", d->at.last.text);
		buf_puts(&text, "\n\nNothing goes on by itself: it can be resumed, undone or abandoned.");
		s = dialog_new("a deployment is unfinished", buf_text(&text), "show it", "later", &yes);
	}
	if (s == NULL && yes.push != NULL)
		yes.push->kind->free(yes.push);
	buf_release(&text);
	return s;
}

struct screen *deploys_offer(struct deploys_offered *o, const struct view *v)
{
	const struct deploy_item *d = deploys_unfinished(v->deploys);
	bool is_first = !o->has_looked;
	if (v->deploys == NULL || v->mode != VIEW_LIVE || v->is_file)
		return NULL;
	o->has_looked = true;
	if (d == NULL || d->at.row.id == o->id || (!is_first && d->at.last.state != DEPLOYMENT_INTERRUPTED))
		return NULL;
	o->id = d->at.row.id;
	return offer(d, v);
}
