/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be followed on a machine: the logs that the fleet file names, units of systemd that look like inference servers and those that failed,
 * containers, the kernel's log, the whole journal. The parser of what log_program_list's script prints, a line a log:
 *
 *     unit NAME LOAD ACTIVE SUB DESCRIPTION      as systemctl lists it
 *     container TOOL NAME|STATUS|IMAGE           docker or podman
 *     file N WORDS                               the state of the Nth file of the wishes
 *     kernel TOOL, journal                       they can be read
 *
 * Hostile text: names that are none are dropped, counts and lengths are bounded. Threads: none; nothing blocks. */
#ifndef PITWALL_COLLECTORS_LOG_LIST_H
#define PITWALL_COLLECTORS_LOG_LIST_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { LOG_LIST_MAX = 256, LOG_NAME_MAX = 1024, LOG_KEY_MAX = LOG_NAME_MAX + 16, LOG_LIST_LINE = 2048 };

enum log_kind { LOG_UNIT, LOG_FILE, LOG_CONTAINER, LOG_KERNEL, LOG_JOURNAL };

struct log_choice {
	enum log_kind kind;
	const char   *key;       /* tells it from all others: "unit:vllm.service", "file:/var/log/x.log", "docker:chat", "kernel", "journal" */
	const char   *name;      /* "" of the kernel and the journal */
	const char   *tool;      /* "docker" or "podman" for a container, "journalctl" or "dmesg" for the kernel; else "" */
	const char   *note;      /* "active running · vLLM", "Up 3 hours · vllm/vllm-openai"; may hold any text of the machine's */
	bool          is_wished; /* the fleet file names it */
};

/* What the fleet file names for this machine, as for its sources (collectors/source.h): `logs` that begin with '/' are files, all else is units. */
struct log_wishes {
	const char *const *units, *const *logs;
	size_t             n_units, n_logs;
};

struct log_list {
	struct log_choice items[LOG_LIST_MAX]; /* those of the fleet file first, then units, containers, kernel, journal */
	size_t            n;
	struct arena      arena;
	char              line[LOG_LIST_LINE]; /* one whose end has not come */
	size_t            n_line;
	bool              is_line_cut;
};

/* The wishes are in it from the beginning, and are copied. ERR_MEMORY. */
enum err log_list_init(struct log_list *l, const struct log_wishes *w);
void     log_list_release(struct log_list *l);
/* What the script printed, in any pieces. ERR_MEMORY. */
enum err log_list_feed(struct log_list *l, const char *bytes, size_t n);

/* NULL: there is none with that key. */
const struct log_choice *log_list_find(const struct log_list *l, const char *key);

#endif
