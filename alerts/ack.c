/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/ack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/labels_index.h"

/* ---- the book ---- */

/* What a listed alert is about: its labels, `severity` aside. */
struct subject {
	struct labels *labels;
	int64_t        seen_ms;     /* an alert about it was active then */
	bool           is_active;   /* in this round, likewise */
	bool           is_flapping; /* as of the last round in which one was among the rows */
	uint64_t       round;       /* that round */
};

struct listed {
	int64_t id;       /* of its last episode that fired */
	size_t  subject;  /* its number; NONE: it was not among the rows when the page was begun, and is long over */
	bool    is_there; /* this episode is active in this round */
};

static const size_t NONE = SIZE_MAX;

/* An acknowledgement that holds. */
struct page {
	int64_t             ack;
	struct listed      *listed;
	struct subject     *subjects; /* room for as many */
	size_t              n, n_subjects;
	struct labels_index index;    /* of the subjects */
	uint64_t            round;    /* the last one in which it held */
};

struct ack_book {
	struct page **pages;
	size_t        n, cap;
	uint64_t      round;
};

static void page_free(struct page *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_subjects; i++)
		labels_unref(p->subjects[i].labels);
	labels_index_release(&p->index);
	free(p->listed);
	free(p->subjects);
	free(p);
}

enum err ack_book_new(struct ack_book **out, struct why *why)
{
	struct ack_book *b = calloc(1, sizeof *b);
	if (b == NULL)
		return why_memory(why);
	*out = b;
	return ERR_OK;
}

void ack_book_free(struct ack_book *b)
{
	for (size_t i = 0; b != NULL && i < b->n; i++)
		page_free(b->pages[i]);
	if (b != NULL)
		free(b->pages);
	free(b);
}

/* ---- a round ---- */

struct round {
	const struct alert_row    *rows;
	size_t                     n_rows;
	const struct alert_groups *groups;
	int64_t                    pause_ms, now_ms;
	uint64_t                   number;
	uint32_t                  *by_id;  /* a row's number and 1; open addressing, half full at the most */
	size_t                     n_by_id;
	uint32_t                  *listed; /* by row: the number of the acknowledgement that lists it, and 1 */
	uint32_t                   ack;    /* the present one */
};

static size_t slot_of(const struct round *r, int64_t id)
{
	return hash64(&id, sizeof id, 0) & (r->n_by_id - 1);
}

static enum err begin_round(struct round *r, struct why *why)
{
	for (r->n_by_id = 16; r->n_by_id < r->n_rows * 2; r->n_by_id *= 2)
		;
	r->by_id = calloc(r->n_by_id, sizeof *r->by_id);
	r->listed = calloc(r->n_rows + 1, sizeof *r->listed);
	if (r->by_id == NULL || r->listed == NULL)
		return why_memory(why);
	for (size_t i = 0; i < r->n_rows; i++) {
		size_t at = slot_of(r, r->rows[i].id);
		while (r->by_id[at] != 0)
			at = (at + 1) & (r->n_by_id - 1);
		r->by_id[at] = (uint32_t)i + 1;
	}
	return ERR_OK;
}

static void end_round(struct round *r)
{
	free(r->by_id);
	free(r->listed);
}

static const struct alert_row *row_of(const struct round *r, int64_t id)
{
	for (size_t at = slot_of(r, id); r->by_id[at] != 0; at = (at + 1) & (r->n_by_id - 1)) {
		if (r->rows[r->by_id[at] - 1].id == id)
			return &r->rows[r->by_id[at] - 1];
	}
	return NULL;
}

static bool is_active(const struct alert_row *row)
{
	return row->resolved_ms == 0;
}

/* ---- pages ---- */

static enum err subject_of(const struct labels *l, struct labels **out)
{
	struct labels_builder b;
	if (labels_find(l, "severity") == NULL) {
		*out = labels_ref(l);
		return ERR_OK;
	}
	labels_builder_init(&b);
	labels_builder_from(&b, l);
	labels_builder_remove(&b, "severity");
	enum err e = labels_builder_build(&b, out, NULL);
	labels_builder_release(&b);
	return e;
}

static const struct labels *labels_of_subject(const void *owner, size_t number)
{
	return ((const struct page *)owner)->subjects[number].labels;
}

/* The number of the subject with these labels; a new one where there is none. */
static enum err take_subject(struct page *p, const struct labels *l, size_t *number)
{
	struct labels *subject = NULL;
	if (subject_of(l, &subject) != ERR_OK || labels_index_room(&p->index, p->n_subjects, p->n_subjects + 1) != ERR_OK) {
		labels_unref(subject);
		return ERR_MEMORY;
	}
	if (labels_index_find(&p->index, subject, number)) {
		labels_unref(subject);
		return ERR_OK;
	}
	p->subjects[p->n_subjects].labels = subject;
	*number = p->n_subjects++;
	labels_index_put(&p->index, *number);
	return ERR_OK;
}

