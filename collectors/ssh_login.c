/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in: the agent's keys, then the keys in files, in the order in which OpenSSH offers them. Keys that libssh2 1.10 cannot sign with (RSA,
 * since it has SHA-1 only; certificates; FIDO) are counted: where nothing else was taken, the OpenSSH client may be luckier. */
#include "collectors/ssh_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "collectors/ssh_blob.h"
#include "collectors/ssh_key.h"

enum { TRIED_MAX = 6 }; /* sshd's MaxAuthTries, where nobody set another: the sixth that fails ends the connection */

static struct login *login_of(struct ssh_session *s) { return &s->login; }

static void agent_gone(void *ctx)
{
	pool_handle_gone(ctx);
}

void login_end(struct ssh_session *s)
{
	struct login *l = login_of(s);
	if (l->agent != NULL) {
		s->pool->n_handles++;
		ssh_agent_close(l->agent, agent_gone, s->pool);
	}
	ssh_heap_free(l->signature, &(void *){ s });
	memset(l, 0, sizeof *l);
	for (size_t i = 0; i < s->hop.n_keys; i++) {
		if (s->hop.keys[i].text.data != NULL)
			explicit_bzero(s->hop.keys[i].text.data, s->hop.keys[i].text.cap);
		buf_release(&s->hop.keys[i].text);
	}
}

/* Keys that only OpenSSH can use, the certificates that stand beside keys with them. */
static size_t count_foreign(const struct ssh_session *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->hop.n_keys; i++)
		n += (s->hop.keys[i].state == ROUTE_KEY_FOREIGN) + s->hop.keys[i].has_certificate;
	return n;
}

void login_start(struct ssh_session *s)
{
	memset(&s->login, 0, sizeof s->login);
	s->login.n_foreign = count_foreign(s);
}

bool login_waits_for_agent(const struct ssh_session *s)
{
	return s->login.state == LOGIN_AGENT || (s->login.is_signing && s->login.answered == 0);
}

/* A comment may be anything. */
static void say_key(struct ssh_session *s)
{
	const struct login *l = &s->login;
	char   fingerprint[KEY_FINGERPRINT];
	struct buf safe;
	struct key key;
	buf_init(&safe, 1024);
	if (l->state == LOGIN_AGENT_KEY) {
		const struct ssh_agent_key *k = &l->agent_keys[l->at];
		buf_printf(&safe, "by the agent's key %s ", key_read(k->blob, k->n, NULL, &key, NULL) == ERR_OK ? key.type : "");
		text_cut(&safe, k->comment, strlen(k->comment), 60);
		buf_printf(&safe, "%s%s", k->comment[0] != '\0' ? " " : "", key_fingerprint(k->blob, k->n, fingerprint));
	} else if (l->state == LOGIN_FILE) {
		buf_puts(&safe, "by the key ");
		text_cut(&safe, s->hop.keys[l->at].path, strlen(s->hop.keys[l->at].path), 180);
	} else {
		buf_puts(&safe, "the server wants no proof");
	}
	snprintf(s->logged_in_by, sizeof s->logged_in_by, "%s", buf_text(&safe));
	buf_release(&safe);
}

static void logged_in(struct ssh_session *s)
{
	say_key(s);
	login_end(s);
	session_is_ready(s);
}

static void give_up(struct ssh_session *s)
{
	const struct login *l = &s->login;
	char more[400];
	snprintf(more, sizeof more, "%s%s%s%.200s%s", l->failed != NULL ? "; " : "", l->failed != NULL ? l->failed : "",
	         l->locked != NULL ? "; the key '" : "", l->locked != NULL ? l->locked : "", l->locked != NULL ? "' is locked with a passphrase" : "");
	s->is_for_openssh = l->n_foreign > 0;
	if (l->n_tried == 0 && l->locked != NULL && l->n_foreign == 0)
		session_fail(s, REACH_PASSPHRASE, "%s: the key '%s' is locked with a passphrase%s%s", s->hop.name, l->locked,
		             l->failed != NULL ? "; " : "", l->failed != NULL ? l->failed : "");
	else if (l->n_tried == 0 && l->n_foreign == 0)
		session_fail(s, REACH_AUTH, "%s takes %s, and there is no key to offer%s", s->hop.name, l->offered, more);
	else
		session_fail(s, REACH_AUTH, "%s takes %s, and none of the %zu keys offered%s%s", s->hop.name, l->offered, l->n_tried,
		             l->n_foreign > 0 ? " (others are of kinds that only OpenSSH can use)" : "", more);
}

