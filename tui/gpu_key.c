/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/gpu_key.h"

#include <math.h>
#include <string.h>

struct gpu_key gpu_key_of(const struct labels *series)
{
	return (struct gpu_key){ .gpu = labels_get(series, "gpu"), .uuid = labels_get(series, "uuid") };
}

bool gpu_key_is_empty(struct gpu_key k)
{
	return k.gpu[0] == '\0' && k.uuid[0] == '\0';
}

bool gpu_key_same(struct gpu_key a, struct gpu_key b, bool is_one_target)
{
	bool has_a = a.uuid[0] != '\0', has_b = b.uuid[0] != '\0';
	if (has_a && has_b)
		return strcmp(a.uuid, b.uuid) == 0;
	if ((has_a && strcmp(a.uuid, b.gpu) == 0) || (has_b && strcmp(b.uuid, a.gpu) == 0))
		return true;
	return a.gpu[0] != '\0' && strcmp(a.gpu, b.gpu) == 0 && (!is_one_target || has_a == has_b);
}

bool signal_is_of_gpu(enum signal_id id)
{
	return id == SIGNAL_GPU_UTIL || id == SIGNAL_GPU_MEMORY || id == SIGNAL_GPU_TEMP || id == SIGNAL_GPU_POWER;
}

/* `with_value`: NaNs do not count. */
static bool tells(const struct target_state *other, enum signal_id id, struct gpu_key key, bool with_value)
{
	for (size_t k = 0; k < other->n; k++)
		if (other->signals[k] == id && !(with_value && isnan(other->values[k])) &&
		    gpu_key_same(gpu_key_of(layout_series(other->layout, k)), key, false))
			return true;
	return false;
}

bool gpu_is_told_by(const struct fleet_state *s, const struct target_state *other, const struct target_state *t, size_t i)
{
	if (other == t || !target_is_fresh(s, other))
		return false;
	bool late = target_is_late(s, t), other_late = target_is_late(s, other);
	if (other_late != late ? other_late : other->id > t->id)
		return false;
	return tells(other, (enum signal_id)t->signals[i], gpu_key_of(layout_series(t->layout, i)), true);
}

bool gpu_all_told_by(const struct target_state *other, const struct target_state *t, enum signal_id id)
{
	bool is_any = false;
	if (other->id >= t->id || other->history[id] == NULL || t->history[id] == NULL)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->signals[i] != id)
			continue;
		if (!tells(other, id, gpu_key_of(layout_series(t->layout, i)), false))
			return false;
		is_any = true;
	}
	return is_any;
}
