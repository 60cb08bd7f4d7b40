/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lease that a run has beside a workload: exact requests, two who want it, one whose holder is gone, logins that may not, answers that never come. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>

#include "deploy/lock.h"

static struct kube_bench b;

#define DEPLOYMENTS "/apis/apps/v1/namespaces/serving/deployments"
#define LEASES      "/apis/coordination.k8s.io/v1/namespaces/serving/leases"
#define LEASE       LEASES "/pitwall-deployment-a"
#define OPTIONS     "name: a\nnamespace: serving\ncontext: prod\n"
#define WORKLOAD                                                                                                                            \
	"{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"a\"}},"   \
	"\"template\":{\"metadata\":{\"labels\":{\"app\":\"a\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"a:v1\"}]}}}}"

static const struct lock_holder kim = { "key-kim", "kim", "jump1", "rollback of chat to v11" }, lee = { "key-lee", "lee", "jump2", "redeploy of chat" };
static int64_t now_ms; /* the cluster's */

static void tick(int64_t ms)
{
	now_ms += ms;
	kube_world_clock(b.world, now_ms);
}

static int begin(void **state)
{
	(void)state;
	kube_bench_begin(&b, OPTIONS);
	kube_world_add(b.world, DEPLOYMENTS, WORKLOAD);
	now_ms = (int64_t)BENCH_NOW_S * 1000;
	tick(0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kube_bench_end(&b);
	return 0;
}

/* Nobody's own clock is compared with another's: this one is a year off. */
static void init(struct locking *l, enum lock_wish wish, const struct lock_holder *h, const char *takes)
{
	static const struct lock_holder nobody = { "", "", "", "" };
	*l = (struct locking){ .driver = b.driver, .settings = &b.settings, .unit = &b.unit, .wish = wish, .path = "x", .holder = h != NULL ? *h : nobody, .takes = takes,
		               .now_ms = now_ms - INT64_C(365) * 24 * 3600 * 1000, .arena = &b.arena };
}

/* One turn. True: it is over. */
static bool turn(struct locking *l)
{
	static struct answer answer;
	switch (lock_turn(l)) {
	case LOOK_ASK:
		kube_bench_ask(&b, &l->next, &answer);
		l->last = &answer;
		return false;
	case LOOK_WAIT:
		assert_true(l->wait_ms > 0 && l->wait_ms <= 5000);
		l->last = NULL;
		return false;
	case LOOK_DONE:
		return true;
	case LOOK_FAILED:
		break;
	}
	fail_msg("a lock's conversation never fails");
	return true;
}

static struct lock_seen talk(enum lock_wish wish, const struct lock_holder *h, const char *takes)
{
	struct locking l;
	int n = 0;
	init(&l, wish, h, takes);
	while (!turn(&l))
		assert_true(n++ < 20);
	return l.seen;
}

static void expect(const char *label, struct lock_seen seen, enum lock_state state, const char *part)
{
	if (seen.state != state || strstr(seen.text, part) == NULL)
		fail_msg("%s: state %d, not %d, '%s' without '%s'", label, (int)seen.state, (int)state, seen.text, part);
}

static struct lock_seen look(void) { return talk(LOCK_LOOKS, NULL, ""); }
static struct lock_seen take(const struct lock_holder *h, const char *takes) { return talk(LOCK_TAKES, h, takes); }

static void expect_asked(const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(kube_world_request(b.world, i), lines[i]);
	assert_null(kube_world_request(b.world, n));
}

static const char *version_of(const char *path)
{
	return cJSON_GetObjectItem(cJSON_GetObjectItem(kube_world_find(b.world, path), "metadata"), "resourceVersion")->valuestring;
}

static void test_exact_requests(void **state)
{
	static const char *const looked[] = { "GET " LEASE, "POST " LEASES "?fieldManager=pitwall&dryRun=All" };
	static const char *const taken[] = { "GET " LEASE, "POST " LEASES "?fieldManager=pitwall" };
	static const char *const kept[] = { "GET " LEASE, "PATCH " LEASE "?fieldManager=pitwall" };
	static const char *const tried[] = { "GET " LEASE, "PATCH " LEASE "?fieldManager=pitwall&dryRun=All" };
	char body[256];
	(void)state;
	kube_world_forget(b.world);
	expect("nobody has it", look(), LOCK_FREE, "");
	expect_asked(looked, 2);
	assert_null(kube_world_find(b.world, LEASE)); /* to look is to change nothing */
	kube_world_forget(b.world);
	expect("it is taken", take(&kim, ""), LOCK_TAKEN, "");
	expect_asked(taken, 2);
	assert_string_equal(kube_world_body(b.world, 1),
	                    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"annotations\":{\"pitwall/host\":\"jump1\","
	                    "\"pitwall/what\":\"rollback of chat to v11\",\"pitwall/who\":\"kim\"},\"labels\":{\"app.kubernetes.io/managed-by\":\"pitwall\"},"
	                    "\"name\":\"pitwall-deployment-a\"},\"spec\":{\"acquireTime\":\"2026-11-23T15:00:00.000000Z\",\"holderIdentity\":\"key-kim\","
	                    "\"leaseDurationSeconds\":180,\"leaseTransitions\":0,\"renewTime\":\"2026-11-23T15:00:00.000000Z\"}}");
	kube_world_forget(b.world);
	tick(LOCK_BEAT_MS);
	snprintf(body, sizeof body, "{\"metadata\":{\"resourceVersion\":\"%s\"},\"spec\":{\"renewTime\":\"2026-11-23T15:00:45.000000Z\"}}", version_of(LEASE));
	expect("again", take(&kim, ""), LOCK_KEPT, "");
	expect_asked(kept, 2);
	assert_string_equal(kube_world_body(b.world, 1), body);
	kube_world_forget(b.world);
	snprintf(body, sizeof body, "{\"metadata\":{\"annotations\":{\"pitwall/host\":null,\"pitwall/what\":null,\"pitwall/who\":null},\"resourceVersion\":\"%s\"},"
	         "\"spec\":{\"holderIdentity\":null}}", version_of(LEASE));
	talk(LOCK_GIVES_BACK, &kim, "");
	expect_asked(kept, 2);
	assert_string_equal(kube_world_body(b.world, 1), body);
	kube_world_forget(b.world);
	expect("nobody has it again", look(), LOCK_FREE, "");
	expect_asked(tried, 2);
	expect("another takes what is there", take(&lee, ""), LOCK_TAKEN, "");
	const cJSON *spec = cJSON_GetObjectItem(kube_world_find(b.world, LEASE), "spec");
	assert_int_equal(cJSON_GetObjectItem(spec, "leaseTransitions")->valueint, 1);
}

/* Nothing of the workload is touched: no pod starts anew, and whoever watches it sees nothing. */
static void test_the_workload_stays(void **state)
{
	char before[32];
	(void)state;
	snprintf(before, sizeof before, "%s", version_of(DEPLOYMENTS "/a"));
	kube_world_forget(b.world);
	look();
	take(&kim, "");
	take(&kim, "");
	talk(LOCK_GIVES_BACK, &kim, "");
	assert_string_equal(version_of(DEPLOYMENTS "/a"), before);
	for (size_t i = 0; kube_world_request(b.world, i) != NULL; i++)
		assert_null(strstr(kube_world_request(b.world, i), "/apis/apps/"));
}

static void test_another_has_it(void **state)
{
	(void)state;
	expect("it is taken", take(&kim, ""), LOCK_TAKEN, "");
	tick(60 * 1000);
	expect("another is told", take(&lee, ""), LOCK_HELD, "kim on jump1 holds the lock: rollback of chat to v11, since 2026-11-23T15:00:00");
	expect("who looks is told", look(), LOCK_HELD, "kim on jump1");
	expect("a fresh one is not taken over", take(&lee, "key-kim"), LOCK_HELD, "kim");
	talk(LOCK_GIVES_BACK, &lee, "");
	expect("it is not another's to give back", look(), LOCK_HELD, "kim");
	tick(LOCK_STALE_MS);
	struct lock_seen seen = look();
	expect("its holder is gone", seen, LOCK_STALE, "not heard of for 4m");
	assert_string_equal(seen.key, "key-kim");
	expect("it is not taken over by itself", take(&lee, ""), LOCK_STALE, "kim");
	expect("nor that of whom nobody was told", take(&lee, "key-ann"), LOCK_STALE, "kim");
	expect("by choice", take(&lee, "key-kim"), LOCK_TAKEN, "");
	expect("who comes back is told", take(&kim, ""), LOCK_HELD, "lee on jump2");
	tick(-3600 * 1000);
	expect("heard of from the future", look(), LOCK_STALE, "lee");
}

static void test_own_after_a_while(void **state)
{
	(void)state;
	take(&kim, "");
	tick(10 * LOCK_STALE_MS);
	expect("a recorder that comes back finds its own", take(&kim, ""), LOCK_KEPT, "");
	expect("and has it", look(), LOCK_HELD, "kim");
}

/* Both have read the same before either writes. */
static void test_two_at_once(void **state)
{
	struct locking l;
	static const char *const given[] = { "nobody has made it", "it is there, and nobody's", "a stale one" };
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		kube_bench_end(&b);
		begin(NULL);
		if (i > 0)
			take(&kim, "");
		if (i == 1)
			talk(LOCK_GIVES_BACK, &kim, "");
		tick(2 * LOCK_STALE_MS);
		init(&l, LOCK_TAKES, &kim, "key-ann");
		l.holder.key = "key-slow";
		l.takes = "key-kim";
		assert_false(turn(&l)); /* it has been read */
		struct answer read = *l.last;
		char *text = strdup(read.text);
		assert_non_null(text);
		read.text = text;
		l.last = &read;
		expect(given[i], take(&lee, "key-kim"), LOCK_TAKEN, "");
		for (int n = 0; !turn(&l);)
			assert_true(n++ < 20);
		expect(given[i], l.seen, LOCK_HELD, "lee on jump2");
		free(text);
	}
}

