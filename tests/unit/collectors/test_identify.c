/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "collectors/identify.h"

static const char *const vllm[] = { "vllm:" }, *const triton[] = { "nv_inference_", "nv_gpu_" }, *const node[] = { "node_" };
static const struct identify_kind kinds[] = { { "vllm", vllm, 1 }, { "triton", triton, 2 }, { "node", node, 1 } };

static const struct {
	const char *label, *body;
	int         want;
} rows[] = {
	{ "vllm", "process_x 1\nvllm:num_requests_running 1\n", 0 },
	{ "triton", "nv_gpu_utilization 1\n", 1 },
	{ "the more telling one", "node_load1 1\nnv_inference_count 1\nvllm:x 1\n", 0 },
	{ "prefix alone", "a_vllm:x 1\nnode_x 1\n", 2 },
	{ "none", "process_x 1\n", IDENTIFY_UNKNOWN },
	{ "empty", "", IDENTIFY_UNKNOWN },
};

static void tells_by_prefixes(void **state)
{
	(void)state;
	struct exposition_pool *pool;
	struct exposition      *e;
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scrape s;
		assert_row(rows[i].label, exposition_parse(e, rows[i].body, strlen(rows[i].body), EXPOSITION_TEXT, &s, NULL) == ERR_OK);
		assert_row(rows[i].label, identify(s.layout, kinds, sizeof kinds / sizeof kinds[0]) == rows[i].want);
	}
	exposition_free(e);
	exposition_pool_free(pool);
}

static void probes_are_whole(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct identify_probe *p = identify_probes; p->path != NULL; p++, n++)
		assert_row(p->path, p->path[0] == '/' && p->needle != NULL && p->profile != NULL && p->profile[0] != '\0');
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tells_by_prefixes), cmocka_unit_test(probes_are_whole) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
