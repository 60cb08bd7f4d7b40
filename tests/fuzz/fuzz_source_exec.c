/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands print, in the three formats. */
#include "tests/fuzz/fuzz_services.h"

#include "collectors/source_services.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = { "any" };
	static const char *const paths[] = { "a=a", "b=a.b[0].c", "c=[1]", "d=", "e" };
	static const struct source_exec execs[] = {
		{ .name = "page", .argv = argv, .n_argv = 1, .format = "prometheus" },
		{ .name = "tree", .argv = argv, .n_argv = 1, .format = "json", .paths = paths, .n_paths = 5 },
		{ .name = "9 pairs", .argv = argv, .n_argv = 1, .format = "pairs" },
	};
	static const struct source_settings settings = { .execs = execs, .n_execs = 3 };
	fuzz_services(&exec_source, &settings, data, size);
	return 0;
}
