/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/lock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "collectors/digest.h"

enum { NAME_SHOWN = 40, HASH_SHOWN = 8, NAME_WIDTH = 30, HOST_WIDTH = 40, FIELD_WIDTH = 60, TEXT_WIDTH = 80, LINE = LOCK_TOLD, SECONDS_MAX = INT32_MAX };

bool lock_is_possible(const struct driver *d, const struct unit *u)
{
	return d->lock != NULL || unit_has_machine(u);
}

const char *lock_place(struct arena *a, const struct driver *d, const struct settings *s, const char *folder, const char *model)
{
	return d->lock != NULL ? d->lock->place(a, s) : lock_path(a, folder, model);
}

const char *lock_path(struct arena *a, const char *folder, const char *model)
{
	char name[NAME_SHOWN + 1] = "", hash[DIGEST_TEXT] = "";
	size_t n = 0;
	if (digest_text(model, strlen(model), hash) != ERR_OK) {
		a->failed = true;
		return "";
	}
	for (const char *c = model; *c != '\0' && n < NAME_SHOWN; c++)
		name[n++] = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ? *c : '-';
	return arena_printf(a, "%s/.pitwall-lock-%s-%.*s", folder, name, HASH_SHOWN, hash);
}

/* PATH STALE_S MODE KEY WHO HOST WHAT TAKES. What is in the folder is written beside and renamed, so that it is whole or not there; only in a folder that this account made, where nobody
 * else can have put a link in our way. Whoever takes a stale one over excludes others who do by a second folder, and looks again behind it. */
static const char script[] =
	"d=$1 ttl=$2 mode=$3 key=$4 takes=$8\n"
	"umask 022\n"
	"put() { f=$1; shift; printf '%s\\n' \"$@\" >\"$d/.new-$$\" && mv -f \"$d/.new-$$\" \"$d/$f\"; }\n"
	"own() { put beat \"$(date +%s)\" && put owner \"$key\" \"$1\" \"$2\" \"$3\" \"$(date +%s)\"; }\n"
	"say() { echo \"lock $1\"; test -z \"$2\" || printf 'text %s\\n' \"$2\"; exit 0; }\n"
	"number() { case $1 in ''|*[!0-9]*|0?*|????????????*) echo \"$2\" ;; *) echo \"$1\" ;; esac; }\n"
	"see() {\n"
	"	k= who= host= what= since= beat=\n"
	"	if test -f \"$d/owner\"; then { IFS= read -r k; IFS= read -r who; IFS= read -r host; IFS= read -r what; IFS= read -r since; } <\"$d/owner\"; fi\n"
	"	if test -f \"$d/beat\"; then IFS= read -r beat <\"$d/beat\"; fi\n"
	"	now=$(date +%s) k=${k:--}\n"
	"	since=$(number \"$since\" \"$(stat -c %Y \"$d\" 2>/dev/null)\") since=$(number \"$since\" 0)\n"
	"	beat=$(number \"$beat\" \"$since\")\n"
	"	age=$((now - beat))\n"
	"	test $age -ge 0 || age=$((0 - age))\n"
	"	if test $age -gt \"$ttl\"; then state=stale; else state=held; fi\n"
	"}\n"
	"tell() { printf 'key %s\\nwho %s\\nhost %s\\nwhat %s\\nsince %s\\nage %s\\n' \"$k\" \"$who\" \"$host\" \"$what\" \"$since\" \"$age\"; say $state \"$1\"; }\n"
	"if test ! -e \"$d\" && test ! -L \"$d\"; then\n"
	"	test -d \"${d%/*}\" || say cannot \"the folder ${d%/*} is not there\"\n"
	"	if test $mode = look; then test -w \"${d%/*}\" || say cannot \"nothing can be written in ${d%/*}\"; say free; fi\n"
	"fi\n"
	"if test $mode = take && e=$(mkdir \"$d\" 2>&1); then\n"
	"	own \"$5\" \"$6\" \"$7\" 2>/dev/null && say taken\n"
	"	rm -f \"$d/.new-$$\" \"$d/beat\" \"$d/owner\"; rmdir \"$d\"\n"
	"	say cannot \"nothing can be written in ${d%/*}: is the disk full?\"\n"
	"fi\n"
	"if test -L \"$d\" || test ! -d \"$d\"; then test -e \"$d\" || test -L \"$d\" || say cannot \"${e##*: }: ${d%/*}\"; say cannot \"$d is no folder\"; fi\n"
	"see\n"
	"if test \"$k\" = \"$key\" && test $mode = take && test -O \"$d\"; then put beat \"$now\" 2>/dev/null || say cannot \"nothing can be written in $d: is the disk full?\"; say kept; fi\n"
	"if test $state = stale && test $mode = take && test -n \"$takes\" && test \"$k\" = \"$takes\"; then\n"
	"	test -O \"$d\" || tell \"it belongs to another account on that machine: remove $d there\"\n"
	"	if mkdir \"$d.taking\" 2>/dev/null; then\n"
	"		see\n"
	"		if test $state = stale && test \"$k\" = \"$takes\" && own \"$5\" \"$6\" \"$7\" 2>/dev/null; then rmdir \"$d.taking\"; say taken; fi\n"
	"		rmdir \"$d.taking\"\n"
	"	else\n"
	"		t=$(number \"$(stat -c %Y \"$d.taking\" 2>/dev/null)\" \"$now\")\n"
	"		test $((now - t)) -le 60 || rmdir \"$d.taking\"\n"
	"		tell 'somebody else takes it over just now'\n"
	"	fi\n"
	"fi\n"
	"tell\n";

