/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets: from a place and settings to a URL and the labels that are its identity. */
#include "config/fleet_build.h"

#include "base/num.h"
#include "config/words.h"

#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 2048 };

/* ---- places ---- */

static bool wrong_place(struct build *b, const struct yaml_node *at, const char *text, const char *reason)
{
	yaml_error(b->y, at, "'%.100s' is no [scheme://]host[:port][/path]: %s", text, reason);
	return false;
}

static char *copy_piece(struct build *b, const char *from, size_t n)
{
	char *text = keep(b, arena_zeroed(b->arena, n + 1, 1));
	if (text != NULL)
		memcpy(text, from, n);
	return text;
}

/* "host", "host:port", "[::1]:port" in text[0..n). */
static bool read_authority(struct build *b, const struct yaml_node *at, const char *text, const char *p, size_t n, struct place *out)
{
	const char *end = p + n, *colon = NULL, *host = p;
	size_t host_len = n;
	if (n > 0 && *p == '[') {
		const char *close = memchr(p, ']', n);
		if (close == NULL)
			return wrong_place(b, at, text, "'[' without ']'");
		host = p + 1;
		host_len = (size_t)(close - host);
		if (close + 1 < end && close[1] != ':')
			return wrong_place(b, at, text, "something stands between ']' and ':'");
		colon = close + 1 < end ? close + 1 : NULL;
	} else if ((colon = memchr(p, ':', n)) != NULL) {
		host_len = (size_t)(colon - p);
	}
	out->host = copy_piece(b, host, host_len);
	if (out->host == NULL)
		return false;
	if (!is_host(out->host))
		return wrong_place(b, at, text, "the host is no name or IP address");
	if (colon == NULL)
		return true;
	int64_t port;
	const char *digits = copy_piece(b, colon + 1, (size_t)(end - colon - 1));
	if (digits == NULL || parse_i64(digits, 1, 65535, &port) != ERR_OK)
		return wrong_place(b, at, text, "the port is no number from 1 to 65535");
	out->port = (int)port;
	return true;
}

bool place_read(struct build *b, const struct yaml_node *at, const char *text, struct place *out)
{
	struct place place = { 0 };
	const char *p = text, *mark = strstr(text, "://");
	if (strlen(text) > URL_MAX)
		return wrong_place(b, at, text, "too long");
	if (mark != NULL) {
		if (strncmp(text, "http://", 7) == 0)
			place.scheme = "http";
		else if (strncmp(text, "https://", 8) == 0)
			place.scheme = "https";
		else
			return wrong_place(b, at, text, "the scheme must be http or https");
		p = mark + 3;
	}
	size_t n = strcspn(p, "/?#");
	if (memchr(p, '@', n) != NULL) { /* what may be a password is not quoted */
		yaml_error(b->y, at, "a URL must not hold a user or password; use 'auth'");
		return false;
	}
	if (!read_authority(b, at, text, p, n, &place))
		return false;
	if (place.scheme != NULL && place.port == 0)
		place.port = place.scheme[4] == 's' ? 443 : 80;
	p += n;
	if (*p != '\0' && strcmp(p, "/") != 0) {
		if (!is_url_path(p))
			return wrong_place(b, at, text, "the path holds what a URL cannot");
		place.path = copy_piece(b, p, strlen(p));
	}
	*out = place;
	return b->err == ERR_OK;
}

/* ---- making one ---- */

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static void set_labels(struct labels_builder *to, const struct own_label *label)
{
	const struct own_label *chain[256];
	size_t n = 0;
	for (; label != NULL && n < sizeof chain / sizeof *chain; label = label->outer)
		chain[n++] = label;
	while (n-- > 0)
		labels_builder_set(to, chain[n]->name, chain[n]->value);
}

static enum err make_labels(struct fleet_target *t, const struct settings *s, const char *instance)
{
	struct labels_builder l;
	const char *job = s->job != NULL ? s->job : t->profile[0] != '\0' ? t->profile : t->group;
	labels_builder_init(&l);
	labels_builder_set(&l, "instance", instance);
	set_labels(&l, s->labels);
	labels_builder_set(&l, "job", job);
	labels_builder_set(&l, "group", t->group);
	labels_builder_set(&l, "node", t->node);
	labels_builder_set(&l, "model", t->model);
	labels_builder_set(&l, "profile", t->profile);
	enum err e = labels_builder_build(&l, &t->labels, NULL);
	labels_builder_release(&l);
	return e;
}

