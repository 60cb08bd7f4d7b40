/* SPDX-License-Identifier: Apache-2.0
 *
 * What the feed reads of deployments out of a real store, and of changes of version before an alert. */
#include "tests/unit/unit.h"

#include "store/alerts.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/tui/sample_deploys.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/alerts_detail.h"
#include "tui/deploys_data.h"

static const int64_t T0 = (int64_t)SAMPLE_T_S * 1000;
static const char request[] = SAMPLE_DEPLOY_REQUEST;
static struct why why;

struct stage {
	struct store_folder    folder;
	struct test_clock      clock;
	struct store          *store;
	struct reader         *reader;
	struct sample         *sample;
	struct sample_deploys *deploys;
	struct deploys_memory  memory;
};

static void begin(struct stage *s)
{
	memset(s, 0, sizeof *s);
	store_folder_make(&s->folder, "deploys-read");
	test_clock_init(&s->clock, T0);
	const struct store_options o = { .path = s->folder.path, .clock = &s->clock.clock, .commit_ms = 10 };
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(store_flush(s->store, &why));
	assert_ok(reader_open(s->folder.path, READER_OWN, &s->reader, &why));
	s->sample = sample_new(16, 0);
}

static void end(struct stage *s)
{
	deploys_memory_release(&s->memory);
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->folder);
	sample_deploys_free(s->deploys);
	sample_free(s->sample);
}

static struct changes *changes(void)
{
	struct changes *c = NULL;
	assert_ok(changes_new(&c, &why));
	return c;
}

static void commit(struct stage *s, struct changes *c)
{
	assert_ok(store_commit(s->store, c, NULL, &why));
	assert_ok(store_flush(s->store, &why));
}

/* All of a scene, with its plan as JSON. */
static void write_scene(struct stage *s, enum scene scene)
{
	struct buf json;
	struct changes *c = changes();
	buf_init(&json, PLAN_BYTES_MAX);
	s->deploys = sample_deploys_new(sample_view(s->sample), scene, false);
	const struct deploy_detail *d = sample_deploys_detail(s->deploys);
	struct deployment_row row = d->at.row;
	assert_int_equal(plan_write(sample_deploys_plan(s->deploys), &json), ERR_OK);
	row.plan = buf_text(&json);
	changes_deployment(c, &row);
	for (size_t i = 0; i < d->n_changes; i++)
		changes_deployment_change(c, &d->changes[i]);
	for (size_t i = 0; i < d->n_steps; i++)
		changes_deployment_step(c, &d->steps[i]);
	commit(s, c);
	buf_release(&json);
}

static struct deploy_detail *read_one(struct stage *s, int64_t id, int64_t t_ms)
{
	struct deploy_detail *d = NULL;
	assert_ok(deploy_detail_read(s->reader, id, request, t_ms, &s->memory, &d, &why));
	return d;
}

static void test_a_request_on_its_way(void **state)
{
	struct stage s;
	(void)state;
	begin(&s);
	struct deploy_detail *d = read_one(&s, 0, T0);
	assert_string_equal(d->request, request);
	assert_int_equal(d->id, 0);
	assert_int_equal(d->err, ERR_OK);
	deploy_detail_free(d);
	/* It will come to nothing. */
	struct changes *c = changes();
	changes_request(c, &(struct request_row){ .id = request, .at_ms = T0, .err = ERR_NOT_FOUND, .text = "'ranker' has no `deploy`" });
	commit(&s, c);
	d = read_one(&s, 0, T0);
	assert_int_equal(d->err, ERR_NOT_FOUND);
	assert_string_equal(d->why, "'ranker' has no `deploy`");
	deploy_detail_free(d);
	end(&s);
}

static void test_a_plan(void **state)
{
	struct stage s;
	(void)state;
	begin(&s);
	write_scene(&s, SCENE_PLANNED);
	struct deploy_detail *d = read_one(&s, 0, T0), *again;
	assert_int_equal(d->id, SAMPLE_DEPLOY_ID);
	if (d->plan == NULL)
		fail_msg("%s", d->plan_why);
	assert_int_equal(d->plan->n_waves, 4);
	assert_int_equal(d->at.last.state, DEPLOYMENT_PLANNED);
	assert_string_equal(d->plan->to->version.name, "12.3");
	/* The plan is read once, and outlives the answer that it came with. */
	again = read_one(&s, SAMPLE_DEPLOY_ID, T0);
	assert_ptr_equal(d->plan, again->plan);
	deploy_detail_free(d);
	deploys_memory_release(&s.memory);
	assert_int_equal(again->plan->n_units, 16);
	deploy_detail_free(again);
	/* Before it was planned. */
	d = read_one(&s, SAMPLE_DEPLOY_ID, T0 - 3600000);
	assert_int_equal(d->id, 0);
	assert_int_equal(d->err, ERR_NOT_FOUND);
	deploy_detail_free(d);
	end(&s);
}

