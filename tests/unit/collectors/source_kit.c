/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collectors/source_kit.h"

#include "collectors/exposition.h"
#include "collectors/source_nvidia.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP_MS = 10000 };
static const int64_t START_MS = INT64_C(1790000000000);

const char *const kit_shells[] = { "dash", "busybox", "sh", NULL };

static struct buf asked, said;

void kit_open(struct kit *k, const struct source *source)
{
	*k = (struct kit){ .source = source, .now_ms = START_MS };
	k->memory = calloc(1, source->memory_size == 0 ? 1 : source->memory_size);
	assert_non_null(k->memory);
	findings_init(&k->found);
}

void kit_close(struct kit *k)
{
	if (k->source->forget != NULL)
		k->source->forget(k->memory);
	free(k->memory);
	findings_release(&k->found);
	buf_release(&asked);
	buf_release(&said);
}

static void check_page(const struct kit *k)
{
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape           s;
	struct why              why = { "" };
	assert_int_equal(exposition_pool_new(&pool), ERR_OK);
	assert_int_equal(exposition_new(pool, &e), ERR_OK);
	if (exposition_parse(e, buf_text(&k->found.page), k->found.page.len, EXPOSITION_TEXT, &s, &why) != ERR_OK)
		fail_msg("%s: %s", why.text, buf_text(&k->found.page));
	if (s.duplicates != 0)
		fail_msg("a series stands twice in: %s", buf_text(&k->found.page));
	exposition_free(e);
	exposition_pool_free(pool);
}

void kit_read(struct kit *k, const char *text, int status)
{
	struct source_settings none = { .n_units = 0 };
	struct section         in = { .text = text, .n = strlen(text), .status = status, .asked_ms = k->now_ms, .answered_ms = k->now_ms + 200 };
	findings_clear(&k->found);
	k->why.text[0] = '\0';
	k->e = k->source->parse(&in, &none, k->memory, &k->found, &k->why);
	if (k->e != ERR_OK)
		assert_true(k->why.text[0] != '\0');
	k->now_ms += STEP_MS;
	check_page(k);
}

const char *kit_ask(const struct kit *k)
{
	buf_release(&asked);
	buf_init(&asked, 512); /* what collectors/source.h allows */
	if (k->source->ask != NULL)
		k->source->ask(k->memory, &asked);
	assert_int_equal(asked.err, ERR_OK);
	return buf_text(&asked);
}

void kit_check_answers(const struct source *source, const struct kit_answer *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct kit k;
		kit_open(&k, source);
		kit_read(&k, rows[i].text, rows[i].status);
		if (k.e != rows[i].e || strstr(k.why.text, rows[i].why) == NULL)
			fail_msg("%s: %d, '%s'", rows[i].label, (int)k.e, k.why.text);
		assert_row(rows[i].label, kit_ask(&k)[0] == '\0');
		kit_close(&k);
	}
}

static const char *find_line(const struct kit *k, const char *begins, const char *end)
{
	const char *page = buf_text(&k->found.page);
	size_t      n = strlen(begins);
	for (const char *p = page; *p != '\0'; p = strchr(p, '\n') + 1)
		if (strncmp(p, begins, n) == 0 && strncmp(p + n, end, strlen(end)) == 0)
			return p;
	return NULL;
}

bool kit_has(const struct kit *k, const char *line)
{
	return find_line(k, line, "\n") != NULL;
}

bool kit_has_metric(const struct kit *k, const char *begins)
{
	return find_line(k, begins, "") != NULL;
}

const struct finding *kit_event(const struct kit *k, const char *part)
{
	for (size_t i = 0; i < k->found.n_events; i++)
		if (strstr(k->found.events[i].text, part) != NULL)
			return &k->found.events[i];
	return NULL;
}

/* ---- tools ---- */

