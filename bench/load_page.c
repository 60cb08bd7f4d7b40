/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load_page.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bench/load_families.h"

enum {
	GPUS = 8, NAME = 64, TEXT_MAX = 64 << 20, BUCKETS_MAX = 32, DRAWS = 8, BUSY = 1024, BUSY_STEP = 60, REQUESTS_PER_S = 8, PAST_S = 86400, PAST_STEPS = 64,
	GPU_PLACES = 6, /* of "%f" */
	PLAIN_DIGITS = 6, /* a number with more before its point gets an exponent */
};

/* A name of the node's that stands in the shared text. */
struct patch {
	uint32_t at;
	uint8_t  which, len;
};

struct line {
	uint32_t          text; /* bytes of text before its number */
	enum motion       motion;
	uint8_t           scale;
	bool              is_gpu;
	int64_t           low, high, step;
};

/* Its lines are at `first`: the buckets, the sum, the count. */
struct histogram {
	const struct histogram_row *row;
	size_t                      first;
	int64_t                     bounds[BUCKETS_MAX]; /* in units of the sum; the first is 0, the last stands for +Inf */
};

struct page {
	struct buf        text;
	size_t            text_at; /* how much of it is before the last line's number */
	struct line      *lines;
	size_t            n_lines;
	struct histogram *histograms;
	size_t            n_histograms;
	struct patch     *patches;
	size_t            n_patches, n_series;
};

struct page_node {
	uint64_t random;
	int64_t  busy; /* of BUSY */
	double   owed; /* parts of a request, of a second's counters */
	char     names[1 + 2 * GPUS][NAME];
	uint64_t values[];
};

/* ---- numbers ---- */

static uint64_t next_random(struct page_node *n)
{
	uint64_t x = n->random;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	n->random = x;
	return x >> 16;
}

/* 0 to most, each. */
static int64_t up_to(struct page_node *n, int64_t most)
{
	return most <= 0 ? 0 : (int64_t)(next_random(n) % ((uint64_t)most + 1));
}

