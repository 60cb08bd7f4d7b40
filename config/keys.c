/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

#include "base/suggest.h"

#include <string.h>

#define IN(id)   (1u << KEYS_##id)
#define SETTINGS (IN(DEFAULTS) | IN(GROUP) | IN(NODE) | IN(TARGET) | IN(ENDPOINT))
#define POLLED   (IN(GROUP) | IN(NODE) | IN(TARGET) | IN(ENDPOINT))

/* where, name, kind and range, default ("" none), sentence */
const struct key fleet_keys[] = {
	{ IN(TOP), "fleet", "text", "", "The fleet's name, shown in the header." },
	{ IN(TOP), "defaults", "mapping", "", "Settings for all groups." },
	{ IN(TOP), "groups", "list", "", "What is watched." },
	{ IN(TOP), "models", "list", "", "Facts about models." },
	{ IN(TOP), "slo", "list", "", "Objectives of models; without any, mild built-in alerts watch errors and latency." },
	{ IN(TOP), "rules", "list of paths with * and ?", "", "Prometheus rule files to evaluate." },
	{ IN(TOP), "alerts", "mapping", "", "How alerts are evaluated, shown and acknowledged." },
	{ IN(TOP), "receivers", "list", "", "Who is told of alerts." },
	{ IN(TOP), "alertmanagers", "list", "", "Alertmanagers that get our alerts, and whose own are shown." },
	{ IN(TOP), "store", "path", "$XDG_STATE_HOME/pitwall/pitwall.db", "Where what is seen is kept; --store and $PITWALL_STORE win." },
	{ IN(TOP), "keep", "mapping", "", "How long the store keeps what it has, and how large it may become." },
	{ IN(TOP), "roles", "mapping", "everybody who can ask is an operator, the store's owner an admin", "Who may do what." },
	{ IN(TOP), "theme", "name or path", "", "The console's colours." },
	{ IN(TOP), "attention", "bell, osc or off", "bell",
	  "How the console calls when a critical alert is new; osc: a desktop notification by the terminal, too." },
	{ IN(TOP), "on_hangup", "finish, record or interrupt", "finish",
	  "What a console that records does once its terminal is lost: finish: it ends when no redeploy or rollback is under way any more; record: it goes on recording; "
	  "interrupt: it ends at once." },
	{ IN(TOP), "keys", "path", "", "A file of key bindings." },

	{ IN(GROUP) | IN(MODEL), "name", "text", "", "Its name; must be given, and only once in the file." },
	{ IN(NODE), "name", "text with [ranges]", "", "The node's name, or several; must be given." },
	{ IN(NODE), "address", "host or IP address", "the name", "Where to reach the one node, if not under its name." },
	{ IN(TARGET), "url", "[scheme://]host[:port][/path]", "", "What to fetch; must be given." },
	{ IN(TARGET), "node", "text", "the URL's host", "The node that the target belongs to." },
	{ IN(GROUP), "nodes", "list", "", "Names with bracket ranges, or mappings." },
	{ IN(GROUP), "targets", "list", "", "URLs, or mappings." },
	{ IN(GROUP), "file_sd", "list of paths with * and ?", "", 
	  "Target files as Prometheus reads them, JSON or YAML; read again when they change." },
	{ IN(GROUP) | IN(NODE), "endpoints", "list", "", "Where each node serves several things: one item for each." },

	{ POLLED, "profile", "name of a profile", "found out by asking", "What kind of server it is." },
	{ POLLED, "model", "text", "", "The model that is served." },
	{ POLLED, "job", "text", "the profile's name, else the group's", "The label job." },
	{ POLLED & ~IN(TARGET), "port", "1 to 65535", "the profile's", "The port." },
	{ POLLED & ~IN(TARGET), "path", "path that begins with /", "the profile's, else /metrics", "The path." },
	{ SETTINGS & ~IN(TARGET), "scheme", "http or https", "the profile's, else http", "How to fetch." },
	{ SETTINGS, "interval", "duration, 100ms to 1d", "10s", "How often it is polled." },
	{ SETTINGS, "timeout", "duration, 10ms to 1d", "5s, or the interval if shorter", 
	  "How long an answer may take; not more than the interval." },
	{ SETTINGS, "gzip", "auto, never or always", "auto",
	  "Whether compressed answers are asked for; auto: not of near hosts (private addresses, names without a dot)." },
	{ SETTINGS, "max_series", "1 to 400000", "20000",
	  "How many series of a scrape are kept. Beyond that the metrics with the most series lose, and an event tells." },
	{ SETTINGS, "labels", "mapping", "", "Labels for all its series, added to those of the outer levels." },
	{ SETTINGS, "auth", "mapping or none", "", "Authentication." },
	{ SETTINGS, "tls", "mapping", "the system's CAs", "How https is spoken." },
	{ SETTINGS & ~IN(ENDPOINT), "ssh", "yes, no or mapping", "no",
	  "Whether the machine itself is asked too, over SSH: GPUs, host, services, logs. With neither profile nor port it is all that is asked." },

	{ IN(AUTH), "bearer", "secret", "", "A token sent as Authorization: Bearer." },
	{ IN(AUTH), "basic", "mapping", "", "User and password." },
	{ IN(BASIC), "user", "text", "", "The user's name; must be given." },
	{ IN(BASIC), "password", "secret", "", "The password; must be given." },
	{ IN(SECRET), "env", "name of a variable", "", "From the environment." },
	{ IN(SECRET), "file", "path", "", "From a file of one line that others cannot read." },
	{ IN(SECRET), "command", "list of words", "", "From what a command prints; run without a shell, stopped after 10 s." },
	{ IN(TLS), "ca_file", "path", "the system's CAs", "The certificates to trust." },
	{ IN(TLS), "cert_file", "path", "", "Our certificate; with key_file." },
	{ IN(TLS), "key_file", "path", "", "Its key." },
	{ IN(TLS), "server_name", "text", "the URL's host", "The name that the server's certificate must have." },
	{ IN(TLS), "insecure_skip_verify", "true or false", "false", "Trust any certificate. Only for tests: it defeats TLS." },
	{ IN(SSH), "user", "text", "ssh_config's", "Who logs in there." },
	{ IN(SSH), "port", "1 to 65535", "ssh_config's", "The port of sshd." },
	{ IN(SSH), "transport", "auto, libssh2 or openssh", "auto",
	  "Who speaks SSH: pitwall itself, or the OpenSSH client, which takes over where more is asked for than libssh2 can do." },
	{ IN(SSH), "units", "list", "those that look like inference servers", "The systemd units whose state is watched." },
	{ IN(SSH), "logs", "list", "", "Units and files in which known patterns are counted." },
	{ IN(SSH), "exec", "list", "", "Commands of your own." },
	{ IN(EXEC), "name", "text", "", "What the samples are named after: exec_NAME_...; must be given." },
	{ IN(EXEC), "command", "list of words", "", "What is run; no shell reads it; must be given." },
	{ IN(EXEC), "format", "prometheus, json or pairs", "prometheus", "What it prints; pairs: lines of a name and a number." },
	{ IN(EXEC), "paths", "list", "", "Of format json: NAME=path.to.value." },
	{ IN(RECEIVER) | IN(ALERTMANAGER), "name", "text", "", "Its name; must be given, and only once in the list." },
	{ IN(RECEIVER), "webhook", "mapping", "", "A URL that is posted to." },
	{ IN(RECEIVER), "command", "list of words", "", "A program that reads Alertmanager's webhook JSON on its standard input; no shell reads the words." },
	{ IN(RECEIVER), "email", "mapping", "", "A mail server, and who gets mail by it." },
	{ IN(RECEIVER), "pagerduty", "mapping", "", "A PagerDuty service; acknowledgements go there too." },
	{ IN(RECEIVER), "match", "matchers", "all alerts", "Labels of the alerts that it is told of, as in severity=\"critical\", node=~\"gpu-.*\"; a text or a list." },
	{ IN(RECEIVER), "min_severity", "info, warning or critical", "info", "It is told of nothing less." },
	{ IN(RECEIVER), "send_resolved", "true or false", "true", "Whether it is told that alerts are over." },
	{ IN(RECEIVER), "group_wait", "duration, 0 to 1d", "30s", "How long the first alert of a group waits for others." },
	{ IN(RECEIVER), "group_interval", "duration, 1s to 1d", "5m", "How often it is told of news in a group at the most." },
	{ IN(RECEIVER), "repeat_interval", "duration, 10s to 1y", "4h", "After what time it is told again of what goes on." },
	{ IN(RECEIVER) | IN(ALERTMANAGER), "timeout", "duration from 100ms", "10s", "How long one try may take." },
	{ IN(WEBHOOK), "url", "http(s) URL, or a secret", "", "Where to; must be given. One that holds a token comes from env, file or command." },
	{ IN(EMAIL), "url", "smtp(s)://host[:port]", "", "The mail server; must be given." },
	{ IN(EMAIL), "from", "address", "", "Who it is from; must be given." },
	{ IN(EMAIL), "to", "address, or a list", "", "Who gets it; must be given." },
	{ IN(EMAIL), "starttls", "required, offered or never", "required", "Whether a smtp:// connection is encrypted; offered: where the server can." },
	{ IN(PAGERDUTY), "routing_key", "secret", "", "The integration key of the service; must be given." },
	{ IN(PAGERDUTY), "url", "http(s) URL", "https://events.pagerduty.com/v2/enqueue", "Where to." },
	{ IN(ALERTMANAGER), "url", "http(s) URL", "", "Where it is, its path prefix and all; must be given." },
	{ IN(ALERTMANAGER), "send", "true or false", "true", "Whether our alerts are sent to it." },
	{ IN(ALERTMANAGER), "show", "true, false or duration, 1s to 1h", "false",
	  "Whether its alerts and silences are shown here, and looked at each 15s, or as often as said. Its silences hide our alerts too." },
	{ IN(ALERTMANAGER), "owns_silences", "true or false", "false",
	  "Whether silences that are made here are made there. Only one of the list; it is shown." },
	{ IN(ALERTMANAGER), "mirror_acks", "true, false or duration, 2m to 1d", "false",
	  "Whether an acknowledgement is a short silence there (15m, or as long as said), renewed while it holds. It mutes there." },
	{ IN(WEBHOOK) | IN(EMAIL) | IN(PAGERDUTY) | IN(ALERTMANAGER), "auth", "mapping", "", "Authentication; with email only basic." },
	{ IN(WEBHOOK) | IN(EMAIL) | IN(PAGERDUTY) | IN(ALERTMANAGER), "tls", "mapping", "the system's CAs", "How TLS is spoken." },
	{ IN(ALERTS), "group_by", "list of label names", "[ alertname, model ]",
	  "Alerts that agree in these labels are one line, one acknowledgement, one message. [ \"...\" ]: each alert for itself." },
	{ IN(ALERTS), "interval", "duration, 1s to 1d", "that of defaults, else 10s", "How often rule groups are evaluated that name no interval." },
	{ IN(ALERTS), "inhibit_rules", "list", "", "What is not told of while something else fires; may be copied from Alertmanager's file." },
	{ IN(ALERTS), "unowned_after", "duration, up to 7d", "10m", "From when on an alert that fires and that nobody has acknowledged stands out; 0: never." },
	{ IN(ALERTS), "ack_until", "resolved or duration, 1m to 30d", "resolved", "How long an acknowledgement holds where the one who gives it does not say." },
	{ IN(ALERTS), "ack_pause", "duration, up to 1d", "5m",
	  "An alert that is over and back within this is the same: its acknowledgement goes on, and ends that long after its alerts do." },
	{ IN(ALERTS), "builtin", "on or off", "on", "The rules for inference fleets that come with pitwall, and that a node that is down inhibits what follows from it." },
	{ IN(ALERTS), "disable", "list of alert names", "", "Built-in rules that are left out." },
	{ IN(ALERTS), "keep", "duration, 1h to 10y", "for ever", "How long the store keeps alerts that are over and what was done about them." },
	{ IN(INHIBIT), "name", "text", "", "Its name." },
	{ IN(INHIBIT), "source_matchers", "matchers", "", "Which alerts inhibit, as in severity=\"page\", node=~\"gpu-.*\"; a text or a list." },
	{ IN(INHIBIT), "target_matchers", "matchers", "", "Which alerts are inhibited; never one that matches both sides by another such." },
	{ IN(INHIBIT), "equal", "list of label names", "", "Labels whose values must be the same on both; two alerts that lack one agree in it." },
	{ IN(INHIBIT), "source_match", "mapping", "", "Labels and values: Alertmanager's older way to write `=`." },
	{ IN(INHIBIT), "source_match_re", "mapping", "", "Likewise `=~`." },
	{ IN(INHIBIT), "target_match", "mapping", "", "Likewise, of the target side." },
	{ IN(INHIBIT), "target_match_re", "mapping", "", "Likewise `=~`." },
	{ IN(MODEL), "title", "text", "", "Its name for people." },
	{ IN(MODEL), "owner", "text", "", "Who answers for it." },
	{ IN(MODEL), "runbook", "text", "", "Where to read on when it is unwell." },
	{ IN(GROUP) | IN(MODEL), "deploy", "mapping; none in a group", "", "How it is redeployed and rolled back. A group's own takes the place of its model's as a whole." },
	{ IN(DEPLOY), "driver", "name of a driver", "", "What does it; must be given." },
	{ IN(DEPLOY), "running", "driver or signal", "driver where that can tell", "Who tells the version that runs; signal: the label version of signal:model_version." },
	{ IN(DEPLOY), "history", "driver or store", "driver where that can tell", "Who tells which versions ran before; store: what pitwall has seen." },
	{ IN(DEPLOY), "waves", "list of numbers and shares", "[ 1, 25%, 50%, 100% ]", "How many units are changed before the next gate; what is left after the last goes in waves of its size." },
	{ IN(DEPLOY), "max_unavailable", "number or share", "10%, at least 1", "How many of all may be away at the same time: changed, or down already." },
	{ IN(DEPLOY), "soak", "duration, up to 1d", "2m", "How long what was changed serves before the gate is passed." },
	{ IN(DEPLOY), "window", "duration, 1m to 1d", "10m", "The time before the run that signals are compared with." },
	{ IN(DEPLOY), "ready", "duration, 1s to 1d", "15m", "How long a unit may take until it serves again; loading a model takes minutes." },
	{ IN(DEPLOY), "gate", "mapping", "", "What has to hold after each wave." },
	{ IN(DEPLOY), "on_failure", "stop or undo", "stop", "What a failed step or gate does: stop, and a person decides; or undo what was touched." },
	{ IN(DEPLOY), "protected", "true or false", "false", "Whether the name has to be typed to confirm." },
	{ IN(DEPLOY), "two_person", "true or false", "false", "Whether a second person has to confirm." },
	{ IN(DEPLOY), "lock", "yes, no or a folder", "yes: /tmp", "Whether a run locks the machines that it changes against runs of other stores, and in which folder there: one that all accounts that log in there can write to. `kubernetes` has a Lease beside the workload instead." },
	{ IN(DEPLOY), "auto_rollback", "yes, no or mapping", "no", "Whether it is rolled back without being asked for." },
	{ IN(DEPLOY), "auth", "mapping", "", "Authentication for the driver's HTTP requests; that of the targets is not used." },
	{ IN(DEPLOY), "tls", "mapping", "the system's CAs", "How https is spoken there." },
	{ IN(GATE), "latency", "1 to 100, or off", "1.2", "The p99 latency may be at most so many times what it was." },
	{ IN(GATE), "errors", "share, or off", "1%", "The error ratio may rise by at most so much." },
	{ IN(GATE), "quality", "share, or off", "2%", "Accuracy or quality may fall by at most so much." },
	{ IN(GATE), "memory", "1 to 100, or off", "1.1", "GPU memory in use may be at most so many times what it was." },
	{ IN(GATE), "requests", "0 to 1000000000", "20", "Fewer requests in the soak are no data; 0: a model without requests passes by what else is known." },
	{ IN(AUTO_ROLLBACK), "within", "duration, 1m to 1d", "30m", "How soon after the version changed the alert must have begun." },
	{ IN(AUTO_ROLLBACK), "for", "duration, up to 1d", "2m", "How long it must have fired." },
	{ IN(AUTO_ROLLBACK), "per_day", "1 to 100", "1", "How often at most in 24 hours." },
	{ IN(AUTO_ROLLBACK), "pause", "duration, 1m to 30d", "1h", "None so soon after the last run of any kind." },
	{ IN(SLO), "model", "text", "all without an item of their own", "The model that it is for." },
	{ IN(SLO), "availability", "50 to 99.9999", "", "How many of 100 requests must not fail by the server's fault." },
	{ IN(SLO), "latency", "mapping", "", "How quick it has to be." },
	{ IN(SLO), "window", "duration, 7d to 90d", "30d", "For which it is promised." },
	{ IN(SLO), "min_requests", "1 to 1000000000", "1000", "An alert with fewer requests in the longer of its windows does not fire." },
	{ IN(LATENCY), "threshold", "duration, 1ms to 1h", "", "What is quick enough; must be given." },
	{ IN(LATENCY), "objective", "50 to 99.9999", "99", "How many of 100 requests must go to a node that is quick enough when they are done." },
	{ IN(LATENCY), "quantile", "p50, p95, p99 or mean", "p99", "What of a node's times has to be below the threshold; of a server that gives no quantiles, its mean." },
	{ IN(KEEP), "samples", "duration, 1h to 10y", "30d", "Every poll as it came, and the signals computed from it." },
	{ IN(KEEP), "rollups", "duration, 1h to 10y", "400d", "Least, greatest, sum, count, last and increase of each hour, and for a quarter of that time of each five minutes, which `pitwall query` and charts of long times read; at least as long as `samples`." },
	{ IN(KEEP), "events", "duration, 1h to 10y", "1y", "What happened, but for alerts (`alerts: { keep: }`), deployments and the audit." },
	{ IN(KEEP), "size", "size, 16MiB to 64TiB", "as it takes", "The store's file; beyond it the oldest samples go before their time, and an event says so." },
	{ IN(ROLES), "viewer", "list of users and @groups", "", "May look, and is shown as present." },
	{ IN(ROLES), "operator", "list of users and @groups", "", "May acknowledge, silence and write notes as well; plan, confirm and handle redeploys and rollbacks." },
	{ IN(ROLES), "admin", "list of users and @groups", "", "May do everything; passing a gate that did not hold takes it." },
	{ IN(ROLES), "default", "none, viewer, operator or admin", "viewer", "The role of those who stand in none of the lists." },
	{ IN(ROLES), "shared_accounts", "list of users", "", "Accounts that several people use: whoever sits there is asked for a name, once." },
};
const size_t fleet_keys_count = sizeof fleet_keys / sizeof *fleet_keys;

