/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "deploy/commands.h"
#include "deploy/driver.h"

enum { ASK_MS = 60 * 1000, CHECK_MS = 30 * 60 * 1000, WORDS_LIMIT = 600, LOOKED_AT = 1000 };

/* ---- names ---- */

bool release_is_name(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	size_t n = strlen(name);
	return n > 0 && n <= RELEASE_NAME_MAX && strspn(name, plain) == n && name[0] != '.' && name[0] != '-';
}

int release_compare(const char *a, const char *b) { return strverscmp(a, b); }

/* ---- what is there ---- */

/* Lines "WORD VALUE". Names that are none of ours are left out by the shell already. */
static const char list[] =
	"root=$1; nc=$2; shift 2\n"
	"cd \"$root/releases\" 2>/dev/null || { echo absent; exit 0; }\n"
	"cd ..\n"
	"c=$(readlink current) && printf 'current %s\\n' \"$c\"\n"
	"if test -d .ops-lock; then printf 'lock %s\\n' \"$(head -c 300 .ops-lock/owner 2>/dev/null | tr '\\n' ' ')\"; fi\n"
	"df -Pk . 2>/dev/null | { read -r x; read -r d t u f x; printf 'free %s\\n' \"$f\"; }\n"
	"n=0\n"
	"for d in releases/*/; do\n"
	"	r=${d#releases/}; r=${r%/}\n"
	"	case $r in ''|[.-]*|*[!A-Za-z0-9._+-]*) continue ;; esac\n"
	"	test $((n += 1)) -le 1000 || break\n"
	"	printf 'release %s\\n' \"$r\"\n"
	"	printf 'revision %s\\n' \"$(head -c 200 \"$d/REVISION\" 2>/dev/null | head -n 1)\"\n"
	"	printf 'time %s\\n' \"$(head -c 40 \"$d/REVISION_TIME\" 2>/dev/null | head -n 1)\"\n"
	"	(\n"
	"		cd \"$d\" || exit\n"
	"		i=0 m=0\n"
	"		while test $i -lt $nc && test \"$1\" != --; do test -e \"$1\" || m=$((m + 1)); shift; i=$((i + 1)); done\n"
	"		printf 'missing %s\\n' \"$m\"\n"
	"		shift\n"
	"		nf=$1; shift\n"
	"		i=0\n"
	"		test \"$nf\" -eq 0 || { while test $i -lt \"$nf\"; do cat -- \"./$1\" 2>/dev/null; shift; i=$((i + 1)); done | sha256sum 2>/dev/null |\n"
	"			{ read -r h x; printf 'hash %s\\n' \"$h\"; }; }\n"
	"	)\n"
	"done\n"
	"while test \"$1\" != --; do shift; done; shift\n"
	"shift $(($1 + 1))\n"
	"if test $# -gt 0; then\n"
	"	p=$(\"$@\" 2>/dev/null)\n"
	"	case $p in ''|0|*[!0-9]*) ;; *) w=$(readlink \"/proc/$p/cwd\" 2>/dev/null) && b=$(readlink -f .) &&\n"
	"		case $w in \"$b\"/releases/*) w=${w#\"$b\"/releases/}; printf 'process %s\\n' \"${w%%/*}\" ;; esac ;; esac\n"
	"fi\n"
	"tail -n 300 revisions.log 2>/dev/null | sed 's/^/log /'\n"
	"exit 0\n";

static void start(const char *argv[WORDS_LIMIT], size_t *n, const char *script, const char *root)
{
	const char *const words[] = { "sh", "-c", script, "sh", root };
	memcpy(argv, words, sizeof words);
	*n = sizeof words / sizeof words[0];
}

static void finish(struct arena *a, const char *const *argv, size_t n, int64_t timeout_ms, struct ask *to)
{
	const struct ask ask = { .kind = ASK_RUN, .argv = argv, .n_argv = n, .timeout_ms = timeout_ms };
	ask_copy(a, &ask, to);
}

