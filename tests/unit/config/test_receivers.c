/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "config/receivers.h"
#include "tests/unit/config/fleet_text.h"

static const char *said(const char *text, struct fleet **out)
{
	return fleet_text_said(FLEET_TEXT_LEAST, text, out);
}

static void test_all_kinds(void **state)
{
	static const char text[] =
		"receivers:\n"
		"  - name: hook\n"
		"    webhook: { url: \"https://hooks.example/x\", auth: { bearer: { env: HOOK_TOKEN } }, tls: { server_name: other.example } }\n"
		"    match: [ 'team=\"ml\", env!=test', 'node=~\"gpu-.*\"' ]\n"
		"    min_severity: warning\n"
		"    send_resolved: false\n"
		"    group_wait: 0s\n"
		"    group_interval: 1m\n"
		"    repeat_interval: 12h\n"
		"    timeout: 3s\n"
		"  - { name: secret-hook, webhook: { url: { env: HOOK_URL } } }\n"
		"  - { name: script, command: [ notify-send, \"a b\" ] }\n"
		"  - name: mail\n"
		"    email: { url: \"smtp://mail.example:587\", from: pitwall@example.com, to: [ a@example.com, b@example.com ],\n"
		"             auth: { basic: { user: u, password: { env: MAIL_PASSWORD } } } }\n"
		"  - { name: pager, pagerduty: { routing_key: { command: [ pass, show, pd ] } }, min_severity: critical }\n"
		"alertmanagers:\n"
		"  - { name: am, url: \"http://am.example:9093/prefix/\", mirror_acks: 5m }\n"
		"  - { name: other, url: \"http://am2.example:9093\", send: false, mirror_acks: true }\n"
		"  - { name: seen, url: \"http://am3.example:9093\", show: 1m }\n"
		"  - { name: owner, url: \"http://am4.example:9093\", owns_silences: true }\n";
	struct fleet *f = NULL;
	(void)state;
	assert_string_equal(said(text, &f), "");
	assert_non_null(f);
	assert_int_equal(f->n_receivers, 5);
	const struct fleet_receiver *r = f->receivers;
	assert_int_equal(r[0].kind, RECEIVER_WEBHOOK);
	assert_string_equal(r[0].url, "https://hooks.example/x");
	assert_string_equal(r[0].auth->secret.name, "HOOK_TOKEN");
	assert_string_equal(r[0].tls->server_name, "other.example");
	assert_int_equal(r[0].match.n, 3);
	assert_string_equal(r[0].match.items[2].value, "gpu-.*");
	assert_int_equal(r[0].match.items[2].kind, MATCH_REGEX);
	assert_int_equal(r[0].min_severity, RECEIVER_WARNING);
	assert_false(r[0].send_resolved);
	assert_int_equal(r[0].group_wait_ms, 0);
	assert_int_equal(r[0].group_interval_ms, 60000);
	assert_int_equal(r[0].repeat_interval_ms, 12 * 3600 * 1000);
	assert_int_equal(r[0].timeout_ms, 3000);
	assert_string_equal(r[1].url, "");
	assert_int_equal(r[1].secret.kind, SECRET_ENV);
	assert_int_equal(r[1].group_wait_ms, RECEIVER_GROUP_WAIT_MS);
	assert_true(r[1].send_resolved);
	assert_string_equal(r[2].argv[1], "a b");
	assert_null(r[2].argv[2]);
	assert_string_equal(r[3].from, "pitwall@example.com");
	assert_int_equal(r[3].n_to, 2);
	assert_string_equal(r[3].to[1], "b@example.com");
	assert_int_equal(r[3].starttls, STARTTLS_REQUIRED);
	assert_string_equal(r[3].auth->user, "u");
	assert_string_equal(r[4].url, "https://events.pagerduty.com/v2/enqueue");
	assert_string_equal(r[4].secret.argv[2], "pd");
	assert_int_equal(f->n_alertmanagers, 4);
	assert_string_equal(f->alertmanagers[0].url, "http://am.example:9093/prefix");
	assert_true(f->alertmanagers[0].mirrors_acks && f->alertmanagers[0].sends);
	assert_int_equal(f->alertmanagers[0].mirror_ms, 5 * 60 * 1000);
	assert_true(f->alertmanagers[1].mirrors_acks && !f->alertmanagers[1].sends);
	assert_int_equal(f->alertmanagers[1].mirror_ms, ALERTMANAGER_MIRROR_MS);
	assert_false(f->alertmanagers[0].is_shown || f->alertmanagers[0].owns_silences);
	assert_true(f->alertmanagers[2].is_shown && !f->alertmanagers[2].owns_silences && f->alertmanagers[2].show_ms == 60000);
	assert_true(f->alertmanagers[3].is_shown && f->alertmanagers[3].owns_silences && f->alertmanagers[3].show_ms == ALERTMANAGER_SHOW_MS);
	fleet_free(f);
}

