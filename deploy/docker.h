/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers of a Docker Engine (or Podman's API of the same form) that are made anew with another image: what the drivers `docker` and
 * `compose` share.
 *
 * The old container is never removed by the run that replaces it: it is stopped and renamed, and starting it is the way back. The new one
 * is created under a name of its own, with the run's key as a label, before anything is touched; by that label it is found again whatever
 * became of its name.
 *
 * What a container's environment and command line hold may be secret. They stand in no plan: the step that creates asks the engine for the
 * old container first and makes the request of the answer (docs/decisions/0018-recreating-containers.md).
 *
 * Sources: the Engine API's description (v1.41 to v1.47); moby's runconfig, which merges an image's configuration into a
 * container's; 20.10.24 as measured. */
#ifndef PITWALL_DEPLOY_DOCKER_H
#define PITWALL_DEPLOY_DOCKER_H

#include "base/buf.h"
#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum {
	DOCKER_API              = 41, /* 1.41: the level that is spoken where the engine still does */
	DOCKER_API_ALL_NETWORKS = 44, /* create takes more than one network from here on */
	DOCKER_NAME_MAX         = 128, /* bytes of a container's name that is worked with */
	DOCKER_REF_MAX          = 400,
	DOCKER_ID               = 64, /* digits */
	DOCKER_KEPT_MAX         = 32,
	DOCKER_NETWORKS_MAX     = 16,
	DOCKER_STOP_S           = 10, /* the engine's own, where a container says nothing */
	DOCKER_STOP_MAX_S       = 3600,
};

#define DOCKER_RUN      "io.pitwall.run"       /* the key of the run that made it */
#define DOCKER_PREVIOUS "io.pitwall.previous"  /* the image's id that ran before */
#define DOCKER_IMAGE    "io.pitwall.image"     /* repository and tag that the image was known by */

/* Option rows of both drivers. */
#define DOCKER_OPTIONS \
	{ "socket", OPTION_TEXT, false, "", "/var/run/docker.sock", \
	  "The engine's socket on the machine; rootless: `/run/user/UID/docker.sock`, Podman: `/run/podman/podman.sock`." }, \
	{ "pull", OPTION_CHOICE, false, "always|missing|never", "missing", \
	  "When the image is fetched from its registry. `always` has a redeploy of what runs fetch what its tag means by now." }, \
	{ "pull_command", OPTION_WORDS, false, "", "", \
	  "A command on the machine that fetches `{image}` instead of the engine's API: " \
	  "`[docker, pull, \"{image}\"]` uses the logins there." }, \
	{ "stop_timeout", OPTION_DURATION, false, "", "", \
	  "How long the old container may take to end before it is killed; without it what the container itself says, else 10s." }, \
	{ "stable", OPTION_DURATION, false, "", "10s", \
	  "How long one without a healthcheck must run, with the same process, before it counts as up." }, \
	{ "keep", OPTION_INTEGER, false, "1..30", "1", \
	  "How many earlier containers stay, stopped, as the way back; older ones are removed by the next run." }

/* Step tags, behind those of commands.h and systemd.h. */
enum {
	TAG_DOCKER_PULL = 100,
	TAG_DOCKER_PULLED,
	TAG_DOCKER_CREATE,
	TAG_DOCKER_CONNECT,
	TAG_DOCKER_STOP,
	TAG_DOCKER_POLICY,
	TAG_DOCKER_RENAME_OLD,
	TAG_DOCKER_RENAME_NEW,
	TAG_DOCKER_START,
	TAG_DOCKER_WAIT,
	TAG_DOCKER_REMOVE,
	TAG_DOCKER_STOP_OURS,
	TAG_DOCKER_POLICY_OURS,
	TAG_DOCKER_ASIDE,
	TAG_DOCKER_LAST
};

/* ---- docker.c: names, requests ---- */

bool docker_is_name(const char *name); /* [a-zA-Z0-9][a-zA-Z0-9_.-]* of DOCKER_NAME_MAX at most */
bool docker_is_id(const char *id);     /* 64 hexadecimal digits, in lower case */
bool docker_is_image_id(const char *id); /* "sha256:" and such */
bool docker_is_ref(const char *ref);   /* repository, tag and digest, or any of their beginnings, that needs no quoting anywhere */
/* The repository without tag and digest; the tag, "" where there is none. */
void docker_split(struct arena *a, const char *ref, const char **repo, const char **tag);

