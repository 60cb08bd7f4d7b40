/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that compute on GPUs: nvidia-smi --query-compute-apps, asked for "uuid, pid, memory, name" in that order, since a name may
 * hold commas; and whose they are, which the script looks up in /proc. A process that uses several MIG instances of a GPU has as many
 * lines, with the GPU's uuid in each: their memory is added up. */
#include "collectors/source_nvidia.h"

#include <math.h>
#include <string.h>

#include "collectors/source_users.h"

enum { NAME_TEXT = 160, PID_TEXT = 16 };

struct app {
	const struct nvidia_gpu *gpu;
	char                     pid[PID_TEXT], name[NAME_TEXT], user[USER_TEXT];
	double                   bytes; /* NaN: not said */
};

static bool is_pid(struct slice s)
{
	bool is_number = s.n > 0 && s.n < PID_TEXT;
	for (size_t i = 0; i < s.n && is_number; i++)
		is_number = s.p[i] >= '0' && s.p[i] <= '9';
	return is_number;
}

/* False: not the line of a process on a GPU that is known. */
static bool read_app(struct slice line, struct slice users, struct nvidia_memory *m, struct app *a)
{
	struct slice uuid, pid, memory;
	char         text[NVIDIA_UUID];
	double       mib = NAN;
	if (!slice_take(&line, ',', &uuid) || !slice_take(&line, ',', &pid) || !slice_take(&line, ',', &memory))
		return false;
	pid = slice_trim(pid);
	a->gpu = nvidia_find(m, nvidia_uuid(slice_trim(uuid), text));
	if (a->gpu == NULL || !is_pid(pid))
		return false;
	slice_number(slice_trim(memory), &mib);
	a->bytes = mib * 1048576;
	slice_copy(pid, a->pid, sizeof a->pid);
	slice_copy(slice_trim(line), a->name, sizeof a->name);
	users_find(users, pid, a->user);
	return true;
}

static void put_app(const struct app *a, struct findings *out)
{
	const char *const labels[] = { "gpu", a->gpu->index, "pid", a->pid, "process_name", a->name, "user", a->user, "uuid", a->gpu->uuid,
		NULL };
	findings_put(out, "nvidia_smi_compute_app_info", 1, labels);
	findings_put(out, "nvidia_smi_compute_app_used_memory_bytes", a->bytes, labels);
}

/* Adds to what is there already of the same process on the same GPU. */
static bool adds_up(struct app *apps, size_t n, const struct app *a)
{
	for (size_t i = 0; i < n; i++) {
		if (apps[i].gpu != a->gpu || strcmp(apps[i].pid, a->pid) != 0)
			continue;
		apps[i].bytes = isnan(a->bytes) ? apps[i].bytes : isnan(apps[i].bytes) ? a->bytes : apps[i].bytes + a->bytes;
		return true;
	}
	return false;
}

void nvidia_read_apps(const struct nvidia_parts *in, struct nvidia_memory *m, struct findings *out)
{
	struct app   apps[NVIDIA_APPS_MAX];
	struct slice rest = in->apps, line;
	size_t       n = 0, lines = 0;
	while (lines++ < NVIDIA_APPS_MAX && slice_line(&rest, &line)) {
		if (read_app(line, in->users, m, &apps[n]) && !adds_up(apps, n, &apps[n]))
			n++;
	}
	for (size_t i = 0; i < n; i++)
		put_app(&apps[i], out);
	for (size_t i = 0; i < m->n_gpus; i++) {
		const struct nvidia_gpu *g = &m->gpus[i];
		const char *const        labels[] = { "gpu", g->index, "uuid", g->uuid, NULL };
		int                      of = 0;
		for (size_t k = 0; k < n; k++)
			of += apps[k].gpu == g;
		if (g->is_seen)
			findings_put(out, "nvidia_smi_compute_apps", of, labels);
	}
}
