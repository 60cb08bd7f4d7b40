/* SPDX-License-Identifier: Apache-2.0
 *
 * AMD's GPUs, through amd-smi, or its predecessor rocm-smi where amd-smi is missing or says nothing of use (it is strict about versions of
 * driver and library). Both are Python and take a second or so: names and uuids, which cost runs of their own, are asked for once. */
#include "collectors/source_amd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "collectors/source_gpu.h"
#include "collectors/source_users.h"

enum { ABSENT_MS = 600000, STATUS_NO_TIME = 124, STATUS_KILLED = 137, STATUS_ABSENT = 127 };

static const char script[] =
	"PATH=$PATH:/opt/rocm/bin\n"
	"said= rc=127\n"
	"if command -v amd-smi >/dev/null 2>&1; then\n"
	"	said=$(bounded amd-smi metric --json 2>&1)\n"
	"	rc=$?\n"
	"	printf '@metric\\n%s\\n' \"$said\"\n"
	"fi\n"
	"case $said in\n"
	"*'\"gpu\"'*)\n"
	"	case ,$1, in *,named,*) ;; *)\n"
	"		echo @list\n"
	"		bounded amd-smi list --json 2>&1\n"
	"		echo @static\n"
	"		bounded amd-smi static --asic --bus --driver --json 2>&1 ;;\n"
	"	esac\n"
	"	said=$(bounded amd-smi process --json 2>&1) || said=\n"
	"	pids=$(printf '%s\\n' \"$said\" | sed -n 's/.*\"pid\": *\\([0-9][0-9]*\\).*/\\1/p')\n"
	"	" USERS_SCRIPT
	"	printf '@process\\n%s\\n' \"$said\" ;;\n"
	"*)\n"
	"	[ $rc -ne 124 ] && [ $rc -ne 137 ] && command -v rocm-smi >/dev/null 2>&1 || return $rc\n"
	"	echo @rocm\n"
	"	bounded rocm-smi --showid --showuniqueid --showserial --showproductname --showbus --showdriverversion --showuse --showmemuse \\\n"
	"		--showmeminfo vram --showtemp --showpower --showmaxpower --showclocks --showfan --showreplaycount --json 2>&1\n"
	"	rc=$? ;;\n"
	"esac\n"
	"return $rc\n";

/* ---- what both tools have in common ---- */

/* From the first line that begins as JSON to the last one that ends so: warnings stand before and behind, and may hold brackets too. */
static struct slice find_json(struct slice text)
{
	struct slice rest = text, line;
	const char  *begin = NULL, *end = NULL;
	while (slice_line(&rest, &line)) {
		struct slice l = slice_trim(line);
		if (l.n == 0)
			continue;
		if (begin == NULL && (l.p[0] == '{' || l.p[0] == '['))
			begin = l.p;
		if (begin != NULL && (l.p[l.n - 1] == '}' || l.p[l.n - 1] == ']'))
			end = l.p + l.n;
	}
	return begin == NULL || end == NULL ? (struct slice){ .n = 0 } : (struct slice){ begin, (size_t)(end - begin) };
}

enum err amd_json(struct slice text, struct cJSON **out, struct why *why)
{
	static const struct json_limits limits = { .bytes = SECTION_MAX, .depth = 24, .values = 60000 };
	struct slice                    json = find_json(text);
	*out = NULL;
	return json.n == 0 ? ERR_OK : json_parse(json.p, json.n, &limits, out, why);
}

static double number_in(const char *text)
{
	struct slice s = slice_trim(slice_of(text));
	double       v = NAN;
	slice_skip(&s, "(");
	return slice_leading_number(s, &v, NULL) ? v : (double)NAN;
}

double amd_number(const struct cJSON *leaf, const char **unit)
{
	*unit = "";
	if (cJSON_IsObject(leaf)) {
		const cJSON *u = cJSON_GetObjectItemCaseSensitive(leaf, "unit");
		if (cJSON_IsString(u))
			*unit = u->valuestring;
		leaf = cJSON_GetObjectItemCaseSensitive(leaf, "value");
	}
	if (cJSON_IsNumber(leaf))
		return leaf->valuedouble;
	return cJSON_IsString(leaf) ? number_in(leaf->valuestring) : (double)NAN;
}

void amd_put(struct findings *out, const struct roster_gpu *g, const char *metric, double value, const char *more, const char *more_value)
{
	const char *labels[] = { "card_series", g->name, "gpu_id", g->id, "gpu_uuid", g->uuid, more, more_value, NULL };
	if (isfinite(value))
		findings_put(out, metric, value, labels);
}

/* ---- the section ---- */

static void put_roster(struct roster *m, struct findings *out)
{
	roster_tell(m, out);
	for (size_t i = 0; i < m->n; i++) {
		const struct roster_gpu *g = &m->gpus[i];
		const char *const        labels[] = { "card_series", g->name, "driver_version", g->driver, "gpu_id", g->id, "gpu_uuid", g->uuid,
			"pci_bdf", g->bus_id, "serial_number", g->serial, NULL };
		amd_put(out, g, "amd_gpu_fault", g->is_gone, NULL, NULL);
		if (g->is_seen)
			findings_put(out, "amd_gpu_info", 1, labels);
	}
}

