/* SPDX-License-Identifier: Apache-2.0
 *
 * `auth` and `tls` of the fleet file. What is read here says where a secret is, never what it is. */
#include "config/fleet_build.h"

#include "config/keys.h"
#include "config/words.h"

#include <string.h>

enum { WORDS_MAX = 64 };

static bool is_env_name(const char *text)
{
	return is_label_name(text);
}

/* The words of a command, NULL-terminated, in the arena. NULL: reported. */
const char *const *words_read(struct build *b, const struct yaml_node *list)
{
	if (list->kind != YAML_LIST || list->n == 0 || list->n > WORDS_MAX) {
		yaml_error(b->y, list, "'command' must be a list of 1 to %d words (no shell reads it), as in [ pass, show, token ]", WORDS_MAX);
		return NULL;
	}
	const char **words = keep(b, arena_zeroed(b->arena, list->n + 1, sizeof *words));
	for (size_t i = 0; words != NULL && i < list->n; i++) {
		const char *word;
		if (!yaml_text(b->y, list->items[i], "command", &word))
			return NULL;
		words[i] = keep(b, arena_text(b->arena, word));
	}
	return words;
}

static void check_secret_file(struct build *b, const struct yaml_node *at, const struct secret_source *source)
{
	struct why why;
	if (secret_check(source, &why) != ERR_OK)
		yaml_warning(b->y, at, "%s", why.text);
}

/* One of env, file, command. `what` is the key that holds it. */
bool secret_source_read(struct build *b, const struct yaml_node *node, const char *what, struct secret_source *out)
{
	if (node->kind != YAML_MAP) {
		yaml_error(b->y, node,
		           "'%s' must not be written into the file; say where it is: { env: NAME }, { file: PATH } or { command: [ WORD, ... ] }",
		           what);
		return false;
	}
	if (!keys_check(b->y, node, KEYS_SECRET))
		return false;
	if (node->n != 1) {
		yaml_error(b->y, node, "'%s' needs exactly one of env, file and command", what);
		return false;
	}
	const struct yaml_node *value = node->items[0];
	const char *key = node->keys[0]->text, *text;
	if (strcmp(key, "command") == 0) {
		out->kind = SECRET_COMMAND;
		out->argv = words_read(b, value);
		out->name = out->argv != NULL ? out->argv[0] : NULL;
		return out->name != NULL;
	}
	if (!yaml_text(b->y, value, key, &text))
		return false;
	if (strcmp(key, "env") == 0 && !is_env_name(text)) {
		yaml_error(b->y, value, "'env' must be the name of a variable, without '$'");
		return false;
	}
	out->kind = strcmp(key, "env") == 0 ? SECRET_ENV : SECRET_FILE;
	out->name = keep(b, out->kind == SECRET_ENV ? arena_text(b->arena, text) : path_from(b->arena, b->folder, text));
	if (out->name != NULL)
		check_secret_file(b, value, out);
	return out->name != NULL;
}

static bool read_basic(struct build *b, const struct yaml_node *node, struct fleet_auth *auth)
{
	const char *user = NULL;
	if (!yaml_is_map(b->y, node, "basic"))
		return false;
	bool is_good = keys_check(b->y, node, KEYS_BASIC);
	const struct yaml_node *at = yaml_get(node, "user");
	if (at != NULL && yaml_text(b->y, at, "user", &user) && strchr(user, ':') != NULL)
		yaml_error(b->y, at, "a user's name cannot hold ':'");
	const struct yaml_node *password = yaml_get(node, "password");
	if (is_good && (at == NULL || password == NULL))
		yaml_error(b->y, node, "'basic' needs '%s'", at == NULL ? "user" : "password");
	auth->kind = FLEET_AUTH_BASIC;
	auth->user = keep(b, arena_text(b->arena, user));
	return password != NULL && secret_source_read(b, password, "password", &auth->secret) && user != NULL && is_good;
}

const struct fleet_auth *auth_read(struct build *b, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0)
		return NULL;
	if (node->kind != YAML_MAP) {
		yaml_error(b->y, node, "'auth' must be { bearer: ... }, { basic: ... } or none");
		return NULL;
	}
	struct fleet_auth auth = { .kind = FLEET_AUTH_BEARER, .user = "" };
	if (!keys_check(b->y, node, KEYS_AUTH))
		return NULL;
	if (node->n != 1) {
		yaml_error(b->y, node, "'auth' needs exactly one of bearer and basic");
		return NULL;
	}
	bool is_good = strcmp(node->keys[0]->text, "basic") == 0 ? read_basic(b, node->items[0], &auth)
	                                                         : secret_source_read(b, node->items[0], "bearer", &auth.secret);
	struct fleet_auth *out = is_good ? keep(b, arena_zeroed(b->arena, 1, sizeof *out)) : NULL;
	if (out != NULL)
		*out = auth;
	return out;
}

static void read_path(struct build *b, const struct yaml_node *map, const char *key, const char **out)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	*out = "";
	if (node != NULL && yaml_text(b->y, node, key, &text)) {
		struct stat st;
		*out = keep(b, path_from(b->arena, b->folder, text));
		if (*out != NULL && stat(*out, &st) != 0)
			yaml_error(b->y, node, "'%s': there is no file '%s'", key, *out);
	}
}

const struct fleet_tls *tls_read(struct build *b, const struct yaml_node *node)
{
	if (!yaml_is_map(b->y, node, "tls"))
		return NULL;
	struct fleet_tls *tls = keep(b, arena_zeroed(b->arena, 1, sizeof *tls));
	if (tls == NULL)
		return NULL;
	keys_check(b->y, node, KEYS_TLS);
	tls->server_name = "";
	read_path(b, node, "ca_file", &tls->ca_file);
	read_path(b, node, "cert_file", &tls->cert_file);
	read_path(b, node, "key_file", &tls->key_file);
	const struct yaml_node *cert = yaml_get(node, "cert_file"), *key = yaml_get(node, "key_file");
	if ((cert == NULL) != (key == NULL))
		yaml_error(b->y, cert != NULL ? cert : key, "'cert_file' and 'key_file' belong together");
	const struct yaml_node *name = yaml_get(node, "server_name");
	const char *text;
	if (name != NULL && yaml_text(b->y, name, "server_name", &text)) {
		if (is_host(text))
			tls->server_name = keep(b, arena_text(b->arena, text));
		else
			yaml_error(b->y, name, "'server_name' must be a host name");
	}
	const struct yaml_node *skip = yaml_get(node, "insecure_skip_verify");
	if (skip != NULL && yaml_bool(b->y, skip, "insecure_skip_verify", &tls->insecure_skip_verify) && tls->insecure_skip_verify)
		yaml_warning(b->y, skip, "certificates are not verified: anybody on the way can read and answer");
	return b->err == ERR_OK ? tls : NULL;
}
