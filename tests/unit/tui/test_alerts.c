/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts on screens: what is made of the store's rows, what is listed of it, and the dialogs about it with the requests that they end in. */
#include "tests/unit/unit.h"

#include "alerts/request.h"
#include "tests/unit/tui/golden.h"
#include "tests/unit/tui/sample_view.h"
#include "tui/alerts_ask.h"
#include "tui/alerts_data.h"
#include "tui/alerts_dialog.h"
#include "tui/alerts_rows.h"
#include "tui/alerts_text.h"
#include "tui/paragraph.h"
#include "tui/screens.h"

static const int64_t T = (int64_t)SAMPLE_T_S * 1000;
static struct why why;

/* ---- rows become groups ---- */

static const struct actor nobody = { "", "", "" }, alice = { "alice", "alice", "10.0.0.5" };

struct made {
	struct alerts_build *b;
	struct alerts_view  *v;
};

static void add_alert(struct made *m, int64_t id, const char *rule, const char *node, enum severity severity, int64_t fired_ms, int64_t resolved_ms,
                      int64_t inhibited_by)
{
	char key[128];
	struct labels *l = labels_of("alertname", rule, "node", node, NULL), *none = labels_of(NULL, NULL);
	snprintf(key, sizeof key, "{alertname=\"%s\"}", rule);
	const struct alert_row r = { .id = id, .rule = rule, .source = "f;g", .expr = "up == 0", .group_key = key, .labels = l, .result = none, .annotations = none,
		                     .severity = severity, .active_ms = fired_ms != 0 ? fired_ms : T - 5000, .fired_ms = fired_ms,
		                     .resolved_ms = resolved_ms, .inhibited_by = inhibited_by };
	assert_int_equal(alerts_build_alert(m->b, &r), ERR_OK);
	labels_unref(l);
	labels_unref(none);
}

static void add_ack(struct made *m, int64_t id, const char *key, int64_t at_ms, int64_t until_ms, int64_t ended_ms, enum ack_end end)
{
	const struct ack_row a = { .id = id, .group_key = key, .at_ms = at_ms, .until_ms = until_ms, .actor = alice, .comment = "on it", .ended_ms = ended_ms,
		                   .end = end, .ended_by = nobody };
	assert_int_equal(alerts_build_ack(m->b, &a), ERR_OK);
}

static void add_silence(struct made *m, const char *matchers, int64_t from_ms, int64_t until_ms)
{
	const struct silence_row s = { .id = "s", .matchers = matchers, .from_ms = from_ms, .until_ms = until_ms, .actor = alice, .comment = "", .remote = "",
		                       .remote_id = "" };
	assert_int_equal(alerts_build_silence(m->b, &s), ERR_OK);
}

static void begin(struct made *m)
{
	*m = (struct made){ 0 };
	assert_ok(alerts_build_new(T, &m->b, &why));
}

static void end(struct made *m)
{
	assert_ok(alerts_build_end(m->b, &m->v, &why));
	alerts_build_free(m->b);
	m->b = NULL;
}

