/* SPDX-License-Identifier: Apache-2.0
 *
 * The groups of a fleet file: who is watched. */
#include "config/fleet_build.h"

#include "config/keys.h"
#include "config/range.h"
#include "config/words.h"

#include <stdlib.h>
#include <string.h>

enum { ENDPOINTS_MAX = 32, NAME_MAX_BYTES = 256 };

/* One item of `nodes`, while its names are made. */
struct nodes {
	struct build           *b;
	const char             *group;
	const struct yaml_node *at;
	const char             *address; /* NULL: the name */
	const struct settings  *endpoints;
	size_t                  n_endpoints;
};

/* ---- endpoints ---- */

static void read_endpoint(struct build *b, const struct yaml_node *item, struct settings *s)
{
	s->profile = s->path = NULL;
	s->port = 0;
	if (item->kind == YAML_MAP) {
		keys_check(b->y, item, KEYS_ENDPOINT);
		inherited_read(b, item, s);
		return;
	}
	const char *name;
	if (!yaml_text(b->y, item, "endpoints", &name))
		return;
	if (profiles_find(b->profiles, name) != NULL) {
		s->profile = keep(b, arena_text(b->arena, name));
		return;
	}
	const char *near = profiles_suggest(b->profiles, name);
	if (near != NULL)
		yaml_error(b->y, item, "there is no profile '%.60s'; did you mean '%s'?", name, near);
	else
		yaml_error(b->y, item, "there is no profile '%.60s'; for a server of another kind write { port: ..., path: ... }", name);
}

/* What each node serves: the list, or the one thing that the settings say. Returns how many. */
static size_t read_endpoints(struct build *b, const struct yaml_node *list, const struct settings *outer, struct settings *to)
{
	if (list == NULL) {
		to[0] = *outer;
		return 1;
	}
	if (!yaml_is_list(b->y, list, "endpoints"))
		return 0;
	if (list->n == 0 || list->n > ENDPOINTS_MAX) {
		yaml_error(b->y, list, "'endpoints' needs 1 to %d items", ENDPOINTS_MAX);
		return 0;
	}
	for (size_t i = 0; i < list->n; i++) {
		to[i] = *outer;
		read_endpoint(b, list->items[i], &to[i]);
	}
	return list->n;
}

/* With a list of endpoints, what tells them apart cannot stand outside of it. */
static void check_one_place(struct build *b, const struct yaml_node *map, const struct yaml_node *endpoints)
{
	static const char *const keys[] = { "profile", "port", "path" };
	for (size_t i = 0; endpoints != NULL && i < sizeof keys / sizeof *keys; i++) {
		const struct yaml_node *key = yaml_get_key(map, keys[i]);
		if (key != NULL)
			yaml_error(b->y, key, "'%s' belongs into each of 'endpoints' here", keys[i]);
	}
}

/* ---- nodes ---- */

static bool is_port_suffix(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon != NULL && strchr(name, ':') == colon && colon[1] != '\0' && colon[1 + strspn(colon + 1, "0123456789")] == '\0';
}

static enum err add_node(const char *name, void *arg)
{
	struct nodes *n = arg;
	char bare[NAME_MAX_BYTES];
	size_t len = strlen(name);
	struct place place = { .host = n->address != NULL ? n->address : name };
	if (len > 2 && name[0] == '[' && name[len - 1] == ']' && len < sizeof bare) { /* [::1] */
		memcpy(bare, name + 1, len - 2);
		bare[len - 2] = '\0';
		name = bare;
		place.host = n->address != NULL ? n->address : bare;
	}
	if (n->address == NULL && is_port_suffix(name)) {
		yaml_error(n->b->y, n->at, "'%s' has a port in it; give the port by 'port', or the whole as an item of 'targets'", name);
		return ERR_FORMAT;
	}
	if (n->address == NULL && strchr(name, '/') != NULL) {
		yaml_error(n->b->y, n->at, "'%s' is no name of a node; a URL belongs into 'targets'", name);
		return ERR_FORMAT;
	}
	if (!is_host(place.host)) {
		yaml_error(n->b->y, n->at, "'%s' is no host name; where a node's name is another, give its 'address'", place.host);
		return ERR_FORMAT;
	}
	const struct settings *first = n->n_endpoints > 0 ? &n->endpoints[0] : NULL;
	bool is_machine_alone = n->n_endpoints == 1 && first->ssh != NULL && first->profile == NULL && first->port == 0;
	for (size_t i = 0; i < n->n_endpoints && !is_machine_alone; i++)
		target_add(n->b, n->group, name, &place, &n->endpoints[i], n->at);
	if (first != NULL && first->ssh != NULL) {
		const struct ssh_place at = { .user = first->ssh->user, .host = place.host, .port = first->ssh->port };
		machine_target_add(n->b, n->group, name, &at, first, n->at);
	}
	return n->b->err;
}

