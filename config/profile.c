/* SPDX-License-Identifier: Apache-2.0
 *
 * Built-in profiles are loaded first, then the folders from the last to the first; each file that can be used takes the place of an
 * earlier one of its name. */
#include "config/profile.h"

#include "base/arena.h"
#include "base/asset.h"
#include "base/suggest.h"
#include "config/words.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILES_MAX = 256, PREFIXES_MAX = 64, WINDOW_MS = 60000, WINDOW_MAX_MS = 24 * 3600 * 1000 };

struct loaded {
	struct profile profile;
	struct yaml   *tree;
	struct arena   arena; /* the head's lists */
};

struct profiles {
	struct loaded     *items; /* PROFILES_MAX of them, the first n by name */
	size_t             n;
	struct diagnostics own;   /* where the caller brings none */
};

/* ---- the head ---- */

static bool read_prefixes(const struct yaml *y, const struct yaml_node *list, struct arena *a, struct profile_head *head)
{
	if (!yaml_is_list(y, list, "metrics"))
		return false;
	if (list->n == 0 || list->n > PREFIXES_MAX) {
		yaml_error(y, list, "'metrics' needs 1 to %d prefixes", PREFIXES_MAX);
		return false;
	}
	const char **prefixes = arena_zeroed(a, list->n, sizeof *prefixes);
	bool is_good = prefixes != NULL;
	for (size_t i = 0; prefixes != NULL && i < list->n; i++)
		is_good = yaml_text(y, list->items[i], "metrics", &prefixes[i]) && is_good;
	head->metrics = prefixes;
	head->n_metrics = list->n;
	return is_good;
}

static bool read_match(const struct yaml *y, const struct yaml_node *match, struct arena *a, struct profile_head *head)
{
	static const char *const known[] = { "metrics", "rank" };
	int64_t rank = 0;
	if (!yaml_is_map(y, match, "match"))
		return false;
	bool is_good = yaml_check_keys(y, match, known, sizeof known / sizeof *known);
	const struct yaml_node *node = yaml_get(match, "metrics");
	if (node != NULL)
		is_good = read_prefixes(y, node, a, head) && is_good;
	node = yaml_get(match, "rank");
	if (node != NULL)
		is_good = yaml_i64(y, node, "rank", -1000, 1000, &rank) && is_good;
	head->rank = (int)rank;
	return is_good;
}

static bool read_name(const struct yaml *y, const struct yaml_node *profile, struct profile_head *head)
{
	const struct yaml_node *name = yaml_get(profile, "name");
	if (name == NULL) {
		yaml_error(y, profile, "a profile needs a 'name'");
		return false;
	}
	if (!yaml_text(y, name, "name", &head->name))
		return false;
	if (!is_profile_name(head->name)) {
		yaml_error(y, name, "a profile's name begins with a small letter and has only small letters, digits, '-' and '_'");
		return false;
	}
	return true;
}

/* Where it listens. */
static bool read_place(const struct yaml *y, const struct yaml_node *profile, struct profile_head *head)
{
	int64_t port = 0;
	bool is_good = true;
	const struct yaml_node *node = yaml_get(profile, "port");
	if (node != NULL)
		is_good = yaml_i64(y, node, "port", 1, 65535, &port);
	head->port = (int)port;
	node = yaml_get(profile, "path");
	if (node != NULL && yaml_text(y, node, "path", &head->path) && !is_url_path(head->path)) {
		yaml_error(y, node, "'path' must begin with '/' and hold nothing that a URL cannot");
		is_good = false;
	}
	node = yaml_get(profile, "scheme");
	if (node != NULL && yaml_text(y, node, "scheme", &head->scheme) && strcmp(head->scheme, "http") != 0 &&
	    strcmp(head->scheme, "https") != 0) {
		yaml_error(y, node, "'scheme' must be http or https");
		is_good = false;
	}
	return is_good;
}

bool profile_head_read(const struct yaml *tree, struct arena *a, struct profile_head *out)
{
	static const char *const known_top[] = { "profile", "groups" };
	static const char *const known[] = { "name", "summary", "match", "port", "path", "scheme", "window" };
	struct profile_head head = { .name = "", .summary = "", .path = "/metrics", .scheme = "http", .window_ms = WINDOW_MS };
	const struct yaml_node *profile = yaml_get(yaml_root(tree), "profile");
	if (profile == NULL) {
		yaml_error(tree, yaml_root(tree), "a profile file is a mapping with 'profile' and 'groups'");
		return false;
	}
	if (!yaml_is_map(tree, profile, "profile"))
		return false;
	bool is_good = yaml_check_keys(tree, yaml_root(tree), known_top, sizeof known_top / sizeof *known_top);
	is_good = yaml_check_keys(tree, profile, known, sizeof known / sizeof *known) && is_good;
	is_good = read_name(tree, profile, &head) && is_good;
	const struct yaml_node *node = yaml_get(profile, "summary");
	if (node != NULL)
		is_good = yaml_text(tree, node, "summary", &head.summary) && is_good;
	node = yaml_get(profile, "match");
	if (node != NULL)
		is_good = read_match(tree, node, a, &head) && is_good;
	is_good = read_place(tree, profile, &head) && is_good;
	node = yaml_get(profile, "window");
	if (node != NULL)
		is_good = yaml_duration(tree, node, "window", 1000, WINDOW_MAX_MS, &head.window_ms) && is_good;
	if (is_good && !arena_failed(a))
		*out = head;
	return is_good && !arena_failed(a);
}

/* ---- loading ---- */

static void unload(struct loaded *one)
{
	yaml_discard(one->tree);
	arena_release(&one->arena);
	*one = (struct loaded){ 0 };
}

