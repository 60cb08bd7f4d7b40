/* SPDX-License-Identifier: Apache-2.0
 *
 * What ssh -G cannot show: what is done with what it resolves, which files are read, mistakes and their places, what is not honoured, what
 * is refused. How values are found is compared with the real ssh in test_ssh_conformance.c. */
#include "tests/unit/unit.h"

#include "base/diagnostics.h"
#include "collectors/ssh_keywords.h"
#include "tests/unit/collectors/ssh_memory.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_FILE   "/home/op/.ssh/config"
#define SYSTEM_FILE "/etc/ssh/ssh_config"

/* One text about the settings: the lists with blanks between their items. */
static void tell(const struct ssh_settings *s, struct buf *to)
{
	buf_printf(to, "%s@%s:%d", s->user, s->host_name, s->port);
	for (size_t i = 0; i < s->n_jumps; i++)
		buf_printf(to, " via %s@%s:%d", s->jumps[i].user != NULL ? s->jumps[i].user : "", s->jumps[i].host, s->jumps[i].port);
	for (size_t i = 0; i < s->identity_files.n && !s->are_identity_files_preset; i++)
		buf_printf(to, " key %s", s->identity_files.items[i]);
	if (ssh_settings_given(s, "UserKnownHostsFile") != NULL) {
		for (size_t i = 0; i < s->user_known_hosts.n; i++)
			buf_printf(to, " known %s", s->user_known_hosts.items[i]);
	}
	if (ssh_settings_given(s, "GlobalKnownHostsFile") != NULL) {
		for (size_t i = 0; i < s->global_known_hosts.n; i++)
			buf_printf(to, " all-known %s", s->global_known_hosts.items[i]);
	}
	if (s->identity_agent == NULL || strcmp(s->identity_agent, "/run/agent") != 0)
		buf_printf(to, " agent %s", s->identity_agent != NULL ? s->identity_agent : "none");
	if (s->host_key_alias != NULL)
		buf_printf(to, " alias %s", s->host_key_alias);
	if (s->connect_timeout_ms != 0)
		buf_printf(to, " timeout %lld", (long long)s->connect_timeout_ms);
	if (s->tag != NULL)
		buf_printf(to, " tag %s", s->tag);
}