static void test_the_order_of_groups(void **state)
{
	struct made m;
	(void)state;
	begin(&m);
	add_alert(&m, 1, "Old", "n1", SEVERITY_WARN, T - 9000, 0, 0);
	add_alert(&m, 2, "Pending", "n1", SEVERITY_CRIT, 0, 0, 0);
	add_alert(&m, 3, "Over", "n1", SEVERITY_CRIT, T - 90000, T - 1000, 0);
	add_alert(&m, 4, "New", "n2", SEVERITY_WARN, T - 1000, 0, 0);
	add_alert(&m, 5, "Worse", "n3", SEVERITY_CRIT, T - 99000, 0, 0);
	add_alert(&m, 6, "Follows", "n3", SEVERITY_CRIT, T - 1000, 0, 5);
	end(&m);
	static const char *const want[] = { "Worse", "New", "Old", "Pending", "Over", "Follows" };
	assert_int_equal(m.v->n_groups, 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(m.v->groups[i].rule, want[i]);
	assert_int_equal(m.v->n_hidden, 1);
	assert_int_equal(m.v->n_crit, 1);
	assert_int_equal(m.v->n_warn, 2);
	assert_int_equal(m.v->n_unowned, 3);
	assert_string_equal(m.v->groups[5].alerts[0].inhibitor, "Worse of n3");
	/* What is over goes in time. */
	assert_int_equal(m.v->until_ms, T - 1000 + ALERTS_RESOLVED_MS + 1);
	alerts_view_free(m.v);
}

static void test_who_has_it(void **state)
{
	static const char key[] = "{alertname=\"A\"}";
	static const struct {
		const char  *label;
		int64_t      at_ms, until_ms, ended_ms;
		enum ack_end end;
		bool         is_owned, is_lost;
		int64_t      unowned_ms;
	} rows[] = {
		{ "holds", -5000, 0, 0, ACK_HOLDS, true, false, 0 },
		{ "holds until later", -5000, 1000, 0, ACK_HOLDS, true, false, 0 },
		{ "ran out, and nobody wrote it down yet", -5000, -1000, 0, ACK_HOLDS, false, true, -1000 },
		{ "void", -5000, 0, -2000, ACK_JOINED, false, true, -2000 },
		{ "of the time before it fired", -50000, 0, -20000, ACK_RESOLVED, false, false, -9000 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct made m;
		begin(&m);
		add_alert(&m, 1, "A", "n1", SEVERITY_WARN, T - 9000, 0, 0);
		add_alert(&m, 2, "A", "n2", SEVERITY_CRIT, T - 3000, 0, 0);
		add_ack(&m, 1, key, T + rows[i].at_ms, rows[i].until_ms != 0 ? T + rows[i].until_ms : 0, rows[i].ended_ms != 0 ? T + rows[i].ended_ms : 0,
		        rows[i].end);
		end(&m);
		const struct alert_group_item *g = alerts_group(m.v, key);
		assert_row(rows[i].label, g != NULL && g->n == 2 && g->n_nodes == 2 && g->severity == SEVERITY_CRIT);
		assert_row(rows[i].label, (g->ack != NULL) == rows[i].is_owned);
		assert_row(rows[i].label, (g->lost != NULL) == rows[i].is_lost);
		assert_row(rows[i].label, g->unowned_ms == (rows[i].unowned_ms != 0 ? T + rows[i].unowned_ms : 0));
		alerts_view_free(m.v);
	}
}

static void test_what_hides(void **state)
{
	static const char n1[] = "[{\"name\":\"node\",\"value\":\"n1\",\"isRegex\":false,\"isEqual\":true}]";
	static const char all[] = "[{\"name\":\"node\",\"value\":\"n.*\",\"isRegex\":true,\"isEqual\":true}]";
	static const struct {
		const char *label, *matchers;
		int64_t     from_ms, until_ms;
		size_t      n_silenced;
		bool        is_hidden;
	} rows[] = {
		{ "one of two", n1, -1000, 1000, 1, false }, { "both", all, -1000, 1000, 2, true },      { "is over", all, -2000, -1, 0, false },
		{ "not yet", all, 500, 1000, 0, false },      { "not to be read", "{", -1000, 1000, 0, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct made m;
		begin(&m);
		add_alert(&m, 1, "A", "n1", SEVERITY_WARN, T - 9000, 0, 0);
		add_alert(&m, 2, "A", "n2", SEVERITY_WARN, T - 3000, 0, 0);
		add_silence(&m, rows[i].matchers, T + rows[i].from_ms, T + rows[i].until_ms);
		end(&m);
		assert_row(rows[i].label, m.v->groups[0].n_silenced == rows[i].n_silenced);
		assert_row(rows[i].label, m.v->groups[0].is_hidden == rows[i].is_hidden);
		assert_row(rows[i].label, (m.v->groups[0].unowned_ms == 0) == rows[i].is_hidden);
		assert_row(rows[i].label, rows[i].from_ms <= 0 || m.v->until_ms == T + rows[i].from_ms);
		alerts_view_free(m.v);
	}
}

/* ---- the list ---- */

static void test_filter_sort_and_tags(void **state)
{
	struct made m;
	struct alerts_rows rows = { 0 };
	struct alerts_tags tags = { 0 };
	(void)state;
	begin(&m);
	add_alert(&m, 1, "Beta", "n1", SEVERITY_WARN, T - 9000, 0, 0);
	add_alert(&m, 2, "Alpha", "n2", SEVERITY_WARN, T - 5000, 0, 0);
	add_alert(&m, 3, "Gamma", "n3", SEVERITY_WARN, T - 7000, 0, 1);
	add_ack(&m, 1, "{alertname=\"Beta\"}", T - 100, 0, 0, ACK_HOLDS);
	end(&m);
	assert_int_equal(alerts_rows_fill(&rows, m.v, "", ALERTS_BY_STATE, false, false), ERR_OK);
	assert_int_equal(rows.n, 3); /* two, and the one that stands for what is hidden */
	assert_null(rows.items[2]);
	assert_string_equal(rows.items[0]->rule, "Alpha");
	alerts_rows_fill(&rows, m.v, "", ALERTS_BY_RULE, true, true);
	assert_int_equal(rows.n, 4);
	assert_string_equal(rows.items[0]->rule, "Beta");
	assert_string_equal(rows.items[3]->rule, "Gamma");
	alerts_rows_fill(&rows, m.v, "ALICE n1", ALERTS_BY_SINCE, false, true);
	assert_int_equal(rows.n, 1);
	assert_int_equal(alerts_rows_find(&rows, "{alertname=\"Beta\"}"), 0);
	alerts_rows_fill(&rows, m.v, "unowned", ALERTS_BY_SINCE, false, false);
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.items[0]->rule, "Alpha");
	alerts_rows_fill(&rows, m.v, "nothing such", ALERTS_BY_SINCE, false, false);
	assert_int_equal(rows.n, 0);
	assert_int_equal(alerts_tags_turn(&tags, "{alertname=\"Beta\"}"), ERR_OK);
	assert_int_equal(alerts_tags_turn(&tags, "{alertname=\"Gone\"}"), ERR_OK);
	assert_true(alerts_tags_has(&tags, "{alertname=\"Gone\"}"));
	alerts_tags_keep(&tags, m.v);
	assert_int_equal(tags.n, 1);
	assert_int_equal(alerts_tags_turn(&tags, "{alertname=\"Beta\"}"), ERR_OK);
	assert_int_equal(tags.n, 0);
	for (int i = 0; i < ALERTS_TAGS_MAX; i++) {
		char key[32];
		snprintf(key, sizeof key, "%d", i);
		assert_int_equal(alerts_tags_turn(&tags, key), ERR_OK);
	}
	assert_int_equal(alerts_tags_turn(&tags, "one more"), ERR_LIMIT);
	alerts_tags_clear(&tags);
	alerts_rows_release(&rows);
	alerts_view_free(m.v);
}

/* ---- times ---- */

static void test_until(void **state)
{
	/* T is 2026-11-23 14:07:31 UTC. */
	static const struct {
		const char *in;
		enum err    want;
		int64_t     seconds; /* from T on */
	} rows[] = {
		{ "2h", ERR_OK, 7200 },      { " 90m", ERR_OK, 5400 },  { "18:30", ERR_OK, 15749 }, { "14:07", ERR_OK, 86400 - 31 },
		{ "03:00", ERR_OK, 46349 },  { "2026-11-24 09:00", ERR_OK, 67949 },
		{ "", ERR_FORMAT, 0 },       { "soon", ERR_FORMAT, 0 }, { "2026-11-20 09:00", ERR_RANGE, 0 }, { "10m ago", ERR_RANGE, 0 }, { "0", ERR_RANGE, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t until = -1;
		enum err e = alerts_until(rows[i].in, T, &until, &why);
		if (e != rows[i].want)
			fail_msg("'%s': %s %s", rows[i].in, err_text(e), why.text);
		if (e == ERR_OK && until != T + rows[i].seconds * 1000)
			fail_msg("'%s': %lld s", rows[i].in, (long long)(until - T) / 1000);
	}
}

/* ---- dialogs ---- */

struct stage {
	struct sample *sample;
	struct view   *view;
	struct screen *below, *dialog;
	struct request *ask;
	const char    *message;
	enum next      last;
};

static void give(struct stage *s, enum command c)
{
	struct requests r = { 0 };
	s->below->kind->command(s->below, s->view, c, "", &r);
	s->message = r.message;
	if (r.push != NULL)
		s->dialog = r.push;
}

static void open_on_flags(struct stage *s, unsigned flags, struct screen *below, const enum command *commands)
{
	struct canvas *c = NULL;
	*s = (struct stage){ .sample = sample_new(16, flags), .below = below };
	s->view = sample_view(s->sample);
	sample_answer(s->sample, below, 1, NULL);
	assert_ok(canvas_new(22, 80, &c, &why));
	below->kind->draw(below, s->view, c);
	canvas_free(c);
	for (; *commands != COMMAND_NONE; commands++)
		give(s, *commands);
}

static void open_on(struct stage *s, struct screen *below, const enum command *commands)
{
	open_on_flags(s, 0, below, commands);
}

static void press(struct stage *s, uint32_t code)
{
	struct requests r = { 0 };
	s->last = s->dialog->kind->key(s->dialog, (struct key){ .code = code }, &r);
	if (r.ask != NULL)
		s->ask = r.ask;
}

static void type(struct stage *s, const char *text)
{
	for (; *text != '\0'; text++)
		press(s, (uint32_t)(unsigned char)*text);
}

static void close_stage(struct stage *s)
{
	request_free(s->ask);
	if (s->dialog != NULL)
		s->dialog->kind->free(s->dialog);
	s->below->kind->free(s->below);
	sample_free(s->sample);
}

static void shoot(struct stage *s, const char *name, int rows, int cols, bool is_plain)
{
	struct canvas *c = NULL;
	assert_ok(canvas_new(rows, cols, &c, &why));
	canvas_set_ascii(c, is_plain);
	canvas_set_mono(c, is_plain);
	s->below->kind->draw(s->below, s->view, c);
	s->dialog->kind->draw(s->dialog, s->view, c);
	golden_check(c, name);
	canvas_free(c);
}

static void test_acknowledge(void **state)
{
	static const enum command commands[] = { COMMAND_TAG, COMMAND_TAG, COMMAND_ACK, COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alerts_screen_new(), commands);
	assert_non_null(s.dialog);
	type(&s, "nvme1 firmware, OPS-4411");
	shoot(&s, "ack_80x24", 22, 80, false);
	shoot(&s, "ack_80x24_ascii_mono", 22, 80, true);
	shoot(&s, "ack_20x5", 3, 20, false);
	shoot(&s, "ack_200x60", 58, 200, false);
	press(&s, KEY_TAB);
	press(&s, KEY_LEFT); /* a time of one's own */
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_REDRAW); /* it wants to know which */
	shoot(&s, "ack_until_which", 22, 80, false);
	press(&s, KEY_TAB);
	type(&s, "18:30");
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_CLOSE);
	assert_non_null(s.ask);
	assert_int_equal(s.ask->kind, REQUEST_ACK);
	assert_int_equal(s.ask->n_keys, 2);
	assert_string_equal(s.ask->comment, "nvme1 firmware, OPS-4411");
	assert_string_equal(s.ask->who, "alice");
	assert_string_equal(s.ask->origin, "10.0.0.5");
	assert_int_equal(s.ask->until_ms, T + 15749000);
	assert_true(request_is_id(s.ask->id));
	close_stage(&s);
}

static void test_a_shared_account_is_asked_who_it_is(void **state)
{
	static const enum command none[] = { COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alerts_screen_new(), none);
	s.view->person.must_ask = true;
	give(&s, COMMAND_ACK);
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_REDRAW);
	type(&s, "kim");
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_CLOSE);
	assert_string_equal(s.ask->who, "kim");
	assert_int_equal(s.ask->until_ms, 0);
	close_stage(&s);
}

