/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict. A host may be looked up under four names at once: its own, its address, and both without the port, which OpenSSH tries when
 * the name with the port is new. One pass over the files collects what they say of each; then the verdict is drawn from the four, as
 * OpenSSH 9.2's check_host_key does, but where that would pass over a revocation. */
#include "collectors/known_hosts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collectors/known_hosts_private.h"

enum { BY_NAME, BY_ADDRESS, BY_PORTLESS, BY_PORTLESS_ADDRESS, LOOKUPS };
enum { SSH_PORT = 22, PORT_MAX = 65535 };

const char *host_key_words(enum host_key_verdict v)
{
	static const char *const words[] = {
#define X(name, text) text,
		HOST_KEY_LIST(X)
#undef X
	};
	return words[v];
}

/* ---- names ---- */

static bool has_port(int port) { return port != 0 && port != SSH_PORT; }

static enum err put_name(const char *host, int port, char to[KNOWN_NAME], struct why *why)
{
	char low[KNOWN_NAME];
	enum err e = known_hosts_lower(host, low, why);
	if (e != ERR_OK)
		return e;
	assert(port >= 0 && port <= PORT_MAX);
	int n = has_port(port) ? snprintf(to, KNOWN_NAME, "[%s]:%d", low, port) : snprintf(to, KNOWN_NAME, "%s", low);
	return n < KNOWN_NAME ? ERR_OK : why_set(why, ERR_USAGE, "the name of the host is too long");
}

enum err known_hosts_name(const char *host, int port, char to[KNOWN_NAME], struct why *why)
{
	for (const char *c = host; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("@?*#[]|'\"\\,!", *c) != NULL)
			return why_set(why, ERR_USAGE, "the name of a host can't hold such characters");
	}
	return put_name(host, port, to, why);
}

struct names {
	char text[LOOKUPS][KNOWN_NAME];
	bool is_wanted[LOOKUPS];
};

static enum err names_of(const struct known_hosts_query *q, struct names *out, struct why *why)
{
	memset(out->is_wanted, 0, sizeof out->is_wanted);
	enum err e = q->alias != NULL ? put_name(q->alias, 0, out->text[BY_NAME], why) : put_name(q->host, q->port, out->text[BY_NAME], why);
	out->is_wanted[BY_NAME] = true;
	bool with_portless = q->alias == NULL && has_port(q->port);
	if (e == ERR_OK && with_portless) {
		e = put_name(q->host, 0, out->text[BY_PORTLESS], why);
		out->is_wanted[BY_PORTLESS] = true;
	}
	if (e != ERR_OK || q->address == NULL || strcasecmp(q->address, q->host) == 0)
		return e;
	e = put_name(q->address, q->port, out->text[BY_ADDRESS], why);
	out->is_wanted[BY_ADDRESS] = true;
	if (e == ERR_OK && with_portless) {
		e = put_name(q->address, 0, out->text[BY_PORTLESS_ADDRESS], why);
		out->is_wanted[BY_PORTLESS_ADDRESS] = true;
	}
	return e;
}

/* ---- collecting ---- */

/* What the files say of the key under one name. */
struct finding_of_key {
	struct known_hosts_place same, other, other_type, revoked, ca;
	const char              *other_name, *other_type_name; /* types */
	char                     other_text[KEY_FINGERPRINT], other_type_text[KEY_FINGERPRINT];
};

struct check {
	struct names              names;
	struct key                offered, authority; /* authority: of a certificate */
	struct finding_of_key     found[LOOKUPS];
	struct known_hosts_notes *notes;
};

static void keep_first(struct known_hosts_place *to, const struct known_line *l)
{
	if (to->file == NULL)
		*to = l->place;
}

static bool is_revoked_by(const struct check *c, const struct key *k)
{
	return key_is_same_pair(k, &c->offered) || (key_is_certificate(&c->offered) && key_is_same_pair(k, &c->authority));
}

static void collect_plain(struct finding_of_key *f, const struct key *offered, const struct known_line *l)
{
	const struct key *k = &l->key;
	if (key_is_same(k, offered)) {
		keep_first(&f->same, l);
	} else if (strcmp(k->type, offered->type) == 0 && f->other.file == NULL) {
		f->other = l->place;
		f->other_name = k->type;
		key_fingerprint(k->blob, k->n_blob, f->other_text);
	} else if (strcmp(k->type, offered->type) != 0 && f->other_type.file == NULL) {
		f->other_type = l->place;
		f->other_type_name = k->type;
		key_fingerprint(k->blob, k->n_blob, f->other_type_text);
	}
}

