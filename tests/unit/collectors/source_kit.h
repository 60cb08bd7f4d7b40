/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of sources: a machine that is asked again and again, with its memory; and a script run by a real shell, with tools that the
 * test has put before all others. */
#ifndef PITWALL_TESTS_SOURCE_KIT_H
#define PITWALL_TESTS_SOURCE_KIT_H

#include "tests/unit/unit.h"

#include "collectors/source.h"

struct kit {
	const struct source *source;
	void                *memory;
	struct findings      found; /* of the last section */
	enum err             e;
	struct why           why;
	int64_t              now_ms;
};

void kit_open(struct kit *k, const struct source *source);
void kit_close(struct kit *k);

/* The source reads a section that holds `text`; the findings of the one before are dropped. Time goes on by ten seconds. What it writes is
 * parsed as a page, strictly: a test whose page is none has failed. */
void kit_read(struct kit *k, const char *text, int status);
/* What the source asks next; lent until the next call. */
const char *kit_ask(const struct kit *k);

/* Sections that hold nothing that can be read: each is read by a machine of its own, which asks for nothing special after it. */
struct kit_answer {
	const char *label, *text;
	int         status;
	enum err    e;
	const char *why; /* a part of the sentence */
};
void kit_check_answers(const struct source *source, const struct kit_answer *rows, size_t n);

/* Is `line` (without its line feed) a line of the page? */
bool kit_has(const struct kit *k, const char *line);
/* Is there a sample whose line begins so? */
bool kit_has_metric(const struct kit *k, const char *begins);
/* The text of the event that has `part` in it; NULL: there is none. */
const struct finding *kit_event(const struct kit *k, const char *part);

#define assert_line(k, line)                                                            \
	do {                                                                             \
		if (!kit_has((k), (line)))                                                \
			fail_msg("'%s' is not in:\n%s", (line), buf_text(&(k)->found.page)); \
	} while (0)

/* A folder of tools that stand before all others in the PATH of kit_run. */
struct kit_tools {
	char folder[64];
};
void kit_tools_open(struct kit_tools *t);
void kit_tools_close(struct kit_tools *t); /* with all that is in it */
void kit_tools_put(const struct kit_tools *t, const char *name, const char *text); /* an executable file */
char *kit_tools_read(const struct kit_tools *t, const char *name); /* "" where there is none; the caller frees it */

/* The shells that scripts are written for ("busybox" means its sh); those of them that are not here are to be passed over. Ends with
 * NULL. */
extern const char *const kit_shells[];
/* Each of them that is here; a test for which there is none has failed. */
void kit_in_each_shell(void (*run)(const char *shell));
bool kit_has_program(const char *name);

/* Runs the source's script, `bounded` being there, with what the source asks as $1, and lets the source read what it said. */
void kit_run(struct kit *k, const struct kit_tools *t, const char *shell);
/* What the script of the last kit_run said. */
const char *kit_said(void);

/* A sample of PITWALL_SHARED/samples, whole; NULL where it is not here. The caller frees it. */
char *kit_sample(const char *file);
/* What nvidia_smi_source's script would have printed on a machine ("h100") whose nvidia-smi was captured "idle" or under "load". NULL where
 * the capture is not here. The caller frees it. */
char *kit_nvidia_section(const char *machine, const char *when);

#endif
