/* SPDX-License-Identifier: Apache-2.0 */
#include "config/ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "config/fleet_build.h"
#include "config/words.h"

enum { PORT_MAX = 65535 };

struct ways {
	struct arena arena;
	struct way  *items; /* by node */
	size_t       n;
};

static bool is_destination(const char *host)
{
	return host[0] != '-' && is_host(host);
}

/* ---- out of a URL ---- */

static char *cut_out(struct arena *a, const char *text, size_t n)
{
	char *to = arena_zeroed(a, n + 1, 1);
	if (to != NULL)
		memcpy(to, text, n);
	return to;
}

/* "host", "host:port", "[address]:port". */
static enum err read_place(const char *text, size_t n, struct arena *a, struct way *out)
{
	const char *end = text + n, *host = text, *host_end, *port;
	if (n > 0 && text[0] == '[') {
		host = text + 1;
		host_end = memchr(host, ']', (size_t)(end - host));
		port = host_end != NULL ? host_end + 1 : end;
	} else {
		host_end = memchr(text, ':', n);
		host_end = host_end != NULL ? host_end : end;
		port = host_end;
	}
	int64_t number = 0;
	char *name = host_end != NULL ? cut_out(a, host, (size_t)(host_end - host)) : NULL;
	char *digits = port < end ? cut_out(a, port + 1, (size_t)(end - port - 1)) : NULL;
	if (name == NULL || !is_destination(name) ||
	    (port < end && (*port != ':' || digits == NULL || parse_i64(digits, 1, PORT_MAX, &number) != ERR_OK)))
		return arena_failed(a) ? ERR_MEMORY : ERR_FORMAT;
	out->host = name;
	out->port = (int)number;
	return ERR_OK;
}

enum err way_of_url(const char *node, const char *url, struct arena *a, struct way *out)
{
	struct way made = { .node = arena_text(a, node), .host = "", .user = "" };
	const char *mark = strstr(url, "://");
	if (strcmp(url, "local:") == 0) {
		made.is_local = made.is_machine = true;
		*out = made;
		return ERR_OK;
	}
	if (mark == NULL)
		return ERR_FORMAT;
	made.is_machine = mark - url == 3 && memcmp(url, "ssh", 3) == 0;
	const char *rest = mark + 3;
	size_t n = strcspn(rest, "/?#");
	const char *at = memchr(rest, '@', n);
	if (at != NULL) {
		made.user = cut_out(a, rest, (size_t)(at - rest));
		if (made.user == NULL || !is_ssh_word(made.user))
			return arena_failed(a) ? ERR_MEMORY : ERR_FORMAT;
		n -= (size_t)(at + 1 - rest);
		rest = at + 1;
	}
	enum err e = read_place(rest, n, a, &made);
	if (e != ERR_OK || made.node == NULL)
		return e != ERR_OK ? e : ERR_MEMORY;
	if (!made.is_machine) { /* a server's user and port are not ssh's */
		made.user = "";
		made.port = 0;
	}
	*out = made;
	return ERR_OK;
}

/* ---- of a fleet ---- */

static const char *const *copy_list(struct arena *a, const char *const *from, size_t n)
{
	const char **to = arena_zeroed(a, n + 1, sizeof *to);
	for (size_t i = 0; i < n && to != NULL; i++)
		to[i] = arena_text(a, from[i]);
	return to;
}

static enum err put_logs(const struct fleet_ssh *s, struct arena *a, struct way *to)
{
	to->transport = s->transport;
	to->units = copy_list(a, s->units, s->n_units);
	to->logs = copy_list(a, s->logs, s->n_logs);
	to->n_units = s->n_units;
	to->n_logs = s->n_logs;
	return arena_failed(a) ? ERR_MEMORY : ERR_OK;
}

static enum err way_of_target(const struct fleet_target *t, struct arena *a, struct way *out)
{
	if (t->ssh == NULL || t->is_local) {
		enum err e = way_of_url(t->node, t->url, a, out);
		return e == ERR_OK && t->ssh != NULL ? put_logs(t->ssh, a, out) : e;
	}
	if (!is_destination(t->ssh_host) || (t->ssh->user[0] != '\0' && !is_ssh_word(t->ssh->user)))
		return ERR_FORMAT;
	*out = (struct way){ .node = arena_text(a, t->node), .host = arena_text(a, t->ssh_host), .user = arena_text(a, t->ssh->user),
		             .port = t->ssh->port, .is_machine = true };
	return put_logs(t->ssh, a, out);
}

/* Of one node, what is asked over a shell comes first. */
static int by_node(const void *a, const void *b)
{
	const struct way *x = a, *y = b;
	int order = strcmp(x->node, y->node);
	return order != 0 ? order : y->is_machine - x->is_machine;
}

static void keep_first_of_each(struct ways *w)
{
	size_t kept = 0;
	if (w->n > 0)
		qsort(w->items, w->n, sizeof *w->items, by_node);
	for (size_t i = 0; i < w->n; i++)
		if (kept == 0 || strcmp(w->items[kept - 1].node, w->items[i].node) != 0)
			w->items[kept++] = w->items[i];
	w->n = kept;
}

enum err ways_of_fleet(const struct fleet *f, struct ways **out, struct why *why)
{
	struct ways *w = calloc(1, sizeof *w);
	if (w == NULL)
		return why_memory(why);
	arena_init(&w->arena);
	w->items = arena_zeroed(&w->arena, f->n_targets + 1, sizeof *w->items);
	enum err e = w->items != NULL ? ERR_OK : ERR_MEMORY;
	for (size_t i = 0; i < f->n_targets && e != ERR_MEMORY; i++) {
		e = way_of_target(&f->targets[i], &w->arena, &w->items[w->n]);
		w->n += e == ERR_OK;
	}
	if (e == ERR_MEMORY) {
		ways_free(w);
		return why_memory(why);
	}
	keep_first_of_each(w);
	*out = w;
	return ERR_OK;
}

void ways_free(struct ways *w)
{
	if (w == NULL)
		return;
	arena_release(&w->arena);
	free(w);
}

static int compare_node(const void *key, const void *item)
{
	return strcmp(key, ((const struct way *)item)->node);
}

const struct way *ways_find(const struct ways *w, const char *node)
{
	return w == NULL || w->n == 0 ? NULL : bsearch(node, w->items, w->n, sizeof *w->items, compare_node);
}
