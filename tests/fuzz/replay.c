/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands where libFuzzer's main would: gives every file of the target's corpus to LLVMFuzzerTestOneInput and says so in TAP. Without
 * arguments the corpus of fuzz_NAME is $PITWALL_SRCDIR/tests/fuzz/corpus/NAME; else the arguments are files (a crash to look at). */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdbool.h>

enum { INPUT_MAX = 16 << 20 };

static bool replay_file(const char *path)
{
	printf("# %s\n", path); /* the last of these lines tells which input a crash is from */
	fflush(stdout);
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(INPUT_MAX);
	if (file == NULL || bytes == NULL) {
		free(bytes);
		if (file != NULL)
			fclose(file);
		return false;
	}
	size_t n = fread(bytes, 1, INPUT_MAX, file);
	fclose(file);
	uint8_t *exact = malloc(n > 0 ? n : 1); /* reading past the end is seen */
	if (exact != NULL && n > 0)
		memcpy(exact, bytes, n);
	free(bytes);
	if (exact != NULL)
		LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return exact != NULL;
}

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), done = 0;
	bool is_good = true;
	for (int i = 0; i < n; i++) {
		char path[4096];
		int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof path) {
			is_good = replay_file(path) && is_good;
			done++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return is_good ? done : 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	const char *srcdir = getenv("PITWALL_SRCDIR");
	int done = 0;
	puts("1..1");
	for (int i = 1; i < argc; i++)
		done += replay_file(argv[i]);
	if (argc == 1 && strncmp(name, "fuzz_", 5) == 0) {
		char folder[2048];
		snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".", name + 5);
		done = replay_folder(folder);
	}
	printf("%s 1 - %s: %d inputs\n", done > 0 ? "ok" : "not ok", name, done);
	return done > 0 ? 0 : 1;
}
