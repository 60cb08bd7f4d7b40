/* SPDX-License-Identifier: Apache-2.0 */
#include "alerts/rulebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/slurp.h"
#include "base/yaml.h"
#include "rules/template.h"

struct rulebook_file {
	size_t            refs;
	char             *name;
	uint64_t          hash; /* of its text and of what is disabled */
	struct yaml      *tree;
	struct rule_file *rules;
	char            **sources; /* [rules->n_groups] */
};

/* A place in the list of files: what is there may be older than what the file says now, or nothing. */
struct place {
	char                 *path; /* NULL: a text */
	struct rulebook_file *file; /* NULL: it never was good */
};

struct rulebook {
	struct place          *places;
	size_t                 n_places;
	struct rulebook_group *groups;
	size_t                 n_groups;
};

/* ---- files ---- */

struct rulebook_file *rulebook_file_ref(struct rulebook_file *f)
{
	f->refs++;
	return f;
}

void rulebook_file_unref(struct rulebook_file *f)
{
	if (f == NULL || --f->refs > 0)
		return;
	for (size_t i = 0; f->sources != NULL && i < f->rules->n_groups; i++)
		free(f->sources[i]);
	free(f->sources);
	rule_file_free(f->rules);
	yaml_discard(f->tree);
	free(f->name);
	free(f);
}

static bool is_disabled(const struct rulebook_options *o, const struct rule *r)
{
	for (size_t i = 0; r->kind == RULE_ALERT && i < o->n_disabled; i++)
		if (strcmp(o->disabled[i], r->name) == 0)
			return true;
	return false;
}

static void leave_out(const struct rulebook_options *o, struct rule_file *rules)
{
	for (size_t g = 0; g < rules->n_groups; g++) {
		struct rule_group *group = &rules->groups[g];
		size_t kept = 0;
		for (size_t i = 0; i < group->n_rules; i++) {
			if (is_disabled(o, &group->rules[i]))
				query_free(group->rules[i].query);
			else
				group->rules[kept++] = group->rules[i];
		}
		group->n_rules = kept;
	}
}

static char *source_of(const char *file, const char *group)
{
	size_t n = strlen(file), m = strlen(group);
	char *s = malloc(n + m + 2);
	if (s == NULL)
		return NULL;
	memcpy(s, file, n);
	s[n] = ';';
	memcpy(s + n + 1, group, m + 1);
	return s;
}

static bool name_sources(struct rulebook_file *f)
{
	f->sources = calloc(f->rules->n_groups + 1, sizeof(char *));
	for (size_t i = 0; f->sources != NULL && i < f->rules->n_groups; i++) {
		f->sources[i] = source_of(f->name, f->rules->groups[i].name);
		if (f->sources[i] == NULL)
			return false;
	}
	return f->sources != NULL;
}

static bool check_templates(const struct rule *r, const char *what, const struct label *texts, size_t n, const char *file, struct diagnostics *d)
{
	bool ok = true;
	for (size_t i = 0; i < n; i++) {
		struct template *t = NULL;
		struct why reason = { "" };
		if (template_parse(texts[i].value, &t, &reason) != ERR_OK) {
			diagnostics_add(d, DIAGNOSTIC_ERROR, file, r->line, r->col, "%s '%.100s' of '%.100s': %s", what, texts[i].name, r->name, reason.text);
			ok = false;
		}
		template_free(t);
	}
	return ok;
}

/* As when Prometheus loads a file: what cannot be expanded later is a mistake now. */
static enum err check_alerts(const struct rulebook_file *f, struct diagnostics *d)
{
	bool ok = true;
	for (size_t g = 0; g < f->rules->n_groups; g++) {
		for (size_t i = 0; i < f->rules->groups[g].n_rules; i++) {
			const struct rule *r = &f->rules->groups[g].rules[i];
			if (r->kind != RULE_ALERT)
				continue;
			ok &= check_templates(r, "label", r->labels, r->n_labels, f->name, d);
			ok &= check_templates(r, "annotation", r->annotations, r->n_annotations, f->name, d);
		}
	}
	return ok ? ERR_OK : ERR_FORMAT;
}

/* ERR_FORMAT and ERR_LIMIT: it has mistakes, `d` has them. */
static enum err parse(const char *name, const char *text, size_t len, uint64_t hash, struct diagnostics *d, struct rulebook_file **out, struct why *why)
{
	struct rulebook_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return why_memory(why);
	f->refs = 1;
	f->hash = hash;
	f->name = strdup(name);
	enum err e = f->name == NULL ? why_memory(why) : yaml_parse(text, len, name, d, &f->tree);
	if (e == ERR_OK)
		e = rule_file_read(f->tree, false, &f->rules, why);
	if (e == ERR_OK)
		e = check_alerts(f, d);
	if (e == ERR_OK && !name_sources(f))
		e = why_memory(why);
	if (e != ERR_OK) {
		rulebook_file_unref(f);
		return e == ERR_MEMORY ? why_memory(why) : e;
	}
	*out = f;
	return ERR_OK;
}

/* ---- the book ---- */

static struct rulebook_file *file_before(const struct rulebook *before, const char *name)
{
	for (size_t i = 0; before != NULL && i < before->n_places; i++)
		if (before->places[i].file != NULL && strcmp(before->places[i].file->name, name) == 0)
			return before->places[i].file;
	return NULL;
}

