/* SPDX-License-Identifier: Apache-2.0
 *
 * The console while memory runs out: a theme, a key file or a picture is whole or is not there, nothing falls over, and what is drawn when
 * there is memory again is as if nothing had been. */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/faults.h"
#include "alerts/request.h"
#include "tests/unit/tui/sample_deploys.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/dialog.h"
#include "tui/encode.h"
#include "tui/help.h"
#include "tui/keymap.h"
#include "tui/prompt.h"
#include "tui/screens.h"
#include "tui/sheet.h"

enum { ROWS = 22, COLS = 80, TEXT_MAX = 1 << 22 };

static const struct requests nothing;

static struct canvas *new_canvas(int rows, int cols)
{
	struct canvas *c = NULL;
	fault_pause();
	assert_int_equal(canvas_new(rows, cols, &c, NULL), ERR_OK);
	fault_resume();
	return c;
}

/* The picture is that of before; the first one is kept. */
static void check_picture(const struct canvas *c, struct buf *want)
{
	struct buf got;
	fault_pause();
	buf_init(&got, TEXT_MAX);
	assert_int_equal(canvas_print(c, &got), ERR_OK);
	if (want->len == 0)
		buf_puts(want, buf_text(&got));
	fault_same(buf_text(&got), buf_text(want));
	buf_release(&got);
	fault_resume();
}

/* ---- themes and key files ---- */

struct theming {
	const char *name, *folder;
	enum err    want;
};

