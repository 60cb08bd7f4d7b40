/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands, files and requests that go through a shell on a machine. */
#include "deploy/hands_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { PIECE = 128 * 1024, PUMP_MS = 10, SAID_WIDTH = 160 };

/* ---- machines ---- */

static bool is_same(const struct machine_link *m, const struct errand *e)
{
	if (e->is_local || m->destination == NULL)
		return e->is_local && m->destination == NULL;
	return strcmp(m->destination, e->destination) == 0 && strcmp(m->user, e->user) == 0 && m->port == e->port;
}

static void free_link(struct machine_link *m)
{
	free(m->destination);
	free(m->user);
	free(m);
}

static void on_link_closed(void *ctx)
{
	struct machine_link *m = ctx;
	struct hands *h = m->hands;
	free_link(m);
	hands_one_closed(h);
}

void machines_close_idle(struct hands *h, bool all)
{
	int64_t now_ms = loop_now_ms(h->o.loop);
	for (struct machine_link **at = &h->machines; *at != NULL;) {
		struct machine_link *m = *at;
		if (!all && (m->n_running + m->n_waiting > 0 || now_ms - m->idle_since_ms < MACHINE_IDLE_MS)) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		transport_close(m->transport, on_link_closed, m);
	}
}

static enum err open_link(struct errand *e, struct machine_link *m, struct why *why)
{
	if (e->is_local)
		return local_transport_new(e->hands->o.loop, &m->transport, why);
	m->destination = strdup(e->destination);
	m->user = strdup(e->user);
	m->port = e->port;
	if (m->destination == NULL || m->user == NULL)
		return why_memory(why);
	const struct ssh_machine_options o = { .destination = e->destination, .user = e->user[0] != '\0' ? e->user : NULL, .port = e->port };
	return ssh_transport_new(e->hands->ssh, &o, &m->transport, why);
}

static enum err find_link(struct errand *e, struct machine_link **out, struct why *why)
{
	struct hands *h = e->hands;
	struct machine_link *m = h->machines;
	while (m != NULL && !is_same(m, e))
		m = m->next;
	if (m == NULL) {
		m = calloc(1, sizeof *m);
		enum err err = m == NULL ? why_memory(why) : open_link(e, m, why);
		if (err != ERR_OK) {
			if (m != NULL)
				free_link(m);
			return err;
		}
		m->hands = h;
		m->next = h->machines;
		h->machines = m;
		h->n_open++;
	}
	*out = m;
	return ERR_OK;
}

/* The one that has waited longest: errands are listed newest first. */
static void give_place(struct machine_link *m)
{
	struct errand *oldest = NULL;
	for (struct errand *e = m->hands->errands; e != NULL; e = e->next)
		if (e->is_waiting && e->machine == m)
			oldest = e;
	if (oldest == NULL)
		return;
	oldest->is_waiting = false;
	m->n_waiting--;
	m->n_running++;
	loop_timer_start(oldest->soon, 0, 0);
}

static void leave(struct errand *e)
{
	struct machine_link *m = e->machine;
	e->machine = NULL;
	if (m == NULL)
		return;
	m->idle_since_ms = loop_now_ms(e->hands->o.loop);
	if (e->is_waiting) {
		m->n_waiting--;
		e->is_waiting = false;
		return;
	}
	m->n_running--;
	if (!e->hands->is_closing)
		give_place(m);
}

void shell_stop(struct errand *e)
{
	if (e->command != NULL)
		command_close(e->command);
	e->command = NULL;
	leave(e);
}

void shell_end(struct errand *e)
{
	shell_stop(e);
	if (e->out.data != NULL)
		explicit_bzero(e->out.data, e->out.cap);
	buf_release(&e->out);
	remote_reader_release(&e->reader);
}

/* ---- what goes there ---- */

static const char *where(const struct errand *e) { return e->is_local ? "this machine" : e->destination; }

/* What is not taken yet is tried again: there is no word for when there is room. */
static void pump(struct errand *e)
{
	while (e->out_at < e->out.len) {
		size_t n = e->out.len - e->out_at;
		n = n < PIECE ? n : PIECE;
		enum err err = command_write(e->command, e->out.data + e->out_at, n);
		if (err == ERR_LIMIT) {
			loop_timer_start(e->soon, PUMP_MS, 0);
			return;
		}
		if (err != ERR_OK) {
			errand_fail(e, ERR_NETWORK, "the shell takes no input");
			return;
		}
		e->out_at += n;
	}
}

/* Made as late as this so that the command's time is what is left. */
static void send_program(struct errand *e)
{
	struct why why = { "" };
	buf_init(&e->out, REMOTE_MAX);
	enum err err = remote_program(&e->ask, login_of(e), e->mark, errand_left_ms(e), &e->out, &why);
	if (err != ERR_OK) {
		errand_fail(e, err, why.text);
		return;
	}
	e->was_sent = true;
	pump(e);
}

