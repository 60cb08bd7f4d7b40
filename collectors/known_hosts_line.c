/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of known_hosts files. Their meaning follows OpenSSH 9.2's hostfile.c and match.c, whose reader takes what stands before a NUL,
 * lets white space into base 64 (so that a DOS line end does no harm), and passes over what it can't read. */
#include "collectors/known_hosts_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "collectors/ssh_pattern.h"

enum { HASH_TEXT = 28 /* of KNOWN_HASH bytes in base 64 */ };

/* ---- names ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

enum err known_hosts_lower(const char *name, char to[KNOWN_NAME], struct why *why)
{
	size_t n = strlen(name);
	if (n == 0 || n >= KNOWN_NAME)
		return why_set(why, ERR_USAGE, "the name of the host is %s", n == 0 ? "empty" : "too long");
	for (size_t i = 0; i <= n; i++)
		to[i] = lower(name[i]);
	return ERR_OK;
}

/* ---- hashed names ---- */

EVP_MD_CTX *known_hosts_sha1(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c != NULL && EVP_DigestInit_ex(c, EVP_sha1(), NULL) != 1) {
		EVP_MD_CTX_free(c);
		c = NULL;
	}
	return c;
}

static bool digest_two(EVP_MD_CTX *sha1, const void *first, size_t n_first, const void *second, size_t n_second, unsigned char out[KNOWN_HASH])
{
	/* without a type it begins anew with the one it has, and does not look that up again */
	return EVP_DigestInit_ex(sha1, NULL, NULL) == 1 && EVP_DigestUpdate(sha1, first, n_first) == 1 &&
		EVP_DigestUpdate(sha1, second, n_second) == 1 && EVP_DigestFinal_ex(sha1, out, NULL) == 1;
}

/* RFC 2104, for keys shorter than a block. libcrypto's own makes and looks up a dozen objects each time, and files have thousands of
 * lines. */
enum err known_hosts_hash(EVP_MD_CTX *sha1, const unsigned char salt[KNOWN_HASH], const char *name, unsigned char out[KNOWN_HASH])
{
	enum { BLOCK = 64 };
	unsigned char inner[KNOWN_HASH], in_pad[BLOCK], out_pad[BLOCK];
	for (int i = 0; i < BLOCK; i++) {
		unsigned char key = i < KNOWN_HASH ? salt[i] : 0;
		in_pad[i] = key ^ 0x36;
		out_pad[i] = key ^ 0x5c;
	}
	if (!digest_two(sha1, in_pad, BLOCK, name, strlen(name), inner) || !digest_two(sha1, out_pad, BLOCK, inner, KNOWN_HASH, out))
		return ERR_MEMORY;
	return ERR_OK;
}

enum err known_line_matches(const struct known_line *line, const char *name, bool *out, struct why *why)
{
	unsigned char hash[KNOWN_HASH];
	*out = false;
	if (line->hosts[0] != '|') {
		*out = ssh_pattern_list_match(line->hosts, name, true) == SSH_PATTERN_YES;
		return ERR_OK;
	}
	if (known_hosts_hash(line->sha1, line->salt, name, hash) != ERR_OK)
		return why_memory(why);
	*out = memcmp(hash, line->hash, KNOWN_HASH) == 0;
	return ERR_OK;
}

/* ---- one line ---- */

static char *skip_blanks(char *at) { return at + strspn(at, " \t"); }

/* The word at *at, which is ended there; *at moves to the next one. */
static char *take_word(char **at)
{
	char *word = *at, *end = word + strcspn(word, " \t");
	if (*end != '\0')
		*end++ = '\0';
	*at = skip_blanks(end);
	return word;
}

static const char *read_marker(char **at, enum known_marker *out)
{
	*out = MARKER_NONE;
	while (**at == '@') {
		const char *word = take_word(at);
		if (*out != MARKER_NONE)
			return "there are two markers";
		if (strcmp(word, "@cert-authority") == 0)
			*out = MARKER_AUTHORITY;
		else if (strcmp(word, "@revoked") == 0)
			*out = MARKER_REVOKED;
		else
			return "its marker is neither @cert-authority nor @revoked";
	}
	return NULL;
}

static bool read_hash(const char *text, struct buf *b, unsigned char out[KNOWN_HASH])
{
	buf_clear(b);
	if (base64_decode(b, text, HASH_TEXT) != ERR_OK || b->len != KNOWN_HASH)
		return false;
	memcpy(out, b->data, KNOWN_HASH);
	return true;
}

/* "|1|salt|hash"; `b` is room. */
static bool read_hashed(const char *hosts, struct buf *b, struct known_line *out)
{
	enum { SALT_AT = 3, HASH_AT = SALT_AT + HASH_TEXT + 1 };
	return strlen(hosts) == HASH_AT + HASH_TEXT && strncmp(hosts, "|1|", SALT_AT) == 0 && hosts[HASH_AT - 1] == '|' &&
		read_hash(hosts + SALT_AT, b, out->salt) && read_hash(hosts + HASH_AT, b, out->hash);
}

