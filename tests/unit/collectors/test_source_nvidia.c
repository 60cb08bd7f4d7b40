/* SPDX-License-Identifier: Apache-2.0
 *
 * nvidia-smi: what real drivers said, what broken ones and strange ones say, and the script under real shells with a false nvidia-smi. */
#include "tests/unit/collectors/source_kit.h"

#include "base/num.h"
#include "collectors/source_gpu.h"
#include "collectors/source_nvidia.h"

#include <math.h>
#include <pwd.h>
#include <unistd.h>

/* Fields of the rows below. */
#define ASKED "@fields index,uuid,name,pci.bus_id,driver_version,pstate,mig.mode.current,temperature.gpu,utilization.gpu,memory.total,memory.used," \
	"power.draw,clocks_event_reasons.active,gpu_recovery_action,remapped_rows.pending\n@gpus\n"
#define ROW(i, uuid, mig, action) \
	#i ", " uuid ", NVIDIA H100 80GB HBM3, 00000000:0" #i ":00.0, 590.48.01, P0, " mig ", 59, 100, 81559, 19818, 631.95, 0x0000000000000024, " action ", No\n"
#define PLAIN(i) ROW(i, "GPU-" #i "0000000-AAAA", "Disabled", "None")
#define LOST(i) #i ", [GPU is lost], [GPU is lost], 00000000:0" #i ":00.0, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], " \
	"[GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]\n"
#define L0 "{gpu=\"0\",uuid=\"00000000-aaaa\"}"
#define L1 "{gpu=\"1\",uuid=\"10000000-aaaa\"}"

static void test_values(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_int_equal(k.e, ERR_OK);
	assert_line(&k, "nvidia_smi_utilization_gpu_ratio" L0 " 1");
	assert_line(&k, "nvidia_smi_memory_used_bytes" L1 " 20780679168");
	assert_line(&k, "nvidia_smi_power_draw_watts" L0 " 631.95");
	assert_line(&k, "nvidia_smi_pstate" L0 " 0");
	assert_line(&k, "nvidia_smi_mig_mode_current" L0 " 0");
	assert_line(&k, "nvidia_smi_remapped_rows_pending" L0 " 0");
	assert_line(&k, "nvidia_smi_gpu_recovery_action" L0 " 0");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_active" L0 " 36");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_sw_power_cap" L0 " 1");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_sw_thermal_slowdown" L0 " 1");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_hw_slowdown" L0 " 0");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_gpu_idle" L0 " 0");
	assert_line(&k, "nvidia_smi_gpu_fault" L0 " 0");
	assert_line(&k,
	            "nvidia_smi_gpu_info{gpu=\"1\",index=\"1\",uuid=\"10000000-aaaa\",driver_version=\"590.48.01\",name=\"NVIDIA H100 80GB HBM3\","
		"pci_bus_id=\"00000000:01:00.0\"} 1");
	assert_line(&k, "nvidia_smi_command_exit_code 0");
	assert_int_equal(k.found.n_events, 0);
	kit_close(&k);
}

