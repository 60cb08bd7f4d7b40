/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two sides of the folder of requests share. Private to alerts/. */
#ifndef PITWALL_ALERTS_SPOOL_PRIVATE_H
#define PITWALL_ALERTS_SPOOL_PRIVATE_H

#include "alerts/spool.h"

#include <sys/stat.h>

/* A request is ID.json; while it is written, .ID.new */
#define SPOOL_SUFFIX ".json"
#define SPOOL_NEW    ".new"

/* Makes the folder where it is missing, gives it its mode, opens it for listing. */
enum err spool_folder_make(const char *store, int *folder, struct why *why);

#endif
