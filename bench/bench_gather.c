/* SPDX-License-Identifier: Apache-2.0
 *
 * What a gather over the host's sources costs here: bytes up and down, and the time to take it apart, to make a page of it and to read that
 * page. The machine is made up: 64 processors, 8 disks with 4 partitions each, 6 networks beside 40 of containers, 12 file systems, 40
 * sensors. One line a figure: name, value, unit. Arguments: seconds a figure (default 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "collectors/exposition.h"
#include "collectors/gather.h"

enum { PIECE = 32768 }; /* what a channel gives at once */

static void check(enum err e, const struct why *why)
{
	if (e == ERR_OK)
		return;
	fprintf(stderr, "bench_gather: %s\n", why->text);
	exit(1);
}

static void put_memory(struct buf *b, unsigned round)
{
	static const char *const keys[] = {
		"MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapCached", "Active", "Inactive", "Active(anon)", "Inactive(anon)",
		"Active(file)", "Inactive(file)", "Unevictable", "Mlocked", "SwapTotal", "SwapFree", "Zswap", "Zswapped", "Dirty", "Writeback",
		"AnonPages", "Mapped", "Shmem", "KReclaimable", "Slab", "SReclaimable", "SUnreclaim", "KernelStack", "PageTables", "SecPageTables",
		"NFS_Unstable", "Bounce", "WritebackTmp", "CommitLimit", "Committed_AS", "VmallocTotal", "VmallocUsed", "VmallocChunk", "Percpu",
		"HardwareCorrupted", "AnonHugePages", "Hugepagesize",
	};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		buf_printf(b, "meminfo:%s: %u kB\n", keys[i], 1000000u * (unsigned)(i + 1) + round * 7);
}

static void put_host(struct buf *b, unsigned round)
{
	buf_printf(b, "stat:cpu  %u 612 111922 %u 3552 2 3944 0 44 36\nstat:ctxt %u\nstat:btime 1418183276\nstat:processes 26442\n",
	           301854 + round, 8979004 + round * 640, 38014093 + round * 991);
	buf_printf(b, "stat:procs_running 2\nstat:procs_blocked 0\nuptime:%u.25 7.50\nloadavg:0.%02u 0.37 0.39 1/719 19737\n", 100000 + round,
	           round % 100);
	put_memory(b, round);
	buf_printf(b,
	           "vmstat:pgpgin %u\nvmstat:pgpgout 2\nvmstat:pswpin 0\nvmstat:pswpout 0\nvmstat:pgfault %u\nvmstat:pgmajfault 3\nvmstat:oom_kill 0\n", round,
	           round * 1017);
	for (unsigned d = 0; d < 8; d++)
		for (unsigned p = 0; p < 5; p++)
			buf_printf(b, "diskstats: 259 %u nvme%un1%s%.0u %u 4 %u 21650 1078320 43950 39451633 1011053 0 222766 %u 0 0 0 0 10 20\n", d * 8 + p, d,
			           p > 0 ? "p" : "", p, 47114 + round, 4643973 + round * 8, 1032546 + round);
	for (unsigned n = 0; n < 46; n++)
		buf_printf(b, "net/dev:%s%u: %u 1036395 0 0 0 0 0 0 %u 732147 0 0 0 0 0 0\n", n < 6 ? "eth" : "veth0123abc", n, 874354587 + round * 4096,
		           563352563 + round * 1500);
	buf_printf(b,
	           "pressure/cpu:some avg10=0.18 avg60=0.34 avg300=0.10 total=%u\npressure/io:some avg10=0.18 avg60=0.34 avg300=0.10 total=%u\n",
	           14036781 + round, 159886802 + round);
	buf_puts(b, "sys/fs/file-nr:1024\t0\t1631329\n/sys/devices/system/cpu/online:0-63\n");
}

static void put_filesystem(struct buf *b, unsigned round)
{
	for (unsigned i = 0; i < 12; i++)
		buf_printf(b, "mount rw ext4 /dev/nvme%un1p1 /data/%u\n", i, i);
	for (unsigned i = 0; i < 12; i++)
		buf_printf(b, "size 4096 65536000 %u 32768000 16777216 16332145 /data/%u\n", 41000000 - round, i);
}

static void put_sensors(struct buf *b, unsigned round)
{
	for (unsigned i = 0; i < 8; i++) {
		buf_printf(b, "hwmon/hwmon%u/name:nvme\n", i);
		for (unsigned k = 1; k <= 5; k++)
			buf_printf(b, "hwmon/hwmon%u/temp%u_label:Sensor %u\nhwmon/hwmon%u/temp%u_input:%u\n", i, k, k, i, k, 40000 + (round + k) % 9 * 250);
	}
}

