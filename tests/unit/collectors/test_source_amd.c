/* SPDX-License-Identifier: Apache-2.0
 *
 * amd-smi and rocm-smi: what real ones said, what strange ones say, and the script under real shells with false ones. */
#include "tests/unit/collectors/source_kit.h"

#include "collectors/source_gpu.h"

#define LABELS  "{card_series=\"AMD Instinct MI300X\",gpu_id=\"0\",gpu_uuid=\"u0\"}"
#define LISTED  "@list\n[{\"gpu\": 0, \"bdf\": \"0000:03:00.0\", \"uuid\": \"u0\", \"kfd_id\": 1}]\n" \
	"@static\n{\"gpu_data\": [{\"gpu\": 0, \"asic\": {\"market_name\": \"AMD Instinct MI300X\", \"asic_serial\": \"N/A\"}, \"driver\": {\"version\": \"6.12\"}}]}\n"
#define METRIC7 "{\"gpu_data\": [{\"gpu\": 0, \"usage\": {\"gfx_activity\": {\"value\": 87, \"unit\": \"%\"}, \"umc_activity\": \"N/A\"}, " \
	"\"power\": {\"socket_power\": {\"value\": 512.5, \"unit\": \"W\"}}, \"temperature\": {\"edge\": \"N/A\", \"hotspot\": {\"value\": 71, \"unit\": \"C\"}}, " \
	"\"mem_usage\": {\"total_vram\": {\"value\": 192, \"unit\": \"GB\"}, \"used_vram\": {\"value\": 1024, \"unit\": \"MB\"}}, " \
	"\"clock\": {\"gfx_0\": {\"clk\": {\"value\": 2100, \"unit\": \"MHz\"}}, \"mem_0\": {\"clk\": \"N/A\"}}, " \
	"\"ecc\": {\"total_correctable_count\": 3, \"total_uncorrectable_count\": 0}, \"energy\": {\"total_energy_consumption\": {\"value\": 2, \"unit\": \"J\"}}, " \
	"\"throttle\": {\"prochot_violation_status\": \"NOT ACTIVE\", \"ppt_violation_status\": \"ACTIVE\", \"vr_thermal_violation_status\": \"N/A\", " \
	"\"accumulation_counter\": 7}}]}\n"

static void test_amd_smi(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &amd_smi_source);
	assert_string_equal(kit_ask(&k), "");
	kit_read(&k, "@metric\nWARNING: [gpu0] is in a low-power state\n" METRIC7 "bye\n" LISTED, 0);
	assert_int_equal(k.e, ERR_OK);
	assert_line(&k, "amd_gpu_gfx_activity" LABELS " 87");
	assert_line(&k, "amd_gpu_package_power" LABELS " 512.5");
	assert_line(&k, "amd_gpu_junction_temperature" LABELS " 71");
	assert_line(&k, "amd_gpu_total_vram" LABELS " 196608");
	assert_line(&k, "amd_gpu_used_vram" LABELS " 1024");
	assert_line(&k, "amd_gpu_ecc_correct_total" LABELS " 3");
	assert_line(&k, "amd_gpu_energy_consumed" LABELS " 2000000");
	assert_line(&k,
	            "amd_gpu_clock{card_series=\"AMD Instinct MI300X\",gpu_id=\"0\",gpu_uuid=\"u0\",clock_type=\"GPU_CLOCK_TYPE_SYSTEM\"} 2100");
	assert_line(&k, "amd_gpu_throttled{card_series=\"AMD Instinct MI300X\",gpu_id=\"0\",gpu_uuid=\"u0\",reason=\"ppt\"} 1");
	assert_line(&k, "amd_gpu_throttled{card_series=\"AMD Instinct MI300X\",gpu_id=\"0\",gpu_uuid=\"u0\",reason=\"prochot\"} 0");
	assert_line(&k, "amd_gpu_fault" LABELS " 0");
	assert_line(&k,
	            "amd_gpu_info{card_series=\"AMD Instinct MI300X\",driver_version=\"6.12\",gpu_id=\"0\",gpu_uuid=\"u0\",pci_bdf=\"0000:03:00.0\"} 1");
	assert_false(kit_has_metric(&k, "amd_gpu_edge_temperature"));
	assert_false(kit_has_metric(&k, "amd_gpu_umc_activity"));
	assert_string_equal(kit_ask(&k), "named");
	kit_read(&k, "@metric\n" METRIC7, 0); /* names stay */
	assert_line(&k, "amd_gpu_gfx_activity" LABELS " 87");
	kit_read(&k, "@metric\n[{\"gpu\": 0, \"usage\": {\"gfx_activity\": 4}}, {\"gpu\": 1, \"usage\": {\"gfx_activity\": \"5\"}}]\n", 1);
	assert_line(&k, "amd_gpu_gfx_activity" LABELS " 4"); /* ROCm 6, and a status that means nothing */
	assert_line(&k, "amd_gpu_gfx_activity{gpu_id=\"1\"} 5");
	assert_string_equal(kit_ask(&k), ""); /* a GPU without a name */
	kit_read(&k, "@metric\n" METRIC7 LISTED, 0);
	assert_non_null(kit_event(&k, "GPU 1 () is gone: its tool tells of 1 GPU, and there were 2"));
	assert_line(&k, "amd_gpu_fault{gpu_id=\"1\"} 1");
	kit_read(&k, "@metric\n\n", 124); /* late once is no fault, twice is one of all */
	assert_false(kit_has_metric(&k, "amd_gpu_fault"));
	kit_read(&k, "@metric\n\n", 124);
	assert_line(&k, "amd_gpu_fault" LABELS " 1");
	kit_read(&k, "@metric\n" METRIC7 LISTED, 0);
	assert_line(&k, "amd_gpu_fault" LABELS " 0");
	kit_close(&k);
}

