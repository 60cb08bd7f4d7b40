#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line of the real binary, against the simulated fleet: what it prints, and what it exits with. Whatever is started is ended by its
# process id.
set -u
export LC_ALL=C
pitwall=${PITWALL_BUILDDIR:-.}/pitwall
json_at=${PITWALL_BUILDDIR:-.}/tests/e2e/json_at
work=$(mktemp -d) || exit 1
export HOME="$work" XDG_CONFIG_HOME="$work/config" XDG_STATE_HOME="$work/state"
unset PITWALL_CONFIG PITWALL_STORE
sim= recorder=
end()
{
	for pid in $sim $recorder; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

n=0
# ok WHAT: by the exit status of the command before
ok()
{
	if [ $? -eq 0 ]; then
		n=$((n + 1)) && echo "ok $n - $1"
	else
		n=$((n + 1)) && echo "not ok $n - $1"
		sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null
	fi
}
# run STATUS WORD...: runs it, keeps what it says, and is true when it exits with that
run()
{
	want=$1
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || { echo "exit status $got, wanted $want: $*" >>"$work/err" && return 1; }
}
says() { grep -qe "$1" "$work/out"; }
complains() { grep -qe "$1" "$work/err"; }
# until_ COMMAND...: tries for half a minute
until_()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || return 1
		sleep 0.1
	done
}
no_control_bytes() { ! tr -d '\n\t' <"$1" | grep -q '[[:cntrl:]]'; }

# ---- words ----

run 0 "$pitwall" --help && says '^Commands:'; ok 'help names the commands'
for command in demo record replay status query export check sim doctor why alerts ack unack silence note audit store compact stats redeploy rollback deployments; do
	run 0 "$pitwall" "$command" --help && says "^usage: pitwall $command"; ok "help of $command"
done
run 2 "$pitwall" stauts && complains "did you mean 'status'"; ok 'an unknown command, with a suggestion'
run 2 "$pitwall" nonsense && complains 'help'; ok 'an unknown command without one'
run 2 "$pitwall" status --fromat json && complains "did you mean '--format'"; ok 'an unknown option'
run 2 "$pitwall" status --format && complains 'wants a value'; ok 'an option without its value'
run 2 "$pitwall" status --format xml && complains 'xml'; ok 'a format that is none'
run 2 "$pitwall" query && complains 'EXPR'; ok 'a word is missing'
run 2 "$pitwall" status more && complains "'more'"; ok 'a word too many'
run 2 "$pitwall" status --config "$work/none.yml" && complains 'none.yml'; ok 'a fleet file that is not there'
run 2 "$pitwall" query --store "$work/none.db" up && complains 'none.db'; ok 'a store that is not there'
run 2 "$pitwall" replay "$work/none.db" && complains 'terminal'; ok 'replay wants a terminal and says so'
run 2 "$pitwall" && complains 'terminal'; ok 'the console wants a terminal and says so'
"$pitwall" doctor >"$work/out" 2>"$work/err" </dev/null
[ $? -le 1 ] && says 'SQLite' && says 'libssh2'; ok 'doctor names the libraries'

run 0 "$pitwall" doctor --store && says 'not there yet'; ok 'doctor --store without a file'
run 0 "$pitwall" doctor --store --config "$work/none.yml" 2>/dev/null; [ $? -ne 0 ]; ok 'an option behind one whose value may be left out'
run 2 "$pitwall" store setup && complains 'group'; ok 'a store for nobody'
run 2 "$pitwall" alerts --store "$work/none.db" && complains 'none.db'; ok 'alerts of a store that is not there'

# ---- checking ----

cat >"$work/ten.yml" <<'END'
fleet: [ shop ]
defaults: { interval: 10, timeout: 5s, intervall: 3s }
groups:
  - name: rankers
    profile: tritton
    nodes: [ "gpu-[09-01].example" ]
    port: 80020
  - name: rankers
    targets: [ "ftp://h/metrics" ]
    labels: { "0bad": x }
  - nodes: { a: 1 }
    scheme: gopher
