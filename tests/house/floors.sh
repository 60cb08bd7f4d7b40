#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes point downwards only: a folder may include itself and folders of lower floors. And a library is known to one part alone.
set -u
export LC_ALL=C
src=${PITWALL_SRCDIR:-.}
cd "$src" || exit 1
includes=$(find app base config store query collectors rules recorder alerts deploy tui sim \( -name '*.[ch]' -o -name '*.cc' \) 2>/dev/null |
	sort | xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null)

echo '1..9'
n=0
# report WHAT LINES: one TAP line, with the offending includes behind it
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

report 'includes point downwards' "$(echo "$includes" | ${AWK:-awk} -F: '
	BEGIN {
		floor["base"] = 0; floor["config"] = 1; floor["store"] = 2; floor["query"] = 3; floor["collectors"] = 4; floor["rules"] = 4
		floor["recorder"] = 5.5; floor["deploy"] = 5; floor["alerts"] = 5; floor["tui"] = 6; floor["app"] = 7
		floor["sim"] = 6.5 # seen from below: only app/ may wire it in
	}
	match($0, /"[a-z]+\//) {
		to = substr($0, RSTART + 1, RLENGTH - 2)
		from = $1; sub(/\/.*/, "", from)
		if (from == to)
			next
		if (!(to in floor) || floor[to] >= floor[from] || (from == "sim" && to != "base"))
			print
	}')"

# only_in WHAT HEADERS WHERE: includes of HEADERS (a pattern) in files that WHERE (a pattern) does not match
only_in()
{
	[ $# -eq 3 ] || exit 1
	report "$1" "$(echo "$includes" | grep -E "[<\"]($2)[>\"]" | grep -vE "^($3)")"
}
only_in 'test libraries only in tests'              'cmocka\.h|vterm\.h'                                'none$'
only_in 'ncurses only in tui/terminal.c, terminfo.c' '(ncursesw?/)?(n?curses|term|panel|menu|form)\.h'   'tui/termin(al|fo)\.c:|app/[a-z_]*doctor\.c:'
only_in 'SQLite only in store/'                     'sqlite3\.h'                                        'store/|app/[a-z_]*doctor\.c:'
only_in 'curl only in collectors/'                  'curl/[a-z]+\.h'                                    'collectors/|app/[a-z_]*doctor\.c:'
only_in 'libcrypto only in collectors/, store/audit.c, deploy/plan.c, keyed_hash.c' 'openssl/[a-z0-9]+\.h'                          'collectors/|store/audit\.c:|deploy/(plan|keyed_hash)\.c:'
only_in 'libmicrohttpd only in sim/'                'microhttpd\.h'                                     'sim/'
only_in 'RE2 only behind the shim'                  're2/[a-z0-9]+\.h'                                  'base/regex\.cc:'
only_in 'libyaml only behind base/yaml.h'           'yaml\.h'                                           'base/yaml[a-z_]*\.c:|app/[a-z_]*doctor\.c:'