/* What is not known is not there, and no cell makes another one be taken for it. */
static void test_odd_rows(void **state)
{
	(void)state;
	static const struct {
		const char *label, *text, *has, *has_not;
	} rows[] = {
		{ "not supported", "@fields index,uuid,temperature.gpu,fan.speed,power.draw\n@gpus\n0, GPU-a, 50, [N/A], [Not Supported]\n",
		  "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"a\"} 50", "nvidia_smi_fan_speed" },
		{ "an empty cell", "@fields index,uuid,temperature.gpu,fan.speed,power.draw\n@gpus\n0, GPU-a, , 33, 70.5\n",
		  "nvidia_smi_fan_speed_ratio{gpu=\"0\",uuid=\"a\"} 0.33", "nvidia_smi_temperature_gpu" },
		{ "an empty cell at the end", "@fields index,uuid,temperature.gpu,fan.speed\n@gpus\n0, GPU-a, 41,\n",
		  "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"a\"} 41", "nvidia_smi_fan_speed" },
		{ "deprecated", "@fields index,uuid,temperature.gpu,pstate\n@gpus\n0, GPU-a, [Requested functionality has been deprecated], P8\n",
		  "nvidia_smi_pstate{gpu=\"0\",uuid=\"a\"} 8", "nvidia_smi_temperature_gpu" },
		{ "lines of Windows", "@fields index,uuid,temperature.gpu\n@gpus\n0, GPU-a, 41\r\n",
		  "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"a\"} 41", NULL },
		{ "words for a number", "@fields index,uuid,temperature.gpu,memory.used\n@gpus\n0, GPU-a, hot, 1e400\n",
		  "nvidia_smi_gpu_fault{gpu=\"0\",uuid=\"a\"} 0", "nvidia_smi_memory_used" },
		{ "the older spelling", "@fields index,uuid,clocks_throttle_reasons.active\n@gpus\n0, GPU-a, 0x08\n",
		  "nvidia_smi_clocks_event_reasons_hw_slowdown{gpu=\"0\",uuid=\"a\"} 1", NULL },
		{ "both spellings", "@fields index,uuid,clocks_event_reasons.active,clocks_throttle_reasons.active\n@gpus\n0, GPU-a, 0x1, 0x1\n",
		  "nvidia_smi_clocks_event_reasons_active{gpu=\"0\",uuid=\"a\"} 1", NULL },
		{ "a mask that is none", "@fields index,uuid,clocks_event_reasons.active\n@gpus\n0, GPU-a, 0x11111111111111111\n",
		  "nvidia_smi_gpu_fault{gpu=\"0\",uuid=\"a\"} 0", "nvidia_smi_clocks_event_reasons" },
		{ "a name to harm a page", "@fields index,uuid,name\n@gpus\n0, GPU-a, x\"} 1\\\n",
		  "nvidia_smi_gpu_info{gpu=\"0\",index=\"0\",uuid=\"a\",name=\"x\\\"} 1\\\\\"} 1", NULL },
		{ "a GPU twice", "@fields index,uuid,temperature.gpu\n@gpus\n0, GPU-a, 41\n0, GPU-a, 42\n",
		  "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"a\"} 41", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit k;
		kit_open(&k, &nvidia_smi_source);
		kit_read(&k, rows[i].text, 0);
		assert_row(rows[i].label, k.e == ERR_OK);
		assert_line(&k, rows[i].has);
		assert_row(rows[i].label, rows[i].has_not == NULL || !kit_has_metric(&k, rows[i].has_not));
		assert_row(rows[i].label, k.found.n_events == 0);
		kit_close(&k);
	}
}

static void test_faults(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	kit_read(&k, ASKED PLAIN(0) LOST(1), 0);
	assert_int_equal(k.e, ERR_OK);
	assert_line(&k, "nvidia_smi_gpu_fault" L0 " 0");
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	assert_false(kit_has_metric(&k, "nvidia_smi_temperature_gpu{gpu=\"1\""));
	assert_non_null(kit_event(&k, "GPU 1 (0000:01:00.0) is in trouble: nvidia-smi says '[GPU is lost]' of its uuid"));
	assert_int_equal(k.found.events[0].severity, FINDING_CRITICAL);
	assert_int_equal(k.found.n_events, 1);
	kit_read(&k, ASKED PLAIN(0) LOST(1), 0); /* told once */
	assert_int_equal(k.found.n_events, 0);
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_non_null(kit_event(&k, "GPU 1 (0000:01:00.0) answers again"));
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 0");
	/* A field that this GPU does not implement is no fault, one that every GPU has is one. */
	kit_read(&k, "@fields index,uuid,temperature.gpu,power.default_limit\n@gpus\n0, GPU-00000000-AAAA, 50, [Unknown Error]\n"
		"1, GPU-10000000-AAAA, ERR!, 300\n", 0);
	assert_line(&k, "nvidia_smi_gpu_fault" L0 " 0");
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	assert_non_null(kit_event(&k, "'ERR!' of its temperature.gpu"));
	kit_close(&k);
}

static void test_gone(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	kit_read(&k, ASKED PLAIN(0), 0);
	assert_int_equal(k.e, ERR_OK);
	assert_int_equal(k.found.n_events, 1);
	assert_non_null(kit_event(&k, "GPU 1 (0000:01:00.0) is gone: nvidia-smi tells of 1 GPU, and there were 2"));
	assert_int_equal(k.found.events[0].severity, FINDING_CRITICAL);
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	kit_read(&k, ASKED PLAIN(0), 0);
	assert_int_equal(k.found.n_events, 0);
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_non_null(kit_event(&k, "GPU 1 (0000:01:00.0) is there again"));
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 0");
	kit_read(&k, "@fields index\n@gpus\nNo devices were found\n", 6);
	assert_int_equal(k.e, ERR_FORMAT);
	assert_string_equal(k.why.text, "nvidia-smi finds no GPU any more; there were 2");
	assert_non_null(kit_event(&k, "GPU 0"));
	kit_close(&k);
}

static void test_changes(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Disabled", "None"), 0);
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Disabled", "Drain and Reset") "WARNING: infoROM is corrupted at gpu 0000:00:00.0\n", 0);
	assert_line(&k, "nvidia_smi_gpu_recovery_action" L0 " 4");
	assert_line(&k, "nvidia_smi_gpu_fault" L0 " 1");
	assert_non_null(kit_event(&k, "GPU 0 (0000:00:00.0) wants a recovery action: Drain and Reset"));
	assert_non_null(kit_event(&k, "nvidia-smi says: WARNING: infoROM is corrupted"));
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Disabled", "None") "WARNING: infoROM is corrupted at gpu 0000:00:00.0\n", 0);
	assert_int_equal(k.found.n_events, 1);
	assert_non_null(kit_event(&k, "wants no recovery action any more"));
	kit_read(&k, "@fields index,uuid,driver_version\n@gpus\n0, GPU-00000000-AAAA, 600.1\n", 0);
	assert_non_null(kit_event(&k, "NVIDIA driver 600.1 instead of 590.48.01"));
	kit_close(&k);
}

static void test_failures(void **state)
{
	(void)state;
	static const struct kit_answer rows[] = {
		{ "no such tool", "", 127, ERR_NOT_FOUND, "no nvidia-smi" },
		{ "no GPU", "@fields index\n@gpus\nNo devices were found\n", 6, ERR_NOT_FOUND, "finds no GPU" },
		{ "mismatch", "@fields index\n@gpus\nFailed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54\n",
		  18, ERR_FORMAT,
		  "not the one that is installed" },
		{ "no driver", "@fields index\n@gpus\nNVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure\n", 9,
		  ERR_FORMAT,
		  "does not answer" },
		{ "a container", "@fields index\n@gpus\nFailed to initialize NVML: Unknown Error\n", 255, ERR_FORMAT, "container" },
		{ "rights", "@fields index\n@gpus\nFailed to initialize NVML: Insufficient Permissions\n", 4, ERR_FORMAT, "rights" },
		{ "a handle", "@fields index\n@gpus\nUnable to determine the device handle for GPU 000:BA:80.0: Unknown Error\n", 15, ERR_FORMAT,
		  "cannot reach" },
		{ "it hangs", "@fields index,uuid\n@gpus\n\n", 124, ERR_FORMAT, "did not end in time" },
		{ "it was killed", "@fields index,uuid\n@gpus\n\n", 137, ERR_FORMAT, "did not end in time" },
		{ "an unknown field for ever", "@fields index\n@gpus\nField \"index\" is not a valid field to query.\n", 2, ERR_FORMAT,
		  "'Field \"index\"" },
		{ "another failure", "@fields index\n@gpus\nSegmentation fault\n", 139, ERR_FORMAT, "status 139: 'Segmentation fault'" },
		{ "nothing at all", "", 0, ERR_FORMAT, "status 0" },
		{ "a page of something else", "<html>\n", 0, ERR_FORMAT, "'<html>'" },
		{ "fields that no one asked for", "@fields x,y\n@gpus\n1, 2\n", 0, ERR_FORMAT, "'1, 2'" },
	};
	kit_check_answers(&nvidia_smi_source, rows, sizeof rows / sizeof rows[0]);
}

/* A lost GPU makes the query fail; asked one by one the others answer. */
static void test_lost_handle(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	kit_read(&k,
	         ASKED "Unable to determine the device handle for GPU1: 0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU\n" PLAIN(0), 15);
	assert_int_equal(k.e, ERR_FORMAT);
	assert_line(&k, "nvidia_smi_temperature_gpu" L0 " 59");
	assert_line(&k, "nvidia_smi_gpu_fault" L1 " 1");
	assert_line(&k, "nvidia_smi_command_exit_code 15");
	assert_non_null(kit_event(&k, "GPU 1 (0000:01:00.0) is gone"));
	assert_non_null(kit_event(&k, "nvidia-smi says: Unable to determine"));
	kit_close(&k);
}

/* The driver answers for none of the GPUs that were there: all of them are at fault, until it does again. What says nothing of the GPUs is no
 * fault of theirs, and a single answer that is late is none either. */
static void test_none_answers(void **state)
{
	(void)state;
	static const struct { const char *label, *said; int status; bool is_fault; } rows[] = {
		{ "no driver", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure\n", 9, true },
		{ "a container that lost them", "Failed to initialize NVML: Unknown Error\n", 255, true },
		{ "a handle", "Unable to determine the device handle for GPU 000:BA:80.0: Unknown Error\n", 15, true },
		{ "another driver is installed", "Failed to initialize NVML: Driver/library version mismatch\n", 18, false },
		{ "rights", "Failed to initialize NVML: Insufficient Permissions\n", 4, false },
		{ "late once", "\n", 124, false },
		{ "late again", "\n", 124, true },
		{ "killed", "", 137, true },
		{ "a crash of the tool", "Segmentation fault\n", 139, false },
		{ "late once more", "\n", 124, false },
	};
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[4096];
		snprintf(text, sizeof text, "%s%s", ASKED, rows[i].said);
		kit_read(&k, text, rows[i].status);
		assert_row(rows[i].label, k.e == ERR_FORMAT);
		assert_row(rows[i].label, kit_has(&k, "nvidia_smi_gpu_fault" L0 " 1") == rows[i].is_fault);
		assert_row(rows[i].label, kit_has(&k, "nvidia_smi_gpu_fault" L1 " 1") == rows[i].is_fault);
		assert_row(rows[i].label, kit_event(&k, "is gone") == NULL);
	}
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_line(&k, "nvidia_smi_gpu_fault" L0 " 0");
	assert_int_equal(k.found.n_events, 0);
	kit_close(&k);
}

/* A recorder that was started after they were lost knows none of them; the machine's bus does. */
static void test_none_was_ever_known(void **state)
{
	(void)state;
#define NO_DRIVER "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure\n"
	static const struct { const char *label, *said; int status; bool is_fault; } rows[] = {
		{ "no driver, nothing to drive", NO_DRIVER "@pci\n0\n", 9, false },
		{ "no driver for what is there", NO_DRIVER "@pci\n8\n", 9, true },
		{ "no such line", NO_DRIVER, 9, false },
		{ "no number", NO_DRIVER "@pci\nx\n", 9, false },
		{ "rights", "Failed to initialize NVML: Insufficient Permissions\n@pci\n8\n", 4, false },
		{ "late", "\n", 124, false },
		{ "late again", "\n", 124, true },
	};
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[4096];
		snprintf(text, sizeof text, "%s%s", ASKED, rows[i].said);
		kit_read(&k, text, rows[i].status);
		assert_row(rows[i].label, k.e == ERR_FORMAT && kit_has(&k, "nvidia_smi_gpu_fault 1") == rows[i].is_fault);
	}
	kit_read(&k, ASKED PLAIN(0), 0);
	assert_false(kit_has_metric(&k, "nvidia_smi_gpu_fault 1"));
	kit_close(&k);
#undef NO_DRIVER
}

