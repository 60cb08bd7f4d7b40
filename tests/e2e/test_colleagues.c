/* SPDX-License-Identifier: Apache-2.0
 *
 * What one console acknowledges nine others show, and the recorder is none of them. How soon is what bench/bench_colleagues measures. */
#include "tests/unit/unit.h"

#include "tests/e2e/colleagues.h"
#include "tests/e2e/small_fleet.h"

/* By what there is room for. */
static bool knows_nine_others(struct pty *p, const void *unused)
{
	(void)unused;
	return pty_has_text(p, "9 others") || pty_has_text(p, "+9");
}

static void an_acknowledgement_is_seen_by_nine_others(void **state)
{
	struct small_fleet f;
	struct colleagues c;
	char rules[128];
	int64_t seen_us[COLLEAGUES];
	(void)state;
	small_fleet_make(&f);
	snprintf(rules, sizeof rules, "%s/rules.yml", f.folder);
	colleagues_add_alert(f.config, rules, "HallOnFire");
	colleagues_start(&c, f.config, f.store, "HallOnFire");
	for (int i = 0; i < COLLEAGUES; i++)
		pty_wait(c.consoles[i], knows_nine_others, NULL, "nine others");
	colleagues_acknowledge(&c, 3, "on my way");
	colleagues_see(&c, "on my way", seen_us);
	for (int i = 0; i < COLLEAGUES; i++)
		pty_wait_no_text(c.consoles[i], "nobody");
	colleagues_unacknowledge(&c, 7); /* anyone's console may */
	colleagues_see(&c, "nobody", seen_us);
	colleagues_see(&c, "taken back by", seen_us);
	colleagues_leave(&c);
	small_fleet_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(an_acknowledgement_is_seen_by_nine_others) };
	return cmocka_run_group_tests_name("colleagues", tests, NULL, NULL);
}
