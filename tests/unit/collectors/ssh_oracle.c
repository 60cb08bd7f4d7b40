/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/ssh_oracle.h"

#include "tests/unit/unit.h"

#include "base/buf.h"
#include "collectors/ssh_config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20 };

static struct buf presets; /* what ssh -G prints of an empty file */
static char names_of_cipher[4096], names_of_mac[4096], names_of_kex[4096], names_of_key[8192];

/* ---- the real one ---- */

/* Runs argv with its output in `out`, its errors too where they are wanted; its exit status, or -1. */
static int run(char *const argv[], bool wants_errors, struct buf *out)
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
	if (wants_errors)
		posix_spawn_file_actions_adddup2(&files, ends[1], 2);
	else
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

static int ask_ssh(const char *file, const struct ssh_oracle_destination *d, struct buf *out)
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
	return run(argv, false, out);
}

static void ask_names(const char *what, char *to, size_t size)
{
	struct buf out;
	char program[] = "ssh", q[] = "-Q", name[32];
	char *argv[] = { program, q, name, NULL };
	snprintf(name, sizeof name, "%s", what);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(run(argv, false, &out), 0);
	assert_true(out.len > 1 && out.len < size);
	memcpy(to, out.data, out.len - 1);
	to[out.len - 1] = '\0';
	for (char *c = to; *c != '\0'; c++)
		*c = *c == '\n' ? ',' : *c;
	buf_release(&out);
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

bool ssh_oracle_agrees(const char *label, const char *path, const char *configuration, const struct ssh_oracle_destination *d)
{
	struct ssh_local local;
	struct ssh_settings settings = { 0 };
	struct why why = { "" };
	struct buf theirs;
	buf_init(&theirs, TEXT_MAX);
	assert_int_equal(ssh_local_init(&local, &why), ERR_OK);
	struct ssh_question q = { .destination = d->typed, .user = d->user, .port = d->port != NULL ? (int)strtol(d->port, NULL, 10) : 0,
	                          .file = path };
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

/* ---- */

bool ssh_oracle_is_there(void)
{
	struct buf out;
	char program[] = "ssh", version[] = "-V";
	char *argv[] = { program, version, NULL };
	buf_init(&out, TEXT_MAX);
	bool is_there = run(argv, true, &out) == 0 && strncmp(buf_text(&out), "OpenSSH_9.2", 11) == 0;
	buf_release(&out);
	return is_there;
}

bool ssh_oracle_begin(void)
{
	const struct ssh_oracle_destination any = { "any", NULL, NULL };
	ask_names("cipher", names_of_cipher, sizeof names_of_cipher);
	ask_names("mac", names_of_mac, sizeof names_of_mac);
	ask_names("kex", names_of_kex, sizeof names_of_kex);
	ask_names("HostKeyAlgorithms", names_of_key, sizeof names_of_key);
	buf_init(&presets, TEXT_MAX);
	return ask_ssh("none", &any, &presets) == 0;
}

void ssh_oracle_end(void)
{
	buf_release(&presets);
}