static void test_apps(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED PLAIN(0) PLAIN(1) "@users\nuid 77 1000\nuid 78 4242\nuid 7 0\nuser 1000 ada\nuser 0 root\n@apps\n"
		"GPU-00000000-AAAA, 77, 2296, /opt/a, b/python3\n"
		"GPU-00000000-AAAA, 77, 4, /opt/a, b/python3\n"
		"GPU-00000000-AAAA, 78, [N/A], x\n"
		"GPU-99999999-AAAA, 79, 1, of no GPU\n"
		"GPU-00000000-AAAA, -5, 1, no pid\n"
		"No running processes found\n"
		"@gpus\n1, GPU-1, 2\n", 0);
	assert_int_equal(k.e, ERR_OK);
	assert_line(&k,
	            "nvidia_smi_compute_app_info{gpu=\"0\",pid=\"77\",process_name=\"/opt/a, b/python3\",user=\"ada\",uuid=\"00000000-aaaa\"} 1");
	assert_line(&k,
	            "nvidia_smi_compute_app_used_memory_bytes{gpu=\"0\",pid=\"77\",process_name=\"/opt/a, b/python3\",user=\"ada\",uuid=\"00000000-aaaa\"} "
		"2411724800");
	assert_line(&k, "nvidia_smi_compute_app_info{gpu=\"0\",pid=\"78\",process_name=\"x\",user=\"4242\",uuid=\"00000000-aaaa\"} 1");
	assert_false(kit_has_metric(&k, "nvidia_smi_compute_app_used_memory_bytes{gpu=\"0\",pid=\"78\""));
	assert_line(&k, "nvidia_smi_compute_apps" L0 " 2");
	assert_line(&k, "nvidia_smi_compute_apps" L1 " 0");
	assert_false(kit_has_metric(&k, "nvidia_smi_compute_app_info{gpu=\"0\",pid=\"79\""));
	kit_close(&k);
}

