/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/reserved.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/report.h"

#define EXPORTED "exported_" /* as Prometheus calls a label that it has itself */
#define SIGNAL   "signal:"

static bool is_reserved(const struct labels *l)
{
	static const char *const ours[REPORT_COUNT] = {
#define X(id, metric) metric,
		REPORT_LIST(X)
#undef X
	};
	const char *metric = labels_metric(l);
	while (strncmp(metric, EXPORTED, sizeof EXPORTED - 1) == 0)
		metric += sizeof EXPORTED - 1;
	bool is = strncmp(metric, SIGNAL, sizeof SIGNAL - 1) == 0;
	for (size_t i = 0; i < REPORT_COUNT && !is; i++)
		is = strcmp(metric, ours[i]) == 0;
	return is;
}

static enum err rename_one(const struct labels *l, struct labels **out, struct why *why)
{
	const struct label *metric = labels_find(l, LABEL_NAME);
	struct labels_builder b;
	struct buf name;
	buf_init(&name, LABELS_TEXT_MAX);
	buf_puts(&name, EXPORTED);
	buf_put(&name, metric->value, metric->value_len);
	labels_builder_init(&b);
	labels_builder_from(&b, l);
	labels_builder_set_n(&b, LABEL_NAME, sizeof LABEL_NAME - 1, buf_text(&name), name.len);
	enum err e = name.err != ERR_OK ? why_set(why, name.err, "a metric's name is too long") : labels_builder_build(&b, out, why);
	labels_builder_release(&b);
	buf_release(&name);
	return e;
}

void reserved_free(struct labels **series, size_t n)
{
	for (size_t i = 0; series != NULL && i < n; i++)
		labels_unref(series[i]);
	free(series);
}

enum err reserved_rename(struct labels *const *series, size_t n, struct labels ***out, const struct labels **first, size_t *n_renamed,
                         struct why *why)
{
	size_t found = 0, at = n;
	for (size_t i = n; i-- > 0;) {
		if (is_reserved(series[i])) {
			found++;
			at = i;
		}
	}
	struct labels **renamed = found > 0 ? calloc(n, sizeof(struct labels *)) : NULL;
	enum err e = found > 0 && renamed == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < n && renamed != NULL && e == ERR_OK; i++) {
		if (i >= at && is_reserved(series[i]))
			e = rename_one(series[i], &renamed[i], why);
		else
			renamed[i] = labels_ref(series[i]);
	}
	if (e != ERR_OK) {
		reserved_free(renamed, n);
		return e;
	}
	*out = renamed;
	*first = at < n ? series[at] : NULL;
	*n_renamed = found;
	return ERR_OK;
}
