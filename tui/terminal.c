/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/terminal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/num.h"
#include "tui/calling.h"
#include "tui/encode.h"
#include "tui/rescue.h"

enum { SIDE_MAX = 1000, OUT_MAX = 16 << 20, PATH_ROOM = 256, FAREWELL_MS = 200 };

/* The questions, of which some terminals answer none. */
#define ASK_BACKGROUND "\033]11;?\033\\"
#define ASK_SYNC       "\033[?2026$p"
#define ASK_CURSOR     "\033[6n"
#define ASK_ATTRIBUTES "\033[c"
#define SYNC_BEGIN     "\033[?2026h"
#define SYNC_END       "\033[?2026l"
#define PASTE_ON       "\033[?2004h"
#define PASTE_OFF      "\033[?2004l"
#define MOUSE_ON       "\033[?1002h\033[?1006h"
#define MOUSE_OFF      "\033[?1006l\033[?1002l"

struct terminal {
	struct terminal_options o;
	struct terminfo         info;
	const struct theme     *theme;
	enum colour_depth       depth;
	struct encoder         *encoder;
	int                     fd;
	bool                    is_own_fd;
	int                     flags_before; /* of a descriptor that is not our own */
	struct termios          modes_before;
	bool                    is_started, is_ascii, has_sync, awaits_attributes, was_asked;
	bool                    is_starting;  /* the first frame goes out together with what takes the terminal */
	struct buf              out;          /* what is to be written, from `done` on */
	size_t                  done;
};

/* ---- what there is ---- */

static bool says_utf8(const char *locale)
{
	const char *dot = strchr(locale, '.');
	return dot != NULL && (strncasecmp(dot + 1, "utf-8", 5) == 0 || strncasecmp(dot + 1, "utf8", 4) == 0);
}

void terminal_options_from_env(struct terminal_options *o, int in_fd, int out_fd)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *no_color = getenv("NO_COLOR");
	*o = (struct terminal_options){ .in_fd = in_fd, .out_fd = out_fd, .term = getenv("TERM"), .colorterm = getenv("COLORTERM") };
	o->no_color = no_color != NULL && no_color[0] != '\0';
	o->is_remote = getenv("SSH_CONNECTION") != NULL;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0') {
			o->is_utf8 = says_utf8(value);
			break; /* the first that is set counts, as for setlocale */
		}
	}
}

static enum colour_depth depth_of(const struct terminal_options *o, const struct terminfo *info)
{
	/* screen 4.9 makes other colours of 38;2;r;g;b */
	bool is_screen = strncmp(o->term, "screen", 6) == 0;
	bool says_true = o->colorterm != NULL && (strcmp(o->colorterm, "truecolor") == 0 || strcmp(o->colorterm, "24bit") == 0);
	if (o->no_color || info->colours < 8)
		return DEPTH_MONO;
	if (info->colours >= 256 && !is_screen && (says_true || info->has_rgb))
		return DEPTH_TRUE;
	return info->colours >= 256 ? DEPTH_256 : info->colours >= 16 ? DEPTH_16 : DEPTH_8;
}

/* Line drawing and blocks are in the fonts of all that show UTF-8, but a real VT100 shows Latin at best. */
static bool must_be_ascii(const struct terminal_options *o, const struct terminfo *info)
{
	return !o->is_utf8 || strncmp(info->name, "vt1", 3) == 0 || strncmp(info->name, "vt2", 3) == 0;
}

