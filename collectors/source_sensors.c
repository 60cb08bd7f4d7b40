/* SPDX-License-Identifier: Apache-2.0
 *
 * Temperatures of boards and drives, thermal zones, and the counts of memory errors. Reading a sensor asks a device, and some take their time: every
 * 30 s, and bounded. */
#include <stdio.h>
#include <string.h>

#include "collectors/source_host.h"
#include "collectors/slice.h"

enum { CHIPS_MAX = 64, SENSORS_MAX = 256, NAME_BYTES = 64, TEXT_MAX = 64 * 1024 };

static const char script[] =
	"cd /sys/class 2>/dev/null || return 127\n"
	"bounded grep -Hs '' hwmon/hwmon*/name hwmon/hwmon*/temp*_label hwmon/hwmon*/temp*_input \\\n"
	"	thermal/thermal_zone*/type thermal/thermal_zone*/temp \\\n"
	"	/sys/devices/system/edac/mc/mc*/ce_count /sys/devices/system/edac/mc/mc*/ue_count\n"
	"status=$?\n"
	"test \"$status\" = 2 || test \"$status\" = 1 || return $status\n"; /* a file that is not there is grep's 2 */

/* "hwmon/hwmon3/temp1_input:45000": the folder, the file, and what stands in it */
struct reading {
	struct slice folder, file, value;
};

static bool reading_next(struct slice *rest, struct reading *r)
{
	struct slice line, path, part;
	while (slice_line(rest, &line)) {
		if (!slice_until(&line, ":", &path))
			continue;
		*r = (struct reading){ .value = line };
		while (slice_until(&path, "/", &part))
			r->folder = part;
		r->file = path;
		if (r->folder.n > 0 && r->file.n > 0)
			return true;
	}
	return false;
}

static bool is_same(struct slice a, struct slice b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* What stands in FOLDER/FILE, where the file's name is `stem` and `tail`. Sections are small and sensors few. */
static bool look_up(const struct section *in, struct slice folder, struct slice stem, const char *tail, struct slice *value)
{
	struct slice    rest = { in->text, in->n };
	struct reading r;
	while (reading_next(&rest, &r)) {
		struct slice behind = { r.file.p + stem.n, r.file.n - stem.n };
		if (is_same(r.folder, folder) && r.file.n >= stem.n && memcmp(r.file.p, stem.p, stem.n) == 0 && slice_is(behind, tail)) {
			*value = r.value;
			return true;
		}
	}
	return false;
}

/* The file's name without `tail`; false where it does not end so. */
static bool stem_of(struct slice file, const char *tail, struct slice *stem)
{
	size_t n = strlen(tail);
	if (file.n < n || memcmp(file.p + file.n - n, tail, n) != 0)
		return false;
	*stem = (struct slice){ file.p, file.n - n };
	return true;
}

/* Degrees from thousandths; what no sensor means (a missing one says -273 or 65535) is not written. */
static bool read_celsius(struct slice text, double *celsius)
{
	if (!slice_number(text, celsius))
		return false;
	*celsius /= 1000;
	return *celsius > -100 && *celsius < 250;
}

/* The chip is named by its folder, as node_exporter does for what has no device: which is which is in node_hwmon_chip_names. A core of a processor is
 * left out: the processor's own sensor says the hottest. */
static void put_temperature(const struct section *in, const struct reading *r, struct slice sensor, struct findings *out)
{
	struct slice label;
	double celsius;
	char   chip[NAME_BYTES], name[NAME_BYTES], text[NAME_BYTES];
	bool   has_label = look_up(in, r->folder, sensor, "_label", &label);
	if (!read_celsius(r->value, &celsius) || (has_label && slice_begins(label, "Core ")))
		return;
	const char *labels[7] = { "chip", slice_copy(r->folder, chip, sizeof chip), "sensor", slice_copy(sensor, name, sizeof name) };
	findings_put(out, "node_hwmon_temp_celsius", celsius, labels);
	if (!has_label)
		return;
	labels[4] = "label";
	labels[5] = slice_copy(label, text, sizeof text);
	findings_put(out, "node_hwmon_sensor_label", 1, labels);
}

static void put_chip(const struct reading *r, struct findings *out)
{
	char chip[NAME_BYTES], name[NAME_BYTES];
	const char *labels[] = { "chip", slice_copy(r->folder, chip, sizeof chip), "chip_name", slice_copy(r->value, name, sizeof name), NULL };
	findings_put(out, "node_hwmon_chip_names", 1, labels);
}

static void put_zone(const struct section *in, const struct reading *r, struct findings *out)
{
	const struct slice nothing = { r->file.p, 0 };
	struct slice type = nothing;
	double celsius;
	char   zone[NAME_BYTES], name[NAME_BYTES];
	if (!slice_begins(r->folder, "thermal_zone") || !read_celsius(r->value, &celsius))
		return;
	look_up(in, r->folder, nothing, "type", &type);
	struct slice number = { r->folder.p + strlen("thermal_zone"), r->folder.n - strlen("thermal_zone") };
	const char *labels[] = { "type", slice_copy(type, name, sizeof name), "zone", slice_copy(number, zone, sizeof zone), NULL };
	findings_put(out, "node_thermal_zone_temp", celsius, labels);
}

static void put_errors(const struct reading *r, const char *metric, struct findings *out)
{
	double count;
	char   controller[NAME_BYTES];
	if (!slice_begins(r->folder, "mc") || !slice_number(r->value, &count))
		return;
	struct slice number = { r->folder.p + 2, r->folder.n - 2 };
	const char *labels[] = { "controller", slice_copy(number, controller, sizeof controller), NULL };
	findings_put(out, metric, count, labels);
}

static enum err parse(const struct section *whole, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	/* a bound for looking up: real ones have 20 KiB at the most */
	const struct section  part = { .text = whole->text, .n = whole->n < TEXT_MAX ? whole->n : TEXT_MAX };
	const struct section *in = &part;
	struct slice    rest = { in->text, in->n }, sensor;
	struct reading r;
	size_t         n_chips = 0, n_sensors = 0;
	(void)s;
	(void)memory;
	while (n_sensors < SENSORS_MAX && reading_next(&rest, &r)) {
		if (stem_of(r.file, "_input", &sensor) && slice_begins(sensor, "temp") && ++n_sensors)
			put_temperature(in, &r, sensor, out);
		else if (slice_is(r.file, "name") && n_chips++ < CHIPS_MAX)
			put_chip(&r, out);
		else if (slice_is(r.file, "temp") && ++n_sensors)
			put_zone(in, &r, out);
		else if (slice_is(r.file, "ce_count") && ++n_sensors)
			put_errors(&r, "node_edac_correctable_errors_total", out);
		else if (slice_is(r.file, "ue_count") && ++n_sensors)
			put_errors(&r, "node_edac_uncorrectable_errors_total", out);
	}
	if (n_sensors == 0 && n_chips == 0)
		return why_set(why, ERR_NOT_FOUND, "the machine has no sensors");
	return ERR_OK;
}

const struct source sensors_source = {
	.name = "sensors",
	.summary = "temperatures, thermal zones and memory errors",
	.script = script,
	.every_ms = 30000,
	.absent_ms = 3600000,
	.parse = parse,
};
