/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of logs: of a unit and of a file. The corpus has the tags that are made of their names. */
#include "tests/fuzz/fuzz_services.h"

#include "collectors/source_services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const logs[] = { "vllm.service", "/var/log/x.log" };
	static const struct source_settings settings = { .logs = logs, .n_logs = 2 };
	fuzz_services(&log_source, &settings, data, size);
	return 0;
}
