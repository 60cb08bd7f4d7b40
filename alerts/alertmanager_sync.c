/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/alertmanager_sync.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/alertmanager_mirror.h"
#include "alerts/notify_kind.h"
#include "alerts/request.h"

#define MARK "[pitwall silence "

enum { COMMENT_CHARS = 1000, WHO_CHARS = 100, COMMENT_BYTES = 8192, MARK_LEN = sizeof MARK - 1 + REQUEST_ID /* with its ']' in place of the NUL */, LEAST_MS = 1000 };

/* A row of ours, and what is there of it. */
struct pair {
	const struct silence_row *row;
	const struct am_silence  *there; /* the one that it is; NULL: none */
};

struct sync {
	const struct am_sync_options *o;
	struct am_sync               *out;
	struct pair                  *pairs;   /* rows of this Alertmanager, by id */
	size_t                        n_pairs, n_imported, n_asked;
	char                        **others;  /* ids of rows that are not, in order: lent */
	size_t                        n_others;
};

/* ---- marks ---- */

/* The id in the comment; false: it carries none. */
static bool mark_of(const struct am_silence *s, char id[REQUEST_ID])
{
	size_t n = strlen(s->comment);
	if (n < MARK_LEN || s->comment[n - 1] != ']' || memcmp(s->comment + n - MARK_LEN, MARK, sizeof MARK - 1) != 0)
		return false;
	memcpy(id, s->comment + n - REQUEST_ID, REQUEST_ID - 1);
	id[REQUEST_ID - 1] = '\0';
	return request_is_id(id);
}

enum err am_sync_put_comment(struct buf *to, const struct silence_row *s)
{
	notify_put_chars(to, s->comment, strlen(s->comment), COMMENT_CHARS);
	return buf_printf(to, "%s%s%s]", s->comment[0] != '\0' ? " " : "", MARK, s->id);
}

static bool is_live(const struct am_silence *s)
{
	return s != NULL && s->state != AM_SILENCE_EXPIRED;
}

/* ---- which is which ---- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->row->id, ((const struct pair *)b)->row->id);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct pair *find(const struct sync *s, const char *id)
{
	const struct silence_row wanted = { .id = id };
	const struct pair key = { .row = &wanted };
	return s->n_pairs == 0 ? NULL : bsearch(&key, s->pairs, s->n_pairs, sizeof key, by_id);
}

static bool is_of_others(const struct sync *s, const char *id)
{
	char *const key = (char *)(uintptr_t)id; /* compared alone */
	return s->n_others > 0 && bsearch(&key, s->others, s->n_others, sizeof key, by_text) != NULL;
}

/* The row that a silence there belongs to; NULL: none of ours. */
static struct pair *pair_of(const struct sync *s, const struct am_silence *there)
{
	char id[REQUEST_ID];
	struct pair *p = mark_of(there, id) ? find(s, id) : NULL;
	return p != NULL ? p : find(s, there->id);
}

/* That whose id is known wins while it lives, then any that lives, then what is over. */
static int rank(const struct pair *p, const struct am_silence *there)
{
	bool is_known = strcmp(p->row->remote_id, there->id) == 0;
	return is_live(there) ? (is_known ? 3 : 2) : is_known ? 1 : 0;
}

static void match(struct sync *s)
{
	for (size_t i = 0; i < s->o->there->n; i++) {
		const struct am_silence *there = &s->o->there->items[i];
		struct pair *p = am_is_mirrored(there, s->o->fleet) ? NULL : pair_of(s, there);
		if (p != NULL && (p->there == NULL || rank(p, there) > rank(p, p->there)))
			p->there = there;
	}
}

/* ---- steps ---- */

static struct am_sync_step *add(struct sync *s, enum am_sync_act act)
{
	struct am_sync_step *to = &s->out->steps[s->out->n++];
	*to = (struct am_sync_step){ .act = act, .id = "" };
	return to;
}

static struct silence_row copy_row(struct arena *a, const struct silence_row *r)
{
	struct silence_row to = *r;
	to.id = arena_text(a, r->id);
	to.matchers = arena_text(a, r->matchers);
	to.actor = (struct actor){ arena_text(a, r->actor.who), arena_text(a, r->actor.account), arena_text(a, r->actor.origin) };
	to.comment = arena_text(a, r->comment);
	to.ended_who = arena_text(a, r->ended_who);
	to.remote = arena_text(a, r->remote);
	to.remote_id = arena_text(a, r->remote_id);
	return to;
}

