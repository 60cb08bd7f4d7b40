/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_program.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "collectors/shell_quote.h"
#include "collectors/source_services.h"

/* follow CMD...: the command runs until it ends, or until our input does; then it is ended. Both stand in the background, whose input is /dev/null
 * unless it is said otherwise; the one that watches is a builtin's loop, so that nothing is left of it. */
static const char head[] =
	"exec 3<&0 2>&1 </dev/null\n"
	"cd /\n"
	"unset GREP_OPTIONS POSIXLY_CORRECT\n"
	"PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n"
	"SYSTEMD_COLORS=0 SYSTEMD_PAGER=\n"
	"export PATH SYSTEMD_COLORS SYSTEMD_PAGER\n"
	"follow() {\n"
	"	\"$@\" 3<&- &\n"
	"	child=$!\n"
	"	{\n"
	"		while read -r line; do :; done\n"
	"		kill \"$child\"\n"
	"		sleep 1\n"
	"		kill -9 \"$child\"\n"
	"	} <&3 >/dev/null 2>&1 3<&- &\n"
	"	watcher=$!\n"
	"	exec 3<&-\n"
	"	wait \"$child\"\n"
	"	kill \"$watcher\" 2>/dev/null\n"
	"}\n"
	"journal() {\n"
	"	bare=\n"
	"	! journalctl --no-hostname --version >/dev/null 2>&1 || bare=--no-hostname\n"
	"	follow journalctl --no-pager -a $bare -o short-iso -f \"$@\"\n"
	"}\n";

/* The first line is how many lines the program has. */
static enum err finish(const struct buf *program, const char *nonce, struct buf *to, struct why *why)
{
	size_t lines = 1;
	if (program->err != ERR_OK)
		return program->err == ERR_MEMORY ? why_memory(why) : why_set(why, program->err, "what is to be asked is too long");
	for (size_t i = 0; i < program->len; i++)
		lines += program->data[i] == '\n';
	buf_printf(to, "%zu\nprintf '\\n@@pitwall %%s begins\\n' %s\n", lines, nonce);
	buf_put(to, buf_text(program), program->len);
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "%s", err_text(to->err));
}

enum err log_nonce(char to[LOG_NONCE_TEXT], struct why *why)
{
	uint64_t random;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return why_set(why, ERR_IO, "the system gives no random bytes");
	snprintf(to, LOG_NONCE_TEXT, "%016llx", (unsigned long long)random);
	return ERR_OK;
}

/* ---- what there is ---- */

static const char list_head[] =
	"if timeout 5 true 2>/dev/null; then bounded() { timeout 5 \"$@\"; }\n"
	"else bounded() { \"$@\"; }\n"
	"fi\n"
	"file() {\n"
	"	if [ ! -e \"$2\" ]; then state='not there now'\n"
	"	elif [ ! -r \"$2\" ]; then state='this user may not read it'\n"
	"	elif [ -d \"$2\" ]; then state='a folder'\n"
	"	else state=$(ls -ldL -- \"$2\" | { read -r mode links owner group size rest; echo \"$size bytes\"; })\n"
	"	fi\n"
	"	echo \"file $1 $state\"\n"
	"}\n";

static const char list_tail[] =
	"if command -v journalctl >/dev/null 2>&1 && { [ -d /run/log/journal ] || [ -d /var/log/journal ]; }; then\n"
	"	echo 'kernel journalctl'\n"
	"	echo journal\n"
	"	units --all --type=service -- \"$@\"\n"
	"	units --state=failed\n"
	"elif command -v dmesg >/dev/null 2>&1; then\n"
	"	echo 'kernel dmesg'\n"
	"fi\n"
	"for tool in docker podman; do\n"
	"	command -v \"$tool\" >/dev/null 2>&1 || continue\n"
	"	bounded \"$tool\" ps -a --format '{{.Names}}|{{.Status}}|{{.Image}}' 2>/dev/null | head -n 128 | sed \"s/^/container $tool /\"\n"
	"done\n";

