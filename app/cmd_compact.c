/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall compact: what is older than the store keeps goes now, and the file gives back what it does not need. */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/context.h"
#include "base/clock.h"
#include "base/num.h"
#include "store/compact.h"
#include "store/export.h"
#include "store/reader.h"

static void print(const char *store, const struct compact_result *r)
{
	char before[NUMBER_TEXT], after[NUMBER_TEXT];
	printf("%s: %s, before %s; %lld row%s removed\n", store, format_bytes(r->bytes_after, after), format_bytes(r->bytes_before, before),
	       (long long)r->rows_removed, r->rows_removed == 1 ? "" : "s");
	if (r->is_full)
		printf("%s: it is larger than keep: size of the fleet file allows, and holds no samples that may go\n", store);
}

/* What to keep only a fleet file can say: a store that was put aside is not emptied because there is none here. */
static enum err find_keep(struct context *c, const struct cli *cli, struct store_keep *out, struct why *why)
{
	char *path = NULL;
	*out = (struct store_keep){ 0 };
	enum err e = fleet_find(cli_value(cli, "config"), &path, why);
	free(path);
	if (e == ERR_NOT_FOUND && cli_value(cli, "config") == NULL && getenv("PITWALL_CONFIG") == NULL) {
		fputs("pitwall: no fleet file says for how long anything is kept: nothing is removed\n", stderr);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = context_fleet(c, cli, why);
	if (e == ERR_OK)
		*out = (struct store_keep){ c->fleet->keep.samples_ms, c->fleet->keep.events_ms, c->fleet->keep.bytes, c->fleet->keep.rollups_ms };
	return e;
}

static enum err refuse_bundle(const char *store, struct why *why)
{
	struct reader *r = NULL;
	bool is_bundle = false;
	enum err e = reader_open(store, READER_OWN, &r, why);
	if (e == ERR_OK)
		e = reader_is_bundle(r, clock_wall_ms(clock_system()), &is_bundle, why);
	reader_close(r);
	if (e == ERR_NOT_FOUND)
		return ERR_OK; /* told where it is opened to be changed */
	return e == ERR_OK && is_bundle ? why_set(why, ERR_UNSUPPORTED, "'%s' is a part of a store, made by export: it stays as it is", store) : e;
}

static int run(const struct cli *cli)
{
	struct context c;
	struct compact_result r = { .is_full = false };
	struct store_keep keep;
	struct why why = { "" };
	enum err e = context_init(&c, cli, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	e = find_keep(&c, cli, &keep, &why);
	if (e == ERR_OK)
		e = refuse_bundle(buf_text(&c.store), &why);
	if (e == ERR_OK)
		e = store_compact(buf_text(&c.store), &keep, clock_system(), &r, &why);
	if (e == ERR_OK)
		print(buf_text(&c.store), &r);
	int status = e != ERR_OK ? cli_fail(e, &why) : r.is_full ? EXIT_NO : EXIT_YES;
	context_release(&c);
	return status;
}

const struct cli_command command_compact = {
	.name         = "compact",
	.arguments    = "",
	.summary      = "remove now what is older than the store keeps, fold what can be, and give the space back",
	.details      = "A recorder does this by itself, a little at a time: what is too old goes, what is old becomes compressed blocks. Wanted after `keep:` of the fleet file was made shorter, or before a store is copied; only while nobody "
	                "records into it. Without a fleet file nothing is removed. Stopped early it has done a part. Exits 1 where the file stays larger than `keep: { size: }` allows.",
	.takes_common = true,
	.run          = run,
};
