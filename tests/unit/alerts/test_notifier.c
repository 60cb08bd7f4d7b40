/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue against real peers: an HTTP server and a mail server on loopback that misbehave, and programs that fail or hang. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alerts/fingerprint.h"
#include "alerts/notifier.h"
#include "alerts/notify_message.h"
#include "base/buf.h"
#include "tests/unit/alerts/peer.h"
#include "tests/unit/collectors/loop_turn.h"

enum { RECEIVERS = 12, RESULTS_MAX = 64, TEXT = 65536 };

static struct loop *loop;
static struct peer *http;
static char         folder[] = "/tmp/pitwall-notifier-XXXXXX";

/* What came of rows. */
struct results {
	size_t                  n, n_done;
	struct notification_row rows[RESULTS_MAX]; /* texts not kept but the error */
	char                    errors[RESULTS_MAX][512];
	bool                    is_closed, closes_at_once;
	struct notifier        *notifier;
};

static void on_closed(void *ctx)
{
	((struct results *)ctx)->is_closed = true;
}

static void on_result(void *ctx, const struct notification_row *row)
{
	struct results *r = ctx;
	assert_true(r->n < RESULTS_MAX);
	r->rows[r->n] = *row;
	snprintf(r->errors[r->n], sizeof r->errors[r->n], "%s", row->error);
	r->n++;
	r->n_done += row->state != NOTIFICATION_WAITING;
	if (r->closes_at_once) {
		r->closes_at_once = false;
		notifier_close(r->notifier, on_closed, r);
	}
}

static int set_up(void **state)
{
	struct why why;
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) != NULL && loop_new(&loop, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	return rmdir(folder);
}

static int start_http(void **state)
{
	(void)state;
	http = peer_http_start();
	return 0;
}

static int stop_http(void **state)
{
	(void)state;
	peer_stop(http);
	return 0;
}

