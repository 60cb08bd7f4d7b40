/* SPDX-License-Identifier: Apache-2.0
 *
 * What nvidia-smi nvlink -s and -e say:
 *
 *     GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-...)
 *              Link 0: 26.562 GB/s                  or  Link 0: <inactive>
 *              Link 0: Replay Errors: 0
 *
 * or a sentence that there are no links. Kinds of errors differ between generations and are taken as they are called. A GPU has up to 18
 * links with up to a dozen counters each, all but always 0: they are summed over the links, and a link is named only where it has
 * errors. */
#include "collectors/source_nvidia.h"

#include <stdio.h>
#include <string.h>

enum { KINDS_MAX = 24, KIND_TEXT = 48 };

/* One GPU's links. */
struct links {
	struct nvidia_gpu *gpu;
	int                n_active, n_inactive;
	double             bytes_per_second;
	double             by_link[NVIDIA_LINKS_MAX]; /* errors of all kinds */
	struct {
		char   name[KIND_TEXT];
		double n;
	} kinds[KINDS_MAX];
	size_t n_kinds;
};

static void put_links(const struct links *l, struct findings *out)
{
	struct nvidia_gpu *g = l->gpu;
	char               link[16];
	const char        *labels[] = { "gpu", g->index, "uuid", g->uuid, NULL, NULL, NULL };
	if (l->n_active + l->n_inactive > 0) {
		findings_put(out, "nvidia_smi_nvlink_links_active", l->n_active, labels);
		findings_put(out, "nvidia_smi_nvlink_links_inactive", l->n_inactive, labels);
		findings_put(out, "nvidia_smi_nvlink_speed_bytes_per_second", l->bytes_per_second, labels);
		if (l->n_active < g->links_active)
			findings_event(out, 0, FINDING_WARN, "gpu", "GPU %s has %d NVLinks in use, and had %d", g->index, l->n_active,
				g->links_active);
		g->links_active = l->n_active;
	}
	labels[4] = "error";
	for (size_t i = 0; i < l->n_kinds; i++) {
		labels[5] = l->kinds[i].name;
		findings_put(out, "nvidia_smi_nvlink_errors_total", l->kinds[i].n, labels);
	}
	labels[4] = "link";
	for (size_t i = 0; i < NVIDIA_LINKS_MAX; i++) {
		snprintf(link, sizeof link, "%zu", i);
		labels[5] = link;
		if (l->by_link[i] > 0)
			findings_put(out, "nvidia_smi_nvlink_link_errors_total", l->by_link[i], labels);
	}
}

/* "Replay Errors" becomes "replay". False: it counts no errors, or is a rate of them. */
static bool read_kind(struct slice name, char to[KIND_TEXT])
{
	size_t n = 0;
	name = slice_trim(name);
	if (name.n >= 6 && slice_is((struct slice){ name.p + name.n - 6, 6 }, "Errors"))
		name.n -= 6;
	else if (!slice_has(name, "discards") && !slice_has(name, "failed"))
		return false;
	name = slice_trim(name);
	for (; n < name.n && n < KIND_TEXT - 1; n++) {
		char c = name.p[n];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		to[n] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : is_plain ? c : '_');
	}
	to[n] = '\0';
	return n > 0;
}

static void count_error(struct links *l, size_t link, struct slice name, struct slice value)
{
	char   kind[KIND_TEXT];
	double v = 0;
	size_t i = 0;
	if (!slice_number(slice_trim(value), &v) || v < 0 || !read_kind(name, kind))
		return;
	l->by_link[link] += v;
	while (i < l->n_kinds && strcmp(l->kinds[i].name, kind) != 0)
		i++;
	if (i == KINDS_MAX)
		return;
	if (i == l->n_kinds)
		memcpy(l->kinds[l->n_kinds++].name, kind, sizeof kind);
	l->kinds[i].n += v;
}

/* Behind "Link ". */
static void read_link(struct slice text, struct links *l)
{
	struct slice number, name, unit;
	double       link = 0, speed = 0;
	if (!slice_until(&text, ":", &number) || !slice_number(slice_trim(number), &link) || !(link >= 0 && link < NVIDIA_LINKS_MAX))
		return;
	text = slice_trim(text);
	if (slice_until(&text, ":", &name)) {
		count_error(l, (size_t)link, name, text);
	} else if (slice_is(text, "<inactive>")) {
		l->n_inactive += l->n_inactive < NVIDIA_LINKS_MAX;
	} else if (slice_leading_number(text, &speed, &unit) && slice_is(unit, "GB/s") && speed >= 0) {
		l->n_active += l->n_active < NVIDIA_LINKS_MAX;
		l->bytes_per_second += speed * 1e9;
	}
}

/* "GPU 0: NAME (UUID: GPU-...)" */
static struct nvidia_gpu *read_gpu(struct slice line, struct nvidia_memory *m)
{
	struct slice before, uuid;
	char         text[NVIDIA_UUID];
	if (!slice_begins(line, "GPU ") || !slice_until(&line, "(UUID: ", &before) || !slice_until(&line, ")", &uuid))
		return NULL;
	return nvidia_find(m, nvidia_uuid(uuid, text));
}

/* -s and -e list the GPUs one after the other, each on its own: both are gone through for each GPU, and what they say is put together. */
void nvidia_read_nvlink(struct slice text, struct nvidia_memory *m, struct findings *out)
{
	for (size_t i = 0; i < m->n_gpus; i++) {
		struct links       l = { .gpu = &m->gpus[i] };
		struct slice       rest = text, line;
		struct nvidia_gpu *of = NULL;
		while (slice_line(&rest, &line)) {
			struct slice entry = slice_trim(line);
			if (slice_begins(line, "GPU "))
				of = read_gpu(line, m);
			else if (of == l.gpu && slice_skip(&entry, "Link "))
				read_link(entry, &l);
		}
		if (l.gpu->is_seen)
			put_links(&l, out);
	}
}