static void test_settings(void **state)
{
	static const struct {
		const char *label, *user_text, *system_text, *destination, *want;
	} rows[] = {
		{ "nothing is set", "", "", "gpu-1", "op@gpu-1:22" },
		{ "no files", NULL, NULL, "GPU-1", "op@gpu-1:22" },
		{ "the user's file before the system's", "Port 1\n", "Port 2\nUser sys\n", "gpu-1", "sys@gpu-1:1" },
		{ "as typed before all", "User a\nPort 1\n", "", "ssh://b@gpu-1:7", "b@gpu-1:7" },
		{ "a user with an @", "", "", "a@b@gpu-1", "a@b@gpu-1:22" },
		{ "an encoded user", "", "", "ssh://a%40b@gpu-1", "a@b@gpu-1:22" },
		{ "a URI's parameters", "", "", "ssh://a;fingerprint=x@gpu-1/", "a@gpu-1:22" },
		{ "an address", "", "", "fe80::0001", "op@fe80::1:22" },
		{ "keys add up over both files", "IdentityFile ~/a\n", "IdentityFile ${KEYS}/%u-%i\nIdentityFile ~ann/k\n", "gpu-1",
		  "op@gpu-1:22 key /home/op/a key /keys/op-1000 key /home/ann/k" },
		{ "a key named twice", "IdentityFile ~/a\nIdentityFile ~/a\nIdentityFile none\n", "", "gpu-1", "op@gpu-1:22 key /home/op/a" },
		{ "tokens", "HostName %h.example\nUserKnownHostsFile /%n/%h/%r/%p/%l/%L/%d/%k/%%\nHostKeyAlias K\n", "", "gpu-1",
		  "op@gpu-1.example:22 known /gpu-1/gpu-1.example/op/22/console.example/console//home/op/k/% alias k" },
		{ "the hash of the connection", "UserKnownHostsFile /%C\n", "", "gpu-1", "op@gpu-1:22 known /bad9c97160f10303f1f738e8036bd43cadc65507" },
		{ "known hosts of all have a tilde and no tokens", "GlobalKnownHostsFile ~/%h none2\n", "", "gpu-1",
		  "op@gpu-1:22 all-known /home/op/%h all-known none2" },
		{ "jumps with tokens", "ProxyJump %r@gate-%h:2222,ssh://b@last\n", "", "gpu-1", "op@gpu-1:22 via op@gate-gpu-1:2222 via b@last:0" },
		{ "an agent in the environment, the old way", "IdentityAgent $KEYS\n", "", "gpu-1", "op@gpu-1:22 agent /keys" },
		{ "an agent in an unset variable", "IdentityAgent $NONE\n", "", "gpu-1", "op@gpu-1:22 agent none" },
		{ "an agent's path", "IdentityAgent ${KEYS}/%r\n", "", "gpu-1", "op@gpu-1:22 agent /keys/op" },
		{ "no agent", "IdentityAgent none\n", "", "gpu-1", "op@gpu-1:22 agent none" },
		{ "times in milliseconds", "ConnectTimeout 1m30\n", "", "gpu-1", "op@gpu-1:22 timeout 90000" },
		{ "a tag", "Tag pool\nMatch tagged p*\nPort 9\nMatch tagged other\nUser x\n", "", "gpu-1", "op@gpu-1:9 tag pool" },
		{ "a tag that is not set", "Match !tagged *?\nPort 9\n", "", "gpu-1", "op@gpu-1:9" },
		{ "relative files of the user", "Include inc\n", "", "gpu-1", "inc@gpu-1:22" },
		{ "relative files of the system", "", "Include inc\n", "gpu-1", "etc@gpu-1:22" },
		{ "a user's file from home", "Include ~/.ssh/i*\n", "", "gpu-1", "inc@gpu-1:22" },
		{ "files in order", "Include /d/*.conf\n", "", "gpu-1", "op@gpu-1:101" },
		{ "a block ends with its file", "Include /d/block.conf\nPort 5\n", "", "gpu-1", "op@gpu-1:5" },
		{ "what is no more", "Protocol 1\n", "", "gpu-1", "op@gpu-1:22" },
		{ "a connection refused elsewhere", "Host other\nRefuseConnection \"not this way\"\n", "", "gpu-1", "op@gpu-1:22" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ssh_memory_file files[] = {
			{ "/home/op/.ssh/inc", "User inc\n" }, { "/etc/ssh/inc", "User etc\n" }, { "/d/1.conf", "Port 101\n" },
			{ "/d/2.conf", "Port 102\n" }, { "/d/block.conf", "Host other\n" },
			{ rows[i].user_text != NULL ? USER_FILE : "/x", rows[i].user_text }, { rows[i].system_text != NULL ? SYSTEM_FILE : "/y",
			                                                                       rows[i].system_text },
			{ NULL, NULL },
		};
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		struct why why = { "" };
		struct buf told;
		buf_init(&told, 1 << 16);
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = rows[i].destination };
		enum err e = ssh_config_resolve(&q, &m.machine, &s, NULL, &why);
		if (e != ERR_OK)
			print_error("%s: %s\n", rows[i].label, why.text);
		assert_row(rows[i].label, e == ERR_OK);
		tell(&s, &told);
		if (strcmp(buf_text(&told), rows[i].want) != 0)
			print_error("%s: %s\n", rows[i].label, buf_text(&told));
		assert_row(rows[i].label, strcmp(buf_text(&told), rows[i].want) == 0);
		buf_release(&told);
		ssh_settings_release(&s);
		ssh_memory_release(&m);
	}
}

