/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/remote.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/num.h"
#include "collectors/digest.h"
#include "collectors/shell_quote.h"
#include "deploy/remote_http.h"

enum { KILL_AFTER_S = 5 };

/* As collectors/gather.h's: in it are no quote within the quotes, no backslash before a quote or a backslash, no '!' and no newline, which csh, fish and sh
 * would not read alike. */
const char *remote_command(void)
{
	return "exec sh -c 'echo; echo @@pitwall ready; LC_ALL=C; export LC_ALL; n=$(printf \"\\n_\"); n=${n%_}; read -r k; p=; "
	       "while test \"$k\" -gt 0 && IFS= read -r l; do p=$p$l$n; k=$((k-1)); done; "
	       "test \"$k\" -eq 0 && eval \"$p\"' pitwall";
}

void remote_mark(char to[REMOTE_MARK])
{
	unsigned char random[(REMOTE_MARK - 1) / 2];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		memset(random, 0, sizeof random); /* cannot be for so few bytes; a mark that is known still tells command and connection apart */
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(to + i * 2, 3, "%02x", random[i]);
}

/* ---- the program ---- */

/* In front of it: mark, limit_s and n_input. `env` keeps sh from taking a command's name for its own. A user's services need XDG_RUNTIME_DIR, which a bare SSH
 * command is not given. */
static const char prelude[] =
	"exec 2>/dev/null\n" /* where some shells say what was killed */
	"PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n"
	"LANG=C SYSTEMD_PAGER= SYSTEMD_COLORS=0 PAGER=cat\n"
	"export PATH LANG SYSTEMD_PAGER SYSTEMD_COLORS PAGER\n"
	"unset CDPATH GREP_OPTIONS POSIXLY_CORRECT\n"
	"cd / && cd 2>/dev/null\n"
	"if test -z \"${XDG_RUNTIME_DIR-}\"; then\n"
	"	XDG_RUNTIME_DIR=/run/user/$(id -u)\n"
	"	if test -d \"$XDG_RUNTIME_DIR\"; then export XDG_RUNTIME_DIR; else unset XDG_RUNTIME_DIR; fi\n"
	"fi\n"
	"limit=env\n"
	"if timeout -k 1 9 true; then limit=\"timeout -k $kill_s $limit_s env\"\n"
	"elif timeout 9 true; then limit=\"timeout $limit_s env\"\n"
	"elif timeout -t 9 true; then limit=\"timeout -t $limit_s env\"\n"
	"fi </dev/null >/dev/null 2>&1\n"
	"begin() { printf '\\n@@pitwall %s begin\\n' \"$mark\"; }\n"
	"end() { printf '\\n@@pitwall %s end %s\\n' \"$mark\" \"$1\"; }\n"
	"begin\n";

/* What it is left with when anything fails is the old file. `set -C`: a name that somebody made before is not written to. A link is followed, so that it is
 * still one afterwards. */
static const char put[] =
	"put()\n" /* PATH BYTES HASH */
	"(\n"
	"	fail() { echo \"$1\"; exit 4; }\n"
	"	p=$1 was=\n"
	"	if test -L \"$p\"; then p=$(readlink -f \"$p\") && test -n \"$p\" || fail \"'$1' is a link to nowhere\"; fi\n"
	"	dir=${p%/*}\n"
	"	dir=${dir:-/}\n"
	"	test -d \"$dir\" || fail \"the folder '$dir' is not there\"\n"
	"	test -d \"$p\" && fail \"'$p' is a folder\"\n"
	"	t=$dir/.pitwall-$mark\n"
	"	trap 'rm -f \"$t\"' EXIT\n"
	"	trap 'exit 4' HUP INT TERM PIPE\n"
	"	set -C\n"
	"	: >\"$t\" || fail \"nothing can be written in '$dir'\"\n"
	"	set +C\n"
	"	if test -e \"$p\"; then\n"
	"		was=$(stat -c '%a %u:%g' \"$p\") && test -n \"$was\" || fail \"mode and owner of '$p' cannot be told: is stat there?\"\n"
	"		chmod 600 \"$t\"\n"
	"	fi\n"
	"	head -c \"$2\" >\"$t\" || fail \"it could not be written\"\n"
	"	test \"$(wc -c <\"$t\" | tr -d ' ')\" = \"$2\" || fail 'it was not written whole: is the disk full?'\n"
	"	if command -v sha256sum >/dev/null; then\n"
	"		h=$(sha256sum <\"$t\")\n"
	"		test \"${h%% *}\" = \"$3\" || fail 'what was written is not what was sent'\n"
	"	fi\n"
	"	if test -n \"$was\"; then\n"
	"		test \"$(stat -c %u:%g \"$t\")\" = \"${was#* }\" || chown \"${was#* }\" \"$t\" || fail \"the owner of '$p' cannot be kept\"\n"
	"		chmod \"${was% *}\" \"$t\" || fail \"the mode of '$p' cannot be kept\"\n"
	"	fi\n"
	"	sync \"$t\" 2>/dev/null || sync\n"
	"	mv -f \"$t\" \"$p\" || fail \"it could not be put in the place of '$p'\"\n"
	"	trap - EXIT\n"
	"	sync \"$dir\" 2>/dev/null || sync\n"
	"	exit 0\n"
	")\n";

