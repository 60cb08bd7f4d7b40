/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine to ask a source: the source's script runs in a real shell that finds only the tools in a folder of the test's, some of them
 * fakes that print what the test says, and its answer is parsed. Memory lives from one asking to the next, as it does for a real
 * machine. */
#ifndef PITWALL_TESTS_SOURCE_BENCH_H
#define PITWALL_TESTS_SOURCE_BENCH_H

#include "collectors/source.h"

#include <stdbool.h>

struct source_bench {
	const struct source   *source;
	struct source_settings settings;
	void           *memory;
	struct findings out;
	struct why      why;
	char            folder[64];
	bool            is_busybox; /* shell and tools; else dash and this machine's */
	struct buf      said;       /* the last section */
	int64_t         now_ms;     /* when it was answered */
};

/* A folder with the usual tools in `bin`. False: there is no such shell here. */
bool source_bench_open(struct source_bench *b, const struct source *s, bool is_busybox);
void source_bench_close(struct source_bench *b);

/* A tool of that name whose body is this sh; $0 to find its folder by. */
void source_bench_tool(const struct source_bench *b, const char *name, const char *body);
/* A file in the folder, replaced or appended to. */
void source_bench_file(const struct source_bench *b, const char *name, const char *mode, const char *text, size_t n);
/* Its path, lent until the next call. */
const char *source_bench_path(const struct source_bench *b, const char *name);

/* Asks and parses; what was found is in `out`. */
enum err source_bench_ask(struct source_bench *b);
/* Parses this instead of asking. */
enum err source_bench_parse(struct source_bench *b, const char *text, size_t n, int status, bool is_cut);

/* Whether this line stands on the page; whether an event says this. */
bool source_bench_has(const struct source_bench *b, const char *line);
bool source_bench_told(const struct source_bench *b, const char *text);
/* All that was found, for a failure's message. */
void source_bench_print(const struct source_bench *b);

/* A capture of a real machine, or a skipped test where there is none. The caller releases it. */
struct buf source_bench_sample(const char *name);

#endif
