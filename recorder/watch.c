/* SPDX-License-Identifier: Apache-2.0
 *
 * A scrape comes in and goes out as up to three frames of the same time: what the target said (or that all of it is stale), what pitwall says about
 * the scrape, and the signals. A target whose profile is not configured gets one from what it says; until then it is in the store without one only
 * if it failed, so that the failure can be seen. A server that is starting shows little of itself: each new layout is looked at again. */
#include "recorder/watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/hash.h"
#include "base/num.h"
#include "recorder/credentials.h"
#include "recorder/loss.h"
#include "recorder/machine_settings.h"
#include "recorder/report.h"
#include "recorder/reserved.h"
#include "recorder/versions.h"

enum { FINDING_OLDEST_MS = 24 * 3600 * 1000, VERSIONS_BACK_MS = 24 * 3600 * 1000 }; /* how old the versions may be that a target is compared with after a restart of ours */

static_assert((int)FLEET_MAX_SERIES_MOST == (int)EXPOSITION_SAMPLES_MAX, "as many series as a body may have lines");

/* What became of one poll, by whatever collector. Lent for the call. */
struct poll {
	int64_t              wall_ms;    /* when it was begun */
	double               seconds;
	size_t               body_bytes;
	const struct scrape *scrape;     /* NULL: it failed */
	const char          *text;       /* then: why, in a sentence that is safe to show */
	unsigned             cause;      /* tells failures of one kind from those of another; 0: none */
	enum severity        severity;   /* of a failure that is worse than silence; SEVERITY_OK: it is just down */
	bool                 has_no_such_path; /* it answers, but has nothing where it was asked */
	int64_t              certificate_expires_ms; /* 0: none was seen */
	const struct findings *findings; /* what a machine had to tell besides; NULL: nothing */
};

struct watch {
	const struct watch_shared       *shared;
	struct http_target              *http;
	struct machine                  *machine;   /* instead */
	struct machine_settings          settings;  /* of a machine */
	struct signal_target            *signals;   /* NULL until the profile is known */
	const struct fleet_target       *target;    /* lent by the fleet until watch_rebind */
	struct credential               *credential;/* lent likewise; NULL: none */
	struct labels                   *configured;/* the labels as configured, referenced */
	char                            *url;       /* being polled: the target's, or with another kind's path */
	size_t                           path_at;   /* of the profile of which the path is being tried */
	uint64_t                         access;    /* hash of how it is spoken to */
	const char                      *profile;   /* as configured or found out; "" not known yet */
	struct labels                   *labels;    /* in the store: the configured ones and the profile */
	int64_t                          id;        /* in the store; 0: not there yet */
	struct exposition_layout        *said;      /* the last scrape's, referenced */
	struct labels                  **kept;      /* [n_kept]: the names of its series where some are kept by another; NULL: as it said them */
	size_t                           n_kept;
	const struct layout             *layout;    /* the store's, for the same */
	const struct layout             *signal_layout;
	size_t                           start_at;  /* where process_start_time_seconds stands in it; SIZE_MAX: it has none */
	uint64_t                         n_scrapes;
	uint64_t                         complained;/* hash of the last complaint */
	bool                             has_profile;           /* it is configured */
	bool                             was_up, ever_up, told; /* told: the present failure is in an event */
	uint64_t                         failing;               /* bits: sources of the machine that fail */
	bool                             told_reserved;         /* that it has series of our names */
	bool                             is_stale;              /* the store knows that its series have ended */
	unsigned                         last_cause;
	int64_t                          down_since_ms;
	double                           start_seconds; /* process_start_time_seconds; 0: not seen */
	struct versions                 *versions;
	struct loss                      loss;          /* series that are not kept */
};

/* Once, not with every scrape. */
static void complain(struct watch *w, const char *what, const struct why *why)
{
	uint64_t hash = hash64(why->text, strlen(why->text), hash64(what, strlen(what), 0));
	if (w->complained != hash)
		log_warn(w->shared->log, "recorder", "%s: %s: %s", w->url, what, why->text);
	w->complained = hash;
}

static void tell(struct watch *w, int64_t wall_ms, enum severity severity, const char *kind, const char *text)
{
	struct why why = { "" };
	const struct event e = { .wall_ms = wall_ms, .target = w->id, .severity = severity, .kind = kind, .node = w->target->node, .text = text };
	if (store_append_event(w->shared->store, &e, &why) != ERR_OK)
		complain(w, "cannot keep an event", &why);
}