/* The names of a pattern that stands at `at`. */
static void expand_nodes(struct nodes *n, const struct yaml_node *at, const char *pattern)
{
	struct why why;
	size_t offset = SIZE_MAX;
	n->at = at;
	if (!is_clean(pattern)) {
		yaml_error(n->b->y, at, "a node's name holds control characters");
		return;
	}
	enum err e = range_expand(pattern, add_node, n, &offset, &why);
	if (e == ERR_MEMORY)
		n->b->err = ERR_MEMORY;
	if (e == ERR_OK || offset == SIZE_MAX) /* add_node has reported what it met */
		return;
	struct yaml_node place = *at;
	place.col += (int)offset + !at->is_plain;
	yaml_error(n->b->y, &place, "in '%.100s': %s", pattern, why.text);
}

static void read_node_map(struct nodes *n, const struct yaml_node *map, const struct settings *group, const struct yaml_node *endpoints)
{
	struct build *b = n->b;
	const struct yaml_node *name = yaml_get(map, "name"), *address = yaml_get(map, "address"), *own = yaml_get(map, "endpoints");
	struct settings s = *group, each[ENDPOINTS_MAX];
	const char *text;
	size_t count;
	keys_check(b->y, map, KEYS_NODE);
	check_one_place(b, map, own != NULL ? own : endpoints);
	inherited_read(b, map, &s);
	n->n_endpoints = read_endpoints(b, own != NULL ? own : endpoints, &s, each);
	n->endpoints = each;
	n->address = NULL;
	if (name == NULL) {
		yaml_error(b->y, map, "a node needs a 'name'");
		return;
	}
	if (!yaml_text(b->y, name, "name", &text))
		return;
	if (address != NULL) {
		if (!yaml_text(b->y, address, "address", &n->address))
			return;
		if (!is_host(n->address)) {
			yaml_error(b->y, address, "'address' must be a host name or IP address, without scheme and port");
			return;
		}
		if (range_count(text, &count, NULL, NULL) == ERR_OK && count > 1) {
			yaml_error(b->y, address, "one 'address' cannot stand for %zu nodes", count);
			return;
		}
	}
	expand_nodes(n, name, text);
}

static void read_nodes(struct build *b, const struct yaml_node *list, const char *group, const struct settings *s,
                       const struct yaml_node *endpoints)
{
	struct settings each[ENDPOINTS_MAX];
	if (!yaml_is_list(b->y, list, "nodes"))
		return;
	size_t n_each = read_endpoints(b, endpoints, s, each);
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++) {
		struct nodes n = { .b = b, .group = group, .endpoints = each, .n_endpoints = n_each };
		const char *pattern;
		if (list->items[i]->kind == YAML_MAP)
			read_node_map(&n, list->items[i], s, endpoints);
		else if (yaml_text(b->y, list->items[i], "nodes", &pattern))
			expand_nodes(&n, list->items[i], pattern);
	}
}

/* ---- targets ---- */

static void read_target(struct build *b, const struct yaml_node *item, const char *group, const struct settings *outer)
{
	struct settings s = *outer;
	const struct yaml_node *url = item, *node = NULL;
	const char *text, *name = NULL;
	struct place place;
	if (item->kind == YAML_MAP) {
		keys_check(b->y, item, KEYS_TARGET);
		inherited_read(b, item, &s);
		url = yaml_get(item, "url");
		node = yaml_get(item, "node");
		if (url == NULL) {
			yaml_error(b->y, item, "a target needs a 'url'");
			return;
		}
	}
	struct ssh_place ssh;
	if (!yaml_text(b->y, url, item == url ? "targets" : "url", &text))
		return;
	bool is_ssh = strncmp(text, "ssh://", 6) == 0, is_local = strcmp(text, "local:") == 0;
	if (is_ssh ? !ssh_place_read(b, url, text, s.ssh != NULL ? s.ssh : &plain_ssh, &ssh) : !is_local && !place_read(b, url, text, &place))
		return;
	if (node != NULL && !yaml_text(b->y, node, "node", &name))
		return;
	if (name != NULL && (!is_clean(name) || strlen(name) > NAME_MAX_BYTES)) {
		yaml_error(b->y, node, "'node' is too long or holds control characters");
		return;
	}
	if (is_local)
		machine_target_add(b, group, name != NULL ? name : this_machine(b), NULL, &s, url);
	else if (is_ssh)
		machine_target_add(b, group, name != NULL ? name : ssh.host, &ssh, &s, url);
	else
		target_add(b, group, name != NULL ? name : place.host, &place, &s, url);
}