static void expire(struct sync *s, const struct silence_row *row, const struct am_silence *there)
{
	if (!s->o->is_settled || s->n_asked >= AM_SYNC_ASKS_MAX)
		return;
	s->n_asked++;
	struct am_sync_step *to = add(s, AM_SYNC_EXPIRE);
	to->row = copy_row(&s->out->arena, row);
	to->id = arena_text(&s->out->arena, there->id);
}

static void create(struct sync *s, const struct silence_row *row)
{
	if (!s->o->is_settled || s->n_asked >= AM_SYNC_ASKS_MAX)
		return;
	s->n_asked++;
	add(s, AM_SYNC_CREATE)->row = copy_row(&s->out->arena, row);
}

static const char *cut(struct sync *s, const char *text, size_t n, size_t chars)
{
	struct buf b;
	buf_init(&b, COMMENT_BYTES);
	notify_put_chars(&b, text, n, chars);
	const char *copy = arena_text(&s->out->arena, buf_text(&b));
	buf_release(&b);
	return copy != NULL ? copy : "";
}

/* NULL: they are too long. */
static const char *matchers_of(struct sync *s, const struct am_silence *there)
{
	struct buf b;
	buf_init(&b, AM_SYNC_MATCHERS_MAX);
	const char *text = matcher_set_put_json(&there->matchers, &b) == ERR_OK ? arena_text(&s->out->arena, buf_text(&b)) : NULL;
	buf_release(&b);
	return text;
}

/* Its comment without our mark, as it is written into one. */
static const char *comment_of(struct sync *s, const struct am_silence *there, bool is_marked)
{
	size_t n = strlen(there->comment);
	if (is_marked) {
		n -= MARK_LEN;
		n -= n > 0 && there->comment[n - 1] == ' ';
	}
	return cut(s, there->comment, n, COMMENT_CHARS);
}

static bool is_same(const struct silence_row *a, const struct silence_row *b)
{
	return a->from_ms == b->from_ms && a->until_ms == b->until_ms && a->ended_ms == b->ended_ms && strcmp(a->matchers, b->matchers) == 0 &&
	       strcmp(a->comment, b->comment) == 0 && strcmp(a->actor.who, b->actor.who) == 0 && strcmp(a->remote_id, b->remote_id) == 0;
}

/* It holds there, so it holds here, as it is there. One of ours that has begun keeps its beginning: there it began when it was made. */
static void hold(struct sync *s, const struct silence_row *row, const struct am_silence *there)
{
	char mark[REQUEST_ID];
	bool is_own = mark_of(there, mark) && strcmp(mark, row->id) == 0;
	struct silence_row to = *row;
	to.matchers = matchers_of(s, there);
	if (to.matchers == NULL) {
		s->out->n_left_out++;
		return;
	}
	if (!is_own || there->state == AM_SILENCE_PENDING)
		to.from_ms = there->starts_ms;
	if (!is_own)
		to.actor = (struct actor){ cut(s, there->created_by, strlen(there->created_by), WHO_CHARS), "", "" };
	to.until_ms = there->ends_ms;
	to.comment = comment_of(s, there, is_own);
	to.remote_id = there->id;
	to.ended_ms = 0;
	to.ended_who = "";
	if (!is_same(row, &to))
		add(s, AM_SYNC_WRITE)->row = copy_row(&s->out->arena, &to);
}

static void end(struct sync *s, const struct silence_row *row, const struct am_silence *there)
{
	int64_t end_ms = there != NULL && there->ends_ms < s->o->now_ms ? there->ends_ms : s->o->now_ms;
	struct silence_row to = *row;
	to.ended_ms = end_ms > row->created_ms ? end_ms : row->created_ms;
	to.remote_id = there != NULL ? there->id : row->remote_id;
	add(s, AM_SYNC_WRITE)->row = copy_row(&s->out->arena, &to);
}