static void add_words(const char *argv[WORDS_LIMIT], size_t *n, const struct words *words)
{
	for (size_t i = 0; words != NULL && i < words->n && *n + 1 < WORDS_LIMIT; i++)
		argv[(*n)++] = words->items[i];
}

static const char *count_of(struct arena *a, const struct words *words) { return arena_printf(a, "%zu", words != NULL ? words->n : 0); }

/* ROOT N COMPLETE... -- N CONFIG... PID_OF... */
void release_ask_list(struct arena *a, const char *root, const struct words *complete, const struct words *config, const struct words *pid_of, struct ask *to)
{
	const char *argv[WORDS_LIMIT];
	size_t n;
	start(argv, &n, list, root);
	argv[n++] = count_of(a, complete);
	add_words(argv, &n, complete);
	argv[n++] = "--";
	argv[n++] = count_of(a, config);
	add_words(argv, &n, config);
	add_words(argv, &n, pid_of);
	finish(a, argv, n, ASK_MS, to);
}

/* "20261123145243": UTC, as Capistrano makes them. */
static int64_t time_of_name(const char *name)
{
	static const size_t parts[] = { 4, 2, 2, 2, 2, 2 };
	int64_t values[6];
	if (strlen(name) != 14 || strspn(name, "0123456789") != 14)
		return 0;
	for (size_t i = 0; i < 6; name += parts[i], i++) {
		char part[8] = "";
		memcpy(part, name, parts[i]);
		if (parse_i64(part, 0, 9999, &values[i]) != ERR_OK)
			return 0;
	}
	struct tm tm = { .tm_year = (int)values[0] - 1900, .tm_mon = (int)values[1] - 1, .tm_mday = (int)values[2], .tm_hour = (int)values[3],
		             .tm_min = (int)values[4], .tm_sec = (int)values[5] };
	return (int64_t)timegm(&tm) * 1000;
}

/* The release that a link names, where it is one of ours: "releases/NAME", "/whole/path/releases/NAME". */
static const char *name_of_link(struct arena *a, const char *link)
{
	const char *at = strstr(link, "releases/");
	if (at == NULL || (at != link && at[-1] != '/'))
		return "";
	const char *name = arena_printf(a, "%.*s", (int)strcspn(at + 9, "/"), at + 9);
	return release_is_name(name) ? name : "";
}

static struct release *find(struct releases *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->items[i].name, name) == 0)
			return &r->items[i];
	return NULL;
}

/* "Branch main (at 4f2c) deployed as release NAME by USER", "USER rolled back to release NAME". The last line about one counts. */
static void read_log(struct arena *a, const char *line, struct releases *r)
{
	const char *at = strstr(line, "release "), *by;
	if (at == NULL)
		return;
	const char *name = arena_printf(a, "%.*s", (int)strcspn(at + 8, " "), at + 8);
	struct release *release = find(r, name);
	if (release == NULL)
		return;
	release->was_current = true;
	by = strstr(at, " by ");
	if (by != NULL)
		release->by = version_text(a, by + 4, strlen(by + 4));
	else
		release->by = arena_printf(a, "%.*s", (int)strcspn(line, " "), line);
}

static void add_release(struct arena *a, const char *name, struct releases *r)
{
	if (!release_is_name(name) || find(r, name) != NULL)
		return;
	size_t at = 0;
	while (at < r->n && release_compare(r->items[at].name, name) > 0)
		at++;
	r->has_more = r->has_more || r->n == RELEASES_MAX;
	if (at == RELEASES_MAX)
		return;
	size_t n = r->n < RELEASES_MAX ? r->n : RELEASES_MAX - 1;
	memmove(&r->items[at + 1], &r->items[at], (n - at) * sizeof r->items[0]);
	const char *copy = arena_text(a, name);
	r->items[at] = (struct release){ .name = copy != NULL ? copy : "", .revision = "", .hash = "", .by = "", .at_ms = time_of_name(name) };
	r->n = n + 1;
}

