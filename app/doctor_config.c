/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor HOST: what is configured. */
#include "app/doctor_host.h"

#include <string.h>
#include <unistd.h>

#include "base/diagnostics.h"
#include "base/text.h"
#include "collectors/known_hosts.h"
#include "collectors/ssh_agent.h"
#include "collectors/ssh_config.h"

enum { AGENT_MS = 5000, TYPES_MAX = 16, FILES_MAX = 16, PATH_MAX_BYTES = 4096 };

/* ---- the agent ---- */

struct look {
	struct loop *loop;
	const char  *path;
};

static void count_types(const struct ssh_agent_key *keys, size_t n, struct buf *to)
{
	const char *names[TYPES_MAX];
	size_t counts[TYPES_MAX], n_names = 0;
	for (size_t i = 0; i < n; i++) {
		struct key k;
		const char *name = key_read(keys[i].blob, keys[i].n, NULL, &k, NULL) == ERR_OK ? k.type : "of an unknown type";
		size_t at = 0;
		while (at < n_names && strcmp(names[at], name) != 0)
			at++;
		if (at == TYPES_MAX)
			continue;
		if (at == n_names) {
			names[n_names] = name;
			counts[n_names++] = 0;
		}
		counts[at]++;
	}
	for (size_t i = 0; i < n_names; i++)
		buf_printf(to, "%s%zu %s", i > 0 ? ", " : ": ", counts[i], names[i]);
}

static void on_keys(void *ctx, const struct ssh_agent_key *keys, size_t n)
{
	struct look *l = ctx;
	struct buf types;
	buf_init(&types, 4096);
	count_types(keys, n, &types);
	doctor_say(n > 0, "agent", "%s holds %zu key%s%s%s", l->path, n, n == 1 ? "" : "s", buf_text(&types),
	           n > 0 ? "" : "; add one with ssh-add");
	buf_release(&types);
	loop_stop(l->loop);
}

static void on_agent_failed(void *ctx, const char *text)
{
	struct look *l = ctx;
	doctor_say(false, "agent", "%s: %s", l->path, text);
	loop_stop(l->loop);
}

static void on_signature(void *ctx, const unsigned char *signature, size_t n)
{
	(void)ctx, (void)signature, (void)n;
}

static void on_late(void *ctx)
{
	struct look *l = ctx;
	doctor_say(false, "agent", "%s does not answer", l->path);
	loop_stop(l->loop);
}

static enum err say_agent(const char *path, struct loop *loop, struct why *why)
{
	static const struct ssh_agent_events events = { on_keys, on_signature, on_agent_failed };
	struct look l = { .loop = loop, .path = path };
	struct loop_timer *late = NULL;
	struct ssh_agent *agent = NULL;
	if (path == NULL) {
		doctor_say(true, "agent", "none");
		return ERR_OK;
	}
	enum err e = loop_timer_new(loop, on_late, &l, &late, why);
	if (e == ERR_OK)
		e = ssh_agent_new(loop, path, &events, &l, &agent, why);
	if (e == ERR_OK) {
		loop_timer_start(late, AGENT_MS, 0);
		loop_run(loop);
		ssh_agent_close(agent, NULL, NULL);
	}
	loop_timer_close(late);
	return e;
}

/* ---- files ---- */

/* The usual places may well be empty; a file that was named should be there. */
static void say_keys(const struct ssh_settings *s)
{
	size_t n_said = 0;
	for (size_t i = 0; i < s->identity_files.n; i++) {
		const char *path = s->identity_files.items[i], *what = n_said == 0 ? "keys" : "";
		bool is_there = access(path, F_OK) == 0, is_readable = access(path, R_OK) == 0;
		if (!is_there && s->are_identity_files_preset)
			continue;
		doctor_say(is_readable, what, "%s%s", path, !is_there ? " is not there" : is_readable ? "" : " cannot be read");
		n_said++;
	}
	if (n_said == 0)
		doctor_say(true, "keys", "none of the usual files is there");
}

struct files {
	const char *items[FILES_MAX];
	size_t      n;
};

static void add_files(struct files *f, const struct ssh_words *words)
{
	for (size_t i = 0; i < words->n && f->n < FILES_MAX; i++) {
		size_t at = 0;
		while (at < f->n && strcmp(f->items[at], words->items[i]) != 0)
			at++;
		if (at == f->n)
			f->items[f->n++] = words->items[i];
	}
}

