/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collectors/gather.h"
#include "collectors/log_program.h"

enum { BACK_OFF_MS = 1000, BACK_OFF_MOST = 60, TIMEOUT_MS = 45 * 1000, LIST_MS = 30 * 1000, NOISE_MAX = 64 * 1024, RATE_TURNS = 20 };

/* Times are the clock's monotonic ones. */
struct log_follow {
	struct log_follow_options o;
	struct log_list           wished, list; /* wished: what the fleet file names, and nothing else */
	struct log_list          *coming;       /* a list that is being made while the one before is shown */
	struct log_ring          *ring;
	struct command           *command;      /* NULL: none runs */
	enum log_state            state;
	char                      key[LOG_KEY_MAX]; /* "": the listing */
	char                      mark[64];
	struct buf                noise;        /* what came before the mark */
	bool                      has_begun;
	struct loop_timer        *turn, *later; /* later: the deadline of what was begun, or the next attempt */
	int64_t                   retry_at_ms;
	int                       n_failures;
	enum reach                reach;
	char                      text[512];
	bool                      is_dirty;
	uint64_t                  came[RATE_TURNS]; /* at the last turns, newest at n_turns % RATE_TURNS */
	uint64_t                  n_turns;
};

static void begin(struct log_follow *f);

static void say_changed(struct log_follow *f)
{
	f->is_dirty = true;
	if (!loop_timer_is_active(f->turn))
		loop_timer_start(f->turn, 0, LOG_FOLLOW_TURN_MS);
}

/* ---- how it ends ---- */

static void stop(struct log_follow *f)
{
	if (f->command != NULL)
		command_close(f->command);
	f->command = NULL;
	loop_timer_stop(f->later);
}

static bool may_mend(enum reach r)
{
	switch (r) {
	case REACH_OK: case REACH_CONFIG: case REACH_KEY_UNKNOWN: case REACH_KEY_CHANGED: case REACH_KEY_REVOKED: case REACH_AUTH:
	case REACH_PASSPHRASE: case REACH_EXEC: case REACH_COUNT:
		return false;
	case REACH_DNS: case REACH_REFUSED: case REACH_UNREACHABLE: case REACH_TIMEOUT: case REACH_JUMP: case REACH_PROTOCOL: case REACH_CLOSED:
	case REACH_HUNG: case REACH_TOO_LARGE: case REACH_FAILED:
		break;
	}
	return true;
}

static int64_t back_off_ms(const struct log_follow *f)
{
	int64_t base = f->o.back_off_ms > 0 ? f->o.back_off_ms : BACK_OFF_MS, wait = base;
	for (int i = 1; i < f->n_failures && wait < base * BACK_OFF_MOST; i++)
		wait *= 2;
	return wait < base * BACK_OFF_MOST ? wait : base * BACK_OFF_MOST;
}

static void fail(struct log_follow *f, enum reach reach, const char *text)
{
	bool was_following = f->state == LOG_FOLLOWING;
	stop(f);
	f->reach = reach;
	snprintf(f->text, sizeof f->text, "%s", text);
	f->state = may_mend(reach) ? LOG_WAITING : LOG_ENDED;
	if (was_following) {
		log_ring_end(f->ring);
		log_ring_note(f->ring, reach == REACH_OK ? "the command ended there" : "the connection ended");
	}
	if (f->state == LOG_WAITING) {
		f->n_failures++;
		f->retry_at_ms = clock_mono_ms(f->o.clock) + back_off_ms(f);
		loop_timer_start(f->later, back_off_ms(f), 0);
	}
	say_changed(f);
}

/* The list is over, or as much of it as came in time. */
static void end_list(struct log_follow *f)
{
	stop(f);
	f->state = LOG_LISTED;
	f->n_failures = 0;
	if (f->coming != NULL) {
		log_list_release(&f->list);
		f->list = *f->coming;
		free(f->coming);
		f->coming = NULL;
	}
	say_changed(f);
}

static void on_later(void *ctx)
{
	struct log_follow *f = ctx;
	char text[64];
	if (f->state == LOG_WAITING) {
		begin(f);
	} else if (f->state == LOG_LISTING) {
		end_list(f);
	} else if (f->state == LOG_CONNECTING) {
		int64_t ms = f->o.timeout_ms > 0 ? f->o.timeout_ms : TIMEOUT_MS;
		snprintf(text, sizeof text, "no answer within %.1f s", (double)ms / 1000);
		fail(f, REACH_HUNG, text);
	}
}

