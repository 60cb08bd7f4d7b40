/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gather makes of frames, without a shell: the test says what the machine says, and owns the clock. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "collectors/gather_private.h"

struct machine {
	struct test_clock    clock;
	struct gather       *g;
	struct buf           request;
	const struct source *list[2];
};

/* A source that says what the machine said, as a sample of so many bytes, and an event. */
static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	const char *labels[] = { "text", in->text, NULL };
	int *calls = memory;
	(void)s;
	++*calls;
	if (strcmp(in->text, "absent") == 0)
		return why_set(why, ERR_NOT_FOUND, "no such thing");
	if (in->n > 0)
		findings_put(out, "said", *calls, labels);
	if (in->status == 0)
		findings_event(out, 0, FINDING_WARN, "test", "event %d", *calls);
	return in->status == 0 ? ERR_OK : why_set(why, ERR_FORMAT, "bad \033[31m\nnews");
}

static const struct source often = { .name = "often", .summary = "s", .script = ":", .memory_size = sizeof(int), .parse = parse };
static const struct source seldom = {
	.name = "seldom", .summary = "s", .script = ":", .every_ms = 30000, .absent_ms = 120000, .memory_size = sizeof(int), .parse = parse,
};

static void start_with(struct machine *m, const struct source *a, const struct source *b, const struct source_settings *settings)
{
	test_clock_init(&m->clock, INT64_C(1700000000000));
	m->list[0] = a;
	m->list[1] = b;
	struct gather_options o = { .clock = &m->clock.clock, .sources = m->list, .n_sources = 2, .settings = settings };
	assert_int_equal(gather_new(&o, &m->g, NULL), ERR_OK);
	buf_init(&m->request, GATHER_REQUEST_MAX);
}

static void stop(struct machine *m)
{
	gather_free(m->g);
	buf_release(&m->request);
}

/* The request's last line behind the nonce; the program before it is dropped. */
static const char *ask(struct machine *m)
{
	struct why why = { "" };
	buf_clear(&m->request);
	if (gather_request(m->g, &m->request, &why) != ERR_OK)
		fail_msg("%s", why.text);
	m->request.data[m->request.len - 1] = '\0';
	const char *line = strrchr(m->request.data, '\n');
	line = line != NULL ? line + 1 : m->request.data;
	assert_true(strlen(line) >= 16);
	return line + 16;
}

/* Feeds what the machine says; '@' stands for what leads a line of ours, '%' for "@@". */
static enum gather_state say(struct machine *m, const char *text, struct why *why)
{
	struct buf b;
	buf_init(&b, 8 << 20);
	for (; *text != '\0'; text++) {
		if (*text == '@')
			buf_printf(&b, "@@pitwall %s ", m->g->nonce);
		else if (*text == '%')
			buf_puts(&b, "@@");
		else
			buf_putc(&b, *text);
	}
	enum gather_state state = gather_feed(m->g, buf_text(&b), b.len, why);
	buf_release(&b);
	return state;
}

#define SECTION(name, text, status) "\n@begin " name " 7 8 1.00\n" text "\n@status " status " 1.50\n\n@end 0\n"
#define MACHINE SECTION("machine", "time 1700000000.500\nnodename n\n", "0")

static bool page_has(struct machine *m, const char *text)
{
	return strstr(buf_text(&gather_findings(m->g)->page), text) != NULL;
}

static void seldom_asked_stays(void **state)
{
	struct machine m;
	struct why why = { "" };
	(void)state;
	start_with(&m, &often, &seldom, NULL);
	assert_string_equal(ask(&m), " machine often seldom");
	assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0") SECTION("seldom", "b", "0") "\n@done\n", &why), GATHER_DONE);
	assert_true(page_has(&m, "said{text=\"b\"} 1\n"));
	for (int i = 0; i < 2; i++) {
		test_clock_advance(&m.clock, 10000);
		assert_string_equal(ask(&m), " machine=clock often");
		assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0") "\n@done\n", &why), GATHER_DONE);
		assert_true(page_has(&m, "said{text=\"b\"} 1\n") && page_has(&m, "pitwall_source_success{source=\"seldom\"} 1\n"));
		assert_true(page_has(&m, "pitwall_source_duration_seconds{source=\"seldom\"} 0.5\n"));
	}
	/* a little early is in time; and one that fails has nothing to say any more */
	test_clock_advance(&m.clock, 9000);
	assert_string_equal(ask(&m), " machine=clock often seldom");
	assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0") SECTION("seldom", "", "3") "\n@done\n", &why), GATHER_DONE);
	assert_true(!page_has(&m, "said{text=\"b\"}") && page_has(&m, "pitwall_source_success{source=\"seldom\"} 0\n"));
	/* fit to be shown: no control byte */
	assert_non_null(strstr(gather_source_at(m.g, 2).reason, "[31m"));
	for (const char *p = gather_source_at(m.g, 2).reason; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20);
	stop(&m);
}

