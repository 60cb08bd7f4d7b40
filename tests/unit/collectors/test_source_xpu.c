/* SPDX-License-Identifier: Apache-2.0
 *
 * xpu-smi: what its documentation shows, rows made by hand, and the script under real shells with a false one. */
#include "tests/unit/collectors/source_kit.h"

#include "collectors/source_gpu.h"

#define HEADER "Timestamp, DeviceId, GPU Utilization (%), GPU Power (W), GPU Frequency (MHz), GPU Core Temperature (Celsius Degree), " \
	"GPU Memory Temperature (Celsius Degree), GPU Memory Utilization (%), GPU Memory Used (MiB), Reset Counter, GPU Cache Errors Correctable, Foo\n"

static void test_dump(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &xpu_smi_source);
	kit_read(&k,
	         "@dump\n" HEADER "14:32:57.448,    0, 12.50, 106.60, 1600,  N/A, 41.5, 25.00, 28.5, 2, 7, 1\n14:32:57.449,    1, N/A, , 0, 60\n"
		"@discovery\n{\"device_list\": [{\"device_id\": 0, \"device_name\": \"Max 1550\", \"uuid\": \"u0\", \"pci_bdf_address\": \"0000:4b:00.0\", "
		"\"serial_number\": \"unknown\"}, {\"device_id\": \"1\", \"device_name\": \"Max 1550\"}]}\n", 0);
	assert_int_equal(k.e, ERR_OK);
#define L "dev_id=\"0\",dev_name=\"Max 1550\",pci_bdf=\"0000:4b:00.0\",uuid=\"u0\""
	assert_line(&k, "xpum_engine_ratio{" L "} 0.125");
	assert_line(&k, "xpum_power_watts{" L "} 106.6");
	assert_line(&k, "xpum_frequency_mhz{" L ",location=\"gpu\"} 1600");
	assert_line(&k, "xpum_temperature_celsius{" L ",location=\"mem\"} 41.5");
	assert_line(&k, "xpum_memory_ratio{" L "} 0.25");
	assert_line(&k, "xpum_memory_used_bytes{" L "} 29884416");
	assert_line(&k, "xpum_resets{" L "} 2");
	assert_line(&k, "xpum_cache_errors{" L ",type=\"correctable\"} 7");
	assert_line(&k, "xpum_fault{" L "} 0");
	assert_line(&k, "xpum_temperature_celsius{dev_id=\"1\",dev_name=\"Max 1550\",location=\"gpu\"} 60");
	assert_false(kit_has_metric(&k, "xpum_engine_ratio{dev_id=\"1\""));
	assert_false(kit_has_metric(&k, "xpum_power_watts{dev_id=\"1\""));
	assert_string_equal(kit_ask(&k), "named");
	kit_read(&k, "@dump\n" HEADER "14:33:07.448,    0, 1, 1\n", 0);
	assert_line(&k, "xpum_engine_ratio{" L "} 0.01");
	assert_non_null(kit_event(&k, "GPU 1 (Max 1550) is gone: its tool tells of 1 GPU, and there were 2"));
	assert_line(&k, "xpum_fault{dev_id=\"1\",dev_name=\"Max 1550\"} 1");
	kit_read(&k, "@dump\n\n", 124); /* late once is no fault, twice is one of all */
	assert_false(kit_has_metric(&k, "xpum_fault"));
	kit_read(&k, "@dump\n\n", 137);
	assert_line(&k, "xpum_fault{" L "} 1");
	kit_read(&k, "@dump\n" HEADER "14:33:17.448,    0, 1, 1\n", 0);
	assert_line(&k, "xpum_fault{" L "} 0");
#undef L
	kit_close(&k);
}

