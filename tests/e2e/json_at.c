/* SPDX-License-Identifier: Apache-2.0
 *
 * json_at PATH: reads JSON from standard input and prints what is at PATH ("data.result.0.metric"; "" the whole): strings and numbers
 * plainly, the size of arrays and objects. Exits 1 where it is not JSON, or nothing is there. For test scripts, which must not need an
 * interpreter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { INPUT_MAX = 64 * 1024 * 1024 };

static char *take_all(FILE *f)
{
	char *text = malloc(INPUT_MAX + 1);
	if (text == NULL)
		return NULL;
	size_t n = fread(text, 1, INPUT_MAX, f);
	text[n] = '\0';
	return text;
}

static const cJSON *find(const cJSON *at, const char *path)
{
	while (at != NULL && path[0] != '\0') {
		char name[256];
		size_t n = strcspn(path, ".");
		if (n >= sizeof name)
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, (int)strtol(name, NULL, 10)) : cJSON_GetObjectItemCaseSensitive(at, name);
		path += n + (path[n] == '.');
	}
	return at;
}

int main(int argc, char **argv)
{
	char *text = take_all(stdin);
	const char *end = NULL;
	cJSON *root = text != NULL ? cJSON_ParseWithOpts(text, &end, 1) : NULL;
	const cJSON *found = find(root, argc > 1 ? argv[1] : "");
	if (cJSON_IsString(found))
		puts(found->valuestring);
	else if (cJSON_IsNumber(found))
		printf("%.17g\n", found->valuedouble);
	else if (found != NULL)
		printf("%d\n", cJSON_GetArraySize(found));
	cJSON_Delete(root);
	free(text);
	return found != NULL ? 0 : 1;
}
