/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collectors/known_hosts.h"

enum { FILES_MAX = 16 };

/* What of the settings a check needs; lent. */
struct whose {
	const char              *files[FILES_MAX];
	struct known_hosts_query query;
};

static void whose_set(struct whose *w, const struct ssh_settings *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->user_known_hosts.n && n < FILES_MAX; i++)
		w->files[n++] = s->user_known_hosts.items[i];
	for (size_t i = 0; i < s->global_known_hosts.n && n < FILES_MAX; i++)
		w->files[n++] = s->global_known_hosts.items[i];
	/* CheckHostIP is not asked for: it would only be a second reason to refuse, and behind a jump host there is no address. */
	w->query = (struct known_hosts_query){ .files = w->files, .n_files = n, .host = s->host_name, .port = s->port, .alias = s->host_key_alias };
}

/* What libssh2 1.10 can check the signature of; ssh-rsa would be by SHA-1. */
static const char *const ours[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521" };
enum { N_OURS = sizeof ours / sizeof *ours };

static bool is_ours(const char *type)
{
	for (size_t i = 0; i < N_OURS; i++)
		if (strcmp(ours[i], type) == 0)
			return true;
	return false;
}

void host_key_methods(const struct ssh_settings *s, char *to, size_t size)
{
	struct whose w;
	struct known_hosts_types types;
	struct buf list;
	whose_set(&w, s);
	buf_init(&list, size - 1);
	if (known_hosts_types(&w.query, &types, NULL) != ERR_OK || known_hosts_types_join(&types, ours, N_OURS, &list) != ERR_OK || list.len == 0) {
		buf_clear(&list);
		for (size_t i = 0; i < N_OURS; i++)
			buf_printf(&list, "%s%s", i > 0 ? "," : "", ours[i]);
	}
	snprintf(to, size, "%s", buf_text(&list));
	buf_release(&list);
}

/* A copy of all that the worker reads: the session may be over, and its settings gone, before it is done. */
struct key_check {
	char                    *texts[FILES_MAX + 3];
	size_t                   n_texts;
	struct known_hosts_query query;
	const char              *files[FILES_MAX];
	const char              *add_to; /* where a new key is kept that is taken unasked; NULL: it is not */
	bool                     hash_it;
	char                    *key;
	size_t                   n_key;
	const char              *type;
	enum reach               result;
	bool                     is_for_openssh;
	struct buf               text;
	void                   (*done)(void *ctx, enum reach result, bool is_for_openssh, const char *text);
	void                    *ctx;
	void                   (*gone)(void *ctx);
	void                    *gone_ctx;
};

static void check_free(struct key_check *c)
{
	for (size_t i = 0; i < c->n_texts; i++)
		free(c->texts[i]);
	free(c->key);
	buf_release(&c->text);
	free(c);
}

static void say_place(struct buf *to, const struct known_hosts_place *p)
{
	if (p->file != NULL)
		buf_printf(to, " (%s:%zu)", p->file, p->line);
}

/* accept-new, and `no`, which for us means the same: a changed key is never taken. */
static void take_new(struct key_check *c, const struct known_hosts_result *r)
{
	char name[KNOWN_NAME];
	struct why why = { "" };
	enum err e = c->query.alias != NULL ? ERR_OK : known_hosts_name(c->query.host, c->query.port, name, &why);
	if (e == ERR_OK)
		e = known_hosts_add(c->add_to, c->query.alias != NULL ? c->query.alias : name, c->key, c->n_key, c->hash_it, &why);
	c->result = e == ERR_OK ? REACH_OK : REACH_KEY_UNKNOWN;
	if (e == ERR_OK)
		buf_printf(&c->text, "a new %s key was taken unasked, as the configuration says: %s", r->offered_type, r->offered);
	else
		buf_printf(&c->text, "its key is new and cannot be kept: %s", why.text);
}

/* A key that is known, of a type that we cannot ask the server for. */
static bool is_known_otherwise(const struct key_check *c)
{
	struct known_hosts_types types;
	if (known_hosts_types(&c->query, &types, NULL) != ERR_OK)
		return false;
	for (size_t i = 0; i < types.n; i++)
		if (types.is_known[i] && !is_ours(types.names[i]))
			return true;
	return false;
}

static void judge_changed(struct key_check *c, const struct known_hosts_result *r)
{
	c->is_for_openssh = r->has_ca || (r->is_other_type && is_known_otherwise(c));
	if (r->is_other_type && c->is_for_openssh && !is_ours(r->known_type)) {
		c->result = REACH_KEY_UNKNOWN;
		buf_printf(&c->text, "it is known by a key that only OpenSSH can check, %s %s, and shows %s %s", r->known_type, r->known, r->offered_type,
		           r->offered);
		return;
	}
	c->result = REACH_KEY_CHANGED;
	buf_printf(&c->text, "the host key is not the one that is known: %s %s instead of %s %s", r->offered_type, r->offered, r->known_type, r->known);
}

/* Where an authority is known, no key is taken unasked: OpenSSH would ask for a certificate. */
static void judge_unknown(struct key_check *c, const struct known_hosts_result *r)
{
	c->is_for_openssh = r->has_ca;
	if (c->add_to != NULL && !r->has_ca) {
		take_new(c, r);
		return;
	}
	c->result = REACH_KEY_UNKNOWN;
	buf_printf(&c->text, "no host key is known for it%s; it shows %s %s",
	           r->has_ca ? " but an authority's, and only OpenSSH can check certificates" : "", r->offered_type, r->offered);
	say_place(&c->text, &r->ca);
}

static void judge(struct key_check *c, const struct known_hosts_result *r)
{
	switch (r->verdict) {
	case HOST_KEY_OK:
		c->result = REACH_OK;
		buf_printf(&c->text, "%s %s", r->offered_type, r->offered);
		break;
	case HOST_KEY_CHANGED:
		judge_changed(c, r);
		break;
	case HOST_KEY_REVOKED:
		c->result = REACH_KEY_REVOKED;
		buf_printf(&c->text, "the host key is revoked: %s %s", r->offered_type, r->offered);
		break;
	case HOST_KEY_UNSUPPORTED_CERT:
		c->result = REACH_PROTOCOL;
		c->is_for_openssh = true;
		buf_puts(&c->text, host_key_words(r->verdict));
		break;
	case HOST_KEY_UNKNOWN:
	case HOST_KEY_COUNT:
		judge_unknown(c, r);
		return;
	}
	say_place(&c->text, &r->place);
}

static void work(void *ctx)
{
	struct key_check *c = ctx;
	struct known_hosts_result r;
	struct why why = { "" };
	if (known_hosts_check(&c->query, c->key, c->n_key, c->type, &r, &why) == ERR_OK) {
		judge(c, &r);
	} else {
		c->result = REACH_FAILED;
		buf_printf(&c->text, "its key cannot be checked: %s", why.text);
	}
}

static void work_done(void *ctx, bool is_cancelled)
{
	struct key_check *c = ctx;
	(void)is_cancelled;
	if (c->gone != NULL)
		c->gone(c->gone_ctx);
	else
		c->done(c->ctx, c->result, c->is_for_openssh, buf_text(&c->text));
	check_free(c);
}

static const char *copy(struct key_check *c, const char *text)
{
	if (text == NULL)
		return NULL;
	char *kept = strdup(text);
	if (kept != NULL)
		c->texts[c->n_texts++] = kept;
	return kept;
}

static bool copy_all(struct key_check *c, const struct ssh_settings *s, const void *key, size_t n)
{
	struct whose w;
	bool takes_new = s->strict_host_key_checking == SSH_KEY_CHECK_ACCEPT_NEW || s->strict_host_key_checking == SSH_KEY_CHECK_NO;
	whose_set(&w, s);
	c->query = w.query;
	c->query.files = c->files;
	c->query.host = copy(c, w.query.host);
	c->query.alias = copy(c, w.query.alias);
	for (size_t i = 0; i < w.query.n_files; i++)
		c->files[i] = copy(c, w.files[i]);
	for (size_t i = 0; i < w.query.n_files; i++)
		if (c->files[i] == NULL)
			return false;
	c->hash_it = s->hash_known_hosts;
	c->add_to = takes_new && s->user_known_hosts.n > 0 ? c->files[0] : NULL;
	c->key = malloc(n);
	if (c->key == NULL || c->query.host == NULL || (w.query.alias != NULL && c->query.alias == NULL))
		return false;
	memcpy(c->key, key, n);
	c->n_key = n;
	return true;
}

enum err key_check_new(struct loop *loop, const struct ssh_settings *s, const void *key, size_t n, int libssh2_type,
                       void (*done)(void *ctx, enum reach result, bool is_for_openssh, const char *text), void *ctx, struct key_check **out)
{
	struct key_check *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ERR_MEMORY;
	buf_init(&c->text, 1024);
	c->type = key_type_of_libssh2(libssh2_type);
	c->done = done;
	c->ctx = ctx;
	if (!copy_all(c, s, key, n) || loop_work_new(loop, work, work_done, c, NULL, NULL) != ERR_OK) {
		check_free(c);
		return ERR_MEMORY;
	}
	*out = c;
	return ERR_OK;
}

void key_check_drop(struct key_check *c, void (*gone)(void *ctx), void *ctx)
{
	c->gone = gone;
	c->gone_ctx = ctx;
}