/* ---- who it is ---- */

/* Its series end, and it is no longer polled under the id that it has. */
static void say_gone(struct watch *w)
{
	struct why why = { "" };
	int64_t now = clock_wall_ms(w->shared->clock);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		if (store_append_stale(w->shared->store, w->id, (enum stream)stream, now, &why) != ERR_OK)
			complain(w, "cannot mark its series stale", &why);
	if (store_target_gone(w->shared->store, w->id, &why) != ERR_OK)
		complain(w, "cannot say that it is no longer polled", &why);
}

static enum err labels_in_store(const struct watch *w, struct labels **out, struct why *why)
{
	struct labels_builder b;
	labels_builder_init(&b);
	labels_builder_from(&b, w->configured);
	labels_builder_set(&b, "profile", w->profile);
	enum err e = labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	return e;
}

static void drop_layouts(struct watch *w)
{
	store_layout_drop(w->shared->store, w->layout);
	store_layout_drop(w->shared->store, w->signal_layout);
	w->layout = w->signal_layout = NULL;
}

static enum err enter_store(struct watch *w, struct why *why)
{
	struct labels *labels = NULL;
	int64_t id = 0;
	enum err e = labels_in_store(w, &labels, why);
	if (e == ERR_OK)
		e = store_target(w->shared->store, labels, w->url, &id, why);
	if (e != ERR_OK) {
		labels_unref(labels);
		return e;
	}
	if (w->id != 0 && w->id != id)
		say_gone(w);
	if (w->id != id) {
		versions_free(w->versions);
		w->versions = NULL;
		w->is_stale = false;
	}
	labels_unref(w->labels);
	w->labels = labels;
	w->id = id;
	drop_layouts(w);
	return ERR_OK;
}

static enum err take_profile(struct watch *w, const char *profile, struct why *why)
{
	struct signal_target *signals = NULL;
	enum err e = signal_target_new(w->shared->engine, profile, w->target->interval_ms, w, &signals, why);
	if (e != ERR_OK)
		return e;
	signal_target_free(w->signals);
	w->signals = signals;
	w->profile = profile;
	return ERR_OK;
}

/* A profile once found gives way only to one that recognises something, never to the one that takes anything. */
static enum err find_profile(struct watch *w, const struct scrape *s, struct why *why)
{
	struct profile_guess guess;
	profile_guess_init(&guess, w->shared->profiles);
	struct labels *const *series = exposition_layout_series(s->layout);
	for (size_t i = 0; i < s->n; i++) {
		const char *metric = labels_metric(series[i]);
		profile_guess_add(&guess, metric, strlen(metric));
	}
	const struct profile *found = profile_guess_result(&guess);
	const char *name = found != NULL ? found->head.name : "";
	bool recognises = found != NULL && guess.best_prefix > 0;
	if (w->signals != NULL && (strcmp(name, w->profile) == 0 || (w->profile[0] != '\0' && !recognises)))
		return ERR_OK;
	return take_profile(w, name, why);
}

/* ---- frames ---- */

static size_t dropped_of(const struct scrape *s)
{
	return s->cut != NULL ? s->cut->dropped : 0;
}

static void keep_report(struct watch *w, const struct poll *s, size_t series_added)
{
	const double values[REPORT_COUNT] = {
		[REPORT_UP] = s->scrape != NULL,
		[REPORT_DURATION] = s->seconds,
		[REPORT_SAMPLES] = s->scrape != NULL ? (double)s->scrape->samples : 0,
		[REPORT_POST_RELABEL] = s->scrape != NULL ? (double)(s->scrape->samples - dropped_of(s->scrape)) : 0,
		[REPORT_SERIES_ADDED] = (double)series_added,
		[REPORT_BODY_BYTES] = (double)s->body_bytes,
	};
	struct why why = { "" };
	if (store_append(w->shared->store, w->id, STREAM_REPORT, s->wall_ms, w->shared->report, values, &why) != ERR_OK)
		complain(w, "cannot keep the report of a scrape", &why);
}

static struct labels *const *series_of(const struct watch *w, const struct scrape *body)
{
	return w->kept != NULL ? w->kept : exposition_layout_series(body->layout);
}

