/* SPDX-License-Identifier: Apache-2.0
 *
 * The same questions to OpenSSH and to us. ssh reaches its sshd through "sshd -i" as a proxy command, so that a host may have any name and
 * port. */
#include "tests/unit/collectors/known_files.h"

#include "tests/unit/collectors/sample_keys.h"
#include "tests/unit/collectors/sshd.h"

#include <arpa/inet.h>
#include <libssh2.h>
#include <sys/socket.h>

struct bench {
	struct sshd       *sshd;
	struct known_files files;
	char               proxy[192];
};

static int begin(void **state)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa", NULL };
	static struct bench      b;
	struct why               why = { "" };
	known_files_make(&b.files);
	enum err e = sshd_start(&(struct sshd_options){ .host_keys = types }, &b.sshd, &why);
	if (e != ERR_OK && e != ERR_NOT_FOUND) {
		print_error("%s\n", why.text);
		return -1;
	}
	if (e == ERR_NOT_FOUND)
		print_message("# skipped: %s\n", why.text);
	else
		snprintf(b.proxy, sizeof b.proxy, "ProxyCommand=/usr/sbin/sshd -i -f %s", sshd_config(b.sshd));
	*state = &b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;
	sshd_stop(b->sshd);
	known_files_remove(&b->files);
	return 0;
}

/* Writes a file in which "$e", "$c" and "$r" are the server's ed25519, ecdsa and RSA key, "$x" another of ed25519. */
static void write_file(const struct bench *b, const char *text)
{
	struct buf to;
	buf_init(&to, 1 << 20);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c != '$') {
			buf_putc(&to, *c);
			continue;
		}
		c++;
		buf_puts(&to, *c == 'x' ? ED_A : sshd_host_key(b->sshd, *c == 'e' ? "ed25519" : *c == 'c' ? "ecdsa" : "rsa"));
	}
	assert_int_equal(to.err, ERR_OK);
	known_files_write(b->files.user, buf_text(&to), to.len);
	buf_release(&to);
}

static void run_keygen_hash(const struct bench *b)
{
	char said[4096], old[128];
	const char *const argv[] = { "ssh-keygen", "-q", "-H", "-f", b->files.user, NULL };
	assert_int_equal(sshd_run(argv, said, sizeof said), 0);
	snprintf(old, sizeof old, "%s.old", b->files.user);
	unlink(old);
}

struct question {
	const char *host, *alias;
	int         port;
};

/* ssh up to the host key: the host refuses the user, as no way to log in is tried. */
static void run_ssh(const struct bench *b, const struct question *q, const char *algorithms, char *said, size_t size)
{
	char port[24], file[128], key[64], alias[64];
	snprintf(port, sizeof port, "Port=%d", q->port != 0 ? q->port : 22);
	snprintf(file, sizeof file, "UserKnownHostsFile=%s", b->files.user);
	snprintf(key, sizeof key, "HostKeyAlgorithms=%s", algorithms);
	snprintf(alias, sizeof alias, "HostKeyAlias=%s", q->alias != NULL ? q->alias : "none");
	const char *argv[40] = { "ssh", "-v", "-F", "none", "-o", b->proxy, "-o", port, "-o", file, "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "StrictHostKeyChecking=yes", "-o", "PreferredAuthentications=none", "-o", "BatchMode=yes", "-o", "UpdateHostKeys=no",
		"-o", "CheckHostIP=no", "-o", "KexAlgorithms=curve25519-sha256" };
	int n = 24;
	if (algorithms != NULL) {
		argv[n++] = "-o";
		argv[n++] = key;
	}
	if (q->alias != NULL) {
		argv[n++] = "-o";
		argv[n++] = alias;
	}
	argv[n++] = "--";
	argv[n++] = q->host != NULL ? q->host : "db1.example";
	argv[n++] = "true";
	assert_int_equal(sshd_run(argv, said, size), 255);
}

static enum host_key_verdict verdict_of_ssh(const char *said)
{
	if (strstr(said, "REVOKED HOST KEY DETECTED") != NULL)
		return HOST_KEY_REVOKED;
	if (strstr(said, "REMOTE HOST IDENTIFICATION HAS CHANGED") != NULL)
		return HOST_KEY_CHANGED;
	if (strstr(said, "host key is known for") != NULL)
		return HOST_KEY_UNKNOWN;
	return strstr(said, "Permission denied") != NULL ? HOST_KEY_OK : HOST_KEY_COUNT;
}

