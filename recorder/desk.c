/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/desk_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/asset.h"
#include "base/buf.h"
#include "base/diagnostics.h"
#include "base/num.h"
#include "rules/slo.h"

enum { TEXTS_MAX = 64, SPOOL_RETRY_MS = 30 * 1000, OBJECTIVES_MAX = 4 * 1024 * 1024 };

/* ---- what a job gives back ---- */

void desk_say(struct desk_job *job, enum severity severity, const char *format, ...)
{
	char text[1000];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (job->n_words == job->cap_words) {
		size_t cap = job->cap_words == 0 ? 8 : job->cap_words * 2;
		struct desk_word *more = realloc(job->words, cap * sizeof *more);
		if (more == NULL)
			return;
		job->words = more;
		job->cap_words = cap;
	}
	char *copy = strdup(text);
	if (copy != NULL)
		job->words[job->n_words++] = (struct desk_word){ severity, copy };
}

struct desk_piece *desk_piece_add(struct desk_job *job, struct why *why)
{
	if (job->n_pieces == job->cap_pieces) {
		size_t cap = job->cap_pieces == 0 ? 8 : job->cap_pieces * 2;
		struct desk_piece *more = realloc(job->pieces, cap * sizeof *more);
		if (more == NULL) {
			why_memory(why);
			return NULL;
		}
		job->pieces = more;
		job->cap_pieces = cap;
	}
	struct desk_piece *p = &job->pieces[job->n_pieces];
	*p = (struct desk_piece){ .changes = NULL };
	if (changes_new(&p->changes, why) != ERR_OK)
		return NULL;
	job->n_pieces++;
	return p;
}

static void free_row(struct notification_row *r)
{
	free((char *)(uintptr_t)r->receiver); /* one block, see copy_row */
}

void desk_job_release(struct desk_job *job)
{
	for (size_t i = 0; i < job->n_pieces; i++)
		changes_free(job->pieces[i].changes);
	for (size_t i = 0; i < job->n_deploys; i++)
		request_free(job->deploys[i].request);
	for (size_t i = 0; i < job->n_queue; i++)
		free_row(&job->queue[i]);
	for (size_t i = 0; i < job->n_words; i++)
		free(job->words[i].text);
	for (size_t i = 0; i < job->n_seen; i++) {
		am_answer_unref(job->seen[i].answer);
		free(job->seen[i].text);
	}
	for (size_t i = 0; i < job->n_deeds; i++)
		am_sync_release(&job->deeds[i].sync);
	desk_news_free(job->news);
	free(job->seen);
	free(job->deeds);
	free(job->pieces);
	free(job->deploys);
	free(job->queue);
	free(job->words);
	free(job->remove);
	*job = (struct desk_job){ .use = NULL };
}

/* ---- the queue of what waits to be sent ---- */

static enum err copy_row(void *ctx, const struct notification_row *r)
{
	struct desk_job *job = ctx;
	const char *texts[] = { r->receiver, r->group_key, r->body, r->error };
	size_t size = 0;
	if (job->n_queue == job->cap_queue) {
		size_t cap = job->cap_queue == 0 ? 16 : job->cap_queue * 2;
		struct notification_row *more = realloc(job->queue, cap * sizeof *more);
		if (more == NULL)
			return ERR_MEMORY;
		job->queue = more;
		job->cap_queue = cap;
	}
	for (size_t i = 0; i < 4; i++)
		size += strlen(texts[i]) + 1;
	char *at = malloc(size);
	if (at == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < 4; i++) {
		size_t n = strlen(texts[i]) + 1;
		texts[i] = memcpy(at, texts[i], n);
		at += n;
	}
	struct notification_row *to = &job->queue[job->n_queue++];
	*to = *r;
	to->receiver = texts[0];
	to->group_key = texts[1];
	to->body = texts[2];
	to->error = texts[3];
	return ERR_OK;
}

enum err desk_need_reader(struct desk *d, struct why *why)
{
	return d->reader != NULL ? ERR_OK : reader_open(d->store_path, READER_OWN, &d->reader, why);
}

/* ---- changing the fleet ---- */

struct texts {
	struct rulebook_text items[TEXTS_MAX];
	char                 names[TEXTS_MAX][64];
	size_t               n;
};

