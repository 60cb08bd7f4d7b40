/* SPDX-License-Identifier: Apache-2.0 */
#include "app/deployments_print.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/alerts_print.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "deploy/mask.h"
#include "deploy/plan.h"

enum { LIST_MAX = 1000, ID_WIDTH = 6, STATE_WIDTH = 12, KIND_WIDTH = 9, SCOPE_WIDTH = 20, VERSION_WIDTH = 24, TIME_WIDTH = 20, TOOK_WIDTH = 8, WHO_WIDTH = 16,
       CLOCK_AT = 11, CLOCK_LENGTH = 8 };

/* ---- reading ---- */

struct copying {
	struct arena         *arena;
	struct deployment_at *to;
	bool                  wants_plan;
};

static void copy_text(struct arena *a, const char **text) { *text = arena_text(a, *text); }

static void copy_actor(struct arena *a, struct actor *actor)
{
	copy_text(a, &actor->who);
	copy_text(a, &actor->account);
	copy_text(a, &actor->origin);
}

static enum err copy_deployment(void *ctx, const struct deployment_at *from)
{
	struct copying *c = ctx;
	struct deployment_row *r = &c->to->row;
	*c->to = *from;
	if (!c->wants_plan)
		r->plan = "";
	const char **const texts[] = { &r->kind, &r->scope, &r->model, &r->driver, &r->target, &r->from, &r->to, &r->plan, &r->hash, &r->request, &r->reason,
		                       &c->to->last.text, &c->to->lease.holder };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		copy_text(c->arena, texts[i]);
	copy_actor(c->arena, &r->actor);
	copy_actor(c->arena, &c->to->last.actor);
	return arena_failed(c->arena) ? ERR_MEMORY : ERR_OK;
}

