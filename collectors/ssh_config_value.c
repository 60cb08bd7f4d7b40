/* SPDX-License-Identifier: Apache-2.0
 *
 * Values: each is checked on every line, and taken where its block applies and none was taken before. */
#include "collectors/ssh_config_private.h"

#include "base/num.h"

#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

/* One line's value on its way. */
struct taking {
	struct ssh_reading         *r;
	const struct ssh_place     *at;
	const struct ssh_keyword   *k;
	struct ssh_slot            *slot;
	const struct ssh_word_list *words;
	const char                 *text;
};

struct ssh_slot *ssh_slot_of(struct ssh_reading *r, const char *keyword)
{
	return &r->slots[ssh_keyword_find(keyword) - ssh_keywords];
}

static bool is_wanted(const struct taking *t)
{
	return t->at->is_active && !t->slot->is_set;
}

static void set(const struct taking *t, const char *written, int64_t number)
{
	if (!is_wanted(t))
		return;
	t->slot->written = arena_text(t->r->arena, written);
	t->slot->number = number;
	t->slot->file = t->at->file;
	t->slot->line = t->at->line;
	t->slot->is_set = t->slot->written != NULL;
}

static bool bad(const struct taking *t, const char *value, const char *wants)
{
	ssh_mistake(t->r, t->at, "%s: '%s' is not %s", t->k->name, value, wants);
	return false;
}

/* The one word of the line; NULL, with a mistake added, where there is none, it is empty, or more follow. */
static const char *one_word(const struct taking *t)
{
	if (t->words->n == 0 || *t->words->items[0].text == '\0')
		ssh_mistake(t->r, t->at, "%s lacks a value", t->k->name);
	else if (t->words->n > 1)
		ssh_mistake(t->r, t->at, "%s takes one value; '%s' is one too many", t->k->name, t->words->items[1].text);
	else
		return t->words->items[0].text;
	return NULL;
}

/* ---- numbers ---- */

/* As strtonum reads it: blanks and a '+' may stand in front. */
static bool parse_number(const char *text, int64_t max, int64_t *out)
{
	text += strspn(text, " \t\n\v\f\r");
	if (*text == '+' && text[1] != '-')
		text++;
	return parse_i64(text, 0, max, out) == ERR_OK;
}

bool ssh_parse_port(const char *text, int *out)
{
	int64_t port = 0;
	struct servent entry, *found = NULL;
	char names[4096];
	if (parse_number(text, 65535, &port)) {
		*out = (int)port;
		return port > 0;
	}
	if (getservbyname_r(text, "tcp", &entry, names, sizeof names, &found) != 0 || found == NULL)
		return false;
	*out = ntohs((uint16_t)found->s_port);
	return *out > 0;
}

/* The seconds of a unit; 0: it is none. */
static int64_t unit(char c)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (c == units[i].unit || c == units[i].unit - 'a' + 'A')
			return units[i].seconds;
	}
	return 0;
}

/* sshd_config(5), TIME FORMATS: numbers with units s m h d w of any case and order, seconds where there is none. */
static bool parse_seconds(const char *text, int64_t *out)
{
	int64_t total = 0;
	if (*text == '\0')
		return false;
	while (*text != '\0') {
		int64_t n = 0, scale = 1;
		if (*text < '0' || *text > '9')
			return false;
		for (; *text >= '0' && *text <= '9'; text++) {
			n = n * 10 + (*text - '0');
			if (n > INT_MAX)
				return false;
		}
		if (*text != '\0') {
			scale = unit(*text++);
			if (scale == 0)
				return false;
		}
		total += n * scale;
		if (total > INT_MAX)
			return false;
	}
	*out = total;
	return true;
}

static bool take_seconds(const struct taking *t)
{
	const char *word = one_word(t);
	int64_t seconds = 0;
	if (word == NULL)
		return false;
	if (strcmp(word, "none") == 0) /* for OpenSSH this is as if nothing was set, so that a later line may still set it */
		return true;
	if (!parse_seconds(word, &seconds))
		return bad(t, word, "a time (90, 90s, 1m30s)");
	set(t, word, seconds * 1000);
	return true;
}

