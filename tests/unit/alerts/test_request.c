/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "alerts/request.h"
#include "tests/unit/faults.h"

#define ID      "0193a5c2-f0e1-7abc-8def-0123456789ab"
#define SILENCE "3d1f7b1e-0a6c-4c39-9f5e-6b0f4f9d2c11"
#define NODE_IS_A "[{\"name\":\"node\",\"value\":\"a\",\"isRegex\":false,\"isEqual\":true}]"
#define HEAD    "{\"version\":1,\"id\":\"" ID "\",\"asked\":1000,"
#define HASH    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ACK     HEAD "\"kind\":\"ack\",\"keys\":[\"{}\"]"

static const char *const two_keys[] = { "{alertname=\"NodeDown\"}", "{alertname=\"a\\\"b\"}" };

static void same_text(const char *label, const char *got, const char *want)
{
	if (strcmp(got, want != NULL ? want : "") != 0)
		fail_msg("%s: '%s', not '%s'", label, got, want != NULL ? want : "");
}

static void check_same(const char *label, const struct request *got, const struct request *want)
{
	assert_row(label, got->kind == want->kind && got->asked_ms == want->asked_ms && got->n_keys == want->n_keys);
	assert_row(label, got->from_ms == want->from_ms && got->until_ms == want->until_ms && got->at_ms == want->at_ms);
	assert_row(label, got->alert == want->alert && got->is_gone == want->is_gone);
	same_text(label, got->id, want->id);
	same_text(label, got->who, want->who);
	same_text(label, got->origin, want->origin);
	same_text(label, got->comment, want->comment);
	same_text(label, got->matchers, want->matchers);
	same_text(label, got->silence, want->silence);
	same_text(label, got->node, want->node);
	same_text(label, got->console, want->console);
	same_text(label, got->view, want->view);
	same_text(label, got->verb, want->verb);
	same_text(label, got->target, want->target);
	same_text(label, got->to, want->to);
	same_text(label, got->hash, want->hash);
	same_text(label, got->name, want->name);
	assert_row(label, got->deployment == want->deployment);
	for (size_t i = 0; i < got->n_keys; i++)
		same_text(label, got->keys[i], want->keys[i]);
}

static const struct {
	const char    *label;
	struct request request;
} good[] = {
	{ "an acknowledgement", { .id = ID, .kind = REQUEST_ACK, .asked_ms = 1000, .who = "alice", .origin = "192.0.2.7", .keys = two_keys, .n_keys = 2,
	                          .comment = "on it \xe2\x80\x94 \xf0\x9f\x94\xa7", .until_ms = 99000 } },
	{ "the least of one", { .id = ID, .kind = REQUEST_ACK, .keys = two_keys, .n_keys = 1 } },
	{ "taken back", { .id = ID, .kind = REQUEST_UNACK, .asked_ms = 5, .keys = two_keys, .n_keys = 2 } },
	{ "a silence", { .id = ID, .kind = REQUEST_SILENCE, .asked_ms = 5, .from_ms = 10, .until_ms = 20, .matchers = NODE_IS_A, .comment = "work" } },
	{ "a silence from now on, in another's place", { .id = ID, .kind = REQUEST_SILENCE, .asked_ms = 5, .until_ms = 20, .matchers = NODE_IS_A,
	                                                 .silence = SILENCE } },
	{ "a silence's end", { .id = ID, .kind = REQUEST_UNSILENCE, .silence = SILENCE } },
	{ "a note", { .id = ID, .kind = REQUEST_NOTE, .comment = "fan replaced", .alert = 7, .node = "gpu-a-01", .at_ms = 900 } },
	{ "a note about a time", { .id = ID, .kind = REQUEST_NOTE, .comment = "x" } },
	{ "a console", { .id = ID, .kind = REQUEST_HERE, .console = ID, .view = "node gpu-a-01" } },
	{ "a console that goes", { .id = ID, .kind = REQUEST_HERE, .console = ID, .is_gone = true } },
	{ "a rollback", { .id = ID, .kind = REQUEST_PLAN, .asked_ms = 5, .who = "alice", .verb = "rollback", .target = "ranker", .to = "registry.example/ranker@sha256:ab",
	                  .comment = "p99 is up", .alert = 7 } },
	{ "the least of a redeploy", { .id = ID, .kind = REQUEST_PLAN, .verb = "redeploy", .target = "gpu-a-01" } },
	{ "a confirmation", { .id = ID, .kind = REQUEST_CONFIRM, .deployment = 3, .hash = HASH } },
	{ "a name typed", { .id = ID, .kind = REQUEST_CONFIRM, .deployment = 3, .hash = HASH, .name = "ranker" } },
	{ "a pause", { .id = ID, .kind = REQUEST_CONTROL, .deployment = 3, .verb = "pause", .comment = "wait for bob" } },
};

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct buf text;
		struct why why = { "" };
		struct request *back = NULL;
		buf_init(&text, REQUEST_BYTES_MAX);
		if (request_write(&good[i].request, &text, &why) != ERR_OK)
			fail_msg("%s: %s", good[i].label, why.text);
		if (request_read(buf_text(&text), text.len, ID, &back, &why) != ERR_OK)
			fail_msg("%s: %s in %s", good[i].label, why.text, buf_text(&text));
		check_same(good[i].label, back, &good[i].request);
		request_free(back);
		buf_release(&text);
	}
}

