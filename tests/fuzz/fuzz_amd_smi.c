/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz_source.h"

#include "collectors/source_gpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_source(&amd_smi_source, data, size);
}
