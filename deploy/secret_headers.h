/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers whose values are secrets, of driver http: the file says where each value is, it is looked up when a request is sent, and goes with all of the scope's requests, as `auth`
 * does. */
#ifndef PITWALL_DEPLOY_SECRET_HEADERS_H
#define PITWALL_DEPLOY_SECRET_HEADERS_H

#include "base/yaml.h"
#include "deploy/login.h"
#include "deploy/option.h"

#include <stdbool.h>

#define SECRET_HEADERS "secret_headers" /* the option */

/* What the option holds: NAME: { env: VARIABLE }, { file: PATH } or { command: [ WORD, ... ] }. NULL is fine. */
enum err secret_headers_check(const struct yaml_node *tree, struct why *why);
/* Whether these settings have any. Of a driver without the option: none. */
bool     secret_headers_are_given(const struct settings *s);
/* Appends them to the login; may block. On failure some may be there, the caller's to release. */
enum err secret_headers_read(const struct settings *s, struct login *to, struct why *why);

#endif