themes: dark
END
run 1 "$pitwall" check "$work/ten.yml" && [ "$(grep -c "^[^:]*ten.yml:[0-9]*:[0-9]*: " "$work/err")" -ge 10 ]
ok 'a fleet file with ten mistakes gives ten lines'
complains "did you mean 'interval'" && complains "did you mean 'triton'"; ok 'with suggestions'
printf 'a 1\nb{x="1"} 2\n' >"$work/good.txt"
printf 'a 1\nb x\n' >"$work/bad.txt"
cat >"$work/alerts.yml" <<'END'
groups: [ { name: g, targets: [ "http://127.0.0.1:1/metrics" ] } ]
alerts:
  disable: [ TargetFlapping, NoSuchRule ]
END
run 1 "$pitwall" check "$work/alerts.yml" && complains "alerts.yml:3:30: there is no built-in rule 'NoSuchRule'"; ok 'a built-in rule that is not there'
printf 'groups: [ { name: g, model: m, targets: [ "http://127.0.0.1:1/" ], deploy: { driver: nosuch } } ]\n' >"$work/deploy.yml"
run 1 "$pitwall" check "$work/deploy.yml" && complains "deploy.yml:1:68: there is no driver 'nosuch'"; ok 'a driver that is not there'
printf 'groups: []\nslo: [ { availability: 99.9 }, { model: m, latency: { threshold: 2s } } ]\n' >"$work/slo.yml"
run 0 "$pitwall" check --print-rules slo "$work/slo.yml" && cp "$work/out" "$work/printed.yml"
run 0 "$pitwall" check "$work/printed.yml" && grep -q 'alert: LatencyBudgetBurn' "$work/printed.yml"; ok 'the rules that objectives make are a rule file'
run 0 "$pitwall" check --print-rules gpus && cmp -s "$work/out" "${PITWALL_SRCDIR:-.}/packs/gpus.yml"; ok 'built-in rules are printed'
run 2 "$pitwall" check --print-rules none && complains "no built-in rules called 'none'"; ok 'built-in rules that are not there'
run 0 "$pitwall" check --metrics "$work/good.txt"; ok 'a good scrape'
run 1 "$pitwall" check --metrics "$work/bad.txt" && complains '2'; ok 'a bad scrape, with its line'
run 2 "$pitwall" check --metrics "$work/none.txt"; ok 'a scrape that is not there'
printf 'map C-n down\n' >"$work/good.keys"
printf 'map C-n downn\n' >"$work/bad.keys"
printf 'text fg=#zzzzzz\n' >"$work/bad.theme"
run 0 "$pitwall" check "$work/good.keys"; ok 'a good key file'
run 1 "$pitwall" check "$work/bad.keys" "$work/bad.theme" && complains 'bad.keys:1:' && complains 'bad.theme:1:'; ok 'a key file and a theme with mistakes'
# The OpenMetrics project's own cases: each folder has a page, and what a parser must make of it.
samples=${PITWALL_SHARED-}/samples/openmetrics
if [ -n "${PITWALL_SHARED-}" ] && [ -d "$samples" ]; then
	: >"$work/err"
	good=0 bad=0
	for verdict in "$samples"/*/test.json; do
		want=$(sed -n 's/.*"shouldParse": *\([a-z]*\).*/\1/p' "$verdict")
		"$pitwall" check --metrics "${verdict%/*}/metrics" --openmetrics >"$work/out" 2>&1
		case $want:$? in
		true:0) good=$((good + 1)) ;;
		false:1) bad=$((bad + 1)) ;;
		*) echo "$verdict: should parse: '$want', but not so: $(cat "$work/out")" >>"$work/err" ;;
		esac
	done
	: >"$work/out"
	[ ! -s "$work/err" ] && [ "$good" -gt 0 ] && [ "$bad" -gt 0 ]; ok "OpenMetrics cases: $good good pages, $bad bad ones"
