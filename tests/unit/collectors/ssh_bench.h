/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own SSH on a loop of its own, with an ssh_config and a known_hosts of its own, against servers of the test's. Whatever goes wrong in it fails
 * the test that calls. */
#ifndef PITWALL_TESTS_SSH_BENCH_H
#define PITWALL_TESTS_SSH_BENCH_H

#include "base/loop.h"
#include "collectors/ssh.h"
#include "tests/unit/collectors/sshd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_DEADLINE_MS = 60 * 1000, BENCH_TEXT = 16 * 1024 };

/* What became of a command. */
struct run {
	bool       has_ended;
	enum reach result;
	char       text[512];
	char       output[4096]; /* its beginning */
	size_t     n;            /* bytes of it that are in `output` */
	size_t     n_all;
};

struct bench {
	struct sshd *server;
	struct loop *loop;
	struct ssh  *ssh;
	char         config[512], known[512]; /* files */
	bool         is_closed;
	char         steps[2048]; /* "config:ok connect:ok ", what was told of the way */
};

struct bench_options {
	struct sshd *server;      /* the files are put into its folder */
	const char  *known;       /* what stands in known_hosts; NULL: the server's ed25519 key, for its address and all names that begin with m */
	const char  *more;        /* lines of ssh_config that win over the bench's own; NULL: none */
	const char  *control_dir; /* see collectors/ssh.h */
	bool         has_no_key;  /* neither IdentityFile nor IdentitiesOnly nor IdentityAgent are set after `more` */
};

void bench_init_with(struct bench *b, const struct bench_options *o);
void bench_init(struct bench *b, struct sshd *s, const char *known, const char *more);
void bench_release(struct bench *b);

/* A transport to whom ssh_config knows by that name; bench_drop closes it. */
struct transport *bench_node(struct bench *b, const char *destination, enum ssh_mode mode);
void              bench_drop(struct bench *b, struct transport *t);

/* Begins a command. It says and ends into `r`. */
struct command *bench_begin(struct transport *t, const char *line, struct run *r);
/* Runs one to its end. */
void bench_run(struct bench *b, struct transport *t, const char *line, struct run *r);
/* Runs it again and again, until it ends well; fails where it does not within a minute. */
void bench_run_until_ok(struct bench *b, struct transport *t, const char *line, struct run *r);
void bench_await_end(struct bench *b, const struct run *r, const char *label);
void bench_await_output(struct bench *b, const struct run *r, const char *label);

/* Fails unless it ended so and said that. */
void run_expect(const struct run *r, const char *label, enum reach want, const char *says);

/* Writes a file with mode 0600. */
void bench_write(const char *path, const char *text);
/* How often a text stands in what the server has logged. */
int  bench_count_log(const struct sshd *s, const char *text);

#endif
