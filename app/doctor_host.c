/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor_host.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "app/context.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "collectors/machine.h"
#include "recorder/machine_settings.h"

enum { TIMEOUT_MS = 20 * 1000, DAY_MS = 24 * 3600 * 1000 };

static const double CLOCK_OFF_S = 1; /* a clock that far away is worth a word: what a machine logs will not fit to what is seen here */

struct walk {
	struct loop              *loop;
	struct machine_collector *c;
	const struct fleet_ssh   *ssh;
	struct machine_settings   settings;
	int64_t                   told_us;       /* when the step before ended */
	enum reach                failed;        /* of the last step that failed; REACH_OK: none did */
	char                      failed_at[256];
	char                      taken_over[512]; /* why the OpenSSH client was taken; "": it was not */
	bool                      is_local, is_good;
};

void doctor_say(bool is_good, const char *what, const char *format, ...)
{
	struct buf text, safe;
	va_list args;
	buf_init(&text, 64 * 1024);
	buf_init(&safe, 256 * 1024);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	text_safe(&safe, buf_text(&text), text.len);
	printf("%c %-16s %s\n", is_good ? ' ' : '!', what, buf_text(&safe));
	fflush(stdout);
	buf_release(&text);
	buf_release(&safe);
}

/* ---- the way there ---- */

static const char *const step_names[] = {
	[SSH_STEP_CONFIG] = "configuration", [SSH_STEP_NAME] = "name",         [SSH_STEP_CONNECT] = "connection", [SSH_STEP_HANDSHAKE] = "key exchange",
	[SSH_STEP_HOST_KEY] = "host key",    [SSH_STEP_LOGIN] = "login",       [SSH_STEP_FALLBACK] = "OpenSSH",
};
_Static_assert(sizeof step_names / sizeof *step_names == SSH_STEP_COUNT, "each step has a name");

/* Whatever it is about, the hop stands first, once. */
static void say_step(const struct ssh_progress *p, double ms)
{
	bool has_host = strncmp(p->text, p->host, strlen(p->host)) == 0, has_text = p->text[0] != '\0';
	doctor_say(p->result == REACH_OK, step_names[p->step], "%s%s%s (%.*f ms)", has_host ? "" : p->host, has_host || !has_text ? "" : ": ",
	           p->text, ms < 10 ? 1 : 0, ms);
}

static void on_progress(void *ctx, const struct ssh_progress *p)
{
	struct walk *w = ctx;
	int64_t now = clock_mono_us(clock_system());
	say_step(p, p->ms >= 0 ? p->ms : (double)(now - w->told_us) / 1e3);
	w->told_us = now;
	if (p->step == SSH_STEP_FALLBACK) {
		snprintf(w->taken_over, sizeof w->taken_over, "%s", p->text);
		w->failed = REACH_OK;
	} else if (p->result != REACH_OK && (w->failed == REACH_OK || p->result != REACH_JUMP)) {
		w->failed = p->result;
		snprintf(w->failed_at, sizeof w->failed_at, "%s", p->host);
	}
}

/* ---- what it answers ---- */

static const char *state_words(const struct gather_source *s)
{
	switch (s->state) {
	case GATHER_SOURCE_GOOD:
		return "answers";
	case GATHER_SOURCE_ABSENT:
		return "nothing of the kind";
	case GATHER_SOURCE_FAILED:
		return "fails";
	case GATHER_SOURCE_UNASKED:
		break;
	}
	return "not asked";
}

static void say_sources(const struct gather *g)
{
	printf("sources\n");
	for (size_t i = 0; i < gather_source_count(g); i++) {
		const struct gather_source s = gather_source_at(g, i);
		doctor_say(s.state != GATHER_SOURCE_FAILED, s.name, "%s%s%s", state_words(&s), s.reason[0] != '\0' ? ": " : "", s.reason);
	}
}

static double sample(const struct scrape *s, const char *metric)
{
	struct labels *const *series = exposition_layout_series(s->layout);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(labels_metric(series[i]), metric) == 0)
			return s->values[i];
	return NAN;
}

static void say_clock(const struct scrape *s)
{
	double offset = sample(s, "pitwall_clock_offset_seconds"), error = sample(s, "pitwall_clock_offset_error_seconds");
	if (isnan(offset) || isnan(error))
		return;
	doctor_say(fabs(offset) < CLOCK_OFF_S + error, "clock", "%.3f s %s ours, give or take %.3f s", fabs(offset),
	           offset < 0 ? "behind" : "ahead of", error);
}

static void say_transport(const struct walk *w)
{
	if (w->is_local)
		doctor_say(true, "transport", "a shell on this machine");
	else if (w->taken_over[0] != '\0')
		doctor_say(true, "transport", "the OpenSSH client: %s", w->taken_over);
	else
		doctor_say(true, "transport", "pitwall's own SSH (libssh2)%s",
		           w->ssh != NULL && w->ssh->transport == FLEET_TRANSPORT_LIBSSH2 ? ", as the fleet file says" : "");
}

static void say_failure(const struct walk *w, const struct machine_scrape *s)
{
	bool was_told = w->failed != REACH_OK; /* by the step that failed */
	const char *advice = reach_advice(was_told ? w->failed : s->result);
	if (!was_told)
		doctor_say(false, reach_words(s->result), "%s", s->text);
	if (advice[0] != '\0')
		doctor_say(true, "what to do", "%s%s%s", was_told ? w->failed_at : "", was_told ? ": " : "", advice);
}

static void on_closed(void *ctx)
{
	struct walk *w = ctx;
	loop_stop(w->loop);
}

static void close_all(void *ctx)
{
	struct walk *w = ctx;
	machine_collector_close(w->c, on_closed, w);
}

