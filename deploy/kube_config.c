/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/kube_config.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/json.h"
#include "base/num.h"
#include "base/slurp.h"
#include "base/yaml.h"

enum { PATH_BYTES = 4096, ARGS_MAX = 128, NAMES_SHOWN = 8, GROUPS_MAX = 8 };

static const char api_v1[] = "client.authentication.k8s.io/v1", api_v1beta1[] = "client.authentication.k8s.io/v1beta1";

/* The files in their order: of what several define, the first one's counts whole. */
struct config {
	const struct kube_places *p;
	struct yaml              *files[KUBE_FILES_MAX];
	size_t                    n;
};

/* A part of a file. */
struct part {
	const struct yaml      *file;
	const struct yaml_node *node;
};

static enum err wrong(const struct yaml *file, const struct yaml_node *at, struct why *why, const char *format, ...) __attribute__((format(printf, 4, 5)));
static enum err wrong(const struct yaml *file, const struct yaml_node *at, struct why *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	why_vset(why, ERR_FORMAT, format, args);
	va_end(args);
	return why_prefix(why, ERR_FORMAT, "%.200s:%d", yaml_file(file), at != NULL ? at->line : 1);
}

/* A member that is a text; "" where it is not there. */
static const char *text_of(const struct part *in, const char *key)
{
	const struct yaml_node *at = yaml_get(in->node, key);
	return at != NULL && at->kind == YAML_SCALAR && !yaml_is_null(at) ? at->text : "";
}

static bool is_true(const struct part *in, const char *key)
{
	return strcmp(text_of(in, key), "true") == 0;
}

/* ---- files ---- */

/* It can name programs that we run, and servers that we send credentials to. */
static enum err check_file(const char *path, const struct stat *st, struct why *why)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return why_set(why, ERR_DENIED, "kubeconfig '%.300s' belongs to another account", path);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return why_set(why, ERR_DENIED, "kubeconfig '%.300s' can be written by others; chmod go-w it", path);
	return ERR_OK;
}

static enum err add_file(struct config *c, const char *path, bool must_be, struct why *why)
{
	struct buf text;
	struct stat st;
	struct diagnostics d;
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(yaml_file(c->files[i]), path) == 0)
			return ERR_OK;
	if (c->n == KUBE_FILES_MAX)
		return why_set(why, ERR_LIMIT, "more than %d kubeconfig files", KUBE_FILES_MAX);
	buf_init(&text, YAML_BYTES_MAX);
	diagnostics_init(&d);
	enum err e = slurp(path, YAML_BYTES_MAX, &text, &st, why);
	if (e == ERR_NOT_FOUND && !must_be) {
		e = ERR_OK;
		goto out;
	}
	if (e == ERR_OK)
		e = check_file(path, &st, why);
	if (e == ERR_OK && (e = yaml_parse(buf_text(&text), text.len, path, &d, &c->files[c->n])) != ERR_OK)
		diagnostics_why(&d, e, why);
	else if (e == ERR_OK)
		c->n++;
	if (e == ERR_OK && yaml_root(c->files[c->n - 1])->kind != YAML_MAP && !yaml_is_null(yaml_root(c->files[c->n - 1])))
		e = wrong(c->files[c->n - 1], NULL, why, "this is no kubeconfig");
out:
	if (text.data != NULL)
		explicit_bzero(text.data, text.len); /* keys may stand in it; the tree's own copy goes with the tree */
	buf_release(&text);
	diagnostics_release(&d);
	return e;
}

static enum err add_list(struct config *c, const char *list, struct why *why)
{
	char path[PATH_BYTES];
	enum err e = ERR_OK;
	while (*list != '\0' && e == ERR_OK) {
		size_t n = strcspn(list, ":");
		if (n >= sizeof path)
			return why_set(why, ERR_RANGE, "a name in KUBECONFIG is too long");
		memcpy(path, list, n);
		path[n] = '\0';
		if (n > 0)
			e = add_file(c, path, false, why);
		list += n + (list[n] == ':');
	}
	return e;
}