static void test_presets(void **state)
{
	static const struct ssh_memory_file none[] = { { NULL, NULL } };
	struct ssh_memory m;
	struct ssh_settings s;
	(void)state;
	ssh_memory_init(&m, none);
	const struct ssh_question q = { .destination = "gpu-1" };
	assert_int_equal(ssh_config_resolve(&q, &m.machine, &s, NULL, NULL), ERR_OK);
	assert_string_equal(s.destination, "gpu-1");
	assert_true(s.are_identity_files_preset);
	assert_string_equal(s.identity_files.items[0], "/home/op/.ssh/id_rsa");
	assert_int_equal(s.identity_files.n, 7);
	assert_int_equal(s.user_known_hosts.n, 2);
	assert_string_equal(s.user_known_hosts.items[1], "/home/op/.ssh/known_hosts2");
	assert_string_equal(s.global_known_hosts.items[0], "/etc/ssh/ssh_known_hosts");
	assert_string_equal(s.identity_agent, "/run/agent");
	assert_int_equal(s.strict_host_key_checking, SSH_KEY_CHECK_ASK);
	assert_int_equal(s.address_family, SSH_FAMILY_ANY);
	assert_true(s.publickey_authentication && s.password_authentication && s.keyboard_interactive_authentication && s.tcp_keep_alive);
	assert_false(s.compression || s.batch_mode || s.identities_only || s.hash_known_hosts || s.check_host_ip || s.gssapi_authentication);
	assert_int_equal(s.preferred_authentications.n, 5);
	assert_string_equal(s.preferred_authentications.items[2], "publickey");
	assert_int_equal(s.connection_attempts, 1);
	assert_int_equal(s.alive_count_max, 3);
	assert_int_equal(s.password_prompts, 3);
	assert_true(s.connect_timeout_ms == 0 && s.alive_interval_ms == 0);
	assert_true(s.ciphers == NULL && s.proxy_command == NULL && s.remote_command == NULL && s.bind_address == NULL &&
	            s.host_key_alias == NULL);
	assert_int_equal(s.n_given + s.n_unhonoured + s.n_jumps, 0);
	ssh_settings_release(&s);
	ssh_memory_release(&m);
}

/* ---- which files ---- */

