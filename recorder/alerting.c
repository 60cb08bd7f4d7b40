/* SPDX-License-Identifier: Apache-2.0
 *
 * A job begins only when all that the one before it gave is committed. So what a job finds in the store is what the desk believes; a request's file
 * goes, and a notification is sent, after the fact; and a disk that takes nothing holds up alerting instead of letting it run ahead of its record. */
#include "recorder/alerting.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notifier.h"
#include "base/log.h"
#include "recorder/desk.h"
#include "recorder/peers.h"

enum { TICK_MS = 100, TICK_SOON_MS = 25, LEAVE_MS = 2000 /* at the end what is being written is waited for so long at most */ };

/* A fleet that somebody here looks at. */
struct holding {
	const struct fleet *fleet;
	void              (*released)(void *ctx);
	void               *ctx;
	struct alerting    *alerting;
	unsigned            refs;
};

/* Where the results of a group of rules go. */
struct rules_target {
	char                *source;
	int64_t              id;
	uint64_t             version;
	const struct layout *layout; /* of that version */
};

struct alerting {
	struct alerting_options o;
	struct desk            *desk;
	struct loop_timer      *tick;
	struct notifier        *notifier; /* NULL: nobody is to be told */
	struct peers           *peers;    /* the fleet's Alertmanagers; NULL: there are none */
	struct holding         *now, *next;
	struct desk_job         job;
	bool                    is_working, is_closing, has_left, wants_queue, is_soon;
	int64_t                 leave_ms; /* monotonic */
	uint64_t                ticket;   /* of what the last job gave; 0: nothing */
	char                  (*done)[REQUEST_ID]; /* requests among that */
	size_t                  n_done, cap_done;
	struct desk_deploy     *asked;    /* requests that nobody has taken yet */
	size_t                  n_asked;
	struct rules_target    *targets;
	size_t                  n_targets, cap_targets;
	char                    told[sizeof(struct why)];
	char                    trouble[sizeof(struct why)]; /* with rounds, as last logged */
	size_t                  n_open;   /* parts that have not reported their end, with the closing itself */
	void                  (*closed)(void *ctx);
	void                   *closed_ctx;
};

/* ---- the end ---- */

static void part_closed(struct alerting *a)
{
	assert(a->n_open > 0);
	if (--a->n_open > 0)
		return;
	void (*closed)(void *) = a->closed;
	void *ctx = a->closed_ctx;
	for (size_t i = 0; i < a->n_targets; i++)
		free(a->targets[i].source);
	for (size_t i = 0; i < a->n_asked; i++)
		request_free(a->asked[i].request);
	free(a->asked);
	free(a->targets);
	free(a->done);
	free(a);
	if (closed != NULL)
		closed(ctx);
}

static void holding_drop(struct holding *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	struct alerting *a = h->alerting;
	if (h->released != NULL)
		h->released(h->ctx);
	free(h);
	part_closed(a);
}

static void sender_closed(void *ctx)
{
	holding_drop(ctx);
}

/* What they send to is lent until they are closed: each has a reference to the fleet, which goes then. */
static void close_senders(struct alerting *a, struct holding *of)
{
	if (a->notifier != NULL)
		notifier_close(a->notifier, sender_closed, of);
	if (a->peers != NULL)
		peers_close(a->peers, sender_closed, of);
	a->notifier = NULL;
	a->peers = NULL;
}

/* While no job runs. */
static void close_all(struct alerting *a)
{
	struct holding *now = a->now, *next = a->next;
	loop_timer_close(a->tick);
	a->now = a->next = NULL;
	close_senders(a, now);
	desk_job_release(&a->job);
	desk_free(a->desk);
	a->desk = NULL;
	holding_drop(now);
	holding_drop(next);
	part_closed(a);
}

/* ---- what is written ---- */

