/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/exporter.h"

#include <assert.h>

static const struct exporter *const exporters[] = {
	[SERVER_VLLM] = &exporter_vllm,
	[SERVER_TRITON] = &exporter_triton,
	[SERVER_TFSERVING] = &exporter_tfserving,
	[SERVER_TORCHSERVE] = &exporter_torchserve,
};
static_assert(sizeof exporters / sizeof exporters[0] == SERVER_KINDS, "an exporter for each kind of server");

const struct exporter *exporter_for(enum server_kind kind) { return exporters[kind]; }

/* Triton counts nv_gpu_* itself but no temperatures; the exporter beside it would say the rest twice. */
bool exporter_needs_dcgm(enum server_kind kind) { return kind != SERVER_TRITON; }
