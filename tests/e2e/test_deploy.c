/* SPDX-License-Identifier: Apache-2.0
 *
 * A bad version is rolled back on the simulated fleet by the real recorder, which is killed with -9 before and after each step of the run; the next recorder finds it
 * unfinished, and resumes or undoes it as it is asked. Whatever happens, in the end all nodes serve what the journal says. PITWALL_KILLS=all takes every moment, else some are taken.
 * And two people who confirm at the same instant: one acts, the other is told who does. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "deploy/plan.h"
#include "sim/sim.h"
#include "store/deployments.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/store_folder.h"

enum { NODES = 12, SEED = 1, SPEED = 8, DEADLINE_MS = 120 * 1000, POLL_MS = 20, HIT_MAX = 8, YAML_MAX = 256 * 1024, TRIES = 100 };

static struct why why;

/* The simulator's time runs faster, so that loading a version does not take its seconds. */
struct fast_clock {
	struct clock clock;
	int64_t      start_us;
};

static int64_t fast_mono(const struct clock *c)
{
	const struct fast_clock *f = (const struct fast_clock *)(const void *)c;
	return f->start_us + (clock_mono_us(clock_system()) - f->start_us) * SPEED;
}

static int64_t real_wall(const struct clock *c)
{
	(void)c;
	return clock_wall_ms(clock_system());
}

struct stage {
	bool                is_auto; /* it rolls back by itself */
	bool                takes_two, is_shared; /* a second person has to confirm; several people use this account */
	struct store_folder folder;
	char                config[128], rules[128];
	struct fast_clock   clock;
	struct sim         *sim;
	char                group[64], old[64], new[64];
	size_t              first, n; /* nodes of the group */
	pid_t               recorder;
	struct reader      *reader;
};

static int64_t own_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* ---- the fleet ---- */

/* The group that the incident hits, and its two versions. */
static void find_group(struct stage *s)
{
	struct sim_truth t, first;
	int64_t until = own_ms() + DEADLINE_MS;
	for (bool found = false; !found; poll(NULL, 0, POLL_MS)) {
		assert_true(own_ms() < until);
		for (size_t i = 0; i < sim_count(s->sim) && !found; i++) {
			sim_truth(s->sim, i, &t);
			found = t.incident != NULL && strcmp(t.incident, "bad-deploy") == 0;
		}
	}
	snprintf(s->group, sizeof s->group, "%s", t.group);
	snprintf(s->new, sizeof s->new, "%s", t.version);
	for (size_t i = 0; i < sim_count(s->sim); i++) {
		sim_truth(s->sim, i, &first);
		if (strcmp(first.group, s->group) != 0)
			continue;
		s->first = s->n++ == 0 ? i : s->first;
		if (strcmp(first.version, s->new) != 0)
			snprintf(s->old, sizeof s->old, "%s", first.version);
	}
	assert_true(s->n >= 2 && s->old[0] != '\0');
}

/* The simulator's own file, faster. */
static void write_config(struct stage *s)
{
	struct buf yaml;
	FILE *to = fopen(s->config, "w");
	assert_non_null(to);
	buf_init(&yaml, YAML_MAX);
	assert_ok(sim_fleet_yaml(s->sim, &yaml));
	fputs("alerts: { builtin: false }\nrules: [ rules.yml ]\n", to);
	if (s->is_shared)
		fprintf(to, "roles: { shared_accounts: [ %s ] }\n", getpwuid(getuid())->pw_name);
	for (char *line = yaml.data, *end; line != NULL && *line != '\0'; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (strncmp(line, "defaults:", 9) == 0)
			fputs("defaults: { interval: 200ms, timeout: 200ms }\n", to);
		else if (strstr(line, " soak: ") != NULL)
			fprintf(to, "      auto_rollback: %s\n      two_person: %s\n      waves: [ 1, 100%% ]\n      soak: 2s\n"
			            "      gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 }\n",
			        s->is_auto ? "{ for: 0s, per_day: 1 }" : "no", s->takes_two ? "true" : "false");
		else
			fprintf(to, "%s\n", line);
	}
	buf_release(&yaml);
	assert_int_equal(fclose(to), 0);
}

static void write_rules(struct stage *s)
{
	FILE *to = fopen(s->rules, "w");
	assert_non_null(to);
	fputs("groups:\n- name: r\n  interval: 500ms\n  rules:\n"
	      "  - { alert: Mixed, expr: 'count by (model) (count by (model, version) (signal:model_version)) > 1', labels: { severity: critical },"
	      " annotations: { summary: 'two versions' } }\n", to);
	assert_int_equal(fclose(to), 0);
}