static const char free_it[] =
	"test -d \"$1\" && test ! -L \"$1\" && test -O \"$1\" && test -f \"$1/owner\" || exit 0\n"
	"IFS= read -r k <\"$1/owner\"\n"
	"test \"$k\" = \"$2\" || exit 0\n"
	"mv \"$1\" \"$1.$2\" && rm -rf \"$1.$2\"\n";

const char *lock_plain(struct arena *a, const char *text)
{
	struct buf safe;
	buf_init(&safe, LINE);
	text_cut(&safe, text, strlen(text), TEXT_WIDTH);
	const char *copy = arena_text(a, buf_text(&safe));
	buf_release(&safe);
	return copy != NULL ? copy : "";
}

static void ask_lock(struct arena *a, const char *path, const char *mode, const struct lock_holder *h, const char *takes, struct ask *to)
{
	ask_run(a, to, "sh", "-c", script, "sh", path, arena_printf(a, "%d", LOCK_STALE_MS / 1000), mode, h->key, lock_plain(a, h->who), lock_plain(a, h->host), lock_plain(a, h->what), takes,
	        NULL);
	to->timeout_ms = LOCK_ASK_MS;
}

void lock_ask_look(struct arena *a, const char *path, struct ask *to)
{
	ask_lock(a, path, "look", &(const struct lock_holder){ "", "", "", "" }, "", to);
}

void lock_ask_take(struct arena *a, const char *path, const struct lock_holder *h, const char *takes, struct ask *to)
{
	ask_lock(a, path, "take", h, takes, to);
}

void lock_ask_free(struct arena *a, const char *path, const char *key, struct ask *to)
{
	ask_run(a, to, "sh", "-c", free_it, "sh", path, key, NULL);
	to->timeout_ms = LOCK_ASK_MS;
}

/* ---- what was answered ---- */

/* A column takes 4 bytes at most. */
void lock_take_text(char *to, size_t size, int width, const char *value)
{
	struct buf safe;
	buf_init(&safe, size - 1);
	text_cut(&safe, value, strlen(value), width);
	snprintf(to, size, "%s", buf_text(&safe));
	buf_release(&safe);
}

static void take_line(struct lock_told *t, const char *word, const char *value)
{
	const struct {
		const char *word;
		char       *to;
		size_t      size;
		int         width;
	} texts[] = {
		{ "lock", t->state, sizeof t->state, 3 * 4 },           { "key", t->key, sizeof t->key, LOCK_KEY - 4 },         { "who", t->who, sizeof t->who, NAME_WIDTH },
		{ "host", t->host, sizeof t->host, HOST_WIDTH }, { "what", t->what, sizeof t->what, FIELD_WIDTH }, { "text", t->text, sizeof t->text, TEXT_WIDTH },
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(word, texts[i].word) == 0)
			lock_take_text(texts[i].to, texts[i].size, texts[i].width, value);
	if (strcmp(word, "since") == 0 && parse_i64(value, 0, SECONDS_MAX * INT64_C(4), &t->since_s) != ERR_OK)
		t->since_s = 0;
	if (strcmp(word, "age") == 0 && parse_i64(value, 0, SECONDS_MAX * INT64_C(4), &t->age_s) != ERR_OK)
		t->age_s = 0;
}

