/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/login.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/fleet.h"
#include "deploy/kube_config.h"
#include "deploy/secret_headers.h"

/* ---- http, https ---- */

static bool copy(char **to, const char *from)
{
	*to = from != NULL && from[0] != '\0' ? strdup(from) : NULL;
	return *to != NULL || from == NULL || from[0] == '\0';
}

static enum err take_tls(const struct fleet_tls *tls, struct login *out, struct why *why)
{
	bool ok = copy(&out->ca_file, tls->ca_file);
	ok = copy(&out->cert_file, tls->cert_file) && ok;
	ok = copy(&out->key_file, tls->key_file) && ok;
	ok = copy(&out->server_name, tls->server_name) && ok;
	out->insecure_skip_verify = tls->insecure_skip_verify;
	return ok ? ERR_OK : why_memory(why);
}

static enum err take_auth(const struct fleet_auth *auth, struct login *out, struct why *why)
{
	if (auth->kind == FLEET_AUTH_BASIC && !copy(&out->user, auth->user))
		return why_memory(why);
	out->auth = auth->kind == FLEET_AUTH_BASIC ? LOGIN_BASIC : LOGIN_BEARER;
	return secret_read(&auth->secret, 0, &out->secret, why);
}

static enum err resolve_http(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why)
{
	enum err e = ERR_OK;
	(void)url;
	if (d->tls != NULL)
		e = take_tls(d->tls, out, why);
	if (e == ERR_OK && d->auth != NULL)
		e = take_auth(d->auth, out, why);
	return e == ERR_OK ? secret_headers_read(s, out, why) : e;
}

/* ---- all schemes ---- */

static const struct {
	const char *prefix;
	enum err  (*resolve)(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why);
} ways[] = {
	{ "http://", resolve_http },
	{ "https://", resolve_http },
	{ "kubernetes://", kube_login_resolve },
};

enum err login_resolve(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why)
{
	struct login made = { 0 };
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		if (strncasecmp(url, ways[i].prefix, strlen(ways[i].prefix)) != 0)
			continue;
		enum err e = ways[i].resolve(d, s, url, &made, why);
		if (e == ERR_OK)
			*out = made;
		else
			login_release(&made);
		return e;
	}
	return why_set(why, ERR_UNSUPPORTED, "'%.200s' is no URL that can be asked", url);
}

static void wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void login_release(struct login *l)
{
	char **texts[] = { &l->base, &l->ca, &l->cert, &l->key, &l->ca_file, &l->cert_file, &l->key_file, &l->server_name, &l->user };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		wipe(texts[i]);
	for (size_t i = 0; i < l->n_headers; i++)
		wipe(&l->headers[i]);
	secret_release(&l->secret);
	*l = (struct login){ 0 };
}