static void on_ended(void *ctx, enum reach reach, const char *text)
{
	struct log_follow *f = ctx;
	struct buf said;
	f->command = NULL;
	buf_init(&said, sizeof f->text);
	if (f->state == LOG_LISTING && reach == REACH_OK) {
		end_list(f);
	} else if (reach == REACH_OK && !f->has_begun) {
		const char *noise = buf_text(&f->noise);
		while (*noise == '\n' || *noise == '\r')
			noise++;
		buf_puts(&said, "the shell ended: ");
		text_cut(&said, noise, strcspn(noise, "\r\n"), 200);
		fail(f, REACH_EXEC, *noise != '\0' ? buf_text(&said) : "the shell ended without a word");
	} else {
		fail(f, reach, reach == REACH_OK ? "the command ended there; its last words are above" : text);
	}
	buf_release(&said);
}

/* ---- what comes ---- */

static void take(struct log_follow *f, const char *bytes, size_t n)
{
	if (f->state == LOG_FOLLOWING)
		log_ring_feed(f->ring, bytes, n);
	else if (log_list_feed(f->coming != NULL ? f->coming : &f->list, bytes, n) != ERR_OK)
		fail(f, REACH_FAILED, "out of memory");
	f->is_dirty = true;
}

/* What the shell says before our mark is for nobody but the one who asks why there is none. */
static void seek_mark(struct log_follow *f, const char *bytes, size_t n)
{
	size_t before = f->noise.len, room = NOISE_MAX - before;
	buf_put(&f->noise, bytes, n < room ? n : room);
	for (size_t i = before; i < f->noise.len; i++)
		f->noise.data[i] = f->noise.data[i] != '\0' ? f->noise.data[i] : ' ';
	const char *mark = f->noise.len > 0 ? strstr(buf_text(&f->noise), f->mark) : NULL;
	if (mark == NULL) {
		if (f->noise.err != ERR_OK || f->noise.len == NOISE_MAX)
			fail(f, REACH_EXEC, "what answers there is no shell: it talks and talks");
		return;
	}
	size_t used = (size_t)(mark - f->noise.data) + strlen(f->mark) - before;
	f->has_begun = true;
	f->state = f->key[0] != '\0' ? LOG_FOLLOWING : LOG_LISTING;
	loop_timer_stop(f->later);
	if (f->state == LOG_LISTING)
		loop_timer_start(f->later, LIST_MS, 0);
	else
		f->n_failures = 0;
	buf_clear(&f->noise);
	say_changed(f);
	if (used < n)
		take(f, bytes + used, n - used);
}

static void on_output(void *ctx, const char *bytes, size_t n)
{
	struct log_follow *f = ctx;
	if (f->has_begun)
		take(f, bytes, n);
	else
		seek_mark(f, bytes, n);
}

static const struct command_events events = { on_output, on_ended };

/* ---- how it begins ---- */

static enum err run(struct log_follow *f, const struct buf *program, struct why *why)
{
	enum err e = transport_run(f->o.transport, gather_command(), &events, f, &f->command, why);
	if (e != ERR_OK)
		return e;
	if (command_write(f->command, buf_text(program), program->len) != ERR_OK)
		return why_set(why, ERR_IO, "the shell takes no input");
	return ERR_OK;
}

static enum err write_program(struct log_follow *f, struct buf *to, struct why *why)
{
	char nonce[LOG_NONCE_TEXT];
	enum err e = log_nonce(nonce, why);
	if (e != ERR_OK)
		return e;
	snprintf(f->mark, sizeof f->mark, "\n@@pitwall %s begins\n", nonce);
	if (f->key[0] == '\0')
		return log_program_list(&f->wished, nonce, to, why);
	const struct log_choice *c = log_list_find(&f->list, f->key);
	return c != NULL ? log_program_follow(c, LOG_FOLLOW_TAIL, nonce, to, why) : why_set(why, ERR_NOT_FOUND, "there is no such log any more");
}

/* A list that was shown stays until the new one is whole. */
static enum err renew_list(struct log_follow *f)
{
	if (f->key[0] != '\0' || f->list.n <= f->wished.n)
		return ERR_OK;
	if (f->coming != NULL)
		log_list_release(f->coming);
	else
		f->coming = malloc(sizeof *f->coming);
	enum err e = f->coming != NULL ? log_list_init(f->coming, &f->o.wishes) : ERR_MEMORY;
	if (e != ERR_OK) {
		free(f->coming);
		f->coming = NULL;
	}
	return e;
}