static void start_recorder(struct stage *s)
{
	const char *argv[] = { pitwall_path(), "record", "--config", s->config, "--store", s->folder.path, NULL };
	s->recorder = fork();
	assert_true(s->recorder >= 0);
	if (s->recorder == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
}

static void stop_recorder(struct stage *s, int signal_number)
{
	int status;
	kill(s->recorder, signal_number);
	assert_int_equal(waitpid(s->recorder, &status, 0), s->recorder);
	s->recorder = 0;
}

static void open_reader(struct stage *s)
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (reader_open(s->folder.path, READER_OWN, &s->reader, &why) != ERR_OK) {
		assert_true(own_ms() < until);
		poll(NULL, 0, POLL_MS);
	}
}

static void make_fleet(struct stage *s, const char *incident)
{
	const char *const incidents[] = { incident };
	store_folder_make(&s->folder, "deploy");
	snprintf(s->config, sizeof s->config, "%s/fleet.yml", s->folder.folder);
	snprintf(s->rules, sizeof s->rules, "%s/rules.yml", s->folder.folder);
	s->clock = (struct fast_clock){ .clock = { .wall_ms = real_wall, .mono_us = fast_mono }, .start_us = clock_mono_us(clock_system()) };
	const struct sim_options o = { .nodes = NODES, .seed = SEED, .incidents = incidents, .n_incidents = 1, .clock = &s->clock.clock };
	assert_ok(sim_new(&o, &s->sim, &why));
	assert_ok(sim_start(s->sim, &why));
	write_config(s);
	write_rules(s);
}

static void make(struct stage *s)
{
	*s = (struct stage){ .takes_two = s->takes_two, .is_shared = s->is_shared };
	make_fleet(s, "bad-deploy@0");
	find_group(s);
	start_recorder(s);
	open_reader(s);
}

/* What a recorder that was killed has left of requests. */
static void remove_folder(const char *path)
{
	DIR *d = opendir(path);
	char name[600];
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		unlink(name);
	}
	if (d != NULL)
		closedir(d);
	rmdir(path);
}

static void drop(struct stage *s)
{
	char path[200];
	if (s->recorder != 0)
		stop_recorder(s, SIGTERM);
	reader_close(s->reader);
	sim_free(s->sim);
	unlink(s->config);
	unlink(s->rules);
	snprintf(path, sizeof path, "%s-requests", s->folder.path);
	remove_folder(path);
	store_folder_remove(&s->folder);
}

/* ---- what is asked, and what comes of it ---- */

static void ask(struct stage *s, struct request *r, const char *who)
{
	const struct spool_way way = { .store = s->folder.path };
	int64_t until = own_ms() + DEADLINE_MS, now = clock_wall_ms(clock_system());
	assert_ok(request_new_id(now, r->id, &why));
	r->asked_ms = now;
	r->who = who;
	r->origin = "";
	while (spool_put(&way, r, &why) != ERR_OK) { /* nobody has recorded there yet */
		assert_true(own_ms() < until);
		poll(NULL, 0, POLL_MS);
	}
}

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

static void wait_answer(struct stage *s, const struct request *r, struct outcome_of *to)
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (reader_request(s->reader, r->id, keep_answer, to, &why) != ERR_OK) {
		assert_true(own_ms() < until);
		poll(NULL, 0, POLL_MS);
	}
}

struct planned {
	int64_t id;
	char    hash[PLAN_HASH], name[128];
	bool    takes_name;
};

static enum err keep_plan(void *ctx, const struct deployment_at *d)
{
	struct planned *to = ctx;
	struct arena a;
	struct deploy_plan *p;
	arena_init(&a);
	assert_ok(plan_read(&a, d->row.plan, strlen(d->row.plan), &p, &why));
	const char *forbidden = "";
	if (plan_is_forbidden(p, &forbidden))
		fail_msg("the plan is forbidden: %s", forbidden);
	snprintf(to->hash, sizeof to->hash, "%s", d->row.hash);
	snprintf(to->name, sizeof to->name, "%s", p->name);
	to->takes_name = p->confirm == CONFIRM_NAME;
	arena_release(&a);
	return ERR_OK;
}

