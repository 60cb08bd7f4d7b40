/* SPDX-License-Identifier: Apache-2.0
 *
 * kill -9 of the recorder, and of who asks it for something, at random moments: no transition, acknowledgement, silence, note or queued notification is
 * lost or doubled. PITWALL_KILLS says how often; `make soak-kill` does it 200 times. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/num.h"
#include "store/alerts.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/recorder/page_server.h"

enum { KILLS = 8, DEADLINE_MS = 60 * 1000, MOMENT_MS = 700, ASKED_MAX = 4000, ALERTS_MAX = 20000 };

#define KEY "{alertname=\"Waiting\",model=\"llama\"}"

static struct why why;

struct fixture {
	struct small_fleet fleet;
	unsigned           seed;
	char               asked[ASKED_MAX][REQUEST_ID]; /* the requests that were left for good, but for acknowledgements */
	size_t             n_asked, n_notes, n_silences; /* the latter two are of them */
};

static int64_t own_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int dice(struct fixture *f, int sides)
{
	return (int)((unsigned)rand_r(&f->seed) % (unsigned)sides);
}

/* The moment is what this test is about: it is waited for, with nothing to wait for in it. */
static void let_a_moment_pass(struct fixture *f)
{
	poll(NULL, 0, dice(f, MOMENT_MS));
}

static void make(struct fixture *f)
{
	char path[128];
	*f = (struct fixture){ .seed = 7 };
	small_fleet_make(&f->fleet);
	snprintf(path, sizeof path, "%s/rules.yml", f->fleet.folder);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	fputs("groups:\n- name: k\n  interval: 200ms\n  rules:\n"
	      "  - { alert: Waiting, expr: 'vllm:num_requests_waiting > 5', labels: { severity: warning } }\n"
	      "  - { alert: Slowly, expr: 'vllm:num_requests_waiting > 5', for: 400ms, labels: { severity: critical } }\n", to);
	assert_int_equal(fclose(to), 0);
	to = fopen(f->fleet.config, "w");
	assert_non_null(to);
	fprintf(to, "fleet: killed\ndefaults: { interval: 200ms, timeout: 200ms }\nrules: [ rules.yml ]\nalerts: { builtin: false }\n"
		    "receivers: [ { name: lamp, command: [ /bin/true ], group_wait: 0s, group_interval: 1s, repeat_interval: 1h } ]\n"
		    "groups:\n  - { name: chat, profile: vllm, model: llama, port: %d, nodes: [ { name: a, address: 127.0.0.1 } ] }\n",
	        page_server_port(f->fleet.server));
	assert_int_equal(fclose(to), 0);
}

static pid_t start(const char *const *argv)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static pid_t start_recorder(struct fixture *f)
{
	const char *argv[] = { pitwall_path(), "record", "--config", f->fleet.config, "--store", f->fleet.store, NULL };
	return start(argv);
}

static void end(pid_t pid, int signal_number)
{
	int status;
	kill(pid, signal_number);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (signal_number != SIGKILL)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- what the store has ---- */

struct seen_alert {
	int64_t id, active_ms, fired_ms, resolved_ms;
	char    name[32];
	int     counts[TRANSITION_COUNT];
};

struct seen {
	struct seen_alert *alerts;
	size_t             n_alerts, n_transitions, n_notes, n_silences, n_audited, n_acks, n_waiting, n_notifications;
	char               last_body[8192];
};

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	struct seen *s = ctx;
	assert_true(s->n_alerts < ALERTS_MAX);
	struct seen_alert *to = &s->alerts[s->n_alerts++];
	*to = (struct seen_alert){ .id = a->id, .active_ms = a->active_ms, .fired_ms = a->fired_ms, .resolved_ms = a->resolved_ms };
	snprintf(to->name, sizeof to->name, "%s", a->rule);
	return ERR_OK;
}

