/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks: as JSON and back, as a person reads them, and the paths of URLs. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "deploy/driver.h"
#include "deploy/mask.h"

static struct why why;

static const struct ask samples[] = {
	{ .kind = ASK_NONE },
	{ .kind = ASK_RUN, .argv = (const char *const[]){ "systemctl", "restart", "--", "a b'c" }, .n_argv = 4, .input = "x\ny", .timeout_ms = 5000 },
	{ .kind = ASK_HTTP, .method = "POST", .url = "http://h:1/a", .headers = { { "Content-Type", "application/json" }, { "X-Api-Key", "k" } }, .n_headers = 2,
	  .body = "{\"a\":1}", .is_on_machine = true },
	{ .kind = ASK_HTTP, .method = "GET", .url = "http://localhost/info", .socket = "/run/docker.sock" },
	{ .kind = ASK_PUT, .path = "/srv/models.config", .body = "model_config_list {}\n" },
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct arena arena;
		struct ask copy, back;
		struct buf first, second;
		arena_init(&arena);
		buf_init(&first, 4096);
		buf_init(&second, 4096);
		ask_copy(&arena, &samples[i], &copy);
		cJSON *json = ask_to_json(&copy);
		assert_ok(json_put_tree(&first, json));
		assert_ok(ask_from_json(&arena, json, &back, &why));
		cJSON_Delete(json);
		json = ask_to_json(&back);
		assert_ok(json_put_tree(&second, json));
		cJSON_Delete(json);
		assert_string_equal(buf_text(&first), buf_text(&second));
		assert_false(arena_failed(&arena));
		buf_release(&first);
		buf_release(&second);
		arena_release(&arena);
	}
}

static void test_json_of_others(void **state)
{
	static const struct {
		const char *label, *in;
	} rows[] = {
		{ "no kind", "{}" },
		{ "unknown kind", "{\"kind\":\"shell\"}" },
		{ "no object", "[]" },
		{ "a command without words", "{\"kind\":\"run\"}" },
		{ "a word that is no text", "{\"kind\":\"run\",\"argv\":[1]}" },
		{ "a request to nowhere", "{\"kind\":\"http\",\"method\":\"GET\"}" },
		{ "a file elsewhere", "{\"kind\":\"put\",\"path\":\"x\",\"body\":\"\"}" },
		{ "a header that breaks out", "{\"kind\":\"http\",\"method\":\"GET\",\"url\":\"http://h\",\"headers\":[[\"A\",\"b\\r\\nC: d\"]]}" },
		{ "time beyond a day", "{\"kind\":\"none\",\"timeout\":99999999999}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena;
		struct ask ask;
		cJSON *json = NULL;
		arena_init(&arena);
		assert_ok(json_parse(rows[i].in, strlen(rows[i].in), NULL, &json, &why));
		assert_row(rows[i].label, ask_from_json(&arena, json, &ask, &why) == ERR_FORMAT || ask_from_json(&arena, json, &ask, &why) == ERR_RANGE ||
		                              ask_from_json(&arena, json, &ask, &why) == ERR_NOT_FOUND);
		cJSON_Delete(json);
		arena_release(&arena);
	}
}

static void test_print(void **state)
{
	static const char *const wants[N_SAMPLES] = {
		"wait\n",
		"systemctl restart -- 'a b'\\''c'\nx\ny\n",
		"POST http://h:1/a from the machine itself\nContent-Type: application/json\nX-Api-Key: ****\n{\"a\":... (7 bytes in all)\n",
		"GET http://localhost/info by way of /run/docker.sock\n",
		"write /srv/models.config\nmodel... (21 bytes in all)\n",
	};
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct buf text;
		buf_init(&text, 4096);
		assert_ok(ask_print(&samples[i], 5, &text));
		assert_string_equal(buf_text(&text), wants[i]);
		buf_release(&text);
	}
}