/* How these things are called elsewhere, mostly in Prometheus' own configuration. */
static const struct {
	const char *theirs, *ours;
} elsewhere[] = {
	{ "scrape_interval", "interval" },  { "scrape_timeout", "timeout" },      { "metrics_path", "path" },
	{ "job_name", "job" },              { "static_configs", "targets" },      { "file_sd_configs", "file_sd" },
	{ "basic_auth", "auth" },           { "authorization", "auth" },          { "bearer_token_file", "auth" },
	{ "tls_config", "tls" },            { "rule_files", "rules" },            { "scrape_configs", "groups" },
	{ "global", "defaults" },           { "hosts", "nodes" },                 { "username", "user" },
	{ "password_file", "password" },    { "insecure", "insecure_skip_verify" }, { "retention", "keep" },
	{ "sample_limit", "max_series" },
	{ "profiles", "endpoints" },        { "host", "address" },                { "cmd", "command" },
	{ "token", "bearer" },
	{ "webhook_configs", "webhook" },    { "email_configs", "email" },        { "pagerduty_configs", "pagerduty" },
	{ "matchers", "match" },             { "smarthost", "url" },              { "service_key", "routing_key" },
};

static const struct {
	const char *name;
	enum keys   keys;
} own_secrets[] = { { "password", KEYS_GROUP }, { "bearer_token", KEYS_GROUP }, { "token", KEYS_GROUP }, { "secret", KEYS_GROUP },
	            { "api_key", KEYS_GROUP } };

