#!/usr/bin/env bash
# Makes a virtual environment with the peers, at the versions in constraints.txt, and the models' files beside it.
#
#   tools/compare/install.sh [FOLDER]        ~/.cache/heed/compare if none is given; about 6 GB
#
# llama.cpp is compiled for this processor (about ten minutes; it needs cmake and a C++ compiler). What is installed is kept.
set -euo pipefail

folder=${1:-$HOME/.cache/heed/compare}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || python=python3
environment=$folder/peers
pip=("$environment/bin/pip" --disable-pip-version-check install --quiet --constraint "$here/constraints.txt")

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  { echo "error: $python is older than 3.10; name another in PYTHON" >&2; exit 1; }
command -v c++ >/dev/null || { echo "error: no C++ compiler; install g++ or clang" >&2; exit 1; }
mkdir -p "$folder"
[ -x "$environment/bin/python" ] || "$python" -m venv "$environment"

"${pip[@]}" numpy gguf safetensors
# The instruction sets of this machine, threads by OpenMP, weights rearranged for them: llama.cpp's own defaults.
CMAKE_ARGS="-DGGML_NATIVE=ON -DGGML_OPENMP=ON -DGGML_CPU_REPACK=ON" "${pip[@]}" llama-cpp-python
"${pip[@]}" openvino openvino-genai onnxruntime onnx onnxscript iree-base-compiler iree-base-runtime
if ls /usr/local/cuda*/lib*/libcudart.so* >/dev/null 2>&1; then
  # CUDA's libraries are here already: PyTorch without the gigabytes that it names as dependencies.
  "${pip[@]}" --no-deps torch nvidia-cufile nvidia-nccl-cu13 nvidia-cusparselt-cu13 nvidia-nvshmem-cu13
  "${pip[@]}" sympy networkx filelock fsspec jinja2 typing-extensions setuptools
else
  "${pip[@]}" torch
fi
"${pip[@]}" --no-deps accelerate psutil
"${pip[@]}" transformers

"$environment/bin/python" "$here/models.py" "$folder/models"
echo "done: $here/compare.py --list"