static void write_row(struct sync *s, const struct pair *p)
{
	bool is_over = p->row->ended_ms != 0 || p->row->until_ms <= s->o->now_ms;
	if (p->row->ended_ms != 0 && p->row->ended_who[0] != '\0')
		return;
	if (is_live(p->there))
		hold(s, p->row, p->there);
	else if (!is_over && (p->there != NULL || p->row->remote_id[0] != '\0'))
		end(s, p->row, p->there);
}

static void ask_row(struct sync *s, const struct pair *p)
{
	bool is_ended = p->row->ended_ms != 0;
	if (is_ended && p->row->ended_who[0] != '\0' && is_live(p->there))
		expire(s, p->row, p->there);
	else if (!is_ended && p->there == NULL && p->row->remote_id[0] == '\0' && p->row->until_ms > s->o->now_ms + LEAST_MS)
		create(s, p->row);
}

/* Another one with the mark of ours: an answer was lost, and it was made twice. */
static void expire_double(struct sync *s, const struct am_silence *there)
{
	char id[REQUEST_ID];
	struct pair *p = is_live(there) && mark_of(there, id) ? find(s, id) : NULL;
	if (p != NULL && p->there != there)
		expire(s, p->row, there);
}

static void import(struct sync *s, const struct am_silence *there)
{
	if (!is_live(there) || am_is_mirrored(there, s->o->fleet) || pair_of(s, there) != NULL || is_of_others(s, there->id))
		return;
	const char *matchers = s->n_imported + s->n_pairs < AM_SYNC_SILENCES_MAX ? matchers_of(s, there) : NULL;
	if (matchers == NULL) {
		s->out->n_left_out++;
		return;
	}
	s->n_imported++;
	const struct silence_row row = {
		.id = there->id, .matchers = matchers, .from_ms = there->starts_ms, .until_ms = there->ends_ms,
		.actor = { cut(s, there->created_by, strlen(there->created_by), WHO_CHARS), "", "" }, .comment = comment_of(s, there, false),
		.created_ms = s->o->now_ms, .ended_who = "", .remote = s->o->name, .remote_id = there->id,
	};
	add(s, AM_SYNC_WRITE)->row = copy_row(&s->out->arena, &row);
}

static void walk(struct sync *s)
{
	match(s);
	for (size_t i = 0; i < s->n_pairs; i++)
		write_row(s, &s->pairs[i]);
	for (size_t i = 0; i < s->o->there->n; i++)
		import(s, &s->o->there->items[i]);
	for (size_t i = 0; i < s->n_pairs; i++)
		ask_row(s, &s->pairs[i]);
	for (size_t i = 0; i < s->o->there->n; i++)
		expire_double(s, &s->o->there->items[i]);
}

/* ---- all ---- */

static void sort_rows(struct sync *s)
{
	for (size_t i = 0; i < s->o->n_rows; i++) {
		const struct silence_row *r = &s->o->rows[i];
		if (strcmp(r->remote, s->o->name) == 0)
			s->pairs[s->n_pairs++] = (struct pair){ .row = r };
		else
			s->others[s->n_others++] = (char *)(uintptr_t)r->id;
	}
	qsort(s->pairs, s->n_pairs, sizeof *s->pairs, by_id);
	qsort(s->others, s->n_others, sizeof *s->others, by_text);
}

enum err am_sync_plan(const struct am_sync_options *o, struct am_sync *out, struct why *why)
{
	struct sync s = { .o = o, .out = out };
	*out = (struct am_sync){ 0 };
	arena_init(&out->arena);
	s.pairs = calloc(o->n_rows + 1, sizeof *s.pairs);
	s.others = calloc(o->n_rows + 1, sizeof *s.others);
	/* A row gives two steps at the most, a silence there likewise. */
	out->steps = arena_zeroed(&out->arena, 2 * (o->n_rows + o->there->n) + 1, sizeof *out->steps);
	if (s.pairs != NULL && s.others != NULL && out->steps != NULL) {
		sort_rows(&s);
		walk(&s);
	}
	bool failed = s.pairs == NULL || s.others == NULL || arena_failed(&out->arena);
	free(s.pairs);
	free(s.others);
	if (!failed)
		return ERR_OK;
	am_sync_release(out);
	return why_memory(why);
}

void am_sync_release(struct am_sync *s)
{
	arena_release(&s->arena);
	*s = (struct am_sync){ 0 };
}
