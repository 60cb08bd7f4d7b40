/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/scope.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "deploy/plan.h"

enum { NAMED_MAX = 8, NAMES_MAX = 100000, DRIVERS_MAX = 64 };

/* ---- which targets, which scope ---- */

enum meaning_kind { MEANS_MODEL, MEANS_GROUP, MEANS_NODE, MEANS_SCOPE, MEANS_COUNT };
static const char *const kind_words[MEANS_COUNT] = { "model", "group", "node", "scope" };

/* What a name would stand for as one of these. */
struct meaning {
	enum meaning_kind          kind;
	const char                *name;
	size_t                     n_targets, n_in_scope;
	const struct fleet_deploy *scopes[NAMED_MAX];
	size_t                     n_scopes;      /* may be more than are kept */
	const char                *group;         /* the first that no `deploy` holds for; NULL: all have one */
};

/* Walks the targets, which stand in the order of their groups, so that no group has to be looked for. */
struct cursor {
	const struct fleet        *fleet;
	size_t                     group;
	const struct fleet_target *before;
	const struct fleet_deploy *deploy;
};

static const struct fleet_deploy *deploy_of(struct cursor *c, const struct fleet_target *t)
{
	const struct fleet *f = c->fleet;
	if (c->before != NULL && strcmp(c->before->group, t->group) == 0 && strcmp(c->before->model, t->model) == 0)
		return c->deploy;
	while (c->group < f->n_groups && strcmp(f->groups[c->group].name, t->group) != 0)
		c->group++;
	c->before = t;
	c->deploy = t->model[0] == '\0' || c->group == f->n_groups ? NULL : fleet_deploy_in(f, &f->groups[c->group], t->model);
	return c->deploy;
}

/* A node, or one of several with commas between; of "a,b@SCOPE" what that scope has there. */
static bool is_in_list(const char *list, const char *node)
{
	size_t n = strlen(node);
	if (strcmp(list, node) == 0)
		return true;
	for (const char *at = list; n > 0 && at != NULL; at = strpbrk(at, ",@"), at = at != NULL && *at == ',' ? at + 1 : NULL)
		if (strncmp(at, node, n) == 0 && (at[n] == ',' || at[n] == '@' || at[n] == '\0'))
			return true;
	return false;
}

/* What stands behind '@', where the name as a whole is no node's or group's. */
static bool is_of_scope(const char *name, const char *whole, const struct fleet_deploy *d)
{
	const char *of = strchr(name, '@');
	return of == NULL || strcmp(name, whole) == 0 || (d != NULL && strcmp(d->name, of + 1) == 0);
}

static bool is_group(const char *name, const char *group)
{
	size_t n = strcspn(name, "@");
	return strcmp(name, group) == 0 || (strlen(group) == n && strncmp(name, group, n) == 0);
}

static bool is_meant(enum meaning_kind kind, const char *name, const struct fleet_target *t, const struct fleet_deploy *d)
{
	switch (kind) {
	case MEANS_MODEL:
		return strcmp(t->model, name) == 0;
	case MEANS_GROUP:
		return is_group(name, t->group) && is_of_scope(name, t->group, d);
	case MEANS_NODE:
		return is_in_list(name, t->node) && is_of_scope(name, t->node, d);
	case MEANS_SCOPE:
		return d != NULL && strcmp(d->name, name) == 0;
	case MEANS_COUNT:
		break;
	}
	return false;
}

static void note_scope(struct meaning *m, const struct fleet_deploy *d)
{
	for (size_t i = 0; i < m->n_scopes && i < NAMED_MAX; i++)
		if (m->scopes[i] == d)
			return;
	if (m->n_scopes < NAMED_MAX)
		m->scopes[m->n_scopes] = d;
	m->n_scopes++;
}

static struct meaning meaning_of(const struct fleet *f, enum meaning_kind kind, const char *name)
{
	struct meaning m = { .kind = kind, .name = name };
	struct cursor c = { .fleet = f };
	for (size_t i = 0; i < f->n_targets && name[0] != '\0'; i++) { /* "" is what a target has that has no model */
		const struct fleet_target *t = &f->targets[i];
		const struct fleet_deploy *d = deploy_of(&c, t);
		if (!is_meant(kind, name, t, d))
			continue;
		m.n_targets++;
		if (d == NULL) {
			m.group = m.group != NULL ? m.group : t->group;
			continue;
		}
		m.n_in_scope++;
		note_scope(&m, d);
	}
	return m;
}

