/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against a real Alertmanager ($PITWALL_ALERTMANAGER, or prometheus-alertmanager or alertmanager in PATH; where there is none the tests are
 * skipped), and against a server that is none. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/alertmanager.h"
#include "alerts/fingerprint.h"
#include "base/buf.h"
#include "tests/unit/alerts/peer.h"
#include "tests/unit/collectors/loop_turn.h"

enum { START_MS = 60 * 1000, ALERTS = 3 };

static struct loop *loop;
static char         folder[] = "/tmp/pitwall-alertmanager-XXXXXX";
static pid_t        pid;
static char         url[64];

/* ---- a real one ---- */

static void write_config(const char *path)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("route: { receiver: none, group_by: [ alertname ] }\nreceivers: [ { name: none } ]\n", f);
	assert_int_equal(fclose(f), 0);
}

static void run_child(const char *program, int said)
{
	char config[128], storage[128];
	snprintf(config, sizeof config, "--config.file=%s/config.yml", folder);
	snprintf(storage, sizeof storage, "--storage.path=%s/data", folder);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(said, 1);
	dup2(said, 2);
	execlp(program, program, config, storage, "--web.listen-address=127.0.0.1:0", "--cluster.listen-address=", (char *)NULL);
	_exit(127);
}

/* Where it says that it listens; false: it ended, or says nothing. */
static bool wait_for_address(int fd)
{
	struct buf said;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool found = false;
	int64_t until = clock_mono_ms(clock_system()) + START_MS;
	buf_init(&said, 1 << 20);
	while (!found && clock_mono_ms(clock_system()) < until) {
		char some[4096];
		if (poll(&p, 1, 100) <= 0)
			continue;
		ssize_t n = read(fd, some, sizeof some);
		if (n <= 0)
			break;
		buf_put(&said, some, (size_t)n);
		const char *at = strstr(buf_text(&said), "msg=\"Listening on\" address=");
		found = at != NULL && strchr(at, '\n') != NULL && sscanf(at + 27, "%40s", some) == 1;
		if (found)
			snprintf(url, sizeof url, "http://%.40s", some);
	}
	buf_release(&said);
	return found;
}

