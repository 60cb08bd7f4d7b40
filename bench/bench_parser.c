/* SPDX-License-Identifier: Apache-2.0
 *
 * The exposition parser on a vLLM node's payload with its GPUs: 15 histograms, counters, gauges, 8 GPUs of 12 fields, about 500 series
 * in 60 KB. One line a figure: name, value, unit. Bodies are made before the clock runs, 100 of them with values that move plausibly,
 * and taken in turn, so that none is in the first cache by accident. Arguments: seconds a figure (default 1), and the one
 * that is wanted (default all). Time is that of the processor.
 *
 *   strict       every line by the strict parser, nothing remembered
 *   never_seen   the first body of the first target there is: no text is known
 *   first_sight  a target's first body, whose texts were seen before, of this one or one like it
 *   relearned    a body that differs from the one before by a comment, so that nothing is predicted
 *   predicted    the next body of a target
 *   nodes        the next body of one of many targets that are alike, as a recorder has them: the pages of bench/load, at 5 s
 *   hot          the same body again */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "bench/load_page.h"
#include "collectors/exposition.h"

enum { BODIES = 100, NODES = 50, NODE_BODIES = 4, NODE_SERIES = 500 };

static uint64_t rng = UINT64_C(0x9e3779b97f4a7c15);
static uint64_t next_random(uint64_t below)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return rng % below;
}

static void histogram(struct buf *b, int n, int round)
{
	static const char *const bounds[] = { "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0",
		                              "2.5", "5.0", "7.5", "10.0", "20.0", "40.0", "80.0", "+Inf" };
	char name[64];
	snprintf(name, sizeof name, "vllm:request_phase_%d_seconds", n);
	buf_printf(b, "# HELP %s Histogram of time spent in phase %d of a request in seconds.\n# TYPE %s histogram\n", name, n, name);
	unsigned long long count = 1000ULL * (unsigned)(n + 1) + 7ULL * (unsigned)round;
	for (int i = 0; i < 20; i++)
		buf_printf(b, "%s_bucket{engine=\"0\",le=\"%s\",model_name=\"meta-llama/Llama-3.1-70B-Instruct\"} %llu.0\n", name, bounds[i],
		           count * (unsigned)(i + 1) / 20);
	buf_printf(b, "%s_count{engine=\"0\",model_name=\"meta-llama/Llama-3.1-70B-Instruct\"} %llu.0\n", name, count);
	buf_printf(b, "%s_sum{engine=\"0\",model_name=\"meta-llama/Llama-3.1-70B-Instruct\"} %.17g\n", name,
	           (double)count * 0.137 + (double)next_random(1000) / 7919);
}

static void gpu(struct buf *b, int field, int round)
{
	buf_printf(b, "# HELP DCGM_FI_DEV_FIELD_%d A field of the device.\n# TYPE DCGM_FI_DEV_FIELD_%d gauge\n", field, field);
	for (int i = 0; i < 8; i++)
		buf_printf(b, "DCGM_FI_DEV_FIELD_%d{gpu=\"%d\",UUID=\"GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e5%d\",pci_bus_id=\"00000000:%02X:00.0\","
		           "device=\"nvidia%d\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"gpu-a-01\"} %d\n",
		           field, i, i, 0x10 + i, i, field * 100 + (int)next_random(5) + round % 3);
}

static void body_make(struct buf *b, int round)
{
	buf_init(b, 1 << 20);
	for (int i = 0; i < 17; i++)
		histogram(b, i, round);
	for (int i = 0; i < 30; i++)
		buf_printf(b, "# HELP vllm:thing_%d A gauge.\n# TYPE vllm:thing_%d gauge\nvllm:thing_%d{engine=\"0\",model_name=\"meta-llama/"
		           "Llama-3.1-70B-Instruct\"} %d.%d\n", i, i, i, i, (int)next_random(100));
	for (int i = 0; i < 12; i++)
		gpu(b, i, round);
	if (b->err != ERR_OK)
		abort();
}

struct figure {
	double bytes, samples, seconds;
};

static void check(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_parser: %s\n", why->text);
	exit(1);
}

enum way { STRICT, NEVER_SEEN, FIRST_SIGHT, RELEARNED, PREDICTED, HOT };

struct parsing {
	struct exposition_pool *pool;
	struct exposition      *e;
};

static void begin(struct parsing *p, const struct buf *first)
{
	struct why    why = { "" };
	struct scrape s;
	check(exposition_pool_new(&p->pool), &why);
	check(exposition_new(p->pool, &p->e), &why);
	if (first != NULL)
		check(exposition_parse(p->e, first->data, first->len, EXPOSITION_TEXT, &s, &why), &why);
}

static void end(struct parsing *p)
{
	exposition_free(p->e);
	exposition_pool_free(p->pool);
}