static void test_processes(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &amd_smi_source);
	kit_read(&k, "@metric\n" METRIC7 LISTED "@users\nuid 42 1000\nuser 1000 ada\n@process\n[{\"gpu\": 0, \"process_list\": ["
		"{\"process_info\": {\"name\": \"/usr/bin/python3\", \"pid\": 42, \"memory_usage\": {\"vram_mem\": {\"value\": 21008920000, \"unit\": \"B\"}}, "
		"\"mem_usage\": {\"value\": 1, \"unit\": \"B\"}}}, "
		"{\"process_info\": {\"name\": \"N/A\", \"pid\": 43}}, "
		"{\"process_info\": \"No running processes detected\"}]}]\n", 0);
	assert_int_equal(k.e, ERR_OK);
#define P "{gpu_id=\"0\",gpu_uuid=\"u0\",pid=\"42\",process_name=\"/usr/bin/python3\",user=\"ada\"}"
	assert_line(&k, "amd_gpu_process_info" P " 1");
	assert_line(&k, "amd_gpu_process_vram_bytes" P " 21008920000");
#undef P
	assert_line(&k, "amd_gpu_process_info{gpu_id=\"0\",gpu_uuid=\"u0\",pid=\"43\"} 1");
	assert_line(&k, "amd_gpu_processes" LABELS " 2");
	kit_close(&k);
}

static void test_failures(void **state)
{
	(void)state;
	static const struct kit_answer rows[] = {
		{ "no tool", "", 127, ERR_NOT_FOUND, "neither" },
		{ "no GPU", "@metric\n@rocm\n{}\n", 0, ERR_NOT_FOUND, "no AMD GPU" },
		{ "no driver", "@rocm\nERROR:root:Driver not initialized (amdgpu not found in modules)\n", 1, ERR_FORMAT, "not loaded" },
		{ "a subcommand", "@metric\namdsmi_cli_exceptions.AmdSmiInvalidSubcommandException: Command 'metric' is invalid. Error code: -10\n",
		  246, ERR_FORMAT,
		  "status 246: 'amdsmi_cli" },
		{ "it hangs", "@metric\n\n", 124, ERR_FORMAT, "did not end in time" },
		{ "broken JSON", "@metric\n{\"gpu_data\": [}\n", 0, ERR_FORMAT, "tool" },
		{ "JSON of something else", "@metric\n[1, \"gpu\", null, {\"gpu\": -1}, {\"gpu\": 1.5}, {\"gpu\": []}]\n", 0, ERR_NOT_FOUND,
		  "no AMD GPU" },
		{ "a traceback", "@metric\nTraceback (most recent call last):\n  File x\nOSError: libamd_smi.so: cannot open\n", 1, ERR_FORMAT,
		  "'OSError" },
	};
	kit_check_answers(&amd_smi_source, rows, sizeof rows / sizeof rows[0]);
}

