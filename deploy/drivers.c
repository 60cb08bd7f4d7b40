/* SPDX-License-Identifier: Apache-2.0
 *
 * All drivers: the one place that knows them all. */
#include "deploy/drivers.h"

#include <string.h>

static const struct driver *const drivers[] = {
	&command_driver,
	&compose_driver,
	&docker_driver,
	&http_driver,
	&kubernetes_driver,
	&ray_driver,
	&release_symlink_driver,
	&systemd_driver,
	&tfserving_driver,
	&torchserve_driver,
	&triton_driver,
	&vllm_driver,
	NULL, /* the end */
};

const struct driver *driver_at(size_t i)
{
	return i < sizeof drivers / sizeof drivers[0] ? drivers[i] : NULL;
}

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}