static void begin(struct log_follow *f)
{
	struct buf program;
	struct why why = { "out of memory" };
	stop(f);
	buf_init(&program, LOG_PROGRAM_MAX);
	f->state = LOG_CONNECTING;
	f->has_begun = false;
	f->text[0] = '\0';
	f->reach = REACH_OK;
	buf_clear(&f->noise);
	enum err e = renew_list(f);
	if (e == ERR_OK)
		e = write_program(f, &program, &why);
	if (e == ERR_OK)
		e = run(f, &program, &why);
	buf_release(&program);
	if (e != ERR_OK)
		fail(f, REACH_FAILED, why.text);
	else
		loop_timer_start(f->later, f->o.timeout_ms > 0 ? f->o.timeout_ms : TIMEOUT_MS, 0);
	say_changed(f);
}

enum err log_follow_choose(struct log_follow *f, const char *key, struct why *why)
{
	if (log_list_find(&f->list, key) == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no log '%s' there", key);
	if (f->ring == NULL && log_ring_new(&f->ring) != ERR_OK)
		return why_memory(why);
	log_ring_clear(f->ring);
	log_ring_allow(f->ring, LOG_FOLLOW_LINES, LOG_FOLLOW_BYTES);
	memset(f->came, 0, sizeof f->came);
	f->n_turns = 0;
	f->n_failures = 0;
	snprintf(f->key, sizeof f->key, "%s", key);
	begin(f);
	return ERR_OK;
}

void log_follow_leave(struct log_follow *f)
{
	f->key[0] = '\0';
	f->n_failures = 0;
	begin(f);
}

void log_follow_again(struct log_follow *f)
{
	f->n_failures = 0;
	if (f->ring != NULL && f->key[0] != '\0')
		log_ring_note(f->ring, "begun again: lines may stand here twice");
	begin(f);
}

/* ---- turns ---- */

static double rate(const struct log_follow *f)
{
	uint64_t turns = f->n_turns < RATE_TURNS ? f->n_turns : RATE_TURNS;
	if (turns < 2)
		return 0;
	uint64_t newest = f->came[(f->n_turns - 1) % RATE_TURNS], oldest = f->came[(f->n_turns - turns) % RATE_TURNS];
	return (double)(newest - oldest) * 1000 / ((double)(turns - 1) * LOG_FOLLOW_TURN_MS);
}

static void on_turn(void *ctx)
{
	struct log_follow *f = ctx;
	double before = rate(f);
	if (f->ring != NULL) {
		log_ring_allow(f->ring, LOG_FOLLOW_LINES, LOG_FOLLOW_BYTES);
		f->came[f->n_turns++ % RATE_TURNS] = log_ring_came(f->ring);
	}
	bool is_new = f->is_dirty || rate(f) < before || rate(f) > before;
	f->is_dirty = false;
	if (f->command == NULL && f->state != LOG_WAITING && !is_new)
		loop_timer_stop(f->turn);
	if (is_new)
		f->o.changed(f->o.ctx);
}

struct log_status log_follow_status(const struct log_follow *f)
{
	int64_t left = f->retry_at_ms - clock_mono_ms(f->o.clock);
	return (struct log_status){ .state = f->state, .is_list = f->key[0] == '\0', .key = f->key, .reach = f->reach, .text = f->text,
		                    .retry_ms = f->state == LOG_WAITING && left > 0 ? left : 0, .rate = rate(f), .list = &f->list, .ring = f->ring };
}

/* ---- life ---- */

enum err log_follow_new(const struct log_follow_options *o, struct log_follow **out, struct why *why)
{
	struct log_follow *f = calloc(1, sizeof *f);
	if (f == NULL)
		return why_memory(why);
	f->o = *o;
	buf_init(&f->noise, NOISE_MAX);
	enum err e = log_list_init(&f->wished, &o->wishes);
	if (e == ERR_OK)
		e = log_list_init(&f->list, &o->wishes);
	if (e != ERR_OK)
		why_memory(why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_turn, f, &f->turn, why);
	if (e == ERR_OK)
		e = loop_timer_new(o->loop, on_later, f, &f->later, why);
	if (e != ERR_OK) {
		log_follow_free(f);
		return e;
	}
	begin(f);
	*out = f;
	return ERR_OK;
}

void log_follow_free(struct log_follow *f)
{
	if (f == NULL)
		return;
	if (f->command != NULL)
		command_close(f->command);
	loop_timer_close(f->turn);
	loop_timer_close(f->later);
	log_list_release(&f->wished);
	log_list_release(&f->list);
	if (f->coming != NULL)
		log_list_release(f->coming);
	free(f->coming);
	log_ring_free(f->ring);
	buf_release(&f->noise);
	free(f);
}
