/* SPDX-License-Identifier: Apache-2.0
 *
 * A bad version is rolled back on the simulated fleet by the real recorder, which is killed with -9 before and after each step of the run; the next recorder finds it
 * unfinished, and resumes or undoes it as it is asked, there or from a second console. Whatever happens, in the end all nodes serve what the journal says. PITWALL_KILLS=all takes
 * every moment, else some are taken (`make soak-deploy`). And two people who confirm at the same instant: one acts, the other is told who does. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "deploy/plan.h"
#include "sim/sim.h"
#include "store/deployments.h"
#include "tests/e2e/small_fleet.h"
#include "tests/unit/store_folder.h"

enum { NODES = 24 /* at most */, FEW_NODES = 12, RESUMES_MAX = 5, SEED = 1, SPEED = 8, DEADLINE_MS = 120 * 1000, POLL_MS = 20, HIT_MAX = 8, YAML_MAX = 256 * 1024, TRIES = 100, MANY = 34 /* more plans than wait at once */,
       LATER_MS = 60 /* what is sent when a step was written, and its answer, fall into that */ };

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
	int                 nodes;        /* 0: FEW_NODES */
	const char         *severity;     /* of the alert; NULL: critical, which no gate passes that began before it */
	bool                has_consoles; /* two of them; the first records, and there is no other recorder */
	pid_t               recorder;
	struct pty         *consoles[2]; /* NULL: it was not begun, or is gone */
	struct reader      *reader;
};

/* Reads what consoles write meanwhile. */
static void pass(struct stage *s, int ms)
{
	bool has_any = false;
	for (size_t i = 0; i < 2; i++)
		if (s->consoles[i] != NULL) {
			has_any = true;
			pty_pump(s->consoles[i], ms / 2);
		}
	if (!has_any)
		poll(NULL, 0, ms);
}

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
			fputs("defaults: { interval: 1s, timeout: 1s }\n", to);
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
	fprintf(to, "groups:\n- name: r\n  interval: 500ms\n  rules:\n"
	      "  - { alert: Mixed, expr: 'count by (model) (count by (model, version) (signal:model_version)) > 1', labels: { severity: %s },"
	      " annotations: { summary: 'two versions' } }\n", s->severity != NULL ? s->severity : "critical");
	assert_int_equal(fclose(to), 0);
}

static void start_recorder(struct stage *s)
{
	const char *argv[] = { pitwall_path(), "record", "--config", s->config, "--store", s->folder.path, NULL };
	s->recorder = fork();
	assert_true(s->recorder >= 0);
	if (s->recorder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
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
	const struct sim_options o = { .nodes = s->nodes > 0 ? s->nodes : FEW_NODES, .seed = SEED, .incidents = incidents, .n_incidents = 1, .clock = &s->clock.clock };
	assert_ok(sim_new(&o, &s->sim, &why));
	assert_ok(sim_start(s->sim, &why));
	write_config(s);
	write_rules(s);
}

static void start_console(struct stage *s, size_t i)
{
	const char *const argv[] = { pitwall_path(), "--config", s->config, "--store", s->folder.path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	s->consoles[i] = pty_start(&o);
	pty_wait_text(s->consoles[i], i == 0 ? "recorded by this console" : "FLEET");
}

static bool takes_all(void)
{
	const char *all = getenv("PITWALL_KILLS");
	return all != NULL && strcmp(all, "all") == 0;
}

/* On the heap: where a test fails, its simulator still runs. */
static struct stage *stage_new(struct stage of)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	*s = of;
	return s;
}

/* `of`: takes_two, is_shared, has_consoles. */
static struct stage *make(struct stage of)
{
	struct stage *s = stage_new(of);
	s->severity = "warning";
	s->nodes = takes_all() ? NODES : FEW_NODES;
	make_fleet(s, "bad-deploy@0");
	find_group(s);
	if (s->has_consoles)
		start_console(s, 0);
	else
		start_recorder(s);
	open_reader(s);
	if (s->has_consoles)
		start_console(s, 1);
	return s;
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
	for (size_t i = 0; i < 2; i++)
		if (s->consoles[i] != NULL) {
			pty_send(s->consoles[i], "1");
			pty_wait_text(s->consoles[i], "FLEET");
			console_leave(s->consoles[i]);
		}
	reader_close(s->reader);
	sim_free(s->sim);
	unlink(s->config);
	unlink(s->rules);
	snprintf(path, sizeof path, "%s-requests", s->folder.path);
	remove_folder(path);
	store_folder_remove(&s->folder);
	free(s);
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
		pass(s, POLL_MS);
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
		pass(s, POLL_MS);
	}
}