/* What stands behind a release's line is of that one. */
static void read_fact(struct arena *a, const char *word, const char *value, struct release *of)
{
	int64_t number;
	if (strcmp(word, "revision") == 0)
		of->revision = version_text(a, value, strlen(value));
	else if (strcmp(word, "hash") == 0)
		of->hash = strspn(value, "0123456789abcdef") == 64 && strlen(value) == 64 ? arena_printf(a, "%.12s", value) : "";
	else if (strcmp(word, "missing") == 0 && parse_i64(value, 0, WORDS_LIMIT, &number) == ERR_OK)
		of->n_missing = (size_t)number;
	else if (strcmp(word, "time") == 0 && parse_i64(value, 1, INT32_MAX * INT64_C(4), &number) == ERR_OK)
		of->at_ms = number * 1000;
}

static void read_line(struct arena *a, const char *word, const char *value, struct releases *r, const char **of)
{
	if (strcmp(word, "release") == 0) {
		add_release(a, value, r);
		*of = arena_text(a, value);
	} else if (strcmp(word, "current") == 0) {
		r->current = name_of_link(a, value);
	} else if (strcmp(word, "process") == 0) {
		r->process = release_is_name(value) ? arena_text(a, value) : "";
	} else if (strcmp(word, "lock") == 0) {
		r->lock = version_text(a, value, strlen(value));
		if (r->lock[0] == '\0')
			r->lock = "somebody who left no name";
	} else if (strcmp(word, "free") == 0) {
		if (parse_i64(value, 0, INT64_MAX / 1024, &r->free_kb) != ERR_OK)
			r->free_kb = -1;
	} else if (strcmp(word, "absent") == 0) {
		r->is_there = false;
	} else if (strcmp(word, "log") == 0) {
		read_log(a, value, r);
	} else if (*of != NULL && find(r, *of) != NULL) {
		read_fact(a, word, value, find(r, *of));
	}
}

void release_read(struct arena *a, const char *text, size_t n, struct releases *out)
{
	struct releases *r = out;
	const char *of = NULL;
	*r = (struct releases){ .current = "", .process = "", .lock = "", .free_kb = -1, .is_there = true };
	for (const char *at = text, *end = text + n; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		char line[1024];
		if (len < sizeof line) {
			memcpy(line, at, len);
			line[len] = '\0';
			char *blank = strchr(line, ' ');
			if (blank != NULL)
				*blank = '\0';
			read_line(a, line, blank != NULL ? blank + 1 : "", r, &of);
		}
		at += len + 1;
	}
	struct release *current = find(r, r->current);
	if (current != NULL)
		current->was_current = true;
}

/* ---- steps ---- */

/* The folder is the lock: making one is all or nothing. One that holds our key is ours, from before an interruption. */
static const char lock[] =
	"cd \"$1\" || exit 10\n"
	"if mkdir .ops-lock 2>/dev/null; then printf '%s %s\\n' \"$2\" \"$3\" >.ops-lock/owner && exit 0; echo 'the lock cannot be written'; exit 1; fi\n"
	"read -r k rest 2>/dev/null <.ops-lock/owner && test \"$k\" = \"$2\" && exit 0\n"
	"test -d .ops-lock || { echo 'nothing can be written there'; exit 1; }\n"
	"printf '%s %s\\n' \"$k\" \"$rest\"\n"
	"exit 7\n";

static const char check[] =
	"cd \"$1/releases/$2\" || exit 10\n"
	"manifest=$3; shift 3\n"
	"for f; do test -e \"$f\" || { printf '%s is missing\\n' \"$f\"; exit 9; }; done\n"
	"if test -n \"$manifest\"; then sha256sum -c \"$manifest\" >/dev/null 2>&1 || { sha256sum -c \"$manifest\" 2>&1 | grep -v ': OK$' | head -n 3; exit 9; }; fi\n"
	"exit 0\n";

