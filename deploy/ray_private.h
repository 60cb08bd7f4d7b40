/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of ray_serve share. */
#ifndef PITWALL_DEPLOY_RAY_PRIVATE_H
#define PITWALL_DEPLOY_RAY_PRIVATE_H

#include "deploy/ray_serve.h"

/* What the pointer names, with the place of each of its segments; NULL: nothing, or it is not clear what. */
struct cJSON *ray_resolve(const struct cJSON *config, const char *pointer, size_t indexes[RAY_SEGMENTS_MAX], size_t *n);
/* The application of that name in a request's body; NULL: there is none. */
struct cJSON *ray_body_app(const struct cJSON *body, const char *name);

#endif