else
	n=$((n + 1)) && echo "ok $n - OpenMetrics cases # SKIP PITWALL_SHARED is not there"
fi

# ---- a fleet ----

"$pitwall" sim --nodes 8 --incident none >"$work/fleet.yml" 2>"$work/sim.err" &
sim=$!
until_ grep -q '^groups:' "$work/fleet.yml"; ok 'sim prints a fleet file'
run 0 "$pitwall" check "$work/fleet.yml"; ok 'which check accepts'
sed 's/interval: 5s, timeout: 3s/interval: 1s, timeout: 1s/' "$work/fleet.yml" >"$work/quick.yml"
store="$work/a.db"
run 0 "$pitwall" status --config "$work/quick.yml" --store "$store" && says 'gpu-a-01' && says '^ok ' && no_control_bytes "$work/out"
ok 'status polls it and prints real numbers'
run 0 "$pitwall" status --config "$work/quick.yml" --store "$store" --format json && [ "$("$json_at" nodes <"$work/out")" -eq 8 ]
ok 'status as JSON'
run 0 "$pitwall" status --config "$work/quick.yml" --store "$store" --format csv && [ "$(wc -l <"$work/out")" -eq 9 ]; ok 'status as CSV'

"$pitwall" record --config "$work/quick.yml" --store "$store" >"$work/record.out" 2>&1 &
recorder=$!
polled() { [ "$("$pitwall" query --store "$store" 'min(count_over_time(up[1m]))' --format json 2>/dev/null | "$json_at" data.result.0.value.1)" -ge "$1" ] 2>/dev/null; }
recorded() { "$pitwall" doctor --config "$work/quick.yml" --store "$store" 2>/dev/null | grep -q "process $recorder "; }
until_ recorded && until_ polled 6; ok 'record records'
run 2 "$pitwall" record --config "$work/quick.yml" --store "$store" && complains "$recorder"; ok 'a second recorder names the first'
run 0 "$pitwall" status --config "$work/quick.yml" --store "$store" && says 'gpu-a-01'; ok 'status beside a recorder'
run 0 "$pitwall" query --store "$store" 'count(up == 1)' --format json && [ "$("$json_at" status <"$work/out")" = success ] &&
	[ "$("$json_at" data.resultType <"$work/out")" = vector ] && [ "$("$json_at" data.result.0.value.1 <"$work/out")" -ge 8 ]
ok 'an instant query as JSON'
run 0 "$pitwall" query --store "$store" 'sum(signal:requests:rate)' --start '10s ago' --end now --step 1s --format json &&
	[ "$("$json_at" data.resultType <"$work/out")" = matrix ] && [ "$("$json_at" data.result.0.values <"$work/out")" -ge 3 ]
ok 'a range query as JSON'
run 0 "$pitwall" query --store "$store" 'up' --format csv && [ "$(wc -l <"$work/out")" -ge 9 ]; ok 'a query as CSV'
run 0 "$pitwall" query --store "$store" 'up' && says 'instance' && no_control_bytes "$work/out"; ok 'a query as a table'
run 2 "$pitwall" query --store "$store" 'sum(' && complains '1:'; ok 'a mistake in a query, with its place'

