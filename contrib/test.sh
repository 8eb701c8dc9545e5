#!/bin/bash
# Checks and tests everything, on a fresh Debian or Ubuntu that has Go and git; installs the rest.
#
#   contrib/test.sh            all of it, with nothing skipped
#   FUZZ_INPUTS=1000000 contrib/test.sh
#
# Each step is one line with its time; the output of a step is shown if it fails. What go test says
# comes last. Nothing listens but on loopback, and everything that is started ends with the script.
set -euo pipefail
cd "$(dirname "$0")/.."

STATICCHECK=v0.8.2
GOFUMPT=v0.12.0
FUZZ_INPUTS=${FUZZ_INPUTS:-2000} # for each fuzz test

# The race detector alone needs C. What else is compiled here is compiled once, for all steps: by the profile
# that redyn is built with, and with nothing for debuggers.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS-} -gcflags=all=-dwarf=false -ldflags=-w '-pgo=$PWD/cmd/redyn/default.pgo'"

packages=(
	ca-certificates gcc git libc6-dev                                # go test -race
	redis-server pdns-server pdns-backend-remote bind9-dnsutils curl # the tests
	pdns-backend-sqlite3 sqlite3 unbound ldnsutils                   # and what they compare with
	ddclient inadyn openssl haproxy                                  # clients of the updater
	pdns-backend-bind pdns-backend-lmdb dnsperf                      # contrib/bench
	shellcheck systemd procps
)

