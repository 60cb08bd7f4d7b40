/* SPDX-License-Identifier: Apache-2.0
 *
 * All drivers and their options as documentation: docs/deploying.md and pitwall-fleet(5) hold what is printed here. */
#ifndef PITWALL_DEPLOY_DESCRIBE_H
#define PITWALL_DEPLOY_DESCRIBE_H

#include "base/buf.h"
#include "base/err.h"

enum err drivers_print_markdown(struct buf *to);
enum err drivers_print_roff(struct buf *to);

#endif
