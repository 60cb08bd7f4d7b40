/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what: `roles:` of the fleet file gives users and Unix groups a rank, and one table says which rank a deed takes. The rank is that of the
 * account that the system vouches for, never of a name that somebody claims. */
#ifndef PITWALL_CONFIG_ROLES_H
#define PITWALL_CONFIG_ROLES_H

#include "base/account.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each may do what those before it may. (tui/ has roles of its own: colours.) */
enum rank { RANK_NONE, RANK_VIEWER, RANK_OPERATOR, RANK_ADMIN, RANK_COUNT };

/* What a person asks for. */
enum deed { DEED_HERE /* to be shown as present */, DEED_ACK, DEED_UNACK, DEED_SILENCE, DEED_UNSILENCE, DEED_NOTE,
            DEED_PLAN /* a redeploy or rollback: nodes are asked, nothing is changed */, DEED_CONFIRM /* it begins */,
            DEED_CONTROL /* pause, resume, abort, undo, skip, abandon */, DEED_PASS /* accept what a gate found */, DEED_COUNT };

struct ranked {
	const char *name;     /* of a user; of a Unix group, without its @, where is_group */
	bool        is_group;
	enum rank   rank;
};

/* Read only; texts and all live as long as the fleet. */
struct roles {
	const struct ranked *items;
	size_t             n;
	bool               has_ranks; /* false: only shared_accounts was given */
	enum rank          standard;  /* of who stands nowhere; RANK_VIEWER where `default:` is not given */
	const char *const *shared;    /* accounts that several people use */
	size_t             n_shared;
};

const char *rank_name(enum rank r);    /* "none", "viewer", "operator", "admin" */
const char *deed_name(enum deed d);    /* as audit rows have it: "ack", "silence", ... */
enum rank   deed_rank(enum deed d);    /* what it takes */

/* The highest of what stands for the account and its groups, else the default. With no roles (NULL, or none with ranks) everybody who can ask is an operator,
 * and the owner of the store an admin. */
enum rank roles_rank(const struct roles *r, const struct account *a, uint32_t store_owner);

/* ERR_DENIED, and why says what it takes. */
enum err roles_check(const struct roles *r, const struct account *a, uint32_t store_owner, enum deed deed, struct why *why);

/* Whether the account stands in shared_accounts: whoever sits there is asked for a name. `r` may be NULL. */
bool roles_is_shared(const struct roles *r, const char *account);

/* Reads `roles:` into the arena; mistakes are reported with their places. NULL: no memory. */
struct roles *roles_read(struct arena *a, const struct yaml *y, const struct yaml_node *map);

#endif
