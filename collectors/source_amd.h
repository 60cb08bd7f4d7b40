/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the parts of amd_smi_source, and for no one else: the readers of both tools' JSON. */
#ifndef PITWALL_COLLECTORS_SOURCE_AMD_H
#define PITWALL_COLLECTORS_SOURCE_AMD_H

#include "collectors/findings.h"
#include "collectors/slice.h"
#include "collectors/source.h"
#include "collectors/source_roster.h"

enum { AMD_PROCESSES_MAX = 256 };

struct cJSON;

/* The JSON that stands between the warnings of these tools. *out is NULL, and that is no error, where there is none. Free it with
 * cJSON_Delete. */
enum err amd_json(struct slice text, struct cJSON **out, struct why *why);

/* A number as these tools write it: 53, "53.0", "(300Mhz)", {"value": 53, "unit": "C"}; NaN for all else ("N/A", []). *unit ("": none) is
 * lent by the tree. */
double amd_number(const struct cJSON *leaf, const char **unit);

/* What a GPU says; `labels` are gpu_id and what else is known of it. */
void amd_put(struct findings *out, const struct roster_gpu *g, const char *metric, double value, const char *more, const char *more_value);

/* amd-smi: names first (list and static, either may be NULL), then values; *n counts the GPUs that said something. */
void amd_smi_names(const struct cJSON *tree, struct roster *m);
void amd_smi_values(const struct cJSON *tree, struct roster *m, struct findings *out, size_t *n);
void amd_smi_processes(const struct cJSON *tree, struct slice users, struct roster *m, struct findings *out);
/* rocm-smi: all in one. */
void rocm_smi_values(const struct cJSON *tree, struct roster *m, struct findings *out, size_t *n);

#endif
