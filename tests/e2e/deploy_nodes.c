/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/e2e/deploy_nodes.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/spool.h"
#include "base/clock.h"
#include "query/query.h"
#include "query/store_source.h"
#include "store/reader.h"
#include "tests/e2e/small_fleet.h"

enum { DEADLINE_MS = 90 * 1000, POLL_MS = 20, LOG_MAX = 64 * 1024 };

static struct why why;

static int64_t own_ms(void) { return clock_mono_ms(clock_system()); }

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* ---- the nodes ---- */

/* FOLDER VERB [VERSION]. What only looks is not told. */
static const char node_script[] =
	"d=$1\n"
	"case $2 in drain|apply|undrain|ready) echo \"$2 $3\" >>\"$d/log\" ;; esac\n"
	"while test -e \"$d/hold-$2\"; do sleep 0.05; done\n"
	"test ! -e \"$d/dead\" || exit 255\n"
	"test ! -e \"$d/fail-$2\" || { echo \"$2 is made to fail\"; exit 3; }\n"
	"case $2 in\n"
	"current) cat \"$d/version\" ;;\n"
	"list) printf 'v12\\nv11\\nv10\\n' ;;\n"
	"drain) : >\"$d/drained\" ;;\n"
	"apply) echo \"$3\" >\"$d/version\" ;;\n"
	"undrain) rm -f \"$d/drained\" ;;\n"
	"esac\n";

static void node_path(const struct deploy_nodes *n, size_t i, const char *name, char to[DEPLOY_PATH])
{
	snprintf(to, DEPLOY_PATH, "%s/n%zu/%s", n->folder, i + 1, name);
}

static void set_mark(const struct deploy_nodes *n, size_t i, const char *name, bool is_there)
{
	char path[DEPLOY_PATH];
	node_path(n, i, name, path);
	if (is_there)
		write_text(path, "", 0600);
	else
		unlink(path);
}

static void write_ssh_config(struct deploy_nodes *n)
{
	char path[DEPLOY_PATH];
	snprintf(path, sizeof path, "%s/known", n->folder);
	snprintf(n->ssh_config, sizeof n->ssh_config, "%s/ssh_config", n->folder);
	FILE *known = fopen(path, "w"), *config = fopen(n->ssh_config, "w");
	assert_non_null(known);
	assert_non_null(config);
	for (size_t i = 0; i < DEPLOY_NODES; i++) {
		const struct sshd *s = n->sshd[i];
		fprintf(known, "[127.0.0.1]:%d %s\n", sshd_port(s), sshd_host_key(s, "ed25519"));
		fprintf(config, "Host n%zu\n Port %d\n IdentityFile %s\n", i + 1, sshd_port(s), sshd_user_key(s));
	}
	fprintf(config, "Host *\n HostName 127.0.0.1\n User %s\n UserKnownHostsFile %s\n GlobalKnownHostsFile none\n StrictHostKeyChecking yes\n IdentitiesOnly yes\n IdentityAgent none\n",
	        sshd_user(n->sshd[0]), path);
	assert_int_equal(fclose(known), 0);
	assert_int_equal(fclose(config), 0);
	assert_int_equal(chmod(path, 0600) + chmod(n->ssh_config, 0600), 0);
}

