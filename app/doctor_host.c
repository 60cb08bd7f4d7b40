/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor_host.h"

#include <stdarg.h>
#include <stdio.h>

#include "app/cli.h"
#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/loop.h"
#include "base/text.h"
#include "collectors/machine.h"
#include "collectors/ssh_config.h"

enum { TIMEOUT_MS = 20 * 1000, DAY_MS = 24 * 3600 * 1000 };

struct walk {
	struct loop              *loop;
	struct machine_collector *c;
	bool                      is_good;
};

static void say(bool is_good, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(bool is_good, const char *what, const char *format, ...)
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

/* ---- what is configured ---- */

static void say_settings(const struct ssh_settings *s)
{
	say(true, "machine", "%s@%s port %d", s->user, s->host_name, s->port);
	for (size_t i = 0; i < s->n_jumps; i++)
		say(true, i == 0 ? "by way of" : "", "%s", s->jumps[i].host);
	if (s->host_key_alias != NULL)
		say(true, "host key of", "%s", s->host_key_alias);
	say(true, "agent", "%s", s->identity_agent != NULL ? s->identity_agent : "none");
	for (size_t i = 0; i < s->identity_files.n; i++)
		say(true, i == 0 ? "keys" : "", "%s", s->identity_files.items[i]);
	for (size_t i = 0; i < s->n_unhonoured; i++) {
		const struct ssh_unhonoured *u = &s->unhonoured[i];
		say(true, i == 0 ? "not honoured" : "", "%s %s (%s:%d): %s%s", u->keyword, u->value, u->file, u->line, u->why,
		    u->honour == SSH_FALLS_BACK_TO_OPENSSH ? "; the OpenSSH client takes over" : "");
	}
}

static enum err say_configuration(const char *destination, const char *config_file, struct why *why)
{
	const struct ssh_question q = { .destination = destination, .file = config_file };
	struct ssh_local local;
	struct ssh_settings settings;
	struct diagnostics d;
	enum err e = ssh_local_init(&local, why);
	if (e != ERR_OK)
		return e;
	diagnostics_init(&d);
	e = ssh_config_resolve(&q, &local.machine, &settings, &d, why);
	for (size_t i = 0; i < d.n; i++)
		say(false, "ssh_config", "%s:%d: %s", d.items[i].file, d.items[i].line, d.items[i].text);
	if (e == ERR_OK) {
		say_settings(&settings);
		ssh_settings_release(&settings);
	}
	diagnostics_release(&d);
	ssh_local_release(&local);
	return e;
}

/* ---- the way there ---- */

static void on_progress(void *ctx, const struct ssh_progress *p)
{
	static const char *const names[SSH_STEP_COUNT] = { [SSH_STEP_CONFIG] = "configuration", [SSH_STEP_NAME] = "name",
		                                               [SSH_STEP_CONNECT] = "connection",   [SSH_STEP_HANDSHAKE] = "key exchange",
		                                               [SSH_STEP_HOST_KEY] = "host key",    [SSH_STEP_LOGIN] = "login",
		                                               [SSH_STEP_FALLBACK] = "OpenSSH" };
	(void)ctx;
	if (p->result == REACH_OK)
		say(true, names[p->step], "%s%s%s", p->host, p->text[0] != '\0' ? ": " : "", p->text);
	else
		say(false, names[p->step], "%s", p->text);
}

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
		say(s.state != GATHER_SOURCE_FAILED, s.name, "%s%s%s", state_words(&s), s.reason[0] != '\0' ? ": " : "", s.reason);
	}
}

static void on_closed(void *ctx)
{
	struct walk *w = ctx;
	loop_stop(w->loop);
}

static void on_scrape(void *ctx, const struct machine_scrape *s)
{
	struct walk *w = ctx;
	w->is_good = s->result == REACH_OK;
	if (w->is_good) {
		say(true, "answer", "%zu samples in %.2f s, %zu bytes", s->scrape->samples, s->seconds, s->body_bytes);
		say_sources(s->gather);
	} else {
		say(false, reach_words(s->result), "%s", s->text);
		if (reach_advice(s->result)[0] != '\0')
			say(true, "what to do", "%s", reach_advice(s->result));
	}
	machine_collector_close(w->c, on_closed, w);
}

static enum err walk_there(struct walk *w, const char *destination, const char *config_file, struct why *why)
{
	const struct machine_collector_options options = { .loop = w->loop, .clock = clock_system(), .ssh_config = config_file,
		                                               .progress = on_progress, .progress_ctx = w };
	const struct machine_options machine = { .name = destination, .destination = destination, .interval_ms = DAY_MS, .timeout_ms = TIMEOUT_MS,
		                                     .done = on_scrape, .ctx = w };
	struct machine *m = NULL;
	enum err e = machine_collector_new(&options, &w->c, why);
	if (e != ERR_OK)
		return e;
	e = machine_add(w->c, &machine, true, &m, why);
	if (e != ERR_OK)
		machine_collector_close(w->c, on_closed, w);
	loop_run(w->loop);
	return e;
}

int doctor_host(const char *destination, const char *config_file)
{
	struct walk w = { .is_good = false };
	struct why why = { "" };
	printf("configuration\n");
	enum err e = say_configuration(destination, config_file, &why);
	if (e == ERR_OK)
		e = loop_new(&w.loop, &why);
	if (e == ERR_OK) {
		printf("the way there\n");
		e = walk_there(&w, destination, config_file, &why);
		loop_free(w.loop);
	}
	if (e != ERR_OK)
		return cli_fail(e, &why);
	printf(w.is_good ? "'%s' can be asked\n" : "'%s' cannot be asked\n", destination);
	return w.is_good ? EXIT_YES : EXIT_NO;
}