static const char list_units[] =
	"units() {\n"
	"	command -v systemctl >/dev/null 2>&1 || return\n"
	"	bounded systemctl list-units --plain --no-legend --no-pager \"$@\" 2>/dev/null | head -n 64 | sed 's/^/unit /'\n"
	"}\n";

static enum err put_files(const struct log_list *wished, struct buf *to, struct why *why)
{
	enum err e = ERR_OK;
	int n = 0;
	for (size_t i = 0; i < wished->n && e == ERR_OK; i++) {
		const struct log_choice *c = &wished->items[i];
		if (c->kind != LOG_FILE)
			continue;
		buf_printf(to, "file %d ", n++);
		e = shell_quote(to, &c->name, 1, why);
		buf_putc(to, '\n');
	}
	return e;
}

enum err log_program_list(const struct log_list *wished, const char nonce[LOG_NONCE_TEXT], struct buf *to, struct why *why)
{
	struct buf program;
	buf_init(&program, LOG_PROGRAM_MAX - 1024);
	buf_puts(&program, head);
	buf_puts(&program, list_head);
	buf_puts(&program, list_units);
	enum err e = put_files(wished, &program, why);
	buf_puts(&program, "set --");
	for (size_t i = 0; inference_units[i] != NULL; i++)
		buf_printf(&program, " '%s.service'", inference_units[i]);
	for (size_t i = 0; i < wished->n && e == ERR_OK; i++) {
		buf_putc(&program, ' ');
		if (wished->items[i].kind == LOG_UNIT)
			e = shell_quote(&program, &wished->items[i].name, 1, why);
	}
	buf_putc(&program, '\n');
	buf_puts(&program, list_tail);
	if (e == ERR_OK)
		e = finish(&program, nonce, to, why);
	buf_release(&program);
	return e;
}

/* ---- one of them ---- */

static enum err put_command(const struct log_choice *c, const char *lines, struct buf *to, struct why *why)
{
	const char *const unit[] = { "journal", "-n", lines, "-u", c->name };
	const char *const file[] = { "follow", "tail", "-n", lines, "-F", "--", c->name };
	const char *const container[] = { "follow", c->tool, "logs", "--tail", lines, "-f", c->name };
	const char *const kernel[] = { "journal", "-n", lines, "-k" };
	const char *const journal[] = { "journal", "-n", lines };
	switch (c->kind) {
	case LOG_UNIT: return shell_quote(to, unit, sizeof unit / sizeof *unit, why);
	case LOG_FILE: return shell_quote(to, file, sizeof file / sizeof *file, why);
	case LOG_CONTAINER: return shell_quote(to, container, sizeof container / sizeof *container, why);
	case LOG_JOURNAL: return shell_quote(to, journal, sizeof journal / sizeof *journal, why);
	case LOG_KERNEL:
		if (strcmp(c->tool, "journalctl") == 0)
			return shell_quote(to, kernel, sizeof kernel / sizeof *kernel, why);
		/* BusyBox' shows what there is and ends; util-linux' of old knows no times in this form. */
		return buf_puts(to, "if dmesg --time-format iso >/dev/null 2>&1; then follow dmesg -w --time-format iso\n"
		                    "elif dmesg --help 2>&1 | grep -q -e --follow; then follow dmesg -w\n"
		                    "else follow dmesg\n"
		                    "fi");
	}
	return ERR_OK;
}

enum err log_program_follow(const struct log_choice *what, int lines, const char nonce[LOG_NONCE_TEXT], struct buf *to, struct why *why)
{
	struct buf program;
	char count[16];
	snprintf(count, sizeof count, "%d", lines);
	buf_init(&program, LOG_PROGRAM_MAX - 1024);
	buf_puts(&program, head);
	enum err e = put_command(what, count, &program, why);
	buf_putc(&program, '\n');
	if (e == ERR_OK)
		e = finish(&program, nonce, to, why);
	buf_release(&program);
	return e;
}
