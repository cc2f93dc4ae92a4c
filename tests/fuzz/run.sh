#!/bin/sh
# Builds every fuzzer with clang (ASan, UBSan) and runs each for some seconds, from its corpus.
#
#   tests/fuzz/run.sh [SECONDS] [FUZZER…]      default: 60 seconds, all fuzzers
#
# BUILD: the build directory (default build/fuzz). Inputs that fail are left in BUILD/findings.
set -eu
seconds=${1:-60}
[ $# -gt 0 ] && shift
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$source_dir/build/fuzz}
for compiler in ${CXX:-} clang++-19 clang++-18 clang++-17 clang++; do
  command -v "$compiler" >/dev/null && break
done
command -v "$compiler" >/dev/null || { echo "run.sh: no clang++ (apt install clang-19)" >&2; exit 1; }

mkdir -p "$build"
cmake -S "$source_dir" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_COMPILER="$compiler" -DWEIR_FUZZ=ON -DWEIR_WERROR=OFF \
  -DWEIR_SANITIZE=address,undefined >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
targets=fuzzers
[ $# -gt 0 ] && targets=$(printf 'fuzz_%s ' "$@")
# shellcheck disable=SC2086  # several words
cmake --build "$build" --target $targets

mkdir -p "$build/findings"
status=0
for program in "$build"/tests/fuzz/fuzz_*; do
  name=${program##*/fuzz_}
  case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
  # New inputs go to a folder of the build; the repository's corpus is only read.
  mkdir -p "$build/corpus/$name"
  echo "== $name, $seconds s"
  log=$build/$name.log
  # A word list for all fuzzers of one subject: http.dict, template.dict.
  subject=${name%%_*}
  [ "$subject" = proxy ] && subject=http
  words=$source_dir/tests/fuzz/$subject.dict
  set_words=
  [ -f "$words" ] && set_words=-dict=$words
  if "$program" ${set_words:+"$set_words"} -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$name-" \
    "$build/corpus/$name" "$source_dir/tests/fuzz/corpus/$name" >"$log" 2>&1; then
    grep -aE 'stat::number_of_executed_units|DONE' "$log"
  else
    tail -n 60 "$log"
    status=1
  fi
done
exit $status