static void test_links(void **state)
{
	(void)state;
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	assert_string_equal(kit_ask(&k), "");
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_non_null(strstr(kit_ask(&k), "slow"));
	assert_null(strstr(kit_ask(&k), "mig"));
	kit_read(&k, ASKED PLAIN(0) PLAIN(1) "@nvlink\n"
		"GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-00000000-AAAA)\n\t Link 0: 26.562 GB/s\n\t Link 1: 26.562 GB/s\n\t Link 2: <inactive>\n"
		"GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-10000000-AAAA)\n\t Link 0: 50 GB/s\n\t Link 1: none\n\t Link 99: 50 GB/s\n"
		"GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-00000000-AAAA)\n\t Link 0: Replay Errors: 2\n\t Link 0: CRC Errors: 0\n"
		"\t Link 1: Replay Errors: 3\n\t Link 1: CRC Errors: 0\n\t Link 1: Effective BER: 15e-255\n\t Link 1: Local link integrity Errors: 1\n", 0);
	assert_int_equal(k.e, ERR_OK);
	assert_line(&k, "nvidia_smi_nvlink_links_active" L0 " 2");
	assert_line(&k, "nvidia_smi_nvlink_links_inactive" L0 " 1");
	assert_line(&k, "nvidia_smi_nvlink_links_active" L1 " 1");
	assert_line(&k, "nvidia_smi_nvlink_speed_bytes_per_second" L0 " 53124000000");
	assert_line(&k, "nvidia_smi_nvlink_errors_total{gpu=\"0\",uuid=\"00000000-aaaa\",error=\"replay\"} 5");
	assert_line(&k, "nvidia_smi_nvlink_errors_total{gpu=\"0\",uuid=\"00000000-aaaa\",error=\"crc\"} 0");
	assert_line(&k, "nvidia_smi_nvlink_errors_total{gpu=\"0\",uuid=\"00000000-aaaa\",error=\"local_link_integrity\"} 1");
	assert_line(&k, "nvidia_smi_nvlink_link_errors_total{gpu=\"0\",uuid=\"00000000-aaaa\",link=\"1\"} 4");
	assert_false(kit_has_metric(&k, "nvidia_smi_nvlink_errors_total{gpu=\"1\""));
	assert_null(strstr(kit_ask(&k), "slow")); /* not again at once, but the samples stay */
	kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_line(&k, "nvidia_smi_nvlink_links_active" L0 " 2");
	assert_line(&k, "nvidia_smi_nvlink_link_errors_total{gpu=\"0\",uuid=\"00000000-aaaa\",link=\"0\"} 2");
	for (int i = 0; i < 5; i++)
		kit_read(&k, ASKED PLAIN(0) PLAIN(1), 0);
	assert_non_null(strstr(kit_ask(&k), "slow"));
	kit_read(&k, ASKED PLAIN(0) PLAIN(1) "@nvlink\nGPU 0: x (UUID: GPU-00000000-AAAA)\n\t Link 0: 26.562 GB/s\n\t Link 1: <inactive>\n", 0);
	assert_non_null(kit_event(&k, "GPU 0 has 1 NVLinks in use, and had 2"));
	kit_read(&k, ASKED PLAIN(0) PLAIN(1) "@nvlink\nNVML: Unable to retrieve Nvlink information as all links are inActive\n", 0);
	assert_false(kit_has_metric(&k, "nvidia_smi_nvlink"));
	kit_close(&k);
}

