/* SPDX-License-Identifier: Apache-2.0 */
#include "app/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/paths.h"
#include "base/clock.h"
#include "base/diagnostics.h"
#include "base/log.h"

static void print_mistakes(const struct diagnostics *d)
{
	struct buf text;
	buf_init(&text, 4 * 1024 * 1024);
	if (diagnostics_print(d, &text) == ERR_OK)
		fputs(buf_text(&text), stderr);
	buf_release(&text);
}

enum err context_init(struct context *c, const struct cli *cli, struct why *why)
{
	*c = (struct context){ 0 };
	diagnostics_init(&c->mistakes);
	buf_init(&c->store, PATH_BYTES);
	enum err e = ERR_OK;
	if (cli_value(cli, "log") != NULL)
		e = log_open(cli_value(cli, "log"), LEVEL_INFO, 0, clock_system(), &c->log, why);
	if (e == ERR_OK)
		e = profiles_load(NULL, 0, &c->mistakes, &c->profiles, why);
	if (e == ERR_OK)
		e = path_store(cli_value(cli, "store"), &c->store, why);
	if (e != ERR_OK)
		context_release(c);
	return e;
}

static enum err follow_store_setting(struct context *c, const struct cli *cli, struct why *why)
{
	const char *env = getenv("PITWALL_STORE");
	if (c->fleet->store[0] == '\0' || cli_value(cli, "store") != NULL || (env != NULL && env[0] != '\0'))
		return ERR_OK;
	buf_clear(&c->store);
	enum err e = buf_puts(&c->store, c->fleet->store);
	return e == ERR_OK ? e : why_set(why, e, "the path of the store is too long");
}

/* The console says it on its empty screen; here it would be painted over. */
static enum err default_fleet(struct context *c, const struct cli *cli, struct why *why)
{
	if (cli->command->name[0] != '\0')
		fputs("pitwall: no fleet file: what answers on this machine's well-known ports is watched; 'man pitwall-fleet' tells more\n", stderr);
	return fleet_default(c->profiles, &c->fleet, why);
}

enum err context_fleet(struct context *c, const struct cli *cli, struct why *why)
{
	char *path = NULL;
	enum err e = fleet_find(cli_value(cli, "config"), &path, why);
	if (e == ERR_OK)
		e = fleet_read(path, c->profiles, &c->mistakes, &c->fleet, why);
	else if (e == ERR_NOT_FOUND && cli_value(cli, "config") == NULL && getenv("PITWALL_CONFIG") == NULL)
		e = default_fleet(c, cli, why);
	print_mistakes(&c->mistakes);
	free(path);
	if (e == ERR_OK)
		e = follow_store_setting(c, cli, why);
	return e;
}

void context_release(struct context *c)
{
	fleet_free(c->fleet);
	profiles_free(c->profiles);
	diagnostics_release(&c->mistakes);
	log_close(c->log);
	buf_release(&c->store);
	*c = (struct context){ 0 };
}