static enum err see_transition(void *ctx, const struct transition_row *t)
{
	struct seen *s = ctx;
	s->n_transitions++;
	for (size_t i = 0; i < s->n_alerts; i++)
		if (s->alerts[i].id == t->alert) {
			s->alerts[i].counts[t->what]++;
			return ERR_OK;
		}
	fail_msg("a transition of alert %lld, which is not there", (long long)t->alert);
	return ERR_OK;
}

static enum err see_note(void *ctx, const struct event *e)
{
	struct seen *s = ctx;
	s->n_notes += strncmp(e->text, "note ", 5) == 0;
	return ERR_OK;
}

static enum err see_silence(void *ctx, const struct silence_row *row)
{
	struct seen *s = ctx;
	s->n_silences += row->ended_ms == 0;
	return ERR_OK;
}

/* Of notes and silences. */
static enum err see_audit(void *ctx, const struct audit_row *a)
{
	struct seen *s = ctx;
	s->n_audited += strcmp(a->action, "note") == 0 || strcmp(a->action, "silence") == 0;
	return ERR_OK;
}

static enum err see_ack(void *ctx, const struct ack_row *a)
{
	((struct seen *)ctx)->n_acks += a->end == ACK_HOLDS;
	return ERR_OK;
}

/* Rows of one receiver and group tell of changes: two that say the same would be one thing told twice. */
static enum err see_notification(void *ctx, const struct notification_row *n)
{
	struct seen *s = ctx;
	if (strcmp(n->group_key, KEY) != 0)
		return ERR_OK;
	s->n_notifications++;
	s->n_waiting += n->state == NOTIFICATION_WAITING;
	if (strncmp(n->body, s->last_body, sizeof s->last_body - 1) == 0)
		fail_msg("notification %lld says what the one before it said: %s", (long long)n->id, n->body);
	snprintf(s->last_body, sizeof s->last_body, "%s", n->body);
	return ERR_OK;
}

static int by_name_and_time(const void *a, const void *b)
{
	const struct seen_alert *x = a, *y = b;
	int names = strcmp(x->name, y->name);
	return names != 0 ? names : (x->active_ms > y->active_ms) - (x->active_ms < y->active_ms);
}

/* One node, so that the alerts of a rule are episodes of one label set: one after the other. */
static void check_episodes(struct seen *s)
{
	qsort(s->alerts, s->n_alerts, sizeof *s->alerts, by_name_and_time);
	for (size_t i = 0; i < s->n_alerts; i++) {
		const struct seen_alert *a = &s->alerts[i], *next = i + 1 < s->n_alerts ? a + 1 : NULL;
		bool has_next = next != NULL && strcmp(next->name, a->name) == 0;
		bool dropped = a->resolved_ms != 0 && a->fired_ms == 0;
		if (has_next && (a->resolved_ms == 0 || a->resolved_ms > next->active_ms))
			fail_msg("%s: alert %lld (active %lld, over %lld) is not over before alert %lld (active %lld)", a->name, (long long)a->id,
			         (long long)a->active_ms, (long long)a->resolved_ms, (long long)next->id, (long long)next->active_ms);
		assert_row(a->name, a->counts[TRANSITION_PENDING] <= 1);
		assert_row(a->name, a->counts[TRANSITION_FIRING] == (a->fired_ms != 0));
		assert_row(a->name, a->counts[TRANSITION_RESOLVED] == (a->resolved_ms != 0 && !dropped));
		assert_row(a->name, a->counts[TRANSITION_DROPPED] == dropped);
	}
}

