/* SPDX-License-Identifier: Apache-2.0
 *
 * A console of 80x24 on a sample with deployments, keys pressed by hand, for tests of what it asks for. */
#ifndef PITWALL_TESTS_UNIT_TUI_DEPLOYS_STAGE_H
#define PITWALL_TESTS_UNIT_TUI_DEPLOYS_STAGE_H

#include "base/clock.h"
#include "tests/unit/tui/sample_deploys.h"
#include "tui/console.h"

struct stage {
	struct sample         *sample;
	struct view           *view;
	struct sample_deploys *deploys;
	struct console        *console;
	struct canvas         *canvas;
	struct test_clock      clock;
	struct keymap          keys;
	struct request        *ask; /* the last */
	int                    n_asks;
};

void        stage_open(struct stage *s, struct screen *first, enum scene scene);
void        stage_close(struct stage *s);
void        stage_paint(struct stage *s);
/* A frame goes out; then all the time that is wanted passes: how many ms. */
int         stage_settle(struct stage *s, bool was_quiet);
void        stage_press(struct stage *s, uint32_t code);
void        stage_type(struct stage *s, const char *text);
const char *stage_top(const struct stage *s); /* the name of the screen that has the keys */

#endif
