/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of details. */
#include "rules/detail.h"

#include <assert.h>
#include <string.h>

#define DETAIL_LABELS(...) { __VA_ARGS__, NULL }

static const struct detail_info details[DETAIL_COUNT] = {
#define X(name, metric_, unit_, labels_, sentence_) \
	[DETAIL_##name] = { .metric = (metric_), .unit = (unit_), .labels = labels_, .sentence = (sentence_) },
	DETAIL_LIST(X)
#undef X
};

const struct detail_info *detail_info(enum detail_id id)
{
	assert(id < DETAIL_COUNT);
	return &details[id];
}

enum detail_id detail_by_metric(const char *metric)
{
	if (strncmp(metric, DETAIL_PREFIX, strlen(DETAIL_PREFIX)) != 0)
		return DETAIL_COUNT;
	for (enum detail_id id = 0; id < DETAIL_COUNT; id++)
		if (strcmp(details[id].metric, metric) == 0)
			return id;
	return DETAIL_COUNT;
}

const char *detail_label(enum detail_id id, const struct detail_row *row, const char *name)
{
	for (size_t i = 0; detail_info(id)->labels[i] != NULL; i++)
		if (strcmp(details[id].labels[i], name) == 0)
			return row->labels[i];
	return "";
}
