/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to record a fleet, beside the servers that people run for it: `pitwall record` with the generic profile and with
 * vLLM's signals, Prometheus without and with the same signals as recording rules, and VictoriaMetrics, one after the other, each on the
 * same simulated nodes (bench/load: a process of its own, with a truth of its own about what was asked and when). One figure a line:
 * name value unit; names begin with who and how many nodes.
 *
 * Arguments: seconds that are measured (60), nodes (1000 and then 100), series a node (500), interval in seconds (5), seconds of warming
 * up (60), a word that the names of those who run have in them (all). Prometheus and VictoriaMetrics are $PITWALL_PROMETHEUS and
 * $PITWALL_VICTORIA, else what PATH has. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "bench/engine_rules.h"
#include "bench/load_address.h"
#include "bench/process.h"

enum { REPORT_DEADLINE_MS = 20000, LOOK_MS = 50, REPORT_MAX = 4096, PATH_BYTES = 4096 };

struct setting {
	int64_t seconds, nodes, series, interval_s, warm_up_s;
	int     port; /* of the nodes */
};

/* What one of them cost in the window. */
struct cost {
	bool   is_there;
	double cpu, rss, peak, written, disk, missed, late_p99, samples;
};

struct subject {
	const char *name;
	const char *program, *variable; /* NULL: pitwall */
	pid_t     (*start)(const struct subject *s, const struct setting *o, const char *program);
	const char *profile;            /* pitwall's; Prometheus: not NULL with rules */
	const char *store;
};

/* ---- what they are told ---- */

static FILE *file_new(const char *name)
{
	FILE *f = fopen(process_file(name), "w");
	if (f == NULL) {
		perror("bench_engine: cannot write a configuration");
		exit(1);
	}
	return f;
}

static void write_node(FILE *f, size_t node, const struct setting *o, const char *before, const char *after)
{
	struct in_addr a = { htonl(load_address(node)) };
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &a, text, sizeof text);
	fprintf(f, "%s%s:%d%s\n", before, text, o->port, after);
}

static pid_t start_pitwall(const struct subject *s, const struct setting *o, const char *program)
{
	FILE *f = file_new("engine.yml");
	fprintf(f, "fleet: engine\ndefaults: { interval: %llds, timeout: %llds }\ngroups:\n  - name: nodes\n    profile: %s\n    targets:\n",
	        (long long)o->interval_s, (long long)o->interval_s, s->profile);
	for (size_t i = 0; i < (size_t)o->nodes; i++)
		write_node(f, i, o, "      - \"http://", "/metrics\"");
	fclose(f);
	const char *const words[] = { program, "record", "--config", process_file("engine.yml"), "--store", process_file(s->store), NULL };
	return process_start(words, "subject.out", "subject.log");
}

static void write_scrapes(const struct subject *s, const struct setting *o)
{
	FILE *f = file_new("scrape.yml");
	fprintf(f, "global:\n  scrape_interval: %llds\n  scrape_timeout: %llds\n", (long long)o->interval_s, (long long)o->interval_s);
	if (s->profile != NULL)
		fprintf(f, "  evaluation_interval: %llds\nrule_files: [ \"%s\" ]\n", (long long)o->interval_s, process_file("rules.yml"));
	fprintf(f, "scrape_configs:\n  - job_name: nodes\n    static_configs:\n      - targets:\n");
	for (size_t i = 0; i < (size_t)o->nodes; i++)
		write_node(f, i, o, "          - ", "");
	fclose(f);
	if (s->profile == NULL)
		return;
	f = file_new("rules.yml");
	engine_rules_write(f);
	fclose(f);
}

/* One that nobody has now. */
static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
		perror("bench_engine: cannot find a port");
		exit(1);
	}
	close(fd);
	return ntohs(a.sin_port);
}

static const char *option(char to[PATH_BYTES], const char *name, const char *value)
{
	snprintf(to, PATH_BYTES, "%s=%s", name, value);
	return to;
}