struct planned {
	int64_t id;
	char    hash[PLAN_HASH], name[128], target[128];
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
	snprintf(to->target, sizeof to->target, "%s", d->row.target);
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

static enum err tell_change(void *ctx, const struct deployment_change *c)
{
	(void)ctx;
	print_message("%s by '%s': %s\n", deployment_state_name(c->state), c->actor.who, c->text);
	return ERR_OK;
}

static enum deployment_state wait_state(struct stage *s, int64_t id, bool (*is_it)(enum deployment_state))
{
	int64_t until = own_ms() + DEADLINE_MS;
	enum deployment_state state;
	while (!is_it(state = state_of(s, id))) {
		if (own_ms() >= until) {
			reader_deployment_changes(s->reader, id, INT64_MAX - 1, tell_change, NULL, &why);
			fail_msg("it stays %s, after %d moments", deployment_state_name(state), moments(s, id));
		}
		pass(s, POLL_MS);
	}
	return state;
}

static enum err see_back(void *ctx, const struct deployment_change *c)
{
	*(bool *)ctx |= c->state == DEPLOYMENT_UNDOING;
	return ERR_OK;
}

static bool is_on_its_way_back(struct stage *s, int64_t id)
{
	bool is_back = false;
	assert_ok(reader_deployment_changes(s->reader, id, INT64_MAX - 1, see_back, &is_back, &why));
	return is_back;
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
			pass(s, POLL_MS);
		}
	}
	if (deployment_is_over(state))
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

/* To its end, as a person leads it who wants it done: a node that did not answer in time, on a machine that has much else to do, is tried again. */
static enum deployment_state lead(struct stage *s, int64_t id, const char *verb)
{
	enum deployment_state state;
	for (int i = 0; !deployment_is_over(state = wait_state(s, id, is_settled)); i++) {
		assert_true(i < RESUMES_MAX);
		control(s, id, verb);
	}
	return state;
}

static int run_undisturbed(void)
{
	struct stage *s = make((struct stage){ .takes_two = false });
	struct planned p;
	bool was_new[NODES];
	struct outcome_of answer;
	look_at_versions(s, was_new);
	plan(s, "kim", &p);
	struct request r = confirmation(&p);
	ask(s, &r, "kim");
	wait_answer(s, &r, &answer);
	assert_int_equal(answer.err, ERR_OK);
	assert_int_equal(lead(s, p.id, "resume"), DEPLOYMENT_DONE);
	check_end(s, p.id, DEPLOYMENT_DONE, was_new);
	int n = moments(s, p.id);
	drop(s);
	return n;
}

struct kill {
	int         moment;       /* so many stand in the journal */
	int         later_ms;     /* and so long after that: what a step sends is on its way then, or was answered */
	const char *then;         /* "resume", "undo" */
	bool        has_consoles; /* of two consoles the one that records is killed, and the other one goes on */
	bool        is_on_the_way_back; /* the run is being undone: the moments are those of its way back */
};

/* The last thing that the dead one did may be that the run was over, or its confirmation lies there still. */
static void kill_recorder(struct stage *s)
{
	if (!s->has_consoles) {
		stop_recorder(s, SIGKILL);
		start_recorder(s);
		return;
	}
	pty_signal(s->consoles[0], SIGKILL);
	pty_wait_exit(s->consoles[0]);
	pty_free(s->consoles[0]);
	s->consoles[0] = NULL;
}

