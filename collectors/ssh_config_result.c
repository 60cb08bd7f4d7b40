/* SPDX-License-Identifier: Apache-2.0
 *
 * From slots to settings: presets, expansion, and the lists of what was given and what is not honoured. */
#include "collectors/ssh_config_private.h"

#include "collectors/ssh_pattern.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static_assert(sizeof(enum ssh_key_check) == sizeof(int) && sizeof(enum ssh_family) == sizeof(int) && sizeof(enum ssh_canonicalize) == sizeof(int),
	"choices are stored as int");

struct filling {
	struct ssh_reading      *r;
	const struct ssh_tokens *tokens;
	struct ssh_slot         *slot;
	const struct ssh_keyword *k;
};

/* ---- values ---- */

/* The expanded text, in the arena. A mistake is that of the line which set it. */
static enum err expanded(const struct filling *f, const struct ssh_word *word, unsigned which, const char *letters, const char **out)
{
	struct buf text;
	struct why why = { "" };
	struct ssh_place at = { .file = word->file, .line = word->line };
	buf_init(&text, SSH_VALUE_MAX);
	enum err e = ssh_expand(f->r, f->tokens, which, letters, word->text, &text, &why);
	if (e == ERR_OK) {
		*out = arena_text(f->r->arena, buf_text(&text));
		e = *out != NULL ? ERR_OK : why_memory(f->r->why);
	} else if (e != ERR_MEMORY && word->file != NULL) {
		ssh_mistake(f->r, &at, "%s: %s", f->k->name, why.text);
		e = ERR_FORMAT;
	} else {
		why_set(f->r->why, e, "%s: %s", f->k->name, why.text);
	}
	buf_release(&text);
	return e;
}

static enum err fill_words(const struct filling *f, const struct ssh_word_list *from, struct ssh_words *to)
{
	const char **items = arena_zeroed(f->r->arena, from->n + 1, sizeof *items);
	size_t n = 0;
	if (items == NULL)
		return why_memory(f->r->why);
	for (size_t i = 0; i < from->n; i++) {
		if (strcasecmp(from->items[i].text, "none") == 0)
			continue;
		enum err e = expanded(f, &from->items[i], f->k->expand, SSH_ALL_TOKENS, &items[n++]);
		if (e != ERR_OK)
			return e;
	}
	*to = (struct ssh_words){ .items = items, .n = n };
	return ERR_OK;
}

/* The parts of a comma list; empty ones are left out. */
static enum err fill_commas(const struct filling *f, struct ssh_words *to)
{
	struct ssh_word_list parts = { 0 };
	char *text = arena_zeroed(f->r->arena, strlen(f->slot->written) + 1, 1);
	if (text == NULL)
		return why_memory(f->r->why);
	memcpy(text, f->slot->written, strlen(f->slot->written));
	for (char *part = text, *next; part != NULL; part = next) {
		next = strchr(part, ',');
		if (next != NULL)
			*next++ = '\0';
		if (*part != '\0' && !ssh_words_add(f->r->arena, &parts, part, f->slot->file, f->slot->line))
			return why_memory(f->r->why);
	}
	return fill_words(f, &parts, to);
}

/* IdentityAgent: none, a variable's name in the old ways, or a path. */
static enum err fill_agent(const struct filling *f, const char **to)
{
	static const char socket_name[] = "SSH_AUTH_SOCK";
	const struct ssh_machine *m = f->r->machine;
	const struct ssh_word word = { .text = f->slot->written, .file = f->slot->file, .line = f->slot->line };
	const char *path = NULL;
	enum err e = expanded(f, &word, f->k->expand, SSH_ALL_TOKENS, &path);
	if (e != ERR_OK)
		return e;
	if (strcmp(path, "none") == 0)
		path = NULL;
	else if (strcmp(path, socket_name) == 0)
		path = m->environment(m->arg, socket_name);
	else if (path[0] == '$' && path[1] != '{')
		path = m->environment(m->arg, path + 1);
	*to = path != NULL && *path != '\0' ? arena_text(f->r->arena, path) : NULL;
	return ERR_OK;
}

static enum err fill_field(const struct filling *f)
{
	char *to = (char *)f->r->into + f->k->to;
	const struct ssh_slot *s = f->slot;
	switch (f->k->kind) {
	case SSH_VALUE_CHOICE:
	case SSH_VALUE_NUMBER:
	case SSH_VALUE_PORT:
		if (f->k->is_flag)
			*(bool *)(void *)to = s->number != 0;
		else
			*(int *)(void *)to = (int)s->number;
		return ERR_OK;
	case SSH_VALUE_SECONDS:
		*(int64_t *)(void *)to = s->number;
		return ERR_OK;
	case SSH_VALUE_WORDS:
	case SSH_VALUE_EACH:
		return fill_words(f, &s->words, (struct ssh_words *)(void *)to);
	case SSH_VALUE_COMMAS:
		return fill_commas(f, (struct ssh_words *)(void *)to);
	case SSH_VALUE_AGENT:
		return fill_agent(f, (const char **)(void *)to);
	case SSH_VALUE_WORD:
	case SSH_VALUE_REST:
	case SSH_VALUE_ALGORITHMS:
	case SSH_VALUE_KEY_TYPES:
		*(const char **)(void *)to = s->written;
		return ERR_OK;
	case SSH_VALUE_HOST:
	case SSH_VALUE_MATCH:
	case SSH_VALUE_INCLUDE:
	case SSH_VALUE_REFUSE:
	case SSH_VALUE_JUMPS:
	case SSH_VALUE_SHAPE:
	case SSH_VALUE_ASSIGNMENTS:
	case SSH_VALUE_ANYTHING:
	default:
		assert(false); /* no keyword of such a kind has a field */
		return ERR_UNSUPPORTED;
	}
}

