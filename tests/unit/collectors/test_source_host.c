/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host's sources make of what /proc and its kin say: rows, and real files, which are looked for where PITWALL_SHARED points. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "collectors/source_host.h"
#include "collectors/source_machine.h"

static const struct source_settings none;

struct row {
	const char          *label;
	const struct source *source;
	int                  status;
	const char          *in;
	enum err             want;
	const char          *text; /* of the page: all of it, or, where it begins with '~', some of it; of the error where that is wanted */
};

#define CPU "stat:cpu  800 80 400 8000 40 0 8 0 0 0\n"

static const struct row rows[] = {
	{ "the mean of the processors", &host_source, 0, CPU "/sys/devices/system/cpu/online:0-2,5\n", ERR_OK,
	  "machine_cpu_cores 4\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"user\"} 2\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"nice\"} 0.2\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"system\"} 1\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"idle\"} 20\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"iowait\"} 0.1\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"irq\"} 0\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"softirq\"} 0.02\n"
	  "node_cpu_seconds_total{cpu=\"all\",mode=\"steal\"} 0\n" },
	{ "an old kernel, processors counted", &host_source, 0, "stat:cpu 100 0 0 200\nstat:cpu0 50 0 0 100\nstat:cpu3 50 0 0 100\n", ERR_OK,
	  "~machine_cpu_cores 2\nnode_cpu_seconds_total{cpu=\"all\",mode=\"user\"} 0.5\n" },
	{ "how many is not said", &host_source, 0, CPU, ERR_FORMAT, "the machine does not say how many processors it has" },
	{ "how many is nonsense", &host_source, 0, CPU "/sys/devices/system/cpu/online:5-2\n", ERR_FORMAT,
	  "the machine does not say how many processors it has" },
	{ "how many is too much", &host_source, 0, CPU "/sys/devices/system/cpu/online:0-9999999\n", ERR_FORMAT,
	  "the machine does not say how many processors it has" },
	{ "no processors", &host_source, 0, "loadavg:0.21 0.37 0.39 1/719 19737\n", ERR_FORMAT, "/proc/stat has no line of processors" },
	{ "no /proc", &host_source, 127, "sh: grep: not found", ERR_NOT_FOUND, "the machine has no /proc/stat, or no grep" },
	{ "nothing", &host_source, 0, "", ERR_FORMAT, "/proc/stat has no line of processors" },
	{ "time by the kernel", &host_source, 0, CPU "stat:btime 1700000000\nuptime:100.25 50.00\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_time_seconds 1700000100.25\n" },
	{ "load", &host_source, 0, CPU "loadavg:0.21 0.37 0.39 1/719 19737\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_load1 0.21\nnode_load5 0.37\nnode_load15 0.39\n" },
	{ "memory in KiB, pages without a unit", &host_source, 0,
	  CPU "meminfo:MemTotal:        3742148 kB\nmeminfo:HugePages_Total:    7\nmeminfo:Secret: 1 kB\n/sys/devices/system/cpu/online:0\n",
	  ERR_OK,
	  "~node_memory_MemTotal_bytes 3831959552\nnode_memory_HugePages_Total 7\nmachine" },
	{ "kills for memory", &host_source, 0,
	  CPU "vmstat:oom_kill 3\nvmstat:pgmajfault 5\nvmstat:pgother 1\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_vmstat_oom_kill 3\nnode_vmstat_pgmajfault 5\nmachine" },
	{ "pressure in microseconds", &host_source, 0,
	  CPU "pressure/io:some avg10=0.18 avg60=0.34 avg300=0.10 total=159886802\npressure/io:full avg10=0.18 avg60=0.34 avg300=0.10 total=159229614\n"
	      "pressure/cpu:full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_pressure_io_waiting_seconds_total 159.886802\nnode_pressure_io_stalled_seconds_total 159.229614\nmachine" },
	{ "files", &host_source, 0, CPU "sys/fs/file-nr:1024\t0\t1631329\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_filefd_allocated 1024\nnode_filefd_maximum 1631329\n" },
	{ "a disk, none of its partitions, no loop, none unused", &host_source, 0,
	  CPU "diskstats:   8       0 sda 1 2 3 4000 5 6 7 8000 9 10000 11000 1 2 3 4\n"
	      "diskstats:   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11\ndiskstats: 259 1 nvme0n1p1 1 2 3 4 5 6 7 8 9 10 11\n"
	      "diskstats:   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11\ndiskstats: 11 0 sr0 0 0 0 0 0 0 0 0 0 0 0\n"
	      "diskstats: 9 9 short 1 2 3\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_disk_reads_completed_total{device=\"sda\"} 1\n"
	  "node_disk_reads_merged_total{device=\"sda\"} 2\n"
	  "node_disk_read_bytes_total{device=\"sda\"} 1536\n"
	  "node_disk_read_time_seconds_total{device=\"sda\"} 4\n"
	  "node_disk_writes_completed_total{device=\"sda\"} 5\n"
	  "node_disk_writes_merged_total{device=\"sda\"} 6\n"
	  "node_disk_written_bytes_total{device=\"sda\"} 3584\n"
	  "node_disk_write_time_seconds_total{device=\"sda\"} 8\n"
	  "node_disk_io_now{device=\"sda\"} 9\n"
	  "node_disk_io_time_seconds_total{device=\"sda\"} 10\n"
	  "node_disk_io_time_weighted_seconds_total{device=\"sda\"} 11\nmachine" },
	{ "networks: the colon may touch the number", &host_source, 0,
	  CPU "net/dev:  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nnet/dev:    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	      "net/dev:veth1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nnet/dev:docker0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	      "/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_network_receive_bytes_total{device=\"eth0\"} 1\n"
	  "node_network_receive_packets_total{device=\"eth0\"} 2\n"
	  "node_network_receive_errs_total{device=\"eth0\"} 3\n"
	  "node_network_receive_drop_total{device=\"eth0\"} 4\n"
	  "node_network_transmit_bytes_total{device=\"eth0\"} 9\n"
	  "node_network_transmit_packets_total{device=\"eth0\"} 10\n"
	  "node_network_transmit_errs_total{device=\"eth0\"} 11\n"
	  "node_network_transmit_drop_total{device=\"eth0\"} 12\nmachine" },
	{ "a network with a colon in its name", &host_source, 0,
	  CPU "net/dev:eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n/sys/devices/system/cpu/online:0\n", ERR_OK,
	  "~node_network_receive_bytes_total{device=\"eth0:1\"} 1\n" },

	{ "a file system", &filesystem_source, 0, "mount rw ext4 /dev/sda1 /\nsize 4096 1000 500 400 10 5 /\n", ERR_OK,
	  "node_filesystem_device_error{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n"
	  "node_filesystem_readonly{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n"
	  "node_filesystem_size_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 4096000\n"
	  "node_filesystem_free_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 2048000\n"
	  "node_filesystem_avail_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 1638400\n"
	  "node_filesystem_files{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 10\n"
	  "node_filesystem_files_free{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 5\n" },
	{ "by df", &filesystem_source, 0,
	  "mount ro xfs /dev/sdb1 /data\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sdb1 1000 300 600 34% /data\n", ERR_OK,
	  "node_filesystem_device_error{device=\"/dev/sdb1\",fstype=\"xfs\",mountpoint=\"/data\"} 0\n"
	  "node_filesystem_readonly{device=\"/dev/sdb1\",fstype=\"xfs\",mountpoint=\"/data\"} 1\n"
	  "node_filesystem_size_bytes{device=\"/dev/sdb1\",fstype=\"xfs\",mountpoint=\"/data\"} 1024000\n"
	  "node_filesystem_free_bytes{device=\"/dev/sdb1\",fstype=\"xfs\",mountpoint=\"/data\"} 716800\n"
	  "node_filesystem_avail_bytes{device=\"/dev/sdb1\",fstype=\"xfs\",mountpoint=\"/data\"} 614400\n" },
	{ "one that does not answer", &filesystem_source, 0, "mount rw ext4 /dev/a /\nmount rw ext4 /dev/b /b\nsize 1 2 3 4 5 6 /\n", ERR_OK,
	  "~node_filesystem_device_error{device=\"/dev/b\",fstype=\"ext4\",mountpoint=\"/b\"} 1\n" },
	{ "none that answers", &filesystem_source, 0, "mount rw ext4 /dev/a /\n", ERR_FORMAT,
	  "the machine does not say the size of any file system" },
	{ "a size that was not asked", &filesystem_source, 0, "size 1 2 3 4 5 6 /x\n", ERR_NOT_FOUND,
	  "the machine has no local file system mounted" },

	{ "sensors", &sensors_source, 2,
	  "hwmon/hwmon0/name:k10temp\nhwmon/hwmon1/name:coretemp\nhwmon/hwmon1/temp1_label:Package id 0\nhwmon/hwmon1/temp2_label:Core 0\n"
	  "hwmon/hwmon0/temp1_input:52125\nhwmon/hwmon1/temp1_input:45000\nhwmon/hwmon1/temp2_input:44000\nhwmon/hwmon0/temp2_input:-273000\n"
	  "thermal/thermal_zone3/type:acpitz\nthermal/thermal_zone3/temp:27800\n/sys/devices/system/edac/mc/mc1/ce_count:3\n"
	  "/sys/devices/system/edac/mc/mc1/ue_count:0\n", ERR_OK,
	  "node_hwmon_chip_names{chip=\"hwmon0\",chip_name=\"k10temp\"} 1\n"
	  "node_hwmon_chip_names{chip=\"hwmon1\",chip_name=\"coretemp\"} 1\n"
	  "node_hwmon_temp_celsius{chip=\"hwmon0\",sensor=\"temp1\"} 52.125\n"
	  "node_hwmon_temp_celsius{chip=\"hwmon1\",sensor=\"temp1\"} 45\n"
	  "node_hwmon_sensor_label{chip=\"hwmon1\",sensor=\"temp1\",label=\"Package id 0\"} 1\n"
	  "node_thermal_zone_temp{type=\"acpitz\",zone=\"3\"} 27.8\n"
	  "node_edac_correctable_errors_total{controller=\"1\"} 3\n"
	  "node_edac_uncorrectable_errors_total{controller=\"1\"} 0\n" },
	{ "no sensors", &sensors_source, 2, "", ERR_NOT_FOUND, "the machine has no sensors" },

	{ "who it is, and a clock that is 2 s late", &machine_source, 0,
	  "time 1699999999.050000\nsysname Linux\nnodename gpu-a-01\nrelease 6.1.0\nversion #1 SMP\narch x86_64\nuser ops\ndomain (none)\nos \"Debian 12\"\n", ERR_OK,
	  "pitwall_machine_info{arch=\"x86_64\",hostname=\"gpu-a-01\",kernel=\"6.1.0\",os=\"Debian 12\",user=\"ops\"} 1\n"
	  "node_uname_info{domainname=\"(none)\",machine=\"x86_64\",nodename=\"gpu-a-01\",release=\"6.1.0\",sysname=\"Linux\",version=\"#1 SMP\"} 1\n"
	  "pitwall_clock_offset_seconds -2\npitwall_clock_offset_error_seconds 0.05\n" },
	{ "a clock of whole seconds", &machine_source, 0, "time 1700000000.%N\n", ERR_OK,
	  "pitwall_machine_info 1\npitwall_clock_offset_seconds -0.55\npitwall_clock_offset_error_seconds 0.55\n" },
	{ "no clock", &machine_source, 0, "time \n", ERR_FORMAT, "it did not say what its clock says" },
	{ "a clock that is none", &machine_source, 0, "time 1e300\n", ERR_FORMAT, "it did not say what its clock says" },
};