/* What it comes out of is still at work: all is closed from the loop. */
static void on_scrape(void *ctx, const struct machine_scrape *s)
{
	struct walk *w = ctx;
	w->is_good = s->result == REACH_OK;
	if (w->is_good) {
		doctor_say(true, "answer", "%zu samples in %.2f s, %zu bytes", s->scrape->samples, s->seconds, s->body_bytes);
		say_transport(w);
		say_clock(s->scrape);
		say_sources(s->gather);
	} else {
		say_failure(w, s);
	}
	if (loop_post(w->loop, close_all, w) != ERR_OK)
		close_all(w);
}

static enum err walk_there(struct walk *w, const struct doctor_machine *m, struct why *why)
{
	static const enum ssh_mode modes[] = { [FLEET_TRANSPORT_AUTO] = SSH_MODE_AUTO, [FLEET_TRANSPORT_LIBSSH2] = SSH_MODE_LIBSSH2,
		                                   [FLEET_TRANSPORT_OPENSSH] = SSH_MODE_OPENSSH };
	const struct machine_collector_options options = { .loop = w->loop, .clock = clock_system(), .ssh_config = m->config_file,
		                                               .progress = on_progress, .progress_ctx = w };
	const struct machine_options machine = { .name = m->typed, .destination = m->destination, .user = m->user, .port = m->port,
		                                     .mode = m->ssh != NULL ? modes[m->ssh->transport] : SSH_MODE_AUTO, .interval_ms = DAY_MS,
		                                     .timeout_ms = m->timeout_ms, .settings = &w->settings.sources, .done = on_scrape, .ctx = w };
	struct machine *added = NULL;
	enum err e = machine_collector_new(&options, &w->c, why);
	if (e != ERR_OK)
		return e;
	w->told_us = clock_mono_us(clock_system());
	e = machine_add(w->c, &machine, true, &added, why);
	if (e != ERR_OK)
		machine_collector_close(w->c, on_closed, w);
	loop_run(w->loop);
	return e;
}

/* ---- the fleet file ---- */

static const struct fleet_target *find_node(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i];
		if (t->ssh != NULL && (strcmp(t->node, name) == 0 || strcmp(t->ssh_host, name) == 0))
			return t;
	}
	return NULL;
}

/* A fleet file that cannot be read is no hindrance, unless it was asked for. */
static enum err read_fleet(struct context *context, const struct cli *c, struct why *why)
{
	char *path = NULL;
	const char *environment = getenv("PITWALL_CONFIG");
	bool is_asked_for = cli_value(c, "config") != NULL || (environment != NULL && environment[0] != '\0');
	enum err e = fleet_find(cli_value(c, "config"), &path, why);
	free(path);
	if (e == ERR_NOT_FOUND && !is_asked_for)
		return ERR_OK;
	if (e == ERR_OK)
		e = context_fleet(context, c, why);
	if (e == ERR_OK || is_asked_for || e == ERR_MEMORY)
		return e;
	doctor_say(false, "fleet file", "%s", why->text);
	return ERR_OK;
}

static void take_node(const struct fleet *f, struct doctor_machine *m)
{
	static const char *const transports[] = { [FLEET_TRANSPORT_AUTO] = "auto", [FLEET_TRANSPORT_LIBSSH2] = "libssh2",
		                                      [FLEET_TRANSPORT_OPENSSH] = "openssh" };
	const struct fleet_target *t = f != NULL ? find_node(f, m->typed) : NULL;
	char timeout[DURATION_TEXT];
	if (t == NULL) {
		if (f != NULL)
			doctor_say(true, "fleet file", "%s has no node '%s' that is asked over SSH", f->path, m->typed);
		return;
	}
	m->ssh = t->ssh;
	m->destination = t->is_local ? NULL : t->ssh_host;
	m->user = t->ssh->user[0] != '\0' ? t->ssh->user : NULL;
	m->port = t->ssh->port;
	m->timeout_ms = t->timeout_ms;
	doctor_say(true, "fleet file", "%s:%d: node '%s' of group '%s', transport %s, timeout %s", f->path, t->line, t->node, t->group,
	           transports[t->ssh->transport], format_duration(t->timeout_ms, timeout));
}

/* ---- all of it ---- */

static enum err examine(const struct fleet *f, struct doctor_machine *m, bool *is_good, struct why *why)
{
	struct walk w = { .is_good = false };
	take_node(f, m);
	enum err e = loop_new(&w.loop, why);
	if (e == ERR_OK && m->ssh != NULL)
		e = machine_settings_take(&w.settings, m->ssh, why);
	if (e == ERR_OK && m->destination != NULL)
		e = doctor_say_configuration(m, w.loop, why);
	if (e == ERR_OK) {
		printf("the way there\n");
		w.ssh = m->ssh;
		w.is_local = m->destination == NULL;
		e = walk_there(&w, m, why);
	}
	loop_free(w.loop);
	machine_settings_release(&w.settings);
	*is_good = w.is_good;
	return e;
}

int doctor_host(const struct cli *c)
{
	struct doctor_machine m = { .typed = c->arguments[0], .destination = c->arguments[0], .timeout_ms = TIMEOUT_MS,
		                        .config_file = cli_value(c, "ssh-config") };
	struct context context;
	struct why why = { "" };
	bool is_good = false;
	enum err e = context_init(&context, c, &why);
	printf("configuration\n");
	if (e == ERR_OK)
		e = read_fleet(&context, c, &why);
	if (e == ERR_OK)
		e = examine(context.fleet, &m, &is_good, &why);
	context_release(&context);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	printf(is_good ? "'%s' can be asked\n" : "'%s' cannot be asked\n", m.typed);
	return is_good ? EXIT_YES : EXIT_NO;
}
