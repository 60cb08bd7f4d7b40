/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "tui/signal_look.h"
#include "tui/widget_bar.h"
#include "tui/widget_spark.h"

/* As many of each kind as an engineer would read; the view has the fullest and busiest first. */
enum { FILESYSTEMS_MOST = 8, DISKS_MOST = 8, NETWORKS_MOST = 16, LINES_MAX = 8 + FILESYSTEMS_MOST + DISKS_MOST + NETWORKS_MOST };
enum { TEXT_BYTES = 200, VALUE_COLS = 6, BAR_MIN = 4, RATE_TEXT = UNIT_TEXT_SIZE + 2 };

/* Past these a line is a warning. Pressure is the share of the time in which something waited: for memory a tenth means that it is being
 * thrashed, for disks a fifth that they are what is waited for. */
static const double load_warn = 2 /* waiting for each processor */, pressure_memory_warn = 0.10, pressure_io_warn = 0.20, full_warn = 0.90,
		    full_crit = 0.97, errors_warn = 0.1 /* a second */, clock_warn = 1 /* second: logs of two machines no longer agree */;

enum line_kind { LINE_LOAD, LINE_PRESSURE, LINE_MEMORY, LINE_SWAP, LINE_FILESYSTEM, LINE_DISK, LINE_NETWORK, LINE_OOM, LINE_CLOCK, LINE_UP };

struct line {
	enum line_kind kind;
	size_t         index; /* of the file system, disk or network */
	enum severity  severity;
};

struct lines {
	const struct host_view *host;
	struct line             all[LINES_MAX];
	size_t                  n;
};

/* ---- which there are ---- */

static enum severity warn_above(double v, double limit)
{
	return v > limit ? SEVERITY_WARN : SEVERITY_OK; /* a NaN is above nothing */
}

static enum severity worse(enum severity a, enum severity b) { return a > b ? a : b; }

static double memory_used(const struct host_view *h)
{
	return h->memory_size > 0 ? 1 - h->memory_available / h->memory_size : (double)NAN;
}

static double swap_used(const struct host_view *h)
{
	return h->swap_size > 0 ? 1 - h->swap_free / h->swap_size : (double)NAN;
}

static void add(struct lines *to, enum line_kind kind, size_t index, bool is_known, enum severity s)
{
	if (is_known && to->n < LINES_MAX)
		to->all[to->n++] = (struct line){ kind, index, s };
}

static void add_parts(struct lines *to)
{
	const struct host_view *h = to->host;
	for (size_t i = 0; i < h->n_filesystems && i < FILESYSTEMS_MOST; i++) {
		const struct filesystem_row *f = &h->filesystems[i];
		enum severity s = f->used > full_crit ? SEVERITY_CRIT : warn_above(f->used, full_warn);
		add(to, LINE_FILESYSTEM, i, true, f->read_only > 0 ? SEVERITY_OK : s); /* what can't be written can't run full */
	}
	for (size_t i = 0; i < h->n_disks && i < DISKS_MOST; i++)
		add(to, LINE_DISK, i, true, SEVERITY_OK);
	for (size_t i = 0; i < h->n_networks && i < NETWORKS_MOST; i++)
		add(to, LINE_NETWORK, i, true, warn_above(h->networks[i].errors, errors_warn));
}

static struct lines list(const struct host_view *h)
{
	struct lines to = { .host = h };
	if (h == NULL)
		return to;
	enum severity pressure = worse(warn_above(h->pressure_memory, pressure_memory_warn), warn_above(h->pressure_io, pressure_io_warn));
	bool has_pressure = !isnan(h->pressure_cpu) || !isnan(h->pressure_memory) || !isnan(h->pressure_io);
	add(&to, LINE_LOAD, 0, !isnan(h->load_1m), warn_above(h->load_5m / h->processors, load_warn));
	add(&to, LINE_PRESSURE, 0, has_pressure, pressure);
	add(&to, LINE_MEMORY, 0, h->memory_size > 0, signal_severity(SIGNAL_MEMORY, memory_used(h)));
	add(&to, LINE_SWAP, 0, h->swap_size > 0, SEVERITY_OK);
	add_parts(&to);
	add(&to, LINE_OOM, 0, !isnan(h->oom_kills) || h->oom_kills_recent > 0, warn_above(h->oom_kills_recent, 0));
	add(&to, LINE_CLOCK, 0, !isnan(h->clock_ahead), warn_above(fabs(h->clock_ahead), clock_warn));
	add(&to, LINE_UP, 0, !isnan(h->up_seconds) || h->os[0] != '\0', SEVERITY_OK);
	/* The worst first; else in the order above. */
	for (size_t i = 1; i < to.n; i++)
		for (size_t k = i; k > 0 && to.all[k].severity > to.all[k - 1].severity; k--) {
			struct line swap = to.all[k];
			to.all[k] = to.all[k - 1];
			to.all[k - 1] = swap;
		}
	return to;
}

size_t host_lines(const struct host_view *host)
{
	return list(host).n;
}

