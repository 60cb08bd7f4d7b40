/* SPDX-License-Identifier: Apache-2.0
 *
 * A console that carries out a redeploy loses its terminal, or is let go of: the run goes on in the same process until it has ended, or is interrupted, as the fleet file
 * or the person says. The node is a server of the test's, which is not ready before the test wants it. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/clock.h"
#include "deploy/plan.h"
#include "store/deployments.h"
#include "store/reader.h"
#include "tests/e2e/pty.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/deploy/small_server.h"

enum { DEADLINE_MS = 60 * 1000, POLL_MS = 10, PATH_ROOM = 160, ENVIRON_MAX = 256 * 1024 };

static struct why why;

struct stage {
	char           folder[64], config[PATH_ROOM], store[PATH_ROOM], mark[PATH_ROOM];
	struct small_server *server;
	atomic_bool    is_changed, may_serve; /* of the node: it was told to go to v1; it may be ready */
	struct pty    *pty;
	pid_t          pid; /* of the console */
	struct reader *reader;
	int64_t        id;  /* of the run */
};

static int64_t own_ms(void)
{
	return clock_mono_ms(clock_system());
}

static enum deployment_state state_of(struct stage *s);

static void wait_until(struct stage *s, const char *what, bool (*holds)(struct stage *s))
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (!holds(s)) {
		if (own_ms() > until)
			fail_msg("waited in vain: %s; the run is %s", what, s->id != 0 ? deployment_state_name(state_of(s)) : "none");
		if (s->pty != NULL)
			pty_pump(s->pty, 0); /* a terminal that is not read holds who writes to it */
		poll(NULL, 0, POLL_MS);
	}
}

/* ---- the fleet ---- */

static void serve(void *ctx, const struct small_request *r, char *to, size_t size)
{
	static const char page[] = "vllm:num_requests_running{model_name=\"chat\"} 3\nvllm:num_requests_waiting{model_name=\"chat\"} 4\n";
	struct stage *s = ctx;
	char body[128];
	if (strcmp(r->path, "/metrics") == 0) {
		snprintf(to, size, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(page), page);
	} else if (strcmp(r->path, "/ready") == 0) {
		small_answer(to, size, atomic_load(&s->may_serve) ? "200 OK" : "503 Service Unavailable", "", "{}");
	} else {
		if (strcmp(r->method, "PUT") == 0)
			atomic_store(&s->is_changed, true);
		snprintf(body, sizeof body, "{\"running\":\"%s\",\"versions\":[\"v2\",\"v1\"]}", atomic_load(&s->is_changed) ? "v1" : "v2");
		small_answer(to, size, "200 OK", "", body);
	}
}

static void write_config(const struct stage *s, const char *setting, const char *more)
{
	FILE *to = fopen(s->config, "w");
	assert_non_null(to);
	fprintf(to,
	        "fleet: hung\n%salerts: { builtin: false }\ndefaults: { interval: 1s, timeout: 1s }\ngroups:\n  - name: chat\n    model: chat\n    profile: vllm\n    port: %d\n"
	        "    nodes: [ { name: gpu-a-1, address: 127.0.0.1 } ]\n    deploy:\n      driver: http\n      running: driver\n      history: driver\n"
	        "      current: { url: '{url}/deployment', version: running }\n      list: { url: '{url}/deployment', versions: versions }\n"
	        "      apply: { method: PUT, url: '{url}/deployment', body: '{version}' }\n      check_ready: { url: '{url}/ready' }\n      soak: 0s\n"
	        "      gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 }\n%s",
	        setting, small_server_port(s->server), more);
	assert_int_equal(fclose(to), 0);
}

