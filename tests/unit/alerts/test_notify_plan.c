/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is told what and when, as tables of steps. Each table is played twice: as it stands, and with a restart before every step, after which the plan is made
 * again from the rows that were queued. Both must tell the same.
 *
 * A step's members are words: a name of one letter, '+' (fires) or '-' (is over), '@' and the second at which it fired, then flags: s silenced, i inhibited, f
 * flapping, w of severity warning (else critical). "ack@N" says that the group is acknowledged. What is told is written as the event and its alerts: "a" fires,
 * "a~" flaps, "a-" is over, "(a)" is known in short. */
#include "tests/unit/unit.h"

#include <ctype.h>

#include "alerts/fingerprint.h"
#include "alerts/notify_message.h"
#include "alerts/notify_plan.h"

enum { STEPS_MAX = 16, MEMBERS_MAX = 16, ROWS_MAX = 64 };
#define BEGIN_MS INT64_C(1790000000000)

static struct labels *names[26], *group_labels;

static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i < 26; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		names[i] = labels_of("alertname", "X", "node", name, NULL);
	}
	group_labels = labels_of("alertname", "X", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 26; i++)
		labels_unref(names[i]);
	labels_unref(group_labels);
	return 0;
}

/* What was queued, as the store would have it. */
struct queue {
	struct notification_row rows[ROWS_MAX]; /* texts owned */
	size_t                  n;
	struct buf              told; /* in this step */
	bool                    fails;
};

static char name_of(uint64_t fingerprint)
{
	for (int i = 0; i < 26; i++)
		if (alert_fingerprint(names[i]) == fingerprint)
			return (char)('a' + i);
	return '?';
}

