/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "config/check.h"
#include "tests/unit/config/fleet_text.h"

#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct profiles *profiles;
static char                   folder[] = "/tmp/pitwall-fleet-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int set_up(void **state)
{
	if (fleet_text_set_up(state) != 0)
		return -1;
	profiles = fleet_text_profiles();
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	fleet_text_tear_down(state);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	char path[512], fresh[520];
	snprintf(fresh, sizeof fresh, "%s.new", in_folder(name, path)); /* a new inode: seen however coarse the clock of the disk is */
	FILE *f = fopen(fresh, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static const char *said(const char *text, struct fleet **out)
{
	return fleet_text_said("", text, out);
}

static struct fleet *good(const char *text)
{
	struct fleet *f = NULL;
	const char *mistakes = said(text, &f);
	if (f == NULL || mistakes[0] != '\0')
		fail_msg("%s", mistakes);
	return f;
}

static void assert_labels(const struct fleet_target *t, const char *want)
{
	struct buf b;
	buf_init(&b, 4096);
	labels_print(t->labels, &b);
	assert_string_equal(buf_text(&b), want);
	buf_release(&b);
}

static void test_design_example(void **state)
{
	static const char text[] = "fleet: shop-search\n"
	                           "defaults: { interval: 10s, timeout: 5s, labels: { env: prod } }\n"
	                           "groups:\n"
	                           "  - name: rankers-eu\n"
	                           "    profile: triton\n"
	                           "    model: ranker\n"
	                           "    labels: { region: eu }\n"
	                           "    nodes: [ \"gpu-a-[01-16].example\" ]\n"
	                           "    port: 8102\n"
	                           "  - name: chat\n"
	                           "    targets: [ \"http://127.0.0.1:8000/metrics\", \"[::1]:9000\" ]\n";
	(void)state;
	struct fleet *f = good(text);
	assert_string_equal(f->name, "shop-search");
	assert_int_equal(f->n_targets, 18);
	assert_int_equal(f->n_groups, 2);
	assert_int_equal(f->groups[1].first, 16);
	assert_int_equal(f->groups[1].n, 2);
	assert_int_equal(f->targets[0].max_series, FLEET_MAX_SERIES);
	assert_string_equal(f->targets[8].node, "gpu-a-09.example");
	assert_string_equal(f->targets[8].url, "http://gpu-a-09.example:8102/metrics");
	assert_labels(&f->targets[8], "{env=\"prod\",group=\"rankers-eu\",instance=\"gpu-a-09.example:8102\",job=\"triton\",model=\"ranker\","
	                              "node=\"gpu-a-09.example\",profile=\"triton\",region=\"eu\"}");
	assert_false(f->targets[8].has_path);
	assert_true(f->targets[16].has_path);
	assert_labels(&f->targets[16], "{env=\"prod\",group=\"chat\",instance=\"127.0.0.1:8000\",job=\"chat\",node=\"127.0.0.1\"}");
	assert_string_equal(f->targets[17].url, "http://[::1]:9000/metrics");
	assert_string_equal(f->targets[17].node, "::1");
	fleet_free(f);
}

static void test_endpoints_and_overrides(void **state)
{
	static const char text[] = "groups:\n"
	                           "  - name: g\n"
	                           "    interval: 2s\n"
	                           "    max_series: 3000\n"
	                           "    model: m\n"
	                           "    endpoints: [ { profile: vllm, port: 8001 }, { profile: dcgm, interval: 1m }, node ]\n"
	                           "    nodes:\n"
	                           "      - \"n[1-2]\"\n"
	                           "      - { name: n3, address: 10.0.0.3, model: other, interval: 5s, max_series: 9, labels: { rack: r9 } }\n"
	                           "      - { name: n4, endpoints: [ tensorflow-serving ] }\n";
	(void)state;
	struct fleet *f = good(text);
	assert_int_equal(f->n_targets, 10);
	assert_string_equal(f->targets[0].url, "http://n1:8001/metrics");
	assert_string_equal(f->targets[1].url, "http://n1:9400/metrics");
	assert_string_equal(f->targets[2].url, "http://n1:9100/metrics");
	assert_int_equal(f->targets[0].interval_ms, 2000);
	assert_true(f->targets[0].max_series == 3000 && f->targets[6].max_series == 9);
	assert_int_equal(f->targets[0].timeout_ms, 2000); /* cut to the interval */
	assert_int_equal(f->targets[1].interval_ms, 60000);
	assert_int_equal(f->targets[1].timeout_ms, 5000);
	assert_string_equal(f->targets[6].url, "http://10.0.0.3:8001/metrics");
	assert_string_equal(f->targets[6].node, "n3");
	assert_string_equal(f->targets[6].model, "other");
	assert_int_equal(f->targets[6].interval_ms, 5000);
	assert_int_equal(f->targets[7].interval_ms, 60000);
	assert_string_equal(labels_get(f->targets[8].labels, "rack"), "r9");
	assert_string_equal(labels_get(f->targets[0].labels, "rack"), "");
	assert_string_equal(f->targets[9].url, "http://n4:8501/monitoring/prometheus/metrics");
	assert_string_equal(labels_get(f->targets[9].labels, "job"), "tensorflow-serving");
	fleet_free(f);
}

static void test_auth_and_tls(void **state)
{
	static const char text[] = "defaults:\n"
	                           "  scheme: https\n"
	                           "  auth: { bearer: { env: TOKEN } }\n"
	                           "  tls: { server_name: fleet.example }\n"
	                           "groups:\n"
	                           "  - { name: a, nodes: [ h ], port: 1 }\n"
	                           "  - { name: b, nodes: [ h ], port: 2, auth: none }\n"
	                           "  - { name: c, nodes: [ h ], port: 3, auth: { basic: { user: u, password: { command: [ pass, show, x ] } } } }\n"
	                           "  - { name: d, nodes: [ h ], port: 4, auth: { bearer: { file: secrets/t } } }\n";
	(void)state;
	struct fleet *f = good(text);
	assert_int_equal(f->targets[0].auth->kind, FLEET_AUTH_BEARER);
	assert_int_equal(f->targets[0].auth->secret.kind, SECRET_ENV);
	assert_string_equal(f->targets[0].auth->secret.name, "TOKEN");
	assert_string_equal(f->targets[0].tls->server_name, "fleet.example");
	assert_false(f->targets[0].tls->insecure_skip_verify);
	assert_string_equal(f->targets[0].url, "https://h:1/metrics");
	assert_null(f->targets[1].auth);
	assert_int_equal(f->targets[2].auth->kind, FLEET_AUTH_BASIC);
	assert_string_equal(f->targets[2].auth->user, "u");
	assert_string_equal(f->targets[2].auth->secret.argv[2], "x");
	assert_null(f->targets[2].auth->secret.argv[3]);
	assert_string_equal(f->targets[3].auth->secret.name, "secrets/t");
	fleet_free(f);
}

static void test_settings_beside(void **state)
{
	static const char text[] = "groups: []\n"
	                           "models: [ { name: m, title: Ranker, owner: search, runbook: \"https://x/y\" } ]\n"
	                           "keep: { samples: 2d, rollups: 100d, events: 1y, size: 20GiB }\n"
	                           "store: /var/lib/pitwall/x.db\ntheme: dark\nkeys: /etc/pitwall/keys\n";
	(void)state;
	struct fleet *f = good(text);
	assert_int_equal(f->n_models, 1);
	assert_string_equal(f->models[0].title, "Ranker");
	assert_string_equal(f->models[0].owner, "search");
	assert_true(f->keep.rollups_ms == INT64_C(8640000000));
	assert_true(f->keep.samples_ms == INT64_C(172800000) && f->keep.events_ms == INT64_C(31536000000) && f->keep.bytes == INT64_C(20) << 30);
	assert_string_equal(f->store, "/var/lib/pitwall/x.db");
	assert_string_equal(f->theme, "dark");
	assert_string_equal(f->keys, "/etc/pitwall/keys");
	assert_int_equal(f->n_targets, 0);
	fleet_free(f);
}

#define G "groups:\n  - name: g\n    "
static const struct {
	const char *label, *in, *said;
} mistake_rows[] = {
	{ "nothing", "", "f:1:1: a fleet file is a mapping with 'groups'\n" },
	{ "no groups", "fleet: x\n", "f:1:1: a fleet file needs 'groups'\n" },
	{ "a key of the top", "groups: []\nfrobnicate: x\n", "f:2:1: unknown key 'frobnicate'\n" },
	{ "a misspelt key", "groups: []\nrule: x\n", "f:2:1: unknown key 'rule'; did you mean 'rules'?\n" },
	{ "Prometheus' word", "groups: []\nscrape_configs: x\n", "f:2:1: unknown key 'scrape_configs'; did you mean 'groups'?\n" },
	{ "a misspelt setting", G "intervall: 5s\n    nodes: []\n", "f:3:5: unknown key 'intervall'; did you mean 'interval'?\n" },
	{ "an empty group", "groups:\n  - name: g\n", "f:2:5: group 'g' has neither 'nodes', 'targets' nor 'file_sd'\n" },
	{ "no name", "groups:\n  - nodes: []\n", "f:2:5: a group needs a 'name'\n" },
	{ "a name twice", "groups:\n  - { name: g, nodes: [] }\n  - { name: g, nodes: [] }\n", "f:3:13: group 'g' is here twice\n" },
	{ "a profile", G "profile: vlm\n    nodes: [ a ]\n    port: 1\n", "f:3:14: there is no profile 'vlm'; did you mean 'vllm'?\n" },
	{ "a far profile", G "profile: zzzzzz\n    nodes: []\n",
	  "f:3:14: there is no profile 'zzzzzz'; leave it out to find out by asking\n" },
	{ "a port", G "port: 70000\n    nodes: []\n", "f:3:11: 'port' must be a whole number from 1 to 65535, not '70000'\n" },
	{ "a path", G "path: metrics\n    nodes: []\n",
	  "f:3:11: 'path' must begin with '/' and hold nothing that a URL cannot, not 'metrics'\n" },
	{ "gzip", G "gzip: perhaps\n    nodes: []\n", "f:3:11: 'gzip' must be auto, never or always, not 'perhaps'\n" },
	{ "a ceiling", G "max_series: 0\n    nodes: []\n", "f:3:17: 'max_series' must be a whole number from 1 to 400000, not '0'\n" },
	{ "Prometheus' ceiling", G "sample_limit: 5\n    nodes: []\n", "f:3:5: unknown key 'sample_limit'; did you mean 'max_series'?\n" },
	{ "a scheme", G "scheme: ftp\n    nodes: []\n", "f:3:13: 'scheme' must be http or https, not 'ftp'\n" },
	{ "an interval", G "interval: 5\n    nodes: []\n",
	  "f:3:15: 'interval' must be a duration from 100ms to 1d, as in 30s or 1m30s, not '5'\n" },
	{ "a timeout", G "interval: 1s\n    timeout: 2s\n    nodes: []\n", "f:4:14: 'timeout' must not be longer than the interval\n" },
	{ "a range", G "nodes: [ ok, \"gpu-[5-2]\" ]\n    port: 1\n", "f:3:24: in 'gpu-[5-2]': range '5-2' ends before it begins\n" },
	{ "a node's port", G "nodes: [ \"h:80\" ]\n    port: 1\n",
	  "f:3:14: 'h:80' has a port in it; give the port by 'port', or the whole as an item of 'targets'\n" },
	{ "a node's URL", G "nodes: [ \"http://h\" ]\n    port: 1\n", "f:3:14: 'http://h' is no name of a node; a URL belongs into 'targets'\n" },
	{ "a node's name", G "nodes: [ \"h_&\" ]\n    port: 1\n",
	  "f:3:14: 'h_&' is no host name; where a node's name is another, give its 'address'\n" },
	{ "no port", G "nodes: [ h ]\n", "f:3:14: no port is known: give 'port' or 'profile'\n" },
	{ "a node without a name", G "nodes: [ { port: 1 } ]\n", "f:3:14: a node needs a 'name'\n" },
	{ "an address for many", G "nodes: [ { name: \"h[1-2]\", address: a, port: 1 } ]\n",
	  "f:3:41: one 'address' cannot stand for 2 nodes\n" },
	{ "a port beside endpoints", G "port: 1\n    nodes: [ h ]\n    endpoints: [ vllm ]\n",
	  "f:3:5: 'port' belongs into each of 'endpoints' here\n" },
	{ "endpoints of none", G "targets: []\n    endpoints: [ vllm ]\n", "f:4:16: 'endpoints' are what 'nodes' serve, but there are none\n" },
	{ "a URL", G "targets: [ \"ftp://x\" ]\n",
	  "f:3:16: 'ftp://x' is no [scheme://]host[:port][/path]: the scheme must be http or https\n" },
	{ "a URL's port", G "targets: [ \"http://x:99999\" ]\n",
	  "f:3:16: 'http://x:99999' is no [scheme://]host[:port][/path]: the port is no number from 1 to 65535\n" },
	{ "a URL's password", G "targets: [ \"http://u:hunter2@x\" ]\n", "f:3:16: a URL must not hold a user or password; use 'auth'\n" },
	{ "a target twice", G "targets: [ \"x:1\",\n      \"http://x:1/metrics\" ]\n",
	  "f:4:7: target 'http://x:1/metrics' of group 'g' is here twice (first in line 3)\n" },
	{ "a node twice", G "nodes: [ \"h[1-3]\",\n      h2 ]\n    port: 1\n",
	  "f:4:7: target 'http://h2:1/metrics' of group 'g' is here twice (first in line 3)\n" },
	{ "a label's name", G "nodes: []\n    labels: { a-b: x }\n",
	  "f:4:15: 'a-b' is no label name (letters, digits and '_', not beginning with a digit)\n" },
	{ "a taken label", G "nodes: []\n    labels: { job: x }\n", "f:4:15: label 'job' is set by the key 'job'\n" },
	{ "a label of theirs", G "nodes: []\n    labels: { __x: x }\n", "f:4:15: label names that begin with '__' are not for users: '__x'\n" },
	{ "a password in the file", G "nodes: []\n    auth: { basic: { user: u, password: hunter2 } }\n",
	  "f:4:41: 'password' must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }\n" },
	{ "a token in the file", G "nodes: []\n    auth: { bearer: hunter2 }\n",
	  "f:4:21: 'bearer' must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }\n" },
	{ "a password in the group", G "nodes: []\n    password: hunter2\n",
	  "f:4:5: unknown key 'password'; a secret goes into 'auth' and comes from env, file or command\n" },
	{ "a secret from nowhere", G "nodes: []\n    auth: { bearer: {} }\n", "f:4:21: 'bearer' needs exactly one of env, file and command\n" },
	{ "a dollar", G "nodes: []\n    auth: { bearer: { env: $X } }\n", "f:4:28: 'env' must be the name of a variable, without '$'\n" },
	{ "a shell line", G "nodes: []\n    auth: { bearer: { command: pass show x } }\n",
	  "f:4:32: 'command' must be a list of 1 to 64 words (no shell reads it), as in [ pass, show, token ]\n" },
	{ "both kinds", G "nodes: []\n    auth: { bearer: { env: X }, basic: {} }\n", "f:4:11: 'auth' needs exactly one of bearer and basic\n" },
	{ "no user", G "nodes: []\n    auth: { basic: { password: { env: X } } }\n", "f:4:20: 'basic' needs 'user'\n" },
	{ "a CA that is not there", G "nodes: []\n    tls: { ca_file: /nowhere }\n", "f:4:21: 'ca_file': there is no file '/nowhere'\n" },
	{ "half a certificate", G "nodes: []\n    tls: { cert_file: /dev/null }\n", "f:4:23: 'cert_file' and 'key_file' belong together\n" },
	{ "a rule file", "groups: []\nrules: [ /nowhere/x.yml ]\n", "f:2:10: there is no rule file '/nowhere/x.yml'\n" },
	{ "a target file's name", G "file_sd: [ x.txt ]\n", "f:3:16: a target file's name must end in .json, .yml or .yaml\n" },
	{ "a model twice", "groups: []\nmodels: [ { name: m }, { name: m } ]\n", "f:2:32: model 'm' is here twice\n" },
	{ "keeping too little", "groups: []\nkeep: { samples: 5m, size: 1MiB }\n",
	  "f:2:18: 'samples' must be a duration from 1h to 10y, as in 30s or 1m30s, not '5m'\n"
	  "f:2:28: 'size' must be a size from 16MiB to 64TiB, as in 500MiB or 20GiB, not '1MiB'\n" },
	{ "a list as a text", "fleet: [ x ]\ngroups: []\n", "f:1:8: 'fleet' must be a text, not a list\n" },
	{ "broken YAML", "groups: [\n", "f:2:1: did not find expected node content while parsing a flow node\n" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistake_rows / sizeof *mistake_rows; i++) {
		const char *got = said(mistake_rows[i].in, NULL);
		if (strcmp(got, mistake_rows[i].said) != 0)
			print_error("%s: %s", mistake_rows[i].label, got);
		assert_row(mistake_rows[i].label, strcmp(got, mistake_rows[i].said) == 0);
		assert_row(mistake_rows[i].label, strstr(got, "hunter2") == NULL);
	}
}

static void test_warnings(void **state)
{
	static const struct {
		const char *label, *in, *said;
	} rows[] = {
		{ "secrets in clear", G "nodes: [ h, i ]\n    port: 1\n    auth: { bearer: { env: X } }\n",
		  "f:5:11: warning: secrets are sent over plain http, for all on the way to read; use scheme: https\n" },
		{ "not to ourselves", G "nodes: [ localhost, 127.0.0.1, \"[::1]\" ]\n    port: 1\n    auth: { bearer: { env: X } }\n", "" },
		{ "no verification", G "nodes: []\n    tls: { insecure_skip_verify: true }\n",
		  "f:4:34: warning: certificates are not verified: anybody on the way can read and answer\n" },
		{ "no target file yet", G "file_sd: [ /nowhere/*.json ]\n", "f:3:16: warning: no file is there for '/nowhere/*.json' yet\n" },
		{ "no rule file yet", "groups: []\nrules: [ /nowhere/*.yml ]\n", "f:2:10: warning: no rule file is there for '/nowhere/*.yml' yet\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = said(rows[i].in, NULL);
		if (strcmp(got, rows[i].said) != 0)
			print_error("%s: %s", rows[i].label, got);
		assert_row(rows[i].label, strcmp(got, rows[i].said) == 0);
	}
}

static void test_ten_mistakes(void **state)
{
	static const char text[] = "fleet: ten\n"
	                           "defaults: { intervall: 10s, timeout: 5 }\n"
	                           "groups:\n"
	                           "  - name: a\n"
	                           "    profile: tritn\n"
	                           "    nodes: [ \"gpu-[09-01].example\", \"x:80\" ]\n"
	                           "    port: 99999\n"
	                           "    labels: { 9x: y }\n"
	                           "  - name: a\n"
	                           "    targets: [ \"htp://x\" ]\n"
	                           "    auth: { bearer: hunter2 }\n"
	                           "rule: []\n";
	(void)state;
	assert_string_equal(
		said(text, NULL),
		"f:2:13: unknown key 'intervall'; did you mean 'interval'?\n"
		"f:2:38: 'timeout' must be a duration from 10ms to 1d, as in 30s or 1m30s, not '5'\n"
		"f:5:14: there is no profile 'tritn'; did you mean 'triton'?\n"
		"f:6:20: in 'gpu-[09-01].example': range '09-01' ends before it begins\n"
		"f:6:37: 'x:80' has a port in it; give the port by 'port', or the whole as an item of 'targets'\n"
		"f:7:11: 'port' must be a whole number from 1 to 65535, not '99999'\n"
		"f:8:15: '9x' is no label name (letters, digits and '_', not beginning with a digit)\n"
		"f:9:11: group 'a' is here twice\n"
		"f:10:16: 'htp://x' is no [scheme://]host[:port][/path]: the scheme must be http or https\n"
		"f:11:21: 'bearer' must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }\n"
		"f:12:1: unknown key 'rule'; did you mean 'rules'?\n");
}

static void read_fleet(const char *name, struct fleet **f, size_t errors)
{
	char path[512];
	struct diagnostics d;
	struct why why = { "" };
	diagnostics_init(&d);
	enum err e = fleet_read(in_folder(name, path), profiles, &d, f, &why);
	if (e != ERR_OK)
		print_error("%s\n", why.text);
	assert_int_equal(e, ERR_OK);
	assert_int_equal(d.n_errors, errors);
	diagnostics_release(&d);
}

/* Makes the fleet anew where its files have changed; the number of errors must be `errors`. */
static void refresh(struct fleet **f, bool has_changed, size_t errors)
{
	struct diagnostics d;
	struct why why = { "" };
	struct fleet *fresh = NULL;
	assert_true(fleet_has_changed(*f) == has_changed);
	diagnostics_init(&d);
	assert_int_equal(fleet_refresh(*f, profiles, &d, &fresh, &why), ERR_OK);
	assert_int_equal(d.n_errors, errors);
	diagnostics_release(&d);
	fleet_free(*f);
	*f = fresh;
	assert_false(fleet_has_changed(*f));
}

static void test_target_files(void **state)
{
	struct fleet *f = NULL;
	(void)state;
	write_file("sd.yml", "groups:\n  - { name: g, profile: vllm, file_sd: [ \"sd-*.json\", \"sd-*.yml\" ] }\n");
	write_file("sd-1.json",
	           "[{\"targets\": [\"h1:8000\", \"h2\"], \"labels\": {\"env\": \"prod\", \"__meta_x\": \"y\", \"__scheme__\": \"https\","
	                        " \"__metrics_path__\": \"/m\", \"__param_a\": \"b c\"}}]");
	read_fleet("sd.yml", &f, 0);
	assert_int_equal(f->n_targets, 2);
	assert_string_equal(f->targets[0].url, "https://h1:8000/m?a=b%20c");
	assert_labels(&f->targets[0], "{env=\"prod\",group=\"g\",instance=\"h1:8000\",job=\"vllm\",node=\"h1\",profile=\"vllm\"}");
	assert_string_equal(f->targets[1].url, "https://h2:8000/m?a=b%20c");
	refresh(&f, false, 0);
	assert_int_equal(f->n_targets, 2);
	/* another file comes */
	write_file("sd-2.yml", "- targets: [ h3:1 ]\n  labels: { node: three, job: j, group: theirs, profile: x, instance: i, model: m }\n");
	refresh(&f, true, 0);
	assert_int_equal(f->n_targets, 3);
	assert_labels(&f->targets[2], "{exported_group=\"theirs\",exported_profile=\"x\",group=\"g\",instance=\"i\",job=\"j\",model=\"m\","
	                              "node=\"three\",profile=\"vllm\"}");
	/* a file changes */
	write_file("sd-2.yml", "- targets: [ h4:1, h5:1 ]\n");
	refresh(&f, true, 0);
	assert_int_equal(f->n_targets, 4);
	/* it breaks: what was good stays, and stays once more */
	write_file("sd-2.yml", "- targets: [ h4:1\n");
	refresh(&f, true, 1);
	assert_int_equal(f->n_targets, 4);
	assert_string_equal(f->targets[3].node, "h5");
	refresh(&f, false, 1);
	assert_int_equal(f->n_targets, 4);
	/* it is mended; then it is gone */
	write_file("sd-2.yml", "- targets: [ h6:1 ]\n");
	refresh(&f, true, 0);
	assert_int_equal(f->n_targets, 3);
	char path[512];
	assert_int_equal(unlink(in_folder("sd-2.yml", path)), 0);
	refresh(&f, true, 0);
	assert_int_equal(f->n_targets, 2);
	/* the fleet file breaks: its old text counts, with the target files as they are now */
	write_file("sd.yml", "groups: [\n");
	write_file("sd-1.json", "[{\"targets\": [\"h9:8000\"]}]");
	refresh(&f, true, 1);
	assert_int_equal(f->n_targets, 1);
	assert_string_equal(f->targets[0].node, "h9");
	write_file("sd.yml", "groups: []\n");
	refresh(&f, true, 0);
	assert_int_equal(f->n_targets, 0);
	fleet_free(f);
	unlink(in_folder("sd-1.json", path));
}

static void test_target_file_mistakes(void **state)
{
	static const struct {
		const char *label, *name, *in, *said;
	} rows[] = {
		{ "a mapping", "t.json", "{}", "1:1: a target file is a list of { targets: [ ... ], labels: { ... } }\n" },
		{ "a strange key", "t.json", "[{\"targets\": [], \"lables\": {}}]", "1:18: unknown key 'lables'; did you mean 'labels'?\n" },
		{ "a bare word in JSON", "t.json", "[{\"targets\": [5]}]", "1:15: 'targets' must be a string in double quotes\n" },
		{ "a URL", "t.yml", "- targets: [ \"http://x/y\" ]\n",
		  "1:14: 'http://x/y' must be host:port; scheme and path are the labels __scheme__ and __metrics_path__\n" },
		{ "a label's value", "t.yml", "- targets: [ x:1 ]\n  labels: { a: [] }\n", "2:16: 'a' must be a text, not a list\n" },
		{ "a label's name", "t.yml", "- targets: [ x:1 ]\n  labels: { a-b: c }\n", "2:13: 'a-b' is no label name\n" },
		{ "a scheme", "t.yml", "- targets: [ x:1 ]\n  labels: { __scheme__: c }\n", "2:25: '__scheme__' must be http or https\n" },
		{ "no port", "t.yml", "- targets: [ x ]\n", "1:14: no port is known: give 'port' or 'profile'\n" },
		{ "a word", "t.yml", "- x\n", "1:3: 'a target group' must be a mapping, not 'x'\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct diagnostics d;
		struct buf got, want;
		struct why why;
		enum check_kind kind = CHECK_COUNT;
		char path[512];
		diagnostics_init(&d);
		buf_init(&got, 4096);
		buf_init(&want, 4096);
		write_file(rows[i].name, rows[i].in);
		/* read through a fleet file, since the first row is no list for the kind to be seen by */
		struct buf fleet;
		struct fleet *f = NULL;
		buf_init(&fleet, 4096);
		buf_printf(&fleet, "groups: [ { name: g, file_sd: [ %s ] } ]\n", in_folder(rows[i].name, path));
		assert_row(rows[i].label, fleet_parse(buf_text(&fleet), fleet.len, "f", profiles, &d, &f, &why) == ERR_OK);
		assert_row(rows[i].label, f->n_targets == 0);
		diagnostics_print(&d, &got);
		buf_printf(&want, "%s:%s", path, rows[i].said);
		if (strcmp(buf_text(&got), buf_text(&want)) != 0)
			print_error("%s: %s", rows[i].label, buf_text(&got));
		assert_row(rows[i].label, strcmp(buf_text(&got), buf_text(&want)) == 0);
		size_t n = d.n_errors;
		assert_row(rows[i].label, check_file(path, profiles, NULL, &d, &kind, &why) == ERR_OK);
		assert_row(rows[i].label, i == 0 || kind == CHECK_TARGETS);
		assert_row(rows[i].label, i == 0 || d.n_errors == n); /* the same mistakes at the same places */
		unlink(path);
		fleet_free(f);
		buf_release(&fleet);
		buf_release(&got);
		buf_release(&want);
		diagnostics_release(&d);
	}
}

/* A file with such a text has no targets; the other's are there. */
static void test_target_file_ceilings(void **state)
{
	static const struct {
		const char *label;
		size_t      n; /* of its value, all but the first byte 'x' */
		const char *want;
	} rows[] = {
		{ "__param_p", 5000, "the path with its parameters is too long" },
		{ "__metrics_path__", 5000, "the URL is longer than 4096 bytes" },
		{ "job", 1100000, "the labels are too long" },
	};
	(void)state;
	write_file("long.yml", "groups: [ { name: g, port: 1, file_sd: [ \"short.yml\", \"long-*.yml\" ] } ]\n");
	write_file("short.yml", "- targets: [ a ]\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct diagnostics d;
		struct buf file;
		struct why why = { "" };
		struct fleet *f = NULL;
		char path[512];
		diagnostics_init(&d);
		buf_init(&file, 2 << 20);
		buf_printf(&file, "- targets: [ x ]\n  labels: { %s: \"/", rows[i].label);
		buf_fill(&file, 'x', rows[i].n);
		buf_puts(&file, "\" }\n");
		write_file("long-1.yml", buf_text(&file));
		assert_row(rows[i].label, fleet_read(in_folder("long.yml", path), profiles, &d, &f, &why) == ERR_OK);
		assert_row(rows[i].label, d.n_errors == 1 && strcmp(d.items[0].text, rows[i].want) == 0);
		assert_row(rows[i].label, f->n_targets == 1 && strcmp(f->targets[0].url, "http://a:1/metrics") == 0);
		fleet_free(f);
		buf_release(&file);
		diagnostics_release(&d);
	}
}

static void test_rules(void **state)
{
	struct fleet *f = NULL;
	char path[512];
	(void)state;
	write_file("r1.yml", "groups: []\n");
	write_file("r2.yml", "groups: []\n");
	write_file("rules-fleet.yml", "groups: []\nrules: [ \"r*.yml\", r1.yml ]\n");
	read_fleet("rules-fleet.yml", &f, 0);
	assert_int_equal(f->n_rules, 3); /* r1, r2 and the fleet file, which the glob finds too */
	char *absolute = realpath(in_folder("r1.yml", path), NULL);
	assert_string_equal(f->rules[0], absolute);
	free(absolute);
	write_file("r2.yml", "groups: [ ]\n");
	assert_true(fleet_has_changed(f));
	fleet_free(f);
}

static void test_default(void **state)
{
	struct fleet *f = NULL;
	struct why why;
	(void)state;
	assert_int_equal(fleet_default(profiles, &f, &why), ERR_OK);
	assert_true(f->n_targets >= 11);
	assert_string_equal(f->targets[0].url, "local:");
	assert_true(f->targets[0].is_local && f->targets[0].ssh != NULL && !f->targets[0].is_probe);
	for (size_t i = 1; i < f->n_targets; i++) {
		assert_true(f->targets[i].is_probe);
		assert_int_equal(strncmp(f->targets[i].url, "http://127.0.0.1:", 17), 0);
		assert_string_equal(labels_get(f->targets[i].labels, "group"), "local");
	}
	assert_false(fleet_has_changed(f));
	fleet_free(f);
}

static void test_machines(void **state)
{
	static const char text[] = "defaults: { ssh: yes }\n"
	                           "groups:\n"
	                           "  - name: bare\n"
	                           "    nodes: [ \"gpu-[1-2]\", { name: \"::1\", ssh: { port: 2222 } } ]\n"
	                           "  - name: served\n"
	                           "    profile: vllm\n"
	                           "    model: chat\n"
	                           "    ssh: { user: ops, transport: openssh, units: [ vllm.service ], logs: [ /var/log/x ],\n"
	                           "           exec: [ { name: depth, command: [ cat, /x y ], format: json, paths: [ \"d=q.depth\" ] } ] }\n"
	                           "    nodes: [ n1, { name: n2, address: 10.0.0.2 }, { name: n3, ssh: no } ]\n"
	                           "  - name: listed\n"
	                           "    ssh: no\n"
	                           "    targets: [ \"ssh://me@host.example:22022\", { url: \"ssh://[::1]\", node: six }, \"local:\" ]\n";
	static const struct {
		const char *label, *url, *node, *host, *user;
		int         port;
		bool        is_machine;
	} rows[] = {
		{ "a machine alone", "ssh://gpu-1", "gpu-1", "gpu-1", "", 0, true },
		{ "the next", "ssh://gpu-2", "gpu-2", "gpu-2", "", 0, true },
		{ "an address, with a port", "ssh://[::1]:2222", "::1", "::1", "", 2222, true },
		{ "what is served", "http://n1:8000/metrics", "n1", "", "", 0, false },
		{ "and the machine", "ssh://ops@n1", "n1", "n1", "ops", 0, true },
		{ "under another address", "http://10.0.0.2:8000/metrics", "n2", "", "", 0, false },
		{ "there too", "ssh://ops@10.0.0.2", "n2", "10.0.0.2", "ops", 0, true },
		{ "not asked", "http://n3:8000/metrics", "n3", "", "", 0, false },
		{ "as a URL", "ssh://me@host.example:22022", "host.example", "host.example", "me", 22022, true },
		{ "with a name", "ssh://[::1]", "six", "::1", "", 0, true },
		{ "this machine", "local:", NULL, "", "", 0, true },
	};
	(void)state;
	struct fleet *f = good(text);
	assert_int_equal(f->n_targets, sizeof rows / sizeof *rows);
	for (size_t i = 0; i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i];
		assert_row(rows[i].label, strcmp(t->url, rows[i].url) == 0);
		assert_row(rows[i].label, rows[i].node == NULL || strcmp(t->node, rows[i].node) == 0);
		assert_row(rows[i].label, (t->ssh != NULL) == rows[i].is_machine);
		assert_row(rows[i].label, strcmp(t->ssh_host, rows[i].host) == 0);
		assert_row(rows[i].label, t->ssh == NULL || (strcmp(t->ssh->user, rows[i].user) == 0 && t->ssh->port == rows[i].port));
		assert_row(rows[i].label, t->is_local == (strcmp(rows[i].url, "local:") == 0));
	}
	const struct fleet_ssh *ssh = f->targets[4].ssh;
	assert_int_equal(ssh->transport, FLEET_TRANSPORT_OPENSSH);
	assert_int_equal(ssh->n_units, 1);
	assert_string_equal(ssh->logs[0], "/var/log/x");
	assert_int_equal(ssh->n_execs, 1);
	assert_string_equal(ssh->execs[0].argv[1], "/x y");
	assert_string_equal(ssh->execs[0].format, "json");
	assert_string_equal(ssh->execs[0].paths[0], "d=q.depth");
	fleet_free(f);
}

static void test_machine_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *says;
	} rows[] = {
		{ "misspelt", "ssh: { usr: x }", "unknown key 'usr'; did you mean 'user'?" },
		{ "no such transport", "ssh: { transport: telnet }", "'transport' must be auto, libssh2 or openssh, not 'telnet'" },
		{ "an option as user", "ssh: { user: -oProxyCommand=x }", "is no user's name" },
		{ "neither yes nor no", "ssh: maybe", "'ssh' must be yes, no or a mapping" },
		{ "exec without a command", "ssh: { exec: [ { name: a } ] }", "needs 'command'" },
		{ "exec with a name that is none", "ssh: { exec: [ { name: a b, command: [ x ] } ] }", "'name' must be letters" },
		{ "json without paths", "ssh: { exec: [ { name: a, command: [ x ], format: json } ] }", "needs 'paths'" },
		{ "paths without json", "ssh: { exec: [ { name: a, command: [ x ], paths: [ \"a=b\" ] } ] }", "'paths' are for format: json" },
		{ "a password in a URL", "targets: [ \"ssh://a:secret@h\" ]", "passwords are never written here" },
		{ "a path in a URL", "targets: [ \"ssh://h/x\" ]", "has no path" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[400];
		struct fleet *f = NULL;
		snprintf(text, sizeof text, "groups: [ { name: g, nodes: [ n ], port: 1, %s } ]\n", rows[i].text);
		const char *mistakes = said(text, &f);
		if (f != NULL || strstr(mistakes, rows[i].says) == NULL || strstr(mistakes, "secret") != NULL)
			fail_msg("%s: \"%s\"", rows[i].label, mistakes);
	}
}

static void test_find(void **state)
{
	char path[512], *found = NULL;
	struct why why = { "" };
	(void)state;
	setenv("XDG_CONFIG_HOME", folder, 1);
	unsetenv("PITWALL_CONFIG");
	mkdir(in_folder("pitwall", path), 0755);
	write_file("pitwall/fleet.yml", "groups: []\n");
	assert_int_equal(fleet_find(NULL, &found, &why), ERR_OK);
	assert_string_equal(found, in_folder("pitwall/fleet.yml", path));
	free(found);
	setenv("PITWALL_CONFIG", "/nowhere.yml", 1);
	assert_int_equal(fleet_find(NULL, &found, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "PITWALL_CONFIG"));
	assert_int_equal(fleet_find("/dev/null", &found, &why), ERR_OK);
	assert_string_equal(found, "/dev/null");
	free(found);
	unsetenv("PITWALL_CONFIG");
}

static void test_url_with_path(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 100);
	assert_int_equal(fleet_url_with_path("http://[::1]:80/metrics?x=1", "/v2", &b), ERR_OK);
	assert_string_equal(buf_text(&b), "http://[::1]:80/v2");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_design_example),
		cmocka_unit_test(test_endpoints_and_overrides),
		cmocka_unit_test(test_auth_and_tls),
		cmocka_unit_test(test_settings_beside),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_ten_mistakes),
		cmocka_unit_test(test_target_files),
		cmocka_unit_test(test_target_file_mistakes),
		cmocka_unit_test(test_target_file_ceilings),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_machine_mistakes),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_url_with_path),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