enum err terminal_new(const struct terminal_options *o, const struct theme *theme, struct terminal **out, struct why *why)
{
	if (!isatty(o->in_fd) || !isatty(o->out_fd))
		return why_set(why, ERR_UNSUPPORTED, "standard %s is not a terminal; `pitwall status` prints the fleet as plain text",
			       isatty(o->out_fd) ? "input" : "output");
	struct terminal *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	t->o = *o;
	t->fd = -1;
	t->theme = theme;
	buf_init(&t->out, OUT_MAX);
	enum err e = terminfo_load(o->term, &t->info, why);
	if (e == ERR_OK) {
		t->depth = depth_of(o, &t->info);
		t->is_ascii = must_be_ascii(o, &t->info);
		e = encoder_new(&t->info, theme, t->depth, &t->encoder, why);
	}
	if (e != ERR_OK) {
		free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void terminal_free(struct terminal *t)
{
	if (t == NULL)
		return;
	terminal_stop(t);
	if (t->fd >= 0 && t->is_own_fd)
		close(t->fd);
	encoder_free(t->encoder);
	buf_release(&t->out);
	free(t);
}

int terminal_fd(const struct terminal *t) { return t->fd; }
enum colour_depth terminal_depth(const struct terminal *t) { return t->depth; }
bool terminal_is_ascii(const struct terminal *t) { return t->is_ascii; }
int terminal_escape_ms(const struct terminal *t) { return t->o.is_remote ? 100 : 25; }
const struct terminfo *terminal_info(const struct terminal *t) { return &t->info; }

/* Where all steps of heat have one ground, colour says nothing. */
bool terminal_is_mono(const struct terminal *t)
{
	const struct style *s = t->theme->styles[t->depth];
	return s[ROLE_HEAT_0].bg == s[ROLE_HEAT_7].bg && s[ROLE_HEAT_0].bg == s[ROLE_HEAT_4].bg;
}

static int side(int v, const char *variable, int otherwise)
{
	int64_t said;
	const char *text = getenv(variable);
	if (v > 0)
		return v > SIDE_MAX ? SIDE_MAX : v;
	return text != NULL && parse_i64(text, 1, SIDE_MAX, &said) == ERR_OK ? (int)said : otherwise;
}

void terminal_size(const struct terminal *t, int *rows, int *cols)
{
	struct winsize w = { 0 };
	if (ioctl(t->o.out_fd, TIOCGWINSZ, &w) != 0)
		w.ws_row = w.ws_col = 0;
	*rows = side(w.ws_row, "LINES", 24);
	*cols = side(w.ws_col, "COLUMNS", 80);
}

/* ---- output ---- */

static enum err gone(struct why *why)
{
	return why_set(why, ERR_IO, "the terminal is gone");
}

bool terminal_has_rest(const struct terminal *t)
{
	return t->done < t->out.len;
}

enum err terminal_flush(struct terminal *t, struct why *why)
{
	while (terminal_has_rest(t)) {
		ssize_t n = write(t->fd, t->out.data + t->done, t->out.len - t->done);
		if (n > 0)
			t->done += (size_t)n;
		else if (n < 0 && errno == EINTR)
			continue;
		else
			return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? ERR_OK : gone(why);
	}
	buf_clear(&t->out);
	t->done = 0;
	return ERR_OK;
}

/* Nothing of ours waits in the kernel either: what is shown is what was last drawn. */
static bool is_drained(const struct terminal *t)
{
	int waiting = 0;
	return !terminal_has_rest(t) && (ioctl(t->fd, TIOCOUTQ, &waiting) != 0 || waiting == 0);
}

enum err terminal_draw(struct terminal *t, const struct canvas *c, int row, int col, struct why *why)
{
	assert(t->is_started);
	if (!t->is_starting && !is_drained(t))
		return ERR_LATER;
	t->is_starting = false;
	if (t->has_sync)
		buf_puts(&t->out, SYNC_BEGIN);
	size_t begun = t->has_sync ? strlen(SYNC_BEGIN) : 0;
	enum err e = encoder_frame(t->encoder, c, row, col, &t->out);
	if (e != ERR_OK) {
		buf_clear(&t->out);
		return e == ERR_MEMORY ? why_memory(why) : why_set(why, e, "a frame is too large");
	}
	if (t->out.len == begun)
		buf_clear(&t->out); /* nothing has changed */
	else if (t->has_sync)
		buf_puts(&t->out, SYNC_END);
	return terminal_flush(t, why);
}

void terminal_set_theme(struct terminal *t, const struct theme *theme)
{
	t->theme = theme;
	encoder_set_theme(t->encoder, theme, t->depth);
}

void terminal_repaint(struct terminal *t)
{
	encoder_invalidate(t->encoder);
}

/* ---- taking and giving back ---- */

/* A descriptor of our own for the same terminal: making the shell's non-blocking would reach its other users. */
static enum err open_own(struct terminal *t, struct why *why)
{
	char path[PATH_ROOM];
	if (t->fd >= 0)
		return ERR_OK;
	if (ttyname_r(t->o.out_fd, path, sizeof path) == 0)
		t->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (t->fd < 0)
		t->fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	t->is_own_fd = t->fd >= 0;
	if (t->is_own_fd)
		return ERR_OK;
	t->flags_before = fcntl(t->o.in_fd, F_GETFL);
	if (t->flags_before < 0 || fcntl(t->o.in_fd, F_SETFL, t->flags_before | O_NONBLOCK) != 0)
		return why_errno(why, errno, "cannot use the terminal");
	t->fd = t->o.in_fd;
	return ERR_OK;
}

static void put_goodbye(const struct terminal *t, struct buf *to)
{
	const struct terminfo *i = &t->info;
	buf_puts(to, i->sgr0);
	buf_puts(to, t->o.wants_mouse ? MOUSE_OFF : "");
	buf_puts(to, PASTE_OFF);
	buf_puts(to, i->rmkx);
	buf_puts(to, i->cnorm);
	if (i->rmcup[0] != '\0') {
		buf_puts(to, i->rmcup);
	} else {
		buf_puts(to, i->clear); /* no alternate screen: at least a clean one */
	}
}

static bool is_family(const struct terminal *t, const char *name)
{
	return strncmp(t->info.name, name, strlen(name)) == 0;
}

/* One write with all of it. In the second row, because there the answer to CPR can't be taken for a key (see key_sequence.c): a ■, and
 * twice more by REP. The column tells whether ■ is two wide and whether REP works: 2, 4, 3 or 7. */
static void put_questions(struct terminal *t, struct buf *to)
{
	t->was_asked = true;
	if (is_family(t, "linux") || is_family(t, "vt")) {
		return; /* they can't say anything we use, and older ones print what they don't know */
	}
	buf_puts(to, ASK_BACKGROUND ASK_SYNC "\033[2;1H");
	buf_puts(to, t->is_ascii ? "x" : "\xe2\x96\xa0");
	if (t->info.rep[0] != '\0')
		buf_puts(to, "\033[2b");
	buf_puts(to, ASK_CURSOR ASK_ATTRIBUTES);
	t->awaits_attributes = true;
}

static enum err set_modes(struct terminal *t, struct why *why)
{
	struct termios raw;
	if (tcgetattr(t->fd, &t->modes_before) != 0)
		return why_errno(why, errno, "cannot read the terminal's modes");
	raw = t->modes_before;
	raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(t->fd, TCSANOW, &raw) != 0)
		return why_errno(why, errno, "cannot set the terminal's modes");
	return ERR_OK;
}

static void arm_rescue(const struct terminal *t)
{
	struct buf goodbye;
	buf_init(&goodbye, 1024);
	put_goodbye(t, &goodbye);
	rescue_arm(t->fd, buf_text(&goodbye), goodbye.len, &t->modes_before);
	buf_release(&goodbye);
}

bool terminal_has_mouse(const struct terminal *t) { return t->o.wants_mouse; }

void terminal_set_mouse(struct terminal *t, bool is_wanted)
{
	if (is_wanted == t->o.wants_mouse)
		return;
	t->o.wants_mouse = is_wanted;
	if (!t->is_started)
		return;
	arm_rescue(t);
	buf_puts(&t->out, is_wanted ? MOUSE_ON : MOUSE_OFF);
}

void terminal_call(struct terminal *t, enum fleet_attention how, const char *text)
{
	if (t->is_started)
		calling_put(&t->out, how, getenv("TERM"), getenv("TMUX") != NULL, text);
}

enum err terminal_start(struct terminal *t, struct why *why)
{
	assert(!t->is_started);
	enum err e = open_own(t, why);
	if (e == ERR_OK)
		e = set_modes(t, why);
	if (e != ERR_OK)
		return e;
	t->is_started = true;
	arm_rescue(t);
	buf_clear(&t->out);
	t->done = 0;
	buf_puts(&t->out, t->info.smcup);
	buf_puts(&t->out, t->info.smkx);
	if (!is_family(t, "vt"))
		buf_puts(&t->out, PASTE_ON);
	buf_puts(&t->out, t->o.wants_mouse ? MOUSE_ON : "");
	if (!t->was_asked)
		put_questions(t, &t->out);
	encoder_invalidate(t->encoder);
	t->is_starting = true;
	return t->out.err != ERR_OK ? why_memory(why) : ERR_OK;
}

static bool wait_for(const struct terminal *t, short events, int ms)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	return poll(&p, 1, ms) > 0 && (p.revents & events) != 0 && (p.revents & (POLLERR | POLLHUP)) == 0;
}