static bool start_program(const char *program)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_child(program, ends[1]);
	close(ends[1]);
	bool is_up = wait_for_address(ends[0]);
	if (is_up)
		return true; /* the pipe stays open: it goes on writing */
	close(ends[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	pid = 0;
	return false;
}

static void start_alertmanager(void)
{
	const char *given = getenv("PITWALL_ALERTMANAGER");
	const char *const names[] = { given != NULL ? given : "prometheus-alertmanager", given != NULL ? NULL : "alertmanager" };
	char config[128];
	snprintf(config, sizeof config, "%s/config.yml", folder);
	write_config(config);
	for (size_t i = 0; i < 2 && names[i] != NULL && pid == 0; i++)
		start_program(names[i]);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int set_up(void **state)
{
	struct why why;
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder) == NULL || loop_new(&loop, &why) != ERR_OK)
		return -1;
	start_alertmanager();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(loop);
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is seen ---- */

struct seen {
	int       n;       /* views */
	enum err  err;
	char      text[512];
	size_t    n_active, n_suppressed, n_ours; /* alerts */
	size_t    n_acks, n_mirrored;             /* silences that are active */
	char      ack_by[64], silence_id[AM_ID_MAX + 1];
	int64_t   silence_ends_ms;
	int64_t   ends_ms;                        /* of the last alert of ours */
	int       n_done;
	enum err  done_err;
	char      done_id[AM_ID_MAX + 1], done_text[512];
	bool      is_closed;
	struct alertmanager *a;
};

static void on_pulled(void *ctx, const struct am_view *v)
{
	struct seen *s = ctx;
	s->n++;
	s->err = v->err;
	snprintf(s->text, sizeof s->text, "%s", v->text);
	s->n_active = s->n_suppressed = s->n_ours = s->n_acks = s->n_mirrored = 0;
	s->ack_by[0] = s->silence_id[0] = '\0';
	if (v->err == ERR_OK && v->mirror_text[0] != '\0')
		print_message("mirror: %s\n", v->mirror_text);
	for (size_t i = 0; i < v->n_alerts; i++) {
		s->n_active += v->alerts[i].state == AM_ACTIVE;
		s->n_suppressed += v->alerts[i].state == AM_SUPPRESSED;
		s->n_ours += v->alerts[i].is_ours;
		s->ends_ms = v->alerts[i].is_ours ? v->alerts[i].ends_ms : s->ends_ms;
	}
	for (size_t i = 0; i < v->n_silences; i++) {
		const struct am_silence *one = &v->silences[i];
		if (one->state != AM_SILENCE_ACTIVE)
			continue;
		snprintf(s->silence_id, sizeof s->silence_id, "%s", one->id);
		s->silence_ends_ms = one->ends_ms;
		s->n_mirrored += am_is_mirrored(one, "shop");
		if (am_silence_is_ack(one) && !am_is_mirrored(one, "shop")) {
			s->n_acks++;
			snprintf(s->ack_by, sizeof s->ack_by, "%s", one->created_by);
		}
	}
}

static void on_silenced(void *ctx, enum err e, const char *id, const char *text)
{
	struct seen *s = ctx;
	s->n_done++;
	s->done_err = e;
	snprintf(s->done_id, sizeof s->done_id, "%s", id);
	snprintf(s->done_text, sizeof s->done_text, "%s", text);
}

static void on_closed(void *ctx) { ((struct seen *)ctx)->is_closed = true; }
static bool is_closed(const void *what) { return ((const struct seen *)what)->is_closed; }
static bool is_one_active(const void *what) { return ((const struct seen *)what)->n_active == 1 && ((const struct seen *)what)->n_ours == 1; }
static bool is_none(const void *what) { const struct seen *s = what; return s->n_active + s->n_suppressed == 0; }
static bool is_done(const void *what) { return ((const struct seen *)what)->n_done > 0; }
static bool has_no_silence(const void *what) { return ((const struct seen *)what)->silence_id[0] == '\0'; }
static bool has_ack(const void *what) { return ((const struct seen *)what)->n_acks == 1; }
static bool is_suppressed(const void *what) { return ((const struct seen *)what)->n_suppressed == 1; }
static bool are_two_mirrored(const void *what) { return ((const struct seen *)what)->n_mirrored == 2; }
static bool is_none_mirrored(const void *what) { return ((const struct seen *)what)->n_mirrored == 0; }
static bool was_asked(const void *what) { return ((const struct seen *)what)->n > 0; }

static void begin(const struct fleet_alertmanager *to, struct seen *s)
{
	struct am_options o = { .loop = loop, .clock = clock_system(), .to = to, .fleet = "shop", .version = "test", .interval_ms = 10000, .pull_ms = 50,
		                .pulled = on_pulled, .ctx = s };
	struct why why;
	*s = (struct seen){ .n = 0 };
	if (alertmanager_new(&o, &s->a, &why) != ERR_OK)
		fail_msg("%s", why.text);
}

static void finish(struct seen *s)
{
	alertmanager_close(s->a, on_closed, s);
	loop_turn_until(loop, is_closed, s, "the client closes");
}

/* Each case begins on an Alertmanager with no alerts that fire and no silences that hold. */
static bool is_there(void)
{
	if (pid > 0)
		return true;
	print_message("no Alertmanager is installed here: set PITWALL_ALERTMANAGER, or install prometheus-alertmanager\n");
	skip();
	return false;
}

static struct fleet_alertmanager real = { .name = "am", .url = url, .sends = true, .is_shown = true, .mirrors_acks = true, .mirror_ms = 120000,
	                                  .timeout_ms = 10000 };

/* ---- cases ---- */

static void test_push(void **state)
{
	struct seen s;
	int64_t now_ms = clock_wall_ms(clock_system());
	(void)state;
	if (!is_there())
		return;
	struct labels *l = labels_of("alertname", "Pushed", "node", "a", "text", "\"quoted\"\n", NULL), *notes = labels_of("summary", "it is hot", NULL);
	struct am_push one = { l, notes, now_ms - 60000, 0 };
	begin(&real, &s);
	assert_int_equal(alertmanager_set_alerts(s.a, &one, 1, NULL), ERR_OK);
	loop_turn_until(loop, is_one_active, &s, "it is there");
	assert_true(s.ends_ms > now_ms + 3 * 60000 && s.ends_ms < now_ms + 6 * 60000); /* four minutes */
	assert_int_equal(alertmanager_set_alerts(s.a, NULL, 0, NULL), ERR_OK);
	loop_turn_until(loop, is_none, &s, "it is over");
	finish(&s);
	labels_unref(l);
	labels_unref(notes);
}

static void test_silences(void **state)
{
	struct seen s;
	struct matcher_set m;
	char first[AM_ID_MAX + 1];
	int64_t now_ms = clock_wall_ms(clock_system());
	(void)state;
	if (!is_there())
		return;
	begin(&real, &s);
	matcher_set_init(&m);
	assert_int_equal(matcher_set_parse(&m, "alertname=Nothing,node=~\"gpu-.*\"", NULL), ERR_OK);
	struct am_silence_put put = { .id = "", .matchers = &m, .starts_ms = now_ms, .ends_ms = now_ms + 600000, .created_by = "bob", .comment = "ACK! mine" };
	assert_int_equal(alertmanager_silence(s.a, &put, on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "made");
	if (s.done_err != ERR_OK)
		fail_msg("%s", s.done_text);
	snprintf(first, sizeof first, "%s", s.done_id);
	loop_turn_until(loop, has_ack, &s, "seen as somebody's acknowledgement");
	assert_string_equal(s.ack_by, "bob");
	/* longer: it stays the same one, since its beginning is asked for first */
	s.n_done = 0;
	put.id = first;
	put.starts_ms = now_ms - 5000;
	put.ends_ms = now_ms + 1200000;
	assert_int_equal(alertmanager_silence(s.a, &put, on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "changed");
	assert_int_equal(s.done_err, ERR_OK);
	assert_string_equal(s.done_id, first);
	/* other matchers: Alertmanager makes another of it, and says so */
	s.n_done = 0;
	assert_int_equal(matcher_set_parse(&m, "a=b", NULL), ERR_OK);
	assert_int_equal(alertmanager_silence(s.a, &put, on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "changed again");
	assert_int_equal(s.done_err, ERR_OK);
	assert_string_not_equal(s.done_id, first);
	snprintf(first, sizeof first, "%s", s.done_id);
	s.n_done = 0;
	assert_int_equal(alertmanager_expire(s.a, first, on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "ended");
	assert_int_equal(s.done_err, ERR_OK);
	loop_turn_until(loop, has_no_silence, &s, "none holds");
	/* refused: it is over before it begins */
	s.n_done = 0;
	put.id = "";
	put.ends_ms = now_ms - 60000;
	assert_int_equal(alertmanager_silence(s.a, &put, on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "refused");
	assert_int_equal(s.done_err, ERR_FORMAT);
	assert_non_null(strstr(s.done_text, "answered 400"));
	s.n_done = 0;
	assert_int_equal(alertmanager_expire(s.a, "11111111-2222-3333-4444-555555555555", on_silenced, &s, NULL), ERR_OK);
	loop_turn_until(loop, is_done, &s, "not there");
	assert_int_not_equal(s.done_err, ERR_OK); /* 404, or 500 from older ones */
	assert_int_equal(alertmanager_expire(s.a, "../alerts", on_silenced, &s, NULL), ERR_FORMAT);
	matcher_set_release(&m);
	finish(&s);
}

static void test_mirror(void **state)
{
	struct seen s;
	struct labels *l[ALERTS];
	const struct labels *acked[ALERTS];
	struct am_push push[ALERTS];
	int64_t now_ms = clock_wall_ms(clock_system());
	(void)state;
	if (!is_there())
		return;
	for (int i = 0; i < ALERTS; i++) {
		char name[2] = { (char)('a' + i), '\0' };
		l[i] = labels_of("alertname", "Mirrored", "node", name, NULL);
		acked[i] = l[i];
		push[i] = (struct am_push){ l[i], NULL, now_ms - 1000, 0 };
	}
	struct am_ack ack = { .who = "ann", .comment = "on it", .alerts = acked, .n = 2 };
	begin(&real, &s);
	assert_int_equal(alertmanager_set_alerts(s.a, push, ALERTS, NULL), ERR_OK);
	assert_int_equal(alertmanager_set_acks(s.a, &ack, 1, NULL), ERR_OK);
	loop_turn_until(loop, are_two_mirrored, &s, "a silence for each");
	for (int i = 0; i < 3000 && !(s.n_suppressed == 2 && s.n_active == 1); i++)
		loop_turn_once(loop);
	assert_int_equal(s.n_active, 1); /* the one that nobody has taken on is not hidden */
	assert_int_equal(s.n_suppressed, 2);
	finish(&s);
	/* after a restart they are known again, and what is over by then ends */
	begin(&real, &s);
	assert_int_equal(alertmanager_set_alerts(s.a, push, ALERTS, NULL), ERR_OK);
	loop_turn_until(loop, are_two_mirrored, &s, "they are there, and nothing ends before it is said what holds");
	ack.n = 1;
	assert_int_equal(alertmanager_set_acks(s.a, &ack, 1, NULL), ERR_OK);
	loop_turn_until(loop, is_suppressed, &s, "one ended");
	assert_int_equal(s.n_mirrored, 1);
	assert_int_equal(alertmanager_set_acks(s.a, NULL, 0, NULL), ERR_OK);
	loop_turn_until(loop, is_none_mirrored, &s, "the other too");
	assert_int_equal(alertmanager_set_alerts(s.a, NULL, 0, NULL), ERR_OK);
	loop_turn_until(loop, is_none, &s, "all is over");
	finish(&s);
	for (int i = 0; i < ALERTS; i++)
		labels_unref(l[i]);
}

/* ---- others ---- */

static void test_not_one(void **state)
{
	static const struct {
		const char *label, *path;
		enum err    want;
		const char *text;
	} rows[] = {
		{ "something else", "/ok", ERR_FORMAT, "not JSON" },
		{ "nothing there", "/status/404?", ERR_NOT_FOUND, "answered 404" },
		{ "it is unwell", "/status/503?", ERR_NETWORK, "answered 503" },
		{ "no answer", "/hang", ERR_NETWORK, "has not answered" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen s;
		char where[128];
		struct peer *peer = peer_http_start();
		struct fleet_alertmanager to = { .name = "x", .url = where, .is_shown = true, .timeout_ms = 300 };
		snprintf(where, sizeof where, "http://127.0.0.1:%d%s", peer_port(peer), rows[i].path);
		begin(&to, &s);
		loop_turn_until(loop, was_asked, &s, rows[i].label);
		if (s.err != rows[i].want || strstr(s.text, rows[i].text) == NULL)
			fail_msg("%s: error %d, \"%s\"", rows[i].label, (int)s.err, s.text);
		finish(&s);
		peer_stop(peer);
	}
}

static void test_secret(void **state)
{
	struct seen s;
	char where[128], *text = malloc(65536);
	struct peer *peer = peer_http_start();
	struct fleet_auth auth = { .kind = FLEET_AUTH_BASIC, .user = "me", .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	struct fleet_alertmanager to = { .name = "x", .url = where, .is_shown = true, .auth = &auth, .timeout_ms = 5000 };
	(void)state;
	setenv("PITWALL_TEST_TOKEN", "sesame", 1);
	snprintf(where, sizeof where, "http://127.0.0.1:%d/prefix", peer_port(peer));
	begin(&to, &s);
	loop_turn_until(loop, was_asked, &s, "asked");
	peer_request(peer, 0, text, 65536);
	assert_non_null(strstr(text, "GET /prefix/api/v2/alerts HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "\r\nAuthorization: Basic bWU6c2VzYW1l\r\n"));
	finish(&s);
	peer_stop(peer);
	free(text);
}

/* Closed with all in flight, and while its secret is fetched. */
static void test_close(void **state)
{
	struct seen s;
	char where[128];
	struct peer *peer = peer_http_start();
	struct fleet_auth auth = { .kind = FLEET_AUTH_BASIC, .user = "me", .secret = { .kind = SECRET_ENV, .name = "PITWALL_TEST_TOKEN" } };
	struct fleet_alertmanager to = { .name = "x", .url = where, .is_shown = true, .mirrors_acks = true, .sends = true, .timeout_ms = 60000 };
	struct matcher_set m;
	(void)state;
	snprintf(where, sizeof where, "http://127.0.0.1:%d/hang", peer_port(peer));
	matcher_set_init(&m);
	assert_int_equal(matcher_set_parse(&m, "a=b", NULL), ERR_OK);
	struct am_silence_put put = { .id = "", .matchers = &m, .created_by = "a", .comment = "b" };
	begin(&to, &s);
	assert_int_equal(alertmanager_silence(s.a, &put, on_silenced, &s, NULL), ERR_OK);
	for (int i = 0; i < 3000 && peer_count(peer) < 2; i++)
		loop_turn_once(loop);
	finish(&s);
	assert_int_equal(s.n_done, 0);
	to.auth = &auth;
	begin(&to, &s);
	loop_turn_once(loop);
	finish(&s);
	matcher_set_release(&m);
	peer_stop(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_one), cmocka_unit_test(test_secret),   cmocka_unit_test(test_close),
		cmocka_unit_test(test_push),    cmocka_unit_test(test_silences), cmocka_unit_test(test_mirror),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
