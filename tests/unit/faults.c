/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <limits.h>

#include "tests/unit/faults.h"

enum { ROUNDS_MAX = 20000 };

static const char no_faults[] = "with memory enough";

static struct {
	const char *label;
	int  left;     /* allocations until one fails; negative: none will */
	bool is_lasting; /* and all behind it */
	int  failed;   /* how many did */
	int  paused;
	int  unused; /* what `left` was at the end of a run */
} faults = { .label = no_faults, .left = -1 };

/* The linker puts these in the place of the C library's (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

static bool hit(void)
{
	if (faults.left < 0 || faults.paused > 0)
		return false;
	if (faults.left > 0) {
		faults.left--;
		return false;
	}
	if (!faults.is_lasting)
		faults.left = -1;
	faults.failed++;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size) { return hit() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t n, size_t size) { return hit() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *old, size_t size) { return hit() ? NULL : __real_realloc(old, size); }
char *__wrap_strdup(const char *text) { return hit() ? NULL : __real_strdup(text); }
char *__wrap_strndup(const char *text, size_t n) { return hit() ? NULL : __real_strndup(text, n); }

bool fault_end(void)
{
	if (faults.left >= 0)
		faults.unused = faults.left;
	faults.left = -1;
	return faults.failed > 0;
}

void fault_pause(void) { faults.paused++; }
void fault_resume(void) { faults.paused--; }

const char *fault_label(void) { return faults.label; }

void fault_same(const char *got, const char *want)
{
	size_t at = 0, line = 0;
	for (; got[at] == want[at] && got[at] != '\0'; at++)
		if (got[at] == '\n')
			line = at + 1;
	if (got[at] != want[at])
		fail_msg("%s: there is '%.*s' and should be '%.*s'", faults.label, (int)strcspn(got + line, "\n"), got + line,
		         (int)strcspn(want + line, "\n"), want + line);
}

static bool run_once(int n, bool is_lasting, enum err want, fault_run run, void *ctx)
{
	struct why why = { "" };
	faults.is_lasting = is_lasting;
	faults.failed = faults.paused = 0;
	faults.left = n;
	enum err e = run(ctx, &why);
	bool was_hit = fault_end();
	if (e != ERR_OK && e != ERR_MEMORY && why.text[0] == '\0')
		fail_msg("%s: %s, without a sentence", faults.label, err_text(e));
	if (e != want && !was_hit)
		fail_msg("%s: %s with memory enough: %s", faults.label, err_text(e), why.text);
	return was_hit;
}

static bool run_labelled(const char *label, int n, bool is_lasting, enum err want, fault_run run, void *ctx)
{
	char text[256];
	snprintf(text, sizeof text, "%s: allocation %d%s fails", label, n + 1, is_lasting ? " and all after it" : "");
	faults.label = text;
	bool was_hit = run_once(n, is_lasting, want, run, ctx);
	faults.label = no_faults;
	return was_hit;
}

void fault_loop(const char *label, enum err want, fault_run run, void *ctx)
{
	for (int is_lasting = 0; is_lasting <= 1; is_lasting++) {
		int n = 0;
		while (n < ROUNDS_MAX && run_labelled(label, n, is_lasting != 0, want, run, ctx))
			n++;
		assert_in_range(n, 1, ROUNDS_MAX - 1); /* something was allocated, and the loop came to its end */
	}
}

void fault_loop_some(const char *label, enum err want, fault_run run, void *ctx, int rounds)
{
	assert_false(run_labelled(label, INT_MAX - 1, false, want, run, ctx));
	int total = INT_MAX - 1 - faults.unused;
	assert_true(total > rounds);
	for (int i = 0; i <= 2 * rounds; i++)
		assert_true(run_labelled(label, (int)((int64_t)(total - 1) * i / (2 * rounds)), i % 2 != 0, want, run, ctx));
}