static void test_hostile(void **state)
{
	static const struct { const char *label, *text; enum err want; const char *says; } rows[] = {
		{ "nothing", "", ERR_FORMAT, "nothing there" },
		{ "a list", "[1]", ERR_FORMAT, "not a JSON object" },
		{ "half of one", ACK, ERR_FORMAT, "not JSON" },
		{ "whole", ACK "}", ERR_OK, NULL },
		{ "another version", "{\"version\":2,\"id\":\"" ID "\"}", ERR_UNSUPPORTED, "another version" },
		{ "no version", "{\"id\":\"" ID "\",\"kind\":\"ack\",\"keys\":[\"{}\"]}", ERR_UNSUPPORTED, "another version" },
		{ "another name", "{\"version\":1,\"id\":\"1193a5c2-f0e1-7abc-8def-0123456789ab\",\"kind\":\"ack\",\"keys\":[\"{}\"]}", ERR_DENIED, "moved or linked" },
		{ "no name", "{\"version\":1,\"kind\":\"ack\",\"keys\":[\"{}\"]}", ERR_DENIED, "moved or linked" },
		{ "no kind", HEAD "\"keys\":[\"{}\"]}", ERR_FORMAT, "'' is nothing that can be asked for" },
		{ "a kind that is none", HEAD "\"kind\":\"root\"}", ERR_FORMAT, "'root' is nothing" },
		{ "a kind of another type", HEAD "\"kind\":1}", ERR_FORMAT, "'kind' is not a string" },
		{ "a member of another kind", ACK ",\"gone\":true}", ERR_FORMAT, "'gone' does not belong" },
		{ "a member that nobody knows", ACK ",\"uid\":0}", ERR_FORMAT, "'uid' does not belong" },
		{ "twice", ACK ",\"comment\":\"a\",\"comment\":\"b\"}", ERR_FORMAT, "'comment' is there twice" },
		{ "no keys", HEAD "\"kind\":\"ack\"}", ERR_FORMAT, "no alert is named" },
		{ "an empty list of keys", HEAD "\"kind\":\"ack\",\"keys\":[]}", ERR_FORMAT, "no alert is named" },
		{ "an empty key", HEAD "\"kind\":\"ack\",\"keys\":[\"\"]}", ERR_FORMAT, "is empty" },
		{ "a key that is none", HEAD "\"kind\":\"ack\",\"keys\":[1]}", ERR_FORMAT, "not a string" },
		{ "keys that are no list", HEAD "\"kind\":\"ack\",\"keys\":{}}", ERR_FORMAT, "not an array" },
		{ "a control character", ACK ",\"comment\":\"a\\u001b[2Jb\"}", ERR_FORMAT, "the comment holds a control character (U+001B)" },
		{ "two lines", ACK ",\"comment\":\"a\\nb\"}", ERR_FORMAT, "U+000A" },
		{ "a C1 control", ACK ",\"comment\":\"\\u009b2J\"}", ERR_FORMAT, "U+009B" },
		{ "turned round", ACK ",\"who\":\"\\u202eecila\"}", ERR_FORMAT, "the name holds a control character (U+202E)" },
		{ "a raw control character", ACK ",\"comment\":\"a\033b\"}", ERR_FORMAT, "control character in a string" },
		{ "a NUL", ACK ",\"comment\":\"a\\u0000b\"}", ERR_FORMAT, "a NUL" },
		{ "not UTF-8", ACK ",\"comment\":\"a\xff\"}", ERR_FORMAT, "not UTF-8" },
		{ "a time before 1970", ACK ",\"until\":-5}", ERR_RANGE, "'until'" },
		{ "a time after all", ACK ",\"until\":9007199254740991}", ERR_RANGE, "no time" },
		{ "half a millisecond", ACK ",\"until\":0.5}", ERR_FORMAT, "not an integer" },
		{ "a silence of nothing", HEAD "\"kind\":\"silence\",\"until\":2000}", ERR_FORMAT, "at least one matcher" },
		{ "an empty list of matchers", HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":[]}", ERR_FORMAT, "at least one matcher" },
		{ "a matcher that is none", HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":[1]}", ERR_FORMAT, "not an object" },
		{ "a matcher without a flag", HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":true}]}", ERR_FORMAT,
		  "'isEqual' is missing" },
		{ "a matcher with more", HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":true,\"isEqual\":true,\"x\":1}]}",
		  ERR_FORMAT, "more than name" },
		{ "a silence that is over", HEAD "\"kind\":\"silence\",\"until\":999,\"matchers\":" NODE_IS_A "}", ERR_RANGE, "ends before it begins" },
		{ "a silence backwards", HEAD "\"kind\":\"silence\",\"from\":3000,\"until\":2000,\"matchers\":" NODE_IS_A "}", ERR_RANGE, "ends before it begins" },
		{ "no id of a silence", HEAD "\"kind\":\"unsilence\",\"silence\":\"../../etc\"}", ERR_FORMAT, "no id of a silence" },
		{ "an empty note", HEAD "\"kind\":\"note\",\"comment\":\"\"}", ERR_FORMAT, "the note is empty" },
		{ "a note about no alert", HEAD "\"kind\":\"note\",\"comment\":\"a\",\"alert\":-1}", ERR_RANGE, "'alert'" },
		{ "a console without an id", HEAD "\"kind\":\"here\",\"console\":\"1\"}", ERR_FORMAT, "has no id" },
		{ "a plan of nothing", HEAD "\"kind\":\"plan\",\"verb\":\"rollback\"}", ERR_FORMAT, "nothing is named" },
		{ "a plan that is none", HEAD "\"kind\":\"plan\",\"verb\":\"rm\",\"target\":\"a\"}", ERR_FORMAT, "not 'rm'" },
		{ "a plan without a verb", HEAD "\"kind\":\"plan\",\"target\":\"a\"}", ERR_FORMAT, "not ''" },
		{ "a target that turns the line", HEAD "\"kind\":\"plan\",\"verb\":\"rollback\",\"target\":\"a\\u202eb\"}", ERR_FORMAT, "the target holds" },
		{ "a version with a control character", HEAD "\"kind\":\"plan\",\"verb\":\"rollback\",\"target\":\"a\",\"to\":\"v\\u001b\"}", ERR_FORMAT, "the version holds" },
		{ "a confirmation of nothing", HEAD "\"kind\":\"confirm\",\"hash\":\"" HASH "\"}", ERR_RANGE, "no deployment of that number" },
		{ "a confirmation without a hash", HEAD "\"kind\":\"confirm\",\"deployment\":1}", ERR_FORMAT, "by its hash" },
		{ "a hash that is none", HEAD "\"kind\":\"confirm\",\"deployment\":1,\"hash\":\"abc\"}", ERR_FORMAT, "by its hash" },
		{ "a hash and more", HEAD "\"kind\":\"confirm\",\"deployment\":1,\"hash\":\"" HASH "0\"}", ERR_FORMAT, "by its hash" },
		{ "a control without a word", HEAD "\"kind\":\"control\",\"deployment\":1}", ERR_FORMAT, "not said what" },
		{ "a word that is none", HEAD "\"kind\":\"control\",\"deployment\":1,\"verb\":\"rm -rf\"}", ERR_FORMAT, "not said what" },
		{ "a control of a plan", HEAD "\"kind\":\"control\",\"deployment\":1,\"verb\":\"pause\",\"target\":\"a\"}", ERR_FORMAT, "'target' does not belong" },
		{ "too deep", HEAD "\"kind\":\"ack\",\"keys\":[[[[]]]]}", ERR_LIMIT, "deeper" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct why why = { "" };
		struct request *r = NULL;
		enum err e = request_read(rows[i].text, strlen(rows[i].text), ID, &r, &why);
		if (e != rows[i].want || (rows[i].says != NULL && strstr(why.text, rows[i].says) == NULL))
			fail_msg("%s: %s: %s", rows[i].label, err_text(e), why.text);
		assert_row(rows[i].label, (e == ERR_OK) == (r != NULL));
		request_free(r);
	}
}

static void test_deeds(void **state)
{
	static const struct {
		struct request request;
		enum deed      want;
	} rows[] = {
		{ { .kind = REQUEST_PLAN, .verb = "rollback" }, DEED_PLAN },  { { .kind = REQUEST_CONFIRM }, DEED_CONFIRM },
		{ { .kind = REQUEST_CONTROL, .verb = "abandon" }, DEED_CONTROL }, { { .kind = REQUEST_CONTROL, .verb = "pass" }, DEED_PASS },
		{ { .kind = REQUEST_ACK, .verb = "pass" }, DEED_ACK },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_row(deed_name(rows[i].want), request_deed(&rows[i].request) == rows[i].want);
		assert_row(deed_name(rows[i].want), request_is_deploy(rows[i].request.kind) == (rows[i].want >= DEED_PLAN));
	}
}

static void test_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct request *copy = NULL;
		struct why why = { "" };
		if (request_copy(&good[i].request, &copy, &why) != ERR_OK)
			fail_msg("%s: %s", good[i].label, why.text);
		check_same(good[i].label, copy, &good[i].request);
		request_free(copy);
	}
}

