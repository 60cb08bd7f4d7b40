/* SPDX-License-Identifier: Apache-2.0
 *
 * What Alertmanager's API v2 says and is told, as JSON. Pure. All that comes in is hostile until checked: sizes, counts, times and types.
 * Source: prometheus/alertmanager, api/v2/openapi.yaml; checked on answers of a real one.
 *
 * Threads: none. */
#ifndef PITWALL_ALERTS_ALERTMANAGER_JSON_H
#define PITWALL_ALERTS_ALERTMANAGER_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "base/matcher_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AM_ANSWER_MAX   = 32 * 1024 * 1024, /* bytes */
	AM_ALERTS_MAX   = 20000,
	AM_SILENCES_MAX = 20000,
	AM_ID_MAX       = 64,
};

/* ---- what it says ---- */

enum am_state { AM_ACTIVE, AM_SUPPRESSED, AM_UNPROCESSED };

/* An alert that it has. Texts are never NULL. */
struct am_alert {
	uint64_t           fingerprint;
	struct labels     *labels, *annotations;
	int64_t            starts_ms, ends_ms;
	enum am_state      state;
	const char        *generator_url;
	const char *const *silenced_by; /* ids of silences */
	const char *const *inhibited_by; /* fingerprints of alerts, in hexadecimal digits */
	const char *const *receivers;   /* names */
	size_t             n_silenced_by, n_inhibited_by, n_receivers;
	bool               is_ours;     /* the client sent it (alerts/alertmanager.h); false here */
};
struct am_alerts {
	struct am_alert *items;
	size_t           n;
	struct arena     arena;
};

enum am_silence_state { AM_SILENCE_ACTIVE, AM_SILENCE_PENDING, AM_SILENCE_EXPIRED };
struct am_silence {
	const char           *id;
	struct matcher_set    matchers;
	int64_t               starts_ms, ends_ms, updated_ms;
	const char           *created_by, *comment;
	enum am_silence_state state;
};
struct am_silences {
	struct am_silence *items;
	size_t             n, n_odd; /* those that it has, but whose matchers we cannot read, are left out and counted */
	struct arena       arena;
};

/* Answers to GET alerts, GET silences, and POST silences (the id goes to `id`, AM_ID_MAX + 1 bytes). ERR_FORMAT, ERR_RANGE, ERR_LIMIT,
 * ERR_NOT_FOUND: it is no such answer, why says of which item. */
enum err am_alerts_parse(const char *json, size_t n, struct am_alerts *out, struct why *why);
enum err am_silences_parse(const char *json, size_t n, struct am_silences *out, struct why *why);
/* GET silence/ID: one. */
enum err am_silence_parse(const char *json, size_t n, struct am_silences *out, struct why *why);
enum err am_silence_id_parse(const char *json, size_t n, char id[AM_ID_MAX + 1], struct why *why);
void     am_alerts_release(struct am_alerts *a); /* safe on a zeroed one, likewise the next */
void     am_silences_release(struct am_silences *s);

/* What may stand in a path of the API: hexadecimal digits and '-'. */
bool am_is_id(const char *id);

/* The convention of karma and kthxbye: a silence whose comment begins with "ACK!" says that someone (created_by) has taken the alert on. */
#define AM_ACK_PREFIX "ACK!"
bool        am_silence_is_ack(const struct am_silence *s);
/* The comment without the prefix. */
const char *am_ack_comment(const struct am_silence *s);

/* ---- what it is told ---- */

struct am_push {
	const struct labels *labels, *annotations; /* annotations may be NULL */
	int64_t              starts_ms, ends_ms;
};
/* POST alerts. */
enum err am_put_alerts(struct buf *to, const struct am_push *alerts, size_t n, const char *generator_url);

struct am_silence_put {
	const char               *id;       /* "": a new one */
	const struct matcher_set *matchers;
	int64_t                   starts_ms, ends_ms;
	const char               *created_by, *comment;
};
/* POST silences. */
enum err am_put_silence(struct buf *to, const struct am_silence_put *s);

#endif
