#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone, with all warnings on. PITWALL_CFLAGS holds paths relative to the build folder, where tests run.
set -u
src=${PITWALL_SRCDIR:-.}
cc=${PITWALL_CC:-cc}
flags=${PITWALL_CFLAGS:--D_GNU_SOURCE -I$src -std=gnu11 -Wall -Wextra}
headers=$(cd "$src" && find app base config store query collectors rules recorder alerts deploy tui sim tests bench -name '*.h' 2>/dev/null | LC_ALL=C sort)
set -- $headers
echo "1..$#"
n=0
for header; do
	n=$((n + 1))
	if message=$(echo "#include \"$header\"" | eval "$cc $flags -Wno-unused-const-variable -Wno-unused-function -fsyntax-only -x c -" 2>&1); then
		echo "ok $n - $header"
	else
		echo "not ok $n - $header"
		echo "$message" | sed 's/^/# /'
	fi
done