/* Names that are ours are told of once, not with every change of its series. */
static enum err name_series(struct watch *w, const struct poll *s, struct why *why)
{
	const struct labels *first = NULL;
	size_t n_renamed = 0;
	char text[400];
	reserved_free(w->kept, w->n_kept);
	w->kept = NULL;
	w->n_kept = s->scrape->n;
	enum err e = reserved_rename(exposition_layout_series(s->scrape->layout), s->scrape->n, &w->kept, &first, &n_renamed, why);
	if (e != ERR_OK || first == NULL || w->told_reserved)
		return e;
	const char *metric = labels_metric(first);
	snprintf(text, sizeof text, "it has %zu series of names that pitwall gives itself, such as '%.100s': kept as 'exported_%.100s'", n_renamed,
	         metric, metric);
	tell(w, s->wall_ms, SEVERITY_WARN, "scrape", text);
	w->told_reserved = true;
	return ERR_OK;
}

static enum err keep_samples(struct watch *w, const struct poll *s, bool *is_new_layout, size_t *series_added, struct why *why)
{
	const struct scrape *body = s->scrape;
	*is_new_layout = w->layout == NULL || w->said != body->layout;
	if (*is_new_layout) {
		store_layout_drop(w->shared->store, w->layout);
		w->layout = NULL;
		enum err e = name_series(w, s, why);
		if (e == ERR_OK)
			e = store_layout(w->shared->store, series_of(w, body), body->n, &w->layout, why);
		if (e != ERR_OK)
			return e;
		size_t before = w->said != NULL ? exposition_layout_size(w->said) : 0;
		*series_added = body->n > before ? body->n - before : 0;
		exposition_layout_unref(w->said);
		w->said = exposition_layout_ref(body->layout);
	}
	return store_append(w->shared->store, w->id, STREAM_SCRAPE, s->wall_ms, w->layout, body->values, why);
}

/* `body` NULL: the target did not answer. */
static void keep_signals(struct watch *w, int64_t wall_ms, const struct scrape *body, bool is_new_layout)
{
	struct why why = { "" };
	struct signal_frame f;
	enum err e = body == NULL ? signal_target_failed(w->signals, wall_ms, &f, &why)
	                          : signal_target_scrape(w->signals, wall_ms, series_of(w, body), body->values, body->n,
	                                                 is_new_layout, &f, &why);
	if (e == ERR_OK && f.has_new_series) {
		store_layout_drop(w->shared->store, w->signal_layout);
		w->signal_layout = NULL;
	}
	if (e == ERR_OK && w->signal_layout == NULL)
		e = store_layout(w->shared->store, f.series, f.n, &w->signal_layout, &why);
	if (e == ERR_OK)
		e = store_append(w->shared->store, w->id, STREAM_SIGNAL, wall_ms, w->signal_layout, f.values, &why);
	if (e != ERR_OK) {
		complain(w, "cannot compute or keep signals", &why);
		return;
	}
	versions_update(&w->versions, &f, w->shared->store, w->id, w->target->node, wall_ms);
}

/* ---- polling ---- */

static void on_scrape(void *ctx, const struct http_scrape *s);

static enum err read_secret(void *ctx, struct buf *to, struct why *why)
{
	return credential_put(((struct watch *)ctx)->credential, to, why);
}

static struct http_access access_of(struct watch *w)
{
	const struct fleet_target *t = w->target;
	struct http_access a = { .secret = read_secret, .secret_ctx = w };
	a.gzip = t->gzip == FLEET_GZIP_AUTO ? HTTP_GZIP_AUTO : t->gzip == FLEET_GZIP_NEVER ? HTTP_GZIP_NEVER : HTTP_GZIP_ALWAYS;
	if (t->auth != NULL) {
		a.auth = t->auth->kind == FLEET_AUTH_BASIC ? HTTP_AUTH_BASIC : HTTP_AUTH_BEARER;
		a.user = t->auth->user;
	}
	if (t->tls != NULL) {
		a.ca_file = t->tls->ca_file[0] != '\0' ? t->tls->ca_file : NULL;
		a.cert_file = t->tls->cert_file[0] != '\0' ? t->tls->cert_file : NULL;
		a.key_file = t->tls->key_file[0] != '\0' ? t->tls->key_file : NULL;
		a.server_name = t->tls->server_name[0] != '\0' ? t->tls->server_name : NULL;
		a.insecure_skip_verify = t->tls->insecure_skip_verify;
	}
	return a;
}

