/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs of real machines: this one over its own shell, and one behind a real sshd by both ways of SSH. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "collectors/log_follow.h"
#include "collectors/ssh.h"
#include "tests/unit/collectors/loop_turn.h"
#include "tests/unit/collectors/sshd.h"

struct bench {
	struct loop       *loop;
	struct ssh        *ssh;
	struct transport  *transport;
	struct log_follow *follow;
	char               folder[64], file[96], key[128], config[96];
	const char        *files[1];
	const char        *want;   /* what is waited for */
	enum log_state     state;
	int64_t            pid;
	int                n_changed, n_closed;
	bool               has_closed;
};

static struct sshd *server;

/* ---- doing ---- */

static void on_changed(void *ctx) { ((struct bench *)ctx)->n_changed++; }
static void on_closed(void *ctx) { ((struct bench *)ctx)->has_closed = true; }
static bool is_closed(const void *what) { return ((const struct bench *)what)->has_closed; }

static void append(const struct bench *b, const char *text)
{
	FILE *f = fopen(b->file, "a");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

enum way { LOCAL, LIBSSH2, OPENSSH };

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void open_ssh(struct bench *b, enum way way)
{
	char known[96], text[2048];
	struct why why = { "" };
	snprintf(known, sizeof known, "%s/known", b->folder);
	snprintf(b->config, sizeof b->config, "%s/config", b->folder);
	snprintf(text, sizeof text, "[127.0.0.1]:%d %s\n", sshd_port(server), sshd_host_key(server, "ed25519"));
	write_file(known, text);
	snprintf(text, sizeof text,
	         "Host *\n HostName 127.0.0.1\n Port %d\n User %s\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n"
	         " GlobalKnownHostsFile none\n IdentityAgent none\n StrictHostKeyChecking yes\n",
	         sshd_port(server), sshd_user(server), sshd_user_key(server), known);
	write_file(b->config, text);
	const struct ssh_options o = { .loop = b->loop, .clock = clock_system(), .config_file = b->config, .back_off_ms = 20 };
	assert_int_equal(ssh_new(&o, &b->ssh, &why), ERR_OK);
	const struct ssh_machine_options m = { .destination = "somewhere", .mode = way == OPENSSH ? SSH_MODE_OPENSSH : SSH_MODE_LIBSSH2 };
	assert_int_equal(ssh_transport_new(b->ssh, &m, &b->transport, &why), ERR_OK);
}

static void bench_init(struct bench *b, enum way way)
{
	struct why why = { "" };
	memset(b, 0, sizeof *b);
	snprintf(b->folder, sizeof b->folder, "/tmp/pitwall-logs-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->file, sizeof b->file, "%s/it's a.log", b->folder);
	snprintf(b->key, sizeof b->key, "file:%s", b->file);
	b->files[0] = b->file;
	write_file(b->file, "first\nsecond\n");
	assert_int_equal(loop_new(&b->loop, &why), ERR_OK);
	if (way == LOCAL)
		assert_int_equal(local_transport_new(b->loop, &b->transport, &why), ERR_OK);
	else
		open_ssh(b, way);
	const struct log_follow_options o = { .loop = b->loop, .clock = clock_system(), .transport = b->transport, .back_off_ms = 20,
		                              .wishes = { .logs = b->files, .n_logs = 1 }, .changed = on_changed, .ctx = b };
	if (log_follow_new(&o, &b->follow, &why) != ERR_OK)
		fail_msg("%s", why.text);
}

static void remove_folder(const char *folder)
{
	DIR *d = opendir(folder);
	char path[512];
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%.200s", folder, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(folder);
}

static void bench_release(struct bench *b)
{
	log_follow_free(b->follow);
	transport_close(b->transport, on_closed, b);
	loop_turn_until(b->loop, is_closed, b, "closing the transport");
	b->has_closed = false;
	if (b->ssh != NULL) {
		ssh_close(b->ssh, on_closed, b);
		loop_turn_until(b->loop, is_closed, b, "closing ssh");
	}
	loop_free(b->loop);
	remove_folder(b->folder);
}

/* ---- waiting ---- */

static bool has_line(const struct bench *b, const char *text)
{
	const struct log_ring *r = log_follow_status(b->follow).ring;
	for (uint64_t i = log_ring_first(r); i < log_ring_past(r); i++) {
		struct log_line l = log_ring_at(r, i);
		if (l.n == strlen(text) && memcmp(l.text, text, l.n) == 0)
			return true;
	}
	return false;
}

static bool is_wanted_there(const void *what) { return has_line(what, ((const struct bench *)what)->want); }
static bool is_in_state(const void *what)
{
	const struct bench *b = what;
	return log_follow_status(b->follow).state == b->state;
}

static void wait_line(struct bench *b, const char *text)
{
	b->want = text;
	loop_turn_until(b->loop, is_wanted_there, b, text);
}

static void wait_state(struct bench *b, enum log_state s, const char *label)
{
	b->state = s;
	loop_turn_until(b->loop, is_in_state, b, label);
}

static void choose(struct bench *b, const char *key)
{
	struct why why = { "" };
	if (log_follow_choose(b->follow, key, &why) != ERR_OK)
		fail_msg("%s", why.text);
}

/* The process whose command line holds `words`; 0: none. */
static int64_t find_process(const char *words)
{
	DIR *d = opendir("/proc");
	int64_t found = 0;
	for (struct dirent *e; d != NULL && found == 0 && (e = readdir(d)) != NULL;) {
		char path[64], text[4096];
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/cmdline", e->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
		if (fd >= 0)
			close(fd);
		for (ssize_t i = 0; i < n; i++)
			text[i] = text[i] != '\0' ? text[i] : ' ';
		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, words) != NULL)
			found = strtol(e->d_name, NULL, 10);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

static bool is_gone(const void *what) { return find_process(((const struct bench *)what)->want) == 0; }

/* What it takes to see that `tail` of this file has ended. */
static void tail_words(const struct bench *b, char to[160])
{
	snprintf(to, 160, "tail -n 500 -F -- %s", b->file);
}

/* ---- tests ---- */

static void follows_by(enum way way)
{
	struct bench b;
	char moved[128], words[160];
	bench_init(&b, way);
	wait_state(&b, LOG_LISTED, "the list");
	struct log_status s = log_follow_status(b.follow);
	assert_true(s.is_list);
	assert_string_equal(s.list->items[0].key, b.key);
	assert_string_equal(s.list->items[0].note, "13 bytes");
	choose(&b, b.key);
	wait_line(&b, "second");
	assert_true(has_line(&b, "first"));
	assert_int_equal(log_follow_status(b.follow).state, LOG_FOLLOWING);
	append(&b, "third\n\033[31mfourth\033[0m\n");
	wait_line(&b, "fourth");
	snprintf(moved, sizeof moved, "%s.1", b.file); /* it is rotated */
	assert_int_equal(rename(b.file, moved), 0);
	append(&b, "of the new file\n");
	wait_line(&b, "of the new file");
	tail_words(&b, words);
	assert_true(find_process(words) > 0);
	log_follow_leave(b.follow); /* what runs there ends */
	b.want = words;
	loop_turn_until(b.loop, is_gone, &b, "tail ends when it is left");
	wait_state(&b, LOG_LISTED, "the list again");
	choose(&b, b.key);
	wait_line(&b, "of the new file");
	assert_false(has_line(&b, "first"));
	assert_true(find_process(words) > 0);
	bench_release(&b); /* and when all ends */
	memset(&b, 0, sizeof b);
	struct why why = { "" };
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	b.want = words;
	loop_turn_until(b.loop, is_gone, &b, "tail ends with the follower");
	loop_free(b.loop);
}

static void this_machine_s_files(void **state)
{
	(void)state;
	follows_by(LOCAL);
}

static void needs_server(void)
{
	if (server == NULL || !sshd_has_shell(server)) {
		print_message("no sshd here, or this account has no shell\n");
		skip();
	}
}

static void another_s_by_ssh(void **state)
{
	(void)state;
	needs_server();
	follows_by(LIBSSH2);
}

static void another_s_by_openssh(void **state)
{
	(void)state;
	needs_server();
	follows_by(OPENSSH);
}

/* The parent of a process, and whether it is sshd; 0: none. */
static int64_t parent_of(int64_t pid, bool *is_sshd)
{
	char path[64], line[256];
	long parent = 0;
	snprintf(path, sizeof path, "/proc/%lld/status", (long long)pid);
	FILE *f = fopen(path, "r");
	*is_sshd = false;
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		*is_sshd |= strncmp(line, "Name:\tsshd", 10) == 0;
		if (strncmp(line, "PPid:", 5) == 0)
			parent = strtol(line + 5, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return parent;
}

/* Ends what carries a command that came over SSH, and not the command. */
static void cut_connection_of(int64_t pid)
{
	bool is_sshd = false;
	while (pid > 1 && !is_sshd) {
		int64_t parent = parent_of(pid, &is_sshd);
		if (is_sshd)
			assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
		pid = parent;
	}
	assert_true(is_sshd);
}

static void a_cut_connection_is_made_again(void **state)
{
	struct bench b;
	char words[160];
	(void)state;
	needs_server();
	bench_init(&b, LIBSSH2);
	wait_state(&b, LOG_LISTED, "the list");
	choose(&b, b.key);
	wait_line(&b, "second");
	tail_words(&b, words);
	cut_connection_of(find_process(words));
	wait_line(&b, "the connection ended");
	append(&b, "meanwhile\n");
	wait_line(&b, "meanwhile");
	assert_int_equal(log_follow_status(b.follow).state, LOG_FOLLOWING);
	bench_release(&b);
}

static void one_that_ends_is_begun_by_hand(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b, LOCAL);
	wait_state(&b, LOG_LISTED, "the list");
	choose(&b, b.key);
	wait_line(&b, "second");
	char words[160];
	tail_words(&b, words);
	int64_t pid = find_process(words);
	assert_true(pid > 0);
	assert_int_equal(kill((pid_t)pid, SIGTERM), 0);
	wait_state(&b, LOG_ENDED, "it ended");
	struct log_status s = log_follow_status(b.follow);
	assert_int_equal(s.reach, REACH_OK);
	assert_non_null(strstr(s.text, "ended there"));
	assert_true(has_line(&b, "the command ended there"));
	log_follow_again(b.follow);
	wait_state(&b, LOG_FOLLOWING, "it is begun again");
	append(&b, "later\n");
	wait_line(&b, "later");
	bench_release(&b);
}

static void what_cannot_be_read_is_said(void **state)
{
	struct bench b;
	(void)state;
	bench_init(&b, LOCAL);
	wait_state(&b, LOG_LISTED, "the list");
	struct why why = { "" };
	assert_int_equal(log_follow_choose(b.follow, "file:/etc/shadow", &why), ERR_NOT_FOUND); /* only what is in the list */
	assert_non_null(strstr(why.text, "/etc/shadow"));
	assert_int_equal(unlink(b.file), 0);
	choose(&b, b.key);
	wait_state(&b, LOG_FOLLOWING, "tail waits for the file");
	append(&b, "here it is\n");
	wait_line(&b, "here it is");
	bench_release(&b);
}

static bool has_skipped(const void *what)
{
	const struct bench *b = what;
	struct log_status s = log_follow_status(b->follow);
	return s.ring != NULL && log_ring_skipped(s.ring) > 100000;
}

/* It is measured between turns, of which a flood may be over in one. */
static bool has_rate(const void *what)
{
	append(what, "one more\n");
	return log_follow_status(((const struct bench *)what)->follow).rate > 0;
}

/* As fast as this machine can: memory and the length of a turn stay what they are. */
static void a_flood_is_survived(void **state)
{
	struct bench b;
	char command[256];
	(void)state;
	bench_init(&b, LOCAL);
	wait_state(&b, LOG_LISTED, "the list");
	choose(&b, b.key);
	wait_line(&b, "second");
	snprintf(command, sizeof command, "%s", b.file);
	int fd = open(command, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	static char text[1024 * 1024];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 26);
	for (int i = 0; i < 32; i++)
		assert_int_equal(write(fd, text, sizeof text), sizeof text);
	close(fd);
	loop_turn_until(b.loop, has_skipped, &b, "lines are skipped");
	append(&b, "the flood is over\n");
	wait_line(&b, "the flood is over");
	loop_turn_until(b.loop, has_rate, &b, "a rate is told");
	const struct log_ring *r = log_follow_status(b.follow).ring;
	assert_true(log_ring_past(r) - log_ring_first(r) <= LOG_RING_LINES);
	assert_true(log_ring_came(r) >= 32 * sizeof text / 64);
	bench_release(&b);
}

static bool has_ended_badly(const void *what)
{
	const struct bench *b = what;
	return log_follow_status(b->follow).state == LOG_WAITING;
}

static void a_machine_that_is_not_there_is_told_of(void **state)
{
	struct bench b;
	struct why why = { "" };
	(void)state;
	memset(&b, 0, sizeof b);
	assert_int_equal(loop_new(&b.loop, &why), ERR_OK);
	snprintf(b.folder, sizeof b.folder, "/tmp/pitwall-logs-XXXXXX");
	assert_non_null(mkdtemp(b.folder));
	snprintf(b.config, sizeof b.config, "%s/config", b.folder);
	write_file(b.config, "Host *\n HostName 127.0.0.1\n Port 1\n IdentityFile /nonexistent\n IdentitiesOnly yes\n IdentityAgent none\n");
	const struct ssh_options o = { .loop = b.loop, .clock = clock_system(), .config_file = b.config, .back_off_ms = 20 };
	assert_int_equal(ssh_new(&o, &b.ssh, &why), ERR_OK);
	const struct ssh_machine_options m = { .destination = "somewhere", .mode = SSH_MODE_LIBSSH2 };
	assert_int_equal(ssh_transport_new(b.ssh, &m, &b.transport, &why), ERR_OK);
	const struct log_follow_options f = { .loop = b.loop, .clock = clock_system(), .transport = b.transport, .changed = on_changed, .ctx = &b };
	assert_int_equal(log_follow_new(&f, &b.follow, &why), ERR_OK);
	loop_turn_until(b.loop, has_ended_badly, &b, "nothing listens there");
	struct log_status s = log_follow_status(b.follow);
	assert_int_equal(s.reach, REACH_REFUSED);
	assert_true(s.retry_ms <= 1000);
	assert_true(s.is_list);
	bench_release(&b);
}

static int start(void **state)
{
	struct why why = { "" };
	(void)state;
	if (sshd_is_there() && sshd_start(&(struct sshd_options){ .host_keys = NULL }, &server, &why) != ERR_OK) {
		print_error("%s\n", why.text);
		return 1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	sshd_stop(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_machine_s_files),
		cmocka_unit_test(another_s_by_ssh),
		cmocka_unit_test(another_s_by_openssh),
		cmocka_unit_test(a_cut_connection_is_made_again),
		cmocka_unit_test(one_that_ends_is_begun_by_hand),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(a_flood_is_survived),
		cmocka_unit_test(a_machine_that_is_not_there_is_told_of),
	};
	return cmocka_run_group_tests(tests, start, end);
}