size_t host_lines_wrong(const struct host_view *host)
{
	struct lines l = list(host);
	size_t n = 0;
	while (n < l.n && l.all[n].severity > SEVERITY_OK)
		n++;
	return n;
}

/* ---- what they say ---- */

struct drawing {
	const struct lines *lines;
	char               *text;
};

static const char *title_of(const struct drawing *d, const struct line *l)
{
	const struct host_view *h = d->lines->host;
	switch (l->kind) {
	case LINE_LOAD: return "load";
	case LINE_PRESSURE: return "pressure";
	case LINE_MEMORY: return "memory";
	case LINE_SWAP: return "swap";
	case LINE_FILESYSTEM: return h->filesystems[l->index].mount;
	case LINE_DISK: return h->disks[l->index].device;
	case LINE_NETWORK: return h->networks[l->index].device;
	case LINE_OOM: return "oom kills";
	case LINE_CLOCK: return "clock";
	case LINE_UP: break;
	}
	return "up";
}

/* How much of it is in use, 0 to 1; NaN where that makes no sense. */
static double use_of(const struct host_view *h, const struct line *l)
{
	switch (l->kind) {
	case LINE_LOAD: return h->load_1m / h->processors;
	case LINE_PRESSURE: return fmax(h->pressure_cpu, fmax(h->pressure_memory, h->pressure_io));
	case LINE_MEMORY: return memory_used(h);
	case LINE_SWAP: return swap_used(h);
	case LINE_FILESYSTEM: return h->filesystems[l->index].used;
	case LINE_DISK: return h->disks[l->index].busy;
	case LINE_NETWORK:
	case LINE_OOM:
	case LINE_CLOCK:
	case LINE_UP: break;
	}
	return (double)NAN;
}

static double limit_of(const struct line *l)
{
	return l->kind == LINE_MEMORY ? signal_info(SIGNAL_MEMORY)->warn : l->kind == LINE_FILESYSTEM ? full_warn : (double)NAN;
}

/* Ages come from the machine: a time that no machine has been up for is none. */
static const char *age_of(double seconds, char to[DURATION_TEXT])
{
	static const double most = 100.0 * 365 * 86400;
	return seconds >= 0 && seconds < most ? format_age((int64_t)seconds * 1000, to) : "--";
}

static void put_value(const struct drawing *d, const struct line *l, char to[TEXT_BYTES])
{
	const struct host_view *h = d->lines->host;
	char number[UNIT_TEXT_SIZE], age[DURATION_TEXT];
	switch (l->kind) {
	case LINE_LOAD: snprintf(to, TEXT_BYTES, "%s", unit_format(UNIT_COUNT, h->load_1m, VALUE_COLS, number)); break;
	case LINE_NETWORK: to[0] = '\0'; break;
	case LINE_OOM:
		snprintf(to, TEXT_BYTES, "%s", unit_format(UNIT_COUNT, isnan(h->oom_kills_recent) ? h->oom_kills : h->oom_kills_recent,
		                                           VALUE_COLS, number));
		break;
	case LINE_CLOCK: snprintf(to, TEXT_BYTES, "%s", unit_format(UNIT_SECONDS, fabs(h->clock_ahead), VALUE_COLS, number)); break;
	case LINE_UP: snprintf(to, TEXT_BYTES, "%s", age_of(h->up_seconds, age)); break;
	case LINE_PRESSURE:
	case LINE_MEMORY:
	case LINE_SWAP:
	case LINE_FILESYSTEM:
	case LINE_DISK: snprintf(to, TEXT_BYTES, "%s", unit_format(UNIT_RATIO, use_of(h, l), VALUE_COLS, number)); break;
	}
}

/* "12M/s": what is not there is not said to be 0. */
static const char *rate(double bytes, char to[RATE_TEXT])
{
	char number[UNIT_TEXT_SIZE];
	snprintf(to, RATE_TEXT, "%s%s", unit_format(UNIT_BYTES, bytes, VALUE_COLS, number), isnan(bytes) ? "" : "/s");
	return to;
}

static const char *unit(enum signal_unit u, double v, char to[UNIT_TEXT_SIZE])
{
	return unit_format(u, v, VALUE_COLS, to);
}

static void put_network(const struct network_row *n, char to[TEXT_BYTES])
{
	char received[RATE_TEXT], sent[RATE_TEXT], errors[UNIT_TEXT_SIZE + 16] = "";
	if (n->errors > 0)
		snprintf(errors, sizeof errors, "%s errors/s  ", unit(UNIT_PER_SECOND, n->errors, received));
	snprintf(to, TEXT_BYTES, "%sin %s  out %s", errors, rate(n->received, received), rate(n->sent, sent));
}