static void tell(struct alerting *a, enum severity severity, const char *text)
{
	struct why why = { "" };
	const struct event e = { .wall_ms = clock_wall_ms(a->o.clock), .severity = severity, .kind = "config", .node = "", .text = text };
	log_warn(a->o.log, "alerting", "%s", text);
	if (store_append_event(a->o.store, &e, &why) != ERR_OK)
		log_warn(a->o.log, "alerting", "cannot keep an event: %s", why.text);
}

/* Not what was told last. */
static void tell_once(struct alerting *a, const struct desk_word *w)
{
	if (strncmp(w->text, a->told, sizeof a->told - 1) == 0)
		return;
	snprintf(a->told, sizeof a->told, "%s", w->text);
	tell(a, w->severity, w->text);
}

static void on_result(void *ctx, const struct notification_row *row)
{
	struct alerting *a = ctx;
	struct changes *c;
	struct why why = { "" };
	enum err e = changes_new(&c, &why);
	if (e == ERR_OK) {
		changes_notification(c, row);
		e = store_commit(a->o.store, c, NULL, &why);
	}
	if (e != ERR_OK)
		log_error(a->o.log, "alerting", "cannot keep what became of a notification, it may be sent again: %s", why.text);
	if (row->state == NOTIFICATION_GIVEN_UP)
		log_error(a->o.log, "alerting", "receiver '%s' was not told of an alert: %s", row->receiver, row->error);
}

static void on_told(void *ctx, enum severity severity, const char *text)
{
	tell(ctx, severity, text);
}

