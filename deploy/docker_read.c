/* SPDX-License-Identifier: Apache-2.0
 *
 * A container as inspect tells of it. */
#include "deploy/docker.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

enum { TEXT_LIMIT = 4096 };

static const char *text_at(struct arena *a, const struct cJSON *o, const char *key)
{
	const char *text = "";
	struct why why;
	if (json_get_string(o, key, TEXT_LIMIT, &text, &why) != ERR_OK)
		text = "";
	const char *copy = arena_text(a, text);
	return copy != NULL ? copy : "";
}

/* -1 there means that it is waited for without end. */
static int64_t stop_timeout(const struct cJSON *config)
{
	int64_t n;
	struct why why;
	if (json_get_i64(config, "StopTimeout", -1, INT32_MAX, &n, &why) != ERR_OK)
		return -1;
	return n < 0 || n > DOCKER_STOP_MAX_S ? DOCKER_STOP_MAX_S : n;
}

static int64_t number_at(const struct cJSON *o, const char *key, int64_t max, int64_t otherwise)
{
	int64_t n;
	struct why why;
	return json_get_i64(o, key, 0, max, &n, &why) == ERR_OK ? n : otherwise;
}

static bool is_set(const struct cJSON *o, const char *key) { return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key)); }

/* The year 1 stands for never. */
static int64_t time_at(struct arena *a, const struct cJSON *o, const char *key)
{
	const char *text = text_at(a, o, key);
	int64_t ms;
	struct why why;
	return strncmp(text, "0001-", 5) != 0 && parse_time(text, 0, &ms, &why) == ERR_OK && ms > 0 ? ms : 0;
}

const char *docker_label(const struct cJSON *labels, const char *key)
{
	const struct cJSON *at = cJSON_IsObject(labels) ? cJSON_GetObjectItemCaseSensitive(labels, key) : NULL;
	return cJSON_IsString(at) && at->valuestring != NULL && strlen(at->valuestring) < TEXT_LIMIT ? at->valuestring : "";
}

static const char *checked(const char *text, bool (*is_good)(const char *)) { return is_good(text) ? text : ""; }

static void read_state(struct arena *a, const struct cJSON *state, struct docker_container *out)
{
	const struct cJSON *health = cJSON_GetObjectItemCaseSensitive(state, "Health");
	const struct cJSON *log = cJSON_GetObjectItemCaseSensitive(health, "Log");
	out->status = text_at(a, state, "Status");
	out->error = text_at(a, state, "Error");
	out->is_running = is_set(state, "Running");
	out->was_killed = is_set(state, "OOMKilled");
	out->exit_code = number_at(state, "ExitCode", INT32_MAX, -1);
	out->pid = number_at(state, "Pid", INT32_MAX, 0);
	out->started_ms = time_at(a, state, "StartedAt");
	out->health = text_at(a, health, "Status");
	if (strcmp(out->health, "none") == 0)
		out->health = "";
	int n = cJSON_IsArray(log) ? cJSON_GetArraySize(log) : 0;
	out->health_said = n > 0 ? text_at(a, cJSON_GetArrayItem(log, n - 1), "Output") : "";
}

static void read_labels(struct arena *a, const struct cJSON *labels, struct docker_container *out)
{
	out->run = text_at(a, labels, DOCKER_RUN);
	out->previous = checked(text_at(a, labels, DOCKER_PREVIOUS), docker_is_image_id);
	out->known_as = checked(text_at(a, labels, DOCKER_IMAGE), docker_is_ref);
	out->project = text_at(a, labels, "com.docker.compose.project");
	out->service = text_at(a, labels, "com.docker.compose.service");
	out->config_hash = text_at(a, labels, "com.docker.compose.config-hash");
}

bool docker_read(struct arena *a, const struct cJSON *inspect, struct docker_container *out)
{
	const struct cJSON *config = cJSON_GetObjectItemCaseSensitive(inspect, "Config"),
			   *host = cJSON_GetObjectItemCaseSensitive(inspect, "HostConfig");
	const struct cJSON *policy = cJSON_GetObjectItemCaseSensitive(host, "RestartPolicy");
	const char *name = text_at(a, inspect, "Name");
	if (!cJSON_IsObject(inspect))
		return false;
	*out = (struct docker_container){ .id = checked(text_at(a, inspect, "Id"), docker_is_id),
		                          .name = checked(name[0] == '/' ? name + 1 : name, docker_is_name),
		                          .image = checked(text_at(a, inspect, "Image"), docker_is_image_id),
		                          .ref = checked(text_at(a, config, "Image"), docker_is_ref),
		                          .policy = text_at(a, policy, "Name"),
		                          .policy_retries = number_at(policy, "MaximumRetryCount", INT32_MAX, 0),
		                          .network_mode = text_at(a, host, "NetworkMode"),
		                          .restarts = number_at(inspect, "RestartCount", INT32_MAX, 0),
		                          .stop_s = stop_timeout(config),
		                          .removes_itself = is_set(host, "AutoRemove"),
		                          .created_ms = time_at(a, inspect, "Created") };
	read_state(a, cJSON_GetObjectItemCaseSensitive(inspect, "State"), out);
	read_labels(a, cJSON_GetObjectItemCaseSensitive(config, "Labels"), out);
	return out->id[0] != '\0' && out->name[0] != '\0' && out->image[0] != '\0' && out->status[0] != '\0';
}