static void look(struct fixture *f, struct seen *s)
{
	struct reader *r = NULL;
	*s = (struct seen){ .alerts = calloc(ALERTS_MAX, sizeof *s->alerts) };
	assert_ok(reader_open(f->fleet.store, READER_OWN, &r, &why));
	struct alert_ids ids;
	assert_ok(reader_alert_ids(r, &ids, &why));
	for (int64_t id = 1; id <= ids.alert; id++) /* by their ids, since lists leave out those that never fired */
		assert_ok(reader_alerts(r, INT64_MAX, 0, id, see_alert, s, &why));
	assert_ok(reader_transitions(r, 0, 0, INT64_MAX, see_transition, s, &why));
	assert_ok(reader_events(r, NULL, "note", 0, INT64_MAX, SIZE_MAX, see_note, s, &why));
	assert_ok(reader_silences(r, 0, INT64_MAX / 2, see_silence, s, &why));
	assert_ok(reader_audit(r, 0, see_audit, s, &why));
	assert_ok(reader_acks(r, 0, INT64_MAX / 2, see_ack, s, &why));
	assert_ok(reader_notifications(r, NOTIFICATION_STATE_COUNT, see_notification, s, &why));
	int64_t rows;
	assert_ok(reader_audit_verify(r, &rows, &why));
	reader_close(r);
}

static void look_and_check(struct fixture *f)
{
	struct seen s;
	look(f, &s);
	check_episodes(&s);
	assert_true(s.n_notes <= f->n_notes && s.n_silences <= f->n_silences && s.n_acks <= 1);
	assert_int_equal(s.n_audited, s.n_notes + s.n_silences);
	free(s.alerts);
}

/* ---- what people ask ---- */

static void leave(struct fixture *f, struct request *r)
{
	const struct spool_way way = { .store = f->fleet.store };
	r->asked_ms = wall_ms();
	r->who = "alice";
	r->origin = "";
	assert_ok(request_new_id(r->asked_ms, r->id, &why));
	assert_ok(spool_put(&way, r, &why));
}

static void remember(struct fixture *f, const struct request *r)
{
	assert_true(f->n_asked < ASKED_MAX);
	snprintf(f->asked[f->n_asked++], REQUEST_ID, "%s", r->id);
}

static void ask_note(struct fixture *f)
{
	char text[32];
	snprintf(text, sizeof text, "note %zu", f->n_notes++);
	struct request r = { .kind = REQUEST_NOTE, .comment = text };
	leave(f, &r);
	remember(f, &r);
}

static void ask_ack(struct fixture *f)
{
	static const char *const keys[] = { KEY };
	struct request r = { .kind = REQUEST_ACK, .comment = "mine", .keys = keys, .n_keys = 1 };
	leave(f, &r);
}

/* Of a node that is not there: it hides nothing. */
static void ask_silence(struct fixture *f)
{
	char matchers[128];
	snprintf(matchers, sizeof matchers, "[{\"name\":\"node\",\"value\":\"none-%zu\",\"isRegex\":false,\"isEqual\":true}]", f->n_silences++);
	struct request r = { .kind = REQUEST_SILENCE, .comment = "known", .matchers = matchers, .until_ms = wall_ms() + 24 * 3600 * 1000 };
	leave(f, &r);
	remember(f, &r);
}

static bool all_is_done(struct fixture *f, void *unused)
{
	(void)unused;
	for (size_t i = 0; i < f->n_asked; i++)
		if (spool_is_waiting(f->fleet.store, f->asked[i]))
			return false;
	return true;
}

static bool has_alerts(struct fixture *f, void *more_than)
{
	struct reader *r = NULL;
	if (access(f->fleet.store, F_OK) != 0 || reader_open(f->fleet.store, READER_OWN, &r, &why) != ERR_OK)
		return false;
	struct alert_ids ids = { 0 };
	enum err e = reader_alert_ids(r, &ids, &why);
	reader_close(r);
	return e == ERR_OK && ids.alert > *(int64_t *)more_than;
}

static bool can_be_asked(struct fixture *f, void *unused)
{
	char path[128];
	(void)unused;
	snprintf(path, sizeof path, "%s-requests", f->fleet.store);
	return access(path, F_OK) == 0;
}