static enum err find_files(struct config *c, struct why *why)
{
	char path[PATH_BYTES];
	const struct kube_places *p = c->p;
	if (p->file[0] != '\0') {
		bool is_home = strncmp(p->file, "~/", 2) == 0;
		int n = snprintf(path, sizeof path, "%s%s", is_home ? p->home : "", is_home ? p->file + 1 : p->file);
		return n > 0 && (size_t)n < sizeof path ? add_file(c, path, true, why) : why_set(why, ERR_RANGE, "the kubeconfig's name is too long");
	}
	if (p->list[0] != '\0')
		return add_list(c, p->list, why);
	int n = snprintf(path, sizeof path, "%s/.kube/config", p->home);
	if (p->home[0] == '\0' || n < 0 || (size_t)n >= sizeof path)
		return ERR_OK;
	return add_file(c, path, false, why);
}

static void drop_files(struct config *c)
{
	for (size_t i = 0; i < c->n; i++)
		yaml_discard(c->files[i]);
}

/* ---- names ---- */

/* The entry `name` of the list `list` ("clusters"), the part `member` of it ("cluster"). */
static bool find_named(const struct config *c, const char *list, const char *member, const char *name, struct part *out)
{
	for (size_t f = 0; f < c->n; f++) {
		const struct yaml_node *items = yaml_get(yaml_root(c->files[f]), list);
		for (size_t i = 0; items != NULL && items->kind == YAML_LIST && i < items->n; i++) {
			struct part entry = { c->files[f], items->items[i] };
			if (strcmp(text_of(&entry, "name"), name) != 0)
				continue;
			*out = (struct part){ c->files[f], yaml_get(items->items[i], member) };
			if (out->node == NULL)
				out->node = items->items[i];
			return true;
		}
	}
	return false;
}

static void put_names(const struct config *c, const char *list, struct buf *to)
{
	size_t n = 0;
	for (size_t f = 0; f < c->n; f++) {
		const struct yaml_node *items = yaml_get(yaml_root(c->files[f]), list);
		for (size_t i = 0; items != NULL && items->kind == YAML_LIST && i < items->n && n < NAMES_SHOWN; i++) {
			struct part entry = { c->files[f], items->items[i] };
			buf_printf(to, "%s%.60s", n++ > 0 ? ", " : "", text_of(&entry, "name"));
		}
	}
	if (n == 0)
		buf_puts(to, "none");
}

static enum err no_context(const struct config *c, const char *name, struct why *why)
{
	struct buf names;
	buf_init(&names, 4096);
	put_names(c, "contexts", &names);
	enum err e = why_set(why, ERR_NOT_FOUND, name[0] != '\0' ? "the kubeconfig has no context '%.100s'; it has %.300s" :
	                     "the kubeconfig names no current-context%.0s; it has %.300s", name, buf_text(&names));
	buf_release(&names);
	return e;
}

static const char *current_context(const struct config *c)
{
	for (size_t f = 0; f < c->n; f++) {
		struct part root = { c->files[f], yaml_root(c->files[f]) };
		if (text_of(&root, "current-context")[0] != '\0')
			return text_of(&root, "current-context");
	}
	return "";
}

/* ---- values ---- */

static enum err copy(const char *text, char **out, struct why *why)
{
	*out = strdup(text);
	return *out != NULL ? ERR_OK : why_memory(why);
}

/* A path, from the folder of the file that it stands in. */
static enum err path_of(const struct part *in, const char *text, char **out, struct why *why)
{
	const char *file = yaml_file(in->file), *slash = strrchr(file, '/');
	size_t folder = slash != NULL && text[0] != '/' ? (size_t)(slash - file) + 1 : 0, n = strlen(text);
	if (folder + n >= PATH_BYTES)
		return wrong(in->file, in->node, why, "a path is too long");
	char *path = malloc(folder + n + 1);
	if (path == NULL)
		return why_memory(why);
	memcpy(path, file, folder);
	memcpy(path + folder, text, n + 1);
	*out = path;
	return ERR_OK;
}

