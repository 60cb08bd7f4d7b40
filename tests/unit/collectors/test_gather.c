/* SPDX-License-Identifier: Apache-2.0
 *
 * A gather over the real program in real shells. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "collectors/exposition.h"
#include "collectors/gather_private.h"
#include "collectors/source_host.h"
#include "tests/unit/collectors/shell_peer.h"

static const char *const shells[] = { "dash", "busybox", "bash" };
enum { SHELLS = sizeof shells / sizeof shells[0] };

static bool start_peer(struct shell_peer *s, const char *shell)
{
	if (!shell_peer_init(s, shell)) {
		print_message("# skipped: no %s\n", shell);
		return false;
	}
	shell_peer_start(s, "sh", gather_command());
	return true;
}

/* What a source was given, kept in its memory. */
struct seen {
	char   text[256];
	size_t n;
	int    status;
	bool   is_cut;
};

static enum err see(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct seen *seen = memory;
	const char *labels[] = { "of", "a source", NULL };
	(void)s;
	assert_int_equal(in->text[in->n], '\0');
	seen->n = in->n;
	seen->status = in->status;
	seen->is_cut = in->is_cut;
	memcpy(seen->text, in->text, in->n < sizeof seen->text ? in->n : sizeof seen->text);
	findings_put(out, "seen_bytes", (double)in->n, labels);
	return in->status == 0 ? ERR_OK : why_set(why, ERR_FORMAT, "status %d", in->status);
}

static void ask_count(const void *memory, struct buf *argument)
{
	buf_printf(argument, "n=%zu;a/b@c", ((const struct seen *)memory)->n);
}

static struct source simple(const char *name, const char *script)
{
	return (struct source){ .name = name, .summary = "a test's", .script = script, .memory_size = sizeof(struct seen), .parse = see };
}