/* The preset, read as if it stood in a file of no name. */
static enum err take_preset(struct ssh_reading *r, const struct ssh_keyword *k)
{
	const struct ssh_place nowhere = { .is_user = true, .is_active = true };
	struct ssh_word_list words = { 0 };
	bool is_good = ssh_split(r, &nowhere, k->preset, &words) && ssh_take_value(r, &nowhere, k, &words, k->preset);
	bool is_short = arena_failed(&r->scratch) || arena_failed(r->arena);
	arena_reset(&r->scratch);
	assert(is_good || is_short);
	return is_good && !is_short ? ERR_OK : why_memory(r->why);
}

/* ---- what the table does not do ---- */

static enum err fill_identities(struct ssh_reading *r, const struct ssh_tokens *t)
{
	static const char *const usual[] = {
		"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk", "~/.ssh/id_xmss", "~/.ssh/id_dsa",
	};
	struct ssh_slot *slot = ssh_slot_of(r, "IdentityFile");
	const struct filling f = { .r = r, .tokens = t, .slot = slot, .k = ssh_keyword_find("IdentityFile") };
	struct ssh_word_list presets = { 0 };
	if (slot->is_set)
		return ERR_OK;
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		if (!ssh_words_add(r->arena, &presets, usual[i], NULL, 0))
			return why_memory(r->why);
	}
	r->into->are_identity_files_preset = true;
	return fill_words(&f, &presets, &r->into->identity_files);
}

static enum err fill_hop(const struct filling *f, struct ssh_hop *hop)
{
	const struct ssh_slot *s = f->slot;
	struct ssh_word word = { .text = hop->host, .file = s->file, .line = s->line };
	struct ssh_place at = { .file = s->file, .line = s->line };
	enum err e = expanded(f, &word, SSH_EXPAND_TOKENS, "hnpr", &hop->host);
	word.text = hop->user;
	if (e == ERR_OK && hop->user != NULL)
		e = expanded(f, &word, SSH_EXPAND_TOKENS, "hnpr", &hop->user);
	if (e != ERR_OK || (ssh_is_host_safe(hop->host) && (hop->user == NULL || ssh_is_user_safe(hop->user))))
		return e;
	if (s->file == NULL)
		return why_set(f->r->why, ERR_USAGE, "ProxyJump '%s' holds a name that no host or user has", s->written);
	ssh_mistake(f->r, &at, "ProxyJump: '%s' holds a name that no host or user has", s->written);
	return ERR_FORMAT;
}

static enum err fill_jumps(struct ssh_reading *r, const struct ssh_tokens *t)
{
	struct ssh_slot *slot = ssh_slot_of(r, "ProxyJump");
	struct ssh_settings *to = r->into;
	const struct filling f = { .r = r, .tokens = t, .slot = slot, .k = ssh_keyword_find("ProxyJump") };
	if (!slot->is_set)
		return ERR_OK;
	if (!ssh_parse_jumps(r->arena, slot->written, &to->jumps, &to->n_jumps))
		return why_memory(r->why);
	for (size_t i = 0; i < to->n_jumps; i++) {
		enum err e = fill_hop(&f, &to->jumps[i]);
		if (e != ERR_OK)
			return e;
	}
	const struct ssh_hop *last = to->n_jumps > 0 ? &to->jumps[to->n_jumps - 1] : NULL;
	if (last != NULL && strcmp(last->host, to->host_name) == 0 && (last->port == 0 ? 22 : last->port) == to->port &&
		strcmp(last->user != NULL ? last->user : to->user, to->user) == 0)
		return why_set(r->why, ERR_USAGE, "'%s' would be reached through itself (ProxyJump %s)", to->destination, slot->written);
	return ERR_OK;
}

/* Texts that mean something as a value and nothing as a setting. */
static enum err finish(struct ssh_reading *r)
{
	struct ssh_settings *to = r->into;
	if (to->proxy_command != NULL && strcasecmp(to->proxy_command, "none") == 0)
		to->proxy_command = NULL;
	if (to->remote_command != NULL && strcasecmp(to->remote_command, "none") == 0)
		to->remote_command = NULL;
	if (to->connection_attempts < 1) {
		const struct ssh_slot *s = ssh_slot_of(r, "ConnectionAttempts");
		const struct ssh_place at = { .file = s->file, .line = s->line };
		ssh_mistake(r, &at, "ConnectionAttempts: at least one is needed");
		return ERR_FORMAT;
	}
	if (to->host_key_alias != NULL) {
		char *alias = arena_text(r->arena, to->host_key_alias);
		if (alias == NULL)
			return why_memory(r->why);
		to->host_key_alias = alias;
		for (; *alias != '\0'; alias++)
			*alias = (char)(*alias >= 'A' && *alias <= 'Z' ? *alias - 'A' + 'a' : *alias);
	}
	return ERR_OK;
}