static pid_t start_server(const struct subject *s, const char *program, const char *config, const char *listen, const char *folder)
{
	char address[64], words[3][PATH_BYTES];
	snprintf(address, sizeof address, "127.0.0.1:%d", free_port());
	const char *const argv[] = { program, option(words[0], config, process_file("scrape.yml")), option(words[1], listen, address),
		                         option(words[2], folder, process_file(s->store)), NULL };
	return process_start(argv, "subject.out", "subject.log");
}

static pid_t start_prometheus(const struct subject *s, const struct setting *o, const char *program)
{
	write_scrapes(s, o);
	return start_server(s, program, "--config.file", "--web.listen-address", "--storage.tsdb.path");
}

static pid_t start_victoria(const struct subject *s, const struct setting *o, const char *program)
{
	write_scrapes(s, o);
	return start_server(s, program, "-promscrape.config", "-httpListenAddr", "-storageDataPath");
}

/* ---- the nodes ---- */

static const char *load_text(void)
{
	static char text[REPORT_MAX];
	FILE *f = fopen(process_file("load.out"), "r");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);
	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* The line that begins with `name`; the process may take its time. */
static double load_figure(const char *name)
{
	size_t n = strlen(name);
	for (int64_t ms = 0; ms < REPORT_DEADLINE_MS; ms += LOOK_MS) {
		for (const char *p = load_text(); p != NULL && *p != '\0'; p = (p = strchr(p, '\n')) == NULL ? NULL : p + 1)
			if (strncmp(p, name, n) == 0 && p[n] == ' ' && strchr(p, '\n') != NULL)
				return strtod(p + n, NULL);
		process_sleep_ms(LOOK_MS);
	}
	fprintf(stderr, "bench_engine: the nodes do not say '%s': %s\n", name, process_file("load.log"));
	exit(1);
}

static pid_t start_load(struct setting *o)
{
	char path[PATH_BYTES], nodes[24], series[24], interval[24];
	const char *folder = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/bench/load", folder == NULL ? "." : folder);
	snprintf(nodes, sizeof nodes, "%lld", (long long)o->nodes);
	snprintf(series, sizeof series, "%lld", (long long)o->series);
	snprintf(interval, sizeof interval, "%lld", (long long)o->interval_s);
	const char *const words[] = { path, nodes, series, interval, NULL };
	unlink(process_file("load.out")); /* of the one before */
	pid_t pid = process_start(words, "load.out", "load.log");
	o->port = (int)load_figure("port");
	return pid;
}

/* ---- the window ---- */

static void say(const struct subject *s, const struct setting *o, const char *what, double value, const char *unit)
{
	printf("engine_%s_%lld_%s %.4g %s\n", s->name, (long long)o->nodes, what, value, unit);
	fflush(stdout);
}

static void tell(const struct subject *s, const struct setting *o, const struct cost *c, double load_cpu)
{
	say(s, o, "cpu", c->cpu, "s/Msamples");
	say(s, o, "cpu_share", c->cpu * c->samples / 1e6 / (double)o->seconds * 100, "percent_of_a_core");
	say(s, o, "rss", c->rss, "MB");
	say(s, o, "rss_peak", c->peak, "MB");
	say(s, o, "written", c->written, "bytes/sample");
	say(s, o, "disk", c->disk, "bytes/sample");
	say(s, o, "missed", c->missed, "scrapes");
	say(s, o, "late_p99", c->late_p99, "ms");
	say(s, o, "load_cpu", load_cpu, "s/Msamples");
}

static struct cost measure(const struct subject *s, struct setting *o, const char *program)
{
	pid_t load = start_load(o), pid = s->start(s, o, program);
	process_sleep_ms(o->warm_up_s * 1000);
	kill(load, SIGUSR1);
	double cpu = process_cpu_seconds(pid), written = process_written_bytes(pid);
	process_sleep_ms(o->seconds * 1000);
	kill(load, SIGUSR2);
	cpu = process_cpu_seconds(pid) - cpu;
	written = process_written_bytes(pid) - written;
	struct cost c = { .is_there = true, .rss = process_rss_mb(pid), .peak = process_peak_mb(pid) };
	load_figure("window");
	process_stop(pid);
	c.samples = load_figure("asked") * (double)o->series;
	c.missed = load_figure("missed");
	c.late_p99 = load_figure("late_p99");
	c.cpu = cpu / c.samples * 1e6;
	c.written = written / c.samples;
	c.disk = process_tree_bytes(process_file(s->store)) / (load_figure("asked_in_all") * (double)o->series);
	double load_cpu = load_figure("load_cpu");
	process_stop(load);
	tell(s, o, &c, load_cpu);
	process_remove_tree(process_file(s->store));
	return c;
}

