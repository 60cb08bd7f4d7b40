/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder in /tmp for one store of a test, which goes with all that a store leaves. */
#ifndef PITWALL_TESTS_STORE_FOLDER_H
#define PITWALL_TESTS_STORE_FOLDER_H

struct store_folder {
	char folder[64], path[96]; /* of the folder, and of the store that is to be made in it */
};

/* `name` tells whose it is. */
void store_folder_make(struct store_folder *f, const char *name);
/* After the store was closed. Other files of the test's must be gone. */
void store_folder_remove(const struct store_folder *f);

/* Of a store that is closed. */
void store_file_copy(const char *from, const char *to);

#endif
