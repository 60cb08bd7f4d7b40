/* SPDX-License-Identifier: Apache-2.0
 *
 * What is replaced in values: ssh_config(5), TOKENS and ENVIRONMENT VARIABLES. */
#include "collectors/ssh_config_private.h"

#include <openssl/evp.h>
#include <string.h>

enum { SHA1_BYTES = 20 };

/* ---- tokens ---- */

/* %C: the hash of %l%h%p%r. */
static enum err put_hash(const struct ssh_reading *r, const struct ssh_tokens *t, struct buf *to)
{
	struct buf text;
	unsigned char digest[SHA1_BYTES];
	buf_init(&text, SSH_VALUE_MAX);
	buf_printf(&text, "%s%s%s%s", r->machine->name, t->host, t->port, t->user);
	enum err e = text.err;
	if (e == ERR_OK && EVP_Digest(buf_text(&text), text.len, digest, NULL, EVP_sha1(), NULL) != 1)
		e = ERR_MEMORY;
	if (e == ERR_OK) {
		for (size_t i = 0; i < sizeof digest; i++)
			buf_printf(to, "%02x", digest[i]);
	}
	buf_release(&text);
	return e;
}

static enum err put_token(const struct ssh_reading *r, const struct ssh_tokens *t, char token, struct buf *to)
{
	switch (token) {
	case 'C':
		return put_hash(r, t, to);
	case 'L':
		return buf_put(to, r->machine->name, strcspn(r->machine->name, "."));
	case 'd':
		return buf_puts(to, r->machine->home);
	case 'h':
		return buf_puts(to, t->host);
	case 'i':
		return buf_printf(to, "%lu", (unsigned long)r->machine->uid);
	case 'k':
		return buf_puts(to, t->alias);
	case 'l':
		return buf_puts(to, r->machine->name);
	case 'n':
		return buf_puts(to, r->typed);
	case 'p':
		return buf_puts(to, t->port);
	case 'r':
		return buf_puts(to, t->user);
	default:
		return buf_puts(to, r->machine->user); /* 'u' */
	}
}

/* ---- tilde and environment ---- */

/* Appends the home folder that a leading ~ or ~user means, with a slash, and moves *text behind it. */
static enum err put_home(const struct ssh_reading *r, const char **text, struct buf *to, struct why *why)
{
	const char *name = *text + 1;
	size_t n = strcspn(name, "/");
	size_t before = to->len;
	if (n == 0) {
		buf_puts(to, r->machine->home);
	} else {
		struct buf user;
		buf_init(&user, 256);
		buf_put(&user, name, n);
		enum err e = user.err == ERR_OK ? r->machine->home_of(r->machine->arg, buf_text(&user), to, why) :
			why_set(why, user.err, "'%s' does not begin with a user's name", *text);
		buf_release(&user);
		if (e != ERR_OK)
			return e;
	}
	if (to->len == before || to->data[to->len - 1] != '/')
		buf_putc(to, '/');
	*text = name + n + strspn(name + n, "/");
	return to->err;
}

/* Appends what the variable in "${NAME}..." holds and moves *text to its '}'. */
static enum err put_variable(const struct ssh_reading *r, const char **text, struct buf *to, struct why *why)
{
	const char *name = *text + 2;
	const char *end = strchr(name, '}');
	struct buf copy;
	if (end == NULL || end == name)
		return why_set(why, ERR_FORMAT, end == NULL ? "'%s' lacks a '}'" : "'%s' lacks a variable's name", *text);
	buf_init(&copy, SSH_VALUE_MAX);
	buf_put(&copy, name, (size_t)(end - name));
	const char *value = copy.err == ERR_OK ? r->machine->environment(r->machine->arg, buf_text(&copy)) : NULL;
	enum err e = value != NULL ? buf_puts(to, value) :
		why_set(why, ERR_NOT_FOUND, "the environment has no variable '%s'", buf_text(&copy));
	buf_release(&copy);
	*text = end;
	return e;
}

enum err ssh_expand(const struct ssh_reading *r, const struct ssh_tokens *t, unsigned which, const char *letters, const char *text, struct buf *to,
	struct why *why)
{
	struct buf untilded;
	enum err e = ERR_OK;
	buf_init(&untilded, SSH_VALUE_MAX);
	/* As ssh does: what the home folder's name holds is expanded with the rest. */
	if ((which & SSH_EXPAND_TILDE) != 0 && *text == '~') {
		e = put_home(r, &text, &untilded, why);
		buf_puts(&untilded, text);
		text = buf_text(&untilded);
	}
	bool has_tokens = (which & (SSH_EXPAND_TOKENS | SSH_EXPAND_HOST)) != 0;
	for (; e == ERR_OK && *text != '\0'; text++) {
		if ((which & SSH_EXPAND_ENV) != 0 && text[0] == '$' && text[1] == '{') {
			e = put_variable(r, &text, to, why);
		} else if (*text != '%' || !has_tokens) {
			buf_putc(to, *text);
		} else if (text[1] == '%') {
			buf_putc(to, *++text);
		} else if (text[1] == '\0' || strchr(letters, text[1]) == NULL) {
			e = why_set(why, ERR_FORMAT, text[1] == '\0' ? "a '%%' at the end" : "the token '%%%c' does not go here", text[1]);
		} else {
			e = put_token(r, t, *++text, to);
		}
	}
	if (e == ERR_OK && (untilded.err != ERR_OK || to->err != ERR_OK))
		e = untilded.err != ERR_OK ? untilded.err : to->err;
	if (e == ERR_LIMIT || e == ERR_MEMORY)
		why_set(why, e, e == ERR_LIMIT ? "the value is longer than %d bytes" : "out of memory for %d bytes", SSH_VALUE_MAX);
	buf_release(&untilded);
	return e;
}
