/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated nodes of bench/load say: bodies of exactly so many series with the names of vLLM's histograms, counters and gauges, of the
 * Python process, and of the DCGM exporter for eight GPUs (with the node's own host name, UUIDs and PCI addresses in the labels). Values move as
 * on a server with traffic: buckets and their sums belong together, counters rise, gauges walk. All of it is decimal integers until it is
 * printed, so that a page costs little more than copying its text. One thread. */
#ifndef PITWALL_BENCH_LOAD_PAGE_H
#define PITWALL_BENCH_LOAD_PAGE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { PAGE_SERIES_MAX = 20000 };

struct page;      /* the text that all nodes share */
struct page_node; /* the values and names of one node */

/* The families that fit whole into `series`, and counters of HTTP requests to fill it. ERR_RANGE: none, or more than PAGE_SERIES_MAX. */
enum err page_new(size_t series, struct page **out, struct why *why);
void     page_free(struct page *p); /* NULL is fine */
size_t   page_bytes_max(const struct page *p);

/* A node that has run for a day or so; the same index is the same node in every run. NULL: out of memory. */
struct page_node *page_node_new(const struct page *p, size_t index);
void              page_node_free(struct page_node *n);

/* Lets `seconds` pass for the node and writes its page to `to`, which has page_bytes_max; returns its length. The page's text is patched with the
 * node's names while it does so. */
size_t page_render(struct page *p, struct page_node *n, double seconds, char *to);

/* Prints mantissa / 10^scale (not negative, scale up to 18) as prometheus_client for Python does ("12.0", "0.25", "1.234567e+06"); returns the
 * end. `to` has PAGE_NUMBER_MAX bytes. */
enum { PAGE_NUMBER_MAX = 40 };
char *page_number(char *to, uint64_t mantissa, int scale);

#endif
