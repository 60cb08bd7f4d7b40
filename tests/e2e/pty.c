/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/e2e/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vterm.h>

enum { DEADLINE_MS = 30000, ROW_MAX = 8192, READ_MAX = 65536, BYTES_MAX = 64 << 20 };

struct pty {
	int            master, slave; /* the slave is kept open, so that its modes can be read after the program's end */
	pid_t          leader, pid; /* of the session; of the program */
	bool           has_exited, is_silent, is_alternate, is_cursor_visible, is_mouse_on;
	const char    *background;
	size_t         sip;         /* the most that is read at once; 0: no limit */
	size_t         answered;    /* of `bytes`: up to there the background was told to who asked */
	int            status;
	int            rows, cols;
	VTerm         *vterm;
	VTermScreen   *screen;
	struct termios before;
	char          *bytes;
	size_t         n_bytes, cap_bytes;
	char           row[ROW_MAX];
	char           held[4];     /* the beginning of a character */
	size_t         n_held;
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int on_termprop(VTermProp prop, VTermValue *value, void *user)
{
	struct pty *p = user;
	if (prop == VTERM_PROP_ALTSCREEN)
		p->is_alternate = value->boolean != 0;
	else if (prop == VTERM_PROP_CURSORVISIBLE)
		p->is_cursor_visible = value->boolean != 0;
	else if (prop == VTERM_PROP_MOUSE)
		p->is_mouse_on = value->number != VTERM_PROP_MOUSE_NONE;
	return 1;
}

static void start_model(struct pty *p)
{
	static const VTermScreenCallbacks callbacks = { .settermprop = on_termprop };
	p->is_cursor_visible = true;
	p->vterm = vterm_new(p->rows, p->cols);
	assert_non_null(p->vterm);
	vterm_set_utf8(p->vterm, 1);
	p->screen = vterm_obtain_screen(p->vterm);
	vterm_screen_set_callbacks(p->screen, &callbacks, p);
	vterm_screen_enable_altscreen(p->screen, 1);
	vterm_screen_reset(p->screen, 1);
}

static void run_child(const struct pty_options *o, int slave)
{
	static const char *const clean[] = { "PATH=/usr/bin:/bin", "HOME=/nonexistent", "LANG=C.UTF-8", "TERM=xterm-256color" };
	for (int fd = 0; fd < 3; fd++)
		dup2(slave, fd);
	const char *asan = getenv("ASAN_OPTIONS"), *ubsan = getenv("UBSAN_OPTIONS");
	char asan_copy[512], ubsan_copy[512];
	snprintf(asan_copy, sizeof asan_copy, "%s", asan == NULL ? "" : asan);
	snprintf(ubsan_copy, sizeof ubsan_copy, "%s", ubsan == NULL ? "" : ubsan);
	clearenv();
	setenv("ASAN_OPTIONS", asan_copy, 1);
	setenv("UBSAN_OPTIONS", ubsan_copy, 1);
	for (size_t i = 0; i < sizeof clean / sizeof clean[0]; i++)
		putenv((char *)(uintptr_t)clean[i]);
	for (size_t i = 0; o->env != NULL && o->env[i] != NULL; i++)
		putenv((char *)(uintptr_t)o->env[i]);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	execv(o->argv[0], (char *const *)(uintptr_t)o->argv);
	_exit(127);
}

/* The leader lives as long as the program: what it held of the test's own (a server's sockets) would stay open with it. */
static void close_others(int one, int other)
{
	unsigned low = (unsigned)(one < other ? one : other), high = (unsigned)(one < other ? other : one);
	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

/* What a shell is to the program: the leader of the session, in whose absence the kernel would not stop the program (a process group
 * without one is orphaned). Ends as the program ended. */
static void run_leader(const struct pty_options *o, int master, int slave, int report)
{
	int status;
	close(master); /* or the terminal would outlive the test's end of it */
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	close_others(slave, report);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		tcsetpgrp(slave, getpid());
		signal(SIGHUP, SIG_DFL);
		signal(SIGTTOU, SIG_DFL);
		run_child(o, slave);
	}
	if (write(report, &pid, sizeof pid) != (ssize_t)sizeof pid || waitpid(pid, &status, 0) != pid)
		_exit(126);
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

struct pty *pty_start(const struct pty_options *o)
{
	struct winsize size = { .ws_row = (unsigned short)o->rows, .ws_col = (unsigned short)o->cols };
	struct pty *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->rows = o->rows;
	p->cols = o->cols;
	p->is_silent = o->is_silent;
	p->background = o->background;
	assert_int_equal(openpty(&p->master, &p->slave, NULL, NULL, &size), 0);
	assert_int_equal(tcgetattr(p->slave, &p->before), 0);
	start_model(p);
	int report[2];
	assert_int_equal(pipe(report), 0);
	p->leader = fork();
	assert_true(p->leader >= 0);
	if (p->leader == 0)
		run_leader(o, p->master, p->slave, report[1]);
	assert_int_equal(read(report[0], &p->pid, sizeof p->pid), (ssize_t)sizeof p->pid);
	close(report[0]);
	close(report[1]);
	assert_int_equal(fcntl(p->master, F_SETFL, O_NONBLOCK), 0);
	return p;
}

void pty_free(struct pty *p)
{
	if (p == NULL)
		return;
	if (!p->has_exited) {
		kill(p->pid, SIGKILL);
		waitpid(p->leader, NULL, 0);
	}
	if (p->master >= 0)
		close(p->master);
	close(p->slave);
	vterm_free(p->vterm);
	free(p->bytes);
	free(p);
}

/* ---- talking ---- */

static void keep(struct pty *p, const char *bytes, size_t n)
{
	if (p->n_bytes + n > p->cap_bytes) {
		p->cap_bytes = (p->n_bytes + n) * 2;
		assert_true(p->cap_bytes < BYTES_MAX);
		p->bytes = realloc(p->bytes, p->cap_bytes);
		assert_non_null(p->bytes);
	}
	memcpy(p->bytes + p->n_bytes, bytes, n);
	p->n_bytes += n;
}

/* The model knows nothing of OSC 11. Its own answers come later, as those of a terminal do. */
static void answer_background(struct pty *p)
{
	static const char question[] = "\033]11;?\033\\";
	const char *at = memmem(p->bytes + p->answered, p->n_bytes - p->answered, question, strlen(question));
	if (at == NULL)
		return;
	p->answered = (size_t)(at - p->bytes) + strlen(question);
	if (p->background == NULL || p->is_silent)
		return;
	pty_send(p, "\033]11;");
	pty_send(p, p->background);
	pty_send(p, "\033\\");
}

static void send_answers(struct pty *p, bool are_wanted)
{
	char answers[4096];
	size_t n;
	while ((n = vterm_output_read(p->vterm, answers, sizeof answers)) > 0)
		if (are_wanted)
			pty_send_n(p, answers, n);
}

/* How many bytes at the end begin a character of UTF-8 that is not whole. */
static size_t begun(const char *bytes, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++) {
		unsigned char c = (unsigned char)bytes[n - back];
		if (c >= 0xc0)
			return back < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? back : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

/* libvterm 0.3 shows a character whose bytes come in two parts twice, once as broken, so it gets whole ones only. */
static void show_model(struct pty *p, const char *bytes, size_t n)
{
	char whole[sizeof p->held + READ_MAX];
	memcpy(whole, p->held, p->n_held);
	memcpy(whole + p->n_held, bytes, n);
	n += p->n_held;
	p->n_held = begun(whole, n);
	memcpy(p->held, whole + n - p->n_held, p->n_held);
	vterm_input_write(p->vterm, whole, n - p->n_held);
}

bool pty_pump(struct pty *p, int ms)
{
	char bytes[READ_MAX];
	struct pollfd poll_fd = { .fd = p->master, .events = POLLIN };
	if (p->master < 0 || poll(&poll_fd, 1, ms) <= 0)
		return false;
	ssize_t n = read(p->master, bytes, p->sip > 0 && p->sip < sizeof bytes ? p->sip : sizeof bytes);
	if (n <= 0)
		return false;
	keep(p, bytes, (size_t)n);
	answer_background(p);
	show_model(p, bytes, (size_t)n);
	send_answers(p, !p->is_silent);
	return true;
}

void pty_set_sip(struct pty *p, size_t n)
{
	p->sip = n;
}

void pty_send_n(struct pty *p, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(p->master, bytes, n);
		if (done < 0 && errno == EAGAIN) {
			pty_pump(p, 10);
			continue;
		}
		assert_true(done > 0);
		bytes += done;
		n -= (size_t)done;
	}
}

void pty_send(struct pty *p, const char *keys)
{
	pty_send_n(p, keys, strlen(keys));
}

static void press(struct pty *p, int row, int col, int button)
{
	send_answers(p, !p->is_silent);
	vterm_mouse_move(p->vterm, row, col, VTERM_MOD_NONE);
	send_answers(p, true);
	vterm_mouse_button(p->vterm, button, true, VTERM_MOD_NONE);
	vterm_mouse_button(p->vterm, button, false, VTERM_MOD_NONE);
	send_answers(p, true);
}

void pty_click(struct pty *p, int row, int col) { press(p, row, col, 1); }
void pty_wheel_up(struct pty *p, int row, int col) { press(p, row, col, 4); }
void pty_wheel_down(struct pty *p, int row, int col) { press(p, row, col, 5); }

void pty_resize(struct pty *p, int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	p->rows = rows;
	p->cols = cols;
	vterm_set_size(p->vterm, rows, cols);
	assert_int_equal(ioctl(p->master, TIOCSWINSZ, &size), 0);
}

void pty_signal(struct pty *p, int number)
{
	assert_int_equal(kill(p->pid, number), 0);
}

void pty_hang_up(struct pty *p)
{
	close(p->slave);
	p->slave = open("/dev/null", O_RDWR);
	close(p->master);
	p->master = -1;
}

/* ---- looking ---- */

const char *pty_row(struct pty *p, int row)
{
	VTermRect r = { row, row + 1, 0, p->cols };
	size_t n = vterm_screen_get_text(p->screen, p->row, sizeof p->row - 1, r);
	while (n > 0 && p->row[n - 1] == ' ')
		n--;
	p->row[n] = '\0';
	return p->row;
}

bool pty_has_text(struct pty *p, const char *text)
{
	for (int row = 0; row < p->rows; row++)
		if (strstr(pty_row(p, row), text) != NULL)
			return true;
	return false;
}

uint32_t pty_background(struct pty *p, int row, int col)
{
	VTermScreenCell cell;
	VTermPos at = { row, col };
	assert_true(vterm_screen_get_cell(p->screen, at, &cell));
	VTermColor colour = cell.attrs.reverse ? cell.fg : cell.bg;
	vterm_screen_convert_color_to_rgb(p->screen, &colour);
	return (uint32_t)colour.rgb.red << 16 | (uint32_t)colour.rgb.green << 8 | colour.rgb.blue;
}

static size_t put_utf8(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	to[0] = (char)((0xff00 >> (more + 1) & 0xff) | (c >> (6 * more)));
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

static uint32_t colour_of(struct pty *p, VTermColor colour)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(&colour) || VTERM_COLOR_IS_DEFAULT_BG(&colour))
		return PTY_DEFAULT_COLOUR;
	vterm_screen_convert_color_to_rgb(p->screen, &colour);
	return (uint32_t)colour.rgb.red << 16 | (uint32_t)colour.rgb.green << 8 | colour.rgb.blue;
}

void pty_cell(struct pty *p, int row, int col, struct pty_cell *out)
{
	VTermScreenCell cell;
	VTermPos at = { row, col };
	size_t n = 0;
	assert_true(vterm_screen_get_cell(p->screen, at, &cell));
	for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] != 0 && cell.chars[i] != UINT32_MAX && n + 4 < PTY_CELL_TEXT; i++)
		n += put_utf8(cell.chars[i], out->text + n);
	out->text[n] = '\0';
	out->fg = colour_of(p, cell.attrs.reverse ? cell.bg : cell.fg);
	out->bg = colour_of(p, cell.attrs.reverse ? cell.fg : cell.bg);
	out->is_bold = cell.attrs.bold;
	out->is_underlined = cell.attrs.underline != 0;
	out->is_reversed = cell.attrs.reverse;
}