static enum err poll_url(struct watch *w, bool now, struct why *why)
{
	const struct http_target_options o = { .url = w->url, .interval_ms = w->target->interval_ms, .timeout_ms = w->target->timeout_ms,
		                               .max_series = w->target->max_series, .access = access_of(w), .done = on_scrape, .ctx = w };
	return http_target_add(w->shared->collector, &o, now, &w->http, why);
}

static bool is_first_with_path(const struct profiles *p, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(profiles_at(p, i)->head.path, profiles_at(p, at)->head.path) == 0)
			return false;
	return true;
}

/* Nobody said what kind of server it is, nor where its metrics are, and it has none where it was asked: the next time it is asked where
 * another kind would have them. */
static void try_next_path(struct watch *w)
{
	const struct profiles *p = w->shared->profiles;
	struct buf url;
	struct why why = { "" };
	size_t n = profiles_count(p);
	if (n == 0)
		return;
	do
		w->path_at = (w->path_at + 1) % n;
	while (!is_first_with_path(p, w->path_at));
	buf_init(&url, 64 * 1024);
	char *copy = fleet_url_with_path(w->target->url, profiles_at(p, w->path_at)->head.path, &url) == ERR_OK ? strdup(buf_text(&url)) : NULL;
	buf_release(&url);
	if (copy == NULL)
		return;
	free(w->url);
	w->url = copy;
	http_target_remove(w->http);
	w->http = NULL;
	if (poll_url(w, false, &why) != ERR_OK)
		complain(w, "cannot poll it", &why);
}

/* ---- what happened to it ---- */

static void find_start(struct watch *w, const struct scrape *s)
{
	struct labels *const *series = exposition_layout_series(s->layout);
	w->start_at = SIZE_MAX;
	for (size_t i = 0; i < s->n && w->start_at == SIZE_MAX; i++)
		if (strcmp(labels_metric(series[i]), "process_start_time_seconds") == 0)
			w->start_at = i;
}

/* Before the scrape goes to the signals: the rates of a server that began anew are those of what runs now. */
static void notice_restart(struct watch *w, const struct poll *s)
{
	if (w->start_at >= s->scrape->n)
		return;
	double started = s->scrape->values[w->start_at];
	/* The clock that this is reckoned from may be stepped by a second or two without any restart. */
	if (w->start_seconds > 0 && started > w->start_seconds + 5) {
		tell(w, s->wall_ms, SEVERITY_INFO, "restart", "the server process was restarted");
		signal_target_restarted(w->signals);
	}
	if (started > 0)
		w->start_seconds = started;
}

/* Of series that are not kept. */
static void tell_loss(struct watch *w, const struct poll *s)
{
	enum severity severity;
	struct why why = { "" };
	struct buf text, data;
	buf_init(&text, 4096);
	buf_init(&data, 16384);
	if (loss_note(&w->loss, s->scrape->cut, s->wall_ms, &severity, &text, &data)) {
		const struct event e = { .wall_ms = s->wall_ms, .target = w->id, .severity = severity, .kind = LOSS_EVENT, .node = w->target->node,
			                 .text = buf_text(&text), .data = data.err == ERR_OK ? buf_text(&data) : "" };
		if (store_append_event(w->shared->store, &e, &why) != ERR_OK)
			complain(w, "cannot keep an event", &why);
	}
	buf_release(&text);
	buf_release(&data);
}

static void tell_recovery(struct watch *w, int64_t wall_ms)
{
	if (!w->told)
		return;
	char age[DURATION_TEXT], text[128];
	snprintf(text, sizeof text, "answers again after %s", format_age(wall_ms - w->down_since_ms, age));
	tell(w, wall_ms, SEVERITY_OK, "scrape", text);
	w->told = false;
}