/* What is at a limit passes, what is one more does not. */
static void test_limits(void **state)
{
	static const struct { const char *label, *begin, *end; char fill; size_t n; } rows[] = {
		{ "a comment", ACK ",\"comment\":\"", "\"}", 'x', REQUEST_TEXT_MAX },
		{ "a name", ACK ",\"who\":\"", "\"}", 'x', REQUEST_NAME_MAX },
		{ "a key", HEAD "\"kind\":\"ack\",\"keys\":[\"", "\"]}", 'x', REQUEST_KEY_MAX },
		{ "a view", HEAD "\"kind\":\"here\",\"console\":\"" ID "\",\"view\":\"", "\"}", 'x', REQUEST_VIEW_MAX },
		{ "a node", HEAD "\"kind\":\"note\",\"comment\":\"a\",\"node\":\"", "\"}", 'x', REQUEST_NODE_MAX },
		{ "all of it", ACK "}", "", ' ', REQUEST_BYTES_MAX - sizeof ACK },
	};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		struct buf text;
		struct request *r = NULL;
		struct why why = { "" };
		size_t row = i / 2, more = i % 2;
		buf_init(&text, 2 * REQUEST_BYTES_MAX);
		buf_puts(&text, rows[row].begin);
		buf_fill(&text, rows[row].fill, rows[row].n + more);
		buf_puts(&text, rows[row].end);
		enum err e = request_read(buf_text(&text), text.len, ID, &r, &why);
		if ((e == ERR_OK) != (more == 0))
			fail_msg("%s and %zu more: %s %s", rows[row].label, more, err_text(e), why.text);
		request_free(r);
		buf_release(&text);
	}
	const char *keys[REQUEST_KEYS_MAX + 1];
	for (size_t i = 0; i <= REQUEST_KEYS_MAX; i++)
		keys[i] = "{}";
	struct request many = { .id = ID, .kind = REQUEST_ACK, .keys = keys, .n_keys = REQUEST_KEYS_MAX };
	assert_int_equal(request_check(&many, NULL), ERR_OK);
	many.n_keys++;
	assert_int_equal(request_check(&many, NULL), ERR_LIMIT);
}

