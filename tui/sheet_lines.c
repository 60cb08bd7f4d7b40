/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sheet_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "deploy/plan_lock.h"
#include "tui/alerts_data.h"
#include "tui/alerts_text.h"
#include "tui/deploy_progress.h"
#include "tui/deploys_text.h"
#include "tui/glyph.h"
#include "tui/paragraph.h"

enum { NAMES_MAX = 64 * 1024, TEXT_MAX = 64 * 1024, TOLD_STEPS = STEPS_MAX, LABEL_COLS = 8, WAVE_COLS = 17 };

void sheet_lines_init(struct sheet_lines *l)
{
	*l = (struct sheet_lines){ 0 };
	arena_init(&l->arena);
}

void sheet_lines_release(struct sheet_lines *l)
{
	free(l->items);
	arena_release(&l->arena);
	sheet_lines_init(l);
}

/* ---- rows ---- */

struct filling {
	struct sheet_lines               *l;
	const struct sheet_lines_options *o;
	const struct deploy_plan         *p;
	enum err                          err;
};

static struct sheet_line *add(struct filling *f)
{
	struct sheet_lines *l = f->l;
	if (l->n == SHEET_LINES_MAX) {
		l->is_cut = true;
		return NULL;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 128 : 2 * l->cap;
		struct sheet_line *items = realloc(l->items, cap * sizeof *items);
		if (items == NULL) {
			f->err = ERR_MEMORY;
			return NULL;
		}
		l->items = items;
		l->cap = cap;
	}
	struct sheet_line *to = &l->items[l->n++];
	*to = (struct sheet_line){ .text = "", .note = "", .label = "", .role = ROLE_TEXT, .unit = SIZE_MAX };
	return to;
}

static const char *keep(struct filling *f, const char *text, size_t n)
{
	char *to = arena_zeroed(&f->l->arena, 1, n + 1);
	if (to == NULL) {
		f->err = ERR_MEMORY;
		return "";
	}
	if (n > 0)
		memcpy(to, text, n);
	return to;
}

static void rule(struct filling *f, const char *title, const char *note)
{
	struct sheet_line *l = add(f);
	if (l == NULL)
		return;
	l->is_rule = true;
	l->text = keep(f, title, strlen(title));
	l->note = keep(f, note, strlen(note));
}

/* Text over as many rows as it takes, its line ends kept; the glyph stands before the first. */
static void put(struct filling *f, const struct sheet_line *like, const char *text)
{
	struct sheet_line look = *like;
	int width = f->o->cols - 2 - look.indent - (look.glyph != 0 ? 2 : 0);
	width = width < 8 ? 8 : width;
	do {
		const char *end = text + strcspn(text, "\n");
		do {
			size_t skip, n = paragraph_fit(text, end, width, &skip);
			struct sheet_line *l = add(f);
			if (l == NULL)
				return;
			*l = look;
			l->text = keep(f, text, n);
			if (look.glyph > 1) {
				look.glyph = 1; /* the room of one, without one */
			}
			look.unit = SIZE_MAX;
			look.label = "";
			text += n + skip;
		} while (text < end);
		text = end + (*end == '\n');
	} while (*text != '\0');
}

static void say(struct filling *f, int indent, enum role role, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(struct filling *f, int indent, enum role role, const char *format, ...)
{
	struct buf b;
	va_list args;
	buf_init(&b, TEXT_MAX);
	va_start(args, format);
	buf_vprintf(&b, format, args); /* what is longer is cut */
	va_end(args);
	const struct sheet_line like = { .note = "", .label = "", .role = role, .indent = indent, .unit = SIZE_MAX };
	put(f, &like, buf_text(&b));
	buf_release(&b);
}

/* A word, and beside it text that may take several rows. */
static void say_labelled(struct filling *f, const char *label, int indent, enum role role, const char *text)
{
	const struct sheet_line like = { .note = "", .label = keep(f, label, strlen(label)), .role = role, .indent = indent, .unit = SIZE_MAX };
	put(f, &like, text);
}

/* ---- versions ---- */

static const char *version_name(const struct version *v)
{
	return v->name[0] != '\0' ? v->name : v->id[0] != '\0' ? v->id : "unknown";
}

static void put_version(struct filling *f, const char *word, const struct plan_version *v)
{
	static const enum role roles[HEALTH_COUNT] = { [HEALTH_UNKNOWN] = ROLE_SECOND, [HEALTH_GOOD] = ROLE_OK, [HEALTH_BAD] = ROLE_CRIT };
	char since[ALERTS_TEXT], age[ALERTS_TEXT];
	struct buf b;
	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "%.200s", version_name(&v->version));
	if (v->n_units > 0)
		buf_printf(&b, " on %zu of %zu", v->n_units, f->p->n_units);
	if (v->version.since_ms > 0)
		buf_printf(&b, ", since %s (%s)", moment_text(v->version.since_ms, f->o->view->t_ms, since), since_text(v->version.since_ms, f->o->view->t_ms, age));
	say_labelled(f, word, LABEL_COLS, ROLE_TITLE, buf_text(&b));
	buf_clear(&b);
	buf_printf(&b, "%s here%s%.1000s", v->health == HEALTH_UNKNOWN ? "how it did is not known" : health_name(v->health), v->evidence[0] != '\0' ? ": " : "",
	           v->evidence);
	if (v->version.by[0] != '\0')
		buf_printf(&b, "; brought by %.100s%s%.300s", v->version.by, v->version.cause[0] != '\0' ? ", " : "", v->version.cause);
	say_labelled(f, "", LABEL_COLS, roles[v->health < HEALTH_COUNT ? v->health : 0], buf_text(&b));
	buf_release(&b);
}

