/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests as the fleet file gives them, with {names} in them, and what they are to be answered. Part of driver http. */
#ifndef PITWALL_DEPLOY_HTTP_TEMPLATE_H
#define PITWALL_DEPLOY_HTTP_TEMPLATE_H

#include "base/yaml.h"
#include "deploy/driver.h"

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

struct http_template {
	struct ask  ask;
	const char *expects;      /* JSON of its own, for http_template_expects */
	bool        is_repeatable;
};

/* A request or a list of them as it stands in the file; NULL is fine. */
enum err http_template_check(const struct yaml_node *tree, const char *option, struct why *why);
/* One request. `values` as command_values makes them; "{url}" is `base`. ERR_FORMAT, ERR_UNSUPPORTED: a value that its place can't hold. */
enum err http_template_fill(struct arena *a, const struct yaml_node *tree, const char *const *values, const char *base, struct http_template *out, struct why *why);
/* False: the sentence says what is amiss; made safe. */
bool     http_template_expects(const char *expects, const struct answer *a, char *reason, size_t size);

/* What stands at "a.b.0.c"; NULL: nothing. "" is `o` itself. */
const struct cJSON *http_json_at(const struct cJSON *o, const char *path);
/* A text, number or boolean as text. False: none of these, or too long. */
bool http_json_text(const struct cJSON *o, char *to, size_t size);

#endif
