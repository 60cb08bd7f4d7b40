/* SPDX-License-Identifier: Apache-2.0
 *
 * A session is what stands between a console and a store: it owns the view (which moment is shown, how time goes on, the chosen signal) and the
 * feed that fills it. Live, paused, a replay of a file: the same code with another way for T to move.
 *
 * Threads: the loop's. */
#ifndef PITWALL_TUI_SESSION_H
#define PITWALL_TUI_SESSION_H

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "store/reader.h"
#include "tui/console.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stdint.h>

struct request; /* alerts/request.h */
struct session;

struct session_options {
	struct loop        *loop;        /* lent, as all here */
	const struct clock *clock;
	const char         *store_path;  /* copied */
	const struct profiles *profiles; /* for the details of a node; nobody else may use them meanwhile; NULL: no details */
	bool                is_file;     /* a replay: nobody records it, and time is paused at its last moment */
	int64_t             at_ms;       /* where to begin, paused; 0: live, or a file's last moment */
	int64_t             first_ms, last_ms; /* of a file */
	double              speed;       /* of replay; 0: 1 */
	int                 glyphs;      /* enum glyph_mode to begin with */
	/* What else is to be said in the status bar: who records, what is wrong with that. Texts lent until the next call. May be NULL. */
	void (*status)(void *ctx, const char **recorder, const char **trouble);
	/* Changes the theme by name; ERR_NOT_FOUND and the like with a sentence. May be NULL. */
	enum err (*theme)(void *ctx, const char *name, struct why *why);
	/* A command that neither the console nor the session took; as console_host.command. May be NULL. */
	enum next (*command)(void *ctx, enum command c, const struct view *v, struct requests *out);
	/* Another log is wanted (n->node NULL: none). What of it is to be seen is lent until the next call, and changes in place. May be NULL. */
	const struct log_view *(*log)(void *ctx, const struct log_need *n, const struct view *v);
	/* A person's request: takes it over. May be NULL: then nothing can be asked for, and session_set_person is not called. */
	void (*ask)(void *ctx, struct request *r);
	/* What became of a request that session_await named: err ERR_OK, it was done; the text says what, or why not. May be NULL. */
	void (*outcome)(void *ctx, const char *id, enum err err, const char *text);
	int64_t unowned_after_ms; /* as in struct view */
	/* The view has changed: console_changed is to be called and the screen painted; or (is_new false) just the times moved on. */
	void (*changed)(void *ctx, bool is_new);
	void *ctx;
};

enum err session_new(const struct session_options *o, struct session **out, struct why *why);
void     session_close(struct session *s, void (*done)(void *ctx), void *ctx);

/* What the console is to be made with. */
struct console_host session_host(struct session *s);

/* Who sits here; texts are lent until it is called again, or the session is gone. */
void session_set_person(struct session *s, const struct view_person *p);
void session_await(struct session *s, const char *id);

const struct view *session_view(const struct session *s);

#endif
