/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall check: every mistake in fleet files, target files, profiles, rule files, themes; or one captured scrape. */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/diagnostics.h"
#include "base/slurp.h"
#include "collectors/exposition.h"
#include "config/check.h"
#include "config/fleet.h"
#include "deploy/scope.h"
#include "rules/pack.h"
#include "rules/rule_file.h"
#include "rules/slo.h"
#include "tui/keymap.h"
#include "tui/theme.h"

enum { LOOK_FILE_MAX = 1024 * 1024, RULES_MAX = 8 * 1024 * 1024 };

static void check_rules(const struct yaml *tree, struct diagnostics *d, void *arg)
{
	struct rule_file *rules = NULL;
	struct why why = { "" };
	(void)d, (void)arg; /* mistakes go to the tree's own diagnostics, which are these */
	rule_file_read(tree, check_kind_of(tree) == CHECK_PROFILE, &rules, &why);
	rule_file_free(rules);
}

/* What the fleet leaves out of the built-in rules must be among them, else it is on after all. */
static void check_disabled(const struct fleet *f, const char *path, struct diagnostics *d)
{
	const struct fleet_alerting *a = &f->alerting;
	struct pack *pack = NULL;
	struct why why = { "" };
	if (a->n_disabled == 0)
		return;
	if (pack_load(d, &pack, &why) != ERR_OK) {
		diagnostics_add(d, DIAGNOSTIC_ERROR, path, 0, 0, "cannot look at the built-in rules: %s", why.text);
		return;
	}
	for (size_t i = 0; i < a->n_disabled; i++) {
		if (!pack_has_alert(pack, a->disabled[i]) && !slo_has_alert(a->disabled[i]))
			diagnostics_add(d, DIAGNOSTIC_ERROR, path, a->disabled_at[2 * i], a->disabled_at[2 * i + 1], "there is no built-in rule '%.60s'",
			                a->disabled[i]);
	}
	pack_free(pack);
}

static void check_fleet(const struct fleet *f, const char *path, struct diagnostics *d, void *arg)
{
	struct why why = { "" };
	(void)arg;
	check_disabled(f, path, d);
	if (deploy_check(f, path, d, &why) != ERR_OK)
		diagnostics_add(d, DIAGNOSTIC_ERROR, path, 0, 0, "cannot look at how models are deployed: %s", why.text);
}

/* Themes and key files are known by their names' endings: both are lists of words that nothing else tells apart. */
static bool ends_in(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);
	return n > m && strcmp(path + n - m, ending) == 0;
}

static enum err check_look(const char *path, size_t *n_bad, struct why *why)
{
	struct buf text, mistakes;
	struct theme theme;
	struct keymap keys;
	buf_init(&text, LOOK_FILE_MAX);
	buf_init(&mistakes, LOOK_FILE_MAX);
	keymap_init(&keys);
	enum err e = slurp(path, LOOK_FILE_MAX, &text, NULL, why);
	bool is_theme = ends_in(path, ".theme");
	if (e == ERR_OK) {
		enum err found = is_theme ? theme_parse(path, buf_text(&text), text.len, &theme, &mistakes)
		                          : keymap_read(&keys, path, buf_text(&text), text.len, &mistakes);
		if (found == ERR_OK)
			printf("%s: good (%s)\n", path, is_theme ? "theme" : "key file");
		else
			++*n_bad;
		fputs(buf_text(&mistakes), stderr);
	}
	buf_release(&text);
	buf_release(&mistakes);
	return e;
}

static enum err check_one(const char *path, const struct profiles *profiles, struct diagnostics *d, size_t *n_bad, struct why *why)
{
	const struct check_hooks hooks = { .rules = check_rules, .fleet = check_fleet };
	if (ends_in(path, ".theme") || ends_in(path, ".keys"))
		return check_look(path, n_bad, why);
	enum check_kind kind = CHECK_COUNT;
	size_t before = d->n_errors;
	enum err e = check_file(path, profiles, &hooks, d, &kind, why);
	if (e == ERR_OK && d->n_errors == before)
		printf("%s: good (%s)\n", path, check_kind_name(kind));
	return e;
}

/* *n_bad: files with mistakes that are printed already, not in `d`. */
static enum err check_files(const struct cli *c, struct diagnostics *d, size_t *n_bad, struct why *why)
{
	struct profiles *profiles = NULL;
	enum err e = profiles_load(NULL, 0, d, &profiles, why);
	for (int i = 0; i < c->n_arguments && e == ERR_OK; i++)
		e = check_one(c->arguments[i], profiles, d, n_bad, why);
	if (e == ERR_OK && c->n_arguments == 0) {
		char *path = NULL;
		e = fleet_find(cli_value(c, "config"), &path, why);
		if (e == ERR_OK)
			e = check_one(path, profiles, d, n_bad, why);
		free(path);
	}
	profiles_free(profiles);
	return e;
}

