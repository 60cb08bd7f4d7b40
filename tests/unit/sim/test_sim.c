/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet over real sockets: endpoints answer in the right shapes, pages pass strict rules, a node that is down refuses, hostile callers
 * are bounded. Simulated time stands still unless a test moves it. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "sim/sim.h"

enum { NODES = 48, ANSWER_MAX = 1 << 20, DEADLINE_MS = 5000 };

/* A clock that stands until it is moved, and that the sim's thread may read meanwhile. */
static _Atomic int64_t now_us;
static int64_t      mono_us(const struct clock *c) { (void)c; return atomic_load(&now_us); }
static int64_t      wall_ms(const struct clock *c) { (void)c; return 1790000000000 + atomic_load(&now_us) / 1000; }
static const struct clock standing = { .wall_ms = wall_ms, .mono_us = mono_us };
static void         pass_ms(int64_t ms) { atomic_fetch_add(&now_us, ms * 1000); }

static struct sim *sim;

static struct sim *start(int nodes, const char *incident)
{
	struct sim        *s = NULL;
	struct why         why = { "" };
	const char        *incidents[] = { incident };
	struct sim_options o = { .nodes = nodes, .seed = 7, .incidents = incidents, .n_incidents = 1, .clock = &standing };
	if (sim_new(&o, &s, &why) != ERR_OK || sim_start(s, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return s;
}

static int set_up(void **state)
{
	(void)state;
	sim = start(NODES, "none");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_free(sim);
	return 0;
}

/* ---- a small client ---- */

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Reads until the peer closes or the deadline passes; false when it passed. */
static bool read_all(int fd, struct buf *to)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (poll(&p, 1, DEADLINE_MS) == 1) {
		char    bytes[16384];
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n <= 0)
			return true;
		buf_put(to, bytes, (size_t)n);
	}
	return false;
}

/* The whole answer, head and body. */
static int ask(int port, const char *method, const char *path, struct buf *to)
{
	char   request[1024];
	int    status = 0, fd = dial(port), n = snprintf(request, sizeof request,
	        "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, path,
	        strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
	buf_clear(to);
	if (fd < 0)
		return -1;
	assert_int_equal(write(fd, request, (size_t)n), n);
	assert_true(read_all(fd, to));
	close(fd);
	sscanf(buf_text(to), "HTTP/1.1 %d", &status);
	return status;
}

static const char *body_of(const struct buf *b)
{
	const char *at = strstr(buf_text(b), "\r\n\r\n");
	return at != NULL ? at + 4 : "";
}

static size_t first_of(const char *profile, struct sim_truth *out)
{
	for (size_t i = 0; i < sim_count(sim); i++) {
		sim_truth(sim, i, out);
		if (strcmp(out->profile, profile) == 0)
			return i;
	}
	fail_msg("no node of %s", profile);
	return 0;
}

/* ---- endpoints ---- */

static const struct {
	const char *profile, *method, *path;
	int         status;
	const char *says;
} endpoints[] = {
	{ "vllm",               "GET",  "/health",                                200, "" },
	{ "vllm",               "GET",  "/version",                               200, "{\"version\":\"" },
	{ "vllm",               "GET",  "/v1/models",                             200, "\"id\":\"llama-3.3-70b-instruct\"" },
	{ "vllm",               "GET",  "/metrics",                               200,
	  "\nvllm:num_requests_running{engine=\"0\",model_name=\"llama" },
	{ "vllm",               "GET",  "/nothing",                               404, "Not Found" },
	{ "vllm",               "POST", "/metrics",                               405, "" },
	{ "vllm",               "POST", "/health",                                405, "" },
	{ "triton",             "GET",  "/v2/health/ready",                       200, "" },
	{ "triton",             "GET",  "/v2",                                    200, "\"name\":\"triton\"" },
	{ "triton",             "GET",  "/v2/models/ranker",                      200, "\"versions\":[\"7\"]" },
	{ "triton",             "POST", "/v2/repository/index",                   200, "\"state\":\"READY\"" },
	{ "triton",             "GET",  "/v2/models/other",                       404, "error" },
	{ "triton",             "GET",  "/metrics",                               200,
	  "\nnv_inference_request_success{model=\"ranker\",version=\"7\"} " },
	{ "triton",             "GET",  "/metrics",                               200, "\nnv_gpu_utilization{gpu_uuid=\"GPU-" },
	{ "tensorflow-serving", "GET",  "/v1/models/query-encoder",               200, "\"state\": \"AVAILABLE\"" },
	{ "tensorflow-serving", "GET",  "/v1/models",                             400, "Missing model name" },
	{ "tensorflow-serving", "GET",  "/monitoring/prometheus/metrics",         200,
	  "\n:tensorflow:serving:request_count{model_name=\"query-encoder\",status=\"OK\"} " },
	{ "tensorflow-serving", "GET",  "/metrics",                               404, "" },
	{ "torchserve",         "GET",  "/ping",                                  200, "Healthy" },
	{ "torchserve",         "GET",  "/models",                                200, "\"modelName\":\"reco-dlrm\"" },
	{ "torchserve",         "GET",  "/models/reco-dlrm",                      200, "\"modelVersion\":\"2.1\"" },
	{ "torchserve",         "GET",  "/metrics",                               200,
	  "\nts_inference_requests_total{model_name=\"reco-dlrm\",model_version=\"default\",hostname=\"reco-a-01\",} " },
	{ "torchserve",         "GET",  "/metrics",                               200, "WorkerName=\"W-9000-reco-dlrm_2.1\"" },
};

static void endpoints_answer_as_the_real_ones(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, ANSWER_MAX);
	for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		struct sim_truth t;
		first_of(endpoints[i].profile, &t);
		int status = ask(t.port, endpoints[i].method, endpoints[i].path, &b);
		if (status != endpoints[i].status || strstr(body_of(&b), endpoints[i].says) == NULL)
			fail_msg("%s %s of %s: %d %.300s", endpoints[i].method, endpoints[i].path, endpoints[i].profile, status,
			         buf_text(&b));
	}
	buf_release(&b);
}

