/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers command and http: a version stays in its word, its URL segment, its JSON string; and both do what they say, against commands and a server of the
 * test's. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <unistd.h>

#include "base/json.h"
#include "deploy/commands.h"
#include "deploy/http_template.h"
#include "tests/unit/deploy/driver_bench.h"
#include "tests/unit/deploy/small_server.h"

static struct driver_bench bench;
static struct hands_bench hands;

/* Versions, names and labels as nobody should choose them. */
static const char *const awkward[] = {
	"v1", "a b", "$(reboot)", "`id`", "'; rm -rf / #", "\"", "\\", "a/b", "../..", ".", "..", "%2e%2e", "a?b=c&d#e", "{node}", "{{", "a\tb",
	"\xc3\xa4\xe2\x98\xba", "*", "~", "!x", "&&", "|x", ">x", "-rf", "--version=1", "=", "x=y", "\x7f", "a\nb", "\x1b[31m", "",
};

static void begin(const char *driver, const char *options)
{
	driver_bench_init(&bench, driver_find(driver), options);
	if (bench.err != ERR_OK)
		fail_msg("%s", bench.why.text);
}

/* ---- options ---- */

static void test_options(void **state)
{
	static const struct {
		const char *label, *driver, *options, *says;
	} rows[] = {
		{ "no apply", "command", "current: [ x ]\n", "" },
		{ "an unknown name", "command", "apply: [ [ x, '{tag}' ] ]\n", "'apply': '{tag}' has '{tag'" },
		{ "a version that is the command", "command", "apply: [ [ '-x' ] ]\n", "no name of a command" },
		{ "a version in what tells it", "command", "apply: [ [ x ] ]\ncurrent: [ x, '{version}' ]\n", "'current'" },
		{ "no URL", "http", "apply: { method: POST }\n", "'url' must begin with" },
		{ "another scheme", "http", "apply: { url: 'file:///etc/passwd' }\n", "'url' must begin with" },
		{ "another method", "http", "apply: { method: TRACE, url: 'http://x/' }\n", "is no method" },
		{ "a header of two lines", "http", "apply: { url: 'http://x/', headers: { \"A\\nB\": c } }\n", "'headers' must be" },
		{ "a status that is none", "http", "apply: { url: 'http://x/', status: [ 2000 ] }\n", "'status' must be" },
		{ "a key that is none", "http", "apply: { url: 'http://x/', boddy: x }\n", "has no 'boddy'" },
		{ "no version", "http", "apply: { url: 'http://x/' }\ncurrent: { url: 'http://x/' }\n", "where the version stands" },
		{ "no list", "http", "apply: { url: 'http://x/' }\nlist: { url: 'http://x/' }\n", "where the versions stand" },
		{ "a token in plain text", "command", "apply: [ [ x, --token, hunter2 ] ]\n", "word 3 of 'x' is a secret in plain text" },
		{ "a key in plain text", "command", "apply: [ [ x, --api-key=hunter2 ] ]\n", "a secret in plain text" },
		{ "a variable in a script", "command", "apply: [ [ sh, -c, 'export DB_PASSWORD=hunter2; deploy' ] ]\n", "a secret in plain text" },
		{ "a header in a script", "command", "apply: [ [ sh, -c, 'curl -H \"Authorization: Bearer hunter2\" x' ] ]\n", "a secret in plain text" },
		{ "a login in a URL", "command", "apply: [ [ x ] ]\ncheck_ready: [ [ curl, 'https://u:hunter2@x/' ] ]\n", "'check_ready': word 2" },
		{ "a login in what tells it", "command", "apply: [ [ x ] ]\ncurrent: [ x, --password, hunter2 ]\n", "'current'" },
		{ "a header in plain text", "http", "apply: { url: 'http://x/', headers: { X-Api-Key: hunter2 } }\n", "'apply': the header 'X-Api-Key' is a secret" },
		{ "a login in a request's URL", "http", "apply: { url: 'http://u:hunter2@x/' }\n", "a URL holds a secret" },
		{ "a signature in a URL", "http", "apply: { url: 'http://x/?a=b&token=hunter2' }\n", "a URL holds a secret" },
		{ "a password in a body", "http", "apply: { url: 'http://x/', body: '{{\"a\":[{{\"password\":\"hunter2\"}]}' }\n", "a body holds a secret" },
		{ "a secret header with its value", "http", "apply: { url: 'http://x/' }\nsecret_headers: { X-Api-Key: hunter2 }\n", "say where it is" },
		{ "a secret header of nowhere", "http", "apply: { url: 'http://x/' }\nsecret_headers: { X-Api-Key: { place: x } }\n", "'place' is none of" },
		{ "a secret header of a file beside", "http", "apply: { url: 'http://x/' }\nsecret_headers: { X-Api-Key: { file: x } }\n", "an absolute path" },
		{ "no name of a header", "http", "apply: { url: 'http://x/' }\nsecret_headers: { 'X: Y': { env: A } }\n", "no name of a header" },
		{ "a command without words", "http", "apply: { url: 'http://x/' }\nsecret_headers: { X: { command: [ ] } }\n", "'command' must be a list" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find(rows[i].driver), rows[i].options);
		assert_null(strstr(bench.why.text, "hunter2"));
		if (bench.err != ERR_FORMAT || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: %s '%s'", rows[i].label, err_text(bench.err), bench.why.text);
		driver_bench_release(&bench);
	}
}

/* ---- values in their places ---- */

static void test_a_version_stays_in_its_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof awkward / sizeof awkward[0]; i++) {
		const char *v = awkward[i];
		begin("command", "apply: [ [ deploy, --to, 'tag:{version}', '{version}' ] ]\ncurrent: [ x ]\n");
		const struct answer was = answered(0, "v0\n");
		assert_int_equal(driver_bench_look_all(&bench, &was, 1), LOOK_DONE);
		enum err e = driver_bench_plan(&bench, DEPLOY_REDEPLOY, v);
		if (v[0] == '-' || v[0] == '\0') {
			assert_row(v, e == ERR_UNSUPPORTED);
		} else {
			assert_row(v, e == ERR_OK);
			const struct ask *a = &bench.forward.items[0].ask;
			assert_row(v, a->n_argv == 4 && strcmp(a->argv[0], "deploy") == 0 && strcmp(a->argv[1], "--to") == 0);
			assert_row(v, strncmp(a->argv[2], "tag:", 4) == 0 && strcmp(a->argv[2] + 4, v) == 0 && strcmp(a->argv[3], v) == 0);
		}
		driver_bench_release(&bench);
	}
}

