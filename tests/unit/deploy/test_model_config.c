/* SPDX-License-Identifier: Apache-2.0
 *
 * models.config: what is read of it, and that an edit changes what it must and not a byte more. */
#include "tests/unit/unit.h"

#include "deploy/model_config.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static const char two[] =
	"# the shop's models\nmodel_config_list {\n  config {\n    name: 'encoder'  # query\n    base_path: \"/models/\" 'encoder'\n    model_platform: 'tensorflow'\n"
	"    model_version_policy { specific { versions: 41 } }\n    version_labels { key: 'stable' value: 41 }\n    version_labels { key: 'canary', value: 40 };\n  }\n"
	"  config: < name: \"other\"; base_path: \"gs://b/o\", model_version_policy: { latest { num_versions: 2 } } >\n"
	"  config { name: 'bare' base_path: '/models/bare' }\n}\n";

static const struct model_config *find(const char *text, const char *name)
{
	struct model_configs all;
	struct why why = { "" };
	bool is_twice;
	if (model_config_read(&arena, text, strlen(text), &all, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return model_config_find(&all, name, &is_twice);
}

static void test_what_is_read(void **state)
{
	(void)state;
	const struct model_config *m = find(two, "encoder");
	assert_non_null(m);
	assert_string_equal(m->base_path, "/models/encoder");
	assert_int_equal(m->policy, POLICY_SPECIFIC);
	assert_int_equal(m->n_versions, 1);
	assert_int_equal(model_config_label(m, "stable"), 41);
	assert_int_equal(model_config_label(m, "canary"), 40);
	assert_int_equal(model_config_label(m, "none"), 0);
	assert_int_equal(find(two, "other")->policy, POLICY_LATEST);
	assert_string_equal(find(two, "other")->base_path, "gs://b/o");
	assert_null(find(two, "nobody"));
	m = find("model_config_list: { config: [ { name: 'a' model_version_policy { specific { versions: [ 1, 2 ] } } }, { name: 'b' model_version_policy { all {} } } ] }", "a");
	assert_true(m->n_versions == 2 && m->versions[1] == 2);
	assert_int_equal(find("model_config_list { config { name: 'b' model_version_policy { all { } } } }", "b")->policy, POLICY_ALL);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *label, *text, *says;
	} rows[] = {
		{ "nothing", "", "model_config_list" },
		{ "another message", "platform_config_map { }", "model_config_list" },
		{ "an open bracket", "model_config_list { config { name: 'a' }\n", "line 2" },
		{ "a bracket too many", "model_config_list { } }", "name of a field" },
		{ "an open text", "model_config_list { config { name: 'a\n' } }", "does not end" },
		{ "no value", "model_config_list { config { name: } }", "value is missing" },
		{ "no colon", "model_config_list { config { name 'a' } }", "':' or '{'" },
		{ "a version that is none", "model_config_list { config { name: 'a' model_version_policy { specific { versions: x } } } }", "not understood" },
		{ "a label without a value", "model_config_list { config { name: 'a' version_labels { key: 'x' } } }", "not understood" },
		{ "two policies", "model_config_list { config { model_version_policy { all { } } model_version_policy { all { } } } }", "not understood" },
		{ "bytes that are no text", "model_config_list { # \xff\n }", "UTF-8" },
		{ "two lists", "model_config_list { } model_config_list { }", "no one" },
		{ "a deep one", "a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{", "too deep" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct model_configs all;
		struct why why = { "" };
		if (model_config_read(&arena, rows[i].text, strlen(rows[i].text), &all, &why) == ERR_OK || strstr(why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, why.text);
	}
}

static void test_a_name_that_stands_twice_is_none(void **state)
{
	static const char text[] = "model_config_list { config { name: 'a' } config { name: 'a' } }";
	struct model_configs all;
	struct why why = { "" };
	bool is_twice;
	(void)state;
	assert_ok(model_config_read(&arena, text, strlen(text), &all, &why));
	assert_null(model_config_find(&all, "a", &is_twice));
	assert_true(is_twice);
}

/* Each row: the model, the versions, label and its version; what stands instead of what. All else is the same, byte for byte. */
static void test_every_other_byte_stays(void **state)
{
	static const struct {
		const char *label, *model;
		int64_t     versions[2];
		size_t      n;
		const char *key;
		int64_t     labelled;
		const char *was, *is;
	} rows[] = {
		{ "another version", "encoder", { 42 }, 1, "", 0, "{ specific { versions: 41 } }", "{ specific { versions: 42 } }" },
		{ "two of them", "encoder", { 41, 42 }, 2, "", 0, "{ specific { versions: 41 } }", "{ specific { versions: 41 versions: 42 } }" },
		{ "what is there already", "encoder", { 41 }, 1, "stable", 41, "", "" },
		{ "a label moves", "encoder", { 41 }, 1, "stable", 42, "'stable' value: 41", "'stable' value: 42" },
		{ "a label that is new", "encoder", { 41 }, 1, "next", 41, "  }\n  config: <", "   version_labels { key: 'next' value: 41 } }\n  config: <" },
		{ "latest becomes specific", "other", { 3 }, 1, "", 0, "{ latest { num_versions: 2 } }", "{ specific { versions: 3 } }" },
		{ "a policy that was not there", "bare", { 3 }, 1, "", 0, "'/models/bare' }", "'/models/bare'  model_version_policy { specific { versions: 3 } } }" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		const char *made = "", *at = strstr(two, rows[i].was);
		char want[2048];
		snprintf(want, sizeof want, "%.*s%s%s", (int)(at - two), two, rows[i].is, at + strlen(rows[i].was));
		if (model_config_edit(&arena, two, strlen(two), find(two, rows[i].model), rows[i].versions, rows[i].n, rows[i].key, rows[i].labelled, &made, &why) != ERR_OK)
			fail_msg("%s: %s", rows[i].label, why.text);
		if (strcmp(made, want) != 0)
			fail_msg("%s: '%s' instead of '%s'", rows[i].label, made, want);
	}
}

static void test_a_label_stays_in_its_text(void **state)
{
	static const char *const awkward[] = { "a'b", "a b", "'", "x\n", "-", "\xc3\xa4", "a}" };
	const int64_t versions[] = { 41 };
	(void)state;
	for (size_t i = 0; i < sizeof awkward / sizeof awkward[0]; i++) {
		struct why why = { "" };
		const char *made = NULL;
		assert_row(awkward[i], model_config_edit(&arena, two, strlen(two), find(two, "encoder"), versions, 1, awkward[i], 41, &made, &why) == ERR_UNSUPPORTED && made == NULL);
	}
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(test_what_is_read), WITH(test_what_is_refused), WITH(test_a_name_that_stands_twice_is_none), WITH(test_every_other_byte_stays), WITH(test_a_label_stays_in_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
