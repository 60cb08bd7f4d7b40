/* SPDX-License-Identifier: Apache-2.0
 *
 * What Alertmanagers have, taken into the store: their alerts as they are, their silences as ours, and whether they answer. */
#include "recorder/desk_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/receivers.h"

enum { STATE_TEXT = 400 };

static const char *fleet_name(const struct desk *d)
{
	return d->fleet->name[0] != '\0' ? d->fleet->name : "fleet"; /* as the mirror of acknowledgements has it */
}

static struct desk_peer *find_peer(struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->n_peers; i++)
		if (strcmp(am_seen_name(d->peers[i].seen), name) == 0)
			return &d->peers[i];
	return NULL;
}

static const struct fleet_alertmanager *shown_as(const struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->fleet->n_alertmanagers; i++)
		if (d->fleet->alertmanagers[i].is_shown && strcmp(d->fleet->alertmanagers[i].name, name) == 0)
			return &d->fleet->alertmanagers[i];
	return NULL;
}

static enum err add_peer(struct desk *d, const char *name, struct why *why)
{
	if (find_peer(d, name) != NULL)
		return ERR_OK;
	struct desk_peer *more = realloc(d->peers, (d->n_peers + 1) * sizeof *more);
	if (more == NULL)
		return why_memory(why);
	d->peers = more;
	more[d->n_peers] = (struct desk_peer){ .state = ALERTMANAGER_GONE };
	enum err e = am_seen_new(name, &more[d->n_peers].seen, why);
	d->n_peers += e == ERR_OK;
	return e;
}

/* ---- what the store has of them ---- */

struct loading {
	struct desk *d;
	struct why   why;
};

static enum err load_external(void *ctx, const struct external_row *r)
{
	struct loading *l = ctx;
	enum err e = add_peer(l->d, r->remote, &l->why);
	const struct desk_peer *p = e == ERR_OK ? find_peer(l->d, r->remote) : NULL;
	return p != NULL ? am_seen_restore(p->seen, r, &l->why) : e;
}

static enum err load_state(void *ctx, const struct alertmanager_row *r)
{
	struct loading *l = ctx;
	if (r->state == ALERTMANAGER_GONE)
		return ERR_OK;
	enum err e = add_peer(l->d, r->name, &l->why);
	struct desk_peer *p = e == ERR_OK ? find_peer(l->d, r->name) : NULL;
	if (p == NULL)
		return e;
	p->state = r->state;
	p->text = strdup(r->text);
	return p->text != NULL ? ERR_OK : ERR_MEMORY;
}

void desk_peers_unload(struct desk *d)
{
	for (size_t i = 0; i < d->n_peers; i++) {
		am_seen_free(d->peers[i].seen);
		free(d->peers[i].text);
	}
	free(d->peers);
	d->peers = NULL;
	d->n_peers = 0;
	d->has_peers = false;
}

static enum err load(struct desk *d, int64_t now_ms, struct why *why)
{
	struct loading l = { .d = d };
	struct alert_ids ids;
	enum err e = desk_need_reader(d, why);
	if (e == ERR_OK)
		e = reader_alert_ids(d->reader, &ids, why);
	if (e == ERR_OK)
		e = reader_externals(d->reader, now_ms, now_ms, load_external, &l, why);
	if (e == ERR_OK)
		e = reader_alertmanagers(d->reader, now_ms, now_ms, load_state, &l, why);
	for (size_t i = 0; i < d->fleet->n_alertmanagers && e == ERR_OK; i++)
		if (d->fleet->alertmanagers[i].is_shown)
			e = add_peer(d, d->fleet->alertmanagers[i].name, why);
	if (e == ERR_OK && ids.external > d->last_external)
		d->last_external = ids.external;
	return e;
}

/* ---- what is written ---- */

/* It is so from now on; since when it does not answer is told once. */
static enum err set_state(struct desk_peer *p, enum alertmanager_state state, const char *text, int64_t now_ms, struct changes *c, struct why *why)
{
	const char *before = p->text != NULL ? p->text : "";
	if (p->state == state && (state == ALERTMANAGER_SILENT || strcmp(before, text) == 0))
		return ERR_OK;
	char *copy = strdup(text);
	if (copy == NULL)
		return why_memory(why);
	free(p->text);
	p->text = copy;
	p->state = state;
	changes_alertmanager(c, &(struct alertmanager_row){ am_seen_name(p->seen), now_ms, state, text });
	return ERR_OK;
}