/* Into its place by name, or in the place of one of its name. Takes what `one` holds. */
static void put(struct profiles *p, struct loaded *one)
{
	size_t at = 0;
	while (at < p->n && strcmp(p->items[at].profile.head.name, one->profile.head.name) < 0)
		at++;
	if (at < p->n && strcmp(p->items[at].profile.head.name, one->profile.head.name) == 0) {
		unload(&p->items[at]);
	} else if (p->n < PROFILES_MAX) {
		memmove(&p->items[at + 1], &p->items[at], (p->n - at) * sizeof *one);
		p->n++;
	} else {
		yaml_error(one->tree, yaml_root(one->tree), "more than %d profiles", PROFILES_MAX);
		unload(one);
		return;
	}
	p->items[at] = *one;
}

/* Takes the tree. */
static void add_tree(struct profiles *p, struct yaml *tree, bool is_builtin, struct diagnostics *d)
{
	struct loaded one = { .tree = tree };
	arena_init(&one.arena);
	if (!profile_head_read(tree, &one.arena, &one.profile.head)) {
		if (arena_failed(&one.arena))
			d->err = ERR_MEMORY;
		unload(&one);
		return;
	}
	one.profile.file = yaml_file(tree);
	one.profile.is_builtin = is_builtin;
	one.profile.tree = tree;
	put(p, &one);
}

struct load {
	struct profiles    *p;
	struct diagnostics *d;
};

static enum err load_asset(void *arg, const char *name, const char *text, size_t len)
{
	struct load *load = arg;
	struct buf shown;
	struct yaml *tree;
	buf_init(&shown, 256);
	buf_printf(&shown, "%s (built in)", name);
	enum err e = shown.err;
	if (e == ERR_OK && yaml_parse(text, len, buf_text(&shown), load->d, &tree) == ERR_OK)
		add_tree(load->p, tree, true, load->d);
	if (e == ERR_MEMORY)
		load->d->err = e;
	buf_release(&shown);
	return ERR_OK;
}

static void load_builtin(struct profiles *p, struct diagnostics *d)
{
	struct load load = { .p = p, .d = d };
	asset_list("profiles/", load_asset, &load);
}

static void load_folder(struct profiles *p, const char *folder, struct diagnostics *d)
{
	struct buf pattern;
	glob_t found;
	buf_init(&pattern, 4096);
	for (const char *c = folder; *c != '\0'; c++) { /* the folder's own name is no pattern */
		if (strchr("*?[\\", *c) != NULL)
			buf_putc(&pattern, '\\');
		buf_putc(&pattern, *c);
	}
	buf_puts(&pattern, "/*.yml");
	if (pattern.err == ERR_OK && glob(buf_text(&pattern), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct yaml *tree;
			if (yaml_read(found.gl_pathv[i], d, &tree) == ERR_OK)
				add_tree(p, tree, false, d);
		}
		globfree(&found);
	}
	if (pattern.err == ERR_MEMORY)
		d->err = ERR_MEMORY;
	buf_release(&pattern);
}

enum err profiles_load(const char *const *folders, size_t n_folders, struct diagnostics *d, struct profiles **out, struct why *why)
{
	struct profiles *p = calloc(1, sizeof *p);
	if (p == NULL || (p->items = calloc(PROFILES_MAX + 1, sizeof *p->items)) == NULL) {
		free(p);
		return why_memory(why);
	}
	d = d != NULL ? d : &p->own;
	load_builtin(p, d);
	if (folders == NULL) {
		char *user = user_config_path("profiles");
		load_folder(p, "/etc/pitwall/profiles", d);
		if (user != NULL)
			load_folder(p, user, d);
		free(user);
	}
	for (size_t i = n_folders; folders != NULL && i > 0; i--)
		load_folder(p, folders[i - 1], d);
	if (d->err == ERR_MEMORY) {
		profiles_free(p);
		return why_memory(why);
	}
	*out = p;
	return ERR_OK;
}

void profiles_free(struct profiles *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		unload(&p->items[i]);
	free(p->items);
	diagnostics_release(&p->own);
	free(p);
}

size_t profiles_count(const struct profiles *p)
{
	return p->n;
}

const struct profile *profiles_at(const struct profiles *p, size_t i)
{
	return &p->items[i].profile;
}

const struct profile *profiles_find(const struct profiles *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->items[i].profile.head.name, name) == 0)
			return &p->items[i].profile;
	}
	return NULL;
}

const char *profiles_suggest(const struct profiles *p, const char *name)
{
	const char *names[PROFILES_MAX];
	for (size_t i = 0; i < p->n; i++)
		names[i] = p->items[i].profile.head.name;
	return suggest(name, names, p->n);
}

/* ---- recognising ---- */

void profile_guess_init(struct profile_guess *g, const struct profiles *p)
{
	*g = (struct profile_guess){ .profiles = p };
}

static bool begins_with(const char *text, size_t len, const char *prefix, size_t n)
{
	return len >= n && memcmp(text, prefix, n) == 0;
}

void profile_guess_add(struct profile_guess *g, const char *metric, size_t len)
{
	for (size_t i = 0; i < g->profiles->n; i++) {
		const struct profile *one = &g->profiles->items[i].profile;
		for (size_t k = 0; k < one->head.n_metrics; k++) {
			const char *prefix = one->head.metrics[k];
			size_t n = strlen(prefix);
			bool is_better = g->best == NULL || one->head.rank > g->best->head.rank ||
			                 (one->head.rank == g->best->head.rank && n > g->best_prefix);
			if (is_better && begins_with(metric, len, prefix, n)) {
				g->best = one;
				g->best_prefix = n;
			}
		}
	}
}

const struct profile *profile_guess_result(const struct profile_guess *g)
{
	return g->best;
}