/* GET, POST, DELETE of http://localhost/v1.API/SEGMENT/SEGMENT/SEGMENT?QUERY. Empty segments are left out; `query` is encoded already, ""
 * none. */
struct docker_call {
	int         api;
	const char *socket, *method, *segments[3], *query, *body;
	int64_t     timeout_ms;
};
void        docker_ask(struct arena *a, const struct docker_call *c, struct ask *to);
const char *docker_encode(struct arena *a, const char *text); /* for a query */
const char *docker_tree_text(struct arena *a, const struct cJSON *tree); /* its JSON; "" where memory is short */
/* What the engine says of an error, made safe. */
void        docker_message(const struct answer *a, char *to, size_t size);
/* The answer's JSON, NULL: it is none, or cut. Free it with cJSON_Delete. */
struct cJSON *docker_json(const struct answer *a);

/* ---- docker_read.c ---- */

/* Of an inspect. Texts are never NULL and in the arena; hostile but for the names and ids, which are as checked above or "". */
struct docker_container {
	const char *id, *name, *image, *ref;   /* image: its id */
	const char *status, *health;           /* health: "" where there is no healthcheck */
	const char *health_said, *error;
	const char *policy, *network_mode;
	const char *run, *previous, *known_as; /* our labels */
	const char *project, *service, *config_hash;
	int64_t     exit_code, restarts, pid, stop_s; /* stop_s: -1 not said */
	int64_t     policy_retries;
	int64_t     started_ms, created_ms;    /* 0: never, not known */
	bool        is_running, was_killed, removes_itself;
};
bool docker_read(struct arena *a, const struct cJSON *inspect, struct docker_container *out);
const char *docker_label(const struct cJSON *labels, const char *key); /* lent; "" none */

/* ---- docker_create.c ---- */

/* Of an inspect of a container or image: its lists are short enough to be compared with each other. To be asked before all else here. */
bool docker_is_bounded(const struct cJSON *told);

/* What of the container is the image's own (equal to it), by name alone: so that the new image's own counts. */
struct cJSON *docker_of_image(const struct cJSON *inspect, const struct cJSON *image);

struct docker_birth {
	int                 api;
	const char         *key, *image; /* image: as the engine is to look it up */
	const char         *known_as;    /* "" none */
	const char         *image_id;    /* "" not known */
	const struct cJSON *of_image;
};
/* The body of the request. ERR_MEMORY; ERR_FORMAT: not what an engine answers. */
enum err docker_create_body(const struct cJSON *inspect, const struct docker_birth *b, struct cJSON **out, struct why *why);
/* Networks that create does not take (below API 1.44 all but the first): [{"name":..., "config":{...}}]. */
struct cJSON *docker_further_networks(const struct cJSON *inspect);
/* Sixteen hexadecimal digits of all that create takes, but for the image, our labels and the values of variables. */
const char *docker_config_hash(struct arena *a, const struct cJSON *inspect);

/* ---- docker_look.c ---- */

/* Which container: by name, or by labels ("key=value"), all of them. */
struct docker_choice {
	const char  *name; /* "" by labels */
	struct words labels;
};
enum look_turn docker_look(struct look *l, const struct docker_choice *c, struct why *why);

/* ---- docker_plan.c, docker_judge.c ---- */

enum err docker_check(const struct settings *s, struct why *why); /* what both drivers check of their options */
enum err docker_plan(struct planning *p, struct why *why);
bool     docker_judge(const struct judging *j, struct verdict *v); /* as systemd_judge */
/* Shared with compose's own way: the wait for what stands under a name or an id. `key` "": whoever made it; `image` "": of any image, else
 * of that id. */
struct step *docker_add_wait(struct planning *p, struct steps *to, const char *container, const char *key, const char *image);

/* As look leaves it for plan. Texts never NULL. */
struct docker_before {
	int         api;
	const char *id, *name, *image, *ref, *policy;
	int64_t     policy_retries, stop_s;
	bool        is_running;
	struct cJSON *tree; /* of_image, networks, kept, variables: cJSON_Delete */
};
bool docker_before_read(struct arena *a, const char *text, struct docker_before *out);

#endif
