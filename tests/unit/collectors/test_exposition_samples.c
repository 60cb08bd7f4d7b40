/* SPDX-License-Identifier: Apache-2.0
 *
 * The parsers against the corpora that others made, and against what real servers said. The corpora are not part of the project: they
 * are looked for where PITWALL_SHARED points, and the tests are skipped without them. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <sys/stat.h>

#include "collectors/exposition.h"

static struct buf read_file(const char *path)
{
	struct buf b;
	buf_init(&b, 16 << 20);
	FILE *f = fopen(path, "rb");
	assert_row(path, f != NULL);
	for (size_t n = 1; n > 0; b.len += n)
		n = fread(buf_room(&b, 65536), 1, 65536, f);
	fclose(f);
	assert_row(path, buf_room(&b, 0) != NULL);
	b.data[b.len] = '\0';
	return b;
}

static const char *samples(void)
{
	static char path[4096];
	struct stat st;
	const char *shared = getenv("PITWALL_SHARED");
	snprintf(path, sizeof path, "%s/samples", shared != NULL ? shared : "../shared");
	if (stat(path, &st) != 0) {
		print_message("# skipped: no corpora at '%s' (set PITWALL_SHARED)\n", path);
		skip();
	}
	return path;
}

/* Parses a body twice, so that the second time is predicted; both must say the same. */
static enum err parse(const struct buf *b, enum exposition_format format, struct scrape *s, struct why *why)
{
	struct exposition_pool *pool;
	struct exposition      *e;
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	enum err err = exposition_parse(e, buf_text(b), b->len, format, s, why);
	if (err == ERR_OK) {
		struct scrape again;
		assert_int_equal(exposition_parse(e, buf_text(b), b->len, format, &again, NULL), ERR_OK);
		assert_true(again.was_predicted && !again.layout_changed && again.n == s->n);
	}
	exposition_free(e);
	exposition_pool_free(pool);
	return err;
}

static void openmetrics_suite(void **state)
{
	(void)state;
	char   path[8192];
	size_t valid = 0, invalid = 0, wrong = 0;
	snprintf(path, sizeof path, "%s/openmetrics", samples());
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/openmetrics/%s/test.json", samples(), d->d_name);
		struct buf json = read_file(path);
		bool should = strstr(buf_text(&json), "\"shouldParse\": true") != NULL;
		assert_row(d->d_name, should || strstr(buf_text(&json), "\"shouldParse\": false") != NULL);
		snprintf(path, sizeof path, "%s/openmetrics/%s/metrics", samples(), d->d_name);
		struct buf    body = read_file(path);
		struct scrape s;
		struct why    why = { "" };
		enum err e = parse(&body, EXPOSITION_OPENMETRICS, &s, &why);
		if ((e == ERR_OK) != should) {
			print_error("%s: %s\n", d->d_name, e == ERR_OK ? "accepted" : why.text);
			wrong++;
		}
		*(should ? &valid : &invalid) += 1;
		buf_release(&json);
		buf_release(&body);
	}
	closedir(dir);
	assert_int_equal(wrong, 0);
	assert_int_equal(valid, 44);
	assert_int_equal(invalid, 167);
}

/* "... in line 3: ..." of the index (the error in UTF-8 mode comes first) and our "line 3: ..."; true as well where it names none. */
static bool is_same_line(const char *upstream, const char *ours)
{
	static const char in[] = "in line ", line[] = "line ";
	const char *at = strstr(upstream, in);
	return at == NULL || (strncmp(ours, line, sizeof line - 1) == 0 &&
	                      strtol(at + sizeof in - 1, NULL, 10) == strtol(ours + sizeof line - 1, NULL, 10));
}

/* UTF-8 mode: it is what Prometheus 3 does by default, and a console that refuses a name which the fleet's own Prometheus takes helps
 * nobody. So err_41 and err_42 are accepted, as the index says for that mode. */
static void expfmt_cases(void **state)
{
	(void)state;
	char   path[8192], line[4096];
	size_t seen = 0, lines = 0, wrong = 0;
	snprintf(path, sizeof path, "%s/prometheus/expfmt_cases/INDEX.tsv", samples());
	FILE *index = fopen(path, "r");
	assert_non_null(index);
	while (fgets(line, sizeof line, index) != NULL) {
		char *tab = strchr(line, '\t');
		if (tab == NULL || strncmp(line, "file", 4) == 0)
			continue;
		*tab = '\0';
		bool should = strncmp(tab + 1, "accept", 6) == 0;
		snprintf(path, sizeof path, "%s/prometheus/expfmt_cases/%s", samples(), line);
		struct buf    body = read_file(path);
		struct scrape s;
		struct why    why = { "" };
		enum err e = parse(&body, EXPOSITION_TEXT, &s, &why);
		if ((e == ERR_OK) != should || (e != ERR_OK && !is_same_line(tab + 1, why.text))) {
			print_error("%s: %s\n", line, e == ERR_OK ? "accepted" : why.text);
			wrong++;
		}
		lines += e != ERR_OK && strstr(tab + 1, "in line ") != NULL;
		seen++;
		buf_release(&body);
	}
	fclose(index);
	assert_int_equal(wrong, 0);
	assert_int_equal(seen, 66);
	assert_int_equal(lines, 46);
}

