/* SPDX-License-Identifier: Apache-2.0
 *
 * How a Kubernetes cluster is logged in to, as kubectl finds it: kubeconfig files and their merging, contexts, client certificates, tokens, commands that give
 * credentials (exec plug-ins, client.authentication.k8s.io v1 and v1beta1), or a pod's service account. Credentials go over https alone.
 *
 * A kubeconfig can name programs to run: one that others may write is refused, and `exec_plugins` of the deployment says which programs may be. They run without a
 * shell and a terminal, their time and output are bounded.
 *
 * Threads: a worker's; it reads files and runs commands. */
#ifndef PITWALL_DEPLOY_KUBE_CONFIG_H
#define PITWALL_DEPLOY_KUBE_CONFIG_H

#include "base/err.h"
#include "deploy/login.h"
#include "deploy/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kube_exec { KUBE_EXEC_ALLOW, KUBE_EXEC_DENY, KUBE_EXEC_LIST };

enum {
	KUBE_EXEC_TIMEOUT_MS = 30 * 1000,
	KUBE_EXEC_OUTPUT_MAX = 512 * 1024,
	KUBE_FILES_MAX       = 32,
	KUBE_REUSE_MS        = 60 * 1000,      /* what comes from files is read again after that: tokens are replaced there */
	KUBE_REUSE_EXEC_MS   = 60 * 60 * 1000, /* of a command that names no end */
};

/* Where it is looked for. Texts are lent, "" where not set. */
struct kube_places {
	const char    *file;         /* must be there */
	const char    *list;         /* $KUBECONFIG: names parted by ':'; those that are not there are passed over */
	const char    *home;         /* for ~/.kube/config */
	const char    *host, *port;  /* of the API server as a pod sees it */
	const char    *account;      /* folder of a pod's service account: token, ca.crt */
	enum kube_exec exec;
	struct words   allowed;      /* KUBE_EXEC_LIST */
	int64_t        exec_timeout_ms; /* 0: KUBE_EXEC_TIMEOUT_MS */
	int64_t        now_ms;       /* wall */
};

/* Fills `out`, which is zeroes, for that context ("": the current one; where there is no kubeconfig at all, the pod's own cluster). ERR_NOT_FOUND: no kubeconfig, no
 * such context, cluster, user, file; ERR_FORMAT: a mistake in a file, with its line; ERR_DENIED: a file that others may write, or a command that is not allowed;
 * ERR_UNSUPPORTED: a way of login that we don't have; ERR_TIMEOUT, ERR_IO: the command. The sentence never holds a credential. On failure the caller releases `out`. */
enum err kube_login(const struct kube_places *p, const char *context, struct login *out, struct why *why);

/* The same for an ask's URL, "kubernetes://CONTEXT/...", and the settings of driver `kubernetes`, with what the environment says. A row of login.c. */
enum err kube_login_resolve(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why);

/* The server of a cluster without its query and the slashes at its end: "https://host/k8s/clusters/c-1". ERR_FORMAT: no http or https URL, or one with a user in it. */
enum err kube_server(const char *text, char **out, struct why *why);

/* ---- commands that give credentials (kube_exec.c) ---- */

struct kube_command {
	const char *const *argv; /* NULL-terminated; argv[0] looked up in PATH where it has no slash */
	const char *const *env;  /* NAME=VALUE, NULL-terminated: besides our own */
	const char        *version; /* "client.authentication.k8s.io/v1" */
	int64_t            timeout_ms, now_ms;
};
/* Runs it, and takes token or certificate and key from what it prints into `out`. */
enum err kube_command_login(const struct kube_command *c, struct login *out, struct why *why);
/* What it printed; `text` is wiped by the caller. */
enum err kube_credential_read(const char *text, size_t n, const char *version, int64_t now_ms, struct login *out, struct why *why);

#endif
