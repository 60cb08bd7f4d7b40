/* SPDX-License-Identifier: Apache-2.0
 *
 * A bundle whose bytes were changed: the input is a list of edits, each a place (3 bytes, modulo the file's size) and a byte to XOR there.
 * It is opened as a stranger's and all of it is read: an error or an answer, within bounds. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/export.h"
#include "store/reader.h"

enum { FRAMES = 70, BUNDLE_MAX = 1 << 20 };

static void make_bundle(const char *folder, uint8_t *bytes, size_t *size)
{
	char store[96], bundle[96], side[128];
	struct store *s = NULL;
	struct test_clock clock;
	int64_t id;
	const struct layout *l;
	struct labels *target = labels_of("instance", "a:1", NULL), *series[] = { labels_of("__name__", "a", NULL),
	                                                                          labels_of("__name__", "b", NULL) };
	snprintf(store, sizeof store, "%s/x.db", folder);
	snprintf(bundle, sizeof bundle, "%s/y.db", folder);
	test_clock_init(&clock, 1000);
	HOLDS(store_open(&(struct store_options){ .path = store, .clock = &clock.clock }, &s, NULL) == ERR_OK);
	HOLDS(store_target(s, target, "u", &id, NULL) == ERR_OK && store_layout(s, series, 2, &l, NULL) == ERR_OK);
	for (int i = 1; i <= FRAMES; i++)
		for (int stream = 0; stream < STREAM_COUNT; stream++)
			HOLDS(store_append(s, id, (enum stream)stream, i * 1000, l, (double[]){ i, i / 8.0 }, NULL) == ERR_OK);
	store_close(s);
	HOLDS(store_export(store, bundle, 0, INT64_MAX - 1, NULL) == ERR_OK);
	int fd = open(bundle, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, bytes, BUNDLE_MAX) : -1;
	HOLDS(n > 0 && n < BUNDLE_MAX);
	*size = (size_t)n;
	close(fd);
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm", "y.db" };
	for (size_t i = 0; i < 4; i++) {
		snprintf(side, sizeof side, "%s/%s", folder, names[i]);
		unlink(side);
	}
	labels_unref(target);
	labels_unref(series[0]);
	labels_unref(series[1]);
}

static enum err see_frame(void *ctx, const struct frame *f)
{
	(void)ctx;
	HOLDS(f->n <= LAYOUT_SERIES_MAX);
	return ERR_OK;
}
static enum err see_event(void *ctx, const struct event *e)
{
	(void)ctx;
	HOLDS(e->text != NULL && e->severity < SEVERITY_COUNT);
	return ERR_OK;
}
static enum err see_target(void *ctx, const struct target_info *t)
{
	(void)ctx;
	HOLDS(t->labels != NULL && t->url != NULL);
	return ERR_OK;
}

static void read_all(const char *path)
{
	struct reader *r = NULL;
	struct why why = { "" };
	struct series_set set = { 0 };
	int64_t first, last;
	if (reader_open(path, READER_STRANGER, &r, &why) != ERR_OK) {
		HOLDS(why.text[0] != '\0');
		return;
	}
	reader_bounds(r, &first, &last, NULL);
	reader_targets(r, 50000, see_target, NULL, NULL);
	reader_events(r, NULL, NULL, INT64_MIN, INT64_MAX, 1000, see_event, NULL, NULL);
	for (int stream = 0; stream < STREAM_COUNT; stream++) {
		reader_frames(r, (enum stream)stream, 0, 0, INT64_MAX, false, see_frame, NULL, NULL);
		reader_frames(r, (enum stream)stream, 1, 0, INT64_MAX, true, see_frame, NULL, NULL);
	}
	if (reader_select(r, NULL, 0, 30000, INT64_MAX, 100000, &set, NULL) == ERR_OK)
		HOLDS(set.n <= 100000);
	series_set_release(&set);
	reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/tmp/pitwall-fuzz-XXXXXX", path[96];
	size_t n = 0;
	uint8_t *bytes = malloc(BUNDLE_MAX);
	HOLDS(bytes != NULL && mkdtemp(folder) != NULL);
	make_bundle(folder, bytes, &n);
	for (size_t i = 0; i + 4 <= size; i += 4)
		bytes[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % n] ^= data[i + 3];
	snprintf(path, sizeof path, "%s/z.db", folder);
	FILE *file = fopen(path, "wb");
	HOLDS(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
	read_all(path);
	unlink(path);
	free(bytes);
	HOLDS(rmdir(folder) == 0);
	return 0;
}