/* The server left while keys were offered: most have a limit, which MaxAuthTries sets. */
static void was_left(struct ssh_session *s, int rc)
{
	const struct login *l = &s->login;
	s->is_for_openssh = l->n_foreign > 0;
	if (l->n_tried > 0 && s->farewell[0] != '\0')
		session_fail(s, REACH_AUTH, "%s ended the connection after %zu keys that it did not take: %s", s->hop.name, l->n_tried, s->farewell);
	else
		session_broken(s, rc);
}

static bool is_signable(const unsigned char *blob, size_t n)
{
	return ssh_blob_is(blob, n, "ssh-ed25519") || ssh_blob_is(blob, n, "ecdsa-sha2-nistp256") || ssh_blob_is(blob, n, "ecdsa-sha2-nistp384") ||
	       ssh_blob_is(blob, n, "ecdsa-sha2-nistp521");
}

/* ---- the agent ---- */

/* A file names it. */
static bool is_named(const struct ssh_session *s, const struct ssh_agent_key *k)
{
	for (size_t i = 0; i < s->hop.n_keys; i++) {
		const struct buf *blob = &s->hop.keys[i].public_blob;
		if (blob->len == k->n && k->n > 0 && memcmp(blob->data, k->blob, k->n) == 0)
			return true;
	}
	return false;
}

static void take_agent_key(struct login *l, const struct ssh_agent_key *k)
{
	if (is_signable(k->blob, k->n))
		l->agent_keys[l->n_agent_keys++] = *k;
	else
		l->n_foreign++;
}

/* Those that files name come first, as OpenSSH has it, and alone with IdentitiesOnly: servers do not let many be tried. */
static void on_keys(void *ctx, const struct ssh_agent_key *keys, size_t n)
{
	struct ssh_session *s = ctx;
	struct login *l = login_of(s);
	l->n_agent_keys = 0;
	for (size_t i = 0; i < n; i++)
		if (is_named(s, &keys[i]))
			take_agent_key(l, &keys[i]);
	for (size_t i = 0; i < n && !s->hop.settings.identities_only; i++)
		if (!is_named(s, &keys[i]))
			take_agent_key(l, &keys[i]);
	l->state = LOGIN_AGENT_KEY;
	l->at = 0;
	pool_mark(s->pool, s);
	pool_run(s->pool);
}

/* The agent gives "type, signature"; libssh2 wants the signature alone. */
static void on_signature(void *ctx, const unsigned char *signature, size_t n)
{
	struct ssh_session *s = ctx;
	struct login *l = login_of(s);
	const unsigned char *type, *raw;
	size_t at = 0, type_len, len;
	void *abstract = s;
	l->answered = -1;
	if (ssh_blob_next(signature, n, &at, &type, &type_len) && ssh_blob_next(signature, n, &at, &raw, &len) &&
	    (l->signature = ssh_heap_alloc(len > 0 ? len : 1, &abstract)) != NULL) {
		memcpy(l->signature, raw, len);
		l->signature_len = len;
		l->answered = 1;
	}
	pool_mark(s->pool, s);
	pool_run(s->pool);
}

/* A key that is being offered is offered to its end: libssh2 is in the midst of it. */
static void on_agent_failed(void *ctx, const char *text)
{
	struct ssh_session *s = ctx;
	struct login *l = login_of(s);
	snprintf(l->agent_text, sizeof l->agent_text, "%s", text);
	l->failed = l->agent_text;
	if (l->state == LOGIN_AGENT) {
		l->state = LOGIN_FILE;
		l->at = 0;
	} else if (l->state == LOGIN_AGENT_KEY && l->is_signing) {
		l->answered = -1;
	}
	pool_mark(s->pool, s);
	pool_run(s->pool);
}

static const struct ssh_agent_events agent_events = { on_keys, on_signature, on_agent_failed };