/* Gets the rest of a frame out if that is quick. Where it is not, what nobody reads makes room for the farewell, which would not get out
 * either, and CAN ends whatever sequence was cut in two. */
static void end_output(struct terminal *t)
{
	for (int tries = 0; terminal_has_rest(t) && tries < 4; tries++)
		if (!wait_for(t, POLLOUT, FAREWELL_MS / 4) || terminal_flush(t, NULL) != ERR_OK)
			break;
	bool is_cut = terminal_has_rest(t);
	buf_clear(&t->out);
	t->done = 0;
	if (!is_cut)
		return;
	tcflush(t->fd, TCOFLUSH);
	buf_puts(&t->out, "\x18");
}

/* Answers that are still on their way would be typed into the shell. */
static void drop_answers(struct terminal *t)
{
	char bytes[256];
	while (t->awaits_attributes && wait_for(t, POLLIN, FAREWELL_MS / 2)) {
		ssize_t n = read(t->fd, bytes, sizeof bytes);
		if (n <= 0)
			return;
		t->awaits_attributes = memchr(bytes, 'c', (size_t)n) == NULL;
	}
}

void terminal_stop(struct terminal *t)
{
	if (!t->is_started)
		return;
	t->is_started = false;
	end_output(t);
	put_goodbye(t, &t->out);
	terminal_flush(t, NULL);
	drop_answers(t);
	tcsetattr(t->fd, TCSANOW, &t->modes_before);
	buf_clear(&t->out);
	t->done = 0;
	if (!t->is_own_fd) {
		fcntl(t->fd, F_SETFL, t->flags_before);
		t->fd = -1;
	}
	rescue_disarm();
}