static bool take_number(const struct taking *t)
{
	const char *word = one_word(t);
	int64_t n = 0;
	if (word == NULL)
		return false;
	if (!parse_number(word, INT_MAX, &n))
		return bad(t, word, "a whole number from 0 on");
	set(t, word, n);
	return true;
}

static bool take_port(const struct taking *t)
{
	const char *word = one_word(t);
	int port = 0;
	if (word == NULL)
		return false;
	if (!ssh_parse_port(word, &port))
		return bad(t, word, "a port (1 to 65535, or a service's name)");
	set(t, word, port);
	return true;
}

/* ---- words ---- */

static bool take_choice(const struct taking *t)
{
	const char *word = one_word(t);
	struct buf wants;
	if (word == NULL)
		return false;
	for (const struct ssh_choice *c = t->k->choices; c->text != NULL; c++) {
		if (strcasecmp(word, c->text) == 0) {
			set(t, word, c->value);
			return true;
		}
	}
	buf_init(&wants, 512);
	buf_puts(&wants, "one of");
	for (const struct ssh_choice *c = t->k->choices; c->text != NULL; c++)
		buf_printf(&wants, " %s", c->text);
	bad(t, word, buf_text(&wants));
	buf_release(&wants);
	return false;
}

static bool take_word(const struct taking *t)
{
	const char *word = one_word(t);
	if (word == NULL)
		return false;
	set(t, word, 0);
	return true;
}

/* A comma list of names, of which empty ones do not count. */
static bool take_algorithms(const struct taking *t)
{
	const char *word = one_word(t);
	if (word == NULL)
		return false;
	const char *names = word + (strchr("+-^", *word) != NULL);
	bool is_removal = *word == '-';
	if (!is_removal && names[strspn(names, ",")] == '\0')
		return bad(t, word, "a comma list of algorithms, which may begin with +, - or ^");
	if (!is_removal && strpbrk(names, t->k->kind == SSH_VALUE_ALGORITHMS ? "*?!" : "!") != NULL)
		return bad(t, word, "a list of whole names: patterns may only be taken away, with '-' in front");
	set(t, word, 0);
	return true;
}

/* The text after a '$' or "${" is the name of a variable. */
static bool take_agent(const struct taking *t)
{
	const char *word = one_word(t);
	struct buf expanded;
	struct why why = { "" };
	if (word == NULL)
		return false;
	buf_init(&expanded, SSH_VALUE_MAX);
	enum err e = ssh_expand(t->r, NULL, SSH_EXPAND_ENV, "", word, &expanded, &why);
	buf_release(&expanded);
	if (e != ERR_OK) {
		ssh_mistake(t->r, t->at, "%s: %s", t->k->name, why.text);
		return false;
	}
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	if (word[0] == '$' && word[1] != '{' && (word[1] == '\0' || word[1 + strspn(word + 1, name)] != '\0'))
		return bad(t, word, "the name of an environment variable");
	set(t, word, 0);
	return true;
}

static bool take_rest(const struct taking *t)
{
	/* ProxyCommand does not count after a ProxyJump that names a host, nor ProxyJump after any ProxyCommand. */
	const struct ssh_slot *jump = ssh_slot_of(t->r, "ProxyJump");
	if (strcmp(t->k->name, "ProxyCommand") != 0 || !jump->is_set || strcasecmp(jump->written, "none") == 0)
		set(t, t->text + strspn(t->text, " \t\r\n="), 0);
	return true;
}

static bool take_jumps(const struct taking *t)
{
	const char *text = t->text + strspn(t->text, " \t\r\n=");
	size_t n = strcspn(text, "#"), n_hops = 0;
	struct ssh_hop *hops = NULL;
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	char *value = arena_zeroed(&t->r->scratch, n + 1, 1);
	if (value == NULL)
		return false;
	memcpy(value, text, n);
	if (!ssh_parse_jumps(&t->r->scratch, value, &hops, &n_hops))
		return bad(t, value, "a comma list of [user@]host[:port], or none");
	if (!ssh_slot_of(t->r, "ProxyCommand")->is_set)
		set(t, value, 0);
	return true;
}

