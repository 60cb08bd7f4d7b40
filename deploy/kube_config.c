/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/kube_config.h"

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
#include "base/slurp.h"
#include "base/yaml.h"
#include "deploy/kube_config_private.h"

enum { PATH_BYTES = 4096, NAMES_SHOWN = 8 };

/* The files in their order: of what several define, the first one's counts whole. */
struct config {
	const struct kube_places *p;
	struct yaml              *files[KUBE_FILES_MAX];
	size_t                    n;
};

enum err kube_wrong(const struct yaml *file, const struct yaml_node *at, struct why *why, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	why_vset(why, ERR_FORMAT, format, args);
	va_end(args);
	return why_prefix(why, ERR_FORMAT, "%.200s:%d", yaml_file(file), at != NULL ? at->line : 1);
}

/* A member that is a text; "" where it is not there. */
const char *kube_member(const struct kube_part *in, const char *key)
{
	const struct yaml_node *at = yaml_get(in->node, key);
	return at != NULL && at->kind == YAML_SCALAR && !yaml_is_null(at) ? at->text : "";
}

bool kube_member_is_true(const struct kube_part *in, const char *key)
{
	return strcmp(kube_member(in, key), "true") == 0;
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
		e = kube_wrong(c->files[c->n - 1], NULL, why, "this is no kubeconfig");
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
		return n > 0 && (size_t)n < sizeof path ? add_file(c, path, true, why) :
		                                          why_set(why, ERR_RANGE, "the kubeconfig's name is too long");
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
static bool find_named(const struct config *c, const char *list, const char *member, const char *name, struct kube_part *out)
{
	for (size_t f = 0; f < c->n; f++) {
		const struct yaml_node *items = yaml_get(yaml_root(c->files[f]), list);
		for (size_t i = 0; items != NULL && items->kind == YAML_LIST && i < items->n; i++) {
			struct kube_part entry = { c->files[f], items->items[i] };
			if (strcmp(kube_member(&entry, "name"), name) != 0)
				continue;
			*out = (struct kube_part){ c->files[f], yaml_get(items->items[i], member) };
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
			struct kube_part entry = { c->files[f], items->items[i] };
			buf_printf(to, "%s%.60s", n++ > 0 ? ", " : "", kube_member(&entry, "name"));
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
		struct kube_part root = { c->files[f], yaml_root(c->files[f]) };
		if (kube_member(&root, "current-context")[0] != '\0')
			return kube_member(&root, "current-context");
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
enum err kube_path(const struct kube_part *in, const char *text, char **out, struct why *why)
{
	const char *file = yaml_file(in->file), *slash = strrchr(file, '/');
	size_t folder = slash != NULL && text[0] != '/' ? (size_t)(slash - file) + 1 : 0, n = strlen(text);
	if (folder + n >= PATH_BYTES)
		return kube_wrong(in->file, in->node, why, "a path is too long");
	char *path = malloc(folder + n + 1);
	if (path == NULL)
		return why_memory(why);
	memcpy(path, file, folder);
	memcpy(path + folder, text, n + 1);
	*out = path;
	return ERR_OK;
}

/* `KEY-data` as PEM text, or `KEY` as a path; neither: both stay NULL. */
static enum err pem_of(const struct kube_part *in, const char *key, char **text, char **file, struct why *why)
{
	char name[64];
	struct buf bytes;
	snprintf(name, sizeof name, "%s-data", key);
	const char *data = kube_member(in, name), *path = kube_member(in, key);
	if (data[0] == '\0')
		return path[0] != '\0' ? kube_path(in, path, file, why) : ERR_OK;
	buf_init(&bytes, LOGIN_PEM_MAX);
	size_t n = strlen(data);
	if (n / 4 * 3 + 4 >= LOGIN_PEM_MAX || buf_room(&bytes, n / 4 * 3 + 4) == NULL || base64_decode(&bytes, data, n) != ERR_OK ||
	    memchr(buf_text(&bytes), '\0', bytes.len) != NULL || strstr(buf_text(&bytes), "-----BEGIN ") == NULL) {
		if (bytes.data != NULL)
			explicit_bzero(bytes.data, bytes.len);
		buf_release(&bytes);
		return kube_wrong(in->file, yaml_get(in->node, name), why, "'%s' is no PEM text in base 64, or longer than %d bytes", name,
		                  LOGIN_PEM_MAX);
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

static enum err take_cluster(const struct kube_part *in, struct login *out, struct why *why)
{
	if (kube_member(in, "server")[0] == '\0')
		return kube_wrong(in->file, in->node, why, "the cluster has no 'server'");
	if (kube_member(in, "proxy-url")[0] != '\0') {
		kube_wrong(in->file, yaml_get(in->node, "proxy-url"), why, "a proxy ('proxy-url') is not supported");
		return ERR_UNSUPPORTED;
	}
	enum err e = kube_server(kube_member(in, "server"), &out->base, why);
	if (e != ERR_OK)
		return why_prefix(why, e, "%.200s:%d", yaml_file(in->file), yaml_get(in->node, "server")->line);
	e = pem_of(in, "certificate-authority", &out->ca, &out->ca_file, why);
	if (e != ERR_OK)
		return e;
	out->insecure_skip_verify = kube_member_is_true(in, "insecure-skip-tls-verify");
	if (out->insecure_skip_verify && (out->ca != NULL || out->ca_file != NULL))
		return kube_wrong(in->file, yaml_get(in->node, "insecure-skip-tls-verify"), why,
		                  "'insecure-skip-tls-verify' with a certificate authority makes no sense");
	const char *name = kube_member(in, "tls-server-name");
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
static enum err take_token(const struct kube_part *in, struct login *out, struct why *why)
{
	const char *token = kube_member(in, "token"), *file = kube_member(in, "tokenFile");
	char *path = NULL;
	enum err e = ERR_NOT_FOUND;
	if (file[0] != '\0' && (e = kube_path(in, file, &path, why)) == ERR_OK)
		e = read_token(path, out, why);
	free(path);
	if (token[0] == '\0' || e == ERR_OK)
		return file[0] != '\0' ? e : ERR_OK;
	out->auth = LOGIN_BEARER;
	e = secret_of(token, strlen(token), &out->secret, why);
	return e == ERR_OK ? e : why_prefix(why, e, "%.200s:%d: 'token'", yaml_file(in->file), yaml_get(in->node, "token")->line);
}

static enum err take_basic(const struct kube_part *in, struct login *out, struct why *why)
{
	const char *password = kube_member(in, "password");
	if (out->auth != LOGIN_NONE)
		return kube_wrong(in->file, in->node, why, "a user has either a token or a name and password, not both");
	out->auth = LOGIN_BASIC;
	enum err e = copy(kube_member(in, "username"), &out->user, why);
	return e == ERR_OK ? secret_of(password, strlen(password), &out->secret, why) : e;
}

static enum err take_certificate(const struct kube_part *in, struct login *out, struct why *why)
{
	enum err e = pem_of(in, "client-certificate", &out->cert, &out->cert_file, why);
	e = e == ERR_OK ? pem_of(in, "client-key", &out->key, &out->key_file, why) : e;
	if (e == ERR_OK && (out->cert != NULL || out->cert_file != NULL) != (out->key != NULL || out->key_file != NULL))
		e = kube_wrong(in->file, in->node, why, "the user has a client certificate or a key without the other");
	return e;
}

/* Acting as another: headers that go with each request. */
static enum err add_header(const struct kube_part *in, struct login *out, const char *name, const char *value, struct why *why)
{
	if (value[0] == '\0' || strpbrk(value, "\r\n") != NULL)
		return kube_wrong(in->file, in->node, why, "'%s' must be one line", name);
	if (out->n_headers == LOGIN_HEADERS_MAX)
		return kube_wrong(in->file, in->node, why, "more than %d groups and extras to act as", LOGIN_HEADERS_MAX);
	size_t n = strlen(name) + 2 + strlen(value) + 1;
	char *header = malloc(n);
	if (header == NULL)
		return why_memory(why);
	snprintf(header, n, "%s: %s", name, value);
	out->headers[out->n_headers++] = header;
	return ERR_OK;
}

/* A list of texts, or one. */
static enum err add_headers(const struct kube_part *in, struct login *out, const char *name, const struct yaml_node *values,
                            struct why *why)
{
	enum err e = ERR_OK;
	if (values == NULL || values->kind == YAML_MAP)
		return ERR_OK;
	if (values->kind == YAML_SCALAR)
		return yaml_is_null(values) ? ERR_OK : add_header(in, out, name, values->text, why);
	for (size_t i = 0; i < values->n && e == ERR_OK; i++)
		e = values->items[i]->kind == YAML_SCALAR ? add_header(in, out, name, values->items[i]->text, why) :
		    kube_wrong(in->file, values->items[i], why, "this must be a text");
	return e;
}

static enum err take_impersonation(const struct kube_part *in, struct login *out, struct why *why)
{
	char name[128];
	const struct yaml_node *extra = yaml_get(in->node, "as-user-extra");
	const char *as = kube_member(in, "as");
	if (as[0] == '\0') {
		const char *const others[] = { "as-uid", "as-groups", "as-user-extra" };
		for (size_t i = 0; i < 3; i++)
			if (!yaml_is_null(yaml_get(in->node, others[i])))
				return kube_wrong(in->file, yaml_get(in->node, others[i]), why, "'%s' is there without 'as'", others[i]);
		return ERR_OK;
	}
	enum err e = add_header(in, out, "Impersonate-User", as, why);
	if (e == ERR_OK && kube_member(in, "as-uid")[0] != '\0')
		e = add_header(in, out, "Impersonate-Uid", kube_member(in, "as-uid"), why);
	if (e == ERR_OK)
		e = add_headers(in, out, "Impersonate-Group", yaml_get(in->node, "as-groups"), why);
	for (size_t i = 0; extra != NULL && extra->kind == YAML_MAP && i < extra->n && e == ERR_OK; i++) {
		static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
		if (strspn(extra->keys[i]->text, plain) != extra->keys[i]->len || extra->keys[i]->len > 64)
			return kube_wrong(in->file, extra->keys[i], why,
			                  "a key of 'as-user-extra' must be letters, digits, '-', '_' and '.'");
		snprintf(name, sizeof name, "Impersonate-Extra-%s", extra->keys[i]->text);
		e = add_headers(in, out, name, extra->items[i], why);
	}
	return e;
}

/* ---- all together ---- */

static enum err take_user(const struct kube_places *p, const struct kube_part *in, const struct kube_part *cluster, struct login *out,
                          struct why *why)
{
	const struct kube_part exec = { in->file, yaml_get(in->node, "exec") };
	bool has_exec = !yaml_is_null(exec.node), has_provider = !yaml_is_null(yaml_get(in->node, "auth-provider"));
	if (has_exec && has_provider)
		return kube_wrong(in->file, in->node, why, "a user has either 'exec' or 'auth-provider', not both");
	if (has_provider) {
		kube_wrong(in->file, yaml_get(in->node, "auth-provider"), why, "'auth-provider' is no longer a way to log in: use 'exec'");
		return ERR_UNSUPPORTED;
	}
	if (has_exec && exec.node->kind != YAML_MAP)
		return kube_wrong(in->file, exec.node, why, "'exec' must be a mapping");
	out->until_ms = p->now_ms + KUBE_REUSE_MS;
	enum err e = take_certificate(in, out, why);
	e = e == ERR_OK ? take_token(in, out, why) : e;
	e = e == ERR_OK && kube_member(in, "username")[0] != '\0' ? take_basic(in, out, why) : e;
	e = e == ERR_OK ? take_impersonation(in, out, why) : e;
	if (e == ERR_OK && has_exec && out->auth == LOGIN_NONE && out->cert == NULL && out->cert_file == NULL)
		e = kube_take_exec(p, &exec, cluster, out, why);
	return e;
}

static enum err take_context(const struct config *c, const char *name, struct login *out, struct why *why)
{
	struct kube_part context, cluster, user;
	if (!find_named(c, "contexts", "context", name, &context))
		return no_context(c, name, why);
	if (!find_named(c, "clusters", "cluster", kube_member(&context, "cluster"), &cluster)) {
		kube_wrong(context.file, context.node, why, "context '%.100s' names cluster '%.100s', which is not there", name,
		           kube_member(&context, "cluster"));
		return ERR_NOT_FOUND;
	}
	enum err e = take_cluster(&cluster, out, why);
	if (e != ERR_OK || strncasecmp(out->base, "https://", 8) != 0) /* in the clear nobody is anybody */
		return e;
	if (kube_member(&context, "user")[0] == '\0')
		return ERR_OK;
	if (!find_named(c, "users", "user", kube_member(&context, "user"), &user)) {
		kube_wrong(context.file, context.node, why, "context '%.100s' names user '%.100s', who is not there", name,
		           kube_member(&context, "user"));
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
		e = why_set(why, ERR_NOT_FOUND,
		            "there is no kubeconfig: neither 'kubeconfig' nor KUBECONFIG is set, and ~/.kube/config is not there");
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
