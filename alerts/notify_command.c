/* SPDX-License-Identifier: Apache-2.0
 *
 * A program of the user's, given the webhook's JSON on its standard input. How it is run: alerts/notify_process.h. */
#include "alerts/notify_kind.h"

static enum err print(const struct notify_message *m, const struct notify_context *c, struct buf *to, struct why *why)
{
	enum err e = notify_put_webhook(to, m, c);
	buf_putc(to, '\n');
	return e == ERR_OK && to->err == ERR_OK ? ERR_OK : why_set(why, e != ERR_OK ? e : to->err, "the message is too long");
}

const struct notify_kind command_kind = {
	.name = "command",
	.summary = "a program that reads Alertmanager's webhook JSON on its standard input",
	.way = NOTIFY_BY_PROCESS,
	.print = print,
};