static const char *other_word(const char *word, const char *const *known, size_t n)
{
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
		for (size_t k = 0; strcmp(elsewhere[i].theirs, word) == 0 && k < n; k++) {
			if (strcmp(known[k], elsewhere[i].ours) == 0)
				return known[k];
		}
	}
	return suggest(word, known, n);
}

static bool is_secret_word(const char *word)
{
	for (size_t i = 0; i < sizeof own_secrets / sizeof *own_secrets; i++) {
		if (strcmp(own_secrets[i].name, word) == 0)
			return true;
	}
	return false;
}

bool keys_check(const struct yaml *y, const struct yaml_node *map, enum keys where)
{
	const char *known[sizeof fleet_keys / sizeof *fleet_keys];
	size_t n = 0;
	bool all_known = true;
	for (size_t i = 0; i < fleet_keys_count; i++) {
		if (fleet_keys[i].where & (1u << where))
			known[n++] = fleet_keys[i].name;
	}
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *key = map->keys[i];
		size_t k = 0;
		while (k < n && strcmp(known[k], key->text) != 0)
			k++;
		if (k < n)
			continue;
		all_known = false;
		const char *near = other_word(key->text, known, n);
		if (near != NULL)
			yaml_error(y, key, "unknown key '%s'; did you mean '%s'?", key->text, near);
		else if (is_secret_word(key->text))
			yaml_error(y, key, "unknown key '%s'; a secret goes into 'auth' and comes from env, file or command", key->text);
		else
			yaml_error(y, key, "unknown key '%.60s'", key->text);
	}
	return all_known;
}

