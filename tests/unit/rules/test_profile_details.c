/* SPDX-License-Identifier: Apache-2.0
 *
 * The details of the profiles that come with pitwall, from payload to rows, through the parser, the store and the engine that they go through in
 * earnest. Payloads are of three kinds: real ones (PITWALL_SHARED), what our own sources make of real output of tools, and small ones that
 * have what the real ones lack. */
#include "tests/unit/unit.h"

#include "tests/unit/store_folder.h"

#include "tests/unit/collectors/source_kit.h"

#include "base/clock.h"
#include "base/num.h"
#include "collectors/exposition.h"
#include "collectors/source_gpu.h"
#include "rules/detail.h"
#include "rules/rule_file.h"
#include "store/reader.h"
#include "store/store.h"

enum { WANTED_MAX = 40, TEXT_MAX = 1 << 22 };
static const int64_t T0 = INT64_C(1790000000000);

static struct why why;

struct case_row {
	const char *label, *profile, *text;
	size_t      n;                   /* rows in all; 0: not counted */
	const char *wanted[WANTED_MAX];  /* "metric without detail:{labels} value" */
};

/* ---- a store of one target that answered once ---- */

struct stage {
	struct store_folder   at;
	struct test_clock clock;
	struct store     *store;
	struct reader    *reader;
	int64_t           target;
};

static void stage_open(struct stage *s, const char *page, size_t len)
{
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape           scrape;
	const struct layout    *layout = NULL;
	struct labels          *labels = labels_of("instance", "a", NULL);
	store_folder_make(&s->at, "details");
	test_clock_init(&s->clock, T0);
	struct store_options o = { .path = s->at.path, .clock = &s->clock.clock };
	assert_ok(exposition_pool_new(&pool));
	assert_ok(exposition_new(pool, &e));
	assert_ok(exposition_parse(e, page, len, EXPOSITION_TEXT, &scrape, &why));
	assert_ok(store_open(&o, &s->store, &why));
	assert_ok(store_target(s->store, labels, "http://a/metrics", &s->target, &why));
	assert_ok(store_layout(s->store, exposition_layout_series(scrape.layout), scrape.n, &layout, &why));
	assert_ok(store_append(s->store, s->target, STREAM_SCRAPE, T0, layout, scrape.values, &why));
	assert_ok(store_flush(s->store, &why));
	assert_ok(reader_open(s->at.path, READER_OWN, &s->reader, &why));
	labels_unref(labels);
	exposition_free(e);
	exposition_pool_free(pool);
}

static void stage_close(struct stage *s)
{
	reader_close(s->reader);
	store_close(s->store);
	store_folder_remove(&s->at);
}

/* ---- rows as text ---- */

static void print_row(enum detail_id id, const struct detail_row *row, struct buf *to)
{
	const struct detail_info *info = detail_info(id);
	const char               *comma = "";
	char                      number[NUMBER_TEXT];
	buf_printf(to, "%s{", info->metric + strlen(DETAIL_PREFIX));
	for (size_t i = 0; info->labels[i] != NULL; i++) {
		if (row->labels[i][0] == '\0')
			continue;
		buf_printf(to, "%s%s=%s", comma, info->labels[i], row->labels[i]);
		comma = ",";
	}
	buf_printf(to, "} %s\n", format_f64(row->value, number));
}

static size_t print_details(const struct details *d, struct buf *to)
{
	size_t n = 0;
	for (enum detail_id id = 0; id < DETAIL_COUNT; id++)
		for (size_t i = 0; i < d->of[id].n; i++, n++)
			print_row(id, &d->of[id].rows[i], to);
	return n;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);
	for (const char *p = strstr(text, line); p != NULL; p = strstr(p + 1, line))
		if ((p == text || p[-1] == '\n') && p[n] == '\n')
			return true;
	return false;
}

