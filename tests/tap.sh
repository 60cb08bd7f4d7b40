#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a cmocka program for the TAP driver. cmocka 1.1 reports a skipped case as "not ok N # SKIP", which TAP takes for a failure.
case ${PITWALL_FUZZERS-}:$1 in
yes:*/fuzz_*)
	# Linked with libFuzzer it has no TAP of its own: replay the corpus and say how that went.
	name=${1##*/fuzz_}
	echo 1..1
	if "$1" -runs=0 -verbosity=0 "$PITWALL_SRCDIR/tests/fuzz/corpus/$name" >&2; then
		echo "ok 1 - fuzz_$name"
	else
		echo "not ok 1 - fuzz_$name"
	fi
	exit 0 ;;
esac
case ${PITWALL_QUICK:+ $PITWALL_SLOW_TESTS } in
*" ${1#./} "*)
	echo '1..0 # SKIP one of the longest, left out here (PITWALL_QUICK)'
	exit 0 ;;
esac
exec 4>&1
status=$({ { "$@" 3>&- 4>&-; echo $? >&3; } | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&4; } 3>&1)
exit "$status"
