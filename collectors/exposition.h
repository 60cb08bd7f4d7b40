/* SPDX-License-Identifier: Apache-2.0
 *
 * What a target says about itself: the Prometheus text format 0.0.4 (with the quoted UTF-8 names of 1.0.0) and OpenMetrics 1.0, as one
 * ordered list of series and one double for each.
 *
 * One `struct exposition` belongs to one target and remembers how its last body was laid out: where the text before a number is the same
 * as last time only the number is read. Anything else is parsed strictly, and the result, errors included, is always what the strict parser
 * alone gives. Layouts and texts are shared through a pool by all targets that say the same.
 *
 * Time stamps and exemplars are checked and then dropped: the time of a scrape is the time it was made. A series that stands twice in one
 * body keeps the last value, and is counted.
 *
 * Threads: a pool and all its expositions belong to one thread. Nothing here waits. */
#ifndef PITWALL_COLLECTORS_EXPOSITION_H
#define PITWALL_COLLECTORS_EXPOSITION_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

/* By the content type ("application/openmetrics-text" in any case, with parameters); for any other one, or none (NULL), text 0.0.4,
 * unless the last line of the body is "# EOF". */
enum exposition_format exposition_format_of(const char *content_type, const char *body, size_t len);

/* Ceilings. A body that passes one is refused with ERR_LIMIT and a sentence that names the line. */
enum {
	EXPOSITION_LINE_MAX    = 131072, /* bytes of a line */
	EXPOSITION_NAME_MAX    = 1024,   /* bytes of a metric's or a label's name */
	EXPOSITION_VALUE_MAX   = 16384,  /* bytes of a label's value */
	EXPOSITION_LABELS_MAX  = 128,    /* labels of a series, its name not counted */
	EXPOSITION_NUMBER_MAX  = 512,    /* bytes of a number */
	EXPOSITION_SAMPLES_MAX = 400000, /* sample lines of a body */
};

#define METRIC_TYPE_LIST(X)        \
	X(UNKNOWN,        "unknown")        \
	X(COUNTER,        "counter")        \
	X(GAUGE,          "gauge")          \
	X(HISTOGRAM,      "histogram")      \
	X(SUMMARY,        "summary")        \
	X(INFO,           "info")           \
	X(STATESET,       "stateset")       \
	X(GAUGEHISTOGRAM, "gaugehistogram")

enum metric_type {
#define X(name, text) METRIC_##name,
	METRIC_TYPE_LIST(X)
#undef X
	METRIC_TYPE_COUNT
};
const char *metric_type_name(enum metric_type t);

/* A metric family as the body declares it. Texts are lent as long as the scrape; "" where nothing was said. */
struct exposition_family {
	const char      *name, *help, *unit;
	enum metric_type type;
};

/* An ordered list of series, immutable and shared: two scrapes have the same pointer exactly when they say the same series in the same
 * order (as long as one of the two is referenced). */
struct exposition_layout;
struct exposition_layout *exposition_layout_ref(const struct exposition_layout *l);
void                      exposition_layout_unref(struct exposition_layout *l); /* NULL is fine */
size_t                    exposition_layout_size(const struct exposition_layout *l);
struct labels *const     *exposition_layout_series(const struct exposition_layout *l); /* lent; "__name__" is among the labels */

/* What a body says and is not kept (exposition_limit). */
enum exposition_cut_cause {
	EXPOSITION_CUT_CEILING, /* more series than the ceiling */
	EXPOSITION_CUT_CHANGES, /* its list of series changes too often: new ones wait */
};
struct exposition_cut {
	enum exposition_cut_cause cause;
	size_t      said, dropped; /* series, each counted once */
	size_t      max_series;
	size_t      n_metrics;     /* how many metrics lost series */
	const char *metric;        /* the one that lost most; a foreign text, lent like the scrape */
	size_t      metric_said, metric_dropped;
};

/* One body, parsed. Everything is lent until the exposition's next parse, reset or free. */
struct scrape {
	const struct exposition_layout *layout;
	const double                   *values;  /* exposition_layout_size(layout) of them */
	size_t                          n;       /* the same number */
	const struct exposition_family *families;
	size_t                          n_families;
	bool     layout_changed; /* other series, or another order, than the last body that parsed; true the first time */
	bool     was_predicted;  /* the strict parser was not needed */
	size_t   samples;        /* sample lines: n plus the duplicates plus those of series that are not kept */
	size_t   duplicates;     /* series that had stood before in this body */
	size_t   timestamps, exemplars;
	enum exposition_format format;
	const struct exposition_cut *cut; /* NULL: all series are kept */
};

struct exposition_pool;
enum err exposition_pool_new(struct exposition_pool **out);
/* All its expositions are about to be freed: what they shared is let go of as a whole, by exposition_pool_free. */
void     exposition_pool_end(struct exposition_pool *p);
void     exposition_pool_free(struct exposition_pool *p); /* after all its expositions; layouts that are still referenced stay valid */

struct exposition;
enum err exposition_new(struct exposition_pool *pool, struct exposition **out);
void     exposition_free(struct exposition *e);

/* From now on at most `max_series` of its series are kept (0: all), and a list of series that changes all the time stays as it was for a while: what it holds and
 * the body does not is stale then. A body comes each interval_ms. What is known stays, and the metrics that have most series lose;
 * collectors/ceiling.h tells how. */
void exposition_limit(struct exposition *e, size_t max_series, int64_t interval_ms);

/* Parses one body. On failure `out` is untouched, what was remembered stays, and `why` says "line 12: ..." (safe to show: foreign bytes are
 * escaped). ERR_FORMAT, ERR_LIMIT, ERR_MEMORY. The body is not needed afterwards. */
enum err exposition_parse(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                          struct why *why);

/* The same without what was remembered: the strict parser alone. For checks and tests. */
enum err exposition_parse_strict(struct exposition *e, const char *body, size_t len, enum exposition_format format, struct scrape *out,
                                 struct why *why);

/* Forgets the last body, so that the next one is parsed strictly; gives its memory back. */
void exposition_reset(struct exposition *e);

struct exposition_stats {
	uint64_t predicted, relearned, failed; /* bodies */
	uint64_t known_lines; /* of those that were not predicted: sample lines whose series' text had been read before */
};
struct exposition_stats exposition_stats(const struct exposition *e);

/* What `pitwall check --metrics FILE` does: reads the file ("-": standard input; 16 MiB at the most) and parses it strictly. On failure why
 * says "FILE:LINE: what is wrong". On success `report` gets a line such as "vllm.txt: 812 series in 96 families, OpenMetrics". Blocks. */
enum exposition_guess { EXPOSITION_GUESS_TEXT, EXPOSITION_GUESS_OPENMETRICS, EXPOSITION_GUESS_BY_BODY };
enum err exposition_check_file(const char *path, enum exposition_guess guess, struct buf *report, struct why *why);

#endif
