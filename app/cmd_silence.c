/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall silence: what need not be told of for a while. */
#include "app/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts/silence.h"
#include "app/alerts_print.h"
#include "app/asking.h"
#include "app/paths.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "store/alerts.h"
#include "tui/alerts_detail.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024, SHOWN_MAX = 10, PREFIX_MIN = 4, MATCHERS_WIDTH = 60, TIME_WIDTH = 20, WHO_WIDTH = 16, STATE_WIDTH = 8, COMMENT_WIDTH = 60, WHERE_WIDTH = 12 };
static const int64_t DAY_MS = 24 * 3600 * 1000;

/* ---- add ---- */

struct adding {
	struct matcher_set matchers;
	struct buf         text, json; /* of the matchers */
	int64_t            from_ms, until_ms; /* from 0: now */
};

static enum err read_matchers(struct adding *d, const struct cli *c, struct why *why)
{
	enum err e = ERR_OK;
	for (int i = 1; i < c->n_arguments && e == ERR_OK; i++) {
		e = matcher_set_parse(&d->matchers, c->arguments[i], why);
		if (e != ERR_OK)
			e = why_prefix(why, ERR_USAGE, "'%.200s'", c->arguments[i]);
	}
	if (e == ERR_OK && d->matchers.n == 0)
		e = why_set(why, ERR_USAGE, "say what to silence: alertname=\"NodeDown\" node=~\"gpu-a-.*\"");
	if (e == ERR_OK && (matcher_set_print(&d->matchers, &d->text) != ERR_OK || matcher_set_put_json(&d->matchers, &d->json) != ERR_OK))
		e = why_set(why, ERR_LIMIT, "these matchers are too long");
	return e;
}

static enum err read_times(struct adding *d, const struct cli *c, int64_t now_ms, struct why *why)
{
	const char *from = cli_value(c, "from"), *until = cli_value(c, "until");
	enum err e = ERR_OK;
	if (until == NULL)
		return why_set(why, ERR_USAGE, "say until when: --until 2h, --until 18:30");
	if (from != NULL)
		e = parse_time_to_come(from, now_ms, &d->from_ms, why);
	if (e == ERR_OK)
		e = parse_time_to_come(until, now_ms, &d->until_ms, why);
	if (e == ERR_OK)
		e = silence_check(&d->matchers, d->from_ms != 0 ? d->from_ms : now_ms, d->until_ms, now_ms, why);
	return e;
}

static void put_hidden(struct buf *to, const struct alerts_view *v, const struct matcher_set *m)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n_alerts; i++) {
		const struct alert_item *a = &v->alerts[i];
		if (a->phase == PHASE_RESOLVED || alerts_is_external(a) || !matcher_set_matches(m, a->row.labels))
			continue;
		if (++n > SHOWN_MAX)
			continue;
		buf_puts(to, "  ");
		cells_put(to, a->phase == PHASE_FIRING ? "firing" : "pending", 8);
		cells_put(to, a->row.rule, 32);
		cells_put(to, a->node, 32);
		cells_end(to);
	}
	if (n > SHOWN_MAX)
		buf_printf(to, "  and %zu more\n", n - SHOWN_MAX);
}

static enum err preview(const struct asker *a, const struct adding *d, struct buf *to, struct why *why)
{
	struct alerts_view *v = NULL;
	struct silence_sight *sight = NULL;
	char from[TIME_TEXT], until[TIME_TEXT];
	enum err e = alerts_read(a->reader, a->now_ms, &v, why);
	if (e == ERR_OK)
		e = silence_sight_read(a->reader, buf_text(&d->text), v, a->now_ms, &sight, why);
	if (e == ERR_OK && sight->err != ERR_OK)
		e = why_set(why, sight->err, "%s", sight->why);
	if (e == ERR_OK) {
		text_safe(to, buf_text(&d->text), d->text.len);
		buf_printf(to, " from %s until %s\n", d->from_ms != 0 ? format_time(d->from_ms / 1000 * 1000, from) : "now",
		           format_time(d->until_ms / 1000 * 1000, until));
		buf_printf(to, "hides %zu alert%s of %zu group%s now, and would have hidden %zu in the last day\n", sight->n_now, sight->n_now == 1 ? "" : "s",
		           sight->n_groups_now, sight->n_groups_now == 1 ? "" : "s", sight->n_day);
		put_hidden(to, v, &d->matchers);
	}
	silence_sight_free(sight);
	alerts_view_free(v);
	return e;
}