/* ---- who ---- */

static const struct subject subjects[] = {
	{ .name = "pitwall", .start = start_pitwall, .profile = "generic", .store = "pitwall.db" },
	{ .name = "pitwall_signals", .start = start_pitwall, .profile = "vllm", .store = "signals.db" },
	{ .name = "prometheus", .program = "prometheus", .variable = "PITWALL_PROMETHEUS", .start = start_prometheus, .store = "prometheus" },
	{ .name = "prometheus_rules", .program = "prometheus", .variable = "PITWALL_PROMETHEUS", .start = start_prometheus, .profile = "vllm",
	  .store = "prometheus-rules" },
	{ .name = "victoria", .program = "victoria-metrics", .variable = "PITWALL_VICTORIA", .start = start_victoria, .store = "victoria" },
};
enum { PITWALL, PITWALL_SIGNALS, PROMETHEUS, PROMETHEUS_RULES, VICTORIA, SUBJECTS };
static_assert(sizeof subjects / sizeof subjects[0] == SUBJECTS, "a place for each");

static const char *program_of(const struct subject *s)
{
	if (s->program == NULL)
		return process_pitwall();
	const char *named = getenv(s->variable);
	const char *found = named != NULL && named[0] != '\0' ? named : process_in_path(s->program);
	return found != NULL && access(found, X_OK) == 0 ? found : NULL;
}

/* How many times as much the other costs. */
static void compare(const struct setting *o, const struct cost *costs, int ours, int other)
{
	const struct cost *a = &costs[ours], *b = &costs[other];
	const struct subject *s = &subjects[other];
	char what[80];
	const struct {
		const char *name;
		double      ratio;
	} rows[] = { { "cpu", b->cpu / a->cpu }, { "rss_peak", b->peak / a->peak }, { "written", b->written / a->written },
		     { "disk", b->disk / a->disk } };
	for (size_t i = 0; a->is_there && b->is_there && i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(what, sizeof what, "%s_times_%s", rows[i].name, subjects[ours].name);
		say(s, o, what, rows[i].ratio, "times");
	}
}

static void run(struct setting *o, const char *word)
{
	struct cost costs[SUBJECTS] = { 0 };
	for (int i = 0; i < SUBJECTS; i++) {
		const struct subject *s = &subjects[i];
		const char *program = program_of(s);
		if (word != NULL && strstr(s->name, word) == NULL)
			continue;
		if (program == NULL)
			fprintf(stderr, "bench_engine: '%s' is not installed, and %s does not name it: skipped\n", s->program, s->variable);
		else
			costs[i] = measure(s, o, program);
	}
	compare(o, costs, PITWALL, PROMETHEUS);
	compare(o, costs, PITWALL, VICTORIA);
	compare(o, costs, PITWALL_SIGNALS, PROMETHEUS_RULES);
}

static int64_t argument(int argc, char **argv, int at, int64_t most, int64_t otherwise)
{
	int64_t v = otherwise;
	if (argc > at && parse_i64(argv[at], 1, most, &v) != ERR_OK) {
		fprintf(stderr, "bench_engine: '%s' is no number from 1 to %lld\n", argv[at], (long long)most);
		exit(2);
	}
	return v;
}

int main(int argc, char **argv)
{
	struct setting o = { .seconds = argument(argc, argv, 1, 7 * 86400, 60), .nodes = argument(argc, argv, 2, LOAD_NODES_MAX, 1000),
		             .series = argument(argc, argv, 3, 20000, 500), .interval_s = argument(argc, argv, 4, 3600, 5),
		             .warm_up_s = argument(argc, argv, 5, 86400, 60) };
	const char *word = argc > 6 ? argv[6] : NULL;
	run(&o, word);
	if (argc <= 2) {
		o.nodes = 100;
		run(&o, word);
	}
	process_remove_folder();
	return 0;
}