static void parse(struct parsing *p, enum way way, const struct buf *b, struct scrape *s)
{
	struct why why = { "" };
	if (way == STRICT || way == FIRST_SIGHT)
		exposition_reset(p->e);
	if (way == NEVER_SEEN) {
		end(p);
		begin(p, NULL);
	}
	if (way == STRICT)
		check(exposition_parse_strict(p->e, b->data, b->len, EXPOSITION_TEXT, s, &why), &why);
	else
		check(exposition_parse(p->e, b->data, b->len, EXPOSITION_TEXT, s, &why), &why);
	if (s->was_predicted != (way >= PREDICTED)) {
		fprintf(stderr, "bench_parser: a body was%s predicted\n", s->was_predicted ? "" : " not");
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct figure run(const struct buf *bodies, enum way way, double seconds)
{
	struct parsing      p;
	struct scrape       s;
	struct figure       f = { 0 };
	begin(&p, &bodies[0]);
	double from = cpu_seconds(), now = from;
	for (int i = 1; now - from < seconds; i++) {
		const struct buf *b = &bodies[way == HOT ? 0 : way == RELEARNED ? i % BODIES + i % 2 * BODIES : i % BODIES];
		parse(&p, way, b, &s);
		f.bytes += (double)b->len;
		f.samples += (double)s.samples;
		if (i % 16 == 0)
			now = cpu_seconds();
	}
	f.seconds = now - from;
	end(&p);
	return f;
}

/* ---- many like nodes ---- */

struct nodes {
	struct exposition_pool *pool;
	struct exposition      *e[NODES];
	char                   *bodies[NODE_BODIES][NODES];
	size_t                  len[NODE_BODIES][NODES];
};

static void nodes_begin(struct nodes *n)
{
	struct why    why = { "" };
	struct scrape s;
	struct page  *page;
	check(page_new(NODE_SERIES, &page, &why), &why);
	check(exposition_pool_new(&n->pool), &why);
	for (size_t i = 0; i < NODES; i++) {
		struct page_node *node = page_node_new(page, i);
		for (int k = 0; node != NULL && k < NODE_BODIES; k++) {
			n->bodies[k][i] = malloc(page_bytes_max(page));
			if (n->bodies[k][i] == NULL)
				abort();
			n->len[k][i] = page_render(page, node, 5, n->bodies[k][i]);
		}
		page_node_free(node);
		check(exposition_new(n->pool, &n->e[i]), &why);
		check(exposition_parse(n->e[i], n->bodies[0][i], n->len[0][i], EXPOSITION_TEXT, &s, &why), &why);
	}
	page_free(page);
}

static void nodes_end(struct nodes *n)
{
	for (size_t i = 0; i < NODES; i++) {
		exposition_free(n->e[i]);
		for (int k = 0; k < NODE_BODIES; k++)
			free(n->bodies[k][i]);
	}
	exposition_pool_free(n->pool);
}

static struct figure run_nodes(double seconds)
{
	struct nodes  n;
	struct scrape s;
	struct why    why = { "" };
	struct figure f = { 0 };
	nodes_begin(&n);
	double from = cpu_seconds(), now = from;
	for (size_t round = 1; now - from < seconds; round++, now = cpu_seconds()) {
		for (size_t i = 0, k = round % NODE_BODIES; i < NODES; i++) {
			check(exposition_parse(n.e[i], n.bodies[k][i], n.len[k][i], EXPOSITION_TEXT, &s, &why), &why);
			f.bytes += (double)n.len[k][i];
			f.samples += (double)s.samples;
		}
	}
	f.seconds = now - from;
	nodes_end(&n);
	return f;
}

static void print_figure(const char *name, struct figure f)
{
	printf("parser_%s_throughput %.0f MB/s\n", name, f.bytes / f.seconds / 1e6);
	printf("parser_%s_samples %.2f Msamples/s\n", name, f.samples / f.seconds / 1e6);
}

int main(int argc, char **argv)
{
	static const struct {
		enum way    way;
		const char *name;
	} ways[] = { { STRICT, "strict" }, { NEVER_SEEN, "never_seen" }, { FIRST_SIGHT, "first_sight" }, { RELEARNED, "relearned" }, { PREDICTED, "predicted" }, { HOT, "hot" } };
	double     seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	static struct buf bodies[2 * BODIES]; /* the second time with a comment more */
	for (int i = 0; i < 2 * BODIES; i++) {
		body_make(&bodies[i], i % BODIES);
		if (i >= BODIES)
			buf_puts(&bodies[i], "# the end\n");
	}
	printf("parser_payload_bytes %zu bytes\n", bodies[0].len);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (argc > 2 && strcmp(argv[2], ways[i].name) != 0)
			continue;
		print_figure(ways[i].name, run(bodies, ways[i].way, seconds));
	}
	if (argc <= 2 || strcmp(argv[2], "nodes") == 0)
		print_figure("nodes", run_nodes(seconds));
	for (int i = 0; i < 2 * BODIES; i++)
		buf_release(&bodies[i]);
	return 0;
}
