/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/log_search.h"

#include <stdio.h>
#include <string.h>

void log_search_set(struct log_search *s, const char *text)
{
	log_search_release(s);
	snprintf(s->text, sizeof s->text, "%s", text);
	s->first = s->past = 0;
	s->n = 0;
	s->mistake.text[0] = '\0';
	if (s->text[0] == '/' && s->text[1] != '\0' && regex_new(s->text + 1, &s->regex, &s->mistake) != ERR_OK) {
		s->regex = NULL;
		if (s->mistake.text[0] == '\0')
			snprintf(s->mistake.text, sizeof s->mistake.text, "out of memory");
	}
}

void log_search_release(struct log_search *s)
{
	regex_free(s->regex);
	s->regex = NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool begins(const char *text, const char *word)
{
	while (*word != '\0' && lower(*text) == lower(*word)) {
		text++;
		word++;
	}
	return *word == '\0';
}

static bool find_text(const char *word, const char *text, size_t n, size_t from, size_t *at, size_t *len)
{
	size_t n_word = strlen(word);
	char first = lower(word[0]);
	for (size_t i = from; n_word <= n && i <= n - n_word; i++) {
		if (lower(text[i]) == first && begins(text + i, word)) {
			*at = i;
			*len = n_word;
			return true;
		}
	}
	return false;
}

/* The text before `from` is not seen: an expression takes what stands there for a beginning. */
bool log_search_find(const struct log_search *s, const char *text, size_t n, size_t from, size_t *at, size_t *len)
{
	if (!log_search_is_on(s))
		return false;
	if (s->regex == NULL)
		return find_text(s->text, text, n, from, at, len);
	size_t found, found_len;
	while (from < n && regex_find(s->regex, text + from, n - from, &found, &found_len)) {
		if (found_len > 0) {
			*at = from + found;
			*len = found_len;
			return true;
		}
		from += found + 1;
	}
	return false;
}

void log_search_update(struct log_search *s, const struct log_ring *r)
{
	size_t at, len;
	if (r == NULL || !log_search_is_on(s)) {
		s->n = 0;
		s->first = s->past = 0;
		return;
	}
	uint64_t first = log_ring_first(r), past = log_ring_past(r);
	if (s->past < first || s->past > past) { /* none of those looked at is left */
		s->first = s->past = first;
		s->n = 0;
	}
	for (; s->first < first; s->first++)
		s->n -= s->has[s->first % LOG_RING_LINES];
	for (; s->past < past; s->past++) {
		struct log_line l = log_ring_at(r, s->past);
		bool has = !l.is_note && log_search_find(s, l.text, l.n, 0, &at, &len);
		s->has[s->past % LOG_RING_LINES] = has;
		s->n += has;
	}
}

bool log_search_has(const struct log_search *s, uint64_t number)
{
	return number >= s->first && number < s->past && s->has[number % LOG_RING_LINES];
}