/* asked at 1700000001.000 and answered 100 ms later */
static enum err parse(const struct source *source, const char *text, size_t n, int status, struct findings *out, struct why *why)
{
	const struct section in = { .text = text, .n = n, .status = status, .asked_ms = INT64_C(1700000001000),
	                            .answered_ms = INT64_C(1700000001100) };
	void *memory = calloc(1, source->memory_size + 1);
	assert_non_null(memory);
	enum err e = source->parse(&in, &none, memory, out, why);
	free(memory);
	return e;
}

static void all_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct findings f;
		struct why why = { "" };
		findings_init(&f);
		enum err e = parse(r->source, r->in, strlen(r->in), r->status, &f, &why);
		const char *got = e == ERR_OK ? buf_text(&f.page) : why.text;
		bool is_part = r->text[0] == '~';
		if (e != r->want || (is_part ? strstr(got, r->text + 1) == NULL : strcmp(got, r->text) != 0))
			fail_msg("%s: %s", r->label, got);
		findings_release(&f);
	}
}

/* Cut after any byte, nothing breaks: what is not whole is at most wrong by its last number. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t n = 0; n <= strlen(rows[i].in); n++) {
			struct findings f;
			char *text = malloc(n + 1);
			assert_non_null(text);
			memcpy(text, rows[i].in, n);
			text[n] = '\0';
			findings_init(&f);
			parse(rows[i].source, text, n, rows[i].status, &f, NULL);
			assert_row(rows[i].label, f.page.err == ERR_OK);
			findings_release(&f);
			free(text);
		}
}

static void add_file(struct buf *to, const char *folder, const char *file, const char *as)
{
	char path[8192], line[65536];
	snprintf(path, sizeof path, "%s/samples/host/proc/%s", folder, file);
	FILE *f = fopen(path, "r");
	assert_row(path, f != NULL);
	while (fgets(line, sizeof line, f) != NULL)
		buf_printf(to, "%s:%s%s", as, line, strchr(line, '\n') != NULL ? "" : "\n");
	fclose(f);
}

static void real_files(void **state)
{
	static const char *const files[][2] = {
		{ "stat", "stat" }, { "loadavg", "loadavg" }, { "meminfo", "meminfo" }, { "vmstat", "vmstat" }, { "diskstats", "diskstats" },
		{ "procfs_net_dev", "net/dev" }, { "pressure_cpu", "pressure/cpu" }, { "pressure_memory", "pressure/memory" },
		{ "pressure_io", "pressure/io" }, { "pressure_irq", "pressure/irq" },
	};
	static const char *const must[] = {
		"machine_cpu_cores 8\n", "node_boot_time_seconds 1418183276\n", "node_context_switches_total 38014093\n", "node_load5 0.37\n",
		"node_memory_MemTotal_bytes 3831959552\n", "node_vmstat_oom_kill 0\n", "node_disk_io_now{device=\"sda\"} 0\n",
		"node_disk_read_bytes_total{device=\"nvme0n1\"} 2377714176\n", "node_disk_writes_completed_total{device=\"dm-0\"} 39231014\n",
		"node_network_receive_bytes_total{device=\"eth0\"} 874354587\n", "node_pressure_cpu_waiting_seconds_total 14.036781\n",
		"node_pressure_io_stalled_seconds_total 159.229614\n", "node_pressure_irq_stalled_seconds_total 0.008494\n",
		"node_cpu_seconds_total{cpu=\"all\",mode=\"idle\"} 11223.755\n",
	};
	static const char *const never[] = { "sda1", "nvme0n1p1", "ram0", "loop0", "mmcblk0p1", "docker0", "\"lo\"", "veth", "sr0", "fd0" };
	const char *shared = getenv("PITWALL_SHARED");
	struct stat st;
	struct buf  text;
	struct findings f;
	struct why why = { "" };
	(void)state;
	shared = shared != NULL ? shared : "../shared";
	if (stat(shared, &st) != 0) {
		print_message("# skipped: no corpora at '%s' (set PITWALL_SHARED)\n", shared);
		skip();
	}
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		add_file(&text, shared, files[i][0], files[i][1]);
	findings_init(&f);
	assert_int_equal(parse(&host_source, buf_text(&text), text.len, 0, &f, &why), ERR_OK);
	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++)
		assert_row(must[i], strstr(buf_text(&f.page), must[i]) != NULL);
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		assert_row(never[i], strstr(buf_text(&f.page), never[i]) == NULL);
	findings_release(&f);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_rows), cmocka_unit_test(cut_anywhere), cmocka_unit_test(real_files) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
