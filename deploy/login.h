/* SPDX-License-Identifier: Apache-2.0
 *
 * How the server behind an ask's URL is logged in to, looked up at the time of sending: by `auth` and `tls` of the deployment, or, of a "kubernetes://" URL, by a
 * kubeconfig. Each scheme's way is a row of the table in deploy/login.c.
 *
 * Threads: a worker's; all of it may block (files, commands, another server). */
#ifndef PITWALL_DEPLOY_LOGIN_H
#define PITWALL_DEPLOY_LOGIN_H

#include "base/err.h"
#include "config/deploying.h"
#include "config/secret.h"
#include "deploy/option.h"

#include <stdbool.h>
#include <stdint.h>

enum login_auth { LOGIN_NONE, LOGIN_BEARER, LOGIN_BASIC };

enum { LOGIN_PEM_MAX = 256 * 1024 /* bytes of each of the PEM texts */, LOGIN_HEADERS_MAX = 32 };

/* What a resolver fills; it begins as zeroes. Texts are malloc'ed and owned; NULL: not said. */
struct login {
	char           *base;  /* "https://host:port[/path]", which stands for the scheme and first segment of a URL such as "kubernetes://CONTEXT/apis/..."; of
	                          http and https: NULL */
	char           *ca, *cert, *key;                /* PEM texts; instead of the system's CAs */
	char           *ca_file, *cert_file, *key_file; /* the same as files; a text goes before a file */
	char           *server_name; /* that the certificate must have, where it is not the URL's */
	bool            insecure_skip_verify;
	enum login_auth auth;
	char           *user;        /* LOGIN_BASIC */
	struct secret   secret;      /* the token, or password */
	char           *headers[LOGIN_HEADERS_MAX]; /* "Name: value": whom a server is asked to take us for. They go with each request */
	size_t          n_headers;
	int64_t         until_ms;    /* wall: it may be used again until then, for the same deployment and base; 0: for this request alone. What is refused with a 401 is
	                                looked up anew, once, whatever stands here */
};

/* `url` is the ask's. ERR_UNSUPPORTED: no way for that scheme; ERR_NOT_FOUND, ERR_DENIED, ERR_FORMAT, ERR_TIMEOUT, ...: why says what is missing and never holds a secret. On
 * failure `out` is empty. `d` and `s` are lent. */
enum err login_resolve(const struct fleet_deploy *d, const struct settings *s, const char *url, struct login *out, struct why *why);

/* Wipes and frees; fine on zeroes. */
void login_release(struct login *l);

#endif