enum err ssh_settings_fill(struct ssh_reading *r, const struct ssh_tokens *t)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < n_ssh_keywords && e == ERR_OK; i++) {
		const struct filling f = { .r = r, .tokens = t, .slot = &r->slots[i], .k = &ssh_keywords[i] };
		if (f.k->to == 0)
			continue;
		if (!f.slot->is_set && f.k->preset != NULL)
			e = take_preset(r, f.k);
		if (e == ERR_OK && f.slot->is_set)
			e = fill_field(&f);
	}
	e = e == ERR_OK ? fill_identities(r, t) : e;
	e = e == ERR_OK ? fill_jumps(r, t) : e;
	return e == ERR_OK ? finish(r) : e;
}

/* ---- lists ---- */

static void add_unhonoured(struct ssh_settings *to, struct ssh_unhonoured one)
{
	to->unhonoured[to->n_unhonoured++] = one;
	to->needs_openssh = to->needs_openssh || one.honour == SSH_FALLS_BACK_TO_OPENSSH;
}

static bool asks_for_nothing(const struct ssh_keyword *k, const char *value)
{
	return k->honour == SSH_HONOURED || (k->idle != NULL && ssh_pattern_list_match(k->idle, value, true) == SSH_PATTERN_YES);
}

static void list_value(struct ssh_settings *to, const struct ssh_keyword *k, const struct ssh_word *word)
{
	to->given[to->n_given++] = (struct ssh_given){ .keyword = k->name, .value = word->text, .file = word->file, .line = word->line };
	if (!asks_for_nothing(k, word->text))
		add_unhonoured(to, (struct ssh_unhonoured){ .keyword = k->name, .value = word->text, .file = word->file, .line = word->line,
							 .why = k->why, .honour = k->honour });
}

static bool prefers(const struct ssh_settings *s, const char *method)
{
	for (size_t i = 0; i < s->preferred_authentications.n; i++) {
		if (strcmp(s->preferred_authentications.items[i], method) == 0)
			return true;
	}
	return false;
}

/* Where nothing is left that the built-in transport can log in with, though ssh could. */
static void list_lack_of_methods(struct ssh_reading *r)
{
	struct ssh_settings *s = r->into;
	static const char *const candidates[] = { "PreferredAuthentications", "GSSAPIAuthentication", "HostbasedAuthentication" };
	if ((s->publickey_authentication && prefers(s, "publickey")) || (s->password_authentication && prefers(s, "password")) ||
		(s->keyboard_interactive_authentication && prefers(s, "keyboard-interactive")))
		return;
	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
		const struct ssh_slot *slot = ssh_slot_of(r, candidates[i]);
		if (slot->is_set && slot->file != NULL) {
			add_unhonoured(s, (struct ssh_unhonoured){ .keyword = candidates[i], .value = slot->written, .file = slot->file, .line = slot->line,
								.why = "no way to log in is left that the built-in transport knows (a key, questions, a password)",
								.honour = SSH_FALLS_BACK_TO_OPENSSH });
			return;
		}
	}
}

enum err ssh_settings_list(struct ssh_reading *r)
{
	struct ssh_settings *to = r->into;
	size_t most = r->n_criteria + 1;
	for (size_t i = 0; i < n_ssh_keywords; i++)
		most += ssh_keywords[i].kind == SSH_VALUE_EACH ? r->slots[i].words.n + 1 : 1;
	to->given = arena_zeroed(r->arena, most, sizeof *to->given);
	to->unhonoured = arena_zeroed(r->arena, most, sizeof *to->unhonoured);
	if (to->given == NULL || to->unhonoured == NULL)
		return why_memory(r->why);
	for (size_t i = 0; i < r->n_criteria; i++)
		add_unhonoured(to, r->criteria[i]);
	for (size_t i = 0; i < n_ssh_keywords; i++) {
		const struct ssh_slot *s = &r->slots[i];
		if (!s->is_set || s->file == NULL)
			continue;
		if (ssh_keywords[i].kind == SSH_VALUE_EACH) {
			for (size_t j = 0; j < s->words.n; j++)
				list_value(to, &ssh_keywords[i], &s->words.items[j]);
		} else {
			const struct ssh_word word = { .text = s->written, .file = s->file, .line = s->line };
			list_value(to, &ssh_keywords[i], &word);
		}
	}
	list_lack_of_methods(r);
	return ERR_OK;
}

const struct ssh_given *ssh_settings_given(const struct ssh_settings *s, const char *keyword)
{
	const struct ssh_keyword *k = ssh_keyword_find(keyword);
	for (size_t i = 0; k != NULL && i < s->n_given; i++) {
		if (strcmp(s->given[i].keyword, k->name) == 0)
			return &s->given[i];
	}
	return NULL;
}
