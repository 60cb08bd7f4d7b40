/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver `kubernetes` and its logins while memory runs out: a look and a plan are whole or none. */
#include "tests/unit/deploy/kube_bench.h"

#include <cjson/cJSON.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "deploy/kube_config.h"
#include "deploy/lock.h"
#include "tests/unit/faults.h"

static struct why why;

#define COLLECTION "/apis/apps/v1/namespaces/serving/"

/* Requests are the test's: they can't fail. */
static void carry(void *ctx, const struct ask *ask, struct answer *out)
{
	struct kube_bench *b = ctx;
	struct kube_reply r;
	fault_pause();
	const char *target = strchr(ask->url + strlen("kubernetes://"), '/');
	kube_world_handle(b->world, ask->method, target, ask->n_headers > 0 ? ask->headers[0].value : "", "",
	                  ask->body != NULL ? ask->body : "", &r);
	free(b->text);
	b->text = r.text;
	*out = (struct answer){ .err = ERR_OK, .why = "", .was_sent = true, .status = r.status, .text = r.text, .n = strlen(r.text) };
	fault_resume();
}

static void print(const struct kube_bench *b, struct buf *to)
{
	for (size_t i = 0; i < b->look.found.n_versions; i++)
		buf_printf(to, "%s %s\n", b->look.found.versions[i].name, b->look.found.versions[i].data);
	buf_printf(to, "%s\n", b->look.found.before);
	for (size_t i = 0; i < b->forward.n + b->back.n; i++) {
		const struct step *s = i < b->forward.n ? &b->forward.items[i] : &b->back.items[i - b->forward.n];
		buf_printf(to, "%s %s\n", s->title, s->note);
		ask_print(&s->ask, 1 << 16, to);
	}
}

/* A look and a plan of a rollback; what they give in the end is `ctx`, "" for the first time. */
static enum err look_and_plan(void *ctx, struct why *sentence)
{
	struct buf *want = ctx, got;
	static struct kube_bench b;
	enum err e = ERR_OK;
	fault_pause();
	kube_bench_begin(&b, "name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	b.carry = carry;
	b.ctx = &b;
	kube_world_add(
		b.world, COLLECTION "statefulsets",
		"{\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"triton\"},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"t\"}},"
		"\"template\":{\"metadata\":{\"labels\":{\"app\":\"t\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"t:1\"}]}}}}");
	kube_world_change(b.world, COLLECTION "statefulsets/triton",
	                  "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"t:2\"}]}}}}");
	kube_world_settle(b.world);
	fault_resume();
	sentence->text[0] = '\0';
	if (!kube_bench_look(&b, sentence))
		e = ERR_MEMORY;
	if (e == ERR_OK) {
		struct planning p = { .deploy = &b.deploy,
			              .settings = &b.settings,
			              .unit = &b.unit,
			              .found = &b.look.found,
			              .kind = DEPLOY_ROLLBACK,
			              .to = &b.look.found.versions[1],
			              .key = "run-1",
			              .now_ms = 1,
			              .arena = &b.arena,
			              .forward = &b.forward,
			              .back = &b.back };
		if (b.look.found.n_versions != 2)
			fail_msg("%s: a look without its versions", fault_label());
		e = b.driver->plan(&p, sentence);
	}
	fault_end();
	if (e != ERR_OK && sentence->text[0] == '\0')
		fail_msg("%s: fails without a sentence", fault_label());
	if (e == ERR_OK) {
		buf_init(&got, 1 << 20);
		print(&b, &got);
		if (want->len == 0)
			buf_puts(want, buf_text(&got));
		fault_same(buf_text(&got), buf_text(want));
		buf_release(&got);
	}
	kube_bench_end(&b);
	return e;
}

static void test_look_and_plan(void **state)
{
	struct buf want;
	(void)state;
	buf_init(&want, 1 << 20);
	fault_pause();
	assert_int_equal(look_and_plan(&want, &why), ERR_OK);
	fault_resume();
	fault_loop("look and plan", ERR_OK, look_and_plan, &want);
	buf_release(&want);
}

/* Takes the lock, renews it and gives it back; where memory ran out it is not known, which is never taken for ours. */
static enum err lock_and_free(void *ctx, struct why *sentence)
{
	static struct kube_bench b;
	static const enum lock_wish wishes[] = { LOCK_TAKES, LOCK_TAKES, LOCK_GIVES_BACK };
	static const enum lock_state want[] = { LOCK_TAKEN, LOCK_KEPT, LOCK_FREE };
	enum err e = ERR_OK;
	(void)ctx;
	fault_pause();
	kube_bench_begin(&b, "name: triton\nnamespace: serving\ncontext: prod\nkind: statefulset\n");
	fault_resume();
	for (size_t i = 0; i < 3 && e == ERR_OK; i++) {
		struct locking l = { .driver = b.driver, .settings = &b.settings, .unit = &b.unit, .wish = wishes[i], .path = "x", .takes = "", .now_ms = 1795446000000, .arena = &b.arena,
			             .holder = { "key-1", "kim", "jump1", "rollback of chat" } };
		struct answer answer;
		enum look_turn t;
		while ((t = lock_turn(&l)) == LOOK_ASK) {
			carry(&b, &l.next, &answer);
			l.last = &answer;
		}
		if (t == LOOK_DONE && l.seen.state == LOCK_UNKNOWN)
			e = why_set(sentence, ERR_MEMORY, "%s", l.seen.text);
		else if (t != LOOK_DONE || l.seen.state != want[i])
			fail_msg("%s: state %d in place of %d", fault_label(), (int)l.seen.state, (int)want[i]);
	}
	fault_end();
	kube_bench_end(&b);
	return e;
}

static void test_lock(void **state)
{
	(void)state;
	fault_loop("lock", ERR_OK, lock_and_free, NULL);
}

static char path[64];

static enum err log_in(void *ctx, struct why *sentence)
{
	struct login l = { 0 };
	(void)ctx;
	const struct kube_places p = { .file = path, .list = "", .home = "", .host = "", .port = "", .account = "", .now_ms = 1000 };
	enum err e = kube_login(&p, "c", &l, sentence);
	fault_end();
	if (e == ERR_OK && (l.n_headers != 2 || strcmp(l.secret.text, "t") != 0 || strcmp(l.base, "https://h") != 0 || l.cert == NULL ||
	                    l.key_file == NULL))
		fail_msg("%s: a login without a part of it", fault_label());
	login_release(&l);
	return e;
}

static void test_login(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/pitwall-kube-XXXXXX");
	int fd = mkstemp(path);
	static const char text[] =
		"contexts: [ { name: c, context: { cluster: k, user: u } } ]\nclusters: [ { name: k, cluster: { server: \"https://h\", certificate-authority: ca } } ]\n"
		"users: [ { name: u, user: { token: t, as: j, as-groups: g, client-key: k, client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg== } } ]\n";
	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	close(fd);
	fault_loop("login", ERR_OK, log_in, NULL);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_and_plan), cmocka_unit_test(test_lock),
		cmocka_unit_test(test_login),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