/* ---- sentences ---- */

static enum err no_such_name(const struct fleet *f, const char *name, struct why *why)
{
	const char **names = f->n_targets < NAMES_MAX ? calloc(f->n_targets * 3 + 1, sizeof *names) : NULL;
	size_t n = 0;
	for (size_t i = 0; i < f->n_targets && names != NULL; i++) {
		const struct fleet_target *t = &f->targets[i];
		const bool is_new = i == 0 || strcmp(t[-1].group, t->group) != 0 || strcmp(t[-1].model, t->model) != 0;
		if (is_new) {
			names[n++] = t->model;
			names[n++] = t->group;
		}
		names[n++] = t->node;
	}
	const char *near = names != NULL ? suggest(name, names, n) : NULL;
	enum err e = near != NULL ? why_set(why, ERR_NOT_FOUND, "there is no model, group or node '%.100s'; did you mean '%.100s'?", name, near)
	                          : why_set(why, ERR_NOT_FOUND, "there is no model, group or node '%.100s'", name);
	free(names);
	return e;
}

static enum err no_section(const struct fleet *f, const struct meaning *m, struct why *why)
{
	for (size_t i = 0; i < f->n_groups; i++)
		if (strcmp(f->groups[i].name, m->group) == 0 && f->groups[i].is_not_deployed)
			return why_set(why, ERR_UNSUPPORTED, "group '%.100s' says 'deploy: none' in the fleet file: it is not deployed from here", m->group);
	return why_set(why, ERR_UNSUPPORTED,
	               "nothing says how '%.100s' is deployed: give group '%.100s' a 'model' and a section 'deploy' in the fleet file, as in "
	               "deploy: { driver: systemd, unit: server.service }",
	               m->name, m->group);
}

static const char choices_begin[] = "name one of ";

/* Those whose names fit; the others would be cut. */
static enum err several_places(const struct meaning *m, struct why *why)
{
	struct buf names;
	size_t n = 0;
	buf_init(&names, sizeof why->text - 200);
	for (; n < m->n_scopes && n < NAMED_MAX; n++)
		if (names.len + strlen(m->scopes[n]->name) + sizeof ", scope:, ..." > sizeof why->text - 200 ||
		    buf_printf(&names, "%sscope:%s", n > 0 ? ", " : "", m->scopes[n]->name) != ERR_OK)
			break;
	enum err e = why_set(why, ERR_USAGE, "'%.60s' is deployed in %zu places; %s%s%s", m->name, m->n_scopes, choices_begin, buf_text(&names),
	                     n < m->n_scopes ? ", ..." : "");
	buf_release(&names);
	return e;
}

size_t scope_choices(const char *sentence, struct arena *a, const char *out[SCOPE_CHOICES_MAX])
{
	static const char between[] = ", ";
	size_t n = 0;
	const char *at = strstr(sentence, choices_begin);
	for (at = at != NULL ? at + sizeof choices_begin - 1 : NULL; at != NULL && n < SCOPE_CHOICES_MAX;) {
		const char *end = strstr(at, between);
		size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
		char *copy = arena_zeroed(a, len + 1, 1);
		if (copy == NULL)
			return n;
		memcpy(copy, at, len);
		if (strchr(copy, ':') != NULL) /* "..." is none */
			out[n++] = copy;
		at = end != NULL ? end + sizeof between - 1 : NULL;
	}
	return n;
}

/* Of a node, several or a group: what each scope has there. Of nodes that have a long name together those who ask are told the scopes alone. */
static enum err several_scopes(const struct meaning *m, struct why *why)
{
	if (m->kind == MEANS_MODEL || m->kind == MEANS_SCOPE || strchr(m->name, '@') != NULL)
		return several_places(m, why);
	struct buf names;
	size_t n = 0, most = sizeof why->text - 200;
	buf_init(&names, most);
	for (; n < m->n_scopes && n < NAMED_MAX; n++)
		if (names.len + strlen(m->name) + strlen(m->scopes[n]->name) + sizeof ", group:@, ..." > most ||
		    buf_printf(&names, "%s%s:%s@%s", n > 0 ? ", " : "", kind_words[m->kind], m->name, m->scopes[n]->name) != ERR_OK)
			break;
	enum err e = n == 0 ? several_places(m, why)
	                    : why_set(why, ERR_USAGE, "'%.60s' has %zu that are deployed by themselves; %s%s%s", m->name, m->n_scopes, choices_begin, buf_text(&names),
	                              n < m->n_scopes ? ", ..." : "");
	buf_release(&names);
	return e;
}

