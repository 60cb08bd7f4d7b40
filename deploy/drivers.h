/* SPDX-License-Identifier: Apache-2.0
 *
 * The drivers' records, one a file. Private to deploy/: all else asks driver_find. */
#ifndef PITWALL_DEPLOY_DRIVERS_H
#define PITWALL_DEPLOY_DRIVERS_H

#include "deploy/driver.h"

extern const struct driver command_driver;
extern const struct driver compose_driver;
extern const struct driver docker_driver;
extern const struct driver http_driver;
extern const struct driver kubernetes_driver;
extern const struct driver ray_driver;
extern const struct driver release_symlink_driver;
extern const struct driver systemd_driver;
extern const struct driver tfserving_driver;
extern const struct driver torchserve_driver;
extern const struct driver triton_driver;
extern const struct driver vllm_driver;

#endif
