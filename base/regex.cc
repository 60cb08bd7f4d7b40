/* SPDX-License-Identifier: Apache-2.0
 *
 * The one C++ file: a shim that gives RE2 a C face. Compiled without exceptions; when memory runs out inside RE2, the process ends. */
extern "C" { /* the headers it includes are plain C */
#include "base/regex.h"
}

#include <re2/re2.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

/* RE2 measures programs and its lazily built automata against this; a pattern whose program passes a part of it is refused. */
static const int64_t memory_max_bytes = 8 << 20;

struct regex {
	RE2 re;
	regex(const char *pattern, const RE2::Options &options) : re(pattern, options) {}
};

extern "C" enum err regex_new(const char *pattern, struct regex **out, struct why *why)
{
	if (strlen(pattern) > REGEX_PATTERN_MAX)
		return why_set(why, ERR_LIMIT, "regular expression of more than %d bytes", REGEX_PATTERN_MAX);
	RE2::Options options;
	options.set_log_errors(false);
	options.set_dot_nl(true);
	options.set_never_nl(false);
	options.set_max_mem(memory_max_bytes);
	struct regex *r = new (std::nothrow) regex(pattern, options);
	if (r == nullptr)
		return why_memory(why);
	if (!r->re.ok()) {
		enum err e = r->re.error_code() == RE2::ErrorPatternTooLarge ? ERR_LIMIT : ERR_FORMAT;
		if (r->re.error_arg().empty())
			why_set(why, e, "wrong regular expression '%s': %s", pattern, r->re.error().c_str());
		else
			why_set(why, e, "wrong regular expression '%s': %s, at '%s'", pattern, r->re.error().c_str(), r->re.error_arg().c_str());
		delete r;
		return e;
	}
	*out = r;
	return ERR_OK;
}

extern "C" void regex_free(struct regex *r)
{
	delete r;
}

extern "C" bool regex_matches(const struct regex *r, const char *text, size_t n)
{
	return r->re.Match(re2::StringPiece(text, n), 0, n, RE2::ANCHOR_BOTH, nullptr, 0);
}

extern "C" bool regex_find(const struct regex *r, const char *text, size_t n, size_t *at, size_t *len)
{
	re2::StringPiece found;
	if (!r->re.Match(re2::StringPiece(text, n), 0, n, RE2::UNANCHORED, &found, 1))
		return false;
	*at = (size_t)(found.data() - text);
	*len = found.size();
	return true;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The group that "name" or "{name}" at p means: its number, -1 for one that is not there. *end is behind it; NULL when there is no
 * valid name. Source: Go's regexp package, Expand. */
static int group_at(const struct regex *r, const char *p, const char **end)
{
	*end = nullptr;
	bool has_brace = *p == '{';
	const char *name = p + has_brace, *stop = name;
	while (is_name_char(*stop))
		stop++;
	if (stop == name || (has_brace && *stop != '}'))
		return -1;
	*end = stop + has_brace;
	int number = 0;
	bool is_number = name[0] != '0' || stop == name + 1;
	for (const char *c = name; c < stop && is_number; c++) {
		is_number = *c >= '0' && *c <= '9' && number < 100000000;
		if (is_number)
			number = number * 10 + (*c - '0');
	}
	if (is_number)
		return number;
	const auto &names = r->re.NamedCapturingGroups();
	auto found = names.find(std::string(name, stop));
	return found == names.end() ? -1 : found->second;
}

/* The replacement with its groups filled in. */
static void put_replacement(const struct regex *r, const std::vector<re2::StringPiece> &groups, const char *replacement, struct buf *to)
{
	for (const char *p = replacement; *p != '\0';) {
		if (*p != '$') {
			size_t plain = strcspn(p, "$");
			buf_put(to, p, plain);
			p += plain;
			continue;
		}
		p++;
		if (*p == '$') {
			buf_putc(to, '$');
			p++;
			continue;
		}
		const char *end;
		int group = group_at(r, p, &end);
		if (end == nullptr) {
			buf_putc(to, '$');
			continue;
		}
		if (group >= 0 && (size_t)group < groups.size())
			buf_put(to, groups[(size_t)group].data(), groups[(size_t)group].size());
		p = end;
	}
}

extern "C" enum err regex_expand(const struct regex *r, const char *text, size_t n, const char *replacement, struct buf *to, bool *matched)
{
	std::vector<re2::StringPiece> groups(1 + (size_t)r->re.NumberOfCapturingGroups());
	if (!r->re.Match(re2::StringPiece(text, n), 0, n, RE2::ANCHOR_BOTH, groups.data(), (int)groups.size())) {
		*matched = false;
		return ERR_OK;
	}
	put_replacement(r, groups, replacement, to);
	if (to->err != ERR_OK)
		return to->err;
	*matched = true;
	return ERR_OK;
}

extern "C" bool regex_is_found(const struct regex *r, const char *text, size_t n)
{
	return r->re.Match(re2::StringPiece(text, n), 0, n, RE2::UNANCHORED, nullptr, 0);
}

/* How long the character at p is; an empty match goes on behind it. */
static size_t character_length(const char *p, size_t left)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	return n < left ? n : left;
}

/* As Go goes about it, so that empty matches give the same. */
extern "C" void regex_replace_all(const struct regex *r, const char *text, size_t n, const char *replacement, struct buf *to)
{
	std::vector<re2::StringPiece> groups(1 + (size_t)r->re.NumberOfCapturingGroups());
	const re2::StringPiece all(text, n);
	size_t at = 0, last_end = 0;
	while (at <= n && to->err == ERR_OK && r->re.Match(all, at, n, RE2::UNANCHORED, groups.data(), (int)groups.size())) {
		size_t begin = (size_t)(groups[0].data() - text), end = begin + groups[0].size();
		buf_put(to, text + last_end, begin - last_end);
		if (end > last_end || begin == 0)
			put_replacement(r, groups, replacement, to);
		last_end = end;
		size_t step = at < n ? character_length(text + at, n - at) : 1;
		at = at + step > end ? at + step : end;
	}
	buf_put(to, text + last_end, n - last_end);
}
