/* SPDX-License-Identifier: Apache-2.0
 *
 * Our reading of ssh_config against that of the real ssh (ssh -G), over configurations written by hand and made at random from a fixed seed: both
 * must refuse the same ones, and agree on every keyword of those that they take.
 *
 * Not compared, because ssh -G prints something else than what is set: LocalCommand and RemoteCommand, ControlPath (expanded there), forwards,
 * SendEnv, SetEnv (added up), UpdateHostKeys and XAuthLocation (derived), EscapeChar, IPQoS, RekeyLimit, TunnelDevice, ControlPersist,
 * AddKeysToAgent, PermitRemoteOpen and the Canonicalize... lists (rewritten); StreamLocalBindMask and SyslogFacility, which OpenSSH 9.2 takes
 * from blocks that do not apply. Identity files are printed unexpanded and expanded here. Debian's ssh presets ServerAliveInterval to
 * 300 under BatchMode, so that it is compared there only where it is set. Names of algorithms are all real ones: we have no list to check them by. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "collectors/ssh_config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, RANDOM_CONFIGURATIONS = 220 };

static char folder[] = "/tmp/pitwall-ssh-XXXXXX";
static struct buf presets; /* what ssh -G prints of an empty file */
static char names_of_cipher[4096], names_of_mac[4096], names_of_kex[4096], names_of_key[8192];

/* ---- the real one ---- */

/* Runs argv with its output in `out`; its exit status, or -1. */
static int run(char *const argv[], struct buf *out)
{
	posix_spawn_file_actions_t files;
	int ends[2], status = 0;
	pid_t pid;
	char piece[4096];
	ssize_t n;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, ends[1], 1);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	int failed = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	while (failed == 0 && (n = read(ends[0], piece, sizeof piece)) > 0)
		buf_put(out, piece, (size_t)n);
	close(ends[0]);
	if (failed != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct destination {
	const char *typed, *user, *port;
};

static int ask_ssh(const char *file, const struct destination *d, struct buf *out)
{
	char path[512], typed[256], user[64], port[16];
	char program[] = "ssh", g[] = "-G", f[] = "-F", l[] = "-l", p[] = "-p", end[] = "--";
	char *argv[12] = { program, g, f, path };
	int n = 4;
	snprintf(path, sizeof path, "%s", file);
	snprintf(typed, sizeof typed, "%s", d->typed);
	snprintf(user, sizeof user, "%s", d->user != NULL ? d->user : "");
	snprintf(port, sizeof port, "%s", d->port != NULL ? d->port : "");
	if (d->user != NULL) {
		argv[n++] = l;
		argv[n++] = user;
	}
	if (d->port != NULL) {
		argv[n++] = p;
		argv[n++] = port;
	}
	argv[n++] = end;
	argv[n++] = typed;
	return run(argv, out);
}

static void ask_names(const char *what, char *to, size_t size)
{
	struct buf out;
	char program[] = "ssh", q[] = "-Q", name[32];
	char *argv[] = { program, q, name, NULL };
	snprintf(name, sizeof name, "%s", what);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(run(argv, &out), 0);
	assert_true(out.len > 1 && out.len < size);
	memcpy(to, out.data, out.len - 1);
	to[out.len - 1] = '\0';
	for (char *c = to; *c != '\0'; c++)
		*c = *c == '\n' ? ',' : *c;
	buf_release(&out);
}

static bool write_file(const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return false;
	bool is_written = fputs(text, f) >= 0;
	is_written = fclose(f) == 0 && is_written;
	return is_written && chmod(path, 0600) == 0;
}

/* The value of the n-th line of the keyword in what ssh -G printed; NULL: there is none. */
static const char *printed(const char *text, const char *keyword, size_t nth, char *to, size_t size)
{
	size_t n = strlen(keyword);
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		if (length > n && line[n] == ' ' && strncmp(line, keyword, n) == 0 && nth-- == 0) {
			snprintf(to, size, "%.*s", (int)(length - n - 1), line + n + 1);
			return to;
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

/* ---- comparing ---- */

struct comparison {
	const char                *label, *configuration;
	const struct ssh_settings *ours;
	const char                *theirs; /* what ssh -G prints */
	int                        n_different;
};

static void differs(struct comparison *c, const char *keyword, const char *ours, const char *theirs)
{
	if (c->n_different++ == 0)
		print_error("%s: the configuration:\n%s\n", c->label, c->configuration);
	print_error("%s: %s is '%s', for ssh '%s'\n", c->label, keyword, ours != NULL ? ours : "(none)", theirs != NULL ? theirs : "(none)");
}

static void compare(struct comparison *c, const char *keyword, const char *ours)
{
	char value[8192];
	const char *theirs = printed(c->theirs, keyword, 0, value, sizeof value);
	bool is_same = ours == NULL || theirs == NULL ? ours == theirs : strcmp(ours, theirs) == 0;
	if (!is_same)
		differs(c, keyword, ours, theirs);
}

static void compare_number(struct comparison *c, const char *keyword, int64_t ours)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)ours);
	compare(c, keyword, text);
}

static void compare_flag(struct comparison *c, const char *keyword, bool ours)
{
	char value[64];
	const char *theirs = printed(c->theirs, keyword, 0, value, sizeof value);
	bool is_set = theirs != NULL && strcmp(theirs, "no") != 0 && strcmp(theirs, "false") != 0;
	if (theirs == NULL || ours != is_set)
		differs(c, keyword, ours ? "yes" : "no", theirs);
}

