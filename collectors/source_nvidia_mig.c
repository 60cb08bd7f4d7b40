/* SPDX-License-Identifier: Apache-2.0
 *
 * MIG instances: their names and uuids come from nvidia-smi -L, a line each below their GPU's; their memory only from -q -x, of which the
 * script keeps the elements <gpu id="BUS ID"> and <mig_device>. The two meet in GPU and device index.
 *
 *     GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-...)
 *       MIG 3g.40gb     Device  0: (UUID: MIG-...) */
#include "collectors/source_nvidia.h"

#include <string.h>

#include "collectors/xid.h"

enum { INSTANCES_MAX = 256 };

struct instance {
	const struct nvidia_gpu *gpu;
	char                     index[8], profile[32], uuid[NVIDIA_UUID];
};

struct instances {
	struct instance rows[INSTANCES_MAX];
	size_t          n;
};

/* Of one <mig_device>. Sizes in bytes, counts; negative: not said. */
struct device {
	const struct nvidia_gpu *gpu;
	char                     index[8], gpu_instance[8], compute_instance[8];
	double                   total, used, free, uncorrectable;
};

/* ---- nvidia-smi -L ---- */

static void read_list_line(struct slice line, struct nvidia_memory *m, struct nvidia_gpu **of, struct instances *all)
{
	struct slice before, profile, index, uuid, entry = slice_trim(line);
	char         text[NVIDIA_UUID];
	if (slice_begins(line, "GPU ")) {
		*of = slice_until(&line, "(UUID: ", &before) && slice_until(&line, ")", &uuid) ? nvidia_find(m, nvidia_uuid(uuid, text)) : NULL;
		return;
	}
	if (*of == NULL || all->n == INSTANCES_MAX || !slice_skip(&entry, "MIG ") || !slice_until(&entry, "Device", &profile) ||
	    !slice_until(&entry, ":", &index) || !slice_until(&entry, "(UUID: ", &before) || !slice_until(&entry, ")", &uuid))
		return;
	struct instance *i = &all->rows[all->n++];
	i->gpu = *of;
	slice_copy(slice_trim(profile), i->profile, sizeof i->profile);
	slice_copy(slice_trim(index), i->index, sizeof i->index);
	slice_copy(uuid, i->uuid, sizeof i->uuid);
}

/* ---- nvidia-smi -q -x ---- */

static const struct instance *find_instance(const struct instances *all, const struct device *d)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->rows[i].gpu == d->gpu && strcmp(all->rows[i].index, d->index) == 0)
			return &all->rows[i];
	return NULL;
}

static void put_device(const struct device *d, const struct instances *all, struct findings *out)
{
	const struct instance *i = find_instance(all, d);
	if (d->gpu == NULL || !d->gpu->is_seen || d->index[0] == '\0')
		return;
	const char *const labels[] = { "gpu", d->gpu->index, "mig", d->index, "mig_uuid", i == NULL ? NULL : i->uuid, "profile",
		i == NULL ? NULL : i->profile, "uuid", d->gpu->uuid, NULL };
	const char *const info[] = { "compute_instance_id", d->compute_instance, "gpu", d->gpu->index, "gpu_instance_id", d->gpu_instance,
		"mig", d->index, "mig_uuid", i == NULL ? NULL : i->uuid, "profile", i == NULL ? NULL : i->profile, "uuid", d->gpu->uuid, NULL };
	findings_put(out, "nvidia_smi_mig_info", 1, info);
	if (d->total >= 0)
		findings_put(out, "nvidia_smi_mig_memory_total_bytes", d->total, labels);
	if (d->used >= 0)
		findings_put(out, "nvidia_smi_mig_memory_used_bytes", d->used, labels);
	if (d->free >= 0)
		findings_put(out, "nvidia_smi_mig_memory_free_bytes", d->free, labels);
	if (d->uncorrectable >= 0)
		findings_put(out, "nvidia_smi_mig_ecc_errors_uncorrected_volatile_sram", d->uncorrectable, labels);
}

