/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

/* The bytes, and the separator behind them. */
static uint64_t add(uint64_t hash, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
	return (hash ^ 0xff) * FNV_PRIME;
}

uint64_t alert_fingerprint(const struct labels *l)
{
	uint64_t hash = FNV_OFFSET;
	for (size_t i = 0; i < labels_count(l); i++) {
		const struct label *one = labels_at(l, i);
		hash = add(hash, one->name, one->name_len);
		hash = add(hash, one->value, one->value_len);
	}
	return hash;
}

const char *fingerprint_print(uint64_t fingerprint, char to[FINGERPRINT_TEXT])
{
	snprintf(to, FINGERPRINT_TEXT, "%016" PRIx64, fingerprint);
	return to;
}