kill "$recorder"
wait "$recorder"
[ $? -eq 0 ]; ok 'SIGTERM ends record well'
recorder=
"$pitwall" record --config "$work/quick.yml" --store "$store" >"$work/record.out" 2>&1 &
recorder=$!
until_ recorded && until_ polled 8; ok 'which gave the lease back: another records at once'
run 2 "$pitwall" compact --config "$work/quick.yml" --store "$store" && complains 'is being recorded'; ok 'nothing is compacted under a recorder'
kill -9 "$recorder"
wait "$recorder" 2>/dev/null
recorder=
run 0 "$pitwall" status --config "$work/quick.yml" --store "$store"; ok 'after kill -9 another takes over'
run 0 "$pitwall" compact --config "$work/quick.yml" --store "$store" && says ' before .*; 0 rows removed'; ok 'compact'
run 0 "$pitwall" doctor --config "$work/quick.yml" --store "$store" && says 'newest frames of [1-9][0-9]* tracks, .*: good'; ok 'doctor looks into the store'
run 0 "$pitwall" doctor --config "$work/quick.yml" --store "$store" --deep && says 'every page, [1-9][0-9]* frames and [0-9]* blocks with [1-9][0-9]* samples'; ok 'doctor looks at all of it'
run 2 "$pitwall" doctor --deep && complains 'is for --store'; ok 'a deep look wants a store'
run 2 "$pitwall" compact --config "$work/quick.yml" --store "$work/none.db" && complains "there is no store '.*none.db'" && [ ! -e "$work/none.db" ]; ok 'compact of a store that is not there'
run 0 "$pitwall" compact --store "$store" && complains 'nothing is removed' && says '; 0 rows removed'; ok 'compact without a fleet file removes nothing'

run 0 "$pitwall" stats --store "$store" --top 40 && says 'bytes a sample' && says 'gpu-a-01 vllm' && no_control_bytes "$work/out"; ok 'what takes room in it'
run 0 "$pitwall" stats --store "$store" --top 100 --format json && [ "$("$json_at" targets <"$work/out")" -ge 8 ] && [ "$("$json_at" frames <"$work/out")" -ge 48 ] &&
	[ -n "$("$json_at" metrics.99.metric <"$work/out")" ] && [ -n "$("$json_at" labels.0.values <"$work/out")" ]
ok 'which is JSON, too'
run 2 "$pitwall" stats --store "$store" --format csv && complains 'csv'; ok 'and no CSV'
run 2 "$pitwall" stats --store "$store" --top x && complains "'x'"; ok 'a number that is none'
run 0 "$pitwall" export --store "$store" -o "$work/bundle.pitwall"; ok 'export'
run 2 "$pitwall" export --store "$store" --output "$work/bundle.pitwall" && complains 'bundle.pitwall'; ok 'export overwrites nothing'
cp "$work/bundle.pitwall" "$work/bundle.copy"
run 2 "$pitwall" compact --config "$work/quick.yml" --store "$work/bundle.pitwall" && complains 'made by export' && cmp -s "$work/bundle.pitwall" "$work/bundle.copy"
ok 'a bundle is not compacted'
last=$("$pitwall" query --store "$store" 'max(timestamp(up))' --format json 2>/dev/null | "$json_at" data.result.0.value.1)
[ -n "$last" ] || last=$("$pitwall" query --store "$store" 'up' --format json | "$json_at" data.result.0.value.0)
run 0 "$pitwall" query --store "$store" --at "$last" 'sort(signal:queue)' --format csv && cp "$work/out" "$work/of-store" &&
	run 0 "$pitwall" query --store "$work/bundle.pitwall" --at "$last" 'sort(signal:queue)' --format csv && cmp -s "$work/out" "$work/of-store" &&
	[ "$(wc -l <"$work/out")" -gt 8 ]
ok 'the bundle gives the same answers'

# ---- alerts: a rule that fires, what people do about it, and what is left of that ----

run 2 "$pitwall" note 'too late' --store "$work/bundle.pitwall" && complains 'made by export' && [ ! -e "$work/bundle.pitwall-requests" ]; ok 'nothing is asked of a bundle'
cat >"$work/alerts.yml" <<'END'
fleet: alone
groups: [ { name: g, interval: 1s, timeout: 1s, targets: [ { url: "http://127.0.0.1:9/metrics", node: gpu-a-01 } ] } ]
rules: [ rules.yml ]
END
cat >"$work/rules.yml" <<'END'
groups:
  - name: r
    interval: 1s
    rules: [ { alert: NobodyThere, expr: "up == 0", labels: { severity: critical }, annotations: { summary: "{{ $labels.node }} is down" } } ]