static int check_metrics(const struct cli *c)
{
	struct buf report;
	struct why why = { "" };
	buf_init(&report, 64 * 1024);
	enum err e = exposition_check_file(cli_value(c, "metrics"), cli_has(c, "openmetrics") ? EXPOSITION_GUESS_OPENMETRICS : EXPOSITION_GUESS_TEXT,
	                                   &report, &why);
	if (e == ERR_OK)
		printf("%s\n", buf_text(&report));
	else
		fprintf(stderr, "pitwall: %s\n", why.text);
	buf_release(&report);
	if (e == ERR_OK)
		return EXIT_YES;
	return e == ERR_FORMAT || e == ERR_LIMIT ? EXIT_NO : EXIT_USAGE;
}

/* ---- rules that stand in no file of the site ---- */

static enum err print_objectives(const struct cli *c, struct buf *to, struct why *why)
{
	struct profiles *profiles = NULL;
	struct fleet *fleet = NULL;
	char *path = NULL;
	enum err e = profiles_load(NULL, 0, NULL, &profiles, why);
	if (e == ERR_OK)
		e = fleet_find(c->n_arguments > 0 ? c->arguments[0] : cli_value(c, "config"), &path, why);
	if (e == ERR_OK)
		e = fleet_read(path, profiles, NULL, &fleet, why);
	if (e == ERR_OK && slo_print(fleet->slos, fleet->n_slos, to) != ERR_OK)
		e = why_set(why, to->err, "the objectives make too long a rule file");
	fleet_free(fleet);
	free(path);
	profiles_free(profiles);
	return e;
}

static enum err print_pack(const char *name, struct buf *to, struct why *why)
{
	struct buf path;
	const char *text;
	size_t len;
	buf_init(&path, 256);
	buf_printf(&path, "packs/%s.yml", name);
	enum err e = path.err == ERR_OK ? asset_find(buf_text(&path), &text, &len) : ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = buf_put(to, text, len);
	else
		why_set(why, e, "there are no built-in rules called '%.60s'; see docs/alerts.md", name);
	buf_release(&path);
	return e;
}

static int print_rules(const struct cli *c)
{
	struct buf text;
	struct why why = { "" };
	const char *name = cli_value(c, "print-rules");
	buf_init(&text, RULES_MAX);
	enum err e = strcmp(name, "slo") == 0 ? print_objectives(c, &text, &why) : print_pack(name, &text, &why);
	if (e == ERR_OK)
		fputs(buf_text(&text), stdout);
	buf_release(&text);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static int run(const struct cli *c)
{
	if (cli_has(c, "metrics"))
		return check_metrics(c);
	if (cli_has(c, "print-rules"))
		return print_rules(c);
	struct diagnostics d;
	size_t n_bad = 0;
	struct buf text;
	struct why why = { "" };
	diagnostics_init(&d);
	buf_init(&text, 4 * 1024 * 1024);
	enum err e = check_files(c, &d, &n_bad, &why);
	diagnostics_sort(&d);
	if (diagnostics_print(&d, &text) == ERR_OK)
		fputs(buf_text(&text), stderr);
	int code = e != ERR_OK ? cli_fail(e, &why) : d.n_errors + n_bad > 0 ? EXIT_NO : EXIT_YES;
	buf_release(&text);
	diagnostics_release(&d);
	return code;
}

static const struct cli_option options[] = {
	{ "metrics", "FILE", "check a captured /metrics body instead, with the parser that scrapes go through ('-': standard input)" },
	{ "print-rules", "NAME", "print a file of the built-in rules (gpus, machines, models, nodes, objectives, versions, watching), or those that are made of a fleet "
	                         "file's objectives (slo)" },
	{ "openmetrics", NULL, "that body is OpenMetrics 1.0, not text 0.0.4" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_check = {
	.name          = "check",
	.arguments     = "[FILE...]",
	.max_arguments = -1,
	.summary       = "check fleet files, target files, profiles, rule files, themes and key files, or a captured scrape",
	.details       = "Every mistake is printed as FILE:LINE:COL: and what to do about it. Without FILE, the fleet file that the console would read is "
	                 "checked. Themes are known by the ending .theme, key files by .keys. Exits 0 when all is good, 1 when there are mistakes, 2 when a file cannot be read.",
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