static void test_mig(void **state)
{
	(void)state;
	static const char list[] = "@mig\nGPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-00000000-AAAA)\n"
		"  MIG 3g.40gb     Device  0: (UUID: MIG-a)\n  MIG 1g.10gb+me  Device  1: (UUID: MIG-b)\n";
	static const char xml[] = "\t<gpu id=\"00000000:00:00.0\">\n\t\t\t<mig_device>\n\t\t\t\t<index>1</index>\n"
		"\t\t\t\t<gpu_instance_id>3</gpu_instance_id>\n\t\t\t\t<compute_instance_id>0</compute_instance_id>\n"
		"\t\t\t\t<fb_memory_usage>\n\t\t\t\t\t<total>9984 MiB</total>\n\t\t\t\t\t<used>12 MiB</used>\n\t\t\t\t\t<free>N/A</free>\n"
		"\t\t\t\t</fb_memory_usage>\n\t\t\t\t<bar1_memory_usage>\n\t\t\t\t\t<total>1 MiB</total>\n\t\t\t\t</bar1_memory_usage>\n"
		"\t\t\t</mig_device>\n";
	char       text[4096];
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Enabled", "None"), 0);
	assert_line(&k, "nvidia_smi_mig_mode_current" L0 " 1");
	assert_non_null(strstr(kit_ask(&k), "slow,mig"));
	snprintf(text, sizeof text, "%s@nvlink\n%s%s", ASKED ROW(0, "GPU-00000000-AAAA", "Enabled", "None"), list, xml);
	kit_read(&k, text, 0);
	assert_line(&k,
	            "nvidia_smi_mig_info{compute_instance_id=\"0\",gpu=\"0\",gpu_instance_id=\"3\",mig=\"1\",mig_uuid=\"MIG-b\",profile=\"1g.10gb+me\","
		"uuid=\"00000000-aaaa\"} 1");
	assert_line(&k,
	            "nvidia_smi_mig_memory_total_bytes{gpu=\"0\",mig=\"1\",mig_uuid=\"MIG-b\",profile=\"1g.10gb+me\",uuid=\"00000000-aaaa\"} 10468982784");
	assert_line(&k,
	            "nvidia_smi_mig_memory_used_bytes{gpu=\"0\",mig=\"1\",mig_uuid=\"MIG-b\",profile=\"1g.10gb+me\",uuid=\"00000000-aaaa\"} 12582912");
	assert_false(kit_has_metric(&k, "nvidia_smi_mig_memory_free_bytes"));
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Enabled", "None"), 0);
	assert_true(kit_has_metric(&k, "nvidia_smi_mig_memory_used_bytes{gpu=\"0\",mig=\"1\""));
	/* Without the XML the instances are there, and nothing of their memory. */
	snprintf(text, sizeof text, "%s@nvlink\n%s", ASKED ROW(0, "GPU-00000000-AAAA", "Enabled", "None"), list);
	kit_read(&k, text, 0);
	assert_line(&k, "nvidia_smi_mig_info{gpu=\"0\",mig=\"0\",mig_uuid=\"MIG-a\",profile=\"3g.40gb\",uuid=\"00000000-aaaa\"} 1");
	assert_false(kit_has_metric(&k, "nvidia_smi_mig_memory"));
	kit_read(&k, ASKED ROW(0, "GPU-00000000-AAAA", "Disabled", "None"), 0);
	assert_false(kit_has_metric(&k, "nvidia_smi_mig_info"));
	kit_close(&k);
}

/* ---- real captures ---- */