/* ---- pages ---- */

static bool is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == ':'; }

/* One line by the rules of the text format 0.0.4; NULL when it holds, else what is wrong. */
static const char *wrong_with(const char *line, size_t n)
{
	size_t i = 0;
	double value;
	char   number[64];
	if (line[0] == '#')
		return strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0 ? NULL : "an odd comment";
	while (i < n && is_name(line[i]))
		i++;
	if (i == 0 || isdigit((unsigned char)line[0]))
		return "no name";
	if (line[i] == '{') {
		i++;
		while (i < n && line[i] != '}') {
			size_t start = i;
			while (i < n && is_name(line[i]) && line[i] != ':')
				i++;
			if (i == start || line[i] != '=' || line[i + 1] != '"')
				return "a bad label";
			for (i += 2; i < n && line[i] != '"'; i++)
				if (line[i] == '\\' || (unsigned char)line[i] < ' ')
					return "an odd label value";
			i++;
			if (line[i] == ',')
				i++;
		}
		i++;
	}
	if (line[i] != ' ' || n - i - 1 >= sizeof number)
		return "no value";
	memcpy(number, line + i + 1, n - i - 1);
	number[n - i - 1] = '\0';
	return parse_f64(number, -1e300, 1e300, &value) == ERR_OK ? NULL : "a bad value";
}

/* In a histogram of one label set no bucket is lower than the one before it; `last` is carried from line to line. */
struct last_bucket {
	double le, value;
};

static bool bucket_rises(const char *line, size_t n, struct last_bucket *last)
{
	char        text[512];
	const char *le;
	snprintf(text, sizeof text, "%.*s", (int)n, line);
	le = strstr(text, "le=\"");
	if (le == NULL || strstr(text, "_bucket{") == NULL) {
		*last = (struct last_bucket){ 0, 0 };
		return true;
	}
	struct last_bucket now = { strtod(le + 4, NULL), strtod(strrchr(text, ' '), NULL) };
	bool               holds = now.le > last->le && now.value >= last->value;
	*last = now;
	return holds;
}