static void test_files(void **state)
{
	static const struct ssh_memory_file files[] = {
		{ USER_FILE, "User user\n" }, { SYSTEM_FILE, "User system\nPort 3\n" }, { "/own", "User own\n" }, { "/other", "Port 4\n" },
		{ "/unsafe", NULL }, { NULL, NULL },
	};
	static const struct {
		const char *label, *file, *system_file;
		enum err    want;
		const char *user;
		int         port;
	} rows[] = {
		{ "the usual ones", NULL, NULL, ERR_OK, "user", 3 },
		{ "one in place of both", "/own", NULL, ERR_OK, "own", 22 },
		{ "one and another system's", "/own", "/other", ERR_OK, "own", 4 },
		{ "another system's", NULL, "/other", ERR_OK, "user", 4 },
		{ "another system's, not there", NULL, "/none", ERR_OK, "user", 22 },
		{ "no file", "none", NULL, ERR_OK, "op", 22 },
		{ "one that is not there", "/none", NULL, ERR_NOT_FOUND, NULL, 0 },
		{ "one that is not safe", "/unsafe", NULL, ERR_DENIED, NULL, 0 },
		{ "a system's that is not safe", NULL, "/unsafe", ERR_DENIED, NULL, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		struct why why = { "" };
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = "gpu-1", .file = rows[i].file, .system_file = rows[i].system_file };
		assert_row(rows[i].label, ssh_config_resolve(&q, &m.machine, &s, NULL, &why) == rows[i].want);
		assert_row(rows[i].label, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
		assert_row(rows[i].label, rows[i].user == NULL || (strcmp(s.user, rows[i].user) == 0 && s.port == rows[i].port));
		ssh_settings_release(&s);
		ssh_memory_release(&m);
	}
}

/* ---- mistakes ---- */

static void test_mistakes(void **state)
{
	static const struct {
		const char *label, *text;
		enum err    want;
		const char *said;
	} rows[] = {
		{ "a typing mistake", "User a\nHostNmae x\n", ERR_FORMAT, "config:2: unknown keyword 'HostNmae'; did you mean HostName?" },
		{ "an unknown word", "Zzzzzzz x\n", ERR_FORMAT, "config:1: unknown keyword 'Zzzzzzz'" },
		{ "two mistakes", "Port x\n\nUser\n", ERR_FORMAT,
		  "config:1: Port: 'x' is not a port (1 to 65535, or a service's name) (and 1 more)" },
		{ "a choice", "Compression maybe\n", ERR_FORMAT, "config:1: Compression: 'maybe' is not one of yes no" },
		{ "a value too many", "Port 1 2\n", ERR_FORMAT, "config:1: Port takes one value; '2' is one too many" },
		{ "no value", "Host x\n  User\n", ERR_FORMAT, "config:2: 'User' lacks a value" },
		{ "an open quote", "User \"x\n", ERR_FORMAT, "config:1: a quote is not closed" },
		{ "a time", "ConnectTimeout soon\n", ERR_FORMAT, "config:1: ConnectTimeout: 'soon' is not a time (90, 90s, 1m30s)" },
		{ "a criterion", "Match weather x\n", ERR_FORMAT, "config:1: Match: unknown criterion 'weather'" },
		{ "a criterion's value", "Match host\n", ERR_FORMAT, "config:1: Match: 'host' lacks a value" },
		{ "a hanging command", "Match exec hang\n", ERR_FORMAT, "config:1: Match exec: 'hang' took longer than 10 s and was stopped" },
		{ "a token of a command", "Match exec \"true %T\"\n", ERR_FORMAT, "config:1: Match exec: the token '%T' does not go here" },
		{ "a token of a name", "HostName %p\n", ERR_FORMAT, "config:1: HostName: the token '%p' does not go here" },
		{ "a % at the end", "User x\nIdentityFile /x%\n", ERR_FORMAT, "config:2: IdentityFile: a '%' at the end" },
		{ "a variable", "IdentityFile ${NONE}/x\n", ERR_FORMAT, "config:1: IdentityFile: the environment has no variable 'NONE'" },
		{ "a variable without an end", "IdentityAgent ${NONE\n", ERR_FORMAT, "config:1: IdentityAgent: '${NONE' lacks a '}'" },
		{ "a user's home", "IdentityFile ~nobody/x\n", ERR_FORMAT, "config:1: IdentityFile: there is no user 'nobody'" },
		{ "a user's home in Include", "Include ~nobody/x\n", ERR_FORMAT, "config:1: Include: there is no user 'nobody'" },
		{ "a mistake in another file", "Include /bad\n", ERR_FORMAT, "/bad:2: unknown keyword 'Worse'" },
		{ "a file that is not safe", "Include /unsafe\n", ERR_DENIED, "others may write to '/unsafe'" },
		{ "a file that includes itself", "Include /loop\n", ERR_LIMIT, "'/loop' would be included 17 deep; 16 is the most" },
		{ "files that grow", "Include /many\n", ERR_LIMIT, "more than 1024 files are included, '/leaf' is one too many" },
		{ "a host name for an option", "HostName -oProxyCommand=x\n", ERR_FORMAT, "config:1: HostName: '-oProxyCommand=x' is no host's name" },
		{ "a host name for a shell", "HostName \"x;reboot\"\n", ERR_FORMAT, "config:1: HostName: 'x;reboot' is no host's name" },
		{ "a jump for an option", "ProxyJump -oProxyCommand=x\n", ERR_FORMAT,
		  "config:1: ProxyJump: '-oProxyCommand=x' holds a name that no host or user has" },
		{ "a jump to itself", "ProxyJump gpu-1\n", ERR_USAGE, "'gpu-1' would be reached through itself (ProxyJump gpu-1)" },
		{ "no attempts", "\nConnectionAttempts 0\n", ERR_FORMAT, "config:2: ConnectionAttempts: at least one is needed" },
		{ "a connection refused", "Host gpu-*\nRefuseConnection \"use the gate\"\n", ERR_DENIED,
		  "config:2: RefuseConnection: use the gate" },
		{ "too many keys", "Include /keys\n", ERR_FORMAT, "/keys:101: more than 100 lines of IdentityFile" },
	};
	struct buf keys, many, more;
	(void)state;
	buf_init(&keys, 1 << 16);
	buf_init(&many, 1 << 16);
	buf_init(&more, 1 << 16);
	for (int i = 0; i < 101; i++)
		buf_printf(&keys, "IdentityFile /k/%d\n", i);
	for (int i = 0; i < 40; i++) {
		buf_puts(&many, "Include /more\n");
		buf_puts(&more, "Include /leaf\n");
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ssh_memory_file files[] = {
			{ USER_FILE, rows[i].text }, { "/bad", "User x\nWorse 1\n" }, { "/unsafe", NULL }, { "/loop", "Include /loop\n" },
			{ "/many", buf_text(&many) }, { "/more", buf_text(&more) }, { "/leaf", "" }, { "/keys", buf_text(&keys) }, { NULL, NULL },
		};
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		struct why why = { "" };
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = "gpu-1" };
		enum err e = ssh_config_resolve(&q, &m.machine, &s, NULL, &why);
		bool is_as_said = strstr(why.text, rows[i].said) != NULL;
		if (e != rows[i].want || !is_as_said)
			print_error("%s: %d: %s\n", rows[i].label, (int)e, why.text);
		assert_row(rows[i].label, e == rows[i].want);
		assert_row(rows[i].label, is_as_said);
		assert_row(rows[i].label, s.n_given == 0 && s.destination == NULL);
		ssh_memory_release(&m);
	}
	buf_release(&keys);
	buf_release(&many);
	buf_release(&more);
}

