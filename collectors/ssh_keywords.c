/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources: ssh_config(5) of OpenSSH 9.2 and of later versions (Tag, ChannelTimeout, ObscureKeystrokeTiming, RefuseConnection, VersionAddendum,
 * WarnWeakCrypto), and the keywords that Debian's build adds. */
#include "collectors/ssh_keywords.h"

#include <string.h>
#include <strings.h>

static const struct ssh_choice flag[] = { { "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { NULL, 0 } };
static const struct ssh_choice flag_or_ask[] = { { "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "ask", 2 }, { NULL, 0 } };
static const struct ssh_choice compression[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };
static const struct ssh_choice key_check[] = {
	{ "yes", SSH_KEY_CHECK_YES }, { "true", SSH_KEY_CHECK_YES },   { "no", SSH_KEY_CHECK_NO },
	{ "off", SSH_KEY_CHECK_NO },  { "false", SSH_KEY_CHECK_NO },   { "ask", SSH_KEY_CHECK_ASK },
	{ "accept-new", SSH_KEY_CHECK_ACCEPT_NEW }, { NULL, 0 },
};
static const struct ssh_choice family[] = {
	{ "any", SSH_FAMILY_ANY }, { "inet", SSH_FAMILY_INET }, { "inet6", SSH_FAMILY_INET6 }, { NULL, 0 },
};
static const struct ssh_choice canonicalize[] = {
	{ "yes", SSH_CANONICALIZE_YES }, { "true", SSH_CANONICALIZE_YES }, { "no", SSH_CANONICALIZE_NO }, { "false", SSH_CANONICALIZE_NO },
	{ "always", SSH_CANONICALIZE_ALWAYS }, { NULL, 0 },
};
static const struct ssh_choice publickey[] = {
	{ "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "unbound", 1 }, { "host-bound", 1 }, { NULL, 0 },
};
static const struct ssh_choice master[] = {
	{ "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "auto", 2 }, { "ask", 3 }, { "autoask", 4 }, { NULL, 0 },
};
static const struct ssh_choice tunnel[] = {
	{ "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "point-to-point", 1 }, { "ethernet", 2 }, { NULL, 0 },
};
static const struct ssh_choice tty[] = {
	{ "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "force", 2 }, { "auto", 3 }, { NULL, 0 },
};
static const struct ssh_choice session[] = { { "none", 0 }, { "subsystem", 1 }, { "default", 2 }, { NULL, 0 } };
static const struct ssh_choice digest[] = {
	{ "md5", 0 }, { "sha1", 1 }, { "sha256", 2 }, { "sha384", 3 }, { "sha512", 4 }, { NULL, 0 },
};
static const struct ssh_choice level[] = {
	{ "quiet", 0 }, { "silent", 0 }, { "fatal", 1 }, { "error", 2 }, { "info", 3 }, { "verbose", 4 }, { "debug", 5 },
	{ "debug1", 5 }, { "debug2", 6 }, { "debug3", 7 }, { NULL, 0 },
};
static const struct ssh_choice facility[] = {
	{ "daemon", 0 }, { "user", 1 }, { "auth", 2 }, { "authpriv", 3 }, { "local0", 4 }, { "local1", 5 }, { "local2", 6 },
	{ "local3", 7 }, { "local4", 8 }, { "local5", 9 }, { "local6", 10 }, { "local7", 11 }, { NULL, 0 },
};

#define NO     "no,false"
#define NONE   "none"
#define TO(field) .to = offsetof(struct ssh_settings, field)
#define FLAG_TO(field) .kind = SSH_VALUE_CHOICE, .choices = flag, .is_flag = true, TO(field)
#define FLAG   .kind = SSH_VALUE_CHOICE, .choices = flag
#define SHAPE(min, max) .kind = SSH_VALUE_SHAPE, .words_min = (min), .words_max = (max)
#define OPENSSH .honour = SSH_FALLS_BACK_TO_OPENSSH
#define HARMLESS .honour = SSH_HARMLESS
#define PATH   .expand = SSH_EXPAND_TILDE | SSH_EXPAND_TOKENS | SSH_EXPAND_ENV

#define NO_FORWARDS   "pitwall opens no forwards"
#define NO_GSSAPI     "GSSAPI is not spoken by the built-in transport, which uses keys and passwords instead"
#define NO_MASTER     "pitwall keeps connections of its own"
#define NO_TERMINAL   "pitwall runs commands without a terminal"
#define NO_LONGER     "OpenSSH itself no longer does anything with it"
#define ONLY_CANONICAL "it matters for CanonicalizeHostname alone"
#define NO_LOG        "pitwall has a log of its own"
#define NO_LOCAL      "pitwall runs no local commands after connecting"

const struct ssh_keyword ssh_keywords[] = {
	{ "Host", .kind = SSH_VALUE_HOST },
	{ "Match", .kind = SSH_VALUE_MATCH },
	{ "Include", .kind = SSH_VALUE_INCLUDE },
	{ "IgnoreUnknown", .kind = SSH_VALUE_WORD },
	{ "Tag", .kind = SSH_VALUE_WORD, TO(tag) },
	{ "RefuseConnection", .kind = SSH_VALUE_REFUSE },

	{ "HostName", .kind = SSH_VALUE_WORD },
	{ "Port", .kind = SSH_VALUE_PORT, TO(port), .preset = "22" },
	{ "User", .kind = SSH_VALUE_WORD, TO(user) },
	{ "AddressFamily", .kind = SSH_VALUE_CHOICE, .choices = family, TO(address_family), .preset = "any" },
	{ "BindAddress", .kind = SSH_VALUE_WORD, TO(bind_address) },
	{ "BindInterface", .kind = SSH_VALUE_WORD, OPENSSH, .why = "the built-in transport binds to addresses, not to interfaces" },
	{ "ConnectTimeout", .kind = SSH_VALUE_SECONDS, TO(connect_timeout_ms) },
	{ "ConnectionAttempts", .kind = SSH_VALUE_NUMBER, TO(connection_attempts), .preset = "1" },
	{ "ServerAliveInterval", .kind = SSH_VALUE_SECONDS, TO(alive_interval_ms) },
	{ "SetupTimeOut", .other_name_of = "ServerAliveInterval" },
	{ "ProtocolKeepAlives", .other_name_of = "ServerAliveInterval" },
	{ "ServerAliveCountMax", .kind = SSH_VALUE_NUMBER, TO(alive_count_max), .preset = "3" },
	{ "TCPKeepAlive", FLAG_TO(tcp_keep_alive), .preset = "yes" },
	{ "KeepAlive", .other_name_of = "TCPKeepAlive" },
	{ "Compression", .kind = SSH_VALUE_CHOICE, .choices = compression, .is_flag = true, TO(compression), .preset = "no" },
	{ "ProxyJump", .kind = SSH_VALUE_JUMPS },
	{ "ProxyCommand", .kind = SSH_VALUE_REST, OPENSSH, TO(proxy_command), .idle = NONE,
	  .why = "the built-in transport connects by itself or through ProxyJump, not through a command" },
	{ "ProxyUseFdpass", FLAG, HARMLESS, .idle = NO, .why = "it matters for ProxyCommand alone" },

	{ "IdentityFile", .kind = SSH_VALUE_EACH, TO(identity_files), PATH },
	{ "IdentityFile2", .other_name_of = "IdentityFile" },
	{ "IdentitiesOnly", FLAG_TO(identities_only), .preset = "no" },
	{ "IdentityAgent", .kind = SSH_VALUE_AGENT, TO(identity_agent), PATH, .preset = "SSH_AUTH_SOCK" },
	{ "AddKeysToAgent", SHAPE(1, 2), HARMLESS, .idle = NO, .why = "pitwall adds no keys to an agent" },
	{ "CertificateFile", .kind = SSH_VALUE_EACH, OPENSSH, TO(certificate_files), PATH, .idle = NONE,
	  .why = "the built-in transport cannot log in with certificates" },
	{ "PKCS11Provider", .kind = SSH_VALUE_WORD, OPENSSH, .idle = NONE, .why = "the built-in transport cannot use keys of a PKCS#11 token" },
	{ "SmartcardDevice", .other_name_of = "PKCS11Provider" },
	{ "SecurityKeyProvider", .kind = SSH_VALUE_WORD, OPENSSH, .idle = "none,internal",
	  .why = "the built-in transport cannot use keys of a FIDO authenticator" },
	{ "PreferredAuthentications", .kind = SSH_VALUE_COMMAS, TO(preferred_authentications),
	  .preset = "gssapi-with-mic,hostbased,publickey,keyboard-interactive,password" },
	{ "PubkeyAuthentication", .kind = SSH_VALUE_CHOICE, .choices = publickey, .is_flag = true, TO(publickey_authentication), HARMLESS,
	  .idle = "yes,no,true,false", .preset = "yes", .why = "the built-in transport logs in with keys, but knows no binding to the host key" },
	{ "DSAAuthentication", .other_name_of = "PubkeyAuthentication" },
	{ "PubkeyAcceptedAlgorithms", .kind = SSH_VALUE_KEY_TYPES, TO(publickey_algorithms) },
	{ "PubkeyAcceptedKeyTypes", .other_name_of = "PubkeyAcceptedAlgorithms" },
	{ "KbdInteractiveAuthentication", FLAG_TO(keyboard_interactive_authentication), .preset = "yes" },
	{ "ChallengeResponseAuthentication", .other_name_of = "KbdInteractiveAuthentication" },
	{ "SkeyAuthentication", .other_name_of = "KbdInteractiveAuthentication" },
	{ "TISAuthentication", .other_name_of = "KbdInteractiveAuthentication" },
	{ "KbdInteractiveDevices", .kind = SSH_VALUE_WORD, HARMLESS, .why = "the server chooses the way of asking" },
	{ "PasswordAuthentication", FLAG_TO(password_authentication), .preset = "yes" },
	{ "NumberOfPasswordPrompts", .kind = SSH_VALUE_NUMBER, TO(password_prompts), .preset = "3" },
	{ "BatchMode", FLAG_TO(batch_mode), .preset = "no" },
	{ "HostbasedAuthentication", FLAG_TO(hostbased_authentication), HARMLESS, .idle = NO, .preset = "no",
	  .why = "the built-in transport does not vouch for this machine, it uses keys and passwords instead" },
	{ "HostbasedAcceptedAlgorithms", .kind = SSH_VALUE_KEY_TYPES, HARMLESS, .why = "it matters for HostbasedAuthentication alone" },
	{ "HostbasedKeyTypes", .other_name_of = "HostbasedAcceptedAlgorithms" },
	{ "EnableSSHKeysign", FLAG, HARMLESS, .idle = NO, .why = "it matters for HostbasedAuthentication alone" },
	{ "GSSAPIAuthentication", FLAG_TO(gssapi_authentication), HARMLESS, .idle = NO, .preset = "no", .why = NO_GSSAPI },
	{ "GSSAPIDelegateCredentials", FLAG, HARMLESS, .idle = NO, .why = NO_GSSAPI },
	{ "GSSAPIKeyExchange", FLAG, HARMLESS, .idle = NO, .why = NO_GSSAPI },
	{ "GSSAPIClientIdentity", .kind = SSH_VALUE_WORD, HARMLESS, .why = NO_GSSAPI },
	{ "GSSAPIServerIdentity", .kind = SSH_VALUE_WORD, HARMLESS, .why = NO_GSSAPI },
	{ "GSSAPIRenewalForcesRekey", FLAG, HARMLESS, .idle = NO, .why = NO_GSSAPI },
	{ "GSSAPITrustDns", FLAG, HARMLESS, .idle = NO, .why = NO_GSSAPI },
	{ "GSSAPIKexAlgorithms", .kind = SSH_VALUE_ALGORITHMS, HARMLESS, .why = NO_GSSAPI },

	{ "UserKnownHostsFile", .kind = SSH_VALUE_WORDS, TO(user_known_hosts), PATH, .preset = "~/.ssh/known_hosts ~/.ssh/known_hosts2" },
	{ "GlobalKnownHostsFile", .kind = SSH_VALUE_WORDS, TO(global_known_hosts), .expand = SSH_EXPAND_TILDE,
	  .preset = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2" },
	{ "KnownHostsCommand", .kind = SSH_VALUE_REST, OPENSSH, .idle = NONE, .why = "the built-in transport reads host keys from files alone" },
	{ "HostKeyAlias", .kind = SSH_VALUE_WORD, TO(host_key_alias) },
	{ "StrictHostKeyChecking", .kind = SSH_VALUE_CHOICE, .choices = key_check, TO(strict_host_key_checking), .preset = "ask" },
	{ "HashKnownHosts", FLAG_TO(hash_known_hosts), .preset = "no" },
	{ "CheckHostIP", FLAG_TO(check_host_ip), .preset = "no" },
	{ "VerifyHostKeyDNS", .kind = SSH_VALUE_CHOICE, .choices = flag_or_ask, OPENSSH, .idle = NO,
	  .why = "the built-in transport does not look up host keys in the DNS" },
	{ "NoHostAuthenticationForLocalhost", FLAG, OPENSSH, .idle = NO, .why = "the built-in transport checks every host key, this machine's too" },
	{ "RevokedHostKeys", .kind = SSH_VALUE_WORD, OPENSSH, .idle = NONE,
	  .why = "the built-in transport heeds revocations in known_hosts alone, not in a list of revoked keys" },
	{ "RequiredRSASize", .kind = SSH_VALUE_NUMBER, OPENSSH, .idle = "0,1024", .why = "the built-in transport does not measure RSA keys" },
	{ "UpdateHostKeys", .kind = SSH_VALUE_CHOICE, .choices = flag_or_ask, HARMLESS, .idle = NO,
	  .why = "the built-in transport does not learn further host keys from the server" },
	{ "FingerprintHash", .kind = SSH_VALUE_CHOICE, .choices = digest, HARMLESS, .idle = "sha256", .why = "pitwall shows SHA256 fingerprints" },
	{ "VisualHostKey", FLAG, HARMLESS, .idle = NO, .why = "pitwall shows fingerprints as text" },
	{ "CASignatureAlgorithms", .kind = SSH_VALUE_KEY_TYPES, HARMLESS, .why = "the built-in transport accepts no host certificates" },
	{ "HostKeyAlgorithms", .kind = SSH_VALUE_KEY_TYPES, TO(host_key_algorithms) },
	{ "KexAlgorithms", .kind = SSH_VALUE_ALGORITHMS, TO(kex_algorithms) },
	{ "Ciphers", .kind = SSH_VALUE_ALGORITHMS, TO(ciphers) },
	{ "MACs", .kind = SSH_VALUE_ALGORITHMS, TO(macs) },
	{ "RekeyLimit", SHAPE(1, 2), HARMLESS, .idle = "default none,default", .why = "libssh2 takes new session keys when the server asks for it" },
	{ "WarnWeakCrypto", SHAPE(1, 0), HARMLESS, .why = "pitwall does not warn of key exchanges that a quantum computer could break" },

	{ "CanonicalizeHostname", .kind = SSH_VALUE_CHOICE, .choices = canonicalize, OPENSSH, TO(canonicalize_hostname), .idle = NO, .preset = "no",
	  .why = "the built-in transport does not complete host names" },
	{ "CanonicalizePermittedCNAMEs", SHAPE(0, 0), OPENSSH, .idle = NONE, .why = "the built-in transport does not follow aliases in the DNS" },
	{ "CanonicalDomains", SHAPE(0, 0), HARMLESS, .idle = NONE, .why = ONLY_CANONICAL },
	{ "CanonicalizeFallbackLocal", FLAG, HARMLESS, .why = ONLY_CANONICAL },
	{ "CanonicalizeMaxDots", .kind = SSH_VALUE_NUMBER, HARMLESS, .why = ONLY_CANONICAL },

	{ "RemoteCommand", .kind = SSH_VALUE_REST, HARMLESS, TO(remote_command), .idle = NONE, .why = "pitwall runs commands of its own" },
	{ "SessionType", .kind = SSH_VALUE_CHOICE, .choices = session, HARMLESS, .idle = "default", .why = "pitwall runs commands" },
	{ "RequestTTY", .kind = SSH_VALUE_CHOICE, .choices = tty, HARMLESS, .idle = "no,false,auto", .why = NO_TERMINAL },
	{ "EscapeChar", SHAPE(1, 1), HARMLESS, .idle = NONE, .why = NO_TERMINAL },
	{ "EnableEscapeCommandline", FLAG, HARMLESS, .idle = NO, .why = NO_TERMINAL },
	{ "ObscureKeystrokeTiming", SHAPE(1, 1), HARMLESS, .idle = NO, .why = NO_TERMINAL },
	{ "SendEnv", SHAPE(0, 0), HARMLESS, .why = "pitwall's commands set the environment that they need" },
	{ "SetEnv", .kind = SSH_VALUE_ASSIGNMENTS, HARMLESS, .why = "pitwall's commands set the environment that they need" },
	{ "StdinNull", FLAG, HARMLESS, .idle = NO, .why = "pitwall runs commands" },
	{ "ForkAfterAuthentication", FLAG, HARMLESS, .idle = NO, .why = "pitwall runs commands" },
	{ "IPQoS", SHAPE(1, 2), HARMLESS, .why = "the built-in transport does not mark its packets" },
	{ "ChannelTimeout", SHAPE(0, 0), HARMLESS, .idle = NONE, .why = "pitwall gives each command a time limit of its own" },
	{ "VersionAddendum", .kind = SSH_VALUE_REST, HARMLESS, .idle = NONE, .why = "libssh2 says its own version" },

	{ "ControlMaster", .kind = SSH_VALUE_CHOICE, .choices = master, HARMLESS, .idle = NO, .why = NO_MASTER },
	{ "ControlPath", .kind = SSH_VALUE_WORD, HARMLESS, .idle = NONE, .why = NO_MASTER },
	{ "ControlPersist", SHAPE(1, 1), HARMLESS, .idle = NO, .why = NO_MASTER },
	{ "LocalForward", SHAPE(2, 2), HARMLESS, .why = NO_FORWARDS },
	{ "RemoteForward", SHAPE(1, 2), HARMLESS, .why = NO_FORWARDS },
	{ "DynamicForward", SHAPE(1, 1), HARMLESS, .why = NO_FORWARDS },
	{ "PermitRemoteOpen", SHAPE(1, 0), HARMLESS, .idle = "any", .why = NO_FORWARDS },
	{ "GatewayPorts", FLAG, HARMLESS, .idle = NO, .why = NO_FORWARDS },
	{ "ClearAllForwardings", FLAG },
	{ "ExitOnForwardFailure", FLAG, HARMLESS, .idle = NO, .why = NO_FORWARDS },
	{ "StreamLocalBindMask", SHAPE(1, 1), HARMLESS, .why = NO_FORWARDS },
	{ "StreamLocalBindUnlink", FLAG, HARMLESS, .idle = NO, .why = NO_FORWARDS },
	{ "ForwardAgent", .kind = SSH_VALUE_AGENT, HARMLESS, .idle = NO, .why = "pitwall forwards no agent" },
	{ "ForwardX11", FLAG, HARMLESS, .idle = NO, .why = NO_FORWARDS },
	{ "ForwardX11Trusted", FLAG, HARMLESS, .idle = NO, .why = NO_FORWARDS },
	{ "ForwardX11Timeout", .kind = SSH_VALUE_SECONDS, HARMLESS, .why = NO_FORWARDS },
	{ "XAuthLocation", .kind = SSH_VALUE_WORD, HARMLESS, .why = NO_FORWARDS },
	{ "Tunnel", .kind = SSH_VALUE_CHOICE, .choices = tunnel, HARMLESS, .idle = NO, .why = "pitwall opens no tunnel devices" },
	{ "TunnelDevice", SHAPE(1, 1), HARMLESS, .why = "pitwall opens no tunnel devices" },
	{ "LocalCommand", .kind = SSH_VALUE_REST, HARMLESS, .idle = NONE, .why = NO_LOCAL },
	{ "PermitLocalCommand", FLAG, HARMLESS, .idle = NO, .why = NO_LOCAL },
	{ "LogLevel", .kind = SSH_VALUE_CHOICE, .choices = level, HARMLESS, .why = NO_LOG },
	{ "LogVerbose", SHAPE(0, 0), HARMLESS, .idle = NONE, .why = NO_LOG },
	{ "SyslogFacility", .kind = SSH_VALUE_CHOICE, .choices = facility, HARMLESS, .why = NO_LOG },

	{ "Protocol", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "Cipher", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "FallBackToRsh", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "GlobalKnownHostsFile2", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "RhostsAuthentication", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "UserKnownHostsFile2", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "UseRoaming", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "UseRsh", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "UsePrivilegedPort", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "AFSTokenPassing", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "KerberosAuthentication", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "KerberosTGTPassing", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "RSAAuthentication", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "RhostsRSAAuthentication", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
	{ "CompressionLevel", .kind = SSH_VALUE_ANYTHING, HARMLESS, .why = NO_LONGER },
};

const size_t n_ssh_keywords = sizeof ssh_keywords / sizeof *ssh_keywords;

const struct ssh_keyword *ssh_keyword_find(const char *name)
{
	for (size_t i = 0; i < n_ssh_keywords; i++) {
		const struct ssh_keyword *k = &ssh_keywords[i];
		if (strcasecmp(k->name, name) == 0)
			return k->other_name_of != NULL ? ssh_keyword_find(k->other_name_of) : k;
	}
	return NULL;
}
