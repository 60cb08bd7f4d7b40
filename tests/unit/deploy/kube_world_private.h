/* SPDX-License-Identifier: Apache-2.0
 *
 * What the API server (kube_world.c) and the controllers (kube_controllers.c) of a world have in common. */
#ifndef PITWALL_TESTS_UNIT_DEPLOY_KUBE_WORLD_PRIVATE_H
#define PITWALL_TESTS_UNIT_DEPLOY_KUBE_WORLD_PRIVATE_H

#include "tests/unit/deploy/kube_world.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OBJECTS_MAX = 64, REQUESTS_MAX = 256, FAULTS_MAX = 16, REFUSALS_MAX = 8 };

struct object {
	char  *collection;
	cJSON *o;
	int    stage; /* of the rollout under way */
};

struct request {
	char *line, *body;
};

struct fault {
	char            method[16];
	enum kube_fault kind;
	int             status, skip, times;
};

struct refusal {
	char begin[160], part[32], reason[32], message[512];
	int  status;
};

struct kube_world {
	struct object  objects[OBJECTS_MAX];
	size_t         n;
	long           version; /* of the store */
	int            made;
	struct request requests[REQUESTS_MAX];
	size_t         n_requests;
	struct fault   faults[FAULTS_MAX];
	size_t         n_faults;
	char           bad[64], denied[FAULTS_MAX][64], token[64];
	size_t         n_denied;
	struct refusal refusals[REFUSALS_MAX];
	size_t         n_refusals;
	int64_t        now_ms;
};

/* It changed: it has another resourceVersion. */
void           kube_world_bump(struct kube_world *w, cJSON *o);
/* Takes the object over. */
struct object *kube_world_put(struct kube_world *w, const char *collection, cJSON *o);
/* What its controller does next. False: it rests. */
bool           kube_world_step(struct kube_world *w, struct object *at);

/* ---- fields ---- */

static inline const char *str(const cJSON *o, const char *key)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return cJSON_IsString(at) ? at->valuestring : "";
}

static inline cJSON *sub(cJSON *o, const char *key)
{
	cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return at != NULL ? at : cJSON_AddObjectToObject(o, key);
}

static inline void set(cJSON *o, const char *key, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(o, key);
	cJSON_AddItemToObject(o, key, value);
}

static inline double number(const cJSON *o, const char *key, double standard)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(o, key);
	return cJSON_IsNumber(at) ? at->valuedouble : standard;
}

#endif
