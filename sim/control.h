/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated servers can be told by their own control calls, with the quirks that are documented of them: Triton's repository API, TorchServe's management
 * API, TensorFlow Serving's models.config, vLLM's LoRA adapters and sleep, Ray Serve's list of applications around a vLLM. Each server knows its group's two versions.
 *
 * Unlike a real Triton or TorchServe a load answers at once, being served by the one thread of all of them; the index or the description tells the rest. A version
 * loads for some seconds in the background while the other serves on; an unload answers before it is over.
 *
 * What a test may set besides: POST /pitwall/restart (what is not kept in a file is forgotten), /pitwall/control {"mode": "explicit|none|poll"} (Triton), {"token": T}
 * (TorchServe: calls then need it as bearer; "": none), {"models_config": PATH} (TensorFlow Serving reads that file from then on), {"adapters": false} (vLLM), {"ray": true} (a vLLM is Ray Serve's from then on), {"ray_error": "before|after"} (the next list that is put is
 * answered with 500, before or after it was taken).
 *
 * Sources: Triton's extension_model_repository.md, TorchServe's management_api.md, TensorFlow Serving's serving_config.md and api_rest.md, vLLM's lora.md. */
#ifndef PITWALL_SIM_CONTROL_H
#define PITWALL_SIM_CONTROL_H

#include "sim/incident.h"
#include "sim/roster.h"
#include "sim/server.h"

#include <stdbool.h>

struct control_ray;
enum serving { SERVING_NOT, SERVING_LOADING, SERVING_READY, SERVING_UNLOADING };
enum { CONTROL_VERSIONS = 2 /* the group's own, and the next */, CONTROL_TEXT = 512, CONTROL_LABELS = 4, CONTROL_LABEL = 64, CONTROL_WORKERS = 8 };

struct control {
	bool is_begun; /* somebody told it something; until then what runs is the schedule's */
	struct {
		enum serving state;
		double       until_s; /* of LOADING and UNLOADING */
		bool         is_wanted, was_known, is_registered;
		int          workers; /* TorchServe's; READY once until_s is past */
	} versions[CONTROL_VERSIONS];
	enum { CONTROL_EXPLICIT, CONTROL_NONE, CONTROL_POLL } mode;
	int    standard; /* TorchServe's default */
	char   token[CONTROL_TEXT];
	char   file[CONTROL_TEXT]; /* models.config; "": what it was started with */
	double read_s;
	struct {
		char key[CONTROL_LABEL];
		int  version;
	} labels[CONTROL_LABELS];
	int  n_labels;
	char adapter[CONTROL_TEXT], adapter_path[CONTROL_TEXT];
	bool is_asleep, has_no_adapters;
	struct control_ray *ray; /* NULL: not Ray Serve's */
};

struct control_call {
	const struct group_spec *spec;
	const struct request    *request;
	double                   now_s, load_s;
	bool                     runs_next;
	struct deployment       *deployment;
};

/* What it holds; it is as at its beginning then. */
void control_release(struct control *c);
/* A new process: what stands in no file and on no command line is gone. */
void control_forget(struct control *c);

/* False: it is none of these calls. */
bool control_answer(struct control *c, const struct control_call *call, struct reply *to);

/* ---- inside: one of each kind. `c` is theirs to change; true: answered ---- */
bool control_triton(struct control *c, const struct control_call *call, struct reply *to);
bool control_torchserve(struct control *c, const struct control_call *call, struct reply *to);
bool control_tfserving(struct control *c, const struct control_call *call, struct reply *to);
bool control_vllm(struct control *c, const struct control_call *call, struct reply *to);
bool control_ray(struct control *c, const struct control_call *call, struct reply *to);

struct control_ray *control_ray_new(const struct control_call *call); /* NULL: no memory */
void                control_ray_free(struct control_ray *r);
void                control_ray_next(struct control_ray *r, const char *how);
int                 control_ray_running(struct control_ray *r, const struct control_call *call); /* -1: none of the group's versions */

void        control_say(struct reply *to, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool        control_is(const struct control_call *call, const char *method);
const char *control_version(const struct control_call *call, int which);
int         control_which(const struct control_call *call, const char *version, size_t n); /* -1: neither */
/* What stands behind "PREFIX MODEL" in the path ("/ready"); NULL: it is another path. */
const char *control_behind(const struct control_call *call, const char *prefix);
void        control_want(struct control *c, const struct control_call *call, unsigned wanted); /* bits 1 << version */
void        control_settle(struct control *c, const struct control_call *call);
/* The highest that is READY; -1: none. */
int         control_ready(const struct control *c);
/* A text of the body's JSON; false: there is none, or too long. */
bool        control_text(const struct control_call *call, const char *key, char to[CONTROL_TEXT]);

#endif