static void test_captures(void **state)
{
	(void)state;
	static const struct {
		const char *file, *begin, *lines[7], *absent;
	} rows[] = {
		{ "gpu/amd/telegraf_mi100_rocm602.json", "@rocm\n",
		  { "amd_gpu_gfx_activity{card_series=\"Arcturus GL-XL [Instinct MI100]\",gpu_id=\"0\",gpu_uuid=\"0x79ccd55167a2124a\"} 0",
		    "amd_gpu_average_package_power{card_series=\"Arcturus GL-XL [Instinct MI100]\",gpu_id=\"0\",gpu_uuid=\"0x79ccd55167a2124a\"} 36",
		    "amd_gpu_total_vram{card_series=\"Arcturus GL-XL [Instinct MI100]\",gpu_id=\"0\",gpu_uuid=\"0x79ccd55167a2124a\"} 32752",
		    "amd_gpu_junction_temperature{card_series=\"Arcturus GL-XL [Instinct MI100]\",gpu_id=\"1\",gpu_uuid=\"0x4edfb117a17a07d\"} 58",
		    "amd_gpu_clock{card_series=\"Arcturus GL-XL [Instinct MI100]\",gpu_id=\"0\",gpu_uuid=\"0x79ccd55167a2124a\",clock_type=\"GPU_CLOCK_TYPE_SYSTEM\"} 300" },
		  "amd_gpu_fan_rpm" },
		{ "gpu/amd/telegraf_rx6700xt_rocm430.json", "@rocm\nWARNING: AMD GPU device(s) is/are in a low-power state.\n",
		  { "amd_gpu_used_vram{gpu_id=\"0\"} 1547.5546875", "amd_gpu_umc_activity{gpu_id=\"0\"} 0", "amd_gpu_power_cap{gpu_id=\"0\"} 211",
		    "amd_gpu_info{driver_version=\"6.3.6\",gpu_id=\"0\",pci_bdf=\"0000:07:00.0\"} 1" }, NULL },
		{ "gpu/amd/telegraf_rx6700xt_rocm612.json", "@rocm\n",
		  { "amd_gpu_umc_activity{card_series=\"Navi 22 [Radeon RX 6700/6700 XT / 6800M]\",gpu_id=\"0\"} 0" }, NULL },
		{ "gpu/amd/telegraf_vega-10-XT.json", "@rocm\n",
		  { "amd_gpu_fan_rpm{gpu_id=\"0\",gpu_uuid=\"0x2150e7d042a1124\"} 682",
		    "amd_gpu_memory_temperature{gpu_id=\"0\",gpu_uuid=\"0x2150e7d042a1124\"} 92" }, NULL },
		{ "gpu/amd/telegraf_vega-20-WKS-GL-XE.json", "@rocm\n",
		  { "amd_pcie_replay_count{card_series=\"Radeon Instinct MI50 32GB\",gpu_id=\"0\",gpu_uuid=\"0x2f048617326b1ea\"} 0" }, NULL },
		{ "gpu/amd/amd-smi_metric_usage_r9700_fragment.json", "@metric\n",
		  { "amd_gpu_gfx_activity{gpu_id=\"0\"} 100", "amd_gpu_mma_activity{gpu_id=\"0\"} 0" }, "amd_gpu_package_power" },
		{ "gpu/amd/amd-smi_process_r9700_first_entries.json", "@metric\n[{\"gpu\":0}]\n@process\n",
		  { "amd_gpu_processes{gpu_id=\"0\"} 2",
		    "amd_gpu_process_vram_bytes{gpu_id=\"0\",pid=\"213952\",process_name=\"/usr/bin/python3.12\"} 21008920000",
		    "amd_gpu_process_vram_bytes{gpu_id=\"0\",pid=\"213534\",process_name=\"/usr/bin/python3.12\"} 56000" }, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit k;
		struct buf text;
		char      *capture = kit_sample(rows[i].file);
		if (capture == NULL)
			skip();
		buf_init(&text, 1 << 20);
		buf_puts(&text, rows[i].begin);
		buf_puts(&text, capture);
		kit_open(&k, &amd_smi_source);
		kit_read(&k, buf_text(&text), 0);
		assert_row(rows[i].file, k.e == ERR_OK && k.found.n_events == 0);
		for (size_t l = 0; l < 7 && rows[i].lines[l] != NULL; l++)
			assert_line(&k, rows[i].lines[l]);
		assert_row(rows[i].file, rows[i].absent == NULL || !kit_has_metric(&k, rows[i].absent));
		kit_close(&k);
		buf_release(&text);
		free(capture);
	}
}

/* ---- the script ---- */

static const char amd_tool[] =
	"#!/bin/sh\necho \"$*\" >>\"$KIT/calls\"\n"
	"case $* in\n"
	"'metric --json') echo 'WARNING: odd'; echo '{\"gpu_data\": [{\"gpu\": 0, \"usage\": {\"gfx_activity\": {\"value\": 9}}}]}' ;;\n"
	"'list --json') echo '[{\"gpu\": 0, \"uuid\": \"u\"}]' ;;\n"
	"static*) echo '{\"gpu_data\": [{\"gpu\": 0, \"asic\": {\"market_name\": \"X\"}}]}' ;;\n"
	"'process --json') echo \"[{\\\"gpu\\\": 0, \\\"process_list\\\": [{\\\"process_info\\\": {\\\"name\\\": \\\"p\\\", \\\"pid\\\": $PPID}}]}]\" ;;\n"
	"*) exit 3 ;;\n"
	"esac\n";
static const char rocm_tool[] = "#!/bin/sh\necho '{\"card0\": {\"GPU use (%)\": \"33\"}}'\nexit 2\n";

static void run_scripts(const char *shell)
{
	struct kit       k;
	struct kit_tools t;
	kit_open(&k, &amd_smi_source);
	kit_tools_open(&t);
	kit_tools_put(&t, "rocm-smi", rocm_tool);
	kit_run(&k, &t, shell);
	assert_row(shell, k.e == ERR_OK);
	assert_line(&k, "amd_gpu_gfx_activity{gpu_id=\"0\"} 33");
	/* An amd-smi that fails leaves it to the older one. */
	kit_tools_put(&t, "amd-smi", "#!/bin/sh\necho 'AmdSmiException'\nexit 246\n");
	kit_run(&k, &t, shell);
	assert_line(&k, "amd_gpu_gfx_activity{gpu_id=\"0\"} 33");
	kit_close(&k);
	kit_open(&k, &amd_smi_source);
	kit_tools_put(&t, "amd-smi", amd_tool);
	kit_run(&k, &t, shell);
	if (k.e != ERR_OK)
		fail_msg("%s: %s: %s", shell, k.why.text, kit_said());
	assert_line(&k, "amd_gpu_gfx_activity{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u\"} 9");
	assert_line(&k, "amd_gpu_processes{card_series=\"X\",gpu_id=\"0\",gpu_uuid=\"u\"} 1");
	kit_run(&k, &t, shell);
	char *calls = kit_tools_read(&t, "calls");
	assert_row(shell, strstr(strstr(calls, "list") + 1, "list") == NULL); /* names once */
	free(calls);
	kit_tools_close(&t);
	kit_close(&k);
}

static void test_script(void **state)
{
	(void)state;
	kit_in_each_shell(run_scripts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amd_smi),  cmocka_unit_test(test_processes), cmocka_unit_test(test_failures),
		cmocka_unit_test(test_captures), cmocka_unit_test(test_script),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
