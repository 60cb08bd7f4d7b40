/* SPDX-License-Identifier: Apache-2.0
 *
 * Which GPU a series is about. Several targets of a node may tell of the same GPU (its server, an exporter, the machine itself): it is one GPU,
 * and is counted once. */
#ifndef PITWALL_TUI_GPU_KEY_H
#define PITWALL_TUI_GPU_KEY_H

#include "base/labels.h"
#include "rules/signal.h"
#include "tui/fleet_state_private.h"

#include <stdbool.h>

struct gpu_key {
	const char *gpu, *uuid; /* lent; "" where it is not said */
};

struct gpu_key gpu_key_of(const struct labels *series);
bool           gpu_key_is_empty(struct gpu_key k);

/* By their uuids where both have one. A server that calls a GPU by its uuid in `gpu` means that one. A GPU without a uuid is the one of the
 * same index of another target; within a target it is one of its own. */
bool gpu_key_same(struct gpu_key a, struct gpu_key b, bool is_one_target);

/* The signals that have a value for each GPU. */
bool signal_is_of_gpu(enum signal_id id);

/* Whether `other` has a value of the same signal of the GPU that cell `i` of `t` is about, and is to be believed rather: one that is not late
 * before one that is, else the one with the lower id. */
bool gpu_is_told_by(const struct fleet_state *s, const struct target_state *other, const struct target_state *t, size_t i);

/* Whether `other`, with a lower id, tells of that signal of all GPUs that `t` tells of. */
bool gpu_all_told_by(const struct target_state *other, const struct target_state *t, enum signal_id id);

#endif
