/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of the fleet file whose output is numbers: a page in the Prometheus text format, JSON of which values are picked by path, or lines of a key
 * and a value. Each is a part of the section with its own verdict: one that fails costs only its own samples. What a command prints is sent with
 * a '|' before every line, and the script's own last line, which tells status and standard error, stands behind it. */
#include "collectors/source_services.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/json.h"
#include "base/num.h"
#include "collectors/exposition.h"
#include "collectors/said.h"
#include "collectors/shell_quote.h"

enum { EXECS_MAX = 16, VALUES_MAX = 2000, PATH_PART = 128 };

/* run NUMBER COMMAND...: standard error is kept for the last line, status behind it. */
static const char script_run[] =
	"(\n"
	"run() {\n"
	"	echo \"== exec $1\"\n"
	"	shift\n"
	"	{\n"
	"		said=$({ bounded \"$@\" </dev/null 2>&1 >&3 3>&-; echo \"=$?\"; } | tail -c 400 | tr '\\n\\r' '  ')\n"
	"		printf '\\n== said %%s\\n' \"$said\"\n"
	"	} 3>&1 | head -c %d | sed 's/^/|/'\n"
	"	echo\n" /* where the output was cut, its last line has no end */
	"}\n";

static size_t execs_of(const struct source_settings *s)
{
	return s->n_execs < EXECS_MAX ? s->n_execs : EXECS_MAX;
}

static enum err exec_script(const struct source_settings *s, struct buf *to, struct why *why)
{
	if (s->n_execs == 0)
		return ERR_OK;
	buf_printf(to, script_run, (int)((SECTION_MAX - 65536) * 9 / 10 / execs_of(s)));
	for (size_t i = 0; i < execs_of(s); i++) {
		buf_printf(to, "run %zu ", i);
		enum err e = shell_quote(to, s->execs[i].argv, s->execs[i].n_argv, why);
		if (e != ERR_OK)
			return why_prefix(why, e, "exec '%.80s'", s->execs[i].name);
		buf_putc(to, '\n');
	}
	buf_puts(to, "exit 0\n)\n");
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "%s", err_text(to->err));
}

/* ---- values ---- */

/* "exec_NAME_KEY", both made into names. */
static void put_value(const struct source_exec *x, const char *key, double value, struct findings *out)
{
	struct buf name;
	buf_init(&name, 1024);
	buf_puts(&name, "exec_");
	findings_name(x->name, &name);
	buf_putc(&name, '_');
	findings_name(key, &name);
	if (name.err == ERR_OK)
		findings_put(out, name.data, value, NULL);
	buf_release(&name);
}

/* A number, or true and false. */
static bool read_value(struct slice text, double *out)
{
	char copy[64];
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	slice_copy(text, copy, sizeof copy);
	if (strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0) {
		*out = copy[0] == 't';
		return true;
	}
	return parse_f64(copy, -HUGE_VAL, HUGE_VAL, out) == ERR_OK;
}

/* ---- lines of a key and a value ---- */

/* The value stands behind the last ':' or '=', else behind the last blank. */
static bool split(struct slice line, struct slice *key, struct slice *value)
{
	size_t at = line.n;
	for (size_t i = line.n; i-- > 0 && at == line.n;)
		if (line.p[i] == ':' || line.p[i] == '=')
			at = i;
	for (size_t i = line.n; i-- > 0 && at == line.n;)
		if (line.p[i] == ' ' || line.p[i] == '\t')
			at = i;
	if (at == line.n)
		return false;
	*key = slice_trim((struct slice){ line.p, at });
	*value = slice_trim((struct slice){ line.p + at + 1, line.n - at - 1 });
	return key->n > 0;
}

static enum err parse_pairs(const struct source_exec *x, struct slice text, struct findings *out, struct why *why)
{
	struct slice line, key, value;
	size_t n = 0;
	while (n < VALUES_MAX && slice_line(&text, &line)) {
		char name[PATH_PART];
		double v;
		if (!split(slice_trim(line), &key, &value) || !read_value(value, &v))
			continue;
		put_value(x, slice_copy(key, name, sizeof name), v, out);
		n++;
	}
	if (n == VALUES_MAX)
		return why_set(why, ERR_LIMIT, "it printed more than %d values", VALUES_MAX);
	return n > 0 ? ERR_OK : why_set(why, ERR_FORMAT, "it printed no line of a key and a number");
}

/* ---- JSON ---- */

