/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of /proc/diskstats and /proc/net/dev: one a device. Which are left out follows the defaults of node_exporter's collectors, and for
 * networks what people add to them: whatever a container runtime makes by the hundred. */
#include "collectors/source_host_private.h"

#include <string.h>

enum { SECTOR_BYTES = 512, DISK_NUMBERS = 11, NETWORK_NUMBERS = 16 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The name without the digits at its end; false where it has none. */
static bool strip_digits(struct slice *name)
{
	size_t n = name->n;
	while (name->n > 0 && is_digit(name->p[name->n - 1]))
		name->n--;
	return name->n < n;
}

/* sda1, vdb12, xvda2, nvme0n1p3, mmcblk0p1, ram0, zram1, loop3, fd0 */
static bool is_partition_or_virtual(struct slice name)
{
	static const char *const virtual[] = { "ram", "zram", "loop", "fd" };
	static const char *const disks[] = { "hd", "sd", "vd", "xvd" };
	if (!strip_digits(&name))
		return false;
	for (size_t i = 0; i < sizeof virtual / sizeof virtual[0]; i++)
		if (slice_is(name, virtual[i]))
			return true;
	for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++)
		if (slice_begins(name, disks[i]))
			return true;
	bool has_p = name.n > 1 && name.p[name.n - 1] == 'p' && is_digit(name.p[name.n - 2]);
	return has_p && (slice_begins(name, "nvme") || slice_begins(name, "mmcblk"));
}

/* "   8       0 sda 25354637 34367663 1003346126 18492372 28444756 ...": Documentation/admin-guide/iostats.rst of the kernel */
void host_on_disk(struct host *h, struct slice line)
{
	static const struct {
		const char *metric;
		double      unit;
	} columns[DISK_NUMBERS] = {
		{ "node_disk_reads_completed_total", 1 },
		{ "node_disk_reads_merged_total", 1 },
		{ "node_disk_read_bytes_total", SECTOR_BYTES },
		{ "node_disk_read_time_seconds_total", 1e3 },
		{ "node_disk_writes_completed_total", 1 },
		{ "node_disk_writes_merged_total", 1 },
		{ "node_disk_written_bytes_total", SECTOR_BYTES },
		{ "node_disk_write_time_seconds_total", 1e3 },
		{ "node_disk_io_now", 1 },
		{ "node_disk_io_time_seconds_total", 1e3 },
		{ "node_disk_io_time_weighted_seconds_total", 1e3 },
	};
	struct slice major, minor, name;
	double n[DISK_NUMBERS];
	char   device[HOST_NAME_MAX_BYTES];
	if (!slice_word(&line, &major) || !slice_word(&line, &minor) || !slice_word(&line, &name) || is_partition_or_virtual(name))
		return;
	if (host_numbers(line, n, DISK_NUMBERS) != DISK_NUMBERS || (n[0] <= 0 && n[4] <= 0) || h->n_disks++ >= HOST_DEVICES_MAX)
		return;
	const char *labels[] = { "device", slice_copy(name, device, sizeof device), NULL };
	for (size_t i = 0; i < DISK_NUMBERS; i++)
		findings_put(h->out, columns[i].metric, columns[i].unit == 1e3 ? n[i] / 1e3 : n[i] * columns[i].unit, labels);
}

static bool is_virtual_network(struct slice name)
{
	static const char *const begins[] = {
		"veth", "docker", "br-", "cali", "cni", "flannel", "cilium", "lxc", "lxd", "virbr", "vnet", "tap", "dummy", "ifb", "kube-",
		"nodelocaldns", "podman", "vxlan", "geneve", "genev_", "antrea", "weave", "azv", "eni", "tunl", "sit", "gre", "erspan", "ip6tnl", "ip_vti", "ip6_vti",
	};
	if (slice_is(name, "lo"))
		return true;
	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (slice_begins(name, begins[i]))
			return true;
	return false;
}

/* "  eth0: 874354587 ..."; the colon may touch the number, and a name may hold one ("eth0:1"). */
void host_on_network(struct host *h, struct slice line)
{
	static const struct {
		const char *metric;
		size_t      column;
	} columns[] = {
		{ "node_network_receive_bytes_total", 0 },  { "node_network_receive_packets_total", 1 },
		{ "node_network_receive_errs_total", 2 },   { "node_network_receive_drop_total", 3 },
		{ "node_network_transmit_bytes_total", 8 }, { "node_network_transmit_packets_total", 9 },
		{ "node_network_transmit_errs_total", 10 }, { "node_network_transmit_drop_total", 11 },
	};
	double n[NETWORK_NUMBERS];
	char   device[HOST_NAME_MAX_BYTES];
	size_t colon = line.n;
	while (colon > 0 && line.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return;
	struct slice name, before = { line.p, colon - 1 }, numbers = { line.p + colon, line.n - colon };
	if (!slice_word(&before, &name) || is_virtual_network(name) || host_numbers(numbers, n, NETWORK_NUMBERS) != NETWORK_NUMBERS ||
	    h->n_networks++ >= HOST_DEVICES_MAX)
		return;
	const char *labels[] = { "device", slice_copy(name, device, sizeof device), NULL };
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		findings_put(h->out, columns[i].metric, n[columns[i].column], labels);
}
