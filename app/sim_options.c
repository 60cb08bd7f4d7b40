/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim_options.h"

#include <stdint.h>
#include <string.h>

#include "base/num.h"

static enum err number(const struct cli *c, const char *option, int64_t min, int64_t max, int64_t *out, struct why *why)
{
	const char *text = cli_value(c, option);
	if (text == NULL || parse_i64(text, min, max, out) == ERR_OK)
		return ERR_OK;
	return why_set(why, ERR_USAGE, "--%s wants a number from %lld to %lld, not '%s'", option, (long long)min, (long long)max, text);
}

enum err sim_from_cli(const struct cli *c, const struct clock *clock, struct sim **out, struct why *why)
{
	int64_t nodes = SIM_NODES_DEMO, seed = 1, port = 0;
	const char *incidents[CLI_OPTIONS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < c->n_options; i++)
		if (strcmp(c->options[i].name, "incident") == 0)
			incidents[n++] = c->options[i].value;
	enum err e = number(c, "nodes", SIM_NODES_MIN, SIM_NODES_MAX, &nodes, why);
	if (e == ERR_OK)
		e = number(c, "seed", 0, INT64_MAX, &seed, why);
	if (e == ERR_OK)
		e = number(c, "port", 1024, 65535, &port, why);
	if (e != ERR_OK)
		return e;
	const struct sim_options o = { .nodes = (int)nodes, .seed = (uint64_t)seed, .first_port = (int)port, .incidents = incidents,
		                       .n_incidents = n, .clock = clock };
	return sim_new(&o, out, why);
}