/* A new link beside, renamed over: there is no moment without `current`. Somebody who switched in between is not overruled. */
static const char switch_it[] =
	"cd \"$1\" || exit 10\n"
	"test -d \"releases/$3\" || { echo 'the release is not there'; exit 10; }\n"
	"c=$(readlink current); c=${c%/}; c=${c##*/}\n"
	"test \"$c\" = \"$3\" && exit 0\n"
	"test \"$c\" = \"$2\" || { printf 'current is %s\\n' \"${c:-nothing}\"; exit 8; }\n"
	"test -L current || ! test -e current || { echo 'current is no link'; exit 8; }\n"
	"t=.current-$4\n"
	"rm -f \"$t\" && ln -s \"releases/$3\" \"$t\" && mv -fT \"$t\" current || { rm -f \"$t\"; exit 1; }\n"
	"sync . 2>/dev/null || sync\n"
	"test \"$(readlink current)\" = \"releases/$3\"\n";

static const char log_it[] =
	"cd \"$1\" || exit 10\n"
	"grep -qF \"$2\" revisions.log 2>/dev/null && exit 0\n"
	"printf '%s\\n' \"$3\" >>revisions.log\n";

static const char unlock[] =
	"cd \"$1\" || exit 10\n"
	"test -d .ops-lock || exit 0\n"
	"read -r k rest 2>/dev/null <.ops-lock/owner\n"
	"test \"$k\" = \"$2\" || exit 0\n"
	"rm -f .ops-lock/owner && rmdir .ops-lock\n";

/* What is current by now, or is worked in, stays whatever was planned. */
static const char remove_them[] =
	"cd \"$1/releases\" || exit 10\n"
	"shift\n"
	"c=$(readlink ../current); c=${c%/}; c=${c##*/}\n"
	"for r; do\n"
	"	case $r in ''|[.-]*|*[!A-Za-z0-9._+-]*) exit 1 ;; esac\n"
	"	test \"$r\" = \"$c\" || rm -rf -- \"./$r\" || exit 1\n"
	"done\n"
	"exit 0\n";

void release_ask_lock(struct arena *a, const char *root, const char *key, const char *owner, struct ask *to)
{
	ask_run(a, to, "sh", "-c", lock, "sh", root, key, owner, NULL);
}

void release_ask_check(struct arena *a, const char *root, const char *name, const char *manifest, const struct words *complete, struct ask *to)
{
	const char *argv[WORDS_LIMIT];
	size_t n;
	start(argv, &n, check, root);
	argv[n++] = name;
	argv[n++] = manifest;
	add_words(argv, &n, complete);
	finish(a, argv, n, manifest[0] != '\0' ? CHECK_MS : ASK_MS, to);
}

void release_ask_switch(struct arena *a, const char *root, const char *from, const char *name, const char *key, struct ask *to)
{
	ask_run(a, to, "sh", "-c", switch_it, "sh", root, from, name, key, NULL);
}

void release_ask_log(struct arena *a, const char *root, const char *key, const char *line, struct ask *to)
{
	ask_run(a, to, "sh", "-c", log_it, "sh", root, key, line, NULL);
}

void release_ask_unlock(struct arena *a, const char *root, const char *key, struct ask *to)
{
	ask_run(a, to, "sh", "-c", unlock, "sh", root, key, NULL);
}

void release_ask_remove(struct arena *a, const char *root, const char *const *names, size_t n_names, struct ask *to)
{
	const char *argv[WORDS_LIMIT];
	size_t n;
	start(argv, &n, remove_them, root);
	for (size_t i = 0; i < n_names && n < WORDS_LIMIT; i++)
		argv[n++] = names[i];
	finish(a, argv, n, CHECK_MS, to);
}
