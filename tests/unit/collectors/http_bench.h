/* SPDX-License-Identifier: Apache-2.0
 *
 * A collector on a loop of its own, with a server beside it (raw_server.h). The loop runs until what is expected has happened, or until a
 * deadline that only a failure reaches. */
#ifndef PITWALL_TESTS_HTTP_BENCH_H
#define PITWALL_TESTS_HTTP_BENCH_H

#include <stdbool.h>
#include <uv.h>

#include "collectors/http.h"
#include "tests/unit/collectors/raw_server.h"

struct bench {
	uv_loop_t              loop;
	struct raw_server     *server;
	struct http_collector *c;
	bool                   is_closed;
};

struct seen {
	int         n, n_ok; /* scrapes */
	enum fetch  result;
	int         status, line;
	char        text[512];
	size_t      series, predicted;
	uint64_t    skipped;
	bool        remove_at_once;
	int64_t     last_wall_ms, expires_ms;
};

int bench_set_up(void **state); /* for cmocka; *state is a struct bench */
int bench_set_up_with(void **state, int64_t connect_timeout_ms);
int bench_tear_down(void **state);

void bench_on_scrape(void *ctx, const struct http_scrape *s); /* into a struct seen */
void bench_on_closed(void *ctx);

/* Runs the loop until *value is at least `least`; fails after half a minute. */
void bench_run_until(struct bench *b, const int *value, int least);

/* Where the server has `path`; good until the next call. */
const char *bench_url(struct bench *b, const char *path);

/* A target that is scraped at once. */
struct http_target *bench_add(struct bench *b, const char *where, int64_t interval_ms, int64_t timeout_ms, struct seen *seen);

#endif
