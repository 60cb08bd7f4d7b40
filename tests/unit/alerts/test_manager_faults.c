/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager while memory runs out: a call gives all or fails, and what comes when there is memory again is as if nothing had been. */
#include "tests/unit/unit.h"

#include "tests/unit/alerts/alert_bench.h"
#include "tests/unit/faults.h"

static const char rules[] =
	"groups:\n"
	"  - name: g\n"
	"    interval: 5s\n"
	"    rules:\n"
	"      - { record: 'up:sum', expr: sum by (model) (signal:up) }\n"
	"      - { alert: Down, expr: 'signal:up == 0', for: 5s, labels: { severity: page }, annotations: { summary: '{{ $labels.node }} of {{ $value }}' } }\n"
	"      - { alert: Low, expr: 'up:sum < 4' }\n"
	"      - { alert: Long, expr: 'avg_over_time(signal:up[30m]) < 1' }\n";

static struct why why;

struct running {
	struct alert_bench bench;
	struct buf         want;
	int64_t            began_ms;
};

static enum err load(struct alert_manager *m, struct running *r, struct why *w)
{
	const struct rulebook_text text = { "test.yml", rules, sizeof rules - 1 };
	const struct rulebook_options o = { .texts = &text, .n_texts = 1 };
	struct rulebook *book = NULL;
	enum err e = rulebook_read(&o, alert_manager_book(m), NULL, &book, w);
	return e == ERR_OK ? alert_manager_load(m, book, &r->bench.alerting, r->began_ms, w) : e;
}

static enum err step(struct alert_manager *m, int64_t at_ms, struct why *w)
{
	struct alert_round round = { .n_frames = 0 };
	enum err e = alert_manager_round(m, at_ms, &round, w);
	changes_free(round.changes);
	return e;
}

static void print_now(struct alert_manager *m, int64_t at_ms, struct buf *to)
{
	struct alerts_now now;
	assert_ok(alert_manager_now(m, at_ms, &now, &why));
	for (size_t i = 0; i < now.n; i++) {
		labels_print(now.rows[i].labels, to);
		labels_print(now.rows[i].annotations, to);
		buf_printf(to, " %s %g %lld %lld\n", now.rows[i].group_key, now.rows[i].value, (long long)now.rows[i].active_ms, (long long)now.rows[i].fired_ms);
	}
}

/* Five rounds; the rules are read once more in between. */
static enum err run_rounds(void *ctx, struct why *w)
{
	struct running *r = ctx;
	struct alert_manager *m = NULL;
	const struct alert_manager_options o = { .store_path = r->bench.folder.path };
	struct buf got;
	enum err e = alert_manager_new(&o, &m, w);
	if (e == ERR_OK)
		e = load(m, r, w);
	for (int i = 1; i <= 5 && e == ERR_OK; i++) {
		e = step(m, r->began_ms + i * 5000, w);
		if (e == ERR_OK && i == 2)
			e = load(m, r, w);
	}
	if (!fault_end() && e == ERR_OK) {
		buf_init(&got, 1 << 20);
		print_now(m, r->began_ms + 25000, &got);
		if (r->want.len == 0)
			buf_puts(&r->want, buf_text(&got));
		fault_same(buf_text(&got), buf_text(&r->want));
		buf_release(&got);
	}
	alert_manager_free(m);
	return e;
}

static void rounds_give_all_or_fail(void **state)
{
	(void)state;
	struct running r;
	bench_begin(&r.bench, "faults");
	buf_init(&r.want, 1 << 20);
	r.began_ms = r.bench.now_ms;
	for (int i = 0; i < 6; i++) {
		r.bench.up[1] = i < 2;
		bench_record(&r.bench);
		r.bench.now_ms += 5000;
	}
	fault_loop_some("rounds", ERR_OK, run_rounds, &r, 150);
	assert_true(r.want.len > 100);
	buf_release(&r.want);
	bench_end(&r.bench);
}

/* ---- requests ---- */

static enum err ask(void *ctx, struct why *w)
{
	static const char *const keys[] = { "{alertname=\"Down\"}" };
	struct running *r = ctx;
	struct alert_manager *m = NULL;
	struct changes *changes = NULL;
	struct buf text;
	const struct alert_manager_options o = { .store_path = r->bench.folder.path };
	const struct actor actor = { "a", "b", "c" };
	const struct request ack = { .id = "01234567-89ab-7def-8123-456789abcdef", .kind = REQUEST_ACK, .keys = keys, .n_keys = 1, .comment = "on it" };
	fault_pause();
	assert_ok(alert_manager_new(&o, &m, &why));
	assert_ok(load(m, r, &why));
	for (int i = 1; i <= 5; i++)
		assert_ok(step(m, r->began_ms + i * 5000, &why));
	assert_ok(changes_new(&changes, &why));
	fault_resume();
	buf_init(&text, 10000);
	enum err e = alert_manager_apply(m, &ack, &actor, r->began_ms + 25000, changes, &text);
	if (e == ERR_OK)
		e = text.err;
	if (e != ERR_OK)
		why_set(w, e, "memory");
	fault_end();
	buf_release(&text);
	changes_free(changes);
	alert_manager_free(m);
	return e;
}

static void requests_are_done_or_not(void **state)
{
	(void)state;
	struct running r;
	bench_begin(&r.bench, "faults");
	r.began_ms = r.bench.now_ms;
	for (int i = 0; i < 6; i++) {
		r.bench.up[1] = 0;
		bench_record(&r.bench);
		r.bench.now_ms += 5000;
	}
	fault_loop("request", ERR_OK, ask, &r);
	bench_end(&r.bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_give_all_or_fail),
		cmocka_unit_test(requests_are_done_or_not),
	};
	return cmocka_run_group_tests_name("manager_faults", tests, NULL, NULL);
}