pid_t pty_pid(const struct pty *p) { return p->pid; }
bool pty_is_alternate(struct pty *p) { return p->is_alternate; }
bool pty_is_mouse_on(struct pty *p) { return p->is_mouse_on; }
bool pty_is_cursor_visible(struct pty *p) { return p->is_cursor_visible; }

const char *pty_bytes(struct pty *p, size_t *n)
{
	*n = p->n_bytes;
	return p->bytes;
}

void pty_forget(struct pty *p)
{
	p->n_bytes = p->answered = 0;
}

void pty_modes(struct pty *p, struct termios *now, struct termios *before)
{
	assert_int_equal(tcgetattr(p->slave, now), 0);
	*before = p->before;
}

void pty_set_modes(struct pty *p, const struct termios *modes)
{
	assert_int_equal(tcsetattr(p->slave, TCSANOW, modes), 0);
}

/* ---- waiting ---- */

static void show(struct pty *p)
{
	for (int row = 0; row < p->rows; row++)
		print_message("%3d|%s\n", row, pty_row(p, row));
}

void pty_wait(struct pty *p, bool (*condition)(struct pty *p, const void *context), const void *context, const char *what)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	while (!condition(p, context)) {
		if (now_ms() > deadline) {
			show(p);
			fail_msg("waited %d ms in vain for: %s", DEADLINE_MS, what);
		}
		pty_pump(p, 20);
	}
}