/* One step of a path: a name up to '.' or '[', or "[3]". NULL where the value has none of the kind. */
static const cJSON *step(const cJSON *at, struct slice *path)
{
	if (slice_skip(path, "[")) {
		int64_t i = said_number(said_until(path, ']'), -1);
		slice_skip(path, ".");
		return i >= 0 && i < INT32_MAX && cJSON_IsArray(at) ? cJSON_GetArrayItem(at, (int)i) : NULL;
	}
	size_t n = 0;
	while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
		n++;
	char name[PATH_PART];
	if (n >= sizeof name)
		return NULL;
	slice_copy((struct slice){ path->p, n }, name, sizeof name);
	*path = (struct slice){ path->p + n, path->n - n };
	if (slice_skip(path, ".") && path->n == 0)
		return NULL; /* "a." */
	return cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, name) : NULL;
}

static bool json_value(const cJSON *tree, struct slice path, double *out)
{
	const cJSON *at = tree;
	while (at != NULL && path.n > 0)
		at = step(at, &path);
	if (at == NULL)
		return false;
	if (cJSON_IsBool(at)) {
		*out = cJSON_IsTrue(at) != 0;
		return true;
	}
	if (cJSON_IsNumber(at)) {
		*out = at->valuedouble;
		return isfinite(*out);
	}
	return cJSON_IsString(at) && read_value(slice_of(at->valuestring), out);
}

static enum err parse_json(const struct source_exec *x, struct slice text, struct findings *out, struct why *why)
{
	static const struct json_limits limits = { .bytes = SECTION_MAX, .depth = 32, .values = 50000 };
	cJSON *tree = NULL;
	enum err e = json_parse(text.p, text.n, &limits, &tree, why);
	if (e != ERR_OK)
		return why_prefix(why, e, "it printed no JSON");
	for (size_t i = 0; i < x->n_paths; i++) {
		struct slice path = slice_of(x->paths[i]);
		char name[PATH_PART];
		double v;
		slice_copy(said_until(&path, '='), name, sizeof name);
		if (json_value(tree, path, &v))
			put_value(x, name, v, out);
		else if (e == ERR_OK)
			e = why_set(why, ERR_FORMAT, "there is no number at '%.100s'", x->paths[i] + strlen(name));
	}
	cJSON_Delete(tree);
	return e;
}

/* ---- a page ---- */

static bool is_plain_metric(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || *p == ':' || (p > name && *p >= '0' && *p <= '9')))
			return false;
	return name[0] != '\0';
}

/* Written anew, so that neither its HELP and TYPE lines nor its time stamps get into the page of the machine. */
static void put_series(const struct labels *series, double value, struct findings *out)
{
	const char *pairs[2 * EXPOSITION_LABELS_MAX + 3];
	size_t n = 0;
	struct buf metric;
	buf_init(&metric, 2 * EXPOSITION_NAME_MAX);
	for (size_t i = 0; i < labels_count(series) && n + 2 < sizeof pairs / sizeof pairs[0]; i++) {
		const struct label *l = labels_at(series, i);
		if (strcmp(l->name, LABEL_NAME) == 0 || !is_plain_metric(l->name) || strchr(l->name, ':') != NULL)
			continue; /* a label of a name that the text format has no room for */
		pairs[n++] = l->name;
		pairs[n++] = l->value;
	}
	pairs[n] = NULL;
	const char *name = labels_metric(series);
	if (is_plain_metric(name))
		buf_puts(&metric, name);
	else
		findings_name(name, &metric);
	if (metric.err == ERR_OK && metric.len > 0)
		findings_put(out, metric.data, value, pairs);
	buf_release(&metric);
}

static enum err parse_page(struct slice text, struct findings *out, struct why *why)
{
	struct exposition_pool *pool = NULL;
	struct exposition      *e = NULL;
	struct scrape s;
	enum err err = ERR_MEMORY;
	if (exposition_pool_new(&pool) != ERR_OK || exposition_new(pool, &e) != ERR_OK) {
		why_memory(why);
		goto out;
	}
	err = exposition_parse_strict(e, text.p, text.n, exposition_format_of(NULL, text.p, text.n), &s, why);
	if (err != ERR_OK)
		goto out;
	for (size_t i = 0; i < s.n; i++)
		put_series(exposition_layout_series(s.layout)[i], s.values[i], out);
	if (s.n == 0)
		err = why_set(why, ERR_FORMAT, "it printed no sample");
out:
	exposition_free(e);
	exposition_pool_free(pool);
	return err;
}

/* ---- the answer ---- */

/* One command's part of the section. */
struct part {
	const struct source_exec *exec;
	struct buf  text;    /* what it printed, and behind it the script's last line */
	size_t      last_at; /* where its last line begins */
	bool        is_late; /* the section was ended by the clock */
};