static void compare_joined(struct comparison *c, const char *keyword, const struct ssh_words *ours, char between)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < ours->n; i++) {
		if (i > 0)
			buf_putc(&text, between);
		buf_puts(&text, ours->items[i]);
	}
	compare(c, keyword, ours->n > 0 ? buf_text(&text) : "none");
	buf_release(&text);
}

/* What an IdentityFile that ssh -G printed means, by plain replacement. */
static void expand(const struct comparison *c, const char *text, struct buf *to)
{
	const struct passwd *me = getpwuid(getuid());
	const char *home = me != NULL ? me->pw_dir : "";
	if (text[0] == '~' && text[1] == '/') {
		buf_puts(to, home);
		text++;
	}
	for (; *text != '\0'; text++) {
		if (strncmp(text, "${HOME}", 7) == 0) {
			buf_puts(to, getenv("HOME"));
			text += 6;
		} else if (*text != '%') {
			buf_putc(to, *text);
		} else if (*++text == 'h') {
			buf_puts(to, c->ours->host_name);
		} else if (*text == 'n') {
			buf_puts(to, c->ours->destination);
		} else if (*text == 'p') {
			buf_printf(to, "%d", c->ours->port);
		} else if (*text == 'r') {
			buf_puts(to, c->ours->user);
		} else if (*text == 'd') {
			buf_puts(to, home);
		} else if (*text == 'u') {
			buf_puts(to, me != NULL ? me->pw_name : "");
		} else {
			buf_putc(to, *text);
		}
	}
}

static void compare_files(struct comparison *c, const char *keyword, const struct ssh_words *ours)
{
	char value[4096];
	size_t n = 0;
	for (size_t i = 0; printed(c->theirs, keyword, i, value, sizeof value) != NULL; i++) {
		struct buf path;
		if (strcasecmp(value, "none") == 0)
			continue;
		buf_init(&path, TEXT_MAX);
		expand(c, value, &path);
		if (n >= ours->n || strcmp(ours->items[n], buf_text(&path)) != 0)
			differs(c, keyword, n < ours->n ? ours->items[n] : NULL, buf_text(&path));
		buf_release(&path);
		n++;
	}
	if (n < ours->n)
		differs(c, keyword, ours->items[n], NULL);
}

static void compare_jumps(struct comparison *c)
{
	char value[1024];
	const char *theirs = printed(c->theirs, "proxyjump", 0, value, sizeof value);
	struct buf hops, plain;
	buf_init(&hops, TEXT_MAX);
	buf_init(&plain, TEXT_MAX);
	for (size_t i = 0; i < c->ours->n_jumps; i++) {
		const struct ssh_hop *hop = &c->ours->jumps[i];
		buf_printf(&hops, "%s%s%s%s", i > 0 ? "," : "", hop->user != NULL ? hop->user : "", hop->user != NULL ? "@" : "", hop->host);
		if (hop->port != 0)
			buf_printf(&hops, ":%d", hop->port);
	}
	for (const char *p = theirs; p != NULL && *p != '\0'; p++) {
		if (*p != '[' && *p != ']')
			buf_putc(&plain, *p);
	}
	if (strcmp(buf_text(&hops), buf_text(&plain)) != 0)
		differs(c, "proxyjump", buf_text(&hops), theirs);
	buf_release(&hops);
	buf_release(&plain);
}

static void compare_algorithms(struct comparison *c, const char *keyword, const char *ours, const char *known)
{
	char preset[8192];
	struct buf chosen;
	buf_init(&chosen, TEXT_MAX);
	assert_non_null(printed(buf_text(&presets), keyword, 0, preset, sizeof preset));
	if (ssh_algorithms_choose(ours, preset, known, &chosen, NULL) != ERR_OK)
		differs(c, keyword, ours, "");
	else
		compare(c, keyword, buf_text(&chosen));
	buf_release(&chosen);
}

static void compare_agent(struct comparison *c)
{
	char value[1024];
	const char *theirs = printed(c->theirs, "identityagent", 0, value, sizeof value);
	if (theirs == NULL || strcmp(theirs, "SSH_AUTH_SOCK") == 0)
		theirs = getenv("SSH_AUTH_SOCK");
	else if (strcmp(theirs, "none") == 0)
		theirs = NULL;
	else if (*theirs == '$')
		theirs = getenv(theirs + 1);
	const char *ours = c->ours->identity_agent;
	if (ours == NULL || theirs == NULL ? ours != theirs : strcmp(ours, theirs) != 0)
		differs(c, "identityagent", ours, theirs);
}

