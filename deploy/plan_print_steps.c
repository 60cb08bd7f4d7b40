/* SPDX-License-Identifier: Apache-2.0
 *
 * Thousands of units take the same steps but for their names. Two units are alike when their steps are the same once each unit's own name, machine, URL and key
 * are taken for each other. */
#include "deploy/plan_print.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "deploy/plan_lock.h"
#include "deploy/plan_private.h"
#include "deploy/print_lines.h"

enum { BODY_SHOWN = 16 * 1024, LIKES_MAX = 20, STANDARD_DEADLINE_MS = 10 * 60 * 1000, WORDS = 6 };

/* Units that are alike. */
struct like {
	char   hash[PLAN_HASH]; /* of a text that is the same for all of them; not a quick hash: whoever makes two alike hides what is sent */
	size_t first;           /* in plan->units */
	size_t n;
	bool   is_full;         /* there were too many kinds: these are several */
};

/* ---- alike ---- */

static bool is_word(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80; }

/* What stands at text[at], where that is one of the unit's own words and not a part of another. */
static size_t own_word(const char *text, size_t at, const char *const words[WORDS], size_t *which)
{
	size_t best = 0;
	if (at > 0 && is_word((unsigned char)text[at - 1]))
		return 0;
	for (size_t i = 0; i < WORDS; i++) {
		size_t n = strlen(words[i]);
		if (n <= best || strncmp(text + at, words[i], n) != 0 || is_word((unsigned char)text[at + n]))
			continue;
		best = n;
		*which = i;
	}
	return best;
}

/* The host of a URL, copied. */
static const char *host_of(const char *url, char to[256])
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	size_t n = strcspn(host, ":/");
	if (n > 255)
		n = 0;
	memcpy(to, host, n);
	to[n] = '\0';
	return to;
}

static void put_neutral(struct buf *to, const char *text, const struct plan_unit *u)
{
	char host[256];
	const char *const words[WORDS] = { u->unit.name, u->unit.node, u->unit.url, host_of(u->unit.url, host), u->unit.destination, u->key };
	for (size_t at = 0; text[at] != '\0';) {
		size_t which = 0, n = own_word(text, at, words, &which);
		if (n > 0) {
			buf_printf(to, "\001%zu.", which <= 1 ? 0 : which); /* a node is often called as its unit is */
			at += n;
			continue;
		}
		if (text[at] == '\001') /* what stands there itself is not taken for a name */
			buf_putc(to, '\001');
		buf_putc(to, text[at++]);
	}
	buf_putc(to, '\002');
}

/* A step as text that is the same for units that are alike. */
static void put_neutral_step(struct buf *to, const struct step *s, const struct plan_unit *u)
{
	struct buf text;
	buf_init(&text, 4 * PLAN_DATA_MAX);
	buf_printf(&text, "%s\n%d %d %d %d %lld\n", s->title, (int)s->phase, s->tag, s->changes, s->is_repeatable, (long long)s->deadline_ms);
	ask_print(&s->ask, PLAN_DATA_MAX, &text);
	ask_print(&s->probe, PLAN_DATA_MAX, &text);
	ask_print(&s->shown, PLAN_DATA_MAX, &text);
	put_neutral(to, buf_text(&text), u);
	line_carry(to, &text);
	buf_release(&text);
}

static bool is_same_step(const struct step *a, const struct plan_unit *of_a, const struct step *b, const struct plan_unit *of_b, struct buf *to)
{
	struct buf x, y;
	buf_init(&x, 8 * PLAN_DATA_MAX);
	buf_init(&y, 8 * PLAN_DATA_MAX);
	put_neutral_step(&x, a, of_a);
	put_neutral_step(&y, b, of_b);
	bool is = x.len == y.len && strcmp(buf_text(&x), buf_text(&y)) == 0;
	line_carry(to, &x);
	line_carry(to, &y);
	buf_release(&x);
	buf_release(&y);
	return is;
}

static const struct steps *steps_of(const struct plan_unit *u, bool is_back) { return is_back ? &u->back : &u->forward; }

static void hash_of(const struct plan_unit *u, bool is_back, char hash[PLAN_HASH], struct buf *to)
{
	const struct steps *s = steps_of(u, is_back);
	struct buf text;
	buf_init(&text, (size_t)8 * PLAN_DATA_MAX);
	for (size_t i = 0; i < s->n; i++)
		put_neutral_step(&text, &s->items[i], u);
	plan_hash(buf_text(&text), text.len, hash);
	line_carry(to, &text);
	buf_release(&text);
}

/* The kinds of units; the last of LIKES_MAX stands for all further ones. */
static size_t find_likes(const struct deploy_plan *p, bool is_back, struct like likes[LIKES_MAX], struct buf *to)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_units; i++) {
		char hash[PLAN_HASH];
		size_t k = 0;
		if (!plan_unit_acts(&p->units[i]))
			continue;
		hash_of(&p->units[i], is_back, hash, to);
		while (k < n && strcmp(likes[k].hash, hash) != 0)
			k++;
		if (k == LIKES_MAX) {
			k = LIKES_MAX - 1;
			likes[k].is_full = true;
		} else if (k == n) {
			likes[n++] = (struct like){ .first = i };
			memcpy(likes[k].hash, hash, sizeof hash);
		}
		likes[k].n++;
	}
	return n;
}

