#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/peers.sh without a network: apt-get and dpkg-deb are ours, and packages hold programs that tell their version.
set -u
export LC_ALL=C
script=${PITWALL_SRCDIR:-.}/tools/peers.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset PITWALL_PROMETHEUS PITWALL_PROMTOOL PITWALL_ALERTMANAGER PITWALL_DOCKERD
bin=$work/bin peers=$work/peers
mkdir "$bin"
PATH=$bin:$PATH
export PATH work

# Packages come where $work/online is, others where our own lists were read as well.
cat >"$bin/apt-get" <<'END'
#!/bin/sh
echo "$@" >>"$work/asked"
[ -e "$work/online" ] || exit 100
case " $* " in
*' update '*) : >"$work/listed" ;;
*' download '*)
	[ -e "$work/listed" ] || [ ! -e "$work/stale" ] || exit 100
	while [ "$1" != download ]; do shift; done
	shift
	for package; do : >"${package}_1_all.deb"; done ;;
esac
END
cat >"$bin/dpkg-deb" <<'END'
#!/bin/sh
mkdir -p "$3/usr/bin" "$3/usr/sbin"
for program in prometheus promtool prometheus-alertmanager dockerd; do
	for folder in bin sbin; do
		printf '#!/bin/sh\n# /usr/share/prometheus/alertmanager\necho "$0 1.0 $PWD"\n' >"$3/usr/$folder/$program"
		chmod +x "$3/usr/$folder/$program"
	done
done
END
chmod +x "$bin/apt-get" "$bin/dpkg-deb"

n=0
# ok WHAT: by the exit status of the command before
ok()
{
	result=$?
	n=$((n + 1))
	if [ "$result" = 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$work/said" "$peers/log" "$peers/env" 2>/dev/null
	fi
}
get() { sh "$script" "$peers" >"$work/said" 2>&1; }
# shellcheck disable=SC1091
given() { (. "$peers/env" && eval "echo \"\${$1-}\""); }
asked() { wc -l <"$work/asked"; }

get && [ ! -s "$peers/env" ]; ok 'without a network nothing is named, and nothing fails'
[ "$(grep -c 'skipped.*: Prometheus, promtool, Alertmanager' "$work/said")" = 1 ]; ok 'which one sentence says'
: >"$work/online" && : >"$work/stale" && get && [ -e "$work/listed" ]; ok 'lists of our own are read where the system has stale ones'
"$(given PITWALL_PROMETHEUS)" >/dev/null && "$(given PITWALL_PROMTOOL)" >/dev/null; ok 'prometheus and promtool run'
[ "$(cd / && "$(given PITWALL_ALERTMANAGER)")" = "usr/bin/prometheus-alertmanager 1.0 $peers/alertmanager" ]; ok 'alertmanager runs in its tree'
grep -q '# usr/share/prometheus/alertmanager/$' "$peers/alertmanager/usr/bin/prometheus-alertmanager"; ok 'and looks for its templates there'
[ "$(PITWALL_PROMTOOL=/other given PITWALL_PROMTOOL)" = /other ]; ok 'a variable that is set stays'
before=$(asked) && get && [ "$(asked)" = "$before" ] && [ -n "$(given PITWALL_PROMETHEUS)" ]; ok 'what is there is not fetched again'
rm "$work/online" && echo other >"$peers/prometheus/made-by" && get && [ -z "$(given PITWALL_PROMETHEUS)" ] && [ -n "$(given PITWALL_ALERTMANAGER)" ]
ok 'what an older script unpacked does not count'
echo "1..$n"
