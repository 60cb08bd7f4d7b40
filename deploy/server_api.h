/* SPDX-License-Identifier: Apache-2.0
 *
 * What the drivers of model servers (triton, torchserve, tfserving, vllm) share: where a server's interface is, what its JSON says, and which versions of a model it
 * knows. All that a server answers is hostile. */
#ifndef PITWALL_DEPLOY_SERVER_API_H
#define PITWALL_DEPLOY_SERVER_API_H

#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

#define SERVER_OPTIONS(standard_url)                                                                                                                           \
	{ "url", OPTION_TEXT, false, "", standard_url, "Where its interface is: `{url}` is the target's scheme, host and port, `{host}` its host, `{node}` the node. "  \
	                                           "At a loopback address that is not the target's, the machine itself asks." },                               \
	{ "model_name", OPTION_TEXT, false, "", "", "What the server calls the model; not given: what the fleet file does." }

struct server_api {
	const char *base;  /* scheme, host, port and what path was given, without a slash at its end */
	const char *model;
	bool        is_on_machine;
};

/* ERR_UNSUPPORTED: the unit has no target, and `url` needs one, or the machine is to be asked and none is known; ERR_FORMAT: it becomes no URL. */
enum err server_api_of(const struct settings *s, const struct unit *u, struct arena *a, struct server_api *out, struct why *why);
/* Of the text as it stands in the file: for a driver's check. */
enum err server_api_check(const struct settings *s, struct why *why);
/* A request; body NULL: none. timeout_ms 0: the usual. */
void server_ask(struct arena *a, const struct server_api *api, const char *method, const char *url, const char *body, int64_t timeout_ms, struct ask *to);
/* `url` with "?name=value&..." behind it, values percent-encoded; names and values alternate. */
const char *server_query(struct arena *a, const char *url, ...) __attribute__((sentinel));

/* NULL: no JSON, or cut. Freed by the caller. */
struct cJSON *server_json(const struct answer *a);
/* Why it was refused: `error` or `message` of the JSON, else the first line. Made safe. */
void server_said(const struct answer *a, char *to, size_t size);
/* False: no answer came, and `why` says so. */
bool server_answered(const struct look *l, const char *what, struct why *why);

/* ---- numbered versions: Triton, TensorFlow Serving ---- */

enum served_state { SERVED_UNKNOWN, SERVED_LOADING, SERVED_READY, SERVED_UNLOADING, SERVED_GONE, SERVED_FAILED };
struct served_version {
	int64_t           number;
	enum served_state state;
	const char       *reason;    /* of FAILED */
	bool              is_folder; /* seen in the repository */
};
struct served {
	struct served_version items[FOUND_VERSIONS_MAX]; /* the highest first */
	size_t                n;
};

/* A whole number from 1 on, as these servers number versions. */
bool served_number(const char *text, int64_t *out);
/* There already, or new; NULL: as many as are kept are higher. The pointer holds until the next call. */
struct served_version       *served_add(struct served *s, int64_t number);
const struct served_version *served_find(const struct served *s, int64_t number);
/* The highest that serves; NULL: none. */
const struct served_version *served_ready(const struct served *s);
/* Found versions from it; `running` 0: none. Where folders are known, only what has one is present. */
void served_found(struct look *l, const struct served *s, int64_t running, bool has_folders);

/* `ls` of a folder on the machine, and its numbered names. */
void served_ask_folders(struct arena *a, const char *folder, struct ask *to);
void served_read_folders(const struct answer *a, struct served *s);
/* The same of a look's last answer. False: it could not be listed, and a warning says so, and `then`: what is known all the same. */
bool served_take_folders(struct look *l, struct served *s, enum warning_level level, const char *then);

#endif