END
store="$work/alerts.db"
"$pitwall" record --config "$work/alerts.yml" --store "$store" >"$work/record.out" 2>&1 &
recorder=$!
fires() { "$pitwall" alerts --store "$store" 2>/dev/null | grep -q 'firing .* NobodyThere .* gpu-a-01 is down'; }
until_ fires; ok 'a rule of the fleet file fires'
run 0 "$pitwall" ack NobodyThere --comment 'on it' --as carol --store "$store"; ok 'it is acknowledged'
run 0 "$pitwall" alerts --store "$store" && says 'carol *NobodyThere'; ok 'which is seen'
run 0 "$pitwall" silence add alertname=NobodyThere --until 1h --yes --store "$store" && says 'hides 1 alert of 1 group now'; ok 'and silenced, with a look at what that hides'
run 0 "$pitwall" silence list --store "$store" --format json && [ "$("$json_at" silences.0.state <"$work/out")" = active ]; ok 'which is listed'
silence=$("$json_at" silences.0.id <"$work/out")
run 0 "$pitwall" silence expire "$silence" --store "$store"; ok 'and ended before its time'
run 0 "$pitwall" note gpu-a-01 'fan replaced' --store "$store"; ok 'a note'
run 0 "$pitwall" unack NobodyThere --store "$store" --format json && [ "$("$json_at" state <"$work/out")" = done ]; ok 'the acknowledgement is taken back'
kill "$recorder"
wait "$recorder"
recorder=
run 0 "$pitwall" audit list --store "$store" --format json && [ "$("$json_at" rows <"$work/out")" -eq 5 ] && says '"who":"carol"'; ok 'all that was written down'
run 0 "$pitwall" audit verify --store "$store" && says 'all 5 rows'; ok 'as it was written'
run 1 "$pitwall" note 'for later' --store "$store" && complains 'is kept, and done when a recorder runs'; ok 'with no recorder a request is kept'
run 1 "$pitwall" rollback gpu-a-01 --yes --store "$store" && complains 'nobody records'; ok 'a rollback is not'
run 0 "$pitwall" deployments --store "$store" && says 'STATE'; ok 'no deployments yet'
run 0 "$pitwall" deployments drivers --format markdown; ok 'the drivers are printed'
store="$work/a.db"

# ---- what changed ----

# why WORD...: either answer is one
why() { run 0 "$pitwall" why "$@" || run 1 "$pitwall" why "$@"; }
why gpu-a-01 --store "$work/bundle.pitwall" --at "$last" --reasons && says '^gpu-a-01  what changed at 20' && no_control_bytes "$work/out"; ok 'what changed, of a bundle'
why gpu-a-01 --store "$work/bundle.pitwall" --at "$last" --format json && [ "$("$json_at" nodes <"$work/out")" -ge 1 ] &&
	[ "$("$json_at" series <"$work/out")" -ge 10 ] && [ -n "$("$json_at" causes <"$work/out")" ]
ok 'what changed, as JSON'
run 2 "$pitwall" why nobody --store "$store" && complains "no node 'nobody'" && [ ! -s "$work/out" ]; ok 'what changed on a node that is none'
run 2 "$pitwall" why 77 --store "$store" && complains "no node '77'"; ok 'nor is there such an alert'
run 2 "$pitwall" why && complains 'NODE'; ok 'what changed wants to know where'
run 2 "$pitwall" why gpu-a-01 --store "$store" --format csv && complains 'csv'; ok 'a format that why does not have'

# ---- stores that cannot be read ----

