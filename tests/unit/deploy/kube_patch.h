/* SPDX-License-Identifier: Apache-2.0
 *
 * The API server's three ways to patch an object, as far as tests send them; each gives a new object, or NULL where the server would
 * refuse. */
#ifndef PITWALL_TESTS_KUBE_PATCH_H
#define PITWALL_TESTS_KUBE_PATCH_H

struct cJSON;

/* Lists of containers and volumes are merged by their items' names, others are replaced; "$patch": "replace" takes the place of what is
 * there; null deletes. */
struct cJSON *kube_patch_strategic(const struct cJSON *o, const struct cJSON *patch);
struct cJSON *kube_patch_merge(const struct cJSON *o, const struct cJSON *patch); /* RFC 7396 */
struct cJSON *kube_patch_json(const struct cJSON *o, const struct cJSON *patch);  /* RFC 6902: all but move and copy, in objects */

#endif
