/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores of every version that there ever was: data/vN.sql, made by data/dump-fixture when version N was the newest. Each is read as it is
 * and read the same after a recorder brought it up to date. A new version adds a file and a row. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/stale.h"
#include "store/deployments.h"
#include "store/reader.h"
#include "store/schema.h"
#include "tests/unit/store/store_sql.h"

enum { FRAMES = 70, STEP_MS = 1000, AFTER_MS = 100000 };

static const char *const fixtures[] = { "v1.sql", "v2.sql", "v3.sql", "v4.sql", "v5.sql", "v6.sql" };
_Static_assert(sizeof fixtures / sizeof fixtures[0] == SCHEMA_VERSION - 1, "a fixture of each version but the newest");

static struct why why;

static void make(const char *path, const char *name)
{
	char source[1024], *error = NULL;
	const char *srcdir = getenv("PITWALL_SRCDIR");
	struct buf sql;
	sqlite3 *db;
	snprintf(source, sizeof source, "%s/tests/unit/store/data/%s", srcdir != NULL ? srcdir : ".", name);
	buf_init(&sql, 1 << 20);
	FILE *file = fopen(source, "r");
	assert_non_null(file);
	char line[8192];
	while (fgets(line, sizeof line, file) != NULL)
		buf_puts(&sql, line);
	fclose(file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, buf_text(&sql), NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", name, error);
	sqlite3_close(db);
	buf_release(&sql);
}

static enum err see_event(void *ctx, const struct event *e)
{
	*(int *)ctx += strcmp(e->kind, "note") == 0 && strcmp(e->text, "a note") == 0 && e->wall_ms == 5 * STEP_MS;
	return ERR_OK;
}

static enum err see_target(void *ctx, const struct target_info *t)
{
	*(int *)ctx += t->id == 1 && strcmp(t->url, "http://a:1/metrics") == 0 && strcmp(labels_get(t->labels, "instance"), "a:1") == 0;
	return ERR_OK;
}

static enum err see_silence(void *ctx, const struct silence_row *s)
{
	*(int *)ctx += strcmp(s->actor.who, "alice") == 0 && strcmp(s->comment, "work") == 0 && s->ended_who[0] == '\0';
	return ERR_OK;
}

static enum err see_alert(void *ctx, const struct alert_row *a)
{
	*(int *)ctx += strcmp(a->rule, "NodeDown") == 0 && a->fired_ms == 81000;
	return ERR_OK;
}

static enum err see_deployment(void *ctx, const struct deployment_at *d)
{
	*(int *)ctx += d->row.id == 1 && strcmp(d->row.model, "ranker") == 0 && d->last.at_ms == 82000;
	return ERR_OK;
}

/* What those hold that are of a version with alerts. */
static void check_alerts(struct reader *r)
{
	int silences = 0, alerts = 0;
	assert_ok(reader_silences(r, AFTER_MS - 1, AFTER_MS, see_silence, &silences, &why));
	assert_ok(reader_alerts(r, AFTER_MS, 0, 0, see_alert, &alerts, &why));
	assert_true(silences == 1 && alerts == 1);
}

/* What every fixture holds. */
static void check(const char *path, enum reader_trust trust, int version)
{
	struct reader *r = NULL;
	struct matcher m;
	struct series_set set;
	int events = 0, targets = 0;
	assert_ok(reader_open(path, trust, &r, &why));
	assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "b", &why));
	assert_ok(reader_select(r, &m, 1, 0, FRAMES * STEP_MS, 100000, &set, &why));
	assert_int_equal(set.n, 1);
	assert_int_equal(set.items[0].n, FRAMES);
	for (int i = 0; i < FRAMES; i++)
		assert_true(set.items[0].v[i] == (i + 1) / 8.0 && set.items[0].t_ms[i] == (i + 1) * STEP_MS);
	series_set_release(&set);
	matcher_release(&m);
	assert_ok(reader_events(r, NULL, "note", 0, AFTER_MS, 10, see_event, &events, &why));
	assert_ok(reader_targets(r, 2 * STEP_MS, see_target, &targets, &why));
	assert_true(events == 1 && targets == 1);
	struct buf fact;
	buf_init(&fact, 100);
	assert_ok(reader_meta(r, "fleet", AFTER_MS, &fact, &why));
	assert_string_equal(buf_text(&fact), "shop-search");
	buf_release(&fact);
	if (version >= SCHEMA_ALERTS)
		check_alerts(r);
	if (version >= SCHEMA_DEPLOYMENTS) {
		int deployments = 0;
		assert_ok(reader_deployments(r, 0, AFTER_MS, 10, see_deployment, &deployments, &why));
		assert_int_equal(deployments, 1);
	}
	reader_close(r);
}

