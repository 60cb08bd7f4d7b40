/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "collectors/source_services.h"
#include "tests/unit/collectors/source_bench.h"

#define CURSOR "s=e991dd5775894620914f2f7126aae6c1;i=372a;b=0dc874d3fbd44bdbb6fbcfaa27481492;m=24ea327;t=573f280a663fd;x=9ceeb77ef4331563"
#define OOM "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has\n"

/* One log of that name, which lives as long as the bench. */
static const char *the_log[1];
static void watch(struct source_bench *b, const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s", name);
	the_log[0] = path;
	b->settings.logs = the_log;
	b->settings.n_logs = 1;
}

static double counted(const struct source_bench *b, const char *metric, const char *pattern)
{
	char line[512];
	if (pattern != NULL)
		snprintf(line, sizeof line, "%s{log=\"%s\",pattern=\"%s\"} ", metric, b->settings.logs[0], pattern);
	else
		snprintf(line, sizeof line, "%s{log=\"%s\"} ", metric, b->settings.logs[0]);
	const char *at = strstr(buf_text(&b->out.page), line);
	return at != NULL ? strtod(at + strlen(line), NULL) : -1;
}

#define COUNTED(b, pattern, n)                                                             \
	do {                                                                               \
		if (counted(&(b), "pitwall_log_matches_total", pattern) != (n)) {          \
			source_bench_print(&(b));                                          \
			fail_msg("line %d: %s is not %d", __LINE__, (pattern), (int)(n));  \
		}                                                                          \
	} while (0)

static void append(const struct source_bench *b, const char *name, const char *text)
{
	source_bench_file(b, name, "a", text, strlen(text));
}

/* ---- files, through the script ---- */

static void follow_file(bool is_busybox)
{
	struct source_bench b;
	if (!source_bench_open(&b, &log_source, is_busybox))
		skip();
	watch(&b, source_bench_path(&b, "it's; x.log"));
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_non_null(strstr(b.why.text, "it is not there"));
	assert_int_equal(b.out.page.len, 0);

	append(&b, "it's; x.log", "hello\n" OOM);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 1);
	COUNTED(b, "vllm-dead", 0);
	assert_int_equal(b.out.n_events, 0); /* nobody knows how old it is */
	assert_null(strstr(buf_text(&b.said), "hello"));

	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 1);

	/* A line that is being written waits for its end. */
	append(&b, "it's; x.log", OOM "CUDA out of mem");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 2);
	assert_true(source_bench_told(&b, "a GPU has no memory left for what was asked: CUDA out of memory."));
	append(&b, "it's; x.log", "ory\n");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 3);

	/* Rotated: what the old file still got, then the new one. */
	append(&b, "it's; x.log", OOM);
	char old[256];
	snprintf(old, sizeof old, "%s", source_bench_path(&b, "it's; x.log.1"));
	assert_int_equal(rename(source_bench_path(&b, "it's; x.log"), old), 0);
	append(&b, "it's; x.log", OOM OOM);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 6);

	/* Cut down in place. */
	source_bench_file(&b, "it's; x.log", "w", OOM, strlen(OOM));
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 7);
	source_bench_close(&b);
}

static void large_file(bool is_busybox)
{
	struct source_bench b;
	char text[1024];
	if (!source_bench_open(&b, &log_source, is_busybox))
		skip();
	watch(&b, source_bench_path(&b, "big.log"));
	/* Three gigabytes with a hole: only the last 64 KiB are read. */
	append(&b, "big.log", OOM);
	int fd = open(b.settings.logs[0], O_WRONLY);
	assert_int_equal(ftruncate(fd, INT64_C(3) << 30), 0);
	close(fd);
	append(&b, "big.log", "\n" OOM);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 1);
	append(&b, "big.log", OOM);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 2);
	/* More than is read at once: the middle is skipped, and that is said. */
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\n';
	append(&b, "big.log", OOM);
	FILE *f = fopen(b.settings.logs[0], "a");
	for (size_t i = 0; i < 3 * 1024; i++)
		fwrite(text, 1, sizeof text, f);
	fclose(f);
	append(&b, "big.log", OOM);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 3);
	assert_true(counted(&b, "pitwall_log_skipped_bytes_total", NULL) > 1000000);
	/* More matches than are sent. */
	f = fopen(b.settings.logs[0], "a");
	for (size_t i = 0; i < 1000; i++)
		fputs(OOM, f);
	fclose(f);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "cuda-oom", 803);
	assert_true(counted(&b, "pitwall_log_skipped_lines_total", NULL) == 200);
	assert_true(b.out.n_events <= 1);
	source_bench_close(&b);
}

