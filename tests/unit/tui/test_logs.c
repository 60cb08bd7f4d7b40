/* SPDX-License-Identifier: Apache-2.0
 *
 * Who owns the log that is followed: from one node to another, to none, and away, at whatever moment. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tui/logs.h"

struct stage {
	struct loop           *loop;
	struct logs           *logs;
	const struct log_view *view;
	char                   file[64], config[64], key[96];
	const char            *files[1];
	enum log_state         state;
	bool                   has_closed;
};

static const struct way refused = { .node = "far", .host = "127.0.0.1", .user = "", .port = 1 };

static void on_changed(void *ctx) { (void)ctx; }
static void on_closed(void *ctx) { ((struct stage *)ctx)->has_closed = true; }
static bool has_closed(const void *what) { return ((const struct stage *)what)->has_closed; }
static bool is_in_state(const void *what)
{
	const struct stage *s = what;
	return s->view->status.state == s->state;
}

static void wait_state(struct stage *s, enum log_state state, const char *label)
{
	s->state = state;
	loop_turn_until(s->loop, is_in_state, s, label);
}

static void make_file(char *path, size_t size, const char *text)
{
	snprintf(path, size, "/tmp/pitwall-logs-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void set_up(struct stage *s)
{
	struct why why = { "" };
	memset(s, 0, sizeof *s);
	make_file(s->file, sizeof s->file, "here\n");
	make_file(s->config, sizeof s->config, "Host *\n IdentityFile /nonexistent\n IdentitiesOnly yes\n IdentityAgent none\n");
	snprintf(s->key, sizeof s->key, "file:%s", s->file);
	s->files[0] = s->file;
	assert_int_equal(loop_new(&s->loop, &why), ERR_OK);
	const struct logs_options o = { .loop = s->loop, .clock = clock_system(), .ssh_config = s->config, .linger_ms = 1,
		                        .changed = on_changed, .ctx = s };
	assert_int_equal(logs_new(&o, &s->logs, &why), ERR_OK);
}

static void tear_down(struct stage *s)
{
	logs_close(s->logs, on_closed, s);
	assert_false(s->has_closed); /* from the loop */
	loop_turn_until(s->loop, has_closed, s, "closing");
	loop_free(s->loop);
	unlink(s->file);
	unlink(s->config);
}

static void want(struct stage *s, const char *node, const char *key, unsigned again, const struct way *way)
{
	s->view = logs_want(s->logs, &(struct log_need){ .node = node, .key = key, .again = again }, way);
}

static struct way here(const struct stage *s)
{
	return (struct way){ .node = "here", .host = "", .user = "", .is_local = true, .is_machine = true, .logs = s->files, .n_logs = 1 };
}

static bool has_line(const void *what)
{
	const struct log_ring *r = ((const struct stage *)what)->view->status.ring;
	return r != NULL && log_ring_first(r) < log_ring_past(r) && memcmp(log_ring_at(r, log_ring_first(r)).text, "here", 4) == 0;
}

static void a_log_here_is_followed(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	const struct way way = here(&s);
	want(&s, "here", "", 0, &way);
	assert_string_equal(s.view->way, "this machine");
	wait_state(&s, LOG_LISTED, "the list");
	want(&s, "here", s.key, 0, &way);
	loop_turn_until(s.loop, has_line, &s, "its line");
	want(&s, "here", "file:/not/in/the/list", 0, &way);
	assert_non_null(strstr(s.view->trouble, "/not/in/the/list"));
	want(&s, "here", "", 0, &way);
	assert_string_equal(s.view->trouble, "");
	wait_state(&s, LOG_LISTED, "the list again");
	want(&s, NULL, NULL, 0, NULL);
	assert_null(s.view);
	tear_down(&s);
}

static void no_way_is_a_sentence(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	want(&s, "nowhere", "", 0, NULL);
	assert_non_null(strstr(s.view->trouble, "no way there is known"));
	const struct way way = here(&s);
	want(&s, "nowhere", "", 1, &way); /* tried again when one is known */
	assert_string_equal(s.view->trouble, "");
	wait_state(&s, LOG_LISTED, "the list");
	tear_down(&s);
}

static void from_node_to_node_and_away(void **state)
{
	struct stage s;
	(void)state;
	set_up(&s);
	const struct way way = here(&s);
	want(&s, "far", "", 0, &refused);
	assert_string_equal(s.view->way, "ssh 127.0.0.1");
	wait_state(&s, LOG_WAITING, "nobody listens there");
	want(&s, "here", "", 0, &way);
	wait_state(&s, LOG_LISTED, "the list");
	want(&s, "far", "", 0, &refused);
	want(&s, NULL, NULL, 0, NULL); /* on the way there */
	want(&s, "far", "", 0, &refused);
	wait_state(&s, LOG_WAITING, "over another SSH, or the same");
	tear_down(&s);
}

static bool has_turned(const void *what) { return --*(int *)(uintptr_t)what < 0; }

static void loop_turn(struct loop *loop, int turns)
{
	loop_turn_until(loop, has_turned, &turns, "turning");
}

/* At each of the first turns: while the configuration is read, the connection made, SSH closed for want of use. */
static void it_can_be_closed_at_any_time(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		for (int is_left = 0; is_left < 2; is_left++) {
			struct stage s;
			set_up(&s);
			want(&s, "far", "", 0, &refused);
			loop_turn(s.loop, turns);
			if (is_left != 0) {
				want(&s, NULL, NULL, 0, NULL);
				loop_turn(s.loop, turns);
			}
			tear_down(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_here_is_followed), cmocka_unit_test(no_way_is_a_sentence), cmocka_unit_test(from_node_to_node_and_away),
		cmocka_unit_test(it_can_be_closed_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
