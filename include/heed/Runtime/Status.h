//===- Status.h - an error with the code that C callers see ----*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_STATUS_H
#define HEED_RUNTIME_STATUS_H

#include "heed/Runtime/Heed.h"
#include "heed/Support/ErrorOr.h"

#include <string>
#include <utility>

namespace heed {

/// HEED_OK, or another heed_status with its message. The code is also a command's exit code.
struct [[nodiscard]] Status {
  int32_t code = HEED_OK;
  std::string message;

  bool ok() const { return code == HEED_OK; }
  static Status input(std::string message) { return {HEED_ERROR_INPUT, std::move(message)}; }
  static Status input(const Error &error) { return {HEED_ERROR_INPUT, error.message}; }
  static Status internal(std::string message) { return {HEED_ERROR_INTERNAL, std::move(message)}; }
  static Status memory(std::string message) { return {HEED_ERROR_MEMORY, std::move(message)}; }
};

} // namespace heed

#endif // HEED_RUNTIME_STATUS_H