static enum err put_run(const struct ask *a, struct buf *program, struct why *why)
{
	const char *name = a->n_argv > 0 ? a->argv[0] : "";
	if (name[0] == '\0' || name[0] == '-' || strchr(name, '=') != NULL)
		return why_set(why, ERR_USAGE, "'%.100s' is no name of a command", name);
	buf_puts(program, a->input != NULL ? "head -c \"$n_input\" | (exec 2>&1; exec $limit " : "(exec 2>&1; exec $limit ");
	enum err e = shell_quote(program, a->argv, a->n_argv, why);
	buf_puts(program, a->input != NULL ? ")\n" : " </dev/null)\n");
	return e;
}

static enum err put_put(const struct ask *a, struct buf *program, struct why *why)
{
	char hash[DIGEST_TEXT];
	if (a->path == NULL || a->path[0] != '/' || a->body == NULL)
		return why_set(why, ERR_USAGE, "a file that is to be put has a whole path and something to hold");
	if (digest_text(a->body, strlen(a->body), hash) != ERR_OK)
		return why_memory(why);
	buf_puts(program, put);
	buf_puts(program, "put ");
	enum err e = shell_quote(program, &a->path, 1, why);
	buf_printf(program, " \"$n_input\" %s 2>&1\n", hash);
	return e;
}

static const char *input_of(const struct ask *a)
{
	return a->kind == ASK_RUN ? a->input : a->body;
}

static enum err put_kind(const struct ask *a, const struct login *login, int64_t limit_s, struct buf *program, struct why *why)
{
	switch (a->kind) {
	case ASK_RUN:
		return put_run(a, program, why);
	case ASK_PUT:
		return put_put(a, program, why);
	case ASK_HTTP:
		return remote_http_program(a, login, limit_s, program, why);
	case ASK_NONE:
	case ASK_KIND_COUNT:
		break;
	}
	return why_set(why, ERR_USAGE, "nothing is asked");
}

/* Its length in lines first: a part of it is never run. */
enum err remote_program(const struct ask *a, const struct login *login, const char *mark, int64_t timeout_ms, struct buf *to, struct why *why)
{
	struct buf program;
	const char *input = input_of(a);
	size_t n_input = input != NULL ? strlen(input) : 0, lines = 0;
	int64_t limit_s = timeout_ms / 1000 + 1;
	if (n_input > ASK_BODY_MAX)
		return why_set(why, ERR_LIMIT, "more than %d MiB are to be sent", ASK_BODY_MAX >> 20);
	buf_init(&program, REMOTE_MAX - ASK_BODY_MAX - 64);
	buf_printf(&program, "mark=%s kill_s=%d limit_s=%lld n_input=%zu\n", mark, KILL_AFTER_S, (long long)limit_s, n_input);
	buf_puts(&program, prelude);
	enum err e = put_kind(a, login, limit_s, &program, why);
	buf_puts(&program, "end \"$?\"\n");
	if (e == ERR_OK && program.err != ERR_OK)
		e = program.err == ERR_LIMIT ? why_set(why, ERR_LIMIT, "what is to be asked is too long") : why_memory(why);
	for (size_t i = 0; i < program.len; i++)
		lines += program.data[i] == '\n';
	if (e == ERR_OK) {
		buf_room(to, program.len + n_input + NUMBER_TEXT); /* at once: growing would leave copies of a secret behind */
		buf_printf(to, "%zu\n", lines);
		buf_put(to, program.data, program.len);
		buf_put(to, input, n_input);
		e = to->err == ERR_OK ? ERR_OK : why_memory(why);
	}
	if (program.data != NULL)
		explicit_bzero(program.data, program.cap);
	buf_release(&program);
	return e;
}