/* All mistakes of a file are found, and what is merely odd is a warning. */
static void test_all_mistakes(void **state)
{
	static const struct ssh_memory_file files[] = {
		{ USER_FILE, "Port x\nUser a\n\"Open\nBogus 1\nHost *\nStrictHostKeyChecking perhaps\n" }, { NULL, NULL },
	};
	struct ssh_memory m;
	struct ssh_settings s = { 0 };
	struct diagnostics d;
	struct buf printed;
	(void)state;
	ssh_memory_init(&m, files);
	diagnostics_init(&d);
	buf_init(&printed, 1 << 16);
	const struct ssh_question q = { .destination = "gpu-1" };
	assert_int_equal(ssh_config_resolve(&q, &m.machine, &s, &d, NULL), ERR_FORMAT);
	assert_int_equal(d.n_errors, 3);
	assert_int_equal(d.n_warnings, 1);
	assert_int_equal(diagnostics_print(&d, &printed), ERR_OK);
	assert_non_null(strstr(buf_text(&printed), "config:6"));
	assert_non_null(strstr(buf_text(&printed), "OpenSSH passes over the line"));
	buf_release(&printed);
	diagnostics_release(&d);
	ssh_memory_release(&m);
}

/* ---- what is asked ---- */

static void test_questions(void **state)
{
	static const struct {
		const char *label, *destination, *user;
		int         port;
		const char *jumps;
		enum err    want;
		const char *told;
	} rows[] = {
		{ "a user and a port", "gpu-1", "eve", 44, NULL, ERR_OK, "eve@gpu-1:44 via @gate:0" },
		{ "over those of the destination", "ssh://a@gpu-1:1", "eve", 44, NULL, ERR_OK, "eve@gpu-1:44 via @gate:0" },
		{ "jumps", "gpu-1", NULL, 0, "x@y:3,z", ERR_OK, "file@gpu-1:5 via x@y:3 via @z:0" },
		{ "no jumps", "gpu-1", NULL, 0, "none", ERR_OK, "file@gpu-1:5" },
		{ "nothing", "", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "an option", "-oProxyCommand=reboot", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "an option behind a user", "a@-oProxyCommand=reboot", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "an option in a URI", "ssh://-oProxyCommand=reboot", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a user who is an option", "-lx@gpu-1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a user who is an option, encoded", "ssh://%2dlx@gpu-1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "no user before the @", "@gpu-1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "no host behind the @", "a@", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a line end", "gpu-1\nx", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a control character", "gpu\033[2J", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a blank", "gpu 1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a command for a shell", "$(reboot)", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a command for a shell in the user", "a`reboot`@gpu-1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a NUL in a URI", "ssh://a%00b@gpu-1", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a path in a URI", "ssh://gpu-1/etc", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a port that is none", "ssh://gpu-1:0", NULL, 0, NULL, ERR_USAGE, NULL },
		{ "a user of the fleet who is none", "gpu-1", "x;y", 0, NULL, ERR_USAGE, NULL },
		{ "a port of the fleet that is none", "gpu-1", NULL, 70000, NULL, ERR_USAGE, NULL },
		{ "a negative port", "gpu-1", NULL, -1, NULL, ERR_USAGE, NULL },
		{ "jumps that are none", "gpu-1", NULL, 0, "a,,b", ERR_USAGE, NULL },
		{ "a jump that is an option", "gpu-1", NULL, 0, "-x", ERR_USAGE, NULL },
	};
	static const struct ssh_memory_file files[] = { { USER_FILE, "User file\nPort 5\nProxyJump gate\n" }, { NULL, NULL } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		struct why why = { "" };
		struct buf told;
		buf_init(&told, 1 << 16);
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = rows[i].destination, .user = rows[i].user, .port = rows[i].port, .jumps = rows[i].jumps };
		enum err e = ssh_config_resolve(&q, &m.machine, &s, NULL, &why);
		assert_row(rows[i].label, e == rows[i].want);
		assert_row(rows[i].label, (e == ERR_OK) == (why.text[0] == '\0'));
		if (e == ERR_OK) {
			tell(&s, &told);
			assert_row(rows[i].label, strcmp(buf_text(&told), rows[i].told) == 0);
		}
		ssh_settings_release(&s);
		buf_release(&told);
		ssh_memory_release(&m);
	}
}

/* ---- what is not honoured ---- */

