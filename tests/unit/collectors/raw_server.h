/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on loopback that misbehaves on demand: what it does hangs on the path that is asked for. One thread listens, one more a
 * connection; raw sockets, so that nothing puts right what is to be wrong. */
#ifndef PITWALL_TESTS_RAW_SERVER_H
#define PITWALL_TESTS_RAW_SERVER_H

struct raw_server;

struct raw_server *raw_server_start(void);
void               raw_server_stop(struct raw_server *s); /* ends all connections and waits for the threads */
int                raw_server_port(const struct raw_server *s);
int                raw_server_connections(struct raw_server *s);
/* The header of the last request; copies into `to`. */
void               raw_server_last(struct raw_server *s, char *to, unsigned long size);

#endif
