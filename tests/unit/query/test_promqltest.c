/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the conformance cases of Prometheus' own engine tests (files of their format, found by PITWALL_SHARED, not part of this project)
 * and compares every evaluation. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <sys/stat.h>

#include "base/num.h"
#include "base/stale.h"
#include "query/memory_source.h"
#include "query/query.h"

/* What the engine means to do otherwise: the file, the line's text, why. */
static const struct { const char *file, *eval, *reason; } excluded[] = {
	{ "operators_2.42.test", "eval instant at 5m trigy atan2 trigNaN", "3.x drops the metric name in atan2, as operators.test says" },
};

enum { LINE_MAX_BYTES = 64 * 1024, SERIES_MAX = 64, POINTS_MAX = 256 };

struct expectation {
	struct labels *labels;
	double         v[POINTS_MAX];
	bool           is_there[POINTS_MAX];
	size_t         n;
};

struct test_case {
	const char *file;
	int         line;
	char        text[LINE_MAX_BYTES]; /* the eval line, for messages */
	char        query[LINE_MAX_BYTES];
	bool        is_range, expects_fail, expects_warn, expects_info, expects_ordered, expects_scalar, expects_string;
	int64_t     start_ms, end_ms, step_ms;
	double      scalar;
	char        string[256];
	struct expectation *series;
	size_t      n;
};

struct runner {
	const char          *file;
	char               **lines;
	size_t               n, at;
	struct memory_source source;
	int                  passed, excluded, failed;
	bool                 is_old;
};

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static char *skip_space(char *p)
{
	while (is_space(*p))
		p++;
	return p;
}

static int64_t read_time(const char *text)
{
	int64_t ms;
	double s;
	if (parse_duration(text, strlen(text), &ms) == ERR_OK)
		return ms;
	if (parse_f64(text, -1e12, 1e12, &s) != ERR_OK)
		fail_msg("'%s' is no time", text);
	return (int64_t)llround(s * 1000);
}

/* "metric{a="b"} rest": the labels; *rest is behind them. */
static struct labels *read_labels(char *text, char **rest)
{
	char *p = text, quote = '\0';
	bool in_braces = false;
	for (; *p != '\0' && (in_braces || !is_space(*p)); p++) {
		if (quote != '\0') {
			quote = *p == '\\' ? quote : *p == quote ? '\0' : quote;
			if (*p == '\\')
				p++;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '{' || *p == '}') {
			in_braces = *p == '{';
		}
	}
	*rest = *p != '\0' ? skip_space(p + 1) : p;
	*p = '\0';
	struct label pairs[SERIES_MAX];
	char *names = strchr(text, '{');
	size_t n = 0;
	if (names != text && *text != '\0')
		pairs[n++] = (struct label){ LABEL_NAME, text, 8, (uint32_t)(names != NULL ? (size_t)(names - text) : strlen(text)) };
	for (p = names != NULL ? skip_space(names + 1) : NULL; p != NULL && *p != '}';) {
		char *equals = strchr(p, '=');
		assert_non_null(equals);
		char *value = skip_space(equals + 1), *end = strchr(value + 1, *value);
		assert_non_null(end);
		size_t name_len = (size_t)(equals - p);
		while (name_len > 0 && is_space(p[name_len - 1]))
			name_len--;
		pairs[n++] = (struct label){ p, value + 1, (uint32_t)name_len, (uint32_t)(end - value - 1) };
		p = skip_space(end + 1);
		p = *p == ',' ? skip_space(p + 1) : p;
	}
	struct labels *l = NULL;
	struct why why;
	if (labels_new(pairs, n, &l, &why) != ERR_OK)
		fail_msg("labels of '%s': %s", text, why.text);
	return l;
}

/* As strtod, to which "0x10" would be hexadecimal: here it is a 0 ten times over. */
static double read_value(char *text, char **end)
{
	char *times = strchr(text, 'x');
	if (times != NULL)
		*times = '\0';
	double v = strtod(text, end);
	if (times != NULL)
		*times = 'x';
	return v;
}

