/* SPDX-License-Identifier: Apache-2.0
 *
 * One thing that is sent out, as data: a command that runs on a machine, an HTTP request, a file that is put in another's place. Drivers make asks and
 * read answers; deploy/hands.h alone carries them out. So what a sheet shows is word for word what is sent, a journal can hold it, and a driver is tested without
 * a network.
 *
 * An ask never holds a secret: how a server is logged in to is part of the deployment's settings (struct fleet_deploy: auth, tls), a header's secret value is
 * named by its place there, and hands look it up when they send. */
#ifndef PITWALL_DEPLOY_ASK_H
#define PITWALL_DEPLOY_ASK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum ask_kind {
	ASK_NONE,
	ASK_RUN,  /* a command: argv, never a shell's text. Over SSH each word is quoted by shell_quote */
	ASK_HTTP, /* a request */
	ASK_PUT,  /* a file: written beside, synced, renamed over (mode and owner of the old one are kept); its folder must be there */
	ASK_KIND_COUNT
};

enum {
	ASK_ANSWER_MAX  = 8 * 1024 * 1024, /* bytes of an answer that is kept */
	ASK_OUTPUT_MAX  = 256 * 1024,      /* likewise of a command's output: the rest is read and dropped */
	ASK_BODY_MAX    = 2 * 1024 * 1024,
	ASK_HEADERS_MAX = 16,
};

struct ask_header {
	const char *name, *value;
};

/* Texts live in the arena that the ask was made in; "" or NULL where a kind has none. */
struct ask {
	enum ask_kind      kind;
	/* ASK_RUN */
	const char *const *argv;
	size_t             n_argv;
	const char        *input;    /* on its standard input; NULL: nothing */
	/* ASK_HTTP */
	const char        *method;   /* "GET", "POST", "PUT", "PATCH", "DELETE" */
	const char        *url;      /* whole; no user, password or token in it. "kubernetes://CONTEXT/apis/...": a cluster as the kubeconfig of the settings has it */
	const char        *socket;   /* a Unix socket on the unit's machine that the request goes to instead of the URL's host; NULL: none */
	bool               is_on_machine; /* goes to the URL's host as the unit's machine sees it (its loopback): through its SSH connection */
	struct ask_header  headers[ASK_HEADERS_MAX];
	size_t             n_headers;
	const char        *body;     /* NULL: none. ASK_PUT: what the file is to hold */
	/* ASK_PUT */
	const char        *path;     /* absolute, on the unit's machine */
	/* all */
	int64_t            timeout_ms; /* for the whole of it; 0: 30 s */
};

/* What came back. Lent for the call that it is given to. */
struct answer {
	enum err    err;       /* ERR_OK: there is an answer, good or bad. Else none came (ERR_NETWORK, ERR_TLS, ERR_TIMEOUT, ERR_DENIED, ...): whether what was
	                          asked has happened is not known */
	const char *why;       /* the sentence for err; safe to show */
	bool        was_sent;  /* false: nothing reached the other side, so nothing happened (refused, no such host, host key, login) */
	int         status;    /* the command's exit status (128 + n for signal n), or the HTTP status */
	const char *text;      /* the body; of a command its standard output and error together. NUL-terminated; not trusted */
	size_t      n;
	bool        is_cut;    /* there was more than is kept */
	int64_t     retry_after_ms; /* HTTP Retry-After; 0: not said */
	int64_t     date_ms;   /* the server's clock as HTTP Date has it, whole seconds; 0: not said (or asked through a machine) */
};

/* As JSON (NULL: out of memory), and back; what is not there is NULL or 0. Not trusted: checked as what comes from outside. */
struct cJSON *ask_to_json(const struct ask *a);
enum err      ask_from_json(struct arena *arena, const struct cJSON *o, struct ask *out, struct why *why);

/* As a person would type it: "systemctl --user restart -- 'a b'" or "POST http://gpu-a-01:8000/v2/..." with its body below it; what is long is cut after
 * `max` bytes of the body. Values of headers named Authorization, Cookie or like a token or key, and of secrets in JSON (deploy/mask.h), are shown as asterisks. Appends lines of text, not made safe for a
 * terminal. */
enum err ask_print(const struct ask *a, size_t max, struct buf *to);
/* Whether a header of that name is. */
bool     ask_header_is_secret(const char *header);
/* A line between a step's ask and what is made of its answer (struct step: shown). */
extern const char ask_shown_words[];

/* Copies all of it into the arena. */
void ask_copy(struct arena *arena, const struct ask *from, struct ask *to);

#endif