static double mebibytes(struct slice text, double before)
{
	struct slice unit;
	double       v = 0;
	return slice_leading_number(text, &v, &unit) && slice_is(unit, "MiB") && v >= 0 ? v * 1048576 : before;
}

/* What an element within <mig_device> says; `within` is the name of the element around it. */
static void read_element(struct slice name, struct slice text, struct slice within, struct device *d)
{
	double n = 0;
	if (slice_is(name, "index"))
		slice_copy(text, d->index, sizeof d->index);
	else if (slice_is(name, "gpu_instance_id"))
		slice_copy(text, d->gpu_instance, sizeof d->gpu_instance);
	else if (slice_is(name, "compute_instance_id"))
		slice_copy(text, d->compute_instance, sizeof d->compute_instance);
	else if (slice_is(name, "sram_uncorrectable") && slice_number(text, &n))
		d->uncorrectable = n;
	else if (!slice_is(within, "fb_memory_usage"))
		return;
	else if (slice_is(name, "total"))
		d->total = mebibytes(text, d->total);
	else if (slice_is(name, "used"))
		d->used = mebibytes(text, d->used);
	else if (slice_is(name, "free"))
		d->free = mebibytes(text, d->free);
}

static const struct nvidia_gpu *find_bus(const struct nvidia_memory *m, struct slice tag)
{
	struct slice before, id;
	char         text[32];
	if (!slice_until(&tag, "\"", &before) || !slice_until(&tag, "\"", &id))
		return NULL;
	slice_copy(id, text, sizeof text);
	for (size_t i = 0; i < m->n_gpus; i++)
		if (xid_same_bus(m->gpus[i].bus_id, text))
			return &m->gpus[i];
	return NULL;
}

/* Tags in their order; an element that holds others is remembered only by name. */
static void read_elements(struct slice xml, const struct nvidia_memory *m, const struct instances *all, struct findings *out)
{
	struct device            d = { .gpu = NULL };
	struct slice             before, tag, open = { .n = 0 }, within = { .n = 0 };
	const struct nvidia_gpu *of = NULL;
	bool                     is_inside = false;
	size_t                   n = 0;
	while (n < INSTANCES_MAX && slice_until(&xml, "<", &before) && slice_until(&xml, ">", &tag)) {
		if (slice_begins(tag, "gpu id=")) {
			of = find_bus(m, tag);
			is_inside = false;
		} else if (slice_is(tag, "mig_device")) {
			d = (struct device){ .gpu = of, .total = -1, .used = -1, .free = -1, .uncorrectable = -1 };
			is_inside = true;
		} else if (slice_is(tag, "/mig_device")) {
			if (is_inside)
				put_device(&d, all, out);
			n += is_inside;
			is_inside = false;
		} else if (slice_skip(&tag, "/")) {
			if (is_inside && open.n > 0 && tag.n == open.n && memcmp(tag.p, open.p, tag.n) == 0)
				read_element(tag, slice_trim(before), within, &d);
			open.n = 0;
		} else {
			/* An element that opens right within another one: that is the one around it. */
			if (open.n > 0)
				within = open;
			open = tag;
		}
	}
}

void nvidia_read_mig(struct slice text, struct nvidia_memory *m, struct findings *out)
{
	struct instances   all = { .n = 0 };
	struct slice       rest = text, line;
	struct nvidia_gpu *of = NULL;
	while (slice_line(&rest, &line) && !slice_begins(slice_trim(line), "<"))
		read_list_line(line, m, &of, &all);
	read_elements(text, m, &all, out);
	/* An instance whose memory was not told is there all the same. */
	for (size_t i = 0; i < all.n && !slice_has(text, "<mig_device>"); i++) {
		struct device d = { .gpu = all.rows[i].gpu, .total = -1, .used = -1, .free = -1, .uncorrectable = -1 };
		memcpy(d.index, all.rows[i].index, sizeof d.index);
		put_device(&d, &all, out);
	}
}