/* ---- printing ---- */

static void put_step(const struct step *s, size_t number, bool with_ask, struct buf *to)
{
	char within[DURATION_TEXT];
	struct buf text;
	line_printf(to, 2, 6, "%2zu  %s%s (within %s)", number, s->title, s->changes ? "" : ", changes nothing",
	            format_age(s->deadline_ms != 0 ? s->deadline_ms : STANDARD_DEADLINE_MS, within));
	if (!with_ask || s->ask.kind == ASK_NONE)
		return;
	buf_init(&text, PLAN_BYTES_MAX);
	ask_print(&s->ask, BODY_SHOWN, &text);
	if (s->shown.kind != ASK_NONE) {
		buf_puts(&text, ask_shown_words);
		ask_print(&s->shown, BODY_SHOWN, &text);
	}
	line_carry(to, &text);
	lines_put(to, 8, 10, buf_text(&text));
	buf_release(&text);
}

static void put_lock_ask(const char *words, const struct ask *ask, struct buf *to)
{
	struct buf text;
	buf_init(&text, PLAN_DATA_MAX);
	ask_print(ask, BODY_SHOWN, &text);
	line_printf(to, 2, 6, " -  %s", words);
	lines_put(to, 8, 10, buf_text(&text));
	line_carry(to, &text);
	buf_release(&text);
}

/* Those that take a stale lock over name it last. */
static void put_takers(const struct deploy_plan *p, const struct plan_unit *first, struct buf *to)
{
	for (size_t i = 0; i < p->n_units; i++) {
		const struct plan_unit *u = &p->units[i];
		if (plan_unit_is_locked(p, u) && strcmp(u->takes_lock, first->takes_lock) != 0)
			line_printf(to, 8, 10, "on %s with '%s' as its last word%s", u->unit.name, u->takes_lock, u->takes_lock[0] != '\0' ? ": the lock that is taken over" : "");
	}
}

/* The first unit that is locked speaks for all: the commands are the same. */
static void put_locks(const struct deploy_plan *p, struct buf *to)
{
	const struct plan_unit *u = NULL;
	struct arena a;
	struct ask take, give_back;
	for (size_t i = 0; i < p->n_units && u == NULL; i++)
		if (plan_unit_is_locked(p, &p->units[i]))
			u = &p->units[i];
	if (u == NULL)
		return;
	arena_init(&a);
	plan_lock_asks(p, u, &a, &take, &give_back);
	line_printf(to, 0, 2, "Lock of each of them, as of %s", u->unit.name);
	put_lock_ask(plan_lock_take_words, &take, to);
	put_takers(p, u, to);
	put_lock_ask(plan_lock_free_words, &give_back, to);
	if (arena_failed(&a))
		to->err = ERR_MEMORY;
	arena_release(&a);
}

static void put_who(const struct deploy_plan *p, const struct like *l, struct buf *to)
{
	const char *name = p->units[l->first].unit.name;
	if (l->is_full)
		line_printf(to, 2, 4, "On %s and %zu more, which differ among themselves too:", name, l->n - 1);
	else if (l->n == 1)
		line_printf(to, 2, 4, "On %s instead:", name);
	else
		line_printf(to, 2, 4, "On %s and %zu more instead:", name, l->n - 1);
}

/* Only the steps that are not those of the first unit. */
static void put_other(const struct deploy_plan *p, const struct like *first, const struct like *l, bool is_back, struct buf *to)
{
	const struct plan_unit *a = &p->units[first->first], *b = &p->units[l->first];
	const struct steps *theirs = steps_of(a, is_back), *these = steps_of(b, is_back);
	put_who(p, l, to);
	for (size_t i = 0; i < these->n; i++)
		if (i >= theirs->n || !is_same_step(&theirs->items[i], a, &these->items[i], b, to))
			put_step(&these->items[i], i + 1, !is_back, to);
	if (these->n < theirs->n)
		line_printf(to, 2, 4, "%zu steps, no more", these->n);
}

static void put_all(const struct deploy_plan *p, bool is_back, const char *heading, struct buf *to)
{
	struct like likes[LIKES_MAX];
	size_t n = find_likes(p, is_back, likes, to);
	if (n == 0)
		return;
	const struct plan_unit *u = &p->units[likes[0].first];
	const struct steps *s = steps_of(u, is_back);
	line_printf(to, 0, 2, "%s %s", heading, u->unit.name);
	for (size_t i = 0; i < s->n; i++)
		put_step(&s->items[i], i + 1, !is_back, to);
	if (s->n == 0)
		line_printf(to, 2, 4, "nothing");
	if (likes[0].n > 1)
		line_printf(to, 2, 4, "The same on %zu more, with their own names.", likes[0].n - 1);
	for (size_t i = 1; i < n; i++)
		put_other(p, &likes[0], &likes[i], is_back, to);
}

void plan_print_steps(const struct deploy_plan *p, struct buf *to) { put_all(p, false, "Steps on", to); }
void plan_print_locks(const struct deploy_plan *p, struct buf *to) { put_locks(p, to); }
void plan_print_undo(const struct deploy_plan *p, struct buf *to) { put_all(p, true, "What undo does, on", to); }
