/* SPDX-License-Identifier: Apache-2.0
 *
 * What the simulated servers do when they are told by their own control calls, without a socket: the quirks that are documented of the real ones. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "sim/control.h"

enum { LOAD_S = 4 };

static struct control control;
static struct deployment deployment;
static struct buf body;
static struct group_spec spec;
static double now_s;

static int set_up(void **state)
{
	(void)state;
	control = (struct control){ .is_begun = false };
	deployment = (struct deployment){ DEPLOYED_NOTHING, 0 };
	now_s = 100;
	buf_init(&body, 1 << 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_release(&body);
	return 0;
}

static void of_kind(enum server_kind kind, const char *version, const char *next) { spec = (struct group_spec){ .model = "m", .version = version, .next_version = next, .kind = kind }; }

/* The status, 0 where it is no call of the kind; what was said is in `body`. */
static int ask(const char *method, const char *path, const char *query, const char *text)
{
	const struct request r = { .method = method, .path = path, .query = query, .body = text, .authorization = "" };
	const struct control_call call = { .spec = &spec, .request = &r, .now_s = now_s, .load_s = LOAD_S, .runs_next = deployment.version == DEPLOYED_NEXT, .deployment = &deployment };
	struct reply reply = { .status = 500, .body = &body };
	buf_clear(&body);
	return control_answer(&control, &call, &reply) ? reply.status : 0;
}

static void assert_says(const char *what)
{
	if (strstr(buf_text(&body), what) == NULL)
		fail_msg("no '%s' in '%s'", what, buf_text(&body));
}

static void assert_silent_on(const char *what)
{
	if (strstr(buf_text(&body), what) != NULL)
		fail_msg("'%s' in '%s'", what, buf_text(&body));
}

/* ---- Triton ---- */

#define INDEX(version, state, reason) "\"version\":\"" version "\",\"state\":\"" state "\",\"reason\":\"" reason "\""
static const char pin_8[] = "{\"parameters\":{\"config\":\"{\\\"version_policy\\\":{\\\"specific\\\":{\\\"versions\\\":[\\\"8\\\"]}}}\"}}";

static void test_triton_loads_beside_and_unloads_late(void **state)
{
	(void)state;
	of_kind(SERVER_TRITON, "7", "8");
	assert_int_equal(ask("GET", "/v2/repository/index", "", ""), 0); /* by POST alone */
	assert_int_equal(ask("POST", "/v2/repository/index", "", "{}"), 200);
	assert_says(INDEX("7", "READY", ""));
	assert_silent_on("\"8\"");
	assert_int_equal(ask("POST", "/v2/repository/models/m/load", "", pin_8), 200);
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("7", "READY", ""));
	assert_says(INDEX("8", "LOADING", ""));
	assert_int_equal(deployment.version, DEPLOYED_OLD);
	now_s += LOAD_S;
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("8", "READY", ""));
	assert_says(INDEX("7", "UNLOADING", ""));
	now_s += 1;
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("7", "UNAVAILABLE", "unloaded"));
	assert_int_equal(deployment.version, DEPLOYED_NEXT);
}

static void test_triton_goes_back_to_its_file(void **state)
{
	(void)state;
	of_kind(SERVER_TRITON, "7", "8");
	ask("POST", "/v2/repository/models/m/load", "", pin_8);
	now_s += LOAD_S;
	ask("POST", "/v2/repository/index", "", "");
	assert_int_equal(ask("POST", "/v2/repository/models/m/load", "", ""), 200); /* without a configuration */
	now_s += LOAD_S;
	ask("POST", "/v2/repository/index", "", "");
	assert_int_equal(deployment.version, DEPLOYED_OLD);
	ask("POST", "/v2/repository/models/m/load", "", pin_8);
	now_s += LOAD_S;
	ask("POST", "/v2/repository/index", "", "");
	assert_int_equal(ask("POST", "/pitwall/restart", "", ""), 202);
	assert_int_equal(deployment.version, DEPLOYED_NOTHING);
	assert_true(deployment.until_s > now_s);
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("7", "READY", ""));
}

static void test_what_triton_refuses(void **state)
{
	static const struct {
		const char *label, *mode, *body, *says;
	} rows[] = {
		{ "polling", "{\"mode\":\"poll\"}", "{}", "if polling is enabled" },
		{ "no control", "{\"mode\":\"none\"}", "{}", "is not allowed\"" },
		{ "a version that is not there", "{\"mode\":\"explicit\"}", "{\"parameters\":{\"config\":\"{\\\"version_policy\\\":{\\\"specific\\\":{\\\"versions\\\":[9]}}}\"}}", "at least one version" },
		{ "another parameter", "{\"mode\":\"explicit\"}", "{\"parameters\":{\"version\":\"8\"}}", "unrecognized" },
		{ "no JSON", "{\"mode\":\"explicit\"}", "{", "failed to parse" },
		{ "a configuration that is none", "{\"mode\":\"explicit\"}", "{\"parameters\":{\"config\":\"[]\"}}", "at least one version" },
	};
	(void)state;
	of_kind(SERVER_TRITON, "7", "8");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(ask("POST", "/pitwall/control", "", rows[i].mode), 200);
		assert_row(rows[i].label, ask("POST", "/v2/repository/models/m/load", "", rows[i].body) == 400);
		assert_says(rows[i].says);
	}
	assert_int_equal(ask("POST", "/v2/repository/models/other/load", "", "{}"), 0);
}