void pty_wait_unread(struct pty *p)
{
	struct pollfd poll_fd = { .fd = p->master, .events = POLLIN };
	if (poll(&poll_fd, 1, DEADLINE_MS) <= 0)
		fail_msg("the program writes nothing");
}

void pty_wait_taken(struct pty *p)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	int left;
	while (ioctl(p->slave, FIONREAD, &left) == 0 && left > 0) {
		if (now_ms() > deadline)
			fail_msg("%d bytes of input lie there after %d ms: the program waits for its terminal", left, DEADLINE_MS);
		poll(NULL, 0, 1);
	}
}

static bool has_text(struct pty *p, const void *text)
{
	return pty_has_text(p, text);
}

static bool has_no_text(struct pty *p, const void *text)
{
	return !pty_has_text(p, text);
}

void pty_wait_text(struct pty *p, const char *text)
{
	pty_wait(p, has_text, text, text);
}

void pty_wait_no_text(struct pty *p, const char *text)
{
	pty_wait(p, has_no_text, text, text);
}

void pty_wait_quiet(struct pty *p, int quiet_ms)
{
	while (pty_pump(p, quiet_ms))
		;
}

static bool has_exited(struct pty *p, const void *context)
{
	(void)context;
	if (!p->has_exited && waitpid(p->leader, &p->status, WNOHANG) == p->leader)
		p->has_exited = true;
	return p->has_exited;
}

