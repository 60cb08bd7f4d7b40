/* SPDX-License-Identifier: Apache-2.0
 *
 * With no fleet file: what may be listening on this machine. */
#include "config/fleet_build.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where inference servers and exporters listen unless told otherwise. Several kinds share ports: which one answers is found out by
 * asking. */
static const struct probe {
	int         port;
	const char *path;
} probes[] = {
	{ 8000, "/metrics" },                       /* vLLM, Dynamo's frontend, NIM */
	{ 8002, "/metrics" },                       /* Triton */
	{ 8080, "/metrics" },                       /* llama.cpp, KServe, Ray */
	{ 8081, "/metrics" },                       /* Dynamo's workers */
	{ 8082, "/metrics" },                       /* TorchServe */
	{ 8501, "/monitoring/prometheus/metrics" }, /* TensorFlow Serving */
	{ 3000, "/metrics" },                       /* TGI */
	{ 30000, "/metrics" },                      /* SGLang */
	{ 9400, "/metrics" },                       /* DCGM exporter */
	{ 9835, "/metrics" },                       /* nvidia_gpu_exporter */
	{ 9100, "/metrics" },                       /* node_exporter */
};
enum { N_PROBES = sizeof probes / sizeof *probes };

static void add_probe(struct build *b, const char *node, const struct probe *probe)
{
	static const struct yaml_node nowhere = { .line = 0 };
	struct settings s = { 0 };
	struct place place = { .scheme = "http", .host = "127.0.0.1", .port = probe->port, .path = probe->path };
	target_add(b, "local", node, &place, &s, &nowhere);
	if (b->err != ERR_OK)
		return;
	struct fleet_target *t = &b->fleet->targets[b->fleet->n_targets - 1];
	t->is_probe = true;
	t->has_path = false;
}

const char *this_machine(struct build *b)
{
	char name[HOST_NAME_MAX + 1] = "";
	if (gethostname(name, sizeof name) != 0 || name[0] == '\0')
		return "localhost";
	name[HOST_NAME_MAX] = '\0';
	return keep(b, arena_text(b->arena, name));
}

static void add_machine(struct build *b, const char *node)
{
	static const struct yaml_node nowhere = { .line = 0 };
	const struct settings s = { 0 };
	machine_target_add(b, "local", node, NULL, &s, &nowhere);
}

enum err fleet_default(const struct profiles *p, struct fleet **out, struct why *why)
{
	struct fleet *f = fleet_new();
	if (f == NULL)
		return why_memory(why);
	struct build b = { .arena = &f->files->arena, .profiles = p, .fleet = f };
	const char *node = this_machine(&b);
	if (node != NULL)
		add_machine(&b, node);
	for (size_t i = 0; i < N_PROBES && b.err == ERR_OK; i++)
		add_probe(&b, node, &probes[i]);
	alerting_read(&b, NULL, 0);
	free(b.origins);
	f->groups = calloc(1, sizeof *f->groups);
	if (f->groups == NULL || b.err != ERR_OK) {
		fleet_free(f);
		return why_memory(why);
	}
	f->name = node;
	f->groups[0] = (struct fleet_group){ .name = "local", .profile = "", .model = "", .n = f->n_targets };
	f->n_groups = 1;
	*out = f;
	return ERR_OK;
}
