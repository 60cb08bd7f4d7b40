/* SPDX-License-Identifier: Apache-2.0
 *
 * What a look makes of a cluster's answers, one after the other. Private to the driver. */
#ifndef PITWALL_DEPLOY_DRIVER_KUBERNETES_FOUND_H
#define PITWALL_DEPLOY_DRIVER_KUBERNETES_FOUND_H

#include "deploy/driver_kubernetes.h"

enum { KUBE_STUCK_MAX = 4 };

/* The look's memory, in its arena. */
struct kube_finding {
	enum kube_kind              kind;
	const struct kube_resource *resource;
	struct kube_state           state;
	const char                 *selector;
	char                        running[KUBE_HASH]; /* the id of the version that runs */
	int64_t                     since_ms;           /* since when; 0: not known */
	const char                 *by, *update_revision, *image, *storage, *framework;
	const char                 *held;   /* as a version's data: the revision that holds the very template of now; NULL: none does */
	const char                 *images; /* JSON: container to image */
	const char                 *stable; /* of a Rollout: the pod hash that is stable */
	int64_t                     replicas;
	const char                 *scaler; /* the autoscaler that sets them; NULL: none is known */
	int64_t                     canary; /* of an InferenceService: canaryTrafficPercent, -1: not set */
	bool                        is_serverless, is_ordered, may_not_delete, is_moving;
	const char                 *rolled_out; /* of an InferenceService: the revision that gets what a canary does not */
	struct {
		const char *name, *uid, *revision;
	} stuck[KUBE_STUCK_MAX];
	size_t                      n_stuck;
	/* the conversation */
	struct ask                  asked;
	int                         tries;
	size_t                      review;
	bool                        is_waiting, was_refused;
};

enum err kube_found_object(struct look *l, struct kube_finding *f, const struct cJSON *o, struct why *why);
enum err kube_found_history(struct look *l, struct kube_finding *f, const struct cJSON *list /* NULL: not to be had */, struct why *why);
/* driver_kubernetes_revisions.c. One revision: they come newest first; `item` empty: the controller has not made it yet. */
void        kube_found_revision(struct look *l, struct kube_finding *f, const struct cJSON *item, const struct cJSON *template, int64_t revision);
enum err    kube_found_revisions(struct look *l, struct kube_finding *f, const struct cJSON *list, struct why *why);
bool        kube_is_ours(const struct kube_finding *f, const struct cJSON *item); /* the workload controls it */
void        kube_set_image(struct look *l, struct version *v, const char *image);
const char *kube_images(struct arena *a, const struct cJSON *template); /* {"vllm":"registry/vllm:v1"} */

void     kube_found_pods(struct look *l, struct kube_finding *f, const struct cJSON *list /* likewise */);
enum err kube_found_end(struct look *l, struct kube_finding *f, struct why *why);

#endif