/* Each of a list must be there. */
static enum err check_list(const struct fleet *f, const char *list, struct why *why)
{
	for (const char *at = list; at != NULL; at = strpbrk(at, ",@"), at = at != NULL && *at == ',' ? at + 1 : NULL) {
		size_t n = strcspn(at, ",@");
		bool is_there = false;
		for (size_t i = 0; i < f->n_targets && !is_there; i++)
			is_there = strncmp(f->targets[i].node, at, n) == 0 && f->targets[i].node[n] == '\0';
		if (!is_there)
			return why_set(why, ERR_NOT_FOUND, "there is no node '%.*s'", (int)(n < 100 ? n : 100), at);
	}
	return ERR_OK;
}

/* ---- what a name stands for ---- */

static bool is_same(const struct meaning *a, const struct meaning *b)
{
	return a->n_scopes == 1 && b->n_scopes == 1 && a->scopes[0] == b->scopes[0] && a->n_in_scope == b->n_in_scope;
}

static enum err settle(const struct fleet *f, const struct meaning *m, struct meaning *out, struct why *why)
{
	if (m->n_scopes == 0)
		return no_section(f, m, why);
	if (m->n_scopes > 1)
		return several_scopes(m, why);
	*out = *m;
	return ERR_OK;
}

/* A plain name: as a model, a group and a node; where it is several of them, those must come to the same. */
static enum err find_plain(const struct fleet *f, const char *name, struct meaning *out, struct why *why)
{
	struct meaning found[MEANS_SCOPE];
	const struct meaning *first = NULL;
	for (enum meaning_kind k = MEANS_MODEL; k < MEANS_SCOPE; k++) {
		found[k] = meaning_of(f, k, name);
		if (found[k].n_targets == 0)
			continue;
		if (first == NULL || (first->n_scopes == 0 && found[k].n_scopes > 0))
			first = &found[k];
		else if (found[k].n_scopes > 0 && !is_same(first, &found[k]))
			return why_set(why, ERR_USAGE, "'%.100s' is a %s and a %s, which are not the same here; %s%s:%s, %s:%s", name,
			               kind_words[first->kind], kind_words[k], choices_begin, kind_words[first->kind], name, kind_words[k], name);
	}
	if (first == NULL)
		return no_such_name(f, name, why);
	enum err e = first->kind == MEANS_NODE && strchr(name, ',') != NULL ? check_list(f, name, why) : ERR_OK;
	return e == ERR_OK ? settle(f, first, out, why) : e;
}

static enum err find_meaning(const struct fleet *f, const char *target, struct meaning *out, struct why *why)
{
	for (enum meaning_kind k = MEANS_MODEL; k < MEANS_COUNT; k++) {
		size_t n = strlen(kind_words[k]);
		if (strncmp(target, kind_words[k], n) != 0 || target[n] != ':' || target[n + 1] == '\0')
			continue;
		struct meaning m = meaning_of(f, k, target + n + 1);
		if (m.n_targets == 0)
			return why_set(why, ERR_NOT_FOUND, k == MEANS_SCOPE ? "no %s '%.200s' has any node" : "there is no %s '%.200s'", kind_words[k], target + n + 1);
		enum err e = k == MEANS_NODE && strchr(m.name, ',') != NULL ? check_list(f, m.name, why) : ERR_OK;
		return e == ERR_OK ? settle(f, &m, out, why) : e;
	}
	return find_plain(f, target, out, why);
}

/* ---- units ---- */

/* What a target tells of its machine and not of its model. */
static bool is_about_machine(const struct fleet_target *t)
{
	static const char *const profiles[] = { "dcgm", "machine", "node", "nvidia-smi" };
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		if (strcmp(t->profile, profiles[i]) == 0)
			return true;
	return t->ssh != NULL;
}

/* The better one of a node comes first: a server of a kind that is known, one that is not, what is about the machine. */
static int rank_of(const struct fleet_target *t)
{
	return is_about_machine(t) ? 2 : t->profile[0] == '\0' || strcmp(t->profile, "generic") == 0;
}

static int by_node_and_rank(const void *a, const void *b)
{
	const struct fleet_target *x = *(const struct fleet_target *const *)a, *y = *(const struct fleet_target *const *)b;
	int order = strcmp(x->node, y->node);
	if (order == 0)
		order = rank_of(x) - rank_of(y);
	return order != 0 ? order : (x > y) - (x < y); /* both are in the fleet's one array */
}

