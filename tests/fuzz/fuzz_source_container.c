/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers, as their engine's inspect shows them. */
#include "tests/fuzz/fuzz_services.h"

#include "collectors/source_services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct source_settings settings = { .n_units = 0 };
	fuzz_services(&container_source, &settings, data, size);
	return 0;
}
