/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes seen (sources: NVIDIA's Xid documentation, kernel logs of real nodes):
 *     NVRM: Xid (PCI:0000:9b:00): 119, pid=2024380, name=nvidia-smi, Timeout after 6s of waiting ...
 *     NVRM: Xid (0000:9b:00.0): 13, pid='<unknown>', name=<unknown>, Graphics SM Warp Exception ...
 *     NVRM: Xid (PCI:0000:9b:00): 79, GPU has fallen off the bus.
 *     nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error
 * A process chooses its name, commas and all: what looks like a field behind the name is never trusted for more than text. */
#include "collectors/xid.h"

#include <string.h>
#include <strings.h>

enum { CODE_DIGITS = 6, PID_DIGITS = 10 };

/* The line from here on. */
struct cursor {
	const char *p, *end;
};

static bool skip(struct cursor *c, const char *text)
{
	size_t n = strlen(text);
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* One to `most` decimal digits, and no more behind them. */
static bool take_number(struct cursor *c, int most, int64_t *out)
{
	int64_t v = 0;
	int     n = 0;
	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, n++) {
		if (n == most)
			return false;
		v = v * 10 + (*c->p - '0');
	}
	if (n > 0)
		*out = v;
	return n > 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t skip_hex(struct cursor *c)
{
	const char *from = c->p;
	while (c->p < c->end && is_hex(*c->p))
		c->p++;
	return (size_t)(c->p - from);
}

/* DDDD:BB:SS or DDDDDDDD:BB:SS, perhaps with .F */
static bool take_bus_id(struct cursor *c, char *to, size_t size)
{
	const char *from = c->p;
	size_t      domain = skip_hex(c);
	if (domain < 4 || domain > 8 || !skip(c, ":") || skip_hex(c) != 2 || !skip(c, ":") || skip_hex(c) != 2)
		return false;
	if (skip(c, ".") && skip_hex(c) != 1)
		return false;
	size_t n = (size_t)(c->p - from);
	if (n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(from[i] >= 'A' && from[i] <= 'F' ? from[i] - 'A' + 'a' : from[i]);
	to[n] = '\0';
	return true;
}

static void put_text(char *to, size_t size, const char *from, const char *end)
{
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	size_t n = (size_t)(end - from);
	bool   is_cut = n >= size;
	if (is_cut)
		n = size - 1;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(from[i] == '\0' ? ' ' : from[i]);
	to[n] = '\0';
	if (is_cut)
		memcpy(to + n - 3, "...", 3);
}

/* ", pid=N, name=TEXT": the pid may be '<unknown>' with its quotes, either may be missing. */
static void take_process(struct cursor *c, struct xid *x)
{
	struct cursor at = *c;
	if (skip(&at, ", pid=")) {
		struct cursor number = at;
		int64_t       pid = 0;
		if (take_number(&number, PID_DIGITS, &pid))
			x->pid = pid;
		const char *comma = memchr(at.p, ',', (size_t)(at.end - at.p));
		at.p = comma == NULL ? at.end : comma;
		*c = at;
	}
	if (skip(&at, ", name=")) {
		const char *comma = memchr(at.p, ',', (size_t)(at.end - at.p));
		const char *end = comma == NULL ? at.end : comma;
		put_text(x->name, sizeof x->name, at.p, end);
		if (strcmp(x->name, "<unknown>") == 0)
			x->name[0] = '\0';
		c->p = end;
	}
}

/* Behind "Xid ". */
static bool parse_at(struct cursor c, bool is_switch, struct xid *out)
{
	struct xid x = { .is_switch = is_switch };
	int64_t    code = 0;
	if (!skip(&c, "("))
		return false;
	skip(&c, "PCI:");
	if (!take_bus_id(&c, x.bus_id, sizeof x.bus_id) || !skip(&c, "): ") || !take_number(&c, CODE_DIGITS, &code) || code == 0)
		return false;
	if (c.p < c.end && *c.p != ',' && *c.p != ' ')
		return false;
	x.code = (int)code;
	if (!is_switch)
		take_process(&c, &x);
	skip(&c, ",");
	put_text(x.rest, sizeof x.rest, c.p, c.end);
	x.is_fatal = is_switch && strncasecmp(x.rest, "fatal", 5) == 0;
	*out = x;
	return true;
}

bool xid_parse(const char *line, size_t n, struct xid *out)
{
	const char *feed = n == 0 ? NULL : memchr(line, '\n', n);
	const char *end = n == 0 ? line : feed == NULL ? line + n : feed;
	for (const char *p = line; p < end && (p = memchr(p, 'X', (size_t)(end - p))) != NULL; p++) {
		struct cursor c = { p, end };
		bool          is_switch = p > line && p[-1] == 'S';
		/* "NVRM: Xid" is the driver's; a process' name cannot forge a line of its own, but it can hold the word. */
		bool          is_driver = is_switch || (p - line >= 6 && memcmp(p - 6, "NVRM: ", 6) == 0);
		if (is_driver && skip(&c, "Xid ") && parse_at(c, is_switch, out))
			return true;
	}
	return false;
}

/* The domain without its leading zeros, then the rest up to a function's dot. */
static const char *bus_digits(const char *text, size_t *n)
{
	while (*text == '0')
		text++;
	*n = strcspn(text, ".");
	return text;
}

bool xid_same_bus(const char *a, const char *b)
{
	size_t      na = 0, nb = 0;
	const char *at = bus_digits(a, &na), *bt = bus_digits(b, &nb);
	return na == nb && na > 0 && strncasecmp(at, bt, na) == 0;
}