static void test_triton_unloads(void **state)
{
	(void)state;
	of_kind(SERVER_TRITON, "7", "8");
	assert_int_equal(ask("POST", "/v2/repository/models/m/unload", "", "{}"), 200); /* before it is over */
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("7", "UNLOADING", ""));
	now_s += 1;
	ask("POST", "/v2/repository/index", "", "");
	assert_says(INDEX("7", "UNAVAILABLE", "unloaded"));
}

/* ---- TorchServe ---- */

static void test_torchserve(void **state)
{
	static const struct {
		const char *label, *method, *path, *query;
		int         status;
		const char *says;
	} rows[] = {
		{ "the default", "GET", "/models/m", "", 200, "\"modelVersion\":\"2.1\"" },
		{ "one without workers", "GET", "/models/m/2.2", "", 200, "\"workers\":[]" },
		{ "one that is not there", "GET", "/models/m/3", "", 404, "does not exist" },
		{ "the default of one that is not there", "PUT", "/models/m/3/set-default", "", 404, "does not exist" },
		{ "the default is not deleted", "DELETE", "/models/m/2.1", "", 403, "Cannot remove default" },
		{ "registered already", "POST", "/models", "&url=m-2.2.mar&model_name=m", 409, "already registered" },
		{ "not in the store", "POST", "/models", "&url=x.mar", 404, "model store" },
		{ "workers, waited for", "PUT", "/models/m/2.2", "&min_worker=2&max_worker=2&synchronous=true", 200, "scaled to 2" },
		{ "workers, not waited for", "PUT", "/models/m/2.2", "&min_worker=3", 202, "Processing" },
		{ "workers that are no number", "PUT", "/models/m/2.2", "&min_worker=x", 400, "not valid" },
		{ "not READY yet", "GET", "/models/m/2.2", "", 200, "UNLOADED" },
		{ "made the default", "PUT", "/models/m/2.2/set-default", "", 200, "updated" },
		{ "the default now", "GET", "/models/m", "", 200, "\"modelVersion\":\"2.2\"" },
		{ "all of them", "GET", "/models/m/all", "", 200, "\"modelVersion\":\"2.1\"" },
		{ "the other one is deleted", "DELETE", "/models/m/2.1", "", 200, "unregistered" },
		{ "and is gone", "GET", "/models/m/2.1", "", 404, "does not exist" },
		{ "and comes again", "POST", "/models", "&url=m-2.1.mar&initial_workers=1", 200, "registered with 1" },
		{ "no such path", "GET", "/models/m/2.1/x", "", 404, "not found" },
		{ "another model", "GET", "/models/other", "", 0, "" },
	};
	(void)state;
	of_kind(SERVER_TORCHSERVE, "2.1", "2.2");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int status = ask(rows[i].method, rows[i].path, rows[i].query, "");
		if (status != rows[i].status || strstr(buf_text(&body), rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, status, buf_text(&body));
	}
	assert_int_equal(deployment.version, DEPLOYED_NEXT);
	now_s += LOAD_S;
	ask("GET", "/models/m/2.2", "", "");
	assert_says("READY");
	assert_silent_on("UNLOADED");
	assert_int_equal(ask("POST", "/pitwall/control", "", "{\"token\":\"t\"}"), 200);
	assert_int_equal(ask("GET", "/models/m", "", ""), 400);
	assert_says("Token Authorization failed");
}

/* ---- TensorFlow Serving ---- */

static char config_path[] = "/tmp/pitwall-control-XXXXXX";

