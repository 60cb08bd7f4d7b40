/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's machine on its screen, from the real program on a pty: this machine, asked over a shell of its own, with a systemd and a Docker that the
 * test has put into its path; and a machine behind an exporter. */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"
#include "tests/unit/recorder/page_server.h"

#include <ftw.h>
#include <mntent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "fea99c07e76352eb2a16b2a5f5e0425d1c3fba1efead5c4fc15c0935b8787b65"

static const char systemctl[] =
	"#!/bin/sh\n"
	"case \"$*\" in\n"
	"*is-system-running*) echo degraded ;;\n"
	"*list-units*) echo 'ranker.service loaded failed failed Ranker' ;;\n"
	"*--user*) ;;\n"
	"*show*) cat <<'END'\n"
	"Id=ranker.service\nType=simple\nLoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nNRestarts=5\n"
	"ActiveEnterTimestampMonotonic=1000000\nMemoryCurrent=[not set]\n"
	"\n"
	"Id=ollama.service\nType=simple\nLoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=0\n"
	"ActiveEnterTimestampMonotonic=2000000\nMemoryCurrent=1073741824\n"
	"END\n"
	"esac\n";
static const char docker[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"ps) echo " ID " ;;\n"
	"inspect) cat <<'END'\n"
	"{\"Id\":\"" ID "\",\"Name\":\"/tok\\u001b[2Jenizer\",\"Image\":\"sha256:a\",\"RestartCount\":3,\"State\":{\"Status\":\"exited\",\"ExitCode\":137,"
	"\"OOMKilled\":true,\"StartedAt\":\"2026-01-02T03:04:05Z\",\"FinishedAt\":\"2026-01-02T03:04:06Z\",\"Health\":null},"
	"\"Config\":{\"Image\":\"registry.example/tok:1\",\"Labels\":{}}}\n"
	"END\n"
	"esac\n";
/* Two GPUs, of which the second is not told of while a file "lost" is there, and nothing is told, ever, while a file "hangs" is. */
static const char nvidia_smi[] =
	"#!/bin/sh\n"
	"case $* in *--query-gpu=*) ;; *) exit 0 ;; esac\n"
	"while [ -e \"${0%/*}/hangs\" ]; do sleep 0.1; done\n"
	"fields=${1#*=}\n"
	"row() {\n"
	"	out=\n"
	"	for f in $(echo \"$fields\" | tr , ' '); do\n"
	"		case $f in\n"
	"		index) v=$1 ;;\n"
	"		uuid) v=GPU-${1}0000000-0000-0000-0000-000000000000 ;;\n"
	"		name) v='NVIDIA H100' ;;\n"
	"		temperature.gpu) v=5$1 ;;\n"
	"		utilization.gpu) v=7$1 ;;\n"
	"		memory.used) v=1024 ;;\n"
	"		memory.total) v=4096 ;;\n"
	"		*) v='[N/A]' ;;\n"
	"		esac\n"
	"		out=\"$out, $v\"\n"
	"	done\n"
	"	echo \"${out#, }\"\n"
	"}\n"
	"row 0\n"
	"[ -e \"${0%/*}/lost\" ] || row 1\n";
static const char exporter[] =
	"node_load1 1.25\nnode_load5 2.5\nnode_load15 3.5\nnode_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1\n"
	"node_memory_MemTotal_bytes 8589934592\nnode_memory_MemAvailable_bytes 429496729\nnode_boot_time_seconds 1000\nnode_time_seconds 11000\n"
	"node_filesystem_size_bytes{device=\"d\",fstype=\"xfs\",mountpoint=\"/models\"} 1000\n"
	"node_filesystem_free_bytes{device=\"d\",fstype=\"xfs\",mountpoint=\"/models\"} 10\n"
	"node_filesystem_avail_bytes{device=\"d\",fstype=\"xfs\",mountpoint=\"/models\"} 10\n"
	"node_systemd_unit_state{name=\"vllm.service\",state=\"failed\",type=\"simple\"} 1\n"
	"node_systemd_unit_state{name=\"vllm.service\",state=\"active\",type=\"simple\"} 0\n";

struct place {
	char folder[64], config[96], store[96], path[160];
};

static void put(const struct place *p, const char *name, const char *text, mode_t mode)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", p->folder, name);
	FILE *to = fopen(path, "w");
	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void place_make(struct place *p, const char *groups)
{
	snprintf(p->folder, sizeof p->folder, "/tmp/pitwall-e2e-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->config, sizeof p->config, "%s/fleet.yml", p->folder);
	snprintf(p->store, sizeof p->store, "%s/s.db", p->folder);
	snprintf(p->path, sizeof p->path, "PATH=%s:/usr/bin:/bin", p->folder);
	put(p, "fleet.yml", groups, 0600);
	put(p, "systemctl", systemctl, 0700);
	put(p, "docker", docker, 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static struct pty *start(const struct place *p, int rows, int cols, const char *const *words)
{
	const char *argv[8] = { pitwall_path() };
	for (size_t i = 0; words[i] != NULL && i < 6; i++)
		argv[i + 1] = words[i];
	const char *const env[] = { p->path, NULL };
	const struct pty_options o = { .rows = rows, .cols = cols, .argv = argv, .env = env };
	return pty_start(&o);
}

/* From the node's screen. */
static void leave(struct pty *t)
{
	pty_send(t, "q");
	pty_wait_text(t, "FLEET");
	console_leave(t);
}

/* In a chroot whose root is a mere folder no file system may be listed. */
static bool has_root_mount(void)
{
	bool has = false;
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	assert_non_null(mounts);
	for (const struct mntent *m; !has && (m = getmntent(mounts)) != NULL;)
		has = strcmp(m->mnt_dir, "/") == 0;
	endmntent(mounts);
	return has;
}

/* What this machine has is not known but for what the test gave it: that there are numbers must suffice. */
static void check_this_machine(struct pty *t)
{
	pty_wait_text(t, " host ");
	pty_wait_text(t, " cpus  5m ");
	pty_wait_text(t, "memory");
	if (has_root_mount())
		pty_wait_text(t, " free of ");
	pty_wait_text(t, " services ");
	pty_wait_text(t, "■ failed");
	pty_wait_text(t, "ranker ");
	pty_wait_text(t, "5 restarts");
	pty_wait_text(t, "■ exited");
	pty_wait_text(t, "tok␛[2Jenizer"); /* shown, not obeyed */
	pty_wait_text(t, "killed, out of ");
}

static void this_machine_is_shown_and_again_in_a_replay(void **state)
{
	struct place p;
	(void)state;
	place_make(&p, "fleet: here\ndefaults: { interval: 2s, timeout: 2s }\ngroups:\n  - { name: here, targets: [ 'local:' ] }\n");
	const char *const words[] = { "--config", p.config, "--store", p.store, NULL };
	struct pty *t = start(&p, 50, 200, words);
	pty_wait_text(t, "1 node");
	pty_send(t, "\r");
	pty_wait_text(t, "NODE");
	check_this_machine(t);
	pty_wait_no_text(t, "p99"); /* what it lacks is not listed, and its first signal is charted */
	pty_wait_text(t, "─ cpu (%) ─");
	pty_resize(t, 24, 80);
	pty_wait_text(t, "■ failed");
	pty_send(t, "\t\t"); /* from the signals over the targets to the machine */
	pty_wait_text(t, "► host");
	pty_send(t, "\t");
	pty_wait_text(t, "► services");
	pty_wait_text(t, "· active"); /* the last of them has room now */
	leave(t);

	const char *const again[] = { "replay", p.store, NULL };
	t = start(&p, 50, 200, again);
	pty_wait_text(t, "1 node");
	pty_send(t, "\r");
	pty_wait_text(t, "NODE");
	check_this_machine(t);
	leave(t);
	assert_int_equal(nftw(p.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void take_away(const struct place *p, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", p->folder, name);
	assert_int_equal(unlink(path), 0);
}

/* Whatever else this machine is warned about. */
static void a_gpu_that_is_lost_makes_its_node_red(void **state)
{
	struct place p;
	(void)state;
	place_make(&p, "fleet: here\ndefaults: { interval: 2s, timeout: 2s }\ngroups:\n  - { name: here, targets: [ 'local:' ] }\n");
	put(&p, "nvidia-smi", nvidia_smi, 0700);
	const char *const words[] = { "--config", p.config, "--store", p.store, NULL };
	struct pty *t = start(&p, 24, 80, words);
	pty_wait_text(t, "1 node");
	pty_send(t, "\r");
	pty_wait_text(t, "NODE");
	pty_wait_text(t, "51\302\260C"); /* the second GPU's */
	assert_false(pty_has_text(t, "is lost"));
	put(&p, "lost", "", 0600);
	pty_wait_text(t, "CRIT  GPU 1 is lost, or wants a reset");
	take_away(&p, "lost");
	pty_wait_no_text(t, "is lost, or wants");
	put(&p, "hangs", "", 0600); /* the driver does: none of them answers */
	pty_wait_text(t, "CRIT  GPU 0 is lost, or wants a reset");
	take_away(&p, "hangs");
	pty_wait_no_text(t, "is lost, or wants");
	put(&p, "lost", "", 0600);
	pty_wait_text(t, "CRIT  GPU 1 is lost, or wants a reset");
	leave(t);

	const char *const again[] = { "replay", p.store, NULL };
	t = start(&p, 24, 80, again); /* as it was */
	pty_wait_text(t, "1 node");
	pty_wait_text(t, "1 crit");
	pty_send(t, "\r");
	pty_wait_text(t, "CRIT  GPU 1 is lost");
	leave(t);
	assert_int_equal(nftw(p.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void a_machine_behind_an_exporter_has_the_same_panes(void **state)
{
	struct place p;
	char groups[256];
	(void)state;
	struct page_server *server = page_server_start();
	assert_non_null(server);
	page_server_set(server, "/metrics", exporter);
	snprintf(groups, sizeof groups, "fleet: there\ndefaults: { interval: 1s, timeout: 1s }\ngroups:\n"
	         "  - { name: there, profile: node, port: %d, nodes: [ 127.0.0.1 ] }\n", page_server_port(server));
	place_make(&p, groups);
	const char *const words[] = { "--config", p.config, "--store", p.store, NULL };
	struct pty *t = start(&p, 40, 120, words);
	pty_wait_text(t, "1 node");
	pty_send(t, "\r");
	pty_wait_text(t, "NODE");
	pty_wait_text(t, "of 1 cpus  5m 2.5  15m 3.5");
	pty_wait_text(t, "■    99%"); /* of the file system */
	pty_wait_text(t, "▲    95%"); /* of the memory */
	pty_wait_text(t, "■ failed");
	pty_wait_text(t, "vllm ");
	leave(t);
	page_server_stop(server);
	assert_int_equal(nftw(p.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_machine_is_shown_and_again_in_a_replay), cmocka_unit_test(a_machine_behind_an_exporter_has_the_same_panes),
		cmocka_unit_test(a_gpu_that_is_lost_makes_its_node_red),
	};
	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
