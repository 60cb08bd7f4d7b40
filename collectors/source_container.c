/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers of Docker or Podman: by the command, or by curl over the engine's socket where only that is there. Both ways give one line of JSON a
 * container, in the shape of the engine's inspect. Start times are cAdvisor's container_start_time_seconds; what cAdvisor does not say has names
 * of its own in that family, all with the label `name` alone, so that a container that comes back from another image is the same series. */
#include "collectors/source_services.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "collectors/said.h"

enum { CONTAINERS_MAX = 256, NAME_MAX_BYTES = 256, IMAGE_TEXT = 128, STATE_TEXT = 16 };

static const char container_script[] =
	"(\n"
	"export LC_ALL=C\n"
	"full='{\"Id\":{{json .Id}},\"Name\":{{json .Name}},\"Image\":{{json .Image}},\"RestartCount\":{{json .RestartCount}},"
	"\"State\":{\"Status\":{{json .State.Status}},\"ExitCode\":{{json .State.ExitCode}},\"OOMKilled\":{{json .State.OOMKilled}},"
	"\"StartedAt\":{{json .State.StartedAt}},\"FinishedAt\":{{json .State.FinishedAt}}'\n"
	"health=',\"Health\":{{with .State.Health}}{\"Status\":{{json .Status}}}{{else}}null{{end}}'\n"
	"rest='},\"Config\":{\"Image\":{{json .Config.Image}},\"Labels\":{"
	"\"com.docker.compose.project\":{{json (index .Config.Labels \"com.docker.compose.project\")}},"
	"\"com.docker.compose.service\":{{json (index .Config.Labels \"com.docker.compose.service\")}}}}}'\n"
	"for tool in docker podman; do\n"
	"	command -v \"$tool\" >/dev/null 2>&1 || continue\n"
	"	ids=$(bounded \"$tool\" ps -aq --no-trunc 2>&1) || { printf '%s\\n' \"$ids\"; exit 1; }\n"
	"	ids=$(printf '%s\\n' \"$ids\" | grep -E '^[0-9a-f]{12,64}$' | head -n 256)\n"
	"	echo \"== engine $tool\"\n"
	"	[ -n \"$ids\" ] || exit 0\n"
	/* Podman before 4 has no .State.Health, and a template that fails prints nothing. One that was removed meanwhile fails too, behind the others. */
	"	bounded \"$tool\" inspect --type container --format \"$full$health$rest\" $ids && exit 0\n"
	"	bounded \"$tool\" inspect --type container --format \"$full$rest\" $ids\n"
	"	exit 0\n"
	"done\n"
	"run=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}\n"
	"for socket in \"$run/docker.sock\" \"$run/podman/podman.sock\" /var/run/docker.sock /run/podman/podman.sock; do\n"
	"	[ -S \"$socket\" ] || continue\n"
	"	[ -w \"$socket\" ] || { echo \"permission denied at the socket '$socket'\"; exit 1; }\n"
	"	command -v curl >/dev/null 2>&1 || { echo \"nothing to ask '$socket' with: neither docker, podman nor curl\"; exit 1; }\n"
	"	listed=$(bounded curl -sS --max-time 3 --unix-socket \"$socket\" 'http://localhost/containers/json?all=1&limit=32' 2>&1)\n"
	"	case $listed in '['*) ;; *) printf '%s\\n' \"$listed\" | head -c 400; exit 1 ;; esac\n"
	"	echo '== engine socket'\n"
	"	printf '%s\\n' \"$listed\" | tr '{' '\\n' | sed -n 's/^\"Id\":\"\\([0-9a-f]\\{12,64\\}\\)\".*/\\1/p' | head -n 32 | while read -r id; do\n"
	"		bounded curl -sS --max-time 3 --unix-socket \"$socket\" \"http://localhost/containers/$id/json\" 2>&1 </dev/null\n"
	"		echo\n"
	"	done\n"
	"	exit 0\n"
	"done\n"
	"exit 127\n"
	")\n";

