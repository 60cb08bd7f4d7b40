/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of deployments, the same on all screens. */
#ifndef PITWALL_TUI_DEPLOYS_TEXT_H
#define PITWALL_TUI_DEPLOYS_TEXT_H

#include "base/buf.h"
#include "tui/deploys_data.h"
#include "tui/role.h"
#include "tui/view.h"

#include <stdbool.h>
#include <stdint.h>

uint32_t  deploy_glyph(enum deployment_state s);
enum role deploy_role(enum deployment_state s);

/* "rollback of ranker", "redeploy of gpu-a-07 (ranker)". */
enum err deploy_name(const struct deployment_row *r, struct buf *to);

/* The line that every screen has while a deployment holds its model or waits for a second person: "rollback of ranker: wave 2 of 4, 15 steps done",
 * "unfinished: rollback of ranker, interrupted 3m ago". Returns false where there is nothing to say. */
bool deploys_banner(const struct view *v, struct buf *to, enum role *role);

/* The newest that waits for a person (see deployment_is_unfinished); NULL: none. */
const struct deploy_item *deploys_unfinished(const struct deploys_view *v);
/* The one that holds that model, or waits to; NULL: none. */
const struct deploy_item *deploys_holder(const struct deploys_view *v, const char *model);
const struct deploy_item *deploys_find(const struct deploys_view *v, int64_t id);

/* The answer for just that one; NULL: it has not come. */
const struct deploy_detail *deploy_detail_of(const struct view *v, int64_t id);

#endif
