/* SPDX-License-Identifier: Apache-2.0
 *
 * Linked into a test with --wrap=store_open: every store that it opens has few frames between key frames, and folds them into blocks before a flush ends. */
#include "store/store.h"

enum err __real_store_open(const struct store_options *o, struct store **out, struct why *why);
enum err __wrap_store_open(const struct store_options *o, struct store **out, struct why *why);

enum err __wrap_store_open(const struct store_options *o, struct store **out, struct why *why)
{
	struct store_options folding = *o;
	if (folding.key_distance == 0)
		folding.key_distance = 2;
	folding.folding = FOLD_AT_ONCE;
	return __real_store_open(&folding, out, why);
}
