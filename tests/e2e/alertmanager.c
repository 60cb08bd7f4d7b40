/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/alertmanager.h"

#include <stddef.h>

static const struct service_kind kind = {
	.title = "Alertmanager", .variable = "PITWALL_ALERTMANAGER", .names = { "prometheus-alertmanager", "alertmanager", NULL },
	.storage = "--storage.path", .more = "--cluster.listen-address=",
};

bool alertmanager_is_there(void) { return service_is_there(&kind); }

enum err alertmanager_start(const char *config, struct service **out, struct why *why)
{
	struct service *s = NULL;
	enum err e = service_new(&kind, &s, why);
	if (e == ERR_OK)
		e = service_write(s, "config.yml", config, why);
	if (e == ERR_OK)
		e = service_start(s, why);
	if (e == ERR_OK)
		*out = s;
	else
		service_stop(s);
	return e;
}
