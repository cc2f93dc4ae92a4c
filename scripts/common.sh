# What the scripts of this project share. Sourced by bash, with $root set to the project's folder.

say() { printf '%s\n' "weir: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# What a release build and `weir up` need, by the names of Debian and Ubuntu.
packages_up=(g++ make cmake ninja-build pkg-config ccache
  liburing-dev libfmt-dev libspdlog-dev libsqlite3-dev libyaml-cpp-dev nlohmann-json3-dev libre2-dev libssl-dev
  libmicrohttpd-dev libcli11-dev libnftables-dev libnl-route-3-dev zlib1g-dev libbrotli-dev libzstd-dev
  libcurl4-openssl-dev libpugixml-dev
  runc uidmap iproute2 curl ca-certificates python3 python3-flask python3-venv)
# What the tests need besides.
packages_test=("${packages_up[@]}" libgtest-dev libgmock-dev busybox-static nftables util-linux procps
  python3-boto3 awscli openssh-server openssh-client)
# Node.js and npm, where no other package than the distribution's has brought them.
command -v npm >/dev/null || packages_test+=(nodejs npm)
# And the benchmarks: the peers that Weir is measured against.
packages_bench=("${packages_up[@]}" nginx-light haproxy wrk)

# Runs a command as root, by sudo where we are not.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Those of the packages named that are not installed, one a line.
missing_of() {
  local package
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    awk '$1 == "installed" { print $2 }' | sort -u >"$scratch/installed"
  for package in "$@"; do
    grep -qxF "$package" "$scratch/installed" || printf '%s\n' "$package"
  done
}

# Daemons that come with a package must not start here: peers of a benchmark are started by it.
install_quietly() {
  local policy=/usr/sbin/policy-rc.d made_policy=no status=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$scratch/policy"
    as_root install -m 755 "$scratch/policy" "$policy" && made_policy=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
    >"$scratch/apt.log" 2>&1 || status=$?
  [ "$made_policy" = no ] || as_root rm -f "$policy"
  if [ "$status" -ne 0 ]; then tail -n 20 "$scratch/apt.log" >&2; fi
  return "$status"
}

# install_missing PACKAGE…: says what it does, does nothing where nothing is missing.
install_missing() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is no Debian or Ubuntu: please see to these packages yourself: $*"
    return 0
  fi
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  local missing
  mapfile -t missing < <(missing_of "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die "these packages are missing, and there is no sudo: as root, apt-get install ${missing[*]}"
  fi
  say "installing with apt-get: ${missing[*]}"
  if ! install_quietly "${missing[@]}"; then
    say "once more with fresh package lists (apt-get update)"
    as_root apt-get update -qq || die "apt-get update failed"
    install_quietly "${missing[@]}" || die "the packages could not be installed"
  fi
}

# Weir needs the C++23 library of g++ 12. Ubuntu 22.04 has it beside its 11.
choose_compiler() {
  local version
  version=$(g++ -dumpversion 2>/dev/null | cut -d. -f1)
  if [ "${version:-0}" -ge 12 ]; then
    export CXX=${CXX:-g++}
    return 0
  fi
  install_missing g++-12
  export CXX=g++-12
}

# Clones in different folders share what ccache has.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# build PRESET [TARGET…]
build() {
  local preset=$1
  shift
  choose_compiler
  say "building ($preset)"
  cmake -S "$root" --preset "$preset" >"$root/build/.$preset.log" 2>&1 ||
    { cat "$root/build/.$preset.log" >&2 && return 1; }
  cmake --build "$root/build/$preset" ${1:+--target "$@"}
}

# The tests of rootless instances need an ordinary user with a range of subordinate ids.
ensure_test_user() {
  [ "$(id -u)" -eq 0 ] || return 0
  if ! id weirtest >/dev/null 2>&1; then
    say "adding the user weirtest, as whom the rootless tests run"
    touch /etc/subuid /etc/subgid
    useradd --create-home --shell /bin/sh weirtest
  fi
  local file
  for file in /etc/subuid /etc/subgid; do
    grep -q '^weirtest:' "$file" || printf 'weirtest:%d:65536\n' 700000 >>"$file"
  done
}