/* Machines are hardly ever polled: what a node does is what its server says. */
static void write_fleet(struct deploy_nodes *n, const char *more)
{
	snprintf(n->config, sizeof n->config, "%s/fleet.yml", n->folder);
	FILE *to = fopen(n->config, "w");
	assert_non_null(to);
	fprintf(to, "fleet: nodes\nalerts: { builtin: false }\ndefaults: { interval: 500ms, timeout: 400ms }\ngroups:\n  - name: machines\n    interval: %s\n    timeout: 5s\n    targets:\n", n->machines_interval != NULL ? n->machines_interval : "1d");
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		fprintf(to, "      - { url: 'ssh://n%zu', node: n%zu }\n", i + 1, i + 1);
	fprintf(to, "  - name: chat\n    model: chat\n    profile: vllm\n    targets:\n");
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		fprintf(to, "      - { url: 'http://127.0.0.1:%d/metrics', node: n%zu }\n", page_server_port(n->server[i]), i + 1);
	fprintf(to, "    deploy:\n      driver: command\n      lock: %s\n      soak: %s\n      gate: { latency: off, errors: off, quality: off, memory: off, requests: 0 }\n%s", n->lock, n->soak != NULL ? n->soak : "0s", more);
	for (const char *const *v = (const char *const[]){ "current", "list", NULL }; *v != NULL; v++)
		fprintf(to, "      %s: [ sh, %s/node.sh, '%s/{node}', %s ]\n", *v, n->folder, n->folder, *v);
	fprintf(to, "      apply: [ [ sh, %s/node.sh, '%s/{node}', apply, '{version}' ] ]\n", n->folder, n->folder);
	fprintf(to, "      check_ready: [ [ sh, %s/node.sh, '%s/{node}', ready ] ]\n", n->folder, n->folder);
	fprintf(to, "      drain: [ [ sh, %s/node.sh, '%s/{node}', drain ] ]\n", n->folder, n->folder);
	fprintf(to, "      undrain: [ [ sh, %s/node.sh, '%s/{node}', undrain ] ]\n", n->folder, n->folder);
	assert_int_equal(fclose(to), 0);
}

static void make_node(struct deploy_nodes *n, size_t i)
{
	static const struct sshd_options o = { .user_key = NULL };
	char path[DEPLOY_PATH];
	snprintf(path, sizeof path, "%s/n%zu", n->folder, i + 1);
	assert_int_equal(mkdir(path, 0755), 0);
	deploy_node_set(n, i, "v12");
	assert_ok(sshd_start(&o, &n->sshd[i], &why));
	n->server[i] = page_server_start();
	page_server_set(n->server[i], "/metrics", "vllm:num_requests_running{model_name=\"chat\"} 3\nvllm:num_requests_waiting{model_name=\"chat\"} 4\n");
}

