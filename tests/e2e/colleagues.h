/* SPDX-License-Identifier: Apache-2.0
 *
 * A recorder and ten consoles on its store, each a program of its own on a pty, all at their lists of alerts: one asks for something, nine others
 * see it. */
#ifndef PITWALL_TESTS_COLLEAGUES_H
#define PITWALL_TESTS_COLLEAGUES_H

#include <stdint.h>
#include <sys/types.h>

enum { COLLEAGUES = 10 };

struct colleagues {
	pid_t       recorder;
	struct pty *consoles[COLLEAGUES];
};

/* Adds to a fleet file that names no rules: `alert` fires for ever, and nothing else does. `rules` is where its rule is written to. */
void colleagues_add_alert(const char *config, const char *rules, const char *alert);

/* All of these fail the test when they can't do what they say. Returns when each console shows the alert, and that nobody has it. */
void colleagues_start(struct colleagues *c, const char *config, const char *store, const char *alert);
void colleagues_leave(struct colleagues *c);

/* Console `who` takes the alert on, or gives it back. Returns when the last key is sent: at what time of the monotonic clock, us. */
int64_t colleagues_acknowledge(struct colleagues *c, int who, const char *comment);
int64_t colleagues_unacknowledge(struct colleagues *c, int who);
/* Reads them all until each has shown `text`: at what time, us (to a millisecond). */
void colleagues_see(struct colleagues *c, const char *text, int64_t seen_us[COLLEAGUES]);

#endif
