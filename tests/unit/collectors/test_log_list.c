/* SPDX-License-Identifier: Apache-2.0
 *
 * What a machine says of its logs, and the programs that it is sent. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "collectors/log_list.h"
#include "collectors/log_program.h"

static const char *const units[] = { "vllm", "sidecar.service" };
static const char *const logs[] = { "/var/log/x.log", "ray.service", "/srv/it's.log" };
static const struct log_wishes wishes = { units, logs, 2, 3 };
static const struct log_wishes none = { NULL, NULL, 0, 0 };

/* "KEY(NOTE) KEY(NOTE)", a '*' before the fleet file's. */
static void print(const struct log_list *l, struct buf *to)
{
	for (size_t i = 0; i < l->n; i++)
		buf_printf(to, "%s%s%s(%s)", i > 0 ? " " : "", l->items[i].is_wished ? "*" : "", l->items[i].key, l->items[i].note);
}

static void lines_are_read(void **state)
{
	static const struct {
		const char *label, *in, *want;
	} rows[] = {
		{ "nothing", "", "" },
		{ "a unit", "unit vllm.service loaded active running vLLM server\n", "unit:vllm.service(active running, vLLM server)" },
		{ "with systemctl's dot", "unit \xe2\x97\x8f x.service loaded failed failed X\n", "unit:x.service(failed failed, X)" },
		{ "no description", "unit x.service loaded active exited\n", "unit:x.service(active exited)" },
		{ "an option is no unit", "unit --user.service loaded active running X\n", "" },
		{ "nor is a command", "unit $(id).service a b c\nunit a;b.service a b c\n", "" },
		{ "a container", "container docker chat|Up 3 hours|vllm/vllm-openai\n", "docker:chat(Up 3 hours, vllm/vllm-openai)" },
		{ "podman's", "container podman chat|Exited (1)|x\n", "podman:chat(Exited (1), x)" },
		{ "another tool", "container rm chat|Up|x\n", "" },
		{ "an option is no container", "container docker -f|Up|x\n", "" },
		{ "one of odd signs", "container docker a b|Up|x\ncontainer docker a'b|Up|x\n", "" },
		{ "the kernel and the journal", "journal\nkernel journalctl\n", "kernel(the kernel's log) journal(all that the journal has)" },
		{ "the order", "kernel dmesg\ncontainer docker c|Up|x\nunit b.service l a r\nunit a.service l a r\n",
		  "unit:b.service(a r) unit:a.service(a r) docker:c(Up, x) kernel(the kernel's log)" },
		{ "twice is once", "unit b.service l a r\nunit b.service l a failed\n", "unit:b.service(a failed)" },
		{ "half a line", "unit b.service l a r", "" },
		{ "noise", "unit\ncontainer\nfile\nfile x y\nfile 99 y\nkernel rm\nhello\n\n\n", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct log_list l;
		struct buf got;
		buf_init(&got, 65536);
		assert_int_equal(log_list_init(&l, &none), ERR_OK);
		for (const char *p = rows[i].in; *p != '\0'; p++)
			assert_int_equal(log_list_feed(&l, p, 1), ERR_OK);
		print(&l, &got);
		if (strcmp(buf_text(&got), rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].label, buf_text(&got), rows[i].want);
		log_list_release(&l);
		buf_release(&got);
	}
}

static void the_fleet_file_s_come_first(void **state)
{
	static const char said[] = "unit a.service l active running A\nunit vllm.service l active running V\nfile 0 17 bytes\nfile 1 not there now\n";
	struct log_list l;
	struct buf got;
	(void)state;
	buf_init(&got, 65536);
	assert_int_equal(log_list_init(&l, &wishes), ERR_OK);
	assert_int_equal(log_list_feed(&l, said, sizeof said - 1), ERR_OK);
	print(&l, &got);
	assert_string_equal(buf_text(&got), "*file:/var/log/x.log(17 bytes) *unit:ray.service() *file:/srv/it's.log(not there now) "
	                                    "*unit:vllm.service(active running, V) *unit:sidecar.service() unit:a.service(active running, A)");
	assert_non_null(log_list_find(&l, "unit:ray.service"));
	assert_null(log_list_find(&l, "ray.service"));
	log_list_release(&l);
	buf_release(&got);
}

static void a_list_is_bounded(void **state)
{
	struct log_list l;
	char line[LOG_LIST_LINE + 64];
	(void)state;
	assert_int_equal(log_list_init(&l, &none), ERR_OK);
	for (int i = 0; i < 3 * LOG_LIST_MAX; i++) {
		int n = snprintf(line, sizeof line, "unit u%d.service l a r\n", i);
		assert_int_equal(log_list_feed(&l, line, (size_t)n), ERR_OK);
	}
	assert_int_equal(l.n, LOG_LIST_MAX);
	log_list_release(&l);
	assert_int_equal(log_list_init(&l, &none), ERR_OK);
	memset(line, 'x', sizeof line);
	memcpy(line, "unit a.service l a r ", 21);
	line[sizeof line - 1] = '\n';
	assert_int_equal(log_list_feed(&l, line, sizeof line), ERR_OK);
	assert_int_equal(l.n, 0); /* a line that is too long says nothing */
	log_list_release(&l);
}

/* What is between the first line, the number of the others, and the end. */
static void programs_say_how_long_they_are(void **state)
{
	static const struct log_choice choices[] = {
		{ .kind = LOG_UNIT, .name = "vllm.service", .tool = "", .note = "" },
		{ .kind = LOG_FILE, .name = "/srv/it's\nlog", .tool = "", .note = "" },
		{ .kind = LOG_CONTAINER, .name = "chat", .tool = "docker", .note = "" },
		{ .kind = LOG_KERNEL, .name = "", .tool = "dmesg", .note = "" },
		{ .kind = LOG_KERNEL, .name = "", .tool = "journalctl", .note = "" },
		{ .kind = LOG_JOURNAL, .name = "", .tool = "", .note = "" },
	};
	static const char *const says[] = {
		"'journal' '-n' '500' '-u' 'vllm.service'\n", "'follow' 'tail' '-n' '500' '-F' '--' '/srv/it'\\''s\nlog'\n",
		"'follow' 'docker' 'logs' '--tail' '500' '-f' 'chat'\n", "follow dmesg -w", "'journal' '-n' '500' '-k'\n", "'journal' '-n' '500'\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct buf text;
		struct why why = { "" };
		buf_init(&text, LOG_PROGRAM_MAX);
		assert_int_equal(log_program_follow(&choices[i], 500, "0123456789abcdef", &text, &why), ERR_OK);
		size_t lines = 0;
		for (size_t k = 0; k < text.len; k++)
			lines += text.data[k] == '\n';
		assert_int_equal(strtoul(buf_text(&text), NULL, 10), lines - 1);
		assert_non_null(strstr(buf_text(&text), says[i]));
		buf_release(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read), cmocka_unit_test(the_fleet_file_s_come_first), cmocka_unit_test(a_list_is_bounded),
		cmocka_unit_test(programs_say_how_long_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