static enum err list_alerts(const struct round *r, const struct ack_row *a, struct page *p)
{
	for (size_t i = 0; i < a->n_alerts; i++) {
		const struct alert_row *row = row_of(r, a->alerts[i]);
		p->listed[i] = (struct listed){ .id = a->alerts[i], .subject = NONE };
		if (row != NULL && take_subject(p, row->labels, &p->listed[i].subject) != ERR_OK)
			return ERR_MEMORY;
	}
	p->n = a->n_alerts;
	return ERR_OK;
}

static enum err page_new(const struct round *r, const struct ack_row *a, struct page **out, struct why *why)
{
	struct page *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->ack = a->id;
	labels_index_init(&p->index, labels_of_subject, p);
	p->listed = calloc(a->n_alerts + 1, sizeof *p->listed);
	p->subjects = calloc(a->n_alerts + 1, sizeof *p->subjects);
	if (p->listed == NULL || p->subjects == NULL || list_alerts(r, a, p) != ERR_OK) {
		page_free(p);
		return why_memory(why);
	}
	*out = p;
	return ERR_OK;
}

static enum err page_of(struct ack_book *b, const struct round *r, const struct ack_row *a, struct page **out, struct why *why)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->pages[i]->ack == a->id) {
			*out = b->pages[i];
			return ERR_OK;
		}
	}
	if (b->n == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 8;
		struct page **pages = realloc(b->pages, cap * sizeof *pages);
		if (pages == NULL)
			return why_memory(why);
		b->pages = pages;
		b->cap = cap;
	}
	enum err e = page_new(r, a, &b->pages[b->n], why);
	if (e == ERR_OK)
		*out = b->pages[b->n++];
	return e;
}

/* Those of acknowledgements that hold no longer, or are not spoken of any more. */
static void drop_pages(struct ack_book *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < b->n; i++) {
		if (b->pages[i]->round == b->round)
			b->pages[kept++] = b->pages[i];
		else
			page_free(b->pages[i]);
	}
	b->n = kept;
}

/* ---- who is there ---- */

static void see(const struct round *r, struct subject *s, const struct alert_row *row)
{
	int64_t seen = is_active(row) ? r->now_ms : row->resolved_ms;
	s->seen_ms = seen > s->seen_ms ? seen : s->seen_ms;
	s->is_active = s->is_active || is_active(row);
	s->is_flapping = row->is_flapping || (s->round == r->number && s->is_flapping);
	s->round = r->number;
}

static void see_listed(struct round *r, struct page *p)
{
	for (size_t i = 0; i < p->n_subjects; i++)
		p->subjects[i].is_active = false;
	for (size_t i = 0; i < p->n; i++) {
		struct listed *l = &p->listed[i];
		const struct alert_row *row = l->subject != NONE ? row_of(r, l->id) : NULL;
		l->is_there = row != NULL && is_active(row);
		if (row == NULL)
			continue;
		r->listed[row - r->rows] = r->ack;
		see(r, &p->subjects[l->subject], row);
	}
}

static int64_t pause_of(const struct round *r, const struct subject *s)
{
	return s->is_flapping && r->pause_ms < ACK_FLAP_PAUSE_MS ? ACK_FLAP_PAUSE_MS : r->pause_ms;
}

/* A later episode is listed in place of one that is over; ids rise with time. */
static void take_place(struct page *p, size_t subject, const struct alert_row *row, bool *is_new)
{
	for (size_t i = 0; i < p->n; i++) {
		struct listed *l = &p->listed[i];
		if (l->subject != subject || l->is_there || l->id >= row->id)
			continue;
		l->id = row->id;
		l->is_there = is_active(row);
		*is_new = true;
		return;
	}
}

/* Whether the row, which is not listed, is about the same as a listed one and came soon enough behind it. */
static enum err is_again(struct round *r, struct page *p, const struct alert_row *row, bool *is_same, bool *is_new)
{
	struct labels *labels = NULL;
	size_t number;
	*is_same = false;
	if (subject_of(row->labels, &labels) != ERR_OK)
		return ERR_MEMORY;
	bool is_found = labels_index_find(&p->index, labels, &number);
	labels_unref(labels);
	if (!is_found || row->active_ms - p->subjects[number].seen_ms > pause_of(r, &p->subjects[number]))
		return ERR_OK;
	*is_same = true;
	if (row->fired_ms != 0)
		take_place(p, number, row, is_new);
	see(r, &p->subjects[number], row);
	return ERR_OK;
}

/* What a round finds about one acknowledgement. */
struct finding {
	enum severity worst;    /* of the alerts that fire, inhibited ones aside */
	int64_t       worst_id;
	int64_t       joined;   /* one that is not listed; the worst of them */
	bool          is_new;   /* the list has changed */
};

static void note_firing(struct finding *f, const struct alert_row *row, bool is_same)
{
	if (alert_row_state(row) != ALERT_ROW_FIRING || row->inhibited_by != 0)
		return;
	if (row->severity >= f->worst) {
		f->worst = row->severity;
		f->worst_id = row->id;
	}
	if (!is_same)
		f->joined = row->id;
}

