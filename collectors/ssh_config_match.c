/* SPDX-License-Identifier: Apache-2.0
 *
 * Match: criteria that all have to hold. The configuration is half read here, so that what is not yet set counts as its preset. A command is run
 * only where its answer can still matter. */
#include "collectors/ssh_config_private.h"

#include "collectors/ssh_pattern.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CRITERIA_MAX = 64 }; /* that cannot be weighed and are listed; one is enough to ask for OpenSSH */

/* What the criteria compare. */
struct matching {
	struct ssh_reading     *r;
	const struct ssh_place *at;
	struct buf              host; /* %h so far */
	char                    port[16];
	const char             *user;
	int                     n;       /* criteria so far */
	bool                    applies;
	enum err                e;       /* what ends the reading */
};

static enum err prepare(struct matching *m)
{
	struct ssh_reading *r = m->r;
	const struct ssh_slot *name = ssh_slot_of(r, "HostName"), *user = ssh_slot_of(r, "User"), *port = ssh_slot_of(r, "Port");
	struct ssh_tokens t = { .host = r->host };
	m->user = user->is_set ? user->written : r->machine->user;
	snprintf(m->port, sizeof m->port, "%d", port->is_set ? (int)port->number : 22);
	buf_init(&m->host, SSH_VALUE_MAX);
	if (!name->is_set || r->is_final)
		return buf_puts(&m->host, r->host);
	struct why why = { "" };
	enum err e = ssh_expand(r, &t, SSH_EXPAND_HOST, "h", name->written, &m->host, &why);
	return e == ERR_OK ? ERR_OK : why_set(r->why, e, "%s:%d: HostName: %s", name->file, name->line, why.text);
}

/* ---- criteria ---- */

static void result_is(struct matching *m, bool holds, bool negates)
{
	if (holds == negates)
		m->applies = false;
}

static bool exec_holds(struct matching *m, const char *command, bool negates)
{
	struct ssh_reading *r = m->r;
	const struct ssh_slot *alias = ssh_slot_of(r, "HostKeyAlias");
	struct ssh_tokens t = {
		.host = buf_text(&m->host),
		.alias = alias->is_set ? alias->written : buf_text(&m->host),
		.user = m->user,
		.port = m->port,
	};
	struct buf text;
	struct why why = { "" };
	bool succeeded = false;
	buf_init(&text, SSH_VALUE_MAX);
	enum err e = ssh_expand(r, &t, SSH_EXPAND_TOKENS, SSH_ALL_TOKENS, command, &text, &why);
	if (e == ERR_OK && m->applies && !m->at->is_never) {
		e = r->machine->run != NULL ? r->machine->run(r->machine->arg, buf_text(&text), &succeeded, &why) :
			why_set(&why, ERR_DENIED, "commands are not run here");
		if (e == ERR_OK)
			result_is(m, succeeded, negates);
	}
	if (e != ERR_OK)
		ssh_mistake(r, m->at, "Match exec: %s", why.text);
	buf_release(&text);
	return e == ERR_OK;
}

/* Criteria of later versions that pitwall cannot weigh: the block does not apply, and the settings say so. */
static void not_weighed(struct matching *m, const char *criterion, const char *value)
{
	static const char *const why = "pitwall cannot tell whether it holds";
	struct ssh_reading *r = m->r;
	bool matters = m->applies && !m->at->is_never;
	m->applies = false;
	if (!matters || r->n_criteria >= CRITERIA_MAX)
		return;
	for (size_t i = 0; i < r->n_criteria; i++) {
		if (r->criteria[i].line == m->at->line && strcmp(r->criteria[i].file, m->at->file) == 0)
			return;
	}
	if (r->n_criteria == r->cap_criteria) {
		size_t cap = r->cap_criteria == 0 ? 4 : r->cap_criteria * 2;
		struct ssh_unhonoured *items = arena_zeroed(r->arena, cap, sizeof *items);
		if (items == NULL)
			return;
		for (size_t i = 0; i < r->n_criteria; i++)
			items[i] = r->criteria[i];
		r->criteria = items;
		r->cap_criteria = cap;
	}
	struct buf name;
	buf_init(&name, SSH_VALUE_MAX);
	buf_printf(&name, "%s %s", criterion, value);
	r->criteria[r->n_criteria++] = (struct ssh_unhonoured){
		.keyword = "Match",
		.value = arena_text(r->arena, buf_text(&name)),
		.file = m->at->file,
		.line = m->at->line,
		.why = why,
		.honour = SSH_FALLS_BACK_TO_OPENSSH,
	};
	buf_release(&name);
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcasecmp(word, *words) == 0)
			return true;
	}
	return false;
}

