/* SPDX-License-Identifier: Apache-2.0 */
#include "config/words.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool is_label_name(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	while (isalnum((unsigned char)*text) || *text == '_')
		text++;
	return *text == '\0';
}

bool is_profile_name(const char *text)
{
	if (*text < 'a' || *text > 'z' || strlen(text) > 64)
		return false;
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

bool is_clean(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

bool is_url_path(const char *text)
{
	if (*text != '/')
		return false;
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\^`{}|#", *text) != NULL)
			return false;
	}
	return true;
}

bool is_host(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > 253)
		return false;
	if (strchr(text, ':') != NULL) /* IPv6, perhaps with a zone */
		return text[strspn(text, "0123456789abcdefABCDEF:.%_-ghijklmnopqrstuvwxyz")] == '\0' && strchr(text, ':') != strrchr(text, ':');
	for (const char *p = text; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.' && *p != '_')
			return false;
	}
	return text[0] != '-' && text[0] != '.';
}

char *path_from(struct arena *a, const char *folder, const char *text)
{
	if (text[0] == '/' || folder[0] == '\0' || strcmp(folder, ".") == 0)
		return arena_text(a, text);
	size_t n = strlen(folder), m = strlen(text);
	char *path = arena_zeroed(a, n + 1 + m + 1, 1);
	if (path == NULL)
		return NULL;
	memcpy(path, folder, n);
	path[n] = '/';
	memcpy(path + n + 1, text, m);
	return path;
}

char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return arena_text(a, ".");
	char *folder = arena_text(a, path);
	if (folder != NULL)
		folder[slash == path ? 1 : slash - path] = '\0';
	return folder;
}

char *user_config_path(const char *name)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	const char *tail = "";
	if (home == NULL || home[0] != '/') { /* the specification: a relative one is to be ignored */
		home = getenv("HOME");
		tail = "/.config";
	}
	if (home == NULL || home[0] == '\0')
		return NULL;
	struct buf b;
	buf_init(&b, PATH_MAX);
	buf_printf(&b, "%s%s/pitwall/%s", home, tail, name);
	char *path = buf_take(&b);
	buf_release(&b);
	return path;
}