/* ---- one container ---- */

struct container {
	const char *id, *name, *image, *image_id, *state, *health, *project, *service; /* lent by the tree; NULL: not said */
	int64_t restarts, exit_code;   /* -1: not said */
	int64_t started_ms, ended_ms;  /* 0: never, or not said */
	bool    is_oom_killed;
};

static const char *text_of(const cJSON *o, const char *key, size_t max)
{
	const char *s;
	return json_get_string(o, key, max, &s, NULL) == ERR_OK && s[0] != '\0' ? s : NULL;
}

/* RFC 3339; "0001-01-01T00:00:00Z" is never. */
static int64_t time_of(const cJSON *o, const char *key)
{
	const char *s = text_of(o, key, 64);
	int64_t ms;
	if (s == NULL || s[0] < '1' || s[0] > '9' || strchr(s, 'T') == NULL || parse_time(s, 0, &ms, NULL) != ERR_OK || ms < 0)
		return 0;
	return ms;
}

static bool read_container(const cJSON *tree, struct container *c)
{
	const cJSON *state = NULL, *config = NULL, *labels = NULL, *health = NULL;
	memset(c, 0, sizeof *c);
	c->restarts = c->exit_code = -1;
	if (json_get_object(tree, "State", &state, NULL) != ERR_OK)
		return false;
	if (json_get_object(tree, "Config", &config, NULL) == ERR_OK)
		json_get_object(config, "Labels", &labels, NULL);
	json_get_object(state, "Health", &health, NULL);
	c->id = text_of(tree, "Id", 64);
	c->name = text_of(tree, "Name", NAME_MAX_BYTES);
	c->image_id = text_of(tree, "Image", 256);
	c->image = text_of(config, "Image", 1024);
	c->state = text_of(state, "Status", STATE_TEXT);
	c->health = text_of(health, "Status", STATE_TEXT);
	c->project = text_of(labels, "com.docker.compose.project", 256);
	c->service = text_of(labels, "com.docker.compose.service", 256);
	json_get_i64(tree, "RestartCount", 0, INT32_MAX, &c->restarts, NULL);
	json_get_i64(state, "ExitCode", 0, INT32_MAX, &c->exit_code, NULL);
	json_get_bool(state, "OOMKilled", &c->is_oom_killed, NULL);
	c->started_ms = time_of(state, "StartedAt");
	c->ended_ms = time_of(state, "FinishedAt");
	if (c->name != NULL && c->name[0] == '/')
		c->name++;
	return c->id != NULL && c->name != NULL && c->state != NULL;
}

/* ---- memory ---- */

struct container_seen {
	uint64_t name, image_id; /* hashes: one who makes two alike spoils the events of his own machine */
	int64_t  restarts, started_ms;
	char     image[IMAGE_TEXT];
	bool     is_running, is_oom_killed, is_unhealthy;
};

struct container_memory {
	struct container_seen *seen;
	size_t n, cap;
	bool has_answered; /* there is an engine, and it once ran */
};

static void container_forget(void *memory)
{
	struct container_memory *m = memory;
	free(m->seen);
	*m = (struct container_memory){ 0 };
}

static struct container_seen *recall(struct container_memory *m, uint64_t name)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->seen[i].name == name)
			return &m->seen[i];
	return NULL;
}

