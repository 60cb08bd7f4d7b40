/* SPDX-License-Identifier: Apache-2.0
 *
 * Where values stand in the text of JSON, so that one can be replaced and each other byte stays: numbers keep their digits, members their order. For text that
 * json_parse has taken. Pure. */
#ifndef PITWALL_DEPLOY_JSON_PLACE_H
#define PITWALL_DEPLOY_JSON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct json_place {
	size_t at, n; /* bytes */
};

/* The whole value, without what blanks stand around it. False: nothing is there. */
bool json_place_whole(const char *text, size_t n, struct json_place *out);
/* The values of the object or array at `in`, one after another: in the text's order, which is cJSON's too. `at` begins as 0. False: there are no more. */
struct json_walk {
	struct json_place in;
	size_t            at;
};
bool json_place_next(const char *text, struct json_walk *w, struct json_place *out);

#endif
