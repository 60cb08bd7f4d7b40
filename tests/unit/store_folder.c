/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include <unistd.h>

void store_folder_make(struct store_folder *f, const char *name)
{
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-%.20s-XXXXXX", name);
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/s.db", f->folder);
}

void store_folder_remove(const struct store_folder *f)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lease", ".lock" };
	char path[128];
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
		unlink(path);
	}
	rmdir(f->folder);
}
