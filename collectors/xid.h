/* SPDX-License-Identifier: Apache-2.0
 *
 * Xid and SXid: what NVIDIA's kernel drivers write into the kernel's log when a GPU (Xid) or an NVSwitch (SXid) is in trouble, one line a
 * trouble, and what the codes mean. One fault can give dozens of lines: whoever shows them groups by bus id and code.
 *
 * Threads: none; nothing is allocated. */
#ifndef PITWALL_COLLECTORS_XID_H
#define PITWALL_COLLECTORS_XID_H

#include "collectors/findings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of a kernel's log. Texts may hold any bytes but NUL; what is longer is cut and ends in "...". */
struct xid {
	int     code;
	bool    is_switch;    /* SXid: the code is one of NVSwitch's, of which xid_info knows nothing */
	bool    is_fatal;     /* of an SXid: the line calls it fatal */
	char    bus_id[24];   /* as printed, in small letters: "0000:9b:00" or "0000:9b:00.0" */
	int64_t pid;          /* of the process that used the GPU; 0: not said */
	char    name[64];     /* of that process; "": not said */
	char    rest[240];    /* what the line says besides; may be "" */
};

/* Finds an Xid or SXid in one line, with whatever prefix the tool wrote that printed the log (dmesg, dmesg -T, journalctl -k, /dev/kmsg).
 * False: there is none, and `out` is untouched. The line need not end in a NUL; a line feed ends it. */
bool xid_parse(const char *line, size_t n, struct xid *out);

/* What a code means and what to do about it: lower case, no full stop. */
struct xid_info {
	int                   code;
	enum finding_severity severity; /* CRITICAL: GPU or node need someone's hands; WARN: a process died, or may; INFO: nothing is lost */
	const char           *meaning, *advice;
};

/* NULL: a code that is not known. */
const struct xid_info *xid_info(int code);

/* Whether two bus ids mean the same device, however many digits the domain has ("00000000:00:09.0", "0000:00:09"). */
bool xid_same_bus(const char *a, const char *b);

#endif
