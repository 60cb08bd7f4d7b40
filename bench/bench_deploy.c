/* SPDX-License-Identifier: Apache-2.0
 *
 * What a large deployment costs: its journal of 5,000 steps written one transaction a step (the first thousand) and read, a list of a hundred such, and a plan of
 * 1,000 nodes made, written, read and printed; how soon a confirmed one begins, and what of a run over 100 nodes is pitwall's own. Prints one line a figure: name value unit.
 * Argument: "journal", "plan", "wire" or "waves" for that part alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/deploy_figures.h"
#include "bench/process.h"
#include "deploy/planner.h"
#include "store/deployments.h"

enum { STEPS = 5000, DEPLOYMENTS = 100, NODES = 1000, SINGLE = 1000, NOW_MS = 1700000000 };

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_deploy: %s\n", why->text);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the journal ---- */

static void put_step(struct changes *c, int64_t deployment, int64_t seq)
{
	char unit[32], key[48];
	snprintf(unit, sizeof unit, "gpu-a-%04lld", (long long)(seq / 5));
	snprintf(key, sizeof key, "0193a5c2-f0e1-%lld", (long long)seq);
	changes_deployment_step(c, &(struct deployment_step){ .deployment = deployment, .seq = seq, .wave = (size_t)seq / 125, .unit = unit, .index = (size_t)seq % 5,
	                                                      .title = "restart ranker.service", .key = key, .began_ms = NOW_MS + seq, .ended_ms = NOW_MS + seq + 1,
	                                                      .state = STEP_DONE, .text = "active (running) since 03:12:05, 2 GPUs" });
}

static void put_deployment(struct store *s, int64_t id)
{
	struct why why;
	struct changes *c;
	static const struct actor nobody = { "", "", "" };
	need(changes_new(&c, &why), &why);
	changes_deployment(c, &(struct deployment_row){ .id = id, .kind = "rollback", .scope = "rankers-eu", .model = "ranker", .driver = "systemd", .target = "ranker",
	                                                .from = "v14", .to = "v13", .plan = "{}", .hash = "", .request = "", .actor = nobody, .reason = "",
	                                                .planned_ms = NOW_MS + id });
	changes_deployment_change(c, &(struct deployment_change){ .deployment = id, .at_ms = NOW_MS + id, .state = DEPLOYMENT_RUNNING, .actor = nobody, .text = "" });
	for (int64_t seq = 1; seq <= STEPS; seq++)
		put_step(c, id, seq);
	need(store_commit(s, c, NULL, &why), &why);
	need(store_flush(s, &why), &why);
}

static enum err see_step(void *ctx, const struct deployment_step *s)
{
	*(size_t *)ctx += s->state == STEP_DONE;
	return ERR_OK;
}

static enum err see_deployment(void *ctx, const struct deployment_at *d)
{
	*(size_t *)ctx += d->n_done;
	return ERR_OK;
}

static void write_single_steps(struct store *s)
{
	struct why why;
	double began = now_ms();
	for (int64_t seq = 1; seq <= SINGLE; seq++) {
		struct changes *c;
		need(changes_new(&c, &why), &why);
		put_step(c, 1, seq);
		need(store_commit(s, c, NULL, &why), &why);
		need(store_flush(s, &why), &why);
	}
	printf("deploy_step_commit %.3f ms\n", (now_ms() - began) / SINGLE);
}

static void read_back(const char *path)
{
	struct why why;
	struct reader *r;
	size_t n = 0;
	need(reader_open(path, READER_OWN, &r, &why), &why);
	double began = now_ms();
	need(reader_deployment_steps(r, 1, NOW_MS * (int64_t)2, see_step, &n, &why), &why);
	printf("deploy_read_steps %.2f ms\n", now_ms() - began);
	began = now_ms();
	need(reader_deployment(r, 1, NOW_MS * (int64_t)2, see_deployment, &n, &why), &why);
	printf("deploy_read_one %.2f ms\n", now_ms() - began);
	began = now_ms();
	need(reader_deployments(r, 0, NOW_MS * (int64_t)2, DEPLOYMENTS, see_deployment, &n, &why), &why);
	printf("deploy_read_list %.2f ms\n", now_ms() - began);
	if (n != (size_t)STEPS * (DEPLOYMENTS + 2))
		fprintf(stderr, "bench_deploy: %zu steps were read\n", n);
	reader_close(r);
}