/* One word of points: a, a+bxn, a-bxn, axn, _, _xn, stale. Gives `n` values; absent ones are NaN with is_there false. */
static void read_points(char *word, void (*each)(void *ctx, bool is_there, double v), void *ctx)
{
	char *p = word;
	double v = 0, step = 0;
	long times = 0;
	bool is_there = *p != '_';
	if (!is_there)
		p++;
	else if (strcmp(word, "stale") == 0) {
		each(ctx, true, stale_mark());
		return;
	} else
		v = read_value(p, &p);
	bool has_step = is_there && (*p == '+' || *p == '-');
	if (has_step)
		step = read_value(p, &p);
	if (*p == 'x')
		times = strtol(p + 1, &p, 10);
	assert_true(*p == '\0');
	if (!is_there && times > 0)
		times--; /* "_xn" is n missing points, "axn" n + 1 of a */
	for (long i = 0; i <= times; i++) {
		each(ctx, is_there, v);
		v += step;
	}
}

struct loading {
	struct memory_source *source;
	struct labels        *labels;
	int64_t               t_ms, step_ms;
};

static void load_point(void *ctx, bool is_there, double v)
{
	struct loading *l = ctx;
	if (is_there)
		assert_int_equal(memory_source_add(l->source, l->labels, l->t_ms, v), ERR_OK);
	l->t_ms += l->step_ms;
}

static void each_word(char *text, void (*each)(void *ctx, bool is_there, double v), void *ctx)
{
	for (char *save = NULL, *word = strtok_r(text, " \t", &save); word != NULL; word = strtok_r(NULL, " \t", &save))
		read_points(word, each, ctx);
}

static bool is_indented(const struct runner *r)
{
	return r->at < r->n && is_space(r->lines[r->at][0]) && *skip_space(r->lines[r->at]) != '\0';
}

static void run_load(struct runner *r, char *step)
{
	int64_t step_ms = read_time(skip_space(step));
	while (is_indented(r)) {
		char *rest, *line = skip_space(r->lines[r->at++]);
		struct loading l = { &r->source, read_labels(line, &rest), 0, step_ms };
		each_word(rest, load_point, &l);
		labels_unref(l.labels);
	}
}

/* ---- expectations ---- */

static void expect_point(void *ctx, bool is_there, double v)
{
	struct expectation *e = ctx;
	assert_true(e->n < POINTS_MAX);
	e->is_there[e->n] = is_there;
	e->v[e->n++] = v;
}