static bool weigh(struct matching *m, const char *criterion, const char *value, bool negates)
{
	static const char *const later[] = { "localnetwork", "version", "command", "sessiontype", NULL };
	struct ssh_reading *r = m->r;
	if (strcasecmp(criterion, "host") == 0)
		result_is(m, ssh_pattern_list_match(value, buf_text(&m->host), true) == SSH_PATTERN_YES, negates);
	else if (strcasecmp(criterion, "originalhost") == 0)
		result_is(m, ssh_pattern_list_match(value, r->typed, true) == SSH_PATTERN_YES, negates);
	else if (strcasecmp(criterion, "user") == 0)
		result_is(m, ssh_pattern_list_match(value, m->user, false) == SSH_PATTERN_YES, negates);
	else if (strcasecmp(criterion, "localuser") == 0)
		result_is(m, ssh_pattern_list_match(value, r->machine->user, false) == SSH_PATTERN_YES, negates);
	else if (strcasecmp(criterion, "tagged") == 0) {
		const struct ssh_slot *tag = ssh_slot_of(r, "Tag");
		result_is(m, ssh_pattern_list_match(value, tag->is_set ? tag->written : "", false) == SSH_PATTERN_YES, negates);
	} else if (strcasecmp(criterion, "exec") == 0)
		return exec_holds(m, value, negates);
	else if (is_one_of(criterion, later))
		not_weighed(m, criterion, value);
	else {
		ssh_mistake(r, m->at, "Match: unknown criterion '%s'", criterion);
		return false;
	}
	return true;
}

/* "all" ends the line; one criterion may stand before it, as "final all". */
static bool weigh_all(struct matching *m, const char *written, char **rest, bool negates)
{
	const char *next = m->n > 1 ? NULL : ssh_next_token(rest);
	if (m->n > 1 || (next != NULL && *next != '\0' && *next != '#')) {
		ssh_mistake(m->r, m->at, "Match: '%s' goes with no other criteria", written);
		return false;
	}
	if (next != NULL && *next == '#')
		*rest = NULL;
	if (m->applies)
		m->applies = !negates;
	return true;
}

static bool has_argument(const char *value)
{
	return value != NULL && *value != '\0' && *value != '#';
}

static bool weigh_criteria(struct matching *m, char **rest)
{
	for (char *written; (written = ssh_next_token(rest)) != NULL && *written != '\0';) {
		if (*written == '#') {
			*rest = NULL;
			break;
		}
		bool negates = *written == '!';
		const char *criterion = written + negates;
		if (strcasecmp(criterion, "all") == 0)
			return weigh_all(m, written, rest, negates);
		m->n++;
		if (strcasecmp(criterion, "canonical") == 0 || strcasecmp(criterion, "final") == 0) {
			if (strcasecmp(criterion, "final") == 0)
				m->r->wants_final = true;
			result_is(m, m->r->is_final, negates);
			continue;
		}
		const char *value = ssh_next_token(rest);
		if (!has_argument(value)) {
			ssh_mistake(m->r, m->at, "Match: '%s' lacks a value", written);
			return false;
		}
		if (!weigh(m, criterion, value, negates))
			return false;
	}
	if (m->n == 0)
		ssh_mistake(m->r, m->at, "Match lacks a criterion");
	return m->n > 0;
}

bool ssh_match_line(struct ssh_reading *r, const struct ssh_place *at, char **rest, bool *applies, enum err *e)
{
	struct matching m = { .r = r, .at = at, .applies = true };
	*e = prepare(&m);
	bool is_good = *e == ERR_OK && weigh_criteria(&m, rest);
	*applies = m.applies;
	buf_release(&m.host);
	return is_good;
}
