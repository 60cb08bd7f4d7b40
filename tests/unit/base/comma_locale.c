/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/comma_locale.h"

static const char source[] = "/usr/share/i18n/locales/de_DE";

static bool is_comma(void)
{
	char text[16];
	snprintf(text, sizeof text, "%.1f", 0.5);
	return strcmp(text, "0,5") == 0;
}

static bool run_localedef(const char *to)
{
	const char *words[] = { "localedef", "-i", "de_DE", "-f", "UTF-8", to, NULL };
	char *const *argv;
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;
	int   status;
	const char *const *lent = words;
	memcpy(&argv, &lent, sizeof argv); /* posix_spawn only reads them */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	int e = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* What the locale is read from is kept open by the C library, so the folder can go at once. */
static bool enter_made(void)
{
	char folder[] = "/tmp/pitwall-locale-XXXXXX", path[64];
	if (mkdtemp(folder) == NULL)
		return false;
	snprintf(path, sizeof path, "%s/de_DE.UTF-8", folder);
	bool ok = run_localedef(path) && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "de_DE.UTF-8") != NULL && is_comma();
	unsetenv("LOCPATH");
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return ok;
}

void comma_locale_enter(void)
{
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ru_RU.UTF-8" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (setlocale(LC_ALL, names[i]) != NULL && is_comma())
			return;
	setlocale(LC_ALL, "C");
	if (access(source, R_OK) != 0) {
		print_message("# skipped: no locale with a decimal comma, and no '%s' to make one of\n", source);
		skip();
	}
	if (!enter_made())
		fail_msg("localedef makes no locale of '%s'", source);
}

void comma_locale_leave(void) { setlocale(LC_ALL, "C"); }