/* A sanitizer's report, or the stack of an abort, comes after what the screen was given back with. */
static void tell_death(const struct pty *p)
{
	enum { TOLD_MAX = 8192 };
	size_t n = p->n_bytes < TOLD_MAX ? p->n_bytes : TOLD_MAX;
	print_message("the program died by signal %d (%s); its last %zu bytes:\n", WTERMSIG(p->status), strsignal(WTERMSIG(p->status)), n);
	for (const char *c = p->bytes + p->n_bytes - n; c < p->bytes + p->n_bytes; c++)
		print_message(*c == '\n' || (*c >= ' ' && *c <= '~') ? "%c" : "\\%03o", (unsigned char)*c);
	print_message("\n");
}

int pty_wait_exit(struct pty *p)
{
	pty_wait(p, has_exited, NULL, "the program's end");
	while (pty_pump(p, 0))
		;
	if (WIFSIGNALED(p->status) && WTERMSIG(p->status) != SIGKILL)
		tell_death(p);
	return p->status;
}

int pty_wait_exit_unread(struct pty *p)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	while (!has_exited(p, NULL)) {
		if (now_ms() > deadline)
			fail_msg("the program waits for its terminal for %d ms instead of ending", DEADLINE_MS);
		poll(NULL, 0, 1);
	}
	return pty_wait_exit(p);
}

static bool has_stopped(struct pty *p, const void *context)
{
	char path[64], text[512] = "";
	(void)context;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)p->pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	const char *state = strrchr(text, ')'); /* "PID (NAME) STATE ..." */
	return state != NULL && state[1] == ' ' && state[2] == 'T';
}

void pty_wait_stopped(struct pty *p)
{
	pty_wait(p, has_stopped, NULL, "the program to stop");
	while (pty_pump(p, 0))
		;
}