static bool is_word(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static void read_expectation(struct test_case *c, char *line)
{
	static const char numbers[] = "+-.0123456789";
	char *rest;
	if (is_word(line, "expect ")) {
		char *what = skip_space(line + 7);
		c->expects_fail |= is_word(what, "fail");
		c->expects_warn |= is_word(what, "warn");
		c->expects_info |= is_word(what, "info");
		c->expects_ordered |= is_word(what, "ordered");
		if (is_word(what, "string ")) {
			char *quoted = skip_space(what + 7), *end = strrchr(quoted, *quoted);
			c->expects_string = true;
			snprintf(c->string, sizeof c->string, "%.*s", (int)(end - quoted - 1), quoted + 1);
		}
		return;
	}
	if (strchr(numbers, *line) != NULL || strcmp(line, "NaN") == 0 || strcmp(line, "Inf") == 0) {
		c->expects_scalar = true;
		c->scalar = read_value(line, &rest);
		return;
	}
	assert_true(c->n < SERIES_MAX);
	struct expectation *e = &c->series[c->n++];
	e->n = 0;
	e->labels = read_labels(line, &rest);
	each_word(rest, expect_point, e);
}

/* eval[_kind] instant at T QUERY, or eval range from A to B step S QUERY */
static void read_eval(struct test_case *c, char *line)
{
	char *save = NULL, *kind = strtok_r(line, " \t", &save), *shape = strtok_r(NULL, " \t", &save);
	c->expects_fail = strcmp(kind, "eval_fail") == 0;
	c->expects_warn = strcmp(kind, "eval_warn") == 0;
	c->expects_info = strcmp(kind, "eval_info") == 0;
	c->expects_ordered = strcmp(kind, "eval_ordered") == 0;
	c->is_range = strcmp(shape, "range") == 0;
	for (int i = 0; i < (c->is_range ? 3 : 1); i++) {
		strtok_r(NULL, " \t", &save); /* at; from, to, step */
		int64_t t = read_time(strtok_r(NULL, " \t", &save));
		*(i == 0 ? &c->start_ms : i == 1 ? &c->end_ms : &c->step_ms) = t;
	}
	snprintf(c->query, sizeof c->query, "%s", skip_space(save));
}

/* ---- comparison ---- */

static bool is_near(double want, double got)
{
	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (want == got)
		return true;
	return fabs(want - got) <= 1e-6 * fmax(fabs(want), fabs(got)) || fabs(want - got) < 1e-290;
}

static bool series_matches(const struct test_case *c, const struct expectation *e, const struct series *s)
{
	size_t k = 0;
	if (!labels_equal(e->labels, s->labels))
		return false;
	if (!c->is_range)
		return e->n == 1 && s->n == 1 && is_near(e->v[0], s->v[0]);
	for (size_t i = 0; i < e->n; i++) {
		if (!e->is_there[i])
			continue;
		if (k == s->n || s->t_ms[k] != c->start_ms + (int64_t)i * c->step_ms || !is_near(e->v[i], s->v[k]))
			return false;
		k++;
	}
	return k == s->n;
}

static bool result_matches(const struct test_case *c, const struct query_result *r)
{
	if (c->expects_scalar)
		return r->type == VALUE_SCALAR && is_near(c->scalar, r->scalar);
	if (c->expects_string)
		return r->type == VALUE_STRING && strcmp(c->string, r->string) == 0;
	if ((c->expects_warn && r->n_warnings == 0) || (c->expects_info && r->n_infos == 0) || r->series.n != c->n)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		bool found = c->expects_ordered && series_matches(c, &c->series[i], &r->series.items[i]);
		for (size_t k = 0; !c->expects_ordered && k < r->series.n && !found; k++)
			found = series_matches(c, &c->series[i], &r->series.items[k]);
		if (!found)
			return false;
	}
	return true;
}

static void print_result(const struct test_case *c, enum err e, const struct why *why, const struct query_result *r)
{
	print_error("%s:%d: %s\n", c->file, c->line, c->text);
	if (e != ERR_OK)
		print_error("    error: %s\n", why->text);
	for (size_t i = 0; e == ERR_OK && i < r->series.n; i++) {
		struct buf b;
		buf_init(&b, 1 << 16);
		labels_print(r->series.items[i].labels, &b);
		for (size_t k = 0; k < r->series.items[i].n; k++)
			buf_printf(&b, " %.17g@%lld", r->series.items[i].v[k], (long long)r->series.items[i].t_ms[k]);
		print_error("    got: %s\n", buf_text(&b));
		buf_release(&b);
	}
	if (e == ERR_OK && r->type == VALUE_SCALAR)
		print_error("    got: %.17g\n", r->scalar);
}

static bool is_excluded(const struct test_case *c)
{
	for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++)
		if (strcmp(excluded[i].file, c->file) == 0 && strcmp(excluded[i].eval, c->text) == 0)
			return true;
	return false;
}

