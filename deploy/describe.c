/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/describe.h"

#include <string.h>

#include "deploy/driver.h"

static const char *history_words(const struct driver *d)
{
	if (d->has_running && d->has_history)
		return "It tells which version runs and what it could go back to.";
	if (d->has_running)
		return "It tells which version runs, not what ran before: a rollback takes `history: store`.";
	if (d->has_history)
		return "It tells what it could go back to, not which version runs: a rollback takes `running: signal`.";
	return "It tells neither which version runs nor what ran before: a rollback takes `running: signal` and `history: store`.";
}

static const char *unit_words(const struct driver *d)
{
	return d->is_whole ? "The model is changed as a whole." : d->needs_machine ? "Each node is a unit; its machine must be reached (`ssh`)." : "Each node is a unit.";
}

enum err drivers_print_markdown(struct buf *to)
{
	const struct driver *d;
	for (size_t i = 0; (d = driver_at(i)) != NULL; i++) {
		buf_printf(to, "### %s\n\n%s\n\n%s %s\n\n", d->name, d->summary, unit_words(d), history_words(d));
		if (d->notes != NULL && d->notes[0] != '\0')
			buf_printf(to, "%s\n\n", d->notes);
		if (d->n_options > 0) {
			options_print_markdown(d->options, d->n_options, to);
			buf_putc(to, '\n');
		}
	}
	return to->err;
}

/* Text as roff takes it: no line begins with a control character, backslashes stay themselves, `code` is bold. */
static void put_roff(struct buf *to, const char *text)
{
	bool is_bold = false, is_first = true;
	for (; *text != '\0'; text++) {
		if (is_first && (*text == '.' || *text == '\''))
			buf_puts(to, "\\&");
		is_first = *text == '\n';
		if (*text == '\n' && text[1] == '\n') {
			buf_puts(to, "\n.PP\n");
			text++;
		} else if (*text == '\\') {
			buf_puts(to, "\\e");
		} else if (*text == '`') {
			buf_puts(to, (is_bold = !is_bold) ? "\\fB" : "\\fR");
		} else {
			buf_putc(to, *text);
		}
	}
	buf_putc(to, '\n');
}

enum err drivers_print_roff(struct buf *to)
{
	const struct driver *d;
	for (size_t i = 0; (d = driver_at(i)) != NULL; i++) {
		buf_printf(to, ".SS %s\n", d->name);
		put_roff(to, d->summary);
		buf_puts(to, ".PP\n");
		put_roff(to, unit_words(d));
		put_roff(to, history_words(d));
		if (d->notes != NULL && d->notes[0] != '\0') {
			buf_puts(to, ".PP\n");
			put_roff(to, d->notes);
		}
		options_print_roff(d->options, d->n_options, to);
	}
	return to->err;
}
