/* SPDX-License-Identifier: Apache-2.0
 *
 * Fleet file, target files and profiles while memory runs out: what comes of it is the whole fleet or none, never one that lacks
 * something. */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "config/fleet.h"
#include "config/roles.h"
#include "tests/unit/faults.h"

static const char fleet_text[] =
	"fleet: shop\n"
	"defaults: { interval: 10s, timeout: 5s, labels: &l { env: prod } }\n"
	"groups:\n"
	"  - name: rankers\n"
	"    profile: triton\n"
	"    model: ranker\n"
	"    labels: { <<: *l, region: eu }\n"
	"    deploy: { driver: systemd, unit: [ a, { b: c } ], waves: [ 1, 50% ], auth: { bearer: { env: T } }, tls: { server_name: s } }\n"
	"    nodes: [ \"gpu-a-[1-2].example\", { name: canary, address: 10.3.0.9 } ]\n"
	"  - name: chat\n"
	"    scheme: https\n"
	"    endpoints: [ { profile: vllm, port: 8001, path: /m }, dcgm ]\n"
	"    nodes: [ b-1 ]\n"
	"    auth: { basic: { user: u, password: { env: PASSWORD } } }\n"
	"    tls: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: s.example }\n"
	"  - name: elsewhere\n"
	"    targets: [ \"http://127.0.0.1:8000/metrics\", { url: \"[::1]:9000\", node: x } ]\n"
	"    file_sd: [ \"targets/*.json\", none.yml ]\n"
	"models: [ { name: ranker, title: Ranker, owner: o, runbook: r, deploy: { driver: triton } } ]\n"
	"slo: [ { availability: 99.9 }, { model: ranker, latency: { threshold: 50ms, quantile: p95 } } ]\n"
	"rules: [ \"rules/*.yml\" ]\n"
	"keep: { samples: 1d, size: 1GiB }\n"
	"alerts: { group_by: [ alertname ], disable: [ A ], inhibit_rules: [ { name: n, source_matchers: [ 'a=b, c=~\"d\"' ],"
	" target_match: { e: f }, equal: [ g ] } ] }\n"
	"roles: { operator: [ alice, '@sre' ], shared_accounts: [ ops ] }\n"
	"receivers: [ { name: h, webhook: { url: \"http://h/x\", auth: { bearer: { env: T } } }, match: [ 'a=b, c=~\"d\"', 'e!=f' ] },"
	" { name: m, email: { url: \"smtp://m\", from: a@b, to: [ c@d, e@f ], starttls: never, auth: { basic: { user: u, password: { env: P } } } } },"
	" { name: p, pagerduty: { routing_key: { command: [ a, b ] } } }, { name: c, command: [ d, e ] } ]\n"
	"alertmanagers: [ { name: am, url: \"http://am:9093/x/\", mirror_acks: 5m } ]\n"
	"attention: osc\n"
	"on_hangup: record\n"
	"store: s.db\n"
	"theme: dark\n"
	"keys: k.keys\n";
static const char targets_text[] =
	"[ { \"targets\": [ \"t-1:9100\", \"t-2:9100\" ], \"labels\": { \"zone\": \"a\", \"__param_x\": \"y z\", \"__metrics_path__\": \"/p\","
	" \"node\": \"n\", \"model\": \"m\", \"profile\": \"vllm\", \"group\": \"g\" } } ]\n";
static const char wrong_text[] =
	"fleet: [ 1 ]\n"
	"groups:\n"
	"  - { name: g, nodes: [ 'a b', '[1-' ], port: x, intervall: 1s }\n"
	"  - { name: g, profile: vlm, targets: [ 'http://' ] }\n"
	"rules: [ none.yml ]\n";