/* The keywords that have no field: what was written, or what ssh presets. */
static void compare_given(struct comparison *c)
{
	static const char *const keywords[] = {
		"bindinterface", "canonicalizefallbacklocal", "canonicalizemaxdots", "clearallforwardings", "controlmaster", "enableescapecommandline",
		"enablesshkeysign", "exitonforwardfailure", "fingerprinthash", "forwardx11", "forwardx11trusted", "gatewayports",
		"gssapidelegatecredentials", "gssapikeyexchange", "gssapitrustdns", "kbdinteractivedevices", "knownhostscommand", "loglevel",
		"nohostauthenticationforlocalhost", "permitlocalcommand", "pkcs11provider", "proxyusefdpass", "requesttty", "requiredrsasize",
		"revokedhostkeys", "securitykeyprovider", "sessiontype", "stdinnull", "streamlocalbindunlink", "tunnel", "verifyhostkeydns",
		"visualhostkey", "ignoreunknown", "forkafterauthentication",
	};
	static const char *const same[][2] = { { "true", "yes" }, { "false", "no" }, { "none", "" }, { "yes", "point-to-point" } };
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		char theirs[1024] = "", preset[1024] = "";
		printed(c->theirs, keywords[i], 0, theirs, sizeof theirs);
		printed(buf_text(&presets), keywords[i], 0, preset, sizeof preset);
		const struct ssh_given *given = ssh_settings_given(c->ours, keywords[i]);
		const char *ours = given != NULL ? given->value : preset;
		bool is_same = strcasecmp(ours, theirs) == 0;
		for (size_t j = 0; j < sizeof same / sizeof *same && !is_same; j++)
			is_same = (strcasecmp(ours, same[j][0]) == 0 && strcasecmp(theirs, same[j][1]) == 0) ||
				(strcasecmp(ours, same[j][1]) == 0 && strcasecmp(theirs, same[j][0]) == 0);
		if (!is_same)
			differs(c, keywords[i], ours, theirs);
	}
}

static void compare_fields(struct comparison *c)
{
	static const char *const checks[] = { "ask", "true", "accept-new", "false" }, *const families[] = { "any", "inet", "inet6" };
	static const char *const canonicalize[] = { "false", "true", "always" };
	const struct ssh_settings *s = c->ours;
	compare(c, "host", s->destination);
	compare(c, "hostname", s->host_name);
	compare(c, "user", s->user);
	compare_number(c, "port", s->port);
	compare(c, "addressfamily", families[s->address_family]);
	compare(c, "bindaddress", s->bind_address);
	compare(c, "hostkeyalias", s->host_key_alias);
	compare(c, "stricthostkeychecking", checks[s->strict_host_key_checking]);
	compare(c, "canonicalizehostname", canonicalize[s->canonicalize_hostname]);
	compare_number(c, "connectionattempts", s->connection_attempts);
	compare_number(c, "serveralivecountmax", s->alive_count_max);
	if (!s->batch_mode || ssh_settings_given(s, "ServerAliveInterval") != NULL)
		compare_number(c, "serveraliveinterval", s->alive_interval_ms / 1000);
	compare_number(c, "numberofpasswordprompts", s->password_prompts);
	if (s->connect_timeout_ms > 0 || ssh_settings_given(s, "ConnectTimeout") != NULL)
		compare_number(c, "connecttimeout", s->connect_timeout_ms / 1000);
	else
		compare(c, "connecttimeout", "none");
	compare_flag(c, "batchmode", s->batch_mode);
	compare_flag(c, "checkhostip", s->check_host_ip);
	compare_flag(c, "compression", s->compression);
	compare_flag(c, "gssapiauthentication", s->gssapi_authentication);
	compare_flag(c, "hashknownhosts", s->hash_known_hosts);
	compare_flag(c, "hostbasedauthentication", s->hostbased_authentication);
	compare_flag(c, "identitiesonly", s->identities_only);
	compare_flag(c, "kbdinteractiveauthentication", s->keyboard_interactive_authentication);
	compare_flag(c, "passwordauthentication", s->password_authentication);
	compare_flag(c, "pubkeyauthentication", s->publickey_authentication);
	compare_flag(c, "tcpkeepalive", s->tcp_keep_alive);
	compare_files(c, "identityfile", &s->identity_files);
	compare_files(c, "certificatefile", &s->certificate_files);
	compare_joined(c, "userknownhostsfile", &s->user_known_hosts, ' ');
	if (ssh_settings_given(s, "GlobalKnownHostsFile") == NULL) /* printed with its tilde */
		compare_joined(c, "globalknownhostsfile", &s->global_known_hosts, ' ');
	if (ssh_settings_given(s, "PreferredAuthentications") != NULL)
		compare_joined(c, "preferredauthentications", &s->preferred_authentications, ',');
	compare_algorithms(c, "ciphers", s->ciphers, names_of_cipher);
	compare_algorithms(c, "macs", s->macs, names_of_mac);
	compare_algorithms(c, "kexalgorithms", s->kex_algorithms, names_of_kex);
	compare_algorithms(c, "hostkeyalgorithms", s->host_key_algorithms, names_of_key);
	compare_algorithms(c, "pubkeyacceptedalgorithms", s->publickey_algorithms, names_of_key);
	if (s->n_jumps == 0)
		compare(c, "proxycommand", s->proxy_command);
	compare_jumps(c);
	compare_agent(c);
}

/* Asks both about DIR/config. True: they agree. */
static bool agree(const char *label, const char *configuration, const struct destination *d)
{
	struct ssh_local local;
	struct ssh_settings settings = { 0 };
	struct why why = { "" };
	char path[512];
	struct buf theirs;
	snprintf(path, sizeof path, "%s/config", folder);
	buf_init(&theirs, TEXT_MAX);
	assert_int_equal(ssh_local_init(&local, &why), ERR_OK);
	struct ssh_question q = { .destination = d->typed, .user = d->user, .port = d->port != NULL ? (int)strtol(d->port, NULL, 10) : 0, .file = path };
	enum err e = ssh_config_resolve(&q, &local.machine, &settings, NULL, &why);
	int status = ask_ssh(path, d, &theirs);
	struct comparison c = { .label = label, .configuration = configuration, .ours = &settings, .theirs = buf_text(&theirs) };
	if ((e == ERR_OK) != (status == 0)) {
		print_error("%s (%s): ssh ended with %d, we with: %s\n%s\n", label, d->typed, status, e == ERR_OK ? "success" : why.text, configuration);
		c.n_different++;
	} else if (e == ERR_OK) {
		compare_fields(&c);
		compare_given(&c);
	}
	ssh_settings_release(&settings);
	ssh_local_release(&local);
	buf_release(&theirs);
	return c.n_different == 0;
}