echo 'this is a text and no store, however long it may be made to look like one' >"$work/text.db"
mkdir "$work/folder.db"
# A store of another program, and one of a pitwall to come: the numbers that SQLite keeps at 60 (user version) and 68 (application id) of a file.
cp "$work/bundle.pitwall" "$work/foreign.db" && printf '\1\2\3\4' | dd of="$work/foreign.db" bs=1 seek=68 conv=notrunc 2>/dev/null
cp "$work/bundle.pitwall" "$work/newer.db" && printf '\0\0\377\377' | dd of="$work/newer.db" bs=1 seek=60 conv=notrunc 2>/dev/null
chmod u+w "$work/foreign.db" "$work/newer.db"
head -c 6000 "$work/bundle.pitwall" >"$work/torn.db"
# refused FILE SENTENCE: by everything that reads a store, with that sentence, its name and nothing on the output, and left as it was
refused()
{
	before=$(cksum <"$work/$1" 2>/dev/null)
	for words in "query up" "export -o $work/never.pitwall" "status --config $work/quick.yml"; do
		run 2 $as "$pitwall" ${words%% *} --store "$work/$1" ${words#* } && complains "$1" && complains "$2" && [ ! -s "$work/out" ] || {
			echo "($words)" >>"$work/err"
			return 1
		}
	done
	[ ! -e "$work/never.pitwall" ] && [ "$before" = "$(cksum <"$work/$1" 2>/dev/null)" ]
}
as=
refused text.db 'not a'; ok 'a text is no store'
refused folder.db 'folder\|directory'; ok 'nor is a folder'
refused foreign.db 'not a'; ok "nor is another program's database"
refused newer.db 'newer'; ok 'a store of a newer version'
refused torn.db 'damaged'; ok 'a store that was cut short'
if cp "$work/bundle.pitwall" "$work/shut.db" && chmod 000 "$work/shut.db" && [ "$(id -u)" -eq 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod 755 "$work"
fi
if [ -n "$as" ] || [ "$(id -u)" -ne 0 ]; then
	refused shut.db 'ermission'; ok 'a store that may not be read'
else
	n=$((n + 1)) && echo "ok $n - a store that may not be read # SKIP root may read all, and setpriv is not here"
fi
as=
run 2 "$pitwall" export --store "$work/none.db" -o "$work/never.pitwall" && complains 'none.db'; ok 'export of a store that is not there'
run 2 "$pitwall" record --config "$work/quick.yml" --store "$work/text.db" && complains 'text.db' && grep -q '^this is a text' "$work/text.db"
ok 'record leaves what is no store as it is'

# A disk of a megabyte, in a mount namespace of its own where the system lets us: what was stored stays readable, and the log says why there is no more.
mkdir "$work/disk"
cat >"$work/full.sh" <<'END'
mount -t tmpfs -o size=1m none "$3/disk" || exit 77
"$1" record --config "$3/quick.yml" --store "$3/disk/a.db" --log "$3/full.log" &
pid=$!
tries=0
until grep -q 'no space' "$3/full.log" 2>/dev/null || [ $tries -ge 600 ]; do
	tries=$((tries + 1))
	[ -f "$3/disk/ballast" ] || [ $tries -lt 50 ] || head -c 2000000 /dev/zero >"$3/disk/ballast" 2>/dev/null
	sleep 0.1
done
kill -0 "$pid" && "$1" query --store "$3/disk/a.db" 'max_over_time(up[5m])' --format json | "$2" data.result
code=$?
kill "$pid"
wait "$pid"
exit $code
END
if unshare -m true 2>/dev/null; then
	run 0 unshare -m sh "$work/full.sh" "$pitwall" "$json_at" "$work" && [ "$(cat "$work/out")" -ge 8 ] && grep -q 'no space' "$work/full.log"
	ok 'a full disk loses nothing that was stored'
else
	n=$((n + 1)) && echo "ok $n - a full disk # SKIP no mount namespace of our own"
fi

run 0 "$pitwall" demo --nodes 4 --incident none && says '4 nodes' && no_control_bytes "$work/out"; ok 'demo without a terminal prints the fleet'
echo "1..$n"
