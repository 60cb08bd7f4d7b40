/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "alerts/alertmanager_seen.h"
#include "alerts/alertmanager_sync.h"

#define OURS    "0193a1b2-0000-7000-8000-000000000001"
#define MARKED  "work [pitwall silence " OURS "]"
#define THEIRS  "11111111-1111-4111-8111-111111111111"
#define OTHER   "22222222-2222-4222-8222-222222222222"
#define NODE_A  "[{\"name\":\"node\",\"value\":\"a\",\"isRegex\":false,\"isEqual\":true}]"

enum { NOW_MS = 100000, FROM_MS = 50000, UNTIL_MS = 500000 };

static struct why why;

/* ---- silences ---- */

/* One row of ours and one or two silences there; what is asked for, as a text. */
struct sync_row {
	const char *label;
	const char *remote, *remote_id, *id; /* of our row; id NULL: there is none */
	int64_t     ended_ms, until_ms;
	const char *ended_who;
	struct { const char *id, *comment; enum am_silence_state state; int64_t ends_ms; } there[2];
	bool        is_unsettled;
	const char *want;
};

static const struct sync_row sync_rows[] = {
	{ .label = "a new one of theirs", .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "write 11111111 until 500000 karl work;" },
	{ .label = "one of theirs that is over", .there = { { THEIRS, "work", AM_SILENCE_EXPIRED, UNTIL_MS } }, .want = "" },
	{ .label = "a mirrored acknowledgement", .there = { { THEIRS, "ACK! x [pitwall shop]", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "" },
	{ .label = "that of another pitwall", .there = { { THEIRS, "ACK! x [pitwall other]", AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 11111111 until 500000 karl ACK! x [pitwall other];" },
	{ .label = "known and the same", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "" },
	{ .label = "longer there", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, 600000 } },
	  .want = "write 11111111 until 600000 karl work;" },
	{ .label = "expired there", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .there = { { THEIRS, "work", AM_SILENCE_EXPIRED, 90000 } },
	  .want = "write 11111111 until 500000 ended 90000 karl work;" },
	{ .label = "gone there", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .want = "write 11111111 until 500000 ended 100000 karl work;" },
	{ .label = "back again", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .ended_ms = 90000, .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 11111111 until 500000 karl work;" },
	{ .label = "ended here", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .ended_ms = 90000, .ended_who = "alice",
	  .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "expire 11111111;" },
	{ .label = "ended here, and under way", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .ended_ms = 90000, .ended_who = "alice", .is_unsettled = true,
	  .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "" },
	{ .label = "ended here and there", .remote = "am", .id = THEIRS, .remote_id = THEIRS, .ended_ms = 90000, .ended_who = "alice",
	  .there = { { THEIRS, "work", AM_SILENCE_EXPIRED, 90000 } }, .want = "" },
	{ .label = "of another Alertmanager", .remote = "bm", .id = THEIRS, .remote_id = THEIRS, .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "" },
	{ .label = "an id that is ours alone", .remote = "", .id = THEIRS, .there = { { THEIRS, "work", AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "" },
	{ .label = "ours, to be made", .remote = "am", .id = OURS, .want = "create 0193a1b2;" },
	{ .label = "ours, under way", .remote = "am", .id = OURS, .is_unsettled = true, .want = "" },
	{ .label = "ours, over by now", .remote = "am", .id = OURS, .until_ms = NOW_MS + 500, .want = "" },
	{ .label = "ours, ended before it was made", .remote = "am", .id = OURS, .ended_ms = 90000, .ended_who = "alice", .want = "" },
	{ .label = "ours, made and the answer lost", .remote = "am", .id = OURS, .there = { { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 0193a1b2 until 500000 as 11111111 karl work;" },
	{ .label = "ours, made, lost and ended", .remote = "am", .id = OURS, .ended_ms = 90000, .ended_who = "alice",
	  .there = { { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "expire 11111111;" },
	{ .label = "ours, made twice", .remote = "am", .id = OURS, .remote_id = OTHER,
	  .there = { { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS }, { OTHER, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } }, .want = "expire 11111111;" },
	{ .label = "ours, changed there", .remote = "am", .id = OURS, .remote_id = OTHER,
	  .there = { { OTHER, MARKED, AM_SILENCE_EXPIRED, 90000 }, { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 0193a1b2 until 500000 as 11111111 karl work;" },
	{ .label = "ours, expired there", .remote = "am", .id = OURS, .remote_id = OTHER, .there = { { OTHER, MARKED, AM_SILENCE_EXPIRED, 90000 } },
	  .want = "write 0193a1b2 until 500000 ended 90000 as 22222222 karl work;" },
	{ .label = "ours, expired there before the answer came", .remote = "am", .id = OURS, .there = { { OTHER, MARKED, AM_SILENCE_EXPIRED, 90000 } },
	  .want = "write 0193a1b2 until 500000 ended 90000 as 22222222 karl work;" },
	{ .label = "ours, gone there", .remote = "am", .id = OURS, .remote_id = OTHER, .want = "write 0193a1b2 until 500000 ended 100000 as 22222222 karl work;" },
	{ .label = "a mark that is nobody's", .there = { { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 11111111 until 500000 karl " MARKED ";" },
	{ .label = "a mark of ours that is alone here", .remote = "", .id = OURS, .there = { { THEIRS, MARKED, AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 11111111 until 500000 karl " MARKED ";" },
	{ .label = "a cut mark", .there = { { THEIRS, "[pitwall silence 0193]", AM_SILENCE_ACTIVE, UNTIL_MS } },
	  .want = "write 11111111 until 500000 karl [pitwall silence 0193];" },
};

static void put_step(struct buf *to, const struct am_sync_step *s)
{
	static const char *const acts[] = { [AM_SYNC_WRITE] = "write", [AM_SYNC_CREATE] = "create", [AM_SYNC_EXPIRE] = "expire" };
	buf_printf(to, "%s %.8s", acts[s->act], s->act == AM_SYNC_EXPIRE ? s->id : s->row.id);
	if (s->act == AM_SYNC_WRITE) {
		assert_string_equal(s->row.matchers, NODE_A);
		assert_string_equal(s->row.remote, "am");
		buf_printf(to, " until %lld", (long long)s->row.until_ms);
		if (s->row.ended_ms != 0)
			buf_printf(to, " ended %lld", (long long)s->row.ended_ms);
		if (strcmp(s->row.id, s->row.remote_id) != 0)
			buf_printf(to, " as %.8s", s->row.remote_id);
		buf_printf(to, " %s %s", s->row.actor.who, s->row.comment);
	}
	buf_putc(to, ';');
}

static void run_sync(const struct sync_row *r, struct buf *said)
{
	struct am_silence there[2];
	struct am_silences all = { .items = there };
	const struct silence_row row = {
		.id = r->id, .matchers = NODE_A, .from_ms = FROM_MS, .until_ms = r->until_ms != 0 ? r->until_ms : UNTIL_MS, .actor = { "karl", "", "" },
		.comment = "work", .created_ms = FROM_MS, .ended_ms = r->ended_ms, .ended_who = r->ended_who != NULL ? r->ended_who : "", .remote = r->remote,
		.remote_id = r->remote_id != NULL ? r->remote_id : "",
	};
	for (size_t i = 0; i < 2 && r->there[i].id != NULL; i++) {
		there[i] = (struct am_silence){ .id = r->there[i].id, .starts_ms = FROM_MS, .ends_ms = r->there[i].ends_ms, .created_by = "karl",
			                        .comment = r->there[i].comment, .state = r->there[i].state };
		matcher_set_init(&there[i].matchers);
		assert_ok(matcher_set_parse(&there[i].matchers, "node=a", &why));
		all.n++;
	}
	const struct am_sync_options o = { .name = "am", .fleet = "shop", .rows = &row, .n_rows = r->id != NULL, .there = &all, .is_settled = !r->is_unsettled,
		                           .now_ms = NOW_MS };
	struct am_sync sync;
	assert_ok(am_sync_plan(&o, &sync, &why));
	for (size_t i = 0; i < sync.n; i++)
		put_step(said, &sync.steps[i]);
	am_sync_release(&sync);
	for (size_t i = 0; i < all.n; i++)
		matcher_set_release(&there[i].matchers);
}

static void silences_are_brought_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sync_rows / sizeof sync_rows[0]; i++) {
		struct buf said;
		buf_init(&said, 1 << 16);
		run_sync(&sync_rows[i], &said);
		if (strcmp(buf_text(&said), sync_rows[i].want) != 0)
			fail_msg("%s: %s", sync_rows[i].label, buf_text(&said));
		buf_release(&said);
	}
}

static void what_is_too_much_is_left_out(void **state)
{
	enum { MANY = AM_SYNC_SILENCES_MAX + 7 };
	static char ids[MANY][AM_ID_MAX + 1];
	struct am_silence *there = calloc(MANY, sizeof *there);
	struct am_sync sync;
	(void)state;
	assert_non_null(there);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof ids[i], "%08zx", i);
		there[i] = (struct am_silence){ .id = ids[i], .ends_ms = UNTIL_MS, .created_by = "", .comment = "", .state = AM_SILENCE_ACTIVE };
		matcher_set_init(&there[i].matchers);
		assert_ok(matcher_set_parse(&there[i].matchers, "node=a", &why));
	}
	const struct am_silences all = { .items = there, .n = MANY };
	assert_ok(am_sync_plan(&(struct am_sync_options){ .name = "am", .fleet = "shop", .there = &all, .is_settled = true, .now_ms = NOW_MS }, &sync, &why));
	assert_int_equal(sync.n, AM_SYNC_SILENCES_MAX);
	assert_int_equal(sync.n_left_out, 7);
	am_sync_release(&sync);
	for (size_t i = 0; i < MANY; i++)
		matcher_set_release(&there[i].matchers);
	free(there);
}

/* What is written there is found again. */
static void a_mark_is_read_as_it_was_written(void **state)
{
	static const struct { const char *comment, *want; } rows[] = {
		{ "work", MARKED }, { "", "[pitwall silence " OURS "]" },
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf b;
		buf_init(&b, 4096);
		assert_ok(am_sync_put_comment(&b, &(struct silence_row){ .id = OURS, .comment = rows[i].comment }));
		assert_string_equal(buf_text(&b), rows[i].want);
		buf_release(&b);
	}
}

/* ---- alerts ---- */

struct seen_fixture {
	struct am_seen *seen;
	struct labels  *a, *b, *none, *text;
	int64_t         last;
	struct store   *store;
	struct reader  *reader;
	char            folder[64], path[96];
	struct test_clock clock;
};

static int set_up(void **state)
{
	struct seen_fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-seen-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/x.db", f->folder);
	test_clock_init(&f->clock, NOW_MS);
	f->a = labels_of("alertname", "A", "node", "n", NULL);
	f->b = labels_of("alertname", "B", NULL);
	f->text = labels_of("summary", "hot", NULL);
	*state = f;
	if (labels_new(NULL, 0, &f->none, &why) != ERR_OK || am_seen_new("am", &f->seen, &why) != ERR_OK)
		return -1;
	return store_open(&(struct store_options){ .path = f->path, .clock = &f->clock.clock }, &f->store, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct seen_fixture *f = *state;
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	store_close(f->store);
	am_seen_free(f->seen);
	labels_unref(f->a);
	labels_unref(f->b);
	labels_unref(f->none);
	labels_unref(f->text);
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static enum err see_row(void *ctx, const struct external_row *e)
{
	buf_printf(ctx, "%lld %s %lld-", (long long)e->id, labels_get(e->labels, "alertname"), (long long)e->from_ms);
	if (e->until_ms != INT64_MAX)
		buf_printf(ctx, "%lld", (long long)e->until_ms);
	buf_printf(ctx, " %d%s%s%s%s %s;", e->state, e->is_ours ? " ours " : " ", e->silenced_by, e->inhibited_by, labels_get(e->annotations, "summary"), e->receivers);
	return ERR_OK;
}

static enum err restore_row(void *ctx, const struct external_row *e)
{
	return am_seen_restore(ctx, e, &why);
}

/* What the store has after these were seen. */
static void assert_rows(struct seen_fixture *f, const struct am_alert *alerts, size_t n, const bool *is_ours, int64_t now_ms, const char *want)
{
	struct changes *c = NULL;
	struct reader *r = NULL;
	struct buf said;
	size_t left_out;
	assert_ok(changes_new(&c, &why));
	assert_ok(am_seen_take(f->seen, alerts, n, is_ours, now_ms, &f->last, c, &left_out, &why));
	assert_int_equal(left_out, 0);
	assert_ok(store_commit(f->store, c, NULL, &why));
	assert_ok(store_flush(f->store, &why));
	assert_ok(reader_open(f->path, READER_OWN, &r, &why));
	buf_init(&said, 1 << 16);
	assert_ok(reader_externals(r, 0, now_ms, see_row, &said, &why));
	assert_string_equal(buf_text(&said), want);
	buf_release(&said);
	reader_close(r);
}

static void alerts_are_written_as_they_change(void **state)
{
	struct seen_fixture *f = *state;
	static const char *const receivers[] = { "page", "mail" }, *silences[] = { "s-1", "s-2" }, *fingerprints[] = { "00000000000000aa" };
	static const bool ours[3] = { false, true, false };
	struct am_alert two[3] = {
		{ .fingerprint = 0xaa, .labels = f->a, .annotations = f->none, .starts_ms = 5, .generator_url = "", .receivers = receivers, .n_receivers = 2 },
		{ .fingerprint = 0xbb, .labels = f->b, .annotations = f->none, .starts_ms = 6, .generator_url = "" },
	};
	two[2] = two[0]; /* the same again counts once */
	assert_rows(f, two, 3, ours, 100, "1 A 100- 0  page, mail;2 B 100- 0 ours  ;");
	assert_rows(f, two, 2, ours, 200, "1 A 100- 0  page, mail;2 B 100- 0 ours  ;"); /* nothing new */
	two[0].annotations = f->text;
	assert_rows(f, two, 2, ours, 300, "1 A 100- 0 hot page, mail;2 B 100- 0 ours  ;"); /* in place */
	two[0].state = AM_SUPPRESSED;
	two[0].silenced_by = silences;
	two[0].n_silenced_by = 2;
	assert_rows(f, two, 2, ours, 400, "1 A 100-400 0 hot page, mail;2 B 100- 0 ours  ;3 A 400- 1 s-1 s-2hot page, mail;");
	two[1].inhibited_by = fingerprints;
	two[1].n_inhibited_by = 1;
	two[1].state = AM_SUPPRESSED;
	assert_rows(f, two, 2, ours, 500,
	            "1 A 100-400 0 hot page, mail;2 B 100-500 0 ours  ;3 A 400- 1 s-1 s-2hot page, mail;4 B 500- 1 ours A of n ;");
	/* Another recorder goes on with what the store has. */
	struct reader *r = NULL;
	am_seen_free(f->seen);
	assert_ok(am_seen_new("am", &f->seen, &why));
	assert_ok(reader_open(f->path, READER_OWN, &r, &why));
	assert_ok(reader_externals(r, 500, 500, restore_row, f->seen, &why));
	reader_close(r);
	assert_rows(f, two, 1, ours, 600,
	            "1 A 100-400 0 hot page, mail;2 B 100-500 0 ours  ;3 A 400- 1 s-1 s-2hot page, mail;4 B 500-600 1 ours A of n ;");
	assert_rows(f, NULL, 0, NULL, 550, "1 A 100-400 0 hot page, mail;2 B 100-500 0 ours  ;3 A 400-550 1 s-1 s-2hot page, mail;4 B 500- 1 ours A of n ;");
}

static void alerts_beyond_the_ceiling_are_counted(void **state)
{
	struct seen_fixture *f = *state;
	enum { MANY = AM_SEEN_MAX + 3 };
	struct am_alert *all = calloc(MANY, sizeof *all);
	bool *ours = calloc(MANY, sizeof *ours);
	struct changes *c = NULL;
	size_t left_out = 0;
	char *large = malloc(AM_SEEN_ALERT_MAX + 1);
	assert_true(all != NULL && ours != NULL && large != NULL);
	memset(large, 'x', AM_SEEN_ALERT_MAX);
	large[AM_SEEN_ALERT_MAX] = '\0';
	for (size_t i = 0; i < MANY; i++) {
		char name[32];
		snprintf(name, sizeof name, "a%05zu", i);
		all[i] = (struct am_alert){ .labels = labels_of("alertname", name, i == 0 ? "large" : "n", i == 0 ? large : "x", NULL), .annotations = f->none,
			                    .generator_url = "" };
	}
	assert_ok(changes_new(&c, &why));
	assert_ok(am_seen_take(f->seen, all, MANY, ours, 100, &f->last, c, &left_out, &why));
	assert_int_equal(left_out, 3); /* the large one, and what is over the count without it */
	assert_int_equal(f->last, AM_SEEN_MAX);
	changes_free(c);
	for (size_t i = 0; i < MANY; i++)
		labels_unref(all[i].labels);
	free(all);
	free(ours);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silences_are_brought_together),
		cmocka_unit_test(what_is_too_much_is_left_out),
		cmocka_unit_test(a_mark_is_read_as_it_was_written),
		cmocka_unit_test_setup_teardown(alerts_are_written_as_they_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alerts_beyond_the_ceiling_are_counted, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("what Alertmanagers have", tests, NULL, NULL);
}
