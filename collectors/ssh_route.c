/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/ssh_route.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "collectors/ssh_blob.h"
#include "collectors/ssh_check.h"
#include "collectors/ssh_pem.h"

static void wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

void route_hop_release(struct route_hop *h)
{
	for (size_t i = 0; i < h->n_keys; i++) {
		wipe(&h->keys[i].text);
		buf_release(&h->keys[i].public_blob);
	}
	free(h->name);
	free(h->key);
	ssh_settings_release(&h->settings);
	memset(h, 0, sizeof *h);
}

void route_release(struct route *r)
{
	for (size_t i = 0; i < r->n; i++)
		route_hop_release(&r->hops[i]);
	r->n = 0;
}

static void fail(struct route *r, enum reach result, const struct why *why)
{
	r->result = result;
	snprintf(r->text, sizeof r->text, "%s", why->text);
}

/* ---- keys ---- */

/* The key's length and its first field, which names its type (RFC 4253, 6.6). */
static bool is_usable_type(const struct buf *blob)
{
	static const char *const usable[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521" };
	for (size_t i = 0; i < sizeof usable / sizeof *usable; i++)
		if (ssh_blob_is(blob->data, blob->len, usable[i]))
			return true;
	return false;
}

/* PROTOCOL.key of OpenSSH: "openssh-key-v1\0", cipher, kdf, kdf options, number of keys, public key, private part. */
static enum route_key_state look_openssh(const char *body, size_t n, struct buf *public_blob)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct buf raw;
	const unsigned char *part;
	size_t at = sizeof magic, len = 0;
	enum route_key_state state = ROUTE_KEY_UNREADABLE;
	buf_init(&raw, ROUTE_KEY_BYTES);
	if (base64_decode(&raw, body, n) == ERR_OK && raw.len > sizeof magic && memcmp(raw.data, magic, sizeof magic) == 0 &&
	    ssh_blob_next(raw.data, raw.len, &at, &part, &len)) {
		bool is_locked = len != 4 || memcmp(part, "none", 4) != 0;
		const unsigned char *kdf;
		size_t ignored;
		if (ssh_blob_next(raw.data, raw.len, &at, &kdf, &ignored) && ssh_blob_next(raw.data, raw.len, &at, &kdf, &ignored) &&
		    raw.len - at > 4 && (at += 4, ssh_blob_next(raw.data, raw.len, &at, &part, &len))) {
			buf_put(public_blob, part, len);
			state = is_locked ? ROUTE_KEY_LOCKED : is_usable_type(public_blob) ? ROUTE_KEY_USABLE : ROUTE_KEY_FOREIGN;
		}
	}
	wipe(&raw);
	return state;
}

static const char begin_openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";

enum route_key_state route_key_look(const char *text, size_t n, struct buf *public_blob)
{
	static const char end[] = "-----END OPENSSH PRIVATE KEY-----";
	const char *from = memmem(text, n, begin_openssh, sizeof begin_openssh - 1);
	if (from != NULL) {
		from += sizeof begin_openssh - 1;
		const char *to = memmem(from, n - (size_t)(from - text), end, sizeof end - 1);
		return to != NULL ? look_openssh(from, (size_t)(to - from), public_blob) : ROUTE_KEY_UNREADABLE;
	}
	if (memmem(text, n, "ENCRYPTED", 9) != NULL)
		return ROUTE_KEY_LOCKED;
	if (memmem(text, n, "-----BEGIN RSA PRIVATE KEY-----", 31) != NULL || memmem(text, n, "-----BEGIN DSA PRIVATE KEY-----", 31) != NULL)
		return ROUTE_KEY_FOREIGN;
	if (memmem(text, n, "-----BEGIN EC PRIVATE KEY-----", 30) != NULL)
		return ROUTE_KEY_USABLE;
	return memmem(text, n, "-----BEGIN PRIVATE KEY-----", 27) != NULL ? ROUTE_KEY_FOREIGN : ROUTE_KEY_UNREADABLE; /* PKCS #8: of any type */
}

static bool read_small(const char *path, struct buf *to)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is_good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < ROUTE_KEY_BYTES;
	if (!is_good)
		errno = fd < 0 ? errno : EINVAL;
	char *room = is_good ? buf_room(to, (size_t)st.st_size + 1) : NULL; /* once, so that no copy is left behind by growing */
	while (room != NULL && to->len < (size_t)st.st_size) {
		ssize_t got = read(fd, to->data + to->len, (size_t)st.st_size - to->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		to->len += (size_t)got;
	}
	if (room != NULL)
		to->data[to->len] = '\0'; /* libssh2 reads up to there */
	if (fd >= 0)
		close(fd);
	return room != NULL;
}