static enum err write_silence(struct desk *d, const struct silence_row *row, struct changes *c, struct why *why)
{
	changes_silence(c, row); /* first: its texts may be the manager's */
	return alert_manager_take_silence(d->manager, row, why);
}

/* Silences of an Alertmanager that is not shown any more: nobody could end its own, so they are over; those made here are ours alone. */
static enum err release_silences(struct desk *d, int64_t now_ms, struct changes *c, struct why *why)
{
	const struct silence_row *rows;
	enum err e = ERR_OK;
	for (size_t i = 0; i < alert_manager_silences(d->manager, &rows) && e == ERR_OK; i++) {
		struct silence_row row = rows[i];
		if (row.remote[0] == '\0' || row.ended_ms != 0 || shown_as(d, row.remote) != NULL)
			continue;
		if (strcmp(row.id, row.remote_id) == 0)
			row.ended_ms = now_ms;
		else
			row.remote = row.remote_id = "";
		e = write_silence(d, &row, c, why); /* in the place of the one before */
	}
	return e;
}

/* Those that are not shown any more have nothing. */
static enum err release_peers(struct desk *d, int64_t now_ms, struct changes *c, struct why *why)
{
	enum err e = release_silences(d, now_ms, c, why);
	for (size_t i = 0; i < d->n_peers && e == ERR_OK; i++) {
		struct desk_peer *p = &d->peers[i];
		size_t n_left_out;
		if (shown_as(d, am_seen_name(p->seen)) != NULL)
			continue;
		e = am_seen_take(p->seen, NULL, 0, NULL, now_ms, &d->last_external, c, &n_left_out, why);
		if (e == ERR_OK && p->state != ALERTMANAGER_GONE)
			e = set_state(p, ALERTMANAGER_GONE, "", now_ms, c, why);
	}
	return e;
}

/* ---- an answer ---- */

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Which of the alerts there are ours: the client knows what it sent, and what the recorder before it sent is among our rows. */
static enum err find_ours(struct desk *d, const struct fleet_alertmanager *of, const struct am_alerts *there, int64_t now_ms, bool *is_ours, struct why *why)
{
	struct alerts_now now;
	enum err e = alert_manager_now(d->manager, now_ms, &now, why);
	uint64_t *hashes = e == ERR_OK ? calloc(now.n + 1, sizeof *hashes) : NULL;
	if (hashes == NULL)
		return e == ERR_OK ? why_memory(why) : e;
	for (size_t i = 0; i < now.n; i++)
		hashes[i] = labels_hash(now.rows[i].labels);
	qsort(hashes, now.n, sizeof *hashes, compare_hashes);
	for (size_t i = 0; i < there->n; i++) {
		uint64_t hash = labels_hash(there->items[i].labels);
		is_ours[i] = of->sends && (there->items[i].is_ours || bsearch(&hash, hashes, now.n, sizeof hash, compare_hashes) != NULL);
	}
	free(hashes);
	return ERR_OK;
}

static enum err take_alerts(struct desk *d, struct desk_peer *p, const struct fleet_alertmanager *of, const struct am_alerts *there, int64_t now_ms,
                            struct changes *c, size_t *n_left_out, struct why *why)
{
	bool *is_ours = calloc(there->n + 1, sizeof *is_ours);
	if (is_ours == NULL)
		return why_memory(why);
	enum err e = find_ours(d, of, there, now_ms, is_ours, why);
	if (e == ERR_OK)
		e = am_seen_take(p->seen, there->items, there->n, is_ours, now_ms, &d->last_external, c, n_left_out, why);
	free(is_ours);
	return e;
}

static enum err take_silences(struct desk *d, struct desk_job *job, const struct desk_seen *s, const struct fleet_alertmanager *of, int64_t now_ms,
                              struct changes *c, size_t *n_left_out, struct why *why)
{
	struct desk_deed *deed = &job->deeds[job->n_deeds];
	struct am_sync_options o = { .name = of->name, .fleet = fleet_name(d), .there = &s->answer->silences, .is_settled = s->answer->is_settled,
		                     .now_ms = now_ms };
	o.n_rows = alert_manager_silences(d->manager, &o.rows);
	enum err e = am_sync_plan(&o, &deed->sync, why);
	if (e != ERR_OK)
		return e;
	deed->at = s->at;
	deed->serial = s->answer->serial;
	job->n_deeds++;
	*n_left_out = deed->sync.n_left_out + s->answer->silences.n_odd;
	for (size_t i = 0; i < deed->sync.n && e == ERR_OK; i++)
		if (deed->sync.steps[i].act == AM_SYNC_WRITE) {
			e = write_silence(d, &deed->sync.steps[i].row, c, why);
			d->has_changed = true;
		}
	return e;
}

