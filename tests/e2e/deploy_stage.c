/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/e2e/deploy_stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "deploy/plan.h"
#include "store/deployments.h"

enum { FEW_NODES = 12, SEED = 1, SPEED = 8, YAML_MAX = 256 * 1024 };

static struct why why;

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

/* Reads what consoles write meanwhile. */
void stage_pass(struct stage *s, int ms)
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
void stage_find_group(struct stage *s)
{
	struct sim_truth t, first;
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	for (bool found = false; !found; poll(NULL, 0, STAGE_POLL_MS)) {
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

void stage_start_recorder(struct stage *s)
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

void stage_stop_recorder(struct stage *s, int signal_number)
{
	int status;
	kill(s->recorder, signal_number);
	assert_int_equal(waitpid(s->recorder, &status, 0), s->recorder);
	s->recorder = 0;
}

void stage_open_reader(struct stage *s)
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	while (reader_open(s->folder.path, READER_OWN, &s->reader, &why) != ERR_OK) {
		assert_true(own_ms() < until);
		poll(NULL, 0, STAGE_POLL_MS);
	}
}

void stage_make_fleet(struct stage *s, const char *incident)
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

void stage_start_console(struct stage *s, size_t i)
{
	const char *const argv[] = { pitwall_path(), "--config", s->config, "--store", s->folder.path, NULL };
	const struct pty_options o = { .rows = 24, .cols = 80, .argv = argv };
	s->consoles[i] = pty_start(&o);
	pty_wait_text(s->consoles[i], i == 0 ? "recorded by this console" : "FLEET");
}

bool stage_takes_all(void)
{
	const char *all = getenv("PITWALL_KILLS");
	return all != NULL && strcmp(all, "all") == 0;
}

/* On the heap: where a test fails, its simulator still runs. */
struct stage *stage_new(struct stage of)
{
	struct stage *s = calloc(1, sizeof *s);
	assert_non_null(s);
	*s = of;
	return s;
}

/* `of`: takes_two, is_shared, has_consoles. */
struct stage *stage_make(struct stage of)
{
	struct stage *s = stage_new(of);
	s->severity = "warning";
	s->nodes = stage_takes_all() ? STAGE_NODES : FEW_NODES;
	stage_make_fleet(s, "bad-deploy@0");
	stage_find_group(s);
	if (s->has_consoles)
		stage_start_console(s, 0);
	else
		stage_start_recorder(s);
	stage_open_reader(s);
	if (s->has_consoles)
		stage_start_console(s, 1);
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

void stage_drop(struct stage *s)
{
	char path[200];
	if (s->recorder != 0)
		stage_stop_recorder(s, SIGTERM);
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

void stage_ask(struct stage *s, struct request *r, const char *who)
{
	const struct spool_way way = { .store = s->folder.path };
	int64_t until = own_ms() + STAGE_DEADLINE_MS, now = clock_wall_ms(clock_system());
	assert_ok(request_new_id(now, r->id, &why));
	r->asked_ms = now;
	r->who = who;
	r->origin = "";
	while (spool_put(&way, r, &why) != ERR_OK) { /* nobody has recorded there yet */
		assert_true(own_ms() < until);
		stage_pass(s, STAGE_POLL_MS);
	}
}

static enum err keep_answer(void *ctx, const struct request_row *q)
{
	struct outcome_of *to = ctx;
	to->err = q->err;
	snprintf(to->text, sizeof to->text, "%s", q->text);
	return ERR_OK;
}

void stage_wait_answer(struct stage *s, const struct request *r, struct outcome_of *to)
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	while (reader_request(s->reader, r->id, keep_answer, to, &why) != ERR_OK) {
		assert_true(own_ms() < until);
		stage_pass(s, STAGE_POLL_MS);
	}
}

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

void stage_plan(struct stage *s, const char *who, struct planned *to)
{
	char target[128];
	struct outcome_of answer;
	snprintf(target, sizeof target, "group:%s", s->group);
	struct request r = { .kind = REQUEST_PLAN, .verb = "rollback", .target = target, .to = s->old, .comment = "it is bad" };
	stage_ask(s, &r, who);
	stage_wait_answer(s, &r, &answer);
	if (answer.err != ERR_OK)
		fail_msg("no plan: %s", answer.text);
	assert_ok(reader_deployment_of_request(s->reader, r.id, &to->id, &why));
	assert_ok(reader_deployment(s->reader, to->id, INT64_MAX - 1, keep_plan, to, &why));
}

struct request stage_confirmation(const struct planned *p)
{
	return (struct request){ .kind = REQUEST_CONFIRM, .deployment = p->id, .hash = p->hash, .name = p->takes_name ? p->name : "" };
}

void stage_control(struct stage *s, int64_t id, const char *verb)
{
	struct outcome_of answer;
	struct request r = { .kind = REQUEST_CONTROL, .deployment = id, .verb = verb, .comment = "" };
	stage_ask(s, &r, "kim");
	stage_wait_answer(s, &r, &answer);
	if (answer.err != ERR_OK)
		fail_msg("%s: %s", verb, answer.text);
}

/* ---- the journal ---- */

static enum err keep_state(void *ctx, const struct deployment_at *d)
{
	*(enum deployment_state *)ctx = d->last.state;
	return ERR_OK;
}

enum deployment_state stage_state(struct stage *s, int64_t id)
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
int stage_moments(struct stage *s, int64_t id)
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

enum deployment_state stage_wait_state(struct stage *s, int64_t id, bool (*is_it)(enum deployment_state))
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	enum deployment_state state;
	while (!is_it(state = stage_state(s, id))) {
		if (own_ms() >= until) {
			reader_deployment_changes(s->reader, id, INT64_MAX - 1, tell_change, NULL, &why);
			fail_msg("it stays %s, after %d moments", deployment_state_name(state), stage_moments(s, id));
		}
		stage_pass(s, STAGE_POLL_MS);
	}
	return state;
}

static enum err see_back(void *ctx, const struct deployment_change *c)
{
	*(bool *)ctx |= c->state == DEPLOYMENT_UNDOING;
	return ERR_OK;
}

bool stage_is_undone(struct stage *s, int64_t id)
{
	bool is_back = false;
	assert_ok(reader_deployment_changes(s->reader, id, INT64_MAX - 1, see_back, &is_back, &why));
	return is_back;
}

bool stage_is_settled(enum deployment_state s)
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
void stage_check_end(struct stage *s, int64_t id, enum deployment_state state, const bool *was_new)
{
	int64_t until = own_ms() + STAGE_DEADLINE_MS;
	for (size_t i = 0; i < s->n; i++) {
		struct sim_truth t;
		const char *want = state == DEPLOYMENT_DONE ? s->old : was_new[i] ? s->new : s->old;
		for (sim_truth(s->sim, s->first + i, &t); strcmp(t.version, want) != 0 || !t.is_up; sim_truth(s->sim, s->first + i, &t)) {
			if (own_ms() >= until)
				fail_msg("%s serves %s, and the deployment is %s", t.name, t.version, deployment_state_name(state));
			stage_pass(s, STAGE_POLL_MS);
		}
	}
	if (deployment_is_over(state))
		assert_ok(reader_deployment_steps(s->reader, id, INT64_MAX - 1, see_open, NULL, &why));
}

void stage_look_at_versions(struct stage *s, bool *is_new)
{
	for (size_t i = 0; i < s->n; i++) {
		struct sim_truth t;
		sim_truth(s->sim, s->first + i, &t);
		is_new[i] = strcmp(t.version, s->new) == 0;
	}
}