/* ---- written by hand ---- */

#define H(text) "Host a\n" text "\n"

static const struct {
	const char *label, *text;
} by_hand[] = {
	{ "nothing", "" },
	{ "a line without a block", "Port 2222\nUser carol\n" },
	{ "first wins", "Port 1\nPort 2\nHost *\nPort 3\n" },
	{ "equals signs", "Port=2222\nUser = carol\nHostName= x.example\nBindAddress =10.0.0.1\n" },
	{ "two equals signs", "User==carol\n" },
	{ "an equals sign in front", "=User carol\n" },
	{ "indentation", " \t Port 2222\n\tUser carol\n" },
	{ "ends of lines", "Port 2222\r\nUser carol \t\r\n\fHostName x\n" },
	{ "a form feed at the end", "Port 2222\f\n" },
	{ "no end of the last line", "Port 2222" },
	{ "upper and lower case", "pOrT 2222\nUSER carol\nhOsT *\nHOSTNAME X.Example\n" },
	{ "quotes", "User \"carol\"\nHostName \"x.example\"\nIdentityFile \"~/.ssh/my key\"\n" },
	{ "a quoted keyword", "\"Port\" 2222\n" },
	{ "a keyword that touches its quote", "User\"carol\"\n" },
	{ "single quotes", "User 'carol'\nIdentityFile '~/a b'\n" },
	{ "quotes inside", "User ca\"ro\"l\n" },
	{ "a backslash", "IdentityFile /a\\ b\nUser a\\\"b\nCertificateFile /x\\\\y\nBindAddress a\\b\n" },
	{ "a quote that is open", "User \"carol\n" },
	{ "a single quote that is open", "User ca'rol\n" },
	{ "an open quote at the keyword", "\"Port 2222\n" },
	{ "comments", "# one\n   # two\n#Port 1\nPort 2 # three\nUser carol#4\nHostName x.example #5\n" },
	{ "a comment for a value", "Port # 22\n" },
	{ "no value", "Port\n" },
	{ "no value but an equals sign", "Port =\n" },
	{ "an empty value", "User \"\"\n" },
	{ "too many values", "Port 22 23\n" },
	{ "an unknown keyword", "Prot 22\n" },
	{ "an unknown keyword in a block that does not apply", "Host b\nProt 22\n" },
	{ "a bad value in a block that does not apply", "Host b\nPort x\n" },
	{ "ignored keywords", "IgnoreUnknown Prot,use*\nProt 22\nUseKeychain yes\n" },
	{ "ignored too late", "Prot 22\nIgnoreUnknown Prot\n" },
	{ "ports", "Port ssh\n" },
	{ "port nought", "Port 0\n" },
	{ "too large a port", "Port 65536\n" },
	{ "a port with a sign", "Port +22\n" },
	{ "a negative port", "Port -22\n" },
	{ "a bad flag", "IdentitiesOnly maybe\n" },
	{ "flags", "IdentitiesOnly YES\nBatchMode True\nTCPKeepAlive FALSE\nCompression no\n" },
	{ "compression knows no true", "Compression true\n" },
	{ "times", "ConnectTimeout 1m30s\nServerAliveInterval 2H\n" },
	{ "no time", "ConnectTimeout none\nConnectTimeout 7\nServerAliveInterval none\n" },
	{ "a bad time", "ConnectTimeout 1x\n" },
	{ "too long a time", "ConnectTimeout 4000w\n" },
	{ "nought seconds", "ConnectTimeout 0\n" },
	{ "host patterns", "Host b c* !a\nPort 1\nHost a? *\nPort 2\nHost ?\nUser carol\n" },
	{ "an excluded host", "Host * !a\nPort 1\n" },
	{ "an excluded host in front", "Host !a *\nPort 1\n" },
	{ "only an exclusion", "Host !b\nPort 1\n" },
	{ "host without patterns", "Host # none\nPort 1\n" },
	{ "an empty host pattern", "Host \"\"\nPort 1\n" },
	{ "comma is no separator for Host", "Host a,b\nPort 1\n" },
	{ "match all", "Match all\nPort 1\n" },
	{ "match not all", "Match !all\nPort 1\n" },
	{ "match all and more", "Match all host a\nPort 1\n" },
	{ "match one and all", "Match host a all\nPort 1\n" },
	{ "match two and all", "Match host a user x all\nPort 1\n" },
	{ "match all with a comment", "Match all # really\nPort 1\n" },
	{ "match nothing", "Match # what\nPort 1\n" },
	{ "match host", "Match host b,a\nPort 1\nMatch host A\nUser carol\n" },
	{ "match equals", "Match host=a\nPort 1\n" },
	{ "match after a name is set", "HostName x.example\nMatch host x.example\nPort 1\nMatch originalhost a\nUser carol\n" },
	{ "match after a name with a token is set", "HostName %h.example\nMatch host a.example\nPort 1\n" },
	{ "match user", "User carol\nMatch user carol\nPort 1\nMatch !user carol\nCompression yes\n" },
	{ "match localuser", "Match localuser root,!nobody\nPort 1\nMatch localuser nobody\nPort 2\n" },
	{ "match an exclusion", "Match host *,!a\nPort 1\n" },
	{ "match not an exclusion", "Match !host *,!a\nPort 1\n" },
	{ "match quotes", "Match host \"a\" user \"x\"\nPort 1\n" },
	{ "match single quotes", "Match host 'a'\nPort 1\n" },
	{ "match lacks a value", "Match host\nPort 1\n" },
	{ "match an unknown criterion", "Match weather fine\nPort 1\n" },
	{ "match exec", "Match exec true\nPort 1\nMatch exec \"test %n = a\"\nUser carol\nMatch !exec false\nCompression yes\n" },
	{ "match exec fails", "Match exec false\nPort 1\n" },
	{ "match exec with a bad token", "Match exec \"test %Z\"\nPort 1\n" },
	{ "match exec after what fails", "Match host zzz exec \"exit 0\"\nPort 1\n" },
	{ "match final", "Match final host x.example\nPort 1\nHost *\nHostName x.example\n" },
	{ "match final all", "Match final all\nPort 1\nMatch !final all\nUser carol\n" },
	{ "match canonical", "Match canonical all\nPort 1\n" },
	{ "match canonical beside final", "Match canonical all\nPort 1\nMatch final all\nUser carol\n" },
	{ "host in the second pass", "Host x.example\nPort 1\nMatch final all\nUser carol\nHost a\nHostName x.example\n" },
	{ "identities in the second pass", "IdentityFile ~/one\nMatch final all\nIdentityFile ~/two\n" },
	{ "a name in the second pass", "Match final all\nHostName y.example\n" },
	{ "host name tokens", "HostName %h.x.%h%%\n" },
	{ "a bad token in a host name", "HostName %n\n" },
	{ "a host name in upper case", "HostName X.EXAMPLE\n" },
	{ "an address as host name", "HostName 0:0:0::1\n" },
	{ "a short address", "HostName 127.1\n" },
	{ "identity files", "IdentityFile ~/.ssh/a\nIdentityFile %d/.ssh/%h-%r-%p-%n-%u\nIdentityFile ~/.ssh/a\nIdentityFile none\n" },
	{ "identity files and the environment", "IdentityFile ${HOME}/k\nCertificateFile ~/c\nCertificateFile ~/c\n" },
	{ "known hosts", "UserKnownHostsFile ~/a %d/b-%h-%k ${HOME}/c\nGlobalKnownHostsFile /x /y\n" },
	{ "no known hosts", "UserKnownHostsFile none\nGlobalKnownHostsFile none\n" },
	{ "none beside another", "UserKnownHostsFile none ~/a\n" },
	{ "the hash of the connection", "UserKnownHostsFile /k/%C-%l-%L-%i\nUser carol\nPort 77\n" },
	{ "an alias", "HostKeyAlias Some.Alias\nUserKnownHostsFile /k/%k\n" },
	{ "an unset variable", "UserKnownHostsFile ${PITWALL_NO_SUCH_VARIABLE}/x\n" },
	{ "an agent of an unset variable", "Host b\nIdentityAgent ${PITWALL_NO_SUCH_VARIABLE}\n" },
	{ "agents", "IdentityAgent ~/agent.%u\n" },
	{ "no agent", "IdentityAgent none\n" },
	{ "an agent in a variable", "IdentityAgent $HOME\n" },
	{ "an agent in a bad variable", "IdentityAgent $HO-ME\n" },
	{ "one jump", "ProxyJump j.example\n" },
	{ "jumps", "ProxyJump carol@j1:2201,j2,dave@10.0.0.3:22\n" },
	{ "a jump to an address", "ProxyJump [fe80::1]:2222\n" },
	{ "a jump as URI", "ProxyJump ssh://carol@j.example:2222\n" },
	{ "a jump as URI with a path", "ProxyJump ssh://carol@j.example/x\n" },
	{ "a bad jump", "ProxyJump j:99999\n" },
	{ "an empty jump", "ProxyJump a1,,b1\n" },
	{ "a jump without a host", "ProxyJump carol@\n" },
	{ "no jump", "ProxyJump none\nProxyCommand nc %h %p\n" },
	{ "no jump, no command, a jump", "ProxyJump none\nProxyCommand none\nProxyJump j\n" },
	{ "no jump, a jump", "ProxyJump none\nProxyJump j\n" },
	{ "a jump before a command", "ProxyJump j\nProxyCommand nc %h %p\n" },
	{ "a command before a jump", "ProxyCommand nc %h %p # no comment\nProxyJump j\n" },
	{ "no command before a jump", "ProxyCommand none\nProxyJump j\n" },
	{ "a command after an equals sign", "ProxyCommand=nc -x %h \"%p\"\n" },
	{ "a jump with a comment", "ProxyJump j # the gate\n" },
	{ "a jump to itself", "ProxyJump a\n" },
	{ "a jump to itself on another port", "Port 2222\nProxyJump a\n" },
	{ "algorithms", "Ciphers aes256-ctr,aes128-ctr\nMACs hmac-sha2-512\nKexAlgorithms curve25519-sha256\nHostKeyAlgorithms ssh-ed25519\n" },
	{ "more algorithms", "Ciphers +aes128-cbc,3des-cbc\nMACs ^hmac-sha2-512\nKexAlgorithms -*sha256*\nPubkeyAcceptedAlgorithms +ssh-rsa\n" },
	{ "patterns of key types", "HostKeyAlgorithms ssh-*\nPubkeyAcceptedKeyTypes -ecdsa*,rsa*\n" },
	{ "patterns of ciphers", "Ciphers aes*\n" },
	{ "nothing between commas", "Ciphers aes256-ctr,,aes128-ctr\nMACs ,hmac-sha1\n" },
	{ "nothing to add", "Ciphers +\n" },
	{ "nothing to take away", "Ciphers -\n" },
	{ "other names", "ChallengeResponseAuthentication no\nDSAAuthentication no\nKeepAlive no\nSmartcardDevice /x\n" },
	{ "what is no more", "Protocol 1\nCipher blowfish\nUseRoaming no\nRhostsRSAAuthentication yes\nCompressionLevel 3\n" },
	{ "bad preferences are taken", "PreferredAuthentications publickey,password\n" },
	{ "no attempts", "ConnectionAttempts 0\n" },
	{ "attempts", "ConnectionAttempts 4\nNumberOfPasswordPrompts 1\n" },
	{ "a negative number", "ConnectionAttempts -1\n" },
	{ "authentication", "PubkeyAuthentication unbound\nGSSAPIAuthentication yes\nHostbasedAuthentication yes\n" },
	{ "checking", "StrictHostKeyChecking accept-new\nCheckHostIP yes\nHashKnownHosts yes\n" },
	{ "not checking", "StrictHostKeyChecking off\n" },
	{ "including", "Include @/one.conf\nPort 9\n" },
	{ "including in a block", H("Include @/one.conf") "User dave\n" },
	{ "including in a block that does not apply", "Host b\nInclude @/one.conf\nPort 9\nHost *\nPort 10\n" },
	{ "including what begins blocks", "Include @/two.conf\nUser dave\n" },
	{ "including several", "Include @/t*.conf @/one.conf\n" },
	{ "including what is not there", "Include @/none*.conf\nPort 9\n" },
	{ "including what holds mistakes", "Include @/bad.conf\n" },
	{ "including what holds mistakes, in a block that does not apply", "Host b\nInclude @/bad.conf\n" },
	{ "including a folder", "Include @/folder\nPort 9\n" },
	{ "including what leads nowhere", "Include @/dangling\n" },
	{ "including itself", "Include @/loop.conf\n" },
	{ "including an unsafe file", "Include @/unsafe.conf\n" },
};