static void write_config(const char *text)
{
	FILE *f = fopen(config_path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

#define AVAILABLE(version) "\"version\": \"" version "\",\n   \"state\": \"AVAILABLE\""
#define CONFIG(versions, label) \
	"model_config_list { config { name: 'other' } config { name: 'm' base_path: '/m' model_version_policy { specific { " versions " } } version_labels { key: 'stable' value: " label " } } }"

static void name_file(void)
{
	char text[256];
	snprintf(config_path, sizeof config_path, "%s", "/tmp/pitwall-control-XXXXXX");
	int fd = mkstemp(config_path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(text, sizeof text, "{\"models_config\":\"%s\"}", config_path);
	assert_int_equal(ask("POST", "/pitwall/control", "", text), 200);
}

static void test_tfserving_moves_a_label_to_what_is_available_alone(void **state)
{
	(void)state;
	of_kind(SERVER_TFSERVING, "41", "42");
	assert_int_equal(ask("GET", "/v1/models/m", "", ""), 200);
	assert_says(AVAILABLE("41"));
	name_file();
	write_config(CONFIG("versions: 41", "41"));
	ask("GET", "/v1/models/m", "", "");
	assert_int_equal(ask("GET", "/v1/models/m/labels/stable", "", ""), 200);
	assert_says(AVAILABLE("41"));
	write_config(CONFIG("versions: 41 versions: 42", "42")); /* too early */
	now_s += 1;
	ask("GET", "/v1/models/m/labels/stable", "", "");
	assert_says(AVAILABLE("41"));
	now_s += LOAD_S;
	ask("GET", "/v1/models/m/labels/stable", "", "");
	assert_says(AVAILABLE("42"));
	assert_int_equal(deployment.version, DEPLOYED_NEXT);
	assert_int_equal(ask("GET", "/v1/models/m/labels/none", "", ""), 404);
	unlink(config_path);
}

static void test_what_is_not_in_the_file_is_unloaded(void **state)
{
	(void)state;
	of_kind(SERVER_TFSERVING, "41", "42");
	name_file();
	write_config("model_config_list { config { name: 'other' } }");
	ask("GET", "/v1/models/m", "", "");
	now_s += 1;
	ask("GET", "/v1/models/m", "", "");
	assert_says("\"state\": \"END\"");
	write_config("model_config_list { config { name: 'm' base_path: '/m' } }"); /* the latest */
	now_s += 1;
	ask("GET", "/v1/models/m", "", "");
	assert_says("LOADING");
	now_s += LOAD_S;
	assert_int_equal(ask("GET", "/v1/models/m/versions/42", "", ""), 200);
	assert_says(AVAILABLE("42"));
	assert_int_equal(ask("GET", "/v1/models/m/versions/9", "", ""), 404);
	unlink(config_path);
}

/* ---- vLLM ---- */

static void test_vllm(void **state)
{
	static const struct {
		const char *label, *method, *path, *body;
		int         status;
		const char *says;
	} rows[] = {
		{ "no adapter", "GET", "/v1/models", "", 200, "/models/m/v1" },
		{ "not loaded", "POST", "/v1/unload_lora_adapter", "{\"lora_name\":\"a\"}", 404, "NotFoundError" },
		{ "no path", "POST", "/v1/load_lora_adapter", "{\"lora_name\":\"a\"}", 400, "must be provided" },
		{ "loaded", "POST", "/v1/load_lora_adapter", "{\"lora_name\":\"a\",\"lora_path\":\"/a/\\\"7\"}", 200, "Success" },
		{ "loaded already", "POST", "/v1/load_lora_adapter", "{\"lora_name\":\"a\",\"lora_path\":\"/a/8\"}", 400, "already been loaded" },
		{ "listed", "GET", "/v1/models", "", 200, "\"root\":\"/a/\\\"7\"" },
		{ "it generates", "POST", "/v1/completions", "{\"model\":\"a\"}", 200, "choices" },
		{ "another does not", "POST", "/v1/completions", "{\"model\":\"b\"}", 404, "does not exist" },
		{ "awake", "GET", "/is_sleeping", "", 200, "false" },
		{ "put to sleep", "POST", "/sleep", "", 200, "" },
		{ "asleep", "GET", "/is_sleeping", "", 200, "true" },
		{ "mute", "POST", "/v1/completions", "{\"model\":\"m\"}", 503, "sleeping" },
		{ "woken", "POST", "/wake_up", "", 200, "" },
		{ "unloaded", "POST", "/v1/unload_lora_adapter", "{\"lora_name\":\"a\"}", 200, "removed" },
		{ "loaded again", "POST", "/v1/load_lora_adapter", "{\"lora_name\":\"a\",\"lora_path\":\"/a/8\"}", 200, "Success" },
		{ "started anew", "POST", "/pitwall/restart", "", 202, "" },
		{ "forgotten", "POST", "/v1/unload_lora_adapter", "{\"lora_name\":\"a\"}", 404, "NotFoundError" },
		{ "without adapters", "POST", "/pitwall/control", "{\"adapters\":false}", 200, "" },
		{ "no such path then", "POST", "/v1/load_lora_adapter", "{\"lora_name\":\"a\",\"lora_path\":\"/a/8\"}", 0, "" },
	};
	(void)state;
	of_kind(SERVER_VLLM, "v1", "v2");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int status = ask(rows[i].method, rows[i].path, "", rows[i].body);
		if (status != rows[i].status || strstr(buf_text(&body), rows[i].says) == NULL)
			fail_msg("%s: %d '%s'", rows[i].label, status, buf_text(&body));
	}
	assert_int_equal(deployment.version, DEPLOYED_NOTHING);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(test_triton_loads_beside_and_unloads_late),
		WITH(test_triton_goes_back_to_its_file),
		WITH(test_what_triton_refuses),
		WITH(test_triton_unloads),
		WITH(test_torchserve),
		WITH(test_tfserving_moves_a_label_to_what_is_available_alone),
		WITH(test_what_is_not_in_the_file_is_unloaded),
		WITH(test_vllm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