static void test_a_version_stays_in_its_segment_and_its_string(void **state)
{
	static const char options[] = "apply: { method: POST, url: '{url}/models/{version}/load', headers: { X-To: '{version}' }, body: '{\"to\": \"{version}\"}' }\n"
	                              "current: { url: '{url}/current', version: version }\n";
	(void)state;
	for (size_t i = 0; i < sizeof awkward / sizeof awkward[0]; i++) {
		const char *v = awkward[i];
		bool has_control = false, is_text = v[0] != '\0';
		for (const char *c = v; *c != '\0'; c++)
			has_control = has_control || (unsigned char)*c < 0x20 || *c == 0x7f;
		char with_brace[2 * sizeof options];
		snprintf(with_brace, sizeof with_brace, "%s", options);
		char *body = strstr(with_brace, "'{\"to\"");
		memmove(body + 2, body + 1, strlen(body + 1) + 1); /* a brace itself is written twice */
		body[1] = '{';
		begin("http", with_brace);
		bench.unit.url = "http://h:1";
		const struct answer was = answered(200, "{\"version\":\"v0\"}");
		assert_int_equal(driver_bench_look_all(&bench, &was, 1), LOOK_DONE);
		enum err e = driver_bench_plan(&bench, DEPLOY_REDEPLOY, v);
		assert_row(v, (e == ERR_OK) == (is_text && !has_control));
		if (e == ERR_OK) {
			const struct ask *a = &bench.forward.items[0].ask;
			const char *want = ask_url(&bench.arena, "http://h:1", "models", v, "load", NULL), *said;
			struct cJSON *o = NULL;
			assert_string_equal(a->url, want);
			assert_int_equal(json_parse(a->body, strlen(a->body), NULL, &o, &bench.why), ERR_OK);
			assert_int_equal(cJSON_GetArraySize(o), 1);
			assert_int_equal(json_get_string(o, "to", 4096, &said, &bench.why), ERR_OK);
			assert_string_equal(said, v);
			assert_string_equal(a->headers[0].value, v);
			cJSON_Delete(o);
		}
		driver_bench_release(&bench);
	}
}