/* "== said STDERR=STATUS" in the last line; false where the output was cut. */
static bool read_end(struct part *p, int64_t *status, struct slice *error)
{
	if (p->text.err != ERR_OK || p->text.len == 0)
		return false;
	struct slice last = { p->text.data + p->last_at, p->text.len - p->last_at - 1 };
	if (!slice_skip(&last, "== said "))
		return false;
	last = slice_trim(last);
	const char *at = last.n > 0 ? memrchr(last.p, '=', last.n) : NULL;
	if (at == NULL)
		return false;
	*error = slice_trim((struct slice){ last.p, (size_t)(at - last.p) });
	*status = said_number((struct slice){ at + 1, last.n - (size_t)(at - last.p) - 1 }, -1);
	p->text.len = p->last_at;
	p->text.data[p->text.len] = '\0';
	return *status >= 0 && *status < 256;
}

static enum err parse_output(const struct part *p, struct findings *out, struct why *why)
{
	struct slice text = { buf_text(&p->text), p->text.len };
	const char *format = p->exec->format != NULL ? p->exec->format : "pairs";
	if (strcmp(format, "prometheus") == 0)
		return parse_page(text, out, why);
	if (strcmp(format, "json") == 0)
		return parse_json(p->exec, text, out, why);
	if (strcmp(format, "pairs") == 0)
		return parse_pairs(p->exec, text, out, why);
	return why_set(why, ERR_UNSUPPORTED, "its format '%.40s' is not known", format);
}

static enum err judge(struct part *p, struct findings *out, struct why *why)
{
	int64_t status = 0;
	struct slice error = { 0 };
	bool has_end = read_end(p, &status, &error);
	if (!has_end && !p->is_late)
		return why_set(why, ERR_FORMAT, "it printed more than is read");
	if (!has_end || status == 124)
		return why_set(why, ERR_FORMAT, "it did not end in time");
	if (status == 126 || status == 127)
		return why_set(why, ERR_FORMAT, "it cannot be run: %s", error.n > 0 ? SAFE(error) : status == 127 ? "not found" : "not executable");
	/* Exit status 1 may be a finding of the command's, as those of plugins for Nagios are: what it printed counts. */
	enum err e = parse_output(p, out, why);
	if (e == ERR_OK && status != 0)
		return why_set(why, ERR_FORMAT, "it ended with status %d%s%s", (int)status, error.n > 0 ? ": " : "", error.n > 0 ? SAFE(error) : "");
	if (e != ERR_OK && error.n > 0) {
		struct why said = *why;
		return why_set(why, e, "%.200s; it said '%s'", said.text, SAFE(error));
	}
	return e;
}

/* Ends the part that is under way. The first failure becomes the section's. */
static void finish(struct part *p, struct findings *out, enum err *first, struct why *why)
{
	struct why said = { "" };
	if (p->exec == NULL)
		return;
	enum err e = judge(p, out, &said);
	findings_put(out, "pitwall_exec_success", e == ERR_OK, (const char *[]){ "exec", p->exec->name, NULL });
	if (e != ERR_OK && *first == ERR_OK)
		*first = why_set(why, ERR_FORMAT, "exec '%.80s': %.400s", p->exec->name, said.text);
	buf_clear(&p->text);
	p->exec = NULL;
	p->last_at = 0;
}

static enum err exec_parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct slice rest = said_of(in), line;
	enum err first = ERR_OK;
	struct part p = { .is_late = in->status == 124 };
	uint32_t seen = 0; /* a bit an exec */
	(void)memory;
	if (s->n_execs == 0)
		return ERR_NOT_FOUND;
	buf_init(&p.text, SECTION_MAX);
	while (slice_line(&rest, &line)) {
		if (slice_skip(&line, "== exec ")) {
			finish(&p, out, &first, why);
			int64_t i = said_number(line, -1);
			if (i >= 0 && (size_t)i < execs_of(s) && (seen >> i & 1) == 0) {
				seen |= UINT32_C(1) << i;
				p.exec = &s->execs[i];
			}
		} else if (p.exec != NULL && slice_skip(&line, "|")) {
			p.last_at = p.text.len;
			buf_put(&p.text, line.p, line.n);
			buf_putc(&p.text, '\n');
		}
	}
	finish(&p, out, &first, why);
	buf_release(&p.text);
	for (size_t i = 0; i < execs_of(s); i++)
		if ((seen >> i & 1) == 0 && first == ERR_OK)
			first = why_set(why, ERR_FORMAT, "exec '%.80s' was not run: %s", s->execs[i].name,
			                in->status == 124 ? "those before it took too long" : SAFE(said_of(in)));
	if (first == ERR_OK && s->n_execs > EXECS_MAX)
		first = why_set(why, ERR_LIMIT, "only the first %d of %zu execs are run", EXECS_MAX, s->n_execs);
	return first;
}

const struct source exec_source = {
	.name = "exec",
	.summary = "commands of the fleet file that print numbers",
	.write_script = exec_script,
	.parse = exec_parse,
};
