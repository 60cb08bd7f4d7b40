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
	const char                 *stable; /* of a Rollout: the pod hash that is stable */
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
void     kube_found_pods(struct look *l, struct kube_finding *f, const struct cJSON *list /* likewise */);
enum err kube_found_end(struct look *l, struct kube_finding *f, struct why *why);

#endif
