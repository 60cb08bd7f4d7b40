/* SPDX-License-Identifier: Apache-2.0
 *
 * Masks on whatever a cluster or a file says: what is masked once is masked enough, nothing gets out of its bounds, and of a pod template no
 * text is left in a place that is not known to be harmless. */
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/json.h"
#include "deploy/driver_kubernetes.h"
#include "deploy/mask.h"

enum { TEXT_MAX = 4 << 20 };

static void check_line(const char *text)
{
	struct buf once, twice;
	buf_init(&once, TEXT_MAX);
	buf_init(&twice, TEXT_MAX);
	HOLDS(mask_line(&once, text) == ERR_OK);
	HOLDS(mask_line(&twice, buf_text(&once)) == ERR_OK);
	HOLDS(strcmp(buf_text(&once), buf_text(&twice)) == 0);
	HOLDS(strpbrk(buf_text(&once), "\t\r\n") == NULL);
	HOLDS(mask_place(text) <= strlen(text));
	buf_release(&once);
	buf_release(&twice);
}

static void check_words(const char *text)
{
	const char *const words[] = { "x", text, "--token", text };
	size_t which = 99;
	if (mask_words_tell(words, sizeof words / sizeof words[0], &which))
		HOLDS(which < sizeof words / sizeof words[0]);
	(void)mask_url_tells(text);
	(void)mask_value_tells(text, text);
	(void)mask_json_tells(text);
}

/* Values of variables, words behind options, annotations. */
static void check_masked(const cJSON *o, const char *key, bool in_map, bool in_annotations)
{
	const cJSON *one;
	if (cJSON_IsString(o) && o->valuestring[0] != '\0' && !in_map) {
		bool is_masked = strcmp(o->valuestring, "****") == 0;
		HOLDS(strcmp(key, "value") != 0 || in_annotations || is_masked);
		HOLDS((strcmp(key, "args") != 0 && strcmp(key, "command") != 0) || in_annotations || is_masked || strncmp(o->valuestring, "--", 2) == 0);
	}
	if (cJSON_IsString(o) && in_annotations && strcmp(key, KUBE_RESTARTED_AT) != 0)
		HOLDS(strcmp(o->valuestring, "****") == 0);
	cJSON_ArrayForEach(one, o) {
		const char *its = one->string != NULL ? one->string : key;
		bool is_map = strcmp(its, "labels") == 0 || strcmp(its, "limits") == 0 || strcmp(its, "matchLabels") == 0 || strcmp(its, "nodeSelector") == 0 ||
		              strcmp(its, "requests") == 0;
		check_masked(one, its, in_map || is_map, in_annotations || strcmp(its, "annotations") == 0);
	}
}

static void check_template(const char *text)
{
	static const struct json_limits limits = { .values = 2000 };
	cJSON *tree = NULL;
	struct arena a;
	struct buf x, y;
	if (json_parse(text, strlen(text), &limits, &tree, NULL) != ERR_OK)
		return;
	arena_init(&a);
	cJSON *once = kube_masked(tree), *twice = once != NULL ? kube_masked(once) : NULL;
	HOLDS(once != NULL && twice != NULL);
	buf_init(&x, TEXT_MAX);
	buf_init(&y, TEXT_MAX);
	HOLDS(json_put_tree(&x, once) == ERR_OK && json_put_tree(&y, twice) == ERR_OK && strcmp(buf_text(&x), buf_text(&y)) == 0);
	buf_release(&x);
	buf_release(&y);
	check_masked(once, "", false, false);
	HOLDS(kube_difference(&a, tree, tree)[0] == '\0' || arena_failed(&a)); /* failed: a number that can't be written as it was */
	const char *differs = kube_difference(&a, tree, twice);
	HOLDS(differs != NULL && strlen(differs) < 4096);
	cJSON_Delete(tree);
	cJSON_Delete(once);
	cJSON_Delete(twice);
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	check_line(text);
	check_words(text);
	check_template(text);
	free(text);
	return 0;
}