/* ---- command ---- */

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/pitwall-command-XXXXXX");
	assert_non_null(mkdtemp(folder));
	hands_bench_init(&hands, NULL);
	return 0;
}

static int tear_down(void **state)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };
	char said[64];
	(void)state;
	hands_bench_release(&hands);
	sshd_run(argv, said, sizeof said);
	return 0;
}

/* A site whose version is what stands in a file. */
static void begin_site(const char *more)
{
	char options[2048];
	snprintf(options, sizeof options,
	         "current: [ cat, %s/version ]\nlist: [ printf, 'v3\\tthe newest\\nv2\\n\\nv1\\tof old\\nv2\\n' ]\n"
	         "apply: [ [ sh, -c, 'echo \"$1\" >\"$2/version\"; echo \"$1 after $3\"', sh, '{version}', %s, '{previous}' ] ]\n%s",
	         folder, folder, more);
	begin("command", options);
	char path[128];
	snprintf(path, sizeof path, "%s/version", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("v2\n", f);
	fclose(f);
	if (driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
}

static void test_commands_there_and_back(void **state)
{
	struct verdict v;
	char ready[256];
	(void)state;
	snprintf(ready, sizeof ready, "check_ready: [ [ test, -s, '%s/version' ] ]\n", folder);
	begin_site(ready);
	assert_int_equal(bench.look.found.n_versions, 3);
	assert_string_equal(bench.look.found.versions[0].cause, "the newest");
	assert_string_equal(found_running(&bench.look.found)->id, "v2");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "v1"), ERR_OK);
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
	assert_string_equal(v.text, "v1 after v2");
	assert_true(driver_bench_take_all(&bench, &hands, &bench.forward, &v));
	assert_int_equal(driver_bench_look_live(&bench, &hands), LOOK_DONE);
	assert_string_equal(found_running(&bench.look.found)->id, "v1");
	assert_true(driver_bench_take_all(&bench, &hands, &bench.back, &v));
	assert_int_equal(driver_bench_look_live(&bench, &hands), LOOK_DONE);
	assert_string_equal(found_running(&bench.look.found)->id, "v2");
	driver_bench_release(&bench);
}

static void test_whether_a_command_ran_is_asked(void **state)
{
	static const struct {
		const char       *label, *said;
		int               status;
		enum verdict_kind kind;
	} rows[] = {
		{ "it did", "v1\n", 0, VERDICT_DONE }, { "it did not", "v2\n", 0, VERDICT_AGAIN }, { "that can't be told", "", 0, VERDICT_FAILED }, { "nor so", "v1\n", 1, VERDICT_FAILED },
	};
	(void)state;
	begin_site("");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_ROLLBACK, "v1"), ERR_OK);
	const struct step *s = &bench.forward.items[0];
	assert_false(s->is_repeatable);
	assert_int_equal(s->probe.kind, ASK_RUN);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, s, &a, true, 0, &at, &v);
		assert_row(rows[i].label, v.kind == rows[i].kind);
	}
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v2"), ERR_OK);
	assert_int_equal(bench.forward.items[0].probe.kind, ASK_NONE); /* the same version proves nothing */
	driver_bench_release(&bench);
}

