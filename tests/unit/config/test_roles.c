/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "config/roles.h"
#include "tests/unit/config/fleet_text.h"

/* A fleet file with these lines at its end; what was wrong goes to `said`. NULL: it is not good. */
static struct fleet *read_fleet(const char *roles, char said[2000])
{
	struct fleet *f = NULL;
	snprintf(said, 2000, "%s", fleet_text_said(FLEET_TEXT_LEAST, roles, &f));
	return f;
}

static void test_mistakes(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "roles: [ alice ]\n", "f:2:8: 'roles' must be a mapping, not a list\n" },
		{ "roles: { operators: [ a ] }\n", "f:2:10: unknown key 'operators'; did you mean 'operator'?\n" },
		{ "roles: { operator: alice }\n", "f:2:20: 'operator' must be a list, not 'alice'\n" },
		{ "roles: { operator: [ '' ] }\n", "f:2:22: '' is no name of a user\n" },
		{ "roles: { operator: [ '@' ] }\n", "f:2:22: '' is no name of a group\n" },
		{ "roles: { operator: [ 'a b' ] }\n", "f:2:22: 'a b' is no name of a user\n" },
		{ "roles: { operator: [ a, b, a ] }\n", "f:2:28: 'a' is here twice\n" },
		{ "roles: { operator: [ a ], admin: [ a ] }\n", "f:2:36: 'a' has the role operator already; one of them is enough\n" },
		{ "roles: { operator: [ a ], admin: [ '@a' ] }\n", "" },
		{ "roles: { default: opertor }\n", "f:2:19: unknown role 'opertor'; did you mean 'operator'?\n" },
		{ "roles: { default: everything }\n", "f:2:19: unknown role 'everything'; there are none, viewer, operator and admin\n" },
		{ "roles: { shared_accounts: [ '@ops' ] }\n", "f:2:29: '@ops' is no name of a user\n" },
		{ "roles: { shared_accounts: [ ops ] }\n", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char said[2000];
		struct fleet *f = read_fleet(rows[i].text, said);
		if (strcmp(said, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].text, said);
		assert_row(rows[i].text, (f != NULL) == (rows[i].want[0] == '\0'));
		fleet_free(f);
	}
}

static char sre[] = "sre", ops[] = "ops";
static char *groups_sre[] = { ops, sre };

static void test_ranks(void **state)
{
	static const char lists[] = "roles: { viewer: [ victor ], operator: [ olga, '@sre' ], admin: [ anna ], default: none }\n";
	static const struct {
		const char    *label, *roles;
		struct account account;
		enum rank      want;
	} rows[] = {
		{ "no roles: an operator", "", { 1000, "olga", NULL, 0 }, RANK_OPERATOR },
		{ "no roles: the owner", "", { 7, "pitwall", NULL, 0 }, RANK_ADMIN },
		{ "no ranks: an operator", "roles: { shared_accounts: [ ops ] }\n", { 1000, "olga", NULL, 0 }, RANK_OPERATOR },
		{ "no ranks: the owner", "roles: { shared_accounts: [ ops ] }\n", { 7, "pitwall", NULL, 0 }, RANK_ADMIN },
		{ "a viewer", lists, { 1000, "victor", NULL, 0 }, RANK_VIEWER },
		{ "an operator", lists, { 1000, "olga", NULL, 0 }, RANK_OPERATOR },
		{ "an admin", lists, { 1000, "anna", NULL, 0 }, RANK_ADMIN },
		{ "by group", lists, { 1000, "gerd", groups_sre, 2 }, RANK_OPERATOR },
		{ "the highest counts", lists, { 1000, "victor", groups_sre, 2 }, RANK_OPERATOR },
		{ "a user called like the group", lists, { 1000, "sre", NULL, 0 }, RANK_NONE },
		{ "a group called like the user", lists, { 1000, "gerd", groups_sre, 1 }, RANK_NONE },
		{ "with roles the owner has what is written", lists, { 7, "pitwall", NULL, 0 }, RANK_NONE },
		{ "the default's default", "roles: { admin: [ anna ] }\n", { 1000, "olga", NULL, 0 }, RANK_VIEWER },
		{ "a default alone", "roles: { default: admin }\n", { 1000, "olga", NULL, 0 }, RANK_ADMIN },
		{ "an empty list is a list", "roles: { admin: [ ] }\n", { 7, "pitwall", NULL, 0 }, RANK_VIEWER },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char said[2000];
		struct fleet *f = read_fleet(rows[i].roles, said);
		if (f == NULL)
			fail_msg("%s: %s", rows[i].label, said);
		assert_row(rows[i].label, roles_rank(f->roles, &rows[i].account, 7) == rows[i].want);
		fleet_free(f);
	}
}

static void test_gate(void **state)
{
	static const struct {
		enum deed deed;
		bool      may[RANK_COUNT]; /* none, viewer, operator, admin */
	} rows[DEED_COUNT] = {
		{ DEED_HERE, { false, true, true, true } },     { DEED_ACK, { false, false, true, true } },       { DEED_UNACK, { false, false, true, true } },
		{ DEED_SILENCE, { false, false, true, true } }, { DEED_UNSILENCE, { false, false, true, true } }, { DEED_NOTE, { false, false, true, true } },
		{ DEED_PLAN, { false, false, true, true } },    { DEED_CONFIRM, { false, false, true, true } },
		{ DEED_CONTROL, { false, false, true, true } }, { DEED_PASS, { false, false, false, true } },
	};
	static const struct ranked ranks[] = { { "n", false, RANK_NONE }, { "v", false, RANK_VIEWER }, { "o", false, RANK_OPERATOR }, { "a", false, RANK_ADMIN } };
	const struct roles roles = { .items = ranks, .n = RANK_COUNT, .has_ranks = true, .standard = RANK_NONE };
	struct why why;
	(void)state;
	for (size_t i = 0; i < DEED_COUNT; i++) {
		for (enum rank rank = RANK_NONE; rank < RANK_COUNT; rank++) {
			struct account a = { .uid = 1000 };
			snprintf(a.name, sizeof a.name, "%s", ranks[rank].name);
			enum err e = roles_check(&roles, &a, 7, rows[i].deed, &why);
			assert_row(deed_name(rows[i].deed), e == (rows[i].may[rank] ? ERR_OK : ERR_DENIED));
		}
	}
	const struct account viewer = { .uid = 1000, .name = "v" };
	assert_int_equal(roles_check(&roles, &viewer, 7, DEED_ACK, &why), ERR_DENIED);
	assert_string_equal(why.text, "'v' may not acknowledge alerts: that takes the role operator, and 'v' has the role viewer ('roles' in the fleet file)");
	const struct account other = { .uid = 1000, .name = "x" };
	assert_int_equal(roles_check(&roles, &other, 7, DEED_HERE, &why), ERR_DENIED);
	assert_string_equal(why.text, "'x' may not be shown as present: that takes the role viewer, and 'x' has no role ('roles' in the fleet file)");
}

static void test_shared(void **state)
{
	char said[2000];
	struct fleet *f = read_fleet("roles: { shared_accounts: [ ops, root ] }\n", said);
	(void)state;
	assert_non_null(f);
	assert_true(roles_is_shared(f->roles, "ops"));
	assert_true(roles_is_shared(f->roles, "root"));
	assert_false(roles_is_shared(f->roles, "op"));
	assert_false(roles_is_shared(NULL, "ops"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mistakes), cmocka_unit_test(test_ranks), cmocka_unit_test(test_gate),
		                            cmocka_unit_test(test_shared) };
	return cmocka_run_group_tests(tests, fleet_text_set_up, fleet_text_tear_down);
}
