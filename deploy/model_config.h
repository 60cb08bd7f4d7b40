/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorFlow Serving's models.config, protobuf's text format: read for its models, and one model's versions and labels changed in it. The new text takes the place of
 * all that the server knows, and a model that is not in it is unloaded: so every byte that need not change stays as it was, comments and other models too.
 *
 * Source: protobuf.dev/reference/protobuf/textformat-spec, model_server_config.proto of TensorFlow Serving 2.19. */
#ifndef PITWALL_DEPLOY_MODEL_CONFIG_H
#define PITWALL_DEPLOY_MODEL_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_CONFIG_BYTES = 20 * 1024, MODEL_CONFIG_MODELS = 500, MODEL_CONFIG_VERSIONS = 64, MODEL_CONFIG_LABELS = 32 };

enum model_policy { POLICY_LATEST /* also where none is given */, POLICY_ALL, POLICY_SPECIFIC };

struct text_node; /* of the parsed text: private */

struct model_config {
	const char             *name, *base_path; /* "" not given */
	enum model_policy       policy;
	int64_t                 versions[MODEL_CONFIG_VERSIONS]; /* of POLICY_SPECIFIC */
	size_t                  n_versions;
	struct {
		const char *key;
		int64_t     version;
	}                       labels[MODEL_CONFIG_LABELS];
	size_t                  n_labels;
	const struct text_node *node;
};

struct model_configs {
	struct model_config *items;
	size_t               n;
};

/* ERR_FORMAT: not such a text (why tells the line); ERR_LIMIT: a ceiling. All in the arena; `text` is lent as long as `out` is used. */
enum err model_config_read(struct arena *a, const char *text, size_t n, struct model_configs *out, struct why *why);

/* NULL: there is none, or (*is_twice) there are two of the name. */
const struct model_config *model_config_find(const struct model_configs *c, const char *name, bool *is_twice);
/* 0: there is no such label. */
int64_t model_config_label(const struct model_config *m, const char *key);

/* The text with `m` (of `text`) set to serve just these versions, and `label` to name `labelled` ("" leaves the labels; else letters, digits and '_'). What stands there
 * already is not touched. Read again before it is given out: ERR_UNSUPPORTED, where what it says then is not what was meant. */
enum err model_config_edit(struct arena *a, const char *text, size_t n, const struct model_config *m, const int64_t *versions, size_t n_versions, const char *label,
                           int64_t labelled, const char **out, struct why *why);

bool model_config_is_label(const char *label);

#endif
