/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/config/fleet_text.h"

static struct profiles *profiles;

int fleet_text_set_up(void **state)
{
	static const char *const none[] = { "/nowhere" };
	struct diagnostics d;
	(void)state;
	diagnostics_init(&d);
	enum err e = profiles_load(none, 1, &d, &profiles, NULL);
	size_t n = d.n;
	diagnostics_release(&d);
	return e == ERR_OK && n == 0 ? 0 : -1;
}

int fleet_text_tear_down(void **state)
{
	(void)state;
	profiles_free(profiles);
	return 0;
}

const struct profiles *fleet_text_profiles(void) { return profiles; }

const char *fleet_text_said(const char *head, const char *text, struct fleet **out)
{
	static char all[20000];
	struct diagnostics d;
	struct buf b, whole;
	struct why why = { "" };
	struct fleet *f = NULL;
	diagnostics_init(&d);
	buf_init(&b, sizeof all - 1);
	buf_init(&whole, 16 << 20);
	buf_puts(&whole, head);
	assert_int_equal(buf_puts(&whole, text), ERR_OK);
	enum err e = fleet_parse(buf_text(&whole), whole.len, "f", profiles, &d, &f, &why);
	assert_true((e == ERR_OK) == (f != NULL));
	assert_true((e == ERR_OK) == (d.n_errors == 0));
	assert_true(e == ERR_OK || why.text[0] != '\0');
	assert_int_equal(diagnostics_print(&d, &b), ERR_OK);
	snprintf(all, sizeof all, "%s", buf_text(&b));
	buf_release(&b);
	buf_release(&whole);
	diagnostics_release(&d);
	if (out != NULL)
		*out = f;
	else
		fleet_free(f);
	return all;
}
