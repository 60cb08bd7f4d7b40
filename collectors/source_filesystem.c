/* SPDX-License-Identifier: Apache-2.0
 *
 * File systems: those of local kinds, once each. The machine's shell picks them from /proc/mounts, which asks none of them; only these are then asked
 * for their sizes, since over a dead network a question may never be answered. */
#include <stdio.h>
#include <string.h>

#include "collectors/source_host.h"
#include "collectors/slice.h"

enum { MOUNTS_MAX = 64, LABEL_MAX = 256 };

/* A mount point with a blank or a control byte stands there with octal escapes and is left out. In a container the root is an overlay. Where stat
 * does not know file systems (few images), df says the sizes without the numbers of files. */
static const char script[] =
	"test -r /proc/mounts || return 127\n"
	"set --\n"
	"seen=' '\n"
	"while read -r device mount type options rest; do\n"
	"	case $type in\n"
	"	ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|bcachefs|vfat|exfat|ntfs3) ;;\n"
	"	overlay) test \"$mount\" = / || continue ;;\n"
	"	tmpfs) case $mount in /dev/shm|/run|/tmp) ;; *) continue ;; esac ;;\n"
	"	*) continue ;;\n"
	"	esac\n"
	"	case $mount in\n"
	"	*\\\\*|/proc/*|/sys/*|/run/credentials/*|/var/lib/docker/*|/var/lib/containers/storage/*|/var/lib/kubelet/*) continue ;;\n"
	"	esac\n"
	"	case $seen in *\" $device \"*|*\" =$mount \"*) continue ;; esac\n"
	"	case $device in /*) seen=\"$seen$device \" ;; esac\n"
	"	seen=\"$seen=$mount \"\n"
	"	case ,$options, in *,ro,*) options=ro ;; *) options=rw ;; esac\n"
	"	printf 'mount %s %s %s %s\\n' \"$options\" \"$type\" \"$device\" \"$mount\"\n"
	"	set -- \"$@\" \"$mount\"\n"
	"	test $# -lt 64 || break\n"
	"done </proc/mounts\n"
	"test $# -gt 0 || return 0\n"
	"sizes=$(bounded stat -f -c 'size %S %b %f %a %c %d %n' \"$@\" 2>/dev/null)\n"
	"status=$?\n"
	"case $sizes in\n"
	"size*) printf '%s\\n' \"$sizes\" ;;\n"
	"*)\n"
	"	test \"$status\" != 124 || return 124\n"
	"	bounded df -P -k \"$@\" 2>/dev/null\n"
	"	status=$? ;;\n"
	"esac\n"
	"test \"$status\" != 124 || return 124\n"; /* one that could not be asked is no failure of the others */

struct mount {
	struct slice device, type, point;
	bool        is_read_only, has_sizes, has_files;
	double      size, free, avail, files, files_free;
};

struct mounts {
	struct mount all[MOUNTS_MAX];
	size_t       n;
};

static void trim(struct slice *s)
{
	while (s->n > 0 && *s->p == ' ')
		s->p++, s->n--;
}

static struct mount *find(struct mounts *m, struct slice point)
{
	trim(&point);
	for (size_t i = 0; i < m->n; i++)
		if (m->all[i].point.n == point.n && memcmp(m->all[i].point.p, point.p, point.n) == 0)
			return &m->all[i];
	return NULL;
}

static void on_mount(struct mounts *m, struct slice line)
{
	struct mount new = { .has_sizes = false };
	struct slice options;
	if (m->n == MOUNTS_MAX || !slice_word(&line, &options) || !slice_word(&line, &new.type) || !slice_word(&line, &new.device))
		return;
	trim(&line);
	new.point = line;
	new.is_read_only = slice_is(options, "ro");
	if (new.point.n > 0 && find(m, new.point) == NULL)
		m->all[m->n++] = new;
}

/* size BLOCK BLOCKS FREE AVAILABLE FILES FILES_FREE MOUNT */
static void on_size(struct mounts *m, struct slice line)
{
	double n[6];
	struct slice word;
	for (size_t i = 0; i < 6; i++)
		if (!slice_word(&line, &word) || !slice_number(word, &n[i]))
			return;
	struct mount *to = find(m, line);
	if (to == NULL)
		return;
	to->has_sizes = to->has_files = true;
	to->size = n[0] * n[1];
	to->free = n[0] * n[2];
	to->avail = n[0] * n[3];
	to->files = n[4];
	to->files_free = n[5];
}

/* DEVICE KIBIBYTES USED AVAILABLE CAPACITY% MOUNT: what POSIX says of df -P -k. */
static void on_df(struct mounts *m, struct slice line)
{
	struct slice device, word;
	double n[3];
	if (!slice_word(&line, &device))
		return;
	for (size_t i = 0; i < 3; i++)
		if (!slice_word(&line, &word) || !slice_number(word, &n[i]))
			return;
	struct mount *to = slice_word(&line, &word) ? find(m, line) : NULL;
	if (to == NULL)
		return;
	to->has_sizes = true;
	to->size = n[0] * 1024;
	to->free = (n[0] - n[1]) * 1024;
	to->avail = n[2] * 1024;
}

static void put_mount(const struct mount *m, struct findings *out)
{
	char device[LABEL_MAX], type[LABEL_MAX], point[LABEL_MAX];
	const char *labels[] = {
		"device", slice_copy(m->device, device, sizeof device), "fstype", slice_copy(m->type, type, sizeof type),
		"mountpoint", slice_copy(m->point, point, sizeof point), NULL,
	};
	findings_put(out, "node_filesystem_device_error", m->has_sizes ? 0 : 1, labels);
	findings_put(out, "node_filesystem_readonly", m->is_read_only, labels);
	if (m->has_sizes) {
		findings_put(out, "node_filesystem_size_bytes", m->size, labels);
		findings_put(out, "node_filesystem_free_bytes", m->free, labels);
		findings_put(out, "node_filesystem_avail_bytes", m->avail, labels);
	}
	if (m->has_files) {
		findings_put(out, "node_filesystem_files", m->files, labels);
		findings_put(out, "node_filesystem_files_free", m->files_free, labels);
	}
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct slice   rest = { in->text, in->n }, line;
	struct mounts m = { .n = 0 };
	size_t        n_answered = 0;
	(void)s;
	(void)memory;
	if (in->status == 127)
		return why_set(why, ERR_NOT_FOUND, "the machine has no /proc/mounts, or neither stat nor df");
	while (slice_line(&rest, &line)) {
		struct slice word, behind = line;
		if (!slice_word(&behind, &word))
			continue;
		if (slice_is(word, "mount"))
			on_mount(&m, behind);
		else if (slice_is(word, "size"))
			on_size(&m, behind);
		else
			on_df(&m, line);
	}
	for (size_t i = 0; i < m.n; i++) {
		put_mount(&m.all[i], out);
		n_answered += m.all[i].has_sizes;
	}
	if (m.n == 0)
		return why_set(why, ERR_NOT_FOUND, "the machine has no local file system mounted");
	return n_answered > 0 ? ERR_OK : why_set(why, ERR_FORMAT, "the machine does not say the size of any file system");
}

const struct source filesystem_source = {
	.name = "filesystem",
	.summary = "sizes of local file systems",
	.script = script,
	.every_ms = 30000,
	.absent_ms = 3600000,
	.parse = parse,
};