tmp=$(mktemp -d)
policy=     # the policy-rc.d that was put there
first_port= # of those that anybody may listen on, as it was
running=()  # processes in the background
cleanup() {
	if ((${#running[@]} > 0)); then
		kill "${running[@]}" 2>/dev/null || true # some may have ended
		wait
	fi
	if [[ -n $first_port ]]; then as_root sysctl -qw "net.ipv4.ip_unprivileged_port_start=$first_port"; fi
	if [[ -n $policy ]]; then as_root rm -f "$policy"; fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# step NAME COMMAND... runs a step, quietly unless it fails. (Inside it set -e has no effect.)
step() {
	local name=$1 begin=$SECONDS
	shift
	if "$@" >"$tmp/log" 2>&1; then
		printf '%-24s %4d s\n' "$name" $((SECONDS - begin))
		return
	fi
	printf '%-24s FAILED\n' "$name"
	cat "$tmp/log"
	exit 1
}

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

install_packages() {
	local missing=() package
	for package in "${packages[@]}"; do
		if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
			missing+=("$package")
		fi
	done
	if ((${#missing[@]} == 0)); then return; fi
	# Debian starts what it installs, unless policy-rc.d says no (exit 101).
	if [[ ! -e /usr/sbin/policy-rc.d ]]; then
		policy=/usr/sbin/policy-rc.d
		printf '#!/bin/sh\nexit 101\n' >"$tmp/policy" || return
		as_root install -m 755 "$tmp/policy" "$policy" || return
	fi
	as_root apt-get -q update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}"
}

# PowerDNS asks an autoprimary at port 53, where root alone may listen.
allow_ports() {
	if ((EUID == 0)); then return; fi
	first_port=$(sysctl -n net.ipv4.ip_unprivileged_port_start) &&
		as_root sysctl -qw net.ipv4.ip_unprivileged_port_start=53
}

install_tools() {
	local dir=${XDG_CACHE_HOME:-$HOME/.cache}/redyn-test
	export GOBIN=$dir/staticcheck-$STATICCHECK-gofumpt-$GOFUMPT
	[[ -x $GOBIN/staticcheck ]] || go install "honnef.co/go/tools/cmd/staticcheck@$STATICCHECK" || return
	[[ -x $GOBIN/gofumpt ]] || go install "mvdan.cc/gofumpt@$GOFUMPT"
}

check_format() {
	local unformatted
	unformatted=$("$GOBIN/gofumpt" -l .) || return
	if [[ -n $unformatted ]]; then
		printf 'run gofumpt -w on:\n%s\n' "$unformatted"
		return 1
	fi
}

check_scripts() {
	local scripts=(.ci/run) script
	while IFS= read -r -d '' script; do scripts+=("$script"); done < <(find . -name '*.sh' -print0)
	shellcheck "${scripts[@]}"
}

check_modules() {
	go mod tidy -diff && go mod verify
}

# The program must run where there is nothing but itself.
build_static() {
	CGO_ENABLED=0 go build -o "$tmp/redyn" ./cmd/redyn || return
	if ldd "$tmp/redyn" >"$tmp/ldd" 2>&1; then
		echo "redyn is linked dynamically:"
		cat "$tmp/ldd"
		return 1
	fi
}

# go test without what passed: one line for each package, and all that a failing one said.
summary() {
	awk '
		/^(ok|FAIL|\?)[ \t]+redyn/ {
			if (/^FAIL/) printf "%s", said
			print; said = ""; next
		}
		/^(=== |PASS$|[ \t]*--- PASS)/ { next }
		{ said = said $0 "\n" }
		END { printf "%s", said }
	' "$tmp/test"
}

# run_tests begins with the package that takes longest, beside which the others then run.
run_tests() {
	local status=0
	CGO_ENABLED=1 TEST_REQUIRE_ALL=1 go test -race -count=1 -timeout 8m -v ./cmd/redyn ./... >"$tmp/test" 2>&1 || status=$?
	if ((status != 0)); then
		summary
		return "$status"
	fi
	if grep -E '^[[:space:]]*--- SKIP' -A 3 "$tmp/test"; then
		echo "nothing may be skipped here"
		return 1
	fi
}

# run_fuzz counts inputs, not seconds: at the end of a time go test now and then calls that end a
# failure ("context deadline exceeded"). Each package is built and linked once, not for every test in it.
# It is built to be guided by coverage only where there are so many inputs that this leads anywhere, as all
# of Go's library has to be compiled for that; without inlining, which takes longer than it saves.
run_fuzz() {
	local cache package dir name build=(go test -c -vet=off)
	if ((FUZZ_INPUTS > 10000)); then build+=(-fuzz '^Fuzz' -gcflags 'all=-dwarf=false -l'); fi
	cache=$(go env GOCACHE)/fuzz || return # where go test keeps what it found
	go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ./... >"$tmp/packages" || return
	while read -r package dir; do
		if ! grep -qs '^func Fuzz' "$dir"/*_test.go; then continue; fi
		"${build[@]}" -o "$tmp/fuzz.test" "$package" || return
		(cd "$dir" && "$tmp/fuzz.test" -test.list ^Fuzz) >"$tmp/fuzz" || return
		while read -r name; do
			echo "$package $name"
			(cd "$dir" && "$tmp/fuzz.test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzzcachedir "$cache/$package" \
				-test.fuzztime "${FUZZ_INPUTS}x" -test.fuzzminimizetime 100x -test.paniconexit0 </dev/null) || return
		done <"$tmp/fuzz"
	done <"$tmp/packages"
}

# systemd must understand the unit; only the program's place is another.
check_unit() {
	sed "s|^ExecStart=[^ ]*|ExecStart=$tmp/redyn|" contrib/systemd/redyn.service >"$tmp/redyn.service"
	systemd-analyze verify "$tmp/redyn.service"
}

# The benchmarks must work; so short, their figures mean nothing. They wait more than they work.
try_bench() {
	local parts process failed=0
	go build -o "$tmp/bench" ./contrib/bench || return
	for parts in dns,size,dnssec updates,nodes,transfer; do
		"$tmp/bench" -redyn "$tmp/redyn" -parts "$parts" -rounds 1 -seconds 0.2 -hosts 500 -many-hosts 5000 \
			-many-zones 500 -zone-names 10 -load-records 500 -axfr-records 500 &
		running+=($!)
	done
	for process in "${running[@]}"; do
		wait "$process" || failed=1
	done
	running=()
	return "$failed"
}

if ! command -v go >/dev/null; then
	echo "go is missing: install the release that go.mod names from https://go.dev/dl/" >&2
	exit 1
fi
step "Debian packages" install_packages
step "low ports" allow_ports
step "staticcheck, gofumpt" install_tools
step "go.mod, go.sum" check_modules
step "gofumpt" check_format
step "shellcheck" check_scripts
step "static build" build_static
step "systemd unit" check_unit
step "go vet" go vet ./...
step "staticcheck" env GOGC=300 "$GOBIN/staticcheck" ./...
step "go test -race" run_tests
step "allocations" go test -count=1 -run 'Allocs$' ./backend # which the race detector makes itself
step "fuzzing" run_fuzz
step "contrib/bench" try_bench
printf '%-24s %4d s\n' "all" $SECONDS
summary