static void run(const struct case_row *c, const char *page, size_t len)
{
	struct stage          s;
	struct profiles      *profiles = NULL;
	struct detail_engine *engine = NULL;
	struct arena          arena;
	struct details       *d = NULL;
	struct buf            text;
	const char *const     none[] = { "/nonexistent" };
	stage_open(&s, page, len);
	arena_init(&arena);
	buf_init(&text, TEXT_MAX);
	assert_ok(profiles_load(none, 1, NULL, &profiles, &why));
	assert_ok(detail_engine_new(profiles, &engine, &why));
	const struct detail_target t = { .id = s.target, .profile = c->profile, .interval_ms = 10000 };
	assert_ok(detail_engine_read(engine, s.reader, &t, T0 + 1000, NULL, &arena, &d, &why));
	size_t n = print_details(d, &text);
	if (getenv("PITWALL_TEST_PRINT") != NULL)
		print_message("# %s: %zu rows\n%s", c->label, n, buf_text(&text));
	for (size_t i = 0; i < WANTED_MAX && c->wanted[i] != NULL; i++)
		if (!has_line(buf_text(&text), c->wanted[i]))
			fail_msg("%s: '%s' is not among:\n%s", c->label, c->wanted[i], buf_text(&text));
	if (c->n != 0 && n != c->n)
		fail_msg("%s: %zu rows, not %zu:\n%s", c->label, n, c->n, buf_text(&text));
	buf_release(&text);
	arena_release(&arena);
	detail_engine_free(engine);
	profiles_free(profiles);
	stage_close(&s);
}

/* ---- what there is ---- */

#define DCGM "{gpu=\"0\",UUID=\"GPU-a\",pci_bus_id=\"00000000:9B:00.0\",modelName=\"NVIDIA H100\"} "
#define DCGM1 "{gpu=\"1\",UUID=\"GPU-b\"} "
#define MIG  "{gpu=\"2\",UUID=\"GPU-c\",GPU_I_ID=\"1\",GPU_I_PROFILE=\"3g.40gb\",namespace=\"shop\",pod=\"ranker-7\",container=\"triton\"} "
static const char dcgm_text[] =
	"DCGM_FI_DEV_GPU_TEMP" DCGM "71\n"
	"DCGM_FI_DEV_FB_USED" DCGM "60\nDCGM_FI_DEV_FB_FREE" DCGM "30\nDCGM_FI_DEV_FB_RESERVED" DCGM "10\n"
	"DCGM_FI_DEV_POWER_MGMT_LIMIT" DCGM "700\nDCGM_FI_DEV_SM_CLOCK" DCGM "1980\nDCGM_FI_DEV_MEMORY_TEMP" DCGM "9223372036854775794\n"
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS" DCGM "76\n" /* power cap, and thermal with its slowdown */
	"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL" DCGM "12\nDCGM_FI_DEV_ECC_DBE_VOL_TOTAL" DCGM "0\n"
	"DCGM_FI_DEV_PCIE_LINK_WIDTH" DCGM "8\nDCGM_FI_DEV_PCIE_MAX_LINK_WIDTH" DCGM "16\n"
	"DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL" DCGM "2\nDCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL" DCGM "3\n"
	"DCGM_FI_DEV_XID_ERRORS" DCGM "79\nDCGM_FI_DEV_MIG_MODE" DCGM "0\n"
	"DCGM_FI_DEV_SM_CLOCK" DCGM1 "345\nDCGM_FI_DEV_CLOCK_THROTTLE_REASONS" DCGM1 "1\nDCGM_FI_DEV_XID_ERRORS" DCGM1 "0\n"
	"DCGM_FI_DEV_FB_USED" MIG "100\nDCGM_FI_DEV_FB_FREE" MIG "300\n";

static const char hostile_text[] =
	"DCGM_FI_DEV_SM_CLOCK NaN\nDCGM_FI_DEV_FB_USED{gpu=\"0\"} +Inf\nDCGM_FI_DEV_XID_ERRORS{gpu=\"0\"} 1e300\n"
	"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"0\"} -5\nDCGM_FI_DEV_CLOCK_THROTTLE_REASONS{gpu=\"1\"} NaN\n";