void kit_tools_open(struct kit_tools *t)
{
	snprintf(t->folder, sizeof t->folder, "/tmp/pitwall-tools-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
}

void kit_tools_close(struct kit_tools *t)
{
	DIR *d = opendir(t->folder);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	assert_int_equal(rmdir(t->folder), 0);
}

void kit_tools_put(const struct kit_tools *t, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", t->folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static char *read_file(const char *path)
{
	enum { MOST = 1 << 20 };
	FILE *in = fopen(path, "r");
	char *text = calloc(1, MOST + 1);
	assert_non_null(text);
	if (in == NULL)
		return text;
	assert_true(fread(text, 1, MOST, in) < MOST);
	fclose(in);
	return text;
}

char *kit_tools_read(const struct kit_tools *t, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", t->folder, name);
	return read_file(path);
}

char *kit_sample(const char *file)
{
	const char *shared = getenv("PITWALL_SHARED");
	char        path[1024];
	snprintf(path, sizeof path, "%s/samples/%s", shared == NULL ? "/nonexistent" : shared, file);
	if (access(path, R_OK) != 0) {
		print_message("# skipped: no '%s' (set PITWALL_SHARED)\n", path);
		return NULL;
	}
	return read_file(path);
}

/* ---- nvidia-smi, as captured ---- */

/* The value of one of our fields in a capture of --format=csv: under the same name, but for older spellings, without its unit. */
static bool find_cell(const char *header, const char *row, const char *field, char *to, size_t size)
{
	struct slice h = slice_of(header), r = slice_of(row), name, cell, unit;
	while (slice_take(&h, ',', &name) && slice_take(&r, ',', &cell)) {
		struct slice plain = slice_trim(name);
		double       number = 0;
		slice_until(&plain, " [", &unit);
		plain = slice_trim(plain);
		struct slice whole = slice_trim(name);
		if (!(slice_is(whole, field) || (slice_begins(whole, field) && slice_begins((struct slice){ whole.p + strlen(field), 2 }, " ["))))
			continue;
		slice_copy(slice_trim(cell), to, size);
		if (slice_leading_number(slice_trim(cell), &number, &unit) && unit.n > 0 && unit.n < 4 && unit.p[0] != 'x' && unit.p[0] != '.')
			to[strcspn(to, " ")] = '\0';
		return true;
	}
	return false;
}

char *kit_nvidia_section(const char *machine, const char *when)
{
	char   file[128], cell[256];
	struct buf fields, row;
	snprintf(file, sizeof file, "gpu/nvidia/%s/%s.query-gpu.txt", machine, when);
	char *capture = kit_sample(file);
	if (capture == NULL)
		return NULL;
	char *second = strchr(capture, '\n') + 1;
	second[-1] = '\0';
	second[strcspn(second, "\n")] = '\0';
	buf_init(&fields, 1 << 16);
	buf_init(&row, 1 << 16);
	for (size_t i = 0; i < n_nvidia_fields; i++) {
		if (!find_cell(capture, second, nvidia_fields[i], cell, sizeof cell))
			continue;
		buf_printf(&fields, "%s%s", fields.len == 0 ? "@fields " : ",", nvidia_fields[i]);
		buf_printf(&row, "%s%s", row.len == 0 ? "" : ", ", cell);
	}
	buf_printf(&fields, "\n@gpus\n%s\n", buf_text(&row));
	buf_release(&row);
	free(capture);
	return buf_take(&fields);
}

/* ---- running a script ---- */

bool kit_has_program(const char *name)
{
	static const char *const folders[] = { "/bin", "/usr/bin", "/usr/local/bin" };
	char                     path[64];
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The script as it will be run: a function among others, `bounded` beside it. Written to a file, which the shell reads. */
static void write_script(const struct kit *k, const struct kit_tools *t)
{
	struct source_settings none = { .n_units = 0 };
	struct buf             text;
	struct why             why;
	buf_init(&text, 1 << 20);
	buf_puts(&text, "set -u\nbounded() { timeout 20 \"$@\"; }\nsource_body() {\n");
	if (k->source->write_script != NULL)
		assert_int_equal(k->source->write_script(&none, &text, &why), ERR_OK);
	else
		buf_puts(&text, k->source->script);
	buf_puts(&text, "\n}\nsource_body \"$1\"\n");
	assert_int_equal(text.err, ERR_OK);
	kit_tools_put(t, "script", buf_text(&text));
	buf_release(&text);
}

static int spawn(const struct kit_tools *t, const char *shell, char *argument, int *out)
{
	char  path[160], script[128], home[80], locale[] = "LC_ALL=C", name[32], applet[] = "sh";
	int   pipe_fd[2];
	pid_t pid = 0;
	snprintf(path, sizeof path, "PATH=%s:/usr/bin:/bin", t->folder);
	snprintf(script, sizeof script, "%s/script", t->folder);
	snprintf(home, sizeof home, "KIT=%s", t->folder);
	snprintf(name, sizeof name, "%s", shell);
	char *const environment[] = { path, home, locale, NULL };
	char *const busybox[] = { name, applet, script, argument, NULL };
	char *const plain[] = { name, script, argument, NULL };
	posix_spawn_file_actions_t actions;
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 2);
	assert_int_equal(posix_spawnp(&pid, shell, &actions, NULL, strcmp(shell, "busybox") == 0 ? busybox : plain, environment), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fd[1]);
	*out = pipe_fd[0];
	return pid;
}

void kit_run(struct kit *k, const struct kit_tools *t, const char *shell)
{
	char    argument[513];
	int     from = -1, status = 0;
	ssize_t n = 0;
	snprintf(argument, sizeof argument, "%s", kit_ask(k));
	write_script(k, t);
	int pid = spawn(t, shell, argument, &from);
	buf_release(&said);
	buf_init(&said, SECTION_MAX);
	for (char bytes[4096]; (n = read(from, bytes, sizeof bytes)) > 0;)
		assert_int_equal(buf_put(&said, bytes, (size_t)n), ERR_OK);
	close(from);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	kit_read(k, buf_text(&said), WEXITSTATUS(status));
}

const char *kit_said(void)
{
	return buf_text(&said);
}

void kit_in_each_shell(void (*run)(const char *shell))
{
	int n = 0;
	for (size_t i = 0; kit_shells[i] != NULL; i++) {
		if (!kit_has_program(kit_shells[i])) {
			print_message("# '%s' is not here; scripts were not run by it\n", kit_shells[i]);
			continue;
		}
		run(kit_shells[i]);
		n++;
	}
	assert_true(n > 0);
}
