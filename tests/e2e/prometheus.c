/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/prometheus.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tests/e2e/service.h"

enum { ANSWER_MAX = 64 << 20 };

struct prometheus {
	struct service *service;
	char            rules[96];
};

static const struct service_kind kind = {
	.title = "Prometheus", .variable = "PITWALL_PROMETHEUS", .names = { "prometheus", NULL }, .storage = "--storage.tsdb.path", .more = "--log.level=warn",
};

bool prometheus_is_there(void) { return service_is_there(&kind); }

const char *prometheus_rule_file(const struct prometheus *p) { return p->rules; }

struct cJSON *prometheus_query(struct prometheus *p, const char *expression, int64_t at_ms)
{
	struct buf answer, path;
	struct why why = { "" };
	cJSON *tree = NULL, *result = NULL;
	buf_init(&answer, ANSWER_MAX);
	buf_init(&path, 4096);
	buf_puts(&path, "/api/v1/query?query=");
	enum err e = service_put_escaped(&path, expression);
	if (e == ERR_OK && at_ms != 0)
		e = buf_printf(&path, "&time=%lld.%03d", (long long)(at_ms / 1000), (int)(at_ms % 1000));
	if (e == ERR_OK && service_ask(p->service, "GET", buf_text(&path), NULL, &answer) == 200 &&
	    json_parse(answer.data, answer.len, NULL, &tree, &why) == ERR_OK)
		result = cJSON_DetachItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(tree, "data"), "result");
	cJSON_Delete(tree);
	buf_release(&path);
	buf_release(&answer);
	return result;
}

enum err prometheus_new(struct prometheus **out, struct why *why)
{
	struct prometheus *p = calloc(1, sizeof *p);
	enum err e = p == NULL ? why_memory(why) : service_new(&kind, &p->service, why);
	if (e != ERR_OK) {
		free(p);
		return e;
	}
	snprintf(p->rules, sizeof p->rules, "%s/rules.yml", service_folder(p->service));
	*out = p;
	return ERR_OK;
}

enum err prometheus_start(struct prometheus *p, int port, const char *rules, struct why *why)
{
	char config[1024];
	snprintf(config, sizeof config,
	         "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
	         "rule_files: [ '%s' ]\n"
	         "scrape_configs:\n"
	         "  - job_name: j\n"
	         "    static_configs: [ { targets: [ '127.0.0.1:%d' ] } ]\n",
	         p->rules, port);
	enum err e = service_write(p->service, "config.yml", config, why);
	if (e == ERR_OK)
		e = service_write(p->service, "rules.yml", rules, why);
	return e == ERR_OK ? service_start(p->service, why) : e;
}

void prometheus_stop(struct prometheus *p)
{
	if (p == NULL)
		return;
	service_stop(p->service);
	free(p);
}
