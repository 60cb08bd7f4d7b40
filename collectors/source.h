/* SPDX-License-Identifier: Apache-2.0
 *
 * Where facts about a machine come from when nothing on it serves metrics: a source is a piece of POSIX sh that prints what a tool or a file
 * says, and a parser that makes samples and events of it. All sources of a machine are asked in one remote invocation (collectors/gather.h); each
 * answers in a section of its own, so that one that fails costs only its section.
 *
 * Names of samples are those that the usual exporter for the same facts has (node_exporter, nvidia_gpu_exporter, ...), so that what is known
 * of those servers, profiles and other people's rules, holds for these.
 *
 * What a section holds is hostile: any bytes, any size up to the ceiling. Threads: none; nothing blocks. */
#ifndef PITWALL_COLLECTORS_SOURCE_H
#define PITWALL_COLLECTORS_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "collectors/findings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one source printed, standard error included. Lent for the call. */
struct section {
	const char *text;     /* n bytes and a NUL behind them */
	size_t      n;
	int         status;   /* the exit status of its script: 127 is a tool that is not there, 124 one that did not end in time */
	bool        is_cut;   /* it printed more than SECTION_MAX: the rest is missing */
	int64_t     asked_ms, answered_ms; /* wall time here, when the gather was asked for and when its end was read */
};

/* What the fleet file says for the sources of one machine. Lent; texts may hold anything. */
struct source_settings {
	const char *const *units;   /* systemd units whose state is wanted; none: those that look like inference servers, and failed ones */
	size_t             n_units;
	const char *const *logs;    /* units ("vllm.service") and files ("/var/log/x.log") in which patterns are counted */
	size_t             n_logs;
	const struct source_exec {
		const char        *name;     /* in the samples' names and in errors */
		const char *const *argv;     /* n_argv words */
		size_t             n_argv;
		const char        *format;   /* "prometheus", "json" or "pairs" */
		const char *const *paths;    /* of "json": NAME=path.to.value */
		size_t             n_paths;
	} *execs;
	size_t n_execs;
};

struct source {
	const char *name;         /* of its section: a-z, 0-9, '_' */
	const char *summary;      /* a line for people */
	/* The body of a shell function, for any POSIX sh with the usual tools: prints what `parse` reads; $1 is what `ask` said last. What it runs is
	 * run as it stands; where that may hang, it says "bounded CMD..." (gather.h). NULL where write_script is there. */
	const char *script;
	/* Writes the body of the function for these settings; writes nothing where they want nothing of this source. */
	enum err  (*write_script)(const struct source_settings *s, struct buf *to, struct why *why);
	int64_t     every_ms;     /* how far apart it is asked at the least; 0: in every gather */
	int64_t     absent_ms;    /* the same while its tool is not there (status 127) */
	size_t      memory_size;  /* what it remembers of a machine from one section to the next, zeroed at the start */
	void      (*forget)(void *memory); /* releases what memory points to; may be NULL */
	/* The argument of the next asking, at most 512 of [A-Za-z0-9_=;:.,/@+-]; appends nothing for none. May be NULL. */
	void      (*ask)(const void *memory, struct buf *argument);
	/* ERR_FORMAT: it said something else than it should, `why` says what; samples that were found before that count. ERR_NOT_FOUND: the
	 * machine has nothing of the kind (no GPU, no such tool); that is no error. */
	enum err  (*parse)(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why);
};

enum { SECTION_MAX = 1024 * 1024 }; /* bytes of one section */

/* All of them, in the order in which they are asked. */
extern const struct source *const sources[];
extern const size_t               n_sources;

#endif