static void test_conflicts_end(void **state)
{
	(void)state;
	take(&kim, "");
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STALE, 0, 0, 2);
	expect("it is read again", take(&kim, ""), LOCK_KEPT, "");
	kube_world_fault(b.world, "PATCH", KUBE_FAULT_STALE, 0, 0, 1000);
	kube_world_forget(b.world);
	expect("not for ever", take(&kim, ""), LOCK_UNKNOWN, "others changed the Lease each of 5 times");
	assert_int_equal(kube_world_count(b.world, "PATCH"), 5);
}

/* What was sent may have happened. */
static void test_lost_answers(void **state)
{
	static const struct {
		const char     *label, *method;
		enum kube_fault fault;
		bool            is_there;
		enum lock_state want;
	} rows[] = {
		{ "made, and not heard of",     "POST",  KUBE_FAULT_SILENT, false, LOCK_KEPT },
		{ "not made",                   "POST",  KUBE_FAULT_LOST,   false, LOCK_TAKEN },
		{ "taken, and not heard of",    "PATCH", KUBE_FAULT_SILENT, true,  LOCK_KEPT },
		{ "not taken",                  "PATCH", KUBE_FAULT_LOST,   true,  LOCK_TAKEN },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		if (rows[i].is_there) {
			take(&lee, "");
			talk(LOCK_GIVES_BACK, &lee, "");
		}
		kube_world_fault(b.world, rows[i].method, rows[i].fault, 0, 0, 1);
		expect(rows[i].label, take(&kim, ""), rows[i].want, "");
		expect(rows[i].label, look(), LOCK_HELD, "kim");
	}
}