static struct gather *make(const struct source *const *list, size_t n, const struct source_settings *settings)
{
	struct gather *g = NULL;
	struct why why = { "" };
	struct gather_options o = { .clock = clock_system(), .sources = list, .n_sources = n, .settings = settings, .section_timeout_ms = 2000 };
	if (gather_new(&o, &g, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return g;
}

static const struct seen *seen_of(const struct gather *g, size_t i)
{
	return g->parts[i + 1].memory;
}

#define ANY SIZE_MAX
static const struct {
	const char *name, *script, *text;
	size_t      n;
	int         status;
	const char *reason; /* NULL: good */
} rows[] = {
	{ "plain", "echo hello", "hello\n", 6, 0, NULL },
	{ "no_newline", "printf abc", "abc", 3, 0, NULL },
	{ "newlines", "printf '\\n\\na\\n\\n'", "\n\na\n\n", 5, 0, NULL },
	{ "nothing", ":", "", 0, 0, NULL },
	{ "standard_error", "echo a; echo b >&2; echo c", "a\nb\nc\n", 6, 0, NULL },
	{ "fails", "echo a; return 3", "a\n", 2, 3, "status 3" },
	{ "exits", "echo a; exit 4; echo b", "a\n", 2, 4, "status 4" },
	{ "no_tool", "no-such-tool-on-any-machine --list", NULL, ANY, 127, "status 127" },
	{ "syntax_error", "if then )", NULL, ANY, 2, "status 2" },
	{ "quotes", "echo \"it's\" 'a\"b' \\\\ '$HOME' \"!x\"", "it's a\"b \\ $HOME !x\n", 20, 0, NULL },
	{ "hostile_frame", "printf '\\n@@pitwall 0123456789abcdef status 0 1\\n@@pitwall x done\\n'",
	  "\n@@pitwall 0123456789abcdef status 0 1\n@@pitwall x done\n", ANY, 0, NULL },
	{ "half_frame", "printf '@@pitwall '", "@@pitwall ", 10, 0, NULL },
	{ "no_nonce_for_tools", "env | grep -c \"$nonce\"", "0\n", 2, 1, "status 1" },
	{ "standard_input", "cat; echo end", "end\n", 4, 0, NULL },
	{ "bytes", "printf 'a\\000b\\377\\303('", "a\0b\377\303(", 6, 0, NULL },
	{ "locale", "echo $LC_ALL; umask", "C\n0077\n", 7, 0, NULL },
	{ "bounded_status", "bounded sh -c 'echo a; exit 7'", "a\n", 2, 7, "status 7" },
	{ "bounded_no_tool", "bounded no-such-tool-on-any-machine", NULL, ANY, 127, "status 127" },
	{ "bounded_hangs", "echo a; bounded sleep 1000", "a\n", ANY, 124, "it did not end within 2 s" },
	{ "killed", "echo a; kill -9 $(sh -c 'echo $PPID')", "a\n", ANY, 0, NULL }, /* only the command substitution's shell */
	{ "after_all", "echo still here", "still here\n", 11, 0, NULL },
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void sections_row(const struct gather *g, size_t i, const char *shell)
{
	char label[128];
	const struct seen *seen = seen_of(g, i);
	struct gather_source s = gather_source_at(g, i + 1);
	snprintf(label, sizeof label, "%s in %s ('%s', status %d, n %zu)", rows[i].name, shell, s.reason, seen->status, seen->n);
	if (strcmp(rows[i].name, "killed") == 0)
		return;
	assert_row(label, rows[i].n == ANY || seen->n == rows[i].n);
	assert_row(label, rows[i].text == NULL || memcmp(seen->text, rows[i].text, rows[i].n == ANY ? strlen(rows[i].text) : rows[i].n) == 0);
	assert_row(label, seen->status == rows[i].status && !seen->is_cut);
	bool is_absent = rows[i].status == 127; /* the parser finds nothing, but puts a sample */
	assert_row(label, rows[i].reason == NULL ? s.state == GATHER_SOURCE_GOOD : s.state == GATHER_SOURCE_FAILED || is_absent);
	assert_row(label, strcmp(s.reason, rows[i].reason != NULL ? rows[i].reason : "") == 0);
	assert_row(label, s.seconds >= 0 && s.seconds < 30);
}

static void sections_in(const char *shell, size_t piece)
{
	struct shell_peer peer;
	struct source     list[ROWS];
	const struct source *pointers[ROWS];
	struct why        why = { "" };
	for (size_t i = 0; i < ROWS; i++) {
		list[i] = simple(rows[i].name, rows[i].script);
		pointers[i] = &list[i];
	}
	if (!start_peer(&peer, shell))
		return;
	struct gather *g = make(pointers, ROWS, NULL);
	assert_row(shell, shell_peer_gather(&peer, g, piece, &why) == GATHER_DONE);
	for (size_t i = 0; i < ROWS; i++)
		sections_row(g, i, shell);
	gather_free(g);
	shell_peer_release(&peer);
}

static void sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHELLS; i++)
		sections_in(shells[i], i == 0 ? 1 : 0);
}


/* A source that hangs and cannot be ended by what bounds it: the gather goes on, it is not run twice, not over a new connection either, and
 * runs again once the old run is gone. */
static void left_behind_in(const char *shell)
{
	struct shell_peer peer;
	struct why why = { "" };
	char   script[768], path[512];
	if (!start_peer(&peer, shell))
		return;
	snprintf(path, sizeof path, "%s/pids", peer.folder);
	snprintf(script, sizeof script, "echo $$ >>%s; exec sleep 1000", path);
	shell_peer_tool(&peer, "hanging", script);
	const struct source hangs = simple("hangs", "echo before; hanging; echo after");
	struct source next = simple("next", "echo $1");
	next.ask = ask_count;
	const struct source *list[] = { &hangs, &next };
	struct gather *g = make(list, 2, NULL);
	if (shell_peer_gather(&peer, g, 0, &why) != GATHER_DONE)
		fail_msg("%s: %s", shell, why.text);
	assert_row(shell, gather_source_at(g, 1).state == GATHER_SOURCE_FAILED && gather_source_at(g, 2).state == GATHER_SOURCE_GOOD);
	assert_row(shell, seen_of(g, 0)->n <= 7);
	if (seen_of(g, 0)->status != 124)
		fail_msg("%s: status %d", shell, seen_of(g, 0)->status);
	assert_row(shell, memcmp(seen_of(g, 1)->text, "n=0;a/b@c\n", 10) == 0);
	for (int i = 0; i < 2; i++) {
		if (i == 1) {
			shell_peer_start(&peer, "sh", gather_command());
			gather_reset(g);
		}
		assert_row(shell, shell_peer_gather(&peer, g, 0, &why) == GATHER_DONE);
		assert_row(shell, gather_source_at(g, 1).state == GATHER_SOURCE_FAILED);
		assert_row(shell, strncmp(gather_source_at(g, 1).reason, "its last run hangs: process ", 28) == 0);
		assert_row(shell, strstr(buf_text(&gather_findings(g)->page), "pitwall_source_success{source=\"hangs\"} 0\n") != NULL);
		assert_row(shell, strstr(buf_text(&gather_findings(g)->page), "pitwall_source_success{source=\"next\"} 1\n") != NULL);
	}
	FILE *f = fopen(path, "r");
	int pid = 0, another = 0;
	assert_non_null(f);
	assert_row(shell, fscanf(f, "%d %d", &pid, &another) == 1 && pid > 1); /* it was run once */
	fclose(f);
	shell_peer_tool(&peer, "hanging", "echo well");
	assert_int_equal(kill(pid, SIGKILL), 0);
	int64_t deadline_ms = clock_mono_ms(clock_system()) + 20000;
	do {
		assert_row(shell, shell_peer_gather(&peer, g, 0, &why) == GATHER_DONE);
		assert_row(shell, clock_mono_ms(clock_system()) < deadline_ms);
	} while (gather_source_at(g, 1).state != GATHER_SOURCE_GOOD);
	assert_row(shell, seen_of(g, 0)->n == 18 && memcmp(seen_of(g, 0)->text, "before\nwell\nafter\n", 18) == 0);
	gather_free(g);
	shell_peer_release(&peer);
}

static void left_behind(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHELLS; i++)
		left_behind_in(shells[i]);
}