/* `KEY-data` as PEM text, or `KEY` as a path; neither: both stay NULL. */
static enum err pem_of(const struct part *in, const char *key, char **text, char **file, struct why *why)
{
	char name[64];
	struct buf bytes;
	snprintf(name, sizeof name, "%s-data", key);
	const char *data = text_of(in, name), *path = text_of(in, key);
	if (data[0] == '\0')
		return path[0] != '\0' ? path_of(in, path, file, why) : ERR_OK;
	buf_init(&bytes, LOGIN_PEM_MAX);
	size_t n = strlen(data);
	if (n / 4 * 3 + 4 >= LOGIN_PEM_MAX || buf_room(&bytes, n / 4 * 3 + 4) == NULL || base64_decode(&bytes, data, n) != ERR_OK ||
	    memchr(buf_text(&bytes), '\0', bytes.len) != NULL || strstr(buf_text(&bytes), "-----BEGIN ") == NULL) {
		if (bytes.data != NULL)
			explicit_bzero(bytes.data, bytes.len);
		buf_release(&bytes);
		return wrong(in->file, yaml_get(in->node, name), why, "'%s' is no PEM text in base 64, or longer than %d bytes", name, LOGIN_PEM_MAX);
	}
	*text = buf_take(&bytes);
	return *text != NULL ? ERR_OK : why_memory(why);
}

enum err kube_server(const char *text, char **out, struct why *why)
{
	size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0, n = strcspn(text, "?#");
	size_t host = scheme != 0 ? strcspn(text + scheme, "/?#") : 0;
	if (host == 0 || memchr(text + scheme, '@', host) != NULL)
		return why_set(why, ERR_FORMAT, "'server' must be an https or http URL without a user in it");
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == '\177')
			return why_set(why, ERR_FORMAT, "'server' has a blank or control character in it");
	while (n > scheme + 1 && text[n - 1] == '/')
		n--;
	*out = strndup(text, n);
	return *out != NULL ? ERR_OK : why_memory(why);
}

/* ---- the cluster ---- */

static enum err take_cluster(const struct part *in, struct login *out, struct why *why)
{
	if (text_of(in, "server")[0] == '\0')
		return wrong(in->file, in->node, why, "the cluster has no 'server'");
	if (text_of(in, "proxy-url")[0] != '\0') {
		wrong(in->file, yaml_get(in->node, "proxy-url"), why, "a proxy ('proxy-url') is not supported");
		return ERR_UNSUPPORTED;
	}
	enum err e = kube_server(text_of(in, "server"), &out->base, why);
	if (e != ERR_OK)
		return why_prefix(why, e, "%.200s:%d", yaml_file(in->file), yaml_get(in->node, "server")->line);
	e = pem_of(in, "certificate-authority", &out->ca, &out->ca_file, why);
	if (e != ERR_OK)
		return e;
	out->insecure_skip_verify = is_true(in, "insecure-skip-tls-verify");
	if (out->insecure_skip_verify && (out->ca != NULL || out->ca_file != NULL))
		return wrong(in->file, yaml_get(in->node, "insecure-skip-tls-verify"), why, "'insecure-skip-tls-verify' with a certificate authority makes no sense");
	const char *name = text_of(in, "tls-server-name");
	return name[0] != '\0' ? copy(name, &out->server_name, why) : ERR_OK;
}

/* ---- the user ---- */

static enum err read_token(const char *path, struct login *out, struct why *why)
{
	const struct secret_source from = { .kind = SECRET_FILE, .name = path };
	out->auth = LOGIN_BEARER;
	return secret_read(&from, 0, &out->secret, why);
}