/* As a person at the console does who is told that a run is unfinished. */
static void control_by_console(struct stage *s, const struct planned *p, const char *then)
{
	struct pty *c = s->consoles[1];
	pty_wait_text(c, "a deployment is unfinished");
	pty_send(c, "\r");
	pty_wait_text(c, "DEPLOY");
	pty_wait_text(c, "interrupted");
	if (strcmp(then, "undo") == 0) {
		pty_send(c, "u");
		pty_wait_text(c, "put all back?");
		pty_send(c, p->target);
	} else {
		pty_send(c, " ");
		pty_wait_text(c, "go on?");
	}
	pty_send(c, "\r");
	for (int64_t until = own_ms() + DEADLINE_MS; state_of(s, p->id) == DEPLOYMENT_INTERRUPTED; pass(s, POLL_MS))
		assert_true(own_ms() < until);
}

static void wait_moments(struct stage *s, int64_t id, int n)
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (moments(s, id) < n && !is_settled(state_of(s, id))) {
		assert_true(own_ms() < until);
		pass(s, 1);
	}
}

static void kill_at(const struct kill *k)
{
	struct stage *s = make((struct stage){ .has_consoles = k->has_consoles });
	struct planned p;
	bool was_new[NODES];
	int base = 0;
	look_at_versions(s, was_new);
	plan(s, "kim", &p);
	struct request r = confirmation(&p);
	ask(s, &r, "kim");
	if (k->is_on_the_way_back) {
		wait_moments(s, p.id, 4); /* a node was changed */
		control(s, p.id, "undo");
		base = moments(s, p.id);
	}
	wait_moments(s, p.id, base + k->moment);
	pass(s, k->later_ms);
	kill_recorder(s);
	enum deployment_state state = wait_state(s, p.id, is_settled);
	if (!deployment_is_over(state)) {
		bool was_back = is_on_its_way_back(s, p.id);
		if (k->has_consoles && state == DEPLOYMENT_INTERRUPTED)
			control_by_console(s, &p, k->then);
		state = lead(s, p.id, k->then);
		assert_int_equal(state, was_back || strcmp(k->then, "undo") == 0 ? DEPLOYMENT_UNDONE : DEPLOYMENT_DONE);
	}
	check_end(s, p.id, state, was_new);
	drop(s);
}

static int later_ms(void)
{
	static unsigned seed = 7;
	return (int)((unsigned)rand_r(&seed) % LATER_MS);
}

static void test_kill(void **state)
{
	int n = run_undisturbed(), step = takes_all() ? 1 : n / 4 + 1;
	(void)state;
	assert_true(n >= 6);
	for (int moment = 0; moment <= n; moment += step)
		for (int how = 0; how < (takes_all() ? 2 : 1); how++)
			kill_at(&(struct kill){ .moment = moment, .later_ms = how == 0 ? 0 : later_ms(), .then = (moment / step + how) % 2 == 0 ? "resume" : "undo" });
}

static void test_kill_back(void **state)
{
	int n = takes_all() ? 6 : 2;
	(void)state;
	for (int moment = 0; moment <= n; moment += takes_all() ? 1 : 2)
		kill_at(&(struct kill){ .moment = moment, .later_ms = later_ms(), .then = moment % 4 == 0 ? "resume" : "undo", .is_on_the_way_back = true });
}

/* The console that records dies; the other one, which only looked on, records, says that a run is unfinished, and goes on with it. */
static void test_kill_console(void **state)
{
	int n = takes_all() ? run_undisturbed() : 4;
	(void)state;
	for (int moment = takes_all() ? 0 : 3; moment <= n; moment++)
		kill_at(&(struct kill){ .moment = moment, .later_ms = later_ms(), .then = moment % 2 == 0 ? "undo" : "resume", .has_consoles = true });
}