static void test_nothing_is_asked_where_nothing_can_be(void **state)
{
	static const enum command each[] = { COMMAND_ACK, COMMAND_UNACK, COMMAND_SILENCE, COMMAND_NOTE };
	static const enum command none[] = { COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alerts_screen_new(), none);
	s.view->person.refusal = "this is a replay: nothing can be asked for in it";
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		assert_false(s.below->kind->offers(s.below, s.view, each[i]));
		give(&s, each[i]);
		assert_null(s.dialog);
		assert_string_equal(s.message, s.view->person.refusal);
	}
	s.view->person.refusal = "";
	assert_true(s.below->kind->offers(s.below, s.view, COMMAND_ACK));
	assert_false(s.below->kind->offers(s.below, s.view, COMMAND_UNACK)); /* nobody has the first */
	close_stage(&s);
}

static void test_take_back(void **state)
{
	static const enum command commands[] = { COMMAND_DOWN, COMMAND_DOWN, COMMAND_DOWN, COMMAND_UNACK, COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alerts_screen_new(), commands);
	assert_non_null(s.dialog);
	shoot(&s, "unack_80x24", 22, 80, false);
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_CLOSE);
	assert_int_equal(s.ask->kind, REQUEST_UNACK);
	assert_string_equal(s.ask->keys[0], "{alertname=\"KvCacheSaturated\",model=\"chat-70b\"}");
	close_stage(&s);
}

