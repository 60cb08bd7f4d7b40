/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor: what this machine has, and what of it will not do. */
#include "app/commands.h"

#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <langinfo.h>
#include <libssh2.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>
#include <yaml.h>
#include <zstd.h>

#include "app/doctor_host.h"
#include "app/paths.h"
#include "app/team_store.h"
#include "base/buf.h"
#include "config/fleet.h"
#include "store/reader.h"
#include "store/store.h"
#include "tui/terminfo.h"

struct report {
	int problems;
};

static void line(const char *what, const char *value)
{
	printf("  %-16s %s\n", what, value);
}

static void problem(struct report *r, const char *what, const char *text)
{
	r->problems++;
	printf("! %-16s %s\n", what, text);
}

static const char *or_none(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "not set";
}

static void say_libraries(struct report *r)
{
	const curl_version_info_data *c = curl_version_info(CURLVERSION_NOW);
	printf("libraries\n");
	printf("  %-16s %s, %s%s\n", "libcurl", c->version, c->ssl_version != NULL ? c->ssl_version : "no TLS",
	       (c->features & CURL_VERSION_LIBZ) != 0 ? ", gzip" : ", no gzip");
	if ((c->features & CURL_VERSION_ASYNCHDNS) == 0)
		problem(r, "libcurl", "it looks names up while everything else waits (no asynchronous resolver); use addresses, or another build");
	if (c->ssl_version == NULL)
		problem(r, "libcurl", "it has no TLS: https targets can't be polled");
	line("SQLite", store_library_version());
	line("libssh2", libssh2_version(0) != NULL ? libssh2_version(0) : "unusable");
	line("libuv", uv_version_string());
	line("libyaml", yaml_get_version_string());
	line("libzstd", ZSTD_versionString());
}

static void say_terminal(struct report *r)
{
	printf("terminal\n");
	struct winsize size;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		printf("  %-16s %d columns, %d rows\n", "size", size.ws_col, size.ws_row);
	else
		line("size", "standard output is not a terminal");
	line("TERM", or_none(getenv("TERM")));
	line("COLORTERM", or_none(getenv("COLORTERM")));
	line("NO_COLOR", or_none(getenv("NO_COLOR")));
	struct terminfo info;
	struct why why = { "" };
	if (terminfo_load(getenv("TERM"), &info, &why) != ERR_OK)
		problem(r, "drawn as", why.text);
	else
		printf("  %-16s %s%s, %d colours\n", "drawn as", info.name, info.is_substitute ? " (TERM's own description is not known here)" : "",
		       info.colours);
	const char *charset = nl_langinfo(CODESET);
	line("character set", charset);
	if (strcmp(charset, "UTF-8") != 0)
		line("", "not UTF-8: everything is drawn in ASCII");
}

static void say_ssh(void)
{
	printf("ssh\n");
	const char *agent = getenv("SSH_AUTH_SOCK");
	if (agent == NULL || agent[0] == '\0')
		line("agent", "none (SSH_AUTH_SOCK is not set)");
	else if (access(agent, R_OK | W_OK) != 0)
		printf("  %-16s '%s' can't be reached: %s\n", "agent", agent, strerrordesc_np(errno));
	else
		line("agent", agent);
	const char *home = getenv("HOME");
	struct buf path;
	buf_init(&path, PATH_BYTES);
	buf_printf(&path, "%s/.ssh/known_hosts", home != NULL ? home : "");
	printf("  %-16s %s%s\n", "known_hosts", buf_text(&path), access(buf_text(&path), R_OK) == 0 ? "" : " (not there)");
	buf_release(&path);
}

static void say_limits(struct report *r)
{
	printf("limits\n");
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	printf("  %-16s %llu (at most %llu)\n", "open files", (unsigned long long)files.rlim_cur, (unsigned long long)files.rlim_max);
	if (files.rlim_max < 1024)
		problem(r, "open files", "fewer than 1024: with more targets than that, some can't be polled");
}

static void say_files(struct report *r, const struct cli *c)
{
	printf("files\n");
	struct buf path;
	struct why why = { "" };
	char *fleet = NULL;
	buf_init(&path, PATH_BYTES);
	enum err e = fleet_find(cli_value(c, "config"), &fleet, &why);
	if (e == ERR_OK)
		line("fleet file", fleet);
	else if (e == ERR_NOT_FOUND && cli_value(c, "config") == NULL)
		line("fleet file", "none: this machine and its well-known ports are watched");
	else
		problem(r, "fleet file", why.text);
	free(fleet);
	e = path_store(cli_value(c, "store"), &path, &why);
	if (e != ERR_OK) {
		problem(r, "store", why.text);
	} else {
		struct reader *reader = NULL;
		line("store", buf_text(&path));
		e = reader_open(buf_text(&path), READER_OWN, &reader, &why);
		if (e == ERR_NOT_FOUND)
			line("", "not there yet");
		else if (e != ERR_OK)
			problem(r, "store", why.text);
		reader_close(reader);
	}
	buf_release(&path);
}

static int run(const struct cli *c)
{
	struct report r = { 0 };
	setlocale(LC_CTYPE, "");
	struct why why;
	if (cli_has(c, "store"))
		return doctor_store(c);
	if (cli_has(c, "deep"))
		return cli_fail(why_set(&why, ERR_USAGE, "--deep is for --store"), &why);
	if (c->n_arguments > 0)
		return doctor_host(c);
	printf("pitwall %s\n", PACKAGE_VERSION);
	say_libraries(&r);
	say_terminal(&r);
	say_ssh();
	say_limits(&r);
	say_files(&r, c);
	printf(r.problems == 0 ? "nothing stands in the way\n" : "%d of these stand in the way (marked !)\n", r.problems);
	return r.problems == 0 ? EXIT_YES : EXIT_NO;
}

static const struct cli_option options[] = {
	{ "store", "[FILE]", "look at the store alone: who may read it, who may ask, who records, and what it holds; FILE, or the one that is used otherwise" },
	{ "deep", NULL, "with --store: look at every page, frame, block and rollup of it, which reads it all" },
	{ "ssh-config", "FILE", "read this instead of the user's and the system's ssh_config" },
	{ NULL, NULL, NULL },
};

const struct cli_command command_doctor = {
	.name         = "doctor",
	.arguments    = "[HOST]",
	.max_arguments = 1,
	.options      = options,
	.summary      = "tell what this machine has, or how far it is to another",
	.details      = "Without HOST: libraries, terminal, locale, agent, files. Lines that begin with '!' name something that will keep a part of pitwall "
	                "from working. Exits 1 when there is one. With --store the store alone is looked at: modes, owners, who records, who may ask. With HOST, a node of the fleet file or what one would type after ssh: what the fleet file and "
	                "ssh_config say for it, whether agent, keys and known_hosts will do, each step of the way there with the time it took (names, jump hosts, "
	                "host keys, the key that logged in), and what the machine answers. Exits 1 when it cannot be asked, and says what to do.",
	.takes_common = true,
	.run          = run,
};
