/* SPDX-License-Identifier: Apache-2.0 */
#include "config/roles.h"

#include <string.h>

#include "base/suggest.h"
#include "config/keys.h"

enum { ROLES_MAX = 4096 }; /* names in all lists together */

static const char *const rank_names[RANK_COUNT] = { "none", "viewer", "operator", "admin" };

/* The one gate: name, what it takes, as a sentence needs it. */
static const struct {
	const char *name;
	enum rank   rank;
	const char *to_do;
} deeds[] = {
	[DEED_HERE]      = { "here", RANK_VIEWER, "be shown as present" },
	[DEED_ACK]       = { "ack", RANK_OPERATOR, "acknowledge alerts" },
	[DEED_UNACK]     = { "unack", RANK_OPERATOR, "take acknowledgements back" },
	[DEED_SILENCE]   = { "silence", RANK_OPERATOR, "silence alerts" },
	[DEED_UNSILENCE] = { "unsilence", RANK_OPERATOR, "end silences" },
	[DEED_NOTE]      = { "note", RANK_OPERATOR, "write notes" },
	[DEED_PLAN]      = { "plan", RANK_OPERATOR, "plan redeploys and rollbacks" },
	[DEED_CONFIRM]   = { "confirm", RANK_OPERATOR, "confirm redeploys and rollbacks" },
	[DEED_CONTROL]   = { "control", RANK_OPERATOR, "pause, resume, abort, undo or abandon redeploys and rollbacks" },
	[DEED_PASS]      = { "pass", RANK_ADMIN, "pass a gate that did not hold" },
};
_Static_assert(sizeof deeds / sizeof deeds[0] == DEED_COUNT, "a row for every deed");

const char *rank_name(enum rank r) { return rank_names[r]; }
const char *deed_name(enum deed d) { return deeds[d].name; }
enum rank   deed_rank(enum deed d) { return deeds[d].rank; }

/* ---- who may ---- */

static bool stands_for(const struct ranked *role, const struct account *a)
{
	if (!role->is_group)
		return strcmp(role->name, a->name) == 0;
	for (size_t i = 0; i < a->n_groups; i++)
		if (strcmp(role->name, a->groups[i]) == 0)
			return true;
	return false;
}

enum rank roles_rank(const struct roles *r, const struct account *a, uint32_t store_owner)
{
	enum rank best = RANK_NONE;
	bool is_named = false;
	if (r == NULL || !r->has_ranks)
		return a->uid == store_owner ? RANK_ADMIN : RANK_OPERATOR;
	for (size_t i = 0; i < r->n; i++) {
		if (!stands_for(&r->items[i], a))
			continue;
		is_named = true;
		best = r->items[i].rank > best ? r->items[i].rank : best;
	}
	return is_named ? best : r->standard;
}

enum err roles_check(const struct roles *r, const struct account *a, uint32_t store_owner, enum deed deed, struct why *why)
{
	enum rank has = roles_rank(r, a, store_owner), takes = deed_rank(deed);
	if (has >= takes)
		return ERR_OK;
	return why_set(why, ERR_DENIED, "'%s' may not %s: that takes the role %s, and '%s' has %s%s ('roles' in the fleet file)", a->name, deeds[deed].to_do,
	               rank_name(takes), a->name, has == RANK_NONE ? "no role" : "the role ", has == RANK_NONE ? "" : rank_name(has));
}

bool roles_is_shared(const struct roles *r, const char *account)
{
	for (size_t i = 0; r != NULL && i < r->n_shared; i++)
		if (strcmp(r->shared[i], account) == 0)
			return true;
	return false;
}

/* ---- reading ---- */

struct reading {
	struct arena      *arena;
	const struct yaml *y;
	struct roles      *roles;
	struct ranked     *items;
};

static bool check_list(const struct reading *r, const struct yaml_node *list, const char *key)
{
	if (!yaml_is_list(r->y, list, key))
		return false;
	if (list->n <= ROLES_MAX)
		return true;
	yaml_error(r->y, list, "more than %d names in '%s'", ROLES_MAX, key);
	return false;
}

