/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/calling.h"

#include <string.h>

#include "base/text.h"

enum { TEXT_COLUMNS = 120, TEXT_MAX = 16 * 1024 };

/* Terminals that know OSC 777 and not, or not well, OSC 9. */
static bool knows_777(const char *term)
{
	return term != NULL && (strncmp(term, "rxvt", 4) == 0 || strncmp(term, "foot", 4) == 0);
}

/* text_cut leaves no control byte, nor C1 controls. A semicolon parts fields in OSC 777. */
static enum err put_text(struct buf *to, const char *text)
{
	struct buf safe;
	buf_init(&safe, TEXT_MAX);
	text_cut(&safe, text, strlen(text), TEXT_COLUMNS);
	for (size_t i = 0; i < safe.len; i++)
		buf_putc(to, safe.data[i] == ';' ? ',' : safe.data[i]);
	buf_release(&safe);
	return to->err;
}

enum err calling_put(struct buf *to, enum fleet_attention how, const char *term, bool is_in_tmux, const char *text)
{
	if (how == FLEET_ATTENTION_OFF)
		return to->err;
	if (how == FLEET_ATTENTION_OSC) {
		/* tmux hands on what stands in such a wrapper, its ESC doubled. The text never begins with a number: in OSC 9 that means other things. */
		buf_puts(to, is_in_tmux ? "\033Ptmux;\033" : "");
		buf_puts(to, knows_777(term) ? "\033]777;notify;pitwall;" : "\033]9;pitwall: ");
		put_text(to, text);
		buf_puts(to, is_in_tmux ? "\a\033\\" : "\a");
	}
	return buf_putc(to, '\a');
}