static enum err add_pack(void *ctx, const char *name, const char *text, size_t len)
{
	struct texts *t = ctx;
	const char *base = strrchr(name, '/');
	if (t->n == TEXTS_MAX)
		return ERR_LIMIT;
	base = base != NULL ? base + 1 : name;
	snprintf(t->names[t->n], sizeof t->names[0], "pitwall:%.*s", (int)strcspn(base, "."), base);
	t->items[t->n] = (struct rulebook_text){ .name = t->names[t->n], .text = text, .len = len };
	t->n++;
	return ERR_OK;
}

/* Behind the packs, so that what is promised takes the place of their mild alerts. */
static enum err add_objectives(struct texts *t, const struct fleet *f, struct buf *text, struct why *why)
{
	if (f->n_slos == 0)
		return ERR_OK;
	if (t->n == TEXTS_MAX || slo_print(f->slos, f->n_slos, text) != ERR_OK)
		return why_set(why, text->err != ERR_OK ? text->err : ERR_LIMIT, "the objectives make too long a rule file");
	t->items[t->n++] = (struct rulebook_text){ .name = SLO_SOURCE, .text = text->data, .len = text->len };
	return ERR_OK;
}

static void say_mistakes(struct desk_job *job, const struct diagnostics *found)
{
	struct why why = { "" };
	if (found->n_errors == 0)
		return;
	diagnostics_why(found, ERR_FORMAT, &why);
	desk_say(job, SEVERITY_WARN, "the rule files have %zu mistake%s, what was good before goes on: %s", found->n_errors, found->n_errors == 1 ? "" : "s",
	         why.text);
}

static enum err load_rules(struct desk *d, struct desk_job *job, const struct fleet *f, int64_t now_ms, struct why *why)
{
	struct texts texts = { .n = 0 };
	struct diagnostics found;
	struct rulebook *book = NULL;
	struct buf objectives;
	diagnostics_init(&found);
	buf_init(&objectives, OBJECTIVES_MAX);
	enum err e = f->alerting.builtin ? asset_list("packs/", add_pack, &texts) : ERR_OK;
	if (e == ERR_OK)
		e = add_objectives(&texts, f, &objectives, why);
	const struct rulebook_options o = {
		.paths = f->rules, .n_paths = f->n_rules, .texts = texts.items, .n_texts = texts.n,
		.disabled = f->alerting.disabled, .n_disabled = f->alerting.n_disabled,
	};
	if (e == ERR_OK)
		e = rulebook_read(&o, alert_manager_book(d->manager), &found, &book, why);
	if (e == ERR_OK) {
		say_mistakes(job, &found);
		e = alert_manager_load(d->manager, book, &f->alerting, now_ms, why);
	}
	diagnostics_release(&found);
	buf_release(&objectives);
	return e;
}

/* Nothing of the fleet of before is looked at once the rules have been loaded. */
static void use(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct why why = { "" };
	if (load_rules(d, job, job->use, now_ms, &why) != ERR_OK) {
		desk_say(job, SEVERITY_WARN, "cannot follow the fleet's alerting, what was before goes on: %s", why.text);
		return;
	}
	desk_tell_unload(d);
	desk_peers_unload(d);
	d->fleet = job->use;
	d->next_round_ms = 0;
	job->has_used = true;
}

/* ---- a job ---- */

static void open_spool(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct why why = { "" };
	struct stat st;
	if (d->spool != NULL || now_ms < d->spool_retry_ms)
		return;
	if (spool_open(d->store_path, &d->spool, &why) == ERR_OK) {
		d->store_owner = stat(d->store_path, &st) == 0 ? st.st_uid : 0;
		d->has_told_spool = false;
		return;
	}
	d->spool_retry_ms = now_ms + SPOOL_RETRY_MS;
	if (!d->has_told_spool)
		desk_say(job, SEVERITY_WARN, "nobody can acknowledge alerts here: %s", why.text);
	d->has_told_spool = true;
}

static void take_round(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	if (now_ms < d->next_round_ms)
		return;
	job->err = alert_manager_round(d->manager, now_ms, &job->round, &job->why);
	if (job->err != ERR_OK) {
		d->next_round_ms = now_ms + ROUND_RETRY_MS;
		return;
	}
	/* A group may become due earlier when the clock is set back. */
	d->next_round_ms = job->round.next_ms < now_ms + ROUND_MAX_MS ? job->round.next_ms : now_ms + ROUND_MAX_MS;
	d->is_restored = true;
	d->has_changed |= job->round.changes != NULL || job->round.n_evaluated > 0;
	if (job->round.changes == NULL)
		return;
	struct desk_piece *p = desk_piece_add(job, &job->why);
	if (p == NULL) {
		job->err = ERR_MEMORY;
		changes_free(job->round.changes);
		return;
	}
	changes_free(p->changes);
	p->changes = job->round.changes;
}