static bool check_name(const struct reading *r, const struct yaml_node *node, const char *name, const char *what)
{
	if (account_is_name(name))
		return true;
	yaml_error(r->y, node, "'%.80s' is no name of a %s", name, what);
	return false;
}

static void read_role(struct reading *r, const struct yaml_node *node, enum rank rank)
{
	const char *text;
	if (!yaml_text(r->y, node, rank_name(rank), &text))
		return;
	bool is_group = text[0] == '@';
	if (!check_name(r, node, text + is_group, is_group ? "group" : "user"))
		return;
	for (size_t i = 0; i < r->roles->n; i++) {
		const struct ranked *other = &r->items[i];
		if (other->is_group != is_group || strcmp(other->name, text + is_group) != 0)
			continue;
		if (other->rank == rank)
			yaml_error(r->y, node, "'%s' is here twice", text);
		else
			yaml_error(r->y, node, "'%s' has the role %s already; one of them is enough", text, rank_name(other->rank));
		return;
	}
	const char *name = arena_text(r->arena, text + is_group);
	if (name != NULL)
		r->items[r->roles->n++] = (struct ranked){ .name = name, .is_group = is_group, .rank = rank };
}

static void read_ranks(struct reading *r, const struct yaml_node *map)
{
	size_t n = 0;
	for (enum rank rank = RANK_VIEWER; rank < RANK_COUNT; rank++) {
		const struct yaml_node *list = yaml_get(map, rank_name(rank));
		n += list != NULL && list->kind == YAML_LIST && list->n <= ROLES_MAX ? list->n : 0;
	}
	r->items = arena_zeroed(r->arena, n, sizeof *r->items);
	for (enum rank rank = RANK_VIEWER; rank < RANK_COUNT && !arena_failed(r->arena); rank++) {
		const struct yaml_node *list = yaml_get(map, rank_name(rank));
		r->roles->has_ranks = r->roles->has_ranks || list != NULL;
		if (list == NULL || !check_list(r, list, rank_name(rank)))
			continue;
		for (size_t i = 0; i < list->n && !arena_failed(r->arena); i++)
			read_role(r, list->items[i], rank);
	}
	r->roles->items = r->items;
}

static void read_standard(struct reading *r, const struct yaml_node *node)
{
	const char *text;
	if (node == NULL)
		return;
	r->roles->has_ranks = true;
	if (!yaml_text(r->y, node, "default", &text))
		return;
	for (enum rank rank = RANK_NONE; rank < RANK_COUNT; rank++) {
		if (strcmp(text, rank_name(rank)) == 0) {
			r->roles->standard = rank;
			return;
		}
	}
	const char *near = suggest(text, rank_names, RANK_COUNT);
	if (near != NULL)
		yaml_error(r->y, node, "unknown role '%.80s'; did you mean '%s'?", text, near);
	else
		yaml_error(r->y, node, "unknown role '%.80s'; there are none, viewer, operator and admin", text);
}

static void read_shared(struct reading *r, const struct yaml_node *list)
{
	if (list == NULL || !check_list(r, list, "shared_accounts"))
		return;
	const char **shared = arena_zeroed(r->arena, list->n, sizeof *shared);
	for (size_t i = 0; i < list->n && !arena_failed(r->arena); i++) {
		const char *text;
		if (yaml_text(r->y, list->items[i], "shared_accounts", &text) && check_name(r, list->items[i], text, "user"))
			shared[r->roles->n_shared++] = arena_text(r->arena, text);
	}
	r->roles->shared = shared;
}

struct roles *roles_read(struct arena *a, const struct yaml *y, const struct yaml_node *map)
{
	struct roles *roles = arena_zeroed(a, 1, sizeof *roles);
	struct reading r = { .arena = a, .y = y, .roles = roles };
	if (roles == NULL)
		return NULL;
	roles->standard = RANK_VIEWER;
	if (yaml_is_map(y, map, "roles")) {
		keys_check(y, map, KEYS_ROLES);
		read_ranks(&r, map);
		read_standard(&r, yaml_get(map, "default"));
		read_shared(&r, yaml_get(map, "shared_accounts"));
	}
	return arena_failed(a) ? NULL : roles;
}