static void check(struct runner *r, const struct test_case *c)
{
	struct query *q = NULL;
	struct query_result result = { 0 };
	struct why why = { "" };
	/* Up to 2.x the look-back window was closed on the left. */
	struct query_options options = { .lookback_ms = 5 * 60 * 1000 + r->is_old };
	if (is_excluded(c)) {
		r->excluded++;
		return;
	}
	enum err e = query_parse(c->query, &q, NULL, &why);
	if (e == ERR_OK && c->is_range)
		e = query_range(q, &r->source.source, c->start_ms, c->end_ms, c->step_ms, &options, &result, &why);
	else if (e == ERR_OK)
		e = query_instant(q, &r->source.source, c->start_ms, &options, &result, &why);
	if ((e != ERR_OK) == c->expects_fail && (e != ERR_OK || result_matches(c, &result))) {
		r->passed++;
	} else {
		r->failed++;
		print_result(c, e, &why, &result);
	}
	query_result_release(&result);
	query_free(q);
}

static void run_eval(struct runner *r, char *line)
{
	struct test_case *c = calloc(1, sizeof *c);
	assert_non_null(c);
	c->series = calloc(SERIES_MAX, sizeof *c->series);
	assert_non_null(c->series);
	c->file = r->file;
	c->line = (int)r->at;
	snprintf(c->text, sizeof c->text, "%s", line);
	read_eval(c, line);
	while (is_indented(r))
		read_expectation(c, skip_space(r->lines[r->at++]));
	check(r, c);
	for (size_t i = 0; i < c->n; i++)
		labels_unref(c->series[i].labels);
	free(c->series);
	free(c);
}

/* ---- files ---- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	if (f == NULL)
		fail_msg("cannot open '%s'", path);
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	char *text = malloc((size_t)size + 1);
	assert_non_null(text);
	text[fread(text, 1, (size_t)size, f)] = '\0';
	fclose(f);
	return text;
}

static void split_lines(struct runner *r, char *text)
{
	r->lines = calloc(strlen(text) + 2, sizeof *r->lines);
	assert_non_null(r->lines);
	for (char *end = text; end != NULL; text = end + 1) {
		end = strchr(text, '\n');
		if (end != NULL)
			*end = '\0';
		for (size_t n = strlen(text); n > 0 && (is_space(text[n - 1]) || text[n - 1] == '\r'); n--)
			text[n - 1] = '\0';
		if (*skip_space(text) != '#')
			r->lines[r->n++] = text;
		if (end == NULL)
			break;
	}
}

static void run_file(void **state)
{
	const char *name = *state, *shared = getenv("PITWALL_SHARED");
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/promqltest/%s", shared != NULL ? shared : "", name);
	if (shared == NULL || stat(path, &st) != 0) {
		print_message("# %s is not here: set PITWALL_SHARED to run the conformance cases\n", name);
		skip();
	}
	struct runner r = { .file = name, .is_old = strstr(name, "_2.") != NULL };
	char *text = read_file(path);
	memory_source_init(&r.source);
	split_lines(&r, text);
	while (r.at < r.n) {
		char *line = r.lines[r.at++];
		if (strcmp(line, "clear") == 0)
			memory_source_release(&r.source);
		else if (is_word(line, "load "))
			run_load(&r, line + 5);
		else if (is_word(line, "eval"))
			run_eval(&r, line);
		else if (*line != '\0')
			fail_msg("%s:%zu: what is '%s'?", name, r.at, line);
	}
	print_message("# %s: %d passed, %d excluded, %d failed\n", name, r.passed, r.excluded, r.failed);
	memory_source_release(&r.source);
	free(r.lines);
	free(text);
	assert_int_equal(r.failed, 0);
	assert_true(r.passed > 0);
}

#define FILE_TEST(name) { name, run_file, NULL, NULL, (void *)(uintptr_t)(name) }

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST("aggregators.test"), FILE_TEST("aggregators_2.42.test"), FILE_TEST("at_modifier.test"), FILE_TEST("collision.test"),
		FILE_TEST("functions.test"), FILE_TEST("literals.test"), FILE_TEST("name_label_dropping.test"), FILE_TEST("operators.test"),
		FILE_TEST("operators_2.42.test"), FILE_TEST("range_queries.test"), FILE_TEST("selectors.test"), FILE_TEST("staleness.test"),
		FILE_TEST("subquery.test"), FILE_TEST("trig_functions.test"),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