/* "type base64 comment" */
static void read_public(const char *path, struct buf *blob)
{
	char name[4096];
	struct buf text;
	if (snprintf(name, sizeof name, "%s.pub", path) >= (int)sizeof name)
		return;
	buf_init(&text, ROUTE_KEY_BYTES);
	if (read_small(name, &text) && text.len > 0) {
		const char *at = text.data + strcspn(text.data, " \t");
		at += strspn(at, " \t");
		base64_decode(blob, at, strcspn(at, " \t\r\n"));
	}
	buf_release(&text);
}

static bool has_certificate(const char *path)
{
	char name[4096];
	return snprintf(name, sizeof name, "%s-cert.pub", path) < (int)sizeof name && access(name, R_OK) == 0;
}

/* The text as libssh2 is to have it (collectors/ssh_pem.h). */
static void change_ecdsa(struct route_key *k)
{
	static const char end[] = "-----END OPENSSH PRIVATE KEY-----";
	struct buf raw, pem;
	const char *from = memmem(buf_text(&k->text), k->text.len, begin_openssh, sizeof begin_openssh - 1);
	const char *to = from != NULL ? strstr(from, end) : NULL;
	buf_init(&raw, ROUTE_KEY_BYTES);
	buf_init(&pem, SSH_PEM_MAX);
	if (to != NULL && buf_room(&raw, k->text.len) != NULL && buf_room(&pem, SSH_PEM_MAX - 1) != NULL &&
	    base64_decode(&raw, from + sizeof begin_openssh - 1, (size_t)(to - from) - (sizeof begin_openssh - 1)) == ERR_OK &&
	    ssh_pem_ecdsa((const unsigned char *)raw.data, raw.len, &pem)) {
		struct buf old = k->text;
		k->text = pem;
		pem = old;
	}
	wipe(&raw);
	wipe(&pem);
}

static void read_key(const char *path, struct route_key *k)
{
	*k = (struct route_key){ .path = path };
	buf_init(&k->text, ROUTE_KEY_BYTES);
	buf_init(&k->public_blob, ROUTE_KEY_BYTES);
	if (!read_small(path, &k->text))
		k->state = errno == ENOENT || errno == ENOTDIR ? ROUTE_KEY_MISSING : ROUTE_KEY_UNREADABLE;
	else
		k->state = route_key_look(buf_text(&k->text), k->text.len, &k->public_blob);
	if (k->public_blob.len == 0)
		read_public(path, &k->public_blob);
	k->has_certificate = has_certificate(path);
	if (k->state != ROUTE_KEY_USABLE)
		wipe(&k->text);
	else
		change_ecdsa(k);
}

/* ---- hops ---- */

static enum err name_hop(struct route *r, size_t i)
{
	struct route_hop *h = &r->hops[i];
	const struct ssh_settings *s = &h->settings;
	const char *brackets = strchr(s->host_name, ':') != NULL ? "[]" : "";
	if (asprintf(&h->name, "%s@%.1s%s%s:%d", s->user, brackets, s->host_name, brackets[0] != '\0' ? "]" : "", s->port) < 0) {
		h->name = NULL;
		return ERR_MEMORY;
	}
	/* Two names of one machine with different rules for its host key are two sessions. */
	if (asprintf(&h->key, "%s%s%s|%s|%d", i > 0 ? r->hops[i - 1].key : "", i > 0 ? ">" : "", h->name,
	             s->host_key_alias != NULL ? s->host_key_alias : "", (int)s->strict_host_key_checking) < 0) {
		h->key = NULL;
		return ERR_MEMORY;
	}
	return ERR_OK;
}

static const char *first_fall_back(const struct ssh_settings *s, char *to, size_t size)
{
	for (size_t i = 0; i < s->n_unhonoured; i++) {
		if (s->unhonoured[i].honour == SSH_FALLS_BACK_TO_OPENSSH) {
			snprintf(to, size, "%s is set (%s:%d)", s->unhonoured[i].keyword, s->unhonoured[i].file, s->unhonoured[i].line);
			return to;
		}
	}
	return "";
}

/* Adds one hop; its own jumps were asked for, or stand before it already. */
static bool add_hop(struct route *r, const struct ssh_machine *m, const struct ssh_question *q)
{
	struct why why = { "" };
	if (r->n == ROUTE_HOPS_MAX) {
		why_set(&why, ERR_LIMIT, "more than %d jump hosts", ROUTE_HOPS_MAX - 1);
		fail(r, REACH_CONFIG, &why);
		return false;
	}
	struct route_hop *h = &r->hops[r->n];
	enum err e = ssh_config_resolve(q, m, &h->settings, NULL, &why);
	if (e != ERR_OK) {
		fail(r, REACH_CONFIG, &why);
		return false;
	}
	r->n++;
	if (name_hop(r, r->n - 1) != ERR_OK) {
		why_memory(&why);
		fail(r, REACH_FAILED, &why);
		return false;
	}
	if (h->settings.needs_openssh && !r->needs_openssh) {
		char what[200];
		r->needs_openssh = true;
		snprintf(r->text, sizeof r->text, "%s", first_fall_back(&h->settings, what, sizeof what));
	}
	return true;
}