static void read_targets(struct build *b, const struct yaml_node *list, const char *group, const struct settings *s)
{
	if (!yaml_is_list(b->y, list, "targets"))
		return;
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_target(b, list->items[i], group, s);
}

static void read_file_sd(struct build *b, const struct yaml_node *list, const char *group, const struct settings *s)
{
	if (!yaml_is_list(b->y, list, "file_sd"))
		return;
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++) {
		const char *text;
		if (!yaml_text(b->y, list->items[i], "file_sd", &text))
			continue;
		char *pattern = keep(b, path_from(b->arena, b->folder, text));
		if (pattern != NULL)
			target_files_read(b, list->items[i], pattern, group, s);
	}
}

/* ---- groups ---- */

/* NULL: reported. */
static const char *read_name(struct build *b, const struct yaml_node *map)
{
	const struct yaml_node *name = yaml_get(map, "name");
	const char *text;
	if (name == NULL) {
		yaml_error(b->y, map, "a group needs a 'name'");
		return NULL;
	}
	if (!yaml_text(b->y, name, "name", &text))
		return NULL;
	if (!is_clean(text) || strlen(text) > NAME_MAX_BYTES) {
		yaml_error(b->y, name, "a group's name is too long or holds control characters");
		return NULL;
	}
	for (size_t i = 0; i < b->fleet->n_groups; i++) {
		if (strcmp(b->fleet->groups[i].name, text) == 0) {
			yaml_error(b->y, name, "group '%s' is here twice", text);
			return NULL;
		}
	}
	return keep(b, arena_text(b->arena, text));
}

static struct fleet_group *add_group(struct build *b)
{
	struct fleet *f = b->fleet;
	if (f->n_groups == b->cap_groups) {
		size_t cap = b->cap_groups == 0 ? 16 : b->cap_groups * 2;
		struct fleet_group *groups = realloc(f->groups, cap * sizeof *groups);
		if (keep(b, groups) == NULL)
			return NULL;
		f->groups = groups;
		b->cap_groups = cap;
	}
	return &f->groups[f->n_groups];
}

static void read_group(struct build *b, const struct yaml_node *map, const struct settings *defaults)
{
	if (!yaml_is_map(b->y, map, "groups"))
		return;
	struct settings s = *defaults;
	const struct yaml_node *nodes = yaml_get(map, "nodes"), *targets = yaml_get(map, "targets"), *file_sd = yaml_get(map, "file_sd");
	const struct yaml_node *endpoints = yaml_get(map, "endpoints");
	size_t first = b->fleet->n_targets;
	keys_check(b->y, map, KEYS_GROUP);
	check_one_place(b, map, endpoints);
	const char *name = read_name(b, map);
	inherited_read(b, map, &s);
	const char *group = name != NULL ? name : "";
	if (nodes != NULL)
		read_nodes(b, nodes, group, &s, endpoints);
	else if (endpoints != NULL)
		yaml_error(b->y, endpoints, "'endpoints' are what 'nodes' serve, but there are none");
	if (targets != NULL)
		read_targets(b, targets, group, &s);
	if (file_sd != NULL)
		read_file_sd(b, file_sd, group, &s);
	if (nodes == NULL && targets == NULL && file_sd == NULL && endpoints == NULL)
		yaml_error(b->y, map, "group '%s' has neither 'nodes', 'targets' nor 'file_sd'", group);
	size_t deploys = b->fleet->n_deploys;
	bool is_deployed = name == NULL || deploy_read(b, map, name, s.model);
	struct fleet_group *to = b->err == ERR_OK ? add_group(b) : NULL;
	if (to == NULL)
		return;
	*to = (struct fleet_group){
		.name = group,
		.profile = s.profile != NULL ? s.profile : "",
		.model = s.model != NULL ? s.model : "",
		.first = first,
		.n = b->fleet->n_targets - first,
		.is_not_deployed = !is_deployed,
		.deploy = b->fleet->n_deploys > deploys ? b->fleet->n_deploys : 0,
	};
	b->fleet->n_groups++;
}

void groups_read(struct build *b, const struct yaml_node *list, const struct settings *defaults)
{
	if (!yaml_is_list(b->y, list, "groups"))
		return;
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_group(b, list->items[i], defaults);
}
