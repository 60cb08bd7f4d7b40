/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/systemd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "base/text.h"
#include "deploy/note.h"

enum { ASK_MS = 30 * 1000, POLL_MS = 1000, GONE_MS = 5 * 1000, LINE_MAX_ = 4096, SAID_WIDTH = 120, PID_BITS = 22 };

/* ---- names ---- */

/* systemctl makes another name of what it does not like, "../x" the unit "..-x.service", and then restarts that. */
bool systemd_is_name(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-";
	static const char *const suffixes[] = { ".service", ".socket", ".target", ".timer", ".slice", ".scope" };
	size_t n = strlen(name);
	if (n == 0 || n > SYSTEMD_NAME_MAX || strspn(name, plain) != n || name[0] == '-' || name[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		size_t len = strlen(suffixes[i]);
		if (n > len && strcmp(name + n - len, suffixes[i]) == 0)
			return true;
	}
	return false;
}

static enum err fill_name(const struct settings *s, const char *model, const char *node, struct arena *a, const char **out, struct why *why)
{
	const char *const values[] = { "model", model, "node", node, NULL };
	const char *name = "";
	enum err e = template_fill(a, setting_text(s, "unit"), values, &name, why);
	if (e != ERR_OK)
		return e;
	if (!systemd_is_name(name))
		return why_set(why, ERR_FORMAT, "'%.100s' is no name of a unit as systemctl takes it unchanged: letters, digits and :_.\\@-, ending in .service", name);
	*out = name;
	return ERR_OK;
}

enum err systemd_service_of(const struct settings *s, const struct unit *u, struct arena *a, struct systemd_service *out, struct why *why)
{
	const char *name = "";
	enum err e = fill_name(s, u->model, u->node, a, &name, why);
	if (e != ERR_OK)
		return e;
	bool is_user = setting_bool(s, "user");
	*out = (struct systemd_service){ .name = name, .is_user = is_user, .has_sudo = setting_bool(s, "sudo") && !is_user,
		                             .reloads = strcmp(setting_text(s, "verb"), "reload") == 0, .daemon_reload = setting_bool(s, "daemon_reload"),
		                             .stable_ms = setting_number(s, "stable") };
	return ERR_OK;
}

enum err systemd_check(const struct settings *s, struct why *why)
{
	struct arena a;
	const char *name;
	arena_init(&a);
	enum err e = fill_name(s, "m", "n", &a, &name, why);
	arena_release(&a);
	return e;
}

/* ---- asks ---- */

static void ask_systemctl(struct arena *a, const struct systemd_service *s, bool changes, const char *const *words, struct ask *to)
{
	const char *argv[16];
	size_t n = 0;
	if (!changes) { /* times are printed in the machine's zone otherwise */
		argv[n++] = "env";
		argv[n++] = "TZ=UTC";
	}
	if (changes && s->has_sudo) {
		argv[n++] = "sudo";
		argv[n++] = "-n";
		argv[n++] = "--";
	}
	argv[n++] = "systemctl";
	if (s->is_user)
		argv[n++] = "--user";
	while (*words != NULL)
		argv[n++] = *words++;
	const struct ask ask = { .kind = ASK_RUN, .argv = argv, .n_argv = n, .timeout_ms = ASK_MS };
	ask_copy(a, &ask, to);
}

void systemd_show(struct arena *a, const struct systemd_service *s, struct ask *to)
{
	static const char properties[] = "Id,LoadState,ActiveState,SubState,Result,InvocationID,StatusText,FragmentPath,MainPID,NRestarts,ExecMainCode,"
	                                 "ExecMainStatus,ActiveEnterTimestamp,Job,NeedDaemonReload";
	const char *const words[] = { "show", "-p", properties, "--", s->name, NULL };
	ask_systemctl(a, s, false, words, to);
}

/* ---- what it tells ---- */

/* "Mon 2026-11-23 14:52:43 UTC"; of another zone nothing is told: its offset is not there. */
static int64_t read_time(const char *text)
{
	static const struct {
		size_t at, n;
	} parts[] = { { 4, 4 }, { 9, 2 }, { 12, 2 }, { 15, 2 }, { 18, 2 }, { 21, 2 } };
	int64_t values[6];
	if (strlen(text) != 27 || strcmp(text + 23, " UTC") != 0)
		return 0;
	for (size_t i = 0; i < 6; i++) {
		char part[8] = "";
		memcpy(part, text + parts[i].at, parts[i].n);
		if (parse_i64(part, 0, 9999, &values[i]) != ERR_OK)
			return 0;
	}
	struct tm tm = { .tm_year = (int)values[0] - 1900, .tm_mon = (int)values[1] - 1, .tm_mday = (int)values[2], .tm_hour = (int)values[3],
		             .tm_min = (int)values[4], .tm_sec = (int)values[5] };
	return (int64_t)timegm(&tm) * 1000;
}

static void take_text(char *to, size_t size, const char *value)
{
	snprintf(to, size, "%s", value);
}

static void take(struct systemd_state *s, const char *key, const char *value)
{
	const struct {
		const char *key;
		char       *to;
		size_t      size;
	} texts[] = {
		{ "LoadState", s->load, sizeof s->load },           { "ActiveState", s->active, sizeof s->active },
		{ "SubState", s->sub, sizeof s->sub },              { "Result", s->result, sizeof s->result },
		{ "InvocationID", s->invocation, sizeof s->invocation }, { "StatusText", s->status_text, sizeof s->status_text },
		{ "FragmentPath", s->fragment, sizeof s->fragment },
	};
	const struct {
		const char *key;
		int64_t    *to;
	} numbers[] = { { "MainPID", &s->pid }, { "NRestarts", &s->restarts }, { "ExecMainCode", &s->code }, { "ExecMainStatus", &s->status } };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(key, texts[i].key) == 0)
			take_text(texts[i].to, texts[i].size, value);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(key, numbers[i].key) == 0 && parse_i64(value, 0, INT32_MAX, numbers[i].to) != ERR_OK)
			*numbers[i].to = -1; /* "[not set]" */
	if (strcmp(key, "ActiveEnterTimestamp") == 0)
		s->active_since_ms = read_time(value);
	else if (strcmp(key, "Job") == 0)
		s->has_job = value[0] != '\0' && strcmp(value, "0") != 0;
	else if (strcmp(key, "NeedDaemonReload") == 0)
		s->needs_daemon_reload = strcmp(value, "yes") == 0;
}