struct targets {
	const struct fleet_target **items;
	size_t                      n;
};

/* Those of the scope, by node, the best of each first; with `m` only those that it means. */
static enum err scope_targets(const struct fleet *f, const struct fleet_deploy *d, const struct meaning *m, struct arena *a, struct targets *out, struct why *why)
{
	struct cursor c = { .fleet = f };
	*out = (struct targets){ .items = arena_zeroed(a, f->n_targets + 1, sizeof *out->items) };
	if (out->items == NULL)
		return why_memory(why);
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i];
		if (deploy_of(&c, t) == d && (m == NULL || is_meant(m->kind, m->name, t, d)))
			out->items[out->n++] = t;
	}
	qsort(out->items, out->n, sizeof(const struct fleet_target *), by_node_and_rank);
	return ERR_OK;
}

/* Machines of the whole fleet, by node: they may stand in another group. */
static enum err machine_targets(const struct fleet *f, struct arena *a, struct targets *out, struct why *why)
{
	*out = (struct targets){ .items = arena_zeroed(a, f->n_targets + 1, sizeof *out->items) };
	if (out->items == NULL)
		return why_memory(why);
	for (size_t i = 0; i < f->n_targets; i++)
		if (f->targets[i].ssh != NULL)
			out->items[out->n++] = &f->targets[i];
	qsort(out->items, out->n, sizeof(const struct fleet_target *), by_node_and_rank);
	return ERR_OK;
}

/* The node's machine, of that group where there is one. NULL: none. */
static const struct fleet_target *machine_of(const struct targets *machines, const char *node, const char *group)
{
	size_t low = 0, high = machines->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(machines->items[middle]->node, node) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct fleet_target *found = NULL;
	for (size_t i = low; i < machines->n && strcmp(machines->items[i]->node, node) == 0; i++)
		if (found == NULL || (strcmp(found->group, group) != 0 && strcmp(machines->items[i]->group, group) == 0))
			found = machines->items[i];
	return found;
}

/* scheme://host:port */
static const char *base_of(struct arena *a, const char *url)
{
	const char *authority = strstr(url, "://");
	if (authority == NULL)
		return "";
	size_t n = (size_t)(authority + 3 - url) + strcspn(authority + 3, "/?#");
	char *copy = arena_zeroed(a, n + 1, 1);
	return copy != NULL ? memcpy(copy, url, n) : "";
}

static struct unit unit_of(struct arena *a, const struct fleet_deploy *d, const struct fleet_target *t, const struct targets *machines)
{
	const struct fleet_target *m = machine_of(machines, t->node, t->group);
	struct unit u = { .name = t->node, .node = t->node, .model = d->model, .group = t->group, .url = is_about_machine(t) ? "" : base_of(a, t->url),
		          .destination = "", .user = "" };
	if (m != NULL) {
		u.destination = m->ssh_host;
		u.user = m->ssh->user;
		u.port = m->ssh->port;
		u.is_local = m->is_local;
	}
	return u;
}

static bool is_first_of_node(const struct targets *t, size_t i)
{
	return i == 0 || strcmp(t->items[i - 1]->node, t->items[i]->node) != 0;
}

static enum err make_nodes(const struct targets *all, struct arena *a, struct deploy_scope *s, struct why *why)
{
	const char **nodes = arena_zeroed(a, all->n + 1, sizeof *nodes);
	if (nodes == NULL)
		return why_memory(why);
	for (size_t i = 0; i < all->n; i++)
		if (is_first_of_node(all, i))
			nodes[s->n_nodes++] = all->items[i]->node;
	s->nodes = nodes;
	return s->n_nodes <= PLAN_UNITS_MAX ? ERR_OK : why_set(why, ERR_LIMIT, "'%.100s' has %zu nodes; at most %d are deployed as one", s->deploy->name, s->n_nodes, PLAN_UNITS_MAX);
}

static enum err make_units(const struct fleet *f, const struct targets *meant, struct arena *a, struct deploy_scope *s, struct why *why)
{
	struct targets machines;
	enum err e = machine_targets(f, a, &machines, why);
	s->units = e == ERR_OK ? arena_zeroed(a, s->n_nodes + 1, sizeof *s->units) : NULL;
	if (s->units == NULL)
		return why_memory(why);
	for (size_t i = 0; i < meant->n; i++)
		if (is_first_of_node(meant, i))
			s->units[s->n_units++] = unit_of(a, s->deploy, meant->items[i], &machines);
	if (s->driver->is_whole && s->n_units > 0) {
		struct unit *whole = &s->units[0]; /* the first node's server and machine speak for all */
		whole->name = s->deploy->model;
		whole->node = "";
		s->n_units = 1;
	}
	return arena_failed(a) ? why_memory(why) : ERR_OK;
}


