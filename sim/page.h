/* SPDX-License-Identifier: Apache-2.0
 *
 * Metric pages: a table of families (name, type, help, labels, where the number comes from) is compiled once for a group of nodes into a
 * list of "this text, then that number"; rendering a page is then copying text and printing numbers. The dialect says how a server's client
 * library lays lines out and prints numbers, so that a page reads as the real server's does. */
#ifndef PITWALL_SIM_PAGE_H
#define PITWALL_SIM_PAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "sim/roster.h"

#include <stdbool.h>
#include <stddef.h>

enum number {
	NUMBER_PLAIN,  /* 12, 0.5: prometheus-cpp */
	NUMBER_PYTHON, /* 12.0, 3.763908e+06: the Python client, which writes as Go would, nearly */
	NUMBER_JAVA,   /* 12.0, 1.5E7: Double.toString */
	NUMBER_SHORT,  /* six significant digits: absl::StrCat */
	NUMBER_FIXED,  /* 71.234000: Go's %f */
};

struct dialect {
	enum number number;
	bool        help;           /* # HELP lines */
	bool        created;        /* the Python client's _created families */
	bool        le_sorted;      /* le stands where the alphabet puts it, else last */
	bool        count_first;    /* _count before _sum in a histogram */
	bool        empty_braces;   /* name{} when there are no labels */
	const char *end_comma;      /* "," behind the last label, or "" */
};

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM, FAMILY_SUMMARY };
enum shown { SHOWN_COUNT, SHOWN_REAL }; /* whole numbers, or up to six decimals */

struct bounds {
	const double *le; /* ascending, without +Inf */
	size_t        n;
};

/* One sample, or one histogram or summary. Rows that follow each other with the same name are one family. In `labels` and in replies:
 * %m model, %v version, %h host, %n GPU model, %u %b %g UUID, PCI address and number of the GPU. */
struct family {
	const char          *name;
	enum family_type     type;
	const char          *help, *labels;
	int                  slot;    /* a value's; for histograms and summaries the number of the distribution */
	enum shown           shown;
	const struct bounds *bounds;  /* histograms */
	bool                 per_gpu; /* a sample for each GPU, the values at slot, slot + 1 ... */
};

struct page_texts {
	const char              *model, *version;
	const struct roster_node *node;
	const struct group_spec *spec;
};

struct page; /* opaque: laid out in page.c */

enum { PAGE_DISTRIBUTIONS = 24 };

/* `scalars` is how many plain slots the table uses. The table must outlive the page. */
enum err page_new(const struct family *rows, size_t n, const struct dialect *d, size_t scalars, int gpus, struct page **out,
                  struct why *why);
void     page_free(struct page *p);

/* Doubles that one node's page needs. */
size_t page_values(const struct page *p);

/* Adds `n` observations (a fraction is fine) of a lognormal quantity to a distribution; a summary shows the latest call's quantiles. */
void page_observe(const struct page *p, double *values, int distribution, double n, double mean, double sigma);

/* Appends the page at `part` (0 to 1) of the way from the values `before` to the values `after`. */
enum err page_render(const struct page *p, const double *before, const double *after, double part, const struct page_texts *t,
                     struct buf *to);

/* Appends `text` with its % letters filled in. */
enum err page_expand(const char *text, const struct page_texts *t, int gpu, struct buf *to);

/* One number in a style; `to` has NUMBER_SIZE bytes. Returns the length. For tests. */
enum { NUMBER_SIZE = 48 };
size_t page_number(double v, enum number style, char to[NUMBER_SIZE]);

#endif
