/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as a source of samples. */
#ifndef PITWALL_QUERY_STORE_SOURCE_H
#define PITWALL_QUERY_STORE_SOURCE_H

#include "query/source.h"

/* `r` is lent and must outlive the source; the rules of reader.h on threads hold for the evaluations that use it. */
struct query_source store_source(struct reader *r);

#endif
