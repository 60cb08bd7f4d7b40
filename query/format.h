/* SPDX-License-Identifier: Apache-2.0
 *
 * Results as text: as the Prometheus HTTP API answers, as CSV, as a table. */
#ifndef PITWALL_QUERY_FORMAT_H
#define PITWALL_QUERY_FORMAT_H

#include "base/buf.h"
#include "query/query.h"

enum { FORMAT_VALUE_TEXT = 400 };

/* A value as Prometheus writes it in results: shortest exact decimal, never an exponent, "NaN", "+Inf", "-Inf". */
const char *format_value(double v, char to[FORMAT_VALUE_TEXT]);

/* {"status":"success","data":{"resultType":...,"result":...}} with "warnings" and "infos" where there are any. Bytes of label values
 * that are not UTF-8 become U+FFFD. */
enum err format_json(const struct query_result *r, struct buf *to);
/* {"status":"error","errorType":"bad_data","error":...} */
enum err format_json_error(const char *error_type, const char *sentence, struct buf *to);
/* One line a sample: series, time, value. Text that a spreadsheet would take for a formula gets a ' before it. */
enum err format_csv(const struct query_result *r, struct buf *to);
/* For people: one line a series; of a range the last value with least, mean and greatest. Control bytes are shown as \xNN. */
enum err format_table(const struct query_result *r, struct buf *to);

#endif
