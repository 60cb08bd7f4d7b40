#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source is named in its folder's module.mk: else it is built from a checkout at best, and missing from a release.
set -u
export LC_ALL=C
cd "${PITWALL_SRCDIR:-.}" || exit 1
missing=$(for file in $(find app base config store query collectors rules recorder alerts deploy tui sim tests bench \
	\( -name '*.[ch]' -o -name '*.cc' \) 2>/dev/null | sort); do
	folder=${file%/*}
	while [ ! -f "$folder/module.mk" ]; do
		folder=${folder%/*}
	done
	name=${file#"$folder"/}
	case $file in
	tests/fuzz/fuzz_*.c) name=${name%.c} ;; # automake knows what a fuzz target is made of
	tests/unit/unit.h) continue ;;          # in tests/module.mk, above all of them
	base/asset_data.c) continue ;;          # generated, where the build is in the source tree
	esac
	grep -qwF "$name" "$folder/module.mk" || echo "$file is not in $folder/module.mk"
done)
echo '1..1'
if [ -z "$missing" ]; then
	echo 'ok 1 - every source is listed'
else
	echo 'not ok 1 - every source is listed'
	echo "$missing" | sed 's/^/# /'
	exit 1
fi
