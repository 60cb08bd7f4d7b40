/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` on what a real API server and its controllers said. The recordings are not part of the project: they are looked
 * for where PITWALL_SHARED points, and the tests are skipped without them. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/slurp.h"

enum { FILES_MAX = 8 };

static struct why        why;
static struct kube_bench b;

static const char *folder(void)
{
	static char path[4096];
	struct stat st;
	const char *shared = getenv("PITWALL_SHARED");
	snprintf(path, sizeof path, "%s/samples/ops/k8s-live", shared != NULL ? shared : "../shared");
	if (stat(path, &st) != 0) {
		print_message("# skipped: no recordings at '%s' (set PITWALL_SHARED)\n", path);
		skip();
	}
	return path;
}

/* A recording: the request, "---", the status line and header, an empty line, the body. */
static char *read_recording(const char *name, struct answer *out)
{
	char path[8192];
	struct buf text;
	snprintf(path, sizeof path, "%s/%s.http", folder(), name);
	buf_init(&text, 1 << 20);
	assert_ok(slurp(path, 1 << 20, &text, NULL, &why));
	const char *status = strstr(buf_text(&text), "\n---\nHTTP/");
	assert_row(name, status != NULL);
	const char *body = strstr(status + 5, "\n\n"), *crlf = strstr(status + 5, "\r\n\r\n"),
		   *again = strstr(status + 5, "\nretry-after: ");
	body = crlf != NULL && (body == NULL || crlf < body) ? crlf + 4 : body != NULL ? body + 2 : "";
	char *copy = strdup(body);
	*out = (struct answer){ .err = ERR_OK,
		                .why = "",
		                .was_sent = true,
		                .status = (int)strtol(strchr(status + 5, ' '), NULL, 10),
		                .text = copy,
		                .n = strlen(copy),
		                .retry_after_ms = again != NULL ? strtol(again + 14, NULL, 10) * 1000 : 0 };
	buf_release(&text);
	return copy;
}

/* Plays recordings one after the other, then empty lists. */
static struct {
	const char *names[FILES_MAX];
	size_t      at;
	const char *history; /* what the revisions are told from */
} tape;

/* One revision alone was not recorded: as it stands in the list. */
static bool play_revision(const char *url, struct answer *out)
{
	static const char field[] = "?fieldSelector=metadata.name%3D";
	const char *name = strstr(url, field);
	if (tape.history == NULL || name == NULL)
		return false;
	char *text = read_recording(tape.history, out);
	struct cJSON *list = cJSON_Parse(text), *items = cJSON_GetObjectItem(list, "items");
	free(text);
	for (int i = cJSON_GetArraySize(items) - 1; i >= 0; i--)
		if (strcmp(cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(items, i), "metadata"), "name")->valuestring,
		           name + sizeof field - 1) != 0)
			cJSON_DeleteItemFromArray(items, i);
	assert_int_equal(cJSON_GetArraySize(items), 1);
	out->text = b.text = cJSON_PrintUnformatted(list);
	out->n = strlen(b.text);
	cJSON_Delete(list);
	return true;
}

static void play(void *ctx, const struct ask *ask, struct answer *out)
{
	(void)ctx;
	free(b.text);
	if (strstr(ask->url, "selfsubjectaccessreviews") != NULL) {
		b.text = read_recording("40-ssar-admin", out);
		return;
	}
	if (play_revision(ask->url, out))
		return;
	if (tape.at < FILES_MAX && tape.names[tape.at] != NULL) {
		b.text = read_recording(tape.names[tape.at++], out);
		return;
	}
	b.text = strdup("{\"kind\":\"List\",\"items\":[]}");
	*out = (struct answer){ .err = ERR_OK, .why = "", .was_sent = true, .status = 200, .text = b.text, .n = strlen(b.text) };
}

static void begin(const char *options, const char *object, const char *history)
{
	folder();
	kube_bench_begin(&b, options);
	b.carry = play;
	memset(&tape, 0, sizeof tape);
	tape.names[0] = object;
	tape.names[1] = history;
	tape.history = history;
	if (!kube_bench_look(&b, &why))
		fail_msg("%s", why.text);
}

static int end(void **state)
{
	(void)state;
	if (b.world != NULL)
		kube_bench_end(&b);
	memset(&b, 0, sizeof b);
	return 0;
}

#define DEPLOYMENT  "name: llama-8b\nnamespace: serving\ncontext: prod\n"
#define STATEFULSET "name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n"

/* v1, v2, a restart, v3 that is bad: four ReplicaSets. */
static void test_bad_release(void **state)
{
	static const char *const tags[] = { "v3-bad", "v2", "v1" };
	(void)state;
	begin(DEPLOYMENT, "17-deploy-progress-deadline-exceeded", "18-rs-list-before-undo");
	const struct found *f = &b.look.found;
	assert_int_equal(f->n_versions, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(strncmp(f->versions[i].tag, tags[i], 2) == 0);
	assert_true(f->versions[0].is_running);
	assert_false(f->is_ready);
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "exceeded its progress deadline"));
}

/* After `undo`: revisions 1, 2, 4, 5 - the restart's ReplicaSet was taken up again, and the second highest is the bad one. */
static void test_after_an_undo(void **state)
{
	(void)state;
	begin(DEPLOYMENT, "22-deploy-get-after-undo", "23-rs-list-after-undo");
	const struct found *f = &b.look.found;
	assert_int_equal(f->n_versions, 3);
	assert_string_equal(found_running(f)->tag, "v2");
	assert_string_equal(found_running(f)->name, "v2, revision 5");
	assert_string_equal(found_running(f)->by, "opsconsole");
	assert_true(strncmp(f->versions[1].tag, "v3", 2) == 0);
	assert_true(f->is_ready);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "v1", &why));
	const struct step *s = &b.forward.items[1];
	tape.names[0] = "19c-undo-strategic-patch-replace-stale-409";
	tape.names[1] = "22-deploy-get-after-undo";
	tape.names[2] = "21-undo-ok";
	tape.at = 0;
	assert_int_equal(kube_bench_step(&b, s, 0), VERDICT_FAILED); /* what came back runs v2: not what was meant */
	assert_int_equal(tape.at, 3);
	assert_non_null(strstr(b.last.text, "made something else of it"));
}

static void test_paused(void **state)
{
	(void)state;
	begin(DEPLOYMENT, "53-deploy-get-paused", "23-rs-list-after-undo");
	assert_true(kube_bench_warns(&b, WARNING_NOTE, "it is paused"));
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	assert_true(kube_bench_warns(&b, WARNING_FORBIDS, "it is paused"));
	assert_int_equal(b.forward.n, 0);
}

static void test_statefulset(void **state)
{
	(void)state;
	begin(STATEFULSET, "74-sts-get-complete", "75-controllerrevisions");
	assert_int_equal(b.look.found.n_versions, 2);
	assert_string_equal(found_running(&b.look.found)->tag, "24.02");
	assert_true(b.look.found.is_ready);
	assert_ok(kube_bench_plan(&b, DEPLOY_ROLLBACK, "24.01", &why));
	tape.names[0] = "76-sts-undo-dryrun";
	tape.at = 0;
	assert_int_equal(kube_bench_step(&b, &b.forward.items[0], 0), VERDICT_DONE);
	tape.names[0] = "77-sts-undo";
	tape.at = 0;
	assert_int_equal(kube_bench_step(&b, &b.forward.items[1], 0), VERDICT_DONE);
	tape.names[0] = "73-sts-get-rolling"; /* of 24.02: somebody else's */
	tape.at = 0;
	assert_int_equal(kube_bench_step(&b, &b.forward.items[2], 1), VERDICT_FAILED);
	tape.names[0] = "78-sts-get-after-undo";
	tape.at = 0;
	assert_int_not_equal(kube_bench_step(&b, &b.forward.items[2], 1), VERDICT_FAILED);
	kube_bench_end(&b);
	begin(STATEFULSET, "78-sts-get-after-undo", "79-controllerrevisions-after-undo");
	assert_string_equal(found_running(&b.look.found)->name, "24.01, revision 3");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *name, *want;
		enum verdict_kind kind;
	} rows[] = {
		{ "30-err-404", "HTTP 404: deployments.apps \"nope\" not found", VERDICT_FAILED },
		{ "31-err-401", "the login is refused, trying once more", VERDICT_AGAIN },
		{ "32-err-403", "HTTP 403: deployments.apps \"llama-8b\" is forbidden: User \"viewer\"", VERDICT_FAILED },
		{ "33-err-422", "- fields: spec.replicas, spec.template.metadata.labels, spec.selector", VERDICT_FAILED },
		{ "34-err-400-badjson", "looking at it", VERDICT_AGAIN }, /* 500 it was, in truth */
		{ "35-err-415", "HTTP 415", VERDICT_FAILED },
		{ "36-err-405", "HTTP 405", VERDICT_FAILED },
		{ "37-err-404-unknown-group", "does not know this kind of object", VERDICT_FAILED },
		{ "38-err-409-exists", "already exists", VERDICT_FAILED },
		{ "39-err-dryrun-bad", "fields: dryRun", VERDICT_FAILED },
		{ "11-restart-stale-rv-409", "looking at it", VERDICT_AGAIN },
		{ "19-undo-test-fails", "HTTP 422: the server rejected our request", VERDICT_FAILED },
		{ "50d-list-exact-old-rv-410", "looking at it", VERDICT_AGAIN },
		{ "50e-list-future-rv-504", "looking at it", VERDICT_AGAIN },
		{ "51-ssa-conflict", "looking at it", VERDICT_AGAIN },
	};
	(void)state;
	begin(DEPLOYMENT, "22-deploy-get-after-undo", "23-rs-list-after-undo");
	assert_ok(kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(&tape, 0, sizeof tape);
		tape.names[0] = rows[i].name;
		enum verdict_kind kind = kube_bench_step(&b, &b.forward.items[1], 1);
		if (kind != rows[i].kind || strstr(b.last.text, rows[i].want) == NULL)
			fail_msg("%s: %s", rows[i].name, b.last.text);
	}
}

/* Every recording as the answer to everything: nothing breaks, and all end. */
static void test_everything_to_everything(void **state)
{
	static const char *const names[] = { "00-version",
		                             "03-deploy-get-progressing",
		                             "05-deploy-get-complete",
		                             "06-pods-list",
		                             "08-deploy-get-rolling",
		                             "10-rs-list-v2",
		                             "24-events",
		                             "25-scale-get",
		                             "42-ssrr-viewer",
		                             "62-watch-too-old",
		                             "75-controllerrevisions",
		                             "82-isvc-canary0-mergepatch",
		                             "87-rollout-abort-status" };
	static const char *const kinds[] = { DEPLOYMENT, STATEFULSET, DEPLOYMENT "kind: daemonset\n", DEPLOYMENT "kind: rollout\n",
		                             DEPLOYMENT "kind: inferenceservice\n" };
	(void)state;
	folder();
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			kube_bench_begin(&b, kinds[k]);
			b.carry = play;
			memset(&tape, 0, sizeof tape);
			for (size_t n = 0; n < FILES_MAX; n++)
				tape.names[n] = names[(i + n) % (sizeof names / sizeof names[0])];
			if (kube_bench_look(&b, &why) && kube_bench_plan(&b, DEPLOY_REDEPLOY, NULL, &why) == ERR_OK)
				for (size_t s = 0; s < b.forward.n; s++)
					(void)kube_bench_step(&b, &b.forward.items[s], FILES_MAX);
			else
				assert_true(why.text[0] != '\0');
			end(NULL);
		}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		CASE(test_bad_release),
		CASE(test_after_an_undo),
		CASE(test_paused),
		CASE(test_statefulset),
		CASE(test_refusals),
		CASE(test_everything_to_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
