/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder of known_hosts files for a test. */
#ifndef PITWALL_TESTS_KNOWN_FILES_H
#define PITWALL_TESTS_KNOWN_FILES_H

#include "tests/unit/unit.h"

#include "base/base64.h"
#include "base/slurp.h"
#include "collectors/known_hosts.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

struct known_files {
	char folder[64];
	char user[96], system[96];
};

static inline void known_files_make(struct known_files *k)
{
	snprintf(k->folder, sizeof k->folder, "/tmp/pitwall-known-XXXXXX");
	assert_non_null(mkdtemp(k->folder));
	snprintf(k->user, sizeof k->user, "%s/user", k->folder);
	snprintf(k->system, sizeof k->system, "%s/system", k->folder);
}

static inline void known_files_remove(struct known_files *k)
{
	unlink(k->user);
	unlink(k->system);
	assert_int_equal(rmdir(k->folder), 0);
}

/* NULL: no such file. */
static inline void known_files_write(const char *path, const char *text, size_t n)
{
	unlink(path);
	if (text == NULL)
		return;
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline void known_files_text(const char *path, struct buf *to)
{
	buf_init(to, 1 << 20);
	assert_int_equal(slurp(path, 1 << 20, to, NULL, NULL), ERR_OK);
}

/* The blob of a key that is written "TYPE BASE64 ..."; the caller releases it. */
static inline void known_files_blob(const char *key, struct buf *to)
{
	const char *text = strchr(key, ' ');
	assert_non_null(text);
	text++;
	buf_init(to, KEY_BLOB_MAX);
	assert_int_equal(base64_decode(to, text, strcspn(text, " \r\n")), ERR_OK);
}

#endif