static void put_versions(struct filling *f)
{
	const struct deploy_plan *p = f->p;
	rule(f, "what runs, what would run", "");
	if (p->from != NULL)
		put_version(f, "now", p->from);
	else
		say_labelled(f, "now", LABEL_COLS, ROLE_WARN, "several versions, or it is not known which");
	for (size_t i = 0; p->from == NULL && i < p->n_versions; i++)
		if (p->versions[i].n_units > 0)
			say(f, LABEL_COLS, ROLE_SECOND, "%.200s on %zu of %zu", version_name(&p->versions[i].version), p->versions[i].n_units, p->n_units);
	if (p->to != NULL)
		put_version(f, "then", p->to);
	else
		say_labelled(f, "then", LABEL_COLS, ROLE_CRIT, "nothing: there is no version to go to");
}

static void put_warnings(struct filling *f)
{
	static const struct {
		uint32_t  glyph;
		enum role role;
	} looks[WARNING_LEVEL_COUNT] = {
		[WARNING_NOTE] = { 'i', ROLE_INFO },
		[WARNING_CARE] = { GLYPH_UP, ROLE_WARN },
		[WARNING_SERIOUS] = { GLYPH_SQUARE, ROLE_CRIT },
		[WARNING_FORBIDS] = { 'X', ROLE_CRIT },
	};
	if (f->p->n_warnings == 0)
		return;
	rule(f, "warnings", "");
	for (size_t i = 0; i < f->p->n_warnings; i++) {
		const struct warning *w = &f->p->warnings[i];
		const struct sheet_line like = { .note = "", .label = "", .role = looks[w->level].role, .glyph = looks[w->level].glyph, .unit = SIZE_MAX,
			                         .is_bold = w->level >= WARNING_SERIOUS };
		put(f, &like, w->text);
	}
}

static size_t put_difference(struct filling *f, const char *what, const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return 0;
	struct buf b;
	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "%.400s -> %.400s", from[0] != '\0' ? from : "?", to[0] != '\0' ? to : "?");
	say_labelled(f, what, LABEL_COLS, ROLE_TEXT, buf_text(&b));
	buf_release(&b);
	return 1;
}

static void put_differences(struct filling *f)
{
	const struct version *a = f->p->from != NULL ? &f->p->from->version : NULL, *b = f->p->to != NULL ? &f->p->to->version : NULL;
	size_t n = 0;
	if (a == NULL || b == NULL)
		return;
	rule(f, "difference", "");
	n += put_difference(f, "image", a->image, b->image);
	n += put_difference(f, "tag", a->tag, b->tag);
	n += put_difference(f, "model", a->model_version, b->model_version);
	n += put_difference(f, "config", a->config_hash, b->config_hash);
	if (n == 0)
		say(f, 0, ROLE_SECOND, "none that is known: the same image, model version and configuration");
}

/* ---- waves and what is sent ---- */

