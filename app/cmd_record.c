/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall record: the recorder without a screen, for a service manager. */
#include "app/commands.h"

#include <signal.h>
#include <stdio.h>

#include "config.h"

#include "app/context.h"
#include "app/paths.h"
#include "app/settle.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "collectors/ssh_control.h"
#include "recorder/recorder.h"
#include "store/store.h"

enum { LEASE_MS = 1000 };

struct recording {
	struct loop        *loop;
	struct store       *store;
	struct recorder    *recorder;
	struct loop_signal *signals[3];
	struct loop_timer  *lease;
	int64_t             lease_ms; /* for how long it has been looked at */
	struct log         *log;
	bool                lost; /* another recorder has the lease now */
	enum err            told; /* what the writer met, as last told */
	const char         *ssh_config;
	struct buf          control_dir;
};

static void closed(void *ctx)
{
	loop_stop(((struct recording *)ctx)->loop);
}

static void end(struct recording *r)
{
	for (size_t i = 0; i < 3; i++) {
		loop_signal_close(r->signals[i]);
		r->signals[i] = NULL;
	}
	loop_timer_close(r->lease);
	r->lease = NULL;
	recorder_close(r->recorder, closed, r);
	r->recorder = NULL;
}

static void on_signal(void *ctx, int number)
{
	struct recording *r = ctx;
	if (number == SIGHUP)
		recorder_reload(r->recorder);
	else
		end(r);
}

/* A disk that is full, or gone: once when it begins and once when it is over. */
static void tell_health(struct recording *r, const struct store_health *h)
{
	if (h->err == r->told)
		return;
	r->told = h->err;
	if (h->err != ERR_OK) {
		log_error(r->log, "store", "nothing is stored: %s", h->text);
		fprintf(stderr, "pitwall: nothing is stored: %s\n", h->text);
	} else {
		log_info(r->log, "store", "storing again");
		fprintf(stderr, "pitwall: storing again\n");
	}
}

/* Two recorders must not write: who was stopped for so long that another one took over, ends. */
static void watch_lease(void *ctx)
{
	struct recording *r = ctx;
	struct store_health health;
	r->lease_ms += LEASE_MS;
	if (r->lease_ms == SETTLED_MS)
		settle_memory();
	store_health(r->store, &health);
	tell_health(r, &health);
	if (health.has_lease)
		return;
	r->lost = true;
	end(r);
}

static enum err prepare(struct recording *r, struct context *c, struct why *why)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	const struct store_options store = { .path = buf_text(&c->store), .clock = clock_system(), .log = c->log };
	enum err e = path_make_parents(buf_text(&c->store), why);
	if (e == ERR_OK)
		e = store_open(&store, &r->store, why);
	if (e == ERR_OK)
		e = loop_new(&r->loop, why);
	for (size_t i = 0; i < 3 && e == ERR_OK; i++)
		e = loop_signal_new(r->loop, numbers[i], on_signal, r, &r->signals[i], why);
	if (e == ERR_OK)
		e = loop_timer_new(r->loop, watch_lease, r, &r->lease, why);
	if (e != ERR_OK)
		return e;
	const struct recorder_options o = { .loop = r->loop, .store = r->store, .store_path = buf_text(&c->store), .profiles = c->profiles,
		                            .fleet = c->fleet, .clock = clock_system(),
		                            .log = c->log, .version = PACKAGE_VERSION, .ssh_config = r->ssh_config,
		                            .control_dir = buf_text(&r->control_dir) };
	e = recorder_new(&o, &r->recorder, why);
	if (e == ERR_OK)
		c->fleet = NULL;
	return e;
}

static enum err record(struct context *c, const char *ssh_config, struct why *why)
{
	struct recording r = { .log = c->log, .ssh_config = ssh_config };
	size_t n = c->fleet->n_targets;
	buf_init(&r.control_dir, PATH_BYTES);
	enum err e = ssh_control_dir(&r.control_dir, why);
	if (e == ERR_OK)
		e = prepare(&r, c, why);
	if (e == ERR_OK) {
		fprintf(stderr, "pitwall: recording %zu targets into '%s'\n", n, buf_text(&c->store));
		loop_timer_start(r.lease, LEASE_MS, LEASE_MS);
		loop_run(r.loop);
	}
	for (size_t i = 0; i < 3; i++)
		loop_signal_close(r.signals[i]);
	loop_timer_close(r.lease);
	loop_free(r.loop);
	if (r.store != NULL)
		store_close(r.store);
	buf_release(&r.control_dir);
	if (e == ERR_OK && r.lost)
		e = why_set(why, ERR_LATER, "another recorder took the store '%s' over, since this one was stopped for too long", buf_text(&c->store));
	return e;
}

static int run(const struct cli *cli)
{
	struct context c;
	struct why why = { "" };
	enum err e = context_init(&c, cli, &why);
	if (e == ERR_OK)
		e = context_fleet(&c, cli, &why);
	if (e == ERR_OK)
		e = record(&c, cli_value(cli, "ssh-config"), &why);
	context_release(&c);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	{ "ssh-config", "FILE", "read this instead of the user's and the system's ssh_config" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_record = {
	.name         = "record",
	.arguments    = "",
	.summary      = "record the fleet without a screen, for a service manager",
	.details      = "Runs in the foreground until SIGTERM or SIGINT; what is queued is committed before it ends. SIGHUP looks at the fleet's files at once "
	                "(they are looked at every few seconds anyway). One process at a time records into a store: a second one says who it is and exits 2.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
