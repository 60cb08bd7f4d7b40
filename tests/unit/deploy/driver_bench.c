/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/deploy/driver_bench.h"

#include "base/clock.h"
#include "tests/unit/collectors/loop_turn.h"

enum { NOW_MS = 1764000000, DEADLINE_MS = 60 * 1000, WAIT_MAX_MS = 200 };

void driver_bench_init(struct driver_bench *b, const struct driver *d, const char *options)
{
	*b = (struct driver_bench){ .driver = d, .unit = hands_bench_here() };
	arena_init(&b->arena);
	diagnostics_init(&b->diagnostics);
	assert_int_equal(yaml_parse(options, strlen(options), "f.yml", &b->diagnostics, &b->yaml), ERR_OK);
	b->deploy = (struct fleet_deploy){ .name = "chat", .model = "chat", .group = "", .driver = d->name, .options = yaml_root(b->yaml), .line = 1, .col = 1 };
	b->err = settings_read(&b->arena, d->options, d->n_options, &b->deploy, "f.yml", &b->diagnostics, &b->settings, &b->why);
	if (b->err == ERR_OK && d->check != NULL)
		b->err = d->check(&b->deploy, &b->settings, &b->why);
}

void driver_bench_release(struct driver_bench *b)
{
	yaml_discard(b->yaml);
	diagnostics_release(&b->diagnostics);
	arena_release(&b->arena);
}

struct answer answered(int status, const char *text)
{
	return (struct answer){ .err = ERR_OK, .why = "", .was_sent = true, .status = status, .text = text, .n = strlen(text) };
}

/* ---- looking ---- */

enum look_turn driver_bench_look(struct driver_bench *b, const struct answer *a)
{
	if (a == NULL)
		b->look = (struct look){ .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .now_ms = NOW_MS, .arena = &b->arena };
	b->look.last = a;
	b->look.found.before = b->look.found.before != NULL ? b->look.found.before : "";
	return b->driver->look(&b->look, &b->why);
}

enum look_turn driver_bench_look_all(struct driver_bench *b, const struct answer *answers, size_t n)
{
	enum look_turn turn = driver_bench_look(b, NULL);
	for (size_t i = 0; i < n && turn == LOOK_ASK; i++)
		turn = driver_bench_look(b, &answers[i]);
	return turn;
}

enum look_turn driver_bench_look_live(struct driver_bench *b, struct hands_bench *hands)
{
	struct heard h = { 0 };
	enum look_turn turn = driver_bench_look(b, NULL);
	for (int i = 0; i < 20 && turn == LOOK_ASK; i++) {
		heard_release(&h);
		hands_bench_ask(hands, &b->unit, &b->look.next, &h);
		turn = driver_bench_look(b, &h.answer);
	}
	heard_release(&h);
	return turn;
}

/* ---- planning ---- */

enum err driver_bench_plan(struct driver_bench *b, enum deploy_kind kind, const char *to)
{
	struct version *made = arena_zeroed(&b->arena, 1, sizeof *made);
	assert_non_null(made);
	*made = (struct version){ to, to, "", "", "", "", "", "", 0, false, false, "" };
	const struct version *found = found_by_id(&b->look.found, to);
	b->forward.n = b->back.n = 0;
	b->planning = (struct planning){ .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .found = &b->look.found, .kind = kind,
		                             .to = found != NULL ? found : made, .key = "run-1-here", .now_ms = NOW_MS, .arena = &b->arena, .forward = &b->forward,
		                             .back = &b->back };
	b->err = b->driver->plan(&b->planning, &b->why);
	return b->err;
}

/* ---- judging ---- */

void driver_bench_judge(struct driver_bench *b, const struct step *s, const struct answer *a, bool is_probe, int64_t after_ms, int *at, struct verdict *v)
{
	const struct judging j = { .deploy = &b->deploy, .settings = &b->settings, .unit = &b->unit, .step = s, .answer = a, .is_probe = is_probe, .began_ms = NOW_MS,
		                       .now_ms = NOW_MS + after_ms, .arena = &b->arena, .at = at };
	*v = (struct verdict){ .kind = VERDICT_DONE };
	b->driver->judge(&j, v);
}

static bool is_past(const void *what) { return clock_mono_ms(clock_system()) >= *(const int64_t *)what; }

void driver_bench_take(struct driver_bench *b, struct hands_bench *hands, const struct step *s, struct verdict *v)
{
	int64_t began_ms = clock_mono_ms(clock_system());
	struct ask ask = s->ask;
	struct heard h = { 0 };
	int at = 0;
	for (bool is_over = false; !is_over;) {
		hands_bench_ask(hands, &b->unit, &ask, &h);
		int64_t now_ms = clock_mono_ms(clock_system());
		driver_bench_judge(b, s, &h.answer, false, now_ms - began_ms, &at, v);
		heard_release(&h);
		if (now_ms - began_ms > DEADLINE_MS)
			fail_msg("%s: %s", s->title, v->text);
		is_over = v->kind != VERDICT_AGAIN;
		if (v->next.kind != ASK_NONE)
			ask = v->next;
		int64_t until_ms = now_ms + (v->wait_ms > 0 && v->wait_ms < WAIT_MAX_MS ? v->wait_ms : WAIT_MAX_MS);
		if (!is_over)
			loop_turn_until(hands->loop, is_past, &until_ms, "the wait");
	}
}

bool driver_bench_take_all(struct driver_bench *b, struct hands_bench *hands, const struct steps *steps, struct verdict *v)
{
	for (size_t i = 0; i < steps->n; i++) {
		driver_bench_take(b, hands, &steps->items[i], v);
		if (v->kind != VERDICT_DONE)
			return false;
	}
	return true;
}

/* ---- what was made ---- */

const char *driver_bench_words(struct driver_bench *b, const struct ask *a)
{
	const char *text = "";
	for (size_t i = 0; i < a->n_argv; i++)
		text = arena_printf(&b->arena, "%s%s%s", text, i > 0 ? " " : "", a->argv[i]);
	return text;
}

static bool warns(const struct warning *w, size_t n, enum warning_level level, const char *says)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].level == level && strstr(w[i].text, says) != NULL)
			return true;
	return false;
}

bool driver_bench_warns(const struct driver_bench *b, enum warning_level level, const char *says)
{
	return warns(b->look.found.warnings, b->look.found.n_warnings, level, says) || warns(b->planning.warnings, b->planning.n_warnings, level, says);
}

const struct step *driver_bench_step(const struct steps *s, const char *title)
{
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].title, title, strlen(title)) == 0)
			return &s->items[i];
	fail_msg("there is no step '%s'", title);
	return NULL;
}
