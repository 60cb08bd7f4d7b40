/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of all servers through the parser of the collectors: strictly valid, the same layout from poll to poll and from node to node of
 * a group, and so predicted. */
#include "tests/unit/unit.h"

#include "collectors/exposition.h"
#include "sim/exporter.h"

static const struct {
	const struct exporter *exporter;
	const char            *metric; /* some metric that must be there */
} rows[] = {
	{ &exporter_vllm, "vllm:e2e_request_latency_seconds_bucket" },
	{ &exporter_triton, "nv_inference_request_summary_us" },
	{ &exporter_tfserving, ":tensorflow:serving:request_latency_bucket" },
	{ &exporter_torchserve, "ts_inference_latency_microseconds" },
	{ &exporter_dcgm, "DCGM_FI_DEV_GPU_TEMP" },
};

static struct roster   roster;
static struct schedule quiet;

static size_t node_for(const struct exporter *x)
{
	for (size_t g = 0; g < roster.n_groups; g++)
		if (x == &exporter_dcgm || exporter_for(roster.groups[g].spec->kind) == x)
			return roster.groups[g].first;
	fail_msg("no group for %s", x->profile);
	return 0;
}

static bool has_metric(const struct scrape *s, const char *name)
{
	struct labels *const *series = exposition_layout_series(s->layout);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(labels_metric(series[i]), name) == 0)
			return true;
	return false;
}

static void parse_pages_of(struct exposition *e, const struct exporter *x, const char *metric)
{
	size_t                   node = node_for(x);
	const struct group_spec *spec = roster.groups[roster.nodes[node].group].spec;
	struct page_texts        texts = { spec->model, spec->version, &roster.nodes[node], spec };
	struct model_node        model;
	struct page             *page = NULL;
	struct buf               text;

	assert_int_equal(page_new(x->families, x->n_families, &x->dialect, x->n_scalars, spec->gpus, &page, NULL), ERR_OK);
	double *values = calloc(page_values(page), sizeof *values);
	assert_non_null(values);
	model_init(&model, &roster, &quiet, node);
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 4; i++) {
		struct tick   t = { .page = page, .spec = spec, .now = &model.now, .dt = 3600, .created_s = 1.79e9 };
		struct scrape scrape;
		struct why    why = { "" };
		model_step(&model);
		x->fill(&t, values);
		buf_clear(&text);
		assert_int_equal(page_render(page, values, values, 1, &texts, &text), ERR_OK);
		if (exposition_parse(e, text.data, text.len, exposition_format_of(x->metrics_type, text.data, text.len), &scrape,
		                     &why) != ERR_OK)
			fail_msg("%s: %s", x->profile, why.text);
		assert_row(x->profile, scrape.duplicates == 0 && scrape.format == EXPOSITION_TEXT);
		assert_row(x->profile, scrape.layout_changed == (i == 0) && scrape.was_predicted == (i > 0));
		assert_row(x->profile, has_metric(&scrape, metric));
	}
	buf_release(&text);
	free(values);
	page_free(page);
}

static void pages_parse_and_are_predicted(void **state)
{
	(void)state;
	struct exposition_pool *pool;
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exposition *e;
		assert_int_equal(exposition_new(pool, &e), ERR_OK);
		parse_pages_of(e, rows[i].exporter, rows[i].metric);
		exposition_free(e);
	}
	exposition_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pages_parse_and_are_predicted) };
	if (roster_init(&roster, 48, 1, NULL) != ERR_OK)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	roster_release(&roster);
	return failed;
}
