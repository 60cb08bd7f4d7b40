/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside tui/access.h. */
#ifndef PITWALL_TUI_ACCESS_PRIVATE_H
#define PITWALL_TUI_ACCESS_PRIVATE_H

#include "base/arena.h"
#include "collectors/ssh_control.h"
#include "collectors/ssh_scan.h"
#include "tui/access.h"

#include <stddef.h>

enum { SSH_WORDS_MAX = 40, MASTERS_MAX = 64 };

struct access {
	struct access_options o;
	struct arena          arena; /* of `way` */
	struct way            way;   /* one found in the store, until the next command */
	char                  said[512];
	struct ssh_scan      *scan;       /* under way; NULL: none */
	struct ssh_scan_result *key;      /* the last that was seen, which a dialog may be about; NULL: none yet */
	bool                  recorder_is_other;
	bool                  is_planning;
	char                  masters[MASTERS_MAX][CONTROL_PATH]; /* sockets of those that were made here */
	size_t                n_masters;
	bool                  is_closing;
	size_t                n_parts;    /* that have not reported their end */
	void                (*closed)(void *ctx);
	void                 *closed_ctx;
};

void      access_part_gone(struct access *a);
/* A message later on; made safe. Nothing once the console ends. */
void      access_show(struct access *a, enum role role, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum next access_login(struct access *a, const struct way *w, const struct view *v, struct requests *out);
void      access_end_logins(struct access *a);
enum next access_trust(struct access *a, const struct way *w, const struct view *v, struct requests *out);

/* Puts the words that lead there behind the `n` that argv has, and NULL behind them; returns how many there are now. */
struct ssh_words_room {
	char port[16];
};
size_t access_words(const struct access *a, const struct way *w, struct ssh_words_room *room, const char **argv, size_t n);
/* Asks for the terminal. `host` "": none is to be walked to. */
enum next access_lend(struct access *a, struct requests *out, const char *const *argv, const char *name, const char *host);
enum next access_say(struct access *a, struct requests *out, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
