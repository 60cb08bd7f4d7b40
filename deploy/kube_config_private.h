/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that read kubeconfigs share. */
#ifndef PITWALL_DEPLOY_KUBE_CONFIG_PRIVATE_H
#define PITWALL_DEPLOY_KUBE_CONFIG_PRIVATE_H

#include "base/yaml.h"
#include "deploy/kube_config.h"

/* A part of a file. */
struct kube_part {
	const struct yaml      *file;
	const struct yaml_node *node;
};

/* A member that is a text; "" where it is not there. */
const char *kube_member(const struct kube_part *in, const char *key);
bool        kube_member_is_true(const struct kube_part *in, const char *key);
/* A path, from the folder of the file that it stands in; malloc'ed. */
enum err kube_path(const struct kube_part *in, const char *text, char **out, struct why *why);
/* ERR_FORMAT, with file and line in front. */
enum err kube_wrong(const struct yaml *file, const struct yaml_node *at, struct why *why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* `exec` of a user: runs it. `out` has the cluster already. */
enum err kube_take_exec(const struct kube_places *p, const struct kube_part *exec, const struct kube_part *cluster, struct login *out,
			struct why *why);

#endif