static void take_lines(struct lock_told *t, const char *text, size_t n)
{
	for (const char *at = text, *end = text + n; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		char line[LINE];
		if (len < sizeof line) {
			memcpy(line, at, len);
			line[len] = '\0';
			char *blank = strchr(line, ' ');
			if (blank != NULL)
				*blank = '\0';
			take_line(t, line, blank != NULL ? blank + 1 : "");
		}
		at += len + 1;
	}
}

/* Whole minutes, so that machines that were locked one after another say the same. */
void lock_tell(const struct lock_told *t, enum lock_state state, struct lock_seen *out)
{
	enum { MINUTE_S = 60 };
	char time[TIME_TEXT] = "", age[DURATION_TEXT] = "", since[TIME_TEXT + 16] = "", more[TIME_TEXT + 64] = "";
	if (t->since_s > 0)
		snprintf(since, sizeof since, ", since %s", format_time(t->since_s / MINUTE_S * MINUTE_S * 1000, time));
	if (state == LOCK_STALE)
		snprintf(more, sizeof more, ", not heard of for %s", format_age(t->age_s / MINUTE_S * MINUTE_S * 1000, age));
	out->state = state;
	snprintf(out->key, sizeof out->key, "%s", t->key[0] != '\0' ? t->key : "-");
	snprintf(out->text, sizeof out->text, "%.120s%s%.160s holds the lock%s%.240s%s%s%s%.320s", t->who[0] != '\0' ? t->who : "somebody", t->host[0] != '\0' ? " on " : "",
	         t->host, t->what[0] != '\0' ? ": " : "", t->what, since, more, t->text[0] != '\0' ? "; " : "", t->text);
}

static enum lock_state state_of(const char *word)
{
	static const struct {
		const char     *word;
		enum lock_state state;
	} words[] = { { "free", LOCK_FREE }, { "taken", LOCK_TAKEN }, { "kept", LOCK_KEPT }, { "held", LOCK_HELD }, { "stale", LOCK_STALE }, { "cannot", LOCK_CANNOT } };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].state;
	return LOCK_UNKNOWN;
}

void lock_read(const struct answer *answer, struct lock_seen *out)
{
	struct lock_told t = { .age_s = 0 };
	*out = (struct lock_seen){ .state = LOCK_UNKNOWN };
	if (answer->err != ERR_OK) {
		lock_take_text(out->text, sizeof out->text, TEXT_WIDTH * 2, answer->why);
		return;
	}
	take_lines(&t, answer->text, answer->n);
	out->state = state_of(t.state);
	if (out->state == LOCK_HELD || out->state == LOCK_STALE) {
		lock_tell(&t, out->state, out);
	} else if (out->state == LOCK_CANNOT) {
		snprintf(out->text, sizeof out->text, "%s", t.text[0] != '\0' ? t.text : "no lock can be made");
	} else if (out->state == LOCK_UNKNOWN) {
		char said[LOCK_TEXT / 2];
		lock_take_text(said, sizeof said, TEXT_WIDTH, answer->text);
		snprintf(out->text, sizeof out->text, "the command that locks it ended with status %d%s%s", answer->status, said[0] != '\0' ? ": " : "", said);
	}
}

/* ---- conversations ---- */

static enum look_turn turn_on_machine(struct locking *l)
{
	if (l->last != NULL) {
		lock_read(l->last, &l->seen);
		return LOOK_DONE;
	}
	switch (l->wish) {
	case LOCK_LOOKS:
		lock_ask_look(l->arena, l->path, &l->next);
		break;
	case LOCK_TAKES:
		lock_ask_take(l->arena, l->path, &l->holder, l->takes, &l->next);
		break;
	case LOCK_GIVES_BACK:
		lock_ask_free(l->arena, l->path, l->holder.key, &l->next);
		break;
	}
	return LOOK_ASK;
}

enum look_turn lock_turn(struct locking *l)
{
	enum look_turn t = l->driver->lock != NULL ? l->driver->lock->turn(l) : turn_on_machine(l);
	if (t == LOOK_DONE || !arena_failed(l->arena))
		return t;
	l->seen = (struct lock_seen){ .state = LOCK_UNKNOWN, .text = "out of memory" };
	return LOOK_DONE;
}