static struct profiles *profiles;
static char             folder[] = "/tmp/pitwall-fault-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
	static const char *const none[] = { "/nowhere" };
	(void)state;
	if (profiles_load(none, 1, NULL, &profiles, NULL) != ERR_OK || mkdtemp(folder) == NULL || mkdir(in_folder("targets"), 0700) != 0 ||
	    mkdir(in_folder("rules"), 0700) != 0)
		return -1;
	write_file("fleet.yml", fleet_text);
	write_file("wrong.yml", wrong_text);
	write_file("targets/t.json", targets_text);
	write_file("rules/a.yml", "groups: []\n");
	write_file("rules/b.yml", "groups: []\n");
	write_file("ca.pem", "");
	write_file("c.pem", "");
	write_file("k.pem", "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	profiles_free(profiles);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* All of a fleet as text. */
static void print_fleet(const struct fleet *f, struct buf *to)
{
	buf_printf(to, "%s %s %s %s\n", f->name, f->store, f->theme, f->keys);
	for (size_t i = 0; i < f->n_groups; i++)
		buf_printf(to, "group %s %s %s %zu\n", f->groups[i].name, f->groups[i].profile, f->groups[i].model, f->groups[i].n);
	for (size_t i = 0; i < f->n_models; i++)
		buf_printf(to, "model %s %s\n", f->models[i].name, f->models[i].runbook);
	for (size_t i = 0; f->roles != NULL && i < f->roles->n; i++)
		buf_printf(to, "role %s %s %s\n", rank_name(f->roles->items[i].rank), f->roles->items[i].is_group ? "group" : "user", f->roles->items[i].name);
	for (size_t i = 0; f->roles != NULL && i < f->roles->n_shared; i++)
		buf_printf(to, "shared %s\n", f->roles->shared[i]);
	for (size_t i = 0; i < f->n_rules; i++)
		buf_printf(to, "rules %s\n", f->rules[i]);
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i];
		buf_printf(to, "%s %s %lld %lld ", t->url, t->node, (long long)t->interval_ms, (long long)t->timeout_ms);
		labels_print(t->labels, to);
		if (t->auth != NULL)
			buf_printf(to, " %s", t->auth->user);
		if (t->tls != NULL)
			buf_printf(to, " %s %s %s %s", t->tls->ca_file, t->tls->cert_file, t->tls->key_file, t->tls->server_name);
		buf_putc(to, '\n');
	}
}

/* The fleet, and what was said, are what they are with memory enough. */
static void check_fleet(const struct fleet *f, const struct diagnostics *d, struct buf *want)
{
	struct buf got;
	fault_pause();
	buf_init(&got, 1 << 20);
	if (f != NULL)
		print_fleet(f, &got);
	assert_int_equal(diagnostics_print(d, &got), ERR_OK);
	if (want->len == 0)
		buf_puts(want, buf_text(&got));
	fault_same(buf_text(&got), buf_text(want));
	buf_release(&got);
	fault_resume();
}

struct reading {
	const char *path;
	struct buf  want; /* filled by a run without a fault */
	struct fleet *old;
};

static enum err read_fleet(void *ctx, struct why *why)
{
	struct reading    *r = ctx;
	struct diagnostics d;
	struct fleet      *f = NULL;
	diagnostics_init(&d);
	enum err e = r->old != NULL ? fleet_refresh(r->old, profiles, &d, &f, why) : fleet_read(r->path, profiles, &d, &f, why);
	fault_end();
	assert_true((e == ERR_OK) == (f != NULL));
	if (e != ERR_MEMORY)
		check_fleet(f, &d, &r->want);
	fleet_free(f);
	diagnostics_release(&d);
	return e;
}

static void read_with_memory(struct reading *r, enum err want)
{
	struct why why = { "" };
	buf_init(&r->want, 1 << 20);
	enum err e = read_fleet(r, &why);
	if (e != want)
		fail_msg("%s: %s", err_text(e), why.text);
}

static void fleet_files(void **state)
{
	(void)state;
	char good[128], wrong[128];
	snprintf(good, sizeof good, "%s", in_folder("fleet.yml"));
	snprintf(wrong, sizeof wrong, "%s", in_folder("wrong.yml"));
	struct reading r = { .path = good };
	read_with_memory(&r, ERR_OK);
	assert_non_null(strstr(buf_text(&r.want), "http://t-2:9100/p?x=y%20z n 10000 5000 {"));
	fault_loop("a fleet file", ERR_OK, read_fleet, &r);
	buf_release(&r.want);
	r = (struct reading){ .path = wrong };
	read_with_memory(&r, ERR_FORMAT);
	fault_loop("a fleet file with mistakes", ERR_FORMAT, read_fleet, &r);
	buf_release(&r.want);
}