static enum err take_text(struct place *p, const char *name, const char *text, size_t len, const struct rulebook_options *disabling,
                          const struct rulebook *before, struct diagnostics *d, struct why *why)
{
	uint64_t hash = hash64(text, len, 0);
	for (size_t i = 0; disabling != NULL && i < disabling->n_disabled; i++)
		hash = hash64(disabling->disabled[i], strlen(disabling->disabled[i]) + 1, hash);
	struct rulebook_file *same = file_before(before, name);
	if (same != NULL && same->hash == hash) {
		p->file = rulebook_file_ref(same);
		return ERR_OK;
	}
	enum err e = parse(name, text, len, hash, d, &p->file, why);
	if (e == ERR_OK && disabling != NULL)
		leave_out(disabling, p->file->rules);
	if (e == ERR_OK || e == ERR_MEMORY)
		return e;
	p->file = same != NULL ? rulebook_file_ref(same) : NULL;
	return ERR_OK;
}

static enum err take_path(struct place *p, const char *path, const struct rulebook *before, struct diagnostics *d, struct why *why)
{
	struct buf text;
	struct why reason = { "" };
	p->path = strdup(path);
	if (p->path == NULL)
		return why_memory(why);
	buf_init(&text, YAML_BYTES_MAX);
	enum err e = slurp(path, YAML_BYTES_MAX, &text, NULL, &reason);
	if (e == ERR_OK) {
		e = take_text(p, path, buf_text(&text), text.len, NULL, before, d, why);
	} else if (e != ERR_MEMORY) {
		struct rulebook_file *same = file_before(before, path);
		diagnostics_add(d, DIAGNOSTIC_ERROR, path, 0, 0, "%s", reason.text);
		p->file = same != NULL ? rulebook_file_ref(same) : NULL;
		e = ERR_OK;
	}
	buf_release(&text);
	return e == ERR_MEMORY ? why_memory(why) : e;
}

static bool has_group(const struct rulebook_file *f, const char *name)
{
	for (size_t g = 0; f != NULL && g < f->rules->n_groups; g++)
		if (strcmp(f->rules->groups[g].name, name) == 0)
			return true;
	return false;
}

/* A group of one of our own texts that a later one, or a file, has too. */
static bool is_replaced(const struct rulebook *b, size_t place, const char *name)
{
	bool is = false;
	for (size_t i = place + 1; b->places[place].path == NULL && i < b->n_places && !is; i++)
		is = has_group(b->places[i].file, name);
	return is;
}

static enum err list_groups(struct rulebook *b, struct why *why)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n_places; i++)
		n += b->places[i].file != NULL ? b->places[i].file->rules->n_groups : 0;
	b->groups = calloc(n + 1, sizeof *b->groups);
	if (b->groups == NULL)
		return why_memory(why);
	for (size_t i = 0; i < b->n_places; i++) {
		struct rulebook_file *f = b->places[i].file;
		for (size_t g = 0; f != NULL && g < f->rules->n_groups; g++)
			if (!is_replaced(b, i, f->rules->groups[g].name))
				b->groups[b->n_groups++] = (struct rulebook_group){ f->sources[g], &f->rules->groups[g], f };
	}
	return ERR_OK;
}

enum err rulebook_read(const struct rulebook_options *o, const struct rulebook *before, struct diagnostics *d, struct rulebook **out, struct why *why)
{
	struct rulebook *b = calloc(1, sizeof *b);
	if (b == NULL)
		return why_memory(why);
	b->places = calloc(o->n_paths + o->n_texts + 1, sizeof *b->places);
	enum err e = b->places == NULL ? why_memory(why) : ERR_OK;
	for (size_t i = 0; i < o->n_texts && e == ERR_OK; i++)
		e = take_text(&b->places[b->n_places++], o->texts[i].name, o->texts[i].text, o->texts[i].len, o, before, d, why);
	for (size_t i = 0; i < o->n_paths && e == ERR_OK; i++)
		e = take_path(&b->places[b->n_places++], o->paths[i], before, d, why);
	if (e == ERR_OK)
		e = list_groups(b, why);
	if (e != ERR_OK) {
		rulebook_free(b);
		return e;
	}
	*out = b;
	return ERR_OK;
}

void rulebook_free(struct rulebook *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n_places; i++) {
		rulebook_file_unref(b->places[i].file);
		free(b->places[i].path);
	}
	free(b->places);
	free(b->groups);
	free(b);
}

size_t rulebook_count(const struct rulebook *b)
{
	return b->n_groups;
}

const struct rulebook_group *rulebook_at(const struct rulebook *b, size_t i)
{
	return &b->groups[i];
}

/* ---- comparing ---- */

static bool are_pairs_equal(const struct label *a, size_t n_a, const struct label *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (strcmp(a[i].name, b[i].name) != 0 || a[i].value_len != b[i].value_len || memcmp(a[i].value, b[i].value, a[i].value_len) != 0)
			return false;
	return true;
}

bool rule_continues(const struct rule *a, const struct rule *before)
{
	return a->kind == before->kind && strcmp(a->name, before->name) == 0 && are_pairs_equal(a->labels, a->n_labels, before->labels, before->n_labels);
}

bool rules_are_equal(const struct rule *a, const struct rule *b)
{
	return rule_continues(a, b) && strcmp(a->expr, b->expr) == 0 && a->for_ms == b->for_ms && a->keep_firing_ms == b->keep_firing_ms &&
	       are_pairs_equal(a->annotations, a->n_annotations, b->annotations, b->n_annotations);
}

bool rule_groups_are_equal(const struct rule_group *a, const struct rule_group *b)
{
	if (strcmp(a->name, b->name) != 0 || a->interval_ms != b->interval_ms || a->offset_ms != b->offset_ms || a->limit != b->limit ||
	    a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++)
		if (!rules_are_equal(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}
