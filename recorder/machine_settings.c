/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/machine_settings.h"

#include <stdlib.h>

void machine_settings_rebind(struct machine_settings *m, const struct fleet_ssh *from)
{
	for (size_t i = 0; i < from->n_execs; i++) {
		const struct fleet_exec *e = &from->execs[i];
		m->execs[i] = (struct source_exec){ .name = e->name, .argv = e->argv, .n_argv = e->n_argv, .format = e->format, .paths = e->paths,
			                                .n_paths = e->n_paths };
	}
	m->sources = (struct source_settings){ .units = from->units, .n_units = from->n_units, .logs = from->logs, .n_logs = from->n_logs,
		                                   .execs = m->execs, .n_execs = from->n_execs };
}

enum err machine_settings_take(struct machine_settings *m, const struct fleet_ssh *from, struct why *why)
{
	m->execs = calloc(from->n_execs + 1, sizeof *m->execs);
	if (m->execs == NULL)
		return why_memory(why);
	machine_settings_rebind(m, from);
	return ERR_OK;
}

void machine_settings_release(struct machine_settings *m)
{
	free(m->execs);
	*m = (struct machine_settings){ .execs = NULL };
}