static void test_captures(void **state)
{
	(void)state;
#define R "{gpu=\"0\",uuid=\"00000000-0000-0000-0000-000000000000\"} "
	static const struct {
		const char *machine, *when, *lines[5], *absent;
	} rows[] = {
		{ "h100", "load", { "nvidia_smi_utilization_gpu_ratio" R "1", "nvidia_smi_memory_used_bytes" R "20780679168",
		                    "nvidia_smi_power_draw_watts" R "631.95",
		  "nvidia_smi_fabric_state" R "3", "nvidia_smi_ecc_mode_current" R "1" }, "nvidia_smi_fan_speed_ratio" },
		{ "h100-mig", "load", { "nvidia_smi_mig_mode_current" R "1", "nvidia_smi_power_draw_watts" R "433.78" },
		  "nvidia_smi_utilization_gpu_ratio" },
		{ "h200", "idle", { "nvidia_smi_pcie_link_width_max" R "16" }, "nvidia_smi_fan_speed_ratio" },
		{ "l40s", "load", { "nvidia_smi_pstate" R "0" }, "nvidia_smi_mig_info" },
		{ "rtx2080s-linux", "load", { "nvidia_smi_pcie_link_gen_max" R "3" }, "nvidia_smi_ecc_mode_current" },
		{ "rtx2080s-windows", "load", { "nvidia_smi_fan_speed_ratio" R "0.38", "nvidia_smi_utilization_encoder_ratio" R "1",
		  "nvidia_smi_clocks_event_reasons_gpu_idle" R "1", "nvidia_smi_clocks_event_reasons_counters_sw_power_cap_seconds" R "5459.682741" },
		  "nvidia_smi_temperature_memory" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit k;
		char      *text = kit_nvidia_section(rows[i].machine, rows[i].when);
		if (text == NULL)
			skip();
		kit_open(&k, &nvidia_smi_source);
		kit_read(&k, text, 0);
		free(text);
		assert_row(rows[i].machine, k.e == ERR_OK && k.found.n_events == 0);
		for (size_t l = 0; l < 5 && rows[i].lines[l] != NULL; l++)
			assert_line(&k, rows[i].lines[l]);
		assert_row(rows[i].machine, !kit_has_metric(&k, rows[i].absent));
		assert_line(&k, "nvidia_smi_gpu_fault" R "0");
		kit_close(&k);
	}
#undef R
}

/* What nvidia_gpu_exporter made of the same machine at the same time: our samples have its names and its values. */
static void test_as_the_exporter(void **state)
{
	(void)state;
	struct kit   k;
	size_t       n_same = 0;
	char        *text = kit_nvidia_section("h100-mig", "load");
	char        *page = kit_sample("gpu/nvidia/nvidia_gpu_exporter_h100-mig_load.metrics.txt");
	struct slice rest, line;
	if (text == NULL || page == NULL)
		skip();
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, text, 0);
	rest = slice_of(page);
	while (slice_line(&rest, &line)) {
		struct slice name, labels;
		char         ours[256];
		double       theirs = 0, value = 0;
		if (slice_begins(line, "#") || !slice_until(&line, "{", &name) || !slice_until(&line, "} ", &labels) || !slice_number(line, &theirs))
			continue;
		snprintf(ours, sizeof ours, "%.*s{gpu=\"0\",%.*s} ", (int)name.n, name.p, (int)labels.n, labels.p);
		const char *at = strstr(buf_text(&k.found.page), ours);
		if (at == NULL)
			continue;
		at += strlen(ours);
		assert_true(slice_number((struct slice){ at, strcspn(at, "\n") }, &value));
		if (fabs(value - theirs) > 1e-9 * fabs(theirs))
			fail_msg("%s%.17g, and the exporter has %.17g", ours, value, theirs);
		n_same++;
	}
	if (n_same < 55)
		fail_msg("%zu samples are as the exporter has them", n_same);
	free(text);
	free(page);
	kit_close(&k);
}

/* Every field that is asked for is one that a driver of today lists, but for the older spelling. */
static void test_fields_are_known(void **state)
{
	(void)state;
	char *help = kit_sample("gpu/nvidia/h100/capabilities.help-query-gpu.txt"), quoted[128];
	if (help == NULL)
		skip();
	for (size_t i = 0; i < n_nvidia_fields; i++) {
		snprintf(quoted, sizeof quoted, "\"%s\"", nvidia_fields[i]);
		assert_row(nvidia_fields[i], strstr(help, quoted) != NULL);
	}
	free(help);
}

static void test_real_parts(void **state)
{
	(void)state;
	char *links = kit_sample("gpu/nvidia/h100/capabilities.nvlink-s.txt"), *list = kit_sample("gpu/nvidia/h100-mig/capabilities.list-l.txt");
	char *failure = kit_sample("gpu/nvidia/failure_device_handle.txt"), text[8192];
	if (links == NULL || list == NULL || failure == NULL)
		skip();
	struct kit k;
	kit_open(&k, &nvidia_smi_source);
#define GPU ASKED ROW(0, "GPU-00000000-0000-0000-0000-000000000000", "Enabled", "None")
	kit_read(&k, GPU, 0);
	snprintf(text, sizeof text, GPU "@nvlink\n%s@mig\n%s", links, list);
	kit_read(&k, text, 0);
	assert_line(&k, "nvidia_smi_nvlink_links_active{gpu=\"0\",uuid=\"00000000-0000-0000-0000-000000000000\"} 18");
	assert_line(&k, "nvidia_smi_mig_info{gpu=\"0\",mig=\"3\",mig_uuid=\"MIG-00000003-0000-0000-0000-000000000003\",profile=\"1g.10gb\","
		"uuid=\"00000000-0000-0000-0000-000000000000\"} 1");
	snprintf(text, sizeof text, ASKED "%s\n", failure);
	kit_read(&k, text, 15);
	assert_string_equal(k.why.text, "the NVIDIA driver cannot reach a GPU; see the kernel's log for its Xid, and reboot");
	kit_close(&k);
	free(links);
	free(list);
	free(failure);
}

