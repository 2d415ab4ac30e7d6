#!/bin/sh
# tiny-executable.sh PROGRAM - the command line of a stand-alone executable: what goes to standard
# output, what to standard error, and the exit codes.
set -u
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect CODE STDOUT STDERR-PATTERN ARGUMENTS...
expect() {
  code=$1 out=$2 pattern=$3
  shift 3
  "$program" "$@" >"$work/out" 2>"$work/err" <"$work/in"
  got=$?
  if [ "$got" != "$code" ] || [ "$(cat "$work/out")" != "$out" ] ||
    ! grep -q -- "$pattern" "$work/err"; then
    if [ -z "$pattern" ] && [ ! -s "$work/err" ] && [ "$got" = "$code" ] &&
      [ "$(cat "$work/out")" = "$out" ]; then
      return
    fi
    echo "FAILED: $* -> exit $got, expected $code"
    cat "$work/out" "$work/err"
    failures=1
  fi
}

printf 'xy' >"$work/in"
m=$work/tiny.gguf
HEED_TINY_WEIGHTS=$m "$program" --help >"$work/help" || exit 1
grep -q -- '--repeat-penalty X' "$work/help" || { echo "FAILED: --help"; failures=1; }

expect 0 'defg' '' -m "$m" -p abc -n 4 --temp 0
expect 0 'abcde' '' -m "$m" -p abc -n 2 --temp=0 --echo -t 1
expect 0 'z{|' '' -m "$m" -p - -n 3 --temp 0
expect 0 'z{|' '' -m "$m" -f "$work/in" -n 3 --temp 0
expect 0 'd' 'tokens/s' -m "$m" -p abc -n 1 --temp 0 --stats
expect 1 '' 'no weights' -p abc
expect 1 '' 'no prompt' -m "$m"
expect 1 '' 'no flag' -m "$m" -p abc --tempo 1
expect 1 '' 'not a flag' -m "$m" -p abc stray
expect 1 '' "no-such-file" -m "$work/no-such-file" -p abc
expect 1 '' 'whole number from 0 to 1024' -m "$m" -p abc -t -1
expect 1 '' 'allows 1 … 64' -m "$m" -p abc -c 1000000000
exit $failures