/* The file's, which is replaced from time to time; else the one that stands there. */
static enum err take_token(const struct part *in, struct login *out, struct why *why)
{
	const char *token = text_of(in, "token"), *file = text_of(in, "tokenFile");
	char *path = NULL;
	enum err e = ERR_NOT_FOUND;
	if (file[0] != '\0' && (e = path_of(in, file, &path, why)) == ERR_OK)
		e = read_token(path, out, why);
	free(path);
	if (token[0] == '\0' || e == ERR_OK)
		return file[0] != '\0' ? e : ERR_OK;
	out->auth = LOGIN_BEARER;
	e = secret_of(token, strlen(token), &out->secret, why);
	return e == ERR_OK ? e : why_prefix(why, e, "%.200s:%d: 'token'", yaml_file(in->file), yaml_get(in->node, "token")->line);
}

static enum err take_basic(const struct part *in, struct login *out, struct why *why)
{
	const char *password = text_of(in, "password");
	if (out->auth != LOGIN_NONE)
		return wrong(in->file, in->node, why, "a user has either a token or a name and password, not both");
	out->auth = LOGIN_BASIC;
	enum err e = copy(text_of(in, "username"), &out->user, why);
	return e == ERR_OK ? secret_of(password, strlen(password), &out->secret, why) : e;
}

static enum err take_certificate(const struct part *in, struct login *out, struct why *why)
{
	enum err e = pem_of(in, "client-certificate", &out->cert, &out->cert_file, why);
	e = e == ERR_OK ? pem_of(in, "client-key", &out->key, &out->key_file, why) : e;
	if (e == ERR_OK && (out->cert != NULL || out->cert_file != NULL) != (out->key != NULL || out->key_file != NULL))
		e = wrong(in->file, in->node, why, "the user has a client certificate or a key without the other");
	return e;
}

/* Acting as another: headers that go with each request. */
static enum err add_header(const struct part *in, struct login *out, const char *name, const char *value, struct why *why)
{
	if (value[0] == '\0' || strpbrk(value, "\r\n") != NULL)
		return wrong(in->file, in->node, why, "'%s' must be one line", name);
	if (out->n_headers == LOGIN_HEADERS_MAX)
		return wrong(in->file, in->node, why, "more than %d groups and extras to act as", LOGIN_HEADERS_MAX);
	size_t n = strlen(name) + 2 + strlen(value) + 1;
	char *header = malloc(n);
	if (header == NULL)
		return why_memory(why);
	snprintf(header, n, "%s: %s", name, value);
	out->headers[out->n_headers++] = header;
	return ERR_OK;
}

/* A list of texts, or one. */
static enum err add_headers(const struct part *in, struct login *out, const char *name, const struct yaml_node *values, struct why *why)
{
	enum err e = ERR_OK;
	if (values == NULL || values->kind == YAML_MAP)
		return ERR_OK;
	if (values->kind == YAML_SCALAR)
		return yaml_is_null(values) ? ERR_OK : add_header(in, out, name, values->text, why);
	for (size_t i = 0; i < values->n && e == ERR_OK; i++)
		e = values->items[i]->kind == YAML_SCALAR ? add_header(in, out, name, values->items[i]->text, why) :
		    wrong(in->file, values->items[i], why, "this must be a text");
	return e;
}

static enum err take_impersonation(const struct part *in, struct login *out, struct why *why)
{
	char name[128];
	const struct yaml_node *extra = yaml_get(in->node, "as-user-extra");
	const char *as = text_of(in, "as");
	if (as[0] == '\0') {
		const char *const others[] = { "as-uid", "as-groups", "as-user-extra" };
		for (size_t i = 0; i < 3; i++)
			if (!yaml_is_null(yaml_get(in->node, others[i])))
				return wrong(in->file, yaml_get(in->node, others[i]), why, "'%s' is there without 'as'", others[i]);
		return ERR_OK;
	}
	enum err e = add_header(in, out, "Impersonate-User", as, why);
	if (e == ERR_OK && text_of(in, "as-uid")[0] != '\0')
		e = add_header(in, out, "Impersonate-Uid", text_of(in, "as-uid"), why);
	if (e == ERR_OK)
		e = add_headers(in, out, "Impersonate-Group", yaml_get(in->node, "as-groups"), why);
	for (size_t i = 0; extra != NULL && extra->kind == YAML_MAP && i < extra->n && e == ERR_OK; i++) {
		static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
		if (strspn(extra->keys[i]->text, plain) != extra->keys[i]->len || extra->keys[i]->len > 64)
			return wrong(in->file, extra->keys[i], why, "a key of 'as-user-extra' must be letters, digits, '-', '_' and '.'");
		snprintf(name, sizeof name, "Impersonate-Extra-%s", extra->keys[i]->text);
		e = add_headers(in, out, name, extra->items[i], why);
	}
	return e;
}

