/* SPDX-License-Identifier: Apache-2.0
 *
 * Silences of an Alertmanager: what people ask for, and the mirror of acknowledgements. */
#include "alerts/alertmanager_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { PATH_MAX_ = 16 + AM_ID_MAX };

/* What somebody asked for. */
struct am_silence_op {
	struct am_silence_op *prev, *next;
	struct alertmanager  *a;
	char                  id[AM_ID_MAX + 1];
	struct matcher_set    matchers;
	int64_t               starts_ms, ends_ms;
	char                 *created_by, *comment;
	am_silence_done       done;
	void                 *ctx;
};

static void op_free(struct am_silence_op *op)
{
	if (op->a != NULL) {
		op->a->serial++;
		*(op->prev != NULL ? &op->prev->next : &op->a->ops) = op->next;
		if (op->next != NULL)
			op->next->prev = op->prev;
	}
	matcher_set_release(&op->matchers);
	free(op->created_by);
	free(op->comment);
	free(op);
}

static void op_end(struct am_silence_op *op, enum err e, const char *text)
{
	struct buf safe;
	buf_init(&safe, 4096);
	text_safe(&safe, text, strlen(text));
	if (op->done != NULL)
		op->done(op->ctx, e, op->id, buf_text(&safe));
	buf_release(&safe);
	op_free(op);
}

static enum err op_new(struct alertmanager *a, const char *id, am_silence_done done, void *ctx, struct am_silence_op **out, struct why *why)
{
	if (id[0] != '\0' && !am_is_id(id))
		return why_set(why, ERR_FORMAT, "'%.80s' is no id of a silence", id);
	struct am_silence_op *op = calloc(1, sizeof *op);
	if (op == NULL)
		return why_memory(why);
	matcher_set_init(&op->matchers);
	snprintf(op->id, sizeof op->id, "%s", id);
	op->done = done;
	op->ctx = ctx;
	op->a = a;
	a->serial++;
	op->next = a->ops;
	if (op->next != NULL)
		op->next->prev = op;
	a->ops = op;
	*out = op;
	return ERR_OK;
}

uint64_t alertmanager_serial(const struct alertmanager *a)
{
	return a->serial;
}

/* ---- making and changing ---- */

static void on_posted(void *ctx, const struct http_answer *an)
{
	struct am_silence_op *op = ctx;
	struct why why = { "" };
	enum err e = an->result == FETCH_OK ? am_silence_id_parse(an->body, an->len, op->id, &why) : am_error_of(an);
	if (e == ERR_OK) /* what failed may fail again: that is left to the usual time */
		alertmanager_pull_now(op->a);
	op_end(op, e, an->result == FETCH_OK ? why.text : an->text);
}

static enum err op_post(struct am_silence_op *op, struct why *why)
{
	struct buf body;
	struct am_silence_put put = { .id = op->id, .matchers = &op->matchers, .starts_ms = op->starts_ms, .ends_ms = op->ends_ms, .created_by = op->created_by,
		                      .comment = op->comment };
	buf_init(&body, 8 << 20);
	enum err e = am_put_silence(&body, &put);
	if (e == ERR_OK)
		e = am_request(op->a, "POST", "/silences", &body, on_posted, op, why);
	else
		why_set(why, e, "the silence cannot be written as JSON");
	buf_release(&body);
	return e;
}

/* Only one that has begun must keep its beginning; one that is over becomes another. */
static void on_got(void *ctx, const struct http_answer *an)
{
	struct am_silence_op *op = ctx;
	struct am_silences one;
	struct why why = { "" };
	enum err e = an->result == FETCH_OK ? am_silence_parse(an->body, an->len, &one, &why) : am_error_of(an);
	if (e != ERR_OK) {
		op_end(op, e, an->result == FETCH_OK ? why.text : an->text);
		return;
	}
	if (one.items[0].state == AM_SILENCE_ACTIVE)
		op->starts_ms = one.items[0].starts_ms;
	am_silences_release(&one);
	e = op_post(op, &why);
	if (e != ERR_OK)
		op_end(op, e, why.text);
}

static enum err copy_matchers(const struct matcher_set *from, struct matcher_set *to, struct why *why)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < from->n && e == ERR_OK; i++)
		e = matcher_set_add(to, from->items[i].kind, from->items[i].name, from->items[i].value, why);
	return e;
}

enum err alertmanager_silence(struct alertmanager *a, const struct am_silence_put *s, am_silence_done done, void *ctx, struct why *why)
{
	struct am_silence_op *op;
	char path[PATH_MAX_];
	enum err e = op_new(a, s->id, done, ctx, &op, why);
	if (e != ERR_OK)
		return e;
	op->starts_ms = s->starts_ms;
	op->ends_ms = s->ends_ms;
	op->created_by = strdup(s->created_by);
	op->comment = strdup(s->comment);
	e = op->created_by != NULL && op->comment != NULL ? copy_matchers(s->matchers, &op->matchers, why) : why_memory(why);
	snprintf(path, sizeof path, "/silence/%s", op->id);
	if (e == ERR_OK)
		e = op->id[0] != '\0' ? am_request(a, "GET", path, NULL, on_got, op, why) : op_post(op, why);
	if (e != ERR_OK)
		op_free(op);
	return e;
}