static void print_row(struct queue *q, const struct notification_row *row)
{
	static const char *const marks[] = { [NOTIFY_ALERT_FIRING] = "", [NOTIFY_ALERT_FLAPPING] = "~", [NOTIFY_ALERT_RESOLVED] = "-" };
	struct notify_message *m;
	struct why why = { "" };
	if (notify_message_parse(row->body, strlen(row->body), &m, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_printf(&q->told, "%s%s", q->told.len > 0 ? "; " : "", m->is_repeat ? "repeat" : notify_event_name(m->event));
	for (size_t i = 0; i < m->n; i++)
		buf_printf(&q->told, " %c%s", name_of(m->alerts[i].fingerprint), marks[m->alerts[i].status]);
	for (char c = 'a'; c <= 'z'; c++) /* they are in the order of their fingerprints */
		for (size_t i = 0; i < m->n_known; i++)
			if (name_of(m->known[i].fingerprint) == c)
				buf_printf(&q->told, " (%c)", c);
	if (m->acked_by[0] != '\0')
		buf_printf(&q->told, " by %s", m->acked_by);
	notify_message_free(m);
}

static enum err on_row(void *ctx, const struct notification_row *row)
{
	struct queue *q = ctx;
	if (q->fails)
		return ERR_FULL;
	assert_true(q->n < ROWS_MAX);
	assert_int_equal(row->state, NOTIFICATION_WAITING);
	assert_int_equal(row->id, q->n + 1);
	q->rows[q->n] = *row;
	q->rows[q->n].group_key = strdup(row->group_key);
	q->rows[q->n++].body = strdup(row->body);
	print_row(q, row);
	return ERR_OK;
}

static void queue_release(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++) {
		free((void *)(uintptr_t)q->rows[i].group_key);
		free((void *)(uintptr_t)q->rows[i].body);
	}
	buf_release(&q->told);
}

struct step_row {
	int         at_s;
	const char *members, *want;
};

/* The words of a step; how many members. */
static size_t read_members(const char *text, int at_s, struct notify_member *to, struct notify_group *g)
{
	size_t n = 0;
	for (const char *p = text; *p != '\0';) {
		char *end;
		if (*p == ' ') {
			p++;
			continue;
		}
		if (strncmp(p, "ack@", 4) == 0) {
			g->acked_ms = BEGIN_MS + 1000 * strtoll(p + 4, &end, 10);
			g->acked_by = "ann";
			p = end;
			continue;
		}
		assert_true(islower((unsigned char)p[0]) && (p[1] == '+' || p[1] == '-') && p[2] == '@');
		struct notify_member *m = &to[n++];
		*m = (struct notify_member){ .id = (int64_t)n, .labels = names[p[0] - 'a'], .severity = SEVERITY_CRIT };
		m->ends_ms = p[1] == '-' ? BEGIN_MS + 1000 * at_s : 0;
		m->starts_ms = BEGIN_MS + 1000 * strtoll(p + 3, &end, 10);
		for (p = end; *p != '\0' && *p != ' '; p++) {
			m->is_silenced |= *p == 's';
			m->is_inhibited |= *p == 'i';
			m->is_flapping |= *p == 'f';
			m->severity = *p == 'w' ? SEVERITY_WARN : m->severity;
		}
	}
	return n;
}

static struct notify_plan *plan_from(const struct notify_receiver *r, const struct queue *q)
{
	struct notify_plan *p;
	struct why why = { "" };
	assert_int_equal(notify_plan_new(r, 1, 1, &p, &why), ERR_OK);
	for (size_t i = 0; i < q->n; i++)
		if (notify_plan_remember(p, &q->rows[i], &why) != ERR_OK)
			fail_msg("%s", why.text);
	return p;
}

static void play(const char *label, const struct notify_receiver *r, const struct step_row *steps, bool restarts)
{
	struct queue q = { .n = 0 };
	buf_init(&q.told, 1 << 16);
	struct notify_plan *p = plan_from(r, &q);
	for (size_t i = 0; i < STEPS_MAX && steps[i].want != NULL; i++) {
		struct notify_member members[MEMBERS_MAX];
		struct notify_group g = { .key = "{alertname=\"X\"}", .labels = group_labels, .members = members };
		struct why why = { "" };
		g.n = read_members(steps[i].members, steps[i].at_s, members, &g);
		if (restarts) {
			notify_plan_free(p);
			p = plan_from(r, &q);
		}
		buf_clear(&q.told);
		assert_int_equal(notify_plan_step(p, BEGIN_MS + 1000 * steps[i].at_s, &g, g.n > 0, on_row, &q, &why), ERR_OK);
		if (strcmp(buf_text(&q.told), steps[i].want) != 0)
			fail_msg("%s%s, step %zu (%d s, \"%s\"): told \"%s\", not \"%s\"", label, restarts ? " with restarts" : "", i + 1, steps[i].at_s,
			         steps[i].members, buf_text(&q.told), steps[i].want);
	}
	notify_plan_free(p);
	queue_release(&q);
}

static const struct notify_receiver plain = { .name = "r", .min_severity = SEVERITY_INFO, .send_resolved = true, .group_wait_ms = 30000,
	                                      .group_interval_ms = 300000, .repeat_interval_ms = 3600000 };

static void test_steps(void **state)
{
	static const struct {
		const char     *label;
		int             kind; /* 1: nothing is told of what is over; 2: acknowledgements are; 3: critical alone */
		struct step_row steps[STEPS_MAX];
	} rows[] = {
		{ "waits for the group, then once", 0, {
			{ 0, "a+@0", "" }, { 29, "a+@0", "" }, { 30, "a+@0 b+@10", "firing a b" }, { 31, "a+@0 b+@10", "" }, { 3629, "a+@0 b+@10", "" },
			{ 3630, "a+@0 b+@10", "repeat a b" }, { 7229, "a+@0 b+@10", "" }, { 7230, "a+@0 b+@10", "repeat a b" } } },
		{ "over before the wait: never told", 0, { { 0, "a+@0", "" }, { 20, "a-@0", "" }, { 40, "a-@0", "" }, { 50, "", "" } } },
		{ "what joins waits for the interval", 0, {
			{ 30, "a+@0", "firing a" }, { 40, "a+@0 b+@35", "" }, { 329, "a+@0 b+@35", "" }, { 330, "a+@0 b+@35", "firing a b" },
			{ 629, "a+@0 b+@35 c+@400", "" }, { 630, "a+@0 b+@35 c+@400", "firing a b c" } } },
		{ "joins and leaves in between: never told", 0, {
			{ 30, "a+@0", "firing a" }, { 40, "a+@0 b+@35", "" }, { 100, "a+@0 b-@35", "" }, { 330, "a+@0 b-@35", "" } } },
		{ "worse", 0, { { 30, "a+@0w", "firing a" }, { 200, "a+@0", "" }, { 330, "a+@0", "firing a" }, { 700, "a+@0w", "" } } },
		{ "over", 0, { { 30, "a+@0", "firing a" }, { 100, "a-@0", "" }, { 330, "a-@0", "resolved a-" }, { 340, "a-@0", "" }, { 9999, "", "" } } },
		{ "over long after: at once", 0, { { 30, "a+@0", "firing a" }, { 1000, "a-@0", "resolved a-" } } },
		{ "one of two over", 0, {
			{ 30, "a+@0 b+@0", "firing a b" }, { 400, "a+@0 b-@0", "firing a b-" }, { 701, "a+@0 b-@0", "" }, { 4000, "a+@0", "repeat a" },
			{ 4400, "a-@0", "resolved a-" } } },
		{ "nothing of what is over", 1, {
			{ 30, "a+@0 b+@0", "firing a b" }, { 400, "a+@0 b-@0", "" }, { 500, "a+@0", "" }, { 600, "a+@0 b+@550", "firing a b" },
			{ 1000, "a-@0 b-@550", "" }, { 1100, "a+@1100", "" }, { 1130, "a+@1100", "firing a" } } },
		{ "gone without a word", 0, { { 30, "a+@0 b+@0", "firing a b" }, { 400, "a+@0", "firing a b-" }, { 800, "", "resolved a-" }, { 900, "", "" } } },
		{ "over and again within the interval", 0, {
			{ 30, "a+@0", "firing a" }, { 60, "a-@0", "" }, { 90, "a+@80", "" }, { 330, "a+@80", "firing a" } } },
		{ "over and again after the end was told: it waits anew", 0, {
			{ 30, "a+@0", "firing a" }, { 400, "a-@0", "resolved a-" }, { 410, "a+@405", "" }, { 435, "a+@405", "firing a" } } },
		{ "both episodes at hand: the one that fires counts", 0, { { 30, "a-@0 a+@0", "firing a" }, { 400, "a-@0 a-@1", "resolved a-" } } },
		{ "silenced and inhibited: never", 0, { { 100, "a+@0s b+@0i", "" }, { 200, "a-@0s b-@0i", "" } } },
		{ "a silence that ends", 0, { { 100, "a+@0s", "" }, { 200, "a+@0", "firing a" } } },
		{ "silenced after it was told", 0, {
			{ 30, "a+@0 b+@0", "firing a b" }, { 400, "a+@0s b+@0", "" }, { 3700, "a+@0s b+@0", "repeat b (a)" }, { 4001, "a+@0 b+@0", "" },
			{ 4002, "a+@0s b-@0", "resolved b-" }, { 4400, "a+@0", "firing a" } } },
		{ "all silenced: quiet", 0, { { 30, "a+@0", "firing a" }, { 9999, "a+@0s", "" }, { 10001, "a-@0s", "resolved a-" } } },
		{ "flapping is told once", 0, {
			{ 30, "a+@0", "firing a" }, { 400, "a+@380f", "firing a~" }, { 800, "a-@380f", "" }, { 900, "a+@880f", "" }, { 1300, "a-@880f", "" },
			{ 1400, "a-@880", "resolved a-" } } },
		{ "flapping ends in firing", 0, { { 30, "a+@0f", "firing a~" }, { 400, "a+@380f", "" }, { 800, "a+@790", "firing a" } } },
		{ "flapping repeats", 0, { { 30, "a+@0f", "firing a~" }, { 4000, "a-@380f", "repeat a~" } } },
		{ "flapping, over and never told", 0, { { 100, "a-@0f", "" } } },
		{ "acknowledged", 2, {
			{ 30, "a+@0 b+@0", "firing a b" }, { 60, "a+@0 b+@0 ack@50", "acknowledged (a) (b) by ann" }, { 70, "a+@0 b+@0 ack@50", "" },
			{ 400, "a+@0 b+@0 c+@300 ack@50", "firing a b c by ann" }, { 500, "a+@0 b+@0 c+@300", "" },
			{ 600, "a+@0 b+@0 c+@300 ack@590", "acknowledged (a) (b) (c) by ann" }, { 800, "a-@0 b-@0 c-@0", "resolved a- b- c-" } } },
		{ "news wait while it is acknowledged", 2, {
			{ 30, "a+@0", "firing a" }, { 60, "a+@0 b+@50 ack@55", "acknowledged (a) by ann" }, { 330, "a+@0 b+@50 ack@55", "firing a b by ann" } } },
		{ "acknowledged before it is told", 2, { { 10, "a+@0 ack@5", "" }, { 30, "a+@0 ack@5", "firing a by ann; acknowledged (a) by ann" } } },
		{ "nobody tells it on", 0, { { 30, "a+@0", "firing a" }, { 60, "a+@0 ack@50", "" } } },
		{ "critical alone", 3, { { 30, "a+@0w b+@0", "firing b" }, { 400, "a-@0w b+@0", "" }, { 500, "b-@0", "resolved b-" } } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct notify_receiver r = plain;
		r.send_resolved = rows[i].kind != 1;
		r.tells_acks = rows[i].kind == 2;
		r.min_severity = rows[i].kind == 3 ? SEVERITY_CRIT : r.min_severity;
		play(rows[i].label, &r, rows[i].steps, false);
		play(rows[i].label, &r, rows[i].steps, true);
	}
}

static void test_matchers(void **state)
{
	static const struct step_row steps[] = { { 30, "a+@0 b+@0", "firing b" }, { 400, "a+@0 b-@0", "resolved b-" }, { 500, "a+@0", "" }, { 0, NULL, NULL } };
	struct matcher m;
	struct notify_receiver r = plain;
	(void)state;
	assert_int_equal(matcher_init(&m, MATCH_REGEX, "node", "b|c", NULL), ERR_OK);
	r.match = &m;
	r.n_match = 1;
	play("only b", &r, steps, false);
	play("only b", &r, steps, true);
	matcher_release(&m);
}

/* What could not be queued is told at the next step. */
static void test_queue_fails(void **state)
{
	struct queue q = { .n = 0 };
	struct notify_member m = { .id = 1, .labels = names[0], .severity = SEVERITY_CRIT, .starts_ms = BEGIN_MS };
	struct notify_group g = { .key = "k", .labels = group_labels, .members = &m, .n = 1 };
	(void)state;
	buf_init(&q.told, 4096);
	struct notify_plan *p = plan_from(&plain, &q);
	q.fails = true;
	assert_int_equal(notify_plan_step(p, BEGIN_MS + 30000, &g, 1, on_row, &q, NULL), ERR_FULL);
	q.fails = false;
	assert_int_equal(notify_plan_step(p, BEGIN_MS + 31000, &g, 1, on_row, &q, NULL), ERR_OK);
	assert_string_equal(buf_text(&q.told), "firing a");
	notify_plan_free(p);
	queue_release(&q);
}

/* A storm: what is not told in full is known all the same, also after a restart. */
static void test_storm(void **state)
{
	enum { MANY = 2500 };
	struct queue q = { .n = 0 };
	struct notify_member *members = calloc(MANY, sizeof *members);
	struct notify_message *m;
	(void)state;
	buf_init(&q.told, 1 << 20);
	for (int i = 0; i < MANY; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		members[i] = (struct notify_member){ .id = i + 1, .labels = labels_of("alertname", "X", "node", name, NULL), .severity = SEVERITY_WARN,
			                             .starts_ms = BEGIN_MS };
	}
	members[MANY - 1].severity = SEVERITY_CRIT;
	struct notify_group g = { .key = "k", .labels = group_labels, .members = members, .n = MANY };
	struct notify_plan *p = plan_from(&plain, &q);
	assert_int_equal(notify_plan_step(p, BEGIN_MS + 30000, &g, 1, on_row, &q, NULL), ERR_OK);
	assert_int_equal(q.n, 1);
	assert_int_equal(notify_message_parse(q.rows[0].body, strlen(q.rows[0].body), &m, NULL), ERR_OK);
	assert_int_equal(m->n, NOTIFY_ALERTS_MAX);
	assert_int_equal(m->alerts[0].id, MANY); /* the worst first */
	assert_int_equal(m->truncated, MANY - NOTIFY_ALERTS_MAX);
	assert_int_equal(m->n_known, MANY - NOTIFY_ALERTS_MAX);
	notify_message_free(m);
	notify_plan_free(p);
	p = plan_from(&plain, &q);
	assert_int_equal(notify_plan_step(p, BEGIN_MS + 400000, &g, 1, on_row, &q, NULL), ERR_OK);
	assert_int_equal(q.n, 1);
	assert_int_equal(notify_plan_step(p, BEGIN_MS + 400000, NULL, 0, on_row, &q, NULL), ERR_OK);
	assert_int_equal(q.n, 2);
	notify_plan_free(p);
	for (int i = 0; i < MANY; i++)
		labels_unref((struct labels *)(uintptr_t)members[i].labels);
	free(members);
	queue_release(&q);
}

static void test_fingerprint(void **state)
{
	char hex[FINGERPRINT_TEXT];
	struct labels *down = labels_of("alertname", "NodeDown", "node", "gpu-7", "severity", "page", NULL);
	struct labels *ttft = labels_of("alertname", "HighTTFT", "replica", "r2", "service", "llama-8b", "severity", "page", "team", "ml", NULL);
	struct labels *none = labels_of(NULL, NULL);
	(void)state;
	/* as Alertmanager 0.25.0 gave them */
	assert_string_equal(fingerprint_print(alert_fingerprint(down), hex), "055dc798e8dec832");
	assert_string_equal(fingerprint_print(alert_fingerprint(ttft), hex), "60d743edabe69ea7");
	assert_string_equal(fingerprint_print(alert_fingerprint(none), hex), "cbf29ce484222325");
	labels_unref(down);
	labels_unref(ttft);
	labels_unref(none);
}

static void test_bad_bodies(void **state)
{
	static const char *const bodies[] = { "", "{}", "[]", "{\"event\":\"shouting\"}", "{\"event\":\"firing\",\"repeat\":false,\"group_key\":1}" };
	struct queue q = { .n = 0 };
	(void)state;
	struct notify_plan *p = plan_from(&plain, &q);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct notification_row row = { .id = 7, .receiver = "r", .group_key = "k", .body = bodies[i] };
		struct why why = { "" };
		assert_row(bodies[i], notify_plan_remember(p, &row, &why) != ERR_OK && strncmp(why.text, "notification 7: ", 16) == 0);
		row.receiver = "someone else";
		assert_row(bodies[i], notify_plan_remember(p, &row, &why) == ERR_OK);
	}
	notify_plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),     cmocka_unit_test(test_matchers),    cmocka_unit_test(test_queue_fails),
		cmocka_unit_test(test_storm),     cmocka_unit_test(test_fingerprint), cmocka_unit_test(test_bad_bodies),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