static void test_unhonoured(void **state)
{
	static const struct {
		const char     *label, *text, *keyword;
		enum ssh_honour want;
		int             line;
	} rows[] = {
		{ "a command to connect with", "\nProxyCommand nc %h %p\n", "ProxyCommand", SSH_FALLS_BACK_TO_OPENSSH, 2 },
		{ "no command to connect with", "ProxyCommand none\n", NULL, SSH_HONOURED, 0 },
		{ "jumps", "ProxyJump gate\n", NULL, SSH_HONOURED, 0 },
		{ "a certificate", "CertificateFile ~/c\n", "CertificateFile", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "a token", "PKCS11Provider /x\n", "PKCS11Provider", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "a FIDO library", "SecurityKeyProvider /x\n", "SecurityKeyProvider", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "a command for host keys", "KnownHostsCommand /x\n", "KnownHostsCommand", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "completed names", "CanonicalizeHostname yes\n", "CanonicalizeHostname", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "names as they are", "CanonicalizeHostname no\n", NULL, SSH_HONOURED, 0 },
		{ "an interface", "BindInterface eth0\n", "BindInterface", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "long RSA keys", "RequiredRSASize 3072\n", "RequiredRSASize", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "revoked keys", "RevokedHostKeys /x\n", "RevokedHostKeys", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "keys in the DNS", "VerifyHostKeyDNS yes\n", "VerifyHostKeyDNS", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "GSSAPI beside keys", "GSSAPIAuthentication yes\n", "GSSAPIAuthentication", SSH_HARMLESS, 1 },
		{ "GSSAPI and no keys", "PreferredAuthentications gssapi-with-mic\n", "PreferredAuthentications", SSH_FALLS_BACK_TO_OPENSSH, 1 },
		{ "another way in another block", "Host other\nProxyCommand x\n", NULL, SSH_HONOURED, 0 },
		{ "a value that came too late", "ProxyCommand none\nProxyCommand x\n", NULL, SSH_HONOURED, 0 },
		{ "a shared connection", "ControlMaster auto\n", "ControlMaster", SSH_HARMLESS, 1 },
		{ "a forward", "LocalForward 8080 localhost:80\n", "LocalForward", SSH_HARMLESS, 1 },
		{ "a command on the other side", "RemoteCommand tmux a\n", "RemoteCommand", SSH_HARMLESS, 1 },
		{ "a tunnel", "Tunnel yes\n", "Tunnel", SSH_HARMLESS, 1 },
		{ "keys", "IdentityFile ~/a\nIdentitiesOnly yes\n", NULL, SSH_HONOURED, 0 },
		{ "what is no more", "UseRoaming no\n", "UseRoaming", SSH_HARMLESS, 1 },
		{ "where this machine is", "\n\nMatch localnetwork 10.0.0.0/8\nPort 7\n", "Match", SSH_FALLS_BACK_TO_OPENSSH, 3 },
		{ "where this machine is, for another host", "Match host x localnetwork 10.0.0.0/8\nPort 7\n", NULL, SSH_HONOURED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ssh_memory_file files[] = { { USER_FILE, rows[i].text }, { NULL, NULL } };
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = "gpu-1" };
		assert_row(rows[i].label, ssh_config_resolve(&q, &m.machine, &s, NULL, NULL) == ERR_OK);
		assert_row(rows[i].label, s.n_unhonoured == (rows[i].keyword != NULL ? 1 : 0));
		assert_row(rows[i].label, s.needs_openssh == (rows[i].want == SSH_FALLS_BACK_TO_OPENSSH));
		if (rows[i].keyword != NULL) {
			const struct ssh_unhonoured *u = &s.unhonoured[0];
			assert_row(rows[i].label, strcmp(u->keyword, rows[i].keyword) == 0);
			assert_row(rows[i].label, u->honour == rows[i].want);
			assert_row(rows[i].label, strcmp(u->file, USER_FILE) == 0 && u->line == rows[i].line);
			assert_row(rows[i].label, u->value[0] != '\0' && u->why[0] != '\0');
		}
		ssh_settings_release(&s);
		ssh_memory_release(&m);
	}
}

static void test_no_way_to_log_in(void **state)
{
	static const struct ssh_memory_file files[] = {
		{ USER_FILE, "PubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nGSSAPIAuthentication yes\n" },
		{ NULL, NULL },
	};
	struct ssh_memory m;
	struct ssh_settings s;
	(void)state;
	ssh_memory_init(&m, files);
	const struct ssh_question q = { .destination = "gpu-1" };
	assert_int_equal(ssh_config_resolve(&q, &m.machine, &s, NULL, NULL), ERR_OK);
	assert_true(s.needs_openssh);
	assert_int_equal(s.n_unhonoured, 2);
	assert_string_equal(s.unhonoured[1].keyword, "GSSAPIAuthentication");
	assert_int_equal(s.unhonoured[1].line, 4);
	ssh_settings_release(&s);
	ssh_memory_release(&m);
}

