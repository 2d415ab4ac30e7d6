//===- ProgramFile.cpp - errors and files, as every command handles them -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/stat.h>

using namespace heed;

int heed::fail(std::string_view message, ExitCode code) {
  if (!message.empty())
    std::fprintf(stderr, "error: %.*s\n", int(message.size()), message.data());
  return code;
}

ErrorOr<std::string> heed::readTextFile(const std::string &path) {
  constexpr size_t kMostBytes = size_t(4) << 20;
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return makeError("can't open '" + path + "': " + std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return makeError("can't read '" + path + "': it isn't a regular file");
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file)
    return makeError("can't open '" + path + "': " + std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (text.size() > kMostBytes)
    return makeError("'" + path + "' has more than 4 MiB, which no program has");
  return text;
}