static void plan(struct stage *s, const char *who, struct planned *to)
{
	char target[128];
	struct outcome_of answer;
	snprintf(target, sizeof target, "group:%s", s->group);
	struct request r = { .kind = REQUEST_PLAN, .verb = "rollback", .target = target, .to = s->old, .comment = "it is bad" };
	ask(s, &r, who);
	wait_answer(s, &r, &answer);
	if (answer.err != ERR_OK)
		fail_msg("no plan: %s", answer.text);
	assert_ok(reader_deployment_of_request(s->reader, r.id, &to->id, &why));
	assert_ok(reader_deployment(s->reader, to->id, INT64_MAX - 1, keep_plan, to, &why));
}

static struct request confirmation(const struct planned *p)
{
	return (struct request){ .kind = REQUEST_CONFIRM, .deployment = p->id, .hash = p->hash, .name = p->takes_name ? p->name : "" };
}

static void control(struct stage *s, int64_t id, const char *verb)
{
	struct outcome_of answer;
	struct request r = { .kind = REQUEST_CONTROL, .deployment = id, .verb = verb, .comment = "" };
	ask(s, &r, "kim");
	wait_answer(s, &r, &answer);
	if (answer.err != ERR_OK)
		fail_msg("%s: %s", verb, answer.text);
}

/* ---- the journal ---- */

static enum err keep_state(void *ctx, const struct deployment_at *d)
{
	*(enum deployment_state *)ctx = d->last.state;
	return ERR_OK;
}

static enum deployment_state state_of(struct stage *s, int64_t id)
{
	enum deployment_state state = DEPLOYMENT_STATE_COUNT;
	assert_ok(reader_deployment(s->reader, id, INT64_MAX - 1, keep_state, &state, &why));
	return state;
}

static enum err count_moment(void *ctx, const struct deployment_step *step)
{
	*(int *)ctx += step->ended_ms != 0 ? 2 : 1;
	return ERR_OK;
}

/* How many beginnings and ends of steps and gates stand in the journal. */
static int moments(struct stage *s, int64_t id)
{
	int n = 0;
	assert_ok(reader_deployment_steps(s->reader, id, INT64_MAX - 1, count_moment, &n, &why));
	return n;
}

static enum deployment_state wait_state(struct stage *s, int64_t id, bool (*is_it)(enum deployment_state))
{
	int64_t until = own_ms() + DEADLINE_MS;
	enum deployment_state state;
	while (!is_it(state = state_of(s, id))) {
		if (own_ms() >= until)
			fail_msg("it stays %s, after %d moments", deployment_state_name(state), moments(s, id));
		poll(NULL, 0, POLL_MS);
	}
	return state;
}

static bool is_settled(enum deployment_state s)
{
	return deployment_is_over(s) || s == DEPLOYMENT_INTERRUPTED || s == DEPLOYMENT_STOPPED;
}

static enum err see_open(void *ctx, const struct deployment_step *step)
{
	(void)ctx;
	if (step->ended_ms == 0)
		fail_msg("step %lld '%s' of '%s' stands as begun for ever", (long long)step->seq, step->title, step->unit);
	return ERR_OK;
}

/* What the nodes serve is what the journal says. */
static void check_end(struct stage *s, int64_t id, enum deployment_state state, const bool *was_new)
{
	int64_t until = own_ms() + DEADLINE_MS;
	for (size_t i = 0; i < s->n; i++) {
		struct sim_truth t;
		const char *want = state == DEPLOYMENT_DONE ? s->old : was_new[i] ? s->new : s->old;
		for (sim_truth(s->sim, s->first + i, &t); strcmp(t.version, want) != 0 || !t.is_up; sim_truth(s->sim, s->first + i, &t)) {
			if (own_ms() >= until)
				fail_msg("%s serves %s, and the deployment is %s", t.name, t.version, deployment_state_name(state));
			poll(NULL, 0, POLL_MS);
		}
	}
	if (state == DEPLOYMENT_DONE)
		assert_ok(reader_deployment_steps(s->reader, id, INT64_MAX - 1, see_open, NULL, &why));
}

static void look_at_versions(struct stage *s, bool *is_new)
{
	for (size_t i = 0; i < s->n; i++) {
		struct sim_truth t;
		sim_truth(s->sim, s->first + i, &t);
		is_new[i] = strcmp(t.version, s->new) == 0;
	}
}

/* ---- tests ---- */

