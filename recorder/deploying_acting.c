/* SPDX-License-Identifier: Apache-2.0
 *
 * Which runs are under way: what the end of the recorder would interrupt. */
#include "recorder/deploying_private.h"

bool acting_is_leaving(const struct acting *a)
{
	return a->run != NULL && !a->is_lost && deployment_is_over(run_state(a->run)) && acting_locks_are_left(a);
}

/* A run that was paused or has stopped still leads what it began to its end, and one that is over gives its locks back. */
static bool goes_on(const struct acting *a)
{
	if (a->run == NULL || a->is_lost)
		return false;
	enum deployment_state s = run_state(a->run);
	if (deployment_is_over(s))
		return acting_is_leaving(a);
	if (s == DEPLOYMENT_WAITING) /* it would expire, and somebody was asked to look at it */
		return true;
	if (s == DEPLOYMENT_RUNNING || s == DEPLOYMENT_UNDOING)
		return true;
	return (s == DEPLOYMENT_PAUSED || s == DEPLOYMENT_STOPPED) && (a->ticket != 0 || a->tasks != NULL || a->outcomes != NULL || !run_is_quiet(a->run));
}

size_t deploying_acting(const struct deploying *d, struct buf *names)
{
	size_t n = 0;
	for (const struct acting *a = d->actings; a != NULL; a = a->next) {
		if (!goes_on(a))
			continue;
		if (names != NULL)
			buf_printf(names, "%s%s of %s to %s%s", n > 0 ? ", " : "", acting_verb(a), a->plan->scope, acting_to(a),
			           run_state(a->run) == DEPLOYMENT_WAITING ? " (waits for a second person)" : "");
		n++;
	}
	return n;
}

void deploying_audit_acting(struct deploying *d, struct changes *c, const struct actor *who, const char *action, const char *text)
{
	for (const struct acting *a = d->actings; a != NULL; a = a->next)
		if (goes_on(a))
			deploying_audit(d, c, a, who, action, text);
}