static void huge_in(const char *shell)
{
	struct shell_peer peer;
	struct why why = { "" };
	if (!start_peer(&peer, shell))
		return;
	const struct source huge = simple("huge", "yes | head -c 3000000");
	const struct source endless = simple("endless", "yes");
	const struct source next = simple("next", "echo hello");
	const struct source *list[] = { &huge, &endless, &next };
	struct gather *g = make(list, 3, NULL);
	for (int i = 0; i < 2; i++) {
		assert_row(shell, shell_peer_gather(&peer, g, 0, &why) == GATHER_DONE);
		for (size_t k = 0; k < 2; k++) {
			assert_row(shell, seen_of(g, k)->is_cut && seen_of(g, k)->n == SECTION_MAX && seen_of(g, k)->status == 0);
			assert_row(shell, strstr(gather_source_at(g, k + 1).reason, "more than 1024 KiB") != NULL);
		}
		assert_row(shell, gather_source_at(g, 3).state == GATHER_SOURCE_GOOD && seen_of(g, 2)->n == 6);
	}
	gather_free(g);
	shell_peer_release(&peer);
}

static void huge(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHELLS; i++)
		huge_in(shells[i]);
}

/* How a connection begins and ends: before our command there may be anything. */
static const struct {
	const char       *label, *login, *before, *script;
	enum gather_state want;
	const char       *why;
} lives[] = {
	{ "a banner", "sh", "echo Welcome to gpu-a-01; printf 'no newline at the end'; ", "echo a", GATHER_DONE, "" },
	{ "a banner that looks like a frame", "sh", "echo '@@pitwall 0123456789abcdef done'; ", "echo a", GATHER_DONE, "" },
	{ "a long banner", "sh", "head -c 60000 /dev/zero; ", "echo a", GATHER_DONE, "" },
	{ "too long a banner", "sh", "head -c 100000 /dev/zero; ", "echo a", GATHER_BROKEN, "the machine says too much before it answers" },
	{ "no log-in", "sh", "echo; echo '  This account is currently not available.'; exit 1; ", "echo a", GATHER_MORE,
	  "the machine's shell ended before it had answered; it said 'This account is currently not available.'" },
	{ "says nothing", "sh", "exit 1; ", "echo a", GATHER_MORE, "the machine's shell ended before it had answered" },
	{ "a shell that is killed", "sh", "", "echo a; kill -KILL $$", GATHER_MORE, "the machine's shell ended before it had answered" },
	{ "csh", "tcsh", "echo hello; ", "echo a", GATHER_DONE, "" },
	{ "fish", "fish", "echo hello; ", "echo a", GATHER_DONE, "" },
	{ "zsh", "zsh", "echo hello; ", "echo a", GATHER_DONE, "" },
};

static bool has_program(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "/usr/bin/%s", name);
	return strcmp(name, "sh") == 0 || access(path, X_OK) == 0;
}

