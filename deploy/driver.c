/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/driver.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { TEXT_MAX = 4096, URL_MAX = 8192, WORDS_MAX = 64, SILENCE_MS = 2000 };

/* ---- texts ---- */

static const char *__attribute__((format(printf, 2, 0))) vprintf_into(struct arena *a, const char *format, va_list args)
{
	char text[TEXT_MAX];
	int n = vsnprintf(text, sizeof text, format, args);
	if (n < 0 || (size_t)n >= sizeof text) {
		a->failed = true;
		return "";
	}
	const char *copy = arena_text(a, text);
	return copy != NULL ? copy : "";
}

const char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = vprintf_into(a, format, args);
	va_end(args);
	return text;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* A segment of one or two dots would be taken for a way up: its dots are encoded. (RFC 3986, 2.3, 5.2.4) */
static void put_segment(struct buf *to, const char *segment)
{
	bool is_dots = strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;
	for (const char *c = segment; *c != '\0'; c++)
		if (is_unreserved((unsigned char)*c) && !is_dots)
			buf_put(to, c, 1);
		else
			buf_printf(to, "%%%02X", (unsigned char)*c);
}

const char *ask_url(struct arena *a, const char *base, ...)
{
	struct buf url;
	va_list args;
	buf_init(&url, URL_MAX);
	size_t n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	buf_put(&url, base, n);
	va_start(args, base);
	for (const char *segment; (segment = va_arg(args, const char *)) != NULL;) {
		buf_puts(&url, "/");
		put_segment(&url, segment);
	}
	va_end(args);
	const char *copy = url.err == ERR_OK ? arena_text(a, buf_text(&url)) : NULL;
	buf_release(&url);
	if (copy == NULL)
		a->failed = true;
	return copy != NULL ? copy : "";
}

/* ---- asks ---- */

void ask_run(struct arena *a, struct ask *to, ...)
{
	const char *words[WORDS_MAX];
	size_t n = 0;
	va_list args;
	*to = (struct ask){ .kind = ASK_RUN };
	va_start(args, to);
	for (const char *word; (word = va_arg(args, const char *)) != NULL;) {
		if (n == WORDS_MAX) {
			a->failed = true;
			break;
		}
		words[n++] = word;
	}
	va_end(args);
	const char **copies = arena_zeroed(a, n + 1, sizeof *copies);
	for (size_t i = 0; i < n && copies != NULL; i++)
		copies[i] = arena_text(a, words[i]);
	to->argv = copies;
	to->n_argv = copies != NULL ? n : 0;
}

void ask_http(struct arena *a, struct ask *to, const char *method, const char *url, const char *body)
{
	*to = (struct ask){ .kind = ASK_HTTP, .method = arena_text(a, method), .url = arena_text(a, url), .body = body != NULL ? arena_text(a, body) : NULL };
	if (body != NULL)
		to->headers[to->n_headers++] = (struct ask_header){ "Content-Type", "application/json" };
}

bool unit_has_machine(const struct unit *u) { return u->is_local || u->destination[0] != '\0'; }

/* ---- what was found ---- */

void *look_memory(struct look *l, size_t size, struct why *why)
{
	l->memory = arena_zeroed(l->arena, 1, size);
	if (l->memory == NULL)
		why_memory(why);
	return l->memory;
}

static void __attribute__((format(printf, 5, 0))) warn(struct arena *a, struct warning *items, size_t *n, enum warning_level level, const char *format, va_list args)
{
	const char *text = vprintf_into(a, format, args);
	size_t at = *n;
	if (at == FOUND_WARNINGS_MAX) { /* a grave one is never left out for a note */
		for (at = 0; at < *n && items[at].level >= level; at++)
			;
		if (at == *n)
			return;
	} else {
		(*n)++;
	}
	items[at] = (struct warning){ level, text };
}

void found_warn(struct look *l, enum warning_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	warn(l->arena, l->found.warnings, &l->found.n_warnings, level, format, args);
	va_end(args);
}

void plan_warn(struct planning *p, enum warning_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	warn(p->arena, p->warnings, &p->n_warnings, level, format, args);
	va_end(args);
}

struct version *found_version(struct look *l)
{
	if (l->found.n_versions == FOUND_VERSIONS_MAX)
		return NULL;
	struct version *v = &l->found.versions[l->found.n_versions++];
	*v = (struct version){ "", "", "", "", "", "", "", "", 0, false, false, "" };
	return v;
}

const struct version *found_running(const struct found *f)
{
	for (size_t i = 0; i < f->n_versions; i++)
		if (f->versions[i].is_running)
			return &f->versions[i];
	return NULL;
}

const struct version *found_by_id(const struct found *f, const char *id)
{
	for (size_t i = 0; i < f->n_versions; i++)
		if (strcmp(f->versions[i].id, id) == 0)
			return &f->versions[i];
	return NULL;
}

/* ---- steps ---- */

struct step *steps_add(struct planning *p, struct steps *to, enum phase phase, const char *title, ...)
{
	va_list args;
	if (to->items == NULL)
		to->items = arena_zeroed(p->arena, STEPS_MAX, sizeof *to->items);
	if (to->items == NULL || to->n == STEPS_MAX) {
		p->arena->failed = true;
		return NULL;
	}
	struct step *s = &to->items[to->n++];
	va_start(args, title);
	*s = (struct step){ .phase = phase, .title = vprintf_into(p->arena, title, args), .note = "" };
	va_end(args);
	return s;
}

/* ---- verdicts ---- */

static void __attribute__((format(printf, 4, 0))) say(struct verdict *v, enum verdict_kind kind, int64_t wait_ms, const char *format, va_list args)
{
	v->kind = kind;
	v->wait_ms = wait_ms;
	v->next.kind = ASK_NONE;
	v->progress = (double)NAN;
	int n = vsnprintf(v->text, sizeof v->text, format, args);
	if (n < 0)
		v->text[0] = '\0';
	else if ((size_t)n >= sizeof v->text)
		memcpy(v->text + sizeof v->text - 4, "...", 4);
}

void verdict_done(struct verdict *v, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(v, VERDICT_DONE, 0, format, args);
	va_end(args);
}

void verdict_again(struct verdict *v, int64_t wait_ms, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(v, VERDICT_AGAIN, wait_ms, format, args);
	va_end(args);
}

void verdict_failed(struct verdict *v, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(v, VERDICT_FAILED, 0, format, args);
	va_end(args);
}

/* A probe that gets no answer is asked again too: it changes nothing. Credentials that are refused do not get better by asking. */
bool verdict_of_silence(const struct judging *j, struct verdict *v)
{
	const struct answer *a = j->answer;
	if (a == NULL || a->err == ERR_OK)
		return false;
	bool may_repeat = !a->was_sent || j->is_probe || !j->step->changes || j->step->is_repeatable;
	if (may_repeat && a->err != ERR_DENIED && a->err != ERR_USAGE && a->err != ERR_TLS)
		verdict_again(v, SILENCE_MS, "no answer: %s", a->why);
	else if (a->was_sent && j->step->changes && !j->is_probe)
		verdict_failed(v, "no answer, and it is not known whether it happened: %s", a->why);
	else
		verdict_failed(v, "%s", a->why);
	return true;
}