static void on_success(struct watch *w, const struct poll *s)
{
	struct why why = { "" };
	enum err e = ERR_OK;
	size_t series_added = 0;
	bool is_new_layout = false;
	if (w->said != s->scrape->layout)
		find_start(w, s->scrape);
	if (!w->has_profile && (w->signals == NULL || w->said != s->scrape->layout))
		e = find_profile(w, s->scrape, &why);
	if (e == ERR_OK && (w->id == 0 || strcmp(labels_get(w->labels, "profile"), w->profile) != 0))
		e = enter_store(w, &why);
	if (e == ERR_OK)
		e = keep_samples(w, s, &is_new_layout, &series_added, &why);
	if (e != ERR_OK)
		complain(w, "cannot keep a scrape", &why);
	if (w->id == 0 || w->signals == NULL)
		return;
	keep_report(w, s, series_added);
	notice_restart(w, s);
	signal_target_certificate(w->signals, s->certificate_expires_ms);
	signal_target_dropped(w->signals, dropped_of(s->scrape));
	keep_signals(w, s->wall_ms, s->scrape, is_new_layout);
	tell_loss(w, s);
	tell_recovery(w, s->wall_ms);
	w->was_up = w->ever_up = true;
	w->is_stale = false;
}

/* Its series end once, not with every failure. */
static void end_series(struct watch *w, int64_t wall_ms)
{
	struct why why = { "" };
	if (w->is_stale)
		return;
	w->is_stale = store_append_stale(w->shared->store, w->id, STREAM_SCRAPE, wall_ms, &why) == ERR_OK;
	if (!w->is_stale)
		complain(w, "cannot mark its series stale", &why);
}

static void tell_failure(struct watch *w, const struct poll *s)
{
	if (!w->told)
		w->down_since_ms = s->wall_ms;
	if (!w->told || s->cause != w->last_cause)
		tell(w, s->wall_ms, s->severity != SEVERITY_OK ? s->severity : SEVERITY_DOWN, "scrape", s->text);
	w->told = true;
}

static void on_failure(struct watch *w, const struct poll *s)
{
	struct why why = { "" };
	if (w->target->is_probe && !w->ever_up)
		return;
	if (w->id == 0 && enter_store(w, &why) != ERR_OK) {
		complain(w, "cannot enter it in the store", &why);
		return;
	}
	end_series(w, s->wall_ms);
	keep_report(w, s, 0);
	if (w->signals == NULL && take_profile(w, w->profile, &why) != ERR_OK)
		complain(w, "cannot compute signals", &why);
	if (w->signals != NULL) {
		signal_target_certificate(w->signals, s->certificate_expires_ms);
		signal_target_dropped(w->signals, 0);
		keep_signals(w, s->wall_ms, NULL, false);
	}
	tell_failure(w, s);
	w->was_up = false;
	if (s->has_no_such_path && w->profile[0] == '\0' && !w->target->has_path)
		try_next_path(w);
}

static void on_poll(struct watch *w, const struct poll *s)
{
	w->n_scrapes++;
	if (s->scrape != NULL)
		on_success(w, s);
	else
		on_failure(w, s);
	w->last_cause = s->cause;
}

static void on_scrape(void *ctx, const struct http_scrape *s)
{
	const struct poll p = { .wall_ms = s->wall_ms, .seconds = s->seconds, .body_bytes = s->body_bytes, .scrape = s->scrape, .text = s->text,
		                    .cause = (unsigned)s->result, .has_no_such_path = s->result == FETCH_NOT_FOUND,
		                    .certificate_expires_ms = s->scrape != NULL || s->result == FETCH_TLS ? s->certificate_expires_ms : 0 };
	on_poll(ctx, &p);
}

/* ---- machines ---- */

/* What happened there: the machine's clock says when, as far as it can be believed. */
static void tell_findings(struct watch *w, const struct findings *f, int64_t wall_ms)
{
	static const enum severity severities[] = { [FINDING_INFO] = SEVERITY_INFO, [FINDING_WARN] = SEVERITY_WARN,
		                                        [FINDING_CRITICAL] = SEVERITY_CRIT };
	char text[80];
	for (size_t i = 0; i < f->n_events; i++) {
		const struct finding *e = &f->events[i];
		bool is_likely = e->wall_ms > wall_ms - FINDING_OLDEST_MS && e->wall_ms <= wall_ms;
		tell(w, is_likely ? e->wall_ms : wall_ms, severities[e->severity], e->kind, e->text);
	}
	if (f->n_more_events == 0)
		return;
	snprintf(text, sizeof text, "%zu more events at the same time", f->n_more_events);
	tell(w, wall_ms, SEVERITY_WARN, "machine", text);
}