static void test_silence(void **state)
{
	static const enum command commands[] = { COMMAND_DOWN, COMMAND_SILENCE, COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alerts_screen_new(), commands);
	assert_non_null(s.dialog);
	sample_answer(s.sample, s.dialog, 1, NULL);
	s.below->kind->update(s.below, s.view);
	shoot(&s, "silence_80x24", 22, 80, false);
	shoot(&s, "silence_20x5", 3, 20, false);
	shoot(&s, "silence_200x60", 58, 200, false);
	type(&s, ",=");
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_REDRAW); /* that is no matcher */
	shoot(&s, "silence_mistake", 22, 80, false);
	press(&s, KEY_BACKSPACE);
	press(&s, KEY_BACKSPACE);
	press(&s, KEY_TAB);
	type(&s, "known");
	press(&s, KEY_TAB);
	press(&s, KEY_RIGHT);
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_CLOSE);
	assert_int_equal(s.ask->kind, REQUEST_SILENCE);
	assert_string_equal(s.ask->comment, "known");
	assert_int_equal(s.ask->until_ms, T + 30 * 60 * 1000);
	/* What all twelve have in common: the node is not among it. */
	assert_non_null(strstr(s.ask->matchers, "\"ErrorRatioHigh\""));
	assert_null(strstr(s.ask->matchers, "\"node\""));
	close_stage(&s);
}

