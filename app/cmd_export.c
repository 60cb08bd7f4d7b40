/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall export: a time range of a store as a file of its own. */
#include "app/commands.h"

#include <stdio.h>

#include "app/paths.h"
#include "base/clock.h"
#include "store/export.h"
#include "store/reader.h"

static enum err time_option(const struct cli *c, const char *option, int64_t otherwise, int64_t *out, struct why *why)
{
	const char *text = cli_value(c, option);
	if (text == NULL) {
		*out = otherwise;
		return ERR_OK;
	}
	enum err e = parse_time(text, clock_wall_ms(clock_system()), out, why);
	return e == ERR_OK ? e : why_prefix(why, ERR_USAGE, "--%s", option);
}

static enum err bounds(const char *path, int64_t *first_ms, int64_t *last_ms, struct why *why)
{
	struct reader *r = NULL;
	enum err e = reader_open(path, READER_OWN, &r, why);
	if (e == ERR_OK)
		e = reader_bounds(r, first_ms, last_ms, why);
	int64_t rolled_ms, end_ms; /* rollups stay longer than samples */
	enum err none = e == ERR_OK ? reader_rollup_bounds(r, &rolled_ms, &end_ms, why) : ERR_NOT_FOUND;
	if (none == ERR_OK && rolled_ms < *first_ms)
		*first_ms = rolled_ms;
	if (e == ERR_OK && none != ERR_OK && none != ERR_NOT_FOUND)
		e = none;
	reader_close(r);
	return e;
}

static enum err export_range(const struct cli *c, const char *store, struct why *why)
{
	const char *to = cli_value(c, "output");
	int64_t first_ms, last_ms, from_ms = 0, to_ms = 0;
	if (to == NULL)
		return why_set(why, ERR_USAGE, "say where to: --output FILE");
	enum err e = bounds(store, &first_ms, &last_ms, why);
	if (e == ERR_OK)
		e = time_option(c, "from", first_ms, &from_ms, why);
	if (e == ERR_OK)
		e = time_option(c, "to", last_ms, &to_ms, why);
	if (e == ERR_OK && from_ms > to_ms)
		e = why_set(why, ERR_USAGE, "--from is later than --to");
	if (e == ERR_OK && (from_ms > last_ms || to_ms < first_ms))
		e = why_set(why, ERR_NOT_FOUND, "'%s' holds nothing from that time", store);
	if (e == ERR_OK)
		e = store_export(store, to, from_ms, to_ms, why);
	if (e == ERR_OK) {
		char a[TIME_TEXT], b[TIME_TEXT];
		printf("%s: %s to %s\n", to, format_time(from_ms > first_ms ? from_ms : first_ms, a), format_time(to_ms < last_ms ? to_ms : last_ms, b));
	}
	return e;
}

static int run(const struct cli *c)
{
	struct buf store;
	struct why why = { "" };
	buf_init(&store, PATH_BYTES);
	enum err e = path_store(cli_value(c, "store"), &store, &why);
	if (e == ERR_OK)
		e = export_range(c, buf_text(&store), &why);
	buf_release(&store);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

static const struct cli_option options[] = {
	{ "from", "TIME", "the first moment: '2026-11-23 03:00', '2h ago'; else the store's first" },
	{ "to", "TIME", "the last moment; else the store's last" },
	{ "output", "FILE", "the file to make; it must not be there" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_export = {
	.name         = "export",
	.arguments    = "",
	.summary      = "copy a time range of the store into a file that replay opens",
	.details      = "The file is a store of the same format; a recorder may be writing meanwhile. It is made beside its place and renamed when it is "
	                "whole. Of a time whose samples are gone it has the rollups that are left.",
	.options      = options,
	.takes_common = true,
	.run          = run,
};
