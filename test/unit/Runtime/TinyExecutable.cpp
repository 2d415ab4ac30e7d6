//===- TinyExecutable.cpp - the tiny model as a stand-alone program -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `main` comes from libheed_rt_main.a. Where HEED_TINY_WEIGHTS names a file, the
// model's weights are written there first.
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include <cstdio>
#include <cstdlib>

extern "C" const heed_artifact heed_artifact_main;
extern "C" const heed_artifact heed_artifact_main = tiny::artifact;

namespace {

[[maybe_unused]] const bool written = [] {
  const char *path = std::getenv("HEED_TINY_WEIGHTS");
  std::FILE *file = path ? std::fopen(path, "wb") : nullptr;
  if (!file)
    return false;
  std::string bytes = tiny::ggufBytes(tiny::tensors());
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  return true;
}();

} // namespace
