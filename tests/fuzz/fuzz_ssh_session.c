/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server says before anybody is logged in, from its first byte: a session carried by a tunnel that the input comes out of. Whatever it is, the
 * session ends in words, at the latest with the input, and nothing of it is left. The first byte says in how long pieces the others come. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "collectors/ssh_private.h"

#include <uv.h>

static struct loop *loop;
static struct ssh *pool;

static void begin(void)
{
	struct why why = { "" };
	if (pool != NULL)
		return;
	HOLDS(loop_new(&loop, &why) == ERR_OK);
	const struct ssh_options o = { .loop = loop, .clock = clock_system() };
	HOLDS(ssh_new(&o, &pool, &why) == ERR_OK);
}

static struct ssh_session *connect_over(struct ssh_session *below)
{
	struct ssh_session *s = NULL;
	HOLDS(session_get(pool, "above", below, &s) == ERR_OK);
	s->hop.name = strdup("ann@above:22");
	HOLDS(s->hop.name != NULL);
	snprintf(s->hop.host_key_methods, sizeof s->hop.host_key_methods, "ssh-ed25519,ecdsa-sha2-nistp256");
	session_tunnel_opened(s);
	return s;
}

static void is_safe(const char *text)
{
	for (; *text != '\0'; text++)
		HOLDS((unsigned char)*text >= ' ' && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssh_session *below = NULL;
	begin();
	HOLDS(session_get(pool, "below", NULL, &below) == ERR_OK);
	below->state = SESSION_READY;
	struct ssh_session *s = connect_over(below);
	size_t piece = size > 0 ? (size_t)data[0] * 8 + 1 : 1;
	for (size_t at = 1; at < size && s->state != SESSION_ENDED; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		session_tunnel_says(s, (const char *)data + at, n);
		pool_run(pool);
		HOLDS(s->heap_bytes <= SSH_HEAP_MAX && s->out.len <= SSH_OUT_MAX);
	}
	if (s->state != SESSION_ENDED)
		session_tunnel_ended(s);
	pool_run(pool);
	HOLDS(s->state == SESSION_ENDED && s->raw == NULL && s->heap == NULL && s->heap_bytes == 0 && pool->n_starting == 0);
	HOLDS(s->why_ended != REACH_OK && s->why_text[0] != '\0');
	is_safe(s->why_text);
	session_leave(s);
	session_leave(below);
	pool_run(pool);
	HOLDS(pool->sessions == NULL);
	uv_run(loop_uv(loop), UV_RUN_NOWAIT); /* timers that were closed */
	return 0;
}
