/* SPDX-License-Identifier: Apache-2.0
 *
 * models.config is scanned, not parsed: what stands in it is ours or a test's. */
#include "sim/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024, READ_S = 1 };

/* What the file says of the model: bits of versions, and labels. */
struct wish {
	unsigned wanted;
	struct {
		char key[CONTROL_LABEL];
		int  version;
	}        labels[CONTROL_LABELS];
	int      n_labels;
};

static bool slurp_file(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	size_t n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	fclose(f);
	return true;
}

/* The model's part of the text: from its name to the next model's. */
static const char *part_of(char *text, const char *model)
{
	for (char *at = text; (at = strstr(at, "name:")) != NULL;) {
		at += strlen("name:");
		char *name = at + strspn(at, " \t");
		size_t n = strlen(model);
		if ((*name != '\'' && *name != '"') || strncmp(name + 1, model, n) != 0 || name[1 + n] != *name)
			continue;
		char *end = strstr(name, "name:");
		if (end != NULL)
			*end = '\0';
		return name + n + 2;
	}
	return NULL;
}

static int which_at(const struct control_call *call, const char *text)
{
	text += strspn(text, " \t");
	return control_which(call, text, strspn(text, "0123456789"));
}

static void read_labels(const struct control_call *call, const char *part, struct wish *w)
{
	for (const char *at = part; (at = strstr(at, "key:")) != NULL && w->n_labels < CONTROL_LABELS;) {
		const char *key = at + strcspn(at, "'\""), *value = strstr(at, "value:");
		at += strlen("key:");
		int which = value != NULL ? which_at(call, value + strlen("value:")) : -1;
		if (*key == '\0' || which < 0)
			continue;
		size_t n = strcspn(key + 1, "'\"");
		snprintf(w->labels[w->n_labels].key, CONTROL_LABEL, "%.*s", (int)(n < CONTROL_LABEL ? n : CONTROL_LABEL - 1), key + 1);
		w->labels[w->n_labels++].version = which;
	}
}

static void read_wish(const struct control_call *call, char *text, struct wish *w)
{
	const char *part = part_of(text, call->spec->model);
	*w = (struct wish){ .wanted = 0 };
	if (part == NULL) /* what is not in the file is unloaded */
		return;
	if (strstr(part, "specific") == NULL)
		w->wanted = strstr(part, "all") != NULL ? 3u : 2u;
	for (const char *at = part; (at = strstr(at, "versions:")) != NULL;) {
		at += strlen("versions:");
		int which = which_at(call, at);
		w->wanted |= which >= 0 ? 1u << which : 0;
	}
	read_labels(call, part, w);
}

/* A label moves only to a version that is AVAILABLE; until then it is what it was. */
static void move_labels(struct control *c, const struct wish *w)
{
	struct control was = *c;
	c->n_labels = 0;
	for (int i = 0; i < w->n_labels; i++) {
		int version = c->versions[w->labels[i].version].state == SERVING_READY ? w->labels[i].version : -1;
		for (int k = 0; k < was.n_labels && version < 0; k++)
			version = strcmp(was.labels[k].key, w->labels[i].key) == 0 ? was.labels[k].version : -1;
		if (version < 0)
			continue;
		snprintf(c->labels[c->n_labels].key, CONTROL_LABEL, "%s", w->labels[i].key);
		c->labels[c->n_labels++].version = version;
	}
}

static void read_config(struct control *c, const struct control_call *call)
{
	struct wish w;
	char *text;
	if (c->file[0] == '\0' || (c->is_begun && call->now_s < c->read_s + READ_S))
		return;
	text = malloc(FILE_MAX);
	if (text != NULL && slurp_file(c->file, text, FILE_MAX)) {
		read_wish(call, text, &w);
		c->is_begun = true;
		c->read_s = call->now_s;
		control_want(c, call, w.wanted);
		move_labels(c, &w);
	}
	free(text);
}

static void describe(const struct control *c, const struct control_call *call, unsigned which, struct reply *to)
{
	static const char *const states[] = { "END", "LOADING", "AVAILABLE", "UNLOADING" };
	control_say(to, 200, "{\n \"model_version_status\": [\n");
	for (int i = CONTROL_VERSIONS - 1, n = 0; i >= 0; i--)
		if ((which >> i & 1u) != 0 && c->versions[i].was_known)
			control_say(to, 200, "%s  {\n   \"version\": \"%s\",\n   \"state\": \"%s\",\n   \"status\": {\n    \"error_code\": \"OK\",\n    \"error_message\": \"\"\n   }\n  }\n",
			            n++ > 0 ? "  ,\n" : "", control_version(call, i), states[c->versions[i].state]);
	control_say(to, 200, " ]\n}\n");
}

static int labelled(const struct control *c, const char *label)
{
	for (int i = 0; i < c->n_labels; i++)
		if (strcmp(c->labels[i].key, label) == 0)
			return c->labels[i].version;
	return -1;
}

bool control_tfserving(struct control *c, const struct control_call *call, struct reply *to)
{
	const char *what = control_behind(call, "/v1/models/");
	int which = -1;
	if (what == NULL || !control_is(call, "GET"))
		return false;
	read_config(c, call);
	if (what[0] == '\0') {
		describe(c, call, 3u, to);
		return true;
	}
	if (strncmp(what, "/versions/", 10) == 0)
		which = control_which(call, what + 10, strlen(what + 10));
	else if (strncmp(what, "/labels/", 8) == 0)
		which = labelled(c, what + 8);
	else
		return false;
	if (which >= 0 && c->versions[which].was_known)
		describe(c, call, 1u << which, to);
	else
		control_say(to, 404, "{ \"error\": \"Could not find version or label of model %s\" }", call->spec->model);
	return true;
}