static bool says_yes(void)
{
	char line[16];
	fputs("make it? [y/N] ", stderr);
	return fgets(line, sizeof line, stdin) != NULL && (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0);
}

/* Whether it is to be made; says what it hides first, where a person reads that. */
static enum err agree(const struct asker *a, const struct cli *c, const struct adding *d, bool *is_wanted, struct why *why)
{
	struct buf text;
	buf_init(&text, OUTPUT_MAX);
	enum err e = preview(a, d, &text, why);
	if (e == ERR_OK)
		fputs(buf_text(&text), a->format == CELLS_JSON ? stderr : stdout);
	fflush(stdout);
	buf_release(&text);
	if (e != ERR_OK)
		return e;
	*is_wanted = cli_has(c, "yes") || (isatty(STDIN_FILENO) && says_yes());
	if (!*is_wanted)
		fputs("pitwall: nothing was silenced; --yes makes it\n", stderr);
	return ERR_OK;
}

static int add(const struct cli *c)
{
	struct asker a;
	struct why why = { "" };
	struct adding d = { .from_ms = 0 };
	bool is_wanted = false;
	enum err e = asker_init(&a, c, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	matcher_set_init(&d.matchers);
	buf_init(&d.text, 1024 * 1024);
	buf_init(&d.json, 1024 * 1024);
	e = read_matchers(&d, c, &why);
	if (e == ERR_OK)
		e = read_times(&d, c, a.now_ms, &why);
	if (e == ERR_OK)
		e = agree(&a, c, &d, &is_wanted, &why);
	struct request r = { .kind = REQUEST_SILENCE, .matchers = buf_text(&d.json), .from_ms = d.from_ms, .until_ms = d.until_ms,
		             .comment = cli_value(c, "comment") };
	int code = e != ERR_OK ? cli_fail(e, &why) : is_wanted ? asker_ask(&a, &r) : EXIT_NO;
	matcher_set_release(&d.matchers);
	buf_release(&d.text);
	buf_release(&d.json);
	asker_release(&a);
	return code;
}

/* ---- list ---- */

struct listing {
	struct buf       *to;
	enum cells_format format;
	int64_t           now_ms;
	size_t            n;
};

static void put_matchers(struct buf *to, const struct silence_row *s)
{
	struct matcher_set m;
	matcher_set_init(&m);
	if (matcher_set_parse_json(&m, s->matchers, strlen(s->matchers), NULL) == ERR_OK)
		matcher_set_print(&m, to);
	else
		buf_puts(to, s->matchers);
	matcher_set_release(&m);
}

/* Where it is: here alone, or in an Alertmanager too. */
static const char *where_of(const struct silence_row *s, char to[80])
{
	if (s->remote[0] == '\0')
		return "here";
	snprintf(to, 80, s->remote_id[0] != '\0' ? "%.60s" : "%.60s: not yet", s->remote);
	return to;
}

static void put_line(const struct listing *l, const struct silence_row *s)
{
	char until[TIME_TEXT], from[TIME_TEXT], where[80];
	struct buf matchers;
	buf_init(&matchers, 1024 * 1024);
	put_matchers(&matchers, s);
	cells_put(l->to, s->id, 36);
	cells_put(l->to, silence_state_name(silence_state(s, l->now_ms)), STATE_WIDTH);
	cells_put(l->to, format_time(s->from_ms / 1000 * 1000, from), TIME_WIDTH);
	cells_put(l->to, format_time((s->ended_ms != 0 ? s->ended_ms : s->until_ms) / 1000 * 1000, until), TIME_WIDTH);
	cells_put(l->to, s->actor.who, WHO_WIDTH);
	cells_put(l->to, where_of(s, where), WHERE_WIDTH);
	cells_put(l->to, buf_text(&matchers), MATCHERS_WIDTH);
	cells_put(l->to, s->comment, COMMENT_WIDTH);
	cells_end(l->to);
	buf_release(&matchers);
}

static void put_object(const struct listing *l, const struct silence_row *s)
{
	buf_puts(l->to, l->n > 0 ? ",\n{" : "\n{");
	cells_put_member(l->to, "id", s->id);
	cells_put_member(l->to, "state", silence_state_name(silence_state(s, l->now_ms)));
	cells_put_time_member(l->to, "from", s->from_ms);
	cells_put_time_member(l->to, "until", s->until_ms);
	cells_put_time_member(l->to, "ended_at", s->ended_ms);
	cells_put_time_member(l->to, "created_at", s->created_ms);
	cells_put_member(l->to, "comment", s->comment);
	cells_put_member(l->to, "alertmanager", s->remote);
	cells_put_member(l->to, "alertmanager_id", s->remote_id);
	cells_put_member(l->to, "ended_by", s->ended_who);
	buf_printf(l->to, "\"acknowledgement\":%s,", silence_is_ack(s) ? "true" : "false");
	buf_puts(l->to, "\"by\":");
	alerts_put_actor(l->to, &s->actor);
	struct matcher_set m; /* printed anew: what stands in the store came from elsewhere */
	matcher_set_init(&m);
	buf_puts(l->to, ",\"matchers\":");
	if (matcher_set_parse_json(&m, s->matchers, strlen(s->matchers), NULL) == ERR_OK)
		matcher_set_put_json(&m, l->to);
	else
		buf_puts(l->to, "null");
	matcher_set_release(&m);
	buf_putc(l->to, '}');
}

static void put_csv_line(const struct listing *l, const struct silence_row *s)
{
	struct buf matchers;
	buf_init(&matchers, 1024 * 1024);
	put_matchers(&matchers, s);
	cells_put_csv(l->to, s->id);
	cells_put_csv(l->to, silence_state_name(silence_state(s, l->now_ms)));
	cells_put_csv_time(l->to, s->from_ms);
	cells_put_csv_time(l->to, s->until_ms);
	cells_put_csv_time(l->to, s->ended_ms);
	cells_put_csv(l->to, s->actor.who);
	cells_put_csv(l->to, buf_text(&matchers));
	cells_put_csv(l->to, s->comment);
	cells_put_csv(l->to, s->remote);
	cells_put_csv(l->to, s->remote_id);
	cells_end_csv(l->to);
	buf_release(&matchers);
}

static enum err put_silence(void *ctx, const struct silence_row *s)
{
	struct listing *l = ctx;
	if (l->format == CELLS_JSON)
		put_object(l, s);
	else if (l->format == CELLS_CSV)
		put_csv_line(l, s);
	else
		put_line(l, s);
	l->n++;
	return l->to->err;
}

static void put_head(struct buf *to, enum cells_format format)
{
	if (format == CELLS_JSON) {
		buf_puts(to, "{\"silences\":[");
	} else if (format == CELLS_CSV) {
		buf_puts(to, "id,state,from,until,ended_at,who,matchers,comment,alertmanager,alertmanager_id\r\n");
	} else {
		cells_put(to, "ID", 36);
		cells_put(to, "STATE", STATE_WIDTH);
		cells_put(to, "FROM", TIME_WIDTH);
		cells_put(to, "UNTIL", TIME_WIDTH);
		cells_put(to, "WHO", WHO_WIDTH);
		cells_put(to, "WHERE", WHERE_WIDTH);
		cells_put(to, "MATCHERS", MATCHERS_WIDTH);
		buf_puts(to, "COMMENT\n");
	}
}

static enum err print_list(const struct cli *c, struct buf *out, struct why *why)
{
	struct buf path;
	struct reader *r = NULL;
	struct listing l = { .to = out, .now_ms = clock_wall_ms(clock_system()) };
	buf_init(&path, PATH_BYTES);
	enum err e = cells_format_of(cli_value(c, "format"), &l.format, why);
	if (e == ERR_OK)
		e = store_of(c, &path, why);
	if (e == ERR_OK)
		e = reader_open(buf_text(&path), READER_OWN, &r, why);
	if (e == ERR_OK) {
		put_head(out, l.format);
		e = reader_silences(r, l.now_ms - (cli_has(c, "all") ? 7 * DAY_MS : 1), l.now_ms, put_silence, &l, why);
	}
	if (e == ERR_OK && l.format == CELLS_JSON)
		buf_puts(out, "\n]}\n");
	reader_close(r);
	buf_release(&path);
	return e;
}

static int list(const struct cli *c)
{
	struct buf out;
	struct why why = { "" };
	buf_init(&out, OUTPUT_MAX);
	enum err e = c->n_arguments > 1 ? why_set(&why, ERR_USAGE, "unexpected word '%s'", c->arguments[1]) : print_list(c, &out, &why);
	if (e == ERR_OK)
		fputs(buf_text(&out), stdout);
	buf_release(&out);
	return e == ERR_OK ? EXIT_YES : cli_fail(e, &why);
}

/* ---- expire ---- */

struct finding {
	const char *prefix;
	char        id[REQUEST_NAME_MAX + 1];
	size_t      n;
};

static enum err see_silence(void *ctx, const struct silence_row *s)
{
	struct finding *f = ctx;
	if (s->ended_ms != 0 || strncmp(s->id, f->prefix, strlen(f->prefix)) != 0 || strlen(s->id) > REQUEST_NAME_MAX)
		return ERR_OK;
	snprintf(f->id, sizeof f->id, "%s", s->id);
	f->n++;
	return ERR_OK;
}

static enum err find(const struct asker *a, const char *prefix, struct finding *f, struct why *why)
{
	*f = (struct finding){ .prefix = prefix };
	if (strlen(prefix) < PREFIX_MIN)
		return why_set(why, ERR_USAGE, "'%s' is too short for a silence's id: at least its first %d characters", prefix, PREFIX_MIN);
	enum err e = reader_silences(a->reader, a->now_ms - 1, a->now_ms, see_silence, f, why);
	if (e == ERR_OK && f->n == 0)
		e = why_set(why, ERR_NOT_FOUND, "no silence whose id begins with '%s' holds now; 'pitwall silence list' has those that do", prefix);
	if (e == ERR_OK && f->n > 1)
		e = why_set(why, ERR_USAGE, "the ids of %zu silences begin with '%s'", f->n, prefix);
	return e;
}

static int expire(const struct cli *c)
{
	struct asker a;
	struct why why = { "" };
	int code = EXIT_YES;
	enum err e = c->n_arguments > 1 ? asker_init(&a, c, &why) : why_set(&why, ERR_USAGE, "which silence is to end? 'pitwall silence list' has their ids");
	if (e != ERR_OK)
		return cli_fail(e, &why);
	struct finding *found = calloc((size_t)c->n_arguments, sizeof *found);
	e = found != NULL ? ERR_OK : why_memory(&why);
	for (int i = 1; i < c->n_arguments && e == ERR_OK; i++) /* all of them, or none */
		e = find(&a, c->arguments[i], &found[i], &why);
	if (e != ERR_OK)
		code = cli_fail(e, &why);
	for (int i = 1; i < c->n_arguments && code == EXIT_YES; i++) {
		struct request r = { .kind = REQUEST_UNSILENCE, .silence = found[i].id };
		code = asker_ask(&a, &r);
	}
	free(found);
	asker_release(&a);
	return code;
}

static int run(const struct cli *c)
{
	static const struct { const char *name; int (*run)(const struct cli *c); } verbs[] = { { "add", add }, { "list", list }, { "expire", expire } };
	struct why why;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(c->arguments[0], verbs[i].name) == 0)
			return verbs[i].run(c);
	return cli_fail(why_set(&why, ERR_USAGE, "'pitwall silence' knows add, list and expire, not '%s'", c->arguments[0]), &why);
}

static const struct cli_option options[] = {
	{ "until", "TIME", "of add: until then: '2h', '18:30', a date" },
	{ "from", "TIME", "of add: from then on, likewise; else from now on" },
	{ "comment", "TEXT", "of add: why" },
	{ "yes", NULL, "of add: make it without asking" },
	{ "all", NULL, "of list: those of the last week that are over as well" },
	ASKING_OPTIONS,
	{ NULL, NULL, NULL },
};

const struct cli_command command_silence = {
	.name          = "silence",
	.arguments     = "add MATCHER... | list | expire ID...",
	.min_arguments = 1,
	.max_arguments = -1,
	.summary       = "silence alerts for a while, list silences, end them before their time",
	.details       = "A MATCHER is written as in Alertmanager: alertname=\"NodeDown\", node=~\"gpu-a-.*\", job!=batch; all of them must hold. What 'add' would hide now, and would have "
	                 "hidden in the last day, is shown first. An ID may be its first characters, where that is one silence alone." ASKING_DETAILS,
	.options       = options,
	.takes_common  = true,
	.run           = run,
};
