/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the subcommand, prints help, hands over. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "app/cli.h"

static int print(enum err (*what)(struct buf *to))
{
	struct buf text;
	buf_init(&text, 1024 * 1024);
	enum err e = what(&text);
	if (e == ERR_OK)
		fputs(buf_text(&text), stdout);
	buf_release(&text);
	return e == ERR_OK && fflush(stdout) == 0 ? EXIT_YES : EXIT_USAGE;
}

static int print_help(const struct cli_command *c)
{
	struct buf text;
	buf_init(&text, 1024 * 1024);
	enum err e = cli_print_help(c, &text);
	if (e == ERR_OK)
		fputs(buf_text(&text), stdout);
	buf_release(&text);
	return e == ERR_OK ? EXIT_YES : EXIT_USAGE;
}

/* Each target keeps its connection: the soft limit on open files is there for programs that use select, which none of ours does. */
static void allow_many_files(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* glibc gives each thread a heap of its own, up to eight a core, and each keeps the most it ever held. Ours hardly ever allocate at the same
 * time: two do, one for the loop and one for the recorder with the workers. */
static void share_heaps(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 2);
#endif
}

int main(int argc, char **argv)
{
	struct cli c = { 0 };
	struct why why = { "" };
	bool help;
	signal(SIGPIPE, SIG_IGN);
	allow_many_files();
	share_heaps();
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("pitwall %s\n", PACKAGE_VERSION);
		return EXIT_YES;
	}
	if (argc == 2 && strcmp(argv[1], "--man") == 0) /* for the build: man/pitwall.1 is this */
		return print(cli_print_man);
	enum err e = cli_parse(argc, argv, &c, &help, &why);
	if (e != ERR_OK)
		return cli_fail(e, &why);
	return help ? print_help(c.command) : c.command->run(&c);
}
