/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/e2e/small_fleet.h"
#include "tests/unit/recorder/page_server.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *pitwall_path(void)
{
	static char path[4096];
	const char *dir = getenv("PITWALL_BUILDDIR");
	snprintf(path, sizeof path, "%s/pitwall", dir == NULL ? "." : dir);
	return path;
}

void small_fleet_set_waiting(struct small_fleet *f, int n)
{
	char page[256];
	snprintf(page, sizeof page, "vllm:num_requests_running{model_name=\"llama\"} 3\nvllm:num_requests_waiting{model_name=\"llama\"} %d\n", n);
	page_server_set(f->server, "/metrics", page);
}

void small_fleet_make(struct small_fleet *f)
{
	snprintf(f->folder, sizeof f->folder, "/tmp/pitwall-e2e-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->config, sizeof f->config, "%s/fleet.yml", f->folder);
	snprintf(f->store, sizeof f->store, "%s/s.db", f->folder);
	f->server = page_server_start();
	assert_non_null(f->server);
	small_fleet_set_waiting(f, 4);
	FILE *to = fopen(f->config, "w");
	assert_non_null(to);
	fprintf(to, "fleet: small\ndefaults: { interval: 1s, timeout: 1s }\ngroups:\n"
		    "  - { name: chat, profile: vllm, model: llama, port: %d, nodes: [ ", page_server_port(f->server));
	for (int i = 1; i <= 3; i++)
		fprintf(to, "{ name: gpu-a-%d, address: 127.0.0.1 }%s", i, i < 3 ? ", " : " ] }\n");
	assert_int_equal(fclose(to), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void small_fleet_remove(struct small_fleet *f)
{
	page_server_stop(f->server);
	assert_int_equal(nftw(f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

struct pty *small_fleet_console(struct small_fleet *f, const struct console_start *o)
{
	const char *argv[16] = { pitwall_path(), "--config", f->config, "--store", f->store };
	for (size_t i = 0; o->words != NULL && o->words[i] != NULL && i < 9; i++)
		argv[i + 5] = o->words[i];
	const struct pty_options options = { .rows = o->rows > 0 ? o->rows : 24, .cols = o->cols > 0 ? o->cols : 80, .argv = argv, .env = o->env,
		                             .is_silent = o->is_silent, .background = o->background };
	return pty_start(&options);
}

void console_leave(struct pty *p)
{
	pty_send(p, "q");
	pty_wait_text(p, "leave pitwall?");
	pty_send(p, "\r");
	int status = pty_wait_exit(p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(pty_is_alternate(p));
	pty_free(p);
}