static void collect(struct check *c, struct finding_of_key *f, const struct known_line *l)
{
	switch (l->marker) {
	case MARKER_REVOKED:
		if (is_revoked_by(c, &l->key))
			keep_first(&f->revoked, l);
		break;
	case MARKER_AUTHORITY:
		keep_first(&f->ca, l);
		break;
	case MARKER_NONE:
		if (!key_is_certificate(&c->offered))
			collect_plain(f, &c->offered, l);
		break;
	}
}

static enum err visit_check(void *ctx, const struct known_line *l, struct why *why)
{
	struct check *c = ctx;
	enum err      e = ERR_OK;
	if (l->what != NULL) {
		known_hosts_note(c->notes, l);
		return ERR_OK;
	}
	for (int i = 0; e == ERR_OK && i < LOOKUPS; i++) {
		bool is_match = false;
		if (c->names.is_wanted[i])
			e = known_line_matches(l, c->names.text[i], &is_match, why);
		if (is_match)
			collect(c, &c->found[i], l);
	}
	return e;
}

/* ---- the verdict ---- */

static enum host_key_verdict verdict_of(const struct finding_of_key *f)
{
	if (f->revoked.file != NULL)
		return HOST_KEY_REVOKED;
	if (f->same.file != NULL)
		return HOST_KEY_OK;
	return f->other.file != NULL || f->other_type.file != NULL ? HOST_KEY_CHANGED : HOST_KEY_UNKNOWN;
}

static void say_ok(struct known_hosts_result *r, const struct finding_of_key *f)
{
	r->verdict = HOST_KEY_OK;
	r->place = f->same;
	r->known_type = r->offered_type;
	memcpy(r->known, r->offered, sizeof r->known);
}

static void say_changed(struct known_hosts_result *r, const struct finding_of_key *f)
{
	r->verdict = HOST_KEY_CHANGED;
	r->is_other_type = f->other.file == NULL;
	r->place = r->is_other_type ? f->other_type : f->other;
	r->known_type = r->is_other_type ? f->other_type_name : f->other_name;
	memcpy(r->known, r->is_other_type ? f->other_type_text : f->other_text, sizeof r->known);
}

/* A plain key that no line revokes. */
static void decide_plain(const struct finding_of_key found[LOOKUPS], struct known_hosts_result *r)
{
	enum host_key_verdict by[LOOKUPS];
	for (int i = 0; i < LOOKUPS; i++)
		by[i] = verdict_of(&found[i]);
	if (by[BY_NAME] == HOST_KEY_OK) {
		say_ok(r, &found[BY_NAME]);
	} else if (by[BY_NAME] == HOST_KEY_CHANGED) {
		say_changed(r, &found[BY_NAME]);
	} else if (by[BY_PORTLESS] == HOST_KEY_OK && by[BY_PORTLESS_ADDRESS] != HOST_KEY_CHANGED) {
		say_ok(r, &found[BY_PORTLESS]);
		r->is_portless = true;
	}
	if (by[BY_NAME] != HOST_KEY_CHANGED && by[BY_ADDRESS] == HOST_KEY_CHANGED) {
		say_changed(r, &found[BY_ADDRESS]);
		r->is_by_address = true;
		r->is_portless = false;
	}
}

static void decide(const struct check *c, struct known_hosts_result *r)
{
	for (int i = 0; i < LOOKUPS; i++) {
		if (r->ca.file == NULL)
			r->ca = c->found[i].ca;
	}
	r->has_ca = r->ca.file != NULL;
	for (int i = 0; i < LOOKUPS; i++) {
		if (c->found[i].revoked.file != NULL) {
			r->verdict = HOST_KEY_REVOKED;
			r->place = c->found[i].revoked;
			return;
		}
	}
	r->address_is_new = c->names.is_wanted[BY_ADDRESS] && verdict_of(&c->found[BY_ADDRESS]) == HOST_KEY_UNKNOWN;
	if (!key_is_certificate(&c->offered)) {
		decide_plain(c->found, r);
	} else {
		r->verdict = HOST_KEY_UNSUPPORTED_CERT;
		r->place = r->ca;
	}
}

enum err known_hosts_check(const struct known_hosts_query *q, const void *blob, size_t n, const char *claimed, struct known_hosts_result *out,
                           struct why *why)
{
	struct known_hosts_result r = { .verdict = HOST_KEY_UNKNOWN };
	struct check c = { .notes = &r.notes };
	enum err e = key_read(blob, n, claimed, &c.offered, why);
	if (e == ERR_OK && key_is_certificate(&c.offered))
		e = key_read(c.offered.authority, c.offered.n_authority, NULL, &c.authority, why);
	if (e == ERR_OK)
		e = names_of(q, &c.names, why);
	if (e == ERR_OK)
		e = known_hosts_read(q->files, q->n_files, visit_check, &c, why);
	if (e != ERR_OK)
		return e;
	r.offered_type = c.offered.type;
	key_fingerprint(blob, n, r.offered);
	decide(&c, &r);
	*out = r;
	return ERR_OK;
}

