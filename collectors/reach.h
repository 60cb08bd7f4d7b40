/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a machine could not be reached, in one word for all that goes there. */
#ifndef PITWALL_COLLECTORS_REACH_H
#define PITWALL_COLLECTORS_REACH_H

#include <stddef.h>

/* How an attempt to run a command ended: config name, words for a narrow column, what to do (for `doctor` and events; "" nothing to say). */
#define REACH_LIST(X)                                                                                                              \
	X(OK,           "ok",               "ok",               "")                                                                \
	X(CONFIG,       "config",           "ssh_config",       "mend the line of the SSH configuration that is named")            \
	X(DNS,          "dns",              "no such host",     "check the name, and HostName in the SSH configuration")           \
	X(REFUSED,      "refused",          "refused",          "is sshd running there, on this port?")                            \
	X(UNREACHABLE,  "unreachable",      "unreachable",      "check the route, the firewall, and whether the machine is on")    \
	X(TIMEOUT,      "timeout",          "timeout",          "the machine or a firewall swallows what is sent")                 \
	X(JUMP,         "jump",             "jump host",        "reach the jump host first: pitwall doctor JUMPHOST")              \
	X(PROTOCOL,     "protocol",         "no SSH",           "what answers there does not speak SSH as pitwall does")           \
	X(KEY_UNKNOWN,  "host_key_unknown", "host key unknown", "compare the key and accept it: t in the console, or ssh HOST")     \
	X(KEY_CHANGED,  "host_key_changed", "HOST KEY CHANGED", "find out why before anything else; then ssh-keygen -R HOST")      \
	X(KEY_REVOKED,  "host_key_revoked", "host key REVOKED", "known_hosts says that this key is not to be trusted")             \
	X(AUTH,         "auth",             "login refused",    "does `ssh HOST` log in without a question? i in the console asks") \
	X(PASSPHRASE,   "passphrase",       "key is locked",    "give the key to the agent: ssh-add FILE, or i in the console")     \
	X(EXEC,         "exec",             "no shell",         "the account must be allowed to run commands with a POSIX sh")     \
	X(CLOSED,       "closed",           "cut short",        "")                                                                \
	X(HUNG,         "hung",             "hangs",            "the machine answers no longer; is it out of memory or I/O bound?")\
	X(TOO_LARGE,    "too_large",        "too large",        "")                                                                \
	X(FAILED,       "failed",           "failed",           "")

enum reach {
#define X(name, config, words, advice) REACH_##name,
	REACH_LIST(X)
#undef X
	REACH_COUNT
};
const char *reach_name(enum reach r);
const char *reach_words(enum reach r);
const char *reach_advice(enum reach r);

/* "WORDS: SENTENCE", which is how a failure of a machine is recorded, and back: REACH_OK for a text that does not begin so. */
void       reach_sentence(enum reach r, const char *text, char *to, size_t size);
enum reach reach_of_sentence(const char *text);

#endif