static enum err parse_status(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	(void)s, (void)memory;
	if (in->status == 0)
		return ERR_OK;
	findings_put(out, "ended_with", in->status, (const char *[]){ "text", in->text, NULL });
	return why_set(why, ERR_FORMAT, "late");
}

/* One whose run hangs is to its parser one that did not end in time, as long as it hangs: what it says then of the machine stays. */
static void what_hangs_is_late(void **state)
{
	static const struct source late = { .name = "late", .summary = "s", .script = ":", .parse = parse_status };
	struct machine m;
	struct why why = { "" };
	(void)state;
	start_with(&m, &late, &seldom, NULL);
	ask(&m);
	assert_int_equal(say(&m, MACHINE "\n@begin late 7 8 1.00\nhalf\n@end 137\n" SECTION("seldom", "b", "0") "\n@done\n", &why), GATHER_DONE);
	assert_true(page_has(&m, "ended_with{text=\"half\"} 124\n"));
	for (int i = 0; i < 3; i++) {
		test_clock_advance(&m.clock, 10000);
		assert_string_equal(ask(&m), i < 2 ? " machine=clock late~7.8" : " machine=clock late~7.8 seldom");
		assert_int_equal(say(&m, i < 2 ? MACHINE "\n@busy late\n\n@done\n" : MACHINE "\n@busy late\n" SECTION("seldom", "c", "0") "\n@done\n",
		                     &why), GATHER_DONE);
		assert_true(page_has(&m, "ended_with 124\n") && page_has(&m, i < 2 ? "said{text=\"b\"} 1\n" : "said{text=\"c\"} 2\n"));
		assert_non_null(strstr(gather_source_at(m.g, 1).reason, "its last run hangs: process 7 "));
	}
	test_clock_advance(&m.clock, 10000);
	ask(&m);
	assert_int_equal(say(&m, MACHINE SECTION("late", "", "0") "\n@done\n", &why), GATHER_DONE);
	assert_false(page_has(&m, "ended_with"));
	stop(&m);
}

static void absent_is_asked_less(void **state)
{
	struct machine m;
	struct why why = { "" };
	(void)state;
	start_with(&m, &often, &seldom, NULL);
	ask(&m);
	assert_int_equal(say(&m, MACHINE SECTION("often", "absent", "0") SECTION("seldom", "sh: x: not found", "127") "\n@done\n", &why),
	                 GATHER_DONE);
	assert_int_equal(gather_source_at(m.g, 1).state, GATHER_SOURCE_ABSENT);
	assert_string_equal(gather_source_at(m.g, 1).reason, "no such thing");
	assert_true(!page_has(&m, "source=\"often\""));
	/* this parser found something in what a missing tool says, so it is no tool that is missing */
	assert_int_equal(gather_source_at(m.g, 2).state, GATHER_SOURCE_FAILED);
	test_clock_advance(&m.clock, 30000);
	assert_string_equal(ask(&m), " machine=clock often seldom");
	assert_int_equal(say(&m, MACHINE SECTION("often", "", "127") SECTION("seldom", "", "127") "\n@done\n", &why), GATHER_DONE);
	assert_int_equal(gather_source_at(m.g, 2).state, GATHER_SOURCE_ABSENT);
	test_clock_advance(&m.clock, 60000);
	assert_string_equal(ask(&m), " machine=clock often");
	assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0") "\n@done\n", &why), GATHER_DONE);
	/* a new connection may be to a machine that has it now; who it is is asked again too */
	gather_reset(m.g);
	assert_string_equal(ask(&m), " machine often seldom");
	stop(&m);
}