/* Returns the number of samples; fails the test on any line that breaks the rules. */
static size_t check_page(const char *label, const char *page)
{
	size_t             samples = 0;
	struct last_bucket last = { 0, 0 };
	char               family[128] = "";
	for (const char *line = page, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			fail_msg("%s: the last line is cut: %s", label, line);
		size_t      n = (size_t)(end - line);
		const char *wrong = wrong_with(line, n);
		if (wrong == NULL && !bucket_rises(line, n, &last))
			wrong = "a bucket falls";
		if (strncmp(line, "# TYPE ", 7) == 0)
			snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
		else if (line[0] != '#' && strncmp(line, family, strlen(family)) != 0)
			wrong = "a sample outside of its family";
		if (wrong != NULL)
			fail_msg("%s: %s: %.*s", label, wrong, (int)n, line);
		samples += line[0] != '#';
	}
	return samples;
}

static const struct {
	const char *profile, *path;
	size_t      samples; /* at least */
} pages[] = {
	{ "vllm", "/metrics", 380 },
	{ "triton", "/metrics", 60 },
	{ "tensorflow-serving", "/monitoring/prometheus/metrics", 180 },
	{ "torchserve", "/metrics", 28 },
};

static void pages_keep_the_rules(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, ANSWER_MAX);
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		struct sim_truth t;
		first_of(pages[i].profile, &t);
		for (int round = 0; round < 3; round++, pass_ms(1700)) {
			assert_int_equal(ask(t.port, "GET", pages[i].path, &b), 200);
			assert_row(pages[i].profile, check_page(pages[i].profile, body_of(&b)) >= pages[i].samples);
			if (t.gpu_port == 0)
				continue;
			assert_int_equal(ask(t.gpu_port, "GET", "/metrics", &b), 200);
			assert_row(pages[i].profile, check_page("dcgm", body_of(&b)) >= 25);
			assert_non_null(strstr(body_of(&b), "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",UUID=\"GPU-"));
		}
	}
	buf_release(&b);
}

static double value_of(const struct buf *b, const char *key)
{
	const char *at = strstr(body_of(b), key);
	return at != NULL ? strtod(at + strlen(key), NULL) : (double)NAN;
}

/* Counters never fall, rates agree with the truth, and how often one asks changes nothing. */
static void counters_rise_at_the_true_rate(void **state)
{
	(void)state;
	struct sim_truth t;
	struct buf       b;
	double           before, after;
	const char      *key = "\nts_inference_requests_total{model_name=\"reco-dlrm\",model_version=\"default\",hostname=\"reco-a-01\",} ";
	first_of("torchserve", &t);
	buf_init(&b, ANSWER_MAX);
	ask(t.port, "GET", "/metrics", &b);
	before = value_of(&b, key);
	for (int i = 0; i < 25; i++) {
		pass_ms(400);
		ask(t.port, "GET", "/metrics", &b);
		after = value_of(&b, key);
		assert_true(after >= before);
	}
	assert_true(fabs((after - before) / 10 / t.requests_rate - 1) < 0.15);
	buf_release(&b);
}

/* ---- against real scrapes ---- */

static const struct {
	const char *profile, *sample;
} samples[] = {
	{ "vllm", "vllm/vllm_0.24_single_engine.metrics.txt" },
	{ "triton", "triton/datadog_triton_2.38_first_part.metrics.txt" },
	{ "torchserve", "torchserve/metrics_api_doc.metrics.txt" },
};

static enum err read_sample(const char *name, struct buf *to)
{
	char  path[512], bytes[8192];
	FILE *f;
	snprintf(path, sizeof path, "%s/samples/%s", getenv("PITWALL_SHARED"), name);
	f = fopen(path, "r");
	if (f == NULL)
		return ERR_NOT_FOUND;
	for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
		buf_put(to, bytes, n);
	fclose(f);
	return to->err;
}

/* A family that the sample knows too has the very same HELP and TYPE line there; newer releases and the evaluator have more of them. */
static void families_are_those_of_real_scrapes(void **state)
{
	(void)state;
	struct buf page, sample;
	buf_init(&page, ANSWER_MAX);
	buf_init(&sample, ANSWER_MAX);
	if (getenv("PITWALL_SHARED") == NULL || read_sample(samples[0].sample, &sample) == ERR_NOT_FOUND) {
		print_message("# skipped: no real scrapes to compare with (set PITWALL_SHARED)\n");
		skip();
	}
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		struct sim_truth t;
		size_t           same = 0;
		buf_clear(&sample);
		assert_int_equal(read_sample(samples[i].sample, &sample), ERR_OK);
		first_of(samples[i].profile, &t);
		assert_int_equal(ask(t.port, "GET", "/metrics", &page), 200);
		for (const char *line = body_of(&page), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			char text[512], name[160];
			if (line[0] != '#')
				continue;
			snprintf(text, sizeof text, "%.*s", (int)(end - line), line);
			snprintf(name, sizeof name, "%.*s ", 7 + (int)strcspn(text + 7, " "), text);
			if (strstr(buf_text(&sample), name) == NULL)
				continue;
			if (strstr(buf_text(&sample), text) == NULL)
				fail_msg("%s: the real server does not say: %s", samples[i].profile, text);
			same++;
		}
		assert_row(samples[i].profile, same >= 30);
	}
	buf_release(&page);
	buf_release(&sample);
}