static void put_wave(struct filling *f, size_t wave)
{
	size_t n, first = plan_wave_units(f->p, wave, &n), shown = 0;
	struct buf b;
	char label[64];
	buf_init(&b, NAMES_MAX);
	for (size_t i = first; i < first + n; i++)
		if (plan_unit_acts(&f->p->units[i]))
			buf_printf(&b, "%s%.200s", shown++ > 0 ? "  " : "", f->p->units[i].unit.name);
	snprintf(label, sizeof label, "wave %zu, %zu node%s", wave + 1, shown, shown == 1 ? "" : "s");
	if (shown > 0)
		say_labelled(f, label, WAVE_COLS + (int)(wave >= 9), ROLE_SECOND, buf_text(&b));
	buf_release(&b);
}

static void put_waves(struct filling *f)
{
	char note[64];
	size_t n_same = 0;
	snprintf(note, sizeof note, "%zu at a time", f->p->at_once);
	rule(f, "waves", f->p->is_whole ? "" : note);
	for (size_t i = 0; i < f->p->n_waves; i++)
		put_wave(f, i);
	for (size_t i = 0; i < f->p->n_units; i++)
		n_same += f->p->units[i].is_same;
	if (n_same > 0)
		say(f, 0, ROLE_SECOND, "%zu run it already: nothing is done there", n_same);
	for (size_t i = 0; i < f->p->n_units; i++)
		if (f->p->units[i].skipped[0] != '\0')
			say(f, 0, ROLE_WARN, "%.200s is left out: %.400s", f->p->units[i].unit.name, f->p->units[i].skipped);
}

/* `shown`: what is made of its answer. */
static void put_ask(struct filling *f, const struct ask *ask, const struct ask *shown)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	ask_print(ask, SHEET_ASK_BODY, &b);
	if (shown != NULL && shown->kind != ASK_NONE) {
		buf_puts(&b, ask_shown_words);
		ask_print(shown, SHEET_ASK_BODY, &b);
	}
	while (b.len > 0 && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	const struct sheet_line like = { .note = "", .label = "", .role = ROLE_INFO, .indent = 5, .unit = SIZE_MAX };
	put(f, &like, buf_text(&b));
	if (b.err == ERR_LIMIT)
		say(f, 5, ROLE_WARN, "and more, than can be shown");
	buf_release(&b);
}

static void put_step(struct filling *f, const struct step *s, size_t number)
{
	say(f, 2, s->changes ? ROLE_TEXT : ROLE_SECOND, "%zu. %.300s%s", number, s->title, s->changes ? "" : " (only looks)");
	if (s->ask.kind != ASK_NONE)
		put_ask(f, &s->ask, &s->shown);
}

/* Behind the steps, which are what people look for. */
static void put_locks(struct filling *f, const struct plan_unit *u)
{
	struct arena a;
	struct ask take, give_back;
	if (!plan_unit_is_locked(f->p, u))
		return;
	arena_init(&a);
	plan_lock_asks(f->p, u, &a, &take, &give_back);
	if (arena_failed(&a)) {
		f->err = ERR_MEMORY;
	} else {
		say(f, 2, ROLE_SECOND, "%s", plan_lock_take_words);
		put_ask(f, &take, NULL);
		say(f, 2, ROLE_SECOND, "%s", plan_lock_free_words);
		put_ask(f, &give_back, NULL);
	}
	arena_release(&a);
}

static void put_unit(struct filling *f, size_t at)
{
	const struct plan_unit *u = &f->p->units[at];
	bool is_unfolded = f->o->unfolded[at];
	char note[64];
	snprintf(note, sizeof note, "%zu steps", u->forward.n);
	struct sheet_line *l = add(f);
	if (l == NULL)
		return;
	l->text = keep(f, u->unit.name, strlen(u->unit.name));
	l->note = keep(f, note, strlen(note));
	l->unit = at;
	l->glyph = is_unfolded ? '-' : '+';
	for (size_t i = 0; is_unfolded && i < u->forward.n && i < TOLD_STEPS; i++)
		put_step(f, &u->forward.items[i], i + 1);
	if (is_unfolded)
		put_locks(f, u);
}

static void put_sent(struct filling *f)
{
	rule(f, "what is sent", "Enter unfolds, f all");
	for (size_t i = 0; i < f->p->n_units && f->err == ERR_OK; i++)
		if (plan_unit_acts(&f->p->units[i]))
			put_unit(f, i);
}

/* ---- gate, way back, time, people ---- */

