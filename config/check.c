/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include "base/arena.h"
#include "config/fleet.h"
#include "config/fleet_build.h"

#include <stdlib.h>
#include <string.h>

const char *check_kind_name(enum check_kind kind)
{
	static const char *const names[CHECK_COUNT] = { "fleet file", "target file", "profile", "rule file" };
	return kind < CHECK_COUNT ? names[kind] : "";
}

/* A rule file's groups hold rules, a fleet file's groups hold nodes. */
static bool has_rules(const struct yaml_node *groups)
{
	for (size_t i = 0; groups != NULL && groups->kind == YAML_LIST && i < groups->n; i++) {
		if (yaml_get(groups->items[i], "rules") != NULL)
			return true;
	}
	return false;
}

enum check_kind check_kind_of(const struct yaml *tree)
{
	const struct yaml_node *root = yaml_root(tree);
	if (root->kind == YAML_LIST)
		return CHECK_TARGETS;
	if (yaml_get(root, "profile") != NULL)
		return CHECK_PROFILE;
	return has_rules(yaml_get(root, "groups")) ? CHECK_RULES : CHECK_FLEET;
}

static void run_rules_hook(const struct check_hooks *hooks, const struct yaml *tree, struct diagnostics *d)
{
	if (hooks != NULL && hooks->rules != NULL)
		hooks->rules(tree, d, hooks->arg);
}

/* Each rule file that the fleet file names. */
static void check_rules_of(const struct fleet *f, const struct check_hooks *hooks, struct diagnostics *d)
{
	for (size_t i = 0; i < f->n_rules; i++) {
		struct yaml *tree;
		if (yaml_read(f->rules[i], d, &tree) != ERR_OK)
			continue;
		run_rules_hook(hooks, tree, d);
		yaml_discard(tree);
	}
}

static enum err check_fleet(const char *path, const struct profiles *p, const struct check_hooks *hooks, struct diagnostics *d,
                            struct why *why)
{
	struct fleet *f = NULL;
	enum err e = fleet_read(path, p, d, &f, why);
	if (e == ERR_MEMORY)
		return e;
	if (e == ERR_OK)
		check_rules_of(f, hooks, d);
	if (e == ERR_OK && hooks != NULL && hooks->fleet != NULL)
		hooks->fleet(f, path, d, hooks->arg);
	fleet_free(f);
	return ERR_OK;
}

static enum err check_targets(const struct yaml *tree, const struct profiles *p, struct diagnostics *d, struct why *why)
{
	struct fleet *f = fleet_new();
	struct settings s = { 0 };
	if (f == NULL)
		return why_memory(why);
	struct build b = { .arena = &f->files->arena, .profiles = p, .d = d, .fleet = f, .folder = "." };
	target_file_parse(&b, tree, "", &s);
	free(b.origins);
	fleet_free(f);
	return b.err == ERR_MEMORY ? why_memory(why) : ERR_OK;
}

static void check_profile(const struct yaml *tree)
{
	struct profile_head head;
	struct arena a;
	arena_init(&a);
	(void)profile_head_read(tree, &a, &head);
	arena_release(&a);
}

enum err check_file(const char *path, const struct profiles *p, const struct check_hooks *hooks, struct diagnostics *d,
                    enum check_kind *kind, struct why *why)
{
	struct yaml *tree;
	enum err e = yaml_read(path, d, &tree);
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK)
		return ERR_OK; /* reported */
	enum check_kind is = check_kind_of(tree);
	switch (is) {
	case CHECK_FLEET:
		e = check_fleet(path, p, hooks, d, why);
		break;
	case CHECK_TARGETS:
		e = check_targets(tree, p, d, why);
		break;
	case CHECK_PROFILE:
		check_profile(tree);
		run_rules_hook(hooks, tree, d);
		break;
	case CHECK_RULES:
		run_rules_hook(hooks, tree, d);
		break;
	case CHECK_COUNT:
		break;
	}
	yaml_discard(tree);
	diagnostics_sort(d);
	if (e == ERR_OK && kind != NULL)
		*kind = is;
	return e;
}
