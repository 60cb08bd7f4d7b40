/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/tui/deploys_stage.h"

#include "tests/unit/tui/sample_view.h"
#include "tui/screens.h"

static struct why why;

static const struct view *host_view(void *ctx)
{
	return ((struct stage *)ctx)->view;
}

static void host_requests(void *ctx, const struct requests *r)
{
	struct stage *s = ctx;
	if (r->ask == NULL)
		return;
	request_free(s->ask);
	s->ask = r->ask;
	s->n_asks++;
}

void stage_open(struct stage *s, struct screen *first, enum scene scene)
{
	*s = (struct stage){ .sample = sample_new(48, 0) };
	assert_ok(canvas_new(24, 80, &s->canvas, &why));
	const struct console_host host = { .context = s, .view = host_view, .requests = host_requests };
	s->view = sample_view(s->sample);
	s->deploys = sample_deploys_new(s->view, scene, false);
	test_clock_init(&s->clock, (int64_t)SAMPLE_T_S * 1000);
	test_clock_advance(&s->clock, 1000);
	keymap_init(&s->keys);
	assert_ok(console_new(&host, &s->clock.clock, &s->keys, first, &s->console, &why));
}

void stage_close(struct stage *s)
{
	console_free(s->console);
	canvas_free(s->canvas);
	request_free(s->ask);
	sample_deploys_free(s->deploys);
	sample_free(s->sample);
}

void stage_paint(struct stage *s)
{
	int row, col;
	console_draw(s->console, s->canvas, &row, &col);
}

int stage_settle(struct stage *s, bool was_quiet)
{
	stage_paint(s);
	int ms = console_shown(s->console);
	if (ms > 0) {
		test_clock_advance(&s->clock, ms);
		console_settled(s->console, was_quiet);
		stage_paint(s);
	}
	return ms;
}

void stage_press(struct stage *s, uint32_t code)
{
	const struct input_event e = { .kind = INPUT_KEY, .key = { .code = code } };
	test_clock_advance(&s->clock, 300);
	console_event(s->console, &e);
	console_changed(s->console);
	stage_paint(s);
}

void stage_type(struct stage *s, const char *text)
{
	for (; *text != '\0'; text++)
		stage_press(s, (uint32_t)(unsigned char)*text);
}

const char *stage_top(const struct stage *s)
{
	return console_top(s->console)->kind->name;
}