static void events_wait_to_be_looked_at(void **state)
{
	struct machine m;
	struct why why = { "" };
	(void)state;
	start_with(&m, &often, &seldom, NULL);
	ask(&m);
	assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0"), &why), GATHER_MORE);
	gather_reset(m.g); /* the connection broke: what was read of a log is not read again */
	assert_int_equal(gather_source_at(m.g, 2).state, GATHER_SOURCE_FAILED);
	assert_string_equal(gather_source_at(m.g, 2).reason, "it was asked and the machine did not answer");
	assert_string_equal(ask(&m), " machine often seldom");
	assert_int_equal(say(&m, MACHINE SECTION("often", "a", "0") SECTION("seldom", "b", "0") "\n@done\n", &why), GATHER_DONE);
	const struct findings *f = gather_findings(m.g);
	assert_int_equal(f->n_events, 3);
	assert_string_equal(f->events[0].text, "event 1");
	assert_string_equal(f->events[1].text, "event 2");
	ask(&m);
	assert_int_equal(gather_findings(m.g)->n_events, 0);
	stop(&m);
}

static void one_at_a_time(void **state)
{
	struct machine m;
	struct why why = { "" };
	(void)state;
	start_with(&m, &often, &seldom, NULL);
	ask(&m);
	assert_true(gather_longest_ms(m.g) == 3 * 7000);
	assert_int_equal(gather_request(m.g, &m.request, &why), ERR_LATER);
	assert_int_equal(say(&m, "\n@done\n", &why), GATHER_DONE);
	for (size_t i = 0; i < gather_source_count(m.g); i++)
		assert_int_equal(gather_source_at(m.g, i).state, GATHER_SOURCE_FAILED);
	assert_int_equal(strncmp(buf_text(&gather_findings(m.g)->page), "pitwall_machine_info 1\n", 23), 0);
	stop(&m);
}

/* Frames that no program of ours prints, and whether that is the end of the connection. */
static const struct {
	const char       *label, *text;
	enum gather_state want;
	const char       *why;
} frames[] = {
	{ "nothing yet", "", GATHER_MORE, "" },
	{ "half a line", "\n@begin machine 7", GATHER_MORE, "" },
	{ "a section that is not known", "\n@begin gpu 7 8 1\n", GATHER_BROKEN, "the machine answered with a section that was not asked for" },
	{ "a section twice", MACHINE MACHINE, GATHER_BROKEN, "the machine answered with a section that was not asked for" },
	{ "a section in a section", "\n@begin machine 7 8 1\n\n@begin often 7 8 1\n", GATHER_BROKEN,
	  "the machine's shell answered in a way that cannot be understood" },
	{ "an end without a section", "\n@end 0\n", GATHER_BROKEN, "the machine's shell answered in a way that cannot be understood" },
	{ "a status without a section", "\n@status 0 1\n", GATHER_BROKEN, "the machine's shell answered in a way that cannot be understood" },
	{ "two of them", "\n@begin machine 7 8 1\n\n@status 0 1\n\n@status 0 1\n", GATHER_BROKEN,
	  "the machine's shell answered in a way that cannot be understood" },
	{ "a status beyond", "\n@begin machine 7 8 1\n\n@status 256 1\n", GATHER_BROKEN,
	  "the machine's shell answered in a way that cannot be understood" },
	{ "the last line in a section", "\n@begin machine 7 8 1\n\n@done\n", GATHER_BROKEN,
	  "the machine's shell answered in a way that cannot be understood" },
	{ "a word too many", "\n@begin machine 7 8 1 2 3 4\n", GATHER_BROKEN, "the machine's shell answered in a way that cannot be understood" },
	{ "an unknown word", "\n@hello\n", GATHER_BROKEN, "the machine's shell answered in a way that cannot be understood" },
	{ "busy with what was not asked", "\n@busy gpu\n", GATHER_BROKEN, "the machine answered with a section that was not asked for" },
	{ "a line of another gather", "%pitwall 0123456789abcdef done\n", GATHER_MORE, "" },
	{ "a frame that is led by something", "x@done\n", GATHER_MORE, "" },
	{ "no PID", "\n@begin machine - - -\ntime 1\n\n@status 0 -\n\n@end 0\n\n@done\n", GATHER_DONE, "" },
};

static void odd_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		struct machine m;
		struct why why = { "" };
		start_with(&m, &often, &seldom, NULL);
		ask(&m);
		assert_row(frames[i].label, say(&m, frames[i].text, &why) == frames[i].want);
		assert_row(frames[i].label, strcmp(why.text, frames[i].why) == 0);
		gather_reset(m.g);
		ask(&m);
		assert_row(frames[i].label, say(&m, MACHINE "\n@done\n", &why) == GATHER_DONE);
		stop(&m);
	}
}