static bool is_quiet(struct fixture *f, void *unused)
{
	struct seen s;
	(void)unused;
	look(f, &s);
	bool quiet = s.n_waiting == 0 && s.n_notifications > 0 && strstr(s.last_body, "resolved") != NULL;
	for (size_t i = 0; i < s.n_alerts; i++)
		quiet &= s.alerts[i].resolved_ms != 0;
	snprintf(why.text, sizeof why.text, "%zu acknowledgements, %zu of %zu notifications wait, the last says: %.300s", s.n_acks, s.n_waiting, s.n_notifications,
	         s.last_body);
	free(s.alerts);
	return quiet;
}

static void wait_for(struct fixture *f, const char *what, bool (*holds)(struct fixture *f, void *ctx), void *ctx)
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (!holds(f, ctx)) {
		if (own_ms() > until)
			fail_msg("%s: not within a minute (%s)", what, why.text);
		poll(NULL, 0, 20);
	}
}

static int kills(void)
{
	int64_t n = KILLS;
	const char *text = getenv("PITWALL_KILLS");
	if (text != NULL)
		assert_int_equal(parse_i64(text, 1, 1000, &n), ERR_OK);
	return (int)n;
}

static void killed_recorders_lose_and_double_nothing(void **state)
{
	(void)state;
	struct fixture *f = calloc(1, sizeof *f);
	int64_t none = 0;
	make(f);
	small_fleet_set_waiting(&f->fleet, 10);
	pid_t pid = start_recorder(f);
	wait_for(f, "a first alert", has_alerts, &none);
	for (int i = 0, n = kills(); i < n; i++) {
		small_fleet_set_waiting(&f->fleet, i % 2 == 0 ? 0 : 10);
		wait_for(f, "a folder for requests", can_be_asked, NULL);
		ask_note(f);
		if (i % 2 != 0)
			ask_ack(f);
		let_a_moment_pass(f);
		ask_note(f);
		if (i % 3 == 0)
			ask_silence(f);
		small_fleet_set_waiting(&f->fleet, i % 2 == 0 ? 10 : 0);
		let_a_moment_pass(f);
		end(pid, SIGKILL);
		look_and_check(f);
		pid = start_recorder(f);
		let_a_moment_pass(f);
	}
	small_fleet_set_waiting(&f->fleet, 0);
	wait_for(f, "all that was asked is done", all_is_done, NULL);
	wait_for(f, "all is over and told", is_quiet, NULL);
	end(pid, SIGTERM);
	struct seen s;
	look(f, &s);
	check_episodes(&s);
	assert_int_equal(s.n_notes, f->n_notes);
	assert_int_equal(s.n_silences, f->n_silences);
	assert_int_equal(s.n_audited, f->n_notes + f->n_silences);
	assert_true(s.n_acks <= 1); /* one may outlast a pause, see alerts/ack.h */
	free(s.alerts);
	small_fleet_remove(&f->fleet);
	free(f);
}

/* Whoever asks is killed: what was asked is done whole or not at all. */
static void killed_askers_leave_nothing_by_half(void **state)
{
	(void)state;
	struct fixture *f = calloc(1, sizeof *f);
	int64_t none = 0;
	make(f);
	small_fleet_set_waiting(&f->fleet, 10);
	pid_t recorder = start_recorder(f);
	wait_for(f, "a first alert", has_alerts, &none);
	for (int i = 0, n = kills(); i < n; i++) {
		const char *argv[] = { pitwall_path(), "note", "--store", f->fleet.store, "note of one who is killed", NULL };
		pid_t asker = start(argv);
		poll(NULL, 0, dice(f, 300)); /* the moment, as above */
		end(asker, SIGKILL);
	}
	ask_note(f);
	wait_for(f, "all that was asked is done", all_is_done, NULL);
	struct seen s;
	look(f, &s);
	assert_true(s.n_notes >= 1 && s.n_notes <= (size_t)kills() + 1);
	free(s.alerts);
	end(recorder, SIGTERM);
	small_fleet_remove(&f->fleet);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_recorders_lose_and_double_nothing),
		cmocka_unit_test(killed_askers_leave_nothing_by_half),
	};
	return cmocka_run_group_tests_name("kill -9", tests, NULL, NULL);
}
