/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/tui/golden.h"

#include <errno.h>

enum { GOLDEN_MAX = 4 << 20, PATH_ROOM = 1024 };

static void path_of(const char *name, char to[PATH_ROOM])
{
	const char *root = getenv("PITWALL_SRCDIR");
	int n = snprintf(to, PATH_ROOM, "%s/tests/unit/tui/golden/%s.txt", root == NULL ? "." : root, name);
	assert_true(n > 0 && n < PATH_ROOM);
}

static void record(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "wb");
	if (f == NULL)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void read_golden(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot read %s: %s; record it with UPDATE_GOLDEN=1", path, strerror(errno));
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		assert_int_equal(buf_put(to, piece, n), ERR_OK);
	fclose(f);
}

static int line_length(const char *text, const char *end)
{
	const char *nl = memchr(text, '\n', (size_t)(end - text));
	return (int)((nl == NULL ? end : nl) - text);
}

static void fail_at_difference(const char *name, const char *want, size_t n_want, const char *have, size_t n_have)
{
	const char *want_end = want + n_want, *have_end = have + n_have;
	for (int line = 1;; line++) {
		int w = line_length(want, want_end), h = line_length(have, have_end);
		if (w != h || memcmp(want, have, (size_t)w) != 0)
			fail_msg("%s, line %d:\n  want |%.*s|\n  have |%.*s|\n(UPDATE_GOLDEN=1 records it anew)", name, line, w, want, h, have);
		if (want + w >= want_end || have + h >= have_end)
			fail_msg("%s: one of the two goes on after line %d", name, line);
		want += w + 1;
		have += h + 1;
	}
}

void golden_check_text(const char *text, size_t n, const char *name)
{
	char path[PATH_ROOM];
	struct buf want;
	const char *update = getenv("UPDATE_GOLDEN");
	path_of(name, path);
	if (update != NULL && strcmp(update, "1") == 0) {
		record(path, text, n);
		return;
	}
	buf_init(&want, GOLDEN_MAX);
	read_golden(path, &want);
	if (want.len != n || memcmp(want.data, text, n) != 0)
		fail_at_difference(name, buf_text(&want), want.len, text, n);
	buf_release(&want);
}

void golden_check(const struct canvas *c, const char *name)
{
	struct buf have;
	buf_init(&have, GOLDEN_MAX);
	assert_int_equal(canvas_print(c, &have), ERR_OK);
	golden_check_text(buf_text(&have), have.len, name);
	buf_release(&have);
}
