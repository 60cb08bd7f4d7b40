/* SPDX-License-Identifier: Apache-2.0
 *
 * A scrape comes in and goes out as up to three frames of the same time: what the target said (or that all of it is stale), what pitwall says about
 * the scrape, and the signals. A target whose profile is not configured gets one from the first body it sends; until then it is in the store
 * without one only if it failed, so that the failure can be seen. */
#include "recorder/watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/hash.h"
#include "base/num.h"
#include "recorder/credentials.h"
#include "recorder/report.h"
#include "recorder/versions.h"

struct watch {
	const struct watch_shared       *shared;
	struct http_target              *http;
	struct signal_target            *signals;   /* NULL until the profile is known */
	struct fleet_target              configured;/* node and url are copies, labels a reference; the rest is not used */
	struct credential               *credential;/* lent; NULL: none */
	uint64_t                         access;    /* hash of how it is spoken to */
	const char                      *profile;   /* as configured or found out; "" not known yet */
	struct labels                   *labels;    /* in the store: the configured ones and the profile */
	int64_t                          id;        /* in the store; 0: not there yet */
	struct exposition_layout        *said;      /* the last scrape's, referenced */
	const struct layout             *layout;    /* the store's, for the same */
	const struct layout             *signal_layout;
	uint64_t                         n_scrapes;
	bool                             was_up, ever_up, told; /* told: the present failure is in an event */
	enum fetch                       last_result;
	int64_t                          down_since_ms;
	double                           start_seconds; /* process_start_time_seconds; 0: not seen */
	struct versions                 *versions;
};

static void complain(const struct watch *w, const char *what, const struct why *why)
{
	log_warn(w->shared->log, "recorder", "%s: %s: %s", w->configured.url, what, why->text);
}

static void tell(struct watch *w, int64_t wall_ms, enum severity severity, const char *kind, const char *text)
{
	struct why why = { "" };
	const struct event e = { .wall_ms = wall_ms, .target = w->id, .severity = severity, .kind = kind, .node = w->configured.node, .text = text };
	if (store_append_event(w->shared->store, &e, &why) != ERR_OK)
		complain(w, "cannot keep an event", &why);
}

/* ---- who it is ---- */

static enum err enter_store(struct watch *w, struct why *why)
{
	struct labels_builder b;
	struct labels *labels = NULL;
	labels_builder_init(&b);
	labels_builder_from(&b, w->configured.labels);
	labels_builder_set(&b, "profile", w->profile);
	enum err e = labels_builder_build(&b, &labels, why);
	labels_builder_release(&b);
	int64_t id = 0;
	if (e == ERR_OK)
		e = store_target(w->shared->store, labels, w->configured.url, &id, why);
	if (e != ERR_OK) {
		labels_unref(labels);
		return e;
	}
	if (w->id != 0 && w->id != id)
		store_target_gone(w->shared->store, w->id, why);
	labels_unref(w->labels);
	w->labels = labels;
	w->id = id;
	w->layout = w->signal_layout = NULL;
	return ERR_OK;
}

static enum err take_profile(struct watch *w, const char *profile, struct why *why)
{
	struct signal_target *signals = NULL;
	enum err e = signal_target_new(w->shared->engine, profile, w->configured.interval_ms, w, &signals, why);
	if (e != ERR_OK)
		return e;
	signal_target_free(w->signals);
	w->signals = signals;
	w->profile = profile;
	return ERR_OK;
}

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
	return take_profile(w, found != NULL ? found->head.name : "", why);
}

/* ---- frames ---- */

static void keep_report(struct watch *w, const struct http_scrape *s, size_t series_added)
{
	const double values[REPORT_COUNT] = {
		[REPORT_UP] = s->scrape != NULL,
		[REPORT_DURATION] = s->seconds,
		[REPORT_SAMPLES] = s->scrape != NULL ? (double)s->scrape->samples : 0,
		[REPORT_POST_RELABEL] = s->scrape != NULL ? (double)s->scrape->samples : 0,
		[REPORT_SERIES_ADDED] = (double)series_added,
		[REPORT_BODY_BYTES] = (double)s->body_bytes,
	};
	struct why why = { "" };
	if (store_append(w->shared->store, w->id, STREAM_REPORT, s->wall_ms, w->shared->report, values, &why) != ERR_OK)
		complain(w, "cannot keep the report of a scrape", &why);
}