static void test_odd(void **state)
{
	(void)state;
	static const struct kit_answer rows[] = {
		{ "no tool", "", 127, ERR_NOT_FOUND, "no xpu-smi" },
		{ "no device", "@dump\nError: No device found\n@table\nNo devices\n", 1, ERR_NOT_FOUND, "no GPU" },
		{ "no driver", "@dump\nError: Level Zero Initialization Error\n@table\n", 1, ERR_FORMAT, "render" },
		{ "it hangs", "@dump\n\n", 124, ERR_FORMAT, "in time" },
		{ "tiles are no devices", "@dump\nTimestamp, DeviceId, TileId, GPU Memory Used (MiB)\n20:06:21.081,    0,    0, 39.12\n", 0,
		  ERR_FORMAT, "status 0" },
		{ "no id", "@dump\nTimestamp, DeviceId, GPU Power (W)\n20:06:21.081,    x, 39.12\n20:06:21.081,    -1, 39.12\n", 0, ERR_FORMAT,
		  "status 0" },
		{ "another failure", "@dump\nSegmentation fault\n@table\n\n", 139, ERR_FORMAT, "'Segmentation fault'" },
	};
	kit_check_answers(&xpu_smi_source, rows, sizeof rows / sizeof rows[0]);
}

/* The table that release 2 prints, and what it says of one device. */
static void test_captures(void **state)
{
	(void)state;
	char *table = kit_sample("gpu/intel/xpu-smi_readme_0.txt"), *discovery = kit_sample("gpu/intel/xpu-smi_readme_1.txt");
	if (table == NULL || discovery == NULL)
		skip();
	struct kit k;
	struct buf text;
	buf_init(&text, 1 << 16);
	buf_printf(&text, "@dump\nunknown option\n@table\n%s@discovery\n%s", table, discovery);
	kit_open(&k, &xpu_smi_source);
	kit_read(&k, buf_text(&text), 0);
	assert_int_equal(k.e, ERR_OK);
#define L "dev_id=\"0\",dev_name=\"Intel(R) Arc(TM) B580 Graphics\",pci_bdf=\"0000:03:00.0\",uuid=\"00000000-0000-0003-0000-0000e20b8086\""
	assert_line(&k, "xpum_temperature_celsius{" L ",location=\"gpu\"} 25");
	assert_line(&k, "xpum_power_watts{" L "} 66");
	assert_line(&k, "xpum_power_limit_watts{" L "} 380");
	assert_line(&k, "xpum_memory_used_bytes{" L "} 250609664");
	assert_line(&k, "xpum_memory_total_bytes{" L "} 12809404416");
	assert_line(&k, "xpum_engine_ratio{" L "} 0");
	assert_false(kit_has_metric(&k, "xpum_engine_ratio{dev_id=\"1\""));
#undef L
	assert_int_equal(k.found.n_events, 0);
	kit_close(&k);
	buf_release(&text);
	free(table);
	free(discovery);
}

/* Knows neither "-d -1" nor all of the metrics. */
static const char tool[] =
	"#!/bin/sh\necho \"$*\" >>\"$KIT/calls\"\n"
	"case $* in\n"
	"dump*' -1 '*12,13*) echo 'Error: wrong device'; exit 1 ;;\n"
	"dump*12,13*) echo 'Timestamp, DeviceId, GPU Power (W)'; echo '1:2:3, 0, 70.25' ;;\n"
	"'discovery -j') exit 2 ;;\n"
	"discovery) echo '| 0         | Device Name: Flex 170   |' ;;\n"
	"*) exit 3 ;;\n"
	"esac\n";

static void run_script(const char *shell)
{
	struct kit       k;
	struct kit_tools t;
	kit_open(&k, &xpu_smi_source);
	kit_tools_open(&t);
	kit_run(&k, &t, shell);
	if (!kit_has_program("xpu-smi")) /* this machine's own */
		assert_row(shell, k.e == ERR_NOT_FOUND);
	kit_tools_put(&t, "xpu-smi", tool);
	kit_run(&k, &t, shell);
	if (k.e != ERR_OK)
		fail_msg("%s: %s: %s", shell, k.why.text, kit_said());
	assert_line(&k, "xpum_power_watts{dev_id=\"0\",dev_name=\"Flex 170\"} 70.25");
	kit_tools_close(&t);
	kit_close(&k);
}

static void test_script(void **state)
{
	(void)state;
	kit_in_each_shell(run_script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_script),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