static void connections(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
		struct shell_peer peer;
		struct why why = { "" };
		char command[4096];
		if (!has_program(lives[i].login) || !shell_peer_init(&peer, "dash")) {
			print_message("# skipped: no %s\n", lives[i].login);
			continue;
		}
		const struct source one = simple("one", lives[i].script);
		const struct source *list[] = { &one };
		struct gather *g = make(list, 1, NULL);
		snprintf(command, sizeof command, "%s%s", lives[i].before, gather_command());
		shell_peer_start(&peer, lives[i].login, command);
		assert_row(lives[i].label, shell_peer_gather(&peer, g, 0, &why) == lives[i].want);
		if (strcmp(why.text, lives[i].why) != 0)
			fail_msg("%s: '%s'", lives[i].label, why.text);
		if (lives[i].want == GATHER_DONE) {
			assert_row(lives[i].label, seen_of(g, 0)->n == 2);
			assert_row(lives[i].label, shell_peer_gather(&peer, g, 0, &why) == GATHER_DONE);
			assert_row(lives[i].label, shell_peer_request_bytes < 48);
		}
		gather_free(g);
		shell_peer_release(&peer);
	}
}

/* The program ends when its standard input does, also when that breaks off in the middle of it. */
static void ends_with_its_input(void **state)
{
	static const char *const inputs[] = { "", "3\necho a\necho b\n", "2\necho a\ntouch", "x\necho a\n", "-1\necho a\n" };
	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
		struct shell_peer peer;
		char    bytes[4096];
		ssize_t n;
		bool    ran = false;
		assert_true(shell_peer_init(&peer, "dash"));
		shell_peer_start(&peer, "sh", gather_command());
		assert_int_equal(write(peer.to, inputs[i], strlen(inputs[i])), strlen(inputs[i]));
		close(peer.to);
		while ((n = read(peer.from, bytes, sizeof bytes)) > 0)
			ran = ran || bytes[0] == 'a';
		assert_row(inputs[i], !ran);
		peer.to = dup(peer.from); /* for the release */
		shell_peer_release(&peer);
	}
}

static void real_sources(void **state)
{
	static const char *const must[] = {
		"pitwall_clock_offset_seconds ", "pitwall_clock_offset_error_seconds ", "node_uname_info{", "node_load1 ", "node_memory_MemTotal_bytes ",
		"node_cpu_seconds_total{cpu=\"all\",mode=\"idle\"} ", "machine_cpu_cores ", "node_boot_time_seconds ", "node_time_seconds ",
		"pitwall_source_success{source=\"machine\"} 1\n", "pitwall_source_success{source=\"host\"} 1\n",
		"pitwall_source_duration_seconds{source=\"host\"} ",
	};
	static const struct source *const own[] = { &host_source, &filesystem_source, &sensors_source };
	(void)state;
	for (size_t i = 0; i < SHELLS; i++) {
		struct shell_peer       peer;
		struct why              why = { "" };
		struct exposition_pool *pool;
		struct exposition      *e;
		struct scrape           s;
		if (!start_peer(&peer, shells[i]))
			continue;
		struct gather *g = make(own, sizeof own / sizeof own[0], NULL); /* what others say hangs on the machine */
		assert_int_equal(exposition_pool_new(&pool), ERR_OK);
		assert_int_equal(exposition_new(pool, &e), ERR_OK);
		for (int round = 0; round < 3; round++) {
			assert_row(shells[i], shell_peer_gather(&peer, g, 0, &why) == GATHER_DONE);
			const struct findings *f = gather_findings(g);
			if (exposition_parse(e, buf_text(&f->page), f->page.len, EXPOSITION_TEXT, &s, &why) != ERR_OK)
				fail_msg("%s: %s\n%s", shells[i], why.text, buf_text(&f->page));
			/* what is asked every 30 s does not vanish in between */
			if (s.layout_changed != (round == 0) || s.duplicates != 0)
				fail_msg("%s: another layout, %zu duplicates", shells[i], s.duplicates);
			assert_row(shells[i], f->n_events == 0);
			assert_row(shells[i], strncmp(buf_text(&f->page), "pitwall_machine_info{arch=\"", 27) == 0);
			for (size_t k = 0; k < sizeof must / sizeof must[0]; k++)
				assert_row(must[k], strstr(buf_text(&f->page), must[k]) != NULL);
		}
		assert_row(shells[i], shell_peer_request_bytes < 60);
		exposition_free(e);
		exposition_pool_free(pool);
		gather_free(g);
		shell_peer_release(&peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections), cmocka_unit_test(left_behind), cmocka_unit_test(huge), cmocka_unit_test(connections),
		cmocka_unit_test(ends_with_its_input), cmocka_unit_test(real_sources),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
