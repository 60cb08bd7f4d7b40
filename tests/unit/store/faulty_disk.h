/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that refuses: a virtual file system under SQLite that fails its n-th operation, or every write. */
#ifndef PITWALL_TESTS_FAULTY_DISK_H
#define PITWALL_TESTS_FAULTY_DISK_H

#include <stdbool.h>

/* Everything that SQLite opens from then on is on it. 0, or -1. */
int faulty_disk_register(void);

/* Operation n from here on fails, counted from 0: that one alone. */
void faulty_disk_arm(int n);

/* Every write fails for want of space. */
void faulty_disk_fill(void);

/* Nothing fails any more. True: an operation had failed since it was armed. */
bool faulty_disk_well(void);

#endif
