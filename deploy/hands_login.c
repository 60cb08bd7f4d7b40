/* SPDX-License-Identifier: Apache-2.0
 *
 * Logins: looked up on a worker, kept as long as they say. */
#include "deploy/hands_private.h"

#include "deploy/secret_headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct lookup {
	struct errand             *errand; /* NULL: given up */
	struct hands              *hands;
	const struct fleet_deploy *deploy;
	const struct settings     *settings;
	char                      *url;
	struct loop_work          *work;
	struct login_slot         *slot;
	enum err                   err;
	struct why                 why;
};

static const struct login nobody;

const struct login *login_of(const struct errand *e) { return e->login != NULL ? &e->login->login : &nobody; }

static void slot_unref(struct login_slot *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	login_release(&s->login);
	free(s->server);
	free(s);
}

/* ---- what is kept ---- */

/* "https://host:port" of "https://host:port/path" */
static size_t server_length(const char *url)
{
	const char *at = strstr(url, "://");
	at = at != NULL ? at + 3 : url;
	return (size_t)(at - url) + strcspn(at, "/?#");
}

static bool fits(const struct login_slot *s, const struct errand *e)
{
	size_t n = server_length(e->ask.url);
	return s->deploy == e->deploy && strlen(s->server) == n && memcmp(s->server, e->ask.url, n) == 0;
}

static void drop_slot(struct login_slot **at)
{
	struct login_slot *s = *at;
	*at = s->next;
	slot_unref(s);
}

/* Those whose time is over go on the way. */
static struct login_slot *find(struct errand *e)
{
	int64_t now_ms = clock_wall_ms(e->hands->o.clock);
	for (struct login_slot **at = &e->hands->logins; *at != NULL;) {
		if ((*at)->login.until_ms <= now_ms)
			drop_slot(at);
		else if (fits(*at, e))
			return *at;
		else
			at = &(*at)->next;
	}
	return NULL;
}

static void keep(struct hands *h, struct login_slot *s)
{
	size_t n = 0;
	if (s->login.until_ms <= clock_wall_ms(h->o.clock))
		return;
	s->refs++;
	s->next = h->logins;
	h->logins = s;
	for (struct login_slot **at = &h->logins; *at != NULL;)
		if (++n > HANDS_LOGINS)
			drop_slot(at);
		else
			at = &(*at)->next;
}

void login_forget(struct errand *e)
{
	for (struct login_slot **at = &e->hands->logins; *at != NULL;)
		if (*at == e->login)
			drop_slot(at);
		else
			at = &(*at)->next;
	slot_unref(e->login);
	e->login = NULL;
}

bool hands_is_lending(const struct hands *h) { return h->n_lookups > 0; }
void hands_forget(struct hands *h) { logins_drop(h); }

void logins_drop(struct hands *h)
{
	while (h->logins != NULL)
		drop_slot(&h->logins);
}

/* ---- looking up ---- */

static bool is_plain(const char *url) { return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0; }

bool login_is_at_hand(struct errand *e)
{
	if (e->ask.kind != ASK_HTTP || (is_plain(e->ask.url) && e->deploy->auth == NULL && e->deploy->tls == NULL && !secret_headers_are_given(e->settings)))
		return true;
	e->login = find(e);
	if (e->login != NULL)
		e->login->refs++;
	return e->login != NULL;
}

static void look(void *ctx)
{
	struct lookup *l = ctx;
	l->err = login_resolve(l->deploy, l->settings, l->url, &l->slot->login, &l->why);
}

static void free_lookup(struct lookup *l)
{
	slot_unref(l->slot);
	free(l->url);
	free(l);
}

/* A secret that is not there is for people to mend; one that could not be had this time may be there the next. */
static void tell(struct errand *e, enum err err, const char *text)
{
	struct why why;
	why_set(&why, err, "%s", text);
	why_prefix(&why, err, "no credentials");
	errand_fail(e, err == ERR_TIMEOUT || err == ERR_NETWORK || err == ERR_MEMORY || err == ERR_UNSUPPORTED ? err : ERR_DENIED, why.text);
}

static void looked(void *ctx, bool is_cancelled)
{
	struct lookup *l = ctx;
	struct errand *e = l->errand;
	struct hands *h = l->hands;
	h->n_lookups--;
	enum err err = is_cancelled ? ERR_CANCELLED : l->err;
	struct why why = l->why;
	if (e != NULL)
		e->lookup = NULL;
	if (e != NULL && err == ERR_OK) {
		e->login = l->slot;
		e->login->refs++;
		keep(h, l->slot);
	}
	free_lookup(l);
	if (e != NULL && err != ERR_OK)
		tell(e, err, why.text);
	else if (e != NULL && (err = errand_go(e, &why)) != ERR_OK)
		errand_fail(e, err, why.text);
	hands_one_closed(h);
}

static enum err new_lookup(struct errand *e, struct lookup **out)
{
	struct lookup *l = calloc(1, sizeof *l);
	struct login_slot *s = calloc(1, sizeof *s);
	char *url = strdup(e->ask.url), *server = strndup(e->ask.url, server_length(e->ask.url));
	if (l == NULL || s == NULL || url == NULL || server == NULL) {
		free(l);
		free(s);
		free(url);
		free(server);
		return ERR_MEMORY;
	}
	*s = (struct login_slot){ .deploy = e->deploy, .server = server, .refs = 1 };
	*l = (struct lookup){ .errand = e, .hands = e->hands, .deploy = e->deploy, .settings = e->settings, .url = url, .slot = s };
	*out = l;
	return ERR_OK;
}

enum err lookup_begin(struct errand *e, struct why *why)
{
	struct lookup *l = NULL;
	if (new_lookup(e, &l) != ERR_OK)
		return why_memory(why);
	e->hands->n_open++;
	e->hands->n_lookups++;
	enum err err = loop_work_new(e->hands->o.loop, look, looked, l, &l->work, why);
	if (err != ERR_OK) {
		free_lookup(l);
		e->hands->n_open--;
		e->hands->n_lookups--;
		return err;
	}
	e->lookup = l;
	return ERR_OK;
}

void lookup_end(struct errand *e)
{
	if (e->lookup != NULL) {
		e->lookup->errand = NULL;
		loop_work_cancel(e->lookup->work);
	}
	e->lookup = NULL;
	slot_unref(e->login);
	e->login = NULL;
}
