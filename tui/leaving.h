/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked before a console is left that carries deployments out. */
#ifndef PITWALL_TUI_LEAVING_H
#define PITWALL_TUI_LEAVING_H

#include "tui/screen.h"
#include "tui/view.h"

#include <stddef.h>

/* Called with the answer, before the console is left; `ctx` must outlive it. */
struct leaving_answers {
	void (*detach)(void *ctx);
	void (*interrupt)(void *ctx);
	void  *ctx;
};

/* A dialog: Enter detaches, i interrupts, Esc stays. So many runs are under way; the view tells which. NULL: out of memory. */
struct screen *leaving_new(const struct view *v, size_t n_acting, const struct leaving_answers *a);

#endif
