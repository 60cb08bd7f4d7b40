/* SPDX-License-Identifier: Apache-2.0
 *
 * `exec` of a kubeconfig's user: what is run, with which words and environment, and whether it may. */
#include "deploy/kube_config_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "base/slurp.h"

enum { ARGS_MAX = 128 };

static const char api_v1[] = "client.authentication.k8s.io/v1", api_v1beta1[] = "client.authentication.k8s.io/v1beta1";

static enum err copy_text(const char *text, char **out, struct why *why)
{
	*out = strdup(text);
	return *out != NULL ? ERR_OK : why_memory(why);
}

static bool is_allowed(const struct kube_places *p, const char *command, const char *path)
{
	if (p->exec != KUBE_EXEC_LIST)
		return p->exec == KUBE_EXEC_ALLOW;
	for (size_t i = 0; i < p->allowed.n; i++)
		if (strcmp(p->allowed.items[i], command) == 0 || strcmp(p->allowed.items[i], path) == 0)
			return true;
	return false;
}

/* Plain scalars as JSON has them. */
static cJSON *json_of(const struct yaml_node *node)
{
	double v;
	cJSON *out;
	switch (node->kind) {
	case YAML_LIST:
		out = cJSON_CreateArray();
		for (size_t i = 0; i < node->n; i++)
			cJSON_AddItemToArray(out, json_of(node->items[i]));
		return out;
	case YAML_MAP:
		out = cJSON_CreateObject();
		for (size_t i = 0; i < node->n; i++)
			cJSON_AddItemToObject(out, node->keys[i]->text, json_of(node->items[i]));
		return out;
	case YAML_SCALAR:
		break;
	}
	if (yaml_is_null(node))
		return cJSON_CreateNull();
	if (node->is_plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
		return cJSON_CreateBool(node->text[0] == 't');
	if (node->is_plain && parse_f64(node->text, -1e300, 1e300, &v) == ERR_OK)
		return cJSON_CreateNumber(v);
	return cJSON_CreateString(node->text);
}

static void add_config(cJSON *to, const struct kube_part *cluster)
{
	const struct yaml_node *list = yaml_get(cluster->node, "extensions");
	for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->n; i++) {
		struct kube_part one = { cluster->file, list->items[i] };
		const struct yaml_node *extension = yaml_get(list->items[i], "extension");
		if (strcmp(kube_member(&one, "name"), "client.authentication.k8s.io/exec") == 0 && extension != NULL)
			cJSON_AddItemToObject(to, "config", json_of(extension));
	}
}

static enum err add_cluster(cJSON *spec, const struct kube_part *cluster, const struct login *l, struct why *why)
{
	struct buf pem, text;
	enum err e = ERR_OK;
	cJSON *o = cJSON_AddObjectToObject(spec, "cluster");
	cJSON_AddStringToObject(o, "server", l->base);
	if (l->server_name != NULL)
		cJSON_AddStringToObject(o, "tls-server-name", l->server_name);
	if (l->insecure_skip_verify)
		cJSON_AddTrueToObject(o, "insecure-skip-tls-verify");
	buf_init(&pem, LOGIN_PEM_MAX);
	buf_init(&text, 2 * LOGIN_PEM_MAX);
	if (l->ca_file != NULL)
		e = slurp(l->ca_file, LOGIN_PEM_MAX, &pem, NULL, why);
	else if (l->ca != NULL)
		buf_puts(&pem, l->ca);
	if (e == ERR_OK && pem.len > 0 && base64_encode(&text, buf_text(&pem), pem.len) == ERR_OK)
		cJSON_AddStringToObject(o, "certificate-authority-data", buf_text(&text));
	add_config(o, cluster);
	buf_release(&pem);
	buf_release(&text);
	return e;
}

/* "KUBERNETES_EXEC_INFO={...}" */
static enum err exec_info(const struct kube_part *exec, const struct kube_part *cluster, const struct login *l, const char *version,
			  char **out, struct why *why)
{
	struct buf text;
	enum err e = ERR_OK;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "kind", "ExecCredential");
	cJSON_AddStringToObject(o, "apiVersion", version);
	cJSON *spec = cJSON_AddObjectToObject(o, "spec");
	cJSON_AddFalseToObject(spec, "interactive");
	if (kube_member_is_true(exec, "provideClusterInfo"))
		e = add_cluster(spec, cluster, l, why);
	buf_init(&text, 4 * LOGIN_PEM_MAX);
	buf_puts(&text, "KUBERNETES_EXEC_INFO=");
	json_put_tree(&text, o);
	cJSON_Delete(o);
	if (e == ERR_OK && (*out = buf_take(&text)) == NULL)
		e = why_memory(why);
	buf_release(&text);
	return e;
}