/* MIG's memory as an A100 told it in XML, filtered as the script does. */
static void test_real_xml(void **state)
{
	(void)state;
	char *xml = kit_sample("gpu/nvidia/xml/telegraf_a100-sxm4-v12.xml");
	if (xml == NULL)
		skip();
	struct buf   text;
	struct slice rest = slice_of(xml), line, id;
	struct kit   k;
	buf_init(&text, 1 << 20);
	assert_true(slice_until(&rest, "<gpu id=\"", &line) && slice_until(&rest, "\"", &id));
	buf_printf(&text,
	           "@fields index,uuid,pci.bus_id,mig.mode.current\n@gpus\n0, GPU-a, %.*s, Enabled\n@nvlink\n@mig\n<gpu id=\"%.*s\">\n%.*s",
	           (int)id.n,
		id.p, (int)id.n, id.p, (int)rest.n, rest.p);
	kit_open(&k, &nvidia_smi_source);
	kit_read(&k, buf_text(&text), 0);
	assert_line(&k, "nvidia_smi_mig_memory_total_bytes{gpu=\"0\",mig=\"0\",uuid=\"a\"} 20937965568");
	assert_line(&k, "nvidia_smi_mig_memory_used_bytes{gpu=\"0\",mig=\"2\",uuid=\"a\"} 12582912");
	assert_line(&k, "nvidia_smi_mig_ecc_errors_uncorrected_volatile_sram{gpu=\"0\",mig=\"1\",uuid=\"a\"} 0");
	kit_close(&k);
	buf_release(&text);
	free(xml);
}

/* ---- the script ---- */

/* A driver of 450: knows neither the new spelling nor the newest fields. Answers in the order that it is asked in. */
static const char old_tool[] =
	"#!/bin/sh\n"
	"echo \"$*\" >>\"$KIT/calls\"\n"
	"unknown='clocks_event_reasons.active gpu_recovery_action fabric.state temperature.gpu.tlimit power.draw.average'\n"
	"known='index uuid name pci.bus_id pstate temperature.gpu utilization.gpu memory.total memory.used clocks_throttle_reasons.active mig.mode.current'\n"
	"case $* in\n"
	"--help-query-gpu) for f in $known; do echo \"\\\"$f\\\"\"; done; exit 0 ;;\n"
	"'nvlink -s') echo 'GPU 0: NVIDIA X (UUID: GPU-a)'; echo '\t Link 0: 25 GB/s'; exit 0 ;;\n"
	"'nvlink -e') echo 'GPU 0: NVIDIA X (UUID: GPU-a)'; echo '\t Link 0: CRC Errors: 4'; exit 0 ;;\n"
	"-L) echo 'GPU 0: NVIDIA X (UUID: GPU-a)'; echo '  MIG 1g.5gb Device  0: (UUID: MIG-x)'; exit 0 ;;\n"
	"'-q -x') cat \"$KIT/xml\"; exit 0 ;;\n"
	"*--query-compute-apps=*) cat \"$KIT/apps\"; exit 0 ;;\n"
	"esac\n"
	"fields=${1#--query-gpu=}\n"
	"for u in $unknown; do\n"
	"	case ,$fields, in *,$u,*) echo \"Field \\\"$u\\\" is not a valid field to query.\"; echo; exit 2 ;; esac\n"
	"done\n"
	"line=\n"
	"for f in $(echo \"$fields\" | tr , ' '); do\n"
	"	case $f in\n"
	"	index) v=0 ;; uuid) v=GPU-a ;; name) v='NVIDIA X' ;; pci.bus_id) v=00000000:01:00.0 ;; pstate) v=P2 ;;\n"
	"	temperature.gpu) v=61 ;; utilization.gpu) v=7 ;; memory.total) v=81559 ;; memory.used) v=1 ;;\n"
	"	clocks_throttle_reasons.active) v=0x0000000000000040 ;; mig.mode.current) v=Enabled ;;\n"
	"	*) v='[N/A]' ;;\n"
	"	esac\n"
	"	line=\"$line, $v\"\n"
	"done\n"
	"echo \"${line#, }\"\n";

static const char tool_xml[] =
	"<?xml version=\"1.0\" ?>\n<nvidia_smi_log>\n\t<gpu id=\"00000000:01:00.0\">\n\t\t<product_name>NVIDIA X</product_name>\n\t\t<mig_devices>\n"
	"\t\t\t<mig_device>\n\t\t\t\t<index>0</index>\n\t\t\t\t<fb_memory_usage>\n\t\t\t\t\t<used>3 MiB</used>\n\t\t\t\t</fb_memory_usage>\n"
	"\t\t\t</mig_device>\n\t\t</mig_devices>\n\t\t<fb_memory_usage>\n\t\t\t<used>9 MiB</used>\n\t\t</fb_memory_usage>\n\t</gpu>\n</nvidia_smi_log>\n";

static size_t count_calls(const struct kit_tools *t, const char *what)
{
	char  *calls = kit_tools_read(t, "calls");
	size_t n = 0;
	for (const char *p = calls; (p = strstr(p, what)) != NULL; p++)
		n++;
	free(calls);
	return n;
}

