/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/buf.h"
#include "base/yaml.h"

enum { FILES_MAX = 64, NAME_MAX_BYTES = 256 };

struct loaded {
	struct pack_file pub;
	struct yaml     *tree;
	char            *text; /* of `pub`: source, whose tail is the name */
};

struct pack {
	struct loaded files[FILES_MAX];
	size_t        n;
};

static const char folder[] = "packs/", owner[] = "pitwall:";

/* "pitwall:nodes" of "packs/nodes.yml". */
static char *source_of(const char *asset)
{
	const char *base = asset + strlen(folder), *dot = strrchr(base, '.');
	struct buf b;
	buf_init(&b, NAME_MAX_BYTES);
	buf_puts(&b, owner);
	buf_put(&b, base, dot != NULL ? (size_t)(dot - base) : strlen(base));
	char *text = b.err == ERR_OK ? strdup(buf_text(&b)) : NULL;
	buf_release(&b);
	return text;
}

struct load {
	struct pack        *p;
	struct diagnostics *d;
	struct why         *why;
};

static enum err load_asset(void *ctx, const char *name, const char *text, size_t len)
{
	struct load *l = ctx;
	struct buf shown;
	if (l->p->n == FILES_MAX)
		return why_set(l->why, ERR_LIMIT, "more than %d files in the rule pack", FILES_MAX);
	struct loaded *f = &l->p->files[l->p->n++];
	f->text = source_of(name);
	if (f->text == NULL)
		return why_memory(l->why);
	f->pub.source = f->text;
	f->pub.name = f->text + strlen(owner);
	buf_init(&shown, NAME_MAX_BYTES);
	buf_printf(&shown, "%s (built in)", name);
	enum err e = shown.err;
	if (e == ERR_OK)
		e = yaml_parse(text, len, buf_text(&shown), l->d, &f->tree);
	if (e == ERR_OK)
		e = rule_file_read(f->tree, false, &f->pub.rules, l->why);
	else
		why_set(l->why, e, "the built-in file '%.100s' cannot be read", name);
	buf_release(&shown);
	return e == ERR_MEMORY ? why_memory(l->why) : e;
}

enum err pack_load(struct diagnostics *d, struct pack **out, struct why *why)
{
	struct pack *p = calloc(1, sizeof *p);
	if (p == NULL)
		return why_memory(why);
	struct load l = { .p = p, .d = d, .why = why };
	enum err e = asset_list(folder, load_asset, &l);
	if (e != ERR_OK) {
		pack_free(p);
		return e;
	}
	*out = p;
	return ERR_OK;
}

void pack_free(struct pack *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		rule_file_free(p->files[i].pub.rules);
		yaml_discard(p->files[i].tree);
		free(p->files[i].text);
	}
	free(p);
}

size_t pack_count(const struct pack *p)
{
	return p->n;
}

const struct pack_file *pack_at(const struct pack *p, size_t i)
{
	assert(i < p->n);
	return &p->files[i].pub;
}

static bool is_alert(const struct rule *r, const char *name)
{
	return r->kind == RULE_ALERT && strcmp(r->name, name) == 0;
}

bool pack_has_alert(const struct pack *p, const char *alert)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct rule_file *f = p->files[i].pub.rules;
		for (size_t g = 0; g < f->n_groups; g++)
			for (size_t r = 0; r < f->groups[g].n_rules; r++)
				if (is_alert(&f->groups[g].rules[r], alert))
					return true;
	}
	return false;
}