static void test_notes(void **state)
{
	static const enum command on_alert[] = { COMMAND_NOTE, COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on(&s, alert_screen_new("{alertname=\"NodeDown\",model=\"chat-70b\"}"), on_alert);
	assert_non_null(s.dialog);
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_REDRAW); /* an empty note is none */
	const char paste[] = "moved to rack a12\nby kim";
	s.dialog->kind->paste(s.dialog, paste, sizeof paste - 1);
	shoot(&s, "note_80x24", 22, 80, false);
	press(&s, KEY_ENTER);
	assert_int_equal(s.last, NEXT_CLOSE);
	assert_int_equal(s.ask->kind, REQUEST_NOTE);
	assert_int_equal(s.ask->alert, 101);
	assert_int_equal(s.ask->at_ms, 0);
	assert_string_equal(s.ask->node, "gpu-b-03");
	assert_string_equal(s.ask->comment, "moved to rack a12 by kim");
	close_stage(&s);
}

static void test_a_note_on_the_time_that_is_shown(void **state)
{
	static const enum command none[] = { COMMAND_NONE };
	struct stage s;
	struct requests r = { 0 };
	(void)state;
	open_on(&s, alerts_screen_new(), none);
	s.view->mode = VIEW_PAUSED;
	note_command(s.view, NULL, &r);
	s.dialog = r.push;
	type(&s, "here it began");
	press(&s, KEY_ENTER);
	assert_int_equal(s.ask->at_ms, T);
	assert_int_equal(s.ask->alert, 0);
	assert_string_equal(s.ask->node, "");
	close_stage(&s);
}

/* ---- paragraphs ---- */

