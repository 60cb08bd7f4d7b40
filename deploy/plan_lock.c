/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/plan_lock.h"

#include "deploy/lock.h"

const char plan_lock_take_words[] = "lock it: before anything is touched, and every 45 s while the run is not over ({who} confirms, {host} records)";
const char plan_lock_free_words[] = "give its lock back, when all is over";

bool plan_unit_is_locked(const struct deploy_plan *p, const struct plan_unit *u)
{
	const struct driver *d = driver_find(p->driver);
	return p->lock != NULL && p->lock[0] != '\0' && plan_unit_acts(u) && (u->no_lock == NULL || u->no_lock[0] == '\0') && (d == NULL || d->lock == NULL) &&
	       unit_has_machine(&u->unit);
}

void plan_lock_asks(const struct deploy_plan *p, const struct plan_unit *u, struct arena *a, struct ask *take, struct ask *give_back)
{
	const char *what = arena_printf(a, LOCK_WHAT, plan_kind_name(p->kind), p->scope, p->to != NULL ? p->to->version.name : LOCK_TO_NOTHING);
	const struct lock_holder h = { p->key, "{who}", "{host}", what };
	lock_ask_take(a, p->lock, &h, u->takes_lock != NULL ? u->takes_lock : "", take);
	lock_ask_free(a, p->lock, p->key, give_back);
}
