/* SPDX-License-Identifier: Apache-2.0
 *
 * Every file of tests/rules/ is run, by us and, where it is installed, by promtool, which has to come to the same verdict. Each rule of the pack must be
 * met there: an alert by a time at which it fires (with each severity that it has) and one at which it does not, a recording rule by an expression. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/rule_test.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "rules/pack.h"

enum { PATH_BYTES = 1024 };

static glob_t files;

static int find_files(void **state)
{
	const char *srcdir = getenv("PITWALL_SRCDIR");
	char pattern[PATH_BYTES];
	(void)state;
	snprintf(pattern, sizeof pattern, "%s/tests/rules/*.yml", srcdir != NULL ? srcdir : ".");
	return glob(pattern, 0, NULL, &files);
}

static int forget_files(void **state)
{
	(void)state;
	globfree(&files);
	return 0;
}

static void every_file_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct diagnostics d;
		struct rule_test_counts counts;
		struct why why = { "" };
		diagnostics_init(&d);
		enum err e = rule_test_run(files.gl_pathv[i], &d, &counts, &why);
		if (e != ERR_OK || counts.failed > 0 || d.n_errors > 0)
			fail_msg("%s: %s%s", files.gl_pathv[i], why.text, d.n > 0 ? d.items[0].text : "");
		assert_row(files.gl_pathv[i], counts.passed > 0);
		diagnostics_release(&d);
	}
}

/* ---- every rule is tested ---- */

/* What the tests of one rule show. */
struct shown {
	const struct rule *rule;
	const char        *severity; /* of an alert */
	bool               fires, is_quiet;
};

static const char *severity_of(const struct rule *r)
{
	for (size_t i = 0; i < r->n_labels; i++)
		if (strcmp(r->labels[i].name, "severity") == 0)
			return r->labels[i].value;
	return "";
}

static const char *text_at(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	return node != NULL && node->kind == YAML_SCALAR ? node->text : "";
}

static void look_at_alert(struct shown *s, const struct yaml_node *item)
{
	const struct yaml_node *expected = yaml_get(item, "exp_alerts");
	bool fires = false;
	if (s->rule->kind != RULE_ALERT || strcmp(text_at(item, "alertname"), s->rule->name) != 0 || expected == NULL || expected->kind != YAML_LIST)
		return;
	for (size_t i = 0; i < expected->n; i++)
		fires |= strcmp(text_at(yaml_get(expected->items[i], "exp_labels"), "severity"), s->severity) == 0;
	s->fires |= fires;
	s->is_quiet |= !fires;
}

static void look_at_test(struct shown *s, const struct yaml_node *test)
{
	const struct yaml_node *alerts = yaml_get(test, "alert_rule_test"), *expressions = yaml_get(test, "promql_expr_test");
	for (size_t i = 0; alerts != NULL && i < alerts->n; i++)
		look_at_alert(s, alerts->items[i]);
	for (size_t i = 0; expressions != NULL && i < expressions->n; i++)
		s->fires |= s->rule->kind == RULE_RECORD && strncmp(text_at(expressions->items[i], "expr"), s->rule->name, strlen(s->rule->name)) == 0;
}

static void look_at_file(struct shown *s, const char *path)
{
	struct yaml *tree = NULL;
	assert_row(path, yaml_read(path, NULL, &tree) == ERR_OK);
	const struct yaml_node *tests = yaml_get(yaml_root(tree), "tests");
	for (size_t i = 0; tests != NULL && i < tests->n; i++)
		look_at_test(s, tests->items[i]);
	yaml_discard(tree);
}

static void check_rule(const struct rule *r)
{
	struct shown s = { .rule = r, .severity = severity_of(r) };
	for (size_t i = 0; i < files.gl_pathc && !(s.fires && s.is_quiet); i++)
		look_at_file(&s, files.gl_pathv[i]);
	if (!s.fires)
		fail_msg("no test in tests/rules/ shows that '%s' (%s) gives something", r->name, s.severity);
	/* One that always fires has nothing else to show. */
	if (r->kind == RULE_ALERT && !s.is_quiet && strcmp(r->name, "Watchdog") != 0)
		fail_msg("no test in tests/rules/ shows when '%s' (%s) does not fire", r->name, s.severity);
}

static void every_rule_is_tested(void **state)
{
	struct pack *p = NULL;
	struct why why = { "" };
	(void)state;
	assert_ok(pack_load(NULL, &p, &why));
	for (size_t i = 0; i < pack_count(p); i++)
		for (size_t g = 0; g < pack_at(p, i)->rules->n_groups; g++)
			for (size_t r = 0; r < pack_at(p, i)->rules->groups[g].n_rules; r++)
				check_rule(&pack_at(p, i)->rules->groups[g].rules[r]);
	pack_free(p);
}

/* ---- promtool ---- */

/* Its exit status and what it said; -1: it is not there ($PITWALL_PROMTOOL, or promtool in PATH). */
static int run_promtool(const char *path, struct buf *said)
{
	const char *given = getenv("PITWALL_PROMTOOL"), *program = given != NULL && given[0] != '\0' ? given : "promtool";
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp(program, program, "test", "rules", path, (char *)NULL);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(ends[1]);
	char text[4096];
	for (ssize_t n; (n = read(ends[0], text, sizeof text)) != 0;) {
		if (n > 0)
			buf_put(said, text, (size_t)n);
		else if (errno != EINTR)
			break;
	}
	close(ends[0]);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 126;
	return code == 127 ? -1 : code;
}

/* Each file passes with us; so it has to with promtool. */
static void promtool_says_the_same(void **state)
{
	struct buf said;
	(void)state;
	buf_init(&said, 1 << 20);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		buf_clear(&said);
		int code = run_promtool(files.gl_pathv[i], &said);
		if (code < 0) {
			buf_release(&said);
			print_message("promtool is not there ($PITWALL_PROMTOOL, or promtool in PATH); its verdicts were not compared\n");
			skip();
		}
		if (code != 0)
			fail_msg("%s: promtool ends with %d: %.2000s", files.gl_pathv[i], code, buf_text(&said));
	}
	buf_release(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_passes),
		cmocka_unit_test(every_rule_is_tested),
		cmocka_unit_test(promtool_says_the_same),
	};
	return cmocka_run_group_tests_name("packs", tests, find_files, forget_files);
}