/* Room for one more; where there is none, the one that stands first goes. NULL without memory. */
static struct container_seen *room(struct container_memory *m)
{
	if (m->n == CONTAINERS_MAX) {
		memmove(m->seen, m->seen + 1, (--m->n) * sizeof *m->seen);
	} else if (m->n == m->cap) {
		size_t cap = m->cap == 0 ? 8 : m->cap * 2;
		struct container_seen *more = realloc(m->seen, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		m->seen = more;
		m->cap = cap;
	}
	return &m->seen[m->n++];
}

/* ---- samples and events ---- */

static void put_samples(struct findings *out, const struct container *c)
{
	static const char *const states[] = { "created", "running", "paused", "restarting", "removing", "exited", "dead" };
	static const char *const healths[] = { "starting", "healthy", "unhealthy" };
	const char *const named[] = { "name", c->name, NULL };
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		findings_put(out, "container_state", strcmp(c->state, states[i]) == 0,
		             (const char *[]){ "name", c->name, "state", states[i], NULL });
	for (size_t i = 0; c->health != NULL && strcmp(c->health, "none") != 0 && i < sizeof healths / sizeof healths[0]; i++)
		findings_put(out, "container_health", strcmp(c->health, healths[i]) == 0,
		             (const char *[]){ "name", c->name, "health", healths[i], NULL });
	if (c->restarts >= 0)
		findings_put(out, "container_restarts_total", (double)c->restarts, named);
	if (c->started_ms > 0)
		findings_put(out, "container_start_time_seconds", (double)c->started_ms / 1000, named);
	if (c->exit_code >= 0 && strcmp(c->state, "exited") == 0)
		findings_put(out, "container_exit_code", (double)c->exit_code, named);
	findings_put(out, "container_oom_killed", c->is_oom_killed, named);
	findings_put(out, "container_info", 1,
	             (const char *[]){ "name", c->name, "id", c->id, "image", c->image, "image_id", c->image_id, "compose_project", c->project,
	                               "compose_service", c->service, NULL });
}

static const char *code_text(const struct container *c, char to[64])
{
	if (c->is_oom_killed)
		snprintf(to, 64, "killed, out of memory");
	else if (c->exit_code > 128 && c->exit_code < 192)
		snprintf(to, 64, "exit code %lld, signal %lld", (long long)c->exit_code, (long long)c->exit_code - 128);
	else if (c->exit_code >= 0)
		snprintf(to, 64, "exit code %lld", (long long)c->exit_code);
	else
		snprintf(to, 64, "exit code not known");
	return to;
}

static void tell(struct findings *out, const struct container *c, const struct container_seen *was, const struct container_seen *now)
{
	char how[64];
	const char *kind = "container";
	if (now->image_id != was->image_id && was->image_id != 0)
		findings_event(out, c->started_ms, FINDING_INFO, kind, "container '%s' has another image: '%s', before '%s'%s", c->name, now->image,
		               was->image, strcmp(now->image, was->image) == 0 ? " (the name means other content now)" : "");
	if (now->restarts > was->restarts && was->restarts >= 0)
		findings_event(out, c->started_ms, FINDING_WARN, kind, "container '%s' was restarted by its engine, %lld times so far%s", c->name,
		               (long long)now->restarts, now->is_oom_killed ? " (killed, out of memory)" : "");
	else if (now->is_running && now->started_ms > was->started_ms)
		findings_event(out, c->started_ms, FINDING_INFO, kind, "container '%s' was started", c->name);
	else if (was->is_running && !now->is_running)
		findings_event(out, c->ended_ms, c->exit_code == 0 && !c->is_oom_killed ? FINDING_INFO : FINDING_CRITICAL, kind,
		               "container '%s' is '%s': %s", c->name, c->state, code_text(c, how));
	else if (now->is_oom_killed && !was->is_oom_killed)
		findings_event(out, c->ended_ms, FINDING_CRITICAL, kind, "a process of container '%s' was killed, out of memory", c->name);
	if (now->is_unhealthy && !was->is_unhealthy)
		findings_event(out, 0, FINDING_WARN, kind, "container '%s' is unhealthy, says its health check", c->name);
	else if (was->is_unhealthy && c->health != NULL && strcmp(c->health, "healthy") == 0)
		findings_event(out, 0, FINDING_INFO, kind, "container '%s' is healthy again", c->name);
}

static void remember(struct container_memory *m, struct findings *out, const struct container *c)
{
	struct container_seen now = {
		.name = hash64(c->name, strlen(c->name), 0),
		.image_id = c->image_id != NULL ? hash64(c->image_id, strlen(c->image_id), 0) : 0,
		.restarts = c->restarts, .started_ms = c->started_ms, .is_oom_killed = c->is_oom_killed,
		.is_running = strcmp(c->state, "running") == 0 || strcmp(c->state, "paused") == 0,
		.is_unhealthy = c->health != NULL && strcmp(c->health, "unhealthy") == 0,
	};
	if (c->image != NULL)
		slice_copy(slice_of(c->image), now.image, sizeof now.image);
	struct container_seen *was = recall(m, now.name);
	if (was != NULL)
		tell(out, c, was, &now);
	else
		was = room(m);
	if (was != NULL)
		*was = now;
}

/* ---- the answer ---- */

struct reading {
	uint64_t ids[CONTAINERS_MAX];
	size_t   n, bad;
	bool     has_engine;
	struct slice other; /* the first line that is no container */
};

static bool is_new(struct reading *r, const char *id)
{
	uint64_t h = hash64(id, strlen(id), 0);
	for (size_t i = 0; i < r->n; i++)
		if (r->ids[i] == h)
			return false;
	if (r->n == CONTAINERS_MAX)
		return false;
	r->ids[r->n++] = h;
	return true;
}

static void take(struct reading *r, struct slice line, struct container_memory *m, struct findings *out)
{
	static const struct json_limits limits = { .bytes = 512 * 1024, .depth = 32, .values = 20000 };
	struct container c;
	cJSON *tree = NULL;
	if (json_parse(line.p, line.n, &limits, &tree, NULL) != ERR_OK || !read_container(tree, &c)) {
		r->bad++;
	} else if (is_new(r, c.id)) {
		put_samples(out, &c);
		remember(m, out, &c);
	}
	cJSON_Delete(tree);
}

/* What the commands and curl say when they cannot. */
static enum err trouble(const struct section *in, const struct reading *r, bool has_answered, struct why *why)
{
	struct slice all = said_of(in);
	if (in->status == 124)
		return why_set(why, ERR_FORMAT, "the container engine did not answer in time");
	if (slice_has(all, "ermission denied"))
		return why_set(why, ERR_FORMAT, "this user may not ask the container engine: add it to the group 'docker', or run rootless");
	/* Many machines have the tool and never ran the engine. */
	if (slice_has(all, "Cannot connect to") || slice_has(all, "onnection refused") || slice_has(all, "Couldn't connect"))
		return why_set(why, has_answered ? ERR_FORMAT : ERR_NOT_FOUND, "the container engine does not run, or answers elsewhere: %s",
		               SAFE(r->other));
	return why_set(why, ERR_FORMAT, "the container engine said '%s'", SAFE(r->other));
}

static enum err container_parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	(void)s;
	struct container_memory *m = memory;
	struct reading r = { .n = 0 };
	struct slice rest = said_of(in), line;
	if (in->status == 127)
		return ERR_NOT_FOUND;
	while (slice_line(&rest, &line)) {
		if (in->is_cut && rest.n == 0)
			break;
		if (line.n > 0 && line.p[0] == '{')
			take(&r, line, m, out);
		else if (slice_skip(&line, "== engine "))
			r.has_engine = true;
		else if (line.n > 0 && r.other.n == 0)
			r.other = line;
	}
	m->has_answered |= r.has_engine;
	if (!r.has_engine)
		return trouble(in, &r, m->has_answered, why);
	if (in->is_cut)
		return why_set(why, ERR_FORMAT, "the container engine said more than is read; the first %zu containers count", r.n);
	if (r.n == 0 && (r.other.n > 0 || r.bad > 0))
		return r.bad > 0 ? why_set(why, ERR_FORMAT, "%zu containers were told in another form than is known", r.bad) : trouble(in, &r, true, why);
	return ERR_OK;
}

const struct source container_source = {
	.name = "containers",
	.summary = "containers of Docker or Podman: state, health, restarts, image",
	.script = container_script,
	.every_ms = 15000,
	.absent_ms = 600000,
	.memory_size = sizeof(struct container_memory),
	.forget = container_forget,
	.parse = container_parse,
};