/* What would not be read is not written either. */
static void test_unwritable(void **state)
{
	static char long_key[REQUEST_KEY_MAX + 1];
	const char *long_keys[40];
	struct buf text;
	struct why why;
	(void)state;
	memset(long_key, 'k', sizeof long_key - 1);
	for (size_t i = 0; i < 40; i++)
		long_keys[i] = long_key;
	buf_init(&text, 4 * REQUEST_BYTES_MAX);
	const struct request escape = { .id = ID, .kind = REQUEST_ACK, .keys = two_keys, .n_keys = 1, .comment = "\033[2J" };
	assert_int_equal(request_write(&escape, &text, &why), ERR_FORMAT);
	const struct request large = { .id = ID, .kind = REQUEST_ACK, .keys = long_keys, .n_keys = 40 };
	assert_int_equal(request_write(&large, &text, &why), ERR_LIMIT);
	const struct request nameless = { .kind = REQUEST_ACK, .keys = two_keys, .n_keys = 1 };
	assert_int_equal(request_write(&nameless, &text, &why), ERR_FORMAT);
	const struct request injected = { .id = ID, .kind = REQUEST_SILENCE, .until_ms = 5, .matchers = NODE_IS_A ",\"id\":1" };
	assert_int_equal(request_write(&injected, &text, &why), ERR_FORMAT);
	buf_release(&text);
}