static void two_sims_of_a_seed_say_the_same(void **state)
{
	(void)state;
	struct sim      *other;
	struct sim_truth a, b;
	struct sim *first = start(12, "bad-deploy@3");
	other = start(12, "bad-deploy@3");
	for (int i = 0; i < 30; i++) { /* one is asked all the time, the other once */
		pass_ms(1000);
		sim_truth(first, 0, &a);
	}
	for (size_t i = 0; i < 12; i++) {
		sim_truth(first, i, &a);
		sim_truth(other, i, &b);
		assert_true(a.requests_rate == b.requests_rate && a.latency_s == b.latency_s);
		assert_true(a.gpu_temperature_celsius == b.gpu_temperature_celsius);
		assert_string_equal(a.version, b.version);
	}
	sim_free(first);
	sim_free(other);
}

/* ---- trouble ---- */

/* Waits until the port answers or refuses, as wanted. */
static bool comes_to(int port, bool open)
{
	for (int i = 0; i < 200; i++) {
		int fd = dial(port);
		if (fd >= 0)
			close(fd);
		if ((fd >= 0) == open)
			return true;
		poll(NULL, 0, 25);
	}
	return false;
}

static void a_node_that_is_down_refuses(void **state)
{
	(void)state;
	struct sim      *s;
	struct sim_truth t;
	struct buf       b;
	size_t           i = 0;
	s = start(12, "node-down@10");
	buf_init(&b, ANSWER_MAX);
	pass_ms(8000);
	int kept[12];
	for (size_t k = 0; k < 12; k++) {
		sim_truth(s, k, &t);
		kept[k] = dial(t.port);
		assert_true(t.is_up && kept[k] >= 0);
	}
	pass_ms(20000);
	for (i = 0; i < 12; i++) {
		sim_truth(s, i, &t);
		if (!t.is_up)
			break;
	}
	assert_true(i < 12);
	assert_string_equal(t.incident, "node-down");
	assert_true(comes_to(t.port, false));
	if (t.gpu_port != 0)
		assert_true(comes_to(t.gpu_port, false));
	assert_true(read_all(kept[i], &b)); /* connections that were open end too */
	pass_ms(200000);
	assert_true(comes_to(t.port, true));
	for (size_t k = 0; k < 12; k++)
		close(kept[k]);
	sim_truth(s, i, &t);
	assert_true(t.is_up && t.requests_rate > 0);
	buf_release(&b);
	sim_free(s);
}