/* A while more than `keep` says, so that also as of its beginning there is what was over just then. */
static bool prune_is_due(const struct desk *d, int64_t now_ms) { return d->fleet->alerting.keep_ms != 0 && now_ms >= d->prune_ms; }

static void prune(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct why why = { "" };
	if (!prune_is_due(d, now_ms))
		return;
	struct desk_piece *p = desk_piece_add(job, &why);
	if (p == NULL)
		return; /* later */
	d->prune_ms = now_ms + PRUNE_MS;
	changes_prune(p->changes, now_ms - d->fleet->alerting.keep_ms - ALERT_RESOLVED_KEPT_MS);
}

/* The times that were set by the clock before mean nothing after it was set back or jumped. */
static void watch_clock(struct desk *d, int64_t now_ms)
{
	if (now_ms < d->last_ms) {
		d->next_round_ms = 0;
		d->prune_ms = 0;
	}
	if (d->last_ms == 0)
		d->prune_ms = now_ms + PRUNE_MS;
	else if (now_ms > d->last_ms + PRUNE_MS)
		d->prune_ms = now_ms + PRUNE_PAUSE_MS;
	d->last_ms = now_ms;
}

static void read_queue(struct desk *d, struct desk_job *job)
{
	struct why why = { "" };
	enum err e = desk_need_reader(d, &why);
	if (e == ERR_OK)
		e = reader_notifications(d->reader, NOTIFICATION_WAITING, copy_row, job, &why);
	if (e != ERR_OK)
		desk_say(job, SEVERITY_WARN, "cannot read what is to be told of alerts: %s", why.text);
}

void desk_work(struct desk *d, struct desk_job *job)
{
	int64_t now_ms = clock_wall_ms(d->clock);
	struct why why = { "" };
	job->why.text[0] = '\0';
	watch_clock(d, now_ms);
	if (job->use != NULL)
		use(d, job, now_ms);
	open_spool(d, job, now_ms);
	for (size_t i = 0; i < job->n_remove && d->spool != NULL; i++)
		if (spool_remove(d->spool, job->remove[i], &why) != ERR_OK)
			desk_say(job, SEVERITY_WARN, "cannot remove a request that is done: %s", why.text);
	if (d->fleet == NULL)
		return;
	if (job->is_last) {
		if (d->spool != NULL && desk_need_reader(d, &why) == ERR_OK)
			desk_take_leaving(d, job, now_ms);
		return;
	}
	take_round(d, job, now_ms);
	if (d->is_restored) /* what people asked for before is committed by now */
		desk_peers_step(d, job, now_ms);
	if (d->is_restored && d->spool != NULL && (why.text[0] = '\0', desk_need_reader(d, &why)) == ERR_OK)
		desk_take_requests(d, job, now_ms);
	if (d->is_restored)
		desk_tell_step(d, job, now_ms);
	if (d->is_restored)
		prune(d, job, now_ms);
	if (job->wants_queue)
		read_queue(d, job);
}

bool desk_is_due(struct desk *d)
{
	int64_t now_ms = clock_wall_ms(d->clock);
	if (now_ms < d->last_ms || (d->spool == NULL && now_ms >= d->spool_retry_ms))
		return true;
	if (d->fleet == NULL)
		return false;
	if (now_ms >= d->next_round_ms)
		return true;
	if (!d->is_restored)
		return false;
	return !d->has_peers || desk_tell_is_due(d, now_ms) || prune_is_due(d, now_ms) || (d->spool != NULL && spool_has_news(d->spool));
}

enum err desk_new(const char *store_path, const struct clock *clock, struct desk **out, struct why *why)
{
	struct desk *d = calloc(1, sizeof *d);
	if (d == NULL)
		return why_memory(why);
	d->clock = clock;
	d->store_path = strdup(store_path);
	const struct alert_manager_options o = { .store_path = store_path, .clock = clock };
	enum err e = d->store_path == NULL ? why_memory(why) : alert_manager_new(&o, &d->manager, why);
	if (e != ERR_OK) {
		desk_free(d);
		return e;
	}
	*out = d;
	return ERR_OK;
}

void desk_free(struct desk *d)
{
	if (d == NULL)
		return;
	desk_tell_unload(d);
	desk_peers_unload(d);
	alert_manager_free(d->manager);
	spool_close(d->spool);
	reader_close(d->reader);
	free(d->store_path);
	free(d->consoles);
	free(d);
}