static void run_script(const char *shell)
{
	struct kit       k;
	struct kit_tools t;
	char             apps[200], line[300];
	kit_open(&k, &nvidia_smi_source);
	kit_tools_open(&t);
	kit_tools_put(&t, "nvidia-smi", old_tool);
	kit_tools_put(&t, "xml", tool_xml);
	snprintf(apps, sizeof apps, "GPU-a, %d, 12, tests, or so\nGPU-a, 4194305, 1, nobody's\n", (int)getpid());
	kit_tools_put(&t, "apps", apps);
	kit_run(&k, &t, shell);
	if (k.e != ERR_OK)
		fail_msg("%s: %s: %s", shell, k.why.text, kit_said());
	assert_line(&k, "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"a\"} 61");
	assert_line(&k, "nvidia_smi_clocks_event_reasons_hw_thermal_slowdown{gpu=\"0\",uuid=\"a\"} 1");
	assert_line(&k, "nvidia_smi_compute_apps{gpu=\"0\",uuid=\"a\"} 2");
	/* Whose process it is: this test's own. */
	const struct passwd *me = getpwuid(getuid());
	snprintf(line, sizeof line, "nvidia_smi_compute_app_info{gpu=\"0\",pid=\"%d\",process_name=\"tests, or so\",user=\"%s", (int)getpid(),
		me == NULL ? "" : me->pw_name);
	assert_row(shell, kit_has_metric(&k, line));
	assert_row(shell, kit_has_metric(&k, "nvidia_smi_compute_app_info{gpu=\"0\",pid=\"4194305\",process_name=\"nobody's\",uuid"));
	/* A refusal, the list, and what remains. */
	assert_row(shell, count_calls(&t, "--query-gpu=") == 2 && count_calls(&t, "--help-query-gpu") == 1);
	kit_run(&k, &t, shell);
	assert_row(shell, k.e == ERR_OK);
	assert_row(shell, count_calls(&t, "--query-gpu=") == 3 && count_calls(&t, "--help-query-gpu") == 1);
	assert_line(&k, "nvidia_smi_nvlink_errors_total{gpu=\"0\",uuid=\"a\",error=\"crc\"} 4");
	assert_line(&k, "nvidia_smi_mig_memory_used_bytes{gpu=\"0\",mig=\"0\",mig_uuid=\"MIG-x\",profile=\"1g.5gb\",uuid=\"a\"} 3145728");
	kit_tools_close(&t);
	kit_close(&k);
}

static void run_trouble(const char *shell)
{
	struct kit       k;
	struct kit_tools t;
	kit_open(&k, &nvidia_smi_source);
	kit_tools_open(&t);
	kit_run(&k, &t, shell);
	if (!kit_has_program("nvidia-smi")) /* this machine's own */
		assert_row(shell, k.e == ERR_NOT_FOUND);
	kit_tools_put(&t, "nvidia-smi", "#!/bin/sh\necho \"Failed to initialize NVML: Driver/library version mismatch\"\nexit 18\n");
	kit_run(&k, &t, shell);
	assert_row(shell, k.e == ERR_FORMAT && strstr(k.why.text, "load the driver anew") != NULL);
	assert_line(&k, "nvidia_smi_command_exit_code 18");
	assert_non_null(strstr(kit_said(), "\n@pci\n"));
	/* Refuses every field, by its name: ends all the same. */
	kit_tools_put(&t, "nvidia-smi",
	              "#!/bin/sh\necho x >>\"$KIT/calls\"\nf=${1#*=}\necho \"Field \\\"${f%%,*}\\\" is not a valid field to query.\"\nexit 2\n");
	kit_run(&k, &t, shell);
	assert_row(shell, k.e == ERR_FORMAT && count_calls(&t, "x") < 20);
	/* Lost GPU 1 of three. */
	kit_tools_put(&t, "nvidia-smi",
		"#!/bin/sh\n"
		"[ \"$1\" = -i ] || { echo 'Unable to determine the device handle for GPU1: 0000:01:00.0: GPU is lost.'; exit 15; }\n"
		"case $2 in 1) echo 'Unable to determine the device handle for GPU1: 0000:01:00.0: GPU is lost.'; exit 15 ;; 0 | 2) ;;\n"
		"*) echo 'No devices were found'; exit 6 ;; esac\n"
		"line=\n"
		"for f in $(echo \"${3#*=}\" | tr , ' '); do\n"
		"	case $f in index) v=$2 ;; uuid) v=GPU-$2 ;; *) v=5 ;; esac\n"
		"	line=\"$line, $v\"\n"
		"done\n"
		"echo \"${line#, }\"\n");
	kit_run(&k, &t, shell);
	assert_row(shell, k.e == ERR_FORMAT);
	assert_line(&k, "nvidia_smi_temperature_gpu{gpu=\"0\",uuid=\"0\"} 5");
	assert_line(&k, "nvidia_smi_temperature_gpu{gpu=\"2\",uuid=\"2\"} 5");
	kit_tools_close(&t);
	kit_close(&k);
}

static void test_script(void **state)
{
	(void)state;
	kit_in_each_shell(run_script);
	kit_in_each_shell(run_trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),     cmocka_unit_test(test_odd_rows),        cmocka_unit_test(test_faults),
		cmocka_unit_test(test_none_answers), cmocka_unit_test(test_none_was_ever_known),
		cmocka_unit_test(test_gone),       cmocka_unit_test(test_changes),         cmocka_unit_test(test_failures),
		cmocka_unit_test(test_lost_handle), cmocka_unit_test(test_apps),           cmocka_unit_test(test_links),
		cmocka_unit_test(test_mig),        cmocka_unit_test(test_captures),        cmocka_unit_test(test_as_the_exporter),
		cmocka_unit_test(test_fields_are_known), cmocka_unit_test(test_real_parts), cmocka_unit_test(test_real_xml),
		cmocka_unit_test(test_script),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
