/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/commands.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "deploy/mask.h"
#include "deploy/note.h"

enum { COMMAND_MS = 10 * 60 * 1000, READY_ASK_MS = 10 * 1000, READY_POLL_MS = 2000, READY_MS = 10 * 60 * 1000, VERSION_BYTES = 200, SAID_WIDTH = 120, WORDS_LIMIT = 256 };

/* ---- texts ---- */

void first_line(const char *text, char *to, size_t size)
{
	struct buf safe;
	while (*text == '\n' || *text == '\r')
		text++;
	buf_init(&safe, size - 1);
	text_cut(&safe, text, strcspn(text, "\n"), SAID_WIDTH);
	snprintf(to, size, "%s", buf_text(&safe));
	buf_release(&safe);
}

const char *version_text(struct arena *a, const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n);
	size_t len = end != NULL ? (size_t)(end - text) : n;
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\r' || text[len - 1] == '\t'))
		len--;
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	if (len == 0 || len > VERSION_BYTES || !text_is_utf8(text, len))
		return "";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "";
	return arena_printf(a, "%.*s", (int)len, text);
}

/* ---- filling in ---- */

void command_values(const struct unit *u, const char *version, const char *previous, const char *values[COMMAND_VALUES])
{
	size_t n = 0;
	const char *const pairs[] = { "model", u->model, "group", u->group, "node", u->node, "version", version, "previous", previous };
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i += 2)
		if (pairs[i + 1] != NULL) {
			values[n++] = pairs[i];
			values[n++] = pairs[i + 1];
		}
	values[n] = NULL;
}

enum err command_fill(struct arena *a, const struct words *words, const char *const *values, struct ask *to, struct why *why)
{
	const char *argv[WORDS_LIMIT];
	size_t which;
	if (words->n == 0 || words->n > WORDS_LIMIT)
		return why_set(why, ERR_FORMAT, "a command has at least one word, and %d at most", WORDS_LIMIT);
	if (mask_words_tell(words->items, words->n, &which))
		return why_set(why, ERR_FORMAT, "word %zu of '%.60s' is a secret in plain text, which plans, the store and lists of processes would hold: have the command read it "
		               "from a file or a variable of its own", which + 1, words->items[0]);
	for (size_t i = 0; i < words->n; i++) {
		enum err e = template_fill(a, words->items[i], values, &argv[i], why);
		if (e != ERR_OK)
			return e;
		if (argv[i][0] == '-' && words->items[i][0] == '{')
			return why_set(why, ERR_UNSUPPORTED, "'%.100s' begins with '-', which '%.60s' would read as an option of its own", argv[i], words->items[0]);
	}
	if (argv[0][0] == '\0' || argv[0][0] == '-' || strchr(argv[0], '=') != NULL)
		return why_set(why, ERR_FORMAT, "'%.100s' is no name of a command", argv[0]);
	const struct ask ask = { .kind = ASK_RUN, .argv = argv, .n_argv = words->n, .timeout_ms = COMMAND_MS };
	ask_copy(a, &ask, to);
	return ERR_OK;
}

enum err commands_check(const struct settings *s, const char *option, bool has_version, struct why *why)
{
	const struct unit any = { .name = "n", .node = "n", .model = "m", .group = "g", .url = "", .destination = "", .user = "" };
	const struct setting *commands = setting(s, option);
	const char *values[COMMAND_VALUES];
	struct arena a;
	enum err e = ERR_OK;
	arena_init(&a);
	command_values(&any, has_version ? "v" : NULL, has_version ? "p" : NULL, values);
	for (size_t i = 0; i < commands->n_commands && e == ERR_OK; i++) {
		struct ask ask;
		e = command_fill(&a, &commands->commands[i], values, &ask, why);
	}
	arena_release(&a);
	return e == ERR_OK ? ERR_OK : why_prefix(why, e, "'%s'", option);
}

/* ---- steps ---- */

enum err commands_add(struct planning *p, struct steps *to, enum phase phase, const char *option, const char *const *values, struct why *why)
{
	const struct setting *commands = setting(p->settings, option);
	for (size_t i = 0; i < commands->n_commands; i++) {
		struct step *step = steps_add(p, to, phase, "%s: %.80s", option, commands->commands[i].items[0]);
		if (step == NULL)
			return why_memory(why);
		step->tag = phase == PHASE_READY ? TAG_COMMAND_READY : TAG_COMMAND;
		step->changes = phase != PHASE_READY;
		step->is_repeatable = true;
		enum err e = command_fill(p->arena, &commands->commands[i], values, &step->ask, why);
		if (e != ERR_OK)
			return e;
		step->deadline_ms = phase == PHASE_READY ? ready_ms_of(p->deploy) : 2 * COMMAND_MS;
	}
	return ERR_OK;
}

