/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/deploy/kube_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 16, BODY_MAX = 1 << 20 };

struct kube_server {
	struct kube_world     *world;
	struct MHD_Daemon     *daemon;
	pthread_mutex_t        lock;
	bool                   cuts;
	char                   person[64];
	struct MHD_Connection *held[HELD_MAX]; /* those that no answer is to come on */
	size_t                 n_held;
};

/* A request while it comes in. */
struct exchange {
	char  *target; /* as sent */
	char  *body;
	size_t n;
	bool   has_begun;
};

static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct exchange *e = calloc(1, sizeof *e);
	(void)ctx;
	(void)c;
	if (e == NULL || (e->target = strdup(uri)) == NULL)
		abort();
	return e;
}

static void on_end(void *ctx, struct MHD_Connection *c, void **mine, enum MHD_RequestTerminationCode code)
{
	struct exchange *e = *mine;
	(void)ctx;
	(void)c;
	(void)code;
	if (e == NULL)
		return;
	free(e->target);
	free(e->body);
	free(e);
	*mine = NULL;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return value != NULL ? value : "";
}

static enum MHD_Result answer(struct MHD_Connection *c, const struct kube_reply *r)
{
	char seconds[16];
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(r->text), r->text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", r->type);
	snprintf(seconds, sizeof seconds, "%d", r->retry_after);
	if (r->retry_after > 0)
		MHD_add_response_header(response, "Retry-After", seconds);
	enum MHD_Result result = MHD_queue_response(c, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *data, size_t *size, void **mine)
{
	struct kube_server *s = ctx;
	struct exchange *e = *mine;
	struct kube_reply r;
	(void)url;
	(void)version;
	if (!e->has_begun) {
		e->has_begun = true;
		return MHD_YES;
	}
	if (*size > 0) {
		char *more = e->n + *size < BODY_MAX ? realloc(e->body, e->n + *size + 1) : NULL;
		if (more == NULL)
			return MHD_NO;
		memcpy(more + e->n, data, *size);
		e->body = more;
		e->n += *size;
		e->body[e->n] = '\0';
		*size = 0;
		return MHD_YES;
	}
	pthread_mutex_lock(&s->lock);
	snprintf(s->person, sizeof s->person, "%s", header(c, "Impersonate-User"));
	kube_world_handle(s->world, method, e->target, header(c, "Content-Type"), header(c, "Authorization"), e->body != NULL ? e->body : "", &r);
	bool is_held = r.is_silent && !s->cuts && s->n_held < HELD_MAX;
	if (is_held) {
		MHD_suspend_connection(c);
		s->held[s->n_held++] = c;
	}
	pthread_mutex_unlock(&s->lock);
	if (!r.is_silent)
		return answer(c, &r);
	free(r.text);
	return is_held ? MHD_YES : MHD_NO;
}

struct kube_server *kube_server_start(struct kube_world *w, const char *cert, const char *key)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct kube_server *s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	s->world = w;
	pthread_mutex_init(&s->lock, NULL);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME | (cert != NULL ? MHD_USE_TLS : 0);
	if (cert != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES)
		s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&a, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
		                             MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_HTTPS_MEM_CERT, cert, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);
	else if (cert == NULL)
		s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&a, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
		                             MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
	if (s->daemon != NULL)
		return s;
	free(s);
	return NULL;
}

void kube_server_stop(struct kube_server *s)
{
	MHD_quiesce_daemon(s->daemon);
	for (size_t i = 0; i < s->n_held; i++)
		MHD_resume_connection(s->held[i]);
	MHD_stop_daemon(s->daemon);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int kube_server_port(const struct kube_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info != NULL ? info->port : 0;
}

void kube_server_lock(struct kube_server *s) { pthread_mutex_lock(&s->lock); }
void kube_server_unlock(struct kube_server *s) { pthread_mutex_unlock(&s->lock); }

void kube_server_cuts(struct kube_server *s, bool cuts)
{
	kube_server_lock(s);
	s->cuts = cuts;
	kube_server_unlock(s);
}

const char *kube_server_person(const struct kube_server *s) { return s->person; }