static void test_paragraphs(void **state)
{
	static const struct {
		const char *text;
		int         width, rows;
	} rows[] = {
		{ "", 10, 1 },       { "short", 10, 1 },          { "one two three", 7, 2 }, { "one two three", 5, 3 }, { "unbroken", 3, 3 },
		{ "a\nb\n\nc", 9, 4 }, { "漢字漢字", 4, 2 }, { "漢", 1, 1 },           { "trailing   ", 8, 1 },
	};
	struct canvas *c = NULL;
	(void)state;
	assert_ok(canvas_new(10, 20, &c, &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int n = paragraph_draw(c, 0, 0, rows[i].width, ROLE_TEXT, rows[i].text);
		if (n != rows[i].rows)
			fail_msg("'%s' in %d columns: %d rows", rows[i].text, rows[i].width, n);
	}
	canvas_free(c);
}

static void test_a_silence_is_ended(void **state)
{
	static const struct { const char *label, *id; enum command command; const char *asks, *says; } rows[] = {
		{ "one of ours", "6f1c", COMMAND_UNSILENCE, "6f1c", NULL },
		{ "with Enter, one of an Alertmanager", "b-2", COMMAND_ENTER, "b-2", NULL },
		{ "one to come", "d-4", COMMAND_UNSILENCE, "d-4", NULL },
		{ "one that is over", "e-5", COMMAND_UNSILENCE, NULL, "this silence is over already" },
	};
	static const enum command none[] = { COMMAND_NONE };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage s;
		open_on_flags(&s, SAMPLE_EXTERNAL, silences_screen_new(rows[i].id), none);
		give(&s, rows[i].command);
		assert_row(rows[i].label, (s.dialog != NULL) == (rows[i].asks != NULL));
		if (rows[i].says != NULL)
			assert_string_equal(s.message, rows[i].says);
		if (i == 1)
			shoot(&s, "unsilence_80x24", 22, 80, false);
		if (s.dialog != NULL) {
			press(&s, KEY_ENTER);
			assert_int_equal(s.last, NEXT_CLOSE);
			assert_int_equal(s.ask->kind, REQUEST_UNSILENCE);
			assert_string_equal(s.ask->silence, rows[i].asks);
			assert_string_equal(s.ask->who, "alice");
		}
		close_stage(&s);
	}
}

/* What is Alertmanager's own is neither acknowledged nor counted among ours. */
static void test_external_alerts_are_not_ours(void **state)
{
	static const enum command none[] = { COMMAND_NONE };
	struct stage s;
	(void)state;
	open_on_flags(&s, SAMPLE_EXTERNAL, alert_screen_new("am: PaymentsDown"), none);
	give(&s, COMMAND_ACK);
	assert_null(s.dialog);
	assert_string_equal(s.message, "this is an alert of an Alertmanager's own: it is not acknowledged here");
	const struct alerts_view *v = s.view->alerts;
	const struct alert_group_item *theirs = alerts_group(v, "am: PaymentsDown"), *ours = alerts_group(v, "{alertname=\"QueueGrowing\",model=\"search\"}");
	assert_true(theirs != NULL && ours != NULL);
	assert_true(theirs->unowned_ms == 0 && theirs->severity == SEVERITY_CRIT && !theirs->is_hidden && alerts_is_external(&theirs->alerts[0]));
	assert_true(v->n_crit == 2 && v->n_external == 1);
	/* Ours is known there, and somebody took it on there: that hides nothing here. */
	assert_true(ours->ack != NULL && !ours->is_hidden && ours->alerts[0].there != NULL && ours->unowned_ms == 0);
	assert_string_equal(ours->ack->actor.who, "karl");
	assert_string_equal(ours->ack->comment, "I am looking at it");
	struct buf said;
	buf_init(&said, 1000);
	assert_ok(alerts_trouble_sentence(&said, v));
	assert_string_equal(buf_text(&said), "Alertmanager 'bm' has not answered since 14:03:19Z: connection refused");
	buf_release(&said);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_order_of_groups), cmocka_unit_test(test_who_has_it), cmocka_unit_test(test_what_hides),
		cmocka_unit_test(test_filter_sort_and_tags), cmocka_unit_test(test_until), cmocka_unit_test(test_acknowledge),
		cmocka_unit_test(test_a_shared_account_is_asked_who_it_is), cmocka_unit_test(test_nothing_is_asked_where_nothing_can_be),
		cmocka_unit_test(test_take_back), cmocka_unit_test(test_silence), cmocka_unit_test(test_notes),
		cmocka_unit_test(test_a_note_on_the_time_that_is_shown), cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_a_silence_is_ended), cmocka_unit_test(test_external_alerts_are_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
