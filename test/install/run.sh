#!/bin/bash
# run.sh BUILD COMPILER - installs BUILD into a scratch folder, builds the project beside this
# script against it with and without MLIR, and compiles a model with the installed heed.
#
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

set -euo pipefail
build=$1 compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/heed" >"$work/install.log"
for uses_compiler in ON OFF; do
  cmake -S "$here" -B "$work/$uses_compiler" -G Ninja -DUSES_COMPILER=$uses_compiler \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/heed" --log-level=WARNING
  cmake --build "$work/$uses_compiler"
  "$work/$uses_compiler/uses-runtime"
done
"$work/ON/uses-dialect"

"$work/heed/bin/heed" compile "$here/../../examples/single_head.heed" -o "$work/single_head.so"
test -s "$work/single_head.so"
test -s "$work/single_head.h"