static enum err load_theme(void *ctx, struct why *why)
{
	const struct theming *t = ctx;
	struct theme          theme, before;
	memset(&theme, 0x55, sizeof theme);
	before = theme;
	enum err e = theme_load(t->name, t->folder, &theme, why);
	fault_end();
	if (e == ERR_OK)
		assert_string_equal(theme.name, t->name);
	else
		assert_memory_equal(&theme, &before, sizeof theme);
	return e;
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/themes/%s.theme", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void themes(void **state)
{
	(void)state;
	char folder[] = "/tmp/pitwall-fault-XXXXXX", path[256];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/themes", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(folder, "own", "name own\nbackground dark\ntext fg=#102030 bold\n");
	write_file(folder, "wrong", "name wrong\nbackground green\nnonsense fg=1\n");
	struct theming rows[] = { { "own", folder, ERR_OK }, { "wrong", folder, ERR_FORMAT }, { "none", folder, ERR_NOT_FOUND } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		fault_loop(rows[i].name, rows[i].want, load_theme, &rows[i]);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/themes/%s.theme", folder, rows[i].name);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/themes", folder);
	rmdir(path);
	rmdir(folder);
}

/* Lines without a mistake take effect, whatever becomes of the sentences. */
static enum err read_keys(void *ctx, struct why *why)
{
	static const char text[] = "map C-n down\nmap C-n up\nmap nokey-1 down\nmap x nothing\nmap y up\n";
	struct keymap *m = ctx;
	struct buf     mistakes, keys;
	struct key     y;
	buf_init(&mistakes, 4096);
	buf_init(&keys, 4096);
	keymap_init(m);
	enum err e = keymap_read(m, "keys", text, sizeof text - 1, &mistakes);
	keymap_keys_of(m, COMMAND_DOWN, CONTEXT_FLEET, 0, &keys);
	bool was_hit = fault_end();
	assert_true(e == ERR_MEMORY || (e == ERR_FORMAT && mistakes.len > 0 && mistakes.err == ERR_OK));
	if (e == ERR_FORMAT)
		why_set(why, e, "%.*s", (int)strcspn(buf_text(&mistakes), "\n"), buf_text(&mistakes));
	assert_true(key_parse("y", 1, &y));
	assert_int_equal(keymap_find(m, y, CONTEXT_FLEET), COMMAND_UP);
	if (keys.err == ERR_OK)
		assert_non_null(strstr(buf_text(&keys), "C-n"));
	assert_true(was_hit || keys.err == ERR_OK);
	buf_release(&mistakes);
	buf_release(&keys);
	return e != ERR_MEMORY && keys.err != ERR_OK ? why_memory(why) : e;
}

static void key_files(void **state)
{
	(void)state;
	struct keymap *m = malloc(sizeof *m);
	assert_non_null(m);
	fault_loop("a key file", ERR_FORMAT, read_keys, m);
	free(m);
}

/* ---- canvas and encoder ---- */

static enum err use_canvas(void *ctx, struct why *why)
{
	struct canvas *c = NULL;
	struct buf     text;
	enum err       e = canvas_new(4, 20, &c, why);
	(void)ctx;
	if (e != ERR_OK) {
		assert_null(c);
		return e;
	}
	canvas_put(c, 0, 0, ROLE_TEXT, "before");
	e = canvas_resize(c, 6, 30, why);
	if (e != ERR_OK) { /* still there, with its picture */
		assert_true(canvas_rows(c) == 4 && canvas_cols(c) == 20);
		assert_int_equal(canvas_cell(c, 0, 0)->text[0], 'b');
	}
	canvas_printf(c, 1, 0, ROLE_TEXT, "%s %d", "after", 7);
	buf_init(&text, 4096);
	if (e == ERR_OK)
		e = canvas_print(c, &text);
	bool was_hit = fault_end();
	if (e == ERR_OK && canvas_cell(c, 1, 0)->text[0] != 'a') {
		assert_true(was_hit);
		e = why_memory(why); /* a text that could not be made is not drawn */
	}
	if (e == ERR_OK)
		assert_non_null(strstr(buf_text(&text), "after 7\n"));
	buf_release(&text);
	canvas_free(c);
	return e;
}

static void canvases(void **state)
{
	(void)state;
	fault_loop("a canvas", ERR_OK, use_canvas, NULL);
}

struct encoding {
	struct terminfo info;
	struct theme    theme;
	struct canvas  *small, *large;
};

/* What a terminal needs that shows nothing yet. */
static void encode_afresh(const struct encoding *x, const struct canvas *c, struct buf *to)
{
	struct encoder *e = NULL;
	assert_int_equal(encoder_new(&x->info, &x->theme, DEPTH_256, &e, NULL), ERR_OK);
	assert_int_equal(encoder_frame(e, c, 0, 0, to), ERR_OK);
	encoder_free(e);
}

static enum err encode(void *ctx, struct why *why)
{
	const struct encoding *x = ctx;
	struct encoder        *enc = NULL;
	struct buf             to, again, fresh;
	buf_init(&to, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	buf_init(&fresh, TEXT_MAX);
	enum err e = encoder_new(&x->info, &x->theme, DEPTH_256, &enc, why);
	if (e == ERR_OK)
		e = encoder_frame(enc, x->small, 0, 0, &to);
	if (e == ERR_OK)
		e = encoder_frame(enc, x->large, 0, 0, &to);
	fault_end();
	if (enc != NULL) {
		assert_int_equal(encoder_frame(enc, x->large, 0, 0, &again), ERR_OK);
		encode_afresh(x, x->large, &fresh);
		assert_string_equal(buf_text(&again), e == ERR_OK ? "" : buf_text(&fresh));
	}
	encoder_free(enc);
	buf_release(&to);
	buf_release(&again);
	buf_release(&fresh);
	return e;
}

static void encoders(void **state)
{
	(void)state;
	struct encoding x = { .small = new_canvas(3, 10), .large = new_canvas(5, 40) };
	struct why      why = { "" };
	assert_int_equal(terminfo_load("xterm-256color", &x.info, &why), ERR_OK);
	assert_int_equal(theme_load("dark", NULL, &x.theme, &why), ERR_OK);
	canvas_put(x.small, 0, 0, ROLE_TITLE, "small");
	for (int i = 0; i < 5; i++)
		canvas_printf(x.large, i, i, ROLE_CRIT, "line %d and more of it", i);
	fault_loop("frames", ERR_OK, encode, &x);
	canvas_free(x.small);
	canvas_free(x.large);
}

/* ---- screens ---- */

struct shot {
	const char    *label;
	struct screen *(*make)(void);
	enum command   commands[8];
	const char    *filter;
	enum scene     scene; /* SCENE_ASKING, 0: as the sample is without deployments, but where the command asks for one */
	/* of the run */
	struct view   *view;
	struct buf     want;
};

static struct keymap keys;

static struct screen *make_node(void) { return node_screen_new("gpu-a-07"); }
static struct screen *make_events(void) { return events_screen_new(NULL); }
static struct screen *make_signal_chart(void) { return chart_screen_of_signal(SIGNAL_LATENCY_P99, NULL, 0); }
static struct screen *make_node_chart(void)
{
	static const char *const nodes[] = { "gpu-a-01", "gpu-a-02" };
	return chart_screen_of_signal(SIGNAL_LATENCY_P99, nodes, 2);
}
static struct screen *make_query_chart(void) { return chart_screen_of_query("sum(rate(x[5m]))"); }
static struct screen *make_alert(void) { return alert_screen_new("{alertname=\"ErrorRatioHigh\",model=\"ranker\"}"); }
static struct screen *make_sheet(void) { return sheet_screen_of(SAMPLE_DEPLOY_ID); }
static struct screen *make_run(void) { return run_screen_new(SAMPLE_DEPLOY_ID); }
static struct screen *make_help(void) { return help_new(&keys, CONTEXT_FLEET, "FLEET"); }
static struct screen *make_dialog(void) { return dialog_new("Title", "One line\nand another", "yes", "no", &nothing); }

static void refresh(struct screen *s, const struct shot *shot, struct canvas *c)
{
	if (s->kind->update != NULL)
		s->kind->update(s, shot->view);
	canvas_clear(c);
	s->kind->draw(s, shot->view, c);
}

static void use_screen(struct screen *s, const struct shot *shot, struct canvas *c)
{
	static struct needs needs;
	refresh(s, shot, c);
	for (size_t i = 0; shot->commands[i] != COMMAND_NONE; i++) {
		struct requests r = { 0 };
		s->kind->command(s, shot->view, shot->commands[i], "", &r);
		request_free(r.ask);
		if (r.push != NULL)
			r.push->kind->free(r.push);
		refresh(s, shot, c);
	}
	if (shot->filter != NULL)
		s->kind->filter(s, shot->filter);
	needs = (struct needs){ 0 };
	if (s->kind->needs != NULL)
		s->kind->needs(s, shot->view, &needs);
	refresh(s, shot, c);
}

static enum err show(void *ctx, struct why *why)
{
	struct shot   *shot = ctx;
	struct canvas *c = new_canvas(ROWS, COLS);
	struct screen *s = shot->make();
	if (s == NULL) {
		fault_end();
		canvas_free(c);
		return why_memory(why);
	}
	use_screen(s, shot, c);
	bool was_hit = fault_end();
	/* A command that had no memory did nothing; all else is there again. */
	if (!was_hit || shot->commands[0] == COMMAND_NONE) {
		refresh(s, shot, c);
		check_picture(c, &shot->want);
	} else {
		use_screen(s, shot, c);
	}
	s->kind->free(s);
	canvas_free(c);
	return ERR_OK;
}

/* The view holds what the screen asks for. */
static void run_shot(struct shot *shot)
{
	struct sample *sample = sample_new(48, 0);
	struct screen *s = shot->make();
	struct why     why = { "" };
	struct canvas *c = new_canvas(ROWS, COLS);
	shot->view = sample_view(sample);
	struct sample_deploys *deploys = shot->scene != SCENE_ASKING || shot->commands[0] == COMMAND_ROLLBACK ? sample_deploys_new(shot->view, shot->scene, false) : NULL;
	buf_init(&shot->want, TEXT_MAX);
	refresh(s, shot, c); /* a chart knows now how many points it wants */
	sample_answer(sample, s, 7, NULL);
	s->kind->free(s);
	canvas_free(c);
	assert_int_equal(show(shot, &why), ERR_OK);
	fault_loop(shot->label, ERR_OK, show, shot);
	buf_release(&shot->want);
	sample_deploys_free(deploys);
	sample_free(sample);
}

static void screens(void **state)
{
	(void)state;
	struct shot shots[] = {
		{ .label = "map", .make = fleet_screen_new },
		{ .label = "map with a filter", .make = fleet_screen_new, .filter = "gpu-a-0" },
		{ .label = "table", .make = fleet_screen_new,
		  .commands = { COMMAND_TOGGLE, COMMAND_TAG, COMMAND_DOWN, COMMAND_TAG, COMMAND_VIEW_CHART, COMMAND_SORT, COMMAND_ENTER } },
		{ .label = "models", .make = fleet_screen_new, .commands = { COMMAND_BY_MODEL, COMMAND_DOWN } },
		{ .label = "node", .make = make_node },
		{ .label = "node's panes", .make = make_node, .commands = { COMMAND_NEXT_PANE, COMMAND_NEXT_PANE, COMMAND_DOWN, COMMAND_ENTER } },
		{ .label = "events", .make = make_events },
		{ .label = "events with a filter", .make = make_events, .filter = "version" },
		{ .label = "chart of a signal", .make = make_signal_chart },
		{ .label = "chart of nodes", .make = make_node_chart, .commands = { COMMAND_LEFT, COMMAND_ZOOM_OUT, COMMAND_DOWN } },
		{ .label = "chart of a query", .make = make_query_chart },
		{ .label = "alerts", .make = alerts_screen_new },
		{ .label = "alerts with a filter", .make = alerts_screen_new, .filter = "chat" },
		{ .label = "what is done about alerts", .make = alerts_screen_new,
		  .commands = { COMMAND_FOLD, COMMAND_TAG, COMMAND_SORT, COMMAND_ACK, COMMAND_SILENCE, COMMAND_NOTE, COMMAND_ENTER } },
		{ .label = "an alert", .make = make_alert },
		{ .label = "rules", .make = rules_screen_new, .filter = "gpu", .commands = { COMMAND_DOWN } },
		{ .label = "an alert's panes", .make = make_alert, .commands = { COMMAND_NEXT_PANE, COMMAND_DOWN, COMMAND_NEXT_PANE, COMMAND_NEXT_PANE } },
		{ .label = "a sheet", .make = make_sheet, .scene = SCENE_PLANNED,
		  .commands = { COMMAND_UNFOLD, COMMAND_LAST, COMMAND_ENTER, COMMAND_VERSIONS, COMMAND_DOWN, COMMAND_ENTER, COMMAND_PLAN_AGAIN } },
		{ .label = "a run", .make = make_run, .scene = SCENE_STOPPED,
		  .commands = { COMMAND_UP, COMMAND_RUN_UNDO, COMMAND_RUN_HOLD, COMMAND_RUN_SKIP, COMMAND_ENTER } },
		{ .label = "deployments", .make = deploys_screen_new, .scene = SCENE_RUNNING, .commands = { COMMAND_DOWN, COMMAND_ENTER } },
		{ .label = "a rollback that is asked for", .make = make_node, .scene = SCENE_ASKING, .commands = { COMMAND_ROLLBACK } },
		{ .label = "help", .make = make_help, .commands = { COMMAND_PAGE_DOWN } },
		{ .label = "dialog", .make = make_dialog },
	};
	keymap_init(&keys);
	for (size_t i = 0; i < sizeof shots / sizeof shots[0]; i++)
		run_shot(&shots[i]);
}

/* ---- the line that is typed into ---- */

static void type(struct prompt *p, const char *text)
{
	for (; *text != '\0'; text++) {
		struct key k = { .code = (unsigned char)*text };
		prompt_key(p, k);
	}
}

static enum err type_line(void *ctx, struct why *why)
{
	struct prompt  p;
	struct canvas *c = new_canvas(2, 40);
	int            row, col;
	(void)ctx;
	prompt_init(&p);
	prompt_open(&p, ':', "ab", NULL, NULL);
	type(&p, "cd");
	prompt_paste(&p, " ef", 3);
	prompt_draw(&p, c, &row, &col);
	bool was_hit = fault_end();
	const char *typed = prompt_text(&p);
	if (!was_hit)
		assert_string_equal(typed, "abcd ef");
	size_t before = strlen(typed);
	type(&p, "g"); /* and it goes on */
	assert_int_equal(strlen(prompt_text(&p)), before + 1);
	prompt_close(&p);
	prompt_release(&p);
	canvas_free(c);
	return was_hit ? why_memory(why) : ERR_OK;
}

static void prompts(void **state)
{
	(void)state;
	fault_loop("a line", ERR_OK, type_line, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(themes),   cmocka_unit_test(key_files), cmocka_unit_test(canvases),
		cmocka_unit_test(encoders), cmocka_unit_test(screens),   cmocka_unit_test(prompts),
	};
	return cmocka_run_group_tests_name("faults of memory", tests, NULL, NULL);
}
