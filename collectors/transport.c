/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/transport.h"

#include <stdio.h>
#include <string.h>

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

void reach_sentence(enum reach r, const char *text, char *to, size_t size)
{
	snprintf(to, size, "%s%s%s", reaches[r].words, text[0] != '\0' ? ": " : "", text);
}

enum reach reach_of_sentence(const char *text)
{
	for (int r = REACH_OK + 1; r < REACH_COUNT; r++) {
		size_t n = strlen(reaches[r].words);
		if (strncmp(text, reaches[r].words, n) == 0 && (text[n] == '\0' || (text[n] == ':' && text[n + 1] == ' ')))
			return (enum reach)r;
	}
	return REACH_OK;
}
