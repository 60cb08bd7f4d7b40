/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/transport.h"

static const struct {
	const char *name, *words, *advice;
} reaches[REACH_COUNT] = {
#define X(name, config, words, advice) [REACH_##name] = { config, words, advice },
	REACH_LIST(X)
#undef X
};

const char *reach_name(enum reach r) { return reaches[r].name; }
const char *reach_words(enum reach r) { return reaches[r].words; }
const char *reach_advice(enum reach r) { return reaches[r].advice; }
