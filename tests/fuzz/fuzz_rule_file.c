/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files and profiles' rules: any bytes give rules or mistakes, never both. */
#include "tests/fuzz/fuzz.h"

#include "base/diagnostics.h"
#include "base/yaml.h"
#include "rules/rule_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int is_profile = 0; is_profile < 2; is_profile++) {
		struct diagnostics d;
		struct yaml       *tree = NULL;
		struct rule_file  *file = NULL;
		struct why         why;
		diagnostics_init(&d);
		if (yaml_parse((const char *)data, size, "fuzz.yml", &d, &tree) == ERR_OK) {
			size_t   errors = d.n_errors;
			enum err e = rule_file_read(tree, is_profile != 0, &file, &why);
			HOLDS((e == ERR_OK) == (file != NULL));
			HOLDS((e == ERR_OK) == (d.n_errors == errors));
			rule_file_free(file);
		}
		yaml_discard(tree);
		diagnostics_release(&d);
	}
	return 0;
}