static enum err check_machines(const struct deploy_scope *s, struct why *why)
{
	for (size_t i = 0; i < s->n_units && s->driver->needs_machine; i++)
		if (!unit_has_machine(&s->units[i]))
			return why_set(why, ERR_UNSUPPORTED, "driver '%s' works on the machine of '%.100s', which can't be reached: say 'ssh: yes' in group '%.100s'", s->driver->name,
			               s->units[i].name, s->units[i].group);
	return ERR_OK;
}

/* ---- driver and options ---- */

void deploy_resolve(const struct fleet_deploy *in, const struct driver *driver, struct fleet_deploy *out)
{
	*out = *in;
	if (out->running == VERSION_UNKNOWN && driver->has_running)
		out->running = VERSION_DRIVER;
	if (out->history == VERSION_UNKNOWN && driver->has_history)
		out->history = VERSION_DRIVER;
}

static enum err no_such_driver(const char *name, struct why *why)
{
	const char *names[DRIVERS_MAX];
	struct buf all;
	size_t n = 0;
	buf_init(&all, 4096);
	while (n < DRIVERS_MAX && driver_at(n) != NULL) {
		names[n] = driver_at(n)->name;
		buf_printf(&all, "%s%s", n > 0 ? ", " : "", names[n]);
		n++;
	}
	const char *near = suggest(name, names, n);
	enum err e = near != NULL ? why_set(why, ERR_UNSUPPORTED, "there is no driver '%.60s'; did you mean '%s'?", name, near)
	                          : why_set(why, ERR_UNSUPPORTED, "there is no driver '%.60s'; there are %s", name, buf_text(&all));
	buf_release(&all);
	return e;
}

/* What the file says that the driver can't tell. */
static enum err check_sources(const struct fleet_deploy *d, const struct driver *driver, struct why *why)
{
	if (d->running == VERSION_DRIVER && !driver->has_running)
		return why_set(why, ERR_FORMAT, "driver '%s' can't tell which version runs: 'running' must be signal", driver->name);
	if (d->history == VERSION_DRIVER && !driver->has_history)
		return why_set(why, ERR_FORMAT, "driver '%s' can't tell what ran before: 'history' must be store", driver->name);
	return ERR_OK;
}

/* Driver and settings of one section. Mistakes with places of their own go to `diagnostics`; why has the sentence of the first. */
static enum err read_section(const struct fleet_deploy *d, const char *file, struct arena *a, struct diagnostics *diagnostics, struct deploy_scope *s, struct why *why)
{
	s->driver = driver_find(d->driver);
	if (s->driver == NULL)
		return no_such_driver(d->driver, why);
	struct fleet_deploy *own = arena_zeroed(a, 1, sizeof *own);
	if (own == NULL)
		return why_memory(why);
	deploy_resolve(d, s->driver, own);
	s->deploy = own;
	enum err e = settings_read(a, s->driver->options, s->driver->n_options, own, file, diagnostics, &s->settings, why);
	if (e == ERR_OK)
		e = check_sources(own, s->driver, why);
	if (e == ERR_OK && s->driver->check != NULL)
		e = s->driver->check(own, &s->settings, why);
	return e;
}

/* ---- finding ---- */

static enum err fill(const struct fleet *f, const struct meaning *m, struct arena *a, struct deploy_scope *s, struct why *why)
{
	const struct fleet_deploy *d = m->scopes[0];
	struct targets all, meant;
	struct diagnostics mistakes;
	diagnostics_init(&mistakes);
	enum err e = read_section(d, f->path[0] != '\0' ? f->path : "the fleet file", a, &mistakes, s, why);
	if (mistakes.n_errors > 0)
		diagnostics_why(&mistakes, e, why);
	diagnostics_release(&mistakes);
	if (e == ERR_OK)
		e = scope_targets(f, d, NULL, a, &all, why);
	if (e == ERR_OK)
		e = scope_targets(f, d, m, a, &meant, why);
	if (e == ERR_OK)
		e = make_nodes(&all, a, s, why);
	if (e == ERR_OK)
		e = make_units(f, s->driver->is_whole ? &all : &meant, a, s, why);
	return e == ERR_OK ? check_machines(s, why) : e;
}