/* Members are walked from the back: what is over first, so that a chain of episodes is followed; of what fires, the worst last. */
static enum err look_at(struct round *r, struct page *p, const char *group_key, struct finding *f)
{
	const struct grouped_alerts *g = alert_groups_find(r->groups, group_key);
	see_listed(r, p);
	for (size_t i = g != NULL ? g->n : 0; i > 0; i--) {
		const struct alert_row *row = &r->rows[g->members[i - 1]];
		bool is_same = r->listed[row - r->rows] == r->ack;
		if (!is_same && is_again(r, p, row, &is_same, &f->is_new) != ERR_OK)
			return ERR_MEMORY;
		note_firing(f, row, is_same);
	}
	return ERR_OK;
}

static bool are_over(const struct round *r, const struct page *p)
{
	for (size_t i = 0; i < p->n_subjects; i++) {
		const struct subject *s = &p->subjects[i];
		if (s->is_active || r->now_ms - s->seen_ms < pause_of(r, s))
			return false;
	}
	return true;
}

/* ---- verdicts ---- */

static enum err list_of(const struct page *p, struct ack_verdict *v)
{
	v->alerts = calloc(p->n + 1, sizeof *v->alerts);
	if (v->alerts == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < p->n; i++)
		v->alerts[v->n_alerts++] = p->listed[i].id;
	return ERR_OK;
}

static enum ack_end end_of(const struct round *r, const struct page *p, const struct ack_row *a, const struct finding *f)
{
	if (f->worst > a->severity)
		return ACK_SEVERITY;
	if (f->joined != 0)
		return ACK_JOINED;
	if (are_over(r, p))
		return ACK_RESOLVED;
	return a->until_ms != 0 && r->now_ms >= a->until_ms ? ACK_EXPIRED : ACK_HOLDS;
}

static enum err judge(struct ack_book *b, struct round *r, const struct ack_row *a, struct ack_verdicts *out, struct why *why)
{
	struct page *p = NULL;
	struct finding f = { .worst = SEVERITY_OK };
	enum err e = page_of(b, r, a, &p, why);
	if (e != ERR_OK)
		return e;
	if (look_at(r, p, a->group_key, &f) != ERR_OK)
		return why_memory(why);
	enum ack_end end = end_of(r, p, a, &f);
	if (end == ACK_HOLDS)
		p->round = r->number;
	if (end == ACK_HOLDS && !f.is_new)
		return ERR_OK;
	struct ack_verdict *v = &out->items[out->n++];
	*v = (struct ack_verdict){ .ack = r->ack - 1, .end = end, .ended_ms = end != ACK_HOLDS ? r->now_ms : 0,
		                   .by = end == ACK_SEVERITY ? f.worst_id : end == ACK_JOINED ? f.joined : 0 };
	return list_of(p, v) == ERR_OK ? ERR_OK : why_memory(why);
}

enum err ack_book_judge(struct ack_book *b, const struct ack_row *acks, size_t n_acks, const struct alert_row *rows, size_t n_rows,
                        const struct alert_groups *groups, int64_t pause_ms, int64_t now_ms, struct ack_verdicts *out, struct why *why)
{
	struct round r = { .rows = rows, .n_rows = n_rows, .groups = groups, .pause_ms = pause_ms, .now_ms = now_ms };
	struct ack_verdicts made = { .items = calloc(n_acks + 1, sizeof *made.items) };
	enum err e = made.items != NULL ? begin_round(&r, why) : why_memory(why);
	r.number = ++b->round;
	for (size_t i = 0; i < n_acks && e == ERR_OK; i++) {
		r.ack = (uint32_t)i + 1;
		if (acks[i].ended_ms == 0)
			e = judge(b, &r, &acks[i], &made, why);
	}
	end_round(&r);
	if (e != ERR_OK) {
		ack_verdicts_release(&made);
		return e;
	}
	drop_pages(b);
	*out = made;
	return ERR_OK;
}

void ack_verdicts_release(struct ack_verdicts *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->items[i].alerts);
	free(v->items);
	*v = (struct ack_verdicts){ 0 };
}

/* ---- for those who show them ---- */

bool ack_is_held(const struct ack_row *a, int64_t at_ms)
{
	return at_ms >= a->at_ms && (a->ended_ms == 0 || at_ms < a->ended_ms) && (a->until_ms == 0 || at_ms < a->until_ms);
}

const char *ack_end_text(enum ack_end end)
{
	static const char *const texts[ACK_END_COUNT] = {
		[ACK_HOLDS] = "",
		[ACK_RESOLVED] = "its alerts are resolved",
		[ACK_EXPIRED] = "its time is over",
		[ACK_SEVERITY] = "it got worse",
		[ACK_JOINED] = "further alerts joined",
		[ACK_REMOVED] = "taken back",
		[ACK_REPLACED] = "replaced by a newer one",
	};
	return end < ACK_END_COUNT ? texts[end] : "";
}