/* A source that began to fail, or answers again. */
static void tell_sources(struct watch *w, const struct gather *g, int64_t wall_ms)
{
	for (size_t i = 0; i < gather_source_count(g) && i < 64; i++) {
		const struct gather_source s = gather_source_at(g, i);
		bool has_failed = s.state == GATHER_SOURCE_FAILED, had_failed = (w->failing >> i & 1) != 0;
		char text[400];
		if (has_failed == had_failed)
			continue;
		w->failing ^= (uint64_t)1 << i;
		snprintf(text, sizeof text, has_failed ? "%s: %s" : "%s: answers again", s.name, s.reason);
		tell(w, wall_ms, has_failed ? SEVERITY_WARN : SEVERITY_OK, "source", text);
	}
}

static void on_machine(void *ctx, const struct machine_scrape *s)
{
	struct watch *w = ctx;
	char text[640];
	bool is_spoofed = s->result == REACH_KEY_CHANGED || s->result == REACH_KEY_REVOKED;
	reach_sentence(s->result, s->text, text, sizeof text);
	const struct poll p = { .wall_ms = s->wall_ms, .seconds = s->seconds, .body_bytes = s->body_bytes, .scrape = s->scrape, .text = text,
		                    .cause = (unsigned)s->result, .severity = is_spoofed ? SEVERITY_CRIT : SEVERITY_OK };
	on_poll(w, &p);
	if (s->scrape == NULL || w->id == 0)
		return;
	tell_findings(w, s->findings, s->wall_ms);
	tell_sources(w, s->gather, s->wall_ms);
}

static enum err poll_machine(struct watch *w, struct why *why)
{
	static const enum ssh_mode modes[] = { [FLEET_TRANSPORT_AUTO] = SSH_MODE_AUTO, [FLEET_TRANSPORT_LIBSSH2] = SSH_MODE_LIBSSH2,
		                                   [FLEET_TRANSPORT_OPENSSH] = SSH_MODE_OPENSSH };
	const struct fleet_target *t = w->target;
	const struct machine_options o = {
		.name = t->url, .destination = t->is_local ? NULL : t->ssh_host, .user = t->ssh->user[0] != '\0' ? t->ssh->user : NULL,
		.port = t->ssh->port, .mode = modes[t->ssh->transport], .interval_ms = t->interval_ms, .timeout_ms = t->timeout_ms,
		.max_series = t->max_series, .settings = &w->settings.sources, .done = on_machine, .ctx = w,
	};
	enum err e = machine_settings_take(&w->settings, t->ssh, why);
	return e == ERR_OK ? machine_add(w->shared->machines, &o, t->is_local, &w->machine, why) : e;
}

/* ---- life ---- */

static uint64_t hash_text(const char *text, uint64_t seed)
{
	return hash64(text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1, seed);
}

static uint64_t hash_list(const char *const *texts, size_t n, uint64_t h)
{
	for (size_t i = 0; i < n; i++)
		h = hash_text(texts[i], h);
	return hash64(&n, sizeof n, h);
}

static uint64_t ssh_hash(const struct fleet_ssh *s, uint64_t h)
{
	h = hash_text(s->user, hash64(&s->port, sizeof s->port, h + 1 + (uint64_t)s->transport));
	h = hash_list(s->logs, s->n_logs, hash_list(s->units, s->n_units, h));
	for (size_t i = 0; i < s->n_execs; i++) {
		const struct fleet_exec *e = &s->execs[i];
		h = hash_list(e->paths, e->n_paths, hash_list(e->argv, e->n_argv, hash_text(e->format, hash_text(e->name, h))));
	}
	return h;
}

/* Two targets with the same hash are spoken to in the same way: a change of any of these begins the watch anew. */
static uint64_t access_hash(const struct fleet_target *t)
{
	uint64_t h = hash64(&t->interval_ms, sizeof t->interval_ms, hash64(&t->timeout_ms, sizeof t->timeout_ms, t->max_series));
	h = hash_text(t->url, hash_text(t->profile, h + (uint64_t)t->gzip));
	if (t->ssh != NULL)
		h = ssh_hash(t->ssh, h);
	if (t->auth != NULL)
		h = hash_text(t->auth->user, h + 1 + (uint64_t)t->auth->kind);
	if (t->tls != NULL) {
		h = hash_text(t->tls->ca_file, hash_text(t->tls->cert_file, hash_text(t->tls->key_file, h)));
		h = hash_text(t->tls->server_name, h + (t->tls->insecure_skip_verify ? 7 : 3));
	}
	return h;
}

