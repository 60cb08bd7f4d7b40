/* SPDX-License-Identifier: Apache-2.0
 *
 * known_hosts files: the first line is a name, the rest is the file. Whatever it holds, the places that are told are in it; a line for
 * that name with the key, put behind it, makes the key known unless it is revoked there; and a line that revokes it makes it so. */
#include "tests/fuzz/fuzz.h"

#include "base/base64.h"
#include "collectors/known_hosts.h"

#include <sys/mman.h>
#include <unistd.h>

static const char offered[] = "AAAAC3NzaC1lZDI1NTE5AAAAIH/ApsD9mnsDmjSkJcLoSWND8gGHHiBp2iRBIYcf+OW3";

/* The file in memory has a name under /proc, so that all of the reader is run. */
static void set_file(int fd, const char *text, size_t n, const char *last)
{
	size_t n_last = strlen(last);
	HOLDS(ftruncate(fd, 0) == 0);
	HOLDS(pwrite(fd, text, n, 0) == (ssize_t)n);
	HOLDS(pwrite(fd, last, n_last, (off_t)n) == (ssize_t)n_last);
}

static size_t count_lines(const char *text, size_t n)
{
	size_t lines = 1;
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static enum host_key_verdict check(const struct known_hosts_query *q, const struct buf *blob, size_t lines)
{
	struct known_hosts_result r;
	enum err e = known_hosts_check(q, blob->data, blob->len, "ssh-ed25519", &r, NULL);
	HOLDS(e == ERR_OK);
	HOLDS((r.verdict == HOST_KEY_UNKNOWN) == (r.place.file == NULL));
	HOLDS(r.place.line <= lines && (r.place.file == NULL || r.place.line > 0));
	HOLDS((r.known_type != NULL) == (r.verdict == HOST_KEY_OK || r.verdict == HOST_KEY_CHANGED));
	HOLDS(r.verdict != HOST_KEY_UNSUPPORTED_CERT);
	for (size_t i = 0; i < r.notes.n && i < KNOWN_NOTES_MAX; i++)
		HOLDS(r.notes.first[i].what != NULL && r.notes.first[i].place.line > 0 && r.notes.first[i].place.line <= lines);
	return r.verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char       path[64], name[KNOWN_NAME], line[KNOWN_NAME + 256];
	if (fd < 0)
		fd = memfd_create("known_hosts", MFD_CLOEXEC);
	HOLDS(fd >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	char *input = fuzz_text(data, size);
	char *file = strchr(input, '\n');
	if (file == NULL)
		file = input + strlen(input);
	else
		*file++ = '\0';
	size_t n = size - (size_t)(file - input);
	if (known_hosts_name(input, 22, name, NULL) != ERR_OK)
		snprintf(name, sizeof name, "db1.example");

	const char *const files[] = { path };
	const struct known_hosts_query q = { .files = files, .n_files = 1, .alias = name };
	struct known_hosts_types types;
	struct buf blob;
	size_t lines = count_lines(file, n);
	buf_init(&blob, 1024);
	HOLDS(base64_decode(&blob, offered, strlen(offered)) == ERR_OK);
	set_file(fd, file, n, "");
	enum host_key_verdict before = check(&q, &blob, lines);
	HOLDS(known_hosts_types(&q, &types, NULL) == ERR_OK);
	HOLDS(types.n == KNOWN_TYPES);
	if (strlen(name) < 1000) { /* OpenSSH takes no pattern longer than that */
		snprintf(line, sizeof line, "\n%s ssh-ed25519 %s", name, offered);
		set_file(fd, file, n, line);
		HOLDS(check(&q, &blob, lines + 1) == (before == HOST_KEY_REVOKED ? HOST_KEY_REVOKED : HOST_KEY_OK));
	}
	snprintf(line, sizeof line, "\n@revoked * ssh-ed25519 %s\n", offered);
	set_file(fd, file, n, line);
	HOLDS(check(&q, &blob, lines + 2) == HOST_KEY_REVOKED);
	buf_release(&blob);
	free(input);
	return 0;
}
