#!/bin/bash
# demo.sh - from a fresh Debian 12 to a model that speaks: installs, builds, downloads, generates.
#
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=setup.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/setup.sh"

install_packages "${packages[@]}"
build release heed
get_model smollm2

prompt="A fluffy blue creature roamed the verdant forest."
say "Compiling examples/llama.heed with $(basename "$model"), and continuing a text"
printf '%s' "$prompt"
"$root/build/release/bin/heed" generate "$root/examples/llama.heed" -m "$model" -p "$prompt" -n 64
echo