/* `more`: lines of `deploy`. */
static void make_with(struct stage *s, const char *setting, const char *more)
{
	memset(s, 0, sizeof *s);
	snprintf(s->folder, sizeof s->folder, "/tmp/pitwall-hangup-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->config, sizeof s->config, "%s/fleet.yml", s->folder);
	snprintf(s->store, sizeof s->store, "%s/s.db", s->folder);
	snprintf(s->mark, sizeof s->mark, "PITWALL_TEST_MARK=%s", s->folder);
	s->server = small_server_start(NULL, serve, s);
	write_config(s, setting, more);
}

static void make(struct stage *s, const char *setting) { make_with(s, setting, ""); }

static struct pty *start(struct stage *s, const char *const *argv)
{
	const char *env[] = { s->mark, NULL };
	const struct pty_options o = { .rows = 30, .cols = 120, .argv = argv, .env = env };
	return pty_start(&o);
}

static bool can_be_read(struct stage *s)
{
	return reader_open(s->store, READER_OWN, &s->reader, &why) == ERR_OK;
}

static struct pty *start_console(struct stage *s)
{
	const char *argv[] = { pitwall_path(), "--config", s->config, "--store", s->store, NULL };
	return start(s, argv);
}

static void begin_console(struct stage *s)
{
	s->pty = start_console(s);
	s->pid = pty_pid(s->pty);
	pty_wait_text(s->pty, "recorded by this console");
	pty_wait_text(s->pty, "1 ok"); /* or the gate would not find it well */
	wait_until(s, "the store can be read", can_be_read);
}

/* ---- what is left of it ---- */

/* Is that text in the environment of any process that we may look at? Those that the console began have it from there. */
static bool is_marked(const char *pid, const char *mark)
{
	static char text[ENVIRON_MAX];
	char path[300];
	snprintf(path, sizeof path, "/proc/%s/environ", pid);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof text, f) : 0;
	if (f != NULL)
		fclose(f);
	return memmem(text, n, mark, strlen(mark)) != NULL;
}

static bool nothing_is_left(struct stage *s)
{
	DIR *d = opendir("/proc");
	bool has_any = false;
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		has_any |= e->d_name[0] >= '0' && e->d_name[0] <= '9' && is_marked(e->d_name, s->mark);
	closedir(d);
	return !has_any;
}