static enum err copy_configured(struct watch *w, const struct fleet_target *t, struct why *why)
{
	w->url = strdup(t->url);
	w->configured = labels_ref(t->labels);
	w->access = access_hash(t);
	w->start_at = SIZE_MAX;
	/* A profile's name lives as long as the profiles do, which is longer than any fleet. */
	const struct profile *known = profiles_find(w->shared->profiles, t->profile);
	w->profile = known != NULL ? known->head.name : "";
	w->has_profile = known != NULL;
	return w->url == NULL ? why_memory(why) : ERR_OK;
}

enum err watch_new(const struct watch_shared *shared, const struct fleet_target *t, struct credential *credential, struct watch **out,
                   struct why *why)
{
	struct watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	w->shared = shared;
	w->target = t;
	w->credential = credential;
	enum err e = copy_configured(w, t, why);
	if (e == ERR_OK && !t->is_probe && w->has_profile)
		e = take_profile(w, w->profile, why);
	if (e == ERR_OK && w->signals != NULL)
		e = enter_store(w, why);
	if (e != ERR_OK) {
		watch_free(w, true);
		return e;
	}
	*out = w;
	return ERR_OK;
}

bool watch_take_past(struct watch *w, const struct labels *in_store)
{
	struct why why = { "" };
	const struct profile *p = profiles_find(w->shared->profiles, labels_get(in_store, "profile"));
	if (w->id != 0)
		return labels_equal(w->labels, in_store);
	if (w->has_profile || w->target->is_probe || p == NULL)
		return false;
	enum err e = take_profile(w, p->head.name, &why);
	if (e == ERR_OK)
		e = enter_store(w, &why);
	if (e != ERR_OK)
		complain(w, "cannot take up its past", &why);
	return e == ERR_OK;
}

static enum err remember_versions(void *ctx, const struct frame *f)
{
	struct watch *w = ctx;
	if (w->versions == NULL && f->layout != NULL)
		w->versions = versions_of_frame(f);
	return ERR_OK;
}

enum err watch_prime(struct watch *w, struct reader *r, int64_t now_ms, struct why *why)
{
	if (w->id == 0 || w->signals == NULL)
		return ERR_OK;
	enum err e = signal_target_prime(w->signals, r, w->id, now_ms, why);
	if (e == ERR_OK)
		e = reader_frames(r, STREAM_SIGNAL, w->id, now_ms - VERSIONS_BACK_MS, now_ms, true, remember_versions, w, why);
	return e;
}

enum err watch_start(struct watch *w, struct why *why)
{
	if (w->http != NULL || w->machine != NULL)
		return ERR_OK;
	return w->target->ssh != NULL ? poll_machine(w, why) : poll_url(w, false, why);
}

void watch_stop(struct watch *w)
{
	if (w->http != NULL)
		http_target_remove(w->http);
	w->http = NULL;
	if (w->machine != NULL)
		machine_remove(w->machine);
	w->machine = NULL;
}

void watch_free(struct watch *w, bool is_gone)
{
	if (w == NULL)
		return;
	watch_stop(w);
	if (is_gone && w->id != 0)
		say_gone(w);
	drop_layouts(w);
	signal_target_free(w->signals);
	exposition_layout_unref(w->said);
	reserved_free(w->kept, w->n_kept);
	versions_free(w->versions);
	labels_unref(w->labels);
	labels_unref(w->configured);
	machine_settings_release(&w->settings);
	free(w->url);
	free(w);
}

bool watch_is_for(const struct watch *w, const struct fleet_target *t)
{
	return w->access == access_hash(t) && labels_equal(w->configured, t->labels);
}

void watch_rebind(struct watch *w, const struct fleet_target *t, struct credential *credential)
{
	w->target = t;
	w->credential = credential;
	if (w->settings.execs != NULL) /* the number of execs of one and the same target never changes */
		machine_settings_rebind(&w->settings, t->ssh);
}

const char *watch_url(const struct watch *w)
{
	return w->url;
}

const struct labels *watch_labels(const struct watch *w)
{
	return w->configured;
}

uint64_t watch_scrapes(const struct watch *w)
{
	return w->n_scrapes;
}

bool watch_is_up(const struct watch *w)
{
	return w->was_up;
}
