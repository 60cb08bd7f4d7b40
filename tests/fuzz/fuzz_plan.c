/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan of a stranger's store: what is read is within its limits and fits together, is written as what reads the same again, and is printed in lines that are
 * safe and not too long. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "deploy/plan.h"

static void check_units(const struct deploy_plan *p)
{
	size_t wave = 0;
	HOLDS(p->n_units <= PLAN_UNITS_MAX && p->n_versions <= PLAN_VERSIONS_MAX && p->n_warnings <= PLAN_WARNINGS_MAX);
	HOLDS(p->n_waves == 0 || p->at_once >= 1);
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = &p->units[i];
		HOLDS(u->unit.name[0] != '\0' && u->forward.n <= STEPS_MAX && u->back.n <= STEPS_MAX);
		HOLDS(plan_unit_acts(u) ? u->wave < p->n_waves : u->wave == p->n_waves);
		HOLDS(u->wave == wave || (u->wave == wave + 1 && i > 0));
		wave = u->wave;
	}
	const struct plan_version *end = p->versions + p->n_versions;
	HOLDS(p->to == NULL || (p->to >= p->versions && p->to < end));
	HOLDS(p->from == NULL || (p->from >= p->versions && p->from < end));
}

static void check_lines(const struct buf *b)
{
	for (const char *p = buf_text(b); *p != '\0';) {
		size_t n = strcspn(p, "\n");
		struct buf safe;
		buf_init(&safe, PLAN_BYTES_MAX);
		HOLDS(text_safe(&safe, p, n) == ERR_OK && safe.len == n && (n == 0 || memcmp(safe.data, p, n) == 0));
		HOLDS(text_width(p, n) <= PLAN_COLUMNS);
		buf_release(&safe);
		p += n + (p[n] == '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct deploy_plan *p = NULL, *again = NULL;
	struct buf first, second;
	struct why why;
	arena_init(&arena);
	buf_init(&first, PLAN_BYTES_MAX);
	buf_init(&second, PLAN_BYTES_MAX);
	if (plan_read(&arena, (const char *)data, size, &p, &why) == ERR_OK) {
		check_units(p);
		if (plan_write(p, &first) == ERR_OK) { /* escapes may make it larger than what may be read */
			HOLDS(plan_read(&arena, buf_text(&first), first.len, &again, &why) == ERR_OK);
			HOLDS(plan_write(again, &second) == ERR_OK);
			HOLDS(strcmp(buf_text(&first), buf_text(&second)) == 0);
		}
		buf_clear(&second);
		if (plan_print(p, &second) == ERR_OK)
			check_lines(&second);
	}
	buf_release(&first);
	buf_release(&second);
	arena_release(&arena);
	return 0;
}
