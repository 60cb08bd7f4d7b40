/* SPDX-License-Identifier: Apache-2.0
 *
 * The shell's side of a gather: POSIX sh for dash, BusyBox' ash, bash and ksh, without a tool that is not in every image. */
#include "collectors/gather_private.h"

#include <string.h>

#include "collectors/shell_quote.h"

/* The first line it reads is how many lines the program has: that a part of one is never run when the connection breaks. In it are no quote, no
 * backslash before a quote or a backslash, no '!' and no newline, which csh, fish and sh would not read alike. */
const char *gather_command(void)
{
	return "exec sh -c 'LC_ALL=C; export LC_ALL; n=$(printf \"\\n_\"); n=${n%_}; read -r k; p=; "
	       "while test \"$k\" -gt 0 && IFS= read -r l; do p=$p$l$n; k=$((k-1)); done; "
	       "test \"$k\" -eq 0 && eval \"$p\"' pitwall";
}

/* In front of it: limit_s, what a section may take, and cut_bytes.
 *
 * Each section is run by a subshell that nobody waits for, through a pipe, read by `head` under timeout(1): whatever the section does, head can
 * be killed and the pipeline ends. What the section starts holds the pipe and nothing else of ours, so that a process that is left behind cannot
 * hold the channel. head buffers, and what it has when it is killed is lost: so the first line, with the PID, goes around it, through descriptor 3.
 * The shell's own start and PID are read from /proc/self/stat, which costs no process (and the builtin `read` is what opens it, so "self" is the
 * subshell); a zombie that a container's first process does not reap counts as dead. */
static const char prelude[] =
	"exec 2>&1 3>&1\n"
	"umask 077\n"
	"cd /\n"
	"unset GREP_OPTIONS GREP_COLORS BLOCKSIZE BLOCK_SIZE DF_BLOCK_SIZE POSIXLY_CORRECT CDPATH TIMEFORMAT\n"
	"PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/opt/rocm/bin\n"
	"export PATH\n"
	"limit=\n"
	"if timeout -k 1 9 true; then limit='timeout -k 1'\n"
	"elif timeout 9 true; then limit=timeout\n"
	"elif timeout -t 9 true; then limit='timeout -t'\n"
	"fi </dev/null >/dev/null 2>&1\n"
	"cut=\"head -c $cut_bytes\"\n"
	"test \"$(printf ab | head -c 1 2>/dev/null)\" = a || cut=cat\n"
	"test -z \"$limit\" || cut=\"$limit $((limit_s + 1)) $cut\"\n"
	"has_proc=\n"
	"test -r /proc/self/stat && test -r /proc/uptime && has_proc=1\n"
	"bounded()\n"
	"{\n"
	"	if test -z \"$limit\"; then\n"
	"		\"$@\"\n"
	"		return\n"
	"	fi\n"
	"	$limit $((limit_s - 1)) \"$@\"\n"
	"	case $? in\n"
	"	0) return 0 ;;\n"
	"	124|137|143) return 124 ;; # BusyBox' says as what it ended\n"
	"	*) return $? ;;\n"
	"	esac\n"
	"}\n"
	"lives()\n" /* PID START */
	"{\n"
	"	if test -z \"$has_proc\"; then\n"
	"		kill -0 \"$1\" 2>/dev/null\n"
	"		return\n"
	"	fi\n"
	"	test -r \"/proc/$1/stat\" || return 1\n"
	"	stat=\n"
	"	{ read -r stat <\"/proc/$1/stat\"; } 2>/dev/null\n"
	"	set -- \"$2\" $stat\n"
	"	test \"${23-}\" = \"$1\" && test \"$4\" != Z\n"
	"}\n"
	"answer()\n" /* NAME ARGUMENT */
	"{\n"
	"	pid=0 start=0 up=-\n"
	"	if test -n \"$has_proc\"; then\n"
	"		name=$1 argument=$2\n"
	"		read -r stat </proc/self/stat\n"
	"		set -- $stat\n"
	"		pid=$1 start=${22}\n"
	"		set -- \"$name\" \"$argument\"\n"
	"		read -r up stat </proc/uptime\n"
	"	else\n"
	"		pid=$(sh -c 'echo $PPID')\n"
	"	fi\n"
	"	printf '\\n@@pitwall %s begin %s %s %s %s\\n' \"$nonce\" \"$1\" \"$pid\" \"$start\" \"$up\" >&3\n"
	"	exec 3>&-\n"
	"	(\n"
	"		eval \"body=\\$body_$1\"\n"
	"		eval \"section() {\n"
	"$body\n"
	"}\" || exit 2\n" /* bash goes on after what it cannot read */
	"		section \"$2\"\n"
	"	)\n"
	"	status=$?\n"
	"	test -z \"$has_proc\" || read -r up stat </proc/uptime\n"
	"	printf '\\n@@pitwall %s status %s %s\\n' \"$nonce\" \"$status\" \"$up\"\n"
	"}\n";