static void test_attention(void **state)
{
	struct fleet *f = NULL;
	(void)state;
	assert_string_equal(said("attention: osc\n", &f), "");
	assert_int_equal(f->attention, FLEET_ATTENTION_OSC);
	fleet_free(f);
	assert_string_equal(said("", &f), "");
	assert_int_equal(f->attention, FLEET_ATTENTION_BELL);
	fleet_free(f);
	assert_string_equal(said("attention: loud\n", NULL), "f:2:12: 'attention' must be bell, osc or off, not 'loud'\n");
}

static void test_on_hangup(void **state)
{
	static const struct {
		const char       *label, *text;
		enum fleet_hangup want;
	} rows[] = {
		{ "not said",  "",                       FLEET_HANGUP_FINISH },
		{ "finish",    "on_hangup: finish\n",    FLEET_HANGUP_FINISH },
		{ "record",    "on_hangup: record\n",    FLEET_HANGUP_RECORD },
		{ "interrupt", "on_hangup: interrupt\n", FLEET_HANGUP_INTERRUPT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fleet *f = NULL;
		assert_string_equal(said(rows[i].text, &f), "");
		assert_row(rows[i].label, f->on_hangup == rows[i].want);
		fleet_free(f);
	}
	assert_string_equal(said("on_hangup: yes\n", NULL), "f:2:12: 'on_hangup' must be finish, record or interrupt, not 'yes'\n");
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "no list", "receivers: x\n", "f:2:12: 'receivers' must be a list" },
		{ "no kind", "receivers: [ { name: a } ]\n", "f:2:14: a receiver needs one of webhook, command, email and pagerduty\n" },
		{ "no name", "receivers: [ { command: [ a ] } ]\n", "f:2:14: an item of 'receivers' needs a 'name'\n" },
		{ "two kinds", "receivers: [ { name: a, command: [ a ], webhook: { url: \"http://x\" } } ]\n", "f:2:25: a receiver is one of" },
		{ "twice", "receivers: [ { name: a, command: [ a ] }, { name: a, command: [ a ] } ]\n", "f:2:51: receiver 'a' is here twice\n" },
		{ "a shell line", "receivers: [ { name: a, command: \"rm -rf\" } ]\n", "f:2:34: 'command' must be a list of 1 to 64 words" },
		{ "a password in a URL", "receivers: [ { name: a, webhook: { url: \"http://u:p@x\" } } ]\n",
		  "f:2:41: 'url' must begin with http:// or https:// and hold no blank; a user and a password go into 'auth'\n" },
		{ "no URL", "receivers: [ { name: a, webhook: { } } ]\n", "f:2:34: 'url' must be given\n" },
		{ "another scheme", "receivers: [ { name: a, webhook: { url: \"file:///etc/passwd\" } } ]\n", "f:2:41: 'url' must begin with" },
		{ "Alertmanager's word", "receivers: [ { name: a, webhook_configs: { } } ]\n",
		  "f:2:14: a receiver needs one of webhook, command, email and pagerduty\nf:2:25: unknown key 'webhook_configs'; did you mean 'webhook'?\n" },
		{ "a key in the file", "receivers: [ { name: a, pagerduty: { routing_key: abc } } ]\n",
		  "f:2:51: 'routing_key' must not be written into the file; say where it is: " },
		{ "no key", "receivers: [ { name: a, pagerduty: { } } ]\n", "f:2:36: 'pagerduty' needs 'routing_key'\n" },
		{ "a matcher that is none", "receivers: [ { name: a, command: [ a ], match: critical } ]\n", "f:2:48: 'match': " },
		{ "a regular expression that is none", "receivers: [ { name: a, command: [ a ], match: [ a=b, 'a=~\"(\"' ] } ]\n", "f:2:55: 'match': " },
		{ "severity", "receivers: [ { name: a, command: [ a ], min_severity: bad } ]\n",
		  "f:2:55: 'min_severity' must be info, warning or critical, not 'bad'\n" },
		{ "too often", "receivers: [ { name: a, command: [ a ], repeat_interval: 1s } ]\n", "f:2:58: 'repeat_interval' must be" },
		{ "no recipient", "receivers: [ { name: a, email: { url: \"smtp://m\", from: a@x.example } } ]\n", "f:2:32: 'email' needs 'to'\n" },
		{ "a header in an address", "receivers: [ { name: a, email: { url: \"smtp://m\", from: \"a@x\\nBcc: b@x\", to: b@x } } ]\n",
		  "f:2:57: 'from' must be an address" },
		{ "no address", "receivers: [ { name: a, email: { url: \"smtp://m\", from: a@x, to: [ b ] } } ]\n", "f:2:68: 'to' must be an address" },
		{ "a token for mail", "receivers: [ { name: a, email: { url: \"smtp://m\", from: a@x, to: b@x, auth: { bearer: { env: A } } } } ]\n",
		  "f:2:77: e-mail knows only { basic: { user: ..., password: ... } }\n" },
		{ "a password in the clear", "receivers: [ { name: a, email: { url: \"smtp://m\", from: a@x, to: b@x, starttls: never, "
		  "auth: { basic: { user: u, password: { env: A } } } } } ]\n", "f:2:32: warning: the password may go over the network in the clear" },
		{ "starttls", "receivers: [ { name: a, email: { url: \"smtp://m\", from: a@x, to: b@x, starttls: yes } } ]\n",
		  "f:2:81: 'starttls' must be required, offered or never, not 'yes'\n" },
		{ "Alertmanager without a URL", "alertmanagers: [ { name: a } ]\n", "f:2:18: 'url' must be given\n" },
		{ "Alertmanager with a query", "alertmanagers: [ { name: a, url: \"http://a/?b\" } ]\n", "f:2:34: 'url' is where Alertmanager is" },
		{ "mirror", "alertmanagers: [ { name: a, url: \"http://a\", mirror_acks: sometimes } ]\n", "f:2:59: 'mirror_acks' must be a duration" },
		{ "show", "alertmanagers: [ { name: a, url: \"http://a\", show: 1ms } ]\n", "f:2:52: 'show' must be" },
		{ "owner that is not shown", "alertmanagers: [ { name: a, url: \"http://a\", show: false, owns_silences: true } ]\n",
		  "f:2:74: an Alertmanager that owns the silences is shown" },
		{ "two owners", "alertmanagers: [ { name: a, url: \"http://a\", owns_silences: true }, { name: b, url: \"http://b\", owns_silences: true } ]\n",
		  "f:2:112: 'a' owns the silences already" },
		{ "mirror too short", "alertmanagers: [ { name: a, url: \"http://a\", mirror_acks: 10s } ]\n", "f:2:59: 'mirror_acks' must be" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = said(rows[i].text, NULL);
		if (strncmp(got, rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("%s: got \"%s\", not \"%s\"", rows[i].label, got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_kinds), cmocka_unit_test(test_attention), cmocka_unit_test(test_on_hangup),
		                            cmocka_unit_test(test_mistakes) };
	return cmocka_run_group_tests(tests, fleet_text_set_up, fleet_text_tear_down);
}
