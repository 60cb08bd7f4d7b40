/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "sim/incident.h"

static const struct {
	const char *label, *text;
	enum err    want;
	double      start_s;
	const char *says;
} rows[] = {
	{ "a name",              "node-down",         ERR_OK,        0,   "" },
	{ "a name and a time",   "node-down@12.5",    ERR_OK,        12.5, "" },
	{ "an unknown name",     "node-dwon",         ERR_NOT_FOUND, 0,   "no incident is called 'node-dwon'" },
	{ "names what there is", "x@1",               ERR_NOT_FOUND, 0,   "flapping-node" },
	{ "a time in words",     "node-down@soon",    ERR_USAGE,     0,   "write 'node-down@30'" },
	{ "a time before",       "node-down@-3",      ERR_USAGE,     0,   "node-down@-3" },
	{ "a very long name",    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", ERR_NOT_FOUND, 0, "no incident" },
	{ "nothing",             "",                  ERR_NOT_FOUND, 0,   "no incident" },
};

static void texts_become_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct schedule s = { .seed = 1 };
		struct why      why = { "" };
		enum err        got = schedule_add(&s, rows[i].text, &why);
		assert_row(rows[i].label, got == rows[i].want);
		assert_row(rows[i].label, strstr(why.text, rows[i].says) != NULL);
		assert_row(rows[i].label, s.n == (got == ERR_OK ? 1 : 0));
		if (got == ERR_OK)
			assert_row(rows[i].label, s.entries[0].start_s == rows[i].start_s);
	}
}

static void a_schedule_is_bounded(void **state)
{
	(void)state;
	struct schedule s = { .seed = 1 };
	for (int i = 0; i < SCHEDULE_MAX; i++)
		assert_int_equal(schedule_add(&s, "kv-thrash", NULL), ERR_OK);
	assert_int_equal(schedule_add(&s, "kv-thrash", NULL), ERR_LIMIT);
	assert_int_equal(s.n, SCHEDULE_MAX);
}

/* In one round of the demo each incident is seen, and never is most of the fleet hit. */
static void the_demo_shows_everything(void **state)
{
	(void)state;
	struct roster   r;
	struct schedule s;
	bool            seen[INCIDENT_DEMO] = { false };
	assert_int_equal(roster_init(&r, 48, 1, NULL), ERR_OK);
	schedule_demo(&s, 1);
	for (int t = 0; t < 600; t += 5) {
		size_t hit = 0;
		for (size_t i = 0; i < r.n_nodes; i++) {
			struct effects e;
			schedule_effects(&s, &r, i, t, &e);
			hit += e.incident != NULL;
			for (size_t k = 0; k < INCIDENT_DEMO; k++)
				seen[k] |= e.incident == incident_at(k);
		}
		assert_true(hit <= r.n_nodes / 2);
		assert_true(t >= 25 || hit == 0);
		assert_true(t < 30 || hit > 0);
	}
	for (size_t k = 0; k < INCIDENT_DEMO; k++)
		assert_row(incident_at(k)->name, seen[k]);
	roster_release(&r);
}

static void any_size_of_fleet_has_its_nodes(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 2, 5, 6, 7, 48, 256, 1024 };
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct roster r;
		size_t        sum = 0;
		assert_int_equal(roster_init(&r, sizes[i], 1, NULL), ERR_OK);
		for (size_t g = 0; g < r.n_groups; g++) {
			assert_true(r.groups[g].count > 0 && r.groups[g].first == sum);
			sum += r.groups[g].count;
		}
		assert_int_equal(sum, sizes[i]);
		for (size_t a = 0; a < sizes[i] && a < 64; a++)
			for (size_t b = a + 1; b < sizes[i] && b < 64; b++) {
				assert_string_not_equal(r.nodes[a].name, r.nodes[b].name);
				assert_string_not_equal(r.nodes[a].uuid[0], r.nodes[b].uuid[0]);
			}
		roster_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_entries),
		cmocka_unit_test(a_schedule_is_bounded),
		cmocka_unit_test(the_demo_shows_everything),
		cmocka_unit_test(any_size_of_fleet_has_its_nodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
