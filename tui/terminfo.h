/* SPDX-License-Identifier: Apache-2.0
 *
 * What a terminal can do, read from the terminfo database once at the start; where the database has no such terminal, from a description
 * that is built in. Delays ($<5>) are left out: no terminal of this century needs them. */
#ifndef PITWALL_TUI_TERMINFO_H
#define PITWALL_TUI_TERMINFO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CAP_MAX = 128 };

/* name here, terminfo's short name, what it is; empty where the terminal lacks it */
#define CAP_LIST(X)                                                                                                                  \
	X(cup, "cup") X(clear, "clear") X(el, "el") X(ech, "ech") X(rep, "rep") X(cr, "cr") X(cud1, "cud1") X(cub1, "cub1")          \
	X(cuf, "cuf") X(hpa, "hpa") X(vpa, "vpa") X(sgr0, "sgr0") X(bold, "bold") X(rev, "rev") X(smul, "smul") X(rmul, "rmul")      \
	X(op, "op") X(setaf, "setaf") X(setab, "setab") X(smcup, "smcup") X(rmcup, "rmcup") X(smkx, "smkx") X(rmkx, "rmkx")          \
	X(civis, "civis") X(cnorm, "cnorm")

struct terminfo {
	char name[64];        /* of the description that is used */
	bool is_substitute;   /* it is not the one that TERM named */
	int  colours;         /* as the description says; below 8: none */
	bool has_bce;         /* erasing leaves the background colour */
	bool has_rgb;         /* RGB or Tc */
	bool is_ansi;         /* colours and attributes are ECMA-48's, so that their parameters may be merged */
	bool has_ansi_motion; /* likewise cup and cuf */
	bool can_turn_off;    /* attributes can be turned off one by one */
#define X(name, cap) char name[CAP_MAX];
	CAP_LIST(X)
#undef X
};

/* Reads what `term` (TERM's value; NULL or "" when it is not set) can do. ERR_UNSUPPORTED: a terminal that can't show screens, with a
 * sentence that names what to use instead. */
enum err terminfo_load(const char *term, struct terminfo *out, struct why *why);

/* The description that stands in for a terminal of this name which the database lacks; for `doctor` and tests. */
const char *terminfo_substitute(const char *term);

/* A capability with numbers put in; returns the bytes written, 0 when it lacks or does not fit. */
size_t terminfo_put(const char *cap, int a, int b, char *to, size_t room);

#endif