/* ---- commands that give credentials ---- */

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

static void add_config(cJSON *to, const struct part *cluster)
{
	const struct yaml_node *list = yaml_get(cluster->node, "extensions");
	for (size_t i = 0; list != NULL && list->kind == YAML_LIST && i < list->n; i++) {
		struct part one = { cluster->file, list->items[i] };
		const struct yaml_node *extension = yaml_get(list->items[i], "extension");
		if (strcmp(text_of(&one, "name"), "client.authentication.k8s.io/exec") == 0 && extension != NULL)
			cJSON_AddItemToObject(to, "config", json_of(extension));
	}
}

static enum err add_cluster(cJSON *spec, const struct part *cluster, const struct login *l, struct why *why)
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
static enum err exec_info(const struct part *exec, const struct part *cluster, const struct login *l, const char *version, char **out, struct why *why)
{
	struct buf text;
	enum err e = ERR_OK;
	cJSON *o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "kind", "ExecCredential");
	cJSON_AddStringToObject(o, "apiVersion", version);
	cJSON *spec = cJSON_AddObjectToObject(o, "spec");
	cJSON_AddFalseToObject(spec, "interactive");
	if (is_true(exec, "provideClusterInfo"))
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

static enum err take_args(const struct part *exec, struct words_of *w, struct why *why)
{
	const struct yaml_node *args = yaml_get(exec->node, "args");
	if (yaml_is_null(args))
		return ERR_OK;
	if (args->kind != YAML_LIST || args->n > ARGS_MAX)
		return wrong(exec->file, args, why, "'args' must be a list of at most %d texts", ARGS_MAX);
	for (size_t i = 0; i < args->n; i++) {
		if (args->items[i]->kind != YAML_SCALAR)
			return wrong(exec->file, args->items[i], why, "this must be a text");
		w->words[w->n++] = args->items[i]->text;
	}
	return ERR_OK;
}

static enum err take_env(const struct part *exec, struct words_of *w, struct why *why)
{
	const struct yaml_node *env = yaml_get(exec->node, "env");
	if (yaml_is_null(env))
		return ERR_OK;
	if (env->kind != YAML_LIST || env->n > ARGS_MAX)
		return wrong(exec->file, env, why, "'env' must be a list of at most %d names and values", ARGS_MAX);
	for (size_t i = 0; i < env->n; i++) {
		struct part one = { exec->file, env->items[i] };
		const char *name = text_of(&one, "name"), *value = text_of(&one, "value");
		size_t n = strlen(name) + 1 + strlen(value) + 1;
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			return wrong(exec->file, env->items[i], why, "this must have a 'name', without '=', and a 'value'");
		char *pair = malloc(n);
		if (pair == NULL)
			return why_memory(why);
		snprintf(pair, n, "%s=%s", name, value);
		w->words[w->n++] = w->owned[w->n_owned++] = pair;
	}
	return ERR_OK;
}