/* ---- units, through the script ---- */

static const char journalctl[] =
	"echo \"$*\" >\"$here/asked\"\n"
	"echo '1700000590.000001 n vllm[1]: EngineDeadError'\n"
	"echo '1700000591.000001 n vllm[1]: -- cursor: s=1;i=1;t=1'\n"
	"echo '-- cursor: " CURSOR "'\n";

static void follow_unit(bool is_busybox)
{
	struct source_bench b;
	char asked[512] = "";
	if (!source_bench_open(&b, &log_source, is_busybox))
		skip();
	watch(&b, "vllm.service");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_string_equal(b.why.text, "log 'vllm.service': there is no journalctl");
	source_bench_tool(&b, "journalctl", journalctl);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "vllm-dead", 1);
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	COUNTED(b, "vllm-dead", 2);
	assert_true(source_bench_told(&b, "vllm.service: vLLM's engine is dead: vllm[1]: EngineDeadError"));
	assert_int_equal(b.out.events[0].wall_ms, 1700000590000);
	FILE *f = fopen(source_bench_path(&b, "asked"), "r");
	assert_non_null(fgets(asked, sizeof asked, f));
	fclose(f);
	assert_string_equal(asked,
	                    "--no-pager -o short-unix --show-cursor --lines=20000 --after-cursor=s=e991dd5775894620914f2f7126aae6c1;i=372a;t=573f280a663fd "
	                           "-u vllm.service\n");
	source_bench_tool(&b, "journalctl",
	                  "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2; echo '-- No entries --'");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_string_equal(b.why.text, "log 'vllm.service': this user may not read the journal: add it to the group 'systemd-journal' or 'adm'");
	source_bench_tool(&b, "journalctl", "echo 'No journal files were found.' >&2; echo '-- No entries --'");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	assert_string_equal(b.why.text, "log 'vllm.service': there is no journal on this machine");
	source_bench_tool(&b, "journalctl", "echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1");
	assert_int_equal(source_bench_ask(&b), ERR_FORMAT);
	source_bench_tool(&b, "journalctl", journalctl); /* a position that was refused is not asked with again */
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	f = fopen(source_bench_path(&b, "asked"), "r");
	assert_non_null(fgets(asked, sizeof asked, f));
	fclose(f);
	assert_non_null(strstr(asked, "--lines=400"));
	source_bench_close(&b);
}

/* Eight logs with long positions fit into what may be asked; a fleet file that was edited does not mix them up. */
static void many_logs(void **state)
{
	(void)state;
	struct source_bench b;
	static const char *const logs[] = { "a.service", "b.service", "c.service", "d.service", "e.service", "f.service", "g.service", "h.service",
	                                    "i.service" };
	static const char *const fewer[] = { "h.service", "new.service", "a.service" };
	assert_true(source_bench_open(&b, &log_source, false));
	b.settings.logs = logs;
	b.settings.n_logs = 9;
	source_bench_tool(&b, "journalctl", journalctl);
	assert_int_equal(source_bench_ask(&b), ERR_LIMIT);
	assert_string_equal(b.why.text, "only the first 8 of 9 logs are read");
	assert_int_equal(source_bench_ask(&b), ERR_LIMIT); /* source_bench_ask looks at the argument's length */
	b.settings.logs = fewer;
	b.settings.n_logs = 3;
	source_bench_tool(&b, "journalctl",
	                  "case \"$*\" in *--after-cursor*'-u h.service'|*--after-cursor*'-u a.service'|*lines=400*'-u new.service') ;;"
	                  " *) echo \"Failed to seek: $*\" ;; esac\n"
	                  "echo '-- cursor: " CURSOR "'");
	assert_int_equal(source_bench_ask(&b), ERR_OK);
	assert_true(source_bench_has(&b, "pitwall_log_matches_total{log=\"h.service\",pattern=\"vllm-dead\"} 2"));
	assert_true(source_bench_has(&b, "pitwall_log_matches_total{log=\"a.service\",pattern=\"vllm-dead\"} 2"));
	assert_true(source_bench_has(&b, "pitwall_log_matches_total{log=\"new.service\",pattern=\"vllm-dead\"} 0"));
	source_bench_close(&b);
}