/* ---- what comes back ---- */

static void tell(struct errand *e)
{
	struct remote_reader *r = &e->reader;
	struct why why = { "" };
	struct answer a = { .err = ERR_OK, .why = "", .was_sent = true, .status = r->status, .text = buf_text(&r->text), .n = r->text.len, .is_cut = r->is_cut };
	if (e->ask.kind == ASK_HTTP)
		remote_http_answer(&r->text, r->status, r->is_cut, &a, &why);
	errand_end(e, &a);
}

static void on_output(void *ctx, const char *bytes, size_t n)
{
	struct errand *e = ctx;
	struct why why;
	while (n > 0) {
		enum remote_state before = e->reader.state;
		size_t taken = 0;
		enum remote_state now = remote_feed(&e->reader, bytes, n, &taken);
		bytes += taken;
		n -= taken;
		if (now == REMOTE_ENDED) {
			tell(e);
			return;
		}
		if (now == REMOTE_BROKEN) {
			why_set(&why, ERR_FORMAT, "the shell of '%s' prints too much before it runs anything", where(e));
			errand_fail(e, ERR_FORMAT, why.text);
			return;
		}
		if (now == REMOTE_READY && before != REMOTE_READY) {
			send_program(e);
			return; /* there is nothing to be read before it runs; and the errand may be gone */
		}
	}
}

static enum err error_of(enum reach r)
{
	switch (r) {
	case REACH_TIMEOUT:
		return ERR_TIMEOUT;
	case REACH_CONFIG:
		return ERR_USAGE;
	case REACH_KEY_UNKNOWN:
	case REACH_KEY_CHANGED:
	case REACH_KEY_REVOKED:
	case REACH_AUTH:
	case REACH_PASSPHRASE:
		return ERR_DENIED;
	case REACH_OK:
	case REACH_DNS:
	case REACH_REFUSED:
	case REACH_UNREACHABLE:
	case REACH_JUMP:
	case REACH_PROTOCOL:
	case REACH_EXEC:
	case REACH_CLOSED:
	case REACH_HUNG:
	case REACH_TOO_LARGE:
	case REACH_FAILED:
	case REACH_COUNT:
		break;
	}
	return ERR_NETWORK;
}

/* Without the line that proves that it has: whatever the connection says, it is not known what became of it. */
static void on_ended(void *ctx, enum reach result, const char *text)
{
	struct errand *e = ctx;
	char sentence[640];
	struct buf said;
	e->command = NULL;
	buf_init(&said, sizeof sentence);
	text_cut(&said, e->reader.noise, strlen(e->reader.noise), SAID_WIDTH);
	if (result != REACH_OK)
		reach_sentence(result, text, sentence, sizeof sentence);
	else if (e->was_sent)
		snprintf(sentence, sizeof sentence, "'%s' ended the command without saying how it ended", where(e));
	else
		snprintf(sentence, sizeof sentence, "the account on '%s' runs no shell%s%s", where(e), said.len > 0 ? ": " : "", buf_text(&said));
	buf_release(&said);
	errand_fail(e, result != REACH_OK || e->was_sent ? error_of(result) : ERR_DENIED, sentence);
}

/* ---- the beginning ---- */

static enum err start(struct errand *e, struct why *why)
{
	static const struct command_events events = { on_output, on_ended };
	remote_mark(e->mark);
	remote_reader_init(&e->reader, e->mark, e->ask.kind == ASK_HTTP ? (size_t)ASK_ANSWER_MAX + REMOTE_HEADERS : ASK_OUTPUT_MAX);
	return transport_run(e->machine->transport, remote_command(), &events, e, &e->command, why);
}

void shell_on_soon(struct errand *e)
{
	struct why why = { "" };
	if (e->command != NULL) {
		pump(e);
		return;
	}
	enum err err = start(e, &why);
	if (err != ERR_OK)
		errand_fail(e, err, why.text);
}

/* An ask that can't be put into words is told at once. */
static enum err try_program(const struct errand *e, struct why *why)
{
	char mark[REMOTE_MARK];
	struct buf nowhere;
	buf_init(&nowhere, REMOTE_MAX);
	remote_mark(mark);
	enum err err = remote_program(&e->ask, login_of(e), mark, errand_left_ms(e), &nowhere, why);
	if (nowhere.data != NULL)
		explicit_bzero(nowhere.data, nowhere.cap);
	buf_release(&nowhere);
	return err;
}

enum err shell_begin(struct errand *e, struct why *why)
{
	enum err err = try_program(e, why);
	err = err == ERR_OK ? find_link(e, &e->machine, why) : err;
	if (err != ERR_OK)
		return err;
	if (e->machine->n_running >= MACHINE_COMMANDS) {
		e->is_waiting = true;
		e->machine->n_waiting++;
		return ERR_OK;
	}
	e->machine->n_running++;
	return start(e, why);
}
