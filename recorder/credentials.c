/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/credentials.h"

#include <stdbool.h>
#include <stdlib.h>

#include "config/secret.h"

enum { REFRESH_MS = 60 * 1000 };

struct credential {
	struct credentials      *of;
	const struct fleet_auth *auth;
	struct secret            now;     /* the last one that came; text NULL: none yet */
	enum err                 err;     /* of the last try */
	struct why               why;
	bool                     is_fetching, was_tried;
	struct secret            fetched; /* the worker's, until done */
	enum err                 fetched_err;
	struct why               fetched_why;
};

struct credentials {
	struct loop       *loop;
	struct loop_timer *refresh, *at_once;
	struct credential *items;
	size_t             n;
	void             (*ready)(void *ctx);
	void              *ready_ctx;
	bool               was_ready, is_closing;
	void             (*closed)(void *ctx);
	void              *closed_ctx;
};

static void free_now(void *ctx)
{
	struct credentials *c = ctx;
	for (size_t i = 0; i < c->n; i++)
		secret_release(&c->items[i].now);
	free(c->items);
	void (*closed)(void *) = c->closed;
	void *closed_ctx = c->closed_ctx;
	free(c);
	if (closed != NULL)
		closed(closed_ctx);
}

static void look(struct credentials *c)
{
	bool all_tried = true, any_fetching = false;
	for (size_t i = 0; i < c->n; i++) {
		all_tried = all_tried && c->items[i].was_tried;
		any_fetching = any_fetching || c->items[i].is_fetching;
	}
	if (c->is_closing) {
		if (!any_fetching)
			free_now(c);
	} else if (all_tried && !c->was_ready) {
		c->was_ready = true;
		c->ready(c->ready_ctx);
	}
}

static void fetch(void *ctx)
{
	struct credential *one = ctx;
	one->fetched = (struct secret){ 0 };
	one->fetched_err = secret_read(&one->auth->secret, 0, &one->fetched, &one->fetched_why);
}

static void fetched(void *ctx, bool is_cancelled)
{
	struct credential *one = ctx;
	one->is_fetching = false;
	one->was_tried = true;
	if (!is_cancelled && one->fetched_err == ERR_OK) {
		secret_release(&one->now);
		one->now = one->fetched;
	}
	if (!is_cancelled) {
		one->err = one->fetched_err;
		one->why = one->fetched_why;
	}
	look(one->of);
}

static void fetch_all(void *ctx)
{
	struct credentials *c = ctx;
	for (size_t i = 0; i < c->n; i++) {
		struct credential *one = &c->items[i];
		if (one->is_fetching)
			continue;
		one->is_fetching = loop_work_new(c->loop, fetch, fetched, one, NULL, &one->why) == ERR_OK;
		if (!one->is_fetching) {
			one->err = ERR_MEMORY;
			one->was_tried = true;
		}
	}
	look(c);
}

/* One entry for each different auth that a target points at. */
static enum err list_auths(struct credentials *c, const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->n_targets; i++) {
		const struct fleet_auth *auth = fleet->targets[i].auth;
		if (auth == NULL || credentials_find(c, auth) != NULL)
			continue;
		struct credential *grown = realloc(c->items, (c->n + 1) * sizeof *grown);
		if (grown == NULL)
			return ERR_MEMORY;
		c->items = grown;
		c->items[c->n++] = (struct credential){ .of = c, .auth = auth, .err = ERR_LATER };
	}
	return ERR_OK;
}

enum err credentials_new(struct loop *loop, const struct fleet *fleet, void (*ready)(void *ctx), void *ctx, struct credentials **out,
                         struct why *why)
{
	struct credentials *c = calloc(1, sizeof *c);
	if (c == NULL)
		return why_memory(why);
	*c = (struct credentials){ .loop = loop, .ready = ready, .ready_ctx = ctx };
	enum err e = list_auths(c, fleet) != ERR_OK ? why_memory(why) : ERR_OK;
	if (e == ERR_OK)
		e = loop_timer_new(loop, fetch_all, c, &c->at_once, why);
	if (e == ERR_OK)
		e = loop_timer_new(loop, fetch_all, c, &c->refresh, why);
	if (e != ERR_OK) {
		credentials_close(c, NULL, NULL);
		return e;
	}
	loop_timer_start(c->at_once, 0, 0);
	loop_timer_start(c->refresh, REFRESH_MS, REFRESH_MS);
	*out = c;
	return ERR_OK;
}

void credentials_close(struct credentials *c, void (*closed)(void *ctx), void *ctx)
{
	loop_timer_close(c->at_once);
	loop_timer_close(c->refresh);
	c->is_closing = true;
	c->closed = closed;
	c->closed_ctx = ctx;
	look(c);
}

struct credential *credentials_find(struct credentials *c, const struct fleet_auth *auth)
{
	for (size_t i = 0; auth != NULL && i < c->n; i++)
		if (c->items[i].auth == auth)
			return &c->items[i];
	return NULL;
}

enum err credential_put(struct credential *c, struct buf *to, struct why *why)
{
	if (c == NULL)
		return why_set(why, ERR_NOT_FOUND, "no credentials");
	if (c->now.text == NULL) {
		if (why != NULL)
			*why = c->why;
		return c->err != ERR_OK ? c->err : ERR_LATER;
	}
	return buf_put(to, c->now.text, c->now.len);
}
