/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that knows all families of functions. */
#include "query/function.h"

#include <string.h>

static const struct function_family *const families[] = {
	&functions_counter, &functions_over_time, &functions_math, &functions_time, &functions_label, &functions_vector, &functions_histogram,
};
enum { FAMILIES = sizeof families / sizeof families[0] };

const struct function *function_find(const char *name, size_t n)
{
	for (size_t i = 0; i < FAMILIES; i++)
		for (size_t k = 0; k < families[i]->n; k++)
			if (strlen(families[i]->rows[k].name) == n && memcmp(families[i]->rows[k].name, name, n) == 0)
				return &families[i]->rows[k];
	return NULL;
}

const struct function *function_at(size_t i)
{
	for (size_t f = 0; f < FAMILIES; f++) {
		if (i < families[f]->n)
			return &families[f]->rows[i];
		i -= families[f]->n;
	}
	return NULL;
}