static size_t digits_of(uint64_t v, char to[24])
{
	size_t at = 24;
	do {
		to[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	memmove(to, to + at, 24 - at);
	return 24 - at;
}

static char *put(char *to, const char *bytes, size_t n)
{
	memcpy(to, bytes, n);
	return to + n;
}

static char *put_exponent(char *to, const char *digits, size_t n, size_t whole)
{
	while (n > 1 && digits[n - 1] == '0')
		n--;
	*to++ = digits[0];
	if (n > 1) {
		*to++ = '.';
		to = put(to, digits + 1, n - 1);
	}
	to = put(to, "e+0", 3);
	if (whole > 10)
		*to++ = (char)('0' + (whole - 1) / 10);
	*to++ = (char)('0' + (whole - 1) % 10);
	return to;
}

char *page_number(char *to, uint64_t mantissa, int scale)
{
	char   digits[24];
	size_t n = digits_of(mantissa, digits), places = mantissa > 0 ? (size_t)scale : 0;
	if (n > places + PLAIN_DIGITS)
		return put_exponent(to, digits, n, n - places);
	if (n > places) {
		to = put(to, digits, n - places);
		*to++ = '.';
		memmove(digits, digits + n - places, places);
	} else {
		to = put(to, "0.", 2);
		memset(to, '0', places - n);
		to += places - n;
		places = n;
	}
	while (places > 0 && digits[places - 1] == '0')
		places--;
	to = put(to, digits, places);
	if (to[-1] == '.')
		*to++ = '0';
	return to;
}

static char *put_gpu_number(char *to, uint64_t v, int scale)
{
	char   digits[24];
	size_t n = digits_of(v, digits), places = (size_t)scale;
	if (places == 0)
		return put(to, digits, n);
	if (n <= places) {
		memmove(digits + places + 1 - n, digits, n);
		memset(digits, '0', places + 1 - n);
		n = places + 1;
	}
	to = put(to, digits, n - places);
	*to++ = '.';
	to = put(to, digits + n - places, places);
	memset(to, '0', GPU_PLACES - places);
	return to + GPU_PLACES - places;
}

/* ---- the text ---- */

static struct line *add_line(struct page *p, enum motion motion, int scale)
{
	struct line *l = &p->lines[p->n_lines++];
	*l = (struct line){ .text = (uint32_t)(p->text.len - p->text_at), .motion = motion, .scale = (uint8_t)scale };
	p->text_at = p->text.len;
	return l;
}

static void add_row(struct page *p, const struct sample_row *r)
{
	struct line *l = add_line(p, r->motion, r->scale);
	l->low = r->low;
	l->high = r->high;
	l->step = r->step;
}

static void add_head(struct page *p, const char *name, const char *help, const char *type)
{
	if (p->n_lines > 0)
		buf_putc(&p->text, '\n');
	if (help != NULL)
		buf_printf(&p->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_sample(struct page *p, const struct sample_row *r)
{
	add_head(p, r->name, r->help, r->type);
	buf_printf(&p->text, r->labels[0] != '\0' ? "%s{%s} " : "%s ", r->name, r->labels);
	add_row(p, r);
}

static void add_name(struct page *p, size_t which, size_t len)
{
	p->patches[p->n_patches++] = (struct patch){ (uint32_t)p->text.len, (uint8_t)which, (uint8_t)len };
	buf_fill(&p->text, '?', len);
}

enum { HOST_BYTES = 12, UUID_BYTES = 40, PCI_BYTES = 16 };

static void add_gpu_field(struct page *p, const struct sample_row *r)
{
	add_head(p, r->name, r->help, r->type);
	for (size_t gpu = 0; gpu < GPUS; gpu++) {
		buf_printf(&p->text, "%s%s{gpu=\"%zu\",UUID=\"", gpu > 0 ? "\n" : "", r->name, gpu);
		add_name(p, 1 + gpu, UUID_BYTES);
		buf_puts(&p->text, "\",pci_bus_id=\"");
		add_name(p, 1 + GPUS + gpu, PCI_BYTES);
		buf_printf(&p->text, "\",device=\"nvidia%zu\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"", gpu);
		add_name(p, 0, HOST_BYTES);
		buf_puts(&p->text, "\",DCGM_FI_DRIVER_VERSION=\"550.90.07\"} ");
		add_row(p, r);
		p->lines[p->n_lines - 1].is_gpu = true;
	}
}

static void add_histogram(struct page *p, const struct histogram_row *r)
{
	struct histogram *h = &p->histograms[p->n_histograms++];
	double            unit = 1;
	for (int i = 0; i < r->scale; i++)
		unit *= 10;
	*h = (struct histogram){ .row = r, .first = p->n_lines };
	add_head(p, r->name, r->help, "histogram");
	for (size_t i = 0; i <= r->n_bounds; i++) {
		const char *bound = i < r->n_bounds ? r->bounds[i] : "+Inf";
		buf_printf(&p->text, "%s%s_bucket{%s%sle=\"%s\"} ", i > 0 ? "\n" : "", r->name, r->labels, r->labels[0] != '\0' ? "," : "", bound);
		add_line(p, MOTION_STILL, 0);
		h->bounds[i + 1] = i < r->n_bounds ? (int64_t)(strtod(bound, NULL) * unit) : h->bounds[i] * 2;
	}
	buf_printf(&p->text, r->labels[0] != '\0' ? "\n%s_sum{%s} " : "\n%s_sum ", r->name, r->labels);
	add_line(p, MOTION_STILL, r->scale);
	buf_printf(&p->text, r->labels[0] != '\0' ? "\n%s_count{%s} " : "\n%s_count ", r->name, r->labels);
	add_line(p, MOTION_STILL, 0);
}

static void fill(struct page *p)
{
	static const char *const statuses[] = { "2xx", "4xx", "5xx" };
	const struct sample_row row = { .motion = MOTION_COUNT, .step = 1 };
	for (size_t i = 0; p->n_lines < p->n_series; i++) {
		if (i == 0)
			add_head(p, "http_requests_total", "Total number of requests by method, status and handler.", "counter");
		buf_printf(&p->text, "%shttp_requests_total{handler=\"/v1/endpoint/%zu\",method=\"POST\",status=\"%s\"} ", i > 0 ? "\n" : "", i / 3,
		           statuses[i % 3]);
		add_row(p, &row);
	}
}

enum err page_new(size_t series, struct page **out, struct why *why)
{
	if (series < 1 || series > PAGE_SERIES_MAX)
		return why_set(why, ERR_RANGE, "a page has 1 to %d series", PAGE_SERIES_MAX);
	struct page *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	p->n_series = series;
	buf_init(&p->text, TEXT_MAX);
	p->lines = calloc(series, sizeof *p->lines);
	p->histograms = calloc(load_n_histograms, sizeof *p->histograms);
	p->patches = calloc(load_n_gpu_fields * GPUS * 3, sizeof *p->patches);
	if (p->lines == NULL || p->histograms == NULL || p->patches == NULL) {
		page_free(p);
		return why_memory(why);
	}
	for (size_t i = 0; i < load_n_samples && p->n_lines < series; i++)
		add_sample(p, &load_samples[i]);
	for (size_t i = 0; i < load_n_histograms; i++)
		if (p->n_lines + load_histograms[i].n_bounds + 3 <= series)
			add_histogram(p, &load_histograms[i]);
	for (size_t i = 0; i < load_n_gpu_fields && p->n_lines + GPUS <= series; i++)
		add_gpu_field(p, &load_gpu_fields[i]);
	fill(p);
	if (p->text.err != ERR_OK) {
		page_free(p);
		return why_memory(why);
	}
	*out = p;
	return ERR_OK;
}

void page_free(struct page *p)
{
	if (p == NULL)
		return;
	buf_release(&p->text);
	free(p->lines);
	free(p->histograms);
	free(p->patches);
	free(p);
}

size_t page_bytes_max(const struct page *p)
{
	return p->text.len + p->n_lines * PAGE_NUMBER_MAX + 1;
}

/* ---- a node ---- */

/* `n` observations, in a few handfuls around the bucket where most fall. */
static void observe(const struct histogram *h, struct page_node *node, int64_t n)
{
	uint64_t *values = node->values + h->first;
	uint64_t  more[BUCKETS_MAX] = { 0 }, sum = 0;
	size_t    buckets = h->row->n_bounds + 1;
	for (int i = 0; i < DRAWS && n > 0; i++) {
		int64_t  some = i == DRAWS - 1 ? n : (n + DRAWS - 1) / DRAWS;
		uint64_t r = next_random(node);
		size_t   at = h->row->mode + (r & 1) + (r >> 1 & 1) + (r >> 2 & 7) / 7 + (r >> 5 & 31) / 31;
		at = at > 1 ? at - 1 : 0;
		at = at < buckets - 1 ? at : buckets - 2;
		int64_t low = h->bounds[at], width = h->bounds[at + 1] - low;
		sum += (uint64_t)(low + (int64_t)(next_random(node) % (uint64_t)width) + 1) * (uint64_t)some;
		more[at] += (uint64_t)some;
		n -= some;
	}
	uint64_t rising = 0;
	for (size_t i = 0; i < buckets; i++) {
		rising += more[i];
		values[i] += rising;
	}
	values[buckets] += sum;
	values[buckets + 1] += rising;
}

static void move(const struct line *l, struct page_node *n, uint64_t *value, int64_t requests, double seconds)
{
	int64_t v = (int64_t)*value;
	switch (l->motion) {
	case MOTION_STILL:
	case MOTION_NODE:
		return;
	case MOTION_WALK:
		if ((next_random(n) & 3) == 0)
			return;
		v += up_to(n, 2 * l->step) - l->step;
		v = v < l->low ? l->low : v > l->high ? l->high : v;
		break;
	case MOTION_COUNT:
		v += requests * up_to(n, l->step);
		break;
	case MOTION_TIME:
		v += (int64_t)(seconds * (double)up_to(n, l->step));
		break;
	}
	*value = (uint64_t)v;
}

static void pass(const struct page *p, struct page_node *n, double seconds)
{
	n->busy += up_to(n, 2 * BUSY_STEP) - BUSY_STEP;
	n->busy = n->busy < 0 ? 0 : n->busy > BUSY ? BUSY : n->busy;
	n->owed += seconds * REQUESTS_PER_S * (double)n->busy / BUSY;
	int64_t requests = (int64_t)n->owed;
	n->owed -= (double)requests;
	for (size_t i = 0; i < p->n_lines; i++)
		move(&p->lines[i], n, &n->values[i], requests, seconds);
	for (size_t i = 0; i < p->n_histograms; i++)
		observe(&p->histograms[i], n, requests * p->histograms[i].row->per_request);
}

static void name_node(struct page_node *n, size_t index)
{
	snprintf(n->names[0], NAME, "gpu-%06zu.a", index % 1000000);
	for (size_t gpu = 0; gpu < GPUS; gpu++) {
		uint64_t a = next_random(n), b = next_random(n);
		snprintf(n->names[1 + gpu], NAME, "GPU-%08x-%04x-%04x-%04x-%012llx", (unsigned)(a & UINT32_MAX), (unsigned)(a >> 32 & 0xffff),
		         (unsigned)(b & 0xffff), (unsigned)(b >> 16 & 0xffff), (unsigned long long)next_random(n));
		snprintf(n->names[1 + GPUS + gpu], NAME, "%08zx:%02x:00.0", index % 65536, (unsigned)(b >> 32 & 0xff));
	}
}

struct page_node *page_node_new(const struct page *p, size_t index)
{
	struct page_node *n = calloc(1, sizeof *n + p->n_lines * sizeof n->values[0]);
	if (n == NULL)
		return NULL;
	n->random = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (int i = 0; i < 8; i++)
		next_random(n);
	name_node(n, index);
	n->busy = up_to(n, BUSY);
	for (size_t i = 0; i < p->n_lines; i++) {
		const struct line *l = &p->lines[i];
		n->values[i] = (uint64_t)(l->low + (l->motion == MOTION_STILL ? 0 : up_to(n, l->high - l->low)));
	}
	double past_s = (double)(PAST_S / 2 + up_to(n, PAST_S));
	for (int i = 0; i < PAST_STEPS; i++)
		pass(p, n, past_s / PAST_STEPS);
	return n;
}

void page_node_free(struct page_node *n)
{
	free(n);
}

size_t page_render(struct page *p, struct page_node *n, double seconds, char *to)
{
	const char *text = p->text.data;
	char       *at = to;
	for (size_t i = 0; i < p->n_patches; i++)
		memcpy(p->text.data + p->patches[i].at, n->names[p->patches[i].which], p->patches[i].len);
	pass(p, n, seconds);
	for (size_t i = 0; i < p->n_lines; i++) {
		const struct line *l = &p->lines[i];
		at = put(at, text, l->text);
		text += l->text;
		at = l->is_gpu ? put_gpu_number(at, n->values[i], l->scale) : page_number(at, n->values[i], l->scale);
	}
	*at++ = '\n';
	return (size_t)(at - to);
}
