/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail: RFC 5322 with MIME (RFC 2045, 2047). Nothing of an alert can end a header or begin one: the subject is made safe first and is written in
 * encoded words where it is not plain ASCII, and addresses were checked when the fleet file was read. The body is quoted-printable, so no line is long. */
#include "alerts/notify_kind.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"

enum {
	WORD_BYTES = 42, /* of text in one encoded word: 56 in base 64, and 75 with its frame is the most */
	LINE_CHARS = 76, /* RFC 2045, 6.7 */
	BODY_MAX   = 4 << 20,
};

/* ---- headers ---- */

/* RFC 5322, 3.3; names are English whatever the locale. */
static void put_date(struct buf *to, int64_t at_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm t = { 0 };
	gmtime_r(&seconds, &t);
	buf_printf(to, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\r\n", days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900,
	           t.tm_hour, t.tm_min, t.tm_sec);
}

static bool is_plain(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
			return false;
	return memmem(text, n, "=?", 2) == NULL;
}

/* Encoded words, each whole characters, folded. */
static void put_words(struct buf *to, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	while (p < end) {
		const char *begin = p, *stop = p;
		while (p < end) {
			text_decode(&p, end, NULL);
			if (p - begin > WORD_BYTES)
				break;
			stop = p;
		}
		p = stop;
		buf_puts(to, begin == text ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		base64_encode(to, begin, (size_t)(stop - begin));
		buf_puts(to, "?=");
	}
}

static void put_subject(struct buf *to, const struct notify_message *m)
{
	struct buf title;
	buf_init(&title, 1 << 16);
	notify_put_title(&title, m);
	buf_puts(to, "Subject: ");
	if (is_plain(buf_text(&title), title.len))
		buf_put(to, buf_text(&title), title.len); /* of at most 200 columns; 998 may stand in a line */
	else
		put_words(to, buf_text(&title), title.len);
	buf_puts(to, "\r\n");
	if (title.err != ERR_OK)
		to->err = title.err;
	buf_release(&title);
}

/* What may stand on the right of a message's id: a host's name, made of what can. */
static void put_host(struct buf *to, const char *host)
{
	size_t n = 0;
	for (const char *p = host; *p != '\0' && n < 200; p++) {
		if (isalnum((unsigned char)*p) || *p == '-' || (*p == '.' && n > 0 && p[1] != '\0' && p[1] != '.')) {
			buf_putc(to, *p);
			n++;
		}
	}
	if (n == 0)
		buf_puts(to, "localhost");
}

/* All mails of a group are one thread. */
static void put_ids(struct buf *to, const struct notify_message *m, const struct notify_context *c)
{
	char key[NOTIFY_KEY_TEXT];
	buf_printf(to, "Message-ID: <%" PRId64 ".%" PRId64 ".%s@", c->row_id, c->created_ms, notify_put_key(m, key));
	put_host(to, c->host);
	buf_printf(to, ">\r\nIn-Reply-To: <%s@", key);
	put_host(to, c->host);
	buf_printf(to, ">\r\nReferences: <%s@", key);
	put_host(to, c->host);
	buf_puts(to, ">\r\n");
}

static void put_headers(struct buf *to, const struct notify_message *m, const struct notify_context *c)
{
	const struct fleet_receiver *r = c->receiver;
	put_date(to, c->created_ms);
	buf_printf(to, "From: pitwall <%s>\r\nTo: ", r->from);
	for (size_t i = 0; i < r->n_to; i++)
		buf_printf(to, "%s<%s>", i > 0 ? ",\r\n " : "", r->to[i]);
	buf_puts(to, "\r\n");
	put_subject(to, m);
	put_ids(to, m, c);
	if (m->severity >= SEVERITY_CRIT && m->event == NOTIFY_FIRING)
		buf_puts(to, "Importance: high\r\n");
	buf_puts(to, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	             "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* ---- the body ---- */

/* RFC 2045, 6.7. `text` has lines that end in LF. */
static void put_quoted_printable(struct buf *to, const char *text, size_t n)
{
	int at = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '\n') {
			buf_puts(to, "\r\n");
			at = 0;
			continue;
		}
		bool is_last = i + 1 == n || text[i + 1] == '\n';
		bool is_bare = (c > 0x20 && c < 0x7f && c != '=') || (c == ' ' && !is_last);
		int width = is_bare ? 1 : 3;
		if (at + width > LINE_CHARS - 1) {
			buf_puts(to, "=\r\n");
			at = 0;
		}
		if (is_bare)
			buf_putc(to, (char)c);
		else
			buf_printf(to, "=%02X", c);
		at += width;
	}
}

static void put_line(struct buf *to, const char *indent, const char *name, const char *value)
{
	buf_puts(to, indent);
	text_safe(to, name, strlen(name));
	buf_puts(to, ": ");
	text_safe(to, value, strlen(value));
	buf_putc(to, '\n');
}

static void put_alert(struct buf *to, const struct notify_alert *a)
{
	char time[TIME_TEXT];
	buf_printf(to, "\n%s (%s)\n", notify_status_name(a->status), notify_severity_name(a->severity));
	put_line(to, "  ", "since", format_time(a->starts_ms, time));
	if (a->ends_ms != 0)
		put_line(to, "  ", "until", format_time(a->ends_ms, time));
	for (size_t i = 0; i < labels_count(a->labels); i++)
		put_line(to, "  ", labels_at(a->labels, i)->name, labels_at(a->labels, i)->value);
	for (size_t i = 0; a->annotations != NULL && i < labels_count(a->annotations); i++)
		put_line(to, "  - ", labels_at(a->annotations, i)->name, labels_at(a->annotations, i)->value);
}

static void put_text(struct buf *to, const struct notify_message *m, const struct notify_context *c)
{
	notify_put_title(to, m);
	buf_puts(to, m->is_repeat ? "\n\nIt goes on.\n" : "\n");
	if (m->acked_by[0] != '\0') {
		buf_puts(to, "\nacknowledged by ");
		text_safe(to, m->acked_by, strlen(m->acked_by));
		if (m->ack_comment[0] != '\0') {
			buf_puts(to, ": ");
			text_safe(to, m->ack_comment, strlen(m->ack_comment));
		}
		buf_putc(to, '\n');
	}
	for (size_t i = 0; i < m->n; i++)
		put_alert(to, &m->alerts[i]);
	if (m->truncated > 0)
		buf_printf(to, "\nand %zu more\n", m->truncated);
	buf_puts(to, "\n-- \npitwall");
	if (c->fleet[0] != '\0') {
		buf_puts(to, ", fleet ");
		text_safe(to, c->fleet, strlen(c->fleet));
	}
	if (c->external_url[0] != '\0')
		buf_printf(to, "\n%s", c->external_url);
	buf_putc(to, '\n');
}

static enum err print(const struct notify_message *m, const struct notify_context *c, struct buf *to, struct why *why)
{
	struct buf text;
	buf_init(&text, BODY_MAX);
	put_text(&text, m, c); /* what is longer than its ceiling is cut */
	put_headers(to, m, c);
	put_quoted_printable(to, buf_text(&text), text.len);
	enum err e = text.err == ERR_MEMORY ? ERR_MEMORY : to->err;
	buf_release(&text);
	return e == ERR_OK ? e : why_set(why, e, "the mail cannot be made");
}

const struct notify_kind email_kind = {
	.name = "email",
	.summary = "a mail by SMTP",
	.way = NOTIFY_BY_SMTP,
	.print = print,
};