static struct notifier *begin(struct fleet_receiver *receivers, size_t n, struct results *r, int64_t give_up_ms)
{
	struct why why;
	struct notifier_options o = { .loop = loop, .clock = clock_system(), .receivers = receivers, .n_receivers = n, .version = "test", .fleet = "shop",
		                      .retry_first_ms = 20, .retry_max_ms = 100, .give_up_ms = give_up_ms, .seed = 1, .result = on_result, .ctx = r };
	*r = (struct results){ .n = 0 };
	if (notifier_new(&o, &r->notifier, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return r->notifier;
}

static bool is_closed(const void *what) { return ((const struct results *)what)->is_closed; }

static void finish(struct results *r)
{
	if (!r->is_closed)
		notifier_close(r->notifier, on_closed, r);
	loop_turn_until(loop, is_closed, r, "the notifier closes");
}

static struct fleet_receiver webhook(const char *name, const char *path, char url[128])
{
	snprintf(url, 128, "http://127.0.0.1:%d%s", peer_port(http), path);
	return (struct fleet_receiver){ .name = name, .kind = RECEIVER_WEBHOOK, .url = url, .from = "", .timeout_ms = 5000 };
}

/* A row about one alert. */
static void put(struct notifier *n, int64_t id, const char *receiver, const char *key, enum notify_event event)
{
	struct labels *l = labels_of("alertname", "X", "node", "a", NULL), *none = labels_of(NULL, NULL);
	struct notify_alert a = { .id = id, .fingerprint = alert_fingerprint(l), .severity = SEVERITY_CRIT, .starts_ms = 1, .labels = l, .annotations = none,
		                  .status = event == NOTIFY_RESOLVED ? NOTIFY_ALERT_RESOLVED : NOTIFY_ALERT_FIRING };
	struct notify_message m = { .event = event, .group_key = key, .group_labels = l, .severity = SEVERITY_CRIT, .acked_by = "", .ack_comment = "", .alerts = &a,
		                    .n = 1 };
	struct buf body;
	buf_init(&body, 1 << 20);
	assert_int_equal(notify_message_print(&m, &body), ERR_OK);
	int64_t now_ms = clock_wall_ms(clock_system());
	struct notification_row row = { .id = id, .receiver = receiver, .group_key = key, .body = buf_text(&body), .created_ms = now_ms, .due_ms = now_ms };
	assert_int_equal(notifier_put(n, &row, NULL), ERR_OK);
	assert_int_equal(notifier_put(n, &row, NULL), ERR_OK); /* twice is once */
	buf_release(&body);
	labels_unref(l);
	labels_unref(none);
}

static bool is_one_done(const void *what) { return ((const struct results *)what)->n_done >= 1; }
static bool are_two_done(const void *what) { return ((const struct results *)what)->n_done >= 2; }

/* ---- HTTP ---- */

static void test_http(void **state)
{
	static const struct {
		const char             *label, *path;
		enum notification_state want;
		int64_t                 tries, give_up_ms;
		const char             *error; /* the beginning of the last one, behind the place */
	} rows[] = {
		{ "taken", "/ok", NOTIFICATION_SENT, 1, 0, "" },
		{ "taken, 204", "/status/204", NOTIFICATION_SENT, 1, 0, "" },
		{ "two failures", "/fail/2", NOTIFICATION_SENT, 3, 0, "" },
		{ "two connections torn down", "/reset/2", NOTIFICATION_SENT, 3, 0, "" },
		{ "later, please", "/later", NOTIFICATION_SENT, 2, 0, "" },
		{ "refused for good", "/status/400", NOTIFICATION_GIVEN_UP, 1, 0, "answered 400: becaus" },
		{ "denied", "/status/401", NOTIFICATION_GIVEN_UP, 1, 0, "answered 401: becaus" },
		{ "moved", "/status/302", NOTIFICATION_GIVEN_UP, 1, 0, "answered 302: becaus" },
		{ "no answer, again and again", "/hang", NOTIFICATION_GIVEN_UP, 0, 1000, "given up after " },
		{ "failing for ever", "/status/503", NOTIFICATION_GIVEN_UP, 0, 200, "given up after " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char url[128];
		struct results r;
		http = peer_http_start();
		struct fleet_receiver to = webhook("r", rows[i].path, url);
		to.timeout_ms = strcmp(rows[i].path, "/hang") == 0 ? 100 : to.timeout_ms;
		struct notifier *n = begin(&to, 1, &r, rows[i].give_up_ms);
		int64_t begin_ms = clock_mono_ms(clock_system());
		put(n, 1, "r", "k", NOTIFY_FIRING);
		loop_turn_until(loop, is_one_done, &r, rows[i].label);
		const struct notification_row *last = &r.rows[r.n - 1];
		assert_row(rows[i].label, last->state == rows[i].want && notifier_waiting(n) == 0);
		assert_row(rows[i].label, rows[i].tries == 0 ? last->tries > 1 : last->tries == rows[i].tries);
		assert_row(rows[i].label, r.n == (size_t)last->tries && last->done_ms > 0);
		if (strstr(r.errors[r.n - 1], rows[i].error) == NULL)
			fail_msg("%s: \"%s\"", rows[i].label, r.errors[r.n - 1]);
		for (size_t k = 0; k + 1 < r.n; k++)
			assert_row(rows[i].label, r.rows[k].state == NOTIFICATION_WAITING && r.rows[k].due_ms > 0 && r.errors[k][0] != '\0');
		if (strcmp(rows[i].path, "/later") == 0) /* the second it asked for */
			assert_row(rows[i].label, clock_mono_ms(clock_system()) - begin_ms >= 990);
		finish(&r);
		peer_stop(http);
	}
}

static void test_what_is_posted(void **state)
{
	char url[128], *text = malloc(TEXT);
	struct results r;
	struct fleet_auth auth = { .kind = FLEET_AUTH_BEARER, .user = "", .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	struct fleet_receiver to = webhook("r", "/ok", url);
	(void)state;
	to.auth = &auth;
	setenv("PITWALL_TEST_TOKEN", "sesame", 1);
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_one_done, &r, "posted");
	peer_request(http, 0, text, TEXT);
	assert_non_null(strstr(text, "POST /ok HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(text, "\r\nAuthorization: Bearer sesame\r\n"));
	assert_null(strstr(text, "X-Prometheus"));
	assert_non_null(strstr(text, "\r\n\r\n{\"receiver\":\"r\",\"status\":\"firing\",\"alerts\":[{"));
	finish(&r);
	free(text);
}

/* The URL is a secret too, and a wrong one is in no sentence. */
static void test_secret_url(void **state)
{
	char url[128];
	struct results r;
	struct fleet_receiver to = webhook("r", "/ok", url);
	(void)state;
	setenv("PITWALL_TEST_URL", url, 1);
	to.url = "";
	to.secret = (struct secret_source){ .kind = SECRET_ENV, .name = "PITWALL_TEST_URL" };
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_one_done, &r, "posted");
	assert_int_equal(r.rows[0].state, NOTIFICATION_SENT);
	setenv("PITWALL_TEST_URL", "sesame", 1);
	put(n, 2, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, are_two_done, &r, "given up");
	assert_int_equal(r.rows[r.n - 1].state, NOTIFICATION_GIVEN_UP);
	assert_null(strstr(r.errors[r.n - 1], "sesame"));
	finish(&r);
}

static void test_no_secret(void **state)
{
	char url[128];
	struct results r;
	struct fleet_auth auth = { .kind = FLEET_AUTH_BEARER, .user = "", .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_UNSET" } };
	struct fleet_receiver to = webhook("r", "/ok", url);
	(void)state;
	to.auth = &auth;
	unsetenv("PITWALL_TEST_UNSET");
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	for (int i = 0; i < 3000 && r.n < 2; i++)
		loop_turn_once(loop);
	assert_true(r.n >= 2);
	assert_int_equal(r.rows[0].state, NOTIFICATION_WAITING);
	assert_non_null(strstr(r.errors[0], "PITWALL_TEST_UNSET"));
	setenv("PITWALL_TEST_UNSET", "x", 1);
	loop_turn_until(loop, is_one_done, &r, "once it is set");
	assert_int_equal(r.rows[r.n - 1].state, NOTIFICATION_SENT);
	finish(&r);
}

/* What is resolved waits until it could be said that it fires; another group does not wait for it. */
static void test_order(void **state)
{
	char failing[128], fine[128], *text = malloc(TEXT);
	struct results r;
	struct fleet_receiver to[] = { webhook("failing", "/fail/3", failing), webhook("fine", "/ok", fine) };
	(void)state;
	struct notifier *n = begin(to, 2, &r, 0);
	put(n, 2, "failing", "k", NOTIFY_RESOLVED);
	put(n, 1, "failing", "k", NOTIFY_FIRING);
	loop_turn_until(loop, are_two_done, &r, "both");
	peer_request(http, 0, text, TEXT);
	assert_non_null(strstr(text, "\"status\":\"firing\",\"alerts\""));
	peer_request(http, 4, text, TEXT);
	assert_non_null(strstr(text, "\"status\":\"resolved\",\"alerts\""));
	assert_int_equal(peer_count(http), 5);
	finish(&r);
	free(text);
}

static void test_one_hangs(void **state)
{
	char hanging[128], fine[128];
	struct results r;
	struct fleet_receiver to[] = { webhook("hanging", "/hang", hanging), webhook("fine", "/ok", fine) };
	(void)state;
	to[0].timeout_ms = 60000;
	struct notifier *n = begin(to, 2, &r, 0);
	for (int i = 0; i < 30; i++) {
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		put(n, 1 + i, "hanging", key, NOTIFY_FIRING);
	}
	put(n, 31, "fine", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_one_done, &r, "the other one");
	assert_int_equal(r.rows[0].id, 31);
	assert_int_equal(notifier_waiting(n), 30);
	finish(&r); /* with requests in flight */
}

/* A clock that goes on by a millisecond whenever it is looked at, as the real one may. */
static int64_t clock_looks;
static int64_t looked_at(const struct clock *c)
{
	(void)c;
	return ++clock_looks;
}
static int64_t real_us(const struct clock *c)
{
	(void)c;
	return clock_mono_us(clock_system());
}

/* At whichever look it becomes due, it is sent then, and not when all is looked at in a minute. */
static void test_due_between_two_looks(void **state)
{
	static const struct clock clock = { .wall_ms = looked_at, .mono_us = real_us };
	(void)state;
	for (int64_t due_ms = 0; due_ms < 8; due_ms++) {
		char url[128];
		struct results r = { .n = 0 };
		struct why why;
		struct fleet_receiver to = webhook("r", "/ok", url);
		const struct notifier_options o = { .loop = loop, .clock = &clock, .receivers = &to, .n_receivers = 1, .result = on_result, .ctx = &r };
		const struct notification_row row = { .id = 1, .receiver = "r", .group_key = "k", .body = "{", .due_ms = due_ms };
		clock_looks = 0;
		assert_int_equal(notifier_new(&o, &r.notifier, &why), ERR_OK);
		assert_int_equal(notifier_put(r.notifier, &row, NULL), ERR_OK);
		for (int i = 0; i < 500 && r.n == 0; i++)
			loop_turn_once(loop);
		assert_int_equal(r.n, 1);
		finish(&r);
	}
}

/* A restart: what waits is put again, with its tries and when it is due. */
static void test_restart(void **state)
{
	char url[128];
	struct results r;
	struct fleet_receiver to = webhook("r", "/fail/1", url);
	(void)state;
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	r.closes_at_once = true;
	loop_turn_until(loop, is_closed, &r, "closed in its own callback");
	assert_int_equal(r.n, 1);
	assert_int_equal(r.rows[0].state, NOTIFICATION_WAITING);
	n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_one_done, &r, "sent after it");
	assert_int_equal(r.rows[0].state, NOTIFICATION_SENT);
	finish(&r);
}

static void test_odd_rows(void **state)
{
	char url[128];
	struct results r;
	struct fleet_receiver to = webhook("r", "/ok", url);
	int64_t now_ms = clock_wall_ms(clock_system());
	struct notification_row row = { .id = 7, .receiver = "r", .group_key = "k", .body = "{", .created_ms = now_ms, .due_ms = now_ms };
	(void)state;
	struct notifier *n = begin(&to, 1, &r, 0);
	assert_int_equal(notifier_put(n, &row, NULL), ERR_OK);
	loop_turn_until(loop, is_one_done, &r, "unreadable");
	assert_int_equal(r.rows[0].state, NOTIFICATION_GIVEN_UP);
	assert_non_null(strstr(r.errors[0], "the notification cannot be read"));
	put(n, 8, "nobody", "k", NOTIFY_FIRING);
	loop_turn_until(loop, are_two_done, &r, "nobody");
	assert_string_equal(r.errors[1], "the fleet file has no receiver 'nobody' any more");
	finish(&r);
}

/* ---- commands ---- */

static void test_commands(void **state)
{
	static const struct {
		const char             *label, *script;
		int64_t                 timeout_ms;
		enum notification_state want;
		const char             *error;
	} rows[] = {
		{ "fine", "cat >/dev/null", 20000, NOTIFICATION_SENT, "" },
		{ "takes no input", "exit 0", 20000, NOTIFICATION_SENT, "" },
		{ "talks and talks", "cat >/dev/null; i=0; while [ $i -lt 3000 ]; do echo word word word >&2; echo out; i=$((i+1)); done", 20000, NOTIFICATION_SENT, "" },
		{ "fails", "cat >/dev/null; echo first >&2; echo 'no such \033[31mlamp' >&2; exit 3", 20000, NOTIFICATION_WAITING,
		  "command '/bin/sh' failed with status 3: no such \xe2\x90\x9b[31mlamp" },
		{ "is killed", "kill -9 $$", 20000, NOTIFICATION_WAITING, "command '/bin/sh' was killed by signal 9" },
		{ "hangs", "sleep 100000 & sleep 100000", 200, NOTIFICATION_WAITING, "command '/bin/sh' was killed: it had not ended within 0.2 s" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct results r;
		const char *argv[] = { "/bin/sh", "-c", rows[i].script, NULL };
		struct fleet_receiver to = { .name = "r", .kind = RECEIVER_COMMAND, .url = "", .from = "", .argv = argv, .timeout_ms = rows[i].timeout_ms };
		struct notifier *n = begin(&to, 1, &r, 0);
		put(n, 1, "r", "k", NOTIFY_FIRING);
		for (int turn = 0; turn < 3000 && r.n == 0; turn++)
			loop_turn_once(loop);
		if (r.n == 0 || r.rows[0].state != rows[i].want || strcmp(r.errors[0], rows[i].error) != 0)
			fail_msg("%s: state %d, \"%s\"", rows[i].label, r.n > 0 ? (int)r.rows[0].state : -1, r.errors[0]);
		finish(&r);
	}
}

static void test_command_input(void **state)
{
	char path[128], text[4096] = "";
	struct results r;
	(void)state;
	snprintf(path, sizeof path, "%s/said", folder);
	const char *argv[] = { "/bin/sh", "-c", "cat >\"$1\"", "sh", path, NULL };
	struct fleet_receiver to = { .name = "r", .kind = RECEIVER_COMMAND, .url = "", .from = "", .argv = argv, .timeout_ms = 20000 };
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_one_done, &r, "said");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	assert_memory_equal(text, "{\"receiver\":\"r\",\"status\":\"firing\"", 33);
	assert_int_equal(unlink(path), 0);
	finish(&r);
}

static bool is_written(const void *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size > 0;
}

/* One that runs while the notifier closes is over, and nobody's child any more, when that says that it is closed. */
static void test_command_closed(void **state)
{
	char path[128];
	struct results r;
	int pid = 0;
	(void)state;
	snprintf(path, sizeof path, "%s/pid", folder);
	const char *argv[] = { "/bin/sh", "-c", "echo $$ >\"$1\"; sleep 100000", "sh", path, NULL };
	struct fleet_receiver to = { .name = "r", .kind = RECEIVER_COMMAND, .url = "", .from = "", .argv = argv, .timeout_ms = 200000 };
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	loop_turn_until(loop, is_written, path, "it runs");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	assert_int_equal(kill(pid, 0), 0);
	finish(&r);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(r.n, 0);
	assert_int_equal(unlink(path), 0);
}

static void test_no_command(void **state)
{
	static const char *const argv[] = { "/nowhere/at-all", NULL };
	struct results r;
	struct fleet_receiver to = { .name = "r", .kind = RECEIVER_COMMAND, .url = "", .from = "", .argv = argv, .timeout_ms = 1000 };
	(void)state;
	struct notifier *n = begin(&to, 1, &r, 0);
	put(n, 1, "r", "k", NOTIFY_FIRING);
	for (int i = 0; i < 3000 && r.n == 0; i++)
		loop_turn_once(loop);
	assert_int_equal(r.rows[0].state, NOTIFICATION_WAITING);
	assert_string_equal(r.errors[0], "cannot run command '/nowhere/at-all': no such file or directory");
	finish(&r);
}

/* ---- mail ---- */

static void test_mail(void **state)
{
	static const struct {
		const char             *label;
		struct smtp_manners     manners;
		bool                    has_auth;
		enum receiver_starttls  starttls;
		enum notification_state want; /* of the first result that is final, or WAITING: of the first */
		int64_t                 tries;
		const char             *error;
	} rows[] = {
		{ "taken", { 0 }, false, STARTTLS_NEVER, NOTIFICATION_SENT, 1, "" },
		{ "TLS where it is offered", { 0 }, false, STARTTLS_OFFERED, NOTIFICATION_SENT, 1, "" },
		{ "no TLS, no mail", { 0 }, false, STARTTLS_REQUIRED, NOTIFICATION_WAITING, 1, "" },
		{ "busy at first", { .fail_first = 2 }, false, STARTTLS_NEVER, NOTIFICATION_SENT, 3, "" },
		{ "no such user", { .rcpt_reply = "550 no such user\r\n" }, false, STARTTLS_NEVER, NOTIFICATION_GIVEN_UP, 1, "550" },
		{ "greylisted", { .rcpt_reply = "451 later\r\n" }, false, STARTTLS_NEVER, NOTIFICATION_WAITING, 1, "451" },
		{ "with a password", { .knows_auth = true }, true, STARTTLS_NEVER, NOTIFICATION_SENT, 1, "" },
		{ "without one", { .knows_auth = true }, false, STARTTLS_NEVER, NOTIFICATION_GIVEN_UP, 1, "530" },
	};
	static const char *const to[] = { "a@example.com", "b@example.com" };
	struct fleet_auth auth = { .kind = FLEET_AUTH_BASIC, .user = "me", .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	(void)state;
	setenv("PITWALL_TEST_TOKEN", "sesame", 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char url[64], *text = malloc(TEXT);
		struct results r;
		struct peer *smtp = peer_smtp_start(&rows[i].manners);
		snprintf(url, sizeof url, "smtp://127.0.0.1:%d", peer_port(smtp));
		struct fleet_receiver receiver = { .name = "r", .kind = RECEIVER_EMAIL, .url = url, .from = "pitwall@example.com", .to = to, .n_to = 2,
			                           .auth = rows[i].has_auth ? &auth : NULL, .starttls = rows[i].starttls, .timeout_ms = 10000 };
		struct notifier *n = begin(&receiver, 1, &r, 0);
		put(n, 1, "r", "k", NOTIFY_FIRING);
		for (int turn = 0; turn < 3000 && (rows[i].want == NOTIFICATION_WAITING ? r.n : r.n_done) == 0; turn++)
			loop_turn_once(loop);
		size_t at = rows[i].want == NOTIFICATION_WAITING ? 0 : r.n - 1;
		if (r.n == 0 || r.rows[at].state != rows[i].want || r.rows[at].tries != rows[i].tries || strstr(r.errors[at], rows[i].error) == NULL)
			fail_msg("%s: state %d after %d tries, \"%s\"", rows[i].label, (int)r.rows[at].state, (int)r.rows[at].tries, r.errors[at]);
		assert_row(rows[i].label, peer_count(smtp) == (rows[i].want == NOTIFICATION_SENT));
		peer_request(smtp, 0, text, TEXT);
		if (rows[i].want == NOTIFICATION_SENT) {
			assert_row(rows[i].label, strstr(text, "MAIL FROM:<pitwall@example.com>") != NULL);
			assert_row(rows[i].label, strstr(text, "RCPT TO:<a@example.com>\nRCPT TO:<b@example.com>\n") != NULL);
			assert_row(rows[i].label, strstr(text, "\nSubject: [FIRING:1] X node=a\n") != NULL);
			assert_row(rows[i].label, !rows[i].has_auth || strstr(text, "AG1lAHNlc2FtZQ==") != NULL); /* NUL me NUL sesame */
		}
		finish(&r);
		peer_stop(smtp);
		free(text);
	}
}

/* ---- the rules ---- */

static void test_pauses(void **state)
{
	static const struct {
		const char *label;
		int64_t     tries, base_ms;
	} rows[] = { { "first", 1, 5000 }, { "second", 2, 10000 }, { "fifth", 5, 80000 }, { "the most", 11, 3600000 }, { "many", 1000000, 3600000 } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t least = notifier_pause_ms(5000, 3600000, rows[i].tries, 0);
		int64_t most = notifier_pause_ms(5000, 3600000, rows[i].tries, (uint64_t)rows[i].base_ms * 4 / 10);
		assert_row(rows[i].label, least == rows[i].base_ms * 8 / 10 && most == rows[i].base_ms * 12 / 10);
	}
	assert_true(notifier_may_pass(408) && notifier_may_pass(429) && notifier_may_pass(500) && notifier_may_pass(503));
	assert_false(notifier_may_pass(400) || notifier_may_pass(404) || notifier_may_pass(302));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_http),
		cmocka_unit_test_setup_teardown(test_what_is_posted, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_secret_url, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_no_secret, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_order, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_one_hangs, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_due_between_two_looks, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_restart, start_http, stop_http),
		cmocka_unit_test_setup_teardown(test_odd_rows, start_http, stop_http),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_command_input),
		cmocka_unit_test(test_command_closed),
		cmocka_unit_test(test_no_command),
		cmocka_unit_test(test_mail),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