static void test_ids(void **state)
{
	static const struct { const char *text; bool is_id; } rows[] = {
		{ ID, true }, { "", false }, { "0193a5c2-f0e1-7abc-8def-0123456789a", false }, { "0193a5c2-f0e1-7abc-8def-0123456789abc", false },
		{ "0193A5C2-f0e1-7abc-8def-0123456789ab", false }, { "0193a5c2/f0e1-7abc-8def-0123456789ab", false }, { "..", false },
	};
	char before[REQUEST_ID], id[REQUEST_ID];
	struct why why;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_row(rows[i].text, request_is_id(rows[i].text) == rows[i].is_id);
	assert_ok(request_new_id(1795000000000, before, &why));
	assert_ok(request_new_id(1795000000001, id, &why));
	assert_true(request_is_id(before) && request_is_id(id));
	assert_true(strcmp(before, id) < 0); /* names sort by time */
	assert_memory_equal(before, "01a1ee56-5e00-7", 15);
	assert_ok(request_new_id(1795000000001, before, &why));
	assert_string_not_equal(before, id);
}

static enum err read_one(void *ctx, struct why *why)
{
	const char *text = ctx;
	struct request *r = NULL;
	enum err e = request_read(text, strlen(text), ID, &r, why);
	fault_end();
	assert_true((e == ERR_OK) == (r != NULL));
	if (e == ERR_OK)
		assert_string_equal(r->n_keys > 0 ? r->keys[0] : r->matchers, r->n_keys > 0 ? "{}" : NODE_IS_A);
	request_free(r);
	return e;
}

static void test_faults(void **state)
{
	static char ack[] = ACK ",\"comment\":\"a\",\"who\":\"alice\"}";
	static char silence[] = HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":" NODE_IS_A "}";
	static char wrong[] = HEAD "\"kind\":\"silence\",\"until\":2000,\"matchers\":[1]}";
	(void)state;
	fault_loop("an acknowledgement", ERR_OK, read_one, ack);
	fault_loop("a silence", ERR_OK, read_one, silence);
	fault_loop("a mistake", ERR_FORMAT, read_one, wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_hostile), cmocka_unit_test(test_deeds), cmocka_unit_test(test_copy), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unwritable), cmocka_unit_test(test_ids),     cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
