/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert_lines.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ack.h"
#include "base/num.h"
#include "tui/alerts_text.h"
#include "tui/glyph.h"
#include "tui/widget_bar.h"

enum { TEXT_MAX = 2000 };

void alert_lines_init(struct alert_lines *l)
{
	*l = (struct alert_lines){ 0 };
	arena_init(&l->arena);
}

void alert_lines_release(struct alert_lines *l)
{
	free(l->items);
	arena_release(&l->arena);
	*l = (struct alert_lines){ 0 };
}

static void add(struct alert_lines *l, int64_t at_ms, uint32_t glyph, enum role role, const struct buf *text)
{
	if (l->n < l->cap) {
		l->items[l->n] = (struct alert_line){ at_ms, glyph, role, arena_text(&l->arena, buf_text(text)), l->n };
		l->n++;
	}
}

/* ---- of alerts ---- */

static const char *const transition_words[] = {
	[TRANSITION_PENDING] = "pending",         [TRANSITION_FIRING] = "fires",    [TRANSITION_RESOLVED] = "resolved",
	[TRANSITION_DROPPED] = "true no longer",  [TRANSITION_FLAPPING] = "flaps",  [TRANSITION_STEADY] = "flaps no longer",
	[TRANSITION_INHIBITED] = "inhibited",     [TRANSITION_UNINHIBITED] = "inhibited no longer",
};
static_assert(sizeof transition_words / sizeof transition_words[0] == TRANSITION_COUNT, "a word for each");

static const struct alert_row *episode(const struct alerts_detail *d, int64_t id)
{
	for (size_t i = 0; i < d->n_episodes; i++)
		if (d->episodes[i].id == id)
			return &d->episodes[i];
	return NULL;
}

static void put_transition(struct alert_lines *l, const struct alerts_detail *d, const struct transition_row *t, struct buf *text)
{
	const struct alert_row *a = episode(d, t->alert);
	const char *node = a != NULL ? alerts_node(a->labels) : "";
	char number[NUMBER_TEXT];
	if ((unsigned)t->what >= TRANSITION_COUNT)
		return;
	buf_printf(text, "%s%s%s", node, node[0] != '\0' ? " " : "", transition_words[t->what]);
	if (t->what == TRANSITION_FIRING || t->what == TRANSITION_PENDING)
		buf_printf(text, ", value %s", format_f64(t->value, number));
	bool fires = t->what == TRANSITION_FIRING && a != NULL;
	uint32_t glyph = fires ? severity_glyph(a->severity) : t->what == TRANSITION_RESOLVED ? GLYPH_DOT : ' ';
	add(l, t->at_ms, glyph, fires ? severity_role(a->severity) : t->what == TRANSITION_RESOLVED ? ROLE_OK : ROLE_SECOND, text);
}

/* Of those whose transitions were not read. */
static void put_episode(struct alert_lines *l, const struct alert_row *a, struct buf *text)
{
	const char *node = alerts_node(a->labels);
	char age[ALERTS_TEXT];
	if (a->fired_ms == 0)
		return;
	buf_printf(text, "%s%s%s", node, node[0] != '\0' ? " " : "", a->resolved_ms == 0 ? "fires" : "fired");
	if (a->resolved_ms != 0)
		buf_printf(text, " for %s", since_text(a->fired_ms, a->resolved_ms, age));
	add(l, a->fired_ms, severity_glyph(a->severity), severity_role(a->severity), text);
}

/* ---- of people ---- */

static void put_ack(struct alert_lines *l, const struct ack_row *a, int64_t t_ms, struct buf *text)
{
	char who[ALERTS_TEXT], until[ALERTS_TEXT];
	buf_printf(text, "acknowledged by %s", actor_text(&a->actor, who));
	if (a->until_ms != 0)
		buf_printf(text, " until %s", moment_text(a->until_ms, t_ms, until));
	if (a->comment[0] != '\0')
		buf_printf(text, ": %s", a->comment);
	add(l, a->at_ms, 'a', ROLE_INFO, text);
}

static void put_ack_end(struct alert_lines *l, const struct ack_row *a, struct buf *text)
{
	if (a->ended_ms == 0 || a->end == ACK_HOLDS)
		return;
	buf_printf(text, "the acknowledgement by %s is over: %s", a->actor.who, ack_end_text(a->end));
	if (a->ended_by.who[0] != '\0')
		buf_printf(text, ", by %s", a->ended_by.who);
	bool is_void = a->end == ACK_SEVERITY || a->end == ACK_JOINED || a->end == ACK_EXPIRED;
	add(l, a->ended_ms, 'u', is_void ? ROLE_WARN : ROLE_SECOND, text);
}

/* ---- all ---- */

static int newest_first(const void *a, const void *b)
{
	const struct alert_line *x = a, *y = b;
	return x->at_ms != y->at_ms ? (x->at_ms < y->at_ms) - (x->at_ms > y->at_ms) : (x->place < y->place) - (x->place > y->place);
}

static enum err make_room(struct alert_lines *l, size_t n)
{
	if (n <= l->cap)
		return ERR_OK;
	struct alert_line *items = realloc(l->items, n * sizeof *items);
	if (items == NULL)
		return ERR_MEMORY;
	l->items = items;
	l->cap = n;
	return ERR_OK;
}

enum err alert_lines_fill(struct alert_lines *l, const struct alerts_detail *d)
{
	struct buf text;
	l->n = 0;
	arena_reset(&l->arena);
	if (d == NULL)
		return ERR_OK;
	if (make_room(l, d->n_transitions + d->n_episodes + 2 * d->n_acks + d->n_notes) != ERR_OK)
		return ERR_MEMORY;
	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < d->n_transitions; i++, buf_clear(&text))
		put_transition(l, d, &d->transitions[i], &text);
	for (size_t i = DETAIL_MEMBERS; i < d->n_episodes; i++, buf_clear(&text))
		put_episode(l, &d->episodes[i], &text);
	for (size_t i = 0; i < d->n_acks; i++, buf_clear(&text)) {
		put_ack(l, &d->acks[i], d->t_ms, &text);
		buf_clear(&text);
		put_ack_end(l, &d->acks[i], &text);
	}
	for (size_t i = 0; i < d->n_notes; i++, buf_clear(&text)) {
		buf_puts(&text, d->notes[i].text);
		add(l, d->notes[i].wall_ms, 'n', ROLE_INFO, &text);
	}
	buf_release(&text);
	if (arena_failed(&l->arena)) {
		l->n = 0;
		return ERR_MEMORY;
	}
	qsort(l->items, l->n, sizeof *l->items, newest_first);
	return ERR_OK;
}
