#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# peers.sh FOLDER: the real programs that tests and benchmarks compare pitwall with, from Debian's packages, unpacked below FOLDER: nothing is installed and no service starts.
# `. FOLDER/env` tells the tests where they are; a variable that is set already stays. What is there is kept until this script changes. Where one can't be had,
# a sentence says so, FOLDER/env does not name it, and the tests that want it skip.
set -eu
export LC_ALL=C
mkdir -p "$1"
folder=$(cd "$1" && pwd)
log=$folder/log
recipe=$(cksum <"$0")
: >"$log"

say() { printf 'peers: %s\n' "$*" >&2; }

# ---- packages ----

# Seconds, so that a network that swallows everything delays nobody for long.
apt() { timeout 600 apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"; }

# Lists of our own, for who may not renew the system's. Once.
own_lists() {
	[ ! -e "$folder/apt/tried" ] || return 0
	mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
	: >"$folder/apt/tried"
	printf '%s "%s";\n' Dir::State::Lists "$folder/apt/lists" Dir::Cache "$folder/apt/cache" APT::Sandbox::User "$(id -un)" >"$folder/apt/conf"
	APT_CONFIG=$folder/apt/conf apt update
}

# Into the folder one is in.
download() { apt download "$@" || { own_lists && APT_CONFIG=$folder/apt/conf apt download "$@"; }; }

unpack() {
	for deb in "$folder"/new/*.deb; do
		dpkg-deb -x "$deb" "$folder/new/root" || return 1
	done
}

# get NAME PACKAGE...: FOLDER/NAME is the tree of those packages, made ready by ready_NAME; false where it can't be had
get() {
	name=$1
	shift
	[ "$(cat "$folder/$name/made-by" 2>/dev/null)" != "$recipe" ] || return 0
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
	say "fetching $*"
	rm -rf "$folder/new" "${folder:?}/$name"
	mkdir -p "$folder/new/root"
	(cd "$folder/new" && download "$@") >>"$log" 2>&1 && unpack >>"$log" 2>&1 && "ready_$name" "$folder/new/root" &&
		printf '%s\n' "$recipe" >"$folder/new/root/made-by" && mv "$folder/new/root" "$folder/$name"
}

# ---- programs ----

ready_prometheus() { :; }
ready_victoria() { :; }

# Debian's Alertmanager has the path of its templates built in. As many bytes without the first slash are found from the tree that it was unpacked to.
ready_alertmanager() {
	sed -i 's|/usr/share/prometheus/alertmanager|usr/share/prometheus/alertmanager/|g' "$1/usr/bin/prometheus-alertmanager" &&
		cat >"$1/alertmanager" <<'END' && chmod +x "$1/alertmanager"
#!/bin/sh
cd "$(dirname "$0")" && exec usr/bin/prometheus-alertmanager "$@"
END
}

# It looks for containerd, its shim and runc in PATH.
ready_docker() {
	cat >"$1/dockerd" <<'END' && chmod +x "$1/dockerd"
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here/usr/sbin:$here/usr/bin:$PATH
LD_LIBRARY_PATH=$here/lib/$(uname -m)-linux-gnu:$here/usr/lib/$(uname -m)-linux-gnu
export PATH LD_LIBRARY_PATH
exec dockerd "$@"
END
}

missing=
# name VARIABLE TITLE PROGRAM: one that does not even tell its version is none
name() {
	if "$folder/$3" --version >>"$log" 2>&1; then
		printf "export %s=\"\${%s:-%s}\"\n" "$1" "$1" "$folder/$3" >>"$folder/env"
	else
		missing="$missing${missing:+, }$2"
	fi
}

rm -rf "$folder/apt"
: >"$folder/env"
get prometheus prometheus || true
get alertmanager prometheus-alertmanager || true
get victoria victoria-metrics || true
name PITWALL_PROMETHEUS Prometheus prometheus/usr/bin/prometheus
name PITWALL_PROMTOOL promtool prometheus/usr/bin/promtool
name PITWALL_ALERTMANAGER Alertmanager alertmanager/alertmanager
name PITWALL_VICTORIA VictoriaMetrics victoria/usr/bin/victoria-metrics
if [ "$(id -u)" = 0 ]; then # it starts for nobody else
	get docker docker.io containerd runc libdevmapper1.02.1 || true
	name PITWALL_DOCKERD Docker docker/dockerd
fi
rm -rf "$folder/apt" "$folder/new"
[ -z "$missing" ] || say "no packages of Debian could be had ('$log' tells more), so that tests which want these are skipped where they are not installed: $missing"
