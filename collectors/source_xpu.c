/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel's GPUs, through xpu-smi. "dump" prints one row a device, with the columns that were asked for by number; releases differ in which
 * numbers they know and what they call the columns, so columns are known by how their names begin. Where dump has nothing to say, the table
 * that xpu-smi prints without words is read (release 2, after the manner of nvidia-smi's: two lines a device). Names come from "discovery",
 * which prints JSON in release 1 and a table where that is not wanted; they are asked for once. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "collectors/slice.h"
#include "collectors/source_gpu.h"
#include "collectors/source_roster.h"

enum { ABSENT_MS = 600000, STATUS_NO_TIME = 124, STATUS_KILLED = 137, STATUS_ABSENT = 127, COLUMNS_MAX = 40 };

/* Columns: 0 utilisation, 1 power, 2 frequency, 3 and 4 temperatures, 5 share of memory in use, 8 energy, 12 to 16 errors, 17 memory's
 * bandwidth, 18 memory in use. Source: XPU Manager's user guide. */
static const char script[] =
	"command -v xpu-smi >/dev/null 2>&1 || return 127\n"
	"said= rc=0\n"
	"for args in '-d -1 -m 0,1,2,3,4,5,8,12,13,14,15,16,17,18' '-m 0,1,2,3,4,5,8,12,13,14,15,16,17,18' '-d -1 -m 0,1,2,3,5,18'; do\n"
	"	said=$(bounded xpu-smi dump $args -i 1 -n 1 2>&1)\n"
	"	rc=$?\n"
	"	case $rc,$said in 124,* | 137,*) break ;; *DeviceId*) break ;; esac\n"
	"done\n"
	"printf '@dump\\n%s\\n' \"$said\"\n"
	"case $rc,$said in\n"
	"124,* | 137,*) return $rc ;;\n"
	"*DeviceId*) rc=0 ;;\n"
	"*)\n"
	"	echo @table\n"
	"	bounded xpu-smi 2>&1\n"
	"	rc=$? ;;\n"
	"esac\n"
	"case ,$1, in *,named,*) ;; *)\n"
	"	said=$(bounded xpu-smi discovery -j 2>&1) || said=$(bounded xpu-smi discovery 2>&1)\n"
	"	printf '@discovery\\n%s\\n' \"$said\" ;;\n"
	"esac\n"
	"return $rc\n";

/* Names of samples: XPU Manager's Prometheus exporter (ratios from 0 to 1). */
static const struct column {
	const char *begins, *metric, *label, *label_value;
	double      times, by;
} columns[] = {
	{ "GPU Utilization (%)", "xpum_engine_ratio", NULL, NULL, 1, 100 },
	{ "Average % utilization of all GPU Engines", "xpum_engine_ratio", NULL, NULL, 1, 100 },
	{ "GPU Power (W)", "xpum_power_watts", NULL, NULL, 1, 1 },
	{ "GPU Frequency (MHz)", "xpum_frequency_mhz", "location", "gpu", 1, 1 },
	{ "GPU Core Temperature", "xpum_temperature_celsius", "location", "gpu", 1, 1 },
	{ "GPU Memory Temperature", "xpum_temperature_celsius", "location", "mem", 1, 1 },
	{ "GPU Memory Utilization (%)", "xpum_memory_ratio", NULL, NULL, 1, 100 },
	{ "GPU Memory Used (MiB)", "xpum_memory_used_bytes", NULL, NULL, 1048576, 1 },
	{ "GPU Memory Bandwidth Utilization (%)", "xpum_memory_bandwidth_ratio", NULL, NULL, 1, 100 },
	{ "GPU Energy Consumed (J)", "xpum_energy_joules", NULL, NULL, 1, 1 },
	{ "Reset Counter", "xpum_resets", NULL, NULL, 1, 1 },
	{ "Programming Errors", "xpum_programming_errors", NULL, NULL, 1, 1 },
	{ "Driver Errors", "xpum_driver_errors", NULL, NULL, 1, 1 },
	{ "Cache Errors Correctable", "xpum_cache_errors", "type", "correctable", 1, 1 },
	{ "Cache Errors Uncorrectable", "xpum_cache_errors", "type", "uncorrectable", 1, 1 },
};

static void put(struct findings *out, const struct roster_gpu *g, const struct column *c, double value)
{
	const char *const labels[] = { "dev_id", g->id, "dev_name", g->name, "pci_bdf", g->bus_id, "uuid", g->uuid, c->label, c->label_value,
		NULL };
	findings_put(out, c->metric, value * c->times / c->by, labels);
}

/* ---- dump ---- */

enum { NOT_OURS = -1, DEVICE_ID = -2 };

/* One that is known, by its name, with or without "GPU " before it. */
static int column_of(struct slice name)
{
	struct slice bare = name;
	slice_skip(&bare, "GPU ");
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		if (slice_begins(name, columns[i].begins) || slice_begins(bare, columns[i].begins))
			return (int)i;
	return NOT_OURS;
}

static size_t read_header(struct slice line, int to[COLUMNS_MAX])
{
	struct slice name;
	size_t       n = 0;
	while (n < COLUMNS_MAX && slice_take(&line, ',', &name)) {
		name = slice_trim(name);
		to[n++] = slice_is(name, "DeviceId") ? DEVICE_ID : column_of(name);
	}
	return n;
}

static void read_row(struct slice line, const int *of, size_t n, struct roster *m, struct findings *out)
{
	struct slice       cell, rest = line;
	struct roster_gpu *g = NULL;
	for (size_t i = 0; i < n && slice_take(&rest, ',', &cell); i++) {
		double id = 0;
		if (of[i] == DEVICE_ID && slice_number(slice_trim(cell), &id))
			g = roster_of(m, id);
	}
	if (g == NULL || g->is_seen)
		return;
	g->is_seen = true;
	bool is_put[sizeof columns / sizeof columns[0]] = { false };
	for (size_t i = 0; i < n && slice_take(&line, ',', &cell); i++) {
		double v = 0;
		if (of[i] < 0 || is_put[of[i]] || !slice_number(slice_trim(cell), &v))
			continue;
		is_put[of[i]] = true;
		put(out, g, &columns[of[i]], v);
	}
}

/* A dump of tiles is not one of devices. */
static void read_dump(struct slice text, struct roster *m, struct findings *out)
{
	struct slice line;
	int          of[COLUMNS_MAX];
	size_t       n = 0;
	while (slice_line(&text, &line)) {
		if (slice_begins(line, "Timestamp") && slice_has(line, "DeviceId") && !slice_has(line, "TileId"))
			n = read_header(line, of);
		else if (n > 0)
			read_row(line, of, n, m, out);
	}
}

/* ---- the table ---- */

static const struct column table_power = { NULL, "xpum_power_watts", NULL, NULL, 1, 1 },
	table_power_limit = { NULL, "xpum_power_limit_watts", NULL, NULL, 1, 1 },
	table_temperature = { NULL, "xpum_temperature_celsius", "location", "gpu", 1, 1 },
	table_used = { NULL, "xpum_memory_used_bytes", NULL, NULL, 1048576, 1 },
	table_total = { NULL, "xpum_memory_total_bytes", NULL, NULL, 1048576, 1 },
	table_memory = { NULL, "xpum_memory_ratio", NULL, NULL, 1, 1 },
	table_engine = { NULL, "xpum_engine_ratio", NULL, NULL, 1, 100 };

/* "|   0  Intel(R) Arc(TM) B580   Off             | 0000:03:00.0      Off      |               Disabled |" */
static struct roster_gpu *read_device(struct slice line, struct roster *m)
{
	struct slice first, second, name;
	double       id = 0;
	if (!slice_skip(&line, "|") || !slice_take(&line, '|', &first) || !slice_take(&line, '|', &second) ||
	    !slice_leading_number(first, &id, &name) || !slice_has(second, ":"))
		return NULL;
	struct roster_gpu *g = roster_of(m, id);
	if (g == NULL || g->is_seen)
		return NULL;
	struct slice bus = slice_trim(second);
	if (slice_take(&bus, ' ', &second))
		slice_copy(second, g->bus_id, sizeof g->bus_id);
	for (size_t i = 0; i + 1 < name.n; i++) /* two blanks end the name */
		if (name.p[i] == ' ' && name.p[i + 1] == ' ')
			name.n = i;
	if (g->name[0] == '\0')
		slice_copy(name, g->name, sizeof g->name);
	return g;
}

/* "A / B", each with its unit; false where it is not so. */
static bool read_pair(struct slice text, const char *unit, double *a, double *b)
{
	struct slice rest;
	if (!slice_leading_number(text, a, &rest) || !slice_skip(&rest, unit))
		return false;
	rest = slice_trim(rest);
	return slice_skip(&rest, "/") && slice_leading_number(rest, b, &rest) && slice_is(rest, unit);
}

/* The words of "N/A    25C  66W / 380W", each known by its unit. */
static void read_words(struct slice text, const struct roster_gpu *g, struct findings *out)
{
	struct slice word, rest = slice_trim(text), unit;
	double       a = 0, b = 0;
	while (rest.n > 0) {
		struct slice here = rest;
		slice_take(&rest, ' ', &word);
		rest = slice_trim(rest);
		if (!slice_leading_number(word, &a, &unit))
			continue;
		if (slice_is(unit, "C"))
			put(out, g, &table_temperature, a);
		if (!slice_is(unit, "W"))
			continue;
		put(out, g, &table_power, a);
		if (read_pair(here, "W", &a, &b))
			put(out, g, &table_power_limit, b);
		return;
	}
}

/* "| N/A    25C  66W / 380W                       | 239MiB / 12216MiB          |      0%        Default |" */
static void read_state(struct slice line, const struct roster_gpu *g, struct findings *out)
{
	struct slice first, second, third, rest;
	double       a = 0, b = 0;
	if (!slice_skip(&line, "|") || !slice_take(&line, '|', &first) || !slice_take(&line, '|', &second) || !slice_take(&line, '|', &third))
		return;
	read_words(first, g, out);
	if (read_pair(second, "MiB", &a, &b) && a >= 0 && b > 0) {
		put(out, g, &table_used, a);
		put(out, g, &table_total, b);
		put(out, g, &table_memory, a / b);
	}
	if (slice_leading_number(third, &a, &rest) && slice_begins(rest, "%"))
		put(out, g, &table_engine, a);
}

static void read_table(struct slice text, struct roster *m, struct findings *out)
{
	struct slice       line;
	struct roster_gpu *g = NULL;
	while (slice_line(&text, &line)) {
		if (slice_has(line, "Processes:"))
			return;
		if (g != NULL) {
			g->is_seen = true;
			read_state(line, g, out);
			g = NULL;
		} else {
			g = read_device(line, m);
		}
	}
}

/* ---- discovery ---- */

static void copy_member(const cJSON *o, const char *name, char *to, size_t size)
{
	const cJSON *leaf = cJSON_GetObjectItemCaseSensitive(o, name);
	if (cJSON_IsString(leaf) && leaf->valuestring[0] != '\0' && strcmp(leaf->valuestring, "unknown") != 0)
		slice_copy(slice_of(leaf->valuestring), to, size);
}

static void read_device_list(const cJSON *tree, struct roster *m)
{
	const cJSON *list = cJSON_IsObject(tree) ? cJSON_GetObjectItemCaseSensitive(tree, "device_list") : tree, *entry;
	if (!cJSON_IsArray(list))
		return;
	cJSON_ArrayForEach(entry, list) {
		const cJSON *id = cJSON_IsObject(entry) ? cJSON_GetObjectItemCaseSensitive(entry, "device_id") : NULL;
		double       n = cJSON_IsNumber(id) ? id->valuedouble : -1;
		if (cJSON_IsString(id))
			slice_number(slice_of(id->valuestring), &n);
		struct roster_gpu *g = roster_of(m, n);
		if (g == NULL)
			continue;
		copy_member(entry, "device_name", g->name, sizeof g->name);
		copy_member(entry, "uuid", g->uuid, sizeof g->uuid);
		copy_member(entry, "pci_bdf_address", g->bus_id, sizeof g->bus_id);
		copy_member(entry, "serial_number", g->serial, sizeof g->serial);
		copy_member(entry, "driver_version", g->driver, sizeof g->driver);
	}
}

/* "| 0         | Device Name: Intel(R) ... |": the id stands in a device's first line alone. */
static void read_discovery_line(struct slice line, struct roster *m, struct roster_gpu **of)
{
	struct slice first, second, key;
	double       id = 0;
	if (!slice_skip(&line, "|") || !slice_take(&line, '|', &first) || !slice_take(&line, '|', &second))
		return;
	if (slice_number(slice_trim(first), &id))
		*of = roster_of(m, id);
	second = slice_trim(second);
	if (*of == NULL || !slice_until(&second, ":", &key))
		return;
	second = slice_trim(second);
	if (second.n == 0 || slice_is(second, "unknown"))
		return;
	if (slice_is(key, "Device Name"))
		slice_copy(second, (*of)->name, sizeof (*of)->name);
	else if (slice_is(key, "SOC UUID"))
		slice_copy(second, (*of)->uuid, sizeof (*of)->uuid);
	else if (slice_is(key, "PCI BDF Address"))
		slice_copy(second, (*of)->bus_id, sizeof (*of)->bus_id);
	else if (slice_is(key, "Driver Version"))
		slice_copy(second, (*of)->driver, sizeof (*of)->driver);
}

static void read_discovery(struct slice text, struct roster *m)
{
	static const struct json_limits limits = { .bytes = SECTION_MAX, .depth = 8, .values = 20000 };
	struct slice                    json = text, before, line;
	cJSON                          *tree = NULL;
	struct roster_gpu              *of = NULL;
	if (slice_until(&json, "{", &before)) {
		json = (struct slice){ json.p - 1, json.n + 1 };
		if (json_parse(json.p, json.n, &limits, &tree, NULL) == ERR_OK)
			read_device_list(tree, m);
		cJSON_Delete(tree);
		return;
	}
	while (slice_line(&text, &line))
		read_discovery_line(line, m, &of);
}

/* ---- the section ---- */

static const struct column fault = { NULL, "xpum_fault", NULL, NULL, 1, 1 };

static void put_roster(struct roster *m, struct findings *out)
{
	roster_tell(m, out);
	for (size_t i = 0; i < m->n; i++) {
		const struct roster_gpu *g = &m->gpus[i];
		const char *const        labels[] = { "dev_id", g->id, "dev_name", g->name, "driver_version", g->driver, "pci_bdf", g->bus_id,
			"serial", g->serial, "uuid", g->uuid, NULL };
		put(out, g, &fault, g->is_gone);
		if (g->is_seen)
			findings_put(out, "xpum_device_info", 1, labels);
	}
}

static enum err explain(const struct section *in, struct why *why)
{
	struct slice text = { in->text, in->n }, line = { .n = 0 };
	char         said[160];
	if (in->status == STATUS_NO_TIME || in->status == STATUS_KILLED)
		return why_set(why, ERR_FORMAT, "xpu-smi did not end in time; the driver may hang");
	if (slice_has(text, "No device") || slice_has(text, "no device"))
		return why_set(why, ERR_NOT_FOUND, "xpu-smi finds no GPU");
	if (slice_has(text, "Level Zero Initialization Error"))
		return why_set(why, ERR_FORMAT, "xpu-smi cannot use the GPUs: no driver, or this user is not in the group 'render'");
	while (slice_line(&text, &line) && (line.n == 0 || line.p[0] == '@'))
		continue;
	return why_set(why, ERR_FORMAT, "xpu-smi ended with status %d: '%s'", in->status, slice_copy(slice_trim(line), said, sizeof said));
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	enum { DUMP, TABLE, DISCOVERY, PARTS };
	static const char *const marks[PARTS] = { "@dump", "@table", "@discovery" };
	struct roster           *m = memory;
	struct slice             parts[PARTS];
	bool                     is_any = false;
	(void)s;
	slice_parts((struct slice){ in->text, in->n }, marks, PARTS, parts);
	if (in->status == STATUS_ABSENT && parts[DUMP].p == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is no xpu-smi");
	roster_begin(m);
	read_discovery(parts[DISCOVERY], m);
	read_dump(parts[DUMP], m, out);
	read_table(parts[TABLE], m, out);
	for (size_t i = 0; i < m->n; i++)
		is_any = is_any || m->gpus[i].is_seen;
	if (!is_any && roster_is_mute(m, in->status))
		for (size_t i = 0; i < m->n; i++)
			put(out, &m->gpus[i], &fault, 1);
	if (!is_any)
		return explain(in, why);
	m->n_late = 0;
	/* Names that are not to be had are not asked for again. */
	m->has_names = m->has_names || parts[DISCOVERY].p != NULL;
	if (!in->is_cut)
		put_roster(m, out);
	return ERR_OK;
}

static void ask(const void *memory, struct buf *argument)
{
	const struct roster *m = memory;
	if (m->has_names)
		buf_puts(argument, "named");
}

const struct source xpu_smi_source = {
	.name        = "xpu_smi",
	.summary     = "Intel GPUs, through xpu-smi",
	.script      = script,
	.absent_ms   = ABSENT_MS,
	.memory_size = sizeof(struct roster),
	.ask         = ask,
	.parse       = parse,
};
