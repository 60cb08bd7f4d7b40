/* SPDX-License-Identifier: Apache-2.0
 *
 * What Ray Serve tells of its applications, and the request that changes one of them. That request replaces the complete list: an application that is not in it is
 * deleted, and there is no version that it could be made conditional on. So its body is the answer's own text, application by application, with one value replaced. It may hold
 * secrets (variables, arguments): it is made of what was read just before it is sent, and stands in no plan. Part of driver ray.
 *
 * Source: Ray's serve/schema.py and the documentation of its REST API. All that is told is hostile. */
#ifndef PITWALL_DEPLOY_RAY_SERVE_H
#define PITWALL_DEPLOY_RAY_SERVE_H

#include "base/arena.h"
#include "base/err.h"
#include "deploy/ask.h"
#include "deploy/json_place.h"

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

enum { RAY_APPS_MAX = 100, RAY_NAME_MAX = 200, RAY_POINTER_MAX = 512, RAY_SEGMENTS_MAX = 16, RAY_LIST_MAX = 16 * 1024, RAY_VALUE_MAX = 1024, RAY_SHOWN_MAX = 24 * 1024 };

struct ray_app {
	const char         *name;
	const struct cJSON *item, *config; /* config: what it was deployed with */
	struct json_place   place;         /* the config's text */
};

/* Points into the answer's text, which must stay. */
struct ray_serve {
	struct cJSON  *tree;
	const char    *text;
	size_t         n, n_apps;
	struct ray_app apps[RAY_APPS_MAX];
};

/* ERR_UNSUPPORTED, ERR_FORMAT, ERR_LIMIT: no list that could be sent back whole, and why says why: what is not Ray Serve's, an application that was not deployed by a
 * configuration or is being deleted, names that are not clear. On success ray_serve_release gives it back. */
enum err ray_serve_read(const struct answer *a, struct ray_serve *out, struct why *why);
void     ray_serve_release(struct ray_serve *s); /* safe on a zeroed one */
/* NULL: there is none. */
const struct ray_app *ray_serve_find(const struct ray_serve *s, const char *name);
/* A line for each application: when it was deployed, and its name. Two that are alike: nobody has deployed in between. "": too long. */
const char *ray_serve_times(const struct ray_serve *s, struct arena *a);
/* What has changed between two of these, for people; "" nothing. Made safe. */
void ray_times_differ(const char *before, const char *now, char *to, size_t size);

/* ---- the value that says the version ---- */

/* A JSON pointer into an application's configuration: "/deployments/Translator/user_config/version". In a list an item is named by its "name", or by its place from 0. Refused:
 * what is none, and the places of names and of secrets. */
enum err ray_pointer_check(const char *pointer, struct why *why);
/* It is changed in place; else replicas are begun anew. */
bool     ray_pointer_is_in_place(const char *pointer);

struct ray_value {
	bool              is_number;
	const char       *text; /* of a number its digits; in the arena */
	struct json_place place;
};
/* ERR_NOT_FOUND: nothing is there, or it is not clear what; ERR_FORMAT: no text and no number, or too long. */
enum err ray_value_at(const struct ray_serve *s, const struct ray_app *app, const char *pointer, struct arena *a, struct ray_value *out, struct why *why);
/* The zip of a branch: what it holds changes by itself. */
bool ray_is_moving(const char *url);
/* One of those that the application's configuration names, safe to show; "" none. */
void ray_app_moving(const struct ray_app *app, char *to, size_t size);

/* ---- the request ---- */

/* Its body: `app` with `text` for its value, the others as they are. What was made is read again and compared. ERR_LIMIT, ERR_FORMAT. */
enum err ray_body(const struct ray_serve *s, const struct ray_app *app, const char *pointer, const struct ray_value *value, const char *text, struct arena *a, const char **out, struct why *why);
/* The same for people, of what is known to be harmless; all else is "****". "": it is too long. */
const char *ray_shown(const struct ray_serve *s, const struct ray_app *app, const char *pointer, struct arena *a);
/* What ray_shown made, with another value. "": damaged. */
const char *ray_shown_with(const char *shown, const char *app, const char *pointer, const char *text, bool is_number, struct arena *a);

/* ---- how it is ---- */

struct ray_state {
	bool   is_running; /* RUNNING, and each of its deployments HEALTHY */
	bool   has_failed; /* DEPLOY_FAILED: Ray goes on trying */
	size_t n_replicas, n_up;
	char   text[240];  /* a sentence, made safe */
};
void ray_state_of(const struct ray_app *app, struct ray_state *out);

#endif
