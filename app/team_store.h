/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that a Unix group shares: one user records, the members read, and ask through the folder of requests (alerts/spool.h). What its
 * files are to be like stands here, for `pitwall store setup`, which makes it so, and `pitwall doctor --store`, which looks whether it is. */
#ifndef PITWALL_APP_TEAM_STORE_H
#define PITWALL_APP_TEAM_STORE_H

struct cli;

enum {
	TEAM_FOLDER_MODE = 02750,   /* what is made in it belongs to the group; members enter and read */
	TEAM_FILE_MODE   = 0640,    /* the store, its log and the index of that: SQLite gives them the store's mode. Members read them all, and so need write nothing */
	TEAM_REQUESTS_MODE = 03730, /* members leave requests, and can neither list them nor touch those of others */
};

/* pitwall doctor --store. Returns the exit code: EXIT_NO when something stands in the way. */
int doctor_store(const struct cli *c);

#endif