/* As `ssh -J` does it: the hosts of a list are passed one after the other; what a jump host's own configuration says of jumps holds for the first of
 * them, and is `none` for the others (ssh.c, "ssh -W" with what is left of the list). */
static bool add_way(struct route *r, const struct ssh_machine *m, const struct ssh_question *q, int depth);

static bool add_jumps(struct route *r, const struct ssh_machine *m, const struct ssh_settings *s, const char *file, int depth)
{
	for (size_t i = 0; i < s->n_jumps; i++) {
		const struct ssh_hop *hop = &s->jumps[i];
		const struct ssh_question q = { .destination = hop->host, .user = hop->user, .port = hop->port, .file = file,
			                            .jumps = i > 0 ? "none" : NULL };
		if (!(i > 0 ? add_hop(r, m, &q) : add_way(r, m, &q, depth + 1)))
			return false;
	}
	return true;
}

static bool add_way(struct route *r, const struct ssh_machine *m, const struct ssh_question *q, int depth)
{
	struct ssh_settings own;
	struct why why = { "" };
	if (depth >= ROUTE_HOPS_MAX) {
		why_set(&why, ERR_LIMIT, "jump hosts that jump over each other");
		fail(r, REACH_CONFIG, &why);
		return false;
	}
	if (ssh_config_resolve(q, m, &own, NULL, &why) != ERR_OK) {
		fail(r, REACH_CONFIG, &why);
		return false;
	}
	bool is_good = add_jumps(r, m, &own, q->file, depth);
	ssh_settings_release(&own);
	return is_good && add_hop(r, m, q);
}

static void say_address(struct route *r, const struct addrinfo *a)
{
	char   address[64];
	size_t len = strlen(r->found);
	if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0 && len + strlen(address) + 3 <= sizeof r->found)
		snprintf(r->found + len, sizeof r->found - len, "%s%s", len > 0 ? ", " : "", address);
}

static void look_up(struct route *r)
{
	struct route_hop *h = &r->hops[0];
	struct addrinfo *found = NULL, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct why why = { "" };
	char port[16];
	hints.ai_family = h->settings.address_family == SSH_FAMILY_INET    ? AF_INET
	                  : h->settings.address_family == SSH_FAMILY_INET6 ? AF_INET6
	                                                                   : AF_UNSPEC;
	snprintf(port, sizeof port, "%d", h->settings.port);
	int failed = getaddrinfo(h->settings.host_name, port, &hints, &found);
	if (failed == EAI_ADDRFAMILY || failed == EAI_NONAME) { /* a loopback address on a machine without any other */
		hints.ai_flags = 0;
		failed = getaddrinfo(h->settings.host_name, port, &hints, &found);
	}
	if (failed != 0) {
		why_set(&why, ERR_NETWORK, "no address of '%s': %s", h->settings.host_name, gai_strerror(failed));
		fail(r, REACH_DNS, &why);
		return;
	}
	for (const struct addrinfo *a = found; a != NULL && h->n_addresses < ROUTE_ADDRESSES_MAX; a = a->ai_next) {
		if (a->ai_addrlen > sizeof h->addresses[0])
			continue;
		memcpy(&h->addresses[h->n_addresses++], a->ai_addr, a->ai_addrlen);
		say_address(r, a);
	}
	freeaddrinfo(found);
}

static double ms_since(int64_t begun_us)
{
	return (double)(clock_mono_us(clock_system()) - begun_us) / 1e3;
}

static bool read_files(struct route *out, const struct ssh_machine *m, const struct ssh_question *q)
{
	if (!add_way(out, m, q, 0) || out->needs_openssh)
		return false;
	out->hops[out->n - 1].is_last = true;
	for (size_t i = 0; i < out->n; i++) {
		struct route_hop *h = &out->hops[i];
		for (size_t k = 0; k < h->settings.identity_files.n && h->n_keys < ROUTE_KEYS_MAX; k++)
			read_key(h->settings.identity_files.items[k], &h->keys[h->n_keys++]);
		host_key_methods(&h->settings, h->host_key_methods, sizeof h->host_key_methods);
	}
	return true;
}

void route_read(struct route *out, const struct ssh_machine *m, const char *destination, const char *user, int port, const char *config_file)
{
	const struct ssh_question q = { .destination = destination, .user = user, .port = port, .file = config_file };
	int64_t begun_us = clock_mono_us(clock_system());
	memset(out, 0, sizeof *out);
	out->result = REACH_OK;
	bool is_ours = read_files(out, m, &q);
	out->config_ms = ms_since(begun_us);
	if (!is_ours)
		return;
	begun_us = clock_mono_us(clock_system());
	look_up(out);
	out->name_ms = ms_since(begun_us);
}