static void say_known_hosts(const struct files *f)
{
	struct known_hosts_notes notes;
	struct why why = { "" };
	for (size_t i = 0; i < f->n; i++)
		doctor_say(true, i == 0 ? "known_hosts" : "", "%s%s", f->items[i], access(f->items[i], F_OK) == 0 ? "" : " (not there)");
	if (known_hosts_lint(f->items, f->n, &notes, &why) != ERR_OK) {
		doctor_say(false, "known_hosts", "%s", why.text);
		return;
	}
	for (size_t i = 0; i < notes.n && i < KNOWN_NOTES_MAX; i++) {
		const struct known_hosts_note *note = &notes.first[i];
		if (note->place.line > 0)
			doctor_say(false, "known_hosts", "%s:%zu: %s", note->place.file, note->place.line, note->what);
		else
			doctor_say(false, "known_hosts", "%s: %s", note->place.file, note->what);
	}
	if (notes.n > KNOWN_NOTES_MAX)
		doctor_say(false, "known_hosts", "%zu more lines like these", notes.n - KNOWN_NOTES_MAX);
}

/* ---- ssh_config ---- */

static void say_way(const struct ssh_settings *s)
{
	doctor_say(true, "machine", "%s@%s port %d", s->user, s->host_name, s->port);
	for (size_t i = 0; i < s->n_jumps; i++)
		doctor_say(true, i == 0 ? "by way of" : "", "%s", s->jumps[i].host);
	if (s->host_key_alias != NULL)
		doctor_say(true, "host key of", "%s", s->host_key_alias);
	for (size_t i = 0; i < s->n_unhonoured; i++) {
		const struct ssh_unhonoured *u = &s->unhonoured[i];
		doctor_say(true, i == 0 ? "not honoured" : "", "%s %s (%s:%d): %s%s", u->keyword, u->value, u->file, u->line, u->why,
		           u->honour == SSH_FALLS_BACK_TO_OPENSSH ? "; the OpenSSH client takes over" : "");
	}
}

/* The files of those on the way are read too. What is wrong with their configuration is told by the step that meets it. */
static void say_files(const struct ssh_settings *s, const struct ssh_machine *machine, const char *config_file)
{
	struct files files = { .n = 0 };
	struct ssh_settings jumps[FILES_MAX];
	size_t n = 0;
	add_files(&files, &s->user_known_hosts);
	add_files(&files, &s->global_known_hosts);
	for (size_t i = 0; i < s->n_jumps && n < FILES_MAX; i++) {
		const struct ssh_hop *hop = &s->jumps[i];
		const struct ssh_question q = { .destination = hop->host, .user = hop->user, .port = hop->port, .file = config_file };
		if (ssh_config_resolve(&q, machine, &jumps[n], NULL, NULL) != ERR_OK)
			continue;
		add_files(&files, &jumps[n].user_known_hosts);
		add_files(&files, &jumps[n].global_known_hosts);
		n++;
	}
	say_known_hosts(&files);
	while (n > 0)
		ssh_settings_release(&jumps[--n]);
}

enum err doctor_say_configuration(const struct doctor_machine *m, struct loop *loop, struct why *why)
{
	const struct ssh_question q = { .destination = m->destination, .user = m->user, .port = m->port, .file = m->config_file };
	struct ssh_local local;
	struct ssh_settings settings;
	struct diagnostics d;
	enum err e = ssh_local_init(&local, why);
	if (e != ERR_OK)
		return e;
	diagnostics_init(&d);
	e = ssh_config_resolve(&q, &local.machine, &settings, &d, why);
	for (size_t i = 0; i < d.n; i++)
		doctor_say(false, "ssh_config", "%s:%d: %s", d.items[i].file, d.items[i].line, d.items[i].text);
	if (e == ERR_OK) {
		say_way(&settings);
		e = say_agent(settings.identity_agent, loop, why);
		say_keys(&settings);
		say_files(&settings, &local.machine, m->config_file);
		ssh_settings_release(&settings);
	}
	diagnostics_release(&d);
	ssh_local_release(&local);
	return e;
}