/* ---- documentation ---- */

static const struct {
	const char *name, *sentence;
} places[] = {
#define X(id, name, sentence) { name, sentence },
	KEYS_LIST(X)
#undef X
};

enum err keys_print_markdown(struct buf *to)
{
	for (size_t w = 0; w < KEYS_COUNT; w++) {
		buf_printf(to, "### %s\n\n%s\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n", places[w].name, places[w].sentence);
		for (size_t i = 0; i < fleet_keys_count; i++) {
			const struct key *k = &fleet_keys[i];
			if (k->where & (1u << w))
				buf_printf(to, "| `%s` | %s | %s | %s |\n", k->name, k->kind, k->standard, k->sentence);
		}
		buf_putc(to, '\n');
	}
	return to->err;
}

enum err keys_print_roff(struct buf *to)
{
	for (size_t w = 0; w < KEYS_COUNT; w++) {
		buf_printf(to, ".SS %s\n%s\n", places[w].name, places[w].sentence);
		for (size_t i = 0; i < fleet_keys_count; i++) {
			const struct key *k = &fleet_keys[i];
			if (!(k->where & (1u << w)))
				continue;
			buf_printf(to, ".TP\n.BR %s \" (%s)\"\n%s\n", k->name, k->kind, k->sentence);
			if (k->standard[0] != '\0')
				buf_printf(to, "Default: %s.\n", k->standard);
		}
	}
	return to->err;
}
