/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/collectors/ssh_liar.h"

#include <netinet/in.h>
#include <uv.h>

#include "base/buf.h"
#include "tests/unit/collectors/loop_turn.h"

enum { TEXT_MAX = 1 << 20, DRIP_MS = 20, FLOOD = 64 * 1024 };

struct liar {
	struct loop            *loop;
	uv_tcp_t                listener;
	const struct liar_step *steps;
	int                     port;
	uint64_t                n_sent;
	size_t                  n_open, n_handles;
	struct talk            *talks;
};

struct talk {
	struct liar            *liar;
	struct talk            *prev, *next;
	uv_tcp_t                tcp;
	uv_timer_t              timer;
	uv_write_t              write;
	uv_shutdown_t           shutdown;
	const struct liar_step *last;
	struct buf              out;
	size_t                  at;
	int                     n_handles;
	bool                    is_closing, is_writing;
};

static void on_gone(uv_handle_t *handle)
{
	struct talk *t = handle->data;
	struct liar *l = t->liar;
	if (--t->n_handles > 0)
		return;
	*(t->prev != NULL ? &t->prev->next : &l->talks) = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	l->n_handles--;
	buf_release(&t->out);
	free(t);
}

static void hang_up(struct talk *t)
{
	if (t->is_closing)
		return;
	t->is_closing = true;
	t->liar->n_open--;
	uv_close((uv_handle_t *)&t->tcp, on_gone);
	uv_close((uv_handle_t *)&t->timer, on_gone);
}

static void put_packet(struct buf *to, int type, const void *body, size_t n)
{
	size_t padding = 8 - (n + 6) % 8 + 4, len = 1 + 1 + n + padding;
	const unsigned char head[] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len,
		                           (unsigned char)padding, (unsigned char)type };
	buf_put(to, head, sizeof head);
	buf_put(to, body, n);
	buf_fill(to, '\0', padding);
}

static void put_kexinit(struct buf *to)
{
	static const char *const lists[] = { "curve25519-sha256,diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256", "ssh-ed25519",
		                                 "aes128-ctr", "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", "" };
	struct buf body;
	buf_init(&body, TEXT_MAX);
	buf_fill(&body, 'c', 16);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		size_t n = strlen(lists[i]);
		buf_put(&body, (const unsigned char[]){ 0, 0, (unsigned char)(n >> 8), (unsigned char)n }, 4);
		buf_puts(&body, lists[i]);
	}
	buf_fill(&body, '\0', 5);
	put_packet(to, 20, body.data, body.len);
	buf_release(&body);
}

static void put_random(struct buf *to, size_t n)
{
	uint64_t x = 0x9E3779B97F4A7C15u;
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_putc(to, (char)(x >> 24));
	}
}

static size_t length(const struct liar_step *s) { return s->n > 0 || s->text == NULL ? s->n : strlen(s->text); }

static void go_on(struct talk *t);

static void on_written(uv_write_t *request, int status)
{
	struct talk *t = request->data;
	t->is_writing = false;
	if (status < 0) {
		hang_up(t);
		return;
	}
	t->liar->n_sent += t->out.len;
	if (t->last->what == LIAR_DRIP)
		return;
	go_on(t);
}

static void say(struct talk *t)
{
	uv_buf_t b = uv_buf_init(t->out.data, (unsigned)t->out.len);
	t->write.data = t;
	t->is_writing = true;
	if (uv_write(&t->write, (uv_stream_t *)&t->tcp, &b, 1, on_written) != 0)
		hang_up(t);
}

/*
 * What comes again and again, once all else has been said. One that has spoken ends as servers do: it says that no more comes and waits for
 * the other to close. Closed with bytes of the other's unread, TCP resets, and what was said may be lost on its way (RFC 2525, 2.17).
 */
static void go_on(struct talk *t)
{
	if (t->last->what == LIAR_END) {
		if (t->out.len == 0 || uv_shutdown(&t->shutdown, (uv_stream_t *)&t->tcp, NULL) != 0)
			hang_up(t);
	} else if (t->last->what == LIAR_FLOOD) {
		buf_clear(&t->out);
		while (t->out.len < FLOOD)
			buf_put(&t->out, t->last->text, length(t->last));
		say(t);
	}
}

static void on_drip(uv_timer_t *timer)
{
	struct talk *t = timer->data;
	if (t->is_closing || t->is_writing)
		return;
	buf_clear(&t->out);
	buf_putc(&t->out, t->last->text[t->at++ % length(t->last)]);
	say(t);
}

static void play(struct talk *t)
{
	const struct liar_step *s = t->liar->steps;
	for (; s->what != LIAR_END && s->what != LIAR_WAIT && s->what != LIAR_DRIP && s->what != LIAR_FLOOD; s++) {
		if (s->what == LIAR_TEXT)
			buf_put(&t->out, s->text, length(s));
		else if (s->what == LIAR_KEXINIT)
			put_kexinit(&t->out);
		else if (s->what == LIAR_PACKET)
			put_packet(&t->out, s->type, s->text, length(s));
		else
			put_random(&t->out, s->n);
	}
	t->last = s;
	if (s->what == LIAR_DRIP)
		uv_timer_start(&t->timer, on_drip, DRIP_MS, DRIP_MS);
	if (t->out.len > 0)
		say(t);
	else
		go_on(t);
}

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	static char room[65536];
	(void)handle;
	(void)suggested;
	*to = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	(void)bytes;
	if (n < 0)
		hang_up(stream->data);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct liar *l = listener->data;
	struct talk *t = calloc(1, sizeof *t);
	assert_int_equal(status, 0);
	assert_non_null(t);
	t->liar = l;
	buf_init(&t->out, TEXT_MAX);
	uv_tcp_init(listener->loop, &t->tcp);
	uv_timer_init(listener->loop, &t->timer);
	t->tcp.data = t->timer.data = t;
	t->n_handles = 2;
	t->next = l->talks;
	if (l->talks != NULL)
		l->talks->prev = t;
	l->talks = t;
	l->n_handles++;
	l->n_open++;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&t->tcp), 0);
	uv_read_start((uv_stream_t *)&t->tcp, lend_room, on_read);
	play(t);
}

struct liar *liar_new(struct loop *loop, const struct liar_step *steps)
{
	struct liar *l = calloc(1, sizeof *l);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int len = sizeof a;
	assert_non_null(l);
	l->loop = loop;
	l->steps = steps;
	uv_tcp_init(loop_uv(loop), &l->listener);
	l->listener.data = l;
	l->n_handles = 1;
	assert_int_equal(uv_tcp_bind(&l->listener, (const struct sockaddr *)&a, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&l->listener, 16, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&l->listener, (struct sockaddr *)&a, &len), 0);
	l->port = ntohs(a.sin_port);
	return l;
}

int      liar_port(const struct liar *l) { return l->port; }
uint64_t liar_sent(const struct liar *l) { return l->n_sent; }
size_t   liar_open(const struct liar *l) { return l->n_open; }

static void listener_gone(uv_handle_t *handle) { ((struct liar *)handle->data)->n_handles--; }
static bool is_alone(const void *what) { return ((const struct liar *)what)->n_handles == 0; }

void liar_free(struct liar *l)
{
	uv_close((uv_handle_t *)&l->listener, listener_gone);
	for (struct talk *t = l->talks; t != NULL; t = t->next)
		hang_up(t);
	loop_turn_until(l->loop, is_alone, l, "closing a server");
	free(l);
}
