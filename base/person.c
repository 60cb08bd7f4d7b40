/* SPDX-License-Identifier: Apache-2.0 */
#include "base/person.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slurp.h"

enum { ENVIRONMENT_MAX = 256 * 1024, STATUS_MAX = 64 * 1024 };

/* ---- out of facts ---- */

const char *person_variable(const char *environment, size_t n, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = environment, *end = environment + n; p < end;) {
		const char *stop = memchr(p, '\0', (size_t)(end - p));
		if (stop == NULL)
			return NULL; /* cut off */
		if ((size_t)(stop - p) > len && memcmp(p, name, len) == 0 && p[len] == '=')
			return p + len + 1;
		p = stop + 1;
	}
	return NULL;
}

/* "ADDRESS PORT ADDRESS PORT": the first word, if it is an address. The zone of an IPv6 address is the client's own affair and left out. */
static bool take_origin(const char *connection, char to[PERSON_ORIGIN])
{
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t n = connection != NULL ? strcspn(connection, " %") : 0;
	if (n == 0 || n >= PERSON_ORIGIN)
		return false;
	char address[PERSON_ORIGIN];
	memcpy(address, connection, n);
	address[n] = '\0';
	if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	memcpy(to, address, n + 1);
	return true;
}

/* A login's own processes stand between root's (sshd, login) and whatever was started with sudo or su. */
static uint32_t outermost_user(const struct person_facts *f)
{
	for (size_t i = f->n_above; i-- > 0;)
		if (f->above[i].uid != 0)
			return f->above[i].uid;
	return PERSON_NO_UID;
}

static bool has_sudo_claim(const struct person_facts *f, char name[ACCOUNT_NAME])
{
	int64_t uid;
	if (f->sudo_user == NULL || f->sudo_uid == NULL || parse_i64(f->sudo_uid, 0, UINT32_MAX - 1, &uid) != ERR_OK)
		return false;
	f->name_of(f->ctx, (uint32_t)uid, name);
	return strcmp(name, f->sudo_user) == 0;
}

void person_of(const struct person_facts *f, struct person *out)
{
	uint32_t outer = outermost_user(f);
	char claimed[ACCOUNT_NAME];
	*out = (struct person){ .proof = PERSON_BY_ACCOUNT };
	f->name_of(f->ctx, f->uid, out->account);
	memcpy(out->login, out->account, sizeof out->login);
	if (f->login_uid != PERSON_NO_UID) {
		f->name_of(f->ctx, f->login_uid, out->login);
		out->proof = PERSON_BY_LOGIN_UID;
	} else if (outer != PERSON_NO_UID && outer != f->uid) {
		f->name_of(f->ctx, outer, out->login);
		out->proof = PERSON_BY_PROCESS;
	} else if (has_sudo_claim(f, claimed) && strcmp(claimed, out->account) != 0) {
		memcpy(out->login, claimed, sizeof out->login);
		out->proof = PERSON_BY_SUDO;
	}
	bool is_found = take_origin(f->ssh_connection, out->origin);
	for (size_t i = 0; i < f->n_above && !is_found; i++)
		is_found = take_origin(f->above[i].ssh_connection, out->origin);
}

/* ---- the facts of this process ---- */

static const char *system_name(void *ctx, uint32_t uid, char to[ACCOUNT_NAME])
{
	(void)ctx;
	return account_name(uid, to);
}

/* The text behind "KEY:\t" of a /proc/PID/status, up to the blank. */
static bool status_number(const char *status, const char *key, int64_t *out)
{
	char word[32];
	const char *at = strstr(status, key);
	if (at == NULL)
		return false;
	at += strlen(key);
	at += strspn(at, " \t");
	snprintf(word, sizeof word, "%.*s", (int)strspn(at, "0123456789"), at);
	return parse_i64(word, 0, UINT32_MAX, out) == ERR_OK;
}

static bool read_process(int64_t pid, const char *file, size_t max, struct buf *to)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, file);
	buf_clear(to);
	return slurp(path, max, to, NULL, NULL) == ERR_OK;
}

/* The process above `pid`, which becomes that, with what can be read of it; false: there is none more. *connection is the caller's. */
static bool read_parent(int64_t *pid, struct person_process *out, char **connection)
{
	struct buf text;
	int64_t parent = 0, uid = 0;
	buf_init(&text, ENVIRONMENT_MAX + STATUS_MAX);
	bool is_there = read_process(*pid, "status", STATUS_MAX, &text) && status_number(buf_text(&text), "\nPPid:", &parent) && parent > 0 &&
	                read_process(parent, "status", STATUS_MAX, &text) && status_number(buf_text(&text), "\nUid:", &uid);
	if (is_there) {
		bool is_readable = read_process(parent, "environ", ENVIRONMENT_MAX, &text);
		const char *value = is_readable ? person_variable(buf_text(&text), text.len, "SSH_CONNECTION") : NULL;
		*connection = value != NULL ? strndup(value, PERSON_ORIGIN) : NULL;
		*out = (struct person_process){ .uid = (uint32_t)uid, .ssh_connection = *connection };
		*pid = parent;
	}
	buf_release(&text);
	return is_there;
}

static uint32_t read_login_uid(void)
{
	struct buf text;
	int64_t uid = PERSON_NO_UID;
	buf_init(&text, STATUS_MAX);
	if (slurp("/proc/self/loginuid", 64, &text, NULL, NULL) == ERR_OK && parse_i64(buf_text(&text), 0, UINT32_MAX, &uid) != ERR_OK)
		uid = PERSON_NO_UID;
	buf_release(&text);
	return (uint32_t)uid;
}

void person_here(struct person *out)
{
	struct person_process above[PERSON_ABOVE_MAX];
	char *connections[PERSON_ABOVE_MAX];
	size_t n = 0;
	int64_t pid = getpid();
	while (n < PERSON_ABOVE_MAX && read_parent(&pid, &above[n], &connections[n]))
		n++;
	const struct person_facts facts = { .uid = geteuid(), .login_uid = read_login_uid(), .sudo_user = getenv("SUDO_USER"),
		                            .sudo_uid = getenv("SUDO_UID"), .ssh_connection = getenv("SSH_CONNECTION"), .above = above,
		                            .n_above = n, .name_of = system_name };
	person_of(&facts, out);
	for (size_t i = 0; i < n; i++)
		free(connections[i]);
}