static void journal(void)
{
	char folder[] = "/tmp/pitwall-bench-XXXXXX", path[64], side[80];
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct why why;
	struct store *s;
	if (mkdtemp(folder) == NULL)
		exit(1);
	snprintf(path, sizeof path, "%s/x.db", folder);
	need(store_open(&(struct store_options){ .path = path, .clock = clock_system() }, &s, &why), &why);
	for (int64_t id = 1; id <= DEPLOYMENTS; id++)
		put_deployment(s, id);
	write_single_steps(s);
	read_back(path);
	store_close(s);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(side, sizeof side, "%s%s", path, suffixes[i]);
		unlink(side);
	}
	rmdir(folder);
}

/* ---- a plan ---- */

static enum err plan_restart(struct planning *p, struct why *why)
{
	(void)why;
	struct steps *both[] = { p->forward, p->back };
	for (size_t i = 0; i < 2; i++)
		for (int k = 0; k < 4; k++) {
			struct step *s = steps_add(p, both[i], PHASE_CHANGE, "step %d on %s", k, p->unit->name);
			if (s == NULL)
				return ERR_MEMORY;
			ask_run(p->arena, &s->ask, "systemctl", "--user", "restart", "--", p->unit->model, p->to->id, p->unit->name, NULL);
		}
	return ERR_OK;
}

static struct version version_of(const char *id, bool is_running)
{
	return (struct version){ id, id, "registry/ranker", id, id, "", "", "", 1, is_running, true, "" };
}

static void plan(void)
{
	static struct planner_unit units[NODES];
	static char names[NODES][32];
	static struct found found = { .n_versions = 2, .before = "{}", .is_ready = true };
	static const struct version_health health = { .label = "v13", .health = HEALTH_GOOD, .evidence = "served 6d" };
	static const struct fleet_deploy deploy = { .name = "rankers", .model = "ranker", .group = "", .driver = "x", .running = VERSION_DRIVER, .history = VERSION_DRIVER,
	                                            .waves = { { false, 1 }, { true, 0.25 } }, .n_waves = 2, .max_unavailable = { true, 0.1 } };
	static const struct driver driver = { .name = "x", .has_history = true, .has_running = true, .plan = plan_restart };
	struct deploy_plan *p, *back;
	struct arena a;
	struct buf json, text;
	struct why why;
	found.versions[0] = version_of("v14", true);
	found.versions[1] = version_of("v13", false);
	for (size_t i = 0; i < NODES; i++) {
		snprintf(names[i], sizeof names[i], "gpu-%04u.example", (unsigned)i);
		units[i] = (struct planner_unit){ .unit = { names[i], names[i], "ranker", "", "http://h:1", names[i], "", 0, false }, .found = &found, .why = "", .running = "",
		                                  .is_up = true };
	}
	struct planner_input in = { .deploy = &deploy, .driver = &driver, .kind = DEPLOY_ROLLBACK, .key = "k", .target = "ranker", .wished = "", .units = units,
	                            .n_units = NODES, .health = &health, .n_health = 1, .active = "", .reason = "", .alert_model = "", .now_ms = NOW_MS };
	arena_init(&a);
	buf_init(&json, PLAN_BYTES_MAX);
	buf_init(&text, PLAN_BYTES_MAX);
	double began = now_ms();
	need(planner_make(&a, &in, &p, &why), &why);
	printf("deploy_plan_make %.2f ms\n", now_ms() - began);
	began = now_ms();
	need(plan_write(p, &json), &(struct why){ "a plan cannot be written" });
	printf("deploy_plan_write %.2f ms\ndeploy_plan_bytes %zu bytes\n", now_ms() - began, json.len);
	began = now_ms();
	need(plan_read(&a, buf_text(&json), json.len, &back, &why), &why);
	printf("deploy_plan_read %.2f ms\n", now_ms() - began);
	began = now_ms();
	need(plan_print(back, &text), &(struct why){ "a plan cannot be printed" });
	printf("deploy_plan_print %.2f ms\n", now_ms() - began);
	buf_release(&json);
	buf_release(&text);
	arena_release(&a);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void      (*run)(void);
	} parts[] = { { "journal", journal }, { "plan", plan }, { "wire", deploy_wire }, { "waves", deploy_waves } };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (argc < 2 || strcmp(argv[1], parts[i].name) == 0)
			parts[i].run();
	process_remove_folder();
	return 0;
}