/* ---- answers ---- */

static void answers_are_judged(void **state)
{
	(void)state;
	/* The tag of "/x" in what the script prints is found by asking once. */
	struct source_bench b;
	char text[2048];
	unsigned tag;
	assert_true(source_bench_open(&b, &log_source, false));
	watch(&b, "/nonexistent/x");
	source_bench_ask(&b);
	assert_int_equal(sscanf(strstr(buf_text(&b.said), "== log "), "== log %2x", &tag), 1);
	static const struct { const char *label, *text, *event; enum err want; double count; } rows[] = {
		{ "a log says marks", "|== at f1.1\n|== log 00\n|" OOM "== at f7.9\n", "CUDA out", ERR_OK, 1 },
		{ "colours and controls", "|\033[31mCUDA out\033[0m of memory\001\n== at f7.9\n", "CUDA out of memory", ERR_OK, 1 },
		{ "odd marks", "== at \n== at f\n== at f.\n== at fx.1\n== at f1.x\n== more -1\n== skipped x\n== zz\n|" OOM, "CUDA", ERR_OK, 1 },
		{ "not ours", "== log zz\n|" OOM, NULL, ERR_FORMAT, 0 },
		{ "an error", "== error it is no plain file\n", NULL, ERR_FORMAT, -1 },
		{ "bytes", "|\xff\xfe" "CUDA out of memory\xc3\n", "CUDA", ERR_OK, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct source_bench c;
		assert_true(source_bench_open(&c, &log_source, false));
		watch(&c, "/nonexistent/x");
		snprintf(text, sizeof text, "== now 1700000600\n== log %02x\n%s", tag, rows[i].text);
		enum err e = source_bench_parse(&c, text, strlen(text), 0, false);
		if (e != rows[i].want || (e == ERR_OK && counted(&c, "pitwall_log_matches_total", "cuda-oom") != rows[i].count) ||
		    (rows[i].event != NULL && !source_bench_told(&c, rows[i].event))) {
			source_bench_print(&c);
			fail_msg("%s: %s", rows[i].label, err_text(e));
		}
		source_bench_close(&c);
	}
	source_bench_close(&b);
}

static void nothing_is_wanted(void **state)
{
	(void)state;
	struct source_bench b;
	struct buf script;
	assert_true(source_bench_open(&b, &log_source, false));
	buf_init(&script, 1 << 20);
	assert_int_equal(log_source.write_script(&b.settings, &script, NULL), ERR_OK);
	assert_int_equal(script.len, 0);
	assert_int_equal(source_bench_parse(&b, "", 0, 0, false), ERR_NOT_FOUND);
	buf_release(&script);
	source_bench_close(&b);
}

static void dash_file(void **state) { (void)state; follow_file(false); }
static void busybox_file(void **state) { (void)state; follow_file(true); }
static void dash_large(void **state) { (void)state; large_file(false); }
static void busybox_large(void **state) { (void)state; large_file(true); }
static void dash_unit(void **state) { (void)state; follow_unit(false); }
static void busybox_unit(void **state) { (void)state; follow_unit(true); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dash_file), cmocka_unit_test(busybox_file), cmocka_unit_test(dash_large), cmocka_unit_test(busybox_large),
		cmocka_unit_test(dash_unit), cmocka_unit_test(busybox_unit), cmocka_unit_test(many_logs), cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(nothing_is_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