/* The table tells users something of each keyword that is not honoured, and says everything once. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_ssh_keywords; i++) {
		const struct ssh_keyword *k = &ssh_keywords[i];
		assert_row(k->name, (k->honour == SSH_HONOURED) == (k->why == NULL));
		assert_row(k->name, k->kind != SSH_VALUE_CHOICE || k->other_name_of != NULL || k->choices != NULL);
		assert_row(k->name, k->other_name_of == NULL || (ssh_keyword_find(k->other_name_of) != NULL && k->honour == SSH_HONOURED && k->to == 0));
		assert_row(k->name, k->other_name_of != NULL ? ssh_keyword_find(k->name) != k : ssh_keyword_find(k->name) == k);
		for (size_t j = 0; j < i; j++)
			assert_row(k->name, strcasecmp(ssh_keywords[j].name, k->name) != 0);
	}
}

/* ---- commands ---- */

static void test_commands(void **state)
{
	static const struct {
		const char *label, *text, *run;
		int         port;
	} rows[] = {
		{ "tokens", "User u\nMatch exec \"true %n %h %p %r %u %L %d\"\nPort 9\n", "true gpu-1 gpu-1 22 u op console /home/op\n", 9 },
		{ "it fails", "Match exec false\nPort 9\n", "false\n", 22 },
		{ "negated", "Match !exec false\nPort 9\n", "false\n", 9 },
		{ "not after what does not hold", "Match host x exec true\nPort 9\n", "", 22 },
		{ "before what does not hold", "Match exec true host x\nPort 9\n", "true\n", 22 },
		{ "not in a file that is not for this host", "Host x\nInclude /exec\n", "", 22 },
		{ "in a file that is", "Host gpu-1\nInclude /exec\n", "true included\n", 77 },
		{ "in both passes", "Match exec true\nMatch final all\nPort 9\n", "true\ntrue\n", 9 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ssh_memory_file files[] = { { USER_FILE, rows[i].text }, { "/exec", "Match exec \"true included\"\nPort 77\n" },
		                                         { NULL, NULL } };
		struct ssh_memory m;
		struct ssh_settings s = { 0 };
		ssh_memory_init(&m, files);
		const struct ssh_question q = { .destination = "gpu-1" };
		assert_row(rows[i].label, ssh_config_resolve(&q, &m.machine, &s, NULL, NULL) == ERR_OK);
		assert_row(rows[i].label, strcmp(buf_text(&m.commands), rows[i].run) == 0);
		assert_row(rows[i].label, s.port == rows[i].port);
		ssh_settings_release(&s);
		ssh_memory_release(&m);
	}
}

static void test_commands_denied(void **state)
{
	static const struct ssh_memory_file files[] = { { USER_FILE, "Match exec true\nPort 9\n" }, { NULL, NULL } };
	struct ssh_memory m;
	struct ssh_settings s = { 0 };
	struct why why = { "" };
	(void)state;
	ssh_memory_init(&m, files);
	m.machine.run = NULL;
	const struct ssh_question q = { .destination = "gpu-1" };
	assert_int_equal(ssh_config_resolve(&q, &m.machine, &s, NULL, &why), ERR_FORMAT);
	assert_non_null(strstr(why.text, "commands are not run here"));
	ssh_memory_release(&m);
}

/* ---- algorithms ---- */

static void test_algorithms(void **state)
{
	static const struct {
		const char *label, *written, *want; /* NULL: nothing is left */
	} rows[] = {
		{ "nothing written", NULL, "b,c" },
		{ "a list", "c,a", "c,a" },
		{ "added", "+a", "b,c,a" },
		{ "added again", "+c", "b,c" },
		{ "taken away", "-b", "c" },
		{ "taken away by a pattern", "-?b*,c*", "b" },
		{ "all taken away", "-*", NULL },
		{ "put first", "^c", "c,b" },
		{ "put first from elsewhere", "^a", "a,b,c" },
		{ "patterns", "*", "a,b,c,d-1" },
		{ "unknown ones left out", "x,b", "b" },
		{ "all unknown", "x,y", NULL },
		{ "twice the same", "b,b", "b" },
		{ "nothing between commas", ",b,,c", "b,c" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf to;
		struct why why = { "" };
		buf_init(&to, 1024);
		enum err e = ssh_algorithms_choose(rows[i].written, "b,c", "a,b,c,d-1", &to, &why);
		assert_row(rows[i].label, e == (rows[i].want != NULL ? ERR_OK : ERR_UNSUPPORTED));
		assert_row(rows[i].label, strcmp(buf_text(&to), rows[i].want != NULL ? rows[i].want : "") == 0);
		buf_release(&to);
	}
}

/* ---- the real machine ---- */

static char folder[] = "/tmp/pitwall-ssh-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *text, mode_t mode)
{
	FILE *f = fopen(in_folder("config"), "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(in_folder("config"), mode), 0);
}

static void test_real_files(void **state)
{
	static const struct {
		const char *label, *text;
		mode_t      mode;
		enum err    want;
		const char *said;
	} rows[] = {
		{ "for its owner alone", "Port 9\n", 0600, ERR_OK, "" },
		{ "for all to read", "Port 9\n", 0644, ERR_OK, "" },
		{ "for the group to write", "Port 9\n", 0660, ERR_DENIED, "mend it with: chmod go-w" },
		{ "for all to write", "Port 9\n", 0602, ERR_DENIED, "mend it with: chmod go-w" },
		{ "a command", "Match exec \"exit 0\"\nPort 9\n", 0600, ERR_OK, "" },
		{ "a command with output", "Match exec \"echo x; echo y >&2\"\nPort 9\n", 0600, ERR_OK, "" },
		{ "a command without input", "Match !exec \"read x\"\nPort 9\n", 0600, ERR_OK, "" },
		{ "a command that kills itself", "Match exec \"kill -9 $$\"\nPort 9\n", 0600, ERR_FORMAT, "was ended by signal 9" },
		{ "a device", "Include /dev/zero\nPort 9\n", 0600, ERR_UNSUPPORTED, "not a regular file" },
		{ "a folder", "Include /tmp\nPort 9\n", 0600, ERR_OK, "" },
		{ "files that are not there", "Include /tmp/none-of-this*\nPort 9\n", 0600, ERR_OK, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ssh_local local;
		struct ssh_settings s = { 0 };
		struct why why = { "" };
		write_file(rows[i].text, rows[i].mode);
		assert_int_equal(ssh_local_init(&local, &why), ERR_OK);
		const struct ssh_question q = { .destination = "gpu-1", .file = in_folder("config") };
		enum err e = ssh_config_resolve(&q, &local.machine, &s, NULL, &why);
		if (e != rows[i].want)
			print_error("%s: %s\n", rows[i].label, why.text);
		assert_row(rows[i].label, e == rows[i].want);
		assert_row(rows[i].label, strstr(why.text, rows[i].said) != NULL);
		assert_row(rows[i].label, e != ERR_OK || s.port == 9);
		ssh_settings_release(&s);
		ssh_local_release(&local);
	}
}

static void test_nul_bytes(void **state)
{
	struct ssh_local local;
	struct ssh_settings s = { 0 };
	struct why why = { "" };
	(void)state;
	write_file("", 0600);
	FILE *f = fopen(in_folder("config"), "w");
	assert_non_null(f);
	assert_int_equal(fwrite("Port 9\n\0", 1, 8, f), 8);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(ssh_local_init(&local, &why), ERR_OK);
	const struct ssh_question q = { .destination = "gpu-1", .file = in_folder("config") };
	assert_int_equal(ssh_config_resolve(&q, &local.machine, &s, NULL, &why), ERR_FORMAT);
	assert_non_null(strstr(why.text, "it holds a NUL byte"));
	ssh_local_release(&local);
}

static int set_up(void **state)
{
	(void)state;
	setenv("SHELL", "/bin/sh", 1);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(in_folder("config"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings), cmocka_unit_test(test_presets), cmocka_unit_test(test_files), cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_mistakes), cmocka_unit_test(test_questions), cmocka_unit_test(test_unhonoured),
		cmocka_unit_test(test_no_way_to_log_in), cmocka_unit_test(test_table), cmocka_unit_test(test_commands),
		cmocka_unit_test(test_commands_denied), cmocka_unit_test(test_algorithms), cmocka_unit_test(test_real_files),
		cmocka_unit_test(test_nul_bytes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
