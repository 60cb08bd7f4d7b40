/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said to a shell on a machine to have one command run, one file put or one request made, and what it says back. Text alone: deploy/hands.c has the
 * connection.
 *
 * The command line is a constant that csh, fish and sh read alike; it says that it is ready, then reads the program from its standard input, whole or not at all,
 * and behind it what the command is to read. So until the program was written nothing has happened, and nothing of it shows in a list of processes but the
 * command itself. On the way back:
 *
 *     @@pitwall ready
 *     @@pitwall MARK begin          MARK is 128 random bits, another each time
 *     ...                           what the command says
 *     @@pitwall MARK end STATUS     only this proves that it has ended
 *
 * Threads: any; nothing blocks. */
#ifndef PITWALL_DEPLOY_REMOTE_H
#define PITWALL_DEPLOY_REMOTE_H

#include "base/buf.h"
#include "base/err.h"
#include "deploy/ask.h"
#include "deploy/login.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REMOTE_MARK    = 33,               /* bytes of a mark with its NUL */
	REMOTE_MAX     = 8 * 1024 * 1024,  /* of what is written to the shell in all */
	REMOTE_NOISE   = 64 * 1024,        /* that may come before `ready` */
	REMOTE_LINE    = 128,              /* of a line, what is looked at */
	REMOTE_HEADERS = 64 * 1024,        /* of an answer's headers */
};

/* The line to be run by the account's shell. */
const char *remote_command(void);

void remote_mark(char to[REMOTE_MARK]);

/* What is to be written once it is ready. timeout_ms: after it, and a second, the command is ended where there is a timeout(1). `login` is looked at for ASK_HTTP alone, and
 * its secret is in what is written. ERR_USAGE, ERR_LIMIT, ERR_UNSUPPORTED: why says what can't be asked. */
enum err remote_program(const struct ask *a, const struct login *login, const char *mark, int64_t timeout_ms, struct buf *to, struct why *why);

/* ---- what comes back ---- */

enum remote_state { REMOTE_WAITS, REMOTE_READY, REMOTE_BEGUN, REMOTE_ENDED, REMOTE_BROKEN /* too much noise */ };
struct remote_reader {
	enum remote_state state;
	char              mark[REMOTE_MARK];
	char              line[REMOTE_LINE];
	size_t            n_line;      /* of the line, more than there is room for too */
	struct buf        text;        /* what the command said */
	size_t            line_at;     /* where in it the line began */
	size_t            n_noise;
	char              noise[REMOTE_LINE]; /* the first line that is not empty and came before `ready` */
	bool              is_cut;
	int               status;
};
void remote_reader_init(struct remote_reader *r, const char *mark, size_t text_max);
void remote_reader_release(struct remote_reader *r); /* wipes */
/* Any pieces. Returns early at each change of state: `taken` says how much was read; call again for the rest. */
enum remote_state remote_feed(struct remote_reader *r, const char *bytes, size_t n, size_t *taken);

/* Of an ASK_HTTP that has ended: what was answered, into `out`, whose body is in `text` (which changes). Texts live as long as `text` and `why`. */
void remote_http_answer(struct buf *text, int status, bool is_cut, struct answer *out, struct why *why);

#endif