static bool is_refused(enum deployment_state s) { return s == DEPLOYMENT_REFUSED; }

/* Both have a plan; both say yes before the recorder looks. When the one that acts is done, what the other one was shown is not so any more. */
static void race(struct stage *s, int number)
{
	struct planned p[2];
	struct outcome_of answers[2];
	struct request r[2];
	static const char *const who[2] = { "kim", "lee" };
	for (int k = 0; k < 2; k++) {
		plan(s, who[k], &p[k]);
		r[k] = confirmation(&p[k]);
	}
	for (int k = 0; k < 2; k++)
		ask(s, &r[k], who[(k + number) % 2]);
	for (int k = 0; k < 2; k++)
		wait_answer(s, &r[k], &answers[k]);
	int winner = answers[0].err == ERR_OK ? 0 : 1, loser = 1 - winner;
	assert_int_equal(answers[winner].err, ERR_OK);
	assert_int_equal(answers[loser].err, ERR_LATER);
	assert_non_null(strstr(answers[loser].text, who[(winner + number) % 2]));
	control(s, p[winner].id, "undo");
	assert_int_equal(wait_state(s, p[winner].id, deployment_is_over), DEPLOYMENT_UNDONE);
	ask(s, &r[loser], who[(loser + number) % 2]);
	wait_answer(s, &r[loser], &answers[loser]);
	assert_int_equal(answers[loser].err, ERR_CANCELLED);
	assert_non_null(strstr(answers[loser].text, "plan again"));
	wait_state(s, p[loser].id, is_refused);
}

static void test_two_people(void **state)
{
	struct stage *s = make((struct stage){ .takes_two = false });
	(void)state;
	for (int i = 0; i < (takes_all() ? TRIES : 3); i++)
		race(s, i);
	drop(s);
}

/* Whoever looks at one sheet after the other keeps nobody from making a plan. */
static void test_many_plans(void **state)
{
	struct stage *s = make((struct stage){ .takes_two = false });
	struct planned first, p;
	(void)state;
	plan(s, "kim", &first);
	for (int i = 1; i < MANY; i++)
		plan(s, "kim", &p);
	assert_int_equal(wait_state(s, first.id, deployment_is_over), DEPLOYMENT_EXPIRED);
	assert_int_equal(state_of(s, p.id), DEPLOYMENT_PLANNED);
	drop(s);
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
		struct stage *s = make((struct stage){ .takes_two = true, .is_shared = is_shared != 0 });
		struct planned p;
		plan(s, "kim", &p);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_OK);
		assert_int_equal(state_of(s, p.id), DEPLOYMENT_WAITING);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_DENIED);
		assert_int_equal(confirm_as(s, &p, "lee"), is_shared ? ERR_OK : ERR_DENIED);
		if (is_shared)
			assert_int_equal(lead(s, p.id, "resume"), DEPLOYMENT_DONE);
		else
			assert_int_equal(state_of(s, p.id), DEPLOYMENT_WAITING);
		drop(s);
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
	struct stage *s = stage_new((struct stage){ .is_auto = true });
	struct deployment_at seen = { .last = { .state = DEPLOYMENT_STATE_COUNT } };
	bool was_new[NODES] = { false };
	(void)state;
	make_fleet(s, "bad-deploy@320");
	start_recorder(s);
	find_group(s);
	open_reader(s);
	for (int64_t until = own_ms() + DEADLINE_MS; seen.last.state != DEPLOYMENT_DONE; poll(NULL, 0, POLL_MS)) {
		if (own_ms() >= until)
			fail_msg("%lld rollbacks, the last is %d", (long long)seen.row.id, (int)seen.last.state);
		seen.row.id = 0;
		assert_ok(reader_deployments(s->reader, 0, INT64_MAX - 1, 10, keep_deployment, &seen, &why));
	}
	assert_int_equal(seen.row.id, 1);
	check_end(s, 1, DEPLOYMENT_DONE, was_new);
	drop(s);
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