/* Called by libssh2, again and again until the agent has answered. */
static int sign(LIBSSH2_SESSION *raw, unsigned char **sig, size_t *sig_len, const unsigned char *data, size_t data_len, void **abstract)
{
	struct ssh_session *s = *abstract;
	struct login *l = login_of(s);
	(void)raw;
	if (!l->is_signing) {
		l->is_signing = true;
		l->answered = 0;
		if (ssh_agent_sign(l->agent, &l->agent_keys[l->at], data, data_len) != ERR_OK)
			l->answered = -1;
	}
	if (l->answered == 0)
		return LIBSSH2_ERROR_EAGAIN;
	l->is_signing = false;
	if (l->answered < 0) {
		l->is_unsigned[l->at] = true;
		return -1;
	}
	*sig = l->signature; /* libssh2 frees it */
	*sig_len = l->signature_len;
	l->signature = NULL;
	return 0;
}

static void step_agent_key(struct ssh_session *s)
{
	struct login *l = login_of(s);
	while (l->at < l->n_agent_keys && l->n_tried < TRIED_MAX) {
		const struct ssh_agent_key *k = &l->agent_keys[l->at];
		void *abstract = s;
		int rc = libssh2_userauth_publickey(s->raw, s->hop.settings.user, k->blob, k->n, sign, &abstract);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return;
		if (rc == 0) {
			logged_in(s);
			return;
		}
		l->n_tried++;
		l->at++;
		l->is_signing = false;
		if (session_has_gone(s, rc)) {
			was_left(s, rc);
			return;
		}
	}
	l->state = LOGIN_FILE;
	l->at = 0;
}

/* ---- files ---- */

/* The agent has it too, and offered it. */
static bool was_offered(const struct login *l, const struct route_key *k)
{
	for (size_t i = 0; i < l->n_agent_keys; i++)
		if (!l->is_unsigned[i] && k->public_blob.len == l->agent_keys[i].n && k->public_blob.len > 0 &&
		    memcmp(k->public_blob.data, l->agent_keys[i].blob, l->agent_keys[i].n) == 0)
			return true;
	return false;
}

static void step_file(struct ssh_session *s)
{
	struct login *l = login_of(s);
	const char *user = s->hop.settings.user;
	for (; l->at < s->hop.n_keys && l->n_tried < TRIED_MAX; l->at++) {
		struct route_key *k = &s->hop.keys[l->at];
		if (was_offered(l, k))
			continue;
		if (k->state == ROUTE_KEY_LOCKED && l->locked == NULL)
			l->locked = k->path;
		if (k->state != ROUTE_KEY_USABLE)
			continue;
		int rc = libssh2_userauth_publickey_frommemory(s->raw, user, strlen(user), NULL, 0, buf_text(&k->text), k->text.len, NULL);
		if (rc == LIBSSH2_ERROR_EAGAIN)
			return;
		if (rc == 0) {
			logged_in(s);
			return;
		}
		l->n_tried++;
		if (session_has_gone(s, rc)) {
			was_left(s, rc);
			return;
		}
	}
	give_up(s);
}

/* ---- which ways there are ---- */

static void step_list(struct ssh_session *s)
{
	struct login *l = login_of(s);
	const struct ssh_settings *o = &s->hop.settings;
	struct why why = { "" };
	char *list = libssh2_userauth_list(s->raw, o->user, (unsigned)strlen(o->user));
	if (list == NULL && libssh2_session_last_errno(s->raw) == LIBSSH2_ERROR_EAGAIN)
		return;
	if (list == NULL && libssh2_userauth_authenticated(s->raw)) {
		logged_in(s);
		return;
	}
	if (list == NULL) {
		session_broken(s, libssh2_session_last_errno(s->raw));
		return;
	}
	snprintf(l->offered, sizeof l->offered, "%s", list);
	if (strstr(list, "publickey") == NULL || !o->publickey_authentication) {
		s->is_for_openssh = strstr(list, "gssapi") != NULL || strstr(list, "hostbased") != NULL;
		session_fail(s, REACH_AUTH, "%s takes %s only; pitwall logs in with keys", s->hop.name, l->offered);
		return;
	}
	l->state = LOGIN_FILE;
	if (o->identity_agent == NULL)
		return;
	if (ssh_agent_new(s->pool->o.loop, o->identity_agent, &agent_events, s, &l->agent, &why) == ERR_OK)
		l->state = LOGIN_AGENT;
}

void login_step(struct ssh_session *s)
{
	if (s->login.state == LOGIN_LIST)
		step_list(s);
	if (s->state == SESSION_LOGIN && s->login.state == LOGIN_AGENT_KEY)
		step_agent_key(s);
	if (s->state == SESSION_LOGIN && s->login.state == LOGIN_FILE)
		step_file(s);
}
