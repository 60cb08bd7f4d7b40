/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the driver `kubernetes` share. A workload is a row of a table and a *template*: the part of its spec that is its
 * version (spec.template; of an InferenceService spec.predictor). Two templates are the same when their canonical texts are: keys sorted,
 * nulls left out, without what controllers add. What is known of a workload at one instant is a struct kube_state; everything else is read
 * from the answers where they come.
 *
 * What a template holds may be secret: values of variables, words of commands, annotations. It stands in nothing that is written down (a
 * version's data, what was found, a step). There stand which object of the cluster holds it, a digest of it, and its masked form for people;
 * whoever sends it reads it anew (docs/decisions/0026-templates-are-read-when-they-are-sent.md). Digests are keyed with the uid of the object,
 * which is itself written down only as a digest: nobody tries weak secrets on what the store holds.
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

#define KUBE_RESTARTED_AT "kubectl.kubernetes.io/restartedAt"

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

/* Of notes: what a digest there is. Notes of before have none, and what they compare with is kube_hash_of_old. */
enum { KUBE_FORM = 2 };

/* ---- JSON (driver_kubernetes_json.c) ---- */

/* Keys in byte order, no blanks. ERR_FORMAT: a number that would not come out as it went in. Nulls are left out unless `keeps_nulls`. */
enum err    kube_canonical(const struct cJSON *tree, bool keeps_nulls, struct buf *to);
/* The same in the arena; NULL, and the arena has failed, where it can't be said or is too long. */
const char *kube_text(struct arena *a, const struct cJSON *tree, bool keeps_nulls);
/* A digest that nobody can try texts on who does not know the key. "" and the arena has failed for want of memory. */
void        kube_hash(struct arena *a, const char *key, const char *text, char to[KUBE_HASH]);
void        kube_hash_of_old(const char *text, char to[KUBE_HASH]);

enum kube_strip { KUBE_STRIP_RESTART = 1 /* the annotation of restarts */, KUBE_STRIP_IMAGES = 2, KUBE_STRIP_MODEL = 4 /* of a predictor: what it loads, its share of a canary */ };
/* The canonical text of a template without what the controller adds; NULL as above. */
const char *kube_template(struct arena *a, const struct kube_resource *r, const struct cJSON *template, unsigned strip);

/* "kubernetes://CONTEXT" + path of percent-encoded segments, as ask_url; and with a query parameter more, its value encoded. */
const char *kube_url(struct arena *a, const struct settings *s, const char *rest);
const char *kube_url_object(struct arena *a, const struct settings *s, const struct kube_resource *r, const char *plural,
                            const char *name /* NULL: the list */);
const char *kube_url_query(struct arena *a, const char *url, const char *key, const char *value);
void        kube_get(struct arena *a, const char *url, struct ask *to);
void        kube_patch(struct arena *a, const char *url, const char *type, const char *body, struct ask *to);
/* A member of the spec as JSON, as the server takes it where it is not there ("paused": false, "replicas": 1). */
const char *kube_value_text(struct arena *a, const struct cJSON *object, const char *member);
/* A patch's body with another resourceVersion; NULL as above. */
const char *kube_body_with_version(struct arena *a, const char *body, const char *resource_version);
/* The body of a patch that puts that template in the place of what is there, without what the controller adds; NULL as above. `cause` "": none is set. */
const char *kube_body(struct arena *a, enum kube_kind k, const struct cJSON *template, const char *resource_version, const char *cause);

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
/* Likewise of an answer to a body that a template stood in (NULL: none): what it holds is taken out of the server's words. */
enum kube_answer kube_read_without(const struct answer *a, const struct cJSON *template, struct cJSON **out, int64_t *wait_ms, char *to, size_t size);
/* The template in the body of a patch; NULL: none is. */
const struct cJSON *kube_template_in(const struct cJSON *body);

/* ---- state (driver_kubernetes_state.c) ---- */

struct kube_state {
	const char *uid, *resource_version;
	int64_t     generation;
	const char *template;  /* canonical; never written down */
	const char *rest_text; /* likewise the spec beside the template, replicas and pause left out */
	char        owner[KUBE_HASH]; /* of the uid */
	char        plain[KUBE_HASH]; /* of the template without what `sign` says by itself */
	char        rest[KUBE_HASH];
	const char *restarted; /* when it was last restarted, as kube_sign has it */
	const char *sign;      /* two templates of this workload are the same when these are */
	bool        is_paused;
};
/* ERR_FORMAT: it is no such object. */
enum err kube_state_read(struct arena *a, const struct kube_resource *r, const struct cJSON *o, struct kube_state *out, struct why *why);

/* "PLAIN@RESTARTED", of a predictor with "@CANARY@MODEL" besides (`model` NULL: it is none): so that a plan can say of a template that it has
 * not got what it will be. */
const char *kube_sign(struct arena *a, const char *plain, const char *restarted, int64_t canary, const char *model);
/* The annotation of restarts among those of a template, as it may be written down: a time as it is, anything else as a digest; "" none. */
const char *kube_restarted(struct arena *a, const char *uid, const struct cJSON *annotations);
/* What tells a model from another: where it is loaded from and what serves it. */
void        kube_model_id(struct arena *a, const char *uid, const char *storage, const char *image, char to[KUBE_HASH]);
/* The member of a predictor that says where its model comes from; NULL: none does. */
const struct cJSON *kube_framework(const struct cJSON *predictor);

/* ---- revisions ---- */

/* The template that a ReplicaSet or ControllerRevision holds; NULL: none. */
const struct cJSON *kube_held(enum kube_kind k, const struct cJSON *revision);
/* A digest of it that no other object has; "" where it can't be had. */
void                kube_held_digest(struct arena *a, enum kube_kind k, const struct cJSON *revision, char to[KUBE_HASH]);

/* ---- what is shown (driver_kubernetes_mask.c) ---- */

/* A copy of a template in which nothing stands that may be secret: only what is known to be harmless is kept, all else is "****". NULL: no
 * memory. The caller's to cJSON_Delete. */
struct cJSON *kube_masked(const struct cJSON *template);
/* Takes out of a text, in place, what a template holds and is masked of it, where it is 6 bytes or more: shorter ones are words of anybody's. False: no memory. */
bool          kube_redact(const struct cJSON *template, char *text);
/* Where two templates differ beside images and restarts: "containers[c].env[A].value, ..."; "" nowhere. Names, no values. */
const char   *kube_difference(struct arena *a, const struct cJSON *was, const struct cJSON *is);
/* Whether a place that a model is loaded from holds a login or a signature. */
bool          kube_is_secret_place(const char *uri);
/* The place without them. */
const char   *kube_shown_place(struct arena *a, const char *uri);

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

/* driver_kubernetes_actions.c: "pause", "scale=3", ... of that kind of workload. */
bool           kube_is_action(const struct settings *s, const char *word);
const struct driver_action *kube_action_at(const struct settings *s, size_t i);
enum look_turn kube_look(struct look *l, struct why *why);
enum err       kube_plan(struct planning *p, struct why *why);
void           kube_judge(const struct judging *j, struct verdict *v);
extern const struct lock_way kube_lock; /* driver_kubernetes_lock.c */

enum kube_tag {
	KUBE_TAG_PATCH,  /* changes the template, or only tries to: with a resourceVersion */
	KUBE_TAG_READY,  /* waits until the rollout has ended */
	KUBE_TAG_SEEN,   /* waits until the controller has seen the change */
	KUBE_TAG_POD,    /* deletes a pod */
	KUBE_TAG_STATUS, /* sets something that may be set twice */
	KUBE_TAG_VALUE,  /* sets a member of the spec, or only tries to: with a resourceVersion */
};

#endif
