/* SPDX-License-Identifier: Apache-2.0
 *
 * Destinations: [user@]host, [user@]host[:port] in ProxyJump, and ssh:// URIs. Names end up in the arguments of programs and, through Match exec, in
 * a shell: what could be an option or act on a shell is refused before anything is read.
 * Sources: ssh(1), ssh_config(5); draft-ietf-secsh-scp-sftp-ssh-uri-04; the characters are those that OpenSSH refuses since 9.6. */
#include "collectors/ssh_config_private.h"

#include <string.h>
#include <strings.h>

static bool is_safe(const char *text, const char *refused)
{
	if (*text == '\0' || *text == '-' || strlen(text) > 1023)
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr(refused, *p) != NULL)
			return false;
	}
	return true;
}

bool ssh_is_host_safe(const char *host)
{
	return is_safe(host, " '`\"$\\;&<>|(){},");
}

bool ssh_is_user_safe(const char *user)
{
	size_t n = strlen(user);
	return is_safe(user, "'`\";&<>|(){}") && strstr(user, " -") == NULL && user[n - 1] != '\\';
}

static char *text_of(struct arena *a, const char *from, size_t n)
{
	char *text = arena_zeroed(a, n + 1, 1);
	if (text != NULL && n > 0)
		memcpy(text, from, n);
	return text;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place, '+' as a blank. */
static bool url_decode(char *text)
{
	char *to = text;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '%') {
			*to++ = (char)(*p == '+' ? ' ' : *p);
			continue;
		}
		int high = hex(p[1]), low = high < 0 ? -1 : hex(p[2]);
		if (low < 0 || high * 16 + low == 0)
			return false;
		*to++ = (char)(high * 16 + low);
		p += 2;
	}
	*to = '\0';
	return true;
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_domain(const char *name)
{
	if (!is_letter_or_digit(*name))
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		if ((p[0] == '.' && p[1] == '.') || (!is_letter_or_digit(*p) && strchr(".-_", *p) == NULL))
			return false;
	}
	return true;
}

/* Cuts "host[:port]" or "[host][:port]" into host and what stands behind its ':' (NULL: no ':'). */
static bool cut_host(struct arena *a, const char *text, const char **host, const char **port)
{
	const char *end = text + strcspn(text, ":/");
	if (*text == '[') {
		end = strchr(text, ']');
		if (end == NULL)
			return false;
		end++;
	}
	if (end == text || (*end != '\0' && *end != ':'))
		return false;
	bool has_brackets = *text == '[' && end[-1] == ']';
	*host = has_brackets ? text_of(a, text + 1, (size_t)(end - text) - 2) : text_of(a, text, (size_t)(end - text));
	*port = *end == ':' ? end + 1 : NULL;
	return *host != NULL && **host != '\0';
}

static bool parse_uri(struct arena *a, const char *text, const char **user, const char **host, int *port)
{
	const char *at = strchr(text, '@'), *digits = NULL;
	if (at != NULL) {
		size_t n = (size_t)(at - text), named = strcspn(text, ";"); /* what follows a ';' are parameters nobody uses */
		char *name = text_of(a, text, named < n ? named : n);
		if (name == NULL || *name == '\0' || !url_decode(name))
			return false;
		*user = name;
		text = at + 1;
	}
	const char *slash = strchr(text, '/');
	if (slash != NULL && slash[1] != '\0')
		return false; /* a path */
	char *rest = text_of(a, text, slash != NULL ? (size_t)(slash - text) : strlen(text));
	if (rest == NULL || !cut_host(a, rest, host, &digits) || !is_domain(*host))
		return false;
	size_t n = strlen(*host);
	if ((*host)[n - 1] == '.')
		*host = text_of(a, *host, n - 1);
	return *host != NULL && (digits == NULL || *digits == '\0' || ssh_parse_port(digits, port));
}

bool ssh_parse_destination(struct arena *a, const char *text, bool is_jump, const char **user, const char **host, int *port)
{
	static const char scheme[] = "ssh://";
	const char *digits = NULL;
	*user = *host = NULL;
	*port = 0;
	if (strncmp(text, scheme, sizeof scheme - 1) == 0)
		return parse_uri(a, text + sizeof scheme - 1, user, host, port);
	const char *at = strrchr(text, '@');
	if (at == text)
		return false;
	if (at != NULL) {
		*user = text_of(a, text, (size_t)(at - text));
		text = at + 1;
	}
	if (!is_jump) {
		*host = arena_text(a, text);
		return *host != NULL && **host != '\0';
	}
	return cut_host(a, text, host, &digits) && (digits == NULL || *digits == '\0' || ssh_parse_port(digits, port));
}

bool ssh_parse_jumps(struct arena *a, const char *text, struct ssh_hop **out, size_t *n)
{
	size_t count = 1, made = 0;
	*n = 0;
	*out = NULL;
	if (strcasecmp(text, "none") == 0)
		return true;
	for (const char *p = text; *p != '\0'; p++)
		count += *p == ',';
	struct ssh_hop *hops = arena_zeroed(a, count, sizeof *hops);
	for (const char *p = text; hops != NULL && made < count; made++) {
		size_t length = strcspn(p, ",");
		struct ssh_hop *hop = &hops[made];
		const char *one = text_of(a, p, length);
		if (one == NULL || !ssh_parse_destination(a, one, true, &hop->user, &hop->host, &hop->port))
			return false;
		if (strcasecmp(one, "none") == 0 && count > 1)
			return false;
		p += length + (p[length] == ',');
	}
	*out = hops;
	*n = made;
	return hops != NULL;
}