static enum err keep_change(void *ctx, const struct deployment_change *c)
{
	snprintf(ctx, 1024, "%s: %s", deployment_state_name(c->state), c->text);
	return ERR_OK;
}

/* What it waits for, and what the console says of it. */
static void fail_unfinished(struct stage *s, int64_t id, struct pty *p)
{
	char last[1024] = "";
	assert_ok(reader_deployment_changes(s->reader, id, INT64_MAX - 1, keep_change, last, &why));
	for (int row = 0; row < 24; row++)
		print_message("# %s\n", pty_row(p, row));
	fail_msg("it does not end: %s", last);
}

/* The whole way, as somebody at a console takes it: a bad version comes, the alert, R, y, the waves and gates, and the alert is over. */
static void test_console(void **state)
{
	struct stage *s = stage_new((struct stage){ .takes_two = false });
	(void)state;
	make_fleet(s, "bad-deploy@320"); /* of the simulator's seconds: the version before is seen to be good for a while */
	const char *const argv[] = { pitwall_path(), "--config", s->config, "--store", s->folder.path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	struct pty *p = pty_start(&o);
	pty_wait_text(p, "FLEET");
	find_group(s);
	open_reader(s);
	int64_t until = own_ms() + DEADLINE_MS;
	while (n_firing(s) == 0) {
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
	assert_ok(reader_deployment_id(s->reader, &id, &why));
	assert_true(id > 0);
	assert_int_equal(state_of(s, id), DEPLOYMENT_PLANNED);
	pty_send(p, "y");
	for (until = own_ms() + DEADLINE_MS; state_of(s, id) == DEPLOYMENT_PLANNED; pty_pump(p, POLL_MS))
		assert_true(own_ms() < until);
	while (!deployment_is_over(state_of(s, id))) {
		if (own_ms() >= until + 2 * DEADLINE_MS || state_of(s, id) == DEPLOYMENT_STOPPED)
			fail_unfinished(s, id, p);
		pty_pump(p, POLL_MS);
	}
	assert_int_equal(state_of(s, id), DEPLOYMENT_DONE);
	pty_wait_text(p, "done");
	pty_send(p, "1");
	pty_wait_text(p, "FLEET");
	for (until = own_ms() + DEADLINE_MS; n_firing(s) > 0; pty_pump(p, POLL_MS))
		assert_true(own_ms() < until);
	console_leave(p);
	drop(s);
}

static void wait_both(struct stage *s, const char *text)
{
	int64_t until = own_ms() + DEADLINE_MS;
	while (!pty_has_text(s->consoles[0], text) || !pty_has_text(s->consoles[1], text)) {
		if (own_ms() >= until)
			pty_wait_text(s->consoles[pty_has_text(s->consoles[0], text) ? 1 : 0], text); /* says what it shows instead */
		pass(s, POLL_MS);
	}
}

static void press_both(struct stage *s, const char *keys)
{
	pty_send(s->consoles[0], keys);
	pty_send(s->consoles[1], keys);
}

/* Of those that were planned after `before`: the one that was begun. */
static int64_t wait_begun(struct stage *s, int64_t before)
{
	for (int64_t until = own_ms() + DEADLINE_MS;; pass(s, POLL_MS)) {
		int64_t last = 0;
		assert_true(own_ms() < until);
		assert_ok(reader_deployment_id(s->reader, &last, &why));
		for (int64_t id = before + 1; id <= last; id++)
			if (state_of(s, id) != DEPLOYMENT_PLANNED)
				return id;
	}
}

/* Both see the alert, press R at the same instant, read their sheet, and say yes at the same instant. */
static void race_consoles(struct stage *s)
{
	int64_t before = 0, last = 0;
	assert_ok(reader_deployment_id(s->reader, &before, &why));
	press_both(s, "2");
	wait_both(s, "Mixed");
	press_both(s, "R");
	wait_both(s, "SHEET");
	wait_both(s, "\u25ba y starts it");
	press_both(s, "y");
	int64_t id = wait_begun(s, before);
	for (int64_t until = own_ms() + DEADLINE_MS; !pty_has_text(s->consoles[0], "acts on") && !pty_has_text(s->consoles[1], "acts on"); pass(s, POLL_MS))
		if (own_ms() >= until)
			pty_wait_text(s->consoles[0], "acts on");
	assert_ok(reader_deployment_id(s->reader, &last, &why));
	assert_int_equal(last, before + 2);
	control(s, id, "undo");
	assert_int_equal(wait_state(s, id, deployment_is_over), DEPLOYMENT_UNDONE);
	assert_int_equal(state_of(s, 2 * before + 3 - id), DEPLOYMENT_PLANNED); /* the other of the two was never begun */
	press_both(s, "1");
	wait_both(s, "FLEET");
}

static void test_two_consoles(void **state)
{
	struct stage *s = stage_new((struct stage){ .has_consoles = true });
	(void)state;
	make_fleet(s, "bad-deploy@320");
	start_console(s, 0);
	find_group(s);
	open_reader(s);
	start_console(s, 1);
	for (int64_t until = own_ms() + DEADLINE_MS; n_firing(s) == 0; pass(s, POLL_MS))
		assert_true(own_ms() < until);
	for (int i = 0; i < (takes_all() ? TRIES : 2); i++)
		race_consoles(s);
	drop(s);
}

/* Another comment: the file is another one, and what it says is the same. */
static void touch_config(struct stage *s)
{
	FILE *to = fopen(s->config, "a");
	assert_non_null(to);
	fputs("# looked at again\n", to);
	assert_int_equal(fclose(to), 0);
}

/* The recorder that planned it is killed while a second person is waited for: the next one has the plan, with the rules and the first person of before. */
static void test_second_person_after_a_kill(void **state)
{
	static const struct {
		const char           *label;
		bool                  is_touched, is_withdrawn;
		enum deployment_state want;
	} rows[] = {
		{ "confirmed", false, false, DEPLOYMENT_DONE },
		{ "withdrawn", false, true, DEPLOYMENT_ABANDONED },
		{ "the fleet's file changed", true, false, DEPLOYMENT_EXPIRED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage *s = make((struct stage){ .takes_two = true, .is_shared = true });
		struct planned p;
		plan(s, "kim", &p);
		assert_int_equal(confirm_as(s, &p, "kim"), ERR_OK);
		assert_int_equal(state_of(s, p.id), DEPLOYMENT_WAITING);
		stop_recorder(s, SIGKILL);
		if (rows[i].is_touched)
			touch_config(s);
		start_recorder(s);
		if (rows[i].want == DEPLOYMENT_EXPIRED) {
			assert_row(rows[i].label, confirm_as(s, &p, "lee") != ERR_OK);
		} else if (rows[i].is_withdrawn) {
			control(s, p.id, "abandon");
		} else {
			assert_row(rows[i].label, confirm_as(s, &p, "kim") == ERR_DENIED);
			assert_int_equal(state_of(s, p.id), DEPLOYMENT_WAITING);
			assert_row(rows[i].label, confirm_as(s, &p, "lee") == ERR_OK);
			lead(s, p.id, "resume");
		}
		assert_int_equal(wait_state(s, p.id, deployment_is_over), rows[i].want);
		drop(s);
	}
}

/* Argument: a pattern of the tests that are wanted ("test_kill*"). */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console),    cmocka_unit_test(test_by_itself), cmocka_unit_test(test_second_person),
		cmocka_unit_test(test_second_person_after_a_kill),
		cmocka_unit_test(test_two_people), cmocka_unit_test(test_many_plans), cmocka_unit_test(test_kill),
		cmocka_unit_test(test_kill_back),  cmocka_unit_test(test_kill_console), cmocka_unit_test(test_two_consoles),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("deploy", tests, NULL, NULL);
}