static struct rules_target *target_add(struct alerting *a, const char *source)
{
	if (a->n_targets == a->cap_targets) {
		size_t cap = a->cap_targets == 0 ? 16 : a->cap_targets * 2;
		struct rules_target *more = realloc(a->targets, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		a->targets = more;
		a->cap_targets = cap;
	}
	char *copy = strdup(source);
	if (copy == NULL)
		return NULL;
	a->targets[a->n_targets] = (struct rules_target){ .source = copy };
	return &a->targets[a->n_targets++];
}

static enum err target_of(struct alerting *a, const char *source, struct rules_target **out, struct why *why)
{
	for (size_t i = 0; i < a->n_targets; i++)
		if (strcmp(a->targets[i].source, source) == 0) {
			*out = &a->targets[i];
			return ERR_OK;
		}
	*out = target_add(a, source);
	if (*out == NULL)
		return why_memory(why);
	struct labels *l = labels_of(TARGET_RULES, source, NULL);
	enum err e = store_target(a->o.store, l, "", &(*out)->id, why);
	labels_unref(l);
	if (e != ERR_OK)
		free(a->targets[--a->n_targets].source);
	return e;
}

static void drop_layout(struct alerting *a, struct rules_target *t)
{
	store_layout_drop(a->o.store, t->layout);
	t->layout = NULL;
}

static enum err append(struct alerting *a, const struct alert_frame *f, struct why *why)
{
	struct rules_target *t;
	enum err e = target_of(a, f->source, &t, why);
	if (e != ERR_OK)
		return e;
	if (f->n_live == 0)
		return store_append_stale(a->o.store, t->id, STREAM_SIGNAL, f->at_ms, why);
	if (t->layout == NULL || t->version != f->version) {
		drop_layout(a, t);
		e = store_layout(a->o.store, f->series, f->n, &t->layout, why);
		t->version = f->version;
	}
	return e == ERR_OK ? store_append(a->o.store, t->id, STREAM_SIGNAL, f->at_ms, t->layout, f->values, why) : e;
}

static void forget(struct alerting *a, const char *source)
{
	struct rules_target *t;
	struct why why = { "" };
	enum err e = target_of(a, source, &t, &why);
	if (e == ERR_OK)
		e = store_append_stale(a->o.store, t->id, STREAM_SIGNAL, clock_wall_ms(a->o.clock), &why);
	if (e == ERR_OK)
		e = store_target_gone(a->o.store, t->id, &why);
	if (e != ERR_OK)
		log_warn(a->o.log, "alerting", "cannot mark the series of the rules '%s' as gone: %s", source, why.text);
	else
		drop_layout(a, t);
}

static void write_frame(struct alerting *a, const struct alert_frame *f)
{
	struct why why = { "" };
	if (append(a, f, &why) != ERR_OK)
		log_warn(a->o.log, "alerting", "cannot keep what the rules '%s' gave: %s", f->source, why.text);
}

static void write_frames(struct alerting *a)
{
	const struct alert_round *r = &a->job.round;
	for (size_t i = 0; i < r->n_frames; i++)
		write_frame(a, &r->frames[i]);
	if (r->health != NULL)
		write_frame(a, r->health);
	for (size_t i = 0; i < r->n_gone; i++)
		forget(a, r->gone[i]);
}

/* A request's id is remembered, so that its file goes once this is committed. */
static void write_piece(struct alerting *a, struct desk_piece *p)
{
	struct why why = { "" };
	struct changes *c = p->changes;
	p->changes = NULL;
	a->wants_queue |= p->has_notifications;
	enum err e = ERR_OK;
	if (changes_is_empty(c))
		changes_free(c);
	else
		e = store_commit(a->o.store, c, &a->ticket, &why);
	if (e != ERR_OK)
		log_error(a->o.log, "alerting", "cannot keep what happened to alerts: %s", why.text);
	else if (p->request[0] != '\0')
		alerting_answered(a, p->request);
}

/* Without memory the file stays, and the store knows that it is done. */
void alerting_answered(struct alerting *a, const char *request)
{
	if (a->n_done == a->cap_done) {
		size_t cap = a->cap_done == 0 ? 8 : a->cap_done * 2;
		char(*more)[REQUEST_ID] = realloc(a->done, cap * sizeof *more);
		if (more == NULL)
			return;
		a->done = more;
		a->cap_done = cap;
	}
	snprintf(a->done[a->n_done++], REQUEST_ID, "%s", request);
}

static void write_pieces(struct alerting *a)
{
	for (size_t i = 0; i < a->job.n_pieces; i++)
		write_piece(a, &a->job.pieces[i]);
}

/* ---- redeploys and rollbacks ---- */

static void refuse(struct alerting *a, const struct request *r, enum err as, const char *text)
{
	struct changes *c;
	struct why why = { "" };
	enum err e = changes_new(&c, &why);
	if (e == ERR_OK) {
		changes_request(c, &(struct request_row){ .id = r->id, .at_ms = clock_wall_ms(a->o.clock), .err = as, .text = text });
		e = store_commit(a->o.store, c, &a->ticket, &why);
	}
	if (e == ERR_OK)
		alerting_answered(a, r->id);
	else
		log_error(a->o.log, "alerting", "cannot keep the answer to a request: %s", why.text);
}

/* In the order in which they were asked: one that has to wait does not hold up the others. */
static void hand_on(struct alerting *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n_asked; i++) {
		struct desk_deploy *d = &a->asked[i];
		const struct actor actor = desk_deploy_actor(d);
		struct why why = { "" };
		enum err e = a->o.deploy != NULL ? a->o.deploy(a->o.deploy_ctx, d->request, &actor, &why)
		                                 : why_set(&why, ERR_UNSUPPORTED, "this recorder neither redeploys nor rolls back");
		if (e == ERR_LATER) {
			a->asked[n++] = *d;
			continue;
		}
		if (e != ERR_OK)
			refuse(a, d->request, e, why.text);
		request_free(d->request);
	}
	a->n_asked = n;
}

/* Those of the job, behind those that wait. Without memory they are given again when the recorder begins anew. */
static void take_asked(struct alerting *a)
{
	struct desk_job *job = &a->job;
	if (job->n_deploys == 0)
		return;
	struct desk_deploy *more = realloc(a->asked, (a->n_asked + job->n_deploys) * sizeof *more);
	if (more == NULL) {
		log_error(a->o.log, "alerting", "what was asked about deployments is not done: out of memory");
		return;
	}
	a->asked = more;
	memcpy(&more[a->n_asked], job->deploys, job->n_deploys * sizeof *more);
	a->n_asked += job->n_deploys;
	job->n_deploys = 0; /* what they own is ours */
}

