/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/loop_turn.h"

#include <uv.h>

#include "base/clock.h"

enum { DEADLINE_MS = 60 * 1000 };

static void on_tick(uv_timer_t *timer) { (void)timer; }
static void on_gone(uv_handle_t *handle) { *(bool *)handle->data = true; }

void loop_turn_until(struct loop *loop, bool (*is_done)(const void *what), const void *what, const char *label)
{
	uv_loop_t *uv = loop_uv(loop);
	uv_timer_t tick;
	bool is_gone = false;
	int64_t until = clock_mono_ms(clock_system()) + DEADLINE_MS;
	uv_timer_init(uv, &tick);
	uv_timer_start(&tick, on_tick, 20, 20);
	while (!is_done(what) && clock_mono_ms(clock_system()) < until)
		uv_run(uv, UV_RUN_ONCE);
	bool was_done = is_done(what);
	tick.data = &is_gone;
	uv_close((uv_handle_t *)&tick, on_gone);
	while (!is_gone)
		uv_run(uv, UV_RUN_ONCE);
	if (!was_done)
		fail_msg("%s: not within %d s", label, DEADLINE_MS / 1000);
}

void loop_turn_once(struct loop *loop)
{
	uv_loop_t *uv = loop_uv(loop);
	uv_timer_t tick;
	bool is_gone = false;
	uv_timer_init(uv, &tick);
	uv_timer_start(&tick, on_tick, 20, 0);
	uv_run(uv, UV_RUN_ONCE);
	tick.data = &is_gone;
	uv_close((uv_handle_t *)&tick, on_gone);
	while (!is_gone)
		uv_run(uv, UV_RUN_NOWAIT);
}
