/* SPDX-License-Identifier: Apache-2.0
 *
 * Times, durations and numbers: what was read, written and read again is the same. */
#include "tests/fuzz/fuzz.h"

#include <float.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/stale.h"

static void check_time(const char *text)
{
	char written[TIME_TEXT];
	int64_t ms, again;
	struct why why;
	if (parse_time(text, INT64_C(1795428000000), &ms, &why) != ERR_OK)
		return;
	HOLDS(parse_time(format_time(ms, written), 0, &again, &why) == ERR_OK);
	HOLDS(again == ms);
}

static void check_duration(const char *text, size_t n)
{
	char written[DURATION_TEXT];
	int64_t ms, again;
	if (parse_duration(text, n, &ms) != ERR_OK)
		return;
	HOLDS(ms >= 0);
	format_duration(ms, written);
	HOLDS(parse_duration(written, strlen(written), &again) == ERR_OK);
	HOLDS(again == ms);
	format_age(ms, written);
}

static void check_numbers(const char *text)
{
	char written[NUMBER_TEXT];
	int64_t i;
	double v, again;
	if (parse_i64(text, -1000, 1000000, &i) == ERR_OK)
		HOLDS(i >= -1000 && i <= 1000000);
	if (parse_f64(text, -DBL_MAX, DBL_MAX, &v) != ERR_OK)
		return;
	HOLDS(parse_f64(format_f64(v, written), -DBL_MAX, DBL_MAX, &again) == ERR_OK);
	HOLDS(f64_bits(again) == f64_bits(v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	check_time(text);
	check_duration(text, size);
	check_numbers(text);
	if (size == sizeof(double)) {
		char written[NUMBER_TEXT];
		double v, again;
		memcpy(&v, data, sizeof v);
		if (v - v == 0) {
			HOLDS(parse_f64(format_f64(v, written), -DBL_MAX, DBL_MAX, &again) == ERR_OK);
			HOLDS(f64_bits(again) == f64_bits(v));
		}
	}
	free(text);
	return 0;
}
