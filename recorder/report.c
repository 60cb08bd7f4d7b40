/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/report.h"

#include <stddef.h>
#include <string.h>

#include "base/labels.h"

static const char *const metrics[REPORT_COUNT] = {
#define X(id, metric) metric,
	REPORT_LIST(X)
#undef X
};

enum err report_layout(struct store *s, const struct layout **out, struct why *why)
{
	struct labels *series[REPORT_COUNT] = { NULL };
	enum err e = ERR_OK;
	for (size_t i = 0; i < REPORT_COUNT && e == ERR_OK; i++) {
		const struct label name = { LABEL_NAME, metrics[i], sizeof LABEL_NAME - 1, (uint32_t)strlen(metrics[i]) };
		e = labels_new(&name, 1, &series[i], why);
	}
	if (e == ERR_OK)
		e = store_layout(s, series, REPORT_COUNT, out, why);
	for (size_t i = 0; i < REPORT_COUNT; i++)
		labels_unref(series[i]);
	return e;
}
