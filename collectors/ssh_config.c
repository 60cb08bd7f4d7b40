/* SPDX-License-Identifier: Apache-2.0
 *
 * One reading: the destination, the files, a second pass over them where Match final or CanonicalizeHostname wants one, then the settings. The
 * second pass keeps what the first one set and compares Host with the name to connect to, as ssh does. */
#include "collectors/ssh_config_private.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* What was asked for stands above all files. */
static void take_override(struct ssh_reading *r, const char *keyword, const char *written, int64_t number)
{
	struct ssh_slot *slot = ssh_slot_of(r, keyword);
	slot->written = arena_text(r->arena, written);
	slot->number = number;
	slot->is_set = slot->written != NULL;
}

static enum err take_destination(struct ssh_reading *r)
{
	const struct ssh_question *q = r->question;
	const char *user = NULL, *host = NULL;
	struct ssh_hop *hops = NULL;
	size_t n_hops = 0;
	int port = 0;
	if (!ssh_parse_destination(r->arena, q->destination, false, &user, &host, &port) || !ssh_is_host_safe(host))
		return why_set(r->why, ERR_USAGE, "'%s' is no destination ([user@]host or ssh://[user@]host[:port])", q->destination);
	user = q->user != NULL ? q->user : user;
	port = q->port != 0 ? q->port : port;
	if (user != NULL && !ssh_is_user_safe(user))
		return why_set(r->why, ERR_USAGE, "'%s' is no user's name", user);
	if (port < 0 || port > 65535)
		return why_set(r->why, ERR_USAGE, "%d is no port", port);
	if (q->jumps != NULL && !ssh_parse_jumps(r->arena, q->jumps, &hops, &n_hops))
		return why_set(r->why, ERR_USAGE, "'%s' is no list of hosts to jump through ([user@]host[:port], parted by commas)", q->jumps);
	r->typed = r->host = host;
	if (user != NULL)
		take_override(r, "User", user, 0);
	if (port != 0) {
		char digits[16];
		snprintf(digits, sizeof digits, "%d", port);
		take_override(r, "Port", digits, port);
	}
	if (q->jumps != NULL)
		take_override(r, "ProxyJump", q->jumps, 0);
	r->into->destination = host;
	return arena_failed(r->arena) ? why_memory(r->why) : ERR_OK;
}