static bool has_room(struct build *b)
{
	struct fleet *f = b->fleet;
	if (b->err != ERR_OK || f->n_targets < b->cap_targets)
		return b->err == ERR_OK;
	size_t cap = b->cap_targets == 0 ? 64 : b->cap_targets * 2;
	struct fleet_target *targets = realloc(f->targets, cap * sizeof *targets);
	if (keep(b, targets) == NULL)
		return false;
	f->targets = targets;
	struct origin *origins = realloc(b->origins, cap * sizeof *origins);
	if (keep(b, origins) == NULL)
		return false;
	b->origins = origins;
	b->cap_targets = cap;
	return true;
}

static void set_times(struct fleet_target *t, const struct settings *s)
{
	t->interval_ms = s->interval_ms > 0 ? s->interval_ms : FLEET_INTERVAL_MS;
	t->timeout_ms = s->timeout_ms > 0 ? s->timeout_ms : FLEET_TIMEOUT_MS;
	if (t->timeout_ms > t->interval_ms)
		t->timeout_ms = t->interval_ms;
	t->max_series = s->max_series > 0 ? (size_t)s->max_series : FLEET_MAX_SERIES;
}

static const char *first_of(const char *a, const char *b, const char *c, const char *d)
{
	return a != NULL ? a : b != NULL ? b : c != NULL ? c : d;
}

/* Sets url, has_path and labels. False: reported, or no memory. */
static bool set_url(struct build *b, struct fleet_target *t, const struct place *place, const struct settings *s, int port,
                    const struct yaml_node *at)
{
	const struct profile *profile = s->profile != NULL ? profiles_find(b->profiles, s->profile) : NULL;
	const char *scheme = first_of(place->scheme, s->scheme, profile != NULL ? profile->head.scheme : NULL, "http");
	const char *path = first_of(place->path, s->path, profile != NULL ? profile->head.path : NULL, "/metrics");
	bool is_v6 = strchr(place->host, ':') != NULL;
	struct buf url;
	buf_init(&url, 2 * URL_MAX);
	buf_printf(&url, "%s://", scheme);
	size_t from = url.len;
	buf_printf(&url, is_v6 ? "[%s]:%d" : "%s:%d", place->host, port);
	char *instance = keep(b, arena_text(b->arena, buf_text(&url) + from));
	buf_puts(&url, path);
	enum err e = url.err;
	if (e == ERR_LIMIT)
		yaml_error(b->y, at, "the URL is longer than %d bytes", 2 * URL_MAX);
	t->url = keep(b, arena_text(b->arena, buf_text(&url)));
	t->has_path = place->path != NULL || s->path != NULL;
	buf_release(&url);
	if (b->err == ERR_OK && e == ERR_OK && (e = make_labels(t, s, instance)) == ERR_LIMIT)
		yaml_error(b->y, at, "the labels are too long");
	if (e == ERR_MEMORY)
		b->err = e;
	if (s->auth != NULL && strcmp(scheme, "http") == 0 && !is_loopback(place->host))
		yaml_warning(b->fleet_y, s->auth_at, "secrets are sent over plain http, for all on the way to read; use scheme: https");
	return b->err == ERR_OK && e == ERR_OK;
}

static bool has_room_for_one(struct build *b, const struct yaml_node *at)
{
	if (b->fleet->n_targets == FLEET_TARGETS_MAX) {
		yaml_error(b->y, at, "more than %d targets", FLEET_TARGETS_MAX);
		b->err = ERR_LIMIT;
	}
	return has_room(b);
}

static void append(struct build *b, struct fleet_target *t, const struct yaml_node *at)
{
	b->origins[b->fleet->n_targets] = (struct origin){ .at = at, .is_outside = b->y != b->fleet_y };
	b->fleet->targets[b->fleet->n_targets++] = *t;
}

void target_add(struct build *b, const char *group, const char *node, const struct place *place, const struct settings *s,
                const struct yaml_node *at)
{
	const struct profile *profile = s->profile != NULL ? profiles_find(b->profiles, s->profile) : NULL;
	int port = place->port > 0 ? place->port : s->port > 0 ? s->port : profile != NULL ? profile->head.port : 0;
	if (b->err != ERR_OK)
		return;
	if (port == 0) {
		yaml_error(b->y, at, "no port is known: give 'port' or 'profile'");
		return;
	}
	if (!has_room_for_one(b, at))
		return;
	struct fleet_target t = {
		.group = group,
		.node = keep(b, arena_text(b->arena, node)),
		.model = s->model != NULL ? s->model : "",
		.profile = s->profile != NULL ? s->profile : "",
		.ssh_host = "",
		.auth = s->auth,
		.tls = s->tls,
		.gzip = s->gzip,
		.line = at->line,
	};
	if (t.node == NULL)
		return;
	set_times(&t, s);
	if (set_url(b, &t, place, s, port, at))
		append(b, &t, at);
	else
		labels_unref(t.labels);
}

/* What is known of machines is in a profile of that name. */
static const char machine_profile[] = "machine";

