/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/http_bench.h"

void bench_on_scrape(void *ctx, const struct http_scrape *s)
{
	struct seen *seen = ctx;
	seen->n++;
	seen->n_ok += s->result == FETCH_OK;
	seen->result = s->result;
	seen->status = s->status;
	seen->line = s->line;
	seen->skipped = s->skipped;
	seen->last_wall_ms = s->wall_ms;
	seen->expires_ms = s->certificate_expires_ms;
	snprintf(seen->text, sizeof seen->text, "%s", s->text);
	if (seen->remove_at_once)
		http_target_remove(s->target);
	if (s->scrape != NULL) {
		seen->series = s->scrape->n;
		seen->predicted += s->scrape->was_predicted;
		assert_true(labels_count(exposition_layout_series(s->scrape->layout)[0]) > 0);
	}
}

int bench_set_up_with(void **state, int64_t connect_timeout_ms)
{
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->server = raw_server_start();
	struct why          why;
	struct http_options o = { .loop = &b->loop, .clock = clock_system(), .version = "test",
		                    .connect_timeout_ms = connect_timeout_ms };
	if (http_collector_new(&o, &b->c, &why) != ERR_OK)
		fail_msg("%s", why.text);
	*state = b;
	return 0;
}

int bench_set_up(void **state) { return bench_set_up_with(state, 0); }

void bench_on_closed(void *ctx) { ((struct bench *)ctx)->is_closed = true; }

int bench_tear_down(void **state)
{
	struct bench *b = *state;
	if (b->c != NULL)
		http_collector_close(b->c, bench_on_closed, b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(b->is_closed);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	raw_server_stop(b->server);
	free(b);
	return 0;
}

static void on_deadline(uv_timer_t *t) { *(bool *)t->data = true; }
static void on_timer_closed(uv_handle_t *h) { *(bool *)h->data = true; }

void bench_run_until(struct bench *b, const int *value, int least)
{
	bool       is_late = false, is_gone = false;
	uv_timer_t deadline;
	uv_timer_init(&b->loop, &deadline);
	deadline.data = &is_late;
	uv_timer_start(&deadline, on_deadline, 30000, 0);
	while (*value < least && !is_late)
		uv_run(&b->loop, UV_RUN_ONCE);
	deadline.data = &is_gone;
	uv_close((uv_handle_t *)&deadline, on_timer_closed);
	while (!is_gone)
		uv_run(&b->loop, UV_RUN_ONCE);
	if (is_late)
		fail_msg("only %d of %d within half a minute", *value, least);
}

const char *bench_url(struct bench *b, const char *path)
{
	static char text[256];
	snprintf(text, sizeof text, "http://127.0.0.1:%d%s", raw_server_port(b->server), path);
	return text;
}

struct http_target *bench_add(struct bench *b, const char *where, int64_t interval_ms, int64_t timeout_ms, struct seen *seen)
{
	struct http_target *t = NULL;
	struct why          why = { "" };
	struct http_target_options o = { .url = where, .interval_ms = interval_ms, .timeout_ms = timeout_ms, .done = bench_on_scrape,
		                         .ctx = seen };
	if (http_target_add(b->c, &o, true, &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}
