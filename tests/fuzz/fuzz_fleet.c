/* SPDX-License-Identifier: Apache-2.0
 *
 * The fleet file and target files. Texts that name other files by pattern are left out: the machine's file system is no input of ours. */
#include "tests/fuzz/fuzz.h"

#include "config/fleet.h"
#include "config/fleet_build.h"

#include <stdlib.h>
#include <string.h>

static struct profiles *load_profiles(void)
{
	static const char *const none[] = { "/nowhere" };
	struct profiles *p = NULL;
	if (profiles_load(none, 1, NULL, &p, NULL) != ERR_OK)
		abort();
	return p;
}

static void parse_targets(const char *text, size_t n, const struct profiles *p, struct diagnostics *d)
{
	struct yaml *y;
	struct settings s = { 0 };
	if (yaml_parse(text, n, "x.yml", d, &y) != ERR_OK)
		return;
	struct fleet *f = fleet_new();
	struct build b = { .arena = &f->files->arena, .profiles = p, .d = d, .fleet = f, .folder = "." };
	target_file_parse(&b, y, "g", &s);
	free(b.origins);
	fleet_free(f);
	yaml_discard(y);
}

/* Nothing but whole targets comes out, and mistakes are always said. */
static void check_fleet(const struct fleet *f, const struct diagnostics *d)
{
	if ((f == NULL) != (d->n_errors > 0))
		abort();
	for (size_t i = 0; f != NULL && i < f->n_targets; i++) {
		const struct fleet_target *t = &f->targets[i];
		if (strncmp(t->url, "http", 4) != 0 || t->labels == NULL || t->timeout_ms > t->interval_ms || t->interval_ms <= 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profiles *p; /* made once */
	struct diagnostics d;
	struct fleet *f = NULL;
	const char *text = (const char *)data;
	if (memmem(data, size, "file_sd", 7) != NULL || memmem(data, size, "rules", 5) != NULL || memchr(data, '\\', size) != NULL)
		return 0;
	if (p == NULL)
		p = load_profiles();
	diagnostics_init(&d);
	fleet_parse(text, size, "f", p, &d, &f, NULL);
	check_fleet(f, &d);
	fleet_free(f);
	parse_targets(text, size, p, &d);
	diagnostics_release(&d);
	return 0;
}