static void put_more(const struct drawing *d, const struct line *l, char to[TEXT_BYTES])
{
	const struct host_view *h = d->lines->host;
	char a[RATE_TEXT], b[RATE_TEXT], c[UNIT_TEXT_SIZE];
	to[0] = '\0';
	switch (l->kind) {
	case LINE_LOAD:
		snprintf(to, TEXT_BYTES, "of %s cpus  5m %s  15m %s", unit(UNIT_COUNT, h->processors, a), unit(UNIT_COUNT, h->load_5m, b),
		         unit(UNIT_COUNT, h->load_15m, c));
		break;
	case LINE_PRESSURE:
		snprintf(to, TEXT_BYTES, "cpu %s  mem %s  io %s", unit(UNIT_RATIO, h->pressure_cpu, a), unit(UNIT_RATIO, h->pressure_memory, b),
		         unit(UNIT_RATIO, h->pressure_io, c));
		break;
	case LINE_MEMORY:
		snprintf(to, TEXT_BYTES, "%s of %s", unit(UNIT_BYTES, h->memory_size - h->memory_available, a), unit(UNIT_BYTES, h->memory_size, b));
		break;
	case LINE_SWAP: snprintf(to, TEXT_BYTES, "%s of %s", unit(UNIT_BYTES, h->swap_size - h->swap_free, a), unit(UNIT_BYTES, h->swap_size, b)); break;
	case LINE_FILESYSTEM: {
		const struct filesystem_row *f = &h->filesystems[l->index];
		snprintf(to, TEXT_BYTES, "%s free of %s%s", unit(UNIT_BYTES, f->available, a), unit(UNIT_BYTES, f->size, b),
		         f->read_only > 0 ? "  read-only" : "");
		break;
	}
	case LINE_DISK: {
		const struct disk_row *disk = &h->disks[l->index];
		snprintf(to, TEXT_BYTES, "r %s  w %s  %s each", rate(disk->read, a), rate(disk->written, b), unit(UNIT_SECONDS, disk->wait, c));
		break;
	}
	case LINE_NETWORK: put_network(&h->networks[l->index], to); break;
	case LINE_OOM:
		if (isnan(h->oom_kills_recent))
			snprintf(to, TEXT_BYTES, "since it started");
		else
			snprintf(to, TEXT_BYTES, "in the last hour, %s in all", unit(UNIT_COUNT, h->oom_kills, a));
		break;
	case LINE_CLOCK: snprintf(to, TEXT_BYTES, "%s ours", h->clock_ahead < 0 ? "behind" : "ahead of"); break;
	case LINE_UP: snprintf(to, TEXT_BYTES, "%.190s", h->os); break; /* the kernel stands in the rule above */
	}
}

/* ---- drawing ---- */

enum { COLUMN_TITLE, COLUMN_BAR, COLUMN_MARK, COLUMN_VALUE, COLUMN_MORE, COLUMNS };

static void draw_bar(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct drawing *d = context;
	const struct line *l = &d->lines->all[row];
	double use = use_of(d->lines->host, l);
	if (!isnan(use) && cols >= BAR_MIN)
		bar_draw(c, 0, 0, cols, use < 1 ? use : 1, limit_of(l), l->severity > SEVERITY_OK ? severity_role(l->severity) : ROLE_OK);
}

static void draw_mark(struct canvas *c, int cols, const void *context, size_t row)
{
	const struct line *l = &((const struct drawing *)context)->lines->all[row];
	(void)cols;
	if (l->severity > SEVERITY_OK)
		canvas_put_char(c, 0, 0, severity_role(l->severity), severity_glyph(l->severity));
}

static void cell(const void *context, size_t row, size_t column, struct table_cell *out)
{
	const struct drawing *d = context;
	const struct line *l = &d->lines->all[row];
	out->role = ROLE_SECOND;
	switch (column) {
	case COLUMN_TITLE: out->text = title_of(d, l); break;
	case COLUMN_BAR: out->draw = draw_bar; break;
	case COLUMN_MARK: out->draw = draw_mark; break;
	case COLUMN_VALUE:
		put_value(d, l, d->text);
		out->text = d->text;
		out->role = l->severity > SEVERITY_OK ? severity_role(l->severity) : ROLE_TEXT;
		break;
	default:
		put_more(d, l, d->text);
		out->text = d->text;
		out->role = l->kind == LINE_NETWORK && l->severity > SEVERITY_OK ? severity_role(l->severity) : ROLE_SECOND;
		break;
	}
}

void host_lines_draw(const struct host_view *host, struct table_state *state, bool is_focused, struct canvas *c)
{
	static const struct table_column columns[COLUMNS] = {
		[COLUMN_TITLE] = { "", 9, 16, -1, 0 }, [COLUMN_BAR] = { "", BAR_MIN, 20, -1, 2 },      [COLUMN_MARK] = { "", 1, 1, -1, 0 },
		[COLUMN_VALUE] = { "", 6, 6, 1, 0 },   [COLUMN_MORE] = { "", 26, 80, -1, 1 },
	};
	char text[TEXT_BYTES] = "";
	const struct lines lines = list(host);
	const struct drawing d = { &lines, text };
	const struct table_source source = { .context = &d, .rows = lines.n, .cell = cell };
	table_clamp(state, lines.n, canvas_region(c).rows - 1);
	struct table_state shown = *state;
	shown.is_unsorted = true;
	if (!is_focused)
		shown.selected = SIZE_MAX;
	table_draw(c, columns, COLUMNS, &shown, &source);
}
