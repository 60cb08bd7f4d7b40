/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: what stands in a store's tables, whatever the store says of it. By a connection of its own; fails the test where SQLite does. */
#ifndef PITWALL_TESTS_STORE_SQL_H
#define PITWALL_TESTS_STORE_SQL_H

#include <stdint.h>

/* Of a statement that gives one number. */
int64_t test_sql_number(const char *path, const char *sql);
void    test_sql(const char *path, const char *sql);

#endif
