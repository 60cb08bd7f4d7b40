/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person asks the recorder for: a small JSON object in a file (alerts/spool.h). Who may read the store may ask; the recorder alone does it. The
 * text is not trusted: it was written by another user of the machine. Who asks, for the system, is the owner of the file; `who` and `origin` are what
 * that account says of the person before it.
 *
 *     {"version":1,"id":"0193...","kind":"ack","asked":1795000000000,"who":"alice","origin":"192.0.2.7",
 *      "keys":["{alertname=\"NodeDown\"}"],"comment":"on it","until":0}
 *
 * Times are milliseconds since 1970 UTC. A member that does not belong to the kind is a mistake, as is one that is there twice: what is not
 * understood is not done in part. */
#ifndef PITWALL_ALERTS_REQUEST_H
#define PITWALL_ALERTS_REQUEST_H

#include "base/buf.h"
#include "base/err.h"
#include "config/roles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_NUMBER_MAX INT64_C(9007199254740992) /* 2^53: what JSON keeps exactly */

enum request_kind { REQUEST_ACK, REQUEST_UNACK, REQUEST_SILENCE, REQUEST_UNSILENCE /* ends one before its time */, REQUEST_NOTE,
                    REQUEST_HERE /* a console is there, or goes */, REQUEST_PLAN /* of a redeploy or rollback */, REQUEST_CONFIRM /* one that was planned */,
                    REQUEST_CONTROL /* one that was confirmed */, REQUEST_KIND_COUNT };

enum {
	REQUEST_ID        = 37,         /* bytes of an id with its NUL: a UUID of version 7, so that names sort by time and none can be foreseen */
	REQUEST_BYTES_MAX = 128 * 1024, /* of a file */
	REQUEST_KEYS_MAX  = 500,
	REQUEST_KEY_MAX   = 4096,       /* bytes of a text, as the next ones */
	REQUEST_NAME_MAX  = 64,
	REQUEST_TEXT_MAX  = 1000,
	REQUEST_VIEW_MAX  = 200,
	REQUEST_NODE_MAX  = 1024,
	REQUEST_TARGET_MAX = 8 * 1024,  /* names of some hundred nodes */
	REQUEST_VERSION_MAX = 1024,
	REQUEST_VERB_MAX    = 16,
	REQUEST_HASH        = 64,       /* digits of a plan's hash */
	REQUEST_MATCHERS_MAX = 32,
	REQUEST_MATCHER_MAX  = 4096,    /* bytes of a matcher's name, and of its value */
};

/* Texts that a kind does not have are "" when read, and may be NULL when written; numbers are 0. Texts of people (who, origin, comment, view) are UTF-8
 * without control characters and such as turn the writing direction. */
struct request {
	char               id[REQUEST_ID];
	enum request_kind  kind;
	int64_t            asked_ms;    /* by the asker's clock */
	const char        *who, *origin;
	const char        *comment;     /* of ack and silence; the text of a note, which must not be ""; of plan the reason, of control why */
	const char *const *keys;        /* of ack and unack: group keys, at least one */
	size_t             n_keys;
	int64_t            from_ms;     /* of silence; 0: from now on */
	int64_t            until_ms;    /* of silence, later than from_ms; of ack, 0: until it resolves */
	const char        *matchers;    /* of silence, at least one; as in struct silence_row */
	const char        *silence;     /* id: of unsilence; of silence the one whose place it takes, "" none */
	int64_t            alert;       /* of note: about this alert, 0 none; of plan: because of it */
	const char        *node;        /* likewise, "" none */
	int64_t            at_ms;       /* of note: about that time, 0: when it is asked */
	const char        *console;     /* of here: its id, chosen when it began (request_new_id) */
	const char        *view;        /* what it shows, in words */
	bool               is_gone;     /* it ends */
	const char        *verb;        /* of plan: "redeploy" or "rollback"; of control: a name of CONTROL_LIST (deploy/run.h), here only a word of small letters */
	const char        *target;      /* of plan: a model's, group's or node's name, or several nodes (deploy/scope.h) */
	const char        *to;          /* of plan: id or name of a version, "": the one to be offered */
	int64_t            deployment;  /* of confirm and control: its id */
	const char        *hash;        /* of confirm: of the plan that was looked at, in hexadecimal */
	const char        *name;        /* of confirm: what was typed, "": only a key was pressed */
};

const char *request_kind_name(enum request_kind k); /* "ack", "unack", "silence", "unsilence", "note", "here", "plan", "confirm", "control" */
enum deed   request_deed(const struct request *r);  /* what the gate calls it (config/roles.h) */
bool        request_is_deploy(enum request_kind k); /* plan, confirm or control: about redeploys and rollbacks */

/* A new id. ERR_IO: the system gives no random bytes. */
enum err request_new_id(int64_t now_ms, char to[REQUEST_ID], struct why *why);
bool     request_is_id(const char *text);

/* Whether it is whole and within the limits. ERR_FORMAT, ERR_RANGE or ERR_LIMIT, with a sentence for whoever typed it. */
enum err request_check(const struct request *r, struct why *why);

/* Appends it as text; checks it first. */
enum err request_write(const struct request *r, struct buf *to, struct why *why);

/* `id` is the name that it was found under: another one inside is a mistake (a file that was moved or linked does nothing twice). Freed with
 * request_free. */
enum err request_read(const char *text, size_t n, const char *id, struct request **out, struct why *why);
void     request_free(struct request *r); /* only what request_read and request_copy gave; NULL is fine */
/* A copy of one that is whole. */
enum err request_copy(const struct request *r, struct request **out, struct why *why);

#endif
