/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorFlow Serving: names that begin with a colon, microseconds, no HELP lines, numbers of six digits. It has no series about GPUs, and
 * none that says which version serves now. */
#include "sim/exporter.h"

enum slot { ONE, ZERO, LOAD_US, OK, INVALID, INTERNAL, EXHAUSTED, EXAMPLES, GRAPH_RUNS, GRAPH_US, RUNS, ACCURACY, SLOTS };
enum distribution { D_REQUEST, D_RUNTIME, D_EXAMPLES, D_QUEUING, D_BATCH_IN, D_BATCH_OUT };

/* 10 * 1.8^i and 100 * 1.2^i microseconds, as the server makes them. */
static const double us_le[] = { 10, 18, 32.4, 58.32, 104.976, 188.957, 340.122, 612.22, 1102, 1983.59, 3570.47, 6426.84, 11568.3, 20823,
	                        37481.3, 67466.4, 121440, 218591, 393464, 708235, 1.27482e6, 2.29468e6, 4.13043e6, 7.43477e6, 1.33826e7,
	                        2.40887e7, 4.33596e7, 7.80473e7, 1.40485e8, 2.52873e8, 4.55172e8, 8.19309e8, 1.47476e9 };
static const double queuing_le[] = { 100, 120, 144, 172.8, 207.36, 248.832, 298.598, 358.318, 429.982, 515.978, 619.174, 743.008, 891.61,
	                             1069.93, 1283.92, 1540.7, 1848.84, 2218.61, 2662.33, 3194.8, 3833.76, 4600.51, 5520.61, 6624.74,
	                             7949.68, 9539.62, 11447.5, 13737.1, 16484.5, 19781.4, 23737.6, 28485.2, 34182.2, 41018.6, 49222.4,
	                             59066.8, 70880.2, 85056.2, 102067, 122481, 146977, 176373, 211647, 253977, 304772, 365726, 438872,
	                             526646, 631975, 758370, 910044, 1.09205e6 };
static const double batch_le[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192 };
static const double example_le[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384 };
#define BOUNDS(le) { le, sizeof(le) / sizeof(le)[0] }
static const struct bounds us = BOUNDS(us_le), queuing = BOUNDS(queuing_le), batches = BOUNDS(batch_le), examples = BOUNDS(example_le);

#define COUNTER(n, l, s) { n, FAMILY_COUNTER, "", l, s, SHOWN_COUNT, NULL, false }
#define HIST(n, l, d, b) { n, FAMILY_HISTOGRAM, "", l, d, SHOWN_COUNT, &b, false }
#define REQUESTS(status, s) COUNTER(":tensorflow:serving:request_count", "model_name=\"%m\",status=\"" status "\"", s)

static const struct family families[] = {
	COUNTER(":tensorflow:cc:saved_model:load_attempt_count", "model_path=\"/models/%m/%v\",status=\"success\"", ONE),
	COUNTER(":tensorflow:cc:saved_model:load_latency", "model_path=\"/models/%m/%v\"", LOAD_US),
	COUNTER(":tensorflow:core:graph_run_time_usecs", "", GRAPH_US),
	COUNTER(":tensorflow:core:graph_runs", "", GRAPH_RUNS),
	HIST(":tensorflow:serving:batching_session:input_batch_size", "", D_BATCH_IN, batches),
	HIST(":tensorflow:serving:batching_session:processed_batch_size", "", D_BATCH_OUT, batches),
	HIST(":tensorflow:serving:batching_session:queuing_latency", "thread_pool_name=\"model_batch_threads\"", D_QUEUING, queuing),
	COUNTER(":tensorflow:serving:batching_session:wrapped_run_count", "", RUNS),
	REQUESTS("OK", OK), REQUESTS("INVALID_ARGUMENT", INVALID), REQUESTS("INTERNAL", INTERNAL),
	REQUESTS("RESOURCE_EXHAUSTED", EXHAUSTED),
	COUNTER(":tensorflow:serving:request_example_count_total", "model=\"%m\"", EXAMPLES),
	HIST(":tensorflow:serving:request_example_counts", "model=\"%m\"", D_EXAMPLES, examples),
	HIST(":tensorflow:serving:request_latency", "model_name=\"%m\",API=\"predict\",entrypoint=\"REST\"", D_REQUEST, us),
	HIST(":tensorflow:serving:runtime_latency", "model_name=\"%m\",API=\"Predict\",runtime=\"TF2\"", D_RUNTIME, us),
	EVALUATOR_INFO(ONE),
	EVALUATOR_ACCURACY(ACCURACY),
};

static void fill(const struct tick *t, double *v)
{
	const struct observation *o = t->now;
	const double batch = 8; /* examples a request */
	double ok = o->completed * t->dt, service_us = o->service_s * 1e6, wait_us = o->wait_s * 1e6 + 60;
	v[ONE] = 1;
	v[LOAD_US] = 7960377;
	v[OK] += ok;
	v[INVALID] += ok * 0.0003;
	v[INTERNAL] += o->failed * t->dt;
	v[EXHAUSTED] += o->aborted * t->dt;
	v[EXAMPLES] += ok * batch;
	v[GRAPH_RUNS] += ok;
	v[GRAPH_US] += ok * service_us * 0.97;
	v[RUNS] += ok;
	v[ACCURACY] = o->accuracy;
	page_observe(t->page, v, D_REQUEST, ok, service_us + wait_us, o->sigma);
	page_observe(t->page, v, D_RUNTIME, ok, service_us, t->spec->sigma);
	page_observe(t->page, v, D_QUEUING, ok, wait_us, 0.9);
	page_observe(t->page, v, D_EXAMPLES, ok, batch, 0.7);
	page_observe(t->page, v, D_BATCH_IN, ok, batch, 0.7);
	page_observe(t->page, v, D_BATCH_OUT, ok, batch * 1.2, 0.6);
}

static const char json[] = "application/json";
static const char status[] =
	"{\n \"model_version_status\": [\n  {\n   \"version\": \"%v\",\n   \"state\": \"AVAILABLE\",\n   \"status\": {\n"
	"    \"error_code\": \"OK\",\n    \"error_message\": \"\"\n   }\n  }\n ]\n}\n";
static const struct route routes[] = {
	{ "GET", "/v1/models/%m", 200, json, status },
	{ "GET", "/v1/models/%m/versions/%v", 200, json, status },
	{ "GET", "/v1/models", 400, json, "{\"error\":\"Missing model name in request.\"}" },
	{ "GET", "/v1/models/%m/metadata", 200, json,
	  "{\n\"model_spec\":{\n \"name\": \"%m\",\n \"signature_name\": \"\",\n \"version\": \"%v\"\n}\n,\n"
	  "\"metadata\": {\"signature_def\": {\"signature_def\":{}}}\n}\n" },
};

const struct exporter exporter_tfserving = {
	.profile = "tensorflow-serving",
	.metrics_path = "/monitoring/prometheus/metrics",
	.metrics_type = "text/plain",
	.dialect = { .number = NUMBER_SHORT, .empty_braces = true, .end_comma = "" },
	.families = families,
	.n_families = sizeof families / sizeof families[0],
	.n_scalars = SLOTS,
	.fill = fill,
	.routes = routes,
	.n_routes = sizeof routes / sizeof routes[0],
	.not_found = { NULL, NULL, 404, "text/html", "" },
};
