/* SPDX-License-Identifier: Apache-2.0
 *
 * `ssh` of the fleet file: machines that are asked over a shell. Who may log in and how is ssh_config's business, not this file's. */
#include "config/fleet_build.h"

#include "base/num.h"
#include "config/keys.h"
#include "config/words.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 64, WORD_MAX = 1024 };

const struct fleet_ssh plain_ssh = { .user = "" };

/* As the exec source needs them (collectors/source.h). */
static const char *const formats[] = { "prometheus", "json", "pairs" };

bool is_ssh_word(const char *text)
{
	return text[0] != '\0' && text[0] != '-' && is_clean(text) && strcspn(text, " \t:@/\\'\"`$;&|<>(){}[]*?!#") == strlen(text);
}

const char *const *list_read(struct build *b, const struct yaml_node *map, const char *key, size_t *n)
{
	const struct yaml_node *list = yaml_get(map, key);
	*n = 0;
	if (list == NULL || !yaml_is_list(b->y, list, key))
		return NULL;
	if (list->n > LIST_MAX) {
		yaml_error(b->y, list, "'%s' has more than %d items", key, LIST_MAX);
		return NULL;
	}
	const char **texts = keep(b, arena_zeroed(b->arena, list->n + 1, sizeof *texts));
	for (size_t i = 0; texts != NULL && i < list->n; i++) {
		const char *text;
		if (!yaml_text(b->y, list->items[i], key, &text))
			continue;
		if (text[0] == '\0' || strlen(text) > WORD_MAX || !is_clean(text))
			yaml_error(b->y, list->items[i], "an item of '%s' is empty, too long or holds control characters", key);
		else if ((texts[*n] = keep(b, arena_text(b->arena, text))) != NULL)
			++*n;
	}
	return texts;
}

static bool read_format(struct build *b, const struct yaml_node *map, struct fleet_exec *e)
{
	const struct yaml_node *node = yaml_get(map, "format");
	const char *text;
	e->format = formats[0];
	if (node == NULL)
		return true;
	if (!yaml_text(b->y, node, "format", &text))
		return false;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (strcmp(formats[i], text) == 0) {
			e->format = formats[i];
			return true;
		}
	}
	yaml_error(b->y, node, "'format' must be prometheus, json or pairs, not '%.60s'", text);
	return false;
}

static bool read_exec(struct build *b, const struct yaml_node *map, struct fleet_exec *e)
{
	const struct yaml_node *name = yaml_get(map, "name");
	const char *text;
	if (!yaml_is_map(b->y, map, "exec"))
		return false;
	bool is_good = keys_check(b->y, map, KEYS_EXEC) && read_format(b, map, e);
	e->argv = list_read(b, map, "command", &e->n_argv);
	e->paths = list_read(b, map, "paths", &e->n_paths);
	if (name == NULL || yaml_get(map, "command") == NULL) {
		yaml_error(b->y, map, "an item of 'exec' needs '%s'", name == NULL ? "name" : "command");
		return false;
	}
	if (!yaml_text(b->y, name, "name", &text))
		return false;
	if (!is_label_name(text)) {
		yaml_error(b->y, name, "'name' must be letters, digits and '_', since the samples are named after it, not '%.60s'", text);
		return false;
	}
	if (is_good && (strcmp(e->format, "json") == 0) != (e->n_paths > 0)) {
		yaml_error(b->y, map, e->n_paths > 0 ? "'paths' are for format: json" : "format: json needs 'paths', as in [ \"depth=queue.depth\" ]");
		return false;
	}
	e->name = keep(b, arena_text(b->arena, text));
	return is_good && e->n_argv > 0 && e->name != NULL;
}

static void read_execs(struct build *b, const struct yaml_node *map, struct fleet_ssh *to)
{
	const struct yaml_node *list = yaml_get(map, "exec");
	if (list == NULL || !yaml_is_list(b->y, list, "exec"))
		return;
	if (list->n > LIST_MAX) {
		yaml_error(b->y, list, "'exec' has more than %d items", LIST_MAX);
		return;
	}
	struct fleet_exec *execs = keep(b, arena_zeroed(b->arena, list->n + 1, sizeof *execs));
	for (size_t i = 0; execs != NULL && i < list->n; i++)
		to->n_execs += read_exec(b, list->items[i], &execs[to->n_execs]);
	to->execs = execs;
}

static void read_transport(struct build *b, const struct yaml_node *map, struct fleet_ssh *to)
{
	static const char *const words[] = { [FLEET_TRANSPORT_AUTO] = "auto", [FLEET_TRANSPORT_LIBSSH2] = "libssh2",
		                                 [FLEET_TRANSPORT_OPENSSH] = "openssh" };
	const struct yaml_node *node = yaml_get(map, "transport");
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, "transport", &text))
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], text) == 0) {
			to->transport = (enum fleet_transport)i;
			return;
		}
	}
	yaml_error(b->y, node, "'transport' must be auto, libssh2 or openssh, not '%.60s'", text);
}

const struct fleet_ssh *ssh_read(struct build *b, const struct yaml_node *node)
{
	const struct yaml_node *at;
	const char *text;
	int64_t port;
	if (node->kind == YAML_SCALAR && (strcmp(node->text, "yes") == 0 || strcmp(node->text, "true") == 0))
		return &plain_ssh;
	if (node->kind == YAML_SCALAR && (strcmp(node->text, "no") == 0 || strcmp(node->text, "false") == 0 || strcmp(node->text, "none") == 0))
		return NULL;
	if (node->kind != YAML_MAP) {
		yaml_error(b->y, node, "'ssh' must be yes, no or a mapping, as in { user: ops }");
		return NULL;
	}
	keys_check(b->y, node, KEYS_SSH);
	struct fleet_ssh *to = keep(b, arena_zeroed(b->arena, 1, sizeof *to));
	if (to == NULL)
		return NULL;
	to->user = "";
	at = yaml_get(node, "user");
	if (at != NULL && yaml_text(b->y, at, "user", &text)) {
		if (is_ssh_word(text))
			to->user = keep(b, arena_text(b->arena, text));
		else
			yaml_error(b->y, at, "'%.60s' is no user's name", text);
	}
	at = yaml_get(node, "port");
	if (at != NULL && yaml_i64(b->y, at, "port", 1, 65535, &port))
		to->port = (int)port;
	read_transport(b, node, to);
	to->units = list_read(b, node, "units", &to->n_units);
	to->logs = list_read(b, node, "logs", &to->n_logs);
	read_execs(b, node, to);
	return b->err == ERR_OK ? to : NULL;
}

bool ssh_place_read(struct build *b, const struct yaml_node *at, const char *text, const struct fleet_ssh *settings, struct ssh_place *out)
{
	struct place place;
	const char *rest = text + 6, *mark = strchr(rest, '@');
	char user[256] = "";
	*out = (struct ssh_place){ .user = settings->user, .port = settings->port };
	if (mark != NULL) {
		snprintf(user, sizeof user, "%.*s", (int)(mark - rest), rest);
		if ((size_t)(mark - rest) >= sizeof user || !is_ssh_word(user)) { /* what may be a password is not quoted */
			yaml_error(b->y, at, "what stands before '@' is no user's name; passwords are never written here");
			return false;
		}
		out->user = keep(b, arena_text(b->arena, user));
		rest = mark + 1;
	}
	if (!place_read(b, at, rest, &place))
		return false;
	if (place.path != NULL) {
		yaml_error(b->y, at, "ssh://[user@]host[:port] has no path");
		return false;
	}
	out->host = place.host;
	if (place.port > 0)
		out->port = place.port;
	return out->user != NULL;
}