/* The ceilings: of a gather, and of what nobody asked for. */
static void ceilings(void **state)
{
	static char    bytes[65536];
	struct machine m;
	struct why     why = { "" };
	size_t         n = 0;
	(void)state;
	memset(bytes, 'x', sizeof bytes);
	start_with(&m, &often, &seldom, NULL);
	ask(&m);
	assert_int_equal(say(&m, MACHINE "\n@begin often 7 8 1\n", &why), GATHER_MORE);
	enum gather_state s = GATHER_MORE;
	for (; s == GATHER_MORE; n += sizeof bytes)
		s = gather_feed(m.g, bytes, sizeof bytes, &why);
	assert_int_equal(s, GATHER_BROKEN);
	assert_string_equal(why.text, "the machine said more than 4 MiB in one gather");
	assert_true(n <= GATHER_OUTPUT_MAX && m.g->in.cap == 0);
	gather_reset(m.g);
	ask(&m);
	assert_int_equal(say(&m, MACHINE "\n@done\nbehind", &why), GATHER_DONE);
	assert_int_equal(gather_feed(m.g, bytes, 1000, &why), GATHER_DONE);
	assert_int_equal(gather_feed(m.g, bytes, sizeof bytes, &why), GATHER_BROKEN);
	assert_string_equal(why.text, "the machine says much that it was not asked");
	stop(&m);
}

static enum err write_nothing(const struct source_settings *s, struct buf *to, struct why *why)
{
	(void)s, (void)to, (void)why;
	return ERR_OK;
}

static enum err write_failing(const struct source_settings *s, struct buf *to, struct why *why)
{
	(void)s, (void)to;
	return why_set(why, ERR_USAGE, "the command 'x' has no words");
}

static enum err write_unit(const struct source_settings *s, struct buf *to, struct why *why)
{
	(void)why;
	return buf_puts(to, s->units[0]);
}

static void ask_badly(const void *memory, struct buf *argument)
{
	(void)memory;
	buf_puts(argument, "a b;$(id)");
}

static void what_settings_want(void **state)
{
	static const char *const units[] = { "echo 'vllm'" };
	const struct source_settings settings = { .units = units, .n_units = 1 };
	const struct source nothing = { .name = "nothing", .summary = "s", .write_script = write_nothing, .memory_size = sizeof(int),
	                                .parse = parse };
	const struct source failing = { .name = "failing", .summary = "s", .write_script = write_failing, .memory_size = sizeof(int),
	                                .parse = parse };
	const struct source wanted = { .name = "wanted", .summary = "s", .write_script = write_unit, .memory_size = sizeof(int), .parse = parse };
	const struct source bad = { .name = "bad", .summary = "s", .script = ":", .memory_size = sizeof(int), .ask = ask_badly, .parse = parse };
	struct machine m;
	(void)state;
	start_with(&m, &nothing, &failing, &settings);
	assert_string_equal(ask(&m), " machine");
	assert_int_equal(gather_source_at(m.g, 1).state, GATHER_SOURCE_UNASKED);
	assert_int_equal(gather_source_at(m.g, 2).state, GATHER_SOURCE_FAILED);
	assert_string_equal(gather_source_at(m.g, 2).reason, "the command 'x' has no words");
	stop(&m);
	start_with(&m, &wanted, &bad, &settings);
	assert_string_equal(ask(&m), " machine wanted");
	assert_non_null(strstr(m.request.data, "body_wanted='echo '\\''vllm'\\'''\n"));
	assert_string_equal(gather_source_at(m.g, 2).reason, "what it wants to ask cannot be sent");
	stop(&m);
}

/* The one line that a login shell sees is read alike by all of them. */
static void command_is_plain(void **state)
{
	const char *command = gather_command(), *quote = strchr(command, '\'');
	(void)state;
	assert_non_null(quote);
	const char *end = strchr(quote + 1, '\'');
	assert_non_null(end);
	assert_null(strchr(end + 1, '\''));
	assert_null(strchr(command, '!'));
	assert_null(strchr(command, '\n'));
	for (const char *p = command; (p = strchr(p, '\\')) != NULL; p++)
		assert_true(p > quote && p < end && p[1] == 'n');
	assert_int_equal(strncmp(command, "exec sh -c ", 11), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seldom_asked_stays), cmocka_unit_test(what_hangs_is_late),
		cmocka_unit_test(absent_is_asked_less), cmocka_unit_test(events_wait_to_be_looked_at),
		cmocka_unit_test(one_at_a_time), cmocka_unit_test(odd_frames), cmocka_unit_test(ceilings), cmocka_unit_test(what_settings_want),
		cmocka_unit_test(command_is_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