/* Values of variables that are secrets by their names are not shown; all else stays as it is sent. */
static void test_mask(void **state)
{
	static const struct { const char *label, *in, *want; } rows[] = {
		{ "a pod template",      "{\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"hf_1\"},{\"name\":\"MODEL\",\"value\":\"m\"}]}",
		                         "{\"env\":[{\"name\":\"HF_TOKEN\",\"value\":\"****\"},{\"name\":\"MODEL\",\"value\":\"m\"}]}" },
		{ "in small letters",    "[{\"name\":\"db_password\",\"value\":\"p\"}]", "[{\"name\":\"db_password\",\"value\":\"****\"}]" },
		{ "JSON in a text",      "{\"body\":\"{\\\"name\\\":\\\"API_KEY\\\",\\\"value\\\":\\\"k\\\"}\"}",
		                         "{\"body\":\"{\\\"name\\\":\\\"API_KEY\\\",\\\"value\\\":\\\"****\\\"}\"}" },
		{ "a reference is none", "{\"name\":\"HF_TOKEN\", \"valueFrom\":{\"key\":\"a\"}}", "{\"name\":\"HF_TOKEN\", \"valueFrom\":{\"key\":\"a\"}}" },
		{ "nothing to mask",     "{ \"value\": 1e2, \"name\": \"a\" }", "{ \"value\": 1e2, \"name\": \"a\" }" },
		{ "an empty value",      "{\"name\":\"SECRET\",\"value\":\"\"}", "{\"name\":\"SECRET\",\"value\":\"\"}" },
		{ "no JSON",             "{\"name\":\"TOKEN\",\"value\":\"a\"", "{\"name\":\"TOKEN\",\"value\":\"a\"" },
		{ "plain text",          "name value TOKEN", "name value TOKEN" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		const struct ask a = { .kind = ASK_HTTP, .method = "PATCH", .url = "http://h/", .body = rows[i].in };
		buf_init(&text, 4096);
		assert_ok(mask_put(&text, rows[i].in));
		assert_row(rows[i].label, strcmp(buf_text(&text), rows[i].want) == 0);
		buf_clear(&text);
		assert_ok(ask_print(&a, 4096, &text));
		assert_row(rows[i].label, strstr(buf_text(&text), rows[i].want) != NULL && strcmp(a.body, rows[i].in) == 0);
		buf_release(&text);
	}
}

/* Lines that somebody typed: what stands behind the name of a secret, variables, and what a URL has of logins and queries. */
static void test_mask_line(void **state)
{
	static const struct { const char *label, *in, *want; } rows[] = {
		{ "words",                "roll back,  p99\tis up", "roll back, p99 is up" },
		{ "an option and a word", "deploy --api-key k --model m", "deploy --api-key **** --model m" },
		{ "an option with =",     "deploy --token=k -n 2", "deploy --token=**** -n 2" },
		{ "a variable",           "kubectl set env deployment/a DSN=x --record=true", "kubectl set env deployment/a DSN=**** --record=true" },
		{ "an image",             "kubectl set image deployment/a vllm=r/a:v3", "kubectl set image deployment/a vllm=r/a:v3" },
		{ "small letters",        "db_password=p x=y", "db_password=**** x=y" },
		{ "a header",             "-H Authorization: Bearer abc def", "-H Authorization: Bearer **** def" },
		{ "a login in a URL",     "get https://u:p@h/x now", "get https://**** now" },
		{ "a query",              "get https://h/x?sig=p now", "get https://h/x?**** now" },
		{ "a URL in a query",     "get h/x?sig=ps://u:p@h/x", "get h/x?****" },
		{ "a question",           "is it up? yes", "is it up? yes" },
		{ "an option at the end", "x --password", "x --password" },
		{ "nothing",              "", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		buf_init(&text, 4096);
		assert_ok(mask_line(&text, rows[i].in));
		if (strcmp(buf_text(&text), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, buf_text(&text));
		buf_release(&text);
	}
}

/* What is refused in a file: a secret in plain text, and not what is read elsewhere, filled in, or something else. */
static void test_plain_secrets(void **state)
{
	static const struct { const char *label, *words[6]; size_t which; } rows[] = {
		{ "an option and its word",  { "x", "--token", "abc" }, 3 },
		{ "an option with =",        { "x", "--api-key=abc" }, 2 },
		{ "a variable",              { "env", "HF_TOKEN=abc", "x" }, 2 },
		{ "in a script",             { "sh", "-c", "export DB_PASSWORD='abc'; x" }, 3 },
		{ "a header",                { "curl", "-H", "Authorization: Bearer abc" }, 3 },
		{ "a login in a URL",        { "curl", "https://u:p@h/" }, 2 },
		{ "a query",                 { "curl", "https://h/?a=b&access_token=abc" }, 2 },
		{ "read in a script",        { "sh", "-c", "TOKEN=$(cat /etc/token) x --token \"$TOKEN\"" }, 0 },
		{ "filled in",               { "x", "--token={version}", "--secret", "{model}" }, 0 },
		{ "a file",                  { "x", "--token-file", "abc", "--token", "/etc/token", "--password=@file" }, 0 },
		{ "a number",                { "x", "--max-tokens", "512", "--eos-token", "2" }, 0 },
		{ "another option behind",   { "x", "--token", "--verbose" }, 0 },
		{ "other words",             { "x", "--tokenizer", "abc", "--keyring=abc", "KEY=abc" }, 0 },
		{ "a user alone in a URL",   { "git", "ssh://git@h/x" }, 0 },
		{ "a header that is read",   { "curl", "-H", "Authorization: Bearer $TOKEN" }, 0 },
		{ "a place in a URL",        { "curl", "https://h/?token={version}&x=1" }, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = 0, which = 0;
		while (n < 6 && rows[i].words[n] != NULL)
			n++;
		bool tells = mask_words_tell(rows[i].words, n, &which);
		if (tells != (rows[i].which != 0) || (tells && which + 1 != rows[i].which))
			fail_msg("%s: %d, word %zu", rows[i].label, tells, which + 1);
	}
	assert_true(mask_json_tells("{\"a\":[{\"api-key\":\"abc\"}]}"));
	assert_false(mask_json_tells("{\"a\":[{\"api-key\":\"{version}\"}],\"token\":5}"));
	assert_false(mask_json_tells("token=abc"));
}

static void test_url(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena);
	assert_string_equal(ask_url(&arena, "http://h:1/", "v2", "models", "a/b c?%", NULL), "http://h:1/v2/models/a%2Fb%20c%3F%25");
	assert_string_equal(ask_url(&arena, "http://h", "..", ".", "a.b", NULL), "http://h/%2E%2E/%2E/a.b");
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_others),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_mask_line),
		cmocka_unit_test(test_plain_secrets),
		cmocka_unit_test(test_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