static void test_refused(void **state)
{
	static const char forbidden[] = "leases.coordination.k8s.io is forbidden: User \"x\" cannot do that in the namespace \"serving\"";
	static const struct {
		const char     *label, *begin, *part;
		int             status;
		const char     *reason, *message;
		bool            is_there;
		enum lock_state look, take; /* what look and take come to */
		const char     *says;
	} rows[] = {
		{ "may not get",      "GET " LEASE,   "",       403, "Forbidden",     forbidden, false, LOCK_CANNOT,  LOCK_CANNOT,  "this login may not get leases in namespace serving" },
		{ "may not create",   "POST " LEASES, "",       403, "Forbidden",     forbidden, false, LOCK_CANNOT,  LOCK_CANNOT,  "this login may not create leases" },
		{ "may not patch",    "PATCH " LEASE, "",       403, "Forbidden",     forbidden, true,  LOCK_CANNOT,  LOCK_CANNOT,  "this login may not patch leases" },
		{ "a quota",          "POST " LEASES, "",       403, "Forbidden",     "exceeded quota: objects, requested: count/leases=1", false, LOCK_CANNOT, LOCK_CANNOT, "exceeded quota" },
		{ "a webhook",        "POST " LEASES, "",       400, "BadRequest",    "admission webhook \"w\" denied the request: no", false, LOCK_CANNOT, LOCK_CANNOT, "admission webhook" },
		{ "no login",         "GET " LEASE,   "",       401, "Unauthorized",  "Unauthorized", false, LOCK_UNKNOWN, LOCK_UNKNOWN, "HTTP 401" },
		{ "ill",              "GET " LEASE,   "",       500, "InternalError", "Internal error", false, LOCK_UNKNOWN, LOCK_UNKNOWN, "HTTP 500" },
		{ "no such group",    "POST " LEASES, "",       404, "NotFound",      "the server could not find the requested resource", false, LOCK_CANNOT, LOCK_CANNOT, "HTTP 404" },
		{ "control bytes",    "GET " LEASE,   "",       403, "Forbidden",     "a\033[2Jb", false, LOCK_CANNOT, LOCK_CANNOT, "may not get" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		if (rows[i].is_there) {
			take(&kim, "");
			talk(LOCK_GIVES_BACK, &kim, "");
		}
		kube_world_refuses(b.world, rows[i].begin, rows[i].part, rows[i].status, rows[i].reason, rows[i].message);
		expect(rows[i].label, look(), rows[i].look, rows[i].says);
		expect(rows[i].label, take(&kim, ""), rows[i].take, rows[i].says);
		assert_null(strchr(take(&kim, "").text, '\033'));
	}
}

static void test_no_answer(void **state)
{
	(void)state;
	kube_world_fault(b.world, "GET", KUBE_FAULT_LOST, 0, 0, 1);
	expect("nothing comes", look(), LOCK_UNKNOWN, "no answer in time");
	kube_world_fault(b.world, "GET", KUBE_FAULT_TEXT, 200, 0, 1);
	expect("a login page", look(), LOCK_UNKNOWN, "no JSON");
	kube_world_fault(b.world, "GET", KUBE_FAULT_STATUS, 429, 0, 2);
	expect("busy for a while", take(&kim, ""), LOCK_TAKEN, "");
}

/* Anybody may write such an object. */
static void test_hostile_leases(void **state)
{
	static const struct {
		const char     *label, *lease;
		enum lock_state want;
		const char     *says;
	} rows[] = {
		{ "no times at all", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\",\"creationTimestamp\":\"2020-01-01T00:00:00Z\"},\"spec\":{\"holderIdentity\":\"x\"}}", LOCK_STALE,
		  "somebody holds the lock" },
		{ "times that are none", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\"},\"spec\":{\"holderIdentity\":\"x\",\"renewTime\":\"now\",\"leaseDurationSeconds\":1e300}}",
		  LOCK_STALE, "somebody" },
		{ "one that lasts for ever", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\"},\"spec\":{\"holderIdentity\":\"x\",\"renewTime\":\"2026-11-21T15:00:00.000000Z\",\"leaseDurationSeconds\":2000000000}}",
		  LOCK_STALE, "somebody" },
		{ "another's own, just now", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\"},\"spec\":{\"holderIdentity\":\"ctl_1\",\"renewTime\":\"2026-11-23T14:59:50.000000Z\",\"leaseDurationSeconds\":15}}",
		  LOCK_HELD, "somebody" },
		{ "control bytes in a name", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\",\"annotations\":{\"pitwall/who\":\"k\\u001b[2Jim\"}},\"spec\":{\"holderIdentity\":\"x\",\"renewTime\":\"2026-11-23T15:00:00.000000Z\"}}",
		  LOCK_HELD, "holds the lock" },
		{ "a holder that is no text", "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"pitwall-deployment-a\"},\"spec\":{\"holderIdentity\":{}}}", LOCK_FREE, "" },
		{ "no Lease", "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"pitwall-deployment-a\"}}", LOCK_UNKNOWN, "no Lease" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kube_bench_end(&b);
		begin(NULL);
		kube_world_add(b.world, LEASES, rows[i].lease);
		struct lock_seen seen = look();
		expect(rows[i].label, seen, rows[i].want, rows[i].says);
		assert_null(strchr(seen.text, '\033'));
	}
}

/* The cluster's clock is what counts; without one our own is all there is. */
static void test_without_a_date(void **state)
{
	(void)state;
	take(&kim, "");
	kube_world_clock(b.world, 0);
	expect("our own is a year off", look(), LOCK_STALE, "kim");
}

static void test_names(void **state)
{
	static const char *const kinds[] = { "deployment", "statefulset", "daemonset", "rollout", "inferenceservice" };
	char options[512], long_name[254], want[128];
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		kube_bench_end(&b);
		snprintf(options, sizeof options, OPTIONS "kind: %s\n", kinds[i]);
		kube_bench_begin(&b, options);
		snprintf(want, sizeof want, "Lease serving/pitwall-%s-a", kinds[i]);
		assert_string_equal(lock_place(&b.arena, b.driver, &b.settings, "/tmp", "chat"), want);
	}
	kube_bench_end(&b);
	memset(long_name, 'n', 253);
	long_name[253] = '\0';
	snprintf(options, sizeof options, "name: %s\nnamespace: serving\ncontext: prod\n", long_name);
	kube_bench_begin(&b, options);
	const char *place = lock_place(&b.arena, b.driver, &b.settings, "/tmp", "chat");
	assert_int_equal(strlen(place), strlen("Lease serving/") + 253);
	assert_true(lock_is_possible(b.driver, &b.unit));
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_exact_requests), CASE(test_the_workload_stays), CASE(test_another_has_it), CASE(test_own_after_a_while), CASE(test_two_at_once),
		CASE(test_conflicts_end),  CASE(test_lost_answers),       CASE(test_refused),        CASE(test_no_answer),         CASE(test_hostile_leases),
		CASE(test_without_a_date), CASE(test_names),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}