static void put_left_out(char text[STATE_TEXT], size_t alerts, size_t silences)
{
	text[0] = '\0';
	if (alerts + silences > 0)
		snprintf(text, STATE_TEXT, "%zu alert%s and %zu silence%s more than are shown", alerts, alerts == 1 ? "" : "s", silences, silences == 1 ? "" : "s");
}

static enum err take(struct desk *d, struct desk_job *job, const struct desk_seen *s, int64_t now_ms, struct changes *c, struct why *why)
{
	const struct fleet_alertmanager *of = &d->fleet->alertmanagers[s->at];
	struct desk_peer *p = of->is_shown ? find_peer(d, of->name) : NULL;
	size_t more_alerts = 0, more_silences = 0;
	char text[STATE_TEXT];
	if (p == NULL)
		return ERR_OK;
	bool was_silent = p->state == ALERTMANAGER_SILENT;
	if (s->answer == NULL) {
		if (!was_silent)
			desk_say(job, SEVERITY_WARN, "Alertmanager '%s' does not answer: %s", of->name, s->text);
		snprintf(text, sizeof text, "%.*s", STATE_TEXT - 1, s->text);
		return set_state(p, ALERTMANAGER_SILENT, text, now_ms, c, why);
	}
	if (was_silent)
		desk_say(job, SEVERITY_INFO, "Alertmanager '%s' answers again", of->name);
	enum err e = take_alerts(d, p, of, &s->answer->alerts, now_ms, c, &more_alerts, why);
	if (e == ERR_OK)
		e = take_silences(d, job, s, of, now_ms, c, &more_silences, why);
	put_left_out(text, more_alerts, more_silences);
	return e == ERR_OK ? set_state(p, ALERTMANAGER_ANSWERS, text, now_ms, c, why) : e;
}

/* ---- a step ---- */

static void set_owner(struct desk *d)
{
	struct silence_owner owner = { .trouble = "" };
	for (size_t i = 0; i < d->fleet->n_alertmanagers; i++) {
		const struct fleet_alertmanager *a = &d->fleet->alertmanagers[i];
		const struct desk_peer *p = a->owns_silences ? find_peer(d, a->name) : NULL;
		if (!a->owns_silences)
			continue;
		owner.name = a->name;
		owner.trouble = p == NULL || p->state == ALERTMANAGER_GONE ? "it was not asked yet" : p->state == ALERTMANAGER_SILENT ? p->text : "";
	}
	alert_manager_set_owner(d->manager, &owner);
}

/* All that is taken at once is one transaction. On failure the store is read again, which has what was before. */
static enum err step(struct desk *d, struct desk_job *job, int64_t now_ms, struct why *why)
{
	struct desk_piece *p = desk_piece_add(job, why);
	size_t at = job->n_pieces - 1;
	enum err e = p != NULL ? ERR_OK : ERR_MEMORY;
	if (e == ERR_OK && !d->has_peers) {
		e = load(d, now_ms, why);
		if (e == ERR_OK)
			e = release_peers(d, now_ms, p->changes, why);
		d->has_peers = e == ERR_OK;
	}
	job->deeds = e == ERR_OK && job->n_seen > 0 ? calloc(job->n_seen, sizeof *job->deeds) : NULL;
	if (e == ERR_OK && job->n_seen > 0 && job->deeds == NULL)
		e = why_memory(why);
	for (size_t i = 0; i < job->n_seen && e == ERR_OK; i++)
		e = take(d, job, &job->seen[i], now_ms, job->pieces[at].changes, why);
	if (e != ERR_OK && p != NULL) {
		changes_free(job->pieces[at].changes);
		job->n_pieces--;
	}
	return e;
}

void desk_peers_step(struct desk *d, struct desk_job *job, int64_t now_ms)
{
	struct why why = { "" };
	if (!d->has_peers || job->n_seen > 0) {
		if (step(d, job, now_ms, &why) != ERR_OK) {
			desk_say(job, SEVERITY_WARN, "cannot take in what Alertmanagers have: %s", why.text);
			desk_peers_unload(d);
		}
	}
	set_owner(d);
}
