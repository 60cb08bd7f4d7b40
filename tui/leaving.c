/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/leaving.h"

#include "tui/deploys_data.h"
#include "tui/deploys_text.h"
#include "tui/dialog.h"

enum { TEXT_MAX = 2000, NAMED_MAX = 3 };

/* What is shown may be of another moment, or a moment old: then the number has to do. */
static void put_names(const struct view *v, size_t n_acting, struct buf *to)
{
	size_t n = 0;
	for (size_t i = 0; v->mode == VIEW_LIVE && v->deploys != NULL && i < v->deploys->n && n < NAMED_MAX; i++) {
		const struct deployment_at *at = &v->deploys->items[i].at;
		if (at->last.state != DEPLOYMENT_RUNNING && at->last.state != DEPLOYMENT_UNDOING && at->last.state != DEPLOYMENT_WAITING)
			continue;
		buf_puts(to, "  ");
		deploy_name(&at->row, to);
		buf_printf(to, ", %.80s -> %.80s%s\n", at->row.from, at->row.to, at->last.state == DEPLOYMENT_WAITING ? ", waits for a second person" : "");
		n++;
	}
	if (n > 0 && n < n_acting)
		buf_printf(to, "  and %zu more\n", n_acting - n);
}

struct screen *leaving_new(const struct view *v, size_t n_acting, const struct leaving_answers *a)
{
	const struct requests detach = { .quit = true, .confirmed = a->detach, .confirmed_ctx = a->ctx };
	const struct requests interrupt = { .quit = true, .confirmed = a->interrupt, .confirmed_ctx = a->ctx };
	struct buf text;
	buf_init(&text, TEXT_MAX);
	if (n_acting == 1)
		buf_puts(&text, "This console carries out a deployment, which is under way.\n");
	else
		buf_printf(&text, "This console carries out %zu deployments, which are under way.\n", n_acting);
	put_names(v, n_acting, &text);
	buf_puts(&text, "\nIn the background it goes on without a terminal.\nInterrupted it stays as it is, until somebody\nresumes, undoes or abandons it.");
	struct screen *s = dialog_choice_new("leave pitwall?", buf_text(&text), "go on in the background", 'i', "interrupt", "stay", &detach, &interrupt);
	buf_release(&text);
	return s;
}