static const char *read_key(char *at, struct buf *blob, struct key *out)
{
	const char *type = take_word(&at);
	if (*type == '\0' || *type == '#' || *at == '\0')
		return "its key is missing";
	if (key_type(type, strlen(type)) == NULL)
		return "its key is of a type that is not known here";
	const char *text = take_word(&at);
	buf_clear(blob);
	if (base64_decode(blob, text, strlen(text)) != ERR_OK)
		return "its key is not base 64";
	return key_read(blob->data, blob->len, type, out, NULL) == ERR_OK ? NULL : "its key is malformed or of another type than it says";
}

/* False: a comment or an empty line. `text` is written to; `blob` has room for KEY_BLOB_MAX bytes, so that nothing here wants memory. */
static bool read_line(char *text, struct buf *blob, struct known_line *out)
{
	char *at = skip_blanks(text);
	if (*at == '\0' || *at == '#' || strcmp(at, "\r") == 0)
		return false;
	out->what = read_marker(&at, &out->marker);
	if (out->what != NULL)
		return true;
	out->hosts = take_word(&at);
	if (out->hosts[0] == '|' && !read_hashed(out->hosts, blob, out))
		out->what = "its hashed name is malformed";
	else
		out->what = read_key(at, blob, &out->key);
	return true;
}

/* ---- files ---- */

struct reader {
	const char       *file;
	size_t            line;
	char             *text;       /* KNOWN_LINE_MAX bytes and a NUL */
	size_t            n;
	bool              is_skipping; /* the rest of a line that was too long */
	struct buf        blob;
	EVP_MD_CTX       *sha1;
	known_visit      *visit;
	void             *ctx;
};

static enum err report(struct reader *r, size_t line, const char *what, struct why *why)
{
	const struct known_line l = { .place = { r->file, line }, .what = what };
	return r->visit(r->ctx, &l, why);
}

static enum err one_line(struct reader *r, char *text, struct why *why)
{
	struct known_line l = { .place = { r->file, ++r->line }, .sha1 = r->sha1 };
	return read_line(text, &r->blob, &l) ? r->visit(r->ctx, &l, why) : ERR_OK;
}

/* All whole lines of what has been read; what is left moves to the front. */
static enum err whole_lines(struct reader *r, struct why *why)
{
	char    *at = r->text, *end = r->text + r->n, *newline;
	enum err e = ERR_OK;
	while (e == ERR_OK && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		*newline = '\0';
		if (!r->is_skipping)
			e = one_line(r, at, why);
		r->is_skipping = false;
		at = newline + 1;
	}
	r->n = (size_t)(end - at);
	memmove(r->text, at, r->n);
	if (e == ERR_OK && r->n == KNOWN_LINE_MAX) {
		if (!r->is_skipping)
			e = report(r, ++r->line, "it is too long", why);
		r->is_skipping = true;
		r->n = 0;
	}
	return e;
}

static enum err read_lines(struct reader *r, int fd, struct why *why)
{
	size_t   total = 0;
	enum err e = ERR_OK;
	while (e == ERR_OK) {
		ssize_t n = read(fd, r->text + r->n, KNOWN_LINE_MAX - r->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return why_errno(why, errno, "cannot read '%s'", r->file);
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > KNOWN_FILE_MAX)
			return why_set(why, ERR_LIMIT, "'%s' is longer than %d bytes", r->file, KNOWN_FILE_MAX);
		r->n += (size_t)n;
		e = whole_lines(r, why);
	}
	if (e == ERR_OK && r->n > 0 && !r->is_skipping) {
		r->text[r->n] = '\0';
		e = one_line(r, r->text, why);
	}
	return e;
}

/* A device, as the /dev/null of those who want no file, holds nothing; a pipe might keep us waiting. */
static enum err read_file(struct reader *r, struct why *why)
{
	struct stat st;
	int         fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_OK : report(r, 0, "it cannot be opened", why);
	enum err e = ERR_OK;
	if (fstat(fd, &st) != 0)
		e = why_errno(why, errno, "cannot look at '%s'", r->file);
	else if (S_ISREG(st.st_mode))
		e = read_lines(r, fd, why);
	else if (!S_ISCHR(st.st_mode))
		e = report(r, 0, "it is not a regular file", why);
	close(fd);
	return e;
}

enum err known_hosts_read(const char *const *files, size_t n_files, known_visit *visit, void *ctx, struct why *why)
{
	struct reader r = { .text = malloc(KNOWN_LINE_MAX + 1), .sha1 = known_hosts_sha1(), .visit = visit, .ctx = ctx };
	buf_init(&r.blob, KEY_BLOB_MAX);
	enum err e = r.text != NULL && r.sha1 != NULL && buf_room(&r.blob, KEY_BLOB_MAX) != NULL ? ERR_OK : why_memory(why);
	for (size_t i = 0; e == ERR_OK && i < n_files; i++) {
		r.file = files[i];
		r.line = 0;
		r.n = 0;
		r.is_skipping = false;
		e = read_file(&r, why);
	}
	EVP_MD_CTX_free(r.sha1);
	buf_release(&r.blob);
	free(r.text);
	return e;
}

void known_hosts_note(struct known_hosts_notes *notes, const struct known_line *line)
{
	assert(line->what != NULL);
	if (notes->n < KNOWN_NOTES_MAX)
		notes->first[notes->n] = (struct known_hosts_note){ line->place, line->what };
	notes->n++;
}
