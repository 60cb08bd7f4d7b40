/* SPDX-License-Identifier: Apache-2.0
 *
 * A view for tests: a fleet of any size with a few sick nodes, details of a node, events, answers to charts. The same
 * numbers every time. */
#ifndef PITWALL_TESTS_SAMPLE_VIEW_H
#define PITWALL_TESTS_SAMPLE_VIEW_H

#include "tui/screen.h"
#include "tui/view.h"

#include <stddef.h>

enum {
	SAMPLE_ALL_DOWN = 1, /* no node answers */
	SAMPLE_HOSTILE = 2,  /* names and texts that try to break the screen */
	SAMPLE_ALL_WELL = 4, /* nothing is wrong anywhere */
	SAMPLE_NO_VALUES = 8, /* every value is absent */
	SAMPLE_MACHINES = 16, /* nodes that serve nothing: processors, memory, services */
	SAMPLE_EXTERNAL = 2048, /* two Alertmanagers: alerts and silences of their own, and an acknowledgement given there */
	SAMPLE_MARKS = 1024 /* something happened in the last quarter of an hour: marks on the charts */
};

/* 2026-11-23 14:07:31 UTC, the view time of all samples. */
enum { SAMPLE_T_S = 1795442851 };

struct sample;

/* Node i is called "gpu-a-01", "gpu-a-02", ... in groups of 16. */
struct sample *sample_new(size_t n_nodes, unsigned flags);
void           sample_free(struct sample *s);
struct view   *sample_view(struct sample *s);

/* Gives the view what the screen asks for: details, events, charts of so many series; then tells the screen. A `mistake` is the answer to
 * every chart instead. */
void sample_answer(struct sample *s, struct screen *screen, size_t n_series, const char *mistake);

#endif