/* What real servers said; .om. files as OpenMetrics, the others as text. An error stands where the captured file itself is no valid
 * exposition: exporter_test_expected holds the results of several tests one behind the other; the DCGM excerpt has lines "..."; the 5mfs
 * files come from a Go program that gives a sum beside negative buckets, which OpenMetrics forbids (its suite's bad_histograms_3). */
static const struct {
	const char *path;
	size_t      n; /* series at the least */
	const char *error;
} real[] = {
	{ "vllm/vllm_0.24_single_engine.metrics.txt", 300, NULL },
	{ "vllm/vllm_legacy_v0_names.metrics.txt", 5, NULL },
	{ "vllm/vllm_qwen3_specdecode.metrics.txt", 300, NULL },
	{ "triton/datadog_triton_2.38_first_part.metrics.txt", 20, NULL },
	{ "triton/doc_first_response_histogram.metrics.txt", 3, NULL },
	{ "triton/doc_queue_summary.metrics.txt", 3, NULL },
	{ "tfserving/exporter_test_expected.metrics.txt", 1, "line 19: a second TYPE line for ':test:path:total'" },
	{ "tfserving/real_scrape_first_part.metrics.txt", 20, NULL },
	{ "tfserving/request_count_lines.metrics.txt", 1, NULL },
	{ "torchserve/metrics_api_doc.metrics.txt", 5, NULL },
	{ "sglang/dynamo_doc_sglang.metrics.txt", 1, NULL },
	{ "sglang/production_metrics_doc.metrics.txt", 20, NULL },
	{ "llamacpp/metrics_b10752.metrics.txt", 1, NULL },
	{ "llamacpp/metrics_real_older.metrics.txt", 1, NULL },
	{ "trtllm/dynamo_doc_trtllm.metrics.txt", 1, NULL },
	{ "gpu/dcgm/dcgm-exporter_readme.metrics.txt", 1, "line 7: a metric name was expected at '...'" },
	{ "gpu/nvidia/nvidia_gpu_exporter_h100-mig_load.metrics.txt", 50, NULL },
	{ "host/node_exporter_e2e_selected.metrics.txt", 100, NULL },
	{ "prometheus/npd_sample_metrics.txt", 5, NULL },
	{ "prometheus/prometheus_alltypes.237mfs.prom.txt", 500, NULL },
	{ "prometheus/prometheus_1histogram.om.txt", 10, NULL },
	{ "prometheus/prometheus_alltypes.5mfs.om.txt", 10, "line 33: a count or a sum of counts must not be negative" },
	{ "textparse/1histogram.om.txt", 10, NULL },
	{ "textparse/alltypes.237mfs.nometa.prom.txt", 500, NULL },
	{ "textparse/alltypes.237mfs.prom.txt", 500, NULL },
	{ "textparse/alltypes.5mfs.om.txt", 10, "line 33: a count or a sum of counts must not be negative" },
};

static void real_payloads(void **state)
{
	(void)state;
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
		char path[8192];
		snprintf(path, sizeof path, "%s/%s", samples(), real[i].path);
		struct buf    body = read_file(path);
		struct scrape s = { 0 };
		struct why    why = { "" };
		enum err e = parse(&body, strstr(real[i].path, ".om.") != NULL ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT, &s,
		                   &why);
		bool fine = real[i].error == NULL ? e == ERR_OK && s.n >= real[i].n : e != ERR_OK && strcmp(why.text, real[i].error) == 0;
		if (!fine) {
			print_error("%s: %zu series, \"%s\"\n", real[i].path, s.n, why.text);
			wrong++;
		}
		buf_release(&body);
	}
	assert_int_equal(wrong, 0);
}

static void check_file_names_the_line(void **state)
{
	(void)state;
	char       path[8192], want[9000];
	struct buf report;
	struct why why = { "" };
	buf_init(&report, 4096);
	snprintf(path, sizeof path, "%s/prometheus/expfmt_cases/err_12.prom", samples());
	assert_int_equal(exposition_check_file(path, EXPOSITION_GUESS_BY_BODY, &report, &why), ERR_FORMAT);
	snprintf(want, sizeof want, "%s:3: a second HELP line for 'metric'", path);
	assert_string_equal(why.text, want);
	assert_int_equal(report.len, 0);
	buf_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics_suite), cmocka_unit_test(expfmt_cases), cmocka_unit_test(real_payloads),
		cmocka_unit_test(check_file_names_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
