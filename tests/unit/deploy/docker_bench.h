/* SPDX-License-Identifier: Apache-2.0
 *
 * Drivers docker and compose with answers of the test's: an engine with one container and three images. Whatever goes wrong in it fails the
 * test that calls. */
#ifndef PITWALL_TESTS_DOCKER_BENCH_H
#define PITWALL_TESTS_DOCKER_BENCH_H

#include "tests/unit/deploy/driver_bench.h"

#define EIGHT(x) x x x x x x x x
#define HEX(x)   EIGHT(EIGHT(x))
#define OLD      HEX("a")
#define NEW      HEX("b")
#define KEPT     HEX("c")
#define IMAGE_1  "sha256:" HEX("1")
#define IMAGE_2  "sha256:" HEX("2")
#define IMAGE_3  "sha256:" HEX("3")
#define KEY      "run-1-here"
#define OPTIONS  "container: chat\nsocket: /run/d.sock\nstable: 5s\n"

#define RUNNING "\"Status\":\"running\",\"Running\":true,\"Pid\":77,\"ExitCode\":0,\"StartedAt\":\"2026-11-23T14:47:42.79Z\""
#define ENGINE  "{\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.24\"}"
#define ENTRY(id, name, image, state, labels) \
	"{\"Id\":\"" id "\",\"Names\":[\"/" name "\"],\"ImageID\":\"" image "\",\"State\":\"" state \
	"\",\"Created\":1764000000,\"Labels\":{" labels "},\"HostConfig\":{\"NetworkMode\":\"front\"}}"
#define LIST "[" ENTRY(OLD, "chat", IMAGE_1, "running", "\"app\":\"chat\"") "]"
#define IMAGE \
	"{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:v1\"],\"Config\":{\"Env\":[\"PATH=/bin\",\"LANG=C\"],\"Cmd\":[\"serve\"]," \
	"\"Entrypoint\":[\"/init\"],\"WorkingDir\":\"/app\",\"ExposedPorts\":{\"8000/tcp\":{}},\"Labels\":{\"maintainer\":\"x\"}," \
	"\"Volumes\":{\"/scratch\":{}}}}"
#define IMAGES \
	"[{\"Id\":\"" IMAGE_1 "\",\"RepoTags\":[\"reg.example/chat:v1\"],\"RepoDigests\":[\"reg.example/chat@sha256:" HEX( \
		"d") "\"],\"Created\":1700000002}," \
		     "{\"Id\":\"" IMAGE_2 "\",\"RepoTags\":[\"reg.example/chat:v2\"],\"RepoDigests\":null,\"Created\":1700000003}," \
		     "{\"Id\":\"" IMAGE_3 "\",\"RepoTags\":[\"reg.example/other:v1\"],\"RepoDigests\":null,\"Created\":1700000004}]"
#define CONFIG \
	"\"Hostname\":\"aaaaaaaaaaaa\",\"Env\":[\"PATH=/bin\",\"LANG=C\",\"TOKEN=hunter2\"],\"Cmd\":[\"serve\"],\"Entrypoint\":[\"/init\"]," \
	"\"WorkingDir\":\"/app\",\"Image\":\"reg.example/chat:v1\""
#define HOST "\"NetworkMode\":\"front\",\"RestartPolicy\":{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0}"

/* Of a network of one's own, and of a second one. */
#define NETWORKS(more) \
	",\"NetworkSettings\":{\"Networks\":{\"front\":{\"NetworkID\":\"n1\",\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.9\"}," \
	"\"IPAddress\":\"10.0.0.9\",\"MacAddress\":\"02:42:0a\",\"Aliases\":[\"aaaaaaaaaaaa\",\"llm\"]}" more "}}"
#define BACK ",\"back\":{\"NetworkID\":\"n2\",\"IPAddress\":\"10.1.0.9\",\"Aliases\":[\"aaaaaaaaaaaa\",\"llm-back\"]}"

#define MESSAGE(text) "{\"message\":\"" text "\"}"

extern struct driver_bench bench;

/* An inspect; the parts are members of their objects, `rest` of the whole. */
const char *inspect_of(const char *id, const char *name, const char *image, const char *state, const char *config, const char *host,
                       const char *rest);
const char *old_with(const char *config, const char *host, const char *rest); /* of the container that runs */
const char *new_with(const char *name, const char *image, const char *state, const char *label); /* of one with that run's label */

void           open_with(const char *driver, const char *options);
enum look_turn look_at(const char *version, const char *list, const char *inspect, const char *image /* NULL: it is gone */,
                       const char *images);
/* Opened, looked at, and planned to the second image. */
void open_planned(const char *options, const char *version, const char *config, const char *host, const char *rest);
int  close_bench(void **state);

/* The answers one after the other, until there is a verdict. */
void        judge_all(const struct step *s, const struct answer *answers, size_t n, int64_t after_ms, struct verdict *v);
const char *titles_of(const struct steps *s); /* up to their first comma or colon, each with a bar behind it */
void        assert_hides(const char *text);   /* no secret of the container's is in it; NULL is allowed */

#endif
