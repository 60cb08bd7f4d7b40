/* SPDX-License-Identifier: Apache-2.0
 *
 * Services of systemd, for drivers that restart one: what is asked, and what the answers mean.
 *
 * A restart is asked for with --no-block and then followed by `systemctl show`: its exit status says nothing (a simple service whose program is
 * missing "starts" with 0), and a restart goes on in PID 1 whatever becomes of our connection. What proves a restart is a new InvocationID; what proves that it
 * was good is a main process that stays the same for a while.
 *
 * Sources: systemctl(1), systemd.exec(5) "Process exit codes", systemd.service(5), all of 252. */
#ifndef PITWALL_DEPLOY_SYSTEMD_H
#define PITWALL_DEPLOY_SYSTEMD_H

#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYSTEMD_NAME_MAX = 255, SYSTEMD_TEXT = 256 };

/* Step tags; a driver's own begin at 100. */
enum { TAG_SYSTEMD_VERB = 1, TAG_SYSTEMD_READY, TAG_SYSTEMD_DAEMON_RELOAD, TAG_SYSTEMD_LAST };

struct systemd_service {
	const char *name;      /* checked by systemd_service_of */
	bool        is_user;   /* of the account's own manager */
	bool        has_sudo;  /* `sudo -n` before what changes something */
	bool        reloads;   /* reload instead of restart */
	bool        daemon_reload;
	int64_t     stable_ms;
};

/* Option rows of any driver that restarts a service; `unit` is required or not as the driver says. */
#define SYSTEMD_OPTIONS(unit_is_required)                                                                                                             \
	{ "unit", OPTION_TEXT, unit_is_required, "", "", "The service; `{model}` and `{node}` stand for their names." },                              \
	{ "verb", OPTION_CHOICE, false, "restart|reload", "restart", "What is done to it. A reload cannot be proved, and is taken again after an interruption." }, \
	{ "user", OPTION_BOOL, false, "", "false", "It is a service of the account's own manager (`systemctl --user`), which must linger." },          \
	{ "sudo", OPTION_BOOL, false, "", "true", "`sudo -n` before what changes something; not with `user`. Turn it off for root, or where polkit allows it." }, \
	{ "daemon_reload", OPTION_BOOL, false, "", "false", "`systemctl daemon-reload` first, so that a unit file that was changed counts." },         \
	{ "stable", OPTION_DURATION, false, "", "5s", "How long the main process must live without a restart before the service counts as up." }

/* From those. ERR_FORMAT: a name that systemctl would silently make another of. */
enum err systemd_service_of(const struct settings *s, const struct unit *u, struct arena *a, struct systemd_service *out, struct why *why);
/* Of the text as it stands in the file, templates and all; for a driver's check. */
enum err systemd_check(const struct settings *s, struct why *why);
bool     systemd_is_name(const char *name);

/* What `show` tells. */
struct systemd_state {
	char    load[32], active[32], sub[32], result[32];
	char    invocation[40], status_text[128], fragment[SYSTEMD_TEXT];
	int64_t pid, restarts, code, status; /* -1: not told. code is of wait(2): 1 exited, 2 killed, 3 dumped */
	int64_t active_since_ms;             /* 0: not told */
	bool    has_job, needs_daemon_reload;
};
void systemd_show(struct arena *a, const struct systemd_service *s, struct ask *to);
/* False: not an answer of `show`. */
bool systemd_read(const char *text, size_t n, struct systemd_state *out);
/* "exited with status 203: its program is missing or cannot be run (EXEC)" */
void systemd_explain(const struct systemd_state *s, char *to, size_t size);
/* Warnings about a service as it is now; a grave one where it can't be restarted at all. */
void systemd_warn(struct look *l, const struct systemd_service *s, const struct systemd_state *now);

/* Appends: daemon-reload where it is wanted, the restart, and the wait until it is up. `invocation`: of the run of now, "" where none is known, as on
 * the way back, when whatever is there has a new one. ready_ms: how long it may take. */
void systemd_add(struct planning *p, struct steps *to, const struct systemd_service *s, const char *invocation, int64_t ready_ms);
/* True: the step is one of these, and the verdict is given. */
bool systemd_judge(const struct judging *j, struct verdict *v);

#endif