static enum err read_one(struct reader *r, int64_t id, int64_t at_ms, bool wants_plan, struct arena *a, struct deployment_at *out, struct why *why)
{
	struct copying c = { .arena = a, .to = out, .wants_plan = wants_plan };
	enum err e = reader_deployment(r, id, at_ms, copy_deployment, &c, why);
	if (e == ERR_NOT_FOUND)
		return why_set(why, e, "there is no deployment number %lld; 'pitwall deployments' lists them", (long long)id);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

enum err deployment_read(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct deployment_at *out, struct why *why)
{
	return read_one(r, id, at_ms, false, a, out, why);
}

enum err deployment_read_plan(struct reader *r, int64_t id, int64_t at_ms, struct arena *a, struct deployment_at *out, struct why *why)
{
	return read_one(r, id, at_ms, true, a, out, why);
}

/* ---- one of them ---- */

static const char *took_text(const struct deployment_at *d, int64_t at_ms, char to[DURATION_TEXT])
{
	to[0] = '\0';
	return d->began_ms == 0 ? to : format_age((d->ended_ms != 0 ? d->ended_ms : at_ms) - d->began_ms, to);
}

static void put_members(struct buf *to, const struct deployment_at *d)
{
	const struct deployment_row *r = &d->row;
	buf_printf(to, "\"id\":%lld,", (long long)r->id);
	cells_put_member(to, "kind", r->kind);
	cells_put_member(to, "state", deployment_state_name(d->last.state));
	cells_put_member(to, "text", d->last.text);
	cells_put_member(to, "scope", r->scope);
	cells_put_member(to, "model", r->model);
	cells_put_member(to, "driver", r->driver);
	cells_put_member(to, "target", r->target);
	cells_put_member(to, "from", r->from);
	cells_put_member(to, "to", r->to);
	cells_put_member(to, "reason", r->reason);
	cells_put_member(to, "hash", r->hash);
	buf_printf(to, "\"alert\":%lld,", (long long)r->alert);
	cells_put_time_member(to, "planned", r->planned_ms);
	cells_put_time_member(to, "began", d->began_ms);
	cells_put_time_member(to, "ended", d->ended_ms);
	buf_printf(to, "\"steps\":%zu,\"steps_done\":%zu,\"steps_failed\":%zu,\"by\":", d->n_steps, d->n_done, d->n_failed);
	alerts_put_actor(to, &r->actor);
}

/* ---- the list ---- */

struct listing {
	struct buf       *to;
	enum cells_format format;
	int64_t           at_ms;
	size_t            n;
};

static void put_line(struct buf *to, const struct deployment_at *d, int64_t at_ms)
{
	char id[24], text[TIME_TEXT], took[DURATION_TEXT];
	snprintf(id, sizeof id, "%lld", (long long)d->row.id);
	cells_put_right(to, id, ID_WIDTH);
	cells_put(to, deployment_state_name(d->last.state), STATE_WIDTH);
	cells_put(to, d->row.kind, KIND_WIDTH);
	cells_put(to, d->row.scope, SCOPE_WIDTH);
	cells_put(to, d->row.from, VERSION_WIDTH);
	cells_put(to, d->row.to, VERSION_WIDTH);
	cells_put(to, format_time(d->row.planned_ms / 1000 * 1000, text), TIME_WIDTH);
	cells_put_right(to, took_text(d, at_ms, took), TOOK_WIDTH);
	cells_put(to, d->row.actor.who, WHO_WIDTH);
	cells_end(to);
}

static void put_csv(struct buf *to, const struct deployment_at *d)
{
	const struct deployment_row *r = &d->row;
	buf_printf(to, "%lld,", (long long)r->id);
	cells_put_csv(to, deployment_state_name(d->last.state));
	cells_put_csv(to, r->kind);
	cells_put_csv(to, r->scope);
	cells_put_csv(to, r->model);
	cells_put_csv(to, r->driver);
	cells_put_csv(to, r->from);
	cells_put_csv(to, r->to);
	cells_put_csv_time(to, r->planned_ms);
	cells_put_csv_time(to, d->began_ms);
	cells_put_csv_time(to, d->ended_ms);
	cells_put_csv(to, r->actor.who);
	cells_put_csv(to, r->reason);
	cells_end_csv(to);
}

static enum err list_one(void *ctx, const struct deployment_at *d)
{
	struct listing *l = ctx;
	if (l->format == CELLS_JSON) {
		buf_puts(l->to, l->n == 0 ? "\n{" : ",\n{");
		put_members(l->to, d);
		buf_putc(l->to, '}');
	} else if (l->format == CELLS_CSV) {
		put_csv(l->to, d);
	} else {
		put_line(l->to, d, l->at_ms);
	}
	l->n++;
	return l->to->err;
}

static void put_head(struct buf *to, enum cells_format format)
{
	if (format == CELLS_JSON) {
		buf_puts(to, "{\"deployments\":[");
	} else if (format == CELLS_CSV) {
		buf_puts(to, "id,state,kind,scope,model,driver,from,to,planned,began,ended,who,reason\r\n");
	} else {
		cells_put_right(to, "ID", ID_WIDTH);
		cells_put(to, "STATE", STATE_WIDTH);
		cells_put(to, "KIND", KIND_WIDTH);
		cells_put(to, "SCOPE", SCOPE_WIDTH);
		cells_put(to, "FROM", VERSION_WIDTH);
		cells_put(to, "TO", VERSION_WIDTH);
		cells_put(to, "PLANNED", TIME_WIDTH);
		cells_put_right(to, "TOOK", TOOK_WIDTH);
		cells_put(to, "WHO", WHO_WIDTH);
		cells_end(to);
	}
}

enum err deployments_print(struct reader *r, int64_t after_ms, int64_t at_ms, enum cells_format format, struct buf *to, struct why *why)
{
	struct listing l = { .to = to, .format = format, .at_ms = at_ms };
	put_head(to, format);
	enum err e = reader_deployments(r, after_ms, at_ms, LIST_MAX, list_one, &l, why);
	if (format == CELLS_JSON)
		buf_puts(to, "\n]}\n");
	if (to->err != ERR_OK)
		return why_set(why, to->err, "there are too many deployments to print: ask for fewer with --since");
	return e;
}

/* ---- the journal ---- */

void journal_seen_release(struct journal_seen *s)
{
	free(s->steps);
	*s = (struct journal_seen){ 0 };
}

/* Of what was written in one moment: what ended, what that led to, what began because of it. */
enum rank_of_line { LINE_ENDED, LINE_CHANGE, LINE_BEGUN };

struct line {
	int64_t     at_ms;
	enum rank_of_line rank;
	size_t      order;
	const char *text;
};

struct journal {
	struct journal_seen *seen;
	struct arena         arena;
	struct line         *lines;
	size_t               n, cap;
	struct buf           text; /* of one line */
};

static enum err add_line(struct journal *j, int64_t at_ms, enum rank_of_line rank)
{
	if (j->n == j->cap) {
		size_t cap = j->cap == 0 ? 64 : j->cap * 2;
		struct line *more = realloc(j->lines, cap * sizeof *more);
		if (more == NULL)
			return ERR_MEMORY;
		j->lines = more;
		j->cap = cap;
	}
	const char *text = arena_text(&j->arena, buf_text(&j->text));
	if (text == NULL || j->text.err != ERR_OK)
		return ERR_MEMORY;
	j->lines[j->n] = (struct line){ at_ms, rank, j->n, text };
	j->n++;
	return ERR_OK;
}

static void put_safe(struct buf *to, const char *text) { text_safe(to, text, strlen(text)); }

/* Sentences in lines, as one line. */
static void put_sentences(struct buf *to, const char *text)
{
	for (const char *gap = ""; *text != '\0'; gap = "; ") {
		size_t n = strcspn(text, "\n");
		if (n > 0) {
			buf_puts(to, gap);
			text_safe(to, text, n);
		}
		text += n + (text[n] == '\n');
	}
}

/* Of a gate that is being looked at: how long still. Its findings are for its end. */
static const char *last_line(const char *text)
{
	const char *last = text;
	for (const char *at = text; *at != '\0'; at += at[0] == '\n')
		if (*(at += strcspn(at, "\n")) == '\n' && at[1] != '\0')
			last = at + 1;
	return last;
}

static enum err add_change(void *ctx, const struct deployment_change *c)
{
	struct journal *j = ctx;
	if (c->id <= j->seen->last_change)
		return ERR_OK;
	j->seen->last_change = c->id;
	buf_clear(&j->text);
	buf_puts(&j->text, deployment_state_name(c->state));
	if (c->actor.who[0] != '\0') {
		buf_puts(&j->text, " by ");
		put_safe(&j->text, c->actor.who);
	}
	if (c->text[0] != '\0') {
		buf_puts(&j->text, ": ");
		put_safe(&j->text, c->text);
	}
	return add_line(j, c->at_ms, LINE_CHANGE);
}

static struct step_seen *seen_of(struct journal_seen *s, int64_t seq)
{
	for (size_t i = s->n; i > 0; i--) /* what changes is mostly near the end */
		if (s->steps[i - 1].seq == seq)
			return &s->steps[i - 1];
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct step_seen *more = realloc(s->steps, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		s->steps = more;
		s->cap = cap;
	}
	s->steps[s->n] = (struct step_seen){ .seq = seq };
	return &s->steps[s->n++];
}

static void put_step(struct buf *to, const struct deployment_step *s)
{
	if (s->unit[0] == '\0') {
		buf_printf(to, "gate of wave %zu", s->wave + 1);
	} else {
		put_safe(to, s->unit);
		buf_puts(to, s->direction == STEP_BACK ? ": back: " : ": ");
		put_safe(to, s->title);
	}
	if (s->state != STEP_BEGUN)
		buf_printf(to, ": %s", step_state_name(s->state));
	else if (isfinite(s->progress))
		buf_printf(to, ": %.0f %%", s->progress * 100);
	if (s->text[0] != '\0') {
		buf_puts(to, s->state == STEP_BEGUN && !isfinite(s->progress) ? ": " : ", ");
		put_sentences(to, s->unit[0] == '\0' && s->state == STEP_BEGUN ? last_line(s->text) : s->text);
	}
}

static enum err add_step(void *ctx, const struct deployment_step *s)
{
	struct journal *j = ctx;
	struct step_seen *seen = seen_of(j->seen, s->seq);
	if (seen == NULL)
		return ERR_MEMORY;
	buf_clear(&j->text);
	put_step(&j->text, s);
	uint64_t hash = hash64(buf_text(&j->text), j->text.len, 1);
	if (hash == seen->hash)
		return ERR_OK;
	seen->hash = hash;
	return s->ended_ms != 0 ? add_line(j, s->ended_ms, LINE_ENDED) : add_line(j, s->began_ms, LINE_BEGUN);
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

enum err journal_print(struct reader *r, int64_t id, int64_t at_ms, struct journal_seen *seen, struct buf *to, struct why *why)
{
	struct journal j = { .seen = seen };
	char text[TIME_TEXT];
	arena_init(&j.arena);
	buf_init(&j.text, 64 * 1024);
	enum err e = reader_deployment_changes(r, id, at_ms, add_change, &j, why);
	if (e == ERR_OK)
		e = reader_deployment_steps(r, id, at_ms, add_step, &j, why);
	if (e == ERR_MEMORY)
		why_memory(why);
	if (j.n > 0)
		qsort(j.lines, j.n, sizeof *j.lines, by_time);
	for (size_t i = 0; i < j.n && e == ERR_OK; i++)
		buf_printf(to, "%.*s %s\n", CLOCK_LENGTH, format_time(j.lines[i].at_ms / 1000 * 1000, text) + CLOCK_AT, j.lines[i].text);
	if (e == ERR_OK && to->err != ERR_OK)
		e = why_set(why, to->err, "the journal is too long to be printed");
	free(j.lines);
	buf_release(&j.text);
	arena_release(&j.arena);
	return e;
}

/* ---- all of one ---- */

static void put_field(struct buf *to, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	cells_put(to, name, STATE_WIDTH);
	put_safe(to, text);
	buf_putc(to, '\n');
}

static void put_table(struct buf *to, const struct deployment_at *d, int64_t at_ms)
{
	char planned[TIME_TEXT], took[DURATION_TEXT];
	const struct deployment_row *r = &d->row;
	buf_printf(to, "deployment %lld: %s of ", (long long)r->id, r->kind);
	put_safe(to, r->scope);
	buf_printf(to, ", %s\n", deployment_state_name(d->last.state));
	put_field(to, "now", d->last.text);
	put_field(to, "model", r->model);
	put_field(to, "driver", r->driver);
	put_field(to, "target", r->target);
	put_field(to, "from", r->from);
	put_field(to, "to", r->to);
	put_field(to, "who", r->actor.who);
	put_field(to, "reason", r->reason);
	put_field(to, "planned", format_time(r->planned_ms / 1000 * 1000, planned));
	put_field(to, "took", took_text(d, at_ms, took));
	if (deployment_is_active(d->last.state))
		put_field(to, "run by", d->lease.holder);
	buf_putc(to, '\n');
}

struct array {
	struct buf *to;
	size_t      n;
};

static enum err put_change_object(void *ctx, const struct deployment_change *c)
{
	struct array *a = ctx;
	buf_puts(a->to, a->n++ == 0 ? "\n{" : ",\n{");
	cells_put_time_member(a->to, "at", c->at_ms);
	cells_put_member(a->to, "state", deployment_state_name(c->state));
	cells_put_member(a->to, "text", c->text);
	buf_puts(a->to, "\"by\":");
	alerts_put_actor(a->to, &c->actor);
	buf_putc(a->to, '}');
	return a->to->err;
}

static enum err put_step_object(void *ctx, const struct deployment_step *s)
{
	struct array *a = ctx;
	buf_puts(a->to, a->n++ == 0 ? "\n{" : ",\n{");
	buf_printf(a->to, "\"seq\":%lld,\"wave\":%zu,", (long long)s->seq, s->wave + 1);
	cells_put_member(a->to, "unit", s->unit);
	cells_put_member(a->to, "direction", s->direction == STEP_BACK ? "back" : "forward");
	cells_put_member(a->to, "title", s->title);
	cells_put_member(a->to, "state", step_state_name(s->state));
	cells_put_member(a->to, "text", s->text);
	cells_put_member(a->to, "key", s->key);
	cells_put_time_member(a->to, "began", s->began_ms);
	cells_put_time_member(a->to, "ended", s->ended_ms);
	buf_puts(a->to, "\"progress\":");
	json_put_f64(a->to, s->progress);
	buf_putc(a->to, '}');
	return a->to->err;
}

/* Read and written anew: a store may be a stranger's. */
static enum err put_plan(const char *text, struct buf *to, struct why *why)
{
	static const struct json_limits limits = { .bytes = PLAN_BYTES_MAX, .depth = 32, .values = 5000000 };
	struct cJSON *tree = NULL;
	enum err e = json_parse(text, strlen(text), &limits, &tree, why);
	if (e == ERR_OK && mask_tree(tree) != ERR_OK)
		e = why_memory(why);
	if (e == ERR_OK)
		e = json_put_tree(to, tree);
	cJSON_Delete(tree);
	return e;
}

static enum err put_json(struct reader *r, const struct deployment_at *d, int64_t at_ms, struct buf *to, struct why *why)
{
	struct array changes = { .to = to }, steps = { .to = to };
	buf_putc(to, '{');
	put_members(to, d);
	buf_puts(to, ",\"changes\":[");
	enum err e = reader_deployment_changes(r, d->row.id, at_ms, put_change_object, &changes, why);
	buf_puts(to, "],\"journal\":[");
	if (e == ERR_OK)
		e = reader_deployment_steps(r, d->row.id, at_ms, put_step_object, &steps, why);
	buf_puts(to, "],\"plan\":");
	if (e == ERR_OK)
		e = put_plan(d->row.plan, to, why);
	buf_puts(to, "}\n");
	return e;
}

enum err deployment_print(struct reader *r, int64_t id, int64_t at_ms, enum cells_format format, struct buf *to, struct why *why)
{
	struct arena a;
	struct deployment_at d;
	struct journal_seen seen = { 0 };
	arena_init(&a);
	enum err e = deployment_read_plan(r, id, at_ms, &a, &d, why);
	if (e == ERR_OK && format == CELLS_JSON)
		e = put_json(r, &d, at_ms, to, why);
	else if (e == ERR_OK) {
		put_table(to, &d, at_ms);
		e = journal_print(r, id, at_ms, &seen, to, why);
	}
	if (e == ERR_OK && to->err != ERR_OK)
		e = why_set(why, to->err, "the deployment is too large to be printed");
	journal_seen_release(&seen);
	arena_release(&a);
	return e;
}