static void put_section(struct buf *b, const char *nonce, const char *name, unsigned round, void (*put)(struct buf *b, unsigned round))
{
	buf_printf(b, "\n@@pitwall %s begin %s 1234 777 100.00\n", nonce, name);
	if (put != NULL)
		put(b, round);
	else
		buf_printf(b, "time %u.123456\nsysname Linux\nnodename gpu-a-01\nrelease 6.1.0\narch x86_64\nuser ops\n", 1700000000 + round);
	buf_printf(b, "\n@@pitwall %s status 0 100.02\n\n@@pitwall %s end 0\n", nonce, nonce);
}

/* Answers a request: which sections it wants stands in its last line. */
static void answer(const struct buf *request, unsigned round, struct buf *b)
{
	static const struct {
		const char *name, *word;
		void      (*put)(struct buf *b, unsigned round);
	} all[] = {
		{ "machine", " machine", NULL }, { "host", " host", put_host }, { "filesystem", " filesystem", put_filesystem },
		{ "sensors", " sensors", put_sensors },
	};
	size_t line = request->len - 1;
	char   nonce[17] = "";
	while (line > 0 && request->data[line - 1] != '\n')
		line--;
	memcpy(nonce, request->data + line, 16);
	buf_clear(b);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strstr(request->data + line, all[i].word) != NULL)
			put_section(b, nonce, all[i].name, round, all[i].put);
	buf_printf(b, "\n@@pitwall %s done\n", nonce);
}

struct figures {
	double up, program, down, page, samples, feed_us, page_us, parse_us;
	double gathers;
};

static void one(struct gather *g, struct exposition *e, struct test_clock *time, unsigned round, struct buf *request, struct buf *out,
                struct figures *f)
{
	const struct clock *clock = clock_system();
	struct why    why = { "" };
	struct scrape s;
	enum gather_state state = GATHER_MORE;
	buf_clear(request);
	check(gather_request(g, request, &why), &why);
	answer(request, round, out);
	int64_t at = clock_mono_us(clock);
	for (size_t i = 0; i < out->len && state == GATHER_MORE; i += PIECE)
		state = gather_feed(g, out->data + i, out->len - i < PIECE ? out->len - i : PIECE, &why);
	check(state == GATHER_DONE ? ERR_OK : ERR_FORMAT, &why);
	int64_t fed = clock_mono_us(clock);
	const struct findings *found = gather_findings(g);
	int64_t made = clock_mono_us(clock);
	check(exposition_parse(e, found->page.data, found->page.len, EXPOSITION_TEXT, &s, &why), &why);
	int64_t parsed = clock_mono_us(clock);
	test_clock_advance(time, 10000);
	if (round == 0) {
		f->program = (double)request->len;
		return;
	}
	f->gathers++;
	f->up += (double)request->len;
	f->down += (double)out->len;
	f->page += (double)found->page.len;
	f->samples += (double)s.n;
	f->feed_us += (double)(fed - at);
	f->page_us += (double)(made - fed);
	f->parse_us += (double)(parsed - made);
}

int main(int argc, char **argv)
{
	double                  seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	struct figures          f = { 0 };
	struct test_clock       time;
	struct gather          *g;
	struct exposition_pool *pool;
	struct exposition      *e;
	struct buf              request, out;
	struct why              why = { "" };
	struct gather_options   o = { .clock = &time.clock };
	test_clock_init(&time, INT64_C(1700000000000));
	buf_init(&request, GATHER_REQUEST_MAX);
	buf_init(&out, GATHER_OUTPUT_MAX);
	check(gather_new(&o, &g, &why), &why);
	check(exposition_pool_new(&pool), &why);
	check(exposition_new(pool, &e), &why);
	int64_t begin = clock_mono_us(clock_system());
	for (unsigned round = 0; (double)(clock_mono_us(clock_system()) - begin) < seconds * 1e6 || round < 4; round++)
		one(g, e, &time, round, &request, &out, &f);
	printf("gather_program_bytes %.0f bytes\n", f.program);
	printf("gather_request_bytes %.0f bytes\n", f.up / f.gathers);
	printf("gather_answer_bytes %.0f bytes\n", f.down / f.gathers);
	printf("gather_page_bytes %.0f bytes\n", f.page / f.gathers);
	printf("gather_samples %.0f samples\n", f.samples / f.gathers);
	printf("gather_sections_time %.1f us\n", f.feed_us / f.gathers);
	printf("gather_page_time %.1f us\n", f.page_us / f.gathers);
	printf("gather_parse_time %.1f us\n", f.parse_us / f.gathers);
	exposition_free(e);
	exposition_pool_free(pool);
	gather_free(g);
	buf_release(&request);
	buf_release(&out);
	return 0;
}
