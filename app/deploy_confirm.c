/* SPDX-License-Identifier: Apache-2.0 */
#include "app/deploy_confirm.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "app/deploy_follow.h"
#include "app/deployments_print.h"
#include "base/clock.h"
#include "base/text.h"
#include "deploy/plan.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024, ARMS_MS = 500, LINE_BYTES = 1200 };

struct confirming {
	const struct cli    *cli;
	struct asker        *asker;
	struct arena         arena;
	struct deployment_at deployment; /* with its plan */
	struct deploy_plan  *plan;
	const char          *typed;      /* the name, "": a key */
	char                 line[LINE_BYTES];
};

/* ---- following ---- */

static int end_code(enum follow_end end, enum deployment_state state, int64_t id)
{
	long long n = (long long)id;
	switch (end) {
	case FOLLOW_OVER:
		return state == DEPLOYMENT_DONE ? EXIT_YES : EXIT_NO;
	case FOLLOW_DECIDE:
		fprintf(stderr, "pitwall: a person decides: pitwall deployments resume %lld, or undo, or abandon\n", n);
		return EXIT_NO;
	case FOLLOW_DETACHED:
		fprintf(stderr, "pitwall: detached; the run goes on in the recorder: pitwall deployments watch %lld\n", n);
		return EXIT_YES;
	case FOLLOW_UNRECORDED:
		fprintf(stderr, "pitwall: nobody records the store any more, so the run does not go on; the next recorder finds it: pitwall deployments resume %lld, or undo, or abandon\n", n);
		return EXIT_NO;
	}
	return EXIT_NO;
}

