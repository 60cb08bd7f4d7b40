/* SPDX-License-Identifier: Apache-2.0
 *
 * A pool of its own that only looks, with one machine and one command that is never run. */
#include "collectors/ssh_scan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/known_hosts.h"
#include "collectors/ssh.h"

static_assert((int)SCAN_NAME == (int)KNOWN_NAME && (int)SCAN_FINGERPRINT == (int)KEY_FINGERPRINT && (int)SCAN_BLOB == (int)KEY_BLOB_MAX,
              "what is shown can be kept");

enum { LIMIT_MS = 60 * 1000 }; /* the sessions' own limits are shorter, and say more */

struct ssh_scan {
	struct ssh_scan_options o;
	struct ssh             *ssh;
	struct transport       *transport;
	struct command         *command; /* NULL: it has ended */
	struct loop_timer      *limit;
	struct ssh_scan_result  result;
	bool                    has_key, is_ending;
};

/* ---- the end ---- */

static void ssh_closed(void *ctx)
{
	struct ssh_scan *s = ctx;
	s->o.done(s->o.ctx, &s->result);
	free(s);
}

static void close_pool(void *ctx)
{
	struct ssh_scan *s = ctx;
	ssh_close(s->ssh, ssh_closed, s);
}

/* Not from within the call that closed it, as in collectors/machine.c. */
static void transport_closed(void *ctx)
{
	struct ssh_scan *s = ctx;
	if (loop_post(s->o.loop, close_pool, s) != ERR_OK)
		close_pool(s);
}

static void end(void *ctx)
{
	struct ssh_scan *s = ctx;
	if (s->command != NULL)
		command_close(s->command);
	s->command = NULL;
	loop_timer_close(s->limit);
	s->limit = NULL;
	transport_close(s->transport, transport_closed, s);
}

/* From the loop alone: what calls may still be at work. */
static void end_soon(struct ssh_scan *s)
{
	if (s->is_ending)
		return;
	s->is_ending = true;
	if (loop_post(s->o.loop, end, s) != ERR_OK)
		end(s);
}

static void fail(struct ssh_scan *s, enum reach result, const char *text)
{
	s->result.result = result;
	snprintf(s->result.text, sizeof s->result.text, "%s", text);
}

void ssh_scan_stop(struct ssh_scan *s)
{
	if (!s->has_key)
		fail(s, REACH_CLOSED, "it was not waited for");
	end_soon(s);
}

static void on_limit(void *ctx)
{
	struct ssh_scan *s = ctx;
	if (!s->has_key)
		fail(s, REACH_TIMEOUT, "no host key was shown within a minute");
	end_soon(s);
}

/* ---- what is seen ---- */

static void name_it(struct ssh_scan_result *r, const struct ssh_shown_key *k)
{
	struct why why = { "" };
	r->name[0] = '\0';
	if (k->alias != NULL)
		snprintf(r->name, sizeof r->name, "%s", k->alias);
	else if (known_hosts_name(k->name, k->port, r->name, &why) != ERR_OK)
		r->name[0] = '\0';
}

static void on_shown(void *ctx, const struct ssh_shown_key *k)
{
	struct ssh_scan *s = ctx;
	struct ssh_scan_result *r = &s->result;
	struct key key;
	struct why why = { "" };
	if (s->has_key || (k->is_jump && k->verdict == REACH_OK))
		return;
	s->has_key = true;
	fail(s, k->verdict, k->verdict == REACH_OK ? "" : k->text);
	snprintf(r->host, sizeof r->host, "%s", k->host);
	snprintf(r->destination, sizeof r->destination, "%s", k->destination);
	snprintf(r->file, sizeof r->file, "%s", k->file != NULL && strlen(k->file) < sizeof r->file ? k->file : "");
	r->is_jump = k->is_jump;
	r->hash_it = k->hash_it;
	name_it(r, k);
	if (k->n > sizeof r->blob || key_read(k->blob, k->n, NULL, &key, &why) != ERR_OK) {
		fail(s, REACH_PROTOCOL, why.text[0] != '\0' ? why.text : "its host key is too long");
		return;
	}
	r->type = key.type;
	key_fingerprint(k->blob, k->n, r->fingerprint);
	memcpy(r->blob, k->blob, k->n);
	r->n = k->n;
}

static void on_output(void *ctx, const char *bytes, size_t n)
{
	(void)ctx;
	(void)bytes;
	(void)n;
}

static void on_ended(void *ctx, enum reach result, const char *text)
{
	struct ssh_scan *s = ctx;
	s->command = NULL;
	if (!s->has_key)
		fail(s, result != REACH_OK ? result : REACH_FAILED, result != REACH_OK ? text : "it showed no host key");
	end_soon(s);
}

/* ---- the beginning ---- */

static enum err begin(struct ssh_scan *s, struct why *why)
{
	static const struct command_events events = { on_output, on_ended };
	const struct ssh_machine_options machine = { .destination = s->o.destination, .user = s->o.user, .port = s->o.port, .mode = SSH_MODE_LIBSSH2 };
	enum err e = ssh_transport_new(s->ssh, &machine, &s->transport, why);
	if (e == ERR_OK)
		e = transport_run(s->transport, "exit", &events, s, &s->command, why);
	return e;
}

/* Where the beginning fails, `done` has nothing to tell. */
static void tell_nobody(void *ctx, const struct ssh_scan_result *r)
{
	(void)ctx;
	(void)r;
}

enum err ssh_scan_new(const struct ssh_scan_options *o, struct ssh_scan **out, struct why *why)
{
	struct ssh_scan *s = calloc(1, sizeof *s);
	if (s == NULL)
		return why_memory(why);
	s->o = *o;
	fail(s, REACH_FAILED, "");
	const struct ssh_options ssh = { .loop = o->loop, .clock = o->clock, .config_file = o->config_file, .shown = on_shown, .ctx = s, .only_looks = true };
	enum err e = loop_timer_new(o->loop, on_limit, s, &s->limit, why);
	if (e == ERR_OK)
		e = ssh_new(&ssh, &s->ssh, why);
	if (e != ERR_OK) {
		loop_timer_close(s->limit);
		free(s);
		return e;
	}
	e = begin(s, why);
	if (e == ERR_OK) {
		loop_timer_start(s->limit, LIMIT_MS, 0);
		*out = s;
		return ERR_OK;
	}
	s->o.done = tell_nobody;
	if (s->transport != NULL) {
		end_soon(s);
	} else {
		loop_timer_close(s->limit);
		close_pool(s);
	}
	return e;
}

enum err ssh_scan_keep(const struct ssh_scan_result *r, struct why *why)
{
	assert(r->result == REACH_KEY_UNKNOWN);
	return known_hosts_add(r->file, r->name, r->blob, r->n, r->hash_it, why);
}