static bool set_machine_url(struct build *b, struct fleet_target *t, const struct ssh_place *place, const struct settings *s,
                            const struct yaml_node *at)
{
	struct settings own = *s;
	struct buf url;
	size_t from;
	buf_init(&url, 2 * URL_MAX);
	if (place == NULL) {
		buf_puts(&url, "local:");
		from = 0;
	} else {
		buf_printf(&url, "ssh://%s%s", place->user, place->user[0] != '\0' ? "@" : "");
		from = url.len;
		buf_printf(&url, strchr(place->host, ':') != NULL ? "[%s]" : "%s", place->host);
		if (place->port > 0)
			buf_printf(&url, ":%d", place->port);
	}
	t->url = keep(b, arena_text(b->arena, buf_text(&url)));
	own.job = machine_profile; /* `job` is about what is served there */
	enum err e = url.err;
	if (e == ERR_OK)
		e = make_labels(t, &own, buf_text(&url) + from);
	buf_release(&url);
	if (e == ERR_LIMIT)
		yaml_error(b->y, at, "the URL or the labels are too long");
	else if (e != ERR_OK)
		b->err = ERR_MEMORY;
	return e == ERR_OK && b->err == ERR_OK;
}

void machine_target_add(struct build *b, const char *group, const char *node, const struct ssh_place *place, const struct settings *s,
                        const struct yaml_node *at)
{
	if (b->err != ERR_OK || !has_room_for_one(b, at))
		return;
	struct fleet_ssh *ssh = keep(b, arena_zeroed(b->arena, 1, sizeof *ssh));
	struct fleet_target t = {
		.group = group,
		.node = keep(b, arena_text(b->arena, node)),
		.model = s->model != NULL ? s->model : "",
		.profile = profiles_find(b->profiles, machine_profile) != NULL ? machine_profile : "",
		.ssh = ssh,
		.ssh_host = place != NULL ? keep(b, arena_text(b->arena, place->host)) : "",
		.is_local = place == NULL,
		.has_path = true,
		.line = at->line,
	};
	if (b->err != ERR_OK)
		return;
	*ssh = s->ssh != NULL ? *s->ssh : plain_ssh;
	if (place != NULL) {
		ssh->user = place->user;
		ssh->port = place->port;
	}
	set_times(&t, s);
	if (set_machine_url(b, &t, place, s, at))
		append(b, &t, at);
	else
		labels_unref(t.labels);
}

void targets_cut(struct build *b, size_t n)
{
	while (b->fleet->n_targets > n)
		labels_unref(b->fleet->targets[--b->fleet->n_targets].labels);
}

/* ---- the same target twice ---- */

struct numbered {
	uint64_t hash;
	size_t   i;
};

static int by_hash(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (x->i > y->i) - (x->i < y->i);
}

static void report_twice(struct build *b, size_t first, size_t second)
{
	const struct fleet_target *t = &b->fleet->targets[second];
	if (b->origins[second].is_outside) /* Prometheus drops these silently; its file may be gone again by now */
		return;
	yaml_error(b->y, b->origins[second].at, "target '%s' of group '%s' is here twice (first in line %d)", t->url, t->group,
	           b->fleet->targets[first].line);
}

/* Takes the targets that are marked out of the list and mends the groups' ranges. */
static void drop_marked(struct fleet *f, const bool *is_dropped)
{
	size_t to = 0;
	for (size_t g = 0, i = 0; g < f->n_groups; g++) {
		size_t end = f->groups[g].first + f->groups[g].n, first = to;
		for (; i < end; i++) {
			if (is_dropped[i])
				labels_unref(f->targets[i].labels);
			else
				f->targets[to++] = f->targets[i];
		}
		f->groups[g].first = first;
		f->groups[g].n = to - first;
	}
	f->n_targets = to;
}

void targets_check(struct build *b)
{
	struct fleet *f = b->fleet;
	struct numbered *order = calloc(f->n_targets + 1, sizeof *order);
	bool *is_dropped = calloc(f->n_targets + 1, sizeof *is_dropped);
	bool any = false;
	if (keep(b, order) == NULL || keep(b, is_dropped) == NULL)
		goto out;
	for (size_t i = 0; i < f->n_targets; i++)
		order[i] = (struct numbered){ labels_hash(f->targets[i].labels), i };
	qsort(order, f->n_targets, sizeof *order, by_hash);
	for (size_t k = 1; k < f->n_targets; k++) {
		size_t first = order[k - 1].i, second = order[k].i;
		if (order[k - 1].hash != order[k].hash || !labels_equal(f->targets[first].labels, f->targets[second].labels))
			continue;
		report_twice(b, first, second);
		is_dropped[second] = any = true;
	}
	if (any)
		drop_marked(f, is_dropped);
out:
	free(order);
	free(is_dropped);
}