static void print_end(const struct asker *a, int64_t id)
{
	struct buf out;
	struct why why = { "" };
	buf_init(&out, OUTPUT_MAX);
	if (deployment_print(a->reader, id, INT64_MAX / 2, CELLS_JSON, &out, &why) == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
}

int deploy_watch(const struct asker *a, int64_t id)
{
	enum follow_end end = FOLLOW_OVER;
	enum deployment_state state = DEPLOYMENT_PLANNED;
	struct why why = { "" };
	enum err e = deploy_follow(a, id, a->format == CELLS_JSON ? stderr : stdout, &end, &state, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	if (a->format == CELLS_JSON)
		print_end(a, id);
	return end_code(end, state, id);
}

/* ---- the sheet ---- */

static enum err read_plan(struct confirming *f, int64_t id, struct why *why)
{
	struct deployment_row *r = &f->deployment.row;
	char hash[PLAN_HASH];
	enum err e = deployment_read_plan(f->asker->reader, id, INT64_MAX / 2, &f->arena, &f->deployment, why);
	if (e != ERR_OK)
		return e;
	plan_hash(r->plan, strlen(r->plan), hash);
	if (strcmp(hash, r->hash) != 0)
		return why_set(why, ERR_CORRUPT, "the plan of deployment %lld is not what its hash stands for", (long long)id);
	return plan_read(&f->arena, r->plan, strlen(r->plan), &f->plan, why);
}

static enum err show_plan(const struct confirming *f, bool is_dry, struct why *why)
{
	struct buf out;
	bool is_json = f->asker->format == CELLS_JSON;
	buf_init(&out, OUTPUT_MAX);
	enum err e = plan_print(f->plan, &out);
	if (e != ERR_OK)
		e = why_set(why, e, "the plan is too large to be shown");
	else if (!is_json || !is_dry)
		fputs(buf_text(&out), is_json ? stderr : stdout);
	fflush(stdout);
	buf_release(&out);
	return e;
}

/* ---- asking ---- */

/* One line from the terminal. What was typed or pasted before the sheet could be read does not count. */
static bool read_line(struct confirming *f, const char *question)
{
	(void)poll(NULL, 0, ARMS_MS);
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	fputs(question, stderr);
	if (fgets(f->line, sizeof f->line, stdin) == NULL)
		return false;
	f->line[strcspn(f->line, "\n")] = '\0';
	return true;
}

static enum err ask_name(struct confirming *f, const char *given, bool *is_wanted, struct why *why)
{
	struct buf question;
	if (given != NULL) {
		f->typed = given;
		*is_wanted = strcmp(given, f->plan->name) == 0;
		return *is_wanted ? ERR_OK : why_set(why, ERR_USAGE, "this is confirmed by --confirm '%.200s', not '%.200s'", f->plan->name, given);
	}
	if (!isatty(STDIN_FILENO))
		return why_set(why, ERR_USAGE, "this is confirmed by its name alone: --confirm '%.200s'", f->plan->name);
	buf_init(&question, 8192);
	buf_puts(&question, "type ");
	text_escape(&question, f->plan->name, strlen(f->plan->name));
	buf_puts(&question, " to confirm: ");
	bool is_read = read_line(f, buf_text(&question));
	buf_release(&question);
	f->typed = f->line;
	*is_wanted = is_read && strcmp(f->line, f->plan->name) == 0;
	return ERR_OK;
}

static enum err ask_key(struct confirming *f, const char *given, bool *is_wanted, struct why *why)
{
	f->typed = "";
	if (given != NULL)
		return ask_name(f, given, is_wanted, why);
	if (cli_has(f->cli, "yes"))
		*is_wanted = true;
	else if (!isatty(STDIN_FILENO))
		return why_set(why, ERR_USAGE, "nobody can be asked here: --yes confirms, --dry-run shows what would be done");
	else
		*is_wanted = read_line(f, "do it? [y/N] ") && (strcmp(f->line, "y") == 0 || strcmp(f->line, "yes") == 0);
	return ERR_OK;
}

static enum err check_state(const struct confirming *f, struct why *why)
{
	const char *forbids = NULL;
	enum deployment_state s = f->deployment.last.state;
	if (plan_is_forbidden(f->plan, &forbids))
		return why_set(why, ERR_UNSUPPORTED, "this can't be done: %s", forbids);
	if (s != DEPLOYMENT_PLANNED && s != DEPLOYMENT_WAITING)
		return why_set(why, ERR_USAGE, "deployment %lld is %s: there is nothing to confirm", (long long)f->deployment.row.id, deployment_state_name(s));
	return ERR_OK;
}

/* Refused is refused, whatever the reason; what is kept or still waits has not been done. */
static int refused(const struct asker_answer *answer)
{
	struct why why;
	why_set(&why, ERR_OK, "%.500s", answer->text);
	(void)cli_fail(answer->err, &why);
	return answer->outcome == ASKER_REFUSED ? EXIT_USAGE : EXIT_NO;
}

static int confirm(struct confirming *f)
{
	struct asker_answer answer;
	struct why why = { "" };
	struct asker *a = f->asker;
	const struct deployment_row *r = &f->deployment.row;
	struct request q = { .kind = REQUEST_CONFIRM, .deployment = r->id, .hash = r->hash, .name = f->typed };
	a->now_ms = clock_wall_ms(clock_system()); /* whoever was asked may have taken their time */
	enum err e = asker_put(a, &q, &why);
	if (e == ERR_OK)
		e = asker_wait(a, q.id, &answer, &why);
	if (e == ERR_OK && answer.outcome != ASKER_DONE)
		return refused(&answer);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	if (!cli_has(f->cli, "detach"))
		return deploy_watch(a, r->id);
	if (a->format == CELLS_JSON)
		print_end(a, r->id);
	else
		printf("deployment %lld: confirmed; pitwall deployments watch %lld\n", (long long)r->id, (long long)r->id);
	return EXIT_YES;
}

static int show_and_confirm(struct confirming *f, int64_t id, bool is_dry)
{
	struct why why = { "" };
	const char *given = cli_value(f->cli, "confirm");
	bool is_wanted = false;
	enum err e = read_plan(f, id, &why);
	if (e == ERR_OK)
		e = show_plan(f, is_dry, &why);
	if (e == ERR_OK && is_dry) {
		const char *forbids = NULL;
		if (f->asker->format == CELLS_JSON)
			print_end(f->asker, id);
		return plan_is_forbidden(f->plan, &forbids) ? EXIT_NO : EXIT_YES;
	}
	if (e == ERR_OK)
		e = check_state(f, &why);
	if (e == ERR_OK)
		e = f->plan->confirm == CONFIRM_NAME ? ask_name(f, given, &is_wanted, &why) : ask_key(f, given, &is_wanted, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	if (is_wanted)
		return confirm(f);
	fprintf(stderr, "pitwall: nothing was done; the plan is good for a while: pitwall deployments confirm %lld\n", (long long)id);
	return EXIT_NO;
}

enum err deploy_need_recorder(const struct asker *a, struct why *why)
{
	if (asker_is_recorded(a))
		return ERR_OK;
	return why_set(why, ERR_LATER, "nobody records '%s' now, and the recorder is who plans and deploys: start 'pitwall record', or open the console",
	               buf_text(&a->context.store));
}

int deploy_fail(enum err e, const struct why *why)
{
	int code = cli_fail(e, why);
	return e == ERR_LATER ? EXIT_NO : code;
}

int deploy_confirm(const struct cli *c, struct asker *a, int64_t id, bool is_dry)
{
	struct confirming f = { .cli = c, .asker = a, .typed = "" };
	arena_init(&f.arena);
	int code = show_and_confirm(&f, id, is_dry);
	arena_release(&f.arena);
	return code;
}
