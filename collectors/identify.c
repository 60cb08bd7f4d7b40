/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/identify.h"

#include <stdbool.h>
#include <string.h>

#include "base/labels.h"

/* Sources: the servers' own documentation of these paths. Triton answers /v2 with a JSON that has its name, vLLM /version with a version
 * alone, Ollama under /api; what several servers have (/health, /v1/models) says too little and stands last. */
const struct identify_probe identify_probes[] = {
	{ "/v2",             "\"triton\"",          "triton" },
	{ "/version",        "\"version\"",         "vllm" },
	{ "/get_model_info", "\"model_path\"",      "sglang" },
	{ "/info",           "\"model_id\"",        "tgi" },
	{ "/props",          "\"default_generation_settings\"", "llamacpp" },
	{ "/api/version",    "\"version\"",         "ollama" },
	{ "/ping",           "\"status\"",          "torchserve" },
	{ NULL, NULL, NULL },
};

static bool shows(const struct exposition_layout *layout, const char *prefix)
{
	size_t n = strlen(prefix), size = exposition_layout_size(layout);
	struct labels *const *series = exposition_layout_series(layout);
	for (size_t i = 0; i < size; i++)
		if (strncmp(labels_metric(series[i]), prefix, n) == 0)
			return true;
	return false;
}

int identify(const struct exposition_layout *layout, const struct identify_kind *kinds, size_t n_kinds)
{
	for (size_t i = 0; i < n_kinds; i++)
		for (size_t j = 0; j < kinds[i].n; j++)
			if (kinds[i].prefixes[j][0] != '\0' && shows(layout, kinds[i].prefixes[j]))
				return (int)i;
	return IDENTIFY_UNKNOWN;
}
