/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a host key: the key is fetched, a person compares and types the host's name, and just that key is written. One that changed or is revoked
 * is never offered. */
#include "tui/access_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tui/dialog.h"
#include "tui/view.h"

enum { DIALOG_TEXT_MAX = 4000 };

/* A key on its way into a file, on a worker. */
struct adding {
	struct access         *access;
	struct ssh_scan_result key;
	enum err               err;
	struct why             why;
};

static void put_on_top(struct access *a, struct screen *s)
{
	if (a->is_closing && s != NULL)
		s->kind->free(s);
	else if (s != NULL)
		a->o.push(a->o.ctx, s);
	else
		access_show(a, ROLE_CRIT, "out of memory");
}

/* ---- writing it down ---- */

static void add_work(void *ctx)
{
	struct adding *w = ctx;
	w->err = ssh_scan_keep(&w->key, &w->why);
}

static void add_done(void *ctx, bool is_cancelled)
{
	struct adding *w = ctx;
	struct access *a = w->access;
	(void)is_cancelled;
	if (w->err != ERR_OK)
		access_show(a, ROLE_CRIT, "the key of '%s' is not kept: %s", w->key.destination, w->why.text);
	else if (a->recorder_is_other)
		access_show(a, ROLE_OK, "kept in %s: for you alone; the recorder, if another user's, has to know the key too", w->key.file);
	else
		access_show(a, ROLE_OK, "the key of '%s' is kept in %s; it is asked again within seconds", w->key.destination, w->key.file);
	free(w);
	access_part_gone(a);
}

/* The dialog's yes. What was shown is what is written, whatever the host shows by now. */
static void on_confirmed(void *ctx)
{
	struct access *a = ctx;
	struct adding *w = calloc(1, sizeof *w);
	if (w == NULL || a->key == NULL) {
		free(w);
		access_show(a, ROLE_CRIT, "out of memory");
		return;
	}
	w->access = a;
	w->key = *a->key;
	a->n_parts++;
	if (loop_work_new(a->o.loop, add_work, add_done, w, NULL, NULL) == ERR_OK)
		return;
	free(w);
	a->n_parts--;
	access_show(a, ROLE_CRIT, "out of memory");
}

/* ---- asking ---- */

static void ask_person(struct access *a)
{
	const struct ssh_scan_result *k = a->key;
	const struct requests yes = { .confirmed = on_confirmed, .confirmed_ctx = a };
	struct buf text;
	buf_init(&text, DIALOG_TEXT_MAX);
	buf_printf(&text, "%s%s shows a host key that is not known here.\n\n", k->host, k->is_jump ? ", a jump host on the way," : "");
	buf_printf(&text, "key   %s\n      %s\nfile  %s\n\n", k->type, k->fingerprint, k->file);
	buf_puts(&text, "Compare it with what that machine says on its own console, or whoever\n"
	                "installed it:\n  for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done\n\n");
	buf_printf(&text, "Type the host's name, %s, if it is the same:", k->destination);
	put_on_top(a, text.err == ERR_OK ? dialog_typed_new("host key unknown", buf_text(&text), k->destination, "take the key", "leave it", &yes) : NULL);
	buf_release(&text);
}

/* Nothing can be agreed to here. */
static void warn_person(struct access *a)
{
	const struct ssh_scan_result *k = a->key;
	static const struct requests nothing = { .node = NULL };
	bool has_changed = k->result == REACH_KEY_CHANGED;
	struct buf text;
	buf_init(&text, DIALOG_TEXT_MAX);
	buf_printf(&text, "%s%s\nshows %s %s\n\n", k->host, k->is_jump ? ", a jump host on the way," : "", k->type, k->fingerprint);
	if (has_changed)
		buf_puts(&text, "which is not the key that is known for it. Either the machine was\n"
		                "installed anew, or somebody answers in its place. Find out which,\n"
		                "from somebody who knows. Only then forget the known key, and press\n"
		                "the same key here again to compare the new one:\n\n");
	else
		buf_puts(&text, "which is marked as revoked: it was given up, perhaps since it was\n"
		                "stolen. The machine needs a new key; nothing can be taken here.\n");
	if (has_changed)
		buf_printf(&text, "  ssh-keygen -f %s -R '%s'\n", k->file, k->name);
	put_on_top(a, dialog_new(has_changed ? "HOST KEY CHANGED" : "host key REVOKED", buf_text(&text), "close", "close", &nothing));
	buf_release(&text);
}

static void on_scanned(void *ctx, const struct ssh_scan_result *r)
{
	struct access *a = ctx;
	a->scan = NULL;
	if (a->key != NULL)
		*a->key = *r;
	if (a->is_closing || a->key == NULL) {
		access_part_gone(a);
		return;
	}
	switch ((int)r->result) {
	case REACH_OK: access_show(a, ROLE_OK, "the host key of '%s' is known: %s %s", r->destination, r->type, r->fingerprint); break;
	case REACH_KEY_CHANGED:
	case REACH_KEY_REVOKED: warn_person(a); break;
	case REACH_KEY_UNKNOWN:
		if (r->name[0] != '\0' && r->file[0] != '\0' && r->destination[0] != '\0')
			ask_person(a);
		else
			access_show(a, ROLE_WARN, "the key cannot be kept: the ssh configuration names no file of known hosts, or the host's name has no place in one");
		break;
	case REACH_CONFIG: access_show(a, ROLE_WARN, "only ssh itself gets there (%s): press s, it shows the key and asks", r->text); break;
	default: access_show(a, ROLE_WARN, "no host key was seen: %s", r->text);
	}
	access_part_gone(a);
}

enum next access_trust(struct access *a, const struct way *w, const struct view *v, struct requests *out)
{
	const struct ssh_scan_options o = { .loop = a->o.loop, .clock = a->o.clock, .destination = w->host, .user = w->user[0] != '\0' ? w->user : NULL,
		                            .port = w->port, .config_file = a->o.ssh_config, .done = on_scanned, .ctx = a };
	struct why why = { "" };
	if (w->is_local)
		return access_say(a, out, "this machine is asked without SSH: there is no host key to take");
	if (a->scan != NULL)
		return access_say(a, out, "still asking for a host key");
	if (a->key == NULL)
		a->key = calloc(1, sizeof *a->key);
	if (a->key == NULL)
		return access_say(a, out, "out of memory");
	a->recorder_is_other = strcmp(v->recorder, "this console") != 0;
	if (ssh_scan_new(&o, &a->scan, &why) != ERR_OK) {
		a->scan = NULL;
		return access_say(a, out, "cannot ask for the host key: %s", why.text);
	}
	a->n_parts++;
	return access_say(a, out, "asking %s for its host key", w->host);
}