static int run_undisturbed(void)
{
	struct stage s = { .takes_two = false };
	struct planned p;
	bool was_new[NODES];
	struct outcome_of answer;
	make(&s);
	look_at_versions(&s, was_new);
	plan(&s, "kim", &p);
	struct request r = confirmation(&p);
	ask(&s, &r, "kim");
	wait_answer(&s, &r, &answer);
	assert_int_equal(answer.err, ERR_OK);
	assert_int_equal(wait_state(&s, p.id, deployment_is_over), DEPLOYMENT_DONE);
	check_end(&s, p.id, DEPLOYMENT_DONE, was_new);
	int n = moments(&s, p.id);
	drop(&s);
	return n;
}

/* The recorder dies when so many moments stand in the journal. False: the run was over before. */
static void kill_at(int moment, const char *then)
{
	struct stage s = { .takes_two = false };
	struct planned p;
	bool was_new[NODES];
	int64_t until = own_ms() + DEADLINE_MS;
	make(&s);
	look_at_versions(&s, was_new);
	plan(&s, "kim", &p);
	struct request r = confirmation(&p);
	ask(&s, &r, "kim");
	while (moments(&s, p.id) < moment && !deployment_is_over(state_of(&s, p.id))) {
		assert_true(own_ms() < until);
		poll(NULL, 0, 1);
	}
	stop_recorder(&s, SIGKILL);
	start_recorder(&s);
	enum deployment_state state = wait_state(&s, p.id, is_settled);
	if (state == DEPLOYMENT_INTERRUPTED) {
		control(&s, p.id, then);
		state = wait_state(&s, p.id, deployment_is_over);
		assert_int_equal(state, strcmp(then, "undo") == 0 ? DEPLOYMENT_UNDONE : DEPLOYMENT_DONE);
	}
	check_end(&s, p.id, state, was_new);
	drop(&s);
}

static void test_kill(void **state)
{
	const char *all = getenv("PITWALL_KILLS");
	int n = run_undisturbed(), step = all != NULL && strcmp(all, "all") == 0 ? 1 : n / 4 + 1;
	(void)state;
	assert_true(n >= 6);
	for (int moment = 0; moment <= n; moment += step)
		kill_at(moment, moment / step % 2 == 0 ? "resume" : "undo");
}

/* Both have a plan; both say yes before the recorder looks. */
static void test_two_people(void **state)
{
	struct stage s = { .takes_two = false };
	(void)state;
	make(&s);
	int tries = getenv("PITWALL_KILLS") != NULL ? TRIES : 3;
	for (int i = 0; i < tries; i++) {
		struct planned p[2];
		struct outcome_of answers[2];
		struct request r[2];
		static const char *const who[2] = { "kim", "lee" };
		for (int k = 0; k < 2; k++) {
			plan(&s, who[k], &p[k]);
			r[k] = confirmation(&p[k]);
		}
		for (int k = 0; k < 2; k++)
			ask(&s, &r[k], who[(k + i) % 2]);
		for (int k = 0; k < 2; k++)
			wait_answer(&s, &r[k], &answers[k]);
		int winner = answers[0].err == ERR_OK ? 0 : 1;
		assert_int_equal(answers[winner].err, ERR_OK);
		assert_int_equal(answers[1 - winner].err, ERR_LATER);
		assert_non_null(strstr(answers[1 - winner].text, who[(winner + i) % 2]));
		control(&s, p[winner].id, "undo");
		wait_state(&s, p[winner].id, deployment_is_over);
	}
	drop(&s);
}

static enum err confirm_as(struct stage *s, const struct planned *p, const char *who)
{
	struct outcome_of answer;
	struct request r = confirmation(p);
	ask(s, &r, who);
	wait_answer(s, &r, &answer);
	return answer.err;
}

/* A name is what somebody claims: two of them on one account are two people only where the fleet file says so. */
static void test_second_person(void **state)
{
	(void)state;
	for (int is_shared = 0; is_shared < 2; is_shared++) {
		struct stage s = { .takes_two = true, .is_shared = is_shared != 0 };
		struct planned p;
		make(&s);
		plan(&s, "kim", &p);
		assert_int_equal(confirm_as(&s, &p, "kim"), ERR_OK);
		assert_int_equal(state_of(&s, p.id), DEPLOYMENT_WAITING);
		assert_int_equal(confirm_as(&s, &p, "kim"), ERR_DENIED);
		assert_int_equal(confirm_as(&s, &p, "lee"), is_shared ? ERR_OK : ERR_DENIED);
		if (is_shared)
			assert_int_equal(wait_state(&s, p.id, deployment_is_over), DEPLOYMENT_DONE);
		else
			assert_int_equal(state_of(&s, p.id), DEPLOYMENT_WAITING);
		drop(&s);
	}
}

