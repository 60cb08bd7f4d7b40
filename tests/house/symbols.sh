#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No name is defined twice: neither by two of our libraries, nor by one of ours and one that we link. The linker would take the first it meets, for the
# callers inside that library too.
set -u
export LC_ALL=C
build=${PITWALL_BUILDDIR:-.}
if ! command -v nm >/dev/null 2>&1 || ! command -v ldd >/dev/null 2>&1 || [ ! -f "$build/libbase.a" ]; then
	echo '1..0 # SKIP nm, ldd or our libraries are not here'
	exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Strong definitions of data and functions, "name file"; what a sanitizer adds and what C++ templates leave behind in every library is none of ours.
for library in "$build"/lib*.a; do
	nm -g --defined-only "$library" 2>/dev/null | awk -v from="${library##*/}" 'NF == 3 && $2 ~ /[TDBRC]/ { print $3, from }'
done | grep -v '^_\(Z\|_odr_asan\|_asan\|_tsan\|_sancov\)' | sort -u -k1,1 -k2,2 >"$work/ours"
# The program and its libraries, but the compiler's own run-time.
ldd "$build/pitwall" 2>/dev/null | awk '$3 ~ /^\// { print $3 }' | grep -v '/lib\(asan\|ubsan\|tsan\|lsan\|clang_rt\)[^/]*$' >"$work/linked"
while read -r library; do
	nm -D --defined-only "$library" 2>/dev/null | awk -v from="${library##*/}" 'NF == 3 && $2 ~ /[TDBRCVWi]/ { sub(/@.*/, "", $3); print $3, from }'
done <"$work/linked" | sort -u -k1,1 -k2,2 >"$work/theirs"

echo '1..4'
n=0
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
few() { [ "$(wc -l <"$1")" -ge "$2" ] || echo "only $(wc -l <"$1") names were found"; }
report 'names of ours are found' "$(few "$work/ours" 300)"
report 'names of linked libraries are found' "$(few "$work/theirs" 3000)"
report 'no name in two of our libraries' "$(awk '$1 == last { print $1 ": " from ", " $2 } { last = $1; from = $2 }' "$work/ours")"
report 'no name of a linked library' "$(join "$work/ours" "$work/theirs" | awk '{ print $1 ": " $2 ", " $3 }')"
