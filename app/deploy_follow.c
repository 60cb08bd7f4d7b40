/* SPDX-License-Identifier: Apache-2.0 */
#include "app/deploy_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/deployments_print.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024, LOOK_MS = 50 };

/* A reader as of any time sees what the recorder wrote a moment ago, whatever the two clocks say. */
static const int64_t newest_ms = INT64_MAX / 2;

struct following {
	const struct asker *asker;
	int64_t             id;
	FILE               *out;
	struct journal_seen seen;
	struct buf          text;
	sigset_t            before;
	int                 signals; /* a signalfd */
};

/* ---- the signals that end it ---- */

static enum err take_signals(struct following *f, struct why *why)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	f->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->signals < 0)
		return why_errno(why, errno, "cannot wait for signals");
	if (sigprocmask(SIG_BLOCK, &set, &f->before) == 0)
		return ERR_OK;
	int error = errno;
	close(f->signals);
	return why_errno(why, error, "cannot wait for signals");
}

/* What came meanwhile is read first, so that it ends nothing else. */
static void give_back_signals(struct following *f)
{
	struct signalfd_siginfo info;
	while (read(f->signals, &info, sizeof info) == (ssize_t)sizeof info)
		;
	close(f->signals);
	(void)sigprocmask(SIG_SETMASK, &f->before, NULL);
}

/* True: enough. */
static bool wait_a_little(const struct following *f)
{
	struct pollfd p = { .fd = f->signals, .events = POLLIN };
	return poll(&p, 1, LOOK_MS) > 0;
}

/* ---- looking ---- */

static enum err look(struct following *f, enum deployment_state *state, struct why *why)
{
	struct arena a;
	struct deployment_at d;
	arena_init(&a);
	buf_clear(&f->text);
	enum err e = deployment_read(f->asker->reader, f->id, newest_ms, &a, &d, why);
	if (e == ERR_OK) { /* the state first: what is printed then is not behind it */
		*state = d.last.state;
		e = journal_print(f->asker->reader, f->id, newest_ms, &f->seen, &f->text, why);
	}
	if (e == ERR_OK && f->text.len > 0) {
		fputs(buf_text(&f->text), f->out);
		fflush(f->out);
	}
	arena_release(&a);
	return e;
}

static bool is_for_a_person(enum deployment_state s) { return s == DEPLOYMENT_STOPPED || s == DEPLOYMENT_INTERRUPTED; }

static enum err follow(struct following *f, enum follow_end *end, enum deployment_state *state, struct why *why)
{
	uint64_t seen = 0, revision = 0;
	for (bool is_first = true;; is_first = false) {
		enum err e = reader_revision(f->asker->reader, &revision, why);
		if (e == ERR_OK && (is_first || revision != seen))
			e = look(f, state, why);
		if (e != ERR_OK && e != ERR_LATER)
			return e;
		seen = e == ERR_OK ? revision : seen;
		if (e == ERR_OK && (deployment_is_over(*state) || is_for_a_person(*state))) {
			*end = deployment_is_over(*state) ? FOLLOW_OVER : FOLLOW_DECIDE;
			return ERR_OK;
		}
		if (!asker_is_recorded(f->asker)) {
			*end = FOLLOW_UNRECORDED;
			return ERR_OK;
		}
		if (wait_a_little(f)) {
			*end = FOLLOW_DETACHED;
			return ERR_OK;
		}
	}
}

enum err deploy_follow(const struct asker *a, int64_t id, FILE *out, enum follow_end *end, enum deployment_state *state, struct why *why)
{
	struct following f = { .asker = a, .id = id, .out = out };
	enum err e = take_signals(&f, why);
	if (e != ERR_OK)
		return e;
	buf_init(&f.text, OUTPUT_MAX);
	e = follow(&f, end, state, why);
	give_back_signals(&f);
	buf_release(&f.text);
	journal_seen_release(&f.seen);
	return e;
}
