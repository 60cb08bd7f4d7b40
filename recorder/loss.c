/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/loss.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

enum { NAME_COLS = 80 };

/* 1234567 as 1,234,567. */
static void put_count(struct buf *to, size_t n)
{
	if (n >= 1000)
		put_count(to, n / 1000);
	buf_printf(to, n >= 1000 ? ",%03zu" : "%zu", n % 1000);
}

static void put_metric(struct buf *to, const struct exposition_cut *cut)
{
	buf_putc(to, '\'');
	text_cut(to, cut->metric, strlen(cut->metric), NAME_COLS);
	buf_puts(to, "' has ");
	put_count(to, cut->metric_said);
	if (cut->n_metrics > 1) {
		buf_puts(to, ", and ");
		put_count(to, cut->n_metrics - 1);
		buf_puts(to, cut->n_metrics == 2 ? " other metric loses some" : " other metrics lose some");
	}
}

static void put_text(struct buf *to, const struct exposition_cut *cut)
{
	put_count(to, cut->dropped);
	buf_puts(to, " of ");
	put_count(to, cut->said);
	buf_puts(to, " series are not kept: ");
	if (cut->cause == EXPOSITION_CUT_CEILING) {
		buf_puts(to, "max_series is ");
		put_count(to, cut->max_series);
	} else {
		buf_puts(to, "there are new ones all the time");
	}
	buf_puts(to, "; ");
	put_metric(to, cut);
}

static void put_data(struct buf *to, const struct exposition_cut *cut)
{
	buf_puts(to, "{\"metric\":");
	json_put_string(to, cut->metric, strlen(cut->metric));
	buf_printf(to, ",\"metric_series\":%zu,\"metric_dropped\":%zu,\"series\":%zu,\"dropped\":%zu,\"max_series\":%zu,\"cause\":\"%s\"}",
	           cut->metric_said, cut->metric_dropped, cut->said, cut->dropped, cut->max_series,
	           cut->cause == EXPOSITION_CUT_CEILING ? "ceiling" : "changes");
}

static bool note_calm(struct loss *l, int64_t wall_ms, enum severity *severity, struct buf *text)
{
	char age[DURATION_TEXT];
	if (!l->is_told || ++l->calm < LOSS_CALM)
		return false;
	buf_printf(text, "all its series are kept again, %s after that began", format_age(wall_ms - l->since_ms, age));
	*severity = SEVERITY_OK;
	*l = (struct loss){ 0 };
	return true;
}

bool loss_note(struct loss *l, const struct exposition_cut *cut, int64_t wall_ms, enum severity *severity, struct buf *text, struct buf *data)
{
	if (cut == NULL)
		return note_calm(l, wall_ms, severity, text);
	uint64_t metric = hash64(cut->metric, strlen(cut->metric), 0);
	bool     is_known = l->is_told && (metric == l->metric || wall_ms - l->told_ms < LOSS_AGAIN_MS);
	l->calm = 0;
	if (is_known)
		return false;
	if (!l->is_told)
		l->since_ms = wall_ms;
	l->is_told = true;
	l->told_ms = wall_ms;
	l->metric = metric;
	*severity = SEVERITY_WARN;
	put_text(text, cut);
	put_data(data, cut);
	return true;
}