/* No descriptor of the console leads to a terminal (any more). */
static bool has_let_go(struct stage *s)
{
	char folder[64], path[400], target[PATH_ROOM];
	bool has_terminal = false, looks_away = false;
	snprintf(folder, sizeof folder, "/proc/%d/fd", (int)s->pid);
	DIR *d = opendir(folder);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		ssize_t n = readlink(path, target, sizeof target - 1);
		target[n > 0 ? n : 0] = '\0';
		has_terminal |= strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
		looks_away |= strcmp(e->d_name, "0") == 0 && strcmp(target, "/dev/null") == 0;
	}
	if (d != NULL)
		closedir(d);
	return looks_away && !has_terminal;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void drop(struct stage *s)
{
	wait_until(s, "no process is left", nothing_is_left);
	small_server_stop(s->server);
	reader_close(s->reader);
	assert_int_equal(nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- what is asked, and what comes of it ---- */

struct outcome_of {
	enum err err;
	char     text[512];
};

static enum err keep_answer(void *ctx, const struct request_row *q)
{
	struct outcome_of *to = ctx;
	to->err = q->err;
	snprintf(to->text, sizeof to->text, "%s", q->text);
	return ERR_OK;
}

/* As a colleague's console does. */
static void ask_as(struct stage *s, struct request *r, const char *who)
{
	const struct spool_way way = { .store = s->store };
	struct outcome_of answer = { .err = ERR_LATER };
	int64_t until = own_ms() + DEADLINE_MS, now = clock_wall_ms(clock_system());
	assert_ok(request_new_id(now, r->id, &why));
	r->asked_ms = now;
	r->who = who;
	r->origin = "";
	while (spool_put(&way, r, &why) != ERR_OK || reader_request(s->reader, r->id, keep_answer, &answer, &why) != ERR_OK) {
		assert_true(own_ms() < until);
		while (s->pty != NULL && pty_pump(s->pty, 0))
			continue;
		poll(NULL, 0, POLL_MS);
		if (reader_request(s->reader, r->id, keep_answer, &answer, &why) == ERR_OK)
			break;
	}
	if (answer.err != ERR_OK)
		fail_msg("%s: %s", r->verb != NULL ? r->verb : "", answer.text);
}

static void ask(struct stage *s, struct request *r) { ask_as(s, r, "kim"); }

struct planned {
	char hash[PLAN_HASH], name[128];
	bool takes_name;
};

static enum err keep_plan(void *ctx, const struct deployment_at *d)
{
	struct planned *to = ctx;
	struct arena a;
	struct deploy_plan *p;
	const char *forbidden = "";
	arena_init(&a);
	assert_ok(plan_read(&a, d->row.plan, strlen(d->row.plan), &p, &why));
	if (plan_is_forbidden(p, &forbidden))
		fail_msg("the plan is forbidden: %s", forbidden);
	snprintf(to->hash, sizeof to->hash, "%s", d->row.hash);
	snprintf(to->name, sizeof to->name, "%s", p->name);
	to->takes_name = p->confirm == CONFIRM_NAME;
	arena_release(&a);
	return ERR_OK;
}

static bool has_begun(struct stage *s)
{
	return atomic_load(&s->is_changed);
}

static void plan_and_confirm(struct stage *s, struct planned *p)
{
	struct request r = { .kind = REQUEST_PLAN, .verb = "redeploy", .target = "chat", .to = "v1", .comment = "" };
	ask(s, &r);
	assert_ok(reader_deployment_of_request(s->reader, r.id, &s->id, &why));
	assert_ok(reader_deployment(s->reader, s->id, INT64_MAX - 1, keep_plan, p, &why));
	struct request yes = { .kind = REQUEST_CONFIRM, .deployment = s->id, .hash = p->hash, .name = p->takes_name ? p->name : "" };
	ask(s, &yes);
}

/* A redeploy to v1 is under way, and stays so. */
static void begin_run(struct stage *s)
{
	struct planned p;
	plan_and_confirm(s, &p);
	wait_until(s, "the step has begun", has_begun);
}

static void control(struct stage *s, const char *verb)
{
	struct request r = { .kind = REQUEST_CONTROL, .deployment = s->id, .verb = verb, .comment = "" };
	ask(s, &r);
}

/* ---- the journal ---- */

static enum err keep_state(void *ctx, const struct deployment_at *d)
{
	*(enum deployment_state *)ctx = d->last.state;
	return ERR_OK;
}

static enum deployment_state state_of(struct stage *s)
{
	enum deployment_state state = DEPLOYMENT_STATE_COUNT;
	assert_ok(reader_deployment(s->reader, s->id, INT64_MAX - 1, keep_state, &state, &why));
	return state;
}

static bool is_over(struct stage *s) { return deployment_is_over(state_of(s)); }
static bool is_interrupted(struct stage *s) { return state_of(s) == DEPLOYMENT_INTERRUPTED; }

static enum err see_change(void *ctx, const struct deployment_change *c)
{
	*(bool *)ctx |= c->state == DEPLOYMENT_INTERRUPTED;
	return ERR_OK;
}

static bool was_interrupted(struct stage *s)
{
	bool was = false;
	assert_ok(reader_deployment_changes(s->reader, s->id, INT64_MAX - 1, see_change, &was, &why));
	return was;
}

struct told {
	const char *action, *text;
	size_t      n;
};

static enum err see_audit(void *ctx, const struct audit_row *a)
{
	struct told *t = ctx;
	t->n += strcmp(a->action, t->action) == 0 && strcmp(a->subject, "chat") == 0 && strstr(a->detail, t->text) != NULL;
	return ERR_OK;
}

static enum err see_event(void *ctx, const struct event *e)
{
	struct told *t = ctx;
	t->n += strstr(e->text, t->text) != NULL;
	return ERR_OK;
}

/* Once in the audit, whose chain is whole, and once in the events. */
static void check_told(struct stage *s, const char *action, const char *text)
{
	struct told audit = { .action = action, .text = text }, events = { .text = text };
	int64_t rows;
	assert_ok(reader_audit(s->reader, 0, see_audit, &audit, &why));
	assert_ok(reader_audit_verify(s->reader, &rows, &why));
	assert_ok(reader_events(s->reader, NULL, "recorder", 0, INT64_MAX, SIZE_MAX, see_event, &events, &why));
	if (audit.n != 1 || events.n != 1)
		fail_msg("'%s' stands %zu times in the audit as %s, and %zu times in the events", text, audit.n, action, events.n);
}

/* ---- ways to leave ---- */

static void hang_up(struct stage *s) { pty_hang_up(s->pty); }

static void detach(struct stage *s)
{
	if (s->id != 0)
		pty_wait_text(s->pty, "redeploy of chat"); /* the console knows, too */
	pty_send(s->pty, ":detach\r");
	pty_wait_text(s->pty, "goes on in the background as process");
}

static void ask_to_leave(struct stage *s)
{
	pty_wait_text(s->pty, "redeploy of chat"); /* likewise */
	pty_send(s->pty, "q");
	pty_wait_text(s->pty, "leave pitwall?");
	pty_wait_text(s->pty, "redeploy of chat, v2 -> v1");
}

static void leave(struct stage *s)
{
	ask_to_leave(s);
	pty_send(s->pty, "\r");
	pty_wait_text(s->pty, "goes on in the background as process");
}

static void interrupt(struct stage *s)
{
	ask_to_leave(s);
	pty_send(s->pty, "i");
}

static void check_restored(struct stage *s, const char *label)
{
	struct termios now, before;
	pty_modes(s->pty, &now, &before);
	assert_row(label, now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag);
	assert_row(label, !pty_is_alternate(s->pty) && pty_is_cursor_visible(s->pty));
}

static int wait_exit(struct stage *s)
{
	int status = pty_wait_exit(s->pty);
	pty_free(s->pty);
	s->pty = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- tests ---- */

/* What keys and other programs send does not end it, and it can be asked as any recorder. */
static void check_at_work(struct stage *s)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGHUP };
	char pid[64];
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		assert_int_equal(kill(s->pid, numbers[i]), 0);
	struct pty *own = s->pty;
	s->pty = start_console(s);
	snprintf(pid, sizeof pid, "(pid %d)", (int)s->pid);
	pty_wait_text(s->pty, pid);
	pty_wait_text(s->pty, "redeploy of chat");
	struct request r = { .kind = REQUEST_NOTE, .comment = "it answers" };
	ask(s, &r);
	pty_send(s->pty, ":detach\r");
	pty_wait_text(s->pty, "another process records");
	console_leave(s->pty);
	s->pty = own;
	assert_int_equal(state_of(s), DEPLOYMENT_RUNNING);
}

static void test_goes_on(void **state)
{
	static const struct {
		const char *label, *setting;
		void      (*go)(struct stage *s);
		const char *action, *text;
		bool        is_lost; /* the terminal is */
	} rows[] = {
		{ "lost",                    "",                       hang_up, "hangup", "has lost its terminal: it goes on in the background until this has ended: redeploy of chat to v1", true },
		{ "lost, as the file says",  "on_hangup: finish\n",    hang_up, "hangup", "has lost its terminal: it goes on in the background until this has ended: redeploy of chat to v1", true },
		{ ":detach",                 "on_hangup: interrupt\n", detach,  "detach", "was let go of: it goes on in the background until this has ended: redeploy of chat to v1", false },
		{ "q and Enter",             "",                       leave,   "detach", "was let go of: it goes on in the background until this has ended: redeploy of chat to v1", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		make(&s, rows[i].setting);
		begin_console(&s);
		begin_run(&s);
		rows[i].go(&s);
		wait_until(&s, "it lets go of the terminal", has_let_go);
		if (!rows[i].is_lost)
			check_restored(&s, rows[i].label);
		if (i == 0)
			check_at_work(&s);
		assert_row(rows[i].label, state_of(&s) == DEPLOYMENT_RUNNING && kill(s.pid, 0) == 0);
		atomic_store(&s.may_serve, true);
		assert_row(rows[i].label, wait_exit(&s) == 0);
		assert_row(rows[i].label, state_of(&s) == DEPLOYMENT_DONE && !was_interrupted(&s));
		check_told(&s, rows[i].action, rows[i].text);
		drop(&s);
	}
}

/* The next recorder finds it unfinished. */
static void test_interrupts(void **state)
{
	static const struct {
		const char *label, *setting;
		void      (*go)(struct stage *s);
		int         code;
		const char *action, *text;
	} rows[] = {
		{ "lost",    "on_hangup: interrupt\n", hang_up,   128 + SIGHUP, "hangup",    "has lost its terminal: it ends, which interrupts: redeploy of chat to v1" },
		{ "q and i", "",                       interrupt, 0,            "interrupt", "is left: it ends, which interrupts: redeploy of chat to v1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		make(&s, rows[i].setting);
		begin_console(&s);
		begin_run(&s);
		rows[i].go(&s);
		int code = wait_exit(&s);
		if (code != rows[i].code && !(rows[i].code != 0 && code == 2)) /* the end of input may come before the signal */
			fail_msg("%s: it ended with %d", rows[i].label, code);
		check_told(&s, rows[i].action, rows[i].text);
		assert_row(rows[i].label, state_of(&s) == DEPLOYMENT_RUNNING); /* nobody has looked yet */
		s.pty = start_console(&s);
		wait_until(&s, "it is found interrupted", is_interrupted);
		pty_wait_text(s.pty, "a deployment is unfinished");
		control(&s, "abandon");
		pty_signal(s.pty, SIGTERM);
		assert_row(rows[i].label, wait_exit(&s) == 128 + SIGTERM);
		drop(&s);
	}
}

/* Whatever runs, until somebody ends it. */
static void test_records_on(void **state)
{
	static const struct {
		const char *label;
		bool        has_run;
		void      (*go)(struct stage *s);
	} rows[] = { { "a run", true, hang_up }, { "nothing runs", false, hang_up }, { "nothing runs, :detach", false, detach } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		make(&s, "on_hangup: record\n");
		begin_console(&s);
		if (rows[i].has_run)
			begin_run(&s);
		rows[i].go(&s);
		wait_until(&s, "it lets go of the terminal", has_let_go);
		atomic_store(&s.may_serve, true);
		if (rows[i].has_run)
			wait_until(&s, "the run is over", is_over);
		struct request r = { .kind = REQUEST_NOTE, .comment = "somebody is there" };
		ask(&s, &r);
		assert_row(rows[i].label, kill(s.pid, SIGTERM) == 0);
		assert_row(rows[i].label, wait_exit(&s) == 128 + SIGTERM);
		if (rows[i].has_run)
			assert_row(rows[i].label, state_of(&s) == DEPLOYMENT_DONE && !was_interrupted(&s));
		drop(&s);
	}
}

/* A plan that waits for a second person is waited for, and carried out. */
static void test_a_second_person_is_awaited(void **state)
{
	void (*const ways[])(struct stage *s) = { detach, leave, hang_up };
	char setting[200];
	(void)state;
	snprintf(setting, sizeof setting, "roles: { shared_accounts: [ '%s' ] }\n", getpwuid(getuid())->pw_name);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct stage s;
		struct planned p;
		make_with(&s, setting, "      two_person: true\n");
		begin_console(&s);
		plan_and_confirm(&s, &p);
		assert_int_equal(state_of(&s), DEPLOYMENT_WAITING);
		ways[i](&s);
		wait_until(&s, "it lets go of the terminal", has_let_go);
		assert_int_equal(state_of(&s), DEPLOYMENT_WAITING);
		struct request yes = { .kind = REQUEST_CONFIRM, .deployment = s.id, .hash = p.hash, .name = p.takes_name ? p.name : "" };
		ask_as(&s, &yes, "lee");
		atomic_store(&s.may_serve, true);
		assert_int_equal(wait_exit(&s), 0);
		assert_true(state_of(&s) == DEPLOYMENT_DONE && !was_interrupted(&s));
		drop(&s);
	}
}

static void test_nothing_to_go_on_with(void **state)
{
	struct stage s;
	(void)state;
	make(&s, "");
	begin_console(&s);
	pty_send(s.pty, ":detach\r");
	pty_wait_text(s.pty, "no redeploy or rollback is under way");
	console_leave(s.pty);
	s.pty = NULL;
	drop(&s);
}

/* The shell takes its terminal back, and has the console as a job that runs. */
static void test_under_a_shell(void **state)
{
	static const char *const argv[] = { "/bin/bash", "--norc", "--noprofile", "-i", NULL };
	struct stage s;
	char line[600];
	(void)state;
	if (access(argv[0], X_OK) != 0)
		skip();
	make(&s, "");
	s.pty = start(&s, argv);
	pty_send(s.pty, "PS1='READ''Y> '\r");
	pty_wait_text(s.pty, "READY>");
	snprintf(line, sizeof line, "%s --config %s --store %s\r", pitwall_path(), s.config, s.store);
	pty_send(s.pty, line);
	pty_wait_text(s.pty, "recorded by this console");
	pty_wait_text(s.pty, "1 ok");
	wait_until(&s, "the store can be read", can_be_read);
	begin_run(&s);
	detach(&s);
	pty_send(s.pty, "until jobs -r | grep -q pitwall; do sleep 0.05; done; echo the job ru''ns\r");
	pty_wait_text(s.pty, "the job runs");
	atomic_store(&s.may_serve, true);
	wait_until(&s, "the run is over", is_over);
	pty_send(s.pty, "wait; echo it en''ded with $?\r");
	pty_wait_text(s.pty, "it ended with 0");
	pty_send(s.pty, "exit\r");
	wait_exit(&s);
	assert_true(state_of(&s) == DEPLOYMENT_DONE && !was_interrupted(&s));
	drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_records_on),
		cmocka_unit_test(test_nothing_to_go_on_with),
		cmocka_unit_test(test_a_second_person_is_awaited),
		cmocka_unit_test(test_under_a_shell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