/* ---- jobs ---- */

static void log_trouble(struct alerting *a)
{
	const char *text = a->job.err != ERR_OK ? a->job.why.text : "";
	if (text[0] != '\0' && strcmp(text, a->trouble) != 0)
		log_warn(a->o.log, "alerting", "rules are not evaluated: %s", text);
	snprintf(a->trouble, sizeof a->trouble, "%s", text);
}

static void begin_notifier(struct alerting *a)
{
	const struct fleet *f = a->now->fleet;
	struct why why = { "" };
	if (f->n_receivers == 0)
		return;
	const struct notifier_options o = {
		.loop = a->o.loop, .clock = a->o.clock, .receivers = f->receivers, .n_receivers = f->n_receivers, .fleet = f->name, .version = a->o.version,
		.seed = (uint64_t)clock_mono_us(a->o.clock), .result = on_result, .ctx = a,
	};
	if (notifier_new(&o, &a->notifier, &why) != ERR_OK) {
		tell(a, SEVERITY_WARN, why.text);
		return;
	}
	a->now->refs++;
	a->wants_queue = true;
}

static void begin_peers(struct alerting *a)
{
	const struct fleet *f = a->now->fleet;
	struct why why = { "" };
	const struct peers_options o = { .loop = a->o.loop, .clock = a->o.clock, .fleet = f, .version = a->o.version, .told = on_told, .ctx = a };
	if (f->n_alertmanagers == 0)
		return;
	if (peers_new(&o, &a->peers, &why) == ERR_OK)
		a->now->refs++;
	else
		tell(a, SEVERITY_WARN, why.text);
}

static void tell_peers(struct alerting *a)
{
	struct why why = { "" };
	if (a->peers == NULL)
		return;
	if (a->job.news != NULL && peers_tell(a->peers, a->job.news, &why) != ERR_OK)
		log_error(a->o.log, "alerting", "an Alertmanager is not told of what changed: %s", why.text);
	peers_carry_out(a->peers, a->job.deeds, a->job.n_deeds);
	if (a->job.wants_pull)
		peers_look(a->peers);
}

/* The job changed the fleet, or could not. */
static void settle_fleet(struct alerting *a, struct holding *used)
{
	if (!a->job.has_used) {
		holding_drop(used);
		return;
	}
	struct holding *before = a->now;
	close_senders(a, before);
	a->now = used;
	holding_drop(before);
	begin_notifier(a);
	begin_peers(a);
}

static void leave(struct alerting *a);

static void job_done(void *ctx, bool is_cancelled)
{
	struct holding *used = ctx;
	struct alerting *a = used->alerting;
	bool has_changed = a->job.use != NULL;
	(void)is_cancelled;
	a->is_working = false;
	for (size_t i = 0; i < a->job.n_words; i++)
		tell_once(a, &a->job.words[i]);
	write_frames(a);
	write_pieces(a);
	take_asked(a);
	if (!a->is_closing)
		hand_on(a); /* at once: somebody waits for it */
	log_trouble(a);
	if (has_changed)
		settle_fleet(a, used);
	for (size_t i = 0; i < a->job.n_queue && a->notifier != NULL; i++) {
		struct why why = { "" };
		if (notifier_put(a->notifier, &a->job.queue[i], &why) != ERR_OK)
			log_error(a->o.log, "alerting", "cannot send a notification: %s", why.text);
	}
	tell_peers(a);
	desk_job_release(&a->job);
	holding_drop(used); /* the job's own */
	if (a->is_closing)
		leave(a);
	part_closed(a);
}

static void job_work(void *ctx)
{
	struct holding *h = ctx;
	desk_work(h->alerting->desk, &h->alerting->job);
}