static enum err keep_samples(struct watch *w, const struct http_scrape *s, bool *is_new_layout, size_t *series_added, struct why *why)
{
	const struct scrape *body = s->scrape;
	*is_new_layout = w->layout == NULL || w->said != body->layout;
	if (*is_new_layout) {
		enum err e = store_layout(w->shared->store, exposition_layout_series(body->layout), body->n, &w->layout, why);
		if (e != ERR_OK) {
			w->layout = NULL;
			return e;
		}
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
	                          : signal_target_scrape(w->signals, wall_ms, exposition_layout_series(body->layout), body->values, body->n,
	                                                 is_new_layout, &f, &why);
	if (e == ERR_OK && (f.has_new_series || w->signal_layout == NULL))
		e = store_layout(w->shared->store, f.series, f.n, &w->signal_layout, &why);
	if (e == ERR_OK)
		e = store_append(w->shared->store, w->id, STREAM_SIGNAL, wall_ms, w->signal_layout, f.values, &why);
	if (e != ERR_OK) {
		complain(w, "cannot compute or keep signals", &why);
		return;
	}
	versions_update(&w->versions, &f, w->shared->store, w->id, w->configured.node, wall_ms);
}

/* ---- what happened to it ---- */

static void tell_restart(struct watch *w, const struct http_scrape *s)
{
	struct labels *const *series = exposition_layout_series(s->scrape->layout);
	for (size_t i = 0; i < s->scrape->n; i++) {
		if (strcmp(labels_metric(series[i]), "process_start_time_seconds") != 0)
			continue;
		double started = s->scrape->values[i];
		/* The clock that this is reckoned from may be stepped by a second or two without any restart. */
		if (w->start_seconds > 0 && started > w->start_seconds + 5)
			tell(w, s->wall_ms, SEVERITY_INFO, "restart", "the server process was restarted");
		if (started > 0)
			w->start_seconds = started;
		return;
	}
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

static void on_success(struct watch *w, const struct http_scrape *s)
{
	struct why why = { "" };
	enum err e = ERR_OK;
	size_t series_added = 0;
	bool is_new_layout = false;
	if (w->profile[0] == '\0')
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
	keep_signals(w, s->wall_ms, s->scrape, is_new_layout);
	tell_restart(w, s);
	tell_recovery(w, s->wall_ms);
	w->was_up = w->ever_up = true;
}

static void on_failure(struct watch *w, const struct http_scrape *s)
{
	struct why why = { "" };
	if (w->configured.is_probe && !w->ever_up)
		return;
	if (w->id == 0 && enter_store(w, &why) != ERR_OK) {
		complain(w, "cannot enter it in the store", &why);
		return;
	}
	if ((w->was_up || w->n_scrapes == 1) &&
	    store_append_stale(w->shared->store, w->id, STREAM_SCRAPE, s->wall_ms, &why) != ERR_OK)
		complain(w, "cannot mark its series stale", &why);
	keep_report(w, s, 0);
	if (w->signals == NULL && take_profile(w, w->profile, &why) != ERR_OK)
		complain(w, "cannot compute signals", &why);
	if (w->signals != NULL)
		keep_signals(w, s->wall_ms, NULL, false);
	if (w->was_up || !w->told)
		w->down_since_ms = s->wall_ms;
	if (!w->told || s->result != w->last_result)
		tell(w, s->wall_ms, SEVERITY_DOWN, "scrape", s->text);
	w->told = true;
	w->was_up = false;
}

static void on_scrape(void *ctx, const struct http_scrape *s)
{
	struct watch *w = ctx;
	w->n_scrapes++;
	if (s->scrape != NULL)
		on_success(w, s);
	else
		on_failure(w, s);
	w->last_result = s->result;
}

/* ---- life ---- */

static enum err read_secret(void *ctx, struct buf *to, struct why *why)
{
	return credential_put(((struct watch *)ctx)->credential, to, why);
}

static struct http_access access_of(struct watch *w, const struct fleet_target *t)
{
	struct http_access a = { .secret = read_secret, .secret_ctx = w };
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

static uint64_t hash_text(const char *text, uint64_t seed)
{
	return hash64(text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1, seed);
}

/* Two targets with the same hash are spoken to in the same way: a change of any of these begins the watch anew. */
static uint64_t access_hash(const struct fleet_target *t)
{
	uint64_t h = hash64(&t->interval_ms, sizeof t->interval_ms, hash64(&t->timeout_ms, sizeof t->timeout_ms, 0));
	h = hash_text(t->url, hash_text(t->profile, h));
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
	w->configured.node = strdup(t->node);
	w->configured.url = strdup(t->url);
	w->configured.labels = labels_ref(t->labels);
	w->configured.interval_ms = t->interval_ms;
	w->configured.is_probe = t->is_probe;
	w->access = access_hash(t);
	/* A profile's name lives as long as the profiles do, which is longer than any fleet. */
	const struct profile *known = profiles_find(w->shared->profiles, t->profile);
	w->profile = known != NULL ? known->head.name : "";
	return w->configured.node == NULL || w->configured.url == NULL ? why_memory(why) : ERR_OK;
}

enum err watch_new(const struct watch_shared *shared, const struct fleet_target *t, struct credential *credential, struct watch **out,
                   struct why *why)
{
	struct watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	w->shared = shared;
	w->credential = credential;
	enum err e = copy_configured(w, t, why);
	if (e == ERR_OK && !t->is_probe && w->profile[0] != '\0') {
		e = take_profile(w, w->profile, why);
		if (e == ERR_OK)
			e = enter_store(w, why);
	}
	const struct http_target_options o = { .url = w->configured.url, .interval_ms = t->interval_ms, .timeout_ms = t->timeout_ms,
		                               .access = access_of(w, t), .done = on_scrape, .ctx = w };
	if (e == ERR_OK)
		e = http_target_add(shared->collector, &o, false, &w->http, why);
	if (e != ERR_OK) {
		watch_free(w, false);
		return e;
	}
	*out = w;
	return ERR_OK;
}

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

void watch_free(struct watch *w, bool is_gone)
{
	if (w == NULL)
		return;
	if (w->http != NULL)
		http_target_remove(w->http);
	if (is_gone && w->id != 0)
		say_gone(w);
	signal_target_free(w->signals);
	exposition_layout_unref(w->said);
	versions_free(w->versions);
	labels_unref(w->labels);
	labels_unref(w->configured.labels);
	free((char *)(uintptr_t)w->configured.node);
	free((char *)(uintptr_t)w->configured.url);
	free(w);
}

bool watch_is_for(const struct watch *w, const struct fleet_target *t)
{
	return w->access == access_hash(t) && labels_equal(w->configured.labels, t->labels);
}

void watch_rebind(struct watch *w, struct credential *credential)
{
	w->credential = credential;
}

const struct labels *watch_labels(const struct watch *w)
{
	return w->configured.labels;
}

uint64_t watch_scrapes(const struct watch *w)
{
	return w->n_scrapes;
}

bool watch_is_up(const struct watch *w)
{
	return w->was_up;
}

bool watch_is_expected(const struct watch *w)
{
	return !w->configured.is_probe || w->ever_up;
}