static enum err check_exec(const struct kube_places *p, const struct part *exec, const char *path, struct why *why)
{
	const char *version = text_of(exec, "apiVersion"), *mode = text_of(exec, "interactiveMode"), *command = text_of(exec, "command");
	bool is_v1 = strcmp(version, api_v1) == 0;
	if (command[0] == '\0')
		return wrong(exec->file, exec->node, why, "'exec' has no 'command'");
	if (!is_v1 && strcmp(version, api_v1beta1) != 0)
		return wrong(exec->file, exec->node, why, "'apiVersion' of 'exec' must be %s or v1beta1, not '%.60s'", api_v1, version);
	if (mode[0] == '\0' && is_v1)
		return wrong(exec->file, exec->node, why, "'exec' of v1 needs 'interactiveMode'");
	if (mode[0] != '\0' && strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0 && strcmp(mode, "Always") != 0)
		return wrong(exec->file, exec->node, why, "'interactiveMode' must be Never, IfAvailable or Always, not '%.40s'", mode);
	if (strcmp(mode, "Always") == 0)
		return why_set(why, ERR_UNSUPPORTED, "'%.100s', which gives the credentials, wants a terminal: here is none", command);
	if (!is_allowed(p, command, path))
		return why_set(why, ERR_DENIED, "the kubeconfig wants to run '%.200s' for credentials, which 'exec_plugins' does not allow", command);
	return ERR_OK;
}

static enum err take_exec(const struct kube_places *p, const struct part *exec, const struct part *cluster, struct login *out, struct why *why)
{
	struct words_of argv = { 0 }, env = { 0 };
	char *path = NULL, *info = NULL;
	const char *command = text_of(exec, "command"), *version = text_of(exec, "apiVersion");
	enum err e = strchr(command, '/') != NULL ? path_of(exec, command, &path, why) : copy(command, &path, why);
	e = e == ERR_OK ? check_exec(p, exec, path, why) : e;
	argv.words[argv.n++] = path;
	e = e == ERR_OK ? take_args(exec, &argv, why) : e;
	e = e == ERR_OK ? exec_info(exec, cluster, out, version, &info, why) : e;
	env.words[env.n++] = info;
	e = e == ERR_OK ? take_env(exec, &env, why) : e;
	if (e == ERR_OK) {
		const struct kube_command c = { .argv = argv.words, .env = env.words, .version = version, .timeout_ms = p->exec_timeout_ms, .now_ms = p->now_ms };
		e = kube_command_login(&c, out, why);
	}
	words_release(&env);
	free(path);
	free(info);
	return e;
}

/* ---- all together ---- */

static enum err take_user(const struct kube_places *p, const struct part *in, const struct part *cluster, struct login *out, struct why *why)
{
	const struct part exec = { in->file, yaml_get(in->node, "exec") };
	bool has_exec = !yaml_is_null(exec.node), has_provider = !yaml_is_null(yaml_get(in->node, "auth-provider"));
	if (has_exec && has_provider)
		return wrong(in->file, in->node, why, "a user has either 'exec' or 'auth-provider', not both");
	if (has_provider) {
		wrong(in->file, yaml_get(in->node, "auth-provider"), why, "'auth-provider' is no longer a way to log in: use 'exec'");
		return ERR_UNSUPPORTED;
	}
	if (has_exec && exec.node->kind != YAML_MAP)
		return wrong(in->file, exec.node, why, "'exec' must be a mapping");
	out->until_ms = p->now_ms + KUBE_REUSE_MS;
	enum err e = take_certificate(in, out, why);
	e = e == ERR_OK ? take_token(in, out, why) : e;
	e = e == ERR_OK && text_of(in, "username")[0] != '\0' ? take_basic(in, out, why) : e;
	e = e == ERR_OK ? take_impersonation(in, out, why) : e;
	if (e == ERR_OK && has_exec && out->auth == LOGIN_NONE && out->cert == NULL && out->cert_file == NULL)
		e = take_exec(p, &exec, cluster, out, why);
	return e;
}

static enum err take_context(const struct config *c, const char *name, struct login *out, struct why *why)
{
	struct part context, cluster, user;
	if (!find_named(c, "contexts", "context", name, &context))
		return no_context(c, name, why);
	if (!find_named(c, "clusters", "cluster", text_of(&context, "cluster"), &cluster)) {
		wrong(context.file, context.node, why, "context '%.100s' names cluster '%.100s', which is not there", name, text_of(&context, "cluster"));
		return ERR_NOT_FOUND;
	}
	enum err e = take_cluster(&cluster, out, why);
	if (e != ERR_OK || strncasecmp(out->base, "https://", 8) != 0) /* in the clear nobody is anybody */
		return e;
	if (text_of(&context, "user")[0] == '\0')
		return ERR_OK;
	if (!find_named(c, "users", "user", text_of(&context, "user"), &user)) {
		wrong(context.file, context.node, why, "context '%.100s' names user '%.100s', who is not there", name, text_of(&context, "user"));
		return ERR_NOT_FOUND;
	}
	return take_user(c->p, &user, &cluster, out, why);
}

