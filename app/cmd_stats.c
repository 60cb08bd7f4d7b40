/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall stats: what takes room in a store, and who has the most series. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/cells.h"
#include "app/paths.h"
#include "base/json.h"
#include "base/num.h"
#include "store/usage.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024, TOP = 10, TOP_MAX = 1000000, COUNT_WIDTH = 13, BYTES_WIDTH = 9, NAME_WIDTH = 100, COUNT_TEXT = 32 };

struct asked {
	enum cells_format format;
	size_t            top;
};

/* ---- for people ---- */

/* 1234567 as 1,234,567. */
static const char *count_text(double v, char to[COUNT_TEXT])
{
	char plain[COUNT_TEXT];
	int  n = snprintf(plain, sizeof plain, "%.0f", v < 0 ? 0 : v), at = 0;
	for (int i = 0; i < n && at + 2 < COUNT_TEXT; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			to[at++] = ',';
		to[at++] = plain[i];
	}
	to[at] = '\0';
	return to;
}

static const char *bytes_text(double v, char to[NUMBER_TEXT])
{
	return format_bytes(v < 0 ? 0 : (int64_t)v, to);
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void put_count(struct buf *to, double v)
{
	char text[COUNT_TEXT];
	cells_put_right(to, count_text(v, text), COUNT_WIDTH);
}

/* What a row takes: bytes, share of all, bytes a sample. */
static void put_taken(struct buf *to, double bytes, double samples, double all)
{
	char text[COUNT_TEXT];
	cells_put_right(to, bytes_text(bytes, text), BYTES_WIDTH);
	snprintf(text, sizeof text, "%.1f %%", 100 * ratio(bytes, all));
	cells_put_right(to, text, 7);
	snprintf(text, sizeof text, "%.2f", ratio(bytes, samples));
	cells_put_right(to, text, 8);
}

/* What is neither frames, rollups, nor lists of series, nor free. */
static double other_bytes(const struct usage *u)
{
	double other = (double)(u->file_bytes - u->free_bytes) - u->row_bytes - u->layout_bytes - u->rollup_bytes;
	return other > 0 ? other : 0;
}

static void put_summary(struct buf *to, const char *path, const struct usage *u)
{
	char a[COUNT_TEXT], b[COUNT_TEXT], c[COUNT_TEXT];
	buf_printf(to, "%s: %s, of which %s are free\n", path, bytes_text((double)u->file_bytes, a), bytes_text((double)u->free_bytes, b));
	buf_printf(to, "%s samples in %s frames", count_text(u->samples, a), count_text((double)u->rows, b));
	buf_printf(to, " and %s blocks of %s", count_text((double)u->blocks, b), bytes_text(u->row_bytes, c));
	buf_printf(to, ": %.2f bytes a sample\n", ratio(u->row_bytes, u->samples));
	buf_printf(to, "%s series of %s targets", count_text((double)u->series, a), count_text((double)u->n_targets, b));
	buf_printf(to, "; their %s lists take %s\n", count_text((double)u->layouts, a), bytes_text(u->layout_bytes, b));
	buf_printf(to, "%s rollups of five minutes and hours take %s\n", count_text((double)u->rollups, a), bytes_text(u->rollup_bytes, b));
	buf_printf(to, "%s more: room that is left in pages, alerts, events, indexes\n", bytes_text(other_bytes(u), a));
	if (u->rows_read < u->rows + u->blocks)
		buf_printf(to, "Bytes and samples are estimates: %s frames and blocks were looked at.\n", count_text((double)u->rows_read, a));
	if (u->is_cut)
		buf_puts(to, "There are more series, metrics or values than were counted.\n");
}

static void put_metrics(struct buf *to, const struct usage *u, size_t top)
{
	buf_printf(to, "\n%*s %7s %8s %*s  %s\n", BYTES_WIDTH, "bytes", "share", "b/sample", COUNT_WIDTH, "series", "metric");
	for (size_t i = 0; i < u->n_metrics && i < top; i++) {
		const struct usage_metric *m = &u->metrics[i];
		put_taken(to, m->bytes, m->samples, u->row_bytes);
		put_count(to, (double)m->series);
		buf_putc(to, ' ');
		cells_put(to, m->name, NAME_WIDTH);
		cells_end(to);
	}
}

static void put_labels(struct buf *to, const struct usage *u, size_t top)
{
	buf_printf(to, "\n%*s  %s\n", COUNT_WIDTH, "values", "metric and label");
	for (size_t i = 0; i < u->n_labels && i < top; i++) {
		struct buf name;
		buf_init(&name, 1 << 16);
		buf_printf(&name, "%s{%s}", u->labels[i].metric, u->labels[i].label);
		put_count(to, (double)u->labels[i].values);
		buf_putc(to, ' ');
		cells_put(to, buf_text(&name), NAME_WIDTH);
		cells_end(to);
		buf_release(&name);
	}
}

static void put_target_name(struct buf *to, const struct labels *l)
{
	struct buf name;
	const char *node = labels_get(l, "node"), *job = labels_get(l, "job");
	buf_init(&name, 1 << 16);
	if (node[0] != '\0')
		buf_printf(&name, "%s %s", node, job);
	else
		labels_print(l, &name);
	cells_put(to, buf_text(&name), NAME_WIDTH);
	buf_release(&name);
}

static void put_targets(struct buf *to, const struct usage *u, size_t top)
{
	buf_printf(to, "\n%*s %7s %8s %*s %*s %*s  %s\n", BYTES_WIDTH, "bytes", "share", "b/sample", COUNT_WIDTH, "series now", COUNT_WIDTH, "ever",
	           COUNT_WIDTH, "lists", "target");
	for (size_t i = 0; i < u->n_targets && i < top; i++) {
		const struct usage_target *t = &u->targets[i];
		put_taken(to, t->bytes, t->samples, u->row_bytes);
		put_count(to, (double)t->current);
		put_count(to, (double)t->series);
		put_count(to, (double)t->lists);
		buf_putc(to, ' ');
		put_target_name(to, t->labels);
		cells_end(to);
	}
}

/* ---- for machines ---- */

static void put_number(struct buf *to, const char *key, double v)
{
	buf_printf(to, "\"%s\":", key);
	json_put_f64(to, v);
	buf_putc(to, ',');
}

/* The comma behind the last member or item becomes `end`. */
static void put_end(struct buf *to, const char *end)
{
	if (to->err == ERR_OK && to->len > 0 && to->data[to->len - 1] == ',')
		to->len--;
	buf_puts(to, end);
}

static void put_json_lists(struct buf *to, const struct usage *u, size_t top)
{
	buf_puts(to, "\"metrics\":[");
	for (size_t i = 0; i < u->n_metrics && i < top; i++) {
		buf_putc(to, '{');
		cells_put_member(to, "metric", u->metrics[i].name);
		put_number(to, "series", (double)u->metrics[i].series);
		put_number(to, "samples", u->metrics[i].samples);
		put_number(to, "bytes", u->metrics[i].bytes);
		put_end(to, "},");
	}
	put_end(to, "],\"labels\":[");
	for (size_t i = 0; i < u->n_labels && i < top; i++) {
		buf_putc(to, '{');
		cells_put_member(to, "metric", u->labels[i].metric);
		cells_put_member(to, "label", u->labels[i].label);
		put_number(to, "values", (double)u->labels[i].values);
		put_end(to, "},");
	}
	put_end(to, "],\"targets\":[");
	for (size_t i = 0; i < u->n_targets && i < top; i++) {
		const struct usage_target *t = &u->targets[i];
		buf_puts(to, "{\"labels\":{");
		for (size_t k = 0; k < labels_count(t->labels); k++) {
			const struct label *l = labels_at(t->labels, k);
			json_put_string(to, l->name, l->name_len);
			buf_putc(to, ':');
			json_put_string(to, l->value, l->value_len);
			buf_putc(to, ',');
		}
		put_end(to, "},");
		put_number(to, "series", (double)t->series);
		put_number(to, "current", (double)t->current);
		put_number(to, "lists", (double)t->lists);
		put_number(to, "samples", t->samples);
		put_number(to, "bytes", t->bytes);
		put_end(to, "},");
	}
	put_end(to, "]}\n");
}

static void put_json(struct buf *to, const char *path, const struct usage *u, size_t top)
{
	buf_putc(to, '{');
	cells_put_member(to, "store", path);
	put_number(to, "file_bytes", (double)u->file_bytes);
	put_number(to, "free_bytes", (double)u->free_bytes);
	put_number(to, "other_bytes", other_bytes(u));
	put_number(to, "frames", (double)u->rows);
	put_number(to, "blocks", (double)u->blocks);
	put_number(to, "rows_read", (double)u->rows_read);
	put_number(to, "row_bytes", u->row_bytes);
	put_number(to, "samples", u->samples);
	put_number(to, "lists", (double)u->layouts);
	put_number(to, "list_bytes", u->layout_bytes);
	put_number(to, "rollups", (double)u->rollups);
	put_number(to, "rollup_bytes", u->rollup_bytes);
	put_number(to, "series", (double)u->series);
	buf_printf(to, "\"is_cut\":%s,", u->is_cut ? "true" : "false");
	put_json_lists(to, u, top);
}

/* ---- the command ---- */

static enum err read_asked(const struct cli *c, struct asked *a, struct why *why)
{
	int64_t top = TOP;
	enum err e = cells_format_of(cli_value(c, "format"), &a->format, why);
	if (e == ERR_OK && a->format == CELLS_CSV)
		return why_set(why, ERR_USAGE, "unknown format 'csv'; there are table and json");
	if (e == ERR_OK && cli_has(c, "top") && parse_i64(cli_value(c, "top"), 0, TOP_MAX, &top) != ERR_OK)
		return why_set(why, ERR_USAGE, "--top wants a number from 0 to %d, not '%s'", TOP_MAX, cli_value(c, "top"));
	a->top = (size_t)top;
	return e;
}

static enum err stats(const struct cli *c, const struct asked *a, struct buf *out, struct why *why)
{
	struct buf path;
	struct reader *r = NULL;
	struct usage *u = NULL;
	buf_init(&path, PATH_BYTES);
	enum err e = path_store(cli_value(c, "store"), &path, why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&path), READER_OWN, &r, why);
	if (e == ERR_OK)
		e = reader_usage(r, 0, &u, why);
	if (e == ERR_OK && a->format == CELLS_JSON) {
		put_json(out, buf_text(&path), u, a->top);
	} else if (e == ERR_OK) {
		put_summary(out, buf_text(&path), u);
		put_metrics(out, u, a->top);
		put_labels(out, u, a->top);
		put_targets(out, u, a->top);
	}
	if (e == ERR_OK && out->err != ERR_OK)
		e = why_set(why, out->err, "the result is too large to print");
	usage_free(u);
	reader_close(r);
	buf_release(&path);
	return e;
}

static int run(const struct cli *c)
{
	struct asked a;
	struct buf out;
	struct why why = { "" };
	buf_init(&out, OUTPUT_MAX);
	enum err e = read_asked(c, &a, &why);
	if (e == ERR_OK)
		e = stats(c, &a, &out, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	{ "top", "N", "how many metrics, labels and targets are shown; else 10" },
	{ "format", "FORMAT", "table or json" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_stats = {
	.name         = "stats",
	.arguments    = "",
	.summary      = "what takes room in the store, and who has the most series",
	.details      = "Series are counted. Bytes and samples of a large store are estimated from frames spread evenly over it; then the output says so. "
	                "What SQLite adds for a frame is in its bytes; room that is left in its pages, alerts and events are not.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