/* False: none was begun. */
static bool begin_job(struct alerting *a, struct holding *h, const struct desk_job *job)
{
	a->job = *job;
	if (loop_work_new(a->o.loop, job_work, job_done, h, NULL, NULL) != ERR_OK) {
		a->job.remove = NULL; /* not the job's yet */
		desk_job_release(&a->job);
		return false;
	}
	a->done = NULL; /* the job's */
	a->n_done = a->cap_done = 0;
	a->is_working = true;
	a->n_open++;
	h->refs++;
	return true;
}

static void set_pace(struct alerting *a)
{
	bool is_soon = a->o.is_awaited != NULL && a->o.is_awaited(a->o.deploy_ctx);
	if (is_soon == a->is_soon)
		return;
	a->is_soon = is_soon;
	loop_timer_start(a->tick, is_soon ? TICK_SOON_MS : TICK_MS, is_soon ? TICK_SOON_MS : TICK_MS);
}

static void on_tick(void *ctx)
{
	struct alerting *a = ctx;
	struct holding *h = a->next != NULL ? a->next : a->now;
	if (a->is_closing) {
		leave(a);
		return;
	}
	set_pace(a);
	hand_on(a);
	if (a->is_working || h == NULL || (a->ticket != 0 && !store_is_committed(a->o.store, a->ticket)))
		return;
	struct desk_job job = { .use = a->next != NULL ? a->next->fleet : NULL, .remove = a->done, .n_remove = a->n_done, .wants_queue = a->wants_queue && a->notifier != NULL };
	if (a->peers != NULL && a->next == NULL) /* the desk knows whose they are as long as the fleet is the same */
		job.seen = peers_take(a->peers, &job.n_seen);
	bool is_given = job.use != NULL || job.n_remove > 0 || job.wants_queue || job.n_seen > 0;
	if ((!is_given && !desk_is_due(a->desk)) || !begin_job(a, h, &job))
		return;
	a->wants_queue &= !job.wants_queue;
	a->next = NULL;
}

/* One more job, so that what was told before the recorder ends does not wait for the next one: a console that records leaves together with it. */
static void leave(struct alerting *a)
{
	bool is_committed = a->ticket == 0 || store_is_committed(a->o.store, a->ticket);
	if (a->is_working || (!is_committed && clock_mono_ms(a->o.clock) < a->leave_ms))
		return;
	const struct desk_job last = { .is_last = true, .remove = a->done, .n_remove = is_committed ? a->n_done : 0 };
	if (!a->has_left && a->now != NULL) {
		a->has_left = true;
		if (begin_job(a, a->now, &last))
			return;
	}
	close_all(a);
}

void alerting_close(struct alerting *a, void (*done)(void *ctx), void *ctx)
{
	assert(!a->is_closing);
	a->is_closing = true;
	a->closed = done;
	a->closed_ctx = ctx;
	a->leave_ms = clock_mono_ms(a->o.clock) + LEAVE_MS;
	loop_timer_start(a->tick, TICK_SOON_MS, TICK_SOON_MS);
	leave(a);
}

/* ---- the beginning ---- */

void alerting_use(struct alerting *a, const struct fleet *f, void (*released)(void *ctx), void *ctx)
{
	struct holding *h = calloc(1, sizeof *h);
	if (h == NULL || a->is_closing) {
		if (!a->is_closing)
			tell(a, SEVERITY_WARN, "cannot follow the fleet's alerting, what was before goes on: out of memory");
		free(h);
		released(ctx);
		return;
	}
	*h = (struct holding){ .fleet = f, .released = released, .ctx = ctx, .alerting = a, .refs = 1 };
	a->n_open++;
	struct holding *unused = a->next;
	a->next = h;
	holding_drop(unused);
}

enum err alerting_new(const struct alerting_options *o, struct alerting **out, struct why *why)
{
	struct alerting *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	a->o = *o;
	a->n_open = 1;
	enum err e = desk_new(o->store_path, o->clock, &a->desk, why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_tick, a, &a->tick, why);
	if (e != ERR_OK) {
		desk_free(a->desk);
		free(a);
		return e;
	}
	loop_timer_start(a->tick, TICK_MS, TICK_MS);
	*out = a;
	return ERR_OK;
}
