/* SPDX-License-Identifier: Apache-2.0
 *
 * The real ssh (ssh -G), asked about the same configuration as our reader.
 *
 * Not compared, because ssh -G prints something else than what is set: LocalCommand and RemoteCommand, ControlPath (expanded there),
 * forwards, SendEnv, SetEnv (added up), UpdateHostKeys and XAuthLocation (derived), EscapeChar, IPQoS, RekeyLimit, TunnelDevice,
 * ControlPersist, AddKeysToAgent, PermitRemoteOpen and the Canonicalize... lists (rewritten); StreamLocalBindMask and SyslogFacility, which
 * OpenSSH 9.2 takes from blocks that do not apply. Identity files are printed unexpanded and expanded here. Debian's ssh presets
 * ServerAliveInterval to 300 under BatchMode, so that it is compared there only where it is set. Names of algorithms are all real ones: we
 * have no list to check them by. */
#ifndef PITWALL_TESTS_SSH_ORACLE_H
#define PITWALL_TESTS_SSH_ORACLE_H

#include <stdbool.h>

struct ssh_oracle_destination {
	const char *typed, *user, *port; /* as ssh -l and -p; NULL: not given */
};

/* Whether it is the version that our reader follows: others differ in details (later ones expand tokens in User, cut Match otherwise). */
bool ssh_oracle_is_there(void);
/* Learns what ssh presets, and the algorithms that it has. False: it does not answer. */
bool ssh_oracle_begin(void);
void ssh_oracle_end(void);

/* Asks both about the file at `path`, which holds `configuration`. False: they differ, in what is then printed. */
bool ssh_oracle_agrees(const char *label, const char *path, const char *configuration, const struct ssh_oracle_destination *d);

#endif