static const struct {
	const char *label, *head;
	size_t      padding; /* of 'a' behind the head */
	const char *tail;
} hostile[] = {
	{ "a long path",     "GET /", 100000, " HTTP/1.1\r\nHost: x\r\n\r\n" },
	{ "a long header",   "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ", 100000, "\r\n\r\n" },
	{ "a long body",     "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n", 200000, "" },
	{ "no HTTP",         "\001\002\003", 4000, "\r\n\r\n" },
	{ "odd escapes",     "GET /%00%ff%zz?%n%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "" },
	{ "an odd method",   "BREW /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, "" },
};

static void hostile_requests_are_bounded(void **state)
{
	(void)state;
	struct sim_truth t;
	struct buf       b;
	first_of("vllm", &t);
	buf_init(&b, ANSWER_MAX);
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct buf out;
		int        fd = dial(t.port);
		assert_row(hostile[i].label, fd >= 0);
		buf_init(&out, ANSWER_MAX);
		buf_puts(&out, hostile[i].head);
		buf_fill(&out, 'a', hostile[i].padding);
		buf_puts(&out, hostile[i].tail);
		ssize_t sent = send(fd, out.data, out.len, MSG_NOSIGNAL);
		assert_row(hostile[i].label, sent != 0);
		shutdown(fd, SHUT_WR);
		buf_clear(&b);
		assert_row(hostile[i].label, read_all(fd, &b));
		assert_row(hostile[i].label, strstr(buf_text(&b), " 200 ") == NULL);
		close(fd);
		buf_release(&out);
	}
	assert_int_equal(ask(t.port, "GET", "/health", &b), 200);
	buf_release(&b);
}

static void many_idle_connections_leave_others_alone(void **state)
{
	(void)state;
	enum { CONNECTIONS = 150 };
	struct sim_truth t;
	struct buf       b;
	int              fds[CONNECTIONS];
	first_of("triton", &t);
	buf_init(&b, ANSWER_MAX);
	for (int i = 0; i < CONNECTIONS; i++)
		fds[i] = dial(t.port);
	first_of("vllm", &t);
	assert_int_equal(ask(t.port, "GET", "/health", &b), 200);
	for (int i = 0; i < CONNECTIONS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	buf_release(&b);
}

/* How quickly: bench/bench_sim.c. */
static void a_big_fleet_starts(void **state)
{
	(void)state;
	struct sim *s = start(SIM_NODES_BENCH, "none");
	struct sim_truth t;
	sim_truth(s, SIM_NODES_BENCH - 1, &t);
	assert_true(comes_to(t.port, true));
	sim_free(s);
}

static void wrong_options_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "nonsense" };
	const struct {
		const char        *label;
		struct sim_options o;
		enum err           want;
	} rows[] = {
		{ "too many nodes", { .nodes = SIM_NODES_MAX + 1 }, ERR_USAGE },
		{ "fewer than one", { .nodes = -1 }, ERR_USAGE },
		{ "a port too high", { .nodes = 48, .first_port = 65530 }, ERR_USAGE },
		{ "an unknown incident", { .incidents = bad, .n_incidents = 1 }, ERR_NOT_FOUND },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sim *s = NULL;
		struct why  why = { "" };
		assert_row(rows[i].label, sim_new(&rows[i].o, &s, &why) == rows[i].want);
		assert_row(rows[i].label, s == NULL && why.text[0] != '\0');
	}
}

static void ports_in_use_are_an_error(void **state)
{
	(void)state;
	struct sim_truth   t;
	struct sim        *s = NULL;
	struct why         why = { "" };
	sim_truth(sim, 0, &t);
	struct sim_options o = { .nodes = 1, .first_port = t.port, .clock = &standing };
	assert_int_equal(sim_new(&o, &s, &why), ERR_OK);
	assert_int_not_equal(sim_start(s, &why), ERR_OK);
	assert_non_null(strstr(why.text, "cannot use port"));
	sim_free(s);
}

static void the_fleet_file_names_every_port(void **state)
{
	(void)state;
	struct buf b;
	char       port[64];
	buf_init(&b, ANSWER_MAX);
	assert_int_equal(sim_fleet_yaml(sim, &b), ERR_OK);
	for (size_t i = 0; i < sim_count(sim); i++) {
		struct sim_truth t;
		sim_truth(sim, i, &t);
		assert_non_null(strstr(buf_text(&b), t.name));
		snprintf(port, sizeof port, "{ profile: %s, port: %d,", t.profile, t.port);
		assert_non_null(strstr(buf_text(&b), port));
		snprintf(port, sizeof port, "{ profile: dcgm, port: %d,", t.gpu_port);
		assert_true(t.gpu_port == 0 || strstr(buf_text(&b), port) != NULL);
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_answer_as_the_real_ones),
		cmocka_unit_test(pages_keep_the_rules),
		cmocka_unit_test(counters_rise_at_the_true_rate),
		cmocka_unit_test(families_are_those_of_real_scrapes),
		cmocka_unit_test(hostile_requests_are_bounded),
		cmocka_unit_test(many_idle_connections_leave_others_alone),
		cmocka_unit_test(ports_in_use_are_an_error),
		cmocka_unit_test(the_fleet_file_names_every_port),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(two_sims_of_a_seed_say_the_same),
		cmocka_unit_test(a_node_that_is_down_refuses),
		cmocka_unit_test(a_big_fleet_starts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
