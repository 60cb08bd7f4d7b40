/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/small_chart.h"

#include <math.h>

#include "tui/signal_look.h"
#include "tui/widget_chart.h"

enum { NAME_COLS = 32, TITLE_COLS = 20 };

void small_chart_draw(struct canvas *c, const struct view *v, const char *name, enum signal_id id, const float *history, enum role role,
                      const struct mark_filter *marks)
{
	struct rect all = canvas_region(c);
	double values[HISTORY_POINTS];
	struct chart_threshold thresholds[2];
	struct chart_mark picked[MARKS_SHOWN];
	for (int i = 0; i < HISTORY_POINTS; i++)
		values[i] = history == NULL ? (double)NAN : (double)history[i];
	struct chart_series series = { values, role, name };
	int64_t step = v->fleet->history_step_ms > 0 ? v->fleet->history_step_ms : 1000;
	struct chart chart = {
		.end_ms = v->fleet->t_ms / step * step, .points = HISTORY_POINTS, .series = &series, .n_series = 1, .thresholds = thresholds,
		.n_thresholds = signal_thresholds(id, thresholds), .unit = signal_info(id)->unit, .low = (double)NAN, .high = (double)NAN,
		.glyphs = (enum glyph_mode)v->glyphs,
	};
	chart.start_ms = chart.end_ms - (HISTORY_POINTS - 1) * step;
	chart.marks = picked;
	chart.n_marks = marks != NULL ? marks_pick(&v->fleet->marks, marks, chart.start_ms, chart.end_ms, step, picked) : 0;
	if (signal_info(id)->top > 0 && signal_info(id)->worse != WORSE_LOW) {
		chart.low = 0;
		chart.high = signal_info(id)->top;
	}
	char title[SIGNAL_TITLE];
	int room = all.cols - TITLE_COLS < NAME_COLS ? all.cols - TITLE_COLS : NAME_COLS, used = 1;
	if (name[0] != '\0')
		used += canvas_put_width(c, 0, 1, room, -1, ROLE_TITLE, name) + 1;
	canvas_put(c, 0, used, name[0] != '\0' ? ROLE_SECOND : ROLE_TITLE, signal_title(id, title));
	canvas_enter(c, (struct rect){ 1, 0, all.rows - 1, all.cols });
	chart_draw(c, &chart);
	canvas_leave(c);
}