/* ---- input ---- */

enum err terminal_read(struct terminal *t, void *to, size_t room, size_t *n, struct why *why)
{
	ssize_t got;
	do
		got = read(t->fd, to, room);
	while (got < 0 && errno == EINTR);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
		return gone(why);
	*n = got < 0 ? 0 : (size_t)got;
	return ERR_OK;
}

static unsigned judge_background(int64_t rgb)
{
	/* Rec. 601 luma */
	int64_t luma = ((rgb >> 16 & 0xff) * 299 + (rgb >> 8 & 0xff) * 587 + (rgb & 0xff) * 114) / 1000;
	return luma > 127 ? TERMINAL_IS_LIGHT : TERMINAL_IS_DARK;
}

static unsigned judge_cursor(struct terminal *t, int64_t column)
{
	if (!t->awaits_attributes)
		return 0; /* not an answer to our question */
	encoder_set_repeat(t->encoder, column == 4 || column == 7);
	if (t->is_ascii || (column != 3 && column != 7))
		return 0;
	t->is_ascii = true;
	encoder_invalidate(t->encoder);
	return TERMINAL_LOOK_CHANGED;
}

unsigned terminal_report(struct terminal *t, const struct input_event *e)
{
	switch (e->report) {
	case REPORT_BACKGROUND:
		return judge_background(e->number);
	case REPORT_CURSOR:
		return e->number == 2 ? judge_cursor(t, e->number2) : 0;
	case REPORT_MODE:
		if (e->number == 2026)
			t->has_sync = e->number2 == 1 || e->number2 == 2;
		return 0;
	case REPORT_ATTRIBUTES:
		t->awaits_attributes = false;
		return 0;
	case REPORT_OTHER:
		break;
	}
	return 0;
}