static enum err read_usual_files(struct ssh_reading *r)
{
	struct buf path;
	buf_init(&path, SSH_VALUE_MAX);
	enum err e = buf_printf(&path, "%s/.ssh/config", r->machine->home);
	e = e == ERR_OK ? ssh_read_file(r, buf_text(&path), true) : why_set(r->why, e, "the home folder's name is too long");
	buf_release(&path);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err read_files(struct ssh_reading *r)
{
	const struct ssh_question *q = r->question;
	const char *system_file = q->system_file;
	enum err e = ERR_OK;
	r->n_files = r->n_bytes = 0;
	if (q->file == NULL) {
		e = read_usual_files(r);
		system_file = system_file == NULL ? "/etc/ssh/ssh_config" : system_file;
	} else if (strcasecmp(q->file, "none") != 0) {
		e = ssh_read_file(r, q->file, true);
	}
	if (e != ERR_OK || system_file == NULL)
		return e;
	e = ssh_read_file(r, system_file, false);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the name to connect to ---- */

/* An address in its usual form ("::1" for "0:0::1"), or the name in lower case. Nothing is looked up. */
static const char *usual_name(struct ssh_reading *r, const char *name)
{
	static const int families[] = { [SSH_FAMILY_ANY] = AF_UNSPEC, [SSH_FAMILY_INET] = AF_INET, [SSH_FAMILY_INET6] = AF_INET6 };
	const struct ssh_slot *family = ssh_slot_of(r, "AddressFamily");
	struct addrinfo hints = { .ai_family = families[family->is_set ? family->number : SSH_FAMILY_ANY],
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char address[256];
	char *copy = arena_text(r->arena, name);
	if (copy == NULL)
		return NULL;
	bool looks_so = strpbrk(name, "%:") != NULL || name[strspn(name, "0123456789.")] == '\0';
	if (getaddrinfo(name, "22", &hints, &found) == 0 && found != NULL) {
		bool is_one = found->ai_next == NULL &&
			getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0;
		freeaddrinfo(found);
		if (is_one)
			return strcasecmp(name, address) == 0 ? copy : arena_text(r->arena, address);
	}
	for (char *p = copy; !looks_so && *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	return copy;
}

static enum err resolve_name(struct ssh_reading *r)
{
	const struct ssh_slot *name = ssh_slot_of(r, "HostName");
	struct ssh_tokens t = { .host = r->host };
	struct why why = { "" };
	struct buf text;
	enum err e = ERR_OK;
	if (name->is_set) {
		buf_init(&text, SSH_VALUE_MAX);
		e = ssh_expand(r, &t, SSH_EXPAND_HOST, "h", name->written, &text, &why);
		if (e == ERR_OK && !ssh_is_host_safe(buf_text(&text)))
			e = why_set(&why, ERR_FORMAT, "'%s' is no host's name", buf_text(&text));
		if (e != ERR_OK) {
			const struct ssh_place at = { .file = name->file, .line = name->line };
			ssh_mistake(r, &at, "HostName: %s", why.text);
			e = ERR_FORMAT;
		}
		r->host = e == ERR_OK ? usual_name(r, buf_text(&text)) : r->host;
		buf_release(&text);
	} else {
		r->host = usual_name(r, r->host);
	}
	return e == ERR_OK && r->host == NULL ? why_memory(r->why) : e;
}

static enum err read_passes(struct ssh_reading *r)
{
	enum err e = read_files(r);
	if (e == ERR_OK)
		e = resolve_name(r);
	const struct ssh_slot *canonicalize = ssh_slot_of(r, "CanonicalizeHostname");
	if (e != ERR_OK || !(r->wants_final || (canonicalize->is_set && canonicalize->number != SSH_CANONICALIZE_NO)))
		return e;
	struct ssh_slot *name = ssh_slot_of(r, "HostName");
	r->is_final = true;
	name->is_set = true; /* it is settled; a name set without a file is not listed */
	name->written = name->written != NULL ? name->written : r->host;
	return read_files(r);
}

/* ---- settings ---- */

static enum err make_settings(struct ssh_reading *r)
{
	struct ssh_settings *to = r->into;
	const struct ssh_slot *user = ssh_slot_of(r, "User"), *port = ssh_slot_of(r, "Port"), *alias = ssh_slot_of(r, "HostKeyAlias");
	char digits[16];
	to->user = user->is_set ? user->written : arena_text(r->arena, r->machine->user);
	to->port = port->is_set ? (int)port->number : 22;
	to->host_name = r->host;
	if (to->user == NULL)
		return why_memory(r->why);
	snprintf(digits, sizeof digits, "%d", to->port);
	struct ssh_tokens t = { .host = to->host_name, .user = to->user, .port = digits, .alias = r->typed };
	char *lower = NULL;
	if (alias->is_set) {
		t.alias = lower = arena_text(r->arena, alias->written);
		for (; lower != NULL && *lower != '\0'; lower++)
			*lower = (char)(*lower >= 'A' && *lower <= 'Z' ? *lower - 'A' + 'a' : *lower);
		if (t.alias == NULL)
			return why_memory(r->why);
	}
	enum err e = ssh_settings_fill(r, &t);
	return e == ERR_OK ? ssh_settings_list(r) : e;
}

enum err ssh_config_resolve(const struct ssh_question *q, const struct ssh_machine *m, struct ssh_settings *out, struct diagnostics *d,
	struct why *why)
{
	struct ssh_settings made = { 0 };
	struct diagnostics own;
	struct why sentence = { "" };
	diagnostics_init(&own);
	arena_init(&made.arena);
	struct ssh_reading r = { .machine = m, .question = q, .into = &made, .arena = &made.arena, .found = d != NULL ? d : &own, .why = &sentence };
	arena_init(&r.scratch);
	r.slots = arena_zeroed(r.arena, n_ssh_keywords, sizeof *r.slots);
	enum err e = r.slots != NULL ? take_destination(&r) : why_memory(&sentence);
	e = e == ERR_OK ? read_passes(&r) : e;
	e = e == ERR_OK ? make_settings(&r) : e;
	if (e == ERR_OK && (arena_failed(r.arena) || r.found->err != ERR_OK))
		e = why_memory(&sentence);
	arena_release(&r.scratch);
	if (e == ERR_OK) {
		*out = made;
	} else {
		if (e != ERR_FORMAT || diagnostics_why(r.found, e, why) != e || r.found->n_errors == 0)
			why_set(why, e, "%s", sentence.text);
		arena_release(&made.arena);
	}
	diagnostics_release(&own);
	return e;
}

void ssh_settings_release(struct ssh_settings *s)
{
	arena_release(&s->arena);
	*s = (struct ssh_settings){ 0 };
}
