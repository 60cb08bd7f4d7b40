#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The man pages are good roff: neither groff nor man has anything to say about them, and every section is there.
set -u
src=${PITWALL_SRCDIR:-.}
build=${PITWALL_BUILDDIR:-.}
set -- "$build/man/pitwall.1" "$src/man/pitwall-fleet.5"
echo "1..$(($# * 2))"
n=0
# report WHAT COMPLAINT: one TAP line
report()
{
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}
for page; do
	name=${page##*/}
	if command -v man >/dev/null 2>&1 && [ -x "$(command -v groff)" ]; then
		report "$name: no warnings" "$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man -E UTF-8 -l --warnings "$page" 2>&1 >/dev/null || echo "man failed on $page")"
	else
		n=$((n + 1))
		echo "ok $n - $name: no warnings # SKIP man or groff is not installed (in Debian: man-db, groff-base)"
	fi
	report "$name: has its sections" "$(for section in NAME DESCRIPTION 'SEE ALSO'; do
		grep -q "^\.SH \"\{0,1\}$section" "$page" || echo "no section $section in $page"
	done)"
done
