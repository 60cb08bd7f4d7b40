/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "config/secret.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/pitwall-secret-XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/token", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void check(const char *label, const struct secret_source *from, int64_t timeout_ms, enum err want, const char *text)
{
	struct secret s = { 0 };
	struct why why = { "" };
	enum err e = secret_read(from, timeout_ms, &s, &why);
	if (e != want)
		print_error("%s: %s\n", label, why.text);
	assert_row(label, e == want);
	assert_row(label, (s.text != NULL) == (want == ERR_OK));
	assert_row(label, want != ERR_OK || (strcmp(s.text, text) == 0 && s.len == strlen(text)));
	assert_row(label, strstr(why.text, "hunter2") == NULL);
	secret_release(&s);
	assert_row(label, s.text == NULL);
	secret_release(&s);
}

static void test_env(void **state)
{
	const struct secret_source from = { .kind = SECRET_ENV, .name = "PITWALL_TEST_SECRET" };
	(void)state;
	unsetenv("PITWALL_TEST_SECRET");
	check("unset", &from, 0, ERR_NOT_FOUND, "");
	setenv("PITWALL_TEST_SECRET", "hunter2", 1);
	check("set", &from, 0, ERR_OK, "hunter2");
	setenv("PITWALL_TEST_SECRET", "", 1);
	check("empty", &from, 0, ERR_FORMAT, "");
	setenv("PITWALL_TEST_SECRET", "hunter2\nx", 1);
	check("two lines", &from, 0, ERR_FORMAT, "");
	check("nothing set", &(struct secret_source){ .kind = SECRET_NONE }, 0, ERR_NOT_FOUND, "");
}

static void test_file(void **state)
{
	const struct secret_source from = { .kind = SECRET_FILE, .name = path };
	char big[SECRET_MAX + 3];
	(void)state;
	check("missing", &from, 0, ERR_NOT_FOUND, "");
	write_file("hunter2\n", 8);
	check("a line", &from, 0, ERR_OK, "hunter2");
	write_file("hunter2\r\n", 9);
	check("a DOS line", &from, 0, ERR_OK, "hunter2");
	write_file("hunter2\n\n", 9);
	check("two line ends", &from, 0, ERR_FORMAT, "");
	write_file("hun\0ter2", 8);
	check("a NUL", &from, 0, ERR_FORMAT, "");
	write_file("", 0);
	check("empty", &from, 0, ERR_FORMAT, "");
	memset(big, 'x', sizeof big);
	write_file(big, SECRET_MAX + 1);
	check("too long", &from, 0, ERR_LIMIT, "");
	big[SECRET_MAX] = '\n';
	write_file(big, SECRET_MAX + 1);
	big[SECRET_MAX] = '\0';
	check("just not too long", &from, 0, ERR_OK, big);
	check("a folder", &(struct secret_source){ .kind = SECRET_FILE, .name = folder }, 0, ERR_UNSUPPORTED, "");
	check("a device", &(struct secret_source){ .kind = SECRET_FILE, .name = "/dev/zero" }, 0, ERR_UNSUPPORTED, "");
}

#define COMMAND(...) (&(struct secret_source){ .kind = SECRET_COMMAND, .argv = (const char *const[]){ __VA_ARGS__, NULL } })

static void test_command(void **state)
{
	(void)state;
	check("echo", COMMAND("echo", "hunter2"), 0, ERR_OK, "hunter2");
	check("no shell", COMMAND("echo", "$HOME;`id`"), 0, ERR_OK, "$HOME;`id`");
	check("missing", COMMAND("/nowhere/pass"), 0, ERR_NOT_FOUND, "");
	check("failing", COMMAND("sh", "-c", "echo hunter2; exit 3"), 0, ERR_IO, "");
	check("killed", COMMAND("sh", "-c", "echo hunter2; kill -9 $$"), 0, ERR_IO, "");
	check("silent", COMMAND("true"), 0, ERR_FORMAT, "");
	check("no input", COMMAND("cat"), 0, ERR_FORMAT, "");
	check("endless", COMMAND("yes", "hunter2"), 0, ERR_LIMIT, "");
	int64_t before_ms = clock_mono_ms(clock_system());
	check("slow", COMMAND("sleep", "60"), 50, ERR_TIMEOUT, "");
	check("slow child", COMMAND("sh", "-c", "echo hunter2; sleep 60 & wait"), 50, ERR_TIMEOUT, "");
	check("lingering", COMMAND("sh", "-c", "echo hunter2; exec >&-; sleep 60"), 50, ERR_TIMEOUT, "");
	assert_true(clock_mono_ms(clock_system()) - before_ms < 30000);
}

static void test_mode(void **state)
{
	const struct secret_source from = { .kind = SECRET_FILE, .name = path };
	struct why why = { "" };
	(void)state;
	unlink(path);
	assert_int_equal(secret_check(&from, &why), ERR_OK);
	write_file("x", 1);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(secret_check(&from, &why), ERR_OK);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(secret_check(&from, &why), ERR_DENIED);
	assert_non_null(strstr(why.text, "chmod o-rwx"));
	assert_int_equal(secret_check(COMMAND("true"), &why), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_mode),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