static enum err keep_deployment(void *ctx, const struct deployment_at *d)
{
	struct deployment_at *to = ctx;
	to->row.id++; /* how many */
	assert_string_equal(d->row.kind, "rollback");
	assert_string_equal(d->row.actor.who, "pitwall");
	assert_string_equal(d->row.scope, d->row.target);
	to->last.state = d->last.state;
	return ERR_OK;
}

/* As the fleet file allows: just what changed is taken back, where it changed, once. */
static void test_by_itself(void **state)
{
	struct stage s = { .is_auto = true };
	struct deployment_at seen = { .last = { .state = DEPLOYMENT_STATE_COUNT } };
	bool was_new[NODES] = { false };
	(void)state;
	make_fleet(&s, "bad-deploy@320");
	start_recorder(&s);
	find_group(&s);
	open_reader(&s);
	for (int64_t until = own_ms() + DEADLINE_MS; seen.last.state != DEPLOYMENT_DONE; poll(NULL, 0, POLL_MS)) {
		if (own_ms() >= until)
			fail_msg("%lld rollbacks, the last is %d", (long long)seen.row.id, (int)seen.last.state);
		seen.row.id = 0;
		assert_ok(reader_deployments(s.reader, 0, INT64_MAX - 1, 10, keep_deployment, &seen, &why));
	}
	assert_int_equal(seen.row.id, 1);
	check_end(&s, 1, DEPLOYMENT_DONE, was_new);
	drop(&s);
}

static enum err count_firing(void *ctx, const struct alert_row *a)
{
	*(size_t *)ctx += a->fired_ms != 0 && a->resolved_ms == 0;
	return ERR_OK;
}

static size_t n_firing(struct stage *s)
{
	size_t n = 0;
	assert_ok(reader_alerts(s->reader, clock_wall_ms(clock_system()), 0, 0, count_firing, &n, &why));
	return n;
}

/* The whole way, as somebody at a console takes it: a bad version comes, the alert, R, y, the waves and gates, and the alert is over. */
static void test_console(void **state)
{
	struct stage s = { .takes_two = false };
	(void)state;
	make_fleet(&s, "bad-deploy@320"); /* of the simulator's seconds: the version before is seen to be good for a while */
	const char *const argv[] = { pitwall_path(), "--config", s.config, "--store", s.folder.path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "FLEET");
	find_group(&s);
	open_reader(&s);
	int64_t until = own_ms() + DEADLINE_MS;
	while (n_firing(&s) == 0) {
		assert_true(own_ms() < until);
		pty_pump(p, POLL_MS);
	}
	pty_send(p, "2");
	pty_wait_text(p, "Mixed");
	pty_send(p, "Ry"); /* what is typed ahead confirms nothing */
	pty_wait_text(p, "SHEET");
	pty_wait_text(p, "\u25ba y starts it"); /* armed */
	pty_send_n(p, "\033[200~y\033[201~", 13); /* nor what is pasted */
	pty_wait_no_text(p, "\u25ba y starts it");
	pty_wait_text(p, "\u25ba y starts it");
	int64_t id = 0;
	assert_ok(reader_deployment_id(s.reader, &id, &why));
	assert_true(id > 0);
	assert_int_equal(state_of(&s, id), DEPLOYMENT_PLANNED);
	pty_send(p, "y");
	for (until = own_ms() + DEADLINE_MS; state_of(&s, id) == DEPLOYMENT_PLANNED; pty_pump(p, POLL_MS))
		assert_true(own_ms() < until);
	while (!deployment_is_over(state_of(&s, id))) {
		assert_true(own_ms() < until + 2 * DEADLINE_MS);
		pty_pump(p, POLL_MS);
	}
	assert_int_equal(state_of(&s, id), DEPLOYMENT_DONE);
	pty_wait_text(p, "done");
	pty_send(p, "1");
	pty_wait_text(p, "FLEET");
	for (until = own_ms() + DEADLINE_MS; n_firing(&s) > 0; pty_pump(p, POLL_MS))
		assert_true(own_ms() < until);
	console_leave(p);
	drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console),    cmocka_unit_test(test_by_itself), cmocka_unit_test(test_second_person),
		cmocka_unit_test(test_two_people), cmocka_unit_test(test_kill),
	};
	return cmocka_run_group_tests_name("deploy", tests, NULL, NULL);
}