/* ---- expiring ---- */

static void on_deleted(void *ctx, const struct http_answer *an)
{
	struct am_silence_op *op = ctx;
	if (an->result == FETCH_OK)
		alertmanager_pull_now(op->a);
	op_end(op, an->result == FETCH_OK ? ERR_OK : am_error_of(an), an->text);
}

enum err alertmanager_expire(struct alertmanager *a, const char *id, am_silence_done done, void *ctx, struct why *why)
{
	struct am_silence_op *op;
	char path[PATH_MAX_];
	if (id[0] == '\0')
		return why_set(why, ERR_FORMAT, "no id of a silence");
	enum err e = op_new(a, id, done, ctx, &op, why);
	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "/silence/%s", op->id);
	e = am_request(a, "DELETE", path, NULL, on_deleted, op, why);
	if (e != ERR_OK)
		op_free(op);
	return e;
}

/* ---- the mirror ---- */

static void acks_release(struct am_acks *k)
{
	for (size_t i = 0; i < k->n_labels; i++)
		labels_unref(k->labels[i]);
	arena_release(&k->arena);
	*k = (struct am_acks){ 0 };
	arena_init(&k->arena);
}

static enum err acks_copy(const struct am_ack *acks, size_t n, struct am_acks *to)
{
	size_t all = 0;
	for (size_t i = 0; i < n; i++)
		all += acks[i].n;
	to->items = arena_zeroed(&to->arena, n + 1, sizeof *to->items);
	to->labels = arena_zeroed(&to->arena, all + 1, sizeof *to->labels);
	const struct labels **lent = arena_zeroed(&to->arena, all + 1, sizeof *lent);
	if (arena_failed(&to->arena))
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++) {
		to->items[i] = acks[i];
		to->items[i].who = arena_text(&to->arena, acks[i].who);
		to->items[i].comment = arena_text(&to->arena, acks[i].comment);
		to->items[i].alerts = &lent[to->n_labels];
		for (size_t k = 0; k < acks[i].n; k++) {
			to->labels[to->n_labels] = labels_ref(acks[i].alerts[k]);
			lent[to->n_labels] = to->labels[to->n_labels];
			to->n_labels++;
		}
	}
	to->n = n;
	return arena_failed(&to->arena) ? ERR_MEMORY : ERR_OK;
}

/* A console may set the same each second: only what changed is worth a question to the Alertmanager. */
static bool are_same(const struct am_acks *have, const struct am_ack *acks, size_t n)
{
	if (have->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct am_ack *x = &have->items[i], *y = &acks[i];
		if (x->n != y->n || x->until_ms != y->until_ms || strcmp(x->who, y->who) != 0 || strcmp(x->comment, y->comment) != 0)
			return false;
		for (size_t k = 0; k < x->n; k++)
			if (!labels_equal(x->alerts[k], y->alerts[k]))
				return false;
	}
	return true;
}

enum err alertmanager_set_acks(struct alertmanager *a, const struct am_ack *acks, size_t n, struct why *why)
{
	struct am_acks copy = { 0 };
	if (!a->o.to->mirrors_acks || are_same(&a->acks, acks, n))
		return ERR_OK;
	arena_init(&copy.arena);
	if (acks_copy(acks, n, &copy) != ERR_OK) {
		acks_release(&copy);
		return why_memory(why);
	}
	acks_release(&a->acks);
	a->acks = copy;
	a->has_acks = true;
	alertmanager_pull_now(a);
	return ERR_OK;
}

/* What failed is seen at the next pull, and done again. */
static void on_mirrored(void *ctx, const struct http_answer *an)
{
	struct alertmanager *a = ctx;
	if (an->result != FETCH_OK && a->mirror_text[0] == '\0')
		snprintf(a->mirror_text, sizeof a->mirror_text, "%s", an->text);
	a->n_mirroring--;
}

static enum err mirror_step(void *ctx, const struct am_mirror_step *s)
{
	struct alertmanager *a = ctx;
	struct buf body;
	char path[PATH_MAX_];
	enum err e;
	if (s->act == AM_MIRROR_EXPIRE) {
		snprintf(path, sizeof path, "/silence/%s", s->id);
		e = am_request(a, "DELETE", path, NULL, on_mirrored, a, NULL);
	} else {
		buf_init(&body, 8 << 20);
		e = am_put_silence(&body, &s->put);
		if (e == ERR_OK)
			e = am_request(a, "POST", "/silences", &body, on_mirrored, a, NULL);
		buf_release(&body);
	}
	a->n_mirroring += e == ERR_OK;
	return e;
}

/* The silences were asked for just now, so their beginnings are the right ones. */
void am_mirror_round(struct alertmanager *a)
{
	struct why why;
	a->mirror_text[0] = '\0';
	if (a->has_acks)
		am_mirror_plan(a->acks.items, a->acks.n, &a->answer->silences, clock_wall_ms(a->o.clock), a->o.to->mirror_ms, a->fleet[0] != '\0' ? a->fleet : "fleet",
		               mirror_step, a, &why);
}

void am_silence_release(struct alertmanager *a)
{
	while (a->ops != NULL)
		op_free(a->ops);
	acks_release(&a->acks);
	arena_release(&a->acks.arena);
}
