/* SPDX-License-Identifier: Apache-2.0
 *
 * A request that goes out from the machine itself, by its curl or python3, whichever is there. Part of deploy/remote.h. */
#ifndef PITWALL_DEPLOY_REMOTE_HTTP_H
#define PITWALL_DEPLOY_REMOTE_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "deploy/ask.h"
#include "deploy/login.h"

#include <stdint.h>

/* Appends the part of the program that sends it. What is secret stands in the program alone, never in an argv or a file there; the body comes through standard input. */
enum err remote_http_program(const struct ask *a, const struct login *login, int64_t limit_s, struct buf *program, struct why *why);

#endif
