/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the parts of nvidia_smi_source, and for no one else: what one asking prints, and what is remembered of a machine's GPUs.
 *
 * A section has parts, each behind a line "@NAME". What a process can choose the text of (its name) stands in the last part, so that no
 * process can write a line of another. */
#ifndef PITWALL_COLLECTORS_SOURCE_NVIDIA_H
#define PITWALL_COLLECTORS_SOURCE_NVIDIA_H

#include "collectors/findings.h"
#include "collectors/slice.h"
#include "collectors/source.h"

enum {
	NVIDIA_GPUS_MAX   = 64,  /* of one machine; further ones are left out */
	NVIDIA_APPS_MAX   = 256, /* processes shown, of all GPUs */
	NVIDIA_LINKS_MAX  = 64,
	NVIDIA_FIELDS_MAX = 96,
	NVIDIA_UUID       = 64,
};

/* The parts of one section; p is NULL where it has none. */
struct nvidia_parts {
	struct slice fields; /* what was asked for: names, commas between */
	struct slice gpus;   /* lines of --query-gpu */
	bool         has_devices; /* where nvidia-smi fails: its GPUs are on the PCI bus */
	struct slice nvlink; /* of nvlink -s, then of nvlink -e */
	struct slice mig;    /* of -L, then what of -q -x is about MIG */
	struct slice users;  /* "uid PID UID" and "user UID NAME" */
	struct slice apps;   /* of --query-compute-apps: uuid, pid, memory, name */
};

/* A GPU of the machine, known since it was first seen. */
struct nvidia_gpu {
	char uuid[NVIDIA_UUID];  /* as in labels; "": never said */
	char index[8], bus_id[24];
	char recovery[32];       /* gpu_recovery_action last said */
	bool is_seen;            /* by this asking */
	bool is_gone, is_faulty; /* told of already */
	int  links_active;       /* -1: not known */
};

struct nvidia_memory {
	bool              is_used; /* is anything remembered? */
	struct nvidia_gpu gpus[NVIDIA_GPUS_MAX];
	size_t            n_gpus;
	bool              is_unknown[NVIDIA_FIELDS_MAX]; /* fields that this driver does not know */
	char              driver[32];
	bool              has_mig;
	bool              wants_slow;      /* the next asking is to tell of links and MIG's memory */
	int64_t           slow_ms;         /* when it last did, here */
	struct buf        nvlink, mig;     /* samples of that time, told again until the next */
	char              complaint[200];  /* what nvidia-smi last said besides */
	unsigned          n_late;          /* askings in a row that did not end in time */
};

/* ---- source_nvidia_gpu.c ---- */

extern const char *const nvidia_fields[]; /* what is asked for, in this order */
extern const size_t      n_nvidia_fields;

/* Reads the lines of all GPUs. *n: how many there were. What is no GPU's line is given back in *complaint (the first one; empty: none). */
void nvidia_read_gpus(const struct nvidia_parts *in, struct nvidia_memory *m, struct findings *out, size_t *n, struct slice *complaint);
/* Tells of those that are known and were not seen. */
void nvidia_miss_gpus(struct nvidia_memory *m, struct findings *out);
/* nvidia-smi tells of none any more, since the driver answers for none: a sample for each, one for all where none is known. That
 * it fails is told of the source. */
void nvidia_fault_gpus(const struct nvidia_memory *m, struct findings *out);

/* "GPU-0000..." as in labels. Returns `to`. */
const char        *nvidia_uuid(struct slice text, char to[NVIDIA_UUID]);
struct nvidia_gpu *nvidia_find(struct nvidia_memory *m, const char *uuid); /* NULL: not known */

/* ---- source_nvidia_link.c, source_nvidia_mig.c, source_nvidia_apps.c ---- */

void nvidia_read_nvlink(struct slice text, struct nvidia_memory *m, struct findings *out);
void nvidia_read_mig(struct slice text, struct nvidia_memory *m, struct findings *out);
void nvidia_read_apps(const struct nvidia_parts *in, struct nvidia_memory *m, struct findings *out);

#endif
