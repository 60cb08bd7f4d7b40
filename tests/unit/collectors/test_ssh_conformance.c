/* SPDX-License-Identifier: Apache-2.0
 *
 * Our reading of ssh_config against that of the real ssh, over configurations written by hand and made at random from a fixed seed: both
 * must refuse the same ones, and agree on every keyword of those that they take (ssh_oracle.h). */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "tests/unit/collectors/ssh_oracle.h"

#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, RANDOM_CONFIGURATIONS = 220 };

static char folder[] = "/tmp/pitwall-ssh-XXXXXX";

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

static bool agrees(const char *label, const char *configuration, const struct ssh_oracle_destination *d)
{
	char path[512];
	snprintf(path, sizeof path, "%s/config", folder);
	return ssh_oracle_agrees(label, path, configuration, d);
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
	static const struct ssh_oracle_destination destinations[] = {
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
			n_different += j > 0 && i % 3 != j % 3 ? 0 : !agrees(by_hand[i].label, buf_text(&text), &destinations[j]);
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

static const char *const patterns[] = { "gpu-1", "gpu-*", "*", "gpu-?", "!gpu-2", "db", "*.pool.example", "GPU-1", "!*9", "10.0.0.7",
                                        NULL };
static const char *const mistakes[] = {
	"Bogus yes", "Port x", "Port 1 2", "Host \"\"", "Match weather x", "Match", "StrictHostKeyChecking perhaps", "User \"a",
	"Include ~nobody-at-all/x*",
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
	static const struct ssh_oracle_destination destinations[] = {
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
		n_different += !agrees(label, buf_text(&text), &destinations[below(sizeof destinations / sizeof *destinations)]);
		n_different += !agrees(label, buf_text(&text), &destinations[below(sizeof destinations / sizeof *destinations)]);
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
	struct buf loop;
	char path[512];
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	buf_init(&loop, TEXT_MAX);
	place("Include @/loop.conf\n", &loop);
	bool is_made = write_file("one.conf", "Port 7001\nIdentityFile ~/one\nCompression yes\n") &&
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
	return is_made && ssh_oracle_begin() ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = { "config", "one.conf", "two.conf", "three.conf", "bad.conf", "loop.conf", "unsafe.conf", "dangling" };
	char path[512];
	(void)state;
	ssh_oracle_end();
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
	if (!ssh_oracle_is_there()) {
		printf("1..0 # SKIP there is no ssh of OpenSSH 9.2 to compare with (openssh-client)\n");
		return 0;
	}
	setenv("SHELL", "/bin/sh", 1);
	setenv("SSH_AUTH_SOCK", "/run/some-agent", 1);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
