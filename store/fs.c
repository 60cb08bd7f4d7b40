/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Source: linux/magic.h and the file systems' own headers. f_type is signed on some machines: compared in 32 bits. */
static const struct { unsigned type; const char *name; } networks[] = {
	{ 0x6969u,     "NFS" },      { 0x517bu,     "SMB" },    { 0xff534d42u, "CIFS" },     { 0xfe534d42u, "SMB 2" },
	{ 0x65735546u, "FUSE" },     { 0x01021997u, "9p" },     { 0x5346414fu, "AFS" },      { 0x6b414653u, "AFS" },
	{ 0x73757245u, "Coda" },     { 0x00c36400u, "Ceph" },   { 0x0bd00bd0u, "Lustre" },   { 0x47504653u, "GPFS" },
	{ 0x7461636fu, "OCFS2" },    { 0x01161970u, "GFS2" },   { 0x564cu,     "NCP" },      { 0x20030528u, "OrangeFS" },
	{ 0x19830326u, "BeeGFS" },   { 0xaad7aaeau, "Panasas" },{ 0x013111a8u, "IBRIX" },    { 0xbacbacbcu, "VMware HGFS" },
	{ 0x786f4256u, "VirtualBox shared folder" },
};

const char *fs_network_name(long type)
{
	for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
		if (networks[i].type == (unsigned)type)
			return networks[i].name;
	return NULL;
}

static long system_type(const char *folder)
{
	struct statfs fs;
	return statfs(folder, &fs) == 0 ? (long)(unsigned)fs.f_type : -1;
}

enum err fs_check(const char *path, long (*type_of)(const char *folder), struct why *why)
{
	char *real = realpath(path, NULL); /* a link may lead elsewhere */
	char *folder = real != NULL ? real : strdup(path);
	if (folder == NULL)
		return why_memory(why);
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	long type = (type_of != NULL ? type_of : system_type)(slash != NULL ? folder : ".");
	free(folder);
	const char *name = type < 0 ? NULL : fs_network_name(type);
	if (name == NULL)
		return ERR_OK;
	return why_set(why, ERR_UNSUPPORTED,
	               "'%s' is on a network file system (%s), where several processes cannot share a store safely: choose a local folder with --store",
	               path, name);
}

int64_t fs_side_size(const char *path, const char *suffix)
{
	char name[16384];
	struct stat st;
	if ((size_t)snprintf(name, sizeof name, "%s%s", path, suffix) >= sizeof name || stat(name, &st) != 0)
		return -1;
	return st.st_size;
}