static void put_gate(struct filling *f)
{
	const struct fleet_gate *g = &f->p->gate;
	char soak[DURATION_TEXT], window[DURATION_TEXT], ready[DURATION_TEXT];
	rule(f, "the gate, after each wave", f->p->on_failure == GATE_UNDO ? "fails: undoes" : "fails: stops");
	say(f, 0, ROLE_TEXT, "each node serves within %s", format_duration(g->ready_ms, ready));
	say(f, 0, ROLE_TEXT, "then for %s, against the %s before and the nodes not touched yet:", format_duration(g->soak_ms, soak),
	    format_duration(g->window_ms, window));
	if (g->latency_ratio > 0)
		say(f, 2, ROLE_TEXT, "latency p99   at most %g times", g->latency_ratio);
	if (g->error_add > 0)
		say(f, 2, ROLE_TEXT, "errors        at most %g%% more", g->error_add * 100);
	if (g->quality_drop > 0)
		say(f, 2, ROLE_TEXT, "quality       at most %g%% less", g->quality_drop * 100);
	if (g->memory_ratio > 0)
		say(f, 2, ROLE_TEXT, "GPU memory    at most %g times", g->memory_ratio);
	say(f, 2, ROLE_SECOND, "fewer than %lld requests are no data, and no data is no pass", (long long)g->min_requests);
}

static void put_back(struct filling *f)
{
	const struct plan_unit *u = NULL;
	for (size_t i = 0; i < f->p->n_units && u == NULL; i++)
		if (plan_unit_acts(&f->p->units[i]))
			u = &f->p->units[i];
	rule(f, "what undo does", "to each node that was touched");
	if (u == NULL || u->back.n == 0) {
		say(f, 0, ROLE_WARN, "nothing: there is no way back");
		return;
	}
	for (size_t i = 0; i < u->back.n && i < TOLD_STEPS; i++)
		say(f, 0, ROLE_TEXT, "%zu. %.300s", i + 1, u->back.items[i].title);
}

static void put_others(struct filling *f)
{
	const struct view *v = f->o->view;
	const struct deploy_item *holder = deploys_holder(v->deploys, f->p->model);
	struct buf names;
	char text[ALERTS_TEXT];
	size_t n = 0;
	buf_init(&names, TEXT_MAX);
	for (size_t i = 0; v->alerts != NULL && i < v->alerts->n_consoles; i++) {
		const struct console_row *c = &v->alerts->consoles[i];
		if (v->person.console == NULL || strcmp(c->id, v->person.console) != 0)
			buf_printf(&names, "%s%.60s (%.40s)", n++ > 0 ? ", " : "", c->actor.who, c->view[0] != '\0' ? c->view : "here");
	}
	rule(f, "who else", "");
	say(f, 0, ROLE_SECOND, "%s%s", n > 0 ? "before a console: " : "nobody else sits before a console", n > 0 ? buf_text(&names) : "");
	if (f->p->lock != NULL && f->p->lock[0] != '\0')
		say(f, 0, ROLE_SECOND, f->p->is_whole ? "other stores are told by a lock: %.300s" : "other stores are told by a lock on each machine: %.300s", f->p->lock);
	else if (f->p->no_lock != NULL && f->p->no_lock[0] != '\0')
		say(f, 0, ROLE_SECOND, "other stores are not kept away: %.300s", f->p->no_lock);
	else
		say(f, 0, ROLE_SECOND, "other stores are not seen here: a wave that differs from this plan stops");
	if (holder != NULL && holder->at.row.id != f->o->deployment)
		say(f, 0, ROLE_CRIT, "%.60s acts on this model: %.20s, %s", actor_text(&holder->at.row.actor, text), holder->at.row.kind,
		    deployment_state_name(holder->at.last.state));
	buf_release(&names);
}

static void put_time(struct filling *f)
{
	char took[DURATION_TEXT], soak[DURATION_TEXT];
	rule(f, "how long", "");
	if (f->p->took_ms > 0)
		say(f, 0, ROLE_TEXT, "the last such run took %s", format_age(f->p->took_ms, took));
	else
		say(f, 0, ROLE_SECOND, "no such run is known; the gates alone take %s",
		    format_age((int64_t)f->p->n_waves * f->p->gate.soak_ms, soak));
}

enum err sheet_lines_fill(struct sheet_lines *l, const struct sheet_lines_options *o)
{
	struct filling f = { .l = l, .o = o, .p = o->plan };
	arena_reset(&l->arena);
	l->n = 0;
	l->is_cut = false;
	put_versions(&f);
	put_warnings(&f);
	put_differences(&f);
	put_waves(&f);
	put_sent(&f);
	put_gate(&f);
	put_back(&f);
	put_time(&f);
	put_others(&f);
	if (arena_failed(&l->arena))
		f.err = ERR_MEMORY;
	return f.err;
}