static const char intel_text[] =
#define X "{dev_id=\"0\",dev_name=\"Intel Arc B580\",pci_bdf=\"0000:03:00.0\",uuid=\"x0\""
	"pitwall_machine_info{hostname=\"h\"} 1\n"
	"xpum_device_info" X ",driver_version=\"1\",serial=\"s\"} 1\nxpum_fault" X "} 0\nxpum_memory_used_bytes" X "} 1000\n"
	"xpum_memory_total_bytes" X "} 4000\nxpum_power_limit_watts" X "} 380\nxpum_frequency_mhz" X ",location=\"gpu\"} 2400\n"
	"xpum_temperature_celsius" X ",location=\"gpu\"} 41\nxpum_temperature_celsius" X ",location=\"mem\"} 44\n"
	"xpum_cache_errors" X ",type=\"correctable\"} 5\nxpum_cache_errors" X ",type=\"uncorrectable\"} 1\n";

static const char nvidia_text[] =
#define N "{gpu=\"3\",uuid=\"b2c\""
	"pitwall_machine_info{hostname=\"h\"} 1\n"
	"nvidia_smi_gpu_info" N ",index=\"3\",name=\"NVIDIA H100\",pci_bus_id=\"00000000:9B:00.0\"} 1\nnvidia_smi_gpu_fault" N "} 1\n"
	"nvidia_smi_clocks_event_reasons_hw_slowdown" N "} 1\nnvidia_smi_clocks_event_reasons_hw_thermal_slowdown" N "} 1\n"
	"nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown" N "} 0\n"
	"nvidia_smi_nvlink_links_active" N "} 17\nnvidia_smi_nvlink_links_inactive" N "} 1\n"
	"nvidia_smi_nvlink_errors_total" N ",error=\"replay\"} 2\nnvidia_smi_nvlink_errors_total" N ",error=\"crc\"} 40\n"
	"nvidia_xid_errors_total{pci_bus_id=\"0000:9b:00\",xid=\"79\"} 3\n"
	"nvidia_smi_mig_mode_current" N "} 1\n"
	"nvidia_smi_mig_memory_used_bytes" N ",mig=\"0\",mig_uuid=\"MIG-1\",profile=\"1g.10gb\"} 5\n"
	"nvidia_smi_mig_memory_total_bytes" N ",mig=\"0\",mig_uuid=\"MIG-1\",profile=\"1g.10gb\"} 10\n"
	"nvidia_smi_compute_app_info" N ",pid=\"42\",process_name=\"/usr/bin/python3\",user=\"ada\"} 1\n"
	"nvidia_smi_compute_app_info" N ",pid=\"43\",process_name=\"x\\n\\\"y\\\"\"} 1\n"
	"nvidia_smi_compute_app_used_memory_bytes" N ",pid=\"42\",process_name=\"/usr/bin/python3\",user=\"ada\"} 1048576\n";