enum err scope_find(const struct fleet *f, const char *target, struct arena *a, struct deploy_scope **out, struct why *why)
{
	struct meaning m;
	enum err e = find_meaning(f, target, &m, why);
	if (e != ERR_OK)
		return e;
	struct deploy_scope *s = arena_zeroed(a, 1, sizeof *s);
	if (s == NULL || (s->target = arena_text(a, target)) == NULL)
		return why_memory(why);
	e = fill(f, &m, a, s, why);
	if (e == ERR_OK)
		*out = s;
	return e;
}

enum err scope_of_alert(const struct fleet *f, const struct labels *l, struct arena *a, struct deploy_scope **out, struct why *why)
{
	static const char *const names[] = { "node", "group", "model" };
	enum err e = why_set(why, ERR_NOT_FOUND, "the alert names no node, group or model");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = labels_get(l, names[i]);
		if (value == NULL || value[0] == '\0')
			continue;
		e = scope_find(f, arena_printf(a, "%s:%s", names[i], value), a, out, why);
		if (e != ERR_USAGE && e != ERR_NOT_FOUND)
			return arena_failed(a) ? why_memory(why) : e;
	}
	return arena_failed(a) ? why_memory(why) : e;
}

/* ---- checking ---- */

static void warn_addresses(const struct fleet_deploy *d, const char *file, const struct targets *all, struct diagnostics *to)
{
	for (size_t i = 1; i < all->n; i++) {
		const struct fleet_target *t = all->items[i], *first = all->items[i - 1];
		if (strcmp(first->node, t->node) != 0 || !is_first_of_node(all, i - 1) || rank_of(first) != 0 || rank_of(t) != 0 || strcmp(first->url, t->url) == 0)
			continue;
		diagnostics_add(to, DIAGNOSTIC_WARNING, file, d->line, d->col, "'%s' serves at '%s' and elsewhere; the driver works with that one alone", t->node, first->url);
		return; /* one stands for all */
	}
}

static enum err check_units(const struct fleet *f, const struct fleet_deploy *d, const char *file, struct arena *a, struct deploy_scope *s, struct diagnostics *to,
                            struct why *why)
{
	struct targets all;
	enum err e = scope_targets(f, d, NULL, a, &all, why);
	if (e == ERR_OK && all.n == 0) {
		diagnostics_add(to, DIAGNOSTIC_WARNING, file, d->line, d->col, "no node serves '%s' yet that this 'deploy' would hold for", d->model);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = make_nodes(&all, a, s, why);
	if (e == ERR_OK)
		e = make_units(f, &all, a, s, why);
	if (e == ERR_OK)
		e = check_machines(s, why);
	if (e == ERR_OK)
		warn_addresses(d, file, &all, to);
	return e;
}

static void warn_sources(const struct deploy_scope *s, const char *file, struct diagnostics *to)
{
	const struct fleet_deploy *d = s->deploy;
	if (d->running == VERSION_UNKNOWN)
		diagnostics_add(to, DIAGNOSTIC_WARNING, file, d->line, d->col, "driver '%s' can't tell which version runs: without 'running: signal' no rollback is planned", d->driver);
	if (d->history == VERSION_UNKNOWN)
		diagnostics_add(to, DIAGNOSTIC_WARNING, file, d->line, d->col, "driver '%s' can't tell what ran before: without 'history: store' no rollback is planned", d->driver);
}

enum err deploy_check(const struct fleet *f, const char *file, struct diagnostics *d, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < f->n_deploys && e != ERR_MEMORY; i++) {
		struct deploy_scope s = { .driver = NULL };
		struct arena a;
		struct why found = { "" };
		size_t before = d->n_errors;
		arena_init(&a);
		e = read_section(&f->deploys[i], file, &a, d, &s, &found);
		if (e == ERR_OK) {
			warn_sources(&s, file, d);
			e = check_units(f, &f->deploys[i], file, &a, &s, d, &found);
		}
		if (e != ERR_OK && e != ERR_MEMORY && d->n_errors == before)
			diagnostics_add(d, DIAGNOSTIC_ERROR, file, f->deploys[i].line, f->deploys[i].col, "%s", found.text);
		arena_release(&a);
	}
	return e == ERR_MEMORY || d->err == ERR_MEMORY ? why_memory(why) : ERR_OK;
}