/* A target file has changed for the worse: what it said before counts. Then so has the fleet file. */
static void refreshing(void **state)
{
	(void)state;
	struct reading r = { .path = NULL };
	struct why     why;
	assert_int_equal(fleet_read(in_folder("fleet.yml"), profiles, NULL, &r.old, &why), ERR_OK);
	write_file("targets/t.json", "[ { \"targets\": [ \"t-1\" }\n");
	read_with_memory(&r, ERR_OK);
	assert_non_null(strstr(buf_text(&r.want), "http://t-2:9100/p?x=y%20z n 10000 5000 {"));
	fault_loop("a broken target file", ERR_OK, read_fleet, &r);
	buf_release(&r.want);
	write_file("fleet.yml", wrong_text);
	read_with_memory(&r, ERR_OK);
	assert_non_null(strstr(buf_text(&r.want), "http://t-2:9100/p?x=y%20z n 10000 5000 {"));
	fault_loop("a broken fleet file", ERR_OK, read_fleet, &r);
	buf_release(&r.want);
	struct diagnostics none;
	struct buf         before;
	diagnostics_init(&none);
	buf_init(&before, 1 << 20);
	print_fleet(r.old, &before);
	check_fleet(r.old, &none, &before);
	buf_release(&before);
	fleet_free(r.old);
	write_file("fleet.yml", fleet_text);
	write_file("targets/t.json", targets_text);
}

static enum err make_default(void *ctx, struct why *why)
{
	struct reading *r = ctx;
	struct fleet   *f = NULL;
	enum err        e = fleet_default(profiles, &f, why);
	struct diagnostics none;
	fault_end();
	assert_true((e == ERR_OK) == (f != NULL));
	diagnostics_init(&none);
	if (e == ERR_OK)
		check_fleet(f, &none, &r->want);
	fleet_free(f);
	return e;
}

static void no_fleet_file(void **state)
{
	(void)state;
	struct reading r = { .path = NULL };
	struct why     why = { "" };
	buf_init(&r.want, 1 << 20);
	assert_int_equal(make_default(&r, &why), ERR_OK);
	fault_loop("no fleet file", ERR_OK, make_default, &r);
	buf_release(&r.want);
}

static enum err find_fleet(void *ctx, struct why *why)
{
	char    *path = NULL;
	enum err e = fleet_find(ctx, &path, why);
	fault_end();
	assert_true((e == ERR_OK) == (path != NULL));
	free(path);
	return e;
}

static void finding(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof path, "%s", in_folder("fleet.yml"));
	fault_loop("a path", ERR_OK, find_fleet, path);
}

static const char profile_text[] =
	"profile:\n"
	"  name: p\n"
	"  summary: &s a server\n"
	"  match: { metrics: [ \"p:\", *s ], rank: 3 }\n"
	"  port: 9\n"
	"  path: /m\n"
	"  scheme: https\n"
	"  window: 30s\n"
	"groups: []\n";

static enum err read_head(void *ctx, struct why *why)
{
	struct diagnostics d;
	struct arena       a;
	struct yaml       *y = NULL;
	struct profile_head head;
	(void)ctx;
	diagnostics_init(&d);
	arena_init(&a);
	enum err e = yaml_parse(profile_text, sizeof profile_text - 1, "p.yml", &d, &y);
	bool is_good = e == ERR_OK && profile_head_read(y, &a, &head);
	if (e == ERR_OK && !is_good)
		e = arena_failed(&a) || d.err == ERR_MEMORY ? why_memory(why) : why_set(why, ERR_FORMAT, "%s", d.items[0].text);
	fault_end();
	assert_true(d.n == 0);
	if (e == ERR_OK)
		assert_true(head.n_metrics == 2 && strcmp(head.metrics[1], "a server") == 0 && head.window_ms == 30000);
	arena_release(&a);
	yaml_discard(y);
	diagnostics_release(&d);
	return e;
}

static enum err load_profiles(void *ctx, struct why *why)
{
	static const char *const none[] = { "/nowhere" };
	struct profiles *p = NULL;
	(void)ctx;
	enum err e = profiles_load(none, 1, NULL, &p, why);
	fault_end();
	assert_true((e == ERR_OK) == (p != NULL));
	if (p != NULL && profiles_count(p) != profiles_count(profiles))
		fail_msg("%s: only %zu of %zu profiles", fault_label(), profiles_count(p), profiles_count(profiles));
	profiles_free(p);
	return e;
}

static void profile_files(void **state)
{
	(void)state;
	fault_loop("a profile", ERR_OK, read_head, NULL);
	fault_loop_some("the built-in profiles", ERR_OK, load_profiles, NULL, 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fleet_files),
		cmocka_unit_test(refreshing),
		cmocka_unit_test(no_fleet_file),
		cmocka_unit_test(finding),
		cmocka_unit_test(profile_files),
	};
	return cmocka_run_group_tests_name("faults of memory", tests, set_up, tear_down);
}