enum err known_hosts_in_file(const char *file, const char *name, const struct key *k, enum host_key_verdict *out, struct why *why)
{
	struct known_hosts_notes notes = { .n = 0 };
	struct check c = { .notes = &notes, .offered = *k, .names.is_wanted[BY_NAME] = true };
	enum err e = known_hosts_lower(name, c.names.text[BY_NAME], why);
	if (e == ERR_OK)
		e = known_hosts_read(&file, 1, visit_check, &c, why);
	if (e == ERR_OK)
		*out = verdict_of(&c.found[BY_NAME]);
	return e;
}

static enum err visit_lint(void *ctx, const struct known_line *l, struct why *why)
{
	(void)why;
	if (l->what != NULL)
		known_hosts_note(ctx, l);
	return ERR_OK;
}

enum err known_hosts_lint(const char *const *files, size_t n_files, struct known_hosts_notes *out, struct why *why)
{
	struct known_hosts_notes notes = { .n = 0 };
	enum err e = known_hosts_read(files, n_files, visit_lint, &notes, why);
	if (e == ERR_OK)
		*out = notes;
	return e;
}

/* ---- types ---- */

/* OpenSSH 9.2's own order, certificates left out. */
static const char *const preferred[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256",
};
_Static_assert(sizeof preferred / sizeof preferred[0] == KNOWN_TYPES, "a place for each algorithm");

/* The first key of each type, as its fingerprint; "" for none. Only the first counts, and whether it is revoked is seen in a second
 * pass. */
struct types {
	char name[KNOWN_NAME];
	char first[KNOWN_TYPES][KEY_FINGERPRINT];
	bool has_ca, has_revoked, is_second;
};

static void collect_type(struct types *t, const struct known_line *l)
{
	char text[KEY_FINGERPRINT];
	key_fingerprint(l->key.blob, l->key.n_blob, text);
	for (size_t i = 0; i < KNOWN_TYPES; i++) {
		bool is_type = strcmp(key_type(preferred[i], strlen(preferred[i])), l->key.type) == 0;
		if (is_type && !t->is_second && l->marker == MARKER_NONE && t->first[i][0] == '\0')
			memcpy(t->first[i], text, sizeof text);
		if (is_type && t->is_second && l->marker == MARKER_REVOKED && strcmp(t->first[i], text) == 0)
			t->first[i][0] = '\0';
	}
	t->has_ca |= l->marker == MARKER_AUTHORITY;
	t->has_revoked |= l->marker == MARKER_REVOKED;
}

static enum err visit_types(void *ctx, const struct known_line *l, struct why *why)
{
	struct types *t = ctx;
	bool is_match = false;
	enum err e = l->what == NULL ? known_line_matches(l, t->name, &is_match, why) : ERR_OK;
	if (is_match)
		collect_type(t, l);
	return e;
}

static void put_types(const struct types *t, bool is_known, struct known_hosts_types *out)
{
	for (size_t i = 0; i < KNOWN_TYPES; i++) {
		if ((t->first[i][0] != '\0') == is_known) {
			out->is_known[out->n] = is_known;
			out->names[out->n++] = preferred[i];
		}
	}
}

enum err known_hosts_types(const struct known_hosts_query *q, struct known_hosts_types *out, struct why *why)
{
	struct types t = { .has_ca = false };
	enum err e = q->alias != NULL ? put_name(q->alias, 0, t.name, why) : put_name(q->host, q->port, t.name, why);
	if (e == ERR_OK)
		e = known_hosts_read(q->files, q->n_files, visit_types, &t, why);
	if (e == ERR_OK && t.has_revoked) {
		t.is_second = true;
		e = known_hosts_read(q->files, q->n_files, visit_types, &t, why);
	}
	if (e != ERR_OK)
		return e;
	*out = (struct known_hosts_types){ .has_ca = t.has_ca };
	if (t.first[0][0] != '\0') {
		for (size_t i = 0; i < KNOWN_TYPES; i++) {
			out->names[i] = preferred[i];
			out->is_known[i] = t.first[i][0] != '\0';
		}
		out->n = KNOWN_TYPES;
	} else {
		put_types(&t, true, out);
		put_types(&t, false, out);
	}
	return ERR_OK;
}

enum err known_hosts_types_join(const struct known_hosts_types *t, const char *const *supported, size_t n_supported, struct buf *to)
{
	const char *between = "";
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < n_supported; k++) {
			if (strcmp(t->names[i], supported[k]) == 0) {
				buf_printf(to, "%s%s", between, t->names[i]);
				between = ",";
				break;
			}
		}
	}
	return to->err;
}