static enum err explain(const struct section *in, struct why *why)
{
	static const struct {
		const char *said, *means;
	} rows[] = {
		{ "amdgpu not found in modules", "the driver 'amdgpu' is not loaded" },
		{ "Driver not initialized", "the driver 'amdgpu' is not loaded" },
		{ "Permission denied", "this user may not use the GPUs; add it to the groups 'render' and 'video'" },
		{ "No such file or directory: '/sys/class/kfd", "the driver 'amdgpu' is not loaded" },
	};
	struct slice text = { in->text, in->n }, line = { .n = 0 }, last = { .n = 0 };
	char         said[160];
	if (in->status == STATUS_NO_TIME || in->status == STATUS_KILLED)
		return why_set(why, ERR_FORMAT, "the GPUs' tool did not end in time; the driver may hang");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (slice_has(text, rows[i].said))
			return why_set(why, ERR_FORMAT, "%s", rows[i].means);
	while (slice_line(&text, &line)) /* a Python program says in its last line why it failed */
		if (line.n > 0 && line.p[0] != '@')
			last = line;
	return why_set(why, ERR_FORMAT, "the GPUs' tool ended with status %d: '%s'", in->status, slice_copy(slice_trim(last), said, sizeof said));
}

enum { METRIC, LIST, STATIC, USERS, PROCESS, ROCM, PARTS };

static enum err read_names(struct slice part, struct roster *m)
{
	cJSON   *tree = NULL;
	enum err e = amd_json(part, &tree, NULL);
	if (e == ERR_OK && tree != NULL)
		amd_smi_names(tree, m);
	cJSON_Delete(tree);
	return e;
}

static enum err read_parts(const struct slice parts[PARTS], struct roster *m, struct findings *out, size_t *n, struct why *why)
{
	cJSON *metric = NULL, *process = NULL, *rocm = NULL;
	if (parts[LIST].p != NULL || parts[STATIC].p != NULL) {
		/* Of a tool that can't tell a name the values count all the same. */
		read_names(parts[LIST], m);
		read_names(parts[STATIC], m);
	}
	enum err e = amd_json(parts[METRIC], &metric, why);
	if (e == ERR_OK && metric != NULL)
		amd_smi_values(metric, m, out, n);
	if (*n == 0 && parts[ROCM].p != NULL)
		e = amd_json(parts[ROCM], &rocm, why);
	if (rocm != NULL)
		rocm_smi_values(rocm, m, out, n);
	if (*n > 0 && amd_json(parts[PROCESS], &process, NULL) == ERR_OK && process != NULL)
		amd_smi_processes(process, parts[USERS], m, out);
	cJSON_Delete(metric);
	cJSON_Delete(process);
	cJSON_Delete(rocm);
	return e;
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	static const char *const marks[PARTS] = { "@metric", "@list", "@static", "@users", "@process", "@rocm" };
	struct roster       *m = memory;
	struct slice             parts[PARTS];
	size_t                   n = 0;
	(void)s;
	slice_parts((struct slice){ in->text, in->n }, marks, PARTS, parts);
	if (in->status == STATUS_ABSENT && parts[METRIC].p == NULL && parts[ROCM].p == NULL)
		return why_set(why, ERR_NOT_FOUND, "there is neither amd-smi nor rocm-smi");
	if (in->is_cut)
		return why_set(why, ERR_FORMAT, "the GPUs' tool said more than %d bytes", SECTION_MAX);
	roster_begin(m);
	enum err e = read_parts(parts, m, out, &n, why);
	if (n > 0) {
		m->n_late = 0;
		/* Names that are not to be had are not asked for again. */
		m->has_names = m->has_names || parts[LIST].p != NULL || parts[ROCM].p != NULL;
		put_roster(m, out);
		return ERR_OK;
	}
	if (roster_is_mute(m, in->status))
		for (size_t i = 0; i < m->n; i++)
			amd_put(out, &m->gpus[i], "amd_gpu_fault", 1, NULL, NULL);
	if (e != ERR_OK)
		return why_prefix(why, ERR_FORMAT, "the GPUs' tool");
	if (in->status == 0 && m->n == 0)
		return why_set(why, ERR_NOT_FOUND, "there is no AMD GPU");
	return explain(in, why);
}

static void ask(const void *memory, struct buf *argument)
{
	const struct roster *m = memory;
	if (m->has_names)
		buf_puts(argument, "named");
}

const struct source amd_smi_source = {
	.name        = "amd_smi",
	.summary     = "AMD GPUs, through amd-smi or rocm-smi",
	.script      = script,
	.absent_ms   = ABSENT_MS,
	.memory_size = sizeof(struct roster),
	.ask         = ask,
	.parse       = parse,
};