/* KEY=VALUE, in any order; a value may hold '='. */
bool systemd_read(const char *text, size_t n, struct systemd_state *out)
{
	struct systemd_state s = { .pid = -1, .restarts = -1, .code = -1, .status = -1 };
	for (const char *at = text, *end = text + n; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		char line[LINE_MAX_];
		if (len < sizeof line) {
			memcpy(line, at, len);
			line[len] = '\0';
			char *equals = strchr(line, '=');
			if (equals != NULL) {
				*equals = '\0';
				take(&s, line, equals + 1);
			}
		}
		at += len + 1;
	}
	if (s.load[0] == '\0' || s.active[0] == '\0')
		return false;
	*out = s;
	return true;
}

/* systemd.exec(5), "Process exit codes"; what people meet. */
static const char *meaning(int64_t status)
{
	static const struct {
		int         status;
		const char *text;
	} rows[] = {
		{ 126, "it may not be run" },
		{ 127, "a program that it calls is missing" },
		{ 200, "its working directory is missing (CHDIR)" },
		{ 203, "its program is missing or cannot be run (EXEC)" },
		{ 205, "its limits cannot be set (LIMITS)" },
		{ 209, "its standard output cannot be set up (STDOUT)" },
		{ 210, "its root directory is missing (CHROOT)" },
		{ 216, "its group is not there (GROUP)" },
		{ 217, "its user is not there (USER)" },
		{ 226, "its namespace cannot be set up: a path that it names is missing (NAMESPACE)" },
		{ 233, "its runtime directory cannot be made (RUNTIME_DIRECTORY)" },
		{ 238, "its state directory cannot be made (STATE_DIRECTORY)" },
		{ 243, "its credentials cannot be had (CREDENTIALS)" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == status)
			return rows[i].text;
	return NULL;
}

void systemd_explain(const struct systemd_state *s, char *to, size_t size)
{
	const char *means = s->code == 1 ? meaning(s->status) : NULL;
	if (strcmp(s->result, "oom-kill") == 0)
		snprintf(to, size, "it was killed for want of memory");
	else if (strcmp(s->result, "start-limit-hit") == 0)
		snprintf(to, size, "it was started too often and is not started any more for a while (start-limit-hit; `systemctl reset-failed` ends that)");
	else if (strcmp(s->result, "timeout") == 0)
		snprintf(to, size, "it took longer than its time limit (TimeoutStartSec or TimeoutStopSec)");
	else if (s->code == 1)
		snprintf(to, size, "it exited with status %lld%s%s", (long long)s->status, means != NULL ? ": " : "", means != NULL ? means : "");
	else if (s->code == 2 || s->code == 3)
		snprintf(to, size, "it was killed by signal %lld%s", (long long)s->status, s->code == 3 ? ", and dumped core" : "");
	else
		snprintf(to, size, "its result is '%s'", s->result[0] != '\0' ? s->result : "unknown");
}

void systemd_warn(struct look *l, const struct systemd_service *s, const struct systemd_state *now)
{
	char text[200];
	systemd_explain(now, text, sizeof text);
	if (strcmp(now->load, "not-found") == 0)
		found_warn(l, WARNING_FORBIDS, "'%s' knows no unit '%s'%s", l->unit->node, s->name, s->is_user ? " in the manager of this account" : "");
	else if (strcmp(now->load, "masked") == 0)
		found_warn(l, WARNING_FORBIDS, "'%s' is masked: it cannot be started until `systemctl unmask`", s->name);
	else if (strcmp(now->load, "loaded") != 0)
		found_warn(l, WARNING_FORBIDS, "the unit file of '%s' cannot be read (%s)", s->name, now->load);
	if (now->needs_daemon_reload && !s->daemon_reload)
		found_warn(l, WARNING_CARE, "the unit file of '%s' was changed on disk: a restart takes the old one, until daemon-reload (option 'daemon_reload')", s->name);
	if (strcmp(now->active, "failed") == 0)
		found_warn(l, WARNING_CARE, "'%s' has failed: %s", s->name, text);
	else if (strcmp(now->sub, "auto-restart") == 0)
		found_warn(l, WARNING_CARE, "'%s' ends again and again, %lld restarts so far: %s", s->name, (long long)now->restarts, text);
	else if (strcmp(now->load, "loaded") == 0 && strcmp(now->active, "active") != 0)
		found_warn(l, WARNING_NOTE, "'%s' does not run now (%s)", s->name, now->active);
}

/* ---- steps ---- */

static const char *note_of(struct arena *a, const struct systemd_service *s, const char *invocation)
{
	return note_make(a, "unit", s->name, "before", invocation, "stable", arena_printf(a, "%lld", (long long)s->stable_ms), "proof",
	                 s->reloads ? "" : "invocation", NULL);
}

void systemd_add(struct planning *p, struct steps *to, const struct systemd_service *s, const char *invocation, int64_t ready_ms)
{
	const char *const restart[] = { s->reloads ? "reload" : "restart", "--no-block", "--", s->name, NULL };
	const char *const daemon_reload[] = { "daemon-reload", NULL };
	struct step *step;
	if (s->daemon_reload && (step = steps_add(p, to, PHASE_CHANGE, "have systemd read its unit files again")) != NULL) {
		ask_systemctl(p->arena, s, true, daemon_reload, &step->ask);
		step->tag = TAG_SYSTEMD_DAEMON_RELOAD;
		step->note = note_of(p->arena, s, invocation);
		step->changes = step->is_repeatable = true;
	}
	step = steps_add(p, to, PHASE_CHANGE, "%s %s", restart[0], s->name);
	if (step == NULL)
		return;
	ask_systemctl(p->arena, s, true, restart, &step->ask);
	step->tag = TAG_SYSTEMD_VERB;
	step->note = note_of(p->arena, s, invocation);
	step->changes = true;
	step->is_repeatable = s->reloads || invocation[0] == '\0';
	if (!step->is_repeatable)
		systemd_show(p->arena, s, &step->probe);
	step = steps_add(p, to, PHASE_READY, "wait until %s is up", s->name);
	if (step == NULL)
		return;
	systemd_show(p->arena, s, &step->ask);
	step->tag = TAG_SYSTEMD_READY;
	step->note = note_of(p->arena, s, s->reloads ? "" : invocation);
	step->is_repeatable = true;
	step->poll_ms = POLL_MS;
	step->deadline_ms = ready_ms;
}

/* ---- verdicts ---- */

static void put_said(const struct answer *a, char *to, size_t size)
{
	struct buf safe;
	buf_init(&safe, size - 1);
	text_cut(&safe, a->text, strcspn(a->text, "\n"), SAID_WIDTH);
	snprintf(to, size, "%s", buf_text(&safe));
	buf_release(&safe);
}

/* What systemctl and sudo make of not being allowed. sudo's status 1 is also the command's own. */
static void judge_status(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	char said[SYSTEMD_TEXT];
	put_said(a, said, sizeof said);
	if (strstr(a->text, "escaped as") != NULL)
		verdict_failed(v, "systemctl took the name for another: %s", said);
	else if (strncmp(a->text, "sudo:", 5) == 0)
		verdict_failed(v, "sudo refuses: %s; allow exactly this command with NOPASSWD in sudoers, or set 'sudo: false'", said);
	else if (strstr(a->text, "access denied") != NULL || strstr(a->text, "Access denied") != NULL || strstr(a->text, "authentication required") != NULL || a->status == 4)
		verdict_failed(v, "the account may not do that: %s", said);
	else if (a->status == 5)
		verdict_failed(v, "there is no such unit: %s", said);
	else if (a->status == 127)
		verdict_failed(v, "a command is missing: %s", said);
	else
		verdict_failed(v, "it ended with status %d: %s", a->status, said);
}

static void judge_verb(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	if (a->status != 0)
		judge_status(j, v);
	else if (strstr(a->text, "changed on disk") != NULL)
		verdict_done(v, "systemd has begun, with the old unit file: the new one waits for daemon-reload");
	else
		verdict_done(v, "systemd has begun");
}

/* After an interruption: was it asked for? A job that waits is that one too. */
static void judge_probe(const struct judging *j, struct verdict *v)
{
	struct systemd_state s;
	const char *before = note_text(j->arena, j->step->note, "before");
	if (j->answer->status != 0 || !systemd_read(j->answer->text, j->answer->n, &s))
		verdict_failed(v, "what the service does cannot be told: status %d", j->answer->status);
	else if (s.has_job || (s.invocation[0] != '\0' && strcmp(s.invocation, before) != 0))
		verdict_done(v, "it was restarted");
	else if (strcmp(s.active, "active") == 0 && strcmp(s.invocation, before) == 0)
		verdict_again(v, 0, "it was not restarted yet");
	else
		verdict_done(v, "it was stopped at least; the wait tells how it goes on");
}

static bool is(const char *state, const char *word) { return strcmp(state, word) == 0; }

/* The same main process for so long. What is kept between polls is its PID, and how often it was seen. */
static void judge_stable(const struct judging *j, const struct systemd_state *s, struct verdict *v)
{
	int64_t stable_ms = 0, poll_ms = j->step->poll_ms > 0 ? j->step->poll_ms : POLL_MS;
	parse_i64(note_text(j->arena, j->step->note, "stable"), 0, INT32_MAX, &stable_ms);
	int64_t wanted = (stable_ms + poll_ms - 1) / poll_ms;
	wanted = wanted < 500 ? wanted : 500;
	int pid = (int)((s->pid > 0 ? s->pid : 0) & ((1 << PID_BITS) - 1)), was = *j->at & ((1 << PID_BITS) - 1), seen = *j->at >> PID_BITS;
	char text[200];
	if (seen > 0 && pid != was) {
		systemd_explain(s, text, sizeof text);
		verdict_failed(v, "its main process was replaced while it was watched: it ends again and again (%lld restarts)", (long long)s->restarts);
		return;
	}
	if (seen >= wanted) {
		verdict_done(v, is(s->sub, "exited") ? "it has run and ended well" : "up, with the same process for %.3g s", (double)stable_ms / 1000);
		return;
	}
	*j->at = (seen + 1) << PID_BITS | pid;
	verdict_again(v, poll_ms, "up; its process is watched for %.3g s%s%s", (double)stable_ms / 1000, s->status_text[0] != '\0' ? ": " : "", s->status_text);
}

static void judge_state(const struct judging *j, const struct systemd_state *s, struct verdict *v)
{
	const char *before = note_text(j->arena, j->step->note, "before");
	bool is_old = before[0] != '\0' && is(s->invocation, before);
	char text[200];
	systemd_explain(s, text, sizeof text);
	if (!is(s->load, "loaded"))
		verdict_failed(v, "the unit is not there any more (%s)", s->load);
	else if (is_old && (s->has_job || is(s->active, "active") || is(s->active, "deactivating")))
		verdict_again(v, 0, "the run of before is still there (%s)", s->sub);
	else if (is(s->active, "failed"))
		verdict_failed(v, "the service has failed: %s", text);
	else if (is(s->sub, "auto-restart"))
		verdict_failed(v, "the service ends again and again (%lld restarts): %s", (long long)s->restarts, text);
	else if (is(s->active, "active") && (is(s->sub, "running") || is(s->sub, "exited")))
		judge_stable(j, s, v);
	else if (!is(s->active, "inactive") || s->has_job)
		verdict_again(v, 0, "%s (%s)%s%s", s->active, s->sub, s->status_text[0] != '\0' ? ": " : "", s->status_text);
	else if (j->now_ms - j->began_ms < GONE_MS)
		verdict_again(v, 0, "it does not run yet");
	else
		verdict_failed(v, "it was started and does not run: it ended by itself, or somebody stopped it");
}

static void judge_ready(const struct judging *j, struct verdict *v)
{
	struct systemd_state s;
	if (j->answer->status != 0)
		judge_status(j, v);
	else if (!systemd_read(j->answer->text, j->answer->n, &s))
		verdict_failed(v, "systemctl did not tell the state of the service");
	else
		judge_state(j, &s, v);
}

bool systemd_judge(const struct judging *j, struct verdict *v)
{
	if (j->step->tag < TAG_SYSTEMD_VERB || j->step->tag >= TAG_SYSTEMD_LAST)
		return false;
	if (verdict_of_silence(j, v))
		return true;
	if (j->answer == NULL)
		verdict_failed(v, "a step of systemd without an answer");
	else if (j->is_probe)
		judge_probe(j, v);
	else if (j->step->tag == TAG_SYSTEMD_READY)
		judge_ready(j, v);
	else
		judge_verb(j, v);
	return true;
}