#define GA "{gpu=0,uuid=GPU-a}"
static const struct case_row made_up[] = {
	{ "DCGM", "dcgm", dcgm_text, 0,
	  { "gpu_info{gpu=0,uuid=GPU-a,name=NVIDIA H100,source=dcgm,pci_bus_id=00000000:9B:00.0} 1", "gpu_info{gpu=1,uuid=GPU-b,source=dcgm} 1",
	    "gpu_memory_used_bytes" GA " 62914560", "gpu_memory_total_bytes" GA " 104857600", "gpu_power_limit_watts" GA " 700",
	    "gpu_clock_sm_hertz" GA " 1980000000", "gpu_ecc_corrected_errors" GA " 12", "gpu_ecc_uncorrected_errors" GA " 0",
	    "gpu_throttle{gpu=0,uuid=GPU-a,reason=power cap,severity=info} 1",
	    "gpu_throttle{gpu=0,uuid=GPU-a,reason=thermal (hardware),severity=critical} 1",
	    "gpu_throttle{gpu=0,uuid=GPU-a,reason=slowdown (hardware),severity=critical} 0",
	    "gpu_throttle{gpu=0,uuid=GPU-a,reason=sync boost,severity=info} 0",
	    "gpu_throttle{gpu=1,uuid=GPU-b,reason=power cap,severity=info} 0", "gpu_pcie_width" GA " 8", "gpu_pcie_width_max" GA " 16",
	    "gpu_nvlink_errors" GA " 5", "gpu_xid{gpu=0,uuid=GPU-a,pci_bus_id=00000000:9B:00.0,xid=79,count=no} 1", "gpu_mig_mode" GA " 0",
	    "gpu_mig_mode{gpu=2,uuid=GPU-c} 1", "gpu_mig_memory_used_bytes{gpu=2,uuid=GPU-c,instance=1,profile=3g.40gb} 104857600",
	    "gpu_mig_memory_total_bytes{gpu=2,uuid=GPU-c,instance=1,profile=3g.40gb} 419430400",
	    "gpu_process{gpu=2,uuid=GPU-c,user=shop,process=ranker-7/triton} 1" } },
	{ "DCGM that lies", "dcgm", hostile_text, 0, { "gpu_info{source=dcgm} 1", "gpu_info{gpu=0,source=dcgm} 1" } },
	{ "Intel", "machine", intel_text, 9,
	  { "gpu_info{gpu=0,uuid=x0,name=Intel Arc B580,source=xpu-smi,pci_bus_id=0000:03:00.0} 1", "gpu_fault{gpu=0,uuid=x0} 0",
	    "gpu_memory_used_bytes{gpu=0,uuid=x0} 1000", "gpu_memory_total_bytes{gpu=0,uuid=x0} 4000", "gpu_power_limit_watts{gpu=0,uuid=x0} 380",
	    "gpu_clock_sm_hertz{gpu=0,uuid=x0} 2400000000", "gpu_temperature_memory_celsius{gpu=0,uuid=x0} 44",
	    "gpu_ecc_corrected_errors{gpu=0,uuid=x0} 5", "gpu_ecc_uncorrected_errors{gpu=0,uuid=x0} 1" } },
	{ "nvidia-smi, the rarer things", "machine", nvidia_text, 15,
	  { "gpu_info{gpu=3,uuid=GPU-b2c,name=NVIDIA H100,source=nvidia-smi,pci_bus_id=00000000:9B:00.0} 1", "gpu_fault{gpu=3,uuid=GPU-b2c} 1",
	    "gpu_throttle{gpu=3,uuid=GPU-b2c,reason=thermal (hardware),severity=critical} 1",
	    "gpu_throttle{gpu=3,uuid=GPU-b2c,reason=power brake (hardware),severity=critical} 0",
	    "gpu_throttle{gpu=3,uuid=GPU-b2c,reason=slowdown (hardware),severity=critical} 0",
	    "gpu_nvlink_links_active{gpu=3,uuid=GPU-b2c} 17", "gpu_nvlink_links_inactive{gpu=3,uuid=GPU-b2c} 1",
	    "gpu_nvlink_errors{gpu=3,uuid=GPU-b2c} 42", "gpu_xid{pci_bus_id=0000:9b:00,xid=79} 3", "gpu_mig_mode{gpu=3,uuid=GPU-b2c} 1",
	    "gpu_mig_memory_used_bytes{gpu=3,uuid=GPU-b2c,instance=0,profile=1g.10gb} 5",
	    "gpu_mig_memory_total_bytes{gpu=3,uuid=GPU-b2c,instance=0,profile=1g.10gb} 10",
	    "gpu_process{gpu=3,uuid=GPU-b2c,pid=42,user=ada,process=/usr/bin/python3} 1",
	    "gpu_process{gpu=3,uuid=GPU-b2c,pid=43,process=x\n\"y\"} 1",
	    "gpu_process_memory_bytes{gpu=3,uuid=GPU-b2c,pid=42,user=ada,process=/usr/bin/python3} 1048576" } },
	{ "a server without details", "vllm", "vllm:num_requests_running 1\n", 0, { NULL } },
};

static void test_made_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
		run(&made_up[i], made_up[i].text, strlen(made_up[i].text));
}

#define H "{gpu=0,uuid=GPU-00000000-0000-0000-0000-000000000000}"
#define H100_FACTS                                                                                                                  \
	"gpu_memory_total_bytes" H " 85520809984", "gpu_power_limit_watts" H " 700", "gpu_clock_sm_max_hertz" H " 1980000000",       \
	"gpu_ecc_corrected_errors" H " 0", "gpu_ecc_uncorrected_errors" H " 0", "gpu_pcie_generation" H " 5", "gpu_pcie_generation_max" H " 5", \
	"gpu_pcie_width" H " 16", "gpu_pcie_width_max" H " 16"