struct words_of {
	const char *words[ARGS_MAX + 2];
	char       *owned[ARGS_MAX + 2];
	size_t      n, n_owned;
};

static void words_release(struct words_of *w)
{
	for (size_t i = 0; i < w->n_owned; i++) {
		explicit_bzero(w->owned[i], strlen(w->owned[i]));
		free(w->owned[i]);
	}
}

static enum err take_args(const struct kube_part *exec, struct words_of *w, struct why *why)
{
	const struct yaml_node *args = yaml_get(exec->node, "args");
	if (yaml_is_null(args))
		return ERR_OK;
	if (args->kind != YAML_LIST || args->n > ARGS_MAX)
		return kube_wrong(exec->file, args, why, "'args' must be a list of at most %d texts", ARGS_MAX);
	for (size_t i = 0; i < args->n; i++) {
		if (args->items[i]->kind != YAML_SCALAR)
			return kube_wrong(exec->file, args->items[i], why, "this must be a text");
		w->words[w->n++] = args->items[i]->text;
	}
	return ERR_OK;
}

static enum err take_env(const struct kube_part *exec, struct words_of *w, struct why *why)
{
	const struct yaml_node *env = yaml_get(exec->node, "env");
	if (yaml_is_null(env))
		return ERR_OK;
	if (env->kind != YAML_LIST || env->n > ARGS_MAX)
		return kube_wrong(exec->file, env, why, "'env' must be a list of at most %d names and values", ARGS_MAX);
	for (size_t i = 0; i < env->n; i++) {
		struct kube_part one = { exec->file, env->items[i] };
		const char *name = kube_member(&one, "name"), *value = kube_member(&one, "value");
		size_t n = strlen(name) + 1 + strlen(value) + 1;
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			return kube_wrong(exec->file, env->items[i], why, "this must have a 'name', without '=', and a 'value'");
		char *pair = malloc(n);
		if (pair == NULL)
			return why_memory(why);
		snprintf(pair, n, "%s=%s", name, value);
		w->words[w->n++] = w->owned[w->n_owned++] = pair;
	}
	return ERR_OK;
}

static enum err check_exec(const struct kube_places *p, const struct kube_part *exec, const char *path, struct why *why)
{
	const char *version = kube_member(exec, "apiVersion"), *mode = kube_member(exec, "interactiveMode"),
		   *command = kube_member(exec, "command");
	bool is_v1 = strcmp(version, api_v1) == 0;
	if (command[0] == '\0')
		return kube_wrong(exec->file, exec->node, why, "'exec' has no 'command'");
	if (!is_v1 && strcmp(version, api_v1beta1) != 0)
		return kube_wrong(exec->file, exec->node, why, "'apiVersion' of 'exec' must be %s or v1beta1, not '%.60s'", api_v1,
				  version);
	if (mode[0] == '\0' && is_v1)
		return kube_wrong(exec->file, exec->node, why, "'exec' of v1 needs 'interactiveMode'");
	if (mode[0] != '\0' && strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0 && strcmp(mode, "Always") != 0)
		return kube_wrong(exec->file, exec->node, why, "'interactiveMode' must be Never, IfAvailable or Always, not '%.40s'", mode);
	if (strcmp(mode, "Always") == 0)
		return why_set(why, ERR_UNSUPPORTED, "'%.100s', which gives the credentials, wants a terminal: here is none", command);
	if (!is_allowed(p, command, path))
		return why_set(why, ERR_DENIED, "the kubeconfig wants to run '%.200s' for credentials, which 'exec_plugins' does not allow",
			       command);
	return ERR_OK;
}

enum err kube_take_exec(const struct kube_places *p, const struct kube_part *exec, const struct kube_part *cluster, struct login *out,
			struct why *why)
{
	struct words_of argv = { 0 }, env = { 0 };
	char *path = NULL, *info = NULL;
	const char *command = kube_member(exec, "command"), *version = kube_member(exec, "apiVersion");
	enum err e = strchr(command, '/') != NULL ? kube_path(exec, command, &path, why) : copy_text(command, &path, why);
	e = e == ERR_OK ? check_exec(p, exec, path, why) : e;
	argv.words[argv.n++] = path;
	e = e == ERR_OK ? take_args(exec, &argv, why) : e;
	e = e == ERR_OK ? exec_info(exec, cluster, out, version, &info, why) : e;
	env.words[env.n++] = info;
	e = e == ERR_OK ? take_env(exec, &env, why) : e;
	if (e == ERR_OK) {
		const struct kube_command c = {
			.argv = argv.words, .env = env.words, .version = version, .timeout_ms = p->exec_timeout_ms, .now_ms = p->now_ms
		};
		e = kube_command_login(&c, out, why);
	}
	words_release(&env);
	free(path);
	free(info);
	return e;
}
