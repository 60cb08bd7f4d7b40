/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/access.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "tui/access_private.h"
#include "tui/lend.h"
#include "tui/view.h"

/* ---- the way there ---- */

static const struct node_view *details(const struct view *v, const char *node)
{
	return v->node != NULL && strcmp(v->node->node, node) == 0 ? v->node : NULL;
}

/* What the fleet file says; for a node that came later its targets' URLs, those that are asked over a shell first. */
const struct way *access_way(struct access *a, const struct view *v, const char *node)
{
	const struct way *known = ways_find(a->o.ways, node);
	const struct node_view *n = details(v, node);
	struct way found;
	bool is_found = false;
	if (known != NULL || n == NULL)
		return known;
	arena_reset(&a->arena);
	for (size_t i = 0; i < n->n_targets; i++) {
		struct way way;
		if (way_of_url(node, n->targets[i].url, &a->arena, &way) == ERR_OK && (!is_found || (way.is_machine && !found.is_machine))) {
			found = way;
			is_found = true;
		}
	}
	if (!is_found)
		return NULL;
	a->way = found;
	return &a->way;
}

enum next access_say(struct access *a, struct requests *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(a->said, sizeof a->said, format, args);
	va_end(args);
	out->message = a->said;
	return NEXT_REDRAW;
}

void access_show(struct access *a, enum role role, const char *format, ...)
{
	va_list args;
	struct buf text, safe;
	buf_init(&text, 1024);
	buf_init(&safe, 4096);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	text_safe(&safe, buf_text(&text), text.len);
	if (!a->is_closing)
		a->o.message(a->o.ctx, role, buf_text(&safe));
	buf_release(&text);
	buf_release(&safe);
}

size_t access_words(const struct access *a, const struct way *w, struct ssh_words_room *room, const char **argv, size_t n)
{
	if (a->o.ssh_config != NULL) {
		argv[n++] = "-F";
		argv[n++] = a->o.ssh_config;
	}
	if (w->port > 0) {
		snprintf(room->port, sizeof room->port, "%d", w->port);
		argv[n++] = "-p";
		argv[n++] = room->port;
	}
	if (w->user[0] != '\0') {
		argv[n++] = "-l";
		argv[n++] = w->user;
	}
	argv[n++] = "--";
	argv[n++] = w->host;
	argv[n] = NULL;
	return n;
}

enum next access_lend(struct access *a, struct requests *out, const char *const *argv, const char *name, const char *host)
{
	char advice[400] = "";
	if (host[0] != '\0')
		snprintf(advice, sizeof advice, "it got nowhere; `pitwall doctor %s` walks the way there step by step", host);
	out->lend = lend_new(argv, name, advice);
	return out->lend != NULL ? NEXT_REDRAW : access_say(a, out, "out of memory");
}

/* ---- a shell ---- */

static enum next open_local_shell(struct access *a, struct requests *out)
{
	const char *shell = getenv("SHELL");
	const char *const argv[] = { shell != NULL && shell[0] == '/' ? shell : "/bin/sh", NULL };
	return access_lend(a, out, argv, argv[0], "");
}

/* Over a login that was made from here, where there is one: nobody is asked twice. */
static enum next open_shell(struct access *a, const struct way *w, struct requests *out)
{
	const char *argv[SSH_WORDS_MAX] = { "ssh" };
	struct ssh_words_room room;
	char name[300], path[CONTROL_PATH];
	size_t n = 1;
	if (w->is_local)
		return open_local_shell(a, out);
	if (a->o.control_dir != NULL && ssh_control_path(a->o.control_dir, w->host, w->user, w->port, path) && ssh_control_is_there(path)) {
		argv[n++] = "-S";
		argv[n++] = path;
	}
	access_words(a, w, &room, argv, n);
	snprintf(name, sizeof name, "ssh %s", w->host);
	return access_lend(a, out, argv, name, w->host);
}

enum next access_command(struct access *a, enum command c, const struct view *v, struct requests *out)
{
	if (out->node == NULL || (c != COMMAND_SHELL && c != COMMAND_TRUST && c != COMMAND_LOGIN))
		return NEXT_IGNORED;
	if (v->is_file)
		return access_say(a, out, "a node in a file cannot be reached: what is shown was recorded, perhaps elsewhere");
	const struct way *w = access_way(a, v, out->node);
	if (w == NULL)
		return access_say(a, out, "no way to '%.200s' is known: the fleet file does not name it, nor does a URL of its targets", out->node);
	return c == COMMAND_TRUST ? access_trust(a, w, v, out) : c == COMMAND_LOGIN ? access_login(a, w, v, out) : open_shell(a, w, out);
}

/* ---- life ---- */

enum err access_new(const struct access_options *o, struct access **out, struct why *why)
{
	struct access *a = calloc(1, sizeof *a);
	if (a == NULL)
		return why_memory(why);
	a->o = *o;
	arena_init(&a->arena);
	*out = a;
	return ERR_OK;
}

static void free_now(void *ctx)
{
	struct access *a = ctx;
	void (*closed)(void *) = a->closed;
	void *closed_ctx = a->closed_ctx;
	arena_release(&a->arena);
	free(a->key);
	free(a);
	if (closed != NULL)
		closed(closed_ctx);
}

void access_part_gone(struct access *a)
{
	if (--a->n_parts == 0 && a->is_closing && loop_post(a->o.loop, free_now, a) != ERR_OK)
		free_now(a);
}

void access_close(struct access *a, void (*done)(void *ctx), void *ctx)
{
	a->closed = done;
	a->closed_ctx = ctx;
	a->is_closing = true;
	a->n_parts++; /* this call itself */
	if (a->scan != NULL)
		ssh_scan_stop(a->scan);
	access_end_logins(a);
	access_part_gone(a);
}