/* Replaces '@' + '/' by the folder. */
static void place(const char *text, struct buf *to)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '@' && text[1] == '/')
			buf_puts(to, folder);
		else
			buf_putc(to, *text);
	}
}

static void test_by_hand(void **state)
{
	static const struct destination destinations[] = {
		{ "a", NULL, NULL }, { "erin@a", NULL, NULL }, { "A", "frank", "2022" }, { "ssh://gina@a:2200", NULL, NULL }, { "10.1", NULL, NULL },
	};
	int n_different = 0;
	(void)state;
	for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
		struct buf text;
		buf_init(&text, TEXT_MAX);
		place(by_hand[i].text, &text);
		assert_true(write_file("config", buf_text(&text)));
		for (size_t j = 0; j < sizeof destinations / sizeof *destinations; j++)
			n_different += j > 0 && i % 3 != j % 3 ? 0 : !agree(by_hand[i].label, buf_text(&text), &destinations[j]);
		buf_release(&text);
	}
	assert_int_equal(n_different, 0);
}

/* ---- made at random ---- */

static uint64_t seed = 0x9E3779B97F4A7C15u;

static size_t below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static const char *any_of(const char *const *words)
{
	size_t n = 0;
	while (words[n] != NULL)
		n++;
	return words[below(n)];
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct {
	const char        *keyword;
	const char *const *values;
} lines[] = {
	{ "Port", WORDS("22", "2222", "65535", "ssh", "\"80\"") },
	{ "User", WORDS("alice", "bob", "\"carol\"", "Dave") },
	{ "HostName", WORDS("gpu.example", "%h.pool.example", "10.0.0.7", "GPU-9", "fe80::1", "%%x") },
	{ "IdentityFile", WORDS("~/.ssh/a", "~/.ssh/b", "/k/%h-%r", "%d/x", "\"/k/with blank\"", "none") },
	{ "CertificateFile", WORDS("~/.ssh/a-cert.pub", "/c/%n") },
	{ "IdentitiesOnly", WORDS("yes", "no", "True") },
	{ "IdentityAgent", WORDS("none", "SSH_AUTH_SOCK", "/run/%u.sock", "~/agent", "$HOME") },
	{ "UserKnownHostsFile", WORDS("~/kh", "/kh/%h /kh/%k", "none", "/kh/%C") },
	{ "GlobalKnownHostsFile", WORDS("/etc/kh", "none", "/a /b /c") },
	{ "HostKeyAlias", WORDS("Alias", "other.alias") },
	{ "StrictHostKeyChecking", WORDS("yes", "no", "ask", "off", "accept-new", "TRUE") },
	{ "HashKnownHosts", WORDS("yes", "no") },
	{ "CheckHostIP", WORDS("yes", "no") },
	{ "ProxyJump", WORDS("none", "gate", "bob@gate:2200", "g1,carol@g2,[fe80::2]:99", "ssh://gate.example") },
	{ "ProxyCommand", WORDS("none", "nc %h %p", "\"/usr/bin/nc\" -X 5 %h %p # x") },
	{ "ConnectTimeout", WORDS("5", "1m", "none", "2m30") },
	{ "ConnectionAttempts", WORDS("1", "2", "9") },
	{ "ServerAliveInterval", WORDS("15", "1m") },
	{ "ServerAliveCountMax", WORDS("1", "5", "0") },
	{ "AddressFamily", WORDS("any", "inet", "inet6") },
	{ "BindAddress", WORDS("10.9.9.9", "::") },
	{ "BindInterface", WORDS("eth0") },
	{ "Compression", WORDS("yes", "no", "YES") },
	{ "TCPKeepAlive", WORDS("yes", "no") },
	{ "PreferredAuthentications", WORDS("publickey", "keyboard-interactive,password") },
	{ "PubkeyAuthentication", WORDS("yes", "no", "host-bound") },
	{ "PasswordAuthentication", WORDS("yes", "no") },
	{ "KbdInteractiveAuthentication", WORDS("yes", "no") },
	{ "ChallengeResponseAuthentication", WORDS("yes", "no") },
	{ "GSSAPIAuthentication", WORDS("yes", "no") },
	{ "HostbasedAuthentication", WORDS("yes", "no") },
	{ "Ciphers", WORDS("aes128-ctr", "+aes256-cbc", "-aes*", "^aes256-ctr", "aes128-gcm@openssh.com,aes128-ctr") },
	{ "MACs", WORDS("hmac-sha2-256", "-*etm*", "^hmac-sha1") },
	{ "KexAlgorithms", WORDS("curve25519-sha256", "-diffie*", "+diffie-hellman-group14-sha1") },
	{ "HostKeyAlgorithms", WORDS("ssh-ed25519", "+ssh-rsa", "-*cert*", "ecdsa*,ssh-ed25519") },
	{ "PubkeyAcceptedAlgorithms", WORDS("+ssh-rsa", "ssh-ed25519", "-sk-*") },
	{ "ControlMaster", WORDS("auto", "yes", "no") },
	{ "KnownHostsCommand", WORDS("none", "/bin/khc %H") },
	{ "VerifyHostKeyDNS", WORDS("yes", "no", "ask") },
	{ "PKCS11Provider", WORDS("none", "/lib/p11.so") },
	{ "SecurityKeyProvider", WORDS("internal", "/lib/sk.so") },
	{ "RequiredRSASize", WORDS("2048", "1024") },
	{ "RevokedHostKeys", WORDS("/etc/krl", "none") },
	{ "RequestTTY", WORDS("no", "force", "auto") },
	{ "LogLevel", WORDS("ERROR", "verbose", "DEBUG2") },
	{ "Tunnel", WORDS("no", "ethernet") },
	{ "Protocol", WORDS("2", "2,1") },
	{ "IgnoreUnknown", WORDS("Bogus*,x", "nothing") },
	{ "NumberOfPasswordPrompts", WORDS("1", "6") },
	{ "GatewayPorts", WORDS("yes", "no") },
	{ "VisualHostKey", WORDS("yes", "no") },
	{ "FingerprintHash", WORDS("md5", "sha256") },
	{ "Include", WORDS("@/one.conf", "@/two.conf", "@/t*.conf", "@/none.conf") },
};

static const char *const patterns[] = { "gpu-1", "gpu-*", "*", "gpu-?", "!gpu-2", "db", "*.pool.example", "GPU-1", "!*9", "10.0.0.7", NULL };
static const char *const mistakes[] = {
	"Bogus yes", "Port x", "Port 1 2", "Host \"\"", "Match weather x", "Match", "StrictHostKeyChecking perhaps", "User \"a", "Include ~nobody-at-all/x*",
	"ConnectTimeout -1", "ProxyJump a:b:c", "Compression true", "ServerAliveCountMax 1s", "BogusToo 1", NULL,
};

static void put_criteria(struct buf *to)
{
	static const char *const users[] = { "alice", "bob,carol", "*,!alice", "root", NULL };
	static const char *const commands[] = { "true", "false", "\"test %n = gpu-1\"", "\"test %p -gt 100\"", "\"test %r = bob\"", NULL };
	for (size_t n = 1 + below(3); n > 0; n--) {
		const char *negated = below(4) == 0 ? "!" : "";
		const char *comma = below(2) == 0 ? "," : "";
		switch (below(7)) {
		case 0:
			buf_printf(to, " %shost %s%s%s", negated, any_of(patterns), comma, *comma != '\0' ? any_of(patterns) : "");
			break;
		case 1:
			buf_printf(to, " %soriginalhost %s%s%s", negated, any_of(patterns), comma, *comma != '\0' ? any_of(patterns) : "");
			break;
		case 2:
			buf_printf(to, " %suser %s", negated, any_of(users));
			break;
		case 3:
			buf_printf(to, " %slocaluser %s", negated, any_of(users));
			break;
		case 4:
			buf_printf(to, " %sexec %s", negated, any_of(commands));
			break;
		case 5:
			buf_printf(to, " %s%s", negated, below(2) == 0 ? "final" : "canonical");
			break;
		default:
			buf_puts(to, below(3) == 0 ? " all" : " host *");
			break;
		}
	}
}

static void put_line(struct buf *to, bool may_include)
{
	static const char *const between[] = { " ", "  ", "\t", "=", " = ", " =", NULL }, *const indents[] = { "", "", "  ", "\t", NULL };
	static const char *const ends[] = { "\n", "\n", "\n", " \n", "\r\n", " # a comment\n", NULL };
	size_t which = below(sizeof lines / sizeof *lines - !may_include);
	const char *keyword = lines[which].keyword;
	bool is_rest = strcmp(keyword, "ProxyCommand") == 0 || strcmp(keyword, "ProxyJump") == 0 || strcmp(keyword, "KnownHostsCommand") == 0;
	buf_puts(to, any_of(indents));
	for (const char *p = keyword; *p != '\0'; p++)
		buf_putc(to, *p > '9' && below(12) == 0 ? (char)(*p ^ 0x20) : *p);
	buf_puts(to, any_of(between));
	place(any_of(lines[which].values), to);
	buf_puts(to, is_rest ? "\n" : any_of(ends));
}

static void put_configuration(struct buf *to, bool may_include)
{
	for (size_t n = 3 + below(22); n > 0; n--) {
		size_t kind = below(20);
		if (kind < 3) {
			buf_puts(to, "Host");
			for (size_t i = 1 + below(3); i > 0; i--)
				buf_printf(to, " %s", any_of(patterns));
			buf_putc(to, '\n');
		} else if (kind < 6) {
			buf_puts(to, "Match");
			put_criteria(to);
			buf_putc(to, '\n');
		} else if (kind == 6 && below(12) == 0) {
			buf_printf(to, "%s\n", any_of(mistakes));
		} else {
			put_line(to, may_include);
		}
	}
}

static void test_at_random(void **state)
{
	static const struct destination destinations[] = {
		{ "gpu-1", NULL, NULL }, { "bob@gpu-2", NULL, NULL }, { "GPU-1", NULL, "2022" }, { "db", "carol", NULL }, { "10.0.0.7", NULL, NULL },
		{ "ssh://alice@gpu-9:222", NULL, NULL },
	};
	int n_different = 0;
	(void)state;
	for (int i = 0; i < RANDOM_CONFIGURATIONS; i++) {
		struct buf text, included;
		char label[64];
		snprintf(label, sizeof label, "random configuration %d", i);
		buf_init(&text, TEXT_MAX);
		buf_init(&included, TEXT_MAX);
		put_configuration(&text, true);
		put_configuration(&included, false);
		assert_true(write_file("config", buf_text(&text)) && write_file("three.conf", buf_text(&included)));
		n_different += !agree(label, buf_text(&text), &destinations[below(sizeof destinations / sizeof *destinations)]);
		n_different += !agree(label, buf_text(&text), &destinations[below(sizeof destinations / sizeof *destinations)]);
		buf_release(&text);
		buf_release(&included);
		if (n_different > 5)
			break;
	}
	assert_int_equal(n_different, 0);
}

/* ---- */

static int set_up(void **state)
{
	struct buf out, loop;
	char program[] = "ssh", version[] = "-V", path[512];
	char *argv[] = { program, version, NULL };
	(void)state;
	buf_init(&out, TEXT_MAX);
	buf_init(&loop, TEXT_MAX);
	int status = run(argv, &out);
	buf_release(&out);
	if (status != 0) {
		printf("1..0 # SKIP there is no ssh to compare with (openssh-client)\n");
		exit(0);
	}
	if (mkdtemp(folder) == NULL)
		return -1;
	ask_names("cipher", names_of_cipher, sizeof names_of_cipher);
	ask_names("mac", names_of_mac, sizeof names_of_mac);
	ask_names("kex", names_of_kex, sizeof names_of_kex);
	ask_names("HostKeyAlgorithms", names_of_key, sizeof names_of_key);
	place("Include @/loop.conf\n", &loop);
	bool is_made = write_file("empty", "") && write_file("one.conf", "Port 7001\nIdentityFile ~/one\nCompression yes\n") &&
		write_file("two.conf", "User zoe\nHost gpu-2 b\nPort 7002\nMatch host gpu-*\nIdentityFile ~/two\nHost *\nServerAliveCountMax 8\n") &&
		write_file("three.conf", "") && write_file("bad.conf", "Bogus yes\n") && write_file("loop.conf", buf_text(&loop)) &&
		write_file("unsafe.conf", "Port 1\n");
	buf_release(&loop);
	snprintf(path, sizeof path, "%s/unsafe.conf", folder);
	is_made = is_made && chmod(path, 0622) == 0;
	snprintf(path, sizeof path, "%s/folder", folder);
	is_made = is_made && mkdir(path, 0700) == 0;
	snprintf(path, sizeof path, "%s/dangling", folder);
	is_made = is_made && symlink("/nonexistent/file", path) == 0;
	snprintf(path, sizeof path, "%s/empty", folder);
	buf_init(&presets, TEXT_MAX);
	const struct destination any = { "any", NULL, NULL };
	return is_made && ask_ssh(path, &any, &presets) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "config", "empty", "one.conf", "two.conf", "three.conf", "bad.conf", "loop.conf", "unsafe.conf", "dangling" };
	char path[512];
	(void)state;
	buf_release(&presets);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/folder", folder);
	rmdir(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_by_hand), cmocka_unit_test(test_at_random) };
	setenv("SHELL", "/bin/sh", 1);
	setenv("SSH_AUTH_SOCK", "/run/some-agent", 1);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
