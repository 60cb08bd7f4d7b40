/* SPDX-License-Identifier: Apache-2.0
 *
 * A Kubernetes API server with its controllers, in memory, that behaves as a real one was seen to: resourceVersions and conflicts,
 * strategic, merge and JSON patches, dry runs, ReplicaSets and ControllerRevisions that are taken up again with a new number, rollouts that
 * go on by a step each time that somebody looks, Status objects for what goes wrong, and what goes wrong on demand. It shares no code with
 * the driver. tests/unit/deploy/kube_server.h puts it on a socket. */
#ifndef PITWALL_TESTS_KUBE_WORLD_H
#define PITWALL_TESTS_KUBE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct kube_world;

struct kube_world *kube_world_new(void);
void               kube_world_free(struct kube_world *w);

/* Adds an object to a collection ("/apis/apps/v1/namespaces/serving/deployments"): uid, resourceVersion, generation and times are given
 * where they are not there. Controllers have settled when this returns. */
struct cJSON *kube_world_add(struct kube_world *w, const char *collection, const char *json);
struct cJSON *kube_world_find(struct kube_world *w, const char *path); /* NULL: none */
/* Somebody else changes it: a merge patch without a precondition. */
void kube_world_change(struct kube_world *w, const char *path, const char *patch);
/* Somebody changes its status alone: another resourceVersion, the same generation. */
void kube_world_touch(struct kube_world *w, const char *path);
/* Runs controllers until nothing changes. */
void kube_world_settle(struct kube_world *w);

/* Images with this in their name never become ready. */
void kube_world_breaks(struct kube_world *w, const char *image_part);
/* Answers of access reviews on that verb and resource. */
void kube_world_denies(struct kube_world *w, const char *verb, const char *resource);
/* Only that token is known; NULL: nobody is asked for one. */
void kube_world_token(struct kube_world *w, const char *token);

enum kube_fault {
	KUBE_FAULT_STATUS,  /* a Status object of `status` */
	KUBE_FAULT_TEXT,    /* the status with a page that is no JSON */
	KUBE_FAULT_STALE,   /* somebody is faster: the object gets another resourceVersion first */
	KUBE_FAULT_SILENT,  /* it is done, and the answer never comes */
	KUBE_FAULT_LOST,    /* it is not done, and no answer comes */
};
/* The next `times` requests of that method fare so, once `skip` of them have gone well. */
void kube_world_fault(struct kube_world *w, const char *method, enum kube_fault fault, int status, int skip, int times);

/* Requests that begin so ("POST /apis/coordination.k8s.io/") and hold `part` in their target ("dryRun=All", "" all) are refused in these words from now on. */
void kube_world_refuses(struct kube_world *w, const char *method_and_part, const char *part, int status, const char *reason, const char *message);
/* What its clock says; 0: it does not say. */
void kube_world_clock(struct kube_world *w, int64_t now_ms);

struct kube_reply {
	int         status;
	char       *text; /* owned: free() */
	const char *type;
	int         retry_after; /* seconds; 0: not said */
	bool        is_silent;
	int64_t     date_ms;     /* 0: not said */
};
/* `target` is path and query as sent. */
void kube_world_handle(struct kube_world *w, const char *method, const char *target, const char *type, const char *authorization,
                       const char *body, struct kube_reply *out);

/* What was asked, "METHOD target", in its order; and the bodies. NULL: not so many. */
const char *kube_world_request(const struct kube_world *w, size_t i);
const char *kube_world_body(const struct kube_world *w, size_t i);
size_t      kube_world_count(const struct kube_world *w, const char *method_and_part); /* requests that begin so ("PATCH /apis") */
void        kube_world_forget(struct kube_world *w); /* the requests so far */

#endif
