/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources of what GPUs say, each through the tool of its vendor. */
#ifndef PITWALL_COLLECTORS_SOURCE_GPU_H
#define PITWALL_COLLECTORS_SOURCE_GPU_H

#include "collectors/source.h"

/* NVIDIA, through nvidia-smi: samples as nvidia_gpu_exporter has them, `nvidia_smi_*{uuid}` (the uuid in small letters, without its
 * "GPU-"), with the label `gpu` (the index) besides. What that exporter does not have: nvidia_smi_gpu_fault (1: the GPU is lost, wants a reset
 * or does not answer), nvidia_smi_mig_*, nvidia_smi_nvlink_*, the label `user` of processes. */
extern const struct source nvidia_smi_source;

/* AMD, through amd-smi, or rocm-smi where amd-smi is missing or fails: samples as AMD's device metrics exporter has them,
 * `amd_gpu_*{gpu_id}`, in its units (per cent, MB of 2^20 bytes, MHz), labels gpu_id, gpu_uuid, card_series. Ours are amd_gpu_info,
 * amd_gpu_fault (1: it is gone), amd_gpu_throttled, amd_gpu_power_cap, amd_gpu_fan_rpm, amd_gpu_process_*. */
extern const struct source amd_smi_source;

/* Intel, through xpu-smi: samples as XPU Manager's exporter has them, `xpum_*` with uuid, pci_bdf and dev_name; the label dev_id, xpum_fault
 * (1: it is gone), xpum_device_info, xpum_power_limit_watts and xpum_memory_total_bytes are ours. */
extern const struct source xpu_smi_source;

#endif
