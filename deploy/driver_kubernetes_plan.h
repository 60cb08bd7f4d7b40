/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan under way, and the steps that all kinds of workloads take. Private to the driver. */
#ifndef PITWALL_DEPLOY_DRIVER_KUBERNETES_PLAN_H
#define PITWALL_DEPLOY_DRIVER_KUBERNETES_PLAN_H

#include "deploy/driver_kubernetes.h"

enum { KUBE_SIGNS_MAX = 4 };

struct kube_making {
	struct planning            *p;
	enum kube_kind              kind;
	const struct kube_resource *resource;
	const char                 *name, *url; /* of the workload */
	struct cJSON               *before, *data; /* what was found; what goes with the version */
	const char                 *found, *rv; /* the sign of what was found */
	const char                 *signs[KUBE_SIGNS_MAX]; /* of the templates that the steps forward lead to */
	size_t                      n_signs;
};

/* A template that a step leads to. */
struct kube_aim {
	const char *body;   /* of the patch; where it is read when it is sent, masked */
	const char *type;
	const char *sign;
	const char *images; /* JSON: container to image; "{}" where that tells nothing */
	const char *source; /* the URL of the revision that holds it; NULL: the body is all */
	const char *digest; /* of what that holds */
	const char *called; /* its name */
};

/* A member of the spec beside the template. */
struct kube_value {
	const char *member;     /* "paused", "replicas" */
	const char *was, *will; /* JSON: set from the one to the other, and from nothing else */
};

/* cJSON leaves out what it has no memory for: a change without what guards it must never be made. The paths end with NULL. */
void kube_must_have(struct kube_making *m, const struct cJSON *o, ...) __attribute__((sentinel));

/* One that changes the template from one of the signs to the aim's. */
void kube_plan_add_patch(struct kube_making *m, struct steps *to, const char *title, const struct kube_aim *aim, const char *const *from, size_t n_from,
                         bool is_trial);
void kube_plan_add_change(struct kube_making *m, const char *title, const struct kube_aim *aim, const char *const *from, size_t n_from); /* tried first, then done */
void kube_plan_add_way_back(struct kube_making *m, const char *title, const struct kube_aim *aim); /* from all that the steps forward lead to */
void kube_plan_add_wait(struct kube_making *m, struct steps *to, enum phase phase, enum kube_tag tag, const char *title, const struct kube_aim *aim);
void kube_plan_add_ready(struct kube_making *m, struct steps *to, const struct kube_aim *aim);
void kube_plan_add_set(struct kube_making *m, struct steps *to, const char *title, const char *sub, const char *body, const struct kube_aim *aim); /* may be set twice; `sub`: "status" or "" */
void kube_plan_add_value(struct kube_making *m, struct steps *to, const char *title, const struct kube_value *value, const struct kube_aim *aim);
void kube_plan_try_value(struct kube_making *m, const char *title, const struct kube_value *value, const struct kube_aim *aim); /* forward: tried first, then done */
void kube_plan_aim_found(struct kube_making *m, struct kube_aim *out); /* the template stays as it is */
void kube_plan_remember(struct kube_making *m, const char *sign);
const char *kube_plan_second(struct kube_making *m); /* now, in whole seconds */
const char *kube_plan_restarted(const struct kube_making *m); /* when it was last restarted; "" never, or nobody knows */
void kube_plan_rollout_verb(struct kube_making *m, const char *word); /* of a Rollout: restart, promote, retry */

/* driver_kubernetes_actions.c */
enum err kube_plan_action(struct kube_making *m, const char *word, struct why *why);

/* driver_kubernetes_inference.c */
/* To that share of the traffic for the newest revision; -1: all. */
void     kube_plan_traffic(struct kube_making *m, const char *title, int64_t canary);
enum err kube_plan_inference(struct kube_making *m, bool is_back, struct why *why);

#endif
