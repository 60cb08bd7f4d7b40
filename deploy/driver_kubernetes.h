/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the driver `kubernetes` share. A workload is a row of a table and a *template*: the part of its spec that is its version (spec.template; of an
 * InferenceService spec.predictor). Two templates are the same when their canonical texts are: keys sorted, nulls left out, without what controllers add.
 * What is known of a workload at one instant is a struct kube_state; everything else is read from the answers where they come.
 *
 * Answers are another's: each is parsed behind ceilings, freed before the call returns; texts that outlive it are copied into the arena. */
#ifndef PITWALL_DEPLOY_DRIVER_KUBERNETES_H
#define PITWALL_DEPLOY_DRIVER_KUBERNETES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum kube_kind { KUBE_DEPLOYMENT, KUBE_STATEFULSET, KUBE_DAEMONSET, KUBE_ROLLOUT, KUBE_INFERENCE, KUBE_KIND_COUNT };

struct kube_resource {
	const char *word;     /* of the option `kind` */
	const char *name;     /* "Deployment" */
	const char *group, *version, *plural;
	const char *history;  /* plural of what keeps its revisions */
	const char *revision; /* the annotation with a revision's number; NULL: the field `revision` */
	const char *label;    /* that the controller adds to templates; NULL: none */
	const char *patch;    /* media type of patches of the template */
	const char *part;     /* member of spec that is the template */
};
const struct kube_resource *kube_resource(enum kube_kind k);
/* The one of the options. */
enum kube_kind kube_kind_of(const struct settings *s);

enum { KUBE_HASH = 17 }; /* 16 hexadecimal digits and a NUL */

/* ---- JSON (driver_kubernetes_json.c) ---- */

/* Keys in byte order, no blanks. ERR_FORMAT: a number that would not come out as it went in. Nulls are left out unless `keeps_nulls`. */
enum err    kube_canonical(const struct cJSON *tree, bool keeps_nulls, struct buf *to);
/* The same in the arena; NULL, and the arena has failed, where it can't be said or is too long. */
const char *kube_text(struct arena *a, const struct cJSON *tree, bool keeps_nulls);
void        kube_hash(const char *text, char to[KUBE_HASH]);

enum kube_strip { KUBE_STRIP_RESTART = 1 /* the annotation of restarts */, KUBE_STRIP_IMAGES = 2 };
/* The canonical text of a template without what the controller adds; NULL as above. */
const char *kube_template(struct arena *a, const struct kube_resource *r, const struct cJSON *template, unsigned strip);

/* "kubernetes://CONTEXT" + path of percent-encoded segments, as ask_url; and with a query parameter more, its value encoded. */
const char *kube_url(struct arena *a, const struct settings *s, const char *rest);
const char *kube_url_object(struct arena *a, const struct settings *s, const struct kube_resource *r, const char *plural, const char *name /* NULL: the list */);
const char *kube_url_query(struct arena *a, const char *url, const char *key, const char *value);
void        kube_get(struct arena *a, const char *url, struct ask *to);
void        kube_patch(struct arena *a, const char *url, const char *type, const char *body, struct ask *to);
/* A patch's body with another resourceVersion; NULL as above. */
const char *kube_body_with_version(struct arena *a, const char *body, const char *resource_version);

const struct cJSON *kube_at(const struct cJSON *o, const char *path);                /* "spec.template"; NULL: not there */
const char         *kube_string(const struct cJSON *o, const char *path);            /* "" where not there */
int64_t             kube_number(const struct cJSON *o, const char *path, int64_t standard); /* likewise; clamped to what fits */
const char         *kube_annotation(const struct cJSON *o, const char *name);        /* "" */
/* Milliseconds of an RFC 3339 time; 0 where it is none. */
int64_t             kube_time(const char *text);

/* ---- answers ---- */

enum kube_answer {
	KUBE_OK,
	KUBE_AGAIN,    /* busy, or ill: 429, 5xx, expired */
	KUBE_CONFLICT, /* another version than the one meant */
	KUBE_LOGIN,    /* 401 */
	KUBE_NO,       /* any other: the sentence says why */
};
/* Reads an answer with a status. On KUBE_OK `out` is the object, the caller's to cJSON_Delete (NULL in: it is dropped); else `to`
 * has a sentence of the server's own words, cut, and `wait_ms` how long it asks to wait (0: it does not say). */
enum kube_answer kube_read(const struct answer *a, struct cJSON **out, int64_t *wait_ms, char *to, size_t size);

/* ---- state (driver_kubernetes_state.c) ---- */

struct kube_state {
	const char *uid, *resource_version;
	int64_t     generation;
	const char *template; /* canonical */
	char        hash[KUBE_HASH];  /* of it */
	char        rest[KUBE_HASH];  /* of the spec beside the template, replicas and pause left out */
	bool        is_paused;
};
/* ERR_FORMAT: it is no such object. */
enum err kube_state_read(struct arena *a, const struct kube_resource *r, const struct cJSON *o, struct kube_state *out, struct why *why);

/* Whether a rollout has come to its end, as kubectl (and Argo's plug-in) would say: done, again with a text and progress, failed. */
void kube_rollout(enum kube_kind k, const struct cJSON *o, struct verdict *v);
/* The image of a container of a template ("" name: the first); "" none. */
const char *kube_image(const struct cJSON *template, const char *container);
/* The tag or digest of an image: "v1", "sha256:..."; "" none. */
const char *kube_tag(const char *image);
/* "a=1,b in (x,y)" of a selector; ERR_FORMAT: one that we can't say. */
enum err kube_selector(struct arena *a, const struct cJSON *selector, const char **out, struct why *why);
/* What keeps pods from being ready, in words: "pod x-0: ImagePullBackOff"; "" nothing is seen. */
void kube_pods_trouble(const struct cJSON *list, const char *uid_of_owner, char *to, size_t size);
/* Resource names of GPUs that a template asks for; NULL: none. */
const char *kube_gpu(const struct cJSON *template);

/* ---- the driver's parts ---- */

enum look_turn kube_look(struct look *l, struct why *why);
enum err       kube_plan(struct planning *p, struct why *why);
void           kube_judge(const struct judging *j, struct verdict *v);

enum kube_tag {
	KUBE_TAG_PATCH,  /* changes the template, or only tries to: with a resourceVersion */
	KUBE_TAG_READY,  /* waits until the rollout has ended */
	KUBE_TAG_SEEN,   /* waits until the controller has seen the change */
	KUBE_TAG_POD,    /* deletes a pod */
	KUBE_TAG_STATUS, /* sets something that may be set twice */
};

#endif
