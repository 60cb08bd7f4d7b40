/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall compact: what is older than the store keeps goes now, and the file gives back what it does not need. */
#include "app/commands.h"

#include <stdio.h>

#include "app/context.h"
#include "base/clock.h"
#include "base/num.h"
#include "store/compact.h"

static void print(const char *store, const struct compact_result *r)
{
	char before[NUMBER_TEXT], after[NUMBER_TEXT];
	printf("%s: %s, before %s; %lld row%s removed\n", store, format_bytes(r->bytes_after, after), format_bytes(r->bytes_before, before),
	       (long long)r->rows_removed, r->rows_removed == 1 ? "" : "s");
	if (r->is_full)
		printf("%s: it is larger than keep: size of the fleet file allows, and holds no samples that may go\n", store);
}

static int run(const struct cli *cli)
{
	struct context c;
	struct compact_result r;
	struct why why = { "" };
	enum err e = context_init(&c, cli, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	e = context_fleet(&c, cli, &why);
	if (e == ERR_OK) {
		const struct store_keep keep = { c.fleet->keep.samples_ms, c.fleet->keep.events_ms, c.fleet->keep.bytes };
		e = store_compact(buf_text(&c.store), &keep, clock_system(), &r, &why);
	}
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
	                "records into it. Stopped early it has done a part. Exits 1 where the file stays larger than `keep: { size: }` allows.",
	.takes_common = true,
	.run          = run,
};