static struct known_hosts_query query_of(const struct bench *b, const struct question *q, const char *files[1])
{
	files[0] = b->files.user;
	return (struct known_hosts_query){ .files = files, .n_files = 1, .host = q->host != NULL ? q->host : "db1.example", .alias = q->alias,
		.port = q->port };
}

static const struct row {
	const char *label, *file;
	enum host_key_verdict want;
	struct question q;
	const char *algorithm;   /* NULL: ssh-ed25519 */
	bool        hash_it;     /* ssh-keygen -H first */
	bool        skip_keygen; /* it looks for another name than ssh */
} rows[] = {
	{ "known", "db1.example $e\n", .want = HOST_KEY_OK },
	{ "known among others", "# x\n\nx $e\ndb1.example $x\ndb1.example $c\na,db1.example $e me@home\n", .want = HOST_KEY_OK },
	{ "empty", "", .want = HOST_KEY_UNKNOWN },
	{ "unknown", "db2.example $e\n", .want = HOST_KEY_UNKNOWN },
	{ "changed", "db1.example $x\n", .want = HOST_KEY_CHANGED },
	{ "other type only", "db1.example $r\n", .want = HOST_KEY_CHANGED },
	{ "ECDSA", "db1.example $c\n", .want = HOST_KEY_OK, .algorithm = "ecdsa-sha2-nistp256" },
	{ "RSA", "db1.example $r\n", .want = HOST_KEY_OK, .algorithm = "rsa-sha2-512" },
	{ "hashed", "db1.example $e\n", .want = HOST_KEY_OK, .hash_it = true },
	{ "hashed, changed", "db1.example $x\n", .want = HOST_KEY_CHANGED, .hash_it = true },
	{ "hashed in upper case", "DB1.EXAMPLE $e\n", .want = HOST_KEY_OK, .hash_it = true },
	{ "hashed with a port", "[db1.example]:2222 $e\n", .want = HOST_KEY_OK, .hash_it = true, .q = { .port = 2222 } },
	{ "malformed hash", "|1|AAAA|AAAA $e\n", .want = HOST_KEY_UNKNOWN },
	{ "revoked", "db1.example $e\n@revoked * $e\n", .want = HOST_KEY_REVOKED },
	{ "revoked first", "@revoked db1.example $e\ndb1.example $e\n", .want = HOST_KEY_REVOKED },
	{ "revoked, not known", "@revoked *.example $e\n", .want = HOST_KEY_REVOKED },
	{ "revoked, another", "@revoked * $x\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "revoked, changed besides", "@revoked * $e\ndb1.example $x\n", .want = HOST_KEY_REVOKED },
	{ "revoked for others", "@revoked db2.example $e\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "two markers", "@revoked @revoked * $e\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "unknown marker", "@other db1.example $e\n", .want = HOST_KEY_UNKNOWN },
	{ "wildcard", "*.ex?mple $e\n", .want = HOST_KEY_OK },
	{ "wildcard, changed", "* $x\n", .want = HOST_KEY_CHANGED },
	{ "wildcard that goes back", "*b1.*am*le $e\n", .want = HOST_KEY_OK },
	{ "negated", "*.example,!db1.example $e\n", .want = HOST_KEY_UNKNOWN },
	{ "negated first", "!db?.example,* $e\n", .want = HOST_KEY_UNKNOWN },
	{ "negated for others", "!db2.example,* $e\n", .want = HOST_KEY_OK },
	{ "negated here, known there", "*,!db1.example $x\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "port", "[db1.example]:2222 $e\n", .want = HOST_KEY_OK, .q = { .port = 2222 } },
	{ "port, changed", "[db1.example]:2222 $x\ndb1.example $e\n", .want = HOST_KEY_CHANGED, .q = { .port = 2222 } },
	{ "another port", "[db1.example]:2223 $e\n", .want = HOST_KEY_UNKNOWN, .q = { .port = 2222 } },
	{ "any port", "[*.example]:* $e\n", .want = HOST_KEY_OK, .q = { .port = 2222 } },
	{ "without the port", "db1.example $e\n", .want = HOST_KEY_OK, .q = { .port = 2222 }, .skip_keygen = true },
	{ "without the port, another", "db1.example $x\n", .want = HOST_KEY_UNKNOWN, .q = { .port = 2222 }, .skip_keygen = true },
	{ "port 22 in brackets", "[db1.example]:22 $e\n", .want = HOST_KEY_UNKNOWN },
	{ "alias", "other $e\n", .want = HOST_KEY_OK, .q = { .alias = "other", .port = 2222 } },
	{ "alias, not the host", "db1.example $e\n", .want = HOST_KEY_UNKNOWN, .q = { .alias = "other", .port = 2222 } },
	{ "CRLF", "# x\r\n\r\ndb1.example $e\r\n", .want = HOST_KEY_OK },
	{ "CRLF, changed", "db1.example $x\r\n", .want = HOST_KEY_CHANGED },
	{ "malformed line before", "db1.example\ndb1.example ssh-ed25519\ndb1.example ssh-ed25519 AAAA\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "malformed line alone", "db1.example ssh-ed25519 AAAA\n", .want = HOST_KEY_UNKNOWN, .skip_keygen = true },
	{ "another type than it says", "db1.example ssh-rsa " ED_A_BASE64 "\n", .want = HOST_KEY_UNKNOWN, .skip_keygen = true },
	{ "RSA under an algorithm's name", "db1.example rsa-sha2-512 " RSA_BASE64 "\n", .want = HOST_KEY_CHANGED, .algorithm = "rsa-sha2-512" },
	{ "base 64 without padding", "db1.example ecdsa-sha2-nistp521 AAAAE2Vj\n", .want = HOST_KEY_UNKNOWN, .skip_keygen = true },
	{ "upper case in the file", "DB1.Example $e\n", .want = HOST_KEY_OK },
	{ "upper case asked for", "db1.example $e\n", .want = HOST_KEY_OK, .q = { .host = "DB1.Example" } },
	{ "one character", "a $e\n", .want = HOST_KEY_OK, .q = { .host = "a" } },
	{ "two characters", "ab $e\n", .want = HOST_KEY_OK, .q = { .host = "ab" } },
	{ "IPv6", "2001:db8::1 $e\n", .want = HOST_KEY_OK, .q = { .host = "2001:db8::1" } },
	{ "IPv6 with a port", "[2001:db8::1]:2222 $e\n", .want = HOST_KEY_OK, .q = { .host = "2001:db8::1", .port = 2222 } },
	{ "tabs", "\tdb1.example\t$e\n", .want = HOST_KEY_OK },
	{ "no line end", "db1.example $e", .want = HOST_KEY_OK },
	{ "an authority alone", "@cert-authority * $e\n", .want = HOST_KEY_UNKNOWN },
	{ "an authority beside", "@cert-authority * $x\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "a certificate on a plain line", "db1.example " EC_CERT "\n", .want = HOST_KEY_CHANGED },
	{ "a revoked certificate", "@revoked * " EC_CERT "\ndb1.example $e\n", .want = HOST_KEY_OK },
	{ "DSS", "db1.example " DSS "\n", .want = HOST_KEY_CHANGED },
	{ "comment without a key", "db1.example # x\n", .want = HOST_KEY_UNKNOWN, .skip_keygen = true },
};

/* The line by which OpenSSH found the key; 0 when it does not say. */
static int line_of_ssh(const struct bench *b, const char *said)
{
	char        found[160];
	const char *at;
	snprintf(found, sizeof found, "Found key in %s:", b->files.user);
	at = strstr(said, found);
	return at != NULL ? (int)strtol(at + strlen(found), NULL, 10) : 0;
}

/* ssh-keygen -F lists the lines of a name, whatever their key. */
static void agree_with_keygen(const struct bench *b, const struct row *r, const struct known_hosts_result *got)
{
	char       name[KNOWN_NAME], said[16384], line[64];
	const char *host = r->q.host != NULL ? r->q.host : "db1.example";
	assert_row(r->label, known_hosts_name(r->q.alias != NULL ? r->q.alias : host, r->q.alias != NULL ? 0 : r->q.port, name, NULL) == ERR_OK);
	const char *const argv[] = { "ssh-keygen", "-F", name, "-f", b->files.user, NULL };
	int status = sshd_run(argv, said, sizeof said);
	if (got->verdict == HOST_KEY_UNKNOWN && !got->has_ca) {
		assert_row(r->label, status == 1);
		return;
	}
	snprintf(line, sizeof line, "found: line %zu", got->verdict == HOST_KEY_UNKNOWN ? got->ca.line : got->place.line);
	if (status != 0 || strstr(said, line) == NULL)
		print_error("%s: '%s' is not in: %s\n", r->label, line, said);
	assert_row(r->label, status == 0);
	assert_row(r->label, strstr(said, line) != NULL);
}

static void agrees_with_ssh(void **state)
{
	struct bench *b = *state;
	if (b->sshd == NULL)
		skip();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		const char *algorithm = r->algorithm != NULL ? r->algorithm : "ssh-ed25519", *files[1];
		char        said[32768];
		struct buf  key;
		struct known_hosts_result got;
		write_file(b, r->file);
		if (r->hash_it)
			run_keygen_hash(b);
		run_ssh(b, &r->q, algorithm, said, sizeof said);
		struct known_hosts_query q = query_of(b, &r->q, files);
		known_files_blob(sshd_host_key(b->sshd, algorithm[0] == 'e' ? "ecdsa" : algorithm[0] == 'r' ? "rsa" : "ed25519"), &key);
		assert_row(r->label, known_hosts_check(&q, key.data, key.len, algorithm, &got, NULL) == ERR_OK);
		buf_release(&key);
		if (verdict_of_ssh(said) != got.verdict)
			print_error("%s: we say '%s', ssh says: %s\n", r->label, host_key_words(got.verdict), said);
		assert_row(r->label, verdict_of_ssh(said) == got.verdict);
		assert_row(r->label, got.verdict == r->want);
		assert_row(r->label, got.verdict != HOST_KEY_OK || (size_t)line_of_ssh(b, said) == got.place.line);
		if (!r->skip_keygen)
			agree_with_keygen(b, r, &got);
	}
}

static void offers_types_as_ssh_does(void **state)
{
	static const struct { const char *label, *file, *want; } files_rows[] = {
		{ "none", "", "ssh-ed25519" },
		{ "the best", "db1.example $e\ndb1.example $r\n", "ssh-ed25519" },
		{ "ECDSA", "db1.example $c\n", "ecdsa-sha2-nistp256" },
		{ "RSA", "db1.example $r\n", "rsa-sha2-512" },
		{ "both", "db1.example $r\ndb1.example $c\n", "ecdsa-sha2-nistp256" },
		{ "the best is revoked", "db1.example $e\ndb1.example $r\n@revoked * $e\n", "rsa-sha2-512" },
		{ "another is revoked", "db1.example $c\n@revoked * $e\n", "ecdsa-sha2-nistp256" },
		{ "an authority", "@cert-authority * $c\ndb1.example $r\n", "rsa-sha2-512" },
	};
	struct bench *b = *state;
	if (b->sshd == NULL)
		skip();
	for (size_t i = 0; i < sizeof files_rows / sizeof files_rows[0]; i++) {
		const char *label = files_rows[i].label, *files[1];
		char        said[32768], chosen[96];
		struct known_hosts_types types;
		const struct question q = { .port = 0 };
		write_file(b, files_rows[i].file);
		run_ssh(b, &q, NULL, said, sizeof said);
		struct known_hosts_query query = query_of(b, &q, files);
		assert_row(label, known_hosts_types(&query, &types, NULL) == ERR_OK);
		assert_row(label, strcmp(types.names[0], files_rows[i].want) == 0);
		snprintf(chosen, sizeof chosen, "kex: host key algorithm: %s", types.names[0]);
		assert_row(label, strstr(said, chosen) != NULL);
	}
}

/* A key that we add lets ssh in, and ssh-keygen says its fingerprint as we do. */
static void ssh_takes_what_we_add(void **state)
{
	struct bench *b = *state;
	if (b->sshd == NULL)
		skip();
	if (!sshd_has_shell(b->sshd)) {
		print_message("# skipped: %s has no shell to log in to\n", sshd_user(b->sshd));
		skip();
	}
	for (int hash_it = 0; hash_it < 2; hash_it++) {
		char       name[KNOWN_NAME], port[16], file[128], said[8192], print[KEY_FINGERPRINT];
		struct buf key;
		known_files_write(b->files.user, NULL, 0);
		known_files_blob(sshd_host_key(b->sshd, "ed25519"), &key);
		assert_int_equal(known_hosts_name("127.0.0.1", sshd_port(b->sshd), name, NULL), ERR_OK);
		assert_int_equal(known_hosts_add(b->files.user, name, key.data, key.len, hash_it == 1, NULL), ERR_OK);
		snprintf(port, sizeof port, "%d", sshd_port(b->sshd));
		snprintf(file, sizeof file, "UserKnownHostsFile=%s", b->files.user);
		const char *const login[] = { "ssh", "-F", "none", "-p", port, "-i", sshd_user_key(b->sshd), "-o", file, "-o",
			"GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "UpdateHostKeys=no",
			"-o", "IdentitiesOnly=yes", "-l", sshd_user(b->sshd), "127.0.0.1", "echo in; exit 7", NULL };
		int status = sshd_run(login, said, sizeof said);
		if (status != 7)
			print_error("ssh says: %s\n", said);
		assert_int_equal(status, 7);
		assert_string_equal(said, "in\n");
		const char *const list[] = { "ssh-keygen", "-l", "-F", name, "-f", b->files.user, NULL };
		assert_int_equal(sshd_run(list, said, sizeof said), 0);
		assert_non_null(strstr(said, key_fingerprint(key.data, key.len, print)));
		buf_release(&key);
	}
}

static int connect_to(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
	const struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* What the transport does: libssh2 is told the order of types, and what it says of the key is checked. */
static void libssh2_takes_the_types_and_gives_the_key(void **state)
{
	struct bench *b = *state;
	if (b->sshd == NULL)
		skip();
	const char *files[1];
	const struct question q = { .host = "127.0.0.1", .port = sshd_port(b->sshd) };
	char                  line[4096];
	struct buf            list;
	struct known_hosts_types  types;
	struct known_hosts_result got;
	snprintf(line, sizeof line, "[127.0.0.1]:%d $c\n", q.port);
	write_file(b, line);
	struct known_hosts_query query = query_of(b, &q, files);
	assert_int_equal(known_hosts_types(&query, &types, NULL), ERR_OK);
	assert_int_equal(libssh2_init(0), 0);
	LIBSSH2_SESSION *session = libssh2_session_init();
	assert_non_null(session);
	int fd = connect_to(q.port), type = 0;
	const char **supported = NULL;
	int          n_supported = libssh2_session_supported_algs(session, LIBSSH2_METHOD_HOSTKEY, &supported);
	assert_true(n_supported > 0);
	buf_init(&list, 1024);
	assert_int_equal(known_hosts_types_join(&types, supported, (size_t)n_supported, &list), ERR_OK);
	assert_null(strstr(buf_text(&list), "sk-"));
	libssh2_free(session, supported);
	assert_int_equal(libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, buf_text(&list)), 0);
	assert_int_equal(libssh2_session_handshake(session, fd), 0);
	size_t      n = 0;
	const char *blob = libssh2_session_hostkey(session, &n, &type);
	assert_string_equal(libssh2_session_methods(session, LIBSSH2_METHOD_HOSTKEY), "ecdsa-sha2-nistp256");
	assert_int_equal(known_hosts_check(&query, blob, n, key_type_of_libssh2(type), &got, NULL), ERR_OK);
	assert_int_equal(got.verdict, HOST_KEY_OK);
	assert_int_equal(known_hosts_check(&query, blob, n, "ssh-ed25519", &got, NULL), ERR_FORMAT);
	libssh2_session_disconnect(session, "bye");
	libssh2_session_free(session);
	close(fd);
	libssh2_exit();
	buf_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_ssh),
		cmocka_unit_test(offers_types_as_ssh_does),
		cmocka_unit_test(ssh_takes_what_we_add),
		cmocka_unit_test(libssh2_takes_the_types_and_gives_the_key),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
