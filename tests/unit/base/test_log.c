/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

struct fixture {
	char              folder[64], path[80], old[96];
	struct test_clock clock;
	struct log       *log;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	if (f == NULL)
		return -1;
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-log-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/log", f->folder);
	snprintf(f->old, sizeof f->old, "%s.1", f->path);
	test_clock_init(&f->clock, INT64_C(1795428000000));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	log_close(f->log);
	unlink(f->path);
	unlink(f->old);
	rmdir(f->folder);
	free(f);
	return 0;
}

static char *slurp(const char *path)
{
	char part[4096];
	struct buf all;
	buf_init(&all, 64 << 20);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;)
		buf_put(&all, part, n);
	fclose(file);
	return buf_take(&all);
}

static void lines_have_time_level_part_and_safe_text(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(log_open(f->path, LEVEL_INFO, 0, &f->clock.clock, &f->log, NULL), ERR_OK);
	log_info(f->log, "store", "opened '%s'", "x.db");
	test_clock_advance(&f->clock, 7);
	log_debug(f->log, "store", "not written");
	log_error(f->log, "http", "node says \"\x1b[2J\nforged line\"");
	char *text = slurp(f->path);
	assert_string_equal(text, "2026-11-23T10:00:00.000Z info  store: opened 'x.db'\n"
	                          "2026-11-23T10:00:00.007Z error http: node says \"\xe2\x90\x9b[2J\xe2\x90\x8a""forged line\"\n");
	free(text);
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_is_there_is_kept(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(log_open(f->path, LEVEL_DEBUG, 0, &f->clock.clock, &f->log, NULL), ERR_OK);
		log_debug(f->log, "x", "%d", i);
		log_close(f->log);
		f->log = NULL;
	}
	char *text = slurp(f->path);
	assert_non_null(strstr(text, "x: 0\n2026"));
	assert_non_null(strstr(text, "x: 1\n"));
	free(text);
}

static void a_long_line_is_cut_visibly(void **state)
{
	struct fixture *f = *state;
	char *huge = malloc(100000);
	memset(huge, '\x1b', 99999);
	huge[99999] = '\0';
	assert_int_equal(log_open(f->path, LEVEL_INFO, 0, &f->clock.clock, &f->log, NULL), ERR_OK);
	log_warn(f->log, "x", "%s", huge);
	char *text = slurp(f->path);
	size_t n = strlen(text);
	assert_true(n > LOG_LINE_MAX && n < 4 * LOG_LINE_MAX);
	assert_string_equal(text + n - 4, "\xe2\x80\xa6\n");
	free(text);
	free(huge);
}

static void a_full_file_is_put_aside_once(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(log_open(f->path, LEVEL_INFO, 1000, &f->clock.clock, &f->log, NULL), ERR_OK);
	for (int i = 0; i < 100; i++)
		log_info(f->log, "x", "line %03d", i);
	char *now = slurp(f->path), *before = slurp(f->old);
	assert_non_null(before);
	assert_true(strlen(now) <= 1000 + 60 && strlen(before) <= 1000 + 60);
	assert_non_null(strstr(now, "line 099\n"));
	assert_null(strstr(before, "line 000\n"));
	free(now);
	free(before);
}

static void another_processs_rotation_is_followed(void **state)
{
	struct fixture *f = *state;
	struct log *other;
	assert_int_equal(log_open(f->path, LEVEL_INFO, 0, &f->clock.clock, &f->log, NULL), ERR_OK);
	assert_int_equal(log_open(f->path, LEVEL_INFO, 100, &f->clock.clock, &other, NULL), ERR_OK);
	log_info(other, "other", "a line that is long enough to fill the hundred bytes of this file, and some more");
	log_info(other, "other", "after");
	log_info(f->log, "us", "follows");
	char *now = slurp(f->path);
	assert_non_null(strstr(now, "other: after\n"));
	assert_non_null(strstr(now, "us: follows\n"));
	free(now);
	log_close(other);
}

static void only_a_regular_file_will_do(void **state)
{
	struct fixture *f = *state;
	struct why why = { "" };
	assert_int_equal(log_open("/dev/null", LEVEL_INFO, 0, &f->clock.clock, &f->log, &why), ERR_USAGE);
	assert_int_not_equal(log_open(f->folder, LEVEL_INFO, 0, &f->clock.clock, &f->log, &why), ERR_OK);
	assert_int_equal(log_open("/nonexistent/log", LEVEL_INFO, 0, &f->clock.clock, &f->log, &why), ERR_NOT_FOUND);
	assert_int_equal(symlink("/tmp/elsewhere", f->path), 0);
	assert_int_not_equal(log_open(f->path, LEVEL_INFO, 0, &f->clock.clock, &f->log, &why), ERR_OK);
	assert_null(f->log);
	log_info(f->log, "x", "nobody listens");
}

static void *many_lines(void *ctx)
{
	for (int i = 0; i < 500; i++)
		log_info(ctx, "thread", "0123456789 0123456789 0123456789");
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[4];
	assert_int_equal(log_open(f->path, LEVEL_INFO, 0, &f->clock.clock, &f->log, NULL), ERR_OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_lines, f->log), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	static const char line[] = "2026-11-23T10:00:00.000Z info  thread: 0123456789 0123456789 0123456789\n";
	char *text = slurp(f->path);
	assert_int_equal(strlen(text), 2000 * (sizeof line - 1));
	for (size_t i = 0; i < 2000; i++)
		assert_memory_equal(text + i * (sizeof line - 1), line, sizeof line - 1);
	free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_have_time_level_part_and_safe_text),
		CASE(what_is_there_is_kept),
		CASE(a_long_line_is_cut_visibly),
		CASE(a_full_file_is_put_aside_once),
		CASE(another_processs_rotation_is_followed),
		CASE(only_a_regular_file_will_do),
		CASE(threads_do_not_mix_their_lines),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