/* ---- what comes back ---- */

void remote_reader_init(struct remote_reader *r, const char *mark, size_t text_max)
{
	*r = (struct remote_reader){ .state = REMOTE_WAITS };
	snprintf(r->mark, sizeof r->mark, "%s", mark);
	buf_init(&r->text, text_max + REMOTE_LINE);
}

void remote_reader_release(struct remote_reader *r)
{
	if (r->text.data != NULL)
		explicit_bzero(r->text.data, r->text.cap);
	buf_release(&r->text);
}

static void keep(struct remote_reader *r, const char *bytes, size_t n)
{
	size_t room = r->text.max - r->text.len;
	r->is_cut = r->is_cut || n > room;
	buf_put(&r->text, bytes, n < room ? n : room);
}

/* "@@pitwall MARK WORD", or the text behind it. */
static const char *after(const struct remote_reader *r, const char *word)
{
	char want[REMOTE_LINE];
	int n = snprintf(want, sizeof want, "@@pitwall %s %s", r->mark, word);
	return strncmp(r->line, want, (size_t)n) == 0 ? r->line + n : NULL;
}

static void finish(struct remote_reader *r, int64_t status)
{
	size_t max = r->text.max - REMOTE_LINE, n = r->line_at;
	if (!r->is_cut && n > 0 && r->text.data[n - 1] == '\n')
		n--; /* which stands before the line itself */
	r->is_cut = r->is_cut || n > max;
	r->text.len = n < max ? n : max;
	if (r->text.data != NULL)
		r->text.data[r->text.len] = '\0';
	r->status = (int)status;
	r->state = REMOTE_ENDED;
}

/* A line of a kind that the state knows moves on; each other is noise or text. */
static void take_line(struct remote_reader *r)
{
	bool is_whole = r->n_line < sizeof r->line;
	int64_t status;
	r->line[is_whole ? r->n_line : sizeof r->line - 1] = '\0';
	if (r->state == REMOTE_WAITS && strcmp(r->line, "@@pitwall ready") == 0) {
		r->state = REMOTE_READY;
	} else if (r->state == REMOTE_READY && is_whole && after(r, "begin") != NULL) {
		r->state = REMOTE_BEGUN;
		buf_clear(&r->text);
	} else if (r->state == REMOTE_BEGUN && is_whole && after(r, "end ") != NULL && parse_i64(after(r, "end "), 0, 255, &status) == ERR_OK) {
		finish(r, status);
	} else if (r->state == REMOTE_WAITS && r->noise[0] == '\0' && r->n_line > 0) {
		memcpy(r->noise, r->line, sizeof r->noise);
	}
	r->n_line = 0;
	r->line_at = r->text.len;
}

static void take(struct remote_reader *r, const char *bytes, size_t n, bool is_end)
{
	size_t room = r->n_line < sizeof r->line ? sizeof r->line - r->n_line : 0, text = n - is_end;
	if (r->state == REMOTE_BEGUN)
		keep(r, bytes, n);
	else if ((r->n_noise += n) > REMOTE_NOISE)
		r->state = REMOTE_BROKEN;
	memcpy(r->line + (room > 0 ? r->n_line : 0), bytes, text < room ? text : room);
	r->n_line += text;
	if (is_end && r->state != REMOTE_BROKEN)
		take_line(r);
}

enum remote_state remote_feed(struct remote_reader *r, const char *bytes, size_t n, size_t *taken)
{
	enum remote_state before = r->state;
	size_t at = 0;
	while (at < n && r->state == before && r->state != REMOTE_ENDED) {
		const char *end = memchr(bytes + at, '\n', n - at);
		size_t len = end != NULL ? (size_t)(end - bytes) + 1 - at : n - at;
		take(r, bytes + at, len, end != NULL);
		at += len;
	}
	*taken = at;
	return r->state;
}