static void test_a_plan_that_is_none(void **state)
{
	struct stage s;
	(void)state;
	begin(&s);
	struct changes *c = changes();
	const struct actor nobody = { "", "", "" };
	const struct deployment_row row = { .id = 1, .kind = "rollback", .scope = "s", .model = "m", .driver = "d", .target = "m", .from = "", .to = "", .plan = "{\"what\":",
		                            .hash = "h", .request = request, .actor = nobody, .reason = "", .planned_ms = T0 - 1000 };
	changes_deployment(c, &row);
	changes_deployment_change(c, &(struct deployment_change){ .deployment = 1, .at_ms = T0 - 1000, .state = DEPLOYMENT_PLANNED, .actor = nobody, .text = "" });
	commit(&s, c);
	struct deploy_detail *d = read_one(&s, 1, T0);
	assert_int_equal(d->id, 1);
	assert_null(d->plan);
	assert_true(d->plan_why[0] != '\0');
	deploy_detail_free(d);
	end(&s);
}

static void test_the_list(void **state)
{
	struct stage s;
	struct deploys_view *v = NULL;
	(void)state;
	begin(&s);
	write_scene(&s, SCENE_RUNNING);
	for (int round = 0; round < 2; round++) { /* how many waves there are is remembered */
		assert_ok(deploys_read(s.reader, T0, &s.memory, &v, &why));
		assert_int_equal(v->n, 1);
		assert_int_equal(v->n_active, 1);
		assert_int_equal(v->items[0].wave, 3);
		assert_int_equal(v->items[0].n_waves, 4);
		assert_int_equal(v->items[0].at.n_done, 27);
		assert_string_equal(v->items[0].at.row.target, "ranker");
		assert_string_equal(v->items[0].at.last.actor.who, "alice");
		deploys_view_free(v);
	}
	struct deploy_detail *d = read_one(&s, SAMPLE_DEPLOY_ID, T0);
	assert_int_equal(d->n_changes, 2);
	assert_int_equal(d->n_steps, sample_deploys_detail(s.deploys)->n_steps);
	assert_string_equal(d->steps[0].unit, "gpu-a-01");
	deploy_detail_free(d);
	/* As of a moment in its midst. */
	d = read_one(&s, SAMPLE_DEPLOY_ID, T0 - 300000);
	assert_true(d->n_steps > 4 && d->n_steps < sample_deploys_detail(s.deploys)->n_steps);
	deploy_detail_free(d);
	end(&s);
}

/* ---- what may be why an alert began ---- */

static void add_version(struct stage *s, int64_t before_s, const char *node, const char *data)
{
	const struct event e = { .wall_ms = T0 - before_s * 1000, .severity = SEVERITY_INFO, .kind = "version", .node = node, .text = "changed", .data = data };
	assert_ok(store_append_event(s->store, &e, &why));
}

static void test_suggestions(void **state)
{
	struct stage s;
	struct arena a;
	struct version_suggestion *found = NULL;
	(void)state;
	begin(&s);
	arena_init(&a);
	add_version(&s, 40 * 60, "n0", "{\"model\":\"m\",\"from\":\"0\",\"to\":\"1\"}"); /* too long before */
	add_version(&s, 1500, "n0", "{\"model\":\"m\",\"from\":\"0\",\"to\":\"2\"}");     /* another change before the last */
	add_version(&s, 300, "n1", "{\"model\":\"m\",\"from\":\"2\",\"to\":\"3\"}");
	add_version(&s, 200, "n2", "{\"model\":\"m\",\"from\":\"2\",\"to\":\"3\"}");
	add_version(&s, 150, "n9", "{\"model\":\"other\",\"from\":\"8\",\"to\":\"9\"}");
	add_version(&s, 140, "n3", "{\"model\":\"m\",\"from\":\"3\",\"to\":\"\"}"); /* is served no longer */
	add_version(&s, 130, "n3", "no JSON");
	add_version(&s, -50, "n3", "{\"model\":\"m\",\"from\":\"3\",\"to\":\"4\"}"); /* after it began */
	assert_ok(store_flush(s.store, &why));
	assert_ok(version_suggestion_read(s.reader, "m", T0, &a, &found, &why));
	assert_non_null(found);
	assert_string_equal(found->from, "2");
	assert_string_equal(found->to, "3");
	assert_int_equal(found->n_nodes, 2);
	assert_int_equal(found->before_ms, 300000);
	static const char *const none[] = { "nobody", "" };
	for (size_t i = 0; i < 2; i++) {
		found = NULL;
		assert_ok(version_suggestion_read(s.reader, none[i], T0, &a, &found, &why));
		assert_null(found);
	}
	arena_release(&a);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_on_its_way), cmocka_unit_test(test_a_plan),     cmocka_unit_test(test_a_plan_that_is_none),
		cmocka_unit_test(test_the_list),             cmocka_unit_test(test_suggestions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