static void test_a_command_that_fails(void **state)
{
	struct verdict v;
	(void)state;
	begin("command", "apply: [ [ sh, -c, 'echo \"no such image\"; exit 3' ] ]\ncheck_ready: [ [ 'false' ] ]\n");
	assert_int_equal(driver_bench_look_live(&bench, &hands), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v1"), ERR_OK);
	assert_true(driver_bench_warns(&bench, WARNING_SERIOUS, "no way back"));
	driver_bench_take(&bench, &hands, &bench.forward.items[0], &v);
	assert_int_equal(v.kind, VERDICT_FAILED);
	assert_string_equal(v.text, "it ended with status 3: no such image");
	const struct answer no = answered(1, "");
	int at = 0;
	driver_bench_judge(&bench, &bench.forward.items[1], &no, false, 0, &at, &v);
	assert_int_equal(v.kind, VERDICT_AGAIN);
	driver_bench_release(&bench);
}

/* Nothing is said of a status where nothing answered. */
static void test_what_cannot_be_looked_at(void **state)
{
	static const struct {
		const char *label, *driver, *options, *says;
		enum err    err;
		int         status;
	} rows[] = {
		{ "a command that could not be run", "command", "apply: [ [ 'true' ] ]\ncurrent: [ version ]\n", "'current' on 'here' fails: nobody is there", ERR_NETWORK, 0 },
		{ "one that fails", "command", "apply: [ [ 'true' ] ]\ncurrent: [ version ]\n", "'current' on 'here' fails (status 3): it says so", ERR_OK, 3 },
		{ "a server that is not there", "http", "apply: { url: 'http://h/a', method: POST }\ncurrent: { url: 'http://h/v', version: v }\n",
		  "'current' on 'here' fails: nobody is there", ERR_NETWORK, 0 },
		{ "one that refuses", "http", "apply: { url: 'http://h/a', method: POST }\ncurrent: { url: 'http://h/v', version: v }\n",
		  "'current' on 'here' fails (status 503): it says so", ERR_OK, 503 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a = answered(rows[i].status, rows[i].err == ERR_OK ? "it says so" : "");
		a.err = rows[i].err;
		a.why = "nobody is there";
		begin(rows[i].driver, rows[i].options);
		assert_row(rows[i].label, driver_bench_look_all(&bench, &a, 1) == LOOK_FAILED);
		if (strcmp(bench.why.text, rows[i].says) != 0)
			fail_msg("%s: '%s'", rows[i].label, bench.why.text);
		driver_bench_release(&bench);
	}
}

/* ---- http ---- */

struct site {
	pthread_mutex_t lock;
	char            version[64];
	int             busy; /* so many more requests are told to come again */
	const char     *wants; /* a line of the head that each request must have; NULL: none */
};

static void serve(void *ctx, const struct small_request *r, char *to, size_t size)
{
	struct site *s = ctx;
	char text[256];
	pthread_mutex_lock(&s->lock);
	if (s->wants != NULL && strstr(r->head, s->wants) == NULL) {
		small_answer(to, size, "401 Unauthorized", "", "who is it?");
	} else if (strcmp(r->path, "/current") == 0) {
		snprintf(text, sizeof text, "{\"model\":{\"version\":\"%s\"},\"state\":\"ready\"}", s->version);
		small_answer(to, size, "200 OK", "", text);
	} else if (strcmp(r->path, "/list") == 0) {
		small_answer(to, size, "200 OK", "", "{\"items\":[{\"name\":\"v3\"},{\"name\":\"v2\"},{\"nome\":1},{\"name\":7},null]}");
	} else if (strncmp(r->path, "/load/", 6) == 0 && strcmp(r->method, "POST") == 0 && s->busy > 0) {
		s->busy--;
		small_answer(to, size, "503 Service Unavailable", "Retry-After: 1\r\n", "busy");
	} else if (strncmp(r->path, "/load/", 6) == 0 && strcmp(r->method, "POST") == 0) {
		snprintf(s->version, sizeof s->version, "%.60s", r->path + 6);
		small_answer(to, size, "202 Accepted", "", "{\"state\":\"loading\"}");
	} else {
		small_answer(to, size, "404 Not Found", "", "no such path");
	}
	pthread_mutex_unlock(&s->lock);
}

static const char site_options[] = "current: { url: '{url}/current', version: model.version }\n"
                                   "list: { url: '{url}/list', versions: items, id: name }\n"
                                   "apply: { method: POST, url: '{url}/load/{version}', status: [ 202 ], check: { state: loading } }\n"
                                   "check_ready: { url: '{url}/current', check: { model.version: '{version}', state: ready } }\n";

static void test_requests_there_and_back(void **state)
{
	struct site site = { .lock = PTHREAD_MUTEX_INITIALIZER, .version = "v2", .busy = 2 };
	struct small_server *server = small_server_start(NULL, serve, &site);
	char url[64];
	struct verdict v;
	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", small_server_port(server));
	begin("http", site_options);
	bench.unit.url = url;
	if (driver_bench_look_live(&bench, &hands) != LOOK_DONE)
		fail_msg("%s", bench.why.text);
	assert_int_equal(bench.look.found.n_versions, 3);
	assert_string_equal(bench.look.found.versions[2].id, "7");
	assert_string_equal(found_running(&bench.look.found)->id, "v2");
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v3"), ERR_OK);
	assert_false(bench.forward.items[0].is_repeatable);
	assert_int_equal(bench.forward.items[0].probe.kind, ASK_HTTP);
	if (!driver_bench_take_all(&bench, &hands, &bench.forward, &v))
		fail_msg("%s", v.text);
	assert_string_equal(site.version, "v3");
	if (!driver_bench_take_all(&bench, &hands, &bench.back, &v))
		fail_msg("%s", v.text);
	assert_string_equal(site.version, "v2");
	driver_bench_release(&bench);
	small_server_stop(server);
}

/* Looked up when a request is sent, from here or from the machine; in no ask. */
static void test_secret_headers(void **state)
{
	struct site site = { .lock = PTHREAD_MUTEX_INITIALIZER, .version = "v2", .wants = "X-Api-Key: hunter2\r\n" };
	struct small_server *server = small_server_start(NULL, serve, &site);
	char url[64];
	(void)state;
	snprintf(url, sizeof url, "http://127.0.0.1:%d", small_server_port(server));
	for (int is_on_machine = 0; is_on_machine < 2; is_on_machine++) {
		struct verdict v;
		assert_int_equal(setenv("PITWALL_TEST_KEY", "hunter2", 1), 0);
		begin("http", is_on_machine ? "apply: { method: POST, on_machine: true, url: '{url}/load/{version}' }\nsecret_headers: { X-Api-Key: { env: PITWALL_TEST_KEY } }\n"
		                            : "apply: { method: POST, url: '{url}/load/{version}' }\nsecret_headers: { X-Api-Key: { command: [ printenv, PITWALL_TEST_KEY ] } }\n");
		bench.unit.url = url;
		hands.settings = &bench.settings;
		assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v3"), ERR_OK);
		const struct step *s = &bench.forward.items[0];
		for (size_t i = 0; i < s->ask.n_headers; i++)
			assert_string_not_equal(s->ask.headers[i].name, "X-Api-Key");
		driver_bench_take(&bench, &hands, s, &v);
		if (v.kind != VERDICT_DONE)
			fail_msg("%s", v.text);
		assert_string_equal(site.version, "v3");
		unsetenv("PITWALL_TEST_KEY");
		driver_bench_take(&bench, &hands, s, &v);
		assert_int_equal(v.kind, VERDICT_FAILED);
		assert_non_null(strstr(v.text, "no credentials: 'X-Api-Key'"));
		hands.settings = NULL;
		driver_bench_release(&bench);
	}
	small_server_stop(server);
}

static void test_what_is_answered_is_looked_at(void **state)
{
	static const struct {
		const char       *label;
		size_t            step;
		int               status;
		const char       *said;
		bool              is_probe;
		enum verdict_kind kind;
		const char       *says;
	} rows[] = {
		{ "as it should be", 0, 202, "{\"state\":\"loading\"}", false, VERDICT_DONE, "answered 202" },
		{ "another status", 0, 200, "{\"state\":\"loading\"}", false, VERDICT_FAILED, "answered 200" },
		{ "another value", 0, 202, "{\"state\":\"\x1b[31mno\"}", false, VERDICT_FAILED, "no JSON" },
		{ "a value that is not there", 0, 202, "{}", false, VERDICT_FAILED, "'state' is not there" },
		{ "a list", 0, 202, "{\"state\":[1]}", false, VERDICT_FAILED, "'state' is not there" },
		{ "too many requests", 0, 429, "", false, VERDICT_AGAIN, "answered 429" },
		{ "an error", 0, 500, "out of memory\nmore", false, VERDICT_FAILED, "answered 500: out of memory" },
		{ "not ready", 1, 200, "{\"model\":{\"version\":\"v2\"},\"state\":\"ready\"}", false, VERDICT_AGAIN, "'model.version' is v2" },
		{ "down while it loads", 1, 502, "", false, VERDICT_AGAIN, "answered 502" },
		{ "it had happened", 0, 200, "{\"model\":{\"version\":\"v3\"}}", true, VERDICT_DONE, "it runs v3" },
		{ "it had not", 0, 200, "{\"model\":{\"version\":\"v2\"}}", true, VERDICT_AGAIN, "it runs v2" },
		{ "that can't be told", 0, 200, "{}", true, VERDICT_FAILED, "does not tell" },
		{ "nor so", 0, 500, "{\"model\":{\"version\":\"v3\"}}", true, VERDICT_FAILED, "does not tell" },
	};
	const struct answer answers[] = { answered(200, "{\"model\":{\"version\":\"v2\"}}"), answered(200, "{\"items\":[]}") };
	(void)state;
	begin("http", site_options);
	bench.unit.url = "http://h:1";
	assert_int_equal(driver_bench_look_all(&bench, answers, 2), LOOK_DONE);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, "v3"), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer a = answered(rows[i].status, rows[i].said);
		struct verdict v;
		int at = 0;
		driver_bench_judge(&bench, &bench.forward.items[rows[i].step], &a, rows[i].is_probe, 0, &at, &v);
		if (v.kind != rows[i].kind || strstr(v.text, rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, v.kind, v.text);
	}
	driver_bench_release(&bench);
}

static void test_json_paths(void **state)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{ "a.b", "1" }, { "c.0", "x" }, { "c.1.d", "true" }, { "c.2", NULL }, { "c.x", NULL }, { "a.b.c", NULL }, { "", NULL }, { ".a", NULL }, { "a..b", NULL }, { "n", NULL }, { "c.-1", NULL },
	};
	struct cJSON *o = NULL;
	struct why why;
	(void)state;
	const char *text = "{\"a\":{\"b\":1},\"c\":[\"x\",{\"d\":true}],\"n\":null}";
	assert_ok(json_parse(text, strlen(text), NULL, &o, &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char said[64];
		bool is_there = http_json_text(http_json_at(o, rows[i].path), said, sizeof said);
		assert_row(rows[i].path, is_there == (rows[i].want != NULL) && (!is_there || strcmp(said, rows[i].want) == 0));
	}
	cJSON_Delete(o);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_a_version_stays_in_its_word),
		cmocka_unit_test(test_a_version_stays_in_its_segment_and_its_string),
		WITH(test_commands_there_and_back),
		WITH(test_whether_a_command_ran_is_asked),
		WITH(test_a_command_that_fails),
		WITH(test_what_cannot_be_looked_at),
		WITH(test_requests_there_and_back),
		WITH(test_secret_headers),
		cmocka_unit_test(test_what_is_answered_is_looked_at),
		cmocka_unit_test(test_json_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
