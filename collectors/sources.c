/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that knows all sources. They are asked in this order, and their samples stand in it: what is cheap and always there comes first. */
#include "collectors/source.h"

#include "collectors/source_gpu.h"
#include "collectors/source_host.h"
#include "collectors/source_services.h"

const struct source *const sources[] = {
	&host_source,    &filesystem_source, &sensors_source, &nvidia_smi_source, &amd_smi_source, &xpu_smi_source,
	&systemd_source, &container_source,  &kernel_source,  &log_source,        &exec_source,
};
const size_t n_sources = sizeof sources / sizeof sources[0];