static void old_stores_are_read_and_brought_up_to_date(void **state)
{
	(void)state;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (int v = 1; v < SCHEMA_VERSION; v++) {
		char folder[] = "/tmp/pitwall-migration-XXXXXX", path[96], side[128];
		assert_non_null(mkdtemp(folder));
		snprintf(path, sizeof path, "%s/x.db", folder);
		make(path, fixtures[v - 1]);
		check(path, READER_OWN, v);
		check(path, READER_STRANGER, v);
		assert_int_equal(test_sql_number(path, "PRAGMA user_version"), v);
		struct test_clock clock;
		struct store *s = NULL;
		test_clock_init(&clock, AFTER_MS);
		struct reader *before = NULL;
		assert_ok(reader_open(path, READER_OWN, &before, &why));
		assert_ok(store_open(&(struct store_options){ .path = path, .clock = &clock.clock }, &s, &why));
		check(path, READER_OWN, v);
		int64_t first, last;
		assert_ok(reader_bounds(before, &first, &last, &why)); /* one that was open all the time goes on */
		reader_close(before);
		store_close(s);
		assert_int_equal(test_sql_number(path, "PRAGMA user_version"), SCHEMA_VERSION);
		check(path, READER_STRANGER, v); /* which also compares the tables with those of a new store */
		for (size_t i = 0; i < 3; i++) {
			snprintf(side, sizeof side, "%s%s", path, suffixes[i]);
			unlink(side);
		}
		assert_int_equal(rmdir(folder), 0);
	}
}

/* Goes on where the store ends: more frames of the same target and layout. */
static void go_on(const char *path, int more)
{
	struct test_clock clock;
	struct store *s = NULL;
	const struct layout *l = NULL;
	int64_t target;
	struct labels *labels = labels_of("instance", "a:1", "job", "chat", NULL), *series[] = { labels_of("__name__", "a", NULL), labels_of("__name__", "b", NULL) };
	test_clock_init(&clock, AFTER_MS);
	assert_ok(store_open(&(struct store_options){ .path = path, .clock = &clock.clock, .key_distance = 4, .folding = FOLD_AT_ONCE }, &s, &why));
	assert_ok(store_target(s, labels, "http://a:1/metrics", &target, &why));
	assert_int_equal(target, 1);
	assert_ok(store_layout(s, series, 2, &l, &why));
	for (int i = 0; i < more; i++) {
		test_clock_advance(&clock, STEP_MS);
		assert_ok(store_append(s, target, STREAM_SCRAPE, AFTER_MS + i * STEP_MS, l, (double[]){ i, (FRAMES + i + 1) / 8.0 }, &why));
		assert_ok(store_flush(s, &why));
	}
	store_close(s);
	labels_unref(labels);
	labels_unref(series[0]);
	labels_unref(series[1]);
}

/* What an older program wrote becomes blocks, and says the same as before. */
static void old_frames_are_folded(void **state)
{
	(void)state;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	enum { MORE = 20 };
	for (int v = 1; v < SCHEMA_VERSION; v++) {
		char folder[] = "/tmp/pitwall-migration-XXXXXX", path[96], side[128];
		assert_non_null(mkdtemp(folder));
		snprintf(path, sizeof path, "%s/x.db", folder);
		make(path, fixtures[v - 1]);
		go_on(path, MORE);
		assert_in_range(test_sql_number(path, "SELECT min(first_frame) = 1 FROM block"), 1, 1);
		assert_int_equal(test_sql_number(path, "SELECT count(*) FROM frame WHERE stream = 0 AND id < 60"), 0);
		check(path, READER_STRANGER, v);
		struct reader *r = NULL;
		struct matcher m;
		struct series_set set;
		assert_ok(reader_open(path, READER_OWN, &r, &why));
		assert_ok(matcher_init(&m, MATCH_EQUAL, "__name__", "b", &why));
		assert_ok(reader_select(r, &m, 1, 0, INT64_MAX - 1, 100000, &set, &why));
		/* Version 1's series has more labels than the one that goes on. */
		int samples = 0;
		for (size_t i = 0; i < set.n; i++)
			for (size_t k = 0; k < set.items[i].n; k++) {
				int64_t t = set.items[i].t_ms[k];
				if (is_stale(set.items[i].v[k]))
					continue;
				assert_true(set.items[i].v[k] == (double)(t < AFTER_MS ? t / STEP_MS : FRAMES + 1 + (t - AFTER_MS) / STEP_MS) / 8);
				samples++;
			}
		assert_int_equal(samples, FRAMES + MORE);
		series_set_release(&set);
		matcher_release(&m);
		reader_close(r);
		for (size_t i = 0; i < 3; i++) {
			snprintf(side, sizeof side, "%s%s", path, suffixes[i]);
			unlink(side);
		}
		assert_int_equal(rmdir(folder), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_stores_are_read_and_brought_up_to_date),
		cmocka_unit_test(old_frames_are_folded),
	};
	return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