int64_t ready_ms_of(const struct fleet_deploy *d) { return d->gate.ready_ms > 0 ? d->gate.ready_ms : READY_MS; }

bool url_is_loopback(const char *url)
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	size_t n = strcspn(host, ":/");
	return (n == 9 && strncasecmp(host, "localhost", n) == 0) || strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0;
}

enum err ready_add(struct planning *p, struct steps *to, int64_t ready_ms, struct why *why)
{
	const char *ready = setting_text(p->settings, "ready"), *values[COMMAND_VALUES];
	if (ready[0] == '\0')
		return ERR_OK;
	if (ready[0] == '/' && p->unit->url[0] == '\0')
		return why_set(why, ERR_UNSUPPORTED, "'%s' has no target whose '%s' could be asked: give a whole URL for 'ready'", p->unit->name, ready);
	command_values(p->unit, NULL, NULL, values);
	const char *filled = "";
	enum err e = template_fill(p->arena, ready, values, &filled, why);
	if (e != ERR_OK)
		return e;
	const char *url = filled[0] == '/' ? arena_printf(p->arena, "%s%s", p->unit->url, filled) : filled;
	struct step *step = steps_add(p, to, PHASE_READY, "wait until it serves");
	if (step == NULL)
		return why_memory(why);
	ask_http(p->arena, &step->ask, "GET", url, NULL);
	step->ask.is_on_machine = url_is_loopback(url);
	step->ask.timeout_ms = READY_ASK_MS;
	step->tag = TAG_HTTP_READY;
	step->is_repeatable = true;
	step->poll_ms = READY_POLL_MS;
	step->deadline_ms = ready_ms;
	return ERR_OK;
}

/* ---- looking ---- */

struct version *look_version(struct look *l, const char *id)
{
	struct version *v = id[0] != '\0' && found_by_id(&l->found, id) == NULL ? found_version(l) : NULL;
	if (v == NULL)
		return NULL;
	v->id = v->name = v->model_version = id;
	v->is_present = true;
	return v;
}

bool look_succeeded(const struct look *l, const char *option, bool is_good, struct why *why)
{
	const struct answer *a = l->last;
	char said[200];
	if (a->err == ERR_OK && is_good)
		return true;
	first_line(a->err == ERR_OK ? a->text : a->why, said, sizeof said);
	if (a->err != ERR_OK)
		why_set(why, a->err, "'%s' on '%s' fails: %s", option, l->unit->name, said);
	else
		why_set(why, ERR_UNSUPPORTED, "'%s' on '%s' fails (status %d): %s", option, l->unit->name, a->status, said);
	return false;
}

enum look_turn look_finish(struct look *l)
{
	const char *running = l->memory != NULL ? l->memory : "";
	look_version(l, running);
	for (size_t i = 0; i < l->found.n_versions; i++)
		l->found.versions[i].is_running = running[0] != '\0' && strcmp(l->found.versions[i].id, running) == 0;
	l->found.before = note_make(l->arena, "current", running, NULL);
	l->found.is_ready = true;
	return arena_failed(l->arena) ? LOOK_FAILED : LOOK_DONE;
}

/* ---- verdicts ---- */

static void judge_command(const struct judging *j, struct verdict *v)
{
	char said[200];
	first_line(j->answer->text, said, sizeof said);
	if (j->answer->status == 0)
		verdict_done(v, "%s", said);
	else if (j->step->tag == TAG_COMMAND_READY)
		verdict_again(v, READY_POLL_MS, "not ready (status %d)%s%s", j->answer->status, said[0] != '\0' ? ": " : "", said);
	else
		verdict_failed(v, "it ended with status %d%s%s", j->answer->status, said[0] != '\0' ? ": " : "", said);
}

bool commands_judge(const struct judging *j, struct verdict *v)
{
	if (j->step->tag < TAG_COMMAND || j->step->tag >= TAG_COMMANDS_LAST)
		return false;
	if (verdict_of_silence(j, v))
		return true;
	if (j->answer == NULL)
		verdict_failed(v, "a command without an answer");
	else if (j->step->tag != TAG_HTTP_READY)
		judge_command(j, v);
	else if (j->answer->status >= 200 && j->answer->status < 300)
		verdict_done(v, "it serves");
	else
		verdict_again(v, 0, "it does not serve yet: status %d", j->answer->status);
	return true;
}