/* What nvidia-smi said on real machines, through our own source. */
static void test_machines(void **state)
{
	static const struct {
		const char     *machine, *when;
		struct case_row row;
	} rows[] = {
		{ "h100", "load", { "H100 under load", "machine", NULL, 0,
		  { H100_FACTS, "gpu_memory_used_bytes" H " 20780679168", "gpu_mig_mode" H " 0",
		    "gpu_info{gpu=0,uuid=GPU-00000000-0000-0000-0000-000000000000,name=NVIDIA H100 80GB HBM3,source=nvidia-smi,pci_bus_id=00000000:00:09.0} 1" } } },
		{ "h100", "idle", { "H100 idle: that is no throttling", "machine", NULL, 0,
		  { H100_FACTS, "gpu_throttle{gpu=0,uuid=GPU-00000000-0000-0000-0000-000000000000,reason=power cap,severity=info} 0" } } },
		{ "h100-mig", "load", { "H100 with MIG", "machine", NULL, 0, { H100_FACTS, "gpu_mig_mode" H " 1" } } },
		{ "l40s", "load", { "L40S under load", "machine", NULL, 0, { "gpu_pcie_width" H " 16" } } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit k;
		char      *section = kit_nvidia_section(rows[i].machine, rows[i].when);
		if (section == NULL)
			skip();
		kit_open(&k, &nvidia_smi_source);
		kit_read(&k, section, 0);
		assert_int_equal(k.e, ERR_OK);
		run(&rows[i].row, buf_text(&k.found.page), k.found.page.len);
		kit_close(&k);
		free(section);
	}
}

#undef H
#define H "{uuid=GPU-00000000-0000-0000-0000-000000000000}"
static void test_exporter(void **state)
{
	static const struct case_row row = { "nvidia_gpu_exporter", "nvidia-smi", NULL, 0,
		{ H100_FACTS, "gpu_memory_used_bytes" H " 11665408000", "gpu_clock_sm_hertz" H " 1980000000",
		  "gpu_info{gpu=0,uuid=GPU-00000000-0000-0000-0000-000000000000,name=NVIDIA H100 80GB HBM3,source=nvidia_gpu_exporter,pci_bus_id=00000000:00:09.0} 1",
		  "gpu_mig_mode" H " 1", "gpu_process{uuid=GPU-00000000-0000-0000-0000-000000000000,pid=21198,process=./gpu_burn} 1",
		  "gpu_process_memory_bytes{uuid=GPU-00000000-0000-0000-0000-000000000000,pid=21198,process=./gpu_burn} 7847542784" } };
	char *page = kit_sample("gpu/nvidia/nvidia_gpu_exporter_h100-mig_load.metrics.txt");
	(void)state;
	if (page == NULL)
		skip();
	run(&row, page, strlen(page));
	free(page);
}

/* amd-smi, made up after its documentation, and rocm-smi as a real machine said it. */
static void test_amd(void **state)
{
	static const char section[] =
		"@metric\n[{\"gpu\": 0, \"usage\": {\"gfx_activity\": {\"value\": 87, \"unit\": \"%\"}}, \"mem_usage\": {\"total_vram\": {\"value\": 4, \"unit\": \"GB\"}, "
		"\"used_vram\": {\"value\": 1024, \"unit\": \"MB\"}}, \"clock\": {\"gfx_0\": {\"clk\": {\"value\": 2100, \"unit\": \"MHz\"}}}, "
		"\"temperature\": {\"mem\": 60}, \"ecc\": {\"total_correctable_count\": 3, \"total_uncorrectable_count\": 1}, \"pcie\": {\"width\": 16}, "
		"\"throttle\": {\"ppt_violation_status\": \"ACTIVE\", \"hbm_thermal_violation_status\": \"NOT ACTIVE\", "
		"\"low_utilization_violation_status\": \"ACTIVE\", \"gfx_clk_below_host_limit_power_violation_status\": \"NOT ACTIVE\", "
		"\"total_gfx_clk_below_host_limit_violation_status\": \"ACTIVE\"}}]\n"
		"@list\n[{\"gpu\": 0, \"bdf\": \"0000:03:00.0\", \"uuid\": \"u0\"}]\n@static\n[{\"gpu\": 0, \"asic\": {\"market_name\": \"MI300X\"}}]\n"
		"@users\nuid 42 1000\nuser 1000 ada\n"
		"@process\n[{\"gpu\": 0, \"process_list\": [{\"process_info\": {\"name\": \"python3\", \"pid\": 42, \"memory_usage\": {\"vram_mem\": 1024}}}]}]\n";
	static const struct case_row row = { "amd-smi", "machine", NULL, 14,
		{ "gpu_info{gpu=0,uuid=u0,name=MI300X,source=amd-smi,pci_bus_id=0000:03:00.0} 1", "gpu_fault{gpu=0,uuid=u0} 0",
		  "gpu_memory_used_bytes{gpu=0,uuid=u0} 1073741824", "gpu_memory_total_bytes{gpu=0,uuid=u0} 4294967296",
		  "gpu_clock_sm_hertz{gpu=0,uuid=u0} 2100000000", "gpu_temperature_memory_celsius{gpu=0,uuid=u0} 60",
		  "gpu_throttle{gpu=0,uuid=u0,reason=power cap,severity=info} 1", "gpu_throttle{gpu=0,uuid=u0,reason=thermal (memory),severity=warn} 0",
		  "gpu_throttle{gpu=0,uuid=u0,reason=clocks below limit,severity=info} 1", "gpu_ecc_corrected_errors{gpu=0,uuid=u0} 3",
		  "gpu_ecc_uncorrected_errors{gpu=0,uuid=u0} 1", "gpu_pcie_width{gpu=0,uuid=u0} 16",
		  "gpu_process{gpu=0,uuid=u0,pid=42,user=ada,process=python3} 1",
		  "gpu_process_memory_bytes{gpu=0,uuid=u0,pid=42,user=ada,process=python3} 1024" } };
	static const struct case_row rocm = { "rocm-smi on an MI100", "machine", NULL, 0, { "gpu_memory_used_bytes{gpu=0,uuid=0x79ccd55167a2124a} 6750208", "gpu_fault{gpu=3,uuid=0x1b9dd972253c3736} 0" } };
	struct kit k;
	(void)state;
	kit_open(&k, &amd_smi_source);
	kit_read(&k, section, 0);
	assert_int_equal(k.e, ERR_OK);
	run(&row, buf_text(&k.found.page), k.found.page.len);
	char *json = kit_sample("gpu/amd/telegraf_mi100_rocm602.json");
	if (json != NULL) {
		struct buf text;
		buf_init(&text, TEXT_MAX);
		buf_printf(&text, "@rocm\n%s\n", json);
		kit_close(&k);
		kit_open(&k, &amd_smi_source);
		kit_read(&k, buf_text(&text), 0);
		run(&rocm, buf_text(&k.found.page), k.found.page.len);
		buf_release(&text);
	}
	free(json);
	kit_close(&k);
}

/* Every built-in profile's details are read, and none has mistakes. */
static void test_all_parse(void **state)
{
	struct diagnostics d;
	struct profiles   *profiles = NULL;
	const char *const  none[] = { "/nonexistent" };
	size_t             n_rules = 0;
	(void)state;
	diagnostics_init(&d);
	assert_ok(profiles_load(none, 1, &d, &profiles, &why));
	for (size_t i = 0; i < profiles_count(profiles); i++) {
		struct rule_file *rules = NULL;
		assert_row(profiles_at(profiles, i)->head.name, rule_file_read(profiles_at(profiles, i)->tree, true, &rules, &why) == ERR_OK);
		for (size_t g = 0; g < rules->n_groups; g++)
			for (size_t k = 0; k < rules->groups[g].n_rules; k++)
				n_rules += detail_by_metric(rules->groups[g].rules[k].name) != DETAIL_COUNT;
		rule_file_free(rules);
	}
	assert_int_equal(d.n_errors + d.n_warnings, 0);
	assert_true(n_rules > 50);
	profiles_free(profiles);
	diagnostics_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_up), cmocka_unit_test(test_machines), cmocka_unit_test(test_exporter),
		cmocka_unit_test(test_amd),     cmocka_unit_test(test_all_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