/* The request is NAME[~PID.START][=ARGUMENT] for each section, and none of that holds what a shell would act on. */
static const char loop[] =
	"exec 2>/dev/null\n" /* some shells say there what they killed */
	"while read -r nonce wanted; do\n"
	"	set -f\n"
	"	set -- $wanted\n"
	"	set +f\n"
	"	for word do\n"
	"		name=${word%%[~=]*} argument= last=\n"
	"		case $word in *=*) argument=${word#*=} ;; esac\n"
	"		case ${word%%=*} in *~*) last=${word%%=*}; last=${last#*~} ;; esac\n"
	"		if test -n \"$last\" && lives \"${last%.*}\" \"${last#*.}\"; then\n"
	"			printf '\\n@@pitwall %s busy %s\\n' \"$nonce\" \"$name\"\n"
	"			continue\n"
	"		fi\n"
	"		{ answer \"$name\" \"$argument\" </dev/null 2>&1 & } | $cut\n"
	"		printf '\\n@@pitwall %s end %s\\n' \"$nonce\" \"$?\"\n"
	"	done\n"
	"	printf '\\n@@pitwall %s done\\n' \"$nonce\"\n"
	"done\n";

/* body_NAME='...' for one source; nothing where nothing is wanted. A source that cannot say what to run fails alone. */
static enum err put_body(const struct gather *g, struct gather_part *p, struct buf *body, struct buf *program, struct why *why)
{
	struct why reason = { "" };
	enum err   e = ERR_OK;
	buf_clear(body);
	if (p->source->script != NULL)
		buf_puts(body, p->source->script);
	else
		e = p->source->write_script(g->settings, body, &reason);
	if (e == ERR_OK && body->err != ERR_OK)
		e = why_set(&reason, body->err, "its script is too long");
	p->is_unwanted = e != ERR_OK || body->len == 0;
	if (e == ERR_MEMORY)
		return why_memory(why);
	if (e != ERR_OK)
		gather_part_fail(p, "%s", reason.text[0] != '\0' ? reason.text : err_text(e));
	if (p->is_unwanted)
		return ERR_OK;
	buf_printf(program, "body_%s=", p->source->name);
	e = shell_quote_word(program, buf_text(body), body->len, &reason);
	buf_putc(program, '\n');
	if (e == ERR_FORMAT) { /* an empty body is harmless, and is not asked */
		p->is_unwanted = true;
		gather_part_fail(p, "%s", reason.text);
		return ERR_OK;
	}
	return e == ERR_OK ? ERR_OK : why_set(why, e, "source '%s': %s", p->source->name, reason.text);
}

enum err gather_program(struct gather *g, struct buf *to, struct why *why)
{
	struct buf program, body;
	enum err   e = ERR_OK;
	size_t     lines = 0;
	buf_init(&program, GATHER_REQUEST_MAX);
	buf_init(&body, SHELL_TEXT_MAX);
	buf_printf(&program, "limit_s=%lld cut_bytes=%d\n", (long long)(g->section_timeout_ms / 1000), SECTION_MAX + 4096);
	buf_puts(&program, prelude);
	for (size_t i = 0; i < g->n_parts && e == ERR_OK; i++)
		e = put_body(g, &g->parts[i], &body, &program, why);
	buf_puts(&program, loop);
	if (e == ERR_OK && program.err != ERR_OK)
		e = why_set(why, program.err, "the sources' scripts are too long");
	for (size_t i = 0; i < program.len; i++)
		lines += program.data[i] == '\n';
	if (e == ERR_OK) {
		buf_printf(to, "%zu\n", lines);
		buf_put(to, program.data, program.len);
	}
	buf_release(&program);
	buf_release(&body);
	return e;
}