/* ---- several words ---- */

static void set_words(const struct taking *t)
{
	if (!is_wanted(t) || t->words->n == 0)
		return;
	const char *joined = ssh_words_join(&t->r->scratch, t->words);
	if (joined != NULL && ssh_words_copy(t->r->arena, t->words, &t->slot->words))
		set(t, joined, 0);
}

/* "none" has to stand alone, where the keyword knows it. */
static bool take_words(const struct taking *t, size_t min, size_t max, bool knows_none)
{
	size_t n = t->words->n;
	if (n < min || n > max) {
		ssh_mistake(t->r, t->at, n < min ? "%s lacks a value" : "%s has more values than it takes", t->k->name);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *word = t->words->items[i].text;
		if (*word == '\0') {
			ssh_mistake(t->r, t->at, "%s has an empty value", t->k->name);
			return false;
		}
		if (knows_none && n > 1 && strcasecmp(word, "none") == 0) {
			ssh_mistake(t->r, t->at, "%s: 'none' goes with no other value", t->k->name);
			return false;
		}
		if (t->k->kind == SSH_VALUE_ASSIGNMENTS && strchr(word, '=') == NULL)
			return bad(t, word, "an assignment (NAME=VALUE)");
	}
	set_words(t);
	return true;
}

/* A further line adds to what is there; the same value again does not. */
static bool take_each(const struct taking *t)
{
	struct ssh_word_list *list = &t->slot->words;
	const char *word = one_word(t);
	if (word == NULL)
		return false;
	if (!t->at->is_active)
		return true;
	if (list->n >= SSH_EACH_MAX) {
		ssh_mistake(t->r, t->at, "more than %d lines of %s", SSH_EACH_MAX, t->k->name);
		return false;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].text, word) == 0)
			return true;
	}
	const char *text = arena_text(t->r->arena, word);
	if (text != NULL && ssh_words_add(t->r->arena, list, text, t->at->file, t->at->line))
		set(t, word, 0);
	return true;
}

bool ssh_take_value(struct ssh_reading *r, const struct ssh_place *at, const struct ssh_keyword *k, const struct ssh_word_list *words, const char *text)
{
	const struct taking t = { .r = r, .at = at, .k = k, .slot = &r->slots[k - ssh_keywords], .words = words, .text = text };
	switch (k->kind) {
	case SSH_VALUE_CHOICE:
		return take_choice(&t);
	case SSH_VALUE_SECONDS:
		return take_seconds(&t);
	case SSH_VALUE_NUMBER:
		return take_number(&t);
	case SSH_VALUE_PORT:
		return take_port(&t);
	case SSH_VALUE_WORD:
	case SSH_VALUE_COMMAS:
		return take_word(&t);
	case SSH_VALUE_REST:
		return take_rest(&t);
	case SSH_VALUE_WORDS:
		return take_words(&t, 0, SSH_WORDS_MAX, true);
	case SSH_VALUE_EACH:
		return take_each(&t);
	case SSH_VALUE_ALGORITHMS:
	case SSH_VALUE_KEY_TYPES:
		return take_algorithms(&t);
	case SSH_VALUE_JUMPS:
		return take_jumps(&t);
	case SSH_VALUE_AGENT:
		return take_agent(&t);
	case SSH_VALUE_SHAPE:
		return take_words(&t, k->words_min, k->words_max > 0 ? k->words_max : SSH_SHAPE_MAX, false);
	case SSH_VALUE_ASSIGNMENTS:
		return take_words(&t, 0, SSH_SHAPE_MAX, false);
	case SSH_VALUE_ANYTHING:
		set(&t, text, 0);
		return true;
	case SSH_VALUE_HOST:
	case SSH_VALUE_MATCH:
	case SSH_VALUE_INCLUDE:
	case SSH_VALUE_REFUSE:
	default:
		return true;
	}
}
