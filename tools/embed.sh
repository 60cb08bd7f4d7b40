#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh SRCDIR FILE...: writes C that holds the files (by their path below SRCDIR, in the order of their names) for base/asset.c.
set -eu
export LC_ALL=C
awk=${AWK:-awk}
srcdir=$1
shift
echo '/* Written by tools/embed.sh; not to be edited. */'
echo '#include "base/asset.h"'
n=0
list=
if [ $# -gt 0 ]; then
	list=$(printf '%s\n' "$@" | sort)
fi
for file in $list; do
	path=$file
	[ -f "$path" ] || path=$srcdir/$file
	echo "static const unsigned char bytes_${n}[] = {"
	od -An -v -tu1 "$path" | "$awk" '{ for (i = 1; i <= NF; i++) printf "%s,", $i; print "" }'
	echo '0 };'
	n=$((n + 1))
done
echo 'const struct asset asset_table[] = {'
n=0
for file in $list; do
	echo "{ \"$file\", bytes_$n, sizeof bytes_$n - 1 },"
	n=$((n + 1))
done
echo '{ 0, 0, 0 } };'
