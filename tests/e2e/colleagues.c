/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/e2e/colleagues.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/small_fleet.h"

enum { DEADLINE_MS = 60 * 1000, ROWS = 24, COLS = 140 /* comments have room */ };

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void colleagues_add_alert(const char *config, const char *rules, const char *alert)
{
	FILE *to = fopen(rules, "w");
	assert_non_null(to);
	fprintf(to, "groups:\n- name: own\n  interval: 1s\n  rules:\n  - { alert: %s, expr: vector(1), labels: { severity: critical } }\n", alert);
	assert_int_equal(fclose(to), 0);
	to = fopen(config, "a");
	assert_non_null(to);
	fprintf(to, "alerts: { builtin: false }\nrules: [ '%s' ]\n", rules);
	assert_int_equal(fclose(to), 0);
}

static pid_t start_recorder(const char *config, const char *store)
{
	const char *argv[] = { pitwall_path(), "record", "--config", config, "--store", store, NULL };
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

/* It makes that folder when the store is its own: consoles that come later don't record. */
static void wait_for_requests(const char *store)
{
	char path[256];
	int64_t deadline = now_us() + DEADLINE_MS * 1000;
	snprintf(path, sizeof path, "%s-requests", store);
	while (access(path, F_OK) != 0) {
		if (now_us() > deadline)
			fail_msg("nobody records '%s'", store);
		poll(NULL, 0, 10);
	}
}

void colleagues_see(struct colleagues *c, const char *text, int64_t seen_us[COLLEAGUES])
{
	int64_t deadline = now_us() + DEADLINE_MS * 1000;
	memset(seen_us, 0, COLLEAGUES * sizeof *seen_us);
	for (int left = COLLEAGUES; left > 0; poll(NULL, 0, left > 0)) {
		for (int i = 0; i < COLLEAGUES; i++) {
			while (pty_pump(c->consoles[i], 0))
				;
			if (seen_us[i] == 0 && pty_has_text(c->consoles[i], text)) {
				seen_us[i] = now_us();
				left--;
			}
			if (seen_us[i] == 0 && now_us() > deadline)
				pty_wait_text(c->consoles[i], text); /* says what it shows instead */
		}
	}
}

static void press(struct colleagues *c, const char *keys)
{
	for (int i = 0; i < COLLEAGUES; i++)
		pty_send(c->consoles[i], keys);
}

void colleagues_start(struct colleagues *c, const char *config, const char *store, const char *alert)
{
	const char *const argv[] = { pitwall_path(), "--config", config, "--store", store, NULL };
	const struct pty_options o = { .rows = ROWS, .cols = COLS, .argv = argv };
	int64_t at_us[COLLEAGUES];
	c->recorder = start_recorder(config, store);
	wait_for_requests(store);
	for (int i = 0; i < COLLEAGUES; i++)
		c->consoles[i] = pty_start(&o);
	colleagues_see(c, "FLEET", at_us);
	press(c, "2");
	colleagues_see(c, alert, at_us);
	colleagues_see(c, "nobody", at_us);
}

void colleagues_leave(struct colleagues *c)
{
	int64_t at_us[COLLEAGUES];
	int status;
	press(c, "1"); /* `q` leaves from there */
	colleagues_see(c, "FLEET", at_us);
	for (int i = 0; i < COLLEAGUES; i++)
		console_leave(c->consoles[i]);
	kill(c->recorder, SIGTERM);
	assert_int_equal(waitpid(c->recorder, &status, 0), c->recorder);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int64_t answer_dialog(struct pty *p, const char *key, const char *question, const char *words)
{
	pty_send(p, key);
	pty_wait_text(p, question);
	pty_send(p, words);
	pty_wait_taken(p);
	int64_t at_us = now_us();
	pty_send(p, "\r");
	return at_us;
}

int64_t colleagues_acknowledge(struct colleagues *c, int who, const char *comment)
{
	pty_wait_no_text(c->consoles[who], "take back"); /* the dialog of before */
	return answer_dialog(c->consoles[who], "a", "acknowledge 1 alert", comment);
}

int64_t colleagues_unacknowledge(struct colleagues *c, int who)
{
	pty_wait_no_text(c->consoles[who], "acknowledge 1 alert");
	pty_wait_no_text(c->consoles[who], "nobody");
	return answer_dialog(c->consoles[who], "u", "take back", "");
}
