/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/deploy_peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/server.h"

enum { REQUESTS_RATE = 20 };

struct peer_node {
	int     version;
	int64_t load_ms, ready_ms; /* by the monotonic clock */
};

struct deploy_peer {
	pthread_mutex_t  mutex; /* guards what follows but `server` */
	struct peer_node nodes[DEPLOY_PEER_NODES];
	int              n;
	int64_t          first_us;
	struct server   *server;
};

static void need(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_deploy: %s\n", why->text);
	exit(1);
}

/* ---- what they answer ---- */

static void answer_metrics(const struct peer_node *n, int64_t now_ms, struct reply *to)
{
	to->type = "text/plain; version=0.0.4";
	buf_printf(to->body,
	           "# TYPE nv_inference_request_success counter\nnv_inference_request_success{model=\"ranker\",version=\"%d\"} %lld\n"
	           "# TYPE nv_inference_request_failure counter\nnv_inference_request_failure{model=\"ranker\",version=\"%d\",reason=\"OTHER\"} 0\n"
	           "# TYPE nv_inference_request_summary_us summary\nnv_inference_request_summary_us{model=\"ranker\",version=\"%d\",quantile=\"0.99\"} 12000\n",
	           n->version, (long long)(now_ms * REQUESTS_RATE / 1000), n->version, n->version);
}

static void answer_deployment(struct deploy_peer *p, struct peer_node *n, const struct request *r, int64_t now_ms, struct reply *to)
{
	to->type = "application/json";
	if (strcmp(r->method, "POST") == 0) {
		p->first_us = p->first_us == 0 ? clock_mono_us(clock_system()) : p->first_us;
		n->version = strstr(r->body, "\"1\"") != NULL ? 1 : 2;
		n->ready_ms = now_ms + n->load_ms;
		to->status = 202;
		buf_puts(to->body, "{}\n");
	} else if (now_ms < n->ready_ms) {
		buf_puts(to->body, "{\"running\":\"\",\"versions\":[\"2\",\"1\"]}\n");
	} else {
		buf_printf(to->body, "{\"running\":\"%d\",\"versions\":[\"2\",\"1\"]}\n", n->version);
	}
}

static void answer(void *context, size_t endpoint, const struct request *r, struct reply *to)
{
	struct deploy_peer *p = context;
	struct peer_node *n = &p->nodes[endpoint];
	int64_t now_ms = clock_mono_ms(clock_system());
	to->status = 200;
	pthread_mutex_lock(&p->mutex);
	if (strcmp(r->path, "/deployment") == 0)
		answer_deployment(p, n, r, now_ms, to);
	else if (now_ms < n->ready_ms)
		to->status = 503;
	else
		answer_metrics(n, now_ms, to);
	pthread_mutex_unlock(&p->mutex);
}

static bool is_open(void *context, size_t endpoint)
{
	(void)context, (void)endpoint;
	return true;
}

/* ---- life ---- */

struct deploy_peer *deploy_peer_start(int n, int n_old)
{
	struct deploy_peer *p = calloc(1, sizeof *p);
	struct why why = { "out of memory" };
	need(p == NULL || n > DEPLOY_PEER_NODES ? ERR_MEMORY : ERR_OK, &why);
	const struct server_handler handler = { .context = p, .answer = answer, .is_open = is_open };
	pthread_mutex_init(&p->mutex, NULL);
	p->n = n;
	for (int i = 0; i < n; i++)
		p->nodes[i].version = i < n - n_old ? 2 : 1;
	need(server_new((size_t)n, 0, &handler, &p->server, &why), &why);
	need(server_start(p->server, &why), &why);
	return p;
}

void deploy_peer_stop(struct deploy_peer *p)
{
	server_free(p->server);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

void deploy_peer_write_fleet(const struct deploy_peer *p, const char *path, const char *interval, const char *deploy)
{
	FILE *f = fopen(path, "w");
	need(f == NULL ? ERR_IO : ERR_OK, &(struct why){ "the fleet file cannot be written" });
	fprintf(f, "fleet: bench\ndefaults: { interval: %s, timeout: 1s }\nalerts: { builtin: false }\ngroups:\n"
	           "  - name: rankers\n    model: ranker\n    profile: triton\n    nodes:\n", interval);
	for (int i = 0; i < p->n; i++)
		fprintf(f, "      - { name: gpu-%03d, address: 127.0.0.1, endpoints: [ { profile: triton, port: %d, path: /metrics } ] }\n", i, server_port(p->server, (size_t)i));
	fprintf(f, "    deploy:\n      driver: http\n"
	           "      current: { url: \"{url}/deployment\", version: running }\n"
	           "      list: { url: \"{url}/deployment\", versions: versions }\n"
	           "      apply: { method: POST, url: \"{url}/deployment\", body: '{{\"version\":\"{version}\"}', repeatable: true }\n"
	           "      check_ready: { url: \"{url}/deployment\", check: { running: \"{version}\" } }\n%s", deploy);
	need(fclose(f) != 0 ? ERR_IO : ERR_OK, &(struct why){ "the fleet file cannot be written" });
}

void deploy_peer_set_load(struct deploy_peer *p, int i, int64_t ms)
{
	pthread_mutex_lock(&p->mutex);
	p->nodes[i].load_ms = ms;
	pthread_mutex_unlock(&p->mutex);
}

void deploy_peer_set_version(struct deploy_peer *p, int i, int version)
{
	pthread_mutex_lock(&p->mutex);
	p->nodes[i].version = version;
	pthread_mutex_unlock(&p->mutex);
}

int deploy_peer_version(struct deploy_peer *p, int i)
{
	pthread_mutex_lock(&p->mutex);
	int version = p->nodes[i].version;
	pthread_mutex_unlock(&p->mutex);
	return version;
}

int64_t deploy_peer_first_us(struct deploy_peer *p)
{
	pthread_mutex_lock(&p->mutex);
	int64_t us = p->first_us;
	pthread_mutex_unlock(&p->mutex);
	return us;
}

void deploy_peer_forget(struct deploy_peer *p)
{
	pthread_mutex_lock(&p->mutex);
	p->first_us = 0;
	pthread_mutex_unlock(&p->mutex);
}