static enum err in_cluster(const struct kube_places *p, struct login *out, struct why *why)
{
	char path[PATH_BYTES], base[PATH_BYTES];
	bool is_v6 = strchr(p->host, ':') != NULL;
	int n = snprintf(base, sizeof base, "https://%s%s%s:%s", is_v6 ? "[" : "", p->host, is_v6 ? "]" : "", p->port);
	if (n < 0 || (size_t)n >= sizeof base || snprintf(path, sizeof path, "%s/token", p->account) >= (int)sizeof path)
		return why_set(why, ERR_RANGE, "the cluster's address is too long");
	enum err e = kube_server(base, &out->base, why);
	e = e == ERR_OK ? read_token(path, out, why) : e;
	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/ca.crt", p->account);
	out->until_ms = p->now_ms + KUBE_REUSE_MS;
	return copy(path, &out->ca_file, why);
}

enum err kube_login(const struct kube_places *p, const char *context, struct login *out, struct why *why)
{
	struct config c = { .p = p };
	enum err e = find_files(&c, why);
	if (e == ERR_OK && c.n > 0) {
		const char *name = context[0] != '\0' ? context : current_context(&c);
		e = take_context(&c, name, out, why);
	} else if (e == ERR_OK && context[0] == '\0' && p->host[0] != '\0' && p->port[0] != '\0') {
		e = in_cluster(p, out, why);
	} else if (e == ERR_OK) {
		e = why_set(why, ERR_NOT_FOUND, "there is no kubeconfig: neither 'kubeconfig' nor KUBECONFIG is set, and ~/.kube/config is not there");
	}
	drop_files(&c);
	return e;
}

/* ---- by an ask's URL ---- */

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The context's name out of the URL. */
static enum err context_of(const char *url, char *to, size_t size, struct why *why)
{
	static const char scheme[] = "kubernetes://";
	size_t n = 0;
	const char *at = url + sizeof scheme - 1;
	if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
		return why_set(why, ERR_USAGE, "'%.100s' is no kubernetes:// URL", url);
	for (; *at != '\0' && *at != '/' && *at != '?'; at++) {
		int high = *at == '%' ? hex(at[1]) : 0, low = *at == '%' && high >= 0 ? hex(at[2]) : 0;
		if (high < 0 || low < 0 || n + 1 >= size || (*at == '%' && high == 0 && low == 0))
			return why_set(why, ERR_FORMAT, "the context in '%.100s' is malformed", url);
		to[n++] = *at == '%' ? (char)(high * 16 + low) : *at;
		at += *at == '%' ? 2 : 0;
	}
	to[n] = '\0';
	return ERR_OK;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value != NULL ? value : "";
}

enum err kube_login_resolve(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why)
{
	char context[1024];
	(void)d;
	const char *word = setting_text(s, "exec_plugins");
	struct kube_places p = { .file = setting_text(s, "kubeconfig"), .list = variable("KUBECONFIG"), .home = variable("HOME"),
		                 .host = variable("KUBERNETES_SERVICE_HOST"), .port = variable("KUBERNETES_SERVICE_PORT"),
		                 .account = "/var/run/secrets/kubernetes.io/serviceaccount", .now_ms = clock_wall_ms(clock_system()) };
	p.exec = strcmp(word, "deny") == 0 ? KUBE_EXEC_DENY : strcmp(word, "list") == 0 ? KUBE_EXEC_LIST : KUBE_EXEC_ALLOW;
	p.allowed = setting(s, "exec_allowed")->words;
	enum err e = context_of(url, context, sizeof context, why);
	return e == ERR_OK ? kube_login(&p, context, out, why) : e;
}
