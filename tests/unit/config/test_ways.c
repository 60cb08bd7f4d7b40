/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "config/ways.h"

static struct profiles *profiles;

static int set_up(void **state)
{
	struct diagnostics d;
	struct why why;
	(void)state;
	diagnostics_init(&d);
	enum err e = profiles_load(NULL, 0, &d, &profiles, &why);
	diagnostics_release(&d);
	return e == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	profiles_free(profiles);
	return 0;
}

static void urls(void **state)
{
	static const struct {
		const char *label, *url;
		enum err    want;
		const char *host, *user;
		int         port;
		bool        is_local, is_machine;
	} rows[] = {
		{ "a machine",              "ssh://gpu-a-1",                 ERR_OK, "gpu-a-1", "", 0, false, true },
		{ "all of it",              "ssh://ops@gpu-a-1:2222",        ERR_OK, "gpu-a-1", "ops", 2222, false, true },
		{ "IPv6",                   "ssh://[fe80::1]:22",            ERR_OK, "fe80::1", "", 22, false, true },
		{ "this machine",           "local:",                        ERR_OK, "", "", 0, true, true },
		{ "a server",               "http://gpu-a-1:8000/metrics",   ERR_OK, "gpu-a-1", "", 0, false, false },
		{ "a server with a user",   "https://bob@gpu-a-1/metrics",   ERR_OK, "gpu-a-1", "", 0, false, false },
		{ "a server on IPv6",       "http://[::1]:8000/metrics",     ERR_OK, "::1", "", 0, false, false },
		{ "an option",              "ssh://-oProxyCommand=x",        ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "an option as a user",    "ssh://-lx@gpu-a-1",             ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "an option in brackets",  "ssh://[-F::x]",                 ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "a command",              "ssh://$(reboot)",               ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "a blank",                "ssh://gpu a",                   ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "no host",                "ssh://",                        ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "no host but a user",     "ssh://ops@",                    ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "a bracket left open",    "ssh://[::1",                    ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "behind the bracket",     "ssh://[::1]x",                  ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "no port",                "ssh://gpu-a-1:",                ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "too high a port",        "ssh://gpu-a-1:65536",           ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "no URL",                 "gpu-a-1",                       ERR_FORMAT, NULL, NULL, 0, false, false },
		{ "nothing",                "",                              ERR_FORMAT, NULL, NULL, 0, false, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena a;
		struct way w = { 0 };
		arena_init(&a);
		assert_row(rows[i].label, way_of_url("n", rows[i].url, &a, &w) == rows[i].want);
		if (rows[i].want == ERR_OK) {
			assert_row(rows[i].label, strcmp(w.host, rows[i].host) == 0 && strcmp(w.user, rows[i].user) == 0 && w.port == rows[i].port);
			assert_row(rows[i].label, w.is_local == rows[i].is_local && w.is_machine == rows[i].is_machine);
			assert_row(rows[i].label, strcmp(w.node, "n") == 0);
		} else {
			assert_row(rows[i].label, w.node == NULL);
		}
		arena_release(&a);
	}
}

static struct ways *ways_of(const char *text)
{
	struct diagnostics d;
	struct fleet *fleet = NULL;
	struct ways *w = NULL;
	struct why why;
	diagnostics_init(&d);
	assert_int_equal(fleet_parse(text, strlen(text), "fleet.yml", profiles, &d, &fleet, &why), ERR_OK);
	assert_int_equal(ways_of_fleet(fleet, &w, &why), ERR_OK);
	fleet_free(fleet); /* the ways are good without it */
	diagnostics_release(&d);
	return w;
}

static void a_fleet_tells_the_way_to_each_node(void **state)
{
	static const char text[] = "fleet: f\n"
				   "groups:\n"
				   "  - { name: a, profile: vllm, ssh: { user: ops, port: 2222 }, nodes: [ gpu-a-2, { name: gpu-a-1, address: 10.0.0.1 } ] }\n"
				   "  - { name: b, profile: vllm, nodes: [ gpu-b-1 ] }\n"
				   "  - { name: c, targets: [ \"local:\", \"ssh://root@[::1]:23\" ] }\n";
	static const struct {
		const char *node, *host, *user;
		int         port;
		bool        is_machine;
	} rows[] = {
		{ "gpu-a-1", "10.0.0.1", "ops", 2222, true }, /* not its server's */
		{ "gpu-a-2", "gpu-a-2", "ops", 2222, true },
		{ "gpu-b-1", "gpu-b-1", "", 0, false },
		{ "::1", "::1", "root", 23, true },
	};
	(void)state;
	struct ways *w = ways_of(text);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct way *found = ways_find(w, rows[i].node);
		assert_row(rows[i].node, found != NULL && strcmp(found->host, rows[i].host) == 0 && strcmp(found->user, rows[i].user) == 0);
		assert_row(rows[i].node, found->port == rows[i].port && found->is_machine == rows[i].is_machine && !found->is_local);
	}
	assert_null(ways_find(w, "gpu-a-3"));
	ways_free(w);
	assert_null(ways_find(NULL, "gpu-a-1"));
}

static void and_what_is_to_be_followed_there(void **state)
{
	static const char text[] = "fleet: f\n"
				   "groups:\n"
				   "  - { name: a, ssh: { transport: openssh, logs: [ /var/log/x.log, ray ], units: [ vllm ] }, nodes: [ gpu-a-1 ],\n"
				   "      targets: [ { url: \"local:\", node: here } ] }\n"
				   "  - { name: b, profile: vllm, nodes: [ gpu-b-1 ] }\n";
	(void)state;
	struct ways *w = ways_of(text);
	static const char *const nodes[] = { "gpu-a-1", "here" };
	for (size_t i = 0; i < 2; i++) {
		const struct way *found = ways_find(w, nodes[i]);
		assert_row(nodes[i], found != NULL && found->n_logs == 2 && found->n_units == 1 && found->transport == FLEET_TRANSPORT_OPENSSH);
		assert_row(nodes[i], strcmp(found->logs[0], "/var/log/x.log") == 0 && strcmp(found->logs[1], "ray") == 0 && strcmp(found->units[0], "vllm") == 0);
	}
	const struct way *server = ways_find(w, "gpu-b-1");
	assert_non_null(server);
	assert_int_equal(server->n_logs + server->n_units, 0);
	ways_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(a_fleet_tells_the_way_to_each_node),
		cmocka_unit_test(and_what_is_to_be_followed_there),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
