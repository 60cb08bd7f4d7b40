/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking a whole collection of profiles into an engine. */
#include "rules/eval.h"

enum err signal_engine_add_all(struct signal_engine *e, const struct profiles *p, struct why *why)
{
	for (size_t i = 0; i < profiles_count(p); i++) {
		enum err err = signal_engine_add(e, profiles_at(p, i), why);
		if (err != ERR_OK && err != ERR_FORMAT)
			return err;
	}
	return ERR_OK;
}