bool deploy_nodes_make(struct deploy_nodes *n, const char *more)
{
	char path[DEPLOY_PATH];
	*n = (struct deploy_nodes){ .folder = "/tmp/pitwall-nodes-XXXXXX", .machines_interval = n->machines_interval, .soak = n->soak };
	if (!sshd_is_there()) {
		print_message("# no sshd is installed\n");
		return false;
	}
	assert_non_null(mkdtemp(n->folder));
	snprintf(n->lock, sizeof n->lock, "%s/locks", n->folder);
	assert_int_equal(mkdir(n->lock, 0755), 0);
	snprintf(path, sizeof path, "%s/node.sh", n->folder);
	write_text(path, node_script, 0755);
	for (size_t i = 0; i < DEPLOY_NODES; i++)
		make_node(n, i);
	write_ssh_config(n);
	write_fleet(n, more);
	if (sshd_has_shell(n->sshd[0]))
		return true;
	print_message("# this account has no shell\n");
	deploy_nodes_remove(n);
	return false;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void deploy_nodes_remove(struct deploy_nodes *n)
{
	for (size_t i = 0; i < DEPLOY_NODES; i++) {
		sshd_stop(n->sshd[i]);
		page_server_stop(n->server[i]);
	}
	assert_int_equal(nftw(n->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void deploy_node_dies(struct deploy_nodes *n, size_t i)
{
	set_mark(n, i, "dead", true); /* for a script that sshd's end leaves behind */
	page_server_set_up(n->server[i], false);
	sshd_freeze(n->sshd[i]); /* nobody there gets to say that it was killed */
	sshd_end(n->sshd[i]);
}

void deploy_node_lives(struct deploy_nodes *n, size_t i)
{
	set_mark(n, i, "dead", false);
	assert_ok(sshd_again(n->sshd[i], &why));
	page_server_set_up(n->server[i], true);
}

void deploy_node_serves(struct deploy_nodes *n, size_t i, bool does) { page_server_set_up(n->server[i], does); }

static void set_verb(struct deploy_nodes *n, size_t i, const char *what, const char *verb, bool does)
{
	char name[64];
	snprintf(name, sizeof name, "%s-%s", what, verb);
	set_mark(n, i, name, does);
}

void deploy_node_holds(struct deploy_nodes *n, size_t i, const char *verb, bool does) { set_verb(n, i, "hold", verb, does); }
void deploy_node_fails(struct deploy_nodes *n, size_t i, const char *verb, bool does) { set_verb(n, i, "fail", verb, does); }

void deploy_node_set(struct deploy_nodes *n, size_t i, const char *version)
{
	char path[DEPLOY_PATH], text[64];
	node_path(n, i, "version", path);
	snprintf(text, sizeof text, "%s\n", version);
	write_text(path, text, 0644);
}

static void read_file(const struct deploy_nodes *n, size_t i, const char *name, char *to, size_t size)
{
	char path[DEPLOY_PATH];
	node_path(n, i, name, path);
	FILE *f = fopen(path, "r");
	to[f != NULL ? fread(to, 1, size - 1, f) : 0] = '\0';
	if (f != NULL)
		fclose(f);
}

bool deploy_node_runs(const struct deploy_nodes *n, size_t i, const char *version)
{
	char is[64];
	read_file(n, i, "version", is, sizeof is);
	is[strcspn(is, "\n")] = '\0';
	return strcmp(is, version) == 0;
}

bool deploy_node_is_drained(const struct deploy_nodes *n, size_t i)
{
	char path[DEPLOY_PATH];
	node_path(n, i, "drained", path);
	return access(path, F_OK) == 0;
}

size_t deploy_node_count(const struct deploy_nodes *n, size_t i, const char *verb)
{
	static char text[LOG_MAX];
	size_t count = 0, len = strlen(verb);
	memset(text, 0, sizeof text);
	read_file(n, i, "log", text, sizeof text);
	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL)
		count += strncmp(at, verb, len) == 0 && at[len] == ' ';
	return count;
}

bool deploy_node_is_untouched(const struct deploy_nodes *n, size_t i)
{
	return deploy_node_count(n, i, "drain") + deploy_node_count(n, i, "apply") + deploy_node_count(n, i, "undrain") == 0;
}

void deploy_node_await(const struct deploy_nodes *n, size_t i, const char *verb, size_t count)
{
	for (int64_t until = own_ms() + DEADLINE_MS; deploy_node_count(n, i, verb) < count; poll(NULL, 0, POLL_MS))
		if (own_ms() > until)
			fail_msg("n%zu was never told to %s", i + 1, verb);
}

static bool find_lock(const struct deploy_nodes *n, char to[DEPLOY_PATH + 256])
{
	DIR *d = opendir(n->lock);
	bool has_any = false;
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, ".pitwall-lock-", 14) == 0) {
			snprintf(to, DEPLOY_PATH + 256, "%s/%s", n->lock, e->d_name);
			has_any = true;
		}
	closedir(d);
	return has_any;
}

bool deploy_nodes_are_locked(const struct deploy_nodes *n)
{
	char path[DEPLOY_PATH + 256];
	return find_lock(n, path);
}

void deploy_nodes_age_lock(const struct deploy_nodes *n)
{
	char path[DEPLOY_PATH + 256], file[DEPLOY_PATH + 272];
	assert_true(find_lock(n, path));
	snprintf(file, sizeof file, "%s/beat", path);
	write_text(file, "1000000000\n", 0644);
}

/* ---- recorders ---- */

static void start_recorder(struct deploy_post *p)
{
	const struct deploy_nodes *n = p->nodes;
	const char *argv[] = { pitwall_path(), "record", "--config", n->config, "--store", p->store, "--ssh-config", n->ssh_config, NULL };
	p->recorder = fork();
	assert_true(p->recorder >= 0);
	if (p->recorder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		setenv("XDG_RUNTIME_DIR", n->folder, 1);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
}

static void end_recorder(struct deploy_post *p, int number)
{
	int status;
	kill(p->recorder, number);
	assert_int_equal(waitpid(p->recorder, &status, 0), p->recorder);
	p->recorder = 0;
}

static double value_of(struct deploy_post *p, const char *expr)
{
	struct query *q = NULL;
	struct query_result result = { 0 };
	double v = (double)NAN;
	assert_ok(query_parse(expr, &q, NULL, &why));
	const struct query_source source = store_source(p->reader);
	assert_ok(query_instant(q, &source, clock_wall_ms(clock_system()), NULL, &result, &why));
	if (result.type == VALUE_SCALAR)
		v = result.scalar;
	else if (result.series.n > 0)
		v = result.series.items[0].v[0];
	query_result_release(&result);
	query_free(q);
	return v;
}

void deploy_post_await(struct deploy_post *p, const char *expr, double want)
{
	double is = (double)NAN;
	for (int64_t until = own_ms() + DEADLINE_MS; fabs((is = value_of(p, expr)) - want) > 1e-9 || isnan(is); poll(NULL, 0, POLL_MS))
		if (own_ms() > until)
			fail_msg("%s stays %g, and %g was wanted", expr, is, want);
}

void deploy_post_start(struct deploy_post *p, struct deploy_nodes *n, const char *name, size_t n_up)
{
	*p = (struct deploy_post){ .nodes = n, .who = name };
	snprintf(p->store, sizeof p->store, "%s/%s.db", n->folder, name);
	start_recorder(p);
	for (int64_t until = own_ms() + DEADLINE_MS; reader_open(p->store, READER_OWN, &p->reader, &why) != ERR_OK; poll(NULL, 0, POLL_MS))
		if (own_ms() > until)
			fail_msg("nobody records '%s': %s", p->store, why.text);
	deploy_post_await(p, "count(signal:up{group=\"chat\"})", DEPLOY_NODES);
	deploy_post_await(p, "sum(signal:up{group=\"chat\"})", (double)n_up);
}

void deploy_post_restart(struct deploy_post *p)
{
	end_recorder(p, SIGKILL);
	start_recorder(p);
}

void deploy_post_stop(struct deploy_post *p)
{
	reader_close(p->reader);
	end_recorder(p, SIGTERM);
}

/* ---- what is asked, and what comes of it ---- */

struct answer_of {
	enum err err;
	char     text[DEPLOY_NODES_TEXT];
};

static enum err keep_answer(void *ctx, const struct request_row *q)
{
	struct answer_of *to = ctx;
	to->err = q->err;
	snprintf(to->text, sizeof to->text, "%s", q->text);
	return ERR_OK;
}

static void leave_request(struct deploy_post *p, struct request *r)
{
	const struct spool_way way = { .store = p->store };
	int64_t until = own_ms() + DEADLINE_MS, now = clock_wall_ms(clock_system());
	assert_ok(request_new_id(now, r->id, &why));
	r->asked_ms = now;
	r->who = p->who;
	r->origin = "";
	while (spool_put(&way, r, &why) != ERR_OK) { /* nobody has recorded there yet */
		assert_true(own_ms() < until);
		poll(NULL, 0, POLL_MS);
	}
}

static enum err ask(struct deploy_post *p, struct request *r, struct why *because)
{
	struct answer_of answer = { .err = ERR_OK };
	int64_t until = own_ms() + DEADLINE_MS;
	leave_request(p, r);
	for (; reader_request(p->reader, r->id, keep_answer, &answer, &why) != ERR_OK; poll(NULL, 0, POLL_MS))
		if (own_ms() > until)
			fail_msg("'%s' was not answered", r->verb != NULL ? r->verb : "confirm");
	snprintf(because->text, sizeof because->text, "%s", answer.text);
	return answer.err;
}

static enum err keep_plan(void *ctx, const struct deployment_at *d)
{
	struct deploy_planned *to = ctx;
	struct arena a;
	struct buf text;
	struct deploy_plan *plan;
	const char *forbidden = "";
	arena_init(&a);
	buf_init(&text, PLAN_BYTES_MAX);
	assert_ok(plan_read(&a, d->row.plan, strlen(d->row.plan), &plan, &why));
	assert_ok(plan_print(plan, &text));
	snprintf(to->forbidden, sizeof to->forbidden, "%s", plan_is_forbidden(plan, &forbidden) ? forbidden : "");
	snprintf(to->hash, sizeof to->hash, "%s", d->row.hash);
	snprintf(to->name, sizeof to->name, "%s", plan->name);
	snprintf(to->text, sizeof to->text, "%s", buf_text(&text));
	to->takes_name = plan->confirm == CONFIRM_NAME;
	to->n_down = plan_n_down(plan);
	buf_release(&text);
	arena_release(&a);
	return ERR_OK;
}

enum err deploy_post_plan(struct deploy_post *p, const char *verb, const char *target, const char *to, struct deploy_planned *out, struct why *because)
{
	struct request r = { .kind = REQUEST_PLAN, .verb = verb, .target = target, .to = to, .comment = "a test" };
	enum err e = ask(p, &r, because);
	if (e != ERR_OK)
		return e;
	assert_ok(reader_deployment_of_request(p->reader, r.id, &out->id, &why));
	assert_ok(reader_deployment(p->reader, out->id, INT64_MAX - 1, keep_plan, out, &why));
	return ERR_OK;
}

enum err deploy_post_confirm(struct deploy_post *p, const struct deploy_planned *d, struct why *because)
{
	struct request r = { .kind = REQUEST_CONFIRM, .deployment = d->id, .hash = d->hash, .name = d->takes_name ? d->name : "" };
	return ask(p, &r, because);
}

void deploy_post_confirm_soon(struct deploy_post *p, const struct deploy_planned *d)
{
	struct request r = { .kind = REQUEST_CONFIRM, .deployment = d->id, .hash = d->hash, .name = d->takes_name ? d->name : "" };
	leave_request(p, &r);
}

enum err deploy_post_control(struct deploy_post *p, int64_t id, const char *verb, struct why *because)
{
	struct request r = { .kind = REQUEST_CONTROL, .deployment = id, .verb = verb, .comment = "" };
	return ask(p, &r, because);
}

/* ---- the journal ---- */

struct last_change {
	enum deployment_state state;
	char                  text[1024];
};

static enum err keep_change(void *ctx, const struct deployment_change *c)
{
	struct last_change *to = ctx;
	to->state = c->state;
	snprintf(to->text, sizeof to->text, "%s", c->text);
	return ERR_OK;
}

static struct last_change *last_change(struct deploy_post *p, int64_t id)
{
	static struct last_change last;
	assert_ok(reader_deployment_changes(p->reader, id, INT64_MAX - 1, keep_change, &last, &why));
	return &last;
}

static enum err tell_change(void *ctx, const struct deployment_change *c)
{
	(void)ctx;
	print_message("# %s: %s\n", deployment_state_name(c->state), c->text);
	return ERR_OK;
}

static void fail_other_state(struct deploy_post *p, int64_t id, const struct last_change *is, enum deployment_state want)
{
	assert_ok(reader_deployment_changes(p->reader, id, INT64_MAX - 1, tell_change, NULL, &why));
	fail_msg("it is %s (%s) instead of %s", deployment_state_name(is->state), is->text, deployment_state_name(want));
}

void deploy_post_await_state(struct deploy_post *p, int64_t id, enum deployment_state s)
{
	const struct last_change *last;
	for (int64_t until = own_ms() + DEADLINE_MS; (last = last_change(p, id))->state != s; poll(NULL, 0, POLL_MS))
		if (own_ms() > until)
			fail_other_state(p, id, last, s);
}

enum deployment_state deploy_post_state(struct deploy_post *p, int64_t id) { return last_change(p, id)->state; }
const char *deploy_post_text(struct deploy_post *p, int64_t id) { return last_change(p, id)->text; }

struct last_step {
	const char            *unit;
	size_t                 n;
	struct deployment_step step;
	char                   title[128], text[DEPLOY_NODES_TEXT], key[256];
};

static enum err keep_step(void *ctx, const struct deployment_step *s)
{
	struct last_step *to = ctx;
	if (strcmp(s->unit, to->unit) != 0)
		return ERR_OK;
	to->n++;
	to->step = *s;
	snprintf(to->title, sizeof to->title, "%s", s->title);
	snprintf(to->text, sizeof to->text, "%s", s->text);
	snprintf(to->key, sizeof to->key, "%s", s->key);
	return ERR_OK;
}

static struct last_step *last_step(struct deploy_post *p, int64_t id, const char *unit)
{
	static struct last_step last;
	last = (struct last_step){ .unit = unit };
	assert_ok(reader_deployment_steps(p->reader, id, INT64_MAX - 1, keep_step, &last, &why));
	last.step.unit = unit;
	last.step.title = last.title;
	last.step.text = last.text;
	last.step.key = last.key;
	return &last;
}

struct deployment_step deploy_post_last(struct deploy_post *p, int64_t id, const char *unit) { return last_step(p, id, unit)->step; }
size_t deploy_post_n_steps(struct deploy_post *p, int64_t id, const char *unit) { return last_step(p, id, unit)->n; }
