#!/bin/bash
# check.sh - from a fresh Debian 12 to every test: installs, builds, downloads the models, tests.
#
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The last line is the sum of all tests, "N passed, N failed"; the exit code is 0 if none failed.

set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=setup.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/setup.sh"

fuzz_seconds=${HEED_FUZZ_SECONDS:-10}
passed=0
failed=0
summary=

# Whatever ends this script early, its last line says so.
finished=no
trap '[ $finished = yes ] || printf "\nstopped before the end\n%d passed, %d failed\n" $passed $((failed + 1))' EXIT

# count PASSED FAILED: adds to the totals and says what was added.
count() {
  printf '%s passed, %s failed\n' "$1" "$2"
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# one_test COMMAND...: a test that passes or fails as a whole.
one_test() {
  if "$@"; then count 1 0; else count 0 1; fi
}

# count_junit NAME FILE: adds the tests of a report that lit or ctest wrote; the end repeats it.
count_junit() {
  local totals
  totals=$(python3 - "$2" <<'END'
import sys, xml.etree.ElementTree as tree
cases = list(tree.parse(sys.argv[1]).iter("testcase"))
failed = sum(case.find("failure") is not None for case in cases)
skipped = [case.get("name") for case in cases if case.find("skipped") is not None]
if skipped:
    print("not run:", ", ".join(skipped), file=sys.stderr)
print(len(cases) - failed - len(skipped), failed)
END
  ) || totals="0 1"
  # shellcheck disable=SC2086
  count $totals
  # shellcheck disable=SC2086
  summary+=$(printf '%s: %s passed, %s failed' "$1" $totals)$'\n'
}

run_ctest() {
  local report="$root/build/$1/ctest.xml"
  rm -f "$report"
  ctest --test-dir "$root/build/$1" -j "$jobs" --output-on-failure --output-junit "$report" || true
  count_junit "ctest, $1" "$report"
}

run_lit() {
  local report="$root/build/release/lit.xml"
  rm -f "$report"
  lit-22 -j "$jobs" --xunit-xml-output "$report" "$root/build/release/test" || true
  count_junit lit "$report"
}

run_snippets() {
  local output
  # Not `tee /dev/stderr`, which would open, and so empty, a file that the output goes to.
  output=$(python3 -B "$root/test/docs/run_snippets.py" "$root/build/release" |
    tee >(cat >&2) | tail -n 1) || true
  if [[ $output =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    count 0 1
  fi
}

check_format() {
  git -c safe.directory="$root" -C "$root" ls-files -z '*.cpp' '*.h' '*.c' ':!*/Inputs/*' |
    (cd "$root" && xargs -0 clang-format-22 --dry-run -Werror)
}

# fuzz TARGET: from the seeds and what earlier runs found. A target that has run since it was built
# only repeats those inputs, so that a second check takes no time.
fuzz() {
  local target=$1 folder=$root/build/sanitize/fuzz/$1 seconds=$fuzz_seconds
  mkdir -p "$folder/corpus"
  local runs=-1
  if [ "$folder/passed" -nt "$root/build/sanitize/bin/$target" ]; then runs=0; fi
  if "$root/build/sanitize/bin/$target" -runs=$runs -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$folder/" "$folder/corpus" \
    "$root/test/fuzz/seeds/${target#fuzz-}" >"$folder/log" 2>&1; then
    touch "$folder/passed"
    echo "$target: $(tail -n 1 "$folder/log")"
  else
    echo "$target FAILED:"
    tail -n 40 "$folder/log"
    return 1
  fi
}

install_packages "${packages[@]}" git
for name in "${!model_packages[@]}"; do
  get_model "$name"
  export "${model_variables[$name]}=$model"
done
build release
build sanitize

say "Compiler tests (lit)"
run_lit
say "Unit, structure, installation and reference tests (ctest)"
run_ctest release
say "Unit tests under ASan and UBSan (ctest)"
run_ctest sanitize
say "Fuzzing under ASan and UBSan, $fuzz_seconds s each"
for source in "$root"/test/fuzz/fuzz-*.cpp; do
  one_test fuzz "$(basename "$source" .cpp)"
done
say "Commands of the documentation"
run_snippets
say "Formatting (clang-format)"
one_test check_format

say "All tests"
finished=yes
printf '%s' "$summary"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
