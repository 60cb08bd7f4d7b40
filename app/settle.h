/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PITWALL_APP_SETTLE_H
#define PITWALL_APP_SETTLE_H

enum { SETTLED_MS = 15 * 1000 }; /* after the beginning */

/* What beginning took (a store's history, the first look at each target) is not needed any more, and is given back to the system. */
void settle_memory(void);

#endif
