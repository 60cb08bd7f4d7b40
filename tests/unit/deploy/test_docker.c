/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers docker and compose: options, what is found, and what is created. */
#include "tests/unit/unit.h"

#include "base/buf.h"
#include "tests/unit/deploy/docker_bench.h"

/* ---- options ---- */

static void test_options(void **state)
{
	static const struct {
		const char *label, *driver, *options, *says; /* "" they are good */
	} rows[] = {
		{ "by name", "docker", "container: \"{model}-1\"\n", "" },
		{ "by labels", "docker", "labels: { app: \"{model}\" }\n", "" },
		{ "neither", "docker", "pull: never\n", "one of 'container' and 'labels'" },
		{ "both", "docker", "container: a\nlabels: { a: b }\n", "one of 'container' and 'labels'" },
		{ "no labels", "docker", "labels: {}\n", "all containers would be meant" },
		{ "no name", "docker", "container: \"a b\"\n", "no name of a container" },
		{ "an unknown {name}", "docker", "container: \"{nobody}\"\n", "nobody" },
		{ "a socket that is no path", "docker", "container: a\nsocket: tcp://h:2375\n", "whole path" },
		{ "a command that fetches", "docker", "container: a\npull_command: [docker, pull, \"{image}\"]\n", "" },
		{ "one with an unknown {name}", "docker", "container: a\npull_command: [docker, pull, \"{version}\"]\n", "pull_command" },
		{ "compose", "compose", "service: chat\n", "" },
		{ "an option for a service", "compose", "service: \"-f\"\n", "no service" },
		{ "compose itself, nowhere", "compose", "service: chat\nvia: cli\n", "directory" },
		{ "compose itself", "compose", "service: chat\nvia: cli\ndirectory: /srv/chat\nvariable: TAG\nfiles: [a.yml]\n", "" },
		{ "a variable without it", "compose", "service: chat\nvariable: TAG\n", "variable" },
		{ "no variable", "compose", "service: chat\nvia: cli\ndirectory: /srv\nvariable: \"A=B\"\n", "variable" },
		{ "an option for a file", "compose", "service: chat\nvia: cli\ndirectory: /srv\nfiles: [\"-x\"]\n", "begins with '-'" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		driver_bench_init(&bench, driver_find(rows[i].driver), rows[i].options);
		bool is_good = bench.err == ERR_OK;
		if (is_good != (rows[i].says[0] == '\0') || (!is_good && strstr(bench.why.text, rows[i].says) == NULL))
			fail_msg("%s: '%s'", rows[i].label, is_good ? "" : bench.why.text);
		driver_bench_release(&bench);
	}
}

/* ---- looking ---- */

static const char *versions(void)
{
	const char *text = "";
	for (size_t i = 0; i < bench.look.found.n_versions; i++) {
		const struct version *v = &bench.look.found.versions[i];
		text = arena_printf(&bench.arena, "%s%s%s%s", text, i > 0 ? " " : "", v->name, v->is_running ? "*" : "");
	}
	return text;
}

static void test_versions(void **state)
{
	static const struct {
		const char *label, *list, *config, *images, *want;
	} rows[] = {
		{ "images of the repository", LIST, CONFIG, IMAGES, "v1* v2" },
		{ "no list of images", LIST, CONFIG, "[]", "111111111111*" },
		{ "the tag moved to another image", LIST, "\"Image\":\"reg.example/chat:latest\"",
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":null,\"RepoDigests\":null},{\"Id\":\"" IMAGE_2
		  "\",\"RepoTags\":[\"reg.example/chat:latest\"]}]",
		  "111111111111* latest" },
		{ "a repository whose name begins so", LIST, CONFIG,
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:v1\"]},{\"Id\":\"" IMAGE_2
		  "\",\"RepoTags\":[\"reg.example/chat-next:v2\"]}]",
		  "v1*" },
		{ "a registry with a port", LIST, "\"Image\":\"reg.example:5000/chat\"",
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example:5000/chat:latest\"]},{\"Id\":\"" IMAGE_2
		  "\",\"RepoTags\":[\"reg.example:5000/chat:v2\"]}]",
		  "latest* v2" },
		{ "a digest without a tag", LIST, CONFIG,
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:v1\"]},{\"Id\":\"" IMAGE_2
		  "\",\"RepoTags\":[\"<none>:<none>\"],"
		  "\"RepoDigests\":[\"reg.example/chat@sha256:" HEX("e") "\"]}]",
		  "v1* 222222222222" },
		{ "several tags: the container's own", LIST, CONFIG,
		  "[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:stable\",\"reg.example/chat:v1\"]}]", "v1*" },
		{ "made by an id, with our label", LIST, "\"Image\":\"" IMAGE_1 "\",\"Labels\":{\"io.pitwall.image\":\"reg.example/chat\"}",
		  IMAGES, "v1* v2" },
		{ "one that is kept goes first",
		  "[" ENTRY(OLD, "chat", IMAGE_1, "running", "\"io.pitwall.run\":\"k1\"") "," ENTRY(KEPT, "chat-before-k1", IMAGE_3,
		                                                                                    "exited", "") "]",
		  CONFIG, IMAGES, "v1* 333333333333 v2" },
		{ "one that a person called so is nothing of ours",
		  "[" ENTRY(OLD, "chat", IMAGE_1, "running", "") "," ENTRY(KEPT, "chat-before-lunch", IMAGE_3, "exited", "") "]", CONFIG,
		  IMAGES, "v1* v2" },
		{ "the one before, by a label", LIST, CONFIG ",\"Labels\":{\"io.pitwall.previous\":\"" IMAGE_3 "\"}", IMAGES,
		  "v1* 333333333333 v2" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_with("docker", OPTIONS);
		if (look_at(ENGINE, rows[i].list, old_with(rows[i].config, HOST, ""), IMAGE, rows[i].images) != LOOK_DONE)
			fail_msg("%s: %s", rows[i].label, bench.why.text);
		if (strcmp(versions(), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, versions());
		driver_bench_release(&bench);
	}
}

static void test_what_is_warned_of(void **state)
{
	static const struct {
		const char        *label, *list, *state, *config, *host, *image; /* NULL: the image is gone */
		enum warning_level level;
		const char        *says;
	} rows[] = {
		{ "--rm", LIST, RUNNING, CONFIG, HOST ",\"AutoRemove\":true", IMAGE, WARNING_FORBIDS, "started with --rm" },
		{ "swarm", LIST, RUNNING, CONFIG ",\"Labels\":{\"com.docker.swarm.service.id\":\"x\"}", HOST, IMAGE, WARNING_FORBIDS,
		  "belongs to Swarm" },
		{ "kubernetes", LIST, RUNNING, CONFIG ",\"Labels\":{\"io.kubernetes.pod.name\":\"x\"}", HOST, IMAGE, WARNING_FORBIDS,
		  "belongs to Kubernetes" },
		{ "compose", LIST, RUNNING,
		  CONFIG ",\"Labels\":{\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"chat\"}", HOST, IMAGE,
		  WARNING_CARE, "project shop" },
		{ "ended", LIST, "\"Status\":\"exited\",\"Running\":false,\"ExitCode\":137,\"OOMKilled\":true", CONFIG, HOST, IMAGE,
		  WARNING_CARE, "(exited, exit status 137, killed for want of memory)" },
		{ "paused", LIST, "\"Status\":\"paused\",\"Running\":true,\"Paused\":true", CONFIG, HOST, IMAGE, WARNING_CARE,
		  "is paused" },
		{ "no healthcheck", LIST, RUNNING, CONFIG, HOST, IMAGE, WARNING_NOTE, "has no healthcheck" },
		{ "the image is gone", LIST, RUNNING, CONFIG, HOST, NULL, WARNING_SERIOUS, "all is carried over" },
		{ "variables are named", LIST, RUNNING, CONFIG, HOST, IMAGE, WARNING_NOTE, "3 variables (PATH, LANG, TOKEN), not shown" },
		{ "another lives in its network",
		  "[" ENTRY(OLD, "chat", IMAGE_1, "running",
		            "") ",{\"Id\":\"" NEW "\",\"Names\":[\"/guest\"],\"HostConfig\":{\"NetworkMode\":\"container:" OLD "\"}}]",
		  RUNNING, CONFIG, HOST, IMAGE, WARNING_SERIOUS, "container guest on 'here' uses the network" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_with("docker", OPTIONS);
		const char *inspect = inspect_of(OLD, "chat", IMAGE_1, rows[i].state, rows[i].config, rows[i].host, "");
		assert_row(rows[i].label, look_at(ENGINE, rows[i].list, inspect, rows[i].image, IMAGES) == LOOK_DONE);
		assert_row(rows[i].label, driver_bench_warns(&bench, rows[i].level, rows[i].says));
		driver_bench_release(&bench);
	}
}

static void test_looks_that_fail(void **state)
{
	static const struct {
		const char *label, *options, *version, *list, *inspect, *says;
	} rows[] = {
		{ "no engine", OPTIONS, "{}", LIST, "", "no engine" },
		{ "no JSON", OPTIONS, "hello", LIST, "", "status 200" },
		{ "no such container", "container: other\n", ENGINE, LIST, "", "there is no container other" },
		{ "no such labels", "labels: { app: other }\n", ENGINE, LIST, "", "with label app=other" },
		{ "two with the labels", "labels: { app: chat }\n", ENGINE,
		  "[" ENTRY(OLD, "a", IMAGE_1, "running", "\"app\":\"chat\"") "," ENTRY(NEW, "b", IMAGE_1, "running",
		                                                                        "\"app\":\"chat\"") "]",
		  "", "2 containers are meant" },
		{ "an id that is none", OPTIONS, ENGINE, "[" ENTRY("../x", "chat", IMAGE_1, "running", "") "]", "",
		  "there is no container" },
		{ "a name that is none", OPTIONS, ENGINE, "[" ENTRY(OLD, "chat/../x", IMAGE_1, "running", "") "]", "",
		  "there is no container" },
		{ "no list", OPTIONS, ENGINE, "{}", "", "does not tell its containers" },
		{ "another was told of", OPTIONS, ENGINE, LIST,
		  "{\"Id\":\"" NEW "\",\"Name\":\"/chat\",\"Image\":\"" IMAGE_1 "\",\"State\":{\"Status\":\"running\"}}",
		  "form that is not known" },
		{ "an image that is no id", OPTIONS, ENGINE, LIST,
		  "{\"Id\":\"" OLD "\",\"Name\":\"/chat\",\"Image\":\"../x\",\"State\":{\"Status\":\"running\"}}",
		  "form that is not known" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_with("docker", rows[i].options);
		bool failed = look_at(rows[i].version, rows[i].list, rows[i].inspect, IMAGE, IMAGES) == LOOK_FAILED;
		if (!failed || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, failed ? bench.why.text : "it did not fail");
		driver_bench_release(&bench);
	}
}

/* What is compared each with each is bounded: an engine that tells of a hundred thousand variables is refused. */
static void test_an_engine_that_tells_too_much(void **state)
{
	struct buf text;
	(void)state;
	open_with("docker", OPTIONS);
	buf_init(&text, 1 << 20);
	buf_puts(&text, "{\"Id\":\"" OLD "\",\"Name\":\"/chat\",\"Image\":\"" IMAGE_1
	                "\",\"State\":{\"Status\":\"running\"},\"HostConfig\":{},\"Config\":{\"Env\":[\"A=1\"");
	for (int i = 0; i < 2000; i++)
		buf_puts(&text, ",\"A=1\"");
	buf_puts(&text, "]}}");
	assert_int_equal(text.err, ERR_OK);
	assert_int_equal(look_at(ENGINE, LIST, buf_text(&text), IMAGE, IMAGES), LOOK_FAILED);
	assert_non_null(strstr(bench.why.text, "form that is not known"));
	driver_bench_release(&bench);
	open_with("docker", OPTIONS);
	assert_int_equal(look_at(ENGINE, LIST, old_with(CONFIG, HOST, ""), buf_text(&text), IMAGES), LOOK_FAILED);
	assert_non_null(strstr(bench.why.text, "tells too much"));
	buf_release(&text);
}

/* A run that is kept, or one of the two that runs, does not make a choice of labels doubtful. */
static void test_which_container_labels_mean(void **state)
{
	(void)state;
	open_with("docker", "labels: { app: chat }\n");
	assert_int_equal(look_at(ENGINE,
	                         "[" ENTRY(NEW, "chat-next", IMAGE_1, "exited", "\"app\":\"chat\"") "," ENTRY(
					 KEPT, "chat-before-k0", IMAGE_1, "running",
					 "\"app\":\"chat\"") "," ENTRY(OLD, "chat", IMAGE_1, "running", "\"app\":\"chat\"") "]",
	                         old_with(CONFIG, HOST, ""), IMAGE, IMAGES),
	                 LOOK_DONE);
	assert_non_null(strstr(bench.look.found.before, "\"name\":\"chat\""));
}

static void test_the_api_that_is_spoken(void **state)
{
	static const struct {
		const char *label, *version, *want;
	} rows[] = {
		{ "ours", "{\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.24\"}", "http://localhost/v1.41/containers/json?all=1" },
		{ "an older engine", "{\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1.12\"}",
		  "http://localhost/v1.40/containers/json?all=1" },
		{ "one that has left ours behind", "{\"ApiVersion\":\"1.51\",\"MinAPIVersion\":\"1.44\"}",
		  "http://localhost/v1.44/containers/json?all=1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct answer version = answered(200, rows[i].version);
		open_with("docker", OPTIONS);
		assert_int_equal(driver_bench_look(&bench, NULL), LOOK_ASK);
		assert_string_equal(bench.look.next.url, "http://localhost/version");
		assert_string_equal(bench.look.next.socket, "/run/d.sock");
		assert_int_equal(driver_bench_look(&bench, &version), LOOK_ASK);
		if (strcmp(bench.look.next.url, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].label, bench.look.next.url);
		driver_bench_release(&bench);
	}
}

/* ---- what is created ---- */

/* The body that follows from what the engine tells. */
static const char *body_of(const char *inspect)
{
	const struct answer told = answered(200, inspect);
	struct verdict v;
	judge_all(driver_bench_step(&bench.forward, "create"), &told, 1, 0, &v);
	if (v.kind != VERDICT_AGAIN || v.next.kind != ASK_HTTP)
		fail_msg("%s", v.text);
	assert_string_equal(v.next.method, "POST");
	assert_true(strstr(v.next.url, "/containers/create?name=chat-pitwall-" KEY) != NULL);
	return v.next.body;
}

static void test_what_is_created(void **state)
{
	static const struct {
		const char *label, *config, *host, *rest, *has, *lacks; /* "" nothing */
	} rows[] = {
		{ "the other image", CONFIG, HOST, "", "\"Image\":\"reg.example/chat:v2\"", "chat:v1" },
		{ "the run's labels", CONFIG, HOST, "",
		  "\"io.pitwall.run\":\"" KEY "\",\"io.pitwall.previous\":\"" IMAGE_1 "\",\"io.pitwall.image\":\"reg.example/chat:v2\"",
		  "" },
		{ "variables of the container's own", CONFIG, HOST, "", "\"Env\":[\"TOKEN=hunter2\"]", "LANG" },
		{ "one of the image's that was changed", "\"Env\":[\"PATH=/bin\",\"LANG=de\"]", HOST, "", "\"Env\":[\"LANG=de\"]", "PATH" },
		{ "the image's command is left to the image", CONFIG, HOST, "", "", "\"Cmd\"" },
		{ "and its entry point and folder", CONFIG, HOST, "", "", "\"Entrypoint\"" },
		{ "a command of its own", "\"Cmd\":[\"serve\",\"--big\"],\"Entrypoint\":[\"/init\"]", HOST, "",
		  "\"Cmd\":[\"serve\",\"--big\"]", "Entrypoint" },
		{ "the image's command behind another entry point stays", "\"Cmd\":[\"serve\"],\"Entrypoint\":[\"/other\"]", HOST, "",
		  "\"Cmd\":[\"serve\"],\"Entrypoint\":[\"/other\"]", "" },
		{ "a host name that was made of the id", CONFIG, HOST, "", "", "Hostname" },
		{ "one that was given", "\"Hostname\":\"llm-1\"", HOST, "", "\"Hostname\":\"llm-1\"", "" },
		{ "none in the host's network", "\"Hostname\":\"gpu-a-01\"", "\"NetworkMode\":\"host\"", "", "", "Hostname" },
		{ "none in another's", "\"Hostname\":\"gpu-a-01\"", "\"NetworkMode\":\"container:x\"", "",
		  "\"NetworkMode\":\"container:x\"", "Hostname" },
		{ "graphics cards", CONFIG,
		  HOST ",\"DeviceRequests\":[{\"Driver\":\"nvidia\",\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}],\"Runtime\":\"nvidia\"", "",
		  "\"DeviceRequests\":[{\"Driver\":\"nvidia\",\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}],\"Runtime\":\"nvidia\"", "" },
		{ "the restart policy, and shared memory", CONFIG, HOST ",\"ShmSize\":1073741824", "",
		  "\"RestartPolicy\":{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0},\"ShmSize\":1073741824", "" },
		{ "a healthcheck of its own", CONFIG ",\"Healthcheck\":{\"Test\":[\"CMD\",\"/up\"],\"Interval\":1000000000}", HOST, "",
		  "\"Healthcheck\":{\"Test\":[\"CMD\",\"/up\"],\"Interval\":1000000000}", "" },
		{ "binds", CONFIG, HOST ",\"Binds\":[\"/srv/models:/models:ro\"]",
		  ",\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv/models\",\"Destination\":\"/models\",\"RW\":false}]",
		  "\"Binds\":[\"/srv/models:/models:ro\"]", "" },
		{ "an anonymous volume is bound by its name", CONFIG ",\"Volumes\":{\"/scratch\":{}}", HOST,
		  ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX("f") "\",\"Destination\":\"/scratch\",\"RW\":true}]",
		  "\"Binds\":[\"" HEX("f") ":/scratch\"]", "\"Volumes\"" },
		{ "also behind other binds, and read-only", CONFIG, HOST ",\"Binds\":[\"/srv/a:/scratch2\"]",
		  ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX("f") "\",\"Destination\":\"/scratch\",\"RW\":false}]",
		  "\"Binds\":[\"/srv/a:/scratch2\",\"" HEX("f") ":/scratch:ro\"]", "" },
		{ "one of a mount is named there", CONFIG, HOST ",\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/cache\"}]",
		  ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX("f") "\",\"Destination\":\"/cache\",\"RW\":true}]",
		  "{\"Type\":\"volume\",\"Target\":\"/cache\",\"Source\":\"" HEX("f") "\"}", "Binds" },
		{ "links", CONFIG, HOST ",\"Links\":[\"/db:/chat/database\"]", "", "\"Links\":[\"db:database\"]", "" },
		{ "a network's address and aliases, without the short id", CONFIG, HOST, NETWORKS(""),
		  "\"NetworkingConfig\":{\"EndpointsConfig\":{\"front\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.9\"},\"Aliases\":["
		  "\"llm\"]}}}",
		  "aaaaaaaaaaaa" },
		{ "no address that was given by chance", CONFIG, HOST, NETWORKS(BACK), "", "10.1.0.9" },
		{ "nothing of a network of the engine's own", CONFIG, "\"NetworkMode\":\"bridge\"",
		  ",\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"Aliases\":[\"x\"]}}}", "", "NetworkingConfig" },
		{ "compose's labels",
		  CONFIG ",\"Labels\":{\"com.docker.compose.project\":\"shop\",\"com.docker.compose.config-hash\":\"abc\",\"com.docker."
		         "compose.image\":\"" IMAGE_1 "\"}",
		  HOST, "", "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.config-hash\":\"abc\"",
		  "\"com.docker.compose.image\":\"" IMAGE_1 "\"" },
		{ "the image's labels are left to it", CONFIG ",\"Labels\":{\"maintainer\":\"x\",\"team\":\"search\"}", HOST, "",
		  "\"team\":\"search\"", "maintainer" },
		{ "the image's ports are left to it", CONFIG ",\"ExposedPorts\":{\"8000/tcp\":{},\"9000/tcp\":{}}", HOST, "",
		  "\"ExposedPorts\":{\"9000/tcp\":{}}", "8000" },
		{ "labels of the run before go", CONFIG ",\"Labels\":{\"io.pitwall.run\":\"k0\",\"io.pitwall.previous\":\"" IMAGE_3 "\"}",
		  HOST, "", "\"io.pitwall.run\":\"" KEY "\"", "k0" },
		{ "a quoted value stays in its string", CONFIG ",\"Labels\":{\"a\\\"b\":\"c\\\",\\\"Image\\\":\\\"evil\"}", HOST, "",
		  "\"a\\\"b\":\"c\\\",\\\"Image\\\":\\\"evil\"", "\"Image\":\"evil\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_planned(OPTIONS, ENGINE, rows[i].config, rows[i].host, rows[i].rest);
		const char *body = body_of(old_with(rows[i].config, rows[i].host, rows[i].rest));
		if ((rows[i].has[0] != '\0' && strstr(body, rows[i].has) == NULL) ||
		    (rows[i].lacks[0] != '\0' && strstr(body, rows[i].lacks) != NULL))
			fail_msg("%s: %s", rows[i].label, body);
		driver_bench_release(&bench);
	}
}

/* Before API 1.44 create takes one network: the others are connected to. */
static void test_more_networks_than_one(void **state)
{
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST, NETWORKS(BACK));
	assert_null(strstr(body_of(old_with(CONFIG, HOST, NETWORKS(BACK))), "\"back\""));
	const struct step *connect = driver_bench_step(&bench.forward, "connect it to network back");
	assert_true(connect < driver_bench_step(&bench.forward, "stop"));
	assert_string_equal(connect->ask.url, "http://localhost/v1.41/networks/back/connect");
	assert_string_equal(connect->ask.body, "{\"Container\":\"chat-pitwall-" KEY "\",\"EndpointConfig\":{\"Aliases\":[\"llm-back\"]}}");
	driver_bench_release(&bench);
	open_planned(OPTIONS, "{\"ApiVersion\":\"1.51\",\"MinAPIVersion\":\"1.44\"}", CONFIG, HOST, NETWORKS(BACK));
	assert_non_null(strstr(body_of(old_with(CONFIG, HOST, NETWORKS(BACK))), "\"back\":{\"Aliases\":[\"llm-back\"]}"));
	for (size_t i = 0; i < bench.forward.n; i++)
		assert_null(strstr(bench.forward.items[i].title, "connect"));
}

/* The old image can't be told from what was set: everything stays. */
static void test_an_image_that_is_gone(void **state)
{
	(void)state;
	open_with("docker", OPTIONS);
	assert_int_equal(look_at(ENGINE, LIST, old_with(CONFIG, HOST, ""), NULL, IMAGES), LOOK_DONE);
	assert_false(bench.look.found.versions[0].is_present);
	assert_int_equal(driver_bench_plan(&bench, DEPLOY_REDEPLOY, IMAGE_2), ERR_OK);
	assert_non_null(strstr(body_of(old_with(CONFIG, HOST, "")), "\"Env\":[\"PATH=/bin\",\"LANG=C\",\"TOKEN=hunter2\"]"));
}

/* ---- secrets and names ---- */

static void test_no_secret_is_planned(void **state)
{
	(void)state;
	open_planned(
		OPTIONS, ENGINE,
		"\"Env\":[\"TOKEN=hunter2\",\"PATH=/bin\"],\"Cmd\":[\"serve\",\"--api-key\",\"sesame\"],\"Image\":\"reg.example/chat:v1\"",
		HOST, NETWORKS(BACK));
	const struct steps *both[] = { &bench.forward, &bench.back };
	assert_hides(bench.look.found.before);
	for (size_t i = 0; i < bench.look.found.n_warnings; i++)
		assert_hides(bench.look.found.warnings[i].text);
	for (size_t w = 0; w < 2; w++)
		for (size_t i = 0; i < both[w]->n; i++) {
			const struct step *s = &both[w]->items[i];
			assert_hides(s->title);
			assert_hides(s->note);
			assert_hides(s->ask.url);
			assert_hides(s->ask.body);
		}
	for (size_t i = 0; i < bench.look.found.n_versions; i++)
		assert_hides(bench.look.found.versions[i].data);
}

/* The hash of the configuration tells names of variables, not their values or order, and no command line. */
static void test_the_hash_of_the_configuration(void **state)
{
	static const struct {
		const char *label, *config;
		bool        is_same;
	} rows[] = {
		{ "another order", "\"Env\":[\"B=2\",\"A=1\"],\"Cmd\":[\"a\"]", true },
		{ "other values", "\"Env\":[\"A=3\",\"B=4\"],\"Cmd\":[\"a\"]", true },
		{ "another command line", "\"Env\":[\"A=1\",\"B=2\"],\"Cmd\":[\"b\"]", true },
		{ "another image", "\"Env\":[\"A=1\",\"B=2\"],\"Image\":\"reg.example/chat:v1\"", true },
		{ "another variable", "\"Env\":[\"A=1\",\"C=2\"]", false },
		{ "another user", "\"Env\":[\"A=1\",\"B=2\"],\"User\":\"1000\"", false },
	};
	char want[32];
	(void)state;
	open_planned(OPTIONS, ENGINE, "\"Env\":[\"A=1\",\"B=2\"],\"Cmd\":[\"a\"]", HOST, "");
	snprintf(want, sizeof want, "%s", bench.look.found.versions[0].config_hash);
	assert_int_equal(strlen(want), 16);
	driver_bench_release(&bench);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_planned(OPTIONS, ENGINE, rows[i].config, HOST, "");
		if ((strcmp(bench.look.found.versions[0].config_hash, want) == 0) != rows[i].is_same)
			fail_msg("%s: %s", rows[i].label, bench.look.found.versions[0].config_hash);
		driver_bench_release(&bench);
	}
}

static void test_a_network_stays_in_its_segment(void **state)
{
	(void)state;
	open_planned(OPTIONS, ENGINE, CONFIG, HOST,
	             ",\"NetworkSettings\":{\"Networks\":{\"front\":{},\"../a b?c=d&e#f/\\\"g\":{\"Aliases\":[\"x\\\",\\\"y\"]}}}");
	const struct step *s = driver_bench_step(&bench.forward, "connect");
	assert_string_equal(s->ask.url, "http://localhost/v1.41/networks/..%2Fa%20b%3Fc%3Dd%26e%23f%2F%22g/connect");
	assert_string_equal(s->ask.body, "{\"Container\":\"chat-pitwall-" KEY "\",\"EndpointConfig\":{\"Aliases\":[\"x\\\",\\\"y\"]}}");
}

static void test_versions_that_are_no_image(void **state)
{
	static const struct {
		const char *label, *version, *says;
	} rows[] = {
		{ "a query", "v9&fromSrc=x", "no image's name" },
		{ "an option", "--help", "no image's name" },
		{ "a blank", "v 9", "no image's name" },
		{ "nothing", "", "not known" },
		{ "an id that is not there", "sha256:" HEX("9"), "an id alone can't be fetched" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		open_with("docker", "container: chat\nsocket: /run/d.sock\npull: always\n");
		assert_int_equal(look_at(ENGINE, LIST, old_with(CONFIG, HOST, ""), IMAGE, IMAGES), LOOK_DONE);
		bool is_refused = driver_bench_plan(&bench, DEPLOY_REDEPLOY, rows[i].version) == ERR_UNSUPPORTED;
		if (!is_refused || strstr(bench.why.text, rows[i].says) == NULL)
			fail_msg("%s: '%s'", rows[i].label, is_refused ? bench.why.text : "planned");
		driver_bench_release(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_what_is_warned_of),
		cmocka_unit_test(test_looks_that_fail),
		cmocka_unit_test_teardown(test_an_engine_that_tells_too_much, close_bench),
		cmocka_unit_test_teardown(test_which_container_labels_mean, close_bench),
		cmocka_unit_test(test_the_api_that_is_spoken),
		cmocka_unit_test(test_what_is_created),
		cmocka_unit_test_teardown(test_more_networks_than_one, close_bench),
		cmocka_unit_test_teardown(test_an_image_that_is_gone, close_bench),
		cmocka_unit_test_teardown(test_no_secret_is_planned, close_bench),
		cmocka_unit_test(test_the_hash_of_the_configuration),
		cmocka_unit_test_teardown(test_a_network_stays_in_its_segment, close_bench),
		cmocka_unit_test(test_versions_that_are_no_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
